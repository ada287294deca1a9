//! Property contexts: the properties of a folder, a message or an attachment ([MS-PST] section 2.3.3).

use embley_mapi::{Properties, Tag, Value};
use embley_model::defect::DefectCode;

use super::bth::Bth;
use super::heap::Heap;
use super::value::{decode, fixed_bytes};
use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::ltp::Session;

/// A record of a property context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawProperty {
    pub(crate) tag: Tag,
    /// The value itself when it has at most four bytes, else where it lies.
    pub(crate) handle: u32,
}

/// The records of the context on `heap`.
///
/// # Errors
/// It is no property context.
pub(crate) fn raw_properties(session: &mut Session<'_>, heap: &Heap) -> Result<Vec<RawProperty>, PstError> {
    let damaged = |why| PstError::Structure {
        what: "property context",
        why,
    };
    if heap.client != 0xBC {
        return Err(damaged("the heap holds something else"));
    }
    let tree = Bth::open(session, heap, heap.root)?;
    if tree.sizes() != (2, 6) {
        return Err(damaged("its records have another size"));
    }
    let mut found = Vec::new();
    tree.for_each(session, heap, |_, key, data| {
        if let (Some(id), Some(kind), Some(handle)) = (u16_at(key, 0), u16_at(data, 0), u32_at(data, 2)) {
            found.push(RawProperty {
                tag: Tag((u32::from(id) << 16) | u32::from(kind)),
                handle,
            });
        }
    });
    // Identifiers have 16 bits. What is read here is charged, so that a file cannot have one large context read for many objects.
    if found.len() > 1 << 16 {
        return Err(damaged("it has more records than there are identifiers"));
    }
    if !session.take_bytes(8 * found.len() as u64) {
        return Err(damaged("the limit of its message is reached"));
    }
    Ok(found)
}

/// All properties of the context on `heap` that `wanted` asks for. Values that cannot be read are said.
///
/// # Errors
/// It is no property context.
pub(crate) fn properties(
    session: &mut Session<'_>,
    heap: &Heap,
    wanted: impl Fn(Tag) -> bool,
) -> Result<Properties, PstError> {
    let mut properties = Properties::default();
    for raw in raw_properties(session, heap)? {
        if !wanted(raw.tag) {
            continue;
        }
        match fixed_bytes(raw.tag.kind_bits()) {
            Some(..=4) => {
                let (value, _) = decode(raw.tag.kind_bits(), &raw.handle.to_le_bytes());
                insert(session, &mut properties, raw.tag, value);
            }
            _ => {
                if let Some(value) = stored(session, heap, raw.tag, raw.handle) {
                    insert(session, &mut properties, raw.tag, value);
                }
            }
        }
    }
    Ok(properties)
}

/// Adds a value and, if its tag stands for a name, the name.
pub(super) fn insert(session: &Session<'_>, properties: &mut Properties, tag: Tag, value: Value) {
    if tag.is_named()
        && let Some(name) = session.names.get(tag.id())
    {
        properties.name(tag.id(), name.clone());
    }
    properties.insert(tag, value);
}

/// The value that lies in a heap item or a sub-node.
pub(super) fn stored(session: &mut Session<'_>, heap: &Heap, tag: Tag, handle: u32) -> Option<Value> {
    let kind = tag.kind_bits();
    let most = session.limits.property_bytes;
    let left = session.bytes_left();
    let bytes = match heap.resolve(session, handle, most.min(left)) {
        Ok(bytes) => bytes,
        Err(error) => {
            session.log.lost(&format!("property {:#010x}", tag.0), &error);
            return None;
        }
    };
    if let super::heap::Bytes::Owned(held, length) = &bytes
        && (held.len() as u64) < *length
    {
        let detail = format!("property {:#010x}: {} of {length} bytes are kept", tag.0, held.len());
        session.log.add(DefectCode::PstLimit, detail);
    }
    if !session.take_bytes(bytes.len() as u64) {
        return None;
    }
    if bytes.is_empty() && fixed_bytes(kind).is_some() {
        // Some writers store a property without its value.
        return Some(Value::Null);
    }
    let (value, fits) = decode(kind, &bytes);
    if !fits {
        let detail = format!("property {:#010x}: {} bytes do not fit its type", tag.0, bytes.len());
        session.log.add(DefectCode::PstStructure, detail);
    }
    Some(value)
}
