//! Workers as the pipeline's opener of documents and containers.

use std::os::fd::AsFd;

use embley_formats::opened::{Members, OpenLimits, Opened};

use super::input::JobInput;
use super::pool::WorkerPool;
use crate::error::IngestError;
use crate::opening::{OpenJob, Opener};

/// Opens in worker processes, with one list of passwords and one set of limits for a run.
pub struct WorkerOpener {
    /// The workers.
    pub pool: WorkerPool,
    /// Tried in order on whatever is encrypted.
    pub passwords: Vec<String>,
    /// Bounds of each thing.
    pub limits: OpenLimits,
}

impl Opener for WorkerOpener {
    fn open(&self, job: &OpenJob<'_>, members: &mut dyn Members) -> Result<Opened, IngestError> {
        let input = JobInput::File {
            file: job.input.as_fd(),
            range: 0..job.size,
        };
        self.pool
            .open(job.media_type, job.name, &input, &self.passwords, &self.limits, members)
    }
}
