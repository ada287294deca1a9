//! RC4 of the binary formats: DOC, XLS ([MS-OFFCRYPTO] 2.3.5, 2.3.6; [MS-DOC] 2.2.6; [MS-XLS] 2.2.10). The plain bytes are put in place in the tree.

use embley_mapi::compound::Tree;

use super::ciphers::{Hash, Rc4};
use super::{Outcome, candidates, word_at};

/// Key of an encrypted document, once a password is known to be right.
enum Key {
    /// 2.3.6.2: five bytes of an MD5.
    Basic(Vec<u8>),
    /// 2.3.5.2: SHA-1 of salt and password, bytes of the key.
    CryptoApi(Vec<u8>, usize),
}

impl Key {
    fn cipher(&self, block: u32) -> Rc4 {
        match self {
            Self::Basic(short) => Rc4::new(&Hash::Md5.of(short, &block.to_le_bytes())),
            Self::CryptoApi(hash, key_bytes) => {
                let mut key = Hash::Sha1.of(hash, &block.to_le_bytes());
                key.truncate(*key_bytes);
                // Keys of 40 bits are filled up to 128 (2.3.5.2).
                if *key_bytes == 5 {
                    key.resize(16, 0);
                }
                Rc4::new(&key)
            }
        }
    }

    /// The bytes of a stream that begins at `start` in its count of blocks.
    fn stream(&self, bytes: &[u8], block_bytes: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for (block, chunk) in (0u32..).zip(bytes.chunks(block_bytes)) {
            out.extend(self.cipher(block).apply(chunk));
        }
        out
    }
}

/// What stands behind the version: salt, verifier, hash of the verifier.
fn find_key(header: &[u8], passwords: &[String]) -> Result<Option<(Key, Option<usize>)>, String> {
    let cut = || "its encryption header is cut".to_owned();
    let version = word_at(header, 0).ok_or_else(cut)?;
    let (major, minor) = (version & 0xffff, version >> 16);
    if (major, minor) == (1, 1) {
        let salt = header.get(4..20).ok_or_else(cut)?;
        let verifier = header.get(20..36).ok_or_else(cut)?;
        let hash = header.get(36..52).ok_or_else(cut)?;
        for (position, password) in candidates(passwords) {
            let short = Hash::Md5.of(&password, &[]);
            let mut repeated = Vec::with_capacity(21 * 16);
            for _ in 0..16 {
                repeated.extend_from_slice(&short[..5]);
                repeated.extend_from_slice(salt);
            }
            let key = Key::Basic(Hash::Md5.of(&repeated, &[])[..5].to_vec());
            let mut cipher = key.cipher(0);
            let plain = cipher.apply(verifier);
            if Hash::Md5.of(&plain, &[]) == cipher.apply(hash) {
                return Ok(Some((key, position)));
            }
        }
        return Ok(None);
    }
    if matches!(major, 2..=4) && minor == 2 {
        let header_bytes = word_at(header, 8)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or_else(cut)?;
        let algorithm = word_at(header, 20).ok_or_else(cut)?;
        if algorithm != 0x6801 && algorithm != 0 {
            return Err(format!("cipher {algorithm:#x} is not known"));
        }
        // Zero means 40 bits (2.3.5.1).
        let key_bits = word_at(header, 28)
            .map(|bits| if bits == 0 { 40 } else { bits })
            .ok_or_else(cut)?;
        let key_bytes = usize::try_from(key_bits / 8)
            .ok()
            .filter(|bytes| (5..=16).contains(bytes))
            .ok_or_else(cut)?;
        let verifier = header.get(12usize.saturating_add(header_bytes)..).ok_or_else(cut)?;
        let salt = verifier.get(4..20).ok_or_else(cut)?;
        let sealed = verifier.get(20..36).ok_or_else(cut)?;
        let hash = verifier.get(40..60).ok_or_else(cut)?;
        for (position, password) in candidates(passwords) {
            let key = Key::CryptoApi(Hash::Sha1.of(salt, &password), key_bytes);
            let mut cipher = key.cipher(0);
            let plain = cipher.apply(sealed);
            if Hash::Sha1.of(&plain, &[]) == cipher.apply(hash) {
                return Ok(Some((key, position)));
            }
        }
        return Ok(None);
    }
    Err(format!("encryption {major}.{minor} is not known"))
}

