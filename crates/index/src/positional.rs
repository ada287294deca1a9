//! The positional query: documents in which tokens stand at consecutive positions of one field.
//!
//! Reads postings and positions directly. Two ways lead to the same documents: when one token is much rarer
//! than the others, their lists are skipped through ([`leap`]); otherwise all lists are read block by block
//! from end to end, which costs less a document ([`walk`]). Phrases of patterns and proximity are in
//! [`spans`](crate::spans), which reads with the same cursors.

use std::io;

use tantivy::directory::FileSlice;
use tantivy::positions::PositionReader;
use tantivy::postings::{BlockSegmentPostings, Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TERMINATED};

use crate::bits::DocBits;

/// Lists at most this many times as long as the shortest are read from end to end.
pub(crate) const WALK_FACTOR: u32 = 16;

/// What is known of one field of one segment.
pub(crate) struct FieldPostings<'s> {
    pub(crate) inverted: &'s InvertedIndexReader,
    pub(crate) positions: FileSlice,
}

/// Calls `found` with each document, in increasing order, in which the tokens stand one after the other,
/// and with the number of times they do. Only documents in `within` are looked at, if it is given.
pub(crate) fn for_each_match(
    field: &FieldPostings<'_>,
    tokens: &[TermInfo],
    within: Option<&DocBits>,
    found: &mut dyn FnMut(u32, u32),
) -> io::Result<()> {
    // The shortest list leads. With the shift, the positions of all tokens of one occurrence are one number.
    let last_place = tokens.len().saturating_sub(1);
    let mut ordered: Vec<(u32, &TermInfo)> = tokens
        .iter()
        .enumerate()
        .map(|(place, info)| ((last_place - place) as u32, info))
        .collect();
    ordered.sort_by_key(|(_, info)| info.doc_freq);
    let (Some((_, shortest)), Some((_, longest))) = (ordered.first(), ordered.last()) else {
        return Ok(());
    };
    let mut least = shortest.doc_freq;
    if let Some(bits) = within {
        least = least.min(bits.count());
    }
    if longest.doc_freq / WALK_FACTOR <= least {
        walk(field, &ordered, within, found)
    } else {
        leap(field, &ordered, within, found)
    }
}

/// A list of one token, and how far its positions are shifted.
pub(crate) trait Cursor {
    /// The present document; [`TERMINATED`] at the end.
    fn doc(&self) -> u32;
    /// Goes to the first document from `target` on.
    fn seek(&mut self, target: u32) -> u32;
    /// Positions in the present document, shifted, increasing.
    fn positions(&mut self, out: &mut Vec<u32>);
}

/// Intersects the lists and then the positions.
fn intersect<C: Cursor>(mut cursors: Vec<C>, within: Option<&DocBits>, found: &mut dyn FnMut(u32, u32)) {
    let Some((lead, rest)) = cursors.split_first_mut() else {
        return;
    };
    let mut starts = Vec::new();
    let mut others = Vec::new();
    let mut doc = lead.doc();
    'docs: while doc != TERMINATED {
        if let Some(bits) = within
            && !bits.contains(doc)
        {
            let Some(next) = bits.next_from(doc) else { break };
            doc = lead.seek(next);
            continue;
        }
        for cursor in rest.iter_mut() {
            let there = cursor.seek(doc);
            if there != doc {
                doc = if there == TERMINATED { there } else { lead.seek(there) };
                continue 'docs;
            }
        }
        lead.positions(&mut starts);
        for cursor in rest.iter_mut() {
            cursor.positions(&mut others);
            keep_common(&mut starts, &others);
            if starts.is_empty() {
                break;
            }
        }
        if !starts.is_empty() {
            found(doc, starts.len() as u32);
        }
        doc = lead.seek(doc + 1);
    }
}

fn leap(
    field: &FieldPostings<'_>,
    ordered: &[(u32, &TermInfo)],
    within: Option<&DocBits>,
    found: &mut dyn FnMut(u32, u32),
) -> io::Result<()> {
    let open = |(shift, info): &(u32, &TermInfo)| Leaper::open(field, info, *shift);
    let cursors: io::Result<Vec<Leaper>> = ordered.iter().map(open).collect();
    intersect(cursors?, within, found);
    Ok(())
}

/// Skips through a list.
pub(crate) struct Leaper {
    postings: SegmentPostings,
    shift: u32,
}

impl Leaper {
    pub(crate) fn open(field: &FieldPostings<'_>, info: &TermInfo, shift: u32) -> io::Result<Self> {
        let option = IndexRecordOption::WithFreqsAndPositions;
        let postings = field.inverted.read_postings_from_terminfo(info, option)?;
        Ok(Self { postings, shift })
    }
}

