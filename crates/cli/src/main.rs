//! The `embley` binary: parses what was typed, resolves what is meant, calls the library, prints.
//!
//! Results go to stdout, everything else to stderr. The only crate that prints, and the only place where an error becomes an
//! exit code (`exit.rs`).

mod args;
mod audit;
mod commands;
mod context;
mod exit;
mod guard;
mod output;
mod progress;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let definition = args::Args::command();
    let parsed = definition.clone().try_get_matches().and_then(|matches| {
        let args = args::Args::from_arg_matches(&matches)?;
        Ok((args, audit::Typed::of(&definition, &matches)))
    });
    let (args, typed) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are results; a usage error is one for people.
            let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
            if error.print().is_err() {
                return ExitCode::from(exit::INTERNAL);
            }
            return ExitCode::from(code);
        }
    };
    match commands::run(&args, &typed) {
        Ok(code) => ExitCode::from(code),
        Err(_) if output::reader_has_gone() => ExitCode::from(output::verdict()),
        Err(error) => {
            exit::report(&error);
            ExitCode::from(exit::code_of(&error))
        }
    }
}
