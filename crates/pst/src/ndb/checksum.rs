//! The checksum and the signature of pages and blocks ([MS-PST] sections 5.3 and 5.5).

/// Table of the reflected polynomial 0xEDB88320.
const TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
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

/// CRC-32 that starts at 0 and is not inverted at the end ([MS-PST] section 5.3).
pub(crate) fn crc(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |value, byte| TABLE[usize::from((value as u8) ^ byte)] ^ (value >> 8))
}

/// Signature of a page or block from its place and its identifier ([MS-PST] section 5.5).
pub(crate) fn signature(offset: u64, id: u64) -> u16 {
    let mixed = (offset ^ id) as u32;
    ((mixed >> 16) ^ mixed) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first block of a real OST: 56 bytes of [MS-PST] 2.2.2.8.3.2.1 hashed 0xA6D63EC9 would need the file; these are known values.
    #[test]
    fn checksum_is_crc32_without_inversions() {
        assert_eq!(crc(b""), 0);
        // CRC-32 of "123456789" is 0xCBF43926; without inversions at either end the check value is 0x2DFD2D88.
        assert_eq!(crc(b"123456789"), 0x2DFD_2D88);
        assert_eq!(crc(&[0; 64]), 0);
    }

    #[test]
    fn signature_mixes_place_and_identifier() {
        assert_eq!(signature(0x25000, 4), 0x5006);
        assert_eq!(signature(0x1_0000_0000, 0), 0);
    }
}
