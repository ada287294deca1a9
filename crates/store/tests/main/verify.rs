//! Verification finds what is wrong and says which thing, where and what to do; and finds nothing where nothing is.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use embley_store::packs::pack_file_name;
use embley_store::verify::{self, VerifyReport};
use embley_store::{Access, Case, DeriveBytes};

use crate::sample::{SampleParts, ingest_rolling, init, open_write};

fn sample_case() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest_rolling(&open_write(&path), 100, 10, 3_000, 30_000).unwrap();
    (folder, path)
}

fn check(path: &Path) -> (VerifyReport, VerifyReport) {
    let case = Case::open(path, Access::Read).unwrap();
    (
        verify::quick(&case).unwrap(),
        verify::deep(&case, &SampleParts, &|_| ()).unwrap(),
    )
}

fn sql(path: &Path, text: &str) {
    let conn = rusqlite::Connection::open(path.join("catalogue.sqlite")).unwrap();
    let changed = conn.execute(text, []).unwrap();
    assert!(changed > 0, "{text} changed nothing");
}

fn finds(report: &VerifyReport, thing: &str, words: &str) {
    assert!(
        report.findings.iter().any(|one| one.thing == thing
            && (one.detail.contains(words) || one.place.contains(words))
            && !one.next.is_empty()),
        "no finding in {thing:?} with {words:?}: {report:#?}"
    );
}

#[test]
fn a_sound_case_has_no_finding_and_everything_was_looked_at() {
    let (_folder, path) = sample_case();
    let case = Case::open(&path, Access::Read).unwrap();
    let bytes = AtomicU64::new(0);
    let count = |done| {
        bytes.fetch_add(done, Ordering::Relaxed);
    };
    let deep = verify::deep(&case, &SampleParts, &count).unwrap();
    assert!(deep.is_sound() && deep.notes.is_empty(), "{deep:#?}");
    assert_eq!(deep.checked.packed_blobs, 100);
    assert_eq!(deep.checked.derived_blobs, 10);
    assert_eq!(deep.checked.items, 110);
    assert_eq!(deep.checked.instances, 100);
    assert_eq!((deep.checked.files, deep.checked.runs), (1, 1));
    assert!(deep.checked.packs > 2 && deep.checked.frames >= deep.checked.packs);
    assert_eq!(deep.checked.bytes, bytes.into_inner());
    assert!(deep.checked.bytes > 300_000);
    assert!(verify::quick(&case).unwrap().is_sound());
}

#[test]
fn verification_writes_nothing() {
    let (_folder, path) = sample_case();
    let read = |name: &str| std::fs::read(path.join(name)).unwrap();
    let names = [
        "catalogue.sqlite",
        "originals/pack-000001.emp",
        "originals/pack-000002.emp",
        "case.toml",
    ];
    let before = names.map(read);
    check(&path);
    assert_eq!(names.map(read), before);
}

#[test]
fn a_flipped_byte_in_a_frame_is_found_with_pack_offset_and_item() {
    let (_folder, path) = sample_case();
    let pack = path.join("originals").join(pack_file_name(2));
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&pack).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 700).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 700).unwrap();
    let (quick, deep) = check(&path);
    assert!(quick.is_sound(), "bytes are the deep part's");
    finds(&deep, "originals/pack-000002.emp", "offset 64");
    finds(&deep, "originals/pack-000002.emp", "does not agree with its checksum");
    finds(&deep, "originals/pack-000002.emp", "item ");
    assert!(!deep.findings.iter().any(|one| one.thing.contains("000001")));
}

