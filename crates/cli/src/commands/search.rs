//! `embley search`: counts, hits, facets; everything can be streamed out.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use embley_casework::hits::CaseHits;
use embley_ingest::Originals;
use embley_model::id::ItemNo;
use embley_search::BoxError;
use embley_search::{Answer, Facet, FacetCounts, Hit, ItemText, Scope, SearchOptions, Searcher, SnippetStyle, Sort};
use embley_store::{Access, Case};

use crate::args::{Args, Format, SearchArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{SCHEMA, clean, defuse, note, result_line, results};

/// Texts for snippets, parsed again from the originals; a page's texts are read on several threads, each with a reader of its own.
pub(crate) struct StoredTexts<'c> {
    case: &'c Case,
    idle: Mutex<Vec<Originals>>,
}

impl<'c> StoredTexts<'c> {
    /// Readers are opened when they are wanted and used again.
    pub(crate) fn new(case: &'c Case) -> Self {
        Self {
            case,
            idle: Mutex::new(Vec::new()),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Originals>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ItemText for StoredTexts<'_> {
    fn text(&self, item: ItemNo) -> Result<String, BoxError> {
        let held = self.idle().pop();
        let mut originals = match held {
            Some(originals) => originals,
            None => Originals::open(self.case)?,
        };
        let text = originals.text(item);
        self.idle().push(originals);
        Ok(text?.body)
    }
}

/// Finds and prints.
pub(crate) fn run(args: &Args, search: &SearchArgs) -> anyhow::Result<u8> {
    let case = Case::open(&context::case_dir(args)?, Access::Read)?;
    let searcher = Searcher::open(&case)?;
    let stored = StoredTexts::new(&case);
    let plan = searcher
        .plan_with_texts(&search.query, &stored)
        .map_err(|error| exit::pointed(error, &search.query))?;
    if search.explain {
        result_line!("{}", searcher.explain(&plan)?)?;
        return Ok(exit::DONE);
    }
    let facets = facets(search)?;
    let texts = if search.count || search.no_snippets {
        None
    } else {
        Some(&stored)
    };
    let links = CaseHits::new(&searcher);
    let limit = if search.count {
        Some(0)
    } else {
        context::limit(&search.limit).map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
    };
    let options = SearchOptions {
        scope: scope(&search.scope)?,
        sort: Sort::from_name(&search.sort)
            .ok_or_else(|| CliError::usage(format!("unknown order {:?}", search.sort)))?,
        offset: 0,
        limit,
        facets: &facets,
        facet_limit: search.facet_limit.0,
        texts: texts.map(|texts| texts as &dyn ItemText),
        style: SnippetStyle::default(),
        links: Some(&links),
    };
    let answer = searcher.run(&plan, options)?;
    let count = answer.summary().count;
    if search.count {
        result_line!("{count}")?;
        tell_of_lack(&answer);
    } else {
        print(answer, context::format(&search.list))?;
    }
    Ok(if count == 0 { exit::NO_HIT } else { exit::DONE })
}

fn scope(name: &str) -> anyhow::Result<Scope> {
    match name {
        "global" => Ok(Scope::Global),
        "custodian" => Ok(Scope::Custodian),
        "instance" => Ok(Scope::Instance),
        other => Err(CliError::usage(format!("unknown scope {other:?}"))),
    }
}

fn facets(search: &SearchArgs) -> anyhow::Result<Vec<Facet>> {
    let Some(list) = &search.facets else {
        return Ok(Vec::new());
    };
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            Facet::from_name(name).ok_or_else(|| {
                let known: Vec<&str> = Facet::ALL.iter().map(|facet| facet.name()).collect();
                CliError::usage(format!("unknown facet {name:?}; there are {}", known.join(", ")))
            })
        })
        .collect()
}

fn print(answer: Answer<'_>, format: Format) -> anyhow::Result<()> {
    let out = RefCell::new(std::io::BufWriter::new(results()));
    let summary = serde_json::to_value(answer.summary())?;
    match format {
        Format::Json => {
            let mut out = out.borrow_mut();
            write!(out, "{{\"schema\":{SCHEMA}")?;
            if let Some(members) = summary.as_object() {
                for (key, value) in members {
                    write!(out, ",{key:?}:{value}")?;
                }
            }
            write!(out, ",\"hits\":[")?;
            for (position, hit) in answer.hits()?.enumerate() {
                write!(out, "{}", if position == 0 { "\n" } else { ",\n" })?;
                serde_json::to_writer(&mut *out, &hit?)?;
            }
            writeln!(out, "]}}")?;
        }
        Format::Jsonl => {
            for hit in answer.hits()? {
                let mut out = out.borrow_mut();
                serde_json::to_writer(&mut *out, &hit?)?;
                writeln!(out)?;
            }
        }
        Format::Csv => {
            let mut out = out.borrow_mut();
            let mut csv = csv::Writer::from_writer(&mut *out);
            csv.write_record([
                "item_no",
                "item",
                "kind",
                "date",
                "from",
                "to",
                "subject",
                "filename",
                "custodians",
                "sha256",
            ])?;
            for hit in answer.hits()? {
                csv.write_record(cells(&hit?).iter().map(|cell| defuse(cell)))?;
            }
            csv.flush()?;
        }
        Format::Table => table(&answer, &mut *out.borrow_mut())?,
    }
    out.borrow_mut().flush()?;
    tell(&answer);
    Ok(())
}

