//! `embley disclosure` and `embley schedule`.

use std::path::Path;

use embley_casework::disclosure::render::{As, Maker, write};
use embley_casework::disclosure::{self, Schedule, draft};
use embley_model::clock::{Clock, SystemClock};
use embley_model::date::rfc3339;
use embley_search::{Asked, Searcher};
use embley_store::Access;
use embley_store::facts::disclosure::{self as states, Axis, State, Why};
use embley_store::facts::schedules::{self, Form};
use embley_store::outgoing::Sealed;
use serde_json::{Value, json};

use super::casework::{reason, some, targets};
use super::certificate::key_of;
use super::show::resolve;
use crate::args::{Args, DisclosureCommand, DisclosureState, ListArgs, ScheduleArgs, ScheduleCommand, ScheduleForm};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Decisions about items.
pub(crate) fn disclosure(args: &Args, command: &DisclosureCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        DisclosureCommand::Set {
            state,
            target,
            reason: why,
        } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let state = state_of(*state);
            let how = reason(target);
            let why = Why { reason: why, how: &how };
            let done = states::set(
                case.facts()?.connection(),
                state.axis(),
                Some(state),
                &items,
                why,
                stamp,
            )?;
            note!(
                "{}: {} items set, {} of them had another state, {} were so",
                state.word(),
                done.changed,
                done.moved,
                done.as_before
            );
        }
        DisclosureCommand::Clear {
            target,
            test,
            reason: why,
        } => {
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let axis = if *test { Axis::Test } else { Axis::Status };
            let how = reason(target);
            let why = Why { reason: why, how: &how };
            let done = states::set(case.facts()?.connection(), axis, None, &items, why, stamp)?;
            note!(
                "{} items have no such decision any more, {} had none",
                done.changed,
                done.as_before
            );
        }
        DisclosureCommand::List(list) => {
            let mut rows = Rows::new("states", &["state", "items"]);
            for (state, count) in states::counts(reader.facts())? {
                rows.push(
                    vec![state.word().to_owned(), count.to_string()],
                    json!({"state": state.word(), "items": count}),
                )?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
        DisclosureCommand::History { item, list } => {
            let about = item.as_deref().map(|text| resolve(&reader, text)).transpose()?;
            let mut rows = Rows::new("decisions", &["when", "who", "before", "after", "items", "why", "how"]);
            for event in states::events(reader.facts(), about)? {
                let when = time(event.at_micros);
                let none = |state: &str| {
                    if state.is_empty() {
                        "-".to_owned()
                    } else {
                        state.to_owned()
                    }
                };
                let cells = vec![
                    when.clone(),
                    event.actor.clone(),
                    none(&event.before),
                    none(&event.after),
                    event.count.to_string(),
                    event.reason.clone(),
                    event.how.clone(),
                ];
                let mut object = serde_json::to_value(&event)?;
                object["at"] = when.into();
                rows.push(cells, object)?;
            }
            rows.print(context::format(list), Vec::new())?;
        }
        DisclosureCommand::Describe { item, words } => {
            let item = resolve(&reader, item)?;
            states::describe(case.facts()?.connection(), item, words, stamp)?;
            note!("item {item} is described so on schedules that are made from now on");
        }
    }
    Ok(exit::DONE)
}

fn state_of(state: DisclosureState) -> State {
    match state {
        DisclosureState::NotRelevant => State::NotRelevant,
        DisclosureState::Relevant => State::Relevant,
        DisclosureState::Used => State::Used,
        DisclosureState::Unused => State::Unused,
        DisclosureState::Sensitive => State::Sensitive,
        DisclosureState::MeetsTest => State::MeetsTest,
        DisclosureState::FailsTest => State::FailsTest,
    }
}

fn time(at_micros: i64) -> String {
    rfc3339(at_micros.div_euclid(1_000_000)).unwrap_or_default()
}

/// Schedules.
pub(crate) fn schedule(args: &Args, command: &ScheduleCommand) -> anyhow::Result<u8> {
    match command {
        ScheduleCommand::Mg6c(asked) => one(args, asked, Form::Mg6c),
        ScheduleCommand::Mg6d(asked) => one(args, asked, Form::Mg6d),
        ScheduleCommand::Mg6e(asked) => one(args, asked, Form::Mg6e),
        ScheduleCommand::Mg12(asked) => one(args, asked, Form::Mg12),
        ScheduleCommand::List(list) => issued(args, list),
    }
}

