//! What the catalogue keeps of an opening, and how it changes an item and its document.
//!
//! Invariant: applying the same opening to the same item gives the same document, in the run, on replay and on reindex.

use embley_formats::language::language_or_undetermined;
use embley_formats::opened::{MetaField, Opened};
use embley_index::IndexDoc;
use embley_index::analysis::{Tokens, sketch};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::DefectCode;
use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{DefectRow, ItemRow};
use serde::{Deserialize, Serialize};

use crate::error::IngestError;

/// Stands in place of a reader's name where none knows the type.
pub(crate) const NO_READER: &str = "none";

/// Stands in place of a reader's name for a container that is emptied in the next round.
pub(crate) const UNOPENED: &str = "container";

/// Stands in the name of a reader that recognised characters.
pub(crate) const RECOGNISER: &str = "tesseract";

/// One opening as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredOpening {
    /// What the content says it is.
    pub media_type: String,
    /// What the reader gave.
    pub opened: Opened,
    /// Members counted.
    pub members: u64,
}

impl StoredOpening {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, IngestError> {
        serde_json::to_vec(self).map_err(|error| IngestError::internal(format!("an opening: {error}")))
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, IngestError> {
        serde_json::from_slice(bytes)
            .map_err(|error| IngestError::internal(format!("an opening cannot be read: {error}")))
    }

    /// The same after its members were taken out.
    pub(crate) fn emptied(mut self, by: Opened, members: u64) -> Self {
        let was_opened = self
            .opened
            .defects
            .iter()
            .any(|one| one.code == DefectCode::MailDecrypted);
        if was_opened && by.searchability == Some(Searchability::Encrypted) {
            // Found again in a run without the key that opened it before: that it was opened stays true.
            return self;
        }
        self.members = members;
        if self.opened.text.is_empty() && self.opened.fields.is_empty() {
            self.opened = by;
        } else {
            // A document was read for its text before; its members may say more.
            for defect in by.defects {
                if !self.opened.defects.contains(&defect) {
                    self.opened.defects.push(defect);
                }
            }
        }
        self
    }

    /// The same with what recognition read. Its text comes after what was there.
    pub(crate) fn recognised(mut self, media_type: String, by: Opened) -> Self {
        if self.media_type.is_empty() {
            self.media_type = media_type;
        }
        let before = std::mem::take(&mut self.opened);
        self.opened = by;
        self.opened.searchability = Some(together(&before, &self.opened));
        if !before.text.is_empty() {
            self.opened.text = format!("{}\n{}", before.text, self.opened.text);
        }
        let (fields, defects) = (
            std::mem::take(&mut self.opened.fields),
            std::mem::take(&mut self.opened.defects),
        );
        self.opened.fields = before.fields;
        self.opened.fields.extend(fields);
        self.opened.defects = before.defects;
        self.opened
            .defects
            .retain(|defect| defect.code != DefectCode::DocNeedsOcr);
        self.opened.defects.extend(defects);
        // Said also where the reader's own name is missing, so that nothing is recognised twice.
        let reader = std::mem::take(&mut self.opened.reader);
        let reader = if reader.contains(RECOGNISER) {
            reader
        } else {
            format!("{reader}+{RECOGNISER}")
        };
        self.opened.reader = [before.reader, reader]
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
            .join("+");
        self
    }

    /// The language of its text, as the index holds it.
    pub fn language(&self) -> Option<&'static str> {
        language_or_undetermined(&self.opened.text)
    }

    /// How far the item can be searched now.
    pub(crate) fn searchability(&self) -> Searchability {
        match self.opened.searchability {
            Some(said) => said,
            None if self.opened.text.chars().any(char::is_alphanumeric) => Searchability::Searched,
            // What a container holds are items of their own.
            None => Searchability::NoText,
        }
    }

    /// The item as it is after opening, and all its defects.
    pub(crate) fn update(&self, mut row: ItemRow, mut defects: Vec<DefectRow>) -> (ItemRow, Vec<DefectRow>) {
        if row.kind == ItemKind::Email {
            // Its text is its own, whatever was opened in it; whether it still hides some is settled when all is opened.
            self.say(row.item_no, &mut defects);
            return (row, defects);
        }
        row.searchability = self.searchability();
        // What the mail reader took for encrypted is open now, or was not encrypted.
        let is_closed = matches!(row.searchability, Searchability::Encrypted | Searchability::Failed);
        if !is_closed && self.opened.reader != UNOPENED {
            defects.retain(|defect| defect.code != DefectCode::MailEncrypted);
        }
        if self.is_known_type() {
            row.media_type.clone_from(&self.media_type);
        }
        if row.kind == ItemKind::Document {
            if let Some(title) = self.field(MetaField::Title) {
                row.subject = title.to_owned();
            }
            if let Some(date) = self.date() {
                row.date = date;
            }
        }
        let mut tokens = Tokens::new();
        tokens.text(&self.opened.text);
        row.sketch = sketch(&tokens).map(|sketch| sketch.to_vec());
        defects.retain(|defect| !matches!(defect.code, DefectCode::TypeNotSearchable | DefectCode::TypeNotDecoded));
        self.say(row.item_no, &mut defects);
        if row.searchability == Searchability::FormatNotSupported
            && !defects
                .iter()
                .any(|defect| defect.code == DefectCode::TypeNotSearchable)
        {
            defects.push(DefectRow {
                item_no: row.item_no,
                code: DefectCode::TypeNotSearchable,
                detail: self.media_type.clone(),
                range: None,
            });
        }
        (row, defects)
    }

