//! Exports and productions: items of a query, an exhibit or a tag, in a folder that stands for itself.
//!
//! Start at [`run`]: the items come from the searcher ([`selection`]), one by one in the order of their numbers, and go to the writer of the
//! form; the folder gets `export.json` ([`record`]), `left-out.csv`, a manifest and a signature, and its name last
//! (`embley_store::outgoing`). [`check`] reads one again without the case. Not for: deciding who may see what (the searcher), disclosure
//! schedules ([`crate::disclosure`]). Invariants: items are taken through the searcher only; memory does not grow with the number of items
//! beyond bitmaps and 16 bytes an item (the PDF, which is limited, excepted) and the pages of the catalogue that its readers keep, at most
//! 64 MiB for each of the two (one about the items, one about their originals): about 0.5 KB an item and reader until then; every item asked for is in the export or counted in what was
//! left out, save what the actor may not see.

mod case_uco;
pub mod check;
mod dat;
mod entry;
pub mod guard;
mod html;
mod image;
mod list;
mod names;
mod natives;
pub(crate) mod page;
pub(crate) mod paper;
pub mod record;
mod register;
pub(crate) mod selection;
mod sheet;
mod table;
pub mod workbook;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;

use embley_ingest::Originals;
use embley_model::id::ItemNo;
use embley_search::hit::HitLinks;
use embley_search::standing::TOOL;
use embley_search::{Asked, Hit, ItemText, Level, SearchOptions, Searcher, Sort};
use embley_store::Case;
use embley_store::facts::{self, ExhibitRef};
use embley_store::outgoing::{Outgoing, Sealed};
use embley_store::signing::PrivateKey;
use serde_json::{Value, json};

pub use self::dat::Encoding;
use self::entry::{Entry, Native, Text};
pub(crate) use self::list::csv_line;
use self::natives::{Lack, Layout, Named};
use self::record::{CaseFacts, Counts, LeftOut, Record, State};
use self::selection::{Selection, wrong};
use self::writer::{FormWriter, Lines};
use crate::error::{CaseworkError, Result};

const LEFT_OUT: &str = "left-out.csv";
/// The catalogue's look-up index from items to instances; without it the places of an item would cost a look at all of them.
const INSTANCE_LOOKUP: &str = "instance_by_item";

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Originals in a tree of folders, with a list.
    Native,
    /// A list as CSV.
    Csv,
    /// A list as JSON Lines.
    Jsonl,
    /// A list as a workbook.
    Xlsx,
    /// Load files (Concordance DAT, Opticon OPT) with originals and texts.
    Dat,
    /// CASE/UCO JSON-LD.
    CaseUco,
    /// Pages that open offline.
    Html,
    /// A register to print.
    Pdf,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 8] = [
        Self::Native,
        Self::Csv,
        Self::Jsonl,
        Self::Xlsx,
        Self::Dat,
        Self::CaseUco,
        Self::Html,
        Self::Pdf,
    ];

    /// Its name on the command line and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
            Self::Dat => "dat",
            Self::CaseUco => "case-uco",
            Self::Html => "html",
            Self::Pdf => "pdf",
        }
    }

    fn natives(self) -> Option<Layout> {
        match self {
            Self::Native => Some(Layout::Tree),
            Self::Dat => Some(Layout::Volume),
            Self::Csv | Self::Jsonl | Self::Xlsx | Self::CaseUco | Self::Html | Self::Pdf => None,
        }
    }
}

/// Which items are asked for.
#[derive(Clone, Debug)]
pub enum What {
    /// Those of a query.
    Query(String),
    /// Those of the exhibits with a reference.
    Exhibit(ExhibitRef),
    /// Those with a tag.
    Tag(String),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Which items.
    pub what: What,
    /// The level of the query.
    pub level: Level,
    /// Families come whole.
    pub families: bool,
    /// Marks of privilege whose items come in, asked for by name; the caller has made sure that the actor may.
    pub privileged: &'a [String],
    /// In which form.
    pub form: Form,
    /// What control numbers begin with.
    pub prefix: &'a str,
    /// How a DAT is encoded.
    pub encoding: Encoding,
    /// The folder to make.
    pub out: &'a Path,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What it says of itself.
    pub record: Record,
    /// Digest, files, key.
    pub sealed: Sealed,
    /// True when an unfinished export to the same place was found, and removed.
    pub found_unfinished: bool,
}

