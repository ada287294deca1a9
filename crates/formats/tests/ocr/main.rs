//! What recognition promises, on images and PDF files made here. Without `tesseract` and `pdftoppm` on the path these tests say so and check nothing more.

mod make;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use embley_formats::ocr::{OcrLimits, is_read, read};
use embley_formats::opened::{MetaField, Opened};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

use make::Picture;

fn note(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).expect("stderr");
}

/// Whether the programs are there; says so when they are not.
fn installed() -> bool {
    let missing = ["tesseract", "pdftoppm", "pdftotext"].into_iter().find(|program| {
        let version = if *program == "tesseract" { "--version" } else { "-v" };
        let mut command = Command::new(program);
        let status = command
            .arg(version)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_err()
    });
    if let Some(program) = missing {
        note(&format!(
            "not run: {program} is not installed (Debian packages tesseract-ocr, poppler-utils)\n"
        ));
    }
    missing.is_none()
}

fn recognise(media_type: &str, bytes: &[u8]) -> Opened {
    assert!(is_read(media_type));
    read(media_type, bytes, "eng", &OcrLimits::default())
}

/// Words of each page.
fn pages(opened: &Opened) -> Vec<String> {
    let mut pages: Vec<_> = opened
        .text
        .split('\x0c')
        .map(|page| page.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(pages.pop().as_deref(), Some(""), "every page ends with a form feed");
    pages
}

fn check(media_type: &str, bytes: &[u8], expected: &[&str]) {
    let opened = recognise(media_type, bytes);
    assert_eq!(pages(&opened), expected, "{media_type}: {opened:?}");
    assert_eq!(opened.searchability, Some(Searchability::Searched), "{media_type}");
    assert_eq!(opened.defects, [], "{media_type}");
    assert!(opened.reader.starts_with("tesseract/"), "{}", opened.reader);
    let confidence = opened
        .fields
        .iter()
        .find(|(field, _)| *field == MetaField::OcrConfidence);
    let confidence: f64 = confidence.expect("a field").1.parse().expect("a number");
    assert!((1.0..=100.0).contains(&confidence), "{confidence}");
}

#[test]
fn words_in_images_are_read() {
    if !installed() {
        return;
    }
    let picture = Picture::of(&["FRAIL TRADE", "FIRST LETTER"]);
    let expected = ["FRAIL TRADE FIRST LETTER"];
    check("image/png", &picture.png(), &expected);
    check("image/bmp", &picture.bmp(), &expected);
    check("image/tiff", &make::tiff(&[&picture]), &expected);
}

#[test]
fn pages_of_a_tiff_and_of_a_pdf_keep_their_places() {
    if !installed() {
        return;
    }
    let (one, two) = (Picture::of(&["FRAIL TRADE"]), Picture::of(&["FIRST LETTER"]));
    let blank = Picture::of(&[" "]);
    check(
        "image/tiff",
        &make::tiff(&[&one, &blank, &two]),
        &["FRAIL TRADE", "", "FIRST LETTER"],
    );
    let text = "This page has words of its own and is not recognised";
    let file = make::pdf(&[make::Page::Image(&one), make::Page::Text(text), make::Page::Image(&two)]);
    check("application/pdf", &file, &["FRAIL TRADE", "FIRST LETTER"]);
}

#[test]
fn small_and_blank_images_have_no_text_and_no_defect() {
    let small = Picture::blank(49, 49);
    let opened = recognise("image/png", &small.png());
    assert_eq!(
        (opened.searchability, &opened.defects[..]),
        (Some(Searchability::NoText), &[][..])
    );
    if !installed() {
        return;
    }
    for bytes in [Picture::blank(300, 200).png(), Picture::of(&[" "]).png()] {
        let opened = recognise("image/png", &bytes);
        assert_eq!(opened.searchability, Some(Searchability::NoText));
        assert_eq!((opened.text.as_str(), &opened.defects[..]), ("", &[][..]));
        assert_eq!(opened.fields, []);
    }
}

#[test]
fn what_fails_takes_too_long_or_is_not_there_is_said() {
    let codes = |opened: &Opened| opened.defects.iter().map(|one| one.code).collect::<Vec<_>>();
    let picture = Picture::of(&["FRAIL TRADE"]);
    let never = read("image/x-icon", b"\0\0\x01\0", "eng", &OcrLimits::default());
    assert_eq!(never.searchability, Some(Searchability::Media));
    // A list of files would be read by the program as such.
    let list = read("image/png", b"/etc/passwd\n", "eng", &OcrLimits::default());
    assert_eq!(
        (list.searchability, list.text.as_str()),
        (Some(Searchability::Media), "")
    );
    let injected = read("image/png", &picture.png(), "--help", &OcrLimits::default());
    assert_eq!(codes(&injected), [DefectCode::OcrFailed]);
    if !installed() {
        return;
    }
    let broken = recognise("image/png", &picture.png()[..60]);
    assert_eq!(codes(&broken), [DefectCode::OcrFailed]);
    assert_eq!(broken.searchability, Some(Searchability::Failed));
    let unknown = read("image/png", &picture.png(), "xxx", &OcrLimits::default());
    assert_eq!(codes(&unknown), [DefectCode::OcrNotInstalled]);
    assert!(unknown.needs_ocr);
    assert_ne!(unknown.searchability, Some(Searchability::NoText));
    let hurried = OcrLimits {
        page_time: Duration::from_millis(30),
        ..OcrLimits::default()
    };
    let large = Picture::of(&["FRAIL TRADE"; 40]);
    let late = read("image/png", &large.png(), "eng", &hurried);
    assert_eq!(codes(&late), [DefectCode::OcrLimit]);
    assert_eq!(late.searchability, Some(Searchability::Failed));
    let none = OcrLimits {
        item_time: Duration::ZERO,
        ..OcrLimits::default()
    };
    assert_eq!(
        codes(&read("image/png", &picture.png(), "eng", &none)),
        [DefectCode::OcrLimit]
    );
    let first = OcrLimits {
        max_pages: 1,
        ..OcrLimits::default()
    };
    let cut = read("image/tiff", &make::tiff(&[&picture, &picture]), "eng", &first);
    assert_eq!(codes(&cut), [DefectCode::OcrLimit]);
    assert_eq!(
        (pages(&cut).len(), cut.searchability),
        (1, Some(Searchability::PartlyLimit))
    );
    assert_eq!(
        codes(&recognise("application/pdf", b"%PDF-1.4 nothing")),
        [DefectCode::OcrFailed]
    );
}

#[test]
fn bent_images_do_no_harm() {
    if !installed() {
        return;
    }
    let picture = Picture::of(&["FRAIL"]);
    let mut seed = 0x5eed_u64;
    for (media_type, whole) in [
        ("image/png", picture.png()),
        ("image/bmp", picture.bmp()),
        ("image/tiff", make::tiff(&[&picture, &picture])),
        ("application/pdf", make::pdf(&[make::Page::Image(&picture)])),
    ] {
        for _ in 0..6 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut bent = whole.clone();
            let at = 8 + (seed >> 33) as usize % (bent.len().min(400) - 8);
            bent[at] ^= 1 << (seed >> 20 & 7);
            recognise(media_type, &bent);
        }
    }
}

