//! OpenPGP messages ([RFC 4880], [RFC 9580] for newer packets): whom they are encrypted for, or what they hold if they are only signed or compressed.
//!
//! Not for: keys, detached signatures, clear-signed text (all are text or nothing that can be searched). Main functions: [`kind_of`], [`open`]. Invariant: packets
//! are read one behind the other without recursion; unpacking is bounded in layers and in bytes.

use std::borrow::Cow;
use std::io::{self, Read};

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

use super::content::Bounded;
use super::keys::Secrets;
use super::tried::Tried;
use super::{Kind, PGP, PGP_ENCRYPTED, armour, session};
use crate::opened::{Member, Members, OpenLimits, Opened};

const MARK: &[u8] = b"-----BEGIN PGP MESSAGE-----";
/// How often a compressed packet may stand in a compressed packet.
const MAX_LAYERS: usize = 4;
/// Bytes of what a compressed packet holds: it stands in memory, and a worker has 2 GiB.
const MAX_LAYER_BYTES: u64 = 512 << 20;
/// Keys that are listed.
const MAX_LISTED: usize = 1_000;
/// Bytes that are decoded to see what an armoured message begins with.
const LOOK_BYTES: usize = 4096;

/// Packet types (4.3).
mod packet {
    pub(super) const PUBLIC_KEY_SESSION: u8 = 1;
    pub(super) const SIGNATURE: u8 = 2;
    pub(super) const PASSWORD_SESSION: u8 = 3;
    pub(super) const ONE_PASS: u8 = 4;
    pub(super) const COMPRESSED: u8 = 8;
    pub(super) const ENCRYPTED: u8 = 9;
    pub(super) const MARKER: u8 = 10;
    pub(super) const LITERAL: u8 = 11;
    pub(super) const PROTECTED: u8 = 18;
    pub(super) const AEAD: u8 = 20;
    pub(super) const PADDING: u8 = 21;
}

/// A packet as far as it is there.
struct Packet<'a> {
    kind: u8,
    body: Cow<'a, [u8]>,
    cut: bool,
}

struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    fn part(&mut self, length: usize) -> (&'a [u8], bool) {
        let (part, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        (part, part.len() < length)
    }

    fn number(&mut self, octets: usize) -> Option<usize> {
        let (part, rest) = self.rest.split_at_checked(octets)?;
        self.rest = rest;
        let value = part.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
        usize::try_from(value).ok()
    }

    /// Length of the new form (4.2.2), and whether more parts follow.
    fn new_length(&mut self) -> Option<(usize, bool)> {
        let first = self.number(1)?;
        Some(match first {
            0..192 => (first, false),
            192..224 => ((first - 192) * 256 + self.number(1)? + 192, false),
            224..255 => (1 << (first & 0x1f), true),
            _ => (self.number(4)?, false),
        })
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let (&first, rest) = self.rest.split_first()?;
        if first & 0x80 == 0 {
            return None;
        }
        self.rest = rest;
        if first & 0x40 == 0 {
            let length = match first & 3 {
                0 => self.number(1)?,
                1 => self.number(2)?,
                2 => self.number(4)?,
                _ => self.rest.len(),
            };
            let (body, cut) = self.part(length);
            return Some(Packet {
                kind: first >> 2 & 0xf,
                body: Cow::Borrowed(body),
                cut,
            });
        }
        let (length, mut more) = self.new_length()?;
        let (body, mut cut) = self.part(length);
        let mut body = Cow::Borrowed(body);
        while more {
            let Some((length, again)) = self.new_length() else {
                cut = true;
                break;
            };
            let (part, is_cut) = self.part(length);
            body.to_mut().extend_from_slice(part);
            cut |= is_cut;
            more = again;
        }
        Some(Packet {
            kind: first & 0x3f,
            body,
            cut,
        })
    }
}

