//! `embley terms`: search term reports.

use std::path::Path;

use embley_casework::threads::MessageTexts;
use embley_model::clock::{Clock, SystemClock};
use embley_model::id::Ticket;
use embley_search::terms::{self, TermFault, TermList, TermOptions, TermReport, TermRow};
use embley_search::{Asked, Searcher};
use embley_store::facts::looks::Looked;
use embley_store::{Access, Case};
use serde_json::{Value, json};

use super::search::{level, scope};
use crate::args::{Args, Format, TermsArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};

/// Runs a list and prints its report. Lines that cannot be run end it with 3; when none can, with 2.
pub(crate) fn run(args: &Args, asked: &TermsArgs) -> anyhow::Result<u8> {
    let list = read_list(&asked.file)?;
    let case = Case::open(&context::case_dir(args)?, Access::Read)?;
    let searcher = Searcher::open(&case)?;
    let texts = MessageTexts::new(&case);
    let actor = context::actor(args);
    let options = TermOptions {
        scope: scope(&asked.scope)?,
        level: level(&asked.level)?,
        threads: context::threads(asked.threads),
        texts: &texts,
        asked: Asked {
            who: &actor,
            at_micros: SystemClock::new().now_micros(),
        },
    };
    let report = terms::report(&searcher, case.config(), &list, options)?;
    print(&report, asked)?;
    tell(&report);
    put_down(args, &case, &searcher, &report);
    Ok(match (report.terms.is_empty(), report.errors.is_empty()) {
        (_, true) => exit::DONE,
        (false, false) => exit::EXCEPTIONS,
        (true, false) => exit::USAGE,
    })
}

/// The list goes into the history by its hash, with what all of its lines found.
fn put_down(args: &Args, case: &Case, searcher: &Searcher, report: &TermReport) {
    let options = json!({"scope": report.scope, "level": report.level}).to_string();
    let looked = Looked {
        command: "terms",
        saved: None,
        query: &format!(
            "list of {} queries, SHA-256 {}",
            report.terms.len() + report.errors.len(),
            report.list_sha256
        ),
        options: &options,
        ticket: searcher.snapshot().ticket().unwrap_or(Ticket(0)),
        hits: report.totals.hits,
        not_searchable: report.standing.not_searchable.iter().map(|one| one.items).sum(),
    };
    super::saved::put_down(args, case, looked);
}

fn read_list(file: &Path) -> anyhow::Result<TermList> {
    let bytes = std::fs::read(file)
        .map_err(|error| CliError::input(format!("cannot read the list {}: {error}", file.display())))?;
    let is_csv = file.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    let list = if is_csv {
        TermList::from_csv(&bytes)
    } else {
        TermList::from_lines(&bytes)
    };
    list.map_err(|error| CliError::usage(format!("{}: {error}", file.display())))
}

fn print(report: &TermReport, asked: &TermsArgs) -> anyhow::Result<()> {
    let format = context::format(&asked.list);
    let head = head(report)?;
    let rows = match format {
        Format::Table | Format::Csv if asked.by_custodian => custodian_rows(report)?,
        Format::Jsonl => line_rows(report, &head)?,
        Format::Table | Format::Csv | Format::Json => term_rows(report, format)?,
    };
    let mut extra: Vec<(&'static str, Value)> = Vec::new();
    for name in ["standing", "list_sha256", "scope", "level", "totals"] {
        extra.push((name, head[name].clone()));
    }
    extra.push(("errors", serde_json::to_value(&report.errors)?));
    rows.print(format, extra)
}

/// Everything in the report but its lines.
fn head(report: &TermReport) -> anyhow::Result<Value> {
    Ok(json!({
        "standing": serde_json::to_value(&report.standing)?,
        "list_sha256": report.list_sha256,
        "scope": serde_json::to_value(report.scope)?,
        "level": report.level.name(),
        "totals": serde_json::to_value(report.totals)?,
    }))
}

const TERM_COLUMNS: [&str; 10] = [
    "line",
    "name",
    "query",
    "hits",
    "with families",
    "families",
    "unique",
    "unique families",
    "not searchable",
    "error",
];

fn term_rows(report: &TermReport, format: Format) -> anyhow::Result<Rows> {
    let mut rows = Rows::new("terms", &TERM_COLUMNS);
    for row in &report.terms {
        rows.push(term_cells(row), row)?;
    }
    // In JSON they have a list of their own.
    if format != Format::Json {
        for fault in &report.errors {
            rows.push(fault_cells(fault), fault)?;
        }
    }
    Ok(rows)
}

fn term_cells(row: &TermRow) -> Vec<String> {
    let counts = [
        row.hits,
        row.with_families,
        row.families,
        row.unique,
        row.unique_families,
        row.not_searchable,
    ];
    let mut cells = vec![
        row.line.to_string(),
        row.name.clone().unwrap_or_default(),
        row.query.clone(),
    ];
    cells.extend(counts.map(|count| count.to_string()));
    cells.push(String::new());
    cells
}

fn fault_cells(fault: &TermFault) -> Vec<String> {
    let mut cells = vec![
        fault.line.to_string(),
        fault.name.clone().unwrap_or_default(),
        fault.query.clone(),
    ];
    cells.extend(std::iter::repeat_n(String::new(), 6));
    cells.push(fault.message.clone());
    cells
}

fn custodian_rows(report: &TermReport) -> anyhow::Result<Rows> {
    let columns = ["line", "name", "query", "custodian", "hits", "with families", "unique"];
    let mut rows = Rows::new("terms", &columns);
    for row in &report.terms {
        for counts in &row.by_custodian {
            let cells = vec![
                row.line.to_string(),
                row.name.clone().unwrap_or_default(),
                row.query.clone(),
                counts.custodian.clone().unwrap_or_else(|| "(none)".to_owned()),
                counts.hits.to_string(),
                counts.with_families.to_string(),
                counts.unique.to_string(),
            ];
            rows.push(cells, counts)?;
        }
    }
    Ok(rows)
}

/// JSON Lines: the head, then each line of the list, each saying what it is.
fn line_rows(report: &TermReport, head: &Value) -> anyhow::Result<Rows> {
    let mut rows = Rows::new("terms", &[]);
    let mut add = |what: &str, mut object: Value| {
        if let Some(members) = object.as_object_mut() {
            members.insert("row".to_owned(), what.into());
        }
        rows.push(Vec::new(), object)
    };
    add("report", head.clone())?;
    for row in &report.terms {
        add("term", serde_json::to_value(row)?)?;
    }
    for fault in &report.errors {
        add("error", serde_json::to_value(fault)?)?;
    }
    Ok(rows)
}

fn tell(report: &TermReport) {
    let totals = &report.totals;
    note!(
        "{} lines ran: {} hits, {} with families, in {} families; {} lines without hits",
        totals.lines,
        totals.hits,
        totals.with_families,
        totals.families,
        totals.lines_without_hits
    );
    for fault in &report.errors {
        let pointed = fault.pointed.as_deref().unwrap_or(&fault.message);
        note!(
            "line {}: {}",
            fault.line,
            clean(pointed.strip_prefix("error: ").unwrap_or(pointed))
        );
    }
    for row in &report.terms {
        if let Some(line) = row.same_as_line {
            note!(
                "line {} asks the same as line {line}: nothing is unique to either",
                row.line
            );
        }
    }
    super::standing::tell(&report.standing);
}
