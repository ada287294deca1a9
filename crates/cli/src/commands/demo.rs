//! `embley demo`: the worked example from nothing to a timeline, on made mail of a fictional force.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use embley_corpus::{BoxFormat, CorpusConfig};

use crate::args::DemoArgs;
use crate::exit::{self, CliError};
use crate::output::result_line;

/// Messages of the example.
const MESSAGES: u64 = 6_000;
const SEED: u64 = 7;

/// Makes the example, then runs the very commands that a user would type, and shows each.
pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<u8> {
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from("embley-demo"));
    if dir.exists() && dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CliError::usage(format!(
            "{} is not empty; name another folder: embley demo DIR",
            dir.display()
        )));
    }
    let made = dir.join("made");
    result_line!(
        "Making {MESSAGES} messages of a fictional force in {} (seed {SEED}) ...",
        made.display()
    )?;
    let config = CorpusConfig {
        custodians: 4,
        cases: 12,
        formats: vec![BoxFormat::Mboxrd, BoxFormat::Maildir, BoxFormat::Eml],
        ..CorpusConfig::new(MESSAGES, SEED)
    };
    let truth = embley_corpus::write_corpus(&made, &config)?;
    let case_dir = dir.join("case");
    let step = Step { case_dir: &case_dir };
    step.say("A case is one folder.")?;
    step.run(
        &[
            "init",
            &text(&case_dir),
            "--name",
            "Worked example",
            "--reference",
            "DEMO/1",
        ],
        &[0],
    )?;
    step.say("All mail goes in; the first component of the path is the custodian.")?;
    step.run(
        &[
            "ingest",
            &text(&made.join("mail")),
            "--custodian-from-path",
            "1",
            "--progress",
            "plain",
        ],
        &[0, 3],
    )?;
    step.say("Every entry found has one outcome, and all sums close.")?;
    step.run(&["status", "--format", "table"], &[0])?;
    step.say("A second run finds nothing new.")?;
    step.run(
        &[
            "ingest",
            &text(&made.join("mail")),
            "--custodian-from-path",
            "1",
            "--progress",
            "none",
        ],
        &[0],
    )?;
    step.say("Case-system records become items of the same index.")?;
    for name in ["person", "case", "role_appointment", "decision"] {
        step.run(
            &[
                "records",
                "import",
                &text(&made.join("records").join(format!("{name}.jsonl"))),
            ],
            &[0],
        )?;
    }
    let case_ref = truth
        .cases
        .first()
        .map(|case| case.case_ref.clone())
        .context("the example has no case")?;
    let quoted = format!("\"{case_ref}\"");
    step.say("A case reference, as a phrase.")?;
    step.run(
        &[
            "search",
            &quoted,
            "--limit",
            "3",
            "--format",
            "table",
            "--facets",
            "custodian,type,year",
        ],
        &[0],
    )?;
    step.say("What the answer holds becomes an exhibit and is linked to the case.")?;
    step.run(
        &[
            "exhibit",
            "add",
            "AB/1",
            "--query",
            &quoted,
            "--produced-by",
            "Ash Birch",
            "--description",
            "Mail naming the case",
        ],
        &[0],
    )?;
    step.run(&["exhibit", "link", "AB/1", &case_ref], &[0])?;
    step.run(
        &[
            "tag",
            "add",
            "to-read",
            "--query",
            &format!("{quoted} AND has:attachment"),
        ],
        &[0],
    )?;
    step.say("Decisions, roles, mail and exhibits of the case in one order.")?;
    step.run(&["timeline", &case_ref, "--format", "table"], &[0])?;
    step.say("What could not be read, and what is odd.")?;
    step.run(&["exceptions", "--limit", "8", "--format", "table"], &[0])?;
    step.say("Nothing was lost: the folder checks itself, every byte hashed again.")?;
    step.run(&["verify", "--deep", "--format", "json"], &[0])?;
    result_line!(
        "\nThe case is in {}; try: embley --case {} search meeting",
        case_dir.display(),
        case_dir.display()
    )?;
    Ok(exit::DONE)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

struct Step<'a> {
    case_dir: &'a Path,
}

impl Step<'_> {
    fn say(&self, words: &str) -> anyhow::Result<()> {
        result_line!("\n== {words}")
    }

    /// Runs this very program, as a user would.
    fn run(&self, args: &[&str], codes: &[i32]) -> anyhow::Result<()> {
        let shown: Vec<String> = args
            .iter()
            .map(|arg| {
                if arg.contains([' ', '"']) {
                    format!("'{arg}'")
                } else {
                    (*arg).to_owned()
                }
            })
            .collect();
        result_line!("$ embley {}", shown.join(" "))?;
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        let status = Command::new(program)
            .args(args)
            .env("EMBLEY_CASE", self.case_dir)
            .env("EMBLEY_USER", "demo")
            .status()
            .context("cannot run this program again")?;
        match status.code() {
            Some(code) if codes.contains(&code) => Ok(()),
            code => Err(anyhow::anyhow!("embley {} ended with {code:?}", shown.join(" "))),
        }
    }
}
