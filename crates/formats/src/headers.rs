//! Header sections: where they end, which fields they hold, and what a field says.
//!
//! The section is scanned once, by our own scanner, because broken sections must be read the same way from
//! memory and from a stream, and because a Message-ID must come out raw. Structured fields (addresses,
//! types) are read by `mail-parser` after encoded words have been made whole. Invariants: every line of the
//! section is in exactly one field, is the envelope line, or is listed as malformed; time is linear.

use std::borrow::Cow;
use std::ops::Range;

pub(crate) mod address;
pub(crate) mod content;
pub(crate) mod words;

/// A mark and eight empty lines, at most, before a header.
const LEAD_BYTES: usize = 19;
/// Fields that are looked at to know a header behind them.
const LEAD_FIELDS: usize = 60;

/// A header field as offsets into the bytes of its section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The name, without white space before the colon.
    pub name: Range<usize>,
    /// Everything after the colon up to the last line end, folding included.
    pub value: Range<usize>,
}

/// A scanned header section.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// Fields in order.
    pub fields: Vec<Field>,
    /// Lines that are no field and continue none.
    pub malformed: Vec<Range<usize>>,
    /// Where the body begins.
    pub end: usize,
    /// The section went on beyond the bytes given.
    pub cut: bool,
}

/// Whose header section it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A message: a stray line between two well-known fields does not end the section.
    Message,
    /// A body part: the first line that is no field is text.
    Part,
}

/// Fields of a header that no mail program wrote, as far as nothing reads them: a typed memorandum, or a message that was saved as text, has lines like
/// `RE:` and `Sent:` among those of a message. Empty when a program or relay left a field of its own, and for usual fields.
pub(crate) fn typed_fields(section: &Section, bytes: &[u8]) -> Vec<Range<usize>> {
    const WRITTEN: [&str; 12] = [
        "message-id",
        "received",
        "mime-version",
        "return-path",
        "delivered-to",
        "content-type",
        "content-transfer-encoding",
        "newsgroups",
        "path",
        "in-reply-to",
        "references",
        "resent-date",
    ];
    const READ: [&str; 8] = ["from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date"];
    let mut typed = Vec::new();
    for field in &section.fields {
        let name = bytes.get(field.name.clone()).unwrap_or_default();
        let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        if WRITTEN.iter().any(is) || name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"x-")) {
            return Vec::new();
        }
        if !READ.iter().any(is) {
            typed.push(field.name.start..field.value.end);
        }
    }
    typed
}

/// Scans the section that begins at `bytes[0]`. `complete` says that nothing follows `bytes`; otherwise
/// `None` is returned when the end of the section is not in `bytes`, and the caller comes back with more.
/// A caller at its size limit passes `limited`, and gets a section that is marked as cut.
pub(crate) fn scan(bytes: &[u8], level: Level, complete: bool, limited: bool) -> Option<Section> {
    let mut section = Section::default();
    let start = lead_in(bytes, level);
    let mut at = start;
    while at < bytes.len() {
        let (line_end, next) = match memchr::memchr(b'\n', &bytes[at..]) {
            Some(found) => (at + found, at + found + 1),
            None if complete => (bytes.len(), bytes.len()),
            None => {
                return stopped(section, at, limited);
            }
        };
        let line = &bytes[at..line_end];
        match kind(line) {
            Line::Blank => {
                section.end = next;
                return Some(section);
            }
            Line::Continuation if !section.fields.is_empty() && section.malformed.last().is_none_or(|m| m.end < at) => {
                if let Some(field) = section.fields.last_mut() {
                    field.value.end = without_cr(bytes, line_end);
                }
            }
            Line::Continuation | Line::Other => {
                let envelope = at == start && (line.starts_with(b"From ") || line.starts_with(b">From "));
                if !envelope {
                    if level == Level::Part || line.starts_with(b"--") {
                        section.end = at;
                        return Some(section);
                    }
                    match goes_on(bytes, next, complete) {
                        Some(true) => section.malformed.push(at..line_end + 1),
                        Some(false) => {
                            section.end = at;
                            return Some(section);
                        }
                        None => return stopped(section, at, limited),
                    }
                }
            }
            Line::Field { name_len, value_at } => section.fields.push(Field {
                name: at..at + name_len,
                value: at + value_at..without_cr(bytes, line_end),
            }),
        }
        at = next;
    }
    if !complete {
        return stopped(section, at, limited);
    }
    section.end = bytes.len();
    Some(section)
}

