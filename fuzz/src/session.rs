//! One run of a target: children one after the other, watched.
//!
//! Main type: [`Session`]. Invariant: a case that ends its process, or does not end, is one finding and the run goes on behind it.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::case::Cases;
use crate::finding::{Cause, Finding, keep, signature};
use crate::gather::Wanted;
use crate::machine::{self, cpu_time, now};
use crate::shrink::shrink;
use crate::target::{Target, root};

/// Cases of one child, so that nothing it leaks adds up.
const CASES_OF_A_CHILD: u64 = 20_000;
/// A case that only waits is given so long.
const WALL_PATIENCE: Duration = Duration::from_secs(90);
/// Of deaths with the same words so many are kept: a stack overflow says nothing of its place.
const DEATHS_ALIKE: usize = 3;

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// It ends after so long.
    pub time: Duration,
    /// It ends after so many cases.
    pub cases: u64,
    /// Processor time of one case; one that takes more hangs.
    pub case_time: Duration,
}

/// What a run gave.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Cases that were run.
    pub cases: u64,
    /// How long it took, without what was done with findings.
    pub time: Duration,
    /// The longest case, by the clock.
    pub slowest_ms: u64,
    /// Panics inside packages of others that our code caught.
    pub caught_panics: u64,
    /// One each.
    pub findings: Vec<Finding>,
}

/// A target, its seeds and where findings go.
pub struct Session {
    /// The parser.
    pub target: &'static Target,
    /// The program to start for children.
    pub program: PathBuf,
    /// The same seed gives the same cases.
    pub seed: u64,
    /// A folder of more seeds.
    pub corpus: Option<PathBuf>,
    /// Without the corpora beside the project.
    pub plain: bool,
    /// Where inputs of findings go.
    pub found: PathBuf,
}

/// What one child did.
#[derive(Default)]
struct Report {
    found: Vec<(u64, String)>,
    next: Option<u64>,
    slowest_ms: u64,
    caught: u64,
    /// The case on which it died or hung, and how.
    ended: Option<(u64, String, Cause)>,
}

impl Session {
    /// The folder for findings in the project, which is not committed.
    pub fn found_folder() -> PathBuf {
        root().join("fuzz/found")
    }

    /// Runs cases until the budget is used up.
    ///
    /// # Errors
    /// When no child can be started, or a finding cannot be written.
    pub fn run(&self, budget: &Budget) -> io::Result<Outcome> {
        let wanted = Wanted {
            folder: self.corpus.clone(),
            plain: self.plain,
        };
        let cases = Cases::new(self.target, &wanted, self.seed);
        let mut outcome = Outcome::default();
        let mut known: Vec<String> = Vec::new();
        let mut next = 0;
        while next < budget.cases {
            let left = budget.time.saturating_sub(outcome.time);
            let start = now();
            if left.is_zero() {
                break;
            }
            let until = budget.cases.min(next + CASES_OF_A_CHILD);
            let report = self.child(next, until, left, None, budget.case_time)?;
            outcome.slowest_ms = outcome.slowest_ms.max(report.slowest_ms);
            outcome.caught_panics += report.caught;
            let mut all: Vec<(u64, String, Cause)> = Vec::new();
            all.extend(report.found.into_iter().map(|(at, what)| (at, what, Cause::Broken)));
            let reached = match (&report.ended, report.next) {
                (Some((at, ..)), _) => at + 1,
                (None, Some(next)) => next,
                (None, None) => return Err(io::Error::other("a child ended before its first case")),
            };
            all.extend(report.ended);
            outcome.cases += reached - next;
            next = reached;
            outcome.time += start.elapsed();
            for (number, what, cause) in all {
                let signature = signature(&what);
                let alike = known.iter().filter(|known| **known == signature).count();
                let most = if cause == Cause::Broken { 1 } else { DEATHS_ALIKE };
                if alike < most {
                    known.push(signature);
                    let input = cases.input(number);
                    outcome.findings.push(self.keep(&input, &what, cause, budget)?);
                }
            }
        }
        Ok(outcome)
    }

    /// Runs one input; what happened, or nothing when all holds.
    ///
    /// # Errors
    /// When no child can be started or the input cannot be read.
    pub fn one(&self, path: &Path, case_time: Duration) -> io::Result<Option<String>> {
        let report = self.child(0, 1, Duration::from_secs(3600), Some(path), case_time)?;
        let found = report.found.into_iter().next().map(|(_, what)| what);
        if report.ended.is_none() && report.next.is_none() {
            return Err(io::Error::other(format!("cannot run {}", path.display())));
        }
        Ok(report.ended.map(|(_, what, _)| what).or(found))
    }

