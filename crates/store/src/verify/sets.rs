//! Sets follow from rows: by their sizes, and deep by making each of them again.

use std::collections::BTreeMap;

use embley_model::id::{InstanceId, ItemNo};
use embley_model::item::{ItemKind, Searchability};
use roaring::RoaringBitmap;

use super::report::{Findings, next};
use crate::catalogue::{CatalogueReader, SetKind};
use crate::error::{Doing, Result, StoreError};

/// Items of all kinds, and items of all degrees of searchability, are all items, each once.
pub(super) fn sizes(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let items = reader.counts().items;
    let (mut kinds, mut degrees) = (0, 0);
    for kind in ItemKind::ALL {
        kinds += reader.kind_items(kind)?.len();
    }
    for degree in Searchability::ALL {
        degrees += reader.searchability_items(degree)?.len();
    }
    for (word, sum) in [("kind", kinds), ("searchability", degrees)] {
        if sum != items {
            let detail = format!("the sets by {word} hold {sum} items, and there are {items}");
            findings.add("table set_delta", word, detail, next::RESTORE_CATALOGUE);
        }
    }
    Ok(())
}

/// Makes every set again from rows and compares.
pub(super) fn every_set(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let mut wanted: BTreeMap<(SetKind, String), RoaringBitmap> = BTreeMap::new();
    reader.for_each_brief(ItemNo(0)..ItemNo(u32::MAX), |item| {
        let mut put = |kind, key: String| wanted.entry((kind, key)).or_default().insert(item.item_no.0);
        if item.parent.is_none() {
            put(SetKind::Root, String::new());
        }
        put(SetKind::Kind, item.kind.code().to_string());
        put(SetKind::Searchability, item.searchability.code().to_string());
        Ok::<_, StoreError>(())
    })?;
    let roots = wanted.get(&(SetKind::Root, String::new())).cloned().unwrap_or_default();
    for ((kind, key), found) in found_sets(reader)? {
        let families = crate::catalogue::families(&found, &roots, reader.checkpoint().next_item);
        *wanted.entry((kind, key)).or_default() |= families;
    }
    for kind in SetKind::ALL {
        for key in reader.set_keys(*kind)? {
            wanted.entry((*kind, key)).or_default();
        }
    }
    for ((kind, key), want) in wanted {
        let have = reader.set(kind, &key)?;
        if have != want {
            let (missing, extra) = ((&want - &have).len(), (&have - &want).len());
            let detail = format!("{missing} items are missing from it and {extra} do not belong to it");
            findings.add(
                "table set_delta",
                format!("{} {key:?}", kind.word()),
                detail,
                next::RESTORE_CATALOGUE,
            );
        }
    }
    Ok(())
}

/// The quarantine's state against its events.
pub(super) fn quarantine(reader: &CatalogueReader, findings: &mut Findings) -> Result<()> {
    let faults = crate::facts::quarantine::verify(reader.facts()).map_err(crate::catalogue::store_error)?;
    for fault in faults {
        findings.add("table quarantine_state", "quarantine", fault, next::RESTORE_CATALOGUE);
    }
    Ok(())
}

fn found_sets(reader: &CatalogueReader) -> Result<BTreeMap<(SetKind, String), RoaringBitmap>> {
    let mut found: BTreeMap<(SetKind, String), RoaringBitmap> = BTreeMap::new();
    let sql = "SELECT f.source_id, f.custodian_id, n.item_no FROM instance n JOIN file f ON f.file_id = n.file_id";
    let mut statement = reader.facts().prepare(sql).doing("read instances")?;
    let mut rows = statement.query([]).doing("read instances")?;
    let mut by_owner: BTreeMap<(u32, Option<u32>), RoaringBitmap> = BTreeMap::new();
    while let Some(row) = rows.next().doing("read instances")? {
        by_owner
            .entry((row.get(0)?, row.get(1)?))
            .or_default()
            .insert(row.get(2)?);
    }
    for ((source, custodian), items) in by_owner {
        *found.entry((SetKind::Source, source.to_string())).or_default() |= &items;
        if let Some(custodian) = custodian {
            *found.entry((SetKind::Custodian, custodian.to_string())).or_default() |= &items;
        }
    }
    reader.for_each_instance(InstanceId(0)..InstanceId(u64::MAX >> 1), |instance| {
        for label in instance.labels {
            found
                .entry((SetKind::Label, label))
                .or_default()
                .insert(instance.item_no.0);
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(found)
}
