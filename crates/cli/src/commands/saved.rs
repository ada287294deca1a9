//! `embley saved` and `embley history`: searches that are kept, and those that were run.

use embley_casework::texts::StoredTexts;
use embley_model::id::Ticket;
use embley_search::Searcher;
use embley_store::audit::AuditLog;
use embley_store::facts::Stamp;
use embley_store::facts::looks::{self, Looked};
use embley_store::facts::saved::{self, Asked, Ran, ResultRow, SavedSearch};
use embley_store::facts::users::{Actor, LogSight};
use embley_store::{Access, Case};
use serde_json::json;

use super::search;
use crate::args::{Args, AskedArgs, HistoryArgs, SavedCommand, SavedRunArgs, SearchArgs};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Saved searches.
pub(crate) fn saved(args: &Args, command: &SavedCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        SavedCommand::Add(asked) => {
            check(&case, &asked.query)?;
            let options = options(asked);
            let saved = saved::add(case.facts()?.connection(), &asked.name, row(asked, &options), stamp)?;
            note!("saved as \"{}\"; `embley saved run` runs it", clean(&saved.name));
        }
        SavedCommand::Change(asked) => {
            check(&case, &asked.query)?;
            let options = options(asked);
            let saved = saved::change(case.facts()?.connection(), &asked.name, row(asked, &options), stamp)?;
            note!(
                "\"{}\" asks this from now on; version {}",
                clean(&saved.name),
                saved.version
            );
        }
        SavedCommand::Remove { name } => {
            let ended = saved::end(case.facts()?.connection(), name, stamp)?;
            note!(
                "\"{}\" is ended; what it asked and found stays on record",
                clean(&ended.name)
            );
        }
        SavedCommand::List(list) => return list_all(&case, list),
        SavedCommand::Show { name, list } => return show(&case, name, list),
        SavedCommand::Run(asked) => return run(&case, asked, stamp),
    }
    Ok(exit::DONE)
}

/// A query that cannot run is refused before it is saved.
fn check(case: &Case, query: &str) -> anyhow::Result<()> {
    let searcher = Searcher::open(case)?;
    let texts = StoredTexts::new(case);
    let planned = searcher.plan_with_texts(query, &texts);
    planned.map(|_| ()).map_err(|error| exit::pointed(error, query))
}

fn options(asked: &AskedArgs) -> String {
    json!({"scope": asked.scope, "level": asked.level}).to_string()
}

fn row<'a>(asked: &'a AskedArgs, options: &'a str) -> Asked<'a> {
    Asked {
        query: &asked.query,
        options,
        note: &asked.note,
    }
}

