//! `embley exhibit`, `tag`: facts beside the evidence. They work while an ingest runs.

use embley_search::Searcher;
use embley_store::catalogue::CatalogueReader;
use embley_store::facts::{self, ExhibitRef, exhibits, tags};
use embley_store::{Access, Case};
use roaring::RoaringBitmap;
use serde_json::json;

use super::show::resolve;
use crate::args::{Args, ExhibitCommand, TagCommand, TargetArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// The items that a command is about.
pub(crate) fn targets(case: &Case, reader: &CatalogueReader, target: &TargetArgs) -> anyhow::Result<RoaringBitmap> {
    let mut items = RoaringBitmap::new();
    for text in &target.items {
        items.insert(resolve(reader, text)?.0);
    }
    if let Some(path) = &target.ids {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::input(format!("cannot read {}: {error}", path.display())))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            items.insert(resolve(reader, line)?.0);
        }
    }
    if let Some(query) = &target.query {
        let searcher = Searcher::open(case)?;
        let plan = searcher.plan(query).map_err(|error| exit::pointed(error, query))?;
        items |= searcher.items(&plan)?;
    }
    Ok(items)
}

/// What made a bulk change, for its event.
pub(crate) fn reason(target: &TargetArgs) -> String {
    match (&target.query, &target.ids) {
        (Some(query), _) => format!("query: {query}"),
        (None, Some(path)) => format!("ids from {}", path.display()),
        (None, None) => String::new(),
    }
}

pub(crate) fn some(items: &RoaringBitmap, target: &TargetArgs) -> anyhow::Result<()> {
    if items.is_empty() && target.query.is_none() {
        return Err(CliError::usage("no item given: name items, or use --query or --ids"));
    }
    Ok(())
}

fn reference_of(text: &str) -> anyhow::Result<ExhibitRef> {
    Ok(text.parse::<ExhibitRef>()?)
}

/// Exhibits.
pub(crate) fn exhibit(args: &Args, command: &ExhibitCommand) -> anyhow::Result<u8> {
    let case = Case::open(&context::case_dir(args)?, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        ExhibitCommand::Add {
            reference,
            target,
            produced_by,
            description,
        } => {
            let reference = reference_of(reference)?;
            let items = targets(&case, &reader, target)?;
            let said = exhibits::Said {
                produced_by: produced_by.as_deref(),
                produced_on: None,
                description: description.as_deref(),
            };
            let writer = case.facts()?;
            let registered = exhibits::register(writer.connection(), &reference, &said, stamp)?;
            let change = exhibits::add_items(writer.connection(), &registered.exhibit, &items, &reason(target), stamp)?;
            for clash in &registered.clashes {
                note!(
                    "warning: {} also produces under these initials ({})",
                    clean(&clash.produced_by),
                    clash.reference
                );
            }
            note!(
                "{reference}: {} items added, {} were there, {} in it now",
                change.changed,
                change.as_before,
                change.members
            );
        }
        ExhibitCommand::List(list) => {
            let mut rows = Rows::new(
                "exhibits",
                &["exhibit", "produced by", "description", "items", "linked to"],
            );
            for exhibit in exhibits::list(reader.facts())? {
                let links = facts::links::of_exhibit(reader.facts(), &exhibit)?;
                let linked: Vec<String> = links.iter().map(|link| link.target.text().to_owned()).collect();
                let cells = vec![
                    exhibit.reference.to_string(),
                    clean(&exhibit.produced_by),
                    clean(&exhibit.description),
                    exhibit.count.to_string(),
                    clean(&linked.join(", ")),
                ];
                let mut object = serde_json::to_value(&exhibit)?;
                object["links"] = serde_json::to_value(&links)?;
                rows.push(cells, object)?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
        ExhibitCommand::Link { reference, case_ref } => {
            let reference = reference_of(reference)?;
            let writer = case.facts()?;
            let exhibit = exhibits::find(writer.connection(), &reference, None)?;
            let target = facts::links::Target::read(case_ref);
            let new = facts::links::add(writer.connection(), &exhibit, &target, "", stamp)?;
            note!(
                "{reference} {} {case_ref}",
                if new { "is now linked to" } else { "was linked to" }
            );
        }
    }
    Ok(exit::DONE)
}

/// Tags.
pub(crate) fn tag(args: &Args, command: &TagCommand) -> anyhow::Result<u8> {
    let case = Case::open(&context::case_dir(args)?, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        TagCommand::Add { tag, target } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let change = tags::add(case.facts()?.connection(), tag, &items, &reason(target), stamp)?;
            note!(
                "{tag}: {} items tagged, {} were, {} carry it now",
                change.changed,
                change.as_before,
                change.members
            );
        }
        TagCommand::Remove { tag, target } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let change = tags::remove(case.facts()?.connection(), tag, &items, &reason(target), stamp)?;
            note!(
                "{tag}: taken off {} items, {} carry it now",
                change.changed,
                change.members
            );
        }
        TagCommand::List(list) => {
            let mut rows = Rows::new("tags", &["tag", "items"]);
            for set in tags::list(reader.facts())? {
                rows.push(
                    vec![clean(&set.name), set.count.to_string()],
                    json!({"tag": set.name, "items": set.count}),
                )?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
    }
    Ok(exit::DONE)
}
