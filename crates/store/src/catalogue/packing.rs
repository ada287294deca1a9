//! Packed columns of an item: participants, links to other messages, dates, labels.
//!
//! Invariant: unpacking what was packed gives the same values; a damaged column reads as `None`.

use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::id::Key128;

use super::rows::ItemKeys;
use crate::codec::{Unpack, put_bytes, put_uint};

/// `In-Reply-To` and `References` as one column: count of the first, then all as length-prefixed text. Empty when there are none.
pub(crate) fn pack_links(out: &mut Vec<u8>, in_reply_to: &[String], references: &[String]) {
    if in_reply_to.is_empty() && references.is_empty() {
        return;
    }
    put_uint(out, in_reply_to.len() as u64);
    for id in in_reply_to.iter().chain(references) {
        put_bytes(out, id.as_bytes());
    }
}

/// The inverse of [`pack_links`].
pub(crate) fn unpack_links(bytes: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
    let mut unpack = Unpack(bytes);
    if unpack.is_empty() {
        return Some((Vec::new(), Vec::new()));
    }
    let first = unpack.uint()?;
    let mut in_reply_to = Vec::new();
    for _ in 0..first {
        in_reply_to.push(unpack.text()?);
    }
    let mut references = Vec::new();
    while !unpack.is_empty() {
        references.push(unpack.text()?);
    }
    Some((in_reply_to, references))
}

/// Role byte and interned address id, one pair after the other.
pub(crate) fn pack_participant(out: &mut Vec<u8>, role: u8, address_id: u64) {
    out.push(role);
    put_uint(out, address_id);
}

/// The inverse of [`pack_participant`], over the whole column.
pub(crate) fn unpack_participants(bytes: &[u8]) -> Option<Vec<(u8, u64)>> {
    let mut unpack = Unpack(bytes);
    let mut pairs = Vec::new();
    while !unpack.is_empty() {
        pairs.push((unpack.byte()?, unpack.uint()?));
    }
    Some(pairs)
}

/// Source, confidence and offset of a date in one integer: bits 0-7 source, 8-15 confidence, 16 up offset in minutes plus 32769, or
/// 0 when the offset is unknown.
pub(crate) fn pack_date_meta(date: &EvidenceDate) -> i64 {
    let offset = date.offset_minutes.map_or(0, |minutes| i64::from(minutes) + 32_769);
    i64::from(date.source.code()) | i64::from(date.confidence.code()) << 8 | offset << 16
}

/// The inverse of [`pack_date_meta`].
pub(crate) fn unpack_date(utc_secs: Option<i64>, meta: i64, raw: Option<String>) -> EvidenceDate {
    let offset = meta >> 16;
    EvidenceDate {
        raw: raw.unwrap_or_default(),
        utc_secs,
        offset_minutes: if offset == 0 {
            None
        } else {
            i16::try_from(offset - 32_769).ok()
        },
        source: DateSource::from_code((meta & 0xff) as u8),
        confidence: Confidence::from_code((meta >> 8 & 0xff) as u8),
    }
}

/// Version, then e-mail, body and family key. The MIH has a column of its own.
pub(crate) fn pack_keys(keys: &ItemKeys) -> [u8; 49] {
    let mut out = [0; 49];
    out[0] = keys.version;
    out[1..17].copy_from_slice(&keys.email.0);
    out[17..33].copy_from_slice(&keys.body.0);
    out[33..].copy_from_slice(&keys.family.0);
    out
}

/// The inverse of [`pack_keys`].
pub(crate) fn unpack_keys(bytes: &[u8], mih: Option<Key128>) -> Option<ItemKeys> {
    let mut unpack = Unpack(bytes);
    Some(ItemKeys {
        version: unpack.byte()?,
        mih,
        email: Key128::from_slice(unpack.take(16)?)?,
        body: Key128::from_slice(unpack.take(16)?)?,
        family: Key128::from_slice(unpack.take(16)?)?,
    })
}

/// Labels as lines; `None` when there are none. A line end within a label becomes a space.
pub(crate) fn pack_labels(labels: &[String]) -> Option<String> {
    if labels.is_empty() {
        return None;
    }
    let lines: Vec<String> = labels.iter().map(|label| label.replace(['\n', '\r'], " ")).collect();
    Some(lines.join("\n"))
}

/// The inverse of [`pack_labels`].
pub(crate) fn unpack_labels(text: Option<String>) -> Vec<String> {
    text.map_or_else(Vec::new, |text| text.split('\n').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_offset_source_and_confidence() {
        for offset in [None, Some(0), Some(-720), Some(840), Some(i16::MIN), Some(i16::MAX)] {
            let date = EvidenceDate {
                raw: "x".into(),
                utc_secs: Some(-5),
                offset_minutes: offset,
                source: DateSource::Separator,
                confidence: Confidence::Medium,
            };
            let meta = pack_date_meta(&date);
            assert_eq!(unpack_date(Some(-5), meta, Some("x".into())), date);
        }
    }

    #[test]
    fn links_keep_their_two_lists_apart() {
        let (one, two) = (vec!["<a>".to_owned()], vec!["<b>".to_owned(), String::new()]);
        let mut out = Vec::new();
        pack_links(&mut out, &one, &two);
        assert_eq!(unpack_links(&out), Some((one, two)));
        assert_eq!(unpack_links(&[]), Some((Vec::new(), Vec::new())));
        assert_eq!(unpack_links(&out[..out.len() - 2]), None);
    }
}
