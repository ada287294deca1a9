//! Small files that unpack to large ones: they cost what the limits allow, and say so.

use std::io::{Read, Write};

use embley_tests::{Site, files, packed};

use crate::evidence::check_deep;
use crate::shelf::within;

/// Containers in one another, as docs/formats.md says.
const DEPTH: usize = 16;

/// Takes a folder in and returns the exceptions.
fn exceptions(site: &Site, folder: &std::path::Path) -> String {
    let ran = within(site.ingest_program(&[folder]), 300);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    assert_eq!(site.last_run()["balanced"], true);
    check_deep(site);
    site.ok(&["exceptions", "--all", "--format", "jsonl"]).text().to_owned()
}

fn bytes_of(site: &Site) -> u64 {
    let all = files::all_files(site.case());
    all.iter()
        .map(|path| path.metadata().map_or(0, |meta| meta.len()))
        .sum()
}

#[test]
fn a_gigabyte_of_nothing_in_a_small_file_is_cut_at_its_ratio() {
    let source = Site::bare();
    let folder = source.path("made");
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
    let nothing = std::io::repeat(0).take(1 << 30);
    std::io::copy(&mut { nothing }, &mut encoder).expect("compressed");
    let bomb = encoder.finish().expect("compressed");
    assert!(bomb.len() < 200_000);
    files::write(&folder.join("bomb.zst"), &bomb);
    files::write(&folder.join("beside.txt"), "the words xqbeside\n");
    let site = Site::new();
    let listed = exceptions(&site, &folder);
    assert!(listed.contains("ARC-LIMIT"), "{listed}");
    assert_eq!(site.count("xqbeside"), 1);
    assert!(bytes_of(&site) < 64 << 20, "the case has {} bytes", bytes_of(&site));
}

#[test]
fn archives_in_archives_are_opened_to_their_depth_and_the_rest_says_so() {
    let source = Site::bare();
    let folder = source.path("made");
    let mut inner = packed::zip(&[("core.txt", b"the words xqcore\n")]);
    for level in (0..DEPTH + 4).rev() {
        let note = format!("level {level} has xqlevel{level}\n");
        inner = packed::zip(&[("note.txt", note.as_bytes()), ("inner.zip", &inner)]);
    }
    files::write(&folder.join("deep.zip"), &inner);
    let site = Site::new();
    let listed = exceptions(&site, &folder);
    assert!(listed.contains("ARC-LIMIT"), "{listed}");
    for level in 0..DEPTH {
        assert_eq!(site.count(&format!("xqlevel{level}")), 1, "level {level}");
    }
    assert_eq!(site.count("xqcore"), 0);
    assert_eq!(site.count("defect:ARC-LIMIT"), 1);
}

#[test]
fn many_archives_of_many_archives_of_nothing_are_one_item_each() {
    // The same member again and again: bytes that are known are not opened again.
    let source = Site::bare();
    let folder = source.path("made");
    let mut inner = vec![0_u8; 1 << 20];
    for _ in 0..6 {
        let names: Vec<String> = (0..16).map(|number| format!("{number:02}.zip")).collect();
        let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
        inner = packed::zip(&members);
    }
    let mut packed_once = Vec::new();
    packed_once.write_all(&inner).expect("kept");
    files::write(&folder.join("fan.zip"), &packed_once);
    let site = Site::new();
    exceptions(&site, &folder);
    let run = site.last_run();
    assert_eq!(run["new"], 7, "{run}");
    assert!(run["discovered"].as_u64() < Some(16 * 7 + 2), "{run}");
    assert!(bytes_of(&site) < 16 << 20, "the case has {} bytes", bytes_of(&site));
}
