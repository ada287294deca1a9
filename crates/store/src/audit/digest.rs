//! Digests of what was shown and made, for outcomes: the log holds them, never the text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use embley_model::id::hex_encode;
use sha2::{Digest as _, Sha256};

/// SHA-256 of bytes that come piece by piece, and how many they were.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    hash: Sha256,
    bytes: u64,
}

impl Digest {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// How many bytes came.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The hash, hexadecimal.
    pub fn hex(&self) -> String {
        hex_encode(&self.hash.clone().finalize())
    }

    /// The digest of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_file(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        let mut digest = Self::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(digest),
                read => digest.update(&buffer[..read]),
            }
        }
    }
}
