//! The table of words that tesseract writes: one row for each word, with its place and how sure it is.
//!
//! Main type: [`Words`]. Columns: level, page, block, paragraph, line, word, left, top, width, height, confidence, text; level 5 is a word.

/// Text put together from tables.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Words with blanks between, lines with line ends, paragraphs with an empty line, pages with form feeds.
    pub(super) text: String,
    confidence: f64,
    count: u32,
}

impl Words {
    /// Adds the words of one page.
    pub(super) fn add(&mut self, table: &[u8]) {
        let table = String::from_utf8_lossy(table);
        let mut before: Option<(&str, &str, &str)> = None;
        for row in table.lines() {
            let mut columns = row.split('\t');
            if columns.next() != Some("5") {
                continue;
            }
            let _page = columns.next();
            let (Some(block), Some(paragraph), Some(line)) = (columns.next(), columns.next(), columns.next()) else {
                continue;
            };
            let (Some(confidence), Some(word)) = (columns.nth(5), columns.next()) else {
                continue;
            };
            let word = word.trim();
            if word.is_empty() {
                continue;
            }
            match before {
                None => {}
                Some((b, p, l)) if (b, p, l) == (block, paragraph, line) => self.text.push(' '),
                Some((b, p, _)) if (b, p) == (block, paragraph) => self.text.push('\n'),
                Some(_) => self.text.push_str("\n\n"),
            }
            before = Some((block, paragraph, line));
            self.text.push_str(word);
            if let Ok(confidence) = confidence.parse::<f64>()
                && (0.0..=100.0).contains(&confidence)
            {
                self.confidence += confidence;
                self.count = self.count.saturating_add(1);
            }
        }
        if before.is_some() {
            self.text.push('\n');
        }
    }

    /// Marks the end of a page.
    pub(super) fn end_page(&mut self) {
        self.text.push('\x0c');
    }

    /// Mean over all words, per cent; `None` without words.
    pub(super) fn mean_confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence / f64::from(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_lines_and_paragraphs() {
        let mut words = Words::default();
        words.add(
            b"level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
              1\t1\t0\t0\t0\t0\t0\t0\t9\t9\t-1\t\n\
              5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t96.5\tHello\n\
              5\t1\t1\t1\t1\t2\t0\t0\t9\t9\t93.5\tworld\n\
              5\t1\t1\t1\t2\t1\t0\t0\t9\t9\t80\tagain\n\
              5\t1\t1\t2\t1\t1\t0\t0\t9\t9\t-1\t \n\
              5\t1\t2\t1\t1\t1\t0\t0\t9\t9\t90\t\xff\n\
              5\t1\n",
        );
        words.end_page();
        assert_eq!(words.text, "Hello world\nagain\n\n\u{fffd}\n\x0c");
        assert_eq!(words.mean_confidence(), Some(90.0));
        assert_eq!(Words::default().mean_confidence(), None);
    }
}
