//! What the shipped field maps make of small files: `tests/maps/`.

use std::path::{Path, PathBuf};

use embley_casework::Mapping;
use embley_casework::mapping::SHIPPED;
use embley_casework::mapping::apply::{Applied, Rules};
use embley_casework::mapping::join;
use embley_casework::rows::{Cells, Layout, Rows, Source};
use embley_model::record::Record;
use serde_json::{Value, json};

fn folder(map: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/maps").join(map)
}

/// One line an outcome, `raw` left out; every record must be one.
fn outcomes(map: &Mapping, path: &Path) -> Vec<String> {
    let input = map
        .input_for(path, None)
        .expect("an input fits")
        .expect("the map has inputs");
    let joined = join::load(input, map, path).expect("joined files are read");
    let rules = Rules {
        map,
        input,
        joined: &joined,
    };
    let layout = Layout {
        cells: Some(Cells::Raw),
        sheet: input.sheet.clone(),
        header_row: input.header_row,
    };
    let mut rows = Rows::open(path, &layout).expect("the sample is a table");
    let mut lines = Vec::new();
    while let Some(row) = rows.next_row().expect("it can be read") {
        let Source::Cells(cells) = row.found.expect("a row").source else {
            panic!("a table has cells");
        };
        for applied in rules.apply(row.number, &cells) {
            let told = match applied {
                Applied::NotDue(record_type) => json!({"row": row.number, "not_due": record_type.word()}),
                Applied::Refused(record_type, why) => {
                    json!({"row": row.number, "refused": record_type.word(), "why": why})
                }
                Applied::Made(made) => {
                    let (_, defects) = Record::from_object(made.object.clone()).expect("a record");
                    let mut object = Value::Object(made.object);
                    let raw = object
                        .as_object_mut()
                        .and_then(|object| object.remove("raw"))
                        .expect("raw is kept");
                    for (name, value) in raw.as_object().expect("columns") {
                        assert_eq!(Some(value), cells.get(name), "{name}");
                    }
                    let odd: Vec<String> = defects.iter().map(|defect| defect.detail.clone()).collect();
                    json!({"record": object, "derived": made.derived, "odd": odd, "unknown": made.unknown})
                }
            };
            lines.push(told.to_string());
        }
    }
    lines
}

#[test]
fn shipped_maps_make_of_their_small_files_what_is_expected() {
    let mut compared = 0;
    for shipped in SHIPPED {
        let folder = folder(shipped.name);
        if !folder.is_dir() {
            continue;
        }
        let map = Mapping::open(shipped.name).expect("a shipped map");
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .expect("a folder of samples")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|end| end == "csv"))
            .collect();
        files.sort();
        let mut found = String::new();
        for file in &files {
            found.push_str(&format!("# {}\n", file.file_name().expect("a name").to_string_lossy()));
            for line in outcomes(&map, file) {
                found.push_str(&line);
                found.push('\n');
            }
        }
        let expected = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap_or_default();
        assert_eq!(
            found, expected,
            "{}: expected.jsonl is the right side of this difference",
            shipped.name
        );
        compared += files.len();
    }
    assert!(compared >= 14, "only {compared} files were compared");
}

/// A workbook of one sheet with this sheet data, as small as one can be.
fn workbook(path: &Path, sheet: &str) {
    use std::io::Write as _;
    let parts = [
        (
            "[Content_Types].xml",
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#.to_owned(),
        ),
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#.to_owned(),
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Gifts" sheetId="1" r:id="r1"/></sheets></workbook>"#.to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#.to_owned(),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{sheet}</sheetData></worksheet>"#),
        ),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive
            .start_file(name, zip::write::SimpleFileOptions::default())
            .expect("a part begins");
        archive.write_all(text.as_bytes()).expect("a part is written");
    }
    let bytes = archive.finish().expect("an archive").into_inner();
    write(path, &bytes);
}

#[expect(clippy::disallowed_methods, reason = "a sample beside the case")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a sample is written");
}

#[test]
fn a_workbook_is_read_by_its_cells_and_a_far_one_costs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gifts.xlsx");
    let cell = |place: &str, text: &str| format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#);
    let header = [
        ("A1", "Reference"),
        ("B1", "Staff Number"),
        ("C1", "Offered By"),
        ("D1", "Value"),
    ];
    let header: String = header.iter().map(|(place, text)| cell(place, text)).collect();
    let sheet = format!(
        r#"<row r="1">{header}</row><row r="2">{}<c r="B2"><v>4711</v></c><c r="D2"><v>12.5</v></c></row><row r="1048576">{}</row>"#,
        cell("A2", "G-1"),
        cell("XFD1048576", "far")
    );
    workbook(&path, &sheet);
    let map = Mapping::open("registers").expect("a shipped map");
    let lines = outcomes(&map, &path);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains(r#""person_id":"4711""#) && lines[0].contains(r#""value_gbp":"12.5""#),
        "{lines:?}"
    );
    assert!(
        lines[1].contains("refused") && lines[1].contains("1048576"),
        "{lines:?}"
    );
    let wanted = Layout {
        cells: Some(Cells::Raw),
        sheet: Some("Other".to_owned()),
        header_row: 1,
    };
    let said = Rows::open(&path, &wanted)
        .err()
        .expect("there is no such sheet")
        .to_string();
    assert!(said.contains("it has \"Gifts\""), "{said}");
    let broken = folder.path().join("broken.xlsx");
    write(&broken, b"PK\x03\x04 and nothing more");
    assert!(Rows::open(&broken, &wanted).is_err());
}

#[test]
fn gzip_is_undone_and_a_row_without_an_end_is_refused() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().expect("a folder");
    let packed = |name: &str, bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("packed");
        let path = folder.path().join(name);
        write(&path, &encoder.finish().expect("packed"));
        path
    };
    let map = Mapping::open("registers").expect("a shipped map");
    let path = packed("procurement.csv.gz", b"Contract Reference,Title\nCT-1,Uniforms\n");
    assert!(outcomes(&map, &path)[0].contains("Uniforms"));
    let mut bomb = b"Contract Reference,Title\nCT-1,\"".to_vec();
    bomb.resize(80 << 20, b'x');
    let path = packed("bomb.csv.gz", &bomb);
    let layout = Layout {
        cells: Some(Cells::Raw),
        sheet: None,
        header_row: 1,
    };
    let mut rows = Rows::open(&path, &layout).expect("the header is there");
    let said = rows.next_row().expect_err("the row does not end").to_string();
    assert!(said.contains("bomb.csv.gz") || said.contains("bomb.csv"), "{said}");
}
