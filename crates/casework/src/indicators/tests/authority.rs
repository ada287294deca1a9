//! N2, N3 and N5.

use serde_json::json;

use super::World;
use crate::indicators::Confidence::{Explained, High, Low, Medium};

#[test]
fn n2_a_severity_assessment_by_the_investigator_of_a_conduct_case() {
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-INV", json!({}));
    let found = world.rule("N2");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].confidence, High);
    assert_eq!(found[0].people, ["P-INV"]);
    assert!(
        found[0].records.contains(&"dec:tribune/D-1".to_owned()),
        "{:?}",
        found[0].records
    );
    assert!(found[0].citation.contains("SI 2020/4 reg 14"), "{}", found[0].citation);
    assert!(
        found[0].speaks_for.iter().any(|words| words.contains("investigator")),
        "{:?}",
        found[0].speaks_for
    );
}

#[test]
fn n2_whoever_decides_depends_on_schedule_3_and_the_regulations() {
    // Under Schedule 3 the person investigating assesses severity; the appropriate authority does not.
    let world = World::new();
    world
        .complaint_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-INV", json!({}))
        .decision("D-2", "case_to_answer", "2020-09-10", "P-AA", json!({}));
    assert_eq!(world.classes("N2"), []);
    world.decision(
        "D-3",
        "severity_assessment",
        "2020-03-11",
        "P-AA",
        json!({"subject_person_ids": ["P-X"]}),
    );
    assert_eq!(world.classes("N2"), [High]);
    // The delegate of the appropriate authority is no delegate of the person investigating.
    let world = World::new();
    let basis = json!({"basis": "scheme of delegation"});
    world.case(json!({"schedule_3": true})).people().roles();
    world.role("R-1", "P-AA", "appropriate_authority_delegate", basis);
    world.decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}));
    assert_eq!(world.classes("N2"), [High]);
    // Before 22 November 2012 no line says who decides: nothing is said.
    let old = World::new();
    old.case(json!({"came_to_attention_at": "2012-11-21", "schedule_3": false}))
        .people()
        .roles();
    old.decision("D-1", "severity_assessment", "2013-01-10", "P-INV", json!({}));
    assert_eq!(old.classes("N2"), []);
}

#[test]
fn n2_look_alikes() {
    let fresh = || {
        let world = World::new();
        world
            .conduct_case()
            .decision("D-1", "severity_assessment", "2020-03-10", "P-X", json!({}));
        world
    };
    assert_eq!(fresh().classes("N2"), [High]);
    // A valid delegation on record for that day.
    let world = fresh();
    world.role(
        "R-9",
        "P-X",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-03-10", "acting": true}),
    );
    assert_eq!(world.classes("N2"), []);
    // A delegation under another role, and one in the log.
    let world = fresh();
    world.role(
        "R-9",
        "P-X",
        "assessor",
        json!({"basis": "delegation of the DCC of 1 March 2020"}),
    );
    assert_eq!(world.classes("N2"), [Explained]);
    let world = fresh();
    world.log("L-1", "2020-03-09", "DCC delegates the assessment to Xenia Other");
    assert_eq!(world.classes("N2"), [Explained]);
    // A log entry made afterwards explains nothing.
    let world = fresh();
    world.log("L-1", "2020-03-11", "DCC delegates the assessment to Xenia Other");
    assert_eq!(world.classes("N2"), [High]);
    // A standing delegation on an investigator's appointment is not one to assess severity.
    let world = fresh();
    world.role(
        "R-9",
        "P-X",
        "lead_investigator",
        json!({"basis": "standing delegation of the DCC"}),
    );
    assert_eq!(world.classes("N2"), [High]);
    // The role is on record for other days.
    let world = fresh();
    world.role(
        "R-9",
        "P-X",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-04-01"}),
    );
    assert_eq!(world.classes("N2"), [Medium]);
    // Nobody is on record as authority at all.
    let world = World::new();
    world.case(json!({"schedule_3": false})).people();
    world.decision("D-1", "severity_assessment", "2020-03-10", "P-X", json!({}));
    assert_eq!(world.classes("N2"), [Low]);
}

#[test]
fn n2_a_case_of_the_director_general() {
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "form_of_investigation": "independent"}))
        .people()
        .roles();
    world.decision("D-1", "severity_assessment", "2020-03-10", "IOPC-4", json!({}));
    assert_eq!(world.classes("N2"), [Explained]);
    // Somebody with a role of the force on the case is another matter.
    world.decision("D-2", "severity_assessment", "2020-03-12", "P-INV", json!({}));
    assert_eq!(world.classes("N2").iter().filter(|one| **one == High).count(), 1);
}

#[test]
fn n3_investigator_and_authority_at_one_time() {
    let world = World::new();
    world.conduct_case().role(
        "R-3",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-05-01", "ended_at": "2020-06-01"}),
    );
    let found = world.rule("N3");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].confidence, found[0].people.clone()),
        (High, vec!["P-INV".to_owned()])
    );
    assert_eq!(found[0].records, ["role:tribune/R-2", "role:tribune/R-3"]);
}

