//! B-trees on a heap: sorted records with a key ([MS-PST] section 2.3.2).
//!
//! Main type: [`Bth`]. Invariant: no heap item is visited twice, so a walk ends.

use std::collections::HashSet;

use embley_model::defect::DefectCode;

use super::heap::Heap;
use crate::PstError;
use crate::bytes::u32_at;
use crate::ltp::Session;

/// A B-tree on a heap.
pub(crate) struct Bth {
    key_bytes: usize,
    entry_bytes: usize,
    levels: u8,
    root: u32,
}

impl Bth {
    /// Reads the header in heap item `id`.
    ///
    /// # Errors
    /// The item is not there, or no header of a B-tree.
    pub(crate) fn open(session: &mut Session<'_>, heap: &Heap, id: u32) -> Result<Self, PstError> {
        let damaged = |why| PstError::Structure {
            what: "tree on a heap",
            why,
        };
        let item = heap.item(session, id)?;
        let header = item.get(..8).ok_or(damaged("its header is cut"))?;
        let [kind, key_bytes, entry_bytes, levels] = [header[0], header[1], header[2], header[3]];
        if kind != 0xB5 {
            return Err(damaged("its header has another type"));
        }
        if !matches!(key_bytes, 2 | 4 | 8 | 16) || entry_bytes == 0 || levels > 16 {
            return Err(damaged("its sizes are impossible"));
        }
        Ok(Self {
            key_bytes: key_bytes.into(),
            entry_bytes: entry_bytes.into(),
            levels,
            root: u32_at(header, 4).unwrap_or(0),
        })
    }

    /// Bytes of a key and of its data.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.key_bytes, self.entry_bytes)
    }

    /// Hands on all records (key, data) in order. Damaged parts are said and passed over.
    pub(crate) fn for_each(
        &self,
        session: &mut Session<'_>,
        heap: &Heap,
        mut each: impl FnMut(&mut Session<'_>, &[u8], &[u8]),
    ) {
        let mut visited = HashSet::new();
        let mut stack = vec![(self.root, self.levels)];
        while let Some((id, level)) = stack.pop() {
            if id == 0 {
                continue;
            }
            if !visited.insert(id) {
                session.log.add(
                    DefectCode::PstStructure,
                    "a tree on a heap leads to one of its parts twice",
                );
                continue;
            }
            let item = match heap.item(session, id) {
                Ok(item) => item,
                Err(error) => {
                    session.log.lost("tree on a heap", &error);
                    continue;
                }
            };
            let record_bytes = self.key_bytes + if level == 0 { self.entry_bytes } else { 4 };
            let records = item.chunks_exact(record_bytes);
            if !records.remainder().is_empty() {
                session.log.add(
                    DefectCode::PstForm,
                    "a part of a tree on a heap does not end with a record",
                );
            }
            if level == 0 {
                for record in records {
                    let (key, data) = record.split_at(self.key_bytes);
                    each(session, key, data);
                }
            } else {
                let children = records.rev().map(|record| u32_at(record, self.key_bytes).unwrap_or(0));
                stack.extend(children.map(|child| (child, level - 1)));
            }
        }
    }
}
