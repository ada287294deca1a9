//! What is in quarantine shows to nobody without the role: every command is walked in two cases, one with a planted family, archive
//! member and record in quarantine, one in which they were never taken in. No word, address, file name, Message-ID or hash of them may
//! stand in what the first says, and whatever depends on a query must be the same in both.
//!
//! The commands are those that the program itself lists: one that is not classified here fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use embley_tests::program::{Program, Ran};
use embley_tests::{Site, files, packed};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// What stands in the quarantined items and nowhere else.
const TRACES: [&str; 8] = [
    "zyxquorble",
    "verhexnick",
    "quillfathom",
    "plimsollkrux",
    "kraddlewump",
    "ottergloam",
    "sproggle",
    "Brummelstoat",
];

/// The words that a privilege reviewer screens by.
const TERMS: &str = "# seen by the privilege reviewer alone\nzyxquorble\nfrom:verhexnick@quillfathom.example\n";

/// An administrator: may do everything but this.
const OUTSIDER: &str = "ann";
const REVIEWER: &str = "pat";

fn visible(number: u32) -> Vec<u8> {
    let reply = if number > 1 {
        "In-Reply-To: <1.open@mail.example>\n"
    } else {
        ""
    };
    format!(
        "Message-ID: <{number}.open@mail.example>\nDate: Mon, 6 Jan 2020 10:0{number}:00 +0000\n{reply}\
         From: Ash Birch <ash.birch@mail.example>\nTo: Rowan Elm <rowan.elm@mail.example>\nSubject: the rota of the week\n\n\
         The rota of this week is in the usual place, see CM/1/20, and number {number} says who stands in for whom when somebody is\n\
         away. Please tell the desk by noon whether the dates of the second half suit you, or else they stay as they are.\n"
    )
    .into_bytes()
}

/// A reply in the same thread, nearly the same text, a broken date, and an attachment.
fn quarantined() -> Vec<u8> {
    "Message-ID: <ottergloam@quillfathom.example>\nDate: some day in spring\nIn-Reply-To: <1.open@mail.example>\n\
     From: Ann Brummelstoat <verhexnick@quillfathom.example>\nTo: Rowan Elm <rowan.elm@mail.example>\n\
     Subject: the rota of the week zyxquorble\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
     Content-Type: text/plain; charset=no-such-charset\n\n\
     The rota of this week is in the usual place, see CM/1/20, and number 9 says who stands in for whom when somebody is\n\
     away. Please tell the desk by noon whether the dates of the second half suit you, or else they stay as they are.\n\n\
     --b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=plimsollkrux.txt\n\nrota of the week\n--b--\n"
        .into()
}

/// A case in which a second source brings what is quarantined, or all but that.
struct Planted {
    site: Site,
    folder: String,
}

impl Planted {
    fn new(with: bool) -> Self {
        let site = Site::new();
        for number in 1..5 {
            files::write(&site.path(&format!("one/{number}.eml")), visible(number));
        }
        site.ingest(&[site.path("one").as_os_str(), "--custodian".as_ref(), "Birch".as_ref()])
            .expect(0);
        files::write(&site.path("records.jsonl"), RECORDS);
        let records = site.path("records.jsonl").display().to_string();
        site.run(&["records", "import", &records]).expect(0);
        as_user(&site, OUTSIDER, &["user", "add", OUTSIDER, "--role", "administrator"]).expect(0);
        as_user(
            &site,
            OUTSIDER,
            &["user", "add", REVIEWER, "--role", "privilege-reviewer"],
        )
        .expect(0);
        files::write(&site.path("terms.txt"), TERMS);
        let terms = site.path("terms.txt").display().to_string();
        as_user(&site, REVIEWER, &["privilege", "add-terms", &terms]).expect(0);
        files::write(&site.path("two/5.eml"), visible(5));
        if with {
            files::write(&site.path("two/zz-kraddlewump.eml"), quarantined());
            let member = "the notes of zyxquorble\n".as_bytes();
            files::write(
                &site.path("two/zz-papers.zip"),
                packed::zip(&[("plimsollkrux notes.txt", member)]),
            );
        }
        let folder = site.path("two").display().to_string();
        let ran = as_user(
            &site,
            OUTSIDER,
            &["ingest", "--progress", "none", &folder, "--custodian", "Elm"],
        )
        .expect(0);
        assert_eq!(traces_in(&ran), Vec::<String>::new());
        if with {
            files::write(&site.path("more.jsonl"), HIDDEN_RECORD);
            let more = site.path("more.jsonl").display().to_string();
            as_user(&site, OUTSIDER, &["records", "import", &more]).expect(0);
        }
        let planted = Self { site, folder };
        // The first certificate of a person makes their key, and says so.
        planted
            .run(OUTSIDER, &["certificate", "rota", "--out", "{root}/first.json"])
            .expect(0);
        planted
    }

    fn run(&self, user: &str, args: &[&str]) -> Ran {
        as_user(&self.site, user, &self.typed(args))
    }

    /// `{two}`, `{out}` and the like are paths of this site.
    fn typed(&self, args: &[&str]) -> Vec<String> {
        let root = self.site.root().display().to_string();
        let put = |arg: &&str| arg.replace("{two}", &self.folder).replace("{root}", &root);
        args.iter().map(put).collect()
    }

