//! `embley privilege add-terms`, `screen`, `release` and their lists: for privilege reviewers.

use std::path::Path;

use embley_casework::quarantine::{release, screen, up_to_now};
use embley_casework::texts::StoredTexts;
use embley_casework::threads::LinkThreads;
use embley_ingest::Originals;
use embley_model::role::Task;
use embley_search::Searcher;
use embley_store::Access;
use embley_store::Case;
use embley_store::facts::quarantine;
use embley_store::facts::users::Actor;
use serde_json::json;

use super::casework::{some, targets};
use crate::args::{Args, ListArgs, PrivilegeCommand, TargetArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// What only a privilege reviewer may do.
pub(crate) fn run(args: &Args, command: &PrivilegeCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let name = context::actor(args);
    Actor::find(case.reader()?.facts(), &name)?.require(Task::Quarantine)?;
    let stamp = context::stamp(&name);
    match command {
        PrivilegeCommand::AddTerms { terms } => {
            let (queries, source) = read_terms(terms)?;
            check(&case, &queries)?;
            let now = up_to_now(&case)?;
            let added = quarantine::add_terms(case.facts()?.connection(), &queries, &source, now, stamp)?;
            note!(
                "{added} terms added, {} were in use; new material is held back until it is screened by them",
                queries.len() as u64 - added
            );
            note!("what is in the case already is screened by `embley privilege screen`");
        }
        PrivilegeCommand::EndTerm { query, reason } => {
            quarantine::end_term(case.facts()?.connection(), query, reason, stamp)?;
            note!("the term is ended; what it put into quarantine stays there until it is released");
        }
        PrivilegeCommand::Screen => return run_screen(&case, stamp),
        PrivilegeCommand::Release {
            target,
            by,
            reason,
            families,
        } => return run_release(&case, (target, *families), by, reason, stamp),
        PrivilegeCommand::Terms(list) => return terms(&case, list),
        PrivilegeCommand::History(list) => return history(&case, list),
        PrivilegeCommand::Mark { .. }
        | PrivilegeCommand::Unmark { .. }
        | PrivilegeCommand::Undo { .. }
        | PrivilegeCommand::List(_) => {}
    }
    Ok(exit::DONE)
}

/// Lines of a file, or one query.
fn read_terms(typed: &str) -> anyhow::Result<(Vec<String>, String)> {
    let path = Path::new(typed);
    if !path.is_file() {
        return Ok((vec![typed.trim().to_owned()], String::new()));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::input(format!("cannot read {}: {error}", path.display())))?;
    let lines = text.lines().map(str::trim);
    let queries: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if queries.is_empty() {
        return Err(CliError::usage(format!(
            "{} holds no term: one query a line",
            path.display()
        )));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((queries, name))
}

/// A term that cannot run is refused before it is kept.
fn check(case: &Case, queries: &[String]) -> anyhow::Result<()> {
    if case.reader()?.counts().items == 0 {
        // There is no index yet in which it could be planned.
        for query in queries {
            embley_search::parse(query).map_err(|error| exit::pointed(error.into(), query))?;
        }
        return Ok(());
    }
    let searcher = Searcher::open(case)?;
    let texts = StoredTexts::new(case);
    for query in queries {
        let planned = searcher.plan_with_texts(query, &texts);
        planned.map_err(|error| exit::pointed(error, query))?;
    }
    Ok(())
}

fn run_screen(case: &Case, stamp: embley_store::facts::Stamp<'_>) -> anyhow::Result<u8> {
    if case.reader()?.counts().items == 0 {
        note!("there is nothing to screen yet");
        return Ok(exit::DONE);
    }
    let Some(done) = screen(case, false, "", stamp)? else {
        return Err(CliError::usage(
            "there are no terms of privilege; `embley privilege add-terms FILE` adds them",
        ));
    };
    LinkThreads::default().renew(case)?;
    note!(
        "{} terms ran and hit {} items; {} went into quarantine with their families, which holds {} items now",
        done.terms,
        done.hits,
        done.added,
        done.held
    );
    if done.copies > 0 {
        note!(
            "{} items that no term hit have the same bytes as one that was hit",
            done.copies
        );
    }
    if done.released_before > 0 {
        note!(
            "{} of them were released before and stay released",
            done.released_before
        );
    }
    for (query, why) in &done.failed {
        note!("term {} could not run: {}", clean(query), clean(why));
    }
    if !done.failed.is_empty() {
        note!("new material stays held back until every term runs");
        return Ok(exit::EXCEPTIONS);
    }
    Ok(exit::DONE)
}

fn run_release(
    case: &Case,
    (target, families): (&TargetArgs, bool),
    by: &str,
    reason: &str,
    stamp: embley_store::facts::Stamp<'_>,
) -> anyhow::Result<u8> {
    let originals = Originals::open(case)?;
    let mut items = targets(case, originals.catalogue(), target)?;
    some(&items, target)?;
    if families {
        items = Searcher::open(case)?.with_families(&items)?;
    }
    let done = release(case, &items, by, reason, stamp)?;
    LinkThreads::default().renew(case)?;
    note!(
        "{} items released by {}; {} were not in quarantine; {} are in it now",
        done.released,
        clean(by),
        done.not_held,
        done.held
    );
    if done.copies_held > 0 {
        note!(
            "{} items with the same bytes as a released one are in quarantine still; --duplicates releases copies too",
            done.copies_held
        );
    }
    if done.still_hidden > 0 {
        note!(
            "{} of the released items stay out of sight: a member of their family, or something that lies in them, is in quarantine; --families releases whole families",
            done.still_hidden
        );
    }
    Ok(exit::DONE)
}

fn terms(case: &Case, list: &ListArgs) -> anyhow::Result<u8> {
    let mut rows = Rows::new("terms", &["term", "added by", "when", "from"]);
    for term in quarantine::terms(case.reader()?.facts())? {
        let at = context::time(term.at_micros);
        let cells = vec![clean(&term.query), clean(&term.actor), at.clone(), clean(&term.source)];
        rows.push(
            cells,
            json!({"query": term.query, "actor": term.actor, "at": at, "source": term.source}),
        )?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

fn history(case: &Case, list: &ListArgs) -> anyhow::Result<u8> {
    let mut rows = Rows::new(
        "events",
        &[
            "event",
            "when",
            "by",
            "what",
            "items",
            "before",
            "after",
            "released by",
            "reason",
        ],
    );
    for event in quarantine::events(case.reader()?.facts())? {
        let at = context::time(event.at_micros);
        let cells = vec![
            event.event_id.to_string(),
            at.clone(),
            clean(&event.actor),
            event.action.clone(),
            event.delta_count.to_string(),
            event.before_count.to_string(),
            event.after_count.to_string(),
            clean(&event.counsel),
            clean(&event.reason),
        ];
        let mut object = serde_json::to_value(&event)?;
        object["at"] = at.into();
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}
