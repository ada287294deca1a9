//! 7z: all blocks in one pass on one thread; encrypted content and encrypted lists with passwords.
//!
//! Not for: writing, parts of split archives. Main function: [`open`]. Invariant: a block that cannot be unpacked costs its own members, which still come
//! out, without bytes; checksums are looked at after the bytes were given.

use std::io::{self, Read, Seek};

use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;
use sevenz_rust2::{Archive, ArchiveEntry, Block, BlockDecoder, EncoderMethod, Error, Password};

use super::name;
use super::outlet::{Flow, Next, Outlet};
use super::zip::filetime_nanos;
use super::{Job, ReadSeek, fault};
use crate::opened::Member;

/// Largest dictionary that is allocated. 7-Zip's ultra setting uses 64 MiB, its newest defaults up to 256 MiB.
const MAX_WINDOW_BYTES: u64 = 512 << 20;
/// Of a block's first member so much is unpacked to be sure of a password.
const TRIAL_BYTES: u64 = 4 << 20;
/// How far from the end a list is looked for, and how often one is tried.
const LIST_SEARCH_BYTES: u64 = 1 << 20;
const MAX_LIST_TRIALS: usize = 100;

/// Gives the members of a 7z archive.
///
/// # Errors
/// The taker's.
pub(super) fn open(source: &mut dyn ReadSeek, job: &Job<'_>, outlet: &mut Outlet<'_>) -> io::Result<()> {
    outlet.reader("7z/1");
    let mut source = source;
    let Some((mut archive, list_password)) = read_list(&mut source, job, outlet) else {
        return Ok(());
    };
    // Checked here instead: the package would keep back the last bytes of what does not match.
    let sums: Vec<Option<u64>> = archive
        .files
        .iter_mut()
        .map(|file| std::mem::take(&mut file.has_crc).then_some(file.crc))
        .collect();
    let mut keys = Keys {
        list: job.passwords,
        last: list_password,
    };
    for block in 0..archive.blocks.len() {
        if one_block(&mut source, &archive, &sums, block, &mut keys, outlet)?.is_break() {
            let next = archive.stream_map.block_first_file_index[block];
            left_out(&archive, next, outlet);
            return Ok(());
        }
    }
    for (at, file) in archive.files.iter().enumerate() {
        let lies_in_block = archive.stream_map.file_block_index.get(at).is_none_or(Option::is_some);
        if lies_in_block || file.is_directory {
            continue;
        }
        let flow = if file.is_anti_item {
            let mut member = member_of(file);
            let text = "an order to delete such a file";
            member.defects.push(Defect::new(DefectCode::ArchiveLink, text));
            outlet.give(member, &mut io::empty())?
        } else {
            outlet.give(member_of(file), &mut io::empty())?
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn left_out(archive: &Archive, from: usize, outlet: &mut Outlet<'_>) {
    let files = archive.files.iter().skip(from).filter(|file| !file.is_directory);
    let (mut count, mut bytes) = (0_u64, 0_u64);
    for file in files {
        count += 1;
        bytes = bytes.saturating_add(file.size);
    }
    let text = format!("of the last {count} members, with {bytes} bytes, some or all were left out");
    outlet.defect(DefectCode::ArchiveLimit, text);
}

/// Reads the list of members, with each password where it is encrypted. `None` when it cannot be read; that has been said then.
fn read_list(
    source: &mut &mut dyn ReadSeek,
    job: &Job<'_>,
    outlet: &mut Outlet<'_>,
) -> Option<(Archive, Option<usize>)> {
    let error = match Archive::read(source, &Password::empty()) {
        Ok(archive) => return Some((archive, None)),
        Err(Error::PasswordRequired) => {
            for (index, word) in job.passwords.iter().enumerate() {
                outlet.password_tried();
                if let Ok(archive) = Archive::read(source, &Password::from(word.as_str())) {
                    outlet.password_used(index);
                    return Some((archive, Some(index)));
                }
            }
            let text = format!("the list of members is encrypted; {}", tried(job.passwords.len()));
            outlet.defect(DefectCode::ArchiveEncrypted, text);
            outlet.closed(Searchability::Encrypted);
            return None;
        }
        Err(error) => error,
    };
    if let Some(archive) = recover(source, job.length) {
        outlet.defect(
            DefectCode::ArchiveSalvaged,
            "the header does not say where the list of members is; it was looked for at the end",
        );
        return Some((archive, None));
    }
    let lower = job.name.to_ascii_lowercase();
    if lower.ends_with(b".001") {
        outlet.defect(
            DefectCode::ArchiveSplit,
            "this is the first part of a split archive; the list of members is in the last part",
        );
    }
    let cut = source_is_cut(source, job.length).unwrap_or(false);
    let code = if cut {
        DefectCode::ArchiveTruncated
    } else {
        DefectCode::ArchiveNotOpened
    };
    outlet.defect(code, format!("the list of members cannot be read: {error}"));
    outlet.closed(Searchability::Failed);
    None
}

/// True when the list of members should lie behind the end of the file (7zFormat.txt, "SignatureHeader").
fn source_is_cut(source: &mut dyn ReadSeek, length: u64) -> io::Result<bool> {
    source.seek(io::SeekFrom::Start(12))?;
    let mut numbers = [0; 16];
    source.read_exact(&mut numbers)?;
    let [offset, size] = [0, 8].map(|at| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&numbers[at..at + 8]);
        u64::from_le_bytes(eight)
    });
    Ok(offset.saturating_add(size).saturating_add(32) > length)
}

/// Looks for the list at the end of a file whose first header is zero, as a writer leaves it that was stopped. Each place where a list could begin is
/// tried with a header that says so.
fn recover(source: &mut &mut dyn ReadSeek, length: u64) -> Option<Archive> {
    source.seek(io::SeekFrom::Start(0)).ok()?;
    let mut head = [0; 32];
    source.read_exact(&mut head).ok()?;
    if head[8..].iter().any(|byte| *byte != 0) {
        return None;
    }
    let tail_start = length.saturating_sub(LIST_SEARCH_BYTES).max(32);
    source.seek(io::SeekFrom::Start(tail_start)).ok()?;
    let mut tail = Vec::new();
    source.take(LIST_SEARCH_BYTES).read_to_end(&mut tail).ok()?;
    // 1 begins a plain list, 23 a packed one (7zFormat.txt, "Property IDs"), both with what comes next in it.
    let begins = |pair: &[u8]| matches!(pair, [0x01, 0x04 | 0x05] | [0x17, 0x06]);
    let places = (0..tail.len())
        .rev()
        .filter(|at| tail.get(*at..at + 2).is_some_and(begins));
    for at in places.take(MAX_LIST_TRIALS) {
        let mut crc = flate2::Crc::new();
        crc.update(&tail[at..]);
        head[12..20].copy_from_slice(&(tail_start + at as u64 - 32).to_le_bytes());
        head[20..28].copy_from_slice(&((tail.len() - at) as u64).to_le_bytes());
        head[28..32].copy_from_slice(&crc.sum().to_le_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&head[12..32]);
        head[8..12].copy_from_slice(&crc.sum().to_le_bytes());
        let mut patched = Patched {
            head,
            at: 0,
            inner: *source,
        };
        if let Ok(archive) = Archive::read(&mut patched, &Password::empty())
            && !archive.files.is_empty()
        {
            return Some(archive);
        }
    }
    None
}

/// A file whose first 32 bytes are others.
struct Patched<'a> {
    head: [u8; 32],
    at: u64,
    inner: &'a mut dyn ReadSeek,
}

