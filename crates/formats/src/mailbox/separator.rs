//! The separator line of a mailbox: `From ` + sender + date (RFC 4155; mbox(5) of qmail and mutt).
//!
//! Not for: looking at what stands around the line; that is the scanner's. Main function: [`classify`].
//! Invariant: pure over one line. A line counts as dated only when it ends in a whole date with time and year, in a
//! form that a mail program is known to write, with nothing after it but a zone or a UUCP `remote from`.

/// What a line that begins with `From ` looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Ends in a whole date: what every mailbox writer since 1979 puts there.
    Dated,
    /// Ends in the fixed date that `git format-patch` writes, after an object name: a separator in a mailbox of patches, text in
    /// every other mailbox.
    GitPatch,
    /// One word and no date, as old Mozilla (`From - `) and some web mail exports write.
    Bare,
    /// Prose.
    Other,
}

/// The longest separator line that is believed, bytes. An address may have 320; routes and comments are longer.
pub const LONGEST: usize = 2048;

const MONTHS: [&[u8]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];
const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// How many words at the end of a line are looked at: a date of six, two zones, `remote from HOST`.
const TAIL_WORDS: usize = 11;

/// Says what a line is. `line` is without its line end.
pub fn classify(line: &[u8]) -> Shape {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return Shape::Other;
    };
    if line.len() > LONGEST {
        return Shape::Other;
    }
    let mut words = [&b""[..]; TAIL_WORDS];
    let count = last_words(rest, &mut words);
    let words = &words[..count];
    let time = words.iter().rposition(|word| is_time(word));
    if let Some(time) = time
        && (is_ctime(words, time) || is_rfc822(words, time) || is_iso(words, time))
    {
        let git = count >= 6 && words[count - 5..] == [&b"Mon"[..], b"Sep", b"17", b"00:00:00", b"2001"];
        return if git && is_object_name(words[count - 6]) {
            Shape::GitPatch
        } else {
            Shape::Dated
        };
    }
    let bare = count == 1 && is_bare_sender(words[0]);
    if bare { Shape::Bare } else { Shape::Other }
}

/// Fills `words` with the last words of `text` in order and returns how many there are.
fn last_words<'a>(text: &'a [u8], words: &mut [&'a [u8]; TAIL_WORDS]) -> usize {
    let mut count = 0;
    for word in text
        .rsplit(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
    {
        if count == TAIL_WORDS {
            break;
        }
        words[count] = word;
        count += 1;
    }
    words[..count].reverse();
    count
}

/// `Wed Feb  1 19:07:19 2006`, with an optional weekday, and zones before or after the year.
fn is_ctime(words: &[&[u8]], time: usize) -> bool {
    if time < 2 || !is_day(words[time - 1]) || !is_month(words[time - 2]) {
        return false;
    }
    let weekday = time >= 3 && is_weekday(words[time - 3]);
    let after = &words[time + 1..];
    let Some(year) = after.iter().take(3).position(|word| is_year(word, weekday)) else {
        return false;
    };
    after[..year].iter().all(|word| is_zone(word)) && is_end(&after[year + 1..])
}

/// `Mon, 1 Jan 2015 00:00:00 +0900`, with an optional weekday.
fn is_rfc822(words: &[&[u8]], time: usize) -> bool {
    time >= 3
        && is_day(words[time - 3])
        && is_month(words[time - 2])
        && is_year(words[time - 1], time >= 4 && is_weekday(words[time - 4]))
        && is_end(&words[time + 1..])
}

/// `2014-12-12 22:59:42 +0000`.
fn is_iso(words: &[&[u8]], time: usize) -> bool {
    time >= 1 && is_iso_day(words[time - 1]) && is_end(&words[time + 1..])
}

/// What may follow a date: up to two zones, then `remote from HOST`.
fn is_end(words: &[&[u8]]) -> bool {
    let zones = words.iter().take(2).take_while(|word| is_zone(word)).count();
    matches!(words[zones..], [] | [b"remote", b"from", _])
}

fn is_bare_sender(word: &[u8]) -> bool {
    let address = word.contains(&b'@') && !word.iter().any(|byte| matches!(byte, b'<' | b'>' | b':' | b',' | b'('));
    address || word == b"-" || word.eq_ignore_ascii_case(b"MAILER-DAEMON")
}

fn is_object_name(word: &[u8]) -> bool {
    matches!(word.len(), 40 | 64) && word.iter().all(u8::is_ascii_hexdigit)
}

fn is_weekday(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    DAYS.iter().any(|day| word.eq_ignore_ascii_case(day))
}

fn is_month(word: &[u8]) -> bool {
    MONTHS.iter().any(|month| word.eq_ignore_ascii_case(month))
}

fn is_day(word: &[u8]) -> bool {
    number(word, 1, 2).is_some_and(|day| (1..=31).contains(&day))
}

/// Four digits from 1900 to 2199; two digits only where a weekday makes the date whole.
fn is_year(word: &[u8], weekday: bool) -> bool {
    match word.len() {
        4 => number(word, 4, 4).is_some_and(|year| (1900..2200).contains(&year)),
        2 => weekday && number(word, 2, 2).is_some(),
        _ => false,
    }
}

/// `hh:mm`, `hh:mm:ss`, `hh:mm:ss.fff`; one digit is believed for each, as a few programs do not pad.
fn is_time(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b':');
    let (Some(hour), Some(minute)) = (parts.next(), parts.next()) else {
        return false;
    };
    let second_ok = match parts.next() {
        None => true,
        Some(second) => {
            let mut halves = second.splitn(2, |byte| *byte == b'.');
            let whole = halves.next().unwrap_or_default();
            number(whole, 1, 2).is_some_and(|value| value <= 60)
                && halves
                    .next()
                    .is_none_or(|fraction| fraction.iter().all(u8::is_ascii_digit))
        }
    };
    second_ok
        && parts.next().is_none()
        && number(hour, 1, 2).is_some_and(|value| value <= 24)
        && number(minute, 1, 2).is_some_and(|value| value <= 59)
}