fn list_all(case: &Case, list: &crate::args::ListArgs) -> anyhow::Result<u8> {
    let reader = case.reader()?;
    let mut rows = Rows::new(
        "saved",
        &["name", "query", "hits", "new", "gone", "last checked", "note"],
    );
    for one in saved::list(reader.facts())? {
        let newest = saved::newest(reader.facts(), &one)?;
        let number = |count: fn(&ResultRow) -> u64| newest.as_ref().map_or(String::new(), |row| count(row).to_string());
        let when = newest.as_ref().map_or(String::from("never"), |row| time(row.at_micros));
        // What a person has run is known to that person.
        let by_person = newest.as_ref().is_some_and(|row| row.ingest_run.is_none());
        let new = if by_person {
            String::from("0")
        } else {
            number(|row| row.new)
        };
        let gone = if by_person {
            String::from("0")
        } else {
            number(|row| row.gone)
        };
        let cells = vec![
            clean(&one.name),
            clean(&one.query),
            number(|row| row.hits),
            new,
            gone,
            when,
            clean(&one.note),
        ];
        let mut object = saved_object(&one)?;
        object["last"] = newest.as_ref().map(result_object).into();
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

fn show(case: &Case, name: &str, list: &crate::args::ListArgs) -> anyhow::Result<u8> {
    let reader = case.reader()?;
    let one = saved::find(reader.facts(), name)?;
    let one = match one {
        Some(one) => one,
        None => saved::in_use(reader.facts(), name)?,
    };
    let mut rows = Rows::new("history", &["when", "who", "what", "hits", "new", "gone", "query"]);
    let mut all = Vec::new();
    for version in saved::versions(reader.facts(), &one)? {
        let what = match (version.in_use, version.version) {
            (false, _) => "ended",
            (true, 1) => "saved",
            (true, _) => "changed",
        };
        let object = json!({"what": what, "saved": saved_object(&version)?});
        let cells = [what, "", "", "", version.query.as_str()].map(clean);
        all.push((version.at_micros, version.actor, cells, object));
    }
    for result in saved::results(reader.facts(), &one)? {
        let what = match result.ingest_run {
            Some(run) => format!("ran after {}", embley_ingest::run_id(run)),
            None => "was run".to_owned(),
        };
        let object = json!({"what": what, "result": result_object(&result)});
        let numbers = [result.hits, result.new, result.gone].map(|number| number.to_string());
        let cells = [what.as_str(), &numbers[0], &numbers[1], &numbers[2], ""].map(clean);
        all.push((result.at_micros, result.actor, cells, object));
    }
    all.sort_by_key(|(at, ..)| *at);
    for (at, actor, cells, object) in all {
        let mut row = vec![time(at), clean(&actor)];
        row.extend(cells);
        rows.push(row, object)?;
    }
    rows.print(
        context::format(list),
        vec![("name", one.name.into()), ("in_use", one.in_use.into())],
    )?;
    Ok(exit::DONE)
}

fn run(case: &Case, asked: &SavedRunArgs, stamp: Stamp<'_>) -> anyhow::Result<u8> {
    let searcher = Searcher::open(case)?;
    let facts = case.facts()?;
    let one = saved::in_use(facts.connection(), &asked.name)?;
    let texts = StoredTexts::new(case);
    let plan = searcher.plan_with_texts(&one.query, &texts);
    let options: serde_json::Value = serde_json::from_str(&one.options)?;
    let option = |name: &str, usual: &str| options[name].as_str().unwrap_or(usual).to_owned();
    let level = option("level", "item");
    let mut plan = plan
        .map_err(|error| exit::pointed(error, &one.query))?
        .at(search::level(&level)?);
    let hits = searcher.items(&plan)?;
    let delta = saved::compare(facts.connection(), &one, &hits, searcher.reader().hidden().items())?;
    if asked.new {
        plan = plan.within(delta.new.clone());
    }
    let search = SearchArgs {
        count: asked.count,
        no_snippets: asked.no_snippets,
        sort: asked.sort.clone(),
        scope: option("scope", "global"),
        level,
        ..SearchArgs::of(&one.query, asked.limit.clone(), asked.list.clone())
    };
    let code = search::answer(case, &searcher, &plan, &search, Some(&one.name))?;
    match &delta.before {
        Some(before) => note!(
            "since {} by {}: {} new, {} gone",
            time(before.at_micros),
            clean(&before.actor),
            delta.new.len(),
            delta.gone.len()
        ),
        None => note!("it was not run before"),
    }
    if !asked.keep && !asked.count {
        let ran = Ran {
            stamp,
            ingest_run: None,
            ticket: searcher.snapshot().ticket().unwrap_or(Ticket(0)),
        };
        saved::record(facts.connection(), &one, &hits, searcher.reader().hidden().items(), ran)?;
    }
    Ok(code)
}

/// The searches that were run, newest first: from the audit log, and behind them those of versions without one.
pub(crate) fn history(args: &Args, asked: &HistoryArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let mut rows = Rows::new(
        "history",
        &["when", "who", "command", "hits", "not searchable", "query", "saved as"],
    );
    let mut all = Vec::new();
    // As of the older list: what a privilege reviewer looked for is not in the history of others. `audit list` says that they did something.
    let sight = LogSight::of(reader.facts(), &Actor::find(reader.facts(), &context::actor(args))?)?;
    AuditLog::of(&case).for_each(|line| {
        let look = line.entry().ok().as_ref().and_then(looks::of_outcome);
        all.extend(look.filter(|look| !sight.withholds(&look.actor, &look.command)));
        Ok(())
    })?;
    all.reverse();
    all.extend(looks::newest(reader.facts(), None)?);
    let total = all.len();
    let limit = context::limit(&asked.limit).map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    for look in all.into_iter().take(limit) {
        let cells = vec![
            time(look.at_micros),
            clean(&look.actor),
            look.command.clone(),
            look.hits.to_string(),
            look.not_searchable.to_string(),
            clean(&look.query),
            look.saved.clone().unwrap_or_default(),
        ];
        let mut object = serde_json::to_value(&look)?;
        object["at"] = time(look.at_micros).into();
        object["options"] = serde_json::from_str(&look.options)?;
        rows.push(cells, object)?;
    }
    rows.print(context::format(&asked.list), vec![("total", total.into())])?;
    Ok(exit::DONE)
}

/// Puts a search down for its entry in the audit log, from which the history is read.
pub(crate) fn put_down(looked: Looked<'_>) {
    crate::audit::put("search", looked.to_value());
}

fn saved_object(saved: &SavedSearch) -> anyhow::Result<serde_json::Value> {
    let mut object = serde_json::to_value(saved)?;
    object["at"] = time(saved.at_micros).into();
    object["options"] = serde_json::from_str(&saved.options)?;
    Ok(object)
}

fn result_object(row: &ResultRow) -> serde_json::Value {
    json!({
        "at": time(row.at_micros), "actor": row.actor, "version": row.version, "hits": row.hits, "new": row.new, "gone": row.gone,
        "ticket": row.ticket, "after_run": row.ingest_run.map(embley_ingest::run_id),
    })
}

/// RFC 3339 UTC, to the second.
fn time(at_micros: i64) -> String {
    jiff::Timestamp::from_microsecond(at_micros).map_or_else(
        |_| String::from("an unknown time"),
        |stamp| stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}
