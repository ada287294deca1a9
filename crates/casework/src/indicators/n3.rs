//! N3: two roles on one case that one person is not expected to hold at one time.
//!
//! Pairs of roles stand in `indicators.toml`; line management is also read from the people's histories, and a review of a person's own
//! decision from reviews. Overlap is judged in favour of the people on record: a day of handing over is none. Look-alikes: a tasked review
//! with terms of reference on file, as a review or in the appointment (explained); acting cover with an end on record (explained), without one (lowers); an end that is not
//! on record while somebody else was appointed to the role since (lowers).

use embley_model::record::RecordType;

use super::draft::{Draft, Weight};
use super::material::{CaseFile, Held, Row};
use super::{Context, Rule};
use crate::error::Result;
use crate::rules::settings::Pair;

/// See the module.
pub(super) struct Conflation;

impl Rule for Conflation {
    fn id(&self) -> &'static str {
        "N3"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let roles = case.roles(context.zone);
        let mut drafts = Vec::new();
        for pair in &context.rules.settings.pairs {
            drafts.extend(overlapping(context, case, &roles, pair));
        }
        drafts.extend(managing(context, case, &roles));
        drafts.extend(reviewing(context, case));
        Ok(drafts)
    }
}

fn is_one_of(context: &Context<'_>, words: &[String], role: &str) -> bool {
    words.iter().any(|word| context.rules.deciders.is_role(word, role))
}

/// Appointments of one person on both sides of a pair that have a time in common: one draft for two appointments.
fn overlapping(context: &Context<'_>, case: &CaseFile, roles: &[Held<'_>], pair: &Pair) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for one in roles.iter().filter(|held| is_one_of(context, &pair.one, held.role())) {
        for other in roles.iter().filter(|held| is_one_of(context, &pair.other, held.role())) {
            let who = one.person();
            if who.is_empty() || who != other.person() || !one.span.surely_overlaps(&other.span) {
                continue;
            }
            let draft = Draft::sentence(
                Some(&case.case_ref),
                &format!(
                    "{} is on record on case {} as {} and as {} at one time",
                    context.people.spoken(who),
                    case.case_ref,
                    spoken(one),
                    spoken(other)
                ),
            )
            .about(&pair.id)
            .person(who);
            drafts.push(weigh(context, case, roles, draft, one, other));
        }
    }
    drafts
}

fn spoken(held: &Held<'_>) -> String {
    held.role().replace('_', " ")
}

fn weigh(
    context: &Context<'_>,
    case: &CaseFile,
    roles: &[Held<'_>],
    mut draft: Draft,
    one: &Held<'_>,
    other: &Held<'_>,
) -> Draft {
    for held in [one, other] {
        draft = draft
            .input(held.row)
            .speaks_for(format!("as {} {}", spoken(held), held.span.spoken()));
        if held.row.flag("acting") == Some(true) {
            let (weight, end) = match held.span.to {
                Some(_) => (Weight::Explains, "with an end on record"),
                None => (Weight::Lowers, "with no end on record"),
            };
            draft = draft.against(weight, format!("as {} in acting cover {end}", spoken(held)));
        }
        if held.span.to.is_none() {
            let later = roles.iter().find(|next| {
                next.person() != held.person()
                    && next.role() == held.role()
                    && matches!((next.span.from, held.span.from), (Some(next), Some(own)) if own.surely_before(&next))
            });
            if let Some(next) = later {
                draft = draft.record(next.row).against(
                    Weight::Lowers,
                    format!(
                        "no end of the role as {} is on record, and {} was appointed to it later; it may have ended then",
                        spoken(held),
                        context.people.spoken(next.person())
                    ),
                );
            }
        }
        if context.rules.deciders.is_role("reviewer", held.role()) {
            if let Some(review) = tasked_review(case, held.person()) {
                draft = draft.record(review).against(
                    Weight::Explains,
                    "a tasked review with terms of reference is on file for this person",
                );
            } else if is_tasked(held) {
                draft = draft.against(
                    Weight::Explains,
                    format!(
                        "the appointment as reviewer was made by somebody else and has terms of reference on file: {}",
                        held.row.text("terms_of_reference_ref")
                    ),
                );
            }
        }
    }
    draft.against(Weight::Open, "a role may have ended earlier than the record says")
}

/// An appointment that somebody else made, with terms of reference.
fn is_tasked(held: &Held<'_>) -> bool {
    let by = held.row.text("appointed_by");
    !by.is_empty() && by != held.person() && !held.row.text("terms_of_reference_ref").is_empty()
}

/// A review that somebody else tasked, with terms of reference.
fn tasked_review<'a>(case: &'a CaseFile, reviewer: &str) -> Option<&'a Row> {
    case.of(RecordType::Review).find(|row| {
        let tasked_by = row.text("tasked_by");
        row.text("review_kind") == "tasked"
            && row.text("reviewer_id") == reviewer
            && !tasked_by.is_empty()
            && tasked_by != reviewer
            && !row.text("terms_of_reference_ref").is_empty()
    })
}

