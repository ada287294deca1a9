//! Reading the log from its beginning, line by line, in bounded memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::entry::{Entry, LONGEST_LINE};
use super::log::AuditLog;
use crate::error::{Result, StoreError};

/// One line of the file.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes, without the line end; of a line that is too long for an entry, the beginning.
    pub bytes: Vec<u8>,
    /// How many bytes it takes, the line end included.
    pub length: u64,
    /// False for a last line without its end.
    pub ended: bool,
    /// The segment of the log that it stands in, from 1.
    pub segment: u32,
}

impl Line {
    /// The entry on it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn entry(&self) -> std::result::Result<Entry, String> {
        if !self.ended {
            return Err("it has no line end: a stop has torn it, or the file was cut".to_owned());
        }
        if self.length > LONGEST_LINE {
            return Err(format!("it has {} bytes", self.length));
        }
        Entry::from_line(&self.bytes)
    }
}

/// Hands over each line of a file, up to `until` bytes.
pub(super) fn lines(path: &Path, until: u64, mut visit: impl FnMut(Line) -> Result<()>) -> Result<()> {
    let failed = |error| StoreError::io("read", path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let mut reader = BufReader::with_capacity(1 << 18, file.take(until));
    let mut offset = 0;
    loop {
        let mut bytes = Vec::new();
        let read = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut bytes)
            .map_err(failed)?;
        if read == 0 {
            return Ok(());
        }
        let mut length = read as u64;
        let mut ended = bytes.last() == Some(&b'\n');
        while !ended {
            // The rest of a line that is too long is counted, not kept.
            let mut rest = Vec::new();
            let more = (&mut reader)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut rest)
                .map_err(failed)?;
            if more == 0 {
                break;
            }
            length += more as u64;
            ended = rest.last() == Some(&b'\n');
        }
        if ended && length == bytes.len() as u64 {
            bytes.pop();
        }
        visit(Line {
            offset,
            bytes,
            length,
            ended,
            segment: 1,
        })?;
        offset += length;
    }
}

impl AuditLog {
    /// Hands over each line from the first on, those of earlier segments before. Nothing is checked beyond each line by itself.
    ///
    /// # Errors
    /// When the file cannot be read, or as `visit` says. A case without a log has no lines.
    pub fn for_each(&self, mut visit: impl FnMut(Line) -> Result<()>) -> Result<()> {
        (1..=self.segment).try_for_each(|segment| {
            self.of_segment(segment)
                .each_line(|line| visit(Line { segment, ..line }))
        })
    }

    /// Hands over each line of this segment.
    pub(super) fn each_line(&self, visit: impl FnMut(Line) -> Result<()>) -> Result<()> {
        lines(&self.log_path(), u64::MAX, visit)
    }
}
