//! Property sets of compound files ([MS-OLEPS]): what an old document says of itself.
//!
//! Main function: [`read`]. Strings in the code page of the set; times are FILETIME, written as RFC 3339.

use embley_mapi::compound::Tree;
use embley_model::defect::DefectCode;

use super::draft::Draft;
use crate::opened::MetaField;

/// Properties read of one set.
const MAX_PROPERTIES: usize = 1000;

/// Reads `\x05SummaryInformation` and `\x05DocumentSummaryInformation` into fields.
pub(super) fn read(tree: &Tree, draft: &mut Draft<'_>) {
    for (name, is_summary) in [
        ("\u{5}SummaryInformation", true),
        ("\u{5}DocumentSummaryInformation", false),
    ] {
        let Some(at) = tree.child(tree.root(), name) else {
            continue;
        };
        if set(&tree.node(at).content, is_summary, draft).is_none() {
            draft.defect(
                DefectCode::DocStructure,
                format!("{} cannot be read to its end", &name[1..]),
            );
        }
    }
}

/// [MS-OLEPS] 2.21 to 2.20: header, offset of the first set, its pairs of identifier and offset.
fn set(stream: &[u8], is_summary: bool, draft: &mut Draft<'_>) -> Option<()> {
    let start = word(stream, 44)?;
    let count = word(stream, start.checked_add(4)?)?.min(MAX_PROPERTIES);
    let pair = |index: usize| {
        let at = start + 8 + index * 8;
        Some((word(stream, at)?, start.checked_add(word(stream, at + 4)?)?))
    };
    // Identifier 1 is the code page (2.18.2).
    let mut code_page = 1252;
    for index in 0..count {
        let (id, at) = pair(index)?;
        if id == 1 {
            code_page = u32::from(u16::from_le_bytes([*stream.get(at + 4)?, *stream.get(at + 5)?]));
        }
    }
    for index in 0..count {
        let (id, at) = pair(index)?;
        let field = if is_summary {
            summary_field(id)
        } else {
            document_field(id)
        };
        if let (Some(field), Some(value)) = (field, value(stream, at, code_page)) {
            draft.field(field, &value);
        }
    }
    Some(())
}

/// [MS-OLEPS] 3.1.2 and the property identifiers of the summary information set.
fn summary_field(id: usize) -> Option<MetaField> {
    Some(match id {
        2 => MetaField::Title,
        3 => MetaField::Subject,
        4 => MetaField::Author,
        5 => MetaField::Keywords,
        6 => MetaField::Description,
        8 => MetaField::LastSavedBy,
        11 => MetaField::Printed,
        12 => MetaField::Created,
        13 => MetaField::Modified,
        14 => MetaField::Pages,
        18 => MetaField::Program,
        _ => return None,
    })
}

/// [MS-OSHARED] 2.3.3.2.2.1.
fn document_field(id: usize) -> Option<MetaField> {
    Some(match id {
        2 => MetaField::Keywords,
        7 => MetaField::Pages,
        14 | 15 => MetaField::Company,
        28 => MetaField::Language,
        _ => return None,
    })
}

/// A value as text ([MS-OLEPS] 2.15).
fn value(stream: &[u8], at: usize, code_page: u32) -> Option<String> {
    let kind = word(stream, at)? & 0xffff;
    let at = at.checked_add(4)?;
    match kind {
        2 => Some(u16::from_le_bytes([*stream.get(at)?, *stream.get(at + 1)?]).to_string()),
        3 => Some(word(stream, at)?.to_string()),
        0x1e => {
            let length = word(stream, at)?;
            let from = at.checked_add(4)?;
            let bytes = stream.get(from..from.checked_add(length)?.min(stream.len()))?;
            Some(narrow(bytes, code_page))
        }
        0x1f => {
            let length = word(stream, at)?.checked_mul(2)?;
            let from = at.checked_add(4)?;
            Some(wide(stream.get(from..from.checked_add(length)?.min(stream.len()))?))
        }
        0x40 => {
            let ticks = u64::from_le_bytes(stream.get(at..at.checked_add(8)?)?.try_into().ok()?);
            rfc3339(ticks)
        }
        _ => None,
    }
}

fn narrow(bytes: &[u8], code_page: u32) -> String {
    if code_page == 1200 {
        return wide(bytes);
    }
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let label = format!("windows-{code_page}");
    let label = match code_page {
        65001 => "utf-8",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        10000 => "macintosh",
        _ => label.as_str(),
    };
    crate::text::decode(bytes, Some(label)).text.into_owned()
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

fn word(stream: &[u8], at: usize) -> Option<usize> {
    let bytes = stream.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// A FILETIME ([MS-DTYP] 2.3.3) as RFC 3339; nothing for zero and for spans, which some properties hold in its place.
pub(super) fn rfc3339(ticks: u64) -> Option<String> {
    const TICKS_A_SECOND: u64 = 10_000_000;
    /// Seconds from 1601-01-01 to 1970-01-01.
    const TO_UNIX: u64 = 11_644_473_600;
    let seconds = (ticks / TICKS_A_SECOND).checked_sub(TO_UNIX)?;
    let days = i64::try_from(seconds / 86_400).ok()?;
    let (year, month, day) = civil(days);
    if year > 9999 {
        return None;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// Year, month and day of a number of days since 1970-01-01, Gregorian; eras of 400 years counted from March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        assert_eq!(rfc3339(0), None);
        assert_eq!(
            rfc3339(116_444_736_000_000_000).as_deref(),
            Some("1970-01-01T00:00:00Z")
        );
        assert_eq!(
            rfc3339(125_963_027_990_000_000).as_deref(),
            Some("2000-02-29T12:59:59Z")
        );
        assert_eq!(rfc3339(u64::MAX), None);
    }
}