/// What stands before the first field of a message and means nothing, when usual fields follow: a byte order mark, up to eight empty lines, one blank. Mail
/// readers pass over it, and so does the probe.
fn lead_in(bytes: &[u8], level: Level) -> usize {
    let begins_oddly = matches!(bytes.first(), Some(b'\n' | b'\r' | b' ' | 0xef));
    if level == Level::Part || !begins_oddly {
        return 0;
    }
    let empty = crate::mailbox::head::lead_in(bytes);
    let blank = usize::from(bytes.get(empty) == Some(&b' '));
    let lines = bytes[empty + blank..]
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (_, known) = crate::mailbox::field_line::count(lines, LEAD_FIELDS);
    if empty <= LEAD_BYTES && known >= 2 {
        empty + blank
    } else {
        0
    }
}

fn stopped(mut section: Section, at: usize, limited: bool) -> Option<Section> {
    section.end = at;
    section.cut = true;
    limited.then_some(section)
}

fn without_cr(bytes: &[u8], end: usize) -> usize {
    if end > 0 && bytes.get(end - 1) == Some(&b'\r') {
        end - 1
    } else {
        end
    }
}

enum Line {
    Blank,
    Continuation,
    Field { name_len: usize, value_at: usize },
    Other,
}

fn kind(line: &[u8]) -> Line {
    match line.first() {
        None => return Line::Blank,
        Some(b'\r') if line.len() == 1 => return Line::Blank,
        Some(b' ' | b'\t') => return Line::Continuation,
        Some(_) => {}
    }
    // RFC 5322 section 2.2: printable ASCII except the colon; section 4.5 allows blanks before it.
    let name_len = line
        .iter()
        .take_while(|byte| matches!(byte, 33..=57 | 59..=126))
        .count();
    let blanks = line[name_len..]
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let colon = name_len + blanks;
    if name_len == 0 || line.get(colon) != Some(&b':') {
        return Line::Other;
    }
    Line::Field {
        name_len,
        value_at: colon + 1,
    }
}

/// Says whether the header goes on at `next` with a field of a well-known name; `None` when that is not told.
fn goes_on(bytes: &[u8], next: usize, complete: bool) -> Option<bool> {
    let rest = bytes.get(next..).unwrap_or_default();
    let line = match memchr::memchr(b'\n', rest) {
        Some(end) => &rest[..end],
        None if complete || rest.len() > 1000 => rest,
        None => return None,
    };
    Some(match kind(line) {
        Line::Field { name_len, .. } => is_known(&line[..name_len]),
        Line::Blank | Line::Continuation | Line::Other => false,
    })
}

