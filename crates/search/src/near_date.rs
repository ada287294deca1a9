//! A date that hits are ordered by their nearness to (`--near-date`).
//!
//! It is written as behind `date:`: a day, a month, a range, something relative to the present day. What lies in it is nearest, then what is fewest
//! seconds before its first or behind its last moment. It orders and leaves nothing out: what is only wanted near a date is asked for with
//! `date:`. Main type: [`NearDate`]. Invariant: its end lies behind its beginning.

use embley_index::Order;
use embley_model::date::rfc3339;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::error::SyntaxError;
use crate::plan::bounds;
use crate::syntax::date_interval;
use crate::tree::Span;

/// See the module. In JSON `from` and `until`, RFC 3339 UTC, the end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearDate {
    first: i64,
    end: i64,
}

impl NearDate {
    /// Reads it; relative dates are counted from `now`, seconds UTC.
    pub(crate) fn read(text: &str, now: i64, zone: &TimeZone) -> Result<Self, SyntaxError> {
        let interval = date_interval(text)?;
        let whole = Span::new(0, text.len());
        match bounds(&interval, now, zone) {
            Some((first, end)) if first < end => Ok(Self { first, end }),
            _ => Err(SyntaxError::at(
                text,
                whole,
                format!("`{text}` is no date or range with two ends that nearness could count from"),
            )
            .hint("write a day, month or year, or a range such as `2001-05..2001-07`")),
        }
    }

    pub(crate) fn order(self) -> Order {
        Order::Near {
            first: self.first,
            end: self.end,
        }
    }

    /// Calendar days in the zone from it to a moment: negative before it, 0 on its days. `None` outside of the calendar.
    pub fn days_to(self, secs: i64, zone: &TimeZone) -> Option<i64> {
        let day = |secs: i64| Some(Timestamp::from_second(secs).ok()?.to_zoned(zone.clone()).date());
        let days = |from: Date, to: Date| from.until(to).ok().map(|span| i64::from(span.get_days()));
        let (first, last, own) = (day(self.first)?, day(self.end - 1)?, day(secs)?);
        if own < first {
            days(first, own)
        } else if own > last {
            days(last, own)
        } else {
            Some(0)
        }
    }
}

impl Serialize for NearDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("NearDate", 2)?;
        object.serialize_field("from", &rfc3339(self.first))?;
        object.serialize_field("until", &rfc3339(self.end))?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").expect("the bundled zones hold London")
    }

    /// 2020-07-01T12:00:00Z.
    const NOW: i64 = 1_593_604_800;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("a time stamp").as_second()
    }

    #[test]
    fn it_is_written_as_behind_date() {
        for (text, from, until) in [
            ("2001-05-14", "2001-05-13T23:00:00Z", "2001-05-14T23:00:00Z"),
            ("2001-12", "2001-12-01T00:00:00Z", "2002-01-01T00:00:00Z"),
            ("14 May 2001", "2001-05-13T23:00:00Z", "2001-05-14T23:00:00Z"),
            ("2001-01..2001", "2001-01-01T00:00:00Z", "2002-01-01T00:00:00Z"),
            ("yesterday", "2020-06-29T23:00:00Z", "2020-06-30T23:00:00Z"),
        ] {
            let read = NearDate::read(text, NOW, &london()).expect("it is read");
            assert_eq!((read.first, read.end), (seconds(from), seconds(until)), "{text}");
        }
        for text in ["", "2001-13", "2001..", ">2001", "soon", "today..2001"] {
            let error = NearDate::read(text, NOW, &london()).expect_err("refused");
            assert!(error.hint.is_some(), "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar_in_the_zone() {
        let may = NearDate::read("2001-05", NOW, &london()).expect("it is read");
        for (at, days) in [
            ("2001-04-30T22:59:59Z", -1),
            ("2001-04-30T23:00:00Z", 0),
            ("2001-05-31T22:59:59Z", 0),
            ("2001-05-31T23:00:00Z", 1),
            ("2002-05-31T12:00:00Z", 365),
        ] {
            assert_eq!(may.days_to(seconds(at), &london()), Some(days), "{at}");
        }
    }
}
