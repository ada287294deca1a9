//! The pipeline from sources to a case: stages, order, budget, resume, reconciliation, self-test, reindex.
//!
//! Start at [`pipeline`](crate::run). Not for: parsing (formats), bytes on disk (store), words (index). Invariant: same input, same answer,
//! with any number of threads and however often it was interrupted.

mod append;
mod baseline;
mod board;
mod bundles;
mod commit;
mod dedup;
mod entrance;
mod error;
mod feed;
mod known;
mod load;
mod notes;
mod number;
mod opening;
mod order;
mod pipeline;
mod prepare;
mod reconcile;
pub mod records;
mod reparse;
mod replay;
mod report;
mod request;
mod rows;
mod run;
mod run_record;
mod self_test;
mod sources;
mod unit;
mod work;
pub mod workers;

pub use append::RecordWriter;
pub use baseline::{Baseline, parse_and_index};
pub use error::{IngestError, index_class};
pub use opening::retry::Retry;
pub use opening::rounds::OpenedSums;
pub use opening::stored::StoredOpening;
pub use opening::{OpenJob, Opener};
pub use reparse::{ItemText, MessageParts, Originals};
pub use replay::reindex;
pub use report::{Children, RunReport, Sums};
pub use request::{CustodianRule, IngestOptions, IngestRequest, SourceSpec};
pub use run::{FinishStep, run, run_id};
pub use self_test::SelfTest;
