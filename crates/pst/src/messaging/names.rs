//! Names of named properties: which identifier from 0x8000 on stands for what ([MS-PST] section 2.4.7).
//!
//! Main type: [`Names`]. Invariant: an entry that cannot be read is said and left out; the first of an identifier stays.

use std::collections::HashMap;

use embley_mapi::{NamedProperty, PropertyName, PropertySet, Tag, Value};
use embley_model::defect::DefectCode;

use crate::PstError;
use crate::bytes::{guid_at, u16_at, u32_at};
use crate::ltp::{Heap, Session, properties};
use crate::ndb::wellknown;

/// PS_MAPI ([MS-OXPROPS] section 1.3.2).
const PS_MAPI: [u8; 16] = *b"\x28\x03\x02\x00\x00\x00\x00\x00\xC0\x00\x00\x00\x00\x00\x00\x46";
/// PS_PUBLIC_STRINGS.
const PS_PUBLIC_STRINGS: [u8; 16] = *b"\x29\x03\x02\x00\x00\x00\x00\x00\xC0\x00\x00\x00\x00\x00\x00\x46";

/// The named properties of a file.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: HashMap<u16, NamedProperty>,
}

impl Names {
    /// What an identifier stands for.
    pub(crate) fn get(&self, id: u16) -> Option<&NamedProperty> {
        self.names.get(&id)
    }

    /// Reads the map of the file.
    ///
    /// # Errors
    /// The node of the map is not there, or is no property context.
    pub(super) fn read(session: &mut Session<'_>) -> Result<Self, PstError> {
        let node = session.ndb.node(wellknown::NAME_TO_ID, &mut session.log)?;
        let heap = Heap::open(session, &node)?;
        // Buckets (from 0x1000 on) only speed up the look-up of a name.
        let streams = properties(session, &heap, |tag| matches!(tag.id(), 2..=4))?;
        let stream = |id: u16| match streams.by_id(id) {
            Some((Tag(_), Value::Binary(bytes) | Value::Unknown(bytes))) => bytes.as_slice(),
            _ => &[],
        };
        let (guids, entries, strings) = (stream(2), stream(3), stream(4));
        let mut names = Self::default();
        let mut bad = 0u32;
        for entry in entries.chunks_exact(8) {
            let (Some(number), Some(kind), Some(index)) = (u32_at(entry, 0), u16_at(entry, 4), u16_at(entry, 6)) else {
                continue;
            };
            let set = match kind >> 1 {
                0 => Some([0; 16]),
                1 => Some(PS_MAPI),
                2 => Some(PS_PUBLIC_STRINGS),
                other => guid_at(guids, 16 * usize::from(other - 3)),
            };
            let name = if kind & 1 == 0 {
                Some(PropertyName::Number(number))
            } else {
                text(strings, number).map(PropertyName::Text)
            };
            match (set, name, index.checked_add(0x8000)) {
                (Some(set), Some(name), Some(id)) => {
                    let set = PropertySet(set);
                    names.names.entry(id).or_insert(NamedProperty { set, name });
                }
                _ => bad += 1,
            }
        }
        if bad > 0 {
            let detail = format!("{bad} entries of the list of property names cannot be read");
            session.log.add(DefectCode::PstStructure, detail);
        }
        Ok(names)
    }
}

/// A string with its length in bytes before it.
fn text(strings: &[u8], at: u32) -> Option<String> {
    let at = usize::try_from(at).ok()?;
    let length = usize::try_from(u32_at(strings, at)?).ok()?;
    let start = at.checked_add(4)?;
    let bytes = strings.get(start..start.checked_add(length)?)?;
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    Some(
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}
