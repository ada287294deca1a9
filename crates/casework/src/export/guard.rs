//! Cells that a spreadsheet would run: told apart, and made harmless in a way that can be undone.
//!
//! The rule, which every export of CSV states: a cell that begins with `=`, `+`, `-`, `@`, a tab, a line end, one of their full-width forms,
//! or an apostrophe gets one apostrophe before it. Whoever wants the value takes one apostrophe off every cell that begins with one.
//! In XLSX the value stays as it is: the cell is a text with the quote prefix set, which no program calculates.

use std::borrow::Cow;

/// The rule in words.
pub(super) const RULE: &str = "a cell that begins with = + - @ TAB CR LF, a full-width form of these, or an apostrophe has one apostrophe \
                               before it; to get the value, take one apostrophe off every cell that begins with one";

/// The cell as it is written to CSV.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if dangerous(cell) || cell.starts_with('\'') {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The inverse of [`guarded`].
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// True for what a spreadsheet would take for a formula.
pub(super) fn dangerous(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_comes_back_as_it_was() {
        for cell in [
            "=1+1", "+44 20", "-1", "@SUM(A1)", "\tx", "\r=1", "\n", "＝1", "'=1", "''", "plain", "", "a=b",
        ] {
            let written = guarded(cell);
            assert!(!dangerous(&written), "{cell:?}");
            assert_eq!(unguarded(&written), cell);
        }
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("plain"), "plain");
    }
}
