//! Workers that die over a member of an archive: that costs the member, and everything else is as if nothing had happened.

use std::io::{self, Read};
use std::time::Duration;

use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_formats::smime::keys::Secrets;
use embley_formats::worker::FAULTS_VARIABLE;
use embley_ingest::workers::{JobInput, WorkerOptions, WorkerPool};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;
use embley_tests::program::binary;
use embley_tests::{Dice, Site, files, packed};

use crate::evidence::{check_deep, places};

const ZIP: &str = "application/zip";
const TAR: &str = "application/x-tar";
const GZIP: &str = "application/gzip";
/// Of a member that is cut so much comes out: what the fault lets through, less what a worker still held back.
const KEPT: std::ops::RangeInclusive<usize> = 1..=600 << 10;

fn pool(faults: &str) -> WorkerPool {
    WorkerPool::new(WorkerOptions {
        count: 1,
        time: Duration::from_secs(3),
        memory_bytes: 512 << 20,
        program: Some(binary().to_path_buf()),
        faults: Some(faults.to_owned()),
        ..WorkerOptions::default()
    })
}

/// Path, defects, content, and why it broke off.
type Came = (String, Vec<String>, Vec<u8>, Option<String>);

#[derive(Default)]
struct Taken(Vec<Came>);

impl Members for Taken {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        let error = bytes.read_to_end(&mut content).err().map(|error| error.to_string());
        let said = |one: &embley_model::defect::Defect| format!("{} {}", one.code.text(), one.detail);
        let path = String::from_utf8_lossy(&member.path).into_owned();
        self.0
            .push((path, member.defects.iter().map(said).collect(), content, error));
        Ok(())
    }
}

fn emptied(faults: &str, media_type: &str, bytes: &[u8], limits: &OpenLimits) -> (Opened, Vec<Came>) {
    let pool = pool(faults);
    let secrets = Secrets {
        passwords: &[],
        keys: &[],
    };
    let mut taken = Taken::default();
    let input = JobInput::Bytes(bytes);
    let opened = pool.open(media_type, b"a.bin", &input, &secrets, limits, &mut taken);
    (opened.expect("workers can be started"), taken.0)
}

/// So many members, the fourth one too long to be held back by a worker.
fn members(count: usize) -> Vec<(String, Vec<u8>)> {
    let mut dice = Dice::new(11);
    (0..count)
        .map(|number| {
            let bytes = if number == 3 { 1 << 20 } else { 2_000 + number };
            let content = (0..bytes / 8).flat_map(|_| dice.below(u64::MAX).to_le_bytes());
            (format!("folder {}/member {number}", number % 3), content.collect())
        })
        .collect()
}

