//! Parts: multipart scaffolding, attachments, attached messages.
//!
//! Invariant: the first attachment of a message is the item with part path `1`, whatever its body is.

use crate::calendar::{london_offset, write_header_date, write_number};
use crate::encode::{write_base64_lines, write_encoded_words, write_extended_parameter, write_random_base64};
use crate::headers::write_message_id;
use crate::message::{Holder, Renderer, Target};
use crate::needle::{Needle, NeedlePlace};
use crate::plan::Planner;
use crate::rng::{Purpose, Rng};
use crate::text::{Wrap, write_paragraph};

/// What an attachment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttachmentKind {
    Csv,
    Text,
    Binary,
    Image,
    Nested,
}

impl AttachmentKind {
    /// The item that holds text planted with this attachment.
    pub(crate) fn holder(self) -> Holder {
        match self {
            Self::Csv | Self::Text => Holder::Attachment,
            Self::Nested => Holder::Nested,
            Self::Binary | Self::Image => Holder::Message,
        }
    }
}

/// The kind of attachment `nth` of a message.
pub(crate) fn attachment_kind(planner: &Planner, number: u64, nth: u32, needle: Option<&Needle>) -> AttachmentKind {
    if nth == 0 {
        match needle.map(|needle| needle.place) {
            Some(NeedlePlace::AttachmentText | NeedlePlace::Filename | NeedlePlace::FilenameExtended) => {
                return AttachmentKind::Text;
            }
            Some(NeedlePlace::AttachmentCsv) => return AttachmentKind::Csv,
            Some(NeedlePlace::NestedBody | NeedlePlace::NestedSubject) => return AttachmentKind::Nested,
            _ => {}
        }
    }
    match attachment_rng(planner, number, nth).below(20) {
        0..6 => AttachmentKind::Csv,
        6..10 => AttachmentKind::Text,
        10..15 => AttachmentKind::Binary,
        15..18 => AttachmentKind::Image,
        _ => AttachmentKind::Nested,
    }
}

fn attachment_rng(planner: &Planner, number: u64, nth: u32) -> Rng {
    Rng::new(planner.config.seed, Purpose::Attachment, number * 16 + u64::from(nth))
}

/// The first bytes of every PNG (RFC 2083 section 3.1) and of its header chunk, in base64: 18 bytes, 24 characters.
const PNG_HEAD: &[u8] = b"iVBORw0KGgoAAAANSUhEUgAB";

impl Renderer {
    /// Appends attachment `nth` (headers and content) and notes it.
    pub(crate) fn write_attachment(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        nth: u32,
        needle: Option<&Needle>,
        out: &mut Vec<u8>,
    ) {
        let kind = attachment_kind(planner, target.number, nth, needle);
        let needle = needle.filter(|_| nth == 0);
        let mut rng = attachment_rng(planner, target.number, nth);
        rng.bits();
        match kind {
            AttachmentKind::Csv => {
                self.write_attachment_head(out, "text/csv; charset=utf-8", "base64", ".csv", needle, &mut rng);
                self.facts.attachment_types.push("text/csv");
                let mut csv = self.make_csv(target.number, nth, needle, &mut rng);
                write_base64_lines(out, &csv);
                csv.clear();
                self.scratch = csv;
            }
            AttachmentKind::Text => {
                self.write_attachment_head(out, "text/plain; charset=us-ascii", "7bit", ".txt", needle, &mut rng);
                self.facts.attachment_types.push("text/plain");
                // A few texts recur, as circulars do; what is planted never stands in one of those.
                let is_circular = rng.below(4) == 0;
                let mut text = if is_circular {
                    Rng::new(
                        planner.config.seed,
                        Purpose::Attachment,
                        u64::MAX - u64::from(rng.below(8)),
                    )
                } else {
                    rng
                };
                for _ in 0..3 + text.below(5) {
                    let words = text.between(20, 150);
                    write_paragraph(out, &mut text, &self.vocabulary, words, Wrap::Hard);
                    out.push(b'\n');
                }
                self.add_planted(
                    target.number,
                    nth,
                    needle,
                    NeedlePlace::AttachmentText,
                    Holder::Attachment,
                    out,
                );
            }
            AttachmentKind::Binary => {
                self.write_attachment_head(out, "application/octet-stream", "base64", ".dat", needle, &mut rng);
                self.facts.attachment_types.push("application/octet-stream");
                let groups = rng.between(300, 24_000);
                write_random_base64(out, &mut rng, groups);
            }
            AttachmentKind::Image => {
                self.write_attachment_head(out, "image/png", "base64", ".png", needle, &mut rng);
                self.facts.attachment_types.push("image/png");
                out.extend_from_slice(PNG_HEAD);
                out.push(b'\n');
                let groups = rng.between(200, 9_000);
                write_random_base64(out, &mut rng, groups);
            }
            AttachmentKind::Nested => self.write_nested(planner, target, nth, needle, &mut rng, out),
        }
    }

