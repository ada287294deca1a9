//! One job: sent, its members handed on as they come, its answer or the failure.
//!
//! Not for: which worker does it (`pool`). Main type: [`Exchange`]. Invariant: every length that the worker says is held against the bounds of the job.

use std::fmt;
use std::io::{self, Read};

use embley_formats::worker::frame::{FrameKind, MAX_JSON_BYTES, push_json};
use embley_formats::worker::{AnswerHeader, ItemEnd, Job, JobFault, Request};
use serde::de::DeserializeOwned;

use super::channel::Stop;
use super::error::WorkerError;
use super::failure::JobFailure;
use super::input::Prepared;
use super::options::WorkerOptions;
use super::process::Process;

/// How much a job may answer; more is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Members.
    pub items: u64,
    /// Bytes of one.
    pub item_bytes: u64,
    /// Bytes of all.
    pub total_bytes: u64,
    /// Bytes of the answer's text.
    pub blob_bytes: u64,
}

impl Bounds {
    /// Those of a job.
    pub(super) fn of(job: &Job) -> Self {
        let limits = match job {
            Job::Open { limits, .. } | Job::Store { limits, .. } | Job::Ocr { limits, .. } => limits.clone(),
            Job::Test(_) => embley_formats::opened::OpenLimits {
                max_member_bytes: 64 << 20,
                ..Default::default()
            },
        };
        Self {
            items: limits.max_members,
            item_bytes: limits.max_member_bytes,
            total_bytes: limits.max_total_bytes,
            blob_bytes: limits.max_text_bytes as u64,
        }
    }
}

/// What workers gave of the same thing before this job, for its bounds and its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Members.
    pub(super) items: u64,
    /// Their bytes.
    pub(super) bytes: u64,
}

/// An answer and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<A> {
    /// What the reader says.
    pub answer: A,
    /// Its text.
    pub blob: Vec<u8>,
}

/// How a job ended.
pub(super) enum Ended<A> {
    /// In good order; the worker can do another.
    Answered(Answer<A>),
    /// Not; the worker must be replaced.
    Failed(JobFailure),
    /// The worker was gone before it had read the request: nothing was done.
    NeverBegun(String),
}

/// Takes items: header and content.
pub(super) type Take<'t, H> = dyn FnMut(H, &mut dyn Read) -> io::Result<()> + 't;

/// A job that is being done.
pub(super) struct Exchange<'p> {
    process: &'p mut Process,
    options: &'p WorkerOptions,
    bounds: Bounds,
    items: u64,
    total_bytes: u64,
    input_bytes: u64,
}

impl<'p> Exchange<'p> {
    pub(super) fn new(process: &'p mut Process, options: &'p WorkerOptions, bounds: Bounds, spent: Spent) -> Self {
        Self {
            process,
            options,
            bounds,
            items: spent.items,
            total_bytes: spent.bytes,
            input_bytes: 0,
        }
    }

    /// Does the whole job.
    ///
    /// # Errors
    /// [`WorkerError::Taker`] when the taker cannot go on. The worker must then be replaced.
    pub(super) fn run<H: DeserializeOwned, A: DeserializeOwned>(
        mut self,
        job: Job,
        input: &Prepared<'_>,
        take: &mut Take<'_, H>,
    ) -> Result<Ended<A>, WorkerError> {
        self.process.channel.begin();
        self.process.jobs += 1;
        self.input_bytes = input.length;
        if let Err(stop) = self.ask(job, input) {
            return Ok(match stop {
                Halt::Stop(Stop::Closed) => {
                    Ended::NeverBegun("the worker ended before it had read the request".to_owned())
                }
                other => Ended::Failed(self.failure(other)),
            });
        }
        let mut blob = Vec::new();
        loop {
            let step = self.step(&mut blob, take);
            match step {
                Ok(Step::More) => {}
                Ok(Step::Done(answer)) => return Ok(Ended::Answered(Answer { answer, blob })),
                Err(Halt::Taker(source)) => return Err(WorkerError::Taker { source }),
                Err(halt) => return Ok(Ended::Failed(self.failure(halt))),
            }
        }
    }

