//! Defects of one reading, without repetition.
//!
//! Main type: [`Log`]. Invariant: at most [`MOST`] defects and one more that says how many were left out, however often a damaged
//! place is met.

use embley_model::defect::{Defect, DefectCode};

/// Most defects of one reading.
const MOST: usize = 100;

/// Collects the defects of one reading.
#[derive(Debug, Default)]
pub(crate) struct Log {
    defects: Vec<Defect>,
    left_out: u64,
}

impl Log {
    /// Adds a defect, unless it is there already.
    pub(crate) fn add(&mut self, code: DefectCode, detail: impl Into<String>) {
        self.push(Defect::new(code, detail));
    }

    /// Adds a defect, unless it is there already.
    pub(crate) fn push(&mut self, defect: Defect) {
        if self.defects.contains(&defect) {
            return;
        }
        if self.defects.len() < MOST {
            self.defects.push(defect);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Adds several.
    pub(crate) fn extend(&mut self, defects: &[Defect]) {
        for defect in defects {
            self.push(defect.clone());
        }
    }

    /// Adds what an operation that failed was about: a loss.
    pub(crate) fn lost(&mut self, what: &str, error: &crate::PstError) {
        self.add(DefectCode::PstStructure, format!("{what}: {error}"));
    }

    /// What was collected, in the order in which it was met.
    pub(crate) fn into_defects(mut self) -> Vec<Defect> {
        if self.left_out > 0 {
            let detail = format!("{} more places of this kind are not listed", self.left_out);
            self.defects.push(Defect::new(DefectCode::PstStructure, detail));
        }
        self.defects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_met_twice_is_said_once_and_a_flood_is_counted() {
        let mut log = Log::default();
        for at in 0..300 {
            log.add(DefectCode::PstChecksum, format!("block {at}"));
            log.add(DefectCode::PstChecksum, format!("block {at}"));
        }
        let defects = log.into_defects();
        assert_eq!(defects.len(), MOST + 1);
        assert!(defects[MOST].detail.starts_with("400 more"));
    }
}
