//! One run of a program: input from a file, output into memory up to a bound, an end in time.
//!
//! Main type: [`Run`]. Invariant: when [`Run::run`] returns, the program has ended and has been waited for. It learns no name of a file and gets no variable that
//! would make it use more than one thread.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::time::{ClockId, clock_gettime};

/// Bytes of its complaints that are looked at.
const MAX_SAID_BYTES: u64 = 16 << 10;
/// Characters of them that are kept.
const MAX_WORDS: usize = 200;
/// How long the program may live on after it has closed its output.
const LINGER: Duration = Duration::from_secs(5);

/// Time since its start.
pub(super) struct Clock(Duration);

impl Clock {
    pub(super) fn start() -> Self {
        Self(now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        now().saturating_sub(self.0)
    }
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// True for names of language data joined by `+`. Nothing else reaches the program's arguments.
pub(super) fn is_language_list(languages: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(['/', '-'])
            && !name.contains("..")
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '-'))
    };
    languages.len() <= 200 && languages.split('+').all(is_name)
}

/// See the module.
pub(super) struct Run<'a> {
    pub(super) program: &'a str,
    pub(super) arguments: &'a [&'a str],
    /// Read from its start.
    pub(super) input: &'a File,
    pub(super) patience: Duration,
    pub(super) max_output_bytes: usize,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Done,
    /// It was ended.
    Late,
    /// Its last complaint, or its status.
    Failed(String),
}

/// What a run gave.
pub(super) struct Ran {
    pub(super) output: Vec<u8>,
    /// There was more output.
    pub(super) cut: bool,
    pub(super) said: Said,
    errors: String,
}

impl Ran {
    /// `tesseract --version` begins with its name and version; two numbers of it are returned.
    pub(super) fn version(&self) -> Option<String> {
        let output = String::from_utf8_lossy(&self.output);
        let words = [&*output, &self.errors];
        let line = words.iter().find_map(|text| text.lines().next())?;
        let version = line.split(' ').nth(1)?.trim_start_matches('v');
        let mut numbers = version.split('.');
        Some(format!("{}.{}", numbers.next()?, numbers.next()?))
    }

    pub(super) fn missing_language(&self) -> bool {
        self.errors.contains("Failed loading language") || self.errors.contains("couldn't load any languages")
    }
}

impl Run<'_> {
    /// # Errors
    /// When the program cannot be started, or the system refuses what is needed for it; nothing runs then.
    pub(super) fn run(&self, clock: &Clock) -> io::Result<Ran> {
        let mut input = self.input.try_clone()?;
        input.seek(SeekFrom::Start(0))?;
        let mut errors = tempfile::tempfile()?;
        let mut child = Command::new(self.program)
            .args(self.arguments)
            .env("OMP_THREAD_LIMIT", "1")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::from(errors.try_clone()?))
            .spawn()?;
        let deadline = clock.elapsed().saturating_add(self.patience);
        let mut output = Vec::new();
        let ended = self.collect(&mut child, &mut output, clock, deadline);
        let end = match ended {
            Ok(end) => end,
            Err(error) => {
                stop(&mut child)?;
                return Err(error);
            }
        };
        let status = match end {
            End::Closed => linger(&mut child, clock)?,
            End::Late | End::Full => stop(&mut child)?,
        };
        errors.seek(SeekFrom::Start(0))?;
        let mut words = Vec::new();
        errors.take(MAX_SAID_BYTES).read_to_end(&mut words)?;
        let errors = String::from_utf8_lossy(&words).into_owned();
        let said = match end {
            End::Late => Said::Late,
            End::Full => Said::Done,
            End::Closed if status.success() => Said::Done,
            End::Closed => Said::Failed(complaint(&errors, status)),
        };
        Ok(Ran {
            output,
            cut: end == End::Full,
            said,
            errors,
        })
    }

    fn collect(&self, child: &mut Child, output: &mut Vec<u8>, clock: &Clock, deadline: Duration) -> io::Result<End> {
        let mut pipe = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut chunk = vec![0; 64 << 10];
        loop {
            let Some(left) = deadline.checked_sub(clock.elapsed()) else {
                return Ok(End::Late);
            };
            let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
            match poll(&mut fds, Some(&timespec(left))) {
                Ok(0) => return Ok(End::Late),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            match pipe.read(&mut chunk) {
                Ok(0) => return Ok(End::Closed),
                Ok(count) if output.len() + count > self.max_output_bytes => {
                    output.extend_from_slice(&chunk[..self.max_output_bytes - output.len()]);
                    return Ok(End::Full);
                }
                Ok(count) => output.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Late,
    Full,
}

fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}

/// Ends it, if it has not ended by itself.
fn stop(child: &mut Child) -> io::Result<ExitStatus> {
    // It may have ended in this moment; waiting tells.
    let _already_gone = child.kill();
    child.wait()
}

/// Waits for a program that has closed its output, not for ever.
fn linger(child: &mut Child, clock: &Clock) -> io::Result<ExitStatus> {
    let deadline = clock.elapsed().saturating_add(LINGER);
    while clock.elapsed() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        match poll(&mut [], Some(&timespec(Duration::from_millis(2)))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    stop(child)
}

/// The first line of what it said, else its status.
fn complaint(errors: &str, status: ExitStatus) -> String {
    match errors.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => line.chars().take(MAX_WORDS).collect(),
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, arguments: &[&str], patience_ms: u64, max_output_bytes: usize) -> io::Result<Ran> {
        let input = tempfile::tempfile()?;
        let run = Run {
            program,
            arguments,
            input: &input,
            patience: Duration::from_millis(patience_ms),
            max_output_bytes,
        };
        run.run(&Clock::start())
    }

    #[test]
    fn a_program_is_ended_when_it_takes_too_long_or_says_too_much() {
        let clock = Clock::start();
        let late = run("sleep", &["100"], 200, 10).expect("it starts");
        assert_eq!(late.said, Said::Late);
        let full = run("yes", &[], 60_000, 100_000).expect("it starts");
        assert!(full.cut && full.output.len() == 100_000);
        let closed = run("sh", &["-c", "exec 1>&-; sleep 100"], 60_000, 10).expect("it starts");
        assert!(matches!(closed.said, Said::Failed(_)));
        assert!(clock.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn output_complaints_and_missing_programs_are_told_apart() {
        let done = run("echo", &["words"], 60_000, 100).expect("it starts");
        assert_eq!((done.said, &done.output[..]), (Said::Done, &b"words\n"[..]));
        let failed = run("sh", &["-c", "echo no good >&2; exit 3"], 60_000, 100).expect("it starts");
        assert_eq!(failed.said, Said::Failed("no good".to_owned()));
        let missing = run("no-such-program-anywhere", &[], 1000, 100).map(|ran| ran.said);
        assert_eq!(missing.expect_err("not there").kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn only_names_of_languages_are_taken() {
        for good in ["eng", "eng+deu", "chi_sim", "script/Latin"] {
            assert!(is_language_list(good), "{good}");
        }
        for bad in ["", "+", "eng+", "-psm", "/etc/x", "../x", "eng deu", "eng;x"] {
            assert!(!is_language_list(bad), "{bad}");
        }
    }
}
