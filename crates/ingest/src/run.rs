//! A whole ingest: request and case in, report out.
//!
//! Order: replay what the index lacks, resume or begin a run, pipeline, finish steps, reconciliation, self-test, close the run.
//! Invariant: a run is `done` only when all its sums close and the self-test found what it asked for.

use std::collections::BTreeMap;

use embley_index::{IndexStore, Snapshot};
use embley_model::defect::Class;
use embley_model::event::{Event, Stage};
use embley_model::failpoint;
use embley_model::id::{RunNo, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{
    CatalogueReader, CatalogueWriter, Checkpoint, ExceptionRow, FileState, NextIds, RowBatch, RunKind, RunRow,
    RunState, TallyRow,
};
use embley_store::{Case, StoreError};
use roaring::RoaringBitmap;

use crate::commit::Committer;
use crate::dedup::DedupTable;
use crate::entrance::{Entrance, ResolvedSource};
use crate::error::IngestError;
use crate::feed::{Feed, FeedStart};
use crate::known::Catalogued;
use crate::notes::{Custodians, FeedSummary, NewException};
use crate::number::Numberer;
use crate::opening::rounds::OpenedSums;
use crate::pipeline::{DedupSize, Pipeline};
use crate::reconcile;
use crate::reparse::Originals;
use crate::replay;
use crate::report::{RunReport, Sums};
use crate::request::{IngestOptions, IngestRequest};
use crate::run_record;
use crate::self_test::{self, SelfTest};
use crate::sources::{check_sources, custodians, reassign, resolve_sources};
use crate::work::KnownHashes;

/// A step after all input is in, such as links to case records. Steps must give the same result when run again.
pub trait FinishStep: Sync {
    /// Its name in the run record.
    fn name(&self) -> &'static str;

    /// Does it, and says in words what it found.
    ///
    /// # Errors
    /// The run stays open; the next start runs all steps again.
    fn run(&self, case: &Case) -> Result<String, IngestError>;
}

/// The id of a run as people see it.
pub fn run_id(run: RunNo) -> String {
    format!("run:{:04}", run.0)
}

/// Takes the sources in. Goes on with an interrupted run first.
///
/// # Errors
/// See [`IngestError`]; the case is intact whatever happens, and the same call goes on from the last checkpoint.
pub fn run(
    case: &Case,
    request: &IngestRequest,
    options: &IngestOptions,
    steps: &[&dyn FinishStep],
) -> Result<RunReport, IngestError> {
    check_sources(request)?;
    let mut index = IndexStore::open_or_create(&case.index_dir())?;
    let replayed = replay::catch_up(case, &mut index, options)?;
    run_record::complete(case)?;
    let reader = case.reader()?;
    let open = reader
        .runs()?
        .into_iter()
        .rev()
        .find(|run| run.kind == RunKind::Ingest && matches!(run.state, RunState::Running | RunState::Stopped));
    let settings = settings_text(request)?;
    if let Some(open) = &open
        && open.settings != settings
    {
        let earlier: IngestRequest = serde_json::from_str(&open.settings).map_err(|error| {
            IngestError::internal(format!(
                "the settings of {} cannot be read: {error}",
                run_id(open.run_no)
            ))
        })?;
        drop(reader);
        let report = Run::begin(case, &earlier, options, Some(open.clone()), index)?.execute(steps, replayed)?;
        if report.state == "stopped" {
            return Ok(report);
        }
        return run(case, request, options, steps);
    }
    drop(reader);
    Run::begin(case, request, options, open, index)?.execute(steps, replayed)
}

fn settings_text(request: &IngestRequest) -> Result<String, IngestError> {
    serde_json::to_string(request).map_err(|error| IngestError::internal(format!("settings: {error}")))
}

pub(crate) struct Run<'a> {
    pub(crate) case: &'a Case,
    pub(crate) request: &'a IngestRequest,
    pub(crate) options: &'a IngestOptions,
    pub(crate) row: RunRow,
    resumed: bool,
    pub(crate) writer: CatalogueWriter,
    pub(crate) index: IndexStore,
    next: NextIds,
    sources: Vec<ResolvedSource>,
    custodians: Custodians,
    first_item: u32,
    started_nanos: u64,
}

