//! Time stamps of others (RFC 3161) for checkpoints: a request as a file, and the answer attached. No network.
//!
//! The imprint is the SHA-256 of the checkpoint's whole note. A token proves that somebody else has seen this note by that time, so no
//! past can be made later. What is checked here is that the token is about this note; whose token it is, `openssl ts -verify` says, with
//! the authority's certificate, which is to be had elsewhere (docs/audit.md). Main types: [`request`], [`Token`]. Invariant: what was
//! attached is kept as it came.

use embley_model::id::hex_encode;
use sha2::{Digest, Sha256};

use super::entry::What;
use super::log::{AuditLog, Author};
use crate::error::{Result, StoreError};

/// The largest response that is read.
pub const LARGEST_RESPONSE: u64 = 1 << 20;
/// Object identifiers as DER writes them: id-sha256, id-signedData, id-ct-TSTInfo.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const BOOLEAN: u8 = 1;
const INTEGER: u8 = 2;
const OCTET_STRING: u8 = 4;
const NULL: u8 = 5;
const OBJECT: u8 = 6;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTENT: u8 = 0xa0;

/// A time-stamp request for these bytes, in DER: SHA-256, a nonce, and the wish for the authority's certificate.
pub fn request(bytes: &[u8], nonce: u64) -> Vec<u8> {
    let algorithm = wrap(SEQUENCE, &[wrap(OBJECT, &[SHA256.to_vec()]), wrap(NULL, &[])]);
    let hash = wrap(OCTET_STRING, &[Sha256::digest(bytes).to_vec()]);
    // A positive number: a leading zero byte where the first bit is set.
    let number = nonce.to_be_bytes();
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(7);
    let mut digits = number[start..].to_vec();
    if digits[0] & 0x80 != 0 {
        digits.insert(0, 0);
    }
    wrap(
        SEQUENCE,
        &[
            wrap(INTEGER, &[vec![1]]),
            wrap(SEQUENCE, &[algorithm, hash]),
            wrap(INTEGER, &[digits]),
            wrap(BOOLEAN, &[vec![0xff]]),
        ],
    )
}

fn wrap(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let length: usize = parts.iter().map(Vec::len).sum();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        // Nothing that is written here is longer than 255 bytes.
        _ => out.extend([0x81, u8::try_from(length).unwrap_or(u8::MAX)]),
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// What a time-stamp response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The hash that was stamped.
    pub imprint: [u8; 32],
    /// The time it states, RFC 3339 where it can be read so, else as written.
    pub time: String,
    /// Serial number, hexadecimal.
    pub serial: String,
}

impl Token {
    /// Reads a response. No signature is checked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(response: &[u8]) -> std::result::Result<Self, String> {
        let mut rest = response;
        let mut whole = take(&mut rest, SEQUENCE, "response")?;
        if !rest.is_empty() {
            return Err(format!("{} bytes stand behind it", rest.len()));
        }
        let mut status = take(&mut whole, SEQUENCE, "status")?;
        let granted = take(&mut status, INTEGER, "status")?;
        if !matches!(granted, [0 | 1]) {
            return Err("the authority did not grant it".to_owned());
        }
        let mut content = take(&mut whole, SEQUENCE, "token")?;
        is(
            take(&mut content, OBJECT, "kind of content")?,
            SIGNED_DATA,
            "signed data",
        )?;
        let mut explicit = take(&mut content, CONTENT, "content")?;
        let mut signed = take(&mut explicit, SEQUENCE, "signed data")?;
        take(&mut signed, INTEGER, "version")?;
        take(&mut signed, SET, "set of algorithms")?;
        let mut inner = take(&mut signed, SEQUENCE, "inner content")?;
        is(
            take(&mut inner, OBJECT, "kind of inner content")?,
            TST_INFO,
            "a time stamp",
        )?;
        let mut explicit = take(&mut inner, CONTENT, "inner content")?;
        let mut octets = take(&mut explicit, OCTET_STRING, "inner content")?;
        let mut info = take(&mut octets, SEQUENCE, "time stamp")?;
        take(&mut info, INTEGER, "version")?;
        take(&mut info, OBJECT, "policy")?;
        let mut imprint = take(&mut info, SEQUENCE, "imprint")?;
        let mut algorithm = take(&mut imprint, SEQUENCE, "algorithm")?;
        is(take(&mut algorithm, OBJECT, "algorithm")?, SHA256, "SHA-256")?;
        let hash = take(&mut imprint, OCTET_STRING, "hash")?;
        let serial = take(&mut info, INTEGER, "serial number")?;
        let time = take(&mut info, GENERALIZED_TIME, "time")?;
        Ok(Self {
            imprint: hash
                .try_into()
                .map_err(|_| format!("its hash has {} bytes", hash.len()))?,
            time: written_time(time)?,
            serial: hex_encode(serial),
        })
    }
}

