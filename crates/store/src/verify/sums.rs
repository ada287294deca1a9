//! Sums: every entry has one outcome, and the outcomes are the rows that there are.

use std::collections::BTreeMap;

use embley_model::id::{FileId, InstanceId, RunNo, SourceId};

use super::report::{Findings, next};
use crate::catalogue::{CatalogueReader, FileState, InstanceStatus, RunKind, RunState, TallyRow};
use crate::error::{Doing, Result, StoreError};

/// The sums of each finished run close, per file and per source, and agree with instances and items.
pub(super) fn runs(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let found = instances_by_run(reader)?;
    for run in reader.runs()? {
        if run.state != RunState::Done {
            continue;
        }
        findings.checked.runs += 1;
        let mut total = TallyRow::zero(run.run_no, SourceId(0), None);
        for tally in reader.tallies(run.run_no)? {
            if !tally.closes() {
                let of = tally
                    .file_id
                    .map_or_else(|| "outside of files".to_owned(), |file| format!("file {file}"));
                let place = format!("run {}, source {}, {of}", run.run_no, tally.source_id);
                findings.add("table tally", place, not_closed(&tally), next::RUN_AGAIN);
            }
            total.add(&tally);
        }
        if run.kind == RunKind::Ingest {
            for source in reader.tallies_by_source(run.run_no)? {
                let there = found.get(&(run.run_no, source.source_id)).copied().unwrap_or_default();
                agree(&source, there, findings);
            }
            parts(reader, run.run_no, total.children_items, findings)?;
        }
    }
    Ok(())
}

/// Each file's instances are consecutive and lie within it, and its ranges add up to its size.
pub(super) fn files(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let mut seen: BTreeMap<FileId, (u64, u64)> = BTreeMap::new();
    reader.for_each_instance(InstanceId(0)..InstanceId(u64::MAX >> 1), |instance| {
        let (first, count) = seen.entry(instance.file_id).or_insert((instance.instance_id.0, 0));
        if *first + *count != instance.instance_id.0 {
            let detail = format!("the instances of file {} are not consecutive", instance.file_id);
            findings.add(
                "table instance",
                format!("instance {}", instance.instance_id),
                detail,
                next::RESTORE_CATALOGUE,
            );
        }
        *count += 1;
        Ok::<_, StoreError>(())
    })?;
    let mut files = 0;
    let mut wrong: Vec<(FileId, String)> = Vec::new();
    reader.for_each_file(|file| {
        files += 1;
        let there = seen.get(&file.file_id).copied();
        let (first, count) = there.unwrap_or((file.first_instance.0, 0));
        if count != file.instance_count || first != file.first_instance.0 {
            wrong.push((
                file.file_id,
                format!(
                    "it says {} instances from {}, and there are {count} from {first}",
                    file.instance_count, file.first_instance
                ),
            ));
        }
        let ranges = file.message_bytes + file.separator_bytes + file.junk_bytes;
        if file.state == FileState::Done && ranges > 0 && ranges != file.size {
            wrong.push((
                file.file_id,
                format!(
                    "messages {} + separators {} + junk {} = {ranges} bytes, and the file has {}",
                    file.message_bytes, file.separator_bytes, file.junk_bytes, file.size
                ),
            ));
        }
        Ok::<_, StoreError>(())
    })?;
    findings.checked.files = files;
    for (file, detail) in wrong {
        let path = reader.shown_path(file).unwrap_or_default();
        findings.add("table file", format!("file {file} ({path})"), detail, next::RUN_AGAIN);
    }
    Ok(())
}

type ByStatus = [u64; 3];

fn instances_by_run(reader: &CatalogueReader) -> Result<BTreeMap<(RunNo, SourceId), ByStatus>> {
    let sql =
        "SELECT n.run_no, f.source_id, n.flags & 15, count(*) FROM instance n JOIN file f ON f.file_id = n.file_id
               GROUP BY 1, 2, 3";
    let mut statement = reader.facts().prepare(sql).doing("count instances")?;
    let mut rows = statement.query([]).doing("count instances")?;
    let mut found: BTreeMap<(RunNo, SourceId), ByStatus> = BTreeMap::new();
    while let Some(row) = rows.next().doing("count instances")? {
        let status: usize = row.get::<_, u8>(2)?.into();
        let counts = found.entry((RunNo(row.get(0)?), SourceId(row.get(1)?))).or_default();
        if let Some(count) = counts.get_mut(status) {
            *count = row.get::<_, i64>(3)?.cast_unsigned();
        }
    }
    Ok(found)
}

/// Files told unchanged by size and time are counted without instances of their own, so `unchanged` is a lower bound there.
fn agree(source: &TallyRow, there: ByStatus, findings: &mut Findings) {
    let at = |status: InstanceStatus| there[usize::from(status.code())];
    let place = format!("run {}, source {}", source.run_no, source.source_id);
    for (word, counted, rows) in [
        ("new", source.new, at(InstanceStatus::New)),
        ("duplicate", source.duplicate, at(InstanceStatus::Duplicate)),
    ] {
        if counted != rows {
            let detail = format!("{counted} entries were counted as {word}, and there are {rows} such instances");
            findings.add("table tally", place.clone(), detail, next::RUN_AGAIN);
        }
    }
    if source.unchanged < at(InstanceStatus::Unchanged) {
        let detail = format!(
            "{} entries were counted as unchanged, and there are {} such instances",
            source.unchanged,
            at(InstanceStatus::Unchanged)
        );
        findings.add("table tally", place, detail, next::RUN_AGAIN);
    }
}

fn parts(reader: &CatalogueReader, run: RunNo, counted: u64, findings: &mut Findings) -> Result<()> {
    let sql = "SELECT count(*) FROM item WHERE parent IS NOT NULL AND run_no=?1";
    let rows: i64 = reader
        .facts()
        .query_row(sql, [run.0], |row| row.get(0))
        .doing("count parts")?;
    if rows.cast_unsigned() != counted {
        let detail = format!("{counted} parts were counted as items, and there are {rows} such items");
        findings.add("table tally", format!("run {run}"), detail, next::RUN_AGAIN);
    }
    Ok(())
}

fn not_closed(tally: &TallyRow) -> String {
    format!(
        "discovered {} is not new {} + duplicate {} + unchanged {} + excluded {} + excepted {}, or parts {} are not {} + {}",
        tally.discovered,
        tally.new,
        tally.duplicate,
        tally.unchanged,
        tally.excluded,
        tally.excepted,
        tally.children_discovered,
        tally.children_items,
        tally.children_excepted
    )
}
