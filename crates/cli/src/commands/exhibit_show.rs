//! What `embley exhibit list`, `show` and `continuity` print, and entries of continuity.

use embley_casework::exhibits::{Register, continuity_page, moment, view};
use embley_casework::texts::StoredTexts;
use embley_casework::zone_of;
use embley_search::Searcher;
use embley_store::Case;
use embley_store::facts::continuity::{self, Handling, Moment, NewEntry};
use embley_store::facts::{Stamp, exhibits, links, sets};
use serde_json::json;

use super::exhibits::{find, print_page};
use crate::args::{ContinuityArgs, LimitArgs, ListArgs, WhichExhibit};
use crate::context;
use crate::exit::CliError;
use crate::output::{Rows, clean, note, result_line, with_times};

pub(super) fn print_register(case: &Case, kind: Option<&str>, list: &ListArgs) -> anyhow::Result<()> {
    let reader = case.reader()?;
    let mut rows = Rows::new(
        "exhibits",
        &[
            "exhibit",
            "produced by",
            "description",
            "items",
            "files",
            "linked to",
            "custody",
        ],
    );
    for exhibit in exhibits::list(reader.facts())? {
        if kind.is_some_and(|kind| kind != exhibit.reference.kind()) {
            continue;
        }
        let links = links::of_exhibit(reader.facts(), &exhibit)?;
        let register = Register::read(reader.facts(), &exhibit)?;
        let linked: Vec<String> = links.iter().map(|link| link.target.text().to_owned()).collect();
        let files = register.files.iter().filter(|file| file.withdrawn.is_none()).count();
        let custody = match (register.continuity.len(), register.gaps.len()) {
            (0, _) => "nothing on record".to_owned(),
            (entries, 0) => format!("{entries} entries"),
            (entries, gaps) => format!("{entries} entries, {gaps} gaps"),
        };
        let cells = vec![
            exhibit.reference.to_string(),
            clean(&exhibit.produced_by),
            clean(&exhibit.description),
            exhibit.count.to_string(),
            files.to_string(),
            clean(&linked.join(", ")),
            custody,
        ];
        let mut object = serde_json::to_value(&exhibit)?;
        object["kind"] = register.kind.into();
        object["file_form"] = register.file_form.into();
        object["details"] = serde_json::to_value(&register.details)?;
        object["links"] = serde_json::to_value(&links)?;
        object["files"] = files.into();
        object["parts"] = register
            .parts
            .iter()
            .filter(|part| part.withdrawn.is_none())
            .count()
            .into();
        object["continuity"] = register.continuity.len().into();
        object["gaps"] = register.gaps.len().into();
        with_times(&mut object);
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), Vec::new())
}

pub(super) fn show(case: &Case, which: &WhichExhibit, limit: &LimitArgs, list: &ListArgs) -> anyhow::Result<()> {
    let searcher = Searcher::open(case)?;
    let exhibit = find(searcher.reader().facts(), which)?;
    let texts = StoredTexts::new(case);
    let shown = view(&searcher, &texts, &exhibit, context::limit(limit))?;
    if list.format.is_some_and(|format| format == crate::args::Format::Csv) {
        return Err(CliError::usage("one exhibit is no list: --format table or json"));
    }
    if context::format(list) != crate::args::Format::Table {
        let mut object = serde_json::to_value(&shown)?;
        object["schema"] = crate::output::SCHEMA.into();
        object["changes"] = serde_json::to_value(exhibits::changes(searcher.reader().facts(), &exhibit)?)?;
        object["events"] = serde_json::to_value(sets::events(searcher.reader().facts(), exhibit.set_id)?)?;
        with_times(&mut object);
        return result_line!("{}", serde_json::to_string_pretty(&object)?);
    }
    let register = &shown.register;
    let said = |head: &str, text: &str| -> anyhow::Result<()> {
        if text.is_empty() {
            Ok(())
        } else {
            result_line!("{head:<14} {}", clean(text))
        }
    };
    said(
        "Exhibit",
        &format!(
            "{} ({}; file name {})",
            exhibit.reference, register.kind, register.file_form
        ),
    )?;
    said("Description", &exhibit.description)?;
    said("Produced by", &exhibit.produced_by)?;
    said("Produced on", &exhibit.produced_on)?;
    for (detail, text) in &register.details {
        said(detail.words(), text)?;
    }
    said("Items", &format!("{}; query {}", exhibit.count, shown.query))?;
    for item in &shown.items {
        let date = item.date.as_deref().unwrap_or("undated");
        said("", &format!("{} {} {} {}", item.item_no, item.kind, date, item.title))?;
    }
    for file in &register.files {
        let gone = file
            .withdrawn
            .as_ref()
            .map_or(String::new(), |by| format!(" (withdrawn by {})", by.actor));
        said(
            "File",
            &format!(
                "{}: {}, {} bytes, sha256 {}{gone}",
                file.file_id, file.name, file.size, file.sha256
            ),
        )?;
    }
    for view in &shown.part_texts {
        let part = &view.part;
        let page = part.page.map_or(String::new(), |page| format!(", page {page}"));
        let selection = part.selection.as_ref().map_or(String::new(), |one| {
            format!(
                ", bytes {}..{}, sha256 {}: {}",
                one.first, one.last, one.sha256, one.text
            )
        });
        let state = match (&part.withdrawn, view.still_there) {
            (Some(by), _) => format!(" (withdrawn by {})", by.actor),
            (None, Some(false)) => " (the text is another one now)".to_owned(),
            (None, Some(true) | None) => String::new(),
        };
        said(
            "Part",
            &format!("{}: item {}{page}{selection}{state}", part.part_id, part.item_no),
        )?;
    }
    for link in &shown.links {
        said("Linked to", &format!("{}, by {}", link.target.text(), link.actor))?;
    }
    for line in &shown.cases {
        said(
            "Case",
            &format!(
                "{}: {}; embley timeline {}",
                line.case_ref,
                line.why.join(", "),
                line.case_ref
            ),
        )?;
        for entry in &line.entries {
            let when = entry.when.as_deref().unwrap_or("undated");
            said("", &format!("{when} {}: {}", entry.what, entry.sentence))?;
        }
    }
    said("Decisions", &shown.decisions.join(" "))?;
    for held in &shown.notes {
        if let Some(newest) = held.newest().filter(|version| !version.withdrawn) {
            said("Note", &format!("{}: {} ({})", held.note_id, newest.text, newest.actor))?;
        }
    }
    print_custody(register)
}