/// What the pipeline left behind.
pub(crate) struct Ran {
    pub(crate) summary: FeedSummary,
    pub(crate) ended: bool,
    dedup: DedupSize,
}

impl<'a> Run<'a> {
    fn begin(
        case: &'a Case,
        request: &'a IngestRequest,
        options: &'a IngestOptions,
        open: Option<RunRow>,
        index: IndexStore,
    ) -> Result<Self, IngestError> {
        let started_nanos = options.clock.monotonic_nanos();
        let mut writer = case.catalogue_writer()?;
        let reader = case.reader()?;
        let next = reader.next_ids()?;
        let resumed = open.is_some();
        let row = open.unwrap_or(RunRow {
            run_no: RunNo(next.run),
            kind: RunKind::Ingest,
            state: RunState::Running,
            started_micros: options.clock.now_micros(),
            ended_micros: None,
            settings: settings_text(request)?,
            summary: String::new(),
        });
        let first_item = first_item_of(&reader, row.run_no, next.item)?;
        let mut custodians = custodians(&reader, next.custodian)?;
        let mut batch = RowBatch {
            runs: vec![RunRow {
                state: RunState::Running,
                ..row.clone()
            }],
            ..RowBatch::default()
        };
        let (sources, reassigned) =
            resolve_sources(request, &reader, next.source, row.run_no, &mut custodians, &mut batch)?;
        drop(reader);
        for at in reassigned {
            reassign(&mut writer, &sources[at], &mut custodians)?;
        }
        writer.append(batch);
        commit_rows(&mut writer, row.run_no, options)?;
        let id = run_id(row.run_no);
        options.observer.event(&Event::RunStarted { run: id, resumed });
        Ok(Self {
            case,
            request,
            options,
            row,
            resumed,
            writer,
            index,
            next,
            sources,
            custodians,
            first_item,
            started_nanos,
        })
    }

    fn execute(mut self, steps: &[&dyn FinishStep], replayed: u64) -> Result<RunReport, IngestError> {
        match self.try_execute(steps, replayed) {
            Err(error @ (IngestError::NotBalanced { .. } | IngestError::SelfTest { .. })) => {
                let row = RunRow {
                    state: RunState::Failed,
                    summary: error.to_string(),
                    ..self.row.clone()
                };
                self.close(row)?;
                Err(error)
            }
            other => other,
        }
    }

    fn try_execute(&mut self, steps: &[&dyn FinishStep], replayed: u64) -> Result<RunReport, IngestError> {
        let entrances = self.sources.iter().cloned().map(Entrance::Source).collect();
        let ran = self.pipeline(entrances)?;
        let mut opened = OpenedSums::default();
        let mut ended = ran.ended;
        if ended && let Some(opener) = self.options.opener.clone() {
            ended = self.open_rounds(&opener, &mut opened)?;
        }
        if !ended {
            self.options.observer.event(&Event::Stopping);
            let report = self.report("stopped", &ran.summary, None, Vec::new(), replayed)?;
            self.close(RunRow {
                state: RunState::Stopped,
                ..self.row.clone()
            })?;
            return Ok(report);
        }
        // Disk here: all input is in store, catalogue and index; the finish steps may have run or not, and run again.
        self.pass("finish-begin")?;
        let new_items = self.last_item() >= self.first_item;
        let closing = self.closing(&ran.summary)?;
        let started = self.options.clock.monotonic_nanos();
        let mut said = Vec::new();
        if new_items {
            self.writer.build_lookups()?;
            self.writer.compact_sets()?;
            if self.index.segment_count() > MAX_SEGMENTS {
                self.index.merge(MAX_SEGMENTS)?;
            }
        }
        // Text that was opened or recognised only now changes what names what, without a new item.
        if new_items || self.case.reader()?.opened_by(self.row.run_no)? {
            for step in steps {
                let detail = step.run(self.case)?;
                self.options.observer.event(&Event::FinishStep {
                    name: step.name().to_owned(),
                    detail: detail.clone(),
                });
                said.push((step.name().to_owned(), detail));
            }
        }
        let self_test = if new_items { Some(self.self_test()?) } else { None };
        let busy = self.options.clock.monotonic_nanos().saturating_sub(started);
        self.options.counters.add(Stage::Finish, 1, 0, busy);
        self.pass("finish-commit")?;
        // What has no unit (unchanged, excluded, unreadable, absent) goes in together with the end of the run.
        let mut report = self.report("done", &ran.summary, self_test.clone(), said, replayed)?;
        report.opened = opened;
        report.absent_files = closing.batch.files.len() as u64;
        report.dedup_blobs = ran.dedup.blobs as u64;
        report.dedup_bytes = ran.dedup.bytes as u64;
        self.check(&report, &closing.totals, self_test.as_ref())?;
        self.writer.append(closing.batch);
        let summary = serde_json::to_string(&report).map_err(|error| IngestError::internal(error.to_string()))?;
        self.close(RunRow {
            state: RunState::Done,
            summary,
            ..self.row.clone()
        })?;
        self.pass("run-close")?;
        let conduct = run_record::Conduct::of(self.options);
        run_record::write(self.case, self.row.run_no, self.request, &report, Some(conduct))?;
        Ok(report)
    }

