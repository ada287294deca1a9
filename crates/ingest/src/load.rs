//! Reading a unit: from files or a scanned range to entries, each a slice of a buffer.
//!
//! The only place where a worker touches evidence. Invariant: for every file of the unit there is a progress row and at least one
//! entry, or the file is excepted by name.

use std::ops::Range;
use std::sync::Arc;

use embley_formats::FormatError;
use embley_formats::mailbox::{Entry, MailboxScanner, ScannedRange, Variant};
use embley_formats::mapi::bundle;
use embley_formats::probe::{self, FileKind};
use embley_formats::source::SourceFile;
use embley_formats::walk::Place;
use embley_model::defect::{Defect, DefectCode};

use crate::error::IngestError;
use crate::unit::{Discovered, FileContext, FileProgress, Found, Unit, Work};

/// The catalogue's codes for what a file is.
pub(crate) mod kind_code {
    pub(crate) const MAILBOX: u8 = 0;
    pub(crate) const MAILDIR: u8 = 1;
    pub(crate) const MESSAGE: u8 = 2;
    pub(crate) const LOOSE: u8 = 3;
    pub(crate) const UNREADABLE: u8 = 4;
    pub(crate) const RECORDS: u8 = 5;
}

/// What an entry is, as far as the probe can tell.
#[derive(Clone, Debug)]
pub(crate) enum EntryKind {
    /// RFC 5322.
    Message,
    /// A message of properties, as its container's reader bundled it.
    Bundle,
    /// A loose file.
    Loose(FileKind),
}

/// Where an entry's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    /// In a buffer of the unit.
    Memory { buffer: usize, range: Range<usize> },
    /// In its file, too large to hold.
    File { range: Range<u64> },
    /// Nowhere: it could not be read.
    None(Defect),
}

/// An entry before hashing.
pub(crate) struct LoadedEntry {
    pub(crate) file: usize,
    pub(crate) bytes: Bytes,
    pub(crate) kind: EntryKind,
    pub(crate) variant: Option<Variant>,
    pub(crate) found: Found,
    pub(crate) defects: Vec<Defect>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) files: Vec<Arc<FileContext>>,
    pub(crate) buffers: Vec<Vec<u8>>,
    pub(crate) entries: Vec<LoadedEntry>,
    pub(crate) progress: Vec<FileProgress>,
    /// Counted here, before anything is decided; one for each file.
    pub(crate) discovered: Vec<Discovered>,
}

/// Reads a unit's work.
///
/// # Errors
/// Only when the program is wrong; what cannot be read is an excepted entry.
pub(crate) fn load(unit: &mut Unit) -> Result<Loaded, IngestError> {
    let mut loaded = Loaded::default();
    match std::mem::replace(&mut unit.work, Work::Nothing) {
        Work::Files(files) => {
            for file in files {
                loaded.file(file);
            }
        }
        Work::Range {
            file,
            variant,
            range,
            last,
        } => loaded.range(file, variant, range, last)?,
        Work::LargeMessage {
            file,
            variant,
            entry,
            range,
            last,
        } => {
            loaded.large_message(file, variant, &entry, &range, last)?;
        }
        Work::LargeFile(file) => loaded.large_file(file),
        Work::Nothing => {}
    }
    loaded.discovered = vec![Discovered::default(); loaded.files.len()];
    for entry in &loaded.entries {
        loaded.discovered[entry.file].entries += 1;
        loaded.discovered[entry.file].bytes += entry.found.length;
    }
    Ok(loaded)
}

/// An error with its causes on one line, each said once.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        let words = why.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = why.source();
    }
    text
}

impl Loaded {
    fn file(&mut self, file: Arc<FileContext>) {
        let read = read_whole(&file);
        match read {
            Ok((source, bytes, changed)) => {
                let (kind, mut defects) = probe::probe(&bytes, &file.name, &file.place, bytes.len() as u64);
                defects.extend(file.defects.iter().cloned());
                if changed {
                    defects.push(Defect::new(DefectCode::SourceChangedWhileRead, ""));
                }
                match kind {
                    // Only our own readers write bundles; a file that was found with these first bytes is a file.
                    _ if file.spool.is_some() && bytes.starts_with(bundle::MAGIC) => self.bundle(file, bytes, defects),
                    FileKind::Mailbox => {
                        if let Err(error) = self.small_mailbox(&file, source, defects) {
                            self.unreadable(file, &error);
                        }
                    }
                    kind => self.loose(file, bytes, kind, defects),
                }
            }
            Err(error) => self.unreadable(file, &error),
        }
    }

