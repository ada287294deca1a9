//! A timeline as one page: a drawing and a table, for a panel, in a browser or on paper.
//!
//! Main function: [`page`]. The page stands alone: it asks for nothing outside itself, needs no script and forbids all by its content security policy;
//! its one style sheet is allowed by its hash. Not for: choosing entries. Invariant: text of evidence is text (`escape`), whatever it holds, and every
//! entry and mark has its row.

mod draw;
mod escape;
mod glyph;
mod lanes;
mod scale;
mod table;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use super::entry::{Subject, Timeline};
use super::marks::MarkKind;
use draw::{Drawn, drawing};
use escape::esc;
use glyph::{of_entry, of_mark};

const STYLE: &str = include_str!("style.css");

/// What a page says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Name of the case folder, for people.
    pub case_name: &'a str,
    /// When it is made, microseconds since 1970.
    pub at_micros: i64,
    /// Who makes it.
    pub actor: &'a str,
    /// Version of the program.
    pub version: &'a str,
}

/// The page, as HTML.
pub fn page(timeline: &Timeline, zone: &TimeZone, about: About<'_>) -> String {
    let drawn = drawing(timeline, zone);
    let mut out = String::with_capacity(16_384 + timeline.entries.len() * 900);
    head(&mut out, timeline);
    let _ = writeln!(out, "<header><h1>{}</h1>", esc(&title_of(timeline)));
    if timeline.known_as.len() > 1 {
        let _ = writeln!(out, "<p>Known as {}</p>", esc(&timeline.known_as.join(", ")));
    }
    let _ = writeln!(
        out,
        "<p class=\"plain\">This page says what records and headers say in the material loaded, and concludes nothing. A gap, a clock without an entry, or two records that do not \
         fit together may have a plain explanation that is not on record here.</p>\n<p><a href=\"#entries\">To the table of entries</a></p></header>\n<main>"
    );
    facts(&mut out, timeline, drawn.as_ref().map(|(_, drawn)| *drawn), about, zone);
    out.push_str("<section aria-labelledby=\"h-drawn\"><h2 id=\"h-drawn\">Drawn</h2>\n");
    match &drawn {
        Some((svg, _)) => {
            legend(&mut out, timeline);
            let _ = writeln!(
                out,
                "<div class=\"drawing\" tabindex=\"0\" role=\"region\" aria-label=\"Drawn timeline, scrolls sideways\">\n{svg}</div>"
            );
        }
        None => out.push_str("<p>Nothing here has a date.</p>\n"),
    }
    out.push_str("</section>\n");
    marks(&mut out, timeline);
    out.push_str("<section aria-labelledby=\"entries\"><h2 id=\"entries\">Entries</h2>\n");
    table::table(&mut out, timeline, zone);
    out.push_str("</section>\n</main>\n</body></html>\n");
    out
}

/// `Timeline of case CM/2019/17`.
pub fn title_of(timeline: &Timeline) -> String {
    match &timeline.subject {
        Subject::Case(case_ref) => format!("Timeline of case {case_ref}"),
        Subject::Person(person) => format!("Timeline of {person}"),
    }
}

fn head(out: &mut String, timeline: &Timeline) {
    let hash = Base64::encode_string(&Sha256::digest(STYLE.as_bytes()));
    let _ = writeln!(
        out,
        "<!doctype html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>{STYLE}</style></head>\n<body>",
        esc(&title_of(timeline))
    );
}

