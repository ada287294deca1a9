//! What opening has given so far: text within its limit, fields, defects, and members on their way to their taker.
//!
//! Main type: [`Draft`]. Invariant: the text never exceeds its limit, members never exceed theirs, and each cut leaves a defect.

use std::io::{self, Read};

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

use crate::opened::{Member, Members, MetaField, OpenLimits, Opened};

/// Defects kept of one document; the last one says that there were more.
const MAX_DEFECTS: usize = 100;
/// Bytes kept of one field.
const MAX_FIELD_BYTES: usize = 4096;
/// Fields kept of one document.
const MAX_FIELDS: usize = 256;
/// Members may always give this much before their ratio to the container counts.
const RATIO_FLOOR_BYTES: u64 = 64 << 20;

pub(super) struct Draft<'m> {
    text: String,
    fields: Vec<(MetaField, String)>,
    defects: Vec<Defect>,
    readers: Vec<String>,
    limits: &'m OpenLimits,
    members: &'m mut dyn Members,
    member_count: u64,
    member_bytes: u64,
    source_bytes: u64,
    taker_error: Option<io::Error>,
    text_cut: bool,
    partly: bool,
    encrypted: bool,
    failed: bool,
    needs_ocr: bool,
    pub(super) passwords_tried: u32,
    pub(super) password_used: Option<u32>,
}

