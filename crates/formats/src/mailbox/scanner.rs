//! Goes through a mailbox and hands out ranges of whole entries.
//!
//! Not for: threads; one scanner a mailbox, used by whoever holds it. Main type: [`MailboxScanner`].
//! Invariant: see [`super`]; and a failed call changes nothing, so that it can be made again.

use std::ops::Range;

use embley_model::defect::{Defect, DefectCode};

use super::detect::{Decision, detect};
use super::head::lead_in;
use super::splitter::{Boundary, Hold, Length, Splitter};
use super::{Entry, LARGE_MESSAGE_BYTES, ScanState, ScannedRange, Variant};
use crate::FormatError;
use crate::source::{ReadAt, SourceFile};

/// Read beyond the bytes asked for, so that the last message of a range is mostly there at once.
const SLACK_BYTES: u64 = 96 * 1024;
/// The grain in which a medium fails.
const SECTOR_BYTES: u64 = 4096;
/// The largest step over bytes that cannot be read.
const MOST_SECTORS_BYTES: u64 = 1024 * 1024;

/// A mailbox on its way through, from its start or from a saved state.
pub struct MailboxScanner<R = SourceFile> {
    splitter: Splitter<R>,
    state: ScanState,
}

impl<R: ReadAt> MailboxScanner<R> {
    /// Opens a mailbox: decides its variant, or goes on where `state` stands.
    ///
    /// # Errors
    /// [`FormatError::Read`] and [`FormatError::Shrunk`] when the start cannot be read; [`FormatError::BadState`] when
    /// the state cannot belong to this file: it lies beyond its end, or no separator is there.
    pub fn open(source: R, state: Option<ScanState>) -> Result<Self, FormatError> {
        let mut splitter = Splitter::new(source);
        let state = match state {
            Some(state) => {
                splitter.form = state.form;
                splitter.lengths = state.variant.counts_length();
                splitter.looked = state.looked;
                check_state(&mut splitter, state)?;
                state
            }
            None => {
                let Decision { form, variant } = detect(&mut splitter)?;
                splitter.view.keep_first(2 * 1024 * 1024);
                ScanState {
                    offset: 0,
                    ordinal: 0,
                    variant,
                    form,
                    done: false,
                    sums: super::RangeSums::default(),
                    looked: 0,
                }
            }
        };
        Ok(Self { splitter, state })
    }

    /// The variant that was decided.
    pub fn variant(&self) -> Variant {
        self.state.variant
    }

    /// Where the scan stands.
    pub fn state(&self) -> ScanState {
        self.state
    }

    /// The source.
    pub fn source(&self) -> &R {
        self.splitter.view.source()
    }

    /// Returns the next entries: as many as it takes to reach `target_bytes`, one at least. A message longer than
    /// [`LARGE_MESSAGE_BYTES`] comes alone and without bytes. `None` when the whole file was passed.
    ///
    /// # Errors
    /// [`FormatError::Read`] with the range that cannot be read, [`FormatError::Shrunk`]. The scan then stands where it
    /// stood before the call.
    pub fn next_range(&mut self, target_bytes: usize) -> Result<Option<ScannedRange>, FormatError> {
        if self.state.done {
            return Ok(None);
        }
        let before = self.state;
        let looked = self.splitter.looked;
        match self.range(target_bytes as u64) {
            Ok(range) => Ok(Some(range)),
            Err(error) => {
                self.state = before;
                self.splitter.looked = looked;
                Err(error)
            }
        }
    }

