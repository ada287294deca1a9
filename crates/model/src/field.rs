//! The one table of searchable fields: their names in queries, and where their values live.
//!
//! Both the index (which makes its schema from it) and the search language (which resolves names with it)
//! read this table; a field that is not in it does not exist.

/// Where the values of a field live, which decides how a query on it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Home {
    /// Text with positions in the index: words, phrases, prefixes.
    Text,
    /// Whole values in the index, compared after folding: equality and prefix.
    Keyword,
    /// A column in the index: ranges.
    Number,
    /// A column of UTC seconds in the index: date ranges.
    Date,
    /// A set over item numbers, from the catalogue.
    Set,
    /// A union of other fields.
    Union(&'static [Field]),
}

/// A searchable field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Subject of a message, title of a record.
    Subject,
    /// Text of a message, a loose file or a record.
    Body,
    /// Text of an attachment.
    Attachment,
    /// Name of an attachment or loose file.
    Filename,
    /// Author address and name.
    From,
    /// Primary recipients.
    To,
    /// Copied recipients.
    Cc,
    /// Blind copied recipients.
    Bcc,
    /// Any of from, to, cc, bcc.
    Participant,
    /// A whole address in any role.
    Address,
    /// The domain of an address in any role.
    Domain,
    /// The item's date.
    Date,
    /// Who made a document or saved it last, as it says itself.
    Author,
    /// When a document was made, as it says itself.
    Created,
    /// When a document was changed last, as it says itself.
    Modified,
    /// Size of the original in bytes.
    Size,
    /// Kind of item, or media type.
    Type,
    /// Language of the text.
    Language,
    /// Label or keyword of a mailbox (X-Gmail-Labels, X-Keywords, Maildir flags).
    Label,
    /// Message-ID.
    MessageId,
    /// Property: attachment, html, signed, encrypted, report, defect.
    Has,
    /// Defect code.
    Defect,
    /// BLAKE3 or SHA-256 of the original, or a prefix of at least 8 digits.
    Hash,
    /// Item number or item id.
    Item,
    /// Custodian of any instance.
    Custodian,
    /// Source label of any instance.
    Source,
    /// Path of any instance.
    Path,
    /// Folder of any instance.
    Folder,
    /// Exhibit reference.
    Exhibit,
    /// Tag.
    Tag,
    /// Mark of privilege.
    Privilege,
    /// State of review, `not-reviewed` for none.
    Review,
    /// Case reference.
    Case,
    /// Thread, by the number of any message in it.
    Thread,
    /// Person, by id, name or address: who takes part in a message, or is named in a record.
    Person,
}

/// What an unfielded term searches.
pub const DEFAULT: &[Field] = &[
    Field::Subject,
    Field::Body,
    Field::Attachment,
    Field::Filename,
    Field::From,
    Field::To,
    Field::Cc,
    Field::Bcc,
];

/// The roles joined by `participant:`.
pub const ROLES: &[Field] = &[Field::From, Field::To, Field::Cc, Field::Bcc];

impl Field {
    /// Every field, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Subject,
        Self::Body,
        Self::Attachment,
        Self::Filename,
        Self::From,
        Self::To,
        Self::Cc,
        Self::Bcc,
        Self::Participant,
        Self::Address,
        Self::Domain,
        Self::Date,
        Self::Author,
        Self::Created,
        Self::Modified,
        Self::Size,
        Self::Type,
        Self::Language,
        Self::Label,
        Self::MessageId,
        Self::Has,
        Self::Defect,
        Self::Hash,
        Self::Item,
        Self::Custodian,
        Self::Source,
        Self::Path,
        Self::Folder,
        Self::Exhibit,
        Self::Tag,
        Self::Privilege,
        Self::Review,
        Self::Case,
        Self::Thread,
        Self::Person,
    ];

    /// The name in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Body => "body",
            Self::Attachment => "attachment",
            Self::Filename => "filename",
            Self::From => "from",
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
            Self::Participant => "participant",
            Self::Address => "address",
            Self::Domain => "domain",
            Self::Date => "date",
            Self::Author => "author",
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Size => "size",
            Self::Type => "type",
            Self::Language => "language",
            Self::Label => "label",
            Self::MessageId => "message-id",
            Self::Has => "has",
            Self::Defect => "defect",
            Self::Hash => "hash",
            Self::Item => "item",
            Self::Custodian => "custodian",
            Self::Source => "source",
            Self::Path => "path",
            Self::Folder => "folder",
            Self::Exhibit => "exhibit",
            Self::Tag => "tag",
            Self::Privilege => "privilege",
            Self::Review => "review",
            Self::Case => "case",
            Self::Thread => "thread",
            Self::Person => "person",
        }
    }

    /// The field with this name, ASCII case ignored.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.name().eq_ignore_ascii_case(name))
    }

    /// Where its values live.
    pub fn home(self) -> Home {
        match self {
            Self::Subject
            | Self::Body
            | Self::Attachment
            | Self::Filename
            | Self::From
            | Self::To
            | Self::Cc
            | Self::Bcc
            | Self::Author => Home::Text,
            Self::Participant | Self::Address | Self::Domain => Home::Union(ROLES),
            Self::Date | Self::Created | Self::Modified => Home::Date,
            Self::Size => Home::Number,
            Self::Type | Self::Language | Self::Label | Self::MessageId | Self::Has | Self::Defect => Home::Keyword,
            Self::Hash
            | Self::Item
            | Self::Custodian
            | Self::Source
            | Self::Path
            | Self::Folder
            | Self::Exhibit
            | Self::Tag
            | Self::Privilege
            | Self::Review
            | Self::Case
            | Self::Thread
            | Self::Person => Home::Set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(*field));
        }
        assert_eq!(Field::from_name("nonsense"), None);
    }
}
