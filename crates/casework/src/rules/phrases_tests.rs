//! What the built-in patterns find in sentences of ordinary office English, and what a file of phrases may not say.

use super::Says;
use crate::rules::RuleSet;

/// Decisions that stand as stated, and those that something makes something else of.
fn said(text: &str) -> (Vec<String>, Vec<String>) {
    let rules = RuleSet::built_in().expect("the built-in rules are right");
    let phrases = &rules.phrases;
    let places: Vec<usize> = phrases
        .that(|says| matches!(says, Says::Decision(_)))
        .map(|(place, _)| place)
        .collect();
    let (mut plain, mut turned) = (Vec::new(), Vec::new());
    for found in phrases.found_in("", text, &places) {
        let Says::Decision(kind) = &found.pattern.says else {
            continue;
        };
        let into = if found.turned.is_empty() {
            &mut plain
        } else {
            &mut turned
        };
        if !into.contains(kind) {
            into.push(kind.clone());
        }
    }
    (plain, turned)
}

#[test]
fn statements_are_found_with_their_type() {
    let check = |text: &str, kind: &str| {
        let (plain, turned) = said(text);
        assert!(plain.iter().any(|one| one == kind), "{text}: {plain:?} {turned:?}");
    };
    check("I determine that the sergeant has a case to answer.", "case_to_answer");
    check("Outcome: NCTA for PC 12.", "case_to_answer");
    check("The severity assessment is gross misconduct.", "severity_assessment");
    check("This would, if proved, amount to misconduct.", "severity_assessment");
    check("We have revised the severity down to misconduct.", "severity_revision");
    check("It was recorded as a complaint on Monday.", "recording");
    check("We referred it to the IOPC this morning.", "referral");
    check(
        "The special requirements are met and I have certified the file.",
        "special_requirements",
    );
    check("You are appointed investigator with effect from Monday.", "appointment");
    check("He was suspended from duty last night.", "suspension");
    check("Her duties are restricted until further notice.", "restriction");
    check("The panel imposed a final written warning.", "misconduct_outcome");
    check("There will be no further action.", "no_further_action");
    check("We discontinued the investigation.", "discontinuance");
    check("I have decided to disapply the complaint.", "disapplication");
}

#[test]
fn what_is_denied_drafted_proposed_supposed_or_talked_about_is_turned() {
    let check = |text: &str| {
        let (plain, turned) = said(text);
        assert!(plain.is_empty() && !turned.is_empty(), "{text}: {plain:?} {turned:?}");
    };
    check("I have not decided whether there is a case to answer.");
    check("Draft for you.\n\nI find that there is a case to answer.");
    check("I propose to suspend him from duty.");
    check("If there is a case to answer we must book a room.");
    check("Let us discuss whether she has a case to answer.");
    check("No decision was made on suspension from duty.");
    assert_eq!(said("Is there a case to answer?"), (Vec::new(), Vec::new()));
    assert_eq!(said("Lunch on Monday with the chair."), (Vec::new(), Vec::new()));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own folder")]
fn a_file_that_cannot_be_used_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder is made");
    let check = |lines: &str, words: &[&str]| {
        let text = format!("format = 1\nversion = 1\ncitation = \"x\"\n{lines}");
        std::fs::write(folder.path().join("decision-phrases.toml"), text).expect("written");
        let said = RuleSet::open(&[folder.path()]).expect_err("refused").to_string();
        for word in words {
            assert!(said.contains(word), "{said:?} should say {word:?}");
        }
    };
    let line = |table: &str, more: &str| format!("[[{table}]]\nid = \"a\"\nversion = 1\non = true\n{more}\n");
    let of = "decision = \"case_to_answer\"\n";
    check(
        &line("statement", "query = \"a\""),
        &["statement \"a\", decision", "missing"],
    );
    check(
        &line("statement", "decision = \"verdict\"\nquery = \"a\""),
        &["no decision_type"],
    );
    check(&line("statement", &format!("{of}query = \"{{b}}\"")), &["no group `b`"]);
    check(
        &line("statement", &format!("{of}query = \"subject:a\"")),
        &["query", "no field `subject`"],
    );
    check(
        &line("statement", &format!("{of}query = \"(a\"")),
        &["statement \"a\", query"],
    );
    check(&line("turn", "query = \"a\""), &["turn \"a\", into"]);
    check(
        &line("support", "into = \"draft\"\nquery = \"a\""),
        &["only turn has one"],
    );
    let two = format!("{0}{0}", line("support", "query = \"a\""));
    check(&two, &["two lines have this id"]);
}