    /// Goes on behind bytes that cannot be read, after a [`FormatError::Read`] at `offset`: finds the next byte that can
    /// be, and from there the next separator. All from the current position to that separator becomes junk, and is
    /// returned: it is an exception of the mailbox. To lose no more than the message that is hit, ask for ranges of one
    /// byte first, until the error comes again.
    ///
    /// # Errors
    /// [`FormatError::Shrunk`]. The scan then stands where it stood before the call.
    pub fn pass_unreadable(&mut self, offset: u64) -> Result<Range<u64>, FormatError> {
        let len = self.splitter.view.len();
        let mut bad = offset.max(self.state.offset);
        loop {
            let mut step = SECTOR_BYTES;
            let mut good = (bad / SECTOR_BYTES + 1) * SECTOR_BYTES;
            while good < len && !self.splitter.view.is_readable(good) {
                good += step;
                step = (step * 2).min(MOST_SECTORS_BYTES);
            }
            let good = good.min(len);
            self.splitter.view.restart(good, 0);
            let next = match self.splitter.end_of_message(good, Hold::Window) {
                Ok(Some(boundary)) => boundary.next.start,
                Ok(None) => len,
                Err(FormatError::Read { offset, .. }) => {
                    bad = offset;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let passed = self.state.offset..next;
            self.state.sums.junk_bytes += passed.end - passed.start;
            self.state.offset = next;
            self.state.done = next == len;
            self.state.looked = self.splitter.looked;
            return Ok(passed);
        }
    }

    fn range(&mut self, target: u64) -> Result<ScannedRange, FormatError> {
        let mut defects = Vec::new();
        if self.state.offset == 0 && self.state.ordinal == 0 {
            self.at_start(&mut defects)?;
        }
        let base = self.state.offset;
        let rest = self.splitter.view.len() - base;
        let capacity = usize::try_from(target.saturating_add(SLACK_BYTES).min(rest)).unwrap_or(usize::MAX);
        self.splitter.view.restart(base, capacity);
        let mut entries = Vec::new();
        let mut large = false;
        while !self.state.done && !large && (entries.is_empty() || self.state.offset - base < target) {
            let start = self.separator_end()?;
            let limit = start + LARGE_MESSAGE_BYTES + 16;
            let looked = self.splitter.looked;
            let found = self.splitter.end_of_message(start, Hold::Until(limit))?;
            let found = match found {
                Some(found) if found.message_end - start <= LARGE_MESSAGE_BYTES => found,
                // It comes alone: first what stands before it.
                _ if !entries.is_empty() => {
                    self.splitter.looked = looked;
                    break;
                }
                Some(found) => {
                    large = true;
                    found
                }
                None => {
                    large = true;
                    self.splitter.looked = looked;
                    self.splitter.view.renew(start);
                    match self.splitter.end_of_message(start, Hold::Window)? {
                        Some(found) => found,
                        // Without a limit the end of the file is the last boundary.
                        None => return Err(self.bad_state()),
                    }
                }
            };
            self.pass(start, found, large, &mut entries, &mut defects)?;
        }
        let bytes = if large {
            self.splitter.view.restart(self.state.offset, 0);
            Vec::new()
        } else {
            self.splitter.view.load_to(self.state.offset)?;
            let rest = self.splitter.view.len() - self.state.offset;
            let capacity = usize::try_from(target.saturating_add(SLACK_BYTES).min(rest)).unwrap_or(usize::MAX);
            self.splitter.view.hand_out(self.state.offset, capacity)
        };
        self.state.looked = self.splitter.looked;
        Ok(ScannedRange {
            base,
            bytes,
            entries,
            after: self.state,
            defects,
        })
    }

    /// Passes what stands before the first entry.
    fn at_start(&mut self, defects: &mut Vec<Defect>) -> Result<(), FormatError> {
        let view = &mut self.splitter.view;
        if view.len() == 0 {
            defects.push(Defect::new(DefectCode::BoxEmpty, ""));
            self.state.done = true;
            return Ok(());
        }
        if self.state.variant == Variant::InDoubt {
            defects.push(Defect::new(DefectCode::BoxVariantInDoubt, ""));
        }
        view.restart(0, 0);
        view.load_to(64 * 1024)?;
        let lead_in = lead_in(view.from(0)) as u64;
        let form = self.splitter.form;
        let at_separator = self
            .splitter
            .separator_line(lead_in)?
            .is_some_and(|(_, shape)| form.admits(shape));
        let junk_end = if at_separator {
            lead_in
        } else if self.begins_as_message(lead_in)? {
            // A message whose separator is missing is an entry without one: its words must be found.
            defects.push(Defect::new(
                DefectCode::BoxJunkBefore,
                "a message without a separator line",
            ));
            lead_in
        } else {
            match self.splitter.end_of_message(0, Hold::Window)? {
                Some(boundary) => boundary.next.start,
                None => return Err(self.bad_state()),
            }
        };
        if junk_end > 0 {
            if defects.iter().all(|defect| defect.code != DefectCode::BoxJunkBefore) {
                defects.push(Defect::new(DefectCode::BoxJunkBefore, "").at(0..junk_end));
            }
            self.state.sums.junk_bytes += junk_end;
            self.state.offset = junk_end;
            self.state.done = junk_end == self.splitter.view.len();
        }
        Ok(())
    }

    fn begins_as_message(&mut self, at: u64) -> Result<bool, FormatError> {
        let (fields, known) = self.splitter.fields_after(at)?;
        Ok(fields >= 2 && known >= 2)
    }

    /// The end of the separator line at the current offset; the offset itself for a first message without one, which
    /// no saved state stands before.
    fn separator_end(&mut self) -> Result<u64, FormatError> {
        let offset = self.state.offset;
        let form = self.splitter.form;
        match self.splitter.separator_line(offset)? {
            Some((line, shape)) if form.admits(shape) => Ok(line.end),
            _ if self.state.ordinal == 0 => Ok(offset),
            _ => Err(self.bad_state()),
        }
    }

    fn pass(
        &mut self,
        start: u64,
        found: Boundary,
        large: bool,
        entries: &mut Vec<Entry>,
        defects: &mut Vec<Defect>,
    ) -> Result<(), FormatError> {
        let separator = self.state.offset..start;
        let message = start..found.message_end;
        let trailer = found.message_end..found.next.start;
        let mut own = found.defects;
        if found.no_blank && !found.next.is_empty() {
            let end = message.end - message.start;
            own.push(Defect::new(DefectCode::BoxNoBlankLine, "before the next separator line").at(end..end));
        }
        if large {
            own.push(Defect::new(DefectCode::LargeMessage, ""));
        }
        self.state.sums.message_bytes += message.end - message.start;
        self.state.sums.separator_bytes += (separator.end - separator.start) + (trailer.end - trailer.start);
        self.state.offset = found.next.start;
        if found.next.is_empty() {
            self.state.done = true;
            self.at_end(found.length, defects)?;
        }
        entries.push(Entry {
            ordinal: self.state.ordinal,
            separator,
            message,
            trailer,
            large,
            defects: own,
        });
        self.state.ordinal += 1;
        Ok(())
    }

    fn at_end(&self, length: Length, defects: &mut Vec<Defect>) -> Result<(), FormatError> {
        let len = self.splitter.view.len();
        let last = self.splitter.view.read(len.saturating_sub(1)..len)?;
        if length == Length::Beyond {
            defects.push(Defect::new(DefectCode::BoxTruncated, "fewer bytes than Content-Length says").at(len..len));
        } else if last != [self.splitter.form.line_end()] {
            defects.push(Defect::new(DefectCode::BoxTruncated, "no line end at the end").at(len..len));
        }
        Ok(())
    }

    fn bad_state(&self) -> FormatError {
        bad_state(&self.splitter, self.state.offset)
    }
}

fn bad_state<R: ReadAt>(splitter: &Splitter<R>, offset: u64) -> FormatError {
    FormatError::BadState {
        path: splitter.view.source().path().to_path_buf(),
        offset,
        length: splitter.view.len(),
    }
}

fn check_state<R: ReadAt>(splitter: &mut Splitter<R>, state: ScanState) -> Result<(), FormatError> {
    let at = state.offset;
    let fits = at <= splitter.view.len() && state.sums.total() == at && (at == splitter.view.len()) == state.done;
    if !fits {
        return Err(bad_state(splitter, at));
    }
    if at > 0 && !state.done {
        splitter.view.restart(at, 0);
        if splitter
            .separator_line(at)?
            .is_none_or(|(_, shape)| !state.form.admits(shape))
        {
            return Err(bad_state(splitter, at));
        }
    }
    Ok(())
}
