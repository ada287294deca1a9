//! Dates of mail headers: RFC 5322 section 3.3 with its obsolete forms, RFC 822, asctime, ISO 8601.
//!
//! Main function: [`parse`]. Invariant: a zone is never guessed. When it is missing or unknown the offset
//! is `None`, the value is computed as if it were UTC, and a defect says so. Not for: choosing which header
//! to believe (see `mail::meta`).

use embley_model::date::Confidence;
use embley_model::defect::{Defect, DefectCode};

/// A header longer than this is no date; the rest is not looked at.
const MAX_BYTES: usize = 512;

/// What could be read of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDate {
    /// Seconds since 1970-01-01T00:00:00Z; `None` when unreadable.
    pub utc_secs: Option<i64>,
    /// The sender's offset in minutes east of UTC; `None` when missing or unknown, and for `-0000`
    /// (RFC 5322 section 3.3: the time is UTC, the sender's zone is not told).
    pub offset_minutes: Option<i16>,
    /// How far to rely on it.
    pub confidence: Confidence,
    /// What was odd.
    pub defects: Vec<Defect>,
}

impl MailDate {
    fn unreadable(code: DefectCode, text: &str, why: &str) -> Self {
        Self {
            utc_secs: None,
            offset_minutes: None,
            confidence: Confidence::None,
            defects: vec![Defect::new(code, format!("{why}: {text}"))],
        }
    }
}

/// The zone as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zone {
    /// A numeric offset in minutes.
    Offset(i16),
    /// A named zone of RFC 822, in minutes.
    Obsolete(i16),
    /// `-0000`: UTC, without saying where the sender was.
    Utc,
    /// A numeric offset beyond what exists on earth.
    TooFar,
    /// A name that means nothing certain.
    Unknown,
}

/// Parts of a date as they were found.
#[derive(Default)]
struct Parts<'t> {
    day: Option<u32>,
    month: Option<u32>,
    year: Option<(i64, usize)>,
    time: Option<(u32, u32, u32)>,
    afternoon: Option<bool>,
    weekday: Option<u32>,
    zone: Option<Zone>,
    zone_text: &'t str,
}

/// Returns what can be read of a date header's value (unfolded or not, comments allowed).
pub fn parse(text: &str) -> MailDate {
    let end = (0..=text.len().min(MAX_BYTES))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let text = text[..end.unwrap_or(0)].trim();
    if text.is_empty() {
        return MailDate::unreadable(DefectCode::MailDateUnreadable, "", "the header is empty");
    }
    let bare = strip_comments(text);
    let mut parts = Parts::default();
    for token in bare.split(|c: char| c.is_whitespace() || c == ',') {
        if !token.is_empty() {
            read_token(token, &mut parts);
        }
    }
    finish(text, &parts)
}

/// The text without comments (RFC 5322 section 3.2.2), which may nest.
fn strip_comments(text: &str) -> String {
    let mut depth = 0_u32;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => {
                depth += 1;
                out.push(' ');
            }
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

fn read_token<'t>(token: &'t str, parts: &mut Parts<'t>) {
    let token = token.trim_matches(['.', ';', '"', '\'']);
    if token.is_empty() {
        return;
    }
    if token.contains(':') && read_clock(token, parts) {
        return;
    }
    if token.starts_with(['+', '-']) && token.len() > 1 {
        parts.set_zone(numeric_zone(token), token);
        return;
    }
    if token.bytes().all(|byte| byte.is_ascii_digit()) {
        read_number(token, parts);
        return;
    }
    if read_joined_date(token, parts) {
        return;
    }
    read_word(token, parts);
}

impl<'t> Parts<'t> {
    /// Keeps the better of two zones: a numeric one tells more than a name.
    fn set_zone(&mut self, zone: Zone, text: &'t str) {
        let better = match (self.zone, zone) {
            (None, _) => true,
            (Some(Zone::Offset(_) | Zone::TooFar), _) => false,
            (Some(_), Zone::Offset(_) | Zone::TooFar) => true,
            (Some(Zone::Unknown), _) => true,
            (Some(_), _) => false,
        };
        if better {
            self.zone = Some(zone);
            self.zone_text = text;
        }
    }
}

