//! The sets of a case, from its catalogue: custodians, sources, paths, folders, exhibits, tags, marks of privilege, review states, cases,
//! hashes, items.
//!
//! Not for: anything that words in the index decide. Main type: [`CaseSets`]. Invariant: all answers belong to the moment
//! that the catalogue's reader is pinned to; what was read is kept until [`CaseSets::refresh`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use embley_index::analysis::{fold_keyword, words_with_offsets};
use embley_model::field::Field;
use embley_model::id::{FileId, ItemNo, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{CatalogueReader, SetKind};
use embley_store::facts::{self, ExhibitRef, cases, records, review, sets};
use embley_store::{Result, StoreError};
use roaring::RoaringBitmap;

use crate::error::SearchError;
use crate::plan::{BoxError, Found, NOT_SEARCHABLE, SetAsk, Sets};
use crate::threads::{StoredThreads, ThreadId};

/// A named set with its items.
#[derive(Clone, Debug)]
pub(crate) struct NamedSet {
    pub(crate) name: String,
    pub(crate) items: Arc<RoaringBitmap>,
}

type Named = Arc<Vec<NamedSet>>;

/// See the module. Can be sent to another thread, not shared.
pub struct CaseSets {
    reader: CatalogueReader,
    named: RefCell<HashMap<Field, Named>>,
    threads: StoredThreads,
}

impl CaseSets {
    /// The sets as the reader sees them.
    pub fn new(reader: CatalogueReader) -> Self {
        Self {
            reader,
            named: RefCell::default(),
            threads: StoredThreads::new(),
        }
    }

    /// The catalogue.
    pub fn reader(&self) -> &CatalogueReader {
        &self.reader
    }

    /// Lets go of the moment and sees the present one, evidence up to `ticket` only.
    ///
    /// # Errors
    /// As [`CatalogueReader::refresh`] and [`CatalogueReader::limit_to`].
    pub fn refresh(&mut self, ticket: Ticket) -> Result<()> {
        self.named.borrow_mut().clear();
        self.threads = StoredThreads::new();
        self.reader.refresh()?;
        self.reader.limit_to(ticket)
    }

    /// All sets of a field with a short list of names, in the order of their names; empty for other fields.
    pub(crate) fn named(&self, field: Field) -> std::result::Result<Named, BoxError> {
        if let Some(known) = self.named.borrow().get(&field) {
            return Ok(Arc::clone(known));
        }
        let mut all = match field {
            Field::Custodian => self.custodians()?,
            Field::Source => self.sources()?,
            Field::Label => self.labels()?,
            Field::Tag => self.facts(facts::SetKind::Tag)?,
            Field::Exhibit => self.facts(facts::SetKind::Exhibit)?,
            Field::Privilege => self.facts(facts::SetKind::Privilege)?,
            Field::Review => self.facts(facts::SetKind::Review)?,
            Field::Case => self.cases()?,
            Field::Type => self.kinds()?,
            _ => Vec::new(),
        };
        if !self.reader.hidden().items().is_empty() {
            // The name of a set may tell of what is hidden, if nothing else is in it.
            all.retain(|set| !set.items.is_empty());
        }
        all.sort_by(|one, two| one.name.cmp(&two.name));
        let all = Arc::new(all);
        self.named.borrow_mut().insert(field, Arc::clone(&all));
        Ok(all)
    }

    fn custodians(&self) -> Result<Vec<NamedSet>> {
        let mut all = Vec::new();
        for row in self.reader.custodians()? {
            let items = Arc::new(self.reader.custodian_items(row.custodian_id)?);
            all.push(NamedSet { name: row.name, items });
        }
        Ok(all)
    }

    fn sources(&self) -> Result<Vec<NamedSet>> {
        let mut all = Vec::new();
        for row in self.reader.sources()? {
            let items = Arc::new(self.reader.source_items(row.source_id)?);
            all.push(NamedSet { name: row.label, items });
        }
        Ok(all)
    }

    fn labels(&self) -> Result<Vec<NamedSet>> {
        let mut all = Vec::new();
        for name in self.reader.set_keys(SetKind::Label)? {
            let items = Arc::new(self.reader.set(SetKind::Label, &name)?);
            all.push(NamedSet { name, items });
        }
        Ok(all)
    }

    fn kinds(&self) -> Result<Vec<NamedSet>> {
        let mut all = Vec::new();
        for kind in ItemKind::ALL {
            let items = Arc::new(self.reader.kind_items(kind)?);
            all.push(NamedSet {
                name: kind.word().to_owned(),
                items,
            });
        }
        Ok(all)
    }

    /// Facts may speak of items beyond the checkpoint, which are not seen yet.
    fn seen(&self, mut items: RoaringBitmap) -> Arc<RoaringBitmap> {
        items -= self.reader.hidden().items().as_ref();
        items.remove_range(self.reader.checkpoint().next_item..);
        Arc::new(items)
    }

    fn facts(&self, kind: facts::SetKind) -> std::result::Result<Vec<NamedSet>, BoxError> {
        let conn = self.reader.facts();
        let mut all = Vec::new();
        for row in sets::list(conn, kind)? {
            let items = self.seen(sets::members(conn, row.set_id)?);
            all.push(NamedSet { name: row.name, items });
        }
        Ok(all)
    }

    fn cases(&self) -> std::result::Result<Vec<NamedSet>, BoxError> {
        let conn = self.reader.facts();
        let mut all = Vec::new();
        for (_, name) in records::case_refs(conn)? {
            let items = self.seen(cases::items(conn, &name)?.unwrap_or_default());
            all.push(NamedSet { name, items });
        }
        Ok(all)
    }

    /// Items whose text could not be searched, by reason; reasons without items are left out.
    pub(crate) fn hidden(&self) -> Result<Vec<(Searchability, RoaringBitmap)>> {
        let mut all = Vec::new();
        for reason in Searchability::ALL.into_iter().filter(|reason| reason.hides_text()) {
            let items = self.reader.searchability_items(reason)?;
            if !items.is_empty() {
                all.push((reason, items));
            }
        }
        Ok(all)
    }

    fn by_name(&self, field: Field, ask: &SetAsk) -> std::result::Result<Found, BoxError> {
        let mut found = Found::default();
        for set in self.fitting_sets(field, ask)? {
            found.items |= set.items.as_ref();
            found.names_count += 1;
        }
        Ok(found)
    }

    /// The names of the sets of a field that fit, in their order.
    pub(crate) fn fitting(&self, field: Field, ask: &SetAsk) -> std::result::Result<Vec<String>, BoxError> {
        Ok(self.fitting_sets(field, ask)?.into_iter().map(|set| set.name).collect())
    }

    fn fitting_sets(&self, field: Field, ask: &SetAsk) -> std::result::Result<Vec<NamedSet>, BoxError> {
        let fits: Box<dyn Fn(&str) -> bool> = match ask {
            SetAsk::Any => Box::new(|_| true),
            SetAsk::Is(value) => {
                // `js/01` is the exhibit JS/1.
                let exhibit = value.parse::<ExhibitRef>().ok().filter(|_| field == Field::Exhibit);
                let value = fold_keyword(&exhibit.map_or_else(|| value.clone(), |exhibit| exhibit.to_string()));
                Box::new(move |name| fold_keyword(name) == value)
            }
            SetAsk::Begins(value) => {
                let value = fold_keyword(value);
                Box::new(move |name| fold_keyword(name).starts_with(&value))
            }
            SetAsk::Words { words, last_is_prefix } => {
                let (words, last_is_prefix) = (words.clone(), *last_is_prefix);
                Box::new(move |name| holds(&folded_words(name), &words, last_is_prefix))
            }
        };
        let named = self.named(field)?;
        Ok(named.iter().filter(|set| fits(&set.name)).cloned().collect())
    }

    /// Every item without a review state.
    fn not_reviewed(&self) -> std::result::Result<Found, BoxError> {
        let mut items = RoaringBitmap::new();
        items.insert_range(1..self.reader.checkpoint().next_item);
        for state in self.named(Field::Review)?.iter() {
            items -= state.items.as_ref();
        }
        Ok(Found { items, names_count: 1 })
    }

    /// A case by its reference, without reading all others. A reference that differs in accents only is looked for among all.
    fn by_case(&self, ask: &SetAsk) -> std::result::Result<Found, BoxError> {
        if let SetAsk::Is(case_ref) = ask
            && let Some(items) = cases::items(self.reader.facts(), case_ref)?
        {
            let items = Arc::unwrap_or_clone(self.seen(items));
            return Ok(Found { items, names_count: 1 });
        }
        self.by_name(Field::Case, ask)
    }

    fn by_searchability(&self, ask: &SetAsk) -> Result<Found> {
        let fits = |word: &str| match ask {
            SetAsk::Is(value) => word == value,
            SetAsk::Begins(value) => word.starts_with(value.as_str()),
            SetAsk::Any | SetAsk::Words { .. } => false,
        };
        let mut found = Found::default();
        for reason in Searchability::ALL {
            if fits(reason.word()) || (reason.hides_text() && fits(NOT_SEARCHABLE)) {
                found.items |= self.reader.searchability_items(reason)?;
                found.names_count += 1;
            }
        }
        Ok(found)
    }

    fn by_hash(&self, ask: &SetAsk) -> Result<Found> {
        let mut found = Found::default();
        if let SetAsk::Is(digits) | SetAsk::Begins(digits) = ask {
            for blob in self.reader.blobs_by_hex(digits)? {
                found
                    .items
                    .extend(self.reader.items_of_blob(blob.blob_id)?.iter().map(|item| item.0));
            }
        }
        found.names_count = found.items.len();
        Ok(found)
    }

    fn by_item(&self, ask: &SetAsk) -> Result<Found> {
        let mut found = Found::default();
        match ask {
            SetAsk::Is(value) => match value.strip_prefix("item:") {
                None => {
                    let number = value.parse::<u32>().ok();
                    found
                        .items
                        .extend(number.filter(|item| *item < self.reader.checkpoint().next_item && *item > 0));
                }
                Some(id) => {
                    let (root, part) = id.split_once('/').map_or((id, None), |(root, part)| (root, Some(part)));
                    for root in self.reader.roots_by_hex(root)? {
                        let item = match part {
                            Some(part) => self.reader.part(root, part)?,
                            None => Some(root),
                        };
                        found.items.extend(item.map(|item| item.0));
                    }
                }
            },
            SetAsk::Begins(root) => {
                let roots: RoaringBitmap = self.reader.roots_by_hex(root)?.iter().map(|item| item.0).collect();
                found.items = self.reader.families(&roots)?;
            }
            SetAsk::Any | SetAsk::Words { .. } => {}
        }
        found.names_count = found.items.len();
        Ok(found)
    }

    /// The threads of these messages, as hits show them: `None` for what is no message and for a message that stands alone.
    pub(crate) fn threads_of(&self, items: &[ItemNo]) -> std::result::Result<Vec<Option<String>>, SearchError> {
        // A page of hits does not wait for links to be made.
        if !self.threads.is_fresh(&self.reader)? {
            return Ok(vec![None; items.len()]);
        }
        let links = self.threads.of_page(&self.reader, items)?;
        let shown = |link: crate::threads::LinkRow| (!link.is_alone()).then(|| ThreadId(link.thread).to_string());
        Ok(links.into_iter().map(|link| link.and_then(shown)).collect())
    }

    /// The thread that a message belongs to: by the number of the thread or of any message in it, or by an item id.
    fn by_thread(&self, ask: &SetAsk) -> std::result::Result<Found, BoxError> {
        if matches!(ask, SetAsk::Any) {
            let items = self.threads.linked(&self.reader)?;
            let names_count = items.len();
            return Ok(Found { items, names_count });
        }
        let mut found = Found::default();
        let named = self.by_item(ask)?;
        for item in &named.items {
            let items = self.threads.items(&self.reader, ItemNo(item))?;
            if !items.is_empty() {
                found.names_count += 1;
                found.items |= items;
            }
        }
        Ok(found)
    }

    /// Folders and files whose path holds the words; for `folder:` the folder's path alone counts.
    fn by_path(&self, field: Field, ask: &SetAsk) -> Result<Found> {
        let SetAsk::Words { words, last_is_prefix } = ask else {
            let items: RoaringBitmap = (1..self.reader.checkpoint().next_item).collect();
            return Ok(Found { items, names_count: 1 });
        };
        let labels: HashMap<_, _> = self
            .reader
            .sources()?
            .into_iter()
            .map(|row| (row.source_id, row.label))
            .collect();
        let mut found = Found::default();
        // Folders that do not hold all of the words by themselves, with the words that a file name could go on from.
        let mut open = HashMap::new();
        for folder in self.reader.folders()? {
            let mut of_folder = labels
                .get(&folder.source_id)
                .map_or_else(Vec::new, |label| folded_words(label));
            of_folder.extend(folded_words(&String::from_utf8_lossy(&folder.path)));
            if holds(&of_folder, words, *last_is_prefix) {
                found.items |= self.reader.folder_items(folder.folder_id)?;
                found.names_count += 1;
            } else {
                let keep = of_folder.len().saturating_sub(words.len() - 1);
                open.insert(folder.folder_id, of_folder.split_off(keep));
            }
        }
        if field == Field::Path {
            let files = self.files_named(&open, words, *last_is_prefix)?;
            found.names_count += files.len() as u64;
            found.items |= self.reader.file_items(&files)?;
        }
        Ok(found)
    }

    fn files_named(
        &self,
        folders: &HashMap<embley_store::catalogue::FolderId, Vec<String>>,
        words: &[String],
        last_is_prefix: bool,
    ) -> Result<Vec<FileId>> {
        let mut files = Vec::new();
        self.reader.for_each_file(|file| {
            if let Some(of_folder) = folders.get(&file.folder_id) {
                let mut path = of_folder.clone();
                path.extend(folded_words(&String::from_utf8_lossy(&file.name)));
                if holds(&path, words, last_is_prefix) {
                    files.push(file.file_id);
                }
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(files)
    }

    /// How often the top-level item of each family was found, by item number; 0 for parts and for what has no instance.
    pub(crate) fn instance_counts(&self) -> Result<Vec<u32>> {
        let next = self.reader.checkpoint();
        let mut counts = vec![0_u32; next.next_item as usize];
        let all = embley_model::id::InstanceId(1)..embley_model::id::InstanceId(next.next_instance);
        self.reader.for_each_instance(all, |row| {
            if let Some(count) = counts.get_mut(row.item_no.0 as usize) {
                *count += 1;
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(counts)
    }

    /// How often one top-level item was found.
    pub(crate) fn instances_of(&self, root: ItemNo) -> Result<u64> {
        Ok(self.reader.instances_of(root)?.len() as u64)
    }
}

impl CaseSets {
    fn find_all(&self, field: Field, ask: &SetAsk) -> std::result::Result<Found, BoxError> {
        match field {
            Field::Has => Ok(self.by_searchability(ask)?),
            Field::Hash => Ok(self.by_hash(ask)?),
            Field::Item => Ok(self.by_item(ask)?),
            Field::Thread => self.by_thread(ask),
            Field::Person => crate::people::find(&self.reader, ask),
            Field::Case if matches!(ask, SetAsk::Is(_)) => self.by_case(ask),
            Field::Path | Field::Folder => Ok(self.by_path(field, ask)?),
            Field::Review if is_not_reviewed(ask) => self.not_reviewed(),
            _ => self.by_name(field, ask),
        }
    }
}

impl Sets for CaseSets {
    fn find(&self, field: Field, ask: &SetAsk) -> std::result::Result<Found, BoxError> {
        let mut found = self.find_all(field, ask)?;
        // The one place through which every set goes into a plan.
        let hidden = self.reader.hidden().items();
        if !hidden.is_empty() {
            found.items -= hidden.as_ref();
            if found.items.is_empty() {
                // That a path or a number has the name tells of what it is the name of.
                found.names_count = 0;
            }
        }
        Ok(found)
    }

    fn names(&self, field: Field) -> std::result::Result<Vec<String>, BoxError> {
        let mut names: Vec<String> = self.named(field)?.iter().map(|set| set.name.clone()).collect();
        if field == Field::Review {
            names.push(review::NOT_REVIEWED.to_owned());
        }
        Ok(names)
    }
}

/// True for the word that means having no review state.
fn is_not_reviewed(ask: &SetAsk) -> bool {
    matches!(ask, SetAsk::Is(name) if fold_keyword(name) == review::NOT_REVIEWED)
}

fn folded_words(text: &str) -> Vec<String> {
    words_with_offsets(text).map(|word| word.folded.into_owned()).collect()
}

/// True when the words stand side by side in the path, in order.
fn holds(path: &[String], words: &[String], last_is_prefix: bool) -> bool {
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    path.windows(words.len()).any(|window| {
        let end = &window[before.len()];
        window[..before.len()] == *before && (end == last || (last_is_prefix && end.starts_with(last.as_str())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_words_side_by_side_and_the_last_may_go_on() {
        let path = folded_words("Smith/Mail 2001/inbox.mbox");
        for (words, last_is_prefix, expected) in [
            ("mail 2001", false, true),
            ("mail/2001", false, true),
            ("inb", false, false),
            ("2001 inb", true, true),
            ("mail inbox", false, false),
            ("smith mail 2001 inbox mbox", false, true),
            ("smith mail 2001 inbox mbox x", false, false),
            ("", false, false),
        ] {
            assert_eq!(holds(&path, &folded_words(words), last_is_prefix), expected, "{words}");
        }
    }
}
