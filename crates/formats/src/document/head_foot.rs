//! Heads and feet of sheets: their words without the codes between them (ECMA-376 part 1, `headerFooter`; [MS-XLS] `Header`).
//!
//! Main function: [`words`]. A code stands before a word without a blank, so that it would be taken for its first letter.

/// The words of a head or foot; its left, middle and right part on lines of their own.
pub(super) fn words(coded: &str) -> String {
    let mut out = String::with_capacity(coded.len());
    let mut chars = coded.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '&' {
            out.push(c);
            continue;
        }
        match chars.next() {
            // Left, middle, right.
            Some('L' | 'C' | 'R') => out.push('\n'),
            // Page, pages, date, time, path, file, sheet, picture: not written by anybody.
            Some('P' | 'N' | 'D' | 'T' | 'Z' | 'F' | 'A' | 'G') => out.push(' '),
            // Bold, italic, underlined and the like may change inside a word.
            Some('B' | 'I' | 'U' | 'E' | 'S' | 'X' | 'Y' | 'O' | 'H') => {}
            // A colour: six digits, or two, a sign and three.
            Some('K') => {
                for _ in 0..6 {
                    if chars
                        .next_if(|c| c.is_ascii_hexdigit() || matches!(c, '+' | '-'))
                        .is_none()
                    {
                        break;
                    }
                }
            }
            // The name of a font.
            Some('"') => while chars.next().is_some_and(|c| c != '"') {},
            // The size of a font.
            Some('0'..='9') => while chars.next_if(char::is_ascii_digit).is_some() {},
            Some('&') | None => out.push('&'),
            Some(other) => out.extend(['&', other]),
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_no_letters_of_words() {
        let check = |coded: &str, expected: &str| assert_eq!(words(coded), expected, "{coded}");
        check("&Lleft&Cmiddle&Rright &P", "left\nmiddle\nright");
        check("&L&\"Arial,Bold\"&12wo&Brd&B &KFF0000red&K01+000 R&&D", "word red R&D");
        check("a & b &", "a & b &");
        check("&\"open", "");
    }
}
