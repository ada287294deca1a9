//! The drawing: axis, bands of gaps, a lane for each person and role and for each sort of entries, undated entries in a lane of their own.
//!
//! Not for: which entry stands where (`lanes`). Main function: [`drawing`]. Invariant: every mark is a link to its row of the table and says in a title
//! what it stands for; no text of evidence stands in an attribute.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::super::entry::{Entry, EntryKind, Timeline};
use super::super::marks::MarkKind;
use super::escape::{cut, esc};
use super::glyph::{Sign, of_entry, of_mark};
use super::lanes::{BIN, Bar, Group, Lane, lanes};
use super::scale::Scale;

const WIDTH: f64 = 1280.0;
const LEFT: f64 = 236.0;
const RIGHT: f64 = 1262.0;
const AXIS: f64 = 46.0;
const LANE: f64 = 34.0;
const BAR: f64 = 14.0;
const COUNTED: f64 = 46.0;
/// Undated entries that are drawn one by one.
const MOST_UNDATED: usize = 120;
/// Entries that a title of several lists.
const LISTED: usize = 6;
/// Letters of a title.
const TITLE_CHARS: usize = 220;

/// What the drawing holds, for the words beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Dated entries, the beginnings and ends of roles that are bars among them.
    pub(super) entries: usize,
    /// Marks that stand for several entries.
    pub(super) several: usize,
    /// Moments outside the drawn time, shown at its edge.
    pub(super) outside: usize,
}

/// Draws a timeline; `None` when nothing in it is dated and nobody has a role.
pub(super) fn drawing(timeline: &Timeline, zone: &TimeZone) -> Option<(String, Drawn)> {
    let entries = timeline.entries.iter().filter_map(|entry| entry.utc_secs);
    let roles = timeline
        .roles
        .iter()
        .flat_map(|role| [role.from_secs, role.until_secs])
        .flatten();
    let marks = timeline.marks.iter().map(|mark| mark.at_secs);
    let scale = Scale::new(entries.chain(roles).chain(marks).collect(), LEFT, RIGHT)?;
    let lanes = lanes(timeline, &scale);
    let mut drawing = Drawing {
        timeline,
        scale: &scale,
        out: String::new(),
        grounds: String::new(),
        y: AXIS + 8.0,
        drawn: Drawn {
            entries: timeline.entries.len() - timeline.undated as usize,
            several: 0,
            outside: scale.outside,
        },
    };
    drawing.lane_of_marks();
    for (nth, lane) in lanes.iter().enumerate() {
        drawing.lane(lane, nth);
    }
    let bottom = drawing.y;
    drawing.undated();
    let (lanes, grounds, height, drawn) = (drawing.out, drawing.grounds, drawing.y + 6.0, drawing.drawn);
    let mut out = String::with_capacity(lanes.len() + 8192);
    // Writing to a string cannot fail; so it is for every `write!` here.
    let _ = writeln!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" height=\"{height:.0}\" role=\"group\" aria-labelledby=\"dt dd\">\
         <title id=\"dt\">Drawn timeline</title><desc id=\"dd\">Lanes from top to bottom: records that do not fit together and clocks without an entry, the case, people with \
         their roles, other entries by sort, undated entries. Each sign is a link to its row in the table.</desc>\n\
         <defs><pattern id=\"hatch\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"3\" height=\"8\" class=\"gap\"/></pattern></defs>"
    );
    out.push_str(&grounds);
    axis(&mut out, &scale, zone, bottom);
    bands(&mut out, timeline, &scale, bottom);
    out.push_str(&lanes);
    out.push_str("</svg>\n");
    Some((out, drawn))
}

