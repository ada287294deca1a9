//! Cases that are damaged, of another version, or in use.

use embley_tests::{files, made};

use crate::{text, with_mail};

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
        let words = [
            "has format 9",
            "reads up to format 2",
            "open the case with a newer embley",
            "catalogue.sqlite",
        ];
        newer.run(command).expect(2).says(&words);
    }
}

#[test]
fn an_index_of_another_version_is_refused_and_made_again() {
    let site = with_mail();
    let meta = site.case().join("index/meta.json");
    let text = String::from_utf8(files::read(&meta)).expect("UTF-8");
    let newer = text.replace("\\\"format\\\":3", "\\\"format\\\":9");
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
    // An index cannot be made of it, and the one there is stays.
    site.run(&["reindex", "--progress", "none"])
        .expect(5)
        .says(&["pack-000001.emp", "checksum"]);
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
