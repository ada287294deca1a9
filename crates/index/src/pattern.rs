//! Patterns of words: beginnings, wildcards, edits, regular expressions, stems.
//!
//! A pattern stands for every indexed word that it accepts, however many they are; there is no limit. It is an automaton over the
//! bytes of folded words, so that the term dictionary is walked along the pattern and never listed, and the same automaton tells in a
//! stored text what matched. Not for: words split by signs (the plan makes a phrase of them), whole addresses and keyword values.
//! Main type: [`WordPattern`]. Invariant: a pattern accepts only words, letters and digits; the whole addresses that stand beside the
//! words of an address are never matched.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use regex_syntax::ast::{self, Ast};
use tantivy_fst::{Automaton, Regex};

use crate::analysis::words_with_offsets;

/// Most edits of a fuzzy word.
pub const MAX_EDITS: u8 = 2;
/// Most pieces (characters and signs) of a wildcard; a word has at most 200 bytes.
const MAX_PIECES: usize = 254;
/// Words of one stem share at least all of its letters but these (`relational`, `relate`; `dying`, `die`).
const STEM_TAIL: usize = 4;

/// A piece of a wildcard pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glob {
    /// This folded character.
    Char(char),
    /// `?`: exactly one character.
    One,
    /// `*`: any characters, also none.
    Many,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Prefix(String),
    Wildcard(Vec<Glob>),
    Fuzzy { word: String, distance: u8 },
    Regex(String),
    Stem { word: String, stem: String },
}

/// A pattern of folded words.
#[derive(Clone)]
pub struct WordPattern {
    kind: Kind,
    machine: Arc<Machine>,
}

/// Why a pattern cannot be used, and which bytes of it are at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Bytes of the pattern's text.
    pub range: Range<usize>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl WordPattern {
    /// Words that begin so.
    pub fn prefix(folded: &str) -> Self {
        let globs: Vec<Glob> = folded.chars().map(Glob::Char).chain([Glob::Many]).collect();
        Self::new(Kind::Prefix(folded.to_owned()), Machine::Globs(globs))
    }

    /// Words that the pieces describe from end to end.
    ///
    /// # Errors
    /// When there are more pieces than a word has room for.
    pub fn wildcard(pieces: Vec<Glob>) -> Result<Self, PatternError> {
        if pieces.len() > MAX_PIECES {
            return Err(PatternError {
                range: 0..pieces.len(),
                message: format!("a pattern has at most {MAX_PIECES} characters"),
            });
        }
        Ok(Self::new(Kind::Wildcard(pieces.clone()), Machine::Globs(pieces)))
    }

    /// Words at most `distance` edits from the folded word. An edit inserts, deletes or replaces a character, or swaps two
    /// neighbours (optimal string alignment).
    ///
    /// # Errors
    /// When the distance is above [`MAX_EDITS`].
    pub fn fuzzy(folded: &str, distance: u8) -> Result<Self, PatternError> {
        static BUILDERS: [OnceLock<LevenshteinAutomatonBuilder>; MAX_EDITS as usize + 1] =
            [const { OnceLock::new() }; MAX_EDITS as usize + 1];
        let Some(builder) = BUILDERS.get(usize::from(distance)) else {
            return Err(PatternError {
                range: 0..folded.len(),
                message: format!("at most {MAX_EDITS} edits are allowed"),
            });
        };
        let builder = builder.get_or_init(|| LevenshteinAutomatonBuilder::new(distance, true));
        let kind = Kind::Fuzzy {
            word: folded.to_owned(),
            distance,
        };
        Ok(Self::new(kind, Machine::Fuzzy(builder.build_dfa(folded))))
    }

    /// Words that the regular expression describes from end to end. Case makes no difference. Anchors, word boundaries, look-around,
    /// lazy repetition and flags mean nothing for whole folded words and are refused, and so is a letter that no folded word holds.
    ///
    /// # Errors
    /// With the place at fault.
    pub fn regex(text: &str) -> Result<Self, PatternError> {
        let fault = |range: Range<usize>, message: &str| PatternError {
            range,
            message: message.to_owned(),
        };
        let parsed = ast::parse::Parser::new().parse(text);
        let tree = parsed.map_err(|error| {
            let span = error.span();
            fault(span.start.offset..span.end.offset, &error.kind().to_string())
        })?;
        ast::visit(&tree, Refuser)?;
        let whole = || 0..text.len();
        let made = Regex::new(&format!("(?i)(?:{text})"));
        let regex = made.map_err(|error| fault(whole(), &format!("it cannot be compiled: {error}")))?;
        Ok(Self::new(Kind::Regex(text.to_owned()), Machine::Regex(Box::new(regex))))
    }

    /// Words with the same English stem as the folded word (Snowball's English stemmer, "Porter2").
    pub fn stem(folded: &str) -> Self {
        let stem = stem_of(folded);
        let shared = stem.chars().count().saturating_sub(STEM_TAIL).max(1);
        let globs = stem.chars().take(shared).map(Glob::Char).chain([Glob::Many]).collect();
        let kind = Kind::Stem {
            word: folded.to_owned(),
            stem,
        };
        Self::new(kind, Machine::Globs(globs))
    }

    fn new(kind: Kind, machine: Machine) -> Self {
        Self {
            kind,
            machine: Arc::new(machine),
        }
    }

    /// True when the pattern stands for this folded word.
    pub fn accepts(&self, folded: &str) -> bool {
        let mut state = self.machine.start();
        for byte in folded.bytes() {
            state = self.machine.accept(&state, byte);
            if !self.machine.can_match(&state) {
                return false;
            }
        }
        self.machine.is_match(&state) && self.confirms(folded)
    }

    /// The automaton that the dictionary is walked with. What it accepts has still to be confirmed.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What the automaton cannot tell of a word that it accepts.
    pub(crate) fn confirms(&self, folded: &str) -> bool {
        let word = folded.bytes().all(|byte| byte.is_ascii_alphanumeric()) || folded.chars().all(char::is_alphanumeric);
        word && match &self.kind {
            Kind::Stem { stem, .. } => stem_of(folded) == *stem,
            Kind::Prefix(_) | Kind::Wildcard(_) | Kind::Fuzzy { .. } | Kind::Regex(_) => true,
        }
    }
}