fn axis(out: &mut String, scale: &Scale, zone: &TimeZone, bottom: f64) {
    out.push_str("<g class=\"axis\" aria-hidden=\"true\">\n");
    for tick in scale.ticks(zone) {
        let class = if tick.year.is_some() { "year" } else { "month" };
        let _ = write!(
            out,
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{AXIS}\" y2=\"{bottom:.0}\"/><text class=\"small\" x=\"{at:.1}\" y=\"{y}\">{label}</text>",
            x = tick.x,
            at = tick.x + 3.0,
            y = AXIS - 4.0,
            label = esc(&tick.label)
        );
        if let Some(year) = &tick.year {
            let _ = write!(
                out,
                "<text class=\"yeartext\" x=\"{:.1}\" y=\"{}\">{}</text>",
                tick.x + 3.0,
                AXIS - 20.0,
                esc(year)
            );
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "<line class=\"base\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{AXIS}\" y2=\"{AXIS}\"/></g>"
    );
}

/// Times without an entry, behind all lanes.
fn bands(out: &mut String, timeline: &Timeline, scale: &Scale, bottom: f64) {
    for (place, mark) in timeline.marks.iter().enumerate() {
        let Some(until) = mark.until_secs.filter(|_| mark.kind == MarkKind::Gap) else {
            continue;
        };
        let (left, right) = (scale.x(mark.at_secs), scale.x(until));
        let _ = writeln!(
            out,
            "<a href=\"#m{n}\" class=\"sign\" data-mark=\"{word}\"><title>{title}</title>\
             <rect class=\"band\" x=\"{left:.1}\" y=\"{AXIS}\" width=\"{width:.1}\" height=\"{height:.0}\" fill=\"url(#hatch)\"/></a>",
            n = place + 1,
            word = mark.kind.word(),
            title = esc(&cut(&mark.spoken(), TITLE_CHARS)),
            width = (right - left).max(2.0),
            height = bottom - AXIS
        );
    }
}

struct Drawing<'a> {
    timeline: &'a Timeline,
    scale: &'a Scale,
    out: String,
    grounds: String,
    y: f64,
    drawn: Drawn,
}

