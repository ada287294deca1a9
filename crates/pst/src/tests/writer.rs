//! A writer of small PST files, for tests: blocks, trees, heaps, property contexts, tables.
//!
//! Main types: [`Writer`], [`HeapMaker`]. It writes what [MS-PST] says and no more: no allocation maps, because the reader needs none.

use std::io::Write;

use crate::ndb::testing::{Layout, crc, signature};
use crate::ndb::{CryptMethod, FileVersion};

/// A file that is being made.
pub(super) struct Writer {
    pub(super) layout: Layout,
    version: FileVersion,
    crypt: CryptMethod,
    blocks: Vec<(u64, Vec<u8>)>,
    nodes: Vec<(u32, u64, u64, u32)>,
    next: u64,
    /// Most bytes of data in a block; lower than the layout's, so that small files have lists of blocks.
    pub(super) block_data: usize,
    /// Most identifiers in a list of blocks.
    pub(super) list_most: usize,
    /// Entries of a tree page.
    pub(super) page_most: usize,
}

/// Where things lie in a finished file.
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    /// Where each block begins, and where its trailer does.
    pub(super) blocks: Vec<(u64, u64)>,
    /// Offsets of leaf pages of the node tree.
    pub(super) node_leaves: Vec<u64>,
    /// Offset of the root page of the node tree.
    pub(super) node_root: u64,
    /// Offset of the root page of the block tree.
    pub(super) block_root: u64,
}

impl Writer {
    pub(super) fn new(version: FileVersion, crypt: CryptMethod) -> Self {
        let layout = version.layout();
        Self {
            layout,
            version,
            crypt,
            blocks: Vec::new(),
            nodes: Vec::new(),
            next: 0,
            block_data: layout.block_data,
            list_most: 500,
            page_most: 5,
        }
    }

    fn block(&mut self, bytes: Vec<u8>, is_internal: bool) -> u64 {
        self.next += 4;
        let id = self.next | if is_internal { 2 } else { 0 };
        self.blocks.push((id, bytes));
        id
    }

    fn id(&self, out: &mut Vec<u8>, id: u64) {
        out.extend_from_slice(&id.to_le_bytes()[..self.layout.id_bytes()]);
    }

    /// One block of data for each slice; more than one go into a list, more than [`list_most`](Self::list_most) into a list of lists.
    pub(super) fn data_blocks(&mut self, parts: &[Vec<u8>]) -> u64 {
        let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
        let ids: Vec<u64> = parts.iter().map(|part| self.block(part.clone(), false)).collect();
        match ids.as_slice() {
            [] => 0,
            [id] => *id,
            ids if ids.len() <= self.list_most => self.list(1, ids, sizes.iter().sum()),
            ids => {
                let most = self.list_most;
                let lists: Vec<u64> = ids
                    .chunks(most)
                    .zip(sizes.chunks(most))
                    .map(|(ids, sizes)| self.list(1, ids, sizes.iter().sum()))
                    .collect();
                self.list(2, &lists, sizes.iter().sum())
            }
        }
    }

    /// Data of any length.
    pub(super) fn data(&mut self, bytes: &[u8]) -> u64 {
        let parts: Vec<Vec<u8>> = bytes.chunks(self.block_data).map(<[u8]>::to_vec).collect();
        self.data_blocks(&parts)
    }