#[test]
fn damaged_missing_short_and_foreign_packs_are_named_by_the_quick_part() {
    let (_folder, path) = sample_case();
    let last = Case::open(&path, Access::Read)
        .unwrap()
        .reader()
        .unwrap()
        .checkpoint()
        .pack
        .pack;
    let pack = path.join("originals").join(pack_file_name(last));
    let name = format!("originals/{}", pack_file_name(last));
    let good = std::fs::read(&pack).unwrap();
    let (_other, foreign) = sample_case();
    for (bytes, words) in [
        (None, "missing"),
        (Some(good[..good.len() - 1].to_vec()), "ends here"),
        (Some([&good[..20], b"x", &good[21..]].concat()), "checksum"),
        (Some([b"XMBLPACK", &good[8..]].concat()), "EMBLPACK"),
        (Some([&good[..8], &[7, 0, 0, 0], &good[12..]].concat()), "newer"),
        (
            Some(std::fs::read(foreign.join("originals").join(pack_file_name(last))).unwrap()),
            "another case",
        ),
        (Some(good[..30].to_vec()), "pack ends"),
    ] {
        match bytes {
            None => std::fs::remove_file(&pack).unwrap(),
            Some(bytes) => std::fs::write(&pack, bytes).unwrap(),
        }
        let (quick, deep) = check(&path);
        finds(&quick, &name, words);
        finds(&deep, &name, words);
    }
    // A tail behind the checkpoint is no damage.
    std::fs::write(&pack, [&good[..], b"tail"].concat()).unwrap();
    let (quick, deep) = check(&path);
    assert!(quick.is_sound() && deep.is_sound());
    assert!(
        quick.notes[0].contains("4 bytes behind the last checkpoint"),
        "{:?}",
        quick.notes
    );
}

#[test]
fn every_kind_of_wrong_row_is_found_with_its_table_and_id() {
    for (change, table, words, quick_finds) in [
        ("DELETE FROM item WHERE item_no=7", "table item", "109 rows", true),
        (
            "DELETE FROM instance WHERE instance_id=100",
            "table instance",
            "99 rows",
            true,
        ),
        ("DELETE FROM blob WHERE blob_id=3", "table blob", "109 rows", true),
        (
            "UPDATE item SET blob_id=9999 WHERE item_no=7",
            "table item",
            "item 7",
            true,
        ),
        (
            "UPDATE item SET blob_id=8 WHERE item_no=7",
            "table blob",
            "blob 7",
            false,
        ),
        (
            "UPDATE item SET parent=50 WHERE item_no=5",
            "table item",
            "item 5",
            true,
        ),
        (
            "UPDATE item SET family_size=2 WHERE item_no=1",
            "table item",
            "families add up to 111",
            true,
        ),
        ("UPDATE item SET size=1 WHERE item_no=9", "table item", "item 9", false),
        (
            "UPDATE item SET run_no=5 WHERE item_no=9",
            "table item",
            "its run has no row",
            true,
        ),
        (
            "UPDATE item SET participants=x'00ff' WHERE item_no=9",
            "catalogue",
            "item 9",
            false,
        ),
        (
            "UPDATE item SET kind=2 WHERE item_no=9",
            "table set_delta",
            "kind \"0\"",
            false,
        ),
        (
            "UPDATE item SET searchability=3 WHERE item_no=9",
            "table set_delta",
            "searchability",
            false,
        ),
        (
            "UPDATE blob SET blake3=zeroblob(32) WHERE blob_id=4",
            "original bytes",
            "blob 4",
            false,
        ),
        (
            "UPDATE blob SET blake3=zeroblob(32) WHERE blob_id=4",
            "table blob",
            "the pack holds",
            false,
        ),
        (
            "UPDATE blob SET sha256=zeroblob(32) WHERE blob_id=4",
            "table blob",
            "SHA-256 is",
            false,
        ),
        (
            "UPDATE blob SET blake3=zeroblob(31) WHERE blob_id=4",
            "table blob",
            "32 bytes",
            true,
        ),
        (
            "UPDATE blob SET frame_offset=frame_offset+1 WHERE blob_id=1",
            "table blob",
            "no blob begins at",
            false,
        ),
        (
            "UPDATE blob SET pack=99 WHERE blob_id=1",
            "table blob",
            "pack 99",
            false,
        ),
        (
            "UPDATE blob SET top_item=2 WHERE blob_id=1",
            "table blob",
            "not the top-level item",
            false,
        ),
        (
            "UPDATE blob SET root_item=1 WHERE blob_id=1",
            "table blob",
            "neither in a pack nor derived",
            true,
        ),
        (
            "UPDATE blob SET part_path='9' WHERE root_item IS NOT NULL",
            "blob 5",
            "not in its message",
            false,
        ),
        (
            "UPDATE instance SET item_no=9999 WHERE instance_id=3",
            "table instance",
            "its item has no row",
            true,
        ),
        (
            "UPDATE instance SET item_no=5 WHERE instance_id=3",
            "table instance",
            "not a top-level item",
            false,
        ),
        (
            "UPDATE instance SET file_id=4 WHERE instance_id=3",
            "table instance",
            "its file has no row",
            true,
        ),
        (
            "UPDATE instance SET flags=1 WHERE instance_id=3",
            "table tally",
            "counted as new",
            true,
        ),
        (
            "UPDATE file SET instance_count=99",
            "table file",
            "ann/mail/inbox.mbox",
            true,
        ),
        ("UPDATE file SET junk_bytes=1", "table file", "+ junk 1", true),
        (
            "UPDATE file SET custodian_id=7",
            "table file",
            "custodian has no row",
            true,
        ),
        (
            "UPDATE tally SET discovered=discovered+1",
            "table tally",
            "discovered 101 is not new 100",
            true,
        ),
        (
            "UPDATE tally SET children_items=9, children_discovered=9",
            "table tally",
            "9 parts were counted",
            true,
        ),
        (
            "DELETE FROM set_delta WHERE kind=0",
            "table set_delta",
            "custodian",
            false,
        ),
        (
            "DELETE FROM set_delta WHERE kind=3 AND key='1'",
            "table set_delta",
            "hold 100 items",
            true,
        ),
        (
            "UPDATE checkpoint SET next_item=500 WHERE ticket=2",
            "table checkpoint",
            "ticket 3",
            true,
        ),
        ("DELETE FROM folder", "table file", "source or folder has no row", true),
    ] {
        let (_folder, path) = sample_case();
        sql(&path, change);
        let (quick, deep) = check(&path);
        finds(&deep, table, words);
        assert_eq!(!quick.is_sound(), quick_finds, "{change}: {quick:#?}");
        if quick_finds {
            finds(&quick, table, words);
        }
    }
}

