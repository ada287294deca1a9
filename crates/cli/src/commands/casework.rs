//! `embley records`, `exhibit`, `tag`, `timeline`: facts beside the evidence. They work while an ingest runs.

use std::path::Path;
use std::sync::Arc;

use embley_casework::import::{self, ImportRequest};
use embley_casework::links::LinkCases;
use embley_casework::mapping::Mapping;
use embley_casework::threads::LinkThreads;
use embley_casework::timeline::{self, Ask, Entry, Sources};
use embley_ingest::{IngestOptions, RecordWriter};
use embley_model::clock::{Clock, SystemClock};
use embley_model::record::RecordType;
use embley_search::Searcher;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::{self, ExhibitRef, Stamp, exhibits, tags};
use embley_store::{Access, Case};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;
use serde_json::json;

use super::ingest::open_for_writing;
use super::show::resolve;
use crate::args::{Args, ExhibitCommand, RecordsCommand, TagCommand, TargetArgs, TimelineArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note, result_line};

/// Imports or lists records.
pub(crate) fn records(args: &Args, command: &RecordsCommand) -> anyhow::Result<u8> {
    match command {
        RecordsCommand::Import {
            file,
            mapping,
            record_type,
        } => import_records(args, file, mapping, record_type.as_deref()),
        RecordsCommand::List {
            record_type,
            limit,
            list,
        } => {
            let case = Case::open(&context::case_dir(args)?, Access::Read)?;
            let reader = case.reader()?;
            let wanted = record_type.as_deref().map(record_type_of).transpose()?;
            let mut rows = Rows::new("records", &["item", "type", "system", "id", "version", "title"]);
            let most = context::limit(limit).unwrap_or(u64::MAX);
            let mut total: u64 = 0;
            for kind in RecordType::ALL
                .iter()
                .copied()
                .filter(|kind| wanted.is_none_or(|wanted| wanted == *kind))
            {
                for stored in facts::records::of_type(reader.facts(), kind)? {
                    total += 1;
                    if total > most {
                        continue;
                    }
                    let record = stored.record()?;
                    let cells = vec![
                        stored.item.to_string(),
                        kind.word().to_owned(),
                        stored.key.source_system.clone(),
                        stored.key.record_id.clone(),
                        stored.version.to_string(),
                        clean(&record.title()),
                    ];
                    let body: serde_json::Value = serde_json::from_slice(&stored.body)?;
                    let object = json!({
                        "item_no": stored.item.0, "record_type": kind.word(), "source_system": stored.key.source_system,
                        "record_id": stored.key.record_id, "version": stored.version, "title": record.title(),
                        "source": stored.source, "source_row": stored.source_row, "record": body,
                    });
                    rows.push(cells, object)?;
                }
            }
            rows.print(context::format(list), vec![("total", total.into())])?;
            Ok(exit::DONE)
        }
    }
}

fn record_type_of(word: &str) -> anyhow::Result<RecordType> {
    RecordType::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = RecordType::ALL.iter().map(|kind| kind.word()).collect();
        CliError::usage(format!("unknown record type {word:?}; there are {}", known.join(", ")))
    })
}

fn import_records(args: &Args, file: &Path, mapping: &str, record_type: Option<&str>) -> anyhow::Result<u8> {
    let mapping = Mapping::open(mapping)?;
    let record_type = record_type.map(record_type_of).transpose()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let case = open_for_writing(&context::case_dir(args)?, "records import", &*clock)?;
    let options = IngestOptions::new(context::threads(None), clock);
    let zone = zone_of(&case)?;
    let actor = context::actor(args);
    let facts = case.facts()?;
    let mut writer = RecordWriter::open(&case, &options)?;
    let request = ImportRequest {
        record_type,
        ..ImportRequest::new(file, &mapping, &actor, &zone)
    };
    let report = import::import(facts.connection(), &mut writer, &request)?;
    drop(writer);
    let links = LinkCases::renew(&case)?;
    // The catalogue has moved on; what links messages must not look older than it.
    LinkThreads::default().renew(&case)?;
    result_line!(
        "{}",
        serde_json::to_string_pretty(&json!({"schema": crate::output::SCHEMA, "import": report, "links": links}))?
    )?;
    note!(
        "{} rows = {} new + {} updated + {} unchanged + {} excepted",
        report.rows,
        report.new,
        report.updated,
        report.unchanged,
        report.excepted
    );
    for (row, why) in &report.exceptions {
        note!("row {row}: {}", clean(why));
    }
    Ok(if report.excepted > 0 {
        exit::EXCEPTIONS
    } else {
        exit::DONE
    })
}

fn zone_of(case: &Case) -> anyhow::Result<TimeZone> {
    let name = &case.config().zone;
    TimeZone::get(name).map_err(|error| CliError::usage(format!("case.toml: zone {name:?} is not known: {error}")))
}

/// The items that a command is about.
pub(crate) fn targets(case: &Case, reader: &CatalogueReader, target: &TargetArgs) -> anyhow::Result<RoaringBitmap> {
    let mut items = RoaringBitmap::new();
    for text in &target.items {
        items.insert(resolve(reader, text)?.0);
    }
    if let Some(path) = &target.ids {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::input(format!("cannot read {}: {error}", path.display())))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            items.insert(resolve(reader, line)?.0);
        }
    }
    if let Some(query) = &target.query {
        let searcher = Searcher::open(case)?;
        let plan = searcher.plan(query).map_err(|error| exit::pointed(error, query))?;
        items |= searcher.items(&plan)?;
    }
    Ok(items)
}

/// What made a bulk change, for its event.
pub(crate) fn reason(target: &TargetArgs) -> String {
    match (&target.query, &target.ids) {
        (Some(query), _) => format!("query: {query}"),
        (None, Some(path)) => format!("ids from {}", path.display()),
        (None, None) => String::new(),
    }
}

