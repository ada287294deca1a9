//! The bytes that a job is about, as a descriptor that can be passed on.
//!
//! Not for: names of files; a worker learns none. Main type: [`JobInput`].

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, fcntl_getfl, memfd_create};

/// What a job reads.
#[derive(Clone, Debug)]
pub enum JobInput<'a> {
    /// Bytes in memory. They are copied once, into sealed memory that the worker maps or reads.
    Bytes(&'a [u8]),
    /// A range of a file. The worker gets this very descriptor, or one that can only read when this one can write.
    File {
        /// Any descriptor of the file.
        file: BorrowedFd<'a>,
        /// Which bytes.
        range: Range<u64>,
    },
}

impl<'a> JobInput<'a> {
    /// A whole file.
    ///
    /// # Errors
    /// When the system does not say how long it is.
    pub fn of_file(file: &'a File) -> io::Result<Self> {
        Ok(Self::File {
            range: 0..file.metadata()?.len(),
            file: file.as_fd(),
        })
    }

    /// Bytes of it.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { range, .. } => range.end.saturating_sub(range.start),
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes it ready to be passed.
    pub(super) fn prepare(&self) -> io::Result<Prepared<'a>> {
        match self {
            Self::File { file, range } => {
                let fd = match fcntl_getfl(file)? & OFlags::RWMODE {
                    OFlags::RDONLY => Held::Theirs(*file),
                    _ => Held::Ours(read_only(*file)?),
                };
                Ok(Prepared {
                    fd,
                    offset: range.start,
                    length: self.len(),
                })
            }
            Self::Bytes(bytes) => {
                let fd = memfd_create("embley-job", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
                let mut done = 0;
                while done < bytes.len() {
                    match rustix::io::write(&fd, &bytes[done..]) {
                        Ok(count) => done += count,
                        Err(rustix::io::Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                fcntl_add_seals(
                    &fd,
                    SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
                )?;
                Ok(Prepared {
                    fd: Held::Ours(fd),
                    offset: 0,
                    length: self.len(),
                })
            }
        }
    }
}

/// The same file, also one without a name, opened again for reading only.
fn read_only(file: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::open(
        name,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY,
        Mode::empty(),
    )?)
}

/// A descriptor and a range.
pub(super) struct Prepared<'a> {
    fd: Held<'a>,
    pub(super) offset: u64,
    pub(super) length: u64,
}

enum Held<'a> {
    Ours(OwnedFd),
    Theirs(BorrowedFd<'a>),
}

impl AsFd for Prepared<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.fd {
            Held::Ours(fd) => fd.as_fd(),
            Held::Theirs(fd) => *fd,
        }
    }
}