    /// What a command said, without what two cases never have in common: paths, moments, ids of the case.
    fn said(&self, ran: &Ran) -> (Option<i32>, String, String) {
        let root = self.site.root().display().to_string();
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        let parsed: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(&text).into_iter().collect();
        let text = match parsed {
            Ok(values) if text.starts_with(['{', '[']) => {
                let scrubbed = values.into_iter().map(scrubbed);
                scrubbed.map(|value| format!("{value:#}\n")).collect()
            }
            _ => text,
        };
        (
            ran.code,
            text.replace(&root, ""),
            timeless(&ran.stderr.replace(&root, "")),
        )
    }
}

const RECORDS: &str = r#"{"record_type":"case","source_system":"tribune","record_id":"CM/1/20","case_ref":"CM/1/20","case_type":"conduct_matter","schedule_3":false,"came_to_attention_at":"2020-01-02","opened_at":"2020-01-02"}
{"record_type":"person","source_system":"tribune","record_id":"P-1","person_id":"P-1","full_name":"Ash Birch","aliases":[{"kind":"smtp","value":"ash.birch@mail.example"}]}
{"record_type":"decision","source_system":"tribune","record_id":"D-1","case_ref":"CM/1/20","decision_type":"severity_assessment","decided_at":"2020-01-06","decided_by":"P-1"}
"#;

const HIDDEN_RECORD: &str = r#"{"record_type":"decision","source_system":"tribune","record_id":"D-sproggle","case_ref":"CM/1/20","decision_type":"case_to_answer","outcome":"zyxquorble","decided_at":"2020-01-07","decided_by":"P-1"}
"#;

fn as_user<A: AsRef<std::ffi::OsStr>>(site: &Site, user: &str, args: &[A]) -> Ran {
    // One person, one key, in both cases, and not that of whoever runs the test.
    static HOME: OnceLock<TempDir> = OnceLock::new();
    let home = HOME.get_or_init(|| TempDir::new().expect("a temporary folder")).path();
    site.program(args)
        .env("EMBLEY_USER", user)
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .run()
}