/// The English stem of a folded word.
fn stem_of(folded: &str) -> String {
    static STEMMER: OnceLock<frostem::Stemmer> = OnceLock::new();
    STEMMER
        .get_or_init(|| frostem::Stemmer::new(frostem::Algorithm::English))
        .stem(folded)
        .into_owned()
}

impl PartialEq for WordPattern {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for WordPattern {}

impl std::hash::Hash for WordPattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl fmt::Debug for WordPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.kind, f)
    }
}

/// The pattern in words, for plans.
impl fmt::Display for WordPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Prefix(prefix) => write!(f, "words that begin {prefix:?}"),
            Kind::Wildcard(pieces) => {
                let text: String = pieces
                    .iter()
                    .map(|piece| match piece {
                        Glob::Char(c) => *c,
                        Glob::One => '?',
                        Glob::Many => '*',
                    })
                    .collect();
                write!(f, "words like {text:?}")
            }
            Kind::Fuzzy { word, distance } => write!(f, "words at most {distance} edits from {word:?}"),
            Kind::Regex(text) => write!(f, "words of the form /{text}/"),
            Kind::Stem { word, stem } => write!(f, "words with the stem {stem:?} of {word:?}"),
        }
    }
}

/// Refuses what means nothing for a whole folded word.
struct Refuser;

impl ast::Visitor for Refuser {
    type Output = ();
    type Err = PatternError;

    fn finish(self) -> Result<(), PatternError> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), PatternError> {
        let message = match ast {
            Ast::Assertion(_) => {
                "anchors and boundaries are not allowed: an expression is matched against whole words".to_owned()
            }
            Ast::Flags(_) => "flags are not allowed: case makes no difference, and there are no lines".to_owned(),
            Ast::Group(group) if group.flags().is_some_and(|flags| !flags.items.is_empty()) => {
                "flags are not allowed: case makes no difference, and there are no lines".to_owned()
            }
            Ast::Repetition(repetition) if !repetition.greedy => {
                "lazy repetition is not allowed: a whole word matches or does not".to_owned()
            }
            Ast::Literal(literal) => match never_in_a_word(literal.c) {
                Some(message) => message,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let span = ast.span();
        Err(PatternError {
            range: span.start.offset..span.end.offset,
            message,
        })
    }
}

/// Why a literal character can match no folded word.
fn never_in_a_word(c: char) -> Option<String> {
    let mut buffer = [0; 4];
    let typed = c.encode_utf8(&mut buffer);
    let words: Vec<String> = words_with_offsets(typed).map(|word| word.folded.into_owned()).collect();
    match words.as_slice() {
        [] => Some(format!("`{c}` is never part of a word: words are letters and digits")),
        [folded] if *folded == c.to_ascii_lowercase().to_string() => None,
        _ => Some(format!(
            "`{c}` is never part of a word as it is indexed; write {}",
            words.join(" ")
        )),
    }
}

/// The automaton of a pattern.
pub(crate) enum Machine {
    Globs(Vec<Glob>),
    Fuzzy(DFA),
    Regex(Box<Regex>),
}

/// Where an automaton stands in a word.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Globs(GlobState),
    Fuzzy(u32),
    Regex(Option<usize>),
}

/// Which pieces can come next, as bits, and the character that is being read.
#[derive(Clone, Debug, Default)]
pub(crate) struct GlobState {
    next: [u64; 4],
    character: u32,
    bytes_left: u8,
}