    fn list(&mut self, level: u8, ids: &[u64], total: usize) -> u64 {
        let mut bytes = vec![1, level];
        bytes.extend_from_slice(&(ids.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&(total as u32).to_le_bytes());
        for id in ids {
            self.id(&mut bytes, *id);
        }
        self.block(bytes, true)
    }

    /// A sub-node tree; of two levels when there are more than four.
    pub(super) fn sub(&mut self, nodes: &[(u32, u64, u64)]) -> u64 {
        if nodes.is_empty() {
            return 0;
        }
        let mut sorted = nodes.to_vec();
        sorted.sort_unstable();
        if sorted.len() <= 4 {
            return self.sub_block(0, &sorted);
        }
        let leaves: Vec<(u32, u64, u64)> = sorted
            .chunks(4)
            .map(|chunk| (chunk[0].0, self.sub_block(0, chunk), 0))
            .collect();
        self.sub_block(1, &leaves)
    }

    fn sub_block(&mut self, level: u8, nodes: &[(u32, u64, u64)]) -> u64 {
        let mut bytes = vec![2, level];
        bytes.extend_from_slice(&(nodes.len() as u16).to_le_bytes());
        if self.layout.wide {
            bytes.extend_from_slice(&[0; 4]);
        }
        for (id, data, sub) in nodes {
            self.id(&mut bytes, u64::from(*id));
            self.id(&mut bytes, *data);
            if level == 0 {
                self.id(&mut bytes, *sub);
            }
        }
        self.block(bytes, true)
    }

    pub(super) fn node(&mut self, id: u32, data: u64, sub: u64, parent: u32) {
        self.nodes.push((id, data, sub, parent));
    }

    /// Changes one byte of one block before it is written, so that its checksum fits.
    pub(super) fn damage(&mut self, place: usize, byte: u8) {
        let count = self.blocks.len();
        let (_, bytes) = &mut self.blocks[place % count];
        let at = (place / count) % bytes.len();
        bytes[at] = byte;
    }

    /// Writes all of it.
    pub(super) fn finish(mut self) -> Made {
        let mut out = vec![0u8; 0x4600];
        let mut block_entries = Vec::new();
        let mut places = Vec::new();
        for (id, plain) in std::mem::take(&mut self.blocks) {
            let offset = out.len() as u64;
            let (stored, unpacked) = self.stored(id, plain);
            let span = self.layout.block_span(stored.len());
            let mut entry = Vec::new();
            self.id(&mut entry, id);
            self.id(&mut entry, offset);
            entry.extend_from_slice(&(stored.len() as u16).to_le_bytes());
            match self.version {
                FileVersion::Unicode4k => {
                    entry.extend_from_slice(&(unpacked as u16).to_le_bytes());
                    entry.extend_from_slice(&[2, 0, 0, 0]);
                }
                FileVersion::Unicode => entry.extend_from_slice(&[2, 0, 0, 0, 0, 0]),
                FileVersion::Ansi => entry.extend_from_slice(&[2, 0]),
            }
            block_entries.push((id, entry));
            places.push((offset, offset + (span - self.layout.block_trailer) as u64));
            let checksum = crc(&stored);
            let length = stored.len() as u16;
            out.extend_from_slice(&stored);
            out.resize(offset as usize + span - self.layout.block_trailer, 0);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(&signature(offset, id).to_le_bytes());
            if self.layout.wide {
                out.extend_from_slice(&checksum.to_le_bytes());
                out.extend_from_slice(&id.to_le_bytes());
            } else {
                out.extend_from_slice(&(id as u32).to_le_bytes());
                out.extend_from_slice(&checksum.to_le_bytes());
            }
            out.resize(offset as usize + span, 0);
        }
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.sort_unstable();
        let node_entries: Vec<(u64, Vec<u8>)> = nodes
            .into_iter()
            .map(|(id, data, sub, parent)| {
                let mut entry = Vec::new();
                self.id(&mut entry, u64::from(id));
                self.id(&mut entry, data);
                self.id(&mut entry, sub);
                entry.extend_from_slice(&parent.to_le_bytes());
                if self.layout.wide {
                    entry.extend_from_slice(&[0; 4]);
                }
                (u64::from(id), entry)
            })
            .collect();
        block_entries.sort();
        let (block_root, _) = self.tree(&mut out, 0x80, block_entries);
        let (node_root, node_leaves) = self.tree(&mut out, 0x81, node_entries);
        self.header(&mut out, node_root, block_root);
        Made {
            bytes: out,
            blocks: places,
            node_leaves,
            node_root: node_root.1,
            block_root: block_root.1,
        }
    }

    fn stored(&self, id: u64, plain: Vec<u8>) -> (Vec<u8>, usize) {
        let unpacked = plain.len();
        let mut bytes = plain;
        if id & 2 == 0 {
            self.crypt.encode(&mut bytes, id);
        }
        if self.version == FileVersion::Unicode4k && unpacked > 200 {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&bytes).expect("memory");
            let packed = encoder.finish().expect("memory");
            if packed.len() < unpacked {
                return (packed, unpacked);
            }
        }
        (bytes, unpacked)
    }

