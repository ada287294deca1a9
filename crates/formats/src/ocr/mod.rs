//! Recognition of characters in images and in pages of PDF files that have no text, by the program `tesseract` of the system.
//!
//! Not for: text that is there already (`document`), deciding what is to be recognised. Main function: [`read`]. Runs in a worker that may start helper programs.
//! Decisions: pages go one by one, so that one page that takes too long costs only itself; images smaller than 50 by 50 have no words; a page of a PDF with fewer
//! than 16 letters and digits counts as one without text, because scanners stamp numbers on pages, and so does one with fewer than 64 on a picture that covers
//! most of it. Pages are rendered grey at 200 dots per inch. Invariant: every
//! page that was not recognised is said; a program that takes too long is ended; the mean confidence of words is in the answer, because recognised text is a
//! reading and not the document's own words.

mod image;
mod program;
mod tsv;

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;

use self::program::{Clock, Run, Said};
use self::tsv::Words;
use crate::document::{LETTERS_OF_A_STAMP, covered};
use crate::opened::{MetaField, Opened};

/// Dots per inch at which pages are rendered.
const RESOLUTION: &str = "200";
/// The longer side of a page that is too large to be rendered so.
const FALL_BACK_PIXELS: &str = "6000";
/// Bytes of a rendered page: some 128 million grey pixels.
const MAX_RENDERED_BYTES: usize = 128 << 20;
/// Bytes of the table of words of one page.
const MAX_TABLE_BYTES: usize = 64 << 20;
/// Letters and digits that a page of a PDF has at least, if it has text.
const TEXT_OF_A_PAGE: usize = 16;
/// Pages that are named in a defect.
const MAX_NAMED: usize = 20;

/// What recognition may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcrLimits {
    /// Bytes of text.
    pub max_text_bytes: usize,
    /// Pages of one image or PDF.
    pub max_pages: usize,
    /// Time for one page, rendering and recognition each.
    pub page_time: Duration,
    /// Time for one item. Pages that are not reached are said.
    pub item_time: Duration,
}

impl Default for OcrLimits {
    fn default() -> Self {
        Self {
            max_text_bytes: 32 << 20,
            max_pages: 2_000,
            page_time: Duration::from_secs(60),
            item_time: Duration::from_secs(900),
        }
    }
}

/// True for the media types that [`read`] can do something with.
pub fn is_read(media_type: &str) -> bool {
    media_type == "application/pdf" || image::is_read(media_type)
}

/// Recognises what is in an image, or in the pages of a PDF that have no text. `languages` are tesseract's names joined by `+`, such as `eng+deu`. The text
/// holds recognised pages only, divided by form feeds, each at its place; the searchability is about them only.
pub fn read(media_type: &str, bytes: &[u8], languages: &str, limits: &OcrLimits) -> Opened {
    let mut item = Item {
        limits,
        languages,
        clock: Clock::start(),
        opened: Opened::default(),
        words: Words::default(),
        failed: Vec::new(),
        late: Vec::new(),
    };
    item.opened.reader = "none/1".to_owned();
    let outcome = if !program::is_language_list(languages) {
        item.say(
            DefectCode::OcrFailed,
            format!("\"{languages}\" is no list of languages"),
        );
        Ok(())
    } else if media_type == "application/pdf" {
        item.pdf(bytes)
    } else {
        item.image(media_type, bytes)
    };
    if let Err(error) = outcome {
        item.say(DefectCode::OcrFailed, format!("a temporary file failed: {error}"));
    }
    item.end()
}

struct Item<'a> {
    limits: &'a OcrLimits,
    languages: &'a str,
    clock: Clock,
    opened: Opened,
    words: Words,
    /// Pages on which a program failed, and how.
    failed: Vec<(usize, String)>,
    /// Pages that took too long or came too late.
    late: Vec<usize>,
}

