//! `embley search`: counts, hits, facets; everything can be streamed out.

use std::cell::RefCell;
use std::io::Write;

use embley_casework::hits::CaseHits;
use embley_casework::texts::StoredTexts;
use embley_model::id::Ticket;
use embley_search::{
    Answer, Facet, FacetCounts, Hit, Hits, ItemText, Level, Member, Plan, Scope, SearchOptions, Searcher, Snippet,
    SnippetStyle, Sort,
};
use embley_store::facts::looks::Looked;
use embley_store::{Access, Case};

use super::around::{self, Further};
use crate::args::{Args, Format, SearchArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{SCHEMA, clean, defuse, is_not_recorded, note, result_line, results, said_unrecorded};

/// Finds and prints.
pub(crate) fn run(args: &Args, search: &SearchArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let searcher = Searcher::open(&case)?;
    let stored = StoredTexts::new(&case);
    let plan = searcher
        .plan_with_texts(&search.query, &stored)
        .map_err(|error| exit::pointed(error, &search.query))?
        .at(level(&search.level)?);
    if search.explain {
        result_line!("{}", searcher.explain(&plan)?)?;
        return Ok(exit::DONE);
    }
    answer(&case, &searcher, &plan, search, None)
}

/// Runs a plan, prints the answer and puts the search on record; `saved` is the name of the saved search that it is.
pub(crate) fn answer(
    case: &Case,
    searcher: &Searcher,
    plan: &Plan,
    search: &SearchArgs,
    saved: Option<&str>,
) -> anyhow::Result<u8> {
    let stored = StoredTexts::new(case);
    let facets = facets(search)?;
    let texts = if search.count || search.no_snippets || search.not_searchable {
        None
    } else {
        Some(&stored)
    };
    let mut links = CaseHits::new(searcher);
    if search.context {
        links = links.with_context();
    }
    let limit = if search.count {
        Some(0)
    } else {
        context::limit(&search.limit).map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
    };
    let options = SearchOptions {
        scope: scope(&search.scope)?,
        fold: search.fold.is_some(),
        sort: sort(searcher, search)?,
        offset: 0,
        limit,
        facets: &facets,
        facet_limit: search.facet_limit.0,
        texts: texts.map(|texts| texts as &dyn ItemText),
        style: SnippetStyle::default(),
        links: Some(&links),
    };
    let further = Further {
        near_date: search.near_date.is_some(),
        context: search.context,
        fold: search.fold.is_some(),
    };
    let answer = searcher.run(plan, options)?;
    let count = answer.summary().count;
    let not_searchable = answer.summary().not_searchable_total;
    match (search.not_searchable, search.count) {
        (true, true) => result_line!("{not_searchable}")?,
        (true, false) => print(
            &answer,
            answer.not_searchable()?,
            context::format(&search.list),
            further,
        )?,
        (false, true) => {
            result_line!("{count}")?;
            tell_besides(&answer);
        }
        (false, false) => print(&answer, answer.hits()?, context::format(&search.list), further)?,
    }
    let mut options = serde_json::json!({"scope": search.scope, "level": search.level, "sort": search.sort});
    if let Some(date) = &search.near_date {
        options["sort"] = "near-date".into();
        options["near_date"] = date.as_str().into();
    }
    if let Some(fold) = &search.fold {
        options["fold"] = fold.as_str().into();
    }
    let options = options.to_string();
    let looked = Looked {
        command: if saved.is_some() { "saved run" } else { "search" },
        saved,
        query: &search.query,
        options: &options,
        ticket: searcher.snapshot().ticket().unwrap_or(Ticket(0)),
        hits: count,
        not_searchable,
    };
    super::saved::put_down(looked);
    Ok(if count == 0 && !search.not_searchable {
        exit::NO_HIT
    } else {
        exit::DONE
    })
}

pub(crate) fn level(name: &str) -> anyhow::Result<Level> {
    Level::from_name(name).ok_or_else(|| CliError::usage(format!("unknown level {name:?}")))
}

fn sort(searcher: &Searcher, search: &SearchArgs) -> anyhow::Result<Sort> {
    if let Some(date) = &search.near_date {
        let near = searcher.near_date(date).map_err(|error| exit::pointed(error, date))?;
        return Ok(Sort::NearDate(near));
    }
    Sort::from_name(&search.sort).ok_or_else(|| CliError::usage(format!("unknown order {:?}", search.sort)))
}

pub(super) fn scope(name: &str) -> anyhow::Result<Scope> {
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

/// The columns of every list of hits as CSV.
const COLUMNS: [&str; 12] = [
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
    "members",
    "reasons",
];

fn print(answer: &Answer<'_>, hits: Hits<'_>, format: Format, further: Further) -> anyhow::Result<()> {
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
            if is_not_recorded() {
                write!(out, ",\"recorded\":false")?;
            }
            write!(out, ",\"hits\":[")?;
            for (position, hit) in hits.enumerate() {
                write!(out, "{}", if position == 0 { "\n" } else { ",\n" })?;
                serde_json::to_writer(&mut *out, &hit?)?;
            }
            writeln!(out, "]}}")?;
        }
        Format::Jsonl => {
            for hit in hits {
                let mut out = out.borrow_mut();
                let hit = hit?;
                if is_not_recorded() {
                    serde_json::to_writer(&mut *out, &said_unrecorded(serde_json::to_value(&hit)?))?;
                } else {
                    serde_json::to_writer(&mut *out, &hit)?;
                }
                writeln!(out)?;
            }
        }
        Format::Csv => {
            let mut out = out.borrow_mut();
            let mut csv = csv::Writer::from_writer(&mut *out);
            csv.write_record(COLUMNS.iter().chain(further.columns()))?;
            for hit in hits {
                let hit = hit?;
                let mut row: Vec<String> = cells(&hit).iter().map(|cell| defuse(cell)).collect();
                row.extend(further.cells(&hit));
                csv.write_record(row)?;
            }
            csv.flush()?;
        }
        Format::Table => table(hits, &mut *out.borrow_mut())?,
    }
    out.borrow_mut().flush()?;
    tell(answer);
    Ok(())
}

