//! PKWARE zip: 64-bit sizes, all methods that can be undone, both encryptions with passwords, names of any charset; damaged and half-hidden archives too.
//!
//! Not for: writing. Main function: [`open`]. Invariant: every entry of the directory comes out in its order, then every entry that only its own header
//! names, by place. An entry whose bytes cannot be read is a member without bytes.

mod content;
mod directory;
mod entry;
mod salvage;

use std::io::{self, Read};
use std::ops::Range;

use embley_model::defect::{Defect, DefectCode};

use super::name::{self, Charset};
use super::outlet::{Flow, Next, Outlet};
use super::{Job, ReadSeek, fault};
use crate::opened::Member;
use content::Cipher;
use directory::Directory;
use entry::{DESCRIPTOR, Entry, HAS_DESCRIPTOR, LOCAL_BYTES, MASKED, STRONG, u16_at};

pub(in crate::archive) use entry::filetime_nanos;

/// Entries up to this size are unpacked once to be sure of a password; of longer ones, the first part.
const TRIAL_WHOLE_BYTES: u64 = 16 << 20;
const TRIAL_PART_BYTES: u64 = 1 << 20;
/// Passwords tried in one container: a list of thousands against a hundred thousand entries would never end.
const MAX_TRIALS: u64 = 200_000;
/// Gaps that are listed one by one.
const MAX_GAPS: usize = 20;

/// Gives the members of a zip archive.
///
/// # Errors
/// The taker's, and those of the source before the first member.
pub(super) fn open(source: &mut dyn ReadSeek, job: &Job<'_>, outlet: &mut Outlet<'_>) -> io::Result<()> {
    outlet.reader("zip/1");
    let found = directory::read(source, job.length, outlet.room())?;
    let mut more = 0;
    let mut placed = match found {
        Some(directory) => {
            more = directory.more;
            from_directory(source, directory, job, outlet)?
        }
        None => {
            without_directory(source, job, outlet)?;
            salvage_all(source, 0..job.length, outlet)?
        }
    };
    let unsaid = placed.iter().filter(|one| !one.entry.is_utf8());
    let charset = Charset::of(unsaid.map(|one| one.entry.name.as_slice()));
    let mut passwords = Passwords::new(job.passwords, outlet.passwords_tried());
    let zoneless = placed.iter().filter(|one| one.entry.mtime().1).count();
    if zoneless > 0 {
        let text = format!("{zoneless} of {} entries have a DOS time only", placed.len());
        outlet.defect(DefectCode::ArchiveTime, text);
    }
    let total = placed.len();
    for at in 0..total {
        let one = std::mem::take(&mut placed[at]);
        if give(source, one, charset, &mut passwords, outlet)?.is_break() {
            let rest = &placed[at + 1..];
            let bytes = rest
                .iter()
                .try_fold(0_u64, |sum, one| sum.checked_add(one.entry.plain_bytes));
            outlet.left_out((rest.len() as u64).saturating_add(more), bytes);
            return Ok(());
        }
    }
    if more > 0 {
        outlet.left_out(more, None);
    }
    if passwords.exhausted {
        let text = format!("after {MAX_TRIALS} attempts no more passwords were tried");
        outlet.defect(DefectCode::ArchiveLimit, text);
    }
    Ok(())
}

/// An entry and where its bytes are, or why they are not.
#[derive(Default)]
struct Placed {
    entry: Entry,
    data: Option<Range<u64>>,
    defects: Vec<Defect>,
}