/// The appropriate authority of a case is line manager of the officer concerned, or of the investigator where that is switched on.
fn managing(context: &Context<'_>, case: &CaseFile, roles: &[Held<'_>]) -> Vec<Draft> {
    let settings = context.rules.settings.line_manager;
    let deciders = &context.rules.deciders;
    let mut managed: Vec<(&str, &str)> = Vec::new();
    if settings.officer_concerned {
        managed.extend(
            case.officers_concerned()
                .into_iter()
                .map(|id| (id, "the officer concerned")),
        );
    }
    if settings.investigator {
        let investigators = roles
            .iter()
            .filter(|held| deciders.is_role("person_investigating", held.role()));
        managed.extend(investigators.map(|held| (held.person(), "the investigator")));
    }
    let mut drafts = Vec::new();
    let mut done: Vec<(&str, &str)> = Vec::new();
    for held in roles
        .iter()
        .filter(|held| deciders.is_role("appropriate_authority", held.role()))
    {
        for (person, as_what) in &managed {
            let Some(career) = context.shared.career(person) else {
                continue;
            };
            let past = career
                .managers
                .iter()
                .find(|past| past.value == held.person() && past.span.surely_overlaps(&held.span));
            let Some(past) = past.filter(|_| !done.contains(&(held.person(), *person))) else {
                continue;
            };
            done.push((held.person(), *person));
            let mut draft = Draft::sentence(
                Some(&case.case_ref),
                &format!(
                    "{} is on record as {} on case {} and as line manager of {as_what}, {}, at one time",
                    context.people.spoken(held.person()),
                    spoken(held),
                    case.case_ref,
                    context.people.spoken(person)
                ),
            )
            .about("line-manager")
            .about(*person)
            .input(held.row)
            .person(held.person())
            .person(person)
            .speaks_for(format!("as {} {}", spoken(held), held.span.spoken()))
            .speaks_for(format!("as line manager {}", past.span.spoken()));
            if let Some(row) = &career.row {
                draft = draft.input(row);
            }
            if held.row.flag("acting") == Some(true) {
                let weight = if held.span.to.is_some() {
                    Weight::Explains
                } else {
                    Weight::Lowers
                };
                draft = draft.against(weight, format!("as {} in acting cover", spoken(held)));
            }
            drafts.push(draft.against(
                Weight::Open,
                "line management may have ended earlier than the record says",
            ));
        }
    }
    drafts
}

/// A review of a case by somebody who decided in it before the review was done.
fn reviewing(context: &Context<'_>, case: &CaseFile) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for review in case.of(RecordType::Review) {
        let who = review.text("reviewer_id");
        let Some(done) = review.moment("completed_at", context.zone).filter(|_| !who.is_empty()) else {
            continue;
        };
        let own = |row: &&Row| {
            let before = row
                .moment("decided_at", context.zone)
                .is_some_and(|at| at.surely_before(&done));
            row.text("decided_by") == who && row.text("decision_type") != "review_outcome" && before
        };
        let decisions: Vec<&Row> = case.of(RecordType::Decision).filter(own).collect();
        if decisions.is_empty() {
            continue;
        }
        let mut draft = Draft::sentence(
            Some(&case.case_ref),
            &format!(
                "the {} of case {} completed on {} is recorded for {}, by whom decisions of the case before that day are on record too",
                review_name(review),
                case.case_ref,
                done.day,
                context.people.spoken(who)
            ),
        )
        .about("own-decision")
        .input(review)
        .person(who);
        for row in decisions {
            let day = row
                .day("decided_at", context.zone)
                .map(|day| day.to_string())
                .unwrap_or_default();
            draft = draft.record(row).speaks_for(format!(
                "{} decided on {day}",
                row.text("decision_type").replace('_', " ")
            ));
        }
        if tasked_review(case, who).is_some_and(|row| row.key == review.key) {
            draft = draft.against(
                Weight::Explains,
                "it is a tasked review with terms of reference on file",
            );
        }
        drafts.push(draft.against(Weight::Open, "the review may not have been about these decisions"));
    }
    drafts
}

fn review_name(review: &Row) -> String {
    match review.text("review_kind") {
        "" => "review".to_owned(),
        kind if kind.contains("review") => kind.replace('_', " "),
        kind => format!("{} review", kind.replace('_', " ")),
    }
}
