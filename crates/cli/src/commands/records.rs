//! `embley records`: import of case-system records, lists of them, field maps, changed decisions.

use std::path::Path;
use std::sync::Arc;

use embley_casework::case_links::About;
use embley_casework::changes::{self, Compared, Link};
use embley_casework::history::history;
use embley_casework::import::{self, DryRun, ImportReport, ImportRequest};
use embley_casework::links::LinkCases;
use embley_casework::mapping::{Mapping, SHIPPED};
use embley_casework::threads::LinkThreads;
use embley_casework::zone_of;
use embley_ingest::{IngestOptions, RecordWriter};
use embley_model::clock::{Clock, SystemClock};
use embley_model::id::ItemNo;
use embley_model::record::RecordType;
use embley_store::catalogue::CatalogueReader;
use embley_store::{Access, facts};
use serde_json::json;

use super::ingest::open_for_writing;
use super::show::resolve;
use super::text_links;
use crate::args::{Args, ChangesArgs, Format, ImportArgs, LimitArgs, ListArgs, RecordsCommand};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note, result_line};

/// Runs a `records` command.
pub(crate) fn records(args: &Args, command: &RecordsCommand) -> anyhow::Result<u8> {
    match command {
        RecordsCommand::Import(asked) if asked.dry_run => dry_run(args, asked),
        RecordsCommand::Import(asked) => import_records(args, asked),
        RecordsCommand::List {
            record_type,
            limit,
            list,
        } => list_records(args, record_type.as_deref(), limit, list),
        RecordsCommand::History { record, list } => said_before(args, record, list),
        RecordsCommand::Maps { show, list } => maps(show.as_deref(), list),
        RecordsCommand::Changes(asked) => changed(args, asked),
        RecordsCommand::Links(asked) => super::timeline::links(args, asked),
        RecordsCommand::Link(asked) => super::timeline::link(args, asked),
        RecordsCommand::CaseLinks { case_ref, limit, list } => {
            text_links::list(args, About::Case(case_ref), limit, list)
        }
        RecordsCommand::CaseLink { case_ref, said } => text_links::say(args, About::Case(case_ref), said),
    }
}

fn record_type_of(word: &str) -> anyhow::Result<RecordType> {
    RecordType::from_word(word).ok_or_else(|| {
        let known: Vec<&str> = RecordType::ALL.iter().map(|kind| kind.word()).collect();
        CliError::usage(format!("unknown record type {word:?}; there are {}", known.join(", ")))
    })
}

fn import_records(args: &Args, asked: &ImportArgs) -> anyhow::Result<u8> {
    let mapping = Mapping::open(&asked.mapping)?;
    let record_type = asked.record_type.as_deref().map(record_type_of).transpose()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let case = open_for_writing(&context::case_dir(args)?, "records import", &*clock)?;
    let options = IngestOptions::new(context::threads(None), clock);
    let zone = zone_of(&case)?;
    let actor = context::actor(args);
    let facts = case.facts()?;
    let mut writer = RecordWriter::open(&case, &options)?;
    let mut reports: Vec<ImportReport> = Vec::new();
    for file in &asked.files {
        let request = ImportRequest {
            record_type,
            input: asked.input.as_deref(),
            sheet: asked.sheet.as_deref(),
            ..ImportRequest::new(file, &mapping, &actor, &zone)
        };
        let report = import::import(facts.connection(), &mut writer, &request)?;
        note_report(file, &report);
        reports.push(report);
    }
    drop(writer);
    // Before anything is made of the new records that others read.
    embley_casework::quarantine::screen(&case, true, "after an import of records", context::stamp(&actor))?;
    let links = LinkCases::renew(&case)?;
    // The catalogue has moved on; what links messages must not look older than it.
    LinkThreads::default().renew(&case)?;
    let mut document = json!({"schema": crate::output::SCHEMA, "imports": reports, "links": links});
    if let [only] = reports.as_slice() {
        document["import"] = serde_json::to_value(only)?;
    }
    result_line!("{}", serde_json::to_string_pretty(&document)?)?;
    Ok(if reports.iter().any(|report| report.excepted > 0) {
        exit::EXCEPTIONS
    } else {
        exit::DONE
    })
}

fn note_report(file: &Path, report: &ImportReport) {
    if report.due == report.rows && report.types.len() <= 1 {
        note!(
            "{} rows = {} new + {} updated + {} unchanged + {} excepted",
            report.rows,
            report.new,
            report.updated,
            report.unchanged,
            report.excepted
        );
    } else {
        note!("{}: {} rows, {} records due", file.display(), report.rows, report.due);
        for (word, counts) in &report.types {
            note!(
                "  {word}: {} due = {} new + {} updated + {} unchanged + {} excepted",
                counts.due,
                counts.new,
                counts.updated,
                counts.unchanged,
                counts.excepted
            );
        }
    }
    if !report.missing_columns.is_empty() {
        note!(
            "columns that the map reads and the file has not: {}",
            clean(&report.missing_columns.join(", "))
        );
    }
    if report.said_otherwise > 0 {
        note!(
            "{} rows say otherwise than an earlier row of the file with the same id; the later one holds, and `records history` shows both",
            report.said_otherwise
        );
    }
    for (vocabulary, words) in &report.unknown_words {
        let some: Vec<String> = words
            .iter()
            .take(10)
            .map(|(word, count)| format!("{word} ({count})"))
            .collect();
        note!(
            "words that {vocabulary} does not have, kept as they are: {}",
            clean(&some.join(", "))
        );
    }
    for (row, why) in &report.exceptions {
        note!("row {row}: {}", clean(why));
    }
}

