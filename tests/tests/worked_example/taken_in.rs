//! One worked example taken in, and the indicators that the program raises over it.

use std::collections::{BTreeMap, BTreeSet};

use embley_corpus::example::{ExampleConfig, ExampleTruth, RecordId, TemplateChoice, write_example};
use embley_model::record::{RecordKey, RecordType};
use embley_tests::{Site, files};
use serde_json::Value;

/// An indicator, in the words of the truth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raised {
    pub(crate) rule: String,
    pub(crate) case_ref: Option<String>,
    pub(crate) people: BTreeSet<String>,
    /// Printed ids of its records.
    pub(crate) records: BTreeSet<String>,
    /// Message-IDs of the messages that it names, or that hold what it names.
    pub(crate) messages: BTreeSet<String>,
    /// Something on record explains it wholly: it is set aside.
    pub(crate) is_explained: bool,
    pub(crate) sentence: String,
}

/// An example with what the program says of it.
pub(crate) struct Scored {
    pub(crate) truth: ExampleTruth,
    pub(crate) raised: Vec<Raised>,
    /// Rules that the program has.
    pub(crate) rules: BTreeSet<String>,
}

/// Makes the example, takes in its mail by custodian and its records, and runs the indicators.
pub(crate) fn run(seed: u64, templates: TemplateChoice) -> Scored {
    let site = Site::new();
    let made = site.path("made");
    let truth =
        write_example(&made, &ExampleConfig { seed, templates }).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let custodians = String::from_utf8(files::read(&made.join("custodians.csv"))).expect("text");
    let mut manifest = String::from("path,custodian,label\n");
    for line in custodians.lines().skip(1) {
        let custodian = line.split(',').next().unwrap_or_default();
        manifest.push_str(&format!("mail/{custodian},{custodian},{custodian}\n"));
    }
    assert_eq!(manifest.lines().count(), truth.custodians.len() + 1, "seed {seed}");
    let listed = made.join("manifest.csv");
    files::write(&listed, manifest);
    let taken = site
        .ingest(&["--manifest", listed.to_str().expect("a plain path")])
        .expect(0);
    drop(taken);
    for system in ["tribune-like", "centurion-like"] {
        let path = made.join(format!("records/{system}.jsonl"));
        site.ok(&["records", "import", path.to_str().expect("a plain path")]);
    }
    let messages = message_ids(&site);
    assert!(
        truth
            .messages
            .iter()
            .all(|one| messages.values().any(|id| *id == one.message_id)),
        "seed {seed}: not every message of the truth is in the case"
    );
    let whole = site
        .ok(&["indicators", "--explained", "--keep", "--format", "json"])
        .json();
    let rules = whole["rules"].as_array().expect("rules").iter().map(text).collect();
    let lines = site.ok(&["indicators", "--explained", "--format", "jsonl"]).lines();
    assert_eq!(
        whole["indicators"].as_array().map(Vec::len),
        Some(lines.len()),
        "seed {seed}: the two formats say the same"
    );
    let raised = lines.iter().map(|one| raised(one, &messages)).collect();
    Scored { truth, raised, rules }
}

/// Message-IDs by the printed ids of messages.
fn message_ids(site: &Site) -> BTreeMap<String, String> {
    let hits = site.hits("type:email");
    hits.iter()
        .filter(|hit| hit["message_id"].is_string())
        .map(|hit| (text(&hit["item"]), text(&hit["message_id"])))
        .collect()
}

fn raised(one: &Value, messages: &BTreeMap<String, String>) -> Raised {
    let list = |name: &str| one[name].as_array().into_iter().flatten().map(text);
    // A part of a message stands for its message.
    let message = |id: String| messages.get(id.split('/').next().unwrap_or_default()).cloned();
    let sentence = text(&one["sentence"]);
    let said = sentence.split_inclusive('>').filter_map(|piece| {
        let at = piece.rfind('<')?;
        Some(piece[at..].to_owned())
    });
    Raised {
        rule: text(&one["rule"]),
        case_ref: one["case_ref"].as_str().map(ToOwned::to_owned),
        people: list("people").collect(),
        records: list("records").collect(),
        messages: list("items").filter_map(message).chain(said).collect(),
        is_explained: one["confidence"] == "explained",
        sentence,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The printed id of a record of the truth.
pub(crate) fn printed(id: &RecordId) -> String {
    RecordKey {
        source_system: id.source_system.clone(),
        record_type: RecordType::from_word(&id.record_type).expect("a type of records"),
        record_id: id.record_id.clone(),
    }
    .display()
}
