//! The header section of a message.
//!
//! Invariant: a `Received` line names the number of the message, so no two distinct messages have equal bytes.

use crate::calendar::{london_offset, write_header_date, write_number};
use crate::encode::{Charset, write_encoded_words};
use crate::message::{Renderer, Target};
use crate::needle::{Needle, NeedlePlace};
use crate::people::FORCE_DOMAIN;
use crate::plan::{Planner, Thread};
use crate::rng::{Purpose, Rng, mix};
use crate::words::Vocabulary;

impl Renderer {
    /// Appends all headers up to `MIME-Version`; `Content-Type` is left to the body.
    pub(crate) fn write_headers(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        needle: Option<&Needle>,
        out: &mut Vec<u8>,
    ) {
        self.write_trace(planner, target, out);
        write_message_id(out, planner, target.number, target.slot.sender, b"Message-ID: ");
        self.write_date(planner, target, out);
        self.write_people(planner, target, needle, out);
        self.write_subject(planner, target, needle, out);
        write_ancestors(out, planner, target);
        out.extend_from_slice(b"X-Mailer: Quillmail ");
        write_number(out, mix(u64::from(target.slot.sender)) % 9 + 1, 1);
        out.extend_from_slice(b".2\nMIME-Version: 1.0\n");
    }

    /// Appends `Received` lines (and what a list adds); the first names the message number, so bytes never repeat.
    pub(crate) fn write_trace(&mut self, planner: &Planner, target: &Target<'_>, out: &mut Vec<u8>) {
        let mut rng = Rng::new(planner.config.seed, Purpose::Header, target.number);
        if target.version > 0 {
            out.extend_from_slice(b"List-Id: All of the Vale <vale-all.lists.tarrowvale.police.example>\nList-Post: <mailto:vale-all@lists.tarrowvale.police.example>\n");
        }
        let hops = 1 + rng.below(2);
        for hop in 0..hops {
            out.extend_from_slice(b"Received: from mail");
            write_number(out, u64::from(rng.below(8)), 1);
            out.push(b'.');
            out.extend_from_slice(planner.people.domain(target.slot.sender).as_bytes());
            out.extend_from_slice(b" ([10.");
            write_number(out, u64::from(rng.below(256)), 1);
            out.push(b'.');
            write_number(out, u64::from(rng.below(256)), 1);
            out.extend_from_slice(b".7])\n\tby mx");
            write_number(out, u64::from(hop + 1), 1);
            out.push(b'.');
            out.extend_from_slice(FORCE_DOMAIN.as_bytes());
            out.extend_from_slice(b" (Quillpost) with ESMTP id ");
            write_hex(out, mix(target.number ^ (u64::from(hop) << 60)) as u32);
            write_number(out, target.number, 1);
            out.extend_from_slice(b";\n\t");
            let at = target.slot.sent_at + i64::from(hops - hop) * 3;
            write_header_date(out, at, london_offset(at));
            out.push(b'\n');
        }
    }

    /// Appends `Date`, and notes it.
    pub(crate) fn write_date(&mut self, planner: &Planner, target: &Target<'_>, out: &mut Vec<u8>) {
        let at = target.slot.sent_at;
        self.facts.dated = Some(at);
        out.extend_from_slice(b"Date: ");
        write_header_date(out, at, planner.people.offset(target.slot.sender, at));
        out.push(b'\n');
    }

    /// Appends `From`, `To` and `Cc`.
    pub(crate) fn write_people(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        needle: Option<&Needle>,
        out: &mut Vec<u8>,
    ) {
        let people = planner.people;
        let sender = target.slot.sender;
        out.extend_from_slice(b"From: ");
        people.write_mailbox(out, sender);
        let mut header: &[u8] = b"\nTo: ";
        let others = target
            .thread()
            .people
            .iter()
            .copied()
            .filter(|person| *person != sender);
        for (at, person) in others.enumerate() {
            if at == 2 {
                header = b"\nCc: ";
            }
            out.extend_from_slice(header);
            people.write_mailbox(out, person);
            header = b",\n\t";
        }
        let has_cc = target.thread().people.len() > 3;
        let mut header: &[u8] = if has_cc { b",\n\t" } else { b"\nCc: " };
        let also = target.also_to.iter().copied();
        for person in also.filter(|person| !target.thread().people.contains(person)) {
            out.extend_from_slice(header);
            people.write_mailbox(out, person);
            header = b",\n\t";
        }
        if let Some(needle) = needle.filter(|needle| needle.place == NeedlePlace::CcName) {
            out.extend_from_slice(header);
            out.extend_from_slice(needle.written.as_bytes());
            out.extend_from_slice(b" Duty Desk <duty.desk@");
            out.extend_from_slice(FORCE_DOMAIN.as_bytes());
            out.push(b'>');
        }
        out.push(b'\n');
    }

