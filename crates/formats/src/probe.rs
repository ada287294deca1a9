//! What a file is, decided by its content; the name breaks ties and is checked against the content.
//!
//! Not for: opening it. Main function: [`probe`]. Invariant: pure over the first bytes, the name and the place; the
//! same file gets the same kind wherever it lies, except that text in a Maildir is a message.
//!
//! In this order: nothing, known magic numbers, a mailbox (a separator line first), a message (header lines first), text,
//! else other.

mod compound;
mod magic;
mod package;
mod text_kind;

use embley_model::defect::{Defect, DefectCode};

use crate::mailbox::field_line;
use crate::mailbox::head::lead_in;
use crate::mailbox::separator::{self, Shape};
use crate::opened::class_of;
use crate::text::{MAX_WIDE_MAIL_BYTES, unmarked_wide, utf32, wide_mail};
use crate::walk::Place;

pub use text_kind::{emlx_message, is_structured, structured_type, text_type};

/// How many bytes [`probe`] wants to see, if the file has them.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Lines of a header that are looked at, for some programs write a hundred of their own before those that tell.
const HEADER_LINES: usize = 500;

/// What a file is to the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Messages behind separator lines; one is enough.
    Mailbox,
    /// One message.
    Message,
    /// Text that can be indexed as it is, HTML included.
    Text,
    /// Anything else: kept, hashed, and registered as not searchable.
    Other {
        /// Best guess; `application/octet-stream` when there is none.
        media_type: &'static str,
        /// An image, sound or film.
        media: bool,
        /// Its content is encrypted, as far as the first bytes tell.
        encrypted: bool,
    },
    /// Zero bytes.
    Empty,
}

/// Says what a file is from its first [`HEAD_BYTES`] and its name, and where the two disagree.
pub fn probe(head: &[u8], name: &[u8], place: &Place, file_len: u64) -> (FileKind, Vec<Defect>) {
    let extension = extension(name);
    let called_mailbox = matches!(&extension[..], b"mbox" | b"mbx" | b"mbs");
    if file_len == 0 || head.is_empty() {
        let defects = if called_mailbox {
            vec![Defect::new(DefectCode::BoxEmpty, "")]
        } else {
            Vec::new()
        };
        return (FileKind::Empty, defects);
    }
    let kind = kind(head, &extension, place, file_len);
    let mut defects = Vec::new();
    if called_mailbox && kind != FileKind::Mailbox {
        defects.push(Defect::new(DefectCode::BoxNoFromLine, words(kind)));
    } else if let Some(expected) = expected(&extension)
        && !agrees(expected, kind)
    {
        let detail = format!("called .{}, is {}", String::from_utf8_lossy(&extension), words(kind));
        defects.push(Defect::new(DefectCode::TypeMismatch, detail));
    } else if matches!((place, kind), (Place::Maildir { .. }, FileKind::Other { .. })) {
        let detail = format!("in a Maildir, is {}", words(kind));
        defects.push(Defect::new(DefectCode::TypeMismatch, detail));
    }
    (kind, defects)
}

fn kind(head: &[u8], extension: &[u8], place: &Place, file_len: u64) -> FileKind {
    if let Some(found) = magic::look(head, extension) {
        return found.kind();
    }
    if is_mailbox(head, extension) {
        return FileKind::Mailbox;
    }
    if file_len <= MAX_WIDE_MAIL_BYTES as u64 && wide_mail(head).is_some() {
        return FileKind::Message;
    }
    let whole = head.len() as u64 >= file_len;
    let text = looks_like_text(head, whole, is_text_name(extension));
    match place {
        Place::Maildir { .. } if text || begins_with_header(head) => return FileKind::Message,
        Place::Maildir { .. } | Place::Loose => {}
    }
    let table = matches!(extension, b"csv" | b"tsv" | b"json" | b"jsonl" | b"yaml" | b"yml");
    if begins_with_header(head) && !table {
        return FileKind::Message;
    }
    if text {
        return FileKind::Text;
    }
    FileKind::Other {
        media_type: "application/octet-stream",
        media: false,
        encrypted: false,
    }
}

