//! Whole containers of every kind give back what went in.

use std::io::{Cursor, Write};

use embley_formats::archive::{ArchiveFormat, format_of};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;
use zip::CompressionMethod;
use zip::unstable::write::FileOptionsExt;

use crate::make::{RawEntry, aes, gzip, plain, prose, raw_zip, seven_zip, tar_of, zip_of};
use crate::take::{codes, pairs, take};

fn format(media_type: &str) -> ArchiveFormat {
    format_of(media_type).expect("a container")
}

#[test]
fn zip_of_every_method_gives_what_went_in() {
    let text = prose(300_000);
    let files: [(&str, &[u8]); 3] = [("a/minutes.txt", &text), ("empty", b""), ("b.bin", &[0; 70_000])];
    for method in [
        CompressionMethod::Stored,
        CompressionMethod::Deflated,
        CompressionMethod::Bzip2,
        CompressionMethod::Zstd,
        CompressionMethod::Lzma,
        CompressionMethod::Xz,
        CompressionMethod::Ppmd,
    ] {
        let Ok(bytes) = std::panic::catch_unwind(|| zip_of(&files, plain(method))) else {
            continue;
        };
        let (opened, taken) = take(ArchiveFormat::Zip, &bytes, "a.zip", &[]);
        assert_eq!(pairs(&taken), files.to_vec(), "{method:?}");
        assert!(taken.iter().all(|one| one.codes.is_empty()), "{method:?} {taken:?}");
        assert!(
            codes(&opened).iter().all(|code| *code == DefectCode::ArchiveTime),
            "{method:?} {opened:?}"
        );
    }
}

#[test]
fn zip_that_was_streamed_or_is_64_bit_gives_what_went_in() {
    let text = prose(100_000);
    let mut writer = zip::ZipWriter::new_stream(Vec::new());
    for name in ["one", "two"] {
        writer
            .start_file(name, plain(CompressionMethod::Deflated))
            .expect("starts");
        writer.write_all(&text).expect("writes");
    }
    let streamed = writer.finish().expect("finishes").into_inner();
    let large = zip_of(
        &[("one", &text), ("two", &text)],
        plain(CompressionMethod::Deflated).large_file(true),
    );
    for bytes in [streamed, large] {
        let (_, taken) = take(ArchiveFormat::Zip, &bytes, "a.zip", &[]);
        assert_eq!(pairs(&taken), [("one", text.as_slice()), ("two", text.as_slice())]);
        // Without its directory the same comes out, by the headers.
        let cut = bytes
            .windows(4)
            .position(|four| four == b"PK\x01\x02")
            .expect("a directory");
        let (opened, salvaged) = take(ArchiveFormat::Zip, &bytes[..cut], "a.zip", &[]);
        assert_eq!(pairs(&salvaged), pairs(&taken));
        assert!(codes(&opened).contains(&DefectCode::ArchiveSalvaged));
        assert!(
            salvaged.iter().all(|one| one.codes == [DefectCode::ArchiveSalvaged]),
            "{salvaged:?}"
        );
    }
}

#[test]
fn passwords_are_tried_in_order_and_counted() {
    let text = prose(5_000);
    let old = {
        let options = plain(CompressionMethod::Deflated)
            .with_deprecated_encryption(b"geheim")
            .expect("options");
        zip_of(&[("a.txt", &text), ("b.txt", &text)], options)
    };
    let new = {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for name in ["a.txt", "b.txt"] {
            writer.start_file(name, aes("geheim")).expect("starts");
            writer.write_all(&text).expect("writes");
        }
        writer.finish().expect("finishes").into_inner()
    };
    let seven = seven_zip(&[("a.txt", &text), ("b.txt", &text)], Some("geheim"), false);
    let hidden = seven_zip(&[("a.txt", &text), ("b.txt", &text)], Some("geheim"), true);
    for (format, bytes) in [
        (ArchiveFormat::Zip, &old),
        (ArchiveFormat::Zip, &new),
        (ArchiveFormat::SevenZip, &seven),
        (ArchiveFormat::SevenZip, &hidden),
    ] {
        let (opened, taken) = take(format, bytes, "a", &["wrong", "geheim"]);
        assert_eq!(pairs(&taken), [("a.txt", text.as_slice()), ("b.txt", text.as_slice())]);
        assert_eq!(opened.password_used, Some(1), "{opened:?}");
        assert!(opened.passwords_tried >= 2, "{opened:?}");
        assert!(codes(&opened).contains(&DefectCode::ArchivePassword));
        assert_eq!(opened.searchability, None);
        assert!(!format!("{opened:?}").contains("geheim"));

        for passwords in [&[][..], &["wrong"][..]] {
            let (opened, taken) = take(format, bytes, "a", passwords);
            assert_eq!(opened.searchability, Some(Searchability::Encrypted), "{opened:?}");
            assert_eq!(opened.password_used, None);
            assert!(codes(&opened).contains(&DefectCode::ArchiveEncrypted));
            if bytes != &hidden {
                assert_eq!(pairs(&taken), [("a.txt", b"".as_slice()), ("b.txt", b"")]);
                assert!(taken.iter().all(|one| one.codes == [DefectCode::ArchiveEncrypted]));
            }
        }
    }
}

