use std::fmt::Write;
use std::fs;

use embley_mapi::view::View;
use embley_mapi::{Content, lzfu, tags, tnef};

use super::{check_table, corpus, files};
use crate::damage::{Random, flip, read_any};
use crate::real::msg::figures;

#[test]
fn every_stream_says_what_it_said_before() {
    let Some(folder) = corpus("tnef") else { return };
    let mut out = String::new();
    let mut count = 0;
    for path in files(&folder, &[".tnef", ".dat"]) {
        let bytes = fs::read(&path).expect("is read");
        if !tnef::has_signature(&bytes) {
            continue;
        }
        count += 1;
        let name = path.strip_prefix(&folder).expect("is below").display().to_string();
        writeln!(out, "{name}").expect("a string");
        figures(&mut out, &tnef::read(&bytes).message, None, 1);
    }
    check_table(&out, include_str!("tnef.txt"));
    assert!(count >= 50, "{count}");
}

/// The set of verdammelt/tnef has the expected files and bodies of every stream.
#[test]
fn attachments_and_bodies_are_those_of_the_baselines() {
    let Some(folder) = corpus("tnef/verdammelt-tnef") else {
        return;
    };
    let baseline = |name: &str| fs::read(folder.join("baselines").join(format!("{name}.baseline"))).ok();
    let (mut same, mut bodies) = (0, 0);
    for path in files(&folder.join("datafiles"), &[".tnef"]) {
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let message = tnef::read(&fs::read(&path).expect("is read")).message;
        let view = View::of(&message, None);
        let list = fs::read_to_string(path.with_extension("list")).expect("is read");
        let names: Vec<&str> = view.attachments.iter().map(|one| one.name.as_str()).collect();
        for name in list.lines().filter(|name| !name.is_empty() && !name.contains("-body.")) {
            assert!(names.contains(&name), "{stem}: {name} of {names:?}");
        }
        for (attachment, seen) in message.attachments.iter().zip(&view.attachments) {
            let Some(expected) = baseline(&seen.name) else { continue };
            match &attachment.content {
                Content::Bytes(bytes) => assert!(*bytes == expected, "{stem}: {}", seen.name),
                // The baseline keeps the interface identifier before the object.
                Content::Ole(bytes) => assert!(*bytes == expected[16..], "{stem}: {}", seen.name),
                other => panic!("{stem}: {}: {other:?}", seen.name),
            }
            same += 1;
        }
        if let Some(expected) = baseline(&format!("{stem}-body.rtf")) {
            let packed = message.properties.binary(tags::RTF_COMPRESSED).expect("is there");
            assert!(lzfu::unpack(packed, 1 << 24).bytes == expected, "{stem}");
            bodies += 1;
        }
        if let Some(expected) = baseline(&format!("{stem}-body.html")) {
            assert_eq!(
                message.properties.binary(tags::HTML),
                Some(expected.as_slice()),
                "{stem}"
            );
            bodies += 1;
        }
    }
    assert!((same, bodies) >= (18, 8), "{same} attachments, {bodies} bodies");
}

#[test]
fn checksums_that_do_not_match_are_reported() {
    let Some(folder) = corpus("tnef/tnefparse/examples") else {
        return;
    };
    let message = tnef::read(&fs::read(folder.join("bad_checksum.tnef")).expect("is read")).message;
    assert!(
        message
            .defects
            .iter()
            .any(|defect| defect.code.text() == "MAPI-CHECKSUM")
    );
}

#[test]
fn real_streams_cut_or_flipped_end() {
    let Some(folder) = corpus("tnef/tnefparse/examples") else {
        return;
    };
    let mut random = Random(0xFEED_FACE_CAFE_BEEF);
    let mut count = 0;
    for path in files(&folder, &[".tnef"]) {
        let bytes = fs::read(&path).expect("is read");
        if bytes.len() > 40_000 {
            continue;
        }
        for _ in 0..40 {
            read_any(&bytes[..random.next(bytes.len())]);
            read_any(&flip(&bytes, &mut random));
            count += 2;
        }
    }
    assert!(count > 800, "{count}");
}
