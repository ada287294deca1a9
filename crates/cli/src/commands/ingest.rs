//! `embley ingest`: from what was typed to a request, with progress, Ctrl-C, and a summary.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use embley_casework::links::LinkCases;
use embley_casework::quarantine::Screen;
use embley_casework::saved::CheckSaved;
use embley_casework::threads::LinkThreads;
use embley_formats::opened::OpenLimits;
use embley_formats::smime::keys::{self, SecretKey};
use embley_formats::walk::{WalkOptions, Walked, walk};
use embley_formats::worker::FAULTS_VARIABLE;
use embley_ingest::workers::{WorkerOpener, WorkerOptions, WorkerPool};
use embley_ingest::{CustodianRule, FinishStep, IngestOptions, IngestRequest, Opener, Retry, RunReport, SourceSpec};
use embley_model::clock::{Clock, SystemClock};
use embley_model::event::Counters;
use embley_model::id::RunNo;
use embley_store::audit::Digest;
use embley_store::{Access, Case, Holder};
use serde_json::{Value, json};

use crate::args::{Args, IngestArgs, OcrMode, ProgressKind};
use crate::audit;
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{clean, note};
use crate::progress::Display;

/// Takes the sources in.
pub(crate) fn run(args: &Args, ingest: &IngestArgs) -> anyhow::Result<u8> {
    let request = request(ingest)?;
    let dir = context::case_dir(args)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let case = open_for_writing(&dir, "ingest", &*clock)?;
    let mut options = IngestOptions::new(context::threads(ingest.threads), Arc::clone(&clock));
    options.memory_bytes = ingest.memory;
    options.lose_entry = ingest.test_lose_entry;
    options.segment_bytes = ingest.test_segment_bytes;
    options.checkpoint_bytes = ingest.test_checkpoint_bytes.unwrap_or(options.checkpoint_bytes);
    options.range_bytes = ingest.test_range_bytes.unwrap_or(options.range_bytes);
    options.cancel = stop_on_signal()?;
    if !ingest.no_open {
        options.opener = Some(opener(
            ingest.passwords.as_deref(),
            &ingest.keys,
            &ingest.ocr_languages,
            options.threads,
        )?);
    }
    if ingest.progress != ProgressKind::None {
        plan(&request, &options.counters);
    }
    let display = Display::start(ingest.progress, Arc::clone(&options.counters), clock);
    let link_threads = LinkThreads {
        compare_texts: ingest.compare_texts,
    };
    let check_saved = check_saved(args, &*options.clock);
    let screen = screen(args, &*options.clock);
    let steps: [&dyn FinishStep; 4] = [&screen, &link_threads, &LinkCases, &check_saved];
    let report = embley_ingest::run(&case, &request, &options, &steps);
    display.finish();
    let report = report?;
    put_down(&case, &report);
    say(&report);
    if ingest.compare_texts && report.finish.is_empty() {
        // Nothing was new, so no step ran; what is in the case is compared all the same.
        note!("threads: {}", link_threads.renew(&case)?.sentence());
    }
    Ok(code(&report))
}

/// Opens again what was opened before, without looking at any source.
pub(crate) fn retry(args: &Args, retry: Retry, passwords: Option<&Path>, keys: &[PathBuf]) -> anyhow::Result<u8> {
    let dir = context::case_dir(args)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let case = open_for_writing(&dir, "retry", &*clock)?;
    let mut options = IngestOptions::new(context::threads(None), clock);
    options.cancel = stop_on_signal()?;
    options.opener = Some(opener(passwords, keys, "eng", options.threads)?);
    let request = IngestRequest {
        sources: Vec::new(),
        exclude: Vec::new(),
        known_hashes: Vec::new(),
        rehash: false,
        reassign: false,
        keep_containers: false,
        ocr: false,
        retry: Some(retry),
    };
    let check_saved = check_saved(args, &*options.clock);
    let screen = screen(args, &*options.clock);
    let steps: [&dyn FinishStep; 4] = [&screen, &LinkThreads::default(), &LinkCases, &check_saved];
    let report = embley_ingest::run(&case, &request, &options, &steps)?;
    put_down(&case, &report);
    say(&report);
    Ok(code(&report))
}

/// The run in the audit log: its sums, and the digest of each file of its record.
fn put_down(case: &Case, report: &RunReport) {
    let number = report.run.rsplit(':').next().and_then(|number| number.parse().ok());
    let folder = case.run_dir(RunNo(number.unwrap_or(0)));
    let digest = |name: &str| Digest::of_file(&folder.join(name)).map_or(Value::Null, |digest| digest.hex().into());
    let record: serde_json::Map<String, Value> = ["settings.json", "exceptions.jsonl", "summary.json"]
        .into_iter()
        .map(|name| (name.to_owned(), digest(name)))
        .collect();
    let run = json!({
        "id": report.run, "state": report.state, "balanced": report.balanced, "sums": report.sums, "record_sha256": record,
    });
    audit::put("run", run);
}

