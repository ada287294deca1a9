//! `embley exhibit`: the exhibit officer's register. It works while an ingest runs.

use std::path::Path;

use embley_casework::exhibits::{Printed, Register, label_page, moment};
use embley_casework::texts::StoredTexts;
use embley_casework::zone_of;
use embley_model::id::ItemNo;
use embley_search::ItemText;
use embley_store::disk::{Disk, RealDisk};
use embley_store::facts::details::{self, Detail};
use embley_store::facts::exhibit_parts::{self, NewPart, Selection};
use embley_store::facts::exhibits::{self, Exhibit};
use embley_store::facts::journal::Which;
use embley_store::facts::{AskedRef, Connection, ExhibitRef, FactsError, Stamp, exhibit_files, links};
use embley_store::{Access, Case, StoreError};
use roaring::RoaringBitmap;

use super::casework::{reason, targets};
use super::exhibit_show::{continuity, print_register, show};
use super::journal;
use crate::args::{Args, ExhibitAddArgs, ExhibitCommand, ExhibitLinkArgs, ExhibitRemoveArgs, WhichExhibit};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{clean, note, result_line, results};

/// Exhibits.
pub(crate) fn exhibit(args: &Args, command: &ExhibitCommand) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    match command {
        ExhibitCommand::Add(asked) => add(&case, asked, stamp)?,
        ExhibitCommand::Remove(asked) => remove(&case, asked, stamp)?,
        ExhibitCommand::List { kind, list } => print_register(&case, kind.as_deref(), list)?,
        ExhibitCommand::Show { which, limit, list } => show(&case, which, limit, list)?,
        ExhibitCommand::File { which, file } => return write_file(&case, which, file),
        ExhibitCommand::Link(asked) => link(&case, asked, stamp)?,
        ExhibitCommand::Unlink(asked) => unlink(&case, asked, stamp)?,
        ExhibitCommand::Continuity(asked) => continuity(&case, asked, stamp)?,
        ExhibitCommand::Label {
            references,
            all,
            produced_by,
            out,
        } => {
            let reader = case.reader()?;
            let mut chosen = Vec::new();
            if *all {
                chosen = exhibits::list(reader.facts())?;
            }
            for reference in references {
                chosen.push(exhibits::find(
                    reader.facts(),
                    &reference_of(reference)?,
                    produced_by.as_deref(),
                )?);
            }
            if chosen.is_empty() {
                return Err(CliError::usage("no exhibit given: name exhibits, or use --all"));
            }
            let mut registers = Vec::new();
            for exhibit in &chosen {
                registers.push(Register::read(reader.facts(), exhibit)?);
            }
            print_page(&case, stamp, out.as_deref(), |printed| label_page(&registers, printed))?;
        }
        ExhibitCommand::History { which, list } => {
            let reader = case.reader()?;
            let exhibit = find(reader.facts(), which)?;
            let asked = Which {
                exhibit: Some(&exhibit),
                ..Which::default()
            };
            journal::print(reader.facts(), asked, None, list)?;
        }
    }
    Ok(exit::DONE)
}

fn reference_of(text: &str) -> anyhow::Result<ExhibitRef> {
    Ok(text.parse::<ExhibitRef>()?)
}

/// The exhibit that is meant.
pub(crate) fn find(conn: &Connection, which: &WhichExhibit) -> anyhow::Result<Exhibit> {
    Ok(exhibits::find(
        conn,
        &reference_of(&which.reference)?,
        which.produced_by.as_deref(),
    )?)
}

