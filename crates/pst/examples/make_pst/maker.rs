//! A maker of large mail stores for measurements and tests: streams a Unicode PST to a file, however large, from a plan and nothing else.
//!
//! Main function: [`make`]. Not for: odd files (the writer of the tests makes those). It writes what [MS-PST] says and no more: no allocation maps, because
//! the reader needs none. Invariant: the same plan gives the same bytes. Holds 24 bytes a block and 32 bytes a node.

use std::io::{self, Seek, SeekFrom, Write};

/// Data of a block ([MS-PST] section 2.2.2.8.3.1).
const BLOCK: usize = 8176;
/// Identifiers in a list of blocks.
const LIST: usize = (BLOCK - 8) / 8;
/// Longest item of a heap ([MS-PST] section 2.3.1).
const ITEM: usize = 3576;
/// Items of one block of a heap, bytes.
const HEAP: usize = 7000;
/// Where blocks begin.
const START: u64 = 0x4600;
/// First message; the ones behind it follow in steps of 0x20.
const FIRST_MESSAGE: u32 = 0x20_0004;
const FIRST_FOLDER: u32 = 0x8022;

/// What a store is to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Folders, all below one that is called "Top".
    pub(crate) folders: u32,
    /// Messages of each.
    pub(crate) messages: u32,
    /// Bytes of an attachment on average; every message has one.
    pub(crate) attachment: u64,
    /// Bytes of the attachment of the first message, in place of the average.
    pub(crate) first_attachment: u64,
    /// Messages that no folder lists, behind the others.
    pub(crate) orphans: u32,
    /// What each folder states more than it lists.
    pub(crate) overstated: u32,
    /// Search folders below "Top".
    pub(crate) searches: u32,
}

impl Plan {
    /// All messages.
    pub(crate) fn total(&self) -> u32 {
        self.folders * self.messages + self.orphans
    }
}

/// Writes the store that `plan` says, from the beginning of `out`; returns its length.
///
/// # Errors
/// What `out` says.
pub(crate) fn make<W: Write + Seek>(plan: &Plan, out: W) -> io::Result<u64> {
    let mut maker = Maker {
        out: io::BufWriter::with_capacity(1 << 20, out),
        at: START,
        next: 0,
        blocks: Vec::new(),
        nodes: Vec::new(),
        noise: 0x9E37_79B9_7F4A_7C15,
    };
    maker.out.seek(SeekFrom::Start(START))?;
    maker.store(plan)?;
    maker.finish()
}

/// A block: identifier, place, bytes.
type BlockEntry = (u64, u64, u16);
/// A sub-node: identifier, data, sub-nodes.
type SubEntry = (u32, u64, u64);

struct Maker<W: Write + Seek> {
    out: io::BufWriter<W>,
    at: u64,
    next: u64,
    blocks: Vec<BlockEntry>,
    nodes: Vec<(u32, u64, u64, u32)>,
    noise: u64,
}

impl<W: Write + Seek> Maker<W> {
    fn store(&mut self, plan: &Plan) -> io::Result<()> {
        // Where the folders that people see begin ([MS-PST] section 2.4.3.2): other readers need it.
        let top = [vec![0; 20], 0x8002u32.to_le_bytes().to_vec()].concat();
        let values = [(0x3001_001F, Put::Item(utf16("Made"))), (0x35E0_0102, Put::Item(top))];
        let (data, sub) = self.context(&values, &[])?;
        self.node(0x21, data, sub, 0);
        // No named properties: three empty streams ([MS-PST] section 2.4.7).
        let streams = [2u32, 3, 4].map(|id| (id << 16 | 0x102, Put::Item(Vec::new())));
        let (data, sub) = self.context(&streams, &[])?;
        self.node(0x61, data, sub, 0);
        let folders: Vec<u32> = (0..plan.folders).map(|at| FIRST_FOLDER + 0x20 * at).collect();
        self.folder(0x122, 0x122, "", 0, &[0x8002], &[])?;
        let searches = (0..plan.searches).map(|at| 0x4_0003 + 0x20 * at);
        let below: Vec<u32> = folders.iter().copied().chain(searches).collect();
        self.folder(0x8002, 0x122, "Top", 0, &below, &[])?;
        let mut next = FIRST_MESSAGE;
        for (number, folder) in folders.iter().enumerate() {
            let listed: Vec<u32> = (0..plan.messages).map(|at| next + 0x20 * at).collect();
            for id in &listed {
                self.message(*id, *folder, plan)?;
            }
            next += 0x20 * plan.messages;
            let name = format!("Folder {number}");
            self.folder(*folder, 0x8002, &name, plan.messages + plan.overstated, &[], &listed)?;
        }
        for at in 0..plan.orphans {
            self.message(next + 0x20 * at, 0x8002, plan)?;
        }
        Ok(())
    }

