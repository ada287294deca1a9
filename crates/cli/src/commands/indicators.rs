//! `embley indicators`: places to look, with what speaks for and against each; conclusions; export.

use std::collections::BTreeMap;
use std::path::Path;

use embley_casework::indicators::{self, Ask, Context, Indicator, Mail, MailIndex, Outcome, Shared, State, run};
use embley_casework::people::Directory;
use embley_casework::rules::RuleSet;
use embley_casework::texts::StoredTexts;
use embley_casework::zone_of;
use embley_model::date::rfc3339;
use embley_search::Searcher;
use embley_search::threads::StoredThreads;
use embley_store::Access;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::args::{Args, ExportFormat, Format, IndicatorsArgs, IndicatorsCommand, ListArgs, RunArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

const COLUMNS: [&str; 12] = [
    "id",
    "rule",
    "version",
    "case",
    "people",
    "confidence",
    "sentence",
    "for",
    "against",
    "records",
    "state",
    "conclusion",
];

/// Runs rules, or what else was asked for.
pub(crate) fn run_command(args: &Args, asked: &IndicatorsArgs) -> anyhow::Result<u8> {
    match &asked.command {
        None => list(args, &asked.run, &asked.list),
        Some(IndicatorsCommand::Conclude { id, kind, text }) => conclude(args, id, kind, text),
        Some(IndicatorsCommand::Export { run, draft, format }) => export(args, run, *draft, *format),
        Some(IndicatorsCommand::Phrases(asked)) => super::phrases::run(args, asked),
        Some(IndicatorsCommand::Runs(list)) => runs(args, list),
    }
}

/// The rules of a case: built in, then those of its folder `rules`, then those of a folder that was named.
pub(super) fn rules_of(case_dir: &Path, named: Option<&Path>) -> anyhow::Result<RuleSet> {
    if let Some(dir) = named.filter(|dir| !dir.is_dir()) {
        return Err(CliError::usage(format!(
            "--rules {}: there is no such folder",
            dir.display()
        )));
    }
    let own = case_dir.join("rules");
    let mut folders: Vec<&Path> = vec![&own];
    folders.extend(named);
    Ok(RuleSet::open(&folders)?)
}

/// A day as typed.
pub(super) fn day_of(text: Option<&str>) -> anyhow::Result<Option<Date>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let day = text
        .parse()
        .map_err(|error| CliError::usage(format!("{text:?} is not a day (YYYY-MM-DD): {error}")))?;
    Ok(Some(day))
}

/// Items whose text cannot be searched, by reason.
fn hidden(searcher: &Searcher) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    let mut hidden = BTreeMap::new();
    for (_, searchability, count) in searcher.reader().searchability_counts()? {
        if searchability.hides_text() {
            *hidden.entry(searchability.word()).or_insert(0) += count;
        }
    }
    Ok(hidden)
}

/// Runs the rules, and puts the run on record unless it is to be kept out.
fn outcome(args: &Args, asked: &RunArgs, keep: bool) -> anyhow::Result<Outcome> {
    let dir = context::case_dir(args)?;
    let rules = rules_of(&dir, asked.rules_dir.as_deref())?;
    let as_at = day_of(asked.as_at.as_deref())?;
    let case = context::open(args, if keep { Access::Read } else { Access::Facts })?;
    let searcher = Searcher::open(&case)?;
    let zone = zone_of(&case)?;
    let facts = searcher.reader().facts();
    let shared = Shared::load(facts, &zone, rules.settings.bulk_rows)?;
    let people = Directory::load(facts)?;
    let links = StoredThreads::new();
    let texts = StoredTexts::new(&case);
    let index = MailIndex::new();
    let found = Context {
        facts,
        mail: Some(Mail {
            searcher: &searcher,
            links: &links,
            texts: &texts,
            index: &index,
        }),
        zone: &zone,
        rules: &rules,
        people: &people,
        shared: &shared,
        as_at,
    };
    let ask = Ask {
        case_ref: asked.case_ref.clone(),
        rules: asked.rules.clone(),
        hidden: hidden(&searcher)?,
    };
    let outcome = indicators::run(&found, searcher.reader(), &ask)?;
    if !keep {
        let actor = context::actor(args);
        let stamp = context::stamp(&actor);
        let writer = case.facts()?;
        run::record(writer.connection(), &outcome, stamp)?;
    }
    Ok(outcome)
}

fn list(args: &Args, asked: &RunArgs, list: &ListArgs) -> anyhow::Result<u8> {
    let outcome = outcome(args, asked, asked.keep)?;
    let format = context::format(list);
    let wide = !matches!(format, Format::Table);
    let mut rows = Rows::new(
        "indicators",
        if wide {
            &COLUMNS
        } else {
            &["id", "case", "confidence", "sentence", "state"]
        },
    );
    for one in shown(&outcome, asked.explained) {
        let cells = if wide { cells(one) } else { few(one) };
        rows.push(cells, one)?;
    }
    let extra = vec![
        ("rules", json!(outcome.rules)),
        ("cases", outcome.cases.into()),
        ("explained", outcome.explained().into()),
        ("left_out", json!(outcome.left_out)),
        ("gone", Value::Array(outcome.gone.clone())),
    ];
    rows.print(format, extra)?;
    told(&outcome, asked);
    Ok(exit::DONE)
}

