//! A disk that fails on purpose: full after so many bytes, an error at the k-th sync, or the power gone at the k-th sync.
//!
//! Syncs are counted over everything that makes something durable: files, new folder entries, replaced files, and the commits of
//! the catalogue, which the disk is asked about. When the power goes, whatever was written to a file since its last sync is torn: a
//! part of it that depends on the seed is still there, the rest is gone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embley_store::disk::{Disk, DiskFile, RealDisk};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: only counts.
    Sound,
    /// No space after this many bytes.
    FullAfter {
        /// Bytes that still fit.
        bytes: u64,
    },
    /// The k-th sync (from 1) reports an error, once.
    FailSync {
        /// Which one.
        at: u64,
    },
    /// The power goes at the k-th sync (from 1): it does not happen, and nothing after it.
    PowerOff {
        /// Which one.
        at: u64,
        /// Decides how much of what was not synced is left.
        seed: u64,
    },
}

#[derive(Debug)]
struct State {
    plan: Plan,
    written: u64,
    syncs: u64,
    off: bool,
    /// Length at the last sync of each file that was written since.
    unsynced: BTreeMap<PathBuf, u64>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct FaultDisk {
    state: Arc<Mutex<State>>,
}

impl FaultDisk {
    /// A disk with a plan.
    pub fn new(plan: Plan) -> Self {
        let state = State {
            plan,
            written: 0,
            syncs: 0,
            off: false,
            unsynced: BTreeMap::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Syncs so far.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.lock().written
    }

    /// True once the power is gone.
    pub fn is_off(&self) -> bool {
        self.lock().off
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asked before anything is done.
    fn powered(&self) -> io::Result<()> {
        if self.lock().off {
            Err(io::Error::other("the power is off"))
        } else {
            Ok(())
        }
    }

    /// Counts one sync and lets it fail when it is its turn.
    fn sync_point(&self) -> io::Result<()> {
        self.powered()?;
        let mut state = self.lock();
        state.syncs += 1;
        match state.plan {
            Plan::FailSync { at } if at == state.syncs => {
                Err(io::Error::other("the disk reports an error at this sync"))
            }
            Plan::PowerOff { at, seed } if at == state.syncs => {
                state.off = true;
                tear(&state.unsynced, seed)?;
                Err(io::Error::other("the power goes off at this sync"))
            }
            Plan::Sound | Plan::FullAfter { .. } | Plan::FailSync { .. } | Plan::PowerOff { .. } => Ok(()),
        }
    }

    fn take_space(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.lock();
        if let Plan::FullAfter { bytes: limit } = state.plan
            && state.written + bytes > limit
        {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        state.written += bytes;
        Ok(())
    }
}

/// Cuts each file somewhere between what was synced and what was written, and damages the last of what is left.
fn tear(unsynced: &BTreeMap<PathBuf, u64>, seed: u64) -> io::Result<()> {
    let mut state = seed | 1;
    for (path, synced) in unsynced {
        let Ok(meta) = std::fs::metadata(path) else { continue };
        let loose = meta.len().saturating_sub(*synced);
        state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        let kept = if loose == 0 { 0 } else { state % (loose + 1) };
        let mut file = RealDisk.open_write(path)?;
        file.set_len(synced + kept)?;
        if kept > 0 {
            let damaged = kept.min(16);
            file.write_all_at(&vec![0; damaged as usize], synced + kept - damaged)?;
        }
    }
    Ok(())
}

#[derive(Debug)]
struct FaultFile {
    path: PathBuf,
    inner: Box<dyn DiskFile>,
    disk: FaultDisk,
}

impl FaultFile {
    fn touched(&self) -> io::Result<()> {
        let len = self.inner.len()?;
        self.disk.lock().unsynced.entry(self.path.clone()).or_insert(len);
        Ok(())
    }
}

impl DiskFile for FaultFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.powered()?;
        self.touched()?;
        if let Err(error) = self.disk.take_space(bytes.len() as u64) {
            // A full disk takes what fits before it says so.
            self.inner.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(error);
        }
        self.inner.write_all_at(bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.disk.powered()?;
        self.touched()?;
        self.inner.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.sync_point()?;
        self.inner.sync()?;
        self.disk.lock().unsynced.remove(&self.path);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

impl Disk for FaultDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.sync_point()?;
        RealDisk.create_dir(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.sync_point()?;
        let inner = RealDisk.create_new(path)?;
        Ok(Box::new(FaultFile {
            path: path.to_owned(),
            inner,
            disk: self.clone(),
        }))
    }

    fn open_write(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.powered()?;
        let inner = RealDisk.open_write(path)?;
        Ok(Box::new(FaultFile {
            path: path.to_owned(),
            inner,
            disk: self.clone(),
        }))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.powered()?;
        self.take_space(bytes.len() as u64)?;
        self.sync_point()?;
        RealDisk.replace(path, bytes)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        if !path.exists() {
            return self.powered();
        }
        self.sync_point()?;
        RealDisk.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        if !path.exists() {
            return self.powered();
        }
        self.sync_point()?;
        RealDisk.remove_dir_all(path)
    }

    fn before_commit(&self, _catalogue: &Path) -> io::Result<()> {
        self.sync_point()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_the_power_and_the_rest_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for seed in 0..20 {
            RealDisk.remove_file(&path).unwrap();
            let disk = FaultDisk::new(Plan::PowerOff { at: 3, seed });
            let mut file = disk.create_new(&path).unwrap();
            file.write_all_at(b"durable", 0).unwrap();
            file.sync().unwrap();
            file.write_all_at(&[7; 100], 7).unwrap();
            assert!(file.sync().is_err());
            assert!(disk.is_off());
            assert!(file.write_all_at(b"x", 0).is_err());
            assert!(disk.create_dir(folder.path()).is_err());
            let left = std::fs::read(&path).unwrap();
            assert!(left.starts_with(b"durable") && left.len() <= 107);
            assert_ne!(left.len(), 107 + 1);
            assert!(left[7..] != [7; 100][..], "seed {seed}: nothing was lost");
        }
    }

    #[test]
    fn a_full_disk_keeps_what_fitted() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FaultDisk::new(Plan::FullAfter { bytes: 10 });
        let mut file = disk.create_new(&folder.path().join("f")).unwrap();
        file.write_all_at(&[1; 10], 0).unwrap();
        let error = file.write_all_at(&[2; 4], 10).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(file.len().unwrap(), 12);
    }
}
