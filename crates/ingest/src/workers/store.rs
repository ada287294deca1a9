//! A mail store read by several workers at once, each with a share of its members, put together in the store's own order.
//!
//! Not for: reading a store (`embley_formats::worker`). Main function: [`WorkerPool::open_store`]. Every worker walks the folders and loads the members of
//! its turns ([`Share`]); a thread for each reads ahead up to [`AHEAD`] pieces, some 16 MiB, and then lets its worker wait; the caller's thread hands the
//! members on. So memory does not depend on the store, and nothing is written to a disk on the way.
//!
//! Invariants: members, their order, and what is said of the store do not depend on the number of shares. A member at which a worker fails comes without
//! content and with the failure's defect, and a new worker goes on behind it; after [`MOST_FAILURES`] of them, counted in the order of members, the next
//! one ends the reading, as does a failure outside of members.

use std::io::{self, Read};

use crossbeam_channel::{Receiver, Sender, bounded};
use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_formats::worker::{Job, Share};
use embley_model::defect::Defect;

use super::error::WorkerError;
use super::exchange::WorkerGone;
use super::failure::JobFailure;
use super::input::{JobInput, Prepared};
use super::pool::{CheckedOut, Order, WorkerPool};
use crate::error::IngestError;

/// Bytes of content that are handed over at once.
const PIECE_BYTES: usize = 64 << 10;
/// Pieces that are read ahead of one worker.
const AHEAD: usize = 256;
/// Members of one store that may cost a worker. Each is a start of a process and perhaps a wait for one that hangs; a store that breaks more is a reader's
/// fault that a new version must mend, or an attack.
const MOST_FAILURES: u64 = 100;
/// A store has one member for so many bytes at most, and hands out so many times its own bytes: attachments that several messages share come out with each.
const MEMBER_BYTES: u64 = 512;
const GIVEN_TIMES: u64 = 4;

/// What a worker gave, on its way to the caller's thread.
enum Piece {
    /// A member begins. With the failure when a worker was lost over it; then nothing of it comes but its end.
    Item(Member, Option<JobFailure>),
    /// A piece of its content.
    Bytes(Vec<u8>),
    /// It ends: whole, or broken off for a reason that its reader gave, or with its worker.
    End(Result<(), Broken>),
    /// The share ends: what was said of the store, or a failure outside of members.
    Done(Result<Opened, JobFailure>),
    /// No worker can be started.
    Stopped(WorkerError),
}

enum Broken {
    Said(String),
    Failed(JobFailure),
}

/// The job of a share.
type MakeJob<'j> = dyn Fn(Share) -> Job + Sync + 'j;

impl WorkerPool {
    /// Opens a mail store with as many workers as are idle and its size is worth.
    ///
    /// # Errors
    /// As [`WorkerPool::open`].
    pub(super) fn open_store(
        &self,
        input: &JobInput<'_>,
        limits: &OpenLimits,
        members: &mut dyn Members,
    ) -> Result<Opened, IngestError> {
        let limits = bounds_of_store(limits, input.len());
        let job = |share| Job::Store {
            share,
            limits: limits.clone(),
        };
        let shares = if input.len() < self.options().share_bytes {
            1
        } else {
            self.options().count.saturating_sub(1).max(1)
        };
        Ok(self.in_shares(&job, input, shares, members)?)
    }

    /// Does a job in up to `shares` shares, as many as there are idle workers.
    ///
    /// # Errors
    /// When no worker can be started, or `members` cannot go on.
    pub fn in_shares(
        &self,
        job: &MakeJob<'_>,
        input: &JobInput<'_>,
        shares: usize,
        members: &mut dyn Members,
    ) -> Result<Opened, WorkerError> {
        let prepared = input.prepare().map_err(|source| WorkerError::Input {
            bytes: input.len(),
            source,
        })?;
        // The first is waited for, the others are a matter of luck: two stores at once must not wait for each other.
        let mut places = vec![self.check_out()];
        places.extend((1..shares).map_while(|_| self.check_out_idle()));
        let of = places.len() as u64;
        std::thread::scope(|scope| {
            let mut receivers = Vec::with_capacity(places.len());
            for (index, place) in (0..).zip(places) {
                let (sender, receiver) = bounded(AHEAD);
                receivers.push(receiver);
                let reading = Reading {
                    pool: self,
                    place,
                    share: Share {
                        index,
                        of,
                        ..Share::WHOLE
                    },
                    job,
                    input: &prepared,
                };
                std::thread::Builder::new()
                    .name("share".to_owned())
                    .spawn_scoped(scope, move || reading.run(&sender))
                    .map_err(|source| WorkerError::Start {
                        program: super::process::program_of(self.options()),
                        source,
                    })?;
            }
            // Dropped before the threads are waited for: whoever still reads then stops at its next piece.
            Joining {
                receivers,
                members,
                failures: Vec::new(),
            }
            .run()
        })
    }
}

