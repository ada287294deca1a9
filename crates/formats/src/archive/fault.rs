//! A defect that travels as the error of a member's bytes.
//!
//! Not for: errors of the taker. Main type: [`ReadFault`]. Invariant: its text begins with the defect's code, so that it survives being written as a line.

use std::fmt;
use std::io;

use embley_model::defect::{Defect, DefectCode};

/// Why the bytes of a member end here, or are not what the container says.
#[derive(Debug)]
pub(super) struct ReadFault(pub(super) Defect);

impl fmt::Display for ReadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.text())?;
        if self.0.detail.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.0.detail)
    }
}

impl std::error::Error for ReadFault {}

/// An error that carries a defect.
pub(super) fn error(code: DefectCode, detail: impl Into<String>) -> io::Error {
    carry(Defect::new(code, detail))
}

/// An error that carries this defect.
pub(super) fn carry(defect: Defect) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, ReadFault(defect))
}

/// The defect that ended the bytes of a member: what a reader given to [`Members::member`](crate::opened::Members::member) failed with. `None` when the
/// error is of another origin.
pub fn fault(error: &io::Error) -> Option<&Defect> {
    let inner = error.get_ref()?.downcast_ref::<ReadFault>()?;
    Some(&inner.0)
}

/// The defect of an error, whatever its origin: what a package says becomes [`DefectCode::ArchiveMember`].
pub(super) fn of(error: &io::Error) -> Defect {
    match fault(error) {
        Some(defect) => defect.clone(),
        None => Defect::new(DefectCode::ArchiveMember, error.to_string()),
    }
}
