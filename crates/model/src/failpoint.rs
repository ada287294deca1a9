//! Named places between durable steps at which a test may stop the process.
//!
//! `EMBLEY_FAILPOINT=name:n` makes the n-th passage of `name` kill the process with SIGKILL, as a pulled
//! plug would, `name:n:error` makes the caller see an I/O error, and `name:n:stop` halts the process with SIGSTOP until
//! somebody sends SIGCONT. Without the variable a passage costs one relaxed atomic load. The list of names is [`NAMES`];
//! tests assert that each was reached.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every failpoint there is, in the order of the durable steps of an ingest.
pub const NAMES: &[&str] = &[
    "pack-append",      // frames of a range written, not synced
    "pack-sync",        // pack synced, catalogue not yet told
    "catalogue-begin",  // inside the catalogue transaction
    "catalogue-commit", // catalogue committed, index not yet
    "index-segment",    // a segment file finished, not committed
    "index-commit",     // index committed with its ticket
    "finish-begin",     // all input done, finish steps not begun
    "finish-commit",    // finish steps done, run not yet closed
    "run-close",        // run row closed, run record not yet written
];

/// The failpoints of a change of facts (tags, exhibits, batches, codings), which is one transaction: each is passed by every change that has
/// this step.
pub const FACT_NAMES: &[&str] = &[
    "fact-begin",      // the transaction is open, nothing is written
    "fact-event",      // an event is written, its set is as before
    "fact-set",        // an event and its set are written, not committed
    "fact-batch",      // an event of a batch is written, the batch is as before
    "fact-commit",     // all is written, nothing is committed
    "fact-committed",  // committed, nobody was told
    "exhibit-copying", // a part of a file is copied into the case
    "exhibit-copied",  // the copy is durable, the catalogue knows nothing of it
];

/// The failpoints of a folder that leaves a case (`store::outgoing`), in order.
pub const EXPORT_NAMES: &[&str] = &[
    "export-begin",    // the unfinished folder is there, nothing in it yet
    "export-written",  // all files written, no manifest yet
    "export-sealed",   // manifest and signature written, nothing synced
    "export-synced",   // everything durable, still marked as unfinished
    "export-unmarked", // the mark is gone, the name is still that of an unfinished folder
    "export-renamed",  // the folder has its name, the entry is not synced
];

/// Failpoints of the audit log, passed by every command on a case: in the order of the steps of one append.
pub const AUDIT_NAMES: &[&str] = &[
    "audit-begin",  // lock taken, nothing written
    "audit-write",  // the line is written, not synced
    "audit-sync",   // the line is synced, tree and catalogue not yet told
    "audit-tree",   // the tree has it, the catalogue not yet
    "audit-anchor", // the catalogue has it
];

enum Mode {
    Kill,
    Error,
    Stop,
}

struct Armed {
    name: String,
    at: u64,
    mode: Mode,
    passed: AtomicU64,
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    ARMED
        .get_or_init(|| {
            let text = std::env::var("EMBLEY_FAILPOINT").ok()?;
            let mut parts = text.split(':');
            let name = parts.next()?.to_owned();
            let at = parts.next()?.parse().ok()?;
            let mode = match parts.next() {
                Some("error") => Mode::Error,
                Some("stop") => Mode::Stop,
                _ => Mode::Kill,
            };
            Some(Armed {
                name,
                at,
                mode,
                passed: AtomicU64::new(0),
            })
        })
        .as_ref()
}

/// Passes the named failpoint.
///
/// # Errors
/// An I/O error of kind `StorageFull` when the environment asks for one here.
pub fn pass(name: &'static str) -> std::io::Result<()> {
    let Some(armed) = armed() else { return Ok(()) };
    if armed.name != name || armed.passed.fetch_add(1, Ordering::Relaxed) + 1 != armed.at {
        return Ok(());
    }
    match armed.mode {
        Mode::Kill => shell(&format!("kill -s KILL {}", std::process::id())),
        Mode::Stop => shell(&stop_script(std::process::id())),
        Mode::Error => Err(std::io::Error::new(
            std::io::ErrorKind::StorageFull,
            format!("failpoint {name}"),
        )),
    }
}

/// Halts a process and ends once it is halted, so that no thread of it gets past the failpoint before. It does not wait for ever,
/// because somebody may have sent SIGCONT meanwhile.
fn stop_script(process: u32) -> String {
    format!(
        "kill -s STOP {process}; n=0; while [ $n -lt 2000 ]; do n=$((n+1)); \
         while read -r key state rest; do [ \"$key$state\" = State:T ] && exit 0; done < /proc/{process}/status; done"
    )
}

/// A signal to this process as from outside: no destructor runs, no buffer is flushed. The shell's own `kill` is there where
/// the program of that name is not.
fn shell(script: &str) -> std::io::Result<()> {
    std::process::Command::new("sh").args(["-c", script]).status()?;
    Ok(())
}
