//! N10: a document sent round in mail about the case that the case's register of documents does not hold.
//!
//! By SHA-256 of the attachment against `document` records; then, for what is not held, by text: another version of a document on the
//! register (explained). Look-alikes: a circular, which goes to many or comes with mail about other things (explained); the same bytes on
//! the register of another case, or a document that names neither the case nor anybody in it (lower). Pictures in the text of a message,
//! signatures, cards and calendar entries are no documents. What somebody said (`records link`) goes before the comparison of texts. Where no document of any case is on record nothing is judged.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use embley_model::id::{BlobId, ItemNo};
use embley_model::item::ItemKind;
use embley_model::record::RecordType;
use embley_store::catalogue::ItemRow;
use embley_store::facts::documents::DocumentLink;

use super::case_mail::{CaseMail, Message};
use super::draft::{Draft, Weight};
use super::material::{CaseFile, Row};
use super::{Context, Mail, Rule};
use crate::document_links::of_documents;
use crate::error::Result;

/// Smaller attachments are no documents.
const LEAST_BYTES: u64 = 64;
/// Pictures below this size are logos.
const LEAST_PICTURE: u64 = 20_000;
/// Words in a row that are compared.
const SHINGLE: usize = 3;
/// Shorter texts are not compared.
const LEAST_SHINGLES: usize = 8;
/// Bytes of a text that are compared.
const MOST_BYTES: usize = 1 << 20;
/// Words at the beginning of a document that are its title.
const TITLE_WORDS: usize = 12;
/// Items of the same bytes that are looked at.
const MOST_COPIES: usize = 500;

/// See the module.
pub(super) struct NotHeld;

impl Rule for NotHeld {
    fn id(&self) -> &'static str {
        "N10"
    }

    fn reads_mail(&self) -> bool {
        true
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(mail) = context.mail else {
            return Ok(Vec::new());
        };
        if !context.shared.has(RecordType::Document) {
            return Ok(Vec::new());
        }
        let of_case = case.mail(context, mail)?;
        let held: BTreeMap<String, &Row> = case
            .of(RecordType::Document)
            .map(|row| (row.text("sha256").trim().to_lowercase(), row))
            .collect();
        let reader = mail.searcher.reader();
        let mut sent: BTreeMap<BlobId, Vec<(&Message, ItemRow)>> = BTreeMap::new();
        for message in of_case.messages() {
            if message.row.family_size < 2 {
                continue;
            }
            for part in reader.family(message.item())? {
                if is_document(&part) {
                    sent.entry(part.blob_id).or_default().push((message, part));
                }
            }
        }
        let mut drafts = Vec::new();
        for (blob, messages) in sent {
            let Some(row) = reader.blob(blob)? else { continue };
            let hash = row.sha256.to_string().to_lowercase();
            if held.contains_key(&hash) {
                continue;
            }
            let one = Sent { hash, blob, messages };
            drafts.push(raise(context, mail, case, of_case, &one)?);
        }
        Ok(drafts)
    }
}

fn is_document(part: &ItemRow) -> bool {
    let media = part.media_type.as_str();
    let small_picture = media.starts_with("image/") && part.size < LEAST_PICTURE;
    let machine = [
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "text/vcard",
        "text/x-vcard",
        "text/calendar",
        "message/delivery-status",
        "message/disposition-notification",
        "application/ms-tnef",
    ];
    part.kind == ItemKind::Attachment && part.size >= LEAST_BYTES && !small_picture && !machine.contains(&media)
}

/// An attachment and the messages that carry it.
struct Sent<'m> {
    hash: String,
    blob: BlobId,
    messages: Vec<(&'m Message, ItemRow)>,
}

