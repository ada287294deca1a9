//! The worked example, taken in by the program: its indicators scored against its truth, its two layouts against its records.

mod indicators;
mod layouts;
mod page;
mod score;
mod taken_in;
