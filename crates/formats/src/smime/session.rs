//! Encrypted OpenPGP messages: from a secret key or a password to the packets inside ([RFC 9580] 5.1, 5.3, 5.7, 5.13, [RFC 4880]).
//!
//! The package `pgp` reads session keys and takes the encryption off; which packets are inside, and how far they unpack, is `openpgp`'s work as for every other
//! message. Main function: [`open`]. Decisions: the older packet without a check is opened too, for old mail is evidence; what a check finds wrong is given as far
//! as it decrypts when the session key itself was checked, and that is said. Invariant: attempts are bounded by the work they cost; a panic of the package is a
//! note.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pgp::composed::{
    DecryptionOptions, Edata, Esk, Message, PlainSessionKey, SignedSecretKey, decrypt_session_key_with_password,
};
use pgp::packet::{PublicKeyEncryptedSessionKey, SymKeyEncryptedSessionKey};
use pgp::types::{DecryptionKey, EskType, Password, PkeskVersion, Seipdv1ReadMode, SkeskVersion, StringToKey};

use super::content::Bounded;
use super::keys::Secrets;
use super::tried::{By, Tried};
use crate::opened::OpenLimits;

/// Operations with private keys on one message.
const MAX_ATTEMPTS: usize = 400;
/// Octets hashed for passwords on one message; programs use 65 million for one.
const MAX_HASHED_BYTES: u64 = 8 << 30;
/// Memory of one derivation with Argon2, as its exponent of KiB: 1 GiB.
const MAX_ARGON2_EXPONENT: u8 = 20;
/// Session keys that are tried on the content.
const MAX_CANDIDATES: usize = 50;

/// What came out: packets.
pub(super) struct Plain {
    pub(super) packets: Vec<u8>,
    pub(super) by: By,
    /// Why they end early or may be wrong.
    pub(super) fault: Option<String>,
}

/// A session key.
struct Candidate {
    key: PlainSessionKey,
    by: By,
    /// It has a check of its own, and that fits.
    checked: bool,
}

/// Tries what was given on the binary form of a message. `None` leaves in `tried` what was tried.
pub(super) fn open(message: &[u8], secrets: &Secrets<'_>, limits: &OpenLimits, tried: &mut Tried) -> Option<Plain> {
    let held = AssertUnwindSafe(|| opened(message, secrets, limits, tried));
    match catch_unwind(held) {
        Ok(plain) => plain,
        Err(_) => {
            tried.note("the reader of OpenPGP failed on it".to_owned());
            None
        }
    }
}

fn opened(message: &[u8], secrets: &Secrets<'_>, limits: &OpenLimits, tried: &mut Tried) -> Option<Plain> {
    let has_keys = secrets.keys.iter().any(|key| key.openpgp().is_some());
    if !has_keys && secrets.passwords.is_empty() {
        return None;
    }
    let candidates = candidates(message, secrets, tried)?;
    for candidate in &candidates {
        if let Some(packets) = content(message, &candidate.key, Seipdv1ReadMode::default(), limits)
            .and_then(|(packets, fault)| fault.is_none().then_some(packets))
            .filter(|packets| super::openpgp::is_packets(packets))
        {
            return Some(Plain {
                packets,
                by: candidate.by,
                fault: None,
            });
        }
    }
    // Cut or damaged: what still decrypts under a session key that is right.
    for candidate in candidates.iter().filter(|candidate| candidate.checked) {
        if let Some((packets, fault)) = content(message, &candidate.key, Seipdv1ReadMode::Streaming, limits)
            .filter(|(packets, _)| super::openpgp::is_packets(packets))
        {
            return Some(Plain {
                packets,
                by: candidate.by,
                fault: Some(fault.unwrap_or_else(|| "the check of the encrypted content fails".to_owned())),
            });
        }
    }
    None
}