/// Real images stay outside of the project: says so and passes when they are not there.
#[test]
fn real_images_give_words_or_say_why_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if fs::metadata(&folder).is_err() {
        return note(&format!("not run: {} is not there\n", folder.display()));
    }
    if !installed() {
        return;
    }
    let mut paths = Vec::new();
    for part in ["ground-truth/relativity-loadfiles", "tnef"] {
        files(&folder.join(part), &mut paths);
    }
    let (mut read_count, mut with_words, mut failed) = (0, 0, 0);
    for path in paths {
        let extension = path.extension().map(|one| one.to_string_lossy().to_ascii_lowercase());
        let media_type = match extension.as_deref() {
            Some("png") => "image/png",
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("tif" | "tiff") => "image/tiff",
            Some("gif") => "image/gif",
            Some("webp") => "image/webp",
            Some("bmp") => "image/bmp",
            _ => continue,
        };
        let opened = recognise(media_type, &fs::read(&path).expect("reads"));
        read_count += 1;
        let said = opened.searchability.expect("always said");
        match said {
            Searchability::Searched => with_words += 1,
            Searchability::NoText => {}
            _ => {
                failed += 1;
                assert!(
                    !opened.defects.is_empty(),
                    "{}: {said:?} and nothing is said",
                    path.display()
                );
            }
        }
    }
    assert!(with_words > 0);
    note(&format!(
        "{read_count} images: {with_words} with words, {failed} that could not be read\n"
    ));
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, out)
        } else {
            out.push(path)
        }
    }
}