impl Cursor for Leaper {
    fn doc(&self) -> u32 {
        self.postings.doc()
    }

    fn seek(&mut self, target: u32) -> u32 {
        if self.postings.doc() < target {
            self.postings.seek(target)
        } else {
            self.postings.doc()
        }
    }

    fn positions(&mut self, out: &mut Vec<u32>) {
        self.postings.positions_with_offset(self.shift, out);
    }
}

fn walk(
    field: &FieldPostings<'_>,
    ordered: &[(u32, &TermInfo)],
    within: Option<&DocBits>,
    found: &mut dyn FnMut(u32, u32),
) -> io::Result<()> {
    let open = |(shift, info): &(u32, &TermInfo)| Walker::open(field, info, *shift);
    let cursors: io::Result<Vec<Walker>> = ordered.iter().map(open).collect();
    intersect(cursors?, within, found);
    Ok(())
}

/// Reads a list from end to end, and the positions of a block in one go when one of its documents is asked for.
pub(crate) struct Walker {
    block: BlockSegmentPostings,
    reader: PositionReader,
    shift: u32,
    /// Index of the present document in the block.
    at: usize,
    /// Number of positions before the block; in it, where those of each of its documents begin, and the last end.
    before_block: u64,
    starts: [u32; 129],
    /// Steps between positions of the whole block, once one is needed.
    steps: Vec<u32>,
    is_read: bool,
}

impl Walker {
    pub(crate) fn open(field: &FieldPostings<'_>, info: &TermInfo, shift: u32) -> io::Result<Self> {
        let block = field
            .inverted
            .read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions)?;
        let positions = field.positions.slice(info.positions_range.clone()).read_bytes()?;
        let mut walker = Self {
            block,
            reader: PositionReader::open(positions)?,
            shift,
            at: 0,
            before_block: 0,
            starts: [0; 129],
            steps: Vec::new(),
            is_read: false,
        };
        walker.count();
        Ok(walker)
    }

    fn count(&mut self) {
        let mut sum = 0;
        for (end, frequency) in self.starts[1..].iter_mut().zip(self.block.freqs()) {
            sum += frequency;
            *end = sum;
        }
        self.at = 0;
        self.is_read = false;
    }

    fn next_block(&mut self) {
        self.before_block += u64::from(self.starts[self.block.docs().len()]);
        self.block.advance();
        self.count();
    }

    /// Goes to the document behind the present one.
    pub(crate) fn next(&mut self) -> u32 {
        self.at += 1;
        if self.at == self.block.docs().len() {
            self.next_block();
        }
        self.doc()
    }

    /// The steps between the positions in the present document; the first one is from zero, none is shifted.
    pub(crate) fn steps(&mut self) -> &[u32] {
        if !self.is_read {
            let count = self.starts[self.block.docs().len()] as usize;
            self.steps.resize(count, 0);
            self.reader.read(self.before_block, &mut self.steps);
            self.is_read = true;
        }
        &self.steps[self.starts[self.at] as usize..self.starts[self.at + 1] as usize]
    }
}

impl Cursor for Walker {
    fn doc(&self) -> u32 {
        self.block.docs().get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn seek(&mut self, target: u32) -> u32 {
        while self.block.docs().last().is_some_and(|last| *last < target) {
            self.next_block();
        }
        let rest = &self.block.docs()[self.at..];
        self.at += rest.iter().position(|doc| *doc >= target).unwrap_or(rest.len());
        self.doc()
    }

    fn positions(&mut self, out: &mut Vec<u32>) {
        let mut position = self.shift;
        out.clear();
        out.extend(self.steps().iter().map(|step| {
            position += step;
            position
        }));
    }
}

/// Keeps in `kept` what is also in `other`; both increase.
///
/// Most documents with common words do not hold them side by side: a table of 4,096 bits tells that without
/// comparing the lists, and what passes it is looked up.
fn keep_common(kept: &mut Vec<u32>, other: &[u32]) {
    let mut table = [0_u64; 64];
    for position in other {
        table[(position & 63) as usize] |= 1 << (position >> 6 & 63);
    }
    kept.retain(|position| {
        table[(position & 63) as usize] >> (position >> 6 & 63) & 1 == 1 && other.binary_search(position).is_ok()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_positions_are_kept() {
        let check = |kept: &[u32], other: &[u32], expected: &[u32]| {
            let mut kept = kept.to_vec();
            keep_common(&mut kept, other);
            assert_eq!(kept, expected);
        };
        check(&[], &[1], &[]);
        check(&[1, 5, 9], &[], &[]);
        check(&[1, 5, 9], &[0, 5, 6, 9, 12], &[5, 9]);
        check(&[1, 4097, 9000], &[4096 + 1, 1 + 2 * 4096], &[4097]);
    }
}
