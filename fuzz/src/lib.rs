//! Seeded mutational fuzzing of our own parsers, on a stable toolchain and without coverage.
//!
//! Not for: the binary, or packages of others (their panics are counted, not reported, where our code catches them). Main types:
//! [`Target`], one a parser; [`Session`], one run of a target. A case is a function of target, seeds, run seed and case number, so that whoever
//! watches a child process can make the input again on which it died. Invariant: what the children do cannot harm the watcher: each has a limit of
//! memory, each case one of processor time, and a finding is always one input in a file.

mod case;
mod child;
mod finding;
mod gather;
mod machine;
mod mutate;
mod random;
mod session;
mod shrink;
mod target;
mod targets;

pub use child::{ChildOrder, be_child, be_shrinker};
pub use finding::Finding;
pub use session::{Budget, Outcome, Session};
pub use target::Target;
pub use targets::{ALL, find, misbehave};
