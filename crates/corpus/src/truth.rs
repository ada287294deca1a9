//! The truth file: what is in a corpus, so that an ingest of it can be checked exactly.
//!
//! Counted while the messages are made, by construction and not by looking at them; the tests of this crate recount a
//! small corpus with an independent reader.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::{BoxFormat, CorpusConfig};
use crate::needle::NeedlePlace;

/// The ways in which messages are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrokenKind {
    /// The header section runs to the end of the message: no empty line, no body.
    NoHeaderEnd,
    /// No header at all, only text.
    NoHeaders,
    /// multipart/mixed whose boundary never occurs.
    BoundaryMissing,
    /// multipart/mixed without a closing boundary.
    BoundaryUnclosed,
    /// An attachment in base64 with characters that are not of its alphabet, cut within a group.
    BadBase64,
    /// A `Date` that is no date.
    BadDate,
    /// No `Message-ID`.
    NoMessageId,
    /// Two different `Message-ID` headers.
    TwoMessageIds,
    /// Bytes beyond ASCII in `Subject` and `From`.
    EightBitHeader,
    /// A charset that nobody knows.
    UnknownCharset,
    /// Declared UTF-8, is ISO 8859-1.
    WrongCharset,
    /// Quoted-printable with `=` before what is not hexadecimal.
    BadQuotedPrintable,
}

impl BrokenKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::NoHeaderEnd,
        Self::NoHeaders,
        Self::BoundaryMissing,
        Self::BoundaryUnclosed,
        Self::BadBase64,
        Self::BadDate,
        Self::NoMessageId,
        Self::TwoMessageIds,
        Self::EightBitHeader,
        Self::UnknownCharset,
        Self::WrongCharset,
        Self::BadQuotedPrintable,
    ];

    /// Attachments that a reader should still find in each.
    pub fn attachments(self) -> u64 {
        u64::from(matches!(self, Self::BoundaryUnclosed | Self::BadBase64))
    }
}

/// Items that an ingest makes of the distinct messages (DOMAIN section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemTruth {
    /// Messages, top-level and attached ones.
    pub email: u64,
    /// Top-level messages.
    pub email_top: u64,
    /// Loose files that are no message: texts without any header whose first copy is an EML file (in a Maildir or an
    /// mbox they are messages by their place).
    pub document: u64,
    /// Leaves that are not bodies. Those of broken messages are counted as [`BrokenKind::attachments`] says.
    pub attachment: u64,
}

/// One mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxTruth {
    /// Its file or folder below the corpus folder.
    pub path: String,
    /// Whose it is: the folder under `mail/`.
    pub custodian: String,
    /// How it is laid down.
    pub format: BoxFormat,
    /// Messages in it.
    pub messages: u64,
    /// Of these, those that no mailbox before it in input order (names by raw bytes at each level) holds.
    pub new: u64,
    /// The others.
    pub duplicate: u64,
    /// Bytes of the messages without separators and quoting.
    pub message_bytes: u64,
}

/// One custodian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodianTruth {
    /// The folder under `mail/`.
    pub folder: String,
    /// Given name and family name.
    pub name: String,
    /// Mail address.
    pub address: String,
    /// Messages in all mailboxes of this custodian.
    pub messages: u64,
    /// Distinct ones among them.
    pub distinct: u64,
}

/// Conversations among the distinct messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadTruth {
    /// Conversations, those of one message included. Versions of a message (cross-posts) are in its conversation.
    pub conversations: u64,
    /// Conversations with at least one reply.
    pub with_replies: u64,
    /// Replies: messages that name their parent in In-Reply-To and References (versions counted once).
    pub replies: u64,
}

