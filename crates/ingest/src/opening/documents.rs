//! The look at everything that waits: documents are read by the opener, containers are noted for the next round.
//!
//! N threads read originals from the store and wait for workers; one thread, the caller's, collects results in any order and commits them. A
//! slow item holds up nobody but the thread that waits for it. Each blob is opened once. Stopping loses what was not committed, and the
//! next start opens it again. Not for: the index, which is brought up to the catalogue afterwards.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Sender, bounded};
use embley_formats::opened::{Member, Members, OpenClass, Opened, class_of};
use embley_formats::probe::{self, FileKind};
use embley_formats::smime::MAIL;
use embley_formats::walk::Place;
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::{BlobId, ItemNo, RunNo, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{
    CatalogueReader, CatalogueWriter, Checkpoint, ContainerRow, ContainerState, ItemBrief, OpeningRow, RowBatch,
};
use embley_store::{Case, StoreError};
use roaring::RoaringBitmap;

use super::attached;
use super::stored::{NO_READER, RECOGNISER, StoredOpening, UNOPENED};
use super::{OpenJob, Opener};
use crate::error::IngestError;
use crate::order::lock;
use crate::reparse::Originals;
use crate::request::IngestOptions;

/// Results in one commit at most.
const COMMIT_ITEMS: usize = 1_000;
/// Bytes of text in one commit at most.
const COMMIT_BYTES: usize = 64 << 20;

/// What the look did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Blobs looked at.
    pub(crate) blobs: u64,
    /// Documents whose text is there now.
    pub(crate) documents: u64,
    /// Containers found.
    pub(crate) containers: u64,
    /// Things that could not be opened.
    pub(crate) failed: u64,
    /// It was not stopped.
    pub(crate) ended: bool,
}

/// Items by blob that wait to be looked at.
type Waiting = BTreeMap<BlobId, Vec<ItemNo>>;

/// What is done with what waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look<'a> {
    /// Opened by the reader of its format; these blobs too, although they were opened before.
    Open(&'a RoaringBitmap),
    /// Its characters are recognised, when it is an image or has pages without text.
    Recognise,
}

