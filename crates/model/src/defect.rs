//! Defects: something is odd about a piece of evidence. A value, never an `Err`.
//!
//! Invariant: a code never changes its meaning and is never used again for something else.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The phase in which something was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Walking folders, opening files.
    Discover,
    /// Splitting a mailbox into messages.
    Split,
    /// Reading bytes.
    Read,
    /// Headers, MIME structure, charsets, dates.
    Parse,
    /// Writing the index.
    Index,
    /// Importing case-system records.
    Import,
}

/// How much a defect matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Worth knowing, nothing is missing.
    Note,
    /// Something could be read only by a guess, or not wholly searched.
    Warning,
    /// Content could not be read or searched; the bytes are kept.
    Loss,
    /// No item exists for this entry.
    Excepted,
}

macro_rules! defect_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $phase:ident, $class:ident, $means:literal;)*) => {
        /// What is odd. The text form (`MAIL-DATE-UNREADABLE`) is what people see and search (`defect:`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DefectCode { $( #[doc = $means] $name, )* }

        impl DefectCode {
            /// Every code, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text.
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// The phase in which it is raised.
            pub fn phase(self) -> Phase { match self { $(Self::$name => Phase::$phase,)* } }

            /// How much it matters.
            pub fn class(self) -> Class { match self { $(Self::$name => Class::$class,)* } }

            /// One sentence for people.
            pub fn means(self) -> &'static str { match self { $(Self::$name => $means,)* } }
        }
    };
}