/// The bounds of what a store of so many bytes can honestly hold, where that is more than the bounds of any container.
fn bounds_of_store(limits: &OpenLimits, bytes: u64) -> OpenLimits {
    OpenLimits {
        max_members: limits.max_members.max(bytes / MEMBER_BYTES),
        max_total_bytes: limits.max_total_bytes.max(bytes.saturating_mul(GIVEN_TIMES)),
        ..limits.clone()
    }
}

/// The thread of one share.
struct Reading<'s> {
    pool: &'s WorkerPool,
    place: CheckedOut<'s>,
    share: Share,
    job: &'s MakeJob<'s>,
    input: &'s Prepared<'s>,
}

impl Reading<'_> {
    /// Reads the share to its end, with a new worker whenever one fails. Ends early when nobody listens any more.
    fn run(mut self, sender: &Sender<Piece>) {
        let mut mark = None;
        let mut failures = 0;
        loop {
            let mut taking = Taking {
                sender,
                mark: mark.take(),
                given: 0,
                is_broken: false,
            };
            let mut take = |member: Member, bytes: &mut dyn Read| taking.take(member, bytes);
            let order = Order::of((self.job)(self.share));
            let answer = self
                .pool
                .run_in::<Member, Opened>(&mut self.place.place, &order, self.input, &mut take);
            let failure = match answer {
                Ok(Ok(answer)) => {
                    let _ = sender.send(Piece::Done(Ok(answer.answer)));
                    return;
                }
                Ok(Err(failure)) => failure,
                // Only our own closure refuses members, when nobody listens.
                Err(WorkerError::Taker { .. }) => return,
                Err(error) => {
                    let _ = sender.send(Piece::Stopped(error));
                    return;
                }
            };
            failures += 1;
            let Taking { given, is_broken, .. } = taking;
            // Not even what must not be loaded was come to: what breaks stands before it.
            let is_stuck = self.share.lost && given == 0;
            if is_stuck || failures > MOST_FAILURES {
                if is_broken {
                    let _ = sender.send(Piece::End(Err(Broken::Failed(failure.clone()))));
                }
                let _ = sender.send(Piece::Done(Err(failure)));
                return;
            }
            self.share.given += given;
            self.share.lost = !is_broken;
            if is_broken {
                if sender.send(Piece::End(Err(Broken::Failed(failure)))).is_err() {
                    return;
                }
            } else {
                mark = Some(failure);
            }
        }
    }
}

/// Hands on what one worker gives.
struct Taking<'s> {
    sender: &'s Sender<Piece>,
    /// The failure over the first member.
    mark: Option<JobFailure>,
    given: u64,
    /// The last member's end was not sent: its worker failed within it.
    is_broken: bool,
}

impl Taking<'_> {
    fn take(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mark = self.mark.take();
        self.send(Piece::Item(member, mark))?;
        self.given += 1;
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => return self.send(Piece::End(Ok(()))),
                Ok(count) => self.send(Piece::Bytes(buffer[..count].to_vec()))?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if WorkerGone::is(&error) => {
                    self.is_broken = true;
                    return Ok(());
                }
                Err(error) => return self.send(Piece::End(Err(Broken::Said(error.to_string())))),
            }
        }
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        self.sender
            .send(piece)
            .map_err(|_| io::Error::other("nobody takes members any more"))
    }
}

/// The caller's thread: takes turns.
struct Joining<'m> {
    receivers: Vec<Receiver<Piece>>,
    members: &'m mut dyn Members,
    /// What members cost workers, for the defects of the store.
    failures: Vec<Defect>,
}

/// How a share or a member ended that ends the reading.
enum Halt {
    Failed(JobFailure),
    Error(WorkerError),
}

