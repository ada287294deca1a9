//! Other programs read what leaves a case: an independent reader of load files, openpyxl, pdftotext, the CASE validator.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use embley_tests::{corpora, files, oracle};
use serde_json::Value;

use super::scene::{self, exported, text};

/// A program of the Python packages that `scripts/test` installs; nothing, and a line on stderr, when it is not there. With
/// `EMBLEY_SLOW` it has to be.
fn packaged(program: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("EMBLEY_TEST_VENV").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-venv"),
        PathBuf::from,
    );
    let path = folder.join("bin").join(program);
    if path.is_file() {
        return Some(path);
    }
    assert!(
        std::env::var_os("EMBLEY_SLOW").is_none(),
        "{} is not there; scripts/test installs it",
        path.display()
    );
    eprintln!("NOT RUN: {} is not there; scripts/test installs it", path.display());
    None
}

fn load_file(dat: &Path, opt: Option<&Path>, root: Option<&Path>, site: &embley_tests::Site) -> (i32, Value) {
    let mut args: Vec<&OsStr> = vec![dat.as_os_str()];
    for (name, path) in [("--opt", opt), ("--root", root)] {
        if let Some(path) = path {
            args.extend([OsStr::new(name), path.as_os_str()]);
        }
    }
    let (code, value, _) = oracle::ask("load_file.py", &args, site.root(), "read.json");
    (code, value)
}

