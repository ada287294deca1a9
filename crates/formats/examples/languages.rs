//! Measures the telling of languages on mail: how many messages are told by words, how that agrees with the detector alone, and what both cost.
//!
//! `languages FOLDER` reads every file below it as a message. Prints nanoseconds a message for parsing, for telling, and for the detector over the same
//! text as far as 16 KiB; how many are told; and the messages on which both are sure and disagree.
#![expect(clippy::print_stdout, reason = "an example")]
#![expect(clippy::disallowed_methods, reason = "an example measures and reads files")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use embley_formats::language::language_or_undetermined;
use embley_formats::mail::{ParseLimits, parse_message};

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

fn alone(text: &str) -> &'static str {
    let sample = &text[..text.floor_char_boundary(16 << 10)];
    match whatlang::detect(sample) {
        Some(found) if found.is_reliable() && found.confidence() >= 0.8 => {
            embley_model::language::short_code(found.lang().code()).unwrap_or("?")
        }
        _ => "und",
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let mut list = Vec::new();
    files(Path::new(&folder), &mut list);
    let raw: Vec<Vec<u8>> = list.iter().map(|path| std::fs::read(path).expect("a file")).collect();
    let started = Instant::now();
    let mut texts = Vec::new();
    for bytes in &raw {
        let family = parse_message(bytes, &ParseLimits::default());
        texts.extend(family.items.into_iter().map(|item| item.text));
    }
    let per_message = |started: Instant| started.elapsed().as_nanos() / raw.len().max(1) as u128;
    println!(
        "{} messages, {} texts; parsing {} ns a message",
        raw.len(),
        texts.len(),
        per_message(started)
    );
    let started = Instant::now();
    let told: Vec<Option<&str>> = texts.iter().map(|text| language_or_undetermined(text)).collect();
    println!("telling {} ns a message", per_message(started));
    let started = Instant::now();
    let detected: Vec<&str> = texts.iter().map(|text| alone(text)).collect();
    println!("detector alone {} ns a message", per_message(started));
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut by_detector: BTreeMap<&str, u64> = BTreeMap::new();
    let mut differ: BTreeMap<(&str, &str), (u64, &str)> = BTreeMap::new();
    for ((told, detected), text) in told.iter().zip(&detected).zip(&texts) {
        let Some(told) = told else { continue };
        *counts.entry(told).or_default() += 1;
        *by_detector.entry(detected).or_default() += 1;
        if told != detected {
            let one = differ.entry((told, detected)).or_insert((0, text));
            one.0 += 1;
        }
    }
    println!("told {counts:?}\ndetector alone {by_detector:?}");
    for ((told, detected), (count, text)) in differ {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(150).collect();
        println!("{told} / {detected}: {count}, such as {shown:?}");
    }
}