impl Joining<'_> {
    fn run(mut self) -> Result<Opened, WorkerError> {
        let of = self.receivers.len() as u64;
        let mut position = 0;
        let ended = loop {
            let owner = usize::try_from(Share::owner(position, of)).unwrap_or(0);
            match self.next(owner) {
                Ok(None) => position += 1,
                Ok(Some(opened)) => break self.agree(opened, owner),
                Err(halt) => break Err(halt),
            }
        };
        match ended {
            Ok(mut opened) => {
                opened.defects.append(&mut self.failures);
                Ok(opened)
            }
            Err(Halt::Failed(failure)) => {
                let mut opened = failure.opened();
                opened.defects.append(&mut self.failures);
                Ok(opened)
            }
            Err(Halt::Error(error)) => Err(error),
        }
    }

    /// The next member of a share, handed on; what the share says when there is none.
    fn next(&mut self, owner: usize) -> Result<Option<Opened>, Halt> {
        let (mut member, failure) = match receive(&self.receivers[owner]) {
            Piece::Item(member, failure) => (member, failure),
            Piece::Done(Ok(opened)) => return Ok(Some(opened)),
            Piece::Done(Err(failure)) => return Err(Halt::Failed(failure)),
            Piece::Stopped(error) => return Err(Halt::Error(error)),
            Piece::Bytes(_) | Piece::End(_) => return Err(out_of_order()),
        };
        let path = member.path.clone();
        if let Some(failure) = failure {
            member.defects.push(self.note(&path, failure)?);
        }
        let mut content = Content {
            pieces: &self.receivers[owner],
            piece: Vec::new(),
            at: 0,
            end: None,
        };
        let taken = self.members.member(member, &mut content);
        let end = content.finish();
        taken.map_err(|source| Halt::Error(WorkerError::Taker { source }))?;
        match end {
            Some(Broken::Failed(failure)) => self.note(&path, failure).map(|_| None),
            Some(Broken::Said(_)) | None => Ok(None),
        }
    }

    /// Counts a member that cost a worker; the defect that it gets.
    fn note(&mut self, path: &[u8], failure: JobFailure) -> Result<Defect, Halt> {
        if self.failures.len() as u64 >= MOST_FAILURES {
            return Err(Halt::Failed(failure));
        }
        let defect = failure.defect();
        let detail = format!("{}: {}", String::from_utf8_lossy(path), defect.detail);
        self.failures.push(Defect::new(defect.code, detail));
        Ok(defect)
    }

    /// All shares must be at their end when one is, and must say the same of the store.
    fn agree(&mut self, opened: Opened, owner: usize) -> Result<Opened, Halt> {
        for (index, receiver) in self.receivers.iter().enumerate() {
            if index == owner {
                continue;
            }
            match receive(receiver) {
                Piece::Done(Ok(other)) if other == opened => {}
                Piece::Done(Ok(_)) | Piece::Item(..) | Piece::Bytes(_) | Piece::End(_) => {
                    let detail = "workers do not agree about what a mail store holds".to_owned();
                    return Err(Halt::Failed(JobFailure::Protocol { detail }));
                }
                Piece::Done(Err(failure)) => return Err(Halt::Failed(failure)),
                Piece::Stopped(error) => return Err(Halt::Error(error)),
            }
        }
        Ok(opened)
    }
}

fn receive(pieces: &Receiver<Piece>) -> Piece {
    // A share's thread ends without a last piece only when it panicked, which the scope passes on.
    pieces.recv().unwrap_or_else(|_| {
        let detail = "the reading of a share ended early".to_owned();
        Piece::Done(Err(JobFailure::Protocol { detail }))
    })
}

fn out_of_order() -> Halt {
    let detail = "a piece of a member stands outside of it".to_owned();
    Halt::Failed(JobFailure::Protocol { detail })
}

/// The content of a member as its pieces come.
struct Content<'r> {
    pieces: &'r Receiver<Piece>,
    piece: Vec<u8>,
    at: usize,
    end: Option<Result<(), Broken>>,
}

impl Content<'_> {
    fn advance(&mut self) {
        while self.end.is_none() && self.at == self.piece.len() {
            match receive(self.pieces) {
                Piece::Bytes(bytes) => (self.piece, self.at) = (bytes, 0),
                Piece::End(end) => self.end = Some(end),
                Piece::Done(Err(failure)) => self.end = Some(Err(Broken::Failed(failure))),
                Piece::Item(..) | Piece::Done(Ok(_)) | Piece::Stopped(_) => {
                    let detail = "a member without end".to_owned();
                    self.end = Some(Err(Broken::Failed(JobFailure::Protocol { detail })));
                }
            }
        }
    }

    /// Passes over what the taker left; says how it ended.
    fn finish(mut self) -> Option<Broken> {
        while self.end.is_none() {
            self.at = self.piece.len();
            self.advance();
        }
        self.end.and_then(Result::err)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.advance();
        match &self.end {
            None => {}
            Some(Ok(())) => return Ok(0),
            Some(Err(Broken::Said(why))) => return Err(io::Error::other(why.clone())),
            Some(Err(Broken::Failed(failure))) => {
                let defect = failure.defect();
                return Err(io::Error::other(format!("{}: {}", defect.code.text(), defect.detail)));
            }
        }
        let count = buf.len().min(self.piece.len() - self.at);
        buf[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