/// Opens a DOC in place ([MS-DOC] 2.2.6.2, 2.2.6.3): its main stream, its table stream, its data.
pub(in super::super) fn word(tree: &mut Tree, passwords: &[String]) -> Outcome {
    const FIB_PLAIN_BYTES: usize = 68;
    const BLOCK_BYTES: usize = 512;
    let root = tree.root();
    let Some(main) = tree.child(root, "WordDocument") else {
        return Outcome::Plain;
    };
    let fib = &tree.node(main).content;
    let Some(flags) = fib.get(10..12).map(|two| u16::from_le_bytes([two[0], two[1]])) else {
        return Outcome::Plain;
    };
    if flags & 0x0100 == 0 {
        return Outcome::Plain;
    }
    if flags & 0x8000 != 0 {
        return Outcome::Unsupported("obfuscated by XOR".to_owned());
    }
    let header_bytes = word_at(fib, 14)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .unwrap_or(0);
    let table_name = if flags & 0x0200 != 0 { "1Table" } else { "0Table" };
    let Some(table) = tree.child(root, table_name) else {
        return Outcome::Unsupported("its table stream is missing".to_owned());
    };
    let header = &tree.node(table).content;
    let header = &header[..header_bytes.min(header.len())];
    let (key, password) = match find_key(header, passwords) {
        Ok(Some(found)) => found,
        Ok(None) => return Outcome::Locked,
        Err(why) => return Outcome::Unsupported(why),
    };
    let streams = [Some(main), Some(table), tree.child(root, "Data")];
    for at in streams.into_iter().flatten() {
        let content = &mut tree.node_mut(at).content;
        let plain = key.stream(content, BLOCK_BYTES);
        let kept = if at == main {
            FIB_PLAIN_BYTES.min(content.len())
        } else {
            0
        };
        content[kept..].copy_from_slice(&plain[kept..]);
    }
    let fib = &mut tree.node_mut(main).content;
    // The document says no longer that it is encrypted.
    let flags = (flags & !0x8100).to_le_bytes();
    fib[10..12].copy_from_slice(&flags);
    if let Some(size) = fib.get_mut(14..18) {
        size.fill(0);
    }
    Outcome::Opened {
        bytes: Vec::new(),
        password,
    }
}

/// Records of a workbook that stay plain ([MS-XLS] 2.2.10), and the bytes at the start of a sheet's record that do.
fn plain_bytes(kind: u16, length: usize) -> usize {
    match kind {
        0x0809 | 0x002f | 0x0194 | 0x0195 | 0x00e1 | 0x0196 | 0x0138 => length,
        0x0085 => length.min(4),
        _ => 0,
    }
}

/// Opens an XLS in place; `main` is the name of its workbook stream.
pub(in super::super) fn workbook(tree: &mut Tree, main: &str, passwords: &[String]) -> Outcome {
    const BLOCK_BYTES: usize = 1024;
    const FILE_PASS: u16 = 0x002f;
    let Some(at) = tree.child(tree.root(), main) else {
        return Outcome::Plain;
    };
    let stream = &mut tree.node_mut(at).content;
    // The record stands near the start, before any text.
    let Some((from, length)) = records(stream)
        .take(64)
        .find(|record| record.0 == FILE_PASS)
        .map(|record| (record.1, record.2))
    else {
        return Outcome::Plain;
    };
    let pass = &stream[from..from + length];
    if pass.first_chunk::<2>().is_none_or(|kind| *kind != [1, 0]) {
        return Outcome::Unsupported("obfuscated by XOR".to_owned());
    }
    let (key, password) = match find_key(&pass[2..], passwords) {
        Ok(Some(found)) => found,
        Ok(None) => return Outcome::Locked,
        Err(why) => return Outcome::Unsupported(why),
    };
    let plain = key.stream(stream, BLOCK_BYTES);
    let all: Vec<_> = records(stream).collect();
    for (kind, from, length) in all {
        let kept = plain_bytes(kind, length);
        stream[from + kept..from + length].copy_from_slice(&plain[from + kept..from + length]);
        if kind == FILE_PASS {
            // A kind that readers pass over.
            stream[from - 4..from - 2].copy_from_slice(&0x0ffeu16.to_le_bytes());
        }
    }
    Outcome::Opened {
        bytes: Vec::new(),
        password,
    }
}

/// Kind, start and length of the content of each record.
fn records(stream: &[u8]) -> impl Iterator<Item = (u16, usize, usize)> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let head = stream.get(at..at.checked_add(4)?)?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let from = at + 4;
        let length = length.min(stream.len() - from);
        at = from + length;
        Some((kind, from, length))
    })
}

/// True when a presentation is encrypted: the token of its current user says so ([MS-PPT] 2.3.2).
pub(in super::super) fn is_locked_presentation(tree: &Tree) -> bool {
    let root = tree.root();
    tree.child(root, "EncryptedSummary").is_some()
        || tree
            .child(root, "Current User")
            .and_then(|at| word_at(&tree.node(at).content, 12))
            .is_some_and(|token| token == 0xf3d1_c4df)
}
