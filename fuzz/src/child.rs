//! The process that runs cases.
//!
//! It says on standard output, one line each with tabs between: `found`, number, words; `done`, next number, slowest case in ms and its number, caught
//! panics of packages. Before each case its number goes into the progress file, which outlives the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::case::Cases;
use crate::finding::signature;
use crate::gather::Wanted;
use crate::machine::{self, now};
use crate::shrink::shrink;
use crate::target::Target;

/// Memory that a child may map.
const MEMORY_BYTES: u64 = 1 << 30;
/// Told at most, so that a parser that is broken on every input does not fill the disk.
const FOUND_TOLD: usize = 40;

/// What a child is to do.
#[derive(Clone, Debug)]
pub struct ChildOrder {
    /// Seed of the run.
    pub seed: u64,
    /// First case.
    pub from: u64,
    /// One after the last.
    pub until: u64,
    /// It stops by itself after so many milliseconds.
    pub milliseconds: u64,
    /// The progress file.
    pub progress: PathBuf,
    /// A folder of more seeds.
    pub corpus: Option<PathBuf>,
    /// Without the corpora beside the project.
    pub plain: bool,
    /// Only this input.
    pub one: Option<PathBuf>,
}

/// A panic that was seen, also one that somebody caught.
struct Seen {
    words: String,
    is_ours: bool,
}

static SEEN: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

fn seen() -> Vec<Seen> {
    let mut guard = SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::mem::take(&mut *guard)
}

/// Panics are noted instead of printed.
fn note_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()))
            .unwrap_or_default();
        let payload = info.payload();
        let words = payload
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let seen = Seen {
            is_ours: !place.contains("/registry/src/") && !place.starts_with("/rustc/"),
            words: format!("panic at {place}: {words}"),
        };
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0") {
            // For whoever started a child by hand.
            let trace = std::backtrace::Backtrace::force_capture();
            let _nobody_reads = writeln!(io::stderr(), "{}\n{trace}", seen.words);
        }
        let mut guard = SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if guard.len() < 100 {
            guard.push(seen);
        }
    }));
}

/// What one case gave: words when something did not hold, and how many panics of packages were caught.
fn run(target: &Target, input: &[u8]) -> (Option<String>, u64) {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    let panics = seen();
    let caught = panics.iter().filter(|panic| !panic.is_ours).count() as u64;
    let ours = panics.iter().find(|panic| panic.is_ours);
    match (outcome, ours) {
        (_, Some(panic)) => (Some(panic.words.clone()), caught),
        (Ok(Ok(())), None) => (None, caught),
        (Ok(Err(words)), None) => (Some(format!("does not hold: {words}")), caught),
        (Err(_), None) => {
            let words = panics.last().map(|panic| panic.words.clone());
            (Some(words.unwrap_or_else(|| "panic".to_owned())), caught)
        }
    }
}

/// Runs cases as ordered, on a thread with the stack of the target.
///
/// # Errors
/// When the machine refuses a limit, a thread, or the progress file.
pub fn be_child(target: &'static Target, order: &ChildOrder) -> io::Result<()> {
    on_thread(
        target,
        |target, order: &ChildOrder| run_cases(target, order),
        order.clone(),
    )
}

/// Replaces the input at `path` by a shorter one with the same finding.
///
/// # Errors
/// As [`be_child`]; the file is then as it was.
pub fn be_shrinker(target: &'static Target, path: &Path) -> io::Result<()> {
    on_thread(
        target,
        |target, path: &PathBuf| shrink_file(target, path),
        path.to_owned(),
    )
}

fn on_thread<T: Send + 'static>(
    target: &'static Target,
    work: fn(&'static Target, &T) -> io::Result<()>,
    with: T,
) -> io::Result<()> {
    machine::confine(MEMORY_BYTES)?;
    note_panics();
    let thread = std::thread::Builder::new()
        .name("case".to_owned())
        .stack_size(target.stack_bytes)
        .spawn(move || work(target, &with))?;
    thread
        .join()
        .map_err(|_| io::Error::other("the thread of the cases ended"))?
}

fn run_cases(target: &'static Target, order: &ChildOrder) -> io::Result<()> {
    let progress = OpenOptions::new().write(true).open(&order.progress)?;
    let one = order.one.as_deref().map(std::fs::read).transpose()?;
    let wanted = Wanted {
        folder: order.corpus.clone(),
        plain: order.plain,
    };
    let cases = one.is_none().then(|| Cases::new(target, &wanted, order.seed));
    let start = now();
    let patience = Duration::from_millis(order.milliseconds);
    let mut told: Vec<String> = Vec::new();
    let mut slowest = (Duration::ZERO, 0);
    let mut caught = 0;
    let mut number = order.from;
    while number < order.until {
        let input = match (&cases, &one) {
            (Some(cases), _) => cases.input(number),
            (None, Some(input)) => input.clone(),
            (None, None) => break,
        };
        mark(&progress, number)?;
        let before = now();
        let (words, panics) = run(target, &input);
        let took = before.elapsed();
        caught += panics;
        if took > slowest.0 {
            slowest = (took, number);
        }
        if let Some(words) = words {
            let signature = signature(&words);
            if told.len() < FOUND_TOLD && !told.contains(&signature) {
                told.push(signature);
                say(&format!("found\t{number}\t{}", one_line(&words)))?;
            }
        }
        number += 1;
        if start.elapsed() > patience {
            break;
        }
    }
    say(&format!(
        "done\t{number}\t{}\t{}\t{caught}",
        slowest.0.as_millis(),
        slowest.1
    ))
}

fn shrink_file(target: &'static Target, path: &Path) -> io::Result<()> {
    let input = std::fs::read(path)?;
    let Some(wanted) = run(target, &input).0.map(|words| signature(&words)) else {
        return Ok(());
    };
    let start = now();
    let mut still = |bytes: &[u8]| run(target, bytes).0.is_some_and(|words| signature(&words) == wanted);
    let shorter = shrink(&input, &mut still, &|| start.elapsed() < Duration::from_secs(8));
    machine::write(path, &shorter)
}

/// The number of the case that is about to run.
fn mark(progress: &File, number: u64) -> io::Result<()> {
    progress.write_all_at(&(number + 1).to_le_bytes(), 0)
}

fn one_line(words: &str) -> String {
    let words: String = words.chars().take(600).collect();
    words.replace(['\n', '\t', '\r'], " ")
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
