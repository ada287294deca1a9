//! Near-duplicate sketch: one-permutation MinHash over shingles of five tokens.
//!
//! Each shingle has a 64-bit hash; its top 6 bits choose one of 64 buckets, the smallest remaining value in a
//! bucket is kept, empty buckets borrow from others by a fixed probe order (densification as in Shrivastava,
//! "Optimal Densification for Fast and Accurate Minwise Hashing", ICML 2017), and 8 bits of each are the
//! sketch ("b-bit minwise hashing", Li and Koenig, WWW 2010).
//!
//! Invariant: the constants never change within a [`SKETCH_VERSION`]; the same tokens give the same bytes on
//! every machine.

use super::tokens::{Tokens, control_in};

/// Bytes of a sketch, and number of buckets.
pub const SKETCH_LEN: usize = 64;

/// Version of the constants below; sketches of different versions are not comparable.
pub const SKETCH_VERSION: u32 = 1;

/// Tokens in a shingle.
const SHINGLE: usize = 5;

/// Odd 64-bit constants: the fractional part of the golden ratio, and the two multipliers of SplitMix64
/// (Steele, Lea and Flood, OOPSLA 2014).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const MIX_A: u64 = 0xBF58_476D_1CE4_E5B9;
const MIX_B: u64 = 0x94D0_49BB_1331_11EB;

/// `GOLDEN` to the power of the shingle length, for taking the oldest token out of the rolling hash.
const GOLDEN_POW: u64 = {
    let mut power = 1_u64;
    let mut step = 0;
    while step < SHINGLE {
        power = power.wrapping_mul(GOLDEN);
        step += 1;
    }
    power
};

fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(MIX_A);
    x = (x ^ (x >> 27)).wrapping_mul(MIX_B);
    x ^ (x >> 31)
}

/// Hashes of the tokens of a replay buffer, in order.
///
/// A token is taken eight bytes at a time, the last piece filled with zeros (tokens hold none): multiply and
/// fold. Ends of tokens, which are bytes below 4, are looked for in all eight bytes at once.
struct TokenHashes<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Iterator for TokenHashes<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        // One control byte stands before every token.
        self.at += 1;
        if self.at >= self.bytes.len() {
            return None;
        }
        let mut hash = GOLDEN;
        loop {
            let piece = self.piece();
            if let Some(len) = control_in(piece) {
                self.at += len;
                return Some(fold(hash, piece & ((1 << (8 * len)) - 1)));
            }
            hash = fold(hash, piece);
            self.at += 8;
        }
    }
}

impl TokenHashes<'_> {
    /// The next eight bytes; beyond the end there are control bytes.
    #[inline]
    fn piece(&self) -> u64 {
        let rest = &self.bytes[self.at..];
        if let Some(piece) = rest.first_chunk() {
            return u64::from_le_bytes(*piece);
        }
        let mut piece = [1_u8; 8];
        piece[..rest.len()].copy_from_slice(rest);
        u64::from_le_bytes(piece)
    }
}

#[inline]
fn fold(hash: u64, piece: u64) -> u64 {
    let hash = (hash ^ piece).wrapping_mul(MIX_A);
    hash ^ (hash >> 32)
}

/// The sketch of a text, or `None` when it has fewer than five tokens (too short to compare).
pub fn sketch(tokens: &Tokens) -> Option<[u8; SKETCH_LEN]> {
    let mut window = [0_u64; SHINGLE];
    let mut rolling = 0_u64;
    let mut lowest = [u64::MAX; SKETCH_LEN];
    let mut count = 0_usize;
    let hashes = TokenHashes {
        bytes: tokens.as_indexed().as_bytes(),
        at: 0,
    };
    for hash in hashes {
        let slot = count % SHINGLE;
        rolling = rolling
            .wrapping_mul(GOLDEN)
            .wrapping_add(hash)
            .wrapping_sub(window[slot].wrapping_mul(GOLDEN_POW));
        window[slot] = hash;
        count += 1;
        if count >= SHINGLE {
            let value = mix(rolling);
            let bucket = (value >> 58) as usize;
            lowest[bucket] = lowest[bucket].min(value);
        }
    }
    (count >= SHINGLE).then(|| finish(&lowest))
}