/// Finds the bytes of all entries, then what lies between them.
fn from_directory(
    source: &mut dyn ReadSeek,
    directory: Directory,
    job: &Job<'_>,
    outlet: &mut Outlet<'_>,
) -> io::Result<Vec<Placed>> {
    for defect in directory.defects {
        outlet.push(defect);
    }
    if !directory.whole {
        outlet.defect(
            DefectCode::ArchiveSalvaged,
            "the directory breaks off; other members were looked for by their headers",
        );
    }
    if directory.this_disk > 0 {
        let text = format!("this is part {} of a split archive", directory.this_disk + 1);
        outlet.defect(DefectCode::ArchiveSplit, text);
    }
    let mut placed = Vec::with_capacity(directory.entries.len());
    let mut taken: Vec<Range<u64>> = Vec::new();
    for entry in directory.entries {
        if entry.disk != directory.this_disk {
            let text = format!("it begins in part {} of a split archive", entry.disk + 1);
            placed.push(Placed {
                entry,
                data: None,
                defects: vec![Defect::new(DefectCode::ArchiveSplit, text)],
            });
            continue;
        }
        let (one, range) = place(source, entry, job.length)?;
        taken.extend(range);
        placed.push(one);
    }
    if directory.more > 0 {
        // Gaps cannot be told from entries that were not read.
        return Ok(placed);
    }
    taken.push(directory.start..directory.end.max(directory.start));
    for gap in gaps(taken, job.length, outlet) {
        let before = placed.len();
        let mut hidden = salvage_all(source, gap.clone(), outlet)?;
        placed.append(&mut hidden);
        if placed.len() > before {
            let text = format!("{} entries that the directory does not list", placed.len() - before);
            outlet.push(Defect::new(DefectCode::ArchiveSalvaged, text).at(gap));
        }
    }
    Ok(placed)
}

/// Reads the local header of a listed entry. The second value is what the entry takes of the file.
fn place(source: &mut dyn ReadSeek, entry: Entry, length: u64) -> io::Result<(Placed, Option<Range<u64>>)> {
    let mut one = Placed {
        entry,
        ..Placed::default()
    };
    let at = one.entry.offset;
    let head = directory::bytes_at(source, at, LOCAL_BYTES)?;
    if !directory::is_local(source, at)? || head.len() < 30 {
        let code = if at >= length {
            DefectCode::ArchiveTruncated
        } else {
            DefectCode::ArchiveStructure
        };
        one.defects
            .push(Defect::new(code, format!("no header at byte {at}, where it should be")));
        return Ok((one, None));
    }
    let (name_bytes, extra_bytes) = (u64::from(u16_at(&head, 26)), u64::from(u16_at(&head, 28)));
    let start = at.saturating_add(LOCAL_BYTES + name_bytes + extra_bytes);
    let rest = directory::bytes_at(source, at + LOCAL_BYTES, name_bytes + extra_bytes)?;
    if let Some(fixed) = head.first_chunk::<30>()
        && rest.len() as u64 == name_bytes + extra_bytes
    {
        let (name, extra) = rest.split_at(usize::try_from(name_bytes).unwrap_or(0));
        let local = Entry::local(fixed, name.to_vec(), extra.to_vec(), at);
        if one.entry.flags & MASKED == 0 {
            one.defects.extend(one.entry.differs(&local));
        }
        // Times and encryption may stand in the local fields only.
        if one.entry.field(0x9901).is_none() && one.entry.method == 99 {
            one.entry.extra.extend_from_slice(extra);
        }
    }
    let stop = start.saturating_add(one.entry.packed_bytes);
    let data = start.min(length)..stop.min(length);
    let mut end = data.end;
    if one.entry.flags & HAS_DESCRIPTOR != 0 {
        end = end
            .saturating_add(descriptor_bytes(source, &one.entry, end)?)
            .min(length);
    }
    one.data = Some(data);
    Ok((one, Some(at..end)))
}

/// Length of the descriptor behind the data, if it is one (4.3.9).
fn descriptor_bytes(source: &mut dyn ReadSeek, entry: &Entry, at: u64) -> io::Result<u64> {
    let bytes = directory::bytes_at(source, at, 24)?;
    let (mark, body) = match bytes.strip_prefix(DESCRIPTOR.as_slice()) {
        Some(body) => (4, body),
        None => (0, bytes.as_slice()),
    };
    if mark == 0 && entry::u32_at(body, 0) != entry.crc {
        return Ok(0);
    }
    let wide = entry::u64_at(body, 4) == entry.packed_bytes
        && entry::u64_at(body, 12) == entry.plain_bytes
        && body.len() >= 20;
    Ok(mark + if wide { 20 } else { 12 })
}

