//! Dates as typed to ranges of UTC seconds, in the zone of the case.
//!
//! A year, month, day, minute or second is the span from its first moment to the first moment after it. Where clocks
//! go back, an hour occurs twice: a minute in it is two spans.

use std::ops::Bound;

use embley_index::Node;
use embley_model::field::Field;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::tree::{DateSpec, Interval, Unit};

/// The first moment of a date and the first moment after it; an end beyond what clocks hold is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: Option<i64>,
    end: Option<i64>,
}

/// The items whose date in this field lies within the interval.
pub(super) fn range(field: Field, interval: &Interval<DateSpec>, zone: &TimeZone) -> Node {
    let whole = |spec: &DateSpec| {
        let all = spans(*spec, zone);
        // The earliest and the latest moment of it.
        (
            all.first().and_then(|span| span.start),
            all.last().and_then(|span| span.end),
        )
    };
    let between = |low: Bound<i64>, high: Bound<i64>| Node::Range { field, low, high };
    let from = |at: Option<i64>| at.map_or(Bound::Unbounded, Bound::Included);
    let before = |at: Option<i64>| at.map_or(Bound::Unbounded, Bound::Excluded);
    match interval {
        Interval::In(spec) => {
            let parts: Vec<Node> = spans(*spec, zone)
                .iter()
                .map(|span| between(from(span.start), before(span.end)))
                .collect();
            Node::Or(parts)
        }
        Interval::Between(low, high) => {
            let low = low.as_ref().map_or(Bound::Unbounded, |spec| from(whole(spec).0));
            let high = high.as_ref().map_or(Bound::Unbounded, |spec| before(whole(spec).1));
            between(low, high)
        }
        Interval::AtLeast(spec) => between(from(whole(spec).0), Bound::Unbounded),
        Interval::AtMost(spec) => between(Bound::Unbounded, before(whole(spec).1)),
        Interval::Below(spec) => match whole(spec).0 {
            Some(start) => between(Bound::Unbounded, Bound::Excluded(start)),
            None => Node::Nothing,
        },
        Interval::Above(spec) => match whole(spec).1 {
            Some(end) => between(Bound::Included(end), Bound::Unbounded),
            None => Node::Nothing,
        },
    }
}

/// The day in the zone at a moment in seconds UTC.
pub(super) fn today(now: i64, zone: &TimeZone) -> Date {
    let stamp = Timestamp::from_second(now).unwrap_or(if now < 0 { Timestamp::MIN } else { Timestamp::MAX });
    stamp.to_zoned(zone.clone()).date()
}

/// The interval with dates that do not depend on the present day; `None` when one lies outside of the calendar.
pub(super) fn absolute(interval: &Interval<DateSpec>, today: Date) -> Option<Interval<DateSpec>> {
    let first = |spec: &DateSpec| Some(resolved(*spec, today)?.0);
    let last = |spec: &DateSpec| Some(resolved(*spec, today)?.1);
    Some(match interval {
        Interval::In(spec) => {
            let (low, high) = resolved(*spec, today)?;
            if low == high {
                Interval::In(low)
            } else {
                Interval::Between(Some(low), Some(high))
            }
        }
        Interval::Between(low, high) => {
            let low = match low {
                Some(spec) => Some(first(spec)?),
                None => None,
            };
            let high = match high {
                Some(spec) => Some(last(spec)?),
                None => None,
            };
            Interval::Between(low, high)
        }
        Interval::Above(spec) => Interval::Above(last(spec)?),
        Interval::AtLeast(spec) => Interval::AtLeast(first(spec)?),
        Interval::Below(spec) => Interval::Below(first(spec)?),
        Interval::AtMost(spec) => Interval::AtMost(last(spec)?),
    })
}