    fn pass(&self, name: &'static str) -> Result<(), IngestError> {
        let path = self.case.root().to_path_buf();
        Ok(failpoint::pass(name).map_err(|source| StoreError::Io {
            doing: "finish the run in",
            path,
            source,
        })?)
    }

    fn last_item(&self) -> u32 {
        self.writer.last_checkpoint().next_item - 1
    }

    /// Runs the pipeline, when there is anything to read.
    pub(crate) fn pipeline(&mut self, entrances: Vec<Entrance<'a>>) -> Result<Ran, IngestError> {
        let first = entrances.iter().all(|one| matches!(one, Entrance::Source(_)));
        let reader = self.case.reader()?;
        self.next = self.writer.next_ids()?;
        self.custodians = custodians(&reader, self.next.custodian.max(self.custodians.next))?;
        let known = Catalogued::open(reader)?;
        let last = self.writer.last_checkpoint().clone();
        let start = FeedStart {
            run: self.row.run_no,
            ticket: Ticket(last.ticket.0 + 1),
            file: embley_model::id::FileId(self.next.file),
            folder: embley_store::catalogue::FolderId(self.next.folder),
        };
        let plan = (entrances, self.custodians.clone());
        let mut feed = Feed::new(self.request, self.options, Box::new(known), plan, start);
        if !feed.peek()? {
            let ended = feed.is_ended();
            return Ok(Ran {
                summary: feed.into_summary(),
                ended,
                dedup: DedupSize::default(),
            });
        }
        let known_hashes = KnownHashes::read(&self.request.known_hashes)?;
        let reader = self.case.reader()?;
        let dedup = load_dedup(&reader)?;
        let mut numberer = Numberer::new(self.case.pack_writer()?, self.next, self.row.run_no)?;
        reopen(&reader, self.row.run_no, &mut numberer)?;
        drop(reader);
        if first {
            self.writer.begin_bulk(u64::from(u32::MAX))?;
        }
        let committer = Committer::new(self.options, &mut self.writer, self.row.run_no);
        let parts = crate::pipeline::Parts {
            feed,
            dedup,
            numberer,
            committer,
            index: &mut self.index,
            known_hashes: &known_hashes,
            keep_containers: self.request.keep_containers || self.options.opener.is_none(),
            first_ticket: start.ticket.0,
        };
        let (feed, dedup) = Pipeline::new(self.options, self.row.run_no, parts).run()?;
        let ended = feed.is_ended();
        Ok(Ran {
            summary: feed.into_summary(),
            ended,
            dedup,
        })
    }

    /// Rows that say what was found without a unit: unchanged, excluded, unreadable, gone.
    fn closing(&self, summary: &FeedSummary) -> Result<Closing, IngestError> {
        let reader = self.case.reader()?;
        let mut closing = Closing::default();
        let tallies = reader.tallies(self.row.run_no)?;
        for (source, without_unit) in sums_without_unit(summary, self.row.run_no) {
            let mut row = tallies
                .iter()
                .find(|row| row.source_id == source && row.file_id.is_none())
                .cloned()
                .unwrap_or_else(|| TallyRow::zero(self.row.run_no, source, None));
            row.add(&without_unit);
            closing.batch.tallies.push(row);
        }
        closing.batch.exceptions = summary
            .exceptions
            .iter()
            .map(|one| exception_row(one, self.row.run_no))
            .collect();
        closing.totals = tallies;
        closing
            .totals
            .retain(|row| !closing.batch.tallies.iter().any(|new| same_key(new, row)));
        closing.totals.extend(closing.batch.tallies.iter().cloned());
        let gone = absent_files(&reader, summary)?;
        for file in gone {
            if let Some(mut row) = reader.file(file)?
                && row.absent_since_run.is_none()
            {
                row.absent_since_run = Some(self.row.run_no);
                closing.batch.files.push(row);
            }
        }
        Ok(closing)
    }

