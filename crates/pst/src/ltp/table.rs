//! Tables: folders of a folder, messages of a folder, recipients, attachments ([MS-PST] section 2.3.4).
//!
//! Main type: [`Table`]. Invariant: rows are those of the row index, in the order of the rows; when the index is damaged or empty, those
//! that lie in the matrix. A column whose stated width is not that of its type is read by its type, and said.

use embley_mapi::{Properties, Tag};
use embley_model::defect::DefectCode;

use super::bth::Bth;
use super::context::{insert, stored};
use super::heap::{Heap, is_item};
use super::value::{decode, fixed_bytes};
use crate::PstError;
use crate::bytes::{u16_at, u32_at};
use crate::ltp::Session;
use crate::ndb::{DataTree, Node};

/// A table.
pub(crate) struct Table {
    heap: Heap,
    columns: Vec<Column>,
    /// Where the bits that say which cells exist begin in a row; cells end here.
    bits_at: usize,
    row_bytes: usize,
    /// Row identifier and position, by position.
    index: Vec<(u32, u32)>,
    rows: u32,
}

/// A column ([MS-PST] section 2.3.4.2).
#[derive(Clone, Copy, Debug)]
struct Column {
    tag: Tag,
    offset: usize,
    width: usize,
    bit: usize,
}

fn damaged(why: &'static str) -> PstError {
    PstError::Structure { what: "table", why }
}

impl Table {
    /// Opens the table on `node`.
    ///
    /// # Errors
    /// The node holds no table, or its header cannot be read.
    pub(crate) fn open(session: &mut Session<'_>, node: &Node) -> Result<Self, PstError> {
        let heap = Heap::open(session, node)?;
        if heap.client != 0x7C {
            return Err(damaged("the heap holds something else"));
        }
        let info = heap.item(session, heap.root)?;
        let cut = || damaged("its header is cut");
        if info.len() < 22 {
            return Err(cut());
        }
        if info[0] != 0x7C {
            return Err(damaged("its header has another type"));
        }
        let bits_at = usize::from(u16_at(&info, 6).ok_or_else(cut)?);
        let row_bytes = usize::from(u16_at(&info, 8).ok_or_else(cut)?);
        let row_index = u32_at(&info, 10).ok_or_else(cut)?;
        let rows = u32_at(&info, 14).ok_or_else(cut)?;
        if row_bytes < 4 || bits_at > row_bytes {
            return Err(damaged("its rows have an impossible size"));
        }
        let count = usize::from(info[1]);
        let mut columns = Vec::with_capacity(count);
        for bytes in info[22..].chunks_exact(8).take(count) {
            let column = Column {
                tag: Tag(u32_at(bytes, 0).unwrap_or(0)),
                offset: usize::from(u16_at(bytes, 4).unwrap_or(0)),
                width: usize::from(bytes[6]),
                bit: usize::from(bytes[7]),
            };
            columns.push(column.checked(session, bits_at));
        }
        if columns.len() < count {
            let detail = format!("a table has {} of {count} columns", columns.len());
            session.log.add(DefectCode::PstStructure, detail);
        }
        let mut table = Self {
            index: read_index(session, &heap, row_index)?,
            heap,
            columns,
            bits_at,
            row_bytes,
            rows,
        };
        if table.index.is_empty() && rows != 0 {
            table.index = table.index_from_rows(session);
        }
        Ok(table)
    }

