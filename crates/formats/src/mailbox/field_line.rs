//! Telling header lines from text, one line at a time (RFC 5322 section 2.2).
//!
//! Not for: reading values. Invariant: pure over one line, no allocation.

/// Field names that mail programs write in every message or that stand first in a stored one.
const KNOWN: [&str; 40] = [
    "apparently-to",
    "arc-seal",
    "authentication-results",
    "autocrypt",
    "bcc",
    "cc",
    "comments",
    "content-disposition",
    "content-length",
    "content-transfer-encoding",
    "content-type",
    "date",
    "delivered-to",
    "delivery-date",
    "dkim-signature",
    "envelope-to",
    "errors-to",
    "from",
    "importance",
    "in-reply-to",
    "lines",
    "list-id",
    "mail-from",
    "message-id",
    "mime-version",
    "newsgroups",
    "organization",
    "path",
    "precedence",
    "received",
    "references",
    "reply-to",
    "resent-from",
    "return-path",
    "sender",
    "status",
    "subject",
    "to",
    "user-agent",
    "xref",
];

/// The field name of a header line: printable ASCII without a colon, then, after optional blanks, a colon.
pub(crate) fn name(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().take(80).position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    let printable = !name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte));
    printable.then_some(name)
}

/// True for a name that is told from prose: one of the usual fields, or an `X-` field.
pub(crate) fn is_known(name: &[u8]) -> bool {
    let extension = name.len() > 2 && name[..2].eq_ignore_ascii_case(b"x-");
    extension || KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// True for a line that goes on the field before it.
pub(crate) fn continues(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t')) && !line.trim_ascii().is_empty()
}

/// How many of the first lines are header lines, and how many of these have a known name. Stops at the first line
/// that is neither a field nor goes on one, and after `most` lines.
pub(crate) fn count<'a>(lines: impl Iterator<Item = &'a [u8]>, most: usize) -> (usize, usize) {
    let (mut fields, mut known) = (0, 0);
    for line in lines.take(most) {
        match name(line) {
            Some(name) => {
                fields += 1;
                known += usize::from(is_known(name));
            }
            None if fields > 0 && continues(line) => {}
            // UUCP relays left the separators of earlier hops in front of the header.
            None if fields == 0 && line.starts_with(b">From ") => {}
            None => break,
        }
    }
    (fields, known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_are_told_from_prose() {
        for (line, expected) in [
            ("Subject: a", Some("Subject")),
            ("X-Priority : 3", Some("X-Priority")),
            ("Note that: this is prose", None),
            (": nothing", None),
            ("no colon", None),
            ("Grüße: x", None),
        ] {
            assert_eq!(name(line.as_bytes()), expected.map(str::as_bytes), "{line}");
        }
        assert!(is_known(b"RECEIVED") && is_known(b"x-gm-thrid") && !is_known(b"Warning") && !is_known(b"x-"));
    }

    #[test]
    fn counting_stops_at_the_first_line_that_is_no_header() {
        let lines = ["Received: x", "\tby y", "Date: z", "", "To: w"];
        assert_eq!(count(lines.iter().map(|line| line.as_bytes()), 10), (2, 2));
        let lines = [">From u Thu Jan  1 00:00:00 1970", "Foo: x"];
        assert_eq!(count(lines.iter().map(|line| line.as_bytes()), 10), (1, 0));
    }
}