fn raise(context: &Context<'_>, mail: Mail<'_>, case: &CaseFile, of_case: &CaseMail, sent: &Sent<'_>) -> Result<Draft> {
    let settings = &context.rules.settings.mail;
    let name = sent
        .messages
        .iter()
        .find_map(|(_, part)| part.filename.clone())
        .unwrap_or_else(|| "without a name".to_owned());
    let first = sent
        .messages
        .first()
        .map_or_else(String::new, |(message, _)| message.day());
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "an attachment ({name}) of {} that names case {}, first of {first}, is on no register of documents of the case by its SHA-256",
            count(sent.messages.len(), "message"),
            case.case_ref
        ),
    )
    .about(&sent.hash)
    .speaks_for(format!("SHA-256 {}", sent.hash));
    for (message, part) in &sent.messages {
        draft = draft.item(part.item_no).item(message.item()).person(
            message
                .sender
                .as_ref()
                .and_then(|one| one.person.as_deref())
                .unwrap_or_default(),
        );
    }
    let text = sent
        .messages
        .first()
        .and_then(|(_, part)| mail.texts.text(part.item_no).ok())
        .unwrap_or_default();
    let own = shingles(&text);
    let said = said_by_hand(context, case, sent)?;
    let denied: BTreeSet<ItemNo> = said.iter().filter(|one| !one.holds()).map(|one| one.document).collect();
    let mut nearest: Option<(&Row, u32)> = None;
    for row in case.of(RecordType::Document).filter(|row| !denied.contains(&row.item)) {
        let percent = alike(&own, &shingles(row.text("text")));
        if percent > nearest.map_or(0, |(_, best)| best) {
            nearest = Some((row, percent));
        }
    }
    match nearest {
        Some((row, percent)) if percent >= u32::from(settings.version_percent) => {
            draft = draft.record(row).against(
                Weight::Explains,
                format!(
                    "the register holds another version: {} \"{}\", {percent} of 100 parts of the texts agree",
                    row.text("register_no"),
                    row.text("title")
                ),
            );
        }
        Some((row, percent)) if percent * 2 >= u32::from(settings.version_percent) => {
            draft = draft.record(row).against(
                Weight::Lowers,
                format!(
                    "{} \"{}\" on the register has much of its text ({percent} of 100 parts)",
                    row.text("register_no"),
                    row.text("title")
                ),
            );
        }
        Some(_) | None if own.len() < LEAST_SHINGLES => {
            draft = draft
                .not_searchable("the text of this attachment, so that other versions of it could not be looked for");
            draft = same_title(case, &name, &denied, draft);
        }
        Some(_) | None => {}
    }
    for (row, decision) in said.iter().filter(|one| one.holds()).filter_map(|one| {
        Some((
            case.of(RecordType::Document).find(|row| row.item == one.document)?,
            one.decided.as_ref()?,
        ))
    }) {
        draft = draft.record(row).against(
            Weight::Explains,
            format!(
                "said by {} to be {} \"{}\" on the register: {}",
                decision.actor,
                row.text("register_no"),
                row.text("title"),
                decision.reason
            ),
        );
    }
    let about = about_case(context, case, of_case, &text, &name);
    draft = match &about {
        Some(words) => draft.speaks_for(words),
        None => draft.against(
            Weight::Lowers,
            "its text and name mention neither the case nor anybody in it",
        ),
    };
    if let Some(word) = calls_itself(context, &name, &text).filter(|_| about.is_none()) {
        let words = format!("it calls itself \"{word}\" and mentions neither the case nor anybody in it");
        draft = draft.against(Weight::Explains, words);
    }
    if let Some(words) = circular(context, mail, of_case, sent, about.is_some())? {
        draft = draft.against(Weight::Explains, words);
    }
    let elsewhere = mail
        .index
        .items(mail.searcher, &format!("type:document AND body:{}", sent.hash))
        .map(|found| found.len())
        .unwrap_or(0);
    if elsewhere > 0 {
        draft = draft.against(
            Weight::Lowers,
            "a record of a document with this SHA-256 is on the register of another case",
        );
    }
    Ok(draft
        .against(
            Weight::Open,
            "it may be kept elsewhere, or not be relevant to the matter",
        )
        .not_searchable(
            "attachments whose text cannot be read, and documents of the register without SHA-256 and text",
        ))
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// What somebody said of the attachment and documents on the register (`embley records link`).
fn said_by_hand(context: &Context<'_>, case: &CaseFile, sent: &Sent<'_>) -> Result<Vec<DocumentLink>> {
    let documents = case.of(RecordType::Document).map(|row| row.item.0).collect();
    let parts: BTreeSet<ItemNo> = sent.messages.iter().map(|(_, part)| part.item_no).collect();
    let mut all = of_documents(context.facts, &documents)?;
    all.retain(|one| one.decided.is_some() && parts.contains(&one.attachment));
    Ok(all)
}

