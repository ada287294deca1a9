//! A content on its way out: what the taker reads, held against the limits.
//!
//! Main type: [`Bounded`]. Invariant: no more bytes than the limits allow; why a content ends early is known afterwards.

use std::io::{self, Read};

use crate::opened::OpenLimits;

/// Bytes that come out before the ratio is looked at.
const RATIO_FROM_BYTES: u64 = 64 << 20;

/// Reads up to a limit, and keeps the first error.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    /// Why it ended early.
    pub(super) fault: Option<String>,
    /// It was a limit.
    pub(super) limited: bool,
}

impl<R: Read> Bounded<R> {
    /// `packed_bytes` is the size of what is being unpacked.
    pub(super) fn new(inner: R, packed_bytes: usize, limits: &OpenLimits) -> Self {
        let by_ratio = (packed_bytes as u64)
            .saturating_mul(limits.max_ratio)
            .max(RATIO_FROM_BYTES);
        Self {
            inner,
            left: limits.max_member_bytes.min(limits.max_total_bytes).min(by_ratio),
            fault: None,
            limited: false,
        }
    }

    fn fail(&mut self, error: io::Error) -> io::Error {
        self.fault.get_or_insert_with(|| error.to_string());
        error
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            // One byte more tells whether anything is left out.
            let mut more = [0];
            return match self.inner.read(&mut more) {
                Ok(0) => Ok(0),
                Ok(_) => {
                    self.limited = true;
                    Err(self.fail(io::Error::other("the content is longer than its limit")))
                }
                Err(error) => Err(self.fail(error)),
            };
        }
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.inner.read(&mut buf[..most]) {
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.fail(error)),
        }
    }
}