    fn folder(
        &mut self,
        id: u32,
        parent: u32,
        name: &str,
        stated: u32,
        folders: &[u32],
        messages: &[u32],
    ) -> io::Result<()> {
        let values = [(0x3001_001F, Put::Item(utf16(name))), (0x3602_0003, Put::Small(stated))];
        let (data, sub) = self.context(&values, &[])?;
        self.node(id, data, sub, parent);
        for (kind, list) in [(0x0D, folders), (0x0E, messages)] {
            let (data, sub) = self.table(list)?;
            self.node((id & !0x1F) | kind, data, sub, 0);
        }
        Ok(())
    }

    fn message(&mut self, id: u32, parent: u32, plan: &Plan) -> io::Result<()> {
        let number = (id - FIRST_MESSAGE) / 0x20;
        let size = if number == 0 {
            plan.first_attachment
        } else {
            self.random() % (2 * plan.attachment + 1)
        };
        let content = self.content(size)?;
        let name = utf16(&format!("file {number}.bin"));
        let values = [
            (0x3705_0003, Put::Small(1)),
            (0x3707_001F, Put::Item(name)),
            (0x3701_0102, Put::Sub(content)),
        ];
        let (data, sub) = self.context(&values, &[])?;
        let (list, list_sub) = self.table(&[0x8025])?;
        let (people, people_sub) = self.table(&[0])?;
        let subs = [
            (0x671, list, list_sub),
            (0x692, people, people_sub),
            (0x8025, data, sub),
        ];
        let mut body = String::new();
        for _ in 0..40 {
            body.push_str(&format!("word{:03} of a body, ", self.random() % 1000));
        }
        let values = [
            (0x001A_001F, Put::Item(utf16("IPM.Note"))),
            (0x0037_001F, Put::Item(utf16(&format!("Subject {number}")))),
            (0x1000_001F, Put::Item(utf16(&body))),
            (0x0E1B_000B, Put::Small(1)),
        ];
        let (data, sub) = self.context(&values, &subs)?;
        self.node(id, data, sub, parent);
        Ok(())
    }

