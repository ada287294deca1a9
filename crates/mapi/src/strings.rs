//! Strings of a message: which code page its 8-bit strings are in, and their text.
//!
//! Not for: the pages themselves (module `codepage`). Main type: [`Strings`]. Order of belief: the declared page
//! (PidTagMessageCodepage, then PidTagInternetCodepage, then the ANSI page of PidTagMessageLocaleId; [MS-OXCMSG] section 2.2.1.3) if
//! every string of the message is valid in it; else, and if none is declared, UTF-8 if all are valid UTF-8, else what is detected over
//! all strings of the message together, because a subject alone is too short to detect anything. A disagreement is a defect.
//! Invariant: the answer depends on the message only, and one message has one page.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use embley_model::defect::{Defect, DefectCode};

use crate::codepage::{self, UTF_8, WESTERN};
use crate::message::{Content, Message};
use crate::property::{Properties, Value};
use crate::tags;

/// Bytes of strings that are looked at to choose a page.
const SAMPLE_BYTES: usize = 256 * 1024;

/// How the 8-bit strings of one message are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Strings {
    page: u32,
    declared: Option<u32>,
    internet: Option<u32>,
    defects: Vec<Defect>,
}

impl Strings {
    /// Chooses the page of a message. `inherited` is the page of the message around it, for embedded ones that declare none.
    pub fn of(message: &Message, inherited: Option<u32>) -> Self {
        let number = |id| {
            message
                .properties
                .integer(id)
                .and_then(|value| u32::try_from(value).ok())
        };
        let internet = number(tags::INTERNET_CODEPAGE).filter(|page| *page != 0);
        let locale = number(tags::MESSAGE_LOCALE).and_then(codepage::of_language);
        let declared = number(tags::MESSAGE_CODEPAGE)
            .filter(|page| *page != 0)
            .or(internet)
            .or(locale)
            .or(inherited);
        let sample = Sample::of(message);
        let mut defects = Vec::new();
        let page = sample.choose(declared, locale, &mut defects);
        Self {
            page,
            declared,
            internet,
            defects,
        }
    }

    /// The page that 8-bit strings are read in.
    pub fn page(&self) -> u32 {
        self.page
    }

    /// The page that the message declares for them.
    pub fn declared(&self) -> Option<u32> {
        self.declared
    }

    /// PidTagInternetCodepage: the page of the HTML body.
    pub fn internet(&self) -> Option<u32> {
        self.internet
    }

    /// What was odd about the declaration.
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The text of bytes in the page of the message; bytes that are not text in it become U+FFFD.
    pub fn decode(&self, bytes: &[u8]) -> String {
        decode_in(self.page, bytes)
    }

    /// The text of a value that is a string, without NULs at its end.
    pub fn text(&self, value: &Value) -> Option<String> {
        let mut text = match value {
            Value::Unicode(text) => text.clone(),
            Value::String8(bytes) => self.decode(bytes),
            _ => return None,
        };
        let kept = text.trim_end_matches('\0').len();
        text.truncate(kept);
        Some(text)
    }

    /// The text of a property that is a string; `None` when there is none or it is empty.
    pub fn get(&self, properties: &Properties, id: u16) -> Option<String> {
        let (_, value) = properties.string(id)?;
        self.text(value).filter(|text| !text.is_empty())
    }
}

/// The text of bytes in a page, or in Western European when the page is not known.
fn decode_in(page: u32, bytes: &[u8]) -> String {
    codepage::decode(page, bytes)
        .or_else(|| codepage::decode(WESTERN, bytes))
        .map(|decoded| decoded.text)
        .unwrap_or_default()
}

/// The text of bytes for which a page may be declared, such as an HTML body, with a defect when the declaration is not true.
pub fn decode_declared(declared: Option<u32>, bytes: &[u8], defects: &mut Vec<Defect>) -> String {
    let mut sample = Sample::default();
    sample.add(bytes);
    let page = sample.choose(declared, None, defects);
    decode_in(page, bytes)
}

/// The 8-bit strings that are not plain ASCII.
#[derive(Default)]
struct Sample {
    strings: Vec<Vec<u8>>,
    bytes: usize,
}

impl Sample {
    fn of(message: &Message) -> Self {
        let mut sample = Self::default();
        sample.add_all(&message.properties);
        for recipient in &message.recipients {
            sample.add_all(recipient);
        }
        for attachment in &message.attachments {
            if !matches!(attachment.content, Content::Message(_)) {
                sample.add_all(&attachment.properties);
            }
        }
        sample
    }

