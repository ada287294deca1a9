//! From an original in the store back to its items: what reindex, replay, the self-test, snippets and `show` all read.
//!
//! Invariant: the same bytes give the same items as when they were taken in; numbers, dates of files and defects found outside
//! the bytes come from the catalogue.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::unix::fs::FileExt;

use embley_formats::mail::{self, ParseLimits};
use embley_formats::mailbox::{Variant, requote};
use embley_formats::mapi::{self, LongPart, LongParts};
use embley_formats::probe;
use embley_formats::source::ReadAt;
use embley_index::IndexDoc;
use embley_mapi::canonical;
use embley_model::field::Field;
use embley_model::id::{BlobId, ItemNo};
use embley_model::item::ItemKind;
use embley_store::catalogue::{BlobPlaceRow, BlobRow, CatalogueReader, DefectRow, ItemRow};
use embley_store::packs::PackReader;
use embley_store::{Case, DeriveBytes};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

use crate::append;
use crate::error::IngestError;
use crate::opening::stored::{NO_READER, StoredOpening};
use crate::prepare::{self, Depth, DocumentKind, Given};
use crate::unit::PreparedItem;

/// A message above this is parsed from a temporary copy in pieces.
const LARGE_BYTES: u64 = 32 << 20;

/// The words of one item as they are searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemText {
    /// Subject or title.
    pub subject: String,
    /// Text of a message, document, record or attachment.
    pub body: String,
    /// File name.
    pub filename: String,
}

/// Reads originals of one case. One a thread.
pub struct Originals {
    reader: CatalogueReader,
    packs: PackReader,
    limits: ParseLimits,
    zone: TimeZone,
    /// Blobs whose text was opened by a reader of their format.
    opened: RoaringBitmap,
}

impl Originals {
    /// Reads the case as it is now.
    ///
    /// # Errors
    /// When the catalogue or the packs cannot be opened.
    pub fn open(case: &Case) -> Result<Self, IngestError> {
        let reader = case.reader()?;
        Ok(Self {
            opened: reader.opened_blobs()?,
            reader,
            packs: case.pack_reader()?,
            limits: ParseLimits::default(),
            zone: append::zone_of(case)?,
        })
    }

    /// The same for whoever reads items in the order of their numbers.
    ///
    /// # Errors
    /// As [`Originals::open`].
    pub(crate) fn open_in_order(case: &Case) -> Result<Self, IngestError> {
        let mut originals = Self::open(case)?;
        originals.packs.in_order();
        Ok(originals)
    }

    /// The view of the catalogue.
    pub fn catalogue(&self) -> &CatalogueReader {
        &self.reader
    }

    /// The original bytes of any item; for a part, decoded again from its top-level item.
    ///
    /// # Errors
    /// When there is no such item, or its bytes cannot be read.
    pub fn raw(&mut self, item: ItemNo) -> Result<Vec<u8>, IngestError> {
        let mut out = Vec::new();
        self.raw_to(item, &mut out)?;
        Ok(out)
    }

