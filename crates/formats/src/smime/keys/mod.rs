//! Private keys that the user gives: read once, unlocked with the passwords given, and handed to workers in memory.
//!
//! Not for: using them (`envelope`, `session`), making them, or keeping them. Main types: [`SecretKey`], [`Secrets`]; main function: [`read`]. Decision: what a
//! record may say of a key is its public name (certificate, or fingerprint), so a key has a name and its material never prints. Invariant: nothing here
//! writes a key anywhere but into the request of a worker, which is a socket.

mod openpgp;
mod pem;
mod pkcs12;
mod pkcs8;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(super) use pkcs8::{Algorithm, algorithm};

/// Bytes of a file of keys that are read; a keyring of thousands is smaller.
const MAX_FILE_BYTES: usize = 8 << 20;

/// One private key, unlocked, with the public name under which records speak of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretKey {
    name: String,
    material: Material,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Material {
    /// For CMS: PKCS #8, and by what recipients name it.
    Cms { pkcs8: Octets, names: KeyNames },
    /// A transferable secret key of OpenPGP without its passphrase.
    OpenPgp { packets: Octets },
}

/// How recipients of CMS may name a key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyNames {
    /// Issuer and serial number, as they stand in the certificates, behind one another.
    pub(super) issued: Vec<Octets>,
    /// Subject key identifiers.
    pub(super) identifiers: Vec<Octets>,
}

/// Octets that travel as hexadecimal digits and never print.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Octets(pub(super) Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use fmt::Write;
        let mut text = String::with_capacity(self.0.len() * 2);
        for octet in &self.0 {
            write!(text, "{octet:02x}").map_err(serde::ser::Error::custom)?;
        }
        to.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
        let octets: Option<Vec<u8>> = text.as_bytes().chunks_exact(2).map(pair).collect();
        octets
            .filter(|octets| octets.len() * 2 == text.len())
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("no hexadecimal digits"))
    }
}

impl SecretKey {
    /// Its public name: the certificate's subject, issuer and serial number, or the fingerprint.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key for CMS, when it is one.
    pub(super) fn cms(&self) -> Option<(&[u8], &KeyNames)> {
        match &self.material {
            Material::Cms { pkcs8, names } => Some((&pkcs8.0, names)),
            Material::OpenPgp { .. } => None,
        }
    }

    /// The packets of an OpenPGP key, when it is one.
    pub(super) fn openpgp(&self) -> Option<&[u8]> {
        match &self.material {
            Material::OpenPgp { packets } => Some(&packets.0),
            Material::Cms { .. } => None,
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "SecretKey({})", self.name)
    }
}

/// What may be tried on what is encrypted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secrets<'a> {
    /// In the order of the list.
    pub passwords: &'a [String],
    /// In the order in which they were given.
    pub keys: &'a [SecretKey],
}

impl Secrets<'_> {
    /// True when there is nothing to try.
    pub fn is_empty(&self) -> bool {
        self.passwords.is_empty() && self.keys.is_empty()
    }
}

/// Why a file gives no keys.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It is none of the forms that are read.
    #[error("it holds no private key that is known here (PEM, PKCS #8, PKCS #12 or OpenPGP)")]
    NoKey,
    /// None of the passwords opens it.
    #[error("it is locked, and none of the {passwords} passwords given opens it; name a list with --passwords")]
    Locked {
        /// How many were tried.
        passwords: usize,
    },
    /// It is a key of an algorithm that nothing here can use, or locked by one.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// Its structure cannot be read.
    #[error("its structure is damaged: {0}")]
    Damaged(&'static str),
    /// No file of keys is so long.
    #[error("it is longer than {MAX_FILE_BYTES} bytes")]
    TooLong,
}

/// The private keys in a file: PEM (PKCS #8, PKCS #1, SEC 1; locked or not), PKCS #8 or PKCS #12 in DER, or OpenPGP, armoured or not. Certificates in the
/// same file name the keys that belong to them.
///
/// # Errors
/// When there is none, one stays locked, or one cannot be used: nothing of the file is taken then.
pub fn read(bytes: &[u8], passwords: &[String]) -> Result<Vec<SecretKey>, KeyFileError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(KeyFileError::TooLong);
    }
    let keys = if openpgp::begins(bytes) {
        openpgp::read(bytes, passwords)?
    } else if bytes.first() == Some(&0x30) {
        let mut found = pkcs12::read(bytes, passwords)?;
        if found.keys.is_empty() && found.certificates.is_empty() {
            found.keys.push(pkcs8::unlocked(bytes, passwords)?);
        }
        found.named()?
    } else {
        pem::read(bytes, passwords)?.named()?
    };
    if keys.is_empty() {
        return Err(KeyFileError::NoKey);
    }
    Ok(keys)
}

/// Keys in PKCS #8 and certificates of one file.
#[derive(Default)]
struct Found {
    keys: Vec<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
}

impl Found {
    /// Brings keys and certificates together.
    fn named(self) -> Result<Vec<SecretKey>, KeyFileError> {
        self.keys
            .into_iter()
            .map(|key| pkcs8::named(key, &self.certificates))
            .collect()
    }
}
