//! The promises of this module as a function over any bytes: what tests and fuzz targets call.
//!
//! Not for: the pipeline. Invariant: a broken promise is an `Err` with words, never a panic.

use std::io::Read;

use super::{Entry, MailboxScanner, UnquoteReader, Variant, requote, unquote};

/// Splits `file` in ranges of `target_bytes` and checks: entries follow one another without a gap, ordinals count, ranges hold their
/// bytes, sums are the bytes passed, what unquoting calls exact can be undone, and the reader agrees with the function.
///
/// # Errors
/// Says which promise does not hold, and where.
pub fn split_checked(file: &[u8], target_bytes: usize) -> Result<Vec<Entry>, String> {
    let mut scanner = MailboxScanner::open(file, None).map_err(|error| error.to_string())?;
    let variant = scanner.variant();
    let mut entries: Vec<Entry> = Vec::new();
    let mut junk_known = false;
    let mut at = 0;
    while let Some(range) = scanner.next_range(target_bytes).map_err(|error| error.to_string())? {
        if !junk_known {
            at = range.after.sums.junk_bytes;
            junk_known = true;
        }
        for entry in range.entries {
            let parts = [&entry.separator, &entry.message, &entry.trailer];
            for part in parts {
                ensure(part.start == at && part.end >= at, "a gap or an overlap", at)?;
                at = part.end;
            }
            ensure(entry.ordinal == entries.len() as u64, "an ordinal out of order", at)?;
            let stored = bytes(file, entry.slice().start, entry.slice().end);
            if !entry.large {
                let start = entry.slice();
                let held = usize::try_from(start.start - range.base).ok();
                let held = held.and_then(|from| range.bytes.get(from..from + stored.len()));
                ensure(held == Some(stored), "a range without its bytes", at)?;
            }
            check_quoting(file, variant, &entry)?;
            entries.push(entry);
        }
        ensure(
            range.after.offset == at,
            "a state that is not where the entries end",
            at,
        )?;
        ensure(range.after.sums.total() == at, "sums that are not the bytes passed", at)?;
    }
    ensure(at == file.len() as u64, "an end before the end of the file", at)?;
    Ok(entries)
}

fn check_quoting(file: &[u8], variant: Variant, entry: &Entry) -> Result<(), String> {
    let found = bytes(file, entry.message.start, entry.message.end);
    let unquoted = unquote(variant, found);
    let undone = requote(variant, &unquoted.bytes);
    let at = entry.message.start;
    ensure(
        !unquoted.exact || undone == found,
        "an exact result that cannot be undone",
        at,
    )?;
    let mut reader = UnquoteReader::new(&file, entry.message.clone(), variant);
    let mut streamed = Vec::new();
    reader.read_to_end(&mut streamed).map_err(|error| error.to_string())?;
    ensure(
        streamed == *unquoted.bytes && reader.exact() == unquoted.exact,
        "a reader of its own mind",
        at,
    )
}

fn bytes(file: &[u8], start: u64, end: u64) -> &[u8] {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| file.get(start..end)).unwrap_or_default()
}

fn ensure(holds: bool, what: &str, at: u64) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what} at offset {at}"))
    }
}
