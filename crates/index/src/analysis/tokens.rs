//! The flat buffer of folded tokens with positions that the index replays.
//!
//! Form: each token is preceded by one control byte that says how its position follows from the one
//! before: 1 next, 2 same, 3 after a gap of [`ADDRESS_GAP`]. Tokens never hold control characters, so the
//! form needs no escapes and the whole buffer is valid UTF-8.

use embley_model::address::Address;

use super::fold::fold_address;
use super::scan::Scanner;

/// Positions left free between addresses, and between separate parts of one field, so that no phrase or
/// proximity query ever joins words of different ones.
pub const ADDRESS_GAP: u32 = 100;

const NEXT: char = '\u{1}';
const SAME: char = '\u{2}';
const GAP: char = '\u{3}';

/// How far the position moves before a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step(pub(crate) u32);

/// Takes the first token off a replay buffer. Text that does not begin with a control byte is one token.
#[inline]
pub(crate) fn next_step(buffer: &str) -> Option<(Step, &str, &str)> {
    let bytes = buffer.as_bytes();
    let (step, from) = match bytes.first()? {
        1 => (1, 1),
        2 => (0, 1),
        3 => (ADDRESS_GAP, 1),
        _ => (1, 0),
    };
    let end = token_end(bytes, from);
    Some((Step(step), &buffer[from..end], &buffer[end..]))
}

/// Where the token that begins at `from` ends: at a control byte, looked for in eight bytes at once, or at the
/// end of the buffer.
#[inline]
fn token_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(piece) = bytes[at..].first_chunk() {
        match control_in(u64::from_le_bytes(*piece)) {
            Some(len) => return at + len,
            None => at += 8,
        }
    }
    bytes[at..]
        .iter()
        .position(|byte| *byte <= 3)
        .map_or(bytes.len(), |len| at + len)
}

/// How many of the eight bytes (lowest first) stand before the first control byte of the buffer's form, a
/// byte below 4. Subtracting borrows out of exactly such bytes, and only the lowest one found is used.
#[inline]
pub(super) fn control_in(piece: u64) -> Option<usize> {
    let found = piece.wrapping_sub(0x0404_0404_0404_0404) & !piece & 0x8080_8080_8080_8080;
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// Folded tokens of one field of one item, in order, with positions.
///
/// Made to be kept and cleared: no allocation a token, and none a document once the buffer has grown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    buffer: String,
    word_count: u32,
    cut_count: u32,
    gap_next: bool,
}

