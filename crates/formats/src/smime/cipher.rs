//! Ciphers by their identifiers: blocks in a chain ([RFC 3370], [RFC 3565]), AES with a counter and a tag ([RFC 5084]), and keys wrapped in AES ([RFC 3394]).
//!
//! Main types: [`Cipher`], [`Chain`]. Invariant: a wrong length of key or start is `None`, never a panic; what does not fill a block is left out and told.

use aes::cipher::{Block, BlockCipherDecrypt, BlockSizeUser, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::AeadInPlace;
use aes_gcm::aead::generic_array::typenum::{U12, U13, U14, U15, U16};
use aes_gcm::{AesGcm, KeyInit as _, aes as gcm_aes};
use des::{Des, TdesEde3};
use rc2::Rc2;

use super::ber::{Element, oid_text, tag};
use super::oid;

/// A block cipher in CBC mode, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    Aes(usize),
    TripleDes,
    Des,
    /// With so many effective bits ([RFC 2268]).
    Rc2(usize),
}

impl Chain {
    /// Octets of its key; RC2 takes any number.
    pub(super) fn key_bytes(self) -> Option<usize> {
        match self {
            Self::Aes(bytes) => Some(bytes),
            Self::TripleDes => Some(24),
            Self::Des => Some(8),
            Self::Rc2(_) => None,
        }
    }

    pub(super) fn block_bytes(self) -> usize {
        match self {
            Self::Aes(_) => 16,
            Self::TripleDes | Self::Des | Self::Rc2(_) => 8,
        }
    }

    /// All whole blocks, with their padding.
    pub(super) fn decrypt(self, key: &[u8], start: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        if start.len() != self.block_bytes() {
            return None;
        }
        match self {
            Self::Aes(16) => Some(chained(&Aes128::new_from_slice(key).ok()?, start, sealed)),
            Self::Aes(24) => Some(chained(&Aes192::new_from_slice(key).ok()?, start, sealed)),
            Self::Aes(_) => Some(chained(&Aes256::new_from_slice(key).ok()?, start, sealed)),
            Self::TripleDes => Some(chained(&TdesEde3::new_from_slice(key).ok()?, start, sealed)),
            Self::Des => Some(chained(&Des::new_from_slice(key).ok()?, start, sealed)),
            Self::Rc2(bits) if (1..=128).contains(&key.len()) && (1..=1024).contains(&bits) => {
                Some(chained(&Rc2::new_with_eff_key_len(key, bits), start, sealed))
            }
            Self::Rc2(_) => None,
        }
    }

    /// The same without the padding ([RFC 5652] 6.3); `None` when that is wrong.
    pub(super) fn decrypt_padded(self, key: &[u8], start: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut open = self.decrypt(key, start, sealed)?;
        let padding = padding(&open, self.block_bytes())?;
        open.truncate(open.len() - padding);
        sealed.len().is_multiple_of(self.block_bytes()).then_some(open)
    }
}

/// Octets of padding at the end.
pub(super) fn padding(open: &[u8], block_bytes: usize) -> Option<usize> {
    let last = *open.last()?;
    let count = usize::from(last);
    let is_padding = (1..=block_bytes).contains(&count) && open.len() >= count;
    (is_padding && open[open.len() - count..].iter().all(|octet| *octet == last)).then_some(count)
}

fn chained<C: BlockCipherDecrypt + BlockSizeUser>(cipher: &C, start: &[u8], sealed: &[u8]) -> Vec<u8> {
    let size = C::block_size();
    let mut out = Vec::with_capacity(sealed.len());
    let mut before = start;
    for chunk in sealed.chunks_exact(size) {
        let mut block = Block::<C>::default();
        block.copy_from_slice(chunk);
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(before).map(|(open, mask)| open ^ mask));
        before = chunk;
    }
    out
}

/// How a content is encrypted, with what its algorithm says beside the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Chain {
        chain: Chain,
        start: Vec<u8>,
    },
    /// AES-GCM.
    Counter {
        key_bytes: usize,
        nonce: Vec<u8>,
        tag_bytes: usize,
    },
}

