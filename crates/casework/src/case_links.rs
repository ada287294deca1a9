//! Links that rest on a text, one by one: which items name a case or a person, where, how surely, and what somebody said about it.
//!
//! Main functions: [`of_case`], [`of_person`], [`by_hand`]. A case is named by the written forms of its references (`references`), a person by the full name, the other
//! names on record and the staff number. Not for: headers (`people`), documents on record (`document_links`). Invariant: every link has a reason and a
//! confidence, and what somebody said goes before what was found.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use embley_search::Searcher;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::cases::{self, case_key};
use embley_store::facts::people::{self, Directory, PersonRef, person_key};
use embley_store::facts::text_links::{self, Named, TextDecision, decisions};
use embley_store::facts::{Connection, Stamp, records};
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::document_links::references;
use crate::error::{CaseworkError, Result};
use crate::references::References;

/// Where a text may name something: field of the search language, and how a reason calls it.
const PLACES: [(&str, &str); 4] = [
    ("subject", "subject"),
    ("body", "text"),
    ("attachment", "text of an attachment or file"),
    ("filename", "file name"),
];
/// Shorter staff numbers are any number.
const LEAST_NUMBER: usize = 4;

/// A link between an item and what its text names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TextLink {
    /// The item.
    pub item: ItemNo,
    /// What is named where, such as `"CM/1/19" in the subject`; empty when only somebody said so.
    pub reasons: Vec<String>,
    /// `high`, `medium` or `low` for what was found, `said` where somebody decided.
    pub confidence: &'static str,
    /// False where somebody said that it is none.
    pub holds: bool,
    /// The last decision, if there is one.
    pub decided: Option<TextDecision>,
}

/// A form in which something is named, and how surely it is meant.
struct Form {
    written: String,
    confidence: &'static str,
}

/// The messages, attachments and files that name a case, by any of the references that its records give it, and records of other cases that do;
/// those that somebody denied among them.
///
/// # Errors
/// The index or the catalogue refuses.
pub fn of_case(searcher: &Searcher, patterns: &References, case_ref: &str) -> Result<Vec<TextLink>> {
    let facts = searcher.reader().facts();
    let mut all = Links::default();
    let known = references(facts, case_ref)?;
    let on_record: BTreeSet<String> = records::case_refs(facts)?.into_iter().map(|(key, _)| key).collect();
    for reference in &known {
        for (at, form) in patterns.forms(reference).into_iter().enumerate() {
            let is_other = on_record.contains(&case_key(&form));
            if at > 0 && is_other && !known.contains(&form) {
                continue;
            }
            let confidence = if at == 0 { "high" } else { "medium" };
            all.find(
                searcher,
                &Form {
                    written: form,
                    confidence,
                },
            )?;
        }
        all.decided(decisions(facts, Named::Case(reference))?);
    }
    // Records belong to the case that their fields name, whatever their text says.
    for reference in &known {
        all.without(&cases::record_items(facts, reference)?);
    }
    Ok(all.done())
}

/// The items whose text names a person on record; those that somebody denied among them.
///
/// # Errors
/// Nobody on record or several people have that id, name or address, or the index or the catalogue refuses.
pub fn of_person(searcher: &Searcher, directory: &Directory, text: &str) -> Result<Vec<TextLink>> {
    let person = one_person(directory, text)?;
    let mut all = Links::default();
    for form in forms_of(directory, person) {
        all.find(searcher, &form)?;
    }
    let facts = searcher.reader().facts();
    all.decided(decisions(facts, Named::Person(&person.id))?);
    let keys: Vec<String> = person.ids.iter().map(|id| person_key(id)).collect();
    all.without(&people::items_naming(facts, keys.iter().map(String::as_str))?);
    all.without(&person.items.iter().map(|item| item.0).collect());
    Ok(all.done())
}

fn one_person<'d>(directory: &'d Directory, text: &str) -> Result<&'d PersonRef> {
    let found = directory.named(text);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(CaseworkError::Request {
            detail: format!("nobody on record has the id, name or address \"{text}\"; `people list` names everybody"),
        }),
        several => Err(CaseworkError::Request {
            detail: format!(
                "\"{text}\" may be {} people on record; say which by the id",
                several.len()
            ),
        }),
    }
}