    fn random(&mut self) -> u64 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        self.noise
    }

    /// Data of noise.
    fn content(&mut self, size: u64) -> io::Result<u64> {
        let (mut ids, mut lists) = (Vec::new(), Vec::new());
        let mut left = size;
        while left > 0 {
            let now = left.min(BLOCK as u64);
            let mut bytes = Vec::with_capacity(BLOCK + 8);
            while (bytes.len() as u64) < now {
                bytes.extend_from_slice(&self.random().to_le_bytes());
            }
            bytes.truncate(usize::try_from(now).unwrap_or(BLOCK));
            ids.push(self.block(&bytes, false)?);
            left -= now;
            if ids.len() == LIST && left > 0 {
                lists.push(self.list(1, &ids, (LIST * BLOCK) as u64)?);
                ids.clear();
            }
        }
        self.lists(lists, &ids, size)
    }

    /// The data of blocks: those in lists that are full, then `ids`.
    fn lists(&mut self, mut lists: Vec<u64>, ids: &[u64], size: u64) -> io::Result<u64> {
        match (lists.is_empty(), ids) {
            (true, []) => Ok(0),
            (true, [id]) => Ok(*id),
            (true, ids) => self.list(1, ids, size),
            (false, ids) => {
                let rest = size - (lists.len() * LIST * BLOCK) as u64;
                lists.push(self.list(1, ids, rest)?);
                self.list(2, &lists, size)
            }
        }
    }

    fn list(&mut self, level: u8, ids: &[u64], total: u64) -> io::Result<u64> {
        let mut bytes = vec![1, level];
        bytes.extend_from_slice(&short(ids.len()).to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(total).unwrap_or(u32::MAX).to_le_bytes());
        ids.iter().for_each(|id| bytes.extend_from_slice(&id.to_le_bytes()));
        self.block(&bytes, true)
    }

    /// Data in given blocks.
    fn parts(&mut self, parts: &[Vec<u8>]) -> io::Result<u64> {
        let size = parts.iter().map(|part| part.len() as u64).sum();
        let mut ids = Vec::new();
        for part in parts {
            ids.push(self.block(part, false)?);
        }
        if ids.len() <= LIST {
            return self.lists(Vec::new(), &ids, size);
        }
        let mut lists = Vec::new();
        for (ids, parts) in ids.chunks(LIST).zip(parts.chunks(LIST)) {
            lists.push(self.list(1, ids, parts.iter().map(|part| part.len() as u64).sum())?);
        }
        self.list(2, &lists, size)
    }

    fn block(&mut self, bytes: &[u8], is_internal: bool) -> io::Result<u64> {
        self.next += 4;
        let id = self.next | if is_internal { 2 } else { 0 };
        let span = (bytes.len() + 16).next_multiple_of(64);
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; 64][..span - 16 - bytes.len()])?;
        self.out.write_all(&short(bytes.len()).to_le_bytes())?;
        self.out.write_all(&signature(self.at, id).to_le_bytes())?;
        self.out.write_all(&crc(bytes).to_le_bytes())?;
        self.out.write_all(&id.to_le_bytes())?;
        self.blocks.push((id, self.at, short(bytes.len())));
        self.at += span as u64;
        Ok(id)
    }

    fn sub(&mut self, entries: &[SubEntry]) -> io::Result<u64> {
        if entries.is_empty() {
            return Ok(0);
        }
        let mut sorted = entries.to_vec();
        sorted.sort_unstable();
        let mut bytes = vec![2, 0];
        bytes.extend_from_slice(&short(sorted.len()).to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        for (id, data, sub) in sorted {
            for word in [u64::from(id), data, sub] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        self.block(&bytes, true)
    }

    fn node(&mut self, id: u32, data: u64, sub: u64, parent: u32) {
        self.nodes.push((id, data, sub, parent));
    }

    /// A property context ([MS-PST] section 2.3.3).
    fn context(&mut self, values: &[(u32, Put)], more: &[SubEntry]) -> io::Result<(u64, u64)> {
        let mut heap = Heap::new(0xBC);
        let mut subs = more.to_vec();
        let mut records = Vec::new();
        let mut sorted: Vec<&(u32, Put)> = values.iter().collect();
        sorted.sort_by_key(|(tag, _)| *tag);
        for (tag, value) in sorted {
            let handle = match value {
                Put::Small(value) => *value,
                Put::Item(bytes) if bytes.is_empty() => 0,
                Put::Item(bytes) => heap.add(bytes.clone()),
                Put::Sub(0) => 0,
                Put::Sub(data) => {
                    subs.push((0x1_003F, *data, 0));
                    0x1_003F
                }
            };
            let [low, high] = [*tag as u16, (tag >> 16) as u16];
            records.push([high.to_le_bytes(), low.to_le_bytes()].concat());
            if let Some(record) = records.last_mut() {
                record.extend_from_slice(&handle.to_le_bytes());
            }
        }
        heap.root = heap.tree(2, 6, &records);
        let data = self.parts(&heap.finish())?;
        Ok((data, self.sub(&subs)?))
    }

    /// A table with nothing but row identifiers and flags ([MS-PST] section 2.3.4).
    fn table(&mut self, rows: &[u32]) -> io::Result<(u64, u64)> {
        const ROW: usize = 13;
        let mut heap = Heap::new(0x7C);
        let index: Vec<Vec<u8>> = (0u32..)
            .zip(rows)
            .map(|(at, id)| [id.to_le_bytes(), at.to_le_bytes()].concat())
            .collect();
        let row_index = heap.tree(4, 4, &index);
        let matrix: Vec<Vec<u8>> = rows
            .iter()
            .map(|id| {
                let mut row = id.to_le_bytes().to_vec();
                row.extend_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0, 0xE0]);
                row
            })
            .collect();
        let mut subs = Vec::new();
        let rows_at = if matrix.is_empty() {
            0
        } else if matrix.len() * ROW <= ITEM {
            heap.add(matrix.concat())
        } else {
            let parts: Vec<Vec<u8>> = matrix
                .chunks(BLOCK / ROW)
                .map(|rows| {
                    let mut part = rows.concat();
                    if rows.len() == BLOCK / ROW {
                        part.resize(BLOCK, 0);
                    }
                    part
                })
                .collect();
            subs.push((0x2_003F, self.parts(&parts)?, 0));
            0x2_003F
        };
        let mut info = vec![0x7C, 3];
        for end in [12u16, 12, 12, ROW as u16] {
            info.extend_from_slice(&end.to_le_bytes());
        }
        info.extend_from_slice(&row_index.to_le_bytes());
        info.extend_from_slice(&u32::to_le_bytes(rows_at));
        info.extend_from_slice(&[0; 4]);
        for (tag, place, bit) in [(0x0E07_0003u32, 8u16, 2u8), (0x67F2_0003, 0, 0), (0x67F3_0003, 4, 1)] {
            info.extend_from_slice(&tag.to_le_bytes());
            info.extend_from_slice(&place.to_le_bytes());
            info.extend_from_slice(&[4, bit]);
        }
        heap.root = heap.add(info);
        let data = self.parts(&heap.finish())?;
        Ok((data, self.sub(&subs)?))
    }

    /// The trees and the header.
    fn finish(mut self) -> io::Result<u64> {
        let blocks = std::mem::take(&mut self.blocks);
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.sort_unstable();
        let room = vec![0; usize::try_from(self.at.next_multiple_of(512) - self.at).unwrap_or(0)];
        self.out.write_all(&room)?;
        self.at += room.len() as u64;
        let leaf = |(id, at, length): &BlockEntry| {
            let words = [*id, *at, u64::from(*length) | 2 << 16];
            (*id, words.map(u64::to_le_bytes).concat())
        };
        let block_root = self.tree(0x80, blocks.iter().map(leaf))?;
        let leaf = |(id, data, sub, parent): &(u32, u64, u64, u32)| {
            let words = [u64::from(*id), *data, *sub, u64::from(*parent)];
            (u64::from(*id), words.map(u64::to_le_bytes).concat())
        };
        let node_root = self.tree(0x81, nodes.iter().map(leaf))?;
        let length = self.at;
        let mut head = vec![0u8; 568];
        put(&mut head, 0, b"!BDN");
        put(&mut head, 8, b"SM\x17\x00\x13\x00\x01\x01");
        let words = [
            (0, length),
            (4, node_root.0),
            (5, node_root.1),
            (6, block_root.0),
            (7, block_root.1),
        ];
        for (at, word) in words {
            put(&mut head, 184 + at * 8, &word.to_le_bytes());
        }
        head[184 + 64] = 2;
        head[512] = 0x80;
        let full = crc(&head[8..524]);
        put(&mut head, 524, &full.to_le_bytes());
        let part = crc(&head[8..479]);
        put(&mut head, 4, &part.to_le_bytes());
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&head)?;
        self.out.flush()?;
        Ok(length)
    }

    /// Pages of all levels; the identifier and the place of the root.
    fn tree(&mut self, kind: u8, entries: impl Iterator<Item = (u64, Vec<u8>)>) -> io::Result<(u64, u64)> {
        let mut above = Vec::new();
        let mut page = Vec::new();
        for entry in entries {
            let most = 488 / entry.1.len();
            page.push(entry);
            if page.len() == most {
                above.push(self.page(kind, 0, &page)?);
                page.clear();
            }
        }
        if !page.is_empty() {
            above.push(self.page(kind, 0, &page)?);
        }
        let mut level = 0;
        while above.len() > 1 {
            level += 1;
            let mut next = Vec::new();
            for chunk in above.chunks(20) {
                let entries: Vec<(u64, Vec<u8>)> = chunk
                    .iter()
                    .map(|(key, id, at)| (*key, [*key, *id, *at].map(u64::to_le_bytes).concat()))
                    .collect();
                next.push(self.page(kind, level, &entries)?);
            }
            above = next;
        }
        Ok(above.first().map_or((0, 0), |(_, id, at)| (*id, *at)))
    }

    fn page(&mut self, kind: u8, level: u8, entries: &[(u64, Vec<u8>)]) -> io::Result<(u64, u64, u64)> {
        self.next += 4;
        let (id, at) = (self.next, self.at);
        let mut page = entries.iter().flat_map(|(_, entry)| entry.clone()).collect::<Vec<u8>>();
        page.resize(488, 0);
        page.extend_from_slice(&[entries.len() as u8, 20, entries[0].1.len() as u8, level]);
        page.resize(496, 0);
        let checksum = crc(&page);
        page.extend_from_slice(&[kind, kind]);
        page.extend_from_slice(&signature(at, id).to_le_bytes());
        page.extend_from_slice(&checksum.to_le_bytes());
        page.extend_from_slice(&id.to_le_bytes());
        self.out.write_all(&page)?;
        self.at += 512;
        Ok((entries[0].0, id, at))
    }
}

