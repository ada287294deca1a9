//! N9: a decision recorded late, or changed after it was recorded.
//!
//! From `decided_at` against `recorded_at`, the row's own history of fields, and what the row said in earlier imports. `migrated_at` is never the day of recording. The clock is
//! `recording-of-decisions` of `clocks.toml`. Look-alikes: a row that was moved from another system and whose time of recording is the time
//! of moving (explained); many rows of one source with one and the same time of recording, a bulk migration or upload (explained); a
//! decision of which the log or another row of the case speaks in time (lowers); a decision known only to the day (in its favour).

use embley_model::record::{RecordTime, RecordType};
use serde_json::Value;

use super::draft::{Draft, Weight};
use super::material::{CaseFile, Row};
use super::moment::Moment;
use super::shared::first_text;
use super::{Context, Rule};
use crate::error::Result;
use crate::history::history;
use crate::rules::Clock;
use crate::rules::clocks::What;

/// Fields of a decision whose later change is listed.
const FIELDS: [&str; 7] = [
    "decided_at",
    "decided_by",
    "outcome",
    "rationale_text",
    "decision_type",
    "role_claimed",
    "consulted",
];

/// See the module.
pub(super) struct Recording;

impl Rule for Recording {
    fn id(&self) -> &'static str {
        "N9"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(clock) = context.rules.clocks.of(What::Recording).next() else {
            return Ok(Vec::new());
        };
        let mut drafts = Vec::new();
        for row in case.of(RecordType::Decision) {
            drafts.extend(late(context, case, clock, row));
            drafts.extend(changed(context, case, clock, row));
            drafts.extend(between_imports(context, case, row)?);
        }
        Ok(drafts)
    }
}

fn late(context: &Context<'_>, case: &CaseFile, clock: &Clock, row: &Row) -> Option<Draft> {
    let decided = row.moment("decided_at", context.zone)?;
    let recorded = row.moment("recorded_at", context.zone)?;
    let due = clock.due(decided.day, &context.rules.holidays)?;
    if recorded.day <= due {
        return None;
    }
    let lag = context.rules.holidays.working_days_between(decided.day, recorded.day);
    let lag = lag.map_or_else(|| "an unknown number of".to_owned(), |days| days.to_string());
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "the {} of case {} is dated {} and was recorded on {}, {lag} working days later",
            kind_of(row),
            case.case_ref,
            decided.day,
            recorded.day
        ),
    )
    .about("late")
    .input(row)
    .person(row.text("decided_by"))
    .person(row.text("recorded_by"))
    .citation(clock.cited());
    draft = draft.speaks_for(format!("{} after the day of the decision end on {due}", clock.spoken()));
    if !row.text("recorded_by").is_empty() {
        draft = draft.speaks_for(format!(
            "recorded by {}",
            context.people.spoken(row.text("recorded_by"))
        ));
    }
    draft = migration(context, draft, row, &recorded);
    // Something that spoke of the decision in time shows that it was not made up later.
    let words = [kind_of(row)];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(entry) = case.log_entries(context.zone, decided.day, due, &words).next() {
        draft = draft
            .record(entry)
            .against(Weight::Lowers, "an entry of the log made in time speaks of it");
    }
    Some(draft.against(
        Weight::Open,
        "it may have been recorded in time elsewhere and entered here later",
    ))
}

fn migration(context: &Context<'_>, mut draft: Draft, row: &Row, recorded: &Moment) -> Draft {
    if let Some(migrated) = row.moment("migrated_at", context.zone) {
        draft = if migrated.day == recorded.day {
            draft.against(
                Weight::Explains,
                format!("the row was moved from another system on {}, the day of recording that it gives; when it was first recorded is not known", migrated.day),
            )
        } else {
            draft.against(
                Weight::Open,
                format!(
                    "the row was moved from another system on {}; that is not its day of recording",
                    migrated.day
                ),
            )
        };
    }
    let is_moment = row.time("recorded_at").is_some_and(|time| !time.is_day());
    if let Some(rows) = context.shared.recorded_with(row).filter(|_| is_moment) {
        draft = draft.against(
            Weight::Explains,
            format!(
                "{rows} rows of {} have this very time of recording: a bulk migration or upload",
                row.key.source_system
            ),
        );
    }
    draft
}

