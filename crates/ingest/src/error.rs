//! What can stop an ingest. Oddities of evidence are defects, not errors.

use std::path::PathBuf;

use embley_formats::FormatError;
use embley_index::IndexError;
use embley_model::outcome::ErrorClass;
use embley_store::StoreError;

/// An ingest, reindex or replay did not work. Unless said otherwise the case is intact and the same command goes on
/// from the last checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// None of the sources given can be read. Nothing was done.
    #[error("no input readable: {detail}")]
    NoInput {
        /// Which, and why.
        detail: String,
    },
    /// A source was given in a way that cannot be meant. Nothing was done.
    #[error("{detail}")]
    Request {
        /// What is wrong and what to do.
        detail: String,
    },
    /// The store failed; work since the last checkpoint is repeated by the next run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Facts could not be written; nothing of the batch counts.
    #[error(transparent)]
    Facts(#[from] embley_store::facts::FactsError),
    /// The index failed; the next run replays what it lacks.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file of evidence could not be opened where that had to stop the step.
    #[error("cannot read {path:?}")]
    Source {
        /// Which.
        path: PathBuf,
        /// Why.
        source: FormatError,
    },
    /// The sums of the run do not close: something found has no outcome. The run is marked failed.
    #[error("the sums of run {run} do not close: {detail}")]
    NotBalanced {
        /// Which run.
        run: String,
        /// Which sum, with its figures.
        detail: String,
    },
    /// Stored items were not found by their own words. The run is marked failed.
    #[error("the self-test of run {run} failed: {detail}")]
    SelfTest {
        /// Which run.
        run: String,
        /// Which items.
        detail: String,
    },
    /// It was stopped on request; the same call begins again.
    #[error("stopped")]
    Stopped,
    /// The program is wrong.
    #[error("internal: {detail}")]
    Internal {
        /// What was noticed.
        detail: String,
    },
}

impl IngestError {
    /// Who can do something about it; `cli` makes the exit code of this.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NoInput { .. } | Self::Source { .. } => ErrorClass::Input,
            Self::Stopped => ErrorClass::Environment,
            Self::Request { .. } => ErrorClass::Config,
            Self::Store(error) => error.class(),
            Self::Facts(error) => error.class(),
            Self::Index(error) => index_class(error),
            Self::NotBalanced { .. } | Self::SelfTest { .. } => ErrorClass::Corruption,
            Self::Internal { .. } => ErrorClass::Internal,
        }
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::Internal { detail: detail.into() }
    }
}

/// The class of an error of the index, in the words that all crates share.
pub fn index_class(error: &IndexError) -> ErrorClass {
    match error.class() {
        embley_index::ErrorClass::Input => ErrorClass::Input,
        embley_index::ErrorClass::Environment => ErrorClass::Environment,
        embley_index::ErrorClass::Corruption => ErrorClass::Corruption,
        embley_index::ErrorClass::Internal => ErrorClass::Internal,
    }
}
