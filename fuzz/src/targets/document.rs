//! Own readers of documents. What packages of others do with a document is not the matter, but it runs too.

use embley_formats::document::{DocumentFormat, open};
use embley_formats::language::language;

use super::archive::{Taken, check_members, limits};
use super::{ensure, samples};
use crate::target::{Target, WORKER_STACK};

const fn document(name: &'static str, check: fn(&[u8]) -> Result<(), String>) -> Target {
    Target {
        stack_bytes: WORKER_STACK,
        ..Target::new(
            name,
            "text and members stay within the limits; the same document twice",
            check,
        )
    }
}

/// Packages made around one part, so that a bent part is still found; a whole package goes in as it is.
fn packed(part: &[u8], around: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    if part.starts_with(b"PK") || part.starts_with(&embley_mapi::compound::SIGNATURE) {
        return part.to_vec();
    }
    around(part)
}

const XML_WORDS: &[&[u8]] = &[
    b"<a>",
    b"</a>",
    b"<a/>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&b;",
    b"&#x1F600;",
    b"&#0;",
    b"&amp",
    b"xmlns:w='x'",
    b"=\"",
    b"<",
    b">",
    b"\xff\xfe",
    b"\0",
    b"<?",
    b"<text:p>",
    b"<text:s text:c='4294967295'/>",
    b"<text:tracked-changes>",
    b"<table:table-row table:number-rows-repeated='1048576'>",
    b"<table:table-cell table:number-columns-repeated='16384'>",
    b"<office:annotation>",
    b"<w:p><w:r><w:t>",
    b"<w:del><w:delText>",
    b"<mc:AlternateContent>",
    b"<dc:title>",
    b"<meta:creation-date>",
    b"xlink:href='Object 1'",
];

pub(super) const ODF: Target = Target {
    max_bytes: 32 << 10,
    words: XML_WORDS,
    made: || vec![samples::ODF_CONTENT.to_vec()],
    corpora: &[("docs/tika", ".odt"), ("docs/tika", ".ods"), ("docs/tika", ".fodt")],
    ..document("odf", |part| {
        read(DocumentFormat::OpenDocument, &packed(part, samples::odf))
    })
};

pub(super) const OOXML: Target = Target {
    max_bytes: 32 << 10,
    words: XML_WORDS,
    made: || vec![samples::DOCX_BODY.to_vec()],
    corpora: &[("docs/poi", ".docx")],
    ..document("ooxml", |part| {
        read(DocumentFormat::Ooxml, &packed(part, samples::docx))
    })
};

pub(super) const EPUB: Target = Target {
    max_bytes: 32 << 10,
    words: XML_WORDS,
    made: || vec![samples::EPUB_PACKAGE.to_vec()],
    ..document("epub", |part| read(DocumentFormat::Epub, &packed(part, samples::epub)))
};

pub(super) const OLE: Target = Target {
    max_bytes: 64 << 10,
    words: &[
        b"\xe0\x85\x9f\xf2\xf9\x4f\x68\x10\xab\x91\x08\0\x2b\x27\xb3\xd9",
        b"\x02\xd5\xcd\xd5\x9c\x2e\x1b\x10\x93\x97\x08\0\x2b\x2c\xf9\xae",
        b"\x1e\0\0\0",
        b"\x1f\0\0\0",
        b"\x40\0\0\0",
        b"\x0c\x10\0\0",
        b"\xfe\xff\0\0",
        b"\x13\0\0\0",
        b"\x02\0\0\0\xe4\x04\0\0",
    ],
    made: || vec![samples::property_set(), samples::summary(&samples::property_set())],
    corpora: &[("docs/poi", ".doc"), ("docs/poi", ".ppt"), ("docs/poi", ".xls")],
    ..document("ole", |part| {
        read(DocumentFormat::Compound, &packed(part, samples::summary))
    })
};

