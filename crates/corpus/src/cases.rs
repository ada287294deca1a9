//! The cases of the fictional Professional Standards Department, each a function of its number.
//!
//! Mail about a case is written by the people of the case around its decisions, and the records in
//! [`crate::records`] say the same, so that timelines have something to join.

use crate::calendar::Civil;
use crate::config::CorpusConfig;
use crate::rng::{Purpose, Rng};

/// One decision of a case, as the case system has it.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) kind: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) decided_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) decided_by: u32,
    pub(crate) role_claimed: &'static str,
}

/// One appointment.
#[derive(Clone, Debug)]
pub(crate) struct Appointment {
    pub(crate) person: u32,
    pub(crate) role: &'static str,
    pub(crate) appointed_at: i64,
    pub(crate) ended_at: Option<i64>,
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) case_ref: String,
    pub(crate) kind: &'static str,
    pub(crate) incident_at: i64,
    pub(crate) opened_at: i64,
    pub(crate) closed_at: Option<i64>,
    pub(crate) officer: u32,
    pub(crate) investigator: u32,
    pub(crate) authority: u32,
    pub(crate) supervisor: u32,
    pub(crate) complainant: u32,
    pub(crate) appointments: Vec<Appointment>,
    pub(crate) decisions: Vec<Decision>,
}

const DAY: i64 = 86_400;

/// Decision kinds in the order in which they fall, with the day after the opening and possible outcomes.
const STEPS: [(&str, i64, [&str; 2]); 7] = [
    ("recording", 2, ["recorded", "recorded"]),
    (
        "form_of_investigation",
        5,
        ["local investigation", "supervised investigation"],
    ),
    ("appointment", 8, ["investigator appointed", "investigator appointed"]),
    ("severity_assessment", 12, ["misconduct", "gross misconduct"]),
    ("severity_revision", 80, ["misconduct", "gross misconduct"]),
    ("case_to_answer", 190, ["case to answer", "no case to answer"]),
    ("misconduct_outcome", 240, ["management action", "no further action"]),
];

/// What a reference begins with.
pub(crate) const REF_PREFIX: &str = "PSD";

impl Case {
    /// The case with this number, `0..config.cases`.
    pub(crate) fn of(config: &CorpusConfig, number: u32) -> Self {
        let mut rng = Rng::new(config.seed, Purpose::Case, u64::from(number));
        let opened_at = opened_at(config, number);
        let staff = config.staff;
        let custodians = config.custodians;
        let investigator = number % custodians;
        let mut others = [0; 3];
        for at in 0..others.len() {
            others[at] = (0..)
                .map(|_| rng.below(staff))
                .find(|person| *person != investigator && !others[..at].contains(person))
                .unwrap_or_default();
        }
        let [mut authority, supervisor, officer] = others;
        let next = (number + 1) % custodians;
        if next != investigator && next != supervisor && next != officer {
            authority = next;
        }
        let authority_role = "appropriate_authority_delegate";
        let mut decisions = Vec::new();
        for (kind, day, outcomes) in STEPS {
            if kind == "severity_revision" && rng.below(3) > 0 {
                continue;
            }
            let date = (opened_at + (day + i64::from(rng.below(3))) * DAY).min(config.to_unix - DAY);
            let earliest = decisions
                .last()
                .map_or(opened_at, |last: &Decision| last.decided_at + 60);
            let at = (date + i64::from(rng.below(8 * 3600))).max(earliest);
            let late = if rng.below(12) == 0 { 40 } else { 2 };
            decisions.push(Decision {
                kind,
                outcome: outcomes[rng.below(2) as usize],
                decided_at: at,
                recorded_at: at + 600 + i64::from(rng.below(late * 86_400)),
                decided_by: if kind == "severity_revision" {
                    investigator
                } else {
                    authority
                },
                role_claimed: if kind == "severity_revision" {
                    "investigator"
                } else {
                    authority_role
                },
            });
        }
        let ended = (rng.below(8) > 0).then_some((opened_at + 260 * DAY).min(config.to_unix));
        let role = |person, role, day: i64| Appointment {
            person,
            role,
            appointed_at: opened_at + day * DAY,
            ended_at: ended,
        };
        Self {
            case_ref: case_ref(opened_at, number),
            kind: ["complaint", "conduct_matter", "recordable_conduct_matter"][rng.below(3) as usize],
            incident_at: opened_at - i64::from(rng.between(1, 40)) * DAY,
            opened_at,
            closed_at: ended,
            officer,
            investigator,
            authority,
            supervisor,
            complainant: staff + rng.below(5000),
            appointments: vec![
                role(authority, authority_role, 0),
                role(investigator, "investigator", 7),
                role(supervisor, "supervisor", 7),
            ],
            decisions,
        }
    }

    /// People who write about the case; the first is a custodian.
    pub(crate) fn writers(&self) -> [u32; 4] {
        [self.investigator, self.authority, self.supervisor, self.officer]
    }
}

/// When a case was opened: spread evenly, and early enough to be decided inside the period if that is long enough.
fn opened_at(config: &CorpusConfig, number: u32) -> i64 {
    let whole = config.to_unix - config.from_unix;
    let span = if whole > 500 * DAY {
        whole - 300 * DAY
    } else {
        whole / 4
    };
    let step = i128::from(span) * (2 * i128::from(number) + 1) / (2 * i128::from(config.cases.max(1)));
    let at = config.from_unix + i64::try_from(step).unwrap_or(span);
    at - at.rem_euclid(DAY) + 9 * 3600
}

/// `PSD/2017/0412`: the year of opening and a number that no other case has.
pub(crate) fn case_ref(opened_at: i64, number: u32) -> String {
    format!("{REF_PREFIX}/{}/{:04}", Civil::at(opened_at, 0).year, 101 + number)
}

/// The reference of a case without building the case.
pub(crate) fn case_ref_of(config: &CorpusConfig, number: u32) -> String {
    case_ref(opened_at(config, number), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_a_case_are_held_by_different_people_and_decisions_follow_in_time() {
        let config = CorpusConfig::new(100_000, 4);
        for number in 0..config.cases {
            let case = Case::of(&config, number);
            let mut people = case.writers().to_vec();
            people.sort_unstable();
            people.dedup();
            assert_eq!(people.len(), 4, "{case:?}");
            assert!(case.decisions.len() >= 6);
            assert!(
                case.decisions
                    .windows(2)
                    .all(|pair| pair[0].decided_at <= pair[1].decided_at)
            );
            assert!(case.investigator < config.custodians);
            assert!(case.opened_at >= config.from_unix && case.opened_at <= config.to_unix);
        }
    }
}
