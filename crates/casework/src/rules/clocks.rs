//! Clocks: by when something is due, counted from a day.
//!
//! Pure over days: [`Clock::due`] counts; which records start a clock and answer it is for `indicators`. Main type: [`Clocks`].
//! Invariant: a clock that counts working days gives no answer outside the data of the holidays.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;

use super::calendar::Holidays;
use super::frameworks::Frameworks;
use super::load::{Source, shown_citation};
use crate::error::Result;

/// What a clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Days.
    Days,
    /// Seven days.
    Weeks,
    /// Calendar months; the last day of a month that is too short.
    Months,
    /// Working days in England and Wales.
    WorkingDays,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// An update, and then one after each.
    Update,
    /// The outcome.
    Outcome,
    /// A report that a case is not done.
    TimelinessReport,
    /// A review.
    Review,
    /// The record of a decision.
    Recording,
}

/// Where a clock starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// The first appointment of an investigator.
    InvestigatorAppointedAt,
    /// The opening of the case.
    OpenedAt,
    /// When the matter came to attention.
    CameToAttentionAt,
    /// The determination of one of the clock's decisions.
    Determination,
    /// The decision itself.
    DecidedAt,
}

/// A clock.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Its id.
    pub id: String,
    /// Version of this line.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// Not confirmed in a primary source.
    #[serde(default)]
    pub check: bool,
    /// What is due.
    pub what: What,
    /// How many units.
    pub length: u32,
    /// Of what.
    pub unit: Unit,
    /// The first of these days that is on record.
    pub starts: Vec<Start>,
    /// For `determination`: types of decision.
    #[serde(default)]
    pub decisions: Vec<String>,
    /// Regulations that govern the case; none means all cases.
    #[serde(default)]
    pub regimes: Vec<String>,
    /// Only cases that start on or after this day.
    pub applies_from: Option<Date>,
    /// Only cases that start on or before this day.
    pub applies_until: Option<Date>,
    /// Where it stands.
    pub citation: String,
}

impl Clock {
    /// The last day on which it is in time, counted from `start`, which itself is not counted. `None` when the calendar does not reach it.
    pub fn due(&self, start: Date, holidays: &Holidays) -> Option<Date> {
        let length = i64::from(self.length);
        match self.unit {
            Unit::Days => start.checked_add(length.days()).ok(),
            Unit::Weeks => start.checked_add(length.weeks()).ok(),
            Unit::Months => start.checked_add(length.months()).ok(),
            Unit::WorkingDays => holidays.add_working_days(start, self.length),
        }
    }

    /// True when it holds for a case that starts that day under these regulations.
    pub fn holds(&self, start: Date, regimes: &[&str]) -> bool {
        self.on
            && (self.regimes.is_empty() || self.regimes.iter().any(|id| regimes.contains(&id.as_str())))
            && self.applies_from.is_none_or(|from| from <= start)
            && self.applies_until.is_none_or(|until| start <= until)
    }

    /// `4 weeks`, `5 working days`.
    pub fn spoken(&self) -> String {
        let (one, many) = match self.unit {
            Unit::Days => ("day", "days"),
            Unit::Weeks => ("week", "weeks"),
            Unit::Months => ("month", "months"),
            Unit::WorkingDays => ("working day", "working days"),
        };
        format!("{} {}", self.length, if self.length == 1 { one } else { many })
    }

    /// The citation as it is shown.
    pub fn cited(&self) -> String {
        shown_citation(&self.citation, self.check)
    }
}

/// All clocks; see the module.
#[derive(Clone, Debug)]
pub struct Clocks {
    clocks: Vec<Clock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default)]
    clock: Vec<Clock>,
}

/// Longest clock, in its units.
const LONGEST: u32 = 10_000;

impl Clocks {
    pub(super) fn read(source: &Source<'_>, frameworks: &Frameworks) -> Result<Self> {
        let file: File = source.parse()?;
        let heads = file
            .clock
            .iter()
            .map(|one| (one.id.as_str(), one.version, one.citation.as_str()));
        source.check_lines("clock", heads)?;
        for clock in &file.clock {
            let key = |name: &str| format!("clock \"{}\", {name}", clock.id);
            if clock.length == 0 || clock.length > LONGEST {
                return Err(source.refuse(&key("length"), &format!("it must lie between 1 and {LONGEST}")));
            }
            if clock.starts.is_empty() {
                return Err(source.refuse(&key("starts"), "it names no day"));
            }
            if clock.starts.contains(&Start::Determination) && clock.decisions.is_empty() {
                return Err(source.refuse(
                    &key("decisions"),
                    "a clock that starts at a determination names decisions",
                ));
            }
            source.check_decisions(&key("decisions"), &clock.decisions)?;
            if let Some(id) = clock.regimes.iter().find(|id| !frameworks.has(id)) {
                return Err(source.refuse(&key("regimes"), &format!("there is no regime \"{id}\"")));
            }
            source.check_range(&key("applies_until"), clock.applies_from, clock.applies_until)?;
        }
        Ok(Self { clocks: file.clock })
    }

    /// The clocks of a kind that are on, in the order of the file.
    pub fn of(&self, what: What) -> impl Iterator<Item = &Clock> {
        self.clocks.iter().filter(move |one| one.on && one.what == what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;
    use embley_model::record::RecordTime;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    fn due(id: &str, start: Date) -> Option<Date> {
        let rules = RuleSet::built_in().expect("the built-in rules are right");
        let clock = rules
            .clocks
            .clocks
            .iter()
            .find(|one| one.id == id)
            .expect("there is such a clock");
        clock.due(start, &rules.holidays)
    }

    #[test]
    fn weeks_months_days_and_working_days_end_where_the_calendar_says() {
        let check = |id: &str, start: Date, expected: Date| assert_eq!(due(id, start), Some(expected), "{id} {start}");
        check("update-four-weekly", date(2020, 2, 3), date(2020, 3, 2));
        check("outcome-five-working-days", date(2020, 4, 9), date(2020, 4, 20));
        check("timeliness-12-months", date(2020, 2, 29), date(2021, 2, 28));
        check("timeliness-18-months", date(2020, 8, 31), date(2022, 2, 28));
        check("review-150-days", date(2019, 1, 1), date(2019, 5, 31));
        assert_eq!(due("outcome-five-working-days", date(2031, 1, 1)), None);
    }

    #[test]
    fn a_moment_counts_on_its_day_in_the_zone_of_the_case() {
        // Ten minutes past midnight in London is the day before in UTC: British Summer Time began on 29 March 2020.
        let london = TimeZone::get("Europe/London").expect("the zone is bundled");
        let moment = RecordTime::parse("2020-06-30T23:10:00Z").expect("a moment");
        let day = |zone: &TimeZone| moment.day(zone).expect("a day");
        assert_eq!(due("update-four-weekly", day(&london)), Some(date(2020, 7, 29)));
        assert_eq!(due("update-four-weekly", day(&TimeZone::UTC)), Some(date(2020, 7, 28)));
        // Four weeks over the change of the clocks are 28 days, not 672 hours.
        let before = RecordTime::parse("2020-03-20T23:30:00+00:00").expect("a moment");
        assert_eq!(
            due("update-four-weekly", before.day(&london).expect("a day")),
            Some(date(2020, 4, 17))
        );
    }
}
