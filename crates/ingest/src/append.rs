//! Records become items: numbers, originals, rows and documents for one batch that `casework` has read and decided.
//!
//! The same durable order as an ingest: frames synced, one catalogue transaction (rows, and which key is which item), then the
//! index. Segments are built beside the catalogue's work and committed with the last batch of a file, or earlier when they are full; a
//! stop before that leaves an index that the next opening brings up by replay.
//! Invariant: an update keeps its item number and gets a new blob; every earlier version's bytes stay in the store.

use embley_index::{FinishedSegment, IndexDoc, IndexStore, SegmentBuilder};
use embley_model::id::{BlobId, InstanceId, ItemNo, RunNo, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_model::record::Record;
use embley_store::Case;
use embley_store::catalogue::{
    BlobRow, CatalogueWriter, Checkpoint, DefectRow, ExceptionRow, FileRow, FileState, FolderRow, InstanceRow,
    InstanceStatus, ItemFlags, ItemRow, NextIds, RowBatch, RunKind, RunRow, RunState, SourceRow, TallyRow,
};
use embley_store::facts::{self, records::VersionRow};
use embley_store::packs::FrameBuilder;
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

use crate::dedup::DedupTable;
use crate::error::IngestError;
use crate::load::kind_code;
use crate::prepare::{self, Given};
use crate::records::{Appended, RecordBatch, RecordItem};
use crate::replay;
use crate::request::IngestOptions;
use crate::run::load_dedup;
use crate::unit::PreparedItem;

/// The media type of a record's original.
pub(crate) const RECORD_MEDIA_TYPE: &str = "application/x.embley-record+json";

/// The case as a place where records go. Holds what stays open between batches.
pub struct RecordWriter<'a> {
    case: &'a Case,
    options: &'a IngestOptions,
    writer: CatalogueWriter,
    index: IndexStore,
    dedup: DedupTable,
    open: Option<OpenRun>,
    waiting: Waiting,
    failed: bool,
}

/// Segments that the index has not committed yet.
#[derive(Default)]
struct Waiting {
    /// One for each half of a batch, so that two threads build.
    builders: Vec<SegmentBuilder>,
    finished: Vec<FinishedSegment>,
    /// Items in them.
    items: RoaringBitmap,
}

/// More segments than this are merged at the end of a file.
const MAX_SEGMENTS: usize = 8;

struct OpenRun {
    row: RunRow,
    file: FileRow,
    tally: TallyRow,
}

impl<'a> RecordWriter<'a> {
    /// Opens catalogue and index for records; brings the index up to the catalogue first.
    ///
    /// # Errors
    /// When the case is not open for writing, or is damaged.
    pub fn open(case: &'a Case, options: &'a IngestOptions) -> Result<Self, IngestError> {
        let mut index = IndexStore::open_or_create(&case.index_dir())?;
        replay::catch_up(case, &mut index, options)?;
        let dedup = load_dedup(&case.reader()?)?;
        Ok(Self {
            case,
            options,
            writer: case.catalogue_writer()?,
            index,
            dedup,
            open: None,
            waiting: Waiting::default(),
            failed: false,
        })
    }

