//! Days and working days of the worked example.
//!
//! A day is a number of days since 1970-01-01. A working day excludes Saturdays, Sundays, bank and public holidays in England
//! and Wales (Banking and Financial Dealings Act 1971, section 1 and schedule 1, and the proclamations that moved or added
//! days from 2004 to 2024). Written apart from the rules of `casework`, which the example is there to test.

use crate::calendar::{Civil, london_offset};
use crate::rng::Rng;

/// A calendar day.
pub(super) type Day = i64;

const DAY_SECS: i64 = 86_400;

/// Year, month, day.
type Date = (i64, u32, u32);

/// Days that a proclamation added.
const ADDED: [Date; 5] = [(2011, 4, 29), (2012, 6, 5), (2022, 6, 3), (2022, 9, 19), (2023, 5, 8)];
/// Bank holidays that a proclamation moved: from, to.
const MOVED: [(Date, Date); 3] = [
    ((2012, 5, 28), (2012, 6, 4)),
    ((2020, 5, 4), (2020, 5, 8)),
    ((2022, 5, 30), (2022, 6, 2)),
];

/// The day with this date.
pub(super) fn day(year: i64, month: u32, of_month: u32) -> Day {
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * i64::from(month) + 2) / 5 + i64::from(of_month) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day.
pub(super) fn civil(day: Day) -> Civil {
    Civil::at(day * DAY_SECS, 0)
}

/// The day of a moment, as a clock in London shows it.
pub(super) fn day_of(unix_secs: i64) -> Day {
    (unix_secs + i64::from(london_offset(unix_secs)) * 60).div_euclid(DAY_SECS)
}

/// The moment of a day at this minute of the London clock. Never asked for the hours in which the clock changes.
pub(super) fn at(day: Day, minute: i64) -> i64 {
    let as_utc = day * DAY_SECS + minute * 60;
    as_utc - i64::from(london_offset(as_utc)) * 60
}

/// A moment in office hours of a day: 08:30 to 16:59.
pub(super) fn office(day: Day, rng: &mut Rng) -> i64 {
    at(day, i64::from(rng.between(510, 1020)))
}

/// `2019-03-04`.
pub(super) fn text(day: Day) -> String {
    let c = civil(day);
    format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)
}

/// `4 March 2019`.
pub(super) fn spoken(day: Day) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let c = civil(day);
    format!("{} {} {}", c.day, NAMES[c.month as usize - 1], c.year)
}

/// Easter Sunday (the anonymous Gregorian computus).
fn easter(year: i64) -> Day {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let month = (h + l - 7 * m + 114) / 31;
    let of_month = (h + l - 7 * m + 114) % 31 + 1;
    day(year, month as u32, of_month as u32)
}

fn is_weekend(day: Day) -> bool {
    civil(day).weekday >= 5
}

/// True for a bank or public holiday in England and Wales.
pub(super) fn is_holiday(wanted: Day) -> bool {
    let date = civil(wanted);
    let here = (date.year, date.month, date.day);
    if ADDED.contains(&here) || MOVED.iter().any(|(_, to)| *to == here) {
        return true;
    }
    if MOVED.iter().any(|(from, _)| *from == here) {
        return false;
    }
    let sunday = easter(date.year);
    if wanted == sunday - 2 || wanted == sunday + 1 {
        return true;
    }
    let is_monday = date.weekday == 0;
    match (date.month, date.day) {
        (1, 1) | (12, 25..=26) => !is_weekend(wanted),
        // A holiday at a weekend is kept on the next days of the week.
        (1, 2..=3) => is_monday,
        (12, 27) => is_monday || date.weekday == 1,
        (12, 28) => is_monday || date.weekday == 1,
        (5, 1..=7) | (5, 25..=31) | (8, 25..=31) => is_monday,
        _ => false,
    }
}

/// True for a working day.
pub(super) fn is_working(day: Day) -> bool {
    !is_weekend(day) && !is_holiday(day)
}

/// This day if it is a working day, else the next one.
pub(super) fn working_from(mut day: Day) -> Day {
    while !is_working(day) {
        day += 1;
    }
    day
}

/// This day if it is a working day, else the one before.
pub(super) fn working_until(mut day: Day) -> Day {
    while !is_working(day) {
        day -= 1;
    }
    day
}

/// The working day `count` working days after a day.
pub(super) fn after_working_days(mut day: Day, count: u32) -> Day {
    for _ in 0..count {
        day = working_from(day + 1);
    }
    day
}

/// Working days after `from` up to and with `to`.
pub(super) fn working_days_between(from: Day, to: Day) -> i64 {
    (from + 1..=to).filter(|day| is_working(*day)).count() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for number in (12_000..20_000).step_by(7) {
            let c = civil(number);
            assert_eq!(day(c.year, c.month, c.day), number);
        }
        assert_eq!(text(day(2019, 3, 4)), "2019-03-04");
        assert_eq!(day_of(at(day(2019, 7, 1), 30)), day(2019, 7, 1));
    }

    #[test]
    fn bank_holidays_of_odd_years_are_known() {
        let holidays = |year: i64| -> Vec<String> {
            (day(year, 1, 1)..day(year + 1, 1, 1))
                .filter(|day| is_holiday(*day))
                .map(|day| text(day)[5..].to_owned())
                .collect()
        };
        assert_eq!(
            holidays(2012),
            [
                "01-02", "04-06", "04-09", "05-07", "06-04", "06-05", "08-27", "12-25", "12-26"
            ]
        );
        assert_eq!(
            holidays(2010),
            ["01-01", "04-02", "04-05", "05-03", "05-31", "08-30", "12-27", "12-28"]
        );
        assert_eq!(
            holidays(2020),
            ["01-01", "04-10", "04-13", "05-08", "05-25", "08-31", "12-25", "12-28"]
        );
        assert_eq!(
            holidays(2022),
            [
                "01-03", "04-15", "04-18", "05-02", "06-02", "06-03", "08-29", "09-19", "12-26", "12-27"
            ]
        );
        assert_eq!(working_days_between(day(2020, 4, 9), day(2020, 4, 14)), 1);
        assert_eq!(after_working_days(day(2020, 4, 9), 1), day(2020, 4, 14));
    }
}
