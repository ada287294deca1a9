//! EPUB publications (EPUB 3.3; EPUB 2 is read the same way): chapters in the order of the spine.

use embley_model::defect::DefectCode;

use super::draft::Draft;
use super::markup::page_text;
use super::open::{Input, salvage};
use super::package::Package;
use super::xml::{self, Node};
use crate::html::to_text;
use crate::opened::MetaField;

/// Reads the publication.
pub(super) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    draft.reader("epub/1");
    let Some(mut package) = Package::open(input.bytes, draft) else {
        draft.failed("not a package");
        salvage(input.bytes, "publication", draft);
        return;
    };
    if package.find("META-INF/encryption.xml").is_some() && package.find("META-INF/rights.xml").is_some() {
        draft.encrypted("the publication is under rights management");
    }
    let chapters = chapters(&mut package, draft);
    let mut done = vec![false; package.parts.len()];
    let rest = (0..package.parts.len()).filter(|at| is_page(&package.parts[*at].name));
    let order: Vec<usize> = chapters.into_iter().chain(rest).collect();
    for at in order {
        if !std::mem::replace(&mut done[at], true) {
            let bytes = package.read(at, draft);
            let page = page_text(&bytes, draft);
            draft.lines(&to_text(&page));
        }
    }
    for at in 0..package.parts.len() {
        let name = package.parts[at].name.clone();
        let lower = name.to_ascii_lowercase();
        let is_text = is_page(&lower)
            || [".xml", ".opf", ".ncx", ".css", ".ttf", ".otf", ".woff", ".woff2"]
                .iter()
                .any(|end| lower.ends_with(end))
            || lower == "mimetype";
        if !is_text && !package.member(at, &name, draft) {
            return;
        }
    }
}

fn is_page(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".xhtml", ".html", ".htm"].iter().any(|end| name.ends_with(end))
}

/// Positions of the parts of the spine; fields of the publication on the way.
fn chapters(package: &mut Package<'_>, draft: &mut Draft<'_>) -> Vec<usize> {
    let mut root = None;
    if let Some(at) = package.find("META-INF/container.xml") {
        let bytes = package.read(at, draft);
        let outcome = xml::walk(&xml::decode(&bytes), &mut |node| {
            if let Node::Start(element) = node
                && element.name() == "rootfile"
                && root.is_none()
            {
                root = element.attribute("full-path");
            }
        });
        if let Err(why) = outcome {
            draft.defect(DefectCode::DocStructure, format!("container: {why}"));
        }
    }
    let root = root.or_else(|| {
        package
            .parts
            .iter()
            .map(|part| part.name.clone())
            .find(|name| name.ends_with(".opf"))
    });
    let Some(at) = root.as_deref().and_then(|root| package.find(root)) else {
        draft.defect(
            DefectCode::DocStructure,
            "the publication has no package document; pages in the order stored",
        );
        return Vec::new();
    };
    let folder = package.parts[at]
        .name
        .rsplit_once('/')
        .map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let bytes = package.read(at, draft);
    let mut items: Vec<(String, String)> = Vec::new();
    let mut spine: Vec<String> = Vec::new();
    let mut field: Option<(MetaField, String)> = None;
    let mut fields = Vec::new();
    let outcome = xml::walk(&xml::decode(&bytes), &mut |node| match node {
        Node::Start(element) => match element.name() {
            "item" => {
                if let (Some(id), Some(href)) = (element.attribute("id"), element.attribute("href")) {
                    items.push((id, href));
                }
            }
            "itemref" => spine.extend(element.attribute("idref")),
            name => field = dublin_core(name).map(|field| (field, String::new())),
        },
        Node::Text(text) => {
            if let Some((_, value)) = &mut field {
                value.push_str(text);
            }
        }
        Node::End(_) => fields.extend(field.take()),
    });
    if let Err(why) = outcome {
        draft.defect(DefectCode::DocStructure, format!("package document: {why}"));
    }
    for (field, value) in fields {
        draft.field(field, &value);
    }
    let by_id: std::collections::HashMap<&str, &str> =
        items.iter().map(|(id, href)| (id.as_str(), href.as_str())).collect();
    let hrefs = spine.iter().filter_map(|id| by_id.get(id.as_str()));
    hrefs
        .filter_map(|href| package.find(&format!("{folder}{}", unescape(href))))
        .collect()
}

/// Dublin Core terms as fields; also used by OpenDocument and Office Open XML.
pub(super) fn dublin_core(name: &str) -> Option<MetaField> {
    Some(match name {
        "title" => MetaField::Title,
        "creator" => MetaField::Author,
        "subject" => MetaField::Subject,
        "description" => MetaField::Description,
        "publisher" => MetaField::Company,
        "date" => MetaField::Created,
        "language" => MetaField::Language,
        _ => return None,
    })
}

/// A path of a URL without its fragment, per cent signs resolved (RFC 3986 section 2.1).
fn unescape(href: &str) -> String {
    let path = href.split('#').next().unwrap_or_default().as_bytes();
    let mut out = Vec::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        let digits = path.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if path[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(path[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
