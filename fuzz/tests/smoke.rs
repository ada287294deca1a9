//! The targets still run, and the fuzzer still finds what is there to be found.

use std::path::Path;
use std::process::{Command, Output};

use embley_fuzz::ALL;

fn fuzz(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_fuzz")).args(arguments).output();
    output.expect("the fuzzer starts")
}

fn words(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// All targets on their seeds and a few cases more; fixed, so that the test gives the same answer every time.
#[test]
fn every_target_holds_on_its_seeds_and_some_cases() {
    let room = tempfile::tempdir().expect("a folder");
    let found = room.path().to_string_lossy().into_owned();
    let mut failed = Vec::new();
    for target in ALL {
        let cases = if target.name == "pst" { "12" } else { "80" };
        let output = fuzz(&[
            target.name,
            "--plain",
            "--cases",
            cases,
            "--seed",
            "7",
            "--found",
            &found,
        ]);
        let said = words(&output);
        let line = said.lines().last().unwrap_or_default();
        let ran = line.starts_with(&format!("{}\t{cases}\t", target.name));
        if !output.status.success() || !ran {
            failed.push(said);
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(ALL.len() > 30, "only {} targets", ALL.len());
}

/// Each way to go wrong is told apart, and the input that did it is named and run again.
#[test]
fn every_way_to_misbehave_is_found_and_reproduced() {
    let room = tempfile::tempdir().expect("a folder");
    let seeds = room.path().join("seeds");
    let found = room.path().join("found");
    for (name, text) in [
        ("a", "Panic"),
        ("b", "Caught"),
        ("c", "Invariant"),
        ("d", "Abort"),
        ("e", "Hang"),
        ("f", "Stack"),
        ("g", "Memory"),
    ] {
        put(&seeds.join(name), text);
    }
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let output = fuzz(&[
        "misbehave",
        "--corpus",
        &path(&seeds),
        "--found",
        &path(&found),
        "--cases",
        "8",
        "--case-seconds",
        "1",
    ]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for expected in [
        "on purpose, 5 bytes",
        "caught on purpose",
        "does not hold: on purpose",
        "does not end: it computes",
        "overflowed its stack",
        "memory allocation",
        "signal 6",
    ] {
        assert!(said.contains(expected), "no {expected:?} in\n{said}");
    }
    assert!(
        said.lines()
            .last()
            .is_some_and(|line| line.starts_with("misbehave\t8\t")),
        "{said}"
    );

    let mut again = 0;
    for entry in std::fs::read_dir(&found).expect("findings").flatten() {
        let output = fuzz(&["misbehave", "--one", &path(&entry.path()), "--case-seconds", "1"]);
        assert_eq!(output.status.code(), Some(1), "{}", words(&output));
        again += 1;
    }
    assert_eq!(again, 7, "{said}");
    let output = fuzz(&["misbehave", "--one", &path(&seeds.join("fine"))]);
    assert_eq!(
        output.status.code(),
        Some(2),
        "a file that is not there: {}",
        words(&output)
    );
}

#[test]
fn an_unknown_target_is_refused_by_name() {
    let output = fuzz(&["nothing"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(words(&output).contains("no target is called \"nothing\""));
}

#[expect(clippy::disallowed_methods, reason = "a test makes its own seeds")]
fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
    std::fs::write(path, text).expect("a seed");
}
