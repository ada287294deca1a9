//! `embley indicators phrases`: the patterns that find decisions in mail, with their hits; and what they find in one text.

use std::io::Read;
use std::path::Path;

use embley_casework::indicators::tried;
use embley_casework::rules::{Pattern, RuleSet};
use embley_ingest::Originals;
use embley_search::Searcher;
use embley_store::{Access, Case};
use serde_json::json;

use super::indicators::rules_of;
use super::show::resolve;
use crate::args::{Args, PhrasesArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// Longest text that is tried, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// Lists patterns, or tries them.
pub(crate) fn run(args: &Args, asked: &PhrasesArgs) -> anyhow::Result<u8> {
    let dir = context::case_dir(args)?;
    let rules = rules_of(&dir, asked.rules_dir.as_deref())?;
    let case = context::open(args, Access::Read)?;
    if let Some(id) = &asked.id
        && !rules.phrases.all().iter().any(|one| one.id == *id)
    {
        return Err(CliError::usage(format!(
            "there is no pattern \"{id}\"; without --id all are listed"
        )));
    }
    match &asked.test {
        Some(what) => test(&case, &rules, what, asked),
        None => list(&case, &rules, asked),
    }
}

fn wanted<'a>(rules: &'a RuleSet, asked: &'a PhrasesArgs) -> impl Iterator<Item = &'a Pattern> {
    let all = rules.phrases.all().iter();
    all.filter(|one| asked.id.as_ref().is_none_or(|id| one.id == *id))
}

fn list(case: &Case, rules: &RuleSet, asked: &PhrasesArgs) -> anyhow::Result<u8> {
    let searcher = Searcher::open(case)?;
    let mut rows = Rows::new("patterns", &["id", "finds", "version", "on", "items", "query"]);
    for one in wanted(rules, asked) {
        let plan = searcher.plan(&one.index_query())?;
        let items = searcher.items(&plan)?.len();
        let state = if one.on { "on" } else { "off" };
        let cells = vec![
            one.id.clone(),
            one.spoken(),
            one.version.to_string(),
            state.to_owned(),
            items.to_string(),
            clean(&one.query),
        ];
        let object = json!({
            "id": one.id, "finds": one.spoken(), "version": one.version, "on": one.on, "items": items, "query": one.query,
        });
        rows.push(cells, object)?;
    }
    rows.print(context::format(&asked.list), Vec::new())?;
    note!(
        "items: those whose text holds the words somewhere, quotations and turned sentences among them; --test shows what a text says"
    );
    Ok(exit::DONE)
}

fn test(case: &Case, rules: &RuleSet, what: &str, asked: &PhrasesArgs) -> anyhow::Result<u8> {
    let (subject, text) = text_of(case, what)?;
    let mut rows = Rows::new("sentences", &["pattern", "finds", "turned", "sentence"]);
    let tried = tried(&rules.phrases, &subject, &text);
    for one in tried
        .iter()
        .filter(|one| asked.id.as_ref().is_none_or(|id| one.pattern == *id))
    {
        let cells = vec![
            one.pattern.clone(),
            one.finds.clone(),
            one.turned.join("; "),
            clean(&one.sentence),
        ];
        rows.push(cells, one)?;
    }
    rows.print(context::format(&asked.list), Vec::new())?;
    note!("only the author's own text is read: quotations, forwarded messages and signatures are left out");
    Ok(exit::DONE)
}

/// Subject and text of an item, or the text of a file, or of standard input.
fn text_of(case: &Case, what: &str) -> anyhow::Result<(String, String)> {
    let is_item = what.starts_with("item:") || what.starts_with('#') || what.bytes().all(|one| one.is_ascii_digit());
    if is_item {
        let mut originals = Originals::open(case)?;
        let item = resolve(originals.catalogue(), what)?;
        let row = originals.catalogue().item(item)?;
        let subject = row.map(|row| row.subject).unwrap_or_default();
        return Ok((subject, originals.text(item)?.body));
    }
    let mut bytes = Vec::new();
    let unreadable = |cause: std::io::Error| {
        CliError::usage(format!(
            "--test {what}: it is no item (a number, or item: and an id) and cannot be read as a file: {cause}"
        ))
    };
    if what == "-" {
        std::io::stdin()
            .take(MOST_BYTES)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(Path::new(what)).map_err(unreadable)?;
        file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    Ok((String::new(), String::from_utf8_lossy(&bytes).into_owned()))
}
