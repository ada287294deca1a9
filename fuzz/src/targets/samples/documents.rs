//! Documents: parts, and the packages around them.

use embley_mapi::compound::{self, Node, Tree};

use super::zip;

pub(in crate::targets) const ODF_CONTENT: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" \
xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">\
<office:body><office:text><text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region></text:tracked-changes>\
<text:h>Head</text:h><text:p>one<text:s text:c=\"3\"/>two<text:tab/>three<text:line-break/><office:annotation><dc:creator>A</dc:creator><text:p>note</text:p></office:annotation></text:p>\
<table:table table:name=\"T\"><table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"3\" office:value=\"1.5\"><text:p>c</text:p></table:table-cell></table:table-row></table:table>\
<text:a xlink:href=\"http://a.example/\">link</text:a></office:text></office:body></office:document-content>";

pub(in crate::targets) fn odf(content: &[u8]) -> Vec<u8> {
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", content),
        ("meta.xml", content),
        ("Object 1/content.xml", content),
        (
            "META-INF/manifest.xml",
            b"<manifest:manifest xmlns:manifest='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'/>",
        ),
    ])
}

pub(in crate::targets) const DOCX_BODY: &[u8] = b"<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>\
<w:body><w:p><w:r><w:t>one</w:t><w:tab/><w:t xml:space='preserve'> two</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>\
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
<w:p><w:fldSimple w:instr='HYPERLINK \"http://a.example/\"'><w:r><w:t>link</w:t></w:r></w:fldSimple></w:p></w:body></w:document>";

pub(in crate::targets) fn docx(body: &[u8]) -> Vec<u8> {
    zip(&[
        (
            "[Content_Types].xml",
            b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'><Default Extension='rels' \
ContentType='application/vnd.openxmlformats-package.relationships+xml'/><Default Extension='xml' ContentType='application/xml'/><Override \
PartName='/word/document.xml' ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>",
        ),
        (
            "_rels/.rels",
            b"<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r1' \
Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='word/document.xml'/></Relationships>",
        ),
        ("word/document.xml", body),
        ("word/comments.xml", body),
        ("docProps/core.xml", body),
        ("word/embeddings/oleObject1.bin", b"object"),
    ])
}

pub(in crate::targets) const EPUB_PACKAGE: &[u8] = b"<package xmlns='http://www.idpf.org/2007/opf' version='3.0'><metadata xmlns:dc='http://purl.org/dc/elements/1.1/'>\
<dc:title>T</dc:title><dc:creator>A</dc:creator></metadata><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/>\
<item id='b' href='../b%20c.png' media-type='image/png'/></manifest><spine><itemref idref='a'/><itemref idref='z'/></spine></package>";

pub(in crate::targets) fn epub(package: &[u8]) -> Vec<u8> {
    zip(&[
        ("mimetype", b"application/epub+zip"),
        (
            "META-INF/container.xml",
            b"<container><rootfiles><rootfile full-path='o/p.opf' media-type='application/oebps-package+xml'/></rootfiles></container>",
        ),
        ("o/p.opf", package),
        ("o/a.xhtml", package),
        ("b c.png", b"picture"),
    ])
}

/// A property set with a code page, strings in both widths, a time and a number ([MS-OLEPS] 2.21).
pub(in crate::targets) fn property_set() -> Vec<u8> {
    let values: [(u32, Vec<u8>); 5] = [
        (1, vec![2, 0, 0, 0, 0xe4, 4, 0, 0]),
        (
            2,
            vec![0x1e, 0, 0, 0, 8, 0, 0, 0, b'T', b'i', b't', b'l', b'e', 0, 0, 0],
        ),
        (4, vec![0x1f, 0, 0, 0, 2, 0, 0, 0, b'A', 0, 0, 0]),
        (12, vec![0x40, 0, 0, 0, 0, 0x40, 0x3e, 0xd5, 0xde, 0xb1, 0x9d, 1]),
        (14, vec![3, 0, 0, 0, 7, 0, 0, 0]),
    ];
    let mut out = b"\xfe\xff\0\0\x05\x01\x02\0".to_vec();
    out.extend([0; 16]);
    out.extend([1, 0, 0, 0]);
    out.extend(b"\xe0\x85\x9f\xf2\xf9\x4f\x68\x10\xab\x91\x08\0\x2b\x27\xb3\xd9");
    out.extend([48, 0, 0, 0]);
    let (mut pairs, mut body) = (Vec::new(), Vec::<u8>::new());
    for (id, value) in &values {
        pairs.extend(id.to_le_bytes());
        pairs.extend((8 + values.len() as u32 * 8 + body.len() as u32).to_le_bytes());
        body.extend(value);
    }
    out.extend((8 + pairs.len() as u32 + body.len() as u32).to_le_bytes());
    out.extend((values.len() as u32).to_le_bytes());
    out.extend(pairs);
    out.extend(body);
    out
}

/// A compound file with the property set as both summaries and as the contents of an object.
pub(in crate::targets) fn summary(set: &[u8]) -> Vec<u8> {
    let mut tree = Tree::new();
    for name in [
        "\u{5}SummaryInformation",
        "\u{5}DocumentSummaryInformation",
        "\u{1}Ole10Native",
        "CONTENTS",
    ] {
        let node = Node {
            name: name.to_owned(),
            is_stream: true,
            content: set.to_vec(),
            ..Node::default()
        };
        tree.add(0, node);
    }
    compound::write(&tree, 0).unwrap_or_default()
}

pub(in crate::targets) const PDF_FILE: &[u8] = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a.txt) 6 0 R]>>>>>>\nendobj\n\
2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>\nendobj\n\
4 0 obj\n<</Length 41>>\nstream\nBT /F1 12 Tf 10 100 Td (Hello words) Tj ET\nendstream\nendobj\n5 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n\
6 0 obj\n<</Type/Filespec/F(a.txt)/EF<</F 7 0 R>>>>\nendobj\n7 0 obj\n<</Type/EmbeddedFile/Length 4>>\nstream\ndata\nendstream\nendobj\n\
8 0 obj\n<</Title(T)/Author(A)/CreationDate(D:20010514093000+01'00')>>\nendobj\ntrailer\n<</Root 1 0 R/Info 8 0 R/Size 9>>\nstartxref\n0\n%%EOF\n";