    /// Writes the original bytes of any item.
    ///
    /// # Errors
    /// As [`Originals::raw`]; a part may have been written.
    pub fn raw_to(&mut self, item: ItemNo, out: &mut dyn std::io::Write) -> Result<(), IngestError> {
        let row = self.item(item)?;
        let blob = self.blob(&row)?;
        match &blob.place {
            BlobPlaceRow::Pack { .. } => Ok(self.packs.read_blob_to(&blob.place, blob.size, out)?),
            BlobPlaceRow::Source { file_id } => {
                let mut file = embley_store::referenced(&self.reader, &blob, *file_id)?;
                std::io::copy(&mut file, out)
                    .map_err(|error| IngestError::internal(format!("cannot copy a referenced container: {error}")))?;
                Ok(())
            }
            BlobPlaceRow::Derived { root_item, part_path } => {
                let root = self.item(*root_item)?;
                let root_blob = self.blob(&root)?;
                // The bytes of a message that was first found as a part of another one stand in that one.
                let stands_in_another = matches!(root_blob.place, BlobPlaceRow::Derived { .. });
                if stands_in_another && root.item_no.0 >= item.0 {
                    return Err(lost_part(*root_item, part_path));
                }
                if root_blob.size > LARGE_BYTES {
                    let copy = if stands_in_another {
                        let mut file = tempfile::tempfile()
                            .map_err(|error| IngestError::internal(format!("cannot make a temporary copy: {error}")))?;
                        self.raw_to(root.item_no, &mut file)?;
                        Spooled {
                            file,
                            size: root_blob.size,
                        }
                    } else {
                        self.spool(&root_blob)?
                    };
                    let range = 0..root_blob.size;
                    let found = mail::part_to(&copy, range, Variant::Mboxcl2, part_path, &self.limits, out)
                        .map_err(|error| IngestError::internal(format!("part {part_path} of {root_item}: {error}")))?;
                    return if found {
                        Ok(())
                    } else {
                        Err(lost_part(*root_item, part_path))
                    };
                }
                let bytes = if stands_in_another {
                    self.raw(root.item_no)?
                } else {
                    self.packs.read_blob(&root_blob.place, root_blob.size)?
                };
                let part = mail::part_bytes(&bytes, part_path, &self.limits)
                    .ok_or_else(|| lost_part(*root_item, part_path))?;
                out.write_all(&part)
                    .map_err(|error| IngestError::internal(format!("cannot write: {error}")))
            }
        }
    }

    /// Writes the slice of the first place where the item's top-level item was found: separator, quoting and all.
    ///
    /// # Errors
    /// As [`Originals::raw`].
    pub fn as_found_to(&mut self, item: ItemNo, out: &mut dyn std::io::Write) -> Result<(), IngestError> {
        let root = self.item(item)?.root;
        let instances = self.reader.instances_of(root)?;
        let first = instances
            .first()
            .ok_or_else(|| IngestError::internal(format!("item {root} was found nowhere")))?;
        let failed = |error: std::io::Error| IngestError::internal(format!("cannot write: {error}"));
        let around = first.separator.as_deref().unwrap_or_default();
        let (separator, trailer) = around.split_at(around.len().saturating_sub(first.trailer_len as usize));
        out.write_all(separator).map_err(failed)?;
        if first.as_found_differs {
            let file = self.reader.file(first.file_id)?;
            let variant = file
                .and_then(|file| Variant::from_code(file.variant))
                .unwrap_or(Variant::InDoubt);
            let bytes = self.raw(root)?;
            out.write_all(&requote(variant, &bytes)).map_err(failed)?;
        } else {
            self.raw_to(root, out)?;
        }
        out.write_all(trailer).map_err(failed)
    }

