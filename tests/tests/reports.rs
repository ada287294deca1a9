//! Search term reports, certificates and samples from outside.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use embley_tests::files;
use embley_tests::program::Ran;
use embley_tests::site::Site;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A message with an attachment when `attached` holds anything.
fn mail(number: u32, body: &str, attached: &str) -> String {
    let head = format!(
        "From x@y Thu Jan  1 00:00:00 1970\nMessage-ID: <m{number}@example.org>\nFrom: jo <jo@example.org>\nTo: ann@example.org\n\
         Date: Mon, 4 Mar 2019 10:{:02}:00 +0000\nSubject: number {number}\nMIME-Version: 1.0\n",
        number % 60
    );
    if attached.is_empty() {
        return format!("{head}\n{body}\n\n");
    }
    format!(
        "{head}Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\nContent-Type: text/plain\n\n{body}\n--b{number}\n\
         Content-Type: text/plain; name=note{number}.txt\nContent-Disposition: attachment; filename=note{number}.txt\n\n{attached}\n\
         --b{number}--\n\n"
    )
}

/// Two mailboxes, of which the second repeats five messages of the first.
fn mailboxes(site: &Site) -> [PathBuf; 2] {
    let all: Vec<String> = (1..=40)
        .map(|number| {
            let word = if number % 3 == 0 { "fraud" } else { "lunch" };
            let attached = if number % 4 == 0 { "bribe in the note" } else { "" };
            mail(number, &format!("this is about {word}, word{number}"), attached)
        })
        .collect();
    let paths = [site.path("in/smith.mbox"), site.path("in/jones.mbox")];
    files::write(&paths[0], all[..25].concat());
    files::write(&paths[1], all[20..].concat());
    paths
}

fn ingest(site: &Site, source: &Path, custodian: &str, threads: &str) {
    let args = [
        source.as_os_str(),
        "--custodian".as_ref(),
        custodian.as_ref(),
        "--threads".as_ref(),
        threads.as_ref(),
    ];
    site.ingest(&args).expect(0);
}

fn made(threads: &str) -> Site {
    let site = Site::new();
    let [smith, jones] = mailboxes(&site);
    ingest(&site, &smith, "Smith", threads);
    ingest(&site, &jones, "Jones", threads);
    site
}

const LIST: &str = "# terms of the case\n\nfraud\nbribe\nfraud AND (\nlunch\nword7\nnothingatall\n=fraud\n";

fn terms(site: &Site, list: &Path, more: &[&str]) -> Ran {
    let list = list.to_string_lossy();
    let mut args = vec!["terms", &list];
    args.extend(more);
    site.run(&args)
}