    /// Writes the input of a finding, as short as it can be made in a few seconds.
    fn keep(&self, input: &[u8], what: &str, cause: Cause, budget: &Budget) -> io::Result<Finding> {
        let room = tempfile::tempdir()?;
        let path = room.path().join("input");
        machine::write(&path, input)?;
        match cause {
            Cause::Broken => {
                let mut command = Command::new(&self.program);
                command.arg("--shrink").arg(self.target.name).arg(&path);
                // Its failure leaves the input as it was, which is a finding too.
                let _as_it_was = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
            }
            Cause::Death => {
                let wanted = signature(what);
                let start = now();
                let mut still = |bytes: &[u8]| {
                    let written = machine::write(&path, bytes).is_ok();
                    let again = self.one(&path, budget.case_time);
                    written && again.is_ok_and(|what| what.is_some_and(|what| signature(&what) == wanted))
                };
                let shorter = shrink(input, &mut still, &|| start.elapsed() < Duration::from_secs(15));
                machine::write(&path, &shorter)?;
            }
            Cause::Hang => {}
        }
        keep(&self.found, self.target.name, &std::fs::read(&path)?, what)
    }

    fn child(
        &self,
        from: u64,
        until: u64,
        time: Duration,
        one: Option<&Path>,
        case_time: Duration,
    ) -> io::Result<Report> {
        let progress = tempfile::NamedTempFile::new()?;
        let said = tempfile::NamedTempFile::new()?;
        let mut command = Command::new(&self.program);
        command
            .arg("--child")
            .arg(self.target.name)
            .args(["--seed", &self.seed.to_string()])
            .args(["--from", &from.to_string(), "--until", &until.to_string()])
            .args(["--milliseconds", &time.as_millis().to_string()])
            .arg("--progress")
            .arg(progress.path());
        if let Some(corpus) = &self.corpus {
            command.arg("--corpus").arg(corpus);
        }
        if self.plain {
            command.arg("--plain");
        }
        if let Some(one) = one {
            command.arg("--one").arg(one);
        }
        let mut child = command
            // No helper programs: a parser that would start one has to do without.
            .env("PATH", "/nonexistent")
            // What a dead child said last must be about its death; for traces a child is started by hand.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(said.reopen()?)
            .spawn()?;
        let mut report = Report::default();
        let hung = watch(&mut child, progress.as_file(), case_time, &mut report)?;
        let status = child.wait()?;
        let at = marked(progress.as_file()).unwrap_or(from);
        if let Some(why) = hung {
            report.ended = Some((at, why, Cause::Hang));
        } else if report.next.is_none() && marked(progress.as_file()).is_some() {
            let how = status
                .signal()
                .map_or_else(|| status.to_string(), |signal| format!("signal {signal}"));
            let mut words = String::new();
            said.as_file().take(2000).read_to_string(&mut words).unwrap_or_default();
            let words = words.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            report.ended = Some((
                at,
                format!("the process died: {how}, {}", without_number(words)),
                Cause::Death,
            ));
        }
        Ok(report)
    }
}

/// `thread 'case' (123) has overflowed its stack` without the number, which differs from run to run.
fn without_number(words: &str) -> String {
    let mut out = words.to_owned();
    if let (Some(open), Some(close)) = (out.find('('), out.find(')'))
        && open < close
    {
        out.replace_range(open..=close, "");
    }
    out
}

/// The case that is running or was the last.
fn marked(progress: &std::fs::File) -> Option<u64> {
    let mut bytes = [0; 8];
    progress.read_exact_at(&mut bytes, 0).ok()?;
    u64::from_le_bytes(bytes).checked_sub(1)
}

/// Reads what a child says until it ends; ends it when a case takes too long, and says so.
fn watch(
    child: &mut Child,
    progress: &std::fs::File,
    case_time: Duration,
    report: &mut Report,
) -> io::Result<Option<String>> {
    let Some(output) = child.stdout.take() else {
        return Err(io::Error::other("a child without output"));
    };
    let (sender, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut running: Option<(u64, Duration, Instant)> = None;
    let mut hung = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => note(&line, report),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let (Some(at), Some(used)) = (marked(progress), cpu_time(child.id())) else {
            continue;
        };
        match running {
            Some((number, before, since)) if number == at => {
                let cpu = used.saturating_sub(before);
                if hung.is_none() && (cpu > case_time || since.elapsed() > WALL_PATIENCE) {
                    let how = if cpu > case_time { "computes" } else { "waits" };
                    hung = Some(format!("does not end: it {how} beyond its time"));
                    child.kill()?;
                }
            }
            _ => running = Some((at, used, now())),
        }
    }
    // The reader has ended, as the channel is closed.
    let _ended = reader.join();
    Ok(hung)
}

fn note(line: &str, report: &mut Report) {
    let mut parts = line.split('\t');
    let kind = parts.next().unwrap_or_default();
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    match kind {
        "found" => {
            let at = number();
            report.found.push((at, parts.next().unwrap_or_default().to_owned()));
        }
        "done" => {
            report.next = Some(number());
            report.slowest_ms = number();
            let _slowest = number();
            report.caught = number();
        }
        _ => {}
    }
}
