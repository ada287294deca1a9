//! XML as a stream of elements and text, without a tree.
//!
//! Main function: [`walk`]. Invariant: depth costs a counter; entities of a document type are not expanded; broken XML gives what stands
//! before the break, and says so.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// One step through a document. Names are local names, without a prefix.
pub(super) enum Node<'x> {
    Start(Element<'x>),
    End(&'x str),
    Text(&'x str),
}

/// A start tag.
pub(super) struct Element<'x> {
    start: &'x BytesStart<'x>,
}

impl Element<'_> {
    pub(super) fn name(&self) -> &str {
        local(self.start.name().into_inner())
    }

    /// The value of the first attribute with this local name.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut found = None;
        self.attributes(|key, value| {
            if found.is_none() && local(key) == name {
                found = Some(value.to_owned());
            }
        });
        found
    }

    /// All attributes, names with their prefixes.
    pub(super) fn attributes(&self, mut each: impl FnMut(&str, &str)) {
        let mut attributes = self.start.attributes();
        // What stands behind a broken attribute is still wanted, but an iterator that does not move on must end.
        for attribute in attributes.with_checks(false).take(10_000).flatten() {
            let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) => value,
                Err(_) => Cow::Borrowed(&*attribute.value),
            };
            each(attribute.key.into_inner(), &value);
        }
    }
}

/// The name behind the prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Calls `each` for every start, end and text, in order; an empty element is a start and an end.
///
/// # Errors
/// What is wrong with the XML; all that stands before it has been given.
pub(super) fn walk(xml: &str, each: &mut dyn FnMut(Node<'_>)) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    loop {
        let event = reader.read_event();
        match event {
            Ok(Event::Start(start)) => each(Node::Start(Element { start: &start })),
            Ok(Event::Empty(start)) => {
                each(Node::Start(Element { start: &start }));
                each(Node::End(local(start.name().into_inner())));
            }
            Ok(Event::End(end)) => each(Node::End(local(end.name().into_inner()))),
            Ok(Event::Text(text)) => each(Node::Text(&text.into_inner())),
            Ok(Event::CData(text)) => each(Node::Text(&text.into_inner())),
            Ok(Event::GeneralRef(reference)) => {
                let resolved = reference.resolve_char_ref().ok().flatten();
                match (resolved, &*reference.into_inner()) {
                    (Some(c), _) => each(Node::Text(c.encode_utf8(&mut [0; 4]))),
                    (None, "lt") => each(Node::Text("<")),
                    (None, "gt") => each(Node::Text(">")),
                    (None, "amp") => each(Node::Text("&")),
                    (None, "quot") => each(Node::Text("\"")),
                    (None, "apos") => each(Node::Text("'")),
                    (None, "nbsp") => each(Node::Text(" ")),
                    (None, name) => each(Node::Text(&format!("&{name};"))),
                }
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Ok(Event::Eof) => return Ok(()),
            Err(error) => return Err(format!("byte {}: {error}", reader.error_position())),
        }
    }
}

/// Comments, and the declarations of a document type, which may hold text as entities.
pub(super) fn asides(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut out = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Comment(text)) => out.push(text.into_inner().trim().to_owned()),
            // Without a subset of its own it is a name only.
            Ok(Event::DocType(text)) => {
                let text = text.into_inner();
                if text.contains('[') {
                    out.push(text.trim().to_owned());
                }
            }
            Ok(Event::Eof) | Err(_) => return out,
            Ok(_) => {}
        }
    }
}

/// The text of an XML file: byte order mark, UTF-16 without one, the declared charset, UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, skip)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[skip..]).0;
    }
    match bytes {
        [b'<', 0, ..] => return encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0,
        [0, b'<', ..] => return encoding_rs::UTF_16BE.decode_without_bom_handling(bytes).0,
        _ => {}
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]);
    let declared = head.split_once("?>").and_then(|(declaration, _)| {
        let rest = declaration
            .split_once("encoding")?
            .1
            .trim_start()
            .strip_prefix('=')?
            .trim_start();
        let quote = rest.chars().next()?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    });
    crate::text::decode(bytes, Some(declared.as_deref().unwrap_or("utf-8"))).text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(xml: &str) -> (String, bool) {
        let mut out = String::new();
        let end = walk(xml, &mut |node| match node {
            Node::Start(element) => {
                out.push('<');
                out.push_str(element.name());
                element.attributes(|key, value| out.push_str(&format!(" {key}={value}")));
                out.push('>');
            }
            Node::End(name) => out.push_str(&format!("</{name}>")),
            Node::Text(text) => out.push_str(text),
        });
        (out, end.is_ok())
    }

    #[test]
    fn elements_text_and_entities_come_in_order() {
        let (text, whole) =
            all("<?xml version='1.0'?><w:a x:y='1&amp;2'>b &lt;&#65;&unknown;<c/><![CDATA[<d>]]></w:a>");
        assert!(whole);
        assert_eq!(text, "<a x:y=1&2>b <A&unknown;<c></c><d></a>");
    }

    #[test]
    fn broken_xml_gives_what_stands_before_the_break() {
        let (text, whole) = all("<a>one<b");
        assert!(text.starts_with("<a>one"));
        assert!(!whole);
        let deep = "<a>".repeat(200_000);
        assert!(all(&deep).1);
    }

    #[test]
    fn comments_and_entities_are_asides() {
        assert_eq!(
            asides("<!DOCTYPE a [<!ENTITY e 'text'>]><a>&e;<!-- said --></a>"),
            ["a [<!ENTITY e 'text'>]", "said"]
        );
        assert_eq!(asides("<!DOCTYPE html><a"), [""; 0]);
    }

    #[test]
    fn the_declared_charset_is_used() {
        assert!(decode(b"<?xml version='1.0' encoding='windows-1252'?><a>\xe9</a>").contains('é'));
        let wide: Vec<u8> = "<a>é</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&wide), "<a>é</a>");
    }
}
