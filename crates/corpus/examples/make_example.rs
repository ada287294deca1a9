//! Makes a worked example: `make_example DIR [SEED] [one|two|both] [copies=N]`.
//!
//! With `copies` it makes only mail and records of so many copies, each with references and ids of its own, to measure with.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::path::Path;
use std::time::Instant;

use embley_corpus::example::{ExampleConfig, Label, TemplateChoice, write_copies, write_example};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, rest @ ..] = arguments.as_slice() else {
        return Err("usage: make_example DIR [SEED] [one|two|both] [copies=N]".into());
    };
    let mut config = ExampleConfig {
        seed: 7,
        templates: TemplateChoice::Both,
    };
    let mut copies = None;
    for argument in rest {
        if let Some(number) = argument.strip_prefix("copies=") {
            copies = Some(number.parse()?);
            continue;
        }
        match argument.as_str() {
            "one" => config.templates = TemplateChoice::One,
            "two" => config.templates = TemplateChoice::Two,
            "both" => config.templates = TemplateChoice::Both,
            seed => config.seed = seed.parse()?,
        }
    }
    #[expect(clippy::disallowed_methods, reason = "measures itself")]
    let start = Instant::now();
    if let Some(copies) = copies {
        let made = write_copies(Path::new(dir), &config, copies)?;
        println!(
            "{} cases, {} records, {} messages, {:.2} s",
            made.cases,
            made.records,
            made.messages,
            start.elapsed().as_secs_f64()
        );
        return Ok(());
    }
    let truth = write_example(Path::new(dir), &config)?;
    let planted = truth
        .entries
        .iter()
        .filter(|entry| entry.label == Label::Planted)
        .count();
    println!(
        "{} cases, {} records, {} messages, {planted} faults, {} look-alikes, {:.2} s",
        truth.cases.len(),
        truth.records[0] + truth.records[1],
        truth.messages.len(),
        truth.entries.len() - planted,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
