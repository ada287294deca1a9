//! Unix archives: `!<arch>`, with the long names of GNU and BSD. Debian packages are such archives.
//!
//! Not for: symbol tables, which are no members. Main function: [`open`]. Invariant: reads forward only; a damaged header ends it and is said.
//!
//! Source: ar(5) of 4.4BSD and binutils.

use std::io::{self, BufReader, Read};

use embley_model::defect::{Defect, DefectCode};

use super::outlet::Outlet;
use super::{ReadSeek, fault, name};
use crate::opened::Member;

const MAGIC: &[u8; 8] = b"!<arch>\n";
/// GNU's table of long names, at most.
const MAX_TABLE_BYTES: u64 = 16 << 20;

/// Gives the members.
///
/// # Errors
/// Only the taker's.
pub(super) fn open(source: &mut dyn ReadSeek, outlet: &mut Outlet<'_>) -> io::Result<()> {
    outlet.reader("ar/1");
    let mut input = BufReader::with_capacity(64 << 10, source);
    let mut magic = [0; 8];
    if input.read_exact(&mut magic).is_err() || magic != *MAGIC {
        outlet.defect(DefectCode::ArchiveStructure, "this is no ar archive");
        return Ok(());
    }
    let mut table = Vec::new();
    let mut at = 8_u64;
    loop {
        let mut head = Vec::new();
        if let Err(error) = (&mut input).take(60).read_to_end(&mut head) {
            outlet.defect(DefectCode::ArchiveTruncated, error.to_string());
            return Ok(());
        }
        if head.iter().all(|byte| *byte == b'\n') {
            return Ok(());
        }
        if head.len() < 60 {
            let text = format!("the last header has {} of 60 bytes", head.len());
            outlet.push(Defect::new(DefectCode::ArchiveTruncated, text).at(at..at + head.len() as u64));
            return Ok(());
        }
        let Some(size) = number(&head[48..58]).filter(|_| head[58..60] == *b"`\n") else {
            outlet.push(
                Defect::new(
                    DefectCode::ArchiveStructure,
                    "a header is damaged; the rest was not read",
                )
                .at(at..at + 60),
            );
            return Ok(());
        };
        at = at.saturating_add(60);
        let short = head[..16].trim_ascii_end();
        if short == b"//" {
            table.clear();
            if let Err(error) = (&mut input).take(size.min(MAX_TABLE_BYTES)).read_to_end(&mut table) {
                outlet.defect(DefectCode::ArchiveTruncated, error.to_string());
                return Ok(());
            }
            let rest = size.saturating_sub(table.len() as u64);
            let skipped = io::copy(&mut (&mut input).take(rest), &mut io::sink()).unwrap_or(0);
            if skipped < rest {
                outlet.defect(DefectCode::ArchiveTruncated, "the table of long names is cut");
                return Ok(());
            }
            io::copy(&mut (&mut input).take(size % 2), &mut io::sink()).ok();
            at = at.saturating_add(size).saturating_add(size % 2);
            continue;
        }
        let mut left = size;
        let mut defects = Vec::new();
        let stored = if let Some(length) = short.strip_prefix(b"#1/").and_then(number) {
            let mut inside = Vec::new();
            let length = length.min(size);
            let wanted = length.min(name::MAX_NAME_BYTES as u64 * 2);
            let read = (&mut input).take(wanted).read_to_end(&mut inside);
            if read.is_err() || (inside.len() as u64) < wanted {
                defects.push(Defect::new(DefectCode::ArchiveTruncated, "its name is cut"));
            }
            io::copy(&mut (&mut input).take(length - wanted), &mut io::sink()).ok();
            left -= length;
            let end = inside.iter().position(|byte| *byte == 0).unwrap_or(inside.len());
            inside.truncate(end);
            inside
        } else {
            gnu_name(short, &table, &mut defects)
        };
        let is_table = matches!(
            stored.as_slice(),
            b"/" | b"/SYM64/" | b"__.SYMDEF" | b"__.SYMDEF SORTED"
        );
        let mut body = Body {
            input: &mut input,
            left,
        };
        if is_table {
            io::copy(&mut body, &mut io::sink()).ok();
        } else {
            let cleaned = name::clean(&stored, false);
            defects.extend(cleaned.defects);
            let seconds = number(&head[16..28]).and_then(|value| i64::try_from(value).ok());
            let member = Member {
                path: cleaned.path,
                mtime_nanos: seconds.and_then(|value| value.checked_mul(1_000_000_000)),
                defects,
            };
            if outlet.give(member, &mut body)?.is_break() {
                return Ok(());
            }
            io::copy(&mut body, &mut io::sink()).ok();
        }
        if body.left > 0 {
            outlet.defect(DefectCode::ArchiveTruncated, "the last member is cut");
            return Ok(());
        }
        io::copy(&mut (&mut input).take(size % 2), &mut io::sink()).ok();
        at = at.saturating_add(size).saturating_add(size % 2);
    }
}

/// `name/`, or `/123`: a place in the table of long names.
fn gnu_name(short: &[u8], table: &[u8], defects: &mut Vec<Defect>) -> Vec<u8> {
    if let Some(place) = short
        .strip_prefix(b"/")
        .filter(|digits| !digits.is_empty())
        .and_then(number)
    {
        let long = usize::try_from(place).ok().and_then(|place| table.get(place..));
        let Some(long) = long.filter(|long| !long.is_empty()) else {
            defects.push(Defect::new(
                DefectCode::ArchiveName,
                "its long name is not in the table",
            ));
            return short[1..].to_vec();
        };
        let end = long
            .iter()
            .position(|byte| matches!(byte, b'\n' | 0))
            .unwrap_or(long.len());
        return long[..end].strip_suffix(b"/").unwrap_or(&long[..end]).to_vec();
    }
    if short == b"/" || short == b"/SYM64/" {
        return short.to_vec();
    }
    short.strip_suffix(b"/").unwrap_or(short).to_vec()
}

fn number(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim();
    if text.is_empty() {
        return Some(0);
    }
    text.parse().ok()
}

struct Body<'a, R> {
    input: &'a mut R,
    left: u64,
}

impl<R: Read> Read for Body<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buf.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).map_or(buf.len(), |left| left.min(buf.len()));
        let count = self.input.read(&mut buf[..most])?;
        if count == 0 {
            let text = format!("{} bytes are missing: the container ends here", self.left);
            return Err(fault::error(DefectCode::ArchiveTruncated, text));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
