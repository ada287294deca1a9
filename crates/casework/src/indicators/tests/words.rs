//! Every sentence is fair: no template accuses, and every indicator says that it speaks of the material loaded.

use serde_json::json;

use super::World;
use crate::indicators::{Ask, RULES};

/// Words that judge people. A word stands here in the form in which it would begin.
const ACCUSING: [&str; 44] = [
    "guilt",
    "corrupt",
    "lied",
    "liar",
    "lying",
    "cover-up",
    "coverup",
    "covered up",
    "misconduct by",
    "wrongdo",
    "dishonest",
    "fraud",
    "bribe",
    "bribery",
    "illegal",
    "unlawful",
    "criminal",
    "offence",
    "offender",
    "culprit",
    "suspect",
    "suspicious",
    "collu",
    "conspir",
    "abuse",
    "improper",
    "interfer",
    "manipulat",
    "falsif",
    "forged",
    "tamper",
    "conceal",
    "hid ",
    "hidden from",
    "fail",
    "neglect",
    "breach",
    "violat",
    "deliberate",
    "intentional",
    "blame",
    "fault",
    "should have",
    "must have",
];

/// True when a word of the text begins so.
fn begins(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices(word)
        .any(|(at, _)| !text[..at].chars().next_back().is_some_and(char::is_alphabetic))
}

/// String literals of a source text, an escaped quotation mark as an apostrophe; comments and test code are left out.
fn literals(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.map(|line| format!("{line}\n")).collect();
    let mut all = Vec::new();
    let code = code.replace("\\\"", "'");
    for (at, piece) in code.split('"').enumerate() {
        if at % 2 == 1 {
            all.push(piece.to_lowercase());
        }
    }
    all
}

#[test]
fn no_template_accuses_anybody() {
    let sources = [
        include_str!("../n1.rs"),
        include_str!("../n2.rs"),
        include_str!("../n3.rs"),
        include_str!("../n4.rs"),
        include_str!("../n4_mail.rs"),
        include_str!("../n5.rs"),
        include_str!("../n6.rs"),
        include_str!("../n7.rs"),
        include_str!("../n7_mail.rs"),
        include_str!("../n8.rs"),
        include_str!("../n8_mail.rs"),
        include_str!("../n9.rs"),
        include_str!("../n10.rs"),
        include_str!("../n11.rs"),
        include_str!("../n12.rs"),
        include_str!("../n13.rs"),
        include_str!("../n14.rs"),
        include_str!("../clock_states.rs"),
        include_str!("../governing.rs"),
        include_str!("../run.rs"),
        include_str!("../draft.rs"),
        include_str!("../conclusion.rs"),
        include_str!("../../dip_sample.rs"),
        include_str!("../../timeline/contradictions.rs"),
        include_str!("../../timeline/marks.rs"),
        include_str!("../../timeline/sentence.rs"),
        include_str!("../../timeline/wording.rs"),
    ];
    assert!(sources.len() >= RULES.len() + 8, "a new rule stands here too");
    let mut read = 0;
    for source in sources {
        for literal in literals(source) {
            read += 1;
            for word in ACCUSING {
                assert!(!begins(&literal, word), "{word:?} in {literal:?}");
            }
        }
    }
    assert!(read > 300, "only {read} literals were read");
    for text in [
        include_str!("../../../../../config/rules/indicators.toml"),
        include_str!("../../../../../config/rules/clocks.toml"),
        include_str!("../../../../../config/rules/deciders.toml"),
    ] {
        for word in ACCUSING {
            assert!(!begins(text, word), "{word:?}");
        }
    }
}

#[test]
fn every_indicator_begins_with_the_material_loaded_and_says_something_for_and_against() {
    let world = World::new();
    world.conduct_case();
    world
        .decision("D-1", "severity_assessment", "2020-03-10", "P-INV", json!({"regime_cited": "SI 2012/2632", "recorded_at": "2020-06-01"}))
        .decision("D-2", "severity_assessment", "2020-04-10", "P-AA", json!({}))
        .role("R-3", "P-INV", "reviewer", json!({}))
        .add("register_association", "A-1", json!({"person_id": "P-OFF", "other_person_id": "P-AA", "from": "2019-01-01"}))
        .add("register_procurement", "K-1", json!({"contract_ref": "K/1", "organisation": "N", "evaluator_ids": ["P-X"], "awarded_at": "2020-05-01"}))
        .add("register_gift", "G-1", json!({"person_id": "P-X", "organisation": "N", "offered_at": "2020-04-01", "outcome": "accepted"}))
        .add("review", "V-1", json!({"case_ref": "CM/1/20", "review_kind": "supervisory", "completed_at": "2021-06-01"}))
        .add("case", "CM/2/20", json!({"case_ref": "CM/2/20", "came_to_attention_at": "2020-03-02", "schedule_3": true}))
        .add("decision", "D-9", json!({"case_ref": "CM/2/20", "decision_type": "severity_revision", "decided_at": "2020-04-01", "decided_by": "P-X"}));
    let outcome = world.run(&Ask::default());
    let mut rules: Vec<&str> = outcome.indicators.iter().map(|one| one.rule).collect();
    rules.dedup();
    let of_records: Vec<&str> = RULES
        .iter()
        .filter(|rule| !rule.reads_mail())
        .map(|rule| rule.id())
        .collect();
    assert_eq!(rules, of_records, "each rule over records says something here");
    for one in &outcome.indicators {
        assert!(one.sentence.starts_with("In the material loaded, "), "{}", one.sentence);
        assert!(
            one.sentence.ends_with('.') && !one.sentence.contains(".."),
            "{}",
            one.sentence
        );
        assert!(
            !one.speaks_for.is_empty() && !one.speaks_against.is_empty(),
            "{} {}",
            one.rule,
            one.sentence
        );
        assert!(!one.citation.is_empty() && !one.records.is_empty() && one.records.len() == one.items.len());
        let said = [&one.speaks_for, &one.speaks_against, &one.not_searchable.said]
            .into_iter()
            .flatten();
        for words in said.chain([&one.sentence]) {
            for word in ACCUSING {
                assert!(!begins(words, word), "{word:?} in {words:?}");
            }
        }
    }
}
