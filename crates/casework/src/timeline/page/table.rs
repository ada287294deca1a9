//! The table below the drawing: every entry with its day in the zone of the case and in UTC, and the marks between them.
//!
//! Invariant: a row for each entry and each mark, in the order of the timeline, with the id to which the drawing links.

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::entry::{Entry, Line, Precision, Timeline};
use super::super::marks::Mark;
use super::escape::esc;
use super::glyph::{of_entry, of_mark};

/// Writes the table.
pub(super) fn table(out: &mut String, timeline: &Timeline, zone: &TimeZone) {
    let _ = writeln!(
        out,
        "<table><caption>All entries in order, with the marks between them</caption>\n<thead><tr><th scope=\"col\">No.</th><th scope=\"col\">{}</th>\
         <th scope=\"col\">UTC</th><th scope=\"col\">Kind</th><th scope=\"col\">What is on record</th><th scope=\"col\">Item</th>\
         <th scope=\"col\">Exhibits</th></tr></thead>\n<tbody>",
        esc(&timeline.zone)
    );
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, entry) in timeline.entries.iter().enumerate() {
        if let Some(record) = &entry.record {
            places.entry(record).or_insert(place);
        }
    }
    let mut undated = false;
    for line in timeline.lines() {
        match line {
            Line::Entry(place, entry) => {
                if entry.utc_secs.is_none() && !undated {
                    undated = true;
                    let count = timeline.undated;
                    let words = if count == 1 {
                        "entry that gives"
                    } else {
                        "entries that give"
                    };
                    let _ = writeln!(
                        out,
                        "</tbody>\n<tbody>\n<tr class=\"part\"><th colspan=\"7\" scope=\"colgroup\">Undated: {count} {words} no date that can be read</th></tr>"
                    );
                }
                entry_row(out, place, entry, zone);
            }
            Line::Mark(place, mark) => mark_row(out, place, mark, &places),
        }
    }
    out.push_str("</tbody></table>\n");
}

fn entry_row(out: &mut String, place: usize, entry: &Entry, zone: &TimeZone) {
    let n = place + 1;
    let sign = of_entry(entry.kind);
    let _ = write!(
        out,
        "<tr id=\"e{n}\" data-kind=\"{}\"><td class=\"no\">{n}</td>",
        entry.kind.word()
    );
    when(out, entry, zone);
    let _ = write!(
        out,
        "<td class=\"kind\"><svg viewBox=\"-9 -9 18 18\" width=\"15\" height=\"15\" aria-hidden=\"true\"><path class=\"{}\" fill-rule=\"evenodd\" d=\"{}\"/></svg> {}</td><td>{}",
        sign.class,
        sign.path,
        sign.name,
        esc(&entry.sentence)
    );
    if entry.due {
        out.push_str("<small>The date is the day on which it was due.</small>");
    }
    if entry.precision != Precision::None
        && !entry.date_raw.is_empty()
        && entry.confidence < embley_model::date::Confidence::Medium
    {
        let _ = write!(
            out,
            "<small>Date as written: {} (low confidence)</small>",
            esc(&entry.date_raw)
        );
    }
    for twin in &entry.twins {
        let _ = write!(
            out,
            "<small>Same document: {} (item {}, ",
            esc(&twin.name),
            twin.item_no
        );
        match (&twin.said, twin.similarity) {
            (Some(said), _) => {
                let _ = write!(out, "linked {}", esc(said));
            }
            (None, Some(similarity)) if similarity < 1.0 => {
                let _ = write!(
                    out,
                    "{}, {:.0} % alike, confidence {}",
                    twin.reason,
                    similarity * 100.0,
                    twin.confidence
                );
            }
            (None, _) => {
                let _ = write!(out, "{}, confidence {}", twin.reason, twin.confidence);
            }
        }
        out.push_str(")</small>");
    }
    if !entry.why.is_empty() {
        let _ = write!(out, "<small>Here because: {}", esc(&entry.why.join("; ")));
        if let Some(record) = &entry.record {
            let _ = write!(out, " ({})", esc(record));
        }
        out.push_str("</small>");
    }
    out.push_str("</td><td class=\"id\">");
    if let Some(number) = entry.item_no {
        let _ = write!(out, "{number}");
    }
    if let Some(id) = &entry.item {
        let _ = write!(out, "<small>{}</small>", esc(id));
    }
    let _ = writeln!(
        out,
        "</td><td class=\"exhibits\">{}</td></tr>",
        esc(&entry.exhibits.join(", "))
    );
}

fn when(out: &mut String, entry: &Entry, zone: &TimeZone) {
    let stamp = entry.utc_secs.and_then(|secs| Timestamp::from_second(secs).ok());
    let Some(stamp) = stamp else {
        let raw = if entry.date_raw.is_empty() {
            String::new()
        } else {
            format!("<small>as written: {}</small>", esc(&entry.date_raw))
        };
        let _ = write!(out, "<td>undated{raw}</td><td></td>");
        return;
    };
    let zoned = stamp.to_zoned(zone.clone());
    if entry.precision == Precision::Day {
        let _ = write!(
            out,
            "<td><time datetime=\"{}\">{}</time><small>the day; no time on record</small></td><td>from {}</td>",
            zoned.strftime("%Y-%m-%d"),
            zoned.strftime("%a %-d %b %Y"),
            stamp.strftime("%Y-%m-%d %H:%M")
        );
    } else {
        let _ = write!(
            out,
            "<td><time datetime=\"{}\">{}</time><small>{}</small></td><td>{}</td>",
            stamp,
            zoned.strftime("%a %-d %b %Y"),
            zoned.strftime("%H:%M:%S %Z (%:z)"),
            stamp.strftime("%Y-%m-%d %H:%M:%S")
        );
    }
}

fn mark_row(out: &mut String, place: usize, mark: &Mark, places: &HashMap<&str, usize>) {
    let n = place + 1;
    let sign = of_mark(mark.kind);
    let day = mark.local.as_deref().unwrap_or_default();
    let _ = write!(
        out,
        "<tr id=\"m{n}\" class=\"mark\" data-mark=\"{}\"><td class=\"no\">M{n}</td><td colspan=\"2\">{}</td>\
         <td class=\"kind\"><svg viewBox=\"-9 -9 18 18\" width=\"15\" height=\"15\" aria-hidden=\"true\"><path class=\"{}\" fill-rule=\"evenodd\" d=\"{}\"/></svg> {}</td>\
         <td colspan=\"3\">{}",
        mark.kind.word(),
        esc(day),
        sign.class,
        sign.path,
        sign.name,
        esc(&mark.sentence)
    );
    for words in &mark.on_record {
        let _ = write!(out, "<small>Also on record: {}</small>", esc(words));
    }
    if !mark.records.is_empty() {
        out.push_str("<small>Rests on ");
        for (nth, record) in mark.records.iter().enumerate() {
            if nth > 0 {
                out.push_str(", ");
            }
            match places.get(record.as_str()) {
                Some(place) => {
                    let _ = write!(out, "<a href=\"#e{0}\">{1} (no. {0})</a>", place + 1, esc(record));
                }
                None => {
                    let _ = write!(out, "{}", esc(record));
                }
            }
        }
        out.push_str("</small>");
    }
    out.push_str("</td></tr>\n");
}
