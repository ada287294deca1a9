//! From moments to places on the axis, and the lines of months and years between them.
//!
//! Main type: [`Scale`]. Invariant: whatever lies outside the drawn time is drawn at its edge and counted, so that one date of another century does
//! not press everything else together.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

const DAY: i64 = 86_400;
/// Steps between lines, in months.
const STEPS: [i16; 7] = [1, 3, 12, 60, 120, 600, 1200];
/// Least distance of two labels, in units of the drawing.
const LABEL_ROOM: f64 = 30.0;
/// Seconds beyond the calendar in either direction.
const FAR: i64 = 400_000_000_000;
/// Lines that are drawn at most, whatever the dates say.
const MOST_LINES: usize = 400;

/// A stretch of time on a stretch of the drawing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    from: i64,
    until: i64,
    left: f64,
    right: f64,
    /// How many moments lie outside.
    pub(super) outside: usize,
}

/// A line of the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) x: f64,
    /// The month, or the day of the month; empty where there is no room.
    pub(super) label: String,
    /// The year, where one begins.
    pub(super) year: Option<String>,
    /// The year in which it lies.
    lies_in: String,
}

impl Scale {
    /// The time in which these moments lie; `None` when there are none.
    pub(super) fn new(mut moments: Vec<i64>, left: f64, right: f64) -> Option<Self> {
        for moment in &mut moments {
            *moment = (*moment).clamp(-FAR, FAR);
        }
        moments.sort_unstable();
        let (mut first, mut last) = (0, moments.len().checked_sub(1)?);
        // Single moments that lie further from all others than these lie from one another.
        let few = (moments.len() / 50).max(1);
        while last - first > 3 {
            let span = moments[last] - moments[first];
            let (low, high) = (moments[first + 1] - moments[first], moments[last] - moments[last - 1]);
            if low > span / 10 * 7 && first < few && span > 400 * DAY {
                first += 1;
            } else if high > span / 10 * 7 && moments.len() - 1 - last < few && span > 400 * DAY {
                last -= 1;
            } else {
                break;
            }
        }
        let outside = first + (moments.len() - 1 - last);
        let span = (moments[last] - moments[first]).max(7 * DAY);
        Some(Self {
            from: moments[first] - span / 50,
            until: moments[first] + span + span / 50,
            left,
            right,
            outside,
        })
    }

