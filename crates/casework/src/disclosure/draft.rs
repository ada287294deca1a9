//! From the state of a case to a draft of a schedule.

use embley_model::id::{ItemId, ItemNo};
use embley_search::standing::TOOL;
use embley_search::{Asked, Searcher};
use embley_store::Case;
use embley_store::catalogue::ItemRow;
use embley_store::facts::disclosure::{self, State};
use embley_store::facts::schedules::{self, Form};
use embley_store::facts::{exhibits, sets};
use roaring::RoaringBitmap;

use super::describe::{date, describe};
use super::gather::Material;
use super::{Draft, SCHEMA, Schedule, report, title};
use crate::error::{CaseworkError, Result};

/// What a draft is made from.
pub struct Sources<'a> {
    /// The case.
    pub case: &'a Case,
    /// What the actor may see of it.
    pub searcher: &'a Searcher,
    /// Who asks, and when.
    pub asked: Asked<'a>,
    /// The officer who will sign.
    pub officer: &'a str,
}

/// Drafts a schedule. Nothing is put on record.
///
/// # Errors
/// The case cannot be read.
pub fn draft(sources: &Sources<'_>, form: Form) -> Result<Draft> {
    let material = Material::read(sources.case, sources.searcher)?;
    let mut draft = begin(sources, form)?;
    match form {
        Form::Mg6c => non_sensitive(&material, &mut draft)?,
        Form::Mg6d => sensitive(&material, &mut draft)?,
        Form::Mg6e => report::report(&material, &mut draft)?,
        Form::Mg12 => exhibit_list(&material, &mut draft)?,
    }
    Ok(draft)
}

fn begin(sources: &Sources<'_>, form: Form) -> Result<Draft> {
    let config = sources.case.config();
    let next = schedules::next(sources.searcher.reader().facts(), form)?;
    let banner = match form {
        Form::Mg6c | Form::Mg12 => None,
        Form::Mg6d => Some("SENSITIVE - NOT TO BE DISCLOSED TO THE DEFENCE"),
        Form::Mg6e => Some("FOR THE PROSECUTOR - NOT TO BE DISCLOSED TO THE DEFENCE"),
    };
    Ok(Draft {
        form,
        schedule: Schedule {
            schema: SCHEMA,
            form: form.word().to_owned(),
            title: title(form).to_owned(),
            issued: false,
            serial: next.serial,
            first_no: next.entry_no,
            case: config.name.clone(),
            reference: config.reference.clone(),
            case_id: config.id.clone(),
            officer: sources.officer.to_owned(),
            made_by: sources.asked.who.to_owned(),
            made_at: sources.asked.when(),
            tool: TOOL.to_owned(),
            banner: banner.map(str::to_owned),
            statements: Vec::new(),
            columns: Vec::new(),
            rows: Vec::new(),
        },
        items: Vec::new(),
        warnings: Vec::new(),
    })
}

