//! What an item is, and how far it can be searched (DOMAIN section 6).

use serde::{Deserialize, Serialize};

/// The kind of an item; `type:` in a query, `kind` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A message, at the top level or as a message/rfc822 part.
    Email,
    /// A leaf of a message that is not its body.
    Attachment,
    /// A loose file.
    Document,
    /// A record of a case-management system.
    Record,
}

impl ItemKind {
    /// All kinds, in the order of their stable codes.
    pub const ALL: [Self; 4] = [Self::Email, Self::Attachment, Self::Document, Self::Record];

    /// Stable number for packed columns.
    pub fn code(self) -> u8 {
        match self {
            Self::Email => 0,
            Self::Attachment => 1,
            Self::Document => 2,
            Self::Record => 3,
        }
    }

    /// The inverse of [`ItemKind::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word used in queries and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Attachment => "attachment",
            Self::Document => "document",
            Self::Record => "record",
        }
    }
}

/// How far the content of an item can be found by its words. Counted in every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Searchability {
    /// All of its text is in the index.
    Searched,
    /// Text was cut at a limit; the defect says where.
    PartlyLimit,
    /// Some text could not be decoded; the defect says which.
    PartlyDecoding,
    /// A message or text without a single word of body text.
    NoText,
    /// A format that is not opened yet.
    FormatNotSupported,
    /// An image, sound or film: words only after recognition.
    Media,
    /// Encrypted.
    Encrypted,
    /// Empty: zero bytes.
    Empty,
    /// The parser failed on it; kept, with a defect.
    Failed,
}

impl Searchability {
    /// All values, in the order of their stable codes.
    pub const ALL: [Self; 9] = [
        Self::Searched,
        Self::PartlyLimit,
        Self::PartlyDecoding,
        Self::NoText,
        Self::FormatNotSupported,
        Self::Media,
        Self::Encrypted,
        Self::Empty,
        Self::Failed,
    ];

    /// Stable number for packed columns.
    pub fn code(self) -> u8 {
        u8::try_from(Self::ALL.iter().position(|one| *one == self).unwrap_or(8)).unwrap_or(8)
    }

    /// The inverse of [`Searchability::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word used in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Searched => "searched",
            Self::PartlyLimit => "partly-limit",
            Self::PartlyDecoding => "partly-decoding",
            Self::NoText => "no-text",
            Self::FormatNotSupported => "format-not-supported",
            Self::Media => "media",
            Self::Encrypted => "encrypted",
            Self::Empty => "empty",
            Self::Failed => "failed",
        }
    }

    /// True when a search for words can miss something in this item.
    pub fn hides_text(self) -> bool {
        match self {
            Self::Searched | Self::NoText | Self::Empty => false,
            Self::PartlyLimit
            | Self::PartlyDecoding
            | Self::FormatNotSupported
            | Self::Media
            | Self::Encrypted
            | Self::Failed => true,
        }
    }
}
