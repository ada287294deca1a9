//! Where a stored message ends.
//!
//! Not for: keeping count of what was passed ([`scanner`](super::scanner)). Main type: [`Splitter`].
//! Invariant: the answer depends on the bytes of the file and its [`Form`] alone, never on how much of it is held.
//!
//! A line is a separator when it begins with `From `, is of a [`Shape`] that the file's form admits, and
//! - a whole empty line stands before it, or another separator line; or
//! - it is dated, and the lines after it are two header fields at least, one of them with a usual name. Then it is
//!   unmistakable, and the missing empty line is a defect (`BOX-NO-BLANK-LINE`). A message that lost its end and the
//!   archives of some list managers need this.
//!
//! An undated separator, and one of `git format-patch`, must also be followed by a header field with a usual name.
//!
//! Except when the line stands inside a part of the message before it. That is proved by the message itself: its header
//! names a multipart boundary, a part is open where the line stands, and the next place in the file that has this
//! boundary is again a delimiter line (a copy of the message would have it in a header first); or the line stands
//! between the `Begin` and `End Included Message` lines that mailtool wrote. Such a line is noted (`BOX-FROM-INSIDE`).
//! For this the splitter looks at most 4 MiB ahead, and at most once over the file altogether.
//!
//! In mboxcl and mboxcl2 the Content-Length decides where it leads to a separator or to the end of the file.

use std::ops::Range;

use embley_model::defect::{Defect, DefectCode};
use memchr::memmem::Finder;

use super::Form;
use super::field_line;
use super::head::{self, Head, LONGEST_HEAD};
use super::separator::{LONGEST, Shape, classify};
use super::view::View;
use crate::FormatError;
use crate::source::ReadAt;

/// How far ahead an open multipart is looked for.
const LOOK_BYTES: u64 = 4 * 1024 * 1024;
/// What may be looked at beyond one byte for each byte passed.
const LOOK_CREDIT: u64 = 16 * 1024 * 1024;
/// Bytes behind a separator line in which its header fields are looked for.
const FIELDS_BYTES: u64 = 4096;
/// What stays held behind the place where a long message is searched.
const BEHIND_BYTES: u64 = 64 * 1024;
/// Notes of one message; a message with more separator-like lines inside has the first ones listed.
const MOST_NOTES: usize = 16;

/// How much of a message may be held while its end is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hold {
    /// All of it; a boundary beyond this offset is not looked for.
    Until(u64),
    /// A window only; the bytes before are forgotten.
    Window,
}

impl Hold {
    fn ends_before(self, at: u64) -> bool {
        matches!(self, Self::Until(limit) if at > limit)
    }
}

/// What became of a Content-Length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// There is none, or the file is not of a kind that counts it.
    None,
    /// It leads to a separator or the end.
    Led,
    /// It leads elsewhere.
    Wrong,
    /// It leads beyond the end of the file.
    Beyond,
}

/// The end of a message.
#[derive(Clone, Debug)]
pub(super) struct Boundary {
    /// End of the message proper.
    pub(super) message_end: u64,
    /// The next separator line with its line end; empty at the end of the file.
    pub(super) next: Range<u64>,
    /// What its Content-Length said.
    pub(super) length: Length,
    /// Defects of this message, ranges within it.
    pub(super) defects: Vec<Defect>,
    /// True when the separator that follows lacks its empty line.
    pub(super) no_blank: bool,
}

/// What a candidate line turned out to be.
enum Verdict {
    Separator { line: Range<u64>, no_blank: bool },
    Inside { line: Range<u64> },
    No,
}

struct Message {
    start: u64,
    head: Option<Head>,
    /// Lines before this offset are inside a part.
    inside_until: u64,
    notes: Vec<Defect>,
}

