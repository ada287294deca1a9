//! Checkpoints: the size and the root of the tree, signed, in the form of C2SP `tlog-checkpoint` in a `signed-note`.
//!
//! Three lines (origin, number of entries, root in Base64), an empty line, and a line for the signature:
//! `— <name of the key> <Base64 of the key's number and the Ed25519 signature over the three lines>`. Origin and name are
//! `embley/case/<id of the case>`, of a later segment with `/segment/N`. The key's number is the beginning of SHA-256 (name, line feed, 1, 32 bytes of the key).
//! Not for: deciding whose key is right. Main type: [`Checkpoint`]. Invariant: what is read is written again as the same bytes.

use base64ct::{Base64, Encoding};
use embley_model::id::Key128;
use sha2::{Digest, Sha256};

use crate::merkle::Hash;
use crate::signing::{PrivateKey, PublicKey};

/// The longest note that is read: far more than 16 signatures.
pub(super) const LONGEST_NOTE: u64 = 64 << 10;
/// The kind of signature: Ed25519.
const ED25519: u8 = 1;

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// What is signed: three lines, or more.
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    number: [u8; 4],
    bytes: Vec<u8>,
}

/// The origin of a case's log.
pub fn origin(case: Key128) -> String {
    format!("embley/case/{case}")
}

/// The origin of a segment of a case's log: another log, in the sense of C2SP, than the one that was cut.
pub(super) fn origin_of(case: Key128, segment: u32) -> String {
    if segment <= 1 {
        origin(case)
    } else {
        format!("{}/segment/{segment}", origin(case))
    }
}

fn key_number(name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(key.raw())
        .finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

impl Checkpoint {
    /// Signs a tree.
    pub fn sign(origin: &str, size: u64, root: Hash, key: &PrivateKey) -> Self {
        let text = format!("{origin}\n{size}\n{}\n", Base64::encode_string(&root));
        let signature = NoteSignature {
            name: origin.to_owned(),
            number: key_number(origin, &key.public()),
            bytes: key.sign_raw(text.as_bytes()).to_vec(),
        };
        Self {
            origin: origin.to_owned(),
            size,
            root,
            text,
            signatures: vec![signature],
        }
    }

    /// Reads a note. No signature is checked yet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(note: &str) -> Result<Self, String> {
        if note.len() as u64 > LONGEST_NOTE {
            return Err(format!("it has {} bytes", note.len()));
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err("it holds control characters".to_owned());
        }
        let (text, signed) = note
            .rsplit_once("\n\n")
            .ok_or("it has no empty line before its signatures")?;
        let text = format!("{text}\n");
        let mut lines = text.lines();
        let origin = lines.next().filter(|line| !line.is_empty()).ok_or("it has no origin")?;
        let size = lines.next().ok_or("it has no number of entries")?;
        let number = size
            .parse::<u64>()
            .map_err(|_| format!("{size:?} is not a number of entries"))?;
        if number.to_string() != size {
            return Err(format!("{size:?} is not a number of entries as it is written"));
        }
        let root = lines.next().ok_or("it has no root")?;
        let root_bytes = Base64::decode_vec(root)
            .ok()
            .and_then(|bytes| Hash::try_from(bytes).ok())
            .ok_or_else(|| format!("{root:?} is not a root"))?;
        if lines.any(str::is_empty) {
            return Err("a line of it is empty".to_owned());
        }
        let mut signatures = Vec::new();
        for line in signed.strip_suffix('\n').ok_or("its last line has no end")?.split('\n') {
            signatures.push(signature(line).ok_or_else(|| format!("{line:?} is not a signature"))?);
        }
        let (origin, root) = (origin.to_owned(), root_bytes);
        Ok(Self {
            origin,
            size: number,
            root,
            text,
            signatures,
        })
    }

    /// The note, whole.
    pub fn to_note(&self) -> String {
        let mut note = format!("{}\n", self.text);
        for one in &self.signatures {
            let mut bytes = one.number.to_vec();
            bytes.extend_from_slice(&one.bytes);
            note.push_str(&format!("\u{2014} {} {}\n", one.name, Base64::encode_string(&bytes)));
        }
        note
    }

    /// The lines that are signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when it is signed in another key's name than `other`, and otherwise: re-signed, not only changed.
    pub(super) fn is_resigned(&self, other: &Self) -> bool {
        let of = |one: &Self| one.signatures.first().map(|one| (one.number, one.bytes.clone()));
        match (of(self), of(other)) {
            // A changed letter reaches into three bytes at most; another signature differs nearly everywhere.
            (Some(mine), Some(its)) => {
                let differ = mine.1.iter().zip(&its.1).filter(|(one, other)| one != other).count();
                mine.0 != its.0 && mine.1.len() == its.1.len() && differ > 8
            }
            _ => false,
        }
    }

    /// What this key's signature on it is worth.
    pub fn signed_by(&self, key: &PublicKey) -> Signed {
        let number = key_number(&self.origin, key);
        let mut found = Signed::ByAnother;
        for one in &self.signatures {
            if one.name == self.origin && one.number == number {
                if !key.holds_raw(self.text.as_bytes(), &one.bytes) {
                    return Signed::Wrongly;
                }
                found = Signed::Rightly;
            }
        }
        found
    }
}

/// What a key's signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It holds.
    Rightly,
    /// There is one in this key's name, and it does not hold: the note was changed.
    Wrongly,
    /// There is none in this key's name.
    ByAnother,
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = Base64::decode_vec(encoded).ok()?;
    let (number, bytes) = bytes.split_first_chunk::<4>()?;
    let named = !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter == '+');
    named.then(|| NoteSignature {
        name: name.to_owned(),
        number: *number,
        bytes: bytes.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A note of the specification, with its verifier key.
    #[test]
    fn a_note_of_the_specification_is_read_and_written_as_it_stands() {
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
             \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
        let checkpoint = Checkpoint::parse(note).expect("a checkpoint");
        assert_eq!((checkpoint.size, checkpoint.to_note().as_str()), (20_852_163, note));
        assert_eq!(checkpoint.signatures[0].bytes.len(), 64);
        for (from, to) in [
            ("20852163", "020852163"),
            ("20852163", "+1"),
            ("\n\n", "\n"),
            ("YQ8=\n", "YQ8="),
            ("\u{2014} ", "- "),
            ("2I=\n", "2I=\n\n"),
            ("sofa\n", "sofa\r\n"),
        ] {
            let changed = note.replacen(from, to, 1);
            assert!(
                Checkpoint::parse(&changed).map_or(true, |one| one.to_note() == changed && to == "2I=\n\n"),
                "{to}"
            );
        }
    }

    #[test]
    fn a_signature_holds_for_its_key_and_text_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let case = folder.path().join("case");
        std::fs::create_dir(&case).expect("a folder");
        let key = |name: &str| {
            PrivateKey::read_or_make(&folder.path().join(name), &case)
                .expect("a key")
                .0
        };
        let (key, other) = (key("one.pem"), key("two.pem"));
        let made = Checkpoint::sign("embley/case/1", 7, [9; 32], &key);
        let read = Checkpoint::parse(&made.to_note()).expect("a checkpoint");
        assert_eq!(read, made);
        assert_eq!(read.signed_by(&key.public()), Signed::Rightly);
        assert_eq!(read.signed_by(&other.public()), Signed::ByAnother);
        let changed = made.to_note().replacen("\n7\n", "\n8\n", 1);
        let changed = Checkpoint::parse(&changed).expect("a checkpoint");
        assert_eq!(changed.signed_by(&key.public()), Signed::Wrongly);
    }
}
