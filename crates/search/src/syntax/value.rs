//! Ranges of dates and numbers as they stand after `date:` and `size:`.

use std::ops::Range;

use jiff::civil::{Date, Time};
use winnow::Parser;
use winnow::combinator::{alt, opt, preceded};
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location};
use winnow::token::take_while;

use crate::tree::{DateSpec, Interval};

/// Why a value cannot be read: the bytes of the value at fault, and what is wrong.
pub(super) struct BadValue {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) hint: String,
}

const DATE_HINT: &str =
    "write `2001`, `2001-05`, `2001-05-14` or `2001-05-14T09:30`; `2001-05..2001-07` and `>=2001-05-14` are ranges";
const NUMBER_HINT: &str = "write `500`, `10k`, `2M` or `1G` (1k is 1024); `1M..2M` and `>10k` are ranges";
const RELATIVE: [&str; 12] = [
    "today",
    "yesterday",
    "last",
    "this",
    "past",
    "since",
    "now",
    "week",
    "month",
    "year",
    "next",
    "ago",
];

/// Reads a range of dates.
pub(super) fn dates(text: &str) -> Result<Interval<DateSpec>, BadValue> {
    let lower = text.to_ascii_lowercase();
    if RELATIVE.iter().any(|word| lower.starts_with(word)) {
        return Err(BadValue {
            range: 0..text.len(),
            message: format!("not available yet: relative dates, such as `{text}`"),
            hint: DATE_HINT.to_owned(),
        });
    }
    let parsed = interval(text, date, "date", DATE_HINT)?;
    refuse_backwards(text, parsed, DATE_HINT, |spec| sort_key(*spec))
}

/// Reads a range of numbers; k, M and G are powers of 1024.
pub(super) fn numbers(text: &str) -> Result<Interval<u64>, BadValue> {
    let parsed = interval(text, number, "number", NUMBER_HINT)?;
    refuse_backwards(text, parsed, NUMBER_HINT, |value| *value)
}

fn refuse_backwards<T, K: Ord>(
    text: &str,
    parsed: Interval<T>,
    hint: &str,
    key: impl Fn(&T) -> K,
) -> Result<Interval<T>, BadValue> {
    match &parsed {
        Interval::Between(Some(low), Some(high)) if key(low) > key(high) => Err(BadValue {
            range: 0..text.len(),
            message: format!("the range `{text}` runs backwards: its end lies before its start"),
            hint: hint.to_owned(),
        }),
        _ => Ok(parsed),
    }
}

/// The earliest moment of a date, comparable with that of any other.
fn sort_key(spec: DateSpec) -> (i16, i8, i8, i8, i8, i8) {
    match spec {
        DateSpec::Year(y) => (y, 0, 0, 0, 0, 0),
        DateSpec::Month(y, mo) => (y, mo, 0, 0, 0, 0),
        DateSpec::Day(y, mo, d) => (y, mo, d, -1, 0, 0),
        DateSpec::Minute(y, mo, d, h, mi) => (y, mo, d, h, mi, -1),
        DateSpec::Second(y, mo, d, h, mi, s) => (y, mo, d, h, mi, s),
    }
}

type Input<'a> = LocatingSlice<&'a str>;

/// A fault within a value: where, and why when there is more to say than "cannot be read".
#[derive(Debug)]
struct Odd {
    at: usize,
    why: Option<String>,
}

