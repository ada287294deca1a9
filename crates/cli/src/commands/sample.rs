//! `embley sample`: a random sample that anyone can draw again, and what it says of the whole.

use std::collections::HashMap;

use embley_casework::texts::StoredTexts;
use embley_model::clock::{Clock, SystemClock};
use embley_model::id::{ItemNo, Ticket};
use embley_search::interval;
use embley_search::sample::{self, DrawFrom, Sample, SampleOptions, Unit};
use embley_search::{Asked, Hit, Plan, Scope, SearchOptions, Searcher, Sort, Standing};
use embley_store::Access;
use embley_store::facts::looks::Looked;
use roaring::RoaringBitmap;
use serde::Serialize;
use serde_json::{Value, json};

use super::search::{level, scope};
use crate::args::{Args, SampleArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// Hits read at a time.
const PAGE: usize = 256;

/// Draws a sample, lists it, and says what was found in it if that is known.
pub(crate) fn run(args: &Args, asked: &SampleArgs) -> anyhow::Result<u8> {
    let size = size_of(asked)?;
    let case = context::open(args, Access::Facts)?;
    let searcher = Searcher::open(&case)?;
    let texts = StoredTexts::new(&case);
    let level = level(&asked.level)?;
    let plan_of = |query: &str| match searcher.plan_with_texts(query, &texts) {
        Ok(plan) => Ok(plan.at(level)),
        Err(error) => Err(exit::pointed(error, query)),
    };
    let plan = plan_of(&asked.query)?;
    let within = asked.within.as_deref().map(plan_of).transpose()?;
    let from = if asked.elusion {
        DrawFrom::LeftOut {
            of: &plan,
            within: within.as_ref(),
        }
    } else {
        DrawFrom::Hits(&plan)
    };
    let scope = scope(&asked.scope)?;
    let options = SampleOptions {
        from,
        scope,
        searchable_only: asked.searchable_only,
        seed: &asked.seed,
        size,
    };
    let sample = sample::draw(&searcher, options)?;
    let estimate = estimate(asked, &sample)?;
    let actor = context::actor(args);
    let standing = Standing::of(
        &searcher,
        case.config(),
        Asked {
            who: &actor,
            at_micros: SystemClock::new().now_micros(),
        },
    )?;
    let rows = rows(&searcher, scope, &sample.units)?;
    let head = head(asked, &plan, &sample, estimate.as_ref(), &standing)?;
    rows.print(context::format(&asked.list), head)?;
    tell(asked, &plan, &sample, estimate.as_ref());
    let options = json!({
        "scope": asked.scope, "level": asked.level, "seed": asked.seed, "size": size, "left_out": asked.elusion, "within": asked.within,
        "searchable_only": asked.searchable_only
    });
    let looked = Looked {
        command: "sample",
        saved: None,
        query: &asked.query,
        options: &options.to_string(),
        ticket: searcher.snapshot().ticket().unwrap_or(Ticket(0)),
        hits: sample.population,
        not_searchable: sample.not_searchable.iter().map(|one| one.items).sum(),
    };
    super::saved::put_down(looked);
    super::standing::tell(&standing);
    Ok(exit::DONE)
}

fn size_of(asked: &SampleArgs) -> anyhow::Result<u64> {
    if !(asked.confidence > 0.0 && asked.confidence < 1.0) {
        return Err(CliError::usage(format!(
            "--confidence {} is not between 0 and 1; 0.95 is usual",
            asked.confidence
        )));
    }
    match (asked.size, asked.margin) {
        (Some(size), _) => Ok(size),
        (None, Some(margin)) => interval::size_for(margin, asked.confidence).ok_or_else(|| {
            CliError::usage(format!(
                "no sample gives a margin of {margin}: it must be between 0 and 1, and not below what ten million items give"
            ))
        }),
        (None, None) => Err(CliError::usage("give --size N or --margin SHARE")),
    }
}

/// What was found in a sample says of the whole.
#[derive(Serialize)]
struct Estimate {
    found: u64,
    reviewed: u64,
    confidence: f64,
    rate: f64,
    low: f64,
    high: f64,
    /// The same as numbers of units of the population, rounded outwards.
    number_low: u64,
    number_high: u64,
}

fn estimate(asked: &SampleArgs, sample: &Sample) -> anyhow::Result<Option<Estimate>> {
    let Some(found) = asked.found else { return Ok(None) };
    let drawn = sample.units.len() as u64;
    let reviewed = asked.reviewed.unwrap_or(drawn);
    if found > reviewed || reviewed > drawn {
        return Err(CliError::usage(format!(
            "--found {found} of {reviewed} looked at does not fit a sample of {drawn}"
        )));
    }
    let rate = interval::rate(found, reviewed, asked.confidence).ok_or_else(|| {
        CliError::usage("nothing was looked at, so nothing can be said of the rest: the sample is empty")
    })?;
    let (number_low, number_high) = interval::numbers(rate, found, reviewed, sample.population);
    Ok(Some(Estimate {
        found,
        reviewed,
        confidence: asked.confidence,
        rate: rate.rate,
        low: rate.low,
        high: rate.high,
        number_low,
        number_high,
    }))
}

fn rows(searcher: &Searcher, scope: Scope, units: &[Unit]) -> anyhow::Result<Rows> {
    let columns = [
        "place",
        "item_no",
        "item",
        "kind",
        "date",
        "from",
        "subject",
        "filename",
        "custodian",
        "sha256",
    ];
    let mut rows = Rows::new("sample", &columns);
    let mut place = 0;
    for page in units.chunks(PAGE) {
        let hits = hits(searcher, page)?;
        for unit in page {
            place += 1;
            let hit = hits
                .get(&unit.item_no)
                .ok_or_else(|| CliError::environment(format!("item {} cannot be read", unit.item_no)))?;
            let held = match scope {
                Scope::Global => hit.custodians.join("; "),
                Scope::Custodian => unit.place.clone().unwrap_or_default(),
                Scope::Instance => instance_place(searcher, unit)?,
            };
            let cells = vec![
                place.to_string(),
                unit.item_no.to_string(),
                hit.item.to_string(),
                hit.kind.word().to_owned(),
                hit.date.clone().unwrap_or_default(),
                hit.from.clone(),
                hit.subject.clone(),
                hit.filename.clone().unwrap_or_default(),
                held.clone(),
                hit.sha256.to_string(),
            ];
            let mut object = serde_json::to_value(hit)?;
            object["sample_place"] = place.into();
            object["sample_key"] = unit.key.clone().into();
            if scope != Scope::Global {
                object["sample_unit"] = held.into();
            }
            rows.push(cells, object)?;
        }
    }
    Ok(rows)
}

/// Where the instance drawn lies.
fn instance_place(searcher: &Searcher, unit: &Unit) -> anyhow::Result<String> {
    let places = sample::instance_places(searcher, ItemNo(unit.item_no))?;
    let number: usize = unit.place.as_deref().and_then(|place| place.parse().ok()).unwrap_or(1);
    Ok(places.get(number.saturating_sub(1)).cloned().unwrap_or_default())
}

fn hits(searcher: &Searcher, units: &[Unit]) -> anyhow::Result<HashMap<u32, Hit>> {
    let items: RoaringBitmap = units.iter().map(|unit| unit.item_no).collect();
    let plan = searcher.plan("*")?.within(items);
    let options = SearchOptions {
        sort: Sort::Item,
        ..SearchOptions::default()
    };
    let answer = searcher.run(&plan, options)?;
    let mut all = HashMap::new();
    for hit in answer.hits()? {
        let hit = hit?;
        all.insert(hit.item_no, hit);
    }
    Ok(all)
}

fn head(
    asked: &SampleArgs,
    plan: &Plan,
    sample: &Sample,
    estimate: Option<&Estimate>,
    standing: &Standing,
) -> anyhow::Result<Vec<(&'static str, Value)>> {
    Ok(vec![
        ("standing", serde_json::to_value(standing)?),
        ("query", plan.query.clone().into()),
        ("left_out", asked.elusion.into()),
        ("within", asked.within.clone().into()),
        ("scope", asked.scope.clone().into()),
        ("level", asked.level.clone().into()),
        ("seed", asked.seed.clone().into()),
        ("population", sample.population.into()),
        ("population_items", sample.population_items.into()),
        ("not_searchable", serde_json::to_value(&sample.not_searchable)?),
        ("searchable_only", asked.searchable_only.into()),
        ("size", sample.units.len().into()),
        ("estimate", json!(estimate)),
    ])
}

fn tell(asked: &SampleArgs, plan: &Plan, sample: &Sample, estimate: Option<&Estimate>) {
    let what = if asked.elusion { "left out" } else { "hits" };
    let unit = match asked.scope.as_str() {
        "custodian" => "(item, custodian) pairs",
        "instance" => "instances",
        _ => "items",
    };
    note!(
        "{} of {} {unit} ({what}) drawn with seed {:?}",
        sample.units.len(),
        sample.population,
        asked.seed
    );
    if !sample.not_searchable.is_empty() {
        let reasons: Vec<String> = sample
            .not_searchable
            .iter()
            .map(|one| format!("{} {}", one.reason, one.items))
            .collect();
        note!(
            "drawn from too, though their text could not be searched: {} (--searchable-only leaves them out)",
            reasons.join(", ")
        );
    }
    for text in &plan.notes {
        note!("note: {}", clean(text));
    }
    if let Some(one) = estimate {
        note!(
            "{} of {} found: {:.4} ({}% interval {:.4} to {:.4}), that is {} to {} of {} {unit}",
            one.found,
            one.reviewed,
            one.rate,
            one.confidence * 100.0,
            one.low,
            one.high,
            one.number_low,
            one.number_high,
            sample.population
        );
        if one.reviewed == sample.population {
            note!("all of them were looked at: the rate is known, the interval is for what they stand for");
        }
    }
}
