//! `embley worker`: what this program starts itself as, to read hostile formats. Not for people.

use embley_formats::worker::{WorkerLimits, serve};

use crate::args::WorkerArgs;
use crate::exit::{self, CliError};

/// Serves whoever started it, until they are gone.
pub(crate) fn run(args: &WorkerArgs) -> anyhow::Result<u8> {
    let limits = WorkerLimits {
        memory_bytes: args.memory,
        cpu_seconds: args.cpu_seconds,
        file_bytes: args.file_bytes,
        open_files: args.open_files,
        temp: args.temp.clone(),
        helpers: args.helpers,
        path: std::env::var_os("PATH"),
    };
    serve(&limits).map_err(|error| CliError::usage(format!("worker: {error}")))?;
    Ok(exit::DONE)
}
