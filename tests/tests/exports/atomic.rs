//! A stop between any two steps leaves nothing that looks done; the next try says so and finishes.

use embley_model::failpoint::EXPORT_NAMES;
use embley_tests::files;

use super::scene::{self, export, export_program, exported, listing, record, verified};

const OPTIONS: [&str; 4] = ["--query", "*", "--as", "dat"];

#[test]
fn a_kill_at_every_step_leaves_nothing_that_looks_done_and_the_next_try_finishes() {
    let site = scene::scene();
    let whole = listing(&exported(&site, "whole", &OPTIONS));
    let mut killed = 0;
    for step in EXPORT_NAMES {
        let (program, out) = export_program(&site, step, &OPTIONS);
        let ran = program.env("EMBLEY_FAILPOINT", format!("{step}:1")).run();
        assert_eq!(ran.signal, Some(9), "{step}: {ran:?}");
        killed += 1;
        if *step == "export-renamed" {
            // It has its name, and is whole.
            verified(&out, &[]).expect(0);
            continue;
        }
        assert!(!out.exists(), "{step}: the folder has its name");
        let left = site.path(&format!(".{step}.unfinished"));
        assert!(left.is_dir(), "{step}");
        let marked = left.join("UNFINISHED.txt").is_file();
        assert_eq!(marked, *step != "export-unmarked", "{step}");
        if marked {
            verified(&left, &[]).expect(1).says(&["NOT the same"]);
        }
        let (again, _) = export(&site, step, &OPTIONS);
        again
            .expect(0)
            .says(&["was stopped before its end", "this one is whole"]);
        assert!(!left.exists(), "{step}");
        verified(&out, &[]).expect(0);
        assert_eq!(listing(&out), whole, "{step}");
    }
    assert_eq!(killed, 6);
}

#[test]
fn a_step_that_fails_is_said_and_leaves_nothing() {
    let site = scene::scene();
    for step in EXPORT_NAMES.iter().filter(|step| **step != "export-renamed") {
        let (program, out) = export_program(&site, "out", &OPTIONS);
        let ran = program.env("EMBLEY_FAILPOINT", format!("{step}:1:error")).run();
        ran.expect(70).says(&["embley: cannot"]);
        assert!(!out.exists(), "{step}");
        let left: Vec<_> = files::entries(site.root())
            .into_iter()
            .filter(|path| path.to_string_lossy().contains("unfinished"))
            .collect();
        assert!(left.len() <= 1, "{step}: {left:?}");
    }
    exported(&site, "out", &OPTIONS);
}

#[test]
fn a_folder_that_holds_something_is_refused_and_left_alone() {
    let site = scene::scene();
    let out = site.path("out");
    files::write(&out.join("mine.txt"), "x");
    let (ran, _) = export(&site, "out", &OPTIONS);
    ran.expect(2).says(&["is not an empty folder"]);
    assert_eq!(listing(&out), ["mine.txt"]);
    files::remove(&out.join("mine.txt"));
    exported(&site, "out", &OPTIONS);
    let before = record(&out);
    let (ran, _) = export(&site, "out", &OPTIONS);
    ran.expect(2).says(&["is not an empty folder"]);
    assert_eq!(record(&out), before);
    let (ran, inside) = export(&site, "case/out", &OPTIONS);
    ran.expect(2).says(&["inside the case folder"]);
    assert!(!inside.exists());
}

#[test]
fn two_at_the_same_place_do_not_mix() {
    let site = scene::scene();
    let (program, out) = export_program(&site, "out", &OPTIONS);
    let mut halted = program.env("EMBLEY_FAILPOINT", "export-written:1:stop").start();
    halted.wait_until_halted();
    let (ran, _) = export(&site, "out", &OPTIONS);
    ran.expect(6).says(&["another process"]);
    halted.signal(rustix::process::Signal::CONT);
    halted.wait().expect(0);
    verified(&out, &[]).expect(0);
}
