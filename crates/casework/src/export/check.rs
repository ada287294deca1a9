//! Checks an exported folder years later: offline, without the case, and without this program's index.
//!
//! The manifest is the form of `sha256sum`, so `sha256sum --check manifest.sha256` does the first part of this anywhere. Main function:
//! [`check`]. Invariants: nothing is written; links are not followed; a name in the manifest that leads out of the folder is a difference,
//! never opened; memory grows by 16 bytes a file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use embley_model::id::hex_encode;
use embley_store::manifest::{ManifestLine, ManifestReader};
use embley_store::outgoing::{MANIFEST, ManifestSignature, SIGNATURE, UNFINISHED};
use embley_store::signing::PublicKey;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::record::{RECORD, Record};
use crate::error::{CaseworkError, Result};

/// The largest signature and record that are read.
const MOST_SIGNATURE: u64 = 1 << 20;
const MOST_RECORD: u64 = 64 << 20;
/// Unreadable lines of a manifest that are told one by one.
const MOST_UNREADABLE: u64 = 100;
/// How deep folders may lie.
const MOST_DEPTH: usize = 64;

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The folder, or a part that every folder has, is not what it must be.
    Form,
    /// The signature does not hold.
    Signature,
    /// A file of the manifest is not there.
    Missing,
    /// A file has other bytes.
    Changed,
    /// A file is in no manifest.
    Added,
    /// The sums do not agree.
    Counts,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind.
    pub kind: Kind,
    /// Which file.
    pub path: String,
    /// In words.
    pub detail: String,
}

/// Which key is trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// This one only.
    pub key: Option<PublicKey>,
    /// The one with this id only.
    pub key_id: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// SHA-256 of the manifest: what an audit log holds of this export.
    pub digest: String,
    /// Files of the manifest.
    pub files: u64,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// Id of the key that the signature names.
    pub key_id: String,
    /// The signature holds.
    pub signed: bool,
    /// The key was named by whoever checks.
    pub trusted: bool,
    /// All differences, by kind and path.
    pub differences: Vec<Difference>,
    /// What the export says of itself, when that can be read.
    #[serde(skip)]
    pub record: Option<Record>,
}

/// Checks a folder.
///
/// # Errors
/// There is no such folder, or the machine cannot read it. What is wrong with it is in the answer.
pub fn check(folder: &Path, trust: &Trust) -> Result<Checked> {
    let facts = folder.symlink_metadata().map_err(|source| unreadable(folder, source))?;
    if !facts.is_dir() && !folder.is_dir() {
        return Err(CaseworkError::Request {
            detail: format!("{} is not a folder", folder.display()),
        });
    }
    let mut checked = Checked {
        digest: String::new(),
        files: 0,
        bytes: 0,
        key_id: String::new(),
        signed: false,
        trusted: false,
        differences: Vec::new(),
        record: None,
    };
    if folder.join(UNFINISHED).symlink_metadata().is_ok() {
        checked.differ(
            Kind::Form,
            UNFINISHED,
            "the export was not finished: nothing in it may be used",
        );
    }
    let known = checked.manifest(folder)?;
    checked.signature(folder, trust)?;
    checked.added(folder, &known)?;
    checked.counts(folder)?;
    checked
        .differences
        .sort_by(|one, other| (one.kind, &one.path).cmp(&(other.kind, &other.path)));
    Ok(checked)
}

impl Checked {
    fn differ(&mut self, kind: Kind, path: &str, detail: &str) {
        self.differences.push(Difference {
            kind,
            path: path.to_owned(),
            detail: detail.to_owned(),
        });
    }

    /// Hashes every file of the manifest; gives the names in it, hashed.
    fn manifest(&mut self, folder: &Path) -> Result<HashSet<[u8; 16]>> {
        let mut known = HashSet::new();
        let path = folder.join(MANIFEST);
        let Some(file) = plain_file(&path)? else {
            self.differ(
                Kind::Form,
                MANIFEST,
                "there is no manifest: this is no export, or not a whole one",
            );
            return Ok(known);
        };
        let mut lines = ManifestReader::new(BufReader::new(file));
        let mut unreadable_lines = 0;
        // The folder of the last file, and whether a link leads to it.
        let mut above = (PathBuf::new(), false);
        while let Some(line) = lines.next_line().map_err(|source| unreadable(&path, source))? {
            let (sha256, name) = match line {
                ManifestLine::File { sha256, name } => (sha256, name),
                ManifestLine::Unreadable(text) => {
                    unreadable_lines += 1;
                    if unreadable_lines <= MOST_UNREADABLE {
                        self.differ(Kind::Form, MANIFEST, &format!("a line cannot be read: {text:?}"));
                    }
                    continue;
                }
            };
            self.files += 1;
            if !known.insert(key_of(&name)) {
                self.differ(Kind::Form, &name, "the manifest names it twice");
                continue;
            }
            let parent = Path::new(&name).parent().unwrap_or(Path::new(""));
            if above.0 != parent {
                above = (parent.to_owned(), leads_by_a_link(folder, parent));
            }
            if above.1 {
                let detail = "it is in the manifest, and a link stands where its folder was";
                self.differ(Kind::Missing, &name, detail);
            } else {
                self.one(folder, &name, &sha256)?;
            }
        }
        if unreadable_lines > MOST_UNREADABLE {
            let more = unreadable_lines - MOST_UNREADABLE;
            self.differ(Kind::Form, MANIFEST, &format!("{more} more lines cannot be read"));
        }
        self.digest = lines.digest();
        Ok(known)
    }

