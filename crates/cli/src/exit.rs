//! Exit codes: the one place where a class of error becomes a number. `docs/exit-codes.md` says the same, and a test holds them together.

use crate::output::note;
use embley_model::outcome::ErrorClass;
use embley_search::SearchError;
use embley_store::StoreError;
use embley_store::facts::FactsError;

/// Done.
pub(crate) const DONE: u8 = 0;
/// A search without hits, or verify or replay found differences.
pub(crate) const NO_HIT: u8 = 1;
/// Usage or settings.
pub(crate) const USAGE: u8 = 2;
/// Done, and this run added exceptions, or some lines of a list could not be run.
pub(crate) const EXCEPTIONS: u8 = 3;
/// No input readable.
pub(crate) const INPUT: u8 = 4;
/// The case is damaged.
pub(crate) const DAMAGED: u8 = 5;
/// The case is in use.
pub(crate) const BUSY: u8 = 6;
/// The program is wrong, or the machine failed it.
pub(crate) const INTERNAL: u8 = 70;
/// Stopped; the same command goes on.
pub(crate) const STOPPED: u8 = 130;

/// Something the command line itself found wrong.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CliError {
    pub(crate) class: ErrorClass,
    pub(crate) message: String,
}

impl CliError {
    /// What was typed cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
        Self {
            class: ErrorClass::Config,
            message: message.into(),
        }
        .into()
    }

    /// The machine refuses what was named.
    pub(crate) fn environment(message: impl Into<String>) -> anyhow::Error {
        Self {
            class: ErrorClass::Environment,
            message: message.into(),
        }
        .into()
    }

    /// What was named cannot be read.
    pub(crate) fn input(message: impl Into<String>) -> anyhow::Error {
        Self {
            class: ErrorClass::Input,
            message: message.into(),
        }
        .into()
    }
}

/// The class of whatever went wrong, from the innermost error that has one.
pub(crate) fn class_of(error: &anyhow::Error) -> ErrorClass {
    for cause in error.chain() {
        if let Some(error) = cause.downcast_ref::<CliError>() {
            return error.class;
        }
        if let Some(error) = cause.downcast_ref::<embley_ingest::IngestError>() {
            return error.class();
        }
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            return error.class();
        }
        if let Some(error) = cause.downcast_ref::<embley_index::IndexError>() {
            return embley_ingest::index_class(error);
        }
        if let Some(error) = cause.downcast_ref::<FactsError>() {
            return error.class();
        }
        if let Some(error) = cause.downcast_ref::<embley_store::signing::KeyError>() {
            return error.class();
        }
        if let Some(error) = cause.downcast_ref::<SearchError>() {
            return error.class();
        }
        if let Some(error) = cause.downcast_ref::<embley_casework::CaseworkError>() {
            return error.class();
        }
    }
    ErrorClass::Internal
}

/// The exit code of an error.
pub(crate) fn code_of(error: &anyhow::Error) -> u8 {
    match class_of(error) {
        ErrorClass::Input => INPUT,
        ErrorClass::Config => USAGE,
        ErrorClass::Environment | ErrorClass::Internal => INTERNAL,
        ErrorClass::Busy => BUSY,
        ErrorClass::Corruption => DAMAGED,
    }
}

/// Says what went wrong, with its causes and the next step.
pub(crate) fn report(error: &anyhow::Error) {
    let mut text = format!("embley: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !last.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        last = cause;
    }
    note!("{text}");
    if let Some(hint) = hint_of(error) {
        note!("hint: {hint}");
    }
}

/// A query that cannot be read, with a mark under the character where it fails.
pub(crate) fn pointed(error: SearchError, query: &str) -> anyhow::Error {
    match error {
        SearchError::Syntax(fault) => {
            let message = fault.render(query);
            CliError::usage(message.strip_prefix("error: ").unwrap_or(&message))
        }
        other => other.into(),
    }
}

/// The next step, where there is one that the message does not name.
fn hint_of(error: &anyhow::Error) -> Option<&'static str> {
    let stored = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
    match stored {
        Some(StoreError::Newer { .. } | StoreError::Older { .. }) => return None,
        Some(stored) if stored.hint().is_some() => return stored.hint(),
        _ => {}
    }
    let facts = error.chain().find_map(|cause| cause.downcast_ref::<FactsError>());
    if let Some(hint) = facts.and_then(FactsError::hint) {
        return Some(hint);
    }
    match class_of(error) {
        ErrorClass::Corruption => {
            Some("run `embley verify` to see what is damaged; `embley reindex` makes a new index from the store")
        }
        ErrorClass::Busy => Some("wait for the other command, or search and tag meanwhile: both work during an ingest"),
        ErrorClass::Environment => {
            Some("the case is intact; make room or give permission, then run the same command again: it goes on")
        }
        // A message of several lines says everything itself.
        ErrorClass::Config if error.to_string().contains('\n') => None,
        ErrorClass::Config => Some("`embley help COMMAND` shows what can be given"),
        ErrorClass::Input | ErrorClass::Internal => None,
    }
}