/// `hh:mm`, `hh:mm:ss`, a fraction, and a zone or `AM`/`PM` stuck to it; also `yyyy-mm-ddThh:mm:ssZ`.
fn read_clock<'t>(token: &'t str, parts: &mut Parts<'t>) -> bool {
    let token = match token.split_once(['T', 't']) {
        Some((date, time)) if date.contains('-') && read_joined_date(date, parts) => time,
        _ => token,
    };
    if parts.time.is_some() {
        return false;
    }
    let end = token
        .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
        .unwrap_or(token.len());
    let (clock, rest) = token.split_at(end);
    let mut numbers = clock.split(':').map(|part| {
        let whole = part.split_once('.').map_or(part, |(whole, _)| whole);
        if whole.len() > 2 {
            None
        } else {
            whole.parse::<u32>().ok()
        }
    });
    let (Some(Some(hour)), Some(Some(minute))) = (numbers.next(), numbers.next()) else {
        return false;
    };
    let second = numbers.next().flatten().unwrap_or(0);
    parts.time = Some((hour, minute, second));
    if !rest.is_empty() {
        read_token(rest, parts);
    }
    true
}

/// `21-Oct-2001`, `21/Oct/01`, `2001-10-21`: a date in one token, never the ambiguous `01/02/03`.
fn read_joined_date(token: &str, parts: &mut Parts<'_>) -> bool {
    if !token.contains(['-', '/']) {
        return false;
    }
    let mut fields = token.split(['-', '/']);
    let (Some(first), Some(second), Some(third), None) = (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return false;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u32>().ok() } else { None }
    };
    let (day, month, year) = match (number(first), month_number(second), number(second), number(third)) {
        (Some(day), Some(month), _, Some(year)) if first.len() <= 2 => (day, month, (i64::from(year), third.len())),
        (Some(year), _, Some(month), Some(day)) if first.len() == 4 => (day, month, (i64::from(year), 4)),
        _ => return false,
    };
    parts.day = Some(day);
    parts.month = Some(month);
    parts.year = Some(year);
    true
}

fn read_number(token: &str, parts: &mut Parts<'_>) {
    let Ok(number) = token.parse::<i64>() else {
        return;
    };
    let padded = token.len() == 3 && token.starts_with('0');
    if (token.len() <= 2 || padded) && parts.day.is_none() {
        parts.day = u32::try_from(number).ok();
    } else if parts.year.is_none() && token.len() <= 4 {
        parts.year = Some((number, token.len()));
    }
}

fn read_word<'t>(token: &'t str, parts: &mut Parts<'t>) {
    if let Some(month) = month_number(token) {
        if parts.month.is_none() {
            parts.month = Some(month);
        }
        return;
    }
    if let Some(weekday) = weekday_number(token) {
        parts.weekday = parts.weekday.or(Some(weekday));
        return;
    }
    if token.eq_ignore_ascii_case("am") || token.eq_ignore_ascii_case("pm") {
        parts.afternoon = Some(token.eq_ignore_ascii_case("pm"));
        return;
    }
    if parts.time.is_some() {
        parts.set_zone(named_zone(token), token);
    }
}

fn month_number(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    name_index(word, &MONTHS)
}

fn weekday_number(word: &str) -> Option<u32> {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    name_index(word, &DAYS)
}

/// 1-based place of the name that `word` abbreviates with at least three letters.
fn name_index(word: &str, names: &[&str]) -> Option<u32> {
    let found = names.iter().position(|name| {
        word.len() >= 3
            && name
                .as_bytes()
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    })?;
    u32::try_from(found + 1).ok()
}