fn dry_run(args: &Args, asked: &ImportArgs) -> anyhow::Result<u8> {
    let mapping = Mapping::open(&asked.mapping)?;
    let record_type = asked.record_type.as_deref().map(record_type_of).transpose()?;
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let zone = zone_of(&case)?;
    let actor = context::actor(args);
    let mut excepted = false;
    let mut all = Vec::new();
    for file in &asked.files {
        let request = ImportRequest {
            record_type,
            input: asked.input.as_deref(),
            sheet: asked.sheet.as_deref(),
            ..ImportRequest::new(file, &mapping, &actor, &zone)
        };
        let run = import::dry_run(Some(reader.facts()), &request)?;
        note_report(file, &run.report);
        excepted |= run.report.excepted > 0;
        all.push(run);
    }
    note!("dry run: nothing was written");
    match context::format(&asked.list) {
        Format::Json => {
            let document = json!({"schema": crate::output::SCHEMA, "dry_runs": all});
            result_line!(
                "{}",
                serde_json::to_string_pretty(&crate::output::said_unrecorded(document))?
            )?;
        }
        format => {
            for run in &all {
                columns_of(run)?.print(format, Vec::new())?;
                fields_of(run)?.print(format, Vec::new())?;
            }
        }
    }
    Ok(if excepted { exit::EXCEPTIONS } else { exit::DONE })
}

fn columns_of(run: &DryRun) -> anyhow::Result<Rows> {
    let mut rows = Rows::new("columns", &["column", "fills", "rows", "samples"]);
    for one in &run.columns {
        let fills = if one.fills.is_empty() {
            "(kept under raw)".to_owned()
        } else {
            one.fills.join(", ")
        };
        let cells = vec![
            clean(&one.column),
            fills,
            one.filled.to_string(),
            clean(&one.samples.join(" | ")),
        ];
        rows.push(cells, one)?;
    }
    Ok(rows)
}

fn fields_of(run: &DryRun) -> anyhow::Result<Rows> {
    let mut rows = Rows::new("fields", &["type", "field", "records", "not readable", "samples"]);
    for one in &run.fields {
        let field = if one.known {
            clean(&one.field)
        } else {
            format!("{} (extra)", clean(&one.field))
        };
        let mut samples = one.samples.clone();
        samples.extend(one.unread_samples.iter().map(|text| format!("not readable: {text}")));
        let cells = vec![
            one.record_type.clone(),
            field,
            one.filled.to_string(),
            one.unread.to_string(),
            clean(&samples.join(" | ")),
        ];
        rows.push(cells, one)?;
    }
    Ok(rows)
}