    /// Returns the identifier and the offset of the root, and the offsets of the leaves.
    fn tree(&mut self, out: &mut Vec<u8>, kind: u8, entries: Vec<(u64, Vec<u8>)>) -> ((u64, u64), Vec<u64>) {
        let mut level = 0;
        let mut entries = entries;
        let mut leaves = Vec::new();
        loop {
            let mut above = Vec::new();
            for chunk in entries.chunks(self.page_most) {
                let (id, offset) = self.page(out, kind, level, chunk);
                if level == 0 {
                    leaves.push(offset);
                }
                let mut entry = Vec::new();
                self.id(&mut entry, chunk[0].0);
                self.id(&mut entry, id);
                self.id(&mut entry, offset);
                above.push((chunk[0].0, entry, (id, offset)));
            }
            if let [(_, _, root)] = above.as_slice() {
                return (*root, leaves);
            }
            entries = above.into_iter().map(|(key, entry, _)| (key, entry)).collect();
            level += 1;
        }
    }

    fn page(&mut self, out: &mut Vec<u8>, kind: u8, level: u8, entries: &[(u64, Vec<u8>)]) -> (u64, u64) {
        self.next += 4;
        let id = self.next;
        out.resize(out.len().next_multiple_of(self.layout.page_bytes), 0);
        let offset = out.len() as u64;
        let mut page: Vec<u8> = entries.iter().flat_map(|(_, entry)| entry.clone()).collect();
        let entry_bytes = entries[0].1.len() as u8;
        let count = entries.len() as u8;
        if self.layout.page_bytes == 4096 {
            page.resize(4056, 0);
            page.extend_from_slice(&[count, 0, 168, 0, entry_bytes, level]);
        } else {
            page.resize(if self.layout.wide { 488 } else { 496 }, 0);
            page.extend_from_slice(&[count, 15, entry_bytes, level]);
        }
        page.resize(self.layout.page_body, 0);
        let checksum = crc(&page);
        page.extend_from_slice(&[kind, kind]);
        page.extend_from_slice(&signature(offset, id).to_le_bytes());
        if self.layout.wide {
            page.extend_from_slice(&checksum.to_le_bytes());
            page.extend_from_slice(&id.to_le_bytes());
        } else {
            page.extend_from_slice(&(id as u32).to_le_bytes());
            page.extend_from_slice(&checksum.to_le_bytes());
        }
        page.resize(self.layout.page_bytes, 0);
        out.extend_from_slice(&page);
        (id, offset)
    }

    fn header(&self, out: &mut [u8], node_root: (u64, u64), block_root: (u64, u64)) {
        let length = out.len() as u64;
        let number = match self.version {
            FileVersion::Ansi => 14u16,
            FileVersion::Unicode => 23,
            FileVersion::Unicode4k => 36,
        };
        let client = if number == 36 { b"SO" } else { b"SM" };
        put(out, 0, b"!BDN");
        put(out, 8, client);
        put(out, 10, &number.to_le_bytes());
        put(out, 12, &[19, 0, 1, 1]);
        let (root, word, crypt_at) = if self.layout.wide { (180, 8, 513) } else { (164, 4, 461) };
        let numbers = [
            (0, length),
            (4, node_root.0),
            (5, node_root.1),
            (6, block_root.0),
            (7, block_root.1),
        ];
        for (at, number) in numbers {
            put(out, root + 4 + at * word, &number.to_le_bytes()[..word]);
        }
        out[root + 4 + 8 * word] = 2;
        out[crypt_at - 1] = 0x80;
        out[crypt_at] = match self.crypt {
            CryptMethod::Permute => 1,
            CryptMethod::Cyclic => 2,
            _ => 0,
        };
        let full = crc(&out[8..524]);
        if self.layout.wide {
            put(out, 524, &full.to_le_bytes());
        }
        let part = crc(&out[8..479]);
        put(out, 4, &part.to_le_bytes());
    }
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A heap that is being made.
pub(super) struct HeapMaker {
    client: u8,
    index_bits: u32,
    most: usize,
    blocks: Vec<Vec<Vec<u8>>>,
    root: u32,
}

impl HeapMaker {
    /// A heap whose blocks take up to `most` bytes of items.
    pub(super) fn new(writer: &Writer, client: u8, most: usize) -> Self {
        Self {
            client,
            index_bits: if writer.layout.page_bytes == 4096 { 14 } else { 11 },
            most,
            blocks: vec![Vec::new()],
            root: 0,
        }
    }

    pub(super) fn add(&mut self, item: Vec<u8>) -> u32 {
        let last = self.blocks.last().expect("one at least");
        let held: usize = last.iter().map(Vec::len).sum();
        if !last.is_empty() && held + item.len() > self.most {
            self.blocks.push(Vec::new());
        }
        let number = self.blocks.len() - 1;
        let items = self.blocks.last_mut().expect("one at least");
        items.push(item);
        ((items.len() as u32) << 5) | ((number as u32) << (5 + self.index_bits))
    }

