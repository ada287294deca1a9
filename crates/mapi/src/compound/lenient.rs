//! Compound files that are damaged: every chain is followed as far as it goes.
//!
//! Invariant: every chain ends at a sector seen before, a sector outside of the file, or the length that is asked for; a directory
//! entry is visited once.

use std::collections::HashSet;

use super::{Node, Tree};

/// [MS-CFB] section 2.1: numbers from here on are no sectors.
const LAST_SECTOR: u32 = 0xFFFF_FFFA;
const NO_ENTRY: u32 = 0xFFFF_FFFF;
const ENTRY_BYTES: usize = 128;
const MINI_SECTOR_BYTES: usize = 64;
const HEADER_BYTES: usize = 512;

/// Reads what can be reached, with sentences about what could not.
pub(super) fn read(bytes: &[u8]) -> (Tree, Vec<String>) {
    let mut reader = Reader::new(bytes);
    let tree = reader.tree();
    (tree, reader.losses)
}

struct Reader<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    fat: Vec<u32>,
    losses: Vec<String>,
    /// Bytes of streams that may still be read.
    budget: usize,
}

/// Fields of a directory entry ([MS-CFB] section 2.6.1).
struct Entry {
    node: Node,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    length: u64,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let shift = half(bytes, 30).unwrap_or(9);
        let sector_bytes = if shift == 12 { 4096 } else { 512 };
        let mut reader = Self {
            bytes,
            sector_bytes,
            fat: Vec::new(),
            losses: Vec::new(),
            budget: bytes.len(),
        };
        reader.read_fat();
        reader
    }

    /// Bytes of a sector; the last one of a file may be short.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        if number >= LAST_SECTOR {
            return None;
        }
        let start = (number as usize).checked_add(1)?.checked_mul(self.sector_bytes)?;
        let end = start.checked_add(self.sector_bytes)?.min(self.bytes.len());
        self.bytes.get(start..end).filter(|sector| !sector.is_empty())
    }

    /// The allocation table: 109 sectors named in the header, the rest in a chain ([MS-CFB] sections 2.2 and 2.5).
    fn read_fat(&mut self) {
        let mut sectors: Vec<u32> = (0..109).filter_map(|at| word(self.bytes, 76 + at * 4)).collect();
        let mut next = word(self.bytes, 68).unwrap_or(NO_ENTRY);
        let mut seen = Seen::new(self.bytes.len() / self.sector_bytes + 1);
        while let Some(sector) = self.sector(next) {
            if !seen.first_time(next) {
                self.losses
                    .push("the list of allocation sectors runs in a loop".to_owned());
                break;
            }
            let words = sector.len() / 4;
            sectors.extend((0..words.saturating_sub(1)).filter_map(|at| word(sector, at * 4)));
            next = word(sector, self.sector_bytes - 4).unwrap_or(NO_ENTRY);
        }
        let mut seen = Seen::new(self.bytes.len() / self.sector_bytes + 1);
        for number in sectors {
            if number >= LAST_SECTOR {
                continue;
            }
            match self.sector(number) {
                Some(sector) if seen.first_time(number) => {
                    self.fat
                        .extend(sector.chunks_exact(4).filter_map(|entry| word(entry, 0)));
                }
                Some(_) => self.losses.push(format!("allocation sector {number} is named twice")),
                None => self
                    .losses
                    .push(format!("allocation sector {number} lies outside of the file")),
            }
        }
    }

    /// Sectors of a chain, with a sentence when it breaks off.
    fn chain(&self, start: u32, table: &[u32], most: usize) -> (Vec<u32>, Option<&'static str>) {
        let mut out = Vec::new();
        // A set, not a table: many short chains over a large table must not cost its length each.
        let mut seen = HashSet::new();
        let mut next = start;
        while next < LAST_SECTOR && out.len() < most {
            let Some(following) = table.get(next as usize) else {
                return (out, Some("leads outside of its table"));
            };
            if !seen.insert(next) {
                return (out, Some("runs in a loop"));
            }
            out.push(next);
            next = *following;
        }
        (out, None)
    }

    /// Bytes of a chain of full sectors, at most `length`.
    fn content(&self, start: u32, length: usize) -> (Vec<u8>, Option<&'static str>) {
        let (sectors, mut odd) = self.chain(start, &self.fat, length.div_ceil(self.sector_bytes));
        let mut out = Vec::new();
        for number in sectors {
            let Some(sector) = self.sector(number) else {
                odd = Some("leads outside of the file");
                break;
            };
            out.extend_from_slice(&sector[..sector.len().min(length - out.len())]);
            if sector.len() < self.sector_bytes {
                break;
            }
        }
        (out, odd)
    }

    fn tree(&mut self) -> Tree {
        let start = word(self.bytes, 48).unwrap_or(NO_ENTRY);
        let (directory, odd) = self.content(start, self.bytes.len());
        if let Some(odd) = odd {
            self.losses.push(format!("the directory {odd}"));
        }
        let entries: Vec<Entry> = directory
            .chunks_exact(ENTRY_BYTES)
            .map(|raw| entry(raw, self.sector_bytes))
            .collect();
        let mut tree = Tree::new();
        let Some(root) = entries.first() else {
            self.losses.push("there is no directory".to_owned());
            return tree;
        };
        *tree.node_mut(0) = Node {
            name: String::new(),
            is_stream: false,
            ..root.node.clone()
        };
        let (mini, _) = self.content(
            root.start,
            usize::try_from(root.length).unwrap_or(usize::MAX).min(self.bytes.len()),
        );
        let (table, _) = self.content(word(self.bytes, 60).unwrap_or(NO_ENTRY), self.bytes.len());
        let mini_fat: Vec<u32> = table.chunks_exact(4).filter_map(|entry| word(entry, 0)).collect();
        let cutoff = word(self.bytes, 56).filter(|cutoff| *cutoff != 0).unwrap_or(4096);

        let mut seen = Seen::new(entries.len());
        seen.first_time(0);
        let mut todo = vec![(root.child, 0)];
        while let Some((number, parent)) = todo.pop() {
            let Some(entry) = entries.get(number as usize) else {
                continue;
            };
            if !seen.first_time(number) {
                self.losses.push(format!("directory entry {number} is reached twice"));
                continue;
            }
            todo.push((entry.right, parent));
            todo.push((entry.left, parent));
            match entry.kind {
                1 => {
                    let at = tree.add(parent, entry.node.clone());
                    todo.push((entry.child, at));
                }
                2 => {
                    let mut node = entry.node.clone();
                    let mini = (entry.length < u64::from(cutoff)).then_some((mini.as_slice(), mini_fat.as_slice()));
                    node.content = self.stream(entry, mini);
                    tree.add(parent, node);
                }
                _ => self
                    .losses
                    .push(format!("directory entry {number} is neither storage nor stream")),
            }
        }
        let unreached = entries
            .iter()
            .enumerate()
            .filter(|(at, entry)| matches!(entry.kind, 1 | 2) && !seen.was(*at))
            .count();
        if unreached > 0 {
            self.losses
                .push(format!("{unreached} storages or streams belong to no storage"));
        }
        tree
    }

    fn stream(&mut self, entry: &Entry, mini: Option<(&[u8], &[u32])>) -> Vec<u8> {
        let wanted = usize::try_from(entry.length).unwrap_or(usize::MAX);
        let length = wanted.min(self.budget);
        let (content, odd) = match mini {
            None => self.content(entry.start, length),
            Some((mini, table)) => {
                let (sectors, mut odd) = self.chain(entry.start, table, length.div_ceil(MINI_SECTOR_BYTES));
                let mut out = Vec::new();
                for number in sectors {
                    let start = (number as usize).saturating_mul(MINI_SECTOR_BYTES);
                    let end = start
                        .saturating_add(MINI_SECTOR_BYTES.min(length - out.len()))
                        .min(mini.len());
                    let Some(part) = mini.get(start..end).filter(|part| !part.is_empty()) else {
                        odd = Some("leads outside of the short sectors");
                        break;
                    };
                    out.extend_from_slice(part);
                }
                (out, odd)
            }
        };
        self.budget = self.budget.saturating_sub(content.len());
        if content.len() < wanted {
            let why = odd.unwrap_or("is cut");
            let name = &entry.node.name;
            self.losses
                .push(format!("stream {name:?} {why}: {} of {wanted} bytes", content.len()));
        }
        content
    }
}

