//! Measures links and near-duplicate groups: made columns of a million messages, then the case folders given (without
//! texts: what comparing texts costs shows in the finish stage of an ingest).
//!
//! `cargo run -p embley-search --example measure_threads -- COUNT [CASE...]`. Prints wall time, and memory held a message.

#![expect(clippy::print_stdout, reason = "a measuring tool prints what it measured")]

use embley_model::clock::{Clock, SystemClock};
use embley_model::id::Key128;
use embley_search::threads::{Messages, NEAR_THRESHOLD, NewMessage, Sketches, link, renew};
use embley_store::{Access, Case};

fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn key(number: u64) -> Key128 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&mix(number).to_le_bytes());
    bytes[8..].copy_from_slice(&mix(number ^ 0x5555).to_le_bytes());
    Key128(bytes)
}

/// Threads of ten, each message with the references of the one before and its id; every tenth message is lost.
fn columns(count: u32) -> Messages {
    let mut messages = Messages::default();
    let mut references = Vec::new();
    for item in 1..=count {
        if item % 10 == 1 {
            references.clear();
        }
        let id = key(u64::from(item));
        let made = NewMessage {
            item,
            is_top: true,
            date: Some(i64::from(item)),
            message_id: (item % 10 != 5).then_some(id),
            body: Some(id),
            in_reply_to: &[],
            references: &references,
            thread_index: None,
        };
        messages.push(&made).expect("they come in order");
        references.push(id);
    }
    messages
}

/// Every third message is a near copy of the one before.
fn sketches(count: u32) -> Sketches {
    let mut sketches = Sketches::default();
    let mut bytes = [0; 64];
    for item in 1..=count {
        if item % 3 == 0 {
            bytes[(item % 64) as usize] ^= 1;
        } else {
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = mix(u64::from(item) << 8 | at as u64) as u8;
            }
        }
        sketches.push(item, Some(i64::from(item)), bytes);
    }
    sketches
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = SystemClock::new();
    let mut args = std::env::args().skip(1);
    let count: u32 = args.next().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let mut started = clock.monotonic_nanos();
    let mut lap = |what: &str, of: u64| {
        let now = clock.monotonic_nanos();
        let nanos = now.saturating_sub(started);
        println!("{what}: {} ms, {} ns a message", nanos / 1_000_000, nanos / of.max(1));
        started = clock.monotonic_nanos();
    };
    let messages = columns(count);
    lap("columns", u64::from(count));
    println!("  {} bytes a message", messages.memory_bytes() / messages.len().max(1));
    let rows = link(&messages, &[]);
    lap("links", u64::from(count));
    println!("  {} linked", rows.iter().filter(|row| row.parent != 0).count());
    let sketches = sketches(count);
    lap("sketches", u64::from(count));
    let groups = sketches.groups(NEAR_THRESHOLD);
    lap("groups", u64::from(count));
    println!("  {} members", groups.len());
    for path in args {
        let case = Case::open(std::path::Path::new(&path), Access::Read)?;
        let reader = case.reader()?;
        lap("open", 1);
        let made = renew(&reader, None, true)?;
        lap(&format!("{path}: headers and sketches"), made.summary.messages);
        println!("  {}", made.summary.sentence());
    }
    Ok(())
}
