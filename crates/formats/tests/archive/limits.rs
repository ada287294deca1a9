//! Every limit that fires leaves what came before, and says so.

use std::io;

use embley_formats::archive::{ArchiveFormat, format_of, open};
use embley_formats::opened::{Member, Members, OpenLimits};
use embley_model::defect::DefectCode;
use zip::CompressionMethod;

use crate::make::{gzip, plain, prose, seven_zip, tar_of, zip_of};
use crate::take::{codes, take_limited};

fn three() -> Vec<(ArchiveFormat, Vec<u8>)> {
    let text = prose(1_000);
    let files: [(&str, &[u8]); 3] = [("a", &text), ("b", &text), ("c", &text)];
    vec![
        (ArchiveFormat::Zip, zip_of(&files, plain(CompressionMethod::Deflated))),
        (ArchiveFormat::Tar, tar_of(&files)),
        (
            format_of("application/gzip").expect("known"),
            gzip(&tar_of(&files), None),
        ),
        (ArchiveFormat::SevenZip, seven_zip(&files, None, false)),
    ]
}

#[test]
fn members_beyond_the_limit_are_left_out_and_it_is_said() {
    let limits = OpenLimits {
        max_members: 2,
        ..OpenLimits::default()
    };
    for (format, bytes) in three() {
        let (opened, taken) = take_limited(format, &bytes, "x", &[], &limits);
        assert_eq!(taken.len(), 2, "{format:?}");
        assert!(
            codes(&opened).contains(&DefectCode::ArchiveLimit),
            "{format:?} {opened:?}"
        );
    }
}

#[test]
fn bytes_beyond_the_limits_are_cut_and_it_is_said() {
    let one = OpenLimits {
        max_member_bytes: 600,
        ..OpenLimits::default()
    };
    let all = OpenLimits {
        max_total_bytes: 1_500,
        ..OpenLimits::default()
    };
    for (format, bytes) in three() {
        let (opened, taken) = take_limited(format, &bytes, "x", &[], &one);
        let lengths: Vec<usize> = taken.iter().map(|one| one.bytes.len()).collect();
        assert_eq!(lengths, [600, 600, 600], "{format:?}");
        assert!(taken.iter().all(|one| one.codes == [DefectCode::ArchiveLimit]));
        assert!(!opened.defects.is_empty());
        let (opened, taken) = take_limited(format, &bytes, "x", &[], &all);
        let lengths: Vec<usize> = taken.iter().map(|one| one.bytes.len()).collect();
        assert_eq!(lengths, [1_000, 500], "{format:?}");
        assert!(codes(&opened).contains(&DefectCode::ArchiveLimit));
    }
}

#[test]
fn a_bomb_is_cut_by_its_ratio() {
    let zeros = vec![0; 80 << 20];
    let limits = OpenLimits {
        max_ratio: 10,
        ..OpenLimits::default()
    };
    let bytes = zip_of(&[("zeros", &zeros), ("more", b"x")], plain(CompressionMethod::Deflated));
    let (opened, taken) = take_limited(ArchiveFormat::Zip, &bytes, "x", &[], &limits);
    assert_eq!((taken.len(), taken[0].bytes.len()), (1, 64 << 20));
    let said: Vec<&str> = opened.defects.iter().map(|defect| defect.detail.as_str()).collect();
    assert!(
        said.iter().any(|text| text.contains("1 more members were left out")),
        "{said:?}"
    );
}

/// A taker whose disk is full.
struct Full(u32);

impl Members for Full {
    fn member(&mut self, _member: Member, _bytes: &mut dyn io::Read) -> io::Result<()> {
        self.0 += 1;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }
}

#[test]
fn the_takers_error_ends_it_and_comes_back() {
    for (format, bytes) in three() {
        let mut full = Full(0);
        let limits = OpenLimits::default();
        let outcome = open(format, &mut io::Cursor::new(bytes), b"x", &[], &limits, &mut full);
        assert_eq!(outcome.expect_err("fails").kind(), io::ErrorKind::StorageFull);
        assert_eq!(full.0, 1, "{format:?}");
    }
}
