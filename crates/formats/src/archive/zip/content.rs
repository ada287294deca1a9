//! The bytes of one entry: decrypted, unpacked, checked.
//!
//! Not for: finding it. Main function: [`with_reader`]. Invariant: the package that unpacks sees a header made here, so that what the file states cannot
//! keep its bytes back; checksum and length are checked here, after the bytes were given.
//!
//! Sources: APPNOTE 4.4.5 (methods), 6.1 (the old encryption); WinZip "AES Encryption Information" (field 0x9901).

use std::io::{self, BufRead, BufReader, Cursor, Read, SeekFrom};
use std::ops::Range;

use embley_mapi::crc32;
use embley_model::defect::{Defect, DefectCode};
use zip::read::{ZipReadOptions, read_zipfile_from_stream_with_options};

use super::entry::{ENCRYPTED, Entry, HAS_DESCRIPTOR, u16_at, u32_at};
use crate::archive::{ReadSeek, fault};

const AES_METHOD: u16 = 99;
const AES_FIELD: u16 = 0x9901;
const LZMA_METHOD: u16 = 14;
/// Largest dictionary that is allocated.
const MAX_WINDOW_BYTES: u32 = 512 << 20;
const BUFFER_BYTES: u64 = 64 << 10;
/// Bytes in front of old-style encrypted data.
const CRYPT_HEAD_BYTES: u64 = 12;

/// How an entry is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    None,
    Traditional,
    Aes,
}

impl Cipher {
    pub(super) fn of(entry: &Entry) -> Self {
        match (entry.is_encrypted(), entry.method) {
            (false, _) => Self::None,
            (true, AES_METHOD) => Self::Aes,
            (true, _) => Self::Traditional,
        }
    }
}

/// The method of compression, behind that of encryption.
fn method(entry: &Entry) -> u16 {
    match entry.field(AES_FIELD) {
        Some(field) if entry.method == AES_METHOD && field.len() >= 7 => u16_at(field, 5),
        _ => entry.method,
    }
}

/// AE-2 has no checksum, only the authentication code.
fn has_crc(entry: &Entry) -> bool {
    let is_ae2 = entry.method == AES_METHOD && entry.field(AES_FIELD).is_some_and(|field| u16_at(field, 0) == 2);
    !entry.sizes_unknown && !is_ae2
}

