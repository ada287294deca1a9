//! The positional query: documents in which tokens stand at consecutive positions of one field.
//!
//! Reads postings directly. All positional forms go through [`for_each_match`], so that proximity has one
//! place to grow.

use std::io;

use tantivy::postings::{Postings, SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TERMINATED};

use crate::bits::DocBits;

/// One token of a phrase with its place in it.
struct Part {
    postings: SegmentPostings,
    place: u32,
    doc_count: u32,
}

/// Calls `found` with each document, in increasing order, in which the tokens stand one after the other,
/// and with the number of times they do. Only documents in `within` are looked at, if it is given.
pub(crate) fn for_each_match(
    inverted: &InvertedIndexReader,
    tokens: &[TermInfo],
    within: Option<&DocBits>,
    found: &mut dyn FnMut(u32, u32),
) -> io::Result<()> {
    let mut parts = Vec::with_capacity(tokens.len());
    for (place, info) in tokens.iter().enumerate() {
        parts.push(Part {
            postings: inverted.read_postings_from_terminfo(info, IndexRecordOption::WithFreqsAndPositions)?,
            place: place as u32,
            doc_count: info.doc_freq,
        });
    }
    parts.sort_by_key(|part| part.doc_count);
    let Some((lead, rest)) = parts.split_first_mut() else {
        return Ok(());
    };
    let last_place = tokens.len() as u32 - 1;
    let mut starts = Vec::new();
    let mut others = Vec::new();
    let mut doc = lead.postings.doc();
    'docs: while doc != TERMINATED {
        if within.is_some_and(|bits| !bits.contains(doc)) {
            doc = lead.postings.advance();
            continue;
        }
        for part in rest.iter_mut() {
            let there = seek(&mut part.postings, doc);
            if there != doc {
                doc = seek(&mut lead.postings, there);
                continue 'docs;
            }
        }
        // With the offset, the positions of all tokens of one occurrence are the same number.
        lead.postings
            .positions_with_offset(last_place - lead.place, &mut starts);
        for part in rest.iter_mut() {
            part.postings
                .positions_with_offset(last_place - part.place, &mut others);
            keep_common(&mut starts, &others);
            if starts.is_empty() {
                break;
            }
        }
        if !starts.is_empty() {
            found(doc, starts.len() as u32);
        }
        doc = lead.postings.advance();
    }
    Ok(())
}

fn seek(postings: &mut SegmentPostings, doc: u32) -> u32 {
    if postings.doc() < doc {
        postings.seek(doc)
    } else {
        postings.doc()
    }
}

/// Keeps in `kept` what is also in `other`; both increase.
fn keep_common(kept: &mut Vec<u32>, other: &[u32]) {
    let mut at = 0;
    kept.retain(|position| {
        while at < other.len() && other[at] < *position {
            at += 1;
        }
        other.get(at) == Some(position)
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
    }
}
