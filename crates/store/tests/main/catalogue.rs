//! The catalogue by its public face: rows read back as written, snapshots hold still, sets follow from rows.

use std::sync::atomic::{AtomicBool, Ordering};

use embley_model::id::{BlobId, FileId, InstanceId, ItemNo, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{CustodianId, FolderId, InstanceRow, InstanceStatus, RowBatch, SetKind};
use embley_store::{Access, Case, StoreError};
use roaring::RoaringBitmap;

use crate::sample::{Ingest, SampleParts, ingest, init, key, message, open_write, root_row};

fn sample_case(messages: u64) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest(&open_write(&path), messages, 20, 600).unwrap();
    (folder, path)
}

#[test]
fn rows_read_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let case = open_write(&path);
    let mut packs = case.pack_writer().unwrap();
    let mut writer = case.catalogue_writer().unwrap();
    let mut ingest = Ingest::resume(&case, 400);
    let rows = ingest.range(&mut packs, 25).unwrap();
    writer.append(rows.clone());
    let pack = packs.sync().unwrap();
    let checkpoint = ingest.checkpoint(pack);
    writer.commit(checkpoint.clone()).unwrap();

    let reader = case.reader().unwrap();
    assert_eq!(reader.checkpoint(), &checkpoint);
    let mut items = Vec::new();
    reader
        .for_each_item(ItemNo(0)..ItemNo(u32::MAX), |row| {
            items.push(row);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(items, rows.items);
    assert!(items.len() > 25);
    let mut blobs = Vec::new();
    reader
        .for_each_blob(|row| {
            blobs.push(row);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(blobs, rows.blobs);
    let mut instances = Vec::new();
    reader
        .for_each_instance(InstanceId(0)..InstanceId(99), |row| {
            instances.push(row);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert_eq!(instances, rows.instances);
    assert_eq!(reader.file(FileId(1)).unwrap().as_ref(), rows.files.last());
    assert_eq!(
        reader.files_in_folder(FolderId(1)).unwrap(),
        rows.files[rows.files.len() - 1..]
    );
    assert_eq!(reader.runs().unwrap(), rows.runs);
    assert_eq!(reader.sources().unwrap(), rows.sources);
    assert_eq!(reader.custodians().unwrap(), rows.custodians);
    assert_eq!(reader.folders().unwrap(), rows.folders);
    assert_eq!(reader.tallies(rows.runs[0].run_no).unwrap(), rows.tallies);
    let with_defect = rows.defects[0].item_no;
    assert_eq!(reader.defects(with_defect).unwrap(), rows.defects[..1]);
    assert_eq!(reader.shown_path(FileId(1)).unwrap(), "ann/mail/inbox.mbox");
}

#[test]
fn look_ups_give_the_same_with_and_without_their_indexes() {
    let (_folder, path) = sample_case(200);
    let ask = |case: &Case| {
        let reader = case.reader().unwrap();
        let mut out = Vec::new();
        for seed in [0, 3, 77, 199] {
            let hash = blake3::hash(&message(seed, 600)).to_hex();
            for len in [5, 16, 17, 64] {
                out.push(format!("{:?}", reader.roots_by_hex(&hash[..len]).unwrap()));
            }
            let blob = &reader.blobs_by_hex(&hash).unwrap()[0];
            let by_sha = reader.blobs_by_hex(&blob.sha256.to_hex().to_uppercase()).unwrap();
            assert_eq!(by_sha[0].blob_id, blob.blob_id);
            let item = reader.items_of_blob(blob.blob_id).unwrap();
            assert_eq!(item, [blob.top_item.unwrap()]);
            assert_eq!(reader.items_by_mih(&key(seed, 1)).unwrap(), item);
            assert_eq!(reader.items_by_message_id(&format!("<{seed}@sample>")).unwrap(), item);
            out.push(format!("{:?}", reader.instances_of(item[0]).unwrap()));
            out.push(format!("{:?}", reader.part(item[0], "1").unwrap()));
        }
        assert_eq!(reader.roots_by_hex("zz").unwrap(), []);
        assert_eq!(reader.roots_by_hex("").unwrap(), []);
        (out, reader.lookups().unwrap().len())
    };
    let with = ask(&Case::open(&path, Access::Read).unwrap());
    assert_eq!(with.1, 5);
    let case = open_write(&path);
    case.catalogue_writer().unwrap().begin_bulk(1_000_000).unwrap();
    let without = ask(&case);
    assert_eq!(without.1, 0);
    assert_eq!(with.0, without.0);
    case.catalogue_writer().unwrap().build_lookups().unwrap();
    assert_eq!(ask(&case), with);
    // Few new items do not cost the indexes of a large case.
    case.catalogue_writer().unwrap().begin_bulk(3).unwrap();
    assert_eq!(ask(&case).1, 5);
}

#[test]
fn originals_give_messages_and_parts_of_them() {
    let (_folder, path) = sample_case(60);
    let case = Case::open(&path, Access::Read).unwrap();
    let mut originals = case.originals().unwrap();
    let mut parts = 0;
    for number in 1..originals.catalogue().checkpoint().next_item {
        let item = originals.catalogue().item(ItemNo(number)).unwrap().unwrap();
        let bytes = originals.item_bytes(item.item_no, &SampleParts).unwrap();
        let root = originals.catalogue().item(item.root).unwrap().unwrap();
        let seed: u64 = root.subject.strip_prefix("sample ").unwrap().parse().unwrap();
        let whole = message(seed, 600);
        if item.parent.is_some() {
            assert_eq!(bytes, whole[whole.len() - 20..]);
            parts += 1;
        } else {
            assert_eq!(bytes, whole);
        }
    }
    assert_eq!(parts, 6);
    assert!(originals.item_bytes(ItemNo(9_999), &SampleParts).is_err());
}

#[test]
fn sets_follow_from_rows_before_and_after_they_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let case = open_write(&path);
    let mut packs = case.pack_writer().unwrap();
    let mut writer = case.catalogue_writer().unwrap();
    let mut ingest = Ingest::resume(&case, 300);
    for _ in 0..5 {
        writer.append(ingest.range(&mut packs, 20).unwrap());
        let pack = packs.sync().unwrap();
        writer.commit(ingest.checkpoint(pack)).unwrap();
    }
    let check = || {
        let reader = case.reader().unwrap();
        let all: RoaringBitmap = (1..reader.checkpoint().next_item).collect();
        assert_eq!(all.len(), 110);
        assert_eq!(reader.custodian_items(CustodianId(1)).unwrap(), all);
        assert_eq!(reader.folder_items(FolderId(1)).unwrap(), all);
        assert_eq!(reader.file_items(&[FileId(1)]).unwrap(), all);
        assert_eq!(reader.roots().unwrap().len(), 100);
        assert_eq!(reader.kind_items(ItemKind::Attachment).unwrap().len(), 10);
        let counts = reader.searchability_counts().unwrap();
        assert_eq!(
            counts,
            [
                (ItemKind::Email, Searchability::Searched, 100),
                (ItemKind::Attachment, Searchability::FormatNotSupported, 10)
            ]
        );
        // Labels: every fourth message, with the families of those that have a part.
        let seen = reader.set(SetKind::Label, "seen").unwrap();
        let roots = reader.roots().unwrap();
        assert_eq!((&seen & &roots).len(), 25);
        assert_eq!(reader.set_keys(SetKind::Label).unwrap(), ["seen"]);
        assert_eq!(reader.custodian_items(CustodianId(2)).unwrap(), RoaringBitmap::new());
    };
    check();
    writer.compact_sets().unwrap();
    check();
    // A reader of an earlier checkpoint sees the sets as they were then, joined or not.
    let mut early = case.reader().unwrap();
    early.limit_to(Ticket(2)).unwrap();
    assert_eq!(early.roots().unwrap().len(), 40);
    assert_eq!(early.counts().instances, 40);
    assert_eq!(early.item(ItemNo(80)).unwrap(), None);
    assert_eq!(early.blob(BlobId(80)).unwrap(), None);
    assert!(early.limit_to(Ticket(99)).is_err());
}

#[test]
fn a_duplicate_brings_the_whole_family_of_its_item_to_its_custodian() {
    let (_folder, path) = sample_case(40);
    let case = open_write(&path);
    let mut writer = case.catalogue_writer().unwrap();
    let mut ingest = Ingest::resume(&case, 600);
    let packs = case.pack_writer().unwrap();
    let root = case.reader().unwrap().items_by_message_id("<13@sample>").unwrap()[0];
    let mut rows = RowBatch::default();
    let mut file = crate::sample::file_row(1, 10);
    file.file_id = FileId(2);
    file.custodian_id = Some(CustodianId(2));
    file.first_instance = InstanceId(ingest.next_instance);
    rows.files.push(file);
    rows.instances.push(InstanceRow {
        instance_id: InstanceId(ingest.next_instance),
        item_no: root,
        file_id: FileId(2),
        ordinal: 0,
        offset: 0,
        length: 10,
        separator: Some(b"From x\n".to_vec()),
        trailer_len: 1,
        as_found_differs: true,
        status: InstanceStatus::Duplicate,
        run_no: embley_model::id::RunNo(1),
        second_blake3: None,
        labels: vec!["a\nb".into(), "c".into()],
    });
    ingest.next_instance += 1;
    writer.append(rows);
    writer.commit(ingest.checkpoint(packs.position())).unwrap();
    let reader = case.reader().unwrap();
    assert_eq!(
        reader.custodian_items(CustodianId(2)).unwrap(),
        (root.0..root.0 + 2).collect::<RoaringBitmap>()
    );
    let instances = reader.instances_of(root).unwrap();
    assert_eq!(instances.len(), 2);
    assert!(instances[1].as_found_differs);
    assert_eq!(instances[1].status, InstanceStatus::Duplicate);
    assert_eq!(instances[1].labels, ["a b", "c"]);
}

#[test]
fn an_updated_item_keeps_its_number_and_leaves_the_set_it_was_in() {
    let (_folder, path) = sample_case(40);
    let case = open_write(&path);
    let mut writer = case.catalogue_writer().unwrap();
    let mut ingest = Ingest::resume(&case, 600);
    let position = case.pack_writer().unwrap().position();
    let mut row = root_row(ItemNo(2), 2, 1, 600);
    row.subject = "second version".into();
    row.searchability = Searchability::NoText;
    let mut rows = RowBatch::default();
    rows.item_updates.push(row.clone());
    writer.append(rows);
    writer.commit(ingest.checkpoint(position)).unwrap();
    let reader = case.reader().unwrap();
    assert_eq!(reader.item(ItemNo(2)).unwrap(), Some(row));
    assert!(!reader.searchability_items(Searchability::Searched).unwrap().contains(2));
    assert!(reader.searchability_items(Searchability::NoText).unwrap().contains(2));
    assert_eq!(reader.counts().items, 44);
}

#[test]
fn a_snapshot_holds_still_while_the_writer_goes_on() {
    let (_folder, path) = sample_case(40);
    let reader = Case::open(&path, Access::Read).unwrap().reader().unwrap();
    let before = (reader.counts(), reader.roots().unwrap());
    ingest(&open_write(&path), 120, 20, 600).unwrap();
    assert_eq!((reader.counts(), reader.roots().unwrap()), before);
    let mut reader = reader;
    reader.refresh().unwrap();
    assert_eq!(reader.counts().instances, 120);
}

#[test]
fn a_failed_commit_leaves_nothing_and_the_writer_refuses_to_go_on() {
    let (_folder, path) = sample_case(40);
    let case = open_write(&path);
    let before = case.reader().unwrap().counts();
    let mut writer = case.catalogue_writer().unwrap();
    let mut ingest = Ingest::resume(&case, 600);
    let mut packs = case.pack_writer().unwrap();
    let mut rows = ingest.range(&mut packs, 10).unwrap();
    // The same number twice is refused by the catalogue itself.
    let again = rows.items[0].clone();
    rows.items.push(again);
    writer.append(rows);
    let pack = packs.sync().unwrap();
    let checkpoint = ingest.checkpoint(pack);
    assert!(writer.commit(checkpoint.clone()).is_err());
    assert!(
        writer
            .commit(checkpoint)
            .expect_err("refused")
            .to_string()
            .contains("open the case again")
    );
    drop(writer);
    assert_eq!(case.reader().unwrap().counts(), before);
    crate::sample::ingest(&case, 60, 10, 600).expect("a new writer goes on from the last checkpoint");
}

#[test]
fn facts_are_written_while_checkpoints_are_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest(&open_write(&path), 20, 20, 600).unwrap();
    let stop = AtomicBool::new(false);
    let (waits, ingested) = std::thread::scope(|scope| {
        let ingesting = scope.spawn(|| {
            let case = open_write(&path);
            let mut messages = 20;
            while !stop.load(Ordering::Relaxed) {
                messages += 400;
                ingest(&case, messages, 200, 600).unwrap();
            }
            messages
        });
        let case = Case::open(&path, Access::Facts).unwrap();
        let facts = case.facts().unwrap();
        let stamp = embley_store::facts::Stamp {
            actor: "ann",
            at_micros: 1,
        };
        let mut longest = 0.0_f64;
        for round in 0..40_u32 {
            let begun = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            let items: RoaringBitmap = (1..2 + round % 20).collect();
            embley_store::facts::tags::add(facts.connection(), &format!("tag {round}"), &items, "test", stamp).unwrap();
            let ended = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            longest = longest.max((ended - begun).as_secs_f64());
        }
        stop.store(true, Ordering::Relaxed);
        (longest, ingesting.join().unwrap())
    });
    assert!(ingested > 20);
    assert!(waits < 10.0, "a tag waited {waits} s");
    let reader = Case::open(&path, Access::Read).unwrap().reader().unwrap();
    assert_eq!(embley_store::facts::tags::list(reader.facts()).unwrap().len(), 40);
    assert_eq!(reader.counts().instances, ingested);
}

#[test]
fn a_closed_case_keeps_no_log_beside_its_catalogue() {
    let (_folder, path) = sample_case(40);
    for name in ["catalogue.sqlite-wal", "catalogue.sqlite-shm"] {
        assert!(!path.join(name).exists(), "{name}");
    }
}