    fn unreadable(&mut self, file: Arc<FileContext>, error: &FormatError) {
        let defect = Defect::new(DefectCode::SourceUnreadable, with_causes(error));
        let index = self.push_file(file, kind_code::UNREADABLE, true, Vec::new());
        self.entries.push(LoadedEntry {
            file: index,
            bytes: Bytes::None(defect),
            kind: EntryKind::Loose(FileKind::Empty),
            variant: None,
            found: Found::default(),
            defects: Vec::new(),
        });
    }

    fn push_file(&mut self, file: Arc<FileContext>, kind: u8, excepted: bool, defects: Vec<Defect>) -> usize {
        let index = self.files.len();
        self.files.push(file);
        self.progress.push(FileProgress {
            file: index,
            scan_state: None,
            variant: None,
            message_bytes: 0,
            separator_bytes: 0,
            junk_bytes: 0,
            last: true,
            kind,
            defects,
            excepted,
        });
        index
    }

    fn loose(&mut self, file: Arc<FileContext>, bytes: Vec<u8>, kind: FileKind, defects: Vec<Defect>) {
        let message = matches!(kind, FileKind::Message);
        let code = match (&file.place, message) {
            (Place::Maildir { .. }, _) => kind_code::MAILDIR,
            (Place::Loose, true) => kind_code::MESSAGE,
            (Place::Loose, false) => kind_code::LOOSE,
        };
        let length = bytes.len();
        // What is odd about nothing belongs to the file: all that are empty share one item.
        let (of_file, of_entry) = if matches!(kind, FileKind::Empty) {
            (defects, Vec::new())
        } else {
            (Vec::new(), defects)
        };
        let index = self.push_file(file, code, false, of_file);
        self.progress[index].message_bytes = length as u64;
        let buffer = self.buffers.len();
        self.buffers.push(bytes);
        self.entries.push(LoadedEntry {
            file: index,
            bytes: Bytes::Memory {
                buffer,
                range: 0..length,
            },
            kind: if message {
                EntryKind::Message
            } else {
                EntryKind::Loose(kind)
            },
            variant: None,
            found: Found {
                length: length as u64,
                ..Found::default()
            },
            defects: of_entry,
        });
    }

    /// A message of properties, together with the contents of its attachments.
    fn bundle(&mut self, file: Arc<FileContext>, bytes: Vec<u8>, defects: Vec<Defect>) {
        self.loose(file, bytes, FileKind::Message, defects);
        if let Some(entry) = self.entries.last_mut() {
            entry.kind = EntryKind::Bundle;
        }
    }

    /// A mailbox small enough for one unit.
    fn small_mailbox(
        &mut self,
        file: &Arc<FileContext>,
        source: SourceFile,
        defects: Vec<Defect>,
    ) -> Result<(), FormatError> {
        let mut scanner = MailboxScanner::open(source, None)?;
        let mut ranges = Vec::new();
        while let Some(range) = scanner.next_range(usize::MAX / 2)? {
            ranges.push(range);
        }
        let index = self.push_file(Arc::clone(file), kind_code::MAILBOX, false, defects);
        let variant = scanner.variant();
        for range in ranges {
            self.add_range(index, variant, range, true);
        }
        Ok(())
    }

    fn range(
        &mut self,
        file: Arc<FileContext>,
        variant: Variant,
        range: ScannedRange,
        last: bool,
    ) -> Result<(), IngestError> {
        let state = scan_state(&range)?;
        let index = self.push_file(file, kind_code::MAILBOX, false, Vec::new());
        self.add_range(index, variant, range, last);
        self.progress[index].scan_state = Some(state);
        Ok(())
    }

    fn add_range(&mut self, index: usize, variant: Variant, range: ScannedRange, last: bool) {
        let progress = &mut self.progress[index];
        progress.variant = Some(variant);
        progress.message_bytes = range.after.sums.message_bytes;
        progress.separator_bytes = range.after.sums.separator_bytes;
        progress.junk_bytes = range.after.sums.junk_bytes;
        progress.last = last;
        progress.defects.extend(range.defects);
        let buffer = self.buffers.len();
        for entry in range.entries {
            let bytes = &range.bytes;
            let found = found(&entry, |at| {
                bytes.get(to_memory(at, range.base)).unwrap_or_default().to_vec()
            });
            let message = to_memory(&entry.message, range.base);
            self.entries.push(LoadedEntry {
                file: index,
                bytes: if entry.large {
                    Bytes::File {
                        range: entry.message.clone(),
                    }
                } else {
                    Bytes::Memory { buffer, range: message }
                },
                kind: EntryKind::Message,
                variant: Some(variant),
                found,
                defects: entry.defects,
            });
        }
        self.buffers.push(range.bytes);
    }

