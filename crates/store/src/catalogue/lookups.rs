//! Look-up indexes: made, sorted, when an ingest has finished, and dropped before a bulk run (DESIGN section 9).
//!
//! Everything works without them, slower. Invariant: they hold nothing that is not in a table.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Doing, Result};

/// Name and definition of each look-up index.
pub const LOOKUPS: [(&str, &str); 5] = [
    ("blob_by_blake3", "blob(substr(blake3,1,8))"),
    ("blob_by_sha256", "blob(substr(sha256,1,8))"),
    ("item_by_blob", "item(blob_id)"),
    ("item_by_mih", "item(mih) WHERE mih IS NOT NULL"),
    ("instance_by_item", "instance(item_no)"),
];

pub(crate) fn drop_all(conn: &mut Connection) -> Result<()> {
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing("drop look-up indexes")?;
    for (name, _) in LOOKUPS {
        transaction
            .execute_batch(&format!("DROP INDEX IF EXISTS {name}"))
            .doing("drop a look-up index")?;
    }
    transaction.commit().doing("drop look-up indexes")
}

pub(crate) fn build_missing(conn: &mut Connection) -> Result<()> {
    for (name, columns) in LOOKUPS {
        // One transaction each: whoever writes facts waits for one sort at most, and a stop loses one index at most.
        conn.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {name} ON {columns}"))
            .doing("make a look-up index")?;
    }
    Ok(())
}

/// Names of the look-up indexes that are there.
pub(crate) fn present(conn: &Connection) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, _) in LOOKUPS {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type='index' AND name=?1";
        let count: i64 = conn
            .query_row(sql, [name], |row| row.get(0))
            .doing("list look-up indexes")?;
        if count == 1 {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}
