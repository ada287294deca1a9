//! N5: regulations, a form or a notice on record that are not those which govern the case.
//!
//! What governs follows from the day on which the matter came to attention (`frameworks.toml`), never from the day of a decision. A text
//! that cites nothing known, and a notice whose line is off, are not judged. Look-alikes: an earlier linked matter under the cited
//! regulations that was open when this one came to attention (explained, SI 2020/2 reg 2(2)(b)); a linked matter of which that is not known
//! (lowers); both kinds of regulations of one period confused while Schedule 3 is not on record (not raised).

use embley_model::record::RecordType;
use jiff::civil::Date;

use super::draft::{Confidence, Draft, Weight};
use super::governing::Governing;
use super::material::{CaseFile, Row};
use super::{Context, Rule};
use crate::error::Result;
use crate::rules::Regime;

/// See the module.
pub(super) struct Framework;

impl Rule for Framework {
    fn id(&self) -> &'static str {
        "N5"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(governing) = case.governing(&context.rules.frameworks, context.zone) else {
            return Ok(Vec::new());
        };
        if governing.all().is_empty() {
            return Ok(Vec::new());
        }
        let mut drafts = Vec::new();
        for row in case.of(RecordType::Case) {
            drafts.extend(cited(context, case, &governing, row, &["governing_regime"]));
        }
        for row in case.of(RecordType::Decision) {
            drafts.extend(cited(
                context,
                case,
                &governing,
                row,
                &["regime_cited", "regulation_cited"],
            ));
        }
        for row in case.of(RecordType::NoticeService) {
            drafts.extend(notice(context, case, &governing, row));
        }
        Ok(drafts)
    }
}

/// What a row cites against what governs: one draft for a row.
fn cited(
    context: &Context<'_>,
    case: &CaseFile,
    governing: &Governing<'_>,
    row: &Row,
    fields: &[&str],
) -> Option<Draft> {
    let ids = governing.ids();
    for field in fields {
        let text = row.text(field);
        let found = context.rules.frameworks.cited(text);
        if found.is_empty() || found.iter().any(|one| ids.contains(&one.id.as_str())) {
            continue;
        }
        // The other kind of regulations of the same period is another matter than regulations of another period.
        let same_period = found.iter().all(|one| one.covers(governing.trigger));
        if same_period && !governing.schedule_3_on_record {
            continue;
        }
        let what = match row.key.record_type {
            RecordType::Decision => format!(
                "the {} of case {}",
                row.text("decision_type").replace('_', " "),
                case.case_ref
            ),
            _ => format!("the record of case {}", case.case_ref),
        };
        let mut draft = Draft::sentence(
            Some(&case.case_ref),
            &format!(
                "{what} cites \"{text}\", while the matter came to attention on {}, for which {} govern",
                governing.trigger,
                governing.spoken()
            ),
        )
        .about(*field)
        .input(row)
        .person(row.text("decided_by"))
        .citation(governing.spoken())
        .speaks_for(format!("\"{text}\" cites {}", spoken(&found)));
        if same_period {
            draft = draft.base(Confidence::Medium).against(
                Weight::Open,
                "the regulations cited belong to the same period and are about the other kind of case",
            );
        }
        return Some(weigh(context, case, governing, draft, &found));
    }
    None
}

fn spoken(regimes: &[&Regime]) -> String {
    regimes.iter().map(|one| one.spoken()).collect::<Vec<_>>().join(" or ")
}

fn notice(context: &Context<'_>, case: &CaseFile, governing: &Governing<'_>, row: &Row) -> Option<Draft> {
    let frameworks = &context.rules.frameworks;
    let ids = governing.ids();
    let found = frameworks.notices_of(row.text("notice_type"));
    // Where no line says which notices belong to what governs, nothing can be said of another one.
    let expected: Vec<_> = ids.iter().flat_map(|id| frameworks.notices_under(id)).collect();
    if found.is_empty() || expected.is_empty() {
        return None;
    }
    let own = |regime: &String| ids.contains(&regime.as_str());
    if found.iter().any(|one| one.regimes.iter().any(own)) {
        return None;
    }
    let others: Vec<&Regime> = found
        .iter()
        .flat_map(|one| one.regimes.iter())
        .filter_map(|id| frameworks.by_id(id))
        .collect();
    let same_period = others.iter().all(|one| one.covers(governing.trigger));
    if same_period && !governing.schedule_3_on_record {
        return None;
    }
    let mut words: Vec<&str> = expected.iter().map(|one| one.citation.as_str()).collect();
    words.dedup();
    let served = row
        .day("served_at", context.zone)
        .map_or_else(|| "an unrecorded day".to_owned(), |day| day.to_string());
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "the notice of {served} in case {} is recorded as {}, while the matter came to attention on {}, for which the notice is under {}",
            case.case_ref,
            row.text("notice_type").replace('_', " "),
            governing.trigger,
            words.join(" or ")
        ),
    )
    .about("notice")
    .input(row)
    .person(row.text("subject_person_id"))
    .citation(words.join("; "))
    .speaks_for(format!("a notice of this kind is under {}", found[0].citation));
    if same_period {
        draft = draft.base(Confidence::Medium).against(
            Weight::Open,
            "the notice belongs to the same period and to the other kind of case",
        );
    }
    Some(weigh(context, case, governing, draft, &others))
}

/// What linked earlier matters say.
fn weigh(
    context: &Context<'_>,
    case: &CaseFile,
    governing: &Governing<'_>,
    mut draft: Draft,
    cited: &[&Regime],
) -> Draft {
    for head in case.of(RecordType::Case) {
        draft = draft.record(head);
        if !head.text("governing_regime_basis").is_empty() {
            let basis = head.text("governing_regime_basis");
            draft = draft.against(
                Weight::Lowers,
                format!("the case record gives a basis for its regulations: {basis}"),
            );
        }
        for linked_ref in head.record.list("linked_case_refs") {
            let linked = context.shared.case(linked_ref);
            if linked.is_empty() {
                draft = draft.against(
                    Weight::Lowers,
                    format!(
                        "case {linked_ref} is linked and not among the records loaded; it may be an earlier matter"
                    ),
                );
            }
            for other in linked {
                draft = earlier_matter(context, draft, governing.trigger, linked_ref, other, cited);
            }
        }
    }
    draft.against(
        Weight::Open,
        "the day on which the matter came to attention may be recorded wrongly",
    )
}

fn earlier_matter(
    context: &Context<'_>,
    draft: Draft,
    trigger: Date,
    linked_ref: &str,
    other: &Row,
    cited: &[&Regime],
) -> Draft {
    let switch = &context.rules.frameworks.linked_matter;
    let Some(earlier) = other.day("came_to_attention_at", context.zone).filter(|_| switch.on) else {
        return draft;
    };
    if earlier >= trigger || !cited.iter().any(|one| one.covers(earlier)) {
        return draft;
    }
    let draft = draft.record(other);
    let head = format!("the linked case {linked_ref} came to attention on {earlier}, under the regulations cited");
    match other.day("closed_at", context.zone) {
        Some(closed) if closed < trigger => draft.against(
            Weight::Lowers,
            format!("{head}, and was closed on {closed}, before this one"),
        ),
        Some(_) | None => draft.against(
            Weight::Explains,
            format!(
                "{head}, and was open when this one did; a later complaint about the same matter stays with them ({})",
                switch.citation
            ),
        ),
    }
}
