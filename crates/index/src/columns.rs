//! Reading a column from end to end.
//!
//! Nearly every item has a date, so nearly every stretch of documents has values without a gap and is read as
//! one; a gap is narrowed down by halves.

use std::ops::Range;

use tantivy::columnar::Column;

const CHUNK: u32 = 256;

/// Stretches with a gap that are this short are looked up one by one.
const SHORT: u32 = 8;

/// Calls `each` with every document below `doc_count` that has a value, increasing, and the value.
pub(crate) fn for_each_value(column: &Column<u64>, doc_count: u32, mut each: impl FnMut(u32, u64)) {
    let mut start = 0;
    while start < doc_count {
        let end = doc_count.min(start.saturating_add(CHUNK));
        read(column, start..end, &mut each);
        start = end;
    }
}

fn read(column: &Column<u64>, docs: Range<u32>, each: &mut impl FnMut(u32, u64)) {
    let rows = column.index.docid_range_to_rowids(docs.clone());
    if rows.is_empty() {
        return;
    }
    if rows.len() == docs.len() {
        let mut values = [0; CHUNK as usize];
        let values = &mut values[..rows.len()];
        column.values.get_range(u64::from(rows.start), values);
        docs.zip(values).for_each(|(doc, value)| each(doc, *value));
    } else if docs.len() as u32 <= SHORT {
        for doc in docs {
            if let Some(value) = column.first(doc) {
                each(doc, value);
            }
        }
    } else {
        let middle = docs.start + (docs.end - docs.start) / 2;
        read(column, docs.start..middle, each);
        read(column, middle..docs.end, each);
    }
}
