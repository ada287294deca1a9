//! Which items an export holds, and which it does not.

use embley_tests::{Site, files};

use super::scene::{self, export, export_program, exported, listing, record, text};

/// The item numbers of a list.
fn items(site: &Site, name: &str, options: &[&str]) -> Vec<u64> {
    let mut all = options.to_vec();
    all.extend(["--as", "jsonl"]);
    let out = exported(site, name, &all);
    let lines = text(&out, "items.jsonl");
    let number = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["item_no"].as_u64();
    lines.lines().filter_map(number).collect()
}

#[test]
fn families_come_whole_on_request_and_members_know_each_other() {
    let site = scene::scene();
    assert_eq!(items(&site, "part", &["--query", "filename:dot"]), [3]);
    assert_eq!(
        items(&site, "whole", &["--query", "filename:dot", "--families"]),
        [1, 2, 3, 4]
    );
    assert_eq!(items(&site, "inner", &["--query", "inner", "--families"]), [6, 7]);
    let out = exported(&site, "csv", &["--query", "filename:dot", "--families", "--as", "csv"]);
    let list = text(&out, "items.csv");
    let rows: Vec<&str> = list.lines().skip(1).collect();
    assert!(
        rows[0].starts_with("DOC0000001,DOC0000001,DOC0000001,DOC0000004,,"),
        "{}",
        rows[0]
    );
    assert!(
        rows[2].starts_with("DOC0000003,DOC0000003,DOC0000001,DOC0000004,DOC0000001,"),
        "{}",
        rows[2]
    );
    // Without its family an attachment stands alone, and names no parent that is not there.
    let out = exported(&site, "alone", &["--query", "filename:dot", "--as", "csv"]);
    let list = text(&out, "items.csv");
    assert!(
        list.lines()
            .nth(1)
            .expect("a row")
            .starts_with("DOC0000001,DOC0000001,DOC0000001,DOC0000001,,"),
        "{list}"
    );
}

#[test]
fn exhibits_and_tags_are_exported_by_name_and_unknown_ones_refused() {
    let site = scene::scene();
    site.ok(&["exhibit", "add", "AB/1", "5", "8"]);
    site.ok(&["tag", "add", "odd * (name)?", "8"]);
    assert_eq!(items(&site, "exhibit", &["--exhibit", "ab/01"]), [5, 8]);
    assert_eq!(items(&site, "tag", &["--tag", "odd * (name)?"]), [8]);
    let (ran, out) = export(&site, "none", &["--exhibit", "AB/2", "--as", "csv"]);
    ran.expect(2).says(&["AB/2"]);
    assert!(!out.exists());
    let (ran, _) = export(&site, "none", &["--tag", "nothing", "--as", "csv"]);
    ran.expect(2).says(&["nothing"]);
    let (ran, _) = export(&site, "none", &["--query", "(fraud", "--as", "csv"]);
    ran.expect(2).says(&["^"]);
}

