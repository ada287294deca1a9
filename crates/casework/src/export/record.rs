//! What an export says of itself: who, when, from which state of which case, what was asked for, what is in it and what is not, and why.
//!
//! Written as `export.json`. Main type: [`Record`]. Invariant: every item that was asked for is in the export or counted in `left_out`,
//! save what the actor may not see, which is neither.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name of the file.
pub const RECORD: &str = "export.json";
/// Version of its form.
pub(super) const SCHEMA: u32 = 1;

/// See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    pub schema: u32,
    /// `export` or `schedule`.
    pub kind: String,
    /// Its form: `native`, `csv`, ...
    pub form: String,
    /// The program and its version.
    pub tool: String,
    /// Who made it.
    pub who: String,
    /// When, RFC 3339 UTC.
    pub when: String,
    /// Of which case.
    pub case: CaseFacts,
    /// From which state of it.
    pub state: State,
    /// What was asked for.
    pub asked: BTreeMap<String, Value>,
    /// What is in it.
    pub counts: Counts,
    /// What was asked for and is not in it, or not whole.
    pub left_out: Vec<LeftOut>,
    /// Items in the scope of the query whose text could not be searched, by reason: they may belong here and cannot be found.
    pub not_searchable: BTreeMap<String, u64>,
    /// How values are written.
    pub conventions: BTreeMap<String, Value>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// The case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseFacts {
    /// Its name.
    pub name: String,
    /// Its reference.
    pub reference: String,
    /// 32 hexadecimal digits that tell it from every other.
    pub id: String,
    /// The zone in which its days begin.
    pub zone: String,
}

/// The state of the case.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct State {
    /// Ticket of the index.
    pub index_ticket: u64,
    /// Items of the case that the index does not hold yet.
    pub not_indexed: u64,
}

/// What is in an export.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Items, or families, that the query found.
    pub matched: u64,
    /// Items in the export.
    pub items: u64,
    /// Of these, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Families that they belong to.
    pub families: u64,
    /// Originals.
    pub natives: u64,
    /// Texts in files of their own.
    pub texts: u64,
    /// Files in the manifest besides this one.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Items that are not in it, or not whole, for one reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    /// A word.
    pub reason: String,
    /// How many items.
    pub items: u64,
    /// In words.
    pub sentence: String,
}

impl Record {
    /// What people read first, as words and values.
    pub(super) fn lines(&self) -> Vec<(String, String)> {
        let mut lines = vec![
            ("case".to_owned(), self.case.name.clone()),
            ("reference".to_owned(), self.case.reference.clone()),
            ("case id".to_owned(), self.case.id.clone()),
            ("made by".to_owned(), self.who.clone()),
            ("made at".to_owned(), self.when.clone()),
            ("with".to_owned(), self.tool.clone()),
            ("form".to_owned(), self.form.clone()),
        ];
        for (name, value) in &self.asked {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.push((format!("asked: {name}"), text));
        }
        lines.push(("matched".to_owned(), self.counts.matched.to_string()));
        lines.push(("items".to_owned(), self.counts.items.to_string()));
        lines.push(("families".to_owned(), self.counts.families.to_string()));
        for one in &self.left_out {
            lines.push((
                format!("left out: {}", one.reason),
                format!("{}: {}", one.items, one.sentence),
            ));
        }
        for (reason, items) in &self.not_searchable {
            lines.push((format!("in scope, not searchable: {reason}"), items.to_string()));
        }
        for note in &self.notes {
            lines.push(("note".to_owned(), note.clone()));
        }
        lines
    }
}
