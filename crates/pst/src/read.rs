//! Bytes that are read by position.
//!
//! Main type: [`ReadAt`]. Invariant: no reader here holds a position, so that threads share one source.

use std::io;

use crate::PstError;

/// A source of bytes that can be read by position.
pub trait ReadAt: Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset` and returns how many; 0 only at or beyond the end.
    ///
    /// # Errors
    /// What the system says. `buf` may then hold anything.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Length in bytes, fixed when the source was opened.
    fn len(&self) -> u64;

    /// True when there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| self.get(at..))
            .unwrap_or(&[]);
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.as_slice().read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        <[u8] as ReadAt>::len(self.as_slice())
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        (**self).len()
    }
}

impl<T: ReadAt + ?Sized> ReadAt for Box<T> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        (**self).len()
    }
}

impl<T: ReadAt + ?Sized> ReadAt for std::sync::Arc<T> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        (**self).read_at(buf, offset)
    }

    fn len(&self) -> u64 {
        (**self).len()
    }
}

/// Fills `buf` from `offset` on; returns how many bytes there were, fewer only at the end of the source.
pub(crate) fn read_full(source: &dyn ReadAt, buf: &mut [u8], offset: u64) -> Result<usize, PstError> {
    let mut done = 0;
    while done < buf.len() {
        let at = offset.saturating_add(done as u64);
        match source.read_at(&mut buf[done..], at) {
            Ok(0) => break,
            Ok(count) => done += count.min(buf.len() - done),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(PstError::Read {
                    offset: at,
                    length: (buf.len() - done) as u64,
                    source,
                });
            }
        }
    }
    Ok(done)
}
