//! What is asked of the machine: clock, limits, processor time of a child, files.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

/// Now. A fuzzer is about time: how long it runs, and which case takes too much of it.
#[expect(clippy::disallowed_methods, reason = "a fuzzer runs for a time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Limits this process and leaves no core behind.
///
/// # Errors
/// When the system refuses.
pub(crate) fn confine(memory_bytes: u64) -> std::io::Result<()> {
    let both = |value| Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    setrlimit(Resource::As, both(memory_bytes))?;
    setrlimit(Resource::Core, both(0))?;
    Ok(())
}

/// Processor time of a process so far; `None` when it is gone.
pub(crate) fn cpu_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; behind it the fields from the third on are numbers but for the first.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let a_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(ticks * 1000 / a_second))
}

/// Writes a whole file, making its folder.
///
/// # Errors
/// When the system refuses; the file may then hold a beginning.
#[expect(
    clippy::disallowed_methods,
    reason = "findings and inputs of a fuzzer are no part of a case folder"
)]
pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, bytes)
}
