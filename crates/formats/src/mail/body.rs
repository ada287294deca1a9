//! The searchable text of one message, put together from its body parts.
//!
//! Invariant: every word of every body part is in the text. Of a second alternative only those lines are
//! added that hold a word the first one has not, so that nothing hidden in one alternative is lost and
//! nothing is indexed twice.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use embley_mapi::rtf;
use embley_model::defect::{Class, Defect, DefectCode};
use memchr::memmem::Finder;

use crate::headers::content::PartInfo;
use crate::{html, text};

/// A block of OpenPGP in ASCII armour (RFC 9580 section 6.2) begins.
static ARMOUR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"-----BEGIN PGP "));

/// Blanks before the mark of rich text, at most.
const RTF_LEAD_BYTES: usize = 64;

/// Text of a message as it grows.
#[derive(Debug, Default)]
pub(crate) struct Body {
    text: String,
    /// Text that belongs to no part; it comes last.
    strays: String,
    /// Alternatives seen: entity, and where its first text begins.
    groups: Vec<(usize, usize)>,
    /// Some of the text was cut at the limit.
    pub truncated: bool,
    /// Some bytes could not be read in any charset.
    pub lossy: bool,
    /// A part was HTML.
    pub has_html: bool,
    /// An encrypted block stands in the text.
    pub armoured: bool,
    /// A signed block stands in the text.
    pub clear_signed: bool,
}

impl Body {
    /// Adds a decoded body part. `group` is the alternative it belongs to, if any.
    pub(crate) fn add_part(&mut self, bytes: &[u8], info: &PartInfo, group: Option<usize>, defects: &mut Vec<Defect>) {
        if rtf::has_signature(&bytes[..bytes.len().min(RTF_LEAD_BYTES)]) {
            self.add_rich(bytes, group, defects);
            return;
        }
        let decoded = text::decode(bytes, info.charset.as_deref());
        self.lossy |= decoded.lossy;
        push_once(defects, decoded.defect);
        let is_html = is_html(&info.media_type);
        self.has_html |= is_html;
        if is_html {
            self.add(&html::to_text(&decoded.text), group);
        } else if info.flowed {
            self.add(&join_flowed(&decoded.text, info.delsp), group);
        } else {
            self.add(&decoded.text, group);
        }
        self.note_armour(bytes);
    }

    /// Rich text, whatever type it was sent as: its text and the targets of its links. What is embedded in it has no item of its own.
    fn add_rich(&mut self, bytes: &[u8], group: Option<usize>, defects: &mut Vec<Defect>) {
        let rich = rtf::read(bytes);
        let mut text = rich.html.as_deref().map_or(rich.text, html::to_text);
        for link in &rich.links {
            end_line(&mut text);
            text.push_str(link);
        }
        self.add(&text, group);
        for defect in rich.defects {
            self.lossy |= defect.code.class() >= Class::Loss;
            push_once(defects, Some(defect));
        }
        if !rich.objects.is_empty() {
            self.lossy = true;
            let detail = format!(
                "{} objects in the rich text of the message itself are not taken out",
                rich.objects.len()
            );
            push_once(defects, Some(Defect::new(DefectCode::TypeNotSearchable, detail)));
        }
    }

    fn note_armour(&mut self, bytes: &[u8]) {
        for at in ARMOUR.find_iter(bytes) {
            let rest = &bytes[at + 15..];
            let begins_line = at == 0 || bytes[at - 1] == b'\n';
            self.armoured |= begins_line && rest.starts_with(b"MESSAGE-----");
            self.clear_signed |= begins_line && rest.starts_with(b"SIGNED MESSAGE-----");
        }
    }

    /// Adds text that belongs to the message but to no part: preambles, epilogues, stray lines.
    pub(crate) fn add_stray(&mut self, bytes: &[u8]) {
        let decoded = text::decode(bytes, None);
        if text::has_words(&decoded.text) && !is_boilerplate(&decoded.text) {
            end_line(&mut self.strays);
            self.strays.push_str(&decoded.text);
        }
    }

    fn add(&mut self, added: &str, group: Option<usize>) {
        let known = group.and_then(|group| self.groups.iter().find(|(entity, _)| *entity == group).copied());
        if let Some((_, start)) = known {
            self.add_missing_lines(added, start);
            return;
        }
        end_line(&mut self.text);
        if let Some(group) = group {
            self.groups.push((group, self.text.len()));
        }
        self.text.push_str(added);
    }

    fn add_missing_lines(&mut self, added: &str, start: usize) {
        add_missing_lines(&mut self.text, added, start);
    }

    /// The text.
    pub(crate) fn take(&mut self) -> String {
        let mut text = std::mem::take(&mut self.text);
        if !self.strays.is_empty() {
            end_line(&mut text);
            text.push_str(&self.strays);
        }
        text
    }
}