/// `20260102030405Z` or `20260102030405.678Z` as RFC 3339.
fn written_time(bytes: &[u8]) -> std::result::Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its time is not text".to_owned())?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let fraction = text.get(14..).unwrap_or_default();
    let plain = fraction
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'Z'));
    if digits != 14 || !fraction.ends_with('Z') || !plain {
        return Err(format!("its time {text:?} cannot be read"));
    }
    let part = |from: usize, to: usize| &text[from..to];
    Ok(format!(
        "{}-{}-{}T{}:{}:{}{fraction}",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14)
    ))
}

fn is(found: &[u8], wanted: &[u8], what: &str) -> std::result::Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("it is not {what}"))
    }
}

/// The content of the next element, which must have this tag.
fn take<'a>(bytes: &mut &'a [u8], tag: u8, what: &str) -> std::result::Result<&'a [u8], String> {
    let missing = || format!("its {what} is missing or cut");
    let (found, rest) = bytes.split_first().ok_or_else(missing)?;
    if *found != tag {
        return Err(format!("its {what} is missing"));
    }
    let (first, mut rest) = rest.split_first().ok_or_else(missing)?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let digits = length - 0x80;
        // Four bytes say more than the largest response has; an open end (0x80) is not DER.
        if !(1..=4).contains(&digits) {
            return Err(format!("the length of its {what} cannot be read"));
        }
        let (bytes_of_length, behind) = rest.split_at_checked(digits).ok_or_else(missing)?;
        length = bytes_of_length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length).ok_or_else(missing)?;
    *bytes = behind;
    Ok(content)
}

/// A token that was attached.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The checkpoint's number of entries.
    pub size: u64,
    /// What the token says.
    pub token: Token,
    /// Where it is kept.
    pub path: std::path::PathBuf,
    /// Where the note is that it is about.
    pub note: std::path::PathBuf,
}

impl AuditLog {
    /// Keeps a time-stamp response beside the checkpoint that it is about, and records it.
    ///
    /// # Errors
    /// [`StoreError::Config`] when it is no response, or about no checkpoint of this log; as [`AuditLog::intent`].
    pub fn attach(&self, response: &[u8], author: Author<'_>) -> Result<Attached> {
        let refused = |detail: String| StoreError::Config {
            path: self.dir(),
            detail,
        };
        let token = Token::parse(response).map_err(|detail| {
            refused(format!(
                "this is not a time-stamp response (RFC 3161) that can be used: {detail}"
            ))
        })?;
        let mut of = None;
        self.each_line(|line| {
            if let Ok(entry) = line.entry()
                && let What::Checkpoint { size, note, .. } = entry.event
                && Sha256::digest(note.as_bytes()).as_slice() == token.imprint
            {
                of = Some(size);
            }
            Ok(())
        })?;
        let size = of.ok_or_else(|| {
            refused("the time stamp is about no checkpoint of this log: make the request with `embley audit checkpoint --tsq FILE`".to_owned())
        })?;
        let path = self.token_path(size);
        let folder = self.checkpoints_dir();
        self.disk
            .create_dir(&folder)
            .map_err(|error| StoreError::io("make", &folder, error))?;
        self.disk
            .replace(&path, response)
            .map_err(|error| StoreError::io("write", &path, error))?;
        // Stopped here: a token without an entry; attaching it again makes the entry.
        self.append(
            What::Timestamp {
                size,
                token: hex_encode(&Sha256::digest(response)),
                time: token.time.clone(),
                serial: token.serial.clone(),
            },
            author,
        )?;
        let note = self.note_path(size);
        Ok(Attached {
            size,
            token,
            path,
            note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_responses_are_refused_by_what_is_wrong() {
        for (bytes, why) in [
            (vec![], "response is missing"),
            (vec![0x30, 0x80], "length"),
            (vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], "cut"),
            (vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02], "did not grant"),
            (vec![0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00], "token is missing"),
            (vec![0x30, 0x00, 0x00], "stand behind it"),
        ] {
            let error = Token::parse(&bytes).expect_err(why);
            assert!(error.contains(why), "{why}: {error}");
        }
        assert_eq!(
            written_time(b"20260102030405.5Z").as_deref(),
            Ok("2026-01-02T03:04:05.5Z")
        );
        assert!(written_time(b"2026010203Z").is_err());
    }

    #[test]
    fn a_nonce_is_a_positive_number_without_leading_zeros() {
        for (nonce, digits) in [
            (0_u64, &[2, 1, 0][..]),
            (0x7f, &[2, 1, 0x7f]),
            (0x80, &[2, 2, 0, 0x80]),
            (1 << 8, &[2, 2, 1, 0]),
        ] {
            let request = request(b"x", nonce);
            assert!(request.windows(digits.len()).any(|window| window == digits), "{nonce}");
            assert_eq!(usize::from(request[1]) + 2, request.len());
        }
    }
}
