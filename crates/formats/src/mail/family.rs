//! From the list of entities to the list of items: which part is body text, which is an attachment, what of
//! each is searchable.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::{ItemKind, Searchability};

use super::access::{Access, LeafData, Memory, Outcome, UuFile};
use super::attachment::{self, is_textual};
use super::body::{Body, push_once};
use super::sink::hashed;
use super::structure::{Kind, Source, Tree, scan_message};
use super::transfer::Transfer;
use super::{Content, Family, ParseLimits, Parsed, meta};
use crate::headers::content::{Disposition, PartInfo};
use crate::headers::{Level, scan, typed_fields};
use crate::{smime, text};

/// Messages in base64 inside messages in base64 and so on; one is already against RFC 2046 section 5.2.1.
pub(crate) const MAX_ENCODED_DEPTH: usize = 3;

/// Addresses of one family that are kept apart; more are kept as text.
const MAX_PARTICIPANTS: usize = 100_000;

/// Bytes of stray text (a preamble, an epilogue) of one multipart that are looked at.
const STRAY_BYTES: u64 = 1 << 20;

/// Defects kept of one item.
const MAX_DEFECTS: usize = 100;

/// What a family may still use up.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// Bounds as given.
    pub limits: ParseLimits,
    /// Decoded text bytes.
    pub text_left: usize,
    /// Entities.
    pub parts_left: usize,
    /// Addresses.
    pub participants_left: usize,
    /// Messages around the one being read.
    pub depth: usize,
    /// Encoded messages around the one being read.
    pub encoded_depth: usize,
    /// False when only contents are wanted.
    pub want_text: bool,
}

impl Budget {
    pub(crate) fn new(limits: &ParseLimits, want_text: bool) -> Self {
        Self {
            limits: limits.clone(),
            text_left: limits.max_text_bytes,
            parts_left: limits.max_parts,
            participants_left: MAX_PARTICIPANTS,
            depth: 0,
            encoded_depth: 0,
            want_text,
        }
    }
}

/// Parses a message in memory.
pub(crate) fn parse<'a>(raw: &'a [u8], limits: &ParseLimits, want_text: bool) -> Family<'a> {
    let mut budget = Budget::new(limits, want_text);
    let mut family = parse_budgeted(raw, &mut budget);
    if let Some(first) = family.items.first_mut() {
        first.content = Content::Bytes(Cow::Borrowed(raw));
    }
    family
}

/// Parses a decoded message that stands in another one; with `hash` only digests of its contents are kept.
pub(crate) fn parse_nested(bytes: &[u8], budget: &mut Budget, hash: bool) -> Vec<Parsed<'static>> {
    let items = parse_budgeted(bytes, budget).items.into_iter();
    items
        .map(|mut item| {
            if hash && let Content::Bytes(bytes) = &item.content {
                item.content = hashed(bytes);
            }
            owned(item)
        })
        .collect()
}

fn parse_budgeted<'a>(raw: &'a [u8], budget: &mut Budget) -> Family<'a> {
    if let Some(text) = text::wide_mail(raw) {
        let mut items: Vec<_> = parse_budgeted(text.as_bytes(), budget)
            .items
            .into_iter()
            .map(owned)
            .collect();
        if let Some(first) = items.first_mut() {
            let detail = "the message is written in UTF-16; read as UTF-8";
            first.defects.push(Defect::new(DefectCode::MimeStructure, detail));
            first.content = Content::Bytes(Cow::Borrowed(raw));
        }
        return Family { items };
    }
    if has_bare_cr(raw) {
        let view: Vec<u8> = raw
            .iter()
            .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
            .collect();
        let items = build(Memory(&view), budget)
            .map(|built| built.items)
            .unwrap_or_default();
        let mut items: Vec<_> = items.into_iter().map(owned).collect();
        if let Some(first) = items.first_mut() {
            first.defects.push(bare_cr_defect());
            first.content = Content::Bytes(Cow::Borrowed(raw));
        }
        return Family { items };
    }
    // Reading memory cannot fail.
    let items = build(Memory(raw), budget).map(|built| built.items).unwrap_or_default();
    Family { items }
}

/// What is said of a message whose lines end with CR alone.
pub(crate) fn bare_cr_defect() -> Defect {
    Defect::new(DefectCode::MimeStructure, "lines end with CR alone; read as LF")
}

/// Bytes at the beginning of a message in which there is no LF when its lines end with CR alone.
pub(crate) const CR_PROBE_BYTES: usize = 64 * 1024;

