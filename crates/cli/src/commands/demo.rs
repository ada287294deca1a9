//! `embley demo`: the worked example of a fictional force, from nothing to indicators and a certificate.
//!
//! Makes the example ([`embley_corpus::example`]) and runs the very commands that a user would type, each shown before it runs.
//! Invariant: everything that it writes, a signing key included, lies below the folder that it was given.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use embley_corpus::example::{Entry, ExampleConfig, ExampleTruth, Label, TemplateChoice, write_example};

use crate::args::DemoArgs;
use crate::exit::{self, CliError};
use crate::output::result_line;

/// The rule whose planted fault the tour walks to.
const SHOWN_RULE: &str = "N2";

/// Makes the example, then runs the commands.
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
        "Making the worked example in {} (seed {}): a fictional force, its mail, the exports of its two case systems ...",
        made.display(),
        args.seed
    )?;
    let config = ExampleConfig {
        seed: args.seed,
        templates: TemplateChoice::Both,
    };
    let truth = write_example(&made, &config)?;
    let planted = truth.entries.iter().filter(|entry| entry.label == Label::Planted);
    result_line!(
        "{} cases, {} people, {} custodians, {} messages, {} records of the older system and {} of the newer one that took over on {};\n\
         {} faults and {} innocent look-alikes, named in truth.json",
        truth.cases.len(),
        truth.people.len(),
        truth.custodians.len(),
        truth.messages.len(),
        truth.records[0],
        truth.records[1],
        truth.migrated_on,
        planted.clone().count(),
        truth.entries.len() - planted.clone().count()
    )?;
    let shown = planted
        .clone()
        .find(|entry| entry.rule == SHOWN_RULE)
        .context("the example has no fault to show")?;
    let tour = Tour {
        dir: &dir,
        case_dir: dir.join("case"),
        made,
    };
    tour.take_in()?;
    tour.look(&truth, shown)?;
    tour.prove(shown)?;
    result_line!(
        "\nThe case is in {case}; try: embley --case {case} indicators --explained",
        case = tour.case_dir.display()
    )?;
    Ok(exit::DONE)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The reference of a case as a query.
fn phrase(entry: &Entry) -> anyhow::Result<(&str, String)> {
    let case_ref = entry.case_ref.as_deref().context("the fault belongs to no case")?;
    Ok((case_ref, format!("\"{case_ref}\"")))
}

struct Tour<'a> {
    dir: &'a Path,
    case_dir: PathBuf,
    made: PathBuf,
}

