//! The evidence of these tests, the way it is taken in, and what two cases that hold it must have in common.

use std::path::Path;

use embley_tests::site::same_text;
use embley_tests::{Program, Site, files, made};

/// All layouts of made mail, and what ends in the exception register.
pub(crate) fn make(folder: &Path, messages: u64, seed: u64) {
    made::corpus(&folder.join("made"), messages, seed);
    let odd = folder.join("made/mail/odd");
    files::write(&odd.join("empty.mbox"), "");
    files::write(&odd.join("note.txt"), "a loose text with the word xqloose in it\n");
    files::write(&odd.join("picture.png"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    std::os::unix::fs::symlink("nowhere", odd.join("dangling")).expect("a link can be made");
}

/// The ingest that is disturbed: small ranges, checkpoints and segments, so that every durable step comes often.
pub(crate) fn ingest(site: &Site, folder: &Path) -> Program {
    let mail = folder.join("made/mail");
    site.ingest_program(&[
        mail.to_str().expect("UTF-8"),
        "--custodian-from-path",
        "1",
        "--threads",
        "2",
        "--test-range-bytes",
        "65536",
        "--test-checkpoint-bytes",
        "150000",
        "--test-segment-bytes",
        "1500000",
    ])
}

/// What the case says about the evidence, leaving out how many runs it took: a run that was killed after its end is followed
/// by one that finds nothing new, and lists again what it could not read.
pub(crate) fn said(site: &Site) -> String {
    let mut all = String::new();
    let (mut section, mut run) = ("", "");
    let dump = site.dump();
    for line in dump.lines() {
        if line.starts_with('#') {
            section = line;
        } else if line.starts_with("run ") {
            run = line;
        }
        let of_a_later_run = match section {
            "# runs" => !run.is_empty() && !run.starts_with("run 1 "),
            "# exceptions" => !line.starts_with('#') && !line.starts_with("1 "),
            _ => false,
        };
        if !of_a_later_run {
            all.push_str(line);
            all.push('\n');
        }
    }
    for query in ["*", "xqloose", "type:email AND has:attachment", "has:defect"] {
        let ran = site.run(&["search", "--all", "--no-snippets", "--format", "jsonl", "--", query]);
        all.push_str(ran.text());
    }
    all
}

/// The undisturbed case over the same evidence, and what it says.
pub(crate) fn undisturbed(folder: &Path) -> (Site, String) {
    let site = Site::new();
    ingest(&site, folder)
        .run()
        .expect(3)
        .says(&["all sums close", "1 excepted"]);
    let said = said(&site);
    assert!(said.lines().count() > 1_000, "there is hardly anything to compare");
    (site, said)
}

/// Panics unless a case that was disturbed has become what the undisturbed one is.
#[track_caller]
pub(crate) fn check_same(what: &str, expected: &str, site: &Site) {
    same_text(what, expected, &said(site));
    site.ok(&["verify", "--deep"]);
    for run in site.status()["runs"].as_array().expect("runs") {
        assert_eq!(
            (&run["state"], &run["balanced"]),
            (&"done".into(), &true.into()),
            "{what}: {run}"
        );
    }
    assert!(
        site.case().join("runs/000001/summary.json").is_file(),
        "{what}: the first run has no record"
    );
}
