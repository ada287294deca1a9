//! Threads from outside: a small mailbox with everything in it, and the links of real lists against an independent reader.

use std::collections::BTreeMap;

use embley_tests::{Site, binary, corpora, files, oracle};
use serde_json::Value;

/// One message of an mbox.
fn mail(id: &str, minute: u32, from: &str, headers: &str, body: &str) -> String {
    format!(
        "From x@y Thu Jan  1 00:00:00 1970\nMessage-ID: <{id}@example.org>\nFrom: {from} <{from}@example.org>\nTo: Ann Lee <ann@example.org>\n\
         Date: Mon, 4 Mar 2019 10:{minute:02}:00 +0000\nSubject: The same for all\n{headers}\n{body}\n\n"
    )
}

/// Quotations link messages only where that is asked for.
const COMPARE: &str = "--compare-texts";

const FIRST: &str = "I met the officer on Monday about the case.\nShe did not declare an interest in it,\nand the minutes of the meeting say so.";

fn messages() -> Vec<String> {
    let quoted = FIRST.replace('\n', "\n> ");
    let altered = quoted.replace("did not declare", "did declare");
    [
        mail("first", 1, "jo", "", FIRST),
        mail(
            "second",
            2,
            "kim",
            "References: <first@example.org>\n",
            &format!("Thank you.\n\nOn Monday, jo wrote:\n> {quoted}"),
        ),
        mail(
            "third",
            3,
            "lee",
            "In-Reply-To: <first@example.org>\n",
            &format!("I see.\n> {altered}"),
        ),
        // Its parent is not there; the one before is.
        mail(
            "fifth",
            5,
            "kim",
            "References: <first@example.org> <second@example.org> <lost@example.org>\n",
            "On Monday, Ann Lee wrote:\n> I shall look into it tomorrow.\nPlease do.",
        ),
        // The same subject alone joins nothing.
        mail(
            "alone",
            6,
            "max",
            "",
            "Something else is said here, of which nobody else says a word at all.",
        ),
        // Refers to itself and to a message that is later.
        mail(
            "odd",
            0,
            "max",
            "References: <odd@example.org> <first@example.org>\n",
            "Too early.",
        ),
    ]
    .to_vec()
}

fn nodes(shown: &Value) -> &Vec<Value> {
    shown["nodes"].as_array().expect("nodes")
}

#[test]
fn a_thread_is_shown_as_a_tree_with_reasons_missing_messages_and_altered_quotations() {
    let site = Site::new();
    files::write(&site.path("box/all.mbox"), messages().concat().as_bytes());
    site.ingest(&[site.path("box").as_os_str(), COMPARE.as_ref()]).expect(0);
    let shown = site.ok(&["show", "1", "--thread", "--format", "json"]).json();
    assert_eq!(
        (&shown["thread"], &shown["held"], &shown["missing"]),
        (&"thread:1".into(), &5.into(), &1.into())
    );
    let lines: Vec<(u64, String)> = nodes(&shown)
        .iter()
        .map(|node| {
            let name = match node["node"].as_str() {
                Some("missing") => node["message_id"].as_str().unwrap_or_default().to_owned(),
                _ => format!("{} {}", node["item_no"], node["reason"].as_str().unwrap_or_default()),
            };
            (node["depth"].as_u64().unwrap_or(99), name)
        })
        .collect();
    let expected = [
        (0, "1 none"),
        (1, "6 references"),
        (1, "2 references"),
        (2, "<lost@example.org>"),
        (3, "4 references"),
        (1, "3 in-reply-to"),
    ];
    assert_eq!(lines, expected.map(|(depth, name)| (depth, name.to_owned())));

    let by_item: BTreeMap<u64, &Value> = nodes(&shown)
        .iter()
        .filter_map(|node| Some((node["item_no"].as_u64()?, node)))
        .collect();
    assert_eq!(by_item[&1]["inclusion"]["inclusive"], false, "{}", by_item[&1]);
    assert_eq!(by_item[&1]["inclusion"]["held_by"], 2);
    assert_eq!(by_item[&2]["inclusion"]["inclusive"], true);
    assert_eq!(by_item[&2]["alterations"].as_array().map(Vec::len), Some(0));
    let altered = &by_item[&3]["alterations"][0];
    assert_eq!(
        (&altered["kind"], &altered["original"]),
        (&"removed".into(), &"not".into()),
        "{altered}"
    );
    assert_eq!(
        by_item[&6]["oddities"],
        serde_json::json!(["parent-later", "self-reference"])
    );
    let missing = nodes(&shown)
        .iter()
        .find(|node| node["node"] == "missing")
        .expect("one");
    assert_eq!(missing["named_by"], serde_json::json!([4]));
    assert_eq!(missing["quoted_as"], "On Monday, Ann Lee wrote:");
    assert_eq!(missing["not_before"], "2019-03-04T10:02:00Z");
    assert_eq!(missing["not_after"], "2019-03-04T10:05:00Z");
    assert!(missing["against"].as_array().is_some_and(|points| points.len() >= 2));

    // Any message of it names the thread, hits show it, and what stands alone has none.
    assert_eq!(
        (site.count("thread:3"), site.count("thread:1"), site.count("thread:5")),
        (5, 5, 1)
    );
    let hits = site.hits("type:email");
    let with_thread = hits.iter().filter(|hit| !hit["thread"].is_null()).count() as u64;
    assert_eq!(site.count("thread:*"), with_thread, "those that show one");
    site.run(&["search", "thread:1*"])
        .expect(2)
        .says(&["threads are named by whole item numbers"]);
    let threads: Vec<&Value> = hits.iter().map(|hit| &hit["thread"]).collect();
    assert_eq!(threads.iter().filter(|thread| ***thread == "thread:1").count(), 5);
    assert!(threads.contains(&&Value::Null));
    // A table, and a second run that has nothing to link.
    assert!(
        site.ok(&["show", "3", "--thread", "--format", "table"])
            .text()
            .contains("not held")
    );
    let before = site.dump_of_evidence();
    let again = site.ingest(&[site.path("box")]).expect(0);
    assert!(!again.stderr.contains("threads:"), "{again:?}");
    assert_eq!(before, site.dump_of_evidence());
}

