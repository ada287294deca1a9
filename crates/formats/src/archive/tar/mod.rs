//! tar: V7, ustar, pax, GNU, star and Solaris dialects, as a stream.
//!
//! Not for: compression around it (`stream`). Main function: [`open`]. Invariant: reads forward only; a damaged header costs what it described, and the
//! next good one is looked for; memory is bounded by [`MAX_EXTENSION_BYTES`], whatever lengths are stated.

mod header;
mod sparse;

use std::io::{self, Read};

use embley_model::defect::{Defect, DefectCode};

use super::fault;
use super::name;
use super::outlet::{Flow, Outlet};
use crate::opened::Member;
use header::{BLOCK, Header, Kind, Pax};

/// Longest list of pax records, or long name, that is kept.
const MAX_EXTENSION_BYTES: u64 = 1 << 20;

/// True when these bytes begin with a tar header.
pub(super) fn begins(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK>() else {
        return false;
    };
    let header = Header(block);
    header.is_valid() && !header.name().is_empty() && header.size().is_some()
}

/// What headers said about the entry that comes next.
#[derive(Default)]
struct Pending {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Pax>,
    defects: Vec<Defect>,
}

/// The stream, counted.
struct Input<'a> {
    inner: &'a mut dyn Read,
    at: u64,
}

impl Read for Input<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A block, the end, or less than a block.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack; a box for each block would cost more"
)]
enum Next {
    Block([u8; BLOCK]),
    End,
    Cut(usize),
}

impl Input<'_> {
    fn block(&mut self) -> io::Result<Next> {
        let mut block = [0; BLOCK];
        let mut have = 0;
        while have < BLOCK {
            match self.read(&mut block[have..]) {
                Ok(0) if have == 0 => return Ok(Next::End),
                Ok(0) => return Ok(Next::Cut(have)),
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Next::Block(block))
    }

    /// Passes over bytes; how many were there.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        io::copy(&mut self.take(count), &mut io::sink())
    }
}

/// Gives the members of a tar stream.
///
/// # Errors
/// Only the taker's. An error of the stream (its compression is damaged) becomes a defect.
pub(super) fn open(stream: &mut dyn Read, outlet: &mut Outlet<'_>) -> io::Result<()> {
    let mut walk = Walk {
        input: Input { inner: stream, at: 0 },
        global: Pax::default(),
        pending: Pending::default(),
        zero_blocks: 0,
        lost: None,
    };
    loop {
        let at = walk.input.at;
        match walk.input.block() {
            Ok(Next::Block(block)) => {
                if walk.header(&block, at, outlet)?.is_break() {
                    return Ok(());
                }
            }
            Ok(Next::End) => break,
            Ok(Next::Cut(count)) => {
                // Some writers end without filling the last block; zeros say nothing.
                walk.lose(at);
                let text = format!("the last block has only {count} of 512 bytes");
                outlet.push(Defect::new(DefectCode::ArchiveTruncated, text).at(at..at + count as u64));
                break;
            }
            Err(error) => {
                let cause = fault::of(&error);
                let text = format!("the stream breaks off: {}", cause.detail);
                outlet.push(Defect::new(DefectCode::ArchiveTruncated, text).at(at..at));
                break;
            }
        }
    }
    walk.end(outlet);
    Ok(())
}

struct Walk<'a> {
    input: Input<'a>,
    global: Pax,
    pending: Pending,
    /// Blocks of zeros just passed; two of them end the archive.
    zero_blocks: u64,
    /// Where the present stretch without a good header began.
    lost: Option<u64>,
}