    /// Identifiers of the rows, in order: nodes, where the table lists nodes.
    pub(crate) fn row_ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.index.iter().map(|(id, _)| *id)
    }

    /// All rows with their identifiers, in order, until there are too many parts. Rows that cannot be read are said; their identifiers
    /// come with no properties.
    pub(crate) fn rows(&self, session: &mut Session<'_>) -> Vec<(u32, Properties)> {
        let mut found: Vec<(u32, Properties)> = Vec::new();
        let mut next = self.index.iter().copied().peekable();
        let mut mismatches = 0u32;
        self.for_each_row(session, |session, position, row| {
            let Some((id, _)) = next.next_if(|(_, at)| *at == position) else {
                return next.peek().is_some();
            };
            if !session.take_part() {
                return false;
            }
            mismatches += u32::from(u32_at(row, 0) != Some(id));
            let properties = self.row(session, row);
            found.push((id, properties));
            next.peek().is_some()
        });
        if mismatches > 0 {
            let detail = format!("{mismatches} rows of a table do not begin with the identifier that its index has");
            session.log.add(DefectCode::PstForm, detail);
        }
        let rest = self.index.len() - found.len();
        if rest > 0 {
            let detail = format!("{rest} of {} rows of a table cannot be read", self.index.len());
            session.log.add(DefectCode::PstStructure, detail);
            for (id, _) in &self.index[found.len()..] {
                if !session.take_part() {
                    break;
                }
                found.push((*id, Properties::default()));
            }
        }
        found
    }

    fn row(&self, session: &mut Session<'_>, row: &[u8]) -> Properties {
        let mut properties = Properties::default();
        for column in &self.columns {
            let mask = 0x80u8 >> (column.bit % 8);
            let exists = row
                .get(self.bits_at + column.bit / 8)
                .is_some_and(|byte| byte & mask != 0);
            let Some(cell) = row.get(column.offset..column.offset + column.width) else {
                continue;
            };
            if !exists {
                continue;
            }
            let kind = column.tag.kind_bits();
            let value = match fixed_bytes(kind) {
                Some(size @ ..=8) if size <= column.width => Some(decode(kind, cell).0),
                _ => u32_at(cell, 0).and_then(|handle| stored(session, &self.heap, column.tag, handle)),
            };
            if let Some(value) = value {
                insert(session, &mut properties, column.tag, value);
            }
        }
        properties
    }

    /// Hands on the rows of the matrix with their positions until `each` says no. No row crosses the border of a block.
    fn for_each_row(&self, session: &mut Session<'_>, mut each: impl FnMut(&mut Session<'_>, u32, &[u8]) -> bool) {
        let mut position = 0u32;
        if is_item(self.rows) {
            match self.heap.item(session, self.rows) {
                Ok(item) => {
                    for row in item.chunks_exact(self.row_bytes) {
                        if !each(session, position, row) {
                            return;
                        }
                        position += 1;
                    }
                }
                Err(error) => session.log.lost("rows of a table", &error),
            }
            return;
        }
        let tree = match self.heap.sub_tree(session, self.rows) {
            Ok(tree) => tree,
            Err(error) => {
                session.log.lost("rows of a table", &error);
                return;
            }
        };
        self.for_each_in_tree(session, &tree, position, each);
    }

    fn for_each_in_tree(
        &self,
        session: &mut Session<'_>,
        tree: &DataTree,
        mut position: u32,
        mut each: impl FnMut(&mut Session<'_>, u32, &[u8]) -> bool,
    ) {
        for id in &tree.blocks {
            match session.ndb.block(*id, &mut session.log) {
                Ok(block) => {
                    for row in block.bytes.chunks_exact(self.row_bytes) {
                        if !each(session, position, row) {
                            return;
                        }
                        position = position.saturating_add(1);
                    }
                }
                Err(error) => {
                    session.log.lost("rows of a table", &error);
                    let full = session.ndb.layout.block_data / self.row_bytes;
                    position = position.saturating_add(u32::try_from(full).unwrap_or(u32::MAX));
                }
            }
        }
    }

    /// An index made from the first four bytes of every row.
    fn index_from_rows(&self, session: &mut Session<'_>) -> Vec<(u32, u32)> {
        let mut index = Vec::new();
        self.for_each_row(session, |_, position, row| {
            index.extend(u32_at(row, 0).filter(|id| *id != 0).map(|id| (id, position)));
            true
        });
        if !index.is_empty() {
            let detail = format!("a table has {} rows and an empty index of them", index.len());
            session.log.add(DefectCode::PstStructure, detail);
        }
        index
    }
}

impl Column {
    /// The column with a width that its type allows.
    fn checked(mut self, session: &mut Session<'_>, bits_at: usize) -> Self {
        let expected = fixed_bytes(self.tag.kind_bits()).filter(|size| *size <= 8).unwrap_or(4);
        if self.width != expected {
            let detail = format!(
                "column {:#010x} of a table is {} wide, not {expected}",
                self.tag.0, self.width
            );
            session.log.add(DefectCode::PstForm, detail);
            let is_handle = expected == 8 && self.width == 4;
            if !is_handle && self.offset + expected <= bits_at {
                self.width = expected;
            }
        }
        self
    }
}

/// The row index: identifiers and positions, by position.
fn read_index(session: &mut Session<'_>, heap: &Heap, id: u32) -> Result<Vec<(u32, u32)>, PstError> {
    let mut index = Vec::new();
    if id == 0 {
        return Ok(index);
    }
    let tree = match Bth::open(session, heap, id) {
        Ok(tree) => tree,
        Err(error) => {
            session.log.lost("row index of a table", &error);
            return Ok(index);
        }
    };
    if !matches!(tree.sizes(), (4, 2 | 4)) {
        return Err(damaged("the records of its row index have another size"));
    }
    tree.for_each(session, heap, |_, key, data| {
        let position = u32_at(data, 0).or_else(|| u16_at(data, 0).map(u32::from));
        if let (Some(id), Some(position)) = (u32_at(key, 0), position) {
            index.push((id, position));
        }
    });
    if !session.take_bytes(8 * index.len() as u64) {
        return Err(damaged("the limit of its message is reached"));
    }
    index.sort_by_key(|(_, position)| *position);
    Ok(index)
}
