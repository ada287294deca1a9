//! Attachments by every method ([MS-PST] section 2.4.6, [MS-OXCMSG] section 2.2.2.9).
//!
//! Main types: [`AttachmentPath`], [`AttachmentReader`]. Invariant: attachments keep their order, with those that no table lists after the others, so that a
//! position names the same one in [`PstFile::load`] and [`PstFile::attachment_to`]; nesting is bounded, and a message is never read
//! inside itself.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Deref;

use embley_mapi::{Attachment, Content, Properties, PropertyKind, Tag, Value};
use embley_model::defect::{Defect, DefectCode};

use super::ids;
use super::message::read_message;
use super::store::PstFile;
use crate::PstError;
use crate::bytes::u32_at;
use crate::log::Log;
use crate::ltp::{Bytes, Heap, RawProperty, Session, Table, properties, raw_properties};
use crate::ndb::{DataTree, Node, NodeId, NodeKind, Piece, Reading, SubNodes, wellknown};
use crate::options::Limits;

/// Embedded message.
const METHOD_EMBEDDED: i32 = 5;
/// OLE object.
const METHOD_OLE: i32 = 6;

/// Which attachment of a message: positions from 0, one a nesting; the last is the attachment, those before are embedded messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttachmentPath(pub Vec<usize>);

impl fmt::Display for AttachmentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// A place in a message's list of attachments.
struct Slot {
    id: u32,
    /// What its table says about it.
    row: Properties,
    is_listed: bool,
}

/// Where the content of an attachment lies.
enum Held {
    Nothing,
    /// In the heap of the attachment.
    Item(Bytes),
    /// In a sub-node, as bytes.
    Stream(DataTree),
    /// In a sub-node, as a message.
    Message(Node),
}

/// The attachments that the table of a message lists, then those that are only in its sub-nodes.
fn slots(session: &mut Session<'_>, sub: SubNodes) -> Vec<Slot> {
    let mut slots = Vec::new();
    match sub.find(session.ndb, wellknown::ATTACHMENT_TABLE, &mut session.log) {
        Ok(None) => {}
        Ok(Some(node)) => match Table::open(session, &node) {
            Ok(table) => slots.extend(table.rows(session).into_iter().map(|(id, row)| Slot {
                id,
                row,
                is_listed: true,
            })),
            Err(error) => session.log.lost("table of attachments", &error),
        },
        Err(error) => session.log.lost("table of attachments", &error),
    }
    let mut listed = std::collections::HashSet::new();
    let rows = slots.len();
    slots.retain(|slot| listed.insert(slot.id));
    if slots.len() < rows {
        let detail = format!("{} rows of a table of attachments repeat others", rows - slots.len());
        session.log.add(DefectCode::PstStructure, detail);
    }
    let is_unlisted = |id: NodeId| id.kind() == NodeKind::Attachment && !listed.contains(&id.0);
    let (unlisted, count) = sub.list(session.ndb, &mut session.log, is_unlisted);
    // Charged, so that a file cannot have one large tree read for many messages.
    if !session.take_bytes(24 * count) {
        return slots;
    }
    for node in unlisted {
        if !session.take_part() {
            break;
        }
        slots.push(Slot {
            id: node.id.0,
            row: Properties::default(),
            is_listed: false,
        });
    }
    slots
}

/// Reads all attachments of a message. `above` holds the nodes of the messages around them.
pub(super) fn read_attachments(
    session: &mut Session<'_>,
    sub: SubNodes,
    above: &mut Vec<(u64, u64)>,
) -> Vec<Attachment> {
    let slots = slots(session, sub);
    let mut attachments = Vec::with_capacity(slots.len());
    for slot in slots {
        let (mut attachment, mut defects) = session.apart(|session| read_attachment(session, sub, &slot, above));
        if !slot.is_listed {
            let detail = format!("attachment {} is not in the message's table", NodeId(slot.id));
            defects.push(Defect::new(DefectCode::PstRecovered, detail));
        }
        attachment.defects = defects;
        attachments.push(attachment);
    }
    attachments
}

