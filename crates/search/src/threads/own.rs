//! What the author of a message wrote in it: its text without quotations, forwarded messages and signature.
//!
//! Quotation is told as in `quote`; here too a block of header lines that a mail program puts before the message below it
//! ("From:", "Sent:", "To:", "Subject:") begins another message. A line about who wrote what belongs to the quotation that it stands before.
//! Not for: comparing texts. Main function: [`own_text`]. Invariant: what is given stands in the text, in its order, line by line; lines
//! left out are one empty line.

use super::quote::{announces, is_head, marks};

/// Lines of an attribution, at most.
const ATTRIBUTION_LINES: usize = 3;
/// Header lines in a row that make a block.
const LEAST_HEADS: usize = 3;

/// The author's own new text.
pub fn own_text(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = own_end(&lines);
    let mut kept: Vec<&str> = Vec::new();
    for line in &lines[..end] {
        let (depth, _) = marks(line);
        if depth > 0 {
            drop_attribution(&mut kept);
        }
        kept.push(if depth > 0 { "" } else { line.trim_end() });
    }
    if end < lines.len() {
        drop_attribution(&mut kept);
    }
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in kept {
        let is_empty = line.trim().is_empty();
        if is_empty && empty {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        empty = is_empty;
    }
    out
}

/// The first line of the signature or of another message behind this one.
fn own_end(lines: &[&str]) -> usize {
    for (at, line) in lines.iter().enumerate() {
        let bare = line.trim_end_matches(['\r', '\n']);
        if bare == "-- " || bare == "--" {
            return at;
        }
        if marks(line).0 == 0 && (announces(line) || begins_heads(&lines[at..])) {
            return at;
        }
    }
    lines.len()
}

/// True when header lines of another message stand here.
fn begins_heads(lines: &[&str]) -> bool {
    lines.iter().take_while(|line| is_head(line)).count() >= LEAST_HEADS
}

/// Takes the lines off the end that say who wrote what is quoted below: the last paragraph, when it is short and ends in a colon.
fn drop_attribution(kept: &mut Vec<&str>) {
    let Some(last) = kept.iter().rposition(|line| !line.trim().is_empty()) else {
        return;
    };
    if !kept[last].trim_end().ends_with(':') {
        return;
    }
    let mut first = last;
    while first > 0 && last - first + 1 < ATTRIBUTION_LINES && !kept[first - 1].trim().is_empty() {
        first -= 1;
    }
    // Only a paragraph that is an attribution as a whole: what stands before it in the same paragraph is the author's.
    let whole = kept[first..=last].join(" ").to_lowercase();
    let tells = |text: &str| {
        [
            "wrote:", "writes:", "said:", "schrieb:", "crit :", "escribi", "message:",
        ]
        .iter()
        .any(|word| text.contains(word))
    };
    let last_line = kept[last].to_lowercase();
    if whole.trim_start().starts_with("on ") && tells(&whole) {
        kept.truncate(first);
    } else if tells(&last_line) {
        kept.truncate(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(own_text(text), expected, "{text}");
    }

    #[test]
    fn quotations_forwarded_messages_and_signatures_are_not_own_text() {
        check(
            "Yes.\n\nOn Monday, Jo\nSmith <jo@x> wrote:\n> I decided.\n> Jo\nThanks\n",
            "Yes.\n\nThanks\n",
        );
        check("FYI\n-----Original Message-----\nFrom: A\nI decided.\n", "FYI\n");
        check(
            "FYI\n\nFrom: A\nSent: 1 May\nTo: B\nSubject: c\n\nI decided.\n",
            "FYI\n\n",
        );
        check(
            "Note\n\nFrom: the beginning we knew.\nTo: whom?\nmore\n",
            "Note\n\nFrom: the beginning we knew.\nTo: whom?\nmore\n",
        );
        check("I decided.\n-- \nJo Smith\nDecisions Unit\n", "I decided.\n");
        check("These are my reasons:\n> none\n", "These are my reasons:\n\n");
        check("", "");
    }
}
