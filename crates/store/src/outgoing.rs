//! Folders that leave a case: written beside their place under another name, made durable whole, then given their name in one step.
//!
//! While it is written, the folder is called `.NAME.unfinished`, lies beside the place where it will be, holds a file `UNFINISHED.txt`
//! and is locked. [`Outgoing::seal`] writes `manifest.sha256` (the form of `sha256sum`: one line a file, in the order in which files were
//! finished) and `manifest.sig.json` (an Ed25519 signature over a line with the manifest's SHA-256), syncs the file system, removes the
//! mark and renames. Not for: what is written. Main type: [`Outgoing`].
//!
//! Invariants: a folder with its own name is complete and durable; nothing that was there before is written over or removed, save an
//! unfinished folder of our own that nobody holds; every file but the manifest and its signature is in the manifest.

#![expect(
    clippy::disallowed_methods,
    reason = "these folders lie outside of any case; renaming and removing are the point of this module"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use embley_model::failpoint;
use embley_model::id::hex_encode;
use embley_model::outcome::ErrorClass;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::signing::{PrivateKey, PublicKey};

/// Name of the list of files with their SHA-256.
pub const MANIFEST: &str = "manifest.sha256";
/// Name of the signature over the list.
pub const SIGNATURE: &str = "manifest.sig.json";
/// Name of the file that marks a folder as unfinished.
pub const UNFINISHED: &str = "UNFINISHED.txt";
/// Longest name of a file or folder in it, in bytes; file systems end at 255.
const MAX_NAME_BYTES: usize = 200;
const UNFINISHED_WORDS: &str =
    "This folder was not finished. Nothing in it may be used. The same command makes it anew.\n";

/// A folder that cannot be written. Nothing has its name then, unless it says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoingError {
    /// The place is taken.
    #[error(
        "{path:?} is not an empty folder: an export is never mixed with something else; name a folder that is not there"
    )]
    Taken {
        /// The place.
        path: PathBuf,
    },
    /// The place lies in the case folder.
    #[error("{path:?} lies inside the case folder: an export leaves the case; name a folder outside of it")]
    InsideCase {
        /// The place.
        path: PathBuf,
    },
    /// Another process is writing it.
    #[error("{path:?} is being written by another process")]
    InUse {
        /// The unfinished folder.
        path: PathBuf,
    },
    /// Something of this name is there that was not made here.
    #[error("{path:?} is there and is not an unfinished export: move it away")]
    Foreign {
        /// What is in the way.
        path: PathBuf,
    },
    /// A name that cannot be one in such a folder; the program is wrong.
    #[error("{name:?} cannot be the name of an exported file")]
    BadName {
        /// The name.
        name: String,
    },
    /// The machine refused.
    #[error("cannot {doing} {path:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl OutgoingError {
    /// Who can do something about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Taken { .. } | Self::InsideCase { .. } | Self::Foreign { .. } => ErrorClass::Config,
            Self::InUse { .. } => ErrorClass::Busy,
            Self::BadName { .. } => ErrorClass::Internal,
            Self::Io { .. } => ErrorClass::Environment,
        }
    }

    fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// Short for results of this module.
pub type Result<T> = std::result::Result<T, OutgoingError>;

/// A folder in the making. Let go without [`Outgoing::seal`], it is removed as far as that works.
#[derive(Debug)]
pub struct Outgoing {
    target: PathBuf,
    beside: PathBuf,
    /// Locked while the folder is written.
    folder: File,
    manifest: BufWriter<File>,
    digest: Sha256,
    files: u64,
    bytes: u64,
    made: Option<PathBuf>,
    found_unfinished: bool,
    sealed: bool,
}

/// What a finished file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its length.
    pub bytes: u64,
}

/// A finished folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// SHA-256 of the manifest, hexadecimal: stands for the whole folder.
    pub digest: String,
    /// Files in the manifest.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Id of the key that signed.
    pub key_id: String,
}