impl Cipher {
    /// From an AlgorithmIdentifier.
    ///
    /// # Errors
    /// With the name of what is not known.
    pub(super) fn read(algorithm: &Element<'_>) -> Result<Self, String> {
        let mut inner = algorithm.elements();
        let kind = inner.tagged(tag::OID).map(|oid| oid.content).unwrap_or_default();
        let unknown = || match kind.strip_prefix(oid::AES) {
            Some([7 | 27 | 47]) => "AES-CCM".to_owned(),
            _ => format!("cipher {}", oid_text(kind)),
        };
        let parameters = inner.next();
        let start = || {
            parameters
                .filter(|one| one.tag == tag::OCTETS)
                .map(|one| one.content.to_vec())
        };
        let chain = |chain: Chain| {
            let start = start().filter(|start| start.len() == chain.block_bytes());
            start.map(|start| Self::Chain { chain, start }).ok_or_else(unknown)
        };
        if kind == oid::DES_CBC {
            return chain(Chain::Des);
        }
        match (kind.strip_prefix(oid::RSA_CIPHER), kind.strip_prefix(oid::AES)) {
            (Some([7]), _) => chain(Chain::TripleDes),
            (Some([2]), _) => {
                let (bits, start) = rc2_parameters(parameters.as_ref()).ok_or_else(unknown)?;
                let chain = Chain::Rc2(bits);
                Ok(Self::Chain { chain, start })
            }
            (_, Some([2])) => chain(Chain::Aes(16)),
            (_, Some([22])) => chain(Chain::Aes(24)),
            (_, Some([42])) => chain(Chain::Aes(32)),
            (_, Some([size @ (6 | 26 | 46)])) => {
                let mut inner = parameters
                    .filter(|one| one.tag == tag::SEQUENCE)
                    .ok_or_else(unknown)?
                    .elements();
                let nonce = inner.tagged(tag::OCTETS).filter(|nonce| nonce.content.len() == 12);
                let tag_bytes = inner.tagged(tag::INTEGER).map_or(12, |one| number(one.content));
                Ok(Self::Counter {
                    key_bytes: match size {
                        6 => 16,
                        26 => 24,
                        _ => 32,
                    },
                    nonce: nonce.ok_or_else(unknown)?.content.to_vec(),
                    tag_bytes,
                })
            }
            _ => Err(unknown()),
        }
    }

    /// The name for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Chain { chain, .. } => match chain {
                Chain::Aes(bytes) => format!("AES-{}-CBC", bytes * 8),
                Chain::TripleDes => "3DES-CBC".to_owned(),
                Chain::Des => "DES-CBC".to_owned(),
                Chain::Rc2(bits) => format!("RC2-{bits}-CBC"),
            },
            Self::Counter { key_bytes, .. } => format!("AES-{}-GCM", key_bytes * 8),
        }
    }

    /// True for a key that may be one of this cipher.
    pub(super) fn takes(&self, key: &[u8]) -> bool {
        match self {
            Self::Chain { chain, .. } => match chain.key_bytes() {
                Some(bytes) => key.len() == bytes,
                None => (5..=128).contains(&key.len()),
            },
            Self::Counter { key_bytes, .. } => key.len() == *key_bytes,
        }
    }
}

/// Effective bits and start ([RFC 3370] 5.2): numbers below 256 stand for a table's entry.
fn rc2_parameters(parameters: Option<&Element<'_>>) -> Option<(usize, Vec<u8>)> {
    let mut inner = parameters.filter(|one| one.tag == tag::SEQUENCE)?.elements();
    let version = number(inner.tagged(tag::INTEGER)?.content);
    let bits = match version {
        160 => 40,
        120 => 64,
        58 => 128,
        256..=1024 => version,
        _ => return None,
    };
    let start = inner.tagged(tag::OCTETS).filter(|start| start.content.len() == 8)?;
    Some((bits, start.content.to_vec()))
}

/// A small number; anything beyond 32 bits is a number that fits nothing.
pub(super) fn number(content: &[u8]) -> usize {
    let zeros = content.iter().take_while(|octet| **octet == 0).count();
    let octets = &content[zeros..];
    if octets.len() > 4 {
        return usize::MAX;
    }
    octets.iter().fold(0, |value, octet| value << 8 | usize::from(*octet))
}

