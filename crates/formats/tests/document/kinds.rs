//! Each format: its text to the last corner, its fields, its members.

use embley_formats::document::DocumentFormat;
use embley_formats::opened::MetaField;
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

use crate::{built, opened};

/// All of `words` are in the text; the fields and the names of members are these.
fn check(format: DocumentFormat, bytes: &[u8], words: &[&str], fields: &[(MetaField, &str)], names: &[&str]) {
    let (opened, members) = opened(format, bytes, &[]);
    for word in words {
        assert!(
            opened.text.contains(word),
            "{format:?} lacks {word:?}: {} {:?}",
            opened.text,
            opened.defects
        );
    }
    for (field, value) in fields {
        assert!(
            opened.fields.contains(&(*field, (*value).to_owned())),
            "{format:?} lacks {field:?}: {:?}",
            opened.fields
        );
    }
    let found: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, names, "{format:?}");
    assert_eq!(
        opened.searchability,
        Some(Searchability::Searched),
        "{format:?} {:?}",
        opened.defects
    );
    assert!(!opened.reader.is_empty());
}

#[test]
fn a_word_document_is_read_to_the_last_corner() {
    check(
        DocumentFormat::Ooxml,
        &built::docx(),
        &[
            "Visible paragraph",
            "struck clause",
            "hidden sentence",
            "photo of warehouse",
            "boxed words",
            "http://link.example/target",
            "marginal remark",
            "footnote source",
            "running header",
            "Carl Critic",
            "Eve Editor",
        ],
        &[
            (MetaField::Title, "Plan B"),
            (MetaField::Author, "Ann Author"),
            (MetaField::LastSavedBy, "Bob Saver"),
            (MetaField::Created, "2020-01-02T03:04:05Z"),
            (MetaField::Company, "Acme"),
            (MetaField::Program, "Writer 9"),
        ],
        &["word/media/image1.png", "word/embeddings/oleObject1.bin"],
    );
}

#[test]
fn a_workbook_shows_hidden_sheets_comments_and_strings_that_no_cell_shows() {
    check(
        DocumentFormat::Ooxml,
        &built::xlsx(),
        &[
            "shown cell",
            "41.5",
            "Secret",
            "off the books",
            "deleted supplier",
            "check this figure",
            "Dora Doubt",
            "Sheet header text",
        ],
        &[],
        &[],
    );
}

#[test]
fn a_deck_gives_hidden_slides_notes_and_comments() {
    check(
        DocumentFormat::Ooxml,
        &built::pptx(),
        &["slide words", "say this aloud", "reviewer comment"],
        &[],
        &[],
    );
}

#[test]
fn an_opendocument_text_gives_changes_comments_and_footers() {
    check(
        DocumentFormat::OpenDocument,
        &built::odt(),
        &[
            "removed words",
            "kept words",
            "side remark",
            "Carl",
            "foot words",
            "http://odf.example/",
        ],
        &[
            (MetaField::Author, "First"),
            (MetaField::LastSavedBy, "Last"),
            (MetaField::Modified, "2020-02-03T04:05:06"),
            (MetaField::Description, "Matter: M-17"),
        ],
        &["Pictures/1.png"],
    );
}

#[test]
fn a_publication_is_read_in_the_order_of_its_spine() {
    let bytes = built::epub();
    check(
        DocumentFormat::Epub,
        &bytes,
        &["first chapter\nsecond chapter"],
        &[(MetaField::Title, "The Book"), (MetaField::Author, "Some One")],
        &["OPS/cover.jpg"],
    );
}

#[test]
fn a_pdf_gives_text_fields_and_attachments() {
    check(
        DocumentFormat::Pdf,
        &built::pdf("Contract of sale"),
        &["Contract of sale", "ledger.csv"],
        &[
            (MetaField::Title, "Deed"),
            (MetaField::Author, "Ann"),
            (MetaField::Created, "2020-01-02T03:04:05+01:00"),
            (MetaField::Pages, "1"),
        ],
        &["ledger.csv"],
    );
}

#[test]
fn annotations_of_a_pdf_are_decoded_and_their_files_come_out() {
    let words = built::stream("", b"BT /F1 12 Tf 50 700 Td (the words of the page) Tj ET");
    let page = "/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /T (Zo\\353) /Contents <FEFF0159006500610064> /RC (<p>ri<b>ch</b></p>) >> 6 0 R]";
    let more = [
        b"<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /Contents (\\215quoted\\216) /FS 7 0 R >>".to_vec(),
        b"<< /Type /Filespec /F (note.txt) /EF << /F 8 0 R >> >>".to_vec(),
        built::stream("/Type /EmbeddedFile", b"in an annotation"),
    ];
    check(
        DocumentFormat::Pdf,
        &built::pdf_page(words, page, "", &more),
        &["the words of the page", "řead", "Zoë", "rich", "“quoted”", "note.txt"],
        &[],
        &["note.txt"],
    );
}

#[test]
fn values_of_a_form_in_xml_are_read() {
    let words = built::stream("", b"BT /F1 12 Tf 50 700 Td (please wait) Tj ET");
    let form = b"<xdp:xdp xmlns:xdp='x'><data><name>typed value</name></data></xdp:xdp>";
    let bytes = built::pdf_page(
        words,
        "",
        "/AcroForm << /Fields [] /XFA 6 0 R >>",
        &[built::stream("", form)],
    );
    check(DocumentFormat::Pdf, &bytes, &["please wait", "typed value"], &[], &[]);
}

