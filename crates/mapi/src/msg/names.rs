//! Named properties of an MSG ([MS-OXMSG] section 2.2.3): `__nameid_version1.0`.

use std::collections::BTreeMap;

use embley_model::defect::{Defect, DefectCode};

use crate::compound::Tree;
use crate::property::{NamedProperty, PropertyName, PropertySet};
use crate::tags;

const STORAGE: &str = "__nameid_version1.0";
const SETS: &str = "__substg1.0_00020102";
const ENTRIES: &str = "__substg1.0_00030102";
const STRINGS: &str = "__substg1.0_00040102";

/// What identifiers from 0x8000 on stand for.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<u16, NamedProperty>);

impl Names {
    /// The list of a message; `None` when it has none.
    pub(super) fn read(tree: &mut Tree, message: usize, defects: &mut Vec<Defect>) -> Option<Self> {
        let storage = tree.child(message, STORAGE)?;
        let sets = tree.take(storage, SETS).unwrap_or_default();
        let entries = tree.take(storage, ENTRIES)?;
        let strings = tree.take(storage, STRINGS).unwrap_or_default();
        let mut names = BTreeMap::new();
        let mut bad = 0_usize;
        for entry in entries.chunks_exact(8) {
            let name = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let kind = u16::from_le_bytes([entry[4], entry[5]]);
            let index = u16::from_le_bytes([entry[6], entry[7]]);
            let named = set(kind >> 1, &sets).and_then(|set| {
                let name = if kind & 1 == 0 {
                    PropertyName::Number(name)
                } else {
                    PropertyName::Text(string(name, &strings)?)
                };
                Some(NamedProperty { set, name })
            });
            match (0x8000_u16.checked_add(index), named) {
                (Some(id), Some(named)) => {
                    names.entry(id).or_insert(named);
                }
                _ => bad += 1,
            }
        }
        if bad > 0 {
            defects.push(Defect::new(
                DefectCode::MapiName,
                format!("{bad} entries of the list cannot be read"),
            ));
        }
        Some(Self(names))
    }

    pub(super) fn get(&self, id: u16) -> Option<&NamedProperty> {
        self.0.get(&id)
    }
}

/// [MS-OXMSG] section 2.2.3.1.2: two well-known sets, then those of the stream.
fn set(index: u16, sets: &[u8]) -> Option<PropertySet> {
    match index {
        0 => None,
        1 => Some(tags::SET_MAPI),
        2 => Some(tags::SET_PUBLIC_STRINGS),
        other => {
            let start = usize::from(other - 3) * 16;
            Some(PropertySet(sets.get(start..start + 16)?.try_into().ok()?))
        }
    }
}

/// [MS-OXMSG] section 2.2.3.1.3: a length in bytes and UTF-16.
fn string(offset: u32, strings: &[u8]) -> Option<String> {
    let start = usize::try_from(offset).ok()?;
    let length = u32::from_le_bytes(strings.get(start..start.checked_add(4)?)?.try_into().ok()?);
    let from = start + 4;
    let bytes = strings.get(from..from.checked_add(usize::try_from(length).ok()?)?)?;
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    Some(String::from_utf16_lossy(&units))
}