fn columns(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn non_sensitive(material: &Material<'_>, draft: &mut Draft) -> Result<()> {
    let chosen = material.non_sensitive()?;
    let schedule = &mut draft.schedule;
    schedule.columns = columns(&["no.", "description", "date", "where held"]);
    for (number, item) in (schedule.first_no..).zip(&chosen.items) {
        let row = material.row(item)?;
        let words = material.described.get(&row.item_no).cloned();
        schedule.rows.push(vec![
            number.to_string(),
            words.unwrap_or_else(|| describe(&row)),
            date(&row),
            held(material, &row)?,
        ]);
        draft.items.push(row.item_no);
    }
    schedule.statements.push(match draft.items.len() {
        0 if schedule.first_no == 1 => "There is no non-sensitive unused material to list.".to_owned(),
        0 => "There is no further non-sensitive unused material to list.".to_owned(),
        count => format!(
            "Relevant unused material that is not sensitive: items {} to {}. Numbers go on over all schedules of this form.",
            schedule.first_no,
            schedule.first_no + count as u64 - 1
        ),
    });
    let mut warn = |count: u64, words: &str| {
        if count > 0 {
            draft
                .warnings
                .push(format!("{count} unused items are not listed: {words}"));
        }
    };
    warn(
        chosen.privileged,
        "they, or their family, are marked as possibly privileged",
    );
    warn(
        chosen.family,
        "their family, or what lies in them, has sensitive material, or a copy of some; describe them in words of your own (`disclosure describe`) and they are listed so",
    );
    warn(
        chosen.same_bytes,
        "they have the same bytes as an item that is sensitive",
    );
    Ok(())
}

fn sensitive(material: &Material<'_>, draft: &mut Draft) -> Result<()> {
    let (items, privileged) = material.sensitive()?;
    let reasons = disclosure::reasons(material.reader().facts(), State::Sensitive)?;
    let schedule = &mut draft.schedule;
    schedule.columns = columns(&["no.", "description", "reason for sensitivity", "date", "where held"]);
    for (number, item) in (schedule.first_no..).zip(&items) {
        let row = material.row(item)?;
        let reason = reasons.iter().find(|one| one.items.contains(item));
        let words = material.described.get(&row.item_no).cloned();
        schedule.rows.push(vec![
            number.to_string(),
            words.unwrap_or_else(|| describe(&row)),
            reason.map(|one| one.reason.clone()).unwrap_or_default(),
            date(&row),
            held(material, &row)?,
        ]);
        draft.items.push(row.item_no);
    }
    schedule.statements.push(match draft.items.len() {
        0 if schedule.first_no == 1 => "NIL: there is no sensitive unused material to list.".to_owned(),
        0 => "NIL: there is no further sensitive unused material to list.".to_owned(),
        count => format!(
            "Relevant unused material that is sensitive: items {} to {}. Numbers go on over all schedules of this form.",
            schedule.first_no,
            schedule.first_no + count as u64 - 1
        ),
    });
    if privileged > 0 {
        draft.warnings.push(format!(
            "{privileged} sensitive items are not listed: they, or their family, are marked as possibly privileged"
        ));
    }
    Ok(())
}

fn exhibit_list(material: &Material<'_>, draft: &mut Draft) -> Result<()> {
    let facts = material.reader().facts();
    let schedule = &mut draft.schedule;
    schedule.columns = columns(&["no.", "exhibit", "description", "produced by", "produced on", "items"]);
    for (number, exhibit) in (1_u64..).zip(exhibits::list(facts)?) {
        let items = sets::members(facts, exhibit.set_id)? & &material.visible;
        schedule.rows.push(vec![
            number.to_string(),
            exhibit.reference.to_string(),
            exhibit.description,
            exhibit.produced_by,
            exhibit.produced_on,
            items.len().to_string(),
        ]);
    }
    schedule.statements.push(match schedule.rows.len() {
        0 => "There are no exhibits on the register.".to_owned(),
        count => format!("{count} exhibits on the register."),
    });
    // An exhibit list numbers its own lines.
    schedule.first_no = 1;
    Ok(())
}

/// Where an item is held: its id, which is the same in every case.
pub(super) fn held(material: &Material<'_>, row: &ItemRow) -> Result<String> {
    let blob = material.reader().blob_of(row.root)?;
    let blob = blob.ok_or_else(|| CaseworkError::Request {
        detail: format!("item {} has no bytes in the catalogue; run `embley verify`", row.root),
    })?;
    let id = ItemId {
        root: blob.blake3.half(),
        part: row.part_path.clone(),
    };
    Ok(id.to_string())
}

/// The numbers that items of a set have on the issued schedules of a form.
pub(super) fn numbers(material: &Material<'_>, form: Form, items: &RoaringBitmap) -> Result<Vec<(u64, ItemNo)>> {
    let listed = schedules::listed(material.reader().facts(), form)?;
    Ok(listed.into_iter().filter(|(_, item)| items.contains(item.0)).collect())
}
