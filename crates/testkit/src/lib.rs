//! What tests need and the binary must not have: a disk that fails on purpose, a case as canonical text, redactions.
//!
//! Invariant: never a dependency of anything but tests.

pub mod dump;
pub mod fault;
pub mod redact;
