//! Bad input of each kind: the words and the exit code that a user gets, and a case that is none the worse for it.

use std::path::{Path, PathBuf};

use embley_tests::{Program, Ran, Site, files, made, program};

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

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A site with eight messages in its case.
fn with_mail() -> Site {
    let site = Site::new();
    for number in 1..=8 {
        files::write(
            &site.path(&format!("mail/{number}.eml")),
            made::message(number, &format!("xqword{number}")),
        );
    }
    site.ingest(&[site.path("mail")]).expect(0);
    site
}

#[test]
fn a_missing_file_is_named_with_its_cause() {
    let site = with_mail();
    let before = site.dump();
    let missing = site.path("not-there.mbox");
    site.ingest(&[&missing])
        .expect(4)
        .says(&["no input readable", text(&missing), "No such file"]);
    embley_tests::site::same_text("the case", &before, &site.dump());
}

#[test]
fn a_missing_file_among_others_is_one_exception() {
    let site = Site::new();
    files::write(&site.path("there.eml"), made::message(1, "xqthere"));
    let ran = site.ingest(&[site.path("not-there.mbox"), site.path("there.eml")]);
    ran.expect(3).says(&[
        "1 new",
        "1 excepted",
        "all sums close",
        "embley exceptions --class excepted",
    ]);
    let listed = site
        .ok(&["exceptions", "--class", "excepted", "--format", "json"])
        .json();
    assert_eq!(listed["total"], 1, "{listed}");
    let one = &listed["exceptions"][0];
    assert_eq!(
        (&one["code"], &one["path"]),
        (&"SRC-UNREADABLE".into(), &"not-there.mbox".into())
    );
    assert!(
        one["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("No such file")),
        "{one}"
    );
    assert_eq!(site.count("xqthere"), 1);
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
    ];
    for folder in &folders {
        files::chmod(folder, 0o555);
    }
    let run = |args: &[&str]| as_nobody(&site, &[&["--case", text(&case)], args].concat());
    run(&["ingest", text(&site.path("more.eml"))]).expect(70).says(&[
        "Permission denied",
        text(&case.join("lock")),
        "hint: ",
    ]);
    run(&["reindex"]).expect(70).says(&["Permission denied"]);
    run(&["tag", "add", "x", "1"]).expect(70).says(&["readonly"]);
    assert_eq!(run(&["search", "xqword3", "--count"]).expect(0).text(), "1\n");
    assert_eq!(
        run(&["show", "3", "--raw"]).expect(0).stdout,
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
    run(&["status"])
        .expect(70)
        .says(&["catalogue.sqlite", "Permission denied"]);
    files::chmod(&case, 0o000);
    run(&["status"]).expect(70).says(&["Permission denied"]);
    files::chmod(&case, 0o755);
}

#[test]
fn a_folder_in_place_of_a_file_is_told() {
    let site = with_mail();
    let folder = site.path("mail");
    let name = text(&folder);
    site.run(&["ingest", "--known-hashes", name, name])
        .expect(4)
        .says(&[name, "Is a directory"]);
    site.run(&["ingest", "--manifest", name])
        .expect(4)
        .says(&["manifest", name, "Is a directory"]);
    site.run(&["records", "import", name])
        .expect(4)
        .says(&[name, "is a directory"]);
    site.run(&["tag", "add", "x", "--ids", name])
        .expect(4)
        .says(&[name, "Is a directory"]);
}

#[test]
fn a_folder_where_a_mailbox_was_is_read_as_a_folder() {
    let site = Site::new();
    let inbox = site.path("inbox.mbox");
    files::write(&inbox, made::mailbox(&[made::message(1, "xqbefore")]));
    site.ingest(&[&inbox]).expect(0);
    files::remove(&inbox);
    files::write(&inbox.join("2.eml"), made::message(2, "xqafter"));
    site.ingest(&[&inbox]).expect(0).says(&["all sums close"]);
    assert_eq!((site.count("xqbefore"), site.count("xqafter")), (1, 1));
    site.ok(&["verify", "--deep"]);
}

#[test]
fn an_empty_file_is_kept_and_registered_as_empty() {
    let site = Site::new();
    files::write(&site.path("empty.txt"), "");
    site.ingest(&[site.path("empty.txt")])
        .expect(0)
        .says(&["1 entries found = 1 new"]);
    let status = site.status();
    assert_eq!(status["totals"]["items"]["document"], 1, "{status}");
    assert_eq!(site.hits("*")[0]["searchability"], "empty");
    assert_eq!(site.ok(&["show", "1", "--raw"]).stdout, b"");
    site.ok(&["verify", "--deep"]);
}

#[test]
fn every_mailbox_of_no_bytes_is_in_the_register() {
    let site = Site::new();
    for name in ["a.mbox", "b.mbox"] {
        files::write(&site.path(name), "");
    }
    site.ingest(&[site.path("a.mbox"), site.path("b.mbox")])
        .expect(0)
        .says(&["2 entries found = 1 new + 1 duplicate"]);
    let listed = site.ok(&["exceptions", "--format", "json"]).json();
    let all = listed["exceptions"].as_array().expect("a list");
    for name in ["a.mbox", "b.mbox"] {
        assert!(
            all.iter().any(|one| one["code"] == "BOX-EMPTY" && one["path"] == name),
            "{name}: {listed}"
        );
    }
}

#[test]
fn a_binary_called_mailbox_is_kept_and_said_to_be_none() {
    let site = Site::new();
    let mut dice = embley_tests::Dice::new(7);
    let bytes: Vec<u8> = (0..20_000).map(|_| dice.below(256) as u8).collect();
    files::write(&site.path("fake.mbox"), &bytes);
    site.ingest(&[site.path("fake.mbox")]).expect(0).says(&["1 new"]);
    let hit = site.hits("*").remove(0);
    assert_eq!(
        (&hit["kind"], &hit["searchability"]),
        (&"document".into(), &"format-not-supported".into()),
        "{hit}"
    );
    let defects = hit["defects"].as_array().expect("defects");
    assert!(
        defects.contains(&"BOX-NO-FROM-LINE".into()) && defects.contains(&"TYPE-NOT-SEARCHABLE".into()),
        "{hit}"
    );
    assert_eq!(site.ok(&["show", "1", "--raw"]).stdout, bytes);
    assert_eq!(site.last_run()["not_searchable"]["format-not-supported"], 1);
    let ran = site.run(&["search", "anything"]).expect(1);
    let words = "not searchable: format-not-supported 1";
    assert!(
        ran.stderr.contains(words),
        "an answer says what it could not look into\n{}",
        ran.stderr
    );
}

#[test]
fn a_mailbox_cut_off_in_the_middle_keeps_what_is_there() {
    let site = Site::new();
    let whole = made::mailbox(&[made::message(1, "xqwhole"), made::message(2, "xqcut")]);
    files::write(&site.path("cut.mbox"), &whole[..whole.len() - 20]);
    site.ingest(&[site.path("cut.mbox")])
        .expect(0)
        .says(&["2 new", "all sums close"]);
    assert_eq!(site.count("xqwhole"), 1);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn a_case_of_a_newer_format_is_refused_with_words_everywhere() {
    let site = with_mail();
    let mail = site.path("mail");
    let commands: [&[&str]; 7] = [
        &["status"],
        &["search", "xqword1"],
        &["show", "1"],
        &["ingest", text(&mail)],
        &["verify"],
        &["reindex"],
        &["tag", "list"],
    ];
    let words = [
        "has format 9",
        "reads up to format 1",
        "open the case with a newer embley",
    ];
    let newer = site.copy();
    let settings = newer.case().join("case.toml");
    let before = String::from_utf8(files::read(&settings)).expect("UTF-8");
    files::write(&settings, before.replace("format = 1", "format = 9"));
    for command in commands {
        newer.run(command).expect(2).says(&words).says(&["case.toml"]);
    }
    let newer = site.copy();
    // `PRAGMA user_version` stands at offset 60 of the header, big endian.
    let catalogue = newer.case().join("catalogue.sqlite");
    let mut bytes = files::read(&catalogue);
    bytes[60..64].copy_from_slice(&9_u32.to_be_bytes());
    files::write(&catalogue, bytes);
    for command in commands {
        newer.run(command).expect(2).says(&words).says(&["catalogue.sqlite"]);
    }
}

#[test]
fn an_index_of_another_version_is_refused_and_made_again() {
    let site = with_mail();
    let meta = site.case().join("index/meta.json");
    let text = String::from_utf8(files::read(&meta)).expect("UTF-8");
    let newer = text.replace("\\\"format\\\":1", "\\\"format\\\":9");
    assert_ne!(text, newer);
    files::write(&meta, newer);
    site.run(&["search", "xqword1"])
        .expect(5)
        .says(&["another version", "embley reindex"]);
    site.ok(&["reindex", "--progress", "none"]);
    assert_eq!(site.count("xqword1"), 1);
}

#[test]
fn a_case_in_use_is_said_to_be_and_by_whom() {
    let site = with_mail();
    files::write(&site.path("more.eml"), made::message(9, "xqmore"));
    let mut running = site
        .ingest_program(&[site.path("more.eml")])
        .env("EMBLEY_FAILPOINT", "pack-sync:1:stop")
        .start();
    running.wait_until_halted();
    let process = format!("process {}", running.id());
    for command in [
        &["ingest", text(&site.path("mail"))][..],
        &["reindex"][..],
        &["records", "import", "/dev/null"][..],
    ] {
        site.run(command)
            .expect(6)
            .says(&["is in use by ingest", &process, "hint: "]);
    }
    assert_eq!(site.count("xqword1"), 1, "searching works meanwhile");
    running.signal(rustix::process::Signal::CONT);
    running.wait().expect(0);
    assert_eq!(site.count("xqmore"), 1);
}

#[test]
fn a_damaged_pack_is_noticed_by_whoever_reads_it() {
    let site = with_mail();
    let pack = site.case().join("originals/pack-000001.emp");
    files::flip(&pack, files::read(&pack).len() - 100);
    site.run(&["show", "1", "--raw"])
        .expect(5)
        .says(&["pack-000001.emp", "damaged", "checksum", "embley verify"]);
    let ran = site.run(&["verify", "--deep", "--format", "json"]).expect(1);
    let report = ran.json();
    let findings = report["findings"].as_array().expect("findings");
    assert!(
        findings.iter().any(|one| one["thing"] == "originals/pack-000001.emp"),
        "{report}"
    );
    assert!(
        findings
            .iter()
            .all(|one| one["next"].as_str().is_some_and(|next| !next.is_empty())),
        "{report}"
    );
    // What does not need the pack goes on, and a hit says why it has no snippet.
    assert_eq!(site.count("xqword1"), 1);
    let hit = site.ok(&["search", "xqword1", "--format", "jsonl"]).lines().remove(0);
    assert!(
        hit["snippet_error"]
            .as_str()
            .is_some_and(|why| why.contains("checksum")),
        "{hit}"
    );
}

#[test]
fn a_pack_that_is_cut_or_gone_is_noticed_before_anything_is_added() {
    for gone in [false, true] {
        let site = with_mail();
        files::write(&site.path("more.eml"), made::message(9, "xqmore"));
        let pack = site.case().join("originals/pack-000001.emp");
        if gone {
            files::remove(&pack);
        } else {
            files::write(&pack, &files::read(&pack)[..100]);
        }
        site.run(&["verify"]).expect(1);
        site.run(&["show", "1", "--raw"]).expect(5).says(&["pack-000001.emp"]);
        site.ingest(&[site.path("more.eml")])
            .expect(5)
            .says(&["pack-000001.emp", "damaged"]);
    }
}

#[test]
fn a_damaged_index_is_noticed_and_made_again() {
    let site = with_mail();
    let file = |ending: &str| {
        let all = files::entries(&site.case().join("index"));
        all.into_iter()
            .find(|path| text(path).ends_with(ending))
            .expect("a file of the index")
    };
    // A changed byte: the checksum tells.
    for ending in [".term", ".idx", ".pos", ".fast"] {
        let path = file(ending);
        let before = files::read(&path);
        files::flip(&path, before.len() / 3);
        let ran = site.run(&["verify", "--format", "json"]).expect(1);
        let report = ran.json();
        let finding = &report["findings"][0];
        assert_eq!(finding["thing"], "index", "{report}");
        assert!(
            finding["place"].as_str().is_some_and(|place| place.ends_with(ending)),
            "{report}"
        );
        assert_eq!(finding["next"], "embley reindex", "{report}");
        files::write(&path, before);
    }
    site.ok(&["verify"]);
    // A missing file, a file cut short, and a list of files that is none: nobody gets an answer from them.
    let path = file(".term");
    let before = files::read(&path);
    files::remove(&path);
    site.run(&["search", "xqword1"])
        .expect(5)
        .says(&["index", "missing", "embley reindex"]);
    files::write(&path, &before[..before.len() / 2]);
    site.run(&["search", "xqword1"])
        .expect(5)
        .says(&["index", "embley reindex"]);
    site.run(&["verify"]).expect(1);
    files::write(&path, &before);
    let meta = site.case().join("index/meta.json");
    files::write(&meta, "{\"segments\": 1");
    let ran = site
        .run(&["search", "xqword1"])
        .expect(5)
        .says(&["meta.json", "damaged", "embley reindex"]);
    assert!(
        ran.stderr.len() < 1_000,
        "a message for people, not the whole file\n{}",
        ran.stderr
    );
    site.ingest(&[site.path("mail")]).expect(5).says(&["meta.json"]);
    site.ok(&["reindex", "--progress", "none"]);
    assert_eq!(site.count("xqword1"), 1);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn a_damaged_catalogue_is_said_to_be_damaged() {
    let site = with_mail();
    let catalogue = site.case().join("catalogue.sqlite");
    let before = files::read(&catalogue);
    files::write(&catalogue, vec![0; 100]);
    site.run(&["status"])
        .expect(5)
        .says(&["catalogue.sqlite", "does not begin as an SQLite database"]);
    files::write(&catalogue, "");
    site.run(&["status"]).expect(5).says(&["catalogue.sqlite", "too short"]);
    files::remove(&catalogue);
    site.run(&["status"]).expect(5).says(&["catalogue.sqlite", "missing"]);
    let mut holed = before.clone();
    holed[8_192 * 2..8_192 * 6].fill(0xAA);
    files::write(&catalogue, holed);
    let ran = site.run(&["verify", "--deep"]);
    assert!(matches!(ran.code, Some(1 | 5)), "{ran:?}");
    files::write(&catalogue, before);
    site.ok(&["verify", "--deep"]);
}

#[test]
fn a_file_of_another_case_is_refused() {
    let (one, other) = (with_mail(), with_mail());
    let catalogue = "catalogue.sqlite";
    files::write(&one.case().join(catalogue), files::read(&other.case().join(catalogue)));
    one.run(&["status"]).expect(5).says(&[catalogue]);
}

#[test]
fn what_is_no_case_is_told_how_to_become_one() {
    let site = Site::bare();
    files::make_folder(&site.path("folder"));
    for name in ["folder", "nothing"] {
        let path = site.path(name);
        Program::new(&["--case", text(&path), "status"]).run().expect(2).says(&[
            text(&path),
            "is not a case",
            "embley init",
        ]);
    }
    Program::new(&["status"])
        .from(site.root())
        .run()
        .expect(2)
        .says(&["no case given", "--case"]);
    site.init();
    Program::new(&["status"])
        .from(&site.case().join("originals"))
        .run()
        .expect(0);
    Program::new(&["init", text(site.case()), "--name", "again"])
        .run()
        .expect(2)
        .says(&[text(site.case()), "cannot make a case"]);
}

#[test]
fn a_fault_in_a_query_is_pointed_at() {
    let site = with_mail();
    // Query, words, and the character (from 0) under which the mark begins.
    for (query, words, at) in [
        ("sbject:fraud", "no field is called `sbject`", 0),
        ("alpha AND (beta", "not closed", 10),
        ("alpha AND defect:NOPE", "no defect code is called `NOPE`", 17),
        ("type:bogus", "no type is called `bogus`", 5),
        ("has:bogus", "no property is called `bogus`", 4),
        ("date:2020-13-45", "there is no date 2020-13-45", 5),
        ("äöü AND sbject:x", "no field is called `sbject`", 8),
        ("", "the query is empty", 0),
    ] {
        for command in [
            &["search", query][..],
            &["search", "--count", query][..],
            &["tag", "add", "x", "--query", query][..],
        ] {
            let ran = site.run(command).expect(2).says(&[words]);
            let lines: Vec<&str> = ran.stderr.lines().collect();
            let mark = lines
                .iter()
                .position(|line| line.trim_start().starts_with('^'))
                .expect("a mark");
            assert_eq!(lines[mark - 1], format!("  {query}"), "{}", ran.stderr);
            assert_eq!(lines[mark].find('^'), Some(at + 2), "{query}\n{}", ran.stderr);
        }
    }
    assert_eq!(
        site.ok(&["tag", "list", "--format", "json"]).json()["tags"],
        serde_json::json!([])
    );
}

#[test]
fn unknown_words_of_other_commands_are_answered_with_the_known_ones() {
    let site = with_mail();
    site.run(&["exceptions", "--class", "terrible"])
        .expect(2)
        .says(&["terrible", "note, warning, loss, excepted"]);
    site.run(&["search", "x", "--facets", "colour"])
        .expect(2)
        .says(&["colour", "custodian"]);
    site.run(&["show", "9999"]).expect(2).says(&["there is no item 9999"]);
    site.run(&["show", "zzz"])
        .expect(2)
        .says(&["zzz", "neither an item number nor an item id"]);
    site.run(&["exhibit", "add", "no reference", "1"])
        .expect(2)
        .says(&["no reference"]);
    site.run(&["runs", "show", "run:77"]).expect(2).says(&["run:0077"]);
    site.run(&["timeline", "X/1", "--from", "yesterday"])
        .expect(2)
        .says(&["yesterday", "YYYY-MM-DD"]);
    site.run(&["frobnicate"]).expect(2).says(&["frobnicate"]);
    site.run(&["ingest"]).expect(2);
    site.run(&["ingest", "--memory", "1T", "x"])
        .expect(2)
        .says(&["unknown unit"]);
    Program::new(&["init", text(&site.path("zoned")), "--name", "x", "--zone", "Mars/Base"])
        .run()
        .expect(2)
        .says(&["Mars/Base"]);
}

#[test]
fn two_sources_of_one_name_are_not_mixed_up() {
    let site = Site::new();
    for folder in ["a", "b"] {
        files::write(
            &site.path(&format!("{folder}/inbox.mbox")),
            made::mailbox(&[made::message(1, "xqone")]),
        );
    }
    let sources = [site.path("a/inbox.mbox"), site.path("b/inbox.mbox")];
    site.ingest(&sources)
        .expect(2)
        .says(&["would both be called", "inbox.mbox", "--label"]);
}
