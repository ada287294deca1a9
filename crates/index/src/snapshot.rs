//! The index as one reader sees it: one commit, pinned, for as long as the reader likes.
//!
//! Opening takes no lock and writes nothing, so that a case on a read-only medium can be searched and
//! a search never waits for an ingest. Files of a commit that a merge replaces stay readable through their
//! mappings; a commit that is replaced while it is being opened is opened again.
//!
//! Invariant: an answer is exact and does not depend on the number of segments or threads.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use embley_model::field::Field;
use embley_model::id::Ticket;
use rayon::prelude::*;
use roaring::RoaringBitmap;
use tantivy::{Index, SegmentMeta};

use crate::bits::DocBits;
use crate::commit::Payload;
use crate::error::Result;
use crate::eval::Evaluator;
use crate::item_bits::ItemBits;
use crate::node::{Node, Order, Outcome, Want};
use crate::pattern::WordPattern;
use crate::rank::{self, Leaf, Statistics};
use crate::schema::{IndexSchema, register};
use crate::segment::{OpenSegment, guarded};
use crate::values::ValueLists;
use crate::writer::{load_meta, open_index};

/// How often a commit that is replaced during opening is tried again.
const OPEN_ATTEMPTS: u32 = 16;

/// A pinned commit.
pub struct Snapshot {
    ticket: Option<Ticket>,
    pub(crate) segments: Vec<OpenSegment>,
    pub(crate) values: ValueLists,
    hidden: Option<ItemBits>,
}

/// What one segment contributes to an answer.
struct Part {
    bits: DocBits,
    count: u64,
    ranked: Vec<rank::Ranked>,
}