/// A value of a property context.
enum Put {
    /// In the record.
    Small(u32),
    /// In the heap.
    Item(Vec<u8>),
    /// In a sub-node with these data; one at most.
    Sub(u64),
}

/// A heap that is being made.
struct Heap {
    client: u8,
    blocks: Vec<Vec<Vec<u8>>>,
    held: usize,
    root: u32,
}

impl Heap {
    fn new(client: u8) -> Self {
        Self {
            client,
            blocks: vec![Vec::new()],
            held: 0,
            root: 0,
        }
    }

    fn add(&mut self, item: Vec<u8>) -> u32 {
        if self.held > 0 && self.held + item.len() > HEAP {
            self.blocks.push(Vec::new());
            self.held = 0;
        }
        self.held += item.len() + 2;
        let number = self.blocks.len() as u32 - 1;
        let count = self.blocks.last_mut().map_or(0, |items| {
            items.push(item);
            items.len() as u32
        });
        count << 5 | number << 16
    }

    /// A tree on the heap with as many levels as its records need.
    fn tree(&mut self, key: u8, data: u8, records: &[Vec<u8>]) -> u32 {
        let mut levels = 0;
        let mut records = records.to_vec();
        let root = loop {
            if records.is_empty() {
                break 0;
            }
            let most = ITEM / records[0].len();
            let parts: Vec<Vec<u8>> = records
                .chunks(most)
                .map(|part| {
                    let id = self.add(part.concat());
                    [&part[0][..usize::from(key)], &id.to_le_bytes()].concat()
                })
                .collect();
            if let [only] = parts.as_slice() {
                break u32::from_le_bytes(only[usize::from(key)..].try_into().unwrap_or_default());
            }
            levels += 1;
            records = parts;
        };
        let mut header = vec![0xB5, key, data, levels];
        header.extend_from_slice(&root.to_le_bytes());
        self.add(header)
    }

