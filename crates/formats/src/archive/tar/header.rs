//! The 512 bytes before each entry, and the records of pax headers.
//!
//! Not for: what follows them. Main types: [`Header`], [`Pax`]. Invariant: every field is bounded by the block; numbers are checked.
//!
//! Source: POSIX.1-2008 pax "ustar Interchange Format"; GNU tar manual "Basic Tar Format"; star(5).

use std::collections::BTreeMap;

pub(super) const BLOCK: usize = 512;

/// What kind of entry follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    HardLink,
    SymLink,
    Device(&'static str),
    Folder,
    /// GNU: the content is a sparse file.
    GnuSparse,
    GnuLongName,
    GnuLongLink,
    /// GNU: names of a folder, or the name of a volume: no file.
    GnuList(&'static str),
    /// GNU: the rest of a file whose begin is in another volume.
    GnuContinued,
    Pax,
    PaxGlobal,
    /// Another letter: a file, says the standard.
    Other(u8),
}

/// One header block.
pub(super) struct Header<'a>(pub(super) &'a [u8; BLOCK]);

impl<'a> Header<'a> {
    /// True when the checksum is right, in unsigned or (old) signed bytes.
    pub(super) fn is_valid(&self) -> bool {
        let Some(stated) = number(&self.0[148..156]) else {
            return false;
        };
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (at, byte) in self.0.iter().enumerate() {
            let byte = if (148..156).contains(&at) { b' ' } else { *byte };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        stated == unsigned || stated == signed
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    fn is_ustar(&self) -> bool {
        &self.0[257..263] == b"ustar\0"
    }

    pub(super) fn is_gnu(&self) -> bool {
        &self.0[257..265] == b"ustar  \0"
    }

    pub(super) fn kind(&self) -> Kind {
        match self.0[156] {
            b'0' | 0 | b'7' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymLink,
            b'3' => Kind::Device("character device"),
            b'4' => Kind::Device("block device"),
            b'6' => Kind::Device("pipe"),
            b'5' => Kind::Folder,
            b'S' => Kind::GnuSparse,
            b'L' => Kind::GnuLongName,
            b'K' => Kind::GnuLongLink,
            b'D' => Kind::GnuList("list of a folder"),
            b'V' => Kind::GnuList("name of the volume"),
            b'M' => Kind::GnuContinued,
            b'x' | b'X' => Kind::Pax,
            b'g' => Kind::PaxGlobal,
            other => Kind::Other(other),
        }
    }

    /// Name, with ustar's prefix where there is one.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        // star keeps times at the end of the prefix (`tar\0` at 508); GNU keeps times and sparse maps there.
        let prefix: &[u8] = match () {
            () if &self.0[508..512] == b"tar\0" => text(&self.0[345..476]),
            () if self.is_ustar() => text(&self.0[345..500]),
            () => b"",
        };
        if prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    pub(super) fn link(&self) -> &'a [u8] {
        text(&self.0[157..257])
    }

    pub(super) fn size(&self) -> Option<u64> {
        u64::try_from(number(&self.0[124..136])?).ok()
    }

    pub(super) fn mtime(&self) -> Option<i64> {
        number(&self.0[136..148])
    }

    /// The four pieces of an old GNU sparse map, the real size, and whether more blocks of pieces follow.
    pub(super) fn gnu_sparse(&self) -> (Vec<(u64, u64)>, Option<u64>, bool) {
        let real = number(&self.0[483..495]).and_then(|size| u64::try_from(size).ok());
        (pieces(&self.0[386..482]), real, self.0[482] != 0)
    }
}

/// Pieces of a sparse map: offset and length, twelve bytes each, until an empty one.
pub(super) fn pieces(bytes: &[u8]) -> Vec<(u64, u64)> {
    let mut out = Vec::new();
    for pair in bytes.chunks_exact(24) {
        let offset = number(&pair[..12]).and_then(|value| u64::try_from(value).ok());
        let length = number(&pair[12..]).and_then(|value| u64::try_from(value).ok());
        match (offset, length) {
            (Some(offset), Some(length)) if pair[0] != 0 => out.push((offset, length)),
            _ => break,
        }
    }
    out
}

fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// A number in octal digits, or in base 256 when the first bit is set. Empty means 0.
fn number(field: &[u8]) -> Option<i64> {
    if field[0] & 0x80 != 0 {
        // Two's complement over the field; 0xff begins a negative number.
        let negative = field[0] & 0x40 != 0;
        let mut value: i64 = if negative { -1 } else { 0 };
        for (at, byte) in field.iter().enumerate() {
            let byte = if at == 0 && !negative { byte & 0x7f } else { *byte };
            value = value.checked_mul(256)?.checked_add(i64::from(byte))?;
        }
        return Some(value);
    }
    let digits = text(field).trim_ascii();
    let mut value: i64 = 0;
    for byte in digits {
        match byte {
            b'0'..=b'7' => value = value.checked_mul(8)?.checked_add(i64::from(byte - b'0'))?,
            // What stands behind a blank is no digit of this number.
            b' ' => break,
            _ => return None,
        }
    }
    Some(value)
}

/// Records of a pax header, later ones winning.
#[derive(Clone, Default)]
pub(super) struct Pax {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    /// GNU sparse format 0.0 repeats its two keys.
    pub(super) pieces: Vec<(u64, u64)>,
    /// A record could not be read.
    pub(super) odd: bool,
}

impl Pax {
    /// Reads `length SP key=value LF` records over what was known.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        let mut offset = None;
        while !bytes.is_empty() && bytes[0] != 0 {
            let Some((key, value, rest)) = record(bytes) else {
                self.odd = true;
                return;
            };
            bytes = rest;
            match key {
                b"GNU.sparse.offset" => offset = decimal(value),
                b"GNU.sparse.numbytes" => {
                    if let (Some(offset), Some(length)) = (offset.take(), decimal(value)) {
                        self.pieces.push((offset, length));
                    }
                }
                b"GNU.sparse.map" => {
                    self.pieces.clear();
                    let mut numbers = value.split(|byte| *byte == b',').map(decimal);
                    while let (Some(Some(offset)), Some(Some(length))) = (numbers.next(), numbers.next()) {
                        self.pieces.push((offset, length));
                    }
                }
                _ => {
                    self.records.insert(key.to_vec(), value.to_vec());
                }
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        self.records
            .get(key.as_bytes())
            .map(Vec::as_slice)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        decimal(self.get(key)?)
    }

    /// Seconds with a fraction, as nanoseconds.
    pub(super) fn mtime_nanos(&self) -> Option<i64> {
        let text = std::str::from_utf8(self.get("mtime")?).ok()?;
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole: i64 = whole.parse().ok()?;
        let mut nanos: i64 = 0;
        for at in 0..9 {
            let digit = fraction.as_bytes().get(at).copied().unwrap_or(b'0');
            nanos = nanos * 10 + i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        }
        whole
            .checked_mul(1_000_000_000)?
            .checked_add(nanos)
            .map(|value| value * sign)
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&bytes[..blank])?).ok()?;
    let line = bytes.get(blank + 1..length)?;
    let (last, line) = line.split_last()?;
    if *last != b'\n' {
        return None;
    }
    let equals = line.iter().position(|byte| *byte == b'=')?;
    Some((&line[..equals], &line[equals + 1..], &bytes[length..]))
}

pub(super) fn decimal(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}
