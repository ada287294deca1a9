//! Which items name which case: asked of the index, kept as facts.
//!
//! A reference is looked for as the phrase of its words in subject, body and attachment text. It is evaluated over what is
//! in the case at that moment, so that mail and then records gives what records and then mail gives. A longer
//! reference that begins with a shorter one (`CM/1/19` and `CM/1/19/2`) is found under both.

use embley_model::id::Ticket;
use embley_store::facts::cases::{self, Names};
use embley_store::facts::{Connection, records};
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::error::Result;

/// Asks the index.
pub trait CaseNames {
    /// The items whose subject, body or attachment text has the words of `case_ref` as a phrase.
    ///
    /// # Errors
    /// The index cannot be asked.
    fn naming(&self, case_ref: &str) -> Result<RoaringBitmap>;

    /// The ticket of the index that is asked.
    fn ticket(&self) -> Ticket;
}

/// What [`refresh`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LinkSummary {
    /// Case references known from records.
    pub cases: u64,
    /// Those that at least one item names.
    pub named: u64,
    /// Pairs of item and case.
    pub links: u64,
}

/// Looks for every case reference that records have, and keeps what is found for the look-up by item. Run after an
/// ingest and after an import of records; the order of the two makes no difference.
///
/// # Errors
/// The index or the catalogue refuses; references already looked for stay renewed.
pub fn refresh(conn: &Connection, index: &dyn CaseNames) -> Result<LinkSummary> {
    const AT_ONCE: usize = 256;
    let mut summary = LinkSummary::default();
    for some in records::case_refs(conn)?.chunks(AT_ONCE) {
        let mut found = Vec::with_capacity(some.len());
        for (_, case_ref) in some {
            let items = index.naming(case_ref)?;
            summary.cases += 1;
            summary.named += u64::from(!items.is_empty());
            summary.links += items.len();
            found.push(Names {
                case_ref: case_ref.clone(),
                ticket: index.ticket(),
                items,
            });
        }
        cases::put_names(conn, &found)?;
    }
    Ok(summary)
}

/// The query that finds the items naming a case, in the language of `search`: the phrase in each of the three fields.
pub fn query_text(case_ref: &str) -> String {
    let phrase: String = case_ref
        .chars()
        .flat_map(|one| {
            if matches!(one, '"' | '\\') {
                vec!['\\', one]
            } else {
                vec![one]
            }
        })
        .collect();
    format!("subject:\"{phrase}\" OR body:\"{phrase}\" OR attachment:\"{phrase}\"")
}
