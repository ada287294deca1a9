//! Primitives: AES in two modes, RC4, hashes by name, Base64.

use aes::cipher::{BlockCipherDecrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256, Block};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

/// Bytes of a block of AES.
pub(super) const BLOCK: usize = 16;

/// AES with a key of any of its three lengths.
pub(super) enum Aes {
    Short(Aes128),
    Middle(Aes192),
    Long(Aes256),
}

impl Aes {
    /// `None` when the key has another length.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Short),
            24 => Aes192::new_from_slice(key).ok().map(Self::Middle),
            32 => Aes256::new_from_slice(key).ok().map(Self::Long),
            _ => None,
        }
    }

    fn block(&self, block: &mut Block) {
        match self {
            Self::Short(cipher) => cipher.decrypt_block(block),
            Self::Middle(cipher) => cipher.decrypt_block(block),
            Self::Long(cipher) => cipher.decrypt_block(block),
        }
    }

    /// Each block for itself; a last piece of a block is dropped.
    pub(super) fn single_blocks(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for chunk in bytes.chunks_exact(BLOCK) {
            let mut block = Block::default();
            block.copy_from_slice(chunk);
            self.block(&mut block);
            out.extend_from_slice(&block);
        }
        out
    }

    /// Blocks chained (CBC); a last piece of a block is dropped.
    pub(super) fn chained(&self, first: [u8; BLOCK], bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut before = first;
        for chunk in bytes.chunks_exact(BLOCK) {
            let mut block = Block::default();
            block.copy_from_slice(chunk);
            self.block(&mut block);
            out.extend(block.iter().zip(before).map(|(plain, mask)| plain ^ mask));
            before.copy_from_slice(chunk);
        }
        out
    }
}

/// RC4, as far as it has run.
pub(super) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl Rc4 {
    pub(super) fn new(key: &[u8]) -> Self {
        let mut state = [0u8; 256];
        for (at, byte) in (0..=255u8).zip(state.iter_mut()) {
            *byte = at;
        }
        let mut j = 0u8;
        for i in 0..256 {
            j = j
                .wrapping_add(state[i])
                .wrapping_add(key.get(i % key.len().max(1)).copied().unwrap_or(0));
            state.swap(i, usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    /// The next byte of the key stream.
    pub(super) fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        self.j = self.j.wrapping_add(self.state[usize::from(self.i)]);
        self.state.swap(usize::from(self.i), usize::from(self.j));
        let sum = self.state[usize::from(self.i)].wrapping_add(self.state[usize::from(self.j)]);
        self.state[usize::from(sum)]
    }

    pub(super) fn apply(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().map(|byte| byte ^ self.next()).collect()
    }
}

/// A hash that a document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MD5" => Self::Md5,
            "SHA1" | "SHA-1" => Self::Sha1,
            "SHA256" | "SHA-256" => Self::Sha256,
            "SHA384" | "SHA-384" => Self::Sha384,
            "SHA512" | "SHA-512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The hash of two pieces behind one another.
    pub(super) fn of(self, first: &[u8], second: &[u8]) -> Vec<u8> {
        fn run<D: Digest>(first: &[u8], second: &[u8]) -> Vec<u8> {
            let mut digest = D::new();
            digest.update(first);
            digest.update(second);
            digest.finalize().to_vec()
        }
        match self {
            Self::Md5 => run::<Md5>(first, second),
            Self::Sha1 => run::<Sha1>(first, second),
            Self::Sha256 => run::<Sha256>(first, second),
            Self::Sha384 => run::<Sha384>(first, second),
            Self::Sha512 => run::<Sha512>(first, second),
        }
    }
}

/// Base64 (RFC 4648 section 4); white space is skipped, anything else ends it.
pub(super) fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // RC4: key "Key", plain "Plaintext" (the usual vector); AES-128: FIPS 197 appendix B.
        assert_eq!(
            Rc4::new(b"Key").apply(b"Plaintext"),
            [0xbb, 0xf3, 0x16, 0xe8, 0xd9, 0x40, 0xaf, 0x0a, 0xd3]
        );
        let key = [
            0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c,
        ];
        let sealed = [
            0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09, 0xfb, 0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a, 0x0b, 0x32,
        ];
        let plain = Aes::new(&key).expect("16 bytes").single_blocks(&sealed);
        assert_eq!(
            plain,
            [
                0x32, 0x43, 0xf6, 0xa8, 0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34
            ]
        );
        assert_eq!(base64("TWFu IGk="), b"Man i");
    }
}
