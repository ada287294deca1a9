//! Disclosure schedules (Criminal Procedure and Investigations Act 1996; the police forms MG6C, MG6D, MG6E and MG12), drafted from what the
//! disclosure officer decided about items, and issued for ever.
//!
//! Start at [`draft::draft`]; [`issue`] puts a draft on record with its numbers, [`issued`] gives it again as it was; [`render`] makes CSV,
//! pages and PDF of either. States of items are `embley_store::facts::disclosure`, issued schedules `embley_store::facts::schedules`.
//! Not for: deciding what is relevant, unused or sensitive. Invariants: nothing that is sensitive, or may be privileged, or has the same
//! bytes as something sensitive comes onto an MG6C; a schedule that was issued never changes; a number is never given twice.

mod describe;
pub mod draft;
mod gather;
pub mod render;
mod report;
#[cfg(test)]
mod tests;

use embley_model::id::ItemNo;
use embley_store::facts::schedules::{self, Form, Issued, Next, ToIssue};
use embley_store::facts::{Connection, Stamp};
use serde::{Deserialize, Serialize};

use crate::error::{CaseworkError, Result};

/// Version of the form in which schedules are kept.
const SCHEMA: u32 = 1;

/// The whole content of a schedule, draft or issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Version of this form.
    pub schema: u32,
    /// `mg6c`, ...
    pub form: String,
    /// Its name in words.
    pub title: String,
    /// False for a draft.
    pub issued: bool,
    /// Its number within the form; of a draft, the one that it would have.
    pub serial: u64,
    /// The number of its first entry; of a draft, the one that it would have.
    pub first_no: u64,
    /// Name of the case.
    pub case: String,
    /// Reference of the case.
    pub reference: String,
    /// Id of the case.
    pub case_id: String,
    /// The officer it is for to sign; empty when nobody was named.
    pub officer: String,
    /// Who made it.
    pub made_by: String,
    /// When, RFC 3339 UTC.
    pub made_at: String,
    /// The program and its version.
    pub tool: String,
    /// What stands on every page, such as who must not see it.
    pub banner: Option<String>,
    /// What is stated, before the entries.
    pub statements: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The entries, one cell a column.
    pub rows: Vec<Vec<String>>,
}

/// A draft with what it was made from.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Which form.
    pub form: Form,
    /// Its content.
    pub schedule: Schedule,
    /// The items that it numbers, in order; empty for forms that number none.
    pub items: Vec<ItemNo>,
    /// What the officer should know and the schedule does not say.
    pub warnings: Vec<String>,
}

/// The name of a form in words.
pub fn title(form: Form) -> &'static str {
    match form {
        Form::Mg6c => "MG6C: schedule of non-sensitive unused material",
        Form::Mg6d => "MG6D: schedule of sensitive unused material",
        Form::Mg6e => "MG6E: disclosure officer's report",
        Form::Mg12 => "MG12: exhibit list",
    }
}

/// Puts a draft on record for ever, with the numbers that it was drafted with.
///
/// # Errors
/// Another schedule of the form was issued meanwhile, or the database's; nothing is changed then.
pub fn issue(conn: &Connection, draft: &Draft, stamp: Stamp<'_>) -> Result<(Schedule, Issued)> {
    let mut schedule = draft.schedule.clone();
    schedule.issued = true;
    let body = serde_json::to_vec(&schedule).map_err(|error| CaseworkError::ExportFile {
        name: "a schedule".to_owned(),
        source: error.into(),
    })?;
    let to_issue = ToIssue {
        form: draft.form,
        next: Next {
            serial: schedule.serial,
            entry_no: schedule.first_no,
        },
        items: &draft.items,
        body: &body,
    };
    let issued = schedules::issue(conn, &to_issue, stamp)?;
    Ok((schedule, issued))
}

/// An issued schedule as it was.
///
/// # Errors
/// There is none with this number, or its bytes are not those that were issued.
pub fn issued(conn: &Connection, form: Form, serial: u64) -> Result<Schedule> {
    let body = schedules::body(conn, form, serial)?;
    serde_json::from_slice(&body).map_err(|error| CaseworkError::Request {
        detail: format!("{} {serial} cannot be read by this version: {error}", form.word()),
    })
}