#[test]
fn what_may_be_privileged_does_not_slip_in() {
    let site = scene::scene();
    // One attachment is marked: the message whose original holds it stays out too.
    site.ok(&["privilege", "mark", "legal", "4"]);
    for (form, options) in [
        ("csv", &["--query", "*"][..]),
        ("dat", &["--query", "fraud", "--families"]),
        ("native", &["--query", "privilege:legal OR fraud"]),
        ("html", &["--query", "*", "--level", "family", "--families"]),
        ("case-uco", &["--query", "*"]),
        ("pdf", &["--query", "*"]),
    ] {
        let mut all = options.to_vec();
        all.extend(["--as", form]);
        let out = exported(&site, form, &all);
        for name in listing(&out) {
            let bytes = files::read(&out.join(&name));
            let holds = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(
                !holds("informant") && !holds("secret.txt") && !holds("HYPERLINK"),
                "{form}: {name}"
            );
        }
        let record = record(&out);
        let reasons: Vec<&str> = record["left_out"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["reason"].as_str())
            .collect();
        assert!(!reasons.is_empty(), "{record}");
        assert!(listing(&out).len() > 3, "{form} holds something");
    }
    // Asked for by name, by somebody whom the case names for it.
    let ask = ["--query", "*", "--privileged", "legal"];
    let (ran, _) = export(&site, "not", &[&ask[..], &["--as", "csv"]].concat());
    ran.expect(2).says(&["privilege reviewers", "tester"]);
    let case = site.case().join("case.toml");
    let mut config = String::from_utf8(files::read(&case)).expect("text");
    config.push_str("\n[settings]\nprivilege_reviewers = [\"tester\"]\n");
    files::write(&case, config);
    assert_eq!(items(&site, "reviewer", &ask).len(), 9);
    let (ran, _) = export(
        &site,
        "wrong",
        &["--query", "*", "--privileged", "other", "--as", "csv"],
    );
    ran.expect(2).says(&["other"]);
    // With roles in force the list of the case counts for nothing: a privilege reviewer may, and nobody else.
    site.ok(&["user", "add", "tester", "--role", "administrator"]);
    site.ok(&["user", "add", "pat", "--role", "privilege-reviewer"]);
    let (ran, _) = export(&site, "admin", &[&ask[..], &["--as", "csv"]].concat());
    ran.expect(2).says(&["privilege-reviewer"]);
    let (program, out) = export_program(&site, "pat", &[&ask[..], &["--as", "csv"]].concat());
    program.env("EMBLEY_USER", "pat").run().expect(0);
    assert_eq!(record(&out)["counts"]["items"], 9);
}

#[test]
fn a_copy_of_what_may_be_privileged_stays_out_too() {
    let site = scene::scene();
    let copy = embley_tests::made::entry(
        b"Message-ID: <9@mail.example>\nDate: Thu, 9 Jan 2020 10:00:00 +0000\nFrom: oak@mail.example\nSubject: copy\nMIME-Version: 1.0\n\
          Content-Type: multipart/mixed; boundary=d\n\n--d\nContent-Type: text/plain\n\nHello.\n--d\nContent-Type: text/plain; name=harmless.txt\n\
          Content-Disposition: attachment; filename=harmless.txt\n\nThe informant is J.\n--d--\n",
    );
    files::write(&site.path("copy.mbox"), copy);
    site.ingest(&[site.path("copy.mbox").as_os_str()]).expect(0);
    assert_eq!(items(&site, "before", &["--query", "*"]).len(), 11);
    site.ok(&["privilege", "mark", "legal", "4"]);
    assert_eq!(items(&site, "after", &["--query", "*"]), [5, 6, 7, 8, 9]);
}

/// Whoever exports may see neither the original (its family is in quarantine) nor that it is marked, and its copy stays out all the same.
#[test]
fn a_copy_of_a_marked_item_that_is_hidden_stays_out_of_exports_and_of_an_mg6c() {
    let site = scene::scene();
    let copy = |number: u32, name: &str, words: &str| {
        embley_tests::made::entry(
            format!(
                "Message-ID: <{number}@mail.example>\nDate: Thu, 9 Jan 2020 10:00:00 +0000\nFrom: oak@mail.example\nSubject: copy\n\
                 MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=d\n\n--d\nContent-Type: text/plain\n\nHello.\n--d\n\
                 Content-Type: text/plain; name={name}\nContent-Disposition: attachment; filename={name}\n\n{words}\n--d--\n"
            )
            .as_bytes(),
        )
    };
    files::write(&site.path("copy.mbox"), copy(9, "harmless.txt", "The informant is J."));
    files::write(
        &site.path("other.mbox"),
        copy(10, "dull.txt", "Inner words of no note."),
    );
    files::write(&site.path("third.mbox"), copy(11, "tea.txt", "Inner words of no note."));
    for name in ["copy.mbox", "other.mbox", "third.mbox"] {
        site.ingest(&[site.path(name).as_os_str()]).expect(0);
    }
    // Items: 1 to 4 a family, 5, 6 and 7, 8, 9, 10 with 11 (a copy of 4), 12 with 13, 14 with 15 (a copy of 13).
    site.ok(&["privilege", "mark", "legal", "4"]);
    site.ok(&["disclosure", "set", "unused", "--query", "*"]);
    site.ok(&["disclosure", "set", "sensitive", "13", "--reason", "names a source"]);
    site.ok(&["user", "add", "tester", "--role", "administrator"]);
    site.ok(&["user", "add", "pat", "--role", "privilege-reviewer"]);
    for args in [
        &["privilege", "add-terms", "item:1 OR item:12"][..],
        &["privilege", "screen"],
    ] {
        site.program(args).env("EMBLEY_USER", "pat").run().expect(0);
    }
    assert_eq!(items(&site, "after", &["--query", "*"]), [5, 6, 7, 8, 9, 14, 15]);
    let out = exported(&site, "native", &["--query", "*", "--as", "native"]);
    let record = record(&out);
    assert_eq!(
        (&record["left_out"][0]["reason"], &record["left_out"][0]["items"]),
        (&"privileged".into(), &1.into()),
        "{record}"
    );
    for name in listing(&out) {
        let bytes = files::read(&out.join(&name));
        assert!(!bytes.windows(9).any(|window| window == b"informant"), "{name}");
    }
    let ran = site.ok(&["schedule", "mg6c", "--format", "json"]);
    let (said, text) = (ran.stderr.clone(), ran.json().to_string());
    assert!(!text.contains("tea.txt") && !text.contains("harmless.txt"), "{text}");
    assert!(
        said.contains("1 unused items are not listed: they have the same bytes"),
        "{said}"
    );
}

