//! Does one message quote another? Texts decide, conservatively.
//!
//! A message quotes another when words marked as quoted (see `quote`) hold at least [`LEAST_WORDS`] words of it in a row, or all that the
//! other says itself when that is at least [`LEAST_WHOLE`] words. When passages of several messages are quoted, the one with
//! the most words is meant: an answer to an answer quotes both, and the later one holds the earlier one. When two different texts
//! are quoted equally well, none is chosen. Not for: texts without marks of quotation; a text that merely holds the same words is no answer.

use embley_index::analysis::fold_keyword;

use super::align::Original;
use super::link::Quotation;
use super::quote::{Lexicon, QuotedText, contains};
use crate::hit::ItemText;
use embley_model::id::ItemNo;

/// Quoted words in a row that make a link.
pub const LEAST_WORDS: usize = 20;
/// Words of a short message that make a link when all of them are quoted.
pub const LEAST_WHOLE: usize = 8;

/// What comparing two texts gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The item that may quote.
    pub(super) child: u32,
    /// The item that may be quoted.
    pub(super) parent: u32,
    /// Quoted words of the longest passage, 0 when it does not quote it.
    pub(super) longest: u32,
    /// Quoted words of all passages.
    pub(super) matched: u32,
    /// Of the words of the quoted message, so that copies of one text count as one.
    pub(super) body: u32,
}

/// Compares one text with others. A text that cannot be read quotes nothing; it is compared again next time all are.
pub(super) fn compare(texts: &dyn ItemText, child: u32, parents: &[u32]) -> Vec<Verdict> {
    let nothing = |parent: u32| Verdict {
        child,
        parent,
        longest: 0,
        matched: 0,
        body: 0,
    };
    let mut lexicon = Lexicon::default();
    if parents.is_empty() {
        return Vec::new();
    }
    let quoted = match texts.text(ItemNo(child)) {
        Ok(text) => QuotedText::read(&text, &mut lexicon).quoted(),
        Err(_) => Vec::new(),
    };
    parents
        .iter()
        .map(|parent| {
            if quoted.is_empty() {
                return nothing(*parent);
            }
            let Ok(text) = texts.text(ItemNo(*parent)) else {
                return nothing(*parent);
            };
            let other = QuotedText::read(&text, &mut lexicon);
            let words = other.numbers();
            let passages = Original::new(&words).passages(&quoted);
            let longest = passages.iter().map(|one| one.words).max().unwrap_or(0);
            let matched: usize = passages.iter().map(|one| one.words).sum();
            let own: Vec<u32> = other
                .words
                .iter()
                .filter(|word| word.depth == 0)
                .map(|word| word.word)
                .collect();
            // It must be the message's own words that are quoted, not only what both quote of a third one.
            let own_quoted = passages
                .iter()
                .map(|one| {
                    let range = one.original_at..one.original_at + one.words;
                    other.words[range].iter().filter(|word| word.depth == 0).count()
                })
                .max()
                .unwrap_or(0);
            let whole = own.len() >= LEAST_WHOLE && contains(&quoted, &own);
            if own_quoted < LEAST_WORDS && !whole {
                return nothing(*parent);
            }
            Verdict {
                child,
                parent: *parent,
                longest: u32::try_from(longest).unwrap_or(u32::MAX),
                matched: u32::try_from(matched).unwrap_or(u32::MAX),
                body: body_mark(&text),
            }
        })
        .collect()
}

/// FNV-1a over the folded words, so that the same text has the same mark in every run.
fn body_mark(text: &str) -> u32 {
    let mut mark = 0x811C_9DC5_u32;
    for byte in fold_keyword(text)
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
    {
        mark = (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    mark.max(1)
}

/// For each child the message that it quotes, when it is one. `verdicts` stand together by child.
pub(super) fn choose(verdicts: &[Verdict]) -> Vec<Quotation> {
    let mut chosen = Vec::new();
    for of_child in verdicts.chunk_by(|one, two| one.child == two.child) {
        let best = of_child
            .iter()
            .filter(|one| one.longest > 0)
            .max_by_key(|one| (one.matched, one.longest, std::cmp::Reverse(one.parent)));
        let Some(best) = best else { continue };
        let alone = of_child
            .iter()
            .all(|one| one.body == best.body || (one.matched, one.longest) < (best.matched, best.longest));
        if alone {
            chosen.push(Quotation {
                child: best.child,
                parent: best.parent,
                words: best.longest,
            });
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::BoxError;

    struct Texts(Vec<&'static str>);

    impl ItemText for Texts {
        fn text(&self, item: ItemNo) -> Result<String, BoxError> {
            Ok(self.0[item.0 as usize].to_owned())
        }
    }

    #[test]
    fn the_message_whose_own_words_are_quoted_most_is_meant() {
        let texts = Texts(vec![
            "The first message says that the hearing was moved to the second of May and that nobody was told about it at all.",
            "Thank you, I have told the clerk and the solicitor of the change of the day of hearing.\n> The first message says that the hearing was moved to the second of May and that nobody was told about it at all.",
            "Fine.\n> Thank you, I have told the clerk and the solicitor of the change of the day of hearing.\n>> The first message says that the hearing was moved to the second of May and that nobody was told about it at all.",
            "The first message says that the hearing was moved to the second of May and that nobody was told about it at all.",
        ]);
        let verdicts = compare(&texts, 2, &[0, 1]);
        assert_eq!(choose(&verdicts).first().map(|one| one.parent), Some(1));
        assert_eq!(choose(&compare(&texts, 1, &[0])).first().map(|one| one.parent), Some(0));
        // The same words without marks are no quotation.
        assert_eq!(choose(&compare(&texts, 3, &[0])), Vec::new());
        // Two copies of one text are one text: the first is meant.
        assert_eq!(
            choose(&compare(&texts, 1, &[0, 3])).first().map(|one| one.parent),
            Some(0)
        );
    }

    #[test]
    fn two_texts_quoted_equally_well_choose_none() {
        let verdict = |parent, body| Verdict {
            child: 9,
            parent,
            longest: 30,
            matched: 30,
            body,
        };
        assert_eq!(choose(&[verdict(1, 5), verdict(2, 6)]), Vec::new());
        assert_eq!(choose(&[verdict(1, 5), verdict(2, 5)]).len(), 1);
    }
}