/// The content of [`SIGNATURE`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestSignature {
    /// Version of this form.
    pub schema: u32,
    /// The file that is signed.
    pub signs: String,
    /// SHA-256 of that file, hexadecimal.
    pub sha256: String,
    /// `Ed25519`.
    pub algorithm: String,
    /// Id of the key, as [`PublicKey::id`].
    pub key_id: String,
    /// The key, PEM.
    pub public_key: String,
    /// The signature over the line `embley manifest sha256:DIGEST` with its line end, Base64.
    pub signature: String,
}

impl Outgoing {
    /// Begins a folder that will be called `target`. An unfinished one that a stopped process left is removed first.
    /// `case` is the case folder that it must not lie in.
    ///
    /// # Errors
    /// See [`OutgoingError`].
    pub fn begin(target: &Path, case: Option<&Path>) -> Result<Self> {
        let absolute = std::path::absolute(target).map_err(|source| OutgoingError::io("look for", target, source))?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(OutgoingError::Taken { path: absolute });
        };
        refuse_inside(target, parent, case)?;
        refuse_taken(&absolute)?;
        let mut other = std::ffi::OsString::from(".");
        other.push(name);
        other.push(".unfinished");
        let beside = parent.join(other);
        let found_unfinished = remove_unfinished(&beside)?;
        match fs::create_dir(&beside) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(OutgoingError::InUse { path: beside });
            }
            Err(source) => return Err(OutgoingError::io("make the folder", &beside, source)),
        }
        let folder = lock(&beside)?;
        let marked = || -> io::Result<BufWriter<File>> {
            let mut mark = new_file(&beside.join(UNFINISHED))?;
            mark.write_all(UNFINISHED_WORDS.as_bytes())?;
            mark.sync_all()?;
            // Stopped from here on: a folder that says itself that it is unfinished.
            failpoint::pass("export-begin")?;
            Ok(BufWriter::with_capacity(1 << 16, new_file(&beside.join(MANIFEST))?))
        };
        let manifest = marked().map_err(|source| OutgoingError::io("begin to write in", &beside, source))?;
        Ok(Self {
            target: absolute,
            beside,
            folder,
            manifest,
            digest: Sha256::new(),
            files: 0,
            bytes: 0,
            made: None,
            found_unfinished,
            sealed: false,
        })
    }

    /// True when an unfinished folder of a stopped process was found and removed.
    pub fn found_unfinished(&self) -> bool {
        self.found_unfinished
    }

    /// Files finished so far, and their bytes.
    pub fn so_far(&self) -> (u64, u64) {
        (self.files, self.bytes)
    }

    /// Makes a file; `name` has `/` between folders, which are made. Several may be open at a time.
    ///
    /// # Errors
    /// The name cannot be one or is taken, or the machine refuses.
    pub fn create(&mut self, name: &str) -> Result<OutFile> {
        if !is_plain(name) || [MANIFEST, SIGNATURE, UNFINISHED].contains(&name) {
            return Err(OutgoingError::BadName { name: name.to_owned() });
        }
        let path = self.beside.join(name);
        if let Some(above) = path.parent().filter(|above| *above != self.beside)
            && self.made.as_deref() != Some(above)
        {
            fs::create_dir_all(above).map_err(|source| OutgoingError::io("make the folder", above, source))?;
            self.made = Some(above.to_owned());
        }
        let file = new_file(&path).map_err(|source| OutgoingError::io("make", &path, source))?;
        Ok(OutFile {
            file: BufWriter::with_capacity(1 << 16, file),
            name: name.to_owned(),
            digest: Sha256::new(),
            bytes: 0,
        })
    }

    /// Ends a file and enters it in the manifest.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn close(&mut self, mut file: OutFile) -> Result<Written> {
        let failed = |source| OutgoingError::io("write", &self.beside.join(&file.name), source);
        file.file.flush().map_err(failed)?;
        let sha256: [u8; 32] = file.digest.finalize().into();
        let line = format!("{}  {}\n", hex_encode(&sha256), file.name);
        self.digest.update(line.as_bytes());
        self.manifest
            .write_all(line.as_bytes())
            .map_err(|source| OutgoingError::io("write", &self.beside.join(MANIFEST), source))?;
        self.files += 1;
        self.bytes += file.bytes;
        Ok(Written {
            sha256,
            bytes: file.bytes,
        })
    }

    /// Removes a file that was not ended.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn discard(&mut self, file: OutFile) -> Result<()> {
        let path = self.beside.join(&file.name);
        drop(file);
        fs::remove_file(&path).map_err(|source| OutgoingError::io("remove", &path, source))
    }

    /// Writes a whole small file.
    ///
    /// # Errors
    /// As [`Outgoing::create`] and [`Outgoing::close`].
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<Written> {
        let mut file = self.create(name)?;
        let path = self.beside.join(name);
        file.write_all(bytes)
            .map_err(|source| OutgoingError::io("write", &path, source))?;
        self.close(file)
    }

    /// Ends the folder: manifest, signature, everything durable, its own name.
    ///
    /// # Errors
    /// The machine refuses, or somebody took the place meanwhile. The folder does not have its name then, except when only the last
    /// sync failed.
    pub fn seal(mut self, key: &PrivateKey) -> Result<Sealed> {
        let sealed = self.finish(key)?;
        self.sealed = true;
        Ok(sealed)
    }

    fn finish(&mut self, key: &PrivateKey) -> Result<Sealed> {
        let beside = self.beside.clone();
        let failed = |doing: &'static str| {
            let path = beside.clone();
            move |source: io::Error| OutgoingError::Io { doing, path, source }
        };
        failpoint::pass("export-written").map_err(failed("write in"))?;
        self.manifest.flush().map_err(failed("write the manifest of"))?;
        let digest = hex_encode(&std::mem::take(&mut self.digest).finalize());
        let signature = ManifestSignature {
            schema: 1,
            signs: MANIFEST.to_owned(),
            sha256: digest.clone(),
            algorithm: "Ed25519".to_owned(),
            key_id: key.public().id(),
            public_key: key.public().pem(),
            signature: key.sign(&signed_line(&digest)),
        };
        let mut lines = serde_json::to_vec_pretty(&signature).map_err(|error| OutgoingError::Io {
            doing: "write the signature of",
            path: self.beside.clone(),
            source: error.into(),
        })?;
        lines.push(b'\n');
        let write = || -> io::Result<()> { new_file(&self.beside.join(SIGNATURE))?.write_all(&lines) };
        write().map_err(failed("write the signature of"))?;
        // Stopped here: everything may be lost, and the folder is marked as unfinished.
        failpoint::pass("export-sealed").map_err(failed("sync"))?;
        // One call for all of a million files; since Linux 5.8 it also gives the errors of writing back.
        rustix::fs::syncfs(&self.folder).map_err(|error| failed("sync")(error.into()))?;
        failpoint::pass("export-synced").map_err(failed("sync"))?;
        fs::remove_file(self.beside.join(UNFINISHED)).map_err(failed("end"))?;
        self.folder.sync_all().map_err(failed("sync"))?;
        // Stopped here: complete, but with the name of an unfinished folder; the next try makes it anew.
        failpoint::pass("export-unmarked").map_err(failed("end"))?;
        // Takes the place of an empty folder, fails for anything else that came meanwhile.
        fs::rename(&self.beside, &self.target).map_err(|source| match source.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                OutgoingError::Taken {
                    path: self.target.clone(),
                }
            }
            _ => OutgoingError::io("give its name to", &self.beside, source),
        })?;
        self.sealed = true;
        failpoint::pass("export-renamed").map_err(failed("sync the folder above"))?;
        let above = self.target.parent().unwrap_or(Path::new("."));
        File::open(above)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("sync the folder above"))?;
        Ok(Sealed {
            digest,
            files: self.files,
            bytes: self.bytes,
            key_id: signature.key_id,
        })
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.sealed {
            // What cannot be removed is marked as unfinished, and the next try removes it.
            drop(remove_marked(&self.beside));
        }
    }
}

