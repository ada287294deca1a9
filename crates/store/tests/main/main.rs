//! The public face of the store: cases, packs, catalogue, crashes, damage, locks. One binary for all of it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that fails says where, and damages files by hand"
)]

mod sample;

mod audit;
mod audit_restart;
mod case;
mod catalogue;
mod crash;
mod packs;
mod verify;
