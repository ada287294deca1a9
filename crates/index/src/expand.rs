//! Evaluation of patterns and positions over one segment: what stands for many tokens, and what needs their places.
//!
//! Not for: single tokens and plain phrases (`eval`). Invariant: every token that a pattern accepts is looked at, and every document that
//! could hold a span; what is skipped holds none.

use embley_model::field::Field;
use tantivy::InvertedIndexReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;

use crate::bits::DocBits;
use crate::error::Result;
use crate::eval::{Evaluator, Within, insert_all};
use crate::node::Node;
use crate::pattern::WordPattern;
use crate::positional::{FieldPostings, WALK_FACTOR};
use crate::spans::{self, Compiled, LeafPostings, Matcher, Pair, SpanQuery};

impl Evaluator<'_> {
    /// Adds the documents of `within` in which the query has a span in this field.
    pub(crate) fn spans(
        &self,
        field: Field,
        query: &SpanQuery,
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<()> {
        let inverted = self.text_index(field)?;
        let compiled = Compiled::new(query, spans::reach(field));
        let postings = FieldPostings {
            inverted: &inverted,
            positions: self.segment.positions(field),
        };
        if let Some(pair) = Pair::of(&compiled)
            && self.pair(&postings, &compiled, pair, within, bits)?
        {
            return Ok(());
        }
        let candidates = self.eval(&necessary(field, query), within)?;
        if candidates.is_empty() {
            return Ok(());
        }
        let mut leaves: Vec<LeafPostings> = Vec::with_capacity(compiled.leaves.len());
        for leaf in &compiled.leaves {
            let mut infos = Vec::new();
            match leaf {
                spans::Leaf::Word(word) => infos.extend(self.info(&inverted, word)?),
                spans::Leaf::Pattern(pattern) => self.for_each_accepted(&inverted, pattern, |_, info| {
                    infos.push(info.clone());
                    Ok(())
                })?,
            }
            leaves.push(infos);
        }
        let mut matcher = Matcher::new(&compiled);
        let mut found = |doc| bits.insert(doc);
        spans::for_each_doc(
            &postings,
            &leaves,
            &candidates,
            self.doc_count(),
            &mut matcher,
            &mut found,
        )
        .map_err(|source| self.failed(source.into()))
    }

    /// Adds the documents in which two plain words are near each other, if both lists are worth reading from end to end; else says false.
    fn pair(
        &self,
        postings: &FieldPostings<'_>,
        query: &Compiled,
        pair: Pair,
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<bool> {
        let (spans::Leaf::Word(left), spans::Leaf::Word(right)) =
            (&query.leaves[pair.leaves.0], &query.leaves[pair.leaves.1])
        else {
            return Ok(false);
        };
        let (Some(left), Some(right)) = (
            self.info(postings.inverted, left)?,
            self.info(postings.inverted, right)?,
        ) else {
            // One of them does not occur.
            return Ok(true);
        };
        let of_least = left
            .doc_freq
            .min(right.doc_freq)
            .min(within.map_or(u32::MAX, |within| within.count));
        if left.doc_freq.max(right.doc_freq) / WALK_FACTOR > of_least {
            return Ok(false);
        }
        let mut found = |doc| bits.insert(doc);
        spans::for_each_near(
            postings,
            (&left, &right),
            pair,
            within.map(|within| within.bits),
            &mut found,
        )
        .map_err(|source| self.failed(source.into()))?;
        Ok(true)
    }

    /// Calls `each` with every token that the pattern accepts and its dictionary entry, in order.
    pub(crate) fn for_each_accepted(
        &self,
        inverted: &InvertedIndexReader,
        pattern: &WordPattern,
        mut each: impl FnMut(&str, &TermInfo) -> Result<()>,
    ) -> Result<()> {
        let mut stream = inverted
            .terms()
            .search(pattern.machine())
            .into_stream()
            .map_err(|source| self.failed(source.into()))?;
        while stream.advance() {
            // Whatever is not text is no word.
            if let Ok(token) = std::str::from_utf8(stream.key())
                && pattern.confirms(token)
            {
                each(token, stream.value())?;
            }
        }
        Ok(())
    }
}

/// What a document must hold to have a span: a condition without positions. What all nested operators ask for is one list.
pub(crate) fn necessary(field: Field, query: &SpanQuery) -> Node {
    let mut all = Vec::new();
    require(field, query, &mut all);
    if all.len() == 1 {
        all.swap_remove(0)
    } else {
        Node::And(all)
    }
}

fn require(field: Field, query: &SpanQuery, all: &mut Vec<Node>) {
    let fields = vec![field];
    let node = match query {
        SpanQuery::Word(token) => Node::Term {
            fields,
            token: token.clone(),
        },
        SpanQuery::Pattern(pattern) => Node::Words {
            fields,
            pattern: pattern.clone(),
        },
        SpanQuery::Any(parts) => Node::Or(parts.iter().map(|part| necessary(field, part)).collect()),
        SpanQuery::Phrase(parts) if parts.is_empty() => Node::Nothing,
        SpanQuery::Phrase(parts) => return parts.iter().for_each(|part| require(field, part, all)),
        SpanQuery::Within { left, right, .. } | SpanQuery::Before { left, right, .. } => {
            require(field, left, all);
            return require(field, right, all);
        }
        SpanQuery::NotWithin { left, .. } => return require(field, left, all),
    };
    if !all.contains(&node) {
        all.push(node);
    }
}

/// Adds the documents of many tokens. One reader of blocks serves all: making one costs more than reading a short list.
pub(crate) struct Union<'e, 's> {
    evaluator: &'e Evaluator<'s>,
    inverted: &'e InvertedIndexReader,
    within: Option<Within<'e>>,
    reader: Option<BlockSegmentPostings>,
}

impl<'e, 's> Union<'e, 's> {
    pub(crate) fn new(
        evaluator: &'e Evaluator<'s>,
        inverted: &'e InvertedIndexReader,
        within: Option<Within<'e>>,
    ) -> Self {
        Self {
            evaluator,
            inverted,
            within,
            reader: None,
        }
    }

    /// Adds those of one token. Some outside `within` may be added too.
    pub(crate) fn add(&mut self, info: &TermInfo, bits: &mut DocBits) -> Result<()> {
        if self.within.is_some_and(|within| within.is_rare_beside(info.doc_freq)) {
            return self.evaluator.postings(self.inverted, info, self.within, bits);
        }
        let opened = match &mut self.reader {
            Some(block) => self.inverted.reset_block_postings_from_terminfo(info, block),
            None => self
                .inverted
                .read_block_postings_from_terminfo(info, IndexRecordOption::Basic)
                .map(|block| self.reader = Some(block)),
        };
        opened.map_err(|source| self.evaluator.failed(source.into()))?;
        if let Some(block) = &mut self.reader {
            insert_all(block, bits);
        }
        Ok(())
    }
}
