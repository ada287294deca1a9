//! MSG and OFT files ([MS-OXMSG]): a message as a compound file.
//!
//! Not for: what the message says (module `view`). Main function: [`read`]. Decisions: names of properties come from the outermost
//! message, as [MS-OXMSG] section 2.2.3 says, unless an embedded one has its own; a stream that no property entry names is taken for the
//! property that its own name says; an OLE storage is written as a compound file of its own with the storage's class and times.
//! Invariant: every stream whose name is a property's ends in the message, or a defect says why not; messages nest to [`DEPTH_LIMIT`].

mod names;
mod properties;

use embley_model::defect::{Defect, DefectCode};

use crate::compound::{self, Tree};
use crate::message::{Attachment, Content, Message};
use crate::property::{Properties, PropertyKind, Tag};
use crate::tags;
use names::Names;
use properties::Owner;

/// Messages inside messages are followed to this depth.
pub const DEPTH_LIMIT: usize = 32;

const PROPERTIES: &str = "__properties_version1.0";
const RECIPIENT: &str = "__recip_version1.0_#";
const ATTACHMENT: &str = "__attach_version1.0_#";
const DATA_OBJECT: &str = "__substg1.0_3701000D";

/// True when the head of a file can be that of an MSG; the storages tell for sure ([`is_message`]).
pub fn has_signature(head: &[u8]) -> bool {
    head.starts_with(&compound::SIGNATURE)
}

/// True when a compound file holds a message.
pub fn is_message(tree: &Tree) -> bool {
    tree.child(tree.root(), PROPERTIES).is_some()
        || tree
            .node(tree.root())
            .children
            .iter()
            .any(|at| tree.node(*at).name.to_ascii_lowercase().starts_with("__substg1.0_"))
}

/// Reads a message from the bytes of a file. A file that is none gives an empty message with a defect.
pub fn read(bytes: &[u8]) -> Message {
    let mut defects = Vec::new();
    let mut tree = Tree::read(bytes, &mut defects);
    let mut message = read_tree(&mut tree);
    defects.append(&mut message.defects);
    message.defects = defects;
    message
}

/// Reads the message of a compound file, and takes the streams out of it.
pub fn read_tree(tree: &mut Tree) -> Message {
    let root = tree.root();
    let mut defects = Vec::new();
    let names = Names::read(tree, root, &mut defects).unwrap_or_default();
    let mut message = read_message(tree, root, &names, 0);
    defects.append(&mut message.defects);
    message.defects = defects;
    message
}

fn read_message(tree: &mut Tree, storage: usize, names: &Names, depth: usize) -> Message {
    let mut message = Message::default();
    let own_names = if depth == 0 {
        None
    } else {
        Names::read(tree, storage, &mut message.defects)
    };
    let names = own_names.as_ref().unwrap_or(names);
    let owner = if depth == 0 { Owner::Message } else { Owner::Embedded };
    let head = properties::read(
        tree,
        storage,
        owner,
        names,
        &mut message.properties,
        &mut message.defects,
    );
    for member in numbered(tree, storage, RECIPIENT) {
        let mut recipient = Properties::default();
        properties::read(tree, member, Owner::Part, names, &mut recipient, &mut message.defects);
        message.recipients.push(recipient);
    }
    for member in numbered(tree, storage, ATTACHMENT) {
        message.attachments.push(read_attachment(tree, member, names, depth));
    }
    if let Some(head) = head {
        let counts = [
            ("recipients", head.recipients, message.recipients.len()),
            ("attachments", head.attachments, message.attachments.len()),
        ];
        for (what, stated, found) in counts {
            if usize::try_from(stated).ok() != Some(found) {
                message.defects.push(Defect::new(
                    DefectCode::MapiCount,
                    format!("{stated} {what} stated, {found} there"),
                ));
            }
        }
    }
    message
}