defect_codes! {
    SourceUnreadable = "SRC-UNREADABLE", Discover, Excepted, "a file or folder could not be opened or read";
    SourceChangedWhileRead = "SRC-CHANGED", Read, Warning, "a file changed its size or time while it was read";
    SourceBadRange = "SRC-BAD-RANGE", Read, Excepted, "a range of a file could not be read from its medium";
    SourceSpecialFile = "SRC-SPECIAL-FILE", Discover, Excepted, "a socket, device, pipe or dangling link holds no bytes to keep";
    SourceLinkLoop = "SRC-LINK-LOOP", Discover, Excepted, "a link leads back to a folder above it";
    BoxNoFromLine = "BOX-NO-FROM-LINE", Split, Warning, "a file called a mailbox has no separator line; kept as a loose file";
    BoxJunkBefore = "BOX-JUNK-BEFORE", Split, Warning, "bytes stand before the first separator line; counted and kept as a range";
    BoxTruncated = "BOX-TRUNCATED", Split, Warning, "the mailbox ends inside a message: no final line end, or fewer bytes than Content-Length says";
    BoxContentLengthWrong = "BOX-CONTENT-LENGTH", Split, Note, "a Content-Length does not lead to a separator; boundaries were taken from separators";
    BoxNoBlankLine = "BOX-NO-BLANK-LINE", Split, Note, "a separator line is not preceded by a blank line";
    BoxVariantInDoubt = "BOX-VARIANT-DOUBT", Split, Note, "the quoting variant could not be told; identity is the slice as found, the unquoted hash is a second key";
    BoxEmpty = "BOX-EMPTY", Split, Note, "the mailbox has no bytes";
    MailNoHeaders = "MAIL-NO-HEADERS", Parse, Warning, "no header field could be read";
    MailHeaderMalformed = "MAIL-HEADER-MALFORMED", Parse, Note, "a header line has no colon or odd characters";
    MailHeaderCharset = "MAIL-HEADER-CHARSET", Parse, Note, "a header holds bytes beyond ASCII without an encoded word";
    MailHeaderTooLong = "MAIL-HEADER-LIMIT", Parse, Warning, "a header section was cut at the limit for its fields";
    MailDateMissing = "MAIL-DATE-MISSING", Parse, Note, "there is no Date header";
    MailDateUnreadable = "MAIL-DATE-UNREADABLE", Parse, Warning, "the Date header cannot be read as a date";
    MailDateZoneUnknown = "MAIL-DATE-ZONE", Parse, Note, "the zone of the Date header is missing or unknown; it was not guessed";
    MailDateOutOfRange = "MAIL-DATE-RANGE", Parse, Note, "a part of the Date header is out of range, or the year is implausible";
    MailMessageIdMissing = "MAIL-ID-MISSING", Parse, Note, "there is no Message-ID header";
    MailMessageIdSeveral = "MAIL-ID-SEVERAL", Parse, Note, "there are several Message-ID headers; the first one is used";
    MimeStructure = "MIME-STRUCTURE", Parse, Warning, "the multipart structure is broken: boundary missing or not closed";
    MimeDepth = "LIMIT-DEPTH", Parse, Loss, "parts nested deeper than the limit were kept unopened";
    MimeCount = "LIMIT-PARTS", Parse, Loss, "more parts than the limit; the rest is kept unopened inside its message";
    MimeEncoding = "MIME-ENCODING", Parse, Warning, "a transfer encoding is unknown or broken; what could be decoded was kept";
    MimePartial = "MIME-PARTIAL", Parse, Warning, "a message/partial fragment, or an external body that is not here";
    TextCharsetUnknown = "TEXT-CHARSET-UNKNOWN", Parse, Warning, "the declared charset is not known; another was detected and used";
    TextCharsetDisagrees = "TEXT-CHARSET-DISAGREES", Parse, Warning, "the text is not valid in its declared charset; another was detected and used";
    TextUndecodable = "TEXT-UNDECODABLE", Parse, Loss, "some bytes are not text in any charset tried; replaced by U+FFFD in the index";
    TextLimit = "LIMIT-TEXT", Parse, Loss, "text beyond the limit is kept but not searched";
    MailEncrypted = "MAIL-ENCRYPTED", Parse, Loss, "encrypted content: kept, not searchable";
    MailSigned = "MAIL-SIGNED", Parse, Note, "signed content: searched, the signature is not checked";
    MailDeliveryReport = "MAIL-REPORT", Parse, Note, "a delivery or disposition report (RFC 3464, RFC 8098), or a bounce recognised by its form";
    MailUuencoded = "MAIL-UUENCODE", Parse, Note, "a uuencoded file stands in a text body; taken out as an attachment";
    ParserPanic = "PARSER-PANIC", Parse, Loss, "the parser failed on this item; its bytes are kept";
    TypeNotSearchable = "TYPE-NOT-SEARCHABLE", Parse, Loss, "a format whose text is not opened yet";
    TypeMismatch = "TYPE-MISMATCH", Parse, Note, "the content is not what the name or the declared type says";
    LargeMessage = "LIMIT-LARGE", Parse, Note, "a message over 32 MiB was read by the streaming splitter";
    IndexTermTooLong = "INDEX-TERM-LIMIT", Index, Note, "a run of characters without a break was indexed by its first part only";
    RecordRowBad = "REC-ROW", Import, Excepted, "a row of a case-system export cannot be read as a record";
    RecordFieldBad = "REC-FIELD", Import, Warning, "a field of a record cannot be read as its type; kept as text";
    BoxFromInside = "BOX-FROM-INSIDE", Split, Note, "a line like a separator stands inside a part of a message; it was not taken as a boundary";
    MapiCompound = "MAPI-COMPOUND", Parse, Warning, "the compound file of a message is damaged; it was read leniently, and what could not be reached is missing";
    MapiStructure = "MAPI-STRUCTURE", Parse, Warning, "a storage, stream or attribute of a message file is missing, cut or contradictory; what could be read was kept";
    MapiProperty = "MAPI-PROPERTY", Parse, Warning, "the value of a property is missing or cannot be read as its type; kept as bytes where there are any";
    MapiName = "MAPI-NAME", Parse, Note, "a named property has no name in the file's list of names";
    MapiChecksum = "MAPI-CHECKSUM", Parse, Warning, "a checksum inside a message file does not match its content; the content was kept";
    MapiCount = "MAPI-COUNT", Parse, Note, "the stated number of recipients or attachments is not the number that is there";
    MapiLinkOnly = "MAPI-LINK-ONLY", Parse, Note, "an attachment is only a path or link; its content is not stored here";
    MapiDate = "MAPI-DATE", Parse, Note, "a date property is zero or out of range; it was not used";
    RtfStructure = "RTF-STRUCTURE", Parse, Warning, "a rich-text document is cut, or its groups do not close; what could be read was kept";
    RtfCompressed = "RTF-COMPRESSED", Parse, Warning, "a compressed rich-text body is cut or contradictory; what could be unpacked was kept";
    PstChecksum = "PST-CHECKSUM", Read, Warning, "a checksum, signature or stated length of a page or block of a PST is wrong; its data was used as found";
    PstStructure = "PST-STRUCTURE", Read, Loss, "a block, heap, table or property of a PST is missing or damaged; what could be read was kept";
    PstTree = "PST-TREE", Read, Loss, "a page of the node or block tree of a PST cannot be read; what it listed was looked for elsewhere or is missing";
    PstForm = "PST-FORM", Read, Note, "a structure of a PST is not as its specification says; no data is touched";
    PstCount = "PST-COUNT", Read, Warning, "the number of messages found in a folder is not the number that the folder states";
    PstRecovered = "PST-RECOVERED", Read, Note, "found in the tree of a PST though no table lists it: deleted, hidden or cut off from its folder";
    PstSearchFolder = "PST-SEARCH-FOLDER", Read, Note, "a search folder holds only links to messages of other folders; it was not read";
    PstNotClosed = "PST-NOT-CLOSED", Read, Note, "a PST was not closed in good order; what was written last may be missing";
    PstTruncated = "PST-TRUNCATED", Read, Loss, "a PST is shorter than its header says";
    PstPassword = "PST-PASSWORD", Read, Note, "a PST is marked with a password; it is a checksum and not a key, and the content was read without it";
    PstProtected = "PST-PROTECTED", Read, Loss, "a PST uses a protection that cannot be undone without its owner's keys";
    PstLimit = "PST-LIMIT", Read, Loss, "a value or list of a PST is longer than its limit; the rest was left out";
    WorkerCrashed = "WORKER-CRASHED", Parse, Loss, "the worker process that read this item crashed; the bytes are kept, and what came out before the crash";
    WorkerTimeout = "WORKER-TIMEOUT", Parse, Loss, "reading this item took longer than its limit and was stopped; the bytes are kept, and what came out before";
    WorkerMemory = "WORKER-MEMORY", Parse, Loss, "reading this item needed more memory than a worker may have; the bytes are kept, and what came out before";
    WorkerProtocol = "WORKER-PROTOCOL", Parse, Loss, "the worker process that read this item gave an answer beyond its bounds or in no good order; it was not believed";
    WorkerDefects = "WORKER-LISTS", Parse, Warning, "more oddities or fields than one answer carries; the rest is counted but not listed";
    DocEncrypted = "DOC-ENCRYPTED", Parse, Loss, "a document is encrypted and no known password opens it: kept, not searchable";
    DocUnreadable = "DOC-UNREADABLE", Parse, Loss, "a document cannot be read by any reader of its format; its bytes are kept";
    DocStructure = "DOC-STRUCTURE", Parse, Warning, "a part of a document is damaged, cut or missing; what could be read was kept";
    DocLimit = "DOC-LIMIT", Parse, Loss, "a part or member of a document is beyond a limit; the rest of it was left out";
    DocRecovered = "DOC-RECOVERED", Parse, Warning, "the regular reader failed; the text was found by looking for runs of characters";
    DocSecondEngine = "DOC-SECOND-ENGINE", Parse, Note, "the first reader gave little or no text; a second one was used";
    DocTextShort = "DOC-TEXT-SHORT", Parse, Warning, "the text is much shorter than such a document usually has; some may have been missed";
    DocNeedsOcr = "DOC-NEEDS-OCR", Parse, Loss, "pages or images without text: words only after recognition of characters";
    DocPassword = "DOC-PASSWORD", Parse, Note, "an encrypted document was opened with a known password";
    ArchiveStructure = "ARC-STRUCTURE", Read, Warning, "the structure of a container is damaged or contradicts itself; what could be read was kept";
    ArchiveTruncated = "ARC-TRUNCATED", Read, Loss, "a container ends before its own structure says; what came before is kept";
    ArchiveSalvaged = "ARC-SALVAGED", Read, Warning, "a member that no list of the container names, or whose list is lost; it was found by looking for its header";
    ArchiveExtraBytes = "ARC-EXTRA-BYTES", Read, Note, "bytes stand before, between or after the members of a container; they are in the container's bytes only";
    ArchiveMember = "ARC-MEMBER", Read, Loss, "the bytes of a member cannot be read to their end; what came before is kept";
    ArchiveChecksum = "ARC-CHECKSUM", Read, Warning, "the checksum or stated length of a member is not that of its bytes; they were kept as they came out";
    ArchiveMethod = "ARC-METHOD", Read, Loss, "a member is stored by a method that cannot be undone here; it has no bytes";
    ArchiveEncrypted = "ARC-ENCRYPTED", Read, Loss, "a container or member is encrypted and no password that was given opens it; it has no bytes";
    ArchivePassword = "ARC-PASSWORD", Read, Note, "an encrypted container or member was opened with one of the passwords given";
    ArchiveName = "ARC-NAME", Read, Note, "the name of a member is missing, too long, holds odd characters, or its charset had to be guessed";
    ArchivePath = "ARC-PATH", Read, Note, "the path of a member was absolute, led upwards or named a drive; it was made relative";
    ArchiveNameTwice = "ARC-NAME-TWICE", Read, Note, "several members of one container have the same path; each was kept";
    ArchiveLink = "ARC-LINK", Read, Note, "a member is a link, device or pipe; it has no bytes of its own";
    ArchiveTime = "ARC-TIME", Read, Note, "times in a container have no zone; they were taken as UTC";
    ArchiveSplit = "ARC-SPLIT", Read, Loss, "a container is one part of several; what lies in the other parts cannot be read from here";
    ArchiveLimit = "ARC-LIMIT", Read, Loss, "a container or member is beyond a limit; the rest of it was left out";
    ArchiveNotOpened = "ARC-NOT-OPENED", Read, Loss, "a container was not opened: its reader is not there, failed or took too long; its bytes are kept";
    MailEmlx = "MAIL-EMLX", Parse, Warning, "the count of bytes, the message or the property list of an Apple Mail file is missing, cut or contradictory; what could be read was kept";
    CmsStructure = "CMS-STRUCTURE", Parse, Warning, "the structure of a signed, compressed or encrypted message (CMS, OpenPGP) is damaged, cut or unknown; what could be read was kept";
    OcrFailed = "OCR-FAILED", Parse, Loss, "recognition of characters failed on a page or image; words in it are not searched";
    OcrLimit = "OCR-LIMIT", Parse, Loss, "recognition of characters took longer or found more than its limits; the rest was left out";
    OcrNotInstalled = "OCR-NOT-INSTALLED", Parse, Loss, "the program that recognises characters, or its data for a language, is not installed; words in images are not searched";
    TypeNotDecoded = "TYPE-NOT-DECODED", Parse, Warning, "a calendar, card, page, XML, JSON, or a message or mailbox attached as a file, searched as it stands: words in encoded or folded values may be missed until it is opened";
    MailDecrypted = "MAIL-DECRYPTED", Parse, Note, "encrypted content was opened with a key or password that was given; what it holds is an item below, the encrypted original is kept";
}

