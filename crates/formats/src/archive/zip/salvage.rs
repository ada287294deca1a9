//! Entries that no directory lists, found by their own headers.
//!
//! Not for: repairing them. Main function: [`walk`]. Invariant: looks at each byte of the range a bounded number of times.

use std::io;
use std::ops::Range;

use memchr::memmem;

use super::directory::bytes_at;
use super::entry::{CENTRAL, DESCRIPTOR, Entry, LOCAL, LOCAL_BYTES, u16_at, u32_at, u64_at};
use crate::archive::ReadSeek;

/// Bytes looked at in one go: few at first, because the next mark is mostly near.
const FIRST_CHUNK_BYTES: u64 = 4 << 10;
const CHUNK_BYTES: u64 = 1 << 20;
/// Marks looked at in one container to find where entries of unknown size end. After that such entries end at the next header.
const MAX_MARKS: u64 = 1_000_000;

/// An entry and where its bytes lie.
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) data: Range<u64>,
    /// Where to look on.
    pub(super) next: u64,
}

/// Looks for entries in a range of the file, in order. `found` is called for each; it ends the walk by `false`.
///
/// # Errors
/// Errors of the source, and those of `found`.
pub(super) fn walk(
    source: &mut dyn ReadSeek,
    range: Range<u64>,
    found: &mut dyn FnMut(&mut dyn ReadSeek, Found) -> io::Result<bool>,
) -> io::Result<()> {
    let mut at = range.start;
    let mut marks = MAX_MARKS;
    while let Some(place) = find(source, at..range.end, &[LOCAL])? {
        match header(source, place, range.end, &mut marks)? {
            Some(one) => {
                at = one.next.max(place + 4);
                if !found(source, one)? {
                    return Ok(());
                }
            }
            None => at = place + 4,
        }
    }
    Ok(())
}

/// The first of some marks in a range.
fn find(source: &mut dyn ReadSeek, range: Range<u64>, marks: &[&[u8; 4]]) -> io::Result<Option<u64>> {
    let mut at = range.start;
    let mut size = FIRST_CHUNK_BYTES;
    while at < range.end {
        let count = size.min(range.end - at);
        size = (size * 4).min(CHUNK_BYTES);
        let chunk = bytes_at(source, at, count)?;
        let first = memmem::find_iter(&chunk, b"PK").find(|place| {
            chunk
                .get(*place..*place + 4)
                .is_some_and(|four| marks.iter().any(|mark| four == mark.as_slice()))
        });
        if let Some(first) = first {
            return Ok(Some(at + first as u64));
        }
        if (chunk.len() as u64) < count || at + count >= range.end {
            return Ok(None);
        }
        // A mark may lie across the border.
        at += count - 3;
    }
    Ok(None)
}

/// Reads a local header that looks like one.
fn header(source: &mut dyn ReadSeek, at: u64, end: u64, marks: &mut u64) -> io::Result<Option<Found>> {
    let fixed = bytes_at(source, at, LOCAL_BYTES)?;
    let Some(fixed) = fixed.first_chunk::<30>() else {
        return Ok(None);
    };
    let (name_bytes, extra_bytes) = (usize::from(u16_at(fixed, 26)), usize::from(u16_at(fixed, 28)));
    let (version, method) = (u16_at(fixed, 4) & 0xff, u16_at(fixed, 8));
    if version > 63 || method > 99 || name_bytes == 0 {
        return Ok(None);
    }
    let rest = bytes_at(source, at + LOCAL_BYTES, (name_bytes + extra_bytes) as u64)?;
    if rest.len() < name_bytes + extra_bytes {
        return Ok(None);
    }
    let data_start = LOCAL_BYTES + rest.len() as u64;
    let (name, extra) = (rest[..name_bytes].to_vec(), rest[name_bytes..].to_vec());
    let mut entry = Entry::local(fixed, name, extra, at);
    let start = at + data_start;
    if start > end {
        return Ok(None);
    }
    if !entry.sizes_unknown {
        let stop = start.saturating_add(entry.packed_bytes);
        return Ok(Some(Found {
            entry,
            data: start..stop.min(end),
            next: stop.min(end),
        }));
    }
    let (stop, next) = end_of_data(source, start..end, &mut entry, marks)?;
    Ok(Some(Found {
        entry,
        data: start..stop,
        next,
    }))
}

/// Where data of unknown size end: at a descriptor that states the distance, else at the next header (4.3.9). Gives the end of the data, and where to
/// look on; fills in what the descriptor says.
fn end_of_data(
    source: &mut dyn ReadSeek,
    range: Range<u64>,
    entry: &mut Entry,
    marks: &mut u64,
) -> io::Result<(u64, u64)> {
    let Range { start, end } = range;
    let mut first_header = None;
    let mut at = start;
    while *marks > 0 || first_header.is_none() {
        *marks = marks.saturating_sub(1);
        let Some(place) = find(source, at..end, &[DESCRIPTOR, LOCAL, CENTRAL])? else {
            break;
        };
        at = place + 4;
        let around_start = place.saturating_sub(20).max(start);
        let around = bytes_at(source, around_start, place - around_start + 24)?;
        let before = usize::try_from(place - around_start).unwrap_or(0);
        if around.get(before..before + 4) == Some(DESCRIPTOR.as_slice()) {
            let distance = place - start;
            let body = &around[before + 4..];
            if body.len() >= 20 && u64_at(body, 4) == distance {
                return Ok(take(entry, distance, u64_at(body, 12), u32_at(body, 0), place, 24));
            }
            if body.len() >= 12 && u64::from(u32_at(body, 4)) == distance {
                let plain = u64::from(u32_at(body, 8));
                return Ok(take(entry, distance, plain, u32_at(body, 0), place, 16));
            }
            continue;
        }
        // A descriptor may stand there without its mark.
        for (bytes, wide) in [(12_usize, false), (20, true)] {
            let Some(body) = before.checked_sub(bytes).and_then(|from| around.get(from..before)) else {
                continue;
            };
            let Some(distance) = (place - start).checked_sub(bytes as u64) else {
                continue;
            };
            let (packed, plain) = if wide {
                (u64_at(body, 4), u64_at(body, 12))
            } else {
                (u32_at(body, 4).into(), u32_at(body, 8).into())
            };
            if packed == distance && (packed > 0 || plain == 0) {
                let crc = u32_at(body, 0);
                return Ok(take(entry, distance, plain, crc, place - bytes as u64, bytes as u64));
            }
        }
        first_header.get_or_insert(place);
    }
    let stop = first_header.unwrap_or(end);
    entry.packed_bytes = stop - start;
    Ok((stop, stop))
}

fn take(entry: &mut Entry, packed: u64, plain: u64, crc: u32, at: u64, bytes: u64) -> (u64, u64) {
    entry.packed_bytes = packed;
    entry.plain_bytes = plain;
    // The check byte of the old encryption stays that of the time: the bit is kept (6.1.6).
    entry.crc = crc;
    entry.sizes_unknown = false;
    (at, at.saturating_add(bytes))
}
