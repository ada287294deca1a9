//! The number step: item, blob and instance numbers in input order, frames appended to the pack.
//!
//! Ordered; kept short, because it is the part that does not grow with cores. Rows are made later, on any worker (`rows.rs`).
//! Invariant: what it gives depends on the order of tickets alone.

use std::collections::HashMap;
use std::io::Read;

use embley_formats::FormatError;
use embley_formats::mailbox::UnquoteReader;
use embley_formats::source::SourceFile;
use embley_formats::walk::Place;
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, RunNo};
use embley_store::catalogue::{BlobPlaceRow, FileRow, FileState, InstanceStatus, NextIds, TallyRow};
use embley_store::packs::{FrameBuilder, FramePos, PackPosition, PackWriter};

use crate::dedup::DedupTable;
use crate::error::IngestError;
use crate::order::Turnstile;
use crate::unit::{FileContext, FileProgress, Outcome, PreparedUnit, StreamedOriginal};
use crate::work::AS_IT_IS;

/// What an entry became, with its numbers.
pub(crate) enum Numbered {
    /// A new family beginning at `root`; per item its blob and whether the blob is new.
    New {
        root: ItemNo,
        blobs: Vec<(BlobId, bool)>,
        place: BlobPlaceRow,
        /// Places of parts that their message does not contain, by their position in the family.
        parts: Vec<(usize, BlobPlaceRow)>,
    },
    /// An item that was there.
    Known { item: ItemNo, status: InstanceStatus },
    /// Left out.
    Excluded,
    /// No item.
    Excepted,
}

/// A unit with its numbers.
pub(crate) struct NumberedUnit {
    pub(crate) unit: PreparedUnit,
    /// One for each entry of the unit.
    pub(crate) numbers: Vec<(Numbered, InstanceId)>,
    /// Rows of the files as they are after this unit.
    pub(crate) files: Vec<FileRow>,
    /// Sums so far of each file that has a row of its own, and of the sources.
    pub(crate) tallies: Vec<TallyRow>,
    /// Blobs that were parts before and are now known as top-level items.
    pub(crate) top_items: Vec<(BlobId, ItemNo)>,
    /// Numbers after this unit.
    pub(crate) next: NextIds,
    /// End of the pack after this unit.
    pub(crate) pack: PackPosition,
}

/// See the module.
pub(crate) struct Numberer {
    pub(crate) pack: PackWriter,
    pub(crate) next: NextIds,
    run: RunNo,
    frames: FrameBuilder,
    /// Mailboxes that are read over several units.
    open_files: HashMap<FileId, OpenFile>,
    /// Sums of what has no row of its own, by source.
    sources: HashMap<u32, TallyRow>,
}

struct OpenFile {
    row: FileRow,
    tally: TallyRow,
}

impl Numberer {
    pub(crate) fn new(pack: PackWriter, next: NextIds, run: RunNo) -> Result<Self, IngestError> {
        Ok(Self {
            pack,
            next,
            run,
            frames: FrameBuilder::new()?,
            open_files: HashMap::new(),
            sources: HashMap::new(),
        })
    }

    /// Goes on with a mailbox that an interrupted run began.
    pub(crate) fn reopen(&mut self, row: FileRow, tally: TallyRow) {
        self.open_files.insert(row.file_id, OpenFile { row, tally });
    }

    /// Goes on with the sums of an interrupted run.
    pub(crate) fn restore_source(&mut self, tally: TallyRow) {
        self.sources.insert(tally.source_id.0, tally);
    }

    /// Numbers one unit.
    ///
    /// # Errors
    /// When the pack cannot be written: nothing of the unit counts.
    pub(crate) fn number(
        &mut self,
        unit: PreparedUnit,
        dedup: &Turnstile<DedupTable>,
    ) -> Result<NumberedUnit, IngestError> {
        let frames = self.pack.append(&unit.packed)?;
        let started = self.start_files(&unit);
        let mut numbers = Vec::with_capacity(unit.entries.len());
        let mut top_items = Vec::new();
        for index in 0..unit.entries.len() {
            let place = self.place(&unit, index, &frames)?;
            let parts = self.part_places(&unit, index, &frames)?;
            let numbered = dedup.with(|table| self.entry(&unit, index, (place, parts), table, &mut top_items))?;
            let counted = !matches!(numbered, Numbered::Excluded | Numbered::Excepted);
            numbers.push((numbered, InstanceId(self.next.instance)));
            if counted {
                self.next.instance += 1;
            }
        }
        let (files, tallies) = self.close_files(&unit, &numbers, started)?;
        Ok(NumberedUnit {
            numbers,
            files,
            tallies,
            top_items,
            next: self.next,
            pack: self.pack.position(),
            unit,
        })
    }

