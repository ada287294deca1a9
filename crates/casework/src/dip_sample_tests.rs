//! The rates, the draw, and each check.

use serde_json::json;

use super::*;
use crate::indicators::tests::World;

#[test]
fn a_rate_of_none_has_no_interval_and_one_of_some_lies_in_it() {
    let none = rate(0, 0);
    assert_eq!((none.rate, none.low, none.high), (None, None, None));
    let some = rate(5, 10);
    let (low, high) = (some.low.expect("there is one"), some.high.expect("there is one"));
    assert!(
        (low - 0.1871).abs() < 5e-5 && (high - 0.8129).abs() < 5e-5,
        "{low} {high}"
    );
}

fn world(cases: u32) -> World {
    let world = World::new();
    world.people();
    for at in 1..=cases {
        world.add(
            "case",
            &format!("CM/{at}/21"),
            json!({"case_ref": format!("CM/{at}/21"), "came_to_attention_at": "2021-01-04",
            "opened_at": "2021-01-04", "schedule_3": false}),
        );
    }
    world
}

fn drawn(world: &World, size: u64, seed: &str) -> Vec<String> {
    let ask = Ask { size, seed, all: false };
    let sample = world.with(|context| dip_sample(context, ask)).expect("it is drawn");
    sample.cases.into_iter().map(|case| case.case_ref).collect()
}

#[test]
fn a_seed_draws_the_same_cases_and_a_larger_sample_holds_the_smaller_one() {
    let world = world(40);
    let (five, ten) = (drawn(&world, 5, "7"), drawn(&world, 10, "7"));
    assert_eq!((five.len(), ten.len()), (5, 10));
    assert_eq!(five, ten[..5]);
    assert_ne!(five, drawn(&world, 5, "8"));
    let mut all = drawn(&world, 1_000, "7");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 41, "the case of the parties is one more");
    let none = world.with(|context| {
        dip_sample(
            context,
            Ask {
                size: 0,
                seed: "7",
                all: false,
            },
        )
    });
    assert!(none.is_err());
}

#[test]
fn each_check_says_on_record_not_on_record_or_nothing() {
    let world = World::new();
    world.complaint_case();
    let of = |world: &World, check: &str| {
        let ask = Ask {
            size: 1,
            seed: "1",
            all: true,
        };
        let sample = world.with(|context| dip_sample(context, ask)).expect("it is drawn");
        sample.cases[0].checks[check]
    };
    assert_eq!(of(&world, "severity_assessment"), Found::NotLoaded);
    assert_eq!(of(&world, "updates_in_time"), Found::NotLoaded);
    assert_eq!(of(&world, "supervision"), Found::NotOnRecord);
    world.decision(
        "D-1",
        "severity_assessment",
        "2020-03-10",
        "P-INV",
        json!({"outcome": "gross_misconduct"}),
    );
    assert_eq!(of(&world, "severity_assessment"), Found::OnRecord);
    assert_eq!(of(&world, "notices_served"), Found::NotLoaded);
    let notice = |id: &str, who: &str| {
        world.add(
            "notice_service",
            id,
            json!({"case_ref": "CM/1/20", "subject_person_id": who, "notice_type": "reg_17"}),
        );
    };
    notice("N-1", "P-X");
    assert_eq!(of(&world, "notices_served"), Found::NotOnRecord);
    notice("N-2", "P-OFF");
    assert_eq!(of(&world, "notices_served"), Found::OnRecord);
    world.add(
        "conflict_declaration",
        "C-1",
        json!({"case_ref": "CM/1/20", "person_id": "P-X", "nil_declaration": true}),
    );
    assert_eq!(of(&world, "conflict_declarations"), Found::NotOnRecord);
    world.add(
        "conflict_declaration",
        "C-2",
        json!({"case_ref": "CM/1/20", "person_id": "P-INV", "nil_declaration": true}),
    );
    assert_eq!(of(&world, "conflict_declarations"), Found::OnRecord);
    world.add(
        "allegation",
        "AL-1",
        json!({"case_ref": "CM/1/20", "allegation_no": "1"}),
    );
    assert_eq!(of(&world, "allegation_types"), Found::NotOnRecord);
    world.add(
        "update",
        "U-1",
        json!({"case_ref": "CM/1/20", "recipient": "P-C", "kind": "update", "sent_at": "2020-06-01"}),
    );
    assert_eq!(of(&world, "updates_in_time"), Found::NotOnRecord);
    world.role("R-9", "P-X", "supervisor", json!({}));
    assert_eq!(of(&world, "supervision"), Found::OnRecord);
}

#[test]
fn severity_changes_are_counted_of_the_cases_that_have_an_assessment() {
    let world = world(3);
    let decide = |id: &str, case: &str, kind: &str, day: &str, outcome: &str| {
        world.add(
            "decision",
            id,
            json!({"case_ref": case, "decision_type": kind, "decided_at": day, "outcome": outcome}),
        );
    };
    decide("D-1", "CM/1/21", "severity_assessment", "2021-02-01", "misconduct");
    decide(
        "D-2",
        "CM/1/21",
        "severity_assessment",
        "2021-03-01",
        "gross_misconduct",
    );
    decide("D-3", "CM/2/21", "severity_assessment", "2021-02-01", "misconduct");
    decide("D-4", "CM/2/21", "severity_assessment", "2021-02-01", "Misconduct");
    let sample = world
        .with(|context| {
            dip_sample(
                context,
                Ask {
                    size: 1,
                    seed: "",
                    all: true,
                },
            )
        })
        .expect("it is drawn");
    assert_eq!((sample.severity_changed.found, sample.severity_changed.of), (1, 2));
    assert_eq!(
        sample.rates["severity_assessment"].of, 3,
        "the case of the parties says nothing of its kind"
    );
}

#[test]
fn a_revision_that_says_what_was_said_before_is_no_change() {
    let changed = |outcome: Option<&str>| {
        let world = world(1);
        let add = |id: &str, kind: &str, day: &str, outcome: Option<&str>| {
            world.add(
                "decision",
                id,
                json!({"case_ref": "CM/1/21", "decision_type": kind, "decided_at": day, "outcome": outcome}),
            );
        };
        add("D-1", "severity_assessment", "2021-02-01", Some("misconduct"));
        add("D-2", "severity_revision", "2021-03-01", outcome);
        let ask = Ask {
            size: 1,
            seed: "",
            all: true,
        };
        let sample = world.with(|context| dip_sample(context, ask)).expect("it is drawn");
        sample.severity_changed.found
    };
    assert_eq!(changed(Some("Misconduct")), 0);
    assert_eq!(changed(Some("gross_misconduct")), 1);
    assert_eq!(changed(None), 1, "to what is not on record");
}