/// Opens AES-GCM. `Err` gives the content as it decrypts although its tag does not fit: damaged, cut, or with a wrong key.
pub(super) fn open_counter(
    key: &[u8],
    nonce: &[u8],
    beside: &[u8],
    sealed: &[u8],
    mac: &[u8],
) -> Option<Result<Vec<u8>, Vec<u8>>> {
    macro_rules! opened {
        ($cipher:ty, $tag:ty) => {{
            let cipher = AesGcm::<$cipher, U12, $tag>::new_from_slice(key).ok()?;
            let mut open = sealed.to_vec();
            let done = cipher.decrypt_in_place_detached(nonce.into(), beside, &mut open, mac.into());
            done.is_ok().then_some(open)
        }};
    }
    macro_rules! by_tag {
        ($cipher:ty) => {
            match mac.len() {
                12 => opened!($cipher, U12),
                13 => opened!($cipher, U13),
                14 => opened!($cipher, U14),
                15 => opened!($cipher, U15),
                16 => opened!($cipher, U16),
                _ => None,
            }
        };
    }
    if nonce.len() != 12 {
        return None;
    }
    let open = match key.len() {
        16 => by_tag!(gcm_aes::Aes128),
        24 => by_tag!(gcm_aes::Aes192),
        32 => by_tag!(gcm_aes::Aes256),
        _ => return None,
    };
    Some(match open {
        Some(open) => Ok(open),
        None => Err(counted(key, nonce, sealed)?),
    })
}

/// The counter mode of GCM without its tag ([SP 800-38D] 7.2): the count of the content begins at 2.
fn counted(key: &[u8], nonce: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    use aes::cipher::BlockCipherEncrypt;
    fn stream<C: BlockCipherEncrypt + BlockSizeUser>(cipher: &C, nonce: &[u8], sealed: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(sealed.len());
        for (chunk, count) in sealed.chunks(16).zip(2_u32..) {
            let mut block = Block::<C>::default();
            block[..12].copy_from_slice(nonce);
            block[12..].copy_from_slice(&count.to_be_bytes());
            cipher.encrypt_block(&mut block);
            out.extend(chunk.iter().zip(block.iter()).map(|(sealed, mask)| sealed ^ mask));
        }
        out
    }
    Some(match key.len() {
        16 => stream(&Aes128::new_from_slice(key).ok()?, nonce, sealed),
        24 => stream(&Aes192::new_from_slice(key).ok()?, nonce, sealed),
        _ => stream(&Aes256::new_from_slice(key).ok()?, nonce, sealed),
    })
}

/// A key out of its wrap ([RFC 3394] 2.2.2); `None` when the check does not fit.
pub(super) fn unwrap(kek: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    fn run<C: BlockCipherDecrypt + BlockSizeUser>(cipher: &C, wrapped: &[u8]) -> Option<Vec<u8>> {
        let count = wrapped.len() / 8 - 1;
        let (check, rest) = wrapped.split_first_chunk::<8>()?;
        let (mut check, mut registers) = (*check, rest.to_vec());
        for round in (0..6).rev() {
            for at in (1..=count).rev() {
                let step = (count * round + at) as u64;
                let mut block = Block::<C>::default();
                let masked = u64::from_be_bytes(check) ^ step;
                block[..8].copy_from_slice(&masked.to_be_bytes());
                block[8..].copy_from_slice(&registers[at * 8 - 8..at * 8]);
                cipher.decrypt_block(&mut block);
                check.copy_from_slice(&block[..8]);
                registers[at * 8 - 8..at * 8].copy_from_slice(&block[8..]);
            }
        }
        (check == [0xa6; 8]).then_some(registers)
    }
    if !wrapped.len().is_multiple_of(8) || !(24..=1024).contains(&wrapped.len()) {
        return None;
    }
    match kek.len() {
        16 => run(&Aes128::new_from_slice(kek).ok()?, wrapped),
        24 => run(&Aes192::new_from_slice(kek).ok()?, wrapped),
        32 => run(&Aes256::new_from_slice(kek).ok()?, wrapped),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let pairs = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
    }

    /// RFC 3394 4.1 and 4.6.
    #[test]
    fn keys_come_out_of_their_wraps() {
        let key = octets("00112233445566778899AABBCCDDEEFF");
        let kek = octets("000102030405060708090A0B0C0D0E0F");
        let wrapped = octets("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
        assert_eq!(unwrap(&kek, &wrapped), Some(key.clone()));
        let long = octets("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
        let sealed = octets("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        assert_eq!(
            unwrap(&long, &sealed),
            Some(octets(
                "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"
            ))
        );
        assert_eq!(unwrap(&long, &wrapped), None);
        assert_eq!(unwrap(&kek, &wrapped[1..]), None);
        assert_eq!(unwrap(&kek, &[]), None);
    }

    #[test]
    fn a_padding_that_is_none_is_told() {
        assert_eq!(padding(b"abc\x01", 8), Some(1));
        assert_eq!(padding(&[8; 8], 8), Some(8));
        assert_eq!(padding(b"abc\x02", 8), None);
        assert_eq!(padding(b"abc\0", 8), None);
        assert_eq!(padding(&[9; 16], 8), None);
        assert_eq!(padding(b"", 8), None);
    }
}
