//! Exact counts of a set of items by whole values in columns: addresses, their domains, languages; and the dates of a set of items.
//!
//! Each segment has the values of its items as numbers in a sorted list of its own. The first count joins the lists of all segments, so that a
//! value has one number in the index; from then on a count adds up numbers, and only what is shown becomes text. Not for: custodians, tags and
//! whatever else is a set of the catalogue. Main function: [`Snapshot::count_by`]. Invariant: an item counts once with each of its values, whatever
//! the number of segments.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock};

use embley_model::field::Field;
use rayon::prelude::*;
use roaring::RoaringBitmap;
use tantivy::columnar::{Column, StrColumn};

use crate::bits::DocBits;
use crate::error::{IndexError, Result};
use crate::schema::{RECIPIENT, SENDER};
use crate::segment::{OpenSegment, guarded};
use crate::snapshot::Snapshot;
use crate::terms::Terms;

/// What items are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountBy {
    /// Whole folded addresses that `from:` finds.
    Sender,
    /// Whole folded addresses that `to:`, `cc:` or `bcc:` find.
    Recipient,
    /// What stands behind the last `@` of any of them.
    Domain,
    /// Language codes.
    Language,
}

/// How often the values of a set of items occur in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueCounts {
    /// Values with their numbers of items: the most items first, equal ones by value; cut at the limit.
    pub values: Vec<(String, u64)>,
    /// How many values occur, shown or not.
    pub distinct: u64,
    /// Items with a value that was cut off, each once.
    pub cut_items: u64,
    /// Items without a value.
    pub without: u64,
}

/// Joined lists of values, each made when first needed.
#[derive(Default)]
pub(crate) struct ValueLists {
    addresses: OnceLock<Arc<AddressList>>,
    languages: OnceLock<Arc<ValueList>>,
}

/// One list over all segments.
struct ValueList {
    terms: Terms,
    /// By segment.
    columns: Vec<Numbered>,
}

/// Senders and recipients in one list, and their domains.
struct AddressList {
    terms: Terms,
    senders: Vec<Numbered>,
    recipients: Vec<Numbered>,
    domains: Terms,
    /// The domain of each address, [`NONE`] where there is none.
    domain_of: Vec<u32>,
}

/// A column of one segment with the number in the joined list of each of its values.
struct Numbered {
    column: Option<StrColumn>,
    places: Vec<u32>,
}

/// The domain of what has none.
const NONE: u32 = u32::MAX;

/// From one value an item on average of this many that there are, counting adds to a table of all; below, the values found are sorted.
const TABLE_FROM: usize = 16;

impl Numbered {
    /// Calls `each` with the number of each value of a document.
    #[inline]
    fn for_each(&self, ords: Option<&Column<u64>>, doc: u32, mut each: impl FnMut(u32)) {
        let Some(ords) = ords else { return };
        for row in ords.index.value_row_ids(doc) {
            if let Some(place) = self.places.get(ords.values.get_val(row) as usize) {
                each(*place);
            }
        }
    }

    fn ords(&self) -> Option<&Column<u64>> {
        self.column.as_ref().map(|column| column.ords())
    }
}

/// The columns in which an item's values are, and what becomes of them.
struct Counter<'l> {
    terms: &'l Terms,
    columns: Vec<&'l [Numbered]>,
    /// From a number in the columns to the number that is counted.
    mapped: Option<&'l [u32]>,
}