/// What is declared as text and is something else, told from its first bytes: encrypted, a format that has a reader, or a message or mailbox that somebody
/// attached as a file. `None` for text. Patches and notes that only begin like a message are text: a mailbox or message says so by its name, or has a field
/// that only MIME has (RFC 2045 sections 4 and 6).
pub fn disguised(head: &[u8], name: &[u8]) -> Option<FileKind> {
    let extension = extension(name);
    if let Some(found) = magic::look(head, &extension) {
        let opens = found.encrypted || class_of(found.media_type).is_some();
        return opens.then(|| found.kind());
    }
    let kind = if is_mailbox(head, &extension) {
        FileKind::Mailbox
    } else if begins_with_header(head) {
        FileKind::Message
    } else {
        return None;
    };
    (is_called_mail(&extension) || has_mime_field(head)).then_some(kind)
}

fn is_called_mail(extension: &[u8]) -> bool {
    matches!(extension, b"eml" | b"mbox" | b"mbx" | b"mbs" | b"mht" | b"mhtml")
}

/// A field that only MIME has stands in the first header, of a mailbox behind its separator.
fn has_mime_field(head: &[u8]) -> bool {
    let fields = lines(&head[lead_in(head)..])
        .take(200)
        .take_while(|line| !line.is_empty());
    fields.filter_map(field_line::name).any(|name| {
        name.eq_ignore_ascii_case(b"mime-version") || name.eq_ignore_ascii_case(b"content-transfer-encoding")
    })
}

/// The media type of mail that is a file: of one message (RFC 2046 section 5.2.1), or of a mailbox (RFC 4155); `None` for anything else.
pub fn mail_type(kind: FileKind) -> Option<&'static str> {
    match kind {
        FileKind::Message => Some("message/rfc822"),
        FileKind::Mailbox => Some("application/mbox"),
        FileKind::Text | FileKind::Other { .. } | FileKind::Empty => None,
    }
}

/// The lower-case extension, or nothing when it is longer than any that is known.
fn extension(name: &[u8]) -> Vec<u8> {
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    match last.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if last.len() - dot <= 10 => last[dot + 1..].to_ascii_lowercase(),
        _ => Vec::new(),
    }
}

fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Files of old Macintosh programs end their lines in CR alone.
    let line_end = if memchr::memchr(b'\n', head).is_some() {
        b'\n'
    } else {
        b'\r'
    };
    head.split(move |byte| *byte == line_end)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// A separator line after nothing but empty lines; without a date it must be followed by a usual header field.
/// Something that is called a mailbox may have junk before its first dated separator.
fn is_mailbox(head: &[u8], extension: &[u8]) -> bool {
    let rest = &head[lead_in(head)..];
    let mut following = lines(rest);
    let shape = following.next().map_or(Shape::Other, separator::classify);
    match shape {
        Shape::Dated => true,
        Shape::GitPatch | Shape::Bare => field_line::count(following, 24).1 >= 1,
        Shape::Other => {
            matches!(extension, b"mbox" | b"mbx") && looks_like_text(head, false, false) && has_separator_inside(head)
        }
    }
}

fn has_separator_inside(head: &[u8]) -> bool {
    let mut before_is_blank = false;
    for line in lines(head) {
        if before_is_blank && line.starts_with(b"From ") && separator::classify(line) == Shape::Dated {
            return true;
        }
        before_is_blank = line.is_empty();
    }
    false
}

/// Header lines first: two with usual names, one of them telling; or the one field that makes a MIME entity.
/// Up to eight empty lines before them and a blank before the first are overlooked, as mail readers do.
pub(crate) fn begins_with_header(head: &[u8]) -> bool {
    let lead_in = lead_in(head);
    if lead_in > 8 {
        return false;
    }
    let head = &head[lead_in..];
    let head = head.strip_prefix(b" ").unwrap_or(head);
    let (fields, known) = field_line::count(lines(head), HEADER_LINES);
    if fields == 1 {
        return is_mime_entity(head);
    }
    let names = lines(head).take(HEADER_LINES).filter_map(field_line::name).take(fields);
    known >= 2 && names.filter(|name| is_telling(name)).count() >= 1
}

