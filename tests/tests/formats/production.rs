//! A production with its load file: every native by its hash, every attachment in the family of its parent.

use std::collections::BTreeMap;

use embley_tests::{Dice, Site, corpora, files};
use md5::{Digest, Md5};

use crate::evidence::sha256;
use crate::shelf::Shelf;

const SEED: u64 = 20_260_417;

/// The native whose bytes are not those that the load file hashed. As it is shipped it has 1,447 bytes, line ends LF and none after the last line. Neither other line
/// ends, nor another end of the file, nor one line more, fewer or elsewhere give the hash of the load file, which is therefore that of bytes that were not produced.
const CHANGED: &str = "native/00457_test_references.eml";
const CHANGED_BYTES: usize = 1_447;
const CHANGED_MD5: &str = "cb3a284c99437a0f32a8fa894d4eda8c";
const CHANGED_SAID: &str = "2fe853c45fba994baa0c73bf7dd9cd4e";
/// The native that was not produced: a film below a message (01402) that was.
const MISSING: &str = "native/01403_111-Mouse_final.mpeg";
const MISSING_PARENT: &str = "01402";

fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One row: number, path and MD5 of the native, number of the parent.
struct Row {
    number: String,
    native: String,
    md5: String,
    parent: String,
    message_id: String,
}

/// The rows of the load file: one a line, fields between bars, never quoted.
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('|').collect();
    let at = |name: &str| names.iter().position(|known| *known == name).expect("a column");
    let (number, native, hash) = (at("UPI"), at("native_link"), at("Hash"));
    let (parent, message_id) = (at("attachment_parent"), at("message_id"));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('|').collect();
            assert_eq!(fields.len(), names.len(), "{line}");
            Row {
                number: fields[number].to_owned(),
                native: fields[native].to_owned(),
                md5: fields[hash].trim().to_ascii_lowercase(),
                parent: fields[parent].to_owned(),
                message_id: fields[message_id].trim().to_owned(),
            }
        })
        .collect()
}

#[test]
fn natives_have_the_hashes_of_the_load_file_and_attachments_their_parents() {
    let Some(packed) = corpora::folder("ground-truth") else {
        return;
    };
    let source = Site::bare();
    let folder = source.path("production");
    corpora::unpack_tar(&packed.join("freeeed-production.tar.zst"), &folder);
    let shelf = Shelf::take_in(&folder);
    let rows = rows(&String::from_utf8_lossy(&files::read(
        &folder.join("load-no-text.a.csv"),
    )));
    assert_eq!(rows.len(), 1_213, "MANIFEST.md");
    let mut by_number: BTreeMap<&str, (&Row, String)> = BTreeMap::new();
    let mut odd = BTreeMap::new();
    for row in &rows {
        let path = folder.join(&row.native);
        if !path.is_file() {
            odd.insert(row.native.as_str(), "missing".to_owned());
            continue;
        }
        let bytes = files::read(&path);
        let ours = md5(&bytes);
        if ours != row.md5 {
            odd.insert(
                row.native.as_str(),
                format!("{} bytes, {ours}, said {}", bytes.len(), row.md5),
            );
        }
        by_number.insert(&row.number, (row, sha256(&bytes)));
    }
    // By name, so that a third one is seen.
    let known = [
        (
            CHANGED,
            format!("{CHANGED_BYTES} bytes, {CHANGED_MD5}, said {CHANGED_SAID}"),
        ),
        (MISSING, "missing".to_owned()),
    ];
    assert_eq!(odd, BTreeMap::from(known));
    let items: BTreeMap<&str, &serde_json::Value> = shelf
        .hits
        .iter()
        .filter(|hit| hit["parent"].is_null())
        .map(|hit| (hit["sha256"].as_str().expect("a hash"), hit))
        .collect();
    for (row, digest) in by_number.values() {
        assert!(items.contains_key(digest.as_str()), "{} is no item", row.native);
    }

    // Bytes that come out have the MD5 of the load file.
    let mut dice = Dice::new(SEED);
    for _ in 0..40 {
        let row = &rows[usize::try_from(dice.below(rows.len() as u64)).expect("few")];
        let Some((_, digest)) = by_number.get(row.number.as_str()) else {
            continue;
        };
        if odd.contains_key(row.native.as_str()) {
            continue;
        }
        let item = items[digest.as_str()]["item_no"].to_string();
        let raw = shelf.site.ok(&["show", &item, "--raw"]).stdout;
        assert_eq!(md5(&raw), row.md5, "{} (seed {SEED})", row.native);
    }

    // What was produced in place of other bytes comes out as it was produced.
    let (_, digest) = &by_number["00457"];
    let item = items[digest.as_str()]["item_no"].to_string();
    assert_eq!(md5(&shelf.site.ok(&["show", &item, "--raw"]).stdout), CHANGED_MD5);

    // What it says of messages is what stands in them.
    let mut ids = 0;
    for (row, digest) in by_number.values() {
        if row.message_id.is_empty() {
            continue;
        }
        let ours = items[digest.as_str()]["message_id"].as_str().unwrap_or_default();
        let theirs = row.message_id.trim_matches(['<', '>']);
        assert_eq!(ours.trim_matches(['<', '>']), theirs, "{}", row.native);
        ids += 1;
    }
    assert_eq!(ids, 1_084, "MANIFEST.md");

    // Whatever is a parent there is a message here, and whatever has one is a file. The messages themselves were produced without their
    // attachments: none of the files stands in its parent, and none may be taken for a part of it.
    let (mut children, mut compared) = (0, 0);
    for row in rows.iter().filter(|row| !row.parent.is_empty()) {
        children += 1;
        let (above, parent) = by_number.get(row.parent.as_str()).expect("its parent has a native");
        assert!(above.parent.is_empty(), "{} has a parent and is one", row.parent);
        let Some((_, child)) = by_number.get(row.number.as_str()) else {
            assert_eq!((row.native.as_str(), row.parent.as_str()), (MISSING, MISSING_PARENT));
            continue;
        };
        compared += 1;
        assert_eq!(items[parent.as_str()]["kind"], "email", "the parent of {}", row.native);
        assert_eq!(items[child.as_str()]["kind"], "document", "{}", row.native);
        let family = &items[parent.as_str()]["item"];
        let mut parts = shelf.hits.iter().filter(|hit| hit["family"] == *family);
        assert!(
            parts.all(|hit| hit["sha256"] != child.as_str()),
            "{} is in its parent",
            row.native
        );
    }
    // The native that is missing is one of them.
    assert_eq!((children, compared), (71, 70), "MANIFEST.md");
}
