//! Ids, runs, conclusions, and the form of an indicator.

use serde_json::json;

use super::{ANN, World};
use crate::indicators::{Ask, Confidence, State, conclude, run::record};

fn world() -> World {
    let world = World::new();
    world
        .conduct_case()
        .decision("D-1", "severity_assessment", "2020-03-10", "P-INV", json!({}));
    world
}

fn keep(world: &World) -> i64 {
    let outcome = world.run(&Ask::default());
    record(&world.conn, &outcome, ANN).expect("it is kept")
}

#[test]
fn a_run_says_new_same_changed_and_gone() {
    let world = world();
    let first = world.run(&Ask::default());
    assert!(!first.compared && first.indicators.len() == 1);
    assert_eq!(first.indicators[0].state, State::New);
    keep(&world);
    let second = world.run(&Ask::default());
    assert_eq!(
        (second.indicators[0].state, &second.indicators[0].id),
        (State::Same, &first.indicators[0].id)
    );
    // New material that speaks against it changes what it says, not what it is.
    world.role(
        "R-9",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-06-01", "ended_at": "2020-06-02"}),
    );
    let third = world.run(&Ask {
        rules: vec!["n2".to_owned()],
        ..Ask::default()
    });
    assert_eq!(
        (third.indicators[0].state, third.indicators[0].confidence),
        (State::Changed, Confidence::Medium)
    );
    assert_eq!(third.indicators[0].id, first.indicators[0].id);
    // A role on that day: it is gone.
    world.role(
        "R-9",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-03-01", "ended_at": "2020-03-11"}),
    );
    let last = world.run(&Ask {
        case_ref: Some("cm/1/20".to_owned()),
        rules: vec!["N2".to_owned()],
        ..Ask::default()
    });
    assert_eq!((last.indicators.len(), last.gone.len()), (0, 1));
    assert_eq!(last.gone[0]["id"], json!(first.indicators[0].id));
}

#[test]
fn a_conclusion_holds_for_the_form_to_which_it_was_drawn() {
    let world = world();
    let id = world.run(&Ask::default()).indicators[0].id.clone();
    let draw = |kind: &str, text: &str| conclude(&world.conn, &id, kind, text, ANN);
    assert!(draw("tasked review", "see R1").is_err(), "no run has seen it");
    keep(&world);
    assert!(draw("finding", "x").is_err() && draw("other", "  ").is_err());
    assert_eq!(draw("Tasked Review", "see R1").expect("it is kept"), id);
    let one = &world.run(&Ask::default()).indicators[0];
    let conclusion = one.conclusion.as_ref().expect("there is one");
    assert_eq!(
        (
            conclusion.kind.as_str(),
            conclusion.text.as_str(),
            conclusion.by.as_str()
        ),
        ("tasked_review", "see R1", "ann")
    );
    assert_eq!((conclusion.at.as_str(), one.draft), ("2020-09-13T12:26:40Z", false));
    world.role(
        "R-9",
        "P-INV",
        "appropriate_authority_delegate",
        json!({"appointed_at": "2020-06-01", "ended_at": "2020-06-02"}),
    );
    let outcome = world.run(&Ask {
        rules: vec!["N2".to_owned()],
        ..Ask::default()
    });
    let one = &outcome.indicators[0];
    assert!(one.draft && one.conclusion.is_none() && one.earlier_conclusion.is_some());
}