    /// Appends one batch; it is durable afterwards, and searchable with the last batch of its file at the latest.
    ///
    /// # Errors
    /// Nothing of the batch is in the case, or all of it and the index lacks it until the next opening.
    pub fn append(&mut self, batch: RecordBatch) -> Result<Appended, IngestError> {
        if !batch.closes() {
            return Err(IngestError::internal("a batch of records does not close"));
        }
        if self.failed {
            return Err(IngestError::internal(
                "the writer of records failed before; open the case again",
            ));
        }
        // Until the end of the batch; after an error segments may hold what the catalogue does not.
        self.failed = true;
        let reader = self.case.reader()?;
        let mut next = self.writer.next_ids()?;
        let mut rows = RowBatch::default();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => begin(&batch, &mut next, &mut rows, &reader, self.options)?,
        };
        let mut items = Vec::with_capacity(batch.items.len());
        let mut superseded = RoaringBitmap::new();
        for record in &batch.items {
            match record.previous {
                Some(item) => {
                    superseded.insert(item.0);
                    items.push(item);
                }
                None => {
                    items.push(ItemNo(next.item));
                    next.item += 1;
                }
            }
        }
        if !self.waiting.items.is_disjoint(&superseded) {
            // The documents that leave must be committed before they can.
            self.commit_index(self.writer.last_checkpoint().ticket)?;
        }
        self.index.delete_items(&superseded);
        let mut waiting = std::mem::take(&mut self.waiting);
        if waiting.builders.is_empty() {
            let share = self.options.segment_bytes();
            waiting.builders = (0..2).map(|_| self.index.builder(share)).collect();
        }
        let (waiting, stored) = std::thread::scope(|scope| {
            let (records, numbers) = (&batch.items, &items);
            let building = scope.spawn(move || build(waiting, records, numbers));
            let stored = self.store(&batch, &items, next, &mut open, rows);
            let built = building
                .join()
                .unwrap_or_else(|_| Err(IngestError::internal("the thread that builds segments failed")));
            built.map(|waiting| (waiting, stored))
        })?;
        self.waiting = waiting;
        let ticket = stored?;
        let run = open.row.run_no;
        if batch.last {
            self.commit_index(ticket)?;
            self.writer.build_lookups()?;
            self.writer.compact_sets()?;
            if self.index.segment_count() > MAX_SEGMENTS {
                self.index.merge(MAX_SEGMENTS)?;
            }
        } else {
            self.open = Some(open);
            let many = self.waiting.finished.len() >= MAX_SEGMENTS;
            if many {
                self.commit_index(ticket)?;
            }
        }
        self.failed = false;
        Ok(Appended { run, items })
    }

    /// Originals, rows and keys of a batch, durable together.
    fn store(
        &mut self,
        batch: &RecordBatch,
        items: &[ItemNo],
        mut next: NextIds,
        open: &mut OpenRun,
        mut rows: RowBatch,
    ) -> Result<Ticket, IngestError> {
        let mut pack = self.case.pack_writer()?;
        let mut frames = FrameBuilder::new()?;
        let mut spans = Vec::with_capacity(batch.items.len());
        let digests: Vec<_> = batch
            .items
            .iter()
            .map(|item| (prepare::blake3_of(&item.raw), prepare::sha256(&item.raw)))
            .collect();
        for (item, (blake3, _)) in batch.items.iter().zip(&digests) {
            spans.push(frames.add(&item.raw, blake3)?);
        }
        let at = pack.append(&frames.finish()?)?;
        for (((record, digests), span), item_no) in batch.items.iter().zip(digests).zip(&spans).zip(items) {
            let item_no = *item_no;
            let place = span
                .place(&at)
                .ok_or_else(|| IngestError::internal("a frame of a batch is missing"))?;
            let (blob_id, new_blob) = self.dedup.blob(digests.0.half(), BlobId(next.blob));
            if new_blob {
                next.blob += 1;
                // Of an update too: by these bytes the item is known from now on.
                let top_item = Some(item_no);
                let (blake3, sha256) = digests;
                rows.blobs.push(BlobRow {
                    blob_id,
                    blake3,
                    sha256,
                    size: record.raw.len() as u64,
                    place,
                    top_item,
                });
            }
            let row = item_row(record, item_no, blob_id, open.row.run_no);
            match record.previous {
                Some(_) => rows.item_updates.push(row),
                None => rows.items.push(row),
            }
            rows.instances
                .push(instance_row(record, item_no, open, InstanceId(next.instance)));
            next.instance += 1;
            for defect in &record.defects {
                rows.defects.push(DefectRow {
                    item_no,
                    code: defect.code,
                    detail: defect.detail.clone(),
                    range: defect.range.clone(),
                });
            }
        }
        self.close_batch(batch, open, &mut rows);
        let position = pack.sync()?;
        let ticket = Ticket(self.writer.last_checkpoint().ticket.0 + 1);
        let run = open.row.run_no;
        let now = self.options.clock.now_micros();
        let checkpoint = Checkpoint {
            ticket,
            run_no: run,
            pack: position,
            next_item: next.item,
            next_blob: next.blob,
            next_instance: next.instance,
            at_micros: now,
        };
        self.writer.append(rows);
        self.writer.commit_with(checkpoint, |connection| {
            let versions = batch.items.iter().zip(items);
            let versions = versions.map(|(record, item)| version_row(record, *item, run, now, batch));
            facts::records::put_all(connection, versions)?;
            Ok::<(), IngestError>(())
        })?;
        Ok(ticket)
    }

    fn close_batch(&self, batch: &RecordBatch, open: &mut OpenRun, rows: &mut RowBatch) {
        let run = open.row.run_no;
        for exception in &batch.exceptions {
            rows.exceptions.push(ExceptionRow {
                run_no: run,
                source_id: Some(open.file.source_id),
                path: batch.source.label.clone(),
                phase: exception.defect.code.phase(),
                class: exception.defect.code.class(),
                code: exception.defect.code,
                range: None,
                detail: exception.defect.detail.clone(),
                action: format!("row {} is no record; counted as excepted", exception.source_row),
            });
        }
        open.tally.discovered += batch.rows;
        open.tally.new += batch.items.len() as u64;
        open.tally.unchanged += batch.unchanged;
        open.tally.excepted += batch.exceptions.len() as u64;
        open.file.instance_count += batch.items.len() as u64;
        if batch.last {
            open.tally.bytes = batch.source.bytes;
            open.file.state = FileState::Done;
            open.row.state = RunState::Done;
            open.row.ended_micros = Some(self.options.clock.now_micros());
        }
        rows.files.push(open.file.clone());
        rows.tallies.push(open.tally.clone());
        rows.runs.push(open.row.clone());
    }

    /// Makes what waits searchable. Earlier versions leave the index in the same commit in which the new ones come in.
    fn commit_index(&mut self, ticket: Ticket) -> Result<(), IngestError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        for builder in &mut waiting.builders {
            waiting.finished.extend(builder.finish()?);
        }
        self.index.commit(waiting.finished, ticket)?;
        Ok(())
    }
}

