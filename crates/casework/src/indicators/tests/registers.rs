//! N12.

use serde_json::json;

use super::World;
use crate::indicators::Confidence::{Explained, High, Medium};

fn contract(interests: &str) -> World {
    let world = World::new();
    world.people().add("register_procurement", "K-1", json!({"contract_ref": "K/1", "organisation": "Northgate Supplies Ltd",
        "evaluator_ids": ["P-X"], "evaluation_from": "2020-02-01", "awarded_at": "2020-05-01", "interests_declared": interests}));
    world
}

fn gift(world: &World, day: &str, outcome: &str) {
    world.add(
        "register_gift",
        "G-1",
        json!({"person_id": "P-X", "organisation": "NORTHGATE SUPPLIES", "offered_at": day, "outcome": outcome}),
    );
}

#[test]
fn n12_a_gift_from_a_bidder() {
    let check = |interests: &str, day: &str, outcome: &str| {
        let world = contract(interests);
        gift(&world, day, outcome);
        world.classes("N12")
    };
    assert_eq!(check("none", "2020-03-01", "accepted"), [High]);
    assert_eq!(check("", "2019-06-01", "accepted"), [High]);
    assert_eq!(check("none", "2018-06-01", "accepted"), [], "too long before");
    assert_eq!(check("none", "2020-03-01", "declined"), [Explained]);
    assert_eq!(check("none", "2020-03-01", "returned to sender"), [Explained]);
    assert_eq!(check("Xenia Other: dinner", "2020-03-01", "accepted"), [Explained]);
    assert_eq!(check("see annex", "2020-03-01", "accepted"), [Medium]);
    assert_eq!(check("none", "2020-03-01", ""), [Medium]);
}

#[test]
fn n12_an_interest_in_a_bidder() {
    let check = |status: &str, to: Option<&str>| {
        let world = contract("none");
        world.add(
            "register_business_interest",
            "B-1",
            json!({"person_id": "P-X", "organisation": "Northgate Supplies", "status": status,
            "refusal_reason": "too near", "applied_at": "2019-01-01", "from": "2019-02-01", "to": to}),
        );
        world.classes("N12")
    };
    assert_eq!(check("approved", None), [High]);
    assert_eq!(check("refused", None), [Explained], "refusal recorded");
    assert_eq!(check("approved", Some("2019-12-31")), [Explained], "ended before");
}

#[test]
fn n12_a_gift_from_the_media_without_a_contact() {
    let world = World::new();
    world.people().add(
        "register_gift",
        "G-1",
        json!({"person_id": "P-X", "organisation": "Daily Lantern", "offered_at": "2020-03-01", "outcome": "accepted"}),
    );
    assert_eq!(world.classes("N12"), []);
    let contact = |id: &str, person: &str, day: &str| {
        world.add(
            "register_media_contact",
            id,
            json!({"person_id": person, "organisation": "The Daily Lantern", "contact_at": day}),
        );
    };
    contact("M-1", "P-AA", "2020-03-01");
    assert_eq!(world.classes("N12"), [Medium]);
    contact("M-2", "P-X", "2020-03-20");
    assert_eq!(world.classes("N12"), []);
}

#[test]
fn n12_an_interest_of_an_associate_in_a_bidder() {
    let check = |to: Option<&str>, status: &str, interests: &str| {
        let world = contract(interests);
        world
            .add(
                "register_association",
                "A-1",
                json!({"person_id": "P-OFF", "other_person_id": "P-X", "nature": "cousin", "from": "2015-01-01", "to": to}),
            )
            .add(
                "register_business_interest",
                "B-1",
                json!({"person_id": "P-OFF", "organisation": "Northgate Supplies", "status": status, "from": "2019-02-01"}),
            );
        world.classes("N12")
    };
    assert_eq!(check(None, "approved", "none"), [Medium]);
    assert_eq!(
        check(Some("2019-12-31"), "approved", "none"),
        [Explained],
        "it had ended"
    );
    assert_eq!(check(None, "refused", "none"), [Explained]);
    assert_eq!(check(None, "approved", "P-X: cousin works there"), [Explained]);
}