fn read_attachment(tree: &mut Tree, storage: usize, names: &Names, depth: usize) -> Attachment {
    let mut attachment = Attachment::default();
    let object = tree.child(storage, DATA_OBJECT).filter(|at| !tree.node(*at).is_stream);
    properties::read(
        tree,
        storage,
        Owner::Part,
        names,
        &mut attachment.properties,
        &mut attachment.defects,
    );
    let object_tag = Tag::new(tags::ATTACH_DATA, PropertyKind::Object);
    let bytes_tag = Tag::new(tags::ATTACH_DATA, PropertyKind::Binary);
    let method = attachment.properties.integer(tags::ATTACH_METHOD);
    if let Some(object) = object {
        attachment.properties.remove(object_tag);
        let holds_message = tree.child(object, PROPERTIES).is_some();
        attachment.content = if !holds_message {
            match compound::write(tree, object) {
                Ok(bytes) => Content::Ole(bytes),
                Err(cause) => {
                    let detail = format!("an OLE storage cannot be written as a file: {cause}");
                    attachment.defects.push(Defect::new(DefectCode::MapiStructure, detail));
                    Content::None
                }
            }
        } else if depth + 1 >= DEPTH_LIMIT {
            let detail = format!("a message nested deeper than {DEPTH_LIMIT} is kept as a compound file");
            attachment.defects.push(Defect::new(DefectCode::MimeDepth, detail));
            match compound::write(tree, object) {
                Ok(bytes) => Content::Ole(bytes),
                Err(cause) => {
                    let detail = format!("a nested message cannot be written as a file: {cause}");
                    attachment.defects.push(Defect::new(DefectCode::MapiStructure, detail));
                    Content::None
                }
            }
        } else {
            Content::Message(Box::new(read_message(tree, object, names, depth + 1)))
        };
        return attachment;
    }
    let bytes = attachment
        .properties
        .remove(bytes_tag)
        .or_else(|| attachment.properties.remove(object_tag));
    attachment.content = content_of(bytes, method);
    note_missing(&mut attachment, method);
    attachment
}

/// Content that is bytes: of a file, or of an OLE object by method 6 ([MS-OXCMSG] section 2.2.2.9).
pub(crate) fn content_of(value: Option<crate::property::Value>, method: Option<i64>) -> Content {
    match value {
        Some(crate::property::Value::Binary(bytes)) if method == Some(6) => Content::Ole(bytes),
        Some(crate::property::Value::Binary(bytes)) => Content::Bytes(bytes),
        _ => Content::None,
    }
}

/// Says why an attachment has no content.
pub(crate) fn note_missing(attachment: &mut Attachment, method: Option<i64>) {
    if attachment.content != Content::None {
        return;
    }
    let (code, detail) = match method {
        Some(method @ (2..=4 | 7)) => (DefectCode::MapiLinkOnly, format!("method {method}")),
        Some(method @ (1 | 5 | 6)) => (
            DefectCode::MapiStructure,
            format!("method {method}, and no content is there"),
        ),
        Some(0) | None => (
            DefectCode::MapiStructure,
            "an attachment without method and content".to_owned(),
        ),
        Some(other) => (DefectCode::MapiStructure, format!("unknown method {other}")),
    };
    attachment.defects.push(Defect::new(code, detail));
}

/// Members of a storage whose names begin alike, in order of the number behind.
fn numbered(tree: &Tree, storage: usize, prefix: &str) -> Vec<usize> {
    let mut found: Vec<(u32, String, usize)> = tree
        .node(storage)
        .children
        .iter()
        .filter_map(|at| {
            let node = tree.node(*at);
            let head = node.name.get(..prefix.len())?;
            if node.is_stream || !head.eq_ignore_ascii_case(prefix) {
                return None;
            }
            let number = u32::from_str_radix(&node.name[prefix.len()..], 16).unwrap_or(u32::MAX);
            Some((number, node.name.clone(), *at))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, _, at)| at).collect()
}
