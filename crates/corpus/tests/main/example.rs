//! The worked example over ten seeds: the same bytes again, every rule planted and looked alike, clean where it says so, and a
//! truth that names only what the files hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use embley_corpus::example::{
    ExampleConfig, ExampleTruth, Label, TemplateChoice, TemplateSet, self_check, write_copies, write_example,
};
use embley_model::record::{Record, RecordKey, RecordType};

use crate::reader::{messages, walk};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;
/// Every innocent look-alike of DOMAIN section 8, by rule.
const LOOK_ALIKES: [(&str, &[&str]); 14] = [
    (
        "N1",
        &[
            "draft",
            "proposal",
            "quoted",
            "discussion",
            "negated",
            "hypothetical",
            "later-formal-record",
        ],
    ),
    ("N2", &["valid-delegation", "director-generals-case"]),
    ("N3", &["tasked-review-on-file", "acting-cover"]),
    ("N4", &["declared-by-mail-recorded-later", "relation-ended"]),
    ("N5", &["linked-earlier-matter"]),
    ("N6", &["authorised-re-determination", "appeal", "correction"]),
    ("N7", &["consultation-in-the-log", "consultation-in-mail"]),
    ("N8", &["exception-invoked", "other-channel-log", "other-channel-mail"]),
    ("N9", &["bulk-migration"]),
    ("N10", &["other-version-held", "irrelevant-circular"]),
    ("N11", &["line-management", "tasked-review", "it-staff", "admin-staff"]),
    ("N12", &["declined-gift", "refusal-recorded"]),
    ("N13", &["different-retention", "different-date-scope"]),
    ("N14", &["re-wrapped", "trimmed"]),
];

fn config(seed: u64) -> ExampleConfig {
    ExampleConfig {
        seed,
        ..ExampleConfig::default()
    }
}

fn made(config: &ExampleConfig) -> (tempfile::TempDir, ExampleTruth) {
    let dir = tempfile::tempdir().expect("a folder");
    let truth = write_example(dir.path(), config).unwrap_or_else(|error| panic!("seed {}: {error}", config.seed));
    (dir, truth)
}

/// Every file below a folder with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut paths = Vec::new();
    walk(dir, Path::new(""), &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(dir.join(&path)).expect("readable");
            (path, bytes)
        })
        .collect()
}

/// Records of both exports, with what the record reader had to say.
fn records(dir: &Path) -> BTreeMap<RecordKey, Record> {
    let mut all = BTreeMap::new();
    for system in ["tribune-like", "centurion-like"] {
        let bytes = std::fs::read(dir.join(format!("records/{system}.jsonl"))).expect("an export");
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert!(line.starts_with(b"{\"record_type\":"), "record_type is first");
            let (record, defects) = Record::read(line).expect("a canonical record");
            assert!(defects.is_empty(), "{defects:?} in {}", String::from_utf8_lossy(line));
            assert!(
                record.extra.is_empty() && record.unread.is_empty(),
                "{:?}",
                record.extra
            );
            assert_eq!(record.key.source_system, system);
            let twice = all.insert(record.key.clone(), record);
            assert!(twice.is_none(), "{twice:?} stands twice");
        }
    }
    all
}

#[test]
fn copies_share_people_and_registers_and_nothing_else() {
    let (one, _) = made(&config(3));
    let dir = tempfile::tempdir().expect("a folder");
    let copies = write_copies(dir.path(), &config(3), 3).expect("copies are made");
    let (single, all) = (records(one.path()), records(dir.path()));
    let shared = ["person", "register_"];
    let is_shared = |key: &&RecordKey| shared.iter().any(|word| key.record_type.word().starts_with(word));
    let of_people = single.keys().filter(is_shared).count();
    assert_eq!(copies.cases, 120);
    assert_eq!(copies.records, all.len() as u64);
    assert_eq!(all.len() - of_people, 3 * (single.len() - of_people));
    assert!(
        single
            .iter()
            .all(|(key, record)| all.get(key).is_some_and(|held| held == record))
    );
    let refs: BTreeSet<&str> = all
        .values()
        .filter(|record| record.key.record_type == RecordType::Case)
        .filter_map(|record| record.text("case_ref"))
        .collect();
    assert_eq!(refs.len(), 120, "every case has a reference of its own");
    let mut ids = BTreeSet::new();
    for (path, bytes) in files(&dir.path().join("mail")) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        ids.extend(
            text.lines()
                .filter_map(|line| Some(line.strip_prefix("Message-ID: ")?.to_owned())),
        );
        assert!(path.extension().is_some_and(|end| end == "mbox"), "{path:?}");
    }
    assert_eq!(ids.len() as u64, copies.messages, "every message has an id of its own");
    assert!(write_copies(dir.path(), &config(3), 0).is_err());
}