    /// The messages of an item's thread: joined by References and In-Reply-To alone, never by subject; in the order of their dates.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn thread(&self, item: ItemNo) -> Result<Vec<ItemRow>, IngestError> {
        let root = self.item(item)?;
        let mut ids: HashSet<String> = HashSet::new();
        ids.extend(
            root.message_id
                .iter()
                .chain(&root.in_reply_to)
                .chain(&root.references)
                .cloned(),
        );
        let mut members = BTreeSet::from([root.item_no]);
        loop {
            let before = (ids.len(), members.len());
            self.reader
                .for_each_links::<IngestError>(ItemNo(1)..ItemNo(u32::MAX), |links| {
                    let all = || {
                        links
                            .message_id
                            .iter()
                            .chain(&links.in_reply_to)
                            .chain(&links.references)
                    };
                    if all().any(|id| ids.contains(id)) {
                        ids.extend(all().cloned());
                        members.insert(links.item_no);
                    }
                    Ok(())
                })?;
            if before == (ids.len(), members.len()) {
                break;
            }
        }
        let mut rows = members
            .into_iter()
            .map(|item| self.item(item))
            .collect::<Result<Vec<_>, _>>()?;
        rows.sort_by_key(|row| (row.date.utc_secs.is_none(), row.date.utc_secs, row.item_no));
        Ok(rows)
    }

    /// A message of properties rendered as mail (RFC 5322), marked as a rendering; `None` for any other item.
    ///
    /// # Errors
    /// As [`Originals::raw`].
    pub fn as_eml(&mut self, item: ItemNo) -> Result<Option<Vec<u8>>, IngestError> {
        let row = self.item(item)?;
        if row.media_type != mapi::MEDIA_TYPE {
            return Ok(None);
        }
        let bytes = self.raw(item)?;
        let mut parts = Parts::of(self, row.root, &bytes)?;
        let (read, _) =
            canonical::read(&bytes).map_err(|error| IngestError::internal(format!("item {item}: {error}")))?;
        let message = mapi::message_of(&read, &mut |digest| parts.content(&digest.hash));
        parts.ended()?;
        Ok(Some(embley_mapi::eml::render(&message)))
    }

    /// A container's own file, when it was referenced and not copied.
    ///
    /// # Errors
    /// When it lies there no more as it was.
    pub(crate) fn referenced_file(&mut self, item: ItemNo) -> Result<Option<(std::fs::File, u64)>, IngestError> {
        let row = self.item(item)?;
        let blob = self.blob(&row)?;
        match &blob.place {
            BlobPlaceRow::Source { file_id } => {
                let file = embley_store::referenced(&self.reader, &blob, *file_id)?;
                Ok(Some((file, blob.size)))
            }
            BlobPlaceRow::Pack { .. } | BlobPlaceRow::Derived { .. } => Ok(None),
        }
    }

    /// The words of one item.
    ///
    /// # Errors
    /// As [`Originals::raw`].
    pub fn text(&mut self, item: ItemNo) -> Result<ItemText, IngestError> {
        let row = self.item(item)?;
        let root = self.item(row.root)?;
        let position = (item.0 - row.root.0) as usize;
        let mut family = self.reparse(&root, Depth::Reading)?;
        if position >= family.len() {
            return Err(IngestError::internal(format!(
                "item {item} is not found again in its original"
            )));
        }
        let mut prepared = family.swap_remove(position);
        if row.kind != ItemKind::Email
            && let Some(opening) = self.opening(row.blob_id)?
        {
            if opening.replaces_text() {
                prepared.text = opening.opened.text;
            }
            prepared.title = row.subject;
        }
        Ok(ItemText {
            subject: prepared.mail.map_or(prepared.title, |mail| mail.meta.subject),
            body: prepared.text,
            filename: prepared.filename.unwrap_or_default(),
        })
    }

    /// The documents of one family, as they were indexed.
    ///
    /// # Errors
    /// As [`Originals::raw`]; and when the original gives another number of items than the catalogue holds.
    pub fn documents(&mut self, root: &ItemRow) -> Result<Vec<IndexDoc>, IngestError> {
        let family = self.reparse(root, Depth::ParseOnly)?;
        if family.len() != root.family_size as usize {
            return Err(IngestError::internal(format!(
                "item {} gives {} items again, the catalogue holds {}",
                root.item_no,
                family.len(),
                root.family_size
            )));
        }
        let mut defects: HashMap<ItemNo, Vec<DefectRow>> = HashMap::new();
        let numbers = root.item_no..ItemNo(root.item_no.0 + root.family_size);
        self.reader.for_each_defect::<IngestError>(numbers, |defect| {
            defects.entry(defect.item_no).or_default().push(defect);
            Ok(())
        })?;
        let mut docs = Vec::with_capacity(family.len());
        for (item_no, prepared) in (root.item_no.0..).zip(family) {
            let mut doc = prepared.doc;
            doc.item_no = item_no;
            if !self.opened.is_empty()
                && let Some(row) = self.reader.item(ItemNo(item_no))?
                && let Some(opening) = self.opening(row.blob_id)?
            {
                opening.apply(&mut doc, row.kind);
            }
            set_defects(&mut doc, defects.get(&ItemNo(item_no)).map_or(&[], Vec::as_slice));
            docs.push(doc);
        }
        Ok(docs)
    }

    /// The document of one item, as it was indexed.
    ///
    /// # Errors
    /// As [`Originals::documents`].
    pub(crate) fn document(&mut self, item: ItemNo) -> Result<IndexDoc, IngestError> {
        let row = self.item(item)?;
        let root = if row.root == item { row } else { self.item(row.root)? };
        let position = (item.0 - root.item_no.0) as usize;
        let mut docs = self.documents(&root)?;
        Ok(docs.swap_remove(position))
    }

    /// What opening a blob gave.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn opening(&self, blob: BlobId) -> Result<Option<StoredOpening>, IngestError> {
        if !self.opened.contains(blob.0) {
            return Ok(None);
        }
        match self.reader.opening(blob)? {
            Some(row) if row.reader != NO_READER => Ok(Some(StoredOpening::from_bytes(&row.data)?)),
            Some(_) | None => Ok(None),
        }
    }

    fn item(&self, item: ItemNo) -> Result<ItemRow, IngestError> {
        let row = self.reader.item(item)?;
        row.ok_or_else(|| IngestError::Request {
            detail: format!("there is no item {item}"),
        })
    }

    fn blob(&self, item: &ItemRow) -> Result<BlobRow, IngestError> {
        let row = self.reader.blob(item.blob_id)?;
        row.ok_or_else(|| IngestError::internal(format!("item {} has no blob", item.item_no)))
    }

    /// A large original as a temporary file outside of memory; it goes when the handle goes.
    fn spool(&mut self, blob: &BlobRow) -> Result<Spooled, IngestError> {
        let failed = |error: std::io::Error| IngestError::internal(format!("cannot make a temporary copy: {error}"));
        let mut file = tempfile::tempfile().map_err(failed)?;
        self.packs.read_blob_to(&blob.place, blob.size, &mut file)?;
        Ok(Spooled { file, size: blob.size })
    }

    /// A message of properties: contents of attachments stand in the packs beside it.
    fn reparse_properties(
        &mut self,
        root: &ItemRow,
        given: Given<'_>,
        depth: Depth,
    ) -> Result<Vec<PreparedItem>, IngestError> {
        let canonical = self.raw(root.item_no)?;
        let limits = self.limits.clone();
        let parts = RefCell::new(Parts::of(self, root.item_no, &canonical)?);
        let mut content = |hash: &[u8; 32]| parts.borrow_mut().content(hash);
        let mut long = Shared(&parts);
        let (items, _) = prepare::properties_message(&canonical, given, &mut content, &mut long, &limits, depth);
        parts.into_inner().ended()?;
        Ok(items)
    }

    fn reparse(&mut self, root: &ItemRow, depth: Depth) -> Result<Vec<PreparedItem>, IngestError> {
        let blob = self.blob(root)?;
        let given = Given {
            filename: if root.kind == ItemKind::Email {
                None
            } else {
                root.filename.as_deref()
            },
            mtime_nanos: root.date.utc_secs.unwrap_or(0).saturating_mul(1_000_000_000),
            blake3: blob.blake3,
            sha256: blob.sha256,
            defects: Vec::new(),
        };
        let in_pack = matches!(blob.place, BlobPlaceRow::Pack { .. });
        if root.kind == ItemKind::Email && in_pack && blob.size > LARGE_BYTES {
            let copy = self.spool(&blob)?;
            let family = mail::parse_large(&copy, 0..blob.size, Variant::Mboxcl2, &self.limits)
                .map_err(|error| IngestError::internal(format!("item {}: {error}", root.item_no)))?;
            return Ok(prepare::family_items(family, given, depth));
        }
        if root.media_type == mapi::MEDIA_TYPE {
            return self.reparse_properties(root, given, depth);
        }
        let bytes = match root.kind {
            ItemKind::Document if !is_text(root) => Vec::new(),
            _ => self.raw(root.item_no)?,
        };
        Ok(match root.kind {
            ItemKind::Email => prepare::message(&bytes, given, &self.limits, depth),
            ItemKind::Record => vec![append::reparse(&bytes, &given, &self.zone)?],
            ItemKind::Document | ItemKind::Attachment => {
                vec![prepare::document(
                    &bytes,
                    root.size,
                    document_kind(root),
                    given,
                    &self.limits,
                    depth,
                )]
            }
        })
    }
}