    /// The place of a moment, inside the drawing.
    pub(super) fn x(&self, secs: i64) -> f64 {
        let share = (secs.saturating_sub(self.from)) as f64 / (self.until - self.from) as f64;
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// True when a moment lies in the drawn time.
    pub(super) fn holds(&self, secs: i64) -> bool {
        (self.from..=self.until).contains(&secs)
    }

    /// Lines at the beginnings of months, or at every seventh day of a short time.
    pub(super) fn ticks(&self, zone: &TimeZone) -> Vec<Tick> {
        let day_of = |secs: i64| Some(Timestamp::from_second(secs).ok()?.to_zoned(zone.clone()).date());
        let (Some(first), Some(last)) = (day_of(self.from), day_of(self.until)) else {
            return Vec::new();
        };
        let days = (self.until - self.from) / DAY;
        if days <= 75 {
            return self.weeks(first, last, zone);
        }
        let per_month = (self.right - self.left) * 30.4 / days as f64;
        let step = STEPS
            .into_iter()
            .find(|step| per_month * f64::from(*step) >= LABEL_ROOM)
            .unwrap_or(STEPS[6]);
        // Quarters begin in January.
        let mut month = if step == 1 {
            first.first_of_month()
        } else {
            first.first_of_year()
        };
        let mut ticks = Vec::new();
        while month <= last && ticks.len() < MOST_LINES {
            if let Some(secs) = start_of(month, zone).filter(|secs| self.holds(*secs)) {
                let label = if step < 12 {
                    month.strftime("%b").to_string()
                } else {
                    String::new()
                };
                let is_year = month.month() == 1;
                ticks.push(Tick {
                    x: self.x(secs),
                    label,
                    year: is_year.then(|| month.strftime("%Y").to_string()),
                    lies_in: month.strftime("%Y").to_string(),
                });
            }
            let Ok(next) = month.checked_add(Span::new().months(i32::from(step))) else {
                break;
            };
            month = next;
        }
        self.say_the_first_year(&mut ticks);
        ticks
    }

    fn weeks(&self, first: Date, last: Date, zone: &TimeZone) -> Vec<Tick> {
        let mut ticks = Vec::new();
        let mut day = first;
        while day <= last && ticks.len() < MOST_LINES {
            if let Some(secs) = start_of(day, zone).filter(|secs| self.holds(*secs)) {
                ticks.push(Tick {
                    x: self.x(secs),
                    label: day.strftime("%-d %b").to_string(),
                    year: None,
                    lies_in: day.strftime("%Y").to_string(),
                });
            }
            let Ok(next) = day.checked_add(Span::new().days(7)) else {
                break;
            };
            day = next;
        }
        self.say_the_first_year(&mut ticks);
        ticks
    }

    /// A drawing that begins within a year says which.
    fn say_the_first_year(&self, ticks: &mut [Tick]) {
        let later = ticks.iter().skip(1).find(|tick| tick.year.is_some()).map(|tick| tick.x);
        if let Some(tick) = ticks.first_mut()
            && tick.year.is_none()
            && later.is_none_or(|x| x - tick.x > LABEL_ROOM * 1.4)
        {
            tick.year = Some(tick.lies_in.clone());
        }
    }
}

fn start_of(day: Date, zone: &TimeZone) -> Option<i64> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> i64 {
        let date: Date = day.parse().expect("a day");
        start_of(date, &TimeZone::UTC).expect("it is in the calendar")
    }

    fn labels(days: &[&str]) -> Vec<String> {
        let scale = Scale::new(days.iter().map(|day| at(day)).collect(), 0.0, 1000.0).expect("there are moments");
        let ticks = scale.ticks(&TimeZone::UTC);
        ticks
            .into_iter()
            .map(|tick| {
                format!(
                    "{}{}",
                    tick.year.map_or(String::new(), |year| format!("{year}:")),
                    tick.label
                )
            })
            .collect()
    }

    #[test]
    fn lines_are_days_months_quarters_or_years() {
        assert_eq!(labels(&["2019-03-01", "2019-03-20"])[0], "2019:7 Mar");
        let year = labels(&["2019-03-10", "2020-03-10"]);
        assert_eq!((year[0].as_str(), year.len()), ("2019:Apr", 12));
        assert!(year.contains(&"2020:Jan".to_owned()), "{year:?}");
        assert!(labels(&["2012-03-10", "2018-03-10"]).contains(&"Apr".to_owned()));
        assert!(labels(&["1990-03-10", "2018-03-10"]).contains(&"2001:".to_owned()));
        assert!(labels(&["0001-01-01", "9000-01-01"]).len() < 120);
    }

    #[test]
    fn one_date_of_another_century_is_drawn_at_the_edge() {
        let mut moments: Vec<i64> = (1..60).map(|day| at("2019-01-01") + day * DAY).collect();
        moments.push(at("1970-01-01"));
        let scale = Scale::new(moments, 0.0, 1000.0).expect("there are moments");
        assert_eq!((scale.outside, scale.x(at("1970-01-01"))), (1, 0.0));
        assert!(scale.x(at("2019-02-01")) > 100.0);
        assert_eq!(Scale::new(Vec::new(), 0.0, 1.0), None);
        assert!(Scale::new(vec![5], 0.0, 1.0).is_some_and(|scale| scale.holds(5)));
        assert!(Scale::new(vec![i64::MIN / 4, i64::MAX / 4], 0.0, 1.0).is_some_and(|scale| scale.x(0).is_finite()));
    }
}
