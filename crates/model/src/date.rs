//! Dates with everything needed to argue about them: raw text, UTC value, sender's offset, source, confidence.

use serde::Serialize;

/// Where a date was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateSource {
    /// The `Date` header (RFC 5322 section 3.6.1).
    DateHeader,
    /// `Resent-Date`, used when there is no usable `Date`.
    ResentDate,
    /// The newest `Received` header's time stamp.
    Received,
    /// The mbox separator line.
    Separator,
    /// The top-level item of the family.
    Family,
    /// Document metadata.
    Metadata,
    /// The file's modification time.
    FileTime,
    /// The event date of a case record.
    Record,
    /// There is no date at all.
    None,
}

impl DateSource {
    /// All values, in the order of their stable codes.
    pub const ALL: [Self; 9] = [
        Self::DateHeader,
        Self::ResentDate,
        Self::Received,
        Self::Separator,
        Self::Family,
        Self::Metadata,
        Self::FileTime,
        Self::Record,
        Self::None,
    ];

    /// Stable number for packed columns.
    pub fn code(self) -> u8 {
        u8::try_from(Self::ALL.iter().position(|one| *one == self).unwrap_or(8)).unwrap_or(8)
    }

    /// The inverse of [`DateSource::code`]; unknown codes read as [`DateSource::None`].
    pub fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or(Self::None)
    }
}

/// How far a date can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// No usable value.
    None,
    /// Guessed from something weak, such as a file time or a two-digit year.
    Low,
    /// Readable, but something is odd: obsolete or unknown zone, out-of-range part.
    Medium,
    /// Well formed with a numeric offset.
    High,
}

impl Confidence {
    /// Stable number for packed columns.
    pub fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }

    /// The inverse of [`Confidence::code`]; unknown codes read as [`Confidence::None`].
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Low,
            2 => Self::Medium,
            3 => Self::High,
            _ => Self::None,
        }
    }
}

/// A date as evidence. `utc_secs` is `None` for undated items, which stay visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceDate {
    /// The text as it stands in the header (unfolded), empty when there is none.
    pub raw: String,
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub utc_secs: Option<i64>,
    /// The sender's offset from UTC in minutes; `None` when the zone is missing or unknown (never guessed).
    pub offset_minutes: Option<i16>,
    /// Where it was taken from.
    pub source: DateSource,
    /// How far to rely on it.
    pub confidence: Confidence,
}

impl EvidenceDate {
    /// An item without any date.
    pub fn undated() -> Self {
        Self {
            raw: String::new(),
            utc_secs: None,
            offset_minutes: None,
            source: DateSource::None,
            confidence: Confidence::None,
        }
    }
}

/// RFC 3339 UTC text of a time in seconds, or `None` outside the years -9999 to 9999.
pub fn rfc3339(utc_secs: i64) -> Option<String> {
    jiff::Timestamp::from_second(utc_secs)
        .ok()
        .map(|stamp| stamp.to_string())
}
