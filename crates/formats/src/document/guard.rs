//! A wall around packages that are not ours: a panic in them is a defect of the item.

use std::panic::{AssertUnwindSafe, catch_unwind};

use embley_model::defect::DefectCode;

use super::draft::Draft;

/// Returns what `work` returned, or `None` when it panicked; the panic is then a defect that names `package`.
pub(super) fn guarded<T>(draft: &mut Draft<'_>, package: &str, work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(cause) => {
            let words = cause
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| cause.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            draft.defect(DefectCode::ParserPanic, format!("{package}: {words}"));
            None
        }
    }
}