/// The packets of an armoured message (6.2); binary bytes as they are. `None` for what does not begin as either.
fn binary(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if bytes.first().is_some_and(|first| first & 0x80 != 0) && !bytes.starts_with(b"\xef\xbb\xbf") {
        return Some(Cow::Borrowed(bytes));
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let rest = start.strip_prefix(MARK)?;
    let body = armour::after_headers(rest);
    Some(Cow::Owned(armour::base64(body)))
}

/// Only what is unmistakable: the mark of an armoured message, or a session key whose version and algorithm are known (5.1, 5.3).
pub(super) fn kind_of(head: &[u8]) -> Option<Kind> {
    let head = &head[..head.len().min(LOOK_BYTES)];
    let armoured = head.first().is_some_and(u8::is_ascii) || head.starts_with(b"\xef\xbb\xbf");
    let binary = binary(head)?;
    let mut packets = Packets { rest: &binary }.filter(|packet| packet.kind != packet::MARKER);
    let first = packets.next();
    if first.as_ref().is_some_and(|packet| packet.kind == packet::SIGNATURE) && packets.next().is_none() {
        // Programs before OpenPGP wrote detached signatures so.
        return None;
    }
    let encrypted = match first {
        // What cannot be told is most likely encrypted; nothing of it can be searched.
        Some(first) if armoured => !matches!(
            first.kind,
            packet::SIGNATURE | packet::ONE_PASS | packet::COMPRESSED | packet::LITERAL
        ),
        None if armoured => true,
        Some(first) => match (first.kind, &first.body[..]) {
            (packet::COMPRESSED, [method, packed @ ..]) if holds_message(*method, packed) => false,
            (packet::PUBLIC_KEY_SESSION, [3, _, _, _, _, _, _, _, _, 1..=3 | 16..=25, ..]) => true,
            (packet::PUBLIC_KEY_SESSION, [6, 0 | 21 | 33, ..]) => true,
            (packet::PASSWORD_SESSION, [4..=6, 1..=13, ..]) if first.body.len() < 100 => true,
            _ => return None,
        },
        None => return None,
    };
    Some(Kind {
        media_type: if encrypted { PGP_ENCRYPTED } else { PGP },
        encrypted,
    })
}

/// Reads compressed data (9.3).
fn unpacker(method: u8, packed: &[u8]) -> Option<Box<dyn Read + '_>> {
    Some(match method {
        0 => Box::new(packed),
        1 => Box::new(flate2::read::DeflateDecoder::new(packed)),
        2 => Box::new(flate2::read::ZlibDecoder::new(packed)),
        3 => Box::new(bzip2::read::BzDecoder::new(packed)),
        _ => return None,
    })
}

/// True when the first bytes unpack to the first bytes of a signed or literal message.
fn holds_message(method: u8, packed: &[u8]) -> bool {
    let mut first = Vec::new();
    if let Some(unpacker) = unpacker(method, packed) {
        // What came before an error is enough to tell.
        let (Ok(_) | Err(_)) = unpacker.take(64).read_to_end(&mut first);
    }
    let Some(packet) = (Packets { rest: &first }).next() else {
        return false;
    };
    matches!(
        (packet.kind, &packet.body[..]),
        (packet::ONE_PASS, [3 | 6, ..])
            | (packet::SIGNATURE, [3..=6, ..])
            | (packet::LITERAL, [b'b' | b't' | b'u' | b'l' | b'1' | b'm', ..])
    )
}

/// True for what begins with a packet that stands inside encrypted data (10.3); the rest is most likely the work of a wrong key.
pub(super) fn is_packets(bytes: &[u8]) -> bool {
    let first = (Packets { rest: bytes }).next();
    first.is_some_and(|first| {
        matches!(
            first.kind,
            packet::PUBLIC_KEY_SESSION
                | packet::SIGNATURE
                | packet::PASSWORD_SESSION
                | packet::ONE_PASS
                | packet::COMPRESSED
                | packet::ENCRYPTED
                | packet::MARKER
                | packet::LITERAL
                | packet::PROTECTED
                | packet::AEAD
                | packet::PADDING
        )
    })
}

/// True for what can only be an OpenPGP message or nothing that is known here.
pub(super) fn begins(bytes: &[u8]) -> bool {
    binary(&bytes[..bytes.len().min(LOOK_BYTES)]).is_some()
}

pub(super) fn open(
    bytes: &[u8],
    secrets: &Secrets<'_>,
    limits: &OpenLimits,
    members: &mut dyn Members,
) -> io::Result<Opened> {
    let mut out = Out {
        secrets,
        limits,
        members,
        opened: Opened {
            reader: "openpgp/1".to_owned(),
            ..Opened::default()
        },
        listed: 0,
    };
    let mut layer = binary(bytes).unwrap_or_default().into_owned();
    for depth in 0.. {
        let Some(packed) = out.packets(&layer)? else { break };
        if depth == MAX_LAYERS {
            out.structure(format!(
                "compressed or encrypted more than {MAX_LAYERS} times; the rest was left out"
            ));
            break;
        }
        layer = packed;
    }
    if out.opened.text.is_empty() && out.opened.searchability.is_none() {
        out.structure("no message could be read");
        out.opened.searchability = Some(Searchability::Failed);
    }
    Ok(out.opened)
}

struct Out<'a> {
    secrets: &'a Secrets<'a>,
    limits: &'a OpenLimits,
    members: &'a mut dyn Members,
    opened: Opened,
    listed: usize,
}

