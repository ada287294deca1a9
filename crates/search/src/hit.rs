//! One hit as people and scripts see it: rows of the catalogue, membership in sets, snippets.
//!
//! The JSON form is that of `search --format json`: names stay, more may come. Not for: deciding what matches.

use std::collections::HashMap;

use embley_model::address::{Address, Role};
use embley_model::date::rfc3339;
use embley_model::field::Field;
use embley_model::id::{Blake3, ItemId, ItemNo, Sha256};
use embley_model::item::ItemKind;
use embley_store::StoreError;
use embley_store::catalogue::{BlobRow, ItemRow};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::case_sets::{CaseSets, NamedSet};
use crate::family::Member;
use crate::places::FieldText;
pub use crate::plan::BoxError;
use crate::snippet::{Marker, Snippet, SnippetStyle};

/// One item that matches.
#[derive(Clone, Debug, Serialize)]
pub struct Hit {
    /// Stable id: `item:` and the hash of the top-level original, with a part path for a part.
    pub item: ItemId,
    /// Number of the item in this case.
    pub item_no: u32,
    /// Kind; `type:` in a query.
    pub kind: ItemKind,
    /// Date, RFC 3339 UTC; null for undated items.
    pub date: Option<String>,
    /// The same in the zone of the case, with its offset.
    pub date_local: Option<String>,
    /// The date as it stands in the original.
    pub date_raw: String,
    /// Who sent it, `Name <address>`; several are joined with `; `; empty when nobody is named.
    pub from: String,
    /// Primary recipients.
    pub to: Vec<String>,
    /// Copied recipients, open and blind.
    pub cc: Vec<String>,
    /// Subject or title.
    pub subject: String,
    /// File name.
    pub filename: Option<String>,
    /// Message-ID with its brackets.
    pub message_id: Option<String>,
    /// SHA-256 of the original bytes.
    pub sha256: Sha256,
    /// BLAKE3 of the original bytes.
    pub blake3: Blake3,
    /// Size of the original in bytes.
    pub size: u64,
    /// Media type.
    pub media_type: String,
    /// Language of its text, as `language:` knows it; `und` when it cannot be told, null without text.
    pub language: Option<String>,
    /// Everyone it was found with.
    pub custodians: Vec<String>,
    /// How often the top-level item of its family was found.
    pub instances: u64,
    /// The top-level item of its family.
    pub family: ItemId,
    /// The item it is a part of.
    pub parent: Option<ItemId>,
    /// Its thread, as a query for it; null for what stands alone and while threads are not linked up to this state.
    pub thread: Option<String>,
    /// References of the exhibits that hold it.
    pub exhibits: Vec<String>,
    /// Tags on it.
    pub tags: Vec<String>,
    /// Marks of privilege on it.
    pub privilege: Vec<String>,
    /// Its review state; null for what is not reviewed.
    pub review: Option<String>,
    /// Cases that it names or belongs to.
    pub cases: Vec<String>,
    /// People it is linked to.
    pub people: Vec<String>,
    /// Decisions it is linked to.
    pub decisions: Vec<DecisionLink>,
    /// Defect codes.
    pub defects: Vec<&'static str>,
    /// How far its text could be searched.
    pub searchability: &'static str,
    /// What stands around it, when that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<HitContext>>,
    /// In the order of nearness to a date: calendar days from that date to the item, negative before it; null for undated items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_days: Option<Option<i64>>,
    /// Relevance, when that is the order.
    pub score: Option<f32>,
    /// Pieces of its text around what the query marks.
    pub snippets: Vec<Snippet>,
    /// Why there are no snippets from its text, when that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet_error: Option<String>,
    /// Where equal families are one: the other hits that this one stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<Vec<JoinedHit>>,
    /// At the level of families: the members that the query was found in; see [`crate::family`]. Empty when it only excludes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Vec<Member>>,
    /// In a list of what was not searchable: why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<&'static str>,
    /// In such a list at the level of families: the members that could not be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_searchable: Option<Vec<Member>>,
}

/// A decision that an item is linked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionLink {
    /// The decision record.
    pub id: String,
    /// How it is linked.
    pub relation: String,
    /// Days from the decision to the item; negative before it.
    pub days: Option<i64>,
}

/// A hit that is shown by another one with the same family key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinedHit {
    /// Stable id.
    pub item: ItemId,
    /// Number of the item in this case.
    pub item_no: u32,
    /// Everyone it was found with.
    pub custodians: Vec<String>,
    /// How often the top-level item of its family was found.
    pub instances: u64,
}

impl From<Hit> for JoinedHit {
    fn from(hit: Hit) -> Self {
        Self {
            item: hit.item,
            item_no: hit.item_no,
            custodians: hit.custodians,
            instances: hit.instances,
        }
    }
}

