//! The import table of DESIGN section 5, held against what cargo resolves.

use std::collections::BTreeMap;
use std::process::Command;

/// Who may import whom; the same table stands in ARCHITECTURE.md.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("mapi", &["model"]),
    ("pst", &["model", "mapi"]),
    ("formats", &["model", "mapi", "pst"]),
    ("store", &["model"]),
    ("index", &["model"]),
    ("ingest", &["model", "mapi", "formats", "store", "index"]),
    ("search", &["model", "store", "index"]),
    ("casework", &["model", "store", "ingest", "search"]),
    ("corpus", &["model"]),
    (
        "cli",
        &[
            "model", "formats", "store", "index", "ingest", "search", "casework", "corpus",
        ],
    ),
    ("testkit", &["model", "store"]),
];

/// Packages that compile in one of our crates only.
const ALONE: &[(&str, &str)] = &[
    ("tantivy", "index"),
    ("rusqlite", "store"),
    ("mail-parser", "formats"),
    ("clap", "cli"),
    ("indicatif", "cli"),
    ("rust_xlsxwriter", "casework"),
    ("krilla", "casework"),
    ("ed25519-dalek", "store"),
];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--locked",
            "--offline",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// For each of our crates the names of what it imports outside tests.
fn imports() -> BTreeMap<String, Vec<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let name = package["name"]
                .as_str()
                .expect("name")
                .trim_start_matches("embley-")
                .to_owned();
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let names = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().expect("name").to_owned())
                .collect();
            (name, names)
        })
        .collect()
}

#[test]
fn crates_import_only_what_the_table_allows() {
    let imports = imports();
    let mut edges = 0;
    for (name, allowed) in ALLOWED {
        let found = imports.get(*name).unwrap_or_else(|| panic!("crate {name} is missing"));
        for ours in found.iter().filter_map(|import| import.strip_prefix("embley-")) {
            edges += 1;
            assert!(
                allowed.contains(&ours),
                "{name} imports {ours}, which the table does not allow"
            );
        }
    }
    assert!(edges > 15, "only {edges} edges were seen");
}

#[test]
fn heavy_packages_are_named_in_one_crate_only() {
    for (package, home) in ALONE {
        for (name, found) in imports() {
            if ["tests", "benches"].contains(&name.as_str()) {
                continue;
            }
            let names_it = found.iter().any(|import| import == package);
            assert!(
                !names_it || name == *home,
                "{name} names {package}, which is for {home} alone"
            );
        }
        assert!(
            imports()[*home].iter().any(|import| import == package),
            "{home} does not name {package}"
        );
    }
}

#[test]
fn the_table_in_the_architecture_is_this_one() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for (name, allowed) in ALLOWED {
        let line = format!(
            "| `{name}` | {} |",
            if allowed.is_empty() {
                "-".to_owned()
            } else {
                allowed.join(", ")
            }
        );
        assert!(text.contains(&line), "ARCHITECTURE.md lacks the line {line:?}");
    }
}

/// What judges mail and records never sees what is planted in the example, nor the crate that makes it.
#[test]
fn casework_reads_neither_a_truth_nor_the_maker_of_the_example() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut wait = vec![root.join("crates/casework"), root.join("config")];
    let mut files = 0;
    while let Some(path) = wait.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder of the project");
            wait.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        files += 1;
        for word in [
            "embley-corpus",
            "embley_corpus",
            "truth.json",
            "data/templates",
            "set-one",
            "set-two",
        ] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
    assert!(files > 50, "only {files} files were seen");
}
