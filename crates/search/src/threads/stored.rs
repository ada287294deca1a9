//! Links and groups as they are kept, looked up by item.
//!
//! When the tables are older than what the reader sees (an ingest runs or was stopped, or never linked), links are made in memory
//! from the same columns by the same rules, once, when they are asked for. So it is when the tables were made by a reader that was kept
//! from other items (`embley_store::catalogue::Hidden`): a hidden message is no parent and no reply, as if it had not been taken in. Main type: [`StoredThreads`]. Invariant: an answer never
//! names an item that the reader does not see.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use embley_model::id::ItemNo;
use embley_store::StoreError;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::derived::{self, Kind};
use roaring::RoaringBitmap;

use super::link::link;
use super::messages::Messages;
use super::near::{self, NEAR_THRESHOLD, NEAR_VERSION, NearRow, Sketches};
use super::row::{self, LinkRow, THREADS_VERSION};
use super::step::{ThreadSummary, kept_quotations};
use super::view::Holders;
use crate::error::SearchError;

/// The name of a thread: the lowest item number in it. Printed `thread:17`, which is also the query for its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u32);

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread:{}", self.0)
    }
}

/// See the module. It belongs to one moment of one reader.
#[derive(Default)]
pub struct StoredThreads {
    made: OnceCell<HashMap<u32, Vec<LinkRow>>>,
    fresh: OnceCell<bool>,
    holders: OnceCell<Holders>,
    /// The chunks read last: messages of one matter stand near each other.
    last: RefCell<VecDeque<(u32, Chunk)>>,
}

type Chunk = Arc<Vec<LinkRow>>;

/// Chunks that are kept, some 100 KiB each.
const MOST_CHUNKS: usize = 64;

impl StoredThreads {
    /// Nothing is read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// True when the kept links are those of exactly the items that the reader sees.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn is_fresh(&self, reader: &CatalogueReader) -> Result<bool, SearchError> {
        if let Some(fresh) = self.fresh.get() {
            return Ok(*fresh);
        }
        let state = derived::state(reader.facts(), Kind::Threads)
            .map_err(|source| SearchError::catalogue("read links", source))?;
        let fresh = state.is_some_and(|state| {
            let hidden = serde_json::from_str::<ThreadSummary>(&state.summary).map(|summary| summary.hidden);
            state.version == THREADS_VERSION
                && state.ticket == reader.checkpoint().ticket
                && hidden.is_ok_and(|hidden| hidden == reader.hidden().fingerprint())
        });
        Ok(*self.fresh.get_or_init(|| fresh))
    }

    /// Who held which items, read once: every thread asks.
    pub(super) fn holders(&self, reader: &CatalogueReader) -> Result<&Holders, SearchError> {
        if let Some(held) = self.holders.get() {
            return Ok(held);
        }
        let read = Holders::read(reader)?;
        Ok(self.holders.get_or_init(|| read))
    }

    fn chunk(&self, reader: &CatalogueReader, number: u32) -> Result<Chunk, SearchError> {
        let mut last = self.last.borrow_mut();
        if let Some((_, held)) = last.iter().find(|(one, _)| *one == number) {
            return Ok(Arc::clone(held));
        }
        let read = Arc::new(self.read_chunk(reader, number)?);
        if last.len() == MOST_CHUNKS {
            last.pop_front();
        }
        last.push_back((number, Arc::clone(&read)));
        Ok(read)
    }

    fn read_chunk(&self, reader: &CatalogueReader, number: u32) -> Result<Vec<LinkRow>, SearchError> {
        if self.is_fresh(reader)? {
            let bytes = derived::chunk(reader.facts(), Kind::Threads, number)
                .map_err(|source| SearchError::catalogue("read links", source))?;
            return match bytes {
                None => Ok(Vec::new()),
                Some(bytes) => row::decode(&bytes).ok_or_else(|| damaged("links", number)),
            };
        }
        let made = match self.made.get() {
            Some(made) => made,
            None => {
                let quotations = kept_quotations(reader)?;
                let mut by_chunk: HashMap<u32, Vec<LinkRow>> = HashMap::new();
                for row in link(&Messages::read(reader)?, &quotations) {
                    by_chunk.entry(row::chunk_of(row.item)).or_default().push(row);
                }
                self.made.get_or_init(|| by_chunk)
            }
        };
        Ok(made.get(&number).cloned().unwrap_or_default())
    }

    /// The link of a message, `None` for what is no message.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn of(&self, reader: &CatalogueReader, item: ItemNo) -> Result<Option<LinkRow>, SearchError> {
        let rows = self.chunk(reader, row::chunk_of(item.0))?;
        Ok(rows
            .binary_search_by_key(&item.0, |row| row.item)
            .ok()
            .map(|at| rows[at]))
    }

    /// The links of several messages, in the order of `items`; a part of a message has its own.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn of_page(&self, reader: &CatalogueReader, items: &[ItemNo]) -> Result<Vec<Option<LinkRow>>, SearchError> {
        let mut chunks: HashMap<u32, Chunk> = HashMap::new();
        items
            .iter()
            .map(|item| {
                let number = row::chunk_of(item.0);
                let rows = match chunks.entry(number) {
                    std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
                    std::collections::hash_map::Entry::Vacant(free) => free.insert(self.chunk(reader, number)?),
                };
                Ok(rows
                    .binary_search_by_key(&item.0, |row| row.item)
                    .ok()
                    .map(|at| rows[at]))
            })
            .collect()
    }

    /// All messages of the thread of a message, ascending; empty for what is no message.
    ///
    /// # Errors
    /// When the catalogue cannot be read, or the kept links do not come round.
    pub fn thread(&self, reader: &CatalogueReader, item: ItemNo) -> Result<Vec<LinkRow>, SearchError> {
        let Some(start) = self.of(reader, item)? else {
            return Ok(Vec::new());
        };
        let mut chunks: HashMap<u32, Chunk> = HashMap::new();
        let mut found = Vec::new();
        let mut seen = RoaringBitmap::new();
        let mut at = start.thread;
        while seen.insert(at) {
            let number = row::chunk_of(at);
            let rows = match chunks.entry(number) {
                std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => free.insert(self.chunk(reader, number)?),
            };
            let row = rows
                .binary_search_by_key(&at, |row| row.item)
                .map(|place| rows[place])
                .map_err(|_| damaged("links", number))?;
            found.push(row);
            at = row.next;
        }
        if at != start.thread || !seen.contains(item.0) {
            return Err(damaged("links", row::chunk_of(at)));
        }
        Ok(found)
    }

    /// All messages that a hit shows a thread for: not those that stand alone.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub(crate) fn linked(&self, reader: &CatalogueReader) -> Result<RoaringBitmap, SearchError> {
        let mut found = RoaringBitmap::new();
        for number in 0..=row::chunk_of(reader.checkpoint().next_item) {
            let rows = self.read_chunk(reader, number)?;
            found.extend(rows.iter().filter(|row| !row.is_alone()).map(|row| row.item));
        }
        Ok(found)
    }

    /// The items that belong to a thread, parts of its messages included.
    ///
    /// # Errors
    /// As [`StoredThreads::thread`].
    pub fn items(&self, reader: &CatalogueReader, item: ItemNo) -> Result<RoaringBitmap, SearchError> {
        let rows = self.thread(reader, item)?;
        Ok(rows.iter().map(|row| row.item).collect())
    }
}

