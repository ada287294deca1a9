//! `fuzz TARGET [--seconds N] [--cases N] [--seed S] [--corpus DIR] [--plain] [--case-seconds N] [--one FILE]`, `fuzz --list`.
//!
//! Ends with 0 when everything held, 1 when something was found, 2 when it could not be run. The last line of a run is for
//! `scripts/fuzz`: target, cases, milliseconds, findings, slowest case in ms, caught panics, with tabs between.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use embley_fuzz::{ALL, Budget, ChildOrder, Session, Target, be_child, be_shrinker, find};

const USAGE: &str = "fuzz TARGET [--seconds N] [--cases N] [--seed S] [--corpus DIR] [--plain] [--case-seconds N] [--one FILE] [--found DIR]\nfuzz --list";

#[derive(Default)]
struct Arguments {
    words: Vec<String>,
    values: Vec<(String, String)>,
    flags: Vec<String>,
}

impl Arguments {
    fn read() -> Result<Self, String> {
        const FLAGS: [&str; 4] = ["--list", "--plain", "--child", "--shrink"];
        const VALUES: [&str; 11] = [
            "--seconds",
            "--cases",
            "--seed",
            "--corpus",
            "--case-seconds",
            "--one",
            "--found",
            "--from",
            "--until",
            "--milliseconds",
            "--progress",
        ];
        let mut out = Self::default();
        let mut all = std::env::args().skip(1);
        while let Some(word) = all.next() {
            if FLAGS.contains(&word.as_str()) {
                out.flags.push(word);
            } else if VALUES.contains(&word.as_str()) {
                let value = all.next().ok_or_else(|| format!("{word} needs a value"))?;
                out.values.push((word, value));
            } else if word.starts_with('-') {
                return Err(format!("{word} is not known"));
            } else {
                out.words.push(word);
            }
        }
        Ok(out)
    }

    fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag == name)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let found = self.values.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| PathBuf::from(value))
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        match self.values.iter().rev().find(|(key, _)| key == name) {
            Some((_, value)) => value
                .parse()
                .map_err(|_| format!("{name} takes a number, not {value:?}")),
            None => Ok(default),
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(found) => ExitCode::from(u8::from(found)),
        Err(words) => {
            eprintln!("{words}");
            ExitCode::from(2)
        }
    }
}

/// True when something was found.
fn run() -> Result<bool, String> {
    let arguments = Arguments::read()?;
    if arguments.flag("--list") {
        for target in ALL {
            println!("{}\t{}", target.name, target.holds);
        }
        return Ok(false);
    }
    let name = arguments.words.first().ok_or(USAGE)?;
    let target = find(name).ok_or_else(|| format!("no target is called {name:?}; `fuzz --list` names them"))?;
    let failed = |error: std::io::Error| error.to_string();
    if arguments.flag("--shrink") {
        let path = arguments.words.get(1).ok_or(USAGE)?;
        return be_shrinker(target, path.as_ref()).map(|()| false).map_err(failed);
    }
    let seed = arguments.number("--seed", 1)?;
    if arguments.flag("--child") {
        let order = ChildOrder {
            seed,
            from: arguments.number("--from", 0)?,
            until: arguments.number("--until", 0)?,
            milliseconds: arguments.number("--milliseconds", 0)?,
            progress: arguments.path("--progress").ok_or(USAGE)?,
            corpus: arguments.path("--corpus"),
            plain: arguments.flag("--plain"),
            one: arguments.path("--one"),
        };
        return be_child(target, &order).map(|()| false).map_err(failed);
    }
    let session = Session {
        target,
        program: std::env::current_exe().map_err(failed)?,
        seed,
        corpus: arguments.path("--corpus"),
        plain: arguments.flag("--plain"),
        found: arguments.path("--found").unwrap_or_else(Session::found_folder),
    };
    let case_time = Duration::from_secs(arguments.number("--case-seconds", 6)?);
    if let Some(path) = arguments.path("--one") {
        let what = session.one(&path, case_time).map_err(failed)?;
        println!("{}: {}", path.display(), what.as_deref().unwrap_or("everything holds"));
        return Ok(what.is_some());
    }
    let cases = arguments.number("--cases", u64::MAX)?;
    let seconds = arguments.number("--seconds", if cases == u64::MAX { 30 } else { 3600 })?;
    let budget = Budget {
        time: Duration::from_secs(seconds),
        cases,
        case_time,
    };
    report(target, &session, &budget)
}

fn report(target: &Target, session: &Session, budget: &Budget) -> Result<bool, String> {
    let outcome = session.run(budget).map_err(|error| error.to_string())?;
    for finding in &outcome.findings {
        println!("{}: {}", target.name, finding.what);
        println!("  {} bytes in {}", finding.bytes, finding.path.display());
        println!(
            "  cargo run --locked -p embley-fuzz -- {} --one {}",
            target.name,
            finding.path.display()
        );
    }
    println!(
        "{}\t{}\t{}\t{}\t{}\t{}",
        target.name,
        outcome.cases,
        outcome.time.as_millis(),
        outcome.findings.len(),
        outcome.slowest_ms,
        outcome.caught_panics
    );
    Ok(!outcome.findings.is_empty())
}