/// The contents of the attachments of a message of properties, which stand beside it.
struct Parts<'o> {
    originals: &'o mut Originals,
    by_hash: HashMap<[u8; 32], ItemNo>,
    by_path: HashMap<String, (ItemNo, LongPart)>,
    failure: Option<IngestError>,
}

impl<'o> Parts<'o> {
    fn of(originals: &'o mut Originals, root: ItemNo, canonical: &[u8]) -> Result<Self, IngestError> {
        // Only what was kept: a part of which nothing was read has an empty blob.
        let digests = canonical::read(canonical).map(|(item, _)| mapi::digests(&item));
        let digests = digests.unwrap_or_default();
        let (mut by_hash, mut by_path) = (HashMap::new(), HashMap::new());
        for part in originals.reader.family(root)?.into_iter().skip(1) {
            if part.kind != ItemKind::Attachment {
                continue;
            }
            let blob = originals.blob(&part)?;
            by_hash.insert(blob.blake3.0, part.item_no);
            let long = LongPart {
                blake3: blob.blake3,
                sha256: blob.sha256,
                size: blob.size,
            };
            if digests.contains_key(&part.part_path) {
                by_path.insert(part.part_path, (part.item_no, long));
            }
        }
        Ok(Self {
            originals,
            by_hash,
            by_path,
            failure: None,
        })
    }