pub(super) const XML: Target = Target {
    words: XML_WORDS,
    made: || {
        vec![
            samples::ODF_CONTENT.to_vec(),
            b"<?xml version='1.0'?><a b='c'>d<e/>&lt;</a>".to_vec(),
        ]
    },
    corpora: &[("docs/tika", ".xml"), ("docs/tika", ".svg")],
    ..document("xml", |bytes| {
        read(DocumentFormat::Xml, bytes)?;
        read(DocumentFormat::Html, bytes)
    })
};

pub(super) const JSON: Target = Target {
    words: &[
        b"{\"a\":",
        b"[",
        b"]",
        b"}",
        b"\"\\ud800\"",
        b"\"\\u0000",
        b"1e999",
        b"-",
        b"null",
        b"\n",
        b",",
        b"\\",
        b"\xff",
    ],
    made: || {
        vec![
            br#"{"a": [1, -2.5e3, "b\u00e4\ud83d\ude00", null, true], "c": {"d": {}}}"#.to_vec(),
            b"{\"a\":1}\n{\"a\":2}\n".to_vec(),
        ]
    },
    corpora: &[("ground-truth/case-uco", ".json")],
    ..document("json", |bytes| {
        read(DocumentFormat::Json, bytes)?;
        read(DocumentFormat::PlainText, bytes)
    })
};

pub(super) const CARDS: Target = Target {
    words: &[
        b"BEGIN:VCARD\r\n",
        b"END:VCARD\r\n",
        b"BEGIN:VCALENDAR\n",
        b"BEGIN:VEVENT\n",
        b"END:VEVENT\n",
        b"SUMMARY;LANGUAGE=en:",
        b"\n ",
        b"DTSTART;TZID=x:20010101T000000\n",
        b"RRULE:FREQ=SECONDLY;COUNT=2000000000\n",
        b"ENCODING=QUOTED-PRINTABLE:=E4=\n",
        b"PHOTO;ENCODING=b:AAAA\n",
        b"ATTACH;VALUE=BINARY;ENCODING=BASE64:AAAA\n",
        b"\\,\\;\\n",
        b"\"",
        b"^n^'",
        b"VERSION:4.0\n",
    ],
    made: samples::cards,
    corpora: &[("ics-vcf", ".ics"), ("ics-vcf", ".vcf")],
    ..document("cards", |bytes| {
        read(DocumentFormat::Calendar, bytes)?;
        read(DocumentFormat::Cards, bytes)
    })
};

pub(super) const PDF: Target = Target {
    max_bytes: 24 << 10,
    words: &[
        b"obj",
        b"endobj",
        b"stream\n",
        b"endstream",
        b"/Type/Page",
        b"/Kids[",
        b"/Encrypt",
        b"trailer",
        b"startxref",
        b"<<",
        b">>",
        b"/EmbeddedFile",
        b"%PDF-1.7",
        b"(a) Tj",
        b"9 0 R",
        b"/Info",
    ],
    made: || vec![samples::PDF_FILE.to_vec()],
    ..document("pdf", |bytes| read(DocumentFormat::Pdf, bytes))
};

fn read(format: DocumentFormat, bytes: &[u8]) -> Result<(), String> {
    let passwords = ["secret".to_owned()];
    let run = || {
        let mut taken = Taken::default();
        let opened = open(format, bytes, b"name", &passwords, &limits(), &mut taken);
        (taken.list, opened)
    };
    let (list, opened) = run();
    let opened = opened.map_err(|error| format!("an error that nobody returned: {error}"))?;
    check_members(&list, &limits())?;
    ensure(opened.text.len() <= limits().max_text_bytes, || {
        format!("{} bytes of text", opened.text.len())
    })?;
    language(&opened.text);
    let (again, other) = run();
    ensure(list == again, || "other members the second time".to_owned())?;
    ensure(other.is_ok_and(|other| other == opened), || {
        "another document the second time".to_owned()
    })
}
