//! The life of an index folder: commits, interruptions, merges, superseded items, damage.

use std::path::{Path, PathBuf};

use embley_index::{ErrorClass, IndexError, IndexStore, Node, Order, Snapshot, Want, verify};
use embley_model::field::Field;
use embley_model::id::Ticket;

use crate::corpus::{BUDGET_BYTES, Item, commit};

fn bodies(count: u32) -> Vec<Item> {
    (0..count)
        .map(|no| Item::body(&format!("common word{no} parity{}", no % 2)))
        .collect()
}

fn numbered(items: &[Item], wanted: impl Fn(u32) -> bool) -> Vec<(u32, &Item)> {
    let all = items.iter().enumerate().map(|(no, item)| (no as u32, item));
    all.filter(|(no, _)| wanted(*no)).collect()
}

fn term(token: &str) -> Node {
    Node::Term {
        fields: vec![Field::Body],
        token: token.to_owned(),
    }
}

fn found(folder: &Path, token: &str) -> Vec<u32> {
    let snapshot = Snapshot::open(folder).expect("an index");
    let hits = snapshot.stream(&term(token), Order::ItemNo).expect("an index");
    hits.map(|(item, _)| item).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    list.sort();
    list
}

fn some_file(folder: &Path, extension: &str) -> PathBuf {
    let named = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    files(folder).into_iter().find(named).expect("a segment file")
}

#[test]
fn a_new_index_has_no_ticket_and_no_items() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("index");
    assert!(matches!(Snapshot::open(&path), Err(IndexError::Missing { .. })));
    let store = IndexStore::open_or_create(&path).expect("a new folder");
    assert_eq!(
        (store.committed_ticket(), store.item_count(), store.segment_count()),
        (None, 0, 0)
    );
    let snapshot = Snapshot::open(&path).expect("an index");
    assert_eq!(snapshot.run(&Node::All, Want::default()).expect("an index").count, 0);
    assert_eq!(verify(&path).expect("an index"), []);
}

#[test]
fn a_commit_is_seen_with_its_ticket_and_survives_reopening() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(10);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(
        &mut store,
        &[numbered(&items, |no| no % 2 == 0), numbered(&items, |no| no % 2 == 1)],
        7,
    );
    drop(store);
    let store = IndexStore::open_or_create(folder.path()).expect("an index");
    assert_eq!(
        (store.committed_ticket(), store.item_count(), store.segment_count()),
        (Some(Ticket(7)), 10, 2)
    );
    assert_eq!(
        Snapshot::open(folder.path()).expect("an index").ticket(),
        Some(Ticket(7))
    );
    assert_eq!(found(folder.path(), "word7"), [7]);
    assert_eq!(found(folder.path(), "common"), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_commit_without_items_moves_the_ticket_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    assert!(
        store
            .builder(BUDGET_BYTES)
            .finish()
            .expect("nothing to write")
            .is_none()
    );
    store.commit(Vec::new(), Ticket(3)).expect("a writable folder");
    assert_eq!((store.committed_ticket(), store.segment_count()), (Some(Ticket(3)), 0));
}

#[test]
fn an_open_reader_keeps_its_commit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(20);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(
        &mut store,
        &[
            numbered(&items, |no| no < 5),
            numbered(&items, |no| (5..10).contains(&no)),
        ],
        1,
    );
    let before = Snapshot::open(folder.path()).expect("an index");
    commit(&mut store, &[numbered(&items, |no| no >= 10)], 2);
    store.merge(1).expect("a writable folder");
    let count = |snapshot: &Snapshot| snapshot.run(&term("common"), Want::default()).expect("an index").count;
    assert_eq!(count(&before), 10);
    let after = Snapshot::open(folder.path()).expect("an index");
    assert_eq!((count(&after), after.segment_count()), (20, 1));
}