pub(super) struct Splitter<R> {
    pub(super) view: View<R>,
    pub(super) form: Form,
    /// Content-Length is looked at.
    pub(super) lengths: bool,
    /// Bytes looked at ahead so far.
    pub(super) looked: u64,
    finders: [Finder<'static>; 2],
}

impl<R: ReadAt> Splitter<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            view: View::new(source),
            form: Form::default(),
            lengths: false,
            looked: 0,
            finders: [Finder::new(b"\nFrom "), Finder::new(b"\rFrom ")],
        }
    }

    /// Finds the end of the message that starts at `start`, the byte after its separator line.
    /// Returns `None` when there is none before the place where `hold` stops.
    pub(super) fn end_of_message(&mut self, start: u64, hold: Hold) -> Result<Option<Boundary>, FormatError> {
        let mut message = Message {
            start,
            head: None,
            inside_until: 0,
            notes: Vec::new(),
        };
        let mut length = Length::None;
        if self.lengths {
            length = self.by_length(&mut message)?;
        } else if matches!(hold, Hold::Window) {
            self.need_head(&mut message)?;
        }
        if let Some(found) = self.led_to(&mut message, length)? {
            return Ok(Some(found));
        }
        let Some((message_end, next, no_blank)) = self.by_separator(&mut message, hold)? else {
            return Ok(None);
        };
        let wrong = length == Length::Wrong || (length == Length::Beyond && !next.is_empty());
        if wrong {
            let detail = "Content-Length does not lead to a separator";
            message
                .notes
                .push(Defect::new(DefectCode::BoxContentLengthWrong, detail));
        }
        Ok(Some(Boundary {
            message_end,
            next,
            length: if wrong { Length::Wrong } else { length },
            defects: message.notes,
            no_blank,
        }))
    }

    fn by_separator(
        &mut self,
        message: &mut Message,
        hold: Hold,
    ) -> Result<Option<(u64, Range<u64>, bool)>, FormatError> {
        // The message can be empty, so its first byte may begin the next separator.
        if let Some(found) = self.try_at(message, message.start)? {
            return Ok(Some(found));
        }
        let mut at = message.start;
        loop {
            let finder = &self.finders[usize::from(self.form.bare_cr)];
            if let Some(found) = finder.find(self.view.from(at)) {
                at += found as u64 + 1;
                if hold.ends_before(at) {
                    return Ok(None);
                }
                if let Some(found) = self.try_at(message, at)? {
                    return Ok(Some(found));
                }
                continue;
            }
            let end = self.view.end();
            if end >= self.view.len() {
                let trailer = self.empty_line_before(end, message.start);
                return Ok(Some((end - trailer, end..end, false)));
            }
            at = at.max(end.saturating_sub(5));
            match hold {
                Hold::Until(limit) if end >= limit => return Ok(None),
                Hold::Until(_) => {}
                Hold::Window => self
                    .view
                    .forget_before(at.saturating_sub(BEHIND_BYTES).max(self.view.base())),
            }
            self.view.load_to(end + 1)?;
        }
    }

    fn try_at(&mut self, message: &mut Message, at: u64) -> Result<Option<(u64, Range<u64>, bool)>, FormatError> {
        match self.judge(message, at)? {
            Verdict::Separator { line, no_blank } => {
                let trailer = self.empty_line_before(at, message.start);
                Ok(Some((at - trailer, line, no_blank)))
            }
            Verdict::Inside { line } => {
                if message.notes.len() < MOST_NOTES {
                    let range = line.start - message.start..line.end - message.start;
                    let detail = "kept as text of the part it stands in";
                    message
                        .notes
                        .push(Defect::new(DefectCode::BoxFromInside, detail).at(range));
                }
                Ok(None)
            }
            Verdict::No => Ok(None),
        }
    }

    fn judge(&mut self, message: &mut Message, at: u64) -> Result<Verdict, FormatError> {
        let Some((line, shape)) = self.separator_line(at)? else {
            return Ok(Verdict::No);
        };
        if !self.form.admits(shape) {
            return Ok(Verdict::No);
        }
        let blank = self.empty_line_before(at, message.start) > 0;
        let follows_separator = at == message.start;
        let (fields, known) = match (shape, blank || follows_separator) {
            (Shape::Dated, true) => (0, 0),
            _ => self.fields_after(line.end)?,
        };
        let is_separator = match shape {
            Shape::Dated => blank || follows_separator || (fields >= 2 && known >= 1),
            Shape::GitPatch | Shape::Bare => known >= 1 && (blank || (fields >= 2 && shape == Shape::GitPatch)),
            Shape::Other => false,
        };
        if !is_separator {
            return Ok(Verdict::No);
        }
        if at < message.inside_until || self.stands_inside(message, at)? {
            return Ok(Verdict::Inside { line });
        }
        Ok(Verdict::Separator { line, no_blank: !blank })
    }

    /// The line at `at` with its line end, and its shape, when it begins with `From ` and is not too long.
    pub(super) fn separator_line(&mut self, at: u64) -> Result<Option<(Range<u64>, Shape)>, FormatError> {
        self.view.load_to(at + LONGEST as u64 + 2)?;
        let rest = self.view.from(at);
        if !rest.starts_with(b"From ") {
            return Ok(None);
        }
        let rest = &rest[..rest.len().min(LONGEST + 2)];
        let (line, length) = match memchr::memchr(self.form.line_end(), rest) {
            Some(end) => (&rest[..end], end + 1),
            None if rest.len() < LONGEST + 2 => (rest, rest.len()),
            None => return Ok(None),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some((at..at + length as u64, classify(line))))
    }

    /// Header fields in the lines from `at`: how many, and how many with a usual name.
    pub(super) fn fields_after(&mut self, at: u64) -> Result<(usize, usize), FormatError> {
        self.view.load_to(at + FIELDS_BYTES)?;
        let line_end = self.form.line_end();
        let rest = self.view.from(at);
        let rest = &rest[..rest.len().min(usize::try_from(FIELDS_BYTES).unwrap_or(usize::MAX))];
        let lines = rest
            .split(|byte| *byte == line_end)
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        Ok(field_line::count(lines, 24))
    }

    /// The length of the line end that makes an empty line before `at`, 0 when there is no empty line.
    fn empty_line_before(&self, at: u64, start: u64) -> u64 {
        let from = at.saturating_sub(4).max(start).max(self.view.base());
        let before = self.view.slice(from..at);
        let whole = from == start;
        if self.form.bare_cr {
            return u64::from(before.ends_with(b"\r\r") || (whole && before == b"\r"));
        }
        let (rest, length) = if let Some(rest) = before.strip_suffix(b"\r\n") {
            (rest, 2)
        } else if let Some(rest) = before.strip_suffix(b"\n") {
            (rest, 1)
        } else {
            return 0;
        };
        if rest.ends_with(b"\n") || (whole && rest.is_empty()) {
            length
        } else {
            0
        }
    }

    /// Reads the header of a message once; an endless header counts as none.
    fn need_head<'m>(&mut self, message: &'m mut Message) -> Result<&'m Head, FormatError> {
        if message.head.is_none() {
            message.head = Some(self.read_head(message.start)?);
        }
        Ok(message.head.get_or_insert_default())
    }

    fn read_head(&mut self, start: u64) -> Result<Head, FormatError> {
        let line_end = self.form.line_end();
        loop {
            let held = self.view.from(start);
            let held = &held[..held.len().min(LONGEST_HEAD)];
            if let Some(length) = head::body_start(held, line_end) {
                return Ok(head::read(&held[..length], line_end, self.lengths));
            }
            if held.len() == LONGEST_HEAD || self.view.end() >= self.view.len() {
                return Ok(Head::default());
            }
            self.view.load_to(self.view.end() + 1)?;
        }
    }

    /// Follows the Content-Length of a message.
    fn by_length(&mut self, message: &mut Message) -> Result<Length, FormatError> {
        let start = message.start;
        let head = self.need_head(message)?;
        let Some(value) = head.content_length else {
            return Ok(Length::None);
        };
        let target = start.saturating_add(head.length as u64).saturating_add(value);
        if target > self.view.len() {
            return Ok(Length::Beyond);
        }
        Ok(match self.separator_near(target)? {
            Some(_) => Length::Led,
            None => Length::Wrong,
        })
    }

    fn led_to(&mut self, message: &mut Message, length: Length) -> Result<Option<Boundary>, FormatError> {
        let start = message.start;
        let (Length::Led, Some(head)) = (length, &message.head) else {
            return Ok(None);
        };
        let target = start + head.length as u64 + head.content_length.unwrap_or(0);
        let Some(next) = self.separator_near(target)? else {
            return Ok(None);
        };
        let before = self.view.read(target.saturating_sub(3)..target)?;
        let no_blank = next.start == target && !before.ends_with(b"\n\n") && !before.ends_with(b"\n\r\n");
        Ok(Some(Boundary {
            message_end: target,
            next,
            length,
            defects: Vec::new(),
            no_blank,
        }))
    }

    /// The separator line, or the end of the file, that stands at `at` or after at most two line ends.
    fn separator_near(&self, at: u64) -> Result<Option<Range<u64>>, FormatError> {
        let bytes = self.view.read(at..at + LONGEST as u64 + 8)?;
        let mut rest = &bytes[..];
        for _ in 0..2 {
            rest = rest
                .strip_prefix(b"\r\n")
                .or_else(|| rest.strip_prefix(b"\n"))
                .unwrap_or(rest);
        }
        let start = at + (bytes.len() - rest.len()) as u64;
        if start == self.view.len() {
            return Ok(Some(start..start));
        }
        let Some(end) =
            memchr::memchr(b'\n', rest).or((start + rest.len() as u64 == self.view.len()).then_some(rest.len()))
        else {
            return Ok(None);
        };
        let line = &rest[..end];
        let length = (end + 1).min(rest.len()) as u64;
        let separates = self.form.admits(classify(line.strip_suffix(b"\r").unwrap_or(line)));
        Ok(separates.then_some(start..start + length))
    }

    /// True when the line at `at` stands inside a part of this message.
    fn stands_inside(&mut self, message: &mut Message, at: u64) -> Result<bool, FormatError> {
        if at == message.start {
            return Ok(false);
        }
        if self.is_included(message.start, at)? {
            return Ok(true);
        }
        let line_end = self.form.line_end();
        let start = message.start;
        let head = self.need_head(message)?;
        let Some(boundary) = head.boundary.as_deref() else {
            return Ok(false);
        };
        let body = start + head.length as u64;
        if body >= at {
            return Ok(false);
        }
        let delimiter = [&[line_end, b'-', b'-'], boundary].concat();
        let Some(last) = self.view.rfind(&delimiter, body - 1..at)? else {
            return Ok(false);
        };
        let after = last + delimiter.len() as u64;
        if self.view.read(after..after + 2)? == b"--" {
            return Ok(false);
        }
        let Some(until) = self.look_ahead(at) else {
            return Ok(false);
        };
        let again = self.view.find(boundary, at..until)?;
        self.looked += again.unwrap_or(until) - at;
        let Some(again) = again else {
            return Ok(false);
        };
        let is_delimiter = self.view.read(again - 3..again)? == delimiter[..3];
        if is_delimiter {
            message.inside_until = again;
        }
        Ok(is_delimiter)
    }

    /// True between the lines that Sun's mailtool and its kin wrote around a message quoted in a text.
    fn is_included(&mut self, start: u64, at: u64) -> Result<bool, FormatError> {
        const BEGIN: &[u8] = b"----- Begin Included Message -----";
        const END: &[u8] = b"----- End Included Message -----";
        let before = self
            .view
            .slice(at.saturating_sub(64).max(start).max(self.view.base())..at);
        if !before.trim_ascii_end().ends_with(BEGIN) {
            return Ok(false);
        }
        let Some(until) = self.look_ahead(at) else {
            return Ok(false);
        };
        let end = self.view.find(END, at..until)?;
        self.looked += end.unwrap_or(until) - at;
        let Some(end) = end else { return Ok(false) };
        Ok(self.view.find(BEGIN, at..end)?.is_none())
    }

    /// Where a look ahead from `at` ends; `None` when the credit is used up.
    fn look_ahead(&self, at: u64) -> Option<u64> {
        (self.looked <= at.saturating_add(LOOK_CREDIT)).then_some((at + LOOK_BYTES).min(self.view.len()))
    }
}
