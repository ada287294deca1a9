//! The central directory: where it is, and what it lists.
//!
//! Not for: entries that it does not list (`salvage`). Main function: [`read`]. Invariant: memory grows with the bytes that are there, not with counts; the
//! number of entries held is bounded by the limit of members.
//!
//! Source: APPNOTE 4.3.12 to 4.3.16.

use std::io::{self, BufReader, Read, SeekFrom};

use embley_model::defect::{Defect, DefectCode};
use memchr::memmem;

use super::entry::{CENTRAL, Entry, LOCAL, u16_at, u32_at, u64_at};
use crate::archive::ReadSeek;

const END: &[u8; 4] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR64: &[u8; 4] = b"PK\x06\x07";
/// How far from the end its mark is looked for: the longest comment, and as much again of bytes that somebody put behind.
const TAIL_BYTES: u64 = 1 << 20;

/// What the directory lists.
#[derive(Default)]
pub(super) struct Directory {
    pub(super) entries: Vec<Entry>,
    /// Entries beyond those, by the directory's own count or more.
    pub(super) more: u64,
    /// Where it begins and where the end record ends.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) this_disk: u32,
    pub(super) defects: Vec<Defect>,
    /// It is there and could be read to its end.
    pub(super) whole: bool,
}

/// Numbers of the end record.
struct End {
    at: u64,
    /// Where the directory must end: before the end record, or its 64-bit form.
    directory_end: u64,
    this_disk: u32,
    directory_disk: u32,
    count: u64,
    bytes: u64,
    offset: u64,
}

/// Reads the directory; `None` when there is none.
///
/// # Errors
/// Errors of the source.
pub(super) fn read(source: &mut dyn ReadSeek, length: u64, max_entries: u64) -> io::Result<Option<Directory>> {
    let mut directory = Directory::default();
    let Some(end) = find_end(source, length, &mut directory)? else {
        return Ok(None);
    };
    directory.this_disk = end.this_disk;
    let (start, base) = if end.this_disk == end.directory_disk {
        locate(source, &end)?
    } else {
        directory.defects.push(Defect::new(
            DefectCode::ArchiveSplit,
            "the directory begins in another part",
        ));
        (None, 0)
    };
    let Some(start) = start else {
        if end.count > 0 || end.bytes > 0 {
            return Ok(None);
        }
        directory.start = end.at;
        directory.whole = true;
        return Ok(Some(directory));
    };
    directory.start = start;
    source.seek(SeekFrom::Start(start))?;
    let there = end.directory_end.saturating_sub(start);
    let mut input = BufReader::with_capacity(64 << 10, source).take(there);
    let mut listed = 0_u64;
    loop {
        let before = input.limit();
        match next(&mut input)? {
            Some(mut entry) => {
                listed += 1;
                if directory.entries.len() as u64 >= max_entries {
                    directory.more += 1;
                    continue;
                }
                entry.offset = entry.offset.saturating_add(base);
                directory.entries.push(entry);
            }
            None => {
                directory.whole = before == 0 || listed >= end.count;
                break;
            }
        }
    }
    // Counts of 16 bits wrap in archives of programs that do not know the 64-bit form.
    if listed != end.count && (end.count > 0xffff || listed % 0x1_0000 != end.count) {
        let text = format!("the directory states {} entries and lists {listed}", end.count);
        directory
            .defects
            .push(Defect::new(DefectCode::ArchiveStructure, text).at(start..end.directory_end));
    }
    if base > 0 {
        let text = format!("{base} bytes stand before the archive, as in one that unpacks itself");
        directory
            .defects
            .push(Defect::new(DefectCode::ArchiveExtraBytes, text).at(0..base));
    }
    Ok(Some(directory))
}

/// The next entry; `None` at the end or at the first bytes that are none.
fn next(input: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut fixed = [0; 46];
    if !fill(input, &mut fixed)? || fixed[..4] != *CENTRAL {
        return Ok(None);
    }
    let lengths = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at)));
    let mut rest = vec![0; lengths.iter().sum()];
    if !fill(input, &mut rest)? {
        return Ok(None);
    }
    let name = rest[..lengths[0]].to_vec();
    let extra = rest[lengths[0]..lengths[0] + lengths[1]].to_vec();
    Ok(Some(Entry::central(&fixed, name, extra)))
}

