//! Whatever came before, a reader that goes on behind it gives the rest, with the same names, limits and words.

use std::io::{self, Cursor, Read};

use embley_formats::archive::{ArchiveFormat, Compression, Emptying, go_on};
use embley_formats::opened::{Member, Members, Onward, OpenLimits, Opened, Resume, Tally};
use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;
use zip::CompressionMethod;

use crate::make::{aes, gzip, plain, prose, seven_zip, tar_of, zip_of};

/// A member with what was counted until it, its content, and why that broke off.
type Came = (Member, Tally, Vec<u8>, Option<String>);

#[derive(Default)]
struct Keep {
    tally: Tally,
    came: Vec<Came>,
}

impl Members for Keep {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        let error = bytes.read_to_end(&mut content).err().map(|error| error.to_string());
        self.came.push((member, self.tally, content, error));
        Ok(())
    }

    fn tally(&mut self, tally: Tally) {
        self.tally = tally;
    }
}

struct Sample {
    what: &'static str,
    format: ArchiveFormat,
    bytes: Vec<u8>,
    limits: OpenLimits,
}

fn from(sample: &Sample, resume: Resume) -> (Opened, Vec<Came>, Vec<u64>) {
    let passwords = ["wrong".to_owned(), "open sesame".to_owned()];
    let emptying = Emptying {
        name: b"a.bin",
        passwords: &passwords,
        limits: &sample.limits,
        resume,
    };
    let mut keep = Keep::default();
    let mut places = Vec::new();
    let mut before = |place| places.push(place);
    let opened = go_on(
        sample.format,
        &mut Cursor::new(&sample.bytes),
        &emptying,
        &mut keep,
        &mut before,
    );
    (opened.expect("the taker never fails"), keep.came, places)
}

fn samples() -> Vec<Sample> {
    let text = prose(120_000);
    let files: Vec<(&str, &[u8])> = vec![
        ("first.txt", &text[..90_000]),
        ("empty", b""),
        ("same/name.txt", &text[5..70_000]),
        ("same/name.txt", &text[9..50_000]),
        ("last.bin", &[7; 100_000]),
    ];
    let tar = tar_of(&files);
    let once: Vec<(&str, &[u8])> = files
        .iter()
        .enumerate()
        .filter(|one| one.0 != 3)
        .map(|one| *one.1)
        .collect();
    let zip = zip_of(&once, plain(CompressionMethod::Deflated));
    // The third entry has a byte turned within its content.
    let mut bent = zip.clone();
    let at = bent
        .windows(13)
        .position(|name| name == b"same/name.txt")
        .expect("a local header")
        + 400;
    bent[at] ^= 0x55;
    let sample = |what, format, bytes: &[u8]| Sample {
        what,
        format,
        bytes: bytes.to_vec(),
        limits: OpenLimits::default(),
    };
    let gz = ArchiveFormat::Stream(Compression::Gzip);
    let mut all = vec![
        sample("zip", ArchiveFormat::Zip, &zip),
        sample("bent zip", ArchiveFormat::Zip, &bent),
        sample("sealed zip", ArchiveFormat::Zip, &zip_of(&once, aes("open sesame"))),
        sample("closed zip", ArchiveFormat::Zip, &zip_of(&once, aes("something else"))),
        sample("tar", ArchiveFormat::Tar, &tar),
        sample("cut tar", ArchiveFormat::Tar, &tar[..tar.len() - 60_000]),
        sample("tar.gz", gz, &gzip(&tar, None)),
        sample("gz", gz, &gzip(&text, Some("one.txt"))),
        sample("7z", ArchiveFormat::SevenZip, &seven_zip(&once, None, false)),
        sample(
            "sealed 7z",
            ArchiveFormat::SevenZip,
            &seven_zip(&once, Some("open sesame"), true),
        ),
    ];
    let limits = [
        OpenLimits {
            max_members: 3,
            ..OpenLimits::default()
        },
        OpenLimits {
            max_total_bytes: 170_000,
            ..OpenLimits::default()
        },
        OpenLimits {
            max_member_bytes: 80_000,
            ..OpenLimits::default()
        },
    ];
    for limits in limits {
        for (what, format, bytes) in [
            ("limited zip", ArchiveFormat::Zip, &zip),
            ("limited tar", ArchiveFormat::Tar, &tar),
        ] {
            all.push(Sample {
                limits: limits.clone(),
                ..sample(what, format, bytes)
            });
        }
    }
    all
}

/// What a lost reader had given when it had given so many members.
fn behind(came: &[Came], members: usize, onward: Onward) -> Resume {
    let given = &came[..members];
    Resume {
        members: members as u64,
        bytes: given.iter().map(|one| one.2.len() as u64).sum(),
        cut: given.iter().filter(|one| one.3.is_some()).count() as u64,
        tally: given.last().map_or_else(Tally::default, |one| one.1),
        onward,
    }
}

