//! `embley people`: the directory, suggestions, and what somebody decides about who is who.

use embley_casework::case_links::About;
use embley_casework::people::suggest;
use embley_casework::zone_of;
use embley_store::Access;
use embley_store::facts::Stamp;
use embley_store::facts::people::{self, Directory, Entry};
use jiff::Timestamp;
use serde_json::json;

use super::text_links;
use crate::args::{AliasArgs, Args, LimitArgs, ListArgs, PeopleCommand};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// Runs a `people` command.
pub(crate) fn people(args: &Args, command: &PeopleCommand) -> anyhow::Result<u8> {
    match command {
        PeopleCommand::List { beginning, limit, list } => {
            list_people(args, beginning.as_deref().unwrap_or_default(), limit, list)
        }
        PeopleCommand::Show { person, list } => show(args, person, list),
        PeopleCommand::Suggest { limit, list } => suggested(args, limit, list),
        PeopleCommand::Merge { person, into, reason } => {
            decide(args, |conn, stamp| people::merge(conn, person, into, reason, stamp))?;
            note!(
                "{} is {} from now on; `people split` takes it back",
                clean(person),
                clean(into)
            );
            note_unknown(args, into)?;
            Ok(exit::DONE)
        }
        PeopleCommand::Split { person, reason } => {
            decide(args, |conn, stamp| people::split(conn, person, reason, stamp))?;
            note!("{} stands alone from now on", clean(person));
            Ok(exit::DONE)
        }
        PeopleCommand::Alias(asked) => alias(args, asked),
        PeopleCommand::Mentions { person, limit, list } => text_links::list(args, About::Person(person), limit, list),
        PeopleCommand::Mention { person, said } => text_links::say(args, About::Person(person), said),
    }
}

fn decide(
    args: &Args,
    work: impl FnOnce(&embley_store::facts::Connection, Stamp<'_>) -> embley_store::facts::Result<()>,
) -> anyhow::Result<()> {
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    work(case.facts()?.connection(), stamp)?;
    Ok(())
}

/// Says so when nobody on record has an id: what was merged is then called by a text that stands alone.
fn note_unknown(args: &Args, into: &str) -> anyhow::Result<()> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let directory = Directory::load(reader.facts(), &zone_of(&case)?)?;
    let is_known = directory.by_id(into).is_some_and(|person| !person.items.is_empty());
    if !is_known && people::items_naming(reader.facts(), [people::person_key(into).as_str()])?.is_empty() {
        note!("no record has {}; if that is a slip, take it back", clean(into));
    }
    Ok(())
}

fn alias(args: &Args, asked: &AliasArgs) -> anyhow::Result<u8> {
    let alias = people::Alias {
        kind: &asked.kind,
        value: &asked.value,
        from: &asked.from,
        to: &asked.until,
    };
    decide(args, |conn, stamp| {
        if asked.remove {
            people::remove_alias(conn, &asked.person, alias, &asked.reason, stamp)
        } else {
            people::add_alias(conn, &asked.person, alias, &asked.reason, stamp)
        }
    })?;
    let how = if asked.remove { "is not" } else { "is" };
    note!(
        "{} {how} an address or name of {}",
        clean(&asked.value),
        clean(&asked.person)
    );
    Ok(exit::DONE)
}

fn at_most(limit: &LimitArgs) -> usize {
    usize::try_from(context::limit(limit).unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
}

fn list_people(args: &Args, beginning: &str, limit: &LimitArgs, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let directory = Directory::load(reader.facts(), &zone_of(&case)?)?;
    let found = directory.beginning(beginning);
    let mut rows = Rows::new("people", &["id", "name", "merged", "addresses and names"]);
    let total = found.len();
    for person in found.into_iter().take(at_most(limit)) {
        let cells = vec![
            clean(&person.id),
            clean(person.name.as_deref().unwrap_or_default()),
            clean(&person.ids[1..].join(", ")),
            clean(
                &person
                    .entries
                    .iter()
                    .map(|entry| entry.value.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
        ];
        rows.push(cells, person)?;
    }
    rows.print(context::format(list), vec![("total", total.into())])?;
    Ok(exit::DONE)
}

fn show(args: &Args, text: &str, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let directory = Directory::load(reader.facts(), &zone_of(&case)?)?;
    let found = directory.named(text);
    if found.is_empty() {
        return Err(CliError::usage(format!(
            "nobody on record has the id, name or address {text:?}; `people list` names everybody"
        )));
    }
    let events = people::events(reader.facts())?;
    let day = |secs: Option<i64>| {
        secs.and_then(|secs| Timestamp::from_second(secs).ok())
            .map(|at| at.to_string())
    };
    let mut rows = Rows::new("facts", &["person", "what", "value", "from", "until", "by"]);
    for person in found {
        for id in &person.ids {
            rows.push(
                row(&person.id, "id", id, None, None, "record or merge"),
                json!({"person": person.id, "id": id}),
            )?;
        }
        for Entry {
            kind,
            value,
            span,
            by_event,
        } in &person.entries
        {
            let by = if *by_event { "somebody" } else { "record" };
            let object = json!({"person": person.id, "kind": kind, "value": value, "span": span, "by": by});
            rows.push(row(&person.id, kind, value, day(span.from), day(span.to), by), object)?;
        }
        for (name, all) in &person.histories {
            for one in all {
                let text = |member: &str| one.get(member).and_then(|value| value.as_str()).map(str::to_owned);
                let cells = row(&person.id, name, &one.to_string(), text("from"), text("to"), "record");
                rows.push(cells, json!({"person": person.id, "history": name, "value": one}))?;
            }
        }
        for event in &events {
            if person
                .ids
                .iter()
                .any(|id| people::person_key(id) == people::person_key(&event.person))
            {
                let at = Timestamp::from_microsecond(event.at_micros)?.to_string();
                let what = format!("{:?}: {} {} ({})", event.action, event.other, event.value, event.reason);
                rows.push(row(&person.id, "decided", &what, Some(at), None, &event.actor), event)?;
            }
        }
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

fn row(person: &str, what: &str, value: &str, from: Option<String>, until: Option<String>, by: &str) -> Vec<String> {
    vec![
        clean(person),
        what.replace('_', " "),
        clean(value),
        from.unwrap_or_default(),
        until.unwrap_or_default(),
        clean(by),
    ]
}

fn suggested(args: &Args, limit: &LimitArgs, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let directory = Directory::load(reader.facts(), &zone_of(&case)?)?;
    let found = suggest::suggest(&reader, &directory)?;
    let mut rows = Rows::new("suggestions", &["person", "might be", "why", "names"]);
    let total = found.pairs.len();
    for pair in found.pairs.iter().take(at_most(limit)) {
        let why: Vec<&str> = pair.reasons.iter().map(|reason| reason.words()).collect();
        let cells = vec![
            clean(&pair.person),
            clean(&pair.into),
            why.join(", "),
            clean(&format!("{} / {}", pair.names.0, pair.names.1)),
        ];
        rows.push(cells, pair)?;
    }
    rows.print(context::format(list), vec![("total", total.into())])?;
    note!(
        "{total} pairs among {} people on record and {} addresses that nobody on record has; {} names and logins are too common; nothing was merged",
        found.people,
        found.addresses,
        found.too_common
    );
    Ok(exit::DONE)
}
