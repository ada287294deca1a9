//! Which items name which case: asked of the index, kept as facts.
//!
//! A reference is looked for in each of its written forms (`references`) as the phrase of its words in subject, body, attachment text and file name. It is evaluated over what is
//! in the case at that moment, so that mail and then records gives what records and then mail gives. A longer
//! reference that begins with a shorter one (`CM/1/19` and `CM/1/19/2`) is found under both. What somebody said of an item (`case_links`) goes before what is found.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use embley_ingest::{FinishStep, IngestError};
use embley_model::id::Ticket;
use embley_model::record::RecordType;
use embley_search::Searcher;
use embley_store::Case;
use embley_store::catalogue::{CatalogueReader, Sight};
use embley_store::facts::cases::{self, Names};
use embley_store::facts::text_links::{Named, corrected};
use embley_store::facts::{Connection, documents, records};
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::document_links;
use crate::documents::on_record;
use crate::error::{CaseworkError, Result};
use crate::references::{self, References};
use crate::texts::StoredTexts;

/// Asks the index.
pub trait CaseNames {
    /// The items whose subject, body, attachment text or file name has the words of `case_ref` as a phrase.
    ///
    /// # Errors
    /// The index cannot be asked.
    fn naming(&self, case_ref: &str) -> Result<RoaringBitmap>;

    /// The items in which a person takes part, and the records that name them: `person:` of the language of `search`.
    ///
    /// # Errors
    /// As [`CaseNames::naming`].
    fn mail_of(&self, person: &str) -> Result<RoaringBitmap>;

    /// The ticket of the index that is asked.
    fn ticket(&self) -> Ticket;
}

/// The index, asked by the patterns of a case folder.
pub struct CaseIndex<'a> {
    searcher: &'a Searcher,
    references: &'a References,
    /// The words of all references on record, read when a reference has more than one form.
    on_record: OnceCell<HashSet<Vec<String>>>,
}

impl<'a> CaseIndex<'a> {
    /// Asks this index by these patterns.
    pub fn new(searcher: &'a Searcher, references: &'a References) -> Self {
        Self {
            searcher,
            references,
            on_record: OnceCell::new(),
        }
    }

    /// True when a form is itself a reference on record.
    fn is_on_record(&self, form: &str) -> Result<bool> {
        let known = match self.on_record.get() {
            Some(known) => known,
            None => {
                let all = records::case_refs(self.searcher.reader().facts())?;
                let words = all.into_iter().map(|(_, case_ref)| references::words_of(&case_ref));
                self.on_record.get_or_init(|| words.collect())
            }
        };
        Ok(known.contains(&references::words_of(form)))
    }
}

impl CaseNames for CaseIndex<'_> {
    fn naming(&self, case_ref: &str) -> Result<RoaringBitmap> {
        // A reference without a letter or digit has no words that anything could name.
        if !case_ref.chars().any(char::is_alphanumeric) {
            return Ok(RoaringBitmap::new());
        }
        let mut forms = Vec::new();
        for form in self.references.forms(case_ref) {
            // A form that is the reference of another case is left to that one.
            if forms.is_empty() || !self.is_on_record(&form)? {
                forms.push(form);
            }
        }
        let plan = self.searcher.plan(&query_text(&forms));
        let found = plan.and_then(|plan| self.searcher.items(&plan));
        found.map_err(|source| CaseworkError::Search {
            case_ref: case_ref.to_owned(),
            source: Box::new(source),
        })
    }

    fn mail_of(&self, person: &str) -> Result<RoaringBitmap> {
        self.searcher.mail_of(person)
    }

    fn ticket(&self) -> Ticket {
        self.searcher.ticket()
    }
}

/// By the patterns that are part of the program.
impl CaseNames for Searcher {
    fn naming(&self, case_ref: &str) -> Result<RoaringBitmap> {
        CaseIndex::new(self, References::built_in()).naming(case_ref)
    }

    fn mail_of(&self, person: &str) -> Result<RoaringBitmap> {
        let query = format!("person:\"{}\"", quoted(person));
        let found = self.plan(&query).and_then(|plan| self.items(&plan));
        found.map_err(|source| CaseworkError::Search {
            case_ref: person.to_owned(),
            source: Box::new(source),
        })
    }

    fn ticket(&self) -> Ticket {
        self.snapshot().ticket().unwrap_or(Ticket(0))
    }
}

/// The finish step of an ingest, also run after an import of records: see [`refresh`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkCases;

impl LinkCases {
    /// Renews the links that are older than the index, in a case folder that is open for writing or for facts.
    ///
    /// # Errors
    /// As [`refresh`].
    pub fn renew(case: &Case) -> Result<LinkSummary> {
        Self::renew_some(case, Which::Older)
    }

