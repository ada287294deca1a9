//! `embley verify` and `embley reindex`: is the case what it must be, and a new index from the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use embley_casework::links::LinkCases;
use embley_casework::threads::LinkThreads;
use embley_model::clock::{Clock, SystemClock};
use embley_store::audit::AuditLog;
use embley_store::verify::Finding;
use embley_store::{Access, Case};

use super::ingest::{open_for_writing, stop_on_signal};
use crate::args::{Args, ReindexArgs, VerifyArgs};
use crate::context;
use crate::exit;
use crate::output::{self, Rows, note};
use crate::progress::Display;

/// Checks the case folder; writes nothing.
pub(crate) fn verify(args: &Args, verify: &VerifyArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let report = if verify.deep {
        embley_store::verify::deep(&case, &embley_ingest::MessageParts, &|_| ())?
    } else {
        embley_store::verify::quick(&case)?
    };
    let mut findings = report.findings;
    for (place, detail) in index_damage(&case)? {
        findings.push(Finding {
            thing: "index".into(),
            place,
            detail,
            next: "embley reindex".into(),
        });
    }
    let (audit_log, of_audit) = super::audit::findings(&AuditLog::of(&case))?;
    findings.extend(of_audit);
    let mut rows = Rows::new("findings", &["thing", "place", "what", "next step"]);
    for one in &findings {
        rows.push(
            vec![
                one.thing.clone(),
                one.place.clone(),
                one.detail.clone(),
                one.next.clone(),
            ],
            one,
        )?;
    }
    let count = findings.len();
    let extra = vec![
        ("deep", verify.deep.into()),
        ("count", count.into()),
        ("notes", serde_json::to_value(&report.notes)?),
        ("checked", serde_json::to_value(report.checked)?),
        ("audit_entries", audit_log.entries.into()),
    ];
    let code = if count == 0 { exit::DONE } else { exit::NO_HIT };
    output::set_verdict(code);
    rows.print(context::format(&verify.list), extra)?;
    let checked = &report.checked;
    note!(
        "{}: {} packs, {} frames, {} blobs, {} items, {} instances; {count} findings",
        if verify.deep {
            "every byte hashed again"
        } else {
            "quick check"
        },
        checked.packs,
        checked.frames,
        checked.packed_blobs + checked.derived_blobs + checked.referenced_blobs,
        checked.items,
        checked.instances
    );
    Ok(code)
}

/// Damaged index files, and an index that is behind or of another case, as (place, what).
fn index_damage(case: &Case) -> anyhow::Result<Vec<(String, String)>> {
    if case.reader()?.counts().items == 0 {
        return Ok(Vec::new());
    }
    match embley_index::verify(&case.index_dir()) {
        Ok(damages) => Ok(damages
            .into_iter()
            .map(|damage| (damage.file.display().to_string(), damage.detail))
            .collect()),
        Err(error) => Ok(vec![(case.index_dir().display().to_string(), error.to_string())]),
    }
}

/// Makes the index again.
pub(crate) fn reindex(args: &Args, reindex: &ReindexArgs) -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let case = open_for_writing(&context::case_dir(args)?, "reindex", &*clock)?;
    let mut options = embley_ingest::IngestOptions::new(context::threads(reindex.threads), Arc::clone(&clock));
    options.memory_bytes = reindex.memory;
    options.cancel = stop_on_signal()?;
    let display = Display::start(reindex.progress, Arc::clone(&options.counters), clock);
    let done = embley_ingest::reindex(&case, &options);
    display.finish();
    if options.cancel.load(Ordering::Relaxed) && done.is_err() {
        note!("stopped; run the same command again");
        return Ok(exit::STOPPED);
    }
    let items = done?;
    let links = LinkCases::renew_all(&case)?;
    let threads = LinkThreads::renew_all(&case)?;
    note!("{}", threads.sentence());
    note!(
        "{items} items in the new index; {} of {} case references are named",
        links.named,
        links.cases
    );
    Ok(exit::DONE)
}
