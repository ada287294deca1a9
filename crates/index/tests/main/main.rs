//! Integration tests of the index through its public interface.
#![expect(
    clippy::disallowed_methods,
    reason = "tests damage files on purpose, in temporary folders"
)]

mod corpus;
mod hidden;
mod lifecycle;
mod oracle;
mod spans;
mod traps;
mod values;
