//! N4, what records say: a decision-maker has a relation on record to somebody in the case, and no declaration of it was on record then.
//!
//! Relations: line management, the same team, a part in the case, a notifiable association, an interest in one organisation; and, for an
//! investigator, work under the officer concerned (`deciders.toml`, `appointee`). Look-alikes: the relation ended before (explained); it
//! was declared in time and recorded later, as by mail (lowers twice; explained when the day of recording is only that of a migration); it
//! was declared after the decision (lowers); a declaration of the case without naming anybody (lowers). Declarations found in mail are
//! `n4_mail`: one that came in time explains a late record, and lowers where there is none.

use std::collections::BTreeMap;

use embley_model::record::RecordType;

use super::draft::{Confidence, Draft, Weight};
use super::material::{CaseFile, Row, is_officer_concerned};
use super::moment::{Moment, Span};
use super::n4_mail::{self, Heard};
use super::shared::Career;
use super::{Context, Rule};
use crate::error::Result;
use embley_store::facts::cases::case_key;

/// See the module.
pub(super) struct Conflict;

impl Rule for Conflict {
    fn id(&self) -> &'static str {
        "N4"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let heard = match context.mail {
            Some(mail) => Heard::read(context, mail, case)?,
            None => Heard::default(),
        };
        let mut drafts = Vec::new();
        let mut raised = Vec::new();
        for (who, decisions) in decisions_by_person(context, case) {
            for relation in relations(context, case, who, &decisions) {
                let draft = raise(context, case, who, &decisions, &relation, &heard);
                raised.extend(draft.iter().map(|_| who.to_owned()));
                drafts.extend(draft);
            }
        }
        drafts.extend(n4_mail::drafts(context, case, &heard, &raised));
        drafts.extend(investigators(context, case));
        Ok(drafts)
    }
}

type Decided<'a> = Vec<(Moment, &'a Row)>;

fn decisions_by_person<'a>(context: &Context<'_>, case: &'a CaseFile) -> BTreeMap<&'a str, Decided<'a>> {
    let mut all: BTreeMap<&str, Decided<'_>> = BTreeMap::new();
    for row in case.of(RecordType::Decision) {
        let who = row.text("decided_by");
        if let Some(moment) = row.moment("decided_at", context.zone).filter(|_| !who.is_empty()) {
            all.entry(who).or_default().push((moment, row));
        }
    }
    for decisions in all.values_mut() {
        decisions.sort_by_key(|(moment, row)| (*moment, row.item));
    }
    all
}

/// A relation on record.
struct Relation<'a> {
    /// A word for its kind; part of the indicator's id.
    kind: &'static str,
    /// The other person.
    other: String,
    /// What it is: a clause about "they".
    words: String,
    /// When.
    span: Span,
    /// Records that say so.
    rows: Vec<&'a Row>,
    /// How much it weighs by itself.
    base: Confidence,
}

fn relations<'a>(context: &Context<'a>, case: &'a CaseFile, who: &str, decisions: &Decided<'_>) -> Vec<Relation<'a>> {
    let mut found = Vec::new();
    for party in case.of(RecordType::Party).filter(|row| row.text("person_id") == who) {
        let capacity = party.text("capacity").replace('_', " ");
        found.push(Relation {
            kind: "party",
            other: String::new(),
            words: format!("stands in the case as {capacity}"),
            span: party.span("from", "to", context.zone),
            rows: vec![party],
            base: Confidence::High,
        });
    }
    let own = context.shared.career(who);
    for other in concerned(case).into_iter().filter(|other| *other != who) {
        let theirs = context.shared.career(other);
        let person_rows = || {
            own.and_then(|one| one.row.as_ref())
                .into_iter()
                .chain(theirs.and_then(|one| one.row.as_ref()))
        };
        for (one, two, words) in [
            (theirs, who, "is their line manager"),
            (own, other, "is managed by them"),
        ] {
            for past in one
                .into_iter()
                .flat_map(|career| &career.managers)
                .filter(|past| past.value == two)
            {
                found.push(Relation {
                    kind: "line management",
                    other: other.to_owned(),
                    words: words.to_owned(),
                    span: past.span,
                    rows: person_rows().collect(),
                    base: Confidence::High,
                });
            }
        }
        if let (Some(own), Some(theirs)) = (own, theirs) {
            for (span, words, base) in teams(context, own, theirs) {
                found.push(Relation {
                    kind: "team",
                    other: other.to_owned(),
                    words,
                    span,
                    rows: person_rows().collect(),
                    base,
                });
            }
        }
        found.extend(associations(context, who, other));
        found.extend(shared_interests(context, who, other));
    }
    // One relation of a kind with a person: the one that covers a decision, else the last.
    let covers = |relation: &Relation<'_>| decisions.iter().any(|(moment, _)| relation.span.may_cover(moment));
    found.sort_by_key(|relation| (relation.kind, relation.other.clone(), !covers(relation)));
    found.dedup_by(|next, first| next.kind == first.kind && next.other == first.other);
    found
}