/// Looks at everything that waits.
///
/// # Errors
/// When the store fails, or no worker can be started.
pub(crate) fn look(
    case: &Case,
    writer: &mut CatalogueWriter,
    run: RunNo,
    options: &IngestOptions,
    opener: &dyn Opener,
    how: Look<'_>,
) -> Result<Looked, IngestError> {
    let reader = case.reader()?;
    let waiting: Vec<(BlobId, Vec<ItemNo>)> = match how {
        Look::Open(again) => waiting(&reader, again)?,
        Look::Recognise => unrecognised(&reader)?,
    }
    .into_iter()
    .collect();
    let mut looked = Looked {
        ended: true,
        ..Looked::default()
    };
    if let Look::Open(_) = how {
        apply_known(&reader, writer, run, options)?;
    }
    if waiting.is_empty() {
        return Ok(looked);
    }
    let next = AtomicUsize::new(0);
    let (sender, results) = bounded(options.threads * 2);
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for slot in 0..options.threads {
            let sender: Sender<(usize, StoredOpening)> = sender.clone();
            let (next, waiting, failure) = (&next, &waiting, &failure);
            scope.spawn(move || {
                let looker = Looker {
                    options,
                    opener,
                    slot,
                    how,
                };
                if let Err(error) = looker.run(case, waiting, next, &sender) {
                    next.store(waiting.len(), Ordering::Relaxed);
                    lock(failure).get_or_insert(error);
                }
            });
        }
        drop(sender);
        let mut batch = Batch::default();
        for (at, opening) in results {
            let (blob, items) = &waiting[at];
            let done = batch
                .add(&reader, run, *blob, items, opening, &mut looked)
                .and_then(|()| {
                    if batch.is_full() {
                        batch.commit(writer, run, options)
                    } else {
                        Ok(())
                    }
                });
            if let Err(error) = done {
                next.store(waiting.len(), Ordering::Relaxed);
                lock(&failure).get_or_insert(error);
            }
        }
        if lock(&failure).is_none()
            && let Err(error) = batch.commit(writer, run, options)
        {
            lock(&failure).get_or_insert(error);
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    looked.ended = looked.blobs == waiting.len() as u64;
    Ok(looked)
}

/// What is not searchable because nobody opened it yet, by blob.
fn waiting(reader: &CatalogueReader, again: &RoaringBitmap) -> Result<Waiting, IngestError> {
    let opened = reader.opened_blobs()?;
    let mut waiting = Waiting::new();
    for item in unopened(reader)? {
        if let Some(brief) = reader.brief(ItemNo(item))?
            && (!opened.contains(brief.blob_id.0) || opened_as_attachment(reader, &brief)?)
        {
            waiting.entry(brief.blob_id).or_default().push(brief.item_no);
        }
    }
    for blob in again {
        waiting.insert(BlobId(blob), reader.items_of_blob(BlobId(blob))?);
    }
    Ok(waiting)
}

/// A message whose bytes were opened only for an attachment that has the same.
fn opened_as_attachment(reader: &CatalogueReader, brief: &ItemBrief) -> Result<bool, IngestError> {
    if brief.kind != ItemKind::Email {
        return Ok(false);
    }
    let Some(stored) = reader.opening(brief.blob_id)? else {
        return Ok(false);
    };
    Ok(stored.reader != NO_READER && attached::is_about_the_attachment(&StoredOpening::from_bytes(&stored.data)?))
}

/// Items of which a search for words can miss something that a reader might give: not opened, encrypted, or a text with a structure of its own.
fn unopened(reader: &CatalogueReader) -> Result<RoaringBitmap, IngestError> {
    let mut items = reader.searchability_items(Searchability::FormatNotSupported)?;
    items |= reader.searchability_items(Searchability::Encrypted)?;
    let mut partly = reader.searchability_items(Searchability::PartlyDecoding)?;
    partly |= reader.searchability_items(Searchability::PartlyLimit)?;
    partly -= reader.kind_items(ItemKind::Email)?;
    for item in partly {
        let defects = reader.defects(ItemNo(item))?;
        if defects.iter().any(|defect| defect.code == DefectCode::TypeNotDecoded) {
            items.insert(item);
        }
    }
    Ok(items)
}

/// Items whose bytes were opened before, for another item: they get what that gave, and their members come out below them too.
fn apply_known(
    reader: &CatalogueReader,
    writer: &mut CatalogueWriter,
    run: RunNo,
    options: &IngestOptions,
) -> Result<(), IngestError> {
    let opened = reader.opened_blobs()?;
    let mut emptied = RoaringBitmap::new();
    for state in ContainerState::ALL {
        emptied.extend(reader.containers(*state)?.into_iter().map(|row| row.item_no.0));
    }
    let mut batch = Batch::default();
    for item in unopened(reader)?.iter().map(ItemNo) {
        let Some(brief) = reader.brief(item)? else { continue };
        if !opened.contains(brief.blob_id.0) {
            continue;
        }
        let Some(stored) = reader.opening(brief.blob_id)? else {
            continue;
        };
        let opening = StoredOpening::from_bytes(&stored.data)?;
        let is_mail = attached::is_mail(brief.kind, &opening.media_type);
        if brief.kind == ItemKind::Email && attached::is_about_the_attachment(&opening) {
            continue;
        }
        let is_new_place = (is_mail || opening.members > 0) && !emptied.contains(item.0);
        // Of a mail only its blocks are opened; its own state is settled apart.
        let is_settled = brief.kind == ItemKind::Email || opening.searchability() == brief.searchability;
        let says_the_same = is_settled && !is_new_place;
        if !opening.is_known_type() || says_the_same {
            continue;
        }
        batch.update(reader, run, item, &opening, &opening.opened.defects)?;
        batch.rows.openings.push(stored);
        if batch.is_full() {
            batch.commit(writer, run, options)?;
        }
    }
    batch.commit(writer, run, options)
}

/// Images, and documents that say that pages of theirs have no text, by blob; not those that were recognised before.
fn unrecognised(reader: &CatalogueReader) -> Result<Waiting, IngestError> {
    let mut items = reader.searchability_items(Searchability::Media)?;
    reader.for_each_defect::<StoreError>(ItemNo(1)..ItemNo(u32::MAX), |defect| {
        if defect.code == DefectCode::DocNeedsOcr {
            items.insert(defect.item_no.0);
        }
        Ok(())
    })?;
    let mut waiting = Waiting::new();
    for item in items {
        let Some(row) = reader.item(ItemNo(item))? else {
            continue;
        };
        if row.media_type.starts_with("audio/") || row.media_type.starts_with("video/") {
            continue;
        }
        if let Some(before) = reader.opening(row.blob_id)?
            && before.reader.contains(RECOGNISER)
        {
            continue;
        }
        waiting.entry(row.blob_id).or_default().push(row.item_no);
    }
    Ok(waiting)
}

/// One thread's work.
struct Looker<'a> {
    options: &'a IngestOptions,
    opener: &'a dyn Opener,
    slot: usize,
    how: Look<'a>,
}

