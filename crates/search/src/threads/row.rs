//! One link as it is stored: child, parent or none, reason, detail, oddities; and chunks of them.
//!
//! A chunk holds the messages among 4,096 item numbers, column by column, with numbers of items as differences from its own, so that it packs
//! well. Invariant: what [`encode`] wrote, [`decode`] reads back; anything else is refused.

use serde::Serialize;

/// Version of the rules of links and of the chunks.
pub const THREADS_VERSION: u32 = 1;
/// Items in a chunk, as a power of two.
const CHUNK_BITS: u32 = 12;

/// Why a message stands where it stands, in the order in which reasons are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It refers to nothing: the beginning of its thread as far as its headers say.
    None,
    /// The last entry of References that is held (RFC 5322 section 3.6.4). Detail: entries behind it, which are not held.
    References,
    /// The first entry of In-Reply-To that is held; nothing in References is. Detail: its place, from 0.
    InReplyTo,
    /// The longest Thread-Index held that this one goes on from. Detail: replies between the two, 1 for the next one.
    ThreadIndex,
    /// It quotes a passage of that message and of no other. Detail: words in a row.
    Quotation,
    /// It refers to messages of which none is held. It has no parent.
    NotHeld,
    /// Its Thread-Index is that of an answer and begins as that of other messages, none of which it goes on from. It has no parent.
    SharedIndex,
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::None,
        Self::References,
        Self::InReplyTo,
        Self::ThreadIndex,
        Self::Quotation,
        Self::NotHeld,
        Self::SharedIndex,
    ];

    /// The word in lists and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::References => "references",
            Self::InReplyTo => "in-reply-to",
            Self::ThreadIndex => "thread-index",
            Self::Quotation => "quotation",
            Self::NotHeld => "not-held",
            Self::SharedIndex => "shared-index",
        }
    }
}

/// Oddities of a link, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(pub u8);

impl Oddities {
    /// The parent is dated after the child.
    pub const PARENT_LATER: u8 = 1;
    /// The links of some messages formed a ring; this message's was left out.
    pub const RING_BROKEN: u8 = 2;
    /// Different messages carry the parent's Message-ID; the first one is meant.
    pub const PARENT_AMBIGUOUS: u8 = 4;
    /// It refers to itself.
    pub const SELF_REFERENCE: u8 = 8;
    /// Another message with another text carries its Message-ID.
    pub const ID_SHARED: u8 = 16;

    /// The words of those that are set.
    pub fn words(self) -> Vec<&'static str> {
        [
            (Self::PARENT_LATER, "parent-later"),
            (Self::RING_BROKEN, "ring-broken"),
            (Self::PARENT_AMBIGUOUS, "parent-ambiguous"),
            (Self::SELF_REFERENCE, "self-reference"),
            (Self::ID_SHARED, "message-id-shared"),
        ]
        .into_iter()
        .filter(|(bit, _)| self.0 & bit != 0)
        .map(|(_, word)| word)
        .collect()
    }
}

/// One message in its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// The message.
    pub item: u32,
    /// Its thread: the lowest item number in it.
    pub thread: u32,
    /// The next item of the thread, after the last the first.
    pub next: u32,
    /// The message it follows, 0 when there is none.
    pub parent: u32,
    /// The first message with its Message-ID, 0 when that is itself.
    pub copy_of: u32,
    /// Why.
    pub reason: Reason,
    /// See [`Reason`]; at most 65,535.
    pub detail: u16,
    /// What is odd.
    pub oddities: Oddities,
}

impl LinkRow {
    /// True for a message that refers to nothing and that no other one is in a thread with.
    pub(crate) fn is_alone(&self) -> bool {
        self.next == self.item && self.reason == Reason::None
    }
}

/// The chunk in which an item stands.
pub(super) fn chunk_of(item: u32) -> u32 {
    item >> CHUNK_BITS
}

/// Packs rows, which are in the order of their items, into chunks 0, 1, and so on.
pub(super) fn encode(rows: &[LinkRow]) -> Vec<Vec<u8>> {
    let Some(last) = rows.last() else {
        return Vec::new();
    };
    let mut chunks = Vec::with_capacity(chunk_of(last.item) as usize + 1);
    let mut rest = rows;
    for number in 0..=chunk_of(last.item) {
        let end = rest.partition_point(|row| chunk_of(row.item) <= number);
        let (of_chunk, others) = rest.split_at(end);
        rest = others;
        chunks.push(encode_chunk(of_chunk));
    }
    chunks
}

fn encode_chunk(rows: &[LinkRow]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * ROW_BYTES);
    let mut column = |value: &dyn Fn(&LinkRow) -> u32| {
        for row in rows {
            out.extend_from_slice(&value(row).to_le_bytes());
        }
    };
    // Never an item itself, so 0 is free for none.
    let away = |row: &LinkRow, to: u32| if to == 0 { 0 } else { row.item ^ to };
    column(&|row| row.item);
    column(&|row| row.item.wrapping_sub(row.thread));
    column(&|row| row.next.wrapping_sub(row.item));
    column(&|row| away(row, row.parent));
    column(&|row| away(row, row.copy_of));
    column(&|row| row.reason as u32 | u32::from(row.oddities.0) << 8 | u32::from(row.detail) << 16);
    out
}

const COLUMNS: usize = 6;
const ROW_BYTES: usize = COLUMNS * 4;

/// Reads a chunk; `None` when it is none.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<LinkRow>> {
    if !bytes.len().is_multiple_of(ROW_BYTES) {
        return None;
    }
    let count = bytes.len() / ROW_BYTES;
    let value = |column: usize, at: usize| {
        let start = (column * count + at) * 4;
        let four = bytes.get(start..start + 4).and_then(|four| four.try_into().ok());
        four.map(u32::from_le_bytes)
    };
    let mut rows = Vec::with_capacity(count);
    for at in 0..count {
        let item = value(0, at)?;
        let to = |away: u32| if away == 0 { 0 } else { item ^ away };
        let last = value(5, at)?;
        rows.push(LinkRow {
            item,
            thread: item.wrapping_sub(value(1, at)?),
            next: value(2, at)?.wrapping_add(item),
            parent: to(value(3, at)?),
            copy_of: to(value(4, at)?),
            reason: *Reason::ALL.get((last & 0xff) as usize)?,
            oddities: Oddities((last >> 8) as u8),
            detail: (last >> 16) as u16,
        });
    }
    rows.is_sorted_by(|one, two| one.item < two.item).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_read_back_as_written(made in proptest::collection::btree_map(1_u32..20_000, (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), 0_usize..7, any::<u16>(), any::<u8>()), 0..200)) {
            let rows: Vec<LinkRow> = made.iter().map(|(item, one)| LinkRow {
                item: *item,
                thread: one.0,
                next: one.1,
                parent: one.2.saturating_sub(1 << 31),
                copy_of: one.3 % 9,
                reason: Reason::ALL[one.4],
                detail: one.5,
                oddities: Oddities(one.6),
            }).filter(|row| row.parent != row.item && row.copy_of != row.item).collect();
            let back: Vec<LinkRow> = encode(&rows).iter().flat_map(|chunk| decode(chunk).unwrap()).collect();
            prop_assert_eq!(back, rows);
        }

        #[test]
        fn other_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
