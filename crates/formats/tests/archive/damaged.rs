//! Broken containers: what can be read comes out, what is wrong is said, nothing panics or hangs.

use embley_formats::archive::{ArchiveFormat, Compression, format_of};
use embley_model::defect::DefectCode;
use zip::CompressionMethod;

use crate::make::{RawEntry, aes, gzip, plain, prose, raw_zip, seven_zip, tar_of, zip_of};
use crate::take::{codes, pairs, take};

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|at| at == what).expect("is there")
}

fn entry<'a>(name: &'a [u8], bytes: &'a [u8]) -> RawEntry<'a> {
    RawEntry {
        name,
        flags: 0,
        system: 3,
        extra: b"",
        bytes,
    }
}

#[test]
fn wrong_bytes_are_given_with_the_checksum_said() {
    let mut bytes = raw_zip(&[entry(b"a", b"the first"), entry(b"b", b"the second")]);
    let at = find(&bytes, b"first");
    bytes[at] = b'F';
    let (opened, taken) = take(ArchiveFormat::Zip, &bytes, "a.zip", &[]);
    assert_eq!(pairs(&taken), [("a", b"the First".as_slice()), ("b", b"the second")]);
    assert_eq!(taken[0].codes, [DefectCode::ArchiveChecksum]);
    assert!(codes(&opened).contains(&DefectCode::ArchiveMember));
}

#[test]
fn bytes_before_and_behind_are_said_and_entries_found() {
    let inner = raw_zip(&[entry(b"a", b"one"), entry(b"b", b"two")]);
    let before = [b"#!/bin/sh a program that unpacks itself\n".as_slice(), &inner].concat();
    let behind = [inner.as_slice(), &[b'z'; 70_000]].concat();
    for bytes in [before, behind] {
        let (opened, taken) = take(ArchiveFormat::Zip, &bytes, "a.exe", &[]);
        assert_eq!(pairs(&taken), [("a", b"one".as_slice()), ("b", b"two")]);
        assert!(codes(&opened).contains(&DefectCode::ArchiveExtraBytes), "{opened:?}");
    }
}

#[test]
fn an_entry_that_the_directory_does_not_list_comes_out() {
    let shown = raw_zip(&[entry(b"shown", b"harmless")]);
    let hidden = raw_zip(&[entry(b"hidden", b"the other ledger")]);
    let only_entry = &hidden[..find(&hidden, b"PK\x01\x02")];
    let bytes = [only_entry, &shown].concat();
    let (opened, taken) = take(ArchiveFormat::Zip, &bytes, "a.zip", &[]);
    assert_eq!(
        pairs(&taken),
        [("shown", b"harmless".as_slice()), ("hidden", b"the other ledger")]
    );
    assert_eq!(taken[1].codes, [DefectCode::ArchiveSalvaged]);
    assert!(codes(&opened).contains(&DefectCode::ArchiveSalvaged));
}

#[test]
fn names_that_come_twice_are_both_kept() {
    let bytes = raw_zip(&[entry(b"a", b"one"), entry(b"a", b"two")]);
    let (_, taken) = take(ArchiveFormat::Zip, &bytes, "a.zip", &[]);
    assert_eq!(pairs(&taken), [("a", b"one".as_slice()), ("a", b"two")]);
    assert_eq!(taken[1].codes, [DefectCode::ArchiveNameTwice]);
}

#[test]
fn a_damaged_header_in_a_tar_costs_what_it_described() {
    let text = prose(3_000);
    let mut bytes = tar_of(&[("a", &text), ("b", &text), ("c", &text)]);
    // 512 + 3072 bytes an entry; the second header.
    bytes[3_584 + 20] ^= 0xff;
    let (opened, taken) = take(ArchiveFormat::Tar, &bytes, "a.tar", &[]);
    assert_eq!(pairs(&taken), [("a", text.as_slice()), ("c", text.as_slice())]);
    let said = opened
        .defects
        .iter()
        .find(|defect| defect.code == DefectCode::ArchiveStructure)
        .expect("said");
    assert_eq!(said.range, Some(3_584..7_168));
}

