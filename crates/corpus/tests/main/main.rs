//! The truth of small corpora against an independent count of the files, and the same bytes from the same seed.

mod example;
mod reader;
mod recount;
mod repeat;
