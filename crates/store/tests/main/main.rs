//! The public face of the store: cases, packs, catalogue, crashes, damage, locks. One binary for all of it.

mod sample;

mod case;
mod catalogue;
mod packs;
