//! Documents on A4 as PDF: headings, paragraphs, tables that go on over pages with their head, blocks to sign.
//!
//! Fonts (DejaVu Sans Condensed) are embedded, so that a page looks the same everywhere. A letter that the font lacks, and a character that
//! turns the direction of text, is shown as its number, `[U+4E2D]`: nothing disappears. Right-to-left scripts are drawn letter by letter in
//! the order of the text. Not for: what a document says. Main type: [`Paper`]. Invariant: the same content gives the same bytes.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};

use crate::error::{CaseworkError, Result};

/// A4 in points, and its margins.
const SHORT: f32 = 595.0;
const LONG: f32 = 842.0;
const MARGIN: f32 = 42.0;
const SMALL: f32 = 8.0;
const NORMAL: f32 = 9.0;
const LARGE: f32 = 14.0;
const LEADING: f32 = 1.3;
const PADDING: f32 = 3.0;

/// A document in the making.
pub(crate) struct Paper {
    fonts: Fonts,
    width: f32,
    height: f32,
    title: String,
    when: String,
    pages: Vec<Vec<Mark>>,
    /// Where the next line goes, from the top.
    at: f32,
    banner: Option<String>,
}

enum Mark {
    Text {
        x: f32,
        y: f32,
        size: f32,
        bold: bool,
        text: String,
    },
    Line {
        from: (f32, f32),
        to: (f32, f32),
    },
}

struct Fonts {
    plain: Face,
    bold: Face,
}

struct Face {
    face: ttf_parser::Face<'static>,
    font: Font,
    units: f32,
}

impl Face {
    fn open(data: &'static [u8]) -> Result<Self> {
        let wrong = |detail: String| CaseworkError::ExportFile {
            name: "the embedded font".to_owned(),
            source: std::io::Error::other(detail),
        };
        let face = ttf_parser::Face::parse(data, 0).map_err(|error| wrong(error.to_string()))?;
        let font = Font::new(data.into(), 0).ok_or_else(|| wrong("it cannot be read".to_owned()))?;
        Ok(Self {
            units: f32::from(face.units_per_em()),
            face,
            font,
        })
    }

    fn advance(&self, letter: char) -> f32 {
        let glyph = self.face.glyph_index(letter).unwrap_or_default();
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default()) / self.units
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.advance(letter)).sum::<f32>() * size
    }

    /// The text with everything that cannot be drawn as it is shown by its number.
    fn shown(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '\t' => out.push(' '),
                '\r' => {}
                '\n' => out.push('\n'),
                letter if letter.is_control() => out.push('\u{FFFD}'),
                letter if turns(letter) || self.face.glyph_index(letter).is_none() => {
                    out.push_str(&format!("[U+{:04X}]", letter as u32));
                }
                letter => out.push(letter),
            }
        }
        out
    }

    /// Lines of at most this width, broken at spaces, and within a word only when it alone is wider.
    fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in self.shown(text).split('\n') {
            let (mut line, mut used) = (String::new(), 0.0);
            for word in paragraph.split(' ') {
                let own = self.width(word, size);
                let gap = if line.is_empty() { 0.0 } else { self.width(" ", size) };
                if used + gap + own <= width {
                    if gap > 0.0 {
                        line.push(' ');
                    }
                    line.push_str(word);
                    used += gap + own;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                for letter in word.chars() {
                    let own = self.advance(letter) * size;
                    if used + own > width && !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                        used = 0.0;
                    }
                    line.push(letter);
                    used += own;
                }
            }
            lines.push(line);
        }
        lines
    }
}

