//! One thread as people see it: messages in tree order with the reason of each link, missing messages in their place.
//!
//! Made on demand from the kept links and the rows of the thread's messages; what texts say (which messages hold all of an earlier
//! one, quotations that differ) comes with them when texts are given. Not for: conclusions. A missing message is one that others
//! name and no source held; points for and against are listed, and nothing is inferred from them. Main type: [`ThreadView`]. Invariant:
//! every message of the thread stands in it exactly once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use embley_model::address::Role;
use embley_model::date::rfc3339;
use embley_model::id::{ItemNo, Key128};
use embley_store::catalogue::{CatalogueReader, ItemRow, message_id_key};
use serde::Serialize;

use super::inclusive::{self, Inclusion};
use super::missing::{self, MissingMessage};
use super::passage::Alteration;
use super::row::{LinkRow, Oddities, Reason};
use super::stored::{StoredThreads, ThreadId};
use crate::error::SearchError;
use crate::hit::ItemText;

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadView {
    /// Its name, which is also the query for it.
    pub thread: String,
    /// Messages and missing messages, each below what it follows.
    pub nodes: Vec<ThreadNode>,
    /// Messages that are held.
    pub held: usize,
    /// Messages that are named and not held.
    pub missing: usize,
    /// True when texts were read for `inclusion` and `alterations`.
    pub texts_read: bool,
}

/// One line of a thread.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadNode {
    /// How many lines above it leads to the beginning.
    pub depth: usize,
    /// What stands there.
    #[serde(flatten)]
    pub what: NodeKind,
}

/// A message, or the place of one.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "node", rename_all = "kebab-case")]
pub enum NodeKind {
    /// A message that is held.
    Message(Box<ThreadMessage>),
    /// One that is named and not held.
    Missing(Box<MissingMessage>),
}

/// A message in its thread.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadMessage {
    /// Its number.
    pub item_no: u32,
    /// RFC 3339 UTC; null when undated.
    pub date: Option<String>,
    /// Who sent it.
    pub from: String,
    /// Its subject; never a reason.
    pub subject: String,
    /// Message-ID.
    pub message_id: Option<String>,
    /// The message it follows, by number.
    pub parent: Option<u32>,
    /// Why.
    pub reason: Reason,
    /// The same in words, with the place in the header or the words quoted.
    pub reason_detail: String,
    /// What is odd about the link.
    pub oddities: Vec<&'static str>,
    /// The first message with the same Message-ID, by number, when that is another one.
    pub copy_of: Option<u32>,
    /// Who held it.
    pub custodians: Vec<String>,
    /// Custodians whose name stands in it as sender or recipient and with whom it was not found.
    pub not_found_with: Vec<NotFoundWith>,
    /// Does a later message hold all of it? Null when texts were not read.
    pub inclusion: Option<Inclusion>,
    /// Where its quotations of its parent differ from that message.
    pub alterations: Vec<Alteration>,
}

/// A custodian named in a message that was not found with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotFoundWith {
    /// The custodian.
    pub custodian: String,
    /// In which role the name stands.
    pub role: Role,
    /// What else would explain it.
    pub may_be: &'static str,
}

/// A message of the thread with its rows.
pub(super) struct Member {
    pub(super) link: LinkRow,
    pub(super) row: ItemRow,
    pub(super) own: Option<Key128>,
    /// References, or In-Reply-To where there are none: keys and texts, itself left out.
    pub(super) chain: Vec<(Key128, String)>,
}

impl Member {
    pub(super) fn date(&self) -> Option<i64> {
        self.row.date.utc_secs
    }
}

/// What a node follows or is: an item, or an id that nobody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    Item(u32),
    Missing(Key128),
}

impl ThreadView {
    /// The thread of a message, `None` for what is no message.
    ///
    /// # Errors
    /// When the catalogue or the links cannot be read.
    pub fn read(
        reader: &CatalogueReader,
        links: &StoredThreads,
        item: ItemNo,
        texts: Option<&dyn ItemText>,
    ) -> Result<Option<Self>, SearchError> {
        let rows = links.thread(reader, item)?;
        let Some(first) = rows.first() else {
            return Ok(None);
        };
        let thread = ThreadId(first.thread);
        let members = members(reader, &rows)?;
        let mut missing = missing::of(&members);
        let (above, order) = arrange(&members, &missing);
        let texts = texts.filter(|_| members.len() <= inclusive::MOST_TEXTS);
        let mut said = match texts {
            Some(texts) => inclusive::read(reader, &members, texts, &mut missing)?,
            None => HashMap::new(),
        };
        let holders = links.holders(reader)?;
        let by_item: HashMap<u32, &Member> = members.iter().map(|one| (one.link.item, one)).collect();
        let mut depths: HashMap<Place, usize> = HashMap::new();
        let mut nodes = Vec::with_capacity(order.len());
        for place in order {
            let depth = above.get(&place).and_then(|up| depths.get(up)).map_or(0, |up| up + 1);
            depths.insert(place, depth);
            let what = match place {
                Place::Missing(key) => match missing.remove(&key) {
                    Some(one) => NodeKind::Missing(Box::new(one)),
                    None => continue,
                },
                Place::Item(item) => {
                    let Some(member) = by_item.get(&item) else { continue };
                    let (inclusion, alterations) = said.remove(&item).unwrap_or_default();
                    NodeKind::Message(Box::new(shown(member, holders, inclusion, alterations)))
                }
            };
            nodes.push(ThreadNode { depth, what });
        }
        let held = members.len();
        Ok(Some(Self {
            thread: thread.to_string(),
            missing: nodes.len() - held,
            held,
            nodes,
            texts_read: texts.is_some(),
        }))
    }

