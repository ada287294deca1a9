//! The feed: walks the sources in order, tells unchanged files, cuts the rest into units.
//!
//! One at a time, under a lock; it is cheap (5 GB/s for mailboxes, one `stat` a file), so that N workers hardly wait for it. It
//! decides nothing about content. Invariant: what it hands out, and under which ticket, depends on the sources, the catalogue and
//! the request alone; and every file it meets is counted, whatever happens to it.

use std::collections::{HashMap, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use embley_formats::mailbox::{MailboxScanner, ScanState};
use embley_formats::mapi::bundle;
use embley_formats::probe::{self, FileKind};
use embley_formats::source::{FileStat, SourceFile};
use embley_formats::walk::{FoundFile, WalkOptions, Walked, walk};
use embley_model::defect::{Defect, DefectCode};
use embley_model::event::{Event, Stage};
use embley_model::id::{FileId, ItemNo, RunNo, SourceId, Ticket};
use embley_store::catalogue::{CustodianId, FolderId};

use crate::entrance::{Entrance, Met, ResolvedSource, Spool};
use crate::error::IngestError;
use crate::known::{KnownFile, KnownFiles, KnownState};
use crate::notes::{Custodians, FeedNotes, FeedSummary, NewCustodian, NewException, NewFolder};
use crate::request::{IngestOptions, IngestRequest};
use crate::unit::{FileContext, Unit, Work};

/// How much of a loose file the probe sees.
const HEAD_BYTES: usize = 64 << 10;
/// Files in a batch at most.
const BATCH_FILES: usize = 256;

struct OpenFolder {
    number: FolderId,
    known: HashMap<Vec<u8>, KnownFile>,
}

struct OpenMailbox {
    file: Arc<FileContext>,
    scanner: MailboxScanner,
}

/// See the module.
pub(crate) struct Feed<'a> {
    options: &'a IngestOptions,
    request: &'a IngestRequest,
    known: Box<dyn KnownFiles + 'a>,
    run: RunNo,
    sources: VecDeque<Entrance<'a>>,
    custodians: Custodians,
    current: Option<CurrentSource>,
    mailbox: Option<OpenMailbox>,
    batch: Vec<Arc<FileContext>>,
    batch_bytes: u64,
    notes: FeedNotes,
    queued: VecDeque<Work>,
    next_ticket: u64,
    next_file: u32,
    next_folder: u32,
    pub(crate) summary: FeedSummary,
    ended: bool,
    peeked: Option<Unit>,
}

struct CurrentSource {
    resolved: ResolvedSource,
    walk: Box<dyn Iterator<Item = Met> + Send>,
    folders: HashMap<PathBuf, OpenFolder>,
    /// The item whose members these are. They come in the container's order, not sorted, and are never seen as absent.
    container: Option<ItemNo>,
}

