//! An item in one line, for a schedule: individually, from its own fields and nothing else.

use embley_model::address::Role;
use embley_model::date::rfc3339;
use embley_model::item::ItemKind;
use embley_store::catalogue::ItemRow;

/// Recipients that are named.
const MOST_NAMED: usize = 3;
/// Letters of a subject or name that are kept.
const MOST_LETTERS: usize = 200;

/// Describes an item that nobody described.
pub(super) fn describe(row: &ItemRow) -> String {
    let date = date(row);
    match row.kind {
        ItemKind::Email => {
            let from = people(row, Role::From).unwrap_or_else(|| "somebody who is not named".to_owned());
            let to = people(row, Role::To).map(|to| format!(" to {to}")).unwrap_or_default();
            format!("E-mail from {from}{to}, {date}, subject {}", quoted(&row.subject))
        }
        ItemKind::Attachment => format!("Attachment {}, of a message of {date}", file(row)),
        ItemKind::Document => format!("Document {}, {date}", file(row)),
        ItemKind::Record => format!("Record of a case system, {date}: {}", quoted(&row.subject)),
    }
}

/// The date as a schedule shows it.
pub(super) fn date(row: &ItemRow) -> String {
    row.date.utc_secs.and_then(rfc3339).map_or_else(
        || "undated".to_owned(),
        |date| date.replace('T', " ").replace('Z', " UTC"),
    )
}

fn file(row: &ItemRow) -> String {
    let name = row.filename.as_deref().filter(|name| !name.is_empty());
    let name = name.map_or_else(|| "without a name".to_owned(), quoted);
    let kind = if row.media_type.is_empty() {
        "type not known"
    } else {
        &row.media_type
    };
    format!("{name} ({kind}, {} bytes)", row.size)
}

fn people(row: &ItemRow, role: Role) -> Option<String> {
    let all: Vec<String> = row
        .participants
        .iter()
        .filter(|one| one.role == role)
        .map(|one| one.address.display())
        .collect();
    let (named, others) = all.split_at(all.len().min(MOST_NAMED));
    let text = named.join(", ");
    match (text.is_empty(), others.len()) {
        (true, _) => None,
        (false, 0) => Some(text),
        (false, more) => Some(format!("{text} and {more} more")),
    }
}

fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept: String = line.chars().take(MOST_LETTERS).collect();
    let cut = if kept.len() < line.len() { " [...]" } else { "" };
    format!("\"{kept}{cut}\"")
}