    /// Its messages.
    pub fn messages(&self) -> impl Iterator<Item = &ThreadMessage> {
        self.nodes.iter().filter_map(|node| match &node.what {
            NodeKind::Message(message) => Some(message.as_ref()),
            NodeKind::Missing(_) => None,
        })
    }

    /// The messages that are named and not held.
    pub fn missing_messages(&self) -> impl Iterator<Item = &MissingMessage> {
        self.nodes.iter().filter_map(|node| match &node.what {
            NodeKind::Missing(missing) => Some(missing.as_ref()),
            NodeKind::Message(_) => None,
        })
    }
}

fn members(reader: &CatalogueReader, rows: &[LinkRow]) -> Result<Vec<Member>, SearchError> {
    let mut members = Vec::with_capacity(rows.len());
    for link in rows {
        let row = reader
            .item(ItemNo(link.item))
            .map_err(|source| SearchError::catalogue("read a message", source))?;
        let Some(row) = row else { continue };
        let own = row.message_id.as_ref().and_then(|id| message_id_key(id.as_bytes()));
        let list = if row.references.is_empty() {
            &row.in_reply_to
        } else {
            &row.references
        };
        let keyed = |id: &String| Some((message_id_key(id.as_bytes())?, id.clone()));
        let mut chain: Vec<(Key128, String)> = list.iter().filter_map(keyed).collect();
        // What In-Reply-To names beside References has a place too, when References does not name it.
        if link.parent == 0 && !row.references.is_empty() {
            for id in row.in_reply_to.iter().filter_map(keyed) {
                if !chain.iter().any(|(key, _)| *key == id.0) {
                    chain.push(id);
                }
            }
        }
        chain.retain(|(key, _)| Some(*key) != own);
        members.push(Member {
            link: *link,
            row,
            own,
            chain,
        });
    }
    Ok(members)
}

/// What each place stands below, and all places in tree order.
fn arrange(members: &[Member], missing: &BTreeMap<Key128, MissingMessage>) -> (HashMap<Place, Place>, Vec<Place>) {
    let mut above: HashMap<Place, Place> = HashMap::new();
    let mut by_date: Vec<&Member> = members.iter().collect();
    by_date.sort_by_key(|one| (one.date().is_none(), one.date(), one.link.item));
    for member in by_date {
        let own = Place::Item(member.link.item);
        let mut up = (member.link.parent != 0).then_some(Place::Item(member.link.parent));
        // What stands behind the parent in the chain is missing and comes between.
        let between = match member.link.reason {
            Reason::References => member.chain.len() - usize::from(member.link.detail).min(member.chain.len()),
            Reason::NotHeld | Reason::None | Reason::SharedIndex => 0,
            Reason::InReplyTo | Reason::ThreadIndex | Reason::Quotation => member.chain.len(),
        };
        for (key, _) in &member.chain[between..] {
            if !missing.contains_key(key) {
                continue;
            }
            let place = Place::Missing(*key);
            if let Some(up) = up
                && !above.contains_key(&place)
                && !leads_to(&above, up, place)
            {
                above.insert(place, up);
            }
            up = Some(place);
        }
        if let Some(up) = up {
            if !leads_to(&above, up, own) {
                above.insert(own, up);
            } else if member.link.parent != 0 && !leads_to(&above, Place::Item(member.link.parent), own) {
                above.insert(own, Place::Item(member.link.parent));
            }
        }
    }
    let dates: HashMap<Place, Option<i64>> = members
        .iter()
        .map(|one| (Place::Item(one.link.item), one.date()))
        .chain(missing.iter().map(|(key, one)| (Place::Missing(*key), one.latest)))
        .collect();
    let rank = |place: &Place| {
        let date = dates.get(place).copied().flatten();
        (date.is_none(), date, *place)
    };
    let mut below: HashMap<Place, Vec<Place>> = HashMap::new();
    let mut tops = Vec::new();
    for place in dates.keys() {
        match above.get(place) {
            Some(up) => below.entry(*up).or_default().push(*place),
            None => tops.push(*place),
        }
    }
    for list in below.values_mut().chain(std::iter::once(&mut tops)) {
        list.sort_by_key(rank);
        list.reverse();
    }
    let mut order = Vec::with_capacity(dates.len());
    let mut open = tops;
    let mut seen = HashSet::new();
    while let Some(place) = open.pop() {
        if seen.insert(place) {
            order.push(place);
            open.extend(below.remove(&place).unwrap_or_default());
        }
    }
    (above, order)
}