/// A file of an [`Outgoing`] in the making; [`Outgoing::close`] ends it.
#[derive(Debug)]
pub struct OutFile {
    file: BufWriter<File>,
    name: String,
    digest: Sha256,
    bytes: u64,
}

impl OutFile {
    /// Its name in the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of what was written so far.
    pub fn sha256_so_far(&self) -> [u8; 32] {
        self.digest.clone().finalize().into()
    }

    /// What was written and flushed so far, for reading.
    ///
    /// # Errors
    /// The machine refuses.
    pub fn reader(&self) -> io::Result<File> {
        self.file.get_ref().try_clone()
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl ManifestSignature {
    /// True when this is the signature over a manifest with this SHA-256 (hexadecimal) with that key.
    pub fn holds(&self, digest: &str, key: &PublicKey) -> bool {
        self.signs == MANIFEST && self.sha256 == digest && key.holds(&signed_line(digest), &self.signature)
    }
}

fn signed_line(digest: &str) -> Vec<u8> {
    format!("embley manifest sha256:{digest}\n").into_bytes()
}

/// True for a relative path of plain names: no `..`, no backslash, no control characters, nothing overlong.
pub fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.len() <= MAX_NAME_BYTES
            && !part.chars().any(|letter| letter.is_control() || letter == '\\')
    };
    name.split('/').all(plain)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

fn lock(folder: &Path) -> Result<File> {
    let file = File::open(folder).map_err(|source| OutgoingError::io("open", folder, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OutgoingError::InUse {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(OutgoingError::io("lock", folder, source)),
    }
}

/// Removes an unfinished folder that nobody holds. True when there was one.
fn remove_unfinished(beside: &Path) -> Result<bool> {
    match beside.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(OutgoingError::io("look at", beside, source)),
        Ok(facts) if !facts.is_dir() => {
            return Err(OutgoingError::Foreign {
                path: beside.to_owned(),
            });
        }
        Ok(_) => {}
    }
    let held = lock(beside)?;
    let is_there = |name: &str| beside.join(name).symlink_metadata().is_ok();
    let ours = is_there(UNFINISHED) || (is_there(MANIFEST) && is_there(SIGNATURE));
    let mut entries = fs::read_dir(beside).map_err(|source| OutgoingError::io("list", beside, source))?;
    // An empty one was left between its making and its mark.
    if !ours && entries.next().is_some() {
        return Err(OutgoingError::Foreign {
            path: beside.to_owned(),
        });
    }
    remove_marked(beside).map_err(|source| OutgoingError::io("remove the unfinished", beside, source))?;
    drop(held);
    Ok(true)
}

/// Removes an unfinished folder, its mark last. Stopped on the way: a folder that still says itself that it is unfinished.
fn remove_marked(beside: &Path) -> io::Result<()> {
    let mark = beside.join(UNFINISHED);
    if mark.symlink_metadata().is_err() {
        // Sealed, and not renamed yet.
        new_file(&mark)?.write_all(UNFINISHED_WORDS.as_bytes())?;
    }
    for entry in fs::read_dir(beside)? {
        let entry = entry?;
        if entry.file_name() == UNFINISHED {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_file(&mark)?;
    fs::remove_dir(beside)
}

fn refuse_taken(target: &Path) -> Result<()> {
    let taken = || OutgoingError::Taken {
        path: target.to_owned(),
    };
    match target.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OutgoingError::io("look at", target, source)),
        Ok(facts) if facts.is_dir() => {
            let mut entries = fs::read_dir(target).map_err(|source| OutgoingError::io("list", target, source))?;
            if entries.next().is_some() { Err(taken()) } else { Ok(()) }
        }
        Ok(_) => Err(taken()),
    }
}

fn refuse_inside(target: &Path, parent: &Path, case: Option<&Path>) -> Result<()> {
    let real = fs::canonicalize(parent).map_err(|source| OutgoingError::io("find the folder for", target, source))?;
    let Some(case) = case else { return Ok(()) };
    let case = fs::canonicalize(case).map_err(|source| OutgoingError::io("find the case folder", case, source))?;
    if real.starts_with(&case) {
        return Err(OutgoingError::InsideCase {
            path: target.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
