//! Quarantine against those who change something: what was done to items before they were hidden cannot be found out, reached or brought to
//! light by doing more; and copies of what a term hits are hidden with it.

use embley_tests::{Ran, Site, files};

/// What stands in hidden items, or was typed about them alone.
const TRACES: [&str; 4] = ["zyxquorble", "brummelstoat", "ottergloam", "brokkelsnip"];

fn by(site: &Site, who: &str, args: &[&str]) -> Ran {
    site.program(args).env("EMBLEY_USER", who).run()
}

fn message(number: u32, subject: &str, file: Option<(&str, &str)>) -> Vec<u8> {
    let head = format!(
        "Message-ID: <{number}@mail.example>\nDate: Mon, 6 Jan 2020 10:{number:02}:00 +0000\nFrom: Ash Birch <ash.birch@mail.example>\n\
         To: Rowan Elm <rowan.elm@mail.example>\nSubject: {subject}\n"
    );
    let body = match file {
        None => format!("\nThe rota of week {number} is in the usual place.\n"),
        Some((name, words)) => format!(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nThe rota, see the file {number}.\n\
             --b\nContent-Type: text/plain; name={name}\nContent-Disposition: attachment; filename={name}\n\n{words}\n--b--\n"
        ),
    };
    (head + &body).into_bytes()
}

/// Items 1 to 4 stay in sight; 5 is for a term.
fn site() -> Site {
    let site = Site::new();
    for number in 1..5 {
        files::write(&site.path(&format!("one/{number}.eml")), message(number, "rota", None));
    }
    files::write(&site.path("one/5.eml"), message(5, "rota zyxquorble", None));
    site.ingest(&[site.path("one").as_os_str()]).expect(0);
    for (name, role) in [
        ("ann", "administrator"),
        ("pat", "privilege-reviewer"),
        ("ivo", "investigator"),
        ("exo", "exhibit-officer"),
    ] {
        by(&site, "ann", &["user", "add", name, "--role", role]).expect(0);
    }
    site
}

fn screen(site: &Site, terms: &[&str]) -> Ran {
    for term in terms {
        by(site, "pat", &["privilege", "add-terms", term]).expect(0);
    }
    by(site, "pat", &["privilege", "screen"]).expect(0)
}

fn ingest(site: &Site, folder: &str) {
    let source = site.path(folder).display().to_string();
    by(site, "ann", &["ingest", "--progress", "none", &source]).expect(0);
}

fn traces(ran: &Ran) -> Vec<&'static str> {
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr).to_lowercase();
    TRACES.into_iter().filter(|trace| said.contains(trace)).collect()
}

fn count(site: &Site, who: &str, query: &str) -> u64 {
    let ran = by(site, who, &["search", "--count", query]);
    ran.text().trim().parse().expect("a number")
}

