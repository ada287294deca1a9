//! Workers as the pipeline's opener of documents and containers.

use std::io::Read;
use std::os::fd::AsFd;

use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_formats::smime::keys::{SecretKey, Secrets};
use embley_formats::worker::Job;

use super::input::JobInput;
use super::pool::WorkerPool;
use crate::error::IngestError;
use crate::opening::{OpenJob, Opener};

/// Opens in worker processes, with one list of passwords, one of keys and one set of limits for a run.
pub struct WorkerOpener {
    /// The workers.
    pub pool: WorkerPool,
    /// Tried in order on whatever is encrypted.
    pub passwords: Vec<String>,
    /// Private keys, unlocked, tried on encrypted mail; in memory only.
    pub keys: Vec<SecretKey>,
    /// Bounds of each thing.
    pub limits: OpenLimits,
    /// The workers that recognise characters; they wait longer for one item.
    pub recognition_pool: WorkerPool,
    /// Languages whose characters are recognised, as tesseract names them (`eng+deu`).
    pub languages: String,
    /// Seconds for the recognition of one item; the pool must wait longer.
    pub recognition_seconds: u64,
}

impl Opener for WorkerOpener {
    fn open(&self, job: &OpenJob<'_>, members: &mut dyn Members) -> Result<Opened, IngestError> {
        let input = JobInput::File {
            file: job.input.as_fd(),
            range: 0..job.size,
        };
        let secrets = Secrets {
            passwords: &self.passwords,
            keys: &self.keys,
        };
        self.pool
            .open(job.media_type, job.name, &input, &secrets, &self.limits, members)
    }

    fn recognise(&self, job: &OpenJob<'_>) -> Result<Opened, IngestError> {
        let input = JobInput::File {
            file: job.input.as_fd(),
            range: 0..job.size,
        };
        let wanted = Job::Ocr {
            media_type: job.media_type.to_owned(),
            name: job.name.to_vec(),
            languages: self.languages.clone(),
            seconds: self.recognition_seconds,
            limits: self.limits.clone(),
        };
        let mut none = |_: Member, _: &mut dyn Read| Ok(());
        let answer = match self.recognition_pool.run::<Member, Opened>(wanted, &input, &mut none)? {
            Ok(answer) => answer,
            Err(failure) => return Ok(failure.opened()),
        };
        let mut opened = answer.answer;
        opened.text = String::from_utf8_lossy(&answer.blob).into_owned();
        Ok(opened)
    }
}
