//! The 30 people of the worked example: names, ranks, postings, line managers and addresses over time.
//!
//! Who does what is fixed by the number of a person, who that is by the seed. Names are those of the invented word lists;
//! nobody here exists. Invariant: families differ, so a rank and a family name mean one person.

use crate::people::{FORCE_DOMAIN, FORCE_NAME};
use crate::rng::Rng;
use crate::wordlist::{FAMILY_NAMES, FIRST_NAMES};

use super::dates::{Day, day, day_of};

/// The appropriate authority: a Deputy Chief Constable.
pub(super) const DEPUTY: usize = 0;
/// To whom the authority is delegated.
pub(super) const DELEGATES: [usize; 3] = [1, 2, 3];
pub(super) const SUPERVISORS: [usize; 2] = [4, 5];
pub(super) const INVESTIGATORS: [usize; 6] = [6, 7, 8, 9, 10, 11];
/// A chief inspector outside the department who carries out reviews.
pub(super) const REVIEWER: usize = 12;
pub(super) const ADMINISTRATOR: usize = 13;
pub(super) const IT_STAFF: usize = 15;
/// A superintendent with no part in any case.
pub(super) const OPERATIONS: usize = 16;
pub(super) const OFFICERS: [usize; 6] = [17, 18, 19, 20, 21, 22];
/// Who decides for the Director General.
pub(super) const OVERSIGHT: usize = 25;
pub(super) const COMPLAINANTS: [usize; 4] = [26, 27, 28, 29];
pub(super) const PEOPLE: usize = 30;

const OVERSIGHT_DOMAIN: &str = "oversight-body.example";
const PUBLIC_DOMAIN: &str = "post.example";

/// A value and the days from and until which it held; `None` is still.
pub(super) type Held<T> = (T, Day, Option<Day>);

#[derive(Clone, Debug)]
pub(super) struct PersonPlan {
    pub(super) first: &'static str,
    pub(super) family: &'static str,
    /// An earlier family name and the day on which it changed.
    pub(super) earlier: Option<(&'static str, Day)>,
    pub(super) number: Option<String>,
    pub(super) member: &'static str,
    pub(super) ranks: Vec<Held<&'static str>>,
    pub(super) postings: Vec<Held<&'static str>>,
    pub(super) managers: Vec<Held<usize>>,
    pub(super) is_custodian: bool,
}

impl PersonPlan {
    pub(super) fn family_at(&self, at: i64) -> &'static str {
        match self.earlier {
            Some((earlier, changed)) if day_of(at) < changed => earlier,
            _ => self.family,
        }
    }

    pub(super) fn full_name(&self, at: i64) -> String {
        format!("{} {}", self.first, self.family_at(at))
    }

    /// `Quillfeather, Ardwen`.
    pub(super) fn display(&self, at: i64) -> String {
        format!("{}, {}", self.family_at(at), self.first)
    }

    /// `DS Quillfeather`; somebody without a rank by the full name.
    pub(super) fn spoken(&self, at: i64) -> String {
        match held(&self.ranks, day_of(at)) {
            Some(rank) if *rank != "Police Staff" => format!("{rank} {}", self.family_at(at)),
            _ => self.full_name(at),
        }
    }

    fn is_force(&self) -> bool {
        matches!(self.member, "officer" | "staff")
    }

    fn smtp_of(&self, family: &str) -> String {
        let domain = match self.member {
            "oversight" => OVERSIGHT_DOMAIN,
            "public" => PUBLIC_DOMAIN,
            _ => FORCE_DOMAIN,
        };
        format!("{}.{family}@{domain}", self.first).to_ascii_lowercase()
    }

    pub(super) fn smtp(&self, at: i64) -> String {
        self.smtp_of(self.family_at(at))
    }

    /// The X.500 address that Exchange gave; it keeps the first family name.
    pub(super) fn x500(&self) -> Option<String> {
        let family = self.earlier.map_or(self.family, |(earlier, _)| earlier);
        self.is_force().then(|| {
            format!(
                "/O=VALE OF TARROW/OU=HEADQUARTERS/CN=RECIPIENTS/CN={}{}",
                &self.first[..1],
                family
            )
            .to_ascii_uppercase()
        })
    }

    /// Kind, value, from, until.
    pub(super) fn aliases(&self) -> Vec<(&'static str, String, Option<Day>, Option<Day>)> {
        let mut all = Vec::new();
        let mut named = |family: &'static str, from, to| {
            all.push(("smtp", self.smtp_of(family), from, to));
            all.push(("display", format!("{family}, {}", self.first), from, to));
            all.push(("initials", format!("{}{}", &self.first[..1], &family[..1]), from, to));
        };
        match self.earlier {
            Some((earlier, changed)) => {
                named(earlier, None, Some(changed - 1));
                named(self.family, Some(changed), None);
            }
            None => named(self.family, None, None),
        }
        if let Some(x500) = self.x500() {
            all.push(("x500", x500, None, None));
        }
        all
    }

    /// Folder of the custodian's mail.
    pub(super) fn slug(&self) -> String {
        format!("{}-{}", self.family, self.first).to_ascii_lowercase()
    }

    pub(super) fn manager(&self, at: i64) -> Option<usize> {
        held(&self.managers, day_of(at)).copied()
    }
}

