//! The header of a file ([MS-PST] section 2.2.2.6) and what follows from it for pages and blocks.
//!
//! Main types: [`Header`], [`Layout`]. Invariant: a wrong checksum is said and the header is used; only the magic number and the
//! version stop the reading.

use embley_model::defect::{Defect, DefectCode};

use super::checksum::crc;
use super::crypt::CryptMethod;
use crate::PstError;
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::read::{ReadAt, read_full};

/// Bytes of the header that are used; an ANSI header is shorter.
const HEADER_BYTES: usize = 564;

/// Which of the three layouts a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileVersion {
    /// 32-bit identifiers, 8-bit text, at most 2 GiB (Outlook 97 to 2002).
    Ansi,
    /// 64-bit identifiers, pages of 512 bytes.
    Unicode,
    /// 64-bit identifiers, pages of 4096 bytes, compressed blocks (OST of Outlook 2013 and later).
    Unicode4k,
}

/// What the header of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Layout.
    pub version: FileVersion,
    /// `wVer` as stored: 14 or 15, 23, 36, 37.
    pub version_number: u16,
    /// True for an OST: the copy of a mailbox that a server holds.
    pub is_ost: bool,
    /// Obfuscation of data blocks.
    pub crypt: CryptMethod,
    /// Length that the header states, in bytes.
    pub stated_bytes: u64,
    /// Root page of the node tree: identifier and offset.
    pub(crate) node_root: PageRef,
    /// Root page of the block tree.
    pub(crate) block_root: PageRef,
    /// Its checksums hold, so that its roots are those that were written last.
    pub(crate) is_sound: bool,
    /// What is odd about the header.
    pub(crate) defects: Vec<Defect>,
}

/// Where a page lies and which identifier it has (`BREF`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageRef {
    pub(crate) id: u64,
    pub(crate) offset: u64,
}

/// Sizes that depend on the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Identifiers and offsets have 8 bytes, not 4.
    pub(crate) wide: bool,
    /// Bytes of a page.
    pub(crate) page_bytes: usize,
    /// Bytes of a page before its trailer.
    pub(crate) page_body: usize,
    /// Bytes of a block's trailer.
    pub(crate) block_trailer: usize,
    /// Blocks begin and end at multiples of this.
    pub(crate) block_align: usize,
    /// Most bytes of data in a block.
    pub(crate) block_data: usize,
}

impl FileVersion {
    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::Ansi => Layout {
                wide: false,
                page_bytes: 512,
                page_body: 500,
                block_trailer: 12,
                block_align: 64,
                block_data: 8180,
            },
            Self::Unicode => Layout {
                wide: true,
                page_bytes: 512,
                page_body: 496,
                block_trailer: 16,
                block_align: 64,
                block_data: 8176,
            },
            // Not in [MS-PST]; found in files of Outlook 2013 to 2019.
            Self::Unicode4k => Layout {
                wide: true,
                page_bytes: 4096,
                page_body: 4072,
                block_trailer: 24,
                block_align: 512,
                block_data: 65512,
            },
        }
    }
}

impl Layout {
    /// An identifier or offset of this layout.
    pub(crate) fn id_at(self, bytes: &[u8], at: usize) -> Option<u64> {
        if self.wide {
            u64_at(bytes, at)
        } else {
            u32_at(bytes, at).map(u64::from)
        }
    }

    /// Bytes of an identifier or offset.
    pub(crate) fn id_bytes(self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// Bytes that a block with this much data takes in the file.
    pub(crate) fn block_span(self, data: usize) -> usize {
        (data + self.block_trailer).next_multiple_of(self.block_align)
    }
}

impl Header {
    /// Reads the header at the start of `source`.
    ///
    /// # Errors
    /// The source cannot be read, is no PST, or has a version that is not known. Nothing is held.
    pub(crate) fn read(source: &dyn ReadAt) -> Result<Self, PstError> {
        let mut bytes = vec![0u8; HEADER_BYTES];
        let length = read_full(source, &mut bytes, 0)?;
        bytes.truncate(length);
        if bytes.get(..4) != Some(b"!BDN") {
            return Err(PstError::NotPst {
                why: "it does not begin with !BDN",
            });
        }
        Self::parse(&bytes, source).ok_or(PstError::NotPst {
            why: "its header is cut",
        })?
    }