/// Those whom the case is about, and those who complain.
fn concerned(case: &CaseFile) -> Vec<&str> {
    let mut ids = case.officers_concerned();
    for row in case.of(RecordType::Party) {
        if matches!(row.text("capacity"), "complainant" | "interested_person") {
            ids.insert(row.text("person_id"));
        }
    }
    ids.into_iter().filter(|id| !id.is_empty()).collect()
}

/// The time that two spans have in common; `None` when one surely ended before the other began.
fn common(one: &Span, other: &Span) -> Option<Span> {
    let to = match (one.to, other.to) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    };
    let from = one.from.max(other.from);
    let apart = from.zip(to).is_some_and(|(from, to)| to.surely_before(&from));
    (!apart).then_some(Span { from, to })
}

/// Teams in common; a unit counts as one when few people on record are in it.
fn teams(context: &Context<'_>, own: &Career, theirs: &Career) -> Vec<(Span, String, Confidence)> {
    let mut found = Vec::new();
    let lists = [(&own.teams, &theirs.teams, true), (&own.units, &theirs.units, false)];
    for (ours, others, is_team) in lists {
        for one in ours {
            let size = context.shared.unit_size(&one.value);
            if !is_team && size > context.rules.settings.team_most_people {
                continue;
            }
            for two in others.iter().filter(|two| two.value.eq_ignore_ascii_case(&one.value)) {
                let (words, base) = if is_team {
                    (format!("is in the same team, {}", one.value), Confidence::Medium)
                } else {
                    let words = format!("is in the same unit, {}, with {size} people on record", one.value);
                    (words, Confidence::Low)
                };
                found.extend(common(&one.span, &two.span).map(|span| (span, words, base)));
            }
        }
    }
    found
}

fn associations<'a>(context: &Context<'a>, who: &str, other: &str) -> Vec<Relation<'a>> {
    let rows = context.shared.register_of(RecordType::RegisterAssociation, who);
    let between = |row: &&Row| {
        let (one, two) = (row.text("person_id"), row.text("other_person_id"));
        (one == who && two == other) || (one == other && two == who)
    };
    rows.filter(between)
        .map(|row| Relation {
            kind: "association",
            other: other.to_owned(),
            words: match row.text("nature") {
                "" => "stands on the register of associations with them".to_owned(),
                nature => format!("stands on the register of associations with them ({nature})"),
            },
            span: row.span("from", "to", context.zone),
            rows: vec![row],
            base: Confidence::High,
        })
        .collect()
}

/// Interests of both in one organisation, neither refused.
fn shared_interests<'a>(context: &Context<'a>, who: &str, other: &str) -> Vec<Relation<'a>> {
    let of = |person: &str| -> Vec<&'a Row> {
        let own = context.shared.register_of(RecordType::RegisterBusinessInterest, person);
        own.filter(|row| !row.text("status").to_lowercase().contains("refus"))
            .collect()
    };
    let mut found = Vec::new();
    for one in of(who) {
        for two in of(other) {
            let (name, same) = (one.text("organisation"), two.text("organisation"));
            let (ours, theirs) = (
                one.span("from", "to", context.zone),
                two.span("from", "to", context.zone),
            );
            if !name.is_empty()
                && name.trim().eq_ignore_ascii_case(same.trim())
                && let Some(span) = common(&ours, &theirs)
            {
                found.push(Relation {
                    kind: "interest",
                    other: other.to_owned(),
                    words: format!("has an interest in the same organisation, {name}"),
                    span,
                    rows: vec![one, two],
                    base: Confidence::Medium,
                });
            }
        }
    }
    found
}