#[test]
fn readers_that_open_during_commits_and_merges_always_see_one_whole_commit() {
    const ROUNDS: u32 = 40;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(ROUNDS * 3);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    store.commit(Vec::new(), Ticket(0)).expect("a writable folder");
    let done = std::sync::atomic::AtomicBool::new(false);
    let read = || {
        let mut opened = std::collections::BTreeSet::new();
        while !done.load(std::sync::atomic::Ordering::Acquire) {
            let snapshot = Snapshot::open(folder.path()).expect("an index that changes");
            let ticket = snapshot.ticket().expect("a commit").0;
            let count = snapshot.run(&term("common"), Want::default()).expect("an index").count;
            assert_eq!(count, ticket * 3);
            opened.insert(ticket);
        }
        opened.len()
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        for round in 0..ROUNDS {
            commit(
                &mut store,
                &[numbered(&items, |no| no / 3 == round)],
                u64::from(round) + 1,
            );
            if round % 3 == 2 {
                store.merge(1).expect("a writable folder");
            }
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        for reader in readers {
            assert!(reader.join().expect("no reader failed") > 5);
        }
    });
}

#[test]
fn uncommitted_files_are_swept_at_the_next_opening() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(10);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(&mut store, &[numbered(&items, |no| no < 5)], 1);
    let committed = files(folder.path()).len();
    let mut finished = store.builder(BUDGET_BYTES);
    let mut unfinished = store.builder(BUDGET_BYTES);
    for (no, item) in numbered(&items, |no| no >= 5) {
        finished.add(&item.document(no)).expect("in order");
        unfinished.add(&item.document(no)).expect("in order");
    }
    drop(finished.finish().expect("a writable folder"));
    drop((unfinished, store));
    std::fs::create_dir(folder.path().join("merge-0")).expect("a writable folder");
    std::fs::write(folder.path().join(".tmpAbCdEf"), "half").expect("a writable folder");
    assert!(files(folder.path()).len() > committed + 8);
    let store = IndexStore::open_or_create(folder.path()).expect("an index");
    assert_eq!(store.committed_ticket(), Some(Ticket(1)));
    let left = files(folder.path());
    let locks = left
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".lock"))
        .count();
    assert_eq!(left.len() - locks, committed);
    assert_eq!(found(folder.path(), "common"), [0, 1, 2, 3, 4]);
}

#[test]
fn item_numbers_must_increase_within_a_builder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    let mut builder = store.builder(BUDGET_BYTES);
    let item = Item::body("x");
    builder.add(&item.document(4)).expect("the first");
    for late in [4, 3] {
        let why = builder.add(&item.document(late)).expect_err("out of order");
        assert!(matches!(why, IndexError::OutOfOrder { after: 4, .. }));
    }
    builder.add(&item.document(5)).expect("in order");
    assert_eq!(builder.item_count(), 2);
    assert!(builder.memory_bytes() > 0);
}

#[test]
fn a_text_field_stands_once_and_only_text_fields_take_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    let mut builder = store.builder(BUDGET_BYTES);
    let mut twice = Item::body("x").document(1);
    let again = twice.texts[0].clone();
    twice.texts.push(again);
    assert!(matches!(
        builder.add(&twice),
        Err(IndexError::FieldMisuse { field: "body", .. })
    ));
    let mut wrong = Item::body("x").document(1);
    wrong.texts[0].0 = Field::Label;
    assert!(matches!(
        builder.add(&wrong),
        Err(IndexError::FieldMisuse { field: "label", .. })
    ));
    builder.add(&Item::body("x").document(1)).expect("the builder goes on");
}

#[test]
fn merging_keeps_numbers_increasing_whatever_the_order_of_segments() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(200);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    let groups: Vec<_> = (0..5).map(|part| numbered(&items, |no| no / 7 % 5 == part)).collect();
    commit(&mut store, &groups, 1);
    let merged = store.merge(2).expect("a writable folder");
    assert_eq!((merged.before, merged.after), (5, 2));
    assert!(merged.items_rewritten > 0 && merged.items_rewritten <= 200);
    assert_eq!(store.committed_ticket(), Some(Ticket(1)));
    assert_eq!(verify(folder.path()).expect("an index"), []);
    assert_eq!(found(folder.path(), "common"), (0..200).collect::<Vec<_>>());
    assert_eq!(found(folder.path(), "word123"), [123]);
    let again = store.merge(2).expect("a writable folder");
    assert_eq!(again.items_rewritten, 0);
    assert!(
        files(folder.path())
            .iter()
            .all(|path| !path.to_string_lossy().contains("merge-"))
    );
}

