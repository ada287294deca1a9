//! The file `audit/tree`: where each entry of the log ends, and the hashes of all whole subtrees of the Merkle tree over the entries.
//!
//! Layout, without a header: for each entry in order, 8 bytes (little endian) with the offset in `log.jsonl` behind its line end, the 32
//! bytes of its leaf, and then one hash for each larger subtree that this entry completes, smallest first. So entry `n` stands at
//! `40 n + 32 (n - ones(n))`, where `ones` counts the binary ones: any hash is one read, an append a few, and proofs as many as the
//! tree is high. Derived: made again from the log, and a second witness of it until then. Invariant: written only behind the log.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::{Result, StoreError};
use crate::merkle::{self, Hash, Subtrees};

/// Bytes before the record of entry `number`; also the length of the file of so many entries.
pub(super) fn position(number: u64) -> u64 {
    let inner = number - u64::from(number.count_ones());
    40 * number + 32 * inner
}

/// How many entries have their whole record in a file of this length.
pub(super) fn count_of(length: u64) -> u64 {
    let (mut low, mut high) = (0, length / 40);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if position(middle) <= length {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The file open for reading.
#[derive(Debug)]
pub(super) struct TreeFile {
    file: File,
    length: u64,
    path: std::path::PathBuf,
}

impl TreeFile {
    /// Opens it; nothing when it is not there.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", path, error)),
        };
        let length = file
            .metadata()
            .map_err(|error| StoreError::io("read", path, error))?
            .len();
        Ok(Some(Self {
            file,
            length,
            path: path.to_owned(),
        }))
    }

    /// Whole records.
    pub(super) fn count(&self) -> u64 {
        count_of(self.length)
    }

    fn hash_at(&self, offset: u64) -> Result<Hash> {
        let mut hash = [0; 32];
        self.file
            .read_exact_at(&mut hash, offset)
            .map_err(|error| StoreError::io("read", &self.path, error))?;
        Ok(hash)
    }

    /// Where the line of this entry ends.
    pub(super) fn end(&self, number: u64) -> Result<u64> {
        let mut end = [0; 8];
        self.file
            .read_exact_at(&mut end, position(number))
            .map_err(|error| StoreError::io("read", &self.path, error))?;
        Ok(u64::from_le_bytes(end))
    }

    /// The leaf of this entry.
    pub(super) fn leaf(&self, number: u64) -> Result<Hash> {
        self.hash_at(position(number) + 8)
    }

    /// Ends and leaves of the first `count` entries, and whether every larger subtree is what they give.
    pub(super) fn read_all(&self, count: u64) -> Result<(Vec<(u64, Hash)>, bool)> {
        let mut entries = Vec::new();
        let mut open: Vec<(u64, Hash)> = Vec::new();
        let mut whole = true;
        let mut reader = std::io::BufReader::with_capacity(1 << 18, &self.file);
        let mut record = [0; 40];
        let mut inner = [0; 32];
        let failed = |error| StoreError::io("read", &self.path, error);
        std::io::Seek::rewind(&mut reader).map_err(failed)?;
        for _ in 0..count {
            std::io::Read::read_exact(&mut reader, &mut record).map_err(failed)?;
            let (end, leaf) = record.split_at(8);
            let end = u64::from_le_bytes(end.try_into().expect("8 of 40 bytes"));
            let leaf: Hash = leaf.try_into().expect("32 of 40 bytes");
            entries.push((end, leaf));
            let mut subtree = (1, leaf);
            while let Some(left) = open.pop_if(|left| left.0 == subtree.0) {
                subtree = (subtree.0 * 2, merkle::node(&left.1, &subtree.1));
                std::io::Read::read_exact(&mut reader, &mut inner).map_err(failed)?;
                whole &= inner == subtree.1;
            }
            open.push(subtree);
        }
        Ok((entries, whole))
    }
}

impl Subtrees for TreeFile {
    type Error = StoreError;

    fn subtree(&self, level: u32, number: u64) -> Result<Hash> {
        // It is completed by its last entry, behind that one's end and leaf and the smaller subtrees.
        let last = ((number + 1) << level) - 1;
        self.hash_at(position(last) + 8 + 32 * u64::from(level))
    }
}

/// The record of entry `number`: `subtree` gives what stands in the file, or will.
pub(super) fn record(
    number: u64,
    end: u64,
    leaf: Hash,
    mut subtree: impl FnMut(u32, u64) -> Result<Hash>,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(40 + 32 * 4);
    bytes.extend_from_slice(&end.to_le_bytes());
    bytes.extend_from_slice(&leaf);
    let mut hash = leaf;
    let mut at = number;
    let mut level = 0;
    while at & 1 == 1 {
        hash = merkle::node(&subtree(level, at - 1)?, &hash);
        bytes.extend_from_slice(&hash);
        at >>= 1;
        level += 1;
    }
    Ok(bytes)
}

/// Subtrees of a list in memory, for proofs over a log whose tree file is not to be had.
#[derive(Debug)]
pub(super) struct Leaves<'a>(pub(super) &'a [Hash]);

impl Subtrees for Leaves<'_> {
    type Error = StoreError;

    fn subtree(&self, level: u32, number: u64) -> Result<Hash> {
        let from = usize::try_from(number << level).unwrap_or(usize::MAX);
        let to = usize::try_from((number + 1) << level).unwrap_or(usize::MAX);
        let leaves = self
            .0
            .get(from..to)
            .ok_or_else(|| StoreError::internal(format!("there are no entries {from} to {to} in the audit log")))?;
        Ok(merkle::root_of_leaves(leaves))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_stand_where_their_number_says_and_give_every_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tree");
        let leaves: Vec<Hash> = (0_u32..70).map(|entry| merkle::leaf(&entry.to_be_bytes())).collect();
        let mut bytes: Vec<u8> = Vec::new();
        for (number, leaf) in (0_u64..).zip(&leaves) {
            assert_eq!(bytes.len() as u64, position(number), "{number}");
            assert_eq!(count_of(bytes.len() as u64), number);
            let written = bytes.clone();
            let record = record(number, number * 10 + 10, *leaf, |level, at| {
                let last = ((at + 1) << level) - 1;
                let from = (position(last) + 8 + 32 * u64::from(level)) as usize;
                Ok(written[from..from + 32].try_into().expect("32 bytes"))
            });
            bytes.extend(record.expect("a record"));
            assert_eq!(count_of(bytes.len() as u64 - 1), number);
        }
        crate::disk::Disk::replace(&crate::disk::RealDisk, &path, &bytes).expect("written");
        let tree = TreeFile::open(&path).expect("opened").expect("there");
        assert_eq!(tree.count(), 70);
        for size in 0..=70 {
            let root = merkle::root_at(&tree, size).expect("a root");
            assert_eq!(root, merkle::root_of_leaves(&leaves[..size as usize]), "{size}");
        }
        assert_eq!(
            (tree.end(69).expect("read"), tree.leaf(69).expect("read")),
            (700, leaves[69])
        );
        let (all, whole) = tree.read_all(70).expect("read");
        assert!(whole && all.iter().map(|one| one.1).eq(leaves.iter().copied()));
        bytes[(position(70) - 1) as usize] ^= 1;
        crate::disk::Disk::replace(&crate::disk::RealDisk, &path, &bytes).expect("written");
        let tree = TreeFile::open(&path).expect("opened").expect("there");
        assert!(!tree.read_all(70).expect("read").1);
    }
}
