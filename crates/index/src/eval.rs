//! Evaluation of a [`Node`] over one segment to the exact set of its documents.
//!
//! Every answer needs the exact count and usually the set itself, so nothing is gained by stopping early:
//! sets are plain bits, a conjunction is narrowed from its rarest part on, and what is rare is looked up by
//! skipping in the others' postings instead of reading them.
//!
//! Invariant: the result is the same for every order of evaluation; costs only choose the order.

use std::ops::Bound;
use std::sync::Arc;

use embley_model::field::{Field, Home};
use tantivy::columnar::Column;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet, InvertedIndexReader, TERMINATED, TantivyError};

use crate::analysis::fold_keyword;
use crate::bits::DocBits;
use crate::columns::for_each_value;
use crate::error::{IndexError, Result};
use crate::expand::{Union, necessary};
use crate::node::Node;
use crate::positional::{self, FieldPostings};
use crate::segment::{OpenSegment, ordered};

/// A set that narrows what is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Within<'a> {
    pub(crate) bits: &'a DocBits,
    pub(crate) count: u32,
}

impl<'a> Within<'a> {
    fn new(bits: &'a DocBits) -> Self {
        Self {
            bits,
            count: bits.count(),
        }
    }

    /// True when looking up each document of this set by skipping is cheaper than reading `doc_count`
    /// postings in blocks (a skip costs about as much as eight documents of a block).
    pub(crate) fn is_rare_beside(&self, doc_count: u32) -> bool {
        self.count.saturating_mul(8) < doc_count
    }
}

/// What evaluation needs to know of a segment.
pub(crate) struct Evaluator<'s> {
    pub(crate) segment: &'s OpenSegment,
}

