//! The INSERT statements of a checkpoint, and the interning of addresses and short words.
//!
//! Invariant: each table is written through one prepared statement, keys ascending within a run.

use embley_model::id::{ItemNo, Key128};
use hashbrown::HashMap;
use rusqlite::{CachedStatement, Connection, ToSql};

use super::packing::{pack_date_meta, pack_keys, pack_labels, pack_links, pack_participant};
use super::rows::{
    BlobPlaceRow, BlobRow, Checkpoint, DefectRow, ExceptionRow, FileRow, InstanceRow, ItemRow, RowBatch, RunRow,
    TallyRow,
};
use crate::error::{Doing, Result, StoreError};

/// Bits of a defect's id that count within its item.
pub(crate) const DEFECT_BITS: u32 = 16;

/// What is known to be interned: hash of an address to its id, word to its id.
#[derive(Debug, Default)]
pub(crate) struct Interned {
    addresses: HashMap<Key128, u64>,
    words: HashMap<String, u64>,
}

impl Interned {
    pub(crate) fn load(conn: &Connection) -> Result<Self> {
        let mut interned = Self::default();
        let mut statement = conn
            .prepare("SELECT address_id, name, addr FROM address")
            .doing("read addresses")?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().doing("read addresses")? {
            let key = address_key(
                row.get_ref(1)?.as_bytes().unwrap_or_default(),
                row.get_ref(2)?.as_bytes().unwrap_or_default(),
            );
            interned.addresses.insert(key, row.get::<_, i64>(0)?.cast_unsigned());
        }
        drop(rows);
        let mut statement = conn.prepare("SELECT word_id, value FROM word").doing("read words")?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().doing("read words")? {
            interned
                .words
                .insert(row.get(1)?, row.get::<_, i64>(0)?.cast_unsigned());
        }
        Ok(interned)
    }
}

/// A cryptographic hash, because whoever writes a header must not be able to be taken for somebody else.
fn address_key(name: &[u8], addr: &[u8]) -> Key128 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&(name.len() as u64).to_le_bytes())
        .update(name)
        .update(addr);
    let mut key = Key128([0; 16]);
    key.0.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

/// Binds values one after the other and executes.
struct Row<'a, 'c> {
    statement: &'a mut CachedStatement<'c>,
    at: usize,
}

impl<'a, 'c> Row<'a, 'c> {
    fn new(statement: &'a mut CachedStatement<'c>) -> Self {
        Self { statement, at: 0 }
    }

    fn put(&mut self, value: impl ToSql) -> Result<&mut Self> {
        self.at += 1;
        self.statement.raw_bind_parameter(self.at, value).doing("bind a row")?;
        Ok(self)
    }

    fn int(&mut self, value: u64) -> Result<&mut Self> {
        self.put(value.cast_signed())
    }

    fn execute(&mut self) -> Result<()> {
        self.statement.raw_execute().doing("insert a row")?;
        Ok(())
    }
}

/// Prepared statements of one transaction.
pub(crate) struct Inserts<'c, 'i> {
    conn: &'c Connection,
    interned: &'i mut Interned,
    item: CachedStatement<'c>,
    blob: CachedStatement<'c>,
    instance: CachedStatement<'c>,
    defect: CachedStatement<'c>,
    file: CachedStatement<'c>,
    tally: CachedStatement<'c>,
    address: CachedStatement<'c>,
    word: CachedStatement<'c>,
    buffer: Vec<u8>,
    /// Items from this number on have no defects in the catalogue yet.
    first_new: ItemNo,
    last_defect: (u32, u64),
}

impl<'c, 'i> Inserts<'c, 'i> {
    pub(crate) fn new(conn: &'c Connection, interned: &'i mut Interned, first_new: ItemNo) -> Result<Self> {
        let prepare = |sql: &str| conn.prepare_cached(sql).doing("prepare an insert");
        Ok(Self {
            conn,
            interned,
            item: prepare(&insert("INSERT", "item", 25))?,
            blob: prepare(&insert("INSERT", "blob", 10))?,
            instance: prepare(&insert("INSERT", "instance", 12))?,
            defect: prepare(&insert("INSERT", "defect", 5))?,
            file: prepare(&insert("INSERT OR REPLACE", "file", 22))?,
            tally: prepare(&insert("INSERT OR REPLACE", "tally", 13))?,
            address: prepare(&insert("INSERT", "address", 3))?,
            word: prepare(&insert("INSERT", "word", 2))?,
            buffer: Vec::with_capacity(512),
            first_new,
            last_defect: (0, 0),
        })
    }

