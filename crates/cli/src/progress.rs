//! Three faces of one snapshot: bars, plain lines, JSON lines. All on stderr.
//!
//! A thread reads the shared counters; the pipeline never waits for it.

use std::io::IsTerminal;
use std::sync::Arc;

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use embley_model::clock::Clock;
use embley_model::event::{Counters, ProgressSnapshot};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::args::ProgressKind;
use crate::output::note;

/// A running display; ends when dropped or finished.
pub(crate) struct Display {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Starts showing the counters in the way asked for.
    pub(crate) fn start(kind: ProgressKind, counters: Arc<Counters>, clock: Arc<dyn Clock>) -> Self {
        let kind = match kind {
            ProgressKind::Auto if std::io::stderr().is_terminal() => ProgressKind::Bar,
            ProgressKind::Auto => ProgressKind::Plain,
            other => other,
        };
        if kind == ProgressKind::None {
            return Self {
                stop: None,
                thread: None,
            };
        }
        let (stop, stopped) = bounded(0);
        let thread = std::thread::spawn(move || match kind {
            ProgressKind::Bar => bars(&counters, &*clock, &stopped),
            ProgressKind::Json => lines(&counters, &*clock, &stopped, Duration::from_millis(200), json_line),
            ProgressKind::Plain | ProgressKind::Auto | ProgressKind::None => {
                lines(&counters, &*clock, &stopped, Duration::from_secs(3), plain_line);
            }
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Shows the last state and ends.
    pub(crate) fn finish(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            note!("embley: the progress display failed; the work is not affected");
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.end();
    }
}

/// Rates at one moment: now (since the last look) and overall.
struct Pace {
    started: u64,
    last_nanos: u64,
    last: ProgressSnapshot,
}

struct Rates {
    seconds: f64,
    items_now: f64,
    items_overall: f64,
    megabytes_now: f64,
    megabytes_overall: f64,
    seconds_left: Option<u64>,
}

impl Pace {
    fn new(clock: &dyn Clock) -> Self {
        let now = clock.monotonic_nanos();
        Self {
            started: now,
            last_nanos: now,
            last: ProgressSnapshot::default(),
        }
    }

    fn step(&mut self, now_nanos: u64, snapshot: ProgressSnapshot) -> Rates {
        let total = to_seconds(now_nanos.saturating_sub(self.started)).max(1e-3);
        let since = to_seconds(now_nanos.saturating_sub(self.last_nanos)).max(1e-3);
        let (bytes, items) = (done_bytes(&snapshot), done_items(&snapshot));
        let overall = bytes as f64 / total;
        let left = snapshot.planned_bytes.saturating_sub(bytes + snapshot.skipped_bytes);
        let rates = Rates {
            seconds: total,
            items_now: items.saturating_sub(done_items(&self.last)) as f64 / since,
            items_overall: items as f64 / total,
            megabytes_now: bytes.saturating_sub(done_bytes(&self.last)) as f64 / since / 1e6,
            megabytes_overall: overall / 1e6,
            seconds_left: (overall > 0.0 && left > 0).then(|| (left as f64 / overall).ceil() as u64),
        };
        self.last_nanos = now_nanos;
        self.last = snapshot;
        rates
    }
}

fn to_seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

fn stage_of<'a>(snapshot: &'a ProgressSnapshot, word: &str) -> Option<&'a embley_model::event::StageSnapshot> {
    snapshot.stages.iter().find(|stage| stage.stage == word)
}

fn done_bytes(snapshot: &ProgressSnapshot) -> u64 {
    stage_of(snapshot, "index").map_or(0, |stage| stage.bytes)
}

fn done_items(snapshot: &ProgressSnapshot) -> u64 {
    stage_of(snapshot, "index").map_or(0, |stage| stage.items)
}

fn lines(
    counters: &Counters,
    clock: &dyn Clock,
    stopped: &Receiver<()>,
    every: Duration,
    line: fn(&ProgressSnapshot, &Rates) -> String,
) {
    let mut pace = Pace::new(clock);
    loop {
        let ended = !matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout));
        let snapshot = counters.snapshot();
        let rates = pace.step(clock.monotonic_nanos(), snapshot.clone());
        note!("{}", line(&snapshot, &rates));
        if ended {
            return;
        }
    }
}