#[test]
fn an_independent_reader_gets_every_value_back_from_the_load_files() {
    let site = scene::scene();
    let out = exported(&site, "out", &["--query", "*", "--as", "dat"]);
    let (code, read) = load_file(
        &out.join("loadfile.dat"),
        Some(&out.join("loadfile.opt")),
        Some(&out),
        &site,
    );
    assert_eq!((code, &read["faults"]), (0, &serde_json::json!([])));
    let rows = read["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 10, "a line of fields and nine items");
    let place = |name: &str| {
        let names = rows[0].as_array().expect("fields");
        names
            .iter()
            .position(|one| one == name)
            .unwrap_or_else(|| panic!("no field {name}"))
    };
    let cell = |row: usize, name: &str| rows[row][place(name)].as_str().expect("a text").to_owned();
    // The same values by another way.
    let lines = text(
        &exported(&site, "list", &["--query", "*", "--as", "jsonl"]),
        "items.jsonl",
    );
    for (number, line) in (1..).zip(lines.lines()) {
        let item: Value = serde_json::from_str(line).expect("JSON");
        let joined = |name: &str| {
            let all = item[name].as_array().expect("a list").iter().filter_map(Value::as_str);
            all.collect::<Vec<_>>().join("; ")
        };
        let plain = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        for (field, value) in [
            ("BEGDOC", plain("control")),
            ("BEGATTACH", plain("family_begin")),
            ("ENDATTACH", plain("family_end")),
            ("PARENTID", plain("parent_control")),
            ("FROM", plain("from")),
            ("TO", joined("to")),
            ("CC", joined("cc")),
            ("BCC", joined("bcc")),
            ("ALLCUSTODIANS", joined("custodians")),
            ("SHA256HASH", plain("sha256")),
            ("EDRMMIH", plain("mih")),
            ("FAMILYID", plain("family")),
        ] {
            assert_eq!(cell(number, field), value, "{field} of {number}");
        }
    }
    let letter = (1..10)
        .find(|row| cell(*row, "MESSAGEID") == "<2@mail.example>")
        .expect("the letter");
    assert_eq!(cell(letter, "SUBJECT"), "Acme(R) \u{fe}\u{2414}end");
    assert_eq!(cell(letter, "FROM"), "\u{de}\u{f3}r \u{fe} <thor@mail.example>");
    // Hashes are those of the files.
    for row in 1..10 {
        let path = out.join(cell(row, "NATIVELINK").trim_start_matches(".\\").replace('\\', "/"));
        let md5 = Command::new("md5sum").arg(&path).output().expect("md5sum runs").stdout;
        let sha1 = Command::new("sha1sum")
            .arg(&path)
            .output()
            .expect("sha1sum runs")
            .stdout;
        assert_eq!(cell(row, "MD5HASH").as_bytes(), &md5[..32]);
        assert_eq!(cell(row, "SHA1HASH").as_bytes(), &sha1[..40]);
    }
    let pages = read["pages"].as_array().expect("pages");
    assert_eq!(pages.len(), 1, "one item is an image");
    assert_eq!(
        (&pages[0][1], &pages[0][3], &pages[0][6]),
        (&"VOL01".into(), &"Y".into(), &"1".into())
    );
}

/// The reader is held against load files that other programs made.
#[test]
fn the_independent_reader_reads_the_samples_of_others() {
    let Some(folder) = corpora::folder("ground-truth/relativity-loadfiles") else {
        return;
    };
    let site = embley_tests::Site::bare();
    for (name, fields, records) in [
        ("load_file_07_0.dat", 23, None),
        ("rdo_load_file_01.dat", 6, None),
        ("rdo_load_file_03.dat", 3, Some(4)),
    ] {
        let (code, read) = load_file(&folder.join(name), None, None, &site);
        let rows = read["rows"].as_array().expect("rows");
        assert_eq!((code, &read["faults"]), (0, &serde_json::json!([])), "{name}");
        assert_eq!(rows[0].as_array().map(Vec::len), Some(fields), "{name}");
        assert!(
            rows.len() > 2 && records.is_none_or(|records| rows.len() == records),
            "{name}: {} records",
            rows.len()
        );
    }
    let opt = folder.join("Opticon_01.opt");
    let (code, read) = load_file(&folder.join("rdo_load_file_01.dat"), Some(&opt), Some(&folder), &site);
    assert_eq!((code, &read["faults"]), (0, &serde_json::json!([])));
    assert_eq!(
        read["pages"][0][6], "5",
        "the first line says how many pages the document has"
    );
}

#[test]
fn openpyxl_finds_texts_with_the_quote_prefix_where_a_formula_would_be() {
    let Some(python) = packaged("python3") else { return };
    let site = scene::scene();
    let out = exported(&site, "out", &["--query", "*", "--as", "xlsx"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/oracle/workbook.py");
    let answer = site.path("book.json");
    let ran = Command::new(python)
        .arg("-B")
        .arg(script)
        .arg(out.join("items.xlsx"))
        .arg("--out")
        .arg(&answer)
        .output();
    let ran = ran.expect("python3 runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let book: Value = serde_json::from_slice(&files::read(&answer)).expect("JSON");
    let rows = book["sheets"]["Items"].as_array().expect("rows");
    assert_eq!(rows.len(), 10);
    let cells = || rows.iter().filter_map(Value::as_array).flatten();
    assert!(cells().all(|cell| cell[0] != "f"), "a cell is a formula");
    let dangerous = cells().filter(|cell| cell[1].as_str().is_some_and(|value| value.starts_with('=')));
    let dangerous: Vec<&Value> = dangerous.collect();
    assert_eq!(dangerous.len(), 1);
    assert_eq!(dangerous[0][2], true);
}

#[test]
fn the_graph_holds_to_the_shapes_of_case() {
    let Some(validator) = packaged("case_validate") else {
        return;
    };
    let site = scene::scene();
    site.ok(&["exhibit", "add", "AB/1", "1", "2"]);
    site.ok(&["tag", "add", "key", "1"]);
    let out = exported(&site, "out", &["--query", "*", "--as", "case-uco"]);
    let ran = Command::new(validator)
        .arg(out.join("case.jsonld"))
        .output()
        .expect("the validator runs");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("Conforms: True"), "{said}");
}

#[test]
fn pdftotext_reads_every_line_of_a_register() {
    let site = scene::scene();
    let out = exported(&site, "out", &["--query", "*", "--as", "pdf"]);
    let ran = Command::new("pdftotext")
        .args(["-layout"])
        .arg(out.join("register.pdf"))
        .arg("-")
        .output();
    let said = String::from_utf8(ran.expect("pdftotext runs").stdout).expect("UTF-8");
    for word in [
        "Register of items: Test",
        "DOC0000001",
        "DOC0000009",
        "=HYPERLINK",
        "\u{de}\u{f3}r",
        "page 1 of",
    ] {
        assert!(said.contains(word), "{word:?} is not in\n{said}");
    }
}