impl Drawing<'_> {
    fn begin(&mut self, name: &str, detail: &str, height: f64, shaded: bool) {
        // Grounds lie beneath the bands of gaps, which go through all lanes.
        let shade = if shaded { " shaded" } else { "" };
        let _ = writeln!(
            self.grounds,
            "<rect class=\"ground{shade}\" x=\"0\" y=\"{:.0}\" width=\"{WIDTH}\" height=\"{height:.0}\"/>",
            self.y
        );
        let _ = writeln!(
            self.out,
            "<g class=\"lane\" role=\"group\"><title>{full}</title>\
             <text class=\"name\" x=\"8\" y=\"{name_y:.0}\">{name}</text><text class=\"detail\" x=\"8\" y=\"{detail_y:.0}\">{detail}</text>",
            full = esc(&format!("{name}: {detail}")),
            name_y = self.y + 15.0,
            detail_y = self.y + 28.0,
            name = esc(&cut(name, 33)),
            detail = esc(&cut(detail, 38)),
        );
    }

    fn end(&mut self, height: f64) {
        self.out.push_str("</g>\n");
        self.y += height;
    }

    /// Records that do not fit together, and clocks without an entry.
    fn lane_of_marks(&mut self) {
        let timeline = self.timeline;
        let mut groups: Vec<(f64, Vec<usize>)> = Vec::new();
        for (place, mark) in timeline.marks.iter().enumerate() {
            let x = self.scale.x(mark.at_secs);
            match groups.last_mut() {
                _ if mark.kind == MarkKind::Gap => {}
                Some((start, places)) if x - *start < 17.0 => places.push(place),
                Some(_) | None => groups.push((x, vec![place])),
            }
        }
        let gaps = timeline.marks.iter().filter(|mark| mark.kind == MarkKind::Gap).count();
        if timeline.marks.is_empty() {
            return;
        }
        let detail = format!("{} here, {gaps} gaps hatched", timeline.marks.len() - gaps);
        self.begin("Due, or does not fit", &detail, LANE, true);
        let middle = self.y + LANE / 2.0;
        for (x, places) in groups {
            let marks: Vec<_> = places.iter().filter_map(|place| timeline.marks.get(*place)).collect();
            // Records that do not fit come before clocks.
            let Some(kind) = marks
                .iter()
                .map(|mark| mark.kind)
                .max_by_key(|kind| kind.is_contradiction())
            else {
                continue;
            };
            let said: Vec<String> = marks.iter().map(|mark| mark.spoken()).collect();
            let first = places.first().map_or(0, |place| place + 1);
            let _ = write!(
                self.out,
                "<a href=\"#m{first}\" class=\"sign\" data-mark=\"{}\"><title>{}</title>",
                kind.word(),
                esc(&listed(&said))
            );
            self.sign(of_mark(kind), x, middle);
            self.count(x, middle, places.len());
            self.out.push_str("</a>\n");
        }
        self.end(LANE);
    }

    fn lane(&mut self, lane: &Lane, nth: usize) {
        let rows = lane.rows.max(1) as f64;
        let height = if lane.bins.is_some() {
            COUNTED
        } else {
            LANE + (rows - 1.0) * (BAR + 3.0)
        };
        self.begin(&lane.name, &lane.detail, height, nth % 2 == 1);
        for bar in &lane.bars {
            self.bar(bar);
        }
        match lane.bins {
            Some(highest) => {
                for group in &lane.marks {
                    self.bin(group, highest, height);
                }
            }
            None => {
                let middle = self.y + height / 2.0;
                for (at, group) in lane.marks.iter().enumerate() {
                    let room = lane.marks.get(at + 1).map_or(f64::MAX, |next| next.x - group.x);
                    self.group(group, middle, room);
                }
            }
        }
        self.end(height);
    }

    fn bar(&mut self, bar: &Bar) {
        let y = self.y + (LANE - BAR) / 2.0 + bar.row as f64 * (BAR + 3.0);
        let link = bar.place.map(|place| place + 1);
        match link {
            Some(place) => {
                let _ = write!(self.out, "<a href=\"#e{place}\" class=\"sign\" data-kind=\"role\">");
            }
            None => self.out.push_str("<g class=\"sign\" data-kind=\"role\">"),
        }
        let _ = write!(
            self.out,
            "<title>{}</title><rect class=\"bar\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\"/>",
            esc(&bar.words),
            bar.left,
            bar.right - bar.left
        );
        // An arrow where no start or no end is on record, or it lies outside the drawing.
        let middle = y + BAR / 2.0;
        if bar.open.0 {
            let x = bar.left;
            let _ = write!(
                self.out,
                "<path class=\"open\" d=\"M{:.1},{y:.1}L{x:.1},{middle:.1}L{:.1},{:.1}\"/>",
                x + 7.0,
                x + 7.0,
                y + BAR
            );
        }
        if bar.open.1 {
            let x = bar.right;
            let _ = write!(
                self.out,
                "<path class=\"open\" d=\"M{:.1},{y:.1}L{x:.1},{middle:.1}L{:.1},{:.1}\"/>",
                x - 7.0,
                x - 7.0,
                y + BAR
            );
        }
        self.out.push_str(if link.is_some() { "</a>\n" } else { "</g>\n" });
    }

    /// One entry, or several that would cover one another.
    fn group(&mut self, group: &Group, middle: f64, room: f64) {
        let timeline = self.timeline;
        let entries: Vec<&Entry> = group
            .places
            .iter()
            .filter_map(|place| timeline.entries.get(*place))
            .collect();
        let (Some(first), Some(place)) = (entries.first(), group.places.first()) else {
            return;
        };
        let kind = shown_kind(&entries).unwrap_or(first.kind);
        self.open_link(kind, *place, &entries);
        self.sign(of_entry(kind), group.x, middle);
        self.count(group.x, middle, entries.len());
        if entries.len() == 1 && room > 24.0 {
            let _ = write!(
                self.out,
                "<text class=\"number\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                group.x,
                middle + 15.5,
                place + 1
            );
        }
        self.out.push_str("</a>\n");
    }

    fn open_link(&mut self, kind: EntryKind, place: usize, entries: &[&Entry]) {
        if entries.len() > 1 {
            self.drawn.several += 1;
        }
        let said: Vec<String> = entries
            .iter()
            .take(LISTED + 1)
            .map(|entry| entry_title(entry))
            .collect();
        let title = if entries.len() > LISTED {
            let shown = said.iter().take(LISTED).cloned().collect::<Vec<_>>().join("\n");
            format!(
                "{} entries\n{shown}\nand {} more",
                entries.len(),
                entries.len() - LISTED
            )
        } else {
            listed(&said)
        };
        let _ = write!(
            self.out,
            "<a href=\"#e{}\" class=\"sign\" data-kind=\"{}\" data-count=\"{}\"><title>{}</title>",
            place + 1,
            kind.word(),
            entries.len(),
            esc(&title)
        );
    }

    fn bin(&mut self, group: &Group, highest: u64, height: f64) {
        let timeline = self.timeline;
        let entries: Vec<&Entry> = group
            .places
            .iter()
            .filter_map(|place| timeline.entries.get(*place))
            .collect();
        let (Some(first), Some(place)) = (entries.first(), group.places.first()) else {
            return;
        };
        let share = entries.len() as f64 / highest.max(1) as f64;
        let tall = (share * (height - 8.0)).max(2.0);
        self.open_link(first.kind, *place, &entries);
        let _ = writeln!(
            self.out,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/></a>",
            of_entry(first.kind).class,
            group.x,
            self.y + height - 3.0 - tall,
            BIN - 1.0
        );
    }

    fn sign(&mut self, sign: Sign, x: f64, y: f64) {
        let _ = write!(
            self.out,
            "<path class=\"{}\" fill-rule=\"evenodd\" d=\"{}\" transform=\"translate({x:.1},{y:.1})\"/>",
            sign.class, sign.path
        );
    }

    /// How many a sign stands for, when it is not one.
    fn count(&mut self, x: f64, y: f64, count: usize) {
        if count > 1 {
            let wide = 7.0 + 5.5 * count.to_string().len() as f64;
            let _ = write!(
                self.out,
                "<rect class=\"badge\" x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"12\" rx=\"6\"/><text class=\"badgetext\" x=\"{:.1}\" y=\"{:.1}\">{count}</text>",
                x + 2.0,
                y - 15.0,
                x + 2.0 + wide / 2.0,
                y - 5.8
            );
        }
    }

    /// Undated entries, side by side: their place says nothing of time.
    fn undated(&mut self) {
        let timeline = self.timeline;
        let first = timeline.entries.iter().position(|entry| entry.utc_secs.is_none());
        let Some(first) = first else { return };
        let count = timeline.entries.len() - first;
        let shown = count.min(MOST_UNDATED);
        let columns = 40;
        let rows = shown.div_ceil(columns) as f64;
        let height = LANE + (rows - 1.0) * 24.0;
        self.y += 10.0;
        let detail = if shown < count {
            format!("{count}; the first {shown} drawn")
        } else {
            format!("{count}; place says no time")
        };
        self.begin("Undated", &detail, height, true);
        for (nth, entry) in timeline.entries.iter().skip(first).take(shown).enumerate() {
            let x = LEFT + 14.0 + (nth % columns) as f64 * 25.4;
            let y = self.y + LANE / 2.0 - 2.0 + (nth / columns) as f64 * 24.0;
            self.open_link(entry.kind, first + nth, &[entry]);
            self.sign(of_entry(entry.kind), x, y);
            let _ = writeln!(
                self.out,
                "<text class=\"number\" x=\"{x:.1}\" y=\"{:.1}\">{}</text></a>",
                y + 15.5,
                first + nth + 1
            );
        }
        self.end(height);
    }
}

/// A decision shows itself before what lies beneath it; else the kind that most have.
fn shown_kind(entries: &[&Entry]) -> Option<EntryKind> {
    if entries.iter().any(|entry| entry.kind == EntryKind::Decision) {
        return Some(EntryKind::Decision);
    }
    entries.first().map(|entry| entry.kind)
}

fn entry_title(entry: &Entry) -> String {
    let when = entry.local.as_deref().unwrap_or("undated");
    cut(&format!("{when} {}", entry.sentence), TITLE_CHARS)
}

fn listed(said: &[String]) -> String {
    let mut words: Vec<String> = said.iter().take(LISTED).map(|one| cut(one, TITLE_CHARS)).collect();
    if said.len() > LISTED {
        words.push(format!("and {} more", said.len() - LISTED));
    }
    words.join("\n")
}