impl What {
    /// The query that finds them, as it is run.
    ///
    /// # Errors
    /// There is no such exhibit or tag.
    fn query(&self, searcher: &Searcher) -> Result<String> {
        let facts = searcher.reader().facts();
        match self {
            Self::Query(query) => Ok(query.clone()),
            Self::Exhibit(reference) => {
                if facts::exhibits::with_reference(facts, reference)?.is_empty() {
                    facts::exhibits::find(facts, reference, None)?;
                }
                Ok(format!("exhibit:\"{}\"", quoted(&reference.to_string())))
            }
            Self::Tag(name) => Ok(format!("tag:\"{}\"", quoted(&facts::tags::find(facts, name)?.name))),
        }
    }

    fn named(&self) -> (&'static str, String) {
        match self {
            Self::Query(query) => ("query", query.clone()),
            Self::Exhibit(reference) => ("exhibit", reference.to_string()),
            Self::Tag(name) => ("tag", name.clone()),
        }
    }
}

/// A text between the quotes of a query.
fn quoted(text: &str) -> String {
    let special = |letter: char| matches!(letter, '"' | '\\' | '*' | '?');
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if special(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// What an export is made from.
pub struct Sources<'a> {
    /// The case.
    pub case: &'a Case,
    /// What the actor may see of it.
    pub searcher: &'a Searcher,
    /// Texts for queries that compare them.
    pub texts: &'a dyn ItemText,
    /// What case records say of items.
    pub links: &'a dyn HitLinks,
    /// Who asks, and when.
    pub asked: Asked<'a>,
    /// Who signs.
    pub key: &'a PrivateKey,
}

/// Makes an export.
///
/// # Errors
/// The query cannot be run, the place is taken, or case or place cannot be read or written. Nothing has the folder's name then.
pub fn run(sources: &Sources<'_>, request: &Request<'_>) -> Result<Made> {
    if !names::is_prefix(request.prefix) {
        return Err(CaseworkError::Request {
            detail: format!(
                "{:?} cannot begin a control number: use 1 to 16 letters, digits, - and _, the first a letter",
                request.prefix
            ),
        });
    }
    let searcher = sources.searcher;
    let query = request.what.query(searcher)?;
    let ask = selection::Ask {
        query: &query,
        level: request.level,
        families: request.families,
        privileged: request.privileged,
    };
    let chosen = selection::select(sources.case, searcher, sources.texts, &ask)?;
    let mut record = begin_record(sources, request, &chosen);
    // Refused before anything is written.
    let mut register = match request.form {
        Form::Pdf => Some(register::Register::begin(chosen.items.len())?),
        _ => None,
    };
    let mut out = Outgoing::begin(request.out, Some(sources.case.root()))?;
    let found_unfinished = out.found_unfinished();
    let mut writer: Box<dyn FormWriter> = match request.form {
        Form::Native => Box::new(list::CsvList::begin(&mut out, true)?),
        Form::Csv => Box::new(list::CsvList::begin(&mut out, false)?),
        Form::Jsonl => Box::new(list::JsonList::begin(&mut out)?),
        Form::Xlsx => Box::new(sheet::Sheet::begin(&record)?),
        Form::Dat => Box::new(dat::LoadFiles::begin(&mut out, request.encoding)?),
        Form::CaseUco => Box::new(case_uco::Graph::begin(&mut out, &record)?),
        Form::Html => Box::new(html::Pages::begin()),
        Form::Pdf => match register.take() {
            Some(register) => Box::new(register),
            None => Box::new(register::Register::begin(0)?),
        },
    };
    let mut items = Items::new(sources, request, &chosen)?;
    let mut left_out = Lines::create(&mut out, LEFT_OUT)?;
    left_out.add(&csv_line(
        ["control", "item", "reason", "detail"].into_iter().map(str::to_owned),
    ))?;
    let everything = searcher.plan("*").map_err(wrong)?.within(chosen.items.clone());
    let options = SearchOptions {
        sort: Sort::Item,
        links: Some(sources.links),
        ..SearchOptions::default()
    };
    let answer = searcher.run(&everything, options).map_err(wrong)?;
    let mut lacks: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut written = 0;
    for hit in answer.hits().map_err(wrong)? {
        written += 1;
        let (entry, lacking) = items.entry(&mut out, hit.map_err(wrong)?, written)?;
        for lack in lacking {
            *lacks.entry(lack.reason).or_default() += 1;
            let cells = [
                entry.control.clone(),
                entry.hit.item.to_string(),
                lack.reason.to_owned(),
                lack.detail,
            ];
            left_out.add(&csv_line(cells.into_iter()))?;
        }
        count(&mut record.counts, &entry);
        writer.entry(&mut out, &entry)?;
    }
    if written != chosen.items.len() {
        return Err(CaseworkError::Request {
            detail: format!(
                "{} items were chosen and {written} could be read: the index and the catalogue do not agree; run `embley verify`",
                chosen.items.len()
            ),
        });
    }
    left_out.close(&mut out)?;
    for (reason, items) in lacks {
        record.left_out.push(LeftOut {
            reason: reason.to_owned(),
            items,
            sentence: sentence(reason).to_owned(),
        });
    }
    writer.finish(&mut out, &mut record)?;
    (record.counts.files, record.counts.bytes) = out.so_far();
    let sealed = seal(out, &record, sources.key)?;
    Ok(Made {
        record,
        sealed,
        found_unfinished,
    })
}

/// Writes what a folder says of itself, and ends it.
pub(crate) fn seal(mut out: Outgoing, record: &Record, key: &PrivateKey) -> Result<Sealed> {
    let mut text = serde_json::to_vec_pretty(record).map_err(|error| writer::failed(record::RECORD)(error.into()))?;
    text.push(b'\n');
    out.put(record::RECORD, &text)?;
    Ok(out.seal(key)?)
}

fn sentence(reason: &str) -> &'static str {
    match reason {
        "no-original" => "listed, but the original could not be read; left-out.csv says why",
        "original-differs" => {
            "listed, but the original is not what the catalogue says it is; run `embley verify --deep`"
        }
        "no-rendering" => "listed with the original, but it could not be rendered as mail; left-out.csv says why",
        _ => "listed, but the text could not be read; left-out.csv says why",
    }
}

