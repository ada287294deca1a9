//! The checksum and the signature of pages and blocks ([MS-PST] sections 5.3 and 5.5).

pub(crate) use embley_mapi::crc32::raw as crc;

/// Signature of a page or block from its place and its identifier ([MS-PST] section 5.5).
pub(crate) fn signature(offset: u64, id: u64) -> u16 {
    let mixed = (offset ^ id) as u32;
    ((mixed >> 16) ^ mixed) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_mixes_place_and_identifier() {
        assert_eq!(signature(0x25000, 4), 0x5006);
        assert_eq!(signature(0x1_0000_0000, 0), 0);
    }
}
