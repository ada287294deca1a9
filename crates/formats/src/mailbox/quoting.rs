//! Taking the `>` off quoted `From ` lines and putting it back, for each variant of mailbox.
//!
//! Not for: finding out the variant ([`probe`](super::probe)). Main functions: [`unquote`], [`requote`], and
//! [`UnquoteReader`] for messages too large to hold. Invariant: the reader gives the same bytes and the same `exact` as
//! [`unquote`] for every message and every size of reads.
//!
//! What is a line: what follows an LF, or the start of the message. In a mailbox whose lines end in a bare CR nothing
//! is taken off, and such a mailbox with quoted lines is in doubt.
//!
//! | variant | a writer turns | a reader turns back |
//! | --- | --- | --- |
//! | mboxrd | `^>*From ` into `>` + itself | `^>+From ` less one `>` |
//! | mboxo, mboxcl | `^From ` into `>From ` | `^>From ` into `From ` |
//! | mboxcl2 | nothing | nothing |

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

use super::Variant;
use crate::source::ReadAt;

/// A message as its sender's program handed it to the mailbox, as far as the variant tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unquoted<'a> {
    /// The message; borrowed when nothing had to be taken off.
    pub bytes: Cow<'a, [u8]>,
    /// True when `bytes` are the message beyond doubt: the variant is known (or has no effect here, as no line is
    /// quoted) and quoting `bytes` again gives what was found.
    pub exact: bool,
}

/// What a variant does to a line of `depth` `>` before `From `: true when one `>` is to be taken off.
fn takes_off(variant: Variant, depth: usize) -> bool {
    match variant {
        // In doubt: the second key is the message under the reversible rule.
        Variant::Mboxrd | Variant::InDoubt => depth >= 1,
        Variant::Mboxo | Variant::Mboxcl => depth == 1,
        Variant::Mboxcl2 => false,
    }
}

/// True when a writer of this variant never leaves a line of this depth in a mailbox.
fn betrays(variant: Variant, depth: usize) -> bool {
    match variant {
        Variant::Mboxrd | Variant::Mboxo | Variant::Mboxcl => depth == 0,
        Variant::Mboxcl2 => false,
        Variant::InDoubt => depth >= 1,
    }
}

/// Calls `each` with the start of the line and its depth for every line of `>*From `.
pub(super) fn each_from_line(bytes: &[u8], mut each: impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(found) = FROM.find(&bytes[at..]) {
        let word = at + found;
        let depth = bytes[..word].iter().rev().take_while(|byte| **byte == b'>').count();
        let start = word - depth;
        if start == 0 || bytes[start - 1] == b'\n' {
            each(start, depth);
        }
        at = word + 5;
    }
}

static FROM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"From "));

/// Takes off one `>` where the variant's writer put it.
pub fn unquote(variant: Variant, as_found: &[u8]) -> Unquoted<'_> {
    let mut exact = true;
    let mut out: Option<Vec<u8>> = None;
    let mut copied = 0;
    if variant == Variant::Mboxcl2 {
        return Unquoted {
            bytes: Cow::Borrowed(as_found),
            exact,
        };
    }
    each_from_line(as_found, |start, depth| {
        exact &= !betrays(variant, depth);
        if takes_off(variant, depth) {
            let out = out.get_or_insert_with(|| Vec::with_capacity(as_found.len()));
            out.extend_from_slice(&as_found[copied..start]);
            copied = start + 1;
        }
    });
    let bytes = match out {
        None => Cow::Borrowed(as_found),
        Some(mut out) => {
            out.extend_from_slice(&as_found[copied..]);
            Cow::Owned(out)
        }
    };
    Unquoted { bytes, exact }
}

/// Quotes a message as a writer of this variant does. In doubt nothing is quoted: identity is the slice as found.
pub fn requote(variant: Variant, message: &[u8]) -> Cow<'_, [u8]> {
    let puts_on = |depth: usize| match variant {
        Variant::Mboxrd => true,
        Variant::Mboxo | Variant::Mboxcl => depth == 0,
        Variant::Mboxcl2 | Variant::InDoubt => false,
    };
    let mut out: Option<Vec<u8>> = None;
    let mut copied = 0;
    each_from_line(message, |start, depth| {
        if puts_on(depth) {
            let out = out.get_or_insert_with(|| Vec::with_capacity(message.len() + 16));
            out.extend_from_slice(&message[copied..start]);
            out.push(b'>');
            copied = start;
        }
    });
    match out {
        None => Cow::Borrowed(message),
        Some(mut out) => {
            out.extend_from_slice(&message[copied..]);
            Cow::Owned(out)
        }
    }
}

