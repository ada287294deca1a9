//! Single compressed files: gzip, bzip2, xz, LZMA, lzip, Zstandard, LZ4 and `compress`; a tar inside is opened at once.
//!
//! Not for: containers with a list of members. Main function: [`open`]. Invariant: what could be unpacked before a fault is given; no window larger than
//! [`MAX_WINDOW_BYTES`] is allocated.

use std::io::{self, BufRead, BufReader, Read};

use embley_model::defect::{Defect, DefectCode};
use flate2::bufread::GzDecoder;

use super::format::Compression;
use super::lzw::LzwReader;
use super::outlet::Outlet;
use super::{Job, ReadSeek, fault, name, tar};
use crate::opened::Member;

/// Largest dictionary that is allocated: what `zstd --long=27` and `xz -9` need.
const MAX_WINDOW_BYTES: u32 = 128 << 20;
const BUFFER_BYTES: usize = 64 << 10;

/// Gives the one member, or those of the tar in it.
///
/// # Errors
/// Only the taker's.
pub(super) fn open(
    source: &mut dyn ReadSeek,
    method: Compression,
    job: &Job<'_>,
    outlet: &mut Outlet<'_>,
) -> io::Result<()> {
    outlet.reader(match method {
        Compression::Gzip => "gzip/1",
        Compression::Bzip2 => "bzip2/1",
        Compression::Xz => "xz/1",
        Compression::Lzma => "lzma/1",
        Compression::Lzip => "lzip/1",
        Compression::Zstd => "zstd/1",
        Compression::Lz4 => "lz4/1",
        Compression::Lzw => "compress/1",
    });
    let mut input = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut gzip_head = None;
    let mut decoder: Box<dyn Read + '_> = match method {
        Compression::Gzip => {
            let mut gzip = GzipReader::new(&mut input);
            gzip_head = gzip.head();
            Box::new(gzip)
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
            input,
            true,
            MAX_WINDOW_BYTES / 1024,
        )),
        Compression::Lzma => match lzma_rust2::LzmaReader::new_mem_limit(input, MAX_WINDOW_BYTES / 1024, None) {
            Ok(reader) => Box::new(reader),
            Err(error) => Box::new(Failed(Some(error))),
        },
        Compression::Lzip => match lzip_window(&mut input) {
            Some(window) if window > u64::from(MAX_WINDOW_BYTES) => Box::new(Failed(Some(fault::error(
                DefectCode::ArchiveLimit,
                format!("its dictionary needs {window} bytes of memory"),
            )))),
            _ => Box::new(lzma_rust2::LzipReader::new(input)),
        },
        Compression::Zstd => match zstd_reader(input) {
            Ok(reader) => Box::new(reader),
            Err(error) => Box::new(Failed(Some(error))),
        },
        Compression::Lz4 => Box::new(Lz4Frames {
            inner: lz4_flex::frame::FrameDecoder::new(input),
        }),
        Compression::Lzw => Box::new(LzwReader::new(input)),
    };
    let (head, broken) = peek(&mut *decoder);
    let begins_tar = tar::begins(&head);
    let mut all = Replay {
        head: io::Cursor::new(head),
        broken,
        rest: decoder,
    };
    if begins_tar {
        outlet.reader("tar/1");
        return tar::open(&mut BufReader::with_capacity(BUFFER_BYTES, all), outlet);
    }
    let mut member = named(job.name, method);
    if let Some(head) = gzip_head {
        head.apply(&mut member);
    }
    if member.path.is_empty() {
        member.path = b"content".to_vec();
        member
            .defects
            .push(Defect::new(DefectCode::ArchiveName, "there is no name"));
    }
    // There is no second member for a limit to stop.
    outlet.give(member, &mut all).map(|_| ())
}

/// The dictionary that the first lzip member asks for (lzip manual, "File format": bits 0-4 are the power of two).
fn lzip_window(input: &mut impl BufRead) -> Option<u64> {
    let coded = input.fill_buf().ok()?.get(5)?;
    Some(1 << (coded & 0x1f))
}

fn zstd_reader<R: BufRead>(input: R) -> io::Result<zstd::Decoder<'static, R>> {
    let mut decoder = zstd::Decoder::with_buffer(input)?;
    decoder.window_log_max(MAX_WINDOW_BYTES.ilog2())?;
    Ok(decoder)
}

/// The name without the ending of its compression; `.tgz` and the like become `.tar`.
fn named(container: &[u8], method: Compression) -> Member {
    let endings: &[(&str, &str)] = match method {
        Compression::Gzip => &[(".gz", ""), (".tgz", ".tar"), (".z", "")],
        Compression::Bzip2 => &[(".bz2", ""), (".tbz2", ".tar"), (".tbz", ".tar"), (".bz", "")],
        Compression::Xz => &[(".xz", ""), (".txz", ".tar")],
        Compression::Lzma => &[(".lzma", ""), (".tlz", ".tar")],
        Compression::Lzip => &[(".lz", ""), (".tlz", ".tar")],
        Compression::Zstd => &[(".zst", ""), (".tzst", ".tar")],
        Compression::Lz4 => &[(".lz4", "")],
        Compression::Lzw => &[(".z", ""), (".taz", ".tar")],
    };
    let base = container.rsplit(|byte| *byte == b'/').next().unwrap_or(container);
    let lower = base.to_ascii_lowercase();
    let stem = endings
        .iter()
        .find(|(ending, _)| lower.len() > ending.len() && lower.ends_with(ending.as_bytes()))
        .map_or_else(
            || base.to_vec(),
            |(ending, instead)| [&base[..base.len() - ending.len()], instead.as_bytes()].concat(),
        );
    Member {
        path: name::clean(&stem, false).path,
        ..Member::default()
    }
}

