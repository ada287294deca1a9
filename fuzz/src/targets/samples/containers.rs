//! Containers; repair of tar and 7z.

use std::io::Write;

use super::put;

/// CRC-32 as zip and 7z use it.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Stored entries, local headers, directory (APPNOTE 4.3).
pub(in crate::targets) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let stored: Vec<Entry<'_>> = entries
        .iter()
        .map(|(name, content)| Entry {
            name,
            method: 0,
            packed: content.to_vec(),
            crc: crc(content),
            size: content.len() as u32,
        })
        .collect();
    write_zip(&stored)
}

struct Entry<'a> {
    name: &'a str,
    method: u16,
    packed: Vec<u8>,
    crc: u32,
    size: u32,
}

fn write_zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = out.len() as u32;
        let mut common = vec![20, 0, 0, 0];
        common.extend(entry.method.to_le_bytes());
        common.extend([0, 0x60, 0x21, 0x3A]);
        common.extend(entry.crc.to_le_bytes());
        common.extend((entry.packed.len() as u32).to_le_bytes());
        common.extend(entry.size.to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(entry.name.as_bytes());
        out.extend(&entry.packed);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

pub(in crate::targets) fn deflated_zip() -> Vec<u8> {
    let content = b"the same words again and again ".repeat(40);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let packed = encoder
        .write_all(&content)
        .and_then(|()| encoder.finish())
        .unwrap_or_default();
    write_zip(&[Entry {
        name: "folder/words.txt",
        method: 8,
        packed,
        crc: crc(&content),
        size: content.len() as u32,
    }])
}

fn tar_header(name: &str, kind: u8, size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    put(&mut header, 0, name.as_bytes());
    put(&mut header, 100, b"0000644\0");
    put(&mut header, 124, format!("{size:011o}\0").as_bytes());
    put(&mut header, 136, b"07000000000\0");
    header[156] = kind;
    put(&mut header, 257, b"ustar\x0000");
    sum_tar(&mut header);
    header
}

/// The sum of a header counts its own field as spaces (POSIX.1-1988).
fn sum_tar(header: &mut [u8]) {
    put(header, 148, b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    put(header, 148, format!("{sum:06o}\0 ").as_bytes());
}

/// A file, one with a long name, one with extended fields, a sparse one, a link.
pub(in crate::targets) fn tar() -> Vec<u8> {
    let mut out = Vec::new();
    let mut add = |name: &str, kind: u8, content: &[u8]| {
        out.extend(tar_header(name, kind, content.len()));
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
    };
    add("a/b.txt", b'0', b"words");
    add("././@LongLink", b'L', &[b'n'; 150]);
    add("cut", b'0', b"of the long name");
    add("PaxHeaders/c", b'x', b"18 path=c/\xc3\xa4.txt\n20 mtime=1000000.25\n");
    add("c", b'0', b"extended");
    let sparse = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n28 GNU.sparse.realsize=2048\n22 GNU.sparse.name=s\n";
    add("PaxHeaders/s", b'x', sparse);
    let mut map = b"1\n1024\n4\n".to_vec();
    map.resize(512, 0);
    map.extend(b"data");
    add("GNUSparseFile.0/s", b'0', &map);
    add("link", b'2', b"");
    out.resize(out.len() + 1024, 0);
    out
}

pub(in crate::targets) fn repair_tar(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = bytes.get_mut(at..at + 512) {
        if header.iter().all(|byte| *byte == 0) {
            at += 512;
            continue;
        }
        sum_tar(header);
        let size = std::str::from_utf8(&header[124..135]).ok();
        let size = size.and_then(|text| usize::from_str_radix(text.trim_matches([' ', '\0']), 8).ok());
        let Some(size) = size else { return };
        at = (at + 512).saturating_add(size).next_multiple_of(512);
    }
}

/// Two files stored in one folder, and a plain header (7zFormat.txt).
pub(in crate::targets) fn sevenz() -> Vec<u8> {
    let (one, two) = (b"first file", b"second");
    let total = (one.len() + two.len()) as u8;
    let mut header = vec![0x01, 0x04];
    header.extend([0x06, 0, 1, 0x09, total, 0]);
    header.extend([0x07, 0x0B, 1, 0, 1, 0x01, 0x00, 0x0C, total, 0]);
    header.extend([0x08, 0x0D, 2, 0x09, one.len() as u8, 0x0A, 1]);
    header.extend(crc(one).to_le_bytes());
    header.extend(crc(two).to_le_bytes());
    header.extend([0, 0]);
    let names: Vec<u8> = "a.txt\0b/c\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    header.extend([0x05, 2, 0x11, names.len() as u8 + 1, 0]);
    header.extend(names);
    header.extend([0, 0]);
    let mut out = b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0".to_vec();
    out.extend(u64::from(total).to_le_bytes());
    out.extend((header.len() as u64).to_le_bytes());
    out.extend([0; 4]);
    out.extend(one);
    out.extend(two);
    out.extend(header);
    repair_sevenz(&mut out);
    out
}

pub(in crate::targets) fn repair_sevenz(bytes: &mut [u8]) {
    let (Some(offset), Some(size)) = (super::word_at(bytes, 12), super::word_at(bytes, 20)) else {
        return;
    };
    let start = offset.saturating_add(32);
    if let Some(header) = bytes.get(start..start.saturating_add(size)) {
        let sum = crc(header);
        put(bytes, 28, &sum.to_le_bytes());
    }
    if let Some(first) = bytes.get(12..32) {
        let sum = crc(first);
        put(bytes, 8, &sum.to_le_bytes());
    }
}

/// Members with a short name, a long one in the table, and one after the header as BSD writes it.
pub(in crate::targets) fn ar() -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    let mut add = |name: &str, content: &[u8]| {
        let size = content.len();
        out.extend(
            format!(
                "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
                1_000_000_000, 0, 0, 100_644
            )
            .as_bytes(),
        );
        out.extend(content);
        if size % 2 == 1 {
            out.push(b'\n');
        }
    };
    add("//", b"a-name-that-is-long.txt/\n");
    add("short/", b"words");
    add("/0", b"of the long name");
    add("#1/8", b"bsd nameand words");
    out
}

/// One of each method that can be written here, and the example of `compress`.
pub(in crate::targets) fn compressed() -> Vec<Vec<u8>> {
    let content = b"the same words again and again ".repeat(20);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let gzip = gzip
        .write_all(&content)
        .and_then(|()| gzip.finish())
        .unwrap_or_default();
    // `compress` with codes of nine bits: the literals `aaaa`, low bits first.
    let lzw = vec![0x1f, 0x9d, 0x90, 0x61, 0x02, 0x06, 0x04];
    let mut tgz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let tgz = tgz.write_all(&tar()).and_then(|()| tgz.finish()).unwrap_or_default();
    vec![gzip, lzw, tgz, zstd::encode_all(&content[..], 3).unwrap_or_default()]
}
