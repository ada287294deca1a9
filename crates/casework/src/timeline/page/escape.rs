//! Text of evidence as text of a page: never markup, never an attribute's end, never hidden direction marks.

use std::fmt::{self, Display, Write};

/// Shows a text so that it is text between tags and inside quoted attributes alike.
///
/// Control characters and marks that change the direction of what follows are shown by their number: a name that ends in a
/// right-to-left override would else read as another name.
pub(super) struct Escaped<'t>(pub(super) &'t str);

/// Short for [`Escaped`].
pub(super) fn esc(text: &str) -> Escaped<'_> {
    Escaped(text)
}

impl Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plain_from = 0;
        for (at, letter) in self.0.char_indices() {
            let instead = match letter {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&#39;"),
                '\n' | '\t' => None,
                letter if is_hidden(letter) => Some(""),
                _ => None,
            };
            let Some(instead) = instead else { continue };
            out.write_str(&self.0[plain_from..at])?;
            if instead.is_empty() {
                write!(out, "[U+{:04X}]", u32::from(letter))?;
            } else {
                out.write_str(instead)?;
            }
            plain_from = at + letter.len_utf8();
        }
        out.write_str(&self.0[plain_from..])
    }
}

/// Control characters, and marks of direction and of nothing (Unicode 16 chapter 23: 200E to 200F, 202A to 202E, 2060 to 206F, FEFF).
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// The first `most` characters; an ellipsis says that there is more.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
            // Writing to a string cannot fail.
            let _ = short.write_char('…');
            short
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup_or_hidden() {
        for (text, shown) in [
            ("a<script>alert(1)</script>", "a&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload='x'", "&quot; onload=&#39;x&#39;"),
            ("R&D &amp;", "R&amp;D &amp;amp;"),
            ("fdp\u{202E}exe.", "fdp[U+202E]exe."),
            ("a\u{0}b\u{1b}[31m", "a[U+0000]b[U+001B][31m"),
            ("line\nline", "line\nline"),
            ("Ünïcode £ 学", "Ünïcode £ 学"),
        ] {
            assert_eq!(esc(text).to_string(), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("ééé", 3), "ééé");
        assert_eq!(cut("éééé", 3), "éé…");
    }
}