fn print_custody(register: &Register) -> anyhow::Result<()> {
    for entry in &register.continuity {
        let state = entry
            .corrected_by
            .map_or(String::new(), |by| format!(" (corrected by entry {by})"));
        let to = if entry.to.is_empty() {
            String::new()
        } else {
            format!(" to {}", entry.to)
        };
        let words = format!(
            "{}: {} {} by {}{to}{state}",
            entry.entry_id,
            entry.at.said,
            entry.handling.word(),
            entry.by
        );
        result_line!("{:<14} {}", "Custody", clean(&words))?;
    }
    for gap in &register.gaps {
        result_line!("{:<14} {}", "Gap", clean(&gap.sentence))?;
    }
    Ok(())
}

pub(super) fn continuity(case: &Case, asked: &ContinuityArgs, stamp: Stamp<'_>) -> anyhow::Result<()> {
    if let Some(word) = &asked.add {
        enter(case, asked, word, stamp)?;
    }
    let reader = case.reader()?;
    let exhibit = find(reader.facts(), &asked.which)?;
    let register = Register::read(reader.facts(), &exhibit)?;
    if asked.html {
        return print_page(case, stamp, asked.out.as_deref(), |printed| {
            continuity_page(&register, printed)
        });
    }
    if asked.add.is_some() {
        for gap in &register.gaps {
            note!("gap: {}", clean(&gap.sentence));
        }
        return Ok(());
    }
    let mut rows = Rows::new(
        "entries",
        &[
            "entry",
            "when",
            "until",
            "what",
            "by",
            "from",
            "to",
            "place",
            "seal before",
            "seal after",
            "hash before",
            "hash after",
            "note",
            "corrects",
        ],
    );
    for entry in &register.continuity {
        let corrected = entry
            .corrected_by
            .map_or(String::new(), |by| format!("corrected by entry {by}; "));
        let cells = vec![
            entry.entry_id.to_string(),
            entry.at.said.clone(),
            entry.until.as_ref().map_or(String::new(), |until| until.said.clone()),
            entry.handling.word().to_owned(),
            entry.by.clone(),
            entry.from.clone(),
            entry.to.clone(),
            entry.place.clone(),
            entry.seal_before.clone(),
            entry.seal_after.clone(),
            entry.hash_before.clone(),
            entry.hash_after.clone(),
            format!("{corrected}{}", entry.note),
            entry.corrects.map_or(String::new(), |one| one.to_string()),
        ];
        let mut object = serde_json::to_value(entry)?;
        with_times(&mut object);
        rows.push(cells, object)?;
    }
    let gaps = serde_json::to_value(&register.gaps)?;
    let extra = vec![("exhibit", json!(exhibit.reference)), ("gaps", gaps)];
    rows.print(context::format(&asked.list), extra)?;
    for gap in &register.gaps {
        note!("gap: {}", clean(&gap.sentence));
    }
    Ok(())
}

fn enter(case: &Case, asked: &ContinuityArgs, word: &str, stamp: Stamp<'_>) -> anyhow::Result<()> {
    let zone = zone_of(case)?;
    let handling =
        Handling::from_word(word).ok_or_else(|| CliError::usage(format!("{word:?} is no entry of continuity")))?;
    let at = match &asked.at {
        Some(text) => moment(text, &zone)?,
        None => Moment {
            said: jiff::Timestamp::from_microsecond(stamp.at_micros)?
                .strftime("%Y-%m-%dT%H:%M:%S+00:00")
                .to_string(),
            utc_micros: stamp.at_micros.div_euclid(1_000_000) * 1_000_000,
        },
    };
    let until = asked.until.as_deref().map(|text| moment(text, &zone)).transpose()?;
    let entry = NewEntry {
        handling,
        at: &at,
        until: until.as_ref(),
        by: asked.by.as_deref().unwrap_or(stamp.actor),
        from: &asked.from,
        to: &asked.to,
        place: &asked.place,
        seal_before: &asked.seal_before,
        seal_after: &asked.seal_after,
        hash_before: &asked.hash_before,
        hash_after: &asked.hash_after,
        note: &asked.note,
        corrects: asked.corrects,
    };
    let writer = case.facts()?;
    let exhibit = find(case.reader()?.facts(), &asked.which)?;
    let number = continuity::add(writer.connection(), &exhibit, &entry, stamp)?;
    note!("{}: entry {number}, {word} at {}", exhibit.reference, at.said);
    Ok(())
}