impl Read for Patched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = match usize::try_from(self.at).ok().and_then(|at| self.head.get(at..)) {
            Some(rest) if !rest.is_empty() => {
                let count = rest.len().min(buf.len());
                buf[..count].copy_from_slice(&rest[..count]);
                count
            }
            _ => {
                self.inner.seek(io::SeekFrom::Start(self.at))?;
                self.inner.read(buf)?
            }
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Patched<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let place = match to {
            io::SeekFrom::Start(place) => Some(place),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
            io::SeekFrom::End(_) => Some(self.inner.seek(to)?),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

fn tried(count: usize) -> String {
    match count {
        0 => "no password was given".to_owned(),
        count => format!("none of {count} passwords opens it"),
    }
}

/// Passwords, and the one that opened something.
struct Keys<'a> {
    list: &'a [String],
    last: Option<usize>,
}

impl Keys<'_> {
    /// The password of a block.
    fn find(
        &mut self,
        source: &mut &mut dyn ReadSeek,
        archive: &Archive,
        sums: &[Option<u64>],
        block: usize,
        outlet: &mut Outlet<'_>,
    ) -> Result<Password, Defect> {
        let encrypted = archive.blocks[block]
            .coders
            .iter()
            .any(|coder| coder.encoder_method_id() == EncoderMethod::ID_AES256_SHA256);
        if !encrypted {
            return Ok(Password::empty());
        }
        let order = self
            .last
            .into_iter()
            .chain((0..self.list.len()).filter(|at| Some(*at) != self.last));
        for index in order {
            let password = Password::from(self.list[index].as_str());
            outlet.password_tried();
            if fits(source, archive, sums, block, &password) {
                outlet.password_used(index);
                self.last = Some(index);
                return Ok(password);
            }
        }
        Err(Defect::new(DefectCode::ArchiveEncrypted, tried(self.list.len())))
    }
}