#[test]
fn names_of_old_zips_are_read_by_the_charset_that_fits() {
    let gbk = encoding_rs::GBK.encode("审计报告二零一八年.doc").0.into_owned();
    let entry = |name, flags, extra, system| RawEntry {
        name,
        flags,
        system,
        extra,
        bytes: b"x",
    };
    let check = |entries: &[RawEntry<'_>], expected: &str, odd: &[DefectCode]| {
        let (_, taken) = take(ArchiveFormat::Zip, &raw_zip(entries), "a.zip", &[]);
        assert_eq!((taken[0].path.as_str(), taken[0].codes.as_slice()), (expected, odd));
    };
    check(
        &[entry(&gbk, 0, b"", 0)],
        "审计报告二零一八年.doc",
        &[DefectCode::ArchiveName],
    );
    check(
        &[entry(b"Gr\x81n.txt", 0, b"", 0)],
        "Grün.txt",
        &[DefectCode::ArchiveName],
    );
    check(&[entry("Grün.txt".as_bytes(), 1 << 11, b"", 0)], "Grün.txt", &[]);
    check(&[entry(b"dir\\a.txt", 0, b"", 0)], "dir/a.txt", &[]);
    check(&[entry(b"dir\\a.txt", 0, b"", 3)], "dir\\a.txt", &[]);
    check(&[entry(b"../../a.txt", 0, b"", 3)], "a.txt", &[DefectCode::ArchivePath]);
    let mut unicode = b"\x75\x70\x0e\0\x01".to_vec();
    unicode.extend_from_slice(&crate::make::crc(b"Gr?n.txt").to_le_bytes());
    unicode.extend_from_slice("Grün.txt".as_bytes());
    check(&[entry(b"Gr?n.txt", 0, &unicode, 0)], "Grün.txt", &[]);
}

#[test]
fn tar_and_what_wraps_it_is_one_container() {
    let text = prose(200_000);
    let long = format!("{}/file.txt", "folder".repeat(40));
    let files: [(&str, &[u8]); 3] = [("a.txt", &text), (&long, b"long"), ("empty", b"")];
    let tar = tar_of(&files);
    let (opened, taken) = take(ArchiveFormat::Tar, &tar, "a.tar", &[]);
    assert_eq!(pairs(&taken), files.to_vec());
    assert_eq!(
        (opened.reader.as_str(), opened.defects.len()),
        ("tar/1", 0),
        "{opened:?}"
    );
    assert_eq!(taken[0].mtime_nanos, Some(1_500_000_000_000_000_000));

    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bz.write_all(&tar).expect("writes");
    let wrapped = [
        ("application/gzip", gzip(&tar, None), "gzip/1+tar/1"),
        ("application/x-bzip2", bz.finish().expect("ends"), "bzip2/1+tar/1"),
        (
            "application/zstd",
            zstd::encode_all(tar.as_slice(), 3).expect("packs"),
            "zstd/1+tar/1",
        ),
    ];
    for (media_type, bytes, reader) in wrapped {
        let (opened, taken) = take(format(media_type), &bytes, "a", &[]);
        assert_eq!(pairs(&taken), files.to_vec(), "{media_type}");
        assert_eq!(
            (opened.reader.as_str(), opened.defects.len()),
            (reader, 0),
            "{opened:?}"
        );
    }
}

#[test]
fn single_files_are_named_by_their_header_or_their_container() {
    let text = prose(200_000);
    let check = |media_type: &str, bytes: &[u8], container: &str, path: &str| {
        let (opened, taken) = take(format(media_type), bytes, container, &[]);
        assert_eq!(pairs(&taken), [(path, text.as_slice())], "{media_type}");
        assert_eq!((opened.defects.len(), taken[0].codes.len()), (0, 0), "{opened:?}");
    };
    check(
        "application/gzip",
        &gzip(&text, Some("inner.txt")),
        "outer.gz",
        "inner.txt",
    );
    check("application/gzip", &gzip(&text, None), "minutes.txt.gz", "minutes.txt");
    let halves = [gzip(&text[..70_000], None), gzip(&text[70_000..], None)].concat();
    check("application/gzip", &halves, "minutes.gz", "minutes");
    let frames = [
        zstd::encode_all(&text[..70_000], 3).expect("packs"),
        zstd::encode_all(&text[70_000..], 3).expect("packs"),
    ];
    check("application/zstd", &frames.concat(), "minutes.ZST", "minutes");
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).expect("starts");
    xz.write_all(&text).expect("writes");
    check("application/x-xz", &xz.finish().expect("ends"), "minutes.xz", "minutes");
}

