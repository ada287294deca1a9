//! `embley status`, `runs`, `exceptions`: what is in the case, what each run did, what could not be read.

use std::collections::BTreeMap;

use embley_ingest::{Retry, RunReport, Sums, run_id};
use embley_model::defect::Class;
use embley_model::id::{ItemNo, RunNo};
use embley_model::item::ItemKind;
use embley_store::catalogue::{CatalogueReader, RunRow, Sight};
use embley_store::facts::users;
use embley_store::{Access, StoreError};
use serde_json::{Value, json};

use crate::args::{Args, ExceptionsArgs, Format, ListArgs, RunsCommand};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, note, result_line};

/// The reconciliation of every run, and what the case holds.
pub(crate) fn status(args: &Args, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    // Reconciliation is of the whole case: what is quarantined was taken in like all else. What cannot be searched is of what is seen.
    let whole = case.reader_as(Sight::Whole)?;
    let totals = totals(&whole, &reader)?;
    let mut rows = Rows::new(
        "runs",
        &[
            "run",
            "kind",
            "state",
            "found",
            "new",
            "duplicate",
            "unchanged",
            "excluded",
            "excepted",
            "parts",
            "balanced",
        ],
    );
    let runs = reader.runs()?;
    for run in &runs {
        let (sums, balanced) = sums_of(&reader, run)?;
        let cells = vec![
            run_id(run.run_no),
            run.kind.word().to_owned(),
            run.state.word().to_owned(),
            sums.discovered.to_string(),
            sums.new.to_string(),
            sums.duplicate.to_string(),
            sums.unchanged.to_string(),
            sums.excluded.to_string(),
            sums.excepted.to_string(),
            sums.children.discovered.to_string(),
            if balanced { "yes" } else { "NO" }.to_owned(),
        ];
        let mut object = json!({
            "id": run_id(run.run_no), "kind": run.kind.word(), "state": run.state.word(),
            "started": stamp(run.started_micros), "ended": run.ended_micros.map(stamp), "balanced": balanced,
            "items": totals["items"], "instances": totals["instances"], "not_searchable": totals["not_searchable"],
        });
        merge(&mut object, serde_json::to_value(sums)?);
        rows.push(cells, object)?;
    }
    let config = case.config();
    let described = json!({
        "name": config.name, "reference": config.reference, "zone": config.zone, "id": config.id, "format": config.format,
    });
    let format = context::format(list);
    rows.print(format, vec![("case", described), ("totals", totals.clone())])?;
    if format == Format::Table {
        result_line!("items: {}", flat(&totals["items"]))?;
        result_line!(
            "instances: {}; originals {} bytes",
            totals["instances"],
            totals["bytes"]
        )?;
        result_line!("not searchable: {}", flat(&totals["not_searchable"]))?;
    }
    if users::list(reader.facts())?.is_empty() {
        note!("{}", context::NOT_IN_FORCE);
    }
    Ok(exit::DONE)
}

fn merge(object: &mut Value, more: Value) {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
}

fn flat(object: &Value) -> String {
    let Some(members) = object.as_object() else {
        return String::new();
    };
    if members.is_empty() {
        return "nothing".to_owned();
    }
    members
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn stamp(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |stamp| stamp.to_string())
}

/// A finished run keeps its report; a running one is summed up from the rows so far.
fn sums_of(reader: &CatalogueReader, run: &RunRow) -> anyhow::Result<(Sums, bool)> {
    if let Ok(report) = serde_json::from_str::<RunReport>(&run.summary) {
        return Ok((report.sums, report.balanced));
    }
    let mut sums = Sums::default();
    for row in reader.tallies_by_source(run.run_no)? {
        sums.add(&row);
    }
    Ok((sums, sums.balanced()))
}

/// Items by kind, instances, bytes of originals, and what cannot be searched, by reason.
fn totals(reader: &CatalogueReader, seen: &CatalogueReader) -> anyhow::Result<Value> {
    let roots = reader.roots()?;
    let mut items: BTreeMap<&str, u64> = BTreeMap::new();
    for kind in ItemKind::ALL {
        let of_kind = reader.kind_items(kind)?;
        items.insert(kind.word(), of_kind.len());
        if kind == ItemKind::Email {
            items.insert("email_top", of_kind.intersection_len(&roots));
        }
    }
    let mut not_searchable: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, searchability, count) in seen.searchability_counts()? {
        if searchability.word() != "searched" {
            *not_searchable.entry(searchability.word()).or_insert(0) += count;
        }
    }
    let mut bytes = 0;
    reader.for_each_brief::<StoreError>(ItemNo(1)..ItemNo(u32::MAX), |brief| {
        if brief.root == brief.item_no {
            bytes += brief.size;
        }
        Ok(())
    })?;
    Ok(json!({
        "items": items, "instances": reader.counts().instances, "bytes": bytes, "not_searchable": not_searchable,
    }))
}