/// The step that screens for privilege, first: what the steps behind it make is read by all.
pub(crate) fn screen(args: &Args, clock: &dyn Clock) -> Screen {
    Screen {
        actor: context::actor(args),
        at_micros: clock.now_micros(),
    }
}

/// The step that runs saved searches, last: it may ask for what the steps before it link.
fn check_saved(args: &Args, clock: &dyn Clock) -> CheckSaved {
    CheckSaved {
        actor: context::actor(args),
        at_micros: clock.now_micros(),
    }
}

/// Time for the recognition of one item. Pages that are not reached are said.
const RECOGNITION_SECONDS: u64 = 900;

/// What opens documents and containers.
fn opener(
    passwords: Option<&Path>,
    keys: &[PathBuf],
    languages: &str,
    threads: usize,
) -> anyhow::Result<Arc<dyn Opener>> {
    let passwords = match passwords {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| CliError::usage(format!("the list of passwords {}: {error}", path.display())))?;
            text.lines()
                .map(str::to_owned)
                .filter(|line| !line.is_empty())
                .collect()
        }
        None => Vec::new(),
    };
    let keys = read_keys(keys, &passwords)?;
    let workers = WorkerOptions {
        // One for each thread, and one for the container that is being emptied beside them.
        count: threads + 1,
        // Tests only, as failpoints are.
        faults: std::env::var(FAULTS_VARIABLE).ok(),
        ..WorkerOptions::default()
    };
    let recognition = WorkerOptions {
        count: threads,
        time: Duration::from_secs(RECOGNITION_SECONDS + 60),
        ..WorkerOptions::default()
    };
    Ok(Arc::new(WorkerOpener {
        pool: WorkerPool::new(workers),
        recognition_pool: WorkerPool::new(recognition),
        passwords,
        keys,
        limits: OpenLimits::default(),
        languages: languages.to_owned(),
        recognition_seconds: RECOGNITION_SECONDS,
    }))
}

/// The private keys in these files, unlocked. They stay in memory.
fn read_keys(files: &[PathBuf], passwords: &[String]) -> anyhow::Result<Vec<SecretKey>> {
    let mut keys: Vec<SecretKey> = Vec::new();
    for path in files {
        let failed =
            |error: &dyn std::fmt::Display| CliError::usage(format!("the file of keys {}: {error}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
        for key in keys::read(&bytes, passwords).map_err(|error| failed(&error))? {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    Ok(keys)
}

/// Sums up what there is to read, beside the work and for the time to go only; nothing waits for it.
fn plan(request: &IngestRequest, counters: &Arc<Counters>) {
    let paths: Vec<PathBuf> = request.sources.iter().map(|source| source.path.clone()).collect();
    let options = WalkOptions {
        exclude: request.exclude.clone(),
        follow_links: true,
    };
    let counters = Arc::clone(counters);
    std::thread::spawn(move || {
        for found in paths.iter().flat_map(|path| walk(path, &options)) {
            if let Walked::File(file) = found {
                counters.planned_bytes.fetch_add(file.stat.size, Ordering::Relaxed);
            }
        }
    });
}

/// Opens the case for evidence; the lock says who holds it.
pub(crate) fn open_for_writing(dir: &Path, what: &str, clock: &dyn Clock) -> anyhow::Result<Case> {
    let holder = Holder {
        what: what.to_owned(),
        since_micros: clock.now_micros(),
    };
    Ok(Case::open(dir, Access::Write(holder))?)
}

/// A flag that Ctrl-C and a polite kill set; a second Ctrl-C ends the process, which loses nothing that is committed.
pub(crate) fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, i32::from(exit::STOPPED), Arc::clone(&flag))
            .context("cannot listen for Ctrl-C")?;
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("cannot listen for Ctrl-C")?;
    }
    Ok(flag)
}

/// From what was typed to what is meant.
pub(crate) fn request(args: &IngestArgs) -> anyhow::Result<IngestRequest> {
    let mut sources = Vec::new();
    let rule = match (&args.custodian, args.custodian_from_path) {
        (Some(name), _) => CustodianRule::Named(name.clone()),
        (None, Some(level)) => CustodianRule::FromPath(level),
        (None, None) => CustodianRule::Unknown,
    };
    if args.label.is_some() && args.sources.len() > 1 {
        return Err(CliError::usage(
            "--label names one source, but several were given; use --manifest",
        ));
    }
    for path in &args.sources {
        let label = match &args.label {
            Some(label) => label.clone(),
            None => base_name(path)?,
        };
        sources.push(SourceSpec {
            path: path.clone(),
            label,
            custodian: rule.clone(),
        });
    }
    if let Some(manifest) = &args.manifest {
        sources.extend(read_manifest(manifest)?);
    }
    let known_hashes = match &args.known_hashes {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| CliError::input(format!("cannot read {}: {error}", path.display())))?
            .lines()
            .map(str::to_owned)
            .collect(),
        None => Vec::new(),
    };
    Ok(IngestRequest {
        sources,
        exclude: args.exclude.clone(),
        known_hashes,
        rehash: args.rehash,
        reassign: args.reassign,
        keep_containers: args.keep_containers,
        ocr: args.ocr == OcrMode::Auto,
        retry: args.retry.then(Retry::default),
    })
}