/// Changes of a decision's fields later than its clock allows after it was recorded: one draft for a row. Changes of the day on which the
/// row was moved from another system are the move's, and are left out.
fn changed(context: &Context<'_>, case: &CaseFile, clock: &Clock, row: &Row) -> Option<Draft> {
    let decided = row.moment("decided_at", context.zone)?;
    let recorded = row.moment("recorded_at", context.zone).unwrap_or(decided);
    let due = clock.due(recorded.day.max(decided.day), &context.rules.holidays)?;
    let migrated = row.day("migrated_at", context.zone);
    let mut draft: Option<Draft> = None;
    let entries = row.record.fields.get("field_history").and_then(Value::as_array);
    for entry in entries.into_iter().flatten().filter_map(Value::as_object) {
        let Some(field) =
            first_text(entry, &["field", "name", "column"]).filter(|name| FIELDS.contains(&name.as_str()))
        else {
            continue;
        };
        let at =
            first_text(entry, &["changed_at", "at", "modified_at", "when"]).and_then(|text| RecordTime::parse(&text));
        let Some(at) = at
            .and_then(|time| Moment::of(&time, context.zone))
            .filter(|at| at.day > due && migrated != Some(at.day))
        else {
            continue;
        };
        let by = first_text(entry, &["changed_by", "by", "modified_by", "who"]).unwrap_or_default();
        let started = draft.take().unwrap_or_else(|| {
            Draft::sentence(
                Some(&case.case_ref),
                &format!(
                    "the {} of case {}, dated {}, was changed after it was recorded",
                    kind_of(row),
                    case.case_ref,
                    decided.day
                ),
            )
            .about("changed")
            .input(row)
            .person(row.text("decided_by"))
            .citation(clock.cited())
        });
        let who = if by.is_empty() {
            "by an unrecorded person".to_owned()
        } else {
            format!("by {}", context.people.spoken(&by))
        };
        let mut next =
            started
                .person(&by)
                .speaks_for(format!("{} was changed on {} {who}", field.replace('_', " "), at.day));
        if let Some(reason) = first_text(entry, &["reason", "note"]) {
            next = next.against(Weight::Lowers, format!("the history gives a reason: {reason}"));
        }
        draft = Some(next);
    }
    Some(draft?.against(Weight::Open, "a correction of an error of entry changes a field too"))
}

/// Fields that say something else than in an earlier import: one draft for a row. What only said nothing before was added, not changed.
fn between_imports(context: &Context<'_>, case: &CaseFile, row: &Row) -> Result<Option<Draft>> {
    if row.version < 2 {
        return Ok(None);
    }
    let versions = history(context.facts, row.item)?;
    let own = row.record.fields.get("field_history").and_then(Value::as_array);
    let told = |field: &str| {
        let mut entries = own.into_iter().flatten().filter_map(Value::as_object);
        entries.any(|entry| first_text(entry, &["field", "name", "column"]).is_some_and(|name| name == field))
    };
    let mut draft: Option<Draft> = None;
    let mut only_read_otherwise = true;
    for pair in versions.windows(2) {
        let [before, after] = pair else { continue };
        for change in &after.changes {
            if !change.replaces() || !FIELDS.contains(&change.field.as_str()) {
                continue;
            }
            only_read_otherwise &= after.same_columns;
            let started = draft.take().unwrap_or_else(|| {
                Draft::sentence(
                    Some(&case.case_ref),
                    &format!(
                        "the {} of case {}, {}, says something else than when it was imported before",
                        kind_of(row),
                        case.case_ref,
                        row.key.display()
                    ),
                )
                .about("between imports")
                .input(row)
                .person(row.text("decided_by"))
                .citation("DOMAIN section 8, N9; the versions of the record as they were imported")
            });
            let next = started.speaks_for(format!(
                "{} between {} ({}, row {}) and {} ({}, row {})",
                change.spoken(),
                before.imported_at,
                before.source,
                before.source_row,
                after.imported_at,
                after.source,
                after.source_row
            ));
            let next = if before.run == after.run {
                next.against(
                    Weight::Lowers,
                    "the two rows stand in one import: one of them may have been left in by a slip",
                )
            } else {
                next
            };
            draft = Some(if told(&change.field) {
                next.against(
                    Weight::Lowers,
                    format!(
                        "the row's own history has a change of {}",
                        change.field.replace('_', " ")
                    ),
                )
            } else {
                next.speaks_for(format!(
                    "the row's own history has no change of {}",
                    change.field.replace('_', " ")
                ))
            });
        }
    }
    let Some(draft) = draft else { return Ok(None) };
    let draft = if only_read_otherwise {
        draft.against(
            Weight::Explains,
            "the columns of the source are the same in both imports: the field map read them in another way",
        )
    } else {
        draft
    };
    Ok(Some(draft.against(
        Weight::Open,
        "a correction of an error of entry changes a field too",
    )))
}

fn kind_of(row: &Row) -> String {
    match row.text("decision_type") {
        "" => "decision".to_owned(),
        kind => kind.replace('_', " "),
    }
}
