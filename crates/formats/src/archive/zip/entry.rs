//! One entry: what the directory or its own header says of it.
//!
//! Not for: its bytes (`content`). Main type: [`Entry`]. Invariant: extra fields are read within their length; 64-bit values replace only those marked as absent.
//!
//! Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.5; Info-ZIP `proginfo/extrafld.txt`.

use embley_model::defect::{Defect, DefectCode};

pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
pub(super) const CENTRAL: &[u8; 4] = b"PK\x01\x02";
pub(super) const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";
/// Fixed part of a local header.
pub(super) const LOCAL_BYTES: u64 = 30;

/// Bits of the general purpose flags (4.4.4).
pub(super) const ENCRYPTED: u16 = 1;
pub(super) const HAS_DESCRIPTOR: u16 = 1 << 3;
pub(super) const STRONG: u16 = 1 << 6;
const UTF8: u16 = 1 << 11;
/// The directory is encrypted: local headers are masked.
pub(super) const MASKED: u16 = 1 << 13;

/// A list of members, or what stands before one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) dos_time: u16,
    pub(super) dos_date: u16,
    pub(super) crc: u32,
    pub(super) packed_bytes: u64,
    pub(super) plain_bytes: u64,
    pub(super) name: Vec<u8>,
    /// `None` where only the local header is known.
    pub(super) attributes: Option<(u8, u32)>,
    pub(super) disk: u32,
    /// Place of the local header.
    pub(super) offset: u64,
    /// Extra fields as they stand.
    pub(super) extra: Vec<u8>,
    /// Sizes come from a header that does not know them.
    pub(super) sizes_unknown: bool,
    /// No directory names it.
    pub(super) salvaged: bool,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..at + 2)
        .and_then(|two| two.try_into().ok())
        .map_or(0, u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

impl Entry {
    /// An entry of the central directory: 46 bytes, then name, extra fields and comment.
    pub(super) fn central(fixed: &[u8; 46], name: Vec<u8>, extra: Vec<u8>) -> Self {
        let mut entry = Self {
            flags: u16_at(fixed, 8),
            method: u16_at(fixed, 10),
            dos_time: u16_at(fixed, 12),
            dos_date: u16_at(fixed, 14),
            crc: u32_at(fixed, 16),
            packed_bytes: u32_at(fixed, 20).into(),
            plain_bytes: u32_at(fixed, 24).into(),
            name,
            attributes: Some((fixed[5], u32_at(fixed, 38))),
            disk: u16_at(fixed, 34).into(),
            offset: u32_at(fixed, 42).into(),
            extra,
            sizes_unknown: false,
            salvaged: false,
        };
        entry.widen(true);
        entry
    }

    /// A local header: 30 bytes, then name and extra fields.
    pub(super) fn local(fixed: &[u8; 30], name: Vec<u8>, extra: Vec<u8>, offset: u64) -> Self {
        let flags = u16_at(fixed, 6);
        let mut entry = Self {
            flags,
            method: u16_at(fixed, 8),
            dos_time: u16_at(fixed, 10),
            dos_date: u16_at(fixed, 12),
            crc: u32_at(fixed, 14),
            packed_bytes: u32_at(fixed, 18).into(),
            plain_bytes: u32_at(fixed, 22).into(),
            name,
            attributes: None,
            disk: 0,
            offset,
            extra,
            sizes_unknown: false,
            salvaged: true,
        };
        entry.sizes_unknown = flags & HAS_DESCRIPTOR != 0 && entry.packed_bytes == 0;
        entry.widen(false);
        entry
    }

    /// Values that did not fit stand in the field 0x0001, in this order (4.5.3).
    fn widen(&mut self, central: bool) {
        let Some(field) = self.field(0x0001).map(<[u8]>::to_vec) else {
            return;
        };
        let mut rest = field.as_slice();
        let mut take = || {
            let (value, tail) = rest.split_first_chunk::<8>()?;
            rest = tail;
            Some(u64::from_le_bytes(*value))
        };
        let full = u64::from(u32::MAX);
        if self.plain_bytes == full
            && let Some(value) = take()
        {
            self.plain_bytes = value;
        }
        if self.packed_bytes == full
            && let Some(value) = take()
        {
            self.packed_bytes = value;
            self.sizes_unknown = !central && self.flags & HAS_DESCRIPTOR != 0 && value == 0;
        }
        if central
            && self.offset == full
            && let Some(value) = take()
        {
            self.offset = value;
        }
        if central && self.disk == u32::from(u16::MAX) && rest.len() >= 4 {
            self.disk = u32_at(rest, 0);
        }
    }

    /// The first extra field with this number.
    pub(super) fn field(&self, id: u16) -> Option<&[u8]> {
        let mut rest = self.extra.as_slice();
        while rest.len() >= 4 {
            let length = usize::from(u16_at(rest, 2));
            let body = rest.get(4..4 + length)?;
            if u16_at(rest, 0) == id {
                return Some(body);
            }
            rest = &rest[4 + length..];
        }
        None
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// Says that its name is UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        self.flags & UTF8 != 0
    }

    /// The name of the field 0x7075, when it belongs to the name that is stored.
    pub(super) fn unicode_name(&self) -> Option<&str> {
        let field = self.field(0x7075)?;
        let (version, rest) = field.split_first()?;
        if *version != 1 || rest.len() < 4 {
            return None;
        }
        let mut crc = flate2::Crc::new();
        crc.update(&self.name);
        if crc.sum() != u32_at(rest, 0) {
            return None;
        }
        std::str::from_utf8(&rest[4..]).ok()
    }

    /// Unix file type bits, where a Unix or macOS program wrote the entry.
    pub(super) fn unix_type(&self) -> Option<u32> {
        let (system, attributes) = self.attributes?;
        matches!(system, 3 | 19).then_some((attributes >> 16) & 0o170_000)
    }

    pub(super) fn is_folder(&self, name: &str) -> bool {
        if self.plain_bytes > 0 {
            return false;
        }
        let dos_folder = self
            .attributes
            .is_some_and(|(system, attributes)| !matches!(system, 3 | 19) && attributes & 0x10 != 0);
        name.ends_with('/') || (name.ends_with('\\') && dos_folder) || self.unix_type() == Some(0o040_000)
    }

    /// Last change: an exact time where an extra field has one. True in the second place when it has no zone.
    pub(super) fn mtime(&self) -> (Option<i64>, bool) {
        if let Some(nanos) = self.ntfs_mtime() {
            return (Some(nanos), false);
        }
        let unix = self
            .field(0x5455)
            .filter(|field| field.first().is_some_and(|bits| bits & 1 == 1) && field.len() >= 5)
            .map(|field| u32_at(field, 1))
            .or_else(|| {
                self.field(0x5855)
                    .filter(|field| field.len() >= 8)
                    .map(|field| u32_at(field, 4))
            })
            .or_else(|| {
                self.field(0x000d)
                    .filter(|field| field.len() >= 8)
                    .map(|field| u32_at(field, 4))
            });
        if let Some(seconds) = unix {
            return (Some(i64::from(seconds.cast_signed()) * 1_000_000_000), false);
        }
        let nanos = dos_nanos(self.dos_date, self.dos_time);
        (nanos, nanos.is_some())
    }

    /// Field 0x000a, attribute 1: 100 ns since 1601.
    fn ntfs_mtime(&self) -> Option<i64> {
        let field = self.field(0x000a)?;
        let mut rest = field.get(4..)?;
        while rest.len() >= 4 {
            let length = usize::from(u16_at(rest, 2));
            if u16_at(rest, 0) == 1 && length >= 8 && rest.len() >= 12 {
                return filetime_nanos(u64_at(rest, 4));
            }
            rest = rest.get(4 + length..)?;
        }
        None
    }

    /// What its own header says otherwise than the directory. `local` is what stands at its place.
    pub(super) fn differs(&self, local: &Self) -> Option<Defect> {
        let mut odd: Vec<&str> = Vec::new();
        if self.name != local.name {
            odd.push("name");
        }
        if self.method != local.method {
            odd.push("method");
        }
        if self.flags & ENCRYPTED != local.flags & ENCRYPTED {
            odd.push("encryption");
        }
        if !local.sizes_unknown && local.flags & HAS_DESCRIPTOR == 0 {
            if self.packed_bytes != local.packed_bytes || self.plain_bytes != local.plain_bytes {
                odd.push("size");
            }
            if self.crc != local.crc {
                odd.push("checksum");
            }
        }
        if odd.is_empty() {
            return None;
        }
        let text = format!("its header and the directory differ in {}", odd.join(", "));
        Some(Defect::new(DefectCode::ArchiveStructure, text))
    }
}

/// 100 ns since 1601-01-01 UTC as nanoseconds since 1970; 0 is no time.
pub(in crate::archive) fn filetime_nanos(ticks: u64) -> Option<i64> {
    const UNIX_EPOCH: i64 = 116_444_736_000_000_000;
    if ticks == 0 {
        return None;
    }
    i64::try_from(ticks).ok()?.checked_sub(UNIX_EPOCH)?.checked_mul(100)
}

/// The first moment that DOS can say, which writers put where they have no time.
const DOS_BEGINNING: (u16, u16) = ((1 << 5) | 1, 0);

/// Date and time of DOS, read as UTC. `None` when a part is out of range, and for [`DOS_BEGINNING`].
fn dos_nanos(date: u16, time: u16) -> Option<i64> {
    if (date, time) == DOS_BEGINNING {
        return None;
    }
    let (year, month, day) = (
        i64::from(date >> 9) + 1980,
        i64::from(date >> 5 & 15),
        i64::from(date & 31),
    );
    let (hour, minute, second) = (
        i64::from(time >> 11),
        i64::from(time >> 5 & 63),
        i64::from(time & 31) * 2,
    );
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days from a civil date: years begin in March, so that the leap day is the last one.
    let shifted_year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + day_of_year - 719_468;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_times_are_read_as_utc() {
        // 2018-03-17 20:48:10: 20 h 48 min 10 s after 17607 days.
        let date = ((2018 - 1980) << 9) | (3 << 5) | 17;
        let time = (20 << 11) | (48 << 5) | 5;
        assert_eq!(
            dos_nanos(date, time),
            Some((17_607 * 86_400 + 20 * 3_600 + 48 * 60 + 10) * 1_000_000_000)
        );
        assert_eq!(dos_nanos((1 << 5) | 1, 1), Some(315_532_802 * 1_000_000_000));
        assert_eq!(dos_nanos((1 << 5) | 1, 0), None);
        assert_eq!(dos_nanos(0, 0), None);
    }

    #[test]
    fn an_extra_field_that_is_too_long_is_not_read() {
        let entry = Entry {
            extra: vec![1, 0, 200, 0, 1, 2, 3],
            ..Entry::default()
        };
        assert_eq!(entry.field(1), None);
    }
}
