//! Documents on record and attachments: which of them are the same thing, and why that is said.
//!
//! Main function: [`matches()`], pure over lists and texts; [`on_record`] and [`attached`] make the lists for a case. A match is by bytes (SHA-256 as the
//! register gives it), by the same words, or by near-duplicate text, and says which and how alike the two are. Not for: keeping matches
//! (`document_links`), or what follows from a document that has none. Invariant: nothing is compared with everything; candidates share a run of five words.

use std::collections::{BTreeMap, HashMap};

use embley_model::id::{ItemNo, Sha256};
use embley_model::item::ItemKind;
use embley_model::record::{Record, RecordType};
use embley_search::ItemText;
use embley_search::threads::Shingles;
use embley_store::StoreError;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::{Connection, records};
use rayon::prelude::*;
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::error::Result;

/// Least similarity of near-duplicate texts, by default.
pub const NEAR_DOCUMENT: f64 = 0.8;
/// Documents that one run of words leads to; a run that more share says nothing of which one is meant.
const MOST_SHARING: usize = 256;
/// Documents whose text is compared with one attachment, those with the most runs in common first.
const MOST_CANDIDATES: usize = 32;
/// Fewest words of texts that are compared: below that much is alike by chance.
const LEAST_WORDS: u64 = 20;

/// A document on the register of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnRecord {
    /// Its item.
    pub item: ItemNo,
    /// Its printed id.
    pub key: String,
    /// Number on the register, when there is one.
    pub register_no: String,
    /// Title.
    pub title: String,
    /// SHA-256 as the register gives it, when it can be read.
    pub sha256: Option<Sha256>,
    /// Text as the register holds it; empty when it holds none.
    pub text: String,
}

/// An attachment of a message, or a loose file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its item.
    pub item: ItemNo,
    /// The top-level item of its family.
    pub root: ItemNo,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// File name, when it has one.
    pub filename: String,
}

/// Why two are said to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// The bytes have the SHA-256 that the register gives.
    SameBytes,
    /// The same words in the same order.
    SameWords,
    /// Most runs of five words are in both.
    NearDuplicate,
}

impl Likeness {
    /// The word in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::SameBytes => "same-bytes",
            Self::SameWords => "same-words",
            Self::NearDuplicate => "near-duplicate",
        }
    }

    /// The inverse of [`Likeness::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::SameBytes, Self::SameWords, Self::NearDuplicate]
            .into_iter()
            .find(|one| one.word() == word)
    }

    /// How far to rely on it.
    pub fn confidence(self) -> &'static str {
        match self {
            Self::SameBytes | Self::SameWords => "high",
            Self::NearDuplicate => "medium",
        }
    }
}

/// A document on record and an attachment that match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match {
    /// The document's item.
    pub document: ItemNo,
    /// The attachment's item.
    pub attachment: ItemNo,
    /// Why.
    pub likeness: Likeness,
    /// Similarity, 0 to 1; 1 for the same bytes and the same words.
    pub similarity: f64,
}

/// What comparing gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// By document, then attachment; one row for each pair, with the best reason.
    pub all: Vec<Match>,
    /// Attachments whose text could not be read: they were compared by bytes only.
    pub unread: RoaringBitmap,
}

/// Compares documents on record with attachments; `least` is the lowest similarity of near-duplicates ([`NEAR_DOCUMENT`]). Each distinct
/// content is read once, and only when a document has a text to compare with.
pub fn matches(documents: &[OnRecord], attachments: &[Attached], texts: &dyn ItemText, least: f64) -> Matches {
    let mut found = Matches::default();
    let mut best: BTreeMap<(ItemNo, ItemNo), (Likeness, f64)> = BTreeMap::new();
    let mut by_hash: HashMap<Sha256, Vec<ItemNo>> = HashMap::new();
    for document in documents {
        if let Some(hash) = document.sha256 {
            by_hash.entry(hash).or_default().push(document.item);
        }
    }
    let mut contents: HashMap<Sha256, Vec<ItemNo>> = HashMap::new();
    for attachment in attachments {
        for document in by_hash.get(&attachment.sha256).into_iter().flatten() {
            best.insert((*document, attachment.item), (Likeness::SameBytes, 1.0));
        }
        contents.entry(attachment.sha256).or_default().push(attachment.item);
    }
    let register = Register::of(documents);
    if !register.is_empty() {
        let mut contents: Vec<Vec<ItemNo>> = contents.into_values().collect();
        contents.sort_unstable();
        let read: Vec<Option<Vec<(ItemNo, Likeness, f64)>>> = contents
            .par_iter()
            .map(|items| {
                let text = items.iter().find_map(|item| texts.text(*item).ok())?;
                Some(register.alike(&Shingles::of(&text), least))
            })
            .collect();
        for (items, alike) in contents.into_iter().zip(read) {
            let Some(alike) = alike else {
                found.unread.extend(items.iter().map(|item| item.0));
                continue;
            };
            for (document, likeness, similarity) in alike {
                for item in &items {
                    let held = best.entry((document, *item)).or_insert((likeness, similarity));
                    if likeness < held.0 {
                        *held = (likeness, similarity);
                    }
                }
            }
        }
    }
    found.all = best
        .into_iter()
        .map(|((document, attachment), (likeness, similarity))| Match {
            document,
            attachment,
            likeness,
            similarity,
        })
        .collect();
    found
}