impl Walk<'_> {
    fn lose(&mut self, at: u64) {
        if self.lost.is_none() {
            self.lost = Some(at);
        }
    }

    /// Says what stretch could not be read, if one ends here.
    fn found(&mut self, at: u64, outlet: &mut Outlet<'_>) {
        if let Some(start) = self.lost.take() {
            let text = format!("{} bytes with no readable header were passed over", at - start);
            outlet.push(Defect::new(DefectCode::ArchiveStructure, text).at(start..at));
        }
    }

    fn end(&mut self, outlet: &mut Outlet<'_>) {
        let at = self.input.at;
        self.found(at, outlet);
        if self.pending.name.is_some() || self.pending.link.is_some() || self.pending.pax.is_some() {
            outlet.defect(
                DefectCode::ArchiveTruncated,
                "a header describes an entry that does not come",
            );
        } else if self.zero_blocks == 0 && outlet.count() > 0 {
            outlet.defect(DefectCode::ArchiveStructure, "the mark of the end is missing");
        }
    }

    fn header(&mut self, block: &[u8; BLOCK], at: u64, outlet: &mut Outlet<'_>) -> io::Result<Flow> {
        const ON: Flow = Flow::Continue(());
        let header = Header(block);
        if header.is_zero() {
            self.found(at, outlet);
            self.zero_blocks += 1;
            return Ok(ON);
        }
        if !header.is_valid() {
            self.lose(at);
            return Ok(ON);
        }
        self.found(at, outlet);
        if self.zero_blocks > 1 {
            let text = "entries stand behind the mark of the end";
            outlet.push(Defect::new(DefectCode::ArchiveExtraBytes, text).at(at..at));
        }
        self.zero_blocks = 0;
        let Some(stated) = header.size() else {
            outlet.push(
                Defect::new(DefectCode::ArchiveStructure, "a header states no readable size").at(at..at + BLOCK as u64),
            );
            self.pending = Pending::default();
            return Ok(ON);
        };
        match header.kind() {
            Kind::GnuLongName => {
                let bytes = self.extension(stated, outlet);
                self.pending.name = Some(until_nul(bytes));
            }
            Kind::GnuLongLink => {
                let bytes = self.extension(stated, outlet);
                self.pending.link = Some(until_nul(bytes));
            }
            Kind::Pax => {
                let bytes = self.extension(stated, outlet);
                self.pending.pax.get_or_insert_default().add(&bytes);
            }
            Kind::PaxGlobal => {
                let bytes = self.extension(stated, outlet);
                self.global.add(&bytes);
            }
            _ => return self.entry(&header, stated, outlet),
        }
        Ok(ON)
    }

    /// The content of an entry that only describes others.
    fn extension(&mut self, size: u64, outlet: &mut Outlet<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let kept = size.min(MAX_EXTENSION_BYTES);
        // An error shows again at the next block, where it is said.
        let read = (&mut self.input).take(kept).read_to_end(&mut bytes);
        if size > kept {
            let text = format!("a name or list of {size} bytes was cut");
            outlet.defect(DefectCode::ArchiveName, text);
        }
        if read.is_ok() {
            let rest = (size - kept).saturating_add(padding(size));
            if self.input.skip(rest).is_err() || (bytes.len() as u64) < kept {
                self.pending
                    .defects
                    .push(Defect::new(DefectCode::ArchiveTruncated, "its description is cut"));
            }
        }
        bytes
    }

    fn entry(&mut self, header: &Header<'_>, stated: u64, outlet: &mut Outlet<'_>) -> io::Result<Flow> {
        let pending = std::mem::take(&mut self.pending);
        let pax = pending.pax.unwrap_or_default();
        let get = |key: &str| pax.get(key).or_else(|| self.global.get(key)).map(<[u8]>::to_vec);
        let stored_name = get("GNU.sparse.name")
            .or_else(|| get("path"))
            .or(pending.name)
            .unwrap_or_else(|| header.name());
        let link = get("linkpath")
            .or(pending.link)
            .unwrap_or_else(|| header.link().to_vec());
        let size = pax.number("size").unwrap_or(stated);
        let mtime = pax.mtime_nanos().or_else(|| header.mtime()?.checked_mul(1_000_000_000));
        let cleaned = name::clean(&stored_name, false);
        let mut member = Member {
            path: cleaned.path,
            mtime_nanos: mtime,
            defects: [pending.defects, cleaned.defects].concat(),
        };
        if pax.odd || self.global.odd {
            member.defects.push(Defect::new(
                DefectCode::ArchiveStructure,
                "a record of its pax header cannot be read",
            ));
        }
        let kind = match header.kind() {
            // V7 has no type for folders: a name with a slash at its end is one.
            Kind::File if stored_name.ends_with(b"/") && !header.is_gnu() => Kind::Folder,
            kind => kind,
        };
        let said = |code, text: String| Defect::new(code, text);
        let flow = match kind {
            Kind::Folder => {
                // Some writers state a size for folders; content is there only in dialects that say so.
                return Ok(Flow::Continue(()));
            }
            Kind::SymLink | Kind::HardLink => {
                let word = if kind == Kind::SymLink { "symbolic" } else { "hard" };
                let text = format!("{word} link to {}", name::quote(&link));
                member.defects.push(said(DefectCode::ArchiveLink, text));
                // pax allows content behind a hard link (POSIX.1-2008 pax, -o linkdata).
                if kind == Kind::HardLink && size > 0 && pax.number("size").is_some() {
                    return self.content(member, size, None, outlet);
                }
                return outlet.give(member, &mut io::empty());
            }
            Kind::Device(word) => {
                member.defects.push(said(DefectCode::ArchiveLink, word.to_owned()));
                return outlet.give(member, &mut io::empty());
            }
            Kind::GnuList(word) => {
                self.input.skip(size.saturating_add(padding(size))).ok();
                if word.starts_with("list") {
                    return Ok(Flow::Continue(()));
                }
                let text = format!("{word}: {}", name::quote(&member.path));
                outlet.defect(DefectCode::ArchiveExtraBytes, text);
                return Ok(Flow::Continue(()));
            }
            Kind::GnuSparse => {
                let map = sparse::old_gnu(header, &mut self.input, &mut member.defects);
                self.content(member, size, Some(map), outlet)?
            }
            Kind::GnuContinued => {
                member.defects.push(said(
                    DefectCode::ArchiveSplit,
                    "the begin of this file is in another volume".to_owned(),
                ));
                self.content(member, size, None, outlet)?
            }
            Kind::Other(letter) => {
                if !letter.is_ascii_uppercase() && !letter.is_ascii_digit() {
                    let text = format!("entry of unknown type {}", name::quote(&[letter]));
                    member.defects.push(said(DefectCode::ArchiveStructure, text));
                }
                self.content(member, size, None, outlet)?
            }
            Kind::File | Kind::GnuLongName | Kind::GnuLongLink | Kind::Pax | Kind::PaxGlobal => {
                let map = sparse::pax(&pax, &mut self.input, &mut member.defects);
                self.content(member, size, map, outlet)?
            }
        };
        Ok(flow)
    }

    /// Hands over the content of an entry and goes to the next block.
    fn content(
        &mut self,
        member: Member,
        size: u64,
        map: Option<sparse::Map>,
        outlet: &mut Outlet<'_>,
    ) -> io::Result<Flow> {
        let head = map.as_ref().map_or(0, |map| map.head_bytes);
        let start = self.input.at;
        let stored = size.saturating_sub(head);
        let mut body = Body {
            input: &mut self.input,
            left: stored,
        };
        let flow = match map {
            Some(map) => outlet.give(member, &mut sparse::SparseReader::new(map, &mut body))?,
            None => outlet.give(member, &mut body)?,
        };
        if flow.is_continue() {
            let read = self.input.at - start;
            // A cut or an error shows again at the next block.
            let rest = stored.saturating_sub(read).saturating_add(padding(size));
            self.input.skip(rest).ok();
        }
        Ok(flow)
    }
}

/// The stored bytes of one entry: fewer than stated are a fault.
struct Body<'a, 'b> {
    input: &'a mut Input<'b>,
    left: u64,
}

impl Read for Body<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buf.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).map_or(buf.len(), |left| left.min(buf.len()));
        let count = self.input.read(&mut buf[..most])?;
        if count == 0 {
            let text = format!("{} bytes are missing: the container ends here", self.left);
            return Err(fault::error(DefectCode::ArchiveTruncated, text));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}