    fn large_message(
        &mut self,
        file: Arc<FileContext>,
        variant: Variant,
        entry: &Entry,
        range: &ScannedRange,
        last: bool,
    ) -> Result<(), IngestError> {
        let state = scan_state(range)?;
        let bytes_of = |at: &Range<u64>| {
            let length = usize::try_from(at.end - at.start).unwrap_or(0);
            let read = SourceFile::open(&file.absolute).and_then(|source| source.read_at_most(at.start, length));
            read.unwrap_or_default()
        };
        let found = found(entry, bytes_of);
        let index = self.push_file(file, kind_code::MAILBOX, false, range.defects.clone());
        let progress = &mut self.progress[index];
        progress.variant = Some(variant);
        progress.scan_state = Some(state);
        progress.message_bytes = range.after.sums.message_bytes;
        progress.separator_bytes = range.after.sums.separator_bytes;
        progress.junk_bytes = range.after.sums.junk_bytes;
        progress.last = last;
        self.entries.push(LoadedEntry {
            file: index,
            bytes: Bytes::File {
                range: entry.message.clone(),
            },
            kind: EntryKind::Message,
            variant: Some(variant),
            found,
            defects: entry.defects.clone(),
        });
        Ok(())
    }

    fn large_file(&mut self, file: Arc<FileContext>) {
        let probed = SourceFile::open(&file.absolute).and_then(|source| {
            let head = source.read_at_most(0, 64 << 10)?;
            let is_bundle = file.spool.is_some() && head.starts_with(bundle::MAGIC);
            let found = probe::probe(&head, &file.name, &file.place, source.len());
            Ok((found, is_bundle, source.len()))
        });
        let ((kind, mut defects), is_bundle, size) = match probed {
            Ok(probed) => probed,
            Err(error) => return self.unreadable(file, &error),
        };
        defects.extend(file.defects.iter().cloned());
        let message = is_bundle || matches!(kind, FileKind::Message);
        let index = self.push_file(
            file,
            if message { kind_code::MESSAGE } else { kind_code::LOOSE },
            false,
            Vec::new(),
        );
        self.progress[index].message_bytes = size;
        self.entries.push(LoadedEntry {
            file: index,
            bytes: Bytes::File { range: 0..size },
            kind: match (is_bundle, message) {
                (true, _) => EntryKind::Bundle,
                (false, true) => EntryKind::Message,
                (false, false) => EntryKind::Loose(kind),
            },
            variant: None,
            found: Found {
                length: size,
                ..Found::default()
            },
            defects,
        });
    }
}

fn scan_state(range: &ScannedRange) -> Result<String, IngestError> {
    serde_json::to_string(&range.after).map_err(|error| IngestError::internal(format!("scan state: {error}")))
}

/// The whole file, and whether it is not what the walk saw.
fn read_whole(file: &FileContext) -> Result<(SourceFile, Vec<u8>, bool), FormatError> {
    let source = SourceFile::open(&file.absolute)?;
    let length = usize::try_from(source.len()).unwrap_or(usize::MAX);
    let bytes = source.read_at_most(0, length)?;
    let changed = file.spool.is_none() && source.stat() != file.stat;
    Ok((source, bytes, changed))
}

fn to_memory(range: &Range<u64>, base: u64) -> Range<usize> {
    let at = |offset: u64| usize::try_from(offset - base).unwrap_or(usize::MAX);
    at(range.start)..at(range.end)
}

/// Where an entry was found; `bytes_of` gives the bytes of a file range.
fn found(entry: &Entry, bytes_of: impl Fn(&Range<u64>) -> Vec<u8>) -> Found {
    let mut around = bytes_of(&entry.separator);
    around.extend(bytes_of(&entry.trailer));
    Found {
        ordinal: entry.ordinal,
        offset: entry.separator.start,
        length: entry.trailer.end - entry.separator.start,
        around,
        trailer_len: u32::try_from(entry.trailer.end - entry.trailer.start).unwrap_or(0),
        unquoted: false,
        second: None,
    }
}