#[test]
fn a_damaged_page_of_a_pdf_is_said() {
    use flate2::write::ZlibEncoder;
    use std::io::Write;
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder
        .write_all(b"BT /F1 12 Tf 50 700 Td (words that are there) Tj 0 -20 Td (and others that follow) Tj ET")
        .expect("memory");
    let whole = encoder.finish().expect("memory");
    let read = |content: &[u8]| {
        let page = built::stream("/Filter /FlateDecode", content);
        let (opened, _) = opened(DocumentFormat::Pdf, &built::pdf_page(page, "", "", &[]), &[]);
        let is_said = opened.defects.iter().any(|one| one.code == DefectCode::DocStructure);
        (opened.searchability, is_said)
    };
    assert_eq!(read(&whole), (Some(Searchability::Searched), false));
    let (searchability, is_said) = read(&whole[..whole.len() / 2]);
    assert!(is_said, "{searchability:?}");
    assert_ne!(searchability, Some(Searchability::Searched));
    let mut bent = whole.clone();
    bent[3..9].fill(0);
    let (searchability, is_said) = read(&bent);
    assert!(is_said, "{searchability:?}");
    assert_ne!(searchability, Some(Searchability::NoText));
}

#[test]
fn a_stamp_on_a_scan_leaves_it_unread() {
    let image = |width: u32| {
        let content =
            format!("q {width} 0 0 800 0 0 cm /I Do Q BT /F1 12 Tf 50 20 Td (CONFIDENTIAL ACME-00012345) Tj ET");
        let picture = built::stream(
            "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
            b"x",
        );
        let bytes = built::pdf_page(built::stream("", content.as_bytes()), "", "", &[picture]);
        opened(DocumentFormat::Pdf, &bytes, &[]).0
    };
    let scan = image(600);
    assert!(scan.text.contains("00012345"));
    assert!(scan.needs_ocr, "{:?}", scan.defects);
    assert_eq!(scan.searchability, Some(Searchability::PartlyDecoding));
    let logo = image(60);
    assert_eq!(
        (logo.needs_ocr, logo.searchability),
        (false, Some(Searchability::Searched))
    );
}

#[test]
fn words_of_a_flat_word_document_are_joined_from_their_runs() {
    for space in [
        "http://schemas.microsoft.com/office/word/2003/wordml",
        "http://schemas.microsoft.com/office/2006/xmlPackage",
    ] {
        let text = format!(
            "<?xml version='1.0'?><x xmlns:w='{space}'><w:p><w:r><w:t>frag</w:t></w:r><w:r><w:t>mented</w:t></w:r></w:p></x>"
        );
        check(DocumentFormat::Xml, text.as_bytes(), &["fragmented"], &[], &[]);
    }
}

#[test]
fn texts_with_a_structure_are_read_by_it() {
    check(
        DocumentFormat::Calendar,
        built::CALENDAR.as_bytes(),
        &[
            "Board meeting, late",
            "Ann Author",
            "ann@x.example",
            "Bob, Saver",
            "2020-01-02T03:04:05Z",
            "unusual value",
        ],
        &[(MetaField::Title, "Board meeting, late")],
        &[],
    );
    check(
        DocumentFormat::Cards,
        built::CARD.as_bytes(),
        &[
            "Ann Author",
            "Acme",
            "Unit 7",
            "ann@x.example",
            "+44 20 7946 0000",
            "met in\nParis",
        ],
        &[(MetaField::Title, "Ann Author")],
        &[],
    );
    check(
        DocumentFormat::Html,
        built::PAGE.as_bytes(),
        &["shown", "concealed", "http://page.example/"],
        &[
            (MetaField::Title, "Offer"),
            (MetaField::Author, "Ann"),
            (MetaField::Language, "en"),
        ],
        &[],
    );
    check(
        DocumentFormat::Json,
        br#"{"who":{"name":"Ann \u00e9","age":41}}"#,
        &["name: Ann é", "age: 41"],
        &[],
        &[],
    );
    check(
        DocumentFormat::Xml,
        b"<?xml version='1.0'?><smses><sms address='+44 1' body='meet at nine'/><note>plain words</note></smses>",
        &["address: +44 1", "body: meet at nine", "plain words"],
        &[],
        &[],
    );
    check(DocumentFormat::PlainText, b"a,b\n1,2\n", &["a,b\n1,2"], &[], &[]);
    check(
        DocumentFormat::Rtf,
        b"{\\rtf1\\ansi rich words}",
        &["rich words"],
        &[],
        &[],
    );
}

#[test]
fn a_package_without_a_directory_is_read_from_its_start() {
    let bytes = built::docx();
    let end = memchr::memmem::find(&bytes, b"PK\x01\x02").expect("a directory");
    let (opened, _) = opened(DocumentFormat::Ooxml, &bytes[..end], &[]);
    assert!(
        opened.text.contains("Visible paragraph") && opened.text.contains("struck clause"),
        "{}",
        opened.text
    );
    assert!(opened.defects.iter().any(|one| one.code == DefectCode::DocStructure));
    assert_eq!(opened.searchability, Some(Searchability::PartlyDecoding));
}

#[test]
fn what_no_reader_understands_is_not_silently_empty() {
    let mut tree = embley_mapi::compound::Tree::new();
    let root = tree.root();
    let mut stream = vec![0xec, 0xa5, 0xc1, 0];
    stream.extend([0; 600]);
    stream.extend(b"Words that the reader cannot reach");
    let node = embley_mapi::compound::Node {
        name: "WordDocument".to_owned(),
        is_stream: true,
        content: stream,
        ..embley_mapi::compound::Node::default()
    };
    tree.add(root, node);
    let bytes = embley_mapi::compound::write(&tree, root).expect("memory");
    let (opened, _) = opened(DocumentFormat::Compound, &bytes, &[]);
    assert!(
        opened.text.contains("Words that the reader cannot reach"),
        "{:?}",
        opened
    );
    assert!(opened.defects.iter().any(|one| one.code == DefectCode::DocRecovered));
}
