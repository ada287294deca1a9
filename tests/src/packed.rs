//! Containers and documents made in code: small, valid, and with words that stand nowhere else.
//!
//! Not for: damaged files. Each function returns the bytes of a whole file. Invariant: the same arguments give the same bytes, but for encrypted members, whose salt is random.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::{FileOptions, SimpleFileOptions};
use zip::{AesMode, CompressionMethod, ZipWriter};

/// A ZIP archive of these members, in this order.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, SimpleFileOptions::default())
}

/// The same, each member encrypted with AES-256 under this password.
pub fn zip_sealed(members: &[(&str, &[u8])], password: &str) -> Vec<u8> {
    zip_with(
        members,
        FileOptions::default().with_aes_encryption(AesMode::Aes256, password),
    )
}

fn zip_with(members: &[(&str, &[u8])], options: FileOptions<'_, '_, ()>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = options.compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).expect("a member begins");
        writer.write_all(bytes).expect("a member is written");
    }
    writer.finish().expect("the archive ends").into_inner()
}

/// A gzip file without a name.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("gzip takes bytes");
    encoder.finish().expect("gzip ends")
}

/// A tar archive of these members.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_577_880_000);
        builder
            .append_data(&mut header, name, *bytes)
            .expect("a member is written");
    }
    builder.into_inner().expect("the archive ends")
}

const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// Content types and the relation to the main part (ECMA-376, part 2).
fn package(main: &str, main_type: &str, more: &[(&str, &str)]) -> (String, String) {
    let more: String = more
        .iter()
        .map(|(part, kind)| format!("<Override PartName=\"/{part}\" ContentType=\"{kind}\"/>"))
        .collect();
    let types = format!(
        "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/{main}\" ContentType=\"{main_type}\"/>{more}</Types>"
    );
    let relations = format!(
        "{XML}<Relationships xmlns=\"{RELATIONS}\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"{main}\"/></Relationships>"
    );
    (types, relations)
}

/// A Word document of one paragraph.
pub fn docx(text: &str) -> Vec<u8> {
    let main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
    let (types, relations) = package("word/document.xml", main, &[]);
    let document = format!(
        "{XML}<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">\
         <w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    );
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relations.as_bytes()),
        ("word/document.xml", document.as_bytes()),
    ])
}

/// A workbook of one cell.
pub fn xlsx(text: &str) -> Vec<u8> {
    let sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";
    let main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml";
    let (types, relations) = package("xl/workbook.xml", main, &[("xl/worksheets/sheet1.xml", sheet_type)]);
    let space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let workbook = format!(
        "{XML}<workbook xmlns=\"{space}\" xmlns:r=\"{OFFICE}\">\
         <sheets><sheet name=\"Ledger\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let sheets = format!(
        "{XML}<Relationships xmlns=\"{RELATIONS}\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let sheet = format!(
        "{XML}<worksheet xmlns=\"{space}\"><sheetData><row r=\"1\">\
         <c r=\"A1\" t=\"inlineStr\"><is><t>{text}</t></is></c></row></sheetData></worksheet>"
    );
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relations.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", sheets.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

/// A presentation of one slide.
pub fn pptx(text: &str) -> Vec<u8> {
    let kind = "application/vnd.openxmlformats-officedocument.presentationml";
    let main = format!("{kind}.presentation.main+xml");
    let slide_type = format!("{kind}.slide+xml");
    let (types, relations) = package("ppt/presentation.xml", &main, &[("ppt/slides/slide1.xml", &slide_type)]);
    let space = "http://schemas.openxmlformats.org/presentationml/2006/main";
    let drawing = "http://schemas.openxmlformats.org/drawingml/2006/main";
    let presentation = format!(
        "{XML}<p:presentation xmlns:p=\"{space}\" xmlns:r=\"{OFFICE}\">\
         <p:sldIdLst><p:sldId id=\"256\" r:id=\"rId1\"/></p:sldIdLst></p:presentation>"
    );
    let slides = format!(
        "{XML}<Relationships xmlns=\"{RELATIONS}\">\
         <Relationship Id=\"rId1\" Type=\"{OFFICE}/slide\" Target=\"slides/slide1.xml\"/></Relationships>"
    );
    let slide = format!(
        "{XML}<p:sld xmlns:p=\"{space}\" xmlns:a=\"{drawing}\"><p:cSld><p:spTree><p:sp><p:txBody><a:bodyPr/>\
         <a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    );
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relations.as_bytes()),
        ("ppt/presentation.xml", presentation.as_bytes()),
        ("ppt/_rels/presentation.xml.rels", slides.as_bytes()),
        ("ppt/slides/slide1.xml", slide.as_bytes()),
    ])
}

