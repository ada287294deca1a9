//! What `search --context`, `--near-date` and `--fold` add to each hit, as lines of a table and as columns of CSV.
//!
//! JSON has it as the library gives it. Invariant: what is not listed is counted.

use embley_search::Hit;
use embley_search::hit::{Beside, DecisionBeside, HitContext};

use crate::output::defuse;

/// What is asked for besides the usual columns.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Further {
    /// The order is that of nearness to a date.
    pub(super) near_date: bool,
    /// What stands around each hit.
    pub(super) context: bool,
    /// Hits stand for others that say the same.
    pub(super) fold: bool,
}

const NEAR_COLUMNS: [&str; 1] = ["near_days"];
const FOLD_COLUMNS: [&str; 1] = ["joined"];
const CONTEXT_COLUMNS: [&str; 8] = [
    "decision_before",
    "decision_after",
    "people",
    "answers",
    "answers_reason",
    "answered_by",
    "thread_messages",
    "family",
];

impl Further {
    /// Names of further columns.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static &'static str> {
        let near = NEAR_COLUMNS.iter().filter(move |_| self.near_date);
        let near = near.chain(FOLD_COLUMNS.iter().filter(move |_| self.fold));
        near.chain(CONTEXT_COLUMNS.iter().filter(move |_| self.context))
    }

    /// Their cells, safe for spreadsheets: days before a date are negative numbers and stay so.
    pub(super) fn cells(self, hit: &Hit) -> Vec<String> {
        let mut cells = Vec::new();
        if self.near_date {
            cells.push(
                hit.near_days
                    .flatten()
                    .map_or_else(String::new, |days| days.to_string()),
            );
        }
        if self.fold {
            let joined = hit.joined.iter().flatten();
            let numbers: Vec<String> = joined.map(|one| one.item_no.to_string()).collect();
            cells.push(numbers.join("; "));
        }
        if self.context {
            let none = HitContext::default();
            let context = hit.context.as_deref().unwrap_or(&none);
            cells.push(context.decision_before.as_ref().map_or_else(String::new, decision));
            cells.push(context.decision_after.as_ref().map_or_else(String::new, decision));
            cells.push(defuse(&hit.people.join("; ")));
            cells.push(
                context
                    .answers
                    .as_ref()
                    .map_or_else(String::new, |one| one.item_no.to_string()),
            );
            cells.push(context.answers_reason.unwrap_or_default().to_owned());
            cells.push(numbers(&context.answered_by, context.answered_by_count));
            cells.push(context.thread_messages.to_string());
            cells.push(numbers(&context.family, context.family_count));
        }
        cells
    }
}

/// How far a hit lies from the date asked for, in a table.
pub(super) fn near_days(hit: &Hit) -> String {
    match hit.near_days {
        None => String::new(),
        Some(None) => " (no date)".to_owned(),
        Some(Some(0)) => " (on it)".to_owned(),
        Some(Some(days)) => format!(" ({})", distance(days)),
    }
}

/// The context of a hit, and the hits that it stands for, as lines of a table.
pub(super) fn lines(hit: &Hit) -> Vec<String> {
    let mut lines = Vec::new();
    for one in hit.joined.iter().flatten() {
        lines.push(format!(
            "says the same: #{}  held by {}",
            one.item_no,
            one.custodians.join(", ")
        ));
    }
    let Some(context) = hit.context.as_deref() else {
        return lines;
    };
    for one in [&context.decision_before, &context.decision_after]
        .into_iter()
        .flatten()
    {
        lines.push(decision(one));
    }
    if !hit.people.is_empty() {
        lines.push(format!("people: {}", hit.people.join("; ")));
    }
    if let Some(parent) = &context.answers {
        let reason = context.answers_reason.unwrap_or_default();
        lines.push(format!("answers {} ({reason})", shown(parent)));
    }
    for one in &context.answered_by {
        lines.push(format!("answered by {}", shown(one)));
    }
    more(
        &mut lines,
        "messages that answer it",
        context.answered_by.len(),
        context.answered_by_count,
    );
    if context.thread_messages > 1 {
        let thread = hit.thread.as_deref().unwrap_or("its thread");
        lines.push(format!("{} messages in {thread}", context.thread_messages));
    }
    for one in &context.family {
        lines.push(format!("in its family: {}", shown(one)));
    }
    more(
        &mut lines,
        "members of its family",
        context.family.len(),
        context.family_count,
    );
    lines
}

fn more(lines: &mut Vec<String>, what: &str, listed: usize, count: u64) {
    let left = count.saturating_sub(listed as u64);
    if left > 0 {
        lines.push(format!("{left} more {what}"));
    }
}

fn numbers(listed: &[Beside], count: u64) -> String {
    let mut numbers: Vec<String> = listed.iter().map(|one| one.item_no.to_string()).collect();
    let left = count.saturating_sub(listed.len() as u64);
    if left > 0 {
        numbers.push(format!("{left} more"));
    }
    numbers.join("; ")
}

fn shown(one: &Beside) -> String {
    let date = one.date.as_deref().unwrap_or("undated");
    let from = if one.from.is_empty() {
        String::new()
    } else {
        format!("  from {}", one.from)
    };
    format!("#{}  {date}  {}  {}{from}", one.item_no, one.kind.word(), one.title)
}

/// A decision with the days between it and the hit.
fn decision(one: &DecisionBeside) -> String {
    let what = if one.decision_type.is_empty() {
        String::new()
    } else {
        format!(" {}", one.decision_type.replace('_', " "))
    };
    let when = match one.link.days {
        Some(0) => "the day of".to_owned(),
        Some(days) => distance(days),
        None => "undated beside".to_owned(),
    };
    format!(
        "{when} decision{what} #{} in {} ({})",
        one.item_no, one.case, one.link.relation
    )
}

/// Days from something, in words that go before its name.
fn distance(days: i64) -> String {
    let unit = if days.abs() == 1 { "day" } else { "days" };
    let side = if days < 0 { "before" } else { "after" };
    format!("{} {unit} {side}", days.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_said_from_the_side_of_the_hit() {
        for (days, words) in [
            (1, "1 day after"),
            (-1, "1 day before"),
            (12, "12 days after"),
            (-30, "30 days before"),
        ] {
            assert_eq!(distance(days), words);
        }
    }
}
