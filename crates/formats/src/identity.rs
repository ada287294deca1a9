//! Keys that say when two messages are the same for a purpose (DOMAIN section 6). All are kept; none merges.
//!
//! Each key is a digest under a context string that carries [`KEY_VERSION`], so that keys of different
//! recipes never meet. Not for: raw identity (that is the BLAKE3 of the bytes), alias resolution (the caller
//! may hand in resolved addresses).

use std::borrow::Cow;

use embley_model::address::{Participant, Role};
use embley_model::id::{Blake3, Key128};
use embley_model::item::ItemKind;
use md5::{Digest, Md5};

use crate::mail::{Content, MailMeta, Parsed};

/// Version of the recipes below; part of every context string but the MIH's, which is EDRM's.
pub const KEY_VERSION: u32 = 1;

const EMAIL_CONTEXT: &str = "embley e-mail key v1";
const BODY_CONTEXT: &str = "embley body key v1";
const FAMILY_CONTEXT: &str = "embley family key v1";

/// The keys of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailKeys {
    /// EDRM Message Identification Hash; `None` without a Message-ID.
    pub mih: Option<Key128>,
    /// Sent time, sender, recipients, subject, body letters and digits, attachments.
    pub email: Key128,
    /// Body letters and digits.
    pub body: Key128,
    /// The e-mail key and the children.
    pub family: Key128,
}

/// Returns the EDRM Message Identification Hash: MD5 of the Message-ID value, trimmed, angle brackets kept.
pub fn mih(message_id_raw: &str) -> Key128 {
    let digest: [u8; 16] = Md5::digest(message_id_raw.trim().as_bytes()).into();
    Key128(digest)
}

/// Returns the keys of a message. `body_words` are the folded tokens of its body, in order; `attachments` the
/// [`content_key`]s of its direct children in any order.
///
/// The body is hashed as its letters and digits without separators, so that wrapping, quoting marks and line
/// ends make no difference; recipients and children are sorted.
pub fn mail_keys<'w>(meta: &MailMeta, body_words: impl Iterator<Item = &'w str>, attachments: &[Blake3]) -> MailKeys {
    let mut body = Keyed::new(BODY_CONTEXT);
    for word in body_words {
        body.raw(word.as_bytes());
    }
    let body = body.finish();
    let mut children: Vec<&Blake3> = attachments.iter().collect();
    children.sort_unstable();

    let mut email = Keyed::new(EMAIL_CONTEXT);
    match meta.date.utc_secs {
        Some(secs) => email.field(&secs.to_le_bytes()),
        None => email.field(b""),
    }
    email.list(&people(meta, &[Role::From]));
    email.list(&people(meta, &[Role::To, Role::Cc, Role::Bcc]));
    email.field(folded(&meta.subject).as_bytes());
    email.field(&body.0);
    for child in &children {
        email.field(&child.0);
    }
    let email = email.finish();

    let mut family = Keyed::new(FAMILY_CONTEXT);
    family.field(&email.0);
    for child in &children {
        family.field(&child.0);
    }
    MailKeys {
        mih: meta.message_id.as_deref().map(mih),
        email,
        body,
        family: family.finish(),
    }
}

/// Returns the digest by which a child counts in its parent's keys: BLAKE3 of its bytes, for messages and text
/// with CRLF read as LF, so that an LF and a CRLF copy of one message keep one key. A child that was hashed
/// while it passed counts with its plain BLAKE3.
pub fn content_key(item: &Parsed<'_>) -> Blake3 {
    match &item.content {
        Content::Streamed { blake3, .. } => *blake3,
        Content::Bytes(bytes) => {
            let is_text = item.kind == ItemKind::Email
                || item.media_type.starts_with("text/")
                || item.media_type.starts_with("message/");
            let bytes = if is_text {
                without_cr(bytes)
            } else {
                Cow::Borrowed(&bytes[..])
            };
            Blake3(*blake3::hash(&bytes).as_bytes())
        }
    }
}

fn without_cr(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, b"\r\n").is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for at in memchr::memmem::find_iter(bytes, b"\r\n") {
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
    }
    out.extend_from_slice(&bytes[copied..]);
    Cow::Owned(out)
}

