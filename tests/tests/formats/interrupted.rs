//! `kill -9` while documents and containers are opened.

use std::collections::BTreeMap;

use embley_tests::site::same_text;
use embley_tests::{Dice, Site, program};
use rustix::process::Signal;

use crate::evidence::{Evidence, check_deep, make, taken_in};

const SEED: u64 = 20_260_311;
const SIGKILL: i32 = 9;

/// The case after it was killed and finished is the undisturbed one.
#[track_caller]
fn finish(what: &str, evidence: &Evidence, site: &Site, expected: &(String, String)) {
    let folder = evidence.folder.to_str().expect("UTF-8");
    site.ingest(&[folder]).expect(0);
    same_text(&format!("{what}: the case"), &expected.0, &site.dump_of_evidence());
    same_text(&format!("{what}: answers"), &expected.1, &site.answers());
    check_deep(site);
}

fn undisturbed(evidence: &Evidence) -> (String, String) {
    let site = taken_in(evidence, &[]);
    (site.dump_of_evidence(), site.answers())
}

#[test]
fn killed_at_every_durable_step_of_the_rounds_it_goes_on_to_the_same_case() {
    let source = Site::bare();
    let evidence = make(source.root());
    let expected = undisturbed(&evidence);
    let folder = evidence.folder.to_str().expect("UTF-8");
    let mut killed: BTreeMap<&str, u32> = BTreeMap::new();
    let steps = [
        "pack-append",
        "pack-sync",
        "catalogue-begin",
        "catalogue-commit",
        "index-segment",
        "index-commit",
    ];
    for step in steps {
        for passage in 1..=8 {
            let site = Site::new();
            let armed = site
                .ingest_program(&[folder])
                .env("EMBLEY_FAILPOINT", format!("{step}:{passage}"));
            let ran = armed.run();
            if ran.signal != Some(SIGKILL) {
                ran.expect(0);
                break;
            }
            *killed.entry(step).or_insert(0) += 1;
            finish(&format!("{step}:{passage}"), &evidence, &site, &expected);
        }
    }
    // Direct input passes each step once or twice: more passages are those of the rounds.
    for step in steps {
        assert!(killed.get(step) > Some(&2), "{step} was passed too seldom: {killed:?}");
    }
}

#[test]
fn killed_from_outside_at_any_moment_it_goes_on_to_the_same_case() {
    let source = Site::bare();
    let evidence = make(source.root());
    let expected = undisturbed(&evidence);
    let folder = evidence.folder.to_str().expect("UTF-8");
    let mut dice = Dice::new(SEED);
    let mut killed = 0;
    let mut tries = 0;
    // The last moments of a run differ from machine to machine: the range is taken from a run on this one.
    let mut ticks = {
        let site = Site::new();
        let mut running = site.ingest_program(&[folder]).start();
        let mut ticks = 0;
        while running.goes_on() {
            program::tick();
            ticks += 1;
        }
        running.wait().expect(0);
        ticks
    };
    while killed < 20 {
        tries += 1;
        assert!(tries <= 60, "only {killed} kills happened (seed {SEED})");
        let site = Site::new();
        let at = dice.below(ticks);
        let mut running = site.ingest_program(&[folder]).start();
        for _ in 0..at {
            program::tick();
        }
        if running.goes_on() {
            running.signal(Signal::KILL);
        }
        let ran = running.wait();
        if ran.signal == Some(SIGKILL) {
            killed += 1;
        } else {
            ran.expect(0);
            ticks = ticks.min(at.max(10));
        }
        finish(
            &format!("killed after {at} ticks (seed {SEED})"),
            &evidence,
            &site,
            &expected,
        );
    }
}