impl Looker<'_> {
    fn run(
        &self,
        case: &Case,
        waiting: &[(BlobId, Vec<ItemNo>)],
        next: &AtomicUsize,
        sender: &Sender<(usize, StoredOpening)>,
    ) -> Result<(), IngestError> {
        let mut originals = Originals::open(case)?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= waiting.len() || self.options.cancel.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(item) = waiting[at].1.first() else { continue };
            let opening = self.one(&mut originals, *item)?;
            if sender.send((at, opening)).is_err() {
                return Ok(());
            }
        }
    }

    fn one(&self, originals: &mut Originals, item: ItemNo) -> Result<StoredOpening, IngestError> {
        let row = originals.catalogue().item(item)?;
        let row_blob = row.as_ref().map(|row| row.blob_id);
        let row_kind = row.as_ref().map(|row| row.kind);
        let is_mail = row
            .as_ref()
            .is_some_and(|row| row.kind == ItemKind::Email && row.media_type == MAIL);
        let name = row.and_then(|row| row.filename).unwrap_or_default();
        self.options.counters.set_in_flight(self.slot, &name);
        let kind_of_item = row_kind.unwrap_or(ItemKind::Document);
        // Spooled anew, so it stands at its beginning.
        let Spooled {
            file,
            size,
            mut media_type,
        } = match spool(originals, item, &name) {
            Ok(spooled) => spooled,
            Err(IngestError::Store(StoreError::NotFound { what })) => return Ok(gone(what)),
            Err(error) => return Err(error),
        };
        if let Look::Recognise = self.how {
            let job = OpenJob {
                media_type: &media_type,
                name: name.as_bytes(),
                input: &file,
                size,
            };
            let recognised = self.opener.recognise(&job)?;
            let before = match row_blob {
                Some(blob) => originals.opening(blob)?,
                None => None,
            };
            return Ok(before.unwrap_or_default().recognised(media_type, recognised));
        }
        let is_attached = attached::is_mail(kind_of_item, &media_type);
        let class = if is_attached {
            Some(OpenClass::Container)
        } else if is_mail {
            // Only for what is encrypted in its text; whatever its first bytes look like.
            media_type = MAIL.to_owned();
            Some(OpenClass::Document)
        } else {
            class_of(&media_type)
        };
        let Some(class) = class else {
            // The item stays what it is; that it was looked at is kept.
            let opened = Opened {
                reader: NO_READER.to_owned(),
                ..Opened::default()
            };
            return Ok(StoredOpening {
                media_type,
                opened,
                ..StoredOpening::default()
            });
        };
        if class == OpenClass::Container {
            // Its members come out in the next round, in the order of items.
            let opened = Opened {
                reader: UNOPENED.to_owned(),
                ..Opened::default()
            };
            return Ok(StoredOpening {
                media_type,
                opened,
                members: 1,
            });
        }
        let job = OpenJob {
            media_type: &media_type,
            name: name.as_bytes(),
            input: &file,
            size,
        };
        let mut members = Counted(0);
        let opened = self.opener.open(&job, &mut members)?;
        Ok(StoredOpening {
            media_type,
            opened,
            members: members.0,
        })
    }
}

/// A referenced container that lies there no more.
fn gone(what: String) -> StoredOpening {
    StoredOpening {
        opened: Opened {
            searchability: Some(Searchability::Failed),
            defects: vec![Defect::new(DefectCode::ArchiveNotOpened, what)],
            reader: "missing".to_owned(),
            ..Opened::default()
        },
        ..StoredOpening::default()
    }
}

/// The bytes of an item in a nameless temporary file, and what their beginning says they are.
pub(crate) struct Spooled {
    pub(crate) file: std::fs::File,
    pub(crate) size: u64,
    pub(crate) media_type: String,
}

