//! PKCS #12 ([RFC 7292]): private keys and certificates behind a password.
//!
//! Decision: the checksum over the whole is not looked at; a password is right when what it opens has the structure of a safe. Invariant: bags are read by
//! level, at most [`MAX_DEPTH`] deep.

use super::{Found, KeyFileError, pkcs8};
use crate::smime::ber::{Element, Elements, tag};
use crate::smime::{oid, pbe};

/// Safes may lie in safes (4.2.6).
const MAX_DEPTH: usize = 4;

/// Keys and certificates; nothing at all when it is no PKCS #12.
///
/// # Errors
/// When it stays locked, or is locked by a method that is not known here.
pub(super) fn read(bytes: &[u8], passwords: &[String]) -> Result<Found, KeyFileError> {
    let mut found = Found::default();
    let Some(content) = authenticated_safe(bytes) else {
        return Ok(found);
    };
    for info in Elements::of(&content)
        .tagged(tag::SEQUENCE)
        .ok_or(KeyFileError::Damaged("the list of safes"))?
        .elements()
    {
        let mut inner = info.elements();
        let kind = inner.tagged(tag::OID).ok_or(KeyFileError::Damaged("a safe"))?.content;
        let content = inner
            .tagged(tag::CONTEXT_0)
            .and_then(|explicit| explicit.elements().next());
        let content = content.ok_or(KeyFileError::Damaged("a safe"))?;
        if kind == oid::DATA {
            bags(&content.octets().0, passwords, &mut found, 0)?;
        } else if kind == oid::ENCRYPTED_DATA {
            let open = encrypted(&content, passwords)?;
            bags(&open, passwords, &mut found, 0)?;
        } else {
            return Err(KeyFileError::Unsupported(
                "a PKCS #12 file locked with a certificate".to_owned(),
            ));
        }
    }
    Ok(found)
}

/// PFX (4): version 3, then the authenticated safe as data.
fn authenticated_safe(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut inner = Elements::of(bytes).tagged(tag::SEQUENCE)?.elements();
    inner.tagged(tag::INTEGER).filter(|version| version.content == [3])?;
    let mut info = inner.tagged(tag::SEQUENCE)?.elements();
    info.tagged(tag::OID).filter(|kind| kind.content == oid::DATA)?;
    let content = info.tagged(tag::CONTEXT_0)?.elements().next()?;
    Some(content.octets().0.into_owned())
}

/// EncryptedData ([RFC 5652] 8) opened with a password.
fn encrypted(content: &Element<'_>, passwords: &[String]) -> Result<Vec<u8>, KeyFileError> {
    let damaged = || KeyFileError::Damaged("an encrypted safe");
    let mut inner = content.elements();
    let _version = inner.tagged(tag::INTEGER).ok_or_else(damaged)?;
    let mut info = inner.tagged(tag::SEQUENCE).ok_or_else(damaged)?.elements();
    let _kind = info.tagged(tag::OID).ok_or_else(damaged)?;
    let algorithm = info.tagged(tag::SEQUENCE).ok_or_else(damaged)?;
    let sealed = info.next().ok_or_else(damaged)?.octets().0;
    unlock(&algorithm, &sealed, passwords, pkcs8::is_sequence)
}

/// Tries the empty password last: files without a password have it.
fn unlock(
    algorithm: &Element<'_>,
    sealed: &[u8],
    passwords: &[String],
    is_right: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, KeyFileError> {
    let empty = String::new();
    for password in passwords.iter().chain([&empty]) {
        match pbe::decrypt(algorithm, password, sealed) {
            Ok(Some(open)) if is_right(&open) => return Ok(open),
            Ok(_) => {}
            Err(method) => {
                return Err(KeyFileError::Unsupported(format!(
                    "a PKCS #12 file locked with {method}"
                )));
            }
        }
    }
    Err(KeyFileError::Locked {
        passwords: passwords.len(),
    })
}

/// SafeContents (4.2).
fn bags(safe: &[u8], passwords: &[String], found: &mut Found, depth: usize) -> Result<(), KeyFileError> {
    let Some(list) = Elements::of(safe).tagged(tag::SEQUENCE) else {
        return Err(KeyFileError::Damaged("a safe"));
    };
    for bag in list.elements() {
        let mut inner = bag.elements();
        let (Some(kind), Some(value)) = (inner.tagged(tag::OID), inner.tagged(tag::CONTEXT_0)) else {
            return Err(KeyFileError::Damaged("a bag"));
        };
        match kind.content.strip_prefix(oid::BAG) {
            Some([1]) => found.keys.push(value.content.to_vec()),
            Some([2]) => {
                let mut sealed = value.elements().tagged(tag::SEQUENCE).map(|one| one.elements());
                let algorithm = sealed.as_mut().and_then(|one| one.tagged(tag::SEQUENCE));
                let octets = sealed.as_mut().and_then(Iterator::next);
                let (Some(algorithm), Some(octets)) = (algorithm, octets) else {
                    return Err(KeyFileError::Damaged("a locked key"));
                };
                let right = |open: &[u8]| pkcs8::is_sequence(open) && pkcs8::algorithm(open).is_some();
                found
                    .keys
                    .push(unlock(&algorithm, &octets.octets().0, passwords, right)?);
            }
            Some([3]) => {
                let mut bag = value.elements().tagged(tag::SEQUENCE).map(|one| one.elements());
                let _kind = bag.as_mut().and_then(|one| one.tagged(tag::OID));
                let explicit = bag.as_mut().and_then(|one| one.tagged(tag::CONTEXT_0));
                let octets = explicit.and_then(|one| one.elements().next());
                found.certificates.extend(octets.map(|one| one.octets().0.into_owned()));
            }
            Some([6]) if depth < MAX_DEPTH => bags(value.content, passwords, found, depth + 1)?,
            // Lists of revoked certificates and secrets of other kinds.
            Some(_) | None => {}
        }
    }
    Ok(())
}
