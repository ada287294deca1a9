//! One seed, bent.
//!
//! Main function: [`mutate`]. Invariant: the result is never longer than asked, and a function of the arguments.

use crate::random::Random;

/// What readers compare lengths, counts and offsets with.
const INTERESTING: [u64; 22] = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    31,
    63,
    127,
    128,
    255,
    256,
    512,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0xFFFF_FFFF,
    u64::MAX,
];

/// Bends `bytes` one to many times; `other` is the seed to splice with.
pub(crate) fn mutate(bytes: &mut Vec<u8>, other: &[u8], words: &[&[u8]], max_bytes: usize, random: &mut Random) {
    // Most cases are a few steps from a good file, some are far from it; long files get more.
    let long = bytes.len() / 16_384;
    let steps = match random.below(8) {
        0..=3 => 1 + random.below(3),
        4..=6 => 2 + random.below(8),
        _ => 8 + random.below(40),
    } + random.below(long + 1);
    for _ in 0..steps {
        step(bytes, other, words, random);
        bytes.truncate(max_bytes);
    }
}

fn step(bytes: &mut Vec<u8>, other: &[u8], words: &[&[u8]], random: &mut Random) {
    match random.below(20) {
        0..=2 => change(bytes, random, |byte, random| byte ^ (1 << random.below(8))),
        3 | 4 => change(bytes, random, |_, random| random.byte()),
        5 => change(bytes, random, |byte, random| {
            let by = 1 + random.byte() % 8;
            if random.below(2) == 0 {
                byte.wrapping_add(by)
            } else {
                byte.wrapping_sub(by)
            }
        }),
        6..=8 => number(bytes, random),
        9 => {
            let end = random.below(bytes.len() + 1);
            bytes.truncate(end);
        }
        10 | 11 => {
            let (start, end) = block(bytes, random);
            bytes.drain(start..end);
        }
        12 => {
            let (start, end) = block(bytes, random);
            let copy = bytes[start..end].to_vec();
            let times = 1 + random.below(4);
            for _ in 0..times {
                bytes.splice(end..end, copy.iter().copied());
            }
        }
        13 => {
            let (start, end) = block(bytes, random);
            let copy = bytes[start..end].to_vec();
            let to = random.below(bytes.len() + 1);
            if random.below(2) == 0 {
                bytes.splice(to..to, copy);
            } else {
                let over = (to + copy.len()).min(bytes.len());
                bytes.splice(to..over, copy);
            }
        }
        14 => {
            let (start, end) = block(other, random);
            let piece = &other[start..end];
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece.iter().copied());
        }
        15 => {
            let keep = random.below(bytes.len() + 1);
            let from = random.below(other.len() + 1);
            bytes.truncate(keep);
            bytes.extend_from_slice(&other[from..]);
        }
        16..=18 => word(bytes, words, random),
        _ => {
            let at = random.below(bytes.len() + 1);
            let byte = random.byte();
            let most = 1 << random.below(13);
            let times = 1 + random.below(most);
            bytes.splice(at..at, std::iter::repeat_n(byte, times));
        }
    }
}

/// A place, rather not one of the zeros that fill most binary files.
fn place(bytes: &[u8], random: &mut Random) -> usize {
    let mut at = random.below(bytes.len());
    for _ in 0..6 {
        if bytes.get(at) != Some(&0) {
            break;
        }
        at = random.below(bytes.len());
    }
    at
}

/// A range, short ones first.
fn block(bytes: &[u8], random: &mut Random) -> (usize, usize) {
    let start = random.below(bytes.len() + 1);
    let longest = 1 << random.below(14);
    let length = random.below(longest + 1).min(bytes.len() - start);
    (start, start + length)
}

fn change(bytes: &mut [u8], random: &mut Random, to: impl Fn(u8, &mut Random) -> u8) {
    let at = place(bytes, random);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = to(*byte, random);
    }
}

/// A number of one to eight bytes: an interesting one, or the old one and a little.
fn number(bytes: &mut [u8], random: &mut Random) {
    let width = 1 << random.below(4);
    let mut at = place(bytes, random);
    if random.below(2) == 0 {
        at -= at % width;
    }
    let Some(field) = bytes.get_mut(at..at + width) else {
        return;
    };
    let big_endian = random.below(4) == 0;
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(field);
    if big_endian {
        wide[..width].reverse();
    }
    let old = u64::from_le_bytes(wide);
    let new = match random.below(4) {
        0 => old.wrapping_add(1 + random.below(16) as u64),
        1 => old.wrapping_sub(1 + random.below(16) as u64),
        _ => random.pick(&INTERESTING).copied().unwrap_or(0),
    };
    let mut wide = new.to_le_bytes();
    if big_endian {
        wide[..width].reverse();
    }
    field.copy_from_slice(&wide[..width]);
}

/// A word of the format, put in or over what is there.
fn word(bytes: &mut Vec<u8>, words: &[&[u8]], random: &mut Random) {
    let Some(word) = random.pick(words) else {
        return number(bytes, random);
    };
    let at = random.below(bytes.len() + 1);
    let over = if random.below(3) == 0 {
        (at + word.len()).min(bytes.len())
    } else {
        at
    };
    let times = if random.below(24) == 0 {
        1 + random.below(600)
    } else {
        1
    };
    bytes.splice(at..over, word.repeat(times));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_arguments_give_the_same_case_and_no_case_is_too_long() {
        let seed = b"a seed of some bytes, and \0\0\0\0 zeros".repeat(20);
        let mut different = std::collections::HashSet::new();
        for number in 0..3000 {
            let make = || {
                let mut bytes = seed.clone();
                let mut random = Random::of(9, number);
                mutate(&mut bytes, b"another", &[b"word", b"token"], 900, &mut random);
                bytes
            };
            let bytes = make();
            assert_eq!(bytes, make(), "case {number}");
            assert!(bytes.len() <= 900, "case {number}");
            different.insert(bytes);
        }
        assert!(different.len() > 2500, "{}", different.len());
    }

    #[test]
    fn nothing_can_be_bent_too() {
        for number in 0..500 {
            mutate(&mut Vec::new(), b"", &[], 10, &mut Random::of(1, number));
        }
    }
}