    /// Renews all links: after the index was made again, perhaps by other rules.
    ///
    /// # Errors
    /// As [`refresh`].
    pub fn renew_all(case: &Case) -> Result<LinkSummary> {
        Self::renew_some(case, Which::All)
    }

    fn renew_some(case: &Case, which: Which) -> Result<LinkSummary> {
        let facts = case.facts()?;
        if records::case_refs(facts.connection())?.is_empty() {
            return Ok(LinkSummary::default());
        }
        // What a reference names is kept of the whole case; whoever reads it sees what is theirs to see.
        let searcher = Searcher::open_as(case, Sight::Whole).map_err(|source| CaseworkError::Search {
            case_ref: "case references".to_owned(),
            source: Box::new(source),
        })?;
        let references = References::of_case(case.root())?;
        let index = CaseIndex::new(&searcher, &references);
        let done = refresh(facts.connection(), &index, which)?;
        // Names first: documents are compared with what is attached to the mail that names their case.
        let texts = StoredTexts::new(case);
        document_links::renew(facts.connection(), searcher.reader(), &texts, which == Which::All)?;
        // The figures are read by all.
        let reader = case.reader_as(Sight::Released)?;
        let held = cases::computed(reader.facts())?;
        let mut seen = LinkSummary {
            renewed: done.renewed,
            documents: documents_on_record(&reader)?,
            document_links: documents::pair_count(reader.facts())?,
            ..LinkSummary::default()
        };
        for (key, _) in records::case_refs(reader.facts())? {
            let count = held.get(&key).map_or(0, |(_, count)| *count);
            seen.cases += 1;
            seen.named += u64::from(count > 0);
            seen.links += count;
        }
        Ok(seen)
    }
}

/// How many documents stand on registers, of those that the reader sees.
fn documents_on_record(reader: &CatalogueReader) -> Result<u64> {
    let mut seen = RoaringBitmap::new();
    for (_, case_ref) in records::case_refs_of_type(reader.facts(), RecordType::Document)? {
        seen.extend(
            on_record(reader.facts(), &case_ref)?
                .iter()
                .map(|document| document.item.0),
        );
    }
    Ok(seen.len())
}

impl FinishStep for LinkCases {
    fn name(&self) -> &'static str {
        "case-links"
    }

    fn run(&self, case: &Case) -> std::result::Result<String, IngestError> {
        let summary = Self::renew(case).map_err(CaseworkError::into_ingest)?;
        Ok(format!(
            "{} of {} case references are named, in {} links; {} documents on record, {} links to attachments and files",
            summary.named, summary.cases, summary.links, summary.documents, summary.document_links
        ))
    }
}

/// Which links are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that were looked for in another state of the index.
    Older,
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
    /// References that were looked for now; the others stood as they were.
    pub renewed: u64,
    /// Documents on registers of cases.
    pub documents: u64,
    /// Pairs of such a document and an attachment or file that is the same.
    pub document_links: u64,
}

/// Looks for every case reference that records have, and keeps what is found for the look-up by item. Run after an
/// ingest and after an import of records; the order of the two makes no difference.
///
/// # Errors
/// The index or the catalogue refuses; references already looked for stay renewed.
pub fn refresh(conn: &Connection, index: &dyn CaseNames, which: Which) -> Result<LinkSummary> {
    const AT_ONCE: usize = 256;
    let mut summary = LinkSummary::default();
    let ticket = index.ticket();
    let held = match which {
        Which::All => HashMap::new(),
        Which::Older => cases::computed(conn)?,
    };
    for some in records::case_refs(conn)?.chunks(AT_ONCE) {
        let mut found = Vec::with_capacity(some.len());
        for (key, case_ref) in some {
            summary.cases += 1;
            let count = match held.get(key) {
                Some((at, count)) if *at == ticket => *count,
                Some(_) | None => {
                    let items = corrected(conn, Named::Case(case_ref), index.naming(case_ref)?)?;
                    let count = items.len();
                    summary.renewed += 1;
                    found.push(Names {
                        case_ref: case_ref.clone(),
                        ticket,
                        items,
                    });
                    count
                }
            };
            summary.named += u64::from(count > 0);
            summary.links += count;
        }
        cases::put_names(conn, &found)?;
    }
    Ok(summary)
}

/// The query that finds the items naming a case by one of these forms, in the language of `search`: the phrase in each of the four fields.
pub fn query_text(forms: &[String]) -> String {
    let mut clauses = Vec::new();
    for form in forms {
        let phrase = quoted(form);
        clauses.extend(["subject", "body", "attachment", "filename"].map(|field| format!("{field}:\"{phrase}\"")));
    }
    clauses.join(" OR ")
}

/// A text as it stands between quotation marks in a query.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for one in text.chars() {
        if matches!(one, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(one);
    }
    quoted
}
