//! Checks an exported folder years later: offline, without the case, and without this program's index.
//!
//! The manifest is the form of `sha256sum`, so `sha256sum --check manifest.sha256` does the first part of this anywhere. Main function:
//! [`check`]. Invariants: nothing is written; links are not followed; a name in the manifest that leads out of the folder is a difference,
//! never opened; memory grows by 16 bytes a file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use embley_model::id::hex_encode;
use embley_store::outgoing::{MANIFEST, ManifestSignature, SIGNATURE, UNFINISHED, is_plain};
use embley_store::signing::PublicKey;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::record::{RECORD, Record};
use crate::error::{CaseworkError, Result};

/// The largest signature and record that are read.
const MOST_SIGNATURE: u64 = 1 << 20;
const MOST_RECORD: u64 = 64 << 20;
/// The longest line of a manifest.
const MOST_LINE: u64 = 16 << 10;
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
        let mut lines = BufReader::new(file);
        let mut whole = Sha256::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut lines).take(MOST_LINE).read_until(b'\n', &mut line);
            if read.map_err(|source| unreadable(&path, source))? == 0 {
                break;
            }
            whole.update(&line);
            let Some((sha256, name)) = entry_of(&line) else {
                let text: String = String::from_utf8_lossy(&line).chars().take(80).collect();
                self.differ(Kind::Form, MANIFEST, &format!("a line cannot be read: {text:?}"));
                continue;
            };
            self.files += 1;
            if !known.insert(key_of(name)) {
                self.differ(Kind::Form, name, "the manifest names it twice");
                continue;
            }
            self.one(folder, name, sha256)?;
        }
        self.digest = hex_encode(&whole.finalize());
        Ok(known)
    }

    fn one(&mut self, folder: &Path, name: &str, sha256: &str) -> Result<()> {
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
        let now = hex_encode(&hash.finalize());
        if now != sha256 {
            self.differ(Kind::Changed, name, &format!("SHA-256 was {sha256} and is {now}"));
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

/// Hash and name of a line of a manifest.
fn entry_of(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sha256, name) = line.split_once("  ")?;
    let hex = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && is_plain(name)).then_some((sha256, name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_manifest_are_read_strictly() {
        let hash = "a".repeat(64);
        let line = |name: &str| format!("{hash}  {name}\n");
        assert_eq!(
            entry_of(line("a/b c.txt").as_bytes()),
            Some((hash.as_str(), "a/b c.txt"))
        );
        for bad in ["../x", "/etc/passwd", "a/../b", ""] {
            assert_eq!(entry_of(line(bad).as_bytes()), None, "{bad:?}");
        }
        assert_eq!(entry_of(b"short  x\n"), None);
        assert_eq!(entry_of(line("a").trim_end().as_bytes()), None);
    }
}
