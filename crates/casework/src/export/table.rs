//! The columns of lists of items, once for CSV, XLSX, DAT and pages.
//!
//! Main table: [`COLUMNS`]. Values of one cell are joined with `; `. Times are RFC 3339 in UTC.

use embley_model::address::Role;

use super::entry::Entry;
use super::names;

/// A column.
pub(super) struct Column {
    /// Its name in CSV, JSON and XLSX.
    pub(super) name: &'static str,
    /// Its name in a load file.
    pub(super) load: &'static str,
    /// True when it says something only where originals or texts are in the export.
    pub(super) of_files: bool,
    /// The cell.
    pub(super) cell: fn(&Entry) -> String,
}

const fn column(name: &'static str, load: &'static str, cell: fn(&Entry) -> String) -> Column {
    Column {
        name,
        load,
        of_files: false,
        cell,
    }
}

const fn of_files(name: &'static str, load: &'static str, cell: fn(&Entry) -> String) -> Column {
    Column {
        name,
        load,
        of_files: true,
        cell,
    }
}

/// All columns, in order.
pub(super) const COLUMNS: &[Column] = &[
    column("control", "BEGDOC", |entry| entry.control.clone()),
    column("control_end", "ENDDOC", |entry| entry.control.clone()),
    column("family_begin", "BEGATTACH", |entry| entry.family.0.clone()),
    column("family_end", "ENDATTACH", |entry| entry.family.1.clone()),
    column("parent_control", "PARENTID", |entry| {
        entry.parent.clone().unwrap_or_default()
    }),
    column("family", "FAMILYID", |entry| entry.hit.family.to_string()),
    column("attachments", "ATTACHCOUNT", |entry| entry.attachments.to_string()),
    column("item", "ITEMID", |entry| entry.hit.item.to_string()),
    column("item_no", "ITEMNO", |entry| entry.hit.item_no.to_string()),
    column("kind", "RECORDTYPE", |entry| entry.hit.kind.word().to_owned()),
    column("custodian", "CUSTODIAN", |entry| {
        entry.hit.custodians.first().cloned().unwrap_or_default()
    }),
    column("custodians", "ALLCUSTODIANS", |entry| joined(&entry.hit.custodians)),
    column("date", "DATEUTC", |entry| entry.hit.date.clone().unwrap_or_default()),
    column("date_local", "DATELOCAL", |entry| {
        entry.hit.date_local.clone().unwrap_or_default()
    }),
    column("date_raw", "DATERAW", |entry| entry.hit.date_raw.clone()),
    column("from", "FROM", |entry| entry.hit.from.clone()),
    column("to", "TO", |entry| joined(&entry.hit.to)),
    column("cc", "CC", |entry| joined(&entry.addresses(Role::Cc))),
    column("bcc", "BCC", |entry| joined(&entry.addresses(Role::Bcc))),
    column("subject", "SUBJECT", |entry| entry.hit.subject.clone()),
    column("filename", "FILENAME", |entry| {
        entry.row.filename.clone().unwrap_or_default()
    }),
    column("extension", "FILEEXT", |entry| {
        let name = entry.row.filename.as_deref();
        names::ending(entry.row.kind, &entry.row.media_type, name)
    }),
    column("size", "FILESIZE", |entry| entry.hit.size.to_string()),
    column("media_type", "MIMETYPE", |entry| entry.hit.media_type.clone()),
    column("message_id", "MESSAGEID", |entry| {
        entry.hit.message_id.clone().unwrap_or_default()
    }),
    column("in_reply_to", "INREPLYTO", |entry| joined(&entry.row.in_reply_to)),
    column("references", "REFERENCES", |entry| joined(&entry.row.references)),
    column("mih", "EDRMMIH", Entry::mih),
    column("thread", "THREADID", |entry| {
        entry.hit.thread.clone().unwrap_or_default()
    }),
    of_files("md5", "MD5HASH", |entry| {
        entry
            .native
            .as_ref()
            .map_or_else(String::new, |native| native.md5.clone())
    }),
    of_files("sha1", "SHA1HASH", |entry| {
        entry
            .native
            .as_ref()
            .map_or_else(String::new, |native| native.sha1.clone())
    }),
    column("sha256", "SHA256HASH", |entry| entry.hit.sha256.to_hex()),
    column("language", "LANGUAGE", |entry| {
        entry.hit.language.clone().unwrap_or_default()
    }),
    column("searchability", "SEARCHABLE", |entry| {
        entry.hit.searchability.to_owned()
    }),
    column("defects", "DEFECTS", |entry| entry.hit.defects.join("; ")),
    column("exhibits", "EXHIBITS", |entry| joined(&entry.hit.exhibits)),
    column("tags", "TAGS", |entry| joined(&entry.hit.tags)),
    column("privilege", "PRIVILEGE", |entry| joined(&entry.hit.privilege)),
    column("review", "REVIEW", |entry| entry.hit.review.clone().unwrap_or_default()),
    column("cases", "CASES", |entry| joined(&entry.hit.cases)),
    column("people", "PEOPLE", |entry| joined(&entry.hit.people)),
    column("labels", "LABELS", |entry| joined(&entry.row.labels)),
    column("instances", "INSTANCES", |entry| entry.hit.instances.to_string()),
    column("paths", "SOURCEPATHS", |entry| joined(&entry.paths)),
    of_files("native", "NATIVELINK", |entry| {
        entry
            .native
            .as_ref()
            .map_or_else(String::new, |native| native.path.clone())
    }),
    of_files("rendered", "RENDEREDLINK", |entry| {
        let rendered = entry.native.as_ref().and_then(|native| native.rendered.clone());
        rendered.unwrap_or_default()
    }),
    of_files("text", "TEXTLINK", |entry| {
        let path = entry.text.as_ref().and_then(|text| text.path.clone());
        path.unwrap_or_default()
    }),
];

/// The columns of a form.
pub(super) fn columns(with_files: bool) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(move |column| with_files || !column.of_files)
}

fn joined(values: &[String]) -> String {
    values.join("; ")
}
