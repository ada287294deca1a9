//! The properties of a message, recipient or attachment in an MSG ([MS-OXMSG] section 2.4).
//!
//! The stream `__properties_version1.0` holds a head, then 16 bytes a property: fixed values inside, for others a size, and the value in
//! the stream `__substg1.0_` with the tag in hexadecimal digits. Of several values of variable length that stream holds the sizes, and
//! `-00000000` and so on behind its name are the values.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::defect::{Defect, DefectCode};

use super::PROPERTIES;
use super::names::Names;
use crate::compound::Tree;
use crate::property::{MULTIPLE, Properties, PropertyKind, Tag, Value};

const STREAM: &str = "__substg1.0_";

/// Whose properties they are; the head differs ([MS-OXMSG] section 2.4.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The outermost message.
    Message,
    /// A message inside.
    Embedded,
    /// A recipient or an attachment.
    Part,
}

/// What the head of a message's properties says.
pub(super) struct Head {
    pub(super) recipients: u32,
    pub(super) attachments: u32,
}

/// Streams of one storage by what their names say.
#[derive(Default)]
struct Streams {
    whole: BTreeMap<Tag, usize>,
    parts: BTreeMap<Tag, BTreeMap<u32, usize>>,
}

/// Reads the properties of a storage; returns the head of a message's.
pub(super) fn read(
    tree: &mut Tree,
    storage: usize,
    owner: Owner,
    names: &Names,
    out: &mut Properties,
    defects: &mut Vec<Defect>,
) -> Option<Head> {
    let streams = Streams::of(tree, storage);
    let table = tree.take(storage, PROPERTIES);
    if table.is_none() {
        defects.push(Defect::new(
            DefectCode::MapiStructure,
            "there is no stream of properties",
        ));
    }
    let table = table.unwrap_or_default();
    let head_bytes = head_bytes(owner, table.len());
    let entries = table.get(head_bytes..).unwrap_or_default();
    if entries.len() % 16 != 0 {
        defects.push(Defect::new(
            DefectCode::MapiStructure,
            "the stream of properties is cut",
        ));
    }
    let mut named = BTreeSet::new();
    for entry in entries.chunks_exact(16) {
        let tag = Tag(u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]));
        named.insert(tag);
        let multiple = tag.kind_bits() & MULTIPLE != 0;
        let fixed = PropertyKind::of_bits(tag.kind_bits()).and_then(|kind| Some((kind, kind.fixed_bytes()?)));
        match fixed {
            Some((kind, bytes)) if !multiple && bytes <= 8 => {
                if let Some(value) = kind.decode(&entry[8..16]) {
                    out.insert(tag, value);
                }
            }
            _ => match streams.value(tree, tag, defects) {
                Some(value) => out.insert(tag, value),
                None => missing(tree, storage, tag, entry, out, defects),
            },
        }
    }
    // What no entry names is still evidence.
    let mut unnamed = 0_usize;
    let tags: BTreeSet<Tag> = streams.whole.keys().chain(streams.parts.keys()).copied().collect();
    for tag in tags.difference(&named) {
        if let Some(value) = streams.value(tree, *tag, defects) {
            unnamed += 1;
            out.insert(*tag, value);
        }
    }
    if unnamed > 0 && !table.is_empty() {
        defects.push(Defect::new(
            DefectCode::MapiStructure,
            format!("{unnamed} streams of properties that the list does not name"),
        ));
    }
    name(names, out, defects);
    (owner != Owner::Part && table.len() >= 24).then(|| Head {
        recipients: u32::from_le_bytes([table[16], table[17], table[18], table[19]]),
        attachments: u32::from_le_bytes([table[20], table[21], table[22], table[23]]),
    })
}

/// Bytes before the first entry. A length that cannot be of the right head tells which other one was written.
fn head_bytes(owner: Owner, length: usize) -> usize {
    match (owner, length % 16) {
        (Owner::Message, 8) => 24,
        (Owner::Message, _) => 32,
        (Owner::Embedded, 0) => 32,
        (Owner::Embedded, _) => 24,
        (Owner::Part, 0) => 0,
        (Owner::Part, _) => 8,
    }
}