pub(crate) fn some(items: &RoaringBitmap, target: &TargetArgs) -> anyhow::Result<()> {
    if items.is_empty() && target.query.is_none() {
        return Err(CliError::usage("no item given: name items, or use --query or --ids"));
    }
    Ok(())
}

fn reference_of(text: &str) -> anyhow::Result<ExhibitRef> {
    Ok(text.parse::<ExhibitRef>()?)
}

/// Exhibits.
pub(crate) fn exhibit(args: &Args, command: &ExhibitCommand) -> anyhow::Result<u8> {
    let case = Case::open(&context::case_dir(args)?, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = Stamp {
        actor: &actor,
        at_micros: SystemClock::new().now_micros(),
    };
    match command {
        ExhibitCommand::Add {
            reference,
            target,
            produced_by,
            description,
        } => {
            let reference = reference_of(reference)?;
            let items = targets(&case, &reader, target)?;
            let said = exhibits::Said {
                produced_by: produced_by.as_deref(),
                produced_on: None,
                description: description.as_deref(),
            };
            let writer = case.facts()?;
            let registered = exhibits::register(writer.connection(), &reference, &said, stamp)?;
            let change = exhibits::add_items(writer.connection(), &registered.exhibit, &items, &reason(target), stamp)?;
            for clash in &registered.clashes {
                note!(
                    "warning: {} also produces under these initials ({})",
                    clean(&clash.produced_by),
                    clash.reference
                );
            }
            note!(
                "{reference}: {} items added, {} were there, {} in it now",
                change.changed,
                change.as_before,
                change.members
            );
        }
        ExhibitCommand::List(list) => {
            let mut rows = Rows::new(
                "exhibits",
                &["exhibit", "produced by", "description", "items", "linked to"],
            );
            for exhibit in exhibits::list(reader.facts())? {
                let links = facts::links::of_exhibit(reader.facts(), &exhibit)?;
                let linked: Vec<String> = links.iter().map(|link| link.target.text().to_owned()).collect();
                let cells = vec![
                    exhibit.reference.to_string(),
                    clean(&exhibit.produced_by),
                    clean(&exhibit.description),
                    exhibit.count.to_string(),
                    clean(&linked.join(", ")),
                ];
                let mut object = serde_json::to_value(&exhibit)?;
                object["links"] = serde_json::to_value(&links)?;
                rows.push(cells, object)?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
        ExhibitCommand::Link { reference, case_ref } => {
            let reference = reference_of(reference)?;
            let writer = case.facts()?;
            let exhibit = exhibits::find(writer.connection(), &reference, None)?;
            let target = facts::links::Target::read(case_ref);
            let new = facts::links::add(writer.connection(), &exhibit, &target, "", stamp)?;
            note!(
                "{reference} {} {case_ref}",
                if new { "is now linked to" } else { "was linked to" }
            );
        }
    }
    Ok(exit::DONE)
}

/// Tags.
pub(crate) fn tag(args: &Args, command: &TagCommand) -> anyhow::Result<u8> {
    let case = Case::open(&context::case_dir(args)?, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = Stamp {
        actor: &actor,
        at_micros: SystemClock::new().now_micros(),
    };
    match command {
        TagCommand::Add { tag, target } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let change = tags::add(case.facts()?.connection(), tag, &items, &reason(target), stamp)?;
            note!(
                "{tag}: {} items tagged, {} were, {} carry it now",
                change.changed,
                change.as_before,
                change.members
            );
        }
        TagCommand::Remove { tag, target } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let change = tags::remove(case.facts()?.connection(), tag, &items, &reason(target), stamp)?;
            note!(
                "{tag}: taken off {} items, {} carry it now",
                change.changed,
                change.members
            );
        }
        TagCommand::List(list) => {
            let mut rows = Rows::new("tags", &["tag", "items"]);
            for set in tags::list(reader.facts())? {
                rows.push(
                    vec![clean(&set.name), set.count.to_string()],
                    json!({"tag": set.name, "items": set.count}),
                )?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
    }
    Ok(exit::DONE)
}

/// The timeline of a case.
pub(crate) fn timeline(args: &Args, asked: &TimelineArgs) -> anyhow::Result<u8> {
    let case = Case::open(&context::case_dir(args)?, Access::Read)?;
    let searcher = Searcher::open(&case)?;
    let reader = case.reader()?;
    let zone = zone_of(&case)?;
    let day = |text: &Option<String>| -> anyhow::Result<Option<jiff::civil::Date>> {
        match text {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|error| CliError::usage(format!("{text:?} is not a day (YYYY-MM-DD): {error}"))),
        }
    };
    let mut ask = Ask::of(&asked.case_ref).between(day(&asked.from)?, day(&asked.to)?, &zone);
    ask.person = asked.person.clone();
    let sources = Sources {
        facts: reader.facts(),
        items: &reader,
        names: &searcher,
        zone: &zone,
    };
    let timeline = timeline::timeline(sources, &ask)?;
    let mut rows = Rows::new("entries", &Entry::COLUMNS);
    for entry in &timeline.entries {
        rows.push(entry.row().iter().map(|cell| clean(cell)).collect(), entry)?;
    }
    let extra = vec![
        ("case_ref", timeline.case_ref.clone().into()),
        ("known_as", serde_json::to_value(&timeline.known_as)?),
        ("zone", timeline.zone.clone().into()),
        ("undated", timeline.undated.into()),
    ];
    rows.print(context::format(&asked.list), extra)?;
    note!(
        "{} entries, {} of them undated, in the material loaded",
        timeline.entries.len(),
        timeline.undated
    );
    Ok(exit::DONE)
}
