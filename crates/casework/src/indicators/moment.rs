//! Times that may be days: what is certainly before, what may overlap.
//!
//! A day without a time is the whole day in the zone of the case. Main types: [`Moment`], [`Span`]. Invariant: where a day leaves it
//! open, [`Span::may_cover`] says yes and [`Span::surely_overlaps`] says no: the reading in favour of the people on record.

use embley_model::record::RecordTime;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A moment, or a day: the seconds in which it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// First second, UTC.
    pub earliest: i64,
    /// Last second, UTC.
    pub latest: i64,
    /// The day in the zone.
    pub day: Date,
}

impl Moment {
    /// The seconds of a time; `None` when the calendar cannot hold them.
    pub fn of(time: &RecordTime, zone: &TimeZone) -> Option<Self> {
        let day = time.day(zone)?;
        let earliest = time.utc_secs(zone)?;
        let latest = if time.is_day() {
            let next = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
            next.timestamp().as_second() - 1
        } else {
            earliest
        };
        Some(Self { earliest, latest, day })
    }

    /// True when all of it lies before all of the other.
    pub fn surely_before(&self, other: &Self) -> bool {
        self.latest < other.earliest
    }

    /// True when it may lie before the other, or with it.
    pub fn may_be_by(&self, other: &Self) -> bool {
        self.earliest <= other.latest
    }
}

/// From one time to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its start; `None` when none is on record.
    pub from: Option<Moment>,
    /// Its end; `None` when none is on record.
    pub to: Option<Moment>,
}

impl Span {
    /// True when nothing on record says that the moment lies outside.
    pub fn may_cover(&self, moment: &Moment) -> bool {
        self.from.is_none_or(|from| from.may_be_by(moment)) && self.to.is_none_or(|to| moment.may_be_by(&to))
    }

    /// True when the two have a time in common whatever hour of a day is meant. A span without a start on record overlaps nothing surely.
    pub fn surely_overlaps(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (self.from, other.from) else {
            return false;
        };
        let start = one.latest.max(two.latest);
        let ends = [self.to, other.to];
        ends.into_iter().flatten().all(|end| start < end.earliest)
    }

    /// `from 2019-01-02 to 2019-03-04`, in words that say what is not on record.
    pub fn spoken(&self) -> String {
        let from = self
            .from
            .map_or_else(|| "an unrecorded day".to_owned(), |from| from.day.to_string());
        match self.to {
            Some(to) => format!("from {from} to {}", to.day),
            None => format!("from {from} with no end on record"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        let london = TimeZone::get("Europe/London").expect("the zone is bundled");
        Moment::of(&RecordTime::parse(text).expect("a time"), &london).expect("it is in the calendar")
    }

    fn span(from: &str, to: Option<&str>) -> Span {
        Span {
            from: Some(at(from)),
            to: to.map(at),
        }
    }

    #[test]
    fn a_day_is_read_in_favour_of_the_people_on_record() {
        let first = span("2019-01-01", Some("2019-03-01"));
        assert!(
            !first.surely_overlaps(&span("2019-03-01", None)),
            "one day of handing over"
        );
        assert!(first.surely_overlaps(&span("2019-02-28", None)));
        assert!(!first.surely_overlaps(&span("2019-02-28T12:00:00Z", Some("2019-02-28T11:00:00Z"))));
        assert!(first.may_cover(&at("2019-03-01T23:59:00Z")) && !first.may_cover(&at("2019-03-02")));
        let unknown = Span { from: None, to: None };
        assert!(unknown.may_cover(&at("1999-01-01")) && !unknown.surely_overlaps(&first));
    }

    #[test]
    fn the_day_on_which_clocks_change_has_23_or_25_hours() {
        let hours = |text: &str| (at(text).latest + 1 - at(text).earliest) / 3600;
        assert_eq!(
            (hours("2020-03-29"), hours("2020-10-25"), hours("2020-06-01")),
            (23, 25, 24)
        );
        assert!(
            at("2020-06-30").surely_before(&at("2020-06-30T23:00:00Z")),
            "London is an hour ahead"
        );
    }
}
