//! Dates of an export as the canonical form has them: RFC 3339 with an offset, or a day.
//!
//! A map declares formats (`strftime` words) and the zone in which times without an offset are meant. Invariant: nothing is guessed. A
//! time without an offset and without a declared zone, one that the clock change skips or repeats, and a text in no
//! declared format stay as they are, and the check of the record says so.

use embley_model::record::RecordTime;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Earlier years are years of which the century is missing.
const FIRST_YEAR: i16 = 1000;

/// The canonical form of a date, or `None` when it has none.
pub(super) fn canonical(text: &str, formats: &[String], zone: Option<&TimeZone>) -> Option<String> {
    if RecordTime::parse(text).is_some() {
        return Some(text.to_owned());
    }
    let declared = formats.iter().find_map(|format| {
        let parts = BrokenDownTime::parse(format, text).ok()?;
        // `%Y` reads `1/1/21` as the year 21: no date of a record, and which century is meant is not said.
        if parts.year().is_some_and(|year| year < FIRST_YEAR) {
            return None;
        }
        if parts.offset().is_some() {
            return parts.to_timestamp().ok().map(|stamp| stamp.to_string());
        }
        match parts.to_datetime() {
            Ok(time) if parts.hour().is_some() => in_zone(time, zone),
            Ok(_) | Err(_) => parts.to_date().ok().map(|day| day.to_string()),
        }
    });
    // A workbook's own times come as ISO 8601 without a zone.
    let found = declared.or_else(|| {
        let is_iso = text.as_bytes().get(10) == Some(&b'T');
        let time: DateTime = text.parse().ok().filter(|_| is_iso)?;
        in_zone(time, zone)
    });
    found.filter(|form| RecordTime::parse(form).is_some())
}

/// A time of the clock in its zone; `None` when the zone is not declared, or the clock never or twice showed it.
fn in_zone(time: DateTime, zone: Option<&TimeZone>) -> Option<String> {
    let zone = zone?;
    let found = zone.to_ambiguous_zoned(time);
    match found.offset() {
        AmbiguousOffset::Unambiguous { offset } => {
            let seconds = offset.seconds();
            let sign = if seconds < 0 { '-' } else { '+' };
            let minutes = seconds.unsigned_abs() / 60;
            Some(format!(
                "{}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
                time.date(),
                time.hour(),
                time.minute(),
                time.second(),
                minutes / 60,
                minutes % 60
            ))
        }
        AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => None,
    }
}

/// Says whether a format can be used at all: it is tried on a date.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn check_format(format: &str) -> Result<(), String> {
    let sample = Date::constant(2019, 3, 4).at(10, 20, 30, 0).to_zoned(TimeZone::UTC);
    let sample = sample.map_err(|error| error.to_string())?;
    jiff::fmt::strtime::format(format, &sample)
        .map(|_| ())
        .map_err(|error| format!("date format \"{format}\": {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_formats_and_zones_and_nothing_guessed() {
        let chicago = TimeZone::get("America/Chicago").expect("the zone is bundled");
        let formats: Vec<String> = ["%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%b-%Y %H:%M:%S"]
            .map(str::to_owned)
            .to_vec();
        let check = |text: &str, zone: Option<&TimeZone>, expected: Option<&str>| {
            assert_eq!(canonical(text, &formats, zone).as_deref(), expected, "{text}");
        };
        check("2019-03-04", None, Some("2019-03-04"));
        check("04/03/2019", None, Some("2019-03-04"));
        check("04/03/2019 09:30", None, None);
        check("04/07/2019 09:30", Some(&chicago), Some("2019-07-04T09:30:00-05:00"));
        check(
            "04-Mar-2019 09:30:10",
            Some(&chicago),
            Some("2019-03-04T09:30:10-06:00"),
        );
        check("2019-03-04T09:30:00", Some(&chicago), Some("2019-03-04T09:30:00-06:00"));
        check("10/03/2019 02:30", Some(&chicago), None);
        check("03/11/2019 01:30", Some(&chicago), None);
        check("31/02/2019", None, None);
        check("04/03/19", None, None);
        check("soon", Some(&chicago), None);
        assert!(check_format("%d/%m/%Y").is_ok());
        assert!(check_format("%Ö").is_err());
    }
}
