//! Where messages lie: mailboxes, their files, and what each format does to the bytes.
//!
//! Invariant: the place of a message is known from its mailbox and its ordinal alone.

use std::borrow::Cow;

use crate::calendar::write_number;
use crate::config::BoxFormat;
use crate::plan::Planner;
use crate::rng::mix;

/// A mailbox to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// File or folder below the corpus folder, with `/`.
    pub path: String,
    /// Number of the custodian, from 0.
    pub custodian: u32,
    /// Folder of the custodian under `mail/`.
    pub owner: String,
    /// How it is laid down.
    pub format: BoxFormat,
    /// True for sent mail.
    pub is_sent: bool,
}

impl Mailbox {
    /// The file of a message, below the corpus folder.
    pub fn file(&self, ordinal: u64) -> String {
        match self.format {
            BoxFormat::Mboxrd | BoxFormat::Mboxo | BoxFormat::Mboxcl2 | BoxFormat::MboxrdCrlf => self.path.clone(),
            BoxFormat::Eml => format!("{}/{:05}/{:03}.eml", self.path, ordinal / 1000, ordinal % 1000),
            BoxFormat::Maildir => {
                let mark = mix(ordinal ^ u64::from(self.custodian) << 40);
                let base = format!("{}.M{}P7.mx1", 800_000_000 + ordinal, mark % 1_000_000);
                match mark >> 32 & 31 {
                    0 => format!("{}/new/{base}", self.path),
                    1..8 => format!("{}/cur/{base}:2,RS", self.path),
                    8..10 => format!("{}/cur/{base}:2,FS", self.path),
                    _ => format!("{}/cur/{base}:2,S", self.path),
                }
            }
        }
    }

    /// Position of a message in [`Mailbox::file`].
    pub fn ordinal_in_file(&self, ordinal: u64) -> u64 {
        match self.format {
            BoxFormat::Eml | BoxFormat::Maildir => 0,
            BoxFormat::Mboxrd | BoxFormat::Mboxo | BoxFormat::Mboxcl2 | BoxFormat::MboxrdCrlf => ordinal,
        }
    }

    /// Sorts mailboxes as a walk by raw names does.
    fn walk_key(&self) -> Vec<Vec<u8>> {
        let below = if self.format == BoxFormat::Maildir { "/cur" } else { "" };
        let whole = format!("{}{below}", self.path);
        whole.split('/').map(|name| name.as_bytes().to_vec()).collect()
    }
}

/// All mailboxes, two a custodian: received at `2 * custodian`, sent after it.
pub(crate) fn mailboxes(planner: &Planner) -> Vec<Mailbox> {
    let mut all = Vec::new();
    for custodian in 0..planner.config.custodians {
        let owner = planner.people.slug(custodian);
        let format = planner.format(custodian);
        for is_sent in [false, true] {
            let name = match (format, is_sent) {
                (BoxFormat::Maildir, false) => "Maildir",
                (BoxFormat::Maildir, true) => "Maildir/.Sent",
                (BoxFormat::Eml, false) => "inbox",
                (BoxFormat::Eml, true) => "sent",
                (_, false) => "inbox.mbox",
                (_, true) => "sent.mbox",
            };
            all.push(Mailbox {
                path: format!("mail/{owner}/{name}"),
                custodian,
                owner: owner.clone(),
                format,
                is_sent,
            });
        }
    }
    all
}

/// The rank of each mailbox in input order.
pub(crate) fn ranks(mailboxes: &[Mailbox]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..mailboxes.len()).collect();
    order.sort_by_key(|at| mailboxes[*at].walk_key());
    let mut ranks = vec![0; mailboxes.len()];
    for (rank, at) in order.into_iter().enumerate() {
        ranks[at] = rank;
    }
    ranks
}

impl BoxFormat {
    /// The message as this format keeps it, unquoted: the bytes that identify it. Formats that give the same bytes
    /// have the same [`BoxFormat::byte_class`].
    pub fn message_bytes(self, message: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Mboxrd | Self::Mboxo | Self::Maildir | Self::Eml => Cow::Borrowed(message),
            Self::MboxrdCrlf => Cow::Owned(with_crlf(message)),
            Self::Mboxcl2 => Cow::Owned(with_content_length(message)),
        }
    }

    /// Two places of one message hold equal bytes exactly when their formats have the same class.
    pub fn byte_class(self) -> u8 {
        match self {
            Self::Mboxrd | Self::Mboxo | Self::Maildir | Self::Eml => 0,
            Self::MboxrdCrlf => 1,
            Self::Mboxcl2 => 2,
        }
    }

    /// The message as it stands between two separator lines, quoted where the format asks for it.
    pub fn quoted(self, message: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Mboxrd | Self::MboxrdCrlf => quote(message, true),
            Self::Mboxo => quote(message, false),
            Self::Mboxcl2 | Self::Maildir | Self::Eml => Cow::Borrowed(message),
        }
    }
}

fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 40);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        match line.split_last() {
            Some((b'\n', text)) => {
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

/// Adds `Content-Length` as the last header; a message without a body has none.
fn with_content_length(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 32);
    let Some(end) = message.windows(2).position(|pair| pair == b"\n\n") else {
        return message.to_vec();
    };
    out.extend_from_slice(&message[..=end]);
    out.extend_from_slice(b"Content-Length: ");
    write_number(&mut out, (message.len() - end - 2) as u64, 1);
    out.push(b'\n');
    out.extend_from_slice(&message[end + 1..]);
    out
}

/// Puts `>` before lines that begin with `From ` and, if `all`, before those that are quoted so already.
fn quote(message: &[u8], all: bool) -> Cow<'_, [u8]> {
    let needs = |line: &[u8]| {
        let marks = if all {
            line.iter().take_while(|byte| **byte == b'>').count()
        } else {
            0
        };
        line[marks..].starts_with(b"From ")
    };
    if !message.split(|byte| *byte == b'\n').any(needs) {
        return Cow::Borrowed(message);
    }
    let mut out = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if needs(line) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_quote_as_they_are_defined() {
        let message = b"Subject: x\n\nFrom me\n>From you\n>>From them\nFromage\n";
        assert_eq!(
            BoxFormat::Mboxrd.quoted(message).as_ref(),
            b"Subject: x\n\n>From me\n>>From you\n>>>From them\nFromage\n"
        );
        assert_eq!(
            BoxFormat::Mboxo.quoted(message).as_ref(),
            b"Subject: x\n\n>From me\n>From you\n>>From them\nFromage\n"
        );
        assert_eq!(BoxFormat::Mboxcl2.quoted(message).as_ref(), message);
        assert_eq!(
            BoxFormat::Mboxcl2.message_bytes(b"A: b\n\nbody\n").as_ref(),
            b"A: b\nContent-Length: 5\n\nbody\n"
        );
        assert_eq!(
            BoxFormat::MboxrdCrlf.message_bytes(b"A: b\n\nc\n").as_ref(),
            b"A: b\r\n\r\nc\r\n"
        );
    }
}