#[test]
fn ten_seeds_plant_every_rule_and_are_clean_elsewhere() {
    for seed in SEEDS {
        let wrong = self_check(&config(seed)).expect("the wordings are right");
        let shown: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert!(shown.is_empty(), "seed {seed}:\n{}", shown.join("\n"));
    }
}

#[test]
fn ten_seeds_write_what_their_truth_names() {
    for seed in SEEDS {
        let (dir, truth) = made(&config(seed));
        assert_eq!(truth.cases.len(), 40, "seed {seed}");
        assert_eq!(truth.people.len(), 30, "seed {seed}");
        check_look_alikes(&truth);
        check_records(dir.path(), &truth);
        check_messages(dir.path(), &truth);
        let regulations: BTreeSet<&str> = truth.cases.iter().map(|case| case.regulations.as_str()).collect();
        assert_eq!(regulations.len(), 4, "seed {seed}");
        assert!(
            truth.cases.iter().filter(|case| case.is_clean).count() >= 8,
            "seed {seed}"
        );
        let sets: BTreeSet<TemplateSet> = truth.messages.iter().map(|message| message.set).collect();
        assert_eq!(sets.len(), 2, "seed {seed}");
    }
}

fn check_look_alikes(truth: &ExampleTruth) {
    for (rule, variants) in LOOK_ALIKES {
        let of_rule: Vec<_> = truth.entries.iter().filter(|entry| entry.rule == rule).collect();
        let planted = of_rule.iter().filter(|entry| entry.label == Label::Planted).count();
        assert!(
            planted >= 1 && of_rule.len() - planted >= planted,
            "seed {}: {rule}",
            truth.seed
        );
        for variant in variants {
            assert!(
                of_rule
                    .iter()
                    .any(|entry| entry.label == Label::LookAlike && entry.variant == *variant),
                "seed {}: {rule} {variant}",
                truth.seed
            );
        }
    }
}

fn check_records(dir: &Path, truth: &ExampleTruth) {
    let records = records(dir);
    assert_eq!(records.len() as u64, truth.records[0] + truth.records[1]);
    assert!(truth.records[0] > 50 && truth.records[1] > 500, "{:?}", truth.records);
    let types: BTreeSet<RecordType> = records.keys().map(|key| key.record_type).collect();
    assert_eq!(
        types.len(),
        RecordType::ALL.len(),
        "seed {}: not every type",
        truth.seed
    );
    let people: BTreeSet<&str> = truth.people.iter().map(String::as_str).collect();
    let migrated = records
        .values()
        .filter(|record| record.time("migrated_at").is_some())
        .count();
    assert!(migrated > 30, "seed {}: {migrated} rows were moved", truth.seed);
    for record in records.values() {
        for name in [
            "person_id",
            "decided_by",
            "recorded_by",
            "other_person_id",
            "reviewer_id",
            "author_id",
        ] {
            assert!(
                record.text(name).is_none_or(|person| people.contains(person)),
                "{:?}",
                record.key
            );
        }
        for case_ref in record.case_refs() {
            assert!(truth.cases.iter().any(|case| case.case_ref == case_ref), "{case_ref}");
        }
        if let Some(id) = record.text("supersedes_decision_id") {
            let key = RecordKey {
                record_id: id.to_owned(),
                ..record.key.clone()
            };
            assert!(records.contains_key(&key), "{id} is superseded and not there");
        }
    }
    let named = truth.entries.iter().flat_map(|entry| &entry.records);
    let stated = truth.messages.iter().filter_map(|message| message.decision.as_ref());
    let mut count = 0;
    for id in named.chain(stated) {
        let key = RecordKey {
            source_system: id.source_system.clone(),
            record_type: RecordType::from_word(&id.record_type).expect("a type"),
            record_id: id.record_id.clone(),
        };
        assert!(records.contains_key(&key), "seed {}: {key:?}", truth.seed);
        count += 1;
    }
    assert!(count > 200, "{count} records are named");
    for entry in &truth.entries {
        assert!(entry.people.iter().all(|person| people.contains(person.as_str())));
    }
}