/// Adds those lines to a text that hold a word which does not stand in it from `start` on.
pub(crate) fn add_missing_lines(text: &mut String, added: &str, start: usize) {
    let mut seen: HashSet<u64, BuildHasherDefault<AsIs>> = HashSet::default();
    for_words(&text[start..], |hash| {
        seen.insert(hash);
    });
    for line in added.split('\n') {
        let mut missing = false;
        for_words(line, |hash| missing |= seen.insert(hash));
        if missing {
            end_line(text);
            text.push_str(line);
        }
    }
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// True for the two media types that are rendered.
pub(crate) fn is_html(media_type: &str) -> bool {
    media_type == "text/html" || media_type == "application/xhtml+xml"
}

/// Adds a defect unless the same one is there.
pub(crate) fn push_once(defects: &mut Vec<Defect>, defect: Option<Defect>) {
    if let Some(defect) = defect
        && !defects.contains(&defect)
    {
        defects.push(defect);
    }
}

/// The note that writers put before the first part for programs without MIME.
fn is_boilerplate(text: &str) -> bool {
    if text.len() > 400 {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let about_mime = ["mime", "multi-part", "multipart"]
        .iter()
        .any(|word| lower.contains(word));
    about_mime && lower.contains("message")
}

/// Calls `each` with a hash of every word, ASCII case ignored.
fn for_words(text: &str, mut each: impl FnMut(u64)) {
    const START: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let mut hash = START;
    let mut inside = false;
    let mut step = |c: Option<u32>| match c {
        Some(c) => {
            hash = (hash ^ u64::from(c)).wrapping_mul(PRIME);
            inside = true;
        }
        None if inside => {
            each(hash ^ hash >> 29);
            hash = START;
            inside = false;
        }
        None => {}
    };
    if text.is_ascii() {
        for byte in text.bytes() {
            step(
                byte.is_ascii_alphanumeric()
                    .then(|| u32::from(byte.to_ascii_lowercase())),
            );
        }
    } else {
        for c in text.chars() {
            step(c.is_alphanumeric().then(|| u32::from(c.to_ascii_lowercase())));
        }
    }
    step(None);
}

/// A hasher for what is a hash already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Joins the lines of `format=flowed` text (RFC 3676 section 4.1): a line that ends with a blank goes on in
/// the next one of the same quote depth; `delsp` takes that blank away.
fn join_flowed(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flowing: Option<usize> = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = &line[depth..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        match flowing {
            Some(before) if before == depth && content != "-- " => {
                if delsp && out.ends_with(' ') {
                    out.pop();
                }
                out.push_str(content);
            }
            _ => {
                if !out.is_empty() {
                    out.push('\n');
                }
                out.push_str(&line[..depth]);
                if depth > 0 {
                    out.push(' ');
                }
                out.push_str(content);
            }
        }
        let flows = content.ends_with(' ') && content != "-- ";
        flowing = flows.then_some(depth);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_are_joined_and_delsp_takes_the_blank() {
        assert_eq!(join_flowed("one \r\ntwo\r\n\r\nthree", false), "one two\n\nthree");
        assert_eq!(join_flowed("inter \nnational\n", true), "international\n");
        assert_eq!(join_flowed("> a \n> b\n>> c\nd", false), "> a b\n>> c\nd");
        assert_eq!(join_flowed("text \n-- \nsignature", false), "text \n-- \nsignature");
        assert_eq!(join_flowed(" From stuffed", false), "From stuffed");
    }

    #[test]
    fn a_second_alternative_adds_only_lines_with_new_words() {
        let mut body = Body::default();
        let mut defects = Vec::new();
        let html = PartInfo {
            media_type: "text/html".into(),
            ..PartInfo::default()
        };
        body.add_part(b"Hello World\nbye\n", &PartInfo::default(), Some(1), &mut defects);
        body.add_part(
            b"<p>hello world</p><p>hidden bye</p><p>Bye</p>",
            &html,
            Some(1),
            &mut defects,
        );
        body.add_part(b"hello", &PartInfo::default(), None, &mut defects);
        assert_eq!(body.take(), "Hello World\nbye\nhidden bye\nhello");
        assert!(body.has_html && defects.is_empty());
    }

    #[test]
    fn rich_text_sent_as_the_body_is_read_as_such() {
        let mut body = Body::default();
        let mut defects = Vec::new();
        body.add_part(
            b"\r\n{\\rtf1\\ansi fra\\b g\\b0 \\'e4}",
            &PartInfo::default(),
            None,
            &mut defects,
        );
        assert_eq!(body.take().trim_end(), "fragä");
        assert!(defects.is_empty() && !body.lossy, "{defects:?}");
    }

    #[test]
    fn preambles_are_kept_unless_they_are_the_usual_note() {
        let mut body = Body::default();
        body.add_stray(b"This is a multi-part message in MIME format.\n");
        assert_eq!(body.strays, "");
        body.add_stray(b"meet me at the bridge\n");
        assert_eq!(body.take(), "meet me at the bridge\n");
    }
}