impl Evaluator<'_> {
    /// The documents that match and are not deleted.
    pub(crate) fn matching(&self, node: &Node) -> Result<DocBits> {
        let alive = self.segment.alive_docs();
        let within = alive.as_ref().map(Within::new);
        self.eval(node, within)
    }

    /// The documents of `within` (or of the whole segment) that match, deletions not looked at.
    pub(crate) fn eval(&self, node: &Node, within: Option<Within<'_>>) -> Result<DocBits> {
        if within.is_some_and(|within| within.count == 0) {
            return Ok(self.nothing());
        }
        match node {
            Node::All => Ok(within.map_or_else(|| self.everything(), |within| within.bits.clone())),
            Node::Nothing => Ok(self.nothing()),
            Node::Term { fields, token } => self.words(fields, within, |field, bits| {
                self.term(field.inverted, token, within, bits)
            }),
            Node::Phrase { fields, tokens } => {
                self.words(fields, within, |field, bits| self.phrase(field, tokens, within, bits))
            }
            Node::PhrasePrefix { fields, tokens, prefix } => self.words(fields, within, |field, bits| {
                self.phrase_prefix(field, tokens, prefix, within, bits)
            }),
            Node::Prefix { fields, prefix } => self.words(fields, within, |field, bits| {
                self.prefix(field.inverted, prefix, within, bits)
            }),
            Node::Words { fields, pattern } => self.words(fields, within, |field, bits| {
                let mut union = Union::new(self, field.inverted, within);
                self.for_each_accepted(field.inverted, pattern, |_, info| union.add(info, bits))
            }),
            Node::Spans { fields, query } => {
                let mut bits = self.nothing();
                for field in fields {
                    self.spans(*field, query, within, &mut bits)?;
                }
                Ok(bits)
            }
            Node::Keyword { field, value } => {
                let mut bits = self.nothing();
                self.term(&*self.keyword_index(*field)?, &fold_keyword(value), within, &mut bits)?;
                Ok(narrowed(bits, within))
            }
            Node::KeywordPrefix { field, prefix } => {
                let mut bits = self.nothing();
                self.prefix(&*self.keyword_index(*field)?, &fold_keyword(prefix), within, &mut bits)?;
                Ok(narrowed(bits, within))
            }
            Node::Range { field, low, high } => self.range(*field, *low, *high, within),
            Node::Exists { field } => self.exists(*field, within),
            Node::Items(items) | Node::Checked(items) => {
                Ok(narrowed(self.segment.items()?.docs(items, self.doc_count()), within))
            }
            Node::Bits(items) => Ok(narrowed(
                self.segment.items()?.docs_of_bits(items, self.doc_count()),
                within,
            )),
            Node::And(children) => self.and(children, within),
            Node::Or(children) => {
                let mut bits = self.nothing();
                for child in children {
                    bits.or(&self.eval(child, within)?);
                }
                Ok(bits)
            }
            Node::Not(child) => {
                let mut bits = within.map_or_else(|| self.everything(), |within| within.bits.clone());
                bits.and_not(&self.eval(child, within)?);
                Ok(bits)
            }
        }
    }

    /// Narrows from the cheapest child on; negations come last.
    fn and(&self, children: &[Node], within: Option<Within<'_>>) -> Result<DocBits> {
        let mut ordered = Vec::with_capacity(children.len());
        for child in children {
            ordered.push((self.cost(child)?, child));
        }
        ordered.sort_by_key(|(cost, _)| *cost);
        let mut so_far: Option<DocBits> = None;
        for (_, child) in ordered {
            let next = match &so_far {
                None => self.eval(child, within)?,
                Some(bits) => self.eval(child, Some(Within::new(bits)))?,
            };
            if next.is_empty() {
                return Ok(next);
            }
            so_far = Some(next);
        }
        so_far.map_or_else(|| self.eval(&Node::All, within), Ok)
    }

    /// A bound on the work of evaluating the node, in postings.
    pub(crate) fn cost(&self, node: &Node) -> Result<u64> {
        let doc_count = u64::from(self.doc_count());
        Ok(match node {
            Node::Nothing => 0,
            Node::All => 2 * doc_count,
            Node::Term { fields, token } => self.sum(fields, |field| self.doc_freq(field, token))?,
            Node::Keyword { field, value } => self.doc_freq(*field, &fold_keyword(value))?,
            Node::Phrase { fields, tokens } | Node::PhrasePrefix { fields, tokens, .. } => {
                // Positions cost about ten times a posting.
                10 * self.sum(fields, |field| {
                    let mut rarest = doc_count;
                    for token in tokens {
                        rarest = rarest.min(self.doc_freq(field, token)?);
                    }
                    Ok(rarest)
                })?
            }
            Node::Items(items) | Node::Checked(items) => items.len().min(doc_count),
            Node::Bits(items) => items.len().min(doc_count),
            Node::Range { .. } | Node::Exists { .. } => 2 * doc_count,
            Node::Prefix { .. } | Node::KeywordPrefix { .. } | Node::Words { .. } => 3 * doc_count,
            Node::Spans { fields, query } => 10 * self.sum(fields, |field| self.cost(&necessary(field, query)))?,
            Node::And(children) => {
                let mut cost = 4 * doc_count;
                for child in children {
                    cost = cost.min(self.cost(child)?);
                }
                cost
            }
            Node::Or(children) => {
                let mut cost = 0_u64;
                for child in children {
                    cost = u64::saturating_add(cost, self.cost(child)?);
                }
                cost
            }
            Node::Not(_) => u64::MAX / 2,
        })
    }

    fn sum(&self, fields: &[Field], mut each: impl FnMut(Field) -> Result<u64>) -> Result<u64> {
        let mut total = 0;
        for field in fields {
            total += each(*field)?;
        }
        Ok(total)
    }

    /// Number of documents of this segment with the token, deleted ones included.
    pub(crate) fn doc_freq(&self, field: Field, token: &str) -> Result<u64> {
        let inverted = self.segment.inverted(field)?;
        Ok(self.info(&inverted, token)?.map_or(0, |info| u64::from(info.doc_freq)))
    }

    /// The same without documents that are deleted or hidden.
    pub(crate) fn seen_doc_freq(&self, field: Field, token: &str) -> Result<u64> {
        let inverted = self.segment.inverted(field)?;
        match (self.info(&inverted, token)?, self.segment.alive_docs()) {
            (None, _) => Ok(0),
            (Some(info), None) => Ok(u64::from(info.doc_freq)),
            (Some(info), Some(alive)) => Ok(u64::from(self.seen_with(&inverted, &info, &alive)?)),
        }
    }

    /// How many of these documents have the token.
    pub(crate) fn seen_with(&self, inverted: &InvertedIndexReader, info: &TermInfo, alive: &DocBits) -> Result<u32> {
        let mut bits = self.nothing();
        self.postings(inverted, info, Some(Within::new(alive)), &mut bits)?;
        bits.and(alive);
        Ok(bits.count())
    }

    /// The text field's index; other fields are refused.
    pub(crate) fn text_index(&self, field: Field) -> Result<Arc<InvertedIndexReader>> {
        if field.home() == Home::Text {
            self.segment.inverted(field)
        } else {
            Err(misuse(field, "for words"))
        }
    }

    fn keyword_index(&self, field: Field) -> Result<Arc<InvertedIndexReader>> {
        if field.home() == Home::Keyword {
            self.segment.inverted(field)
        } else {
            Err(misuse(field, "for whole values"))
        }
    }

    /// The union over text fields of what `each` adds.
    fn words(
        &self,
        fields: &[Field],
        within: Option<Within<'_>>,
        mut each: impl FnMut(&FieldPostings<'_>, &mut DocBits) -> Result<()>,
    ) -> Result<DocBits> {
        let mut bits = self.nothing();
        for field in fields {
            let inverted = self.text_index(*field)?;
            let postings = FieldPostings {
                inverted: &inverted,
                positions: self.segment.positions(*field),
            };
            each(&postings, &mut bits)?;
        }
        Ok(narrowed(bits, within))
    }

    pub(crate) fn info(&self, inverted: &InvertedIndexReader, token: &str) -> Result<Option<TermInfo>> {
        inverted.terms().get(token).map_err(|source| self.failed(source.into()))
    }

    /// Adds the documents with the token. Some outside `within` may be added too.
    fn term(
        &self,
        inverted: &InvertedIndexReader,
        token: &str,
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<()> {
        match self.info(inverted, token)? {
            Some(info) => self.postings(inverted, &info, within, bits),
            None => Ok(()),
        }
    }

    pub(crate) fn postings(
        &self,
        inverted: &InvertedIndexReader,
        info: &TermInfo,
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<()> {
        match within {
            Some(within) if within.is_rare_beside(info.doc_freq) => {
                let mut postings = inverted
                    .read_postings_from_terminfo(info, IndexRecordOption::Basic)
                    .map_err(|source| self.failed(source.into()))?;
                for doc in within.bits.iter() {
                    if postings.doc() < doc && postings.seek(doc) == TERMINATED {
                        break;
                    }
                    if postings.doc() == doc {
                        bits.insert(doc);
                    }
                }
            }
            _ => {
                let mut block = inverted
                    .read_block_postings_from_terminfo(info, IndexRecordOption::Basic)
                    .map_err(|source| self.failed(source.into()))?;
                insert_all(&mut block, bits);
            }
        }
        Ok(())
    }

    fn phrase(
        &self,
        field: &FieldPostings<'_>,
        tokens: &[String],
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<()> {
        if let [token] = tokens {
            return self.term(field.inverted, token, within, bits);
        }
        let Some(infos) = self.infos(field.inverted, tokens)? else {
            return Ok(());
        };
        positional::for_each_match(field, &infos, within.map(|within| within.bits), &mut |doc, _| {
            bits.insert(doc);
        })
        .map_err(|source| self.failed(source.into()))
    }

    /// The dictionary entries of all tokens; `None` when one is not there, or there is no token.
    pub(crate) fn infos(&self, inverted: &InvertedIndexReader, tokens: &[String]) -> Result<Option<Vec<TermInfo>>> {
        let mut infos = Vec::with_capacity(tokens.len());
        for token in tokens {
            match self.info(inverted, token)? {
                Some(info) => infos.push(info),
                None => return Ok(None),
            }
        }
        Ok((!infos.is_empty()).then_some(infos))
    }

    fn phrase_prefix(
        &self,
        field: &FieldPostings<'_>,
        tokens: &[String],
        prefix: &str,
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<()> {
        if tokens.is_empty() {
            return self.prefix(field.inverted, prefix, within, bits);
        }
        let Some(mut infos) = self.infos(field.inverted, tokens)? else {
            return Ok(());
        };
        let mut begun = self.nothing();
        self.phrase(field, tokens, within, &mut begun)?;
        if begun.is_empty() {
            return Ok(());
        }
        self.for_each_info(field.inverted, prefix, |last| {
            infos.push(last.clone());
            let done = positional::for_each_match(field, &infos, Some(&begun), &mut |doc, _| bits.insert(doc));
            infos.pop();
            done.map_err(|source| self.failed(source.into()))
        })
    }

    fn prefix(
        &self,
        inverted: &InvertedIndexReader,
        prefix: &str,
        within: Option<Within<'_>>,
        bits: &mut DocBits,
    ) -> Result<()> {
        let mut union = Union::new(self, inverted, within);
        self.for_each_info(inverted, prefix, |info| union.add(info, bits))
    }

    /// Calls `each` with the dictionary entry of every token that begins so.
    fn for_each_info(
        &self,
        inverted: &InvertedIndexReader,
        prefix: &str,
        mut each: impl FnMut(&TermInfo) -> Result<()>,
    ) -> Result<()> {
        let mut range = inverted.terms().range();
        if let Some((last, before)) = prefix.as_bytes().split_last() {
            // The last byte of UTF-8 text is never 255, so the next key after all continuations exists.
            let mut after = before.to_vec();
            after.push(last + 1);
            range = range.ge(prefix.as_bytes()).lt(after);
        }
        let mut stream = range
            .without_keys()
            .into_stream()
            .map_err(|source| self.failed(source.into()))?;
        while stream.advance() {
            each(stream.value())?;
        }
        Ok(())
    }

    fn range(&self, field: Field, low: Bound<i64>, high: Bound<i64>, within: Option<Within<'_>>) -> Result<DocBits> {
        let (Some(low), Some(high)) = (lowest(low), highest(high)) else {
            return Ok(self.nothing());
        };
        if low > high {
            return Ok(self.nothing());
        }
        match field.home() {
            Home::Date => self.between(&self.segment.dates(field)?, ordered(low), ordered(high), within),
            Home::Number => {
                let Ok(high) = u64::try_from(high) else {
                    return Ok(self.nothing());
                };
                let low = u64::try_from(low).unwrap_or(0);
                self.between(&self.segment.sizes()?, low, high, within)
            }
            Home::Text | Home::Keyword | Home::Set | Home::Union(_) => Err(misuse(field, "for a range")),
        }
    }

    /// Compares every value itself: the engine's own look-up of a range takes a bound below the lowest value
    /// for that value.
    fn between(&self, column: &Column<u64>, low: u64, high: u64, within: Option<Within<'_>>) -> Result<DocBits> {
        let mut bits = self.nothing();
        if column.values.num_vals() == 0 || column.max_value() < low || high < column.min_value() {
            return Ok(bits);
        }
        if let Some(within) = within
            && within.is_rare_beside(self.doc_count())
        {
            for doc in within.bits.iter() {
                if column.first(doc).is_some_and(|value| low <= value && value <= high) {
                    bits.insert(doc);
                }
            }
            return Ok(bits);
        }
        for_each_value(column, self.doc_count(), |doc, value| {
            if low <= value && value <= high {
                bits.insert(doc);
            }
        });
        Ok(narrowed(bits, within))
    }

    fn exists(&self, field: Field, within: Option<Within<'_>>) -> Result<DocBits> {
        match field.home() {
            Home::Date => {
                let column = self.segment.dates(field)?;
                let mut bits = self.nothing();
                for_each_value(&column, self.doc_count(), |doc, _| bits.insert(doc));
                Ok(narrowed(bits, within))
            }
            Home::Number => self.eval(&Node::All, within),
            Home::Text | Home::Keyword => {
                let mut bits = self.nothing();
                self.prefix(&*self.segment.inverted(field)?, "", within, &mut bits)?;
                Ok(narrowed(bits, within))
            }
            Home::Set | Home::Union(_) => Err(misuse(field, "in the index")),
        }
    }

    pub(crate) fn doc_count(&self) -> u32 {
        self.segment.doc_count()
    }

    fn nothing(&self) -> DocBits {
        DocBits::empty(self.doc_count())
    }

    fn everything(&self) -> DocBits {
        DocBits::full(self.doc_count())
    }

    pub(crate) fn failed(&self, source: TantivyError) -> IndexError {
        self.segment.failed(source)
    }
}

pub(crate) fn insert_all(block: &mut BlockSegmentPostings, bits: &mut DocBits) {
    while !block.docs().is_empty() {
        block.docs().iter().for_each(|doc| bits.insert(*doc));
        block.advance();
    }
}

fn narrowed(mut bits: DocBits, within: Option<Within<'_>>) -> DocBits {
    if let Some(within) = within {
        bits.and(within.bits);
    }
    bits
}

fn misuse(field: Field, use_as: &'static str) -> IndexError {
    IndexError::FieldMisuse {
        field: field.name(),
        use_as,
    }
}

/// The lowest value within the bound; `None` when there is none.
fn lowest(bound: Bound<i64>) -> Option<i64> {
    match bound {
        Bound::Included(value) => Some(value),
        Bound::Excluded(value) => value.checked_add(1),
        Bound::Unbounded => Some(i64::MIN),
    }
}

/// The highest value within the bound; `None` when there is none.
fn highest(bound: Bound<i64>) -> Option<i64> {
    match bound {
        Bound::Included(value) => Some(value),
        Bound::Excluded(value) => value.checked_sub(1),
        Bound::Unbounded => Some(i64::MAX),
    }
}
