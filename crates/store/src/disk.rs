//! The only place that creates, writes, renames, removes and syncs files of a case.
//!
//! [`Disk`] is what the store sees; [`RealDisk`] is the machine, and `testkit` has one that fails on purpose. Not for:
//! reading (plain positional reads are harmless) and the catalogue's own pages, which SQLite writes; the disk is only asked for
//! leave before a catalogue transaction commits, so that a failing disk can refuse there too.
//!
//! Invariant: when a function that creates, renames or removes returns, the folder entry is durable as well.

#![expect(
    clippy::disallowed_methods,
    reason = "this module is where writing, renaming and removing are allowed"
)]

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file open for writing by position.
pub trait DiskFile: Send + Debug {
    /// Writes all bytes at an offset, extending the file where needed.
    ///
    /// # Errors
    /// As the disk says; a part may have been written.
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts or extends the file to a length.
    ///
    /// # Errors
    /// As the disk says.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Returns once content and length are durable.
    ///
    /// # Errors
    /// As the disk says; what was written since the last sync is then in doubt.
    fn sync(&mut self) -> io::Result<()>;

    /// Present length in bytes.
    ///
    /// # Errors
    /// As the disk says.
    fn len(&self) -> io::Result<u64>;

    /// True when the file has no bytes.
    ///
    /// # Errors
    /// As the disk says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Everything that changes files of a case.
pub trait Disk: Send + Sync + Debug {
    /// Makes a folder whose parent is there; one that is there already is fine.
    ///
    /// # Errors
    /// As the disk says.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a new file; fails when it is there.
    ///
    /// # Errors
    /// As the disk says.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for writing without changing it.
    ///
    /// # Errors
    /// As the disk says.
    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Replaces a whole small file: written beside it, synced, renamed over it.
    ///
    /// # Errors
    /// As the disk says; the old content is then still there.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file; one that is not there is fine.
    ///
    /// # Errors
    /// As the disk says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder with all that is in it; one that is not there is fine.
    ///
    /// # Errors
    /// As the disk says.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Asked before a catalogue transaction commits. A disk that fails on purpose refuses here.
    ///
    /// # Errors
    /// When the transaction must not commit.
    fn before_commit(&self, catalogue: &Path) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match std::fs::create_dir(path) {
            Ok(()) => sync_parent(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        sync_parent(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let beside = beside(path);
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&beside, path)?;
        sync_parent(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Ok(()) => sync_parent(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_dir_all(path) {
            Ok(()) => sync_parent(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn before_commit(&self, _catalogue: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The name under which [`Disk::replace`] writes before it renames.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Makes the entry of `path` in its folder durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// The case lock: a file that one process at a time holds, with a line that says who. The system lets go of it when the
/// process ends, however it ends.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
}

impl LockFile {
    /// Takes the lock, or returns `None` when another process holds it.
    pub(crate) fn try_take(path: &Path, holder: &str) -> io::Result<Option<Self>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        // Not synced: the line is for people who wait, and a stale one is never read as a held lock.
        file.set_len(0)?;
        file.write_all_at(holder.as_bytes(), 0)?;
        Ok(Some(Self { file }))
    }

    /// Takes the lock, waiting for whoever holds it; `None` when it is not let go of in `patience`.
    pub(crate) fn wait(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        const LOOK_AGAIN: Duration = Duration::from_millis(2);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { file })),
                Err(std::fs::TryLockError::WouldBlock) if waited < patience => {
                    // The system tells nobody when a lock is let go of; nobody unparks this thread either.
                    std::thread::park_timeout(LOOK_AGAIN);
                    waited += LOOK_AGAIN;
                }
                Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// What the present holder wrote about itself.
    pub(crate) fn holder(path: &Path) -> String {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            "another process".to_owned()
        } else {
            line.to_owned()
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Failing to clear the line is harmless: the lock itself ends with the handle.
        drop(self.file.set_len(0));
    }
}