/// An OpenDocument text of one paragraph (OASIS OpenDocument 1.3, part 2).
pub fn odt(text: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let kind = "application/vnd.oasis.opendocument.text";
    let content = format!(
        "{XML}<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\" office:version=\"1.3\">\
         <office:body><office:text><text:p>{text}</text:p></office:text></office:body></office:document-content>"
    );
    let manifest = format!(
        "{XML}<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\">\
         <manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"{kind}\"/>\
         <manifest:file-entry manifest:full-path=\"content.xml\" manifest:media-type=\"text/xml\"/></manifest:manifest>"
    );
    let parts = [
        ("mimetype", kind, CompressionMethod::Stored),
        ("content.xml", &content, CompressionMethod::Deflated),
        ("META-INF/manifest.xml", &manifest, CompressionMethod::Deflated),
    ];
    for (name, bytes, method) in parts {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(name, options).expect("a part begins");
        writer.write_all(bytes.as_bytes()).expect("a part is written");
    }
    writer.finish().expect("the package ends").into_inner()
}

/// A PDF of one page in Helvetica; `text` is ASCII without brackets (ISO 32000-1, 7.5).
pub fn pdf(text: &str) -> Vec<u8> {
    let stream = format!("BT /F1 18 Tf 72 720 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(out.len());
        out.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = out.len();
    out.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        out.push_str(&format!("{offset:010} 00000 n \n"));
    }
    out.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    out.into_bytes()
}

/// A rich-text document in Windows code page 1250; `escaped` uses `\'xx` beyond ASCII.
pub fn rtf_1250(escaped: &str) -> Vec<u8> {
    format!("{{\\rtf1\\ansi\\ansicpg1250\\deff0{{\\fonttbl{{\\f0\\fnil\\fcharset238 Arial;}}}}\\f0\\fs24 {escaped}\\par}}\r\n")
        .into_bytes()
}

/// A TNEF stream: subject, text, one file ([MS-OXTNEF] 2.1.3).
pub fn tnef(subject: &str, text: &str, name: &str, content: &[u8]) -> Vec<u8> {
    const MESSAGE: u8 = 1;
    const ATTACHMENT: u8 = 2;
    let mut out = 0x223E_9F78_u32.to_le_bytes().to_vec();
    out.extend_from_slice(&1_u16.to_le_bytes());
    let mut attribute = |level: u8, id: u32, data: &[u8]| {
        out.push(level);
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&u32::try_from(data.len()).expect("short").to_le_bytes());
        out.extend_from_slice(data);
        let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        out.extend_from_slice(&sum.to_le_bytes());
    };
    let ended = |text: &str| [text.as_bytes(), b"\0"].concat();
    attribute(MESSAGE, 0x0008_9006, &0x0001_0000_u32.to_le_bytes()); // attTnefVersion
    attribute(MESSAGE, 0x0006_9007, &1252_u64.to_le_bytes()); // attOemCodepage
    attribute(MESSAGE, 0x0007_8008, &ended("IPM.Microsoft Mail.Note")); // attMessageClass
    attribute(MESSAGE, 0x0001_8004, &ended(subject)); // attSubject
    attribute(MESSAGE, 0x0002_800C, &ended(text)); // attBody
    attribute(
        ATTACHMENT,
        0x0006_9002,
        &[1, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0],
    ); // attAttachRendData
    attribute(ATTACHMENT, 0x0001_8010, &ended(name)); // attAttachTitle
    attribute(ATTACHMENT, 0x0006_800F, content); // attAttachData
    out
}

/// A message with a text and these files, each with its media type.
pub fn mail(id: &str, text: &str, files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut out = format!(
        "Message-ID: <{id}@mail.example>\r\nDate: Tue, 7 Jan 2020 09:00:00 +0000\r\nFrom: Ash Birch <ash.birch@mail.example>\r\n\
         To: Rowan Elm <rowan.elm@mail.example>\r\nSubject: files\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"b0\"\r\n\r\n--b0\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
    );
    for (name, media_type, bytes) in files {
        out.push_str(&format!(
            "--b0\r\nContent-Type: {media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n"
        ));
        out.push_str(&base64(bytes));
        out.push_str("\r\n");
    }
    out.push_str("--b0--\r\n");
    out.into_bytes()
}

/// RFC 4648, section 4, in lines of 76.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (at, three) in bytes.chunks(3).enumerate() {
        if at > 0 && at % 19 == 0 {
            out.push_str("\r\n");
        }
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = usize::try_from(all >> (18 - 6 * place) & 63).expect("six bits");
            out.push(if place <= three.len() {
                char::from(ALPHABET[six])
            } else {
                '='
            });
        }
    }
    out
}