impl Counter<'_> {
    /// Puts the numbers of a document's values, each once, into `into`.
    #[inline]
    fn values(&self, segment: usize, doc: u32, into: &mut Vec<u32>) {
        into.clear();
        for column in &self.columns {
            let column = &column[segment];
            column.for_each(column.ords(), doc, |place| {
                let value = self.mapped.map_or(place, |mapped| mapped[place as usize]);
                if value != NONE {
                    into.push(value);
                }
            });
        }
        // Addresses are told apart before; domains are not.
        if self.mapped.is_some() && into.len() > 1 {
            into.sort_unstable();
            into.dedup();
        }
    }

    fn count(&self, docs: &[DocBits], limit: Option<usize>) -> ValueCounts {
        let items: usize = docs.iter().map(|docs| docs.count() as usize).sum();
        let mut found = Vec::new();
        let mut without = 0;
        let mut counts: Vec<(u32, u64)> = if items.saturating_mul(TABLE_FROM) > self.terms.len() {
            let mut table = vec![0_u32; self.terms.len()];
            for (segment, docs) in docs.iter().enumerate() {
                docs.for_each(|doc| {
                    self.values(segment, doc, &mut found);
                    without += u64::from(found.is_empty());
                    for value in &found {
                        table[*value as usize] += 1;
                    }
                });
            }
            let counted = (0..).zip(table).filter(|(_, count)| *count > 0);
            counted.map(|(value, count)| (value, u64::from(count))).collect()
        } else {
            let mut all = Vec::new();
            for (segment, docs) in docs.iter().enumerate() {
                docs.for_each(|doc| {
                    self.values(segment, doc, &mut found);
                    without += u64::from(found.is_empty());
                    all.extend_from_slice(&found);
                });
            }
            all.sort_unstable();
            all.chunk_by(|one, two| one == two)
                .map(|run| (run[0], run.len() as u64))
                .collect()
        };
        let distinct = counts.len() as u64;
        let cut_items = match limit {
            Some(limit) if counts.len() > limit => {
                counts = most(&counts, limit);
                self.items_beyond(docs, &counts)
            }
            _ => {
                counts.sort_unstable_by_key(|(value, count)| (Reverse(*count), *value));
                0
            }
        };
        let shown = counts.into_iter();
        ValueCounts {
            values: shown
                .map(|(value, count)| (self.terms.get(value as usize).to_owned(), count))
                .collect(),
            distinct,
            cut_items,
            without,
        }
    }

    /// Items with any value but those shown.
    fn items_beyond(&self, docs: &[DocBits], shown: &[(u32, u64)]) -> u64 {
        let mut is_shown = DocBits::empty(self.terms.len() as u32);
        shown.iter().for_each(|(value, _)| is_shown.insert(*value));
        let mut found = Vec::new();
        let mut items = 0;
        for (segment, docs) in docs.iter().enumerate() {
            docs.for_each(|doc| {
                self.values(segment, doc, &mut found);
                items += u64::from(found.iter().any(|value| !is_shown.contains(*value)));
            });
        }
        items
    }
}

/// The most frequent values, equal ones by number.
fn most(counts: &[(u32, u64)], limit: usize) -> Vec<(u32, u64)> {
    let mut kept: BinaryHeap<(Reverse<u64>, u32)> = BinaryHeap::with_capacity(limit + 1);
    for (value, count) in counts {
        let one = (Reverse(*count), *value);
        if kept.len() < limit {
            kept.push(one);
        } else if kept.peek().is_some_and(|worst| one < *worst) {
            kept.pop();
            kept.push(one);
        }
    }
    kept.into_sorted_vec()
        .into_iter()
        .map(|(Reverse(count), value)| (value, count))
        .collect()
}

