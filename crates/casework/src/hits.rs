//! What case records say of search hits: decisions ([`crate::annotate`]) and people, which `search` does not know.

use std::cell::OnceCell;

use embley_model::id::ItemNo;
use embley_model::record::Record;
use embley_search::Searcher;
use embley_search::hit::{HitLinks, Links};
use embley_search::plan::BoxError;
use embley_store::facts::member::FactSets;
use embley_store::facts::people::{Directory, PersonRef};
use embley_store::facts::records;

use crate::annotate::{DatedItem, NearDecision, annotate};
use crate::context::Surroundings;
use crate::error::Result;

/// Gives hits of one searcher their decisions. Sets are read with the first page.
pub struct CaseHits<'a> {
    searcher: &'a Searcher,
    sets: OnceCell<FactSets>,
    people: OnceCell<Directory>,
    around: Option<Surroundings<'a>>,
}

impl<'a> CaseHits<'a> {
    /// For the hits of this searcher.
    pub fn new(searcher: &'a Searcher) -> Self {
        Self {
            searcher,
            sets: OnceCell::new(),
            people: OnceCell::new(),
            around: None,
        }
    }

    /// The same, with what stands around each hit.
    #[must_use]
    pub fn with_context(mut self) -> Self {
        self.around = Some(Surroundings::new(self.searcher));
        self
    }

    fn read(&self, items: &[ItemNo]) -> Result<Vec<Links>> {
        let reader = self.searcher.reader();
        let mut dated = Vec::with_capacity(items.len());
        for item in items {
            let utc_secs = reader.brief(*item)?.and_then(|brief| brief.date);
            dated.push(DatedItem { item: *item, utc_secs });
        }
        let sets = match self.sets.get() {
            Some(sets) => sets,
            None => {
                let loaded = FactSets::load(reader.facts())?;
                self.sets.get_or_init(|| loaded)
            }
        };
        let page = annotate(reader.facts(), sets, self.searcher.zone(), &dated)?;
        let people = dated.iter().map(|one| self.people(*one)).collect::<Result<Vec<_>>>()?;
        let mut all = Vec::with_capacity(items.len());
        for ((item, one), people) in items.iter().zip(page).zip(people) {
            let context = match &self.around {
                Some(around) => Some(Box::new(around.of(*item, &one.decisions)?)),
                None => None,
            };
            all.push(Links {
                people,
                decisions: one.decisions.iter().map(NearDecision::link).collect(),
                context,
                ..Links::default()
            });
        }
        Ok(all)
    }
}

impl CaseHits<'_> {
    /// The people who take part in an item or whom its record names, as the directory calls them at its date. Addresses
    /// that are nobody's on record are left out; ids that no record explains stand for themselves.
    fn people(&self, item: DatedItem) -> Result<Vec<String>> {
        let reader = self.searcher.reader();
        let participants = reader.participants(item.item)?;
        let record = match records::of_item(reader.facts(), item.item)? {
            Some(stored) => Some(stored.record()?),
            None => None,
        };
        let named = record.as_ref().map(Record::people).unwrap_or_default();
        if participants.is_empty() && named.is_empty() {
            return Ok(Vec::new());
        }
        let directory = match self.people.get() {
            Some(directory) => directory,
            None => {
                let loaded = Directory::load(reader.facts(), self.searcher.zone())?;
                self.people.get_or_init(|| loaded)
            }
        };
        let mut all: Vec<String> = Vec::new();
        let taking_part = participants.iter();
        let taking_part = taking_part.filter_map(|one| directory.resolve(&one.address, item.utc_secs));
        let spoken = taking_part.map(|(person, _)| person.spoken()).chain(
            named
                .iter()
                .map(|id| directory.by_id(id).map_or_else(|| (*id).to_owned(), PersonRef::spoken)),
        );
        for one in spoken {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        Ok(all)
    }
}

impl HitLinks for CaseHits<'_> {
    fn links(&self, items: &[ItemNo]) -> std::result::Result<Vec<Links>, BoxError> {
        Ok(self.read(items)?)
    }
}