fn header(bytes: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\n\n").next()?.replace("\n ", " ");
    let line = head.lines().find(|line| line.starts_with(&format!("{name}: ")))?;
    Some(line[name.len() + 2..].to_owned())
}

fn check_messages(dir: &Path, truth: &ExampleTruth) {
    let mut held: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut referred = BTreeSet::new();
    for found in messages(dir, true) {
        let id = header(&found.bytes, "Message-ID").expect("every message has one");
        held.entry(id).or_default().insert(found.file);
        let references = header(&found.bytes, "References").unwrap_or_default();
        referred.extend(references.split(' ').filter(|id| !id.is_empty()).map(str::to_owned));
    }
    assert_eq!(held.len(), truth.messages.len());
    assert!(held.len() > 500, "{}", held.len());
    for message in &truth.messages {
        let files: BTreeSet<String> = message.files.iter().cloned().collect();
        assert_eq!(held.get(&message.message_id), Some(&files), "seed {}", truth.seed);
    }
    let absent: BTreeSet<String> = truth
        .entries
        .iter()
        .flat_map(|entry| entry.absent_message_ids.iter().cloned())
        .collect();
    let missing: BTreeSet<String> = referred.into_iter().filter(|id| !held.contains_key(id)).collect();
    assert_eq!(
        missing, absent,
        "seed {}: only planted messages are referred to and not held",
        truth.seed
    );
    for id in truth.entries.iter().flat_map(|entry| &entry.message_ids) {
        assert!(held.contains_key(id), "seed {}: {id}", truth.seed);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_another_example() {
    let (one, first) = made(&config(7));
    let (two, _) = made(&config(7));
    let (three, other) = made(&config(8));
    assert_eq!(files(one.path()), files(two.path()));
    assert_ne!(files(one.path()), files(three.path()));
    let names = |truth: &ExampleTruth| truth.custodians.clone();
    assert_ne!(names(&first), names(&other));
    let refs = |truth: &ExampleTruth| truth.cases.iter().map(|case| case.case_ref.clone()).collect::<Vec<_>>();
    assert_ne!(refs(&first), refs(&other));
}

#[test]
fn one_set_of_wordings_can_be_asked_for() {
    for (templates, set) in [
        (TemplateChoice::One, TemplateSet::One),
        (TemplateChoice::Two, TemplateSet::Two),
    ] {
        let (_dir, truth) = made(&ExampleConfig { seed: 3, templates });
        assert!(truth.messages.iter().all(|message| message.set == set));
    }
}

#[test]
fn addresses_lie_in_reserved_domains_and_names_in_the_invented_lists() {
    let (dir, _) = made(&config(5));
    let mut addresses = 0;
    for (path, bytes) in files(dir.path()) {
        let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{} is not text", path.display()));
        for piece in text
            .split(['<', '>', ' ', '"', ',', ';', '\n'])
            .filter(|piece| piece.contains('@'))
        {
            addresses += 1;
            assert!(piece.ends_with(".example"), "{piece} in {}", path.display());
        }
    }
    assert!(addresses > 1000, "{addresses}");
}

#[test]
fn csv_of_both_layouts_has_a_row_for_every_record() {
    let (dir, truth) = made(&config(4));
    for (system, expected) in ["tribune-like", "centurion-like"].iter().zip(truth.records) {
        let folder = dir.path().join("records").join(system);
        let mut rows = 0;
        for (_, bytes) in files(&folder) {
            rows += rows_of(&String::from_utf8(bytes).expect("text")) - 1;
        }
        assert_eq!(rows, expected, "{system}");
    }
}

/// Lines outside quotation marks.
fn rows_of(csv: &str) -> u64 {
    let mut rows = 0;
    let mut is_quoted = false;
    for letter in csv.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\n' if !is_quoted => rows += 1,
            _ => {}
        }
    }
    rows
}
