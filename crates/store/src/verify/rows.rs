//! Rows: checkpoints ascend, numbers are dense, references lead somewhere; deep, each row can be read and agrees with its neighbours.

use embley_model::id::{InstanceId, ItemNo};
use rusqlite::OptionalExtension;

use super::packs::report;
use super::report::{Findings, next};
use crate::catalogue::CatalogueReader;
use crate::error::{Doing, Result, StoreError};

/// Checkpoints go forward only, and the last one counts the rows that there are.
pub(super) fn checkpoints(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let all = reader.checkpoints()?;
    for pair in all.windows(2) {
        let [one, two] = pair else { continue };
        let forward = one.pack <= two.pack
            && one.next_item <= two.next_item
            && one.next_blob <= two.next_blob
            && one.next_instance <= two.next_instance;
        if !forward {
            let detail = format!("it counts less than ticket {} before it", one.ticket);
            findings.add(
                "table checkpoint",
                format!("ticket {}", two.ticket),
                detail,
                next::RESTORE_CATALOGUE,
            );
        }
    }
    let last = reader.checkpoint();
    for (table, id, next_id) in [
        ("item", "item_no", u64::from(last.next_item)),
        ("blob", "blob_id", u64::from(last.next_blob)),
        ("instance", "instance_id", last.next_instance),
    ] {
        let sql = format!("SELECT count(*), ifnull(min({id}),1), ifnull(max({id}),0) FROM {table}");
        let (count, min, max): (u64, u64, u64) = reader
            .facts()
            .query_row(&sql, [], |row| {
                Ok((
                    row.get::<_, i64>(0)?.cast_unsigned(),
                    row.get::<_, i64>(1)?.cast_unsigned(),
                    row.get::<_, i64>(2)?.cast_unsigned(),
                ))
            })
            .doing("count rows")?;
        if count + 1 != next_id || min != 1 || max != count {
            let detail = format!(
                "{count} rows numbered {min} to {max}, where the last checkpoint says 1 to {}",
                next_id - 1
            );
            findings.add(&format!("table {table}"), "all rows", detail, next::RESTORE_CATALOGUE);
        }
    }
    findings.checked.items = reader.counts().items;
    findings.checked.instances = reader.counts().instances;
    Ok(())
}

/// Queries that give the ids of rows which name something that is not there.
const REFERENCES: [(&str, &str, &str, &str); 14] = [
    ("item", "item_no", "blob_id < 1 OR blob_id >= ?1", "its blob has no row"),
    (
        "item",
        "item_no",
        "root < 1 OR root > item_no OR (parent IS NULL) <> (root = item_no)",
        "its top-level item cannot be",
    ),
    (
        "item",
        "item_no",
        "parent IS NOT NULL AND (parent < root OR parent >= item_no)",
        "it is a part of an item that cannot be",
    ),
    (
        "item",
        "item_no",
        "(family_size > 0) <> (parent IS NULL)",
        "its family size cannot be",
    ),
    (
        "item",
        "item_no",
        "media_type NOT IN (SELECT word_id FROM word)",
        "its media type has no row",
    ),
    (
        "item",
        "item_no",
        "run_no NOT IN (SELECT run_no FROM run)",
        "its run has no row",
    ),
    (
        "blob",
        "blob_id",
        "(pack IS NOT NULL) + (root_item IS NOT NULL) + (pack IS NULL AND root_item IS NULL AND frame_offset IS NOT NULL) <> 1",
        "it is neither in a pack nor derived nor in a source, or more than one of them",
    ),
    (
        "blob",
        "blob_id",
        "pack IS NOT NULL AND (frame_offset IS NULL OR offset_in_frame IS NULL)",
        "its place is not whole",
    ),
    (
        "blob",
        "blob_id",
        "length(blake3) <> 32 OR length(sha256) <> 32",
        "its hashes have not 32 bytes",
    ),
    (
        "instance",
        "instance_id",
        "file_id NOT IN (SELECT file_id FROM file)",
        "its file has no row",
    ),
    (
        "instance",
        "instance_id",
        "run_no NOT IN (SELECT run_no FROM run)",
        "its run has no row",
    ),
    (
        "file",
        "file_id",
        "source_id NOT IN (SELECT source_id FROM source) OR folder_id NOT IN (SELECT folder_id FROM folder)",
        "its source or folder has no row",
    ),
    (
        "file",
        "file_id",
        "custodian_id IS NOT NULL AND custodian_id NOT IN (SELECT custodian_id FROM custodian)",
        "its custodian has no row",
    ),
    (
        "folder",
        "folder_id",
        "source_id NOT IN (SELECT source_id FROM source)",
        "its source has no row",
    ),
];

/// References whose bound is a count of the checkpoint.
const BOUNDED: [(&str, &str, &str, &str); 3] = [
    (
        "blob",
        "blob_id",
        "root_item < 1 OR root_item >= ?1",
        "the item it is derived from has no row",
    ),
    (
        "blob",
        "blob_id",
        "top_item < 1 OR top_item >= ?1",
        "its top-level item has no row",
    ),
    (
        "instance",
        "instance_id",
        "item_no < 1 OR item_no >= ?1",
        "its item has no row",
    ),
];

/// Every reference leads to a row.
pub(super) fn references(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let last = reader.checkpoint();
    for (table, id, wrong, detail) in REFERENCES {
        list(reader, table, id, wrong, last.next_blob, detail, findings)?;
    }
    for (table, id, wrong, detail) in BOUNDED {
        list(reader, table, id, wrong, last.next_item, detail, findings)?;
    }
    let sql = "SELECT ifnull(sum(family_size),0) FROM item";
    let families: i64 = reader
        .facts()
        .query_row(sql, [], |row| row.get(0))
        .doing("add up families")?;
    if families.cast_unsigned() != reader.counts().items {
        let detail = format!(
            "families add up to {families} items, and there are {}",
            reader.counts().items
        );
        findings.add("table item", "family_size", detail, next::RESTORE_CATALOGUE);
    }
    Ok(())
}

