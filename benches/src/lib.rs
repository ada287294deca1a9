//! Benchmarks, one for each stage of the flow: see `benches/stages.rs`. Whole ingests are measured by `scripts/bench`.
