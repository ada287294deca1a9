//! What goes along with the reading of one object: the file, the limits, the defects.

use embley_model::defect::{Defect, DefectCode};

use crate::log::Log;
use crate::messaging::Names;
use crate::ndb::Ndb;
use crate::options::Limits;

/// One reading.
pub(crate) struct Session<'a> {
    pub(crate) ndb: &'a Ndb,
    pub(crate) names: &'a Names,
    pub(crate) log: Log,
    pub(crate) limits: Limits,
    bytes_left: u64,
    parts_left: u32,
}

impl<'a> Session<'a> {
    /// A reading with all its limits unused.
    pub(crate) fn new(ndb: &'a Ndb, names: &'a Names, limits: Limits) -> Self {
        Self {
            ndb,
            names,
            log: Log::default(),
            limits,
            bytes_left: limits.message_bytes,
            parts_left: limits.parts,
        }
    }

    /// Takes `bytes` off what may still be held; says so and returns false when there is not so much left.
    pub(crate) fn take_bytes(&mut self, bytes: u64) -> bool {
        let fits = bytes <= self.bytes_left;
        if fits {
            self.bytes_left -= bytes;
        } else {
            let most = self.limits.message_bytes;
            self.log
                .add(DefectCode::PstLimit, format!("more than {most} bytes in one message"));
        }
        fits
    }

    /// Bytes that may still be held.
    pub(crate) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    /// Takes one recipient or attachment; says so and returns false when there are too many.
    pub(crate) fn take_part(&mut self) -> bool {
        let fits = self.parts_left > 0;
        if fits {
            self.parts_left -= 1;
        } else {
            let most = self.limits.parts;
            self.log.add(
                DefectCode::PstLimit,
                format!("more than {most} recipients and attachments"),
            );
        }
        fits
    }

    /// Does `work` with a list of defects of its own and returns both.
    pub(crate) fn apart<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, Vec<Defect>) {
        let outer = std::mem::take(&mut self.log);
        let result = work(self);
        let inner = std::mem::replace(&mut self.log, outer);
        (result, inner.into_defects())
    }
}