fn open(session: &mut Session<'_>, sub: SubNodes, id: u32) -> Result<Heap, PstError> {
    let node = sub.find(session.ndb, NodeId(id), &mut session.log)?;
    let node = node.ok_or(PstError::NoNode { node: NodeId(id) })?;
    Heap::open(session, &node)
}

fn read_attachment(session: &mut Session<'_>, sub: SubNodes, slot: &Slot, above: &mut Vec<(u64, u64)>) -> Attachment {
    let read = open(session, sub, slot.id).and_then(|heap| {
        let properties = properties(session, &heap, |tag| tag.id() != ids::ATTACH_DATA)?;
        Ok((heap, properties))
    });
    let (heap, properties) = match read {
        Ok(read) => read,
        Err(error) => {
            session.log.lost("attachment", &error);
            return Attachment {
                properties: slot.row.clone(),
                ..Attachment::default()
            };
        }
    };
    let content = match held(session, &heap, method(&properties)) {
        Ok(held) => read_content(session, held, method(&properties), above),
        Err(error) => {
            session.log.lost("content of an attachment", &error);
            Content::None
        }
    };
    Attachment {
        properties,
        content,
        defects: Vec::new(),
    }
}

fn method(properties: &Properties) -> Option<i32> {
    match properties.by_id(ids::ATTACH_METHOD) {
        Some((_, Value::Integer32(method))) => Some(*method),
        _ => None,
    }
}

/// Finds the content of the attachment on `heap`.
fn held(session: &mut Session<'_>, heap: &Heap, method: Option<i32>) -> Result<Held, PstError> {
    let data = raw_properties(session, heap)?
        .into_iter()
        .find(|raw| raw.tag.id() == ids::ATTACH_DATA);
    let Some(RawProperty { tag, handle }) = data else {
        return Ok(Held::Nothing);
    };
    if tag != Tag::new(ids::ATTACH_DATA, PropertyKind::Object) {
        if handle & 0x1F == 0 {
            return Ok(Held::Item(heap.item(session, handle)?));
        }
        return Ok(Held::Stream(heap.sub_tree(session, handle)?));
    }
    // PtypObject: a sub-node and its size ([MS-PST] section 2.3.3.5).
    let object = heap.item(session, handle)?;
    let damaged = |why| PstError::Structure {
        what: "object of an attachment",
        why,
    };
    let id = u32_at(&object, 0).ok_or(damaged("its place is cut"))?;
    let node = heap.sub.find(session.ndb, NodeId(id), &mut session.log)?;
    let node = node.ok_or(damaged("its sub-node is not there"))?;
    let is_message = match method {
        Some(METHOD_EMBEDDED) => true,
        Some(METHOD_OLE) => false,
        _ => Heap::open(session, &node).is_ok_and(|heap| heap.client == 0xBC),
    };
    Ok(if is_message {
        Held::Message(node)
    } else {
        Held::Stream(DataTree::open(session.ndb, node.data, &mut session.log)?)
    })
}

fn read_content(session: &mut Session<'_>, held: Held, method: Option<i32>, above: &mut Vec<(u64, u64)>) -> Content {
    let length = match &held {
        Held::Nothing => return Content::None,
        Held::Item(bytes) => bytes.len() as u64,
        Held::Stream(tree) => tree.length(session.ndb, &mut session.log),
        Held::Message(node) => return read_embedded(session, node, above),
    };
    if length > session.limits.attachment_bytes || length > session.bytes_left() {
        return Content::TooLong(length);
    }
    session.take_bytes(length);
    let bytes = match held {
        Held::Item(bytes) => bytes.to_vec(),
        Held::Stream(tree) => tree.read(session.ndb, length, &mut session.log),
        Held::Nothing | Held::Message(_) => Vec::new(),
    };
    if method == Some(METHOD_OLE) {
        Content::Ole(bytes)
    } else {
        Content::Bytes(bytes)
    }
}