/// How far a line has been recognised as `>*From `.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// Only `>` so far, this many; one of them is held back.
    Depth(usize),
    /// `>` this many, then this many bytes of `From `, held back together with one `>`.
    Word(usize, usize),
    /// Something else; copied to the end of the line.
    Inside,
}

const WORD: &[u8; 5] = b"From ";

/// [`unquote`] in a stream, over a range of a source. Holds one window of 256 KiB whatever the size of the message.
///
/// A source that ends before the range does gives [`io::ErrorKind::UnexpectedEof`].
pub struct UnquoteReader<'a> {
    source: &'a dyn ReadAt,
    range: Range<u64>,
    variant: Variant,
    line: Line,
    window: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
    exact: bool,
    changed: bool,
}

impl<'a> UnquoteReader<'a> {
    const WINDOW_BYTES: usize = 256 * 1024;

    /// Reads the message that is stored at `range`.
    pub fn new(source: &'a dyn ReadAt, range: Range<u64>, variant: Variant) -> Self {
        Self {
            source,
            range,
            variant,
            line: Line::Depth(0),
            window: Vec::new(),
            ready: Vec::new(),
            given: 0,
            ended: false,
            exact: true,
            changed: false,
        }
    }

    /// True when what was read so far is exact as [`Unquoted::exact`] means it; final after the end was read.
    pub fn exact(&self) -> bool {
        self.exact
    }

    /// True when a `>` was taken off in what was read so far.
    pub fn changed(&self) -> bool {
        self.changed
    }

    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.given = 0;
        while self.ready.is_empty() && !self.ended {
            let rest = usize::try_from(self.range.end.saturating_sub(self.range.start)).unwrap_or(usize::MAX);
            let wanted = rest.min(Self::WINDOW_BYTES);
            if wanted == 0 {
                self.ended = true;
                self.end_of_message();
                break;
            }
            let mut window = std::mem::take(&mut self.window);
            window.clear();
            let count = self.source.append_at(&mut window, self.range.start, wanted)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.range.start += count as u64;
            self.take(&window);
            self.window = window;
        }
        Ok(())
    }

    fn take(&mut self, window: &[u8]) {
        if self.variant == Variant::Mboxcl2 {
            self.ready.extend_from_slice(window);
            return;
        }
        let mut at = 0;
        while at < window.len() {
            match self.line {
                Line::Inside => {
                    let end = memchr(b'\n', &window[at..]).map(|found| at + found + 1);
                    self.ready.extend_from_slice(&window[at..end.unwrap_or(window.len())]);
                    at = end.unwrap_or(window.len());
                    if end.is_some() {
                        self.line = Line::Depth(0);
                    }
                }
                Line::Depth(depth) if window[at] == b'>' => {
                    // The first one is held back, the others pass: which of them is taken off makes no difference.
                    if depth > 0 {
                        self.ready.push(b'>');
                    }
                    self.line = Line::Depth(depth.saturating_add(1));
                    at += 1;
                }
                Line::Depth(depth) => self.line = Line::Word(depth, 0),
                Line::Word(depth, matched) if window[at] == WORD[matched] => {
                    at += 1;
                    if matched + 1 == WORD.len() {
                        self.word_found(depth);
                    } else {
                        self.line = Line::Word(depth, matched + 1);
                    }
                }
                Line::Word(depth, matched) => self.release(depth, matched),
            }
        }
    }

    fn word_found(&mut self, depth: usize) {
        self.exact &= !betrays(self.variant, depth);
        if takes_off(self.variant, depth) {
            self.changed = true;
        } else if depth > 0 {
            self.ready.push(b'>');
        }
        self.ready.extend_from_slice(WORD);
        self.line = Line::Inside;
    }

    fn release(&mut self, depth: usize, matched: usize) {
        if depth > 0 {
            self.ready.push(b'>');
        }
        self.ready.extend_from_slice(&WORD[..matched]);
        self.line = Line::Inside;
    }

    fn end_of_message(&mut self) {
        match self.line {
            Line::Inside => {}
            Line::Depth(depth) => self.release(depth, 0),
            Line::Word(depth, matched) => self.release(depth, matched),
        }
    }
}

