//! Words with case and accents as typed: folded hits, whose texts are read again and compared.
//!
//! The index knows folded words only. The items that hold those are found first; then the texts of each are read, and the words are
//! compared letter by letter in canonical form (NFC). That reads as many texts as there are folded hits. Invariant: an item whose texts
//! could not be read, or in which the folded words were not found again, is left out and counted.

use embley_index::analysis::{composed, words_with_offsets};
use embley_index::{Node, Want};
use embley_model::field::Field;
use embley_model::id::ItemNo;
use rayon::prelude::*;
use roaring::RoaringBitmap;

use crate::error::SearchError;
use crate::hit::{self, ItemText};
use crate::plan::BoxError;
use crate::searcher::Searcher;

/// Items whose rows are read before their texts are.
const PAGE: usize = 256;

/// A word as typed and as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExactWord {
    /// As typed, in canonical form.
    pub typed: String,
    /// Folded.
    pub folded: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExactFound {
    /// Items that hold the words as typed.
    pub items: RoaringBitmap,
    /// Items that hold them folded and could not be compared.
    pub unread: u64,
}

/// Finds items by words as typed.
pub trait ExactForms {
    /// The items in which these words stand side by side, as typed, in one of the fields. `folded` finds those that hold them folded.
    ///
    /// # Errors
    /// When index or catalogue cannot be read. A text that cannot be read is counted.
    fn find(&self, folded: &Node, fields: &[Field], words: &[ExactWord]) -> Result<ExactFound, BoxError>;
}

/// The words of a text as typed.
pub(crate) fn words_of(text: &str) -> Vec<ExactWord> {
    let words = words_with_offsets(text).map(|word| ExactWord {
        typed: composed(&text[word.range.clone()]).into_owned(),
        folded: word.folded.into_owned(),
    });
    words.collect()
}

/// How near a text comes to words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    No,
    Folded,
    Exact,
}

fn holds(text: &str, wanted: &[ExactWord]) -> Holds {
    let mut best = Holds::No;
    let mut last = std::collections::VecDeque::with_capacity(wanted.len() + 1);
    for word in words_with_offsets(text) {
        last.push_back(word);
        if last.len() > wanted.len() {
            last.pop_front();
        }
        let both = || last.iter().zip(wanted);
        if last.len() == wanted.len() && both().all(|(word, wanted)| word.folded == wanted.folded) {
            best = Holds::Folded;
            if both().all(|(word, wanted)| composed(&text[word.range.clone()]) == wanted.typed) {
                return Holds::Exact;
            }
        }
    }
    best
}

/// A searcher and where it gets texts from.
pub(crate) struct StoredForms<'s> {
    pub(crate) searcher: &'s Searcher,
    pub(crate) texts: &'s dyn ItemText,
}

impl ExactForms for StoredForms<'_> {
    fn find(&self, folded: &Node, fields: &[Field], words: &[ExactWord]) -> Result<ExactFound, BoxError> {
        let want = Want { items: true, top: None };
        let candidates = self.searcher.snapshot().run(folded, want).map_err(SearchError::from)?;
        let candidates: Vec<u32> = candidates.items.iter().flatten().collect();
        let mut found = ExactFound::default();
        for page in candidates.chunks(PAGE) {
            let mut rows = Vec::with_capacity(page.len());
            for item in page {
                rows.push((*item, self.searcher.reader().item(ItemNo(*item))?));
            }
            let texts = self.texts;
            let compared: Vec<(u32, Holds)> = rows
                .par_iter()
                .map(|(item, row)| {
                    let Some(row) = row else { return (*item, Holds::No) };
                    let wants = |field| fields.contains(&field);
                    let text = if wants(hit::text_field(row.kind)) {
                        texts.text(ItemNo(*item)).unwrap_or_default()
                    } else {
                        String::new()
                    };
                    let pieces = hit::field_texts(row, &text, wants);
                    let pieces = pieces.iter().filter(|text| wants(text.field()));
                    let best = pieces
                        .flat_map(|text| text.pieces())
                        .map(|piece| holds(piece, words))
                        .max();
                    (*item, best.unwrap_or(Holds::No))
                })
                .collect();
            for (item, holds) in compared {
                match holds {
                    Holds::Exact => {
                        found.items.insert(item);
                    }
                    Holds::Folded => {}
                    Holds::No => found.unread += 1,
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_with_case_and_accents_in_any_canonical_form() {
        for (text, wanted, expected) in [
            ("the Will of", "Will", Holds::Exact),
            ("he will", "Will", Holds::Folded),
            ("will, Will", "Will", Holds::Exact),
            ("wills", "Will", Holds::No),
            ("Cafe\u{301} Noir", "Caf\u{e9}", Holds::Exact),
            ("Cafe Noir", "Caf\u{e9}", Holds::Folded),
            ("an E-Mail", "E-Mail", Holds::Exact),
            ("an E mail", "E-Mail", Holds::Folded),
            ("Will\nSmith", "Will Smith", Holds::Exact),
        ] {
            assert_eq!(holds(text, &words_of(wanted)), expected, "{text} {wanted}");
        }
    }
}