    fn check(&self, report: &RunReport, totals: &[TallyRow], self_test: Option<&SelfTest>) -> Result<(), IngestError> {
        let reader = self.case.reader()?;
        reconcile::check(&reader, &self.row, totals, report)?;
        if let Some(test) = self_test
            && !test.missing.is_empty()
        {
            let detail = format!(
                "{} of {} items are not found by their own words: {:?}",
                test.missing.len(),
                test.asked,
                test.missing
            );
            return Err(IngestError::SelfTest {
                run: run_id(self.row.run_no),
                detail,
            });
        }
        Ok(())
    }

    fn self_test(&self) -> Result<SelfTest, IngestError> {
        let reader = self.case.reader()?;
        let snapshot = Snapshot::open(&self.case.index_dir())?;
        let mut with_words = RoaringBitmap::new();
        for searchability in Searchability::ALL
            .into_iter()
            .filter(|state| self_test::has_words(*state))
        {
            with_words |= reader.searchability_items(searchability)?;
        }
        with_words.remove_range(..self.first_item);
        let seed = u64::from(self.row.run_no.0);
        let mut items = Vec::new();
        for kind in ItemKind::ALL {
            let of_kind: Vec<u32> = (reader.kind_items(kind)? & &with_words).iter().collect();
            items.extend(self_test::sample(&of_kind, self.options.self_test_items, seed));
        }
        drop(reader);
        let open = || Originals::open_in_order(self.case);
        self_test::run(items, seed, self.options.threads, &snapshot, open)
    }

    fn report(
        &self,
        state: &str,
        summary: &FeedSummary,
        self_test: Option<SelfTest>,
        finish: Vec<(String, String)>,
        replayed: u64,
    ) -> Result<RunReport, IngestError> {
        let reader = self.case.reader()?;
        let labels: Vec<(SourceId, String)> = reader
            .sources()?
            .into_iter()
            .map(|source| (source.source_id, source.label))
            .collect();
        let mut report = RunReport {
            run: run_id(self.row.run_no),
            state: state.to_owned(),
            resumed: self.resumed,
            self_test,
            finish,
            unchanged_bytes: summary.unchanged_bytes,
            unchanged_by: if self.request.rehash {
                "bytes"
            } else {
                "size, time and inode"
            }
            .to_owned(),
            replayed,
            seconds: self.options.clock.monotonic_nanos().saturating_sub(self.started_nanos) as f64 / 1e9,
            ..RunReport::default()
        };
        let mut by_source: BTreeMap<SourceId, Sums> = BTreeMap::new();
        for row in reader.tallies_by_source(self.row.run_no)? {
            by_source.entry(row.source_id).or_default().add(&row);
            report.sums.add(&row);
        }
        if state == "done" {
            for (source, row) in sums_without_unit(summary, self.row.run_no) {
                by_source.entry(source).or_default().add(&row);
                report.sums.add(&row);
            }
        }
        for (source, sums) in by_source {
            let label = labels
                .iter()
                .find(|(id, _)| *id == source)
                .map_or_else(String::new, |(_, label)| label.clone());
            report.sources.push((label, sums));
        }
        report.balanced = report.sums.balanced() && report.sources.iter().all(|(_, sums)| sums.balanced());
        Ok(report)
    }

    fn close(&mut self, row: RunRow) -> Result<(), IngestError> {
        let ended = (row.state != RunState::Stopped).then(|| self.options.clock.now_micros());
        let state = row.state.word().to_owned();
        self.row = RunRow {
            ended_micros: ended,
            ..row
        };
        self.writer.append(RowBatch {
            runs: vec![self.row.clone()],
            ..RowBatch::default()
        });
        commit_rows(&mut self.writer, self.row.run_no, self.options)?;
        self.options.observer.event(&Event::RunEnded { state });
        Ok(())
    }
}