/// Earlier runs.
pub(crate) fn runs(args: &Args, command: &RunsCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    match command {
        RunsCommand::List(list) => {
            let mut rows = Rows::new("runs", &["run", "kind", "state", "started", "ended"]);
            for run in reader.runs()? {
                let ended = run.ended_micros.map(stamp);
                let cells = vec![
                    run_id(run.run_no),
                    run.kind.word().to_owned(),
                    run.state.word().to_owned(),
                    stamp(run.started_micros),
                    ended.clone().unwrap_or_default(),
                ];
                let object = json!({
                    "id": run_id(run.run_no), "kind": run.kind.word(), "state": run.state.word(),
                    "started": stamp(run.started_micros), "ended": ended,
                });
                rows.push(cells, object)?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
        RunsCommand::Show { id } => {
            let digits = id.trim_start_matches("run:");
            let run_no = digits
                .parse()
                .map(RunNo)
                .map_err(|_| CliError::usage(format!("{id:?} is not a run id")))?;
            let run = reader.runs()?.into_iter().find(|run| run.run_no == run_no);
            let run = run.ok_or_else(|| CliError::usage(format!("there is no {}", run_id(run_no))))?;
            let text = |text: &str| serde_json::from_str(text).unwrap_or(Value::String(text.to_owned()));
            let document = json!({
                "schema": crate::output::SCHEMA, "id": run_id(run_no), "kind": run.kind.word(), "state": run.state.word(),
                "started": stamp(run.started_micros), "ended": run.ended_micros.map(stamp),
                "request": text(&run.settings), "report": text(&run.summary),
            });
            result_line!(
                "{}",
                serde_json::to_string_pretty(&crate::output::said_unrecorded(document))?
            )?;
        }
    }
    Ok(exit::DONE)
}

/// The exception register, then the defects of items.
pub(crate) fn exceptions(args: &Args, wanted: &ExceptionsArgs) -> anyhow::Result<u8> {
    if wanted.retry {
        if let Some(word) = wanted.class.as_deref() {
            class_of(word)?;
        }
        let retry = Retry {
            class: wanted.class.clone(),
            media_type: wanted.media_type.clone(),
            reader: wanted.reader.clone(),
        };
        return super::ingest::retry(args, retry, wanted.passwords.as_deref(), &wanted.keys);
    }
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let class = match wanted.class.as_deref() {
        None => None,
        Some(word) => Some(class_of(word)?),
    };
    let limit = context::limit(&wanted.limit).unwrap_or(u64::MAX);
    let mut rows = Rows::new(
        "exceptions",
        &["run", "class", "code", "where", "range", "detail", "done"],
    );
    let mut total: u64 = 0;
    let mut add = |rows: &mut Rows, cells: [String; 7], object: Value| -> anyhow::Result<()> {
        total += 1;
        if total <= limit {
            rows.push(cells.to_vec(), object)
        } else {
            Ok(())
        }
    };
    let register = reader.exceptions(None)?;
    let resolved = reader.resolved_by(&register)?;
    for (row, resolved) in register.into_iter().zip(resolved) {
        if class.is_some_and(|class| class != row.class) {
            continue;
        }
        let range = row
            .range
            .as_ref()
            .map_or_else(String::new, |range| format!("{}..{}", range.start, range.end));
        let object = json!({
            "run": run_id(row.run_no), "class": row.class, "phase": row.phase, "code": row.code.text(), "means": row.code.means(),
            "path": row.path, "item_no": null, "range": row.range.map(|range| [range.start, range.end]),
            "detail": row.detail, "action": row.action, "resolved": resolved.map(run_id),
        });
        let done = match resolved {
            Some(run) => format!("resolved: {} took it in", run_id(run)),
            None => row.action,
        };
        let cells = [
            run_id(row.run_no),
            word_of(row.class).to_owned(),
            row.code.text().to_owned(),
            row.path,
            range,
            row.detail,
            done,
        ];
        add(&mut rows, cells, object)?;
    }
    let mut defects = Vec::new();
    reader.for_each_defect::<StoreError>(ItemNo(1)..ItemNo(u32::MAX), |defect| {
        if class.is_none_or(|class| class == defect.code.class()) {
            defects.push(defect);
        }
        Ok(())
    })?;
    for defect in defects {
        let range = defect
            .range
            .as_ref()
            .map_or_else(String::new, |range| format!("{}..{}", range.start, range.end));
        let object = json!({
            "run": null, "class": defect.code.class(), "phase": defect.code.phase(), "code": defect.code.text(),
            "means": defect.code.means(), "path": null, "item_no": defect.item_no.0,
            "range": defect.range.map(|range| [range.start, range.end]), "detail": defect.detail, "action": "the item is kept", "resolved": null,
        });
        let cells = [
            String::new(),
            word_of(defect.code.class()).to_owned(),
            defect.code.text().to_owned(),
            format!("item {}", defect.item_no),
            range,
            defect.detail,
            "the item is kept".to_owned(),
        ];
        add(&mut rows, cells, object)?;
    }
    let shown = rows.rows.len() as u64;
    rows.print(context::format(&wanted.list), vec![("total", total.into())])?;
    if shown < total {
        note!("{shown} of {total}; --all lists them all");
    }
    Ok(exit::DONE)
}

fn class_of(word: &str) -> anyhow::Result<Class> {
    [Class::Note, Class::Warning, Class::Loss, Class::Excepted]
        .into_iter()
        .find(|class| word_of(*class) == word)
        .ok_or_else(|| {
            CliError::usage(format!(
                "unknown class {word:?}; there are note, warning, loss, excepted"
            ))
        })
}

fn word_of(class: Class) -> &'static str {
    match class {
        Class::Note => "note",
        Class::Warning => "warning",
        Class::Loss => "loss",
        Class::Excepted => "excepted",
    }
}
