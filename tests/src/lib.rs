//! What the end-to-end tests share: the built program, a folder to work in, a case in it, made mail, and mailboxes cut by hand.
//!
//! The tests run the real binary and read what a user would read. Not for: looking inside crates; only [`Site::dump`] opens the
//! store, to compare two cases whole. Invariant: whatever a test makes lies in its own temporary folder and goes with it.

pub mod corpora;
pub mod files;
pub mod made;
pub mod oracle;
pub mod packed;
pub mod program;
pub mod rss;
pub mod site;

pub use program::{Program, Ran, Running, binary};
pub use site::Site;

/// A small generator with a seed that a failing test can print (SplitMix64; Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}
