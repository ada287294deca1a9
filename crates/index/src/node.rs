//! The query tree of the index: typed, already analysed, without syntax.
//!
//! Whoever builds it has folded the tokens with [`analysis`](crate::analysis). Nothing here is guessed from
//! text: a [`Node::Prefix`] is a prefix because it says so, a [`Node::Term`] that ends in `*` matches a
//! token that does (there is none).

use std::ops::Bound;
use std::sync::Arc;

use embley_model::field::Field;
use roaring::RoaringBitmap;

use crate::item_bits::ItemBits;
use crate::pattern::WordPattern;
use crate::spans::SpanQuery;

/// A query over items.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Every item.
    All,
    /// No item.
    Nothing,
    /// Items with this token in any of the text fields.
    Term {
        /// Text fields.
        fields: Vec<Field>,
        /// Folded token.
        token: String,
    },
    /// Items with these tokens at consecutive positions within one of the text fields. One token is a term;
    /// none is [`Node::Nothing`].
    Phrase {
        /// Text fields.
        fields: Vec<Field>,
        /// Folded tokens in order.
        tokens: Vec<String>,
    },
    /// A phrase whose last word is a prefix. Without tokens it is [`Node::Prefix`].
    PhrasePrefix {
        /// Text fields.
        fields: Vec<Field>,
        /// Folded tokens in order.
        tokens: Vec<String>,
        /// Beginning of the token that follows them.
        prefix: String,
    },
    /// Items with a token that begins so in any of the text fields. Exact: no limit on the number of tokens.
    Prefix {
        /// Text fields.
        fields: Vec<Field>,
        /// Folded beginning; the empty one matches items with any token.
        prefix: String,
    },
    /// Items with a word that the pattern stands for in any of the text fields. Exact: no limit on the number of words.
    Words {
        /// Text fields.
        fields: Vec<Field>,
        /// Which words.
        pattern: WordPattern,
    },
    /// Items in which the query has a span of positions within one of the text fields.
    Spans {
        /// Text fields.
        fields: Vec<Field>,
        /// Which spans.
        query: SpanQuery,
    },
    /// Items with this whole value, which is folded here.
    Keyword {
        /// A keyword field.
        field: Field,
        /// The value.
        value: String,
    },
    /// Items with a value that begins so; it is folded here.
    KeywordPrefix {
        /// A keyword field.
        field: Field,
        /// Beginning of the value.
        prefix: String,
    },
    /// Items whose date (seconds UTC) or size (bytes) lies within the bounds. Undated items never do.
    Range {
        /// `date` or `size`.
        field: Field,
        /// Lower bound.
        low: Bound<i64>,
        /// Upper bound.
        high: Bound<i64>,
    },
    /// Items with any value in the field.
    Exists {
        /// A text, keyword, date or number field.
        field: Field,
    },
    /// Items of a set from the catalogue.
    Items(Arc<RoaringBitmap>),
    /// The same as plain bits, for sets that were computed on machine words.
    Bits(Arc<ItemBits>),
    /// Items that someone found by reading texts: as [`Node::Items`], but what is known of an item's text decides it.
    Checked(Arc<RoaringBitmap>),
    /// Items in all of them; of none is [`Node::All`].
    And(Vec<Node>),
    /// Items in any of them; of none is [`Node::Nothing`].
    Or(Vec<Node>),
    /// Items not in it.
    Not(Box<Node>),
}

/// The order of results. Ties are always broken by item number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first; undated items last.
    DateAsc,
    /// Newest first; undated items last.
    DateDesc,
    /// Those in a stretch of time first, then by their distance from it, before or behind; undated items last.
    Near {
        /// First moment of the stretch, seconds UTC.
        first: i64,
        /// First moment after it.
        end: i64,
    },
    /// BM25 over the words of the query; not part of any certificate.
    Relevance,
    /// By item number.
    ItemNo,
}

/// What is wanted besides the exact count, which always comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Want {
    /// The bitmap of all items found.
    pub items: bool,
    /// A page of results: order, how many to pass over, how many at most.
    pub top: Option<(Order, usize, usize)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Exact number of items.
    pub count: u64,
    /// All of them, if wanted.
    pub items: Option<RoaringBitmap>,
    /// The page, with scores that are zero unless the order is relevance.
    pub top: Vec<(u32, f32)>,
}