/// The group of near-duplicates of a message, itself included, ascending; empty when it has none.
///
/// # Errors
/// When the catalogue cannot be read.
pub fn near_group(reader: &CatalogueReader, item: ItemNo) -> Result<Vec<NearRow>, SearchError> {
    let failed = |source| SearchError::catalogue("read groups of near-duplicates", source);
    let state = derived::state(reader.facts(), Kind::NearDuplicates).map_err(failed)?;
    let fresh = state.is_some_and(|state| {
        state.version == NEAR_VERSION
            && state.ticket == reader.checkpoint().ticket
            && state.summary == reader.hidden().fingerprint()
    });
    let rows = if fresh {
        let number = near::chunk_of(item.0);
        let Some(own) = group_chunk(reader, number)?.into_iter().find(|row| row.item == item.0) else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for number in near::chunk_of(own.representative)..=near::chunk_of(reader.checkpoint().next_item) {
            let rows = group_chunk(reader, number)?;
            all.extend(rows.into_iter().filter(|row| row.representative == own.representative));
        }
        return Ok(all);
    } else {
        Sketches::read(reader)?.groups(NEAR_THRESHOLD)
    };
    let own = rows.iter().find(|row| row.item == item.0).map(|row| row.representative);
    Ok(rows.into_iter().filter(|row| Some(row.representative) == own).collect())
}

fn group_chunk(reader: &CatalogueReader, number: u32) -> Result<Vec<NearRow>, SearchError> {
    let bytes = derived::chunk(reader.facts(), Kind::NearDuplicates, number)
        .map_err(|source| SearchError::catalogue("read groups of near-duplicates", source))?;
    match bytes {
        None => Ok(Vec::new()),
        Some(bytes) => near::decode(&bytes).ok_or_else(|| damaged("groups", number)),
    }
}

fn damaged(what: &str, number: u32) -> SearchError {
    let source = StoreError::Damaged {
        what: "a derived table".to_owned(),
        place: format!("{what}, chunk {number}"),
        detail: "it does not fit together".to_owned(),
    };
    SearchError::catalogue("read links between messages", source)
}
