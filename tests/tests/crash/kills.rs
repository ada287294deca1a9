//! `kill -9`, a hundred times and more.

use std::collections::BTreeMap;
use std::path::Path;

use embley_model::failpoint::NAMES;
use embley_tests::{Dice, Program, Ran, Site, files, program};
use rustix::process::Signal;

use crate::evidence;

/// Kills asked for by the specification, and how many of them at each durable step.
const KILLS: u32 = 100;
const PER_STEP: u32 = 10;
const SEED: u64 = 20_260_101;
/// Steps that come once, when all input is in.
const AT_THE_END: [&str; 3] = ["finish-begin", "finish-commit", "run-close"];
const SIGKILL: i32 = 9;

/// What is to happen to one case: steps, and at which passage of each the process dies.
fn plan(dice: &mut Dice) -> Vec<(&'static str, u64)> {
    let mut early: Vec<(&'static str, u64)> = Vec::new();
    for name in NAMES.iter().copied().filter(|name| !AT_THE_END.contains(name)) {
        let most = match name {
            "pack-append" => 6,
            "pack-sync" | "catalogue-commit" => 3,
            // The first transaction of a run is the one that begins it.
            "catalogue-begin" => 4,
            _ => 1,
        };
        early.extend([(name, 1 + dice.below(most)), (name, 1 + dice.below(most))]);
    }
    // Shuffled (Fisher, Yates 1938).
    for at in (1..early.len()).rev() {
        early.swap(at, dice.below(at as u64 + 1) as usize);
    }
    for name in AT_THE_END {
        early.extend([(name, 1), (name, 1)]);
    }
    early
}

/// Kills from outside, once the pack has grown to a share of what it will have at the end.
fn kill_at_progress(ingest: Program, case: &Path, bytes: u64) -> Ran {
    let pack = case.join("originals/pack-000001.emp");
    let mut running = ingest.start();
    while running.goes_on() && pack.metadata().map_or(0, |meta| meta.len()) < bytes {
        program::tick();
    }
    running.signal(Signal::KILL);
    running.wait()
}

/// After a kill the case opens, says what it was doing, and answers.
fn look_at(site: &Site) {
    let status = site.status();
    for run in status["runs"].as_array().expect("runs") {
        assert!(matches!(run["state"].as_str(), Some("running" | "done")), "{status}");
    }
    if site.case().join("index/meta.json").is_file() {
        let ran = site.run(&["search", "--count", "*"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    }
}

#[test]
fn a_case_killed_a_hundred_times_is_the_undisturbed_one() {
    let source = Site::bare();
    evidence::make(source.root(), 1_000, 61);
    let (whole, expected) = evidence::undisturbed(source.root());
    let pack_bytes = files::read(&whole.case().join("originals/pack-000001.emp")).len() as u64;
    let mut dice = Dice::new(SEED);
    let mut by_step: BTreeMap<&str, u32> = BTreeMap::new();
    let mut outside = 0;
    let mut cases = 0;
    while by_step.values().sum::<u32>() + outside < KILLS
        || NAMES.iter().any(|name| by_step.get(name) < Some(&PER_STEP))
    {
        cases += 1;
        assert!(
            cases <= 15,
            "too few kills happened (seed {SEED}): {by_step:?} and {outside} from outside"
        );
        let site = Site::new();
        for (step, passage) in plan(&mut dice) {
            if dice.below(8) == 0 {
                let bytes = pack_bytes * (5 + dice.below(90)) / 100;
                let ran = kill_at_progress(evidence::ingest(&site, source.root()), site.case(), bytes);
                outside += u32::from(ran.signal == Some(SIGKILL));
                look_at(&site);
            }
            let armed = evidence::ingest(&site, source.root()).env("EMBLEY_FAILPOINT", format!("{step}:{passage}"));
            let ran = armed.run();
            if ran.signal == Some(SIGKILL) {
                *by_step.entry(step).or_insert(0) += 1;
                look_at(&site);
            } else {
                // It came to its end before that passage; what follows finds nothing new.
                ran.expect(3);
            }
        }
        evidence::ingest(&site, source.root()).run().expect(3);
        evidence::check_same(&format!("case {cases} (seed {SEED})"), &expected, &site);
    }
    println!("killed {by_step:?} and {outside} times from outside, in {cases} cases");
}

#[test]
fn a_step_that_fails_is_named_and_the_case_goes_on_to_the_same_end() {
    let source = Site::bare();
    evidence::make(source.root(), 600, 62);
    let (_, expected) = evidence::undisturbed(source.root());
    for name in NAMES {
        let site = Site::new();
        let passage = match *name {
            "pack-append" => 9,
            "pack-sync" | "catalogue-begin" | "catalogue-commit" => 3,
            "index-segment" => 2,
            _ => 1,
        };
        let armed = evidence::ingest(&site, source.root()).env("EMBLEY_FAILPOINT", format!("{name}:{passage}:error"));
        let ran = armed
            .run()
            .expect(70)
            .says(&[&format!("failpoint {name}"), "embley: cannot ", "hint: "]);
        assert!(!ran.stderr.contains("panicked"), "{name}: {}", ran.stderr);
        look_at(&site);
        site.ok(&["verify"]);
        evidence::ingest(&site, source.root()).run().expect(3);
        evidence::check_same(name, &expected, &site);
    }
}

#[test]
fn an_index_killed_while_it_is_made_again_is_made_again() {
    let source = Site::bare();
    evidence::make(source.root(), 800, 63);
    let (site, expected) = evidence::undisturbed(source.root());
    for step in ["index-segment", "index-commit"] {
        let armed = site
            .program(&["reindex", "--progress", "none"])
            .env("EMBLEY_FAILPOINT", format!("{step}:1"));
        assert_eq!(armed.run().signal, Some(SIGKILL), "{step} was not reached");
        look_at(&site);
        site.ok(&["reindex", "--progress", "none"]);
        evidence::check_same(step, &expected, &site);
    }
}

#[test]
fn records_killed_at_any_step_are_imported_once() {
    let source = Site::bare();
    embley_tests::made::corpus(&source.path("made"), 200, 64);
    let file = source.path("made/records/all.jsonl");
    let import = |site: &Site| site.program(&["records".as_ref(), "import".as_ref(), file.as_os_str()]);
    let whole = Site::new();
    import(&whole).run().expect(0);
    let expected = whole
        .ok(&["records", "list", "--all", "--format", "jsonl"])
        .text()
        .to_owned();
    assert!(expected.lines().count() > 20);
    let mut killed = 0;
    for step in [
        "pack-append",
        "pack-sync",
        "catalogue-begin",
        "catalogue-commit",
        "index-segment",
        "index-commit",
    ] {
        let site = Site::new();
        let ran = import(&site).env("EMBLEY_FAILPOINT", format!("{step}:1")).run();
        killed += u32::from(ran.signal == Some(SIGKILL));
        import(&site).run().expect(0);
        let listed = site.ok(&["records", "list", "--all", "--format", "jsonl"]);
        embley_tests::site::same_text(step, &expected, listed.text());
        assert_eq!(site.count("type:record"), whole.count("type:record"), "{step}");
        site.ok(&["verify", "--deep"]);
    }
    assert_eq!(killed, 6, "every step must be reached");
}

#[test]
fn a_record_changed_just_before_a_kill_is_found_by_its_new_words_only() {
    let source = Site::bare();
    embley_tests::made::corpus(&source.path("made"), 200, 65);
    let file = source.path("made/records/decision.jsonl");
    let import = |site: &Site| site.program(&["records".as_ref(), "import".as_ref(), file.as_os_str()]);
    let before = String::from_utf8(files::read(&file)).expect("UTF-8");
    let first = before.lines().next().expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(first).expect("JSON");
    record["rationale"] = "the xqoldword".into();
    let rest = before.split_once('\n').map_or("", |(_, rest)| rest);
    for step in ["catalogue-commit", "index-segment", "index-commit"] {
        let site = Site::new();
        files::write(&file, format!("{record}\n{rest}"));
        import(&site).run().expect(0);
        assert_eq!((site.count("xqoldword"), site.count("xqnewword")), (1, 0));
        let number = site.hits("xqoldword")[0]["item_no"].clone();
        files::write(&file, format!("{record}\n{rest}").replace("xqoldword", "xqnewword"));
        let ran = import(&site).env("EMBLEY_FAILPOINT", format!("{step}:1")).run();
        assert_eq!(ran.signal, Some(SIGKILL), "{step} was not reached");
        import(&site).run().expect(0);
        assert_eq!((site.count("xqoldword"), site.count("xqnewword")), (0, 1), "{step}");
        assert_eq!(
            site.hits("xqnewword")[0]["item_no"],
            number,
            "{step}: an update keeps its number"
        );
        site.ok(&["verify", "--deep"]);
    }
}
