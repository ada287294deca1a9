//! What a reader is kept from seeing: the items in quarantine, with everything that would show them, and new material not yet screened.
//!
//! A reader of [`Sight::Released`] reads a catalogue in which those items are not there. That is not left to whoever asks: the reader's
//! connection carries temporary views with the names of the tables, which SQLite takes before the tables themselves, so that any
//! statement on it, of this crate or of another, reads through them. Sets kept as bitmaps come out without the hidden items, and sets
//! that hold nothing else are not there. When nothing is hidden there are no views, and nothing costs anything.
//!
//! What is hidden belongs to the moment the reader is pinned to, and is made from the catalogue alone: there is no moment at which new
//! evidence is in the catalogue and not held back. Not for: who may see what (`facts::users`), the index (`embley_index::Snapshot::hide`
//! is given the same set), which tables have views (`sight_views`). Main types: [`Sight`], [`Hidden`]. Invariant: a family is hidden whole or not at all.
//!
//! What stays in sight on purpose, as totals of the whole case: checkpoints, runs and their sums, numbers of files; names of custodians and
//! labels of sources, which whoever ingests chose. `docs/roles.md` lists them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use embley_model::id::{Key128, Ticket};
use roaring::RoaringBitmap;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::read::CatalogueReader;
use super::read_sets::{SetKind, bitmap_from_bytes, families, load_set_from};
use super::sight_views::{tables, views, without};
use crate::error::{Doing, Result, StoreError};
use crate::facts::{self, FactsError, quarantine, users};

/// How much of a case is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Everything: for what keeps the case (ingest, verification), and for privilege reviewers.
    Whole,
    /// What is neither in quarantine nor waiting to be screened.
    Released,
}

/// What a reader does not see.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    items: Arc<RoaringBitmap>,
    fingerprint: String,
    has_views: bool,
}

impl Hidden {
    /// The items; families are in it whole.
    pub fn items(&self) -> &Arc<RoaringBitmap> {
        &self.items
    }

    /// Tells sets of hidden items apart; empty when nothing is hidden. What was derived under another fingerprint may name what must
    /// not be seen.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl CatalogueReader {
    /// What this reader does not see.
    pub fn hidden(&self) -> &Hidden {
        &self.hidden
    }

    /// True for an item that is not hidden, whether there is one of this number or not.
    pub fn sees(&self, item: u32) -> bool {
        !self.hidden.items.contains(item)
    }

    /// All items that this reader sees.
    pub fn seen_items(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(1..self.pinned.next_item.max(1));
        all - self.hidden.items.as_ref()
    }

    /// Hides what this reader's sight does not take in, as the catalogue stands at its moment.
    pub(super) fn apply_sight(&mut self) -> Result<()> {
        if self.hidden.has_views {
            let mut script = String::new();
            for table in tables() {
                script.push_str(&format!("DROP VIEW IF EXISTS temp.{table};"));
            }
            self.changing_views(&script)?;
        }
        self.hidden = Hidden::default();
        if self.sight == Sight::Whole {
            return Ok(());
        }
        let Some(state) = quarantine::state(&self.conn).map_err(store_error)? else {
            return Ok(());
        };
        let items = Arc::new(self.hidden_of(&state)?);
        if items.is_empty() {
            return Ok(());
        }
        self.add_functions(&items, &state)?;
        let mut script = String::new();
        for (table, view) in views() {
            if facts::has_table(&self.conn, table).map_err(store_error)? {
                script.push_str(&format!("CREATE TEMP VIEW {table} AS {view};"));
            }
        }
        self.changing_views(&script)?;
        self.hidden = Hidden {
            fingerprint: quarantine::bitmap_hash(&items),
            items,
            has_views: true,
        };
        Ok(())
    }

    /// Temporary views are kept in memory and change nothing in the catalogue, which is open for reading only.
    fn changing_views(&self, script: &str) -> Result<()> {
        let script = format!("PRAGMA query_only=0;{script}PRAGMA query_only=1;");
        self.conn
            .execute_batch(&script)
            .doing("keep from sight what is in quarantine")
    }