    /// What was opened stands in place of what was searched before. A reader that failed takes nothing away: a calendar stays searched as plain text.
    pub(crate) fn replaces_text(&self) -> bool {
        !(self.opened.text.is_empty() && self.opened.searchability == Some(Searchability::Failed))
    }

    /// Adds what the reader said.
    fn say(&self, item_no: ItemNo, defects: &mut Vec<DefectRow>) {
        for defect in &self.opened.defects {
            defects.push(DefectRow {
                item_no,
                code: defect.code,
                detail: defect.detail.clone(),
                range: defect.range.clone(),
            });
        }
    }

    /// The content is of a type that a reader knows; else what was declared stays.
    pub(crate) fn is_known_type(&self) -> bool {
        self.opened.reader != NO_READER
    }

    fn field(&self, wanted: MetaField) -> Option<&str> {
        let found = self.opened.fields.iter().find(|(field, _)| *field == wanted);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A time that the document says, as it stands and in seconds UTC; `None` when it cannot be read as one. A time without a zone counts as UTC, with low
    /// confidence.
    fn time(&self, field: MetaField) -> Option<(&str, i64, Confidence)> {
        let raw = self.field(field)?;
        if let Ok(time) = raw.parse::<jiff::Timestamp>() {
            return Some((raw, time.as_second(), Confidence::Medium));
        }
        let time: jiff::civil::DateTime = raw.parse().ok()?;
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some((raw, time.timestamp().as_second(), Confidence::Low))
    }

    /// When the document says that it was changed or made last.
    fn date(&self) -> Option<EvidenceDate> {
        let (raw, seconds, confidence) = self
            .time(MetaField::Modified)
            .or_else(|| self.time(MetaField::Created))?;
        Some(EvidenceDate {
            raw: raw.to_owned(),
            utc_secs: Some(seconds),
            offset_minutes: None,
            source: DateSource::Metadata,
            confidence,
        })
    }

    /// Puts what was opened into a document that was made without it.
    pub(crate) fn apply(&self, doc: &mut IndexDoc, kind: ItemKind) {
        let home = match kind {
            ItemKind::Attachment => Field::Attachment,
            ItemKind::Document | ItemKind::Record => Field::Body,
            // What was opened in a mail are items of their own.
            ItemKind::Email => return,
        };
        if self.replaces_text() {
            doc.keywords.retain(|(field, _)| *field != Field::Language);
            if let Some(language) = self.language() {
                doc.keywords.push((Field::Language, language.to_owned()));
            }
            let mut tokens = Tokens::new();
            tokens.text(&self.opened.text);
            doc.texts.retain(|(field, _)| *field != home);
            doc.texts.push((home, tokens));
        }
        self.apply_properties(doc, kind, home);
        if kind == ItemKind::Document
            && let Some(date) = self.date()
        {
            doc.date = date.utc_secs;
        }
        for (field, said) in [
            (Field::Created, MetaField::Created),
            (Field::Modified, MetaField::Modified),
        ] {
            if let Some((_, seconds, _)) = self.time(said) {
                doc.dates.push((field, seconds));
            }
        }
        let mut authors = Tokens::new();
        for (field, value) in &self.opened.fields {
            if matches!(field, MetaField::Author | MetaField::LastSavedBy) {
                authors.text(value);
                authors.gap();
            }
        }
        if !authors.is_empty() {
            doc.texts.push((Field::Author, authors));
        }
        if self.is_known_type() {
            doc.keywords.retain(|(field, _)| *field != Field::Type);
            doc.keywords.push((Field::Type, self.media_type.clone()));
        }
    }

    /// Adds what the document says of itself in words, behind its text (`home`); the title of a document is its subject.
    fn apply_properties(&self, doc: &mut IndexDoc, kind: ItemKind, home: Field) {
        for (field, value) in &self.opened.fields {
            let place = match field {
                MetaField::Title if kind == ItemKind::Document => Field::Subject,
                MetaField::Title
                | MetaField::Subject
                | MetaField::Keywords
                | MetaField::Description
                | MetaField::Company => home,
                // Asked for by fields of their own, or not in the words of a person.
                MetaField::Author
                | MetaField::LastSavedBy
                | MetaField::Created
                | MetaField::Modified
                | MetaField::Printed
                | MetaField::Program
                | MetaField::Pages
                | MetaField::Language
                | MetaField::OcrConfidence => continue,
            };
            add_text(doc, place, value);
        }
    }
}

/// Adds words to a field of a document; no phrase reaches from what is there into them.
fn add_text(doc: &mut IndexDoc, field: Field, text: &str) {
    let at = match doc.texts.iter().position(|(known, _)| *known == field) {
        Some(at) => at,
        None => {
            doc.texts.push((field, Tokens::new()));
            doc.texts.len() - 1
        }
    };
    let tokens = &mut doc.texts[at].1;
    tokens.gap();
    tokens.text(text);
}

/// How far an item can be searched after recognition: what its reader gave of it, and what was recognised.
fn together(before: &Opened, recognised: &Opened) -> Searchability {
    let by = recognised.searchability.unwrap_or(Searchability::Failed);
    let rest = before.besides_ocr.or(before.searchability);
    if !before.text.chars().any(char::is_alphanumeric) {
        return match (rest, by) {
            // Besides the pages that were recognised there is something that could not be read.
            (Some(Searchability::PartlyDecoding | Searchability::PartlyLimit), Searchability::Searched) => {
                Searchability::PartlyDecoding
            }
            _ => by,
        };
    }
    let rest = rest.unwrap_or(Searchability::Searched);
    match by {
        // Pages without a word, such as photographs, are read.
        Searchability::Searched | Searchability::NoText => rest,
        Searchability::PartlyLimit if rest == Searchability::Searched => Searchability::PartlyLimit,
        Searchability::PartlyLimit => rest,
        Searchability::PartlyDecoding
        | Searchability::FormatNotSupported
        | Searchability::Media
        | Searchability::Encrypted
        | Searchability::Empty
        | Searchability::Failed => Searchability::PartlyDecoding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(fields: &[(MetaField, &str)]) -> StoredOpening {
        StoredOpening {
            opened: Opened {
                text: "the words".to_owned(),
                fields: fields
                    .iter()
                    .map(|(field, value)| (*field, (*value).to_owned()))
                    .collect(),
                ..Opened::default()
            },
            ..StoredOpening::default()
        }
    }

    #[test]
    fn what_a_document_says_of_itself_is_searched_whatever_it_is_attached_to() {
        let opening = with(&[
            (MetaField::Title, "heading"),
            (MetaField::Keywords, "clue"),
            (MetaField::Company, "firm"),
            (MetaField::Company, "chief"),
            (MetaField::Program, "writer"),
        ]);
        let check = |kind, expected: &[(Field, &[&str])]| {
            let mut doc = IndexDoc::new(1, kind);
            opening.apply(&mut doc, kind);
            for (field, text) in expected {
                let mut tokens = Tokens::new();
                for part in *text {
                    tokens.gap();
                    tokens.text(part);
                }
                let found: Vec<_> = doc.texts.iter().filter(|(known, _)| known == field).collect();
                assert_eq!(found, [&(*field, tokens)], "{kind:?}");
            }
        };
        let body: &[&str] = &["the words", "clue", "firm", "chief"];
        check(
            ItemKind::Document,
            &[(Field::Body, body), (Field::Subject, &["heading"])],
        );
        let attached: &[&str] = &["the words", "heading", "clue", "firm", "chief"];
        check(ItemKind::Attachment, &[(Field::Attachment, attached)]);
    }

    #[test]
    fn a_time_without_a_zone_counts_as_utc_with_low_confidence() {
        let check = |raw: &str, expected: Option<(i64, Confidence)>| {
            let date = with(&[(MetaField::Modified, raw)]).date();
            let said = date.map(|date| (date.utc_secs.unwrap_or_default(), date.confidence));
            assert_eq!(said, expected, "{raw}");
        };
        check("1970-01-02T00:00:01+01:00", Some((82_801, Confidence::Medium)));
        check("1970-01-02T00:00:01.25", Some((86_401, Confidence::Low)));
        check("1970-01-02", Some((86_400, Confidence::Low)));
        check("yesterday", None);
    }

    #[test]
    fn recognition_makes_whole_what_only_it_could_read() {
        use Searchability::{Failed, Media, NoText, PartlyDecoding, PartlyLimit, Searched};
        let check = |text: &str, said, besides_ocr, by, expected| {
            let before = Opened {
                text: text.to_owned(),
                searchability: Some(said),
                needs_ocr: true,
                besides_ocr,
                ..Opened::default()
            };
            let by = Opened {
                searchability: Some(by),
                ..Opened::default()
            };
            let whole = StoredOpening {
                opened: before,
                ..StoredOpening::default()
            };
            let whole = whole.recognised("application/pdf".to_owned(), by);
            assert_eq!(whole.searchability(), expected, "{text} {said:?} {besides_ocr:?}");
        };
        check("words", PartlyDecoding, Some(Searched), Searched, Searched);
        check("words", PartlyDecoding, Some(Searched), NoText, Searched);
        check("words", PartlyDecoding, Some(Searched), Failed, PartlyDecoding);
        check("words", PartlyDecoding, Some(Searched), PartlyLimit, PartlyLimit);
        check("words", PartlyDecoding, Some(PartlyDecoding), Searched, PartlyDecoding);
        check("words", Searched, None, NoText, Searched);
        check("", Media, Some(Searched), Searched, Searched);
        check("", Media, Some(PartlyDecoding), Searched, PartlyDecoding);
        check("", Media, None, NoText, NoText);
    }
}
