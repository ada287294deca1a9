//! N6: a determination that is made once for a person stands on record twice, with the same or another outcome.
//!
//! Which determinations: `indicators.toml`, `once`. Each later row is compared with the one before it for the same case, type and
//! person; a row without a day is held against another one unless one names the other as replaced, with medium confidence at most.
//! Look-alikes: the later row replaces an earlier one as a revision, review, appeal or correction (explained); one determination in two
//! rows, from two systems or by migration (explained); a replaced row without a basis (lowers); a review or appeal on record between the two
//! (lowers twice); two rows that agree in all but their ids (lowers).

use embley_model::record::RecordType;

use super::draft::{Confidence, Draft, Weight};
use super::material::{CaseFile, Row};
use super::moment::Moment;
use super::{Context, Rule};
use crate::error::Result;

/// See the module.
pub(super) struct Twice;

impl Rule for Twice {
    fn id(&self) -> &'static str {
        "N6"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        for kind in &context.rules.settings.once {
            let mut rows: Vec<(Moment, &Row)> = case
                .of(RecordType::Decision)
                .filter(|row| row.text("decision_type") == kind)
                .filter_map(|row| Some((row.moment("decided_at", context.zone)?, row)))
                .collect();
            rows.sort_by_key(|one| (one.0, one.1.item));
            for (at, (moment, later)) in rows.iter().enumerate() {
                let before = rows[..at]
                    .iter()
                    .rev()
                    .find(|(_, earlier)| same_subjects(earlier, later));
                if let Some((first, earlier)) = before {
                    drafts.push(raise(context, case, (first, earlier), (moment, later)));
                }
            }
            drafts.extend(without_day(context, case, kind));
        }
        Ok(drafts)
    }
}

/// True when the two concern somebody in common, or neither says whom.
fn same_subjects(one: &Row, other: &Row) -> bool {
    let (one, other) = (
        one.record.list("subject_person_ids"),
        other.record.list("subject_person_ids"),
    );
    (one.is_empty() && other.is_empty()) || one.iter().any(|id| other.contains(id))
}

/// Rows that give no day, each with the first other row for the same people: which came later is not on record.
fn without_day(context: &Context<'_>, case: &CaseFile, kind: &str) -> Vec<Draft> {
    let all: Vec<&Row> = case
        .of(RecordType::Decision)
        .filter(|row| row.text("decision_type") == kind)
        .collect();
    let is_dated = |row: &Row| row.moment("decided_at", context.zone).is_some();
    let mut drafts = Vec::new();
    for (at, row) in all.iter().enumerate().filter(|(_, row)| !is_dated(row)) {
        let other = all
            .iter()
            .enumerate()
            .find(|(place, other)| *place != at && (is_dated(other) || *place < at) && same_subjects(other, row));
        let Some((_, other)) = other else { continue };
        // A row that names the other one as replaced says which came later: a recommended and a final finding.
        if names_as_replaced(other, row) || names_as_replaced(row, other) {
            continue;
        }
        let outcomes = [other.text("outcome"), row.text("outcome")];
        let how = match outcomes {
            ["", _] | [_, ""] => "of which one gives no outcome",
            [one, two] if fold(one) == fold(two) => "with the same outcome",
            _ => "with another outcome",
        };
        let day = |row: &Row| {
            let at = row.moment("decided_at", context.zone);
            at.map_or_else(|| "without a day".to_owned(), |at| format!("of {}", at.day))
        };
        let mut draft = Draft::sentence(
            Some(&case.case_ref),
            &format!(
                "the {} of case {} is on record {} and again without a day, {how}, and neither row is recorded as a revision, review, appeal or correction of the other",
                kind.replace('_', " "),
                case.case_ref,
                day(other)
            ),
        )
        .input(other)
        .input(row)
        .person(other.text("decided_by"))
        .person(row.text("decided_by"))
        .base(Confidence::Medium)
        .speaks_for(format!("{}: {}", day(other), outcome(other)))
        .speaks_for(format!("{}: {}", day(row), outcome(row)));
        for id in row.record.list("subject_person_ids") {
            draft = draft.person(id);
        }
        draft = replacing(replacing(draft, other, row), row, other);
        if how == "with the same outcome" {
            draft = draft.against(
                Weight::Lowers,
                "the two rows agree in their outcome; one determination may have been entered twice",
            );
        }
        drafts.push(draft.against(
            Weight::Open,
            "an authority to determine again may not be among the records loaded",
        ));
    }
    drafts
}