/// The first and the last date of a date that may be relative to the present day.
fn resolved(spec: DateSpec, today: Date) -> Option<(DateSpec, DateSpec)> {
    let day = |date: Date| DateSpec::Day(date.year(), date.month(), date.day());
    let ago = |count: u16, unit: Unit| {
        let count = i64::from(count);
        let span = match unit {
            Unit::Day => count.days(),
            Unit::Week => count.weeks(),
            Unit::Month => count.months(),
            Unit::Year => count.years(),
        };
        today.checked_sub(span).ok()
    };
    let whole = |date: Date, unit: Unit| {
        let one = match unit {
            Unit::Day => day(date),
            Unit::Month => DateSpec::Month(date.year(), date.month()),
            Unit::Year => DateSpec::Year(date.year()),
            Unit::Week => {
                let since_monday = i64::from(date.weekday().to_monday_zero_offset());
                let monday = date.checked_sub(since_monday.days()).ok()?;
                return Some((day(monday), day(monday.checked_add(6.days()).ok()?)));
            }
        };
        Some((one, one))
    };
    match spec {
        DateSpec::Today => Some((day(today), day(today))),
        DateSpec::Yesterday => whole(today.yesterday().ok()?, Unit::Day),
        DateSpec::Ago(count, unit) => whole(ago(count, unit)?, Unit::Day),
        DateSpec::Past(count, unit) => Some((day(ago(count, unit)?), day(today))),
        DateSpec::This(unit) => whole(today, unit),
        DateSpec::Last(Unit::Month) => whole(today.first_of_month().yesterday().ok()?, Unit::Month),
        DateSpec::Last(Unit::Year) => whole(today.first_of_year().yesterday().ok()?, Unit::Year),
        DateSpec::Last(unit) => whole(ago(1, unit)?, unit),
        absolute => Some((absolute, absolute)),
    }
}

/// The first moment of an interval with two ends and the first one after it, seconds UTC; relative dates are counted from `now`.
pub(crate) fn bounds(interval: &Interval<DateSpec>, now: i64, zone: &TimeZone) -> Option<(i64, i64)> {
    let (low, high) = match absolute(interval, today(now, zone))? {
        Interval::In(spec) => (spec, spec),
        Interval::Between(Some(low), Some(high)) => (low, high),
        Interval::Between(..)
        | Interval::Above(_)
        | Interval::AtLeast(_)
        | Interval::Below(_)
        | Interval::AtMost(_) => return None,
    };
    Some((spans(low, zone).first()?.start?, end_of(high, zone)?))
}

/// True when an absolute interval ends before it begins.
pub(super) fn is_empty(interval: &Interval<DateSpec>, zone: &TimeZone) -> bool {
    match range(Field::Date, interval, zone) {
        Node::Range {
            low: Bound::Included(low),
            high: Bound::Excluded(high),
            ..
        } => low >= high,
        _ => false,
    }
}

/// The first moment after an absolute date, seconds UTC; `None` beyond what clocks hold.
pub(crate) fn end_of(spec: DateSpec, zone: &TimeZone) -> Option<i64> {
    spans(spec, zone).last().and_then(|span| span.end)
}

fn spans(spec: DateSpec, zone: &TimeZone) -> Vec<Span> {
    match spec {
        DateSpec::Year(year) => days(
            Date::new(year, 1, 1).ok(),
            Date::new(year.saturating_add(1), 1, 1).ok(),
            zone,
        ),
        DateSpec::Month(year, month) => {
            let first = Date::new(year, month, 1).ok();
            days(first, first.and_then(|day| day.checked_add(1.month()).ok()), zone)
        }
        DateSpec::Day(year, month, day) => {
            let day = Date::new(year, month, day).ok();
            days(day, day.and_then(|day| day.tomorrow().ok()), zone)
        }
        DateSpec::Minute(year, month, day, hour, minute) => clock(
            DateTime::new(year, month, day, hour, minute, 0, 0).ok(),
            SignedDuration::from_secs(60),
            zone,
        ),
        DateSpec::Second(year, month, day, hour, minute, second) => clock(
            DateTime::new(year, month, day, hour, minute, second, 0).ok(),
            SignedDuration::from_secs(1),
            zone,
        ),
        DateSpec::Today
        | DateSpec::Yesterday
        | DateSpec::Ago(..)
        | DateSpec::Past(..)
        | DateSpec::This(_)
        | DateSpec::Last(_) => unreachable!("relative dates are made absolute before"),
    }
}

fn days(first: Option<Date>, after: Option<Date>, zone: &TimeZone) -> Vec<Span> {
    let midnight = |day: Date| {
        let start = day.to_zoned(zone.clone()).and_then(|zoned| zoned.start_of_day());
        start.ok().map(|zoned| zoned.timestamp().as_second())
    };
    vec![Span {
        start: first.and_then(midnight),
        end: after.and_then(midnight),
    }]
}

