//! What texts add to a thread: which messages a later one holds whole, quotations that differ, who a missing message is quoted as.
//!
//! A message is *not inclusive* when a later message of its branch quotes every word of it in order without a gap and carries its
//! attachments byte for byte; any other word or attachment makes it inclusive. Signatures and footers that a reply trims therefore make it
//! inclusive: reading one message too many is the safe side. Main function: [`read`].

use std::collections::{BTreeMap, HashMap};

use embley_model::id::{BlobId, ItemNo, Key128};
use embley_store::catalogue::CatalogueReader;
use serde::Serialize;

use super::missing::MissingMessage;
use super::passage::{Alteration, Text, alterations, holds_all};
use super::quote::{Lexicon, QuotedText};
use super::view::Member;
use crate::error::SearchError;
use crate::hit::ItemText;

/// Texts of larger threads are not read.
pub(super) const MOST_TEXTS: usize = 5_000;
/// Later messages that one message is compared with.
const MOST_LATER: usize = 500;

/// Does a later message hold all of this one?
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inclusion {
    /// True when something in it stands in no later message of its branch.
    pub inclusive: bool,
    /// Why, in words.
    pub reason: String,
    /// The message that holds all of it, by number.
    pub held_by: Option<u32>,
}

struct Read {
    text: String,
    words: QuotedText,
    numbers: Vec<u32>,
    quoted: Vec<u32>,
    attachments: Vec<BlobId>,
}

/// What texts say of each message, by item.
pub(super) type Said = HashMap<u32, (Option<Inclusion>, Vec<Alteration>)>;

/// Reads the texts of a thread. A text that cannot be read leaves its message inclusive, with the reason.
///
/// # Errors
/// When the catalogue cannot be read.
pub(super) fn read(
    reader: &CatalogueReader,
    members: &[Member],
    texts: &dyn ItemText,
    missing: &mut BTreeMap<Key128, MissingMessage>,
) -> Result<Said, SearchError> {
    let mut lexicon = Lexicon::default();
    let mut all: HashMap<u32, Read> = HashMap::new();
    let mut said = Said::new();
    for member in members {
        let item = member.link.item;
        let text = match texts.text(ItemNo(item)) {
            Ok(text) => text,
            Err(error) => {
                let inclusion = Inclusion {
                    inclusive: true,
                    reason: format!("its text cannot be read: {error}"),
                    held_by: None,
                };
                said.insert(item, (Some(inclusion), Vec::new()));
                continue;
            }
        };
        let words = QuotedText::read(&text, &mut lexicon);
        all.insert(
            item,
            Read {
                numbers: words.numbers(),
                quoted: words.quoted(),
                attachments: attachments(reader, member)?,
                words,
                text,
            },
        );
    }
    let mut below: HashMap<u32, Vec<u32>> = HashMap::new();
    for member in members.iter().filter(|one| one.link.parent != 0) {
        below.entry(member.link.parent).or_default().push(member.link.item);
    }
    for member in members {
        let item = member.link.item;
        let Some(own) = all.get(&item) else { continue };
        let altered = match all.get(&member.link.parent) {
            Some(parent) => {
                let later = Text {
                    text: &own.text,
                    read: &own.words,
                };
                let earlier = Text {
                    text: &parent.text,
                    read: &parent.words,
                };
                let elsewhere = |block: &[u32]| {
                    let others = members.iter().map(|one| one.link.item);
                    others
                        .filter(|one| *one != item)
                        .take(MOST_LATER)
                        .any(|one| all.get(&one).is_some_and(|other| holds_all(&other.numbers, block)))
                };
                alterations(&later, &earlier, member.link.parent, &elsewhere)
            }
            None => Vec::new(),
        };
        let inclusion = inclusion(member, members, &all, &below);
        said.insert(item, (Some(inclusion), altered));
        quoted_as(member, own, missing);
    }
    Ok(said)
}

fn attachments(reader: &CatalogueReader, member: &Member) -> Result<Vec<BlobId>, SearchError> {
    let failed = |source| SearchError::catalogue("read a family", source);
    let mut blobs = Vec::new();
    let (root, own) = (member.row.root, &member.row.part_path);
    for part in reader.family(root).map_err(failed)? {
        // Of an embedded message the parts below it, of any other one all parts.
        let is_below = part.item_no != member.row.item_no
            && (own.is_empty()
                || part
                    .part_path
                    .strip_prefix(own.as_str())
                    .is_some_and(|rest| rest.starts_with('.')));
        if is_below {
            blobs.push(part.blob_id);
        }
    }
    Ok(blobs)
}

fn inclusion(
    member: &Member,
    members: &[Member],
    all: &HashMap<u32, Read>,
    below: &HashMap<u32, Vec<u32>>,
) -> Inclusion {
    let inclusive = |reason: &str| Inclusion {
        inclusive: true,
        reason: reason.to_owned(),
        held_by: None,
    };
    let own = &all[&member.link.item];
    if member.link.copy_of != 0
        && let Some(first) = members.iter().find(|one| one.link.item == member.link.copy_of)
        && let (Some(one), Some(two)) = (first.row.keys, member.row.keys)
        && one.family == two.family
    {
        return Inclusion {
            inclusive: false,
            reason: "the first message with its Message-ID has the same family key".to_owned(),
            held_by: Some(first.link.item),
        };
    }
    if own.numbers.is_empty() {
        return inclusive("it has no words");
    }
    let mut looked_at = 0;
    let mut holds_text = None;
    // Nearest first; a message stands below one other only, so nothing is met twice.
    let mut open: std::collections::VecDeque<u32> =
        below.get(&member.link.item).into_iter().flatten().copied().collect();
    while let Some(later) = open.pop_front() {
        looked_at += 1;
        if looked_at > MOST_LATER {
            break;
        }
        open.extend(below.get(&later).into_iter().flatten());
        let Some(other) = all.get(&later) else { continue };
        if !holds_all(&other.quoted, &own.numbers) {
            continue;
        }
        if own.attachments.iter().all(|blob| other.attachments.contains(blob)) {
            return Inclusion {
                inclusive: false,
                reason: format!("item {later} quotes all of its words{}", carried(own.attachments.len())),
                held_by: Some(later),
            };
        }
        holds_text = holds_text.or(Some(later));
    }
    match (holds_text, looked_at) {
        (Some(later), _) => inclusive(&format!(
            "item {later} quotes all of its words and does not carry all of its attachments"
        )),
        (None, 0) => inclusive("nothing follows it"),
        (None, _) => inclusive("no later message of its branch quotes all of its words"),
    }
}

fn carried(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " and carries its attachment".to_owned(),
        _ => format!(" and carries its {count} attachments"),
    }
}

/// The line by which an answer to a missing message says whom it quotes.
fn quoted_as(member: &Member, own: &Read, missing: &mut BTreeMap<Key128, MissingMessage>) {
    let Some(one) = member.chain.last().and_then(|(key, _)| missing.get_mut(key)) else {
        return;
    };
    if one.quoted_as.is_some() {
        return;
    }
    let line = own
        .words
        .attributions
        .iter()
        .flatten()
        .map(|range| own.text[range.clone()].trim());
    if let Some(line) = line.into_iter().find(|line| line.ends_with(':') && line.len() <= 300) {
        one.quoted_as = Some(line.split_whitespace().collect::<Vec<_>>().join(" "));
        one.speaks_for.push(format!("item {} quotes from it", member.link.item));
    }
}
