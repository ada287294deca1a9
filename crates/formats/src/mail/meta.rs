//! What the header section of a message says: subject, people, date, ids, labels.
//!
//! Each field is visited once. Invariants: the Message-ID is the raw value of the first field; an address
//! field never loses a word; a date that cannot be read falls back, and says so.

use embley_model::address::{Address, Participant, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::{Defect, DefectCode};

use super::MailMeta;
use super::transfer::base64_bytes;
use crate::headers::{Section, address, unfold, words};
use crate::{date, text};

/// Bytes of address fields of one message that are read as addresses; the rest becomes one name.
const ADDRESS_BYTES: usize = 256 * 1024;

/// Longest id kept, in bytes; longer ones are no ids.
const ID_BYTES: usize = 2000;

/// Meta data without any.
pub(crate) fn empty() -> MailMeta {
    MailMeta {
        subject: String::new(),
        participants: Vec::new(),
        date: EvidenceDate::undated(),
        message_id: None,
        message_id_count: 0,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        labels: Vec::new(),
        has_html: false,
        signed: false,
        encrypted: false,
        report: false,
    }
}

/// What reading fields gives.
pub(crate) struct ReadMeta {
    /// The fields' values.
    pub meta: MailMeta,
    /// What was odd.
    pub defects: Vec<Defect>,
    /// The header has the marks of a delivery report.
    pub bounce: bool,
}

/// Fields that are looked at only when the Date field is of no use.
#[derive(Default)]
struct Dates<'b> {
    date: Option<&'b [u8]>,
    resent: Option<&'b [u8]>,
    received: Vec<&'b [u8]>,
}

struct Reader<'b, 'h> {
    meta: MailMeta,
    defects: Vec<Defect>,
    dates: Dates<'b>,
    hint: Option<&'h str>,
    address_bytes: usize,
    address_bytes_as_text: usize,
    participants_left: &'h mut usize,
    beyond_ascii: bool,
    failed_recipients: bool,
    null_return_path: bool,
}

/// Reads a message's fields. `hint` is the charset of its text, for bytes beyond ASCII; `participants_left`
/// bounds the addresses of the whole family.
pub(crate) fn read(section: &Section, bytes: &[u8], hint: Option<&str>, participants_left: &mut usize) -> ReadMeta {
    let mut reader = Reader {
        meta: empty(),
        defects: Vec::new(),
        dates: Dates::default(),
        hint,
        address_bytes: 0,
        address_bytes_as_text: 0,
        participants_left,
        beyond_ascii: false,
        failed_recipients: false,
        null_return_path: false,
    };
    for field in &section.fields {
        let name = bytes.get(field.name.clone()).unwrap_or_default();
        let value = bytes.get(field.value.clone()).unwrap_or_default();
        reader.field(name, value);
    }
    reader.finish(section)
}

