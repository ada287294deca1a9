//! One worker process: started, greeted, killed, waited for.
//!
//! Not for: jobs (`exchange`). Main type: [`Process`]. Invariant: none outlives its [`Process`]; it leads a process group of its own, and whatever it
//! started is killed with it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use embley_formats::worker::frame::FrameKind;
use embley_formats::worker::{FAULTS_VARIABLE, Hello, PROTOCOL_VERSION, TEST_JOBS_VARIABLE};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tempfile::TempDir;

use super::channel::{Channel, Stop};
use super::failure::JobFailure;
use super::options::WorkerOptions;

/// How long a worker may take to greet.
const GREETING_NANOS: u64 = 30_000_000_000;
/// How long a process that closed its socket may take to end before it is helped.
const ENDING_SECONDS: i64 = 5;
/// Descriptors that a worker may have open.
const OPEN_FILES: u64 = 256;

/// A running worker.
pub(super) struct Process {
    child: Child,
    pub(super) channel: Channel,
    pub(super) hello: Hello,
    pub(super) jobs: u32,
    temp: TempDir,
    waited_for: bool,
}

impl Process {
    /// Starts one and waits for its greeting.
    ///
    /// # Errors
    /// When the program cannot be started, or is not this program. Nothing is left behind.
    pub(super) fn start(options: &WorkerOptions, helpers: bool) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("embley-worker-");
        let temp = match &options.temp {
            Some(folder) => builder.tempdir_in(folder)?,
            None => builder.tempdir()?,
        };
        let (ours, theirs) = UnixStream::pair()?;
        let program = program_of(options);
        let mut command = Command::new(&program);
        command
            .arg0("embley")
            .arg("worker")
            .arg("--temp")
            .arg(temp.path())
            .args(["--memory", &options.memory_bytes.to_string()])
            .args(["--cpu-seconds", &cpu_seconds(options).to_string()])
            .args(["--file-bytes", &options.file_bytes.to_string()])
            .args(["--open-files", &OPEN_FILES.to_string()])
            .env_clear()
            .env("TMPDIR", temp.path())
            .env("LC_ALL", "C.UTF-8")
            // The recogniser's own threads would take the cores of other workers.
            .env("OMP_THREAD_LIMIT", "1")
            // The allocator sets aside 1 GiB of addresses by default, which counts against the limit; in KiB.
            .env("MIMALLOC_ARENA_RESERVE", "65536")
            .current_dir(temp.path())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0);
        for name in ["PATH", "TESSDATA_PREFIX"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if helpers {
            command.arg("--helpers");
        }
        if options.test_jobs {
            command.env(TEST_JOBS_VARIABLE, "1");
        }
        if let Some(faults) = &options.faults {
            command.env(FAULTS_VARIABLE, faults);
        }
        let mut child = command.spawn()?;
        // Closes our copy of the worker's end, which the command holds.
        drop(command);
        let channel = Channel::new(ours, child.stderr.take())?;
        let nobody = Hello {
            version: 0,
            landlock: embley_formats::worker::Landlock::None,
            landlock_abi: 0,
            weak: Vec::new(),
        };
        let mut process = Self {
            child,
            channel,
            hello: nobody,
            jobs: 0,
            temp,
            waited_for: false,
        };
        process.hello = process.greeting()?;
        Ok(process)
    }

    fn greeting(&mut self) -> io::Result<Hello> {
        let words = match self.hear() {
            Ok(hello) if hello.version == PROTOCOL_VERSION => return Ok(hello),
            Ok(hello) => format!(
                "it speaks version {} of the protocol, not {PROTOCOL_VERSION}",
                hello.version
            ),
            Err(Stop::Late) => "it did not greet in time".to_owned(),
            Err(Stop::Broken(detail)) => detail,
            Err(Stop::Closed) => {
                self.await_end();
                String::from_utf8_lossy(self.channel.said()).trim().to_owned()
            }
        };
        Err(io::Error::other(if words.is_empty() {
            "it ended at once".to_owned()
        } else {
            words
        }))
    }

    fn hear(&mut self) -> Result<Hello, Stop> {
        let header = self.channel.header(GREETING_NANOS)?;
        if header.kind != FrameKind::Hello || header.more {
            return Err(Stop::Broken("it did not greet".to_owned()));
        }
        let mut text = Vec::new();
        self.channel.append(&mut text, header.length, GREETING_NANOS)?;
        serde_json::from_slice(&text).map_err(|error| Stop::Broken(error.to_string()))
    }

    /// Its process number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// False when it has ended since, or speaks without being asked.
    pub(super) fn is_quiet(&self) -> bool {
        self.channel.is_quiet()
    }

    /// True when it should do another job.
    pub(super) fn is_fresh(&mut self, options: &WorkerOptions) -> bool {
        self.jobs < options.jobs_per_worker
            && self
                .resident_bytes()
                .is_none_or(|bytes| bytes <= options.resident_bytes)
            && is_empty(self.temp.path())
    }

    fn resident_bytes(&self) -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).ok()?;
        let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
        pages.checked_mul(rustix::param::page_size() as u64)
    }

    /// Why the socket was closed.
    pub(super) fn end(&mut self, options: &WorkerOptions) -> JobFailure {
        self.await_end();
        let status = self.child.wait().ok();
        self.waited_for = true;
        let signal = status.and_then(|status| status.signal());
        let code = status.and_then(|status| status.code());
        JobFailure::of_end(
            signal,
            code,
            self.channel.said(),
            options.memory_bytes,
            options.time.as_secs(),
        )
    }

    /// Waits until it has ended, for some seconds; then kills it.
    fn await_end(&mut self) {
        let timeout = Timespec {
            tv_sec: ENDING_SECONDS,
            tv_nsec: 0,
        };
        let pid = Pid::from_child(&self.child);
        // Without such a descriptor (before Linux 5.3) it is killed a little early, and the words of its end may be lost.
        if let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) {
            // Whatever comes of it, the group is killed next.
            let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout));
        }
        self.kill();
    }

    /// Kills it and what it started, unless it was waited for: then its number may be another's.
    fn kill(&mut self) {
        if !self.waited_for {
            // It may have ended already, which is what is wanted.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Cannot fail but for a process that was waited for already.
        let _ = self.child.wait();
    }
}

/// The program that workers are started from.
pub(super) fn program_of(options: &WorkerOptions) -> PathBuf {
    if let Some(program) = &options.program {
        return program.clone();
    }
    // The running file itself, even when its name was given to a newer version meanwhile.
    let running = PathBuf::from("/proc/self/exe");
    if running.metadata().is_ok() {
        return running;
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("embley"))
}

/// Processor time that a worker gets beside a second for each MiB of input: far more than the caller waits, so that the caller is first.
fn cpu_seconds(options: &WorkerOptions) -> u64 {
    options.time.as_secs().saturating_mul(20).max(3_600)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