    /// What is quarantined, and what came in, was opened or was imported since the last screening.
    fn hidden_of(&self, state: &quarantine::State) -> Result<RoaringBitmap> {
        let mut items = state.closed.clone();
        let screened = super::read::checkpoint_at(&self.conn, state.ticket)?;
        items.insert_range(screened.next_item..self.pinned.next_item.max(screened.next_item));
        items |= self.opened_since(state.ticket)?;
        let updated = "SELECT r.item_no FROM record r JOIN record_version v ON v.record_no = r.record_no AND v.version = r.version
                       WHERE v.run_no > ?1";
        items.extend(self.rows(updated, [state.run_no.0], |row| Ok(row.get::<_, u32>(0)?))?);
        items.remove_range(self.pinned.next_item..);
        self.whole_families(&items)
    }

    /// The families of these items.
    fn whole_families(&self, items: &RoaringBitmap) -> Result<RoaringBitmap> {
        if items.is_empty() {
            return Ok(RoaringBitmap::new());
        }
        Ok(families_of(items, &self.family_starts()?, self.pinned.next_item))
    }

    /// The top-level items of the whole case, hidden ones included: where the numbers of one family end and the next begin, for whoever
    /// cuts numbers into families. Not for showing or counting.
    ///
    /// # Errors
    /// As [`CatalogueReader::set`].
    pub fn family_starts(&self) -> Result<RoaringBitmap> {
        let mut roots = load_set_from(&self.conn, "main.set_delta", SetKind::Root, "", self.pinned.ticket)?;
        roots.remove_range(self.pinned.next_item..);
        Ok(roots)
    }

    /// Everything that would show one of these items: their families; what lies in containers among them; and the containers in which
    /// one of them lies, whose own bytes hold it, with every copy of such a container. A container that is part of a family (an archive attached to a message) takes the whole
    /// family with it; of one that was found by itself (a PST file, an archive on a disk) the other members stay as they are.
    ///
    /// # Errors
    /// When the catalogue cannot be read; [`StoreError::Internal`] for a reader that does not see everything.
    pub fn closure(&self, items: &RoaringBitmap) -> Result<RoaringBitmap> {
        if self.sight != Sight::Whole {
            return Err(StoreError::internal(
                "a closure is asked of a reader that does not see everything",
            ));
        }
        if items.is_empty() {
            return Ok(RoaringBitmap::new());
        }
        let roots = self.family_starts()?;
        let whole_families = |items: &RoaringBitmap| families_of(items, &roots, self.pinned.next_item);
        let mut closed = whole_families(items);
        if !self.has_openings {
            return Ok(closed);
        }
        let mut insides = Vec::new();
        for folder in self.folders()? {
            if let Some(container) = folder.container {
                let members = families(&self.folder_roots(folder.folder_id)?, &roots, self.pinned.next_item);
                insides.push((container.0, members));
            }
        }
        // Containers whose bytes are kept from sight for what lies in them, their other members are not.
        let mut only_itself = RoaringBitmap::new();
        loop {
            let before = (closed.len(), only_itself.len());
            for (container, members) in &insides {
                if closed.contains(*container) {
                    closed |= members;
                } else if !members.is_disjoint(&closed) || !members.is_disjoint(&only_itself) {
                    let family = whole_families(&RoaringBitmap::from_iter([*container]));
                    // Copies too, of which one may not have been opened.
                    let copies = self.with_same_bytes(&RoaringBitmap::from_iter([*container]))?;
                    closed |= whole_families(&(copies - &roots));
                    if roots.contains(*container) {
                        only_itself |= family;
                    }
                }
            }
            if (closed.len(), only_itself.len()) == before {
                return Ok(closed | only_itself);
            }
        }
    }