/// One hit a block: what a person scans for first.
fn table(hits: Hits<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    for hit in hits {
        let hit = hit?;
        let date = hit.date.as_deref().unwrap_or("undated");
        let title = if hit.subject.is_empty() {
            hit.filename.clone().unwrap_or_default()
        } else {
            hit.subject.clone()
        };
        writeln!(
            out,
            "#{}  {date}{}  {}  {}",
            hit.item_no,
            around::near_days(&hit),
            hit.kind.word(),
            clean(&title)
        )?;
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
            ("privilege", hit.privilege.join(", ")),
            ("review", hit.review.clone().unwrap_or_default()),
            ("cases", hit.cases.join(", ")),
            ("defects", hit.defects.join(", ")),
            ("not searchable:", hit.reasons.join(", ")),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {values}"))
        .collect();
        if !marks.is_empty() {
            writeln!(out, "    {}", clean(&marks.join("  ")))?;
        }
        for line in around::lines(&hit) {
            writeln!(out, "    {}", clean(&line))?;
        }
        match hit.matched.as_ref().or(hit.not_searchable.as_ref()) {
            Some(members) => table_of_members(&hit, members, out)?,
            None => snippets(&hit.snippets, "    ", out)?,
        }
    }
    Ok(())
}

/// The members of a family that are told of, each with its snippets.
fn table_of_members(hit: &Hit, members: &[Member], out: &mut dyn Write) -> anyhow::Result<()> {
    for member in members {
        let title = match member.filename.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => &member.subject,
        };
        let place = if member.item_no == hit.item_no {
            "in itself".to_owned()
        } else {
            format!("in #{}  {}  {}", member.item_no, member.kind.word(), clean(title))
        };
        let why = if hit.not_searchable.is_some() {
            format!("  {} {}", member.searchability, member.defects.join(", "))
        } else {
            String::new()
        };
        writeln!(out, "    {place}{}", why.trim_end())?;
        snippets(&member.snippets, "        ", out)?;
    }
    Ok(())
}

fn snippets(snippets: &[Snippet], indent: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    for snippet in snippets {
        let text = clean(&marked(&snippet.text, &snippet.ranges)).replace('\n', " ");
        writeln!(out, "{indent}{}: {text}", snippet.field)?;
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
    let members = hit.matched.as_ref().or(hit.not_searchable.as_ref());
    let members: Vec<String> = members
        .into_iter()
        .flatten()
        .map(|member| member.item_no.to_string())
        .collect();
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
        members.join("; "),
        hit.reasons.join("; "),
    ]
}

/// What every answer says beside its hits.
fn tell(answer: &Answer<'_>) {
    let summary = answer.summary();
    match summary.level {
        Level::Item => note!("{} hits", summary.count),
        Level::Family => note!("{} hits, each a family", summary.count),
    }
    if summary.fold.is_some() {
        note!(
            "families that say the same count as one; {} items were found",
            summary.items
        );
    }
    tell_besides(answer);
}

/// What belongs to a count: facets asked for, what could not be searched, what is not in the index, how the query was read.
fn tell_besides(answer: &Answer<'_>) {
    let summary = answer.summary();
    for facet in &summary.facets {
        note!("{}: {}", facet.facet.name(), listed(facet));
    }
    if !summary.not_searchable.is_empty() {
        let reasons: Vec<String> = summary
            .not_searchable
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        note!(
            "in scope, but not searchable: {}; --not-searchable lists them",
            reasons.join(", ")
        );
    }
    tell_of_lack(answer);
    tell_notes(&summary.notes);
}

/// Notes on a query, a line each.
pub(super) fn tell_notes(notes: &[String]) {
    for note in notes {
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
