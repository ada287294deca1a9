//! Unix `compress` (`.Z`): LZW with codes of 9 to 16 bits.
//!
//! Not for: LZW of TIFF or GIF. Main type: [`LzwReader`]. Invariant: the table never has more than 2^16 codes; a code that cannot be is a fault, and what
//! came before it has been given.
//!
//! Layout: `1f 9d`, one byte of flags (bits 0-4 the widest code, bit 7 block mode: code 256 empties the table), then codes, low bits first. Codes come in
//! groups of eight; when the width changes, or the table is emptied, the rest of the group is skipped (compress(1) of 4.3BSD, `zuncompress.c`).

use std::io::{self, Read};

use embley_model::defect::DefectCode;

use super::fault;

const MIN_BITS: u32 = 9;
const CLEAR: u16 = 256;

/// Unpacks one `.Z` stream.
pub(super) struct LzwReader<R> {
    inner: R,
    started: bool,
    ended: bool,
    max_bits: u32,
    block_mode: bool,
    bits: u32,
    /// Bytes of the present group of eight codes, and the place in it in bits.
    group: Vec<u8>,
    at_bit: usize,
    prefix: Vec<u16>,
    suffix: Vec<u8>,
    previous: Option<u16>,
    first: u8,
    /// Bytes that came out of a code, last first.
    out: Vec<u8>,
    /// What went wrong behind bytes that were given first.
    failed: Option<io::Error>,
}

impl<R: Read> LzwReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            started: false,
            ended: false,
            max_bits: 16,
            block_mode: true,
            bits: MIN_BITS,
            group: Vec::new(),
            at_bit: 0,
            prefix: Vec::new(),
            suffix: Vec::new(),
            previous: None,
            first: 0,
            out: Vec::new(),
            failed: None,
        }
    }

    fn start(&mut self) -> io::Result<()> {
        let mut head = [0; 3];
        self.inner.read_exact(&mut head)?;
        if head[..2] != [0x1f, 0x9d] {
            return Err(fault::error(
                DefectCode::ArchiveStructure,
                "this is no compress(1) stream",
            ));
        }
        self.max_bits = u32::from(head[2] & 0x1f);
        self.block_mode = head[2] & 0x80 != 0;
        if !(MIN_BITS..=16).contains(&self.max_bits) {
            let text = format!("codes of {} bits", self.max_bits);
            return Err(fault::error(DefectCode::ArchiveMethod, text));
        }
        self.empty_table();
        self.started = true;
        Ok(())
    }

    fn empty_table(&mut self) {
        let literal = if self.block_mode { 257 } else { 256 };
        self.prefix.clear();
        self.prefix.resize(literal, 0);
        self.suffix = (0..=u8::MAX).collect();
        self.suffix.resize(literal, 0);
        self.bits = MIN_BITS;
        self.previous = None;
        self.group.clear();
        self.at_bit = 0;
    }

    /// The next code; `None` at the end.
    fn code(&mut self) -> io::Result<Option<u16>> {
        let width = self.bits as usize;
        if self.at_bit + width > self.group.len() * 8 {
            self.group.clear();
            self.at_bit = 0;
            (&mut self.inner)
                .take(u64::from(self.bits))
                .read_to_end(&mut self.group)?;
            if width > self.group.len() * 8 {
                return Ok(None);
            }
        }
        let start = self.at_bit / 8;
        let mut window = 0_u32;
        for (shift, byte) in self.group[start..].iter().take(4).enumerate() {
            window |= u32::from(*byte) << (8 * shift);
        }
        let code = (window >> (self.at_bit % 8)) & ((1 << self.bits) - 1);
        self.at_bit += width;
        Ok(u16::try_from(code).ok())
    }

    /// Takes one code and puts its bytes into `out`. False at the end.
    fn step(&mut self) -> io::Result<bool> {
        let Some(code) = self.code()? else { return Ok(false) };
        if self.block_mode && code == CLEAR {
            self.empty_table();
            return Ok(true);
        }
        let table_len = self.prefix.len();
        let known = usize::from(code) < table_len;
        let mut walk = code;
        match self.previous {
            None if code < 256 => {}
            Some(_) if known => {}
            Some(previous) if usize::from(code) == table_len => {
                // The code that is made by this very step: the string before and its own first byte.
                self.out.push(self.first);
                walk = previous;
            }
            _ => {
                let text = format!("code {code} is not in the table of {table_len}");
                return Err(fault::error(DefectCode::ArchiveMember, text));
            }
        }
        while walk >= 256 {
            self.out.push(self.suffix[usize::from(walk)]);
            walk = self.prefix[usize::from(walk)];
        }
        self.first = u8::try_from(walk).unwrap_or(0);
        self.out.push(self.first);
        if let Some(previous) = self.previous
            && table_len < 1 << self.max_bits
        {
            self.prefix.push(previous);
            self.suffix.push(self.first);
            if self.prefix.len() == 1 << self.bits && self.bits < self.max_bits {
                self.bits += 1;
                self.group.clear();
                self.at_bit = 0;
            }
        }
        self.previous = Some(code);
        Ok(true)
    }
}

impl<R: Read> Read for LzwReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            self.ended = true;
            return Err(error);
        }
        if !self.started && !self.ended {
            self.start()?;
        }
        let mut count = 0;
        while count < buf.len() {
            if let Some(byte) = self.out.pop() {
                buf[count] = byte;
                count += 1;
                continue;
            }
            if self.ended {
                break;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => self.ended = true,
                Err(error) if count == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    return Ok(count);
                }
            }
        }
        Ok(count)
    }
}
