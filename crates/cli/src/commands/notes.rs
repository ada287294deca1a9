//! `embley note`: notes on items and exhibits, with their versions.

use embley_store::Access;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::FactsError;
use embley_store::facts::exhibits as register;
use embley_store::facts::notes::{self, Note, On, Version};
use serde_json::json;

use super::exhibits;
use super::show::resolve;
use crate::args::{Args, ListArgs, NoteCommand, NoteOn, WhichExhibit};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Notes.
pub(crate) fn note_command(args: &Args, command: &NoteCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        NoteCommand::Add { on, text } => {
            let writer = case.facts()?;
            let number = match on {
                NoteOn {
                    exhibit: Some(reference),
                    produced_by,
                    ..
                } => {
                    let exhibit = exhibits::find(reader.facts(), &named(reference, produced_by.as_ref()))?;
                    notes::add(writer.connection(), On::Exhibit(&exhibit), text, stamp)?
                }
                NoteOn { item, .. } => {
                    let item = resolve(&reader, item.as_deref().unwrap_or_default())?;
                    notes::add(writer.connection(), On::Item(item), text, stamp)?
                }
            };
            note!("note {number}");
        }
        NoteCommand::Edit { note: number, text } => {
            seen(&reader, *number)?;
            let new = notes::edit(case.facts()?.connection(), *number, text, stamp)?;
            note!(
                "note {number} {}",
                if new { "has a new version" } else { "says that already" }
            );
        }
        NoteCommand::Withdraw { note: number, reason } => {
            seen(&reader, *number)?;
            notes::withdraw(case.facts()?.connection(), *number, reason, stamp)?;
            note!("note {number} is withdrawn; all of it stays on record");
        }
        NoteCommand::List {
            item,
            exhibit,
            produced_by,
            history,
            list,
        } => {
            let found = match (item, exhibit) {
                (Some(item), _) => notes::of(reader.facts(), On::Item(resolve(&reader, item)?))?,
                (None, Some(reference)) => {
                    let exhibit = exhibits::find(reader.facts(), &named(reference, produced_by.as_ref()))?;
                    notes::of(reader.facts(), On::Exhibit(&exhibit))?
                }
                (None, None) => notes::all(reader.facts())?,
            };
            print(&reader, &found, *history, list)?;
        }
    }
    Ok(exit::DONE)
}

/// Refuses a note that the actor does not see as one that is not there.
fn seen(reader: &CatalogueReader, number: i64) -> Result<(), FactsError> {
    if notes::all(reader.facts())?.iter().any(|note| note.note_id == number) {
        return Ok(());
    }
    Err(FactsError::NotFound {
        what: "note",
        name: number.to_string(),
    })
}

fn named(reference: &str, produced_by: Option<&String>) -> WhichExhibit {
    WhichExhibit {
        reference: reference.to_owned(),
        produced_by: produced_by.cloned(),
    }
}

fn print(reader: &CatalogueReader, found: &[Note], history: bool, list: &ListArgs) -> anyhow::Result<()> {
    let register = register::list(reader.facts())?;
    let mut rows = Rows::new("notes", &["note", "on", "version", "when", "who", "text"]);
    for held in found {
        let exhibit = register.iter().find(|one| Some(one.exhibit_id) == held.exhibit_id);
        let on = match (held.item_no, exhibit) {
            (Some(item), _) => format!("item {item}"),
            (None, Some(exhibit)) => format!("exhibit {}", exhibit.reference),
            (None, None) => String::new(),
        };
        let mut push = |version: &Version| -> anyhow::Result<()> {
            let at = jiff::Timestamp::from_microsecond(version.at_micros)?.to_string();
            let text = if version.withdrawn {
                format!("(withdrawn) {}", version.text)
            } else {
                version.text.clone()
            };
            let cells = vec![
                held.note_id.to_string(),
                on.clone(),
                version.version.to_string(),
                at.clone(),
                clean(&version.actor),
                clean(&text),
            ];
            let object = json!({
                "note": held.note_id, "item_no": held.item_no, "exhibit": exhibit.map(|one| one.reference.to_string()),
                "version": version.version, "at": at, "actor": version.actor, "withdrawn": version.withdrawn, "text": version.text,
            });
            rows.push(cells, object)
        };
        if history {
            held.versions.iter().try_for_each(&mut push)?;
        } else if let Some(newest) = held.newest().filter(|version| !version.withdrawn) {
            push(newest)?;
        }
    }
    rows.print(context::format(list), Vec::new())
}