fn clock(time: Option<DateTime>, length: SignedDuration, zone: &TimeZone) -> Vec<Span> {
    let Some(time) = time else { return Vec::new() };
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let mut starts: Vec<i64> = [ambiguous.earlier(), ambiguous.later()]
        .into_iter()
        .flatten()
        .map(|stamp| stamp.as_second())
        .collect();
    if !ambiguous.is_ambiguous() {
        starts.truncate(1);
    }
    starts
        .into_iter()
        .map(|start| Span {
            start: Some(start),
            end: Some(start.saturating_add(length.as_secs())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").expect("the bundled zones hold London")
    }

    fn seconds(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().expect("a time stamp").as_second()
    }

    fn span(spec: DateSpec) -> Vec<(i64, i64)> {
        spans(spec, &london())
            .iter()
            .map(|span| (span.start.expect("a start"), span.end.expect("an end")))
            .collect()
    }

    #[test]
    fn a_day_in_summer_begins_at_eleven_in_the_evening_utc() {
        assert_eq!(
            span(DateSpec::Day(2001, 5, 14)),
            [(seconds("2001-05-13T23:00:00Z"), seconds("2001-05-14T23:00:00Z"))]
        );
        assert_eq!(
            span(DateSpec::Year(2001)),
            [(seconds("2001-01-01T00:00:00Z"), seconds("2002-01-01T00:00:00Z"))]
        );
        assert_eq!(
            span(DateSpec::Month(2001, 12)),
            [(seconds("2001-12-01T00:00:00Z"), seconds("2002-01-01T00:00:00Z"))]
        );
    }

    #[test]
    fn the_days_when_clocks_change_have_23_and_25_hours() {
        let hours = |spec| {
            span(spec)
                .iter()
                .map(|(start, end)| (end - start) / 3600)
                .collect::<Vec<_>>()
        };
        assert_eq!(hours(DateSpec::Day(2001, 3, 25)), [23]);
        assert_eq!(hours(DateSpec::Day(2001, 10, 28)), [25]);
        assert_eq!(hours(DateSpec::Day(2001, 10, 29)), [24]);
    }

    #[test]
    fn a_minute_that_occurs_twice_is_two_spans() {
        assert_eq!(
            span(DateSpec::Minute(2001, 10, 28, 1, 30)),
            [
                (seconds("2001-10-28T00:30:00Z"), seconds("2001-10-28T00:31:00Z")),
                (seconds("2001-10-28T01:30:00Z"), seconds("2001-10-28T01:31:00Z")),
            ]
        );
        assert_eq!(
            span(DateSpec::Second(2001, 1, 1, 9, 30, 15)),
            [(seconds("2001-01-01T09:30:15Z"), seconds("2001-01-01T09:30:16Z"))]
        );
    }

    #[test]
    fn comparisons_hold_at_the_ends_of_the_typed_span() {
        let day = DateSpec::Day(2001, 1, 2);
        let (start, end) = (seconds("2001-01-02T00:00:00Z"), seconds("2001-01-03T00:00:00Z"));
        for (interval, low, high) in [
            (Interval::In(day), Bound::Included(start), Bound::Excluded(end)),
            (Interval::AtLeast(day), Bound::Included(start), Bound::Unbounded),
            (Interval::Above(day), Bound::Included(end), Bound::Unbounded),
            (Interval::Below(day), Bound::Unbounded, Bound::Excluded(start)),
            (Interval::AtMost(day), Bound::Unbounded, Bound::Excluded(end)),
            (
                Interval::Between(None, Some(day)),
                Bound::Unbounded,
                Bound::Excluded(end),
            ),
            (
                Interval::Between(Some(DateSpec::Year(2000)), Some(day)),
                Bound::Included(seconds("2000-01-01T00:00:00Z")),
                Bound::Excluded(end),
            ),
        ] {
            let field = Field::Date;
            let expected = format!("{:?}", Node::Range { field, low, high });
            let found = match range(Field::Date, &interval, &london()) {
                Node::Or(parts) if parts.len() == 1 => format!("{:?}", parts[0]),
                other => format!("{other:?}"),
            };
            assert_eq!(found, expected, "{interval}");
        }
    }

    #[test]
    fn the_last_year_of_the_calendar_has_no_end() {
        let found = format!(
            "{:?}",
            range(Field::Date, &Interval::In(DateSpec::Year(9999)), &london())
        );
        assert!(found.contains("Unbounded"), "{found}");
    }
}
