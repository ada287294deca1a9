//! Arguments of facets.

use std::str::FromStr;

/// How many values of a facet are listed; all of them without a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FacetLimit(pub(crate) Option<usize>);

impl FromStr for FacetLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(None));
        }
        let number = text
            .parse()
            .map_err(|_| format!("{text:?} is neither a number nor `all`"))?;
        Ok(Self(Some(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_all() {
        assert_eq!("20".parse(), Ok(FacetLimit(Some(20))));
        assert_eq!("all".parse(), Ok(FacetLimit(None)));
        assert!("-1".parse::<FacetLimit>().is_err());
        assert!("many".parse::<FacetLimit>().is_err());
    }
}
