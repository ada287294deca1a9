//! Ranges of dates and numbers as they stand after `date:` and `size:`.

use std::ops::Range;

use jiff::civil::{Date, Time};
use winnow::Parser;
use winnow::combinator::{alt, opt, preceded};
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location};
use winnow::token::take_while;

use crate::tree::{DateSpec, Interval, Unit};

/// Why a value cannot be read: the bytes of the value at fault, and what is wrong.
pub(super) struct BadValue {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) hint: String,
}

const DATE_HINT: &str = "write `2001`, `2001-05`, `2001-05-14` or `2001-05-14T09:30`, in quotes `\"14 May 2001\"`, or `today`, `-7d`, \
     `last-30-days`, `this-year`; `2001-05..2001-07` and `>=2001-05-14` are ranges";
const NUMBER_HINT: &str = "write `500`, `10k`, `2M` or `1G` (1k is 1024); `1M..2M` and `>10k` are ranges";
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

/// Reads a range of dates.
pub(super) fn dates(text: &str) -> Result<Interval<DateSpec>, BadValue> {
    let parsed = interval(text, date, "date", DATE_HINT)?;
    // Which of two dates is earlier is known here only when neither is relative to the present day. A range goes on to the last moment of its
    // end: `2001-05..2001` is the rest of that year.
    match &parsed {
        Interval::Between(Some(low), Some(high)) => match (sort_key(*low, FIRST), sort_key(*high, LAST)) {
            (Some(low), Some(high)) if low > high => Err(backwards(text, DATE_HINT)),
            _ => Ok(parsed),
        },
        _ => Ok(parsed),
    }
}

/// Reads a range of numbers; k, M and G are powers of 1024.
pub(super) fn numbers(text: &str) -> Result<Interval<u64>, BadValue> {
    match interval(text, number, "number", NUMBER_HINT)? {
        Interval::Between(Some(low), Some(high)) if low > high => Err(backwards(text, NUMBER_HINT)),
        parsed => Ok(parsed),
    }
}

fn backwards(text: &str, hint: &str) -> BadValue {
    BadValue {
        range: 0..text.len(),
        message: format!("the range `{text}` runs backwards: its end lies before its start"),
        hint: hint.to_owned(),
    }
}

/// What stands for the parts that a date does not name, in the key of its first moment and in that of its last.
const FIRST: i8 = i8::MIN;
const LAST: i8 = i8::MAX;

/// The first or last moment of a date, comparable with that of any other; `None` when it is relative to the present day.
fn sort_key(spec: DateSpec, rest: i8) -> Option<(i16, i8, i8, i8, i8, i8)> {
    let key = match spec {
        DateSpec::Year(y) => (y, rest, rest, rest, rest, rest),
        DateSpec::Month(y, mo) => (y, mo, rest, rest, rest, rest),
        DateSpec::Day(y, mo, d) => (y, mo, d, rest, rest, rest),
        DateSpec::Minute(y, mo, d, h, mi) => (y, mo, d, h, mi, rest),
        DateSpec::Second(y, mo, d, h, mi, s) => (y, mo, d, h, mi, s),
        DateSpec::Today
        | DateSpec::Yesterday
        | DateSpec::Ago(..)
        | DateSpec::Past(..)
        | DateSpec::This(_)
        | DateSpec::Last(_) => return None,
    };
    Some(key)
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

/// A date in any of its forms.
fn date(input: &mut Input<'_>) -> Parsed<DateSpec> {
    let text: &str = input.as_ref();
    match text.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => worded(input),
        Some('-') => ago(input),
        Some(first) if first.is_ascii_digit() => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            if digits < 3 { british(input) } else { iso(input) }
        }
        Some(_) | None => iso(input),
    }
}

/// Takes the letters at the front, in lower case.
fn letters(input: &mut Input<'_>) -> Parsed<String> {
    let text: &str = take_while(1.., |c: char| c.is_ascii_alphabetic()).parse_next(input)?;
    Ok(text.to_ascii_lowercase())
}

fn spaces(input: &mut Input<'_>) -> Parsed<()> {
    take_while(1.., ' ').void().parse_next(input)
}

