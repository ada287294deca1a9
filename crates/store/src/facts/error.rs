//! What can go wrong with facts beyond the database itself.

use embley_model::outcome::ErrorClass;
use embley_model::role::Task;

use crate::error::StoreError;

/// A change or look-up of facts did not work; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// A text is not an exhibit reference.
    #[error("\"{text}\" is not an exhibit reference: {detail}")]
    BadReference {
        /// The text.
        text: String,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// A text cannot be the name of a tag, or the reference of a case.
    #[error("\"{text}\" cannot be the name of a {what}: {detail}")]
    BadName {
        /// The text.
        text: String,
        /// `tag`, `case`, ...
        what: &'static str,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// Two exhibits have the same reference because their producers share initials.
    #[error("{reference} names several exhibits, produced by {producers}")]
    Ambiguous {
        /// The reference.
        reference: String,
        /// The producers, joined by commas.
        producers: String,
    },
    /// Something asked for is not there.
    #[error("there is no {what} {name} in this case")]
    NotFound {
        /// `exhibit`, `tag`, `event`, ...
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// An event was undone before, or everything it changed was changed again later.
    #[error("event {event} has nothing left to undo: {detail}")]
    NothingToUndo {
        /// The event.
        event: i64,
        /// Why.
        detail: &'static str,
    },
    /// A rule of the case, or of the register, does not allow it.
    #[error("{detail}")]
    NotAllowed {
        /// What is not allowed, and which rule says so.
        detail: String,
        /// What to do.
        hint: Option<&'static str>,
    },
    /// Another schedule of the form was issued since this one was drafted.
    #[error("another {form} was issued meanwhile: its numbers are taken; run the command again")]
    Overtaken {
        /// The form.
        form: &'static str,
    },
    /// Another change came between reading and writing.
    #[error("the {what} was changed by somebody else meanwhile")]
    ChangedMeanwhile {
        /// What.
        what: &'static str,
    },
    /// No role of the actor may do this.
    #[error("{actor} {is} and may not {}: that needs the role {needed}", .task.means())]
    Refused {
        /// Who.
        actor: String,
        /// What they are, fits behind the name.
        is: String,
        /// What was asked.
        task: Task,
        /// The roles that may, joined by `or`.
        needed: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FactsError {
    /// Something that a rule does not allow.
    pub(crate) fn not_allowed(detail: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self::NotAllowed {
            detail: detail.into(),
            hint,
        }
    }

    /// Who can do something about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::BadReference { .. }
            | Self::BadName { .. }
            | Self::Ambiguous { .. }
            | Self::NotFound { .. }
            | Self::NothingToUndo { .. }
            | Self::NotAllowed { .. }
            | Self::Overtaken { .. }
            | Self::Refused { .. } => ErrorClass::Config,
            Self::ChangedMeanwhile { .. } => ErrorClass::Busy,
            Self::Store(cause) => cause.class(),
        }
    }

    /// What to do next, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Ambiguous { .. } => Some("say which with --produced-by NAME"),
            Self::BadReference { .. } => {
                Some("a reference is the producer's initials and a number, as in JS/1 or JS/1/2")
            }
            Self::Refused { .. } => {
                Some("an administrator gives roles with `embley user role NAME ROLE`; `embley user roles` lists them")
            }
            Self::ChangedMeanwhile { .. } => Some("run the same command again"),
            Self::BadName { .. } | Self::NotFound { .. } | Self::NothingToUndo { .. } | Self::Overtaken { .. } => None,
            Self::NotAllowed { hint, .. } => *hint,
            Self::Store(cause) => cause.hint(),
        }
    }
}

impl From<rusqlite::Error> for FactsError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Store(source.into())
    }
}