#[test]
fn links_are_the_same_in_one_ingest_in_several_and_after_a_reindex() {
    let site = Site::new();
    let messages = messages();
    for (at, some) in messages.chunks(2).enumerate() {
        files::write(&site.path(&format!("box/{at}.mbox")), some.concat().as_bytes());
    }
    let parts = Site::new();
    for at in 0..messages.chunks(2).count() {
        parts
            .ingest(&[site.path(&format!("box/{at}.mbox")).as_os_str(), COMPARE.as_ref()])
            .expect(0);
    }
    site.ingest(&[site.path("box").as_os_str(), COMPARE.as_ref()]).expect(0);
    let shown = |site: &Site| {
        site.ok(&["show", "2", "--thread", "--format", "json"])
            .text()
            .to_owned()
    };
    let once = shown(&site);
    assert!(once.contains("lost@example.org"), "{once}");
    assert_eq!(once, shown(&parts));
    site.ok(&["reindex", "--progress", "none", "--threads", "2"]);
    assert_eq!(once, shown(&site));
}

#[test]
fn near_duplicates_are_shown_with_how_alike_they_are() {
    let site = Site::new();
    let words: Vec<String> = (0..120).map(|word| format!("word{word}")).collect();
    let long = words.join(" ");
    let other: Vec<String> = (500..620).map(|word| format!("word{word}")).collect();
    let mails = [
        mail("a", 1, "jo", "", &long),
        mail("b", 2, "kim", "", &format!("{long} and more")),
        mail("c", 3, "kim", "", &other.join(" ")),
    ];
    files::write(&site.path("box/all.mbox"), mails.concat().as_bytes());
    site.ingest(&[site.path("box").as_os_str(), COMPARE.as_ref()]).expect(0);
    let shown = site.ok(&["show", "2", "--near", "--format", "json"]).json();
    let near = shown["near"].as_array().expect("near");
    assert_eq!(
        near.iter().map(|one| &one["item_no"]).collect::<Vec<_>>(),
        [&Value::from(1), &Value::from(2)]
    );
    assert_eq!(near[0]["representative"], true);
    let measured = near[0]["similarity"].as_f64().expect("a number");
    assert!((measured - 116.0 / 118.0).abs() < 0.002, "{measured}");
    let alone = site.ok(&["show", "3", "--near", "--format", "json"]).json();
    assert_eq!(alone["near"].as_array().map(Vec::len), Some(0));
}

/// What the list of the corpora says: messages, and those of them that refer to a message of the same mailbox.
const LISTS: [(&str, u64, u64); 4] = [
    ("linux-block-slice.mbox", 4500, 3971),
    ("linux-xfs-slice.mbox", 4500, 4008),
    ("openbmc-early.mbox", 1499, 1064),
    ("usrp-users-early.mbox", 320, 243),
];

#[test]
fn on_real_lists_every_link_is_that_of_an_independent_reader() {
    let Some(mail) = corpora::folder("mail/lists") else {
        return;
    };
    for (name, messages, within) in LISTS {
        let site = Site::new();
        let path = site.path(&format!("box/{name}"));
        files::write(&path, corpora::unpacked(&mail.join(format!("{name}.zst"))));
        site.ingest(&[path.as_os_str(), COMPARE.as_ref()]).expect(0);
        let args = [
            path.as_os_str(),
            "--case".as_ref(),
            site.case().as_os_str(),
            "--embley".as_ref(),
            binary().as_os_str(),
        ];
        let (code, report, said) = oracle::ask("threads.py", &args, site.root(), "report.json");
        assert_eq!(code, 0, "{name}: {said}");
        let linked = report["linked_by_headers"].as_u64().unwrap_or(0);
        assert_eq!(report["messages"], messages, "{name}");
        assert!(
            linked >= within,
            "{name}: {linked} links, {within} messages refer to one of the same mailbox"
        );
    }
}
