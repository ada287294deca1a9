//! Which media types are documents, and which reader takes them.

/// A family of documents with one reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentFormat {
    /// Compound file ([MS-CFB]): DOC, XLS, PPT, encrypted OOXML, other OLE documents.
    Compound,
    /// Office Open XML package (ECMA-376): DOCX, XLSX, XLSB, PPTX, their templates and macro forms, VSDX, XPS.
    Ooxml,
    /// OpenDocument package or flat file (OASIS ODF 1.3).
    OpenDocument,
    /// EPUB publication.
    Epub,
    /// Portable Document Format (ISO 32000).
    Pdf,
    /// Rich Text Format.
    Rtf,
    /// HTML or XHTML page.
    Html,
    /// XML of any vocabulary.
    Xml,
    /// JSON, or several values behind one another.
    Json,
    /// Table in text form, or plain text.
    PlainText,
    /// iCalendar (RFC 5545).
    Calendar,
    /// vCard (RFC 6350 and before).
    Cards,
}

/// Returns who reads `media_type`; `None` when it is no document. Parameters and case do not matter.
pub fn reader_of(media_type: &str) -> Option<DocumentFormat> {
    let bare = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let format = match bare.as_str() {
        "application/msword"
        | "application/vnd.ms-excel"
        | "application/vnd.ms-powerpoint"
        | "application/vnd.visio"
        | "application/vnd.ms-publisher"
        | "application/vnd.ms-works"
        | "application/vnd.ms-project"
        | "application/x-hwp"
        | "application/encrypted-ooxml"
        | "application/x-ole-storage" => DocumentFormat::Compound,
        "application/pdf" | "application/x-pdf" => DocumentFormat::Pdf,
        "application/rtf" | "text/rtf" | "application/x-rtf" => DocumentFormat::Rtf,
        "application/epub+zip" => DocumentFormat::Epub,
        "text/html" | "application/xhtml+xml" => DocumentFormat::Html,
        "text/xml" | "application/xml" | "image/svg+xml" => DocumentFormat::Xml,
        "application/json" | "application/x-ndjson" | "application/ld+json" | "text/json" => DocumentFormat::Json,
        "text/csv" | "text/tab-separated-values" | "text/plain" => DocumentFormat::PlainText,
        "text/calendar" => DocumentFormat::Calendar,
        "text/vcard" | "text/x-vcard" | "text/directory" => DocumentFormat::Cards,
        "application/oxps" | "application/vnd.ms-xpsdocument" | "application/vnd.ms-visio.drawing" => {
            DocumentFormat::Ooxml
        }
        other if other.starts_with("application/vnd.oasis.opendocument.") => DocumentFormat::OpenDocument,
        other if other.starts_with("application/vnd.openxmlformats-") => DocumentFormat::Ooxml,
        other if office_with_macros(other) => DocumentFormat::Ooxml,
        other if other.ends_with("+xml") => DocumentFormat::Xml,
        other if other.ends_with("+json") => DocumentFormat::Json,
        _ => return None,
    };
    Some(format)
}

/// `application/vnd.ms-word.document.macroEnabled.12` and its kin.
fn office_with_macros(bare: &str) -> bool {
    [
        "application/vnd.ms-word.",
        "application/vnd.ms-excel.",
        "application/vnd.ms-powerpoint.",
        "application/vnd.ms-visio.",
    ]
    .iter()
    .any(|start| bare.starts_with(start))
}

/// What the bytes are, where they say it plainly; a declared type may be wrong.
pub(super) fn sniff(bytes: &[u8], declared: DocumentFormat) -> DocumentFormat {
    if bytes.starts_with(&embley_mapi::compound::SIGNATURE) {
        return DocumentFormat::Compound;
    }
    if bytes.starts_with(b"%PDF-") {
        return DocumentFormat::Pdf;
    }
    if bytes.starts_with(b"{\\rtf") {
        return DocumentFormat::Rtf;
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let head = &bytes[..bytes.len().min(256)];
        let has = |text: &[u8]| memchr::memmem::find(head, text).is_some();
        if has(b"application/epub+zip") {
            return DocumentFormat::Epub;
        }
        if has(b"application/vnd.oasis.opendocument") || has(b"application/vnd.sun.xml.") {
            return DocumentFormat::OpenDocument;
        }
        return match declared {
            DocumentFormat::Epub | DocumentFormat::OpenDocument => declared,
            _ => DocumentFormat::Ooxml,
        };
    }
    match declared {
        // A binary format was promised and the bytes are text: pages and tables of the web are often sent so.
        DocumentFormat::Compound | DocumentFormat::Ooxml | DocumentFormat::Epub if looks_like_markup(bytes) => {
            markup_kind(bytes)
        }
        DocumentFormat::Compound | DocumentFormat::Ooxml if !has_zero(bytes) => DocumentFormat::PlainText,
        other => other,
    }
}

fn has_zero(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(8192)]).is_some()
}

fn start_of(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.trim_ascii_start();
    &bytes[..bytes.len().min(512)]
}

fn looks_like_markup(bytes: &[u8]) -> bool {
    start_of(bytes).starts_with(b"<")
}

fn markup_kind(bytes: &[u8]) -> DocumentFormat {
    let start = start_of(bytes).to_ascii_lowercase();
    if memchr::memmem::find(&start, b"<html").is_some() || start.starts_with(b"<!doctype html") {
        DocumentFormat::Html
    } else {
        DocumentFormat::Xml
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_documents_have_a_reader() {
        let check = |media_type, expected| assert_eq!(reader_of(media_type), expected, "{media_type}");
        check("application/pdf", Some(DocumentFormat::Pdf));
        check("Application/PDF; name=x.pdf", Some(DocumentFormat::Pdf));
        check(
            "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
            Some(DocumentFormat::Ooxml),
        );
        check(
            "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
            Some(DocumentFormat::Ooxml),
        );
        check("application/vnd.ms-excel", Some(DocumentFormat::Compound));
        check(
            "application/vnd.oasis.opendocument.text",
            Some(DocumentFormat::OpenDocument),
        );
        check("application/rss+xml", Some(DocumentFormat::Xml));
        check("application/vnd.ms-outlook", None);
        check("message/rfc822", None);
        check("application/zip", None);
        check("image/png", None);
    }

    #[test]
    fn content_beats_the_declared_type() {
        assert_eq!(sniff(b"%PDF-1.4", DocumentFormat::Ooxml), DocumentFormat::Pdf);
        assert_eq!(sniff(b" <html><table>", DocumentFormat::Compound), DocumentFormat::Html);
        assert_eq!(
            sniff(b"a\tb\n1\t2\n", DocumentFormat::Compound),
            DocumentFormat::PlainText
        );
        assert_eq!(sniff(b"{\\rtf1 x}", DocumentFormat::Compound), DocumentFormat::Rtf);
    }
}
