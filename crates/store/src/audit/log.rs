//! Appending to the log.
//!
//! Under `audit/lock`, which is held for one append only, so that commands beside each other and beside an ingest take turns:
//!
//! 1. The end of the log is found by the last record of `audit/tree`, checked against its line. Lines behind it (a stop came between log
//!    and tree) are taken into the tree when they continue the chain. A line without its end is a write that a stop has torn: nothing
//!    was reported of it; it is removed and an entry says so. What the catalogue remembers must be there, else the append is refused.
//! 2. The line is written and synced. *Stopped before: the entry is not there, or torn. From here on it is there.*
//! 3. The tree gets its record. *Stopped before: step 1 of the next append makes it.*
//! 4. The catalogue is told. *Stopped before, or the catalogue is busy: it is behind, and the next entry brings it up to date.*
//!
//! Main type: [`AuditLog`]. Invariant: when an append returns, its entry is durable; no byte of a whole line is ever changed.

use std::cell::OnceCell;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use embley_model::failpoint;
use embley_model::id::{Key128, hex_encode};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::anchor::{Anchor, AnchorTable};
use super::entry::{ENTRY_VERSION, Ended, Entry, LONGEST_LINE, NOTHING_BEFORE, What, line_hash, time};
use super::segment;
use super::tree::{TreeFile, position, record};
use crate::case::{AUDIT, CATALOGUE, Case, read_config};
use crate::disk::{Disk, DiskFile, LockFile, RealDisk, beside};
use crate::error::{Result, StoreError};
use crate::merkle::{self, Hash, Subtrees};

/// How long somebody else's append is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Room that is kept for the log, so that a full disk does not keep people from looking: some hundreds of entries.
const RESERVE_BYTES: u64 = 256 << 10;
/// What a file system gives and takes at once.
const BLOCK_BYTES: u64 = 4 << 10;

/// What can be done about a log that cannot be continued.
const WAY_ON: &str = "put audit/ back from a copy of the case or, when there is none, begin a new log behind it with `embley audit restart --reason WHY`";

/// Who writes an entry, and when: inputs, never looked up here.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Who says to act.
    pub who: &'a str,
    /// The account of the operating system.
    pub uid: u32,
    /// Program and version.
    pub tool: &'a str,
    /// Microseconds since 1970 UTC.
    pub at_micros: i64,
}

/// How a command ended, for its entry.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The entry that said it was about to run; nothing for one that made the case.
    pub of: Option<u64>,
    /// Its name.
    pub command: String,
    /// How it ended.
    pub ended: Ended,
    /// Exit code.
    pub code: u8,
    /// Counts and digests; why it was refused or failed.
    pub result: Map<String, Value>,
}

/// The log of one case.
#[derive(Debug)]
pub struct AuditLog {
    pub(super) root: PathBuf,
    pub(super) case: Key128,
    /// Which segment of the log this is, from 1.
    pub(super) segment: u32,
    pub(super) disk: Arc<dyn Disk>,
    anchor: OnceCell<Option<AnchorTable>>,
}

impl AuditLog {
    /// The log of the case in a folder. Nothing is made or written before the first append; the catalogue need not be readable.
    ///
    /// # Errors
    /// When the folder is not a case, or of a newer format.
    pub fn at(root: &Path) -> Result<Self> {
        let config = read_config(root)?;
        let case = Key128::from_hex(&config.id).ok_or_else(|| StoreError::Config {
            path: root.join(crate::case::CASE_FILE),
            detail: "id is not 32 hexadecimal digits".to_owned(),
        })?;
        Ok(Self::new(root, case, Arc::new(RealDisk)))
    }

    /// The log of an open case, on its disk.
    pub fn of(case: &Case) -> Self {
        Self::new(case.root(), case.id(), Arc::clone(case.disk()))
    }

    fn new(root: &Path, case: Key128, disk: Arc<dyn Disk>) -> Self {
        Self {
            root: root.to_owned(),
            case,
            segment: segment::newest(root),
            disk,
            anchor: OnceCell::new(),
        }
    }