/// Marks that change the direction of what follows.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl Paper {
    /// Begins a document; `when` is RFC 3339 UTC, `banner` stands on every page.
    pub(crate) fn begin(title: &str, when: &str, landscape: bool, banner: Option<&str>) -> Result<Self> {
        let (width, height) = if landscape { (LONG, SHORT) } else { (SHORT, LONG) };
        let mut paper = Self {
            fonts: Fonts {
                plain: Face::open(dejavu::sans_condensed::regular())?,
                bold: Face::open(dejavu::sans_condensed::bold())?,
            },
            width,
            height,
            title: title.to_owned(),
            when: when.to_owned(),
            pages: Vec::new(),
            at: 0.0,
            banner: banner.map(str::to_owned),
        };
        paper.new_page();
        paper.heading(title);
        Ok(paper)
    }

    fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.at = MARGIN;
        if let Some(banner) = self.banner.clone() {
            self.line_of(&banner, NORMAL, true, MARGIN);
            self.at += 6.0;
        }
    }

    fn inner(&self) -> f32 {
        self.width - 2.0 * MARGIN
    }

    fn bottom(&self) -> f32 {
        self.height - MARGIN - 14.0
    }

    fn face(&self, bold: bool) -> &Face {
        if bold { &self.fonts.bold } else { &self.fonts.plain }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// One line that fits, at the present height.
    fn line_of(&mut self, text: &str, size: f32, bold: bool, x: f32) {
        let y = self.at + size;
        let text = text.to_owned();
        self.mark(Mark::Text { x, y, size, bold, text });
        self.at += size * LEADING;
    }

    fn block(&mut self, text: &str, size: f32, bold: bool) {
        for line in self.face(bold).lines(text, size, self.inner()) {
            if self.at + size * LEADING > self.bottom() {
                self.new_page();
            }
            self.line_of(&line, size, bold, MARGIN);
        }
    }

    /// A heading.
    pub(crate) fn heading(&mut self, text: &str) {
        self.block(text, LARGE, true);
        self.at += 4.0;
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.block(text, NORMAL, false);
        self.at += 5.0;
    }

    /// Words and values in two columns without lines.
    pub(crate) fn facts<'a>(&mut self, lines: impl Iterator<Item = (&'a str, &'a str)>) {
        for (word, value) in lines {
            self.row(
                &[0.22, 0.78],
                &[word.to_owned(), value.to_owned()],
                &[true, false],
                false,
            );
        }
        self.at += 6.0;
    }

    /// A table: names and shares of the width, rows. A row that does not fit goes to the next page, behind the names again; one that fits
    /// on no page is divided.
    pub(crate) fn table(&mut self, columns: &[(&str, f32)], rows: impl Iterator<Item = Vec<String>>) {
        let total: f32 = columns.iter().map(|(_, share)| share).sum();
        let shares: Vec<f32> = columns.iter().map(|(_, share)| share / total).collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let (bold, plain) = (vec![true; columns.len()], vec![false; columns.len()]);
        self.row(&shares, &names, &bold, true);
        for cells in rows {
            let height = self.height_of(&shares, &cells);
            if self.at + height > self.bottom() {
                self.new_page();
                self.row(&shares, &names, &bold, true);
            }
            self.row(&shares, &cells, &plain, true);
        }
        self.at += 6.0;
    }

    fn height_of(&self, shares: &[f32], cells: &[String]) -> f32 {
        let lines = shares.iter().zip(cells).map(|(share, cell)| {
            let width = share * self.inner() - 2.0 * PADDING;
            self.fonts.plain.lines(cell, SMALL, width).len()
        });
        lines.max().unwrap_or(1) as f32 * SMALL * LEADING + 2.0 * PADDING
    }

    fn row(&mut self, shares: &[f32], cells: &[String], bold: &[bool], ruled: bool) {
        let columns: Vec<Vec<String>> = shares
            .iter()
            .zip(cells)
            .zip(bold)
            .map(|((share, cell), bold)| {
                let width = share * self.inner() - 2.0 * PADDING;
                self.face(*bold).lines(cell, SMALL, width)
            })
            .collect();
        let count = columns.iter().map(Vec::len).max().unwrap_or(0);
        let mut done = 0;
        while done < count {
            let room = ((self.bottom() - self.at - 2.0 * PADDING) / (SMALL * LEADING)).floor();
            if room < 1.0 {
                self.new_page();
                continue;
            }
            let many = (room as usize).min(count - done);
            let top = self.at;
            self.at += PADDING;
            for line in done..done + many {
                let (start, mut x) = (self.at, MARGIN);
                for ((share, lines), bold) in shares.iter().zip(&columns).zip(bold) {
                    if let Some(text) = lines.get(line).filter(|text| !text.is_empty()) {
                        self.at = start;
                        let text = text.clone();
                        self.line_of(&text, SMALL, *bold, x + PADDING);
                    }
                    x += share * self.inner();
                }
                self.at = start + SMALL * LEADING;
            }
            self.at += PADDING;
            if ruled {
                self.rule(shares, top);
            }
            done += many;
        }
    }

    fn rule(&mut self, shares: &[f32], top: f32) {
        let (left, right, bottom) = (MARGIN, self.width - MARGIN, self.at);
        for y in [top, bottom] {
            self.mark(Mark::Line {
                from: (left, y),
                to: (right, y),
            });
        }
        let mut x = left;
        for share in std::iter::once(&0.0).chain(shares) {
            x += share * self.inner();
            self.mark(Mark::Line {
                from: (x, top),
                to: (x, bottom),
            });
        }
    }

    /// Lines to be filled in by hand, each behind its word, kept together.
    pub(crate) fn sign_here(&mut self, words: &[&str]) {
        let height = words.len() as f32 * 30.0;
        if self.at + height > self.bottom() {
            self.new_page();
        }
        for word in words {
            self.at += 16.0;
            let y = self.at + NORMAL + 2.0;
            self.line_of(word, NORMAL, true, MARGIN);
            self.mark(Mark::Line {
                from: (MARGIN + 110.0, y),
                to: (MARGIN + 330.0, y),
            });
        }
    }

    /// The bytes of the document.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        let mut document = Document::new();
        let mut metadata = Metadata::new()
            .title(self.fonts.plain.shown(&self.title))
            .language("en-GB".to_owned());
        if let Some(moment) = moment(&self.when) {
            metadata = metadata.creation_date(moment);
        }
        document.set_metadata(metadata);
        let settings = PageSettings::from_wh(self.width, self.height).ok_or_else(|| failed("the size of a page"))?;
        let all = self.pages.len();
        for (number, marks) in (1..).zip(&self.pages) {
            let mut page = document.start_page_with(settings.clone());
            let mut surface = page.surface();
            for mark in marks {
                self.draw(&mut surface, mark);
            }
            let foot = format!("{} - page {number} of {all}", self.title);
            self.draw(
                &mut surface,
                &Mark::Text {
                    x: MARGIN,
                    y: self.height - MARGIN + 4.0,
                    size: SMALL,
                    bold: false,
                    text: self.fonts.plain.lines(&foot, SMALL, self.inner()).swap_remove(0),
                },
            );
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| failed(&format!("{error:?}")))
    }

    fn draw(&self, surface: &mut Surface<'_>, mark: &Mark) {
        match mark {
            Mark::Text { x, y, size, bold, text } => {
                let face = self.face(*bold);
                surface.set_stroke(None);
                surface.set_fill(Some(Fill {
                    paint: rgb::Color::new(0, 0, 0).into(),
                    opacity: NormalizedF32::ONE,
                    rule: Default::default(),
                }));
                let glyphs: Vec<KrillaGlyph> = text
                    .char_indices()
                    .map(|(start, letter)| {
                        let glyph = face.face.glyph_index(letter).unwrap_or_default();
                        KrillaGlyph::new(
                            GlyphId::new(u32::from(glyph.0)),
                            face.advance(letter),
                            0.0,
                            0.0,
                            0.0,
                            start..start + letter.len_utf8(),
                            None,
                        )
                    })
                    .collect();
                surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, face.font.clone(), text, *size, false);
            }
            Mark::Line { from, to } => {
                let mut path = PathBuilder::new();
                path.move_to(from.0, from.1);
                path.line_to(to.0, to.1);
                if let Some(path) = path.finish() {
                    surface.set_fill(None);
                    surface.set_stroke(Some(Stroke {
                        width: 0.5,
                        ..Stroke::default()
                    }));
                    surface.draw_path(&path);
                }
            }
        }
    }
}

