//! `embley terms`: search term reports.

use std::path::Path;

use embley_casework::texts::StoredTexts;
use embley_model::clock::{Clock, SystemClock};
use embley_model::id::Ticket;
use embley_search::terms::{self, TermFault, TermList, TermOptions, TermReport, TermRow};
use embley_search::{Asked, Searcher};
use embley_store::Access;
use embley_store::facts::looks::Looked;
use serde_json::{Value, json};

use super::search::{level, scope};
use crate::args::{Args, Format, TermsArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note};
use embley_casework::export::workbook::{Cell, Workbook};

/// Runs a list and prints its report. Lines that cannot be run end it with 3; when none can, with 2.
pub(crate) fn run(args: &Args, asked: &TermsArgs) -> anyhow::Result<u8> {
    let list = read_list(&asked.file)?;
    if let Some(path) = asked.xlsx.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(CliError::usage(format!(
            "{} is there already: a report is never written over; name another file",
            path.display()
        )));
    }
    let case = context::open(args, Access::Facts)?;
    let searcher = Searcher::open(&case)?;
    let texts = StoredTexts::new(&case);
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
    if let Some(path) = &asked.xlsx {
        save_workbook(&report, path)?;
    }
    print(&report, asked)?;
    tell(&report);
    put_down(&searcher, &report);
    Ok(match (report.terms.is_empty(), report.errors.is_empty()) {
        (_, true) => exit::DONE,
        (false, false) => exit::EXCEPTIONS,
        (true, false) => exit::USAGE,
    })
}

/// The list goes into the history by its hash, with what all of its lines found.
fn put_down(searcher: &Searcher, report: &TermReport) {
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
    super::saved::put_down(looked);
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

const CUSTODIAN_COLUMNS: [&str; 7] = ["line", "name", "query", "custodian", "hits", "with families", "unique"];

fn term_rows(report: &TermReport, format: Format) -> anyhow::Result<Rows> {
    let mut rows = Rows::new("terms", &TERM_COLUMNS);
    let mut faults = report.errors.iter().peekable();
    for row in &report.terms {
        // In JSON they have a list of their own.
        while let Some(fault) = faults.next_if(|fault| fault.line < row.line && format != Format::Json) {
            rows.push(fault_cells(fault), fault)?;
        }
        rows.push(term_cells(row), row)?;
    }
    if format != Format::Json {
        for fault in faults {
            rows.push(fault_cells(fault), fault)?;
        }
    }
    Ok(rows)
}

fn term_cells(row: &TermRow) -> Vec<String> {
    let mut cells = vec![
        row.line.to_string(),
        row.name.clone().unwrap_or_default(),
        row.query.clone(),
    ];
    cells.extend(counts_of(row).map(|count| count.to_string()));
    cells.push(String::new());
    cells
}

fn counts_of(row: &TermRow) -> [u64; 6] {
    [
        row.hits,
        row.with_families,
        row.families,
        row.unique,
        row.unique_families,
        row.not_searchable,
    ]
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
    let mut rows = Rows::new("terms", &CUSTODIAN_COLUMNS);
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

/// Three sheets: the report with what it is of at its head, by custodian, and the lines that could not be run.
fn save_workbook(report: &TermReport, path: &Path) -> anyhow::Result<()> {
    let standing = &report.standing;
    let mut book = Workbook::new(&standing.when, &standing.tool);
    let text = |text: &str| Cell::Text(text.to_owned());
    let name = |name: &Option<String>| name.as_deref().map_or(Cell::Empty, text);
    let terms = report.terms.iter().map(|row| {
        let mut cells = vec![Cell::Count(row.line), name(&row.name), text(&row.query)];
        cells.extend(counts_of(row).map(Cell::Count));
        cells.push(row.same_as_line.map_or(Cell::Empty, Cell::Count));
        cells.push(text(&row.canonical));
        cells.push(text(&row.notes.join("; ")));
        cells
    });
    let mut columns = TERM_COLUMNS.to_vec();
    columns.pop();
    columns.extend(["same as line", "as it was run", "notes"]);
    book.add("Terms", &workbook_head(report), &columns, terms)?;
    let by_custodian = report.terms.iter().flat_map(|row| {
        row.by_custodian.iter().map(move |counts| {
            vec![
                Cell::Count(row.line),
                name(&row.name),
                text(&row.query),
                text(counts.custodian.as_deref().unwrap_or("(none)")),
                Cell::Count(counts.hits),
                Cell::Count(counts.with_families),
                Cell::Count(counts.unique),
            ]
        })
    });
    book.add("By custodian", &[], &CUSTODIAN_COLUMNS, by_custodian)?;
    let errors = report.errors.iter().map(|fault| {
        vec![
            Cell::Count(fault.line),
            name(&fault.name),
            text(&fault.query),
            text(&fault.message),
            fault.column.map_or(Cell::Empty, |column| Cell::Count(column as u64)),
        ]
    });
    book.add(
        "Errors",
        &[],
        &["line", "name", "query", "error", "at character"],
        errors,
    )?;
    book.save(path)?;
    crate::audit::made(path);
    Ok(())
}

fn workbook_head(report: &TermReport) -> Vec<(&'static str, String)> {
    let (standing, totals) = (&report.standing, &report.totals);
    let reasons = standing.not_searchable.iter();
    let reasons: Vec<String> = reasons.map(|one| format!("{} {}", one.reason, one.items)).collect();
    vec![
        ("case", standing.case.clone()),
        ("reference", standing.reference.clone()),
        ("case id", standing.case_id.clone()),
        ("list (SHA-256)", report.list_sha256.clone()),
        ("scope", report.scope.name().to_owned()),
        ("level", report.level.name().to_owned()),
        ("items searched", standing.items.to_string()),
        (
            "index",
            format!("version {}, ticket {}", standing.index_version, standing.index_ticket),
        ),
        ("not in the index", standing.not_indexed.to_string()),
        ("not searchable", reasons.join(", ")),
        ("hits of any line", totals.hits.to_string()),
        ("with families", totals.with_families.to_string()),
        ("families", totals.families.to_string()),
        ("lines run", totals.lines.to_string()),
        ("lines without hits", totals.lines_without_hits.to_string()),
        ("lines with errors", totals.lines_with_errors.to_string()),
        ("zone", standing.zone.clone()),
        ("made by", format!("{}, for {}", standing.tool, standing.who)),
        ("made at", standing.when.clone()),
    ]
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
        for note in &row.notes {
            note!("line {}: note: {}", row.line, clean(note));
        }
    }
    super::standing::tell(&report.standing);
}