/// `+hhmm`, `-hh:mm`, `+hh` (RFC 5322 section 3.3; the others are seen in practice).
fn numeric_zone(token: &str) -> Zone {
    let digits: String = token[1..].chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Zone::Unknown;
    }
    let number: i32 = match digits.parse() {
        Ok(number) => number,
        Err(_) => return Zone::TooFar,
    };
    let minutes = match digits.len() {
        1 | 2 => number * 60,
        3 | 4 => number / 100 * 60 + number % 100,
        _ => return Zone::TooFar,
    };
    if minutes > 14 * 60 || (digits.len() > 2 && number % 100 > 59) {
        return Zone::TooFar;
    }
    let negative = token.starts_with('-');
    if negative && minutes == 0 {
        return Zone::Utc;
    }
    let signed = if negative { -minutes } else { minutes };
    i16::try_from(signed).map_or(Zone::TooFar, Zone::Offset)
}

/// RFC 5322 section 4.3: the names of RFC 822 keep their values; all others are unknown, among them the
/// military letters, which RFC 822 defined with the wrong sign.
fn named_zone(name: &str) -> Zone {
    let plain = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    if plain("ut") || plain("utc") || plain("gmt") || plain("z") {
        return Zone::Offset(0);
    }
    for prefix in ["gmt", "utc"] {
        let rest = name
            .as_bytes()
            .get(..3)
            .filter(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
            .and_then(|_| name.get(3..));
        if let Some(rest) = rest
            && rest.starts_with(['+', '-'])
        {
            // RFC 5322 has no such form; programs mean hours east, POSIX hours west.
            return match numeric_zone(rest) {
                Zone::Offset(minutes) => Zone::Obsolete(minutes),
                other => other,
            };
        }
    }
    const NAMES: [(&str, i16); 8] = [
        ("edt", -4),
        ("est", -5),
        ("cdt", -5),
        ("cst", -6),
        ("mdt", -6),
        ("mst", -7),
        ("pdt", -7),
        ("pst", -8),
    ];
    let found = NAMES.iter().find(|(known, _)| plain(known));
    found.map_or(Zone::Unknown, |(_, hours)| Zone::Obsolete(hours * 60))
}

fn finish(text: &str, parts: &Parts<'_>) -> MailDate {
    let (Some(day), Some(month), Some((year, digits))) = (parts.day, parts.month, parts.year) else {
        return MailDate::unreadable(DefectCode::MailDateUnreadable, text, "no day, month or year");
    };
    let mut confidence = Confidence::High;
    let mut defects = Vec::new();
    let range = |why: &str| Defect::new(DefectCode::MailDateOutOfRange, format!("{why}: {text}"));
    // RFC 5322 section 4.3.
    let written = year;
    let year = match (digits, year) {
        (1 | 2, 0..=49) => year + 2000,
        (1..=3, _) => year + 1900,
        // Years of our era below 100 are two-digit years that a program padded: nothing was mailed then.
        (_, 0..=49) => year + 2000,
        (_, 50..=99) => year + 1900,
        _ => year,
    };
    if digits < 4 || written < 100 {
        confidence = Confidence::Low;
        defects.push(range("the year has not four digits"));
    } else if !(1970..=2100).contains(&year) {
        confidence = Confidence::Low;
        defects.push(range("implausible year"));
    }
    let (mut hour, minute, second) = match parts.time {
        Some(time) => time,
        None => {
            confidence = Confidence::Low;
            defects.push(Defect::new(
                DefectCode::MailDateOutOfRange,
                format!("no time of day: {text}"),
            ));
            (0, 0, 0)
        }
    };
    if let Some(afternoon) = parts.afternoon
        && (1..=12).contains(&hour)
    {
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    // Second 60 is a leap second (RFC 5322 section 3.3).
    if hour > 23 || minute > 59 || second > 60 || day == 0 || month == 0 || month > 12 || day > month_days(year, month)
    {
        return MailDate::unreadable(DefectCode::MailDateOutOfRange, text, "a part is out of range");
    }
    let days = days_from_civil(year, month, day);
    if let Some(weekday) = parts.weekday
        && u32::try_from((days + 3).rem_euclid(7) + 1) != Ok(weekday)
    {
        confidence = confidence.min(Confidence::Medium);
        defects.push(range("the weekday is another one"));
    }
    let local = days * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let zone_defect = |why: &str| Defect::new(DefectCode::MailDateZoneUnknown, format!("{why}, read as UTC: {text}"));
    let (offset_minutes, shift) = match parts.zone {
        Some(Zone::Offset(minutes)) => (Some(minutes), minutes),
        Some(Zone::Obsolete(minutes)) => {
            confidence = confidence.min(Confidence::Medium);
            (Some(minutes), minutes)
        }
        Some(Zone::Utc) => (None, 0),
        Some(Zone::TooFar) => {
            confidence = confidence.min(Confidence::Low);
            defects.push(zone_defect("the offset is out of range"));
            (None, 0)
        }
        Some(Zone::Unknown) => {
            confidence = confidence.min(Confidence::Low);
            defects.push(zone_defect(&format!("unknown zone \"{}\"", parts.zone_text)));
            (None, 0)
        }
        None => {
            confidence = confidence.min(Confidence::Low);
            defects.push(zone_defect("no zone"));
            (None, 0)
        }
    };
    MailDate {
        utc_secs: Some(local - i64::from(shift) * 60),
        offset_minutes,
        confidence,
        defects,
    }
}

fn month_days(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_of_year = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_of_year + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use embley_model::date::rfc3339;

    fn check(text: &str, utc: Option<&str>, offset: Option<i16>, confidence: Confidence) {
        let date = parse(text);
        assert_eq!(date.utc_secs.and_then(rfc3339).as_deref(), utc, "{text}");
        assert_eq!(date.offset_minutes, offset, "{text}");
        assert_eq!(date.confidence, confidence, "{text}");
        match confidence {
            Confidence::High => assert_eq!(date.defects, [], "{text}"),
            Confidence::Medium => {}
            Confidence::Low | Confidence::None => assert_ne!(date.defects, [], "{text}"),
        }
    }

    #[test]
    fn standard_forms_are_read_with_high_confidence() {
        let high = Confidence::High;
        check(
            "Fri, 21 Nov 1997 09:55:06 -0600",
            Some("1997-11-21T15:55:06Z"),
            Some(-360),
            high,
        );
        check(
            "21 Nov 97 09:55:06 GMT",
            Some("1997-11-21T09:55:06Z"),
            Some(0),
            Confidence::Low,
        );
        check(
            "Sat, 1 Feb 2020 23:59:60 +0530 (IST)",
            Some("2020-02-01T18:30:00Z"),
            Some(330),
            high,
        );
        check("1 Jan 2000 00:00 +0000", Some("2000-01-01T00:00:00Z"), Some(0), high);
        check(
            "Thu, 13 Feb 1969 23:32 -0330 (Newfoundland (really) Time)",
            Some("1969-02-14T03:02:00Z"),
            Some(-210),
            Confidence::Low,
        );
        check(
            "Mon, 1 Jan 2001 10:00:00 -0000",
            Some("2001-01-01T10:00:00Z"),
            None,
            high,
        );
        check(
            "Tue, 5 Jul 2005 14:27:53 -0700 (PDT)",
            Some("2005-07-05T21:27:53Z"),
            Some(-420),
            high,
        );
        check("2001-10-21T15:30:00Z", Some("2001-10-21T15:30:00Z"), Some(0), high);
        check(
            "2001-10-21 15:30:00+01:00",
            Some("2001-10-21T14:30:00Z"),
            Some(60),
            high,
        );
    }

    #[test]
    fn obsolete_names_have_their_values_and_medium_confidence() {
        check(
            "Mon, 14 May 2001 16:39:00 PDT",
            Some("2001-05-14T23:39:00Z"),
            Some(-420),
            Confidence::Medium,
        );
        check(
            "Sun Oct 21 15:30:00 EDT 2001",
            Some("2001-10-21T19:30:00Z"),
            Some(-240),
            Confidence::Medium,
        );
    }

    #[test]
    fn an_unknown_zone_is_said_and_never_guessed() {
        for text in [
            "Mon, 14 May 2001 16:39:00 EST5EDT",
            "Mon, 14 May 2001 16:39:00 CET",
            "Mon, 14 May 2001 16:39:00 A",
            "Mon, 14 May 2001 16:39:00",
            "Mon, 14 May 2001 16:39:00 +9900",
            "Mon, 14 May 2001 16:39:00 +0199",
            "Mon May 14 16:39:00 2001",
        ] {
            check(text, Some("2001-05-14T16:39:00Z"), None, Confidence::Low);
            let codes: Vec<_> = parse(text).defects.iter().map(|defect| defect.code).collect();
            assert_eq!(codes, [DefectCode::MailDateZoneUnknown], "{text}");
        }
    }

    #[test]
    fn parts_out_of_range_leave_no_value() {
        for text in [
            "Fri, 31 Feb 2001 10:00:00 +0000",
            "1 Jan 2001 25:00:00 +0000",
            "0 Jan 2001 10:00 +0000",
        ] {
            check(text, None, None, Confidence::None);
            assert_eq!(parse(text).defects[0].code, DefectCode::MailDateOutOfRange, "{text}");
        }
        for text in ["", "yesterday", "10:00", "Jan 2001"] {
            assert_eq!(parse(text).defects[0].code, DefectCode::MailDateUnreadable, "{text}");
        }
    }

    #[test]
    fn years_follow_rfc_5322_and_weak_ones_have_low_confidence() {
        check(
            "1 Jan 49 10:00:00 +0000",
            Some("2049-01-01T10:00:00Z"),
            Some(0),
            Confidence::Low,
        );
        check(
            "1 Jan 50 10:00:00 +0000",
            Some("1950-01-01T10:00:00Z"),
            Some(0),
            Confidence::Low,
        );
        check(
            "1 Jan 101 10:00:00 +0000",
            Some("2001-01-01T10:00:00Z"),
            Some(0),
            Confidence::Low,
        );
        check(
            "1 Jan 1904 10:00:00 +0000",
            Some("1904-01-01T10:00:00Z"),
            Some(0),
            Confidence::Low,
        );
    }

    #[test]
    fn a_padded_two_digit_year_is_read_as_one() {
        let date = parse("Tue, 20 Dec 0001 00:06:20 -0800 (PST)");
        assert_eq!(date.utc_secs.and_then(rfc3339).as_deref(), Some("2001-12-20T08:06:20Z"));
        assert_eq!(date.confidence, Confidence::Low);
        assert_eq!(date.defects[0].code, DefectCode::MailDateOutOfRange);
    }

    #[test]
    fn a_wrong_weekday_is_noted() {
        check(
            "Mon, 13 May 2001 16:39:00 +0000",
            Some("2001-05-13T16:39:00Z"),
            Some(0),
            Confidence::Medium,
        );
    }

    #[test]
    fn odd_joined_forms_are_read() {
        check(
            "21-Oct-2001 03:30:00 PM +0000",
            Some("2001-10-21T15:30:00Z"),
            Some(0),
            Confidence::High,
        );
        check(
            "Sun, 21 October 2001 15:30:00 GMT+0100",
            Some("2001-10-21T14:30:00Z"),
            Some(60),
            Confidence::Medium,
        );
        check(
            "Mon, 029 Oct 2001 15:30:00 +0000",
            Some("2001-10-29T15:30:00Z"),
            Some(0),
            Confidence::High,
        );
    }
}
