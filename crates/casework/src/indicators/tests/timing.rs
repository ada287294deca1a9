//! N8 and N9.

use jiff::civil::date;
use serde_json::json;

use super::World;
use crate::indicators::CaseFile;
use crate::indicators::Confidence::{Explained, High, Low, Medium};
use crate::indicators::clock_states;

fn update(world: &World, id: &str, sent: &str) {
    world.add(
        "update",
        id,
        json!({"case_ref": "CM/1/20", "recipient": "P-C", "kind": "update", "sent_at": sent}),
    );
}

/// A complaint that started on Monday 2 March 2020, with updates on these days, closed on 30 June.
fn updated(days: &[&str]) -> World {
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "closed_at": "2020-06-30", "case_type": "complaint"}))
        .people()
        .roles();
    for (at, day) in days.iter().enumerate() {
        update(&world, &format!("U-{at}"), day);
    }
    world
}

#[test]
fn n8_updates_within_four_weeks_of_the_start_and_of_each_before() {
    // 28 days each: 30 March, 27 April, 25 May, 22 June.
    let in_time = ["2020-03-30", "2020-04-27", "2020-05-25", "2020-06-22"];
    assert_eq!(updated(&in_time).classes("N8"), []);
    assert_eq!(
        updated(&["2020-03-30", "2020-04-28", "2020-05-26", "2020-06-23"]).classes("N8"),
        [Medium],
        "a day late"
    );
    let world = updated(&["2020-03-30"]);
    let found = world.rule("N8");
    assert_eq!((found.len(), found[0].confidence), (1, High));
    assert!(
        found[0].speaks_for[0].contains("due by 2020-04-27"),
        "{:?}",
        found[0].speaks_for
    );
    assert_eq!(found[0].people, ["P-C"]);
    // Midnight in London, not in UTC: half past eleven in the evening UTC is the next day in summer time.
    let late = ["2020-03-30", "2020-04-27T23:30:00Z", "2020-05-25", "2020-06-22"];
    assert_eq!(updated(&late).classes("N8"), [Medium]);
}

#[test]
fn n8_look_alikes() {
    let world = updated(&["2020-03-30", "2020-05-25", "2020-06-22"]);
    assert_eq!(world.classes("N8"), [Medium]);
    world.add(
        "update",
        "U-X",
        json!({"case_ref": "CM/1/20", "recipient": "complainant", "kind": "update", "due_at": "2020-04-27",
        "exception_citation": "SI 2020/2 reg 35"}),
    );
    assert_eq!(world.classes("N8"), [Explained]);
    let world = updated(&["2020-03-30", "2020-05-25", "2020-06-22"]);
    world.log(
        "L-1",
        "2020-04-20",
        "Telephoned Mr Carl Plain and told him how matters stand",
    );
    assert_eq!(world.classes("N8"), [Explained]);
    let world = updated(&["2020-03-30", "2020-05-25", "2020-06-22"]);
    world.log("L-1", "2020-04-20", "Update given");
    assert_eq!(world.classes("N8"), [Low]);
    // A case under the 2012 regulations has no such clock, nor has one outside Schedule 3.
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "came_to_attention_at": "2020-01-31"}))
        .people()
        .roles();
    update(&world, "U-1", "2020-12-01");
    assert_eq!(world.classes("N8"), []);
    let world = World::new();
    world.conduct_case();
    update(&world, "U-1", "2020-12-01");
    assert_eq!(world.classes("N8"), []);
}

#[test]
fn n8_without_any_record_of_a_kind_its_clocks_are_not_judged() {
    let world = updated(&[]);
    let outcome = world.run(&crate::indicators::Ask::default());
    assert!(outcome.indicators.iter().all(|one| one.rule != "N8"));
    assert!(
        outcome
            .left_out
            .iter()
            .any(|words| words.contains("no update is among the records loaded")),
        "{:?}",
        outcome.left_out
    );
}

#[test]
fn n8_outcome_within_five_working_days_over_easter() {
    let told = |sent: Option<&str>| {
        let world = World::new();
        world
            .case(json!({"schedule_3": true, "came_to_attention_at": "2021-03-22", "opened_at": "2021-03-22"}))
            .people();
        world
            .decision("D-1", "case_to_answer", "2021-04-01", "P-AA", json!({}))
            .log("L-9", "2021-06-01", "closed");
        // So that updates are loaded at all.
        world.add(
            "update",
            "U-9",
            json!({"case_ref": "CM/9/20", "recipient": "P-Z", "kind": "update", "sent_at": "2021-04-01"}),
        );
        update(&world, "U-1", "2021-04-10");
        update(&world, "U-2", "2021-05-05");
        if let Some(sent) = sent {
            world.add(
                "update",
                "O-1",
                json!({"case_ref": "CM/1/20", "recipient": "P-C", "kind": "outcome", "sent_at": sent}),
            );
        }
        world.classes("N8")
    };
    // Maundy Thursday 1 April 2021, then Good Friday and Easter Monday: the fifth working day is Monday 12 April.
    assert_eq!(told(Some("2021-04-12")), []);
    assert_eq!(told(Some("2021-04-13")), [Medium]);
    assert_eq!(told(None), [High]);
}