/// True when a message's lines end with CR alone, as on old systems.
pub(crate) fn has_bare_cr(raw: &[u8]) -> bool {
    let head = &raw[..raw.len().min(CR_PROBE_BYTES)];
    memchr::memchr(b'\n', head).is_none() && memchr::memchr(b'\r', head).is_some()
}

/// The same without borrowing.
pub(crate) fn owned(item: Parsed<'_>) -> Parsed<'static> {
    Parsed {
        kind: item.kind,
        parent: item.parent,
        part_path: item.part_path,
        filename: item.filename,
        media_type: item.media_type,
        content: item.content.into_owned(),
        text: item.text,
        mail: item.mail,
        searchability: item.searchability,
        defects: item.defects,
    }
}

/// Where the bytes of an item other than the first are, for taking them out again.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    /// A range, decoded.
    Part {
        /// In the message.
        range: Range<u64>,
        /// How it is encoded.
        transfer: Transfer,
    },
    /// A file in a text body.
    Uuencoded {
        /// The body.
        range: Range<u64>,
        /// How the body is encoded.
        transfer: Transfer,
        /// Counted from 0.
        nth: usize,
    },
    /// A part of an encoded message.
    Inside {
        /// The encoded message.
        range: Range<u64>,
        /// How it is encoded.
        transfer: Transfer,
        /// Path in there.
        path: String,
    },
}

/// Items, and where each is.
pub(crate) struct Built<'a> {
    /// At least one.
    pub items: Vec<Parsed<'a>>,
    /// As many.
    pub locations: Vec<Location>,
}

/// A message whose entities are being visited.
struct Open {
    item: usize,
    children: u32,
    body: Body,
    signed: bool,
    encrypted: bool,
    report: bool,
    /// Part of its content could not be decoded.
    broken: bool,
    /// The rest of its parts stays unopened.
    limited: bool,
    empty: bool,
}

struct Builder<'b, 'a, A: Access<'a>> {
    access: A,
    budget: &'b mut Budget,
    tree: Tree,
    items: Vec<Parsed<'a>>,
    locations: Vec<Location>,
    /// Messages by entity index of their root.
    open: Vec<(usize, Open)>,
    /// For each entity, the index in `open` of the message it belongs to.
    owner: Vec<usize>,
    /// For each entity, the alternative around it.
    group: Vec<Option<usize>>,
    /// For each entity, whether it stands in encrypted content.
    sealed: Vec<bool>,
}

/// Builds the items of the message behind `access`; paths and parents count from its own first item.
pub(crate) fn build<'a, A: Access<'a>>(mut access: A, budget: &mut Budget) -> io::Result<Built<'a>> {
    let mut limits = budget.limits.clone();
    limits.max_parts = budget.parts_left;
    let tree = scan_message(access.source(), &limits, budget.depth)?;
    budget.parts_left = budget.parts_left.saturating_sub(tree.entities.len());
    let count = tree.entities.len();
    let mut builder = Builder {
        access,
        budget,
        tree,
        items: Vec::with_capacity(4),
        locations: Vec::with_capacity(4),
        open: Vec::new(),
        owner: Vec::with_capacity(count),
        group: Vec::with_capacity(count),
        sealed: Vec::with_capacity(count),
    };
    let end = Source::len(builder.access.source());
    let content = builder.access.whole(0..end)?;
    builder.add_message(None, content, None, 0..end);
    for index in 0..count {
        builder.visit(index)?;
    }
    if builder.open.is_empty() {
        // Not one entity was allowed.
        let item = &mut builder.items[0];
        item.defects.push(Defect::new(DefectCode::MimeCount, "not opened"));
        item.searchability = Searchability::PartlyLimit;
    }
    builder.close_messages();
    Ok(Built {
        items: builder.items,
        locations: builder.locations,
    })
}

impl<'a, A: Access<'a>> Builder<'_, 'a, A> {
    /// Adds an email item; its entities follow.
    fn add_message(&mut self, owner: Option<usize>, content: Content<'a>, filename: Option<String>, range: Range<u64>) {
        let (parent, part_path) = self.place(owner);
        self.locations.push(Location::Part {
            range,
            transfer: Transfer::Identity,
        });
        self.items.push(Parsed {
            kind: ItemKind::Email,
            parent,
            part_path,
            filename,
            media_type: "message/rfc822".to_owned(),
            content,
            text: String::new(),
            mail: Some(Box::new(meta::empty())),
            searchability: Searchability::NoText,
            defects: Vec::new(),
        });
    }