/// What no entry takes. Says where bytes lie between, and whether entries overlap.
fn gaps(mut taken: Vec<Range<u64>>, length: u64, outlet: &mut Outlet<'_>) -> Vec<Range<u64>> {
    taken.sort_unstable_by_key(|range| (range.start, range.end));
    let mut end = 0;
    let mut out = Vec::new();
    let mut overlaps = 0_u64;
    for range in taken {
        if range.start > end {
            out.push(end..range.start);
        } else if range.start < end {
            overlaps += 1;
        }
        end = end.max(range.end);
    }
    if end < length {
        out.push(end..length);
    }
    if overlaps > 0 {
        let text = format!("{overlaps} entries share bytes with others");
        outlet.defect(DefectCode::ArchiveStructure, text);
    }
    for gap in out.iter().take(MAX_GAPS) {
        let text = format!("{} bytes belong to no listed entry", gap.end - gap.start);
        outlet.push(Defect::new(DefectCode::ArchiveExtraBytes, text).at(gap.clone()));
    }
    if out.len() > MAX_GAPS {
        let text = format!("{} more stretches belong to no listed entry", out.len() - MAX_GAPS);
        outlet.defect(DefectCode::ArchiveExtraBytes, text);
    }
    out
}

fn without_directory(source: &mut dyn ReadSeek, job: &Job<'_>, outlet: &mut Outlet<'_>) -> io::Result<()> {
    let lower = job.name.to_ascii_lowercase();
    let by_name = matches!(lower.as_slice(), [.., b'.', b'z', a, b] if a.is_ascii_digit() && b.is_ascii_digit());
    let head = directory::bytes_at(source, 0, 4)?;
    if by_name || head.as_slice() == DESCRIPTOR {
        outlet.defect(
            DefectCode::ArchiveSplit,
            "this is a part of a split archive; its directory is in the last part",
        );
    }
    outlet.defect(
        DefectCode::ArchiveSalvaged,
        "there is no directory; members were looked for by their headers",
    );
    Ok(())
}

fn salvage_all(source: &mut dyn ReadSeek, range: Range<u64>, outlet: &mut Outlet<'_>) -> io::Result<Vec<Placed>> {
    let mut out = Vec::new();
    // One more than may come, so that the limit is seen to fire.
    let room = outlet.room().saturating_add(1);
    salvage::walk(source, range, &mut |_, found| {
        out.push(Placed {
            entry: found.entry,
            data: Some(found.data),
            defects: vec![Defect::new(DefectCode::ArchiveSalvaged, "")],
        });
        Ok((out.len() as u64) < room)
    })?;
    Ok(out)
}

/// Hands one entry over.
fn give(
    source: &mut dyn ReadSeek,
    one: Placed,
    charset: Charset,
    passwords: &mut Passwords<'_>,
    outlet: &mut Outlet<'_>,
) -> io::Result<Flow> {
    let Placed { entry, data, defects } = one;
    let (text, odd_name) = name_of(&entry, charset);
    if entry.is_folder(&text) {
        return Ok(Flow::Continue(()));
    }
    let unix = entry.attributes.is_some_and(|(system, _)| matches!(system, 3 | 19));
    let cleaned = name::clean(text.as_bytes(), !unix);
    let mut member = Member {
        path: cleaned.path,
        mtime_nanos: entry.mtime().0,
        defects,
    };
    member.defects.extend(odd_name);
    member.defects.extend(cleaned.defects);
    if entry.unix_type() == Some(0o120_000) {
        member.defects.push(Defect::new(
            DefectCode::ArchiveLink,
            "symbolic link; its bytes are the target's path",
        ));
    }
    let Some(data) = data.filter(|_| outlet.next() == Next::Read) else {
        return outlet.give_closed(member);
    };
    let password = match passwords.find(source, &entry, &data, outlet) {
        Ok(password) => password,
        Err(defect) => {
            member.defects.push(defect);
            return outlet.give_closed(member);
        }
    };
    // The member goes in when there is a reader for it, or else below without one.
    let mut waiting = Some(member);
    let given = content::with_reader(source, &entry, &data, password.as_deref(), |reader| {
        outlet.give(waiting.take().unwrap_or_default(), reader)
    });
    match (given, waiting) {
        (Ok(flow), _) => flow,
        (Err(defect), Some(mut member)) => {
            member.defects.push(defect);
            outlet.give_closed(member)
        }
        (Err(_), None) => Ok(Flow::Continue(())),
    }
}