impl Snapshot {
    /// Counts a set of items by each of `by`, in that order; values beyond `limit` are counted, but not named.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn count_by(&self, by: &[CountBy], items: &RoaringBitmap, limit: Option<usize>) -> Result<Vec<ValueCounts>> {
        let docs = self.docs_of(items)?;
        let one = |by: &CountBy| match by {
            CountBy::Language => {
                let list = self.languages()?;
                let counter = Counter {
                    terms: &list.terms,
                    columns: vec![&list.columns],
                    mapped: None,
                };
                self.counted(&counter, &docs, limit)
            }
            CountBy::Sender | CountBy::Recipient | CountBy::Domain => {
                let list = self.addresses()?;
                let (terms, mapped) = match by {
                    CountBy::Domain => (&list.domains, Some(list.domain_of.as_slice())),
                    _ => (&list.terms, None),
                };
                let columns: Vec<&[Numbered]> = match by {
                    CountBy::Sender => vec![&list.senders],
                    CountBy::Recipient => vec![&list.recipients],
                    _ => vec![&list.senders, &list.recipients],
                };
                self.counted(&Counter { terms, columns, mapped }, &docs, limit)
            }
        };
        if by.len() > 1 && rayon::current_num_threads() > 1 {
            by.par_iter().map(one).collect()
        } else {
            by.iter().map(one).collect()
        }
    }

    /// The dates of a set of items, seconds UTC, the earliest first; undated items have none.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn dates_of(&self, items: &RoaringBitmap) -> Result<Vec<i64>> {
        let mut dates = Vec::new();
        for (segment, docs) in self.segments.iter().zip(self.docs_of(items)?) {
            let column = segment.dates(Field::Date)?;
            guarded(&segment.file("fast"), || {
                docs.for_each(|doc| dates.extend(column.first(doc).map(tantivy::u64_to_i64)));
                Ok(())
            })?;
        }
        dates.sort_unstable();
        Ok(dates)
    }

    /// The language of each of some items, in their order; `None` for what has no text.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn languages_of(&self, items: &[u32]) -> Result<Vec<Option<String>>> {
        let list = self.languages()?;
        let mut found = vec![None; items.len()];
        for (segment, column) in self.segments.iter().zip(&list.columns) {
            let map = segment.items()?;
            for (item, found) in items.iter().zip(&mut found) {
                if let Some(doc) = map.doc(*item)
                    && !segment.hidden().is_some_and(|hidden| hidden.contains(doc))
                {
                    column.for_each(column.ords(), doc, |value| {
                        *found = Some(list.terms.get(value as usize).to_owned());
                    });
                }
            }
        }
        Ok(found)
    }

    /// The documents of some items, by segment.
    fn docs_of(&self, items: &RoaringBitmap) -> Result<Vec<DocBits>> {
        let of_segment = |segment: &OpenSegment| {
            let mut docs = segment.items()?.docs(items, segment.doc_count());
            if let Some(alive) = segment.alive_docs() {
                docs.and(&alive);
            }
            Ok(docs)
        };
        self.segments.iter().map(of_segment).collect()
    }

    fn counted(&self, counter: &Counter<'_>, docs: &[DocBits], limit: Option<usize>) -> Result<ValueCounts> {
        match self.segments.first() {
            Some(first) => guarded(&first.file("fast"), || Ok(counter.count(docs, limit))),
            None => Ok(ValueCounts::default()),
        }
    }

    fn languages(&self) -> Result<Arc<ValueList>> {
        if let Some(known) = self.values.languages.get() {
            return Ok(Arc::clone(known));
        }
        let (terms, columns) = self.joined(&[Field::Language.name()])?;
        let made = Arc::new(ValueList { terms, columns });
        Ok(Arc::clone(self.values.languages.get_or_init(|| made)))
    }

    fn addresses(&self) -> Result<Arc<AddressList>> {
        if let Some(known) = self.values.addresses.get() {
            return Ok(Arc::clone(known));
        }
        let (terms, mut senders) = self.joined(&[SENDER, RECIPIENT])?;
        let recipients = senders.split_off(self.segments.len());
        let domain = |at: usize| terms.get(at).rsplit_once('@').map(|(_, domain)| domain);
        let mut by_domain: Vec<(&str, usize)> = (0..terms.len())
            .filter_map(|at| {
                domain(at)
                    .filter(|domain| !domain.is_empty())
                    .map(|domain| (domain, at))
            })
            .collect();
        by_domain.sort_unstable();
        let mut domains = Terms::default();
        let mut domain_of = vec![NONE; terms.len()];
        for (domain, at) in by_domain {
            domains.push(domain);
            domain_of[at] = domains.len() as u32 - 1;
        }
        let made = Arc::new(AddressList {
            terms,
            senders,
            recipients,
            domains,
            domain_of,
        });
        Ok(Arc::clone(self.values.addresses.get_or_init(|| made)))
    }

    /// The columns of these names in all segments, one name after the other, with their values in one list.
    fn joined(&self, names: &[&str]) -> Result<(Terms, Vec<Numbered>)> {
        let wanted: Vec<(&OpenSegment, &str)> = names
            .iter()
            .flat_map(|name| self.segments.iter().map(move |segment| (segment, *name)))
            .collect();
        let read = wanted.par_iter().map(|(segment, name)| {
            guarded(&segment.file("fast"), || {
                let column = segment.values(name)?;
                let terms = column
                    .as_ref()
                    .map_or(Ok(Terms::default()), |column| list(segment, column))?;
                Ok((column, terms))
            })
        });
        let read: Vec<(Option<StrColumn>, Terms)> = read.collect::<Result<_>>()?;
        let (columns, lists): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        let (terms, places) = Terms::joined(&lists);
        let numbered = columns.into_iter().zip(places);
        Ok((
            terms,
            numbered.map(|(column, places)| Numbered { column, places }).collect(),
        ))
    }
}

/// The values of a column in order.
fn list(segment: &OpenSegment, column: &StrColumn) -> Result<Terms> {
    let damaged = |detail: String| IndexError::damaged(segment.file("fast"), detail);
    let mut stream = column
        .dictionary()
        .stream()
        .map_err(|source| damaged(source.to_string()))?;
    let mut terms = Terms::default();
    while stream.advance() {
        let word = std::str::from_utf8(stream.key()).map_err(|source| damaged(source.to_string()))?;
        terms.push(word);
    }
    Ok(terms)
}