#[test]
fn n8_reviews_and_reports() {
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "closed_at": "2021-12-31"}))
        .people();
    let review = |id: &str, day: &str| {
        world.add(
            "review",
            id,
            json!({"case_ref": "CM/1/20", "review_kind": "supervisory", "reviewer_id": "P-X", "completed_at": day}),
        );
    };
    review("V-1", "2020-07-30"); // 150 days
    review("V-2", "2020-08-29"); // 180 days
    review("V-3", "2021-01-05"); // 300 days were on 27 December 2020
    world.add(
        "timeliness_report",
        "T-9",
        json!({"case_ref": "CM/9/20", "report_to": "LPB", "sent_at": "2021-04-01"}),
    );
    let states = world.with(|context| {
        let names = context.shared.case_names(&world.conn).expect("the catalogue answers");
        let name = names
            .iter()
            .find(|name| name.written == "CM/1/20")
            .expect("it is there");
        let case = CaseFile::load(&world.conn, name).expect("it is there");
        let states = clock_states(context, &case);
        states
            .iter()
            .map(|state| (state.clock.id.clone(), state.due, state.passed()))
            .collect::<Vec<_>>()
    });
    let expected = [
        ("timeliness-12-months", date(2021, 3, 2), true),
        ("timeliness-18-months", date(2021, 9, 2), true),
        ("review-150-days", date(2020, 7, 30), false),
        ("review-180-days", date(2020, 8, 29), false),
        ("review-300-days", date(2020, 12, 27), true),
        ("review-330-days", date(2021, 1, 26), false),
    ];
    assert_eq!(states, expected.map(|(id, due, passed)| (id.to_owned(), due, passed)));
    let classes = world.classes("N8");
    assert_eq!(classes.len(), 2);
    assert!(
        classes.contains(&High) && classes.contains(&Medium),
        "a late review is medium, missing reports are high"
    );
}

#[test]
fn n8_a_practice_of_the_force_holds_for_what_is_due_while_it_lasts() {
    // Reviews are made from 2019 on: the one of 150 days was due in 2018, those of 180 days and more were not.
    let world = World::new();
    world
        .case(json!({"schedule_3": true, "came_to_attention_at": "2018-07-20", "opened_at": "2018-07-20", "closed_at": "2019-02-20"}))
        .people();
    world.add(
        "review",
        "V-9",
        json!({"case_ref": "CM/9/20", "review_kind": "supervisory", "reviewer_id": "P-X", "completed_at": "2019-04-01"}),
    );
    let found = world.rule("N8");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].speaks_for.iter().all(|line| line.contains("2019-01-16")) && found[0].speaks_for.len() == 1,
        "{:?}",
        found[0].speaks_for
    );
}

#[test]
fn n9_recorded_late_and_changed_later() {
    let world = World::new();
    world
        .conduct_case()
        .decision(
            "D-1",
            "severity_assessment",
            "2020-03-10",
            "P-AA",
            json!({"recorded_at": "2020-03-17T09:00:00Z"}),
        )
        .decision(
            "D-2",
            "case_to_answer",
            "2020-04-09",
            "P-AA",
            json!({"recorded_at": "2020-04-21T09:00:00+01:00", "recorded_by": "P-X"}),
        )
        .decision(
            "D-3",
            "referral",
            "2020-04-01",
            "P-AA",
            json!({"recorded_at": "2020-04-01", "field_history": [
            {"field": "outcome", "old": "a", "new": "b", "changed_at": "2020-06-01", "changed_by": "P-X"},
            {"field": "protective_marking", "changed_at": "2020-06-01"}]}),
        );
    let found = world.rule("N9");
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.confidence == High));
    let late = found
        .iter()
        .find(|one| one.records.contains(&"dec:tribune/D-2".to_owned()))
        .expect("it is late");
    assert!(
        late.sentence.contains("6 working days later"),
        "Easter lies between: {}",
        late.sentence
    );
    assert!(
        found
            .iter()
            .any(|one| one.sentence.contains("was changed after it was recorded"))
    );
}

