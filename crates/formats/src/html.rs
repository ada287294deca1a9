//! HTML to text for searching: every word that a reader could see, and those hidden by style.
//!
//! Works on the token stream of `html5gum` (WHATWG HTML, section 13.2.5), without a tree, so that time is
//! linear and nesting costs nothing. Kept: text whatever its style, `alt` and `title` texts, the targets
//! of links on lines of their own, titles, form values. Dropped: scripts, style sheets, comments, and
//! characters without width (soft hyphens, joiners) that would split words. Not for: showing HTML.

use html5gum::{Emitter, Error, State, Tokenizer};

/// Returns the text of a document or fragment. Never fails; time and memory are linear in its length.
pub fn to_text(html: &str) -> String {
    let mut out = Output::with_capacity(html.len() / 2);
    let tokenizer = Tokenizer::new_with_emitter(html, TextEmitter::new(&mut out));
    // The reader over a string cannot fail; its error type has no values.
    let Ok(()) = tokenizer.finish();
    if let Some(tail) = unfinished_tag(html) {
        out.line();
        out.push(tail.as_bytes());
    }
    out.finish()
}

/// What stands in a tag that the end of the text cuts off. A browser drops it (WHATWG HTML, section 13.2.5, eof-in-tag); the
/// end of a message that was cut on its way is in there.
fn unfinished_tag(html: &str) -> Option<&str> {
    let tail = &html[memchr::memrchr(b'<', html.as_bytes())? + 1..];
    let is_tag = tail.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    (is_tag && memchr::memchr(b'>', tail.as_bytes()).is_none()).then_some(tail)
}

/// True when text that nobody declared is an HTML document: it begins with a tag such documents begin with.
pub fn looks_like_html(text: &str) -> bool {
    let head = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']);
    let begins = begins_page(head.as_bytes()) || begins_piece(head.as_bytes()) || head.starts_with("<!--");
    begins && memchr::memchr(b'>', head.as_bytes()).is_some()
}

/// True when a page begins here that says so.
pub(crate) fn begins_page(head: &[u8]) -> bool {
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| {
        head.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    })
}

/// True when a piece of a page begins here, as programs write reports and clippings: one of the usual elements (WHATWG HTML section 4).
pub(crate) fn begins_piece(head: &[u8]) -> bool {
    const USUAL: [&str; 22] = [
        "a",
        "b",
        "blockquote",
        "br",
        "center",
        "dir",
        "div",
        "dl",
        "font",
        "h1",
        "h2",
        "h3",
        "hr",
        "img",
        "meta",
        "ol",
        "p",
        "span",
        "style",
        "table",
        "title",
        "ul",
    ];
    let Some(rest) = head.strip_prefix(b"<") else {
        return false;
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (name, behind) = rest.split_at(length);
    let ends = matches!(behind, [b'>' | b' ' | b'\t' | b'\r' | b'\n', ..] | [b'/', b'>', ..]);
    ends && USUAL.iter().any(|usual| name.eq_ignore_ascii_case(usual.as_bytes()))
}

/// The text written so far, with white space folded.
struct Output {
    text: String,
    /// White space is due before the next character.
    pending_space: bool,
    /// A line end is due before the next character.
    pending_line: bool,
    /// Targets of links seen since the last line end.
    links: Vec<u8>,
    last_link: Vec<u8>,
    preformatted: u32,
}

impl Output {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            text: String::with_capacity(capacity),
            pending_space: false,
            pending_line: false,
            links: Vec::new(),
            last_link: Vec::new(),
            preformatted: 0,
        }
    }

    fn line(&mut self) {
        self.pending_line = true;
        if !self.links.is_empty() {
            let links = std::mem::take(&mut self.links);
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            self.text.push_str(String::from_utf8_lossy(&links).trim_end());
        }
    }

    fn link(&mut self, target: &[u8]) {
        if target.is_empty() || target.starts_with(b"#") || target == self.last_link {
            return;
        }
        self.links.extend_from_slice(target);
        self.links.push(b'\n');
        self.last_link.clear();
        self.last_link.extend_from_slice(target);
    }

    fn flush_pending(&mut self) {
        if self.pending_line {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
        } else if self.pending_space && !self.text.is_empty() && !self.text.ends_with([' ', '\n', '\t']) {
            self.text.push(' ');
        }
        self.pending_line = false;
        self.pending_space = false;
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.preformatted > 0 {
            self.push_lines(bytes);
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if blank > 0 {
                self.pending_space = true;
                rest = &rest[blank..];
            }
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            if end > 0 {
                self.word(&rest[..end]);
            }
            rest = &rest[end..];
        }
    }

    fn push_lines(&mut self, bytes: &[u8]) {
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.line();
            }
            if !line.is_empty() {
                self.word(line);
            }
        }
    }

    fn word(&mut self, word: &[u8]) {
        if word.is_ascii() {
            self.flush_pending();
            // ASCII is UTF-8; the conversion borrows.
            self.text.push_str(&String::from_utf8_lossy(word));
            return;
        }
        for c in String::from_utf8_lossy(word).chars() {
            match c {
                '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{034F}' => {}
                '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => self.pending_space = true,
                other => {
                    self.flush_pending();
                    self.text.push(other);
                }
            }
        }
    }

    fn finish(mut self) -> String {
        self.line();
        self.text
    }
}

