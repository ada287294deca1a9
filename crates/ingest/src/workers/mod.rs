//! The caller's side of worker processes: a pool of them, one job at a time each, and what a failure costs.
//!
//! Not for: reading formats (`embley_formats`), deciding what members become (the pipeline). Main type: [`WorkerPool`]. Invariant: whatever a worker
//! does, it costs the one item it was reading; a failure is a [`JobFailure`] and becomes a defect of that item. Only a machine on which workers
//! cannot be started at all, or a taker of members that cannot go on, stops a run.
//!
//! A mail store is read by several workers at once when it is large, and a failure costs one message of it (`store`); in an archive it costs one member (`archive`).
//!
//! What a worker says is not believed further than its bounds: members, their bytes and the text of an answer are counted here again. A job may wait
//! for its worker [`WorkerOptions::time`], and longer the more bytes and members it gave; time that the taker of members uses does not count.

mod archive;
mod channel;
mod error;
mod exchange;
mod failure;
mod input;
mod opener;
mod options;
mod pool;
mod process;
mod store;

pub use error::WorkerError;
pub use exchange::{Answer, Bounds};
pub use failure::JobFailure;
pub use input::JobInput;
pub use opener::WorkerOpener;
pub use options::WorkerOptions;
pub use pool::WorkerPool;
