//! N1, N10, N11, N13 and N14: what mail says beside the rows.

use std::collections::BTreeSet;

use super::super::dates::day_of;
use super::super::plan::{CasePlan, Mail, Repeat, World};
use super::{Issue, Reading};

/// Days between a decision and mail that says it.
const WINDOW_DAYS: i64 = 10;

/// Adds what it finds.
pub(super) fn find(world: &World, reading: Reading, issues: &mut Vec<Issue>) {
    let is_hasty = reading == Reading::Hasty;
    decisions(world, is_hasty, issues);
    for (at, mail) in world.mails.iter().enumerate() {
        let mut raise = |rule, what: String| {
            issues.push(Issue {
                rule,
                case: mail.case,
                rows: Vec::new(),
                mails: vec![at],
                what,
            });
        };
        if let Some(case) = mail.case {
            let case = &world.cases[case];
            for attachment in &mail.attachments {
                let is_same = case.documents.iter().any(|document| document.text == attachment.text);
                let is_held = is_same || (!is_hasty && is_explained(case, &attachment.text));
                if !mail.is_lost && !is_held {
                    raise("N10", format!("{} is on no register", attachment.name));
                }
            }
            for person in std::iter::once(&mail.from).chain(&mail.to).chain(&mail.cc) {
                let may_write =
                    case.has_part(*person, mail.at) || (!is_hasty && is_innocent(world, case, mail, *person));
                if !may_write {
                    raise("N11", format!("person {person} has no part in it ({})", mail.kind));
                }
            }
        }
        if mail.parent.is_some_and(|parent| world.holders(parent).is_empty()) {
            raise("N13", "answers a message that nobody holds".to_owned());
        }
        let is_limited = world
            .limits
            .iter()
            .any(|(person, from, _)| *person == mail.from && day_of(mail.at) < *from);
        let is_with_sender = world.holders(at).iter().any(|(_, is_sender)| *is_sender);
        if world.people[mail.from].is_custodian && !mail.is_lost && (is_hasty || !is_limited) && !is_with_sender {
            raise("N13", "missing from the sender's export".to_owned());
        }
        if let (Some(parent), Repeat::QuotedAs(shown)) = (mail.parent, &mail.repeat)
            && (is_hasty || !says_the_same(shown, &world.lines(parent)))
        {
            raise("N14", "the quotation differs".to_owned());
        }
    }
}

/// N1: every decision is said, and every decision said is on record.
fn decisions(world: &World, is_hasty: bool, issues: &mut Vec<Issue>) {
    const SOUNDS_LIKE: [&str; 6] = ["draft", "proposal", "discussion", "negated", "hypothetical", "quoted"];
    let window = if is_hasty { 1 } else { WINDOW_DAYS };
    for (at, mail) in world.mails.iter().enumerate() {
        if is_hasty && SOUNDS_LIKE.contains(&mail.kind) {
            issues.push(Issue {
                rule: "N1",
                case: mail.case,
                rows: Vec::new(),
                mails: vec![at],
                what: format!("{} taken for a decision", mail.kind),
            });
        }
        let Some(stated) = &mail.states else { continue };
        let case = mail.case.map(|case| &world.cases[case]);
        let made = case.and_then(|case| case.decisions.iter().find(|made| Some(made.row.no) == stated.row));
        let fits = made.is_some_and(|made| made.kind == stated.kind && made.decided_by == stated.by);
        if !fits {
            issues.push(Issue {
                rule: "N1",
                case: mail.case,
                rows: Vec::new(),
                mails: vec![at],
                what: format!("{} said, not recorded", stated.kind),
            });
        }
    }
    for (number, case) in world.cases.iter().enumerate() {
        for made in &case.decisions {
            let is_said = world.mails.iter().any(|mail| {
                let states = mail
                    .states
                    .as_ref()
                    .is_some_and(|stated| stated.row == Some(made.row.no));
                states && (day_of(mail.at) - day_of(made.decided_at)).abs() <= window
            });
            if !is_said {
                issues.push(Issue {
                    rule: "N1",
                    case: Some(number),
                    rows: vec![made.row.no],
                    mails: Vec::new(),
                    what: format!("{} recorded, not said", made.kind),
                });
            }
        }
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The register has another version of the text; or it is a circular, which belongs to no case.
fn is_explained(case: &CasePlan, text: &str) -> bool {
    let ours: BTreeSet<&str> = words(text).into_iter().collect();
    let is_near = |other: &str| {
        let theirs: BTreeSet<&str> = words(other).into_iter().collect();
        let common = ours.intersection(&theirs).count();
        common * 10 >= 8 * ours.union(&theirs).count()
    };
    let is_circular = text.lines().nth(1).is_some_and(|line| line.starts_with("CIRCULAR "));
    is_circular
        || case
            .documents
            .iter()
            .any(|document| document.text == text || is_near(&document.text))
}

/// Manages the investigator, was tasked, or supports the office.
fn is_innocent(world: &World, case: &CasePlan, mail: &Mail, person: usize) -> bool {
    let manages = world.people[case.investigator].manager(mail.at) == Some(person);
    let is_tasked = case
        .reviews
        .iter()
        .any(|review| review.kind == "tasked" && review.reviewer == person && review.terms.is_some());
    let supports = world.people[person].member == "staff" && mail.kind == "contact_support";
    manages || is_tasked || supports
}

/// The words shown stand in the original one after another.
fn says_the_same(shown: &[String], original: &[String]) -> bool {
    let (shown, original) = (shown.join("\n"), original.join("\n"));
    let (shown, original) = (words(&shown), words(&original));
    !shown.is_empty() && original.windows(shown.len()).any(|window| window == shown)
}
