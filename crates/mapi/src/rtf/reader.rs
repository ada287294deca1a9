//! The reader: tokens in, text and HTML out.
//!
//! Bytes are gathered in a run until the page or the place they go to changes, because a character of two bytes may be written in two
//! tokens, with groups between.

use embley_model::defect::{Defect, DefectCode};

use super::charset::Fonts;
use super::destination::{self, Destination, Field};
use super::lexer::{Lexer, Token};
use super::object::{self, Hexadecimal, Object, ObjectKind};
use super::{Encapsulated, Info, Rtf};
use crate::codepage;
use crate::tracked::{Mark, Tracked};

/// Groups nested deeper are read as if they were one.
const DEPTH_LIMIT: usize = 10_000;

/// What a group changes and its end restores.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    destination: Destination,
    /// Where `\upr` stood.
    outer: Destination,
    font: i32,
    /// Characters to pass over behind `\u`.
    alternatives: usize,
    /// `\htmlrtf`: not part of the encapsulated HTML.
    not_html: bool,
    /// Tracked change or hidden text.
    mark: Mark,
}

/// Bytes that wait for being decoded.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    page: u32,
    symbol: bool,
}

pub(super) struct Reader {
    out: Rtf,
    html: String,
    fonts: Fonts,
    default_font: i32,
    state: State,
    stack: Vec<State>,
    /// Groups open beyond the limit.
    beyond: usize,
    run: Run,
    high_surrogate: Option<u16>,
    to_pass: usize,
    /// `\*` came just before.
    marked: bool,
    /// No token of the group was met yet, so that a word may name its destination.
    at_start: bool,
    buffer: String,
    digits: Hexadecimal,
    class: String,
    picture: &'static str,
    time: [i32; 6],
    undecodable: bool,
    /// The line of the text that is being written.
    line: Tracked,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            out: Rtf::default(),
            html: String::new(),
            fonts: Fonts::new(),
            default_font: -1,
            state: State {
                destination: Destination::Body,
                outer: Destination::Body,
                font: -1,
                alternatives: 1,
                not_html: false,
                mark: Mark::default(),
            },
            stack: Vec::new(),
            beyond: 0,
            run: Run::default(),
            high_surrogate: None,
            to_pass: 0,
            marked: false,
            at_start: true,
            buffer: String::new(),
            digits: Hexadecimal::default(),
            class: String::new(),
            picture: "",
            time: [0; 6],
            undecodable: false,
            line: Tracked::default(),
        }
    }

    pub(super) fn read(mut self, data: &[u8]) -> Rtf {
        if !super::has_signature(data) {
            self.odd("does not begin as rich text");
        }
        let mut ended = false;
        for token in Lexer::new(data) {
            match token {
                Token::Open => self.open(),
                Token::Close => {
                    self.close();
                    if self.stack.is_empty() && self.beyond == 0 {
                        ended = true;
                        break;
                    }
                }
                Token::Word(name, number) => self.word(name, number),
                Token::Symbol(symbol) => self.symbol(symbol),
                Token::Hex(byte) => self.bytes(&[byte]),
                Token::Text(bytes) => self.bytes(bytes),
                Token::Binary(bytes) => self.binary(bytes),
            }
        }
        if !ended {
            let open = self.stack.len().saturating_add(self.beyond);
            self.odd(&format!("ends with {open} groups open"));
            while !self.stack.is_empty() {
                self.beyond = 0;
                self.close();
            }
        }
        self.flush();
        self.end_of_line();
        if self.undecodable {
            let detail = "rich text: some bytes are none of their code page";
            self.out.defects.push(Defect::new(DefectCode::TextUndecodable, detail));
        }
        if self.out.encapsulated == Encapsulated::Html {
            self.out.html = Some(self.html);
        }
        self.out
    }

    fn odd(&mut self, detail: &str) {
        self.out.defects.push(Defect::new(DefectCode::RtfStructure, detail));
    }

    fn open(&mut self) {
        self.to_pass = 0;
        self.marked = false;
        self.at_start = true;
        if self.stack.len() >= DEPTH_LIMIT {
            if self.beyond == 0 {
                self.odd("groups are nested too deep");
            }
            self.beyond += 1;
            return;
        }
        self.stack.push(self.state);
    }

    fn close(&mut self) {
        self.to_pass = 0;
        self.marked = false;
        self.at_start = false;
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(outer) = self.stack.pop() else { return };
        if outer.destination != self.state.destination
            || outer.not_html != self.state.not_html
            || outer.mark != self.state.mark
        {
            self.flush();
        }
        let left = self.state.destination;
        self.state = outer;
        if left != outer.destination {
            self.leave(left);
        }
    }

    /// The group of a destination ended.
    fn leave(&mut self, left: Destination) {
        match left {
            Destination::Fonts => self.fonts.end_of_font(),
            Destination::Instruction => {
                let instruction = std::mem::take(&mut self.buffer);
                self.out.links.extend(hyperlink(&instruction));
            }
            Destination::InfoField(field) => self.end_of_field(field),
            Destination::ObjectClass => self.class = std::mem::take(&mut self.buffer),
            Destination::Picture => {
                let bytes = self.digits.take();
                let extension = std::mem::take(&mut self.picture);
                self.add_object(Object {
                    kind: ObjectKind::Picture(extension),
                    name: String::new(),
                    bytes,
                });
            }
            Destination::ObjectData => {
                let data = self.digits.take();
                let class = std::mem::take(&mut self.class);
                self.add_object(object::of_data(data, &class));
            }
            Destination::Aside => self.line_end(),
            Destination::Body
            | Destination::ListText
            | Destination::Skip
            | Destination::HtmlTag
            | Destination::Info
            | Destination::Unicode => {}
        }
    }

    fn add_object(&mut self, object: Object) {
        if !object.bytes.is_empty() {
            self.out.objects.push(object);
        }
    }

    fn enter(&mut self, destination: Destination) {
        self.flush();
        match destination {
            Destination::Instruction | Destination::InfoField(_) | Destination::ObjectClass => self.buffer.clear(),
            Destination::Picture | Destination::ObjectData => {
                self.digits.take();
            }
            Destination::Unicode => self.state.outer = self.state.destination,
            Destination::Aside => self.line_end(),
            _ => {}
        }
        self.time = [0; 6];
        self.state.destination = destination;
    }

    fn line_end(&mut self) {
        if !self.out.text.is_empty() && !self.out.text.ends_with('\n') {
            self.put("\n");
        }
    }

    /// Appends to the text.
    fn put(&mut self, text: &str) {
        self.out.text.push_str(text);
        self.line.push(text, self.state.mark);
        if text.ends_with('\n') {
            self.end_of_line();
        }
    }

    fn end_of_line(&mut self) {
        let (_, versions) = self.line.take();
        self.out.versions.extend(versions);
    }

    /// What follows is marked otherwise.
    fn mark(&mut self, mark: Mark) {
        if mark != self.state.mark {
            self.flush();
        }
        self.state.mark = mark;
    }

    fn word(&mut self, name: &[u8], number: Option<i32>) {
        let marked = std::mem::take(&mut self.marked);
        let at_start = std::mem::take(&mut self.at_start);
        if self.to_pass > 0 && name != b"u" {
            self.to_pass -= 1;
            return;
        }
        let here = self.state.destination;
        // Nothing inside of what is passed over matters, but where the text is told a second time.
        if matches!(here, Destination::Skip) {
            return;
        }
        if at_start && here == Destination::Info {
            self.enter(destination::of_info_word(name));
            return;
        }
        if name == b"ud" && here == Destination::Unicode {
            let outer = self.state.outer;
            self.state.destination = outer;
            return;
        }
        if at_start && let Some(found) = destination::of_word(name, marked) {
            // Inside of encapsulated HTML a picture or note is as outside.
            self.enter(found);
            return;
        }
        match (name, number) {
            (b"f", Some(font)) if here != Destination::Fonts => self.state.font = font,
            (b"plain", _) => {
                self.state.font = self.default_font;
                self.mark(Mark::default());
            }
            (b"deleted", on) => self.mark(Mark {
                deleted: on != Some(0),
                ..self.state.mark
            }),
            (b"revised", on) => self.mark(Mark {
                inserted: on != Some(0),
                ..self.state.mark
            }),
            (b"v", on) => self.mark(Mark {
                hidden: on != Some(0),
                ..self.state.mark
            }),
            (b"uc", count) => self.state.alternatives = usize::try_from(count.unwrap_or(1)).unwrap_or(0).min(64),
            (b"u", Some(unit)) => self.unicode(unit),
            (b"htmlrtf", on) => {
                let not_html = on != Some(0);
                if not_html != self.state.not_html {
                    self.flush();
                }
                self.state.not_html = not_html;
            }
            (b"ansi", _) => self.fonts.set_document(codepage::WESTERN),
            (b"mac", _) => self.fonts.set_document(10000),
            (b"pc", _) => self.fonts.set_document(437),
            (b"pca", _) => self.fonts.set_document(850),
            (b"ansicpg", Some(page)) => self.fonts.set_document(u32::try_from(page).unwrap_or(0)),
            (b"deff", Some(font)) => {
                self.default_font = font;
                self.state.font = font;
            }
            (b"fromhtml", number) if number != Some(0) => self.out.encapsulated = Encapsulated::Html,
            (b"fromtext", _) => self.out.encapsulated = Encapsulated::Text,
            (b"pngblip", _) => self.picture = "png",
            (b"jpegblip", _) => self.picture = "jpg",
            (b"emfblip", _) => self.picture = "emf",
            (b"wmetafile", _) => self.picture = "wmf",
            (b"dibitmap" | b"wbitmap", _) => self.picture = "dib",
            (b"macpict", _) => self.picture = "pict",
            (b"yr", Some(value)) => self.time[0] = value,
            (b"mo", Some(value)) => self.time[1] = value,
            (b"dy", Some(value)) => self.time[2] = value,
            (b"hr", Some(value)) => self.time[3] = value,
            (b"min", Some(value)) => self.time[4] = value,
            (b"sec", Some(value)) => self.time[5] = value,
            _ if here == Destination::Fonts => {
                self.flush();
                self.fonts.word(name, number);
            }
            _ => {
                if let Some((text, html)) = destination::character(name) {
                    self.flush();
                    self.emit(text, html);
                }
            }
        }
    }

    fn symbol(&mut self, symbol: u8) {
        if symbol == b'*' {
            self.marked = true;
            return;
        }
        self.at_start = false;
        if self.to_pass > 0 {
            self.to_pass -= 1;
            return;
        }
        if matches!(symbol, b'{' | b'}' | b'\\') {
            // The second byte of a character may be one of these.
            self.add_bytes(&[symbol]);
        } else if let Some((text, html)) = destination::symbol(symbol) {
            self.flush();
            self.emit(text, html);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.at_start = false;
        self.marked = false;
        let passed = self.to_pass.min(bytes.len());
        self.to_pass -= passed;
        self.add_bytes(&bytes[passed..]);
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match self.state.destination {
            Destination::Skip | Destination::Info | Destination::Unicode => return,
            Destination::Picture | Destination::ObjectData => {
                self.digits.text(bytes);
                return;
            }
            _ => {}
        }
        let page = self.fonts.page(self.state.font);
        let symbol = self.fonts.is_symbol(self.state.font) && self.state.destination != Destination::Fonts;
        if page != self.run.page || symbol != self.run.symbol || self.high_surrogate.is_some() {
            self.flush();
        }
        self.run.page = page;
        self.run.symbol = symbol;
        self.run.bytes.extend(bytes.iter().filter(|byte| **byte != 0));
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.at_start = false;
        if self.to_pass > 0 {
            self.to_pass -= 1;
            return;
        }
        if matches!(self.state.destination, Destination::Picture | Destination::ObjectData) {
            self.digits.bytes.extend_from_slice(bytes);
        }
    }

    /// `\u`: a UTF-16 unit, written as a signed number.
    fn unicode(&mut self, unit: i32) {
        self.flush_bytes();
        self.to_pass = self.state.alternatives;
        let unit = match u16::try_from(unit).or_else(|_| i16::try_from(unit).map(|unit| unit as u16)) {
            Ok(unit) => unit,
            Err(_) => {
                // Some writers put characters beyond the first plane as one number.
                if let Some(c) = u32::try_from(unit).ok().and_then(char::from_u32) {
                    self.emit_char(c);
                }
                return;
            }
        };
        if let Some(high) = self.high_surrogate.take() {
            if let Some(Ok(c)) = char::decode_utf16([high, unit]).next()
                && c.len_utf16() == 2
            {
                self.emit_char(c);
                return;
            }
            self.emit_char('\u{fffd}');
        }
        match unit {
            0xD800..=0xDBFF => self.high_surrogate = Some(unit),
            _ => self.emit_char(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}')),
        }
    }

    fn emit_char(&mut self, c: char) {
        let mut buffer = [0; 4];
        let text = c.encode_utf8(&mut buffer);
        self.emit(text, text);
    }

    fn flush(&mut self) {
        self.flush_bytes();
        if self.high_surrogate.take().is_some() {
            self.emit_char('\u{fffd}');
        }
    }

    fn flush_bytes(&mut self) {
        if self.run.bytes.is_empty() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.run.bytes);
        if bytes.is_ascii() && !self.run.symbol {
            let text = String::from_utf8_lossy(&bytes);
            self.emit(&text, &text);
        } else if self.run.symbol {
            // Pictures of a symbol font: the bullet is told, the rest is shown as its key.
            let text: String = bytes
                .iter()
                .map(|byte| if *byte == 0xB7 { '\u{2022}' } else { char::from(*byte) })
                .collect();
            self.emit(&text, &text);
        } else {
            let text = self.decode(&bytes);
            self.emit(&text, &text);
        }
        bytes.clear();
        self.run.bytes = bytes;
    }

    fn decode(&mut self, bytes: &[u8]) -> String {
        let by_font = codepage::decode(self.run.page, bytes);
        if let Some(decoded) = &by_font
            && decoded.clean
        {
            return decoded.text.clone();
        }
        let document = self.fonts.document();
        if document != self.run.page
            && let Some(decoded) = codepage::decode(document, bytes)
            && decoded.clean
        {
            return decoded.text;
        }
        // Outlook writes the bytes of the Western European page into documents that declare UTF-8.
        if self.run.page == codepage::UTF_8
            && let Some(decoded) = codepage::decode(codepage::WESTERN, bytes)
            && decoded.clean
        {
            return decoded.text;
        }
        self.undecodable |= by_font.as_ref().is_none_or(|decoded| decoded.text.contains('\u{fffd}'));
        by_font.map(|decoded| decoded.text).unwrap_or_default()
    }

    /// Puts text where the group's content goes.
    fn emit(&mut self, text: &str, html: &str) {
        let as_html = self.out.encapsulated == Encapsulated::Html && !self.state.not_html;
        match self.state.destination {
            Destination::Body => {
                self.put(text);
                if as_html {
                    self.html.push_str(html);
                }
            }
            Destination::Aside | Destination::ListText => self.put(text),
            Destination::HtmlTag => {
                if as_html {
                    self.html.push_str(html);
                }
            }
            Destination::Fonts => self.fonts.text(text),
            Destination::InfoField(_) | Destination::Instruction | Destination::ObjectClass => {
                self.buffer.push_str(text)
            }
            Destination::Skip
            | Destination::Info
            | Destination::Picture
            | Destination::ObjectData
            | Destination::Unicode => {}
        }
    }

    fn end_of_field(&mut self, field: Field) {
        let text = std::mem::take(&mut self.buffer);
        let [year, month, day, hour, minute, second] = self.time;
        let time = || {
            let small = |value: i32| i8::try_from(value).ok();
            jiff::civil::DateTime::new(
                i16::try_from(year).ok()?,
                small(month)?,
                small(day)?,
                small(hour)?,
                small(minute)?,
                small(second)?,
                0,
            )
            .ok()
        };
        let info: &mut Info = &mut self.out.info;
        let slot = match field {
            Field::Title => &mut info.title,
            Field::Subject => &mut info.subject,
            Field::Author => &mut info.author,
            Field::Operator => &mut info.operator,
            Field::Manager => &mut info.manager,
            Field::Company => &mut info.company,
            Field::Category => &mut info.category,
            Field::Keywords => &mut info.keywords,
            Field::Comment => &mut info.comment,
            Field::Created => return info.created = time(),
            Field::Modified => return info.modified = time(),
            Field::Printed => return info.printed = time(),
        };
        if slot.is_empty() {
            text.trim().clone_into(slot);
        }
    }
}

/// The target in the instruction of a hyperlink: `HYPERLINK "target"`, with switches.
fn hyperlink(instruction: &str) -> Option<String> {
    let rest = instruction.trim_start().strip_prefix("HYPERLINK")?;
    let target = match rest.split_once('"') {
        Some((_, quoted)) => quoted.split('"').next()?,
        None => rest.split_whitespace().find(|word| !word.starts_with('\\'))?,
    };
    (!target.is_empty()).then(|| target.to_owned())
}
