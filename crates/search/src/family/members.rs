//! The members of a family that a hit is shown with: those that matched, or those that could not be searched.
//!
//! Every such member is listed. Texts are read for the first [`MEMBERS_WITH_SNIPPETS`] of a family; of any further one the list says
//! that its text was not read again for snippets. Main type: [`Member`].

use embley_model::id::{ItemId, ItemNo};
use embley_model::item::ItemKind;
use embley_store::catalogue::{CatalogueReader, ItemRow};
use serde::Serialize;

use crate::plan::BoxError;
use crate::snippet::Snippet;

/// Members of one family whose texts are read for snippets.
pub const MEMBERS_WITH_SNIPPETS: usize = 10;

/// One member of a family.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    /// Stable id.
    pub item: ItemId,
    /// Number of the item in this case.
    pub item_no: u32,
    /// Kind.
    pub kind: ItemKind,
    /// File name.
    pub filename: Option<String>,
    /// Subject or title.
    pub subject: String,
    /// How far its text could be searched.
    pub searchability: &'static str,
    /// Defect codes, where what could not be searched is listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub defects: Vec<&'static str>,
    /// Pieces of its text around what the query marks.
    pub snippets: Vec<Snippet>,
    /// Why there are no snippets from its text, when that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet_error: Option<String>,
    /// True when its text was not read for snippets, because many members of its family matched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub snippets_left_out: bool,
}

/// A member and its rows, which are kept only as long as snippets are wanted of it.
pub(crate) struct MemberDraft {
    pub(crate) member: Member,
    pub(crate) row: Option<ItemRow>,
}

impl MemberDraft {
    /// The member with this number of the family with this id.
    pub(crate) fn read(reader: &CatalogueReader, family: &ItemId, item: u32) -> Result<Self, BoxError> {
        let row = reader
            .item(ItemNo(item))?
            .ok_or_else(|| format!("there is no row of item {item}, which the index holds"))?;
        Ok(Self {
            member: Member {
                item: ItemId {
                    root: family.root,
                    part: row.part_path.clone(),
                },
                item_no: item,
                kind: row.kind,
                filename: row.filename.clone(),
                subject: row.subject.clone(),
                searchability: row.searchability.word(),
                defects: Vec::new(),
                snippets: Vec::new(),
                snippet_error: None,
                snippets_left_out: false,
            },
            row: Some(row),
        })
    }
}

/// Defect codes of an item, each once.
pub(crate) fn defects(reader: &CatalogueReader, item: u32) -> Result<Vec<&'static str>, BoxError> {
    let mut codes: Vec<&'static str> = reader
        .defects(ItemNo(item))?
        .iter()
        .map(|defect| defect.code.text())
        .collect();
    codes.dedup();
    Ok(codes)
}
