//! The messages that name a case, and what their authors say in them.
//!
//! Messages stand for themselves: parts of other messages (forwarded ones) are their own items only where they were also found alone. Of a
//! message only the author's own new text is read ([`embley_search::threads::own_text`]), and a sentence that an earlier message of the case says
//! word for word is a repetition. Two items are one message only where Message-ID and e-mail key (or sender, second and subject) agree: another message
//! may carry the same Message-ID. Main type: [`CaseMail`]. Invariant: messages stand by date, undated ones last; what is marked as privileged is not
//! among them.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use embley_model::address::{Address, Role};
use embley_model::id::{ItemNo, Key128};
use embley_model::item::ItemKind;
use embley_search::TextQuery;
use embley_search::threads::own_text;
use embley_store::catalogue::ItemRow;
use embley_store::facts::people::person_key;
use jiff::Timestamp;
use jiff::civil::Date;
use roaring::RoaringBitmap;

use super::material::CaseFile;
use super::moment::Moment;
use super::{Context, Mail};
use crate::error::Result;
use crate::rules::phrases::{FoundPhrase, Says};

/// Shorter sentences are said again without being repetitions.
const REPEATED_WORDS: usize = 6;

/// Somebody in the headers of a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Correspondent {
    /// The id, when the directory knows whose address it was that day.
    pub(super) person: Option<String>,
    /// The address, or the name where there is none.
    pub(super) address: String,
    /// As it stands in the header.
    pub(super) shown: String,
}

impl Correspondent {
    fn of(context: &Context<'_>, address: &Address, at: Option<i64>) -> Self {
        let found = context.people.people().resolve(address, at);
        let key = if address.addr.is_empty() {
            &address.name
        } else {
            &address.addr
        };
        Self {
            person: found.map(|(person, _)| person.id.clone()),
            address: person_key(key),
            shown: address.display(),
        }
    }

    /// What tells them from others: the id, else the address.
    pub(super) fn key(&self) -> &str {
        self.person.as_deref().unwrap_or(&self.address)
    }

    /// As a sentence calls them.
    pub(super) fn spoken(&self, context: &Context<'_>) -> String {
        self.person
            .as_ref()
            .map_or_else(|| self.shown.clone(), |id| context.people.spoken(id))
    }
}

/// What two forms of one message have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Likeness {
    /// The e-mail key.
    Key(Key128),
    /// Sender, second and subject.
    Heads(String, i64, String),
}

/// A message that names the case.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its row.
    pub(super) row: ItemRow,
    /// When, when it is dated.
    pub(super) at: Option<Moment>,
    /// Who sent it.
    pub(super) sender: Option<Correspondent>,
    /// To whom, open and copied.
    pub(super) recipients: Vec<Correspondent>,
    /// What tells it from other messages in ids: its Message-ID, with its e-mail key where another message of the case carried that id before.
    pub(super) name: String,
    own: OnceCell<String>,
}

impl Message {
    /// Its item.
    pub(super) fn item(&self) -> ItemNo {
        self.row.item_no
    }

    /// By what another item with its Message-ID is a copy of it.
    fn likenesses(&self) -> Vec<Likeness> {
        let mut all: Vec<Likeness> = self.row.keys.iter().map(|keys| Likeness::Key(keys.email)).collect();
        // A form that keeps addresses or the text in another way has another key.
        if let (Some(sender), Some(secs)) = (&self.sender, self.row.date.utc_secs) {
            all.push(Likeness::Heads(
                sender.key().to_owned(),
                secs,
                person_key(&self.row.subject),
            ));
        }
        all
    }

    /// Its e-mail key in hexadecimal, else its item.
    fn by_content(&self) -> String {
        match &self.row.keys {
            Some(keys) => keys.email.0.iter().map(|byte| format!("{byte:02x}")).collect(),
            None => self.item().to_string(),
        }
    }

    /// The day, for sentences.
    pub(super) fn day(&self) -> String {
        self.at
            .map_or_else(|| "an unknown day".to_owned(), |at| at.day.to_string())
    }

    /// What the author wrote; empty when the text cannot be read.
    pub(super) fn own(&self, mail: Mail<'_>) -> &str {
        self.own.get_or_init(|| {
            let text = mail.texts.text(self.item());
            text.map(|text| own_text(&text)).unwrap_or_default()
        })
    }

    /// True when this person sent it.
    pub(super) fn is_from(&self, person: &str) -> bool {
        self.sender
            .as_ref()
            .is_some_and(|one| one.person.as_deref() == Some(person))
    }
}