fn count(counts: &mut Counts, entry: &Entry) {
    counts.items += 1;
    *counts.kinds.entry(entry.hit.kind.word().to_owned()).or_default() += 1;
    if entry.family.0 == entry.control {
        counts.families += 1;
    }
    counts.natives += u64::from(entry.native.is_some());
    counts.texts += u64::from(entry.text.as_ref().is_some_and(|text| text.path.is_some()));
}

fn begin_record(sources: &Sources<'_>, request: &Request<'_>, chosen: &Selection) -> Record {
    let (what, named) = request.what.named();
    let mut asked: BTreeMap<String, Value> = BTreeMap::from([
        (what.to_owned(), json!(named)),
        ("run_as".to_owned(), json!(chosen.query)),
        ("level".to_owned(), json!(request.level.name())),
        ("families".to_owned(), json!(request.families)),
        ("order".to_owned(), json!("item")),
        ("prefix".to_owned(), json!(request.prefix)),
    ]);
    if !request.privileged.is_empty() {
        asked.insert("privileged".to_owned(), json!(request.privileged));
    }
    let mut record = begin_of(
        sources.case,
        sources.searcher,
        &sources.asked,
        "export",
        request.form.name(),
    );
    record.state.not_indexed = chosen.not_indexed;
    record.asked = asked;
    record.counts.matched = chosen.matched;
    record.left_out.clone_from(&chosen.left_out);
    record.not_searchable.clone_from(&chosen.not_searchable);
    record.notes.clone_from(&chosen.notes);
    record
}