fn held<T>(history: &[Held<T>], day: Day) -> Option<&T> {
    history
        .iter()
        .find(|(_, from, to)| *from <= day && to.is_none_or(|to| day <= to))
        .map(|(value, _, _)| value)
}

/// The name of the force, for letters.
pub(super) fn force() -> &'static str {
    FORCE_NAME
}

/// `P-17`.
pub(super) fn person_id(person: usize) -> String {
    format!("P-{:02}", person + 1)
}

/// Makes all 30.
pub(super) fn make(rng: &mut Rng) -> Vec<PersonPlan> {
    let mut firsts = FIRST_NAMES.to_vec();
    let mut families = FAMILY_NAMES.to_vec();
    shuffle(&mut firsts, rng);
    shuffle(&mut families, rng);
    let mut people: Vec<PersonPlan> = (0..PEOPLE)
        .map(|number| one(number, firsts[number], families[number], rng))
        .collect();
    // Two of the force change their name; the later name was nobody's before.
    for (nth, person) in [INVESTIGATORS[rng.below(6) as usize], ADMINISTRATOR]
        .into_iter()
        .enumerate()
    {
        let earlier = families[PEOPLE + nth];
        let changed = day(i64::from(rng.between(2009, 2016)), rng.between(2, 12), 1);
        people[person].earlier = Some((earlier, changed));
    }
    people
}

pub(super) fn shuffle<T>(list: &mut [T], rng: &mut Rng) {
    for at in (1..list.len()).rev() {
        list.swap(at, rng.below(at as u32 + 1) as usize);
    }
}

fn one(number: usize, first: &'static str, family: &'static str, rng: &mut Rng) -> PersonPlan {
    let joined = day(1999, 4, 1) + i64::from(rng.below(900));
    let changed = day(2004, 1, 5) + i64::from(rng.below(90));
    let (member, before, rank, earlier_unit, unit) = match number {
        0 => ("officer", "ACC", "DCC", "Operations Command", "Command Team"),
        1 | 2 => ("officer", "DCI", "Det Supt", "Major Crime", PSD),
        3 => ("officer", "DI", "DCI", "Major Crime", PSD),
        4 | 5 => ("officer", "DS", "DI", "Economic Crime", PSD),
        6 | 7 | 9 => ("officer", "DC", "DS", "Custody Services", PSD),
        8 | 10 => ("officer", "PC", "DC", "Custody Services", PSD),
        11 => ("staff", "Police Staff", "Police Staff", "Statement Unit", PSD),
        12 => ("officer", "Insp", "DCI", "Firearms Licensing", "Review and Inspection"),
        13 | 14 => ("staff", "Police Staff", "Police Staff", "Typing Pool", PSD),
        15 => (
            "staff",
            "Police Staff",
            "Police Staff",
            "Control Room",
            "Information Management",
        ),
        16 => ("officer", "Ch Insp", "Supt", "Roads Policing", "Operations Command"),
        17 | 19 => ("officer", "Probationer", "PC", "Training School", "Quaymoor Response"),
        18 => ("officer", "PC", "PS", "Harbour Section", "Quaymoor Response"),
        20 => ("officer", "PC", "DC", "Training School", "Fiddlewood CID"),
        21 => ("officer", "Probationer", "PC", "Training School", "Fiddlewood CID"),
        22 => ("officer", "PC", "PS", "Harbour Section", "Fiddlewood CID"),
        23 => ("officer", "PS", "Insp", "Planning", "Quaymoor Response"),
        24 => ("officer", "PS", "Insp", "Planning", "Fiddlewood CID"),
        25 => ("oversight", "", "", "", ""),
        _ => ("public", "", "", "", ""),
    };
    let mut person = PersonPlan {
        first,
        family,
        earlier: None,
        number: None,
        member,
        ranks: Vec::new(),
        postings: Vec::new(),
        managers: Vec::new(),
        is_custodian: number <= REVIEWER,
    };
    if !person.is_force() {
        return person;
    }
    person.number = Some(format!("TV{:04}", 1000 + 100 * number as u32 + rng.below(100)));
    person.ranks = if before == rank {
        vec![(rank, joined, None)]
    } else {
        vec![(before, joined, Some(changed - 1)), (rank, changed, None)]
    };
    person.postings = vec![(earlier_unit, joined, Some(changed - 1)), (unit, changed, None)];
    let swap = day(i64::from(rng.between(2008, 2018)), rng.between(1, 12), 1);
    person.managers = match number {
        0 | 25.. => Vec::new(),
        1 | 2 | 12 | 15 | 16 => vec![(DEPUTY, changed, None)],
        3 => vec![(1, changed, Some(swap - 1)), (2, swap, None)],
        4 | 5 => vec![(3, changed, None)],
        6..=11 => {
            let first = rng.below(2) as usize;
            vec![
                (SUPERVISORS[first], changed, Some(swap - 1)),
                (SUPERVISORS[1 - first], swap, None),
            ]
        }
        13 | 14 => vec![(4, changed, None)],
        17..=19 => vec![(23, changed, None)],
        20..=22 => vec![(24, changed, None)],
        _ => vec![(OPERATIONS, changed, None)],
    };
    person
}

const PSD: &str = "Professional Standards Department";