#[test]
fn links_in_a_tar_are_members_without_bytes() {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name) in [(tar::EntryType::Symlink, "soft"), (tar::EntryType::Link, "hard")] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder.append_link(&mut header, name, "../target").expect("appends");
    }
    let (_, taken) = take(ArchiveFormat::Tar, &builder.into_inner().expect("ends"), "a.tar", &[]);
    assert_eq!(pairs(&taken), [("soft", b"".as_slice()), ("hard", b"")]);
    assert!(taken.iter().all(|one| one.codes == [DefectCode::ArchiveLink]));
}

#[test]
fn solid_7z_gives_what_went_in() {
    let text = prose(300_000);
    let files: [(&str, &[u8]); 3] = [("a.txt", &text), ("b/c.txt", b"c"), ("b/empty", b"")];
    let (opened, taken) = take(ArchiveFormat::SevenZip, &seven_zip(&files, None, false), "a.7z", &[]);
    assert_eq!(pairs(&taken), files.to_vec());
    assert_eq!(opened.defects, []);
}

#[test]
fn ar_has_short_gnu_and_bsd_names() {
    let mut bytes = b"!<arch>\n".to_vec();
    let mut put = |name: &str, body: &[u8]| {
        bytes.extend_from_slice(format!("{name:<16}{:<12}0     0     100644  {:<10}`\n", 1_000, body.len()).as_bytes());
        bytes.extend_from_slice(body);
        if body.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    };
    put("//", b"a-name-that-is-rather-long.txt/\n");
    put("short.txt/", b"one");
    put("/0", b"two");
    put("#1/20", b"name of twenty bytesthree");
    let (opened, taken) = take(ArchiveFormat::Ar, &bytes, "a.ar", &[]);
    let expected: [(&str, &[u8]); 3] = [
        ("short.txt", b"one"),
        ("a-name-that-is-rather-long.txt", b"two"),
        ("name of twenty bytes", b"three"),
    ];
    assert_eq!(pairs(&taken), expected);
    assert_eq!(opened.defects, []);
    assert_eq!(taken[0].mtime_nanos, Some(1_000_000_000_000));
}

/// The old ASCII form of cpio (POSIX.1-2008 pax, "cpio Interchange Format").
fn cpio(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = String::new().into_bytes();
    for (name, bytes) in files.iter().chain(&[("TRAILER!!!", b"".as_slice())]) {
        let head = format!(
            "070707{:06o}{:06o}{:06o}{:06o}{:06o}{:06o}{:06o}{:011o}{:06o}{:011o}",
            0,
            out.len() + 1,
            0o100_644,
            0,
            0,
            1,
            0,
            1_000,
            name.len() + 1,
            bytes.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.extend_from_slice(bytes);
    }
    out
}

#[test]
fn cpio_is_opened_by_bsdtar_or_says_that_it_is_not_there() {
    let text = prose(100_000);
    let files: [(&str, &[u8]); 2] = [("a/b.txt", &text), ("Grün.txt", b"two")];
    let (opened, taken) = take(format("application/x-cpio"), &cpio(&files), "a.cpio", &[]);
    let is_there = std::process::Command::new("bsdtar").arg("--version").output().is_ok();
    if is_there {
        assert_eq!(pairs(&taken), files.to_vec());
        assert_eq!(
            (opened.reader.as_str(), opened.defects.len()),
            ("bsdtar/1+tar/1", 0),
            "{opened:?}"
        );
    } else {
        assert_eq!(taken.len(), 0);
        assert_eq!(opened.searchability, Some(Searchability::FormatNotSupported));
        assert_eq!(codes(&opened), [DefectCode::ArchiveNotOpened]);
    }
}

#[test]
fn what_no_container_is_says_so() {
    for media_type in [
        "application/zip",
        "application/x-7z-compressed",
        "application/x-archive",
        "application/x-tar",
        "application/gzip",
        "application/x-bzip2",
        "application/x-xz",
        "application/x-lzma",
        "application/x-lzip",
        "application/zstd",
        "application/x-lz4",
        "application/x-compress",
        "application/vnd.rar",
    ] {
        for bytes in [&b""[..], b"plain text, and no container at all, whatever its type says"] {
            let (opened, taken) = take(format(media_type), bytes, "a", &[]);
            assert!(!opened.defects.is_empty(), "{media_type} {}", bytes.len());
            let failed = opened
                .searchability
                .is_some_and(|state| state != Searchability::Encrypted);
            assert!(failed || !taken.is_empty(), "{media_type} {opened:?}");
            assert!(taken.iter().all(|one| one.bytes.is_empty()), "{media_type}");
        }
    }
    assert_eq!(format_of("text/plain"), None);
}
