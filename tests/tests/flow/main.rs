//! The whole line through the house on made mail: what goes in, what the case says about it, and what comes out again.

mod families;
mod out;
mod running;
mod sources;
mod together;
mod truth;
