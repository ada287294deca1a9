//! From a numbered unit to catalogue rows and index documents. Pure; runs on any worker.

use std::collections::HashMap;

use embley_formats::walk::Place;
use embley_index::IndexDoc;
use embley_model::defect::Class;
use embley_model::event::Counters;
use embley_model::id::{BlobId, InstanceId, ItemNo, RunNo};
use embley_store::catalogue::{
    BlobPlaceRow, BlobRow, CustodianRow, DefectRow, ExceptionRow, FolderRow, InstanceRow, InstanceStatus, ItemFlags,
    ItemKeys, ItemRow, NextIds, RowBatch,
};
use embley_store::packs::PackPosition;
use std::sync::atomic::Ordering;

use crate::number::{Numbered, NumberedUnit};
use crate::unit::{FileContext, Found, Outcome, PreparedEntry, PreparedItem, PreparedMail, PreparedUnit};

/// A unit ready for its segment and its checkpoint.
pub(crate) struct RowedUnit {
    pub(crate) batch: RowBatch,
    pub(crate) next: NextIds,
    pub(crate) pack: PackPosition,
    pub(crate) bytes: u64,
    pub(crate) ticket: u64,
}

/// Makes rows and documents; the documents come in order of their item numbers.
pub(crate) fn rows(numbered: NumberedUnit, run: RunNo, counters: &Counters) -> (RowedUnit, Vec<IndexDoc>) {
    let NumberedUnit {
        unit,
        numbers,
        files,
        tallies,
        top_items,
        next,
        pack,
    } = numbered;
    let mut batch = RowBatch {
        files,
        tallies,
        top_items,
        ..RowBatch::default()
    };
    let mut docs = Vec::new();
    notes(&unit, &mut batch);
    file_defects(&unit, run, &mut batch, counters);
    count_outcomes(&unit, &numbers, counters);
    let (ticket, bytes) = (unit.ticket.0, unit.bytes);
    for (entry, (numbered, instance)) in unit.entries.into_iter().zip(numbers) {
        let context = &unit.files[entry.file];
        let PreparedEntry { found, outcome, .. } = entry;
        match (numbered, outcome) {
            (
                Numbered::New {
                    root,
                    blobs,
                    place,
                    parts,
                },
                Outcome::New(family),
            ) => {
                batch
                    .instances
                    .push(instance_row(instance, root, context, found, InstanceStatus::New, run));
                family_rows(
                    family.items,
                    root,
                    &blobs,
                    (place, parts),
                    run,
                    counters,
                    &mut batch,
                    &mut docs,
                );
            }
            (Numbered::Known { item, status }, _) => {
                batch
                    .instances
                    .push(instance_row(instance, item, context, found, status, run));
            }
            (_, Outcome::Excepted(defect)) => {
                counters.count_code(defect.code);
                batch.exceptions.push(ExceptionRow {
                    run_no: run,
                    source_id: Some(context.source),
                    path: context.shown.clone(),
                    phase: defect.code.phase(),
                    // Whatever the code says elsewhere: here no item exists.
                    class: Class::Excepted,
                    code: defect.code,
                    range: defect.range,
                    detail: defect.detail,
                    action: "no item exists; counted as excepted".to_owned(),
                });
            }
            (Numbered::Excluded | Numbered::Excepted | Numbered::New { .. }, _) => {}
        }
    }
    (
        RowedUnit {
            batch,
            next,
            pack,
            bytes,
            ticket,
        },
        docs,
    )
}

fn notes(unit: &PreparedUnit, batch: &mut RowBatch) {
    for custodian in &unit.notes.custodians {
        batch.custodians.push(CustodianRow {
            custodian_id: custodian.custodian,
            name: custodian.name.clone(),
        });
    }
    for folder in &unit.notes.folders {
        batch.folders.push(FolderRow {
            folder_id: folder.folder,
            source_id: folder.source,
            path: folder.path.clone(),
            container: folder.container,
        });
    }
}

fn file_defects(unit: &PreparedUnit, run: RunNo, batch: &mut RowBatch, counters: &Counters) {
    for progress in &unit.progress {
        let context = &unit.files[progress.file];
        for defect in &progress.defects {
            counters.count_code(defect.code);
            batch.exceptions.push(ExceptionRow {
                run_no: run,
                source_id: Some(context.source),
                path: context.shown.clone(),
                phase: defect.code.phase(),
                class: defect.code.class(),
                code: defect.code,
                range: defect.range.clone(),
                detail: defect.detail.clone(),
                action: "kept; see the file's row".to_owned(),
            });
        }
    }
}

fn count_outcomes(unit: &PreparedUnit, numbers: &[(Numbered, InstanceId)], counters: &Counters) {
    let count = |test: fn(&Numbered) -> bool| numbers.iter().filter(|(numbered, _)| test(numbered)).count() as u64;
    let same = |numbered: &Numbered| {
        matches!(
            numbered,
            Numbered::Known {
                status: InstanceStatus::Unchanged,
                ..
            }
        )
    };
    let unchanged = numbers.iter().filter(|(numbered, _)| same(numbered)).count() as u64;
    let entries: u64 = unit.discovered_by_file.iter().map(|counted| counted.entries).sum();
    counters.discovered.fetch_add(entries, Ordering::Relaxed);
    counters
        .new
        .fetch_add(count(|one| matches!(one, Numbered::New { .. })), Ordering::Relaxed);
    counters.duplicate.fetch_add(
        count(|one| matches!(one, Numbered::Known { .. })) - unchanged,
        Ordering::Relaxed,
    );
    counters.unchanged.fetch_add(unchanged, Ordering::Relaxed);
    counters
        .excluded
        .fetch_add(count(|one| matches!(one, Numbered::Excluded)), Ordering::Relaxed);
    counters
        .excepted
        .fetch_add(count(|one| matches!(one, Numbered::Excepted)), Ordering::Relaxed);
}