impl Tour<'_> {
    /// Evidence goes in, and the sums close.
    fn take_in(&self) -> anyhow::Result<()> {
        self.say("A case is one folder.")?;
        let case = text(&self.case_dir);
        self.run(&["init", &case, "--name", "Worked example", "--reference", "DEMO/1"])?;
        self.say("All mail goes in; the first component of the path is the custodian.")?;
        let mail = text(&self.made.join("mail"));
        self.run(&["ingest", &mail, "--custodian-from-path", "1", "--progress", "plain"])?;
        self.say("Every entry found has one outcome, and all sums close.")?;
        self.run(&["status", "--format", "table"])?;
        self.say("A second run finds nothing new.")?;
        self.run(&["ingest", &mail, "--custodian-from-path", "1", "--progress", "none"])?;
        self.say(
            "Records of both case systems become items of the same index; due = new + updated + unchanged + excepted.",
        )?;
        let older = text(&self.made.join("records/tribune-like.jsonl"));
        let newer = text(&self.made.join("records/centurion-like.jsonl"));
        self.run_unread(&["records", "import", &older, &newer])
    }

    /// What can be found in it.
    fn look(&self, truth: &ExampleTruth, shown: &Entry) -> anyhow::Result<()> {
        let (case_ref, quoted) = phrase(shown)?;
        self.say("A case reference, as a phrase.")?;
        let mail = format!("{quoted} AND type:email");
        let facets = ["--facets", "custodian,type,year"];
        self.run(&[&["search", &mail, "--limit", "3", "--format", "table"][..], &facets].concat())?;
        self.say("What the answer holds becomes an exhibit and is linked to the case.")?;
        let produced = ["--produced-by", "Ash Birch", "--description", "Mail naming the case"];
        self.run(&[&["exhibit", "add", "AB/1", "--query", &mail][..], &produced].concat())?;
        self.run(&["exhibit", "link", "AB/1", case_ref])?;
        self.run(&[
            "tag",
            "add",
            "to-read",
            "--query",
            &format!("{quoted} AND has:attachment"),
        ])?;
        self.say("Who is who, and who might be one person; nothing is merged by itself.")?;
        let person = shown.people.first().or(truth.people.first());
        self.run(&[
            "people",
            "show",
            person.context("nobody is on record")?,
            "--format",
            "table",
        ])?;
        self.run(&["people", "suggest", "--limit", "5", "--format", "table"])?;
        self.say("Decisions, roles, mail and exhibits of the case in one order; the page draws them and opens in any browser.")?;
        let page = text(&self.dir.join("timeline.html"));
        self.run(&["timeline", case_ref, "--format", "table", "--html", &page])?;
        self.say(
            "Places to look in this case, each with what speaks for and against it; an indicator concludes nothing.",
        )?;
        self.run(&["indicators", case_ref, "--format", "json"])?;
        result_line!(
            "truth.json says what was planted there: {} {}, {}",
            shown.rule,
            shown.variant,
            shown.why
        )?;
        self.say("Over all cases. What something on record explains wholly is set aside (--explained shows it).")?;
        self.run(&["indicators", "--format", "table"])
    }

    /// What another can repeat and check.
    fn prove(&self, shown: &Entry) -> anyhow::Result<()> {
        let (_, quoted) = phrase(shown)?;
        self.say("A signed record of a search: what was searched, what could not be, what was found. The key is made for this example.")?;
        let certificate = text(&self.dir.join("certificate.json"));
        // Named, so that it is made here and not among the user's own.
        let key = text(&self.dir.join("signing.pem"));
        self.run(&["certificate", &quoted, "--out", &certificate, "--key", &key])?;
        self.run(&["replay", &certificate, "--format", "table"])?;
        self.say("The exhibit as a production, and what anybody can check of it years later without the case.")?;
        let production = text(&self.dir.join("production"));
        self.run(&[
            "export",
            "--exhibit",
            "AB/1",
            "--families",
            "--as",
            "dat",
            "--out",
            &production,
            "--key",
            &key,
        ])?;
        self.run(&["verify-export", &production, "--format", "table"])?;
        self.say("What could not be read, and what is odd.")?;
        self.run(&["exceptions", "--limit", "8", "--format", "table"])?;
        self.say("Nothing was lost: the folder checks itself, every byte hashed again.")?;
        self.run(&["verify", "--deep", "--format", "json"])?;
        self.say("Every command above is on record, in a log that tells when it was changed.")?;
        self.run(&["audit", "verify", "--format", "table"])
    }

    fn say(&self, words: &str) -> anyhow::Result<()> {
        result_line!("\n== {words}")
    }

    /// Runs this very program, as a user would.
    fn run(&self, args: &[&str]) -> anyhow::Result<()> {
        self.run_with(args, Stdio::inherit(), "")
    }

    /// The same without its long result; what it says to people is seen.
    fn run_unread(&self, args: &[&str]) -> anyhow::Result<()> {
        self.run_with(args, Stdio::null(), " > /dev/null")
    }

    fn run_with(&self, args: &[&str], results: Stdio, redirected: &str) -> anyhow::Result<()> {
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
        result_line!("$ embley {}{redirected}", shown.join(" "))?;
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        let status = Command::new(program)
            .args(args)
            .env("EMBLEY_CASE", &self.case_dir)
            .env("EMBLEY_USER", "demo")
            .stdout(results)
            .status()
            .context("cannot run this program again")?;
        match status.code() {
            Some(code) if code == i32::from(exit::DONE) => Ok(()),
            code => Err(anyhow::anyhow!("embley {} ended with {code:?}", shown.join(" "))),
        }
    }
}