#[test]
fn the_json_form_has_the_fields_that_scripts_rely_on() {
    let world = world();
    let value = serde_json::to_value(&world.run(&Ask::default()).indicators[0]).expect("it is JSON");
    for name in [
        "id",
        "rule",
        "version",
        "case_ref",
        "people",
        "items",
        "records",
        "confidence",
        "sentence",
        "for",
        "against",
        "not_searchable",
        "citation",
        "state",
        "conclusion",
        "draft",
    ] {
        assert!(value.get(name).is_some(), "{name}: {value}");
    }
    assert_eq!(
        (&value["rule"], &value["version"], &value["case_ref"]),
        (&json!("N2"), &json!(1), &json!("CM/1/20"))
    );
    assert!(value["items"].as_array().is_some_and(|items| {
        items
            .iter()
            .all(|id| id.as_str().is_some_and(|id| id.starts_with("item:")))
    }));
    assert!(value.get("content").is_none());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own folder")]
fn an_unknown_rule_or_case_is_refused_and_a_rule_that_is_off_is_said() {
    let mut world = world();
    let asked = |world: &World, ask: Ask| world.with(|context| crate::indicators::run(context, world, &ask));
    let refused = asked(
        &world,
        Ask {
            rules: vec!["N99".to_owned()],
            ..Ask::default()
        },
    );
    assert!(refused.expect_err("refused").to_string().contains("there are N1"));
    let refused = asked(
        &world,
        Ask {
            case_ref: Some("CM/404/20".to_owned()),
            ..Ask::default()
        },
    );
    assert!(refused.expect_err("refused").to_string().contains("material loaded"));
    let folder = tempfile::tempdir().expect("a folder is made");
    let text = include_str!("../../../../../config/rules/indicators.toml");
    let off = text.replace(
        "id = \"N2\"\nversion = 1\non = true",
        "id = \"N2\"\nversion = 1\non = false",
    );
    std::fs::write(folder.path().join("indicators.toml"), off).expect("written");
    world.rules = crate::rules::RuleSet::open(&[folder.path()]).expect("it is right");
    let outcome = world.run(&Ask::default());
    assert!(outcome.indicators.is_empty());
    assert!(
        outcome
            .left_out
            .iter()
            .any(|words| words.starts_with("N2: it is switched off")),
        "{:?}",
        outcome.left_out
    );
}

#[test]
fn the_same_records_in_another_order_give_the_same_indicators() {
    let fill = |world: &World, turned: bool| {
        let mut days = vec![("D-1", "2020-06-01"), ("D-2", "2020-07-01"), ("D-3", "2020-08-01")];
        if turned {
            days.reverse();
        }
        for (id, day) in days {
            world.decision(id, "case_to_answer", day, "P-X", json!({"outcome": id}));
        }
    };
    let said = |turned: bool| {
        let world = World::new();
        world.conduct_case();
        fill(&world, turned);
        let outcome = world.run(&Ask::default());
        outcome
            .indicators
            .iter()
            .map(|one| (one.id.clone(), one.sentence.clone(), one.confidence))
            .collect::<Vec<_>>()
    };
    let (one, other) = (said(false), said(true));
    assert_eq!(one.len(), 5);
    assert_eq!(one, other);
}

#[test]
fn a_case_of_two_references_is_one_case_and_its_rows_count_once() {
    let world = World::new();
    world
        .case(json!({"schedule_3": false, "source_case_ref": "T-551"}))
        .people()
        .roles();
    // Moved rows keep the older reference beside the newer one; one has the older one alone.
    let older = json!({"source_case_ref": "T-551"});
    world.decision("D-1", "severity_assessment", "2020-03-10", "P-INV", older.clone());
    world.decision("D-2", "case_to_answer", "2020-06-10", "P-INV", older);
    let alone = json!({"source_case_ref": "T-551", "decision_type": "case_to_answer", "decided_at": "2020-07-10", "decided_by": "P-AA",
        "subject_person_ids": ["P-OFF"]});
    world.add("decision", "D-3", alone);
    let outcome = world.run(&Ask::default());
    assert_eq!(outcome.cases, 1);
    let rules: Vec<&str> = outcome.indicators.iter().map(|one| one.rule).collect();
    assert_eq!(rules, ["N2", "N2", "N6"]);
    let by_older = world.run(&Ask {
        case_ref: Some("t-551".to_owned()),
        ..Ask::default()
    });
    assert_eq!(by_older.indicators.len(), 3);
    assert!(
        by_older
            .indicators
            .iter()
            .all(|one| one.case_ref.as_deref() == Some("CM/1/20"))
    );
}
