//! Standard encryption: AES with a key by SHA-1 ([MS-OFFCRYPTO] 2.3.4.5 to 2.3.4.9).

use super::ciphers::{Aes, Hash};
use super::{Outcome, candidates, cut, word_at};

/// Rounds of the key (2.3.4.7).
const ROUNDS: u32 = 50_000;

pub(super) fn open(info: &[u8], body: &[u8], passwords: &[String]) -> Outcome {
    let Some(lock) = parse(info) else {
        return Outcome::Unsupported("its encryption header cannot be read, or its cipher is not AES".to_owned());
    };
    for (position, password) in candidates(passwords) {
        if let Some(cipher) = unlock(&lock, &password) {
            let bytes = cut(cipher.single_blocks(body.get(8..).unwrap_or_default()), body);
            return Outcome::Opened {
                bytes,
                password: position,
            };
        }
    }
    Outcome::Locked
}

struct Lock<'i> {
    key_bytes: usize,
    salt: &'i [u8],
    verifier: &'i [u8],
    hash: &'i [u8],
}

fn parse(info: &[u8]) -> Option<Lock<'_>> {
    let header_bytes = usize::try_from(word_at(info, 8)?).ok()?;
    let algorithm = word_at(info, 20)?;
    let key_bits = usize::try_from(word_at(info, 28)?).ok()?;
    // AES-128, 192, 256, or left open (2.3.2).
    let key_bytes = match (algorithm, key_bits) {
        (0x660e, _) => 16,
        (0x660f, _) => 24,
        (0x6610, _) => 32,
        (0, 128 | 192 | 256) => key_bits / 8,
        _ => return None,
    };
    let verifier = info.get(12usize.checked_add(header_bytes)?..)?;
    Some(Lock {
        key_bytes,
        salt: verifier.get(4..20)?,
        verifier: verifier.get(20..36)?,
        hash: verifier.get(40..72)?,
    })
}

fn unlock(lock: &Lock<'_>, password: &[u8]) -> Option<Aes> {
    let mut spun = Hash::Sha1.of(lock.salt, password);
    for round in 0..ROUNDS {
        spun = Hash::Sha1.of(&round.to_le_bytes(), &spun);
    }
    let last = Hash::Sha1.of(&spun, &0u32.to_le_bytes());
    let derived = |fill: u8| {
        let mut block = [fill; 64];
        for (to, from) in block.iter_mut().zip(&last) {
            *to ^= from;
        }
        Hash::Sha1.of(&block, &[])
    };
    let mut key = derived(0x36);
    key.extend(derived(0x5c));
    let cipher = Aes::new(key.get(..lock.key_bytes)?)?;
    let expected = Hash::Sha1.of(&cipher.single_blocks(lock.verifier), &[]);
    let found = cipher.single_blocks(lock.hash);
    (found.get(..expected.len())? == expected).then_some(cipher)
}