impl<'m> Draft<'m> {
    pub(super) fn new(source_bytes: u64, limits: &'m OpenLimits, members: &'m mut dyn Members) -> Self {
        Self {
            text: String::new(),
            fields: Vec::new(),
            defects: Vec::new(),
            readers: Vec::new(),
            limits,
            members,
            member_count: 0,
            member_bytes: 0,
            source_bytes,
            taker_error: None,
            text_cut: false,
            partly: false,
            encrypted: false,
            failed: false,
            needs_ocr: false,
            passwords_tried: 0,
            password_used: None,
        }
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn limits(&self) -> &OpenLimits {
        self.limits
    }

    /// How many more bytes of text have room.
    pub(super) fn room(&self) -> usize {
        self.limits.max_text_bytes.saturating_sub(self.text.len())
    }

    /// Names a reader that took part.
    pub(super) fn reader(&mut self, reader: &str) {
        if !self.readers.iter().any(|known| known == reader) {
            self.readers.push(reader.to_owned());
        }
    }

    /// Appends `text` on lines of its own: line ends made one, characters that are no text left out.
    pub(super) fn lines(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push('\n');
        }
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' => {
                    if chars.peek() != Some(&'\n') {
                        self.push('\n');
                    }
                }
                '\u{0b}' | '\u{0c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => self.push('\n'),
                '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{034F}' => {}
                '\u{FFFE}' | '\u{FFFF}' => {}
                '\t' | '\n' => self.push(c),
                other if other.is_control() => {}
                other => self.push(other),
            }
            if self.text_cut {
                return;
            }
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push('\n');
        }
    }

    fn push(&mut self, c: char) {
        if self.text.len() + c.len_utf8() > self.limits.max_text_bytes {
            if !self.text_cut {
                self.text_cut = true;
                let detail = format!("cut at {} bytes", self.limits.max_text_bytes);
                self.defect(DefectCode::TextLimit, detail);
            }
            return;
        }
        self.text.push(c);
    }

    /// Adds a field; empty values and repetitions are left out.
    pub(super) fn field(&mut self, field: MetaField, value: &str) {
        let value = value.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        if value.is_empty() || self.fields.len() >= MAX_FIELDS {
            return;
        }
        let end = (0..=value.len().min(MAX_FIELD_BYTES))
            .rev()
            .find(|at| value.is_char_boundary(*at))
            .unwrap_or(0);
        let value = &value[..end];
        if !self.fields.iter().any(|(known, text)| *known == field && text == value) {
            self.fields.push((field, value.to_owned()));
        }
    }

    pub(super) fn defect(&mut self, code: DefectCode, detail: impl Into<String>) {
        let defect = Defect::new(code, detail);
        if self.defects.contains(&defect) || self.defects.len() > MAX_DEFECTS {
            return;
        }
        if self.defects.len() == MAX_DEFECTS {
            self.defects
                .push(Defect::new(code, "and more of the like, which are not listed"));
            return;
        }
        self.defects.push(defect);
    }

    /// Adds defects that another reader found.
    pub(super) fn defects(&mut self, defects: Vec<Defect>) {
        for defect in defects {
            self.defect(defect.code, defect.detail);
        }
    }

    /// Part of the text is missing or was guessed.
    pub(super) fn partly(&mut self) {
        self.partly = true;
    }

    /// Nothing could be read because of a password that is not known.
    pub(super) fn encrypted(&mut self, detail: impl Into<String>) {
        self.encrypted = true;
        self.defect(DefectCode::DocEncrypted, detail);
    }

    /// Nothing could be read.
    pub(super) fn failed(&mut self, detail: impl Into<String>) {
        self.failed = true;
        self.defect(DefectCode::DocUnreadable, detail);
    }

    /// Only recognition of characters can give the text of `detail`.
    pub(super) fn needs_ocr(&mut self, detail: impl Into<String>) {
        self.needs_ocr = true;
        self.defect(DefectCode::DocNeedsOcr, detail);
    }

    /// Hands a member to its taker; false when no more are wanted.
    pub(super) fn member(&mut self, path: &[u8], bytes: &mut dyn Read) -> bool {
        if self.taker_error.is_some() {
            return false;
        }
        if self.member_count >= self.limits.max_members || self.member_bytes >= self.budget() {
            self.defect(DefectCode::DocLimit, "members beyond the limit were left out");
            return false;
        }
        self.member_count += 1;
        let left = self.budget() - self.member_bytes;
        let mut bounded = Bounded {
            inner: bytes,
            left: left.min(self.limits.max_member_bytes),
            given: 0,
            hit: false,
        };
        let member = Member {
            path: clean_path(path),
            ..Member::default()
        };
        let taken = self.members.member(member, &mut bounded);
        let (given, hit) = (bounded.given, bounded.hit);
        self.member_bytes = self.member_bytes.saturating_add(given);
        if hit {
            let name = String::from_utf8_lossy(path).into_owned();
            self.defect(DefectCode::DocLimit, format!("{name} was cut at its limit"));
        }
        if let Err(error) = taken {
            self.taker_error = Some(error);
            return false;
        }
        true
    }

    /// Bytes that all members together may have.
    fn budget(&self) -> u64 {
        let by_ratio = self
            .source_bytes
            .saturating_mul(self.limits.max_ratio)
            .max(RATIO_FLOOR_BYTES);
        self.limits.max_total_bytes.min(by_ratio)
    }

    /// Closes the draft.
    ///
    /// # Errors
    /// The error of the taker of members, if it had one.
    pub(super) fn finish(mut self) -> io::Result<Opened> {
        if let Some(error) = self.taker_error.take() {
            return Err(error);
        }
        while self.text.ends_with('\n') {
            self.text.pop();
        }
        let has_words = self.text.chars().any(char::is_alphanumeric);
        let besides_ocr = if self.text_cut {
            Searchability::PartlyLimit
        } else if self.partly {
            Searchability::PartlyDecoding
        } else {
            Searchability::Searched
        };
        let searchability = if has_words {
            // Words of some pages do not make those searched that nobody could read.
            match besides_ocr {
                Searchability::Searched if self.needs_ocr => Searchability::PartlyDecoding,
                other => other,
            }
        } else if self.encrypted {
            Searchability::Encrypted
        } else if self.failed {
            Searchability::Failed
        } else if self.needs_ocr {
            Searchability::Media
        } else if self.partly {
            Searchability::Failed
        } else {
            // An empty answer is an answer, but never a silent one.
            if self.defects.is_empty() && self.source_bytes > 0 {
                self.defect(DefectCode::DocTextShort, "not a single word was found");
            }
            Searchability::NoText
        };
        Ok(Opened {
            text: self.text,
            fields: self.fields,
            searchability: Some(searchability),
            defects: self.defects,
            reader: self.readers.join("+"),
            needs_ocr: self.needs_ocr,
            besides_ocr: self.needs_ocr.then_some(besides_ocr),
            passwords_tried: self.passwords_tried,
            password_used: self.password_used,
            ..Opened::default()
        })
    }
}

