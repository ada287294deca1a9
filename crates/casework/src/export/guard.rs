//! Cells that a spreadsheet would run: told apart, and made harmless in a way that can be undone.
//!
//! The rule, which every export of CSV states: a cell that begins with `=`, `+`, `-`, `@`, a tab, a line end, one of their full-width forms,
//! or an apostrophe gets one apostrophe before it, also when blanks or invisible characters stand before that (some programs trim them).
//! Whoever wants the value takes one apostrophe off every cell that begins with one.
//! In XLSX the value stays as it is: the cell is a text with the quote prefix set, which no program calculates.

use std::borrow::Cow;

/// The rule in words.
pub(super) const RULE: &str = "a cell that begins with = + - @ TAB CR LF, a full-width form of these, also behind blanks or invisible \
                               characters, or with an apostrophe has one apostrophe before it; to get the value, take one apostrophe off \
                               every cell that begins with one";

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
    let unseen = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    };
    let seen = cell.trim_start_matches(unseen);
    cell.starts_with(['\t', '\r', '\n']) || seen.starts_with(['=', '+', '-', '@', '\u{2212}', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_comes_back_as_it_was() {
        for cell in [
            "=1+1",
            "+44 20",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\r=1",
            "\n",
            "＝1",
            "'=1",
            "''",
            "plain",
            "",
            "a=b",
            " =1",
            "\u{a0}+1",
            "\u{200b}=1",
            "\u{feff}@x",
            "\u{b}-1",
            "\u{2212}1",
            " a",
            "\u{200b}",
        ] {
            let written = guarded(cell);
            assert!(!dangerous(&written), "{cell:?}");
            assert_eq!(unguarded(&written), cell);
        }
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded(" \u{200b}=1"), "' \u{200b}=1");
        assert_eq!(guarded("plain"), "plain");
    }
}
