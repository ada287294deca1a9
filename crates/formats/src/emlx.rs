//! EMLX files of Apple Mail: a line with a count of bytes, one message, a property list with what the program knew of it.
//!
//! Not for: what the message says (`mail`). Main function: [`open`]. Invariant: the member is the message's exact bytes, so that it is the same
//! original as the message found elsewhere; what the property list says is text of the file itself.
//!
//! Layout: decimal digits, perhaps blanks, a line end; as many bytes of message; an XML property list. The list's `flags` is one number of bits, whose
//! meanings are not published by their maker; those used here are the ones that have been described since 2005 and hold in Mail 2 and later. In a
//! `.partial.emlx` the contents of attachments lie in files beside it; each such part has a field `X-Apple-Content-Length`.

use std::io;

use embley_model::defect::{Defect, DefectCode};
use memchr::memmem;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::opened::{Member, Members, Opened};

/// The media type that the probe gives.
pub const MEDIA_TYPE: &str = "message/x-emlx";
/// The longest first line.
const COUNT_BYTES: usize = 24;
/// Property lists are short; of a longer one only this much is read.
const MAX_LIST_BYTES: usize = 1 << 20;
/// Lines of text from one list.
const MAX_VALUES: usize = 200;
/// Bytes of one value.
const MAX_VALUE_BYTES: usize = 4096;

/// Bits of `flags` with one meaning.
const FLAGS: [(u32, &str); 14] = [
    (0, "read"),
    (1, "deleted"),
    (2, "replied"),
    (3, "encrypted"),
    (4, "flagged"),
    (5, "recent"),
    (6, "draft"),
    (8, "forwarded"),
    (9, "redirected"),
    (23, "signed"),
    (24, "junk"),
    (25, "not junk"),
    (29, "junk level recorded"),
    (30, "highlighted"),
];

/// The stated length of the message, and where it begins; `None` when the first line is no count.
pub(crate) fn count_line(head: &[u8]) -> Option<(u64, usize)> {
    let line_end = memchr::memchr(b'\n', &head[..head.len().min(COUNT_BYTES)])?;
    let digits = head[..line_end].trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((count, line_end + 1))
}

/// Gives the message as the one member, named `message`, and what the property list says as text.
///
/// # Errors
/// When the taker cannot go on.
pub fn open(bytes: &[u8], name: &[u8], members: &mut dyn Members) -> io::Result<Opened> {
    let mut opened = Opened {
        reader: "emlx/1".to_owned(),
        ..Opened::default()
    };
    let mut say = |detail: String| opened.defects.push(Defect::new(DefectCode::MailEmlx, detail));
    let (message, list) = divide(bytes, &mut say);
    let mut fields = Vec::new();
    if !list.trim_ascii().is_empty() {
        match read_list(&list[..list.len().min(MAX_LIST_BYTES)], &mut fields) {
            Ok(()) if list.len() <= MAX_LIST_BYTES => {}
            Ok(()) => say(format!("only {MAX_LIST_BYTES} bytes of the property list were read")),
            Err(detail) => say(format!("the property list cannot be read: {detail}")),
        }
    }
    opened.text = describe(&fields);
    let mut defects = Vec::new();
    if is_partial(message, name) {
        let detail = "contents of attachments are not in this file: Apple Mail keeps them beside it";
        defects.push(Defect::new(DefectCode::MimePartial, detail));
    }
    let member = Member {
        path: b"message".to_vec(),
        mtime_nanos: received_nanos(&fields),
        defects,
    };
    members.member(member, &mut &*message)?;
    Ok(opened)
}

/// The message and what stands behind it. The count holds when the file has that much and a list or nothing follows; else the start of the last list
/// divides.
fn divide<'a>(bytes: &'a [u8], say: &mut dyn FnMut(String)) -> (&'a [u8], &'a [u8]) {
    let Some((count, start)) = count_line(bytes) else {
        say("the first line is no count of bytes".to_owned());
        return by_list(bytes);
    };
    let rest = &bytes[start..];
    let end = usize::try_from(count).ok().filter(|end| *end <= rest.len());
    if let Some(end) = end {
        let tail = rest[end..].trim_ascii_start();
        if tail.is_empty() {
            say("no property list follows the message".to_owned());
            return (&rest[..end], &[]);
        }
        if begins_list(tail) {
            return (&rest[..end], tail);
        }
    }
    let (message, list) = by_list(rest);
    if list.is_empty() {
        say(format!(
            "the count says {count} bytes of message, {} are there",
            rest.len()
        ));
    } else {
        say(format!(
            "the count says {count} bytes of message; the property list begins after {}",
            message.len()
        ));
    }
    (message, list)
}

