//! Text to tokens: one set of rules for indexing, querying and highlighting.
//!
//! A token is a run of letters and digits (Unicode `Alphabetic` or category N), folded: compatibility
//! decomposition (UAX #15 NFKD), lower case, combining marks dropped, and a few letters that have no
//! decomposition written out (`ß` is `ss`, `æ` is `ae`, `ø` is `o`). Soft hyphens, joiners and direction
//! marks neither break a token nor belong to it. An ideograph, kana or hangul syllable is a token of its
//! own. A token is cut at [`TOKEN_LIMIT_BYTES`]; what follows up to the next break is not indexed and the
//! cut is counted.
//!
//! Not for: splitting messages into fields, stemming, stop words (exact words are what people cite).
//!
//! Main types: [`Tokens`], the flat buffer that the index replays, and [`words_with_offsets`].
//! Invariant: both come from the same scanner, so a word found in the index is highlighted in the text.

mod fold;
mod scan;
mod sketch;
mod tokens;

pub use fold::{composed, fold_address, fold_keyword};
pub use scan::{Word, WordsWithOffsets, words_with_offsets};
pub use sketch::{SKETCH_LEN, SKETCH_VERSION, similarity, sketch};
pub use tokens::{ADDRESS_GAP, Tokens};
pub(crate) use tokens::{Step, next_step};

/// Longest token in bytes of UTF-8 after folding.
pub const TOKEN_LIMIT_BYTES: usize = 200;

/// Version of the rules above. An index made with another version must be made again.
pub const ANALYSIS_VERSION: u32 = 1;
