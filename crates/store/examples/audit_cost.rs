//! What an entry of the audit log costs, and that it does not depend on how long the log is: `cargo run --example audit_cost [FOLDER]` makes
//! cases below the folder (default: a temporary one) with logs of 10, 10,000 and 1,000,000 entries, appends to each as commands do (every
//! entry by an `AuditLog` of its own), beside plain writes with a sync, and prints both, and how long verifying takes.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example that measures and prints"
)]

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use embley_store::audit::{AuditLog, Author, ENTRY_VERSION, Entry, VerifyOptions, What, line_hash, time};
use embley_store::disk::{Disk, RealDisk};
use embley_store::{Case, InitOptions, merkle};
use serde_json::{Map, json};

type Failed = Box<dyn std::error::Error>;

/// Appends that are measured in each log.
const APPENDS: u64 = 1_000;
const AT_MICROS: i64 = 1_700_000_000_000_000;

fn main() -> Result<(), Failed> {
    let named = std::env::args().nth(1);
    let folder = match &named {
        Some(above) => tempfile::tempdir_in(above)?,
        None => tempfile::tempdir()?,
    };
    for entries in [10, 10_000, 1_000_000] {
        measure(&folder.path().join(entries.to_string()), entries)?;
    }
    Ok(())
}

fn measure(folder: &Path, entries: u64) -> Result<(), Failed> {
    let root = folder.join("case");
    std::fs::create_dir_all(folder)?;
    let options = InitOptions {
        name: "Measured".to_owned(),
        reference: String::new(),
        zone: String::new(),
        at_micros: AT_MICROS,
    };
    let case = Case::init(&root, &options)?.id;
    fill(&AuditLog::at(&root)?, &case, entries)?;
    let start = Instant::now();
    append(&AuditLog::at(&root)?)?;
    let first = start.elapsed();
    let mut plain = RealDisk.create_new(&folder.join("plain"))?;
    let (mut appends, mut writes) = (Vec::new(), Vec::new());
    for number in 0..APPENDS {
        let start = Instant::now();
        append(&AuditLog::at(&root)?)?;
        appends.push(start.elapsed());
        let start = Instant::now();
        plain.write_all_at(&[b'x'; 500], number * 500)?;
        plain.sync()?;
        writes.push(start.elapsed());
    }
    println!(
        "{entries} entries; the first append, which makes the tree: {:.1} ms",
        first.as_secs_f64() * 1e3
    );
    for (name, mut all) in [("append", appends), ("write of 500 bytes and sync", writes)] {
        all.sort_unstable();
        let at = |share: usize| all[all.len() * share / 1000].as_secs_f64() * 1e3;
        println!(
            "  {name}: median {:.2} ms, 99 % {:.2} ms, 99.9 % {:.2} ms",
            at(500),
            at(990),
            at(999)
        );
    }
    let start = Instant::now();
    let report = AuditLog::at(&root)?.verify(&VerifyOptions::default())?;
    println!(
        "  verify of {} entries, {} bytes: {:.1} ms, {} findings",
        report.entries,
        report.bytes,
        start.elapsed().as_secs_f64() * 1e3,
        report.findings.len()
    );
    Ok(())
}

fn parameters() -> Map<String, serde_json::Value> {
    let parameters = json!({"query": "invoice w/5 (paid OR pai?d*)"});
    parameters.as_object().cloned().unwrap_or_default()
}

fn append(log: &AuditLog) -> Result<(), Failed> {
    let author = Author {
        who: "ann",
        uid: 1000,
        tool: "measure",
        at_micros: AT_MICROS,
    };
    log.intent("search", parameters(), author)?;
    Ok(())
}

/// Writes a log of so many entries at once, as appends would have; the first append makes the rest of it.
fn fill(log: &AuditLog, case: &str, entries: u64) -> Result<(), Failed> {
    let (mut text, mut before) = (String::new(), [0; 32]);
    for seq in 0..entries {
        let event = match seq {
            0 => What::Begin {
                why: "measured".to_owned(),
            },
            _ => What::Intent {
                command: "search".to_owned(),
                parameters: parameters(),
            },
        };
        let entry = Entry {
            v: ENTRY_VERSION,
            seq,
            prev: merkle::hex(&before),
            at: time(AT_MICROS),
            at_micros: AT_MICROS,
            case: case.to_owned(),
            who: "ann".to_owned(),
            uid: 1000,
            tool: "measure".to_owned(),
            event,
        };
        let line = entry.to_line()?;
        before = line_hash(line.as_bytes());
        writeln!(text, "{line}")?;
    }
    RealDisk.create_dir(&log.dir())?;
    RealDisk.replace(&log.log_path(), text.as_bytes())?;
    Ok(())
}