    fn add_all(&mut self, properties: &Properties) {
        for (tag, value) in properties.iter() {
            match value {
                // The HTML body has a page of its own.
                Value::String8(bytes) if tag.id() != tags::HTML => self.add(bytes),
                Value::Multiple(values) => {
                    for value in values {
                        if let Value::String8(bytes) = value {
                            self.add(bytes);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        if bytes.iter().all(|byte| byte.is_ascii() && *byte != 0x1B) || self.bytes >= SAMPLE_BYTES {
            return;
        }
        let mut end = bytes.len().min(SAMPLE_BYTES - self.bytes);
        if end < bytes.len() {
            // Cut behind an ASCII byte, so that no character is cut.
            while end > 0 && !(bytes[end - 1].is_ascii() && bytes[end - 1] < 0x30) {
                end -= 1;
            }
        }
        self.bytes += end;
        self.strings.push(bytes[..end].to_vec());
    }

    /// True when all strings are valid in a page; `None` when the page is not known.
    fn valid_in(&self, page: u32) -> Option<bool> {
        codepage::is_known(page).then(|| {
            self.strings
                .iter()
                .all(|bytes| codepage::decode(page, bytes).is_some_and(|decoded| decoded.clean))
        })
    }

    fn choose(&self, declared: Option<u32>, locale: Option<u32>, defects: &mut Vec<Defect>) -> u32 {
        if self.strings.is_empty() {
            return declared.filter(|page| codepage::is_known(*page)).unwrap_or(WESTERN);
        }
        let utf8 = self.strings.iter().all(|bytes| std::str::from_utf8(bytes).is_ok())
            && self.strings.iter().any(|bytes| !bytes.is_ascii());
        let Some(declared) = declared else {
            let page = if utf8 { UTF_8 } else { self.detect() };
            defects.push(Defect::new(
                DefectCode::TextCharsetUnknown,
                format!("no code page is declared; read as {page}"),
            ));
            return page;
        };
        let code = match self.valid_in(declared) {
            // Text of a single-byte page is never valid UTF-8 by chance.
            Some(true) if utf8 && declared != UTF_8 && !codepage::is_multi_byte(declared) => {
                DefectCode::TextCharsetDisagrees
            }
            Some(true) => return declared,
            Some(false) => DefectCode::TextCharsetDisagrees,
            None => DefectCode::TextCharsetUnknown,
        };
        // A declaration that does not hold says less than the language, and that more than a guess.
        let by_language = locale.filter(|page| self.valid_in(*page) == Some(true));
        let detected = match by_language {
            _ if utf8 => UTF_8,
            Some(page) => page,
            None => self.detect(),
        };
        // A detection under which the text is broken too is no better than the declaration.
        let better = codepage::is_known(declared) && self.errors(declared) <= self.errors(detected);
        let page = if better { declared } else { detected };
        defects.push(Defect::new(
            code,
            format!("8-bit strings: code page {declared} declared, read as {page}"),
        ));
        if self.errors(page) > 0 {
            defects.push(Defect::new(
                DefectCode::TextUndecodable,
                format!("8-bit strings in code page {page}"),
            ));
        }
        page
    }

    /// Characters that are none in a page.
    fn errors(&self, page: u32) -> usize {
        if page == codepage::ASCII {
            return self.strings.iter().flatten().filter(|byte| !byte.is_ascii()).count();
        }
        self.strings
            .iter()
            .map(|bytes| {
                decode_in(page, bytes)
                    .chars()
                    .filter(|c| *c == '\u{fffd}' || ('\u{80}'..='\u{9f}').contains(c))
                    .count()
            })
            .sum()
    }

    fn detect(&self) -> u32 {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
        for bytes in &self.strings {
            detector.feed(bytes, false);
            detector.feed(b"\n", false);
        }
        detector.feed(b"", true);
        codepage::of_encoding(detector.guess(None, Utf8Detection::Allow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::{PropertyKind, Tag};

    fn message(page: Option<(u16, i32)>, subject: &[u8]) -> Message {
        let mut message = Message::default();
        if let Some((id, page)) = page {
            message
                .properties
                .insert(Tag::new(id, PropertyKind::Integer32), Value::Integer32(page));
        }
        message.properties.insert(
            Tag::new(tags::SUBJECT, PropertyKind::String8),
            Value::String8(subject.to_vec()),
        );
        message
    }

    fn check(page: Option<(u16, i32)>, subject: &[u8], text: &str, code: Option<DefectCode>) {
        let message = message(page, subject);
        let strings = Strings::of(&message, None);
        assert_eq!(strings.get(&message.properties, tags::SUBJECT).as_deref(), Some(text));
        assert_eq!(strings.defects().first().map(|defect| defect.code), code, "{text}");
    }

    #[test]
    fn declared_page_is_believed_where_it_holds() {
        check(
            Some((tags::MESSAGE_CODEPAGE, 1251)),
            b"\xcf\xf0\xe8\xe2\xe5\xf2",
            "Привет",
            None,
        );
        check(Some((tags::INTERNET_CODEPAGE, 932)), b"\x83e\x83X\x83g", "テスト", None);
        check(Some((tags::MESSAGE_LOCALE, 1031)), b"gr\xfc\xdfe", "grüße", None);
        check(None, b"plain", "plain", None);
    }

    #[test]
    fn a_wrong_declaration_is_reported_and_detection_used() {
        let chinese = b"\xd6\xd0\xb9\xfa\xb9\xab\xb0\xb2\xb2\xbf\xcd\xa8\xd6\xaa\xa3\xba\xc7\xeb\xb2\xe9\xca\xd5";
        let text = encoding_rs::GBK.decode_without_bom_handling(chinese).0.into_owned();
        check(
            Some((tags::MESSAGE_CODEPAGE, 20127)),
            chinese,
            &text,
            Some(DefectCode::TextCharsetDisagrees),
        );
        check(
            Some((tags::MESSAGE_CODEPAGE, 1252)),
            "Žluťoučký".as_bytes(),
            "Žluťoučký",
            Some(DefectCode::TextCharsetDisagrees),
        );
        check(
            Some((tags::MESSAGE_CODEPAGE, 65001)),
            b"gr\xfc\xdfe aus M\xfcnchen",
            "grüße aus München",
            Some(DefectCode::TextCharsetDisagrees),
        );
        check(
            Some((tags::MESSAGE_CODEPAGE, 12345)),
            b"gr\xfc\xdfe aus M\xfcnchen",
            "grüße aus München",
            Some(DefectCode::TextCharsetUnknown),
        );
    }
}
