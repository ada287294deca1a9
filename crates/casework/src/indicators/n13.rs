//! N13: a message about the case that others name and no mailbox holds; messages held with others and not with their sender.
//!
//! From the links that are kept for threads (`embley_search::threads`), for mail that names the case. Look-alikes: another scope of dates of
//! the sender's export (no mail of theirs by that day, or none from then on: explained); another retention (nothing that they sent was taken
//! in with them: lowers). What is marked as privileged is not read, nor a missing message that it names. A single name in a header is a little thing: such a message is of low confidence.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::address::Role;
use embley_model::id::ItemNo;
use embley_search::threads::{MissingMessage, ThreadMessage, ThreadView};

use super::draft::{Confidence, Draft, Weight};
use super::material::CaseFile;
use super::{Context, Mail, Rule};
use crate::error::{CaseworkError, Result};

/// Messages of one custodian that an indicator names; it says how many more there are.
const MOST_MESSAGES: usize = 200;

/// See the module.
pub(super) struct Missing;

impl Rule for Missing {
    fn id(&self) -> &'static str {
        "N13"
    }

    fn reads_mail(&self) -> bool {
        true
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(mail) = context.mail else {
            return Ok(Vec::new());
        };
        let mut missing: BTreeMap<String, MissingMessage> = BTreeMap::new();
        let mut absent: BTreeMap<String, Vec<ThreadMessage>> = BTreeMap::new();
        let naming = mail.index.naming(mail.searcher, case.name())?;
        let hidden = mail.index.privileged(mail.searcher)?;
        each_thread(mail, &naming, false, |view| {
            for one in view.missing_messages() {
                let from_hidden = one.named_by.iter().any(|item| hidden.contains(*item));
                if !from_hidden && one.named_by.iter().any(|item| naming.contains(*item)) {
                    missing.insert(one.message_id.clone(), one.clone());
                }
            }
            for message in view.messages().filter(|message| naming.contains(message.item_no)) {
                for one in message.not_found_with.iter().filter(|one| one.role == Role::From) {
                    absent.entry(one.custodian.clone()).or_default().push(message.clone());
                }
            }
        })?;
        let mut drafts: Vec<Draft> = missing.values().map(|one| named_only(case, one)).collect();
        for (custodian, mut messages) in absent {
            messages.sort_by_key(|message| message.item_no);
            drafts.push(not_with_sender(mail, case, &custodian, &messages)?);
        }
        Ok(drafts)
    }
}

/// Calls with each thread that holds one of the items, once.
pub(super) fn each_thread(
    mail: Mail<'_>,
    items: &roaring::RoaringBitmap,
    with_texts: bool,
    mut work: impl FnMut(&ThreadView),
) -> Result<()> {
    let refuse = |source| CaseworkError::Threads {
        source: Box::new(source),
    };
    let reader = mail.searcher.reader();
    let mut done: BTreeSet<u32> = BTreeSet::new();
    let all: Vec<ItemNo> = items.iter().map(ItemNo).collect();
    let rows = mail.links.of_page(reader, &all).map_err(refuse)?;
    for (ItemNo(item), row) in all.into_iter().zip(rows) {
        let Some(row) = row else { continue };
        if !done.insert(row.thread) {
            continue;
        }
        let texts = with_texts.then_some(mail.texts);
        if let Some(view) = ThreadView::read(reader, mail.links, ItemNo(item), texts).map_err(refuse)? {
            work(&view);
        }
    }
    Ok(())
}

fn named_only(case: &CaseFile, one: &MissingMessage) -> Draft {
    let when = match (&one.not_before, &one.not_after) {
        (Some(after), Some(before)) => format!(", sent between {after} and {before} by the messages around it,"),
        (None, Some(before)) => format!(", sent before {before} by those that name it,"),
        (Some(after), None) => format!(", sent after {after} by those around it,"),
        (None, None) => String::new(),
    };
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "mail that names case {} refers to a message {}{when} that no mailbox taken in holds",
            case.case_ref, one.message_id
        ),
    )
    .about("named")
    .about(&one.message_id)
    .base(if one.answered_by.is_empty() || one.named_by.len() < 2 {
        Confidence::Low
    } else {
        Confidence::Medium
    });
    for item in &one.named_by {
        draft = draft.item(ItemNo(*item));
    }
    for words in &one.speaks_for {
        draft = draft.speaks_for(words);
    }
    for words in &one.speaks_against {
        draft = draft.against(Weight::Open, words);
    }
    draft.not_searchable("mailboxes that were not taken in, and messages of which only recovered pieces are held")
}

fn not_with_sender(mail: Mail<'_>, case: &CaseFile, custodian: &str, messages: &[ThreadMessage]) -> Result<Draft> {
    let mut draft = Draft::sentence(
        Some(&case.case_ref),
        &format!(
            "{} that name case {}, with {custodian} as sender, are held with others and not with {custodian}",
            match messages.len() {
                1 => "1 of the messages".to_owned(),
                count => format!("{count} messages"),
            },
            case.case_ref
        ),
    )
    .about("sender")
    .about(custodian)
    .base(Confidence::Medium);
    for message in messages.iter().take(MOST_MESSAGES) {
        let date = message.date.as_deref().unwrap_or("undated");
        let held = message.custodians.join(", ");
        draft = draft
            .item(ItemNo(message.item_no))
            .speaks_for(format!("item {} ({date}) is held with {held}", message.item_no));
    }
    if messages.len() > MOST_MESSAGES {
        draft = draft.speaks_for(format!("and {} more", messages.len() - MOST_MESSAGES));
    }
    let days: Vec<&str> = messages
        .iter()
        .filter_map(|message| message.date.as_deref()?.get(..10))
        .collect();
    let quoted = custodian.replace('"', "");
    if let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) {
        let outside = [(format!("date:<={last}"), "up to"), (format!("date:>={first}"), "from")];
        for (range, word) in outside {
            if count(mail, &format!("from:* AND custodian:\"{quoted}\" AND {range}"))? == 0 {
                let day = if word == "from" { first } else { last };
                draft = draft.against(
                    Weight::Explains,
                    format!("no mail at all {word} {day} was taken in with {custodian}: another scope of dates"),
                );
            }
        }
    }
    let sent = messages
        .first()
        .map(|message| message.from.replace(['"', '<', '>'], " "))
        .unwrap_or_default();
    let address = sent
        .split_whitespace()
        .find(|word| word.contains('@'))
        .unwrap_or(&sent)
        .to_owned();
    if !address.is_empty() && count(mail, &format!("custodian:\"{quoted}\" AND from:\"{address}\""))? == 0 {
        draft = draft.against(
            Weight::Lowers,
            format!("nothing that {custodian} sent was taken in with {custodian}: sent mail may be kept otherwise"),
        );
    }
    Ok(draft
        .against(
            Weight::Open,
            "other retention, or deletion in the ordinary course, would explain it",
        )
        .not_searchable("mailboxes and folders that were not taken in"))
}

/// How many items a query finds.
fn count(mail: Mail<'_>, query: &str) -> Result<u64> {
    Ok(mail.index.items(mail.searcher, query)?.len())
}