    fn add_functions(&self, items: &Arc<RoaringBitmap>, state: &quarantine::State) -> Result<()> {
        let add = |result: rusqlite::Result<()>| result.doing("keep from sight what is in quarantine");
        let hidden = Arc::clone(items);
        add(self
            .conn
            .create_scalar_function("embley_sees", 1, FLAGS, move |context| {
                let item = context.get::<i64>(0)?;
                Ok(u32::try_from(item).map_or(true, |item| !hidden.contains(item)))
            }))?;
        let hidden = Arc::clone(items);
        add(self
            .conn
            .create_scalar_function("embley_seen", 1, FLAGS, move |context| {
                let seen = bitmap(context)? - hidden.as_ref();
                let mut bytes = Vec::with_capacity(seen.serialized_size());
                seen.serialize_into(&mut bytes).map_err(failed)?;
                Ok(bytes)
            }))?;
        let hidden = Arc::clone(items);
        add(self
            .conn
            .create_scalar_function("embley_count", 1, FLAGS, move |context| {
                let all = bitmap(context)?;
                Ok((all.len() - all.intersection_len(&hidden)).cast_signed())
            }))?;
        add(self.conn.create_scalar_function("embley_tag", 1, FLAGS, |context| {
            let subject = context.get::<String>(0)?;
            let name = subject.strip_prefix("tag \"").and_then(|rest| rest.strip_suffix('"'));
            Ok(name.map(facts::fold))
        }))?;
        let hidden = Arc::clone(items);
        add(self
            .conn
            .create_scalar_function("embley_emptied", 1, FLAGS, move |context| {
                let all = bitmap(context)?;
                Ok(!all.is_empty() && all.is_subset(&hidden))
            }))?;
        let reviewers = users::reviewers(&self.conn).map_err(store_error)?;
        add(self
            .conn
            .create_scalar_function("embley_reviews", 1, FLAGS, move |context| {
                Ok(reviewers.contains(&facts::fold(&context.get::<String>(0)?)))
            }))?;
        let ids = Arc::new(WrittenIds {
            catalogue: self.path.clone(),
            items: Arc::clone(items),
            closed: state.closed.clone(),
            ids: OnceLock::new(),
        });
        let names = Arc::clone(&ids);
        add(self
            .conn
            .create_scalar_function("embley_names", 1, FLAGS, move |context| {
                let text = context.get::<String>(0)?;
                names.stand_in(&text).map_err(failed)
            }))?;
        let exhibits = self.emptied_exhibits()?;
        add(self
            .conn
            .create_scalar_function("embley_schedule", 1, FLAGS, move |context| {
                let body = context.get_raw(0).as_blob().map_err(failed)?;
                let ids = ids.read().map_err(failed)?;
                without(
                    body,
                    |held| item_hashes(held).any(|hash| ids.contains(hash)),
                    |exhibit, producer| exhibits.contains(&(exhibit.to_owned(), producer.to_owned())),
                )
                .map_err(failed)
            }))
    }

    /// Exhibits all of whose items are hidden: reference and producer.
    fn emptied_exhibits(&self) -> Result<HashSet<(String, String)>> {
        let sql = "SELECT e.reference, e.produced_by FROM main.exhibit e JOIN main.fact_set s ON s.set_id = e.set_id
                   WHERE embley_emptied(s.members)";
        if !facts::has_table(&self.conn, "schedule").map_err(store_error)? {
            return Ok(HashSet::new());
        }
        let all = self.rows(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        Ok(all.into_iter().collect())
    }
}

/// The ids of hidden items, by which kept texts (schedules, indicators) name them: the first halves of the hashes of top-level items. Read when
/// the first such text is, since it takes a look at every hidden item; not from the reader's own moment, but what an item is does not change.
struct WrittenIds {
    catalogue: PathBuf,
    items: Arc<RoaringBitmap>,
    closed: RoaringBitmap,
    ids: OnceLock<HashSet<String>>,
}

impl WrittenIds {
    fn read(&self) -> Result<&HashSet<String>> {
        if let Some(ids) = self.ids.get() {
            return Ok(ids);
        }
        let conn = super::schema::open_reader(&self.catalogue)?;
        let sql = "SELECT b.blake3 FROM item i JOIN blob b ON b.blob_id = i.blob_id WHERE i.item_no = ?1 AND i.root = i.item_no";
        let mut statement = conn.prepare(sql)?;
        let mut ids = HashSet::new();
        for item in self.items.as_ref() | &self.closed {
            let mut rows = statement.query([item])?;
            if let Some(row) = rows.next().doing("read what is in quarantine")? {
                let half = row
                    .get_ref(0)?
                    .as_blob()
                    .ok()
                    .and_then(|hash| hash.get(..16))
                    .and_then(Key128::from_slice);
                ids.extend(half.map(|half| half.to_hex()));
            }
        }
        Ok(self.ids.get_or_init(|| ids))
    }

