//! `embley bench`: throughput on this machine, the same for everyone.
//!
//! Whole ingests of a made corpus or of given sources in temporary cases: first, second with nothing new, and the parse-and-index run
//! with the same schema and documents but without hash, de-duplication, store and catalogue. Prints JSON; `scripts/bench` repeats and
//! compares.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embley_corpus::CorpusConfig;
use embley_ingest::{IngestOptions, IngestRequest};
use embley_model::clock::{Clock, SystemClock};
use embley_store::{Case, InitOptions};
use serde_json::{Value, json};

use super::bench_queries;
use super::ingest::open_for_writing;
use crate::args::{Args, BenchArgs, IngestArgs, OcrMode, ProgressKind};
use crate::context;
use crate::exit;
use crate::output::result_line;

/// Measures and prints.
pub(crate) fn run(args: &Args, bench: &BenchArgs) -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let result = if bench.queries {
        bench_queries::run(&context::case_dir(args)?, &*clock, bench.per_shape, bench.seed)?
    } else if !bench.baseline.is_empty() {
        baseline(bench, &bench.baseline, &clock)?
    } else {
        whole(bench, &clock)?
    };
    result_line!("{}", serde_json::to_string_pretty(&result)?)?;
    Ok(exit::DONE)
}

fn options(bench: &BenchArgs, clock: &Arc<dyn Clock>) -> IngestOptions {
    let mut options = IngestOptions::new(context::threads(bench.threads), Arc::clone(clock));
    options.memory_bytes = bench.memory;
    options
}

fn request(sources: &[PathBuf], rehash: bool) -> anyhow::Result<IngestRequest> {
    super::ingest::request(&IngestArgs {
        sources: sources.to_vec(),
        custodian: None,
        custodian_from_path: None,
        manifest: None,
        label: None,
        exclude: Vec::new(),
        known_hashes: None,
        reassign: false,
        rehash,
        keep_containers: false,
        ocr: OcrMode::Off,
        ocr_languages: String::new(),
        retry: false,
        passwords: None,
        keys: Vec::new(),
        no_open: true,
        compare_texts: false,
        threads: None,
        memory: 0,
        progress: ProgressKind::None,
        test_lose_entry: None,
        test_checkpoint_bytes: None,
        test_range_bytes: None,
        test_segment_bytes: None,
    })
}

/// Parse and index only.
fn baseline(bench: &BenchArgs, sources: &[PathBuf], clock: &Arc<dyn Clock>) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let options = options(bench, clock);
    let before = Usage::now(&**clock);
    let report = embley_ingest::parse_and_index(&request(sources, false)?, &options, folder.path())?;
    let used = Usage::now(&**clock).since(&before);
    Ok(
        json!({"schema": crate::output::SCHEMA, "what": "parse-and-index", "threads": options.threads,
        "entries": report.entries, "items": report.items, "bytes": report.bytes, "index_bytes": folder_bytes(folder.path())?,
        "usage": used.json(report.bytes, report.entries)}),
    )
}

fn whole(bench: &BenchArgs, clock: &Arc<dyn Clock>) -> anyhow::Result<Value> {
    let made = tempfile::tempdir()?;
    let sources = if bench.source.is_empty() {
        let config = CorpusConfig::new(bench.messages, bench.seed);
        embley_corpus::write_corpus(made.path(), &config)?;
        vec![made.path().join("mail")]
    } else {
        bench.source.clone()
    };
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("case");
    let init = InitOptions {
        name: "bench".into(),
        reference: String::new(),
        zone: String::new(),
        at_micros: clock.now_micros(),
    };
    Case::init(&dir, &init)?;
    let mut runs = Vec::new();
    for (name, rehash) in [("first", false), ("second", false), ("rehash", true)] {
        runs.push(ingest_once(name, &dir, &request(&sources, rehash)?, bench, clock)?);
    }
    let bytes = runs[0]["bytes"].as_u64().unwrap_or(0).max(1);
    let share = |size: u64| size as f64 / bytes as f64;
    let index = folder_bytes(&dir.join("index"))?;
    let originals = folder_bytes(&dir.join("originals"))?;
    let catalogue = std::fs::metadata(dir.join("catalogue.sqlite")).map_or(0, |meta| meta.len());
    let baseline = baseline(bench, &sources, clock)?;
    let ratio = baseline["usage"]["wall_seconds"].as_f64().unwrap_or(0.0)
        / runs[0]["usage"]["wall_seconds"].as_f64().unwrap_or(f64::MAX);
    Ok(json!({
        "schema": crate::output::SCHEMA, "threads": context::threads(bench.threads), "runs": runs, "baseline": baseline,
        "share_of_parse_and_index_speed": ratio,
        "sizes": {"input": bytes, "index": index, "originals": originals, "catalogue": catalogue,
            "index_share": share(index), "originals_share": share(originals), "catalogue_share": share(catalogue)},
        "queries": bench_queries::run(&dir, &**clock, 0, bench.seed)?,
    }))
}

fn ingest_once(
    name: &str,
    dir: &Path,
    request: &IngestRequest,
    bench: &BenchArgs,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Value> {
    let case = open_for_writing(dir, "bench", &**clock)?;
    let options = options(bench, clock);
    let before = Usage::now(&**clock);
    let report = embley_ingest::run(&case, request, &options, &[])?;
    let used = Usage::now(&**clock).since(&before);
    let bytes = report.sums.bytes + report.unchanged_bytes;
    Ok(json!({
        "what": name, "entries": report.sums.discovered, "new": report.sums.new, "bytes": bytes,
        "usage": used.json(bytes, report.sums.discovered), "stages": options.counters.snapshot().stages,
    }))
}

/// What this process has used up to now.
struct Usage {
    wall_nanos: u64,
    cpu_micros: u64,
}

/// What was used between two moments.
struct Used {
    wall_seconds: f64,
    cpu_seconds: f64,
}

impl Usage {
    fn now(clock: &dyn Clock) -> Self {
        let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // Fields 14 and 15 (proc(5)), counted behind the name in brackets, in ticks of 1/100 s.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        Self {
            wall_nanos: clock.monotonic_nanos(),
            cpu_micros: (ticks(11) + ticks(12)) * 10_000,
        }
    }

    fn since(&self, before: &Self) -> Used {
        Used {
            wall_seconds: self.wall_nanos.saturating_sub(before.wall_nanos) as f64 / 1e9,
            cpu_seconds: self.cpu_micros.saturating_sub(before.cpu_micros) as f64 / 1e6,
        }
    }
}

impl Used {
    fn json(&self, bytes: u64, entries: u64) -> Value {
        let wall = self.wall_seconds.max(1e-6);
        json!({
            "wall_seconds": self.wall_seconds, "cpu_seconds": self.cpu_seconds,
            "megabytes_per_second": bytes as f64 / wall / 1e6, "entries_per_second": entries as f64 / wall,
            "resident_peak_bytes": peak_resident(),
        })
    }
}

/// High-water mark of resident memory, mapped files included (proc(5), VmHWM).
fn peak_resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .ok()
        .map(|kib| kib << 10)
}

fn folder_bytes(dir: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            folder_bytes(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}
