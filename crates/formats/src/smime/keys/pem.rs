//! Keys and certificates between lines of dashes ([RFC 7468], and the older forms of OpenSSL).

use memchr::memmem;

use super::pkcs8::{self, unlocked};
use super::{Found, KeyFileError};
use crate::smime::{armour, pbe};

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
/// Blocks that are read.
const MAX_BLOCKS: usize = 10_000;

/// Reads every block whose label is known; others are passed over.
pub(super) fn read(bytes: &[u8], passwords: &[String]) -> Result<Found, KeyFileError> {
    let mut found = Found::default();
    let mut rest = bytes;
    for _ in 0..MAX_BLOCKS {
        let Some(at) = memmem::find(rest, BEGIN) else { break };
        rest = &rest[at + BEGIN.len()..];
        let Some(end) = memmem::find(rest, DASHES) else { break };
        let (label, body) = rest.split_at(end);
        let body = &body[DASHES.len()..];
        match label {
            b"PRIVATE KEY" | b"ENCRYPTED PRIVATE KEY" => {
                found.keys.push(unlocked(&armour::base64(body), passwords)?);
            }
            b"RSA PRIVATE KEY" => {
                let key = traditional(body, passwords)?;
                found.keys.push(pkcs8::of_rsa(&key));
            }
            b"EC PRIVATE KEY" => {
                let key = traditional(body, passwords)?;
                found
                    .keys
                    .push(pkcs8::of_ec(&key).ok_or(KeyFileError::Damaged("a key on no named curve"))?);
            }
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => {
                found.certificates.push(armour::base64(body));
            }
            _ => {}
        }
        rest = body;
    }
    Ok(found)
}

/// The octets of a block, unlocked where its lines say that it is locked ([RFC 1421] 4.6, as OpenSSL writes it).
fn traditional(body: &[u8], passwords: &[String]) -> Result<Vec<u8>, KeyFileError> {
    let Some(at) = memmem::find(body, b"DEK-Info: ") else {
        return Ok(armour::base64(body));
    };
    let line = body[at + 10..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.trim_ascii()).into_owned();
    let unsupported = || KeyFileError::Unsupported(format!("a private key locked with {line:?}"));
    let (cipher, salt) = line.split_once(',').ok_or_else(unsupported)?;
    let sealed = armour::base64(&body[at + 10 + line.len()..]);
    let salt = hex(salt).ok_or_else(unsupported)?;
    for password in passwords {
        let open = pbe::legacy(cipher, &salt, password.as_bytes(), &sealed).ok_or_else(unsupported)?;
        if let Some(open) = open.filter(|open| pkcs8::is_sequence(open)) {
            return Ok(open);
        }
    }
    Err(KeyFileError::Locked {
        passwords: passwords.len(),
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim().as_bytes();
    let pairs = text.chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}
