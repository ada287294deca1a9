//! The program under test: finding it, running it to its end, or holding it while it runs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::rss::Watch;

/// The release binary: `EMBLEY_BIN`, else the one in `target/release`, which is built first when it is not there.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("EMBLEY_BIN") {
            let given = PathBuf::from(given);
            assert!(given.is_file(), "EMBLEY_BIN={} is no file", given.display());
            return given;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let built = target.join("release").join("embley");
        if !built.is_file() {
            let status = Command::new(env!("CARGO"))
                .args(["build", "--release", "--locked"])
                .current_dir(&root)
                .status();
            assert!(
                status.is_ok_and(|status| status.success()),
                "the program cannot be built"
            );
        }
        built
    })
}

/// What a program that ended left behind.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Results.
    pub stdout: Vec<u8>,
    /// Words for people.
    pub stderr: String,
    shown: String,
}

impl Ran {
    /// Panics with everything it said unless it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "{} ended with {:?} (signal {:?}), not {code}\n--- stdout\n{}\n--- stderr\n{}",
            self.shown,
            self.code,
            self.signal,
            String::from_utf8_lossy(&self.stdout[..self.stdout.len().min(4000)]),
            self.stderr
        );
        self
    }

    /// Panics unless stderr holds all these words.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{} does not say {word:?}\n--- stderr\n{}",
                self.shown,
                self.stderr
            );
        }
        self
    }

    /// Results as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("results are UTF-8")
    }

    /// Results as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{}: no JSON: {error}", self.shown))
    }

    /// Results as JSON Lines.
    #[track_caller]
    pub fn lines(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", self.shown));
        self.text().lines().map(parse).collect()
    }
}

/// A program about to be run. The caller's own `EMBLEY_*` variables are not passed on.
pub struct Program {
    command: Command,
    shown: String,
}

impl Program {
    /// The program under test with these arguments.
    pub fn new<A: AsRef<OsStr>>(args: &[A]) -> Self {
        Self::at(binary(), args)
    }

    /// Another copy of it.
    pub fn at<A: AsRef<OsStr>>(binary: &Path, args: &[A]) -> Self {
        let mut command = Command::new(binary);
        for name in ["EMBLEY_CASE", "EMBLEY_FAILPOINT", "EMBLEY_BIN", "EMBLEY_KEY"] {
            command.env_remove(name);
        }
        command.env("EMBLEY_USER", "tester").args(args).stdin(Stdio::null());
        let words: Vec<String> = args
            .iter()
            .map(|arg| arg.as_ref().to_string_lossy().into_owned())
            .collect();
        Self {
            command,
            shown: format!("embley {}", words.join(" ")),
        }
    }

    /// With an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// From within a folder.
    #[must_use]
    pub fn from(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// As another user, where this one may do that.
    #[must_use]
    pub fn as_user(mut self, user: u32) -> Self {
        self.command.uid(user).gid(user);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Ran {
        let output = self
            .command
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        Ran {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            shown: self.shown,
        }
    }

    /// Runs it to its end with results that nobody reads, as in `embley ... | true`.
    pub fn run_unread(mut self) -> Ran {
        let (reader, writer) = std::io::pipe().expect("there are pipes");
        drop(reader);
        self.command.stdout(writer);
        self.run()
    }

    /// Starts it and goes on.
    pub fn start(mut self) -> Running {
        let piped = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let (sender, lines) = channel();
        let words = std::thread::spawn(move || {
            let mut all = String::new();
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                all.push_str(&line);
                all.push('\n');
                // Nobody listens once the test has seen enough.
                let _ = sender.send(line);
            }
            all
        });
        let results = std::thread::spawn(move || {
            let mut all = Vec::new();
            stdout.read_to_end(&mut all).expect("stdout can be read");
            all
        });
        Running {
            child,
            lines,
            words: Some(words),
            results: Some(results),
            shown: self.shown,
        }
    }

    /// Runs it to its end and hands its results over piece by piece. Returns code and words, and the most anonymous memory that
    /// was seen, in bytes.
    pub fn run_streaming(mut self, mut take: impl FnMut(&[u8])) -> (Ran, u64) {
        let piped = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = piped.unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        let mut stdout = child.stdout.take().expect("stdout is piped");
        let watch = Watch::start(child.id());
        let mut buffer = vec![0; 1 << 20];
        loop {
            match stdout.read(&mut buffer).expect("stdout can be read") {
                0 => break,
                read => take(&buffer[..read]),
            }
        }
        let output = child.wait_with_output().expect("the program ends");
        let (most, _) = watch.finish();
        let ran = Ran {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: Vec::new(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            shown: self.shown,
        };
        (ran, most)
    }
}

/// A program that runs. It is killed when the test lets go of it.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    words: Option<JoinHandle<String>>,
    results: Option<JoinHandle<Vec<u8>>>,
    shown: String,
}

impl Running {
    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line on stderr; nothing when it has said its last.
    pub fn next_line(&self) -> Option<String> {
        self.lines.recv().ok()
    }

    /// True while it has not ended.
    pub fn goes_on(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process number");
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{}: cannot be signalled: {error}", self.shown));
    }

    /// Waits until it is halted by SIGSTOP. Panics when it ends instead.
    #[track_caller]
    pub fn wait_until_halted(&mut self) {
        while self.goes_on() {
            if state_of(self.child.id()) == Some('T') {
                return;
            }
            tick();
        }
        panic!("{} ended before it was halted", self.shown);
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ran {
        let status = self.child.wait().expect("the program ends");
        Ran {
            code: status.code(),
            signal: status.signal(),
            stdout: self
                .results
                .take()
                .map(|reader| reader.join().expect("stdout was read"))
                .unwrap_or_default(),
            stderr: self
                .words
                .take()
                .map(|reader| reader.join().expect("stderr was read"))
                .unwrap_or_default(),
            shown: self.shown.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets one millisecond pass; the one way to look again at what tells nobody when it changes.
pub fn tick() {
    let (_keep, never) = channel::<()>();
    assert_eq!(
        never.recv_timeout(Duration::from_millis(1)),
        Err(RecvTimeoutError::Timeout)
    );
}

/// The letter of a process's state in `/proc`.
fn state_of(process: u32) -> Option<char> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it is in brackets and may hold anything.
    text.rsplit(')').next()?.trim_start().chars().next()
}