impl Read for UnquoteReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ready.len() {
            self.fill()?;
        }
        let count = buf.len().min(self.ready.len() - self.given);
        buf[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Variant; 5] = Variant::ALL;

    fn check(variant: Variant, found: &str, message: &str, exact: bool) {
        let unquoted = unquote(variant, found.as_bytes());
        assert_eq!(String::from_utf8_lossy(&unquoted.bytes), message, "{variant:?}");
        assert_eq!(unquoted.exact, exact, "{variant:?} {found:?}");
    }

    #[test]
    fn each_variant_takes_off_what_its_writer_put_on() {
        let found = ">From a\n>>From b\nx >From c\n >From d\n>Fromage\n>From: e\r\n>From f\r\n";
        let rd = "From a\n>From b\nx >From c\n >From d\n>Fromage\n>From: e\r\nFrom f\r\n";
        let o = "From a\n>>From b\nx >From c\n >From d\n>Fromage\n>From: e\r\nFrom f\r\n";
        check(Variant::Mboxrd, found, rd, true);
        check(Variant::Mboxo, found, o, true);
        check(Variant::Mboxcl, found, o, true);
        check(Variant::Mboxcl2, found, found, true);
        check(Variant::InDoubt, found, rd, false);
    }

    #[test]
    fn a_line_that_the_writer_would_have_quoted_makes_the_result_inexact() {
        check(Variant::Mboxrd, "a\nFrom here\n", "a\nFrom here\n", false);
        check(Variant::Mboxo, "From here\n", "From here\n", false);
        check(Variant::Mboxcl2, "From here\n", "From here\n", true);
    }

    #[test]
    fn in_doubt_a_message_without_quoted_lines_is_still_exact() {
        check(Variant::InDoubt, "a\n> From b\nFrom c\n", "a\n> From b\nFrom c\n", true);
    }

    /// Text made of the pieces that matter to quoting.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "\n", "\n", "\r\n", ">", ">>", "From ", "From ", "From", "Fro", " ", "x", "From: a", "\r",
        ]);
        prop::collection::vec(piece, 0..60).prop_map(|parts| parts.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn quoting_and_unquoting_gives_the_message_again(message in pieces()) {
            let quoted = requote(Variant::Mboxrd, &message);
            let back = unquote(Variant::Mboxrd, &quoted);
            prop_assert_eq!(&back.bytes[..], &message[..]);
            prop_assert!(back.exact);
        }

        #[test]
        fn exact_means_that_quoting_again_gives_what_was_found(found in pieces()) {
            for variant in [Variant::Mboxrd, Variant::Mboxo, Variant::Mboxcl, Variant::Mboxcl2] {
                let unquoted = unquote(variant, &found);
                let again = requote(variant, &unquoted.bytes);
                prop_assert_eq!(unquoted.exact, again == found, "{:?}", variant);
            }
        }

        #[test]
        fn the_reader_gives_the_same_bytes_as_the_function(found in pieces(), before in 0usize..10, step in 1usize..7) {
            let mut file = vec![b'>'; before];
            file.extend_from_slice(&found);
            file.extend_from_slice(b">From beyond the range");
            let slice = Stepped(&file, step);
            for variant in ALL {
                let expected = unquote(variant, &found);
                let mut reader = UnquoteReader::new(&slice, before as u64..(before + found.len()) as u64, variant);
                let mut out = Vec::new();
                reader.read_to_end(&mut out).expect("reads");
                prop_assert_eq!(&out[..], &expected.bytes[..]);
                prop_assert_eq!(reader.exact(), expected.exact);
                prop_assert_eq!(reader.changed(), out != found);
            }
        }
    }

    /// A source that gives a few bytes at a time.
    struct Stepped<'a>(&'a [u8], usize);

    impl ReadAt for Stepped<'_> {
        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            let most = self.1.min(buf.len());
            self.0.read_at(&mut buf[..most], offset)
        }

        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn append_at(&self, out: &mut Vec<u8>, offset: u64, length: usize) -> io::Result<usize> {
            let start = out.len();
            out.resize(start + length.min(self.1), 0);
            let count = self.read_at(&mut out[start..], offset)?;
            out.truncate(start + count);
            Ok(count)
        }
    }

    #[test]
    fn a_source_that_became_shorter_is_an_error_not_a_shorter_message() {
        let bytes: &[u8] = b"abc";
        let mut reader = UnquoteReader::new(&bytes, 0..10, Variant::Mboxrd);
        let mut out = Vec::new();
        assert!(reader.read_to_end(&mut out).is_err());
    }
}