    /// A tree on the heap with records of one size; of two levels when there are more than `most` records.
    pub(super) fn tree(&mut self, key: u8, data: u8, records: &[Vec<u8>], most: usize) -> u32 {
        let parts: Vec<(Vec<u8>, u32)> = records
            .chunks(most.max(1))
            .map(|part| (part[0][..usize::from(key)].to_vec(), self.add(part.concat())))
            .collect();
        let (levels, root) = match parts.as_slice() {
            [] => (0, 0),
            [(_, root)] => (0, *root),
            parts => {
                let records: Vec<Vec<u8>> = parts
                    .iter()
                    .map(|(key, id)| [key.as_slice(), &id.to_le_bytes()].concat())
                    .collect();
                (1, self.add(records.concat()))
            }
        };
        let mut header = vec![0xB5, key, data, levels];
        header.extend_from_slice(&root.to_le_bytes());
        self.add(header)
    }

    pub(super) fn root(&mut self, root: u32) {
        self.root = root;
    }

    /// The blocks of the heap.
    pub(super) fn finish(self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for (number, items) in self.blocks.iter().enumerate() {
            let mut block = match number {
                0 => {
                    let mut header = vec![0, 0, 0xEC, self.client];
                    header.extend_from_slice(&self.root.to_le_bytes());
                    header.extend_from_slice(&[0; 4]);
                    header
                }
                // Every 128th block from the eighth on has a longer header ([MS-PST] section 2.3.1.4).
                number if number % 128 == 8 => vec![0; 66],
                _ => vec![0; 2],
            };
            let mut map = vec![block.len() as u16];
            for item in items {
                block.extend_from_slice(item);
                map.push(block.len() as u16);
            }
            if block.len() % 2 == 1 {
                block.push(0);
            }
            let at = block.len() as u16;
            block[..2].copy_from_slice(&at.to_le_bytes());
            block.extend_from_slice(&(items.len() as u16).to_le_bytes());
            block.extend_from_slice(&[0, 0]);
            map.iter().for_each(|end| block.extend_from_slice(&end.to_le_bytes()));
            out.push(block);
        }
        out
    }
}

/// A value to be written.
#[derive(Clone)]
pub(super) enum Put {
    /// At most four bytes, in the record or cell itself.
    Small(u32),
    /// In the heap.
    Item(Vec<u8>),
    /// In a sub-node.
    Node(Vec<u8>),
    /// An object: a sub-node with data and sub-nodes of its own.
    Object(u64, u64),
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Writes a property context; returns its data and its sub-nodes with `more` added.
pub(super) fn context(writer: &mut Writer, values: &[(u32, Put)], more: &[(u32, u64, u64)]) -> (u64, u64) {
    let mut heap = HeapMaker::new(writer, 0xBC, 3000);
    let mut subs = more.to_vec();
    let mut sorted = values.to_vec();
    sorted.sort_by_key(|(tag, _)| *tag);
    let mut records = Vec::new();
    for (tag, value) in sorted {
        let handle = handle(writer, &mut heap, &mut subs, value);
        let mut record = ((tag >> 16) as u16).to_le_bytes().to_vec();
        record.extend_from_slice(&(tag as u16).to_le_bytes());
        record.extend_from_slice(&handle.to_le_bytes());
        records.push(record);
    }
    let root = heap.tree(2, 6, &records, 10);
    heap.root(root);
    let data = writer.data_blocks(&heap.finish());
    let sub = writer.sub(&subs);
    (data, sub)
}

fn handle(writer: &mut Writer, heap: &mut HeapMaker, subs: &mut Vec<(u32, u64, u64)>, value: Put) -> u32 {
    let node = 0x1_003F + 0x20 * subs.len() as u32;
    match value {
        Put::Small(value) => value,
        Put::Item(bytes) => heap.add(bytes),
        Put::Node(bytes) => {
            let data = writer.data(&bytes);
            subs.push((node, data, 0));
            node
        }
        Put::Object(data, sub) => {
            subs.push((node, data, sub));
            let size = 77u32;
            heap.add([node.to_le_bytes(), size.to_le_bytes()].concat())
        }
    }
}

/// Writes a table: columns as tags, rows as identifier and cells. `matrix_in_node` puts the rows into a sub-node.
pub(super) fn table(
    writer: &mut Writer,
    columns: &[u32],
    rows: &[(u32, Vec<(u32, Put)>)],
    matrix_in_node: bool,
) -> (u64, u64) {
    let mut heap = HeapMaker::new(writer, 0x7C, 3000);
    let mut subs = Vec::new();
    // Row identifier and version first ([MS-PST] section 2.3.4.4.1).
    let mut tags = vec![0x67F2_0003u32, 0x67F3_0003];
    tags.extend_from_slice(columns);
    let width = |tag: u32| match tag & 0xFFFF {
        0x0B => 1usize,
        0x02 => 2,
        0x14 | 0x40 | 0x05 => 8,
        _ => 4,
    };
    let mut order: Vec<(usize, usize)> = tags.iter().enumerate().map(|(at, tag)| (at, width(*tag))).collect();
    // Eight and four bytes first, then two, then one; the first two columns stay in front.
    order[2..].sort_by_key(|(_, width)| std::cmp::Reverse(*width));
    let mut places = vec![0usize; tags.len()];
    let mut ends = [0usize; 3];
    let mut at = 0;
    for (index, width) in order {
        places[index] = at;
        at += width;
        if width >= 4 {
            ends[0] = at;
        }
        if width >= 2 {
            ends[1] = at;
        }
        ends[2] = at;
    }
    ends[0] = ends[0].max(8);
    ends[1] = ends[1].max(ends[0]);
    let row_bytes = ends[2] + tags.len().div_ceil(8);
    let mut matrix = Vec::new();
    let mut index = Vec::new();
    for (position, (id, cells)) in rows.iter().enumerate() {
        let mut row = vec![0u8; row_bytes];
        let mut all = vec![(tags[0], Put::Small(*id)), (tags[1], Put::Small(1))];
        all.extend(cells.iter().cloned());
        for (tag, value) in all {
            let column = tags.iter().position(|known| *known == tag).expect("a column");
            let place = places[column];
            match value {
                Put::Item(bytes) if width(tag) == 8 => row[place..place + 8].copy_from_slice(&bytes),
                value => {
                    let handle = handle(writer, &mut heap, &mut subs, value).to_le_bytes();
                    row[place..place + width(tag)].copy_from_slice(&handle[..width(tag)]);
                }
            }
            row[ends[2] + column / 8] |= 0x80 >> (column % 8);
        }
        matrix.push(row);
        let mut record = id.to_le_bytes().to_vec();
        if writer.layout.wide {
            record.extend_from_slice(&(position as u32).to_le_bytes());
        } else {
            record.extend_from_slice(&(position as u16).to_le_bytes());
        }
        index.push(record);
    }
    index.sort_by_key(|record| u32::from_le_bytes([record[0], record[1], record[2], record[3]]));
    let row_index = heap.tree(4, if writer.layout.wide { 4 } else { 2 }, &index, 8);
    let rows_at = if matrix.is_empty() {
        0
    } else if matrix_in_node {
        let most = (writer.block_data / row_bytes).max(1);
        let parts: Vec<Vec<u8>> = matrix
            .chunks(most)
            .map(|rows| {
                let mut part = rows.concat();
                if rows.len() == most {
                    part.resize(writer.block_data.max(part.len()), 0xAA);
                }
                part
            })
            .collect();
        let data = writer.data_blocks(&parts);
        subs.push((0x2_003F, data, 0));
        0x2_003F
    } else {
        heap.add(matrix.concat())
    };
    let mut info = vec![0x7C, tags.len() as u8];
    for end in [ends[0], ends[1], ends[2], row_bytes] {
        info.extend_from_slice(&(end as u16).to_le_bytes());
    }
    info.extend_from_slice(&row_index.to_le_bytes());
    info.extend_from_slice(&rows_at.to_le_bytes());
    info.extend_from_slice(&[0; 4]);
    for (bit, tag) in tags.iter().enumerate() {
        info.extend_from_slice(&tag.to_le_bytes());
        info.extend_from_slice(&(places[bit] as u16).to_le_bytes());
        info.extend_from_slice(&[width(*tag) as u8, bit as u8]);
    }
    let root = heap.add(info);
    heap.root(root);
    let data = writer.data_blocks(&heap.finish());
    let sub = writer.sub(&subs);
    (data, sub)
}