/// Reads exactly so many bytes; false when fewer are there.
pub(super) fn fill(input: &mut impl Read, buf: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buf) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes at a place, as many as are there.
pub(super) fn bytes_at(source: &mut dyn ReadSeek, at: u64, count: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut out = Vec::new();
    source.take(count).read_to_end(&mut out)?;
    Ok(out)
}

/// Looks for the end record backwards. One whose comment ends with the file is believed first.
fn find_end(source: &mut dyn ReadSeek, length: u64, directory: &mut Directory) -> io::Result<Option<End>> {
    let tail_start = length.saturating_sub(TAIL_BYTES);
    let tail = bytes_at(source, tail_start, TAIL_BYTES)?;
    let candidates: Vec<usize> = memmem::rfind_iter(&tail, END)
        .filter(|at| at + END_BYTES <= tail.len())
        .take(1_000)
        .collect();
    let ends_at = |at: usize| at + END_BYTES + usize::from(u16_at(&tail, at + 20));
    let Some(at) = candidates
        .iter()
        .copied()
        .find(|at| ends_at(*at) == tail.len())
        .or_else(|| candidates.first().copied())
    else {
        return Ok(None);
    };
    let place = tail_start + at as u64;
    let stated_end = tail_start + ends_at(at) as u64;
    directory.end = stated_end.min(length);
    if stated_end < length {
        let text = format!("{} bytes stand behind the archive", length - stated_end);
        directory
            .defects
            .push(Defect::new(DefectCode::ArchiveExtraBytes, text).at(stated_end..length));
    } else if stated_end > length {
        directory.defects.push(Defect::new(
            DefectCode::ArchiveTruncated,
            "the comment at the end is cut",
        ));
    }
    let mut end = End {
        at: place,
        directory_end: place,
        this_disk: u16_at(&tail, at + 4).into(),
        directory_disk: u16_at(&tail, at + 6).into(),
        count: u16_at(&tail, at + 10).into(),
        bytes: u32_at(&tail, at + 12).into(),
        offset: u32_at(&tail, at + 16).into(),
    };
    end64(source, &mut end)?;
    Ok(Some(end))
}

/// Numbers that do not fit stand in a record of their own, found by its locator.
fn end64(source: &mut dyn ReadSeek, end: &mut End) -> io::Result<()> {
    let Some(locator_at) = end.at.checked_sub(20) else {
        return Ok(());
    };
    let locator = bytes_at(source, locator_at, 20)?;
    if !locator.starts_with(LOCATOR64) {
        return Ok(());
    }
    // Where it says, or directly before the locator when bytes were put before the archive.
    let places = [Some(u64_at(&locator, 8)), locator_at.checked_sub(56)];
    for place in places.into_iter().flatten() {
        let record = bytes_at(source, place, 56)?;
        if record.len() < 56 || !record.starts_with(END64) {
            continue;
        }
        end.directory_end = place;
        end.this_disk = u32_at(&record, 16);
        end.directory_disk = u32_at(&record, 20);
        end.count = u64_at(&record, 32);
        end.bytes = u64_at(&record, 40);
        end.offset = u64_at(&record, 48);
        return Ok(());
    }
    Ok(())
}

/// Where the directory begins, and by how much all offsets are shifted.
fn locate(source: &mut dyn ReadSeek, end: &End) -> io::Result<(Option<u64>, u64)> {
    let by_size = end.directory_end.checked_sub(end.bytes);
    let mut start = None;
    for place in by_size.into_iter().chain([end.offset]) {
        if place < end.directory_end && bytes_at(source, place, 4)?.as_slice() == CENTRAL {
            start = Some(place);
            break;
        }
    }
    let Some(start) = start else {
        return Ok((None, 0));
    };
    let shift = start.saturating_sub(end.offset);
    if shift == 0 {
        return Ok((Some(start), 0));
    }
    // Bytes between entries and directory look like bytes before the archive: the first entry tells.
    let first = u64::from(u32_at(&bytes_at(source, start, 46)?, 42));
    let shifted = first < u64::from(u32::MAX) && !is_local(source, first.saturating_add(shift))?;
    let base = if shifted && is_local(source, first)? { 0 } else { shift };
    Ok((Some(start), base))
}

/// True when a local header stands there.
pub(super) fn is_local(source: &mut dyn ReadSeek, at: u64) -> io::Result<bool> {
    Ok(bytes_at(source, at, 4)?.as_slice() == LOCAL)
}