    pub(crate) fn batch(&mut self, batch: &RowBatch) -> Result<()> {
        for run in &batch.runs {
            self.run(run)?;
        }
        for row in &batch.custodians {
            let sql = insert("INSERT OR REPLACE", "custodian", 2);
            self.conn
                .prepare_cached(&sql)?
                .execute((row.custodian_id.0, &row.name))?;
        }
        for row in &batch.sources {
            let sql = insert("INSERT OR REPLACE", "source", 6);
            let custodian = row.custodian_id.map(|id| id.0);
            let rest = (&row.absolute, custodian, &row.custodian_rule, row.run_no.0);
            self.conn
                .prepare_cached(&sql)?
                .execute((row.source_id.0, &row.label, rest.0, rest.1, rest.2, rest.3))?;
        }
        for row in &batch.folders {
            let sql = insert("INSERT OR REPLACE", "folder", 4);
            self.conn.prepare_cached(&sql)?.execute((
                row.folder_id.0,
                row.source_id.0,
                &row.path,
                row.container.map(|item| item.0),
            ))?;
        }
        for row in &batch.files {
            self.file(row)?;
        }
        for row in &batch.blobs {
            self.blob(row)?;
        }
        for row in &batch.items {
            self.item(row)?;
        }
        for row in &batch.item_updates {
            self.replace_item(row)?;
        }
        for row in &batch.instances {
            self.instance(row)?;
        }
        for row in &batch.defects {
            self.defect(row)?;
        }
        for row in &batch.exceptions {
            self.exception(row)?;
        }
        for row in &batch.tallies {
            self.tally(row)?;
        }
        for (blob, item) in &batch.top_items {
            let sql = "UPDATE blob SET top_item=?2 WHERE blob_id=?1";
            self.conn
                .prepare_cached(sql)?
                .execute((blob.0, item.0))
                .doing("name the item of a blob")?;
        }
        Ok(())
    }

    pub(crate) fn checkpoint(&mut self, row: &Checkpoint) -> Result<()> {
        // The same ticket again replaces: a finish step may commit rows without new ranges.
        let mut statement = self
            .conn
            .prepare_cached(&insert("INSERT OR REPLACE", "checkpoint", 8))?;
        let mut put = Row::new(&mut statement);
        put.int(row.ticket.0)?
            .put(row.run_no.0)?
            .put(row.pack.pack)?
            .int(row.pack.offset)?;
        put.put(row.next_item)?
            .put(row.next_blob)?
            .int(row.next_instance)?
            .put(row.at_micros)?
            .execute()
    }

    fn run(&mut self, row: &RunRow) -> Result<()> {
        let mut statement = self.conn.prepare_cached(&insert("INSERT OR REPLACE", "run", 7))?;
        let mut put = Row::new(&mut statement);
        put.put(row.run_no.0)?
            .put(row.kind.code())?
            .put(row.state.code())?
            .put(row.started_micros)?;
        put.put(row.ended_micros)?
            .put(&row.settings)?
            .put(&row.summary)?
            .execute()
    }

    fn file(&mut self, row: &FileRow) -> Result<()> {
        let mut put = Row::new(&mut self.file);
        put.put(row.file_id.0)?
            .put(row.source_id.0)?
            .put(row.folder_id.0)?
            .put(row.custodian_id.map(|id| id.0))?;
        put.put(&row.name)?
            .put(row.version)?
            .int(row.size)?
            .put(row.mtime_nanos)?
            .int(row.inode)?;
        put.put(row.kind)?
            .put(row.variant)?
            .put(&row.flags)?
            .put(&row.scan_state)?
            .put(row.state.code())?;
        put.int(row.first_instance.0)?
            .int(row.instance_count)?
            .int(row.message_bytes)?;
        put.int(row.separator_bytes)?
            .int(row.junk_bytes)?
            .put(row.previous_file.map(|id| id.0))?;
        put.put(row.absent_since_run.map(|run| run.0))?
            .put(row.run_no.0)?
            .execute()
    }