fn instance_row(
    instance_id: InstanceId,
    item_no: ItemNo,
    context: &FileContext,
    found: Found,
    status: InstanceStatus,
    run_no: RunNo,
) -> InstanceRow {
    InstanceRow {
        instance_id,
        item_no,
        file_id: context.file,
        ordinal: found.ordinal,
        offset: found.offset,
        length: found.length,
        separator: (!found.around.is_empty()).then_some(found.around),
        trailer_len: found.trailer_len,
        as_found_differs: found.unquoted,
        status,
        run_no,
        second_blake3: found.second,
        labels: maildir_labels(&context.place),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call, from the function above; a struct would only rename these"
)]
fn family_rows(
    items: Vec<PreparedItem>,
    root: ItemNo,
    blobs: &[(BlobId, bool)],
    (place, parts): (BlobPlaceRow, Vec<(usize, BlobPlaceRow)>),
    run: RunNo,
    counters: &Counters,
    batch: &mut RowBatch,
    docs: &mut Vec<IndexDoc>,
) {
    let family_size = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let mut place = Some(place);
    let mut parts: HashMap<usize, BlobPlaceRow> = parts.into_iter().collect();
    for (position, (item, (blob_id, new_blob))) in items.into_iter().zip(blobs).enumerate() {
        let own_place = parts.remove(&position);
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let item_no = ItemNo(root.0 + position);
        if *new_blob {
            let place = match place.take().or(own_place) {
                Some(place) => place,
                None => BlobPlaceRow::Derived {
                    root_item: root,
                    part_path: item.part_path.clone(),
                },
            };
            batch.blobs.push(BlobRow {
                blob_id: *blob_id,
                blake3: item.blake3,
                sha256: item.sha256,
                size: item.size,
                place,
                top_item: (position == 0).then_some(root),
            });
        }
        place = None;
        for defect in &item.defects {
            if defect.code.class() > Class::Note {
                counters.count_code(defect.code);
            }
            batch.defects.push(DefectRow {
                item_no,
                code: defect.code,
                detail: defect.detail.clone(),
                range: defect.range.clone(),
            });
        }
        let mut doc = item_row(
            item,
            item_no,
            root,
            if position == 0 { family_size } else { 0 },
            *blob_id,
            run,
            batch,
        );
        doc.item_no = item_no.0;
        docs.push(doc);
    }
}

fn item_row(
    item: PreparedItem,
    item_no: ItemNo,
    root: ItemNo,
    family_size: u32,
    blob_id: BlobId,
    run_no: RunNo,
    batch: &mut RowBatch,
) -> IndexDoc {
    let PreparedItem {
        kind,
        parent,
        part_path,
        filename,
        media_type,
        size,
        date,
        searchability,
        mail,
        doc,
        sketch,
        title,
        ..
    } = item;
    let mut row = ItemRow {
        item_no,
        blob_id,
        root,
        parent: parent.map(|parent| ItemNo(root.0 + parent)),
        family_size,
        part_path,
        kind,
        media_type,
        filename,
        size,
        date,
        subject: title,
        participants: Vec::new(),
        message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        keys: None,
        sketch: sketch.map(|sketch| sketch.to_vec()),
        searchability,
        flags: ItemFlags::default(),
        labels: Vec::new(),
        run_no,
    };
    if let Some(mail) = mail {
        fill_mail(&mut row, *mail);
    }
    batch.items.push(row);
    doc
}

fn fill_mail(row: &mut ItemRow, mail: PreparedMail) {
    let meta = mail.meta;
    row.subject = meta.subject;
    row.participants = meta.participants;
    row.message_id = meta.message_id;
    row.in_reply_to = meta.in_reply_to;
    row.references = meta.references;
    row.thread_index = meta.thread_index;
    row.labels = meta.labels;
    row.flags = ItemFlags {
        has_html: meta.has_html,
        signed: meta.signed,
        encrypted: meta.encrypted,
        report: meta.report,
    };
    row.keys = mail.keys.map(|keys| ItemKeys {
        version: u8::try_from(embley_formats::identity::KEY_VERSION).unwrap_or(u8::MAX),
        mih: keys.mih,
        email: keys.email,
        body: keys.body,
        family: keys.family,
    });
}

/// Maildir flags in words (maildir(5), "info" field), and whether the message was still new.
fn maildir_labels(place: &Place) -> Vec<String> {
    let Place::Maildir { flags, is_new, .. } = place else {
        return Vec::new();
    };
    let mut labels: Vec<String> = flags
        .chars()
        .filter_map(|flag| match flag {
            'P' => Some("passed"),
            'R' => Some("replied"),
            'S' => Some("seen"),
            'T' => Some("trashed"),
            'D' => Some("draft"),
            'F' => Some("flagged"),
            _ => None,
        })
        .map(str::to_owned)
        .collect();
    if *is_new {
        labels.push("new".to_owned());
    }
    labels
}