/// Separators as `/`, nothing that leads upwards.
fn clean_path(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for step in path.split(|byte| matches!(byte, b'/' | b'\\')) {
        if step.is_empty() || step == b"." || step == b".." {
            continue;
        }
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(step);
    }
    out
}

/// Gives at most `left` bytes, then says that it was cut.
struct Bounded<'r> {
    inner: &'r mut dyn Read,
    left: u64,
    given: u64,
    hit: bool,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let mut one = [0];
            if self.inner.read(&mut one)? == 0 {
                return Ok(0);
            }
            self.hit = true;
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the member is longer than its limit",
            ));
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        let got = self.inner.read(&mut buf[..wanted])?;
        self.left -= got as u64;
        self.given += got as u64;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Members for Nobody {
        fn member(&mut self, _: Member, bytes: &mut dyn Read) -> io::Result<()> {
            match io::copy(bytes, &mut io::sink()) {
                Ok(_) => Ok(()),
                Err(_) => Ok(()),
            }
        }
    }

    #[test]
    fn text_is_cut_at_its_limit_and_says_so() {
        let limits = OpenLimits {
            max_text_bytes: 10,
            ..OpenLimits::default()
        };
        let mut nobody = Nobody;
        let mut draft = Draft::new(1, &limits, &mut nobody);
        draft.lines("öööööööö");
        let opened = draft.finish().expect("no taker fails");
        assert_eq!(opened.text, "ööööö");
        assert_eq!(opened.searchability, Some(Searchability::PartlyLimit));
        assert_eq!(opened.defects.len(), 1);
    }

    #[test]
    fn a_member_is_cut_at_its_limit_and_says_so() {
        let limits = OpenLimits {
            max_member_bytes: 4,
            ..OpenLimits::default()
        };
        let mut nobody = Nobody;
        let mut draft = Draft::new(1, &limits, &mut nobody);
        assert!(draft.member(b"../a\\b", &mut &b"123456"[..]));
        assert!(draft.member(b"c", &mut &b"1234"[..]));
        let opened = draft.finish().expect("no taker fails");
        assert_eq!(opened.defects.len(), 1);
        assert_eq!(clean_path(b"../a\\.\\b"), b"a/b");
    }

    #[test]
    fn a_document_without_a_word_says_so() {
        let limits = OpenLimits::default();
        let finish = |bytes: u64, text: &str| {
            let mut nobody = Nobody;
            let mut draft = Draft::new(bytes, &limits, &mut nobody);
            draft.lines(text);
            let opened = draft.finish().expect("no taker fails");
            let codes: Vec<_> = opened.defects.iter().map(|defect| defect.code).collect();
            (opened.searchability, codes)
        };
        let silent = (Some(Searchability::NoText), vec![DefectCode::DocTextShort]);
        assert_eq!(finish(9, " - "), silent);
        assert_eq!(finish(9, "word"), (Some(Searchability::Searched), Vec::new()));
        assert_eq!(finish(0, ""), (Some(Searchability::NoText), Vec::new()));
    }

    #[test]
    fn pages_that_nobody_read_are_not_searched() {
        let limits = OpenLimits::default();
        let mut nobody = Nobody;
        let mut draft = Draft::new(9, &limits, &mut nobody);
        draft.lines("words of page 1");
        draft.needs_ocr("1 of 2 pages: 2");
        let opened = draft.finish().expect("no taker fails");
        assert_eq!(opened.searchability, Some(Searchability::PartlyDecoding));
        assert_eq!(opened.besides_ocr, Some(Searchability::Searched));
    }

    #[test]
    fn control_characters_and_line_ends_are_made_plain() {
        let limits = OpenLimits::default();
        let mut nobody = Nobody;
        let mut draft = Draft::new(1, &limits, &mut nobody);
        draft.lines("a\0b\r\nc\rd\u{b}e\u{ad}f");
        draft.lines("g");
        assert_eq!(draft.text(), "ab\nc\nd\nef\ng\n");
    }
}
