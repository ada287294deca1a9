//! What a kill, a full disk, a failing step or a message of gigabytes leaves: a case that opens, goes on, and becomes the same as if
//! nothing had happened.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "how often it was killed or full is told, and what was not run"
)]

mod disk;
mod evidence;
mod facts;
mod kills;
mod large;
