//! Sources of bytes: a file opened read-only and read by position, and the trait that readers of large things take.
//!
//! Not for: writing, mapping (a map of a failing disk kills the process), guessing types. Main type: [`SourceFile`].
//! Invariant: nothing here can change a source. `O_NOATIME` is tried first, so that looking leaves no trace where the
//! system allows that (the owner of the file, or a capable process).

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};

use crate::FormatError;

/// Size, time and number of a file, as the system gave them: what tells an unchanged file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileStat {
    /// Bytes.
    pub size: u64,
    /// Last change of the content, nanoseconds since 1970-01-01 UTC; saturates far outside the years 1678 to 2262.
    pub mtime_nanos: i64,
    /// Inode number.
    pub inode: u64,
}

impl FileStat {
    pub(crate) fn of(stat: &rustix::fs::Stat) -> Self {
        #[expect(clippy::unnecessary_cast, reason = "the field types differ between platforms")]
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_nanos: (stat.st_mtime as i64)
                .saturating_mul(1_000_000_000)
                .saturating_add(stat.st_mtime_nsec as i64),
            inode: stat.st_ino as u64,
        }
    }
}

/// Bytes that can be read by position.
pub trait ReadAt {
    /// Reads up to `buf.len()` bytes at `offset` and returns how many; 0 only at or beyond the end.
    ///
    /// # Errors
    /// What the system says. `buf` may then hold anything.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Length in bytes, fixed when the source was opened.
    fn len(&self) -> u64;

    /// True when there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends up to `length` bytes from `offset` to `out`; returns how many, fewer only at the end.
    ///
    /// # Errors
    /// What the system says; `out` then holds what was read before.
    fn append_at(&self, out: &mut Vec<u8>, offset: u64, length: usize) -> io::Result<usize> {
        let start = out.len();
        out.resize(start + length, 0);
        let mut done = 0;
        while done < length {
            match self.read_at(&mut out[start + done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    out.truncate(start + done);
                    return Err(error);
                }
            }
        }
        out.truncate(start + done);
        Ok(done)
    }

    /// A name for messages; empty when there is none.
    fn path(&self) -> &Path {
        Path::new("")
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| self.get(at..))
            .unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn append_at(&self, out: &mut Vec<u8>, offset: u64, length: usize) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| self.get(at..))
            .unwrap_or(&[]);
        let count = rest.len().min(length);
        out.extend_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// A regular file, opened read-only.
#[derive(Debug)]
pub struct SourceFile {
    fd: OwnedFd,
    path: PathBuf,
    stat: FileStat,
}

impl SourceFile {
    /// Opens `path` (links are followed) for reading by position.
    ///
    /// # Errors
    /// [`FormatError::Open`] when the system refuses, [`FormatError::NotAFile`] when it is a folder, pipe or device.
    pub fn open(path: &Path) -> Result<Self, FormatError> {
        // Non-blocking, so that a pipe put in the place of a file cannot stop the run; it means nothing for files.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let failed = |source: rustix::io::Errno| FormatError::Open {
            path: path.to_path_buf(),
            source: source.into(),
        };
        let fd = match rustix::fs::open(path, flags | OFlags::NOATIME, Mode::empty()) {
            Err(rustix::io::Errno::PERM) => rustix::fs::open(path, flags, Mode::empty()),
            other => other,
        }
        .map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(FormatError::NotAFile {
                path: path.to_path_buf(),
            });
        }
        Ok(Self {
            fd,
            path: path.to_path_buf(),
            stat: FileStat::of(&stat),
        })
    }

    /// Bytes it had when it was opened.
    pub fn len(&self) -> u64 {
        self.stat.size
    }

    /// True when it had no bytes.
    pub fn is_empty(&self) -> bool {
        self.stat.size == 0
    }

    /// What the system said of it when it was opened.
    pub fn stat(&self) -> FileStat {
        self.stat
    }

    /// What the system says of it now: when that differs from [`SourceFile::stat`], it changed while it was read.
    ///
    /// # Errors
    /// [`FormatError::Open`] when the system refuses.
    pub fn stat_now(&self) -> Result<FileStat, FormatError> {
        match rustix::fs::fstat(&self.fd) {
            Ok(stat) => Ok(FileStat::of(&stat)),
            Err(source) => Err(FormatError::Open {
                path: self.path.clone(),
                source: source.into(),
            }),
        }
    }

    /// Fills `buf` from `offset`.
    ///
    /// # Errors
    /// [`FormatError::Read`] when the system refuses, [`FormatError::Shrunk`] when the file ends before `buf` is full.
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<(), FormatError> {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            match ReadAt::read_at(self, &mut buf[done..], at) {
                Ok(0) => {
                    return Err(FormatError::Shrunk {
                        path: self.path.clone(),
                        offset: at,
                        length: self.stat.size,
                    });
                }
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(FormatError::read_failed(self.path.clone(), at, buf.len() - done, error));
                }
            }
        }
        Ok(())
    }

    /// Returns up to `length` bytes from `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// [`FormatError::Read`] when the system refuses.
    pub fn read_at_most(&self, offset: u64, length: usize) -> Result<Vec<u8>, FormatError> {
        let rest = usize::try_from(self.stat.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        match self.append_at(&mut out, offset, length.min(rest)) {
            Ok(_) => Ok(out),
            Err(error) => {
                let at = offset + out.len() as u64;
                let wanted = length.min(rest) - out.len();
                Err(FormatError::read_failed(self.path.clone(), at, wanted, error))
            }
        }
    }
}