/// What a tag does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Inline,
    Block,
    Cell,
    Preformatted,
    Dropped,
}

fn layout(name: &[u8]) -> Layout {
    match name {
        b"script" | b"style" => Layout::Dropped,
        b"pre" | b"listing" | b"xmp" | b"plaintext" | b"textarea" => Layout::Preformatted,
        b"td" | b"th" | b"option" | b"button" | b"select" | b"input" => Layout::Cell,
        b"p" | b"div" | b"br" | b"tr" | b"li" | b"ul" | b"ol" | b"dl" | b"dt" | b"dd" | b"table" | b"tbody"
        | b"thead" | b"tfoot" | b"caption" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"hr" | b"blockquote"
        | b"center" | b"form" | b"fieldset" | b"legend" | b"title" | b"head" | b"body" | b"html" | b"section"
        | b"article" | b"header" | b"footer" | b"nav" | b"aside" | b"main" | b"address" | b"figure" | b"figcaption"
        | b"details" | b"summary" | b"frameset" | b"frame" | b"iframe" | b"dir" | b"menu" => Layout::Block,
        _ => Layout::Inline,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    Start,
    End,
}

struct TextEmitter<'o> {
    out: &'o mut Output,
    token: Token,
    name: Vec<u8>,
    last_start: Vec<u8>,
    attribute: Vec<u8>,
    value: Vec<u8>,
    in_attribute: bool,
    /// Text of the script or style element being read; kept only when the element never ends.
    dropped: Vec<u8>,
    dropping: bool,
    /// Texts of attributes of the current tag, written when the tag ends.
    texts: Vec<u8>,
    target: Vec<u8>,
}

impl<'o> TextEmitter<'o> {
    fn new(out: &'o mut Output) -> Self {
        Self {
            out,
            token: Token::None,
            name: Vec::with_capacity(16),
            last_start: Vec::with_capacity(16),
            attribute: Vec::with_capacity(16),
            value: Vec::with_capacity(64),
            in_attribute: false,
            dropped: Vec::new(),
            dropping: false,
            texts: Vec::new(),
            target: Vec::new(),
        }
    }

    fn end_attribute(&mut self) {
        if !self.in_attribute {
            return;
        }
        self.in_attribute = false;
        if self.token != Token::Start || self.value.is_empty() {
            return;
        }
        match self.attribute.as_slice() {
            b"href" if self.name != b"link" && self.name != b"base" => {
                self.target.clear();
                self.target.extend_from_slice(self.value.trim_ascii());
            }
            b"action" | b"formaction" => {
                self.target.clear();
                self.target.extend_from_slice(self.value.trim_ascii());
            }
            b"alt" | b"title" | b"placeholder" | b"aria-label" | b"summary" => self.keep_value(),
            b"value" if self.name == b"input" || self.name == b"button" => self.keep_value(),
            b"content" if self.name == b"meta" => {}
            _ => {}
        }
    }

    fn keep_value(&mut self) {
        self.texts.extend_from_slice(&self.value);
        self.texts.push(b' ');
    }

    fn start_tag(&mut self) -> Option<State> {
        let layout = layout(&self.name);
        match layout {
            Layout::Block => self.out.line(),
            Layout::Cell => self.out.pending_space = true,
            Layout::Preformatted => {
                self.out.line();
                if self.name == b"pre" || self.name == b"listing" {
                    self.out.preformatted += 1;
                }
            }
            Layout::Dropped => {
                self.dropping = true;
                self.dropped.clear();
            }
            Layout::Inline => {}
        }
        if !self.texts.is_empty() {
            let texts = std::mem::take(&mut self.texts);
            self.out.pending_space = true;
            self.out.push(&texts);
            self.out.pending_space = true;
        }
        if !self.target.is_empty() {
            let target = std::mem::take(&mut self.target);
            self.out.link(&target);
        }
        self.last_start.clear();
        self.last_start.extend_from_slice(&self.name);
        match self.name.as_slice() {
            b"script" => Some(State::ScriptData),
            b"style" | b"xmp" => Some(State::RawText),
            b"title" | b"textarea" => Some(State::RcData),
            b"plaintext" => Some(State::PlainText),
            _ => None,
        }
    }

    fn end_tag(&mut self) {
        self.texts.clear();
        self.target.clear();
        if self.dropping && self.name == self.last_start {
            self.dropping = false;
            self.dropped.clear();
            return;
        }
        match layout(&self.name) {
            Layout::Block => self.out.line(),
            Layout::Cell => self.out.pending_space = true,
            Layout::Preformatted => {
                self.out.line();
                if self.name == b"pre" || self.name == b"listing" {
                    self.out.preformatted = self.out.preformatted.saturating_sub(1);
                }
            }
            Layout::Dropped | Layout::Inline => {}
        }
    }
}

