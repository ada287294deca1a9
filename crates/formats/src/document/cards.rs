//! Calendars (RFC 5545) and cards (RFC 6350, and vCard 2.1 and 3.0 before it).
//!
//! Main function: [`read`]. The package `calcard` gives names and values, decoded; lines of the file that it left out are appended as they stand, so that a
//! broken entry is found too. Pictures and attachments inside become members.

use calcard::common::PartialDateTime;
use calcard::icalendar::{ICalendar, ICalendarValue};
use calcard::vcard::{VCard, VCardValue};
use calcard::{Entry, Parser};
use embley_model::defect::DefectCode;

use super::draft::Draft;
use super::guard::guarded;
use super::known::Known;
use crate::opened::MetaField;
use crate::text::decode;

const READER: &str = "calcard/0.3.14";
/// A line without a blank longer than this is encoded data.
const DATA_CHARS: usize = 400;

/// Reads all calendars and cards of a file.
pub(super) fn read(bytes: &[u8], draft: &mut Draft<'_>) {
    draft.reader(READER);
    let decoded = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, skip)) => encoding.decode_without_bom_handling(&bytes[skip..]).0,
        None => {
            let decoded = decode(bytes, None);
            if decoded.lossy {
                draft.partly();
            }
            decoded.text
        }
    };
    let entries = guarded(draft, READER, || {
        let mut parser = Parser::new(&decoded);
        let mut entries = Vec::new();
        // Each entry takes at least one byte; a parser that stands still is left.
        for _ in 0..decoded.len() {
            match parser.entry() {
                Entry::Eof => break,
                entry => entries.push(entry),
            }
        }
        entries
    });
    let mut odd = 0;
    for entry in entries.unwrap_or_default() {
        match entry {
            Entry::ICalendar(calendar) => events(&calendar, draft),
            Entry::VCard(card) => person(&card, draft),
            _ => odd += 1,
        }
    }
    if odd > 0 {
        draft.defect(
            DefectCode::DocStructure,
            format!("{odd} lines or components are not as they should be; kept as text"),
        );
    }
    let known = Known::of(draft.text());
    for line in unfolded(&decoded) {
        let value = line.split_once(':').map_or(line.as_str(), |(_, value)| value);
        let is_data = value.len() > DATA_CHARS && !value.contains(' ');
        let plain = value
            .replace("\\n", "\n")
            .replace("\\N", "\n")
            .replace("\\,", ",")
            .replace("\\;", ";");
        if !is_data && !known.holds(&plain) && !line.to_ascii_uppercase().contains("QUOTED-PRINTABLE") {
            draft.lines(&line);
        }
    }
}

/// Lines with their continuations joined (RFC 5545 section 3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), out.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => out.push(line.to_owned()),
        }
    }
    out
}

fn events(calendar: &ICalendar, draft: &mut Draft<'_>) {
    for component in &calendar.components {
        draft.lines(component.component_type.as_str());
        for entry in &component.entries {
            let name = entry.name.as_str();
            let mut line = format!("{name}:");
            for parameter in &entry.params {
                if let Some(value) = parameter.value.as_text() {
                    line.push(' ');
                    line.push_str(value);
                }
            }
            for value in &entry.values {
                match value {
                    ICalendarValue::Binary(content) => {
                        draft.member(format!("{name}.bin").as_bytes(), &mut content.as_slice());
                    }
                    ICalendarValue::PartialDateTime(time) => {
                        if let Some(time) = written(time) {
                            line.push(' ');
                            line.push_str(&time);
                        }
                    }
                    ICalendarValue::Integer(number) => line.push_str(&format!(" {number}")),
                    ICalendarValue::Float(number) => line.push_str(&format!(" {number}")),
                    other => {
                        if let Some(text) = other.as_text() {
                            line.push(' ');
                            line.push_str(text);
                        }
                    }
                }
            }
            let value = line[name.len() + 1..].trim();
            match name {
                "SUMMARY" => draft.field(MetaField::Title, value),
                "ORGANIZER" => draft.field(MetaField::Author, value),
                "CREATED" => draft.field(MetaField::Created, value),
                "LAST-MODIFIED" => draft.field(MetaField::Modified, value),
                "CATEGORIES" => draft.field(MetaField::Keywords, value),
                "PRODID" => draft.field(MetaField::Program, value),
                _ => {}
            }
            draft.lines(&line);
        }
    }
}

/// A time as the file writes it: with a zone only where it has one. A local time of the zone that a parameter names, or of whoever reads it (RFC 5545 section
/// 3.3.5), is none of UTC.
fn written(time: &PartialDateTime) -> Option<String> {
    let text = time.to_rfc3339()?;
    if time.tz_hour.is_some() {
        return Some(text);
    }
    let local = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"));
    Some(local.map_or_else(|| text.clone(), str::to_owned))
}

fn person(card: &VCard, draft: &mut Draft<'_>) {
    for entry in &card.entries {
        let name = entry.name.as_str();
        let mut line = format!("{name}:");
        for value in &entry.values {
            match value {
                VCardValue::Binary(data) => {
                    let content: &[u8] = &data.data;
                    draft.member(format!("{name}.bin").as_bytes(), &mut &content[..]);
                }
                VCardValue::Component(parts) => {
                    for part in parts {
                        line.push(' ');
                        line.push_str(part);
                    }
                }
                VCardValue::PartialDateTime(time) => {
                    if let Some(time) = written(time) {
                        line.push(' ');
                        line.push_str(&time);
                    }
                }
                VCardValue::Integer(number) => line.push_str(&format!(" {number}")),
                VCardValue::Float(number) => line.push_str(&format!(" {number}")),
                other => {
                    if let Some(text) = other.as_text() {
                        line.push(' ');
                        line.push_str(text);
                    }
                }
            }
        }
        let value = line[name.len() + 1..].trim();
        match name {
            "FN" => draft.field(MetaField::Title, value),
            "ORG" => draft.field(MetaField::Company, value),
            "REV" => draft.field(MetaField::Modified, value),
            "PRODID" => draft.field(MetaField::Program, value),
            _ => {}
        }
        draft.lines(&line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_is_not_said_to_be_utc() {
        let noon = PartialDateTime {
            year: Some(2020),
            month: Some(7),
            day: Some(1),
            hour: Some(12),
            minute: Some(0),
            second: Some(0),
            ..PartialDateTime::default()
        };
        assert_eq!(written(&noon).as_deref(), Some("2020-07-01T12:00:00"));
        let utc = PartialDateTime {
            tz_hour: Some(0),
            tz_minute: Some(0),
            ..noon
        };
        assert_eq!(written(&utc).as_deref(), Some("2020-07-01T12:00:00Z"));
    }
}
