//! Links between documents on record and attachments: found again after every ingest and import, kept as facts, corrected by hand.
//!
//! Main functions: [`renew`], [`by_hand`]. What is compared, for each case with documents on its register: by SHA-256 everything in the folder, by text the attachments and
//! files of the families that name the case by any of its references, and whatever was found by its hash. Not for: the comparison itself (`documents`). Invariant: what is found depends on
//! what is in the case folder, not on the order in which it came; a case whose documents and attachments are as before is not read again.

use std::collections::BTreeSet;

use embley_model::id::{ItemNo, Key128};
use embley_model::item::ItemKind;
use embley_model::record::RecordType;
use embley_search::ItemText;
use embley_store::StoreError;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::cases::{self, case_key};
use embley_store::facts::documents::{self, DocumentLink, Pair};
use embley_store::facts::{Connection, Stamp, indicators, records};
use roaring::RoaringBitmap;

use crate::documents::{Attached, NEAR_DOCUMENT, OnRecord, attached, attachment_of, matches, on_record};
use crate::error::{CaseworkError, Result};

/// Version of the rules of matches: another one compares everything again.
const RULES: u32 = 1;

/// What [`renew`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentSummary {
    /// Documents on registers of cases.
    pub documents: u64,
    /// Pairs of document and attachment.
    pub pairs: u64,
    /// Cases whose documents were compared now.
    pub compared: u64,
    /// Attachments whose text could not be read in those.
    pub unread: u64,
}

/// Finds the links of every case with documents on its register, over a connection that may write; with `all` also where nothing has changed.
///
/// # Errors
/// The catalogue refuses; cases already compared keep their new links.
pub fn renew(conn: &Connection, reader: &CatalogueReader, texts: &dyn ItemText, all: bool) -> Result<DocumentSummary> {
    let mut summary = DocumentSummary::default();
    let mut seen = RoaringBitmap::new();
    for (_, case_ref) in records::case_refs_of_type(conn, RecordType::Document)? {
        let documents = on_record(conn, &case_ref)?;
        seen.extend(documents.iter().map(|document| document.item.0));
        let attachments = candidates(conn, reader, &case_ref, &documents)?;
        let inputs = inputs_of(reader, &documents, &attachments)?;
        if !all && documents::inputs(conn, &case_ref)? == Some(inputs) {
            continue;
        }
        let found = matches(&documents, &attachments, texts, NEAR_DOCUMENT);
        let pairs: Vec<Pair> = found
            .all
            .iter()
            .map(|one| Pair {
                document: one.document,
                attachment: one.attachment,
                reason: one.likeness.word().to_owned(),
                per_mille: (one.similarity * 1000.0).floor() as u16,
            })
            .collect();
        // Stopped here: this case is compared again next time.
        documents::put(conn, &case_ref, &inputs, &pairs)?;
        summary.compared += 1;
        summary.unread += found.unread.len();
    }
    summary.documents = seen.len();
    summary.pairs = documents::pair_count(conn)?;
    Ok(summary)
}

/// The attachments and files that documents of a case are compared with, by item.
fn candidates(
    conn: &Connection,
    reader: &CatalogueReader,
    case_ref: &str,
    documents: &[OnRecord],
) -> Result<Vec<Attached>> {
    let mut named = RoaringBitmap::new();
    for reference in references(conn, case_ref)? {
        if let Some(names) = cases::names(conn, &reference)? {
            named |= names.items;
        }
    }
    let mut all = attached(reader, &named)?;
    let mut known: BTreeSet<ItemNo> = all.iter().map(|one| one.item).collect();
    let hashes: BTreeSet<String> = documents
        .iter()
        .filter_map(|one| one.sha256.map(|hash| hash.to_hex()))
        .collect();
    for hash in hashes {
        for blob in reader.blobs_by_hex(&hash)? {
            for item in reader.items_of_blob(blob.blob_id)? {
                if known.insert(item) {
                    all.extend(attachment_of(reader, item)?);
                }
            }
        }
    }
    all.sort_by_key(|one| one.item);
    Ok(all)
}

/// The references by which a case is known: this one, and those that records of the case itself join to it.
pub(crate) fn references(conn: &Connection, case_ref: &str) -> Result<Vec<String>> {
    let mut known = BTreeSet::from([case_key(case_ref)]);
    let mut all = vec![case_ref.to_owned()];
    let mut at = 0;
    while let Some(reference) = all.get(at).cloned() {
        at += 1;
        for stored in records::of_case_and_type(conn, &reference, RecordType::Case)? {
            for other in stored.record()?.case_refs() {
                if known.insert(case_key(other)) {
                    all.push(other.to_owned());
                }
            }
        }
    }
    Ok(all)
}

/// What would make another result: rules, documents, attachments with how far they can be read.
fn inputs_of(reader: &CatalogueReader, documents: &[OnRecord], attachments: &[Attached]) -> Result<Key128> {
    let mut text = format!("rules {RULES} {NEAR_DOCUMENT}\n");
    for document in documents {
        let hash = document.sha256.map(|hash| hash.to_hex()).unwrap_or_default();
        let words: String = indicators::text_hash(&document.text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        text.push_str(&format!("{} {hash} {words}\n", document.item));
    }
    for attachment in attachments {
        let searchability = reader.brief(attachment.item)?.map(|brief| brief.searchability.code());
        text.push_str(&format!(
            "{} {} {searchability:?}\n",
            attachment.item,
            attachment.sha256.to_hex()
        ));
    }
    Ok(Key128(indicators::text_hash(&text)))
}

/// Says that an attachment or file is a document on record, or is not. True when that is new.
///
/// # Errors
/// One of the two is something else, no reason is given, or the database refuses; nothing is changed then.
pub fn by_hand(
    conn: &Connection,
    reader: &CatalogueReader,
    (document, attachment): (ItemNo, ItemNo),
    linked: bool,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<bool> {
    let record = records::of_item(conn, document)?;
    if record.is_none_or(|record| record.key.record_type != RecordType::Document) {
        return Err(CaseworkError::Request {
            detail: format!("item {document} is no document on the register of a case"),
        });
    }
    let brief = reader.brief(attachment)?.ok_or_else(|| StoreError::Damaged {
        what: "catalogue".to_owned(),
        place: format!("item {attachment}"),
        detail: "it is not there".to_owned(),
    })?;
    if brief.kind == ItemKind::Record {
        return Err(CaseworkError::Request {
            detail: format!(
                "item {attachment} is a record; a document on record is linked to an attachment, a file or a message"
            ),
        });
    }
    Ok(documents::decide(conn, document, attachment, linked, reason, stamp)?)
}

/// The links of documents on record, those that somebody denied among them, by document and attachment.
///
/// # Errors
/// The catalogue refuses.
pub fn of_documents(conn: &Connection, items: &RoaringBitmap) -> Result<Vec<DocumentLink>> {
    Ok(documents::links(conn, items)?)
}
