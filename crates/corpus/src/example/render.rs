//! A planned message as bytes: RFC 5322 headers, text in US-ASCII, text attachments in base64.
//!
//! Invariant: every copy of a message has the same bytes (line ends are LF), whoever holds it.

use crate::calendar::{london_offset, write_header_date};
use crate::encode::write_base64_lines;
use crate::rng::mix;

use super::plan::{Mail, World};

/// `<...@...>` of a message.
pub(super) fn message_id(world: &World, at: usize) -> String {
    let mail = &world.mails[at];
    let mark = mix(mix(world.seed ^ 0x00e7_a3d1) ^ (u64::from(world.copy) << 32) ^ at as u64);
    let address = world.people[mail.from].smtp(mail.at);
    let domain = address.split('@').next_back().unwrap_or("mail.example");
    format!("<{mark:016x}.{at}@{domain}>")
}

/// The address for a separator line.
pub(super) fn envelope_sender(world: &World, mail: &Mail) -> String {
    world.people[mail.from].smtp(mail.at)
}

fn mailbox(world: &World, person: usize, mail: &Mail) -> String {
    let plan = &world.people[person];
    format!("\"{}\" <{}>", plan.display(mail.at), plan.smtp(mail.at))
}

fn people(world: &World, list: &[usize], mail: &Mail) -> String {
    let all: Vec<String> = list.iter().map(|person| mailbox(world, *person, mail)).collect();
    all.join(",\n ")
}

/// Message-IDs of the messages before this one in its thread, the first one first.
fn ancestors(world: &World, at: usize) -> Vec<String> {
    let mut chain = Vec::new();
    let mut next = world.mails[at].parent;
    while let Some(parent) = next {
        chain.push(message_id(world, parent));
        next = world.mails[parent].parent;
    }
    chain.reverse();
    chain
}

/// The whole message.
pub(super) fn render(world: &World, at: usize) -> Vec<u8> {
    let mail = &world.mails[at];
    let mut out = Vec::new();
    let mut header = |name: &str, value: &str| {
        out.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    };
    let sender = match world.people[mail.from].x500() {
        Some(x500) if mail.x500 => format!("\"{}\" <{x500}>", world.people[mail.from].display(mail.at)),
        _ => mailbox(world, mail.from, mail),
    };
    header("From", &sender);
    header("To", &people(world, &mail.to, mail));
    if !mail.cc.is_empty() {
        header("Cc", &people(world, &mail.cc, mail));
    }
    header("Subject", &mail.subject);
    let mut date = Vec::new();
    write_header_date(&mut date, mail.at, london_offset(mail.at));
    header("Date", &String::from_utf8_lossy(&date));
    header("Message-ID", &message_id(world, at));
    let before = ancestors(world, at);
    if let Some(parent) = before.last() {
        header("In-Reply-To", parent);
        header("References", &before.join("\n "));
    }
    header("MIME-Version", "1.0");
    let text = world.lines(at).join("\n");
    if mail.attachments.is_empty() {
        header("Content-Type", "text/plain; charset=us-ascii");
        header("Content-Transfer-Encoding", "7bit");
        out.extend_from_slice(format!("\n{text}\n").as_bytes());
        return out;
    }
    let boundary = format!("=_part_{at:05}");
    header("Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""));
    out.extend_from_slice(
        format!(
            "\n--{boundary}\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n{text}\n"
        )
        .as_bytes(),
    );
    for attachment in &mail.attachments {
        out.extend_from_slice(
            format!(
                "\n--{boundary}\nContent-Type: text/plain; charset=utf-8; name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"\nContent-Transfer-Encoding: base64\n\n",
                name = attachment.name
            )
            .as_bytes(),
        );
        write_base64_lines(&mut out, attachment.text.as_bytes());
    }
    out.extend_from_slice(format!("\n--{boundary}--\n").as_bytes());
    out
}