impl Tokens {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all tokens and keeps the memory.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.word_count = 0;
        self.cut_count = 0;
        self.gap_next = false;
    }

    /// True when there is no token.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Number of tokens, extra address tokens included.
    pub fn word_count(&self) -> u32 {
        self.word_count
    }

    /// Number of tokens that were cut at the limit (a reason for `INDEX-TERM-LIMIT`).
    pub fn cut_count(&self) -> u32 {
        self.cut_count
    }

    /// Appends the words of `text`.
    pub fn text(&mut self, text: &str) {
        self.buffer.reserve(text.len() + text.len() / 8);
        let mut scanner = Scanner::new(text);
        loop {
            let mark = self.buffer.len();
            self.buffer.push(self.step_before_next());
            if scanner.next_into(&mut self.buffer).is_none() {
                self.buffer.truncate(mark);
                break;
            }
            self.word_count += 1;
            self.gap_next = false;
        }
        self.cut_count += scanner.cut_count;
    }

    /// Leaves a gap before the next token, so that no phrase crosses. At the start it does nothing.
    pub fn gap(&mut self) {
        self.gap_next = true;
    }

    /// Appends one address after a gap: the words of the name, a gap, the words of the address. At the
    /// position of the address's first word also stands the whole folded address (`john.smith@x.com`), and
    /// at that of the domain's first word the domain (`@x.com`). Returns the whole folded address.
    pub fn address(&mut self, address: &Address) -> String {
        self.gap();
        self.text(&address.name);
        self.gap();
        let whole = fold_address(&address.addr);
        let domain_at = address.addr.rfind('@');
        let domain = whole.rfind('@').map(|at| whole[at..].to_owned());
        let mut extra = Some(whole.as_str());
        let mut domain = domain.filter(|text| text.len() > 1);
        let mut scanner = Scanner::new(&address.addr);
        loop {
            let mark = self.buffer.len();
            self.buffer.push(self.step_before_next());
            let Some(range) = scanner.next_into(&mut self.buffer) else {
                self.buffer.truncate(mark);
                break;
            };
            self.word_count += 1;
            self.gap_next = false;
            if let Some(whole) = extra.take()
                && *whole != self.buffer[mark + 1..]
            {
                self.extra(whole);
            }
            if domain_at.is_some_and(|at| range.start > at)
                && let Some(domain) = domain.take()
            {
                self.extra(&domain);
            }
        }
        self.gap();
        whole
    }

    /// The buffer in the form the index replays.
    pub fn as_indexed(&self) -> &str {
        &self.buffer
    }

    /// The tokens in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.positions().map(|(_, word)| word)
    }

    /// The tokens in order with their positions in the field.
    pub fn positions(&self) -> impl Iterator<Item = (u32, &str)> {
        let mut rest = self.buffer.as_str();
        let mut position = u32::MAX;
        std::iter::from_fn(move || {
            let (step, word, after) = next_step(rest)?;
            rest = after;
            position = position.wrapping_add(step.0);
            Some((position, word))
        })
    }

    fn step_before_next(&self) -> char {
        if self.gap_next && !self.buffer.is_empty() {
            GAP
        } else {
            NEXT
        }
    }

    fn extra(&mut self, token: &str) {
        self.buffer.push(SAME);
        self.buffer.push_str(token);
        self.word_count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::words_with_offsets;
    use proptest::prelude::*;

    fn positions(tokens: &Tokens) -> Vec<(u32, &str)> {
        tokens.positions().collect()
    }

    #[test]
    fn an_address_gives_its_words_and_the_whole_at_the_same_position() {
        let mut tokens = Tokens::new();
        tokens.address(&Address {
            name: "Smith, John".into(),
            addr: "John.Smith@Met.example".into(),
        });
        assert_eq!(
            positions(&tokens),
            [
                (0, "smith"),
                (1, "john"),
                (101, "john"),
                (101, "john.smith@met.example"),
                (102, "smith"),
                (103, "met"),
                (103, "@met.example"),
                (104, "example"),
            ]
        );
    }

    #[test]
    fn two_addresses_are_a_gap_apart() {
        let mut tokens = Tokens::new();
        for addr in ["a@b", "c@d"] {
            tokens.address(&Address {
                name: String::new(),
                addr: addr.into(),
            });
        }
        let found = positions(&tokens);
        assert_eq!(found[0], (0, "a"));
        assert!(
            found
                .iter()
                .any(|(position, word)| *word == "c" && *position >= ADDRESS_GAP)
        );
    }

    #[test]
    fn a_gap_moves_the_next_token_only() {
        let mut tokens = Tokens::new();
        tokens.gap();
        tokens.text("one");
        tokens.gap();
        tokens.text("");
        tokens.text("two three");
        assert_eq!(positions(&tokens), [(0, "one"), (100, "two"), (101, "three")]);
        assert_eq!(tokens.word_count(), 3);
        tokens.clear();
        assert!(tokens.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn index_and_highlight_see_the_same_words(text in "(\\PC|[a-zA-Zéßøﬁ½ガ한日 .\u{301}\u{AD}]){0,60}") {
            let mut tokens = Tokens::new();
            tokens.text(&text);
            let indexed: Vec<&str> = tokens.words().collect();
            let shown: Vec<_> = words_with_offsets(&text).collect();
            prop_assert_eq!(indexed.len(), shown.len());
            let mut last = 0;
            for (position, word) in shown.iter().enumerate() {
                prop_assert_eq!(indexed[position], word.folded.as_ref());
                prop_assert!(word.range.start >= last && word.range.end <= text.len());
                prop_assert!(text.get(word.range.clone()).is_some());
                last = word.range.start;
            }
            prop_assert!(indexed.iter().all(|word| !word.is_empty() && !word.bytes().any(|byte| byte <= 3)));
        }

        #[test]
        fn tokens_of_tokens_are_the_same_tokens(text in "(\\PC|[a-zA-Zéßøﬁ½ガ한日 .\u{301}\u{AD}]){0,60}") {
            let mut once = Tokens::new();
            once.text(&text);
            let words: Vec<&str> = once.words().collect();
            let mut twice = Tokens::new();
            twice.text(&words.join(" "));
            prop_assert_eq!(words, twice.words().collect::<Vec<_>>());
        }

        #[test]
        fn a_found_range_gives_the_same_word_again(text in "[a-zA-Zéßøﬁガ한日 .\u{301}\u{AD}]{0,60}") {
            for word in words_with_offsets(&text) {
                let again: Vec<_> = words_with_offsets(&text[word.range.clone()]).collect();
                prop_assert_eq!(again.len(), 1);
                prop_assert_eq!(&again[0].folded, &word.folded);
            }
        }
    }
}
