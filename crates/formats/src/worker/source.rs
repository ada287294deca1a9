//! The bytes of a job: a range of an open descriptor, read by position.
//!
//! Not for: names of files, which a worker never learns. Main type: [`JobSource`]. Invariant: the offset of the descriptor is never used, because
//! the caller and other workers share it.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::source::ReadAt;

/// What a job reads. Copies are cheap and have places of their own.
#[derive(Clone, Debug)]
pub struct JobSource {
    fd: Arc<OwnedFd>,
    offset: u64,
    length: u64,
    place: u64,
}

impl JobSource {
    /// `length` bytes from `offset`; cut to what the file has.
    ///
    /// # Errors
    /// When the system does not say how long the file is.
    pub fn new(fd: OwnedFd, offset: u64, length: u64) -> io::Result<Self> {
        let stat = rustix::fs::fstat(&fd)?;
        let there = u64::try_from(stat.st_size).unwrap_or(0).saturating_sub(offset);
        Ok(Self {
            fd: Arc::new(fd),
            offset,
            length: length.min(there),
            place: 0,
        })
    }

    /// All of it in memory. The allocation is bounded by what is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let length = usize::try_from(self.length).map_err(io::Error::other)?;
        self.append_at(&mut out, 0, length)?;
        Ok(out)
    }
}

impl AsFd for JobSource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl ReadAt for JobSource {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.length.saturating_sub(offset);
        let count = buf.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        if count == 0 {
            return Ok(0);
        }
        Ok(rustix::io::pread(&*self.fd, &mut buf[..count], self.offset + offset)?)
    }

    fn len(&self) -> u64 {
        self.length
    }
}

impl Read for JobSource {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.read_at(buf, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for JobSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn source(bytes: &[u8], offset: u64, length: u64) -> JobSource {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        JobSource::new(file.into(), offset, length).expect("a source")
    }

    #[test]
    fn a_range_is_read_by_position_whatever_the_file_offset_is() {
        let mut one = source(b"0123456789", 2, 5);
        let mut two = one.clone();
        let mut text = String::new();
        one.read_to_string(&mut text).expect("reads");
        assert_eq!(text, "23456");
        assert_eq!(two.seek(SeekFrom::End(-2)).expect("seeks"), 3);
        text.clear();
        two.read_to_string(&mut text).expect("reads");
        assert_eq!(text, "56");
        assert!(two.seek(SeekFrom::Current(-20)).is_err());
        assert_eq!(two.to_vec().expect("reads"), b"23456");
    }

    #[test]
    fn a_range_beyond_the_end_is_cut_to_what_is_there() {
        assert_eq!(source(b"0123", 2, u64::MAX).to_vec().expect("reads"), b"23");
        assert_eq!(source(b"0123", 9, 5).len(), 0);
    }
}
