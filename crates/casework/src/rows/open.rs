//! The bytes of a file of records: gzip undone, and a limit on what one row may take.
//!
//! A small gzip file can hold a row without an end. [`Metered`] counts what is read for the row in hand and refuses to go on at
//! [`MAX_ROW_BYTES`]; the reader of rows calls [`RowBytes::begin`] before each. Not for: what rows say.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::error::{CaseworkError, Result};

/// What one row of a table may take, in bytes.
pub const MAX_ROW_BYTES: u64 = 64 << 20;

/// Bytes read for the row in hand.
#[derive(Clone, Debug, Default)]
pub struct RowBytes(Rc<Cell<u64>>);

impl RowBytes {
    /// Begins another row.
    pub fn begin(&self) {
        self.0.set(0);
    }
}

/// A reader that does not go on for ever within a row.
pub struct Metered<R> {
    inner: R,
    row: RowBytes,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.row.0.get() > MAX_ROW_BYTES {
            let why = format!("a row is longer than {} MiB", MAX_ROW_BYTES >> 20);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
        }
        let count = self.inner.read(buf)?;
        self.row.0.set(self.row.0.get() + count as u64);
        Ok(count)
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> CaseworkError + '_ {
    |source| CaseworkError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(unreadable(path))?;
    if file.metadata().map_err(unreadable(path))?.is_dir() {
        return Err(unreadable(path)(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
    }
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// True when the file begins as a zip archive does: it is a workbook, or nothing that records come in.
///
/// # Errors
/// The file cannot be read.
pub fn is_zip(path: &Path) -> Result<bool> {
    let mut file = open(path)?;
    Ok(file.fill_buf().map_err(unreadable(path))?.starts_with(b"PK\x03\x04"))
}

/// The bytes of a file, gzip undone, and their meter.
///
/// # Errors
/// The file cannot be read.
pub fn input(path: &Path) -> Result<(Box<dyn BufRead>, RowBytes)> {
    let mut file = open(path)?;
    let row = RowBytes::default();
    let packed = file.fill_buf().map_err(unreadable(path))?.starts_with(&[0x1f, 0x8b]);
    let input: Box<dyn BufRead> = if packed {
        let inner = MultiGzDecoder::new(file);
        Box::new(BufReader::with_capacity(
            1 << 16,
            Metered {
                inner,
                row: row.clone(),
            },
        ))
    } else {
        Box::new(BufReader::with_capacity(
            1 << 16,
            Metered {
                inner: file,
                row: row.clone(),
            },
        ))
    };
    Ok((input, row))
}

/// The path without `.gz`: its extension says what is inside.
pub fn inner_name(path: &Path) -> PathBuf {
    let packed = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if packed {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}
