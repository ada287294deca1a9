//! `embley doctor`: what this machine offers, and what each missing thing costs.

use std::path::Path;

use embley_formats::opened::{Member, Opened};
use embley_formats::worker::{HELPERS, Job, Landlock, TestJob};
use embley_ingest::workers::{JobFailure, JobInput, WorkerOptions, WorkerPool};
use embley_store::facts::users;
use embley_store::{Access, Case};
use serde_json::json;

use crate::args::{Args, ListArgs};
use crate::context;
use crate::exit;
use crate::output::Rows;

/// The limit of memory that a worker is let run into.
const TRIAL_BYTES: u64 = 256 << 20;

/// Checks the machine; asks nothing of the network.
pub(crate) fn run(args: &Args, list: &ListArgs) -> anyhow::Result<u8> {
    let mut rows = Rows::new("checks", &["check", "state", "what it means"]);
    let mut add = |check: &str, state: String, means: &str| {
        rows.push(
            vec![check.to_owned(), state.clone(), means.to_owned()],
            json!({"check": check, "state": state, "means": means}),
        )
    };
    let cores = context::threads(None);
    add(
        "cores",
        cores.to_string(),
        "one worker a core by default; --threads changes it",
    )?;
    add(
        "memory",
        memory(),
        "ingest keeps to --memory (1G by default) beside the de-duplication table of about 32 bytes an item",
    )?;
    add(
        "open files",
        limit(),
        "tantivy keeps each segment's files open; 1024 are enough",
    )?;
    add(
        "temporary folder",
        temporary(),
        "messages over 32 MiB are copied there when they are read again",
    )?;
    add(
        "hash instructions",
        hash_instructions().to_owned(),
        "with them SHA-256 costs next to nothing; without, ingest is some 10 % slower",
    )?;
    for (tool, means) in [
        (
            "python3",
            "only for scripts/oracle, the independent reader of the tests",
        ),
        ("notmuch", "only for scripts/peers"),
        ("mairix", "only for scripts/peers"),
        ("mu", "only for scripts/peers"),
    ] {
        add(tool, found(tool), means)?;
    }
    let (walls, memory_limit) = workers();
    add(
        "workers",
        walls,
        "hostile formats are read in processes of their own; landlock (from interface 1) closes files to them, a filter of system calls the network",
    )?;
    add(
        "memory limit",
        memory_limit,
        "a bomb costs one item; where it does not work, do not open containers and documents from strangers on this machine",
    )?;
    for helper in HELPERS {
        add(
            helper.name,
            found(helper.name),
            &format!("{} (package {})", helper.without, helper.package),
        )?;
    }
    add(
        "readpst",
        found("readpst"),
        "only a second opinion in tests; PST files are read without it (package pst-utils)",
    )?;
    add(
        "formats",
        "mail, mailboxes, PST, MSG, TNEF, Office, PDF, archives, text".into(),
        "what no reader knows is kept, hashed and registered as not searchable",
    )?;
    if let Ok(case) = context::case_dir(args) {
        add(
            "roles",
            roles(&case),
            "of the case at hand; `embley user roles` says what each may do",
        )?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

/// Whether roles are in force in the case at hand.
fn roles(dir: &Path) -> String {
    let find = || -> anyhow::Result<usize> {
        let reader = Case::open(dir, Access::Read)?.reader()?;
        Ok(users::list(reader.facts())?.len())
    };
    match find() {
        Ok(0) => context::NOT_IN_FORCE.to_owned(),
        Ok(count) => format!("in force: {count} users"),
        Err(error) => format!("cannot be read: {error}"),
    }
}

fn memory() -> String {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .map(str::trim);
    available.map_or_else(|| "unknown".to_owned(), |kib| format!("{kib} available"))
}

fn limit() -> String {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit
        .current
        .map_or_else(|| "unlimited".to_owned(), |count| count.to_string())
}

fn temporary() -> String {
    let dir = std::env::temp_dir();
    match rustix::fs::statvfs(&dir) {
        Ok(stat) => format!(
            "{}: {} MiB free",
            dir.display(),
            stat.f_bavail.saturating_mul(stat.f_frsize) >> 20
        ),
        Err(error) => format!("{}: {error}", dir.display()),
    }
}

fn hash_instructions() -> &'static str {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |flag: &str| {
        text.lines()
            .any(|line| line.starts_with("flags") && line.split(' ').any(|word| word == flag))
    };
    match (has("sha_ni"), has("avx2")) {
        (true, true) => "sha_ni, avx2",
        (true, false) => "sha_ni",
        (false, true) => "avx2",
        (false, false) => "none seen",
    }
}

/// Starts a worker and lets it run into a small limit of memory: what is said was tried.
fn workers() -> (String, String) {
    let options = WorkerOptions {
        count: 1,
        memory_bytes: TRIAL_BYTES,
        test_jobs: true,
        ..WorkerOptions::default()
    };
    let pool = WorkerPool::new(options);
    let hello = match pool.greeting(false) {
        Ok(hello) => hello,
        Err(error) => {
            let reason = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            return (format!("{error}{reason}"), "not tried".to_owned());
        }
    };
    let mut walls = match hello.landlock {
        Landlock::Full => format!("confined, landlock interface {}", hello.landlock_abi),
        Landlock::Partial => format!("confined as far as landlock interface {} goes", hello.landlock_abi),
        Landlock::None => "no landlock: workers can read files".to_owned(),
    };
    for weak in &hello.weak {
        walls.push_str("; ");
        walls.push_str(weak);
    }
    let job = Job::Test(TestJob::Eat { bytes: TRIAL_BYTES * 4 });
    let mut take = |_: Member, _: &mut dyn std::io::Read| Ok(());
    let memory = match pool.run::<Member, Opened>(job, &JobInput::Bytes(b""), &mut take) {
        Ok(Err(JobFailure::MemoryExceeded { .. })) => "works".to_owned(),
        Ok(Ok(_)) => "does not work: a worker got more than it may have".to_owned(),
        Ok(Err(other)) => format!("works otherwise than expected: {}", other.defect().detail),
        Err(error) => error.to_string(),
    };
    (walls, memory)
}

fn found(tool: &str) -> String {
    if on_path(tool) { "found" } else { "not found" }.to_owned()
}

fn on_path(tool: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|dir| is_file(&dir.join(tool)))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file())
}
