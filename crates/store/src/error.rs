//! What can go wrong with a case folder, said so that the person at the terminal knows what to do.

use std::path::{Path, PathBuf};

use embley_model::outcome::ErrorClass;

/// Short for results of this crate.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An operation on a case did not work. Unless a function says otherwise the case is as it was at the last checkpoint.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder is not a case, or not there.
    #[error("{path:?} is not a case: {detail}")]
    NotACase {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// A case cannot be made where something is already.
    #[error("cannot make a case at {path:?}: {detail}")]
    Exists {
        /// The folder.
        path: PathBuf,
        /// What is in the way.
        detail: String,
    },
    /// A setting in `case.toml` cannot be meant.
    #[error("{path:?}: {detail}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// Something in the case was written by a newer version of this program.
    #[error(
        "{what} has format {found}, and this program reads up to format {known}: open the case with a newer embley"
    )]
    Newer {
        /// File or table.
        what: String,
        /// Its format.
        found: u64,
        /// The newest format known here.
        known: u64,
    },
    /// Something in the case has a format that this program no longer reads.
    #[error("{what} has format {found}, and this program reads from format {known} on")]
    Older {
        /// File or table.
        what: String,
        /// Its format.
        found: u64,
        /// The oldest format known here.
        known: u64,
    },
    /// Another process holds the case.
    #[error("case {path:?} is in use by {holder}")]
    Busy {
        /// The case folder.
        path: PathBuf,
        /// Who, what and since when, as far as known.
        holder: String,
    },
    /// The case was opened for reading only.
    #[error("case {path:?} is open for reading only: {detail}")]
    ReadOnly {
        /// The case folder.
        path: PathBuf,
        /// What was asked for.
        detail: String,
    },
    /// The machine refused: no space, no permission, a failing disk.
    #[error("cannot {doing} {path:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Bytes in the case are not what they must be.
    #[error("{what} is damaged at {place}: {detail}")]
    Damaged {
        /// File or table.
        what: String,
        /// Offset, row or id.
        place: String,
        /// What was expected and what found.
        detail: String,
    },
    /// The catalogue refused.
    #[error("catalogue: cannot {doing}")]
    Catalogue {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: rusqlite::Error,
    },
    /// Something was asked for that is not in the case.
    #[error("{what} is not in this case")]
    NotFound {
        /// What.
        what: String,
    },
    /// The program is wrong.
    #[error("internal: {detail}")]
    Internal {
        /// What was noticed.
        detail: String,
    },
}

impl StoreError {
    /// Who can do something about it; `cli` makes the exit code of this.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NotACase { .. }
            | Self::Exists { .. }
            | Self::Config { .. }
            | Self::NotFound { .. }
            | Self::Newer { .. }
            | Self::Older { .. } => ErrorClass::Config,
            Self::Busy { .. } => ErrorClass::Busy,
            Self::ReadOnly { .. } | Self::Io { .. } => ErrorClass::Environment,
            Self::Damaged { .. } => ErrorClass::Corruption,
            Self::Catalogue { source, .. } => sqlite_class(source),
            Self::Internal { .. } => ErrorClass::Internal,
        }
    }

    /// What to do next, where there is something to do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotACase { .. } => Some("make one with `embley init DIR --name NAME`, or name one with `--case DIR`"),
            Self::Busy { .. } => Some("wait until it ends, or stop it; searching works meanwhile"),
            Self::Damaged { .. } => Some("`embley verify` lists everything that is damaged"),
            Self::Catalogue { source, .. } if sqlite_class(source) == ErrorClass::Corruption => {
                Some("`embley verify` lists everything that is damaged")
            }
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some("free some space and run the same command again: it goes on from the last checkpoint")
            }
            Self::Catalogue { source, .. } if is_full(source) => {
                Some("free some space and run the same command again: it goes on from the last checkpoint")
            }
            _ => None,
        }
    }

    /// True when the medium or the permissions do not let this be written, as of a case on a read-only or full medium.
    pub fn is_not_writable(&self) -> bool {
        use std::io::ErrorKind;
        matches!(self, Self::Io { source, .. }
        if matches!(
            source.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
        ))
    }

    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::Internal { detail: detail.into() }
    }

    pub(crate) fn damaged(what: impl Into<String>, place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Damaged {
            what: what.into(),
            place: place.into(),
            detail: detail.into(),
        }
    }
}

/// Attaches what was being done to an SQLite error.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, rusqlite::Error> {
    fn doing(self, doing: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Catalogue { doing, source })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Catalogue {
            doing: "read or write rows",
            source,
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}

fn sqlite_class(error: &rusqlite::Error) -> ErrorClass {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => ErrorClass::Busy,
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => ErrorClass::Corruption,
        Some(
            Code::DiskFull
            | Code::SystemIoFailure
            | Code::CannotOpen
            | Code::ReadOnly
            | Code::PermissionDenied
            | Code::OutOfMemory
            | Code::NoLargeFileSupport,
        ) => ErrorClass::Environment,
        _ => ErrorClass::Internal,
    }
}