impl ReadAt for SourceFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::pread(&self.fd, buf, offset)?)
    }

    fn len(&self) -> u64 {
        self.stat.size
    }

    fn append_at(&self, out: &mut Vec<u8>, offset: u64, length: usize) -> io::Result<usize> {
        // Reads into memory that was not cleared first: clearing would cost a fifth of the copy. The system may fill
        // all of the capacity; what was not asked for is cut off again.
        if length == 0 {
            return Ok(0);
        }
        out.reserve_exact(length);
        let start = out.len();
        while out.len() < start + length {
            let at = offset + (out.len() - start) as u64;
            match rustix::io::pread(&self.fd, rustix::buffer::spare_capacity(out), at) {
                Ok(0) => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        out.truncate(start + length);
        Ok(out.len() - start)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make their own evidence in temporary folders"
)]
mod tests {
    use super::*;

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("source");
        std::fs::write(&path, bytes).expect("a file");
        (dir, path)
    }

    #[test]
    fn reads_by_position_and_says_when_the_file_ended() {
        let (_dir, path) = file_with(b"0123456789");
        let file = SourceFile::open(&path).expect("opens");
        assert_eq!((file.len(), file.stat().size), (10, 10));
        let mut buf = [0; 4];
        file.read_exact_at(&mut buf, 3).expect("reads");
        assert_eq!(&buf, b"3456");
        assert_eq!(file.read_at_most(8, 100).expect("reads"), b"89");
        assert_eq!(file.read_at_most(80, 100).expect("reads"), b"");
        let error = file.read_exact_at(&mut buf, 8).expect_err("ends");
        assert!(
            matches!(
                error,
                FormatError::Shrunk {
                    offset: 10,
                    length: 10,
                    ..
                }
            ),
            "{error:?}"
        );
        assert_eq!(error.class(), embley_model::outcome::ErrorClass::Input);
    }

    #[test]
    fn appending_never_takes_more_than_asked_for_whatever_the_capacity() {
        let (_dir, path) = file_with(&[7; 5000]);
        let file = SourceFile::open(&path).expect("opens");
        let mut out = Vec::with_capacity(9000);
        out.push(1);
        assert_eq!(file.append_at(&mut out, 10, 100).expect("reads"), 100);
        assert_eq!(out.len(), 101);
        assert_eq!(file.append_at(&mut out, 4990, 100).expect("reads"), 10);
        assert_eq!(out.len(), 111);
    }

    #[test]
    fn folders_missing_files_and_pipes_are_errors_with_their_class() {
        let (dir, _) = file_with(b"");
        assert!(matches!(
            SourceFile::open(dir.path()),
            Err(FormatError::NotAFile { .. })
        ));
        let error = SourceFile::open(&dir.path().join("absent")).expect_err("absent");
        assert_eq!(error.to_defect().code.text(), "SRC-UNREADABLE");
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
        assert!(matches!(SourceFile::open(&pipe), Err(FormatError::NotAFile { .. })));
    }
}