/// True when the first member of the block that has bytes unpacks, and to its checksum where it is short.
fn fits(
    source: &mut &mut dyn ReadSeek,
    archive: &Archive,
    sums: &[Option<u64>],
    block: usize,
    password: &Password,
) -> bool {
    let first = archive.stream_map.block_first_file_index[block];
    let mut at = first;
    let mut good = None;
    let trial = BlockDecoder::new(1, block, archive, password, source);
    let outcome = trial.for_each_entries(&mut |file: &ArchiveEntry, reader: &mut dyn Read| {
        let sum = sums.get(at).copied().flatten();
        at += 1;
        if !file.has_stream || file.size == 0 {
            return Ok(true);
        }
        let mut part = Summed::new(file.size, sum, reader);
        let mut limited = (&mut part).take(TRIAL_BYTES);
        good = Some(io::copy(&mut limited, &mut io::sink()).is_ok());
        Ok(false)
    });
    outcome.is_ok() && good.unwrap_or(true)
}

fn one_block(
    source: &mut &mut dyn ReadSeek,
    archive: &Archive,
    sums: &[Option<u64>],
    block: usize,
    keys: &mut Keys<'_>,
    outlet: &mut Outlet<'_>,
) -> io::Result<Flow> {
    let first = archive.stream_map.block_first_file_index[block];
    let mut at = first;
    let nobody = Password::empty();
    let listed = BlockDecoder::new(1, block, archive, &nobody, source);
    let files = listed.entries().iter().filter(|file| !file.is_directory);
    let is_shut = outlet.is_shut(files.count() as u64);
    let mut why = too_large(&archive.blocks[block]);
    if is_shut && why.is_none() {
        // What came before or is only named says nothing of this; what lies behind a lost member does.
        let text = "it is packed in one block with a member over which a reader was lost";
        why = Some(Defect::new(DefectCode::ArchiveMember, text));
    }
    if why.is_none() {
        match keys.find(source, archive, sums, block, outlet) {
            Err(defect) => why = Some(defect),
            Ok(password) => {
                let mut taken: io::Result<Flow> = Ok(Flow::Continue(()));
                let decoder = BlockDecoder::new(1, block, archive, &password, source);
                let outcome = decoder.for_each_entries(&mut |file: &ArchiveEntry, reader: &mut dyn Read| {
                    let sum = sums.get(at).copied().flatten();
                    at += 1;
                    if file.is_directory {
                        return Ok(true);
                    }
                    let mut checked = Summed::new(if file.has_stream { file.size } else { 0 }, sum, reader);
                    taken = outlet.give(member_of(file), &mut checked);
                    Ok(matches!(taken, Ok(Flow::Continue(()))))
                });
                if !matches!(taken, Ok(Flow::Continue(()))) {
                    return taken;
                }
                if let Err(error) = outcome {
                    why = Some(because(&error));
                }
            }
        }
    }
    let Some(why) = why else {
        return Ok(Flow::Continue(()));
    };
    // The member at which it broke has been given, with its fault; what comes after it is lost.
    let nobody = Password::empty();
    let listed = BlockDecoder::new(1, block, archive, &nobody, source);
    for file in listed.entries().iter().skip(at - first) {
        if file.is_directory {
            continue;
        }
        let mut member = member_of(file);
        let flow = if file.has_stream && file.size > 0 {
            if outlet.next() == Next::Read {
                member.defects.push(why.clone());
            }
            outlet.give_closed(member)?
        } else {
            outlet.give(member, &mut io::empty())?
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(Flow::Continue(()))
}

/// A block whose dictionary is beyond what is allocated. The numbers are those of the methods' properties (7zip `Methods.txt`, LZMA and PPMd).
fn too_large(block: &Block) -> Option<Defect> {
    for coder in &block.coders {
        let properties = coder.properties();
        let method = coder.encoder_method_id();
        let four = properties.get(1..5).and_then(|four| four.try_into().ok());
        let window = if method == EncoderMethod::ID_LZMA || method == EncoderMethod::ID_PPMD {
            four.map(|four| u64::from(u32::from_le_bytes(four)))
        } else if method == EncoderMethod::ID_LZMA2 {
            properties
                .first()
                .map(|bits| u64::from(2 | (bits & 1)) << (u32::from(bits & 0x3f) / 2 + 11))
        } else {
            None
        };
        if let Some(window) = window.filter(|window| *window > MAX_WINDOW_BYTES) {
            let text = format!("its dictionary needs {window} bytes of memory");
            return Some(Defect::new(DefectCode::ArchiveLimit, text));
        }
    }
    None
}

fn because(error: &Error) -> Defect {
    let code = match error {
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) => DefectCode::ArchiveMethod,
        Error::PasswordRequired => DefectCode::ArchiveEncrypted,
        _ => DefectCode::ArchiveMember,
    };
    Defect::new(code, error.to_string())
}

fn member_of(file: &ArchiveEntry) -> Member {
    let unix = file.windows_attributes & 0x8000 != 0;
    let cleaned = name::clean(file.name.as_bytes(), !unix);
    let mut member = Member {
        path: cleaned.path,
        mtime_nanos: file
            .has_last_modified_date
            .then(|| filetime_nanos(u64::from(file.last_modified_date)))
            .flatten(),
        defects: cleaned.defects,
    };
    // p7zip keeps the Unix mode in the upper half.
    if unix && (file.windows_attributes >> 16) & 0o170_000 == 0o120_000 {
        let text = "symbolic link; its bytes are the target's path";
        member.defects.push(Defect::new(DefectCode::ArchiveLink, text));
    }
    member
}

/// Bytes of one member, held against its length and checksum at their end.
struct Summed<'a> {
    inner: &'a mut dyn Read,
    left: u64,
    stated: Option<u64>,
    crc: flate2::Crc,
    ended: bool,
}

impl<'a> Summed<'a> {
    fn new(size: u64, stated: Option<u64>, inner: &'a mut dyn Read) -> Self {
        Self {
            inner,
            left: size,
            stated,
            crc: flate2::Crc::new(),
            ended: false,
        }
    }
}

impl Read for Summed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ended || buf.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buf)?;
        if count > 0 {
            self.crc.update(&buf[..count]);
            self.left = self.left.saturating_sub(count as u64);
            return Ok(count);
        }
        self.ended = true;
        if self.left > 0 {
            let text = format!("{} bytes are missing", self.left);
            return Err(fault::error(DefectCode::ArchiveMember, text));
        }
        match self.stated {
            Some(stated) if stated != u64::from(self.crc.sum()) => {
                let text = format!("CRC-32 is {:08x}, stated {stated:08x}", self.crc.sum());
                Err(fault::error(DefectCode::ArchiveChecksum, text))
            }
            _ => Ok(0),
        }
    }
}