impl Out<'_> {
    fn structure(&mut self, detail: impl Into<String>) {
        self.opened.defects.push(Defect::new(DefectCode::CmsStructure, detail));
    }

    fn line(&mut self, line: String) {
        self.listed += 1;
        if self.listed == MAX_LISTED {
            self.structure(format!("more than {MAX_LISTED} keys and signatures are not listed"));
        }
        if self.listed < MAX_LISTED {
            self.opened.text.push_str(&line);
            self.opened.text.push('\n');
        }
    }

    /// Reads one layer; returns what the first compressed or encrypted packet in it held.
    fn packets(&mut self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let mut has_session = false;
        for one in (Packets { rest: bytes }) {
            has_session |= matches!(one.kind, packet::PUBLIC_KEY_SESSION | packet::PASSWORD_SESSION);
            if one.cut {
                self.structure(format!("a packet of type {} is cut", one.kind));
            }
            match (one.kind, &one.body[..]) {
                (packet::PUBLIC_KEY_SESSION, [3, key @ ..]) if key.len() >= 8 => {
                    self.line(format!("Encrypted for key: {}", key_text(&key[..8])));
                }
                (packet::PUBLIC_KEY_SESSION, [6, length, _, key @ ..]) if *length > 1 => {
                    let length = usize::from(*length - 1).min(key.len());
                    self.line(format!("Encrypted for key: {}", key_text(&key[..length])));
                }
                (packet::PUBLIC_KEY_SESSION, _) => self.line("Encrypted for a key that is not named".to_owned()),
                (packet::PASSWORD_SESSION, _) => self.line("Encrypted with a password".to_owned()),
                (packet::ENCRYPTED | packet::PROTECTED | packet::AEAD, _) => return Ok(self.encrypted(bytes)),
                (packet::ONE_PASS, [3, _, _, _, key @ ..]) if key.len() >= 8 => {
                    self.line(format!("Signed by key: {}", key_text(&key[..8])));
                    self.opened.defects.push(Defect::new(DefectCode::MailSigned, "OpenPGP"));
                }
                (packet::COMPRESSED, [method, packed @ ..]) => return Ok(Some(self.unpack(*method, packed))),
                (packet::LITERAL, body) => self.literal(body)?,
                _ => {}
            }
        }
        if has_session && self.opened.searchability.is_none() {
            self.structure("the encrypted data are missing");
            self.sealed("");
        }
        Ok(None)
    }

    /// The packets inside a layer that is encrypted, when something that was given opens it.
    fn encrypted(&mut self, layer: &[u8]) -> Option<Vec<u8>> {
        let mut tried = Tried::default();
        let plain = session::open(layer, self.secrets, self.limits, &mut tried);
        tried.count(&mut self.opened);
        let Some(plain) = plain else {
            for note in &tried.notes {
                self.structure(note.clone());
            }
            self.sealed(&tried.words());
            return None;
        };
        let by = plain.by.record(self.secrets, &mut self.opened);
        let note = Defect::new(DefectCode::MailDecrypted, format!("OpenPGP, opened by {by}"));
        self.opened.defects.push(note);
        self.line(format!("Opened by: {by}"));
        if let Some(fault) = plain.fault {
            self.structure(fault);
        }
        Some(plain.packets)
    }

    fn sealed(&mut self, tried: &str) {
        self.opened.searchability = Some(Searchability::Encrypted);
        self.opened
            .defects
            .push(Defect::new(DefectCode::MailEncrypted, format!("OpenPGP{tried}")));
    }

    /// Compressed data (5.6).
    fn unpack(&mut self, method: u8, packed: &[u8]) -> Vec<u8> {
        let Some(inner) = unpacker(method, packed) else {
            self.structure(format!("compressed by the unknown method {method}"));
            return Vec::new();
        };
        let limits = OpenLimits {
            max_member_bytes: self.limits.max_member_bytes.min(MAX_LAYER_BYTES),
            ..self.limits.clone()
        };
        let mut bounded = Bounded::new(inner, packed.len(), &limits);
        let mut out = Vec::new();
        // The error is kept as its fault; what came before it is used.
        let (Ok(_) | Err(_)) = bounded.read_to_end(&mut out);
        if let Some(fault) = bounded.fault {
            let code = if bounded.limited {
                DefectCode::ArchiveLimit
            } else {
                DefectCode::CmsStructure
            };
            self.opened
                .defects
                .push(Defect::new(code, format!("the content ends early: {fault}")));
        }
        out
    }

    /// Literal data (5.9): format, name, time, content.
    fn literal(&mut self, body: &[u8]) -> io::Result<()> {
        let parts = body.split_at_checked(2).and_then(|(head, rest)| {
            let (name, rest) = rest.split_at_checked(usize::from(head[1]))?;
            let (time, content) = rest.split_first_chunk::<4>()?;
            Some((name, u32::from_be_bytes(*time), content))
        });
        let Some((name, time, mut content)) = parts else {
            self.structure("the literal data are cut");
            return Ok(());
        };
        let clean: Vec<&[u8]> = name
            .split(|byte| *byte == b'/')
            .filter(|part| !matches!(*part, b"" | b"." | b".." | b"_CONSOLE"))
            .collect();
        let path = if clean.is_empty() {
            b"message".to_vec()
        } else {
            clean.join(&b'/')
        };
        self.line(format!("Content: {}", String::from_utf8_lossy(&path)));
        let member = Member {
            path,
            mtime_nanos: (time != 0).then(|| i64::from(time) * 1_000_000_000),
            defects: Vec::new(),
        };
        self.members.member(member, &mut content)
    }
}

fn key_text(key: &[u8]) -> String {
    if key.iter().all(|octet| *octet == 0) {
        return "not named".to_owned();
    }
    key.iter().map(|octet| format!("{octet:02X}")).collect()
}