    /// Where the original of a new family stands.
    fn place(
        &mut self,
        unit: &PreparedUnit,
        index: usize,
        frames: &[FramePos],
    ) -> Result<Option<BlobPlaceRow>, IngestError> {
        let Outcome::New(family) = &unit.entries[index].outcome else {
            return Ok(None);
        };
        if let Some(span) = &family.span {
            let place = span
                .place(frames)
                .ok_or_else(|| IngestError::internal("a frame of a range is missing"))?;
            return Ok(Some(place));
        }
        if family.referenced {
            let file_id = unit.files[unit.entries[index].file].file;
            return Ok(Some(BlobPlaceRow::Source { file_id }));
        }
        let Some(streamed) = &family.streamed else {
            return Err(IngestError::internal(
                "a new entry has neither frames nor a file to copy",
            ));
        };
        let blake3 = family.items.first().map(|item| item.blake3);
        Ok(Some(self.copy_streamed(blake3, streamed)?))
    }

    /// Where the parts of a new family stand that have bytes of their own.
    fn part_places(
        &mut self,
        unit: &PreparedUnit,
        index: usize,
        frames: &[FramePos],
    ) -> Result<Vec<(usize, BlobPlaceRow)>, IngestError> {
        let Outcome::New(family) = &unit.entries[index].outcome else {
            return Ok(Vec::new());
        };
        let mut places = Vec::new();
        for (position, item) in family.items.iter().enumerate() {
            if let Some(span) = &item.span {
                let place = span
                    .place(frames)
                    .ok_or_else(|| IngestError::internal("a frame of a range is missing"))?;
                places.push((position, place));
            } else if let Some(streamed) = &item.streamed {
                places.push((position, self.copy_streamed(Some(item.blake3), streamed)?));
            }
        }
        Ok(places)
    }

