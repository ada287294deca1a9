//! Small documents of each format, built in code.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A package of these parts, in this order.
pub(crate) fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a part");
        writer.write_all(content.as_bytes()).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

const CORE: &str = "<cp:coreProperties xmlns:cp='c' xmlns:dc='d' xmlns:dcterms='t'><dc:title>Plan B</dc:title><dc:creator>Ann Author</dc:creator>\
    <cp:lastModifiedBy>Bob Saver</cp:lastModifiedBy><dcterms:created>2020-01-02T03:04:05Z</dcterms:created></cp:coreProperties>";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A text with a header, a comment, a footnote, deleted text, a text box, a link, a picture's description, a picture and an object.
pub(crate) fn docx() -> Vec<u8> {
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>\
        <Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/><Default Extension='xml' ContentType='application/xml'/>\
        <Default Extension='png' ContentType='image/png'/><Override PartName='/word/document.xml' \
        ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>";
    let top = format!(
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
        <Relationship Id='rId1' Type='{RELATIONS}/officeDocument' Target='word/document.xml'/></Relationships>"
    );
    let inner = format!(
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
        <Relationship Id='rId1' Type='{RELATIONS}/comments' Target='comments.xml'/><Relationship Id='rId2' Type='{RELATIONS}/footnotes' Target='footnotes.xml'/>\
        <Relationship Id='rId3' Type='{RELATIONS}/header' Target='header1.xml'/>\
        <Relationship Id='rId4' Type='{RELATIONS}/hyperlink' Target='http://link.example/target' TargetMode='External'/></Relationships>"
    );
    let body = "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main' \
        xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships' xmlns:wp='p' xmlns:v='v'><w:body>\
        <w:p><w:r><w:t>Visible paragraph</w:t></w:r><w:del w:id='1' w:author='Eve Editor'><w:r><w:delText>struck clause</w:delText></w:r></w:del></w:p>\
        <w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden sentence</w:t></w:r><w:r><w:drawing><wp:docPr id='1' descr='photo of warehouse'/></w:drawing></w:r></w:p>\
        <w:p><w:r><w:pict><v:shape><v:textbox><w:txbxContent><w:p><w:r><w:t>boxed words</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>\
        <w:p><w:hyperlink r:id='rId4'><w:r><w:t>anchor</w:t></w:r></w:hyperlink></w:p>\
        <w:sectPr><w:headerReference w:type='default' r:id='rId3'/></w:sectPr></w:body></w:document>";
    let main = "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'";
    package(&[
        ("[Content_Types].xml", types),
        ("_rels/.rels", &top),
        ("word/document.xml", body),
        ("word/_rels/document.xml.rels", &inner),
        (
            "word/comments.xml",
            &format!(
                "<w:comments {main}><w:comment w:id='0' w:author='Carl Critic'><w:p><w:r><w:t>marginal remark</w:t></w:r></w:p></w:comment></w:comments>"
            ),
        ),
        (
            "word/footnotes.xml",
            &format!(
                "<w:footnotes {main}><w:footnote w:id='2'><w:p><w:r><w:t>footnote source</w:t></w:r></w:p></w:footnote></w:footnotes>"
            ),
        ),
        (
            "word/header1.xml",
            &format!("<w:hdr {main}><w:p><w:r><w:t>running header</w:t></w:r></w:p></w:hdr>"),
        ),
        ("word/media/image1.png", "\u{89}PNG not really"),
        ("word/embeddings/oleObject1.bin", "object bytes"),
        ("docProps/core.xml", CORE),
        (
            "docProps/app.xml",
            "<Properties><Company>Acme</Company><Application>Writer 9</Application></Properties>",
        ),
    ])
}

