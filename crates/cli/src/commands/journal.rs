//! `embley journal`: every change that people made, in one list.

use embley_store::Access;
use embley_store::facts::Connection;
use embley_store::facts::journal::{self, Kind, Which};

use super::exhibits;
use super::show::resolve;
use crate::args::{Args, JournalArgs, ListArgs, WhichExhibit};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// Runs it.
pub(crate) fn journal(args: &Args, asked: &JournalArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let kind = match &asked.kind {
        None => None,
        Some(word) => Some(Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
            let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
            CliError::usage(format!("{word:?} is no kind of change; there are {}", known.join(", ")))
        })?),
    };
    let item = asked.item.as_deref().map(|text| resolve(&reader, text)).transpose()?;
    let exhibit = match &asked.exhibit {
        None => None,
        Some(reference) => Some(exhibits::find(
            reader.facts(),
            &WhichExhibit {
                reference: reference.clone(),
                produced_by: None,
            },
        )?),
    };
    let which = Which {
        kind,
        actor: asked.by.as_deref(),
        tag: asked.tag.as_deref(),
        exhibit: exhibit.as_ref(),
        item,
    };
    let (entries, all) = journal::newest(reader.facts(), which, context::limit(&asked.limit))?;
    print_entries(&entries, &asked.list)?;
    if (entries.len() as u64) < all {
        note!("the newest {} of {all} changes; --all shows all", entries.len());
    }
    Ok(exit::DONE)
}

/// Prints the changes asked for; only of some kinds where they are named.
pub(crate) fn print(
    conn: &Connection,
    which: Which<'_>,
    kinds: Option<&[Kind]>,
    list: &ListArgs,
) -> anyhow::Result<()> {
    let mut entries = journal::read(conn, which)?;
    if let Some(kinds) = kinds {
        entries.retain(|entry| kinds.contains(&entry.kind));
    }
    print_entries(&entries, list)
}

fn print_entries(entries: &[journal::Entry], list: &ListArgs) -> anyhow::Result<()> {
    let mut rows = Rows::new(
        "changes",
        &[
            "when", "who", "kind", "about", "what", "before", "after", "items", "why", "event",
        ],
    );
    for entry in entries {
        let at = jiff::Timestamp::from_microsecond(entry.at_micros)?.to_string();
        let event = match (entry.event, entry.undoes) {
            (Some(event), Some(undone)) => format!("{event}, undoes {undone}"),
            (Some(event), None) => event.to_string(),
            (None, _) => String::new(),
        };
        let cells = vec![
            at.clone(),
            clean(&entry.actor),
            entry.kind.word().to_owned(),
            clean(&entry.subject),
            clean(&entry.action),
            clean(&entry.before),
            clean(&entry.after),
            entry.items.map_or(String::new(), |items| items.to_string()),
            clean(&entry.reason),
            event,
        ];
        let mut object = serde_json::to_value(entry)?;
        object["at"] = at.into();
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())
}
