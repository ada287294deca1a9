//! Which code page the bytes of a run are in: the document's, or that of the font.

use std::collections::BTreeMap;

use crate::codepage::{self, WESTERN};

/// Endings of font names that say a character set (Windows' names of fonts before Unicode).
const NAME_ENDINGS: [(&str, u32); 7] = [
    (" CE", 1250),
    (" Cyr", 1251),
    (" Greek", 1253),
    (" Tur", 1254),
    (" (Hebrew)", 1255),
    (" (Arabic)", 1256),
    (" Baltic", 1257),
];

#[derive(Clone, Debug, Default)]
struct Font {
    page: Option<u32>,
    symbol: bool,
}

/// The font table.
#[derive(Debug)]
pub(super) struct Fonts {
    document: u32,
    fonts: BTreeMap<i32, Font>,
    /// The one that is being described.
    current: Option<i32>,
    name: String,
}

impl Fonts {
    pub(super) fn new() -> Self {
        Self {
            document: WESTERN,
            fonts: BTreeMap::new(),
            current: None,
            name: String::new(),
        }
    }

    /// The page of the document, when it is known.
    pub(super) fn set_document(&mut self, page: u32) {
        if codepage::is_known(page) && !matches!(page, 1200 | 1201) {
            self.document = page;
        }
    }

    pub(super) fn document(&self) -> u32 {
        self.document
    }

    /// The page for bytes in a font.
    pub(super) fn page(&self, font: i32) -> u32 {
        self.fonts
            .get(&font)
            .and_then(|font| font.page)
            .unwrap_or(self.document)
    }

    /// True when the characters of a font are pictures.
    pub(super) fn is_symbol(&self, font: i32) -> bool {
        self.fonts.get(&font).is_some_and(|font| font.symbol)
    }

    /// A control word inside of the font table.
    pub(super) fn word(&mut self, name: &[u8], number: Option<i32>) {
        match (name, number) {
            (b"f", Some(number)) => {
                self.end_of_font();
                self.current = Some(number);
                self.fonts.entry(number).or_default();
            }
            (b"fcharset", Some(charset)) => {
                if let Some(font) = self.current.and_then(|number| self.fonts.get_mut(&number)) {
                    font.symbol = charset == 2;
                    if font.page.is_none() {
                        font.page = codepage::of_rtf_charset(charset);
                    }
                }
            }
            (b"cpg", Some(page)) => {
                let page = u32::try_from(page).ok().filter(|page| codepage::is_known(*page));
                if let Some(font) = self.current.and_then(|number| self.fonts.get_mut(&number)) {
                    font.page = page.or(font.page);
                }
            }
            _ => {}
        }
    }

    /// Text inside of the font table: names, each ended by a semicolon.
    pub(super) fn text(&mut self, text: &str) {
        for part in text.split_inclusive(';') {
            if self.name.len() < 256 {
                self.name.push_str(part.trim_end_matches(';'));
            }
            if part.ends_with(';') {
                self.end_of_font();
            }
        }
    }

    pub(super) fn end_of_font(&mut self) {
        let name = std::mem::take(&mut self.name);
        if let Some(font) = self.current.take().and_then(|number| self.fonts.get_mut(&number))
            && font.page.is_none()
        {
            let ending = NAME_ENDINGS
                .iter()
                .find(|(ending, _)| name.trim_end().ends_with(ending));
            font.page = ending.map(|(_, page)| *page);
        }
    }
}