fn list_records(args: &Args, word: Option<&str>, limit: &LimitArgs, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let wanted = word.map(record_type_of).transpose()?;
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

/// The item of a record: by item, or by type, system and id.
fn record_item(reader: &CatalogueReader, text: &str) -> anyhow::Result<ItemNo> {
    let of_type = text.split_once(':').and_then(|(prefix, _)| {
        let mut kinds = RecordType::ALL.iter().copied();
        kinds
            .find(|kind| kind.prefix() == prefix || kind.word() == prefix)
            .map(|kind| (kind, prefix))
    });
    let Some((kind, prefix)) = of_type.filter(|(_, prefix)| *prefix != "item") else {
        let item = resolve(reader, text)?;
        if facts::records::of_item(reader.facts(), item)?.is_none() {
            return Err(CliError::usage(format!(
                "item {item} is no record; `records list` names them"
            )));
        }
        return Ok(item);
    };
    let bare = &text[prefix.len() + 1..];
    let found = facts::records::named(reader.facts(), kind, bare)?;
    match found.as_slice() {
        [one] => Ok(one.item),
        [] => Err(CliError::usage(format!(
            "no record has the id {text:?}; `records list` names them"
        ))),
        several => Err(CliError::usage(format!(
            "{text:?} is the id of {} records; say which with its system, as in {}:SYSTEM/ID",
            several.len(),
            kind.prefix()
        ))),
    }
}

fn said_before(args: &Args, text: &str, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let item = record_item(&reader, text)?;
    let versions = history(reader.facts(), item)?;
    let key = facts::records::of_item(reader.facts(), item)?.map(|stored| stored.key.display());
    let mut rows = Rows::new(
        "versions",
        &["version", "imported", "source", "row", "field", "before", "after"],
    );
    let said = |value: &Option<serde_json::Value>| match value {
        None => String::new(),
        Some(serde_json::Value::String(text)) => clean(text),
        Some(other) => clean(&other.to_string()),
    };
    for version in &versions {
        let head = vec![
            version.version.to_string(),
            version.imported_at.clone(),
            clean(&version.source),
            version.source_row.to_string(),
        ];
        let mut line = 0;
        for change in &version.changes {
            let cells = [clean(&change.field), said(&change.before), said(&change.after)];
            let object = json!({"version": version.version, "imported_at": version.imported_at, "run": version.run,
                "source": version.source, "source_row": version.source_row, "same_columns": version.same_columns, "change": change});
            rows.push([head.clone(), cells.to_vec()].concat(), object)?;
            line += 1;
        }
        if line == 0 {
            let cells = vec![String::new(), String::new(), String::new()];
            let object = json!({"version": version.version, "imported_at": version.imported_at, "run": version.run,
                "source": version.source, "source_row": version.source_row, "same_columns": version.same_columns, "change": null});
            rows.push([head, cells].concat(), object)?;
        }
    }
    note!(
        "{} was imported with {} {}",
        key.as_deref().map(clean).unwrap_or_default(),
        versions.len(),
        if versions.len() == 1 {
            "content"
        } else {
            "different contents, one after the other"
        }
    );
    rows.print(
        context::format(list),
        vec![("record", key.into()), ("item_no", item.0.into())],
    )?;
    Ok(exit::DONE)
}

fn maps(show: Option<&str>, list: &ListArgs) -> anyhow::Result<u8> {
    if let Some(name) = show {
        let found = SHIPPED.iter().find(|one| one.name == name);
        let found = found
            .ok_or_else(|| CliError::usage(format!("there is no field map {name:?}; `records maps` lists them")))?;
        result_line!("{}", found.text.trim_end())?;
        return Ok(exit::DONE);
    }
    let mut rows = Rows::new("maps", &["map", "inputs", "about"]);
    for shipped in SHIPPED {
        let map = Mapping::open(shipped.name)?;
        let inputs: Vec<&str> = map.inputs.iter().map(|input| input.name.as_str()).collect();
        let about = map.about.trim().to_owned();
        let object = json!({"name": map.name, "inputs": inputs, "about": about, "source_system": map.source_system});
        rows.push(vec![map.name.clone(), inputs.join(", "), about], object)?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

fn changed(args: &Args, asked: &ChangesArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let ask = changes::Ask {
        decision_types: asked.decision_types.clone(),
        case_ref: asked.case_ref.clone(),
        source_system: asked.system.clone(),
    };
    let found = changes::changes(reader.facts(), &ask, &zone_of(&case)?)?;
    note!(
        "{} decisions; {} pairs = {} same + {} outcome changed + {} sanction changed + {} not stated; {} decisions in no pair",
        found.decisions,
        found.pair_count,
        found.same,
        found.outcome_changed,
        found.sanction_changed,
        found.not_stated,
        found.alone
    );
    let mut sums = serde_json::to_value(&found)?;
    if let Some(object) = sums.as_object_mut() {
        object.remove("pairs");
    }
    let format = context::format(&asked.list);
    if asked.counts {
        let mut rows = Rows::new("transitions", &["from", "to", "pairs"]);
        for one in &found.transitions {
            rows.push(vec![clean(&one.from), clean(&one.to), one.count.to_string()], one)?;
        }
        rows.print(format, vec![("sums", sums)])?;
        return Ok(exit::DONE);
    }
    let mut rows = Rows::new(
        "pairs",
        &[
            "case",
            "person",
            "kind",
            "earlier",
            "later",
            "compared",
            "pair",
            "earlier item",
            "later item",
        ],
    );
    let most = usize::try_from(context::limit(&asked.limit).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let wanted = found
        .pairs
        .iter()
        .filter(|pair| !asked.changed || matches!(pair.compared, Compared::Outcome | Compared::Sanction));
    for pair in wanted.take(most) {
        let side = |side: &changes::Side| {
            let words = [
                side.outcome.as_deref(),
                side.sanction.as_deref(),
                side.decided_by.as_deref(),
                side.decided_at.as_deref(),
            ];
            clean(&words.into_iter().flatten().collect::<Vec<_>>().join("; "))
        };
        let compared = match pair.compared {
            Compared::Same => "same",
            Compared::Outcome => "outcome changed",
            Compared::Sanction => "sanction changed",
            Compared::NotStated => "not stated",
        };
        let link = match pair.link {
            Link::Said => "said",
            Link::Sequence => "in sequence",
        };
        let cells = vec![
            clean(&pair.case_ref),
            clean(&pair.subject_person_ids.join(", ")),
            clean(&pair.later.decision_type),
            side(&pair.earlier),
            side(&pair.later),
            compared.to_owned(),
            link.to_owned(),
            pair.earlier.item_no.to_string(),
            pair.later.item_no.to_string(),
        ];
        rows.push(cells, pair)?;
    }
    rows.print(format, vec![("sums", sums)])?;
    Ok(exit::DONE)
}
