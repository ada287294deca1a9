//! N4, the part that records decide.

use serde_json::json;

use super::World;
use crate::indicators::Confidence::{Explained, High, Low, Medium};

/// P-AA decides on 10 March 2020 and stands on the register of associations with the officer concerned.
fn associated(from: &str, to: Option<&str>) -> World {
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}))
        .add(
            "register_association",
            "A-1",
            json!({"person_id": "P-OFF", "other_person_id": "P-AA", "nature": "business partner",
            "from": from, "to": to}),
        );
    world
}

fn declare(world: &World, more: serde_json::Value) {
    let mut fields =
        json!({"person_id": "P-AA", "case_ref": "CM/1/20", "other_person_id": "P-OFF", "nature": "friend"});
    fields
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    world.add("conflict_declaration", "C-1", fields);
}

#[test]
fn n4_an_association_without_a_declaration() {
    let world = associated("2019-01-01", None);
    let found = world.rule("N4");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].confidence, found[0].people.clone()),
        (High, vec!["P-AA".to_owned(), "P-OFF".to_owned()])
    );
    assert!(
        found[0]
            .sentence
            .contains("stand on the register of associations with them (business partner)"),
        "{}",
        found[0].sentence
    );
    assert!(!found[0].not_searchable.said.is_empty());
    // A nil declaration is not a declaration of it.
    declare(&world, json!({"declared_at": "2020-03-01", "nil_declaration": true}));
    assert_eq!(world.classes("N4"), [High]);
}

#[test]
fn n4_look_alikes() {
    let world = associated("2019-01-01", None);
    declare(
        &world,
        json!({"declared_at": "2020-03-09", "recorded_at": "2020-03-09", "assessment": "managed"}),
    );
    assert_eq!(world.classes("N4"), []);
    // Declared in time, as by mail, and recorded later: the case that the anchor case disproved.
    let world = associated("2019-01-01", None);
    declare(
        &world,
        json!({"declared_at": "2020-03-09", "recorded_at": "2020-05-01"}),
    );
    assert_eq!(world.classes("N4"), [Low]);
    let found = &world.rule("N4")[0];
    assert!(
        found
            .speaks_against
            .iter()
            .any(|words| words.contains("declared on 2020-03-09, before the decision")),
        "{found:?}"
    );
    // The day of recording is that of a migration: it says nothing.
    let world = associated("2019-01-01", None);
    declare(
        &world,
        json!({"declared_at": "2020-03-09", "recorded_at": "2020-08-01", "migrated_at": "2020-08-01"}),
    );
    assert_eq!(world.classes("N4"), []);
    // Declared afterwards.
    let world = associated("2019-01-01", None);
    declare(&world, json!({"declared_at": "2020-03-11"}));
    assert_eq!(world.classes("N4"), [Medium]);
    // The relation had ended; or has begun later.
    assert_eq!(associated("2015-01-01", Some("2018-01-01")).classes("N4"), [Explained]);
    assert_eq!(associated("2020-06-01", None).classes("N4"), []);
    // Declared in another case, or by the other one.
    let world = associated("2019-01-01", None);
    declare(&world, json!({"declared_at": "2020-03-01", "case_ref": "CM/8/20"}));
    assert_eq!(world.classes("N4"), [High]);
}

#[test]
fn n4_line_management_team_part_and_interest() {
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}));
    world.add(
        "person",
        "P-OFF",
        json!({"person_id": "P-OFF", "line_manager_history": [{"manager_id": "P-AA", "from": "2019-01-01"}],
        "posting_history": [{"unit": "East", "team": "Team 4", "from": "2019-01-01"}]}),
    );
    assert_eq!(world.classes("N4"), [High]);
    world.add(
        "person",
        "P-AA",
        json!({"person_id": "P-AA", "posting_history": [{"unit": "East", "team": "Team 4", "from": "2019-01-01"}]}),
    );
    let mut classes = world.classes("N4");
    classes.sort();
    assert_eq!(classes, [High, Medium]);
    // A unit of many is no relation; one of few is a weak one.
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}));
    for id in ["P-AA", "P-OFF"] {
        world.add(
            "person",
            id,
            json!({"person_id": id, "posting_history": [{"unit": "East", "from": "2019-01-01"}]}),
        );
    }
    assert_eq!(world.classes("N4"), [Low]);
    for at in 0..12 {
        let fields = json!({"person_id": format!("P-{at}"), "posting_history": [{"unit": "East"}]});
        world.add("person", &format!("P-{at}"), fields);
    }
    assert_eq!(world.classes("N4"), []);
    world.add(
        "party",
        "PA-9",
        json!({"case_ref": "CM/1/20", "person_id": "P-AA", "capacity": "witness"}),
    );
    assert_eq!(world.classes("N4"), [High]);
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}));
    let interest = |id: &str, person: &str, status: &str| {
        world.add(
            "register_business_interest",
            id,
            json!({"person_id": person, "organisation": "Kite Gym", "status": status, "from": "2019-01-01"}),
        );
    };
    interest("B-1", "P-AA", "approved");
    interest("B-2", "P-OFF", "approved");
    assert_eq!(world.classes("N4"), [Medium]);
    interest("B-2", "P-OFF", "refused");
    assert_eq!(world.classes("N4"), []);
}

