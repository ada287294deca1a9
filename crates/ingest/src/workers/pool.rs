//! The pool: as many workers as cores, started when they are first needed, replaced when they failed or grew.
//!
//! Not for: what a job says (`exchange`). Main type: [`WorkerPool`]. Invariant: a worker is in the hands of one thread; a failed one is never put back.
//! Each place has two workers: one that can start no program at all, and one, started only when such a format comes, that can run the helpers.

use std::io::{self, Read};
use std::sync::{Condvar, Mutex, PoisonError};

use embley_formats::archive;
use embley_formats::opened::{Member, Members, OpenLimits, Opened, Resume};
use embley_formats::smime::keys::Secrets;
use embley_formats::smime::takes_keys;
use embley_formats::worker::{Hello, Job, is_store, may_use_helpers};
use serde::de::DeserializeOwned;

use super::error::WorkerError;
use super::exchange::{Answer, Bounds, Ended, Exchange, Spent, Take};
use super::failure::JobFailure;
use super::input::{JobInput, Prepared};
use super::options::WorkerOptions;
use super::process::{Process, program_of};
use crate::error::IngestError;

/// How often a worker is started in vain before that stops the run.
const STARTS: u32 = 3;

/// Worker processes, shared by all threads.
pub struct WorkerPool {
    options: WorkerOptions,
    idle: Mutex<Vec<Place>>,
    returned: Condvar,
}

/// Room for one job.
#[derive(Default)]
pub(super) struct Place {
    confined: Option<Process>,
    with_helpers: Option<Process>,
}

/// A job, and what a worker needs to know of it before.
pub(super) struct Order {
    job: Job,
    helpers: bool,
    spent: Spent,
}

impl Order {
    /// A job of which nothing was done before.
    pub(super) fn of(job: Job) -> Self {
        Self::going_on(job, Spent::default())
    }

    /// A job of which other workers did some.
    pub(super) fn going_on(job: Job, spent: Spent) -> Self {
        let helpers = match &job {
            Job::Open { media_type, .. } => may_use_helpers(media_type),
            Job::Ocr { .. } => true,
            Job::Store { .. } | Job::Test(_) => false,
        };
        Self { job, helpers, spent }
    }
}

impl WorkerPool {
    /// A pool without workers yet.
    pub fn new(options: WorkerOptions) -> Self {
        let places = (0..options.count.max(1)).map(|_| Place::default()).collect();
        Self {
            options,
            idle: Mutex::new(places),
            returned: Condvar::new(),
        }
    }

    /// How it was set up.
    pub fn options(&self) -> &WorkerOptions {
        &self.options
    }

    /// Opens a document, archive or image. Members go to `members` as they come out. A failure of the worker comes back as an [`Opened`] with the
    /// defect and `Failed`; members that came before it count, and in an archive or store those behind the member that cost it still come. Waits for a free worker, so
    /// `members` must not open anything in the same pool meanwhile.
    ///
    /// # Errors
    /// When no worker can be started, or `members` cannot go on. Nothing but the members taken so far has an effect.
    pub fn open(
        &self,
        media_type: &str,
        name: &[u8],
        input: &JobInput<'_>,
        secrets: &Secrets<'_>,
        limits: &OpenLimits,
        members: &mut dyn Members,
    ) -> Result<Opened, IngestError> {
        if is_store(media_type) {
            return self.open_store(input, limits, members);
        }
        let job = |resume| Job::Open {
            media_type: media_type.to_owned(),
            name: name.to_vec(),
            passwords: secrets.passwords.to_vec(),
            // No reader gets a key that it cannot use.
            keys: if takes_keys(media_type) {
                secrets.keys.to_vec()
            } else {
                Vec::new()
            },
            limits: limits.clone(),
            resume,
        };
        if let Some(format) = archive::format_of(media_type) {
            return Ok(self.open_archive(format, &job, input, members)?);
        }
        let job = job(Resume::default());
        let mut take = |member: Member, bytes: &mut dyn Read| members.member(member, bytes);
        let answer = match self.run::<Member, Opened>(job, input, &mut take)? {
            Ok(answer) => answer,
            Err(failure) => return Ok(failure.opened()),
        };
        let mut opened = answer.answer;
        opened.text = match String::from_utf8(answer.blob) {
            Ok(text) => text,
            Err(_) => {
                let detail = "the text is not UTF-8".to_owned();
                return Ok(JobFailure::Protocol { detail }.opened());
            }
        };
        Ok(opened)
    }

