use std::fmt::Write;
use std::fs;

use embley_mapi::rtf;

use super::{check_table, corpus, files};
use crate::damage::{Random, flip};

#[test]
fn every_document_says_what_it_said_before() {
    let mut out = String::new();
    let mut count = 0;
    for folder in ["msg", "docs"] {
        let Some(folder) = corpus(folder) else { return };
        for path in files(&folder, &[".rtf"]) {
            let read = rtf::read(&fs::read(&path).expect("is read"));
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes: usize = read.objects.iter().map(|object| object.bytes.len()).sum();
            writeln!(
                out,
                "{name}: {:?} text {} words {} html {} objects {} of {bytes} links {} title {} defects {}",
                read.encapsulated,
                read.text.chars().count(),
                read.text.split_whitespace().count(),
                read.html.as_ref().map_or(0, |html| html.chars().count()),
                read.objects.len(),
                read.links.len(),
                read.info.title.chars().count(),
                read.defects.len()
            )
            .expect("a string");
            assert!(!read.text.contains('\u{fffd}'), "{name}");
            count += 1;
        }
    }
    check_table(&out, include_str!("rtf.txt"));
    assert_eq!(count, 24);
}

#[test]
fn words_of_other_alphabets_are_right() {
    let Some(folder) = corpus("docs") else { return };
    let all = files(&folder, &[".rtf"]);
    for (name, words) in [
        (
            "testRTFWord2010CzechCharacters.rtf",
            "Svitky od Mrtvého moře jsou starověké židovské náboženské texty",
        ),
        ("testRTFJapanese.rtf", "ゾルゲと尾崎、淡々と最期"),
        ("testFontAfterBufferedText.rtf", "Уважаемый клиент!"),
        ("testRTFUnicodeGothic.rtf", "𐌲𐌿𐍄𐌹𐍃𐌺"),
        ("testRTFUmlautSpaces.rtf", "Übersicht"),
    ] {
        let path = all.iter().find(|path| path.ends_with(name)).expect("is there");
        assert!(
            rtf::read(&fs::read(path).expect("is read")).text.contains(words),
            "{name}"
        );
    }
}

#[test]
fn real_documents_cut_or_flipped_end() {
    let Some(folder) = corpus("docs") else { return };
    let mut random = Random(0xABCD_EF01_2345_6789);
    for path in files(&folder, &[".rtf"]) {
        let bytes = fs::read(&path).expect("is read");
        for _ in 0..10 {
            rtf::read(&bytes[..random.next(bytes.len())]);
            rtf::read(&flip(&bytes, &mut random));
        }
    }
}