impl GlobState {
    /// Adds place `at`, and what lies behind stars there.
    fn add(&mut self, pieces: &[Glob], mut at: usize) {
        loop {
            self.next[at / 64] |= 1 << (at % 64);
            if pieces.get(at) != Some(&Glob::Many) {
                return;
            }
            at += 1;
        }
    }

    fn has(&self, at: usize) -> bool {
        self.next[at / 64] >> (at % 64) & 1 == 1
    }

    fn step(&self, pieces: &[Glob], byte: u8) -> Self {
        let (character, bytes_left) = match byte {
            0..=0x7F => (u32::from(byte), 0),
            0x80..=0xBF => (
                self.character << 6 | u32::from(byte & 0x3F),
                self.bytes_left.saturating_sub(1),
            ),
            0xC0..=0xDF => (u32::from(byte & 0x1F), 1),
            0xE0..=0xEF => (u32::from(byte & 0x0F), 2),
            0xF0..=0xFF => (u32::from(byte & 0x07), 3),
        };
        if bytes_left > 0 {
            let next = self.next;
            return Self {
                next,
                character,
                bytes_left,
            };
        }
        let mut after = Self::default();
        for (word, bits) in self.next.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let at = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                match pieces.get(at) {
                    Some(Glob::Many) => after.add(pieces, at),
                    Some(Glob::One) => after.add(pieces, at + 1),
                    Some(Glob::Char(c)) if u32::from(*c) == character => after.add(pieces, at + 1),
                    Some(Glob::Char(_)) | None => {}
                }
            }
        }
        after
    }
}

impl Automaton for Machine {
    type State = State;

    fn start(&self) -> State {
        match self {
            Self::Globs(pieces) => {
                let mut state = GlobState::default();
                state.add(pieces, 0);
                State::Globs(state)
            }
            Self::Fuzzy(dfa) => State::Fuzzy(dfa.initial_state()),
            Self::Regex(regex) => State::Regex(regex.start()),
        }
    }

    fn is_match(&self, state: &State) -> bool {
        match (self, state) {
            (Self::Globs(pieces), State::Globs(state)) => state.bytes_left == 0 && state.has(pieces.len()),
            (Self::Fuzzy(dfa), State::Fuzzy(state)) => matches!(dfa.distance(*state), Distance::Exact(_)),
            (Self::Regex(regex), State::Regex(state)) => regex.is_match(state),
            _ => false,
        }
    }

    fn can_match(&self, state: &State) -> bool {
        match (self, state) {
            (Self::Globs(_), State::Globs(state)) => state.next != [0; 4],
            (Self::Fuzzy(_), State::Fuzzy(state)) => *state != SINK_STATE,
            (Self::Regex(regex), State::Regex(state)) => regex.can_match(state),
            _ => false,
        }
    }

