//! Positions of a query's leaves from the postings of one field of one segment.
//!
//! The documents that hold the needed words are known when this is asked. A leaf of few tokens is read with a cursor a token. A leaf of
//! many tokens (a pattern can stand for any number) is read token by token into a sorted table of occurrences; when a table grows
//! beyond [`TABLE_LIMIT`], the documents are taken in smaller ranges, so that memory does not grow with the number of tokens.

use std::io;

use tantivy::postings::{Postings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, TERMINATED};

use super::matcher::{Matcher, Positions};
use crate::bits::DocBits;
use crate::positional::{Cursor, FieldPostings, Leaper, WALK_FACTOR, Walker};

/// Leaves of at most this many tokens are read with a cursor each.
const CURSORS: usize = 8;
/// Most occurrences in a table, 8 bytes each, unless one document alone has more.
const TABLE_LIMIT: usize = 4 << 20;

/// The tokens of one leaf in this segment.
pub(crate) type LeafPostings = Vec<TermInfo>;

/// Calls `found` with each document of `candidates` that matches, in increasing order.
pub(crate) fn for_each_doc(
    field: &FieldPostings<'_>,
    leaves: &[LeafPostings],
    candidates: &DocBits,
    limit: u32,
    matcher: &mut Matcher<'_>,
    found: &mut dyn FnMut(u32),
) -> io::Result<()> {
    for_each_doc_in(field, leaves, candidates, limit, TABLE_LIMIT, matcher, found)
}

fn for_each_doc_in(
    field: &FieldPostings<'_>,
    leaves: &[LeafPostings],
    candidates: &DocBits,
    limit: u32,
    table_limit: usize,
    matcher: &mut Matcher<'_>,
    found: &mut dyn FnMut(u32),
) -> io::Result<()> {
    let count = candidates.count();
    let mut source = PostingsSource {
        doc: 0,
        leaves: Vec::with_capacity(leaves.len()),
    };
    for infos in leaves {
        source.leaves.push(if infos.len() <= CURSORS {
            let open = |info: &TermInfo| open(field, info, count);
            LeafSource::Cursors(infos.iter().map(open).collect::<io::Result<_>>()?, Vec::new())
        } else {
            LeafSource::Table(Table::default())
        });
    }
    let mut ranges = vec![(0, limit)];
    while let Some((from, to)) = ranges.pop() {
        if candidates.next_from(from).is_none_or(|doc| doc >= to) {
            continue;
        }
        let room = if to - from > 1 { table_limit } else { usize::MAX };
        if !source.fill_tables(field, leaves, candidates, (from, to), room)? {
            let middle = from + (to - from) / 2;
            ranges.push((middle, to));
            ranges.push((from, middle));
            continue;
        }
        let mut next = candidates.next_from(from);
        while let Some(doc) = next.filter(|doc| *doc < to) {
            source.doc = doc;
            matcher.next_document();
            if matcher.matches(&mut source) {
                found(doc);
            }
            next = candidates.next_from(doc + 1);
        }
    }
    Ok(())
}

fn open(field: &FieldPostings<'_>, info: &TermInfo, candidate_count: u32) -> io::Result<Box<dyn Cursor>> {
    if info.doc_freq / WALK_FACTOR <= candidate_count {
        Ok(Box::new(Walker::open(field, info, 0)?))
    } else {
        Ok(Box::new(Leaper::open(field, info, 0)?))
    }
}

struct PostingsSource {
    doc: u32,
    leaves: Vec<LeafSource>,
}

enum LeafSource {
    /// With a buffer for the positions of one token.
    Cursors(Vec<Box<dyn Cursor>>, Vec<u32>),
    Table(Table),
}

/// Occurrences, document before position, sorted.
#[derive(Default)]
struct Table {
    occurrences: Vec<u64>,
    at: usize,
}

impl PostingsSource {
    /// False when a table would hold more than `room`.
    fn fill_tables(
        &mut self,
        field: &FieldPostings<'_>,
        leaves: &[LeafPostings],
        candidates: &DocBits,
        range: (u32, u32),
        room: usize,
    ) -> io::Result<bool> {
        for (source, infos) in self.leaves.iter_mut().zip(leaves) {
            if let LeafSource::Table(table) = source
                && !table.fill(field, infos, candidates, range, room)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Table {
    fn fill(
        &mut self,
        field: &FieldPostings<'_>,
        infos: &[TermInfo],
        candidates: &DocBits,
        (from, to): (u32, u32),
        room: usize,
    ) -> io::Result<bool> {
        self.occurrences.clear();
        self.at = 0;
        let mut positions = Vec::new();
        for info in infos {
            let option = IndexRecordOption::WithFreqsAndPositions;
            let mut postings = field.inverted.read_postings_from_terminfo(info, option)?;
            let mut doc = if postings.doc() < from {
                postings.seek(from)
            } else {
                postings.doc()
            };
            while doc < to && doc != TERMINATED {
                if !candidates.contains(doc) {
                    let Some(next) = candidates.next_from(doc) else { break };
                    doc = postings.seek(next);
                    continue;
                }
                postings.positions_with_offset(0, &mut positions);
                if self.occurrences.len() + positions.len() > room {
                    return Ok(false);
                }
                let document = u64::from(doc) << 32;
                self.occurrences
                    .extend(positions.iter().map(|at| document | u64::from(*at)));
                doc = postings.advance();
            }
        }
        self.occurrences.sort_unstable();
        self.occurrences.dedup();
        Ok(true)
    }

    fn positions(&mut self, doc: u32, out: &mut Vec<u32>) {
        let first = u64::from(doc) << 32;
        let rest = &self.occurrences[self.at..];
        // Documents come in increasing order and mostly close together.
        let mut step = 1;
        while rest.get(step).is_some_and(|one| *one < first) {
            step *= 2;
        }
        self.at += rest[..rest.len().min(step + 1)].partition_point(|one| *one < first);
        let own = self.occurrences[self.at..]
            .iter()
            .take_while(|one| **one >> 32 == u64::from(doc));
        out.extend(own.map(|one| *one as u32));
    }
}

impl Positions for PostingsSource {
    fn positions(&mut self, leaf: usize, out: &mut Vec<u32>) {
        out.clear();
        match &mut self.leaves[leaf] {
            LeafSource::Table(table) => table.positions(self.doc, out),
            LeafSource::Cursors(cursors, buffer) => {
                let mut readers = 0;
                for cursor in cursors {
                    if cursor.seek(self.doc) == self.doc {
                        readers += 1;
                        if readers == 1 {
                            cursor.positions(out);
                        } else {
                            cursor.positions(buffer);
                            out.append(buffer);
                        }
                    }
                }
                if readers > 1 {
                    out.sort_unstable();
                }
                // A word from a character that stands for several, or an address, can stand twice at a place.
                out.dedup();
            }
        }
    }
}