#[test]
fn superseded_items_are_replaced_in_one_commit_and_gone_after_a_merge() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(10);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(
        &mut store,
        &[numbered(&items, |no| no < 6), numbered(&items, |no| no >= 6)],
        1,
    );
    store.delete_items(&[3, 7].into_iter().collect());
    assert_eq!(found(folder.path(), "word3"), [3]);
    let renewed = Item::body("common renewed");
    commit(&mut store, &[vec![(3, &renewed), (7, &renewed)]], 2);
    for merged in [false, true] {
        if merged {
            store.merge(1).expect("a writable folder");
        }
        assert_eq!(found(folder.path(), "renewed"), [3, 7], "merged: {merged}");
        assert_eq!(found(folder.path(), "word3"), Vec::<u32>::new());
        assert_eq!(found(folder.path(), "common"), (0..10).collect::<Vec<_>>());
        assert_eq!(store.item_count(), 10);
        assert_eq!(verify(folder.path()).expect("an index"), []);
    }
    store.delete_items(&(0..10).collect());
    store.commit(Vec::new(), Ticket(3)).expect("a writable folder");
    assert_eq!((store.item_count(), store.segment_count()), (0, 0));
    assert_eq!(found(folder.path(), "common"), Vec::<u32>::new());
}

#[test]
fn create_empty_replaces_whatever_is_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(10);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(&mut store, &[numbered(&items, |_| true)], 1);
    drop(store);
    for broken in ["meta.json", ".managed.json"] {
        std::fs::write(folder.path().join(broken), "{ nonsense").expect("a writable folder");
    }
    let why = IndexStore::open_or_create(folder.path())
        .err()
        .expect("a damaged index");
    assert_eq!(why.class(), ErrorClass::Corruption, "{why}");
    let mut store = IndexStore::create_empty(folder.path()).expect("a writable folder");
    assert_eq!((store.committed_ticket(), store.item_count()), (None, 0));
    commit(&mut store, &[numbered(&items, |no| no < 3)], 1);
    assert_eq!(found(folder.path(), "common"), [0, 1, 2]);
    assert_eq!(verify(folder.path()).expect("an index"), []);
}

#[test]
fn an_index_made_anew_takes_the_place_of_the_old_one_in_one_step_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(10);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(&mut store, &[numbered(&items, |_| true)], 1);
    drop(store);
    // Broken off before its commit: the old one stays.
    let store = IndexStore::rebuild(folder.path()).expect("a sound index");
    let mut builder = store.builder(15 << 20);
    builder.add(&items[0].document(0)).expect("an item");
    builder.finish().expect("a writable folder");
    drop(store);
    assert_eq!(found(folder.path(), "common").len(), 10);
    let mut store = IndexStore::rebuild(folder.path()).expect("a sound index");
    commit(&mut store, &[numbered(&items, |no| no < 3)], 2);
    assert_eq!((store.segment_count(), store.committed_ticket()), (1, Some(Ticket(2))));
    assert_eq!(found(folder.path(), "common"), [0, 1, 2]);
    // What follows is added again.
    commit(&mut store, &[numbered(&items, |no| no >= 3)], 3);
    assert_eq!(found(folder.path(), "common").len(), 10);
    assert_eq!(verify(folder.path()).expect("an index"), []);
    // One that cannot be opened is replaced at once.
    std::fs::write(folder.path().join("meta.json"), "{ nonsense").expect("a writable folder");
    let store = IndexStore::rebuild(folder.path()).expect("a writable folder");
    assert_eq!(store.committed_ticket(), None);
}