/// Something that an author says.
#[derive(Clone, Debug)]
pub(super) struct Said<'m, 'p> {
    /// The message.
    pub(super) message: &'m Message,
    /// The sentence and the pattern.
    pub(super) phrase: FoundPhrase<'p>,
    /// The message names several cases, and the sentence does not name this one.
    pub(super) unsure_case: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct CaseMail {
    messages: Vec<Message>,
    naming: RoaringBitmap,
    reference: TextQuery,
}

impl CaseMail {
    pub(super) fn load(context: &Context<'_>, mail: Mail<'_>, case: &CaseFile) -> Result<Self> {
        let naming = mail.index.naming(mail.searcher, case.name())?;
        let reader = mail.searcher.reader();
        let mut roots: BTreeSet<u32> = BTreeSet::new();
        for item in naming.iter() {
            if let Some(brief) = reader.brief(ItemNo(item))? {
                roots.insert(brief.root.0);
            }
        }
        let mut messages = Vec::new();
        let mut copies: HashMap<String, HashSet<Likeness>> = HashMap::new();
        for root in roots {
            let Some(row) = reader.item(ItemNo(root))? else {
                continue;
            };
            if row.kind != ItemKind::Email {
                continue;
            }
            let mut one = message(context, row);
            if let Some(id) = &one.row.message_id {
                let known = copies.entry(id.clone()).or_default();
                let likenesses = one.likenesses();
                // Copies of one message in two forms are one message; another message with the same Message-ID is one of its own.
                if likenesses.iter().any(|one| known.contains(one)) {
                    continue;
                }
                if !known.is_empty() {
                    one.name = format!("{id} {}", one.by_content());
                }
                known.extend(likenesses);
            }
            messages.push(one);
        }
        messages.sort_by_key(|one| (one.at.is_none(), one.at, one.item()));
        let words: Vec<String> = case.name().keys.iter().map(|key| phrase_of(key)).collect();
        let reference = TextQuery::new(&words.join(" OR ")).map_err(|source| crate::error::CaseworkError::Search {
            case_ref: case.case_ref.clone(),
            source: Box::new(source),
        })?;
        Ok(Self {
            messages,
            naming: naming.as_ref().clone(),
            reference,
        })
    }

    /// All messages.
    pub(super) fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// All items that name the case, parts and records among them.
    pub(super) fn naming(&self) -> &RoaringBitmap {
        &self.naming
    }

    /// True when a text names the case.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        self.reference.matches(text)
    }

    /// Messages between two days, both included.
    pub(super) fn between(&self, from: Date, to: Date) -> impl Iterator<Item = &Message> {
        self.messages
            .iter()
            .filter(move |one| one.at.is_some_and(|at| (from..=to).contains(&at.day)))
    }

    /// What authors say that these patterns find, in the order of the messages.
    pub(super) fn said<'m, 'p>(
        &'m self,
        context: &Context<'p>,
        mail: Mail<'_>,
        wanted: impl Fn(&Says) -> bool,
    ) -> Result<Vec<Said<'m, 'p>>> {
        let phrases = &context.rules.phrases;
        let mut places: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, pattern) in phrases.that(wanted) {
            let held = mail.index.holding(mail.searcher, pattern)?;
            for message in self.messages.iter().filter(|one| held.contains(one.item().0)) {
                places.entry(message.item().0).or_default().push(place);
            }
        }
        let mut before: HashSet<String> = HashSet::new();
        let mut all = Vec::new();
        for message in &self.messages {
            let Some(places) = places.get(&message.item().0) else {
                continue;
            };
            let several = mail.index.names_several(message.item()) && !self.is_named_in(&message.row.subject);
            let mut here: Vec<String> = Vec::new();
            for phrase in phrases.found_in(&message.row.subject, message.own(mail), places) {
                let folded = person_key(&phrase.sentence);
                if before.contains(&folded) {
                    continue;
                }
                if folded.split(' ').count() >= REPEATED_WORDS {
                    here.push(folded);
                }
                all.push(Said {
                    message,
                    unsure_case: several && !self.is_named_in(&phrase.sentence),
                    phrase,
                });
            }
            before.extend(here);
        }
        Ok(all)
    }
}

fn message(context: &Context<'_>, row: ItemRow) -> Message {
    let secs = row.date.utc_secs;
    let of = |role: Role| {
        row.participants
            .iter()
            .filter(move |one| one.role == role)
            .map(|one| Correspondent::of(context, &one.address, secs))
    };
    let recipients: BTreeSet<Correspondent> = of(Role::To).chain(of(Role::Cc)).chain(of(Role::Bcc)).collect();
    let at = secs.and_then(|secs| {
        let day = Timestamp::from_second(secs).ok()?.to_zoned(context.zone.clone()).date();
        Some(Moment {
            earliest: secs,
            latest: secs,
            day,
        })
    });
    let sender = of(Role::From).next();
    Message {
        name: row.message_id.clone().unwrap_or_else(|| row.item_no.0.to_string()),
        at,
        sender,
        recipients: recipients.into_iter().collect(),
        own: OnceCell::new(),
        row,
    }
}

/// A reference as a phrase of the search language.
fn phrase_of(reference: &str) -> String {
    let mut out = String::from("\"");
    for one in reference.chars() {
        if matches!(one, '"' | '\\' | '*' | '?') {
            out.push('\\');
        }
        out.push(one);
    }
    out.push('"');
    out
}