fn base_name(path: &Path) -> anyhow::Result<String> {
    let absolute = std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))?;
    let name = absolute.components().rev().find_map(|part| match part {
        std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    name.ok_or_else(|| CliError::usage(format!("{} has no name; give --label", path.display())))
}

#[derive(serde::Deserialize)]
struct ManifestRow {
    path: PathBuf,
    #[serde(default)]
    custodian: Option<String>,
    #[serde(default)]
    label: Option<String>,
}

/// A CSV with the columns path, custodian, label; paths are relative to the manifest.
fn read_manifest(path: &Path) -> anyhow::Result<Vec<SourceSpec>> {
    // Read whole: a folder opens like a file and would be a list without rows.
    let bytes = std::fs::read(path)
        .map_err(|error| CliError::input(format!("cannot read manifest {}: {error}", path.display())))?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut sources = Vec::new();
    for (number, row) in reader.deserialize::<ManifestRow>().enumerate() {
        let row =
            row.map_err(|error| CliError::usage(format!("manifest {}, row {}: {error}", path.display(), number + 2)))?;
        let source = folder.join(&row.path);
        let custodian = row.custodian.filter(|name| !name.trim().is_empty());
        sources.push(SourceSpec {
            label: match row.label.filter(|label| !label.trim().is_empty()) {
                Some(label) => label,
                None => base_name(&source)?,
            },
            path: source,
            custodian: custodian.map_or(CustodianRule::Unknown, CustodianRule::Named),
        });
    }
    if sources.is_empty() {
        return Err(CliError::usage(format!("manifest {} lists no source", path.display())));
    }
    Ok(sources)
}

fn code(report: &RunReport) -> u8 {
    if report.state == "stopped" {
        exit::STOPPED
    } else if report.sums.excepted + report.sums.children.excepted > 0 {
        exit::EXCEPTIONS
    } else {
        exit::DONE
    }
}

/// The summary, on stderr: results are asked for with `status`.
fn say(report: &RunReport) {
    let sums = &report.sums;
    if report.resumed {
        note!("{} went on where it had stopped", report.run);
    }
    if report.replayed > 0 {
        note!(
            "{} items were put back into the index, which was behind the catalogue",
            report.replayed
        );
    }
    note!(
        "{}: {} entries found = {} new + {} duplicate + {} unchanged + {} excluded + {} excepted; {} parts = {} items + {} excepted",
        report.run,
        sums.discovered,
        sums.new,
        sums.duplicate,
        sums.unchanged,
        sums.excluded,
        sums.excepted,
        sums.children.discovered,
        sums.children.items,
        sums.children.excepted,
    );
    if sums.unchanged > 0 {
        note!("unchanged files were told by {}", report.unchanged_by);
    }
    if report.absent_files > 0 {
        note!(
            "{} files that were there before are gone; their items are kept",
            report.absent_files
        );
    }
    let opened = &report.opened;
    if opened.looked_at > 0 {
        note!(
            "opened: {} originals looked at, {} documents with text, {} containers with {} members, {} recognised, {} failed",
            opened.looked_at,
            opened.documents,
            opened.containers,
            opened.members,
            opened.recognised,
            opened.failed
        );
    }
    if let Some(test) = &report.self_test {
        note!(
            "self-test: {} of {} items found by their own words ({} of the sample have none)",
            test.found,
            test.asked,
            test.without_words
        );
    }
    for (name, detail) in report.finish.iter().filter(|(_, detail)| !detail.is_empty()) {
        note!("{name}: {}", clean(detail));
    }
    if report.state == "stopped" {
        note!("stopped after the batch in hand; run the same command again to go on");
    } else if report.balanced {
        note!("all sums close");
    }
    if sums.excepted > 0 {
        note!("entries of which no item exists: see `embley exceptions --class excepted`");
    }
}