    /// Appends `Subject`, as an encoded word now and then.
    pub(crate) fn write_subject(
        &mut self,
        planner: &Planner,
        target: &Target<'_>,
        needle: Option<&Needle>,
        out: &mut Vec<u8>,
    ) {
        let mut subject = subject_of(planner, &self.vocabulary, target.thread());
        if target.slot.index > 0 {
            subject.insert_str(0, "Re: ");
        }
        let place = needle.map(|needle| needle.place);
        if let Some(needle) =
            needle.filter(|needle| matches!(needle.place, NeedlePlace::Subject | NeedlePlace::SubjectEncoded))
        {
            subject.push(' ');
            subject.push_str(&needle.written);
        }
        let is_encoded =
            place == Some(NeedlePlace::SubjectEncoded) || mix(target.thread().subject ^ 5).is_multiple_of(20);
        out.extend_from_slice(b"Subject: ");
        if is_encoded {
            subject.push_str(" à propos");
            let charset = [Charset::Utf8, Charset::Latin1][(target.thread().subject & 1) as usize];
            write_encoded_words(out, &subject, charset);
        } else if subject.len() > 64 {
            let fold = subject[40..].find(' ').map_or(subject.len(), |at| at + 40);
            out.extend_from_slice(&subject.as_bytes()[..fold]);
            if fold < subject.len() {
                out.push(b'\n');
            }
            out.extend_from_slice(&subject.as_bytes()[fold..]);
        } else {
            out.extend_from_slice(subject.as_bytes());
        }
        out.push(b'\n');
    }
}

/// The subject of a conversation, without `Re:`; ASCII.
fn subject_of(planner: &Planner, vocabulary: &Vocabulary, thread: &Thread) -> String {
    let mut rng = Rng::new(planner.config.seed, Purpose::Header, thread.subject | 1 << 63);
    let mut subject = String::new();
    if let Some(number) = thread.case {
        let case = &planner.cases[number as usize];
        subject.push_str(&case.case_ref);
        subject.push_str(": ");
        subject.push_str(&case.decisions[thread.decision].kind.replace('_', " "));
        subject.push(' ');
    }
    for at in 0..2 + rng.below(4) {
        if at > 0 {
            subject.push(' ');
        }
        subject.push_str(vocabulary.content_word(&mut rng));
    }
    subject
}

/// Appends `header` and the Message-ID of a message.
pub(crate) fn write_message_id(out: &mut Vec<u8>, planner: &Planner, number: u64, sender: u32, header: &[u8]) {
    out.extend_from_slice(header);
    out.push(b'<');
    write_hex(out, mix(planner.config.seed ^ mix(number)) as u32);
    out.push(b'.');
    write_number(out, number, 1);
    out.push(b'@');
    out.extend_from_slice(planner.people.domain(sender).as_bytes());
    out.extend_from_slice(b">\n");
}

fn write_ancestors(out: &mut Vec<u8>, planner: &Planner, target: &Target<'_>) {
    let mut chain = Vec::new();
    let mut parent = target.slot.parent;
    while let Some(at) = parent {
        let slot = &target.block.slots[usize::from(at)];
        chain.push((target.block.first + u64::from(at), slot.sender));
        parent = slot.parent;
    }
    let Some((number, sender)) = chain.first().copied() else {
        return;
    };
    write_message_id(out, planner, number, sender, b"In-Reply-To: ");
    let mut header: &[u8] = b"References: ";
    for (number, sender) in chain.into_iter().rev() {
        write_message_id(out, planner, number, sender, header);
        header = b"\t";
    }
}

/// Eight hexadecimal digits.
pub(crate) fn write_hex(out: &mut Vec<u8>, value: u32) {
    for shift in (0..8).rev() {
        out.push(b"0123456789abcdef"[(value >> (shift * 4) & 15) as usize]);
    }
}
