//! A production with its load file: every native by its hash, every attachment in the family of its parent.

use std::collections::BTreeMap;

use embley_tests::{Dice, Site, corpora, files};
use md5::{Digest, Md5};

use crate::evidence::sha256;
use crate::shelf::Shelf;

const SEED: u64 = 20_260_417;

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
    let mut odd = Vec::new();
    for row in &rows {
        let path = folder.join(&row.native);
        if !path.is_file() {
            odd.push(format!("{} is missing", row.native));
            continue;
        }
        let bytes = files::read(&path);
        if md5(&bytes) != row.md5 {
            odd.push(format!("{} has another MD5", row.native));
        }
        by_number.insert(&row.number, (row, sha256(&bytes)));
    }
    // MANIFEST.md: one differs, one is missing.
    assert_eq!(odd.len(), 2, "{odd:#?}");
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
        if odd.iter().any(|odd| odd.starts_with(&row.native)) {
            continue;
        }
        let item = items[digest.as_str()]["item_no"].to_string();
        let raw = shelf.site.ok(&["show", &item, "--raw"]).stdout;
        assert_eq!(md5(&raw), row.md5, "{} (seed {SEED})", row.native);
    }

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
        let Some((_, child)) = by_number.get(row.number.as_str()) else {
            continue;
        };
        compared += 1;
        let (_, parent) = by_number.get(row.parent.as_str()).expect("its parent has a native");
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