    /// Another segment of this log, whether it is there or not.
    pub fn of_segment(&self, segment: u32) -> Self {
        Self {
            root: self.root.clone(),
            case: self.case,
            segment: segment.max(1),
            disk: Arc::clone(&self.disk),
            anchor: OnceCell::new(),
        }
    }

    /// Which segment of the log this is: 1, unless the log was begun again.
    pub fn segment(&self) -> u32 {
        self.segment
    }

    /// The folder of the log.
    pub fn dir(&self) -> PathBuf {
        self.root.join(segment::folder_of(self.segment))
    }

    /// The log itself.
    pub fn log_path(&self) -> PathBuf {
        self.dir().join("log.jsonl")
    }

    pub(super) fn tree_path(&self) -> PathBuf {
        self.dir().join("tree")
    }

    /// The folder of checkpoints' copies.
    pub fn checkpoints_dir(&self) -> PathBuf {
        self.dir().join("checkpoints")
    }

    pub(super) fn catalogue_path(&self) -> PathBuf {
        self.root.join(CATALOGUE)
    }

    /// Says that a command is about to run. Returns the entry's number.
    ///
    /// # Errors
    /// When the log cannot be written ([`StoreError::Io`]), somebody holds it ([`StoreError::Busy`]), or its end is not what was written
    /// ([`StoreError::Damaged`]). The command must not run then.
    pub fn intent(&self, command: &str, parameters: Map<String, Value>, author: Author<'_>) -> Result<u64> {
        let command = command.to_owned();
        self.append(What::Intent { command, parameters }, author)
    }

    /// Says how a command has ended. Returns the entry's number.
    ///
    /// # Errors
    /// As [`AuditLog::intent`]; what the command did stands.
    pub fn outcome(&self, outcome: Outcome, author: Author<'_>) -> Result<u64> {
        let what = What::Outcome {
            of: outcome.of,
            command: outcome.command,
            outcome: outcome.ended,
            code: outcome.code,
            result: outcome.result,
        };
        self.append(what, author)
    }

    /// Adds an entry.
    pub(super) fn append(&self, what: What, author: Author<'_>) -> Result<u64> {
        self.locked(author, |appender| appender.push(what))
    }

