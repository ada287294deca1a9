//! Pages that print the same everywhere: one file, no script, no resource from outside, every text escaped.

use std::fmt::Write as _;

/// The look of all pages; the policy below allows nothing but this.
const STYLE: &str = "body{font:11pt/1.4 serif;margin:2cm;color:#000}h1{font-size:16pt;margin:0 0 .5em}h2{font-size:12pt;margin:1.2em 0 .4em}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #000;padding:.25em .5em;text-align:left;vertical-align:top;\
overflow-wrap:anywhere}th{font-weight:600}.label{border:2px solid #000;padding:1em;page-break-inside:avoid;margin-bottom:1em}\
.label th{width:30%}.ref{font-size:28pt;font-weight:700}.gone td{text-decoration:line-through}.gap{border-left:6px solid #000;padding-left:.6em}\
.small{font-size:9pt}.line{height:2.2em}@page{margin:1.5cm}";

/// A page that is written from top to bottom.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let mut page = Self(String::from(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<title>",
        ));
        page.text(title);
        page.raw("</title>\n<style>");
        page.raw(STYLE);
        page.raw("</style>\n</head>\n<body>\n");
        page
    }

    /// Markup that stands in the program.
    pub(super) fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// Text from anywhere.
    pub(super) fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(letter),
                // Marks that turn the direction of what follows would change what a reader sees.
                '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                    let code = u32::from(letter);
                    let _never_fails = write!(self.0, "[U+{code:04X}]");
                }
                letter if letter.is_control() => self.0.push('\u{FFFD}'),
                letter => self.0.push(letter),
            }
        }
    }

    /// An element with a text in it.
    pub(super) fn element(&mut self, open: &'static str, text: &str, close: &'static str) {
        self.raw(open);
        self.text(text);
        self.raw(close);
    }

    /// A row of a table with a head before the text.
    pub(super) fn pair(&mut self, head: &str, text: &str) {
        self.element("<tr><th scope=\"row\">", head, "</th>");
        self.element("<td>", text, "</td></tr>\n");
    }

    pub(super) fn finish(mut self) -> String {
        self.raw("</body>\n</html>\n");
        self.0
    }
}
