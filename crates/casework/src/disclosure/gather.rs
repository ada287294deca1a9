//! The items of a schedule: through the searcher, without what must not be on it.
//!
//! Invariant: [`Material::non_sensitive`] gives no item that is sensitive, may be privileged, or has the bytes of a sensitive item, seen or
//! not; one of a family with such a member, or in which one lies, only when an officer described it in words of their own.

use std::collections::HashMap;

use embley_model::id::ItemNo;
use embley_search::Searcher;
use embley_store::Case;
use embley_store::catalogue::{CatalogueReader, ItemRow};
use embley_store::facts::disclosure::{self, State};
use embley_store::facts::schedules::{self, Form};
use roaring::RoaringBitmap;

use crate::error::{CaseworkError, Result};
use crate::export::selection::{Marked, privileged};

/// What a schedule is made from.
pub(super) struct Material<'a> {
    pub(super) searcher: &'a Searcher,
    case: &'a Case,
    /// Everything that the actor sees.
    pub(super) visible: RoaringBitmap,
    /// Seen, and marked as possibly privileged, with their copies, their families, and what they lie in.
    pub(super) privileged: RoaringBitmap,
    /// The officers' own descriptions.
    pub(super) described: HashMap<ItemNo, String>,
}

/// The items of an MG6C, and how many were kept from it.
pub(super) struct NonSensitive {
    pub(super) items: RoaringBitmap,
    pub(super) privileged: u64,
    pub(super) family: u64,
    pub(super) same_bytes: u64,
}

impl<'a> Material<'a> {
    /// Reads what the searcher sees.
    pub(super) fn read(case: &'a Case, searcher: &'a Searcher) -> Result<Self> {
        let wrong = |source| CaseworkError::Export {
            source: Box::new(source),
        };
        let everything = searcher.plan("*").map_err(wrong)?;
        let visible = searcher.items(&everything).map_err(wrong)?;
        let reader = searcher.reader();
        let marked = Marked::of(case, privileged(searcher, &[])?)?;
        Ok(Self {
            searcher,
            case,
            privileged: marked.with_holders & &visible,
            visible,
            described: disclosure::descriptions(reader.facts())?,
        })
    }

    pub(super) fn reader(&self) -> &'a CatalogueReader {
        self.searcher.reader()
    }

    /// The items in a state, as far as they are seen.
    pub(super) fn in_state(&self, state: State) -> Result<RoaringBitmap> {
        Ok(disclosure::items(self.reader().facts(), state)? & &self.visible)
    }

    /// What a new MG6C lists.
    pub(super) fn non_sensitive(&self) -> Result<NonSensitive> {
        let facts = self.reader().facts();
        // Of the whole case: a copy of something sensitive says what that says, also when whoever drafts may not see the original.
        let sensitive = Marked::of(self.case, |whole| Ok(disclosure::items(whole, State::Sensitive)?))?;
        let mut items = self.in_state(State::Unused)? - schedules::listed_items(facts, Form::Mg6c)?;
        let privileged = items.intersection_len(&self.privileged);
        items -= &self.privileged;
        // Nothing has two states of one decision, so these are copies.
        let same_bytes = &items & &sensitive.items;
        items -= &same_bytes;
        let in_family: RoaringBitmap = (&items & &sensitive.with_holders)
            .into_iter()
            .filter(|item| !self.described.contains_key(&ItemNo(*item)))
            .collect();
        items -= &in_family;
        Ok(NonSensitive {
            items,
            privileged,
            family: in_family.len(),
            same_bytes: same_bytes.len(),
        })
    }

    /// What a new MG6D lists, and how many items were kept from it as possibly privileged.
    pub(super) fn sensitive(&self) -> Result<(RoaringBitmap, u64)> {
        let listed = schedules::listed_items(self.reader().facts(), Form::Mg6d)?;
        let items = self.in_state(State::Sensitive)? - listed;
        let privileged = items.intersection_len(&self.privileged);
        Ok((items - &self.privileged, privileged))
    }

    /// The row of an item that the searcher gave.
    pub(super) fn row(&self, item: u32) -> Result<ItemRow> {
        let row = self.reader().item(ItemNo(item))?;
        row.ok_or_else(|| CaseworkError::Request {
            detail: format!("the index holds item {item}, the catalogue does not; run `embley verify`"),
        })
    }
}
