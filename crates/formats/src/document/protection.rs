//! Encryption of Office documents ([MS-OFFCRYPTO]): which password opens a document, and its plain bytes.
//!
//! Not for: finding passwords, protecting anything. Main functions: [`package`], [`word`], [`workbook`]. Tried are the passwords given, in their order, then
//! the default password that Office itself uses for documents that are only write-protected. Invariant: counts and sizes of the file are bounded before
//! time or memory is spent on them.

mod agile;
mod ciphers;
mod rc4;
mod standard;

pub(super) use rc4::{is_locked_presentation, word, workbook};

/// The password of documents that are encrypted only in form ([MS-OFFCRYPTO] 2.4.2.3 names it).
const DEFAULT_PASSWORD: &str = "VelvetSweatshop";

/// What trying passwords gave.
pub(super) enum Outcome {
    /// Not encrypted.
    Plain,
    /// Opened by the password with this position in the list, or by the default password; the plain bytes where they are not put in place.
    Opened { bytes: Vec<u8>, password: Option<usize> },
    /// No password opens it.
    Locked,
    /// Encrypted in a way that is not known here, or damaged.
    Unsupported(String),
}

/// The passwords in their order, the default one last, each with its position.
fn candidates(passwords: &[String]) -> impl Iterator<Item = (Option<usize>, Vec<u8>)> {
    let given = passwords
        .iter()
        .enumerate()
        .map(|(at, password)| (Some(at), password.as_str()));
    given
        .chain([(None, DEFAULT_PASSWORD), (None, "")])
        .map(|(at, password)| (at, password.encode_utf16().flat_map(u16::to_le_bytes).collect()))
}

/// Opens an encrypted package ([MS-OFFCRYPTO] 2.3.4): `info` and `body` are its two streams.
pub(super) fn package(info: &[u8], body: &[u8], passwords: &[String]) -> Outcome {
    let Some(&[major, _, minor, _]) = info.first_chunk() else {
        return Outcome::Unsupported("its encryption header is cut".to_owned());
    };
    match (major, minor) {
        (4, 4) => agile::open(info, body, passwords),
        (2..=4, 2) => standard::open(info, body, passwords),
        _ => Outcome::Unsupported(format!("encryption {major}.{minor} is not known")),
    }
}

/// Four bytes, little end first.
fn word_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// Cuts the plain bytes to the size stated before them.
fn cut(mut plain: Vec<u8>, body: &[u8]) -> Vec<u8> {
    let stated = body.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    if let Ok(stated) = usize::try_from(stated) {
        plain.truncate(stated);
    }
    plain
}
