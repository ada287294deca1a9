//! Exhibits for people: all that is on record about one, labels and continuity statements as pages to print.
//!
//! The register itself is `embley_store::facts`; here it is put together with items, cases, decisions and the timeline. Main functions:
//! [`view`], [`label_page`], [`continuity_page`]. Invariant: pages hold no script and name no resource outside of themselves, and every text from
//! evidence or people is escaped; sentences say what is on record and conclude nothing.

mod html;
mod pages;
mod view;

pub use pages::{Printed, continuity_page, label_page};
pub use view::{CaseLine, ExhibitView, HeldItem, PartView, Register, view};

use embley_model::record::RecordTime;
use embley_store::facts::continuity::Moment;
use jiff::civil;
use jiff::tz::TimeZone;

use crate::error::{CaseworkError, Result};

/// Reads a moment as it is typed: RFC 3339, a day, or a day and time in the zone of the case (`2020-03-01 14:30`).
///
/// # Errors
/// It is none of these, or a time that the zone has twice or never on that day.
pub fn moment(text: &str, zone: &TimeZone) -> Result<Moment> {
    let refused = |why: &str| CaseworkError::Request {
        detail: format!(
            "\"{text}\" is no time: {why}; write 2020-03-01, 2020-03-01 14:30 or 2020-03-01T14:30:00+00:00"
        ),
    };
    let text = text.trim();
    if let Some(time) = RecordTime::parse(text) {
        let secs = time.utc_secs(zone).ok_or_else(|| refused("it is out of range"))?;
        return Ok(Moment {
            said: text.to_owned(),
            utc_micros: secs * 1_000_000,
        });
    }
    let local: civil::DateTime = text.parse().map_err(|_| refused("it cannot be read"))?;
    let zoned = zone
        .to_ambiguous_zoned(local)
        .unambiguous()
        .map_err(|_| refused("clocks were changed then; say the offset"))?;
    Ok(Moment {
        said: zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        utc_micros: zoned.timestamp().as_microsecond(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").expect("the zone is known")
    }

    #[test]
    fn moments_are_read_in_three_forms() {
        for (text, said, secs) in [
            ("2020-07-01", "2020-07-01", 1_593_558_000),
            ("2020-07-01T00:00:00+00:00", "2020-07-01T00:00:00+00:00", 1_593_561_600),
            ("2020-07-01 01:00", "2020-07-01T01:00:00+01:00", 1_593_561_600),
            (" 2020-01-01 01:00 ", "2020-01-01T01:00:00+00:00", 1_577_840_400),
        ] {
            let read = moment(text, &london()).expect("it is a moment");
            assert_eq!(
                (read.said.as_str(), read.utc_micros),
                (said, secs * 1_000_000),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_that_the_zone_has_twice_or_never_is_refused() {
        for text in ["2020-10-25 01:30", "2020-03-29 01:30", "yesterday", "", "2020-13-01"] {
            assert!(moment(text, &london()).is_err(), "{text}");
        }
    }
}