impl Item<'_> {
    fn say(&mut self, code: DefectCode, detail: impl Into<String>) {
        self.opened.defects.push(Defect::new(code, detail));
    }

    /// Asks for the version, which tells whether the program is there.
    fn is_installed(&mut self) -> io::Result<bool> {
        let nothing = tempfile::tempfile()?;
        let run = Run {
            program: "tesseract",
            arguments: &["--version"],
            input: &nothing,
            patience: self.limits.page_time,
            max_output_bytes: 4096,
        };
        match run.run(&self.clock) {
            Ok(ran) => {
                let version = ran.version().unwrap_or_else(|| "unknown".to_owned());
                self.opened.reader = format!("tesseract/{version}");
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let detail = "tesseract is not there (Debian package tesseract-ocr)";
                self.say(DefectCode::OcrNotInstalled, detail);
                self.opened.needs_ocr = true;
                Ok(false)
            }
            Err(error) => {
                self.say(DefectCode::OcrFailed, format!("tesseract cannot be started: {error}"));
                self.opened.needs_ocr = true;
                Ok(false)
            }
        }
    }

    fn image(&mut self, media_type: &str, bytes: &[u8]) -> io::Result<()> {
        if image::is_read(media_type) && !image::is_what_it_says(media_type, bytes) {
            self.opened.searchability = Some(Searchability::Media);
            self.say(
                DefectCode::TypeMismatch,
                format!("called {media_type}, does not begin as one"),
            );
            return Ok(());
        }
        if !image::is_read(media_type) {
            self.opened.searchability = Some(Searchability::Media);
            self.say(
                DefectCode::TypeNotSearchable,
                format!("recognition does not read {media_type}"),
            );
            return Ok(());
        }
        let pages = image::pages(media_type, bytes, self.limits.max_pages);
        if pages.sizes.iter().all(|size| size.is_some_and(image::is_too_small)) {
            self.opened.searchability = Some(Searchability::NoText);
            return Ok(());
        }
        if !self.is_installed()? {
            self.opened.searchability = Some(Searchability::Media);
            return Ok(());
        }
        let input = copy(bytes)?;
        let several = pages.sizes.len() > 1;
        for (page, size) in pages.sizes.iter().enumerate() {
            if size.is_some_and(image::is_too_small) {
                self.words.end_page();
                continue;
            }
            if !self.recognise(&input, page, several.then_some(page), None)? {
                break;
            }
        }
        if let Some(odd) = pages.odd {
            self.say(DefectCode::OcrLimit, odd);
        }
        Ok(())
    }

    fn pdf(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_installed()? {
            return Ok(());
        }
        let input = copy(bytes)?;
        let Some(pages) = self.pages_without_text(&input, bytes)? else {
            self.opened.needs_ocr = true;
            self.opened.searchability = Some(Searchability::Failed);
            return Ok(());
        };
        if pages.len() > self.limits.max_pages {
            let beyond = pages.len() - self.limits.max_pages;
            let detail = format!("{beyond} pages more than {} were left out", self.limits.max_pages);
            self.say(DefectCode::OcrLimit, detail);
        }
        for page in pages.into_iter().take(self.limits.max_pages) {
            match self.render(&input, page)? {
                Rendered::Page(rendered) => {
                    if !self.recognise(&copy(&rendered)?, page, None, Some(RESOLUTION))? {
                        break;
                    }
                }
                Rendered::Failed => self.words.end_page(),
                Rendered::Gone => break,
            }
        }
        Ok(())
    }

    /// Numbers, from 0, of the pages that have no text of their own; `None` when the file cannot be read.
    fn pages_without_text(&mut self, input: &File, bytes: &[u8]) -> io::Result<Option<Vec<usize>>> {
        let run = Run {
            program: "pdftotext",
            arguments: &["-q", "-enc", "UTF-8", "-", "-"],
            input,
            patience: self.limits.page_time,
            max_output_bytes: MAX_TABLE_BYTES,
        };
        let ran = match run.run(&self.clock) {
            Ok(ran) => ran,
            Err(error) => {
                self.not_started("pdftotext", &error);
                return Ok(None);
            }
        };
        match ran.said {
            Said::Done => {}
            Said::Late => {
                self.say(DefectCode::OcrLimit, "pdftotext took too long and was ended");
                return Ok(None);
            }
            Said::Failed(words) => {
                self.say(DefectCode::OcrFailed, format!("pdftotext: {words}"));
                return Ok(None);
            }
        }
        // Every page ends with a form feed.
        let mut pages: Vec<&[u8]> = ran.output.split(|byte| *byte == b'\x0c').collect();
        pages.pop();
        let (mut without, mut stamped) = (Vec::new(), Vec::new());
        for (page, text) in pages.iter().enumerate() {
            let text = String::from_utf8_lossy(text);
            let letters = text
                .chars()
                .filter(|c| c.is_alphanumeric())
                .take(LETTERS_OF_A_STAMP)
                .count();
            if letters < TEXT_OF_A_PAGE {
                without.push(page);
            } else if letters < LETTERS_OF_A_STAMP {
                stamped.push(page);
            }
        }
        if !stamped.is_empty() {
            without.extend(covered(bytes, &stamped));
            without.sort_unstable();
        }
        Ok(Some(without))
    }

    fn render(&mut self, input: &File, page: usize) -> io::Result<Rendered> {
        let number = (page + 1).to_string();
        let whole = ["-q", "-r", RESOLUTION, "-gray", "-f", &number, "-l", &number, "-"];
        let smaller = [
            "-q",
            "-scale-to",
            FALL_BACK_PIXELS,
            "-gray",
            "-f",
            &number,
            "-l",
            &number,
            "-",
        ];
        for arguments in [whole, smaller] {
            let Some(patience) = self.time_left() else {
                self.late.push(page);
                return Ok(Rendered::Failed);
            };
            let run = Run {
                program: "pdftoppm",
                arguments: &arguments,
                input,
                patience,
                max_output_bytes: MAX_RENDERED_BYTES,
            };
            let ran = match run.run(&self.clock) {
                Ok(ran) => ran,
                Err(error) => {
                    self.not_started("pdftoppm", &error);
                    return Ok(Rendered::Gone);
                }
            };
            match ran.said {
                Said::Done if !ran.output.is_empty() && !ran.cut => return Ok(Rendered::Page(ran.output)),
                Said::Late => {
                    self.late.push(page);
                    return Ok(Rendered::Failed);
                }
                Said::Done | Said::Failed(_) => {}
            }
        }
        self.failed.push((page, "it cannot be rendered".to_owned()));
        Ok(Rendered::Failed)
    }

    /// Recognises one page. False when there is no use in trying another.
    fn recognise(&mut self, input: &File, page: usize, number: Option<usize>, dpi: Option<&str>) -> io::Result<bool> {
        let Some(patience) = self.time_left() else {
            self.late.push(page);
            return Ok(true);
        };
        let number = number.map(|number| format!("tessedit_page_number={number}"));
        let mut arguments = vec!["stdin", "stdout", "-l", self.languages];
        if let Some(dpi) = dpi {
            arguments.extend(["--dpi", dpi]);
        }
        arguments.extend(["-c", "tessedit_create_tsv=1"]);
        if let Some(number) = &number {
            arguments.extend(["-c", number]);
        }
        let run = Run {
            program: "tesseract",
            arguments: &arguments,
            input,
            patience,
            max_output_bytes: MAX_TABLE_BYTES,
        };
        let ran = match run.run(&self.clock) {
            Ok(ran) => ran,
            Err(error) => {
                self.not_started("tesseract", &error);
                return Ok(false);
            }
        };
        if ran.missing_language() {
            let detail = format!("language data of \"{}\" are not all installed", self.languages);
            if !self
                .opened
                .defects
                .iter()
                .any(|one| one.code == DefectCode::OcrNotInstalled)
            {
                self.say(DefectCode::OcrNotInstalled, detail);
            }
            if !matches!(ran.said, Said::Done) {
                self.opened.needs_ocr = true;
                return Ok(false);
            }
        }
        match ran.said {
            Said::Done => {
                self.words.add(&ran.output);
                if ran.cut {
                    self.failed.push((page, "more words than a page can have".to_owned()));
                }
            }
            Said::Late => self.late.push(page),
            Said::Failed(words) => self.failed.push((page, words)),
        }
        self.words.end_page();
        Ok(self.words.text.len() <= self.limits.max_text_bytes)
    }

    fn not_started(&mut self, program: &str, error: &io::Error) {
        self.opened.needs_ocr = true;
        if error.kind() == io::ErrorKind::NotFound {
            self.say(DefectCode::OcrNotInstalled, format!("{program} is not there"));
        } else {
            self.say(DefectCode::OcrFailed, format!("{program} cannot be started: {error}"));
        }
    }

    /// What one program may take now; `None` when the time of the item is over.
    fn time_left(&self) -> Option<Duration> {
        let left = self.limits.item_time.checked_sub(self.clock.elapsed())?;
        (!left.is_zero()).then(|| left.min(self.limits.page_time))
    }

    fn end(mut self) -> Opened {
        if !self.failed.is_empty() {
            let mut detail = named(self.failed.iter().map(|(page, _)| *page));
            if let Some((_, words)) = self.failed.first() {
                detail = format!("{detail}: {words}");
            }
            self.say(DefectCode::OcrFailed, detail);
        }
        if !self.late.is_empty() {
            let detail = format!("{} took too long or came too late", named(self.late.iter().copied()));
            self.say(DefectCode::OcrLimit, detail);
        }
        if let Some(mean) = self.words.mean_confidence() {
            self.opened
                .fields
                .push((MetaField::OcrConfidence, format!("{mean:.1}")));
        }
        let mut text = std::mem::take(&mut self.words.text);
        if text.len() > self.limits.max_text_bytes {
            let end = (0..=self.limits.max_text_bytes)
                .rev()
                .find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
            let detail = format!("text beyond {} bytes", self.limits.max_text_bytes);
            self.say(DefectCode::OcrLimit, detail);
        }
        let has_words = text.chars().any(char::is_alphanumeric);
        let has = |code| self.opened.defects.iter().any(|one: &Defect| one.code == code);
        let failed = has(DefectCode::OcrFailed) || has(DefectCode::OcrNotInstalled);
        let limited = has(DefectCode::OcrLimit);
        let found = match (has_words, failed, limited) {
            (true, true, _) => Searchability::PartlyDecoding,
            (true, false, true) => Searchability::PartlyLimit,
            (true, false, false) => Searchability::Searched,
            (false, true, _) | (false, false, true) => Searchability::Failed,
            (false, false, false) => Searchability::NoText,
        };
        self.opened.searchability.get_or_insert(found);
        self.opened.text = if has_words { text } else { String::new() };
        self.opened
    }
}

/// What came of rendering.
enum Rendered {
    Page(Vec<u8>),
    Failed,
    /// The program is not there.
    Gone,
}

/// Pages by their numbers from 1.
fn named(pages: impl ExactSizeIterator<Item = usize>) -> String {
    let count = pages.len();
    let listed: Vec<_> = pages.take(MAX_NAMED).map(|page| (page + 1).to_string()).collect();
    let more = if count > MAX_NAMED { ", ..." } else { "" };
    format!("{count} pages ({}{more})", listed.join(", "))
}

/// A nameless temporary file.
fn copy(bytes: &[u8]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    Ok(file)
}
