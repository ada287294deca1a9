//! `embley timeline`: the timeline of a case or a person, as a list or as a page; and links of documents on record, `embley records links|link`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use embley_casework::document_links;
use embley_casework::links::CaseIndex;
use embley_casework::references::References;
use embley_casework::timeline::page::{About, page};
use embley_casework::timeline::{self, Ask, Entry, EntryKind, Line, Sources, Timeline};
use embley_casework::zone_of;
use embley_model::clock::{Clock as _, SystemClock};
use embley_model::record::RecordType;
use embley_search::Searcher;
use embley_store::Access;
use embley_store::catalogue::CatalogueReader;
use embley_store::disk::{Disk as _, RealDisk};
use embley_store::facts::{cases, records};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;
use serde_json::{Value, json};

use super::indicators::{day_of, rules_of};
use super::show::resolve;
use crate::args::{Args, Format, LinkArgs, LinksArgs, ListArgs, TimelineArgs, TimelineFormat};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note, results};

/// The timeline of a case or a person.
pub(crate) fn run(args: &Args, asked: &TimelineArgs) -> anyhow::Result<u8> {
    if let Some(path) = &asked.html
        && path.symlink_metadata().is_ok()
    {
        return Err(CliError::usage(format!(
            "{} is there already: a page is written to a new file only",
            path.display()
        )));
    }
    let dir = context::case_dir(args)?;
    let case = context::open(args, Access::Read)?;
    let rules = rules_of(&dir, None)?;
    let searcher = Searcher::open(&case)?;
    let zone = zone_of(&case)?;
    let ask = ask_of(asked, &zone)?;
    let references = References::of_case(&dir)?;
    let index = CaseIndex::new(&searcher, &references);
    let sources = Sources {
        facts: searcher.reader().facts(),
        items: searcher.reader(),
        names: &index,
        zone: &zone,
        rules: Some(&rules),
    };
    let timeline = timeline::timeline(sources, &ask)?;
    let actor = context::actor(args);
    let about = About {
        case_name: &case.config().name,
        at_micros: SystemClock::new().now_micros(),
        actor: &actor,
        version: env!("CARGO_PKG_VERSION"),
    };
    if let Some(path) = &asked.html {
        write_page(path, &page(&timeline, &zone, about))?;
        note!("the page is in {}", path.display());
    }
    match asked.format.map_or(
        Some(context::format(&ListArgs { format: None })),
        TimelineFormat::of_lists,
    ) {
        // The page alone was asked for.
        Some(_) if asked.html.is_some() && asked.format.is_none() => {}
        Some(format) => print(&timeline, format)?,
        None => {
            let mut out = results();
            out.write_all(page(&timeline, &zone, about).as_bytes())?;
            out.flush()?;
        }
    }
    note!(
        "{} entries, {} of them undated, {} marks, in the material loaded",
        timeline.entries.len(),
        timeline.undated,
        timeline.marks.len()
    );
    if asked.case_ref.is_some() && timeline.entries.is_empty() && timeline.limits.is_empty() {
        note!(
            "no record, message or exhibit in the material loaded names {}; is that how it is written?",
            clean(&timeline.case_ref)
        );
    }
    if timeline.left_out > 0 {
        note!(
            "{} messages of this person name no case on record and are left out; --all-mail shows them",
            timeline.left_out
        );
    }
    Ok(exit::DONE)
}

fn ask_of(asked: &TimelineArgs, zone: &TimeZone) -> anyhow::Result<Ask> {
    let mut kinds = BTreeSet::new();
    for word in asked
        .kind
        .iter()
        .map(|word| word.trim())
        .filter(|word| !word.is_empty())
    {
        let kind = EntryKind::from_word(word).ok_or_else(|| {
            let all: Vec<&str> = EntryKind::ALL.iter().map(|kind| kind.word()).collect();
            CliError::usage(format!("{word:?} is no kind of entry; there are {}", all.join(", ")))
        })?;
        kinds.insert(kind);
    }
    let ask = Ask {
        case_ref: asked.case_ref.clone().unwrap_or_default(),
        person: asked.person.clone(),
        kinds,
        gap_days: asked.gap_days,
        all_mail: asked.all_mail,
        ..Ask::default()
    };
    Ok(ask.between(day_of(asked.from.as_deref())?, day_of(asked.to.as_deref())?, zone))
}

