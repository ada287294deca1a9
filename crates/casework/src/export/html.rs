//! A bundle of pages that opens offline: an index, lists of items, one page an item with its fields and its text.
//!
//! Originals are not in it: pages of evidence would be run by the browser that opens them. Layout: `index.html`, `list/0001.html`,
//! `items/0001/CONTROL.html`.

use std::fmt::Write;

use embley_store::outgoing::Outgoing;

use super::entry::Entry;
use super::names;
use super::page::{escaped, facts, head, page, row};
use super::record::Record;
use super::table::columns;
use super::writer::FormWriter;
use crate::error::Result;

/// Items of one list.
const A_LIST: u64 = 250;
const LIST_COLUMNS: [&str; 5] = ["item", "date (UTC)", "kind", "from", "title"];

/// The bundle.
pub(super) struct Pages {
    lists: u64,
    rows: String,
    count: u64,
    /// Ends of the lists that are written: first and last control number.
    ends: Vec<(String, String)>,
    first: String,
    last: String,
}

impl Pages {
    /// Begins it.
    pub(super) fn begin() -> Self {
        Self {
            lists: 0,
            rows: String::new(),
            count: 0,
            ends: Vec::new(),
            first: String::new(),
            last: String::new(),
        }
    }

    fn end_list(&mut self, out: &mut Outgoing) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        self.lists += 1;
        let title = format!("{} to {}", self.first, self.last);
        let content = format!(
            "<nav><a href=\"../index.html\">index</a></nav>\n<h1>{}</h1>\n<table>\n{}<tbody>\n{}</tbody>\n</table>\n",
            escaped(&title),
            head(LIST_COLUMNS.into_iter()),
            self.rows
        );
        out.put(&list_name(self.lists), page(&title, &content).as_bytes())?;
        self.ends
            .push((std::mem::take(&mut self.first), std::mem::take(&mut self.last)));
        self.rows.clear();
        self.count = 0;
        Ok(())
    }
}

fn list_name(number: u64) -> String {
    format!("list/{number:04}.html")
}

fn item_name(entry: &Entry) -> String {
    format!("items/{}/{}.html", names::folder(entry.position), entry.control)
}

impl FormWriter for Pages {
    fn entry(&mut self, out: &mut Outgoing, entry: &Entry) -> Result<()> {
        let mut content = format!(
            "<nav><a href=\"../../index.html\">index</a> <a href=\"../../{}\">list</a></nav>\n<h1>{} <bdi>{}</bdi></h1>\n",
            list_name(self.lists + 1),
            escaped(&entry.control),
            escaped(entry.title())
        );
        let cells: Vec<(&str, String)> = columns(false)
            .map(|column| (column.name, (column.cell)(entry)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        content.push_str(&facts(cells.iter().map(|(name, value)| (*name, value.as_str()))));
        match &entry.text {
            Some(text) => {
                let _written = write!(
                    content,
                    "<h2>Text</h2>\n<pre dir=\"auto\">{}</pre>\n",
                    escaped(&text.body)
                );
            }
            None => content.push_str("<p>No text.</p>\n"),
        }
        out.put(&item_name(entry), page(&entry.control, &content).as_bytes())?;
        if self.count == 0 {
            self.first.clone_from(&entry.control);
        }
        self.last.clone_from(&entry.control);
        let link = format!(
            "<tr><td><a href=\"../{}\">{}</a></td>",
            item_name(entry),
            escaped(&entry.control)
        );
        let date = entry.hit.date.as_deref().unwrap_or("undated");
        let others = [date, entry.hit.kind.word(), &entry.hit.from, entry.title()];
        self.rows.push_str(&link);
        self.rows.push_str(row(others.into_iter()).trim_start_matches("<tr>"));
        self.count += 1;
        if self.count == A_LIST {
            self.end_list(out)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Outgoing, record: &mut Record) -> Result<()> {
        self.end_list(out)?;
        record.conventions.insert(
            "html".to_owned(),
            "everything from evidence is escaped; pages load nothing and run nothing; originals are not in it".into(),
        );
        let title = format!("{}: {} items", record.case.name, record.counts.items);
        let mut content = format!("<h1><bdi>{}</bdi></h1>\n", escaped(&title));
        let lines = record.lines();
        content.push_str(&facts(
            lines.iter().map(|(word, value)| (word.as_str(), value.as_str())),
        ));
        content.push_str("<h2>Items</h2>\n<ul>\n");
        for (number, (first, last)) in (1..).zip(&self.ends) {
            let _written = writeln!(
                content,
                "<li><a href=\"{}\">{} to {}</a></li>",
                list_name(number),
                escaped(first),
                escaped(last)
            );
        }
        content.push_str("</ul>\n");
        out.put("index.html", page(&title, &content).as_bytes())?;
        Ok(())
    }
}
