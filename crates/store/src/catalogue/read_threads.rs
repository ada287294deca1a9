//! Messages as whoever links threads reads them: one pass over all of them without a copy of a string.
//!
//! Not for: showing a message (see `ItemRow`). Invariant: ids are given as they stand in the row; [`message_id_key`] is the one
//! rule by which two of them are the same.

use std::ops::Range;

use embley_model::id::{ItemNo, Key128};
use embley_model::item::ItemKind;

use super::read::CatalogueReader;
use crate::codec::Unpack;
use crate::error::{Doing, Result, StoreError};

/// One message, borrowed from its row.
#[derive(Clone, Copy, Debug)]
pub struct ThreadRow<'r> {
    /// Its number.
    pub item_no: ItemNo,
    /// True for a message of its own, false for one that is a part of another.
    pub is_top: bool,
    /// Its date in seconds since 1970 UTC.
    pub date: Option<i64>,
    /// Message-ID as it stands in the header.
    pub message_id: Option<&'r str>,
    /// Thread-Index, decoded.
    pub thread_index: Option<&'r [u8]>,
    /// Body key.
    pub body: Option<Key128>,
    /// Near-duplicate sketch.
    pub sketch: Option<&'r [u8]>,
    links: &'r [u8],
}

impl<'r> ThreadRow<'r> {
    /// Gives each id of In-Reply-To (`true`) and then of References (`false`), in their order.
    ///
    /// # Errors
    /// When the column is damaged; some ids may have been given.
    pub fn for_each_link(&self, mut each: impl FnMut(bool, &'r [u8])) -> Result<()> {
        let damaged = || {
            StoreError::damaged(
                "catalogue",
                format!("item {}", self.item_no),
                "column links cannot be read",
            )
        };
        let mut unpack = Unpack(self.links);
        if unpack.is_empty() {
            return Ok(());
        }
        let mut replies = unpack.uint().ok_or_else(damaged)?;
        while !unpack.is_empty() {
            let id = unpack.bytes().ok_or_else(damaged)?;
            each(replies > 0, id);
            replies = replies.saturating_sub(1);
        }
        Ok(())
    }
}

/// The key by which two Message-IDs are compared: half a BLAKE3 of what stands between the angle brackets (RFC 5322 section 3.6.4:
/// they delimit, they are no part of it), without white space, letter case kept. `None` when nothing is left.
pub fn message_id_key(id: &[u8]) -> Option<Key128> {
    let id = match id.iter().position(|byte| *byte == b'<') {
        Some(open) => {
            let rest = &id[open + 1..];
            let close = rest.iter().position(|byte| *byte == b'>').unwrap_or(rest.len());
            &rest[..close]
        }
        None => id,
    };
    let hash = if id.iter().any(u8::is_ascii_whitespace) {
        let bare: Vec<u8> = id.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if bare.is_empty() {
            return None;
        }
        blake3::hash(&bare)
    } else if id.is_empty() {
        return None;
    } else {
        blake3::hash(id)
    };
    Key128::from_slice(&hash.as_bytes()[..16])
}

impl CatalogueReader {
    /// Gives the messages of a range to `each`, ascending.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_thread_row<E: From<StoreError>>(
        &self,
        range: Range<ItemNo>,
        mut each: impl FnMut(ThreadRow<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = "SELECT item_no, parent IS NULL, date, message_id, links, thread_index, keys, sketch FROM item
                   WHERE item_no >= ?1 AND item_no < ?2 AND kind = ?3 ORDER BY item_no";
        let mut statement = self.conn.prepare_cached(sql).doing("read messages")?;
        let end = range.end.0.min(self.pinned.next_item);
        let mut rows = statement
            .query((range.start.0, end, ItemKind::Email.code()))
            .doing("read messages")?;
        while let Some(row) = rows.next().doing("read messages")? {
            let item_no = ItemNo(row.get(0).doing("read a message")?);
            let damaged = |_| StoreError::damaged("catalogue", format!("item {item_no}"), "a column has another type");
            let bytes = |at: usize| {
                let value = row.get_ref(at).doing("read a message")?;
                value.as_blob_or_null().map_err(|_| {
                    StoreError::damaged("catalogue", format!("item {item_no}"), "a column has another type")
                })
            };
            let message_id = row.get_ref(3).doing("read a message")?;
            each(ThreadRow {
                item_no,
                is_top: row.get(1).doing("read a message")?,
                date: row.get(2).doing("read a message")?,
                message_id: message_id.as_str_or_null().map_err(damaged)?,
                links: bytes(4)?.unwrap_or_default(),
                thread_index: bytes(5)?,
                // A version byte, the e-mail key, the body key.
                body: bytes(6)?.and_then(|keys| keys.get(17..33)).and_then(Key128::from_slice),
                sketch: bytes(7)?,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_stands_between_the_brackets() {
        let key = |id: &str| message_id_key(id.as_bytes());
        assert_eq!(key("<a@b>"), key(" <a@b> (comment)"));
        assert_eq!(key("<a@b>"), key("a@b"));
        assert_eq!(key("<a@\r\n b>"), key("<a@b>"));
        assert_ne!(key("<a@b>"), key("<A@b>"));
        assert_eq!([key("<>"), key(""), key("< >")], [None; 3]);
    }
}
