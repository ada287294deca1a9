//! Where decoded bytes go: kept, or hashed while they pass, with the head kept for text and recognition.

use std::borrow::Cow;

use embley_model::id::{Blake3, Sha256};
use sha2::Digest;

use super::Content;

/// Bytes of a part that decide whether it is text.
pub(crate) const SNIFF_BYTES: usize = 64 * 1024;

/// Takes decoded bytes.
pub(crate) enum Sink {
    /// Keeps them all.
    Keep(Vec<u8>),
    /// Hashes them.
    Hash(Box<HashSink>),
}

/// BLAKE3 and SHA-256 of what passes, and its first bytes.
pub(crate) struct HashSink {
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
    size: u64,
    head: Vec<u8>,
    head_cap: usize,
    /// Whether the head goes on beyond what decides on text; unknown until then.
    textual: Option<bool>,
}

impl Sink {
    /// A sink that hashes. `textual` says that text is wanted up to `text_cap` bytes; otherwise the first
    /// bytes decide.
    pub(crate) fn hashing(textual: bool, text_cap: usize) -> Self {
        Self::Hash(Box::new(HashSink {
            blake3: blake3::Hasher::new(),
            sha256: sha2::Sha256::new(),
            size: 0,
            head: Vec::new(),
            head_cap: text_cap.max(SNIFF_BYTES),
            textual: textual.then_some(true),
        }))
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Keep(kept) => kept.extend_from_slice(bytes),
            Self::Hash(sink) => sink.push(bytes),
        }
    }

    /// The content, and its head when it was hashed.
    pub(crate) fn finish(self) -> (Content<'static>, Option<Vec<u8>>) {
        match self {
            Self::Keep(kept) => (Content::Bytes(Cow::Owned(kept)), None),
            Self::Hash(sink) => {
                let content = Content::Streamed {
                    blake3: Blake3(*sink.blake3.finalize().as_bytes()),
                    sha256: Sha256(sink.sha256.finalize().into()),
                    size: sink.size,
                };
                (content, Some(sink.head))
            }
        }
    }
}

impl HashSink {
    fn push(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
        let mut rest = bytes;
        while !rest.is_empty() {
            let cap = match self.textual {
                Some(true) => self.head_cap,
                Some(false) => return,
                None => SNIFF_BYTES,
            };
            let room = cap.saturating_sub(self.head.len()).min(rest.len());
            self.head.extend_from_slice(&rest[..room]);
            rest = &rest[room..];
            if rest.is_empty() {
                return;
            }
            if self.textual.is_some() {
                return;
            }
            self.textual = Some(looks_textual(&self.head));
        }
    }
}

/// Digests of bytes in memory, as a streamed content.
pub(crate) fn hashed(bytes: &[u8]) -> Content<'static> {
    let mut sink = Sink::hashing(false, 0);
    sink.push(bytes);
    sink.finish().0
}

/// True when the first bytes of something undeclared look like text in some charset.
pub(crate) fn looks_textual(head: &[u8]) -> bool {
    let head = &head[..head.len().min(SNIFF_BYTES)];
    if head.is_empty() {
        return false;
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return true;
    }
    let odd = head
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
        .count();
    if odd * 200 > head.len() || head.contains(&0) {
        return false;
    }
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) if error.error_len().is_none() => true,
        Err(_) => {
            // Text in another charset has mostly words in it; compressed bytes have not.
            let high = head.iter().filter(|byte| !byte.is_ascii()).count();
            odd == 0 && high * 10 < head.len() * 9
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashing_keeps_the_head_of_text_and_only_a_sniff_of_the_rest() {
        let text = vec![b'a'; SNIFF_BYTES * 3];
        let mut sink = Sink::hashing(false, SNIFF_BYTES * 2);
        text.chunks(1000).for_each(|piece| sink.push(piece));
        let (content, head) = sink.finish();
        assert_eq!(content.size(), text.len() as u64);
        assert_eq!(head.map(|head| head.len()), Some(SNIFF_BYTES * 2));
        let binary = vec![0_u8; SNIFF_BYTES * 3];
        let mut sink = Sink::hashing(false, SNIFF_BYTES * 2);
        binary.chunks(999).for_each(|piece| sink.push(piece));
        let (content, head) = sink.finish();
        assert_eq!(head.map(|head| head.len()), Some(SNIFF_BYTES));
        assert_eq!(content, hashed(&binary));
    }

    #[test]
    fn text_and_binary_are_told_apart() {
        assert!(looks_textual(b"hello\tworld\r\n"));
        assert!(looks_textual("größe".as_bytes()));
        assert!(looks_textual(b"gr\xf6\xdfe in latin"));
        assert!(!looks_textual(b"PK\x03\x04\x14\0\0\0"));
        assert!(!looks_textual(b"\x89PNG\r\n\x1a\n\0\0"));
        assert!(!looks_textual(b""));
    }
}
