//! `embley batch`: review batches.

use embley_casework::coding::{Extent, Forms, choose};
use embley_casework::timeline::ItemSource;
use embley_model::date::rfc3339;
use embley_search::{Level, Reach, Searcher};
use embley_store::facts::batches::{self, Batch, NewReview};
use embley_store::facts::codings;
use embley_store::{Access, Case};
use serde_json::{Value, json};

use super::casework;
use crate::args::{Args, BatchCommand, ListArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// The forms of a case: built in, and those of its folder `coding`.
pub(crate) fn forms(case: &Case) -> anyhow::Result<Forms> {
    Ok(Forms::open(&case.root().join("coding"))?)
}

/// Batches.
pub(crate) fn batch(args: &Args, command: &BatchCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        BatchCommand::Create {
            name,
            query,
            size,
            level,
            form,
            again,
        } => {
            if !form.is_empty() {
                forms(&case)?.get(form)?;
            }
            let searcher = Searcher::open(&case)?;
            let families = level == Level::Family.name();
            let plan = casework::planned(&case, &searcher, query)?;
            let plan = plan.at(if families { Level::Family } else { Level::Item });
            let reach = Reach {
                families,
                ..Reach::default()
            };
            let items = searcher.reach(&searcher.items(&plan)?, reach)?;
            let roots = if families {
                Some(searcher.reader().roots()?)
            } else {
                None
            };
            let new = NewReview {
                name,
                query,
                level,
                form,
                items: &items,
                roots: roots.as_ref(),
                size: *size,
                again: *again,
            };
            let (review, made) = batches::create(case.facts()?.connection(), &new, stamp)?;
            note!(
                "review {}: {} items in {} batches; {} are in batches of other reviews and were left out",
                clean(&review.name),
                made.iter().map(|one| one.items).sum::<u64>(),
                made.len(),
                review.left_out
            );
        }
        BatchCommand::Checkout { batch, review, list } => {
            let writer = case.facts()?;
            let taken = match batch {
                Some(number) => {
                    seen(&case, *number)?;
                    Some(batches::check_out_this(writer.connection(), *number, stamp)?)
                }
                None => batches::check_out(writer.connection(), review.as_deref(), stamp)?,
            };
            let Some(mut taken) = taken else {
                note!("there is no open batch for {}", clean(&actor));
                return Ok(exit::NO_HIT);
            };
            let reader = case.reader()?;
            // A batch is handed out whole; what is said of it is about what the actor sees.
            taken.items = batches::members(reader.facts(), taken.batch_id).map_or(0, |items| items.len());
            let others = batches::list(reader.facts())?;
            let more = others
                .iter()
                .filter(|one| one.state == batches::State::Out && one.holder == taken.holder)
                .count()
                .saturating_sub(1);
            print(std::slice::from_ref(&taken), list)?;
            note!(
                "batch {} is yours: {} items; `embley batch show {}` lists them",
                taken.batch_id,
                taken.items,
                taken.batch_id
            );
            if more > 0 {
                note!("you have {more} more");
            }
        }
        BatchCommand::Release { batch, note } => {
            seen(&case, *batch)?;
            let done = batches::release(case.facts()?.connection(), *batch, note, stamp)?;
            note!("batch {} is open again", done.batch_id);
        }
        BatchCommand::Done { batch, note } => {
            seen(&case, *batch)?;
            let done = batches::finish(case.facts()?.connection(), *batch, note, stamp)?;
            note!("batch {} is done", done.batch_id);
        }
        BatchCommand::Reopen { batch, note } => {
            seen(&case, *batch)?;
            let done = batches::reopen(case.facts()?.connection(), *batch, note, stamp)?;
            note!("batch {} is opened again for {}", done.batch_id, clean(&done.holder));
        }
        BatchCommand::Second {
            name,
            all: _,
            sample,
            seed,
            size,
            list,
        } => {
            let searcher = Searcher::open(&case)?;
            let extent = match (sample, seed) {
                (Some(size), Some(seed)) => Extent::Sample { size: *size, seed },
                (Some(_), None) | (None, _) => Extent::All,
            };
            let chosen = choose(&searcher, name, extent)?;
            let made = batches::second(case.facts()?.connection(), name, &chosen, *size, stamp)?;
            print(&made, list)?;
            note!(
                "{} items in {} batches for a second review, each for somebody other than who coded it first",
                made.iter().map(|one| one.items).sum::<u64>(),
                made.len()
            );
        }
        BatchCommand::List { review, list } => {
            let mut all = batches::list(case.reader()?.facts())?;
            all.retain(|one| {
                review
                    .as_ref()
                    .is_none_or(|name| one.review.eq_ignore_ascii_case(name.trim()))
            });
            print(&all, list)?;
        }
        BatchCommand::Show { batch, list } => show(&case, *batch, &actor, list)?,
    }
    Ok(exit::DONE)
}

/// Refuses a batch that the actor does not see as one that is not there.
fn seen(case: &Case, batch: i64) -> anyhow::Result<()> {
    batches::find(case.reader()?.facts(), batch)?;
    Ok(())
}

fn print(all: &[Batch], list: &ListArgs) -> anyhow::Result<()> {
    let mut rows = Rows::new(
        "batches",
        &["batch", "review", "round", "number", "items", "state", "who", "not for"],
    );
    for one in all {
        let cells = vec![
            one.batch_id.to_string(),
            clean(&one.review),
            one.round.to_string(),
            one.number.to_string(),
            one.items.to_string(),
            one.state.word().to_owned(),
            clean(&one.holder),
            clean(&one.not_for),
        ];
        rows.push(cells, one)?;
    }
    rows.print(context::format(list), Vec::new())
}

/// The items of a batch with the actor's own codings: a second reviewer does not see what the first one said.
fn show(case: &Case, batch: i64, actor: &str, list: &ListArgs) -> anyhow::Result<()> {
    let reader = case.reader()?;
    let held = batches::find(reader.facts(), batch)?;
    let items = batches::members(reader.facts(), batch)?;
    let which = codings::Which {
        form: Some(held.form.as_str()).filter(|form| !form.is_empty()),
        reviewer: Some(actor),
        item: None,
    };
    let own = codings::present(reader.facts(), which)?;
    let mut rows = Rows::new("items", &["item", "kind", "date", "title", "coded"]);
    for card in reader.cards(&items)? {
        let title = if card.subject.is_empty() {
            card.filename.clone().unwrap_or_default()
        } else {
            card.subject.clone()
        };
        let date = card.date.utc_secs.and_then(rfc3339);
        let coding = own.iter().find(|one| one.item_no == card.item);
        let answers: Value = match coding {
            Some(coding) => serde_json::from_str(&coding.answers)
                .map_err(|error| CliError::input(format!("coding {} cannot be read: {error}", coding.coding_id)))?,
            None => Value::Null,
        };
        let cells = vec![
            card.item.to_string(),
            card.kind.word().to_owned(),
            date.clone().unwrap_or_else(|| "undated".to_owned()),
            clean(&title),
            coding.map_or(String::new(), |one| one.answers.clone()),
        ];
        rows.push(
            cells,
            json!({"item": card.id, "item_no": card.item, "kind": card.kind.word(), "date": date, "title": title, "answers": answers}),
        )?;
    }
    rows.print(context::format(list), vec![("batch", serde_json::to_value(&held)?)])
}