    /// Takes the lock, finds the end of the log, and lets `work` append.
    pub(super) fn locked<T>(&self, author: Author<'_>, work: impl FnOnce(&mut Appender<'_>) -> Result<T>) -> Result<T> {
        let dir = self.dir();
        self.disk
            .create_dir(&dir)
            .map_err(|error| StoreError::io("make", &dir, error))?;
        let _lock = self.lock()?;
        if segment::newest(&self.root) != self.segment {
            return Err(StoreError::Busy {
                path: self.root.clone(),
                holder: "another process, which has begun its audit log again meanwhile: run the command once more"
                    .to_owned(),
            });
        }
        passed("audit-begin", &self.log_path())?;
        let mut appender = Appender::open(self, author)?;
        if appender.count == 0 {
            let why = "the first command of a version with an audit log, or the case was just made".to_owned();
            self.keep_reserve();
            appender.push(What::Begin { why })?;
        }
        work(&mut appender)
    }

    /// Whether an entry could be added; the lock is held. A torn write is removed on the way, as by every append.
    pub(super) fn can_continue(&self, author: Author<'_>) -> Result<Continued> {
        match Appender::open(self, author) {
            Ok(_) => Ok(Continued::Yes),
            Err(StoreError::Damaged { .. }) => Ok(Continued::No),
            Err(error) => Err(error),
        }
    }

    /// What the catalogue has seen of this segment, as far as it can say.
    pub(super) fn seen_by_catalogue(&self) -> Option<Anchor> {
        self.anchor().and_then(|table| table.read().ok().flatten())
    }

    /// The newest segment that the catalogue has seen.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub(super) fn newest_seen(&self) -> Result<u32> {
        self.anchor().map_or(Ok(1), AnchorTable::newest)
    }

    /// Takes the lock of the log; it is let go of with what is returned.
    pub(super) fn lock(&self) -> Result<LockFile> {
        // One for all segments.
        let path = self.root.join(AUDIT).join("lock");
        let taken = LockFile::wait(&path, PATIENCE).map_err(|error| StoreError::io("write", &path, error))?;
        taken.ok_or_else(|| StoreError::Busy {
            path: self.root.clone(),
            holder: "another process, which holds its audit log".to_owned(),
        })
    }

    fn reserve_path(&self) -> PathBuf {
        self.root.join(AUDIT).join("reserve")
    }

    /// Makes the reserve as large as it should be. Without room for it the log goes on without.
    fn keep_reserve(&self) {
        let path = self.reserve_path();
        if std::fs::metadata(&path).is_ok_and(|facts| facts.len() >= RESERVE_BYTES) {
            return;
        }
        let zeros = vec![0; usize::try_from(RESERVE_BYTES).unwrap_or(0)];
        if self.disk.replace(&path, &zeros).is_err() {
            // What was written of it took the last room.
            drop(self.disk.remove_file(&beside(&path)));
        }
    }

    /// Gives up as much of the reserve as `bytes` take. False when there is none left.
    fn give_room(&self, bytes: u64) -> std::io::Result<bool> {
        let mut file = match self.disk.open_write(&self.reserve_path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        let length = file.len()?;
        let piece = bytes.next_multiple_of(BLOCK_BYTES) + BLOCK_BYTES;
        file.set_len(length.saturating_sub(piece))?;
        Ok(length > 0)
    }

    /// Writes, and on a full disk once more with room from the reserve.
    fn with_room(&self, bytes: u64, mut write: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
        match write() {
            Err(error) if error.kind() == ErrorKind::StorageFull && self.give_room(bytes)? => write(),
            done => done,
        }
    }

    /// The catalogue's row; nothing when the catalogue cannot be written just now: then it is behind.
    fn anchor(&self) -> Option<&AnchorTable> {
        self.anchor
            .get_or_init(|| AnchorTable::open(&self.catalogue_path(), self.case, self.segment).ok())
            .as_ref()
    }
}

fn passed(name: &'static str, path: &Path) -> Result<()> {
    failpoint::pass(name).map_err(|error| StoreError::io("write", path, error))
}

/// Whether a log goes on.
pub(super) enum Continued {
    Yes,
    No,
}

/// What stands behind the last line that the tree speaks of.
struct Further {
    /// Ends and leaves of whole lines that go on from it.
    lines: Vec<(u64, Hash)>,
    /// A line without its end.
    torn: Option<Vec<u8>>,
}

/// The end of the log, held.
pub(super) struct Appender<'a> {
    log: &'a AuditLog,
    author: Author<'a>,
    file: Box<dyn DiskFile>,
    tree_file: Box<dyn DiskFile>,
    tree: TreeFile,
    /// Entries.
    count: u64,
    /// Bytes.
    end: u64,
    /// Leaf hash of the last one.
    last: Hash,
}

impl<'a> Appender<'a> {
    fn open(log: &'a AuditLog, author: Author<'a>) -> Result<Self> {
        let (path, tree_path) = (log.log_path(), log.tree_path());
        let file = open_or_make(&*log.disk, &path)?;
        let tree_file = open_or_make(&*log.disk, &tree_path)?;
        let tree = TreeFile::open(&tree_path)?
            .ok_or_else(|| StoreError::internal("the file just opened for writing is not there"))?;
        let reading = File::open(&path).map_err(|error| StoreError::io("read", &path, error))?;
        let length = file.len().map_err(|error| StoreError::io("read", &path, error))?;
        let mut appender = Self {
            log,
            author,
            file,
            tree_file,
            count: 0,
            end: 0,
            last: NOTHING_BEFORE,
            tree,
        };
        appender.find_end(&reading, length)?;
        let Further { lines, torn } = appender.further(&reading, length)?;
        appender.compare_with_catalogue(&lines)?;
        for (end, leaf) in lines {
            appender.take_in(end, leaf)?;
        }
        if let Some(torn) = torn {
            let bytes = torn.len() as u64;
            let sha256 = hex_encode(&Sha256::digest(&torn));
            // Stopped behind this: the torn bytes are gone, and nothing ever relied on them.
            appender
                .file
                .set_len(appender.end)
                .map_err(|error| StoreError::io("write", &path, error))?;
            appender.push(What::Torn { bytes, sha256 })?;
        }
        Ok(appender)
    }

