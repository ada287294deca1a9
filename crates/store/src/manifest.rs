//! Reading `manifest.sha256` of a folder that left a case: one line a file, `SHA-256`, two spaces, name, line feed.
//!
//! Strict: what [`crate::outgoing`] does not write is no line. Not for: opening what it names. Main type: [`ManifestReader`]. Invariants:
//! a name that comes out of here stays within the folder ([`is_plain`]); memory does not grow with the file; a line that is too long is
//! one unreadable line, however it goes on.

use std::io::{self, BufRead, Read};

use embley_model::id::{hex_decode, hex_encode};
use sha2::{Digest, Sha256};

use crate::outgoing::is_plain;

/// The longest line that is read.
const MOST_LINE: u64 = 16 << 10;
/// How much of an unreadable line is told, in characters.
const MOST_TOLD: usize = 80;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestLine {
    /// A file.
    File {
        /// SHA-256 of its bytes.
        sha256: [u8; 32],
        /// Its name in the folder, with `/` between folders.
        name: String,
    },
    /// Something else; its beginning.
    Unreadable(String),
}

/// Reads a manifest line by line, and hashes it.
#[derive(Debug)]
pub struct ManifestReader<R> {
    from: R,
    whole: Sha256,
    line: Vec<u8>,
}

impl<R: BufRead> ManifestReader<R> {
    /// Begins.
    pub fn new(from: R) -> Self {
        Self {
            from,
            whole: Sha256::new(),
            line: Vec::new(),
        }
    }

    /// The next line; nothing at the end.
    ///
    /// # Errors
    /// The machine cannot read it.
    pub fn next_line(&mut self) -> io::Result<Option<ManifestLine>> {
        if self.piece()? == 0 {
            return Ok(None);
        }
        if let Some((sha256, name)) = file_of(&self.line) {
            return Ok(Some(ManifestLine::File { sha256, name }));
        }
        let told = String::from_utf8_lossy(&self.line).chars().take(MOST_TOLD).collect();
        while self.line.len() as u64 == MOST_LINE && self.line.last() != Some(&b'\n') {
            self.piece()?;
        }
        Ok(Some(ManifestLine::Unreadable(told)))
    }

    /// SHA-256 of all that was read, hexadecimal.
    pub fn digest(self) -> String {
        hex_encode(&self.whole.finalize())
    }

    fn piece(&mut self) -> io::Result<usize> {
        self.line.clear();
        let read = (&mut self.from).take(MOST_LINE).read_until(b'\n', &mut self.line)?;
        self.whole.update(&self.line);
        Ok(read)
    }
}

fn file_of(line: &[u8]) -> Option<([u8; 32], String)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sha256, name) = line.split_once("  ")?;
    let is_hex = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let sha256 = hex_decode(sha256).filter(|_| is_hex)?.try_into().ok()?;
    is_plain(name).then(|| (sha256, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<ManifestLine> {
        let mut reader = ManifestReader::new(bytes);
        std::iter::from_fn(|| reader.next_line().expect("memory can be read")).collect()
    }

    #[test]
    fn lines_of_a_manifest_are_read_strictly() {
        let hash = "a".repeat(64);
        let one = |name: &str| read(format!("{hash}  {name}\n").as_bytes());
        let file = ManifestLine::File {
            sha256: [0xaa; 32],
            name: "a/b c.txt".to_owned(),
        };
        assert_eq!(one("a/b c.txt"), [file]);
        for bad in ["../x", "/etc/passwd", "a/../b", "", "a\\b", "./a", "a//b", "a\r"] {
            assert!(matches!(one(bad)[..], [ManifestLine::Unreadable(_)]), "{bad:?}");
        }
        for bad in [
            format!("{hash}  a"),
            format!("{}  a\n", "A".repeat(64)),
            format!("{hash} *a\n"),
            "\n".to_owned(),
        ] {
            assert!(
                matches!(read(bad.as_bytes())[..], [ManifestLine::Unreadable(_)]),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn what_stands_within_a_line_that_is_too_long_is_no_line() {
        // Cut into pieces of the longest length, the second piece would be a line by itself.
        let longest = usize::try_from(MOST_LINE).expect("a small number");
        let long = format!("{}{}  hidden\n", "x".repeat(longest), "b".repeat(64));
        let all = read(format!("{long}{}  c\n", "c".repeat(64)).as_bytes());
        assert!(
            matches!(&all[..], [ManifestLine::Unreadable(_), ManifestLine::File { name, .. }] if name == "c"),
            "{all:?}"
        );
    }
}
