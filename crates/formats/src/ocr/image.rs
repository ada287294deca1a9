//! Sizes of images, and pages of a TIFF, from their headers.
//!
//! Not for: pixels. Main function: [`pages`]. Invariant: pure over the bytes; a chain of pages that leads back ends. Sources: PNG (W3C) 11.2.2, JPEG
//! (ITU-T T.81) B.2.2, GIF 89a 18, TIFF 6.0 section 2, BITMAPINFOHEADER, RFC 6386 9.1 and RFC 9649 for WebP.

use std::collections::HashSet;

/// Width and height.
type Size = (u32, u32);

/// Images below this many pixels in both directions are not looked at.
const SMALL: u32 = 50;
/// Nor those with so few pixels in one direction.
const THIN: u32 = 8;

/// Pages of an image.
pub(super) struct Pages {
    /// Size of each page, where it is known; at least one page.
    pub(super) sizes: Vec<Option<Size>>,
    /// What was left out.
    pub(super) odd: Option<String>,
}

pub(super) fn is_read(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png" | "image/jpeg" | "image/tiff" | "image/bmp" | "image/gif" | "image/webp"
    )
}

/// The bytes begin as the type demands. The program would take what is no image for a list of files.
pub(super) fn is_what_it_says(media_type: &str, bytes: &[u8]) -> bool {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    match media_type {
        "image/png" => starts(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => starts(b"\xff\xd8\xff"),
        "image/tiff" => starts(b"II*\0") || starts(b"MM\0*"),
        "image/bmp" => starts(b"BM"),
        "image/gif" => starts(b"GIF8"),
        "image/webp" => starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => false,
    }
}

/// Too small for a word.
pub(super) fn is_too_small((width, height): Size) -> bool {
    (width < SMALL && height < SMALL) || width < THIN || height < THIN
}

/// Counts pages, at most `max_pages`.
pub(super) fn pages(media_type: &str, bytes: &[u8], max_pages: usize) -> Pages {
    let one = |size| Pages {
        sizes: vec![size],
        odd: None,
    };
    match media_type {
        "image/png" => one(be32(bytes, 16).zip(be32(bytes, 20))),
        "image/jpeg" => one(jpeg(bytes)),
        "image/gif" => one(le16(bytes, 6).zip(le16(bytes, 8))),
        "image/bmp" => one(bmp(bytes)),
        "image/webp" => one(webp(bytes)),
        "image/tiff" => tiff(bytes, max_pages),
        _ => one(None),
    }
}

fn octets<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    octets(bytes, at).map(|two| u32::from(u16::from_be_bytes(two)))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    octets(bytes, at).map(|two| u32::from(u16::from_le_bytes(two)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    octets(bytes, at).map(u32::from_be_bytes)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    octets(bytes, at).map(u32::from_le_bytes)
}

/// The first frame header.
fn jpeg(bytes: &[u8]) -> Option<Size> {
    let mut at = 2_usize;
    loop {
        while bytes.get(at)? != &0xff || bytes.get(at + 1)? == &0xff {
            at += 1;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return be16(bytes, at + 7).zip(be16(bytes, at + 5));
            }
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 | 0xda => return None,
            _ => at = at.checked_add(2)?.checked_add(be16(bytes, at + 2)? as usize)?,
        }
    }
}

fn bmp(bytes: &[u8]) -> Option<Size> {
    if le32(bytes, 14)? == 12 {
        return le16(bytes, 18).zip(le16(bytes, 20));
    }
    // A negative height means rows from the top.
    let height = octets(bytes, 22).map(|four| i32::from_le_bytes(four).unsigned_abs());
    le32(bytes, 18).zip(height)
}

fn webp(bytes: &[u8]) -> Option<Size> {
    let le24 = |at: usize| octets::<3>(bytes, at).map(|three| u32::from_le_bytes([three[0], three[1], three[2], 0]));
    match bytes.get(12..16)? {
        b"VP8X" => Some((le24(24)? + 1, le24(27)? + 1)),
        b"VP8L" => {
            let bits = le32(bytes, 21)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff)),
        _ => None,
    }
}

fn tiff(bytes: &[u8], max_pages: usize) -> Pages {
    let little = bytes.starts_with(b"II");
    let two = |at| if little { le16(bytes, at) } else { be16(bytes, at) };
    let four = |at| if little { le32(bytes, at) } else { be32(bytes, at) };
    let mut sizes = Vec::new();
    let mut odd = None;
    let mut seen = HashSet::new();
    let mut next = four(4);
    while let Some(at) = next.filter(|at| *at != 0) {
        if !seen.insert(at) {
            odd = Some("the chain of pages leads back to an earlier one".to_owned());
            break;
        }
        if sizes.len() >= max_pages {
            odd = Some(format!("pages after the first {max_pages} were left out"));
            break;
        }
        let at = at as usize;
        let Some(count) = two(at) else { break };
        let (mut width, mut height) = (None, None);
        for entry in 0..count as usize {
            let entry = at + 2 + entry * 12;
            let Some(tag) = two(entry) else { break };
            // Of type SHORT, or LONG.
            let value = match two(entry + 2) {
                Some(3) => two(entry + 8),
                Some(4) => four(entry + 8),
                _ => None,
            };
            match tag {
                256 => width = value,
                257 => height = value,
                _ => {}
            }
        }
        sizes.push(width.zip(height));
        next = four(at + 2 + count as usize * 12);
    }
    if sizes.is_empty() {
        sizes.push(None);
    }
    Pages { sizes, odd }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_headers() {
        let check = |media_type: &str, bytes: &[u8], expected: Option<Size>| {
            assert_eq!(pages(media_type, bytes, 9).sizes, [expected], "{media_type}");
        };
        check(
            "image/png",
            b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x02\0\0\0\x03",
            Some((258, 3)),
        );
        check("image/gif", b"GIF89a\x10\0\x20\0", Some((16, 32)));
        check(
            "image/jpeg",
            b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc2\0\x11\x08\0\x0a\0\x14",
            Some((20, 10)),
        );
        check("image/jpeg", b"\xff\xd8\xff", None);
        check(
            "image/bmp",
            b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x07\0\0\0\xf6\xff\xff\xff",
            Some((7, 10)),
        );
        check(
            "image/webp",
            b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x0f\0\0\x1f\0\0",
            Some((16, 32)),
        );
        check("image/png", b"", None);
    }

    #[test]
    fn pages_of_a_tiff_are_counted_and_circles_end() {
        let mut file = b"II*\0\x08\0\0\0".to_vec();
        let page = |width: u8, next: u8| {
            let mut page = vec![2, 0];
            page.extend([0, 1, 3, 0, 1, 0, 0, 0, width, 0, 0, 0]);
            page.extend([1, 1, 4, 0, 1, 0, 0, 0, 60, 0, 0, 0]);
            page.extend([next, 0, 0, 0]);
            page
        };
        file.extend(page(10, 38));
        file.extend(page(70, 8));
        let found = pages("image/tiff", &file, 9);
        assert_eq!(found.sizes, [Some((10, 60)), Some((70, 60))]);
        assert!(found.odd.is_some());
        assert_eq!(pages("image/tiff", &file, 1).sizes.len(), 1);
        for end in 0..file.len() {
            assert!(!pages("image/tiff", &file[..end], 9).sizes.is_empty());
        }
    }
}