pub(crate) fn spool(originals: &mut Originals, item: ItemNo, name: &str) -> Result<Spooled, IngestError> {
    let (mut file, size) = match originals.referenced_file(item)? {
        Some(found) => found,
        None => {
            let mut copy = tempfile::tempfile().map_err(spool_error)?;
            originals.raw_to(item, &mut copy)?;
            let size = copy.metadata().map_err(spool_error)?.len();
            (copy, size)
        }
    };
    file.seek(SeekFrom::Start(0)).map_err(spool_error)?;
    let mut head = Vec::new();
    (&file)
        .take(probe::HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(spool_error)?;
    file.seek(SeekFrom::Start(0)).map_err(spool_error)?;
    let (kind, _) = probe::probe(&head, name.as_bytes(), &Place::Loose, size);
    let media_type = match kind {
        FileKind::Other { media_type, .. } => media_type.to_owned(),
        FileKind::Mailbox => "application/mbox".to_owned(),
        FileKind::Message => "message/rfc822".to_owned(),
        FileKind::Text => probe::text_type(&head, name.as_bytes()).to_owned(),
        FileKind::Empty => "application/x-empty".to_owned(),
    };
    Ok(Spooled { file, size, media_type })
}

fn spool_error(error: io::Error) -> IngestError {
    IngestError::internal(format!("cannot make a temporary copy: {error}"))
}

/// Counts members and lets their bytes go.
struct Counted(u64);

impl Members for Counted {
    fn member(&mut self, _member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        self.0 += 1;
        // What cannot be read is said when the member is taken out.
        let _ = io::copy(bytes, &mut io::sink());
        Ok(())
    }
}

#[derive(Default)]
struct Batch {
    rows: RowBatch,
    bytes: usize,
    /// Items of this batch are written once, whatever blob brought them.
    updated: HashMap<ItemNo, ()>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.rows.openings.len() >= COMMIT_ITEMS || self.bytes >= COMMIT_BYTES
    }

    fn add(
        &mut self,
        reader: &CatalogueReader,
        run: RunNo,
        blob: BlobId,
        items: &[ItemNo],
        opening: StoredOpening,
        looked: &mut Looked,
    ) -> Result<(), IngestError> {
        looked.blobs += 1;
        if !opening.is_known_type() {
            self.rows.openings.push(OpeningRow {
                blob_id: blob,
                run_no: run,
                reader: opening.opened.reader.clone(),
                data: opening.to_bytes()?,
            });
            return Ok(());
        }
        let is_container = opening.members > 0;
        let readable = !opening.opened.text.is_empty();
        looked.documents += u64::from(readable);
        looked.containers += u64::from(is_container);
        looked.failed += u64::from(opening.opened.searchability == Some(Searchability::Failed));
        let before = match reader.opening(blob)? {
            Some(before) => StoredOpening::from_bytes(&before.data)?.opened.defects,
            None => Vec::new(),
        };
        for item in items {
            self.update(reader, run, *item, &opening, &before)?;
        }
        self.bytes += opening.opened.text.len();
        self.rows.openings.push(OpeningRow {
            blob_id: blob,
            run_no: run,
            reader: opening.opened.reader.clone(),
            data: opening.to_bytes()?,
        });
        Ok(())
    }

    /// An item as its opening makes it; `before` is what an earlier opening said of it, which is said anew or not at all.
    fn update(
        &mut self,
        reader: &CatalogueReader,
        run: RunNo,
        item: ItemNo,
        opening: &StoredOpening,
        before: &[Defect],
    ) -> Result<(), IngestError> {
        let Some(row) = reader.item(item)? else { return Ok(()) };
        if self.updated.insert(item, ()).is_some() {
            return Ok(());
        }
        let mut defects = reader.defects(item)?;
        defects.retain(|one| {
            !before
                .iter()
                .any(|old| old.code == one.code && old.detail == one.detail)
        });
        let row_kind = row.kind;
        let (row, defects) = opening.update(row, defects);
        self.rows.item_updates.push(row);
        self.rows.defects.extend(defects);
        let is_mail = attached::is_mail(row_kind, &opening.media_type);
        let holds = opening.members > 0 && !(row_kind == ItemKind::Email && attached::is_about_the_attachment(opening));
        if is_mail || holds {
            self.rows.containers.push(ContainerRow {
                item_no: item,
                run_no: run,
                state: ContainerState::Waiting,
                members: if is_mail { 1 } else { opening.members },
                reader: opening.opened.reader.clone(),
                places: 0,
            });
        }
        Ok(())
    }

    fn commit(&mut self, writer: &mut CatalogueWriter, run: RunNo, options: &IngestOptions) -> Result<(), IngestError> {
        if self.rows.openings.is_empty() {
            return Ok(());
        }
        let done = std::mem::take(self);
        commit_step(writer, done.rows, run, options)
    }
}

/// Commits rows that change items: a step of its own, with a ticket that the index does not have yet.
pub(crate) fn commit_step(
    writer: &mut CatalogueWriter,
    rows: RowBatch,
    run: RunNo,
    options: &IngestOptions,
) -> Result<(), IngestError> {
    let last = writer.last_checkpoint().clone();
    writer.append(rows);
    // Disk here: what was opened before is in the catalogue; the rest is opened again.
    writer.commit(Checkpoint {
        ticket: Ticket(last.ticket.0 + 1),
        run_no: run,
        at_micros: options.clock.now_micros(),
        ..last
    })?;
    Ok(())
}