/// A planted phrase. Distinct items and messages; copies count only in `instances`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhraseTruth {
    /// The words in order, as one searches for them between quotation marks.
    pub phrase: String,
    /// Items that hold the phrase.
    pub items: u64,
    /// Top-level messages with such an item in their family.
    pub families: u64,
    /// Copies of these messages in all mailboxes.
    pub instances: u64,
    /// Of the items, top-level messages.
    pub in_message: u64,
    /// Of the items, text attachments.
    pub in_attachment: u64,
    /// Of the items, attached messages.
    pub in_nested: u64,
    /// Items that hold the same words, but not as the phrase.
    pub decoy_items: u64,
}

/// Where a needle was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file that holds the message, below the corpus folder.
    pub file: String,
    /// Position of the message in that file, from 0.
    pub ordinal: u64,
}

/// A planted rare word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedleTruth {
    /// As it stands in the text.
    pub written: String,
    /// The query that finds it and nothing else.
    pub query: String,
    /// Where in the message.
    pub place: NeedlePlace,
    /// The field of a search.
    pub field: String,
    /// Part path of the item that holds it.
    pub part: String,
    /// Distinct items that hold it: 1, or 2 where the message was cross-posted.
    pub items: u64,
    /// Every copy.
    pub at: Vec<Location>,
}

/// Mail about one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTruth {
    /// `PSD/2017/0412`.
    pub case_ref: String,
    /// Distinct top-level messages with the reference in subject or body.
    pub messages: u64,
    /// Copies of them.
    pub instances: u64,
    /// Of the distinct ones, those with the reference in the subject.
    pub in_subject: u64,
}

/// Records of the case system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordTruth {
    /// Persons.
    pub persons: u64,
    /// Cases.
    pub cases: u64,
    /// Role appointments.
    pub role_appointments: u64,
    /// Decisions.
    pub decisions: u64,
    /// Lines of the exhibit list.
    pub exhibits: u64,
}

/// Everything that is known about a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Version of this layout.
    pub schema: u32,
    /// What was asked for.
    pub config: CorpusConfig,
    /// Messages in all mailboxes.
    pub messages: u64,
    /// Distinct ones, by the BLAKE3 of the message as its writer made it (unquoted, without separator).
    pub distinct_messages: u64,
    /// `messages - distinct_messages`.
    pub duplicate_messages: u64,
    /// Distinct messages that carry the Message-ID of another distinct message.
    pub crosspost_messages: u64,
    /// Exclusive or of the BLAKE3 of all distinct messages, hexadecimal; absent when not asked for.
    pub blob_xor: Option<String>,
    /// Bytes of all messages without separators and quoting.
    pub message_bytes: u64,
    /// Items of the distinct messages.
    pub items: ItemTruth,
    /// Attachments of the distinct messages that are not broken, by declared media type (attached messages too).
    pub attachments_by_type: BTreeMap<String, u64>,
    /// Conversations.
    pub threads: ThreadTruth,
    /// Distinct messages without a word of body text (broken ones that have none included).
    pub without_text: u64,
    /// Distinct delivery reports.
    pub bounces: u64,
    /// Distinct messages that have to be quoted in an mbox.
    pub from_line_messages: u64,
    /// Distinct ordinary messages by the form of their body.
    pub forms: BTreeMap<String, u64>,
    /// Distinct broken messages by kind.
    pub broken: BTreeMap<BrokenKind, u64>,
    /// Earliest sent time, seconds since 1970 (messages with a readable date).
    pub first_date: Option<i64>,
    /// Latest sent time.
    pub last_date: Option<i64>,
    /// Mailboxes in input order.
    pub mailboxes: Vec<MailboxTruth>,
    /// Custodians.
    pub custodians: Vec<CustodianTruth>,
    /// Planted phrases.
    pub phrases: Vec<PhraseTruth>,
    /// Planted words.
    pub needles: Vec<NeedleTruth>,
    /// Cases with their mail.
    pub cases: Vec<CaseTruth>,
    /// Records beside the mail.
    pub records: RecordTruth,
}

/// The layout version of [`Truth`].
pub const SCHEMA: u32 = 1;
