//! HTML pages and XML of any vocabulary.

use html5gum::{Token, Tokenizer};

use embley_model::defect::DefectCode;

use super::draft::Draft;
use super::known::Known;
use super::ooxml;
use super::xml::{self, Node};
use crate::html::to_text;
use crate::opened::MetaField;
use crate::text::decode;

/// Bytes at the start of a page in which its fields are looked for.
const HEAD_BYTES: usize = 256 << 10;

/// Name spaces of a Word document in one XML file: Word 2003, and a flat package ([MS-DOCX], "flat OPC").
const WORD_SPACES: [&str; 2] = [
    "http://schemas.microsoft.com/office/word/2003/wordml",
    "http://schemas.microsoft.com/office/2006/xmlPackage",
];

/// Reads a page: hidden text and links kept, fields from its head.
pub(super) fn html(bytes: &[u8], draft: &mut Draft<'_>) {
    draft.reader("html/1");
    let text = page_text(bytes, draft);
    page_fields(&text, draft);
    draft.lines(&to_text(&text));
}

/// The characters of a page: byte order mark, then `meta charset` (WHATWG HTML 13.2.3.2), then detection.
pub(super) fn page_text(bytes: &[u8], draft: &mut Draft<'_>) -> String {
    if let Some((encoding, skip)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[skip..]).0.into_owned();
    }
    if matches!(bytes, [b'<', 0, ..] | [0, b'<', ..]) {
        return xml::decode(bytes).into_owned();
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).to_ascii_lowercase();
    let declared = ["charset=", "encoding="].iter().find_map(|mark| {
        let rest = head.split_once(mark)?.1.trim_start_matches(['"', '\'', ' ']);
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.+".contains(c)))
            .unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    });
    // A page that can be read up to here is not in UTF-16, whatever it says.
    let declared = declared.filter(|label| !label.starts_with("utf-16"));
    let decoded = decode(bytes, declared.as_deref());
    if decoded.lossy {
        draft.partly();
    }
    if let Some(defect) = decoded.defect {
        draft.defect(defect.code, defect.detail);
    }
    decoded.text.into_owned()
}

fn page_fields(html: &str, draft: &mut Draft<'_>) {
    let end = (0..=html.len().min(HEAD_BYTES))
        .rev()
        .find(|at| html.is_char_boundary(*at))
        .unwrap_or(0);
    let mut title: Option<String> = None;
    for token in Tokenizer::new(&html[..end]).flatten() {
        match token {
            Token::StartTag(tag) => {
                let attribute = |name: &[u8]| {
                    let found = tag.attributes.iter().find(|(key, _)| key.as_slice() == name);
                    found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                };
                match tag.name.as_slice() {
                    b"title" => title = Some(String::new()),
                    b"html" => {
                        if let Some(lang) = attribute(b"lang") {
                            draft.field(MetaField::Language, &lang);
                        }
                    }
                    b"body" => return,
                    b"meta" => {
                        let name = attribute(b"name")
                            .or_else(|| attribute(b"property"))
                            .or_else(|| attribute(b"http-equiv"));
                        if let (Some(name), Some(content)) = (name, attribute(b"content"))
                            && let Some(field) = page_field(&name.to_ascii_lowercase())
                        {
                            draft.field(field, &content);
                        }
                    }
                    _ => {}
                }
            }
            Token::String(text) => {
                if let Some(title) = &mut title {
                    title.push_str(&String::from_utf8_lossy(&text));
                }
            }
            Token::EndTag(tag) if tag.name.as_slice() == b"title" => {
                if let Some(title) = title.take() {
                    draft.field(MetaField::Title, &title);
                }
            }
            _ => {}
        }
    }
}

/// What the usual names of `meta` mean (WHATWG HTML 4.2.5.1; Dublin Core; Open Graph).
fn page_field(name: &str) -> Option<MetaField> {
    Some(match name {
        "author" | "dc.creator" | "article:author" => MetaField::Author,
        "description" | "dc.description" | "og:description" => MetaField::Description,
        "keywords" => MetaField::Keywords,
        "subject" | "dc.subject" => MetaField::Subject,
        "generator" | "progid" => MetaField::Program,
        "dc.title" | "og:title" => MetaField::Title,
        "created" | "date" | "dc.date" | "article:published_time" => MetaField::Created,
        "changed" | "last-modified" | "article:modified_time" => MetaField::Modified,
        "content-language" | "dc.language" => MetaField::Language,
        _ => return None,
    })
}

/// Reads XML: the text of every element on a line, and the values of its attributes with their names.
pub(super) fn xml(bytes: &[u8], draft: &mut Draft<'_>) {
    draft.reader("xml/1");
    let text = xml::decode(bytes);
    if let Some(root) = root_name(&text) {
        match root.as_str() {
            "html" => {
                page_fields(&text, draft);
                draft.lines(&to_text(&text));
                return;
            }
            // A flat OpenDocument file (ODF 1.3 part 3, 3.1.1).
            "document" if text.contains("urn:oasis:names:tc:opendocument") => {
                super::odf::flat(&text, draft);
                return;
            }
            _ => {}
        }
    }
    let mut out = String::new();
    let room = draft.room();
    let outcome = xml::walk(&text, &mut |node| {
        if out.len() > room {
            return;
        }
        match node {
            Node::Start(element) => element.attributes(|key, value| {
                let is_name = key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xsi:");
                if !is_name && !value.trim().is_empty() {
                    end_line(&mut out);
                    out.push_str(xml::local(key));
                    out.push_str(": ");
                    out.push_str(value);
                    out.push('\n');
                }
            }),
            Node::End(_) => end_line(&mut out),
            Node::Text(text) => {
                if !text.trim().is_empty() {
                    out.push_str(text);
                }
            }
        }
    });
    if let Err(why) = outcome {
        draft.defect(DefectCode::DocStructure, why);
        // What the walk could not reach is in the characters themselves.
        draft.lines(&text);
    } else {
        draft.lines(&out);
    }
    for aside in xml::asides(&text) {
        draft.lines(&aside);
    }
    // Word divides words into runs; joined they are what stood on the page.
    if WORD_SPACES.iter().any(|space| text.contains(space)) {
        let known = Known::of(&out);
        for paragraph in ooxml::flat_paragraphs(&text) {
            if !known.holds(&paragraph) {
                draft.lines(&paragraph);
            }
        }
    }
}

fn end_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Local name of the first element.
fn root_name(text: &str) -> Option<String> {
    let mut rest = text;
    for _ in 0..1000 {
        let at = rest.find('<')?;
        rest = &rest[at + 1..];
        if rest.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
            return Some(xml::local(&rest[..end]).to_ascii_lowercase());
        }
    }
    None
}