#[test]
fn an_archive_stays_out_for_what_lies_in_it() {
    let site = Site::new();
    let source = site.path("files");
    let archive = zip_of("secret.txt", b"The informant is J.");
    files::write(&source.join("a.txt"), "plain words");
    files::write(&source.join("b.zip"), &archive);
    files::write(
        &source.join("c.eml"),
        embley_tests::packed::mail(
            "c@mail.example",
            "see the archive",
            &[("d.zip", "application/zip", &archive)],
        ),
    );
    site.ingest(&[source.as_os_str()]).expect(0);
    assert_eq!(items(&site, "before", &["--query", "*"]).len(), 5);
    let member = site.hits("informant")[0]["item_no"]
        .as_u64()
        .expect("a number")
        .to_string();
    site.ok(&["disclosure", "set", "unused", "--query", "*"]);
    site.ok(&["disclosure", "set", "sensitive", &member, "--reason", "names a source"]);
    let draft = site.ok(&["schedule", "mg6c", "--format", "json"]).json();
    assert_eq!(draft["entries"].as_array().map(Vec::len), Some(1), "{draft}");
    site.ok(&["privilege", "mark", "legal", &member]);
    let out = exported(&site, "native", &["--query", "*", "--as", "native"]);
    assert_eq!(record(&out)["counts"]["items"], 1, "{}", record(&out));
    let left: Vec<(String, u64)> = record(&out)["left_out"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (
                one["reason"].as_str().unwrap_or("").to_owned(),
                one["items"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    assert_eq!(
        left,
        [("privileged".to_owned(), 1), ("family-of-privileged".to_owned(), 3)]
    );
}

#[test]
fn an_export_says_what_could_not_be_searched_and_what_has_no_original() {
    let site = Site::new();
    let source = site.path("files");
    files::write(&source.join("a.txt"), "plain words");
    files::write(&source.join("b.zip"), zip_of("inner.txt", b"inner words"));
    site.ingest(&[source.as_os_str()]).expect(0);
    let before = items(&site, "all", &["--query", "*"]);
    files::write(&source.join("b.zip"), "changed");
    let out = exported(&site, "native", &["--query", "*", "--as", "native"]);
    let record = record(&out);
    assert_eq!(record["counts"]["items"], before.len());
    let left: Vec<&serde_json::Value> = record["left_out"].as_array().expect("a list").iter().collect();
    assert_eq!(left.len(), 1, "{record}");
    assert_eq!(
        (&left[0]["reason"], &left[0]["items"]),
        (&"no-original".into(), &1.into())
    );
    let list = text(&out, "left-out.csv");
    assert!(list.contains("no-original"), "{list}");
    assert_eq!(record["counts"]["natives"].as_u64(), Some(before.len() as u64 - 1));
}

fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer
        .start_file(name, zip::write::SimpleFileOptions::default())
        .expect("begun");
    writer.write_all(bytes).expect("written");
    writer.finish().expect("finished").into_inner()
}