/// `May 2001`, `today`, `yesterday`, `last-30-days`, `this-year`, `last-year`.
fn worded(input: &mut Input<'_>) -> Parsed<DateSpec> {
    let at = input.current_token_start();
    let word = letters(input)?;
    match word.as_str() {
        "today" => return Ok(DateSpec::Today),
        "yesterday" => return Ok(DateSpec::Yesterday),
        "this" | "last" => {}
        _ => {
            let month = month(&word, at)?;
            spaces(input)?;
            let year = digits(input, 4)?;
            existing(year, month, 1, at)?;
            return Ok(DateSpec::Month(year, month));
        }
    }
    "-".void().parse_next(input)?;
    if word == "last" {
        let digits: Option<&str> = opt(take_while(1..=4, |c: char| c.is_ascii_digit())).parse_next(input)?;
        if let Some(digits) = digits {
            "-".void().parse_next(input)?;
            let unit = unit(input)?;
            return Ok(DateSpec::Past(digits.parse().unwrap_or(u16::MAX), unit));
        }
    }
    let place = input.current_token_start();
    match (word.as_str(), unit(input)?) {
        (_, Unit::Day) => Err(ErrMode::Cut(Odd {
            at: place,
            why: Some("a single day is `today` or `yesterday`".to_owned()),
        })),
        ("this", unit) => Ok(DateSpec::This(unit)),
        (_, unit) => Ok(DateSpec::Last(unit)),
    }
}

/// `day`, `days`, `week`, ...
fn unit(input: &mut Input<'_>) -> Parsed<Unit> {
    let at = input.current_token_start();
    let word = letters(input)?;
    let singular = word.strip_suffix('s').unwrap_or(&word);
    let found = Unit::ALL.into_iter().find(|unit| unit.word() == singular);
    found.ok_or_else(|| {
        let why = Some(format!("`{word}` is not days, weeks, months or years"));
        ErrMode::Cut(Odd { at, why })
    })
}

/// `-7d`, `-2w`, `-3m`, `-1y`.
fn ago(input: &mut Input<'_>) -> Parsed<DateSpec> {
    "-".void().parse_next(input)?;
    let digits: &str = take_while(1..=4, |c: char| c.is_ascii_digit()).parse_next(input)?;
    let at = input.current_token_start();
    let letter = letters(input)?;
    let found = Unit::ALL.into_iter().find(|unit| unit.word()[..1] == letter);
    let unit = found.ok_or_else(|| {
        let why = Some(format!("`{letter}` is not d, w, m or y"));
        ErrMode::Cut(Odd { at, why })
    })?;
    Ok(DateSpec::Ago(digits.parse().unwrap_or(u16::MAX), unit))
}

/// `14/05/2001`, the day first, and `14 May 2001`.
fn british(input: &mut Input<'_>) -> Parsed<DateSpec> {
    let at = input.current_token_start();
    let day: &str = take_while(1..=2, |c: char| c.is_ascii_digit()).parse_next(input)?;
    let day: i8 = day.parse().map_err(|_| ErrMode::Cut(Odd { at, why: None }))?;
    if opt("/").parse_next(input)?.is_some() {
        let month: &str = take_while(1..=2, |c: char| c.is_ascii_digit()).parse_next(input)?;
        let month: i8 = month.parse().map_err(|_| ErrMode::Cut(Odd { at, why: None }))?;
        "/".void().parse_next(input)?;
        let year = digits(input, 4)?;
        if month > 12 {
            let why = Some(format!("there is no month {month}: the day stands before the month"));
            return Err(ErrMode::Cut(Odd { at, why }));
        }
        existing(year, month, day, at)?;
        return Ok(DateSpec::Day(year, month, day));
    }
    opt(alt(("st", "nd", "rd", "th"))).void().parse_next(input)?;
    spaces(input)?;
    let place = input.current_token_start();
    let month = month(&letters(input)?, place)?;
    spaces(input)?;
    let year = digits(input, 4)?;
    existing(year, month, day, at)?;
    Ok(DateSpec::Day(year, month, day))
}

/// The number of the month with this name, or its first three letters (four of September).
fn month(word: &str, at: usize) -> Parsed<i8> {
    let fits = |name: &&str| {
        *name == word || (word.len() == 3 && name.starts_with(word)) || (word == "sept" && name.starts_with(word))
    };
    match (1_i8..).zip(MONTHS).find(|(_, name)| fits(name)) {
        Some((number, _)) => Ok(number),
        None => Err(ErrMode::Cut(Odd { at, why: None })),
    }
}

fn existing(year: i16, month: i8, day: i8, at: usize) -> Parsed<()> {
    match Date::new(year, month, day) {
        Ok(_) => Ok(()),
        Err(_) => {
            let why = Some(format!("there is no date {year:04}-{month:02}-{day:02}"));
            Err(ErrMode::Cut(Odd { at, why }))
        }
    }
}

/// `2001`, `2001-05`, `2001-05-14`, `2001-05-14T09:30`, `2001-05-14T09:30:15`.
fn iso(input: &mut Input<'_>) -> Parsed<DateSpec> {
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