    fn write_attachment_head(
        &mut self,
        out: &mut Vec<u8>,
        media_type: &str,
        encoding: &str,
        ending: &str,
        needle: Option<&Needle>,
        rng: &mut Rng,
    ) {
        let mut name = String::new();
        for _ in 0..1 + rng.below(2) {
            name.push_str(self.vocabulary.content_word(rng));
            name.push('-');
        }
        if let Some(needle) =
            needle.filter(|needle| matches!(needle.place, NeedlePlace::Filename | NeedlePlace::FilenameExtended))
        {
            name.push_str(&needle.written);
            name.push('-');
        }
        name.push_str(&rng.below(10_000).to_string());
        let style = match needle.map(|needle| needle.place) {
            Some(NeedlePlace::FilenameExtended) => 0,
            Some(_) => 2,
            None => rng.below(12),
        };
        out.extend_from_slice(b"Content-Type: ");
        out.extend_from_slice(media_type.as_bytes());
        out.extend_from_slice(b"\nContent-Transfer-Encoding: ");
        out.extend_from_slice(encoding.as_bytes());
        out.extend_from_slice(b"\nContent-Disposition: attachment;\n\t");
        match style {
            0 => {
                let written = format!("{name} d\u{e9}tail{ending}");
                write_extended_parameter(out, "filename", &written);
            }
            1 => {
                out.extend_from_slice(b"filename=\"");
                write_encoded_words(out, &format!("{name}-\u{e9}{ending}"), crate::encode::Charset::Utf8);
                out.push(b'"');
            }
            _ => {
                out.extend_from_slice(b"filename=\"");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(ending.as_bytes());
                out.push(b'"');
            }
        }
        out.extend_from_slice(b"\n\n");
    }

    /// A table with a heading, made in the scratch buffer, which the caller gives back.
    fn make_csv(&mut self, number: u64, nth: u32, needle: Option<&Needle>, rng: &mut Rng) -> Vec<u8> {
        let mut csv = std::mem::take(&mut self.scratch);
        csv.clear();
        csv.extend_from_slice(b"reference,item,quantity,remark\n");
        for row in 0..8 + rng.below(60) {
            csv.extend_from_slice(b"TV-");
            write_number(&mut csv, u64::from(rng.below(1_000_000)), 6);
            csv.push(b',');
            csv.extend_from_slice(self.vocabulary.content_word(rng).as_bytes());
            csv.push(b',');
            write_number(&mut csv, u64::from(row + rng.below(50)), 1);
            csv.push(b',');
            for _ in 0..4 {
                self.vocabulary.write_word(&mut csv, rng);
            }
            csv.pop();
            csv.push(b'\n');
        }
        self.add_planted(
            number,
            nth,
            needle,
            NeedlePlace::AttachmentCsv,
            Holder::Attachment,
            &mut csv,
        );
        csv
    }

    /// Appends what is planted in the first attachment.
    fn add_planted(
        &mut self,
        number: u64,
        nth: u32,
        needle: Option<&Needle>,
        place: NeedlePlace,
        holder: Holder,
        out: &mut Vec<u8>,
    ) {
        if let Some(needle) = needle.filter(|needle| needle.place == place) {
            out.extend_from_slice(needle.written.as_bytes());
            out.push(b'\n');
        }
        if nth == 0 {
            self.plant_phrases(number, holder, out);
        }
    }

    fn write_nested(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        nth: u32,
        needle: Option<&Needle>,
        rng: &mut Rng,
        out: &mut Vec<u8>,
    ) {
        self.facts.nested += 1;
        out.extend_from_slice(b"Content-Type: message/rfc822\nContent-Disposition: attachment\n\n");
        let author = planner.people.some_outsider(rng);
        let earlier = target.slot.sent_at - i64::from(rng.between(600, 900_000));
        let id = (1 << 40) | (target.number * 16 + u64::from(nth));
        write_message_id(out, planner, id, author, b"Message-ID: ");
        out.extend_from_slice(b"Date: ");
        write_header_date(out, earlier, london_offset(earlier));
        out.extend_from_slice(b"\nFrom: ");
        planner.people.write_mailbox(out, author);
        out.extend_from_slice(b"\nTo: ");
        planner.people.write_mailbox(out, target.slot.sender);
        out.extend_from_slice(b"\nSubject: ");
        for _ in 0..4 {
            out.extend_from_slice(self.vocabulary.content_word(rng).as_bytes());
            out.push(b' ');
        }
        if let Some(needle) = needle.filter(|needle| needle.place == NeedlePlace::NestedSubject) {
            out.extend_from_slice(needle.written.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(b"again\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n");
        for _ in 0..1 + rng.below(3) {
            let words = rng.between(15, 90);
            write_paragraph(out, rng, &self.vocabulary, words, Wrap::Hard);
            out.push(b'\n');
        }
        self.add_planted(target.number, nth, needle, NeedlePlace::NestedBody, Holder::Nested, out);
    }
}

/// Appends `Content-Type` and `Content-Transfer-Encoding` and the empty line.
pub(crate) fn write_part_head(out: &mut Vec<u8>, media_type: &str, encoding: &str) {
    out.extend_from_slice(b"Content-Type: ");
    out.extend_from_slice(media_type.as_bytes());
    out.extend_from_slice(b"\nContent-Transfer-Encoding: ");
    out.extend_from_slice(encoding.as_bytes());
    out.extend_from_slice(b"\n\n");
}

/// Appends a part whose content needs no encoding.
pub(crate) fn write_text_part(out: &mut Vec<u8>, media_type: &str, encoding: &str, text: &[u8]) {
    write_part_head(out, media_type, encoding);
    out.extend_from_slice(text);
}

/// Appends the `Content-Type` of a multipart entity, without the empty line.
pub(crate) fn write_multipart_type(out: &mut Vec<u8>, media_type: &str, boundary: &str) {
    out.extend_from_slice(b"Content-Type: ");
    out.extend_from_slice(media_type.as_bytes());
    out.extend_from_slice(b";\n\tboundary=\"");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(b"\"\n");
}

/// Appends the delimiter before a part (RFC 2046 section 5.1.1).
pub(crate) fn open_part(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(b"\n--");
    out.extend_from_slice(boundary.as_bytes());
    out.push(b'\n');
}

/// Appends the closing delimiter.
pub(crate) fn close_parts(out: &mut Vec<u8>, boundary: &str) {
    out.extend_from_slice(b"\n--");
    out.extend_from_slice(boundary.as_bytes());
    out.extend_from_slice(b"--\n");
}