fn is_known(name: &[u8]) -> bool {
    const NAMES: &[&str] = &[
        "received",
        "return-path",
        "delivered-to",
        "from",
        "sender",
        "to",
        "cc",
        "bcc",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "in-reply-to",
        "references",
        "mime-version",
        "thread-index",
        "thread-topic",
        "importance",
        "precedence",
        "user-agent",
        "organization",
        "status",
        "errors-to",
        "dkim-signature",
        "authentication-results",
        "keywords",
        "comments",
    ];
    let starts = |prefix: &str| {
        name.get(..prefix.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || ["content-", "x-", "list-", "resent-", "arc-"]
            .iter()
            .any(|prefix| starts(prefix))
}

/// Returns the value on one line (RFC 5322 section 2.2.3: line ends before white space are removed), trimmed.
pub(crate) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let trimmed = value.trim_ascii();
    if memchr::memchr2(b'\n', b'\r', trimmed).is_none() {
        return Cow::Borrowed(trimmed);
    }
    let mut unfolded = Vec::with_capacity(trimmed.len());
    let mut copied = 0;
    for end in memchr::memchr2_iter(b'\n', b'\r', trimmed) {
        unfolded.extend_from_slice(&trimmed[copied..end]);
        copied = end + 1;
    }
    unfolded.extend_from_slice(&trimmed[copied..]);
    Cow::Owned(unfolded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bytes: &[u8], level: Level) -> (Vec<String>, usize, usize) {
        let section = scan(bytes, level, true, false).expect("complete bytes have an end");
        let names = section
            .fields
            .iter()
            .map(|f| String::from_utf8_lossy(&bytes[f.name.clone()]).into_owned());
        (names.collect(), section.malformed.len(), section.end)
    }

    #[test]
    fn empty_lines_and_a_mark_before_a_header_are_passed_over() {
        let both = vec!["From".to_owned(), "To".to_owned()];
        for lead in ["\n\n", "\r\n\r\n", "\u{feff}", "\u{feff}\n", " ", "\n "] {
            let bytes = [lead, "From: a\nTo: b\n\nbody"].concat();
            let end = bytes.len() - 4;
            assert_eq!(
                names(bytes.as_bytes(), Level::Message),
                (both.clone(), 0, end),
                "{lead:?}"
            );
        }
        // A body that begins so, an empty header of a part, and too many lines stay what they are.
        assert_eq!(names(b"\nFrom: a\n\nbody", Level::Message).2, 1);
        assert_eq!(names(b"\nFrom: a\nTo: b\n\nbody", Level::Part).2, 1);
        assert_eq!(
            names(&[&[b'\n'; 30][..], b"From: a\nTo: b\n\n"].concat(), Level::Message).2,
            1
        );
    }

    #[test]
    fn fields_fold_and_a_blank_line_ends_them() {
        let bytes = b"A: 1\r\n 2\r\nB : 3\r\n\r\nbody";
        let section = scan(bytes, Level::Message, true, false).expect("ends");
        let [a, b] = &section.fields[..] else {
            panic!("two fields: {section:?}");
        };
        assert_eq!(
            (&bytes[a.name.clone()], unfold(&bytes[a.value.clone()]).as_ref()),
            (&b"A"[..], &b"1 2"[..])
        );
        assert_eq!(
            (&bytes[b.name.clone()], unfold(&bytes[b.value.clone()]).as_ref()),
            (&b"B"[..], &b"3"[..])
        );
        assert_eq!(&bytes[section.end..], b"body");
    }

    #[test]
    fn text_without_blank_line_is_body_and_stray_lines_before_known_fields_are_not() {
        assert_eq!(
            names(b"A: 1\nhello there\nmore", Level::Message),
            (vec!["A".into()], 0, 5)
        );
        assert_eq!(
            names(b"A: 1\nstray line\nSubject: x\n\nbody", Level::Message),
            (vec!["A".into(), "Subject".into()], 1, 28)
        );
        assert_eq!(
            names(b"A: 1\nstray line\nSubject: x\n\nbody", Level::Part),
            (vec!["A".into()], 0, 5)
        );
        assert_eq!(
            names(b"A: 1\n--boundary\nSubject: x\n\n", Level::Message),
            (vec!["A".into()], 0, 5)
        );
        assert_eq!(
            names(b">From x y\nTo: 1\n\nb", Level::Message),
            (vec!["To".into()], 0, 17)
        );
        assert_eq!(names(b"", Level::Message), (vec![], 0, 0));
    }

    #[test]
    fn a_section_that_is_not_all_there_asks_for_more() {
        assert!(scan(b"A: 1\nB: 2", Level::Message, false, false).is_none());
        assert!(scan(b"A: 1\nstray\n", Level::Message, false, false).is_none());
        let cut = scan(b"A: 1\nB: 2", Level::Message, false, true).expect("limited");
        assert!(cut.cut && cut.end == 5 && cut.fields.len() == 1);
    }
}
