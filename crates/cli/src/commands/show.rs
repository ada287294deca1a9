//! `embley show`: one item, as bytes, text, headers, family, instances or thread.

use std::io::Write;

use embley_ingest::Originals;
use embley_model::date::rfc3339;
use embley_model::id::{ItemId, ItemNo};
use embley_store::Access;
use embley_store::catalogue::{CatalogueReader, InstanceRow, ItemRow};
use embley_store::facts::Connection;
use embley_store::facts::member::FactSets;
use embley_store::facts::notes::{self, On};
use serde_json::{Value, json};

use crate::args::{Args, Format, ShowArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{Rows, clean, note, result_line, results, said_unrecorded, with_times};

/// Shows one item.
pub(crate) fn run(args: &Args, show: &ShowArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Read)?;
    let mut originals = Originals::open(&case)?;
    let item = resolve(originals.catalogue(), &show.item)?;
    if show.raw {
        let mut out = std::io::BufWriter::new(results());
        if show.as_found {
            originals.as_found_to(item, &mut out)?;
        } else {
            originals.raw_to(item, &mut out)?;
        }
        out.flush()?;
    } else if show.render.is_some() {
        let rendered = originals.as_eml(item)?.ok_or_else(|| {
            CliError::usage(
                "--as eml renders messages of PST, MSG and TNEF; other mail has its own bytes: --raw".to_owned(),
            )
        })?;
        results().write_all(&rendered)?;
    } else if show.text {
        let text = originals.text(item)?;
        result_line!("{}", text.body)?;
    } else if show.headers {
        let raw = originals.raw(item)?;
        let end = header_end(&raw);
        results().write_all(&raw[..end])?;
    } else if show.instances {
        instances(&originals, item, show)?;
    } else if show.thread {
        super::threads::thread(&case, originals.catalogue(), item, show)?;
    } else if show.near {
        super::threads::near(&case, originals.catalogue(), item, show)?;
    } else if show.family {
        let rows = originals.catalogue().family(item)?;
        list(&originals, &rows, show)?;
    } else {
        one(&originals, item)?;
    }
    Ok(exit::DONE)
}

/// An item by number (`12`, `#12`), by id (`item:ab12…`, with a part path), or by a unique prefix of one.
pub(crate) fn resolve(reader: &CatalogueReader, text: &str) -> anyhow::Result<ItemNo> {
    let text = text.trim();
    let plain = text.strip_prefix('#').unwrap_or(text);
    if !text.starts_with("item:")
        && let Ok(number) = plain.parse::<u32>()
        && plain.len() < 10
    {
        return match reader.brief(ItemNo(number))? {
            Some(brief) => Ok(brief.item_no),
            None => Err(CliError::usage(format!("there is no item {number}"))),
        };
    }
    let id = text.strip_prefix("item:").unwrap_or(text);
    let (hex, part) = id.split_once('/').unwrap_or((id, ""));
    if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(CliError::usage(format!(
            "{text:?} is neither an item number nor an item id"
        )));
    }
    let roots = reader.roots_by_hex(&hex.to_ascii_lowercase())?;
    let root = match roots.as_slice() {
        [one] => *one,
        [] => return Err(CliError::usage(format!("there is no item {text}"))),
        several => {
            return Err(CliError::usage(format!(
                "{text} names {} items; give more digits",
                several.len()
            )));
        }
    };
    if part.is_empty() {
        return Ok(root);
    }
    reader
        .part(root, part)?
        .ok_or_else(|| CliError::usage(format!("item {root} has no part {part}")))
}

fn header_end(raw: &[u8]) -> usize {
    let find = |needle: &[u8]| {
        raw.windows(needle.len())
            .position(|window| window == needle)
            .map(|at| at + needle.len())
    };
    match (find(b"\n\n"), find(b"\r\n\r\n")) {
        (Some(one), Some(other)) => one.min(other),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => raw.len(),
    }
}

pub(crate) fn id_of(reader: &CatalogueReader, row: &ItemRow) -> anyhow::Result<String> {
    let blob = reader
        .blob_of(row.root)?
        .ok_or_else(|| anyhow::anyhow!("item {} has no blob", row.root))?;
    Ok(ItemId {
        root: blob.blake3.half(),
        part: row.part_path.clone(),
    }
    .to_string())
}

