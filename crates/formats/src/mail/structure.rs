//! The MIME structure of a message (RFC 2045, RFC 2046) as a list of entities with byte ranges.
//!
//! One scanner serves messages in memory and messages of any size in a stream, so both come out the same.
//! A delimiter is a whole line: `--` + boundary, perhaps `--`, perhaps blanks. Every open boundary is looked
//! up in one table, so that a line costs the same at any depth. Invariants: entities are in document order,
//! parents before children; nesting is bounded before it happens; time is linear in the bytes.

use std::collections::HashMap;
use std::io;
use std::ops::Range;

use embley_model::defect::{Defect, DefectCode};

use super::ParseLimits;
use super::transfer::Transfer;
use crate::headers::content::PartInfo;
use crate::headers::{Level, Section, scan};

/// Longest delimiter line looked at. RFC 2046 allows 70 characters; broken writers go beyond.
const DELIMITER_BYTES: usize = 1024;

/// First window for a header section; grown by four until the section ends or the limit is reached.
const HEADER_WINDOW: usize = 16 * 1024;

/// Where the bytes are: memory or windows over a file.
pub(crate) trait Source {
    /// Length in bytes.
    fn len(&self) -> u64;
    /// Start of the first line at or after `from` that begins with `--` and has a line end before it.
    fn next_dashes(&mut self, from: u64) -> io::Result<Option<u64>>;
    /// Up to `max` bytes at `at`; fewer only at the end.
    fn peek(&mut self, at: u64, max: usize) -> io::Result<&[u8]>;
}

impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn next_dashes(&mut self, from: u64) -> io::Result<Option<u64>> {
        let before = from.saturating_sub(1);
        let Some(rest) = usize::try_from(before).ok().and_then(|at| self.get(at..)) else {
            return Ok(None);
        };
        Ok(memchr::memmem::find(rest, b"\n--").map(|found| before + found as u64 + 1))
    }

    fn peek(&mut self, at: u64, max: usize) -> io::Result<&[u8]> {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(<[u8]>::len(self));
        let end = at.saturating_add(max).min(<[u8]>::len(self));
        Ok(&self[at..end])
    }
}

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `multipart/*` with at least one delimiter.
    Multipart,
    /// A message inside the message, not encoded; its own entity follows as its only child.
    Embedded,
    /// A message inside the message in base64 or quoted-printable.
    EncodedMessage,
    /// Everything else.
    Leaf,
}

/// One entity.
#[derive(Debug)]
pub(crate) struct Entity {
    /// Index of the entity around it; `None` for the message itself.
    pub parent: Option<usize>,
    /// What it is.
    pub kind: Kind,
    /// True for the outermost entity of a message, whose header section is the message's.
    pub is_message_root: bool,
    /// Header section.
    pub header: Range<u64>,
    /// Content, without the line end that belongs to the delimiter after it.
    pub body: Range<u64>,
    /// What its header says of its content.
    pub info: PartInfo,
    /// Text of a multipart outside its parts: before the first delimiter, after the last.
    pub around: Vec<Range<u64>>,
    /// Lines of the header that are no fields.
    pub malformed: Vec<Range<u64>>,
    /// What is odd about its structure.
    pub defects: Vec<Defect>,
}

/// All entities of a message.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// In document order.
    pub entities: Vec<Entity>,
    /// Where the scanner stopped opening parts, when there were too many.
    pub unopened: Option<Range<u64>>,
    /// The scanned header section of the message itself, which is the first entity's.
    pub root_section: Section,
    /// Delimiter candidates looked at: a work counter for tests.
    pub candidates: u64,
}

/// A multipart or embedded message whose end has not been seen.
struct Frame {
    entity: usize,
    boundary: Option<Vec<u8>>,
    /// What an inner multipart of the same boundary hides until it closes.
    hidden: Option<usize>,
    /// The close delimiter has been seen; what follows is epilogue.
    closed: bool,
    delimiters: u64,
    /// Start of the text outside parts that is being passed.
    outside: Option<u64>,
    digest: bool,
}

struct Scanner<'s, S: Source> {
    source: &'s mut S,
    limits: &'s ParseLimits,
    tree: Tree,
    frames: Vec<Frame>,
    open: HashMap<Vec<u8>, usize>,
    /// Messages around the present place.
    message_depth: usize,
    multipart_depth: usize,
}

