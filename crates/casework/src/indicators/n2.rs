//! N2: a decision whose maker holds no role on record that decides it under the governing regulations.
//!
//! Decided by `deciders.toml` over the appointments of the case. Look-alikes: a role of the right kind that covers the day (nothing is
//! raised); a delegation to the person that an appointment or the log holds, dated by the day of the decision (explained); a case of the
//! Director General, whose people stand on no record of the force (explained, unless somebody with a role of the force on the case decided);
//! a role on record for other days (lowers); nobody at all on record in such a role (lowers twice).

use embley_model::record::RecordType;

use super::draft::{Confidence, Draft, Weight};
use super::governing::OlderMatter;
use super::material::{CaseFile, Held, Row, holds};
use super::moment::Moment;
use super::{Context, Rule};
use crate::error::Result;
use crate::rules::Decider;

/// See the module.
pub(super) struct Authority;

impl Rule for Authority {
    fn id(&self) -> &'static str {
        "N2"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(governing) = case.governing(&context.rules.frameworks, context.zone) else {
            return Ok(Vec::new());
        };
        let ids = governing.ids();
        let kind = governing.kind(&ids, case.head());
        let roles = case.roles(context.zone);
        let older = OlderMatter::find(context, case, &governing)?;
        let mut drafts = Vec::new();
        for row in case.of(RecordType::Decision) {
            let who = row.text("decided_by");
            let Some(moment) = row.moment("decided_at", context.zone).filter(|_| !who.is_empty()) else {
                continue;
            };
            let Some(decider) = context.rules.deciders.decider(row.text("decision_type"), kind) else {
                continue;
            };
            if holds(&roles, &context.rules.deciders, who, &decider.who, &moment).is_some() {
                continue;
            }
            let mut draft = raise(context, case, &roles, row, decider, &moment);
            if !governing.schedule_3_on_record && decider.schedule_3.is_some() {
                draft = draft.base(Confidence::Medium).against(
                    Weight::Open,
                    "whether the case is under Schedule 3 is not on record; it is taken from the type of case",
                );
            }
            if let Some(head) = case.head() {
                draft = draft.record(head);
            }
            if let Some(older) = &older {
                draft = under_older(context, case, &roles, draft, row, &moment, older);
            }
            drafts.push(draft.speaks_for(format!(
                "the matter came to attention on {}, so {} govern",
                governing.trigger,
                governing.spoken()
            )));
        }
        Ok(drafts)
    }
}

