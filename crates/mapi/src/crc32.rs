//! CRC-32 without the inversions at its ends, as the formats of Outlook use it ([MS-PST] section 5.3, [MS-OXRTFCP] section 2.1.3.2) and
//! the traditional encryption of ZIP steps by it.
//!
//! Main functions: [`raw`], [`step`]. Not for: the usual CRC-32, which begins and ends inverted. Invariant: `raw` is `step` over all bytes from 0.

/// The reflected polynomial 0xEDB88320, one entry a byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xEDB8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
};

/// The value after one more byte.
pub fn step(value: u32, byte: u8) -> u32 {
    (value >> 8) ^ TABLE[usize::from(value.to_le_bytes()[0] ^ byte)]
}

/// The value of all bytes, begun at 0.
pub fn raw(bytes: &[u8]) -> u32 {
    // The package inverts at both ends: an inverted 0 goes in, and the result is inverted back.
    let mut hasher = crc32fast::Hasher::new_with_initial(!0);
    hasher.update(bytes);
    !hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_known_values() {
        let check = |bytes: &[u8], expected: u32| {
            assert_eq!(raw(bytes), expected);
            assert_eq!(bytes.iter().fold(0, |value, byte| step(value, *byte)), expected);
        };
        check(b"", 0);
        // CRC-32 of "123456789" is 0xCBF43926; without inversions at either end the check value is 0x2DFD2D88.
        check(b"123456789", 0x2DFD_2D88);
        check(&[0; 64], 0);
        check(
            &[0xFF; 300],
            [0xFF; 300].iter().fold(0, |value, byte| step(value, *byte)),
        );
    }
}
