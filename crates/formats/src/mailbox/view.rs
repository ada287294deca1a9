//! A window over a source: the bytes that are held, by their file offsets.
//!
//! Not for: deciding anything. Invariant: `bytes` are the file's from `base` on; the length is the one the source had
//! when it was opened, and a source that ends earlier is an error.

use std::ops::Range;

use memchr::memmem::{Finder, FinderRev};

use crate::FormatError;
use crate::source::ReadAt;

/// Bytes read for a look that is not kept.
const PIECE: usize = 256 * 1024;
/// Bytes by which a full window grows.
const STEP: usize = 512 * 1024;

pub(super) struct View<R> {
    source: R,
    len: u64,
    base: u64,
    bytes: Vec<u8>,
}

impl<R: ReadAt> View<R> {
    pub(super) fn new(source: R) -> Self {
        let len = source.len();
        Self {
            source,
            len,
            base: 0,
            bytes: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// File offset of the first byte that is not held.
    pub(super) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    pub(super) fn source(&self) -> &R {
        &self.source
    }

    /// Holds nothing, and goes on at `offset`.
    pub(super) fn restart(&mut self, offset: u64, capacity: usize) {
        if (self.base..=self.end()).contains(&offset) {
            self.forget_before(offset);
        } else {
            self.bytes.clear();
            self.base = offset;
        }
        self.bytes.reserve_exact(capacity.saturating_sub(self.bytes.len()));
    }

    /// Holds nothing, gives the memory back, and goes on at `offset` with a small window.
    pub(super) fn renew(&mut self, offset: u64) {
        self.bytes = Vec::with_capacity(STEP);
        self.base = offset;
    }

    /// Drops what lies before `offset`, which must not be beyond the end of what is held.
    pub(super) fn forget_before(&mut self, offset: u64) {
        let count = self.index(offset);
        self.bytes.drain(..count);
        self.base += count as u64;
    }

    /// Drops what lies behind the first `most` bytes.
    pub(super) fn keep_first(&mut self, most: usize) {
        self.bytes.truncate(most);
    }

    /// Gives away what lies before `offset`, and holds the rest in a new window of `capacity` bytes.
    pub(super) fn hand_out(&mut self, offset: u64, capacity: usize) -> Vec<u8> {
        let count = self.index(offset);
        let rest = &self.bytes[count..];
        let rest = &rest[..rest.len().min(capacity)];
        let mut next = Vec::with_capacity(capacity);
        next.extend_from_slice(rest);
        let mut given = std::mem::replace(&mut self.bytes, next);
        given.truncate(count);
        self.base = offset;
        given
    }

    /// Holds everything up to `offset`, or up to the end of the file.
    pub(super) fn load_to(&mut self, offset: u64) -> Result<(), FormatError> {
        let wanted = offset.min(self.len);
        while self.end() < wanted {
            let spare = self.bytes.capacity() - self.bytes.len();
            let missing = usize::try_from(wanted - self.end()).unwrap_or(usize::MAX);
            let more = STEP.max(missing).max(self.bytes.len() / 2).min(8 * STEP);
            let length = if spare >= 4096 { spare } else { more };
            let rest = usize::try_from(self.len - self.end()).unwrap_or(usize::MAX);
            let at = self.end();
            let length = length.min(rest);
            match self.source.append_at(&mut self.bytes, at, length) {
                Ok(0) => return Err(self.shrunk(at)),
                Ok(_) => {}
                // What was read ahead without need may be asked for again, or never.
                Err(_) if self.end() >= wanted => {}
                Err(error) => {
                    let length = usize::try_from(wanted - self.end()).unwrap_or(usize::MAX);
                    return Err(self.failed(self.end(), length, error));
                }
            }
        }
        Ok(())
    }

    /// True when the byte at `offset` can be read.
    pub(super) fn is_readable(&self, offset: u64) -> bool {
        self.source.read_at(&mut [0], offset).is_ok_and(|count| count == 1)
    }

    /// The held bytes from `offset` on.
    pub(super) fn from(&self, offset: u64) -> &[u8] {
        &self.bytes[self.index(offset)..]
    }

    /// The held bytes of a range.
    pub(super) fn slice(&self, range: Range<u64>) -> &[u8] {
        &self.bytes[self.index(range.start)..self.index(range.end)]
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base))
            .unwrap_or(usize::MAX)
            .min(self.bytes.len())
    }

    /// Reads a range whether it is held or not.
    pub(super) fn read(&self, range: Range<u64>) -> Result<Vec<u8>, FormatError> {
        let range = range.start..range.end.min(self.len);
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        if range.start >= self.base && range.end <= self.end() {
            return Ok(self.slice(range).to_vec());
        }
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        match self.source.append_at(&mut out, range.start, length) {
            Ok(count) if count == length => Ok(out),
            Ok(count) => Err(self.shrunk(range.start + count as u64)),
            Err(error) => Err(self.failed(range.start + out.len() as u64, length - out.len(), error)),
        }
    }

    /// The first place of `needle` in a range, held or not.
    pub(super) fn find(&self, needle: &[u8], range: Range<u64>) -> Result<Option<u64>, FormatError> {
        let finder = Finder::new(needle);
        let overlap = needle.len().saturating_sub(1) as u64;
        let mut at = range.start;
        while at < range.end {
            let end = (at + PIECE as u64).min(range.end);
            let piece = self.read(at..end)?;
            if let Some(found) = finder.find(&piece) {
                return Ok(Some(at + found as u64));
            }
            if end >= range.end || end - at <= overlap {
                break;
            }
            at = end - overlap;
        }
        Ok(None)
    }

    /// The last place of `needle` in a range, held or not.
    pub(super) fn rfind(&self, needle: &[u8], range: Range<u64>) -> Result<Option<u64>, FormatError> {
        let finder = FinderRev::new(needle);
        if range.start >= self.base && range.end <= self.end() {
            return Ok(finder
                .rfind(self.slice(range.clone()))
                .map(|found| range.start + found as u64));
        }
        let overlap = needle.len().saturating_sub(1) as u64;
        let mut end = range.end;
        while end > range.start {
            let at = end.saturating_sub(PIECE as u64).max(range.start);
            let piece = self.read(at..end)?;
            if let Some(found) = finder.rfind(&piece) {
                return Ok(Some(at + found as u64));
            }
            if at == range.start || end - at <= overlap {
                break;
            }
            end = at + overlap;
        }
        Ok(None)
    }

    fn shrunk(&self, offset: u64) -> FormatError {
        FormatError::Shrunk {
            path: self.source.path().to_path_buf(),
            offset,
            length: self.len,
        }
    }

    fn failed(&self, offset: u64, length: usize, error: std::io::Error) -> FormatError {
        FormatError::read_failed(self.source.path().to_path_buf(), offset, length, error)
    }
}