#[test]
fn n3_look_alikes() {
    // One after the other, with a day of handing over.
    let world = World::new();
    world
        .case(json!({}))
        .people()
        .role("R-1", "P-X", "investigator", json!({"ended_at": "2020-05-01"}));
    world.role(
        "R-2",
        "P-X",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-05-01"}),
    );
    assert_eq!(world.classes("N3"), []);
    // Acting cover, with and without an end on record.
    let world = World::new();
    world.conduct_case().role(
        "R-3",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-05-01", "ended_at": "2020-05-08", "acting": true}),
    );
    assert_eq!(world.classes("N3"), [Explained]);
    world.role(
        "R-3",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-05-01", "acting": true}),
    );
    assert_eq!(world.classes("N3"), [Medium]);
    // No end on record, and a successor: it may have ended then.
    let world = World::new();
    world
        .conduct_case()
        .role("R-3", "P-X", "investigator", json!({"appointed_at": "2020-06-01"}));
    world.role(
        "R-4",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-07-01", "ended_at": "2020-08-01"}),
    );
    assert_eq!(world.classes("N3"), [Medium]);
    // A tasked review with terms of reference, in the appointment or as a review.
    let world = World::new();
    let tasked = json!({"ended_at": "2020-06-01", "terms_of_reference_ref": "TOR/7", "appointed_by": "P-AA"});
    world.conduct_case().role("R-3", "P-INV", "reviewer", tasked);
    assert_eq!(world.classes("N3"), [Explained]);
    let own = json!({"ended_at": "2020-06-01", "terms_of_reference_ref": "TOR/7", "appointed_by": "P-INV"});
    world.role("R-3", "P-INV", "reviewer", own);
    assert_eq!(world.classes("N3"), [High]);
    let world = World::new();
    world.conduct_case().role(
        "R-3",
        "P-INV",
        "reviewer",
        json!({"appointed_at": "2020-05-01", "ended_at": "2020-06-01"}),
    );
    assert_eq!(world.classes("N3"), [High]);
    world.add(
        "review",
        "V-1",
        json!({"case_ref": "CM/1/20", "review_kind": "tasked", "tasked_by": "P-AA", "reviewer_id": "P-INV",
        "completed_at": "2020-05-20", "terms_of_reference_ref": "TOR/7"}),
    );
    assert_eq!(world.classes("N3"), [Explained]);
}

#[test]
fn n3_authority_and_line_manager_and_a_review_of_own_decisions() {
    let world = World::new();
    world.conduct_case().add(
        "person",
        "P-OFF",
        json!({"person_id": "P-OFF", "full_name": "Olive Force",
        "line_manager_history": [{"manager_id": "P-AA", "from": "2019-01-01", "to": null}]}),
    );
    assert_eq!(world.classes("N3"), [High]);
    world.add("person", "P-OFF", json!({"person_id": "P-OFF", "line_manager_history": [{"manager_id": "P-AA", "from": "2019-01-01", "to": "2020-02-01"}]}));
    assert_eq!(world.classes("N3"), []);
    world
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}))
        .add("review", "V-1", json!({"case_ref": "CM/1/20", "review_kind": "supervisory", "reviewer_id": "P-AA", "completed_at": "2020-05-20"}));
    assert_eq!(world.classes("N3"), [High]);
}

#[test]
fn n5_regulations_form_and_notice() {
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({"regime_cited": "Police (Conduct) Regulations 2012"}))
        .decision("D-2", "case_to_answer", "2020-09-10", "P-AA", json!({"regime_cited": "SI 2020/4"}))
        .decision("D-3", "suspension", "2020-09-10", "P-AA", json!({"regime_cited": "force policy 12"}))
        .add("notice_service", "N-1", json!({"case_ref": "CM/1/20", "subject_person_id": "P-OFF", "notice_type": "reg_15", "served_at": "2020-03-12"}))
        .add("notice_service", "N-2", json!({"case_ref": "CM/1/20", "subject_person_id": "P-OFF", "notice_type": "reg_17", "served_at": "2020-03-12"}))
        .add("notice_service", "N-3", json!({"case_ref": "CM/1/20", "subject_person_id": "P-OFF", "notice_type": "form_163", "served_at": "2020-03-12"}));
    let found = world.rule("N5");
    let records: Vec<&str> = found
        .iter()
        .flat_map(|one| &one.records)
        .map(String::as_str)
        .filter(|id| !id.starts_with("case:"))
        .collect();
    assert_eq!(records.len(), 2, "{records:?}");
    assert!(
        records.contains(&"dec:tribune/D-1") && records.contains(&"notice:tribune/N-1"),
        "{records:?}"
    );
    assert!(found.iter().all(|one| one.confidence == High));
}

#[test]
fn n5_an_earlier_linked_matter() {
    let linked = |attention: &str, closed: Option<&str>| {
        let world = World::new();
        world
            .case(json!({"schedule_3": true, "linked_case_refs": ["CM/9/19"]}))
            .people()
            .decision(
                "D-1",
                "severity_assessment",
                "2020-03-10",
                "P-AA",
                json!({"regime_cited": "SI 2012/1204"}),
            )
            .add(
                "case",
                "CM/9/19",
                json!({"case_ref": "CM/9/19", "came_to_attention_at": attention, "closed_at": closed}),
            );
        world.classes("N5")
    };
    assert_eq!(linked("2019-12-01", None), [Explained]);
    assert_eq!(linked("2019-12-01", Some("2020-02-20")), [Medium]);
    assert_eq!(
        linked("2020-02-10", None),
        [High],
        "it is under the new regulations itself"
    );
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "linked_case_refs": ["CM/9/19"]}))
        .decision(
            "D-1",
            "severity_assessment",
            "2020-03-10",
            "P-AA",
            json!({"regime_cited": "SI 2012/1204"}),
        );
    assert_eq!(world.classes("N5"), [Medium], "the linked case is not loaded");
}