/// One hit a block: what a person scans for first.
fn table(answer: &Answer<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    for hit in answer.hits()? {
        let hit = hit?;
        let date = hit.date.as_deref().unwrap_or("undated");
        let title = if hit.subject.is_empty() {
            hit.filename.clone().unwrap_or_default()
        } else {
            hit.subject.clone()
        };
        writeln!(out, "#{}  {date}  {}  {}", hit.item_no, hit.kind.word(), clean(&title))?;
        writeln!(
            out,
            "    from {}  to {}  held by {}",
            clean(&hit.from),
            clean(&hit.to.join(", ")),
            clean(&hit.custodians.join(", "))
        )?;
        let marks: Vec<String> = [
            ("exhibits", hit.exhibits.join(", ")),
            ("tags", hit.tags.join(", ")),
            ("cases", hit.cases.join(", ")),
            ("defects", hit.defects.join(", ")),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {values}"))
        .collect();
        if !marks.is_empty() {
            writeln!(out, "    {}", clean(&marks.join("  ")))?;
        }
        for snippet in &hit.snippets {
            writeln!(
                out,
                "    {}: {}",
                snippet.field,
                clean(&marked(&snippet.text, &snippet.ranges)).replace('\n', " ")
            )?;
        }
    }
    Ok(())
}

/// The text with `[` and `]` around what matched. Ranges count characters.
fn marked(text: &str, ranges: &[[usize; 2]]) -> String {
    let mut out = String::with_capacity(text.len() + ranges.len() * 2);
    for (at, letter) in text.chars().enumerate() {
        if ranges.iter().any(|range| range[1] == at) {
            out.push(']');
        }
        if ranges.iter().any(|range| range[0] == at) {
            out.push('[');
        }
        out.push(letter);
    }
    if ranges.iter().any(|range| range[1] == text.chars().count()) {
        out.push(']');
    }
    out
}

fn cells(hit: &Hit) -> Vec<String> {
    vec![
        hit.item_no.to_string(),
        hit.item.to_string(),
        hit.kind.word().to_owned(),
        hit.date.clone().unwrap_or_default(),
        hit.from.clone(),
        hit.to.join("; "),
        hit.subject.clone(),
        hit.filename.clone().unwrap_or_default(),
        hit.custodians.join("; "),
        hit.sha256.to_string(),
    ]
}

/// What every answer says beside its hits.
fn tell(answer: &Answer<'_>) {
    let summary = answer.summary();
    note!("{} hits", summary.count);
    for facet in &summary.facets {
        note!("{}: {}", facet.facet.name(), listed(facet));
    }
    if !summary.not_searchable.is_empty() {
        let reasons: Vec<String> = summary
            .not_searchable
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        note!("in scope, but not searchable: {}", reasons.join(", "));
    }
    tell_of_lack(answer);
    for note in &summary.notes {
        note!("note: {}", clean(note));
    }
}

/// The values of a facet on one line; what is not listed is counted.
fn listed(facet: &FacetCounts) -> String {
    let mut values: Vec<String> = facet
        .values
        .iter()
        .map(|value| format!("{} {}", clean(value.value.as_deref().unwrap_or("(none)")), value.count))
        .collect();
    if let Some(others) = &facet.others {
        values.push(format!("others: {} values, {} items", others.values, others.items));
    }
    values.join(", ")
}

/// Items that no search can find yet.
fn tell_of_lack(answer: &Answer<'_>) {
    let lacking = answer.summary().not_indexed;
    if lacking > 0 {
        note!(
            "{lacking} items are not in the index yet: an ingest or reindex is under way or was stopped; run it again"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_marked_by_character_ranges() {
        assert_eq!(marked("ä bribe, a bribe", &[[2, 7], [11, 16]]), "ä [bribe], a [bribe]");
    }
}