#[test]
fn junk_behind_gzip_is_said_after_all_bytes() {
    let bytes = [gzip(b"content", None).as_slice(), b"junk"].concat();
    let (_, taken) = take(format_of("application/gzip").expect("known"), &bytes, "a.gz", &[]);
    assert_eq!(pairs(&taken), [("a", b"content".as_slice())]);
    assert_eq!(taken[0].codes, [DefectCode::ArchiveExtraBytes]);
}

#[test]
fn a_7z_that_was_never_finished_is_opened_by_its_last_list() {
    let text = prose(3_000);
    let mut bytes = seven_zip(&[("a", &text), ("b", b"two")], None, false);
    bytes[8..32].fill(0);
    let (opened, taken) = take(ArchiveFormat::SevenZip, &bytes, "a.7z", &[]);
    assert_eq!(pairs(&taken), [("a", text.as_slice()), ("b", b"two")]);
    assert_eq!(codes(&opened), [DefectCode::ArchiveSalvaged]);
}

/// Small containers of each kind.
fn samples() -> Vec<(ArchiveFormat, Vec<u8>)> {
    let text = prose(400);
    let files: [(&str, &[u8]); 2] = [("a/b.txt", &text), ("c", b"short")];
    let tar = tar_of(&files);
    let stream = |media_type: &str| format_of(media_type).expect("known");
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("a", aes("word")).expect("starts");
    std::io::Write::write_all(&mut writer, &text).expect("writes");
    let encrypted = writer.finish().expect("finishes").into_inner();
    vec![
        (ArchiveFormat::Zip, zip_of(&files, plain(CompressionMethod::Deflated))),
        (ArchiveFormat::Zip, zip_of(&files, plain(CompressionMethod::Stored))),
        (ArchiveFormat::Zip, encrypted),
        (ArchiveFormat::Tar, tar.clone()),
        (stream("application/gzip"), gzip(&tar, Some("a.tar"))),
        (
            stream("application/zstd"),
            zstd::encode_all(text.as_slice(), 3).expect("packs"),
        ),
        (
            stream("application/x-compress"),
            b"\x1f\x9d\x90ab\x0ccde\x80fgh\xff\xff01234567".to_vec(),
        ),
        (ArchiveFormat::SevenZip, seven_zip(&files, None, false)),
        (
            ArchiveFormat::Ar,
            b"!<arch>\na/              0           0     0     100644  3         `\none\n".to_vec(),
        ),
    ]
}

#[test]
fn cut_anywhere_it_ends_and_says_something() {
    for (format, bytes) in samples() {
        for end in 0..bytes.len() {
            let (opened, taken) = take(format, &bytes[..end], "a", &["word"]);
            let said = !opened.defects.is_empty() || taken.iter().any(|one| !one.codes.is_empty());
            // A tar without its zeros, ar without its last entry, and `compress` between two codes are whole.
            let may_be_whole = matches!(
                format,
                ArchiveFormat::Tar | ArchiveFormat::Ar | ArchiveFormat::Stream(Compression::Lzw)
            );
            assert!(said || may_be_whole, "{format:?} cut at {end} of {}", bytes.len());
        }
    }
}

#[test]
fn bits_turned_at_random_never_panic_or_hang() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).expect("fits")
    };
    let mut runs = 0;
    for (format, bytes) in samples() {
        let rounds = if format == ArchiveFormat::SevenZip { 200 } else { 1_000 };
        for _ in 0..rounds {
            let mut broken = bytes.clone();
            for _ in 0..=random(4) {
                let at = random(broken.len());
                broken[at] ^= 1 << random(8);
            }
            let limits = embley_formats::opened::OpenLimits {
                max_total_bytes: 16 << 20,
                ..Default::default()
            };
            crate::take::take_limited(format, &broken, "a", &["word"], &limits);
            runs += 1;
        }
    }
    assert!(runs > 8_000, "{runs}");
}