    /// Copies a large original into the pack and makes sure that it is still what was hashed.
    fn copy_streamed(
        &mut self,
        blake3: Option<Blake3>,
        streamed: &StreamedOriginal,
    ) -> Result<BlobPlaceRow, IngestError> {
        let read_error = |source| IngestError::Source {
            path: streamed.path.clone(),
            source,
        };
        let source = SourceFile::open(&streamed.path).map_err(read_error)?;
        let mut reader = UnquoteReader::new(
            &source,
            streamed.start..streamed.end,
            streamed.variant.unwrap_or(AS_IT_IS),
        );
        let mut writer = self.pack.begin_blob(&mut self.frames)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            let read = reader
                .read(&mut buffer)
                .map_err(|source| read_error(FormatError::Stream { source }))?;
            if read == 0 {
                break;
            }
            writer.write(&buffer[..read])?;
        }
        let written = writer.finish()?;
        if blake3 != Some(written.blake3) {
            return Err(IngestError::Request {
                detail: format!(
                    "{} changed while it was read; nothing of it counts. Stop whatever writes it and run the same command again",
                    streamed.path.display()
                ),
            });
        }
        Ok(written.place)
    }

    fn entry(
        &mut self,
        unit: &PreparedUnit,
        index: usize,
        (place, parts): (Option<BlobPlaceRow>, Vec<(usize, BlobPlaceRow)>),
        table: &mut DedupTable,
        top_items: &mut Vec<(BlobId, ItemNo)>,
    ) -> Result<Numbered, IngestError> {
        let entry = &unit.entries[index];
        match &entry.outcome {
            Outcome::Excepted(_) => Ok(Numbered::Excepted),
            Outcome::Excluded => Ok(Numbered::Excluded),
            Outcome::Known(key) => Ok(match table.item(*key) {
                Some(item) => {
                    let before = unit.files[entry.file].previous_items.as_ref();
                    let same = before.is_some_and(|items| items.contains(item.0));
                    let status = if same {
                        InstanceStatus::Unchanged
                    } else {
                        InstanceStatus::Duplicate
                    };
                    Numbered::Known { item, status }
                }
                // The first entry with these bytes was left out by the list of known hashes; so is this one.
                None => Numbered::Excluded,
            }),
            Outcome::New(family) => {
                let place = place.ok_or_else(|| IngestError::internal("a new entry has no place"))?;
                let root = ItemNo(self.next.item);
                let mut blobs = Vec::with_capacity(family.items.len());
                for item in &family.items {
                    let (blob, new) = table.blob(item.blake3.half(), BlobId(self.next.blob));
                    self.next.blob += u32::from(new);
                    blobs.push((blob, new));
                }
                let count = u32::try_from(family.items.len()).map_err(|_| IngestError::internal("too many parts"))?;
                self.next.item = self
                    .next
                    .item
                    .checked_add(count)
                    .ok_or_else(|| IngestError::internal("the case has reached 4,294,967,295 items"))?;
                if let Some(first) = family.items.first() {
                    table.set_item(first.blake3.half(), root);
                    if !blobs[0].1 {
                        top_items.push((blobs[0].0, root));
                    }
                }
                Ok(Numbered::New {
                    root,
                    blobs,
                    place,
                    parts,
                })
            }
        }
    }

    /// Begins the rows of files that this unit meets first; returns the position of each of the unit's files in them.
    fn start_files(&mut self, unit: &PreparedUnit) -> Vec<OpenFile> {
        unit.files
            .iter()
            .map(|context| match self.open_files.remove(&context.file) {
                Some(open) => open,
                None => self.fresh_file(context),
            })
            .collect()
    }

    fn fresh_file(&self, context: &FileContext) -> OpenFile {
        let row = FileRow {
            file_id: context.file,
            source_id: context.source,
            folder_id: context.folder,
            custodian_id: context.custodian.as_ref().map(|(id, _)| *id),
            name: context.name.clone(),
            version: context.version,
            size: context.stat.size,
            mtime_nanos: context.stat.mtime_nanos,
            inode: context.stat.inode,
            kind: 0,
            variant: 0,
            flags: maildir_flags(context),
            scan_state: None,
            state: FileState::Scanning,
            first_instance: InstanceId(self.next.instance),
            instance_count: 0,
            message_bytes: 0,
            separator_bytes: 0,
            junk_bytes: 0,
            previous_file: context.previous,
            absent_since_run: None,
            run_no: self.run,
        };
        OpenFile {
            row,
            tally: TallyRow::zero(self.run, context.source, Some(context.file)),
        }
    }

    /// Brings the rows and sums of the unit's files up to date.
    fn close_files(
        &mut self,
        unit: &PreparedUnit,
        numbers: &[(Numbered, InstanceId)],
        mut open: Vec<OpenFile>,
    ) -> Result<(Vec<FileRow>, Vec<TallyRow>), IngestError> {
        let mut first_seen = vec![false; open.len()];
        for (entry, (numbered, instance)) in unit.entries.iter().zip(numbers) {
            let file = &mut open[entry.file];
            if file.row.instance_count == 0 && !first_seen[entry.file] {
                file.row.first_instance = *instance;
            }
            first_seen[entry.file] = true;
            let tally = &mut file.tally;
            match numbered {
                Numbered::New { blobs, .. } => {
                    tally.new += 1;
                    tally.children_items += blobs.len() as u64 - 1;
                    file.row.instance_count += 1;
                }
                Numbered::Known {
                    status: InstanceStatus::Unchanged,
                    ..
                } => {
                    tally.unchanged += 1;
                    file.row.instance_count += 1;
                }
                Numbered::Known { .. } => {
                    tally.duplicate += 1;
                    file.row.instance_count += 1;
                }
                Numbered::Excluded => tally.excluded += 1,
                Numbered::Excepted => tally.excepted += 1,
            }
        }
        self.count_discovered(unit, &mut open)?;
        let mut files = Vec::with_capacity(open.len());
        let mut tallies = Vec::new();
        for (mut file, progress) in open.into_iter().zip(&unit.progress) {
            advance(&mut file.row, progress);
            let whole = progress.last && progress.scan_state.is_none();
            if whole {
                // A file that came and went within one unit adds to the sums of its source.
                let source = file.row.source_id;
                let sums = self
                    .sources
                    .entry(source.0)
                    .or_insert_with(|| TallyRow::zero(self.run, source, None));
                sums.add(&file.tally);
            } else {
                tallies.push(file.tally.clone());
            }
            files.push(file.row.clone());
            if !progress.last {
                self.open_files.insert(file.row.file_id, file);
            }
        }
        tallies.extend(self.sources.values().cloned());
        tallies.sort_by_key(|tally| (tally.source_id, tally.file_id));
        Ok((files, tallies))
    }

    /// What the splitter and the MIME enumeration counted, apart from what became of it.
    fn count_discovered(&self, unit: &PreparedUnit, open: &mut [OpenFile]) -> Result<(), IngestError> {
        if unit.discovered_by_file.len() != open.len() {
            return Err(IngestError::internal("a unit's counts do not match its files"));
        }
        for (file, counted) in open.iter_mut().zip(&unit.discovered_by_file) {
            file.tally.discovered += counted.entries;
            file.tally.children_discovered += counted.children;
            file.tally.bytes += counted.bytes;
        }
        Ok(())
    }
}

fn advance(row: &mut FileRow, progress: &FileProgress) {
    row.kind = progress.kind;
    if let Some(variant) = progress.variant {
        row.variant = variant.code();
    }
    row.message_bytes = progress.message_bytes;
    row.separator_bytes = progress.separator_bytes;
    row.junk_bytes = progress.junk_bytes;
    row.scan_state = if progress.last {
        None
    } else {
        progress.scan_state.clone()
    };
    row.state = match (progress.excepted, progress.last) {
        (true, _) => FileState::Excepted,
        (false, true) => FileState::Done,
        (false, false) => FileState::Scanning,
    };
}

fn maildir_flags(context: &FileContext) -> String {
    match &context.place {
        Place::Maildir { flags, .. } => flags.clone(),
        Place::Loose => String::new(),
    }
}
