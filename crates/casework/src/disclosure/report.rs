//! The disclosure officer's report (MG6E): what was decided about the material of the case, and which unused material may undermine the
//! prosecution's case or assist the defence, by its number on the schedules.
//!
//! Invariant: it states what is on record and concludes nothing; what nobody decided is counted as such.

use embley_store::facts::disclosure::{self, State};
use embley_store::facts::schedules::Form;

use super::Draft;
use super::describe::describe;
use super::draft::{held, numbers};
use super::gather::Material;
use crate::error::Result;

/// Fills in a report.
pub(super) fn report(material: &Material<'_>, draft: &mut Draft) -> Result<()> {
    let reader = material.reader();
    let meets = material.in_state(State::MeetsTest)? - &material.privileged;
    let fails = material.in_state(State::FailsTest)?;
    let mut statements = Vec::new();
    let mut decided = 0;
    for (state, words) in [
        (State::Used, "are used in the prosecution's case"),
        (State::Unused, "are relevant, unused and not sensitive"),
        (State::Sensitive, "are relevant, unused and sensitive"),
        (
            State::Relevant,
            "are relevant, and it is not decided yet whether they are used",
        ),
        (State::NotRelevant, "are not relevant"),
    ] {
        let count = material.in_state(state)?.len();
        decided += count;
        statements.push(format!("{count} items {words}."));
    }
    let open = material.visible.len().saturating_sub(decided);
    statements.push(format!("{open} items have no status on record."));
    let hidden: Vec<String> = reader
        .searchability_counts()?
        .into_iter()
        .filter(|(_, reason, _)| reason.hides_text())
        .map(|(kind, reason, count)| format!("{count} {} {}", kind.word(), reason.word()))
        .collect();
    if !hidden.is_empty() {
        statements.push(format!(
            "The text of some items could not be searched, or not whole: {}.",
            hidden.join(", ")
        ));
    }
    let unused = material.in_state(State::Unused)? | material.in_state(State::Sensitive)?;
    let looked = (&meets | &fails) & &unused;
    statements.push(format!(
        "Of {} unused items, {} were looked at for whether they may undermine the prosecution's case or assist the defence, and {} were not.",
        unused.len(),
        looked.len(),
        unused.len() - looked.len()
    ));
    let reasons = disclosure::reasons(reader.facts(), State::MeetsTest)?;
    let schedule = &mut draft.schedule;
    schedule.columns = ["schedule", "no.", "description", "why", "where held"]
        .map(str::to_owned)
        .to_vec();
    let mut left = meets.clone();
    for form in [Form::Mg6c, Form::Mg6d] {
        for (number, item) in numbers(material, form, &meets)? {
            left.remove(item.0);
            let row = material.row(item.0)?;
            schedule.rows.push(vec![
                form.word().to_uppercase(),
                number.to_string(),
                material.described.get(&item).cloned().unwrap_or_else(|| describe(&row)),
                why(&reasons, item.0),
                held(material, &row)?,
            ]);
        }
    }
    for item in &left {
        let row = material.row(item)?;
        schedule.rows.push(vec![
            "not scheduled".to_owned(),
            String::new(),
            describe(&row),
            why(&reasons, item),
            held(material, &row)?,
        ]);
    }
    statements.push(if meets.is_empty() {
        "No material is on record that may undermine the prosecution's case or assist the defence.".to_owned()
    } else {
        format!(
            "{} items are on record that may undermine the prosecution's case or assist the defence; they follow.",
            meets.len()
        )
    });
    schedule.statements = statements;
    if !left.is_empty() {
        draft.warnings.push(format!(
            "{} items that may undermine the prosecution's case or assist the defence are on no issued schedule",
            left.len()
        ));
    }
    schedule.first_no = 1;
    Ok(())
}

fn why(reasons: &[disclosure::Reasoned], item: u32) -> String {
    let reason = reasons.iter().find(|one| one.items.contains(item));
    reason.map(|one| one.reason.clone()).unwrap_or_default()
}