fn described(originals: &Originals, row: &ItemRow) -> anyhow::Result<Value> {
    let reader = originals.catalogue();
    let blob = reader
        .blob(row.blob_id)?
        .ok_or_else(|| anyhow::anyhow!("item {} has no blob", row.item_no))?;
    let people: Vec<Value> = row
        .participants
        .iter()
        .map(|one| json!({"role": one.role, "name": one.address.name, "address": one.address.addr}))
        .collect();
    let defects: Vec<Value> = reader
        .defects(row.item_no)?
        .into_iter()
        .map(|one| json!({"code": one.code.text(), "means": one.code.means(), "detail": one.detail, "range": one.range.map(|range| [range.start, range.end])}))
        .collect();
    let opened = originals.opening(row.blob_id)?.map(|one| {
        let fields: serde_json::Map<String, Value> = one
            .opened
            .fields
            .iter()
            .map(|(field, value)| (json!(field).as_str().unwrap_or_default().to_owned(), json!(value)))
            .collect();
        json!({
            "reader": one.opened.reader, "content_type": one.media_type, "fields": fields, "language": one.language(),
            "members": one.members, "needs_ocr": one.opened.needs_ocr, "passwords_tried": one.opened.passwords_tried,
            "password_used": one.opened.password_used, "keys_tried": one.opened.keys_tried, "key_used": one.opened.key_used,
        })
    });
    let keys = row.keys.map(|keys| {
        json!({
            "version": keys.version, "mih": keys.mih.map(|key| key.to_hex()), "email": keys.email.to_hex(),
            "body": keys.body.to_hex(), "family": keys.family.to_hex(),
        })
    });
    Ok(json!({
        "schema": crate::output::SCHEMA,
        "item": id_of(reader, row)?, "item_no": row.item_no.0, "kind": row.kind.word(), "media_type": row.media_type,
        "date": row.date.utc_secs.and_then(rfc3339), "date_raw": row.date.raw, "date_offset_minutes": row.date.offset_minutes,
        "date_source": row.date.source, "date_confidence": row.date.confidence,
        "subject": row.subject, "filename": row.filename, "participants": people, "message_id": row.message_id,
        "in_reply_to": row.in_reply_to, "references": row.references, "labels": row.labels,
        "size": row.size, "sha256": blob.sha256.to_hex(), "blake3": blob.blake3.to_hex(), "keys": keys,
        "family_root": row.root.0, "parent": row.parent.map(|parent| parent.0), "part_path": row.part_path,
        "searchability": row.searchability.word(), "defects": defects, "opened": opened,
    }))
}

fn one(originals: &Originals, item: ItemNo) -> anyhow::Result<()> {
    let row = originals
        .catalogue()
        .item(item)?
        .ok_or_else(|| CliError::usage(format!("there is no item {item}")))?;
    let mut object = described(originals, &row)?;
    beside(originals.catalogue().facts(), item, &mut object)?;
    result_line!("{}", serde_json::to_string_pretty(&said_unrecorded(object))?)?;
    Ok(())
}

/// What people put beside an item: exhibits, tags, cases, marks, review state, notes.
fn beside(conn: &Connection, item: ItemNo, object: &mut Value) -> anyhow::Result<()> {
    for held in FactSets::load(conn)?.of(conn, &[item])? {
        if let (Value::Object(all), Value::Object(more)) = (&mut *object, serde_json::to_value(held)?) {
            all.extend(more);
        }
    }
    let mut standing = notes::of(conn, On::Item(item))?;
    standing.retain(|note| note.newest().is_some_and(|version| !version.withdrawn));
    object["notes"] = standing
        .iter()
        .map(|note| json!({"note": note.note_id, "newest": note.newest()}))
        .collect();
    with_times(&mut object["notes"]);
    Ok(())
}

fn list(originals: &Originals, rows: &[ItemRow], show: &ShowArgs) -> anyhow::Result<()> {
    let mut table = Rows::new("items", &["item", "kind", "date", "part", "title", "size"]);
    for row in rows {
        let title = if row.subject.is_empty() {
            row.filename.clone().unwrap_or_default()
        } else {
            row.subject.clone()
        };
        let cells = vec![
            row.item_no.to_string(),
            row.kind.word().to_owned(),
            row.date
                .utc_secs
                .and_then(rfc3339)
                .unwrap_or_else(|| "undated".to_owned()),
            row.part_path.clone(),
            clean(&title),
            row.size.to_string(),
        ];
        table.push(cells, described(originals, row)?)?;
    }
    table.print(context::format(&show.list), Vec::new())
}

fn instances(originals: &Originals, item: ItemNo, show: &ShowArgs) -> anyhow::Result<()> {
    let reader = originals.catalogue();
    let row = reader
        .item(item)?
        .ok_or_else(|| CliError::usage(format!("there is no item {item}")))?;
    let custodians = reader.custodians()?;
    let mut table = Rows::new(
        "instances",
        &["path", "custodian", "ordinal", "offset", "length", "status", "run"],
    );
    for instance in reader.instances_of(row.root)? {
        let file = reader.file(instance.file_id)?;
        let holder = file.and_then(|file| file.custodian_id);
        let custodian = custodians
            .iter()
            .find(|one| Some(one.custodian_id) == holder)
            .map(|one| one.name.clone());
        push_instance(&mut table, &instance, reader.shown_path(instance.file_id)?, custodian)?;
    }
    let format = context::format(&show.list);
    table.print(format, vec![("item_no", row.item_no.0.into())])?;
    if format == Format::Table && row.root != item {
        note!(
            "item {item} is a part of item {}; these are the places of that one",
            row.root
        );
    }
    Ok(())
}

fn push_instance(
    table: &mut Rows,
    instance: &InstanceRow,
    path: String,
    custodian: Option<String>,
) -> anyhow::Result<()> {
    let object = json!({
        "path": path, "custodian": custodian, "ordinal": instance.ordinal, "offset": instance.offset, "length": instance.length,
        "separator": instance.separator.as_ref().map(|around| separator_of(around, instance.trailer_len)),
        "as_found_differs": instance.as_found_differs, "status": instance.status.word(), "run": instance.run_no.0,
        "second_blake3": instance.second_blake3.map(|hash| hash.to_hex()), "labels": instance.labels,
    });
    let cells = vec![
        clean(&path),
        custodian.unwrap_or_default(),
        instance.ordinal.to_string(),
        instance.offset.to_string(),
        instance.length.to_string(),
        instance.status.word().to_owned(),
        instance.run_no.to_string(),
    ];
    table.push(cells, object)
}

/// The separator line without what stands behind the message.
fn separator_of(around: &[u8], trailer_len: u32) -> String {
    let end = around.len().saturating_sub(trailer_len as usize);
    String::from_utf8_lossy(&around[..end]).into_owned()
}
