//! Makes output comparable between machines: places, times, process numbers and durations become words in brackets.
//!
//! Snapshots vary only through here, so that a reader sees what was taken out.

/// Replaces what varies. Longer texts are replaced first, whatever the order given.
#[derive(Clone, Debug, Default)]
pub struct Redactions {
    texts: Vec<(String, String)>,
}

impl Redactions {
    /// Only what is recognised by its form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Besides, this text (a temporary folder, a case id) becomes `word`.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>, word: &str) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.texts.push((text, word.to_owned()));
            self.texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
        self
    }

    /// The text with everything that varies taken out.
    pub fn apply(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (from, to) in &self.texts {
            out = out.replace(from, to);
        }
        redact_forms(&out)
    }
}

/// RFC 3339 times become `[TIME]`, `process 123` becomes `process [PID]`, `1.5 s` and `20 ms` become `[DURATION]`, `3.2 MB/s` and
/// `100 items/s` become `[RATE]`.
fn redact_forms(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at_word = !out.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '.');
        let found = if first.is_ascii_digit() && at_word {
            timestamp(rest).or_else(|| quantity(rest))
        } else {
            None
        };
        if let Some((len, word)) = found {
            out.push_str(word);
            rest = &rest[len..];
        } else if out.ends_with("process ") && first.is_ascii_digit() {
            out.push_str("[PID]");
            rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// `2020-07-01T12:00:00`, a fraction, `Z` or an offset.
fn timestamp(text: &str) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    let form = b"dddd-dd-ddTdd:dd:dd";
    let head = bytes.get(..form.len())?;
    let fits = |(byte, form): (&u8, &u8)| {
        if *form == b'd' {
            byte.is_ascii_digit()
        } else {
            byte == form
        }
    };
    if !head.iter().zip(form).all(fits) {
        return None;
    }
    let mut len = form.len();
    if bytes.get(len) == Some(&b'.') {
        len += 1;
        len += bytes[len..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    match bytes.get(len) {
        Some(b'Z') => len += 1,
        Some(b'+' | b'-') if bytes.get(len + 3) == Some(&b':') => len += 6,
        _ => {}
    }
    Some((len.min(text.len()), "[TIME]"))
}

/// A number with a unit of time or speed.
fn quantity(text: &str) -> Option<(usize, &'static str)> {
    let number = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        .count();
    let after = &text[number..];
    let gap = usize::from(after.starts_with(' '));
    let unit = after[gap..]
        .bytes()
        .take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'/')
        .count();
    if after[gap + unit..].chars().next().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let word = match &after[gap..gap + unit] {
        "s" | "ms" | "us" | "ns" => "[DURATION]",
        rate if rate.ends_with("/s") => "[RATE]",
        _ => return None,
    };
    Some((number + gap + unit, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_becomes_a_word_and_the_rest_stays() {
        let redactions = Redactions::new().text("/tmp/a", "[TMP]").text("/tmp/a/case", "[CASE]");
        for (text, expected) in [
            (
                "opened /tmp/a/case at 2020-07-01T12:00:00.25Z",
                "opened [CASE] at [TIME]",
            ),
            ("since 2020-07-01T12:00:00+01:00)", "since [TIME])"),
            ("in use by ingest (process 4711)", "in use by ingest (process [PID])"),
            (
                "1,200 items in 1.5 s, 3.2 MB/s, 100 items/s",
                "1,200 items in [DURATION], [RATE], [RATE]",
            ),
            ("12 messages, 3 sources, item 7", "12 messages, 3 sources, item 7"),
            ("v2s 2020-07-01 é 5 süd", "v2s 2020-07-01 é 5 süd"),
        ] {
            assert_eq!(redactions.apply(text), expected);
        }
    }
}