/// A book with a shown and a hidden sheet, a comment, and a shared string that no cell shows.
pub(crate) fn xlsx() -> Vec<u8> {
    let main = "xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'";
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>\
        <Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/><Default Extension='xml' ContentType='application/xml'/>\
        <Override PartName='/xl/workbook.xml' ContentType='application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml'/></Types>";
    let top = format!(
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
        <Relationship Id='rId1' Type='{RELATIONS}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
    );
    let inner = format!(
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>\
        <Relationship Id='rId1' Type='{RELATIONS}/worksheet' Target='worksheets/sheet1.xml'/><Relationship Id='rId2' Type='{RELATIONS}/worksheet' Target='worksheets/sheet2.xml'/>\
        <Relationship Id='rId3' Type='{RELATIONS}/sharedStrings' Target='sharedStrings.xml'/></Relationships>"
    );
    package(&[
        ("[Content_Types].xml", types),
        ("_rels/.rels", &top),
        (
            "xl/workbook.xml",
            &format!(
                "<workbook {main} xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'><sheets>\
            <sheet name='Front' sheetId='1' r:id='rId1'/><sheet name='Secret' sheetId='2' state='veryHidden' r:id='rId2'/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", &inner),
        (
            "xl/sharedStrings.xml",
            &format!("<sst {main}><si><t>shown cell</t></si><si><t>deleted supplier</t></si></sst>"),
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!(
                "<worksheet {main}><sheetData><row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1'><v>41.5</v></c></row></sheetData>\
            <headerFooter><oddHeader>&amp;CSheet header text</oddHeader></headerFooter></worksheet>"
            ),
        ),
        (
            "xl/worksheets/sheet2.xml",
            &format!(
                "<worksheet {main}><sheetData><row r='1' hidden='1'><c r='A1' t='inlineStr'><is><t>off the books</t></is></c></row></sheetData></worksheet>"
            ),
        ),
        (
            "xl/comments1.xml",
            &format!(
                "<comments {main}><authors><author>Dora Doubt</author></authors><commentList><comment ref='A1' authorId='0'><text><r><t>check this figure</t></r></text></comment></commentList></comments>"
            ),
        ),
    ])
}

/// A deck with one slide, its notes and a comment.
pub(crate) fn pptx() -> Vec<u8> {
    let types = "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'>\
        <Default Extension='rels' ContentType='application/vnd.openxmlformats-package.relationships+xml'/><Default Extension='xml' ContentType='application/xml'/>\
        <Override PartName='/ppt/presentation.xml' ContentType='application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml'/></Types>";
    let relations = "xmlns='http://schemas.openxmlformats.org/package/2006/relationships'";
    let space = "xmlns:p='http://schemas.openxmlformats.org/presentationml/2006/main' xmlns:a='http://schemas.openxmlformats.org/drawingml/2006/main' \
        xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'";
    let words = |text: &str| {
        format!(
            "<p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld>"
        )
    };
    package(&[
        ("[Content_Types].xml", types),
        (
            "_rels/.rels",
            &format!(
                "<Relationships {relations}><Relationship Id='rId1' Type='{RELATIONS}/officeDocument' Target='ppt/presentation.xml'/></Relationships>"
            ),
        ),
        (
            "ppt/presentation.xml",
            &format!(
                "<p:presentation {space}><p:sldIdLst><p:sldId id='256' r:id='rId1'/></p:sldIdLst></p:presentation>"
            ),
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            &format!(
                "<Relationships {relations}><Relationship Id='rId1' Type='{RELATIONS}/slide' Target='slides/slide1.xml'/></Relationships>"
            ),
        ),
        (
            "ppt/slides/slide1.xml",
            &format!("<p:sld {space} show='0'>{}</p:sld>", words("slide words")),
        ),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            &format!(
                "<Relationships {relations}><Relationship Id='rId1' Type='{RELATIONS}/notesSlide' Target='../notesSlides/notesSlide1.xml'/></Relationships>"
            ),
        ),
        (
            "ppt/notesSlides/notesSlide1.xml",
            &format!("<p:notes {space}>{}</p:notes>", words("say this aloud")),
        ),
        (
            "ppt/comments/comment1.xml",
            &format!("<p:cmLst {space}><p:cm authorId='0'><p:text>reviewer comment</p:text></p:cm></p:cmLst>"),
        ),
    ])
}

