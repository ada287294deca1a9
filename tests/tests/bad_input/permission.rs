//! Files, folders and cases that may not be read or written. Where the tests run as root, the program runs as nobody.

use std::path::{Path, PathBuf};

use embley_tests::{Program, Ran, Site, files, made, program};

use crate::{text, with_mail};

/// The user `nobody`, whom permissions hold back also where the tests run as root.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A copy of the program that other users reach, whatever the folders above the built one allow.
fn reachable_binary(site: &Site) -> PathBuf {
    let copy = site.path("embley");
    if std::fs::hard_link(program::binary(), &copy).is_err() {
        std::fs::copy(program::binary(), &copy).expect("the program can be copied");
    }
    copy
}

/// Runs the program as somebody whom file permissions bind.
fn as_nobody(site: &Site, args: &[&str]) -> Ran {
    let program = Program::at(&reachable(site), args);
    if is_root() {
        program.as_user(NOBODY).run()
    } else {
        program.run()
    }
}

fn reachable(site: &Site) -> PathBuf {
    let copy = site.path("embley");
    if copy.is_file() { copy } else { reachable_binary(site) }
}

/// Hands a folder with all that is in it to nobody.
fn give_away(folder: &Path) {
    if is_root() {
        std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).expect("root may give files away");
        for path in files::entries(folder) {
            if path.is_dir() {
                give_away(&path);
            } else {
                std::os::unix::fs::chown(&path, Some(NOBODY), Some(NOBODY)).expect("root may give files away");
            }
        }
    }
}

#[test]
fn a_file_without_permission_is_named_with_its_cause() {
    let site = Site::bare();
    let home = site.path("home");
    files::make_folder(&home);
    let secret = site.path("secret.eml");
    files::write(&secret, made::message(1, "xqsecret"));
    files::write(&site.path("open.eml"), made::message(2, "xqopen"));
    files::chmod(&secret, 0o000);
    give_away(&home);
    let case = home.join("case");
    as_nobody(&site, &["init", text(&case), "--name", "Test"]).expect(0);
    let ingest = |sources: &[&Path]| {
        let mut args = vec!["--case", text(&case), "ingest", "--progress", "none"];
        args.extend(sources.iter().map(|path| text(path)));
        as_nobody(&site, &args)
    };
    ingest(&[&secret])
        .expect(4)
        .says(&["no input readable", text(&secret), "Permission denied"]);
    ingest(&[&secret, &site.path("open.eml")])
        .expect(3)
        .says(&["1 new", "1 excepted"]);
    let listed = as_nobody(
        &site,
        &[
            "--case",
            text(&case),
            "exceptions",
            "--class",
            "excepted",
            "--format",
            "json",
        ],
    )
    .json();
    let detail = listed["exceptions"][0]["detail"].as_str().expect("a detail");
    assert!(detail.contains("Permission denied"), "{listed}");
}

#[test]
fn a_folder_without_permission_is_one_exception() {
    let site = Site::bare();
    let home = site.path("home");
    files::make_folder(&home);
    give_away(&home);
    files::write(&site.path("mail/closed/1.eml"), made::message(1, "xqclosed"));
    files::write(&site.path("mail/open/2.eml"), made::message(2, "xqopen"));
    files::chmod(&site.path("mail/closed"), 0o000);
    let case = home.join("case");
    as_nobody(&site, &["init", text(&case), "--name", "Test"]).expect(0);
    let ran = as_nobody(
        &site,
        &[
            "--case",
            text(&case),
            "ingest",
            "--progress",
            "none",
            text(&site.path("mail")),
        ],
    );
    ran.expect(3).says(&["1 new", "1 excepted", "all sums close"]);
    files::chmod(&site.path("mail/closed"), 0o755);
}

#[test]
fn a_case_that_cannot_be_written_says_so_and_is_still_searched() {
    let site = with_mail();
    files::write(&site.path("more.eml"), made::message(9, "xqmore"));
    let case = site.case().to_owned();
    for path in files::all_files(&case) {
        files::chmod(&path, 0o444);
    }
    let folders = [
        case.clone(),
        case.join("index"),
        case.join("originals"),
        case.join("runs"),
        case.join("audit"),
    ];
    for folder in &folders {
        files::chmod(folder, 0o555);
    }
    let run = |args: &[&str]| as_nobody(&site, &[&["--case", text(&case)], args].concat());
    let log = case.join("audit/lock");
    for changing in [
        &["ingest", text(&site.path("more.eml"))][..],
        &["reindex"][..],
        &["tag", "add", "x", "1"][..],
    ] {
        run(changing)
            .expect(70)
            .says(&["Permission denied", text(&log), "cannot be changed from here", "hint: "]);
        run(&[changing, &["--no-audit"]].concat())
            .expect(2)
            .says(&["--no-audit is for looking only"]);
    }
    let looking = ["search", "xqword3", "--count"];
    run(&looking)
        .expect(70)
        .says(&["Permission denied", text(&log), "give --no-audit"]);
    let searched = run(&[&looking[..], &["--no-audit"]].concat()).expect(0);
    assert_eq!(searched.text(), "1\n");
    searched.says(&["not recorded"]);
    for (asked, format) in [
        (&["search", "xqword3"][..], "json"),
        (&["search", "xqword3"][..], "jsonl"),
        (&["status"][..], "json"),
        (&["tag", "list"][..], "json"),
        (&["verify"][..], "json"),
        (&["audit", "verify"][..], "json"),
        (&["audit", "list", "--limit", "1"][..], "jsonl"),
    ] {
        let answer = run(&[asked, &["--no-audit", "--format", format]].concat()).expect(0);
        assert_eq!(answer.json()["recorded"], false, "{asked:?}");
        answer.says(&["not recorded"]);
    }
    assert_eq!(run(&["show", "3", "--no-audit"]).expect(0).json()["recorded"], false);
    assert_eq!(
        run(&["show", "3", "--raw", "--no-audit"]).expect(0).stdout,
        made::message(3, "xqword3")
    );
    run(&["init", text(&case.join("inner")), "--name", "x"])
        .expect(70)
        .says(&["Permission denied"]);
    for folder in &folders {
        files::chmod(folder, 0o755);
    }
    for path in files::all_files(&case) {
        files::chmod(&path, 0o644);
    }
    site.run(&["search", "xqword3", "--no-audit"])
        .expect(2)
        .says(&["looks at it are recorded"]);
    site.ok(&["verify", "--deep"]);
    site.ingest(&[site.path("more.eml")]).expect(0);
    assert_eq!(site.count("xqmore"), 1);
}

#[test]
fn a_case_that_cannot_be_read_is_not_called_damaged_or_missing() {
    let site = with_mail();
    let case = site.case().to_owned();
    let run = |args: &[&str]| as_nobody(&site, &[&["--case", text(&case)], args].concat());
    files::chmod(&case.join("catalogue.sqlite"), 0o000);
    run(&["status", "--no-audit"])
        .expect(70)
        .says(&["catalogue.sqlite", "Permission denied"]);
    files::chmod(&case, 0o000);
    run(&["status"]).expect(70).says(&["Permission denied"]);
    files::chmod(&case, 0o755);
}
