//! Making, opening, refusing and locking cases.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use embley_model::outcome::ErrorClass;
use embley_store::{Access, Case, InitOptions, StoreError};

use crate::sample::{NOW, holder, ingest, init, open_write};

fn open_error(path: &std::path::Path, access: Access) -> StoreError {
    Case::open(path, access).expect_err("the case must be refused")
}

#[test]
fn init_makes_a_case_that_opens_with_the_london_zone() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let case = Case::open(&path, Access::Read).unwrap();
    assert_eq!(case.config().name, "Op Test");
    assert_eq!(case.config().zone, "Europe/London");
    assert_eq!(case.config().created, "2020-07-01T12:00:00Z");
    assert_eq!(case.reader().unwrap().counts().items, 0);
    assert_eq!(Case::find(&path.join("runs")), Some(path));
}

#[test]
fn two_cases_never_have_the_same_id() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ids = [init(one.path()), init(two.path())].map(|path| Case::open(&path, Access::Read).unwrap().id());
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn init_refuses_a_folder_with_something_in_it_and_finishes_a_half_made_one() {
    let folder = tempfile::tempdir().unwrap();
    let options = InitOptions {
        name: "n".into(),
        reference: String::new(),
        zone: String::new(),
        at_micros: NOW,
    };
    std::fs::write(folder.path().join("evidence.mbox"), "x").unwrap();
    let error = Case::init(folder.path(), &options).expect_err("not empty");
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(error.class(), ErrorClass::Config);

    let path = init(tempfile::tempdir().unwrap().path());
    drop(path);
    let half = tempfile::tempdir().unwrap();
    let path = init(half.path());
    std::fs::remove_file(path.join("case.toml")).unwrap();
    assert!(matches!(open_error(&path, Access::Read), StoreError::NotACase { .. }));
    Case::init(&path, &options).expect("a half-made case is made again");
    Case::open(&path, Access::Read).expect("and opens");
    let error = Case::init(&path, &options).expect_err("a whole one is not");
    assert!(error.to_string().contains("a case already"), "{error}");
}

#[test]
fn what_is_not_a_case_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for (path, words) in [
        (folder.path().join("missing"), "no such folder"),
        (folder.path().to_owned(), "no case.toml"),
        (file, "not a folder"),
    ] {
        let error = open_error(&path, Access::Read);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.class(), ErrorClass::Config);
    }
}

#[test]
fn newer_formats_are_refused_with_words_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let toml = path.join("case.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("format = 1", "format = 2\nfuture = true")).unwrap();
    let error = open_error(&path, Access::Read);
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("newer embley"), "{error}");

    std::fs::write(&toml, text.replace("format = 1", "format = 0")).unwrap();
    assert!(matches!(open_error(&path, Access::Read), StoreError::Older { .. }));

    std::fs::write(&toml, &text).unwrap();
    rusqlite::Connection::open(path.join("catalogue.sqlite"))
        .unwrap()
        .pragma_update(None, "user_version", 9)
        .unwrap();
    let error = open_error(&path, Access::Read);
    assert!(matches!(error, StoreError::Newer { found: 9, .. }), "{error}");
}

#[test]
fn an_unknown_key_or_zone_in_case_toml_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let toml = path.join("case.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, format!("colour = 1\n{text}")).unwrap();
    let error = open_error(&path, Access::Read);
    assert!(error.to_string().contains("colour"), "{error}");
    assert_eq!(error.class(), ErrorClass::Config);
    std::fs::write(&toml, text.replace("Europe/London", "Europe/Londonium")).unwrap();
    assert!(open_error(&path, Access::Read).to_string().contains("Londonium"));
}

#[test]
fn a_missing_or_foreign_catalogue_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let other = tempfile::tempdir().unwrap();
    let foreign = init(other.path()).join("catalogue.sqlite");
    let mine = path.join("catalogue.sqlite");
    for (make, words) in [
        (
            Box::new(|| std::fs::remove_file(&mine).unwrap()) as Box<dyn Fn()>,
            "missing",
        ),
        (
            Box::new(|| {
                std::fs::write(
                    &mine,
                    "not a database, but long enough to have a header of some bytes ........",
                )
                .unwrap()
            }),
            "SQLite",
        ),
        (
            Box::new(|| assert!(std::fs::copy(&foreign, &mine).unwrap() > 0)),
            "another case",
        ),
    ] {
        make();
        let error = open_error(&path, Access::Read);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.class(), ErrorClass::Corruption);
    }
}

#[test]
fn reading_opens_give_no_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    for access in [Access::Read, Access::Facts] {
        let case = Case::open(&path, access).unwrap();
        assert!(matches!(case.catalogue_writer(), Err(StoreError::ReadOnly { .. })));
        assert!(matches!(case.pack_writer(), Err(StoreError::ReadOnly { .. })));
    }
    assert!(matches!(
        Case::open(&path, Access::Read).unwrap().facts(),
        Err(StoreError::ReadOnly { .. })
    ));
}

#[test]
fn a_case_folder_moves() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest(&open_write(&path), 30, 10, 500).unwrap();
    let moved = folder.path().join("elsewhere");
    std::fs::rename(&path, &moved).unwrap();
    let case = Case::open(&moved, Access::Read).unwrap();
    assert_eq!(case.reader().unwrap().counts().instances, 30);
    ingest(&open_write(&moved), 40, 10, 500).unwrap();
}

#[test]
fn reading_changes_no_file_of_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    ingest(&open_write(&path), 30, 10, 500).unwrap();
    let files = ["case.toml", "catalogue.sqlite", "originals/pack-000001.emp"];
    let read = || files.map(|name| std::fs::read(path.join(name)).unwrap());
    let before = read();
    let case = Case::open(&path, Access::Read).unwrap();
    assert_eq!(case.reader().unwrap().counts().instances, 30);
    let mut originals = case.originals().unwrap();
    assert!(
        !originals
            .item_bytes(embley_model::id::ItemNo(1), &crate::sample::SampleParts)
            .unwrap()
            .is_empty()
    );
    drop((case, originals));
    assert_eq!(read(), before);
}

/// Run as a child by the test below: holds the lock of the case named by the environment until its input ends.
#[test]
fn child_that_holds_the_lock() {
    let Some(path) = std::env::var_os("EMBLEY_TEST_HOLD") else {
        return;
    };
    let case = open_write(std::path::Path::new(&path));
    let mut out = std::io::stdout();
    writeln!(out, "held").unwrap();
    out.flush().unwrap();
    std::io::stdin().lines().for_each(drop);
    drop(case);
}

#[test]
fn a_second_process_is_told_who_holds_the_case_and_readers_are_not_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = init(folder.path());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "case::child_that_holds_the_lock", "--nocapture"])
        .env("EMBLEY_TEST_HOLD", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().contains("held")),
        "the child took the lock"
    );
    let error = open_error(&path, Access::Write(holder()));
    let words = format!("ingest (process {}, since 2020-07-01T12:00:00Z)", child.id());
    assert!(error.to_string().contains(&words), "{error}");
    assert_eq!(error.class(), ErrorClass::Busy);
    Case::open(&path, Access::Read).expect("readers need no lock");
    Case::open(&path, Access::Facts).expect("facts need no lock");
    // A killed holder leaves no lock behind, whatever its line says.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(std::fs::read_to_string(path.join("lock")).unwrap().contains("process"));
    open_write(&path);
}
