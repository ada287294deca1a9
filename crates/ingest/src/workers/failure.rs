//! What went wrong with one job, and the defect that its item gets.
//!
//! Not for: what stops a run (`error`). Main type: [`JobFailure`]. Invariant: the words depend on the input and the limits only, not on process numbers
//! or times, so that a second run says the same.

use embley_formats::opened::Opened;
use embley_formats::worker::JobFault;
use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

/// Why a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobFailure {
    /// The process ended by a signal or by itself.
    Crashed {
        /// The signal, if it was one.
        signal: Option<i32>,
        /// The last words of the process, one line.
        said: String,
    },
    /// It took too long, or too much of the processor's time, and was killed.
    TimedOut {
        /// The time it had, seconds.
        seconds: u64,
    },
    /// It asked for more memory than it may have.
    MemoryExceeded {
        /// What it may have.
        limit_bytes: u64,
    },
    /// Its reader failed in a way that it could still say: a panic.
    Failed {
        /// The code.
        code: DefectCode,
        /// What and where.
        detail: String,
    },
    /// What it sent is not in order or beyond the limits of the job.
    Protocol {
        /// What was wrong.
        detail: String,
    },
}

impl JobFailure {
    /// The defect for the item whose job it was.
    pub fn defect(&self) -> Defect {
        match self {
            Self::Crashed { signal, said } => {
                let how = match signal {
                    Some(signal) => format!("ended by {}", signal_name(*signal)),
                    None => "ended by itself".to_owned(),
                };
                let words = if said.is_empty() { how } else { format!("{how}: {said}") };
                Defect::new(DefectCode::WorkerCrashed, words)
            }
            Self::TimedOut { seconds } => Defect::new(DefectCode::WorkerTimeout, format!("stopped after {seconds} s")),
            Self::MemoryExceeded { limit_bytes } => {
                Defect::new(DefectCode::WorkerMemory, format!("limit {} MiB", limit_bytes >> 20))
            }
            Self::Failed { code, detail } => Defect::new(*code, detail.clone()),
            Self::Protocol { detail } => Defect::new(DefectCode::WorkerProtocol, detail.clone()),
        }
    }

    /// What opening gave, when all it gave is this failure.
    pub fn opened(&self) -> Opened {
        Opened {
            searchability: Some(Searchability::Failed),
            defects: vec![self.defect()],
            reader: "worker/1".to_owned(),
            ..Opened::default()
        }
    }

    /// From the end of a process and what it wrote to standard error.
    pub(super) fn of_end(
        signal: Option<i32>,
        code: Option<i32>,
        stderr: &[u8],
        limit_bytes: u64,
        seconds: u64,
    ) -> Self {
        let text = String::from_utf8_lossy(stderr);
        // The words of Rust's handler of failed allocations.
        if text.contains("memory allocation of ") && text.contains(" failed") {
            return Self::MemoryExceeded { limit_bytes };
        }
        if signal == Some(rustix::process::Signal::XCPU.as_raw()) {
            return Self::TimedOut { seconds };
        }
        let mut said = last_words(&text);
        if said.is_empty()
            && let Some(code) = code
        {
            said = format!("exit code {code}");
        }
        Self::Crashed { signal, said }
    }
}

impl From<JobFault> for JobFailure {
    fn from(fault: JobFault) -> Self {
        match fault.code {
            DefectCode::WorkerProtocol => Self::Protocol { detail: fault.detail },
            code => Self::Failed {
                code,
                detail: fault.detail,
            },
        }
    }
}

/// The last line that says something, without control characters and without numbers in brackets, which are those of threads.
fn last_words(text: &str) -> String {
    let line = text.lines().map(str::trim).rfind(|line| {
        // Stands after "has overflowed its stack", which says more.
        !line.is_empty() && !line.starts_with("fatal runtime error: stack overflow")
    });
    let line: String = line
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(160)
        .collect();
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some(at) = rest.find(" (") {
        let after = &rest[at + 2..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..at]);
        if digits > 0 && after[digits..].starts_with(')') {
            rest = &after[digits + 1..];
        } else {
            out.push_str(" (");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn signal_name(signal: i32) -> String {
    use rustix::process::Signal as S;
    let names = [
        (S::SEGV, "SIGSEGV"),
        (S::ABORT, "SIGABRT"),
        (S::KILL, "SIGKILL"),
        (S::BUS, "SIGBUS"),
        (S::ILL, "SIGILL"),
        (S::FPE, "SIGFPE"),
        (S::TERM, "SIGTERM"),
        (S::XFSZ, "SIGXFSZ, a file beyond its limit"),
        (S::SYS, "SIGSYS"),
        (S::TRAP, "SIGTRAP"),
    ];
    let name = names.iter().find(|(known, _)| known.as_raw() == signal);
    name.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_is_told_by_signal_and_last_words() {
        let check = |signal, code, stderr: &str, expected: &str| {
            let failure = JobFailure::of_end(signal, code, stderr.as_bytes(), 1 << 30, 60);
            let defect = failure.defect();
            assert_eq!(format!("{} {}", defect.code.text(), defect.detail), expected);
        };
        check(Some(11), None, "", "WORKER-CRASHED ended by SIGSEGV");
        check(
            Some(6),
            None,
            "memory allocation of 1048576 bytes failed\n",
            "WORKER-MEMORY limit 1024 MiB",
        );
        check(Some(24), None, "", "WORKER-TIMEOUT stopped after 60 s");
        check(None, Some(3), "", "WORKER-CRASHED ended by itself: exit code 3");
        check(
            Some(6),
            None,
            "\nthread 'reader' (4711) has overflowed its stack\nfatal runtime error: stack overflow, aborting\n",
            "WORKER-CRASHED ended by SIGABRT: thread 'reader' has overflowed its stack",
        );
        check(
            Some(6),
            None,
            "free(): \x1b[1minvalid (x) pointer\n",
            "WORKER-CRASHED ended by SIGABRT: free(): [1minvalid (x) pointer",
        );
    }
}
