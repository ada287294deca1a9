//! Registers of the force: gifts, business interests, associations, media contacts, procurement, with what is planted for N12.
//!
//! Invariant: but for the plants, no person has to do with one organisation in two registers.

use crate::rng::Rng;

use super::dates::{Day, at, day, office, working_from};
use super::people::{DEPUTY, shuffle};
use super::plan::{Entry, Plant, Register, World};

const ORGANISATIONS: [&str; 28] = [
    "Brindlewick Haulage",
    "Fiddlewood Fleet",
    "Gorse and Gorse",
    "Wobblegate Repairs",
    "Umber Print",
    "Kettle Catering",
    "Pepperdyne IT",
    "Oddcastle College",
    "Lantern Legal Stationers",
    "Quagmyre Boots",
    "Snowberry Radios",
    "Thimblemoor Uniforms",
    "Yewbarrow Locks",
    "Mudlarke Marine",
    "Otterspool Vans",
    "Hollyhocker Landscaping",
    "Crumpleton Cameras",
    "Plumduffer Bakeries",
    "Whistlecroft Security",
    "Bilberrow Training",
    "Nettlefold Tyres",
    "Icklefield Cleaning",
    "Frostpickle Storage",
    "Toadflax Translations",
    "Spindrifter Software",
    "Acornby Furniture",
    "Velvetree Hotels",
    "Marrowfat Farm Shop",
];
const PAPERS: [&str; 3] = ["The Tarrow Herald", "Radio Quaymoor", "Oddcastle Evening Post"];

fn push(world: &mut World, recorded: Day, by: usize, entry: Entry) -> u32 {
    let row = world.row(at(working_from(recorded), 720), by);
    let no = row.no;
    world.registers.push(Register { row, entry });
    no
}

fn plant_about(is_fault: bool, variant: &'static str, person: usize, rows: Vec<u32>, why: String) -> Plant {
    Plant {
        rule: "N12",
        is_fault,
        variant,
        case: None,
        people: vec![person],
        rows,
        mails: Vec::new(),
        why,
    }
}

/// Fills the registers.
pub(super) fn make(world: &mut World, rng: &mut Rng) {
    let mut organisations = ORGANISATIONS.to_vec();
    shuffle(&mut organisations, rng);
    let mut names = organisations.into_iter();
    let mut next = || names.next().expect("there are more organisations than rows").to_owned();
    // Everybody of the force takes one part only, so nobody meets an organisation twice by accident.
    let mut people: Vec<usize> = (1..25).collect();
    shuffle(&mut people, rng);
    let mut free = people.into_iter();
    let mut somebody = || free.next().expect("there are more people than parts");

    for (is_fault, variant, is_gift, why) in [
        (
            true,
            "gift-and-evaluation",
            true,
            "an evaluator accepted hospitality from the bidder during the evaluation, the award says that no interest was declared",
        ),
        (
            true,
            "interest-and-evaluation",
            false,
            "an evaluator has a business interest in the bidder, the award says that no interest was declared",
        ),
        (
            false,
            "declined-gift",
            true,
            "the evaluator was offered hospitality by the bidder and declined it",
        ),
        (
            false,
            "refusal-recorded",
            false,
            "the evaluator's application for a business interest in the bidder was refused before the evaluation, with the reason on record",
        ),
    ] {
        let (person, organisation) = (somebody(), next());
        let from = some_day(rng);
        let row = if is_gift {
            gift(world, person, &organisation, from + 12, is_fault, rng)
        } else {
            let refusal = (!is_fault).then(|| "the organisation bids for contracts of the force".to_owned());
            interest(world, person, &organisation, from - 300, refusal)
        };
        let contract = contract(world, vec![person, somebody()], &organisation, from, rng);
        world.plant(plant_about(
            is_fault,
            variant,
            person,
            vec![row, contract],
            why.to_owned(),
        ));
    }
    for _ in 0..3 {
        let (person, organisation, day) = (somebody(), next(), some_day(rng));
        let accepted = rng.below(2) == 0;
        gift(world, person, &organisation, day, accepted, rng);
    }
    for _ in 0..3 {
        let (person, organisation, day) = (somebody(), next(), some_day(rng));
        interest(world, person, &organisation, day, None);
    }
    for _ in 0..2 {
        let (organisation, day) = (next(), some_day(rng));
        let evaluators = vec![somebody(), somebody()];
        contract(world, evaluators, &organisation, day, rng);
    }
    for paper in PAPERS {
        let (person, day) = (somebody(), some_day(rng));
        let contact_at = office(working_from(day), rng);
        let entry = Entry::Media {
            person,
            organisation: paper.to_owned(),
            contact: "news desk".to_owned(),
            at: contact_at,
            subject: "open day at the station".to_owned(),
            authorised_by: DEPUTY,
        };
        push(world, day + 1, person, entry);
    }
}

fn some_day(rng: &mut Rng) -> Day {
    working_from(day(2010, 1, 4) + i64::from(rng.below(4500)))
}

fn gift(world: &mut World, person: usize, organisation: &str, on: Day, accepted: bool, rng: &mut Rng) -> u32 {
    let kinds = [
        "two tickets for a cricket match",
        "dinner at a trade fair",
        "a hamper",
        "a day at the races",
    ];
    let entry = Entry::Gift {
        person,
        organisation: organisation.to_owned(),
        offered_by: "the sales manager".to_owned(),
        description: (*rng.pick(&kinds)).to_owned(),
        value: rng.between(25, 140),
        at: working_from(on),
        accepted,
    };
    push(world, on + 2, person, entry)
}

fn interest(world: &mut World, person: usize, organisation: &str, applied: Day, refusal: Option<String>) -> u32 {
    let applied = working_from(applied);
    let from = refusal.is_none().then_some(applied + 30);
    let entry = Entry::Interest {
        person,
        organisation: organisation.to_owned(),
        nature: "part-time bookkeeping".to_owned(),
        applied,
        refusal,
        from,
    };
    push(world, applied + 25, person, entry)
}

fn contract(world: &mut World, evaluators: Vec<usize>, organisation: &str, from: Day, rng: &mut Rng) -> u32 {
    let number = rng.between(1000, 9999);
    let titles = [
        "Supply and repair",
        "Three-year framework",
        "Replacement programme",
        "Maintenance",
    ];
    let entry = Entry::Procurement {
        contract: format!("VT/{}/{number}", super::dates::civil(from).year),
        organisation: organisation.to_owned(),
        title: (*rng.pick(&titles)).to_owned(),
        value: 1000 * rng.between(40, 900),
        evaluators,
        from: working_from(from),
        awarded: working_from(from + 45),
    };
    push(world, from + 46, DEPUTY, entry)
}