/// What is on the page, in numbers.
fn facts(out: &mut String, timeline: &Timeline, drawn: Option<Drawn>, about: About<'_>, zone: &TimeZone) {
    let mut rows: Vec<(&str, String)> = Vec::new();
    rows.push(("Case folder", about.case_name.to_owned()));
    let dated: Vec<i64> = timeline.entries.iter().filter_map(|entry| entry.utc_secs).collect();
    let day =
        |secs: i64| Timestamp::from_second(secs).map(|at| at.to_zoned(zone.clone()).strftime("%-d %b %Y").to_string());
    rows.push((
        "Entries",
        format!("{}, of them {} undated", timeline.entries.len(), timeline.undated),
    ));
    if let (Some(first), Some(last)) = (dated.first(), dated.last())
        && let (Ok(first), Ok(last)) = (day(*first), day(*last))
    {
        rows.push(("From, to", format!("{first} to {last}")));
    }
    let count = |wanted: fn(MarkKind) -> bool| timeline.marks.iter().filter(|mark| wanted(mark.kind)).count();
    rows.push((
        "Marks",
        format!(
            "{} gaps, {} clocks without an entry in time, {} places where records do not fit together",
            count(|kind| kind == MarkKind::Gap),
            count(|kind| kind == MarkKind::DueWithoutEntry),
            count(MarkKind::is_contradiction)
        ),
    ));
    if !timeline.limits.is_empty() {
        rows.push(("Limited to", timeline.limits.join("; ")));
    }
    if timeline.left_out > 0 {
        rows.push((
            "Left out",
            format!("{} messages that name no case on record", timeline.left_out),
        ));
    }
    if let Some(drawn) = drawn {
        let mut said = vec![format!("{} dated entries", drawn.entries)];
        if drawn.several > 0 {
            said.push(format!("{} signs stand for several entries each (their number stands beside them, or is the height of a bar); the table has every one", drawn.several));
        }
        if drawn.outside > 0 {
            said.push(format!(
                "{} dates lie far outside and are drawn at the edge",
                drawn.outside
            ));
        }
        rows.push(("Drawn", said.join("; ")));
    }
    rows.push((
        "Times",
        format!(
            "{}, with UTC beside; a day without a time stands at its beginning",
            timeline.zone
        ),
    ));
    let made = Timestamp::from_microsecond(about.at_micros).map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    rows.push((
        "Made",
        format!(
            "{} by {}, embley {}",
            made.unwrap_or_default(),
            about.actor,
            about.version
        ),
    ));
    out.push_str("<dl>\n");
    for (name, words) in rows {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", esc(&words));
    }
    out.push_str("</dl>\n");
}

fn legend(out: &mut String, timeline: &Timeline) {
    let kinds: BTreeSet<_> = timeline.entries.iter().map(|entry| entry.kind).collect();
    let mut signs: Vec<_> = kinds.into_iter().map(of_entry).collect();
    signs.extend(timeline.marks.iter().map(|mark| of_mark(mark.kind)));
    let mut seen = BTreeSet::new();
    out.push_str("<ul class=\"legend\">\n");
    if !timeline.roles.is_empty() {
        out.push_str("<li><svg viewBox=\"0 0 30 14\" width=\"30\" height=\"14\" aria-hidden=\"true\"><rect class=\"bar\" width=\"30\" height=\"14\" rx=\"3\"/></svg> role, an arrow where no end is on record</li>\n");
    }
    for sign in signs {
        if sign.class != "role" && seen.insert(sign.name) {
            let _ = writeln!(
                out,
                "<li><svg viewBox=\"-9 -9 18 18\" width=\"18\" height=\"18\" aria-hidden=\"true\"><path class=\"{}\" fill-rule=\"evenodd\" d=\"{}\"/></svg> {}</li>",
                sign.class, sign.path, sign.name
            );
        }
    }
    out.push_str("</ul>\n");
}

/// The marks by themselves, before the table in which they stand among the entries.
fn marks(out: &mut String, timeline: &Timeline) {
    if timeline.marks.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"h-marks\"><h2 id=\"h-marks\">Gaps, clocks, records that do not fit together</h2>\n<ol class=\"marks\">"
    );
    for (place, mark) in timeline.marks.iter().enumerate() {
        let sign = of_mark(mark.kind);
        let _ = writeln!(
            out,
            "<li><svg viewBox=\"-9 -9 18 18\" width=\"15\" height=\"15\" aria-hidden=\"true\"><path class=\"{}\" fill-rule=\"evenodd\" d=\"{}\"/></svg> \
             <a href=\"#m{}\">{}</a> {}</li>",
            sign.class,
            sign.path,
            place + 1,
            esc(mark.local.as_deref().unwrap_or_default()),
            esc(&mark.spoken())
        );
    }
    out.push_str("</ol></section>\n");
}
