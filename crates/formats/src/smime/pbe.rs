//! Encryption under passwords: PKCS #5 ([RFC 8018]), PKCS #12 ([RFC 7292] B), and what OpenSSL did before.
//!
//! Main functions: [`decrypt`], [`derive`]. Invariant: rounds are bounded before they are run; a password is never part of a message.

use hmac::Hmac;
use hmac::digest::Digest;
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::ber::{Element, oid_text, tag};
use super::cipher::{Chain, Cipher, number};
use super::oid;

/// Rounds of one derivation; programs use up to a million.
pub(super) const MAX_ROUNDS: usize = 5_000_000;

/// Opens what is locked under an AlgorithmIdentifier. `None` when the password is wrong.
///
/// # Errors
/// With the name of the method when it is not known.
pub(super) fn decrypt(algorithm: &Element<'_>, password: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut inner = algorithm.elements();
    let kind = inner.tagged(tag::OID).map(|oid| oid.content).unwrap_or_default();
    let unknown = || format!("method {}", oid_text(kind));
    let parameters = inner.next().filter(|one| one.tag == tag::SEQUENCE);
    if kind.strip_prefix(oid::PKCS5) == Some(&[13]) {
        return scheme2(&parameters.ok_or_else(unknown)?, password.as_bytes(), sealed);
    }
    let mut inner = parameters.ok_or_else(unknown)?.elements();
    let salt = inner.tagged(tag::OCTETS).ok_or_else(unknown)?.content;
    let rounds = number(inner.tagged(tag::INTEGER).ok_or_else(unknown)?.content);
    if rounds > MAX_ROUNDS {
        return Err(format!("{rounds} rounds"));
    }
    if let Some(&[which]) = kind.strip_prefix(oid::PKCS12_PBE) {
        let (chain, key_bytes) = match which {
            3 => (Chain::TripleDes, 24),
            4 => (Chain::TripleDes, 16),
            5 => (Chain::Rc2(128), 16),
            6 => (Chain::Rc2(40), 5),
            _ => return Err(unknown()),
        };
        let mut key = pkcs12(password, salt, rounds, 1, key_bytes);
        if which == 4 {
            key.extend_from_within(..8);
        }
        let start = pkcs12(password, salt, rounds, 2, 8);
        return Ok(chain.decrypt_padded(&key, &start, sealed));
    }
    // PBES1 (6.1): key and start are the two halves of one hash.
    let hashed = match kind.strip_prefix(oid::PKCS5) {
        Some([3]) => again::<Md5>(&[password.as_bytes(), salt].concat(), rounds),
        Some([10]) => again::<Sha1>(&[password.as_bytes(), salt].concat(), rounds),
        _ => return Err(unknown()),
    };
    Ok(Chain::Des.decrypt_padded(&hashed[..8], &hashed[8..16], sealed))
}

/// PBES2 (6.2).
fn scheme2(parameters: &Element<'_>, password: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut inner = parameters.elements();
    let (Some(derivation), Some(scheme)) = (inner.tagged(tag::SEQUENCE), inner.tagged(tag::SEQUENCE)) else {
        return Err("PBES2 without its parts".to_owned());
    };
    let Cipher::Chain { chain, start } = Cipher::read(&scheme)? else {
        return Err("PBES2 with another mode than CBC".to_owned());
    };
    let key_bytes = chain.key_bytes().unwrap_or(16);
    let derivation = Derivation::read(&derivation)?;
    let key = derivation.key(password, key_bytes)?;
    Ok(chain.decrypt_padded(&key, &start, sealed))
}

/// PBKDF2 and what it is told (A.2).
pub(super) struct Derivation<'a> {
    salt: &'a [u8],
    pub(super) rounds: usize,
    key_bytes: Option<usize>,
    /// Arc under [`oid::RSA_DIGEST`].
    hash: u8,
}