/// A multipart or message whose only field says so, or a message that says nothing but its MIME version.
fn is_mime_entity(head: &[u8]) -> bool {
    let start = head[..head.len().min(256)].to_ascii_lowercase();
    let Some(colon) = memchr::memchr(b':', &start) else {
        return false;
    };
    let value = start[colon + 1..].trim_ascii_start();
    match start[..colon].trim_ascii_end() {
        b"content-type" => value.starts_with(b"multipart/") || value.starts_with(b"message/"),
        b"mime-version" => value.starts_with(b"1.0\n\n") || value.starts_with(b"1.0\r\n\r\n"),
        _ => false,
    }
}

/// A field that is in messages and hardly in anything else of the form `name: value`.
fn is_telling(name: &[u8]) -> bool {
    [
        &b"received"[..],
        b"return-path",
        b"message-id",
        b"mime-version",
        b"delivered-to",
        b"from",
        b"date",
        b"to",
        b"in-reply-to",
        b"reply-to",
        b"content-type",
        b"x-mailer",
        b"x-gm-thrid",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

/// True for a name that promises text.
pub(crate) fn is_called_text(name: &str) -> bool {
    is_text_name(&extension(name.as_bytes()))
}

fn is_text_name(extension: &[u8]) -> bool {
    matches!(
        extension,
        b"txt"
            | b"text"
            | b"log"
            | b"csv"
            | b"tsv"
            | b"asc"
            | b"md"
            | b"ini"
            | b"htm"
            | b"html"
            | b"xml"
            | b"json"
            | b"sql"
            | b"srt"
            | b"nfo"
    )
}

/// True for UTF-16 and UTF-32, UTF-8, and bytes of an older charset with hardly any control characters. `called` says that the name promises text: then a
/// few bytes are enough, and zeros, which programs leave in their logs, are passed over.
fn looks_like_text(head: &[u8], whole: bool, called: bool) -> bool {
    if utf32(head).is_some() {
        return true;
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return is_utf16(head);
    }
    if memchr::memchr(0, head).is_some() {
        return is_utf16_without_mark(head) || unmarked_wide(head).is_some() || has_few_zeros(head, whole, called);
    }
    let controls = count(head, |byte| {
        byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x08)
    });
    match std::str::from_utf8(head) {
        Ok(_) => controls * 100 <= head.len(),
        // A character cut at the end of what was read.
        Err(error) if error.error_len().is_none() && !whole => controls * 100 <= head.len(),
        // Charsets before Unicode. Without zeros and controls it is hardly anything else, unless it is very short.
        Err(_) => {
            let plain = count(head, |byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
            let told = head.len() >= 256 || plain * 2 >= head.len() || (called && controls == 0);
            controls * 1000 <= head.len() && told
        }
    }
}

/// Text with some zeros in it: one in a thousand bytes and no other control characters, or, where the name promises text, up to half of them.
fn has_few_zeros(head: &[u8], whole: bool, called: bool) -> bool {
    let rest: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
    let zeros = head.len() - rest.len();
    let odd = count(&rest, |byte| {
        byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c)
    });
    if called {
        return zeros * 2 <= head.len() && odd * 1000 <= rest.len() && looks_like_text(&rest, whole, true);
    }
    head.len() >= 256
        && zeros * 1000 <= head.len() + 999
        && odd == 0
        && std::str::from_utf8(&rest[..rest.len().min(4096) & !3]).is_ok_and(str::is_ascii)
}

/// How many bytes are so. Sums of one byte over pieces too short to overflow them are added up many at a time.
fn count(bytes: &[u8], is_so: impl Fn(u8) -> bool) -> usize {
    let of_piece = |piece: &[u8]| piece.iter().fold(0_u8, |sum, byte| sum + u8::from(is_so(*byte)));
    bytes.chunks(128).map(|piece| usize::from(of_piece(piece))).sum()
}

fn is_utf16(head: &[u8]) -> bool {
    let little = head.starts_with(b"\xff\xfe");
    let units = head[2..].chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    let (mut odd, mut all) = (0usize, 0usize);
    for unit in units {
        all += 1;
        odd += usize::from(unit < 0x20 && !matches!(unit, 9 | 10 | 12 | 13) || unit >= 0xfffe);
    }
    odd * 100 <= all
}

/// Western text in UTF-16 has a zero in every other byte, always the same one.
fn is_utf16_without_mark(head: &[u8]) -> bool {
    let sample = &head[..head.len().min(4096) & !1];
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let pairs = sample.len() / 2;
    let printable = sample
        .iter()
        .filter(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'))
        .count();
    pairs >= 8 && (even.min(odd) == 0) && even.max(odd) * 10 >= pairs * 9 && printable * 10 >= pairs * 9
}

/// What a name promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    Mail,
    Text,
    Type(&'static [&'static str]),
    Media,
}

