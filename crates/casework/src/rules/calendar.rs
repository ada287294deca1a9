//! Working days in England and Wales: no Saturday, no Sunday, no bank or public holiday.
//!
//! Pure over days; which day a moment falls on is decided elsewhere, in the zone of the case. Main type: [`Holidays`].
//! Invariant: outside the years of its data nothing is known and nothing is guessed: the answer is `None`.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use super::load::Source;
use crate::error::Result;

/// Bank and public holidays over a range of days; see the module.
#[derive(Clone, Debug)]
pub struct Holidays {
    /// First day of the data.
    pub from: Date,
    /// Last day of the data.
    pub until: Date,
    /// Where the data stands.
    pub citation: String,
    days: BTreeMap<Date, String>,
    /// All working days, in order.
    working: Vec<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    version: u32,
    area: String,
    citation: String,
    from: Date,
    until: Date,
    holiday: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    day: Date,
    name: String,
}

/// Longest range of the data, in days: two centuries.
const MOST_DAYS: i32 = 73_050;

impl Holidays {
    pub(super) fn read(source: &Source<'_>) -> Result<Self> {
        let file: File = source.parse()?;
        source.check_lines(
            "holidays",
            [(file.area.as_str(), file.version, file.citation.as_str())].into_iter(),
        )?;
        source.check_range("from, until", Some(file.from), Some(file.until))?;
        let length = file.from.until(file.until).map_or(i32::MAX, |span| span.get_days());
        if length > MOST_DAYS {
            return Err(source.refuse("until", "the data covers more than 200 years"));
        }
        let mut days = BTreeMap::new();
        for line in file.holiday {
            let key = format!("holiday {}", line.day);
            if line.day < file.from || line.day > file.until {
                return Err(source.refuse(&key, &format!("it is outside of {} to {}", file.from, file.until)));
            }
            if is_weekend(line.day) {
                return Err(source.refuse(&key, "it is a Saturday or Sunday; the substitute day is meant"));
            }
            if days.insert(line.day, line.name).is_some() {
                return Err(source.refuse(&key, "it stands there twice"));
            }
        }
        let all = file.from.series(1.day()).take_while(|day| *day <= file.until);
        let working = all.filter(|day| !is_weekend(*day) && !days.contains_key(day)).collect();
        Ok(Self {
            from: file.from,
            until: file.until,
            citation: file.citation,
            days,
            working,
        })
    }

    /// True for a working day; `None` outside the data.
    pub fn is_working_day(&self, day: Date) -> Option<bool> {
        self.knows(day)
            .then(|| !is_weekend(day) && !self.days.contains_key(&day))
    }

    /// The name of a holiday.
    pub fn name(&self, day: Date) -> Option<&str> {
        self.days.get(&day).map(String::as_str)
    }

    /// The working day that is `count` working days after `day`, which itself is not counted; with 0, `day` as it is. `None` when the
    /// data does not reach so far.
    pub fn add_working_days(&self, day: Date, count: u32) -> Option<Date> {
        if !self.knows(day) {
            return None;
        }
        if count == 0 {
            return Some(day);
        }
        let after = self.working.partition_point(|one| *one <= day);
        self.working.get(after + usize::try_from(count).ok()? - 1).copied()
    }

    /// Working days after `from` up to and with `to`; 0 when `to` is not later. `None` when one of them is outside the data.
    pub fn working_days_between(&self, from: Date, to: Date) -> Option<u32> {
        if !self.knows(from) || !self.knows(to) {
            return None;
        }
        let until = self.working.partition_point(|one| *one <= to);
        let after = self.working.partition_point(|one| *one <= from);
        u32::try_from(until.saturating_sub(after)).ok()
    }

    fn knows(&self, day: Date) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
