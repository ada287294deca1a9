//! Load files: Concordance DAT, one line an item, and Opticon OPT, one line a page of an image.
//!
//! `loadfile.dat`: fields stand between `þ` (U+00FE), apart by U+0014 (which Concordance shows as `¶`), lines end with CR LF. A line end in
//! a value is `®` (U+00AE). Encoded in UTF-8 or UTF-16 (little endian), each with its mark. What would break a load file is written so
//! that it can be undone: `þ` doubled, U+0014 and other control characters as their picture (U+2400 and on), `®` as `(R)`, and counted.
//! `loadfile.opt`: `key,volume,path,Y,,,pages`, for the items that are images themselves; nothing is rendered to pages here.
//! Paths begin with `.\` and have `\`, as the programs that read these files expect. (The samples of the reading side are Relativity's
//! import samples: quote þ, delimiter U+0014, UTF-8 with its mark, CR LF.)

use embley_store::outgoing::Outgoing;

use super::entry::Entry;
use super::record::Record;
use super::table::{Column, columns};
use super::writer::{FormWriter, Lines};
use crate::error::Result;

const DAT: &str = "loadfile.dat";
const OPT: &str = "loadfile.opt";
/// The volume, and the folder that holds its files.
pub(super) const VOLUME: &str = "VOL01";
const QUOTE: char = '\u{FE}';
const DELIMITER: char = '\u{14}';
const LINE: char = '\u{AE}';

/// How the DAT is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 with its mark.
    #[default]
    Utf8,
    /// UTF-16, little endian, with its mark.
    Utf16,
}

impl Encoding {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 => "UTF-16LE",
        }
    }
}

/// Both files.
pub(super) struct LoadFiles {
    dat: Lines,
    opt: Lines,
    encoding: Encoding,
    changed: Changed,
    images: u64,
}

/// What stands otherwise in the file than in the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Changed {
    quotes: u64,
    controls: u64,
    registered: u64,
}

impl LoadFiles {
    /// Begins them, the DAT with its line of fields.
    pub(super) fn begin(out: &mut Outgoing, encoding: Encoding) -> Result<Self> {
        let mut dat = Lines::create(out, DAT)?;
        dat.add_bytes(&encoded("\u{FEFF}", encoding))?;
        let mut files = Self {
            dat,
            opt: Lines::create(out, OPT)?,
            encoding,
            changed: Changed::default(),
            images: 0,
        };
        files.line(|column| column.load.to_owned())?;
        Ok(files)
    }

    fn line(&mut self, cell: impl Fn(&Column) -> String) -> Result<()> {
        let mut line = String::new();
        for (place, column) in columns(true).enumerate() {
            if place > 0 {
                line.push(DELIMITER);
            }
            field(&mut line, &cell(column), &mut self.changed);
        }
        line.push_str("\r\n");
        self.dat.add_bytes(&encoded(&line, self.encoding))
    }
}

impl FormWriter for LoadFiles {
    fn entry(&mut self, _out: &mut Outgoing, entry: &Entry) -> Result<()> {
        self.line(|column| {
            let value = (column.cell)(entry);
            if column.load.ends_with("LINK") {
                windows(&value)
            } else {
                value
            }
        })?;
        if let Some(native) = &entry.native
            && let Some(pages) = native.pages
        {
            self.images += 1;
            let path = windows(&native.path);
            self.opt
                .add(&format!("{},{VOLUME},{path},Y,,,{pages}\r\n", entry.control))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()> {
        let this = *self;
        let conventions = serde_json::json!({
            "encoding": this.encoding.name(),
            "quote": "U+00FE, doubled within a value",
            "delimiter": "U+0014",
            "line end in a value": "U+00AE",
            "control characters": "as their picture, U+2400 and on",
            "U+00AE in a value": "(R)",
            "changed": {"quotes": this.changed.quotes, "controls": this.changed.controls, "registered signs": this.changed.registered},
            "times": "RFC 3339, UTC",
            "several values": "; ",
            "images": this.images,
            "opt": "one line for each item that is an image itself; other items have no page images",
        });
        record.conventions.insert("dat".to_owned(), conventions);
        this.dat.close(out)?;
        this.opt.close(out)
    }
}

/// A path of the export as load files name it.
fn windows(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(".\\{}", path.replace('/', "\\"))
    }
}

fn field(line: &mut String, value: &str, changed: &mut Changed) {
    line.push(QUOTE);
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            QUOTE => {
                changed.quotes += 1;
                line.extend([QUOTE, QUOTE]);
            }
            LINE => {
                changed.registered += 1;
                line.push_str("(R)");
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\r' | '\n' => line.push(LINE),
            '\t' => line.push('\t'),
            letter if (letter as u32) < 0x20 => {
                changed.controls += 1;
                line.push(char::from_u32(0x2400 + letter as u32).unwrap_or('\u{2426}'));
            }
            letter => line.push(letter),
        }
    }
    line.push(QUOTE);
}

fn encoded(text: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &str) {
        let mut line = String::new();
        field(&mut line, value, &mut Changed::default());
        assert_eq!(line, format!("\u{fe}{expected}\u{fe}"), "{value:?}");
    }

    #[test]
    fn a_value_cannot_end_its_field_or_its_line() {
        check("plain", "plain");
        check("two\r\nlines\nand\rmore", "two\u{ae}lines\u{ae}and\u{ae}more");
        check("Þór þ", "Þór \u{fe}\u{fe}");
        check("a\u{14}b\0", "a\u{2414}b\u{2400}");
        check("Acme®", "Acme(R)");
        let mut changed = Changed::default();
        field(&mut String::new(), "þ\u{14}®", &mut changed);
        assert_eq!(
            changed,
            Changed {
                quotes: 1,
                controls: 1,
                registered: 1
            }
        );
    }

    #[test]
    fn both_encodings_begin_with_their_mark() {
        assert_eq!(encoded("\u{feff}þ", Encoding::Utf8), [0xEF, 0xBB, 0xBF, 0xC3, 0xBE]);
        assert_eq!(encoded("\u{feff}þ", Encoding::Utf16), [0xFF, 0xFE, 0xFE, 0x00]);
    }
}