impl<'b> Reader<'b, '_> {
    fn field(&mut self, name: &[u8], value: &'b [u8]) {
        // The length and the first letter decide first: most fields are none of ours.
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        match (name.len(), name.first().map(u8::to_ascii_lowercase)) {
            (2, Some(b't')) if is("to") => self.addresses(Role::To, value),
            (2, Some(b'c')) if is("cc") => self.addresses(Role::Cc, value),
            (3, Some(b'b')) if is("bcc") => self.addresses(Role::Bcc, value),
            (4, Some(b'f')) if is("from") => self.addresses(Role::From, value),
            (4, Some(b'd')) if is("date") => {
                self.dates.date.get_or_insert(value);
            }
            (6, Some(b's')) if is("sender") => self.addresses(Role::Sender, value),
            (7, Some(b's')) if is("subject") && self.meta.subject.is_empty() => self.meta.subject = self.text(value),
            (8, Some(b'r')) if is("reply-to") => self.addresses(Role::ReplyTo, value),
            (8, Some(b'r')) if is("received") => self.dates.received.push(value),
            (8, Some(b'k')) if is("keywords") => self.labels(value),
            (10, Some(b'm')) if is("message-id") => self.message_id(value),
            (10, Some(b'x')) if is("x-keywords") => self.labels(value),
            (10, Some(b'r')) if is("references") => ids(value, &mut self.meta.references),
            (11, Some(b'i')) if is("in-reply-to") => ids(value, &mut self.meta.in_reply_to),
            (11, Some(b'r')) if is("resent-date") => {
                self.dates.resent.get_or_insert(value);
            }
            (11, Some(b'r')) if is("return-path") => self.null_return_path = unfold(value).as_ref() == b"<>",
            (12, Some(b't')) if is("thread-index") => self.thread_index(value),
            (14, Some(b'x')) if is("x-gmail-labels") => self.labels(value),
            (19, Some(b'x')) if is("x-failed-recipients") => self.failed_recipients = true,
            _ => {}
        }
    }

    fn note_ascii(&mut self, value: &[u8]) {
        self.beyond_ascii |= !value.is_ascii();
    }

    fn text(&mut self, value: &[u8]) -> String {
        self.note_ascii(value);
        let unfolded = unfold(value);
        let decoded = text::decode_header_bytes(&unfolded, self.hint);
        words::decode(&decoded).trim().to_owned()
    }

    fn addresses(&mut self, role: Role, value: &[u8]) {
        self.note_ascii(value);
        let room = ADDRESS_BYTES.saturating_sub(self.address_bytes).min(value.len());
        let cut = if room == value.len() {
            room
        } else {
            memchr::memrchr(b',', &value[..room]).map_or(0, |comma| comma + 1)
        };
        self.address_bytes += value.len();
        let mut found = if *self.participants_left == 0 {
            vec![self.as_name(&value[..cut])]
        } else {
            address::parse(&value[..cut], self.hint)
        };
        *self.participants_left = self.participants_left.saturating_sub(found.len());
        if cut < value.len() {
            self.address_bytes_as_text += value.len() - cut;
            found.push(self.as_name(&value[cut..]));
        }
        let people = found.into_iter().map(|address| Participant { role, address });
        self.meta.participants.extend(people);
    }

    fn as_name(&self, value: &[u8]) -> Address {
        let unfolded = unfold(value);
        Address {
            name: text::decode_header_bytes(&unfolded, self.hint).into_owned(),
            addr: String::new(),
        }
    }

    fn message_id(&mut self, value: &[u8]) {
        self.meta.message_id_count += 1;
        let raw = unfold(value);
        if self.meta.message_id_count == 1 && !raw.is_empty() {
            self.meta.message_id = Some(String::from_utf8_lossy(&raw).into_owned());
        }
    }

    fn labels(&mut self, value: &[u8]) {
        let text = self.text(value);
        for label in split_labels(&text) {
            if !label.is_empty() && !self.meta.labels.iter().rev().take(1000).any(|known| known == label) {
                self.meta.labels.push(label.to_owned());
            }
        }
    }

    fn thread_index(&mut self, value: &[u8]) {
        let bytes = base64_bytes(&unfold(value)[..]);
        if !bytes.is_empty() && bytes.len() <= ID_BYTES {
            self.meta.thread_index.get_or_insert(bytes);
        }
    }

    fn finish(mut self, section: &Section) -> ReadMeta {
        self.meta
            .participants
            .sort_by_key(|participant| participant.role.code());
        self.meta.date = choose_date(&self.dates, &mut self.defects);
        match self.meta.message_id_count {
            0 => self.defects.push(Defect::new(DefectCode::MailMessageIdMissing, "")),
            1 => {}
            count => {
                let detail = format!("{count} Message-ID fields");
                self.defects.push(Defect::new(DefectCode::MailMessageIdSeveral, detail));
            }
        }
        if self.address_bytes_as_text > 0 {
            let detail = format!("{} bytes of addresses are kept as text", self.address_bytes_as_text);
            self.defects.push(Defect::new(DefectCode::MailHeaderTooLong, detail));
        }
        if section.fields.is_empty() {
            self.defects.push(Defect::new(DefectCode::MailNoHeaders, ""));
        }
        if self.beyond_ascii {
            self.defects.push(Defect::new(DefectCode::MailHeaderCharset, ""));
        }
        ReadMeta {
            bounce: self.failed_recipients || (self.null_return_path && from_daemon(&self.meta)),
            meta: self.meta,
            defects: self.defects,
        }
    }
}