fn add(case: &Case, asked: &ExhibitAddArgs, stamp: Stamp<'_>) -> anyhow::Result<()> {
    let reader = case.reader()?;
    let zone = zone_of(case)?;
    let wanted: AskedRef = asked.reference.parse()?;
    let items = targets(case, &reader, &asked.target)?;
    let part = part_of(case, asked, &items)?;
    let time = |text: &Option<String>| -> anyhow::Result<Option<String>> {
        Ok(text
            .as_deref()
            .map(|text| moment(text, &zone))
            .transpose()?
            .map(|moment| moment.said))
    };
    let (produced_on, found_on, booked_in_on) = (
        time(&asked.produced_on)?,
        time(&asked.found_on)?,
        time(&asked.booked_in_on)?,
    );
    let details: Vec<(Detail, &str)> = [
        (Detail::FoundBy, &asked.found_by),
        (Detail::FoundOn, &found_on),
        (Detail::FoundAt, &asked.found_at),
        (Detail::BookedInBy, &asked.booked_in_by),
        (Detail::BookedInOn, &booked_in_on),
        (Detail::KeptAt, &asked.kept_at),
        (Detail::Quantity, &asked.quantity),
    ]
    .into_iter()
    .filter_map(|(detail, text)| text.as_deref().map(|text| (detail, text)))
    .collect();
    let said = exhibits::Said {
        produced_by: asked.produced_by.as_deref(),
        produced_on: produced_on.as_deref(),
        description: asked.description.as_deref(),
    };
    // Copies first: each is durable before the catalogue speaks of it.
    let mut kept = Vec::new();
    for path in &asked.file {
        kept.push(exhibit_files::keep(case, path).map_err(|error| match error {
            StoreError::Io {
                doing: "read",
                path,
                source,
            } => CliError::input(format!("cannot read {}: {source}", path.display())),
            other => other.into(),
        })?);
    }
    let mut writer = case.facts()?;
    let done = writer.transaction(|conn| {
        let reference = match &wanted {
            AskedRef::Given(reference) => reference.clone(),
            AskedRef::Next(next) => exhibits::next_free(conn, next)?,
        };
        let registered = exhibits::register(conn, &reference, &said, stamp)?;
        details::say(conn, &registered.exhibit, &details, stamp)?;
        let change = exhibits::add_items(conn, &registered.exhibit, &items, &reason(&asked.target), stamp)?;
        for file in &kept {
            exhibit_files::add(conn, &registered.exhibit, file, stamp)?;
        }
        if let Some(part) = &part {
            exhibit_parts::add(conn, &registered.exhibit, part, stamp)?;
        }
        Ok::<_, FactsError>((reference, registered, change))
    });
    let (reference, registered, change) = done?;
    for clash in &registered.clashes {
        note!(
            "warning: {} also produces under these initials ({})",
            clean(&clash.produced_by),
            clash.reference
        );
    }
    note!(
        "{reference}: {} items added, {} were there, {} in it now",
        change.changed,
        change.as_before,
        change.members
    );
    for file in &kept {
        note!(
            "{reference}: file {}, {} bytes, sha256 {}",
            clean(&file.name),
            file.size,
            file.sha256
        );
    }
    if let AskedRef::Next(_) = wanted {
        result_line!("{reference}")?;
    }
    Ok(())
}

/// The part of an item that is asked for.
fn part_of(case: &Case, asked: &ExhibitAddArgs, items: &RoaringBitmap) -> anyhow::Result<Option<NewPart>> {
    if asked.page.is_none() && asked.quote.is_none() && asked.bytes.is_none() {
        return Ok(None);
    }
    let (Some(item), 1) = (items.min(), items.len()) else {
        return Err(CliError::usage(format!(
            "--page, --quote and --bytes are about one item, and {} are named",
            items.len()
        )));
    };
    let text = || -> anyhow::Result<String> {
        StoredTexts::new(case)
            .text(ItemNo(item))
            .map_err(|error| anyhow::anyhow!("the text of item {item}: {error}"))
    };
    let selection = match (&asked.quote, &asked.bytes) {
        (Some(quote), _) => Some(Selection::quoted(&text()?, quote)?),
        (None, Some(bytes)) => {
            let range = bytes
                .split_once("..")
                .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
            let (first, last) =
                range.ok_or_else(|| CliError::usage(format!("{bytes:?} is no range of bytes, FIRST..LAST")))?;
            Some(Selection::of(&text()?, first, last)?)
        }
        (None, None) => None,
    };
    Ok(Some(NewPart {
        item: ItemNo(item),
        page: asked.page,
        selection,
    }))
}

fn remove(case: &Case, asked: &ExhibitRemoveArgs, stamp: Stamp<'_>) -> anyhow::Result<()> {
    let reader = case.reader()?;
    let items = targets(case, &reader, &asked.target)?;
    if items.is_empty() && asked.target.query.is_none() && asked.file.is_empty() && asked.part.is_empty() {
        return Err(CliError::usage(
            "nothing to take out: name items, or use --query, --ids, --file or --part",
        ));
    }
    let reference = reference_of(&asked.reference)?;
    let mut why = reason(&asked.target);
    if !asked.note.is_empty() {
        let stop = if why.is_empty() { "" } else { "; " };
        why = format!("{why}{stop}{}", asked.note);
    }
    let exhibit = exhibits::find(case.reader()?.facts(), &reference, asked.produced_by.as_deref())?;
    let mut writer = case.facts()?;
    let change = writer.transaction(|conn| {
        for file in &asked.file {
            exhibit_files::withdraw(conn, &exhibit, *file, &asked.note, stamp)?;
        }
        for part in &asked.part {
            exhibit_parts::withdraw(conn, &exhibit, *part, &asked.note, stamp)?;
        }
        exhibits::remove_items(conn, &exhibit, &items, &why, stamp)
    })?;
    note!(
        "{reference}: {} items taken out, {} files and {} parts withdrawn, {} items in it now",
        change.changed,
        asked.file.len(),
        asked.part.len(),
        change.members
    );
    Ok(())
}