/// Sorted, distinct addresses in these roles; a name counts where there is no address.
fn people(meta: &MailMeta, roles: &[Role]) -> Vec<String> {
    let of_role = |participant: &&Participant| roles.contains(&participant.role);
    let mut out: Vec<String> = meta
        .participants
        .iter()
        .filter(of_role)
        .map(|participant| {
            let address = &participant.address;
            folded(if address.addr.is_empty() {
                &address.name
            } else {
                &address.addr
            })
        })
        .filter(|text| !text.is_empty())
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Lower case, runs of white space as one blank.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        if word.is_ascii() {
            let start = out.len();
            out.push_str(word);
            out[start..].make_ascii_lowercase();
        } else {
            out.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    out
}

/// What goes into a key, joined first: BLAKE3 over one long run of bytes costs a fraction of many short updates.
struct Keyed {
    context: &'static str,
    bytes: Vec<u8>,
}

impl Keyed {
    fn new(context: &'static str) -> Self {
        Self {
            context,
            bytes: Vec::with_capacity(512),
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Length first, so that no two lists of fields hash alike.
    fn field(&mut self, bytes: &[u8]) {
        self.raw(&(bytes.len() as u64).to_le_bytes());
        self.raw(bytes);
    }

    fn list(&mut self, texts: &[String]) {
        self.raw(&(texts.len() as u64).to_le_bytes());
        for text in texts {
            self.field(text.as_bytes());
        }
    }

    fn finish(&self) -> Key128 {
        Blake3(blake3::derive_key(self.context, &self.bytes)).half()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{ParseLimits, parse_message};

    fn keys(message: &str) -> MailKeys {
        let family = parse_message(message.as_bytes(), &ParseLimits::default());
        let first = &family.items[0];
        let meta = first.mail.as_ref().expect("a message");
        let lower = first.text.to_lowercase();
        let words = lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        let children: Vec<_> = family.items[1..].iter().map(content_key).collect();
        mail_keys(meta, words, &children)
    }

    const MESSAGE: &str = "From: A <a@x.example>\nTo: b@x.example, C@x.example\nSubject: Plan  one\n\
        Date: Mon, 14 May 2001 16:39:00 +0000\nMessage-ID: <1@x>\nContent-Type: multipart/mixed; boundary=b\n\n\
        --b\n\nMeet at\nnoon.\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\none\ntwo\n--b--\n";

    #[test]
    fn mih_is_the_published_value_with_brackets() {
        let key = mih("<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>");
        assert_eq!(key.to_hex(), "1de319c276884bd0c9e2f1621ada26cc");
    }

    #[test]
    fn line_ends_wrapping_order_and_case_make_no_difference() {
        let first = keys(MESSAGE);
        assert_eq!(keys(&MESSAGE.replace('\n', "\r\n")), first);
        assert_eq!(keys(&MESSAGE.replace("Meet at\nnoon.", "> Meet at noon")), first);
        assert_eq!(
            keys(&MESSAGE.replace("b@x.example, C@x.example", "c@X.example, B <b@x.example>")),
            first
        );
        assert_eq!(keys(&MESSAGE.replace("16:39:00 +0000", "17:39:00 +0100")), first);
    }

    #[test]
    fn each_part_of_the_recipe_counts() {
        let first = keys(MESSAGE);
        for (old, new) in [
            ("a@x.example", "z@x.example"),
            ("b@x.example, ", ""),
            ("Plan  one", "Plan two"),
            ("16:39", "16:40"),
            ("noon", "night"),
            ("one\ntwo", "one\nthree"),
        ] {
            let other = keys(&MESSAGE.replace(old, new));
            assert_ne!(other.email, first.email, "{old}");
            assert_ne!(other.family, first.family, "{old}");
            assert_eq!(other.body == first.body, old != "noon", "{old}");
        }
        let other = keys(&MESSAGE.replace("<1@x>", "<2@x>"));
        assert_eq!((other.email, other.family), (first.email, first.family));
        assert_ne!(other.mih, first.mih);
    }
}