/// More segments than this are merged at the end of a run.
const MAX_SEGMENTS: usize = 12;

/// What goes in with the end of a run.
#[derive(Default)]
struct Closing {
    batch: RowBatch,
    /// All sums of the run as they are then.
    totals: Vec<TallyRow>,
}

/// Sums of what the walk found without a unit, by source.
fn sums_without_unit(summary: &FeedSummary, run: RunNo) -> BTreeMap<SourceId, TallyRow> {
    let mut sums: BTreeMap<SourceId, TallyRow> = BTreeMap::new();
    let mut add = |source: SourceId, count: u64, outcome: fn(&mut TallyRow) -> &mut u64| {
        let row = sums.entry(source).or_insert_with(|| TallyRow::zero(run, source, None));
        row.discovered += count;
        *outcome(row) += count;
    };
    for (source, count) in &summary.unchanged {
        add(*source, *count, |row| &mut row.unchanged);
    }
    for (source, count) in &summary.excluded {
        add(*source, *count, |row| &mut row.excluded);
    }
    for exception in &summary.exceptions {
        add(exception.source, 1, |row| &mut row.excepted);
    }
    sums
}

pub(crate) fn exception_row(exception: &NewException, run: RunNo) -> ExceptionRow {
    let code = exception.defect.code;
    ExceptionRow {
        run_no: run,
        source_id: Some(exception.source),
        path: exception.path.clone(),
        phase: code.phase(),
        // Whatever the code says elsewhere: here no item exists.
        class: Class::Excepted,
        code,
        range: exception.defect.range.clone(),
        detail: exception.defect.detail.clone(),
        action: exception.action.to_owned(),
    }
}

fn same_key(one: &TallyRow, other: &TallyRow) -> bool {
    one.source_id == other.source_id && one.file_id == other.file_id
}

/// Commits rows that are not part of a unit: same numbers, same pack, the ticket stays.
pub(crate) fn commit_rows(
    writer: &mut CatalogueWriter,
    run: RunNo,
    options: &IngestOptions,
) -> Result<(), IngestError> {
    let last = writer.last_checkpoint().clone();
    writer.commit(Checkpoint {
        run_no: run,
        at_micros: options.clock.now_micros(),
        ..last
    })?;
    Ok(())
}

/// The number that the first new item of a run has: for a resumed run, that of its first part.
fn first_item_of(reader: &CatalogueReader, run: RunNo, next_item: u32) -> Result<u32, IngestError> {
    let mut first = next_item;
    let mut before = 1;
    for checkpoint in reader.checkpoints()? {
        if checkpoint.run_no == run {
            first = first.min(before);
        }
        before = checkpoint.next_item;
    }
    Ok(first)
}

pub(crate) fn load_dedup(reader: &CatalogueReader) -> Result<DedupTable, IngestError> {
    let mut table = DedupTable::default();
    table.reserve(usize::try_from(reader.counts().blobs).unwrap_or(0));
    reader.for_each_dedup(|entry| table.restore(entry.half, entry.blob_id, entry.top_item))?;
    Ok(table)
}

/// Mailboxes in the middle of which an interrupted run stopped, and its sums so far.
fn reopen(reader: &CatalogueReader, run: RunNo, numberer: &mut Numberer) -> Result<(), IngestError> {
    for tally in reader.tallies(run)? {
        match tally.file_id {
            None => numberer.restore_source(tally),
            Some(file) => {
                if let Some(row) = reader.file(file)?
                    && row.state == FileState::Scanning
                {
                    numberer.reopen(row, tally);
                }
            }
        }
    }
    Ok(())
}

fn absent_files(reader: &CatalogueReader, summary: &FeedSummary) -> Result<Vec<embley_model::id::FileId>, IngestError> {
    let mut gone = summary.absent.clone();
    for folder in reader.folders()? {
        let vanished = folder.container.is_none()
            && summary.sources.contains(&folder.source_id)
            && !summary.folders_seen.contains(folder.folder_id.0);
        if vanished {
            gone.extend(
                reader
                    .files_in_folder(folder.folder_id)?
                    .into_iter()
                    .map(|file| file.file_id),
            );
        }
    }
    gone.sort_unstable();
    gone.dedup();
    Ok(gone)
}