    fn accept(&self, state: &State, byte: u8) -> State {
        match (self, state) {
            (Self::Globs(pieces), State::Globs(state)) => State::Globs(state.step(pieces, byte)),
            (Self::Fuzzy(dfa), State::Fuzzy(state)) => State::Fuzzy(dfa.transition(*state, byte)),
            (Self::Regex(regex), State::Regex(state)) => State::Regex(regex.accept(state, byte)),
            _ => unreachable!("a state belongs to the automaton that made it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(text: &str) -> WordPattern {
        let pieces = text.chars().map(|c| match c {
            '*' => Glob::Many,
            '?' => Glob::One,
            c => Glob::Char(c),
        });
        WordPattern::wildcard(pieces.collect()).expect("short")
    }

    #[test]
    fn wildcards_are_matched_from_end_to_end_by_characters() {
        for (pattern, word, expected) in [
            ("bri?e", "bribe", true),
            ("bri?e", "bride", true),
            ("bri?e", "brie", false),
            ("bri?e", "briбe", true),
            ("bri?e", "bribes", false),
            ("*ment", "ment", true),
            ("*ment", "payment", true),
            ("*ment", "payments", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbyybzzc", true),
            ("a*b*c", "acb", false),
            ("??", "日本", true),
            ("*", "", true),
            ("a*", "a@b", false),
        ] {
            assert_eq!(glob(pattern).accepts(word), expected, "{pattern} {word}");
        }
        let many = format!("*a{}", "?".repeat(200));
        assert!(glob(&many).accepts(&"a".repeat(201)));
        assert!(!glob(&many).accepts(&"a".repeat(200)));
        assert!(WordPattern::wildcard(vec![Glob::One; 255]).is_err());
    }

    /// Optimal string alignment, from its recurrence.
    fn edits(a: &[char], b: &[char]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, left @ ..], [y, right @ ..]) => {
                let mut best = edits(left, right) + usize::from(x != y);
                best = best.min(edits(left, b) + 1).min(edits(a, right) + 1);
                if let ([_, x2, left @ ..], [_, y2, right @ ..]) = (a, b)
                    && (x, x2) == (y2, y)
                {
                    best = best.min(edits(left, right) + 1);
                }
                best
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn fuzzy_words_are_those_within_the_edits(a in "[abé]{0,6}", b in "[abé]{0,6}", distance in 0_u8..=2) {
            let pattern = WordPattern::fuzzy(&a, distance).expect("a small distance");
            let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(pattern.accepts(&b), edits(&left, &right) <= usize::from(distance));
        }

        #[test]
        fn wildcards_match_as_their_definition_says(pattern in "[ab*?]{0,8}", word in "[ab]{0,8}") {
            fn fits(pattern: &[u8], word: &[u8]) -> bool {
                match pattern {
                    [] => word.is_empty(),
                    [b'*', rest @ ..] => (0..=word.len()).any(|at| fits(rest, &word[at..])),
                    [b'?', rest @ ..] => !word.is_empty() && fits(rest, &word[1..]),
                    [c, rest @ ..] => word.first() == Some(c) && fits(rest, &word[1..]),
                }
            }
            prop_assert_eq!(glob(&pattern).accepts(&word), fits(pattern.as_bytes(), word.as_bytes()));
        }
    }

    #[test]
    fn expressions_match_whole_words_and_refuse_what_cannot_be_meant() {
        for (text, word, expected) in [
            ("br[iy]be", "brybe", true),
            ("br.be", "bribes", false),
            ("(fr|g)aud?", "gau", true),
            ("BR.BE", "bribe", true),
            (r"\d{4}", "2001", true),
            (r"\p{L}+", "日", true),
            ("a*", "", true),
        ] {
            let pattern = WordPattern::regex(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(pattern.accepts(word), expected, "{text} {word}");
        }
        for (text, range, message) in [
            ("^a", 0..1, "anchors"),
            (r"a\b", 1..3, "anchors"),
            ("a.*?", 1..4, "lazy"),
            ("(?s)a", 0..4, "flags"),
            ("(?i:a)", 0..6, "flags"),
            ("caf\u{e9}", 3..5, "write e"),
            ("e-mail", 1..2, "never part of a word"),
            ("a(b", 1..2, "unclosed group"),
            (r"(a)\1", 3..5, "backreferences"),
            ("(?=a)", 0..3, "look-around"),
            ("a{1000000}", 0..10, "compiled"),
        ] {
            let error = WordPattern::regex(text).expect_err(text);
            assert_eq!(error.range, range, "{text}: {error:?}");
            assert!(error.message.contains(message), "{text}: {error:?}");
        }
    }

    #[test]
    fn words_of_one_stem_are_found_by_any_of_them() {
        for family in [
            &["bribe", "bribes", "bribed", "bribing"][..],
            &["die", "dying", "died", "dies"],
            &["relate", "relates", "relational", "relating"],
            &["happy", "happily", "happiness"],
            &["ski", "skis"],
            &["sky", "skies"],
            &["hope", "hoping", "hoped"],
            &["sensible", "sensibility", "sensibly"],
            &["generalize", "generalization", "generalizing"],
        ] {
            for typed in family {
                let pattern = WordPattern::stem(typed);
                for word in family {
                    assert_eq!(pattern.accepts(word), stem_of(word) == stem_of(typed), "{typed} {word}");
                }
            }
        }
        let bribes = WordPattern::stem("bribes");
        assert!(bribes.accepts("bribing") && !bribes.accepts("bribery") && !bribes.accepts("brib@x"));
    }

    #[test]
    fn a_word_shares_all_but_the_tail_of_its_stem() {
        // Every form that the stemmer's steps undo, on many beginnings.
        let endings = [
            "", "s", "es", "ies", "ied", "ed", "ing", "edly", "ingly", "y", "ly", "ational", "ation", "ator", "alism",
            "aliti", "alli", "fulness", "ousli", "ousness", "iveness", "iviti", "biliti", "bility", "bli", "ogi",
            "fulli", "lessli", "enci", "anci", "abli", "entli", "izer", "ization", "icate", "iciti", "ical", "ness",
            "ement", "ment", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion", "eed", "eedly", "ying",
        ];
        let mut seen = 0;
        for begin in [
            "d", "sk", "hop", "hopp", "relat", "sens", "general", "happ", "luxuri", "troubl", "siz", "exce", "str",
            "conv",
        ] {
            for ending in endings {
                let word = format!("{begin}{ending}");
                let stem = stem_of(&word);
                let shared = stem.len().saturating_sub(STEM_TAIL).max(1);
                assert!(word.starts_with(&stem[..shared]), "{word} {stem}");
                seen += 1;
            }
        }
        assert!(seen > 600);
    }
}
