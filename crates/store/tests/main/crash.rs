//! Whatever moment the power goes, the disk is full or a sync fails: the case opens, verifies, goes on, and ends as an undisturbed
//! one.

use std::path::Path;
use std::sync::Arc;

use embley_model::outcome::ErrorClass;
use embley_store::disk::Disk;
use embley_store::{Access, Case, InitOptions, StoreError, verify};
use embley_testkit::dump::dump_case;
use embley_testkit::fault::{FaultDisk, Plan};

use crate::sample::{NOW, SampleParts, holder, ingest_rolling, init, open_write};

const MESSAGES: u64 = 120;
const EACH: u64 = 15;
const SIZE: usize = 3_000;
const ROLL: u64 = 12_000;

/// A whole ingest on a disk; `Err` when the disk did not let it finish.
fn ingest_on(disk: &FaultDisk, path: &Path) -> Result<(), StoreError> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let case = Case::open_on(disk, path, Access::Write(holder()))?;
    ingest_rolling(&case, MESSAGES, EACH, SIZE, ROLL)
}

/// The text of an undisturbed case, and how many syncs and bytes it took.
fn undisturbed() -> (String, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let disk = FaultDisk::new(Plan::Sound);
    ingest_on(&disk, &path).unwrap();
    let case = Case::open(&path, Access::Read).unwrap();
    let report = verify::deep(&case, &SampleParts, &|_| ()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.checked.packed_blobs, MESSAGES);
    (dump_case(&case).unwrap(), disk.syncs(), disk.written())
}

/// The case opens for readers, has no finding, is finished on a sound disk, and then equals the undisturbed one.
fn recovers(path: &Path, expected: &str, what: &str) {
    let case = Case::open(path, Access::Read).unwrap_or_else(|error| panic!("{what}: does not open: {error}"));
    let report = verify::deep(&case, &SampleParts, &|_| ()).unwrap();
    assert!(report.is_sound(), "{what}: after the fault: {report:?}");
    drop(case);
    ingest_rolling(&open_write(path), MESSAGES, EACH, SIZE, ROLL).unwrap_or_else(|error| panic!("{what}: {error}"));
    let case = Case::open(path, Access::Read).unwrap();
    let report = verify::deep(&case, &SampleParts, &|_| ()).unwrap();
    assert!(report.is_sound(), "{what}: at the end: {report:?}");
    assert!(report.notes.is_empty(), "{what}: {:?}", report.notes);
    assert_eq!(dump_case(&case).unwrap(), expected, "{what}");
}

#[test]
fn power_off_at_every_sync_ends_as_an_undisturbed_ingest() {
    let (expected, syncs, _) = undisturbed();
    assert!(syncs >= 20, "only {syncs} syncs: the test would show little");
    for at in 1..=syncs {
        let folder = tempfile::tempdir().unwrap();
        let path = init(folder.path());
        let disk = FaultDisk::new(Plan::PowerOff { at, seed: at * 7 });
        assert!(ingest_on(&disk, &path).is_err(), "sync {at}");
        assert!(disk.is_off());
        recovers(&path, &expected, &format!("power off at sync {at}"));
    }
}

#[test]
fn power_off_twice_in_a_row_still_ends_as_an_undisturbed_ingest() {
    let (expected, syncs, _) = undisturbed();
    for at in (2..syncs).step_by(3) {
        let folder = tempfile::tempdir().unwrap();
        let path = init(folder.path());
        assert!(ingest_on(&FaultDisk::new(Plan::PowerOff { at, seed: 1 }), &path).is_err());
        // The second time it goes while the tail of the first is cut, or soon after.
        for again in 1..4 {
            let second = FaultDisk::new(Plan::PowerOff { at: again, seed: 2 });
            let done = ingest_on(&second, &path);
            assert!(done.is_err() || at + 4 >= syncs, "{at} {again}");
        }
        recovers(&path, &expected, &format!("power off at sync {at} and again"));
    }
}

#[test]
fn an_error_at_every_sync_stops_with_words_and_the_case_goes_on() {
    let (expected, syncs, _) = undisturbed();
    for at in 1..=syncs {
        let folder = tempfile::tempdir().unwrap();
        let path = init(folder.path());
        let error = ingest_on(&FaultDisk::new(Plan::FailSync { at }), &path).expect_err("a failed sync is said");
        assert_eq!(error.class(), ErrorClass::Environment, "sync {at}: {error}");
        recovers(&path, &expected, &format!("error at sync {at}"));
    }
}

#[test]
fn a_full_disk_stops_with_words_and_the_case_goes_on_when_there_is_room() {
    let (expected, _, written) = undisturbed();
    let mut stopped = 0;
    for bytes in (0..written).step_by(usize::try_from(written / 25).unwrap()) {
        let folder = tempfile::tempdir().unwrap();
        let path = init(folder.path());
        let error = ingest_on(&FaultDisk::new(Plan::FullAfter { bytes }), &path).expect_err("a full disk is said");
        assert_eq!(error.class(), ErrorClass::Environment, "{error}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains("free some space")),
            "{error}"
        );
        recovers(&path, &expected, &format!("full after {bytes} bytes"));
        stopped += 1;
    }
    assert!(stopped >= 25);
}

#[test]
fn a_full_catalogue_stops_with_words_and_the_case_goes_on_when_there_is_room() {
    let (expected, ..) = undisturbed();
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let case = open_write(&path);
    let mut writer = case.catalogue_writer().unwrap();
    writer.limit_pages(40).unwrap();
    let mut packs = case.pack_writer().unwrap();
    packs.roll_at(ROLL);
    let mut ingest = crate::sample::Ingest::resume(&case, SIZE);
    let mut committed = 0;
    let error = loop {
        let rows = ingest.range(&mut packs, EACH).unwrap();
        let pack = packs.sync().unwrap();
        writer.append(rows);
        match writer.commit(ingest.checkpoint(pack)) {
            Ok(()) => committed += 1,
            Err(error) => break error,
        }
        assert!(committed < 1_000, "the limit was never met");
    };
    assert_eq!(error.class(), ErrorClass::Environment, "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("free some space")));
    drop((writer, packs, case));
    if committed * EACH <= MESSAGES {
        recovers(&path, &expected, "full catalogue");
    }
}

#[test]
fn power_off_at_every_sync_of_init_leaves_no_case_or_a_whole_one() {
    let options = InitOptions {
        name: "n".into(),
        reference: String::new(),
        zone: String::new(),
        at_micros: NOW,
    };
    let mut refused = 0;
    for at in 1..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case");
        let disk = FaultDisk::new(Plan::PowerOff { at, seed: at });
        if Case::init_on(Arc::new(disk.clone()), &path, &options).is_ok() {
            assert!(!disk.is_off());
            break;
        }
        refused += 1;
        assert!(
            matches!(Case::open(&path, Access::Read), Err(StoreError::NotACase { .. })),
            "sync {at}"
        );
        Case::init(&path, &options).unwrap_or_else(|error| panic!("sync {at}: {error}"));
        Case::open(&path, Access::Read).unwrap();
    }
    assert!(refused >= 4, "{refused}");
}
