//! The string-search cases of NIST's computer forensics tool testing, run through the program, and the page that tells the results.
//!
//! The cases have NIST's names; the targets are our own (NIST's are disk images, which are no input of this program). As there,
//! every target string has an identifier right behind it, which says which target a search found.

mod cases;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use embley_tests::{Site, files};

use cases::{CASES, Case, GROUPS};
use targets::{Target, targets};

/// What a search found and what it should have.
struct Outcome {
    found: BTreeSet<&'static str>,
    missed: Vec<&'static str>,
    too_many: Vec<&'static str>,
}

/// Takes all targets in and runs every case.
fn outcomes(all: &[Target]) -> Vec<(&'static Case, Outcome)> {
    let site = Site::new();
    for target in all {
        files::write(&site.path("in").join(target.path), &target.bytes);
    }
    let ran = site.ingest(&[site.path("in").as_os_str()]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    site.ok(&["verify"]);
    let mut ids: BTreeMap<u64, Vec<&'static str>> = BTreeMap::new();
    for id in all.iter().flat_map(|target| &target.ids).copied() {
        let hits = site.hits(id);
        for hit in hits {
            ids.entry(hit["item_no"].as_u64().expect("a number"))
                .or_default()
                .push(id);
        }
    }
    let known: BTreeSet<&str> = ids.values().flatten().copied().collect();
    for id in all.iter().flat_map(|target| &target.ids) {
        assert!(known.contains(id), "the identifier {id} is not found by itself");
    }
    CASES
        .iter()
        .map(|case| {
            let items = site.hits(case.query);
            let numbers = items.iter().filter_map(|hit| hit["item_no"].as_u64());
            let found: BTreeSet<&str> = numbers
                .flat_map(|number| ids.get(&number).cloned().unwrap_or_default())
                .collect();
            let wanted: BTreeSet<&str> = case.finds.iter().copied().collect();
            let outcome = Outcome {
                missed: wanted.difference(&found).copied().collect(),
                too_many: found.difference(&wanted).copied().collect(),
                found,
            };
            (case, outcome)
        })
        .collect()
}

fn page(all: &[Target], outcomes: &[(&'static Case, Outcome)]) -> String {
    let mut page = String::from(
        "# String search: NIST's cases and our results\n\n\
         Made by `tests/tests/conformance`, which runs every line through the program; a test holds this page and the results together.\n\
         The names of the cases are those of NIST's computer forensics tool testing (CFTT), string search, test data set 1.1. The targets are\n\
         our own: NIST's are images of file systems, and this program takes in files, mailboxes and archives. As there, each target string has\n\
         an identifier behind it (`as01`), which tells what a search found.\n",
    );
    for group in GROUPS {
        page.push_str(&format!("\n## {}: {}\n\n", group.name, group.about));
        if let Some(words) = group.note {
            page.push_str(&format!("{words}\n\n"));
        }
        let mut rows = outcomes.iter().filter(|(case, _)| case.group == group.name).peekable();
        if rows.peek().is_none() {
            continue;
        }
        page.push_str("| what is asked | query | found | result |\n| --- | --- | --- | --- |\n");
        for (case, outcome) in rows {
            let result = match (outcome.missed.as_slice(), outcome.too_many.as_slice()) {
                ([], []) => "as expected".to_owned(),
                (missed, too_many) => {
                    let part = |what: &str, ids: &[&str]| match ids {
                        [] => String::new(),
                        ids => format!("{what} {}", ids.join(" ")),
                    };
                    [part("missed", missed), part("too many", too_many)]
                        .into_iter()
                        .filter(|words| !words.is_empty())
                        .collect::<Vec<_>>()
                        .join("; ")
                }
            };
            let found: Vec<&str> = outcome.found.iter().copied().collect();
            let found = if found.is_empty() {
                "nothing".to_owned()
            } else {
                found.join(" ")
            };
            page.push_str(&format!(
                "| {} | `{}` | {found} | {result} |\n",
                case.about,
                case.query.replace('|', "\\|")
            ));
        }
    }
    page.push_str("\n## Targets\n\n| identifiers | what | where |\n| --- | --- | --- |\n");
    for target in all {
        page.push_str(&format!(
            "| {} | {} | `{}` |\n",
            target.ids.join(" "),
            target.about,
            target.path
        ));
    }
    page
}

#[test]
fn every_case_gives_what_it_should_and_the_page_says_so() {
    let all = targets();
    let outcomes = outcomes(&all);
    let made = page(&all, &outcomes);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    if std::env::var_os("EMBLEY_WRITE_PAGES").is_some() {
        files::write(&path, &made);
    }
    let odd: Vec<String> = outcomes
        .iter()
        .filter(|(_, outcome)| !outcome.missed.is_empty() || !outcome.too_many.is_empty())
        .map(|(case, outcome)| format!("{}: {:?} {:?}", case.query, outcome.missed, outcome.too_many))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
    let committed = String::from_utf8(files::read(&path)).expect("text");
    assert_eq!(committed, made, "make the page again with EMBLEY_WRITE_PAGES=1");
}
