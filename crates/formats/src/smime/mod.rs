//! Signed, compressed and encrypted messages that come as one sealed thing: CMS ([RFC 5652], S/MIME [RFC 8551]) and OpenPGP ([RFC 4880]).
//!
//! Not for: multipart/signed and plain text in a mail (`mail`); checking a signature. Main functions: [`kind_of`] for the probe, [`open`], [`open_mail`] for armour
//! in the body of a mail; [`keys`] reads what may open them. Invariant: a signed, compressed or opened content comes out as a member, as its exact bytes; what
//! stays encrypted says so, and for whom, as far as that is written on it; a signature is reported and not judged.

mod armour;
mod ber;
mod cipher;
mod cms;
mod content;
mod envelope;
mod inline;
pub mod keys;
mod names;
mod oid;
mod openpgp;
mod pbe;
mod session;
mod tried;

use std::io;

pub use inline::{MAIL, has_block, open as open_mail};
use keys::Secrets;

use crate::opened::{Members, OpenLimits, Opened};

/// CMS with a content, or encrypted.
pub const CMS: &str = "application/pkcs7-mime";
/// CMS signature without the content that it signs.
pub const CMS_SIGNATURE: &str = "application/pkcs7-signature";
/// CMS that carries certificates and nothing else.
pub const CMS_CERTIFICATES: &str = "application/x-pkcs7-certificates";
/// OpenPGP message that is encrypted.
pub const PGP_ENCRYPTED: &str = "application/pgp-encrypted";
/// OpenPGP message that is signed or compressed only.
pub const PGP: &str = "application/pgp";

/// What the first bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// One of the types above.
    pub media_type: &'static str,
    /// Its content cannot be had without a key.
    pub encrypted: bool,
}

/// Says which of these types begins with `head`; binary, in base64, or between lines of dashes.
pub fn kind_of(head: &[u8]) -> Option<Kind> {
    cms::kind_of(head).or_else(|| openpgp::kind_of(head))
}

/// True for the media types that [`open`] reads. For them the bytes decide, not which of the types was given.
pub fn is_read(media_type: &str) -> bool {
    matches!(
        media_type,
        CMS | CMS_SIGNATURE
            | CMS_CERTIFICATES
            | PGP
            | PGP_ENCRYPTED
            | "application/x-pkcs7-mime"
            | "application/x-pkcs7-signature"
    )
}

/// True for what keys may open: they are sent to a worker for nothing else.
pub fn takes_keys(media_type: &str) -> bool {
    is_read(media_type) || media_type == MAIL
}

/// Gives the content as a member, named `message`, and as text who signed, or for whom it is encrypted. What is encrypted is opened when one of the secrets fits.
///
/// # Errors
/// When the taker cannot go on.
pub fn open(bytes: &[u8], secrets: &Secrets<'_>, limits: &OpenLimits, members: &mut dyn Members) -> io::Result<Opened> {
    if openpgp::begins(bytes) {
        return openpgp::open(bytes, secrets, limits, members);
    }
    cms::open(bytes, secrets, limits, members)
}