    /// The parent and path of the next child of a message.
    fn place(&mut self, owner: Option<usize>) -> (Option<u32>, String) {
        let Some((_, open)) = owner.and_then(|owner| self.open.get_mut(owner)) else {
            return (None, String::new());
        };
        open.children += 1;
        let above = &self.items[open.item].part_path;
        let path = if above.is_empty() {
            open.children.to_string()
        } else {
            format!("{above}.{}", open.children)
        };
        (u32::try_from(open.item).ok(), path)
    }

    fn visit(&mut self, index: usize) -> io::Result<()> {
        let entity = &self.tree.entities[index];
        let (is_root, kind, parent) = (entity.is_message_root, entity.kind, entity.parent);
        let alternative = entity.info.media_type == "multipart/alternative";
        let sealing = entity.info.media_type == "multipart/encrypted";
        if is_root {
            // The item was added with the entity around it, or is the first.
            let item = self.items.len() - 1;
            self.open.push((index, Open::new(item)));
            self.owner.push(self.open.len() - 1);
            self.read_header(index)?;
        } else {
            let owner = parent.and_then(|parent| self.owner.get(parent).copied()).unwrap_or(0);
            self.owner.push(owner);
        }
        let above = if is_root {
            None
        } else {
            parent.and_then(|parent| self.group[parent])
        };
        self.group.push(if alternative && kind == Kind::Multipart {
            above.or(Some(index))
        } else {
            above
        });
        let sealed_above = !is_root && parent.is_some_and(|parent| self.sealed[parent]);
        self.sealed.push(sealed_above || sealing);
        self.note_type(index);
        match kind {
            Kind::Multipart => self.multipart(index),
            Kind::Embedded => self.embedded(index),
            Kind::EncodedMessage => self.encoded(index),
            Kind::Leaf => self.leaf(index),
        }
    }

    fn owner_of(&mut self, index: usize) -> &mut Open {
        let owner = self.owner[index];
        &mut self.open[owner].1
    }

    fn read_header(&mut self, index: usize) -> io::Result<()> {
        let range = self.tree.entities[index].header.clone();
        let limit = self.budget.limits.max_header_bytes as u64;
        let bytes = self
            .access
            .bytes(range.start..range.end.min(range.start.saturating_add(limit)))?;
        let section = if index == 0 {
            std::mem::take(&mut self.tree.root_section)
        } else {
            scan(&bytes, Level::Message, true, true).unwrap_or_default()
        };
        let hint = self.tree.entities[index].info.charset.clone();
        let typed = typed_fields(&section, &bytes);
        let read = meta::read(&section, &bytes, hint.as_deref(), &mut self.budget.participants_left);
        let empty = self.tree.entities[index].header.is_empty() && self.tree.entities[index].body.is_empty();
        let open = self.owner_of(index);
        open.report = read.bounce;
        open.empty = empty;
        let item = open.item;
        let item = &mut self.items[item];
        item.defects.extend(read.defects);
        if let Some(mail) = &mut item.mail {
            **mail = read.meta;
        }
        let malformed = std::mem::take(&mut self.tree.entities[index].malformed);
        if let Some(first) = malformed.first() {
            let detail = format!("{} lines kept as text", malformed.len());
            item.defects
                .push(Defect::new(DefectCode::MailHeaderMalformed, detail).at(first.clone()));
        }
        for range in malformed {
            self.stray(index, range)?;
        }
        for typed in typed {
            let at = |offset: usize| range.start.saturating_add(offset as u64);
            self.stray(index, at(typed.start)..at(typed.end))?;
        }
        Ok(())
    }

