//! A query asked of a text that is at hand, such as one sentence of a message.
//!
//! The words of each leaf are told apart and matched as the index does it ([`crate::places`]), and AND, OR and NOT are put together as
//! the grammar says, so a text matches here when an item whose body is this text would match. Not for: sets, dates, fields other than
//! `body`, and exact forms: a text at hand has none, and a query that asks for them is refused by name. Main type: [`TextQuery`].

use embley_model::field::Field;
use jiff::tz::TimeZone;

use crate::error::{SearchError, SyntaxError};
use crate::places::{FieldText, places};
use crate::plan::{BoxError, Found, Highlight, PlanContext, SetAsk, Sets, plan};
use crate::syntax::parse;
use crate::tree::{Expr, ExprNode, Leaf};

/// See the module.
#[derive(Clone, Debug)]
pub struct TextQuery {
    written: String,
    root: Part,
}

#[derive(Clone, Debug)]
enum Part {
    All,
    /// Any of these marks.
    Marks(Vec<Highlight>),
    And(Vec<Part>),
    Or(Vec<Part>),
    Not(Box<Part>),
}

/// A text at hand belongs to no case.
struct NoSets;

impl Sets for NoSets {
    fn find(&self, field: Field, _ask: &SetAsk) -> Result<Found, BoxError> {
        Err(format!("a text has no sets such as {}", field.name()).into())
    }

    fn names(&self, _field: Field) -> Result<Vec<String>, BoxError> {
        Ok(Vec::new())
    }
}

impl TextQuery {
    /// Reads a query.
    ///
    /// # Errors
    /// It cannot be read, or asks for something that a text at hand does not have.
    pub fn new(query: &str) -> Result<Self, SearchError> {
        let tree = parse(query)?;
        Ok(Self {
            written: query.to_owned(),
            root: part(query, &tree)?,
        })
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// True when the text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.root.holds(text)
    }

    /// The pieces of the text that the query marks, in bytes, sorted; what stands under NOT marks nothing.
    pub fn marks(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let mut found = Vec::new();
        self.root.mark(text, &mut found);
        found.sort_by_key(|range: &std::ops::Range<usize>| (range.start, range.end));
        found.dedup();
        found
    }
}

impl Part {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::All => true,
            Self::Marks(highlights) => !places(highlights, &FieldText::plain(Field::Body, text)).is_empty(),
            Self::And(parts) => parts.iter().all(|one| one.holds(text)),
            Self::Or(parts) => parts.iter().any(|one| one.holds(text)),
            Self::Not(inner) => !inner.holds(text),
        }
    }

    fn mark(&self, text: &str, found: &mut Vec<std::ops::Range<usize>>) {
        match self {
            Self::All | Self::Not(_) => {}
            Self::Marks(highlights) => {
                let text = FieldText::plain(Field::Body, text);
                found.extend(places(highlights, &text).into_iter().map(|place| place.range));
            }
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|one| one.mark(text, found)),
        }
    }
}

fn part(query: &str, expr: &Expr) -> Result<Part, SearchError> {
    let each = |parts: &[Expr]| parts.iter().map(|one| part(query, one)).collect::<Result<Vec<_>, _>>();
    match &expr.node {
        ExprNode::All => Ok(Part::All),
        ExprNode::And(parts) => Ok(Part::And(each(parts)?)),
        ExprNode::Or(parts) => Ok(Part::Or(each(parts)?)),
        ExprNode::Not(inner) => Ok(Part::Not(Box::new(part(query, inner)?))),
        ExprNode::Field {
            field: Field::Body,
            inner,
            ..
        } => part(query, inner),
        ExprNode::Field { field, name, .. } => {
            Err(
                SyntaxError::at(query, *name, format!("a text at hand has no field `{}`", field.name()))
                    .hint("ask for words, phrases, patterns and w/n only")
                    .into(),
            )
        }
        ExprNode::Leaf(Leaf::Exact { .. } | Leaf::Dates(_) | Leaf::Numbers(_)) => Err(SyntaxError::at(
            query,
            expr.span,
            "a text at hand has only words, without case and accents",
        )
        .into()),
        ExprNode::Leaf(_) | ExprNode::Near { .. } => {
            let context = PlanContext {
                sets: &NoSets,
                zone: TimeZone::UTC,
                now: 0,
                exact: None,
            };
            Ok(Part::Marks(plan(query, expr, &context)?.highlights))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, text: &str, expected: bool) {
        let asked = TextQuery::new(query).expect("it can be read");
        assert_eq!(asked.matches(text), expected, "{query} asked of {text:?}");
    }

    #[test]
    fn a_text_matches_as_a_body_would() {
        check("gross AND NOT lunch", "gross misconduct", true);
        check("gross AND NOT lunch", "gross lunch", false);
        check("\"gross mis*\" OR theft", "A Gross\nmistake.", true);
        check(
            "(decided OR determin*) pre/4 \"case to answer\"",
            "I determined there is a case to answer",
            true,
        );
        check(
            "(decided OR determin*) pre/2 \"case to answer\"",
            "I determined that there is no case to answer",
            false,
        );
        check("case not w/3 answer", "a case to answer", false);
        check("body:(fraud^ w/2 theft)", "theft, frauds", true);
        check("*", "", true);
        check("frau~", "fraud", true);
    }

    #[test]
    fn what_a_text_does_not_have_is_refused_by_name() {
        for query in ["subject:x", "date:2001", "=Word", "tag:x", "from:a"] {
            assert!(TextQuery::new(query).is_err(), "{query}");
        }
    }

    #[test]
    fn marks_are_the_words_that_take_part() {
        let asked = TextQuery::new("(no w/3 case) AND NOT lunch").expect("it can be read");
        let text = "no such case here";
        let marked: Vec<&str> = asked.marks(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(marked, ["no", "case"]);
    }
}