    fn blob(&mut self, row: &BlobRow) -> Result<()> {
        let mut put = Row::new(&mut self.blob);
        put.put(row.blob_id.0)?.put(row.top_item.map(|item| item.0))?;
        put.put(&row.blake3.0[..])?.put(&row.sha256.0[..])?.int(row.size)?;
        match &row.place {
            BlobPlaceRow::Pack {
                pack,
                frame_offset,
                offset_in_frame,
            } => {
                put.put(*pack)?
                    .int(*frame_offset)?
                    .put(*offset_in_frame)?
                    .put(None::<u32>)?
                    .put(None::<&str>)?;
            }
            BlobPlaceRow::Source { file_id } => {
                put.put(None::<u32>)?
                    .put(Some(file_id.0))?
                    .put(None::<u32>)?
                    .put(None::<u32>)?
                    .put(None::<&str>)?;
            }
            BlobPlaceRow::Derived { root_item, part_path } => {
                put.put(None::<u32>)?
                    .put(None::<u32>)?
                    .put(None::<u32>)?
                    .put(root_item.0)?
                    .put(part_path)?;
            }
        }
        put.execute()
    }

    fn item(&mut self, row: &ItemRow) -> Result<()> {
        let media_type = self.word(&row.media_type)?;
        self.buffer.clear();
        for participant in &row.participants {
            let id = self.address(&participant.address.name, &participant.address.addr)?;
            pack_participant(&mut self.buffer, participant.role.code(), id);
        }
        let participants_end = self.buffer.len();
        pack_links(&mut self.buffer, &row.in_reply_to, &row.references);
        let (participants, links) = self.buffer.split_at(participants_end);
        let mut put = Row::new(&mut self.item);
        put.put(row.item_no.0)?
            .put(row.blob_id.0)?
            .put(row.root.0)?
            .put(row.parent.map(|item| item.0))?;
        put.put(row.family_size)?
            .put(row.kind.code())?
            .put(row.searchability.code())?
            .put(row.flags.bits())?;
        put.int(row.size)?
            .put(row.date.utc_secs)?
            .put(pack_date_meta(&row.date))?
            .put(row.run_no.0)?;
        put.int(media_type)?
            .put(some_text(&row.part_path))?
            .put(row.filename.as_deref())?;
        put.put(some_text(&row.date.raw))?.put(some_text(&row.subject))?;
        put.put(some_bytes(participants))?
            .put(row.message_id.as_deref())?
            .put(some_bytes(links))?;
        put.put(row.thread_index.as_deref())?;
        put.put(
            row.keys
                .as_ref()
                .and_then(|keys| keys.mih.as_ref())
                .map(|mih| &mih.0[..]),
        )?;
        let keys = row.keys.as_ref().map(pack_keys);
        put.put(keys.as_ref().map(|keys| &keys[..]))?
            .put(row.sketch.as_deref())?;
        put.put(pack_labels(&row.labels))?.execute()
    }

    /// A later version of an item that keeps its number: row and defects are replaced.
    fn replace_item(&mut self, row: &ItemRow) -> Result<()> {
        let first = u64::from(row.item_no.0) << DEFECT_BITS;
        let last = first | ((1 << DEFECT_BITS) - 1);
        self.conn
            .prepare_cached("DELETE FROM defect WHERE defect_id BETWEEN ?1 AND ?2")?
            .execute((first.cast_signed(), last.cast_signed()))
            .doing("replace an item")?;
        self.conn
            .prepare_cached("DELETE FROM item WHERE item_no=?1")?
            .execute([row.item_no.0])
            .doing("replace an item")?;
        self.item(row)
    }

    fn instance(&mut self, row: &InstanceRow) -> Result<()> {
        let mut put = Row::new(&mut self.instance);
        put.int(row.instance_id.0)?
            .put(row.item_no.0)?
            .put(row.file_id.0)?
            .int(row.ordinal)?;
        put.int(row.offset)?
            .int(row.length)?
            .put(row.separator.as_deref())?
            .put(row.trailer_len)?;
        put.put(u8::from(row.as_found_differs) << 4 | row.status.code())?
            .put(row.run_no.0)?;
        put.put(row.second_blake3.as_ref().map(|hash| &hash.0[..]))?
            .put(pack_labels(&row.labels))?
            .execute()
    }

