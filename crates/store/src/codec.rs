//! Small packed encodings used in pack tables and catalogue columns: LEB128 integers and length-prefixed text.
//!
//! Invariant: what `put_*` wrote, [`Unpack`] reads back; anything else reads as `None`, never as a panic.

/// Appends an unsigned integer, seven bits a byte, lowest first (LEB128).
pub(crate) fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes after their length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads packed bytes from the front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unpack<'a>(pub(crate) &'a [u8]);

impl<'a> Unpack<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn uint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(front)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.uint()?).ok()?;
        self.take(len)
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        Some(String::from_utf8_lossy(self.bytes()?).into_owned())
    }
}

/// Reads a little-endian `u32` at a place of a buffer.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_values_read_back_as_written(numbers in proptest::collection::vec(any::<u64>(), 0..20), text in ".{0,40}") {
            let mut out = Vec::new();
            for number in &numbers {
                put_uint(&mut out, *number);
            }
            put_bytes(&mut out, text.as_bytes());
            let mut unpack = Unpack(&out);
            for number in &numbers {
                prop_assert_eq!(unpack.uint(), Some(*number));
            }
            prop_assert_eq!(unpack.text(), Some(text));
            prop_assert!(unpack.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut unpack = Unpack(&bytes);
            while unpack.bytes().is_some() && !unpack.is_empty() {}
            let mut unpack = Unpack(&bytes);
            while unpack.uint().is_some() {}
        }
    }
}
