//! Evidence that is missing, empty or not what it is called.

use embley_tests::{Site, files, made};

use crate::{text, with_mail};

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
