//! RAR, CAB, ISO 9660, cpio, LHA and others through the program `bsdtar` of Debian's `libarchive-tools`, which turns them into a tar stream.
//!
//! Not for: formats that are read here without help. Main function: [`open`]. Invariant: the program gets the container as its standard input and nothing
//! else, no name of a file; it is ended when it takes too long or is no longer needed; what it says is in the defects.
//!
//! Limits of this way: `bsdtar` fills a member it cannot read to the end with zeros, and says so only on its error output; that text is on the container,
//! because it does not always name the member. It opens no encrypted RAR.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

use super::outlet::Outlet;
use super::{ReadSeek, tar};

const PROGRAM: &str = "bsdtar";
/// After so long the program is ended, whatever it does.
const MAX_SECONDS: u64 = 900;
/// Bytes of its error output that are kept.
const MAX_SAID_BYTES: u64 = 64 << 10;
/// Lines of it that become defects.
const MAX_SAID_LINES: usize = 20;

/// Gives the members of what `bsdtar` can open.
///
/// # Errors
/// The taker's.
pub(super) fn open(source: &mut dyn ReadSeek, outlet: &mut Outlet<'_>) -> io::Result<()> {
    let input = match copy(source) {
        Ok(input) => input,
        Err(error) => {
            refuse(outlet, &format!("cannot make a temporary file: {error}"));
            return Ok(());
        }
    };
    let mut running = match Running::start(input) {
        Ok(running) => running,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            outlet.reader("none/1");
            outlet.defect(
                DefectCode::ArchiveNotOpened,
                "bsdtar is not installed (Debian package libarchive-tools)",
            );
            outlet.closed(Searchability::FormatNotSupported);
            return Ok(());
        }
        Err(error) => {
            refuse(outlet, &format!("bsdtar cannot be started: {error}"));
            return Ok(());
        }
    };
    outlet.reader("bsdtar/1+tar/1");
    let taken = match running.output.take() {
        Some(output) => {
            let mut stream = BufReader::with_capacity(64 << 10, output);
            let taken = tar::open(&mut stream, outlet);
            // What the tar reader leaves is padding, unless a limit fired: then the pipe closes and the program ends.
            drop(stream);
            taken
        }
        None => Ok(()),
    };
    let ended = running.finish();
    say(&ended, outlet);
    taken
}

fn refuse(outlet: &mut Outlet<'_>, why: &str) {
    outlet.reader("none/1");
    outlet.defect(DefectCode::ArchiveNotOpened, why);
    outlet.closed(Searchability::Failed);
}

/// The container as a file without a name: the program needs to seek.
fn copy(source: &mut dyn ReadSeek) -> io::Result<std::fs::File> {
    let mut file = tempfile::tempfile()?;
    source.seek(SeekFrom::Start(0))?;
    io::copy(source, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// What became of the program.
struct Ended {
    said: Vec<u8>,
    status: io::Result<std::process::ExitStatus>,
    timed_out: bool,
}

struct Running {
    child: Arc<Mutex<Child>>,
    output: Option<std::process::ChildStdout>,
    said: Option<JoinHandle<Vec<u8>>>,
    done: Sender<()>,
    watch: JoinHandle<bool>,
}

impl Running {
    fn start(input: std::fs::File) -> io::Result<Self> {
        let mut child = Command::new(PROGRAM)
            // `@-` reads an archive from standard input and writes its entries on.
            .args(["-cf", "-", "--format=pax", "@-"])
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::from(input))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take();
        let errors = child.stderr.take();
        let child = Arc::new(Mutex::new(child));
        let (done, stop) = channel();
        let said = errors.map(|mut errors| {
            std::thread::spawn(move || {
                let mut said = Vec::new();
                // An error here ends what is known of its words, and nothing else.
                let _ = (&mut errors).take(MAX_SAID_BYTES).read_to_end(&mut said);
                let _ = io::copy(&mut errors, &mut io::sink());
                said
            })
        });
        let watched = Arc::clone(&child);
        let watch = std::thread::spawn(move || {
            if stop.recv_timeout(Duration::from_secs(MAX_SECONDS)) == Err(RecvTimeoutError::Timeout) {
                end(&watched);
                return true;
            }
            false
        });
        Ok(Self {
            child,
            output,
            said,
            done,
            watch,
        })
    }

    /// Waits for the end. The output has been read or closed by now, so the program is at its end or will fail to write.
    fn finish(self) -> Ended {
        drop(self.output);
        let said = self.said.and_then(|thread| thread.join().ok()).unwrap_or_default();
        // The receiver is gone only when time ran out.
        let _ = self.done.send(());
        let timed_out = self.watch.join().unwrap_or(false);
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        Ended {
            said,
            status,
            timed_out,
        }
    }
}

fn end(child: &Mutex<Child>) {
    // It may have ended by itself in this moment.
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}

/// Turns what the program said into defects.
fn say(ended: &Ended, outlet: &mut Outlet<'_>) {
    let text = String::from_utf8_lossy(&ended.said);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim().trim_start_matches("bsdtar: "))
        .filter(|line| !line.is_empty() && !line.starts_with("Error exit delayed"))
        .collect();
    let encrypted = lines.iter().any(|line| line.to_ascii_lowercase().contains("encrypt"));
    for line in lines.iter().take(MAX_SAID_LINES) {
        let code = if line.to_ascii_lowercase().contains("encrypt") {
            DefectCode::ArchiveEncrypted
        } else {
            DefectCode::ArchiveStructure
        };
        outlet.defect(code, format!("bsdtar: {line}"));
    }
    if lines.len() > MAX_SAID_LINES {
        let text = format!("bsdtar said {} more lines", lines.len() - MAX_SAID_LINES);
        outlet.defect(DefectCode::ArchiveStructure, text);
    }
    if ended.timed_out {
        let text = format!("bsdtar was ended after {MAX_SECONDS} seconds");
        outlet.defect(DefectCode::ArchiveLimit, text);
    }
    let failed = match &ended.status {
        Ok(status) => !status.success(),
        Err(_) => true,
    };
    if failed && outlet.count() == 0 {
        outlet.defect(DefectCode::ArchiveNotOpened, "bsdtar could not open it");
        outlet.closed(if encrypted {
            Searchability::Encrypted
        } else {
            Searchability::Failed
        });
    } else if failed && lines.is_empty() && !ended.timed_out {
        outlet.defect(DefectCode::ArchiveStructure, "bsdtar ended with a fault and no words");
    }
}