    /// Does any job: `take` gets each item's header and content as they come, the answer has the reader's own form.
    ///
    /// # Errors
    /// As [`WorkerPool::open`]. What is wrong with the input or its reader is in the inner result.
    pub fn run<H: DeserializeOwned, A: DeserializeOwned>(
        &self,
        job: Job,
        input: &JobInput<'_>,
        take: &mut Take<'_, H>,
    ) -> Result<Result<Answer<A>, JobFailure>, WorkerError> {
        let prepared = input.prepare().map_err(|source| WorkerError::Input {
            bytes: input.len(),
            source,
        })?;
        let mut place = self.check_out();
        self.run_in(&mut place.place, &Order::of(job), &prepared, take)
    }

    /// What a fresh worker says of its walls.
    ///
    /// # Errors
    /// [`WorkerError::Start`] when none can be started.
    pub fn greeting(&self, helpers: bool) -> Result<Hello, WorkerError> {
        let mut place = self.check_out();
        let held = if helpers {
            &mut place.place.with_helpers
        } else {
            &mut place.place.confined
        };
        let process = self.start(helpers)?;
        let hello = process.hello.clone();
        *held = Some(process);
        Ok(hello)
    }

    /// Process numbers of the workers that are idle now.
    pub fn idle_processes(&self) -> Vec<u32> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let places = idle.iter().flat_map(|place| [&place.confined, &place.with_helpers]);
        places.flatten().map(Process::id).collect()
    }

    /// Does a job with the worker in this place, or a new one.
    pub(super) fn run_in<H: DeserializeOwned, A: DeserializeOwned>(
        &self,
        place: &mut Place,
        order: &Order,
        input: &Prepared<'_>,
        take: &mut Take<'_, H>,
    ) -> Result<Result<Answer<A>, JobFailure>, WorkerError> {
        let mut tries = 0;
        let held = if order.helpers {
            &mut place.with_helpers
        } else {
            &mut place.confined
        };
        loop {
            let mut process = match held.take().filter(Process::is_quiet) {
                Some(process) => process,
                None => self.start(order.helpers)?,
            };
            let exchange = Exchange::new(&mut process, &self.options, Bounds::of(&order.job), order.spent);
            match exchange.run(order.job.clone(), input, take)? {
                Ended::Answered(answer) => {
                    if process.is_fresh(&self.options) {
                        *held = Some(process);
                    }
                    return Ok(Ok(answer));
                }
                Ended::Failed(failure) => return Ok(Err(failure)),
                Ended::NeverBegun(_) if tries < STARTS => tries += 1,
                Ended::NeverBegun(detail) => {
                    return Err(WorkerError::Start {
                        program: program_of(&self.options),
                        source: io::Error::other(detail),
                    });
                }
            }
        }
    }

    fn start(&self, helpers: bool) -> Result<Process, WorkerError> {
        let mut tries = 1;
        loop {
            match Process::start(&self.options, helpers) {
                Ok(process) => return Ok(process),
                Err(_) if tries < STARTS => tries += 1,
                Err(source) => {
                    return Err(WorkerError::Start {
                        program: program_of(&self.options),
                        source,
                    });
                }
            }
        }
    }

    /// Waits for a place.
    pub(super) fn check_out(&self) -> CheckedOut<'_> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(place) = idle.pop() {
                return CheckedOut { pool: self, place };
            }
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A place that is free now.
    pub(super) fn check_out_idle(&self) -> Option<CheckedOut<'_>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().map(|place| CheckedOut { pool: self, place })
    }
}

/// A place that goes back to the pool when it is let go of, also by a panic of the taker.
pub(super) struct CheckedOut<'p> {
    pool: &'p WorkerPool,
    pub(super) place: Place,
}

impl Drop for CheckedOut<'_> {
    fn drop(&mut self) {
        let place = std::mem::take(&mut self.place);
        self.pool
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(place);
        self.pool.returned.notify_one();
    }
}