/// What stands around an item: decisions of its cases in time, its family, the messages before and behind it in its thread.
///
/// What is listed is what is on record or in headers; nearness in time is shown, not interpreted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HitContext {
    /// The nearest decision on its day or before it, of those that the item is linked to.
    pub decision_before: Option<DecisionBeside>,
    /// The nearest one after its day.
    pub decision_after: Option<DecisionBeside>,
    /// The message that its message follows.
    pub answers: Option<Beside>,
    /// The reason of that link, or why there is none; null for what is no message.
    pub answers_reason: Option<&'static str>,
    /// Messages that follow its message, in the order of their numbers; at most [`CONTEXT_LIMIT`].
    pub answered_by: Vec<Beside>,
    /// How many there are.
    pub answered_by_count: u64,
    /// Messages of its thread that are held, its own included; 0 for what is no message.
    pub thread_messages: u64,
    /// The other members of its family; at most [`CONTEXT_LIMIT`].
    pub family: Vec<Beside>,
    /// How many there are.
    pub family_count: u64,
}

/// Items of one kind that a context lists; the others are counted.
pub const CONTEXT_LIMIT: usize = 10;

/// A decision in the context of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionBeside {
    /// How it is linked, and the days from it to the item.
    #[serde(flatten)]
    pub link: DecisionLink,
    /// Its item.
    pub item_no: u32,
    /// Its case.
    pub case: String,
    /// What was decided about; empty when the record does not say.
    pub decision_type: String,
    /// Its date, RFC 3339 UTC.
    pub date: Option<String>,
}

/// An item in the context of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beside {
    /// Its number.
    pub item_no: u32,
    /// Its kind.
    pub kind: ItemKind,
    /// Its date, RFC 3339 UTC; null for undated items.
    pub date: Option<String>,
    /// Who sent it; empty when nobody is named.
    pub from: String,
    /// Its subject or title, else its file name.
    pub title: String,
}

impl From<&ItemRow> for Beside {
    fn from(row: &ItemRow) -> Self {
        let title = if row.subject.is_empty() {
            row.filename.clone().unwrap_or_default()
        } else {
            row.subject.clone()
        };
        Self {
            item_no: row.item_no.0,
            kind: row.kind,
            date: row.date.utc_secs.and_then(rfc3339),
            from: shown(row, &[Role::From]).join("; "),
            title,
        }
    }
}

/// What the case records say of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// People, by id or name.
    pub people: Vec<String>,
    /// Decisions.
    pub decisions: Vec<DecisionLink>,
    /// Thread.
    pub thread: Option<String>,
    /// What stands around it, when that was asked for.
    pub context: Option<Box<HitContext>>,
}

/// Gives what case records say of items; the implementor is above this crate.
pub trait HitLinks {
    /// One entry for each of the items, in their order.
    ///
    /// # Errors
    /// Whatever kept it from reading.
    fn links(&self, items: &[ItemNo]) -> Result<Vec<Links>, BoxError>;
}

/// Gives the text of an item, for snippets: the one that was indexed as its body, or for an attachment as `attachment`.
/// The implementor parses the original again and is above this crate.
pub trait ItemText: Sync {
    /// The text; empty when there is none.
    ///
    /// # Errors
    /// Whatever kept it from reading or parsing. The hit is then shown without a snippet of its text, and says why.
    fn text(&self, item: ItemNo) -> Result<String, BoxError>;
}

/// Makes hits of one page at a time.
pub(crate) struct HitMaker<'s> {
    pub(crate) sets: &'s CaseSets,
    pub(crate) zone: &'s TimeZone,
    pub(crate) custodians: &'s [NamedSet],
    /// Instances by item number, when they were all read.
    pub(crate) instance_counts: Option<&'s [u32]>,
}

/// A hit without what needs a look at the whole page, and its rows.
pub(crate) struct Draft {
    pub(crate) hit: Hit,
    pub(crate) row: ItemRow,
}