    /// `None` when `bytes` end too early.
    fn parse(bytes: &[u8], source: &dyn ReadAt) -> Option<Result<Self, PstError>> {
        let mut defects = Vec::new();
        let number = u16_at(bytes, 10)?;
        let wide = match number {
            14 | 15 => false,
            // Outlook writes 23; other programs 21 and 22 too.
            20..=63 => true,
            version => return Some(Err(PstError::Version { version })),
        };
        let client = bytes.get(8..10)?;
        if client != b"SM" && client != b"SO" {
            let detail = format!("client magic {client:02x?} is neither of a PST nor of an OST");
            defects.push(Defect::new(DefectCode::PstForm, detail));
        }
        let (root, crypt_at) = if wide { (180, 513) } else { (164, 461) };
        let word = if wide { 8 } else { 4 };
        let id_at = |at: usize| {
            if wide {
                u64_at(bytes, at)
            } else {
                u32_at(bytes, at).map(u64::from)
            }
        };
        let page_ref = |at: usize| {
            Some(PageRef {
                id: id_at(at)?,
                offset: id_at(at + word)?,
            })
        };
        let stated_bytes = id_at(root + 4)?;
        let node_root = page_ref(root + 4 + 4 * word)?;
        let block_root = page_ref(root + 4 + 6 * word)?;
        let allocation_valid = *bytes.get(root + 4 + 8 * word)?;
        let crypt = CryptMethod::of(*bytes.get(crypt_at)?);
        let client_defects = defects.len();
        if crc(bytes.get(8..8 + 471)?) != u32_at(bytes, 4)? {
            defects.push(Defect::new(DefectCode::PstChecksum, "checksum of the header"));
        }
        if wide && crc(bytes.get(8..524)?) != u32_at(bytes, 524)? {
            defects.push(Defect::new(DefectCode::PstChecksum, "second checksum of the header"));
        }
        let is_sound = defects.len() == client_defects;
        if source.len() < stated_bytes {
            let detail = format!("{} bytes of {stated_bytes}", source.len());
            defects.push(Defect::new(DefectCode::PstTruncated, detail));
        }
        if allocation_valid == 0 {
            defects.push(Defect::new(
                DefectCode::PstNotClosed,
                "its map of free space is marked as invalid",
            ));
        }
        match crypt {
            CryptMethod::Protected => {
                defects.push(Defect::new(DefectCode::PstProtected, "Windows Information Protection"));
            }
            CryptMethod::Unknown(method) => {
                let detail = format!("obfuscation {method} is not known; blocks are taken as they are");
                defects.push(Defect::new(DefectCode::PstForm, detail));
            }
            CryptMethod::None | CryptMethod::Permute | CryptMethod::Cyclic => {}
        }
        let version = match (wide, number) {
            (false, _) => FileVersion::Ansi,
            (true, ..36) => FileVersion::Unicode,
            (true, _) => page_size(source, [node_root.offset, block_root.offset]),
        };
        Some(Ok(Self {
            version,
            version_number: number,
            is_ost: client == b"SO",
            crypt,
            stated_bytes,
            node_root,
            block_root,
            is_sound,
            defects,
        }))
    }
}

/// Version 36 has pages of 4096 bytes; version 37 says nothing about them, so the type bytes of the root pages decide.
fn page_size(source: &dyn ReadAt, roots: [u64; 2]) -> FileVersion {
    let is_type = |offset: u64, at: u64, kind: u8| {
        let mut pair = [0u8; 2];
        let read = offset.checked_add(at).map(|place| read_full(source, &mut pair, place));
        matches!(read, Some(Ok(2))) && pair == [kind, kind]
    };
    let small = is_type(roots[0], 496, 0x81) && is_type(roots[1], 496, 0x80);
    let large = is_type(roots[0], 4072, 0x81) || is_type(roots[1], 4072, 0x80);
    if small && !large {
        FileVersion::Unicode
    } else {
        FileVersion::Unicode4k
    }
}