/// Texts of documents by what they have in common with others.
struct Register {
    texts: Vec<(ItemNo, Shingles)>,
    /// Places of texts by runs of words, at most [`MOST_SHARING`] and one more.
    sharing: HashMap<u64, Vec<u32>>,
    /// Places of texts by words and first run: copies of one form letter, however many there are.
    whole: HashMap<(u64, u64), Vec<u32>>,
}

impl Register {
    fn of(documents: &[OnRecord]) -> Self {
        let texts: Vec<(ItemNo, Shingles)> = documents
            .par_iter()
            .filter(|document| !document.text.trim().is_empty())
            .map(|document| (document.item, Shingles::of(&document.text)))
            .filter(|(_, shingles)| shingles.words() >= LEAST_WORDS)
            .collect();
        let mut sharing: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut whole: HashMap<(u64, u64), Vec<u32>> = HashMap::new();
        for (place, (_, shingles)) in (0_u32..).zip(&texts) {
            for hash in shingles.hashes() {
                let places = sharing.entry(*hash).or_default();
                if places.len() <= MOST_SHARING {
                    places.push(place);
                }
            }
            whole.entry(whole_key(shingles)).or_default().push(place);
        }
        Self { texts, sharing, whole }
    }

    fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn alike(&self, other: &Shingles, least: f64) -> Vec<(ItemNo, Likeness, f64)> {
        if other.words() < LEAST_WORDS {
            return Vec::new();
        }
        let mut counts: HashMap<u32, u32> = HashMap::new();
        for hash in other.hashes() {
            if let Some(places) = self.sharing.get(hash).filter(|places| places.len() <= MOST_SHARING) {
                for place in places {
                    *counts.entry(*place).or_default() += 1;
                }
            }
        }
        let mut candidates: Vec<(u32, u32)> = counts.into_iter().map(|(place, count)| (count, place)).collect();
        candidates.sort_unstable_by_key(|(count, place)| (std::cmp::Reverse(*count), *place));
        candidates.truncate(MOST_CANDIDATES);
        let same = self.whole.get(&whole_key(other)).into_iter().flatten().copied();
        let mut places: Vec<u32> = candidates.into_iter().map(|(_, place)| place).chain(same).collect();
        places.sort_unstable();
        places.dedup();
        let mut alike = Vec::new();
        for place in places {
            let Some((item, shingles)) = self.texts.get(place as usize) else {
                continue;
            };
            if shingles.same_words(other) {
                alike.push((*item, Likeness::SameWords, 1.0));
                continue;
            }
            let similarity = shingles.similarity(other);
            if similarity >= least {
                alike.push((*item, Likeness::NearDuplicate, similarity));
            }
        }
        alike
    }
}

fn whole_key(shingles: &Shingles) -> (u64, u64) {
    (shingles.words(), shingles.hashes().first().copied().unwrap_or(0))
}

/// The documents on the register of a case, under one of its references, by item.
///
/// # Errors
/// The catalogue refuses or is damaged.
pub fn on_record(conn: &Connection, case_ref: &str) -> Result<Vec<OnRecord>> {
    let mut all = Vec::new();
    for stored in records::of_case_and_type(conn, case_ref, RecordType::Document)? {
        all.push(document_of(stored.item, &stored.record()?));
    }
    Ok(all)
}

/// A record of the register as something to compare with.
pub fn document_of(item: ItemNo, record: &Record) -> OnRecord {
    let text = |name: &str| record.text(name).unwrap_or_default().trim().to_owned();
    OnRecord {
        item,
        key: record.key.display(),
        register_no: text("register_no"),
        title: text("title"),
        sha256: read_sha256(&text("sha256")),
        text: text("text"),
    }
}

/// 64 hexadecimal digits, in either case, with or without spaces or colons between them.
fn read_sha256(text: &str) -> Option<Sha256> {
    let digits: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != ':')
        .collect();
    Sha256::from_hex(&digits.to_ascii_lowercase())
}

/// The attachments and loose files of the families of these items.
///
/// # Errors
/// The catalogue refuses or is damaged.
pub fn attached(reader: &CatalogueReader, items: &RoaringBitmap) -> Result<Vec<Attached>> {
    let mut all = Vec::new();
    let mut past = 0_u32;
    for item in items {
        // Families are consecutive: whatever lies before `past` was looked at with its root.
        if item < past {
            continue;
        }
        let Some(brief) = reader.brief(ItemNo(item))? else {
            continue;
        };
        let Some(root) = reader.brief(brief.root)? else {
            continue;
        };
        past = root.item_no.0.saturating_add(root.family_size.max(1));
        let mut parts = Vec::new();
        reader.for_each_brief(root.item_no..ItemNo(past), |part| {
            if matches!(part.kind, ItemKind::Attachment | ItemKind::Document) {
                parts.push(part);
            }
            Ok::<_, StoreError>(())
        })?;
        for part in parts {
            all.extend(attachment_of(reader, part.item_no)?);
        }
    }
    Ok(all)
}

