//! The `embley` binary: parses what was typed, resolves what is meant, calls the library, prints.
//!
//! Results go to stdout, everything else to stderr. The only crate that prints, and the only place where an error becomes an
//! exit code (`exit.rs`).

mod args;
mod commands;
mod context;
mod exit;
mod guard;
mod output;
mod progress;
mod workbook;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are results; a usage error is one for people.
            let code = if error.use_stderr() { exit::USAGE } else { exit::DONE };
            if error.print().is_err() {
                return ExitCode::from(exit::INTERNAL);
            }
            return ExitCode::from(code);
        }
    };
    match commands::run(&args) {
        Ok(code) => ExitCode::from(code),
        Err(_) if output::reader_has_gone() => ExitCode::from(exit::DONE),
        Err(error) => {
            exit::report(&error);
            ExitCode::from(exit::code_of(&error))
        }
    }
}