impl Emitter for TextEmitter<'_> {
    type Token = std::convert::Infallible;

    fn set_last_start_tag(&mut self, last_start_tag: Option<&[u8]>) {
        self.last_start.clear();
        self.last_start.extend_from_slice(last_start_tag.unwrap_or_default());
    }

    fn emit_eof(&mut self) {
        if self.dropping {
            // The element never ended: what it swallowed may be the message.
            let dropped = std::mem::take(&mut self.dropped);
            self.out.line();
            self.out.push(&dropped);
            self.dropping = false;
        }
    }

    fn emit_error(&mut self, _: Error) {}

    #[inline]
    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn pop_token(&mut self) -> Option<Self::Token> {
        None
    }

    fn emit_string(&mut self, text: &[u8]) {
        if self.dropping {
            self.dropped.extend_from_slice(text);
        } else {
            self.out.push(text);
        }
    }

    fn init_start_tag(&mut self) {
        self.token = Token::Start;
        self.name.clear();
        self.in_attribute = false;
    }

    fn init_end_tag(&mut self) {
        self.token = Token::End;
        self.name.clear();
        self.in_attribute = false;
    }

    fn init_comment(&mut self) {
        self.token = Token::None;
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        self.end_attribute();
        match self.token {
            Token::Start => self.start_tag(),
            Token::End => {
                self.end_tag();
                None
            }
            Token::None => None,
        }
    }

    fn emit_current_comment(&mut self) {}

    fn emit_current_doctype(&mut self) {}

    fn set_self_closing(&mut self) {}

    fn set_force_quirks(&mut self) {}

    fn push_tag_name(&mut self, text: &[u8]) {
        self.name.extend_from_slice(text);
    }

    fn push_comment(&mut self, _: &[u8]) {}

    fn push_doctype_name(&mut self, _: &[u8]) {}

    fn init_doctype(&mut self) {
        self.token = Token::None;
    }

    fn init_attribute(&mut self) {
        self.end_attribute();
        self.attribute.clear();
        self.value.clear();
        self.in_attribute = true;
    }

    fn push_attribute_name(&mut self, text: &[u8]) {
        self.attribute.extend_from_slice(text);
    }

    fn push_attribute_value(&mut self, text: &[u8]) {
        self.value.extend_from_slice(text);
    }

    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}

    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.token == Token::End && !self.name.is_empty() && self.name == self.last_start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, text: &str) {
        assert_eq!(to_text(html), text, "{html}");
    }

    #[test]
    fn inline_tags_do_not_split_words_and_blocks_do() {
        check("a<b>b</b>c", "abc");
        check("<p>one</p><p>two</p>three<br>four", "one\ntwo\nthree\nfour");
        check("<tr><td>1</td><td>2</td></tr>", "1 2");
        check("soft&shy;hyphen zero\u{200b}width", "softhyphen zerowidth");
    }

    #[test]
    fn links_alt_and_hidden_text_are_kept() {
        check(
            "<p>see <a href='http://x.example/a?b&amp;c'>here</a> now</p>",
            "see here now\nhttp://x.example/a?b&c",
        );
        check(
            "<img alt='red car'><span style='display:none'>secret</span>",
            "red car secret",
        );
        check("<font color=white>white</font>", "white");
    }

    #[test]
    fn scripts_styles_and_comments_are_dropped() {
        check(
            "<style>p{color:red}</style>x<script>if (a<b) f('</p>')</script>y<!-- z -->",
            "xy",
        );
        check("<title>T&amp;U</title><body>v", "T&U\nv");
    }

    #[test]
    fn an_element_that_never_ends_hides_nothing() {
        check("before<style>after", "before\nafter");
        check("<script>words <b>here", "words <b>here");
        check("text <a href='x", "text\na href='x");
        check(
            "<p class='a' style='b\n--- cut ---\n",
            "p class='a' style='b --- cut ---",
        );
        check("1 < 2", "1 < 2");
    }

    #[test]
    fn preformatted_text_keeps_its_lines() {
        check("<pre>a  b\n c</pre>d", "a  b\n c\nd");
    }

    #[test]
    fn nesting_does_not_multiply_the_output() {
        let deep = "<div>".repeat(200_000) + "x";
        assert_eq!(to_text(&deep), "x");
        let links = "<a href=y>".repeat(200_000);
        assert_eq!(to_text(&links), "y");
    }

    #[test]
    fn html_is_recognised_by_its_first_tag() {
        assert!(looks_like_html("\n <!DOCTYPE HTML PUBLIC><p>"));
        assert!(looks_like_html("<html>"));
        assert!(!looks_like_html("<john@example.org> wrote"));
    }
}
