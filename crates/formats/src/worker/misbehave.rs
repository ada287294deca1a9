//! Jobs that go wrong on purpose, so that tests see what the caller makes of it.
//!
//! Not for: anything else; `dispatch` refuses them unless the caller started the worker for tests. Main function: [`run`].

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Signal, getpid, kill_process};

use super::dispatch::Out;
use super::message::{TestJob, TouchOutcome};
use super::source::JobSource;
use crate::opened::{Member, Members, Opened};
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
