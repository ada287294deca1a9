//! Times of records: RFC 3339 with an offset, or a day without a time, which stays a day.
//!
//! Invariant: a time without an offset is not a time (`None`): the zone is never guessed.

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::date::{Confidence, DateSource, EvidenceDate};

/// A time as a case system gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordTime {
    /// A moment.
    Instant {
        /// The text as found.
        raw: String,
        /// Seconds since 1970-01-01T00:00:00Z.
        utc_secs: i64,
        /// Offset from UTC in minutes; `None` for `-00:00` (RFC 3339 section 4.3: offset unknown).
        offset_minutes: Option<i16>,
    },
    /// A day without a time.
    Day {
        /// The text as found.
        raw: String,
        /// The day.
        date: civil::Date,
    },
}

impl RecordTime {
    /// Reads `2019-03-04T10:00:00+00:00` (RFC 3339 section 5.6; a space may stand for the `T`) or `2019-03-04`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() == 10 {
            return Some(Self::Day {
                raw: text.to_owned(),
                date: parse_day(text)?,
            });
        }
        let (day, rest) = text.split_at_checked(10)?;
        parse_day(day)?;
        if !rest.starts_with(['T', 't', ' ']) {
            return None;
        }
        let offset_minutes = parse_offset(rest)?;
        let stamp: jiff::Timestamp = text.parse().ok()?;
        Some(Self::Instant {
            raw: text.to_owned(),
            utc_secs: stamp.as_nanosecond().div_euclid(1_000_000_000).try_into().ok()?,
            offset_minutes,
        })
    }

    /// The text as found.
    pub fn raw(&self) -> &str {
        match self {
            Self::Instant { raw, .. } | Self::Day { raw, .. } => raw,
        }
    }

    /// True for a day without a time.
    pub fn is_day(&self) -> bool {
        matches!(self, Self::Day { .. })
    }

    /// UTC seconds: the moment itself, or the first moment of the day in `zone`.
    pub fn utc_secs(&self, zone: &TimeZone) -> Option<i64> {
        match self {
            Self::Instant { utc_secs, .. } => Some(*utc_secs),
            Self::Day { date, .. } => Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_second()),
        }
    }

    /// The calendar day in `zone`.
    pub fn day(&self, zone: &TimeZone) -> Option<civil::Date> {
        match self {
            Self::Instant { utc_secs, .. } => Some(
                jiff::Timestamp::from_second(*utc_secs)
                    .ok()?
                    .to_zoned(zone.clone())
                    .date(),
            ),
            Self::Day { date, .. } => Some(*date),
        }
    }

    /// As the date of an item. A day has medium confidence: its time is not known.
    pub fn evidence(&self, zone: &TimeZone) -> EvidenceDate {
        let (offset_minutes, confidence) = match self {
            Self::Instant { offset_minutes, .. } => (*offset_minutes, Confidence::High),
            Self::Day { .. } => (None, Confidence::Medium),
        };
        EvidenceDate {
            raw: self.raw().to_owned(),
            utc_secs: self.utc_secs(zone),
            offset_minutes,
            source: DateSource::Record,
            confidence,
        }
    }
}

impl Serialize for RecordTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.raw())
    }
}

impl<'de> Deserialize<'de> for RecordTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is neither an RFC 3339 time nor a day")))
    }
}

fn parse_day(text: &str) -> Option<civil::Date> {
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if !(digits(0..4) && bytes.get(4) == Some(&b'-') && digits(5..7) && bytes.get(7) == Some(&b'-') && digits(8..10)) {
        return None;
    }
    let year: i16 = text.get(0..4)?.parse().ok()?;
    let month: i8 = text.get(5..7)?.parse().ok()?;
    let day: i8 = text.get(8..10)?.parse().ok()?;
    civil::Date::new(year, month, day).ok()
}

/// The offset at the end of a time: outer `None` when there is none, inner `None` for `-00:00`.
#[expect(
    clippy::option_option,
    reason = "no offset and an offset said to be unknown are two things"
)]
fn parse_offset(rest: &str) -> Option<Option<i16>> {
    if rest.ends_with(['Z', 'z']) {
        return Some(Some(0));
    }
    let sign_at = rest.len().checked_sub(6)?;
    let tail = rest.get(sign_at..)?;
    let (hours, minutes) = tail.get(1..)?.split_once(':')?;
    if !(hours.len() == 2
        && minutes.len() == 2
        && (hours.to_owned() + minutes).bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let total = hours.parse::<i16>().ok()? * 60 + minutes.parse::<i16>().ok()?;
    match tail.as_bytes()[0] {
        b'+' => Some(Some(total)),
        b'-' if total == 0 => Some(None),
        b'-' => Some(Some(-total)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").expect("the zone is bundled")
    }

    #[test]
    fn times_need_an_offset_and_days_stay_days() {
        let check = |text: &str, expected: Option<(i64, Option<i16>)>| {
            let found = RecordTime::parse(text).map(|time| match time {
                RecordTime::Instant {
                    utc_secs,
                    offset_minutes,
                    ..
                } => (utc_secs, offset_minutes),
                RecordTime::Day { .. } => panic!("{text} is not a day"),
            });
            assert_eq!(found, expected, "{text}");
        };
        check("2019-03-04T10:00:00Z", Some((1_551_693_600, Some(0))));
        check("2019-03-04T10:00:00+01:00", Some((1_551_690_000, Some(60))));
        check("2019-03-04 10:00:00.5-05:30", Some((1_551_713_400, Some(-330))));
        check("2019-03-04T10:00:00-00:00", Some((1_551_693_600, None)));
        check("2019-03-04T10:00:00", None);
        check("2019-02-30T10:00:00Z", None);
        check("04/03/2019", None);
        check("", None);
        assert!(RecordTime::parse("2019-03-04").is_some_and(|time| time.is_day()));
        assert_eq!(RecordTime::parse("2019-13-04"), None);
    }

    #[test]
    fn a_moment_before_1970_is_rounded_down_as_later_ones_are() {
        assert_eq!(
            RecordTime::parse("1969-12-31T23:59:59.5Z").and_then(|time| time.utc_secs(&london())),
            Some(-1)
        );
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_zone() {
        let summer = RecordTime::parse("2019-07-01").expect("a day");
        assert_eq!(summer.utc_secs(&london()), Some(1_561_935_600));
        assert_eq!(summer.evidence(&london()).confidence, Confidence::Medium);
        let moment = RecordTime::parse("2019-06-30T23:30:00Z").expect("a moment");
        assert_eq!(moment.day(&london()), summer.day(&london()));
    }
}