/// What declarations on record say of a relation at a moment.
enum Declared<'a> {
    /// Declared, and on record by then.
    InTime,
    /// Declared by then, recorded later.
    RecordedLater(&'a Row, Moment),
    /// Declared after.
    After(&'a Row, Moment),
    /// A declaration that does not say whom it is about, or when it was made.
    Unclear(&'a Row),
    /// Nothing.
    Nothing,
}

fn declared<'a>(context: &Context<'a>, case: &CaseFile, who: &str, other: &str, moment: &Moment) -> Declared<'a> {
    let mut best = Declared::Nothing;
    let rank = |one: &Declared<'_>| match one {
        Declared::InTime => 4,
        Declared::RecordedLater(..) => 3,
        Declared::Unclear(_) => 2,
        Declared::After(..) => 1,
        Declared::Nothing => 0,
    };
    for row in context.shared.declarations_of(who) {
        let of_case = case_key(row.text("case_ref"));
        let named = row.text("other_person_id");
        if row.flag("nil_declaration") == Some(true) {
            continue;
        }
        let own_case = case.name().keys.contains(&of_case);
        let about = (!other.is_empty() && named == other) || (own_case && (named.is_empty() || other.is_empty()));
        if !about || !(of_case.is_empty() || own_case) {
            continue;
        }
        // What was recorded was declared by then.
        let at = row.moment("declared_at", context.zone);
        let Some(at) = at.or_else(|| row.moment("recorded_at", context.zone)) else {
            if rank(&Declared::Unclear(row)) > rank(&best) {
                best = Declared::Unclear(row);
            }
            continue;
        };
        let recorded = row
            .moment("recorded_at", context.zone)
            .filter(|_| !is_migration_day(context, row));
        let found = match recorded {
            _ if !at.may_be_by(moment) => Declared::After(row, at),
            Some(recorded) if moment.surely_before(&recorded) => Declared::RecordedLater(row, recorded),
            _ if named.is_empty() && !other.is_empty() && row.text("nature").is_empty() => Declared::Unclear(row),
            Some(_) | None => Declared::InTime,
        };
        if rank(&found) > rank(&best) {
            best = found;
        }
    }
    best
}

/// The day of recording is that on which the row was moved: when it was first recorded is not known.
fn is_migration_day(context: &Context<'_>, row: &Row) -> bool {
    let migrated = row.day("migrated_at", context.zone);
    migrated.is_some() && migrated == row.day("recorded_at", context.zone)
}

fn raise(
    context: &Context<'_>,
    case: &CaseFile,
    who: &str,
    decisions: &Decided<'_>,
    relation: &Relation<'_>,
    heard: &Heard<'_>,
) -> Option<Draft> {
    let covered: Vec<&(Moment, &Row)> = decisions
        .iter()
        .filter(|(moment, _)| relation.span.may_cover(moment))
        .collect();
    let Some((first, _)) = covered.first() else {
        let (moment, row) = decisions.first()?;
        let ended = relation.span.to.filter(|to| to.surely_before(moment))?;
        let words = format!(
            "the relation is recorded as ended on {}, before the decision",
            ended.day
        );
        return Some(draft_of(context, case, who, relation, &[(*moment, *row)]).against(Weight::Explains, words));
    };
    let state = declared(context, case, who, &relation.other, first);
    if matches!(state, Declared::InTime) {
        return None;
    }
    // Later decisions of which it was on record by then are not among those of which it was not.
    let rows: Vec<(Moment, &Row)> = covered
        .iter()
        .filter(|(moment, _)| !matches!(declared(context, case, who, &relation.other, moment), Declared::InTime))
        .map(|(moment, row)| (*moment, *row))
        .collect();
    let draft = draft_of(context, case, who, relation, &rows).base(relation.base);
    let in_mail = heard.first_by(who, first);
    let recorded_late = matches!(state, Declared::RecordedLater(..));
    let draft = match state {
        Declared::InTime | Declared::Nothing => draft.speaks_for("no declaration of it by this person is on record"),
        Declared::RecordedLater(row, recorded) => draft
            .record(row)
            .base(Confidence::Medium)
            .speaks_for(format!(
                "the declaration was recorded on {}, after the decision",
                recorded.day
            ))
            .against(
                Weight::Lowers,
                format!(
                    "it is recorded as declared on {}, before the decision, and was recorded later",
                    row.text("declared_at")
                ),
            ),
        Declared::After(row, at) => draft.record(row).against(
            Weight::Lowers,
            format!("it was declared on {}, after the decision", at.day),
        ),
        Declared::Unclear(row) => draft.record(row).against(
            Weight::Lowers,
            "a declaration is on record that does not say whom it is about, or of which day it is",
        ),
    };
    let draft = match in_mail {
        Some(one) => {
            let weight = if recorded_late {
                Weight::Explains
            } else {
                Weight::Lowers
            };
            draft.item(one.message.item()).against(weight, one.words())
        }
        None => draft,
    };
    let draft = draft.against(
        Weight::Open,
        "it may have been declared by mail or by word of mouth, and not been stored on the case system",
    );
    Some(if context.mail.is_some() {
        draft.not_searchable("declarations in mail that does not name the case, or in words that no pattern of decision-phrases.toml knows")
    } else {
        draft.not_searchable("mail, which may hold a declaration: there is no index")
    })
}