    /// Notes what the type of an entity says of its message, and its defects of structure.
    fn note_type(&mut self, index: usize) {
        let entity = &mut self.tree.entities[index];
        let defects = std::mem::take(&mut entity.defects);
        let media_type = entity.info.media_type.clone();
        let protocol = entity.info.protocol.clone();
        let filename = entity.info.filename.clone().unwrap_or_default();
        let open = self.owner_of(index);
        match media_type.as_str() {
            "multipart/signed"
            | "application/pkcs7-signature"
            | "application/x-pkcs7-signature"
            | "application/pgp-signature" => open.signed = true,
            "multipart/encrypted" | "application/pgp-encrypted" => open.encrypted = true,
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                if protocol == "signed-data" || filename.ends_with(".p7s") {
                    open.signed = true;
                } else if !matches!(protocol.as_str(), "" | "certs-only" | "compressed-data") {
                    open.encrypted = true;
                }
            }
            "multipart/report"
            | "message/delivery-status"
            | "message/disposition-notification"
            | "message/feedback-report"
            | "message/global-delivery-status" => open.report = true,
            _ => {}
        }
        let item = open.item;
        let item = &mut self.items[item];
        if item.defects.len() < MAX_DEFECTS {
            item.defects.extend(defects);
        }
    }

    fn multipart(&mut self, index: usize) -> io::Result<()> {
        let around = std::mem::take(&mut self.tree.entities[index].around);
        for range in around {
            self.stray(index, range)?;
        }
        Ok(())
    }

    fn stray(&mut self, index: usize, range: Range<u64>) -> io::Result<()> {
        if !self.budget.want_text || range.is_empty() {
            return Ok(());
        }
        let cap = STRAY_BYTES.min(self.budget.text_left as u64);
        let end = range.end.min(range.start.saturating_add(cap));
        let cut = end < range.end;
        let bytes = self.access.bytes(range.start..end)?;
        self.budget.text_left = self.budget.text_left.saturating_sub(bytes.len());
        let open = self.owner_of(index);
        open.body.add_stray(&bytes);
        open.body.truncated |= cut;
        Ok(())
    }

    fn embedded(&mut self, index: usize) -> io::Result<()> {
        let entity = &self.tree.entities[index];
        let (body, filename) = (entity.body.clone(), entity.info.filename.clone());
        let content = self.access.whole(body.clone())?;
        let owner = self.owner[index];
        self.add_message(Some(owner), content, filename, body);
        Ok(())
    }

    fn encoded(&mut self, index: usize) -> io::Result<()> {
        let entity = &self.tree.entities[index];
        let (body, transfer, filename) = (
            entity.body.clone(),
            entity.info.transfer.clone(),
            entity.info.filename.clone(),
        );
        if self.budget.encoded_depth >= MAX_ENCODED_DEPTH || self.budget.parts_left == 0 {
            let code = if self.budget.parts_left == 0 {
                DefectCode::MimeCount
            } else {
                DefectCode::MimeDepth
            };
            let owner = self.owner[index];
            let item = self.open[owner].1.item;
            let defect = Defect::new(code, "encoded message kept unopened").at(body);
            self.items[item].defects.push(defect);
            return self.leaf(index);
        }
        let depth = self.budget.depth;
        self.budget.depth = self.depth_of(index) + 1;
        self.budget.encoded_depth += 1;
        let nested = self.access.encoded_message(body.clone(), &transfer, self.budget)?;
        self.budget.depth = depth;
        self.budget.encoded_depth -= 1;
        self.adopt(index, nested.items, filename);
        self.note_encoding(index, nested.outcome, &transfer, true);
        Ok(())
    }

    /// Number of messages around an entity.
    fn depth_of(&self, index: usize) -> usize {
        let mut depth = self.budget.depth;
        let mut at = self.tree.entities[index].parent;
        while let Some(parent) = at {
            if self.tree.entities[parent].kind == Kind::Embedded {
                depth += 1;
            }
            at = self.tree.entities[parent].parent;
        }
        depth
    }

    /// Takes the items of an encoded message into the family.
    fn adopt(&mut self, index: usize, nested: Vec<Parsed<'a>>, filename: Option<String>) {
        let owner = self.owner[index];
        let (parent, path) = self.place(Some(owner));
        let base = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let entity = &self.tree.entities[index];
        let (range, transfer) = (entity.body.clone(), entity.info.transfer.clone());
        for (at, mut item) in nested.into_iter().enumerate() {
            self.locations.push(if at == 0 {
                Location::Part {
                    range: range.clone(),
                    transfer: transfer.clone(),
                }
            } else {
                Location::Inside {
                    range: range.clone(),
                    transfer: transfer.clone(),
                    path: item.part_path.clone(),
                }
            });
            if at == 0 {
                item.parent = parent;
                item.part_path.clone_from(&path);
                item.filename.clone_from(&filename);
            } else {
                item.parent = item.parent.map(|parent| parent.saturating_add(base));
                item.part_path = format!("{path}.{}", item.part_path);
            }
            self.items.push(item);
        }
    }

    fn note_encoding(&mut self, index: usize, outcome: Outcome, transfer: &Transfer, in_message: bool) {
        if outcome.errors == 0 {
            return;
        }
        let range = self.tree.entities[index].body.clone();
        let name = match transfer {
            Transfer::Base64 => "base64",
            Transfer::Quoted => "quoted-printable",
            Transfer::Uuencode => "uuencode",
            Transfer::Identity | Transfer::Unknown(_) => "",
        };
        let want_text = self.budget.want_text;
        let open = self.owner_of(index);
        open.broken |= in_message && outcome.lost;
        if want_text && !outcome.trailer.is_empty() {
            open.body.add_stray(&outcome.trailer);
            open.body.truncated |= outcome.trailer_cut;
        }
        let item = open.item;
        let defects = &mut self.items[item].defects;
        if defects.len() < MAX_DEFECTS {
            let detail = format!("{} lines of {name} are broken", outcome.errors);
            defects.push(Defect::new(DefectCode::MimeEncoding, detail).at(range));
        }
    }

    fn leaf(&mut self, index: usize) -> io::Result<()> {
        if self.is_body(index) {
            self.body(index)
        } else {
            self.attachment(index)
        }
    }

    /// DOMAIN section 6: text without a file name that is not called an attachment belongs to the message.
    fn is_body(&self, index: usize) -> bool {
        let entity = &self.tree.entities[index];
        let info = &entity.info;
        if info.media_type.starts_with("multipart/") {
            return true;
        }
        let is_text = info.media_type.is_empty() || info.media_type.starts_with("text/");
        if !is_text || info.disposition == Disposition::Attachment || self.sealed[index] {
            return false;
        }
        let shown = matches!(info.media_type.as_str(), "" | "text/plain" | "text/html");
        info.filename.is_none() || entity.is_message_root || (shown && self.group[index].is_some())
    }

    fn body(&mut self, index: usize) -> io::Result<()> {
        let entity = &self.tree.entities[index];
        let (range, transfer) = (entity.body.clone(), entity.info.transfer.clone());
        let cap = self.budget.text_left;
        let data = self.access.body(range.clone(), &transfer, cap)?;
        let group = self.group[index];
        if self.budget.want_text {
            self.budget.text_left -= data.text.len().min(cap);
            let mut defects = Vec::new();
            let info = std::mem::take(&mut self.tree.entities[index].info);
            // A multipart whose structure is lost is read as it stands, what is encoded in it too.
            let undecoded =
                info.media_type.starts_with("multipart/") && memchr::memmem::find(&data.text, b"base64").is_some();
            let open = self.owner_of(index);
            open.broken |= undecoded;
            open.body.truncated |= data.truncated;
            open.body.add_part(&data.text, &info, group, &mut defects);
            let item = open.item;
            self.tree.entities[index].info = info;
            let item = &mut self.items[item];
            for defect in defects {
                push_once(&mut item.defects, Some(defect));
            }
            if data.truncated {
                let detail = format!("text beyond {cap} bytes");
                item.defects
                    .push(Defect::new(DefectCode::TextLimit, detail).at(range.clone()));
            }
        }
        self.note_encoding(index, data.outcome, &transfer, true);
        for (nth, file) in data.files.into_iter().enumerate() {
            self.locations.push(Location::Uuencoded {
                range: range.clone(),
                transfer: transfer.clone(),
                nth,
            });
            self.uu_file(index, file);
        }
        Ok(())
    }

    fn uu_file(&mut self, index: usize, file: UuFile<'a>) {
        let owner = self.owner[index];
        let message = self.open[owner].1.item;
        let filename = text::decode_header_bytes(&file.name, None).into_owned();
        let note = Defect::new(DefectCode::MailUuencoded, filename.clone());
        self.items[message].defects.push(note);
        let info = PartInfo {
            media_type: "application/octet-stream".to_owned(),
            filename: Some(filename),
            ..PartInfo::default()
        };
        let mut defects = Vec::new();
        if !file.whole {
            defects.push(Defect::new(DefectCode::MimeEncoding, "the uuencoded block has no end"));
        }
        self.add_attachment(owner, &info, file.data, false, defects);
    }

    fn attachment(&mut self, index: usize) -> io::Result<()> {
        let entity = &self.tree.entities[index];
        let (range, info, sealed) = (entity.body.clone(), entity.info.clone(), self.sealed[index]);
        let textual = self.budget.want_text && !sealed && is_textual(&info);
        let cap = if self.budget.want_text {
            self.budget.text_left
        } else {
            0
        };
        let mut data = self.access.leaf(range.clone(), &info.transfer, textual, cap)?;
        let mut defects = Vec::new();
        if data.outcome.errors > 0 {
            let detail = format!("{} lines are broken", data.outcome.errors);
            defects.push(Defect::new(DefectCode::MimeEncoding, detail));
        }
        let outcome = Outcome {
            lost: data.outcome.lost,
            ..Outcome::default()
        };
        let outcome = std::mem::replace(&mut data.outcome, outcome);
        self.note_encoding(index, outcome, &info.transfer, false);
        let owner = self.owner[index];
        self.locations.push(Location::Part {
            range,
            transfer: info.transfer.clone(),
        });
        let is_cms = matches!(info.media_type.as_str(), smime::CMS | "application/x-pkcs7-mime");
        if is_cms && info.protocol.is_empty() && !info.filename.as_deref().is_some_and(|name| name.ends_with(".p7s")) {
            // No parameter says what it is (RFC 8551 section 3.2.2): its bytes do, and what cannot be told counts as encrypted.
            let encrypted = smime::kind_of(data.head()).is_none_or(|kind| kind.encrypted);
            let open = &mut self.open[owner].1;
            open.encrypted |= encrypted;
            open.signed |= !encrypted;
        }
        self.add_attachment(owner, &info, data, sealed, defects);
        if matches!(
            info.media_type.as_str(),
            "message/rfc822" | "message/global" | "message/news"
        ) && let Some(item) = self.items.last_mut()
        {
            // Only a limit leaves a message unopened; its raw text is searched, its parts are not.
            item.defects.push(Defect::new(DefectCode::MimeDepth, "kept unopened"));
            item.searchability = Searchability::PartlyLimit;
        }
        Ok(())
    }

    fn add_attachment(
        &mut self,
        owner: usize,
        info: &PartInfo,
        data: LeafData<'a>,
        sealed: bool,
        defects: Vec<Defect>,
    ) {
        let (parent, part_path) = self.place(Some(owner));
        let mut item = Parsed {
            kind: ItemKind::Attachment,
            parent,
            part_path,
            filename: info.filename.clone(),
            media_type: if info.media_type.is_empty() {
                "text/plain".to_owned()
            } else {
                info.media_type.clone()
            },
            content: Content::Bytes(Cow::Borrowed(&[])),
            text: String::new(),
            mail: None,
            searchability: Searchability::FormatNotSupported,
            defects,
        };
        if self.budget.want_text {
            attachment::fill_text(&mut item, info, &data, sealed, &mut self.budget.text_left);
        }
        item.content = data.content;
        self.items.push(item);
    }

    fn close_messages(&mut self) {
        if let Some(range) = self.tree.unopened.take()
            && let Some((_, open)) = self.open.first_mut()
        {
            open.limited = true;
            let defect = Defect::new(DefectCode::MimeCount, "the rest is kept unopened").at(range);
            self.items[open.item].defects.push(defect);
        }
        for (_, open) in &mut self.open {
            let item = &mut self.items[open.item];
            item.text = open.body.take();
            let encrypted = open.encrypted || open.body.armoured;
            let signed = open.signed || open.body.clear_signed;
            if encrypted {
                item.defects.push(Defect::new(DefectCode::MailEncrypted, ""));
            }
            if signed {
                item.defects.push(Defect::new(DefectCode::MailSigned, ""));
            }
            if open.report {
                item.defects.push(Defect::new(DefectCode::MailDeliveryReport, ""));
            }
            if let Some(mail) = &mut item.mail {
                mail.has_html = open.body.has_html;
                mail.signed = signed;
                mail.encrypted = encrypted;
                mail.report = open.report;
            }
            item.searchability = if open.empty {
                Searchability::Empty
            } else if open.body.truncated || open.limited {
                Searchability::PartlyLimit
            } else if encrypted {
                Searchability::Encrypted
            } else if open.body.lossy || open.broken {
                Searchability::PartlyDecoding
            } else if text::has_words(&item.text) {
                Searchability::Searched
            } else {
                Searchability::NoText
            };
        }
    }
}

impl Open {
    fn new(item: usize) -> Self {
        Self {
            item,
            children: 0,
            body: Body::default(),
            signed: false,
            encrypted: false,
            report: false,
            broken: false,
            limited: false,
            empty: false,
        }
    }
}