/// Adds the documents of a batch to the segments that wait, half of them on a thread of its own. Item numbers grow within a
/// segment: one that has a later item already is finished first.
fn build(mut waiting: Waiting, records: &[RecordItem], items: &[ItemNo]) -> Result<Waiting, IngestError> {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_unstable_by_key(|at| items[*at].0);
    let first = order.first().map_or(0, |at| items[*at].0);
    let begin_anew = waiting.items.max().is_some_and(|last| first <= last);
    waiting.items.extend(items.iter().map(|item| item.0));
    let half = order.len().div_ceil(waiting.builders.len().max(1)).max(1);
    let finished = std::thread::scope(|scope| {
        let mut working = Vec::new();
        for (builder, part) in waiting.builders.iter_mut().zip(order.chunks(half)) {
            working.push(scope.spawn(move || {
                let mut finished = Vec::new();
                if begin_anew {
                    finished.extend(builder.finish()?);
                }
                for at in part {
                    builder.add(&document(&records[*at], items[*at]))?;
                    if builder.is_full() {
                        finished.extend(builder.finish()?);
                    }
                }
                Ok::<_, IngestError>(finished)
            }));
        }
        let mut all = Vec::new();
        for one in working {
            let done = one.join();
            all.extend(done.unwrap_or_else(|_| Err(IngestError::internal("a builder of segments failed")))?);
        }
        Ok::<_, IngestError>(all)
    })?;
    waiting.finished.extend(finished);
    Ok(waiting)
}

fn begin(
    batch: &RecordBatch,
    next: &mut NextIds,
    rows: &mut RowBatch,
    reader: &embley_store::catalogue::CatalogueReader,
    options: &IngestOptions,
) -> Result<OpenRun, IngestError> {
    let now = options.clock.now_micros();
    let run = RunNo(next.run);
    let settings = serde_json::json!({
        "records": batch.source.label, "mapping": batch.source.mapping, "actor": batch.actor, "started": now,
    });
    let label = format!("records/{}", batch.source.label);
    let known = reader.sources()?.into_iter().find(|source| source.label == label);
    let source_id = known.as_ref().map_or(SourceId(next.source), |source| source.source_id);
    rows.sources.push(SourceRow {
        source_id,
        label,
        absolute: batch.source.absolute.clone(),
        custodian_id: None,
        custodian_rule: "records".to_owned(),
        run_no: known.map_or(run, |source| source.run_no),
    });
    let folder_id = embley_store::catalogue::FolderId(next.folder);
    rows.folders.push(FolderRow {
        folder_id,
        source_id,
        path: Vec::new(),
        container: None,
    });
    let file = FileRow {
        file_id: embley_model::id::FileId(next.file),
        source_id,
        folder_id,
        custodian_id: None,
        name: batch.source.label.clone().into_bytes(),
        version: 1,
        size: batch.source.bytes,
        mtime_nanos: 0,
        inode: 0,
        kind: kind_code::RECORDS,
        variant: 0,
        flags: String::new(),
        scan_state: None,
        state: FileState::Scanning,
        first_instance: InstanceId(next.instance),
        instance_count: 0,
        message_bytes: 0,
        separator_bytes: 0,
        junk_bytes: 0,
        previous_file: None,
        absent_since_run: None,
        run_no: run,
    };
    let row = RunRow {
        run_no: run,
        kind: RunKind::Records,
        state: RunState::Running,
        started_micros: now,
        ended_micros: None,
        settings: settings.to_string(),
        summary: String::new(),
    };
    Ok(OpenRun {
        tally: TallyRow::zero(run, source_id, Some(file.file_id)),
        row,
        file,
    })
}

