//! Which variant a mailbox is, and which lines separate in it: decided once, from its first 4 MiB.
//!
//! Not for: splitting. Main function: [`detect`]. Invariant: the answer depends on the file alone, is fixed for the
//! file, and is part of every [`ScanState`](super::ScanState), so that a resumed scan does not decide again.
//!
//! **Content-Length.** The file counts lengths when more than half of the messages seen, and at least one, have a
//! Content-Length that leads to a separator or to the end of the file. In every other file a Content-Length is a field that
//! somebody left there, and is not looked at. A file that counts lengths is mboxcl2, unless it has lines of `>From ` and
//! none of `From ` in its messages: then its writer quoted, and it is mboxcl.
//!
//! **Quoting.** What a writer did shows in the lines of `>*From ` inside the messages seen. Call the number of `>` its
//! depth, and the depth of the lines before and after it, when they agree, the depth of its surroundings: a reply that
//! quotes a text has `>` before *every* line.
//! - depth 0: a line that mboxrd and mboxo writers always quote. This writer did not quote everything, so it is not known
//!   which `>From ` it quoted: *in doubt*.
//! - depth 1 or more, the same as its surroundings: part of a quoted reply, left as it was. An mboxrd writer would
//!   have added one `>`: this speaks for mboxo.
//! - depth 1 with surroundings of depth 0: quoted, by mboxrd and mboxo alike.
//! - depth 2 or more, and more than its surroundings: was quoted before it was quoted again, which only mboxrd does.
//!
//! Nothing seen: *mboxrd*, as all variants agree on such messages. Only quoted lines: *mboxrd* too: at depth 1 it and
//! mboxo read the same message, so that the name makes no difference to what was seen, and mboxrd is what can be undone
//! exactly. Signs of mboxo and quoted lines of depth 1, none of mboxrd: *mboxo*. Any other mixture: *in doubt*; identity is
//! then the slice as found. A mailbox with bare CR line ends is in doubt as soon as it has a quoted line, as nothing is
//! taken off there.

use super::head::lead_in;
use super::quoting::each_from_line;
use super::separator::Shape;
use super::splitter::{Hold, Length, Splitter};
use super::{Form, Variant};
use crate::FormatError;
use crate::source::ReadAt;

/// Bytes from which everything is decided.
pub(super) const PROBE_BYTES: u64 = 4 * 1024 * 1024;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) form: Form,
    pub(super) variant: Variant,
}

/// Lines of `>*From ` inside the messages seen.
#[derive(Clone, Copy, Debug, Default)]
struct Signs {
    unquoted: u64,
    quoted_once: u64,
    part_of_reply: u64,
    quoted_again: u64,
}

/// Messages by what their Content-Length led to.
#[derive(Clone, Copy, Debug, Default)]
struct Lengths {
    led: u64,
    other: u64,
}

/// Looks at the start of a mailbox. Leaves the view with the file's first bytes.
pub(super) fn detect<R: ReadAt>(splitter: &mut Splitter<R>) -> Result<Decision, FormatError> {
    let limit = splitter.view.len().min(PROBE_BYTES);
    splitter.view.restart(0, usize::try_from(limit).unwrap_or(0));
    // Bytes that cannot be read end the look; only the first line must be there.
    let limit = match splitter.view.load_to(limit) {
        Err(FormatError::Read { offset, .. }) if offset > 0 => offset,
        other => other.map(|()| limit)?,
    };
    let form = form(splitter)?;
    splitter.form = form;

    splitter.lengths = true;
    let (lengths, signs) = survey(splitter, limit)?;
    let counts_length = lengths.led > 0 && lengths.led > lengths.other;
    let variant = if counts_length {
        if signs.unquoted == 0 && signs.quoted_once > 0 {
            Variant::Mboxcl
        } else {
            Variant::Mboxcl2
        }
    } else {
        splitter.lengths = false;
        let signs = if lengths.led > 0 {
            survey(splitter, limit)?.1
        } else {
            signs
        };
        quoting(form, signs)
    };
    splitter.lengths = variant.counts_length();
    splitter.looked = 0;
    Ok(Decision { form, variant })
}