fn begins_list(tail: &[u8]) -> bool {
    [&b"<?xml"[..], b"<!DOCTYPE plist", b"<plist", b"bplist00"]
        .iter()
        .any(|mark| tail.starts_with(mark))
}

/// Divides where the last line begins that opens a property list.
fn by_list(rest: &[u8]) -> (&[u8], &[u8]) {
    let at = memmem::rfind(rest, b"<?xml").filter(|at| {
        let begins_line = *at == 0 || rest[*at - 1] == b'\n';
        begins_line && memmem::find(&rest[*at..rest.len().min(*at + 1024)], b"<plist").is_some()
    });
    rest.split_at(at.unwrap_or(rest.len()))
}

fn is_partial(message: &[u8], name: &[u8]) -> bool {
    name.to_ascii_lowercase().ends_with(b".partial.emlx")
        || memmem::find_iter(message, b"X-Apple-Content-Length:").any(|at| at == 0 || message[at - 1] == b'\n')
}

/// Keys of the outermost dictionary with their plain values, in order; of arrays, their plain values.
fn read_list(list: &[u8], fields: &mut Vec<(String, String)>) -> Result<(), String> {
    let list = String::from_utf8_lossy(list);
    let mut reader = Reader::from_str(&list);
    reader.config_mut().allow_dangling_amp = true;
    let mut values = Values {
        fields,
        depth: 0,
        element: String::new(),
        text: String::new(),
        key: String::new(),
    };
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => values.start(start.name().into_inner()),
            Event::Empty(empty) => {
                values.start(empty.name().into_inner());
                values.end();
            }
            Event::End(_) => values.end(),
            Event::Text(piece) => values.add(&piece.into_inner()),
            Event::CData(piece) => values.add(&piece.into_inner()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => values.add(character.encode_utf8(&mut [0; 4])),
                Ok(None) | Err(_) => values.add(named(&reference.into_inner())),
            },
            Event::Eof if values.depth == 0 => return Ok(()),
            Event::Eof => return Err("it is cut".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn named(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "\u{fffd}",
    }
}

/// Depths: plist 1, its dictionary 2, keys and values 3, values of an array 4.
struct Values<'a> {
    fields: &'a mut Vec<(String, String)>,
    depth: usize,
    element: String,
    text: String,
    key: String,
}

impl Values<'_> {
    fn start(&mut self, element: &str) {
        self.depth = self.depth.saturating_add(1);
        element.clone_into(&mut self.element);
        self.text.clear();
    }

    fn add(&mut self, piece: &str) {
        let room = MAX_VALUE_BYTES.saturating_sub(self.text.len());
        self.text.extend(piece.chars().take(room));
    }

    fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        let element = std::mem::take(&mut self.element);
        match (self.depth, element.as_str()) {
            (3, "key") => self.key = text,
            (3 | 4, "string" | "integer" | "real" | "date") => self.push(text),
            (3, "true" | "false") => self.push(element),
            _ => {}
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn push(&mut self, value: String) {
        if self.fields.len() < MAX_VALUES && !self.key.is_empty() {
            self.fields.push((self.key.clone(), value));
        }
    }
}

/// One line a value; the bits of `flags` in words.
fn describe(fields: &[(String, String)]) -> String {
    let mut out = String::new();
    for (key, value) in fields {
        let words = match key.as_str() {
            "flags" => value.trim().parse().ok().map(flags_in_words),
            _ => None,
        };
        out.push_str(key);
        out.push_str(": ");
        out.push_str(value.trim());
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            out.push_str(&format!(" ({words})"));
        }
        out.push('\n');
    }
    out
}

fn flags_in_words(flags: u64) -> String {
    let mut words: Vec<String> = FLAGS
        .iter()
        .filter(|(bit, _)| flags >> bit & 1 == 1)
        .map(|(_, word)| (*word).to_owned())
        .collect();
    let attachments = flags >> 10 & 0x3f;
    if (1..63).contains(&attachments) {
        words.push(format!("attachments {attachments}"));
    }
    let priority = flags >> 16 & 0x7f;
    if priority != 0 {
        words.push(format!("priority {priority}"));
    }
    words.join(", ")
}

/// `date-received`, seconds since 1970.
fn received_nanos(fields: &[(String, String)]) -> Option<i64> {
    let (_, value) = fields.iter().find(|(key, _)| key == "date-received")?;
    let seconds = value.trim().split('.').next()?.parse::<i64>().ok()?;
    seconds.checked_mul(1_000_000_000).filter(|nanos| *nanos > 0)
}
