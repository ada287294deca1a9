//! How much memory of its own a process has held at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::program::tick;

/// Looks at `RssAnon` of a process every few milliseconds until it is asked for the most it saw.
pub struct Watch {
    end: Arc<AtomicBool>,
    most: Arc<AtomicU64>,
    looks: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to look.
    pub fn start(process: u32) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let most = Arc::new(AtomicU64::new(0));
        let looks = Arc::new(AtomicU64::new(0));
        let shared = (Arc::clone(&end), Arc::clone(&most), Arc::clone(&looks));
        let thread = std::thread::spawn(move || {
            let (end, most, looks) = shared;
            while !end.load(Ordering::Relaxed) {
                if let Some(now) = anonymous_bytes(process) {
                    most.fetch_max(now, Ordering::Relaxed);
                    looks.fetch_add(1, Ordering::Relaxed);
                }
                tick();
            }
        });
        Self {
            end,
            most,
            looks,
            thread: Some(thread),
        }
    }

    /// Ends, and says the most that was seen, in bytes, and how often it looked.
    pub fn finish(mut self) -> (u64, u64) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the watch ends");
        }
        (self.most.load(Ordering::Relaxed), self.looks.load(Ordering::Relaxed))
    }
}

/// `RssAnon` of a process in bytes; nothing once it has ended.
fn anonymous_bytes(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}