impl Snapshot {
    /// Opens the last commit in `folder`.
    ///
    /// # Errors
    /// `Missing`, `Damaged` or `Version` of [`IndexError`](crate::IndexError) when there is no index that
    /// this program can read.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut attempt = 1;
        loop {
            let index = open_index(folder)?;
            let meta = load_meta(folder, &index)?;
            let payload = Payload::read(folder, meta.payload.as_deref())?;
            let schema = Arc::new(IndexSchema::new());
            register(&index);
            let segments: Result<Vec<_>> = meta
                .segments
                .iter()
                .map(|segment| open_segment(&index, &schema, folder, segment))
                .collect();
            match segments {
                Ok(segments) => {
                    return Ok(Self {
                        ticket: payload.ticket,
                        segments,
                        values: ValueLists::default(),
                        hidden: None,
                    });
                }
                Err(why) => {
                    let now = load_meta(folder, &index)?;
                    if attempt == OPEN_ATTEMPTS || same_segments(&now.segments, &meta.segments) {
                        return Err(why);
                    }
                    attempt += 1;
                }
            }
        }
    }

    /// The state of a case into which nothing was taken: no commit, no item.
    pub fn nothing() -> Self {
        Self {
            ticket: None,
            segments: Vec::new(),
            values: ValueLists::default(),
            hidden: None,
        }
    }

    /// The ticket of this commit: the index holds exactly the items up to it.
    pub fn ticket(&self) -> Option<Ticket> {
        self.ticket
    }

    /// From here on these items are not there: in no answer, count or score, and no word that stands in them alone is listed. What an
    /// item has in common with others (a word's other documents) stays as it is without it. Replaces what was hidden before.
    ///
    /// # Errors
    /// When the index is damaged; the snapshot is then not good for anything.
    pub fn hide(&mut self, items: &RoaringBitmap) -> Result<()> {
        for segment in &mut self.segments {
            segment.hide(items)?;
        }
        self.hidden = (!items.is_empty()).then(|| ItemBits::from_bitmap(items));
        Ok(())
    }

    /// True when exactly these items are hidden.
    pub fn hides(&self, items: &RoaringBitmap) -> bool {
        match &self.hidden {
            None => items.is_empty(),
            Some(hidden) => *hidden == ItemBits::from_bitmap(items),
        }
    }

    /// Number of items.
    pub fn item_count(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| u64::from(segment.alive_count()))
            .sum()
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Number of items with this token in this text field; what was superseded or is hidden is not counted.
    ///
    /// # Errors
    /// When the field holds no words, or the index is damaged.
    pub fn doc_freq(&self, field: Field, token: &str) -> Result<u64> {
        let mut sum = 0;
        for segment in &self.segments {
            sum += Evaluator { segment }.seen_doc_freq(field, token)?;
        }
        Ok(sum)
    }

    /// The indexed words of these text fields that the pattern stands for, sorted. A word that stands in
    /// superseded or hidden documents alone is left out. For people who want to know what a pattern means here; queries need no such list.
    ///
    /// # Errors
    /// When a field holds no words, or the index is damaged.
    pub fn words(&self, fields: &[Field], pattern: &WordPattern) -> Result<BTreeSet<String>> {
        let mut words = BTreeSet::new();
        for segment in &self.segments {
            let evaluator = Evaluator { segment };
            let alive = segment.alive_docs();
            for field in fields {
                let inverted = evaluator.text_index(*field)?;
                guarded(&segment.file("*"), || {
                    evaluator.for_each_accepted(&inverted, pattern, |word, info| {
                        let is_seen = match &alive {
                            _ if words.contains(word) => false,
                            Some(alive) => evaluator.seen_with(&inverted, info, alive)? > 0,
                            None => true,
                        };
                        if is_seen {
                            words.insert(word.to_owned());
                        }
                        Ok(())
                    })
                })?;
            }
        }
        Ok(words)
    }

    /// Runs a query: the exact count, and what is wanted besides.
    ///
    /// # Errors
    /// `FieldMisuse` of [`IndexError`](crate::IndexError) when a node uses a field as what it is not;
    /// `Damaged` when a segment cannot be read.
    pub fn run(&self, node: &Node, want: Want) -> Result<Outcome> {
        let page = want.top.filter(|(order, ..)| *order != Order::ItemNo);
        let ranked = page.map(|(order, offset, limit)| (order, offset.saturating_add(limit)));
        let parts = self.parts(node, ranked)?;
        let count = parts.iter().map(|part| part.count).sum();
        let by_item = want.top.filter(|(order, ..)| *order == Order::ItemNo);
        let items = (want.items || by_item.is_some())
            .then(|| self.items_of(&parts, count))
            .transpose()?;
        let top = match (want.top, &items) {
            (Some((Order::ItemNo, offset, limit)), Some(items)) => page_of(items, offset, limit),
            (Some((order, offset, limit)), _) => {
                let scored = order == Order::Relevance;
                let hits = self.merged(parts)?.into_iter().skip(offset).take(limit);
                hits.map(|(key, item)| (item, if scored { rank::score_of(key) } else { 0.0 }))
                    .collect()
            }
            (None, _) => Vec::new(),
        };
        Ok(Outcome {
            count,
            items: items.filter(|_| want.items),
            top,
        })
    }

    /// All items that match, as plain bits.
    ///
    /// # Errors
    /// As [`Snapshot::run`].
    pub fn bits(&self, node: &Node) -> Result<ItemBits> {
        if let Node::Bits(items) = node {
            let mut items = items.as_ref().clone();
            if let Some(hidden) = &self.hidden {
                items.and_not(hidden);
            }
            return Ok(items);
        }
        let parts = self.parts(node, None)?;
        Ok(ItemBits::from_words(self.words_of(&parts, self.highest_item()?)?))
    }

    /// A bound on the work that a query takes, in postings: for choosing what to run first.
    ///
    /// # Errors
    /// As [`Snapshot::run`].
    pub fn cost(&self, node: &Node) -> Result<u64> {
        let mut sum = 0_u64;
        for segment in &self.segments {
            let cost = guarded(&segment.file("*"), || Evaluator { segment }.cost(node))?;
            sum = sum.saturating_add(cost);
        }
        Ok(sum)
    }

    /// All results of a query in order, without a cap. By item number it holds a bitmap; in any other order
    /// 16 bytes a result.
    ///
    /// # Errors
    /// As [`Snapshot::run`].
    pub fn stream(&self, node: &Node, order: Order) -> Result<Hits> {
        if order == Order::ItemNo {
            let parts = self.parts(node, None)?;
            let count = parts.iter().map(|part| part.count).sum();
            return Ok(Hits(Source::Items(self.items_of(&parts, count)?.into_iter())));
        }
        let ranked = self.merged(self.parts(node, Some((order, usize::MAX)))?)?;
        Ok(Hits(Source::Ranked {
            scored: order == Order::Relevance,
            ranked: ranked.into_iter(),
        }))
    }

    /// Evaluates every segment, on as many threads as the present pool has.
    fn parts(&self, node: &Node, ranked: Option<(Order, usize)>) -> Result<Vec<Part>> {
        let leaves = match ranked {
            Some((Order::Relevance, _)) => rank::leaves(node, self)?,
            _ => Vec::new(),
        };
        let one = |segment: &OpenSegment| guarded(&segment.file("*"), || part_of(segment, node, ranked, &leaves));
        if self.segments.len() > 1 && rayon::current_num_threads() > 1 {
            self.segments.par_iter().map(one).collect()
        } else {
            self.segments.iter().map(one).collect()
        }
    }

    /// The items of all parts.
    fn items_of(&self, parts: &[Part], count: u64) -> Result<RoaringBitmap> {
        let highest = self.highest_item()?;
        if count > u64::from(highest) / 256 {
            return Ok(ItemBits::from_words(self.words_of(parts, highest)?).to_bitmap());
        }
        let mut items = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        for (segment, part) in self.segments.iter().zip(parts) {
            segment.items()?.for_each_item(&part.bits, |item| items.push(item));
        }
        items.sort_unstable();
        Ok(items.into_iter().collect())
    }

    fn highest_item(&self) -> Result<u32> {
        let mut highest = 0;
        for segment in &self.segments {
            highest = highest.max(segment.items()?.highest().unwrap_or(0));
        }
        Ok(highest)
    }

    fn words_of(&self, parts: &[Part], highest: u32) -> Result<Vec<u64>> {
        let mut words = vec![0_u64; highest as usize / 64 + 1];
        for (segment, part) in self.segments.iter().zip(parts) {
            segment.items()?.scatter(&part.bits, &mut words);
        }
        Ok(words)
    }

    /// The ranked documents of all parts as items, in order.
    fn merged(&self, mut parts: Vec<Part>) -> Result<Vec<(u64, u32)>> {
        if let ([segment], [part]) = (self.segments.as_slice(), parts.as_mut_slice()) {
            // Items increase with documents, so what was in order stays in order, and the list is used as it is.
            let (items, mut all) = (segment.items()?, std::mem::take(&mut part.ranked));
            all.iter_mut().for_each(|(_, number)| *number = items.item(*number));
            return Ok(all);
        }
        let mut all = Vec::with_capacity(parts.iter().map(|part| part.ranked.len()).sum());
        for (segment, part) in self.segments.iter().zip(parts) {
            let items = segment.items()?;
            all.extend(part.ranked.into_iter().map(|(key, doc)| (key, items.item(doc))));
        }
        all.sort_unstable();
        Ok(all)
    }
}