/// A record with its head only.
pub(crate) fn begin_of(case: &Case, searcher: &Searcher, asked: &Asked<'_>, kind: &str, form: &str) -> Record {
    let config = case.config();
    Record {
        schema: record::SCHEMA,
        kind: kind.to_owned(),
        form: form.to_owned(),
        tool: TOOL.to_owned(),
        who: asked.who.to_owned(),
        when: asked.when(),
        case: CaseFacts {
            name: config.name.clone(),
            reference: config.reference.clone(),
            id: config.id.clone(),
            zone: config.zone.clone(),
        },
        state: State {
            index_ticket: searcher.snapshot().ticket().map_or(0, |ticket| ticket.0),
            not_indexed: 0,
        },
        asked: BTreeMap::new(),
        counts: Counts::default(),
        left_out: Vec::new(),
        not_searchable: BTreeMap::new(),
        conventions: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// Makes entries of hits.
struct Items<'a> {
    searcher: &'a Searcher,
    request: &'a Request<'a>,
    chosen: &'a Selection,
    originals: Option<Originals>,
    has_places: bool,
    /// The last top-level item and where it was found.
    places: (ItemNo, Vec<String>),
}

impl<'a> Items<'a> {
    fn new(sources: &Sources<'a>, request: &'a Request<'a>, chosen: &'a Selection) -> Result<Self> {
        let needs_originals = matches!(request.form, Form::Native | Form::Dat | Form::Html);
        let lookups = sources.searcher.reader().lookups()?;
        Ok(Self {
            searcher: sources.searcher,
            request,
            chosen,
            originals: needs_originals.then(|| Originals::open(sources.case)).transpose()?,
            has_places: lookups.iter().any(|name| name == INSTANCE_LOOKUP),
            places: (ItemNo(0), Vec::new()),
        })
    }

    fn control(&self, position: u64) -> String {
        names::control(self.request.prefix, position)
    }

    fn entry(&mut self, out: &mut Outgoing, hit: Hit, position: u64) -> Result<(Entry, Vec<Lack>)> {
        let item = ItemNo(hit.item_no);
        let reader = self.searcher.reader();
        let row = reader.item(item)?.ok_or_else(|| CaseworkError::Request {
            detail: format!("the index holds item {item}, the catalogue does not; run `embley verify`"),
        })?;
        let items = &self.chosen.items;
        let root = row.root.0;
        let size = if row.root == item {
            row.family_size
        } else {
            reader.item(row.root)?.map_or(1, |root| root.family_size)
        };
        let first = items.rank(root) + u64::from(!items.contains(root));
        let last = items.rank(root.saturating_add(size.max(1) - 1));
        let control = self.control(position);
        let parent = row.parent.filter(|parent| items.contains(parent.0));
        let parent = parent.map(|parent| self.control(items.rank(parent.0)));
        if self.has_places && self.places.0 != row.root {
            let mut paths = Vec::new();
            for instance in reader.instances_of(row.root)? {
                let path = reader.shown_path(instance.file_id)?;
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
            self.places = (row.root, paths);
        }
        let (native, text, lacks) = self.files(out, &hit, &row, &control, position)?;
        let entry = Entry {
            family: (self.control(first), self.control(last)),
            attachments: if row.root == item { last - first } else { 0 },
            parent,
            paths: self.places.1.clone(),
            control,
            position,
            hit,
            row,
            native,
            text,
        };
        Ok((entry, lacks))
    }

    /// Original and text, as far as the form carries them.
    fn files(
        &mut self,
        out: &mut Outgoing,
        hit: &Hit,
        row: &embley_store::catalogue::ItemRow,
        control: &str,
        position: u64,
    ) -> Result<(Option<Native>, Option<Text>, Vec<Lack>)> {
        let (mut native, mut text, mut lacks) = (None, None, Vec::new());
        let Some(originals) = &mut self.originals else {
            return Ok((native, text, lacks));
        };
        if let Some(layout) = self.request.form.natives() {
            let named = Named {
                control,
                position,
                row,
                custodian: hit.custodians.first().map(String::as_str),
                sha256: hit.sha256.0,
            };
            match natives::native(out, originals, layout, &named)? {
                Ok(mut made) => {
                    lacks.extend(made.lack.take());
                    native = Some(made);
                }
                Err(lack) => lacks.push(lack),
            }
        }
        if matches!(self.request.form, Form::Dat | Form::Html) {
            let file = (self.request.form == Form::Dat).then_some((control, position));
            match natives::text(out, originals, row.item_no, file)? {
                Ok(found) => text = found,
                Err(lack) => lacks.push(lack),
            }
        }
        Ok((native, text, lacks))
    }
}
