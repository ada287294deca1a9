//! `embley coding`: forms, answers, and where reviewers differ.

use embley_casework::coding::{Answer, FormKind, compare};
use embley_search::interval::RateInterval;
use embley_store::facts::batches::{self, State};
use embley_store::facts::codings::{self, Answered, Coding};
use embley_store::{Access, Case};
use serde_json::{Value, json};

use super::batches::forms;
use super::casework::{some, targets};
use super::show::resolve;
use crate::args::{Args, CodingCommand, LimitArgs, ListArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// Coding.
pub(crate) fn coding(args: &Args, command: &CodingCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        CodingCommand::Forms { form, list } => print_forms(&case, form.as_deref(), list)?,
        CodingCommand::Set {
            target,
            form,
            answers,
            batch,
        } => {
            let reader = case.reader()?;
            let items = targets(&case, &reader, target)?;
            some(&items, target)?;
            let forms = forms(&case)?;
            let form = forms.get(form)?;
            let mut given = Vec::new();
            for text in answers {
                let (field, value) = text
                    .split_once('=')
                    .ok_or_else(|| CliError::usage(format!("{text:?} is no answer: FIELD=VALUE")))?;
                given.push(Answer {
                    field: field.trim(),
                    value,
                });
            }
            let answers = form.answers(&given)?;
            if let Some(number) = batch {
                in_batch(&reader, *number, &actor, &items)?;
            }
            let answered = Answered {
                form: &form.name,
                form_text: &form.text,
                items: &items,
                batch_id: *batch,
                answers: &answers,
            };
            let (new, same) = codings::answer(case.facts()?.connection(), &answered, stamp)?;
            note!("{}: {new} items coded, {same} were so already", form.name);
        }
        CodingCommand::List {
            item,
            form,
            by,
            history,
            list,
        } => {
            let reader = case.reader()?;
            let which = codings::Which {
                form: form.as_deref(),
                reviewer: by.as_deref(),
                item: item.as_deref().map(|text| resolve(&reader, text)).transpose()?,
            };
            let all = if *history {
                codings::history(reader.facts(), which)?
            } else {
                codings::present(reader.facts(), which)?
            };
            print_codings(&all, list)?;
        }
        CodingCommand::Compare {
            form,
            review,
            confidence,
            limit,
            list,
        } => compared(&case, form, review.as_deref(), *confidence, limit, list)?,
    }
    Ok(exit::DONE)
}

/// The batch is the actor's, and holds all of the items.
fn in_batch(
    reader: &embley_store::catalogue::CatalogueReader,
    number: i64,
    actor: &str,
    items: &roaring::RoaringBitmap,
) -> anyhow::Result<()> {
    let held = batches::find(reader.facts(), number)?;
    if held.state != State::Out || !held.holder.eq_ignore_ascii_case(actor) {
        return Err(CliError::usage(format!(
            "batch {number} is {} and not with {actor}; `embley batch checkout {number}` takes it",
            held.state.word()
        )));
    }
    let others = items - batches::members(reader.facts(), number)?;
    match others.min() {
        None => Ok(()),
        Some(first) => Err(CliError::usage(format!(
            "{} of these items are not in batch {number}, the first of them item {first}",
            others.len()
        ))),
    }
}

fn print_forms(case: &Case, only: Option<&str>, list: &ListArgs) -> anyhow::Result<()> {
    let forms = forms(case)?;
    if let Some(name) = only {
        forms.get(name)?;
    }
    let mut rows = Rows::new("forms", &["form", "field", "question", "kind", "choices", "required"]);
    for form in forms
        .all()
        .filter(|form| only.is_none_or(|name| form.name == name.trim()))
    {
        for field in &form.fields {
            let kind = match field.kind {
                FormKind::Choice => "choice",
                FormKind::Choices => "choices",
                FormKind::YesNo => "yes-no",
                FormKind::Text => "text",
                FormKind::Date => "date",
            };
            let cells = vec![
                form.name.clone(),
                field.name.clone(),
                clean(&field.label),
                kind.to_owned(),
                clean(&field.choices.join("; ")),
                if field.required { "yes" } else { "no" }.to_owned(),
            ];
            let mut object = serde_json::to_value(field)?;
            object["form"] = form.name.clone().into();
            object["title"] = form.title.clone().into();
            object["source"] = form.source.clone().into();
            rows.push(cells, object)?;
        }
    }
    rows.print(context::format(list), Vec::new())
}