fn is_iso_day(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b'-');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day), None) => {
            year.len() == 4
                && is_year(year, false)
                && number(month, 2, 2).is_some_and(|value| (1..=12).contains(&value))
                && is_day(day)
        }
        _ => false,
    }
}

/// `MEST`, `WETDST`, `GMT+1`, `(EST)`, `+0000`, `-08:00`.
fn is_zone(word: &[u8]) -> bool {
    let inner = word
        .strip_prefix(b"(")
        .and_then(|rest| rest.strip_suffix(b")"))
        .unwrap_or(word);
    if let [b'+' | b'-', digits @ ..] = inner {
        return (1..=5).contains(&digits.len()) && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    }
    let letters = inner.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let rest = &inner[letters..];
    (1..=6).contains(&letters)
        && rest.len() <= 6
        && rest
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b':'))
}

fn number(word: &[u8], least: usize, most: usize) -> Option<u32> {
    if word.len() < least || word.len() > most {
        return None;
    }
    word.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_a_program_writes_is_told_from_prose() {
        let cases: [(&str, Shape); 36] = [
            ("From mboxrd@z Thu Jan  1 00:00:00 1970", Shape::Dated),
            ("From a@b  Wed Jul  1 02:44:06 1998 MEST", Shape::Dated),
            ("From a@b Tue Jul  7 20:33:03 1998 WETDST", Shape::Dated),
            ("From x@y  Sat Jan 19 15:26:33 EST 2002", Shape::Dated),
            (
                "From 1844347792267117879@xxx Fri Sep 26 17:18:40 +0000 2025",
                Shape::Dated,
            ),
            ("From upi at papat.org  Wed Feb  1 19:06:04 2006", Shape::Dated),
            ("From \"naveen andrews\" Wed Jan 30 18:07:01 2002", Shape::Dated),
            ("From MAILER-DAEMON Mon 1 Jan 2015 00:00:00 +0900", Shape::Dated),
            ("From x@y Mon, 1 Jan 2015 00:00:00 +0900 (JST)", Shape::Dated),
            ("From 0@xxx 2014-12-12 22:59:42 +0000", Shape::Dated),
            ("From x@y Fri Jan  9 10:9:00 2009", Shape::Dated),
            ("From x@y Mon Jun 01 10:00 2009", Shape::Dated),
            ("From x@y Mon Jun 01 10:00:00.123 2009", Shape::Dated),
            ("From bang!user Wed Oct  1 10:00:00 1986 remote from host", Shape::Dated),
            (
                "From bang!user Wed Oct  1 10:00 GMT 1986 remote from host",
                Shape::Dated,
            ),
            ("From bang!user Thu Nov 24 18:22:48 86", Shape::Dated),
            ("From - Wed Dec 10 12:00:00 1997", Shape::Dated),
            ("From Thu Jan  1 00:00:00 1970", Shape::Dated),
            ("From x@y Sep 12 10:00:00 2002", Shape::Dated),
            (
                "From fc88cba7f1f37b9cf3b296eace2422dd0e173502 Mon Sep 17 00:00:00 2001",
                Shape::GitPatch,
            ),
            ("From x@y Mon Sep 17 00:00:00 2001", Shape::Dated),
            ("From 1844347792267117879@xxx", Shape::Bare),
            ("From - ", Shape::Bare),
            ("From MAILER-DAEMON", Shape::Bare),
            (
                "From this principle, all of life and physics may be deduced.",
                Shape::Other,
            ),
            ("From Mon to Fri", Shape::Other),
            ("From Wed Feb  1 19:06:04 2006 to Fri Feb  3 2006", Shape::Other),
            ("From Wed Feb  1 19:06:04 2006 on it was cold", Shape::Other),
            ("From 10:00 to 11:00", Shape::Other),
            ("From x@y Wed Feb 41 19:06:04 2006", Shape::Other),
            ("From x@y Wed Feb  1 29:06:04 2006", Shape::Other),
            ("From x@y Wed Feb  1 19:06:04 86543", Shape::Other),
            ("From x Feb  1 19:06:04 86", Shape::Other),
            ("From  :<tst1@example.com>", Shape::Other),
            ("From: a@b Wed Feb  1 19:06:04 2006", Shape::Other),
            ("From here", Shape::Other),
        ];
        for (line, expected) in cases {
            assert_eq!(classify(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn a_line_longer_than_the_limit_is_no_separator() {
        let line = format!("From {}@x Thu Jan  1 00:00:00 1970", "a".repeat(LONGEST));
        assert_eq!(classify(line.as_bytes()), Shape::Other);
    }
}
