//! Bodies: plain, HTML, rich text ([MS-OXBBODY] section 2.1).

use embley_model::defect::{Defect, DefectCode};

use super::Reader;
use crate::codepage;
use crate::property::Value;
use crate::rtf::{self, Encapsulated, Rtf};
use crate::strings::decode_declared;
use crate::{lzfu, tags};

/// A rich-text body is unpacked to at most this.
const RTF_LIMIT_BYTES: usize = 256 * 1024 * 1024;
/// A declaration in HTML is looked for this far.
const DECLARATION_BYTES: usize = 2048;

/// Which body is the one to search and show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodySource {
    /// There is none.
    #[default]
    None,
    /// PidTagBody.
    Plain,
    /// PidTagHtml or PidTagBodyHtml.
    Html,
    /// HTML that the rich text encapsulates.
    HtmlInRtf,
    /// Rich text itself, or plain text that it encapsulates.
    Rtf,
}

/// The bodies that a message has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bodies {
    /// PidTagBody.
    pub plain: Option<String>,
    /// PidTagHtml or PidTagBodyHtml, decoded.
    pub html: Option<String>,
    /// PidTagRtfCompressed, read.
    pub rtf: Option<Rtf>,
    /// PidTagRtfCompressed, unpacked.
    pub rtf_bytes: Option<Vec<u8>>,
    /// The first of these that says something: plain, HTML, rich text.
    pub source: BodySource,
}

impl Bodies {
    /// The text of the plain body, or of rich text; `None` when only HTML has it ([`Bodies::best_html`]).
    pub fn best_text(&self) -> Option<&str> {
        match self.source {
            BodySource::Plain => self.plain.as_deref(),
            BodySource::Rtf => self.rtf.as_ref().map(|rtf| rtf.text.as_str()),
            BodySource::Html | BodySource::HtmlInRtf | BodySource::None => None,
        }
    }

    /// HTML, of its own property or out of rich text.
    pub fn best_html(&self) -> Option<&str> {
        self.html
            .as_deref()
            .or_else(|| self.rtf.as_ref().and_then(|rtf| rtf.html.as_deref()))
    }
}

pub(super) fn read(reader: &Reader<'_>, defects: &mut Vec<Defect>) -> Bodies {
    let mut bodies = Bodies {
        plain: reader.get(tags::BODY),
        html: html(reader, defects),
        ..Bodies::default()
    };
    let packed = reader
        .message
        .properties
        .binary(tags::RTF_COMPRESSED)
        .filter(|packed| !packed.is_empty());
    if let Some(packed) = packed {
        let unpacked = lzfu::unpack(packed, RTF_LIMIT_BYTES);
        defects.extend(unpacked.defects);
        if !unpacked.bytes.is_empty() {
            let mut rtf = rtf::read(&unpacked.bytes);
            defects.append(&mut rtf.defects);
            bodies.rtf = Some(rtf);
            bodies.rtf_bytes = Some(unpacked.bytes);
        }
    }
    let says = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    bodies.source = if says(&bodies.plain) {
        BodySource::Plain
    } else if says(&bodies.html) {
        BodySource::Html
    } else {
        match &bodies.rtf {
            Some(rtf) if rtf.encapsulated == Encapsulated::Html && says(&rtf.html) => BodySource::HtmlInRtf,
            Some(rtf) if !rtf.text.trim().is_empty() => BodySource::Rtf,
            _ => BodySource::None,
        }
    };
    bodies
}

/// The HTML body in whichever of its three types: PidTagHtml is bytes in PidTagInternetCodepage, else as it declares itself.
fn html(reader: &Reader<'_>, defects: &mut Vec<Defect>) -> Option<String> {
    let values: Vec<&Value> = reader
        .message
        .properties
        .of_id(tags::HTML)
        .map(|(_, value)| value)
        .collect();
    for value in &values {
        if let Value::Unicode(text) = value
            && !text.is_empty()
        {
            return Some(text.clone());
        }
    }
    let bytes = values.iter().find_map(|value| match value {
        Value::Binary(bytes) | Value::String8(bytes) if !bytes.is_empty() => Some(bytes.as_slice()),
        _ => None,
    })?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
    let bytes = &bytes[..end];
    if let Some(utf16) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return codepage::decode(1200, utf16).map(|decoded| decoded.text);
    }
    if let Some(utf8) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        return codepage::decode(codepage::UTF_8, utf8).map(|decoded| decoded.text);
    }
    let own = declaration(bytes);
    let internet = reader.strings.internet();
    let valid = |page: u32| codepage::decode(page, bytes).is_some_and(|decoded| decoded.clean);
    // The property rules, unless the bytes are invalid in its page and valid in the one that the HTML declares.
    let page = match (internet, own) {
        (Some(internet), Some(own)) if own != internet && !valid(internet) && valid(own) => {
            let detail = format!("HTML body: code page {internet} declared, read as {own}");
            defects.push(Defect::new(DefectCode::TextCharsetDisagrees, detail));
            Some(own)
        }
        (Some(internet), _) => Some(internet),
        (None, Some(own)) => Some(own),
        (None, None) => reader.strings.declared(),
    };
    Some(decode_declared(page, bytes, defects))
}

/// The code page of `charset=` in the head of HTML.
fn declaration(bytes: &[u8]) -> Option<u32> {
    let head = &bytes[..bytes.len().min(DECLARATION_BYTES)];
    let head: String = head.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let rest = head.split_once("charset")?.1.trim_start().strip_prefix('=')?;
    let label: String = rest
        .trim_start_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace())
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'))
        .collect();
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    Some(codepage::of_encoding(encoding))
}