/// The name in UTF-8, and what had to be guessed.
fn name_of(entry: &Entry, charset: Charset) -> (String, Option<Defect>) {
    if let Some(name) = entry.unicode_name() {
        return (name.to_owned(), None);
    }
    match std::str::from_utf8(&entry.name) {
        Ok(name) if entry.is_utf8() || name.is_ascii() || charset.word() == "UTF-8" => (name.to_owned(), None),
        _ => {
            let (text, whole) = charset.decode(&entry.name);
            let claim = if entry.is_utf8() { "not UTF-8 as it says; " } else { "" };
            let lossy = if whole { "" } else { " with faults" };
            let said = format!("{claim}read as {}{lossy}: {}", charset.word(), name::quote(&entry.name));
            (text, Some(Defect::new(DefectCode::ArchiveName, said)))
        }
    }
}

/// The list of passwords, and which of them has opened something.
struct Passwords<'a> {
    list: &'a [String],
    /// The one that opened the last entry is tried first.
    last: Option<(usize, Vec<u8>)>,
    trials: u64,
    exhausted: bool,
}

impl<'a> Passwords<'a> {
    fn new(list: &'a [String], trials: u64) -> Self {
        Self {
            list,
            last: None,
            trials,
            exhausted: false,
        }
    }

    /// The password of an entry; `None` when it needs none.
    ///
    /// # Errors
    /// Why it stays closed.
    fn find(
        &mut self,
        source: &mut dyn ReadSeek,
        entry: &Entry,
        data: &Range<u64>,
        outlet: &mut Outlet<'_>,
    ) -> Result<Option<Vec<u8>>, Defect> {
        if entry.flags & (STRONG | MASKED) != 0 {
            let text = "PKWARE strong encryption, which is not supported";
            return Err(Defect::new(DefectCode::ArchiveEncrypted, text));
        }
        if Cipher::of(entry) == Cipher::None {
            return Ok(None);
        }
        if let Some((index, password)) = self.last.clone()
            && self.fits(source, entry, data, &password, outlet)?
        {
            outlet.password_used(index);
            return Ok(Some(password));
        }
        for (index, word) in self.list.iter().enumerate() {
            for password in name::password_forms(word) {
                if self.trials >= MAX_TRIALS {
                    self.exhausted = true;
                    break;
                }
                if self.fits(source, entry, data, &password, outlet)? {
                    outlet.password_used(index);
                    self.last = Some((index, password.clone()));
                    return Ok(Some(password));
                }
            }
        }
        let text = match self.list.len() {
            0 => "no password was given".to_owned(),
            count => format!("none of {count} passwords opens it"),
        };
        Err(Defect::new(DefectCode::ArchiveEncrypted, text))
    }

    /// Tries one password: the check bytes, then whether the content unpacks to what the entry states.
    ///
    /// # Errors
    /// When no password could help.
    fn fits(
        &mut self,
        source: &mut dyn ReadSeek,
        entry: &Entry,
        data: &Range<u64>,
        password: &[u8],
        outlet: &mut Outlet<'_>,
    ) -> Result<bool, Defect> {
        self.trials += 1;
        outlet.password_tried();
        let whole = entry.plain_bytes <= TRIAL_WHOLE_BYTES || entry.method == 0;
        let most = if whole { u64::MAX } else { TRIAL_PART_BYTES };
        let most = most.min(outlet.max_member_bytes());
        let read = content::with_reader(source, entry, data, Some(password), |reader| {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                io::copy(&mut reader.take(most), &mut io::sink())
            }));
            caught.unwrap_or_else(|_| Err(fault::error(DefectCode::ParserPanic, "the decoder failed")))
        });
        match read {
            Ok(Ok(_)) => Ok(true),
            // The AES check is 16 bits; damage behind it is the content's, not the password's.
            Ok(Err(error)) => Ok(Cipher::of(entry) == Cipher::Aes
                || fault::fault(&error).is_some_and(|defect| defect.code == DefectCode::ArchiveTruncated)),
            Err(defect) if defect.code == DefectCode::ArchiveEncrypted => Ok(false),
            Err(defect) => Err(defect),
        }
    }
}