    /// What an attachment holds, by its BLAKE3.
    fn content(&mut self, hash: &[u8; 32]) -> Option<Vec<u8>> {
        let item = *self.by_hash.get(hash)?;
        self.read(item, usize::MAX)
    }

    /// The first bytes of an item. A failure is kept for [`Parts::ended`].
    fn read(&mut self, item: ItemNo, most: usize) -> Option<Vec<u8>> {
        let mut head = Head {
            bytes: Vec::new(),
            most,
        };
        match self.originals.raw_to(item, &mut head) {
            Ok(()) => Some(head.bytes),
            // The only writer here that refuses is a full one.
            Err(_) if head.bytes.len() >= most => Some(head.bytes),
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }

    /// Says what failed.
    fn ended(self) -> Result<(), IngestError> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// Contents are asked for by hash and by path in turn.
struct Shared<'p, 'o>(&'p RefCell<Parts<'o>>);

impl LongParts for Shared<'_, '_> {
    fn part(&mut self, part_path: &str) -> Option<LongPart> {
        self.0.borrow().by_path.get(part_path).map(|(_, part)| *part)
    }

    fn head(&mut self, part_path: &str, most: usize) -> Vec<u8> {
        let mut parts = self.0.borrow_mut();
        let item = parts.by_path.get(part_path).map(|(item, _)| *item);
        item.and_then(|item| parts.read(item, most)).unwrap_or_default()
    }
}

/// Takes the first bytes and refuses the rest.
struct Head {
    bytes: Vec<u8>,
    most: usize,
}

impl std::io::Write for Head {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let room = buf.len().min(self.most - self.bytes.len());
        self.bytes.extend_from_slice(&buf[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lost_part(root: ItemNo, part_path: &str) -> IngestError {
    IngestError::internal(format!("part {part_path} of item {root} cannot be made again"))
}

/// A large original in a temporary file without a name.
struct Spooled {
    file: std::fs::File,
    size: u64,
}

impl ReadAt for Spooled {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        FileExt::read_at(&self.file, buf, offset)
    }

    fn len(&self) -> u64 {
        self.size
    }
}

fn is_text(root: &ItemRow) -> bool {
    root.media_type.starts_with("text/")
        || root.media_type == "application/xhtml+xml"
        || probe::is_structured(&root.media_type)
}

/// What the probe said, by what the catalogue keeps of it.
fn document_kind(root: &ItemRow) -> DocumentKind<'_> {
    if is_text(root) {
        return DocumentKind::Text;
    }
    DocumentKind::Other {
        media_type: &root.media_type,
        searchability: root.searchability,
    }
}

fn set_defects(doc: &mut IndexDoc, defects: &[DefectRow]) {
    doc.keywords
        .retain(|(field, value)| *field != Field::Defect && !(*field == Field::Has && value == "defect"));
    prepare::defect_keywords(doc, defects.iter().map(|defect| defect.code));
}

/// Takes attachments out of messages, for `verify --deep` and for whoever reads derived blobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageParts;

impl DeriveBytes for MessageParts {
    fn derive(&self, root_bytes: &[u8], part_path: &str) -> Option<Vec<u8>> {
        mail::part_bytes(root_bytes, part_path, &ParseLimits::default())
    }
}
