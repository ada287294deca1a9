//! How many pages an image has, for load files of images. Only what those files can name: JPEG, PNG, GIF, BMP, TIFF.
//!
//! Reads no more than the heads of a TIFF's pages; a damaged one counts what could be read.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Most pages that are counted.
const MOST_PAGES: u32 = 100_000;

/// The pages of an image; nothing for what is none.
pub(super) fn pages(file: &File) -> Option<u32> {
    let mut head = [0_u8; 8];
    file.read_exact_at(&mut head, 0).ok()?;
    match head {
        [0xFF, 0xD8, 0xFF, ..] | [b'B', b'M', ..] => Some(1),
        [b'G', b'I', b'F', b'8', ..] | [0x89, b'P', b'N', b'G', ..] => Some(1),
        [b'I', b'I', 42, 0, rest @ ..] => Some(tiff(file, u32::from_le_bytes(rest), true)),
        [b'M', b'M', 0, 42, rest @ ..] => Some(tiff(file, u32::from_be_bytes(rest), false)),
        _ => None,
    }
}

/// Follows the chain of image file directories (TIFF 6.0, section 2). Each must lie behind the one before, so a ring ends.
fn tiff(file: &File, first: u32, little: bool) -> u32 {
    let (mut at, mut pages) = (first, 0);
    while at >= 8 && pages < MOST_PAGES {
        let mut count = [0; 2];
        if file.read_exact_at(&mut count, u64::from(at)).is_err() {
            break;
        }
        let count = if little {
            u16::from_le_bytes(count)
        } else {
            u16::from_be_bytes(count)
        };
        let mut next = [0; 4];
        let end = u64::from(at) + 2 + 12 * u64::from(count);
        if file.read_exact_at(&mut next, end).is_err() {
            break;
        }
        pages += 1;
        let next = if little {
            u32::from_le_bytes(next)
        } else {
            u32::from_be_bytes(next)
        };
        if next <= at {
            break;
        }
        at = next;
    }
    pages.max(1)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn pages_of(bytes: &[u8]) -> Option<u32> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        pages(&file)
    }

    #[test]
    fn pages_of_images_are_counted_and_a_ring_of_them_ends() {
        assert_eq!(pages_of(b"\x89PNG\r\n\x1a\n..."), Some(1));
        assert_eq!(pages_of(b"%PDF-1.7 ..."), None);
        assert_eq!(pages_of(b""), None);
        // Two directories without entries, at 8 and 14.
        assert_eq!(pages_of(b"II*\0\x08\0\0\0\0\0\x0e\0\0\0\0\0\0\0\0\0"), Some(2));
        // A directory that names itself as the next one.
        assert_eq!(pages_of(b"II*\0\x08\0\0\0\0\0\x08\0\0\0"), Some(1));
        assert_eq!(pages_of(b"MM\0*\xff\xff\xff\xff"), Some(1));
    }
}
