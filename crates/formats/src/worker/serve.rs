//! A worker's life: confine itself, greet, do one job after another, end when the caller is gone.
//!
//! Not for: how a format is read (`dispatch`). Main function: [`serve`]. Invariant: after a panic the worker answers and ends; its memory is not used
//! for another item.

use std::ffi::OsString;
use std::io::{self, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use embley_model::defect::DefectCode;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group};

use super::dispatch;
use super::emit::Emitter;
use super::frame::{FrameHeader, FrameKind, HEADER_BYTES, MAX_JSON_BYTES};
use super::message::{Hello, JobFault, PROTOCOL_VERSION, Request};
use super::sandbox;
use super::source::JobSource;

/// Test jobs are done only where this variable of the environment is set.
pub const TEST_JOBS_VARIABLE: &str = "EMBLEY_WORKER_TEST_JOBS";
/// Readers recurse; the bounds of their depth are laid out for this.
const STACK_BYTES: usize = 64 << 20;
const WATCH_STACK_BYTES: usize = 128 << 10;

/// What a worker may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Address space beside the program itself; 64 MiB of stack are in it.
    pub memory_bytes: u64,
    /// Processor time of one job, seconds; a second more for each MiB of input.
    pub cpu_seconds: u64,
    /// Size of any file it makes.
    pub file_bytes: u64,
    /// Open descriptors.
    pub open_files: u64,
    /// The one folder that it may use.
    pub temp: PathBuf,
    /// Whether it may run [`HELPERS`](super::HELPERS).
    pub helpers: bool,
    /// Where they are looked for, as in `PATH`.
    pub path: Option<OsString>,
}

/// Serves the caller at the other end of standard input until it is gone.
///
/// # Errors
/// When standard input is no socket, a limit cannot be set, or the protocol is broken. The process should then end.
pub fn serve(limits: &WorkerLimits) -> io::Result<()> {
    let socket = take_socket()?;
    let walls = sandbox::confine(limits)?;
    let cpu_seconds = limits.cpu_seconds;
    let helpers = limits.helpers;
    watch(&socket)?;
    let parser = std::thread::Builder::new()
        .name("reader".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let mut weak = walls.weak;
            if !helpers {
                sandbox::no_children(&mut weak);
            }
            let hello = Hello {
                version: PROTOCOL_VERSION,
                landlock: walls.landlock,
                landlock_abi: walls.abi,
                weak,
            };
            work(&socket, &hello, cpu_seconds)
        })?;
    parser
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the reader's thread panicked")))
}

/// Takes the socket away from standard input, where programs that are started later would find it.
fn take_socket() -> io::Result<UnixStream> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    if FileType::from_raw_mode(rustix::fs::fstat(&socket)?.st_mode) != FileType::Socket {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "embley starts its workers itself",
        ));
    }
    let nothing = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&nothing)?;
    Ok(UnixStream::from(socket))
}

/// Ends the process, and all helpers that it started, as soon as the caller is gone, whatever the reader is doing. (A signal on the parent's
/// death would come when the *thread* of the caller ends that started this worker.)
fn watch(socket: &UnixStream) -> io::Result<()> {
    let socket = socket.try_clone()?;
    let body = move || loop {
        let mut fds = [PollFd::new(&socket, PollFlags::empty())];
        let gone = match poll(&mut fds, None) {
            Ok(_) => fds[0]
                .revents()
                .intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
            Err(rustix::io::Errno::INTR) => false,
            Err(_) => true,
        };
        if gone {
            if getpgrp() == getpid() {
                // Takes this process with it; where that is refused, the next line ends it.
                let _ = kill_current_process_group(Signal::KILL);
            }
            std::process::exit(0);
        }
    };
    std::thread::Builder::new()
        .name("watch".to_owned())
        .stack_size(WATCH_STACK_BYTES)
        .spawn(body)?;
    Ok(())
}

fn work(socket: &UnixStream, hello: &Hello, cpu_seconds: u64) -> io::Result<()> {
    let panicked = note_panics();
    let test_jobs = std::env::var_os(TEST_JOBS_VARIABLE).is_some();
    let mut emitter = Emitter::new(socket);
    emitter.json(FrameKind::Hello, hello)?;
    while let Some((request, fd)) = receive(socket)? {
        let source = JobSource::new(fd, request.offset, request.length)?;
        sandbox::grant_cpu(cpu_seconds.saturating_add(request.length >> 20))?;
        emitter.begun()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            dispatch::run(&request.job, &source, test_jobs, &mut emitter)
        }));
        let fault = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => JobFault {
                code: DefectCode::WorkerProtocol,
                detail: error.to_string(),
            },
            Err(_) => {
                let detail = panicked.lock().unwrap_or_else(PoisonError::into_inner).take();
                JobFault {
                    code: DefectCode::ParserPanic,
                    detail: detail.unwrap_or_default(),
                }
            }
        };
        return emitter.json(FrameKind::Failed, &fault);
    }
    Ok(())
}

/// Keeps the words and the place of the last panic, without the thread's number, so that the same input always gives the same words.
fn note_panics() -> Arc<Mutex<Option<String>>> {
    let note = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&note);
    std::panic::set_hook(Box::new(move |info| {
        let words = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or_else(String::new, |place| {
            let file = place.file().rsplit('/').next().unwrap_or_default();
            format!(" ({file}:{})", place.line())
        });
        let text = format!("{}{place}", words.chars().take(160).collect::<String>());
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }));
    note
}

/// The next request and the descriptor that came with it; nothing when the caller is done.
fn receive(mut socket: &UnixStream) -> io::Result<Option<(Request, OwnedFd)>> {
    let mut text = Vec::new();
    let mut passed = None;
    loop {
        let Some(header) = receive_header(socket, &mut passed)? else {
            return if text.is_empty() {
                Ok(None)
            } else {
                Err(broken("a request ends within"))
            };
        };
        if header.kind != FrameKind::Request || text.len() + header.length > MAX_JSON_BYTES {
            return Err(broken("no request where one should be"));
        }
        let at = text.len();
        text.resize(at + header.length, 0);
        socket.read_exact(&mut text[at..])?;
        if !header.more {
            break;
        }
    }
    let request = serde_json::from_slice(&text).map_err(io::Error::other)?;
    let fd = passed.ok_or_else(|| broken("a request without its input"))?;
    Ok(Some((request, fd)))
}

fn receive_header(mut socket: &UnixStream, passed: &mut Option<OwnedFd>) -> io::Result<Option<FrameHeader>> {
    let mut bytes = [0; HEADER_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut bytes)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?.bytes,
        }
    };
    if received == 0 {
        return Ok(None);
    }
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            *passed = fds.last().or(passed.take());
        }
    }
    socket.read_exact(&mut bytes[received..])?;
    FrameHeader::decode(bytes).map(Some)
}

fn broken(detail: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail)
}
