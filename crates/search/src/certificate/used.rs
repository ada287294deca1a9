//! Which sets of the case a query speaks of: the planner's questions, written down as they are asked.
//!
//! Main type: [`UsedSets`]. Invariant: every set that goes into a plan made with it is on its list.

use std::cell::RefCell;

use embley_model::field::Field;
use embley_store::facts::{self, sets};
use roaring::RoaringBitmap;

use super::statement::NamedVersion;
use crate::case_sets::CaseSets;
use crate::plan::{BoxError, Found, SetAsk, Sets};

/// One question and its answer.
pub(crate) struct Asked {
    pub(crate) field: Field,
    pub(crate) asked: String,
    pub(crate) named: Vec<NamedVersion>,
    pub(crate) items: RoaringBitmap,
}

/// The sets of a case, with a memory.
pub(crate) struct UsedSets<'s> {
    sets: &'s CaseSets,
    asked: RefCell<Vec<Asked>>,
}

impl<'s> UsedSets<'s> {
    pub(crate) fn new(sets: &'s CaseSets) -> Self {
        Self {
            sets,
            asked: RefCell::default(),
        }
    }

    /// What was asked, in order, each question once.
    pub(crate) fn into_asked(self) -> Vec<Asked> {
        self.asked.into_inner()
    }

    /// Versions of the tags and exhibits that fit.
    fn versions(&self, field: Field, ask: &SetAsk) -> Result<Vec<NamedVersion>, BoxError> {
        let kind = match field {
            Field::Tag => facts::SetKind::Tag,
            Field::Exhibit => facts::SetKind::Exhibit,
            _ => return Ok(Vec::new()),
        };
        let names = self.sets.fitting(field, ask)?;
        let rows = sets::list(self.sets.reader().facts(), kind)?;
        let fits = rows.into_iter().filter(|row| names.contains(&row.name));
        let mut versions: Vec<NamedVersion> = fits
            .map(|row| NamedVersion {
                name: row.name,
                version: row.version,
            })
            .collect();
        versions.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(versions)
    }
}

impl Sets for UsedSets<'_> {
    fn find(&self, field: Field, ask: &SetAsk) -> Result<Found, BoxError> {
        let found = self.sets.find(field, ask)?;
        let asked = shown(ask);
        let known = |one: &Asked| one.field == field && one.asked == asked;
        if !self.asked.borrow().iter().any(known) {
            let named = self.versions(field, ask)?;
            self.asked.borrow_mut().push(Asked {
                field,
                asked,
                named,
                items: found.items.clone(),
            });
        }
        Ok(found)
    }

    fn names(&self, field: Field) -> Result<Vec<String>, BoxError> {
        self.sets.names(field)
    }
}

fn shown(ask: &SetAsk) -> String {
    match ask {
        SetAsk::Any => "*".to_owned(),
        SetAsk::Is(value) => value.clone(),
        SetAsk::Begins(value) => format!("{value}*"),
        SetAsk::Words { words, last_is_prefix } => {
            let end = if *last_is_prefix { "*" } else { "" };
            format!("{}{end}", words.join(" "))
        }
    }
}