/// An entry without its stream: an empty value has none, and an object is a storage that the caller reads.
fn missing(tree: &Tree, storage: usize, tag: Tag, entry: &[u8], out: &mut Properties, defects: &mut Vec<Defect>) {
    let is_storage = tree
        .child(storage, &format!("{STREAM}{:08X}", tag.0))
        .is_some_and(|at| !tree.node(at).is_stream);
    if is_storage {
        return;
    }
    let size = u32::from_le_bytes([entry[8], entry[9], entry[10], entry[11]]);
    let kind = PropertyKind::of_bits(tag.kind_bits());
    let terminator = match kind {
        Some(PropertyKind::String8) => 1,
        Some(PropertyKind::Unicode) => 2,
        _ => 0,
    };
    match kind.and_then(|kind| kind.decode(&[])) {
        Some(value) if size <= terminator => out.insert(tag, value),
        _ => defects.push(Defect::new(
            DefectCode::MapiProperty,
            format!("{:08X}: {size} bytes stated, no stream is there", tag.0),
        )),
    }
}

fn name(names: &Names, out: &mut Properties, defects: &mut Vec<Defect>) {
    let ids: BTreeSet<u16> = out
        .iter()
        .filter(|(tag, _)| tag.is_named())
        .map(|(tag, _)| tag.id())
        .collect();
    let mut nameless = Vec::new();
    for id in ids {
        match names.get(id) {
            Some(name) => out.name(id, name.clone()),
            None => nameless.push(format!("{id:04X}")),
        }
    }
    if !nameless.is_empty() {
        defects.push(Defect::new(DefectCode::MapiName, nameless.join(" ")));
    }
}

impl Streams {
    fn of(tree: &Tree, storage: usize) -> Self {
        let mut streams = Self::default();
        for at in &tree.node(storage).children {
            let node = tree.node(*at);
            let Some((head, rest)) = node.name.split_at_checked(STREAM.len()) else {
                continue;
            };
            if !node.is_stream || !head.eq_ignore_ascii_case(STREAM) {
                continue;
            }
            let (tag, number) = match rest.split_once('-') {
                Some((tag, number)) => (tag, u32::from_str_radix(number, 16).ok()),
                None => (rest, None),
            };
            let Some(tag) = (tag.len() == 8).then(|| u32::from_str_radix(tag, 16).ok()).flatten() else {
                continue;
            };
            match number {
                None => {
                    streams.whole.entry(Tag(tag)).or_insert(*at);
                }
                Some(number) => {
                    streams.parts.entry(Tag(tag)).or_default().entry(number).or_insert(*at);
                }
            }
        }
        streams
    }

    /// Takes the value of a tag out of its streams; `None` when there is none.
    fn value(&self, tree: &mut Tree, tag: Tag, defects: &mut Vec<Defect>) -> Option<Value> {
        let kind = PropertyKind::of_bits(tag.kind_bits() & !MULTIPLE);
        let multiple = tag.kind_bits() & MULTIPLE != 0;
        let whole = self
            .whole
            .get(&tag)
            .map(|at| std::mem::take(&mut tree.node_mut(*at).content));
        let mut unreadable = || {
            defects.push(Defect::new(
                DefectCode::MapiProperty,
                format!("{:08X} cannot be read as its type", tag.0),
            ))
        };
        if !multiple {
            let bytes = whole?;
            let value = kind.and_then(|kind| kind.decode(&bytes));
            return Some(value.unwrap_or_else(|| {
                unreadable();
                Value::Unknown(bytes)
            }));
        }
        let Some(kind) = kind else {
            unreadable();
            return whole.map(Value::Unknown);
        };
        if let Some(width) = kind.fixed_bytes() {
            let bytes = whole?;
            if width == 0 || bytes.len() % width != 0 {
                unreadable();
            }
            let values = bytes.chunks_exact(width.max(1)).filter_map(|part| kind.decode(part));
            return Some(Value::Multiple(values.collect()));
        }
        let parts = self.parts.get(&tag);
        if whole.is_none() && parts.is_none() {
            return None;
        }
        let width = if kind == PropertyKind::Binary { 8 } else { 4 };
        let stated = whole.map(|sizes| sizes.len() / width);
        let values: Vec<Value> = parts
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(|at| kind.decode(&std::mem::take(&mut tree.node_mut(*at).content)))
            .collect();
        if stated != Some(values.len()) {
            let stated = stated.unwrap_or(0);
            let detail = format!("{:08X}: {stated} values stated, {} there", tag.0, values.len());
            defects.push(Defect::new(DefectCode::MapiProperty, detail));
        }
        Some(Value::Multiple(values))
    }
}
