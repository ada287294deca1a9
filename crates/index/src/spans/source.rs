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
/// Most occurrences in a table, 8 bytes each, unless one document alone has more; few in tests, so that it is reached.
const TABLE_LIMIT: usize = if cfg!(test) { 16 } else { 4 << 20 };

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
        let room = if to - from > 1 { TABLE_LIMIT } else { usize::MAX };
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

    /// Goes to the occurrences of a document; false when it has none. Documents come in increasing order.
    fn seek(&mut self, doc: u32) -> bool {
        let first = u64::from(doc) << 32;
        let rest = &self.occurrences[self.at..];
        // Mostly they come close together.
        let mut step = 1;
        while rest.get(step).is_some_and(|one| *one < first) {
            step *= 2;
        }
        self.at += rest[..rest.len().min(step + 1)].partition_point(|one| *one < first);
        self.occurrences
            .get(self.at)
            .is_some_and(|one| *one >> 32 == u64::from(doc))
    }

    fn positions(&mut self, doc: u32, out: &mut Vec<u32>) {
        self.seek(doc);
        let own = self.occurrences[self.at..]
            .iter()
            .take_while(|one| **one >> 32 == u64::from(doc));
        out.extend(own.map(|one| *one as u32));
    }
}

impl Positions for PostingsSource {
    fn has(&mut self, leaf: usize) -> bool {
        match &mut self.leaves[leaf] {
            LeafSource::Table(table) => table.seek(self.doc),
            LeafSource::Cursors(cursors, _) => cursors.iter_mut().any(|cursor| cursor.seek(self.doc) == self.doc),
        }
    }

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

#[cfg(test)]
mod tests {
    use embley_model::field::Field;
    use embley_model::id::Ticket;
    use embley_model::item::ItemKind;

    use crate::analysis::Tokens;
    use crate::{IndexDoc, IndexStore, Node, Snapshot, SpanQuery, Want, WordPattern};

    #[test]
    fn tables_that_do_not_fit_are_read_in_ranges_and_find_the_same() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
        let mut builder = store.builder(1 << 20);
        let mut expected = Vec::new();
        for item in 0..400_u32 {
            let mut state = u64::from(item) + 1;
            let mut next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u32
            };
            let mut word = |_| match next() % 4 {
                0 => format!("w{}", next() % 40),
                1 => format!("v{}", next() % 40),
                _ => "x".to_owned(),
            };
            let words: Vec<String> = (0..item % 13).map(&mut word).collect();
            let pair = |pair: &[String]| pair[0].starts_with('w') && pair[1].starts_with('v');
            if words.windows(2).any(pair) {
                expected.push(item);
            }
            let mut tokens = Tokens::new();
            tokens.text(&words.join(" "));
            let mut doc = IndexDoc::new(item, ItemKind::Email);
            doc.texts.push((Field::Body, tokens));
            builder.add(&doc).expect("items are added in order");
        }
        let segment = builder
            .finish()
            .expect("the folder can be written")
            .into_iter()
            .collect();
        store.commit(segment, Ticket(1)).expect("the folder can be written");
        let snapshot = Snapshot::open(folder.path()).expect("an index");
        let pattern = |prefix| Box::new(SpanQuery::Pattern(WordPattern::prefix(prefix)));
        let node = Node::Spans {
            fields: vec![Field::Body],
            query: SpanQuery::Before {
                left: pattern("w"),
                right: pattern("v"),
                distance: 1,
            },
        };
        let want = Want { items: true, top: None };
        let found = snapshot.run(&node, want).expect("an index").items;
        assert!(expected.len() > 20 && expected.len() * 17 > super::TABLE_LIMIT);
        assert_eq!(found.iter().flatten().collect::<Vec<u32>>(), expected);
    }
}