fn print_codings(all: &[Coding], list: &ListArgs) -> anyhow::Result<()> {
    let mut rows = Rows::new("codings", &["item", "form", "who", "when", "batch", "answers"]);
    for one in all {
        let at = jiff::Timestamp::from_microsecond(one.at_micros)?.to_string();
        let answers: Value = serde_json::from_str(&one.answers)
            .map_err(|error| CliError::input(format!("coding {} cannot be read: {error}", one.coding_id)))?;
        let cells = vec![
            one.item_no.to_string(),
            one.form.clone(),
            clean(&one.reviewer),
            at.clone(),
            one.batch_id.map_or(String::new(), |batch| batch.to_string()),
            clean(&one.answers),
        ];
        rows.push(
            cells,
            json!({"item_no": one.item_no, "form": one.form, "reviewer": one.reviewer, "at": at, "batch": one.batch_id, "answers": answers}),
        )?;
    }
    rows.print(context::format(list), Vec::new())
}

fn compared(
    case: &Case,
    form: &str,
    review: Option<&str>,
    confidence: f64,
    limit: &LimitArgs,
    list: &ListArgs,
) -> anyhow::Result<()> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(CliError::usage("--confidence is between 0 and 1, such as 0.95"));
    }
    let reader = case.reader()?;
    let forms = forms(case)?;
    let form = forms.get(form)?;
    let which = codings::Which {
        form: Some(&form.name),
        ..codings::Which::default()
    };
    let mut all = codings::present(reader.facts(), which)?;
    if let Some(name) = review {
        let own: Vec<i64> = batches::list(reader.facts())?
            .into_iter()
            .filter(|batch| batch.review.eq_ignore_ascii_case(name.trim()))
            .map(|batch| batch.batch_id)
            .collect();
        all.retain(|coding| coding.batch_id.is_some_and(|batch| own.contains(&batch)));
    }
    let found = compare(form, &all, confidence)?;
    let mut rows = Rows::new("differences", &["item", "field", "who said what"]);
    let shown = context::limit(limit).map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    for one in found.differences.iter().take(shown) {
        let said: Vec<String> = one
            .answers
            .iter()
            .map(|(who, value)| format!("{who}: {value}"))
            .collect();
        rows.push(
            vec![one.item_no.to_string(), one.field.clone(), clean(&said.join("; "))],
            one,
        )?;
    }
    let extra = vec![
        ("form", json!(found.form)),
        ("confidence", json!(found.confidence)),
        ("coded", json!(found.coded)),
        ("coded_twice", json!(found.coded_twice)),
        ("differ", json!(found.differ)),
        ("fields", serde_json::to_value(&found.fields)?),
        ("pairs", serde_json::to_value(&found.pairs)?),
    ];
    rows.print(context::format(list), extra)?;
    note!(
        "{} items coded, {} of them by two people or more; {} differ",
        found.coded,
        found.coded_twice,
        found.differ
    );
    let words = |rate: Option<RateInterval>| {
        rate.map_or_else(
            || "no pair".to_owned(),
            |one| {
                format!(
                    "{:.1} % ({:.1} to {:.1} %)",
                    one.rate * 100.0,
                    one.low * 100.0,
                    one.high * 100.0
                )
            },
        )
    };
    for field in &found.fields {
        note!(
            "{}: {} of {} pairs differ, {}",
            field.field,
            field.differ,
            field.pairs,
            words(field.rate)
        );
    }
    for pair in &found.pairs {
        note!(
            "{} and {}: {} of {} items differ, {}",
            clean(&pair.one),
            clean(&pair.other),
            pair.differ,
            pair.items,
            words(pair.rate)
        );
    }
    Ok(())
}
