//! OpenPGP messages between lines of dashes in the body of a mail.
//!
//! Not for: encrypted parts of a mail, which are parts and opened as such (`openpgp`, `cms`). Main function: [`open`]. Decisions: only blocks in the body of the
//! message itself count, bodies of messages in it are items of their own; each block that opens gives its content as a member. Invariant: the text of the mail
//! stays the mail's text, so nothing here gives text; without a key or password nothing is said that the mail reader has not said.

use std::io;

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;
use memchr::memmem;

use super::keys::Secrets;
use super::openpgp;
use crate::mail::{ParseLimits, parse_message};
use crate::opened::{Members, OpenLimits, Opened};

/// A mail.
pub const MAIL: &str = "message/rfc822";

const BEGIN: &[u8] = b"-----BEGIN PGP MESSAGE-----";
const END: &[u8] = b"-----END PGP MESSAGE-----";
/// Blocks of one mail that are opened.
const MAX_BLOCKS: usize = 100;

/// True when a line of a text begins an encrypted block.
pub fn has_block(text: &str) -> bool {
    !blocks(text.as_bytes()).is_empty()
}

/// Opens the armoured blocks in the body of a mail. The answer says `Encrypted` while one of them stays closed, and has no reader when there is none.
///
/// # Errors
/// When the taker cannot go on.
pub fn open(bytes: &[u8], secrets: &Secrets<'_>, limits: &OpenLimits, members: &mut dyn Members) -> io::Result<Opened> {
    let family = parse_message(bytes, &ParseLimits::default());
    let text = family.items.first().map(|item| item.text.as_str()).unwrap_or_default();
    let blocks = blocks(text.as_bytes());
    if blocks.is_empty() {
        return Ok(Opened {
            reader: "none".to_owned(),
            ..Opened::default()
        });
    }
    let mut opened = Opened {
        reader: "openpgp-text/1".to_owned(),
        ..Opened::default()
    };
    for (at, block) in blocks.iter().enumerate().take(MAX_BLOCKS) {
        let one = openpgp::open(block, secrets, limits, members)?;
        opened.keys_tried = opened.keys_tried.max(one.keys_tried);
        opened.passwords_tried = opened.passwords_tried.max(one.passwords_tried);
        opened.key_used = opened.key_used.or(one.key_used);
        opened.password_used = opened.password_used.or(one.password_used);
        if matches!(
            one.searchability,
            Some(Searchability::Encrypted | Searchability::Failed)
        ) {
            opened.searchability = Some(Searchability::Encrypted);
        }
        let nth = |detail: &str| format!("block {} of {} in the text: {detail}", at + 1, blocks.len());
        let was_tried = one.keys_tried > 0 || one.passwords_tried > 0;
        // What the mail reader said of the whole is not said again.
        let kept = one
            .defects
            .iter()
            .filter(|one| was_tried || one.code != DefectCode::MailEncrypted);
        opened
            .defects
            .extend(kept.map(|one| Defect::new(one.code, nth(&one.detail))));
    }
    if blocks.len() > MAX_BLOCKS {
        opened.searchability = Some(Searchability::Encrypted);
        let detail = format!(
            "{} of {} blocks in the text were not opened",
            blocks.len() - MAX_BLOCKS,
            blocks.len()
        );
        opened.defects.push(Defect::new(DefectCode::CmsStructure, detail));
    }
    Ok(opened)
}

/// Where lines of dashes say that a message stands, each to its end or to where the next one begins.
fn blocks(text: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = memmem::find_iter(text, BEGIN)
        .filter(|at| *at == 0 || text[at - 1] == b'\n')
        .collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let block = &text[*start..end];
            memmem::find(block, END).map_or(block, |end| &block[..end + END.len()])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_where_a_line_begins() {
        let text = b"Hello\n-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\nbye\n> -----BEGIN PGP MESSAGE-----\n-----BEGIN PGP MESSAGE-----\nBBBB\n-----BEGIN PGP MESSAGE-----\n";
        let found = blocks(text);
        assert_eq!(found.len(), 3);
        assert!(found[0].ends_with(END));
        assert_eq!(found[1], b"-----BEGIN PGP MESSAGE-----\nBBBB\n");
        assert_eq!(blocks(b"nothing"), Vec::<&[u8]>::new());
        let has = |text: &str, expected| assert_eq!(has_block(text), expected, "{text}");
        has("Hello\n-----BEGIN PGP MESSAGE-----\n", true);
        has("-----BEGIN PGP MESSAGE-----", true);
        has("> -----BEGIN PGP MESSAGE-----\n", false);
        has("-----BEGIN PGP SIGNED MESSAGE-----\n", false);
    }
}