#[test]
fn bytes_of_a_pack_that_the_catalogue_does_not_name_are_found() {
    let (_folder, path) = sample_case();
    // The last blob row goes, and all counts with it: only the pack itself still knows.
    sql(
        &path,
        "UPDATE blob SET pack=NULL, frame_offset=NULL, offset_in_frame=NULL, root_item=1, part_path='1', top_item=NULL,
         blake3=zeroblob(32) WHERE blob_id=1",
    );
    let (quick, deep) = check(&path);
    assert!(quick.is_sound(), "{quick:#?}");
    finds(&deep, "originals/pack-000001.emp", "are in no row of the catalogue");
}

#[test]
fn a_part_that_decodes_otherwise_now_is_found() {
    struct OtherParts;
    impl DeriveBytes for OtherParts {
        fn derive(&self, _: &[u8], _: &str) -> Option<Vec<u8>> {
            Some(b"something else".to_vec())
        }
    }
    let (_folder, path) = sample_case();
    let case = Case::open(&path, Access::Read).unwrap();
    let deep = verify::deep(&case, &OtherParts, &|_| ()).unwrap();
    assert_eq!(deep.findings.len(), 10, "{deep:#?}");
    finds(&deep, "blob 5", "other bytes than when it was taken in");
    assert!(deep.findings[0].next.contains("open the case with the version"));
}

#[test]
fn a_torn_page_of_the_catalogue_is_found_or_refused_as_damage() {
    let (_folder, path) = sample_case();
    let file = path.join("catalogue.sqlite");
    let good = std::fs::read(&file).unwrap();
    let mut noticed = 0;
    for page in 1..good.len() / 8192 {
        let mut bytes = good.clone();
        bytes[page * 8192..page * 8192 + 64].fill(0xA5);
        std::fs::write(&file, bytes).unwrap();
        let sound = Case::open(&path, Access::Read)
            .and_then(|case| verify::deep(&case, &SampleParts, &|_| ()))
            .map_err(|error| {
                assert_eq!(
                    error.class(),
                    embley_model::outcome::ErrorClass::Corruption,
                    "page {page}: {error}"
                );
            })
            .is_ok_and(|report| report.is_sound());
        noticed += usize::from(!sound);
        assert!(!sound, "page {page} of {}", good.len() / 8192);
    }
    assert!(noticed > 10);
}
