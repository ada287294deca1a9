//! The self-check: recomputes from the plan what each rule of DOMAIN section 8 would find, with every innocent explanation
//! taken into account, and holds it against what was planted.
//!
//! Written apart from the indicators and sharing no code with them. Invariant: an example that passes has exactly the faults
//! of its truth file; every one of them is found here, so the check cannot pass by doing nothing. A hasty reading, without the explanations, finds the
//! look-alikes too.

mod mail;
mod rows;

use std::fmt;

use crate::config::CorpusError;

use super::ExampleConfig;
use super::people::PEOPLE;
use super::plan::{Plant, World};

/// Cases of an example.
const CASES: usize = 40;
/// The rules.
const RULES: [&str; 14] = [
    "N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "N9", "N10", "N11", "N12", "N13", "N14",
];

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, or `plan` for what must hold of every example.
    pub rule: &'static str,
    /// The reference of the case, if it belongs to one.
    pub case_ref: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.rule,
            self.case_ref.as_deref().unwrap_or("-"),
            self.what
        )
    }
}

/// How rows and mail are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// With every innocent explanation: only faults are left.
    Full,
    /// Without any, as a hasty reader does: look-alikes are found too, or they would look like nothing.
    Hasty,
}

/// What a rule finds.
struct Issue {
    rule: &'static str,
    case: Option<usize>,
    rows: Vec<u32>,
    mails: Vec<usize>,
    what: String,
}

impl Issue {
    fn is_about(&self, plant: &Plant) -> bool {
        plant.rule == self.rule
            && (plant.case.is_none() || plant.case == self.case)
            && (self.rows.iter().any(|row| plant.rows.contains(row))
                || self.mails.iter().any(|mail| plant.mails.contains(mail)))
    }
}

/// Plans an example and checks it; empty when it is as its truth will say.
///
/// # Errors
/// The wordings that the program was built with cannot be read.
pub fn self_check(config: &ExampleConfig) -> Result<Vec<Violation>, CorpusError> {
    Ok(violations(&super::plan(config)?))
}

/// What is wrong with a plan.
pub(super) fn violations(world: &World) -> Vec<Violation> {
    let issues = find(world, Reading::Full);
    let mut wrong = of_the_plan(world);
    let case_ref = |case: Option<usize>| case.map(|case| world.cases[case].case_ref.clone());
    for issue in &issues {
        if !world.plants.iter().any(|plant| plant.is_fault && issue.is_about(plant)) {
            wrong.push(Violation {
                rule: issue.rule,
                case_ref: case_ref(issue.case),
                what: format!("not planted: {}", issue.what),
            });
        }
    }
    for plant in world.plants.iter().filter(|plant| plant.is_fault) {
        if !issues.iter().any(|issue| issue.is_about(plant)) {
            wrong.push(Violation {
                rule: plant.rule,
                case_ref: case_ref(plant.case),
                what: format!("planted and not there: {}", plant.variant),
            });
        }
    }
    let issues = find(world, Reading::Hasty);
    for plant in world.plants.iter().filter(|plant| !plant.is_fault) {
        if !issues.iter().any(|issue| issue.is_about(plant)) {
            wrong.push(Violation {
                rule: plant.rule,
                case_ref: case_ref(plant.case),
                what: format!("looks like nothing: {}", plant.variant),
            });
        }
    }
    wrong
}

fn find(world: &World, reading: Reading) -> Vec<Issue> {
    let mut issues = Vec::new();
    rows::find(world, reading, &mut issues);
    mail::find(world, reading, &mut issues);
    issues
}

/// What must hold of every example.
fn of_the_plan(world: &World) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut hold = |is_true: bool, what: String| {
        if !is_true {
            wrong.push(Violation {
                rule: "plan",
                case_ref: None,
                what,
            });
        }
    };
    hold(world.cases.len() == CASES, format!("{} cases", world.cases.len()));
    hold(world.people.len() == PEOPLE, format!("{} people", world.people.len()));
    for rule in RULES {
        let count = |is_fault: bool| {
            let of_rule = world.plants.iter().filter(|plant| plant.rule == rule);
            of_rule.filter(|plant| plant.is_fault == is_fault).count()
        };
        let (faults, others) = (count(true), count(false));
        hold(
            faults >= 1 && others >= faults,
            format!("{rule} has {faults} faults and {others} look-alikes"),
        );
    }
    for plant in &world.plants {
        hold(
            !plant.rows.is_empty() || !plant.mails.is_empty(),
            format!("{} {} names nothing", plant.rule, plant.variant),
        );
    }
    let clean = (0..world.cases.len()).filter(|at| world.plants.iter().all(|plant| plant.case != Some(*at)));
    hold(clean.count() >= 8, "fewer than eight clean cases".to_owned());
    for (at, mail) in world.mails.iter().enumerate() {
        hold(
            mail.is_lost || !world.holders(at).is_empty(),
            format!("message {at} ({}) is in no mailbox", mail.kind),
        );
        hold(
            mail.parent.is_none_or(|parent| world.mails[parent].at < mail.at),
            format!("message {at} is older than the one it answers"),
        );
        let text = world.lines(at).join("\n");
        hold(
            !text.contains('{') && !mail.subject.contains('{') && text.is_ascii(),
            format!("message {at} has a place that was not filled, or a letter beyond ASCII"),
        );
        let names = |case_ref: &str| text.contains(case_ref) || mail.subject.contains(case_ref);
        for (number, case) in world.cases.iter().enumerate() {
            let is_of_case = mail.case == Some(number);
            hold(
                names(&case.case_ref) == is_of_case,
                format!(
                    "message {at} ({}) and case {}: one names the other wrongly",
                    mail.kind, case.case_ref
                ),
            );
        }
    }
    wrong
}
