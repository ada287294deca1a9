//! Exhibit references: the producer's initials and numbers, as in `JS/1`; a sub-exhibit is `JS/1/2`. The same register numbers
//! statements S1, documents D1, reports R1 and messages M1, as HOLMES does (DOMAIN 5).
//!
//! Main type: [`ExhibitRef`]. Invariant: a reference has one normal form; its form for file names is derived from it, safe on every file
//! system (ASCII letters, digits and `_` only), and nothing but that form is read back.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::FactsError;

/// Most letters that initials may have.
const MAX_INITIALS: usize = 8;
/// Most numbers that a reference may have.
const MAX_DEPTH: usize = 6;
/// Stands before and after the code point of a letter beyond ASCII in the form for file names. No normal form holds it: initials are capitals.
const ESCAPE: char = 'x';

/// What a register numbers through beside exhibits (HOLMES convention).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Series {
    /// Statements, `S1`.
    Statement,
    /// Documents, `D1`.
    Document,
    /// Reports, `R1`.
    Report,
    /// Messages, `M1`.
    Message,
}

impl Series {
    /// All series.
    pub const ALL: [Self; 4] = [Self::Statement, Self::Document, Self::Report, Self::Message];

    /// The letter before the number.
    pub fn letter(self) -> char {
        match self {
            Self::Statement => 'S',
            Self::Document => 'D',
            Self::Report => 'R',
            Self::Message => 'M',
        }
    }

    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::Document => "document",
            Self::Report => "report",
            Self::Message => "message",
        }
    }

    fn of_letter(letter: char) -> Option<Self> {
        let letter = letter.to_ascii_uppercase();
        Self::ALL.into_iter().find(|series| series.letter() == letter)
    }
}

/// An exhibit reference in its normal form: capital initials, numbers without leading zeros. The order is by
/// initials, then numerically, a sub-exhibit directly behind its exhibit: `JS/1`, `JS/1/2`, `JS/2`, `JS/10`; behind all of them statements,
/// documents, reports and messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExhibitRef {
    series: Option<Series>,
    initials: String,
    numbers: Vec<u32>,
}

impl ExhibitRef {
    /// The producer's initials; of a statement, document, report or message the letter of its series.
    pub fn initials(&self) -> &str {
        &self.initials
    }

    /// The numbers, at least one.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The series, for a reference as `S1`.
    pub fn series(&self) -> Option<Series> {
        self.series
    }

    /// `exhibit`, or the word of the series.
    pub fn kind(&self) -> &'static str {
        self.series.map_or("exhibit", Series::word)
    }

    /// The exhibit that this one is a part of.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.numbers.split_last()?;
        (!above.is_empty()).then(|| Self {
            series: self.series,
            initials: self.initials.clone(),
            numbers: above.to_vec(),
        })
    }

    /// The form for file names, `JS_1_2`; [`ExhibitRef::from_file_form`] is its inverse. A letter beyond ASCII is written as its code
    /// point, since file systems do not agree on such letters: `É/10` is `xC9x_10`.
    pub fn file_form(&self) -> String {
        let mut form = String::new();
        for letter in self.initials.chars() {
            if letter.is_ascii() {
                form.push(letter);
            } else {
                form.push_str(&format!("{ESCAPE}{:X}{ESCAPE}", u32::from(letter)));
            }
        }
        for (at, number) in self.numbers.iter().enumerate() {
            if at > 0 || self.series.is_none() {
                form.push('_');
            }
            form.push_str(&number.to_string());
        }
        form
    }

    /// Reads the form for file names; nothing but what [`ExhibitRef::file_form`] writes.
    ///
    /// # Errors
    /// The text is not one.
    pub fn from_file_form(text: &str) -> Result<Self, FactsError> {
        let refused = || {
            bad(
                text,
                "it is not the form that the program writes for file names, as in JS_1_2",
            )
        };
        let mut plain = String::new();
        let mut pieces = text.split(ESCAPE);
        plain.push_str(pieces.next().unwrap_or_default());
        while let Some(code) = pieces.next() {
            let letter = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            plain.push(letter.ok_or_else(refused)?);
            plain.push_str(pieces.next().ok_or_else(refused)?);
        }
        let read: Self = plain.replace('_', "/").parse().map_err(|_| refused())?;
        if read.file_form() == text {
            Ok(read)
        } else {
            Err(refused())
        }
    }
}

impl FromStr for ExhibitRef {
    type Err = FactsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((series, digits)) = numbered(text) {
            return Ok(Self {
                series: Some(series),
                initials: series.letter().to_string(),
                numbers: vec![number_of(text, digits)?],
            });
        }
        let mut parts = text.trim().split('/');
        let initials = initials_of(text, parts.next().unwrap_or_default())?;
        let mut numbers = Vec::new();
        for part in parts {
            numbers.push(number_of(text, part.trim())?);
        }
        if numbers.is_empty() {
            return Err(bad(text, "it has no number"));
        }
        if numbers.len() > MAX_DEPTH {
            return Err(bad(text, "it has more than 6 numbers"));
        }
        Ok(Self {
            series: None,
            initials,
            numbers,
        })
    }
}