/// A text with a deletion, a comment, a footer, a picture, fields.
pub(crate) fn odt() -> Vec<u8> {
    package(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        (
            "content.xml",
            "<office:document-content xmlns:office='o' xmlns:text='t' xmlns:dc='d' xmlns:xlink='x'><office:body><office:text><text:tracked-changes>\
            <text:deletion><text:p>removed words</text:p></text:deletion></text:tracked-changes><text:p>kept words<office:annotation><dc:creator>Carl</dc:creator>\
            <text:p>side remark</text:p></office:annotation></text:p><text:p><text:a xlink:href='http://odf.example/'>link</text:a></text:p></office:text></office:body></office:document-content>",
        ),
        (
            "styles.xml",
            "<office:document-styles xmlns:office='o' xmlns:style='s' xmlns:text='t'><office:master-styles><style:master-page><style:footer>\
            <text:p>foot words</text:p></style:footer></style:master-page></office:master-styles></office:document-styles>",
        ),
        (
            "meta.xml",
            "<office:document-meta xmlns:office='o' xmlns:meta='m' xmlns:dc='d'><office:meta><meta:initial-creator>First</meta:initial-creator>\
            <dc:creator>Last</dc:creator><dc:date>2020-02-03T04:05:06</dc:date><meta:user-defined meta:name='Matter'>M-17</meta:user-defined></office:meta></office:document-meta>",
        ),
        ("Pictures/1.png", "picture"),
    ])
}

/// Two chapters whose order in the spine is not that of the package.
pub(crate) fn epub() -> Vec<u8> {
    package(&[
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>",
        ),
        ("OPS/b.xhtml", "<html><body><p>second chapter</p></body></html>"),
        ("OPS/a 1.xhtml", "<html><body><p>first chapter</p></body></html>"),
        (
            "OPS/book.opf",
            "<package xmlns:dc='d'><metadata><dc:title>The Book</dc:title><dc:creator>Some One</dc:creator></metadata><manifest>\
            <item id='1' href='a%201.xhtml'/><item id='2' href='b.xhtml'/></manifest><spine><itemref idref='1'/><itemref idref='2'/></spine></package>",
        ),
        ("OPS/cover.jpg", "jpeg"),
    ])
}

/// One page, an information dictionary, an attachment.
pub(crate) fn pdf(words: &str) -> Vec<u8> {
    let page = format!("BT /F1 12 Tf 72 720 Td ({words}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(n) 7 0 R] >> >> >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        "<< /Title (Deed) /Author (Ann) /CreationDate (D:20200102030405+01'00') >>".to_owned(),
        "<< /Type /Filespec /F (ledger.csv) /EF << /F 8 0 R >> >>".to_owned(),
        "<< /Type /EmbeddedFile /Length 7 >>\nstream\na,b,c\r\n\nendstream".to_owned(),
    ];
    let objects = objects.map(String::into_bytes);
    pdf_of(&objects, "/Info 6 0 R")
}

/// A file of these objects, the first of which is the catalogue.
pub(crate) fn pdf_of(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        out.extend(format!("{place:010} 00000 n \n").bytes());
    }
    out.extend(
        format!(
            "trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n",
            objects.len() + 1
        )
        .bytes(),
    );
    out
}

/// A stream object.
pub(crate) fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    let mut out = format!("<< {entries} /Length {} >>\nstream\n", content.len()).into_bytes();
    out.extend(content);
    out.extend(b"\nendstream");
    out
}

/// One page with this content, these entries of the page and of the catalogue, and further objects from number 6 on.
pub(crate) fn pdf_page(content: Vec<u8>, page: &str, catalogue: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let mut objects = vec![
        format!("<< /Type /Catalog /Pages 2 0 R {catalogue} >>").into_bytes(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R {page} /Resources << /Font << /F1 5 0 R >> /XObject << /I 6 0 R >> >> >>"
        )
        .into_bytes(),
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
    ];
    objects.extend(more.iter().cloned());
    pdf_of(&objects, "")
}

pub(crate) const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20200102T030405Z\r\nSUMMARY:Board meet\r\n ing\\, late\r\n\
    ORGANIZER;CN=Ann Author:mailto:ann@x.example\r\nATTENDEE;CN=\"Bob, Saver\":mailto:bob@x.example\r\nX-ODD-THING:unusual value\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
pub(crate) const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Author\r\nN:Author;Ann;;;\r\nORG:Acme;Unit 7\r\nEMAIL:ann@x.example\r\nTEL;TYPE=CELL:+44 20 7946 0000\r\nNOTE:met in\\nParis\r\nEND:VCARD\r\n";
pub(crate) const PAGE: &str = "<html lang='en'><head><title>Offer</title><meta name='author' content='Ann'></head><body>shown<span style='display:none'>concealed</span>\
    <a href='http://page.example/'>x</a></body></html>";