    /// True when a text names one of them.
    fn stand_in(&self, text: &str) -> Result<bool> {
        if item_hashes(text).next().is_none() {
            return Ok(false);
        }
        let ids = self.read()?;
        Ok(item_hashes(text).any(|hash| ids.contains(hash)))
    }
}

/// So few items that looking each up among the top-level items is faster than walking beside them.
const FEW: u64 = 64;

/// The families of these items, given all top-level items and the first number beyond the last item.
fn families_of(items: &RoaringBitmap, roots: &RoaringBitmap, next_item: u32) -> RoaringBitmap {
    let mut wanted = RoaringBitmap::new();
    if items.len() < FEW {
        let ranks = items.iter().filter_map(|item| roots.rank(item).checked_sub(1));
        wanted.extend(ranks.filter_map(|rank| roots.select(u32::try_from(rank).ok()?)));
    } else {
        let mut next = roots.iter().peekable();
        let mut last = None;
        for item in items {
            while let Some(root) = next.next_if(|root| *root <= item) {
                last = Some(root);
            }
            wanted.extend(last);
        }
    }
    families(&wanted, roots, next_item)
}

/// Pure functions of their argument; views may use them.
const FLAGS: FunctionFlags = FunctionFlags::SQLITE_UTF8
    .union(FunctionFlags::SQLITE_DETERMINISTIC)
    .union(FunctionFlags::SQLITE_INNOCUOUS);

/// Gives a connection for changes, which has no views, the function by which `facts::told` knows what of a set may be spoken of.
pub(crate) fn add_told(conn: &Connection, items: &Arc<RoaringBitmap>) -> Result<()> {
    let hidden = Arc::clone(items);
    let added = conn.create_scalar_function(facts::TOLD, 1, FLAGS, move |context| {
        let told = bitmap(context)? - hidden.as_ref();
        let mut bytes = Vec::with_capacity(told.serialized_size());
        told.serialize_into(&mut bytes).map_err(failed)?;
        Ok(bytes)
    });
    added.doing("keep from sight what is in quarantine")
}

/// What follows `item:` in a text: the hashes of item ids.
fn item_hashes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("item:")
        .filter_map(|(at, prefix)| text.get(at + prefix.len()..at + prefix.len() + 32))
}

fn bitmap(context: &Context<'_>) -> rusqlite::Result<RoaringBitmap> {
    let bytes = context.get_raw(0).as_blob().map_err(failed)?;
    bitmap_from_bytes(bytes, SetKind::Root, "of a fact").map_err(failed)
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::UserFunctionError(Box::new(cause))
}

/// The store's own error in one of facts.
pub(crate) fn store_error(error: FactsError) -> StoreError {
    match error {
        FactsError::Store(error) => error,
        other => StoreError::internal(other.to_string()),
    }
}

/// Up to where the evidence that a reader sees goes.
impl CatalogueReader {
    /// The reader's place as screening puts it on record: its ticket, and the newest run such that this and all before it are over.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn up_to(&self, over: impl Fn(&super::RunRow) -> bool) -> Result<quarantine::UpTo> {
        let mut run_no = embley_model::id::RunNo(0);
        for run in self.runs()? {
            if !over(&run) {
                break;
            }
            run_no = run.run_no;
        }
        let ticket: Ticket = self.pinned.ticket;
        Ok(quarantine::UpTo { ticket, run_no })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_found_the_same_way_for_few_items_and_for_many() {
        let roots: RoaringBitmap = (1..2_000).filter(|item| item % 7 == 1 || item % 11 == 3).collect();
        let items: RoaringBitmap = (1..2_000).filter(|item| item % 13 == 5).collect();
        assert!(items.len() > FEW);
        let mut one_by_one = RoaringBitmap::new();
        for item in &items {
            one_by_one |= families_of(&RoaringBitmap::from_iter([item]), &roots, 2_000);
        }
        assert_eq!(families_of(&items, &roots, 2_000), one_by_one);
        assert!(items.is_subset(&one_by_one) && one_by_one.len() > items.len());
    }
}
