//! Exhibit references: the producer's initials and numbers, as in `JS/1`; a sub-exhibit is `JS/1/2` (DOMAIN 5).

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::FactsError;

/// Most letters that initials may have.
const MAX_INITIALS: usize = 8;
/// Most numbers that a reference may have.
const MAX_DEPTH: usize = 6;

/// An exhibit reference in its normal form: capital initials, numbers without leading zeros. The order is by
/// initials, then numerically, a sub-exhibit directly behind its exhibit: `JS/1`, `JS/1/2`, `JS/2`, `JS/10`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExhibitRef {
    initials: String,
    numbers: Vec<u32>,
}

impl ExhibitRef {
    /// The producer's initials.
    pub fn initials(&self) -> &str {
        &self.initials
    }

    /// The numbers, at least one.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// The exhibit that this one is a part of.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.numbers.split_last()?;
        (!above.is_empty()).then(|| Self {
            initials: self.initials.clone(),
            numbers: above.to_vec(),
        })
    }

    /// The form for file names, `JS_1_2`; [`ExhibitRef::from_file_form`] is its inverse.
    pub fn file_form(&self) -> String {
        self.to_string().replace('/', "_")
    }

    /// Reads the form for file names.
    ///
    /// # Errors
    /// The text is not one.
    pub fn from_file_form(text: &str) -> Result<Self, FactsError> {
        if text.contains('/') {
            return Err(bad(text, "the form for file names has `_` in place of `/`"));
        }
        text.replace('_', "/").parse()
    }
}

impl FromStr for ExhibitRef {
    type Err = FactsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split('/');
        let initials = parts.next().unwrap_or_default().trim().to_uppercase();
        if initials.is_empty() || !initials.chars().all(char::is_alphabetic) {
            return Err(bad(text, "it does not begin with initials"));
        }
        if initials.chars().count() > MAX_INITIALS {
            return Err(bad(text, "it begins with more than 8 letters"));
        }
        let mut numbers = Vec::new();
        for part in parts {
            let digits = part.trim();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            match digits.parse::<u32>() {
                Ok(number) if plain && number > 0 => numbers.push(number),
                Ok(_) | Err(_) => return Err(bad(text, "behind each `/` stands a number from 1 on")),
            }
        }
        if numbers.is_empty() {
            return Err(bad(text, "it has no number"));
        }
        if numbers.len() > MAX_DEPTH {
            return Err(bad(text, "it has more than 6 numbers"));
        }
        Ok(Self { initials, numbers })
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
}
