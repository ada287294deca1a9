//! Running text: sentences, lines, paragraphs.
//!
//! Invariant: a paragraph is a pure function of the generator it is given, and no line begins with `From ` (so only
//! the lines planted on purpose need quoting in a mailbox).

use crate::rng::Rng;
use crate::words::Vocabulary;

/// How lines end inside a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// A line end in place of the space.
    Hard,
    /// A line end behind the space (format=flowed, RFC 3676 section 4.2).
    Flowed,
}

/// A line is ended at the first space beyond this column; the longest everyday word keeps it below 78.
const LINE: usize = 62;

/// Appends a paragraph of about `words` words that ends with a full stop and one line end.
pub(crate) fn write_paragraph(out: &mut Vec<u8>, rng: &mut Rng, vocabulary: &Vocabulary, words: u32, wrap: Wrap) {
    let mut line_start = out.len();
    let mut left_in_sentence = 0;
    for _ in 0..words {
        let start = out.len();
        vocabulary.write_word(out, rng);
        if left_in_sentence == 0 {
            left_in_sentence = 5 + rng.below(16);
            capitalise(out, start);
        }
        left_in_sentence -= 1;
        if left_in_sentence == 0 {
            out.pop();
            out.extend_from_slice(b". ");
        } else if left_in_sentence == 4 {
            out.pop();
            out.extend_from_slice(b", ");
        }
        if out.len() - line_start > LINE {
            if wrap == Wrap::Hard {
                out.pop();
            }
            out.push(b'\n');
            line_start = out.len();
        }
    }
    end_paragraph(out);
}

/// A capital at the beginning of a sentence, but never for `from`: at the beginning of a line it would be taken for a
/// separator.
fn capitalise(out: &mut [u8], start: usize) {
    let word = &mut out[start..];
    if !word.starts_with(b"from") {
        word[0].make_ascii_uppercase();
    }
}

fn end_paragraph(out: &mut Vec<u8>) {
    while matches!(out.last(), Some(b' ' | b'\n' | b',')) {
        out.pop();
    }
    if out.last() != Some(&b'.') {
        out.push(b'.');
    }
    out.push(b'\n');
}

/// Appends `text` with `> ` before every line (`>` before quoted lines), and ends with a line end.
pub(crate) fn write_quoted(out: &mut Vec<u8>, text: &[u8]) {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(if line.first() == Some(&b'>') { b">" } else { b"> " });
        out.extend_from_slice(line);
    }
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn lines_are_short_and_none_looks_like_a_separator() {
        let vocabulary = Vocabulary::new();
        let mut text = Vec::new();
        for number in 0..400 {
            let mut rng = Rng::new(5, Purpose::Body, number);
            write_paragraph(&mut text, &mut rng, &vocabulary, 1 + number as u32, Wrap::Hard);
        }
        assert!(text.len() > 300_000);
        for line in text.split(|byte| *byte == b'\n') {
            assert!(line.len() <= 90, "{}", String::from_utf8_lossy(line));
            assert!(!line.starts_with(b"From "));
        }
    }
}
