//! Compressed rich text ([MS-OXRTFCP]): the bytes of PidTagRtfCompressed, unpacked.
//!
//! Not for: what the rich text says (module `rtf`). Main function: [`unpack`]. Invariant: returns everything that can be unpacked, also
//! of cut input; the sizes and the checksum of the header are checked and reported but never believed, so output is bounded by the
//! input (a token of two bytes gives at most 17) and by the caller's limit.

use embley_model::defect::{Defect, DefectCode};

use crate::crc32;

/// [MS-OXRTFCP] section 2.1.3.1.4: COMPTYPE of compressed content, `LZFu`.
const COMPRESSED: u32 = 0x7546_5A4C;
/// COMPTYPE of content stored as it is, `MELA`.
const UNCOMPRESSED: u32 = 0x414C_454D;
const HEADER_BYTES: usize = 16;
const DICTIONARY_BYTES: usize = 4096;
/// [MS-OXRTFCP] section 2.1.2.1: the start of every dictionary.
const DICTIONARY_START: &[u8; 207] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// Rich text that was unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The rich text, as far as it could be unpacked.
    pub bytes: Vec<u8>,
    /// What was odd.
    pub defects: Vec<Defect>,
}

/// Unpacks the value of PidTagRtfCompressed to at most `limit` bytes.
pub fn unpack(data: &[u8], limit: usize) -> Unpacked {
    let mut out = Unpacked::default();
    let (Some(stated_packed), Some(stated_raw), Some(kind), Some(checksum)) =
        (word(data, 0), word(data, 4), word(data, 8), word(data, 12))
    else {
        if !data.is_empty() {
            out.defects.push(defect("shorter than its header"));
        }
        return out;
    };
    // The stated size counts from behind its own field.
    let end = usize::try_from(stated_packed).ok().and_then(|size| size.checked_add(4));
    let end = match end {
        Some(end) if (HEADER_BYTES..=data.len()).contains(&end) => end,
        Some(end) if end < HEADER_BYTES => {
            out.defects.push(defect("stated size is smaller than the header"));
            data.len()
        }
        _ => {
            out.defects.push(defect("cut: shorter than its stated size"));
            data.len()
        }
    };
    let body = &data[HEADER_BYTES..end];
    match kind {
        UNCOMPRESSED => {
            let raw = usize::try_from(stated_raw).unwrap_or(usize::MAX);
            // Some writers state the packed size twice, which counts twelve bytes of the header.
            if raw > body.len() && stated_raw != stated_packed {
                out.defects
                    .push(defect(&format!("{} bytes stored, {stated_raw} stated", body.len())));
            }
            out.bytes.extend_from_slice(&body[..raw.min(body.len()).min(limit)]);
        }
        COMPRESSED => {
            if crc32::raw(body) != checksum {
                out.defects
                    .push(Defect::new(DefectCode::MapiChecksum, "compressed rich text"));
            }
            if !expand(body, limit, &mut out.bytes) {
                out.defects.push(defect("no end mark"));
            }
            if u32::try_from(out.bytes.len()).ok() != Some(stated_raw) {
                let detail = format!("{} bytes unpacked, {stated_raw} stated", out.bytes.len());
                out.defects.push(defect(&detail));
            }
        }
        other => {
            let detail = format!("unknown kind {other:#010x}");
            out.defects.push(defect(&detail));
        }
    }
    out
}

/// Follows the tokens; true when the end mark was met.
fn expand(body: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
    let mut dictionary = [0_u8; DICTIONARY_BYTES];
    dictionary[..DICTIONARY_START.len()].copy_from_slice(DICTIONARY_START);
    let mut write = DICTIONARY_START.len();
    let mut input = body.iter().copied();
    while let Some(control) = input.next() {
        for bit in 0..8 {
            if out.len() >= limit {
                return false;
            }
            let Some(first) = input.next() else { return false };
            if control & (1 << bit) == 0 {
                out.push(first);
                dictionary[write] = first;
                write = (write + 1) % DICTIONARY_BYTES;
                continue;
            }
            let Some(second) = input.next() else { return false };
            let token = u16::from_be_bytes([first, second]);
            let from = usize::from(token >> 4);
            let length = usize::from(token & 0xF) + 2;
            if from == write {
                return true;
            }
            for step in 0..length.min(limit - out.len()) {
                let byte = dictionary[(from + step) % DICTIONARY_BYTES];
                out.push(byte);
                dictionary[write] = byte;
                write = (write + 1) % DICTIONARY_BYTES;
            }
        }
    }
    false
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn defect(detail: &str) -> Defect {
    Defect::new(DefectCode::RtfCompressed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of [MS-OXRTFCP] section 3.1.1.
    const SIMPLE: &[u8] = &[
        0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00,
        0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
        0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
    ];

    #[test]
    fn example_of_the_specification() {
        let unpacked = unpack(SIMPLE, 1 << 20);
        assert_eq!(unpacked.bytes, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(unpacked.defects, Vec::new());
    }

    #[test]
    fn a_reference_that_overlaps_the_write_position_repeats() {
        // [MS-OXRTFCP] section 3.1.2.
        let packed = [
            0x1a, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xe2, 0xd4, 0x4b, 0x51, 0x41, 0x00,
            0x04, 0x20, 0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01, 0x0e, 0xb0,
        ];
        let unpacked = unpack(&packed, 1 << 20);
        assert_eq!(unpacked.bytes, b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert_eq!(unpacked.defects, Vec::new());
    }

    #[test]
    fn stored_content_is_taken_as_it_is() {
        let mut packed = vec![0x10, 0, 0, 0, 4, 0, 0, 0];
        packed.extend_from_slice(b"MELA\0\0\0\0{\\rt");
        let unpacked = unpack(&packed, 1 << 20);
        assert_eq!(unpacked.bytes, b"{\\rt");
        assert_eq!(unpacked.defects, Vec::new());
    }

    #[test]
    fn cut_at_every_byte_gives_a_beginning_and_says_so() {
        let whole = unpack(SIMPLE, 1 << 20).bytes;
        for end in 1..SIMPLE.len() {
            let cut = unpack(&SIMPLE[..end], 1 << 20);
            assert!(whole.starts_with(&cut.bytes), "cut at {end}");
            assert!(!cut.defects.is_empty(), "cut at {end}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_reported_and_the_content_kept() {
        let mut packed = SIMPLE.to_vec();
        packed[12] ^= 1;
        let unpacked = unpack(&packed, 1 << 20);
        assert_eq!(unpacked.bytes.len(), 43);
        assert_eq!(unpacked.defects[0].code, DefectCode::MapiChecksum);
    }

    #[test]
    fn output_keeps_to_the_limit() {
        let unpacked = unpack(SIMPLE, 10);
        assert_eq!(unpacked.bytes, b"{\\rtf1\\ans");
        assert!(!unpacked.defects.is_empty());
    }
}