fn issued(args: &Args, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let mut rows = Rows::new(
        "schedules",
        &["form", "no.", "when", "who", "first entry", "entries", "sha256"],
    );
    for one in schedules::list(case.reader()?.facts())? {
        let when = time(one.at_micros);
        let cells = vec![
            one.form.word().to_owned(),
            one.serial.to_string(),
            when.clone(),
            one.actor.clone(),
            one.first_no.to_string(),
            one.entries.to_string(),
            one.sha256.clone(),
        ];
        let mut object = serde_json::to_value(&one)?;
        object["at"] = when.into();
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}

fn one(args: &Args, asked: &ScheduleArgs, form: Form) -> anyhow::Result<u8> {
    let root = context::case_dir(args)?;
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let at_micros = SystemClock::new().now_micros();
    let who = Asked { who: &actor, at_micros };
    // A key that cannot be used is said before anything is issued.
    let key = asked
        .out
        .as_ref()
        .map(|_| key_of(asked.key.as_deref(), &root))
        .transpose()?;
    let searcher = Searcher::open(&case)?;
    let (schedule, warnings) = match asked.show {
        Some(serial) => (disclosure::issued(searcher.reader().facts(), form, serial)?, Vec::new()),
        None => {
            let sources = draft::Sources {
                case: &case,
                searcher: &searcher,
                asked: who,
                officer: &asked.officer,
            };
            let draft = draft::draft(&sources, form)?;
            if asked.issue {
                let stamp = embley_store::facts::Stamp {
                    actor: &actor,
                    at_micros,
                };
                let (schedule, issued) = disclosure::issue(case.facts()?.connection(), &draft, stamp)?;
                let facts = json!({"form": schedule.form, "serial": schedule.serial, "entries": schedule.rows.len(), "sha256": issued.sha256});
                crate::audit::put("issued", facts);
                (schedule, draft.warnings)
            } else {
                (draft.schedule, draft.warnings)
            }
        }
    };
    // Before anything is printed: a reader that goes away must not keep the folder from being written.
    let made = match (&asked.out, &key) {
        (Some(folder), Some(key)) => {
            let maker = Maker {
                case: &case,
                searcher: &searcher,
                asked: who,
                key,
            };
            Some((folder, written(&schedule, asked, folder, &maker)?))
        }
        _ => None,
    };
    print(&schedule, &asked.list)?;
    for words in &warnings {
        note!("warning: {}", clean(words));
    }
    if let Some((folder, (sealed, found))) = made {
        if found {
            note!("an earlier try was stopped before its end: what it left was removed, and this one is whole");
        }
        note!("{}: sha256:{}", folder.display(), sealed.digest);
    }
    Ok(exit::DONE)
}

/// Writes the folder, and puts its digest down for the audit log. True beside it: an unfinished one was found and removed.
fn written(
    schedule: &Schedule,
    asked: &ScheduleArgs,
    folder: &Path,
    maker: &Maker<'_>,
) -> anyhow::Result<(Sealed, bool)> {
    let forms: Vec<As> = if asked.forms.is_empty() {
        As::ALL.to_vec()
    } else {
        asked.forms.iter().copied().map(as_of).collect()
    };
    let done = write(schedule, &forms, folder, maker);
    match &done {
        Ok((sealed, _)) => crate::audit::put("manifest_sha256", sealed.digest.clone().into()),
        Err(_) if asked.issue => note!(
            "{} {} is issued and on record, but not written to {}; `embley schedule {} --show {} --out DIR` writes it",
            schedule.form,
            schedule.serial,
            folder.display(),
            schedule.form,
            schedule.serial
        ),
        Err(_) => {}
    }
    Ok(done?)
}

fn as_of(form: ScheduleForm) -> As {
    match form {
        ScheduleForm::Csv => As::Csv,
        ScheduleForm::Html => As::Html,
        ScheduleForm::Pdf => As::Pdf,
        ScheduleForm::Json => As::Json,
    }
}

fn print(schedule: &Schedule, list: &ListArgs) -> anyhow::Result<()> {
    let columns: Vec<&'static str> = known(&schedule.columns);
    let mut rows = Rows::new("entries", &columns);
    for cells in &schedule.rows {
        let object: serde_json::Map<String, Value> = schedule
            .columns
            .iter()
            .zip(cells)
            .map(|(name, cell)| (name.trim_end_matches('.').replace(' ', "_"), json!(cell)))
            .collect();
        rows.push(cells.iter().map(|cell| clean(cell)).collect(), object)?;
    }
    if let Some(banner) = &schedule.banner {
        note!("{}", clean(banner));
    }
    for (word, value) in schedule.lines() {
        note!("{word}: {}", clean(&value));
    }
    for statement in &schedule.statements {
        note!("{}", clean(statement));
    }
    let mut whole = serde_json::to_value(schedule)?;
    if let Some(members) = whole.as_object_mut() {
        members.remove("rows");
    }
    rows.print(context::format(list), vec![("schedule", whole)])
}

/// Names of columns as they are in this program.
fn known(names: &[String]) -> Vec<&'static str> {
    const ALL: [&str; 12] = [
        "no.",
        "description",
        "date",
        "where held",
        "reason for sensitivity",
        "schedule",
        "why",
        "exhibit",
        "produced by",
        "produced on",
        "items",
        "",
    ];
    let find = |name: &String| ALL.into_iter().find(|known| known == name).unwrap_or("");
    names.iter().map(find).collect()
}
