//! Texts made of columns: `CR-{cr_id|number}`.
//!
//! `{column}` stands for the cell, `{column|filter}` for the cell after a filter, `{column?}` may be empty, `{#row}` is the row's
//! number, `{{` a brace. A text in which a column that may not be empty is empty is no text at all (`None`).

use std::borrow::Cow;

/// What a filter does to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    /// A number without its empty fraction: `15646.0` becomes `15646`. Other texts stay.
    Number,
    /// An amount of money without its sign, commas and spaces: `£1,250.00` becomes `1250.00`.
    Amount,
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
    /// `O'BRIEN-SMITH` becomes `O'Brien-Smith`.
    Title,
}

impl Filter {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "number" => Some(Self::Number),
            "amount" => Some(Self::Amount),
            "lower" => Some(Self::Lower),
            "upper" => Some(Self::Upper),
            "title" => Some(Self::Title),
            _ => None,
        }
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Number => match text.split_once('.') {
                Some((whole, fraction)) if !whole.is_empty() && fraction.bytes().all(|byte| byte == b'0') => {
                    whole.to_owned()
                }
                Some(_) | None => text.to_owned(),
            },
            Self::Amount => text
                .chars()
                .filter(|one| !matches!(one, '£' | '$' | '€' | ',') && !one.is_whitespace())
                .collect(),
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Title => {
                let mut begins = true;
                let mut out = String::with_capacity(text.len());
                for one in text.chars() {
                    if begins {
                        out.extend(one.to_uppercase());
                    } else {
                        out.extend(one.to_lowercase());
                    }
                    begins = !one.is_alphanumeric();
                }
                out
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Row,
    Column {
        name: String,
        filters: Vec<Filter>,
        may_be_empty: bool,
    },
}

/// A text made of columns; see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// A single column as it is.
    pub fn column(name: &str) -> Self {
        Self {
            parts: vec![Part::Column {
                name: name.to_owned(),
                filters: Vec::new(),
                may_be_empty: false,
            }],
        }
    }

    /// The same text for every row.
    pub fn constant(text: &str) -> Self {
        Self {
            parts: vec![Part::Words(text.to_owned())],
        }
    }

    /// The name of a column alone, or a text with braces.
    ///
    /// # Errors
    /// Says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(['{', '}']) {
            if text.trim().is_empty() {
                return Err("the name of a column is empty".to_owned());
            }
            return Ok(Self::column(text));
        }
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            words.push_str(&rest[..at]);
            let tail = &rest[at..];
            if let Some(after) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
                words.push_str(&tail[..1]);
                rest = after;
                continue;
            }
            let Some(inner) = tail.strip_prefix('{') else {
                return Err(format!("\"{text}\" has a }} without a {{"));
            };
            let Some(end) = inner.find('}') else {
                return Err(format!("\"{text}\" has a {{ without a }}"));
            };
            if !words.is_empty() {
                parts.push(Part::Words(std::mem::take(&mut words)));
            }
            parts.push(part(&inner[..end])?);
            rest = &inner[end + 1..];
        }
        words.push_str(rest);
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        Ok(Self { parts })
    }

    /// The names of the columns it reads.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column { name, .. } => Some(name.as_str()),
            Part::Words(_) | Part::Row => None,
        })
    }

    /// The text for a row: `cell` gives the text of a column, trimmed, or `None` when it says nothing.
    pub fn fill<'a>(&self, row: u64, cell: impl Fn(&str) -> Option<&'a str>) -> Option<Cow<'a, str>> {
        if let [
            Part::Column {
                name,
                filters,
                may_be_empty: _,
            },
        ] = self.parts.as_slice()
            && filters.is_empty()
        {
            return cell(name).map(Cow::Borrowed);
        }
        let mut out = String::new();
        let mut gaps = false;
        for part in &self.parts {
            match part {
                Part::Words(words) => out.push_str(words),
                Part::Row => out.push_str(&row.to_string()),
                Part::Column {
                    name,
                    filters,
                    may_be_empty,
                } => match cell(name) {
                    None if *may_be_empty => gaps = true,
                    None => return None,
                    Some(text) => {
                        let mut text = Cow::Borrowed(text);
                        for filter in filters {
                            text = Cow::Owned(filter.apply(&text));
                        }
                        out.push_str(&text);
                    }
                },
            }
        }
        if gaps {
            out = out.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        (!out.trim().is_empty()).then_some(Cow::Owned(out))
    }
}

fn part(text: &str) -> Result<Part, String> {
    if text == "#row" {
        return Ok(Part::Row);
    }
    let mut pieces = text.split('|');
    let name = pieces.next().unwrap_or_default().trim();
    let (name, may_be_empty) = match name.strip_suffix('?') {
        Some(name) => (name.trim(), true),
        None => (name, false),
    };
    if name.is_empty() {
        return Err(format!("{{{text}}} names no column"));
    }
    let filters = pieces
        .map(|word| {
            Filter::from_word(word.trim()).ok_or_else(|| {
                format!("{{{text}}}: there is no filter \"{word}\"; there are number, amount, lower, upper, title")
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Part::Column {
        name: name.to_owned(),
        filters,
        may_be_empty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Option<String> {
        let template = Template::parse(template).expect("the sample is a template");
        let cell = |name: &str| match name {
            "id" => Some("15646.0"),
            "name" => Some("O'BRIEN-SMITH"),
            "value" => Some("£1,250.50"),
            _ => None,
        };
        template.fill(7, cell).map(Cow::into_owned)
    }

    #[test]
    fn columns_filters_and_gaps() {
        assert_eq!(filled("id").as_deref(), Some("15646.0"));
        assert_eq!(filled("CR-{id|number}").as_deref(), Some("CR-15646"));
        assert_eq!(
            filled("{name|title} {none?} {id}").as_deref(),
            Some("O'Brien-Smith 15646.0")
        );
        assert_eq!(filled("{value|amount}").as_deref(), Some("1250.50"));
        assert_eq!(filled("{#row}{{x}}").as_deref(), Some("7{x}"));
        assert_eq!(filled("a {none}"), None);
        assert_eq!(filled("{none?}"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (text, expected) in [
            ("", "empty"),
            ("{a", "without a }"),
            ("a}", "without a {"),
            ("{|number}", "names no column"),
            ("{a|wide}", "no filter \"wide\""),
        ] {
            let said = Template::parse(text).expect_err(text);
            assert!(said.contains(expected), "{said}");
        }
    }
}
