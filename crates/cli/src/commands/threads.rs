//! `embley show ITEM --thread` and `--near`: a thread as a tree with the reason of each link, and near-duplicates.

use embley_casework::texts::StoredTexts;
use embley_model::date::rfc3339;
use embley_model::id::ItemNo;
use embley_search::ItemText;
use embley_search::threads::{
    Alteration, AlterationKind, Inclusion, MissingMessage, NEAR_THRESHOLD, NodeKind, NotFoundWith, StoredThreads,
    ThreadMessage, ThreadView, jaccard, near_group,
};
use embley_store::Case;
use embley_store::catalogue::CatalogueReader;
use serde_json::{Value, json};

use super::show::id_of;
use crate::args::{Format, ShowArgs};
use crate::context;
use crate::exit::CliError;
use crate::output::{Rows, clean, note};

/// Prints the thread of a message.
pub(crate) fn thread(case: &Case, reader: &CatalogueReader, item: ItemNo, show: &ShowArgs) -> anyhow::Result<()> {
    let texts = (!show.no_texts).then(|| StoredTexts::new(case));
    let texts = texts.as_ref().map(|texts| texts as &dyn ItemText);
    let links = StoredThreads::new();
    let view = ThreadView::read(reader, &links, item, texts)?.ok_or_else(|| {
        CliError::usage(format!(
            "item {item} is no message; `--family` shows the message it belongs to"
        ))
    })?;
    let mut table = Rows::new(
        "nodes",
        &["item", "date", "from", "subject", "link", "held by", "notes"],
    );
    for node in &view.nodes {
        let indent = "  ".repeat(node.depth.min(20));
        let mut object = serde_json::to_value(node)?;
        let cells = match &node.what {
            NodeKind::Message(message) => {
                if let (Some(object), Some(row)) = (object.as_object_mut(), reader.item(ItemNo(message.item_no))?) {
                    object.insert("item".to_owned(), id_of(reader, &row)?.into());
                }
                message_cells(&indent, message)
            }
            NodeKind::Missing(missing) => missing_cells(&indent, missing),
        };
        table.push(cells, object)?;
    }
    let format = context::format(&show.list);
    let extra: Vec<(&'static str, Value)> = vec![
        ("thread", view.thread.clone().into()),
        ("held", view.held.into()),
        ("missing", view.missing.into()),
        ("texts_read", view.texts_read.into()),
    ];
    table.print(format, extra)?;
    if format == Format::Table {
        note!(
            "{}: {} held, {} named and not held",
            view.thread,
            view.held,
            view.missing
        );
    }
    Ok(())
}

fn message_cells(indent: &str, message: &ThreadMessage) -> Vec<String> {
    let mut notes: Vec<String> = message.oddities.iter().map(|one| (*one).to_owned()).collect();
    notes.extend(message.inclusion.iter().map(inclusion_note));
    notes.extend(message.not_found_with.iter().map(absence_note));
    let altered = message
        .alterations
        .iter()
        .filter(|one| one.kind != AlterationKind::LinesLeftOut);
    notes.extend(altered.map(alteration_note));
    vec![
        format!("{indent}{}", message.item_no),
        message.date.clone().unwrap_or_else(|| "undated".to_owned()),
        clean(&message.from),
        clean(&message.subject),
        message.reason_detail.clone(),
        clean(&message.custodians.join(", ")),
        clean(&notes.join("; ")),
    ]
}

fn inclusion_note(one: &Inclusion) -> String {
    let word = if one.inclusive { "inclusive" } else { "not inclusive" };
    format!("{word}: {}", one.reason)
}

fn absence_note(one: &NotFoundWith) -> String {
    format!(
        "names {} and was not found with them ({} would explain it)",
        one.custodian, one.may_be
    )
}

fn alteration_note(one: &Alteration) -> String {
    let may_be = one
        .may_be
        .map_or(String::new(), |may_be| format!(" ({may_be} would explain it)"));
    format!(
        "quotes item {} with a difference: \"{}\" for \"{}\"{may_be}",
        one.original_item, one.quoted_passage, one.original_passage
    )
}

fn missing_cells(indent: &str, missing: &MissingMessage) -> Vec<String> {
    let between = match (&missing.not_before, &missing.not_after) {
        (Some(after), Some(before)) => format!("{after} .. {before}"),
        (Some(after), None) => format!("after {after}"),
        (None, Some(before)) => format!("before {before}"),
        (None, None) => String::new(),
    };
    let named: Vec<String> = missing.named_by.iter().map(u32::to_string).collect();
    vec![
        format!("{indent}not held"),
        between,
        clean(missing.quoted_as.as_deref().unwrap_or_default()),
        clean(&missing.message_id),
        format!("named by {}", named.join(", ")),
        String::new(),
        format!(
            "for: {}; against: {}",
            missing.speaks_for.join(", "),
            missing.speaks_against.join(", ")
        ),
    ]
}

/// Prints the near-duplicates of a message.
pub(crate) fn near(case: &Case, reader: &CatalogueReader, item: ItemNo, show: &ShowArgs) -> anyhow::Result<()> {
    let texts = StoredTexts::new(case);
    let rows = near_group(reader, item)?;
    let own = texts.text(item).map_err(anyhow::Error::from_boxed)?;
    let mut table = Rows::new("near", &["item", "date", "subject", "estimated", "measured", ""]);
    for near in &rows {
        let Some(row) = reader.item(ItemNo(near.item))? else {
            continue;
        };
        let estimated = f64::from(near.similarity) / 255.0;
        let measured = jaccard(&own, &texts.text(row.item_no).map_err(anyhow::Error::from_boxed)?);
        let leads = near.item == near.representative;
        let object = json!({
            "item": id_of(reader, &row)?, "item_no": near.item, "representative": leads,
            "estimated_to_representative": (estimated * 1000.0).round() / 1000.0, "similarity": measured.map(|one| (one * 1000.0).round() / 1000.0),
            "date": row.date.utc_secs.and_then(rfc3339), "subject": row.subject,
        });
        let cells = vec![
            near.item.to_string(),
            row.date
                .utc_secs
                .and_then(rfc3339)
                .unwrap_or_else(|| "undated".to_owned()),
            clean(&row.subject),
            format!("{estimated:.2}"),
            measured.map_or(String::new(), |one| format!("{one:.3}")),
            if leads { "representative" } else { "" }.to_owned(),
        ];
        table.push(cells, object)?;
    }
    let format = context::format(&show.list);
    let threshold = (f64::from(NEAR_THRESHOLD) * 1000.0).round() / 1000.0;
    table.print(
        format,
        vec![("item_no", item.0.into()), ("threshold", threshold.into())],
    )?;
    if format == Format::Table && rows.is_empty() {
        note!("no message is {threshold} alike to item {item} or more, by sketches of five words in a row");
    }
    Ok(())
}
