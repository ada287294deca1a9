//! Worker processes: hostile formats are read by the same binary, started again with hardly any rights.
//!
//! MSG, TNEF and PST are opened like containers: their members are messages as bundles (`mapi::bundle`). A large PST is read by several workers, each
//! with a [`Share`] of its members.
//!
//! Here are the protocol and the worker's side; the caller's side is `embley_ingest::workers`. Not for: deciding what is opened, or what its
//! members become. Main types: [`Job`], [`JobSource`], [`WorkerLimits`]; [`serve`] is the worker's whole life.
//!
//! A worker gets its socket as standard input and the thing to read as an open descriptor, never as a name. One job runs at a time, on a
//! thread with a stack of 64 MiB. Nothing is retried and nothing is decided here: whatever goes wrong ends the process, and the caller says
//! what that cost.
//!
//! ```text
//! caller                                    worker
//!                                           Hello        once
//! Request (+ descriptor of the input)  ->
//!                                      <-   Begun        the job has been read; from here on a failure is the job's
//!                                      <-   Item         header of a member, JSON
//!                                      <-   Bytes ...    its content, at most 1 MiB each
//!                                      <-   ItemEnd      with the reason when the content broke off
//!                                      <-   Blob ...     text of the answer
//!                                      <-   Done         the answer, JSON; or Failed, and the worker ends
//! ```
//!
//! A worker that dies over a member of an archive or store costs that member: the next one is told what came before ([`Share`], [`Resume`](crate::opened::Resume)).
//!
//! Invariant: nothing is buffered whole on either side but the text of one answer, bounded by the limits of the request.

mod dispatch;
mod emit;
mod faults;
pub mod frame;
mod helpers;
mod message;
mod misbehave;
mod outlook;
mod sandbox;
mod serve;
mod source;
mod store;

pub use emit::Emitter;
pub use faults::FAULTS_VARIABLE;
pub use helpers::{HELPERS, Helper, may_use_helpers};
pub use message::{
    AnswerHeader, Hello, ItemEnd, ItemHeader, Job, JobFault, Landlock, PROTOCOL_VERSION, Request, Share, TestJob,
    TouchOutcome,
};
pub use serve::{TEST_JOBS_VARIABLE, WorkerLimits, serve};
pub use source::JobSource;
pub use store::is_store;