fn shown(outcome: &Outcome, explained: bool) -> Vec<&Indicator> {
    if explained {
        outcome.indicators.iter().collect()
    } else {
        outcome.open().collect()
    }
}

/// The sums, for people.
fn told(outcome: &Outcome, asked: &RunArgs) {
    let count = |state: State| outcome.open().filter(|one| one.state == state).count();
    let against = if outcome.compared {
        format!(
            "{} new, {} same, {} changed, {} gone since the last run",
            count(State::New),
            count(State::Same),
            count(State::Changed),
            outcome.gone.len()
        )
    } else {
        "nobody had looked before".to_owned()
    };
    note!(
        "{} indicators in {} cases ({against}); {} more are explained by something on record{}",
        outcome.open().count(),
        outcome.cases,
        outcome.explained(),
        if asked.explained {
            ""
        } else {
            " (--explained shows them)"
        }
    );
    note!("an indicator is a place to look in the material loaded; it concludes nothing");
    for words in &outcome.left_out {
        note!("left out: {}", clean(words));
    }
}

fn few(one: &Indicator) -> Vec<String> {
    vec![
        one.id.chars().take(14).collect(),
        clean(one.case_ref.as_deref().unwrap_or("-")),
        format!("{} {}", one.rule, one.confidence.word()),
        clean(&one.sentence),
        state(one),
    ]
}

fn state(one: &Indicator) -> String {
    let state = match one.state {
        State::New => "new",
        State::Same => "same",
        State::Changed => "changed",
    };
    if one.draft {
        format!("{state}, draft")
    } else {
        state.to_owned()
    }
}

fn cells(one: &Indicator) -> Vec<String> {
    let conclusion = one
        .conclusion
        .as_ref()
        .map(|drawn| format!("{}: {} ({}, {})", drawn.kind, drawn.text, drawn.by, drawn.at));
    vec![
        one.id.clone(),
        one.rule.to_owned(),
        one.version.to_string(),
        one.case_ref.clone().unwrap_or_default(),
        one.people.join("; "),
        one.confidence.word().to_owned(),
        one.sentence.clone(),
        one.speaks_for.join("; "),
        one.speaks_against.join("; "),
        one.records.join("; "),
        state(one),
        conclusion.unwrap_or_else(|| "DRAFT: no conclusion".to_owned()),
    ]
}

fn export(args: &Args, asked: &RunArgs, draft: bool, format: ExportFormat) -> anyhow::Result<u8> {
    let outcome = outcome(args, asked, true)?;
    let all = shown(&outcome, asked.explained);
    let open: Vec<&&Indicator> = all.iter().filter(|one| one.draft).collect();
    if let Some(first) = open.first().filter(|_| !draft) {
        return Err(CliError::usage(format!(
            "{} of {} indicators have no conclusion (the first is {}); `embley indicators conclude ID --as KIND --text TEXT` puts one on record, --draft exports them marked as drafts",
            open.len(),
            all.len(),
            first.id
        )));
    }
    let mut rows = Rows::new("indicators", &COLUMNS);
    for one in all {
        rows.push(cells(one), one)?;
    }
    let format = match format {
        ExportFormat::Jsonl => Format::Jsonl,
        ExportFormat::Csv => Format::Csv,
    };
    rows.print(format, Vec::new())?;
    Ok(exit::DONE)
}

fn conclude(args: &Args, id: &str, kind: &str, text: &str) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    // Which one is meant is looked up among what the actor sees.
    let form = embley_store::facts::indicators::find(case.reader()?.facts(), id)?;
    let full = indicators::conclude(case.facts()?.connection(), &form.id, kind, text, stamp)?;
    note!("{full}: {}", kind.replace('_', " "));
    Ok(exit::DONE)
}

fn runs(args: &Args, list: &ListArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let reader = case.reader()?;
    let mut rows = Rows::new("runs", &["run", "at", "by", "case", "rules", "seen", "new", "gone"]);
    for run in embley_store::facts::indicators::runs(reader.facts())? {
        let at = rfc3339(run.at_micros.div_euclid(1_000_000)).unwrap_or_default();
        let rules: Option<Vec<String>> = run.scope.rules.map(|rules| rules.into_iter().collect());
        let sources: Value = serde_json::from_str(&run.sources)?;
        let cells = vec![
            run.run_id.to_string(),
            at.clone(),
            clean(&run.actor),
            clean(run.scope.case_key.as_deref().unwrap_or("all")),
            rules
                .as_ref()
                .map_or_else(|| "all".to_owned(), |rules| rules.join(", ")),
            run.seen.to_string(),
            run.new.to_string(),
            run.gone.to_string(),
        ];
        let object = json!({
            "run": run.run_id, "at": at, "by": run.actor, "case": run.scope.case_key, "rules": rules, "seen": run.seen, "new": run.new,
            "gone": run.gone, "sources": sources,
        });
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())?;
    Ok(exit::DONE)
}