fn plain_line(snapshot: &ProgressSnapshot, rates: &Rates) -> String {
    let exceptions: u64 = snapshot.exceptions.values().sum();
    let left = rates
        .seconds_left
        .map_or(String::new(), |seconds| format!(", {seconds} s to go"));
    format!(
        "{:.0} s: {} found, {} new, {} duplicate, {} unchanged, {} excepted; {:.0} items/s, {:.1} MB/s; {exceptions} oddities{left}",
        rates.seconds,
        snapshot.discovered,
        snapshot.new,
        snapshot.duplicate,
        snapshot.unchanged,
        snapshot.excepted,
        rates.items_overall,
        rates.megabytes_overall,
    )
}

fn json_line(snapshot: &ProgressSnapshot, rates: &Rates) -> String {
    serde_json::json!({
        "schema": crate::output::SCHEMA,
        "seconds": rates.seconds,
        "items_per_second": {"now": rates.items_now, "overall": rates.items_overall},
        "megabytes_per_second": {"now": rates.megabytes_now, "overall": rates.megabytes_overall},
        "seconds_left": rates.seconds_left,
        "progress": snapshot,
    })
    .to_string()
}

fn bars(counters: &Counters, clock: &dyn Clock, stopped: &Receiver<()>) {
    let multi = MultiProgress::new();
    let style =
        |template: &str| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bytes = multi.add(ProgressBar::new(0));
    bytes.set_style(style("{bar:40} {bytes}/{total_bytes}  {msg}"));
    let stages = multi.add(ProgressBar::new_spinner());
    stages.set_style(style("  stages    {msg}"));
    let hands = multi.add(ProgressBar::new_spinner());
    hands.set_style(style("  in hand   {wide_msg}"));
    let odd = multi.add(ProgressBar::new_spinner());
    odd.set_style(style("  oddities  {wide_msg}"));
    let mut pace = Pace::new(clock);
    loop {
        let ended = !matches!(
            stopped.recv_timeout(Duration::from_millis(250)),
            Err(RecvTimeoutError::Timeout)
        );
        let snapshot = counters.snapshot();
        let rates = pace.step(clock.monotonic_nanos(), snapshot.clone());
        bytes.set_length(snapshot.planned_bytes);
        bytes.set_position((done_bytes(&snapshot) + snapshot.skipped_bytes).min(snapshot.planned_bytes));
        let left = rates
            .seconds_left
            .map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
        bytes.set_message(format!(
            "{:.0} items/s ({:.0} overall)  {:.1} MB/s  to go {left}  new {}  dup {}  same {}  excepted {}",
            rates.items_now,
            rates.items_overall,
            rates.megabytes_now,
            snapshot.new,
            snapshot.duplicate,
            snapshot.unchanged,
            snapshot.excepted
        ));
        let busy: Vec<String> = snapshot
            .stages
            .iter()
            .filter(|stage| stage.busy_ms > 0)
            .map(|stage| format!("{} {:.1}s", stage.stage, stage.busy_ms as f64 / 1e3))
            .collect();
        stages.set_message(busy.join("  "));
        hands.set_message(crate::output::clean(&snapshot.in_flight.join(" | ")));
        let codes: Vec<String> = snapshot
            .exceptions
            .iter()
            .map(|(code, count)| format!("{code} {count}"))
            .collect();
        odd.set_message(codes.join("  "));
        if ended {
            for bar in [&stages, &hands, &odd] {
                bar.finish_and_clear();
            }
            bytes.abandon();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use embley_model::clock::FixedClock;
    use embley_model::event::Stage;

    use super::*;

    #[test]
    fn rates_and_time_to_go_come_from_the_counters() {
        let counters = Counters::default();
        counters
            .planned_bytes
            .store(4_000_000, std::sync::atomic::Ordering::Relaxed);
        counters.add(Stage::Index, 100, 1_000_000, 0);
        let mut pace = Pace::new(&FixedClock(0));
        let rates = pace.step(2_000_000_000, counters.snapshot());
        assert!((rates.items_overall - 50.0).abs() < 0.01);
        assert!((rates.megabytes_overall - 0.5).abs() < 0.01);
        assert_eq!(rates.seconds_left, Some(6));
    }

    #[test]
    fn json_lines_are_one_object_each_with_a_schema() {
        let counters = Counters::default();
        let mut pace = Pace::new(&FixedClock(0));
        let snapshot = counters.snapshot();
        let rates = pace.step(1, snapshot.clone());
        let line = json_line(&snapshot, &rates);
        let value: serde_json::Value = serde_json::from_str(&line).expect("a JSON object");
        assert_eq!(value["schema"], 1);
        assert!(!line.contains('\n'));
    }
}
