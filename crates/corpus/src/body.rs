//! Body texts: what people write, what they quote, how they sign.
//!
//! Invariant: the own words of a message are a function of its number, so a reply can quote its parent without having
//! it; planted text stands apart from what is quoted, so every planted word has exactly the places that are counted.

use crate::calendar::{write_header_date, write_number};
use crate::people::{FORCE_NAME, People};
use crate::plan::{Block, Planner, Slot};
use crate::rng::{Purpose, Rng, mix};
use crate::text::{Wrap, write_paragraph, write_quoted};
use crate::words::Vocabulary;

/// Lengths of bodies as sixteenths of the median.
const LENGTHS: [u32; 16] = [2, 4, 6, 8, 10, 12, 14, 16, 16, 20, 24, 28, 34, 44, 60, 110];

/// Appends the own words of a message: the first `paragraphs` of them.
pub(crate) fn write_own(
    out: &mut Vec<u8>,
    planner: &Planner,
    vocabulary: &Vocabulary,
    number: u64,
    paragraphs: u32,
    wrap: Wrap,
) {
    let mut rng = Rng::new(planner.config.seed, Purpose::Body, number);
    let mut left = (planner.config.median_words * rng.pick(&LENGTHS) / 16).max(4);
    let mut written = 0;
    while left > 0 && written < paragraphs {
        let words = rng.between(15, 110).min(left);
        if written > 0 {
            out.push(b'\n');
        }
        write_paragraph(out, &mut rng, vocabulary, words, wrap);
        left -= words;
        written += 1;
    }
}

/// Appends what a reply says of the message that it answers.
pub(crate) fn write_quote(
    out: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
    planner: &Planner,
    vocabulary: &Vocabulary,
    block: &Block,
    slot: &Slot,
) {
    let Some(parent) = slot.parent else { return };
    let parent_slot = &block.slots[usize::from(parent)];
    let number = block.first + u64::from(parent);
    let people = planner.people;
    let is_outlook_like = mix(u64::from(slot.sender)) & 1 == 0;
    if is_outlook_like {
        out.extend_from_slice(b"\n-----Original Message-----\nFrom: ");
        people.write_mailbox(out, parent_slot.sender);
        out.extend_from_slice(b"\nSent: ");
        write_header_date(
            out,
            parent_slot.sent_at,
            people.offset(parent_slot.sender, parent_slot.sent_at),
        );
        out.extend_from_slice(b"\n\n");
        write_own(out, planner, vocabulary, number, 2, Wrap::Hard);
        return;
    }
    out.extend_from_slice(b"\nOn ");
    write_header_date(
        out,
        parent_slot.sent_at,
        people.offset(parent_slot.sender, parent_slot.sent_at),
    );
    let (first, family) = people.name(parent_slot.sender);
    for piece in [" ", first, " ", family, " wrote:\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
    scratch.clear();
    if let Some(grandparent) = parent_slot.parent {
        // Only its first line is marked twice, as careless programs do.
        scratch.extend_from_slice(b"> ");
        write_own(
            scratch,
            planner,
            vocabulary,
            block.first + u64::from(grandparent),
            1,
            Wrap::Hard,
        );
    }
    write_own(scratch, planner, vocabulary, number, 2, Wrap::Hard);
    write_quoted(out, scratch);
}

/// Appends `Dear Ardwen,` or nothing.
pub(crate) fn write_greeting(out: &mut Vec<u8>, people: People, to: u32, rng: &mut Rng) {
    let word: &[u8] = match rng.below(5) {
        0 => b"Dear ",
        1 => b"Hi ",
        2 => b"",
        3 => b"Morning ",
        _ => return,
    };
    out.extend_from_slice(word);
    out.extend_from_slice(people.name(to).0.as_bytes());
    out.extend_from_slice(b",\n\n");
}

/// Appends a signature block; `extra` stands on its last line.
pub(crate) fn write_signature(out: &mut Vec<u8>, people: People, person: u32, extra: Option<&str>) {
    let (first, family) = people.name(person);
    out.extend_from_slice(b"\n-- \n");
    let unit = people.unit(person);
    let lines: &[&str] = if person < people.staff {
        &[
            people.rank(person),
            " ",
            first,
            " ",
            family,
            "\n",
            unit,
            ", ",
            FORCE_NAME,
            "\nTel: 0",
        ]
    } else {
        &[first, " ", family, "\nTel: 0"]
    };
    for piece in lines {
        out.extend_from_slice(piece.as_bytes());
    }
    // 01632 960 is a range that no subscriber ever has.
    out.extend_from_slice(b"1632 960");
    write_number(out, mix(u64::from(person)) % 1000, 3);
    out.push(b'\n');
    if let Some(extra) = extra {
        out.extend_from_slice(extra.as_bytes());
        out.push(b'\n');
    }
}

/// Appends a sentence that holds `planted`, on a line end inside it every other time.
pub(crate) fn write_planted(out: &mut Vec<u8>, planted: &str, number: u64) {
    let bits = mix(number ^ 0x91a7);
    let frames: [(&str, &str); 4] = [
        ("We spoke again about ", " and left it there.\n"),
        ("You asked me what ", " was supposed to mean.\n"),
        ("Nobody wrote down ", " at the time.\n"),
        ("As agreed, ", " stays as it is.\n"),
    ];
    let (before, after) = frames[(bits & 3) as usize];
    out.push(b'\n');
    out.extend_from_slice(before.as_bytes());
    if bits & 4 == 0 {
        out.extend_from_slice(planted.replacen(' ', "\n", 1).as_bytes());
    } else {
        out.extend_from_slice(planted.as_bytes());
    }
    out.extend_from_slice(after.as_bytes());
}

/// Appends the HTML of a plain text: a paragraph for each block of lines, quoted lines in a block quotation.
pub(crate) fn write_html(out: &mut Vec<u8>, plain: &[u8], extra: Option<&str>) {
    out.extend_from_slice(
        b"<html><head><meta http-equiv=\"Content-Type\" content=\"text/html\">\n<style>p { margin: 0 0 1em; }</style></head>\n<body lang=\"EN-GB\">\n",
    );
    let mut is_open = false;
    for line in plain.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\n" {
            if is_open {
                out.extend_from_slice(b"</p>\n");
                is_open = false;
            }
            continue;
        }
        if !is_open {
            out.extend_from_slice(b"<p class=\"MsoNormal\">");
            is_open = true;
        }
        write_escaped(out, line);
    }
    if is_open {
        out.extend_from_slice(b"</p>\n");
    }
    if let Some(extra) = extra {
        out.extend_from_slice(b"<p>Read <b>");
        out.extend_from_slice(extra.as_bytes());
        out.extend_from_slice(b"</b> first.</p>\n");
    }
    out.extend_from_slice(b"</body></html>\n");
}

fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(escape);
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
}