fn entry(raw: &[u8], sector_bytes: usize) -> Entry {
    let name_bytes = usize::from(half(raw, 64).unwrap_or(0)).min(64);
    let units: Vec<u16> = raw[..name_bytes]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    let length = long(raw, 120).unwrap_or(0);
    let kind = raw.get(66).copied().unwrap_or(0);
    let mut class = [0; 16];
    class.copy_from_slice(&raw[80..96]);
    Entry {
        node: Node {
            name: String::from_utf16_lossy(&units),
            is_stream: kind == 2,
            class,
            state: word(raw, 96).unwrap_or(0),
            created: long(raw, 100).unwrap_or(0),
            modified: long(raw, 108).unwrap_or(0),
            content: Vec::new(),
            children: Vec::new(),
        },
        kind,
        left: word(raw, 68).unwrap_or(NO_ENTRY),
        right: word(raw, 72).unwrap_or(NO_ENTRY),
        child: word(raw, 76).unwrap_or(NO_ENTRY),
        start: word(raw, 116).unwrap_or(NO_ENTRY),
        // [MS-CFB] section 2.6.3: with sectors of 512 bytes the upper half may be rubbish.
        length: if sector_bytes == HEADER_BYTES {
            length & 0xFFFF_FFFF
        } else {
            length
        },
    }
}

/// Which numbers were met.
struct Seen(Vec<bool>);

impl Seen {
    fn new(count: usize) -> Self {
        Self(vec![false; count])
    }

    /// True once for each number below the count, false for every other.
    fn first_time(&mut self, number: u32) -> bool {
        match self.0.get_mut(number as usize) {
            Some(seen) => !std::mem::replace(seen, true),
            None => false,
        }
    }

    fn was(&self, at: usize) -> bool {
        self.0.get(at).copied().unwrap_or(false)
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