    fn defect(&mut self, row: &DefectRow) -> Result<()> {
        let code = self.word(row.code.text())?;
        let seq = self.next_defect(row.item_no)?;
        let id = u64::from(row.item_no.0) << DEFECT_BITS | seq;
        let (first, last) = ends(row.range.as_ref());
        let mut put = Row::new(&mut self.defect);
        put.int(id)?
            .int(code)?
            .put(some_text(&row.detail))?
            .put(first)?
            .put(last)?
            .execute()
    }

    /// Number of a new defect within its item. Items come in ascending order, so only the one at hand is remembered.
    fn next_defect(&mut self, item: ItemNo) -> Result<u64> {
        let seq = if self.last_defect.0 == item.0 {
            self.last_defect.1 + 1
        } else if item >= self.first_new && item.0 > self.last_defect.0 {
            0
        } else {
            let first = (u64::from(item.0) << DEFECT_BITS).cast_signed();
            let next = (u64::from(item.0) + 1) << DEFECT_BITS;
            let sql = "SELECT max(defect_id) FROM defect WHERE defect_id >= ?1 AND defect_id < ?2";
            let last: Option<i64> = self
                .conn
                .prepare_cached(sql)?
                .query_row((first, next.cast_signed()), |row| row.get(0))?;
            last.map_or(0, |last| (last - first + 1).cast_unsigned())
        };
        if seq >> DEFECT_BITS != 0 {
            return Err(StoreError::internal(format!(
                "item {item} has more than 65,536 defects"
            )));
        }
        self.last_defect = (item.0, seq);
        Ok(seq)
    }

    fn exception(&mut self, row: &ExceptionRow) -> Result<()> {
        let sql = "INSERT INTO exception(run_no,source_id,path,phase,class,code,first,last,detail,action)
                   VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)";
        let (first, last) = ends(row.range.as_ref());
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut put = Row::new(&mut statement);
        put.put(row.run_no.0)?
            .put(row.source_id.map(|id| id.0))?
            .put(&row.path)?;
        put.put(super::read_files::phase_word(row.phase))?
            .put(super::read_files::class_word(row.class))?;
        put.put(row.code.text())?
            .put(first)?
            .put(last)?
            .put(&row.detail)?
            .put(&row.action)?
            .execute()
    }

    fn tally(&mut self, row: &TallyRow) -> Result<()> {
        let mut put = Row::new(&mut self.tally);
        put.put(row.run_no.0)?
            .put(row.source_id.0)?
            .put(row.file_id.map_or(0, |id| id.0))?;
        put.int(row.discovered)?
            .int(row.new)?
            .int(row.duplicate)?
            .int(row.unchanged)?
            .int(row.excluded)?;
        put.int(row.excepted)?
            .int(row.children_discovered)?
            .int(row.children_items)?;
        put.int(row.children_excepted)?.int(row.bytes)?.execute()
    }

    fn address(&mut self, name: &str, addr: &str) -> Result<u64> {
        let key = address_key(name.as_bytes(), addr.as_bytes());
        let next = self.interned.addresses.len() as u64 + 1;
        match self.interned.addresses.entry(key) {
            hashbrown::hash_map::Entry::Occupied(entry) => Ok(*entry.get()),
            hashbrown::hash_map::Entry::Vacant(entry) => {
                entry.insert(next);
                Row::new(&mut self.address).int(next)?.put(name)?.put(addr)?.execute()?;
                Ok(next)
            }
        }
    }

    fn word(&mut self, value: &str) -> Result<u64> {
        if let Some(id) = self.interned.words.get(value) {
            return Ok(*id);
        }
        let next = self.interned.words.len() as u64 + 1;
        self.interned.words.insert(value.to_owned(), next);
        Row::new(&mut self.word).int(next)?.put(value)?.execute()?;
        Ok(next)
    }
}

fn insert(verb: &str, table: &str, columns: usize) -> String {
    let marks: Vec<String> = (1..=columns).map(|at| format!("?{at}")).collect();
    format!("{verb} INTO {table} VALUES({})", marks.join(","))
}

fn some_text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn some_bytes(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}

fn ends(range: Option<&std::ops::Range<u64>>) -> (Option<i64>, Option<i64>) {
    (
        range.map(|range| range.start.cast_signed()),
        range.map(|range| range.end.cast_signed()),
    )
}