fn archives(count: usize) -> [(&'static str, Vec<u8>); 3] {
    let members = members(count);
    let borrowed: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let tar = packed::tar(&borrowed);
    let gzip = packed::gzip(&tar);
    [(ZIP, packed::zip(&borrowed)), (TAR, tar), (GZIP, gzip)]
}

const CRASHED: &str = "WORKER-CRASHED ended by SIGABRT";

#[test]
fn a_worker_that_dies_costs_the_member_it_read() {
    for (media_type, bytes) in archives(9) {
        let (said, all) = emptied("", media_type, &bytes, &OpenLimits::default());
        assert_eq!(all.len(), 9, "{media_type}");
        for lost in [&[0][..], &[4], &[8], &[3], &[2, 3], &[0, 5, 8]] {
            let list: Vec<String> = lost.iter().map(ToString::to_string).collect();
            let faults = format!("a.bin:abort:{}", list.join(","));
            let (opened, came) = emptied(&faults, media_type, &bytes, &OpenLimits::default());
            let what = format!("{media_type} {faults}");
            assert_eq!(came.len(), 9, "{what}");
            for (at, (one, other)) in came.iter().zip(&all).enumerate() {
                if lost.contains(&at) {
                    assert_eq!(one.0, other.0, "{what}");
                    assert_eq!(
                        (one.1.as_slice(), one.2.len()),
                        (&[CRASHED.to_owned()][..], 0),
                        "{what}"
                    );
                } else {
                    assert!(one == other, "{what}: {at}");
                }
            }
            assert_eq!(opened.searchability, said.searchability, "{what}");
            let (before, costs) = opened.defects.split_at(said.defects.len());
            assert_eq!(before, said.defects, "{what}");
            let costs: Vec<&str> = costs.iter().map(|one| one.detail.as_str()).collect();
            let expected: Vec<String> = lost
                .iter()
                .map(|at| format!("{}: ended by SIGABRT", all[*at].0))
                .collect();
            assert_eq!(costs, expected, "{what}");
        }
    }
}

#[test]
fn a_worker_that_dies_within_a_member_leaves_what_came_of_it() {
    for (media_type, bytes) in archives(9) {
        let (_, all) = emptied("", media_type, &bytes, &OpenLimits::default());
        // The long one, and one that the worker still held back.
        let (opened, came) = emptied("a.bin:cut:3,6", media_type, &bytes, &OpenLimits::default());
        assert_eq!(came.len(), 9, "{media_type}");
        for (at, (one, other)) in came.iter().zip(&all).enumerate() {
            match at {
                3 => {
                    assert_eq!((&one.0, &one.1), (&other.0, &other.1), "{media_type}");
                    assert!(
                        KEPT.contains(&one.2.len()) && other.2.starts_with(&one.2),
                        "{media_type}"
                    );
                    assert_eq!(
                        one.3.as_deref(),
                        Some("WORKER-CRASHED: ended by SIGABRT"),
                        "{media_type}"
                    );
                }
                6 => assert_eq!(
                    (one.1.as_slice(), one.2.len()),
                    (&[CRASHED.to_owned()][..], 0),
                    "{media_type}"
                ),
                _ => assert!(one == other, "{media_type}: {at}"),
            }
        }
        let costs = opened
            .defects
            .iter()
            .filter(|one| one.code == DefectCode::WorkerCrashed);
        assert_eq!(costs.count(), 2, "{media_type}: {:?}", opened.defects);
        let cut = opened.defects.iter().find(|one| one.code == DefectCode::ArchiveMember);
        assert_eq!(
            cut.expect("one").detail,
            "1 members ended with a fault; each says which"
        );
    }
}

#[test]
fn however_a_worker_ends_it_is_said_on_the_member() {
    let [(_, zip), (_, tar), _] = archives(5);
    for (how, expected) in [
        ("kill", "WORKER-CRASHED ended by SIGKILL"),
        ("memory", "WORKER-MEMORY limit 512 MiB"),
        ("hang", "WORKER-TIMEOUT stopped after 3 s"),
    ] {
        for (media_type, bytes) in [(ZIP, &zip), (TAR, &tar)] {
            let (_, came) = emptied(&format!("a.bin:{how}:2"), media_type, bytes, &OpenLimits::default());
            let said: Vec<&[String]> = came.iter().map(|one| one.1.as_slice()).collect();
            assert_eq!(
                said,
                [&[][..], &[], &[expected.to_owned()], &[], &[]],
                "{media_type} {how}"
            );
        }
    }
}

#[test]
fn an_archive_that_breaks_every_worker_ends_with_all_names() {
    let everywhere = (0..30).map(|at: u64| at.to_string()).collect::<Vec<_>>().join(",");
    for (media_type, bytes) in archives(30) {
        let (_, all) = emptied("", media_type, &bytes, &OpenLimits::default());
        let first = emptied(
            &format!("a.bin:abort:{everywhere}"),
            media_type,
            &bytes,
            &OpenLimits::default(),
        );
        let (opened, came) = &first;
        let paths = |came: &[Came]| came.iter().map(|one| one.0.clone()).collect::<Vec<_>>();
        assert_eq!(paths(came), paths(&all), "{media_type}");
        assert!(came.iter().all(|one| one.2.is_empty()), "{media_type}");
        let (lost, named) = came.split_at(20);
        assert!(lost.iter().all(|one| one.1 == [CRASHED]), "{media_type}");
        let why = "ARC-LIMIT not read: 20 workers failed over members before it";
        assert!(named.iter().all(|one| one.1 == [why]), "{media_type}");
        assert_eq!(opened.searchability, Some(Searchability::Failed), "{media_type}");
        let counts = "20 workers failed: 0 members came whole, 20 cost a worker, 10 are named and not read";
        assert!(
            opened
                .defects
                .iter()
                .any(|one| one.code == DefectCode::ArchiveLimit && one.detail == counts),
            "{media_type}: {:?}",
            opened.defects
        );
        let again = emptied(
            &format!("a.bin:abort:{everywhere}"),
            media_type,
            &bytes,
            &OpenLimits::default(),
        );
        assert!(again == first, "{media_type}");
    }
    // Not in a row: a hundred in all.
    let every_other = (0..220)
        .step_by(2)
        .map(|at: u64| at.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let [(media_type, bytes), ..] = archives(230);
    let (opened, came) = emptied(
        &format!("a.bin:abort:{every_other}"),
        media_type,
        &bytes,
        &OpenLimits::default(),
    );
    assert_eq!(came.len(), 230);
    let counts = "100 workers failed: 99 members came whole, 100 cost a worker, 31 are named and not read";
    assert!(
        opened.defects.iter().any(|one| one.detail == counts),
        "{:?}",
        opened.defects.last()
    );
}

#[test]
fn where_no_worker_gets_on_the_rest_is_given_up_and_counted() {
    let sevenz = "application/x-7z-compressed";
    let [(_, bytes), ..] = archives(5);
    // A 7z is tried once more, around the block.
    for (media_type, workers) in [(ZIP, 2), (TAR, 2), (sevenz, 3)] {
        let (opened, came) = emptied("a.bin:begin:0", media_type, &bytes, &OpenLimits::default());
        assert!(came.is_empty(), "{media_type}");
        assert_eq!(opened.searchability, Some(Searchability::Failed), "{media_type}");
        let said: Vec<String> = opened
            .defects
            .iter()
            .map(|one| format!("{} {}", one.code.text(), one.detail))
            .collect();
        let counts = format!(
            "ARC-LIMIT {workers} workers failed: 0 members came whole, 0 cost a worker, 0 are named; the rest is given up"
        );
        assert_eq!(said, [CRASHED.to_owned(), counts], "{media_type}");
    }
}

#[test]
fn limits_go_on_counting_over_a_loss() {
    let limits = [
        OpenLimits {
            max_members: 6,
            ..OpenLimits::default()
        },
        // The long member and a little.
        OpenLimits {
            max_total_bytes: (1 << 20) + 11_000,
            ..OpenLimits::default()
        },
        OpenLimits {
            max_member_bytes: 2_003,
            ..OpenLimits::default()
        },
    ];
    for (media_type, bytes) in archives(9) {
        for limits in &limits {
            let (said, all) = emptied("", media_type, &bytes, limits);
            let (opened, came) = emptied("a.bin:abort:1", media_type, &bytes, limits);
            let what = format!("{media_type} {limits:?}");
            let limits_said = |opened: &Opened| {
                let said = opened.defects.iter().filter(|one| one.code == DefectCode::ArchiveLimit);
                said.map(|one| one.detail.clone()).collect::<Vec<_>>()
            };
            assert_eq!(limits_said(&opened).first(), limits_said(&said).first(), "{what}");
            let bytes = |came: &[Came]| came.iter().map(|one| one.2.len() as u64).sum::<u64>();
            if limits.max_total_bytes < 2 << 20 {
                // The bytes of the lost member are room for one more.
                assert_eq!(bytes(&came), limits.max_total_bytes, "{what}");
                assert_eq!(bytes(&all), limits.max_total_bytes, "{what}");
                assert_eq!(came.len(), all.len() + 1, "{what}");
            } else {
                assert_eq!(limits_said(&opened), limits_said(&said), "{what}");
                assert_eq!(came.len(), all.len(), "{what}");
                assert_eq!(bytes(&came) + all[1].2.len() as u64, bytes(&all), "{what}");
            }
        }
    }
}

/// A zip with two custodians and a tar with one of them.
fn made() -> Site {
    let source = Site::bare();
    let mail = source.path("mail");
    let inner = packed::zip(&[("deep.txt", b"the words xqdeep")]);
    let members: Vec<(String, Vec<u8>)> = (0..8)
        .map(|number| {
            (
                format!("notes/{number}.txt"),
                format!("the words xqnote{number}").into_bytes(),
            )
        })
        .chain([("inner.zip".to_owned(), inner)])
        .collect();
    let borrowed: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    for who in ["ann", "ben"] {
        files::write(&mail.join(who).join("files.zip"), packed::zip(&borrowed));
    }
    let renamed: Vec<(String, Vec<u8>)> = (0..8)
        .map(|number| {
            (
                format!("tar/{number}.txt"),
                format!("the words xqtar{number}").into_bytes(),
            )
        })
        .collect();
    let borrowed: Vec<(&str, &[u8])> = renamed
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    files::write(&mail.join("ann").join("files.tar"), packed::tar(&borrowed));
    files::write(&mail.join("ben").join("plain.txt"), "the words xqplain");
    source
}

/// A case of it, with workers that die at some members.
fn taken_in(source: &Site, faults: &str, threads: &str) -> Site {
    let mail = source.path("mail");
    let site = Site::new();
    let ran = site
        .ingest_program(&[
            mail.as_os_str(),
            "--custodian-from-path".as_ref(),
            "1".as_ref(),
            "--threads".as_ref(),
            threads.as_ref(),
        ])
        .env(FAULTS_VARIABLE, faults)
        .run();
    ran.expect(if faults.is_empty() { 0 } else { 3 })
        .says(&["all sums close"]);
    assert_eq!(site.last_run()["balanced"], true);
    check_deep(&site);
    site
}

#[test]
fn the_register_names_the_member_and_all_the_others_are_found() {
    let faults = "files.zip:abort:2,8;files.tar:kill:7";
    let source = made();
    let undisturbed = taken_in(&source, "", "1");
    let site = taken_in(&source, faults, "1");
    let listed = site
        .ok(&["exceptions", "--class", "excepted", "--format", "json"])
        .json();
    let lines = listed["exceptions"].as_array().expect("a list");
    let mut named: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("path"), text("code"), text("detail"))
        })
        .collect();
    named.sort();
    let expected = [
        "mail/ann/files.tar/tar/7.txt WORKER-CRASHED ended by SIGKILL",
        "mail/ann/files.zip/inner.zip WORKER-CRASHED ended by SIGABRT",
        "mail/ann/files.zip/notes/2.txt WORKER-CRASHED ended by SIGABRT",
        "mail/ben/files.zip/inner.zip WORKER-CRASHED ended by SIGABRT",
        "mail/ben/files.zip/notes/2.txt WORKER-CRASHED ended by SIGABRT",
    ];
    assert_eq!(named, expected, "{listed:#}");
    // The archive lists what it lost, and stays what it was otherwise.
    assert_eq!(site.count("defect:WORKER-CRASHED"), 2);
    for number in 0..8 {
        assert_eq!(
            site.count(&format!("xqnote{number}")),
            u64::from(number != 2),
            "{number}"
        );
        assert_eq!(
            site.count(&format!("xqtar{number}")),
            u64::from(number != 7),
            "{number}"
        );
    }
    assert_eq!((site.count("xqdeep"), undisturbed.count("xqdeep")), (0, 1));
    let found = |site: &Site, word: &str| {
        let item = site.hits(word)[0]["item_no"].as_u64().expect("a number");
        places(site, item)
    };
    for word in ["xqnote7", "xqnote0", "xqtar6", "xqplain"] {
        assert_eq!(found(&site, word), found(&undisturbed, word), "{word}");
    }
    // Sums: what was lost moved from items to exceptions, at both custodians, and nothing else changed.
    let (run, whole) = (site.last_run(), undisturbed.last_run());
    let sum = |run: &serde_json::Value, key: &str| run[key].as_u64().unwrap_or_default();
    assert_eq!(sum(&run, "excepted"), sum(&whole, "excepted") + 5, "{run} {whole}");
    // Two of the inner archive's member are gone with it.
    assert_eq!(sum(&run, "discovered"), sum(&whole, "discovered") - 2, "{run} {whole}");
}

#[test]
fn any_number_of_threads_and_a_second_run_say_the_same() {
    let faults = "files.zip:cut:0,5;files.tar:abort:0,1";
    let source = made();
    let one = taken_in(&source, faults, "1");
    let three = taken_in(&source, faults, "3");
    assert!(one.dump() == three.dump(), "the cases differ");
    // Nothing is opened again.
    let before = one.dump_of_evidence();
    one.ingest(&[
        source.path("mail").as_os_str(),
        "--custodian-from-path".as_ref(),
        "1".as_ref(),
    ]);
    assert_eq!(one.last_run()["new"], 0);
    assert_eq!(
        before.matches("xqdeep").count(),
        one.dump_of_evidence().matches("xqdeep").count()
    );
    check_deep(&one);
}