fn finish(lowest: &[u64; SKETCH_LEN]) -> [u8; SKETCH_LEN] {
    let mut out = [0_u8; SKETCH_LEN];
    for (bucket, byte) in out.iter_mut().enumerate() {
        let mut from = bucket;
        let mut attempt = 0_u64;
        while lowest[from] == u64::MAX {
            attempt += 1;
            from = (mix(((bucket as u64) << 32) | attempt) >> 58) as usize;
        }
        *byte = (mix(lowest[from]) >> 56) as u8;
    }
    out
}

/// Estimated Jaccard similarity of the two texts' shingles, 0 to 1. The share of equal bytes is corrected
/// for the one in 256 that are equal by chance. Standard error about 0.06 at 0.5.
pub fn similarity(a: &[u8; SKETCH_LEN], b: &[u8; SKETCH_LEN]) -> f32 {
    let equal = a.iter().zip(b).filter(|(x, y)| x == y).count() as f32 / SKETCH_LEN as f32;
    ((equal - 1.0 / 256.0) / (1.0 - 1.0 / 256.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<[u8; SKETCH_LEN]> {
        let mut tokens = Tokens::new();
        tokens.text(text);
        sketch(&tokens)
    }

    fn numbered(range: std::ops::Range<u32>) -> String {
        range.map(|n| format!("word{n} ")).collect()
    }

    proptest::proptest! {
        #[test]
        fn a_token_has_one_hash_wherever_it_stands(words in proptest::collection::vec("[a-zéß日]{1,30}", 1..20)) {
            let hashes_of = |text: &str| -> Vec<u64> {
                let mut tokens = Tokens::new();
                tokens.text(text);
                TokenHashes { bytes: tokens.as_indexed().as_bytes(), at: 0 }.collect()
            };
            let mut tokens = Tokens::new();
            tokens.text(&words.join(" "));
            let one_by_one: Vec<u64> = tokens.words().flat_map(hashes_of).collect();
            proptest::prop_assert_eq!(hashes_of(&words.join(" ")), one_by_one);
            let distinct: std::collections::BTreeMap<u64, &str> =
                hashes_of(&words.join(" ")).into_iter().zip(tokens.words()).collect();
            proptest::prop_assert!(hashes_of(&words.join(" ")).iter().zip(tokens.words()).all(|(hash, word)| distinct[hash] == word));
        }
    }

    #[test]
    fn fewer_than_five_words_have_no_sketch() {
        assert_eq!(of("one two three four"), None);
        assert!(of("one two three four five").is_some());
    }

    #[test]
    fn equal_words_give_equal_sketches_whatever_the_layout() {
        assert_eq!(of("Please let me know today."), of("> please LET me\n> know, today"));
    }

    #[test]
    fn similarity_follows_the_share_of_common_shingles() {
        let base = of(&numbered(0..1000)).expect("long enough");
        let most = of(&numbered(100..1000)).expect("long enough");
        let half = of(&numbered(500..1500)).expect("long enough");
        let none = of(&numbered(2000..3000)).expect("long enough");
        assert!(similarity(&base, &base) > 0.999);
        assert!((similarity(&base, &most) - 0.9).abs() < 0.15);
        assert!((similarity(&base, &half) - 0.333).abs() < 0.2);
        assert!(similarity(&base, &none) < 0.1);
    }

    #[test]
    fn the_constants_of_version_1_do_not_change() {
        let sketch = of("the quick brown fox jumps over the lazy dog").expect("long enough");
        let sum: u64 = sketch
            .iter()
            .fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        assert_eq!((SKETCH_VERSION, sum), (1, 8_515_746_738_554_393_442));
    }
}
