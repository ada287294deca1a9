//! Makes a worked example: `make_example DIR [SEED] [one|two|both]`.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::path::Path;
use std::time::Instant;

use embley_corpus::example::{ExampleConfig, Label, TemplateChoice, write_example};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, rest @ ..] = arguments.as_slice() else {
        return Err("usage: make_example DIR [SEED] [one|two|both]".into());
    };
    let mut config = ExampleConfig {
        seed: 7,
        templates: TemplateChoice::Both,
    };
    for argument in rest {
        match argument.as_str() {
            "one" => config.templates = TemplateChoice::One,
            "two" => config.templates = TemplateChoice::Two,
            "both" => config.templates = TemplateChoice::Both,
            seed => config.seed = seed.parse()?,
        }
    }
    #[expect(clippy::disallowed_methods, reason = "measures itself")]
    let start = Instant::now();
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
