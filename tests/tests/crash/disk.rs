//! A small file system that fills up, and folders that cannot be written.

use std::path::{Path, PathBuf};
use std::process::Command;

use embley_tests::{Program, Site, files, packed};

use crate::evidence;

/// A file system in memory of a given size, unmounted when the test lets go of it.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts it, or says why not. The test must not pass by doing nothing.
    fn mount(at: &Path, kib: u64) -> Option<Self> {
        files::make_folder(at);
        let done = mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"], at);
        match done {
            Ok(()) => Some(Self { at: at.to_owned() }),
            Err(why) if std::env::var_os("EMBLEY_TEST_NO_MOUNT").is_some() => {
                eprintln!("NOT RUN: a full disk, because EMBLEY_TEST_NO_MOUNT is set and {why}");
                None
            }
            Err(why) => panic!(
                "a small file system cannot be mounted: {why}\nrun this test as root, or set EMBLEY_TEST_NO_MOUNT=1 to leave it out"
            ),
        }
    }

    fn grow(&self, kib: u64) {
        mount(&["-o", &format!("remount,size={kib}k")], &self.at).expect("a mounted file system can be made larger");
    }
}

fn mount(options: &[&str], at: &Path) -> Result<(), String> {
    let output = Command::new("mount")
        .args(options)
        .arg(at)
        .output()
        .map_err(|error| format!("mount: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.at).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.at.display());
        }
    }
}

#[test]
fn a_full_disk_is_named_and_with_room_the_case_becomes_the_undisturbed_one() {
    let source = Site::bare();
    evidence::make(source.root(), 800, 71);
    let (_, expected) = evidence::undisturbed(source.root());
    let site = Site::bare();
    // The case folder itself lies on the small disk.
    let Some(disk) = SmallDisk::mount(site.case(), 900) else {
        return;
    };
    site.init();
    let mut full = 0;
    let mut kib = 900;
    loop {
        let ran = evidence::ingest(&site, source.root()).run();
        if ran.code == Some(3) {
            break;
        }
        let ran = ran
            .expect(70)
            .says(&["embley: ", "hint: ", "run the same command again: it goes on"]);
        let words = ["No space left on device", "database or disk is full", "disk I/O error"];
        assert!(
            words.iter().any(|word| ran.stderr.contains(word)),
            "{kib} KiB: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{kib} KiB: {}", ran.stderr);
        full += 1;
        // It opens even without room, says where it is, and nothing that was committed is lost.
        let status = site.ok(&["status", "--format", "json"]).json();
        assert!(
            status["runs"].as_array().is_some_and(|runs| runs.len() <= 1),
            "{status}"
        );
        site.ok(&["verify"]);
        kib += 450;
        assert!(kib < 64 << 10, "it never finished");
        disk.grow(kib);
    }
    assert!(full >= 4, "the disk was full {full} times only");
    evidence::check_same("the case that ran out of room", &expected, &site);
    println!("full {full} times, done with {kib} KiB");
    drop(disk);
}

#[test]
fn making_a_case_on_a_full_disk_leaves_no_case_and_works_with_room() {
    let site = Site::bare();
    let Some(disk) = SmallDisk::mount(&site.path("small"), 100) else {
        return;
    };
    let case = site.path("small/case");
    let name = case.to_str().expect("UTF-8");
    let init = || Program::new(&["init", name, "--name", "Test"]).run();
    init().expect(70).says(&["hint: "]);
    Program::new(&["--case", name, "status"])
        .run()
        .expect(2)
        .says(&["is not a case"]);
    disk.grow(4_096);
    init().expect(0);
    Program::new(&["--case", name, "status"]).run().expect(0);
    drop(disk);
}

#[test]
fn tagging_on_a_full_disk_changes_nothing_or_all() {
    let site = Site::bare();
    let Some(disk) = SmallDisk::mount(site.case(), 8_192) else {
        return;
    };
    site.init();
    files::write(&site.path("one.eml"), embley_tests::made::message(1, "xqone"));
    site.ingest(&[site.path("one.eml")]).expect(0);
    site.ok(&["tag", "add", "first", "1"]);
    // Whatever room is left goes to a file beside the case's own.
    let filler = site.case().join("filler");
    fill(&filler);
    let ran = site.run(&["tag", "add", "second", "1"]);
    // Looking needs a little room too: the database's shared memory is a file.
    files::remove(&filler);
    let tags = |site: &Site| {
        site.ok(&["tag", "list", "--format", "json"]).json()["tags"]
            .as_array()
            .map_or(0, Vec::len)
    };
    let expected = match ran.code {
        Some(0) => 2,
        _ => {
            ran.expect(70).says(&["hint: "]);
            1
        }
    };
    assert_eq!(tags(&site), expected);
    site.ok(&["tag", "add", "second", "1"]);
    assert_eq!(tags(&site), 2);
    drop(disk);
}

/// Writes zeros until there is no room.
#[expect(clippy::disallowed_methods, reason = "a test uses up the room it made")]
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("an empty file has room");
    for length in [64 << 10, 4 << 10, 512, 1] {
        while file.write_all(&vec![0; length]).is_ok() {}
    }
}

#[test]
fn a_full_disk_for_temporary_files_stops_the_run_and_is_not_said_of_a_member() {
    let source = Site::bare();
    // Bytes that cannot be made smaller, more than the small disk has.
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..6 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    let archive = packed::zip(&[
        ("before.txt", b"xqbefore"),
        ("big.bin", &noise),
        ("after.txt", b"xqafter"),
    ]);
    files::write(&source.path("made").join("a.zip"), archive);
    let site = Site::new();
    let Some(disk) = SmallDisk::mount(&source.path("temporary"), 3_000) else {
        return;
    };
    let made = source.path("made");
    let ran = site.ingest_program(&[&made]).env("TMPDIR", &disk.at).run().expect(70);
    ran.says(&["No space left on device", "run the same command again: it goes on"]);
    assert_eq!(site.count("defect:ARC-MEMBER"), 0);
    site.ingest(&[&made]).expect(0).says(&["all sums close"]);
    assert_eq!(
        (site.count("xqbefore"), site.count("xqafter"), site.count("defect:*")),
        (1, 1, 1)
    );
}
