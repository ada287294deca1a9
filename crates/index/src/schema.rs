//! The physical form of the one field table: which tantivy fields there are and how they are indexed.
//!
//! Text fields have postings with frequencies and positions; only `body` and `subject` keep their lengths
//! (for relevance). Keyword fields have plain postings. Item number, date and size are columns, and so are whole
//! addresses (sender, recipient) and the language, for counting. Nothing is stored: whatever is shown comes from the
//! catalogue and the originals.
//!
//! Invariant: the schema depends only on `model::field`, so two programs of one version make the same one.

use embley_model::field::{Field, Home};
use tantivy::schema::{Field as Physical, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer};

use crate::analysis::{Step, next_step};

/// Name of the column of item numbers.
pub(crate) const ITEM: &str = "item";

/// Name of the column of whole addresses that `from:` finds.
pub(crate) const SENDER: &str = "sender";

/// Name of the column of whole addresses that `to:`, `cc:` and `bcc:` find.
pub(crate) const RECIPIENT: &str = "recipient";

/// Name under which the engine keeps a value of a column as it is.
const RAW: &str = "raw";

/// Name under which the replay tokenizer is registered.
const REPLAY: &str = "replay";

/// The schema and the way from our fields to its fields.
#[derive(Clone, Debug)]
pub(crate) struct IndexSchema {
    pub(crate) schema: Schema,
    pub(crate) item: Physical,
    pub(crate) sender: Physical,
    pub(crate) recipient: Physical,
    by_field: [Option<Physical>; Field::ALL.len()],
}

impl IndexSchema {
    pub(crate) fn new() -> Self {
        let mut builder = Schema::builder();
        let column = || NumericOptions::default().set_fast();
        let item = builder.add_u64_field(ITEM, column());
        let addresses = || TextOptions::default().set_fast(RAW);
        let sender = builder.add_text_field(SENDER, addresses());
        let recipient = builder.add_text_field(RECIPIENT, addresses());
        let mut by_field = [None; Field::ALL.len()];
        for (slot, field) in by_field.iter_mut().zip(Field::ALL) {
            *slot = match field.home() {
                Home::Text => Some(builder.add_text_field(field.name(), text_options(*field))),
                Home::Keyword => Some(builder.add_text_field(field.name(), keyword_options(*field))),
                Home::Date => Some(builder.add_i64_field(field.name(), column())),
                Home::Number => Some(builder.add_u64_field(field.name(), column())),
                Home::Set | Home::Union(_) => None,
            };
        }
        Self {
            schema: builder.build(),
            item,
            sender,
            recipient,
            by_field,
        }
    }

    /// The physical field, if the field has one of its own.
    pub(crate) fn physical(&self, field: Field) -> Option<Physical> {
        let index = Field::ALL.iter().position(|one| *one == field)?;
        self.by_field[index]
    }
}

/// True for the text fields whose lengths are kept for relevance.
pub(crate) fn has_length(field: Field) -> bool {
    matches!(field, Field::Body | Field::Subject)
}

fn text_options(field: Field) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(REPLAY)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions)
            .set_fieldnorms(has_length(field)),
    )
}

fn keyword_options(field: Field) -> TextOptions {
    let options = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(REPLAY)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    );
    if field == Field::Language {
        options.set_fast(RAW)
    } else {
        options
    }
}

/// Registers the tokenizer that the schema names.
pub(crate) fn register(index: &tantivy::Index) {
    index
        .tokenizers()
        .register(REPLAY, TextAnalyzer::from(ReplayTokenizer::default()));
}

/// Hands the tokens of a replay buffer to the engine: nothing is analysed here, and nothing allocated
/// beyond one buffer for the longest token.
#[derive(Clone, Default)]
struct ReplayTokenizer {
    token: Token,
}

struct ReplayStream<'a> {
    rest: &'a str,
    token: &'a mut Token,
}

impl Tokenizer for ReplayTokenizer {
    type TokenStream<'a> = ReplayStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> ReplayStream<'a> {
        self.token.reset();
        ReplayStream {
            rest: text,
            token: &mut self.token,
        }
    }
}

impl TokenStream for ReplayStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((Step(step), word, rest)) = next_step(self.rest) else {
            return false;
        };
        self.rest = rest;
        self.token.position = self.token.position.wrapping_add(step as usize);
        self.token.text.clear();
        self.token.text.push_str(word);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Tokens;

    #[test]
    fn every_text_keyword_and_column_field_has_a_place_and_no_other() {
        let schema = IndexSchema::new();
        for field in Field::ALL {
            let own = !matches!(field.home(), Home::Set | Home::Union(_));
            assert_eq!(schema.physical(*field).is_some(), own, "{}", field.name());
        }
        assert!(schema.schema.fields().all(|(_, entry)| !entry.is_stored()));
    }

    #[test]
    fn replay_gives_back_words_and_positions() {
        let mut tokens = Tokens::new();
        tokens.text("One two");
        tokens.gap();
        tokens.text("three");
        let mut tokenizer = ReplayTokenizer::default();
        let mut stream = tokenizer.token_stream(tokens.as_indexed());
        let mut seen = Vec::new();
        stream.process(&mut |token| seen.push((token.position, token.text.clone())));
        let expected: Vec<(usize, String)> = tokens
            .positions()
            .map(|(position, word)| (position as usize, word.to_owned()))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_plain_value_is_one_token_at_position_zero() {
        let mut tokenizer = ReplayTokenizer::default();
        let mut stream = tokenizer.token_stream("sent items");
        assert!(stream.advance());
        assert_eq!(
            (stream.token().position, stream.token().text.as_str()),
            (0, "sent items")
        );
        assert!(!stream.advance());
    }
}
