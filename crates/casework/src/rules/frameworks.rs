//! Which regulations govern a case: decided by the day on which the matter came to attention, never by the day of a decision.
//!
//! Main type: [`Frameworks`]. Invariant: on any day at most one set of regulations of a kind governs.

use jiff::civil::Date;
use serde::Deserialize;

use super::load::{Source, shown_citation};
use crate::error::Result;

/// What regulations are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegimeKind {
    /// Conduct proceedings: every case.
    Conduct,
    /// Complaints and matters under Schedule 3 of the Police Reform Act 2002.
    Complaint,
}

/// A set of regulations over a range of days.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// Its id, such as `conduct-2012`.
    pub id: String,
    /// Version of this line.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// Not confirmed in a primary source.
    #[serde(default)]
    pub check: bool,
    /// What it is about.
    pub kind: RegimeKind,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub citation: String,
    /// The first day on which a matter that comes to attention is under it; none means any earlier day.
    pub from: Option<Date>,
    /// The last day; none means that it still governs.
    pub until: Option<Date>,
    /// Texts by which a record cites it.
    pub names: Vec<String>,
    /// Whole texts by which a record cites it.
    #[serde(default)]
    pub exact: Vec<String>,
}

impl Regime {
    /// True when a matter that came to attention that day is under it.
    pub fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    /// `Police (Conduct) Regulations 2012 (SI 2012/2632)`.
    pub fn spoken(&self) -> String {
        if self.citation == self.name {
            return self.name.clone();
        }
        format!("{} ({})", self.name, shown_citation(&self.citation, self.check))
    }

    fn is_cited_by(&self, folded: &str) -> bool {
        self.exact.iter().any(|one| fold(one) == folded) || self.names.iter().any(|name| holds(folded, &fold(name)))
    }
}

/// A kind of notice to the officer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// Version of this line.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// Not confirmed in a primary source.
    #[serde(default)]
    pub check: bool,
    /// The regulations that it belongs to.
    pub regimes: Vec<String>,
    /// Words of `notice_type`.
    pub types: Vec<String>,
    /// Where it stands.
    pub citation: String,
}

/// A switch with a citation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Version of this line.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// Where it stands.
    pub citation: String,
}

/// All regulations and their notices; see the module.
#[derive(Clone, Debug)]
pub struct Frameworks {
    regimes: Vec<Regime>,
    notices: Vec<Notice>,
    /// A later complaint about the same matter stays with the older regulations.
    pub linked_matter: Switch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "version")]
    _version: u32,
    regime: Vec<Regime>,
    linked_matter: Switch,
    #[serde(default)]
    notice: Vec<Notice>,
}

impl Frameworks {
    pub(super) fn read(source: &Source<'_>) -> Result<Self> {
        let file: File = source.parse()?;
        let lines = file
            .regime
            .iter()
            .map(|one| (one.id.as_str(), one.version, one.citation.as_str()));
        source.check_lines("regime", lines)?;
        let lines = file
            .notice
            .iter()
            .map(|one| (one.id.as_str(), one.version, one.citation.as_str()));
        source.check_lines("notice", lines)?;
        for (at, one) in file.regime.iter().enumerate() {
            source.check_range(&format!("regime \"{}\", until", one.id), one.from, one.until)?;
            for other in file.regime.iter().skip(at + 1).filter(|other| other.kind == one.kind) {
                if one.on && other.on && overlap(one, other) {
                    return Err(source.refuse(
                        &format!("regime \"{}\", from and until", other.id),
                        &format!("its days overlap those of \"{}\"", one.id),
                    ));
                }
            }
        }
        for notice in &file.notice {
            for id in &notice.regimes {
                if !file.regime.iter().any(|one| one.id == *id) {
                    let key = format!("notice \"{}\", regimes", notice.id);
                    return Err(source.refuse(&key, &format!("there is no regime \"{id}\"")));
                }
            }
        }
        Ok(Self {
            regimes: file.regime,
            notices: file.notice,
            linked_matter: file.linked_matter,
        })
    }

    /// The regulations of a kind that govern a matter which came to attention that day.
    pub fn governing(&self, kind: RegimeKind, day: Date) -> Option<&Regime> {
        self.regimes
            .iter()
            .find(|one| one.on && one.kind == kind && one.covers(day))
    }

