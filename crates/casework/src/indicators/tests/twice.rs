//! N6 and N7.

use serde_json::json;

use super::World;
use crate::indicators::Confidence::{Explained, High, Low, Medium};

#[test]
fn n6_a_determination_made_where_one_existed() {
    let world = World::new();
    world
        .conduct_case()
        .decision(
            "D-1",
            "case_to_answer",
            "2020-06-01",
            "P-AA",
            json!({"outcome": "no_case_to_answer"}),
        )
        .decision(
            "D-2",
            "case_to_answer",
            "2020-07-01",
            "P-X",
            json!({"outcome": "case_to_answer"}),
        )
        .decision(
            "D-3",
            "case_to_answer",
            "2020-07-02",
            "P-AA",
            json!({"subject_person_ids": ["P-X"]}),
        )
        .decision("D-4", "suspension", "2020-07-02", "P-AA", json!({}))
        .decision("D-5", "suspension", "2020-08-02", "P-AA", json!({}));
    let found = world.rule("N6");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].confidence, found[0].records.len()), (High, 2));
    assert!(
        found[0].sentence.contains("with another outcome"),
        "{}",
        found[0].sentence
    );
}

#[test]
fn n6_look_alikes() {
    let twice = |more: serde_json::Value| {
        let world = World::new();
        world
            .conduct_case()
            .decision("D-1", "case_to_answer", "2020-06-01", "P-AA", json!({"outcome": "a"}))
            .decision("D-2", "case_to_answer", "2020-07-01", "P-AA", more);
        world
    };
    let classes = |more| twice(more).classes("N6");
    for basis in ["revision", "review", "appeal", "correction"] {
        let more = json!({"outcome": "b", "supersedes_decision_id": "D-1", "supersession_basis": basis});
        assert_eq!(classes(more), [Explained], "{basis}");
    }
    assert_eq!(
        classes(json!({"outcome": "b", "supersedes_decision_id": "D-1", "supersession_basis": "none"})),
        [Medium]
    );
    // One determination in two systems, and entered twice.
    assert_eq!(
        classes(json!({"outcome": "A", "decided_at": "2020-06-01", "source_system": "centurion"})),
        [Explained]
    );
    assert_eq!(
        classes(json!({"outcome": "a", "decided_at": "2020-06-01", "migrated_at": "2020-08-01"})),
        [Explained]
    );
    assert_eq!(classes(json!({"outcome": "a", "decided_at": "2020-06-01"})), [Medium]);
    // An appeal between the two.
    let world = twice(json!({"outcome": "b"}));
    assert_eq!(world.classes("N6"), [High]);
    world.add(
        "review",
        "V-1",
        json!({"case_ref": "CM/1/20", "review_kind": "appeal", "completed_at": "2020-06-15"}),
    );
    assert_eq!(world.classes("N6"), [Low]);
}

#[test]
fn n7_a_revision_without_consultation_on_record() {
    let revised = |more: serde_json::Value| {
        let world = World::new();
        world
            .complaint_case()
            .decision("D-2", "severity_revision", "2020-07-01", "P-INV", more);
        world
    };
    let world = revised(json!({}));
    let found = world.rule("N7");
    assert_eq!((found.len(), found[0].confidence), (1, High));
    assert!(found[0].citation.contains("SI 2020/2 reg 19"));
    assert_eq!(revised(json!({"consulted": ["P-AA"]})).classes("N7"), []);
    assert_eq!(
        revised(json!({"consulted": ["appropriate authority"]})).classes("N7"),
        []
    );
    assert_eq!(revised(json!({"consulted": ["P-X"]})).classes("N7"), [Medium]);
    // Consultation logged elsewhere.
    let world = revised(json!({}));
    world.log("L-1", "2020-06-28", "Consulted Ann Able about the severity");
    assert_eq!(world.classes("N7"), [Explained]);
    let world = revised(json!({}));
    world.log("L-1", "2020-06-28", "Consultation held");
    assert_eq!(world.classes("N7"), [Medium]);
    let world = revised(json!({}));
    world.log("L-1", "2020-07-28", "Consulted Ann Able about the severity");
    assert_eq!(world.classes("N7"), [High], "after the revision");
    // The line for 2012 was not confirmed and is off; a conduct case has no such line.
    let world = World::new();
    world
        .conduct_case()
        .decision("D-2", "severity_revision", "2020-07-01", "P-INV", json!({}));
    assert_eq!(world.classes("N7"), []);
    let world = World::new();
    world
        .case(json!({"came_to_attention_at": "2019-03-02", "schedule_3": true}))
        .people()
        .roles();
    world.decision("D-2", "severity_revision", "2019-07-01", "P-INV", json!({}));
    assert_eq!(world.classes("N7"), []);
}

