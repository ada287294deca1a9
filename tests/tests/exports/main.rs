//! Exports, productions and schedules from outside: what is in them, what is not, that other programs read them, that a stop leaves nothing
//! that looks done, and that a changed folder is told from an unchanged one.

#![expect(clippy::print_stderr, reason = "what was not run is told")]

mod atomic;
mod disclosure;
mod forms;
mod memory;
mod readers;
mod scene;
mod selection;
mod verify;