    /// The last record of the tree that speaks of a line as it stands.
    fn find_end(&mut self, reading: &File, length: u64) -> Result<()> {
        // Of a log that was cut, the records behind its end are passed over at once. What a damaged file says is checked below all the same.
        let (mut count, mut over) = (0, self.tree.count());
        while count < over {
            let middle = count + (over - count) / 2;
            if self.tree.end(middle)? <= length {
                count = middle + 1;
            } else {
                over = middle;
            }
        }
        while count > 0 {
            let end = self.tree.end(count - 1)?;
            let start = if count > 1 { self.tree.end(count - 2)? } else { 0 };
            let fits = start < end && end <= length && end - start <= LONGEST_LINE;
            if fits
                && let Some(line) = read_range(reading, start, end, &self.log.log_path())?.strip_suffix(b"\n")
                && line_hash(line) == self.tree.leaf(count - 1)?
            {
                (self.count, self.end, self.last) = (count, end, self.tree.leaf(count - 1)?);
                return Ok(());
            }
            count -= 1;
        }
        Ok(())
    }

    /// Ends and leaves of the whole lines behind the last record, and what is behind them. Nothing is written.
    fn further(&self, reading: &File, length: u64) -> Result<Further> {
        let path = self.log.log_path();
        let mut reader = std::io::BufReader::with_capacity(1 << 16, reading);
        std::io::Seek::seek(&mut reader, std::io::SeekFrom::Start(self.end))
            .map_err(|error| StoreError::io("read", &path, error))?;
        let (mut number, mut end, mut last) = (self.count, self.end, self.last);
        let mut lines = Vec::new();
        while end < length {
            let mut line = Vec::new();
            std::io::BufRead::read_until(&mut std::io::Read::take(&mut reader, LONGEST_LINE), b'\n', &mut line)
                .map_err(|error| StoreError::io("read", &path, error))?;
            let Some(whole) = line.strip_suffix(b"\n") else {
                let torn = Some(line).filter(|line| !line.is_empty());
                return Ok(Further { lines, torn });
            };
            let damaged = |detail: String| {
                StoreError::damaged(
                    path.display().to_string(),
                    format!("entry {number}, byte {end}"),
                    format!("{detail}: {WAY_ON}"),
                )
            };
            let entry = Entry::from_line(whole).map_err(&damaged)?;
            if entry.seq != number || entry.hash_before() != Some(last) || entry.case != self.log.case.to_hex() {
                return Err(damaged("it does not go on from the entry before it".to_owned()));
            }
            (number, end, last) = (number + 1, end + line.len() as u64, line_hash(whole));
            lines.push((end, last));
        }
        Ok(Further { lines, torn: None })
    }

    /// Refuses a log that lacks what the catalogue has seen of it.
    fn compare_with_catalogue(&self, further: &[(u64, Hash)]) -> Result<()> {
        let (path, count) = (self.log.log_path(), self.count + further.len() as u64);
        let damaged =
            |detail: String| StoreError::damaged(path.display().to_string(), format!("entry {count}"), detail);
        if let Some(table) = self.log.anchor()
            && let Ok(newest) = table.newest()
            && newest > self.log.segment
        {
            return Err(damaged(format!(
                "the catalogue has seen a later log, {}/log.jsonl, which is not there: {WAY_ON}",
                segment::folder_of(newest)
            )));
        }
        let Some(Anchor { entries, head, .. }) = self.log.seen_by_catalogue() else {
            return Ok(());
        };
        if entries > count {
            return Err(damaged(format!(
                "the log ends here, but the catalogue has seen {entries} entries: `embley audit verify` says what is missing; {WAY_ON}"
            )));
        }
        let Some(seen) = entries.checked_sub(1) else {
            return Ok(());
        };
        let leaf = match seen.checked_sub(self.count).and_then(|at| usize::try_from(at).ok()) {
            Some(at) => further[at].1,
            None => self.tree.leaf(seen)?,
        };
        if leaf != head {
            return Err(damaged(format!(
                "entry {seen} is not the one that the catalogue has seen: `embley audit verify` says what was changed; {WAY_ON}"
            )));
        }
        Ok(())
    }

