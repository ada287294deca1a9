//! Jobs that go wrong on purpose, so that tests see what the caller makes of it.
//!
//! Not for: anything else; `dispatch` refuses them unless the caller started the worker for tests. Main function: [`run`].

use std::cell::Cell;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Signal, getpid, kill_process};

use super::dispatch::{self, Out};
use super::message::{TestJob, TouchOutcome};
use super::source::JobSource;
use super::store;
use crate::opened::{Member, Members, OpenLimits, Opened};
use crate::source::ReadAt;

pub(super) fn run(job: &TestJob, source: &JobSource, out: &mut Out<'_>) -> io::Result<()> {
    match job {
        TestJob::Echo { times } => {
            for number in 0..*times {
                out.member(member(number), &mut source.clone())?;
            }
            let text = source.to_vec()?;
            out.done(opened(), &text)
        }
        TestJob::Segfault => {
            out.member(member(0), &mut source.clone())?;
            // The first one only takes Rust's handler away, which looks for an overflow of the stack.
            loop {
                kill_process(getpid(), Signal::SEGV)?;
            }
        }
        TestJob::Abort => std::process::abort(),
        TestJob::Overflow => {
            black_box(overflow(&[0; 512]));
            out.done(opened(), b"")
        }
        TestJob::Panic => panic_on(source),
        TestJob::Store { share, abort, cut } => {
            let limits = OpenLimits::default();
            let at = Cell::new(u64::MAX);
            let mut cutter = Cutter { out, at: &at, cut };
            let opened = store::read(source, &limits, *share, &mut cutter, &mut |position| {
                at.set(position);
                if abort.contains(&position) {
                    std::process::abort();
                }
            })?;
            dispatch::send(opened, &limits, out)
        }
        TestJob::Hang => loop {
            black_box(0);
        },
        TestJob::Sleep => loop {
            std::thread::park();
        },
        TestJob::Eat { bytes } => {
            let mut held = Vec::new();
            for _ in 0..*bytes >> 20 {
                held.push(black_box(vec![1_u8; 1 << 20]));
            }
            let text = format!("{} MiB", held.len());
            out.done(opened(), text.as_bytes())
        }
        TestJob::Babble { bytes } => babble(*bytes, source, out),
        TestJob::Garble => {
            out.member(member(0), &mut source.clone())?;
            out.rubbish(&[0xff; 64])?;
            out.done(opened(), b"")
        }
        TestJob::Flood => {
            out.member(member(0), &mut io::repeat(b'x'))?;
            out.done(opened(), b"")
        }
        TestJob::Litter => {
            let name = std::env::temp_dir().join("left behind");
            let fd = rustix::fs::open(&name, OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::RUSR)?;
            rustix::io::write(&fd, b"rubbish")?;
            out.done(opened(), b"")
        }
        TestJob::Touch {
            read,
            write,
            connect,
            run,
        } => {
            let mut outcomes = Vec::new();
            let mut note = |what: String, result: io::Result<()>| {
                let refused = result.err().map(|error| error.to_string());
                outcomes.push(TouchOutcome { what, refused });
            };
            for path in read {
                note(format!("read {path}"), std::fs::File::open(path).map(drop));
            }
            for path in write {
                let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
                note(
                    format!("write {path}"),
                    rustix::fs::open(path, flags, Mode::RUSR).map(drop).map_err(Into::into),
                );
            }
            for port in connect {
                note(
                    format!("connect {port}"),
                    TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).map(drop),
                );
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
                note(
                    format!("send to {port}"),
                    socket.and_then(|socket| socket.send_to(b"out", (Ipv4Addr::LOCALHOST, *port)).map(drop)),
                );
            }
            for program in run {
                note(
                    format!("run {program}"),
                    Command::new(program).arg("--version").output().map(drop),
                );
            }
            let text = serde_json::to_vec(&outcomes).map_err(io::Error::other)?;
            out.done(opened(), &text)
        }
    }
}

/// Hands members on, and aborts within some of them.
struct Cutter<'a, 'o> {
    out: &'a mut Out<'o>,
    at: &'a Cell<u64>,
    cut: &'a [u64],
}

impl Members for Cutter<'_, '_> {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        if self.cut.contains(&self.at.get()) {
            // More than is held back before it is sent.
            let head = bytes.chain(io::repeat(0)).take(1 << 20);
            return self.out.member(member, &mut head.chain(Aborts));
        }
        self.out.member(member, bytes)
    }
}

/// Ends the process when it is read.
struct Aborts;

impl Read for Aborts {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        std::process::abort()
    }
}

fn opened() -> Opened {
    Opened {
        reader: "test/1".to_owned(),
        ..Opened::default()
    }
}

fn member(number: u64) -> Member {
    Member {
        path: number.to_string().into_bytes(),
        ..Member::default()
    }
}

fn babble(bytes: u64, source: &JobSource, out: &mut Out<'_>) -> io::Result<()> {
    let rubbish = [b'#'; 4096];
    for _ in 0..bytes / 4096 {
        io::stdout().write_all(&rubbish)?;
        io::stderr().write_all(&rubbish)?;
        rustix::io::write(io::stdin(), &rubbish)?;
    }
    let mut text = Vec::new();
    source.clone().read_to_end(&mut text)?;
    out.done(opened(), &text)
}

fn panic_on(source: &JobSource) -> io::Result<()> {
    assert!(source.len() == u64::MAX, "no reader foresaw this");
    Ok(())
}

#[expect(unconditional_recursion, reason = "that is the test")]
fn overflow(frame: &[u8; 512]) -> u64 {
    let mut next = *frame;
    next[0] = next[0].wrapping_add(1);
    overflow(black_box(&next)) + u64::from(next[1])
}