    fn ask(&mut self, job: Job, input: &Prepared<'_>) -> Result<(), Halt> {
        let request = Request {
            job,
            offset: input.offset,
            length: input.length,
        };
        let mut bytes = Vec::new();
        push_json(&mut bytes, FrameKind::Request, &request).map_err(|error| Halt::Protocol(error.to_string()))?;
        let allowed = self.allowed_nanos();
        self.process
            .channel
            .send(&bytes, std::os::fd::AsFd::as_fd(input), allowed)?;
        let header = self.process.channel.header(allowed)?;
        if header.kind != FrameKind::Begun || header.length != 0 {
            return Err(Halt::Protocol("the job was not begun".to_owned()));
        }
        Ok(())
    }

    fn step<H: DeserializeOwned, A: DeserializeOwned>(
        &mut self,
        blob: &mut Vec<u8>,
        take: &mut Take<'_, H>,
    ) -> Result<Step<A>, Halt> {
        let allowed = self.allowed_nanos();
        let header = self.process.channel.header(allowed)?;
        match header.kind {
            FrameKind::Item => {
                let item = self.json(header.length, header.more, header.kind)?;
                self.items += 1;
                if self.items > self.bounds.items {
                    return Err(Halt::Protocol("more members than the limit".to_owned()));
                }
                self.item(item, take)?;
                Ok(Step::More)
            }
            FrameKind::Blob => {
                if (blob.len() + header.length) as u64 > self.bounds.blob_bytes {
                    return Err(Halt::Protocol("more text than the limit".to_owned()));
                }
                self.process.channel.append(blob, header.length, allowed)?;
                Ok(Step::More)
            }
            FrameKind::Done => {
                let done: AnswerHeader<A> = self.json(header.length, header.more, header.kind)?;
                if done.blob_bytes != blob.len() as u64 {
                    return Err(Halt::Protocol("the text is not as long as was said".to_owned()));
                }
                Ok(Step::Done(done.answer))
            }
            FrameKind::Failed => {
                let fault: JobFault = self.json(header.length, header.more, header.kind)?;
                Err(Halt::Fault(fault))
            }
            FrameKind::Hello | FrameKind::Request | FrameKind::Begun | FrameKind::Bytes | FrameKind::ItemEnd => {
                Err(Halt::Protocol(format!("{:?} stands where it cannot", header.kind)))
            }
        }
    }

    fn item<H>(&mut self, item: H, take: &mut Take<'_, H>) -> Result<(), Halt> {
        let mut content = Content {
            exchange: self,
            left_in_frame: 0,
            item_bytes: 0,
            end: None,
        };
        let taken = take(item, &mut content);
        // A taker may have had enough; what it left is passed over.
        while content.end.is_none() {
            content.skip();
        }
        match (content.end, taken) {
            (Some(End::Failed(failure)), _) => Err(Halt::Failed(failure)),
            (_, Err(source)) => Err(Halt::Taker(source)),
            (_, Ok(())) => Ok(()),
        }
    }

    fn json<T: DeserializeOwned>(&mut self, length: usize, more: bool, kind: FrameKind) -> Result<T, Halt> {
        let allowed = self.allowed_nanos();
        let mut text = Vec::new();
        self.process.channel.append(&mut text, length, allowed)?;
        let mut more = more;
        while more {
            let header = self.process.channel.header(allowed)?;
            if header.kind != kind || text.len() + header.length > MAX_JSON_BYTES {
                return Err(Halt::Protocol("a header without end".to_owned()));
            }
            self.process.channel.append(&mut text, header.length, allowed)?;
            more = header.more;
        }
        serde_json::from_slice(&text).map_err(|error| Halt::Protocol(format!("{kind:?}: {error}")))
    }

    /// The time this job may have waited by now.
    fn allowed_nanos(&self) -> u64 {
        let second = 1_000_000_000_u128;
        let bytes = u128::from(self.input_bytes) + u128::from(self.total_bytes);
        let grown = bytes * second / u128::from(self.options.bytes_per_second.max(1))
            + u128::from(self.items) * second / u128::from(self.options.members_per_second.max(1));
        u64::try_from(self.options.time.as_nanos() + grown).unwrap_or(u64::MAX)
    }

