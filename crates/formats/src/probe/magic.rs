//! Magic numbers of formats that are not mail and not text.
//!
//! Not for: opening them. Main function: [`look`]. Invariant: pure over the first bytes; the extension decides only
//! where a container format does not say what it contains.

use memchr::memmem;

use super::{FileKind, compound, package};
use crate::{emlx, smime};

/// What the first bytes say.
pub(super) struct Found {
    pub(super) media_type: &'static str,
    pub(super) encrypted: bool,
}

impl Found {
    fn plain(media_type: &'static str) -> Self {
        Self {
            media_type,
            encrypted: false,
        }
    }

    pub(super) fn kind(&self) -> FileKind {
        FileKind::Other {
            media_type: self.media_type,
            media: self.is_media(),
            encrypted: self.encrypted,
        }
    }

    fn is_media(&self) -> bool {
        ["image/", "audio/", "video/"]
            .iter()
            .any(|family| self.media_type.starts_with(family))
    }
}

/// How far from the start a mark of plain letters is confirmed.
const LOOK_BYTES: usize = 512;

/// Offset, bytes, type. The first that matches holds.
const TABLE: [(usize, &[u8], &str); 93] = [
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\xd7\xcd\xc6\x9a", "image/wmf"),
    (40, b" EMF", "image/emf"),
    (0, b"\0\0\0\x0cjP  ", "image/jp2"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (4, b"moov", "video/quicktime"),
    (4, b"mdat", "video/quicktime"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"MThd", "audio/midi"),
    (0, b".snd", "audio/basic"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\0\0\x01\xba", "video/mpeg"),
    (0, b"\0\0\x01\xb3", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (0, b"!BDN", "application/vnd.ms-outlook-pst"),
    (0, b"\x78\x9f\x3e\x22", "application/vnd.ms-tnef"),
    (0, b"\xffWPC", "application/vnd.wordperfect"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\x1f\x9d", "application/x-compress"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"LZIP", "application/x-lzip"),
    (0, b"\x04\x22\x4d\x18", "application/x-lz4"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (0, b"!<arch>\n", "application/x-archive"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (0, b"xar!\0", "application/x-xar"),
    (257, b"ustar", "application/x-tar"),
    (2, b"-lh", "application/x-lzh"),
    (0, b"\x60\xea", "application/x-arj"),
    (0, b"070707", "application/x-cpio"),
    (0, b"070701", "application/x-cpio"),
    (0, b"070702", "application/x-cpio"),
    (32769, b"CD001", "application/x-iso9660-image"),
    (0, b"ITSF", "application/vnd.ms-htmlhelp"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (4, b"Standard Jet DB", "application/x-msaccess"),
    (4, b"Standard ACE DB", "application/x-msaccess"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-o"),
    (0, b"FWS", "application/x-shockwave-flash"),
    (0, b"CWS", "application/x-shockwave-flash"),
    (0, b"\0\0\0\x0cJXL ", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\x09\0\x04\0", "application/vnd.ms-excel"),
    (0, b"\x09\x02\x06\0", "application/vnd.ms-excel"),
    (0, b"\x09\x04\x06\0", "application/vnd.ms-excel"),
    (0, b"\x31\xbe\0\0", "application/x-mswrite"),
    (0, b"\x32\xbe\0\0", "application/x-mswrite"),
    (0, b"\0\0\x02\0\x06\x04", "application/vnd.lotus-1-2-3"),
    (0, b"\0\0\x1a\0", "application/vnd.lotus-1-2-3"),
    (0, b"\xff\x06\0\0sNaPpY", "application/x-snappy-framed"),
    (0, b"ElfFile\0", "application/x-ms-evtx"),
    (0, b"regf", "application/x-ms-registry-hive"),
    (0, b"bplist00", "application/x-bplist"),
    (4, b"SCCA", "application/x-ms-prefetch"),
    (0, b"EVF\x09\x0d\x0a\xff\0", "application/x-expert-witness"),
    (0, b"AC10", "image/vnd.dwg"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "application/onenote"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\x0b\x77", "audio/ac3"),
    (0, b"wOFF", "font/woff"),
    (0, b"\0\x01\0\0\0", "font/ttf"),
    (0, b"OTTO", "font/otf"),
    (0, b"L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut"),
];

/// LZMA alone has no mark: the common properties byte, a dictionary of whole 64 KiB, and an unknown length or the name for it.
fn is_lzma(head: &[u8], extension: &[u8]) -> bool {
    let unknown_length = head.get(5..13) == Some(&[0xff; 8]);
    head.starts_with(b"\x5d\0\0") && (unknown_length || matches!(extension, b"lzma" | b"tlz"))
}

/// A tar from before the mark `ustar`: the first header's checksum is right (tar(5), "Old-Style Archive Format").
fn is_old_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512).filter(|header| header[0] != 0) else {
        return false;
    };
    let digits = header[148..156].trim_ascii();
    let digits = digits.strip_suffix(b"\0").unwrap_or(digits).trim_ascii_end();
    let Some(stated) = std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u32::from_str_radix(digits.trim_matches('\0'), 8).ok())
    else {
        return false;
    };
    let bytes = header.iter().enumerate();
    let sum: u32 = bytes
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    sum == stated
}

/// Names what the first bytes belong to, when it is not text or mail.
pub(super) fn look(head: &[u8], extension: &[u8]) -> Option<Found> {
    let zip_marks: [&[u8]; 4] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK\x03\x04"];
    if zip_marks.iter().any(|mark| head.starts_with(mark)) {
        return Some(zip(head));
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some(compound::media_type(head, extension));
    }
    // Readers accept junk before the mark of a PDF.
    let start = &head[..head.len().min(1024)];
    if let Some(at) = memmem::find(start, b"%PDF-")
        && (at == 0 || extension == b"pdf")
    {
        return Some(Found {
            media_type: "application/pdf",
            encrypted: memmem::find(head, b"/Encrypt").is_some(),
        });
    }
    // What stands before an archive does not matter to its directory, which is at the end.
    if extension == b"zip" && memmem::find(start, b"PK\x03\x04").is_some() {
        return Some(zip(head));
    }
    if is_lzma(head, extension) {
        return Some(Found::plain("application/x-lzma"));
    }
    if is_old_tar(head) {
        return Some(Found::plain("application/x-tar"));
    }
    if head.starts_with(b"RIFF") && head.len() >= 12 {
        let media_type = match &head[8..12] {
            b"WAVE" => "audio/wav",
            b"AVI " => "video/x-msvideo",
            b"WEBP" => "image/webp",
            _ => "application/octet-stream",
        };
        if has_controls(head) {
            return Some(Found::plain(media_type));
        }
    }
    // `BM` alone begins words; the size that follows tells.
    if head.starts_with(b"BM") && head.len() >= 14 && head[6..10] == [0; 4] {
        return Some(Found::plain("image/bmp"));
    }
    if let Some(kind) = smime::kind_of(head) {
        return Some(Found {
            media_type: kind.media_type,
            encrypted: kind.encrypted,
        });
    }
    // PFX ([RFC 7292] 4): a sequence, then version 3. Keys and certificates under a password.
    if head.first() == Some(&0x30) && memmem::find(&head[..head.len().min(10)], b"\x02\x01\x03\x30").is_some() {
        return Some(Found {
            media_type: "application/x-pkcs12",
            encrypted: true,
        });
    }
    let called_emlx = extension == b"emlx";
    if super::emlx_message(head).is_some() || (called_emlx && begins_emlx(head)) {
        return Some(Found::plain(emlx::MEDIA_TYPE));
    }
    // A universal binary and a Java class share their mark; the number of architectures is small, the version of a class is not.
    if head.starts_with(b"\xca\xfe\xba\xbe") && head.get(4..8).is_some_and(|count| *count < [0, 0, 0, 0x20][..]) {
        return Some(Found::plain("application/x-mach-o"));
    }
    let by_table = TABLE
        .iter()
        .find(|(offset, mark, _)| head.get(*offset..).is_some_and(|rest| rest.starts_with(mark)));
    by_table
        .filter(|(offset, mark, _)| is_sure(head, *offset, mark))
        .map(|(_, _, media_type)| Found::plain(media_type))
}

/// A mark of plain letters begins texts too. Formats that are text themselves say more behind it; all others have a zero or a control character near their
/// beginning.
fn is_sure(head: &[u8], offset: usize, mark: &[u8]) -> bool {
    let behind = head.get(offset + mark.len()..).unwrap_or_default();
    match mark {
        b"{\\rtf" => true,
        // Adobe DSC section 4.2, or a line of its own.
        b"%!PS" => matches!(behind.first(), None | Some(b'-' | b'\r' | b'\n')),
        // All numbers of its header are digits (cpio(5)).
        b"070707" | b"070701" | b"070702" => behind.iter().take(16).all(u8::is_ascii_hexdigit),
        _ if mark.len() <= 2 && !mark.iter().all(is_letter) => {
            head.iter().take(LOOK_BYTES).any(|byte| *byte == 0 || *byte >= 0x80)
        }
        _ if mark.iter().all(is_letter) => has_controls(head),
        _ => true,
    }
}

fn is_letter(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~')
}

fn has_controls(head: &[u8]) -> bool {
    let start = &head[..head.len().min(LOOK_BYTES)];
    start
        .iter()
        .any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

fn zip(head: &[u8]) -> Found {
    // Bit 0 of the flags of the first entry (APPNOTE 4.4.4).
    let encrypted = head.starts_with(b"PK\x03\x04") && head.get(6).is_some_and(|flags| flags & 1 == 1);
    Found {
        media_type: package::media_type(head),
        encrypted,
    }
}

/// A count of bytes, then header lines, whatever the count is.
fn begins_emlx(head: &[u8]) -> bool {
    emlx::count_line(head).is_some_and(|(_, start)| super::begins_with_header(&head[start..]))
}