impl Statistics for Snapshot {
    fn item_count(&self) -> u64 {
        self.item_count()
    }

    fn doc_freq(&self, field: Field, token: &str) -> Result<u64> {
        self.doc_freq(field, token)
    }

    fn token_count(&self, field: Field) -> Result<u64> {
        let mut sum = 0;
        for segment in &self.segments {
            sum += segment.token_count(field)?;
        }
        Ok(sum)
    }
}

fn open_segment(index: &Index, schema: &Arc<IndexSchema>, folder: &Path, meta: &SegmentMeta) -> Result<OpenSegment> {
    let file = folder.join(format!("{}.*", meta.id().uuid_string()));
    guarded(&file, || OpenSegment::open(index, schema, folder, meta))
}

fn part_of(segment: &OpenSegment, node: &Node, ranked: Option<(Order, usize)>, leaves: &[Leaf<'_>]) -> Result<Part> {
    let bits = Evaluator { segment }.matching(node)?;
    let ranked = match ranked {
        Some((order, limit)) => rank::best(segment, &bits, order, leaves, limit)?,
        None => Vec::new(),
    };
    Ok(Part {
        count: u64::from(bits.count()),
        bits,
        ranked,
    })
}

fn page_of(items: &RoaringBitmap, offset: usize, limit: usize) -> Vec<(u32, f32)> {
    let Some(first) = u32::try_from(offset).ok().and_then(|offset| items.select(offset)) else {
        return Vec::new();
    };
    items.range(first..).take(limit).map(|item| (item, 0.0)).collect()
}

fn same_segments(a: &[SegmentMeta], b: &[SegmentMeta]) -> bool {
    let ids = |segments: &[SegmentMeta]| -> Vec<_> {
        segments
            .iter()
            .map(|segment| (segment.id(), segment.delete_opstamp()))
            .collect()
    };
    ids(a) == ids(b)
}

/// All results in order: item numbers with scores (zero unless the order is relevance).
pub struct Hits(Source);

enum Source {
    Items(roaring::bitmap::IntoIter),
    Ranked {
        ranked: std::vec::IntoIter<(u64, u32)>,
        scored: bool,
    },
}

impl Iterator for Hits {
    type Item = (u32, f32);

    fn next(&mut self) -> Option<(u32, f32)> {
        match &mut self.0 {
            Source::Items(items) => items.next().map(|item| (item, 0.0)),
            Source::Ranked { ranked, scored } => ranked.next().map(|(key, item)| {
                let score = if *scored { rank::score_of(key) } else { 0.0 };
                (item, score)
            }),
        }
    }
}