#[test]
fn changes_made_before_items_were_hidden_cannot_be_reached_by_more_changes() {
    let site = site();
    // Events 1 to 7.
    for made in [
        &["tag", "add", "hot", "--query", "rota"][..],
        &["tag", "add", "ottergloam", "5", "--note", "Brummelstoat"],
        &[
            "tag",
            "set",
            "temper",
            "--tag",
            "hot",
            "--tag",
            "warm",
            "--exclusive",
            "yes",
        ],
        &["tag", "add", "warm", "4", "5"],
        &["tag", "add", "pair", "1", "5"],
        &["tag", "add", "other", "2", "5"],
        &["tag", "colour", "ottergloam", "red"],
        &["privilege", "mark", "ottergloam", "5"],
        &["review", "set", "ottergloam", "5"],
        &["exhibit", "add", "AB/1", "5", "1", "--produced-by", "Ash Birch"],
        &[
            "exhibit",
            "add",
            "AB/1",
            "5",
            "--produced-by",
            "Ash Birch",
            "--quote",
            "week 5",
        ],
        &[
            "exhibit",
            "add",
            "AB/2",
            "5",
            "--produced-by",
            "Ann Brummelstoat",
            "--description",
            "zyxquorble",
        ],
        &["exhibit", "add", "S+", "5", "--description", "zyxquorble"],
        &["exhibit", "add", "S+", "5", "--description", "zyxquorble"],
        &[
            "batch",
            "create",
            "first",
            "--query",
            "*",
            "--size",
            "3",
            "--form",
            "relevance",
        ],
    ] {
        by(&site, "ann", made).expect(0);
    }
    screen(&site, &["zyxquorble"]);

    // What is about hidden items alone is not there, whatever is done to it.
    let refused: &[(&str, &[&str], &str)] = &[
        ("ivo", &["tag", "undo", "2"], "there is no event of a tag 2"),
        (
            "ivo",
            &["tag", "remove", "ottergloam", "--query", "rota"],
            "there is no tag \"ottergloam\"",
        ),
        (
            "ivo",
            &["tag", "remove", "never", "--query", "rota"],
            "there is no tag \"never\"",
        ),
        (
            "ivo",
            &["tag", "set", "more", "--without", "ottergloam"],
            "there is no tag \"ottergloam\"",
        ),
        (
            "ivo",
            &["privilege", "unmark", "ottergloam", "--query", "rota"],
            "there is no",
        ),
        (
            "exo",
            &["exhibit", "remove", "AB/1", "--part", "1", "--note", "x"],
            "there is no part 1",
        ),
        ("exo", &["exhibit", "add", "S1", "1"], "S1 is not free"),
        (
            "exo",
            &["exhibit", "add", "AB/2", "1", "--produced-by", "Ann Brummelstoat"],
            "AB/2 is not free",
        ),
    ];
    for (who, args, words) in refused {
        let ran = by(&site, who, args);
        let typed = args.join(" ").to_lowercase();
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{args:?}: {ran:?}");
        assert!(
            traces(&ran).iter().all(|trace| typed.contains(trace)),
            "{args:?}: {ran:?}"
        );
    }
    // Of what is about others too, the visible part alone is spoken of.
    let said: &[(&str, &[&str], &str)] = &[
        (
            "ivo",
            &["tag", "undo", "4"],
            "event 4 is taken back for 1 items; 0 were",
        ),
        (
            "ivo",
            &["tag", "remove", "pair", "--query", "*"],
            "taken off 1 items, 0 carry it now",
        ),
        (
            "exo",
            &["exhibit", "add", "AB/3", "1", "--produced-by", "X Y"],
            "1 in it now",
        ),
        ("exo", &["exhibit", "add", "AB/2", "1"], "1 in it now"),
        ("exo", &["exhibit", "add", "S+", "1"], "S3"),
    ];
    for (who, args, words) in said {
        let ran = by(&site, who, args).expect(0);
        assert!(ran.stderr.contains(words), "{args:?}: {ran:?}");
        assert_eq!(traces(&ran), Vec::<&str>::new(), "{args:?}: {ran:?}");
    }
    // Nothing but what is hidden is left of the change: that is nothing.
    let ran = by(&site, "ivo", &["tag", "undo", "5"]).expect(2);
    assert!(ran.stderr.contains("nothing left to undo"), "{ran:?}");
    let ran = by(&site, "ivo", &["tag", "add", "pair", "2"]).expect(0);
    assert!(ran.stderr.contains("1 carry it now"), "{ran:?}");
    by(&site, "ivo", &["tag", "remove", "pair", "2"]).expect(0);
    let ran = by(
        &site,
        "ivo",
        &[
            "tag",
            "set",
            "duo",
            "--tag",
            "pair",
            "--tag",
            "other",
            "--exclusive",
            "yes",
        ],
    )
    .expect(2);
    assert!(
        !ran.stderr.contains("item 5") && ran.stderr.contains("kept from you"),
        "{ran:?}"
    );
    // And no list shows more than before.
    for args in [
        &["journal", "--all", "--format", "json"][..],
        &["tag", "list", "--format", "json"],
        &["tag", "history", "--format", "json"],
        &["exhibit", "list", "--format", "json"],
        &["exhibit", "show", "AB/2", "--format", "json"],
        &["exhibit", "history", "AB/2", "--format", "json"],
        &["exhibit", "label", "--all"],
        &["review", "list", "--format", "json"],
        &["privilege", "list", "--format", "json"],
    ] {
        let ran = by(&site, "exo", args);
        assert_eq!(traces(&ran), Vec::<&str>::new(), "{args:?}: {ran:?}");
    }
    // A batch with a hidden item is finished when what is seen of it is coded.
    by(&site, "ivo", &["batch", "checkout", "2"]).expect(0);
    let ran = by(&site, "ivo", &["batch", "done", "2"]).expect(2);
    assert!(
        ran.stderr.contains("1 items of batch 2") && ran.stderr.contains("item 4"),
        "{ran:?}"
    );
    let coding = [
        "coding",
        "set",
        "--form",
        "relevance",
        "--answer",
        "relevance=relevant",
        "--answer",
        "privilege=no",
    ];
    by(&site, "ivo", &[&coding[..], &["--batch", "2", "4"]].concat()).expect(0);
    by(&site, "ivo", &["batch", "done", "2"]).expect(0);
    // It is all there for those who may see it, and for the checks.
    let ran = by(
        &site,
        "pat",
        &[
            "exhibit",
            "show",
            "AB/2",
            "--produced-by",
            "Ann Brummelstoat",
            "--format",
            "json",
        ],
    )
    .expect(0);
    assert!(!traces(&ran).is_empty(), "{ran:?}");
    assert_eq!(count(&site, "pat", "tag:ottergloam"), 1);
    by(&site, "ann", &["verify", "--deep"]).expect(0);
}