/// One item as an attachment; `None` when it is a message or a record.
///
/// # Errors
/// As [`attached`].
pub fn attachment_of(reader: &CatalogueReader, item: ItemNo) -> Result<Option<Attached>> {
    let Some(row) = reader.item(item)? else {
        return Ok(None);
    };
    if !matches!(row.kind, ItemKind::Attachment | ItemKind::Document) {
        return Ok(None);
    }
    let Some(blob) = reader.blob(row.blob_id)? else {
        return Ok(None);
    };
    Ok(Some(Attached {
        item,
        root: row.root,
        sha256: blob.sha256,
        filename: row.filename.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests {
    use embley_search::BoxError;

    use super::*;

    struct Texts(Vec<&'static str>);

    impl ItemText for Texts {
        fn text(&self, item: ItemNo) -> std::result::Result<String, BoxError> {
            let text = self.0.get(item.0 as usize).ok_or("no such text")?;
            Ok((*text).to_owned())
        }
    }

    const TERMS: &str = "Terms of reference for the review of case seven. The reviewer will look at the severity assessment of March and at the reasons given for it, and report to the head of the department by the end of May.";
    const OTHER_VERSION: &str = "Terms of reference for the review of case seven. The reviewer will look at the severity assessment of March and at the reasons given for it, and report to the head of the department by the end of June.";
    const CIRCULAR: &str = "All staff are reminded that the car park behind the building is closed from Monday, that permits have to be shown, and that visitors park in the street.";

    fn document(item: u32, hash: Option<u8>, text: &str) -> OnRecord {
        OnRecord {
            item: ItemNo(item),
            key: format!("doc:t/{item}"),
            register_no: format!("D{item}"),
            title: String::new(),
            sha256: hash.map(|byte| Sha256([byte; 32])),
            text: text.to_owned(),
        }
    }

    fn attachment(item: u32, hash: u8) -> Attached {
        Attached {
            item: ItemNo(item),
            root: ItemNo(item),
            sha256: Sha256([hash; 32]),
            filename: String::new(),
        }
    }

    fn told(found: &Matches) -> Vec<(u32, u32, &'static str)> {
        found
            .all
            .iter()
            .map(|one| (one.document.0, one.attachment.0, one.likeness.word()))
            .collect()
    }

    #[test]
    fn documents_match_by_bytes_by_words_and_by_most_of_their_words() {
        let texts = Texts(vec!["", TERMS, OTHER_VERSION, CIRCULAR]);
        let documents = [
            document(10, Some(1), ""),
            document(11, Some(9), TERMS),
            document(12, None, "D"),
        ];
        let attachments = [
            attachment(1, 1),
            attachment(2, 2),
            attachment(3, 3),
            attachment(99, 1),
            attachment(98, 4),
        ];
        let found = matches(&documents, &attachments, &texts, NEAR_DOCUMENT);
        assert_eq!(
            told(&found),
            [
                (10, 1, "same-bytes"),
                (10, 99, "same-bytes"),
                (11, 1, "same-words"),
                (11, 2, "near-duplicate"),
                (11, 99, "same-words"),
            ]
        );
        assert!(found.all[3].similarity > 0.9 && found.all[3].similarity < 1.0);
        assert_eq!(
            found.unread.iter().collect::<Vec<_>>(),
            [98],
            "what could not be read is said"
        );
    }

    #[test]
    fn many_copies_of_one_letter_are_told_apart_by_what_only_they_say() {
        let letters: Vec<String> = (0..600)
            .map(|nth| format!("{TERMS} Number n{nth}a n{nth}b n{nth}c."))
            .collect();
        let documents: Vec<OnRecord> = letters
            .iter()
            .zip(100..)
            .map(|(text, item)| document(item, None, text))
            .collect();
        let wanted: &'static str = Box::leak(letters[500].clone().into_boxed_str());
        let found = matches(&documents, &[attachment(0, 1)], &Texts(vec![wanted]), 0.95);
        assert_eq!(told(&found), [(600, 0, "same-words")]);
        let copies: Vec<OnRecord> = (100..800).map(|item| document(item, None, TERMS)).collect();
        let found = matches(&copies, &[attachment(0, 1)], &Texts(vec![TERMS]), 0.8);
        assert_eq!(found.all.len(), 700, "one text on record many times is all of them");
    }

    #[test]
    fn a_hash_is_read_as_registers_write_it() {
        let hash = "AB".repeat(32);
        assert_eq!(read_sha256(&hash), Some(Sha256([0xAB; 32])));
        assert_eq!(
            read_sha256(&format!(" {} ", "ab:".repeat(31) + "ab")),
            Some(Sha256([0xAB; 32]))
        );
        assert_eq!(read_sha256("abc"), None);
        assert_eq!(read_sha256(""), None);
    }
}