/// A text without words that are moments of this run; the made evidence is of 2020.
fn timeless(text: &str) -> String {
    let is_now = |word: &str| word.len() >= 20 && word.contains('T') && word.contains('Z') && !word.starts_with("2020");
    let words = text.split(' ');
    let kept = words.map(|word| {
        if is_now(word) && word.starts_with("20") {
            "NOW"
        } else {
            word
        }
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// Fields that say when, in which case, or by which state of the index.
const VARIES: [&str; 19] = [
    "created_at",
    "created_at_micros",
    "at",
    "when",
    "at_micros",
    "started",
    "ended",
    "case_id",
    "id",
    "ticket",
    "index_ticket",
    "since",
    "since_micros",
    "key",
    "made_at",
    "recorded_at_micros",
    "digest",
    "run_id",
    "run",
];

fn scrubbed(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| !VARIES.contains(&name.as_str()))
            .map(|(name, value)| (name, scrubbed(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(scrubbed).collect(),
        other => other,
    }
}

fn traces_in(ran: &Ran) -> Vec<String> {
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), ran.stderr).to_lowercase();
    let hash = embley_model::id::hex_encode(&Sha256::digest(quarantined()));
    let all = TRACES.iter().map(|trace| trace.to_lowercase()).chain([hash]);
    all.filter(|trace| said.contains(trace)).collect()
}

/// How a command is walked.
#[derive(Clone, Copy, PartialEq)]
enum Walk {
    /// Says the same in both cases.
    Same,
    /// No trace; its totals are of the whole case.
    Totals,
    /// Says the same refusal in both cases.
    Refused,
    /// Looks into no case, or makes its own.
    NoCase,
}

use Walk::{NoCase, Refused, Same, Totals};

const FACETS: &str = "custodian,sender,recipient,domain,type,language,year,month,day,case,exhibit,tag,defect,source,label,searchability,privilege,review";

/// Every command with what is typed behind it. The order is that in which they are walked: those that change something come late.
const COMMANDS: &[(&str, Walk, &[&[&str]])] = &[
    // First, so that nothing is in it that the walk itself types: what the privilege reviewer typed before must not show.
    (
        "audit list",
        Totals,
        &[
            &["--all", "--format", "json"],
            &["--all", "--format", "csv"],
            &["--who", REVIEWER, "--all", "--format", "jsonl"],
        ],
    ),
    ("audit verify", Totals, &[&["--format", "json"]]),
    ("audit checkpoint", Totals, &[&[]]),
    ("audit prove", Totals, &[&["1"]]),
    ("audit restart", Totals, &[&["--reason", "x"]]),
    (
        "search",
        Same,
        &[
            &["*", "--all", "--format", "json", "--facets", FACETS],
            &["*", "--all", "--format", "csv", "--level", "family"],
            &[
                "*", "--all", "--format", "json", "--level", "family", "--facets", FACETS,
            ],
            &["*", "--count", "--scope", "instance"],
            &["*", "--count", "--scope", "custodian"],
            &["rota", "--all", "--format", "jsonl", "--sort", "relevance"],
            &[
                "rota OR noon OR case",
                "--all",
                "--format",
                "json",
                "--sort",
                "relevance",
                "--level",
                "family",
            ],
            &["zyxq*", "--explain"],
            &["zyxquorbl~2", "--explain"],
            &["zyxquorbl?", "--explain"],
            &["/zyxq[a-z]+/", "--explain"],
            &["z*", "--explain"],
            &["zyxquorble", "--count"],
            &["=zyxquorble", "--count"],
            &["zyxquorble w/3 week", "--count"],
            &["NOT rota", "--all", "--format", "json"],
            &["NOT rota", "--all", "--format", "json", "--level", "family"],
            &["from:verhex*", "--explain"],
            &["domain:quill*", "--explain"],
            &["filename:plims*", "--explain"],
            &["path:kradd*", "--explain"],
            &["message-id:otter*", "--explain"],
            &["has:defect", "--all", "--format", "json"],
            &["has:not-searchable", "--all", "--format", "json"],
            &["*", "--not-searchable", "--all", "--format", "json"],
            &["thread:1", "--all", "--format", "json"],
            &["person:P-1", "--all", "--format", "json"],
            &["case:CM/1/20", "--all", "--format", "json"],
            &["item:10", "--explain"],
            &["item:11", "--count"],
            &["type:record", "--all", "--format", "json"],
            &["NOT review:relevant", "--count"],
        ],
    ),
    (
        "terms",
        Same,
        &[&["{root}/list.txt", "--by-custodian", "--format", "json"]],
    ),
    (
        "sample",
        Same,
        &[
            &["*", "--size", "100", "--seed", "1", "--format", "json"],
            &["rota", "--elusion", "--size", "100", "--seed", "1", "--format", "json"],
        ],
    ),
    (
        "show",
        Same,
        &[
            &["1", "--thread", "--format", "json"],
            &["1", "--thread"],
            &["1", "--near", "--format", "json"],
            &["1", "--near"],
            &["1", "--instances", "--format", "json"],
            &["1", "--family"],
            &["2"],
            &["2", "--text"],
            // In the one case these are quarantined, in the other they do not exist.
            &["9"],
            &["9", "--text"],
            &["10", "--raw"],
            &["10", "--family"],
            &["11", "--instances"],
            &["12", "--raw"],
            &["13", "--thread"],
            &["#9"],
            &["{id}"],
        ],
    ),
    ("exceptions", Same, &[&["--all", "--format", "json"], &["--all"]]),
    (
        "records list",
        Same,
        &[&["--format", "json"], &["--type", "decision", "--format", "json"]],
    ),
    ("records changes", Same, &[&["--format", "json"]]),
    ("records maps", Same, &[&[]]),
    ("people list", Same, &[&["--format", "json"]]),
    ("people show", Same, &[&["P-1"]]),
    ("people suggest", Same, &[&["--format", "json"]]),
    ("timeline", Same, &[&["CM/1/20", "--format", "json"]]),
    ("indicators", Same, &[&["--format", "json", "--keep", "--explained"]]),
    ("indicators export", Same, &[&["--draft"]]),
    ("indicators runs", Same, &[&["--format", "json"]]),
    (
        "indicators conclude",
        Same,
        &[&["abc", "--as", "explained", "--text", "x"]],
    ),
    (
        "dip-sample",
        Same,
        &[&["--size", "5", "--seed", "1", "--format", "json"]],
    ),
    (
        "certificate",
        Same,
        &[&["rota OR z*", "--out", "{root}/certificate.json", "--with-items"]],
    ),
    ("replay", Same, &[&["{root}/certificate.json", "--format", "json"]]),
    ("tag add", Same, &[&["rota", "--query", "*"]]),
    ("tag list", Same, &[&["--format", "json"]]),
    ("tag remove", Same, &[&["rota", "--query", "noon"]]),
    ("tag set", Same, &[&["outcome", "--tag", "rota"]]),
    ("tag colour", Same, &[&["rota", "green"]]),
    ("tag history", Same, &[&["--format", "json"]]),
    ("tag undo", Same, &[&["1"]]),
    ("note add", Same, &[&["1", "--text", "read"], &["9", "--text", "read"]]),
    (
        "note edit",
        Same,
        &[&["1", "--text", "read again"], &["99", "--text", "x"]],
    ),
    (
        "note list",
        Same,
        &[&["--history", "--format", "json"], &["9", "--format", "json"]],
    ),
    ("note withdraw", Same, &[&["1"]]),
    (
        "batch create",
        Same,
        &[&["first", "--query", "*", "--size", "2", "--form", "relevance"]],
    ),
    ("batch list", Same, &[&["--format", "json"]]),
    ("batch checkout", Same, &[&["1", "--format", "json"]]),
    ("batch show", Same, &[&["1", "--format", "json"], &["99"]]),
    ("coding forms", Same, &[&["--format", "json"]]),
    (
        "coding set",
        Same,
        &[
            &[
                "--form",
                "relevance",
                "--answer",
                "relevance=relevant",
                "--answer",
                "privilege=no",
                "--query",
                "*",
            ],
            &[
                "--form",
                "relevance",
                "--answer",
                "relevance=relevant",
                "--answer",
                "privilege=no",
                "9",
            ],
        ],
    ),
    (
        "coding list",
        Same,
        &[
            &["--format", "json"],
            &["--history", "--format", "json"],
            &["9", "--format", "json"],
        ],
    ),
    ("coding compare", Same, &[&["--form", "relevance", "--format", "json"]]),
    ("batch done", Same, &[&["1"]]),
    ("batch reopen", Same, &[&["1", "--note", "x"]]),
    ("batch release", Same, &[&["1"]]),
    ("batch second", Same, &[&["first", "--all", "--format", "json"]]),
    (
        "disclosure set",
        Same,
        &[
            &["unused", "--query", "*"],
            &["sensitive", "9", "--reason", "x"],
            &["sensitive", "2", "--reason", "x"],
        ],
    ),
    ("disclosure describe", Same, &[&["1", "a message"], &["9", "a message"]]),
    ("disclosure list", Same, &[&["--format", "json"]]),
    (
        "disclosure history",
        Same,
        &[&["--format", "json"], &["9", "--format", "json"]],
    ),
    ("disclosure clear", Same, &[&["--query", "noon AND number"]]),
    (
        "schedule mg6c",
        Totals,
        &[&["--format", "json"], &["--issue", "--format", "json"]],
    ),
    ("schedule mg6d", Totals, &[&["--issue", "--format", "json"]]),
    ("schedule mg6e", Totals, &[&["--format", "json"]]),
    ("schedule mg12", Totals, &[&["--format", "json"]]),
    ("schedule list", Totals, &[&["--format", "json"]]),
    (
        "export",
        Totals,
        &[
            &["--query", "*", "--as", "csv", "--out", "{root}/export-csv"],
            &[
                "--query",
                "*",
                "--as",
                "csv",
                "--out",
                "{root}/export-privileged",
                "--privileged",
                "legal",
            ],
        ],
    ),
    ("verify-export", NoCase, &[&["{root}/export-csv", "--format", "json"]]),
    (
        "indicators phrases",
        Same,
        &[&["--format", "json"], &["--test", "9", "--format", "json"]],
    ),
    ("records links", Same, &[&["--format", "json"]]),
    ("records link", Same, &[&["9", "1", "--reason", "x"]]),
    ("records history", Same, &[&["1"], &["9"]]),
    ("records case-links", Same, &[&["CM/1/20", "--format", "json"]]),
    (
        "records case-link",
        Same,
        &[
            &["CM/1/20", "1", "--not", "--reason", "x"],
            &["CM/1/20", "9", "--reason", "x"],
        ],
    ),
    ("people mentions", Same, &[&["P-1", "--format", "json"]]),
    (
        "people mention",
        Same,
        &[&["P-1", "1", "--reason", "x"], &["P-1", "9", "--reason", "x"]],
    ),
    (
        "exhibit add",
        Same,
        &[&["AB/1", "--query", "rota", "--produced-by", "Ash Birch"]],
    ),
    ("exhibit link", Same, &[&["AB/1", "CM/1/20"]]),
    ("exhibit show", Totals, &[&["AB/1", "--format", "json"]]),
    ("exhibit continuity", Totals, &[&["AB/1", "--format", "json"]]),
    ("exhibit label", Totals, &[&["AB/1", "--out", "{root}/label.html"]]),
    ("exhibit file", Same, &[&["AB/1", "1"]]),
    ("exhibit history", Totals, &[&["AB/1", "--format", "json"]]),
    ("exhibit unlink", Same, &[&["AB/1", "CM/1/20"]]),
    ("exhibit remove", Same, &[&["AB/1", "--query", "noon"]]),
    ("exhibit list", Same, &[&["--format", "json"]]),
    ("review set", Same, &[&["relevant", "--query", "*"]]),
    ("review clear", Same, &[&["--query", "noon"]]),
    ("review undo", Same, &[&["1"], &["99"], &["4"]]),
    ("review list", Same, &[&["--format", "json"]]),
    ("privilege mark", Same, &[&["legal", "--query", "*"], &["legal", "9"]]),
    ("privilege unmark", Same, &[&["legal", "--query", "noon"]]),
    ("privilege undo", Same, &[&["1"], &["99"]]),
    ("privilege list", Same, &[&["--format", "json"]]),
    ("privilege add-terms", Refused, &[&["rota"]]),
    ("privilege end-term", Refused, &[&["rota", "--reason", "x"]]),
    ("privilege terms", Refused, &[&["--format", "json"]]),
    ("privilege screen", Refused, &[&[]]),
    (
        "privilege release",
        Refused,
        &[&["--query", "*", "--by", "x", "--reason", "x"]],
    ),
    ("privilege history", Refused, &[&["--format", "json"]]),
    (
        "user list",
        Same,
        &[&["--format", "json"], &["--changes", "--format", "json"]],
    ),
    ("user roles", Same, &[&[]]),
    ("user add", Same, &[&["ivo", "--role", "investigator"]]),
    ("user role", Same, &[&["ivo", "reader", "auditor"]]),
    ("user disable", Same, &[&["ivo"]]),
    ("saved add", Same, &[&["everything", "*"], &["words", "z*"]]),
    (
        "saved run",
        Same,
        &[&["everything", "--format", "json"], &["words", "--count"]],
    ),
    ("saved change", Same, &[&["words", "rota"]]),
    ("saved list", Same, &[&["--format", "json"]]),
    ("saved show", Same, &[&["everything", "--format", "json"]]),
    ("saved remove", Same, &[&["words"]]),
    ("people merge", Same, &[&["P-1", "P-2", "--reason", "x"]]),
    ("people split", Same, &[&["P-1", "--reason", "x"]]),
    ("people alias", Same, &[&["P-1", "desk@mail.example", "--reason", "x"]]),
    ("status", Totals, &[&["--format", "json"], &["--format", "table"]]),
    ("runs list", Totals, &[&["--format", "json"]]),
    ("runs show", Totals, &[&["run:0001"], &["run:0002"], &["run:0003"]]),
    (
        "verify",
        Totals,
        &[&["--format", "json"], &["--deep", "--format", "json"]],
    ),
    ("doctor", Totals, &[&["--format", "json"]]),
    (
        "ingest",
        Totals,
        &[&["--progress", "none", "{two}", "--custodian", "Elm", "--rehash"]],
    ),
    ("records import", Totals, &[&["{root}/records.jsonl"]]),
    ("reindex", Totals, &[&["--progress", "none"]]),
    ("history", Totals, &[&["--all", "--format", "json"]]),
    ("journal", Totals, &[&["--all", "--format", "json"]]),
    ("init", NoCase, &[]),
    ("bench", NoCase, &[]),
    ("demo", NoCase, &[]),
    ("help", NoCase, &[]),
];

/// All commands that the program lists, those of commands of several words by all their words.
fn listed(before: &[&str], all: &mut BTreeSet<String>) {
    let mut args = before.to_vec();
    args.push("--help");
    let help = Program::new(&args).run().expect(0);
    let text = help.text();
    let Some(commands) = text.split("Commands:\n").nth(1) else {
        all.insert(before.join(" "));
        return;
    };
    // A command that does something by itself too, such as `indicators`.
    let mut usage = text
        .split("Usage:")
        .nth(1)
        .unwrap_or("")
        .lines()
        .take_while(|line| !line.trim().is_empty());
    if !before.is_empty() && usage.any(|line| !line.trim_end().ends_with("COMMAND>")) {
        all.insert(before.join(" "));
    }
    let mut found = 0;
    for line in commands.lines().take_while(|line| line.starts_with("  ")) {
        let Some(word) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else {
            continue;
        };
        let word = word.split_whitespace().next().unwrap_or("");
        found += 1;
        if word == "help" {
            if before.is_empty() {
                all.insert("help".to_owned());
            }
            continue;
        }
        let mut words = before.to_vec();
        words.push(word);
        listed(&words, all);
    }
    assert!(found > 0, "{text}");
}

#[test]
fn every_command_is_walked_and_none_shows_what_is_in_quarantine() {
    let mut all = BTreeSet::new();
    listed(&[], &mut all);
    let classified: BTreeMap<&str, usize> = COMMANDS.iter().map(|(name, _, typed)| (*name, typed.len())).collect();
    let unknown: Vec<&String> = all
        .iter()
        .filter(|name| !classified.contains_key(name.as_str()))
        .collect();
    assert_eq!(
        unknown,
        Vec::<&String>::new(),
        "a command that nobody looked at for what is in quarantine: classify it in COMMANDS"
    );
    let gone: Vec<&&str> = classified.keys().filter(|name| !all.contains(**name)).collect();
    assert_eq!(gone, Vec::<&&str>::new(), "a command that is classified is not there");

    let (with, without) = (Planted::new(true), Planted::new(false));
    // The test asserts that there is something to hide: the reviewer sees it, and it is all that the one case has more.
    let seen = with.run(
        REVIEWER,
        &[
            "search",
            "zyxq* OR from:verhex* OR filename:plims*",
            "--all",
            "--format",
            "json",
        ],
    );
    assert!(seen.json()["count"].as_u64() >= Some(4), "{seen:?}");
    assert!(traces_in(&seen).len() >= 5, "{seen:?}");
    let count = |planted: &Planted, user: &str| -> u64 {
        let ran = planted.run(user, &["search", "*", "--count"]);
        ran.text().trim().parse().expect("a number")
    };
    assert_eq!(count(&with, REVIEWER), count(&without, REVIEWER) + 5);

    let hidden_id = seen.json()["hits"][0]["item"].as_str().expect("an item id").to_owned();
    let mut walked = 0;
    for planted in [&with, &without] {
        files::write(&planted.site.path("list.txt"), "rota\nzyxq*\nNOT rota\nz*\n");
    }
    let mut wrong = Vec::new();
    for (name, walk, lines) in COMMANDS {
        for line in *lines {
            let typed: Vec<String> = line.iter().map(|arg| arg.replace("{id}", &hidden_id)).collect();
            let mut args: Vec<&str> = name.split(' ').collect();
            args.extend(typed.iter().map(String::as_str));
            let (one, two) = (with.run(OUTSIDER, &args), without.run(OUTSIDER, &args));
            walked += 1;
            // What was typed may be said again; the query itself is no trace.
            let asked = typed.join(" ").to_lowercase();
            let traces: Vec<String> = traces_in(&one)
                .into_iter()
                .filter(|trace| !asked.contains(trace))
                .collect();
            if !traces.is_empty() && *name != "history" {
                wrong.push(format!("{args:?} shows {traces:?}: {one:?}"));
            }
            let same = with.said(&one) == without.said(&two);
            match walk {
                Same | Refused if !same => wrong.push(format!(
                    "{args:?} differs\n--- with\n{:?}\n--- without\n{:?}",
                    with.said(&one),
                    without.said(&two)
                )),
                Refused if !one.stderr.contains("privilege-reviewer") => wrong.push(format!("{args:?}: {one:?}")),
                Same | Refused | Totals | NoCase => {}
            }
            if one.code.is_none() || one.code == Some(70) || one.stderr.contains("Usage: embley") {
                wrong.push(format!("{args:?} failed: {one:?}"));
            }
        }
    }
    assert!(walked > 90, "{walked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn new_material_is_held_back_until_it_is_screened_and_a_stopped_run_leaves_no_gap() {
    let site = Site::new();
    files::write(&site.path("one/1.eml"), visible(1));
    site.ingest(&[site.path("one").as_os_str()]).expect(0);
    as_user(&site, OUTSIDER, &["user", "add", OUTSIDER, "--role", "administrator"]).expect(0);
    as_user(
        &site,
        OUTSIDER,
        &["user", "add", REVIEWER, "--role", "privilege-reviewer"],
    )
    .expect(0);
    as_user(&site, REVIEWER, &["privilege", "add-terms", "zyxquorble"]).expect(0);
    let count = |user: &str, query: &str| {
        as_user(&site, user, &["search", "--count", query])
            .text()
            .trim()
            .to_owned()
    };
    assert_eq!(
        count(OUTSIDER, "*"),
        "1",
        "what was in the case stays as it was until somebody screens"
    );
    files::write(&site.path("two/2.eml"), visible(2));
    files::write(&site.path("two/3.eml"), quarantined());
    let two = site.path("two").display().to_string();
    for point in ["catalogue-commit", "index-commit", "finish-begin", "finish-commit"] {
        let site = site.copy();
        let count = |user: &str, query: &str| {
            let ran = as_user(&site, user, &["search", "--count", query]);
            ran.text().trim().parse::<u64>().expect("a number")
        };
        let killed = site
            .program(&["ingest", "--progress", "none", &two])
            .env("EMBLEY_USER", OUTSIDER)
            .env("EMBLEY_FAILPOINT", format!("{point}:1"))
            .run();
        assert!(killed.signal.is_some(), "{point}: {killed:?}");
        assert_eq!(count(OUTSIDER, "zyxquorble"), 0, "{point}");
        let seen = if point == "finish-commit" { 2 } else { 1 };
        assert_eq!(
            count(OUTSIDER, "*"),
            seen,
            "{point}: nothing of an unscreened run is seen"
        );
        for item in ["2", "3", "4"] {
            assert_eq!(
                traces_in(&as_user(&site, OUTSIDER, &["show", item])),
                Vec::<String>::new(),
                "{point}"
            );
        }
        as_user(&site, OUTSIDER, &["ingest", "--progress", "none", &two]).expect(0);
        assert_eq!((count(OUTSIDER, "*"), count(REVIEWER, "*")), (2, 4), "{point}");
        assert_eq!(count(OUTSIDER, "zyxquorble"), 0, "{point}");
        as_user(&site, OUTSIDER, &["verify", "--deep"]).expect(0);
    }
}

#[test]
fn counsel_releases_and_the_family_shows_when_all_of_it_is_released() {
    let planted = Planted::new(true);
    let count = |query: &str| {
        planted
            .run(OUTSIDER, &["search", "--count", query])
            .text()
            .trim()
            .to_owned()
    };
    assert_eq!(count("zyxquorble"), "0");
    let found = planted
        .run(REVIEWER, &["search", "subject:zyxquorble", "--format", "json"])
        .json();
    let item = found["hits"][0]["item_no"].to_string();
    let release = |args: &[&str], code: i32| {
        let mut all = vec!["privilege", "release"];
        all.extend(args);
        all.extend(["--by", "A. Counsel KC", "--reason", "about dates only"]);
        planted.run(REVIEWER, &all).expect(code)
    };
    planted
        .run(OUTSIDER, &["privilege", "release", &item, "--by", "x", "--reason", "y"])
        .expect(2)
        .says(&["privilege-reviewer"]);
    release(&[&item], 0).says(&["1 items released by A. Counsel KC", "stay out of sight"]);
    assert_eq!(count("zyxquorble"), "0", "its attachment is in quarantine still");
    release(&[&item, "--families"], 0).says(&["1 items released"]);
    assert_eq!(count("subject:zyxquorble"), "1");
    assert_eq!(
        count("notes AND zyxquorble"),
        "0",
        "the member of the archive is not released"
    );
    // Screening again does not take back what was released.
    planted
        .run(REVIEWER, &["privilege", "screen"])
        .expect(0)
        .says(&["stay released"]);
    assert_eq!(count("subject:zyxquorble"), "1");
    let events = planted
        .run(REVIEWER, &["privilege", "history", "--format", "json"])
        .json();
    let releases: Vec<&Value> = events["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|event| event["action"] == "released")
        .collect();
    assert_eq!(releases.len(), 2, "{events}");
    for event in releases {
        assert_eq!(
            (&event["actor"], &event["counsel"]),
            (&REVIEWER.into(), &"A. Counsel KC".into())
        );
        assert_ne!(event["before_hash"], event["after_hash"]);
    }
    planted.run(OUTSIDER, &["verify", "--deep"]).expect(0);
}

#[test]
fn roles_are_in_force_from_the_first_user_on_and_a_refusal_names_the_role() {
    let site = Site::new();
    files::write(&site.path("one/1.eml"), visible(1));
    site.ingest(&[site.path("one").as_os_str()]).expect(0);
    site.run(&["status"]).expect(0).says(&["roles are not in force"]);
    site.run(&["privilege", "terms"])
        .expect(2)
        .says(&["needs the role privilege-reviewer"]);
    site.run(&["user", "add", "bob", "--role", "reader"])
        .expect(2)
        .says(&["the first user of a case is an administrator"]);
    site.run(&["user", "add", OUTSIDER, "--role", "administrator"])
        .expect(0);
    site.run(&["status"])
        .expect(2)
        .says(&["tester is no user of this case"]);
    as_user(&site, OUTSIDER, &["user", "add", "bob", "--role", "reader"]).expect(0);
    as_user(&site, "bob", &["search", "rota", "--count"]).expect(0);
    as_user(&site, "bob", &["tag", "add", "x", "1"])
        .expect(2)
        .says(&["bob is reader and may not tag", "investigator or exhibit-officer"]);
    as_user(&site, OUTSIDER, &["user", "disable", "bob", "--reason", "left"]).expect(0);
    as_user(&site, "bob", &["search", "rota"])
        .expect(2)
        .says(&["disabled user"]);
    let changes = as_user(&site, OUTSIDER, &["user", "list", "--changes", "--format", "json"]).json();
    assert_eq!(changes["changes"].as_array().map(Vec::len), Some(3), "{changes}");
    assert_eq!(changes["changes"][2]["before"], "reader");
    assert_eq!(changes["changes"][2]["after"], "reader,disabled");
}

/// What was said about items before a term took them: exhibits, notes, batches, codings, decisions about disclosure, issued schedules.
#[test]
fn what_was_said_of_items_before_they_were_quarantined_is_hidden_with_them() {
    let site = Site::new();
    for number in 1..5 {
        files::write(&site.path(&format!("one/{number}.eml")), visible(number));
    }
    files::write(&site.path("one/zz-kraddlewump.eml"), quarantined());
    site.ingest(&[site.path("one").as_os_str()]).expect(0);
    files::write(&site.path("records.jsonl"), RECORDS);
    let records = site.path("records.jsonl").display().to_string();
    site.run(&["records", "import", &records]).expect(0);
    let user = |args: &[&str]| as_user(&site, OUTSIDER, args);
    user(&["user", "add", OUTSIDER, "--role", "administrator"]).expect(0);
    let found = user(&["search", "subject:zyxquorble", "--format", "json"]).json();
    let item = found["hits"][0]["item_no"].to_string();
    let item = item.as_str();
    for made in [
        &[
            "exhibit",
            "add",
            "AB/1",
            "--query",
            "rota",
            "--produced-by",
            "Ash Birch",
        ][..],
        &[
            "exhibit",
            "add",
            "AB/2",
            item,
            "--produced-by",
            "Ash Birch",
            "--description",
            "zyxquorble",
        ],
        &["note", "add", item, "--text", "verhexnick wrote it"],
        &["note", "add", "--exhibit", "AB/2", "--text", "by Brummelstoat"],
        &[
            "batch",
            "create",
            "first",
            "--query",
            "*",
            "--size",
            "2",
            "--form",
            "relevance",
        ],
        &[
            "coding",
            "set",
            "--form",
            "relevance",
            "--answer",
            "relevance=relevant",
            "--answer",
            "privilege=no",
            item,
        ],
        &["disclosure", "set", "unused", "--query", "*"],
        &["disclosure", "set", "sensitive", item, "--reason", "names Brummelstoat"],
        &["disclosure", "set", "meets-test", item, "--reason", "sproggle"],
        &["disclosure", "describe", item, "the letter of verhexnick"],
        &["tag", "add", "ottergloam", item, "--note", "plimsollkrux"],
        &["schedule", "mg6c", "--issue"],
        &["schedule", "mg6d", "--issue"],
        &["schedule", "mg6e", "--issue"],
        &["schedule", "mg12", "--issue"],
    ] {
        user(made).expect(0);
    }
    let listed: &[&[&str]] = &[
        &["exhibit", "list", "--format", "json"],
        &["exhibit", "show", "AB/1", "--format", "json"],
        &["exhibit", "show", "AB/2", "--format", "json"],
        &["exhibit", "continuity", "AB/2"],
        &["exhibit", "label", "--all"],
        &["exhibit", "history", "AB/1", "--format", "json"],
        &["exhibit", "history", "AB/2", "--format", "json"],
        &["note", "list", "--history", "--format", "json"],
        &["note", "list", item],
        &["note", "edit", "1", "--text", "x"],
        &["note", "list", "--exhibit", "AB/2"],
        &["batch", "list", "--format", "json"],
        &["batch", "show", "3", "--format", "json"],
        &["coding", "list", "--history", "--format", "json"],
        &["disclosure", "list", "--format", "json"],
        &["disclosure", "history", "--format", "json"],
        &["schedule", "list", "--format", "json"],
        &["schedule", "mg6c", "--show", "1", "--format", "json"],
        &["schedule", "mg6d", "--show", "1", "--format", "json"],
        &["schedule", "mg6e", "--show", "1", "--format", "json"],
        &["schedule", "mg12", "--show", "1", "--format", "json"],
        &["schedule", "mg6d", "--format", "json"],
        &["schedule", "mg6e", "--format", "json"],
        &["tag", "list", "--format", "json"],
        &["tag", "history", "--format", "json"],
        &["journal", "--all", "--format", "json"],
    ];
    let shown = |who: &str| -> Vec<String> {
        let all = listed.iter().map(|args| (args, as_user(&site, who, args)));
        all.filter(|(_, ran)| !traces_in(ran).is_empty())
            .map(|(args, ran)| format!("{args:?}: {ran:?}"))
            .collect()
    };
    assert!(shown(OUTSIDER).len() >= 12, "there is something to hide");
    user(&["user", "add", REVIEWER, "--role", "privilege-reviewer"]).expect(0);
    files::write(&site.path("terms.txt"), TERMS);
    let terms = site.path("terms.txt").display().to_string();
    as_user(&site, REVIEWER, &["privilege", "add-terms", &terms]).expect(0);
    as_user(&site, REVIEWER, &["privilege", "screen"]).expect(0);
    as_user(&site, REVIEWER, &["search", "Brummelstoat"]).expect(0);
    assert_eq!(shown(OUTSIDER), Vec::<String>::new());
    assert!(shown(REVIEWER).len() >= 8, "it is hidden, and not gone");
    // The numbers of schedules go on behind those of what is hidden.
    user(&["schedule", "mg6d", "--issue"]).expect(0);
    for form in ["native", "csv", "jsonl", "xlsx", "dat", "case-uco", "html", "pdf"] {
        let out = site.path(form);
        let path = out.display().to_string();
        let ran = user(&["export", "--query", "*", "--families", "--as", form, "--out", &path]);
        assert_eq!((ran.code, traces_in(&ran)), (Some(0), Vec::new()), "{ran:?}");
        for file in files::all_files(&out) {
            let text = String::from_utf8_lossy(&files::read(&file)).to_lowercase();
            let traces: Vec<&&str> = TRACES
                .iter()
                .filter(|trace| text.contains(&trace.to_lowercase()))
                .collect();
            assert_eq!(traces, Vec::<&&str>::new(), "{}", file.display());
        }
    }
    let page = site.path("timeline.html").display().to_string();
    let ran = user(&["timeline", "CM/1/20", "--html", &page]).expect(0);
    assert_eq!(traces_in(&ran), Vec::<String>::new());
    let text = String::from_utf8_lossy(&files::read(&site.path("timeline.html"))).to_lowercase();
    assert!(
        TRACES.iter().all(|trace| !text.contains(&trace.to_lowercase())),
        "{text}"
    );
    user(&["verify", "--deep"]).expect(0);
}

#[test]
fn the_log_says_that_reviewers_acted_and_withholds_what_they_typed() {
    let planted = Planted::new(true);
    planted
        .run(REVIEWER, &["search", "zyxquorble OR Brummelstoat"])
        .expect(0);
    let refused = planted.run(OUTSIDER, &["privilege", "terms"]).expect(2);
    assert_eq!(traces_in(&refused), Vec::<String>::new());
    let entries = |who: &str| -> Vec<Value> {
        let list = planted
            .run(who, &["audit", "list", "--all", "--format", "json"])
            .expect(0);
        list.json()["entries"].as_array().expect("entries").clone()
    };
    let ran = planted.run(OUTSIDER, &["audit", "list", "--all", "--format", "json"]);
    assert_eq!(traces_in(&ran), Vec::<String>::new());
    let all = entries(OUTSIDER);
    let of_reviewer: Vec<&Value> = all.iter().filter(|entry| entry["who"] == REVIEWER).collect();
    assert!(of_reviewer.len() >= 2, "{all:?}");
    for entry in of_reviewer {
        assert_eq!(
            (
                &entry["withheld"],
                &entry["parameters"],
                &entry["result"],
                &entry["code"]
            ),
            (&true.into(), &Value::Null, &Value::Null, &Value::Null),
            "{entry}"
        );
        assert!(entry["command"].is_string() && entry["at"].is_string(), "{entry}");
    }
    let own = all
        .iter()
        .find(|entry| entry["command"] == "privilege terms")
        .expect("an entry");
    assert_eq!(
        (&own["who"], &own["ended"]),
        (&OUTSIDER.into(), &"refused".into()),
        "{own}"
    );
    let history = planted
        .run(OUTSIDER, &["history", "--all", "--format", "json"])
        .expect(0);
    assert_eq!(traces_in(&history), Vec::<String>::new());
    planted.run(OUTSIDER, &["audit", "verify"]).expect(0);
    // Whoever looks after the case has no word of it; an auditor neither, and a reviewer may not read the log.
    planted.run(REVIEWER, &["audit", "list"]).expect(2).says(&["auditor"]);
}
