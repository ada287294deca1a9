//! `embley dip-sample`: cases drawn by a seed and checked against a list.

use embley_casework::dip_sample::{Ask, CHECKS, Found, Rate, dip_sample};
use embley_casework::indicators::{Context, Shared};
use embley_casework::people::Directory;
use embley_casework::zone_of;
use embley_store::Access;
use serde_json::json;

use super::indicators::{day_of, rules_of};
use crate::args::{Args, DipSampleArgs};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Draws, checks, prints.
pub(crate) fn run(args: &Args, asked: &DipSampleArgs) -> anyhow::Result<u8> {
    let dir = context::case_dir(args)?;
    let rules = rules_of(&dir, asked.rules_dir.as_deref())?;
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let zone = zone_of(&case)?;
    let shared = Shared::load(reader.facts(), &zone, rules.settings.bulk_rows)?;
    let people = Directory::load(reader.facts())?;
    let found = Context {
        facts: reader.facts(),
        mail: None,
        zone: &zone,
        rules: &rules,
        people: &people,
        shared: &shared,
        as_at: day_of(asked.as_at.as_deref())?,
    };
    let ask = Ask {
        size: asked.size,
        seed: &asked.seed,
        all: asked.all,
    };
    let sample = dip_sample(&found, ask)?;
    let mut columns = vec!["case"];
    columns.extend(CHECKS.iter().map(|(word, _)| *word));
    let mut rows = Rows::new("cases", &columns);
    for one in &sample.cases {
        let mut cells = vec![clean(&one.case_ref)];
        cells.extend(
            CHECKS
                .iter()
                .map(|(word, _)| one.checks.get(word).map_or("", |found| spoken(*found)).to_owned()),
        );
        rows.push(cells, one)?;
    }
    let checks: serde_json::Map<String, serde_json::Value> = CHECKS
        .iter()
        .map(|(word, asks)| ((*word).to_owned(), json!(asks)))
        .collect();
    let extra = vec![
        ("seed", json!(sample.seed)),
        ("all", asked.all.into()),
        ("population", sample.population.into()),
        ("size", sample.cases.len().into()),
        ("confidence", json!(sample.confidence)),
        ("checks", checks.into()),
        ("rates", serde_json::to_value(&sample.rates)?),
        ("severity_changed", serde_json::to_value(sample.severity_changed)?),
    ];
    rows.print(context::format(&asked.list), extra)?;
    note!(
        "{} of {} cases, seed {}, in the material loaded",
        sample.cases.len(),
        sample.population,
        clean(&sample.seed)
    );
    for (word, _) in CHECKS {
        if let Some(rate) = sample.rates.get(word) {
            note!("{}: on record {}", word.replace('_', " "), in_words(rate));
        }
    }
    note!("severity assessment changed: {}", in_words(&sample.severity_changed));
    Ok(exit::DONE)
}

fn spoken(found: Found) -> &'static str {
    match found {
        Found::OnRecord => "on record",
        Found::NotOnRecord => "not on record",
        Found::NotApplicable => "-",
        Found::NotLoaded => "not loaded",
    }
}

/// `7 of 9 (77.8%; between 40.0% and 97.2%)`.
fn in_words(rate: &Rate) -> String {
    match (rate.rate, rate.low, rate.high) {
        (Some(value), Some(low), Some(high)) => format!(
            "{} of {} ({:.1}%; between {:.1}% and {:.1}%)",
            rate.found,
            rate.of,
            value * 100.0,
            low * 100.0,
            high * 100.0
        ),
        _ => "in none to which it applies".to_owned(),
    }
}
