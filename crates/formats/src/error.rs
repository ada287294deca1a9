//! The errors of this crate: an operation on a source failed. Oddities of evidence are
//! [`Defect`](embley_model::defect::Defect) values and never come this way.

use std::io;
use std::path::PathBuf;

use embley_model::defect::{Defect, DefectCode};
use embley_model::outcome::ErrorClass;

/// A source could not be opened or read. Nothing is changed by any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file cannot be opened.
    #[error("cannot open \"{}\"", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is there is not a regular file.
    #[error("\"{}\" is not a regular file", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// A range of a file cannot be read: a bad sector, a lost network share.
    #[error("cannot read {length} bytes at offset {offset} of \"{}\"", path.display())]
    Read {
        /// Which file; empty when the bytes have no file.
        path: PathBuf,
        /// First byte wanted.
        offset: u64,
        /// Bytes wanted from there.
        length: u64,
        /// Why.
        source: io::Error,
    },
    /// The file ended before the length it had when it was opened.
    #[error("\"{}\" ends at offset {offset}, but had {length} bytes when it was opened", path.display())]
    Shrunk {
        /// Which file; empty when the bytes have no file.
        path: PathBuf,
        /// Where it ends now.
        offset: u64,
        /// Its length when opened.
        length: u64,
    },
    /// A message that is read in pieces cannot be read on.
    #[error("a large message cannot be read")]
    Stream {
        /// Why.
        source: io::Error,
    },
    /// A saved scan state does not fit the file.
    #[error("the saved position {offset} does not fit \"{}\" of {length} bytes", path.display())]
    BadState {
        /// Which file.
        path: PathBuf,
        /// The saved offset.
        offset: u64,
        /// The length of the file.
        length: u64,
    },
}

impl FormatError {
    /// Who can do something about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Open { .. }
            | Self::NotAFile { .. }
            | Self::Read { .. }
            | Self::Shrunk { .. }
            | Self::Stream { .. } => ErrorClass::Input,
            Self::BadState { .. } => ErrorClass::Corruption,
        }
    }

    /// The same as an entry of the exceptions list: code, words with the cause, and the byte range when there is one.
    pub fn to_defect(&self) -> Defect {
        match self {
            Self::Open { source, .. } => Defect::new(DefectCode::SourceUnreadable, source.to_string()),
            Self::NotAFile { .. } => Defect::new(DefectCode::SourceSpecialFile, self.to_string()),
            Self::Stream { source } => Defect::new(DefectCode::SourceBadRange, source.to_string()),
            Self::Read {
                offset, length, source, ..
            } => {
                Defect::new(DefectCode::SourceBadRange, source.to_string()).at(*offset..offset.saturating_add(*length))
            }
            Self::Shrunk { offset, length, .. } => {
                Defect::new(DefectCode::SourceChangedWhileRead, "the file became shorter").at(*offset..*length)
            }
            Self::BadState { .. } => Defect::new(DefectCode::SourceChangedWhileRead, self.to_string()),
        }
    }

    /// Gives a `Read` error of a [`ReadAt`](crate::source::ReadAt) without a name the range it was about.
    pub(crate) fn read_failed(path: PathBuf, offset: u64, length: usize, source: io::Error) -> Self {
        Self::Read {
            path,
            offset,
            length: length as u64,
            source,
        }
    }
}