/// Labels between commas, which may stand inside quotes; without any comma, words (Dovecot's X-Keywords).
fn split_labels(text: &str) -> impl Iterator<Item = &str> {
    let by_words = !text.contains([',', '"']);
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        (c == ',' && !quoted) || (by_words && c.is_whitespace())
    })
    .map(|label| label.trim().trim_matches('"').trim())
}

/// True when the sender is a mail system.
fn from_daemon(meta: &MailMeta) -> bool {
    meta.participants
        .iter()
        .filter(|participant| participant.role == Role::From)
        .any(|participant| {
            let local = participant.address.addr.split('@').next().unwrap_or_default();
            ["mailer-daemon", "postmaster", "mailerdaemon", "mail-daemon"]
                .iter()
                .any(|name| local.eq_ignore_ascii_case(name))
        })
}

/// Ids of a References or In-Reply-To field: what stands in angle brackets; without any, words with an `@`.
fn ids(value: &[u8], out: &mut Vec<String>) {
    let unfolded = unfold(value);
    let mut rest: &[u8] = &unfolded;
    let before = out.len();
    while let Some(open) = memchr::memchr(b'<', rest) {
        rest = &rest[open..];
        let Some(close) = memchr::memchr(b'>', rest) else {
            break;
        };
        if close > 1 && close < ID_BYTES {
            let id: Vec<u8> = rest[..=close]
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            out.push(String::from_utf8_lossy(&id).into_owned());
        }
        rest = &rest[close + 1..];
    }
    if out.len() == before {
        let words = unfolded.split(u8::is_ascii_whitespace);
        let plain = words.filter(|word| word.contains(&b'@') && word.len() < ID_BYTES);
        out.extend(plain.map(|word| String::from_utf8_lossy(word).into_owned()));
    }
}

fn line(value: &[u8]) -> String {
    String::from_utf8_lossy(&unfold(value)).into_owned()
}

fn choose_date(dates: &Dates<'_>, defects: &mut Vec<Defect>) -> EvidenceDate {
    match dates.date {
        Some(value) => {
            let raw = line(value);
            let read = date::parse(&raw);
            defects.extend(read.defects.iter().cloned());
            if read.utc_secs.is_some() {
                return evidence(raw, &read, DateSource::DateHeader);
            }
            fall_back(dates).unwrap_or(EvidenceDate {
                raw,
                source: DateSource::DateHeader,
                ..EvidenceDate::undated()
            })
        }
        None => {
            defects.push(Defect::new(DefectCode::MailDateMissing, ""));
            fall_back(dates).unwrap_or_else(EvidenceDate::undated)
        }
    }
}

fn evidence(raw: String, read: &date::MailDate, source: DateSource) -> EvidenceDate {
    EvidenceDate {
        raw,
        utc_secs: read.utc_secs,
        offset_minutes: read.offset_minutes,
        source,
        confidence: read.confidence,
    }
}

/// Resent-Date, else the newest Received stamp (RFC 5321 section 4.4: after the last semicolon).
fn fall_back(dates: &Dates<'_>) -> Option<EvidenceDate> {
    if let Some(value) = dates.resent {
        let raw = line(value);
        let read = date::parse(&raw);
        if read.utc_secs.is_some() {
            return Some(lowered(evidence(raw, &read, DateSource::ResentDate)));
        }
    }
    let stamps = dates.received.iter().filter_map(|value| {
        let stamp = &value[memchr::memrchr(b';', value)? + 1..];
        let raw = line(stamp);
        let read = date::parse(&raw);
        read.utc_secs
            .is_some()
            .then(|| evidence(raw, &read, DateSource::Received))
    });
    stamps.max_by_key(|stamp| stamp.utc_secs).map(lowered)
}

/// A date that is not the sender's own statement is not of the highest confidence.
fn lowered(mut date: EvidenceDate) -> EvidenceDate {
    date.confidence = date.confidence.min(Confidence::Medium);
    date
}