/// The first block of what comes out, and the error if it broke off there.
fn peek(decoder: &mut dyn Read) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let mut block = [0; 512];
    while head.len() < block.len() {
        let most = block.len() - head.len();
        match decoder.read(&mut block[..most]) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(&block[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (head, Some(error)),
        }
    }
    (head, None)
}

/// What was peeked, then the rest.
struct Replay<'a> {
    head: io::Cursor<Vec<u8>>,
    broken: Option<io::Error>,
    rest: Box<dyn Read + 'a>,
}

impl Read for Replay<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.head.read(buf)?;
        if count > 0 {
            return Ok(count);
        }
        match self.broken.take() {
            Some(error) => {
                self.rest = Box::new(io::empty());
                Err(error)
            }
            None => self.rest.read(buf),
        }
    }
}

/// A reader that could not even begin.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _buf: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// LZ4 frames one after the other.
struct Lz4Frames<R: Read> {
    inner: lz4_flex::frame::FrameDecoder<R>,
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // The decoder gives 0 at the end of each frame and begins the next one at the next read.
        loop {
            let count = self.inner.read(buf)?;
            if count > 0 || buf.is_empty() || self.inner.get_mut().fill_buf()?.is_empty() {
                return Ok(count);
            }
        }
    }
}

/// What the first gzip header says.
struct GzipHead {
    name: Option<Vec<u8>>,
    mtime: u32,
}

impl GzipHead {
    fn apply(self, member: &mut Member) {
        if self.mtime != 0 {
            member.mtime_nanos = Some(i64::from(self.mtime) * 1_000_000_000);
        }
        let Some(stored) = self.name.filter(|name| !name.is_empty()) else {
            return;
        };
        // RFC 1952 2.3.1: the name is Latin-1. Most writers put in what the system has, which is UTF-8.
        let utf8 = match std::str::from_utf8(&stored) {
            Ok(_) => stored,
            Err(_) => {
                member.defects.push(Defect::new(
                    DefectCode::ArchiveName,
                    format!("read as ISO 8859-1: {}", name::quote(&stored)),
                ));
                stored
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect::<String>()
                    .into_bytes()
            }
        };
        let cleaned = name::clean(&utf8, true);
        if !cleaned.path.is_empty() {
            member.path = cleaned.path;
            member.defects.extend(cleaned.defects);
        }
    }
}

/// gzip members one after the other, as RFC 1952 2.2 joins them. Zeros behind them are padding; other bytes are a fault at the end.
struct GzipReader<'a, R: BufRead> {
    decoder: Option<GzDecoder<&'a mut R>>,
    done: bool,
    /// Bytes of the present member.
    given: u64,
}

impl<'a, R: BufRead> GzipReader<'a, R> {
    fn new(input: &'a mut R) -> Self {
        Self {
            decoder: Some(GzDecoder::new(input)),
            done: false,
            given: 0,
        }
    }

    fn head(&mut self) -> Option<GzipHead> {
        let header = self.decoder.as_ref()?.header()?;
        Some(GzipHead {
            name: header.filename().map(<[u8]>::to_vec),
            mtime: header.mtime(),
        })
    }

    /// Goes to the next member; false at the end.
    fn next_member(&mut self) -> io::Result<bool> {
        let Some(decoder) = self.decoder.take() else {
            return Ok(false);
        };
        let input = decoder.into_inner();
        let mut zeros = 0_u64;
        loop {
            let ahead = input.fill_buf()?;
            if ahead.is_empty() {
                return Ok(false);
            }
            let count = ahead.iter().take_while(|byte| **byte == 0).count();
            if count == 0 {
                break;
            }
            zeros += count as u64;
            input.consume(count);
        }
        let ahead = input.fill_buf()?;
        if zeros == 0 && ahead[0] == 0x1f && ahead.get(1).is_none_or(|byte| *byte == 0x8b) {
            self.decoder = Some(GzDecoder::new(input));
            self.given = 0;
            return Ok(true);
        }
        let junk = io::copy(input, &mut io::sink())?;
        Err(fault::error(
            DefectCode::ArchiveExtraBytes,
            format!("{junk} bytes that are no gzip stand behind it"),
        ))
    }
}

impl<R: BufRead> Read for GzipReader<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.done || buf.is_empty() {
                return Ok(0);
            }
            let Some(decoder) = self.decoder.as_mut() else {
                return Ok(0);
            };
            let count = decoder.read(buf).map_err(|error| {
                if error.kind() == io::ErrorKind::InvalidInput {
                    return fault::error(DefectCode::ArchiveChecksum, error.to_string());
                }
                error
            })?;
            self.given += count as u64;
            if count > 0 {
                return Ok(count);
            }
            match self.next_member() {
                Ok(true) => {}
                Ok(false) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Err(error);
                }
            }
        }
    }
}