/// Where numbers go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeedStart {
    pub(crate) run: RunNo,
    pub(crate) ticket: Ticket,
    pub(crate) file: FileId,
    pub(crate) folder: FolderId,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(
        request: &'a IngestRequest,
        options: &'a IngestOptions,
        known: Box<dyn KnownFiles + 'a>,
        (sources, custodians): (Vec<Entrance<'a>>, Custodians),
        start: FeedStart,
    ) -> Self {
        Self {
            options,
            request,
            known,
            run: start.run,
            sources: sources.into(),
            custodians,
            current: None,
            mailbox: None,
            batch: Vec::new(),
            batch_bytes: 0,
            notes: FeedNotes::default(),
            queued: VecDeque::new(),
            next_ticket: start.ticket.0,
            next_file: start.file.0,
            next_folder: start.folder.0,
            summary: FeedSummary::default(),
            ended: false,
            peeked: None,
        }
    }

    /// The next unit, or `None` at the end of all sources or after a stop was asked for.
    pub(crate) fn next_unit(&mut self) -> Result<Option<Unit>, IngestError> {
        if self.options.cancel.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if let Some(unit) = self.peeked.take() {
            return Ok(Some(unit));
        }
        loop {
            if let Some(work) = self.queued.pop_front() {
                return Ok(Some(self.unit(work)));
            }
            if self.mailbox.is_some() {
                if let Some(work) = self.mailbox_work()? {
                    return Ok(Some(self.unit(work)));
                }
                continue;
            }
            if self.batch.len() >= BATCH_FILES || self.batch_bytes >= self.options.range_bytes as u64 {
                self.flush_batch();
                continue;
            }
            if self.step()? {
                continue;
            }
            self.flush_batch();
            if self.queued.is_empty() {
                return Ok(self.last_notes());
            }
        }
    }

    /// True when there is something to hand out. It is kept for the next call of [`Feed::next_unit`].
    pub(crate) fn peek(&mut self) -> Result<bool, IngestError> {
        if self.peeked.is_none() {
            self.peeked = self.next_unit()?;
        }
        Ok(self.peeked.is_some())
    }

    /// What was found that has no unit.
    pub(crate) fn into_summary(self) -> FeedSummary {
        self.summary
    }

    /// True when the input was walked to its end (not stopped).
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    fn last_notes(&mut self) -> Option<Unit> {
        if self.ended {
            return None;
        }
        self.ended = true;
        if self.notes.folders.is_empty() {
            None
        } else {
            Some(self.unit(Work::Nothing))
        }
    }

    fn unit(&mut self, work: Work) -> Unit {
        let bytes = match &work {
            Work::Files(files) => files.iter().map(|file| file.stat.size).sum(),
            Work::Range { range, .. } => range.bytes.len() as u64,
            Work::LargeMessage { entry, .. } => entry.message.end - entry.message.start,
            Work::LargeFile(file) => file.stat.size,
            Work::Nothing => 0,
        };
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        Unit {
            ticket,
            work,
            notes: std::mem::take(&mut self.notes),
            bytes,
        }
    }

    fn flush_batch(&mut self) {
        if !self.batch.is_empty() {
            self.queued.push_back(Work::Files(std::mem::take(&mut self.batch)));
            self.batch_bytes = 0;
        }
    }

    fn mailbox_work(&mut self) -> Result<Option<Work>, IngestError> {
        let Some(open) = &mut self.mailbox else { return Ok(None) };
        let file = Arc::clone(&open.file);
        let variant = open.scanner.variant();
        match open.scanner.next_range(self.options.range_bytes) {
            Ok(Some(mut range)) => {
                let last = range.after.done;
                if last {
                    self.mailbox = None;
                }
                if range.entries.len() == 1 && range.entries[0].large {
                    let entry = range.entries.remove(0);
                    return Ok(Some(Work::LargeMessage {
                        file,
                        variant,
                        entry,
                        range,
                        last,
                    }));
                }
                Ok(Some(Work::Range {
                    file,
                    variant,
                    range,
                    last,
                }))
            }
            Ok(None) => {
                self.mailbox = None;
                Ok(None)
            }
            Err(error) => {
                self.mailbox = None;
                let defect = Defect::new(DefectCode::SourceBadRange, error.to_string());
                self.except(
                    file.source,
                    &file.shown,
                    defect,
                    "the rest of this mailbox was not read",
                );
                Ok(None)
            }
        }
    }

    fn except(&mut self, source: SourceId, path: &str, defect: Defect, action: &'static str) {
        let counters = &self.options.counters;
        counters.count_code(defect.code);
        counters.discovered.fetch_add(1, Ordering::Relaxed);
        counters.excepted.fetch_add(1, Ordering::Relaxed);
        self.summary.exceptions.push(NewException {
            source,
            path: path.to_owned(),
            defect,
            action,
        });
    }

    /// Goes on by one walked name. False at the end of all sources.
    fn step(&mut self) -> Result<bool, IngestError> {
        let Some(current) = &mut self.current else {
            return self.open_source();
        };
        let Some(Met { walked, spool, defects }) = current.walk.next() else {
            self.close_source()?;
            return Ok(true);
        };
        match walked {
            Walked::File(found) => self.found_file(found, (spool, defects))?,
            Walked::Excluded { .. } => {
                let source = self.source()?;
                *self.summary.excluded.entry(source).or_insert(0) += 1;
                self.options.counters.discovered.fetch_add(1, Ordering::Relaxed);
                self.options.counters.excluded.fetch_add(1, Ordering::Relaxed);
            }
            Walked::Problem { rel, defect } => {
                let source = self.source()?;
                let shown = self.shown(&rel);
                self.except(source, &shown, defect, "nothing could be read; no item exists");
            }
        }
        Ok(true)
    }

    fn open_source(&mut self) -> Result<bool, IngestError> {
        let resolved = match self.sources.pop_front() {
            None => return Ok(false),
            Some(Entrance::Source(resolved)) => resolved,
            Some(Entrance::Container(container)) => {
                self.current = Some(CurrentSource {
                    resolved: container.source(),
                    container: Some(container.item()),
                    walk: container.members()?,
                    folders: HashMap::new(),
                });
                return Ok(true);
            }
        };
        let options = WalkOptions {
            exclude: self.request.exclude.clone(),
            follow_links: true,
        };
        let walk: Box<dyn Iterator<Item = Met> + Send> = Box::new(walk(&resolved.spec.path, &options).map(Met::from));
        self.summary.sources.push(resolved.source);
        self.current = Some(CurrentSource {
            resolved,
            walk,
            folders: HashMap::new(),
            container: None,
        });
        Ok(true)
    }

    fn source(&self) -> Result<SourceId, IngestError> {
        let current = self
            .current
            .as_ref()
            .ok_or_else(|| IngestError::internal("no source is open"))?;
        Ok(current.resolved.source)
    }

    fn close_source(&mut self) -> Result<(), IngestError> {
        self.flush_batch();
        if let Some(current) = self.current.take()
            && current.container.is_none()
        {
            for (_, folder) in current.folders {
                self.leave_folder(folder);
            }
        }
        Ok(())
    }

    fn leave_folder(&mut self, folder: OpenFolder) {
        self.summary.folders_seen.insert(folder.number.0);
        let gone = folder.known.into_values().filter(|known| !known.absent);
        self.summary.absent.extend(gone.map(|known| known.file));
    }

    fn shown(&self, rel: &Path) -> String {
        let label = self
            .current
            .as_ref()
            .map_or("", |current| current.resolved.spec.label.as_str());
        if rel.as_os_str().is_empty() {
            label.to_owned()
        } else {
            format!("{label}/{}", rel.to_string_lossy())
        }
    }

    /// The id of the folder that holds `rel`, opening it when it is new to this walk.
    fn folder_of(&mut self, rel: &Path) -> Result<FolderId, IngestError> {
        let parent = rel.parent().unwrap_or(Path::new("")).to_path_buf();
        let source = self.source()?;
        let Some(current) = &mut self.current else {
            return Err(IngestError::internal("no source is open"));
        };
        if let Some(folder) = current.folders.get(&parent) {
            return Ok(folder.number);
        }
        // The walk of a source is sorted, so folders that are not above this one are done with.
        let sorted = current.container.is_none();
        let container = current.container;
        let left: Vec<PathBuf> = current
            .folders
            .keys()
            .filter(|open| sorted && !parent.starts_with(open))
            .cloned()
            .collect();
        let left: Vec<OpenFolder> = left.iter().filter_map(|path| current.folders.remove(path)).collect();
        let path = parent.as_os_str().as_bytes().to_vec();
        let opened = match self.known.folder(source, &path)? {
            Some((number, known)) => OpenFolder { number, known },
            None => {
                let number = FolderId(self.next_folder);
                self.next_folder += 1;
                self.notes.folders.push(NewFolder {
                    folder: number,
                    source,
                    path,
                    container,
                });
                OpenFolder {
                    number,
                    known: HashMap::new(),
                }
            }
        };
        let number = opened.number;
        for folder in left {
            self.leave_folder(folder);
        }
        if let Some(current) = &mut self.current {
            current.folders.insert(parent, opened);
        }
        Ok(number)
    }

    fn custodian_of(&mut self, rel: &Path) -> Option<(CustodianId, String)> {
        let name = self.current.as_ref()?.resolved.spec.custodian.name_of(rel)?;
        let (custodian, new) = self.custodians.id(&name);
        if new {
            self.notes.custodians.push(NewCustodian {
                custodian,
                name: name.clone(),
            });
        }
        Some((custodian, name))
    }

    fn found_file(&mut self, found: FoundFile, spool: Spool) -> Result<(), IngestError> {
        let folder = self.folder_of(&found.rel)?;
        let name = file_name(&found);
        let parent = found.rel.parent().unwrap_or(Path::new("")).to_path_buf();
        let known = self
            .current
            .as_mut()
            .and_then(|current| current.folders.get_mut(&parent))
            .and_then(|open| open.known.remove(&name));
        let mut resume = None;
        let mut previous = None;
        if let Some(known) = known {
            match self.against_known(&found.stat, &known)? {
                Against::Skip => return Ok(()),
                Against::Resume => resume = known.scan_state.clone().map(|state| (known.file, state)),
                Against::NewVersion => previous = Some(known),
            }
        }
        self.take_file((found, spool), folder, name, resume, previous)
    }

    fn against_known(&mut self, stat: &FileStat, known: &KnownFile) -> Result<Against, IngestError> {
        let source = self.source()?;
        let same = known.stat == *stat;
        let this_run = known.run == self.run;
        // Size and time of a member are what its container says of it; another version of the container may say the same of other bytes.
        let is_member = self.current.as_ref().is_some_and(|current| current.container.is_some());
        Ok(match known.state {
            KnownState::Done if same && this_run => Against::Skip,
            // It was gone and is back: a new version, so that the gap stays on record.
            KnownState::Done if known.absent => Against::NewVersion,
            KnownState::Done if same && !self.request.rehash && !is_member => {
                *self.summary.unchanged.entry(source).or_insert(0) += known.entries;
                self.summary.unchanged_bytes += stat.size;
                let counters = &self.options.counters;
                counters.unchanged.fetch_add(known.entries, Ordering::Relaxed);
                counters.discovered.fetch_add(known.entries, Ordering::Relaxed);
                counters.skipped_bytes.fetch_add(stat.size, Ordering::Relaxed);
                counters.add(Stage::Discover, known.entries, stat.size, 0);
                Against::Skip
            }
            KnownState::Excepted if this_run => Against::Skip,
            // One that an earlier run left in the middle could not be read on; its entries are looked up again.
            KnownState::Scanning if same && this_run => Against::Resume,
            KnownState::Done | KnownState::Scanning | KnownState::Excepted => Against::NewVersion,
        })
    }

    fn take_file(
        &mut self,
        (found, (spool, defects)): (FoundFile, Spool),
        folder: FolderId,
        name: Vec<u8>,
        resume: Option<(FileId, String)>,
        previous: Option<KnownFile>,
    ) -> Result<(), IngestError> {
        let previous_items = match &previous {
            Some(known) => Some(self.known.items_of(known.file)?),
            None => None,
        };
        let file = match &resume {
            Some((file, _)) => *file,
            None => {
                self.next_file += 1;
                FileId(self.next_file - 1)
            }
        };
        let shown = self.shown(&found.rel);
        let custodian = self.custodian_of(&found.rel);
        let source = self.source()?;
        let context = Arc::new(FileContext {
            file,
            source,
            folder,
            version: previous.as_ref().map_or(1, |known| known.version + 1),
            previous: previous.map(|known| known.file),
            custodian,
            absolute: found.absolute,
            shown,
            name,
            stat: found.stat,
            place: found.place,
            previous_items,
            spool,
            defects,
        });
        if resume.is_none() && context.stat.size <= self.options.range_bytes as u64 {
            self.batch_bytes += context.stat.size;
            self.batch.push(context);
            return Ok(());
        }
        self.flush_batch();
        self.big_file(context, resume.map(|(_, state)| state))
    }

    /// A file of its own: probed here, because a mailbox must be scanned in order.
    fn big_file(&mut self, file: Arc<FileContext>, state: Option<String>) -> Result<(), IngestError> {
        self.options.observer.event(&Event::FileStarted {
            path: file.shown.clone(),
            bytes: file.stat.size,
        });
        let opened = SourceFile::open(&file.absolute).and_then(|source| {
            let head = source.read_at_most(0, HEAD_BYTES)?;
            Ok((source, head))
        });
        let Ok((source, head)) = opened else {
            // The worker opens it again, fails again, and writes the exception with its file row.
            self.queued.push_back(Work::Files(vec![file]));
            return Ok(());
        };
        if file.spool.is_some() && head.starts_with(bundle::MAGIC) {
            let large = file.stat.size > self.options.large_bytes;
            self.queued.push_back(if large {
                Work::LargeFile(file)
            } else {
                Work::Files(vec![file])
            });
            return Ok(());
        }
        let (kind, _) = probe::probe(&head, &file.name, &file.place, file.stat.size);
        match kind {
            FileKind::Mailbox => {
                let state: Option<ScanState> = match state {
                    Some(text) => Some(serde_json::from_str(&text).map_err(|error| {
                        IngestError::internal(format!("scan state of {:?} cannot be read: {error}", file.shown))
                    })?),
                    None => None,
                };
                match MailboxScanner::open(source, state) {
                    Ok(scanner) => self.mailbox = Some(OpenMailbox { file, scanner }),
                    Err(_) => self.queued.push_back(Work::Files(vec![file])),
                }
            }
            FileKind::Message | FileKind::Text | FileKind::Other { .. } | FileKind::Empty => {
                let large = file.stat.size > self.options.large_bytes;
                self.queued.push_back(if large {
                    Work::LargeFile(file)
                } else {
                    Work::Files(vec![file])
                });
            }
        }
        Ok(())
    }
}

enum Against {
    Skip,
    Resume,
    NewVersion,
}

fn file_name(found: &FoundFile) -> Vec<u8> {
    let path = if found.rel.as_os_str().is_empty() {
        found.absolute.as_path()
    } else {
        found.rel.as_path()
    };
    path.file_name().map_or_else(Vec::new, |name| name.as_bytes().to_vec())
}
