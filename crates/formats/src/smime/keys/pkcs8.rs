//! Private keys of CMS in one form, PKCS #8 ([RFC 5958]), and the certificates that belong to them.
//!
//! Main functions: [`unlocked`], [`named`], [`algorithm`]. Invariant: a key that is kept was understood, so a worker never meets one that it cannot use.

use sha1::{Digest, Sha1};

use super::{KeyFileError, KeyNames, Material, Octets, SecretKey};
use crate::smime::ber::{Element, Elements, encoded, oid_text, tag};
use crate::smime::{names, oid, pbe};

/// Subject key identifier ([RFC 5280] 4.2.1.2).
const SUBJECT_KEY_IDENTIFIER: &[u8] = b"\x55\x1d\x0e";
const BIT_STRING: u8 = 0x03;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::smime) enum Algorithm {
    Rsa,
    P256,
    P384,
    P521,
}

/// True for one whole sequence and nothing else.
pub(super) fn is_sequence(bytes: &[u8]) -> bool {
    let mut elements = Elements::of(bytes);
    elements.tagged(tag::SEQUENCE).is_some_and(|one| !one.cut) && elements.rest().is_empty()
}

/// PKCS #8 as it is, or unlocked with the first password that opens it.
pub(super) fn unlocked(bytes: &[u8], passwords: &[String]) -> Result<Vec<u8>, KeyFileError> {
    let outer = Elements::of(bytes).tagged(tag::SEQUENCE).filter(|outer| !outer.cut);
    let mut inner = outer.ok_or(KeyFileError::NoKey)?.elements();
    if inner.tagged(tag::INTEGER).is_some() {
        if inner.clone().tagged(tag::SEQUENCE).is_some() {
            return Ok(bytes.to_vec());
        }
        // PKCS #1 has numbers all through, SEC 1 an octet string after its version.
        if inner.clone().tagged(tag::OCTETS).is_some() {
            return of_ec(bytes).ok_or(KeyFileError::Damaged("a key on no named curve"));
        }
        return Ok(of_rsa(bytes));
    }
    let algorithm = inner.tagged(tag::SEQUENCE).ok_or(KeyFileError::NoKey)?;
    let sealed = inner.tagged(tag::OCTETS).ok_or(KeyFileError::NoKey)?;
    for password in passwords {
        match pbe::decrypt(&algorithm, password, sealed.content) {
            Ok(Some(open)) if is_sequence(&open) && self::algorithm(&open).is_some() => return Ok(open),
            Ok(_) => {}
            Err(method) => return Err(KeyFileError::Unsupported(format!("a private key locked with {method}"))),
        }
    }
    Err(KeyFileError::Locked {
        passwords: passwords.len(),
    })
}

/// PKCS #8 around PKCS #1.
pub(super) fn of_rsa(pkcs1: &[u8]) -> Vec<u8> {
    let kind = [&encoded(tag::OID, oid::RSA)[..], b"\x05\0"].concat();
    of_kind(&kind, pkcs1)
}

/// PKCS #8 around SEC 1, whose curve is named inside ([RFC 5915] 3).
pub(super) fn of_ec(sec1: &[u8]) -> Option<Vec<u8>> {
    let outer = Elements::of(sec1).tagged(tag::SEQUENCE)?;
    let parameters = outer.elements().find(|one| one.tag == tag::CONTEXT_0)?;
    let curve = parameters.elements().tagged(tag::OID)?;
    let kind = [encoded(tag::OID, oid::EC_PUBLIC_KEY), encoded(tag::OID, curve.content)].concat();
    Some(of_kind(&kind, sec1))
}

fn of_kind(kind: &[u8], private: &[u8]) -> Vec<u8> {
    let parts = [
        b"\x02\x01\0".to_vec(),
        encoded(tag::SEQUENCE, kind),
        encoded(tag::OCTETS, private),
    ];
    encoded(tag::SEQUENCE, &parts.concat())
}

/// Algorithm and private key octets.
fn parts(pkcs8: &[u8]) -> Option<(Element<'_>, Element<'_>)> {
    let mut inner = Elements::of(pkcs8).tagged(tag::SEQUENCE)?.elements();
    let _version = inner.tagged(tag::INTEGER)?;
    Some((inner.tagged(tag::SEQUENCE)?, inner.tagged(tag::OCTETS)?))
}

/// What a key in PKCS #8 can do here.
pub(in crate::smime) fn algorithm(pkcs8: &[u8]) -> Option<Algorithm> {
    let mut inner = parts(pkcs8)?.0.elements();
    match inner.tagged(tag::OID)?.content {
        kind if kind == oid::RSA => Some(Algorithm::Rsa),
        kind if kind == oid::EC_PUBLIC_KEY => match inner.tagged(tag::OID)?.content {
            curve if curve == oid::P256 => Some(Algorithm::P256),
            curve if curve == oid::P384 => Some(Algorithm::P384),
            curve if curve == oid::P521 => Some(Algorithm::P521),
            _ => None,
        },
        _ => None,
    }
}