fn expected(extension: &[u8]) -> Option<Promise> {
    // Under a password each of these is a compound file.
    const WORD: &[&str] = &[
        "application/vnd.openxmlformats-officedocument.wordprocessingml",
        "application/x-ole-storage",
    ];
    const SHEET: &[&str] = &[
        "application/vnd.openxmlformats-officedocument.spreadsheetml",
        "application/x-ole-storage",
    ];
    const SLIDES: &[&str] = &[
        "application/vnd.openxmlformats-officedocument.presentationml",
        "application/x-ole-storage",
    ];
    Some(match extension {
        b"eml" => Promise::Mail,
        b"txt" | b"csv" | b"tsv" | b"html" | b"htm" | b"log" | b"xml" | b"json" | b"ics" | b"vcf" => Promise::Text,
        b"pdf" => Promise::Type(&["application/pdf"]),
        b"zip" => Promise::Type(&["application/zip"]),
        b"docx" | b"dotx" => Promise::Type(WORD),
        b"xlsx" | b"xltx" => Promise::Type(SHEET),
        b"pptx" | b"ppsx" | b"potx" => Promise::Type(SLIDES),
        b"docm" | b"dotm" => Promise::Type(&["application/vnd.ms-word.", "application/x-ole-storage"]),
        b"xlsm" | b"xlsb" | b"xltm" | b"xlam" => {
            Promise::Type(&["application/vnd.ms-excel.", "application/x-ole-storage"])
        }
        b"pptm" | b"ppsm" | b"potm" => Promise::Type(&["application/vnd.ms-powerpoint.", "application/x-ole-storage"]),
        b"doc" => Promise::Type(&["application/msword"]),
        b"xls" | b"xlt" => Promise::Type(&["application/vnd.ms-excel"]),
        b"ppt" | b"pps" => Promise::Type(&["application/vnd.ms-powerpoint"]),
        b"rtf" => Promise::Type(&["application/rtf"]),
        b"odt" | b"ott" => Promise::Type(&["application/vnd.oasis.opendocument.text"]),
        b"ods" | b"ots" => Promise::Type(&["application/vnd.oasis.opendocument.spreadsheet"]),
        b"odp" | b"otp" => Promise::Type(&["application/vnd.oasis.opendocument.presentation"]),
        b"epub" => Promise::Type(&["application/epub+zip"]),
        b"msg" => Promise::Type(&["application/x-ole-storage", "application/vnd.ms-outlook"]),
        b"pst" | b"ost" => Promise::Type(&["application/vnd.ms-outlook-pst"]),
        b"jpg" | b"jpeg" | b"png" | b"gif" | b"bmp" | b"tif" | b"tiff" | b"webp" | b"mp3" | b"wav" | b"mp4"
        | b"mov" | b"avi" => Promise::Media,
        _ => return None,
    })
}

fn agrees(promise: Promise, kind: FileKind) -> bool {
    match (promise, kind) {
        // Mail is text too: list archives are often called .txt.
        (Promise::Mail, FileKind::Message | FileKind::Mailbox)
        | (Promise::Text, FileKind::Text | FileKind::Message | FileKind::Mailbox) => true,
        (Promise::Type(types), FileKind::Other { media_type, .. }) => {
            types.iter().any(|expected| media_type.starts_with(expected))
        }
        (Promise::Media, FileKind::Other { media, .. }) => media,
        (Promise::Mail | Promise::Text | Promise::Type(_) | Promise::Media, _) => false,
    }
}

fn words(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Mailbox => "a mailbox",
        FileKind::Message => "a message",
        FileKind::Text => "text",
        FileKind::Other { media_type, .. } => media_type,
        FileKind::Empty => "empty",
    }
}

#[cfg(test)]
mod tests;
