//! How workers are run.

use std::path::PathBuf;
use std::time::Duration;

/// What workers may use, and how long they live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// How many run at once; one job each. One a core by default.
    pub count: usize,
    /// How long a job may keep its caller waiting.
    pub time: Duration,
    /// A job's time grows by one second for this many bytes of input and of members.
    pub bytes_per_second: u64,
    /// A job's time grows by one second for this many members.
    pub members_per_second: u64,
    /// Address space of a worker beside the program itself, bytes; 64 MiB of stack are in it.
    pub memory_bytes: u64,
    /// A mail store of this size or more is read by as many workers as are idle, up to one less than there are; bytes. Below it, opening the file and
    /// walking its folders once more in every worker costs more than it gives.
    pub share_bytes: u64,
    /// Size of a file for temporary use, bytes.
    pub file_bytes: u64,
    /// A worker is replaced after this many jobs.
    pub jobs_per_worker: u32,
    /// A worker is replaced when it holds more memory than this after a job, bytes.
    pub resident_bytes: u64,
    /// The program to start; this one by default. Tests name the built binary.
    pub program: Option<PathBuf>,
    /// Where the workers' folders for temporary files are made; the system's place by default.
    pub temp: Option<PathBuf>,
    /// Lets workers do the jobs that go wrong on purpose.
    pub test_jobs: bool,
    /// Members of archives at which workers die, for tests; what [`FAULTS_VARIABLE`](embley_formats::worker::FAULTS_VARIABLE) says.
    pub faults: Option<String>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            count: std::thread::available_parallelism().map_or(1, usize::from),
            time: Duration::from_secs(60),
            bytes_per_second: 4 << 20,
            members_per_second: 100,
            memory_bytes: 2 << 30,
            share_bytes: 32 << 20,
            file_bytes: 16 << 30,
            jobs_per_worker: 1_000,
            resident_bytes: 256 << 20,
            program: None,
            temp: None,
            test_jobs: false,
            faults: None,
        }
    }
}