fn list(
    reader: &CatalogueReader,
    table: &str,
    id: &str,
    wrong: &str,
    bound: u32,
    detail: &'static str,
    findings: &mut Findings,
) -> Result<()> {
    let sql = if wrong.contains("?1") {
        format!("SELECT {id} FROM {table} WHERE {wrong}")
    } else {
        format!("SELECT {id} FROM {table} WHERE (?1 >= 0) AND ({wrong})")
    };
    let mut statement = reader.facts().prepare(&sql).doing("prepare a check")?;
    let mut rows = statement.query([bound]).doing("check references")?;
    while let Some(row) = rows.next().doing("check references")? {
        let place = format!("{table} {}", row.get::<_, i64>(0)?);
        findings.add(&format!("table {table}"), place, detail, next::RESTORE_CATALOGUE);
    }
    Ok(())
}

/// SQLite's own check of the file.
pub(super) fn integrity(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let mut statement = reader
        .facts()
        .prepare("PRAGMA integrity_check(100)")
        .doing("check the catalogue")?;
    let mut rows = statement.query([]).doing("check the catalogue")?;
    while let Some(row) = rows.next().doing("check the catalogue")? {
        let line: String = row.get(0)?;
        if line != "ok" {
            findings.add("catalogue.sqlite", "SQLite's own check", line, next::RESTORE_CATALOGUE);
        }
    }
    Ok(())
}

/// Reads each item, defect and instance, and compares them with blobs and roots.
pub(super) fn every_row(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let everything = ItemNo(0)..ItemNo(u32::MAX);
    let read = reader.for_each_item(everything.clone(), |item| {
        // Only that it can be read: what it says is compared below and by the sets.
        std::hint::black_box(&item);
        Ok::<_, StoreError>(())
    });
    damage(read, findings)?;
    damage(
        reader.for_each_defect(everything, |_| Ok::<_, StoreError>(())),
        findings,
    )?;
    let roots = reader.roots()?;
    let instances = reader.for_each_instance(InstanceId(0)..InstanceId(u64::MAX >> 1), |instance| {
        if !roots.contains(instance.item_no.0) {
            let detail = format!("item {} is not a top-level item", instance.item_no);
            findings.add(
                "table instance",
                format!("instance {}", instance.instance_id),
                detail,
                next::RESTORE_CATALOGUE,
            );
        }
        Ok::<_, StoreError>(())
    });
    damage(instances, findings)?;
    for (wrong, detail) in [
        ("i.size <> b.size", "its size is not that of its blob"),
        (
            "i.parent IS NULL AND b.top_item IS NULL",
            "it is a top-level item, and its blob does not say so",
        ),
    ] {
        let sql = format!("SELECT i.item_no FROM item i JOIN blob b ON b.blob_id = i.blob_id WHERE {wrong}");
        let mut statement = reader.facts().prepare(&sql).doing("compare items with blobs")?;
        let mut rows = statement.query([]).doing("compare items with blobs")?;
        while let Some(row) = rows.next().doing("compare items with blobs")? {
            findings.add(
                "table item",
                format!("item {}", row.get::<_, i64>(0)?),
                detail,
                next::RESTORE_CATALOGUE,
            );
        }
    }
    top_items(reader, findings)?;
    equal_blobs(reader, findings)
}

/// `top_item` of a blob is a top-level item with that blob, or a record that had these bytes in an earlier version.
fn top_items(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let sql = "SELECT b.blob_id, b.top_item FROM blob b JOIN item i ON i.item_no = b.top_item
               WHERE (i.blob_id <> b.blob_id AND i.kind <> 3) OR i.parent IS NOT NULL";
    let mut statement = reader.facts().prepare(sql).doing("compare blobs with items")?;
    let mut rows = statement.query([]).doing("compare blobs with items")?;
    while let Some(row) = rows.next().doing("compare blobs with items")? {
        let detail = format!(
            "item {} is not the top-level item with these bytes",
            row.get::<_, i64>(1)?
        );
        findings.add(
            "table blob",
            format!("blob {}", row.get::<_, i64>(0)?),
            detail,
            next::RESTORE_CATALOGUE,
        );
    }
    Ok(())
}

/// The same bytes are one blob.
fn equal_blobs(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let sql = "SELECT min(blob_id), max(blob_id) FROM blob GROUP BY blake3 HAVING count(*) > 1 LIMIT 1000";
    let mut statement = reader.facts().prepare(sql).doing("compare blobs")?;
    let mut rows = statement.query([]).doing("compare blobs")?;
    while let Some(row) = rows.next().doing("compare blobs")? {
        let detail = format!("blob {} has the same bytes", row.get::<_, i64>(0)?);
        findings.add(
            "table blob",
            format!("blob {}", row.get::<_, i64>(1)?),
            detail,
            next::REPORT,
        );
    }
    let same_sha = "SELECT 1 FROM blob GROUP BY sha256 HAVING count(DISTINCT blake3) > 1 LIMIT 1";
    if reader
        .facts()
        .query_row(same_sha, [], |_| Ok(()))
        .optional()
        .doing("compare blobs")?
        .is_some()
    {
        let detail = "two blobs have one SHA-256 and different BLAKE3";
        findings.add("table blob", "sha256", detail, next::RESTORE_CATALOGUE);
    }
    Ok(())
}

/// A row that cannot be read is a finding and ends this pass over the table.
fn damage(result: Result<()>, findings: &mut Findings) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => report(findings, "catalogue.sqlite", error, next::RESTORE_CATALOGUE),
    }
}
