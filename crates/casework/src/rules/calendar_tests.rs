//! The calendar against a rule that computes it, and against counting day by day.

use std::sync::LazyLock;

use super::*;
use crate::rules::RuleSet;
use jiff::civil::date;
use proptest::prelude::*;

fn holidays() -> &'static Holidays {
    static BUILT_IN: LazyLock<Holidays> =
        LazyLock::new(|| RuleSet::built_in().expect("the built-in rules are right").holidays);
    &BUILT_IN
}

/// Easter Sunday of the Gregorian calendar (Butcher's form of the computus).
fn easter(year: i16) -> Date {
    let year = i32::from(year);
    let golden = year % 19;
    let (century, rest) = (year / 100, year % 100);
    let (leap_centuries, century_rest) = (century / 4, century % 4);
    let moon = (8 * century + 13) / 25;
    let epact = (19 * golden + century - leap_centuries - moon + 15) % 30;
    let (leaps, leap_rest) = (rest / 4, rest % 4);
    let weekday = (32 + 2 * century_rest + 2 * leaps - epact - leap_rest) % 7;
    let correction = (golden + 11 * epact + 22 * weekday) / 451;
    let sum = epact + weekday - 7 * correction + 114;
    let small = |value: i32| i8::try_from(value).expect("a month or a day");
    date(
        i16::try_from(year).expect("a year"),
        small(sum / 31),
        small(sum % 31 + 1),
    )
}

/// The days that the Act and the customary proclamations give a year, without what single proclamations moved or added.
fn by_rule(year: i16) -> Vec<Date> {
    let next_working = |mut day: Date, taken: &[Date]| {
        while is_weekend(day) || taken.contains(&day) {
            day = day.tomorrow().expect("a later day");
        }
        day
    };
    let mut days = vec![next_working(date(year, 1, 1), &[])];
    days.push(easter(year) - 2.days());
    days.push(easter(year) + 1.day());
    days.push(
        date(year, 5, 1)
            .nth_weekday_of_month(1, Weekday::Monday)
            .expect("May has one"),
    );
    days.push(
        date(year, 5, 1)
            .nth_weekday_of_month(-1, Weekday::Monday)
            .expect("May has one"),
    );
    days.push(
        date(year, 8, 1)
            .nth_weekday_of_month(-1, Weekday::Monday)
            .expect("August has one"),
    );
    let (christmas, boxing) = (date(year, 12, 25), date(year, 12, 26));
    // A day that falls on a weekend is kept on the next day that is neither weekend nor a holiday of its own.
    let first = if is_weekend(christmas) {
        next_working(christmas, &[boxing])
    } else {
        christmas
    };
    days.push(first);
    days.push(next_working(boxing, &[first]));
    days.sort();
    days
}

#[test]
fn every_year_is_what_the_rule_gives_but_for_days_that_were_proclaimed() {
    let data = holidays();
    let moved: [(i16, Option<Date>, Date); 9] = [
        (2011, None, date(2011, 4, 29)),
        (2012, Some(date(2012, 5, 28)), date(2012, 6, 4)),
        (2012, None, date(2012, 6, 5)),
        (2020, Some(date(2020, 5, 4)), date(2020, 5, 8)),
        (2022, Some(date(2022, 5, 30)), date(2022, 6, 2)),
        (2022, None, date(2022, 6, 3)),
        (2022, None, date(2022, 9, 19)),
        (2023, None, date(2023, 5, 8)),
        (2023, None, date(2023, 5, 8)),
    ];
    let mut years = 0;
    for year in 2004..=2027 {
        let mut expected = by_rule(year);
        for (of, instead, day) in &moved {
            if *of == year {
                expected.retain(|one| Some(*one) != *instead);
                expected.push(*day);
            }
        }
        expected.sort();
        expected.dedup();
        let found: Vec<Date> = data.days.keys().copied().filter(|day| day.year() == year).collect();
        assert_eq!(found, expected, "{year}");
        years += 1;
    }
    assert_eq!((years, data.days.len()), (24, 197));
    assert_eq!(easter(2019), date(2019, 4, 21));
}

#[test]
fn working_days_skip_weekends_and_holidays_and_end_with_the_data() {
    let data = holidays();
    let check = |day: Date, count: u32, expected: Option<Date>| {
        assert_eq!(data.add_working_days(day, count), expected, "{day} + {count}");
    };
    // Thursday before Easter 2020, whose Monday is a holiday too.
    check(date(2020, 4, 9), 1, Some(date(2020, 4, 14)));
    check(date(2020, 12, 24), 5, Some(date(2021, 1, 5)));
    check(date(2020, 5, 7), 1, Some(date(2020, 5, 11)));
    check(date(2020, 5, 2), 0, Some(date(2020, 5, 2)));
    check(date(2003, 12, 31), 1, None);
    check(date(2027, 12, 31), 1, None);
    assert_eq!(data.is_working_day(date(2028, 1, 3)), None);
    assert_eq!(data.working_days_between(date(2020, 4, 9), date(2020, 4, 14)), Some(1));
    assert_eq!(data.working_days_between(date(2020, 4, 14), date(2020, 4, 9)), Some(0));
    assert_eq!(
        data.name(date(2022, 9, 19)),
        Some("State Funeral of Queen Elizabeth II")
    );
}

proptest! {
    #[test]
    fn adding_and_counting_are_what_going_day_by_day_gives(start in 0i32..8_600, count in 0u32..200) {
        let data = holidays();
        let day = data.from + start.days();
        let mut at = day;
        let mut left = count;
        let mut known = true;
        while left > 0 {
            at = at.tomorrow().expect("a later day");
            match data.is_working_day(at) {
                None => {
                    known = false;
                    break;
                }
                Some(true) => left -= 1,
                Some(false) => {}
            }
        }
        prop_assert_eq!(data.add_working_days(day, count), known.then_some(at));
        if known {
            prop_assert_eq!(data.working_days_between(day, at), Some(count));
        }
    }
}
