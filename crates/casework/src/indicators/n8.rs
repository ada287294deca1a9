//! N8: a clock that passed: updates, outcome, reviews, reports that a case is not done.
//!
//! Which clocks: `clocks.toml`. [`clock_states`] says of each what is due and what is on record; the dip sample uses it too. Clocks run
//! until the case was closed, the outcome was sent, or the last day of which its records speak. Kinds of records of which none at all is
//! loaded are not judged. Look-alikes: an exception is invoked on an update (explained); the log names the recipient and an update by another
//! channel in the time (explained), or an update without a name (lowers); a message to the recipient (`n8_mail`); it was done after all, late (said).

use std::collections::BTreeMap;

use embley_model::record::RecordType;

use super::clock_states::{ClockState, Done, clock_states};
use super::draft::{Confidence, Draft, Weight};
use super::governing::OlderMatter;
use super::material::CaseFile;
use super::n8_mail::told_by_mail;
use super::{Context, Rule};
use crate::error::Result;
use crate::rules::clocks::What;

/// See the module.
pub(super) struct ClockPassed;

impl Rule for ClockPassed {
    fn id(&self) -> &'static str {
        "N8"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let mut states = clock_states(context, case);
        if let Some(mail) = context.mail {
            for state in &mut states {
                told_by_mail(context, mail, case, state)?;
            }
        }
        under_older(context, case, &mut states)?;
        let mut groups: BTreeMap<(&'static str, &str), Vec<&ClockState<'_>>> = BTreeMap::new();
        for state in states.iter().filter(|state| !matches!(state.done, Done::InTime(_))) {
            groups
                .entry((group_of(state.clock.what), &state.recipient))
                .or_default()
                .push(state);
        }
        let drafts = groups
            .into_iter()
            .map(|((group, recipient), states)| raise(context, case, group, recipient, &states));
        Ok(drafts.collect())
    }
}

/// Says of clocks of regulations what a linked earlier matter under others says against them.
///
/// # Errors
/// The catalogue refuses or is damaged.
pub(crate) fn under_older(context: &Context<'_>, case: &CaseFile, states: &mut [ClockState<'_>]) -> Result<()> {
    let Some(governing) = case.governing(&context.rules.frameworks, context.zone) else {
        return Ok(());
    };
    let Some(older) = OlderMatter::find(context, case, &governing)? else {
        return Ok(());
    };
    let ids = older.governing.ids();
    for state in states.iter_mut().filter(|state| !matches!(state.done, Done::InTime(_))) {
        let regimes = &state.clock.regimes;
        if !regimes.is_empty() && !regimes.iter().any(|id| ids.contains(&id.as_str())) {
            state.explained.push((older.words.clone(), older.weight()));
        }
    }
    Ok(())
}

fn group_of(what: What) -> &'static str {
    match what {
        What::Update => "update",
        What::Outcome => "outcome",
        What::TimelinessReport => "timeliness report",
        What::Review => "review",
        What::Recording => "recording",
    }
}

fn raise(context: &Context<'_>, case: &CaseFile, group: &str, recipient: &str, states: &[&ClockState<'_>]) -> Draft {
    let passed: Vec<&&ClockState<'_>> = states.iter().filter(|state| state.passed()).collect();
    let to = if recipient.is_empty() {
        String::new()
    } else {
        format!(" to {}", context.people.spoken(recipient))
    };
    let times = if states.len() == 1 {
        "once".to_owned()
    } else {
        format!("{} times", states.len())
    };
    let words = format!(
        "on case {} no {group}{to} is on record by the day on which one was due, {times}",
        case.case_ref
    );
    let mut draft = Draft::sentence(Some(&case.case_ref), &words)
        .about(group)
        .about(recipient)
        .person(recipient);
    if let Some(head) = case.head() {
        draft = draft.record(head);
    }
    let mut citations: Vec<String> = Vec::new();
    for state in states {
        if !citations.contains(&state.clock.cited()) {
            citations.push(state.clock.cited());
        }
        let after = match state.done {
            Done::Late(day) => format!("one is on record of {day}"),
            Done::Missing(until) => format!("none is on record up to {until}"),
            Done::InTime(_) => continue,
        };
        let line = format!(
            "due by {} ({} from {}): {after}",
            state.due,
            state.clock.spoken(),
            state.start
        );
        if state.passed() {
            draft = draft.speaks_for(line);
        } else {
            draft = draft.against(Weight::Open, line);
        }
        if let Some(row) = state.row {
            draft = draft.record(row);
        }
        for row in &state.explaining {
            draft = draft.record(row);
        }
        for message in &state.messages {
            draft = draft.item(*message);
        }
        for (words, weight) in &state.explained {
            // One explanation does not explain the other times; what it does is said below.
            draft = draft.against(
                Weight::Open,
                format!("{words} (for {}, {weight})", state.due, weight = weight_word(*weight)),
            );
        }
    }
    if passed.is_empty() {
        draft = draft.against(Weight::Explains, "every time is explained by something on record");
    } else if passed.iter().all(|state| !state.explained.is_empty()) {
        draft = draft.against(
            Weight::Lowers,
            "every time left has something on record that points to an explanation",
        );
    }
    if passed.iter().all(|state| matches!(state.done, Done::Late(_))) {
        draft = draft
            .base(Confidence::Medium)
            .against(Weight::Open, "it was done, after the day");
    }
    draft
        .citation(citations.join("; "))
        .against(
            Weight::Open,
            "it may have been done by another channel, or be recorded elsewhere",
        )
        .not_searchable(match context.mail {
            Some(_) if recipient.is_empty() => "mail that may hold it",
            Some(_) => {
                "mail to the recipient that does not name the case, or from an address that is nobody's on record"
            }
            None => "mail, which may hold it: there is no index",
        })
}

fn weight_word(weight: Weight) -> &'static str {
    match weight {
        Weight::Explains => "explains it",
        Weight::Lowers => "points to an explanation",
        Weight::Open => "possible",
    }
}

/// Kinds of records that clocks need and of which none is loaded.
pub(super) fn not_judged(context: &Context<'_>) -> Vec<String> {
    let needed = [RecordType::Update, RecordType::TimelinessReport, RecordType::Review];
    let missing = needed.into_iter().filter(|kind| !context.shared.has(*kind));
    missing
        .map(|kind| {
            format!(
                "N8: no {} is among the records loaded; its clocks are not judged",
                kind.spoken()
            )
        })
        .collect()
}