/// A delimiter line found.
struct Delimiter {
    frame: usize,
    closes: bool,
    /// Start of the line.
    at: u64,
    /// Start of the next line.
    next: u64,
}

/// Finds the entities of the message that fills `source`. `depth` is the number of messages around it.
pub(crate) fn scan_message<S: Source>(source: &mut S, limits: &ParseLimits, depth: usize) -> io::Result<Tree> {
    let mut scanner = Scanner {
        source,
        limits,
        tree: Tree::default(),
        frames: Vec::new(),
        open: HashMap::new(),
        message_depth: depth,
        multipart_depth: 0,
    };
    scanner.run()?;
    Ok(scanner.tree)
}

impl<S: Source> Scanner<'_, S> {
    fn run(&mut self) -> io::Result<()> {
        let mut next = Some((0, true, false));
        while let Some((at, is_root, digest)) = next {
            next = self.entity(at, is_root, digest)?;
        }
        Ok(())
    }

    /// Reads the entity whose header begins at `at` and goes on to the next one: its place, whether it is a
    /// message's own, and whether it stands in a digest.
    fn entity(&mut self, at: u64, is_root: bool, digest: bool) -> io::Result<Option<(u64, bool, bool)>> {
        let end = self.source.len();
        if self.tree.entities.len() >= self.limits.max_parts {
            self.tree.unopened = Some(at..end);
            self.close_down_to(0, at);
            return Ok(None);
        }
        let level = if is_root { Level::Message } else { Level::Part };
        let (section, info, defects) = self.header(at, level, digest)?;
        let body_at = at + section.end as u64;
        let shift = |range: &Range<usize>| at + range.start as u64..at + range.end as u64;
        let index = self.tree.entities.len();
        self.tree.entities.push(Entity {
            parent: self.frames.last().map(|frame| frame.entity),
            kind: Kind::Leaf,
            is_message_root: is_root,
            header: at..body_at,
            body: body_at..end,
            info,
            around: Vec::new(),
            malformed: section.malformed.iter().map(shift).collect(),
            defects,
        });
        if index == 0 {
            self.tree.root_section = section;
        }
        self.open_body(index, body_at)
    }

    fn open_body(&mut self, index: usize, body_at: u64) -> io::Result<Option<(u64, bool, bool)>> {
        let media_type = self.tree.entities[index].info.media_type.clone();
        if media_type.starts_with("multipart/") {
            self.open_multipart(index, body_at, media_type == "multipart/digest")?;
        } else if matches!(
            media_type.as_str(),
            "message/rfc822" | "message/global" | "message/news"
        ) {
            if self.message_depth + 1 >= self.limits.max_depth {
                let detail = format!("message at depth {}", self.message_depth + 1);
                self.defect(index, DefectCode::MimeDepth, &detail);
            } else if self.tree.entities[index].info.transfer.is_identity() {
                self.tree.entities[index].kind = Kind::Embedded;
                self.frames.push(Frame {
                    entity: index,
                    boundary: None,
                    hidden: None,
                    closed: false,
                    delimiters: 0,
                    outside: None,
                    digest: false,
                });
                self.message_depth += 1;
                return Ok(Some((body_at, true, false)));
            } else {
                self.tree.entities[index].kind = Kind::EncodedMessage;
            }
        }
        self.advance(index, body_at)
    }

    fn open_multipart(&mut self, index: usize, body_at: u64, digest: bool) -> io::Result<()> {
        if self.multipart_depth >= self.limits.max_depth {
            self.defect(index, DefectCode::MimeDepth, "multipart nested too deep");
            return Ok(());
        }
        let declared = self.tree.entities[index].info.boundary.clone().unwrap_or_default();
        let boundary = if declared.is_empty() {
            self.defect(index, DefectCode::MimeStructure, "multipart without a boundary");
            self.guess_boundary(body_at)?
        } else {
            declared
        };
        if boundary.is_empty() || boundary.len() > DELIMITER_BYTES - 8 {
            return Ok(());
        }
        self.tree.entities[index].kind = Kind::Multipart;
        let frame = self.frames.len();
        let hidden = self.open.insert(boundary.clone(), frame);
        self.frames.push(Frame {
            entity: index,
            boundary: Some(boundary),
            hidden,
            closed: false,
            delimiters: 0,
            outside: Some(body_at),
            digest,
        });
        self.multipart_depth += 1;
        Ok(())
    }

    /// The boundary of a multipart that declares none: its first line, when that looks like a delimiter.
    fn guess_boundary(&mut self, body_at: u64) -> io::Result<Vec<u8>> {
        let head = self.source.peek(body_at, DELIMITER_BYTES)?;
        let line = head
            .trim_ascii_start()
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let token = line.trim_ascii_end().strip_prefix(b"--").unwrap_or_default();
        let plausible = token.len() >= 4 && token.len() <= 200 && token.iter().all(u8::is_ascii_graphic);
        Ok(if plausible { token.to_vec() } else { Vec::new() })
    }

    /// Finds the delimiter that ends what begins at `from`, closes what it closes, and says where to go on.
    fn advance(&mut self, mut index: usize, mut from: u64) -> io::Result<Option<(u64, bool, bool)>> {
        loop {
            let Some(found) = self.next_delimiter(from)? else {
                let end = self.source.len();
                self.end_content(index, from, end);
                self.close_down_to(0, end);
                return Ok(None);
            };
            let content_end = self.before_line_end(found.at, from)?;
            self.end_content(index, from, content_end);
            self.close_down_to(found.frame + 1, content_end);
            let Some(frame) = self.frames.get_mut(found.frame) else {
                return Ok(None);
            };
            frame.delimiters += 1;
            if let Some(start) = frame.outside.take()
                && start < content_end
            {
                self.tree.entities[frame.entity].around.push(start..content_end);
            }
            if !found.closes {
                let digest = frame.digest;
                return Ok(Some((found.next, false, digest)));
            }
            frame.closed = true;
            frame.outside = Some(found.next);
            index = frame.entity;
            from = found.next;
            let hidden = frame.hidden.take();
            if let Some(boundary) = frame.boundary.take() {
                self.restore(boundary, hidden);
            }
        }
    }

    fn restore(&mut self, boundary: Vec<u8>, hidden: Option<usize>) {
        match hidden {
            Some(frame) => self.open.insert(boundary, frame),
            None => self.open.remove(&boundary),
        };
    }

    /// Sets the end of a leaf's content; for others the end comes with their frame.
    fn end_content(&mut self, index: usize, from: u64, end: u64) {
        let entity = &mut self.tree.entities[index];
        if matches!(entity.kind, Kind::Leaf | Kind::EncodedMessage) {
            entity.body.end = end.max(from).max(entity.body.start);
        }
    }

    /// Closes all frames from the innermost down to number `keep`; their contents end at `end`.
    fn close_down_to(&mut self, keep: usize, end: u64) {
        while self.frames.len() > keep {
            let Some(frame) = self.frames.pop() else {
                return;
            };
            let entity = &mut self.tree.entities[frame.entity];
            entity.body.end = end.max(entity.body.start);
            if let Some(start) = frame.outside
                && start < end
            {
                entity.around.push(start..end);
            }
            let kind = entity.kind;
            if kind == Kind::Embedded {
                self.message_depth -= 1;
                continue;
            }
            self.multipart_depth -= 1;
            if frame.delimiters == 0 {
                entity.kind = Kind::Leaf;
                entity.around.clear();
                self.defect(
                    frame.entity,
                    DefectCode::MimeStructure,
                    "no delimiter of this multipart was found",
                );
            } else if !frame.closed {
                self.defect(frame.entity, DefectCode::MimeStructure, "multipart is not closed");
            }
            if let Some(boundary) = frame.boundary {
                self.restore(boundary, frame.hidden);
            }
        }
    }

    fn defect(&mut self, index: usize, code: DefectCode, detail: &str) {
        let entity = &mut self.tree.entities[index];
        let range = entity.header.start..entity.body.end;
        entity.defects.push(Defect::new(code, detail).at(range));
    }

    fn next_delimiter(&mut self, mut from: u64) -> io::Result<Option<Delimiter>> {
        while !self.open.is_empty() {
            let Some(at) = self.source.next_dashes(from)? else {
                return Ok(None);
            };
            self.tree.candidates += 1;
            let window = self.source.peek(at, DELIMITER_BYTES)?;
            let line_end = memchr::memchr(b'\n', window);
            let line = &window[..line_end.unwrap_or(window.len())];
            let length = line.len() as u64 + u64::from(line_end.is_some());
            let at_end = line_end.is_none() && window.len() < DELIMITER_BYTES;
            if line_end.is_some() || at_end {
                let token = line[2..].trim_ascii_end();
                if let Some(frame) = self.open.get(token) {
                    return Ok(Some(Delimiter {
                        frame: *frame,
                        closes: false,
                        at,
                        next: at + length,
                    }));
                }
                if let Some(frame) = token.strip_suffix(b"--").and_then(|token| self.open.get(token)) {
                    return Ok(Some(Delimiter {
                        frame: *frame,
                        closes: true,
                        at,
                        next: at + length,
                    }));
                }
                from = at + length;
            } else {
                // Too long for a delimiter; the search goes on inside the line.
                from = at + DELIMITER_BYTES as u64;
            }
            if from >= self.source.len() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The end of content before a delimiter line at `at`: the line end before it belongs to the delimiter.
    fn before_line_end(&mut self, at: u64, from: u64) -> io::Result<u64> {
        let start = at.saturating_sub(2).max(from);
        let length = usize::try_from(at - start).unwrap_or(0);
        let before = self.source.peek(start, length)?;
        let ends = match before {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        Ok(at - ends)
    }

    /// Reads a header section, growing the window until it ends or the limit cuts it.
    fn header(&mut self, at: u64, level: Level, digest: bool) -> io::Result<(Section, PartInfo, Vec<Defect>)> {
        let limit = self.limits.max_header_bytes.max(1);
        let left = usize::try_from(self.source.len().saturating_sub(at)).unwrap_or(usize::MAX);
        let mut window = HEADER_WINDOW.min(limit);
        loop {
            let bytes = self.source.peek(at, window)?;
            let complete = bytes.len() >= left;
            let limited = window >= limit;
            if let Some(section) = scan(bytes, level, complete, limited) {
                let mut info = PartInfo::read(&section, bytes);
                if info.media_type.is_empty() && digest {
                    info.media_type.push_str("message/rfc822");
                }
                let mut defects = Vec::new();
                if section.cut {
                    let detail = format!("header section longer than {limit} bytes");
                    defects.push(Defect::new(DefectCode::MailHeaderTooLong, detail));
                }
                if let Transfer::Unknown(label) = &info.transfer {
                    let detail = format!("unknown transfer encoding \"{label}\"");
                    defects.push(Defect::new(DefectCode::MimeEncoding, detail));
                }
                return Ok((section, info, defects));
            }
            window = window.saturating_mul(4).min(limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> (Vec<String>, Tree) {
        let mut source = text.as_bytes();
        let tree = scan_message(&mut source, &ParseLimits::default(), 0).expect("memory");
        let lines = tree
            .entities
            .iter()
            .map(|entity| {
                let at = |at: u64| usize::try_from(at).expect("small");
                let body = &text[at(entity.body.start)..at(entity.body.end)];
                let body = if entity.kind == Kind::Leaf { body } else { "" };
                format!(
                    "{:?} {:?} {}{body:?}",
                    entity.parent, entity.kind, entity.info.media_type
                )
            })
            .collect();
        (lines, tree)
    }

    fn check(text: &str, expected: &[&str], defects: usize) {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let (lines, tree) = outline(&text);
            let plain: Vec<_> = lines.iter().map(|line| line.replace("\\r\\n", "\\n")).collect();
            assert_eq!(plain, expected, "{text}");
            assert_eq!(
                tree.entities.iter().map(|entity| entity.defects.len()).sum::<usize>(),
                defects,
                "{text}"
            );
        }
    }

    #[test]
    fn nested_multiparts_and_messages_come_out_in_document_order() {
        check(
            "Content-Type: multipart/mixed; boundary=a\n\npre\n--a\n\none\n\n--a\nContent-Type: message/rfc822\n\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntwo\n--b--\nepi\n--a\nContent-Type: x/y\n\nthree\n--a--\nend\n",
            &[
                "None Multipart multipart/mixed\"\"",
                "Some(0) Leaf \"one\\n\"",
                "Some(0) Embedded message/rfc822\"\"",
                "Some(2) Multipart multipart/mixed\"\"",
                "Some(3) Leaf \"two\"",
                "Some(0) Leaf x/y\"three\"",
            ],
            0,
        );
    }

    #[test]
    fn an_outer_delimiter_closes_inner_parts_and_that_is_said() {
        check(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo",
            &[
                "None Multipart multipart/mixed\"\"",
                "Some(0) Multipart multipart/mixed\"\"",
                "Some(1) Leaf \"one\"",
                "Some(0) Leaf \"two\"",
            ],
            2,
        );
    }

    #[test]
    fn a_multipart_without_its_delimiters_is_text() {
        check(
            "Content-Type: multipart/mixed; boundary=a\n\nhello\n--b\nworld\n",
            &["None Leaf multipart/mixed\"hello\\n--b\\nworld\\n\""],
            1,
        );
        check(
            "Content-Type: multipart/mixed\n\n--found\n\nhello\n--found--\n",
            &["None Multipart multipart/mixed\"\"", "Some(0) Leaf \"hello\""],
            1,
        );
        check(
            "Content-Type: multipart/mixed\n\nhello\n",
            &["None Leaf multipart/mixed\"hello\\n\""],
            1,
        );
    }

    #[test]
    fn delimiters_are_whole_lines() {
        check(
            "Content-Type: multipart/mixed; boundary=a\n\n--a \t\n\nx--a\n--ab\n --a\n--a--  \n",
            &[
                "None Multipart multipart/mixed\"\"",
                "Some(0) Leaf \"x--a\\n--ab\\n --a\"",
            ],
            0,
        );
        check(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\nContent-Type: t/u\n--a--",
            &[
                "None Multipart multipart/mixed\"\"",
                "Some(0) Leaf \"\"",
                "Some(0) Leaf t/u\"\"",
            ],
            0,
        );
    }

    #[test]
    fn digests_hold_messages() {
        check(
            "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\nbody\n--a--\n",
            &[
                "None Multipart multipart/digest\"\"",
                "Some(0) Embedded message/rfc822\"\"",
                "Some(1) Leaf \"body\"",
            ],
            0,
        );
    }

    #[test]
    fn the_same_boundary_inside_belongs_to_the_inner_multipart_until_it_closes() {
        check(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a--\n--a\n\ntwo\n--a--\n",
            &[
                "None Multipart multipart/mixed\"\"",
                "Some(0) Multipart multipart/mixed\"\"",
                "Some(1) Leaf \"one\"",
                "Some(0) Leaf \"two\"",
            ],
            0,
        );
    }

    #[test]
    fn depth_is_bounded_before_it_happens() {
        let deep = "Content-Type: message/rfc822\n\n".repeat(100_000);
        let (_, tree) = outline(&deep);
        assert_eq!(tree.entities.len(), ParseLimits::default().max_depth);
        let mut nested = String::new();
        for level in 0..20_000 {
            nested.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
            ));
        }
        let (_, tree) = outline(&nested);
        assert!(tree.entities.len() <= ParseLimits::default().max_depth + 1);
        assert!(
            tree.entities
                .iter()
                .any(|e| e.defects.iter().any(|d| d.code == DefectCode::MimeDepth))
        );
    }

    #[test]
    fn many_parts_and_many_dashes_cost_one_look_each() {
        let parts = format!(
            "Content-Type: multipart/mixed; boundary=a\n\n{}",
            "--a\n\nx\n".repeat(1_300_000)
        );
        let (_, tree) = outline(&parts);
        assert_eq!(tree.entities.len(), ParseLimits::default().max_parts);
        assert!(tree.unopened.is_some());
        let dashes = format!(
            "Content-Type: multipart/mixed; boundary=a\n\n{}",
            "--\n".repeat(3_300_000)
        );
        let (_, tree) = outline(&dashes);
        assert_eq!(tree.candidates, 3_300_000);
    }
}