#[test]
fn another_version_is_refused_with_words() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    IndexStore::open_or_create(folder.path()).expect("a new folder");
    let meta = folder.path().join("meta.json");
    let text = std::fs::read_to_string(&meta).expect("a commit");
    let known = format!("\\\"format\\\":{}", embley_index::INDEX_VERSION);
    let newer = text.replace(&known, "\\\"format\\\":9");
    assert_ne!(text, newer);
    std::fs::write(&meta, newer).expect("a writable folder");
    let why = IndexStore::open_or_create(folder.path()).err().expect("a newer index");
    assert!(matches!(why, IndexError::Version { .. }));
    assert!(
        why.to_string().contains("format 9") && why.to_string().contains("embley reindex"),
        "{why}"
    );
    assert_eq!(
        Snapshot::open(folder.path()).err().expect("a newer index").class(),
        ErrorClass::Corruption
    );
}

/// Damages one file of a fresh index by `harm`.
fn damaged(extension: &str, harm: impl Fn(&Path)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let items = bodies(2000);
    let mut store = IndexStore::open_or_create(folder.path()).expect("a new folder");
    commit(&mut store, &[numbered(&items, |_| true)], 1);
    let file = some_file(folder.path(), extension);
    harm(&file);
    (folder, file)
}

#[test]
fn a_missing_or_cut_file_is_named_with_the_way_out() {
    for extension in ["term", "idx", "pos", "fast", "fieldnorm", "store"] {
        let cut = |path: &Path| {
            let bytes = std::fs::read(path).expect("a file");
            std::fs::write(path, &bytes[..bytes.len() / 2]).expect("a writable folder");
        };
        let remove = |path: &Path| std::fs::remove_file(path).expect("a file");
        for harm in [&cut as &dyn Fn(&Path), &remove] {
            let (folder, file) = damaged(extension, harm);
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let damages = verify(folder.path()).expect("an index");
            assert_eq!(damages.len(), 1, "{extension}");
            assert_eq!(damages[0].file, file);
            let why = Snapshot::open(folder.path()).err().expect("a damaged index");
            assert_eq!(why.class(), ErrorClass::Corruption, "{why}");
            assert!(
                why.to_string().contains(&name) && why.to_string().contains("embley reindex"),
                "{why}"
            );
        }
    }
}

#[test]
fn a_flipped_bit_is_found_by_verify_and_never_ends_the_program() {
    for extension in ["term", "idx", "pos", "fast", "fieldnorm", "store"] {
        for place in [3, 5, 7] {
            let (folder, file) = damaged(extension, |path| {
                let mut bytes = std::fs::read(path).expect("a file");
                let at = bytes.len() * place / 10;
                bytes[at] ^= 0x40;
                std::fs::write(path, bytes).expect("a writable folder");
            });
            let damages = verify(folder.path()).expect("an index");
            assert_eq!(damages.iter().map(|damage| &damage.file).collect::<Vec<_>>(), [&file]);
            // What a query answers over damaged bytes is open; that it comes back is not.
            if let Ok(snapshot) = Snapshot::open(folder.path()) {
                let want = Want {
                    items: true,
                    top: Some((Order::Relevance, 0, 10)),
                };
                let phrase = Node::Phrase {
                    fields: vec![Field::Body],
                    tokens: vec!["common".into(), "word7".into()],
                };
                for node in [term("common"), phrase] {
                    if let Err(why) = snapshot.run(&node, want) {
                        assert_eq!(why.class(), ErrorClass::Corruption, "{why}");
                    }
                }
            }
        }
    }
}

#[test]
fn segments_without_meta_json_are_not_taken_for_a_new_index() {
    let (folder, file) = damaged("store", |_| ());
    std::fs::remove_file(folder.path().join("meta.json")).expect("a commit");
    let why = IndexStore::open_or_create(folder.path())
        .err()
        .expect("a damaged index");
    assert!(
        matches!(&why, IndexError::Damaged { file, .. } if file.ends_with("meta.json")),
        "{why}"
    );
    assert!(file.exists());
}