fn write_file(case: &Case, which: &WhichExhibit, wanted: &str) -> anyhow::Result<u8> {
    let reader = case.reader()?;
    let exhibit = find(reader.facts(), which)?;
    let files = exhibit_files::of(reader.facts(), &exhibit)?;
    let wanted = wanted.trim().to_ascii_lowercase();
    let chosen: Vec<_> = files
        .iter()
        .filter(|file| file.file_id.to_string() == wanted || wanted.len() >= 6 && file.sha256.starts_with(&wanted))
        .collect();
    let Some(file) = chosen
        .first()
        .filter(|first| chosen.iter().all(|one| one.sha256 == first.sha256))
    else {
        return Err(CliError::usage(format!(
            "exhibit {} has {} files {wanted:?}; `embley exhibit show {}` lists them",
            exhibit.reference,
            if chosen.is_empty() {
                "no".to_owned()
            } else {
                chosen.len().to_string()
            },
            exhibit.reference
        )));
    };
    let path = exhibit_files::path_of(case, &file.sha256);
    let (size, sha256, _) = exhibit_files::hash(&path)?;
    if size != file.size || sha256.to_hex() != file.sha256 {
        note!(
            "{} does not hold the bytes that were added: sha256 {sha256}, {size} bytes",
            path.display()
        );
        return Ok(exit::DAMAGED);
    }
    std::io::copy(&mut std::fs::File::open(&path)?, &mut results())?;
    Ok(exit::DONE)
}

fn link(case: &Case, asked: &ExhibitLinkArgs, stamp: Stamp<'_>) -> anyhow::Result<()> {
    let writer = case.facts()?;
    let exhibit = exhibits::find(
        case.reader()?.facts(),
        &reference_of(&asked.reference)?,
        asked.produced_by.as_deref(),
    )?;
    let target = links::Target::read(&asked.case_ref);
    let new = links::add(writer.connection(), &exhibit, &target, &asked.note, stamp)?;
    let words = if new { "is now linked to" } else { "was linked to" };
    note!("{} {words} {}", exhibit.reference, clean(&asked.case_ref));
    Ok(())
}

fn unlink(case: &Case, asked: &ExhibitLinkArgs, stamp: Stamp<'_>) -> anyhow::Result<()> {
    let writer = case.facts()?;
    let exhibit = exhibits::find(
        case.reader()?.facts(),
        &reference_of(&asked.reference)?,
        asked.produced_by.as_deref(),
    )?;
    links::end(
        writer.connection(),
        &exhibit,
        &links::Target::read(&asked.case_ref),
        stamp,
    )?;
    note!(
        "{} is linked to {} no more; that it was stays on record",
        exhibit.reference,
        clean(&asked.case_ref)
    );
    Ok(())
}

pub(super) fn print_page(
    case: &Case,
    stamp: Stamp<'_>,
    out: Option<&Path>,
    page: impl FnOnce(Printed<'_>) -> String,
) -> anyhow::Result<()> {
    let at = jiff::Timestamp::from_microsecond(stamp.at_micros)?
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let page = page(Printed {
        case_name: &case.config().name,
        case_reference: &case.config().reference,
        actor: stamp.actor,
        at: &at,
    });
    let Some(path) = out else {
        use std::io::Write;
        results().write_all(page.as_bytes())?;
        return Ok(());
    };
    let mut file = RealDisk.create_new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::usage(format!("{} is there already; name a new file", path.display()))
        }
        _ => CliError::environment(format!("cannot write {}: {error}", path.display())),
    })?;
    file.write_all_at(page.as_bytes(), 0)?;
    file.sync()?;
    crate::audit::made(path);
    note!("written: {}", path.display());
    Ok(())
}
