//! What an entry of the audit log costs: `cargo run --example audit_cost [FOLDER]` appends to a case made below the folder (default: a
//! temporary one), beside plain writes with a sync, and prints both, and how long verifying takes.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example that measures and prints"
)]

use std::time::Instant;

use embley_store::audit::{AuditLog, Author, VerifyOptions};
use embley_store::disk::{Disk, RealDisk};
use embley_store::{Case, InitOptions};
use serde_json::json;

const APPENDS: u64 = 5_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let named = std::env::args().nth(1);
    let folder = match &named {
        Some(above) => tempfile::tempdir_in(above)?,
        None => tempfile::tempdir()?,
    };
    let case = folder.path().join("case");
    let options = InitOptions {
        name: "Measured".to_owned(),
        reference: String::new(),
        zone: String::new(),
        at_micros: 1_700_000_000_000_000,
    };
    Case::init(&case, &options)?;
    let log = AuditLog::at(&case)?;
    let mut plain = RealDisk.create_new(&folder.path().join("plain"))?;
    let (mut appends, mut writes) = (Vec::new(), Vec::new());
    for number in 0..APPENDS {
        let parameters = json!({"query": "invoice w/5 (paid OR pai?d*)"});
        let author = Author {
            who: "ann",
            uid: 1000,
            tool: "measure",
            at_micros: 1_700_000_000_000_000,
        };
        let start = Instant::now();
        log.intent("search", parameters.as_object().cloned().unwrap_or_default(), author)?;
        appends.push(start.elapsed());
        let start = Instant::now();
        plain.write_all_at(&[b'x'; 500], number * 500)?;
        plain.sync()?;
        writes.push(start.elapsed());
    }
    let start = Instant::now();
    let report = log.verify(&VerifyOptions::default())?;
    let verified = start.elapsed();
    for (name, mut all) in [("append", appends), ("write of 500 bytes and sync", writes)] {
        all.sort_unstable();
        let at = |share: usize| all[all.len() * share / 1000].as_secs_f64() * 1e3;
        println!(
            "{name}: median {:.2} ms, 99 % {:.2} ms, 99.9 % {:.2} ms",
            at(500),
            at(990),
            at(999)
        );
    }
    println!(
        "verify of {} entries, {} bytes: {:.1} ms, {} findings",
        report.entries,
        report.bytes,
        verified.as_secs_f64() * 1e3,
        report.findings.len()
    );
    Ok(())
}
