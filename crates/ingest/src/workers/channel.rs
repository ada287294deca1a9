//! The caller's end of the socket: frames in and out with a limit in time, and the worker's standard error beside it.
//!
//! Not for: what frames mean. Main type: [`Channel`]. Invariant: never waits beyond the time that is left, never holds more than one frame, and of
//! standard error only its end.

use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::process::ChildStderr;

use embley_formats::worker::frame::{FrameHeader, HEADER_BYTES};
use embley_model::clock::{Clock, SystemClock};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// Read from the socket at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Kept of what a worker writes to standard error.
const STDERR_BYTES: usize = 4 << 10;

/// Why nothing more comes.
#[derive(Debug)]
pub(super) enum Stop {
    /// The other end is closed.
    Closed,
    /// The time is used up.
    Late,
    /// What came is no frame.
    Broken(String),
}

/// One end of a conversation with a worker.
pub(super) struct Channel {
    socket: UnixStream,
    stderr: Option<ChildStderr>,
    said: Vec<u8>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    clock: SystemClock,
    waited_nanos: u64,
}

impl Channel {
    /// Takes both ends. The clock is the system's own, because it is a process of the system that is waited for.
    pub(super) fn new(socket: UnixStream, stderr: Option<ChildStderr>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        if let Some(stderr) = &stderr {
            rustix::io::ioctl_fionbio(stderr, true)?;
        }
        Ok(Self {
            socket,
            stderr,
            said: Vec::new(),
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            clock: SystemClock::new(),
            waited_nanos: 0,
        })
    }

    /// Forgets what was waited and said for the job before.
    pub(super) fn begin(&mut self) {
        self.waited_nanos = 0;
        self.said.clear();
    }

    /// True when nothing came that was not asked for, also not the end.
    pub(super) fn is_quiet(&self) -> bool {
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        self.start == self.end && poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
    }

    /// The end of what the worker wrote to standard error.
    pub(super) fn said(&mut self) -> &[u8] {
        self.drain_stderr();
        &self.said
    }

    /// Sends bytes, the descriptor with the first of them.
    pub(super) fn send(&mut self, mut bytes: &[u8], fd: BorrowedFd<'_>, allowed_nanos: u64) -> Result<(), Stop> {
        let mut pass = Some([fd]);
        while !bytes.is_empty() {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if let Some(fds) = &pass {
                control.push(SendAncillaryMessage::ScmRights(fds));
            }
            match sendmsg(&self.socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    pass = None;
                    bytes = &bytes[sent..];
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => self.wait(PollFlags::OUT, allowed_nanos)?,
                Err(_) => return Err(Stop::Closed),
            }
        }
        Ok(())
    }

    /// The next header.
    pub(super) fn header(&mut self, allowed_nanos: u64) -> Result<FrameHeader, Stop> {
        let mut bytes = [0; HEADER_BYTES];
        let mut done = 0;
        while done < HEADER_BYTES {
            done += self.read(&mut bytes[done..], allowed_nanos)?;
        }
        FrameHeader::decode(bytes).map_err(|error| Stop::Broken(error.to_string()))
    }

    /// Appends `length` bytes to `out`, which grows with what comes.
    pub(super) fn append(&mut self, out: &mut Vec<u8>, mut length: usize, allowed_nanos: u64) -> Result<(), Stop> {
        while length > 0 {
            if self.start == self.end {
                self.fill(allowed_nanos)?;
            }
            let count = length.min(self.end - self.start);
            out.extend_from_slice(&self.buffer[self.start..self.start + count]);
            self.start += count;
            length -= count;
        }
        Ok(())
    }

    /// Reads at least one byte, unless `buf` is empty.
    pub(super) fn read(&mut self, buf: &mut [u8], allowed_nanos: u64) -> Result<usize, Stop> {
        if self.start == self.end {
            self.fill(allowed_nanos)?;
        }
        let count = buf.len().min(self.end - self.start);
        buf[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }

    fn fill(&mut self, allowed_nanos: u64) -> Result<(), Stop> {
        loop {
            match self.socket.read(&mut self.buffer) {
                Ok(0) => return Err(Stop::Closed),
                Ok(count) => {
                    self.start = 0;
                    self.end = count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(PollFlags::IN, allowed_nanos)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Reset: the other end was closed with bytes unread in it.
                Err(_) => return Err(Stop::Closed),
            }
        }
    }

    /// Waits for the socket, emptying standard error meanwhile, so that the worker never waits for that.
    fn wait(&mut self, what: PollFlags, allowed_nanos: u64) -> Result<(), Stop> {
        loop {
            let left = allowed_nanos.saturating_sub(self.waited_nanos);
            if left == 0 {
                return Err(Stop::Late);
            }
            let timeout = Timespec {
                tv_sec: i64::try_from(left / 1_000_000_000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(left % 1_000_000_000).unwrap_or(0),
            };
            let before = self.clock.monotonic_nanos();
            let (ready, heard) = {
                let mut fds = vec![PollFd::new(&self.socket, what)];
                if let Some(stderr) = &self.stderr {
                    fds.push(PollFd::new(stderr, PollFlags::IN));
                }
                match poll(&mut fds, Some(&timeout)) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(Stop::Broken(error.to_string())),
                }
                let heard = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
                (!fds[0].revents().is_empty(), heard)
            };
            let waited = self.clock.monotonic_nanos().saturating_sub(before);
            // At least one, so that a clock that stands still cannot make this wait for ever.
            self.waited_nanos = self.waited_nanos.saturating_add(waited.max(1));
            if heard {
                self.drain_stderr();
            }
            if ready {
                return Ok(());
            }
        }
    }

    fn drain_stderr(&mut self) {
        let mut piece = [0; 4096];
        while let Some(stderr) = &mut self.stderr {
            match stderr.read(&mut piece) {
                Ok(0) => self.stderr = None,
                Ok(count) => {
                    self.said.extend_from_slice(&piece[..count]);
                    let over = self.said.len().saturating_sub(STDERR_BYTES);
                    self.said.drain(..over);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nothing there now, or nothing to be had: what was said is only a detail.
                Err(_) => return,
            }
        }
    }
}