fn sorted(opened: &Opened) -> Vec<(DefectCode, String)> {
    let mut said: Vec<_> = opened
        .defects
        .iter()
        .map(|one| (one.code, one.detail.clone()))
        .collect();
    said.sort();
    said
}

#[test]
fn whatever_came_before_the_rest_comes_and_the_words_are_the_same() {
    let mut compared = 0;
    for sample in samples() {
        let (opened, all, _) = from(&sample, Resume::default());
        assert!(!all.is_empty(), "{}", sample.what);
        // A reader that is lost over nothing but words, behind the member at which a limit of all bytes fired, takes those words with it.
        let is_stopped = opened
            .defects
            .iter()
            .any(|one| one.detail.starts_with("the members have more bytes"));
        for members in 0..=all.len() - usize::from(is_stopped) {
            let (again, rest, places) = from(&sample, behind(&all, members, Onward::Everything));
            let what = format!("{} behind {members}", sample.what);
            let shown = |came: &[Came]| -> Vec<String> {
                came.iter()
                    .map(|one| format!("{:?} {} {:?}", one.0, one.2.len(), one.3))
                    .collect()
            };
            assert_eq!(shown(&rest), shown(&all[members..]), "{what}");
            assert!(
                rest.iter().zip(&all[members..]).all(|(one, other)| one.2 == other.2),
                "{what}"
            );
            let expected: Vec<u64> = (members as u64..all.len() as u64).collect();
            assert_eq!(places, expected, "{what}");
            assert_eq!(sorted(&again), sorted(&opened), "{what}");
            assert_eq!(
                (again.searchability, again.password_used),
                (opened.searchability, opened.password_used),
                "{what}"
            );
            compared += rest.len();
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn the_member_at_which_a_reader_was_lost_comes_with_its_name_only() {
    for sample in samples()
        .into_iter()
        .filter(|sample| !sample.what.starts_with("limited"))
    {
        let (_, all, _) = from(&sample, Resume::default());
        for members in 0..all.len() {
            let (_, rest, _) = from(&sample, behind(&all, members, Onward::BehindNext));
            let what = format!("{} behind {members}", sample.what);
            assert_eq!(rest.len(), all.len() - members, "{what}");
            assert_eq!((&rest[0].0.path, rest[0].2.len()), (&all[members].0.path, 0), "{what}");
            assert_eq!(rest[0].3, None, "{what}");
            for (one, other) in rest[1..].iter().zip(&all[members + 1..]) {
                assert_eq!((&one.0, &one.2, &one.3), (&other.0, &other.2, &other.3), "{what}");
            }
            let (_, named, places) = from(&sample, behind(&all, members, Onward::Names));
            let paths = |came: &[Came]| came.iter().map(|one| one.0.path.clone()).collect::<Vec<_>>();
            assert_eq!(paths(&named), paths(&all[members..]), "{what}");
            assert!(named.iter().all(|one| one.2.is_empty()) && places.is_empty(), "{what}");
        }
    }
}

#[test]
fn a_block_of_a_7z_is_gone_around_and_the_next_one_comes() {
    let text = prose(50_000);
    let one: [(&str, &[u8]); 3] = [("a", &text), ("b", &text[7..]), ("c", &text[9..])];
    // One block each.
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect("a writer");
    for block in ["x", "y"] {
        let entries = one.map(|(name, _)| sevenz_rust2::ArchiveEntry::new_file(&format!("{block}/{name}")));
        let readers = one.map(|(_, bytes)| sevenz_rust2::SourceReader::new(bytes));
        writer
            .push_archive_entries(entries.to_vec(), readers.into())
            .expect("a block");
    }
    let sample = Sample {
        what: "blocks",
        format: ArchiveFormat::SevenZip,
        bytes: writer.finish().expect("ends").into_inner(),
        limits: OpenLimits::default(),
    };
    let (_, all, _) = from(&sample, Resume::default());
    assert_eq!(all.len(), 6);
    let (opened, rest, places) = from(&sample, behind(&all, 1, Onward::AroundBlock));
    let lengths: Vec<usize> = rest.iter().map(|came| came.2.len()).collect();
    assert_eq!(lengths, [0, 0, 50_000, 49_993, 49_991]);
    assert_eq!(rest[0].0.defects, []);
    let why = "it is packed in one block with a member over which a reader was lost";
    assert_eq!(rest[1].0.defects, [Defect::new(DefectCode::ArchiveMember, why)]);
    assert_eq!(places, [2, 3, 4, 5]);
    assert_eq!(opened.searchability, None);
}

#[test]
fn nothing_but_closed_members_stays_encrypted_over_a_loss() {
    let sample = samples().into_iter().find(|sample| sample.what == "closed zip");
    let sample = sample.expect("a sample");
    let (_, all, _) = from(&sample, Resume::default());
    let (opened, _, _) = from(&sample, behind(&all, 2, Onward::BehindNext));
    assert_eq!(opened.searchability, Some(Searchability::Encrypted));
}
