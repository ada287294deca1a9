//! One parser under test.

use std::path::{Path, PathBuf};

/// Threads of the pipeline have the stack that the standard library gives.
pub(crate) const PIPELINE_STACK: usize = 2 << 20;
/// The thread of a job in a worker process (`embley_formats::worker`).
pub(crate) const WORKER_STACK: usize = 64 << 20;

/// A parser, where its inputs come from, and what must hold.
pub struct Target {
    /// The word on the command line.
    pub name: &'static str,
    /// What must hold beside ending without a panic.
    pub holds: &'static str,
    /// Stack of the thread that runs cases: that of the program's own thread.
    pub(crate) stack_bytes: usize,
    /// No case is longer.
    pub(crate) max_bytes: usize,
    /// Words of the format.
    pub(crate) words: &'static [&'static [u8]],
    /// Seeds made in code.
    pub(crate) made: fn() -> Vec<Vec<u8>>,
    /// Seeds in the project: folder and how names end.
    pub(crate) samples: &'static [(&'static str, &'static str)],
    /// Seeds in `../shared/corpora`, where they are there.
    pub(crate) corpora: &'static [(&'static str, &'static str)],
    /// Makes checksums right again in half of the cases, so that what is behind them is reached.
    pub(crate) repair: Option<fn(&mut [u8])>,
    /// Runs one case; words when something does not hold.
    pub(crate) check: fn(&[u8]) -> Result<(), String>,
}

impl Target {
    /// A target of the pipeline without seeds.
    pub(crate) const fn new(name: &'static str, holds: &'static str, check: fn(&[u8]) -> Result<(), String>) -> Self {
        Self {
            name,
            holds,
            stack_bytes: PIPELINE_STACK,
            max_bytes: 64 << 10,
            words: &[],
            made: Vec::new,
            samples: &[],
            corpora: &[],
            repair: None,
            check,
        }
    }
}

/// The top folder of the project.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
