//! Golden files of every form, on one small case.

use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};

use super::scene::{self, golden, listing, text};

/// Names of all files, what the export says of itself, and these files.
fn whole(out: &Path, names: &[&str]) -> String {
    let mut all = String::from("# files\n");
    for name in listing(out) {
        all.push_str(&name);
        all.push('\n');
    }
    for name in ["export.json"].iter().chain(names) {
        all.push_str(&format!("\n# {name}\n{}", text(out, name)));
    }
    golden(out, &all)
}

#[test]
fn every_form_is_as_it_was() {
    let site = scene::scene();
    site.ok(&["tag", "add", "=key", "1"]);
    site.ok(&[
        "exhibit",
        "add",
        "AB/1",
        "1",
        "2",
        "--produced-by",
        "Ash Birch",
        "--description",
        "letters",
    ]);
    for (form, names) in [
        ("native", &["items.csv", "left-out.csv"][..]),
        ("csv", &["items.csv", "left-out.csv"]),
        ("jsonl", &["items.jsonl"]),
        (
            "dat",
            &["loadfile.dat", "loadfile.opt", "VOL01/TEXT/0001/DOC0000001.txt"],
        ),
        ("case-uco", &["case.jsonld"]),
        ("html", &["index.html", "list/0001.html", "items/0001/DOC0000001.html"]),
    ] {
        let out = scene::exported(&site, form, &["--query", "fraud", "--families", "--as", form]);
        insta::assert_snapshot!(form, whole(&out, names));
    }
}

#[test]
fn a_workbook_has_texts_never_formulas() {
    let site = scene::scene();
    let out = scene::exported(&site, "xlsx", &["--query", "*", "--as", "xlsx"]);
    let mut book: Xlsx<_> = open_workbook(out.join("items.xlsx")).expect("another program opens it");
    assert_eq!(book.sheet_names(), ["Items", "About"]);
    let formulas = book.worksheet_formula("Items").expect("a sheet");
    assert!(
        formulas.cells().all(|(_, _, formula)| formula.is_empty()),
        "a cell is a formula"
    );
    let items = book.worksheet_range("Items").expect("a sheet");
    let line = |row: &[Data]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
    let rows: Vec<String> = items.rows().map(line).collect();
    insta::assert_snapshot!("xlsx", golden(&out, &rows.join("\n")));
    assert!(
        rows[1].contains("=HYPERLINK(\"http://evil\")"),
        "the value is unchanged: {}",
        rows[1]
    );
}

#[test]
fn both_encodings_of_a_load_file_say_the_same() {
    let site = scene::scene();
    let narrow = scene::exported(&site, "narrow", &["--query", "*", "--as", "dat"]);
    let wide = scene::exported(&site, "wide", &["--query", "*", "--as", "dat", "--encoding", "utf-16"]);
    let bytes = embley_tests::files::read(&wide.join("loadfile.dat"));
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    assert_eq!(bytes[..2], [0xFF, 0xFE]);
    assert_eq!(
        String::from_utf16(&units).expect("UTF-16"),
        text(&narrow, "loadfile.dat")
    );
}

#[test]
fn a_page_carries_nothing_that_runs_or_loads() {
    let site = scene::scene();
    let out = scene::exported(&site, "html", &["--query", "*", "--as", "html"]);
    let mut pages = 0;
    for name in listing(&out).iter().filter(|name| name.ends_with(".html")) {
        pages += 1;
        let whole = text(&out, name);
        let page = whole.to_lowercase();
        for word in [
            "<script",
            "<img",
            "<iframe",
            "<link",
            "<object",
            "<form",
            "javascript:",
            "src=",
            "onload",
            "onerror",
            "url(",
            "@import",
        ] {
            assert!(!page.contains(word), "{name} holds {word}");
        }
        for link in whole.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let target = out.join(name).parent().expect("a folder").join(link);
            assert!(target.is_file(), "{name} links to {link}, which is not in the bundle");
        }
        assert!(page.contains("default-src 'none'"), "{name}");
    }
    assert!(pages >= 11, "{pages} pages");
}
