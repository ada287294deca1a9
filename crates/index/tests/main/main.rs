//! Integration tests of the index through its public interface.

mod corpus;
mod lifecycle;
mod oracle;
mod traps;
