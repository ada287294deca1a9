//! Mails that were encrypted, after what is in them was opened.
//!
//! A mail is `encrypted` as long as one encrypted part of it, or a block in its text, is closed. When all of them are open, what it hid are items below it; the
//! mail's own text is searched as it was all along, so it becomes `searched`, or `no-text` when it has no words. Invariant: told from the catalogue alone, so that it comes to the
//! same after any stop; a mail of which nothing was opened stays as it is.

use embley_formats::smime;
use embley_model::defect::DefectCode;
use embley_model::id::{ItemNo, RunNo};
use embley_model::item::{ItemKind, Searchability};
use embley_store::Case;
use embley_store::catalogue::{CatalogueReader, CatalogueWriter, DefectRow, ItemRow, RowBatch};

use super::attached;
use super::documents::commit_step;
use super::stored::{NO_READER, StoredOpening};
use crate::error::IngestError;
use crate::reparse::Originals;
use crate::request::IngestOptions;

/// Line that begins an encrypted block in a text.
const ARMOUR: &str = "-----BEGIN PGP MESSAGE-----";

/// What the parts of a mail say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    opened: bool,
    closed: bool,
}

/// Says of every mail that is encrypted no more what it is now. True when that changed anything.
///
/// # Errors
/// When the store fails.
pub(crate) fn settle(
    case: &Case,
    writer: &mut CatalogueWriter,
    run: RunNo,
    options: &IngestOptions,
) -> Result<bool, IngestError> {
    let reader = case.reader()?;
    let mut originals = None;
    let mut rows = RowBatch::default();
    for item in reader.searchability_items(Searchability::Encrypted)? {
        let Some(brief) = reader.brief(ItemNo(item))? else {
            continue;
        };
        if brief.kind != ItemKind::Email {
            continue;
        }
        let mut parts = of_children(&reader, brief.item_no, brief.root)?;
        let mut defects = reader.defects(brief.item_no)?;
        let stored = reader.opening(brief.blob_id)?;
        let own = stored
            .as_ref()
            .filter(|opening| opening.reader != NO_READER)
            .map(|opening| StoredOpening::from_bytes(&opening.data))
            .transpose()?
            .filter(|opening| !attached::is_about_the_attachment(opening));
        let own_open = own.map(|own| own.opened.searchability != Some(Searchability::Encrypted));
        parts.opened |= own_open == Some(true);
        parts.closed |= own_open == Some(false);
        if !parts.opened || parts.closed {
            continue;
        }
        let originals = match &mut originals {
            Some(originals) => originals,
            None => originals.insert(Originals::open(case)?),
        };
        let text = originals.text(brief.item_no)?.body;
        let has_block = text.lines().any(|line| line.starts_with(ARMOUR));
        if has_block && own_open.is_none() {
            continue;
        }
        let Some(mut row) = reader.item(brief.item_no)? else {
            continue;
        };
        row.searchability = state(&text, &defects);
        let said = defects.iter().any(|one| one.code == DefectCode::MailDecrypted);
        defects.retain(|one| one.code != DefectCode::MailEncrypted);
        if !said {
            defects.push(note(&row));
        }
        rows.item_updates.push(row);
        // A replay of the index knows by the ticket of its opening that an item changed.
        rows.openings.extend(stored);
        rows.defects.extend(defects);
    }
    if rows.item_updates.is_empty() {
        return Ok(false);
    }
    commit_step(writer, rows, run, options)?;
    Ok(true)
}

/// What is said of the parts that stand directly in a mail.
fn of_children(reader: &CatalogueReader, mail: ItemNo, root: ItemNo) -> Result<Parts, IngestError> {
    let mut parts = Parts::default();
    let size = reader.brief(root)?.map_or(1, |root| root.family_size);
    let mut children: Vec<ItemRow> = Vec::new();
    reader.for_each_item::<IngestError>(ItemNo(mail.0 + 1)..ItemNo(root.0.saturating_add(size)), |row| {
        if row.parent == Some(mail) && row.kind == ItemKind::Attachment {
            children.push(row);
        }
        Ok(())
    })?;
    for child in children {
        let defects = reader.defects(child.item_no)?;
        parts.opened |= defects.iter().any(|one| one.code == DefectCode::MailDecrypted);
        // Other encrypted attachments, such as archives, say so themselves.
        let is_sealed = matches!(child.searchability, Searchability::Encrypted | Searchability::Failed);
        parts.closed |= is_sealed && smime::is_read(&child.media_type);
    }
    Ok(parts)
}

/// How far the text of the mail itself is searched.
fn state(text: &str, defects: &[DefectRow]) -> Searchability {
    let undecoded = defects
        .iter()
        .any(|one| matches!(one.code, DefectCode::MimeEncoding | DefectCode::TextUndecodable));
    if undecoded {
        Searchability::PartlyDecoding
    } else if text.chars().any(char::is_alphanumeric) {
        Searchability::Searched
    } else {
        Searchability::NoText
    }
}

fn note(mail: &ItemRow) -> DefectRow {
    DefectRow {
        item_no: mail.item_no,
        code: DefectCode::MailDecrypted,
        detail: "its encrypted parts were opened".to_owned(),
        range: None,
    }
}