/// The public key as it stands in a certificate: PKCS #1, or a point.
fn public(pkcs8: &[u8]) -> Result<Vec<u8>, KeyFileError> {
    use p256::elliptic_curve::sec1::ToEncodedPoint;
    let damaged = || KeyFileError::Damaged("the private key");
    let (kind, private) = parts(pkcs8).ok_or_else(damaged)?;
    let Some(algorithm) = algorithm(pkcs8) else {
        let mut inner = kind.elements();
        let oid = inner.tagged(tag::OID).map(|oid| oid_text(oid.content));
        let curve = inner.tagged(tag::OID).map(|oid| format!(" {}", oid_text(oid.content)));
        let (oid, curve) = (oid.unwrap_or_default(), curve.unwrap_or_default());
        return Err(KeyFileError::Unsupported(format!(
            "a private key of algorithm {oid}{curve}"
        )));
    };
    Ok(match algorithm {
        Algorithm::Rsa => {
            use rsa::pkcs8::DecodePrivateKey;
            rsa::RsaPrivateKey::from_pkcs8_der(pkcs8).map_err(|_| damaged())?;
            let mut numbers = Elements::of(private.content)
                .tagged(tag::SEQUENCE)
                .ok_or_else(damaged)?
                .elements();
            let _version = numbers.tagged(tag::INTEGER).ok_or_else(damaged)?;
            let modulus = numbers.tagged(tag::INTEGER).ok_or_else(damaged)?;
            let exponent = numbers.tagged(tag::INTEGER).ok_or_else(damaged)?;
            let number = |one: Element<'_>| encoded(tag::INTEGER, one.content);
            encoded(tag::SEQUENCE, &[number(modulus), number(exponent)].concat())
        }
        Algorithm::P256 => {
            use p256::pkcs8::DecodePrivateKey;
            let key = p256::SecretKey::from_pkcs8_der(pkcs8).map_err(|_| damaged())?;
            key.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Algorithm::P384 => {
            use p384::pkcs8::DecodePrivateKey;
            let key = p384::SecretKey::from_pkcs8_der(pkcs8).map_err(|_| damaged())?;
            key.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Algorithm::P521 => {
            use p521::pkcs8::DecodePrivateKey;
            let key = p521::SecretKey::from_pkcs8_der(pkcs8).map_err(|_| damaged())?;
            key.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
    })
}

/// A key under the names that its certificates give it; without one, under the hash of its public key.
pub(super) fn named(pkcs8: Vec<u8>, certificates: &[Vec<u8>]) -> Result<SecretKey, KeyFileError> {
    let public = public(&pkcs8)?;
    let hash = Sha1::digest(&public).to_vec();
    let mut name = format!("private key {}", names::hex(&hash));
    let mut known = KeyNames::default();
    for bytes in certificates {
        let Some(certificate) = Elements::of(bytes).tagged(tag::SEQUENCE) else {
            continue;
        };
        let Some(parts) = Certificate::read(&certificate) else {
            continue;
        };
        if parts.public != public {
            continue;
        }
        if known.issued.is_empty()
            && let Some(line) = names::certificate(&certificate)
        {
            name = line.trim_start_matches("Certificate: ").to_owned();
        }
        known.issued.push(Octets(parts.issued));
        known.identifiers.extend(parts.identifier.map(Octets));
    }
    // The most common way to make an identifier (RFC 5280 4.2.1.2, method 1).
    if !known.identifiers.iter().any(|one| one.0 == hash) {
        known.identifiers.push(Octets(hash));
    }
    Ok(SecretKey {
        name,
        material: Material::Cms {
            pkcs8: Octets(pkcs8),
            names: known,
        },
    })
}

/// What ties a certificate to its key and to recipients ([RFC 5280] 4.1).
struct Certificate {
    /// Content of issuer and of serial number, one behind the other.
    issued: Vec<u8>,
    public: Vec<u8>,
    identifier: Option<Vec<u8>>,
}

impl Certificate {
    fn read(certificate: &Element<'_>) -> Option<Self> {
        let mut inner = certificate.elements().tagged(tag::SEQUENCE)?.elements();
        let _version = inner.tagged(tag::CONTEXT_0);
        let serial = inner.tagged(tag::INTEGER)?;
        let _algorithm = inner.tagged(tag::SEQUENCE)?;
        let issuer = inner.tagged(tag::SEQUENCE)?;
        let _validity = inner.tagged(tag::SEQUENCE)?;
        let _subject = inner.tagged(tag::SEQUENCE)?;
        let mut key = inner.tagged(tag::SEQUENCE)?.elements();
        let _algorithm = key.tagged(tag::SEQUENCE)?;
        let public = key.tagged(BIT_STRING)?.content.get(1..)?.to_vec();
        let extensions = inner.find(|one| one.tag == 0xa3);
        let identifier = extensions
            .and_then(|explicit| explicit.elements().tagged(tag::SEQUENCE))
            .and_then(|list| list.elements().find_map(|one| identifier_of(&one)));
        Some(Self {
            issued: [issuer.content, serial.content].concat(),
            public,
            identifier,
        })
    }
}

fn identifier_of(extension: &Element<'_>) -> Option<Vec<u8>> {
    let mut inner = extension.elements();
    inner
        .tagged(tag::OID)
        .filter(|oid| oid.content == SUBJECT_KEY_IDENTIFIER)?;
    let value = inner.find(|one| one.tag == tag::OCTETS)?;
    let octets = Elements::of(value.content).tagged(tag::OCTETS)?;
    Some(octets.content.to_vec())
}
