//! Messages as compact columns: what threads are made from, without a string.
//!
//! A Message-ID becomes a *node*, a number; ids that only others refer to are nodes too. About 110 bytes a message with five
//! references. Not for: texts. Main type: [`Messages`]. Invariant: messages stand in ascending order of their items.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use embley_model::id::{ItemNo, Key128};
use embley_store::StoreError;
use embley_store::catalogue::{CatalogueReader, ThreadRow, message_id_key};

use crate::error::SearchError;

/// No message, or no node.
pub(super) const NONE: u32 = u32::MAX;
/// The fixed part of a Thread-Index ([MS-OXOMSG] 2.2.1.3): reserved byte, five bytes of time, GUID.
pub(super) const INDEX_HEADER: usize = 22;
/// What each reply adds to it.
pub(super) const INDEX_STEP: usize = 5;
const UNDATED: i64 = i64::MIN;

/// One message as it is put in.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewMessage<'a> {
    /// Its item number; greater than that of the one before.
    pub item: u32,
    /// True for a message of its own, false for a part of another.
    pub is_top: bool,
    /// Seconds since 1970 UTC.
    pub date: Option<i64>,
    /// Key of its Message-ID.
    pub message_id: Option<Key128>,
    /// Body key.
    pub body: Option<Key128>,
    /// Keys of the ids of In-Reply-To, in their order.
    pub in_reply_to: &'a [Key128],
    /// Keys of the ids of References, in their order.
    pub references: &'a [Key128],
    /// Thread-Index, decoded.
    pub thread_index: Option<&'a [u8]>,
}

/// Messages that cannot be put in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessagesError {
    /// An item does not come after the one before.
    #[error("messages come in the order of their items")]
    NotInOrder,
    /// There are more than 4,294,967,294 ids or references.
    #[error("more Message-IDs or references than can be counted")]
    TooMany,
    /// The catalogue cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) struct Message {
    pub(super) item: u32,
    /// The node of its Message-ID, or one of its own when it has none.
    pub(super) own: u32,
    date: i64,
    /// A quarter of the body key, 0 without one: tells messages apart that carry one Message-ID.
    pub(super) body: u32,
    /// Ends in the columns of links and of bytes of Thread-Index.
    links_end: u32,
    index_end: u32,
    /// How many of the links are of In-Reply-To; these come first.
    replies: u32,
    pub(super) is_top: bool,
}

impl Message {
    pub(super) fn date(&self) -> Option<i64> {
        (self.date != UNDATED).then_some(self.date)
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct First8(u64);

impl Hasher for First8 {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}

/// See the module.
#[derive(Default)]
pub struct Messages {
    pub(super) list: Vec<Message>,
    links: Vec<u32>,
    index_bytes: Vec<u8>,
    nodes: HashMap<KeyBytes, u32, BuildHasherDefault<First8>>,
    node_count: u32,
}

/// A key whose hash is its first eight bytes.
#[derive(PartialEq, Eq)]
struct KeyBytes([u8; 16]);

impl std::hash::Hash for KeyBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

impl Messages {
    /// Reads the messages that a reader sees.
    ///
    /// # Errors
    /// When the catalogue cannot be read, or holds more ids than can be counted.
    pub fn read(reader: &CatalogueReader) -> Result<Self, SearchError> {
        Self::read_and(reader, |_| {})
    }

    /// The same, and gives each row to `also`, so that one pass serves several.
    pub(super) fn read_and(
        reader: &CatalogueReader,
        mut also: impl FnMut(&ThreadRow<'_>),
    ) -> Result<Self, SearchError> {
        let mut all = Self::default();
        let (mut in_reply_to, mut references) = (Vec::new(), Vec::new());
        reader
            .for_each_thread_row::<MessagesError>(ItemNo(0)..ItemNo(u32::MAX), |row| {
                in_reply_to.clear();
                references.clear();
                row.for_each_link(|is_reply, id| {
                    let list = if is_reply { &mut in_reply_to } else { &mut references };
                    list.extend(message_id_key(id));
                })?;
                also(&row);
                all.push(&NewMessage {
                    item: row.item_no.0,
                    is_top: row.is_top,
                    date: row.date,
                    message_id: row.message_id.and_then(|id| message_id_key(id.as_bytes())),
                    body: row.body,
                    in_reply_to: &in_reply_to,
                    references: &references,
                    thread_index: row.thread_index,
                })
            })
            .map_err(|source| match source {
                MessagesError::Store(source) => SearchError::catalogue("read what links messages", source),
                other => SearchError::catalogue("read what links messages", other),
            })?;
        Ok(all)
    }

    /// Puts one in.
    ///
    /// # Errors
    /// There are more than 4,294,967,294 ids, or it does not come in order; it is then not in.
    pub fn push(&mut self, new: &NewMessage<'_>) -> Result<(), MessagesError> {
        if self.list.last().is_some_and(|last| last.item >= new.item) {
            return Err(MessagesError::NotInOrder);
        }
        let own = match new.message_id {
            Some(key) => self.node(key)?,
            None => self.new_node()?,
        };
        for key in new.in_reply_to.iter().chain(new.references) {
            let node = self.node(*key)?;
            self.links.push(node);
        }
        let too_many = |_| MessagesError::TooMany;
        // What cannot be a Thread-Index says nothing.
        if let Some(index) = new.thread_index
            && index.len() >= INDEX_HEADER
            && (index.len() - INDEX_HEADER).is_multiple_of(INDEX_STEP)
        {
            self.index_bytes.extend_from_slice(index);
        }
        let body = new.body.map_or(0, |key| {
            let quarter = [key.0[0], key.0[1], key.0[2], key.0[3]];
            u32::from_le_bytes(quarter).max(1)
        });
        self.list.push(Message {
            item: new.item,
            own,
            date: new.date.unwrap_or(UNDATED),
            body,
            links_end: u32::try_from(self.links.len()).map_err(too_many)?,
            index_end: u32::try_from(self.index_bytes.len()).map_err(too_many)?,
            replies: u32::try_from(new.in_reply_to.len()).map_err(too_many)?,
            is_top: new.is_top,
        });
        Ok(())
    }

    fn node(&mut self, key: Key128) -> Result<u32, MessagesError> {
        if let Some(node) = self.nodes.get(&KeyBytes(key.0)) {
            return Ok(*node);
        }
        let node = self.new_node()?;
        self.nodes.insert(KeyBytes(key.0), node);
        Ok(node)
    }

    fn new_node(&mut self) -> Result<u32, MessagesError> {
        let node = self.node_count;
        // The last number means none.
        if node == NONE {
            return Err(MessagesError::TooMany);
        }
        self.node_count += 1;
        Ok(node)
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True without messages.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn node_count(&self) -> usize {
        self.node_count as usize
    }

    /// The nodes of In-Reply-To and of References.
    pub(super) fn links(&self, at: usize) -> (&[u32], &[u32]) {
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.list[before].links_end as usize);
        let message = &self.list[at];
        self.links[start..message.links_end as usize].split_at(message.replies as usize)
    }

    /// Thread-Index, empty without one.
    pub(super) fn index(&self, at: usize) -> &[u8] {
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.list[before].index_end as usize);
        &self.index_bytes[start..self.list[at].index_end as usize]
    }

    /// Bytes held in memory, for the record of a run.
    pub fn memory_bytes(&self) -> usize {
        self.list.capacity() * size_of::<Message>()
            + self.links.capacity() * 4
            + self.index_bytes.capacity()
            + self.nodes.capacity() * (size_of::<(KeyBytes, u32)>() + 1) * 8 / 7
    }
}