    fn failure(&mut self, halt: Halt) -> JobFailure {
        match halt {
            Halt::Stop(Stop::Closed) => self.process.end(self.options),
            Halt::Stop(Stop::Late) => JobFailure::TimedOut {
                seconds: self.options.time.as_secs(),
            },
            Halt::Stop(Stop::Broken(detail)) | Halt::Protocol(detail) => JobFailure::Protocol { detail },
            Halt::Fault(fault) => fault.into(),
            Halt::Failed(failure) => failure,
            // Handled by the only caller that can meet it.
            Halt::Taker(error) => JobFailure::Protocol {
                detail: error.to_string(),
            },
        }
    }
}

enum Step<A> {
    More,
    Done(A),
}

/// Why a job does not go on.
enum Halt {
    Stop(Stop),
    Protocol(String),
    Fault(JobFault),
    /// Known already, because the taker was told.
    Failed(JobFailure),
    Taker(io::Error),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

enum End {
    /// The content is whole, or broke off in the worker for the reason given.
    Said(Option<String>),
    /// The worker failed within it.
    Failed(JobFailure),
}

/// Why the content of an item broke off, where it was not its reader who said so. Its words begin with the defect's code, as those of readers do.
#[derive(Clone, Debug)]
pub(super) struct WorkerGone(JobFailure);

impl fmt::Display for WorkerGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let defect = self.0.defect();
        write!(f, "{}: {}", defect.code.text(), defect.detail)
    }
}

impl std::error::Error for WorkerGone {}

impl WorkerGone {
    /// True for an error of a content that means this.
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// The content of one item as it comes.
struct Content<'e, 'p> {
    exchange: &'e mut Exchange<'p>,
    left_in_frame: usize,
    item_bytes: u64,
    end: Option<End>,
}

impl Content<'_, '_> {
    /// Goes to the next frame with bytes in it, or to the end.
    fn advance(&mut self) {
        while self.end.is_none() && self.left_in_frame == 0 {
            if let Err(halt) = self.next_frame() {
                self.end = Some(End::Failed(self.exchange.failure(halt)));
            }
        }
    }

    fn next_frame(&mut self) -> Result<(), Halt> {
        let allowed = self.exchange.allowed_nanos();
        let header = self.exchange.process.channel.header(allowed)?;
        match header.kind {
            FrameKind::Bytes => {
                self.item_bytes += header.length as u64;
                self.exchange.total_bytes += header.length as u64;
                let bounds = self.exchange.bounds;
                if self.item_bytes > bounds.item_bytes || self.exchange.total_bytes > bounds.total_bytes {
                    return Err(Halt::Protocol("members are longer than the limit".to_owned()));
                }
                self.left_in_frame = header.length;
                Ok(())
            }
            FrameKind::ItemEnd => {
                let end: ItemEnd = self.exchange.json(header.length, header.more, header.kind)?;
                self.end = Some(End::Said(end.error));
                Ok(())
            }
            FrameKind::Failed => {
                let fault: JobFault = self.exchange.json(header.length, header.more, header.kind)?;
                Err(Halt::Fault(fault))
            }
            other => Err(Halt::Protocol(format!("{other:?} stands inside a member"))),
        }
    }

    fn skip(&mut self) {
        let mut scratch = [0; 8192];
        // An error is kept in `end`, where the loop around this finds it.
        let _ = self.read(&mut scratch);
    }
}

impl Read for Content<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.advance();
        match &self.end {
            None => {}
            Some(End::Said(None)) => return Ok(0),
            Some(End::Said(Some(why))) => return Err(io::Error::other(why.clone())),
            Some(End::Failed(failure)) => return Err(io::Error::other(WorkerGone(failure.clone()))),
        }
        let wanted = buf.len().min(self.left_in_frame);
        let allowed = self.exchange.allowed_nanos();
        match self.exchange.process.channel.read(&mut buf[..wanted], allowed) {
            Ok(count) => {
                self.left_in_frame -= count;
                Ok(count)
            }
            Err(stop) => {
                let failure = self.exchange.failure(stop.into());
                self.end = Some(End::Failed(failure.clone()));
                Err(io::Error::other(WorkerGone(failure)))
            }
        }
    }
}
