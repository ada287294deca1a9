//! The patterns that find decisions in mail were not taken from the wordings that they are scored on.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// Words in a row that a pattern and a wording may not have in common.
const RUN: usize = 4;

fn text(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Words in lower case; signs part words.
fn words(text: &str) -> Vec<String> {
    let all = text.split(|one: char| !one.is_alphanumeric());
    all.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Words that a query asks for side by side: of a phrase, or joined by `w/1` or `pre/1`. Other operators, parentheses and wildcards end a run.
fn runs(query: &str) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    let mut rest = query;
    while !rest.is_empty() {
        let run = all.last_mut().expect("there is always one");
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').expect("a phrase is closed");
            for word in quoted[..end].split_whitespace() {
                if word.contains(['*', '?']) {
                    all.push(Vec::new());
                } else {
                    all.last_mut().expect("there is always one").extend(words(word));
                }
            }
            rest = &quoted[end + 1..];
        } else if rest.starts_with(char::is_whitespace) {
            rest = rest.trim_start();
        } else {
            let end = rest.find([' ', '"']).unwrap_or(rest.len());
            let token = &rest[..end];
            let joins = matches!(token, "w/1" | "pre/1");
            let ends =
                token.contains(['(', ')', '*', '?', '/', '~', '^', '{']) || ["AND", "OR", "NOT"].contains(&token);
            if ends && !joins {
                all.push(Vec::new());
            } else if !joins {
                run.extend(words(token));
            }
            rest = &rest[end..];
        }
    }
    all.retain(|run| run.len() >= RUN);
    all
}

/// The queries and groups of a file of phrases: what stands between three quotes.
fn queries(file: &str) -> Vec<&str> {
    file.split("'''").skip(1).step_by(2).collect()
}

fn shared(patterns: &str, wordings: &str) -> BTreeSet<String> {
    let told = words(wordings);
    let told: BTreeSet<&[String]> = told.windows(RUN).collect();
    let mut found = BTreeSet::new();
    for query in queries(patterns) {
        for run in runs(query) {
            let same = run.windows(RUN).filter(|four| told.contains(four));
            found.extend(same.map(|four| four.join(" ")));
        }
    }
    found
}

#[test]
fn no_pattern_has_four_words_in_a_row_of_a_wording_of_the_example() {
    let patterns = text("config/decision-phrases.toml");
    assert!(queries(&patterns).len() > 50, "the queries are read");
    for set in ["set-one", "set-two"] {
        let wordings = text(&format!("crates/corpus/data/templates/{set}.toml"));
        assert!(words(&wordings).len() > 1_000, "{set} is read");
        assert_eq!(shared(&patterns, &wordings), BTreeSet::new(), "{set}");
    }
}

#[test]
fn a_pattern_that_copies_a_wording_is_seen() {
    let wording = "text = \"We met, and the Red lorry went home.\"";
    let check = |query: &str, expected: &[&str]| {
        let file = format!("query = '''{query}'''");
        let found: Vec<String> = shared(&file, wording).into_iter().collect();
        assert_eq!(found, expected, "{query}");
    };
    check("we OR \"the red LORRY went\"", &["the red lorry went"]);
    check("the w/1 red pre/1 lorry pre/1 went", &["the red lorry went"]);
    check("the red lorry went", &["the red lorry went"]);
    check("the OR red OR lorry OR went", &[]);
    check("\"the red lorry\" pre/2 went", &[]);
    check("\"the red lor* went\"", &[]);
}