fn form<R: ReadAt>(splitter: &mut Splitter<R>) -> Result<Form, FormatError> {
    let held = splitter.view.from(0);
    let lead_in = lead_in(held);
    let mut form = Form {
        bare_cr: memchr::memchr(b'\n', held).is_none() && memchr::memchr(b'\r', held).is_some(),
        ..Form::default()
    };
    splitter.form = form;
    let Some((line, shape)) = splitter.separator_line(lead_in as u64)? else {
        return Ok(form);
    };
    let (_, known) = splitter.fields_after(line.end)?;
    form.undated = shape == Shape::Bare && known >= 1;
    form.patches = shape == Shape::GitPatch && known >= 1;
    Ok(form)
}

/// Goes through the messages that lie in the first `limit` bytes.
fn survey<R: ReadAt>(splitter: &mut Splitter<R>, limit: u64) -> Result<(Lengths, Signs), FormatError> {
    let mut lengths = Lengths::default();
    let mut signs = Signs::default();
    let lead_in = lead_in(splitter.view.from(0)) as u64;
    let mut start = match splitter.separator_line(lead_in)? {
        Some((line, shape)) if splitter.form.admits(shape) => line.end,
        // What stands before the first separator is not looked at for signs.
        _ => match splitter.end_of_message(0, Hold::Until(limit))? {
            Some(boundary) if !boundary.next.is_empty() => boundary.next.end,
            _ => return Ok((lengths, signs)),
        },
    };
    while start < limit {
        let boundary = match splitter.end_of_message(start, Hold::Until(limit)) {
            Err(FormatError::Read { .. }) => None,
            other => other?,
        };
        let end = boundary.as_ref().map_or(limit, |boundary| boundary.message_end);
        read_signs(splitter.view.slice(start..end.min(limit)), &mut signs);
        let Some(boundary) = boundary else { break };
        match boundary.length {
            Length::Led => lengths.led += 1,
            Length::None | Length::Wrong | Length::Beyond => lengths.other += 1,
        }
        if boundary.next.is_empty() {
            break;
        }
        start = boundary.next.end;
    }
    Ok((lengths, signs))
}

fn read_signs(message: &[u8], signs: &mut Signs) {
    each_from_line(message, |start, depth| {
        let surroundings = surroundings(message, start);
        if depth == 0 {
            signs.unquoted += 1;
        } else if surroundings == Some(depth) {
            signs.part_of_reply += 1;
        } else if depth == 1 {
            signs.quoted_once += 1;
        } else if surroundings.is_some_and(|around| around < depth) {
            signs.quoted_again += 1;
        }
    });
}

/// The depth that the lines before and after the line at `start` have in common.
fn surroundings(message: &[u8], start: usize) -> Option<usize> {
    let before = match start.checked_sub(1) {
        None => 0,
        Some(end) => {
            let line = memchr::memrchr(b'\n', &message[..end]).map_or(0, |at| at + 1);
            depth_of(&message[line..end])
        }
    };
    let after = match memchr::memchr(b'\n', &message[start..]) {
        None => 0,
        Some(end) => depth_of(&message[start + end + 1..]),
    };
    (before == after).then_some(before)
}

/// `>` at the start of a line, blanks between them allowed (`> > text`).
fn depth_of(line: &[u8]) -> usize {
    line.iter()
        .take_while(|byte| matches!(byte, b'>' | b' '))
        .filter(|byte| **byte == b'>')
        .count()
}

fn quoting(form: Form, signs: Signs) -> Variant {
    let quoted = signs.quoted_once + signs.part_of_reply + signs.quoted_again > 0;
    if signs.unquoted > 0 || (form.bare_cr && quoted) {
        return Variant::InDoubt;
    }
    match (signs.part_of_reply > 0, signs.quoted_again > 0, signs.quoted_once > 0) {
        (false, _, _) => Variant::Mboxrd,
        (true, false, true) => Variant::Mboxo,
        (true, false, false) | (true, true, _) => Variant::InDoubt,
    }
}