#[test]
fn n6_a_determination_without_a_day_is_held_against_another_one() {
    let with = |more: serde_json::Value| {
        let world = World::new();
        world.conduct_case().decision(
            "D-1",
            "case_to_answer",
            "2020-06-01",
            "P-AA",
            json!({"outcome": "case_to_answer"}),
        );
        let mut fields =
            json!({"case_ref": "CM/1/20", "decision_type": "case_to_answer", "subject_person_ids": ["P-OFF"]});
        let into = fields.as_object_mut().expect("an object");
        into.extend(more.as_object().expect("an object").clone());
        world.add("decision", "D-2", fields);
        world
    };
    let found = with(json!({"outcome": "no_case_to_answer"})).rule("N6");
    assert_eq!((found.len(), found[0].confidence), (1, Medium));
    assert!(
        found[0]
            .sentence
            .contains("on record of 2020-06-01 and again without a day, with another outcome"),
        "{}",
        found[0].sentence
    );
    let class = |more| with(more).classes("N6");
    assert_eq!(class(json!({"outcome": "case_to_answer"})), [Low]);
    assert_eq!(
        class(json!({"outcome": "x", "supersession_basis": "appeal"})),
        [Explained]
    );
    assert_eq!(
        class(json!({"outcome": "x", "supersedes_decision_id": "D-1"})),
        [],
        "which came later is on record"
    );
    assert_eq!(class(json!({"outcome": "x", "subject_person_ids": ["P-X"]})), []);
}

/// A complaint of 2020 that is linked to a matter of 2019, with a revision of severity and an update that is missing.
fn linked(earlier: serde_json::Value, cites: serde_json::Value) -> World {
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "case_type": "complaint", "form_of_investigation": "local", "closed_at": "2020-06-30",
            "linked_case_refs": ["CM/9/19"], "governing_regime": cites}))
        .people()
        .roles()
        .decision("D-1", "severity_revision", "2020-04-10", "P-INV", json!({"outcome": "gross_misconduct"}))
        .add(
            "update",
            "U-1",
            json!({"case_ref": "CM/1/20", "recipient": "P-C", "kind": "update", "sent_at": "2020-03-30"}),
        );
    world.add("case", "CM/9/19", earlier);
    world
}

#[test]
fn a_later_complaint_may_stay_with_the_regulations_of_an_earlier_matter_that_is_open() {
    let earlier = |closed: Option<&str>| json!({"case_ref": "CM/9/19", "came_to_attention_at": "2019-06-01", "closed_at": closed});
    let classes = |world: &World| (world.classes("N7"), world.classes("N8"));
    // The regulations of 2012 have no such clock, and what they say of revisions is not confirmed.
    let open = linked(earlier(None), json!("SI 2012/1204"));
    assert_eq!(classes(&open), (vec![Explained], vec![Explained]));
    let found = open.rule("N8");
    assert!(
        found[0]
            .speaks_against
            .iter()
            .any(|words| words.contains("SI 2020/2 reg 2(2)(b)")),
        "{:?}",
        found[0].speaks_against
    );
    assert_eq!(
        classes(&linked(earlier(None), json!(null))),
        (vec![Medium], vec![Medium])
    );
    let closed = linked(earlier(Some("2020-02-10")), json!(null));
    assert_eq!(classes(&closed), (vec![High], vec![High]), "it was no longer handled");
}
