//! What can go wrong with the index, and what kind of trouble it is.
//!
//! The index is derived from the store: whatever is damaged here can be made again with `embley reindex`,
//! and the messages say so.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::TantivyError;
use tantivy::directory::error::{OpenDirectoryError, OpenReadError, OpenWriteError};

/// The kind of trouble, from which the exit code follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// What was asked for cannot be answered.
    Input,
    /// The file system, memory or permissions.
    Environment,
    /// Files of the index are missing, damaged or of another version.
    Corruption,
    /// A broken rule of our own.
    Internal,
}

/// An operation on the index did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// There is no index in this folder.
    #[error("there is no index in \"{}\"; `embley reindex` makes it from the store", folder.display())]
    Missing {
        /// The index folder.
        folder: PathBuf,
    },
    /// A file of the index is missing or cannot be what was written.
    #[error("index file \"{}\" is damaged: {detail}; `embley reindex` makes the index again from the store", file.display())]
    Damaged {
        /// The file, with its folder.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The index was made by another version of the program.
    #[error("the index in \"{}\" is of another version ({found}, this program writes {expected}); `embley reindex` makes it again from the store", folder.display())]
    Version {
        /// The index folder.
        folder: PathBuf,
        /// What is there.
        found: String,
        /// What this program reads and writes.
        expected: String,
    },
    /// The operating system refused.
    #[error("cannot {action} \"{}\": {source}", path.display())]
    Io {
        /// What was tried, as in `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// Items were added to a segment in the wrong order.
    #[error("item {item_no} was added to an index segment after item {after}; numbers must increase")]
    OutOfOrder {
        /// The item that came too late.
        item_no: u32,
        /// The last one in the segment.
        after: u32,
    },
    /// A field was used in a way that the field table does not allow.
    #[error("field `{field}` cannot be used {use_as}")]
    FieldMisuse {
        /// Its name in queries.
        field: &'static str,
        /// How it was used.
        use_as: &'static str,
    },
    /// Anything else that the engine reports.
    #[error("the index engine failed to {action}: {source}")]
    Engine {
        /// What was tried.
        action: &'static str,
        /// Its own report.
        source: TantivyError,
    },
}

/// The error of the system that a report ends with, as in `No space left on device (os error 28)`.
fn system_error(report: &str) -> Option<io::Error> {
    let (_, rest) = report.rsplit_once("(os error ")?;
    let (number, _) = rest.split_once(')')?;
    number.parse().ok().map(io::Error::from_raw_os_error)
}

/// The beginning of a report: the engine quotes whole files.
pub(crate) fn cut(report: &str) -> String {
    const CHARACTERS: usize = 200;
    match report.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{} ...", &report[..end]),
        None => report.to_owned(),
    }
}

impl IndexError {
    /// What kind of trouble it is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Missing { .. } | Self::Damaged { .. } | Self::Version { .. } => ErrorClass::Corruption,
            Self::Io { .. } => ErrorClass::Environment,
            Self::FieldMisuse { .. } => ErrorClass::Input,
            Self::OutOfOrder { .. } | Self::Engine { .. } => ErrorClass::Internal,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    pub(crate) fn damaged(file: impl Into<PathBuf>, detail: impl Into<String>) -> Self {
        Self::Damaged {
            file: file.into(),
            detail: detail.into(),
        }
    }

    /// Sorts an error of the engine, met while working in `folder`, into ours.
    pub(crate) fn engine(folder: &Path, action: &'static str, source: TantivyError) -> Self {
        match source {
            TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(file)) => {
                Self::damaged(folder.join(file), "it is missing")
            }
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, filepath }) => {
                Self::from_read(folder.join(filepath), &io_error)
            }
            TantivyError::OpenReadError(OpenReadError::IncompatibleIndex(what))
            | TantivyError::IncompatibleIndex(what) => Self::Version {
                folder: folder.to_owned(),
                found: format!("{what:?}"),
                expected: tantivy::version_string().to_owned(),
            },
            TantivyError::DataCorruption(what) => Self::damaged(folder, cut(&format!("{what:?}"))),
            TantivyError::IoError(io_error) => Self::from_io(action, folder, io_error),
            TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, filepath }) => {
                Self::from_io(action, &folder.join(filepath), io_error)
            }
            TantivyError::OpenDirectoryError(OpenDirectoryError::DoesNotExist(folder)) => Self::Missing { folder },
            // The engine keeps some errors of the system as text only.
            TantivyError::InternalError(report) | TantivyError::SystemError(report) => match system_error(&report) {
                Some(source) => Self::from_io(action, folder, Arc::new(source)),
                None => Self::Engine {
                    action,
                    source: TantivyError::InternalError(report),
                },
            },
            source => Self::Engine { action, source },
        }
    }

    /// Reading an existing file fails in two ways: the system refuses, or the content is too short to be it.
    fn from_read(file: PathBuf, source: &Arc<io::Error>) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::damaged(file, source.to_string())
            }
            _ if source.raw_os_error().is_none() => Self::damaged(file, source.to_string()),
            _ => Self::Io {
                action: "read",
                path: file,
                source: Arc::clone(source),
            },
        }
    }

    fn from_io(action: &'static str, path: &Path, source: Arc<io::Error>) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => Self::damaged(path, source.to_string()),
            _ => Self::Io {
                action,
                path: path.to_owned(),
                source,
            },
        }
    }
}

/// Result of operations on the index.
pub type Result<T> = std::result::Result<T, IndexError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_that_the_engine_reports_as_text_is_the_environment_s_trouble() {
        let report = TantivyError::InternalError("No space left on device (os error 28)".to_owned());
        let error = IndexError::engine(Path::new("index"), "write a segment", report);
        assert_eq!(error.class(), ErrorClass::Environment);
        assert!(error.to_string().contains("No space left on device"), "{error}");
        let other = IndexError::engine(
            Path::new("index"),
            "write",
            TantivyError::InternalError("odd".to_owned()),
        );
        assert_eq!(other.class(), ErrorClass::Internal);
    }
}