/// The letter of a series and what stands behind it, when that begins as a number.
fn numbered(text: &str) -> Option<(Series, &str)> {
    let text = text.trim();
    let series = Series::of_letter(text.chars().next()?)?;
    let rest = &text[1..];
    (rest.starts_with(|letter: char| letter.is_ascii_digit())).then_some((series, rest))
}

fn initials_of(text: &str, part: &str) -> Result<String, FactsError> {
    let initials = part.trim().to_uppercase();
    if initials.is_empty() || !initials.chars().all(char::is_alphabetic) {
        return Err(bad(text, "it does not begin with initials"));
    }
    if initials
        .chars()
        .any(|letter| letter.is_lowercase() || !letter.to_uppercase().eq([letter]))
    {
        return Err(bad(text, "it has a letter without a capital"));
    }
    if initials.chars().count() > MAX_INITIALS {
        return Err(bad(text, "it begins with more than 8 letters"));
    }
    Ok(initials)
}

fn number_of(text: &str, digits: &str) -> Result<u32, FactsError> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u32>() {
        Ok(number) if plain && number > 0 => Ok(number),
        Ok(_) | Err(_) => Err(bad(
            text,
            "behind each `/`, or behind S, D, R or M, stands a number from 1 on",
        )),
    }
}

/// A reference as it is typed: whole, or with `+` for the next free number (`JS/+`, `JS/1/+`, `S+`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedRef {
    /// This one.
    Given(ExhibitRef),
    /// The next one below these initials and numbers.
    Next(NextRef),
}

/// What stands before a number that the register is to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRef {
    series: Option<Series>,
    initials: String,
    above: Vec<u32>,
}

impl NextRef {
    /// The initials, or the letter of the series.
    pub fn initials(&self) -> &str {
        &self.initials
    }

    /// The reference behind all of these; `None` when there is no number left.
    pub fn behind<'r>(&self, held: impl IntoIterator<Item = &'r ExhibitRef>) -> Option<ExhibitRef> {
        let depth = self.above.len();
        let same = held.into_iter().filter(|one| {
            one.series == self.series && one.initials == self.initials && one.numbers.starts_with(&self.above)
        });
        let highest = same
            .filter_map(|one| one.numbers.get(depth))
            .max()
            .copied()
            .unwrap_or(0);
        let mut numbers = self.above.clone();
        numbers.push(highest.checked_add(1)?);
        Some(ExhibitRef {
            series: self.series,
            initials: self.initials.clone(),
            numbers,
        })
    }
}

impl FromStr for AskedRef {
    type Err = FactsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(above) = text.trim().strip_suffix('+') else {
            return text.parse().map(Self::Given);
        };
        if let Some(path) = above.strip_suffix('/') {
            let mut parts = path.split('/');
            let initials = initials_of(text, parts.next().unwrap_or_default())?;
            let above: Vec<u32> = parts
                .map(|part| number_of(text, part.trim()))
                .collect::<Result<_, _>>()?;
            if above.len() >= MAX_DEPTH {
                return Err(bad(text, "it has more than 6 numbers"));
            }
            return Ok(Self::Next(NextRef {
                series: None,
                initials,
                above,
            }));
        }
        let mut letters = above.trim().chars();
        match (letters.next().and_then(Series::of_letter), letters.next()) {
            (Some(series), None) => Ok(Self::Next(NextRef {
                series: Some(series),
                initials: series.letter().to_string(),
                above: Vec::new(),
            })),
            _ => Err(bad(text, "before `+` stands `JS/`, `JS/1/`, or one of S, D, R and M")),
        }
    }
}

fn bad(text: &str, detail: &'static str) -> FactsError {
    FactsError::BadReference {
        text: text.to_owned(),
        detail,
    }
}

impl fmt::Display for ExhibitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.initials)?;
        if self.series.is_some() {
            return self.numbers.iter().try_for_each(|number| write!(f, "{number}"));
        }
        self.numbers.iter().try_for_each(|number| write!(f, "/{number}"))
    }
}