impl DefectCode {
    /// The code with this text, if there is one.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.text().eq_ignore_ascii_case(text))
    }
}

impl Serialize for DefectCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for DefectCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no defect code")))
    }
}

/// One oddity of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// What.
    pub code: DefectCode,
    /// Short detail in plain words, empty when the code says it all. At most 200 bytes.
    pub detail: String,
    /// Byte range within the item's original, when known.
    pub range: Option<Range<u64>>,
}

impl Defect {
    /// A defect without a range.
    pub fn new(code: DefectCode, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if detail.len() > 200 {
            let end = (0..=200).rev().find(|at| detail.is_char_boundary(*at)).unwrap_or(0);
            detail.truncate(end);
        }
        Self {
            code,
            detail,
            range: None,
        }
    }

    /// The same with a byte range.
    pub fn at(mut self, range: Range<u64>) -> Self {
        self.range = Some(range);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_text() {
        let mut texts: Vec<_> = DefectCode::ALL.iter().map(|code| code.text()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), DefectCode::ALL.len());
        assert_eq!(DefectCode::from_text("limit-depth"), Some(DefectCode::MimeDepth));
    }

    #[test]
    fn long_detail_is_cut_at_a_character() {
        let defect = Defect::new(DefectCode::MailNoHeaders, "ä".repeat(150));
        assert_eq!(defect.detail.len(), 200);
    }
}