fn read_embedded(session: &mut Session<'_>, node: &Node, above: &mut Vec<(u64, u64)>) -> Content {
    if above.len() > session.limits.depth as usize {
        let detail = format!("a message inside {} others", above.len());
        session.log.add(DefectCode::MimeDepth, detail);
        return Content::None;
    }
    if above.contains(&(node.data, node.sub)) {
        let detail = format!("message {} lies inside itself", node.id);
        session.log.add(DefectCode::PstStructure, detail);
        return Content::None;
    }
    let (read, defects) = session.apart(|session| read_message(session, node, above));
    match read {
        Ok(mut message) => {
            message.defects = defects;
            Content::Message(Box::new(message))
        }
        Err(error) => {
            session.log.extend(&defects);
            session.log.lost("embedded message", &error);
            Content::None
        }
    }
}

/// The content of an attachment as it is read, block by block: one block is in memory, and 8 bytes for each.
pub struct AttachmentReader<'p> {
    pst: &'p PstFile,
    log: Log,
    tree: DataTree,
    reading: Reading,
    now: Now,
    at: usize,
}

/// What is being handed out.
enum Now {
    Item(Bytes),
    Piece(Piece),
    Nothing,
}

impl Deref for Now {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Item(bytes) => bytes,
            Self::Piece(piece) => piece,
            Self::Nothing => &[],
        }
    }
}

impl AttachmentReader<'_> {
    /// What was odd so far. Lost blocks are zeros, and said.
    pub fn into_defects(self) -> Vec<Defect> {
        self.log.into_defects()
    }
}

impl Read for AttachmentReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.now.len() {
            let Some(piece) = self.tree.piece(&self.pst.ndb, &mut self.log, &mut self.reading) else {
                return Ok(0);
            };
            (self.now, self.at) = (Now::Piece(piece), 0);
        }
        let count = buf.len().min(self.now.len() - self.at);
        buf[..count].copy_from_slice(&self.now[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl PstFile {
    /// Opens the content of an attachment.
    ///
    /// # Errors
    /// There is no such attachment, it holds a message or nothing, or its structure cannot be read.
    pub fn attachment(&self, message: NodeId, path: &AttachmentPath) -> Result<AttachmentReader<'_>, PstError> {
        let mut session = Session::new(&self.ndb, &self.names, Limits::default());
        let missing = || PstError::NoContent {
            node: message,
            path: path.to_string(),
        };
        let node = self.ndb.node(message, &mut session.log)?;
        let mut sub = SubNodes { root: node.sub };
        let mut found = Held::Nothing;
        for (depth, position) in path.0.iter().enumerate() {
            let slots = slots(&mut session, sub);
            let slot = slots.get(*position).ok_or_else(missing)?;
            let heap = open(&mut session, sub, slot.id)?;
            let wanted = |tag: Tag| tag.id() == ids::ATTACH_METHOD;
            let method = method(&properties(&mut session, &heap, wanted)?);
            found = held(&mut session, &heap, method)?;
            match &found {
                Held::Message(inner) if depth + 1 < path.0.len() => sub = SubNodes { root: inner.sub },
                _ if depth + 1 < path.0.len() => return Err(missing()),
                _ => {}
            }
        }
        let (now, tree) = match found {
            Held::Nothing | Held::Message(_) => return Err(missing()),
            Held::Item(bytes) => (Now::Item(bytes), DataTree::default()),
            Held::Stream(tree) => (Now::Nothing, tree),
        };
        Ok(AttachmentReader {
            pst: self,
            log: session.log,
            tree,
            reading: Reading::default(),
            now,
            at: 0,
        })
    }

    /// Writes the content of an attachment to `out`, block by block; returns its length and what is odd about it. Lost blocks are
    /// zeros, and said.
    ///
    /// # Errors
    /// As [`attachment`](Self::attachment); or `out` refuses, and then part may have been written.
    pub fn attachment_to(
        &self,
        message: NodeId,
        path: &AttachmentPath,
        out: &mut dyn Write,
    ) -> Result<(u64, Vec<Defect>), PstError> {
        let mut reader = self.attachment(message, path)?;
        let length = io::copy(&mut reader, out).map_err(|source| PstError::Write { source })?;
        Ok((length, reader.into_defects()))
    }
}