/// A title on the register with the words of the file's name.
fn same_title(case: &CaseFile, name: &str, denied: &BTreeSet<ItemNo>, draft: Draft) -> Draft {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let wanted: BTreeSet<String> = words(stem).filter(|word| word.len() > 2).collect();
    let same = case.of(RecordType::Document).find(|row| {
        let title: BTreeSet<String> = words(row.text("title")).collect();
        !wanted.is_empty() && wanted.is_subset(&title) && !denied.contains(&row.item)
    });
    match same {
        Some(row) => draft.record(row).against(
            Weight::Lowers,
            format!(
                "the register holds \"{}\", with the words of its name",
                row.text("title")
            ),
        ),
        None => draft,
    }
}

/// What says that it is about the case.
fn about_case(context: &Context<'_>, case: &CaseFile, of_case: &CaseMail, text: &str, name: &str) -> Option<String> {
    if of_case.is_named_in(text) || of_case.is_named_in(name) {
        return Some("its text or name mentions the case".to_owned());
    }
    let in_text: HashSet<String> = words(text).chain(words(name)).collect();
    for id in case.officers_concerned() {
        let Some(full) = context.people.name(id) else { continue };
        if let Some(last) = words(full).last().filter(|last| last.len() > 2)
            && in_text.contains(&last)
        {
            return Some(format!("its text or name mentions {}", context.people.spoken(id)));
        }
    }
    None
}

/// The word by which a circular calls itself, in its name or its first lines.
fn calls_itself<'s>(context: &'s Context<'_>, name: &str, text: &str) -> Option<&'s str> {
    let head: Vec<String> = words(name).chain(words(text).take(TITLE_WORDS)).collect();
    let head = format!(" {} ", head.join(" "));
    let all = context.rules.settings.mail.circular_words.iter();
    all.map(String::as_str)
        .find(|word| head.contains(&format!(" {} ", word.to_lowercase())))
}

/// Words when it went to many, or with mail about other things.
fn circular(
    context: &Context<'_>,
    mail: Mail<'_>,
    of_case: &CaseMail,
    sent: &Sent<'_>,
    about: bool,
) -> Result<Option<String>> {
    let settings = &context.rules.settings.mail;
    let reader = mail.searcher.reader();
    let hidden = mail.index.privileged(mail.searcher)?;
    let mut to: BTreeSet<String> = BTreeSet::new();
    let mut others = 0_usize;
    for item in reader.items_of_blob(sent.blob)?.into_iter().take(MOST_COPIES) {
        let Some(brief) = reader.brief(item)? else { continue };
        if hidden.contains(item.0) || brief.root == item {
            continue;
        }
        others += usize::from(!of_case.naming().contains(brief.root.0));
        for one in reader.participants(brief.root)? {
            to.insert(one.address.addr.to_lowercase());
        }
    }
    // The senders are among those named in the headers.
    if to.len() > settings.circular_recipients {
        return Ok(Some(format!("it went to or from {} addresses: a circular", to.len())));
    }
    if others > 0 && !about {
        return Ok(Some(format!(
            "it also came with {} that {} not name the case",
            count(others, "message"),
            if others == 1 { "does" } else { "do" }
        )));
    }
    Ok(None)
}

/// Words of letters and digits, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let all = text.split(|one: char| !one.is_alphanumeric());
    all.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Hashes of words in a row.
fn shingles(text: &str) -> HashSet<u64> {
    let end = text.floor_char_boundary(text.len().min(MOST_BYTES));
    let all: Vec<String> = words(&text[..end]).collect();
    let hash = |some: &[String]| {
        let mut hasher = DefaultHasher::new();
        some.hash(&mut hasher);
        hasher.finish()
    };
    all.windows(SHINGLE).map(hash).collect()
}

/// Of all parts of both, how many of a hundred both have.
fn alike(one: &HashSet<u64>, other: &HashSet<u64>) -> u32 {
    if one.len() < LEAST_SHINGLES || other.len() < LEAST_SHINGLES {
        return 0;
    }
    let both = one.intersection(other).count();
    let all = one.len() + other.len() - both;
    u32::try_from(both * 100 / all).unwrap_or(100)
}