fn failed(detail: &str) -> CaseworkError {
    CaseworkError::ExportFile {
        name: "a PDF".to_owned(),
        source: std::io::Error::other(detail.to_owned()),
    }
}

fn moment(when: &str) -> Option<DateTime> {
    let stamp: jiff::Timestamp = when.parse().ok()?;
    let at = stamp.to_zoned(jiff::tz::TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    Some(
        DateTime::new(u16::try_from(at.year()).ok()?)
            .month(small(at.month()))
            .day(small(at.day()))
            .hour(small(at.hour()))
            .minute(small(at.minute()))
            .second(small(at.second()))
            .utc_offset_hour(0)
            .utc_offset_minute(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(rows: usize) -> Vec<u8> {
        let mut paper = Paper::begin("Register", "2026-01-02T03:04:05Z", true, Some("SENSITIVE")).expect("a paper");
        paper.paragraph("words \u{202e}中 end");
        let row = |number: usize| vec![number.to_string(), "long words ".repeat(20), "x".repeat(300)];
        paper.table(&[("no.", 1.0), ("what", 4.0), ("id", 2.0)], (0..rows).map(row));
        paper.sign_here(&["signed"]);
        paper.finish().expect("a PDF")
    }

    #[test]
    fn the_same_content_gives_the_same_bytes() {
        let one = made(100);
        assert!(one.starts_with(b"%PDF-"));
        assert_eq!(one, made(100));
        assert!(made(2).len() < one.len());
    }

    #[test]
    fn what_the_font_lacks_is_shown_by_its_number_and_long_words_are_broken() {
        let face = Face::open(dejavu::sans_condensed::regular()).expect("a font");
        assert_eq!(face.shown("a中\u{202e}b\0"), "a[U+4E2D][U+202E]b\u{FFFD}");
        let lines = face.lines(&format!("two words {}", "w".repeat(100)), 10.0, 100.0);
        assert!(lines.len() > 5, "{lines:?}");
        assert!(lines.iter().all(|line| face.width(line, 10.0) <= 100.5), "{lines:?}");
        let all: String = lines.concat().chars().filter(|letter| *letter == 'w').collect();
        assert_eq!(all.len(), 102, "no letter is lost");
    }
}