/// Session keys that the message holds for us, those of keys before those of passwords.
fn candidates(message: &[u8], secrets: &Secrets<'_>, tried: &mut Tried) -> Option<Vec<Candidate>> {
    let esk = match Message::from_bytes(message) {
        Ok(Message::Encrypted { esk, .. }) => esk,
        Ok(_) => return None,
        Err(error) => {
            tried.note(format!("the message cannot be read: {error}"));
            return None;
        }
    };
    let mut found = Vec::new();
    let mut attempts = 0;
    for (at, key) in secrets.keys.iter().enumerate() {
        let Some(packets) = key.openpgp() else { continue };
        let Ok(key) = transferable(packets) else { continue };
        tried.keys += 1;
        for one in &esk {
            let Esk::PublicKeyEncryptedSessionKey(one) = one else {
                continue;
            };
            attempts += 1;
            if attempts > MAX_ATTEMPTS || found.len() >= MAX_CANDIDATES {
                tried.note("further keys were not tried".to_owned());
                break;
            }
            found.extend(by_key(&key, one).map(|key| Candidate {
                key,
                by: By::Key(at),
                checked: true,
            }));
        }
    }
    let mut hashed = 0_u64;
    for one in &esk {
        let Esk::SymKeyEncryptedSessionKey(one) = one else {
            continue;
        };
        let Some(cost) = cost(one) else {
            tried.note("a password under a method that is not supported".to_owned());
            continue;
        };
        for (at, password) in secrets.passwords.iter().enumerate() {
            hashed = hashed.saturating_add(cost);
            if hashed > MAX_HASHED_BYTES || found.len() >= MAX_CANDIDATES {
                tried.note("further passwords were not tried".to_owned());
                break;
            }
            tried.passwords = tried.passwords.max(at + 1);
            let key = decrypt_session_key_with_password(one, &Password::from(password.as_str())).ok();
            found.extend(key.map(|key| Candidate {
                key,
                by: By::Password(at),
                checked: matches!(one.version(), SkeskVersion::V5 | SkeskVersion::V6),
            }));
        }
    }
    Some(found)
}

fn transferable(packets: &[u8]) -> Result<SignedSecretKey, pgp::errors::Error> {
    use pgp::composed::Deserializable;
    SignedSecretKey::from_bytes(packets)
}

/// The session key, out of the main key or the subkey that is named, or of any when none is named.
fn by_key(key: &SignedSecretKey, one: &PublicKeyEncryptedSessionKey) -> Option<PlainSessionKey> {
    let kind = match one.version() {
        PkeskVersion::V3 => EskType::V3_4,
        PkeskVersion::V6 => EskType::V6,
        PkeskVersion::Other(_) => return None,
    };
    let values = one.values().ok()?;
    let none = Password::empty();
    let main = &key.primary_key;
    if one.match_identity(main.public_key())
        && let Ok(Ok(found)) = main.decrypt(&none, values, kind)
    {
        return Some(found);
    }
    key.secret_subkeys.iter().find_map(|subkey| {
        if !one.match_identity(subkey.key.public_key()) {
            return None;
        }
        subkey.key.decrypt(&none, values, kind).ok()?.ok()
    })
}

/// Octets hashed for one password; `None` for what is not tried.
fn cost(one: &SymKeyEncryptedSessionKey) -> Option<u64> {
    if !one.is_supported() {
        return None;
    }
    Some(match one.s2k()? {
        StringToKey::IteratedAndSalted { count, .. } => (16 + u64::from(count & 15)) << (u32::from(count >> 4) + 6),
        // Each pass goes over all of the memory.
        StringToKey::Argon2 { t, m_enc, .. } if *m_enc <= MAX_ARGON2_EXPONENT => {
            u64::from(*t) << (u32::from(*m_enc) + 10)
        }
        StringToKey::Argon2 { .. } => return None,
        _ => 1024,
    })
}

/// The packets inside, and why they end early.
fn content(
    message: &[u8],
    key: &PlainSessionKey,
    mode: Seipdv1ReadMode,
    limits: &OpenLimits,
) -> Option<(Vec<u8>, Option<String>)> {
    let Ok(Message::Encrypted { mut edata, .. }) = Message::from_bytes(message) else {
        return None;
    };
    let options = DecryptionOptions::new()
        .enable_legacy()
        .enable_gnupg_aead()
        .set_seipdv1_read_mode(mode);
    edata.decrypt_with_options(key, options).ok()?;
    Some(read(&mut edata, message.len(), limits))
}

fn read(edata: &mut Edata<'_>, sealed_bytes: usize, limits: &OpenLimits) -> (Vec<u8>, Option<String>) {
    let mut bounded = Bounded::new(edata, sealed_bytes, limits);
    let mut packets = Vec::new();
    // The error is kept as its fault; what came before it is used.
    let (Ok(_) | Err(_)) = bounded.read_to_end(&mut packets);
    (packets, bounded.fault)
}