fn outcome(row: &Row) -> String {
    match row.text("outcome") {
        "" => "no recorded outcome".to_owned(),
        words => format!("outcome \"{}\"", words.replace('_', " ")),
    }
}

fn raise(context: &Context<'_>, case: &CaseFile, earlier: (&Moment, &Row), later: (&Moment, &Row)) -> Draft {
    let ((first_at, first), (second_at, second)) = (earlier, later);
    let kind = second.text("decision_type").replace('_', " ");
    let same = fold(first.text("outcome")) == fold(second.text("outcome"));
    let how = if same {
        "with the same outcome"
    } else {
        "with another outcome"
    };
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "the {kind} of case {} is on record of {} and again of {}, {how}, and the later row is not recorded as a revision, review, appeal or correction of an earlier one",
            case.case_ref, first_at.day, second_at.day
        ),
    )
    .input(first)
    .input(second)
    .person(first.text("decided_by"))
    .person(second.text("decided_by"))
    .speaks_for(format!("{}: {}", first_at.day, outcome(first)))
    .speaks_for(format!("{}: {}", second_at.day, outcome(second)));
    for id in second.record.list("subject_person_ids") {
        draft = draft.person(id);
    }
    draft = replacing(draft, first, second);
    if first.key.source_system != second.key.source_system && first_at.day == second_at.day && same {
        draft = draft.against(
            Weight::Explains,
            "the two rows are of one day with one outcome, from two systems: one determination in two places",
        );
    } else if first_at == second_at
        && same
        && second.time("migrated_at").is_some() != first.time("migrated_at").is_some()
    {
        draft = draft.against(
            Weight::Explains,
            "the two rows agree and one was moved from another system: one determination in two places",
        );
    } else if first_at == second_at && same && first.text("decided_by") == second.text("decided_by") {
        draft = draft.against(
            Weight::Lowers,
            "the two rows agree in day, outcome and decision-maker; one determination may have been entered twice",
        );
    }
    if let Some(review) = review_between(context, case, first_at, second_at) {
        draft = draft.base(Confidence::Medium).record(review).against(
            Weight::Lowers,
            "a review or appeal is on record between the two; the later one may rest on it",
        );
    }
    draft.against(
        Weight::Open,
        "an authority to determine again may not be among the records loaded",
    )
}

/// True when the later row names the earlier one as replaced.
fn names_as_replaced(first: &Row, second: &Row) -> bool {
    [
        first.key.record_id.as_str(),
        &first.key.display(),
        &format!("{}/{}", first.key.source_system, first.key.record_id),
    ]
    .contains(&second.text("supersedes_decision_id"))
}

fn replacing(mut draft: Draft, first: &Row, second: &Row) -> Draft {
    let replaced = second.text("supersedes_decision_id");
    let basis = second.text("supersession_basis");
    let named = names_as_replaced(first, second);
    match basis {
        "revision" | "review" | "appeal" | "correction" if !replaced.is_empty() => {
            draft = draft.against(
                Weight::Explains,
                format!("the later row replaces {replaced} as a {basis}"),
            );
        }
        "revision" | "review" | "appeal" | "correction" => {
            draft = draft.against(Weight::Explains, format!("the later row is recorded as a {basis}"));
        }
        _ if named => {
            draft = draft.against(
                Weight::Lowers,
                "the later row names the earlier one as replaced, without saying on what basis",
            );
        }
        _ => {}
    }
    draft
}

/// A review, an appeal, or the decision on one, between the two.
fn review_between<'a>(context: &Context<'_>, case: &'a CaseFile, first: &Moment, second: &Moment) -> Option<&'a Row> {
    let between = |at: Option<Moment>| at.is_some_and(|at| first.may_be_by(&at) && at.may_be_by(second));
    let review = case.of(RecordType::Review).find(|row| {
        matches!(row.text("review_kind"), "statutory_review" | "appeal" | "tasked")
            && between(row.moment("completed_at", context.zone))
    });
    review.or_else(|| {
        case.of(RecordType::Decision).find(|row| {
            row.text("decision_type") == "review_outcome" && between(row.moment("decided_at", context.zone))
        })
    })
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase().replace(['_', '-'], " ")
}
