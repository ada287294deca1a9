//! Query text to typed tree.
//!
//! ```text
//! query   = or
//! or      = and ("OR" and)*
//! and     = operand ("AND"? operand)*         neighbours without an operator are joined by AND
//! operand = "NOT"* primary (distance primary)*
//! distance = w/n | pre/n | not w/n | NEAR | NEAR/n
//! primary = "(" or ")" | field ":" value | leaf
//! value   = "(" or ")" | leaf                 no field inside a field
//! leaf    = "*" | word | word* | w?rd | word~n | word^ | =word | ="phrase" | "phrase" | /regex/ | dates | numbers
//! ```
//!
//! Operators are upper case (distances in any case). A backslash takes the meaning away from a character that is
//! not a letter or digit. `/* ... */` is white space where white space may stand. Main function: [`parse`]. Invariant: every character of the query is accounted for
//! in the tree, or the query is refused with the place; what the language has but cannot run yet is parsed as
//! such (`plan` refuses it by name).

pub(crate) mod escape;
mod grammar;
mod value;
mod word;

use winnow::error::{ErrMode, ParserError};
use winnow::stream::{LocatingSlice, Location};

use crate::error::SyntaxError;
use crate::tree::{DateSpec, Expr, Interval, Span};

/// Longest query in bytes.
pub const MAX_QUERY_BYTES: usize = 256 * 1024;
/// Deepest nesting of parentheses, NOT and distances.
pub const MAX_DEPTH: usize = 256;

/// Reads a query.
///
/// # Errors
/// A [`SyntaxError`] that points at the first character that cannot be read.
pub fn parse(query: &str) -> Result<Expr, SyntaxError> {
    if query.len() > MAX_QUERY_BYTES {
        let span = Span::new(MAX_QUERY_BYTES, MAX_QUERY_BYTES);
        let message = format!(
            "the query has {} bytes; at most {MAX_QUERY_BYTES} are read",
            query.len()
        );
        return Err(SyntaxError::at(query, span, message).hint("split it into several queries"));
    }
    if query.trim().is_empty() {
        return Err(SyntaxError::at(query, Span::default(), "the query is empty").hint("write `*` for everything"));
    }
    grammar::query(&mut LocatingSlice::new(query)).map_err(|error| {
        let fault = match error {
            ErrMode::Backtrack(fault) | ErrMode::Cut(fault) => fault,
            ErrMode::Incomplete(_) => Fault::new(Span::new(query.len(), query.len()), "the query ends too early"),
        };
        let mut error = SyntaxError::at(query, fault.span, fault.message);
        error.hint = fault.hint;
        error
    })
}

/// Reads a date or range of dates as it stands behind `date:`.
///
/// # Errors
/// A [`SyntaxError`] that points at what cannot be read.
pub(crate) fn date_interval(text: &str) -> Result<Interval<DateSpec>, SyntaxError> {
    value::dates(text).map_err(|bad| {
        let span = Span::new(bad.range.start, bad.range.end);
        SyntaxError::at(text, span, bad.message).hint(bad.hint)
    })
}

type Input<'a> = LocatingSlice<&'a str>;
type Parsed<T> = Result<T, ErrMode<Box<Fault>>>;

/// A fault while parsing, before it knows the whole query.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    span: Span,
    message: String,
    hint: Option<String>,
}

impl Fault {
    fn new(span: Span, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            span,
            message: message.into(),
            hint: None,
        })
    }

    fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }

    /// The fault as an error that no other branch may try to mend.
    fn cut<T>(self: Box<Self>) -> Parsed<T> {
        Err(ErrMode::Cut(self))
    }
}

impl ParserError<Input<'_>> for Box<Fault> {
    type Inner = Self;

    fn from_input(input: &Input<'_>) -> Self {
        let at = input.current_token_start();
        Fault::new(Span::new(at, at), "this cannot be read")
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

/// What is left of the input.
fn rest<'a>(input: &Input<'a>) -> &'a str {
    input.as_ref()
}

/// Where the input stands, in bytes of the query.
fn position(input: &Input<'_>) -> usize {
    input.current_token_start()
}

#[cfg(test)]
mod tests;
