//! uuencode in text bodies (POSIX `uuencode`, historical algorithm): found, taken out, decoded.
//!
//! A block begins with `begin MODE NAME` and is believed only when the next line is exactly one data line.
//! The body keeps the `begin` line in its place, so that no word is searched that nobody wrote. Works line by line, so that memory and stream agree.

/// A line inside a block.
pub(crate) enum Line {
    /// Data bytes.
    Data(Vec<u8>),
    /// A line that says zero bytes, or a blank one.
    Zero,
    /// `end`.
    End,
    /// No line of a block.
    Other,
}

fn stripped(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The file name of a `begin 644 name` line.
pub(crate) fn begin(line: &[u8]) -> Option<&[u8]> {
    let rest = stripped(line).strip_prefix(b"begin ")?;
    let digits = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    if !(3..=4).contains(&digits) || rest.get(digits) != Some(&b' ') {
        return None;
    }
    let name = rest[digits..].trim_ascii();
    (!name.is_empty() && name.len() <= 1000).then_some(name)
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()
}

fn value(byte: u8) -> u8 {
    byte.wrapping_sub(32) & 63
}

/// Number of bytes a data line says it has, when its length fits.
fn data_len(line: &[u8], exact: bool) -> Option<usize> {
    let first = *line.first()?;
    if !(33..=96).contains(&first) || !line.iter().all(|byte| (32..=96).contains(byte)) {
        return None;
    }
    let count = usize::from(value(first));
    let wanted = count.div_ceil(3) * 4;
    let have = line.len() - 1;
    // Some writers add a checksum character; on the way, blanks at the end get lost.
    let fits = if exact {
        have == wanted || have == wanted + 1
    } else {
        have <= wanted + 2
    };
    (count > 0 && fits).then_some(count)
}

/// Reads a line that follows a `begin` line.
pub(crate) fn line(line: &[u8]) -> Line {
    let line = stripped(line);
    if line == b"end" {
        return Line::End;
    }
    if line.trim_ascii().is_empty() || line == b"`" {
        return Line::Zero;
    }
    let Some(count) = data_len(line, false) else {
        return Line::Other;
    };
    let at = |index: usize| u32::from(line.get(index + 1).map_or(0, |byte| value(*byte)));
    let mut out = Vec::with_capacity(count + 3);
    for group in 0..count.div_ceil(3) {
        let base = group * 4;
        let word = at(base) << 18 | at(base + 1) << 12 | at(base + 2) << 6 | at(base + 3);
        out.extend_from_slice(&word.to_be_bytes()[1..]);
    }
    out.truncate(count);
    Line::Data(out)
}

/// Receives what the splitter finds.
pub(crate) trait Receiver {
    /// Text of the body.
    fn text(&mut self, bytes: &[u8]);
    /// A file begins; its `begin` line, which stays in the text, has not been written yet.
    fn file_begins(&mut self, line: &[u8], name: &[u8]);
    /// Bytes of the present file.
    fn file_data(&mut self, bytes: &[u8]);
    /// The present file ended; `whole` when there was an `end` line.
    fn file_ends(&mut self, whole: bool);
}

/// Splits a decoded text body into text and uuencoded files.
#[derive(Default)]
pub(crate) struct Splitter {
    partial: Vec<u8>,
    /// Inside a line too long to be one of a block.
    long: bool,
    held: Option<Vec<u8>>,
    inside: bool,
}

impl Splitter {
    /// True when `body` may hold a block; a quick look that spares the splitting of most bodies.
    pub(crate) fn wanted(body: &[u8]) -> bool {
        memchr::memmem::find_iter(body, b"begin ").any(|at| {
            let fresh = at == 0 || body[at - 1] == b'\n';
            fresh && begin(first_line(&body[at..body.len().min(at + 1100)])).is_some()
        })
    }

    /// Takes the next bytes of the body.
    pub(crate) fn push(&mut self, bytes: &[u8], to: &mut impl Receiver) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.unfinished(rest, to);
                return;
            };
            let (line, tail) = rest.split_at(end + 1);
            rest = tail;
            if self.long {
                self.long = false;
                to.text(line);
            } else if self.partial.is_empty() {
                self.line(line, to);
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                self.line(&whole, to);
            }
        }
    }

    fn unfinished(&mut self, bytes: &[u8], to: &mut impl Receiver) {
        if self.long {
            to.text(bytes);
            return;
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() > super::transfer::LINE_BYTES {
            let start = std::mem::take(&mut self.partial);
            self.line(&start, to);
            self.long = true;
        }
    }

    /// Takes the end of the body.
    pub(crate) fn finish(&mut self, to: &mut impl Receiver) {
        let last = std::mem::take(&mut self.partial);
        if !last.is_empty() {
            self.line(&last, to);
        }
        if let Some(held) = self.held.take() {
            to.text(&held);
        }
        if self.inside {
            self.inside = false;
            to.file_ends(false);
        }
    }

    fn line(&mut self, bytes: &[u8], to: &mut impl Receiver) {
        if self.inside {
            match line(bytes) {
                Line::Data(data) => to.file_data(&data),
                Line::Zero => {}
                Line::End => {
                    self.inside = false;
                    to.file_ends(true);
                }
                Line::Other => {
                    self.inside = false;
                    to.file_ends(false);
                    self.line(bytes, to);
                }
            }
            return;
        }
        if let Some(held) = self.held.take() {
            if data_len(stripped(bytes), true).is_some()
                && let Some(name) = begin(&held)
            {
                to.file_begins(&held, name);
                self.inside = true;
                self.line(bytes, to);
                return;
            }
            to.text(&held);
        }
        if begin(bytes).is_some() {
            self.held = Some(bytes.to_vec());
        } else {
            to.text(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Debug, PartialEq)]
    struct Seen {
        text: String,
        files: Vec<(String, Vec<u8>, bool)>,
    }

    impl Receiver for Seen {
        fn text(&mut self, bytes: &[u8]) {
            self.text.push_str(&String::from_utf8_lossy(bytes));
        }
        fn file_begins(&mut self, _: &[u8], name: &[u8]) {
            self.files
                .push((String::from_utf8_lossy(name).into_owned(), Vec::new(), false));
        }
        fn file_data(&mut self, bytes: &[u8]) {
            self.files.last_mut().expect("began").1.extend_from_slice(bytes);
        }
        fn file_ends(&mut self, whole: bool) {
            self.files.last_mut().expect("began").2 = whole;
        }
    }

    fn split(body: &[u8], piece: usize) -> Seen {
        let mut seen = Seen::default();
        let mut splitter = Splitter::default();
        for piece in body.chunks(piece) {
            splitter.push(piece, &mut seen);
        }
        splitter.finish(&mut seen);
        seen
    }

    #[test]
    fn a_block_is_taken_out_whatever_the_pieces() {
        let body = b"before\r\nbegin 644 a b.txt\r\n#0V%T\r\n`\r\nend\r\nafter\r\n";
        assert!(Splitter::wanted(body));
        for piece in [1, 2, 3, 7, 1000] {
            let seen = split(body, piece);
            assert_eq!(seen.text, "before\r\nafter\r\n");
            assert_eq!(seen.files, [("a b.txt".to_owned(), b"Cat".to_vec(), true)]);
        }
    }

    #[test]
    fn words_that_only_look_like_a_block_stay_text() {
        for body in [
            "begin 644 nothing\nto see here, really\n",
            "begin 644 x",
            "begin now\n",
            "we begin 644 x\n",
        ] {
            assert_eq!(
                split(body.as_bytes(), 5),
                Seen {
                    text: body.to_owned(),
                    files: vec![]
                }
            );
        }
    }

    #[test]
    fn a_broken_block_ends_where_it_breaks() {
        let seen = split(b"begin 600 a\n#0V%T\nregards, lower case\n", 9);
        assert_eq!(seen.text, "regards, lower case\n");
        assert_eq!(seen.files, [("a".to_owned(), b"Cat".to_vec(), false)]);
    }
}