impl ParserError<Input<'_>> for Odd {
    type Inner = Self;

    fn from_input(input: &Input<'_>) -> Self {
        Self {
            at: input.current_token_start(),
            why: None,
        }
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

type Parsed<T> = Result<T, ErrMode<Odd>>;

fn interval<T>(
    text: &str,
    mut one: impl FnMut(&mut Input<'_>) -> Parsed<T>,
    what: &str,
    hint: &str,
) -> Result<Interval<T>, BadValue> {
    let mut input = LocatingSlice::new(text);
    let parsed = whole_interval(&mut input, &mut one);
    let rest: &str = input.as_ref();
    let odd = match parsed {
        Ok(value) if rest.is_empty() => return Ok(value),
        Ok(_) => Odd {
            at: text.len() - rest.len(),
            why: None,
        },
        Err(ErrMode::Backtrack(odd) | ErrMode::Cut(odd)) => odd,
        Err(ErrMode::Incomplete(_)) => Odd {
            at: text.len(),
            why: None,
        },
    };
    let message = match odd.why {
        Some(why) => why,
        None => format!("`{text}` cannot be read as a {what} or a range"),
    };
    let at = odd.at.min(text.len());
    Err(BadValue {
        range: at..text.len().max(at),
        message,
        hint: hint.to_owned(),
    })
}

fn whole_interval<T>(input: &mut Input<'_>, one: &mut impl FnMut(&mut Input<'_>) -> Parsed<T>) -> Parsed<Interval<T>> {
    let sign: Option<&str> = opt(alt((">=", "<=", ">", "<"))).parse_next(input)?;
    if let Some(sign) = sign {
        let value = one(input)?;
        return Ok(match sign {
            ">=" => Interval::AtLeast(value),
            "<=" => Interval::AtMost(value),
            ">" => Interval::Above(value),
            _ => Interval::Below(value),
        });
    }
    if opt("..").parse_next(input)?.is_some() {
        return Ok(Interval::Between(None, Some(one(input)?)));
    }
    let low = one(input)?;
    if opt("..").parse_next(input)?.is_none() {
        return Ok(Interval::In(low));
    }
    let rest: &str = input.as_ref();
    if rest.is_empty() {
        return Ok(Interval::Between(Some(low), None));
    }
    Ok(Interval::Between(Some(low), Some(one(input)?)))
}

/// `2001`, `2001-05`, `2001-05-14`, `2001-05-14T09:30`, `2001-05-14T09:30:15`.
fn date(input: &mut Input<'_>) -> Parsed<DateSpec> {
    let at = input.current_token_start();
    let year: i16 = digits(input, 4)?;
    let Some(month) = opt(preceded("-", |i: &mut Input<'_>| digits::<i8>(i, 2))).parse_next(input)? else {
        return Ok(DateSpec::Year(year));
    };
    let day = opt(preceded("-", |i: &mut Input<'_>| digits::<i8>(i, 2))).parse_next(input)?;
    let odd = |why: String| ErrMode::Cut(Odd { at, why: Some(why) });
    if Date::new(year, month, day.unwrap_or(1)).is_err() {
        let day = day.map_or(String::new(), |day| format!("-{day:02}"));
        return Err(odd(format!("there is no date {year:04}-{month:02}{day}")));
    }
    let Some(day) = day else {
        return Ok(DateSpec::Month(year, month));
    };
    if opt("T").parse_next(input)?.is_none() {
        return Ok(DateSpec::Day(year, month, day));
    }
    let hour: i8 = digits(input, 2)?;
    let minute: i8 = preceded(":", |i: &mut Input<'_>| digits(i, 2)).parse_next(input)?;
    let second = opt(preceded(":", |i: &mut Input<'_>| digits::<i8>(i, 2))).parse_next(input)?;
    if Time::new(hour, minute, second.unwrap_or(0), 0).is_err() {
        return Err(odd(format!("there is no time {hour:02}:{minute:02}")));
    }
    Ok(match second {
        Some(second) => DateSpec::Second(year, month, day, hour, minute, second),
        None => DateSpec::Minute(year, month, day, hour, minute),
    })
}

fn digits<T: std::str::FromStr>(input: &mut Input<'_>, count: usize) -> Parsed<T> {
    let at = input.current_token_start();
    let text: &str = take_while(count..=count, |c: char| c.is_ascii_digit()).parse_next(input)?;
    text.parse().map_err(|_| ErrMode::Cut(Odd { at, why: None }))
}

/// Digits and a suffix: nothing, k, M or G, with or without a B.
fn number(input: &mut Input<'_>) -> Parsed<u64> {
    let at = input.current_token_start();
    let digits: &str = take_while(1.., |c: char| c.is_ascii_digit()).parse_next(input)?;
    let suffix: &str = take_while(0.., |c: char| c.is_ascii_alphabetic()).parse_next(input)?;
    let factor: u64 = match suffix.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => {
            let why = format!("`{suffix}` is not a unit of size");
            return Err(ErrMode::Cut(Odd {
                at: at + digits.len(),
                why: Some(why),
            }));
        }
    };
    let value = digits.parse::<u64>().ok().and_then(|value| value.checked_mul(factor));
    // Sizes are signed 64-bit columns in the index.
    match value.filter(|value| i64::try_from(*value).is_ok()) {
        Some(value) => Ok(value),
        None => Err(ErrMode::Cut(Odd {
            at,
            why: Some(format!("`{digits}{suffix}` is too large")),
        })),
    }
}
