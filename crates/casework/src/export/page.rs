//! Pages that open from a folder, without a network: one style, everything from evidence escaped, nothing loaded from elsewhere.
//!
//! Each page forbids itself scripts and outside resources (Content-Security-Policy), so that even a fault here loads and runs nothing.

use std::fmt::Write;

/// The rule that a page sets itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:15px/1.45 sans-serif;margin:1.5em;max-width:75em;color:#111}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:.25em .5em;text-align:left;vertical-align:top;\
overflow-wrap:anywhere}th{background:#eee}pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #bbb;padding:.75em}\
.warn{border:2px solid #a00;color:#a00;padding:.5em;font-weight:bold}.sign td{height:2.2em}nav{margin:.75em 0}\
@media print{body{margin:0;max-width:none;font-size:10pt}nav{display:none}thead{display:table-header-group}tr{break-inside:avoid}}";

/// A whole page around its content, which is HTML.
pub(crate) fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{content}</body>\n</html>\n",
        escaped(title)
    )
}

/// Text as it may stand in content and in attributes with double quotes: nothing of it is markup, and nothing turns the direction of what
/// follows.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            '\r' => {}
            letter if letter.is_control() => out.push('\u{FFFD}'),
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                let _written = write!(out, "[U+{:04X}]", letter as u32);
            }
            letter => out.push(letter),
        }
    }
    out
}

/// A table of two columns: words and values.
pub(crate) fn facts<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::from("<table>\n");
    for (word, value) in lines {
        let _written = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td><bdi>{}</bdi></td></tr>",
            escaped(word),
            escaped(value)
        );
    }
    out.push_str("</table>\n");
    out
}

/// A row of a table; cells are text.
pub(crate) fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: String = cells
        .map(|cell| format!("<td><bdi>{}</bdi></td>", escaped(cell)))
        .collect();
    format!("<tr>{cells}</tr>\n")
}

/// The head of a table.
pub(crate) fn head<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let cells: String = names
        .map(|name| format!("<th scope=\"col\">{}</th>", escaped(name)))
        .collect();
    format!("<thead><tr>{cells}</tr></thead>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_evidence_is_markup() {
        assert_eq!(
            escaped("<script>alert('x')</script> & \"q\"\u{202e}\0"),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;q&quot;[U+202E]\u{FFFD}"
        );
        let made = page("</title><script>", &row(["<img src=x onerror=y>"].into_iter()));
        assert!(!made.contains("<script") && !made.contains("<img"), "{made}");
        assert!(made.contains("default-src 'none'"));
    }
}