    fn finish(self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for (number, items) in self.blocks.into_iter().enumerate() {
            let mut block = match number {
                0 => [&[0, 0, 0xEC, self.client][..], &self.root.to_le_bytes(), &[0; 4]].concat(),
                // Every 128th block from the eighth on has a longer header ([MS-PST] section 2.3.1.4).
                number if number % 128 == 8 => vec![0; 66],
                _ => vec![0; 2],
            };
            let mut map = vec![short(block.len())];
            for item in &items {
                block.extend_from_slice(item);
                map.push(short(block.len()));
            }
            block.resize(block.len().next_multiple_of(2), 0);
            let at = short(block.len());
            put(&mut block, 0, &at.to_le_bytes());
            block.extend_from_slice(&short(items.len()).to_le_bytes());
            block.extend_from_slice(&[0, 0]);
            map.iter().for_each(|end| block.extend_from_slice(&end.to_le_bytes()));
            out.push(block);
        }
        out
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

/// CRC-32 that starts at 0 and is not inverted at the end ([MS-PST] section 5.3). Written again here, so that reader and maker are not wrong together.
fn crc(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0u32; 256];
        let mut at = 0;
        while at < 256 {
            let (mut value, mut bit) = (at as u32, 0);
            while bit < 8 {
                value = (value >> 1) ^ (0xEDB8_8320 * (value & 1));
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    bytes
        .iter()
        .fold(0, |value, byte| TABLE[usize::from((value as u8) ^ byte)] ^ (value >> 8))
}

/// Signature of a page or block from its place and its identifier ([MS-PST] section 5.5).
fn signature(at: u64, id: u64) -> u16 {
    let mixed = (at ^ id) as u32;
    ((mixed >> 16) ^ mixed) as u16
}