    /// How many entries there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The root of the tree of all of them.
    pub(super) fn root(&self) -> Result<Hash> {
        merkle::root_at(&self.tree, self.count)
    }

    /// Adds an entry. Returns its number.
    pub(super) fn push(&mut self, what: What) -> Result<u64> {
        let checkpoint = match &what {
            What::Checkpoint { size, key_id, .. } => Some((*size, key_id.clone())),
            _ => None,
        };
        let number = self.count;
        let path = self.log.log_path();
        let entry = Entry {
            v: ENTRY_VERSION,
            seq: number,
            prev: merkle::hex(&self.last),
            at: time(self.author.at_micros),
            at_micros: self.author.at_micros,
            case: self.log.case.to_hex(),
            who: self.author.who.to_owned(),
            uid: self.author.uid,
            tool: self.author.tool.to_owned(),
            event: what,
        };
        let mut line = entry.to_line()?.into_bytes();
        let leaf = line_hash(&line);
        line.push(b'\n');
        if line.len() as u64 > LONGEST_LINE {
            return Err(StoreError::Config {
                path,
                detail: format!("what was typed is too long for the audit log: {} bytes", line.len()),
            });
        }
        let failed = |error| StoreError::io("write", &path, error);
        let (log, end) = (self.log, self.end);
        let file = &mut self.file;
        if let Err(error) = log.with_room(line.len() as u64, || file.write_all_at(&line, end)) {
            // A part of it may be there. If it stays, the next append takes it for torn and says so.
            drop(file.set_len(end));
            return Err(failed(error));
        }
        passed("audit-write", &path)?;
        self.file.sync().map_err(failed)?;
        passed("audit-sync", &path)?;
        self.take_in(self.end + line.len() as u64, leaf)?;
        passed("audit-tree", &path)?;
        if let Some(table) = self.log.anchor() {
            let checkpoint = checkpoint.as_ref().map(|(size, key)| (*size, key.as_str()));
            // Busy, full or damaged: the entry is in the log all the same, and `audit verify` says how far the catalogue is.
            drop(table.write(self.count, &self.last, checkpoint));
        }
        passed("audit-anchor", &path)?;
        if end / RESERVE_BYTES != self.end / RESERVE_BYTES {
            log.keep_reserve();
        }
        Ok(number)
    }

    /// Gives the tree the record of a line that is durable.
    fn take_in(&mut self, end: u64, leaf: Hash) -> Result<()> {
        let path = self.log.tree_path();
        let bytes = record(self.count, end, leaf, |level, number| self.tree.subtree(level, number))?;
        let at = position(self.count);
        let file = &mut self.tree_file;
        self.log
            .with_room(bytes.len() as u64, || file.write_all_at(&bytes, at))
            .and_then(|()| self.tree_file.set_len(at + bytes.len() as u64))
            .map_err(|error| StoreError::io("write", &path, error))?;
        (self.count, self.end, self.last) = (self.count + 1, end, leaf);
        Ok(())
    }
}

fn open_or_make(disk: &dyn Disk, path: &Path) -> Result<Box<dyn DiskFile>> {
    match disk.open_write(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => disk.create_new(path),
        opened => opened,
    }
    .map_err(|error| StoreError::io("write", path, error))
}

fn read_range(file: &File, start: u64, end: u64, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
    file.read_exact_at(&mut bytes, start)
        .map_err(|error| StoreError::io("read", path, error))?;
    Ok(bytes)
}
