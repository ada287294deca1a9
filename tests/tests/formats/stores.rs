//! PST and OST files, against what readpst counts.

use embley_tests::{Site, corpora, files};

use crate::shelf::Shelf;

/// Messages that come out of each store, with those that only settings are (`(associated)`) and those that no folder lists any more.
const EXPECTED: [(&str, u64); 21] = [
    ("aspose/AddingBulkMessagesWithImprovedPerformance.pst", 1),
    ("aspose/Outlook_1.pst", 27),
    ("aspose/PersonalStorage1.pst", 0),
    ("aspose/PersonalStorage2.pst", 0),
    ("aspose/PersonalStorageFile.pst", 18),
    ("aspose/PersonalStorageFile1.pst", 72),
    ("aspose/PersonalStorageFile2.pst", 24),
    ("aspose/PersonalStorage_New.pst", 0),
    ("aspose/SampleContacts1.pst", 6),
    ("aspose/passwordprotectedPST.pst", 18),
    ("aspose/source.pst", 27),
    ("aspose/Chunks/Test_part1.pst.zst", 61),
    ("aspose/Sources/PersonalStorage1.pst", 0),
    ("aspose/pathToPst/Personal folders_part0.pst", 0),
    ("go-pst/support.pst", 17),
    ("hoover-testdata/flags_jane_doe.pst", 11),
    ("java-libpst/dist-list.pst", 7),
    ("outlook-pst-rs/Empty.pst", 0),
    ("pst-extractor/enron.pst.zst", 71),
    ("pst-extractor/pstextractortestpdf@outlook.com.ost.zst", 179),
    ("tika/testPST.pst.zst", 7),
];

/// Files that readpst wrote for each store, from the table of the manifest. Its "items" also count folders, and are not comparable.
fn readpst(manifest: &str) -> Vec<(String, u64)> {
    let rows = manifest.lines().filter_map(|line| line.strip_prefix("| `pst/"));
    rows.filter_map(|row| {
        let (path, rest) = row.split_once("` |")?;
        let files = rest.split("files=").nth(1)?.split(' ').next()?;
        Some((path.to_owned(), files.parse().ok()?))
    })
    .collect()
}

#[test]
fn every_store_gives_at_least_the_messages_that_readpst_gives() {
    let Some(folder) = corpora::folder("pst") else { return };
    let manifest = files::read(&folder.join("../MANIFEST.md"));
    let table = readpst(&String::from_utf8_lossy(&manifest));
    assert_eq!(table.len(), EXPECTED.len());
    let source = Site::bare();
    let unpacked = source.path("pst");
    files::copy_folder(&folder, &unpacked);
    let shelf = Shelf::take_in(&unpacked);
    for (path, written) in table {
        // A store in a compressed file is that file's member.
        let inner = path.strip_suffix(".zst").and_then(|path| path.rsplit('/').next());
        let store = inner.map_or(format!("pst/{path}"), |inner| format!("pst/{path}/{inner}"));
        let below = format!("{store}/");
        let messages = shelf.paths.iter().filter(|(path, _)| {
            let node = path.rsplit('/').next().unwrap_or_default();
            path.starts_with(&below) && node.starts_with("0x") && node[2..].bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let count = messages.map(|(_, entries)| entries).sum::<u64>();
        let expected = EXPECTED.iter().find(|(name, _)| *name == path);
        assert!(count >= written, "{path}: {count} messages, readpst wrote {written}");
        assert_eq!(Some(count), expected.map(|(_, count)| *count), "{path}");
    }
    // A contact, an appointment and a message of each kind are found by their words.
    for (query, at_least) in [
        ("\"Sebastian Wright\"", 1),
        ("lokay", 50),
        ("path:enron AND type:attachment", 30),
    ] {
        let count = shelf.site.count(query);
        assert!(count >= at_least, "{query}: {count}");
    }
}
