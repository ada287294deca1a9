//! What stops a run: no workers, no input to give them, nobody to take what comes out.

use std::io;
use std::path::PathBuf;

use embley_model::outcome::ErrorClass;
use embley_store::StoreError;

use crate::error::IngestError;

/// A job could not be done for reasons that are not its input's. Nothing of its answer counts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// Workers could not be started several times in a row.
    #[error(
        "cannot start a worker process from {program:?}; see `embley doctor`, and whether there is room for processes and memory"
    )]
    Start {
        /// The program.
        program: PathBuf,
        /// The last reason.
        source: io::Error,
    },
    /// The input could not be prepared.
    #[error("cannot hand {bytes} bytes to a worker process")]
    Input {
        /// How many.
        bytes: u64,
        /// Why not.
        source: io::Error,
    },
    /// The caller could not take a member.
    #[error("cannot take a member")]
    Taker {
        /// Why not, in the taker's words.
        source: io::Error,
    },
}

impl WorkerError {
    /// Who can do something about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Start { .. } | Self::Input { .. } | Self::Taker { .. } => ErrorClass::Environment,
        }
    }
}

impl From<WorkerError> for IngestError {
    fn from(error: WorkerError) -> Self {
        let (doing, path, source) = match error {
            WorkerError::Start { program, source } => ("start a worker process from", program, source),
            WorkerError::Input { bytes, source } => (
                "give its input to a worker process as",
                format!("memory of {bytes} bytes").into(),
                source,
            ),
            WorkerError::Taker { source } => ("take", PathBuf::from("a member of a container"), source),
        };
        Self::Store(StoreError::Io { doing, path, source })
    }
}
