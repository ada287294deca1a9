//! Reads addresses and who takes part in what, without the rest of the items.

use std::collections::HashSet;

use embley_model::address::{Address, Participant, Role};
use embley_model::id::ItemNo;

use super::packing::unpack_participants;
use super::read::CatalogueReader;
use crate::error::{Doing, Result, StoreError};

impl CatalogueReader {
    /// Gives every distinct address of the case to `each`: its row id, and name and address as written.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn for_each_address(&self, mut each: impl FnMut(u64, Address)) -> Result<()> {
        // An address is a row of its own: when something is hidden, those that only hidden items have are passed over.
        let mut seen = HashSet::new();
        let all = self.hidden().items().is_empty();
        if !all {
            self.for_each_participants(|_, _, ids| seen.extend(ids.iter().copied()))?;
        }
        let mut statement = self
            .conn
            .prepare_cached("SELECT address_id, name, addr FROM address ORDER BY address_id")?;
        let mut rows = statement.query([]).doing("read addresses")?;
        while let Some(row) = rows.next().doing("read addresses")? {
            let id: i64 = row.get(0)?;
            let address = Address {
                name: row.get(1)?,
                addr: row.get(2)?,
            };
            if all || seen.contains(&id.cast_unsigned()) {
                each(id.cast_unsigned(), address);
            }
        }
        Ok(())
    }

    /// Gives each item that has participants to `each`, ascending, up to the checkpoint: its date in UTC seconds, and the row ids of
    /// the addresses.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn for_each_participants(&self, mut each: impl FnMut(ItemNo, Option<i64>, &[u64])) -> Result<()> {
        let mut statement = self.conn.prepare_cached(
            "SELECT item_no, date, participants FROM item WHERE participants IS NOT NULL AND item_no < ?1 ORDER BY item_no",
        )?;
        let mut rows = statement
            .query([self.checkpoint().next_item])
            .doing("read participants")?;
        let mut ids = Vec::new();
        while let Some(row) = rows.next().doing("read participants")? {
            let item: u32 = row.get(0)?;
            let packed: Vec<u8> = row.get(2)?;
            let pairs = unpack_participants(&packed)
                .ok_or_else(|| StoreError::damaged("catalogue", format!("item {item}"), "participants"))?;
            ids.clear();
            ids.extend(pairs.into_iter().map(|(_, id)| id));
            if !ids.is_empty() {
                each(ItemNo(item), row.get(1)?, &ids);
            }
        }
        Ok(())
    }

    /// Who takes part in one item.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the row is damaged.
    pub fn participants(&self, item: ItemNo) -> Result<Vec<Participant>> {
        let damaged = || StoreError::damaged("catalogue", format!("item {item}"), "participants");
        let mut statement = self
            .conn
            .prepare_cached("SELECT participants FROM item WHERE item_no = ?1 AND participants IS NOT NULL")?;
        let mut rows = statement.query([item.0]).doing("read participants")?;
        let Some(row) = rows.next().doing("read participants")? else {
            return Ok(Vec::new());
        };
        let packed: Vec<u8> = row.get(0)?;
        let mut all = Vec::new();
        for (role, id) in unpack_participants(&packed).ok_or_else(damaged)? {
            all.push(Participant {
                role: Role::from_code(role).ok_or_else(damaged)?,
                address: self.address(id)?,
            });
        }
        Ok(all)
    }
}
