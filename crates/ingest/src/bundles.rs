//! Messages of properties on their way into a case: from their bundle, in memory or in a temporary copy, to items and places of their parts' bytes.
//!
//! Not for: what a bundle is (`embley_formats::mapi::bundle`). Main type: [`HeldBundle`]. Invariant: a bundle gives the same items whichever way it is held,
//! and a content is believed to be what its hash says only after it was hashed here.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;

use embley_formats::mapi::bundle::{self, Bundle};
use embley_formats::mapi::{LongPart, LongParts, digests};
use embley_formats::source::SourceFile;
use embley_mapi::canonical::{self, Digest};
use embley_model::id::{Blake3, Sha256};
use embley_store::packs::FrameBuilder;
use sha2::Digest as _;

use crate::error::IngestError;
use crate::prepare;
use crate::unit::{PreparedItem, StreamedOriginal};

/// A bundle that was read and checked.
pub(crate) enum HeldBundle<'b> {
    /// In a buffer of the unit.
    Memory(Bundle<'b>),
    /// In the temporary copy of the member, but for the message itself.
    File(FileBundle),
}

/// See [`HeldBundle::File`].
pub(crate) struct FileBundle {
    path: PathBuf,
    source: SourceFile,
    bundle: bundle::OpenBundle,
    /// SHA-256 of the contents, by their BLAKE3.
    sha256: BTreeMap<[u8; 32], Sha256>,
}

impl FileBundle {
    /// Reads the bundle in a file and hashes its contents; `None` when it is none, or a content is not what its hash says.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn open(path: &std::path::Path) -> io::Result<Option<Self>> {
        let source = SourceFile::open(path).map_err(io::Error::other)?;
        let Some(bundle) = bundle::open(&source)? else {
            return Ok(None);
        };
        let mut hashes = BTreeMap::new();
        let mut buffer = vec![0; 256 << 10];
        for (hash, range) in &bundle.contents {
            let mut blake3 = blake3::Hasher::new();
            let mut sha256 = sha2::Sha256::new();
            let mut input = reader(&source, range.clone());
            loop {
                let read = input.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                blake3.update(&buffer[..read]);
                sha256.update(&buffer[..read]);
            }
            if blake3.finalize().as_bytes() != hash {
                return Ok(None);
            }
            hashes.insert(*hash, Sha256(sha256.finalize().into()));
        }
        Ok(Some(Self {
            path: path.to_path_buf(),
            source,
            bundle,
            sha256: hashes,
        }))
    }

    /// The message: what identifies it.
    pub(crate) fn canonical(&self) -> &[u8] {
        &self.bundle.canonical
    }
}

fn reader(source: &SourceFile, range: Range<u64>) -> impl Read + '_ {
    // Read as it stands: nothing is quoted in it.
    embley_formats::mailbox::UnquoteReader::new(source, range, crate::work::AS_IT_IS)
}

impl HeldBundle<'_> {
    /// What was odd while the message was read from its file.
    pub(crate) fn defects(&self) -> &[embley_model::defect::Defect] {
        match self {
            Self::Memory(bundle) => &bundle.defects,
            Self::File(file) => &file.bundle.defects,
        }
    }

    /// All of a content.
    pub(crate) fn content(&self, hash: &[u8; 32]) -> Option<Vec<u8>> {
        match self {
            Self::Memory(bundle) => bundle.contents.get(hash).map(|bytes| bytes.to_vec()),
            Self::File(file) => file.head(hash, usize::MAX),
        }
    }

    /// The first bytes of a content.
    fn head(&self, hash: &[u8; 32], most: usize) -> Option<Vec<u8>> {
        match self {
            Self::Memory(bundle) => {
                let bytes = bundle.contents.get(hash)?;
                Some(bytes[..bytes.len().min(most)].to_vec())
            }
            Self::File(file) => file.head(hash, most),
        }
    }

    fn sha256(&self, hash: &[u8; 32]) -> Option<Sha256> {
        match self {
            Self::Memory(bundle) => bundle.contents.get(hash).map(|bytes| prepare::sha256(bytes)),
            Self::File(file) => file.sha256.get(hash).copied(),
        }
    }

    /// Says where the bytes of parts come from: those that the message held go into the frames now, the others are copied by the number step.
    ///
    /// # Errors
    /// When the frames cannot be made.
    pub(crate) fn keep_parts(
        &self,
        items: &mut [PreparedItem],
        parts: Vec<Option<Vec<u8>>>,
        frames: &mut FrameBuilder,
    ) -> Result<(), IngestError> {
        for (item, held) in items.iter_mut().zip(parts).skip(1) {
            match (held, self) {
                (Some(bytes), _) => item.span = Some(frames.add(&bytes, &item.blake3)?),
                (None, Self::Memory(bundle)) => {
                    if let Some(bytes) = bundle.contents.get(&item.blake3.0) {
                        item.span = Some(frames.add(bytes, &item.blake3)?);
                    }
                }
                (None, Self::File(file)) => {
                    item.streamed = file.bundle.contents.get(&item.blake3.0).map(|range| StreamedOriginal {
                        path: file.path.clone(),
                        variant: None,
                        start: range.start,
                        end: range.end,
                    });
                }
            }
            if item.span.is_none() && item.streamed.is_none() {
                return Err(IngestError::internal("a part of a message has no bytes"));
            }
        }
        Ok(())
    }

    /// The contents by part, for those that the message does not hold.
    pub(crate) fn long(&self) -> Long<'_> {
        let item = match self {
            Self::Memory(bundle) => canonical::read(bundle.canonical),
            Self::File(file) => canonical::read(file.canonical()),
        };
        Long {
            bundle: self,
            digests: item.map(|(item, _)| digests(&item)).unwrap_or_default(),
        }
    }
}

impl FileBundle {
    fn head(&self, hash: &[u8; 32], most: usize) -> Option<Vec<u8>> {
        let range = self.bundle.contents.get(hash)?;
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let bytes = self.source.read_at_most(range.start, length.min(most)).ok()?;
        Some(bytes)
    }
}

/// See [`HeldBundle::long`].
pub(crate) struct Long<'h> {
    bundle: &'h HeldBundle<'h>,
    digests: BTreeMap<String, Digest>,
}

impl LongParts for Long<'_> {
    fn part(&mut self, part_path: &str) -> Option<LongPart> {
        let digest = self.digests.get(part_path)?;
        Some(LongPart {
            blake3: Blake3(digest.hash),
            sha256: self.bundle.sha256(&digest.hash)?,
            size: digest.length,
        })
    }

    fn head(&mut self, part_path: &str, most: usize) -> Vec<u8> {
        let digest = self.digests.get(part_path);
        digest
            .and_then(|digest| self.bundle.head(&digest.hash, most))
            .unwrap_or_default()
    }
}
