//! Messages that are not ordinary: delivery reports, messages without text, broken ones.
//!
//! Invariant: nothing is planted in them, so what a reader makes of broken bytes never changes a planted count.

use crate::calendar::{write_header_date, write_number};
use crate::encode::write_random_base64;
use crate::headers::{write_hex, write_message_id};
use crate::message::{Renderer, Target};
use crate::parts::{close_parts, open_part, write_multipart_type, write_part_head, write_text_part};
use crate::people::FORCE_DOMAIN;
use crate::plan::Planner;
use crate::rng::{Purpose, Rng, mix};
use crate::text::{Wrap, write_paragraph};
use crate::truth::BrokenKind;

impl Renderer {
    /// Replaces `self.text` by some paragraphs of this message.
    fn compose_simple(&mut self, planner: &Planner, target: &Target<'_>) {
        let mut rng = Rng::new(planner.config.seed, Purpose::Body, target.number);
        self.text.clear();
        for _ in 0..1 + rng.below(4) {
            let words = rng.between(10, 80);
            write_paragraph(&mut self.text, &mut rng, &self.vocabulary, words, Wrap::Hard);
            self.text.push(b'\n');
        }
    }

    /// A delivery status notification (RFC 3464) with the headers, or the whole, of what was not delivered.
    pub(crate) fn render_bounce(&mut self, planner: &Planner, target: &Target<'_>, out: &mut Vec<u8>) {
        self.facts.bounce = true;
        let mut rng = Rng::new(planner.config.seed, Purpose::Form, target.number);
        let failed = planner.people.some_outsider(&mut rng);
        let holder = target.thread().people[0];
        self.write_trace(planner, target, out);
        write_message_id(out, planner, target.number, holder, b"Message-ID: ");
        self.write_date(planner, target, out);
        out.extend_from_slice(b"From: Mail Delivery System <MAILER-DAEMON@");
        out.extend_from_slice(FORCE_DOMAIN.as_bytes());
        out.extend_from_slice(b">\nTo: ");
        planner.people.write_mailbox(out, holder);
        out.extend_from_slice(
            b"\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n",
        );
        let boundary = format!("{:x}/{}", mix(target.number) >> 32, target.number);
        write_multipart_type(out, "multipart/report; report-type=delivery-status", &boundary);
        open_part(out, &boundary);
        self.text.clear();
        self.text
            .extend_from_slice(b"This is the mail system. Your message could not be delivered to\n\n<");
        planner.people.write_address(&mut self.text, failed);
        self.text
            .extend_from_slice(b">: host said: 550 5.1.1 no such user here\n");
        write_text_part(out, "text/plain; charset=us-ascii", "7bit", &self.text);
        open_part(out, &boundary);
        out.extend_from_slice(b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx1.");
        out.extend_from_slice(FORCE_DOMAIN.as_bytes());
        out.extend_from_slice(b"\nArrival-Date: ");
        write_header_date(out, target.slot.sent_at - 60, 0);
        out.extend_from_slice(b"\n\nFinal-Recipient: rfc822; ");
        planner.people.write_address(out, failed);
        out.extend_from_slice(b"\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user here\n");
        self.facts.attachment_types.push("message/delivery-status");
        open_part(out, &boundary);
        let is_whole = rng.bits() & 1 == 0;
        out.extend_from_slice(if is_whole {
            b"Content-Type: message/rfc822\n\n"
        } else {
            b"Content-Type: text/rfc822-headers\n\n"
        });
        write_message_id(out, planner, 1 << 41 | target.number, holder, b"Message-ID: ");
        out.extend_from_slice(b"From: ");
        planner.people.write_mailbox(out, holder);
        out.extend_from_slice(b"\nTo: <");
        planner.people.write_address(out, failed);
        out.extend_from_slice(b">\nSubject: ");
        for _ in 0..4 {
            out.extend_from_slice(self.vocabulary.content_word(&mut rng).as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(b"notice\n");
        if is_whole {
            self.facts.nested += 1;
            out.push(b'\n');
            write_paragraph(out, &mut rng, &self.vocabulary, 40, Wrap::Hard);
        }
        close_parts(out, &boundary);
    }

    /// An empty body, one of line ends only, or only a picture.
    pub(crate) fn render_without_text(&mut self, planner: &Planner, target: &Target<'_>, out: &mut Vec<u8>) {
        self.facts.without_text = true;
        let mut rng = Rng::new(planner.config.seed, Purpose::Form, target.number);
        self.write_headers(planner, target, None, out);
        match rng.below(3) {
            0 => out.push(b'\n'),
            1 => out.extend_from_slice(b"Content-Type: text/plain; charset=us-ascii\n\n \n\n \n"),
            _ => {
                let boundary = format!("only_{}", target.number);
                write_multipart_type(out, "multipart/mixed", &boundary);
                open_part(out, &boundary);
                out.extend_from_slice(b"Content-Type: application/octet-stream; name=\"scan.dat\"\nContent-Disposition: attachment; filename=\"scan.dat\"\nContent-Transfer-Encoding: base64\n\n");
                let groups = rng.between(100, 3000);
                write_random_base64(out, &mut rng, groups);
                self.facts.attachment_types.push("application/octet-stream");
                close_parts(out, &boundary);
            }
        }
    }

    /// A message that is broken in one way.
    pub(crate) fn render_broken(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        kind: BrokenKind,
        out: &mut Vec<u8>,
    ) {
        self.facts.broken = Some(kind);
        self.compose_simple(planner, target);
        if kind == BrokenKind::NoHeaders {
            out.extend_from_slice(b"This text arrived without a single header, as number ");
            write_number(out, target.number, 1);
            write_hex(out, mix(planner.config.seed ^ target.number) as u32);
            out.extend_from_slice(b".\n\n");
            out.extend_from_slice(&self.text);
            if target.version > 0 {
                out.extend_from_slice(b"It came over the list.\n");
            }
            return;
        }
        self.write_trace(planner, target, out);
        self.write_broken_headers(planner, target, kind, out);
        out.extend_from_slice(b"MIME-Version: 1.0\n");
        self.write_broken_body(planner, target, kind, out);
    }

    fn write_broken_headers(&mut self, planner: &Planner, target: &Target<'_>, kind: BrokenKind, out: &mut Vec<u8>) {
        let sender = target.slot.sender;
        if kind != BrokenKind::NoMessageId {
            write_message_id(out, planner, target.number, sender, b"Message-ID: ");
        }
        if kind == BrokenKind::TwoMessageIds {
            write_message_id(out, planner, 1 << 42 | target.number, sender, b"Message-ID: ");
        }
        if kind == BrokenKind::BadDate {
            out.extend_from_slice(b"Date: Someday, 45 Brumaire 20x7 99:61\n");
        } else {
            self.write_date(planner, target, out);
        }
        if kind == BrokenKind::EightBitHeader {
            out.extend_from_slice(b"From: Andr\xe9 Caf\xe9 <andre.cafe@mail.example>\nTo: ");
            planner.people.write_mailbox(out, target.thread().people[0]);
            out.extend_from_slice(b"\nSubject: R\xe9sum\xe9 of the meeting\n");
        } else {
            self.write_people(planner, target, None, out);
            self.write_subject(planner, target, None, out);
        }
    }

    fn write_broken_body(&mut self, planner: &Planner, target: &Target<'_>, kind: BrokenKind, out: &mut Vec<u8>) {
        let plain = "text/plain; charset=us-ascii";
        match kind {
            BrokenKind::NoHeaderEnd => {
                self.facts.without_text = true;
                out.extend_from_slice(b"Content-Type: text/plain; charset=us-ascii\n");
            }
            BrokenKind::NoHeaders
            | BrokenKind::BadDate
            | BrokenKind::NoMessageId
            | BrokenKind::TwoMessageIds
            | BrokenKind::EightBitHeader => write_text_part(out, plain, "7bit", &self.text),
            BrokenKind::UnknownCharset => write_text_part(out, "text/plain; charset=x-vale-7", "8bit", &self.text),
            BrokenKind::WrongCharset => {
                write_part_head(out, "text/plain; charset=utf-8", "8bit");
                out.extend_from_slice(b"Caf\xe9 and fa\xe7ade are here.\n\n");
                out.extend_from_slice(&self.text);
            }
            BrokenKind::BadQuotedPrintable => {
                write_part_head(out, "text/plain; charset=utf-8", "quoted-printable");
                out.extend_from_slice(b"A sum =ZZ that is not right =\t\n\n");
                out.extend_from_slice(&self.text);
            }
            BrokenKind::BoundaryMissing => {
                write_multipart_type(out, "multipart/mixed", "never-seen-again");
                out.push(b'\n');
                out.extend_from_slice(&self.text);
            }
            BrokenKind::BoundaryUnclosed | BrokenKind::BadBase64 => {
                let boundary = format!("torn_{}", target.number);
                write_multipart_type(out, "multipart/mixed", &boundary);
                open_part(out, &boundary);
                write_text_part(out, plain, "7bit", &self.text);
                open_part(out, &boundary);
                out.extend_from_slice(b"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"torn.dat\"\nContent-Transfer-Encoding: base64\n\n");
                let mut rng = Rng::new(planner.config.seed, Purpose::Attachment, target.number * 16);
                write_random_base64(out, &mut rng, 200);
                if kind == BrokenKind::BadBase64 {
                    out.extend_from_slice(b"!!*~ not base64 ~*!!\nQUJD\nQU\n");
                    close_parts(out, &boundary);
                }
            }
        }
    }
}