fn version_row(record: &RecordItem, item: ItemNo, run: RunNo, at_micros: i64, batch: &RecordBatch) -> VersionRow {
    VersionRow {
        key: record.key.clone(),
        item,
        content: record.content,
        body: record.raw.clone(),
        case_refs: record.case_refs.clone(),
        people: record.people.clone(),
        run,
        source: batch.source.label.clone(),
        source_row: record.source_row,
        actor: batch.actor.clone(),
        at_micros,
    }
}

fn instance_row(record: &RecordItem, item_no: ItemNo, open: &OpenRun, instance_id: InstanceId) -> InstanceRow {
    InstanceRow {
        instance_id,
        item_no,
        file_id: open.file.file_id,
        ordinal: record.source_row,
        offset: 0,
        length: record.raw.len() as u64,
        separator: None,
        trailer_len: 0,
        as_found_differs: false,
        status: InstanceStatus::New,
        run_no: open.row.run_no,
        second_blake3: None,
        labels: Vec::new(),
    }
}

fn item_row(record: &RecordItem, item_no: ItemNo, blob_id: BlobId, run_no: RunNo) -> ItemRow {
    ItemRow {
        item_no,
        blob_id,
        root: item_no,
        parent: None,
        family_size: 1,
        part_path: String::new(),
        kind: ItemKind::Record,
        media_type: RECORD_MEDIA_TYPE.to_owned(),
        filename: None,
        size: record.raw.len() as u64,
        date: record.date.clone(),
        subject: record.title.clone(),
        participants: Vec::new(),
        message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        keys: None,
        sketch: None,
        searchability: Searchability::Searched,
        flags: ItemFlags::default(),
        labels: Vec::new(),
        run_no,
    }
}

fn document(record: &RecordItem, item_no: ItemNo) -> IndexDoc {
    let kind = record.key.record_type.word();
    let mut doc = prepare::record_doc(
        &record.title,
        &record.text,
        kind,
        record.date.utc_secs,
        record.raw.len() as u64,
    );
    prepare::defect_keywords(&mut doc, record.defects.iter().map(|defect| defect.code));
    doc.item_no = item_no.0;
    doc
}

/// The item of a record, from its bytes, as reindex makes it again.
pub(crate) fn reparse(bytes: &[u8], given: &Given<'_>, zone: &TimeZone) -> Result<PreparedItem, IngestError> {
    let (record, _) = Record::read(bytes)
        .map_err(|error| IngestError::internal(format!("a record's original cannot be read again: {error}")))?;
    let date = record.date(zone);
    let (title, text) = (record.title(), record.words());
    let doc = prepare::record_doc(
        &title,
        &text,
        record.key.record_type.word(),
        date.utc_secs,
        bytes.len() as u64,
    );
    Ok(PreparedItem {
        kind: ItemKind::Record,
        parent: None,
        part_path: String::new(),
        filename: None,
        title,
        media_type: RECORD_MEDIA_TYPE.to_owned(),
        size: bytes.len() as u64,
        blake3: given.blake3,
        sha256: given.sha256,
        content_key: given.blake3,
        date,
        searchability: Searchability::Searched,
        defects: Vec::new(),
        mail: None,
        text,
        doc,
        sketch: None,
        span: None,
        streamed: None,
    })
}

/// Reads the zone of a case.
///
/// # Errors
/// When `case.toml` names a zone that nobody knows.
pub(crate) fn zone_of(case: &Case) -> Result<TimeZone, IngestError> {
    let name = &case.config().zone;
    TimeZone::get(name).map_err(|error| IngestError::Request {
        detail: format!("case.toml: zone {name:?} is not known: {error}"),
    })
}