/// The forms in which a text names somebody. A name that several people on record have is of low confidence.
fn forms_of(directory: &Directory, person: &PersonRef) -> Vec<Form> {
    let names = person
        .entries
        .iter()
        .filter(|entry| entry.kind == "display")
        .map(|entry| &entry.value);
    let mut forms: BTreeMap<String, Form> = BTreeMap::new();
    for name in person.name.iter().chain(names) {
        // A single word is a name of many.
        let is_single = name.split_whitespace().count() < 2;
        let shared = directory.named(name).len() > 1;
        let confidence = if is_single || shared { "low" } else { "medium" };
        let form = Form {
            written: name.clone(),
            confidence,
        };
        forms.entry(person_key(name)).or_insert(form);
    }
    if let Some(number) = person
        .warrant_or_staff_no
        .as_ref()
        .filter(|number| number.trim().chars().count() >= LEAST_NUMBER)
    {
        let form = Form {
            written: number.clone(),
            confidence: "high",
        };
        forms.entry(person_key(number)).or_insert(form);
    }
    let is_word = |form: &Form| form.written.chars().any(char::is_alphanumeric);
    forms.into_values().filter(is_word).collect()
}

/// A text as it stands between quotation marks in a query.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for one in text.chars() {
        if matches!(one, '"' | '\\' | '*' | '?') {
            quoted.push('\\');
        }
        quoted.push(one);
    }
    quoted
}

/// Links in the making.
#[derive(Default)]
struct Links(BTreeMap<ItemNo, TextLink>);

impl Links {
    fn entry(&mut self, item: ItemNo) -> &mut TextLink {
        self.0.entry(item).or_insert_with(|| TextLink {
            item,
            reasons: Vec::new(),
            confidence: "low",
            holds: true,
            decided: None,
        })
    }

    fn find(&mut self, searcher: &Searcher, form: &Form) -> Result<()> {
        for (field, place) in PLACES {
            let query = format!("{field}:\"{}\"", quoted(&form.written));
            let found = searcher.plan(&query).and_then(|plan| searcher.items(&plan));
            let found = found.map_err(|source| CaseworkError::Search {
                case_ref: form.written.clone(),
                source: Box::new(source),
            })?;
            for item in &found {
                let one = self.entry(ItemNo(item));
                one.reasons.push(format!("\"{}\" in the {place}", form.written));
                let rank = |word: &str| ["low", "medium", "high"].iter().position(|one| *one == word);
                if rank(form.confidence) > rank(one.confidence) {
                    one.confidence = form.confidence;
                }
            }
        }
        Ok(())
    }

    fn decided(&mut self, all: BTreeMap<ItemNo, TextDecision>) {
        for (item, decision) in all {
            let one = self.entry(item);
            one.confidence = "said";
            // Said of one of the references of a case, it is said of the case.
            one.holds = decision.linked || one.decided.as_ref().is_some_and(|earlier| earlier.linked);
            one.decided = Some(decision);
        }
    }

    fn without(&mut self, items: &RoaringBitmap) {
        self.0.retain(|item, _| !items.contains(item.0));
    }

    fn done(self) -> Vec<TextLink> {
        self.0.into_values().collect()
    }
}

/// What [`by_hand`] is said about.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// A case, by one of its references.
    Case(&'a str),
    /// A person on record, by id, name or address.
    Person(&'a str),
}

/// Says that an item is about a case or names a person, or does not; a denial holds for the parts of a message too, and for every reference by
/// which the case is known. Gives how many items are said something new of.
///
/// # Errors
/// No record names such a case, nobody on record is such a person, the item is a record or is not there, no reason is given, or the database
/// refuses; nothing is changed then.
pub fn by_hand(
    conn: &Connection,
    reader: &CatalogueReader,
    (about, directory): (About<'_>, &Directory),
    item: ItemNo,
    linked: bool,
    reason: &str,
    stamp: Stamp<'_>,
) -> Result<u64> {
    let refuse = |detail: String| CaseworkError::Request { detail };
    let row = reader
        .item(item)?
        .ok_or_else(|| refuse(format!("there is no item {item}")))?;
    if records::of_item(conn, item)?.is_some() {
        return Err(refuse(format!(
            "item {item} is a record, which belongs to the case and the people that its fields name"
        )));
    }
    let mut items = RoaringBitmap::from([item.0]);
    if !linked && row.family_size > 1 {
        items.insert_range(item.0..item.0.saturating_add(row.family_size));
    }
    let decide = |named: Named<'_>| text_links::decide(conn, named, &items, linked, reason, stamp);
    match about {
        About::Person(text) => Ok(decide(Named::Person(&one_person(directory, text)?.id))?),
        About::Case(case_ref) => {
            if records::of_case(conn, case_ref)?.is_empty() {
                return Err(refuse(format!(
                    "no record in the material loaded names a case \"{case_ref}\""
                )));
            }
            if linked {
                return Ok(decide(Named::Case(case_ref))?);
            }
            let mut new = 0;
            for reference in references(conn, case_ref)? {
                new = decide(Named::Case(&reference))?.max(new);
            }
            Ok(new)
        }
    }
}