/// True when going up from `from` comes to `to`.
fn leads_to(above: &HashMap<Place, Place>, from: Place, to: Place) -> bool {
    let mut at = from;
    let mut seen = HashSet::new();
    loop {
        if at == to {
            return true;
        }
        if !seen.insert(at) {
            return false;
        }
        match above.get(&at) {
            Some(up) => at = *up,
            None => return false,
        }
    }
}

/// Who held which items.
pub(super) struct Holders(Vec<(String, BTreeSet<String>, roaring::RoaringBitmap)>);

impl Holders {
    pub(super) fn read(reader: &CatalogueReader) -> Result<Self, SearchError> {
        let failed = |source| SearchError::catalogue("read custodians", source);
        let mut all = Vec::new();
        for row in reader.custodians().map_err(failed)? {
            let items = reader.custodian_items(row.custodian_id).map_err(failed)?;
            // Initials fit too many people.
            let words = words_of(&row.name).into_iter().filter(|word| word.chars().count() > 1);
            all.push((row.name.clone(), words.collect(), items));
        }
        Ok(Self(all))
    }
}

fn words_of(text: &str) -> Vec<String> {
    embley_index::analysis::words_with_offsets(text)
        .map(|word| word.folded.into_owned())
        .collect()
}

fn shown(
    member: &Member,
    holders: &Holders,
    inclusion: Option<Inclusion>,
    alterations: Vec<Alteration>,
) -> ThreadMessage {
    let (row, link) = (&member.row, &member.link);
    let mut custodians = Vec::new();
    let mut not_found_with = Vec::new();
    for (name, words, items) in &holders.0 {
        if items.contains(row.item_no.0) || items.contains(row.root.0) {
            custodians.push(name.clone());
            continue;
        }
        let named = row.participants.iter().find(|one| {
            let has: HashSet<String> = words_of(&one.address.display()).into_iter().collect();
            !words.is_empty() && words.iter().all(|word| has.contains(word))
        });
        if let Some(named) = named {
            not_found_with.push(NotFoundWith {
                custodian: name.clone(),
                role: named.role,
                may_be: "another person of that name, another retention, or a scope of dates or folders that leaves it out",
            });
        }
    }
    let senders = row.participants.iter().filter(|one| one.role == Role::From);
    ThreadMessage {
        item_no: row.item_no.0,
        date: row.date.utc_secs.and_then(rfc3339),
        from: senders.map(|one| one.address.display()).collect::<Vec<_>>().join("; "),
        subject: row.subject.clone(),
        message_id: row.message_id.clone(),
        parent: (link.parent != 0).then_some(link.parent),
        reason: link.reason,
        reason_detail: detail(member),
        oddities: link.oddities.words(),
        copy_of: (link.copy_of != 0).then_some(link.copy_of),
        custodians,
        not_found_with,
        inclusion,
        alterations,
    }
}

fn detail(member: &Member) -> String {
    let link = &member.link;
    let (detail, parent) = (link.detail, link.parent);
    let mut text = match link.reason {
        Reason::None if link.oddities.0 & Oddities::RING_BROKEN != 0 => {
            "links of some messages lead round to one another; this one's is left out".to_owned()
        }
        Reason::None => "refers to no other message".to_owned(),
        Reason::References if detail == 0 => format!(
            "the last of {} References is item {parent}",
            member.row.references.len()
        ),
        Reason::References => format!(
            "of {} References the last that is held is item {parent}; {detail} behind it are not held",
            member.row.references.len()
        ),
        Reason::InReplyTo => format!("In-Reply-To is item {parent}; nothing in References is held"),
        Reason::ThreadIndex if detail == 1 => format!("its Thread-Index goes on from that of item {parent}"),
        Reason::ThreadIndex => format!("its Thread-Index goes on from that of item {parent}, {detail} replies later"),
        Reason::Quotation => format!("quotes {detail} words in a row of item {parent} and of no other message"),
        Reason::NotHeld => "refers to messages that are not held".to_owned(),
        Reason::SharedIndex => "its Thread-Index begins as those of other messages here".to_owned(),
    };
    if link.reason == Reason::InReplyTo && member.row.references.is_empty() {
        text = format!("In-Reply-To is item {parent}; it has no References");
    }
    if link.copy_of != 0 {
        text.push_str(&format!("; carries the Message-ID of item {}", link.copy_of));
    }
    text
}
