//! What can go wrong in casework. A row that cannot be read is an exception of the import, not an error.

use std::path::PathBuf;

use embley_ingest::IngestError;
use embley_model::outcome::ErrorClass;
use embley_store::StoreError;
use embley_store::facts::FactsError;

/// Short for results of this crate.
pub type Result<T> = std::result::Result<T, CaseworkError>;

/// An operation of casework did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseworkError {
    /// A file of records cannot be read. Rows imported before it failed stay.
    #[error("cannot read {path:?}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not in a form that records come in. Nothing was imported.
    #[error("{path:?} is not a file of records: {detail}")]
    NotRecords {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A field map cannot be used. Nothing was imported.
    #[error("field map {name}: {detail}")]
    Mapping {
        /// Its name or path.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A file of rules cannot be used.
    #[error("rules {file}: {key}: {detail}")]
    Rules {
        /// The file, and where it came from.
        file: String,
        /// The line and key in it.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// Something that was typed cannot be meant.
    #[error("{detail}")]
    Request {
        /// What is wrong.
        detail: String,
    },
    /// The rows of an import do not add up: the program lost or doubled one.
    #[error("the sums of the import of {source_label} do not close: {detail}")]
    NotBalanced {
        /// The file's label.
        source_label: String,
        /// The figures.
        detail: String,
    },
    /// A rule raised one indicator twice: the program is wrong.
    #[error("rule {rule} raised {id} twice: {sentence}")]
    RaisedTwice {
        /// The rule.
        rule: &'static str,
        /// The indicator.
        id: String,
        /// What it says.
        sentence: String,
    },
    /// A search that a link or timeline needs did not work.
    #[error("cannot look for \"{case_ref}\" in the index")]
    Search {
        /// The reference looked for.
        case_ref: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Threads cannot be linked.
    #[error("cannot link messages to threads")]
    Threads {
        /// Why not.
        source: Box<embley_search::SearchError>,
    },
    /// Saved searches cannot be run.
    #[error("cannot run the saved searches")]
    Saved {
        /// Why not.
        source: Box<embley_search::SearchError>,
    },
    /// The items of an export cannot be found.
    #[error("cannot find the items of the export")]
    Export {
        /// Why not.
        source: Box<embley_search::SearchError>,
    },
    /// A file of an export cannot be written.
    #[error("cannot write {name}")]
    ExportFile {
        /// Which.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The folder of an export cannot be made.
    #[error(transparent)]
    Outgoing(#[from] embley_store::outgoing::OutgoingError),
    /// The terms of privilege cannot be run.
    #[error("cannot screen for privilege")]
    Screening {
        /// Why not.
        source: Box<embley_search::SearchError>,
    },
    /// Facts refused.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ingest refused.
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

impl CaseworkError {
    /// Who can do something about it; the binary makes the exit code of this.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unreadable { .. } | Self::NotRecords { .. } => ErrorClass::Input,
            Self::Mapping { .. } | Self::Rules { .. } | Self::Request { .. } => ErrorClass::Config,
            Self::NotBalanced { .. } | Self::RaisedTwice { .. } | Self::Search { .. } => ErrorClass::Internal,
            Self::Threads { source }
            | Self::Saved { source }
            | Self::Export { source }
            | Self::Screening { source } => source.class(),
            Self::ExportFile { .. } => ErrorClass::Environment,
            Self::Outgoing(cause) => cause.class(),
            Self::Facts(cause) => cause.class(),
            Self::Store(cause) => cause.class(),
            Self::Ingest(cause) => cause.class(),
        }
    }

    /// The error as a finish step of an ingest gives it: the store's own errors keep their class.
    pub(crate) fn into_ingest(self) -> IngestError {
        match self {
            Self::Ingest(cause) => cause,
            Self::Store(cause) | Self::Facts(FactsError::Store(cause)) => IngestError::Store(cause),
            Self::Unreadable { .. }
            | Self::NotRecords { .. }
            | Self::Mapping { .. }
            | Self::Rules { .. }
            | Self::Request { .. }
            | Self::NotBalanced { .. }
            | Self::RaisedTwice { .. }
            | Self::Search { .. }
            | Self::Threads { .. }
            | Self::Saved { .. }
            | Self::Export { .. }
            | Self::ExportFile { .. }
            | Self::Outgoing(_)
            | Self::Screening { .. }
            | Self::Facts(_) => IngestError::Internal { detail: told(&self) },
        }
    }
}

/// An error and its causes on one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        text.push_str(&format!(": {one}"));
        cause = one.source();
    }
    text
}