/// What the regulations of a linked earlier matter say of the decision-maker.
fn under_older(
    context: &Context<'_>,
    case: &CaseFile,
    roles: &[Held<'_>],
    draft: Draft,
    row: &Row,
    moment: &Moment,
    older: &OlderMatter<'_>,
) -> Draft {
    let deciders = &context.rules.deciders;
    let ids = older.governing.ids();
    let kind = older.governing.kind(&ids, case.head());
    let (weight, then) = match deciders.decider(row.text("decision_type"), kind) {
        Some(line) if holds(roles, deciders, row.text("decided_by"), &line.who, moment).is_some() => (
            older.weight(),
            format!(
                "; under {} it is decided by the {}, a role that they held",
                line.cited(),
                spoken_role(&line.who)
            ),
        ),
        Some(line) => (
            Weight::Open,
            format!(
                "; under {} it is decided by the {} too",
                line.cited(),
                spoken_role(&line.who)
            ),
        ),
        None => (Weight::Lowers, String::new()),
    };
    draft
        .record(&older.row)
        .against(weight, format!("{}{then}", older.words))
}

fn spoken_role(who: &str) -> String {
    who.replace('_', " ")
}

fn raise(
    context: &Context<'_>,
    case: &CaseFile,
    roles: &[Held<'_>],
    row: &Row,
    decider: &Decider,
    moment: &Moment,
) -> Draft {
    let who = row.text("decided_by");
    let spoken = spoken_role(&decider.who);
    let decision = row.text("decision_type").replace('_', " ");
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "the {decision} of {} in case {} is recorded as decided by {}, for whom no role as {spoken} on the case is on record for that day",
            moment.day,
            case.case_ref,
            context.people.spoken(who)
        ),
    )
    .input(row)
    .person(who)
    .citation(decider.cited())
    .speaks_for(format!("under {} this is decided by the {spoken}", decider.cited()));
    let own: Vec<&Held<'_>> = roles.iter().filter(|held| held.person() == who).collect();
    for held in &own {
        draft = draft.record(held.row);
        let role = held.role().replace('_', " ");
        if context.rules.deciders.is_role(&decider.who, held.role()) {
            draft = draft.against(
                Weight::Lowers,
                format!(
                    "a role as {role} is on record for other days ({}); a date may be wrong",
                    held.span.spoken()
                ),
            );
        } else if held.span.may_cover(moment) {
            draft = draft.speaks_for(format!("the role on record that day is {role}"));
            if delegates(context, decider, held) {
                draft = draft.against(
                    Weight::Explains,
                    format!(
                        "the appointment as {role} rests on a delegation: {}",
                        held.row.text("basis")
                    ),
                );
            }
        }
    }
    if context.rules.deciders.is_delegable(&decider.who) {
        draft = delegation_in_log(context, case, draft, who, moment);
    }
    if !row.text("role_claimed").is_empty() {
        let claimed = row.text("role_claimed").replace('_', " ");
        draft = draft.against(
            Weight::Open,
            format!("the record says that the decision was taken as {claimed}"),
        );
    }
    let form = case
        .head()
        .map(|head| head.text("form_of_investigation"))
        .unwrap_or_default();
    if context.rules.deciders.is_outside(Some(form)) || decider.outside {
        let (weight, words) = if own.is_empty() {
            (
                Weight::Explains,
                "the decision-maker has no role of the force on the case and may be of the Director General's staff",
            )
        } else {
            (
                Weight::Open,
                "the investigation is not the force's own; its decisions may have been taken for the Director General",
            )
        };
        draft = draft.against(weight, format!("the form of investigation is {form}: {words}"));
    }
    let anybody = roles
        .iter()
        .any(|held| context.rules.deciders.is_role(&decider.who, held.role()));
    if !anybody && !decider.outside {
        let words = format!("nobody is on record as {spoken} on this case; appointments may be recorded elsewhere");
        draft = draft.base(Confidence::Medium).against(Weight::Lowers, words);
    }
    draft.against(
        Weight::Open,
        "a valid delegation may exist that is not among the records loaded",
    )
}

/// An appointment to a role of its own that says that it is a delegation, of a decision that may be delegated. The delegate of one
/// decision-maker is none of another one, and an investigator's appointment delegates no more than the investigation.
fn delegates(context: &Context<'_>, decider: &Decider, held: &Held<'_>) -> bool {
    let deciders = &context.rules.deciders;
    let role = held.role().to_lowercase();
    let working = ["officer", "reviewer", "line_manager", "supervisor"];
    deciders.is_delegable(&decider.who)
        && held.row.text("basis").to_lowercase().contains("delegat")
        && !deciders.knows_role(held.role())
        && !working.iter().any(|word| role.contains(word))
}

/// An entry of the log, made by the day of the decision, that speaks of a delegation and names the person.
fn delegation_in_log(context: &Context<'_>, case: &CaseFile, mut draft: Draft, who: &str, moment: &Moment) -> Draft {
    let name = context.people.name(who).unwrap_or(who).to_lowercase();
    for entry in case.log_entries(context.zone, jiff::civil::Date::MIN, moment.day, &["delegat"]) {
        let text = entry.text("text").to_lowercase();
        if text.contains(&who.to_lowercase()) || text.contains(&name) {
            let day = entry
                .day("entry_at", context.zone)
                .map(|day| day.to_string())
                .unwrap_or_default();
            draft = draft.record(entry).against(
                Weight::Explains,
                format!("the log of {day} speaks of a delegation and names this person"),
            );
        }
    }
    draft
}