fn print(timeline: &Timeline, format: Format) -> anyhow::Result<()> {
    let full = format == Format::Csv;
    let columns: &[&str] = if full { &Entry::FULL_COLUMNS } else { &Entry::COLUMNS };
    let mut rows = Rows::new("entries", columns);
    for line in timeline.lines() {
        match line {
            Line::Entry(_, entry) => {
                let cells: Vec<String> = if full {
                    entry.full_row().to_vec()
                } else {
                    entry.row().to_vec()
                };
                rows.push(cells.iter().map(|cell| clean(cell)).collect(), entry)?;
            }
            // In one document the marks have a list of their own.
            Line::Mark(_, _) if format == Format::Json => {}
            Line::Mark(_, mark) => {
                let cells: Vec<String> = if full {
                    mark.full_row().to_vec()
                } else {
                    mark.row().to_vec()
                };
                rows.push(cells.iter().map(|cell| clean(cell)).collect(), mark)?;
            }
        }
    }
    let extra = vec![
        ("case_ref", timeline.case_ref.clone().into()),
        ("subject", serde_json::to_value(&timeline.subject)?),
        ("known_as", serde_json::to_value(&timeline.known_as)?),
        ("zone", timeline.zone.clone().into()),
        ("limits", serde_json::to_value(&timeline.limits)?),
        ("undated", timeline.undated.into()),
        ("left_out", timeline.left_out.into()),
        ("roles", serde_json::to_value(&timeline.roles)?),
        ("marks", serde_json::to_value(&timeline.marks)?),
    ];
    rows.print(format, extra)
}

fn write_page(path: &Path, page: &str) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        let mut file = RealDisk.create_new(path)?;
        file.write_all_at(page.as_bytes(), 0)?;
        file.sync()
    };
    written().map_err(|error| CliError::environment(format!("cannot write {}: {error}", path.display())))?;
    crate::audit::made(path);
    Ok(())
}

/// Documents on record with the attachments that are the same.
pub(crate) fn links(args: &Args, asked: &LinksArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let documents: RoaringBitmap = match &asked.case_ref {
        Some(case_ref) => cases::record_items(reader.facts(), case_ref)?,
        None => records::of_type(reader.facts(), RecordType::Document)?
            .iter()
            .map(|stored| stored.item.0)
            .collect(),
    };
    let all = document_links::of_documents(reader.facts(), &documents)?;
    let total = all.len();
    let most = context::limit(&asked.limit).map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let mut rows = Rows::new(
        "links",
        &[
            "document",
            "title",
            "item",
            "name",
            "reason",
            "similarity",
            "confidence",
            "holds",
            "said",
        ],
    );
    for link in all.into_iter().take(most) {
        let record = records::of_item(reader.facts(), link.document)?;
        let (key, title) = match &record {
            Some(stored) => {
                let title = stored.record()?.text("title").unwrap_or_default().to_owned();
                (stored.key.display(), title)
            }
            None => (String::new(), String::new()),
        };
        let item = reader.item(link.attachment)?;
        let name = item.and_then(|row| row.filename).unwrap_or_default();
        let (reason, per_mille) = link
            .found
            .clone()
            .map_or((None, None), |(word, per_mille)| (Some(word), Some(per_mille)));
        let confidence = match (&link.decided, &reason) {
            (Some(_), _) => "said",
            (None, Some(word)) => {
                embley_casework::documents::Likeness::from_word(word).map_or("low", |one| one.confidence())
            }
            (None, None) => "none",
        };
        let said = link
            .decided
            .as_ref()
            .map(|one| format!("{}: {}", one.actor, one.reason))
            .unwrap_or_default();
        let similarity = per_mille.map(|per_mille| f64::from(per_mille) / 1000.0);
        let cells = vec![
            clean(&key),
            clean(&title),
            link.attachment.to_string(),
            clean(&name),
            reason.clone().unwrap_or_default(),
            similarity.map(|one| format!("{one:.3}")).unwrap_or_default(),
            confidence.to_owned(),
            link.holds().to_string(),
            clean(&said),
        ];
        let object: Value = json!({
            "document": key, "document_item": link.document, "title": title, "item_no": link.attachment, "name": name, "reason": reason,
            "similarity": similarity, "confidence": confidence, "holds": link.holds(), "decided": link.decided,
        });
        rows.push(cells, object)?;
    }
    rows.print(context::format(&asked.list), vec![("total", total.into())])?;
    Ok(exit::DONE)
}

/// Says that an attachment is a document on record, or is not.
pub(crate) fn link(args: &Args, asked: &LinkArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let document = document_of(&reader, &asked.document)?;
    let attachment = resolve(&reader, &asked.item)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    let facts = case.facts()?;
    let new = document_links::by_hand(
        facts.connection(),
        &reader,
        (document, attachment),
        !asked.is_not,
        &asked.reason,
        stamp,
    )?;
    let is = if asked.is_not { "is not" } else { "is" };
    note!(
        "item {attachment} {is} document {}{}",
        clean(&asked.document),
        if new { "" } else { ", as was said before" }
    );
    Ok(exit::DONE)
}

fn document_of(reader: &CatalogueReader, text: &str) -> anyhow::Result<embley_model::id::ItemNo> {
    if !text.starts_with(&format!("{}:", RecordType::Document.prefix())) {
        return resolve(reader, text);
    }
    let found = records::named(reader.facts(), RecordType::Document, text)?;
    match found.as_slice() {
        [one] => Ok(one.item),
        [] => Err(CliError::usage(format!(
            "no document on record has the id {text:?}; `records links` names those with links"
        ))),
        several => Err(CliError::usage(format!(
            "{text:?} is the id of {} documents; say which with its system, as in doc:SYSTEM/ID",
            several.len()
        ))),
    }
}
