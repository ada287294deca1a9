//! What people conclude about an indicator: one of five words and a text, added and never changed.
//!
//! An indicator leaves the case folder only with a conclusion to the form that it has (or marked as a draft). When new material changes
//! what it says, it asks for a conclusion again; the earlier one stays and is shown as an earlier one.

use embley_model::date::rfc3339;
use embley_store::facts::indicators::{self, ConclusionRow};
use embley_store::facts::{Connection, Stamp};
use serde::Serialize;

use crate::error::{CaseworkError, Result};

/// The conclusions that there are: (word, as people read it).
pub const CONCLUSIONS: [(&str, &str); 5] = [
    ("professional_disagreement", "professional disagreement"),
    ("quality_or_timeliness_management", "quality or timeliness management"),
    ("tasked_review", "tasked review"),
    ("recorded_elsewhere", "recorded elsewhere"),
    ("other", "other"),
];

/// Longest text, in bytes.
const MAX_BYTES: usize = 10_000;

/// A conclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// One of [`CONCLUSIONS`].
    #[serde(rename = "as")]
    pub kind: String,
    /// In words.
    pub text: String,
    /// Who drew it.
    pub by: String,
    /// When, RFC 3339 UTC.
    pub at: String,
}

impl Conclusion {
    pub(super) fn of(row: &ConclusionRow) -> Self {
        Self {
            kind: row.kind.clone(),
            text: row.words.clone(),
            by: row.actor.clone(),
            at: rfc3339(row.at_micros.div_euclid(1_000_000)).unwrap_or_default(),
        }
    }
}

/// Puts a conclusion on record for the indicator that `id` names, in the form in which a run saw it last. Gives the indicator's full id.
///
/// # Errors
/// `kind` is not one of [`CONCLUSIONS`], the text is empty or too long, there is no such indicator, or the database refuses; nothing is
/// changed then.
pub fn conclude(conn: &Connection, id: &str, kind: &str, text: &str, stamp: Stamp<'_>) -> Result<String> {
    let refuse = |detail: String| CaseworkError::Request { detail };
    let key = kind.trim().to_lowercase().replace([' ', '-'], "_");
    let Some((word, _)) = CONCLUSIONS.iter().find(|(word, _)| *word == key) else {
        let known: Vec<&str> = CONCLUSIONS.iter().map(|(word, _)| *word).collect();
        return Err(refuse(format!(
            "\"{kind}\" is no conclusion; there are {}",
            known.join(", ")
        )));
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(refuse(
            "a conclusion needs a text that says what it rests on".to_owned(),
        ));
    }
    if text.len() > MAX_BYTES {
        return Err(refuse(format!(
            "the text of a conclusion has at most {MAX_BYTES} bytes"
        )));
    }
    let form = indicators::find(conn, id)?;
    indicators::conclude(conn, &form, word, text, stamp)?;
    Ok(form.id)
}