#[test]
fn a_csv_whose_quotes_are_wrong_is_an_error_of_the_line_and_never_another_query() {
    let site = made("2");
    let list = site.path("list.csv");
    files::write(
        &list,
        "name,query\nA,\"about fraud\" w/9 word3\nB,fraud, lunch\nC,\"fraud\nD,\"\"\"about fraud\"\" w/9 word3\"\nE,tag:nothing\n",
    );
    let ran = terms(&site, &list, &["--format", "json"]).expect(3);
    let report = ran.json();
    let lines = |name: &str, text: &str| -> Vec<(u64, String)> {
        let all = report[name].as_array().expect("a list").iter();
        all.map(|one| {
            (
                one["line"].as_u64().expect("a line"),
                one[text].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect()
    };
    let errors = lines("errors", "message");
    assert_eq!(errors.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(
        errors[0].1.contains("closing quote")
            && errors[1].1.contains("3 cells")
            && errors[2].1.contains("closing quote"),
        "{errors:?}"
    );
    assert_eq!(
        lines("terms", "query"),
        [
            (5, "\"about fraud\" w/9 word3".to_owned()),
            (6, "tag:nothing".to_owned())
        ]
    );
    assert_eq!(report["terms"][0]["hits"], 1);
    assert!(
        ran.stderr
            .contains("line 6: note: nothing in this case fits `tag:nothing`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_count_says_what_is_to_be_known_of_it() {
    let site = made("2");
    for (query, code, count, said) in [
        ("tag:nothing", 1, "0", "nothing in this case fits `tag:nothing`"),
        ("lunch and fraud", 1, "0", "`and` in lower case is searched as a word"),
        ("lunch", 0, "27", ""),
    ] {
        let ran = site.run(&["search", query, "--count"]).expect(code);
        assert_eq!(ran.text().trim(), count, "{query}");
        assert!(ran.stderr.contains(said), "{query}: {}", ran.stderr);
    }
    let ran = site
        .run(&["tag", "add", "key", "--query", "=Fraud OR tag:nothing"])
        .expect(0);
    assert!(
        ran.stderr.contains("nothing in this case fits `tag:nothing`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_new_case_answers_with_nothing_and_one_that_lost_its_index_is_damaged() {
    let site = Site::new();
    site.run(&["search", "*", "--count"]).expect(1);
    let ran = site
        .run(&[
            "search",
            "*",
            "--level",
            "family",
            "--facets",
            "custodian,year,sender",
            "--format",
            "json",
        ])
        .expect(1);
    assert_eq!(
        (&ran.json()["count"], &ran.json()["hits"]),
        (&0.into(), &serde_json::json!([]))
    );
    let list = site.path("list.txt");
    files::write(&list, "fraud\n=Fraud\n");
    assert_eq!(
        terms(&site, &list, &["--format", "json"]).expect(0).json()["totals"]["hits"],
        0
    );
    site.run(&["saved", "add", "frauds", "fraud"]).expect(0);
    site.run(&["saved", "run", "frauds"]).expect(1);
    site.run(&["search", "fraud", "--fold", "email", "--near-date", "today"])
        .expect(1);
    let [smith, _] = mailboxes(&site);
    ingest(&site, &smith, "Smith", "1");
    assert_eq!(site.count("fraud"), 8);
    files::remove(&site.case().join("index"));
    site.run(&["search", "fraud"]).expect(5).says(&["there is no index"]);
}

#[test]
fn hits_by_nearness_to_a_date_with_their_context_as_a_table_and_csv() {
    let site = made("2");
    let near = [
        "search",
        "word16 OR word17 OR type:attachment word16",
        "--near-date",
        "2019-03-05",
        "--context",
    ];
    let ran = site.run(&[&near[..], &["--format", "csv"]].concat()).expect(0);
    let mut lines = ran.text().lines().map(str::to_owned);
    let head = lines.next().expect("a head");
    assert!(head.ends_with("reasons,near_days,decision_before,decision_after,people,answers,answers_reason,answered_by,thread_messages,family"));
    let first = lines.next().expect("a hit");
    assert!(
        first.starts_with("2") && first.contains(",-1,"),
        "the later one is nearer: {first}"
    );
    let table = site.run(&[&near[..], &["--format", "table"]].concat()).expect(0);
    assert!(
        table.text().contains("(1 day before)") && table.text().contains("in its family: #"),
        "{}",
        table.text()
    );
    let refused = site.run(&["search", "lunch", "--near-date", "soon"]).expect(2);
    assert!(
        refused.stderr.contains("cannot be read as a date"),
        "{}",
        refused.stderr
    );
    site.run(&["search", "lunch", "--near-date", "2019", "--sort", "-date"])
        .expect(2);
    site.run(&["search", "lunch", "--context", "--count"]).expect(2);
    let folded = site.run(&["search", "lunch", "--fold", "email", "--count"]).expect(0);
    assert_eq!(folded.text().trim(), "27", "nothing here says the same");
}

#[test]
fn a_list_gives_hits_families_and_unique_hits_and_its_errors_stop_nothing() {
    let site = made("2");
    let list = site.path("list.txt");
    files::write(&list, LIST);
    let ran = terms(&site, &list, &["--format", "json"]).expect(3);
    let ran = ran.says(&["line 5: this parenthesis is not closed", "fraud AND (\n            ^"]);
    let report = ran.json();
    assert_eq!(report["list_sha256"], hex(&Sha256::digest(LIST)));
    assert_eq!(report["standing"]["items"], 50);
    assert_eq!(report["errors"][0]["line"], 5);
    let rows = report["terms"].as_array().expect("rows");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let query = row["query"].as_str().expect("a query");
        assert_eq!(row["hits"], site.count(query), "{query}");
        let families: BTreeSet<String> = site.hits(query).iter().map(|hit| hit["family"].to_string()).collect();
        assert_eq!(row["families"], families.len(), "{query}");
    }
    // `word7` stands in one message of Smith's that says lunch too; only `bribe` is in attachments.
    let row = |line: u64| rows.iter().find(|row| row["line"] == line).expect("a row");
    assert_eq!((&row(7)["hits"], &row(7)["unique"]), (&1.into(), &0.into()));
    assert_eq!(
        (&row(4)["hits"], &row(4)["unique"], &row(4)["with_families"]),
        (&10.into(), &10.into(), &20.into())
    );
    assert_eq!(row(4)["unique_families"], 0);
    assert_eq!(row(7)["by_custodian"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["totals"]["hits"], 50);
    let custodian = terms(
        &site,
        &list,
        &["--format", "json", "--scope", "custodian", "--threads", "1"],
    )
    .expect(3)
    .json();
    let instance = terms(&site, &list, &["--format", "json", "--scope", "instance"])
        .expect(3)
        .json();
    for (row, other) in custodian["terms"]
        .as_array()
        .expect("rows")
        .iter()
        .zip(instance["terms"].as_array().expect("rows"))
    {
        let query = row["query"].as_str().expect("a query");
        let count = |scope: &str| -> u64 {
            let ran = site.run(&["search", "--count", "--scope", scope, "--", query]);
            ran.text().trim().parse().expect("a number")
        };
        assert_eq!(
            (&row["hits"], &other["hits"]),
            (&count("custodian").into(), &count("instance").into()),
            "{query}"
        );
        let pairs: u64 = row["by_custodian"]
            .as_array()
            .expect("rows")
            .iter()
            .filter_map(|one| one["hits"].as_u64())
            .sum();
        assert_eq!(row["hits"], pairs, "{query}");
    }
    let family = terms(&site, &list, &["--format", "json", "--level", "family"])
        .expect(3)
        .json();
    assert_eq!(family["terms"][1]["hits"], 10);
    assert_eq!(family["terms"][0]["hits"], family["terms"][0]["families"]);
    // What was asked is in the history.
    let history = site.ok(&["history", "--format", "json"]).json();
    let looks = history["history"].as_array().expect("a list");
    let of_terms: Vec<&Value> = looks.iter().filter(|look| look["command"] == "terms").collect();
    assert_eq!(of_terms.len(), 4);
    assert!(
        of_terms
            .iter()
            .all(|look| look["query"].to_string().contains("list of 7 queries"))
    );
}

#[test]
fn a_list_is_refused_by_name_when_nothing_of_it_can_run() {
    let site = made("1");
    let list = site.path("list.csv");
    files::write(&list, "name,words\nA,fraud\n");
    terms(&site, &list, &[])
        .expect(2)
        .says(&["no column `query` or `term`", "name, words"]);
    files::write(&list, "ID,Term\nT1,\"fraud AND (\"\nT2,sbject:x\n");
    terms(&site, &list, &[])
        .expect(2)
        .says(&["line 2", "line 3", "subject"]);
    files::write(&list, "ID,Term\nT1,fraud\nT2,\"bribe\"\n");
    let report = terms(&site, &list, &["--format", "json"]).expect(0).json();
    assert_eq!(
        (&report["terms"][1]["name"], &report["terms"][1]["line"]),
        (&"T2".into(), &3.into())
    );
    terms(&site, &site.path("none.txt"), &[]).expect(4).says(&["none.txt"]);
    let csv = terms(&site, &list, &["--format", "csv", "--by-custodian"]).expect(0);
    assert!(
        csv.text()
            .starts_with("line,name,query,custodian,hits,with families,unique\n2,T1,fraud,Jones,"),
        "{}",
        csv.text()
    );
    let lines = terms(&site, &list, &["--format", "jsonl"]).expect(0).lines();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["row"].as_str()).collect();
    assert_eq!(kinds, ["report", "term", "term"]);
}

#[test]
fn a_report_is_a_spreadsheet_that_opens_again_with_texts_as_texts() {
    let site = made("1");
    let list = site.path("list.txt");
    files::write(&list, format!("{LIST}+lunch\n@x\n"));
    let out = site.path("report.xlsx");
    let report = terms(&site, &list, &["--format", "json", "--xlsx", &out.to_string_lossy()]);
    assert_eq!(report.code, Some(3), "{report:?}");
    let report = report.json();
    let mut book: Xlsx<_> = open_workbook(&out).expect("a workbook");
    assert_eq!(book.sheet_names(), ["Terms", "By custodian", "Errors"]);
    let sheet = book.worksheet_range("Terms").expect("a sheet");
    let head = |word: &str| -> String {
        let row = sheet.rows().find(|row| row[0] == *word);
        row.unwrap_or_else(|| panic!("{word}"))[1].to_string()
    };
    assert_eq!(head("list (SHA-256)"), report["list_sha256"]);
    assert_eq!(head("items searched"), "50");
    assert_eq!(head("case"), "Test");
    let at = sheet
        .rows()
        .position(|row| row[0] == *"line")
        .expect("the columns' names");
    for (row, expected) in sheet.rows().skip(at + 1).zip(report["terms"].as_array().expect("rows")) {
        assert_eq!(
            row[2],
            Data::String(expected["query"].as_str().expect("a query").to_owned())
        );
        for (column, name) in ["hits", "with_families", "families", "unique", "unique_families"]
            .iter()
            .enumerate()
        {
            assert_eq!(row[3 + column].to_string(), expected[*name].to_string(), "{name}");
        }
    }
    assert_eq!(
        sheet.rows().count() - at - 1,
        report["terms"].as_array().map_or(0, Vec::len)
    );
    assert!(sheet.rows().any(|row| row[2] == Data::String("=fraud".to_owned())));
    let errors = book.worksheet_range("Errors").expect("a sheet");
    assert_eq!(
        errors.rows().count(),
        1 + report["errors"].as_array().map_or(0, Vec::len)
    );
    let by_custodian = book.worksheet_range("By custodian").expect("a sheet");
    assert!(by_custodian.rows().count() > 5);
    // No cell is a formula.
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&out).expect("the file")).expect("an archive");
    let mut sheets = 0;
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).expect("a member");
        let name = member.name().expect("a name").into_owned();
        if name.starts_with("xl/worksheets/") {
            let text = std::io::read_to_string(&mut member).expect("text");
            assert!(!text.contains("<f"), "{name}");
            sheets += 1;
        }
    }
    assert_eq!(sheets, 3);
    terms(&site, &list, &["--xlsx", &out.to_string_lossy()])
        .expect(2)
        .says(&["is there already"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A certificate of a query, with a key in the folder of settings of this site.
fn certify(site: &Site, query: &str, name: &str, more: &[&str]) -> PathBuf {
    let out = site.path(name);
    let text = out.to_string_lossy().into_owned();
    let mut args = vec!["certificate", query, "--out", &text];
    args.extend(more);
    site.program(&args)
        .env("XDG_CONFIG_HOME", site.path("settings"))
        .run()
        .expect(0);
    out
}

fn replay(site: &Site, certificate: &Path, more: &[&str]) -> Ran {
    let text = certificate.to_string_lossy().into_owned();
    let mut args = vec!["replay", &text, "--format", "json"];
    args.extend(more);
    site.run(&args)
}

fn statement(certificate: &Path) -> Value {
    let file: Value = serde_json::from_slice(&files::read(certificate)).expect("JSON");
    file["statement"].clone()
}

#[track_caller]
fn subjects(ran: &Ran) -> Vec<String> {
    let shown = ran.json();
    let all = shown["differences"].as_array().expect("differences");
    all.iter()
        .filter(|one| one["matters"] == true)
        .map(|one| one["subject"].as_str().expect("a word").to_owned())
        .collect()
}

/// The Merkle tree hash of RFC 9162, section 2.1.1, word for word.
fn tree_hash(entries: &[Vec<u8>]) -> Vec<u8> {
    match entries {
        [] => Sha256::digest([]).to_vec(),
        [one] => Sha256::digest([&[0], one.as_slice()].concat()).to_vec(),
        more => {
            let split = more.len().next_power_of_two() / 2;
            let both = [vec![1], tree_hash(&more[..split]), tree_hash(&more[split..])];
            Sha256::digest(both.concat()).to_vec()
        }
    }
}

#[test]
fn a_certificate_s_digests_can_be_made_from_a_list_of_hits_by_anyone() {
    let site = made("2");
    let certificate = certify(&site, "fraud OR bribe", "c.json", &["--with-items"]);
    let statement = statement(&certificate);
    let root_of = |query: &str| -> String {
        let mut entries: Vec<Vec<u8>> = site
            .hits(query)
            .iter()
            .map(|hit| {
                let text = format!(
                    "{} {}",
                    hit["sha256"].as_str().expect("a hash"),
                    hit["item"].as_str().expect("an id")
                );
                Sha256::digest(text).to_vec()
            })
            .collect();
        entries.sort();
        hex(&tree_hash(&entries))
    };
    assert_eq!(statement["result"]["root"], root_of("fraud OR bribe"));
    assert_eq!(statement["corpus"]["all"]["root"], root_of("*"));
    assert_eq!(statement["result"]["hits"], site.count("fraud OR bribe"));
    assert_eq!(statement["query"]["typed"], "fraud OR bribe");
    assert_eq!(statement["who"], "tester");
    assert_eq!(statement["result"]["listed"].as_array().map(Vec::len), Some(23));
    let sources = statement["corpus"]["sources"].as_array().expect("sources");
    let labels: Vec<&str> = sources.iter().filter_map(|one| one["label"].as_str()).collect();
    assert_eq!(labels, ["jones.mbox", "smith.mbox"]);
    // The order of relevance is not certified, and no certificate is written over.
    let again = ["certificate", "fraud", "--out", &certificate.to_string_lossy()].map(str::to_owned);
    site.run(&again).expect(2).says(&["is there already"]);
    let other = site.path("d.json").to_string_lossy().into_owned();
    site.run(&["certificate", "fraud", "--sort", "relevance", "--out", &other])
        .expect(2)
        .says(&["relevance is not certified"]);
}

#[test]
fn another_ingest_of_the_same_sources_and_a_new_index_replay_the_same() {
    let one = made("1");
    let certificate = certify(
        &one,
        "fraud custodian:Smith date:2019",
        "c.json",
        &["--scope", "instance", "--sort", "-date"],
    );
    let ran = replay(&one, &certificate, &[]).expect(0);
    let ran = ran.says(&["same", "does not prove whose key"]);
    assert_eq!(ran.json()["differences"].as_array().map(Vec::len), Some(0));
    let other = made("2");
    let ran = replay(&other, &certificate, &[]).expect(0);
    assert_eq!(subjects(&ran), Vec::<String>::new());
    assert_eq!(ran.json()["differences"][0]["subject"], "case");
    // The statement there is the same, save what says which case, who and when.
    let there = certify(
        &other,
        "fraud custodian:Smith date:2019",
        "c.json",
        &["--scope", "instance", "--sort", "-date"],
    );
    let (mut here, mut there) = (statement(&certificate), statement(&there));
    for member in ["case", "when", "key"] {
        assert_ne!(here[member].take(), Value::Null);
        there[member].take();
    }
    assert_eq!(here, there);
    one.ok(&["reindex", "--progress", "none"]);
    assert_eq!(
        subjects(&replay(&one, &certificate, &[]).expect(0)),
        Vec::<String>::new()
    );
}

#[test]
fn what_came_later_is_named() {
    let site = made("2");
    site.ok(&["tag", "add", "key", "--query", "word3 OR word6"]);
    let certificate = certify(&site, "fraud tag:key", "c.json", &["--with-items"]);
    let all = certify(&site, "lunch OR fraud", "all.json", &[]);
    site.ok(&["tag", "add", "key", "--query", "word9"]);
    let ran = replay(&site, &certificate, &[]).expect(1).says(&["NOT the same"]);
    assert_eq!(subjects(&ran), ["set", "result", "count"]);
    let shown = ran.json();
    assert_eq!((&shown["then"]["hits"], &shown["now"]["hits"]), (&2.into(), &3.into()));
    assert!(
        shown["differences"][0]["sentence"]
            .as_str()
            .is_some_and(|text| text.contains("version 1 then, version 2 now")),
        "{shown}"
    );
    assert_eq!(subjects(&replay(&site, &all, &[]).expect(0)), Vec::<String>::new());
    let more = site.path("in/more.mbox");
    files::write(&more, [mail(91, "more fraud", ""), mail(92, "more tea", "")].concat());
    ingest(&site, &more, "Smith", "2");
    let ran = replay(&site, &all, &[]).expect(1);
    assert_eq!(subjects(&ran), ["corpus", "source", "result", "count"]);
    let shown = ran.json();
    let sentence = |at: usize| {
        shown["differences"][at]["sentence"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        sentence(0).contains("50 items were searched then, 52 now: 2 were added since"),
        "{}",
        sentence(0)
    );
    assert_eq!(sentence(1), "source \"more.mbox\": 0 items then, 2 now");
}

#[test]
fn a_changed_certificate_and_another_key_are_told() {
    let site = made("1");
    let certificate = certify(&site, "fraud", "c.json", &[]);
    let text = String::from_utf8(files::read(&certificate)).expect("text");
    let hits = statement(&certificate)["result"]["hits"].as_u64().expect("a count");
    let forged = site.path("forged.json");
    files::write(
        &forged,
        text.replace(&format!("\"hits\":{hits}"), &format!("\"hits\":{}", hits + 1)),
    );
    let ran = replay(&site, &forged, &[]).expect(1).says(&["signature does not hold"]);
    assert_eq!(ran.json()["signature"]["holds"], false);
    // Laid out anew it says the same, and holds.
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let pretty = site.path("pretty.json");
    files::write(&pretty, serde_json::to_string_pretty(&value).expect("JSON"));
    replay(&site, &pretty, &[]).expect(0);
    let id = statement(&certificate)["key"]["id"].as_str().expect("an id").to_owned();
    replay(&site, &certificate, &["--key-id", &id])
        .expect(0)
        .says(&["which you named"]);
    replay(&site, &certificate, &["--key-id", "00112233"])
        .expect(1)
        .says(&["not with the one you named"]);
    let public = site.path("public.pem");
    files::write(
        &public,
        statement(&certificate)["key"]["public"].as_str().expect("a key"),
    );
    let named = public.to_string_lossy().into_owned();
    replay(&site, &certificate, &["--public-key", &named])
        .expect(0)
        .says(&["which you named"]);
    let key = site.path("keys/other.pem").to_string_lossy().into_owned();
    let other = certify(&site, "fraud", "other.json", &["--key", &key]);
    replay(&site, &other, &["--public-key", &named])
        .expect(1)
        .says(&["signature does not hold"]);
    // Not certificates.
    for (name, bytes) in [
        ("empty.json", &b""[..]),
        ("list.json", b"[1,2]"),
        ("bare.json", b"{\"embley_certificate\":1,\"statement\":{}}"),
        ("deep.json", &[b'['; 100_000]),
    ] {
        files::write(&site.path(name), bytes);
        replay(&site, &site.path(name), &[])
            .expect(4)
            .says(&["not a certificate", name]);
    }
    let newer = site.path("newer.json");
    files::write(
        &newer,
        text.replace("{\"embley_certificate\":1", "{\"embley_certificate\":9"),
    );
    replay(&site, &newer, &[])
        .expect(4)
        .says(&["version 9", "use a newer one"]);
}

#[test]
fn a_key_is_made_outside_of_the_case_and_never_taken_from_inside() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = made("1");
    certify(&site, "fraud", "c.json", &[]);
    let key = site.path("settings/embley/keys/signing.pem");
    let mode = std::fs::metadata(&key).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let one = statement(&certify(&site, "lunch", "d.json", &[]));
    assert_eq!(one["key"]["id"], statement(&site.path("c.json"))["key"]["id"]);
    let inside = site.case().join("keys/signing.pem");
    let out = site.path("e.json").to_string_lossy().into_owned();
    let args = [
        "certificate",
        "fraud",
        "--out",
        &out,
        "--key",
        &inside.to_string_lossy(),
    ]
    .map(str::to_owned);
    site.run(&args).expect(2).says(&["inside the case folder"]);
    assert!(!inside.exists() && !Path::new(&out).exists());
    let settings = site.case().to_path_buf();
    site.program(&["certificate", "fraud", "--out", &out])
        .env("XDG_CONFIG_HOME", settings)
        .run()
        .expect(2)
        .says(&["inside the case folder"]);
    files::chmod(&key, 0o644);
    let args = ["certificate", "fraud", "--out", &out, "--key", &key.to_string_lossy()].map(str::to_owned);
    site.run(&args).expect(2).says(&["chmod 600"]);
}

#[test]
fn a_certificate_is_verified_by_openssl_too() {
    let found = Command::new("openssl").arg("version").output();
    if !found.is_ok_and(|ran| ran.status.success()) {
        let said = writeln!(std::io::stderr(), "NOT RUN: openssl is not there");
        said.expect("stderr can be written");
        return;
    }
    let site = made("1");
    let certificate = certify(&site, "\"fraud\" OR subject:number", "c.json", &[]);
    let text = String::from_utf8(files::read(&certificate)).expect("text");
    // The bytes signed are the second line without its end, as docs/certificates.md says.
    let signed = text.lines().nth(1).expect("a second line");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    files::write(&site.path("signed"), signed);
    files::write(
        &site.path("key.pem"),
        file["statement"]["key"]["public"].as_str().expect("a key"),
    );
    let signature = file["signature"]["value"].as_str().expect("a signature");
    files::write(&site.path("signature.b64"), format!("{signature}\n"));
    let openssl = |args: &[&str]| {
        let ran = Command::new("openssl")
            .args(args)
            .current_dir(site.root())
            .output()
            .expect("openssl runs");
        (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    assert!(openssl(&["base64", "-d", "-A", "-in", "signature.b64", "-out", "signature"]).0);
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "signed",
        "-sigfile",
        "signature",
    ];
    let (holds, said) = openssl(&verify);
    assert!(holds && said.contains("Verified Successfully"), "{said}");
    files::write(&site.path("signed"), signed.replace("fraud", "Fraud"));
    assert!(!openssl(&verify).0);
    // The private key is one that openssl reads.
    assert!(openssl(&["pkey", "-in", "settings/embley/keys/signing.pem", "-noout"]).0);
}

fn sampled(ran: &Ran) -> Vec<String> {
    let lines = ran.lines();
    lines
        .iter()
        .map(|hit| hit["item"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_sample_is_drawn_again_in_another_case_and_can_be_checked_by_hand() {
    let site = made("1");
    let draw = |site: &Site, size: &str| {
        let ran = site.ok(&["sample", "lunch", "--size", size, "--seed", "op-7", "--format", "jsonl"]);
        sampled(&ran)
    };
    let drawn = draw(&site, "6");
    assert_eq!(drawn.len(), 6);
    assert_eq!(draw(&site, "3"), drawn[..3]);
    // The sources the other way round: other numbers, the same sample.
    let other = Site::new();
    let [smith, jones] = mailboxes(&other);
    ingest(&other, &jones, "Jones", "2");
    ingest(&other, &smith, "Smith", "2");
    assert_eq!(draw(&other, "6"), drawn);
    let mut by_hand: Vec<(Vec<u8>, String)> = site
        .hits("lunch")
        .iter()
        .map(|hit| {
            let id = hit["item"].as_str().expect("an id").to_owned();
            (Sha256::digest(format!("op-7\0{id}\0")).to_vec(), id)
        })
        .collect();
    by_hand.sort();
    let by_hand: Vec<String> = by_hand.into_iter().take(6).map(|(_, id)| id).collect();
    assert_eq!(by_hand, drawn);
    let ran = site.ok(&[
        "sample", "lunch", "--size", "20", "--seed", "1", "--found", "7", "--format", "json",
    ]);
    let shown = ran.json();
    let estimate = &shown["estimate"];
    let close = |name: &str, value: f64| (estimate[name].as_f64().expect("a number") - value).abs() < 1e-6;
    assert!(close("low", 0.153_909_2) && close("high", 0.592_188_5), "{estimate}");
    assert_eq!(
        (&shown["population"], &estimate["number_high"]),
        (&27.into(), &14.into())
    );
    let planned = site
        .ok(&["sample", "*", "--margin", "0.2", "--seed", "1", "--format", "json"])
        .json();
    assert!(
        planned["size"].as_u64().is_some_and(|size| (20..40).contains(&size)),
        "{}",
        planned["size"]
    );
    let usage = ["sample", "lunch", "--size", "5", "--seed", "1", "--found", "6"];
    site.run(&usage).expect(2).says(&["does not fit a sample of 5"]);
    site.run(&["sample", "lunch", "--size", "5", "--seed", "1", "--confidence", "1.5"])
        .expect(2);
}

#[test]
fn what_a_query_leaves_out_is_sampled_with_what_could_not_be_searched() {
    let site = made("1");
    let folder = site.path("files");
    files::write(
        &folder.join("picture.png"),
        [0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13],
    );
    ingest(&site, &folder, "Smith", "1");
    let draw = |more: &[&str]| {
        let mut args = vec![
            "sample",
            "lunch",
            "--elusion",
            "--size",
            "100",
            "--seed",
            "1",
            "--format",
            "json",
        ];
        args.extend(more);
        site.ok(&args)
    };
    let ran = draw(&["--found", "0"]).says(&["could not be searched"]);
    let shown = ran.json();
    assert_eq!(shown["population"], 51 - site.count("lunch"));
    assert_eq!(shown["not_searchable"][0]["items"], 1);
    let high = shown["estimate"]["high"].as_f64().expect("a number");
    assert!(high > 0.0 && high < 0.2, "{high}");
    let searchable = draw(&["--searchable-only"]).json();
    assert_eq!(searchable["population"], 50 - site.count("lunch"));
    let within = draw(&["--within", "custodian:Jones"]).json();
    assert_eq!(within["population"], site.count("custodian:Jones NOT lunch"));
    let hits = sampled(&site.ok(&["sample", "lunch", "--size", "100", "--seed", "1", "--format", "jsonl"]));
    let left: BTreeSet<&str> = shown["sample"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|hit| hit["item"].as_str())
        .collect();
    assert!(!hits.is_empty() && hits.iter().all(|hit| !left.contains(hit.as_str())));
}