/// Calls `take` with a reader of the entry's bytes. `data` is where they lie in the file.
///
/// # Errors
/// Why there can be no reader: the method, the password.
pub(super) fn with_reader<T>(
    source: &mut dyn ReadSeek,
    entry: &Entry,
    data: &Range<u64>,
    password: Option<&[u8]>,
    take: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, Defect> {
    let method = method(entry);
    // The method is checked before any byte, so that a wrong password is not blamed.
    if let Some(word) = unsupported(method) {
        return Err(Defect::new(DefectCode::ArchiveMethod, word));
    }
    let stored = data.end.saturating_sub(data.start);
    source
        .seek(SeekFrom::Start(data.start))
        .map_err(|error| fault::of(&error))?;
    let capacity = usize::try_from(stored.clamp(512, BUFFER_BYTES)).unwrap_or(512);
    let mut raw = BufReader::with_capacity(capacity, source.take(stored));
    if method == LZMA_METHOD && Cipher::of(entry) == Cipher::None {
        // Two bytes of version, two of length, one of properties, then the dictionary (APPNOTE 5.8.8).
        let head = raw.fill_buf().map_err(|error| fault::of(&error))?;
        let window = u32_at(head, 5);
        if window > MAX_WINDOW_BYTES {
            let text = format!("its dictionary needs {window} bytes of memory");
            return Err(Defect::new(DefectCode::ArchiveLimit, text));
        }
    }
    let mut checked = Checked::new(entry, stored);
    match Cipher::of(entry) {
        Cipher::None if method == 0 => Ok(take(&mut checked.over(&mut raw))),
        Cipher::None => unpack(&mut raw, entry, stored, None, checked, take),
        Cipher::Traditional => {
            let mut plain = Traditional::open(&mut raw, entry, password)?;
            if method == 0 {
                return Ok(take(&mut checked.over(&mut plain)));
            }
            let packed = stored.saturating_sub(CRYPT_HEAD_BYTES);
            unpack(&mut plain, entry, packed, None, checked, take)
        }
        Cipher::Aes => unpack(&mut raw, entry, stored, password, checked, take),
    }
}

fn unsupported(method: u16) -> Option<String> {
    match method {
        0..=6 | 8 | 9 | 12 | 14 | 93 | 95 | 98 => None,
        number => Some(format!("method {number}")),
    }
}

/// Unpacks through the package, from a header that says only what it needs.
fn unpack<R: Read, T>(
    raw: &mut R,
    entry: &Entry,
    packed: u64,
    password: Option<&[u8]>,
    mut checked: Checked,
    take: impl FnOnce(&mut dyn Read) -> T,
) -> Result<T, Defect> {
    let method = method(entry);
    // These cannot tell their own end: they need the length, which then also bounds them.
    let needs_length = matches!(method, 1..=6 | 14);
    let head = header(entry, packed, needs_length && !entry.sizes_unknown);
    let mut stream = Cursor::new(head).chain(raw);
    let mut options = ZipReadOptions::new().ignore_crc32(true).password(password);
    if !needs_length || entry.sizes_unknown {
        options = options.override_compressed_size(packed);
    }
    if password.is_none() && entry.method == AES_METHOD {
        return Err(Defect::new(DefectCode::ArchiveEncrypted, ""));
    }
    match read_zipfile_from_stream_with_options(&mut stream, options) {
        Ok(Some(mut file)) => Ok(take(&mut checked.over(&mut file))),
        Ok(None) => Err(Defect::new(DefectCode::ArchiveStructure, "no header")),
        Err(zip::result::ZipError::InvalidPassword) => Err(Defect::new(DefectCode::ArchiveEncrypted, "")),
        Err(error) => Err(Defect::new(DefectCode::ArchiveMember, error.to_string())),
    }
}

/// A local header with a one-letter name, and the field of AES where there is one.
fn header(entry: &Entry, packed: u64, with_length: bool) -> Vec<u8> {
    let aes = (entry.method == AES_METHOD).then(|| entry.field(AES_FIELD)).flatten();
    let mut flags = entry.flags & 0b110;
    if aes.is_some() {
        flags |= ENCRYPTED;
    }
    if !with_length {
        flags |= HAS_DESCRIPTOR;
    }
    let mut extra = Vec::new();
    if with_length {
        extra.extend_from_slice(&1_u16.to_le_bytes());
        extra.extend_from_slice(&16_u16.to_le_bytes());
        extra.extend_from_slice(&entry.plain_bytes.to_le_bytes());
        extra.extend_from_slice(&packed.to_le_bytes());
    }
    if let Some(field) = aes {
        extra.extend_from_slice(&AES_FIELD.to_le_bytes());
        extra.extend_from_slice(&u16::try_from(field.len()).unwrap_or(0).to_le_bytes());
        extra.extend_from_slice(field);
    }
    let size: u32 = if with_length { u32::MAX } else { 0 };
    let mut out = Vec::with_capacity(31 + extra.len());
    out.extend_from_slice(super::entry::LOCAL);
    out.extend_from_slice(&45_u16.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&entry.method.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&entry.crc.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&u16::try_from(extra.len()).unwrap_or(0).to_le_bytes());
    out.push(b'x');
    out.extend_from_slice(&extra);
    out
}

/// What an entry's bytes must come to.
struct Checked {
    crc: flate2::Crc,
    stated_crc: Option<u32>,
    stated_bytes: Option<u64>,
    given: u64,
    ended: bool,
    /// Fewer bytes lie in the file than the entry states.
    cut: bool,
}

impl Checked {
    fn new(entry: &Entry, stored: u64) -> Self {
        Self {
            crc: flate2::Crc::new(),
            stated_crc: has_crc(entry).then_some(entry.crc),
            stated_bytes: (!entry.sizes_unknown).then_some(entry.plain_bytes),
            given: 0,
            ended: false,
            cut: stored < entry.packed_bytes,
        }
    }

    fn over<'a, R: Read>(&'a mut self, inner: &'a mut R) -> CheckedReader<'a, R> {
        CheckedReader { check: self, inner }
    }

    fn verdict(&self) -> Option<Defect> {
        let stated = self.stated_bytes.unwrap_or(self.given);
        if self.cut {
            let text = format!("the container ends after {} of {stated} bytes", self.given);
            return Some(Defect::new(DefectCode::ArchiveTruncated, text));
        }
        if let Some(crc) = self.stated_crc
            && crc != self.crc.sum()
        {
            let text = format!("CRC-32 is {:08x}, stated {crc:08x}", self.crc.sum());
            return Some(Defect::new(DefectCode::ArchiveChecksum, text));
        }
        if self.given != stated {
            let text = format!("{} bytes, stated {stated}", self.given);
            return Some(Defect::new(DefectCode::ArchiveChecksum, text));
        }
        None
    }
}

struct CheckedReader<'a, R> {
    check: &'a mut Checked,
    inner: &'a mut R,
}