    /// The regulations that a text cites; empty when it cites none that are known.
    pub fn cited(&self, text: &str) -> Vec<&Regime> {
        let folded = fold(text);
        self.regimes
            .iter()
            .filter(|one| one.on && one.is_cited_by(&folded))
            .collect()
    }

    /// The notices that a `notice_type` means; empty when it is none that is known, or only lines that are off.
    pub fn notices_of(&self, notice_type: &str) -> Vec<&Notice> {
        let key = notice_key(notice_type);
        self.notices
            .iter()
            .filter(|one| one.on && one.types.iter().any(|word| notice_key(word) == key))
            .collect()
    }

    /// The notices that belong to regulations.
    pub fn notices_under(&self, regime: &str) -> Vec<&Notice> {
        self.notices
            .iter()
            .filter(|one| one.on && one.regimes.iter().any(|id| id == regime))
            .collect()
    }

    /// The regulations with this id.
    pub fn by_id(&self, id: &str) -> Option<&Regime> {
        self.regimes.iter().find(|one| one.id == id)
    }

    /// True when there is such a line.
    pub(super) fn has(&self, id: &str) -> bool {
        self.regimes.iter().any(|one| one.id == id)
    }
}

fn overlap(one: &Regime, other: &Regime) -> bool {
    let starts_before_end = |start: Option<Date>, end: Option<Date>| match (start, end) {
        (Some(start), Some(end)) => start <= end,
        _ => true,
    };
    starts_before_end(one.from, other.until) && starts_before_end(other.from, one.until)
}

/// `reg 14a`, `Reg_14A` and `reg.14A` are one notice.
fn notice_key(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// True when `name` stands in `text` with no letter or digit right before or after it.
fn holds(text: &str, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use jiff::civil::date;

    #[test]
    fn the_day_of_attention_decides_to_the_day() {
        let rules = RuleSet::built_in().expect("the built-in rules are right");
        let check = |day: Date, conduct: &str, complaint: &str| {
            let id = |kind| rules.frameworks.governing(kind, day).map(|one| one.id.as_str());
            assert_eq!(id(RegimeKind::Conduct), Some(conduct), "{day}");
            assert_eq!(id(RegimeKind::Complaint), Some(complaint), "{day}");
        };
        check(date(2008, 11, 30), "conduct-2004", "complaint-2004");
        check(date(2008, 12, 1), "conduct-2008", "complaint-2008");
        check(date(2012, 11, 21), "conduct-2008", "complaint-2008");
        check(date(2012, 11, 22), "conduct-2012", "complaint-2012");
        check(date(2020, 1, 31), "conduct-2012", "complaint-2012");
        check(date(2020, 2, 1), "conduct-2020", "complaint-2020");
        check(date(2026, 1, 1), "conduct-2020", "complaint-2020");
    }

    #[test]
    fn a_citation_is_known_by_its_number_name_or_year_alone() {
        let rules = RuleSet::built_in().expect("the built-in rules are right");
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<&str> = rules.frameworks.cited(text).iter().map(|one| one.id.as_str()).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("SI 2020/4 reg 14", &["conduct-2020"]);
        check("SI 2020/42", &[]);
        check("si  2012/1204, reg. 16", &["complaint-2012"]);
        check("Police (Conduct) Regulations 2008", &["conduct-2008"]);
        check(
            "Police (Complaints and Misconduct) Regulations 2012",
            &["complaint-2012"],
        );
        check("Misconduct Regulations 2012", &[]);
        check("2012", &["conduct-2012", "complaint-2012"]);
        check("in 2012", &[]);
        check("SI 2004/643", &["complaint-2004", "complaint-2008"]);
        check("", &[]);
    }

    #[test]
    fn a_notice_is_known_however_its_number_is_written_and_unconfirmed_ones_are_off() {
        let rules = RuleSet::built_in().expect("the built-in rules are right");
        let ids = |text: &str| -> Vec<String> {
            rules
                .frameworks
                .notices_of(text)
                .iter()
                .map(|one| one.id.clone())
                .collect()
        };
        assert_eq!(ids("Reg. 14a"), ["notice-complaint-2008"]);
        assert_eq!(ids("reg_17"), ["notice-conduct-2020", "notice-complaint-2020"]);
        assert!(ids("form_163").is_empty(), "the line is marked for checking");
    }
}
