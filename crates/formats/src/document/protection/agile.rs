//! Agile encryption ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15).

use super::super::xml::{self, Element, Node};
use super::ciphers::{Aes, BLOCK, Hash, base64};
use super::{Outcome, candidates, cut};

/// Office writes 100,000; the schema allows 10,000,000, which would hold a worker for minutes.
const MAX_SPIN: u32 = 2_000_000;
/// Bytes that are chained with one first block (2.3.4.15).
const SEGMENT: usize = 4096;
/// Keys of blocks (2.3.4.13).
const VERIFIER_INPUT: [u8; 8] = [0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79];
const VERIFIER_VALUE: [u8; 8] = [0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e];
const KEY_VALUE: [u8; 8] = [0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6];

/// `keyData` or `encryptedKey`.
struct Sealing {
    hash: Hash,
    key_bytes: usize,
    salt: Vec<u8>,
}

struct Password {
    sealing: Sealing,
    spin: u32,
    input: Vec<u8>,
    value: Vec<u8>,
    key: Vec<u8>,
}

pub(super) fn open(info: &[u8], body: &[u8], passwords: &[String]) -> Outcome {
    let Some((data, lock)) = parse(info.get(8..).unwrap_or_default()) else {
        return Outcome::Unsupported("its encryption header cannot be read".to_owned());
    };
    if lock.spin > MAX_SPIN {
        return Outcome::Unsupported(format!("{} rounds of its key are beyond the limit", lock.spin));
    }
    for (position, password) in candidates(passwords) {
        if let Some(key) = unlock(&lock, &password) {
            return match plain(&data, &key, body) {
                Some(bytes) => Outcome::Opened {
                    bytes,
                    password: position,
                },
                None => Outcome::Unsupported("its key has an odd length".to_owned()),
            };
        }
    }
    Outcome::Locked
}

fn parse(xml_bytes: &[u8]) -> Option<(Sealing, Password)> {
    let (mut data, mut lock) = (None, None);
    // A cut header is judged by what was found in it.
    let _cut = xml::walk(&xml::decode(xml_bytes), &mut |node| {
        if let Node::Start(element) = node {
            match element.name() {
                "keyData" => data = sealing(&element),
                "encryptedKey" if lock.is_none() => lock = password(&element),
                _ => {}
            }
        }
    });
    Some((data?, lock?))
}

fn sealing(element: &Element<'_>) -> Option<Sealing> {
    if element.attribute("cipherAlgorithm")? != "AES" || element.attribute("cipherChaining")? != "ChainingModeCBC" {
        return None;
    }
    let bits: usize = element.attribute("keyBits")?.parse().ok()?;
    Some(Sealing {
        hash: Hash::named(&element.attribute("hashAlgorithm")?)?,
        key_bytes: matches!(bits, 128 | 192 | 256).then_some(bits / 8)?,
        salt: base64(&element.attribute("saltValue")?),
    })
}

fn password(element: &Element<'_>) -> Option<Password> {
    Some(Password {
        sealing: sealing(element)?,
        spin: element.attribute("spinCount")?.parse().ok()?,
        input: base64(&element.attribute("encryptedVerifierHashInput")?),
        value: base64(&element.attribute("encryptedVerifierHashValue")?),
        key: base64(&element.attribute("encryptedKeyValue")?),
    })
}

/// The key of the package, when `password` (UTF-16LE) is right (2.3.4.11, 2.3.4.13).
fn unlock(lock: &Password, password: &[u8]) -> Option<Vec<u8>> {
    let hash = lock.sealing.hash;
    let mut spun = hash.of(&lock.sealing.salt, password);
    for round in 0..lock.spin {
        spun = hash.of(&round.to_le_bytes(), &spun);
    }
    let open = |block_key: &[u8], sealed: &[u8]| {
        let key = fitted(hash.of(&spun, block_key), lock.sealing.key_bytes);
        Some(Aes::new(&key)?.chained(first_block(&lock.sealing.salt), sealed))
    };
    let input = open(&VERIFIER_INPUT, &lock.input)?;
    let value = open(&VERIFIER_VALUE, &lock.value)?;
    let expected = hash.of(&input, &[]);
    if value.len() < expected.len() || value[..expected.len()] != expected {
        return None;
    }
    open(&KEY_VALUE, &lock.key)
}

fn plain(data: &Sealing, key: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes::new(key.get(..data.key_bytes)?)?;
    let sealed = body.get(8..).unwrap_or_default();
    let mut out = Vec::with_capacity(sealed.len());
    for (segment, bytes) in (0u32..).zip(sealed.chunks(SEGMENT)) {
        let first = first_block(&data.hash.of(&data.salt, &segment.to_le_bytes()));
        out.extend(cipher.chained(first, bytes));
    }
    Some(cut(out, body))
}

/// Cut, or filled with 0x36 (2.3.4.11).
fn fitted(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0x36);
    bytes
}

fn first_block(bytes: &[u8]) -> [u8; BLOCK] {
    let mut block = [0x36; BLOCK];
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = *from;
    }
    block
}