    fn one(&mut self, folder: &Path, name: &str, sha256: &[u8; 32]) -> Result<()> {
        let path = folder.join(name);
        let Some(mut file) = plain_file(&path)? else {
            self.differ(Kind::Missing, name, "it is in the manifest and not in the folder");
            return Ok(());
        };
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let read = match file.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(source) => return Err(unreadable(&path, source)),
            };
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            self.bytes += read as u64;
        }
        let now: [u8; 32] = hash.finalize().into();
        if now != *sha256 {
            let detail = format!("SHA-256 was {} and is {}", hex_encode(sha256), hex_encode(&now));
            self.differ(Kind::Changed, name, &detail);
        }
        Ok(())
    }

    fn signature(&mut self, folder: &Path, trust: &Trust) -> Result<()> {
        let Some(text) = small_file(&folder.join(SIGNATURE), MOST_SIGNATURE)? else {
            self.differ(Kind::Signature, SIGNATURE, "there is no signature");
            return Ok(());
        };
        let signature: ManifestSignature = match serde_json::from_slice(&text) {
            Ok(signature) => signature,
            Err(error) => {
                self.differ(Kind::Signature, SIGNATURE, &format!("it cannot be read: {error}"));
                return Ok(());
            }
        };
        let key = match (&trust.key, PublicKey::from_pem(&signature.public_key)) {
            (Some(key), _) => key.clone(),
            (None, Ok(key)) => key,
            (None, Err(detail)) => {
                self.differ(
                    Kind::Signature,
                    SIGNATURE,
                    &format!("it carries no usable key: {detail}"),
                );
                return Ok(());
            }
        };
        self.key_id = key.id();
        let wanted = trust.key_id.as_deref().map(str::to_ascii_lowercase);
        if wanted.as_ref().is_some_and(|wanted| *wanted != self.key_id) {
            let detail = format!("it is signed with the key {}, not with the one you named", self.key_id);
            self.differ(Kind::Signature, SIGNATURE, &detail);
            return Ok(());
        }
        self.trusted = trust.key.is_some() || wanted.is_some();
        self.signed = signature.holds(&self.digest, &key);
        if !self.signed {
            let detail = format!("the manifest is not what was signed with the key {}", self.key_id);
            self.differ(Kind::Signature, SIGNATURE, &detail);
        }
        Ok(())
    }

    fn added(&mut self, folder: &Path, known: &HashSet<[u8; 16]>) -> Result<()> {
        let mut waiting: Vec<(PathBuf, String, usize)> = vec![(folder.to_owned(), String::new(), 0)];
        while let Some((path, above, depth)) = waiting.pop() {
            let entries = std::fs::read_dir(&path).map_err(|source| unreadable(&path, source))?;
            for entry in entries {
                let entry = entry.map_err(|source| unreadable(&path, source))?;
                let name = entry.file_name();
                let name = format!("{above}{}", name.to_string_lossy());
                let kind = entry.file_type().map_err(|source| unreadable(&entry.path(), source))?;
                if kind.is_dir() {
                    if depth < MOST_DEPTH {
                        waiting.push((entry.path(), format!("{name}/"), depth + 1));
                    } else {
                        self.differ(Kind::Added, &name, "a folder that lies deeper than any export");
                    }
                } else if kind.is_file() {
                    let own = [MANIFEST, SIGNATURE, UNFINISHED].contains(&name.as_str());
                    if !own && !known.contains(&key_of(&name)) {
                        self.differ(Kind::Added, &name, "it is in the folder and not in the manifest");
                    }
                } else {
                    self.differ(
                        Kind::Added,
                        &name,
                        "it is neither a file nor a folder; an export has no links",
                    );
                }
            }
        }
        Ok(())
    }

    fn counts(&mut self, folder: &Path) -> Result<()> {
        let Some(text) = small_file(&folder.join(RECORD), MOST_RECORD)? else {
            if self.files > 0 {
                self.differ(Kind::Form, RECORD, "the export does not say what it is");
            }
            return Ok(());
        };
        let record: Record = match serde_json::from_slice(&text) {
            Ok(record) => record,
            Err(error) => {
                self.differ(Kind::Form, RECORD, &format!("it cannot be read: {error}"));
                return Ok(());
            }
        };
        let (files, bytes) = (record.counts.files + 1, record.counts.bytes + text.len() as u64);
        let whole = !self
            .differences
            .iter()
            .any(|one| matches!(one.kind, Kind::Missing | Kind::Changed));
        if files != self.files || (whole && bytes != self.bytes) {
            let detail = format!(
                "it speaks of {files} files and {bytes} bytes, the manifest names {} files, which have {} bytes",
                self.files, self.bytes
            );
            self.differ(Kind::Counts, RECORD, &detail);
        }
        self.record = Some(record);
        Ok(())
    }
}

/// True when one of the folders on the way to this one is a link: what lies there is not in the export.
fn leads_by_a_link(folder: &Path, below: &Path) -> bool {
    let mut path = folder.to_owned();
    below.components().any(|part| {
        path.push(part);
        path.symlink_metadata().is_ok_and(|facts| facts.is_symlink())
    })
}

fn key_of(name: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(name.as_bytes())[..16]);
    key
}

/// A plain file; nothing when there is none, or when a link or something else has its name.
fn plain_file(path: &Path) -> Result<Option<File>> {
    match path.symlink_metadata() {
        Ok(facts) if facts.is_file() => File::open(path).map(Some).map_err(|source| unreadable(path, source)),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(unreadable(path, source)),
    }
}

fn small_file(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    let Some(file) = plain_file(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(|source| unreadable(path, source))?;
    Ok(Some(bytes))
}

fn unreadable(path: &Path, source: std::io::Error) -> CaseworkError {
    CaseworkError::Unreadable {
        path: path.to_owned(),
        source,
    }
}