#[test]
fn n9_migration_is_no_recording() {
    let late = |more: serde_json::Value| {
        let world = World::new();
        world
            .conduct_case()
            .decision("D-1", "severity_assessment", "2020-03-10", "P-AA", more);
        world
    };
    assert_eq!(
        late(json!({"migrated_at": "2020-08-01"})).classes("N9"),
        [],
        "no day of recording is on record"
    );
    assert_eq!(
        late(json!({"recorded_at": "2020-08-01T01:00:00Z", "migrated_at": "2020-08-01"})).classes("N9"),
        [Explained]
    );
    assert_eq!(
        late(json!({"recorded_at": "2020-08-01T01:00:00Z", "migrated_at": "2020-09-01"})).classes("N9"),
        [High]
    );
    // Twenty rows with one time of recording are a bulk.
    let world = late(json!({"recorded_at": "2020-08-01T01:00:00Z"}));
    assert_eq!(world.classes("N9"), [High]);
    for at in 0..19 {
        world.add(
            "log_entry",
            &format!("B-{at}"),
            json!({"case_ref": "CM/7/20", "recorded_at": "2020-08-01T01:00:00Z"}),
        );
    }
    assert_eq!(world.classes("N9"), [Explained]);
    let world = late(json!({"recorded_at": "2020-08-01T01:00:00Z"}));
    world.log("L-1", "2020-03-11", "Severity assessment by Ann Able: gross misconduct");
    assert_eq!(world.classes("N9"), [Medium], "the log spoke of it in time");
    // What the move itself changed is the move's.
    let world = late(json!({"recorded_at": "2020-03-10", "migrated_at": "2020-08-01",
        "field_history": [{"field": "outcome", "changed_at": "2020-08-01"}]}));
    assert_eq!(world.classes("N9"), []);
}

#[test]
fn n8_whose_part_in_the_case_ended_is_told_nothing_more() {
    let with = |to: Option<&str>| {
        let world = updated(&["2020-03-30"]);
        world.add(
            "party",
            "PA-2",
            json!({"case_ref": "CM/1/20", "person_id": "P-C", "capacity": "complainant", "to": to}),
        );
        world.classes("N8")
    };
    assert_eq!(with(None), [High]);
    assert_eq!(with(Some("2020-04-20")), [], "before the next update was due");
    assert_eq!(with(Some("2020-05-20")), [High]);
}

#[test]
fn n8_the_record_of_the_system_to_which_a_case_was_moved_counts_whatever_came_in_first() {
    let old = json!({"case_ref": "CM/1/20", "schedule_3": true, "came_to_attention_at": "2020-03-02", "opened_at": "2020-03-02"});
    let new =
        json!({"case_ref": "CM/1/20", "schedule_3": true, "migrated_at": "2020-05-01", "closed_at": "2020-04-20"});
    let classes = |first: (&str, &serde_json::Value), second: (&str, &serde_json::Value)| {
        let world = World::new();
        world.people().roles();
        world
            .add("case", first.0, first.1.clone())
            .add("case", second.0, second.1.clone());
        update(&world, "U-1", "2020-03-30");
        world.log("L-1", "2020-06-30", "filed");
        world.classes("N8")
    };
    // Closed on 20 April, before the update of 27 April was due; when it came to attention only the older record says.
    assert_eq!(classes(("OLD", &old), ("NEW", &new)), []);
    assert_eq!(classes(("NEW", &new), ("OLD", &old)), []);
}

#[test]
fn n9_what_a_row_said_in_an_earlier_import_is_held_against_it() {
    let imported = |first: serde_json::Value, second: serde_json::Value| {
        let world = World::new();
        world
            .conduct_case()
            .decision("D-1", "case_to_answer", "2020-06-01", "P-AA", first)
            .later_import()
            .decision("D-1", "case_to_answer", "2020-06-01", "P-AA", second);
        world
    };
    let rewritten = imported(
        json!({"outcome": "case_to_answer"}),
        json!({"outcome": "no_case_to_answer"}),
    );
    let found = rewritten.rule("N9");
    assert_eq!((found.len(), found[0].confidence), (1, High));
    assert!(
        found[0].speaks_for[0].starts_with("outcome \"case_to_answer\" became \"no_case_to_answer\" between "),
        "{:?}",
        found[0].speaks_for
    );
    let class = |first, second| imported(first, second).classes("N9");
    assert_eq!(
        class(json!({}), json!({"outcome": "case_to_answer"})),
        [],
        "it was added"
    );
    let twice = World::new();
    twice
        .conduct_case()
        .decision("D-1", "case_to_answer", "2020-06-01", "P-AA", json!({"outcome": "a"}))
        .decision("D-1", "case_to_answer", "2020-06-01", "P-AA", json!({"outcome": "b"}));
    assert_eq!(twice.classes("N9"), [Medium], "both rows stand in one import");
    let told = json!({"outcome": "b", "field_history": [{"field": "outcome", "changed_at": "2020-06-02"}]});
    assert_eq!(
        class(json!({"outcome": "a"}), told),
        [Medium],
        "the row itself tells it"
    );
    let raw = |outcome: &str| json!({"outcome": outcome, "raw": {"RESULT": "CTA"}});
    assert_eq!(
        class(raw("cta"), raw("case_to_answer")),
        [Explained],
        "only the map is another"
    );
}