#[test]
fn n4_an_investigator_who_works_under_the_officer_concerned() {
    let world = World::new();
    world.conduct_case();
    world
        .add("person", "P-INV", json!({"person_id": "P-INV", "line_manager_history": [{"manager_id": "P-X", "from": "2019-01-01"}]}))
        .add("person", "P-X", json!({"person_id": "P-X", "line_manager_history": [{"manager_id": "P-OFF", "from": "2019-01-01"}, {"manager_id": "P-INV"}]}));
    let found = world.rule("N4");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].sentence.contains("indirectly, 2 steps up"),
        "{}",
        found[0].sentence
    );
    assert!(found[0].citation.contains("SI 2020/4 reg 15"));
    world.add("person", "P-X", json!({"person_id": "P-X", "line_manager_history": [{"manager_id": "P-OFF", "from": "2019-01-01", "to": "2020-01-01"}]}));
    assert_eq!(world.classes("N4"), []);
}

#[test]
fn n4_a_later_decision_of_which_it_was_declared_by_then_is_not_among_those_of_which_it_was_not() {
    let world = associated("2019-01-01", None);
    world.decision("D-2", "case_to_answer", "2020-06-10", "P-AA", json!({}));
    declare(
        &world,
        json!({"declared_at": "2020-04-01", "recorded_at": "2020-04-01"}),
    );
    let found = world.rule("N4");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].confidence, Medium, "declared after the first decision");
    assert!(
        found[0].sentence.contains("on 2020-03-10; on record") && !found[0].sentence.contains("2020-06-10"),
        "{}",
        found[0].sentence
    );
    assert!(!found[0].records.contains(&"dec:tribune/D-2".to_owned()));
}

#[test]
fn n4_a_declaration_without_a_day_was_made_by_the_day_on_which_it_was_recorded() {
    let world = associated("2019-01-01", None);
    declare(&world, json!({"recorded_at": "2020-03-09"}));
    assert_eq!(world.classes("N4"), []);
    let world = associated("2019-01-01", None);
    declare(&world, json!({}));
    assert_eq!(
        world.classes("N4"),
        [Medium],
        "a declaration is on record, and no day of it"
    );
}

#[test]
fn n4_teams_of_two_people_at_two_times_are_no_team_in_common() {
    let posted = |id: &str, from: &str, to: serde_json::Value| json!({"person_id": id, "full_name": id, "posting_history": [{"unit": "Gate", "team": "Red", "from": from, "to": to}]});
    let with = |until: &str| {
        let world = World::new();
        world
            .conduct_case()
            .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}));
        world
            .add("person", "P-AA", posted("P-AA", "2010-01-01", json!(until)))
            .add("person", "P-OFF", posted("P-OFF", "2015-01-01", json!(null)));
        world.classes("N4")
    };
    assert_eq!(
        with("2012-01-01"),
        [],
        "they were never in it together, so nothing ended"
    );
    assert_eq!(with("2016-01-01"), [Explained]);
    assert_eq!(with("2021-01-01"), [Medium]);
}

#[test]
fn n4_what_either_of_two_systems_says_of_somebody_counts() {
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", json!({}))
        .add(
            "person",
            "OLD-9",
            json!({"person_id": "P-OFF", "line_manager_history": [{"person_id": "P-AA", "from": "2019-01-01"}]}),
        )
        .add(
            "person",
            "NEW-9",
            json!({"person_id": "P-OFF", "full_name": "Olive Force"}),
        );
    assert_eq!(world.classes("N4"), [High]);
}