impl<R: Read> Read for CheckedReader<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.check.ended || buf.is_empty() {
            return Ok(0);
        }
        let count = match self.inner.read(buf) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.check.ended = true;
                if self.check.cut {
                    let text = format!("the container ends after {} bytes of it", self.check.given);
                    return Err(fault::error(DefectCode::ArchiveTruncated, text));
                }
                return Err(error);
            }
        };
        if count == 0 {
            self.check.ended = true;
            return self.check.verdict().map_or(Ok(0), |defect| Err(fault::carry(defect)));
        }
        self.check.crc.update(&buf[..count]);
        self.check.given += count as u64;
        Ok(count)
    }
}

/// The old encryption of PKWARE: three keys that every plain byte changes.
struct Traditional<'a, R> {
    keys: [u32; 3],
    inner: &'a mut R,
}

impl<'a, R: Read> Traditional<'a, R> {
    /// Reads the twelve bytes before the data. The last of them tells most wrong passwords: it is the highest byte of the checksum, or of the time where
    /// the checksum was not known (Info-ZIP; APPNOTE 6.1.6).
    fn open(inner: &'a mut R, entry: &Entry, password: Option<&[u8]>) -> Result<Self, Defect> {
        let wrong = || Defect::new(DefectCode::ArchiveEncrypted, "");
        let mut this = Self {
            keys: [0x1234_5678, 0x2345_6789, 0x3456_7890],
            inner,
        };
        for byte in password.ok_or_else(wrong)? {
            this.update(*byte);
        }
        let mut head = [0; 12];
        if let Err(error) = this.inner.read_exact(&mut head) {
            let text = format!("the head of its encryption is cut: {error}");
            return Err(Defect::new(DefectCode::ArchiveTruncated, text));
        }
        let last = head.map(|byte| this.decrypt(byte))[11];
        let time = entry.dos_time.to_be_bytes()[0];
        let crc = entry.crc.to_be_bytes()[0];
        let by_time = entry.flags & HAS_DESCRIPTOR != 0 && last == time;
        let by_crc = !entry.sizes_unknown && last == crc;
        if by_time || by_crc { Ok(this) } else { Err(wrong()) }
    }

    fn update(&mut self, plain: u8) {
        let [one, two, three] = &mut self.keys;
        *one = crc32::step(*one, plain);
        *two = two.wrapping_add(*one & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        *three = crc32::step(*three, two.to_be_bytes()[0]);
    }

    fn decrypt(&mut self, byte: u8) -> u8 {
        let temp = (self.keys[2] & 0xffff) | 2;
        let mask = temp.wrapping_mul(temp ^ 1).to_le_bytes()[1];
        let plain = byte ^ mask;
        self.update(plain);
        plain
    }
}

impl<R: Read> Read for Traditional<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        for byte in &mut buf[..count] {
            *byte = self.decrypt(*byte);
        }
        Ok(count)
    }
}
