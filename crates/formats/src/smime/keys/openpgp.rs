//! Transferable secret keys of OpenPGP ([RFC 9580] 10.2), unlocked.

use std::io::Cursor;

use memchr::memmem;
use pgp::composed::{PublicOrSecret, SignedSecretKey};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, Password};

use super::{KeyFileError, Material, Octets, SecretKey};
use crate::smime::armour;

const MARK: &[u8] = b"-----BEGIN PGP PRIVATE KEY BLOCK-----";
/// Packet type of a secret key.
const SECRET_KEY: u8 = 5;

/// True for an armoured key, or what begins with the packet of one.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let packet = match bytes.first() {
        Some(first) if first & 0xc0 == 0xc0 => Some(first & 0x3f),
        Some(first) if first & 0x80 != 0 => Some(first >> 2 & 0xf),
        _ => None,
    };
    packet == Some(SECRET_KEY) || memmem::find(bytes, MARK).is_some()
}

/// All keys of a file, each unlocked.
pub(super) fn read(bytes: &[u8], passwords: &[String]) -> Result<Vec<SecretKey>, KeyFileError> {
    let mut blocks = Vec::new();
    if memmem::find(bytes, MARK).is_some() {
        for at in memmem::find_iter(bytes, MARK) {
            blocks.push(armour::base64(armour::after_headers(&bytes[at + MARK.len()..])));
        }
    } else {
        blocks.push(bytes.to_vec());
    }
    let mut keys = Vec::new();
    for block in blocks {
        let found =
            PublicOrSecret::from_bytes_many(Cursor::new(block)).map_err(|_| KeyFileError::Damaged("its packets"))?;
        for one in found {
            match one {
                Ok(PublicOrSecret::Secret(key)) => keys.push(unlocked(key, passwords)?),
                Ok(PublicOrSecret::Public(_)) => {}
                Err(_) => return Err(KeyFileError::Damaged("an OpenPGP key")),
            }
        }
    }
    Ok(keys)
}

/// A key of which at least one part that may decrypt is open. A main key may be missing (kept elsewhere by its owner).
fn unlocked(mut key: SignedSecretKey, passwords: &[String]) -> Result<SecretKey, KeyFileError> {
    let mut open = 0;
    open += usize::from(unlock(
        passwords,
        &mut key.primary_key,
        |key| key.secret_params().is_encrypted(),
        |key, password| key.remove_password(password).is_ok(),
    ));
    for subkey in &mut key.secret_subkeys {
        open += usize::from(unlock(
            passwords,
            &mut subkey.key,
            |key| key.secret_params().is_encrypted(),
            |key, password| key.remove_password(password).is_ok(),
        ));
    }
    if open == 0 {
        return Err(KeyFileError::Locked {
            passwords: passwords.len(),
        });
    }
    let packets = key.to_bytes().map_err(|_| KeyFileError::Damaged("an OpenPGP key"))?;
    Ok(SecretKey {
        name: format!("OpenPGP key {:X}", key.fingerprint()),
        material: Material::OpenPgp {
            packets: Octets(packets),
        },
    })
}

fn unlock<K>(
    passwords: &[String],
    key: &mut K,
    is_locked: impl Fn(&K) -> bool,
    open: impl Fn(&mut K, &Password) -> bool,
) -> bool {
    if !is_locked(key) {
        return true;
    }
    passwords
        .iter()
        .any(|password| open(key, &Password::from(password.as_str())))
}