impl<'a> Derivation<'a> {
    /// From the content of an AlgorithmIdentifier.
    ///
    /// # Errors
    /// With the name of what is not known.
    pub(super) fn read(algorithm: &Element<'a>) -> Result<Self, String> {
        let mut inner = algorithm.elements();
        let kind = inner.tagged(tag::OID).map(|oid| oid.content).unwrap_or_default();
        let unknown = || format!("key derivation {}", oid_text(kind));
        if kind.strip_prefix(oid::PKCS5) != Some(&[12]) {
            return Err(unknown());
        }
        let mut inner = inner.tagged(tag::SEQUENCE).ok_or_else(unknown)?.elements();
        let salt = inner.tagged(tag::OCTETS).ok_or_else(unknown)?.content;
        let rounds = number(inner.tagged(tag::INTEGER).ok_or_else(unknown)?.content);
        if rounds > MAX_ROUNDS {
            return Err(format!("{rounds} rounds"));
        }
        let key_bytes = inner.tagged(tag::INTEGER).map(|one| number(one.content));
        let hash = match inner
            .tagged(tag::SEQUENCE)
            .and_then(|one| one.elements().tagged(tag::OID))
        {
            None => 7,
            Some(oid) => match oid.content.strip_prefix(oid::RSA_DIGEST) {
                Some(&[hash @ 7..=11]) => hash,
                _ => return Err(format!("key derivation with {}", oid_text(oid.content))),
            },
        };
        Ok(Self {
            salt,
            rounds,
            key_bytes,
            hash,
        })
    }

    /// A key of so many octets.
    ///
    /// # Errors
    /// When another length is demanded.
    pub(super) fn key(&self, password: &[u8], key_bytes: usize) -> Result<Vec<u8>, String> {
        if let Some(said) = self.key_bytes.filter(|said| *said != key_bytes) {
            return Err(format!("a key of {said} bytes where one of {key_bytes} is needed"));
        }
        let mut key = vec![0; key_bytes];
        let rounds = u32::try_from(self.rounds).unwrap_or(u32::MAX);
        let derived = match self.hash {
            7 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, self.salt, rounds, &mut key),
            8 => pbkdf2::pbkdf2::<Hmac<Sha224>>(password, self.salt, rounds, &mut key),
            9 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, self.salt, rounds, &mut key),
            10 => pbkdf2::pbkdf2::<Hmac<Sha384>>(password, self.salt, rounds, &mut key),
            _ => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, self.salt, rounds, &mut key),
        };
        derived.map_err(|_| "a length that cannot be".to_owned())?;
        Ok(key)
    }
}

/// The hash of the hash of ... so many times.
fn again<H: Digest>(bytes: &[u8], rounds: usize) -> Vec<u8> {
    let mut hash = H::digest(bytes).to_vec();
    for _ in 1..rounds {
        hash = H::digest(&hash).to_vec();
    }
    hash
}

/// Octets for a purpose ([RFC 7292] B.2) with SHA-1: 1 for keys, 2 for starts.
fn pkcs12(password: &str, salt: &[u8], rounds: usize, purpose: u8, count: usize) -> Vec<u8> {
    const BLOCK: usize = 64;
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(BLOCK) * BLOCK;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let mut wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    wide.extend([0, 0]);
    let mut input = [filled(salt), filled(&wide)].concat();
    let mut out = Vec::new();
    loop {
        let first = [&[purpose; BLOCK][..], &input].concat();
        let hash = again::<Sha1>(&first, rounds);
        out.extend_from_slice(&hash);
        if out.len() >= count {
            out.truncate(count);
            return out;
        }
        let added: Vec<u8> = hash.iter().copied().cycle().take(BLOCK).collect();
        for block in input.chunks_mut(BLOCK) {
            let mut carry = 1_u16;
            for (octet, other) in block.iter_mut().zip(&added).rev() {
                carry += u16::from(*octet) + u16::from(*other);
                *octet = carry as u8;
                carry >>= 8;
            }
        }
    }
}

/// What OpenSSL wrote between lines of dashes: one round of MD5, the salt at the beginning of the start. `None` when the cipher is not known, `Some(None)` when the
/// password is wrong.
pub(super) fn legacy(cipher: &str, start: &[u8], password: &[u8], sealed: &[u8]) -> Option<Option<Vec<u8>>> {
    let chain = match cipher {
        "DES-EDE3-CBC" => Chain::TripleDes,
        "DES-CBC" => Chain::Des,
        "AES-128-CBC" => Chain::Aes(16),
        "AES-192-CBC" => Chain::Aes(24),
        "AES-256-CBC" => Chain::Aes(32),
        _ => return None,
    };
    let salt = start.get(..8)?;
    let count = chain.key_bytes()?;
    let mut key: Vec<u8> = Vec::new();
    let mut hash: Vec<u8> = Vec::new();
    while key.len() < count {
        hash = Md5::digest([&hash, password, salt].concat()).to_vec();
        key.extend_from_slice(&hash);
    }
    Some(chain.decrypt_padded(&key[..count], start, sealed))
}