fn draft_of(
    context: &Context<'_>,
    case: &CaseFile,
    who: &str,
    relation: &Relation<'_>,
    decisions: &[(Moment, &Row)],
) -> Draft {
    let other = if relation.other.is_empty() {
        String::new()
    } else {
        format!(" in relation to {}", context.people.spoken(&relation.other))
    };
    let days: Vec<String> = decisions.iter().map(|(moment, _)| moment.day.to_string()).collect();
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "{} decided in case {} on {}; on record they {}{other}, and no declaration of it was on record by then",
            context.people.spoken(who),
            case.case_ref,
            days.join(", "),
            without_is(&relation.words)
        ),
    )
    .about(relation.kind)
    .about(who)
    .about(&relation.other)
    .person(who)
    .person(&relation.other)
    .speaks_for(format!("{}: {}", relation.kind, relation.span.spoken()));
    for row in &relation.rows {
        draft = draft.input(row);
    }
    for (_, row) in decisions {
        draft = draft.record(row);
    }
    draft
}

/// `is in the same team` as a clause about "they".
fn without_is(words: &str) -> String {
    let plural = [("is ", "are "), ("has ", "have "), ("stands ", "stand ")];
    let found = plural
        .iter()
        .find_map(|(one, many)| Some(format!("{many}{}", words.strip_prefix(one)?)));
    found.unwrap_or_else(|| words.to_owned())
}

/// Investigators who work, directly or indirectly, under the officer concerned, or are a party themselves.
fn investigators(context: &Context<'_>, case: &CaseFile) -> Vec<Draft> {
    let Some(governing) = case.governing(&context.rules.frameworks, context.zone) else {
        return Vec::new();
    };
    let ids = governing.ids();
    let Some(line) = context.rules.deciders.appointee(governing.kind(&ids, case.head())) else {
        return Vec::new();
    };
    let mut drafts = Vec::new();
    let officers = case.officers_concerned();
    for held in case.roles(context.zone) {
        let Some(from) = held
            .span
            .from
            .filter(|_| context.rules.deciders.is_role(&line.who, held.role()))
        else {
            continue;
        };
        for (manager, steps) in context.shared.managers_of(held.person(), &from) {
            if !officers.contains(manager.as_str()) {
                continue;
            }
            let how = if steps == 1 {
                "directly".to_owned()
            } else {
                format!("indirectly, {steps} steps up")
            };
            let mut draft = Draft::sentence(
                Some(&case.case_ref),
                &format!(
                    "{} was appointed {} of case {} on {} and is on record as working {how} under {}, whom the case concerns",
                    context.people.spoken(held.person()),
                    held.role().replace('_', " "),
                    case.case_ref,
                    from.day,
                    context.people.spoken(&manager)
                ),
            )
            .about("under")
            .about(&manager)
            .input(held.row)
            .person(held.person())
            .person(&manager)
            .citation(line.cited())
            .speaks_for("line management is on record for that day");
            if let Some(row) = context
                .shared
                .career(held.person())
                .and_then(|career| career.row.as_ref())
            {
                draft = draft.record(row);
            }
            drafts.push(draft.against(
                Weight::Open,
                "line management may have ended earlier than the record says",
            ));
        }
        let party = case.of(RecordType::Party).find(|row| {
            row.text("person_id") == held.person()
                && (is_officer_concerned(row.text("capacity"))
                    || matches!(row.text("capacity"), "complainant" | "interested_person" | "witness"))
        });
        if let Some(party) = party {
            let draft = Draft::sentence(
                Some(&case.case_ref),
                &format!(
                    "{} was appointed {} of case {} on {} and stands in the case as {}",
                    context.people.spoken(held.person()),
                    held.role().replace('_', " "),
                    case.case_ref,
                    from.day,
                    party.text("capacity").replace('_', " ")
                ),
            )
            .about("interested")
            .input(held.row)
            .input(party)
            .person(held.person())
            .citation(line.cited());
            drafts.push(draft.against(
                Weight::Open,
                "an investigator may be entered as a witness for statements of procedure",
            ));
        }
    }
    drafts
}