impl Serialize for ExhibitRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> ExhibitRef {
        text.parse().expect("the sample is a reference")
    }

    #[test]
    fn references_are_read_into_one_normal_form() {
        for (text, expected) in [("JS/1", "JS/1"), (" jas/01/2 ", "JAS/1/2"), ("É/10", "É/10")] {
            assert_eq!(parse(text).to_string(), expected);
        }
        for text in [
            "",
            "JS",
            "JS/",
            "/1",
            "JS/0",
            "JS/1/",
            "JS/-1",
            "JS/+1",
            "J S/1",
            "J1/1",
            "JS-1",
            "ABCDEFGHI/1",
            "JS/99999999999",
        ] {
            assert!(text.parse::<ExhibitRef>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn order_is_numeric_and_parts_follow_their_exhibit() {
        let mut all: Vec<ExhibitRef> = ["JS/10", "JS/2", "AB/3", "JS/1/10", "JS/1", "JS/1/2"]
            .map(parse)
            .to_vec();
        all.sort();
        let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["AB/3", "JS/1", "JS/1/2", "JS/1/10", "JS/2", "JS/10"]);
    }

    #[test]
    fn the_file_form_is_reversible() {
        let one = parse("JS/1/2");
        assert_eq!(one.file_form(), "JS_1_2");
        assert_eq!(ExhibitRef::from_file_form("JS_1_2").expect("it is one"), one);
        assert!(ExhibitRef::from_file_form("JS/1").is_err());
        assert_eq!(one.parent(), Some(parse("JS/1")));
        assert_eq!(parse("JS/1").parent(), None);
    }

    #[test]
    fn statements_documents_reports_and_messages_are_numbered_without_a_slash() {
        for (text, expected, kind) in [
            ("S1", "S1", "statement"),
            ("d012", "D12", "document"),
            ("R3", "R3", "report"),
            (" m7 ", "M7", "message"),
            ("S/1", "S/1", "exhibit"),
        ] {
            let read = parse(text);
            assert_eq!((read.to_string().as_str(), read.kind()), (expected, kind));
            assert_eq!(ExhibitRef::from_file_form(&read.file_form()).expect("it is one"), read);
        }
        assert_ne!(parse("S1"), parse("S/1"));
        assert_ne!(parse("S1").file_form(), parse("S/1").file_form());
        for text in ["S0", "S1/2", "X1", "S 1", "S1a"] {
            assert!(text.parse::<ExhibitRef>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_next_number_is_behind_the_highest_one_of_its_place() {
        let held = ["JS/1", "JS/1/4", "JS/7", "JSA/9", "S/3", "S2", "D5"].map(parse);
        for (asked, expected) in [
            ("JS/+", "JS/8"),
            ("js/1/+", "JS/1/5"),
            ("JS/7/+", "JS/7/1"),
            ("S+", "S3"),
            ("S/+", "S/4"),
            ("r+", "R1"),
        ] {
            match asked.parse::<AskedRef>().expect("it is asked for") {
                AskedRef::Next(next) => assert_eq!(next.behind(&held).expect("a number").to_string(), expected),
                AskedRef::Given(given) => panic!("{given} was not given"),
            }
        }
        assert_eq!(
            "JS/2".parse::<AskedRef>().expect("given"),
            AskedRef::Given(parse("JS/2"))
        );
        let last = [parse("JS/4294967295")];
        match "JS/+".parse::<AskedRef>().expect("it is asked for") {
            AskedRef::Next(next) => assert_eq!(next.behind(&last), None),
            AskedRef::Given(given) => panic!("{given} was not given"),
        }
        for text in ["+", "JS+", "J1/+", "JS/0/+", "JS//+", "SS+", "/+"] {
            assert!(text.parse::<AskedRef>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_reference_comes_back_from_its_file_name(
            initials in "\\p{Lu}{1,8}", numbers in prop::collection::vec(1_u32.., 1..=6),
        ) {
            let mut text = initials;
            numbers.iter().for_each(|number| text.push_str(&format!("/{number}")));
            // A few letters have a capital of several letters, or none; they are refused, never changed on the way.
            if let Ok(one) = text.parse::<ExhibitRef>() {
                let form = one.file_form();
                prop_assert!(form.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{}", form);
                prop_assert_eq!(&ExhibitRef::from_file_form(&form).expect("it is one"), &one);
                prop_assert_eq!(one.to_string().parse::<ExhibitRef>().expect("it is one"), one);
            }
        }

        #[test]
        fn two_references_never_share_a_file_name(one in "[A-Za-zÉé]{1,2}/?[1-9]{1,2}(/[1-9])?", other in "[A-Za-zÉé]{1,2}/?[1-9]{1,2}(/[1-9])?") {
            if let (Ok(one), Ok(other)) = (one.parse::<ExhibitRef>(), other.parse::<ExhibitRef>()) {
                prop_assert_eq!(one == other, one.file_form() == other.file_form());
            }
        }

        #[test]
        fn hostile_texts_are_references_or_refused(text in "\\PC{0,24}") {
            let _read = text.parse::<AskedRef>();
            if let Ok(one) = ExhibitRef::from_file_form(&text) {
                prop_assert_eq!(one.file_form(), text);
            }
        }
    }
}
