//! What can go wrong between a query's text and its answer.
//!
//! Two kinds, kept apart: a [`SyntaxError`] is about what was typed and points at the character; a
//! [`SearchError`] is everything, the syntax error among it. Invariant: a query that cannot be run as it
//! was written is refused here by name, and never read as something else.

use std::fmt;

use embley_model::outcome::ErrorClass;
use embley_store::StoreError;
use embley_store::facts::FactsError;

use crate::plan::BoxError;
use crate::tree::Span;

/// A query that cannot be read or run, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where the fault begins, in bytes of the query.
    pub offset: usize,
    /// How many bytes it covers; 0 when it is between two characters or at the end.
    pub length: usize,
    /// Where the fault begins, in characters, counted from 1 over the whole query.
    pub column: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to write instead, when there is something to say.
    pub hint: Option<String>,
}

impl SyntaxError {
    /// An error over `span` of `query`.
    pub(crate) fn at(query: &str, span: Span, message: impl Into<String>) -> Self {
        let offset = floor_char(query, span.start);
        let end = floor_char(query, span.end).max(offset);
        Self {
            offset,
            length: end - offset,
            column: query[..offset].chars().count() + 1,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error with the line of the query it is in and a caret under the fault:
    ///
    /// ```text
    /// error: no field is called `sbject`
    ///   sbject:fraud
    ///   ^^^^^^
    /// hint: did you mean `subject`?
    /// ```
    pub fn render(&self, query: &str) -> String {
        let offset = floor_char(query, self.offset);
        let line_start = query[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line_end = query[offset..].find('\n').map_or(query.len(), |at| offset + at);
        let line: String = query[line_start..line_end].chars().map(visible).collect();
        let indent = query[line_start..offset].chars().count();
        let fault_end = floor_char(query, offset + self.length).clamp(offset, line_end.max(offset));
        let carets = query[offset..fault_end].chars().count().max(1);
        let mut out = format!(
            "error: {}\n  {line}\n  {}{}",
            self.message,
            " ".repeat(indent),
            "^".repeat(carets)
        );
        if let Some(hint) = &self.hint {
            out.push_str("\nhint: ");
            out.push_str(hint);
        }
        out
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.message, self.column)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SyntaxError {}

/// A search that did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The query cannot be read or run.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A set of the case could not be read.
    #[error("the sets of `{field}` cannot be read")]
    Sets {
        /// The field.
        field: &'static str,
        /// Why.
        source: BoxError,
    },
    /// Texts of items could not be compared.
    #[error("the texts of items cannot be compared")]
    Texts {
        /// Why.
        source: BoxError,
    },
    /// The index could not be read.
    #[error("the index cannot be read")]
    Index(#[from] embley_index::IndexError),
    /// The catalogue could not be read.
    #[error("the catalogue cannot be read: {doing}")]
    Catalogue {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: BoxError,
    },
}

impl SearchError {
    pub(crate) fn catalogue(doing: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Catalogue {
            doing,
            source: source.into(),
        }
    }

    /// Who can do something about it; the binary makes the exit code of this.
    pub fn class(&self) -> ErrorClass {
        let of = |source: &BoxError| match (source.downcast_ref::<StoreError>(), source.downcast_ref::<FactsError>()) {
            (Some(store), _) => store.class(),
            (_, Some(facts)) => facts.class(),
            (None, None) => ErrorClass::Environment,
        };
        match self {
            Self::Syntax(_) => ErrorClass::Config,
            Self::Sets { source, .. } | Self::Catalogue { source, .. } | Self::Texts { source } => of(source),
            Self::Index(error) => match error.class() {
                embley_index::ErrorClass::Input => ErrorClass::Input,
                embley_index::ErrorClass::Environment => ErrorClass::Environment,
                embley_index::ErrorClass::Corruption => ErrorClass::Corruption,
                _ => ErrorClass::Internal,
            },
        }
    }
}

fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn floor_char(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|one| text.is_char_boundary(*one)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_character_of_the_fault_on_its_own_line() {
        let query = "café\nAND sbject:x";
        let start = query.find("sbject").expect("in the query");
        let error = SyntaxError::at(query, Span::new(start, start + 6), "no such field").hint("look");
        assert_eq!(error.column, 10);
        assert_eq!(
            error.render(query),
            "error: no such field\n  AND sbject:x\n      ^^^^^^\nhint: look"
        );
    }

    #[test]
    fn an_offset_inside_a_character_or_beyond_the_end_moves_to_a_boundary() {
        let error = SyntaxError::at("é", Span::new(1, 9), "odd");
        assert_eq!((error.offset, error.length, error.column), (0, 2, 1));
        assert!(error.render("é").contains('^'));
        assert_eq!(SyntaxError::at("ab", Span::new(7, 7), "odd").offset, 2);
    }
}