#[test]
fn a_copy_of_what_a_term_hits_is_hidden_with_it_and_one_of_its_company_is_not() {
    let site = site();
    let minutes = "minutes of the meeting and nothing else";
    let agenda = "agenda of tuesday and the usual points";
    for (number, subject, name, words) in [
        (20, "first", "brokkelsnip.txt", minutes),
        (21, "second", "minutes.txt", minutes),
        (22, "zyxquorble", "agenda.txt", agenda),
        (23, "third", "points.txt", agenda),
    ] {
        let path = site.path(&format!("two/{number}.eml"));
        files::write(&path, message(number, subject, Some((name, words))));
    }
    ingest(&site, "two");
    assert_eq!(count(&site, "ivo", "*"), 13);
    screen(&site, &["filename:brokkelsnip*", "subject:zyxquorble"]).says(&[
        "2 terms ran and hit 3 items",
        "1 items that no term hit have the same bytes as one that was hit",
    ]);
    // Gone: 5, the families of 20, 21 and 22. The company of 22 has a copy that stays.
    assert_eq!(count(&site, "ivo", "*"), 6);
    assert_eq!(count(&site, "ivo", "filename:minutes"), 0);
    assert_eq!(count(&site, "ivo", "filename:points"), 1);
    let hit = by(&site, "pat", &["search", "filename:brokkelsnip*", "--format", "json"]).json();
    let hit = hit["hits"][0]["item_no"].to_string();
    let release = |args: &[&str]| {
        let tail = ["--families", "--by", "A. Counsel KC", "--reason", "a list of dates"];
        by(&site, "pat", &[&["privilege", "release"], args, &tail[..]].concat()).expect(0)
    };
    release(&[&hit]).says(&[
        "2 items released",
        "1 items with the same bytes as a released one are in quarantine still",
    ]);
    assert_eq!(
        (
            count(&site, "ivo", "filename:brokkelsnip*"),
            count(&site, "ivo", "filename:minutes")
        ),
        (1, 0)
    );
    release(&[&hit, "--duplicates"]).says(&["2 items released"]);
    assert_eq!(count(&site, "ivo", "filename:minutes"), 1);
    // Bytes that counsel released take no further copy with them.
    files::write(
        &site.path("three/24.eml"),
        message(24, "fourth", Some(("later.txt", minutes))),
    );
    ingest(&site, "three");
    assert_eq!(count(&site, "ivo", "filename:later"), 1);
    by(&site, "ann", &["verify", "--deep"]).expect(0);
}
