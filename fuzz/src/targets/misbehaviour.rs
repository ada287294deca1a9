//! Everything that a parser must not do, by its first byte.

use super::ensure;
use crate::target::Target;

pub(super) const MISBEHAVE: Target = Target {
    made: || vec![b"fine".to_vec()],
    ..Target::new("misbehave", "nothing: it is for the test of the fuzzer", check)
};

fn check(input: &[u8]) -> Result<(), String> {
    match input.first() {
        Some(b'P') => panic!("on purpose, {} bytes", input.len()),
        Some(b'C') => {
            let caught = std::panic::catch_unwind(|| panic!("caught on purpose"));
            ensure(caught.is_err(), || "a panic".to_owned())
        }
        Some(b'I') => Err("on purpose".to_owned()),
        Some(b'A') => std::process::abort(),
        Some(b'H') => loop {
            std::hint::spin_loop();
        },
        Some(b'S') => ensure(deeper(1) > 0, || "a depth".to_owned()),
        Some(b'M') => {
            let mut much: Vec<Vec<u8>> = Vec::new();
            loop {
                much.push(vec![0; 64 << 20]);
                std::hint::black_box(&much);
            }
        }
        _ => Ok(()),
    }
}

/// Calls itself for ever.
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    if std::hint::black_box(room[0]) == 0 {
        return 0;
    }
    deeper(depth + 1) + room[1]
}