impl HitMaker<'_> {
    /// The rows of one item as a hit.
    ///
    /// # Errors
    /// When the catalogue cannot be read, or has no row for an item that the index holds.
    pub(crate) fn draft(&self, item: ItemNo, score: Option<f32>) -> Result<Draft, BoxError> {
        let reader = self.sets.reader();
        let row = reader.item(item)?.ok_or_else(|| missing("item", item))?;
        let blob = self.blob(&row)?;
        let (root_hash, parent) = self.ancestors(&row, &blob)?;
        let id = |part: String| ItemId {
            root: root_hash.half(),
            part,
        };
        let mut defects: Vec<&'static str> = reader.defects(item)?.iter().map(|defect| defect.code.text()).collect();
        defects.dedup();
        let custodians = self
            .custodians
            .iter()
            .filter(|set| set.items.contains(item.0))
            .map(|set| set.name.clone());
        let hit = Hit {
            item: id(row.part_path.clone()),
            item_no: item.0,
            kind: row.kind,
            date: row.date.utc_secs.and_then(rfc3339),
            date_local: row.date.utc_secs.and_then(|secs| local(secs, self.zone)),
            date_raw: row.date.raw.clone(),
            from: shown(&row, &[Role::From]).join("; "),
            to: shown(&row, &[Role::To]),
            cc: shown(&row, &[Role::Cc, Role::Bcc]),
            subject: row.subject.clone(),
            filename: row.filename.clone(),
            message_id: row.message_id.clone(),
            sha256: blob.sha256,
            blake3: blob.blake3,
            size: row.size,
            media_type: row.media_type.clone(),
            language: None,
            custodians: custodians.collect(),
            instances: self.instances(row.root)?,
            family: id(String::new()),
            parent: parent.map(id),
            thread: None,
            exhibits: Vec::new(),
            tags: Vec::new(),
            privilege: Vec::new(),
            review: None,
            cases: Vec::new(),
            people: Vec::new(),
            decisions: Vec::new(),
            defects,
            searchability: row.searchability.word(),
            context: None,
            near_days: None,
            score,
            snippets: Vec::new(),
            snippet_error: None,
            joined: None,
            matched: None,
            reasons: Vec::new(),
            not_searchable: None,
        };
        Ok(Draft { hit, row })
    }

    fn blob(&self, row: &ItemRow) -> Result<BlobRow, BoxError> {
        let blob = self.sets.reader().blob(row.blob_id)?;
        Ok(blob.ok_or_else(|| missing("the bytes of item", row.item_no))?)
    }

    /// The hash of the top-level item, and the part path of the parent.
    fn ancestors(&self, row: &ItemRow, blob: &BlobRow) -> Result<(Blake3, Option<String>), BoxError> {
        let Some(parent) = row.parent else {
            return Ok((blob.blake3, None));
        };
        let reader = self.sets.reader();
        let root = reader
            .blob_of(row.root)?
            .ok_or_else(|| missing("the top-level item", row.root))?;
        if parent == row.root {
            return Ok((root.blake3, Some(String::new())));
        }
        let parent = reader.item(parent)?.ok_or_else(|| missing("the parent", parent))?;
        Ok((root.blake3, Some(parent.part_path)))
    }

    fn instances(&self, root: ItemNo) -> Result<u64, BoxError> {
        match self.instance_counts {
            Some(counts) => Ok(counts.get(root.0 as usize).copied().map_or(0, u64::from)),
            None => Ok(self.sets.instances_of(root)?),
        }
    }
}

fn missing(what: &str, item: ItemNo) -> StoreError {
    StoreError::NotFound {
        what: format!("{what} {item}, which the index holds,"),
    }
}

fn local(secs: i64, zone: &TimeZone) -> Option<String> {
    let stamp = jiff::Timestamp::from_second(secs).ok()?;
    Some(
        stamp
            .to_zoned(zone.clone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string(),
    )
}

fn shown(row: &ItemRow, roles: &[Role]) -> Vec<String> {
    of_roles(row, roles).map(Address::display).collect()
}

fn of_roles<'r>(row: &'r ItemRow, roles: &[Role]) -> impl Iterator<Item = &'r Address> {
    let roles = roles.to_vec();
    row.participants
        .iter()
        .filter(move |one| roles.contains(&one.role))
        .map(|one| &one.address)
}

/// The field that holds the text of an item.
pub(crate) fn text_field(kind: ItemKind) -> Field {
    match kind {
        ItemKind::Attachment => Field::Attachment,
        ItemKind::Email | ItemKind::Document | ItemKind::Record => Field::Body,
    }
}

/// Snippets of one hit: from its text first, then subject, file name, sender and recipients. Addresses that the index
/// counts as sender (`Sender`, `Reply-To`) are shown as such.
pub(crate) fn snippets(row: &ItemRow, text: &str, marker: &Marker<'_>, style: SnippetStyle) -> Vec<Snippet> {
    marker.snippets(&field_texts(row, text, |field| marker.wants(field)), style)
}

/// The texts of an item by field; sender and recipients only where they are wanted.
pub(crate) fn field_texts<'t>(row: &'t ItemRow, text: &'t str, wants: impl Fn(Field) -> bool) -> Vec<FieldText<'t>> {
    let mut texts = vec![
        FieldText::plain(text_field(row.kind), text),
        FieldText::plain(Field::Subject, &row.subject),
        FieldText::plain(Field::Filename, row.filename.as_deref().unwrap_or_default()),
    ];
    for (field, roles) in [
        (Field::From, &[Role::From, Role::Sender, Role::ReplyTo][..]),
        (Field::To, &[Role::To][..]),
        (Field::Cc, &[Role::Cc][..]),
        (Field::Bcc, &[Role::Bcc][..]),
    ] {
        if wants(field) {
            let mut seen: HashMap<&Address, ()> = HashMap::new();
            let once = of_roles(row, roles).filter(|address| seen.insert(address, ()).is_none());
            texts.push(FieldText::addresses(field, once));
        }
    }
    texts
}
