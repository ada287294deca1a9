//! Times of a British office as mail headers write them (RFC 5322 section 3.3), without a time-zone database.
//!
//! Invariant: pure integer arithmetic over the proleptic Gregorian calendar.

/// A moment split into civil parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// 0 is Monday.
    pub(crate) weekday: u32,
}

pub(crate) const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Civil {
    /// The civil parts of `unix_secs` seen at `offset_minutes` east of UTC.
    pub(crate) fn at(unix_secs: i64, offset_minutes: i32) -> Self {
        let local = unix_secs + i64::from(offset_minutes) * 60;
        let days = local.div_euclid(86_400);
        let rest = local.rem_euclid(86_400) as u32;
        let (year, month, day) = date_of(days);
        Self {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 3).rem_euclid(7) as u32,
        }
    }
}

/// Year, month and day of a number of days since 1970-01-01.
fn date_of(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Minutes east of UTC in London: summer time from the last Sunday of March to the last of October, 01:00 UTC.
pub(crate) fn london_offset(unix_secs: i64) -> i32 {
    let now = Civil::at(unix_secs, 0);
    match now.month {
        4..=9 => 60,
        3 => i32::from(after_last_sunday(&now)) * 60,
        10 => i32::from(!after_last_sunday(&now)) * 60,
        _ => 0,
    }
}

/// In a month of 31 days: true from 01:00 of its last Sunday on.
fn after_last_sunday(now: &Civil) -> bool {
    let next_sunday_in = 6 - now.weekday;
    if now.weekday == 6 && now.day >= 25 {
        return now.hour >= 1;
    }
    now.day + next_sunday_in > 31
}

/// Writes `Tue, 14 Mar 2017 09:12:33 +0000`.
pub(crate) fn write_header_date(out: &mut Vec<u8>, unix_secs: i64, offset_minutes: i32) {
    let c = Civil::at(unix_secs, offset_minutes);
    out.extend_from_slice(WEEKDAYS[c.weekday as usize].as_bytes());
    out.extend_from_slice(b", ");
    write_number(out, u64::from(c.day), 1);
    out.push(b' ');
    out.extend_from_slice(MONTHS[c.month as usize - 1].as_bytes());
    out.push(b' ');
    write_number(out, c.year.unsigned_abs(), 4);
    out.push(b' ');
    write_time(out, &c);
    out.extend_from_slice(if offset_minutes < 0 { b" -" } else { b" +" });
    let minutes = u64::from(offset_minutes.unsigned_abs());
    write_number(out, minutes / 60, 2);
    write_number(out, minutes % 60, 2);
}

/// Writes `Tue Mar 14 09:12:33 2017` in UTC, as mbox separator lines do (RFC 4155).
pub(crate) fn write_asctime(out: &mut Vec<u8>, unix_secs: i64) {
    let c = Civil::at(unix_secs, 0);
    out.extend_from_slice(WEEKDAYS[c.weekday as usize].as_bytes());
    out.push(b' ');
    out.extend_from_slice(MONTHS[c.month as usize - 1].as_bytes());
    out.push(b' ');
    if c.day < 10 {
        out.push(b' ');
    }
    write_number(out, u64::from(c.day), 1);
    out.push(b' ');
    write_time(out, &c);
    out.push(b' ');
    write_number(out, c.year.unsigned_abs(), 4);
}

fn write_time(out: &mut Vec<u8>, c: &Civil) {
    write_number(out, u64::from(c.hour), 2);
    out.push(b':');
    write_number(out, u64::from(c.minute), 2);
    out.push(b':');
    write_number(out, u64::from(c.second), 2);
}

/// RFC 3339 with London's offset.
pub(crate) fn rfc3339(unix_secs: i64) -> String {
    let offset = london_offset(unix_secs);
    let c = Civil::at(unix_secs, offset);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+{:02}:00",
        c.year,
        c.month,
        c.day,
        c.hour,
        c.minute,
        c.second,
        offset / 60
    )
}

/// Writes a decimal number with at least `width` digits (at most 20).
pub(crate) fn write_number(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut at = 20;
    let mut rest = value;
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let start = at.min(20 - width.clamp(1, 20));
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_a_time_zone_database() {
        let zone = jiff::tz::TimeZone::get("Europe/London").expect("the database is bundled");
        for step in 0..4000_i64 {
            // From 1996, when the present rule for summer time began.
            let secs = 820_454_400 + step * 283_711;
            let stamp = jiff::Timestamp::from_second(secs).expect("in range");
            let zoned = stamp.to_zoned(zone.clone());
            let mut ours = Vec::new();
            write_header_date(&mut ours, secs, london_offset(secs));
            let theirs = jiff::fmt::rfc2822::to_string(&zoned).expect("printable");
            assert_eq!(String::from_utf8_lossy(&ours), theirs, "{secs}");
        }
    }

    #[test]
    fn numbers_are_padded_to_their_width() {
        let mut out = Vec::new();
        write_number(&mut out, 0, 1);
        write_number(&mut out, 7, 3);
        write_number(&mut out, 12_345, 2);
        assert_eq!(out, b"000712345");
    }
}
