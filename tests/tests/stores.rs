//! Mail stores in shares: however many workers read one, and whatever becomes of a worker, members and words are the same.

#![expect(clippy::print_stderr, reason = "figures are for whoever runs it with --nocapture")]

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use embley_formats::mapi::bundle;
use embley_formats::opened::{Member, Members, OpenLimits, Opened, Resume};
use embley_formats::worker::{Job, Share, TestJob};
use embley_ingest::workers::{JobInput, WorkerOptions, WorkerPool};
use embley_model::clock::{Clock, SystemClock};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;
use embley_tests::files;
use embley_tests::program::binary;
use embley_tests::site::Site;
use sha2::{Digest, Sha256};

#[path = "../../crates/pst/examples/make_pst/maker.rs"]
mod maker;

use maker::{Plan, make};

const STORE: &str = "application/vnd.ms-outlook-pst";
const SMALL: Plan = Plan {
    folders: 3,
    messages: 40,
    attachment: 3_000,
    first_attachment: 400_000,
    orphans: 5,
    overstated: 2,
    searches: 2,
};

fn pool(count: usize) -> WorkerPool {
    WorkerPool::new(WorkerOptions {
        count,
        time: Duration::from_secs(20),
        memory_bytes: 512 << 20,
        program: Some(binary().to_path_buf()),
        test_jobs: true,
        share_bytes: 0,
        ..WorkerOptions::default()
    })
}

fn made(plan: &Plan) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    make(plan, &mut out).expect("memory");
    out.into_inner()
}

/// Path, defects, hash of the content, and why it broke off.
type Came = (String, Vec<String>, Vec<u8>, Option<String>);

#[derive(Default)]
struct Taken(Vec<Came>);

impl Members for Taken {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        let error = bytes.read_to_end(&mut content).err().map(|error| error.to_string());
        let path = String::from_utf8_lossy(&member.path).into_owned();
        let defects = member
            .defects
            .iter()
            .map(|one| format!("{} {}", one.code.text(), one.detail));
        let hash = if content.is_empty() {
            Vec::new()
        } else {
            Sha256::digest(&content).to_vec()
        };
        if error.is_none() && !content.is_empty() {
            assert!(bundle::read(&content).is_some(), "{path} is no bundle");
        }
        self.0.push((path, defects.collect(), hash, error));
        Ok(())
    }
}

/// What one job for all of it gives.
fn whole(pool: &WorkerPool, bytes: &[u8]) -> (Opened, Vec<Came>) {
    let mut taken = Taken::default();
    let mut take = |member: Member, bytes: &mut dyn Read| taken.member(member, bytes);
    let job = Job::Open {
        media_type: STORE.to_owned(),
        name: Vec::new(),
        passwords: Vec::new(),
        keys: Vec::new(),
        limits: OpenLimits::default(),
        resume: Resume::default(),
    };
    let answer = pool.run::<Member, Opened>(job, &JobInput::Bytes(bytes), &mut take);
    let answer = answer.expect("workers can be started").expect("a good job");
    (answer.answer, taken.0)
}

/// What shares give, of a worker that fails at some members.
fn failing(pool: &WorkerPool, bytes: &[u8], shares: usize, abort: &[u64], cut: &[u64]) -> (Opened, Vec<Came>) {
    let job = |share: Share| {
        Job::Test(TestJob::Store {
            share,
            abort: abort.to_vec(),
            cut: cut.to_vec(),
        })
    };
    let mut taken = Taken::default();
    let opened = pool.in_shares(&job, &JobInput::Bytes(bytes), shares, &mut taken);
    (opened.expect("workers can be started"), taken.0)
}

fn in_shares(pool: &WorkerPool, bytes: &[u8], shares: usize) -> (Opened, Vec<Came>) {
    let job = |share| Job::Store {
        share,
        limits: OpenLimits::default(),
    };
    let mut taken = Taken::default();
    let opened = pool.in_shares(&job, &JobInput::Bytes(bytes), shares, &mut taken);
    (opened.expect("workers can be started"), taken.0)
}

fn stores(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).expect("a folder").flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for path in entries.iter().map(std::fs::DirEntry::path) {
        let name = path.to_string_lossy().trim_end_matches(".zst").to_lowercase();
        if path.is_dir() {
            stores(&path, found);
        } else if name.ends_with(".pst") || name.ends_with(".ost") {
            found.push(path);
        }
    }
}

#[test]
fn any_number_of_shares_gives_what_one_worker_gives() {
    let pool = pool(6);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pst/tests/samples");
    let mut paths = Vec::new();
    stores(&samples, &mut paths);
    if let Some(folder) = embley_tests::corpora::folder("pst") {
        stores(&folder, &mut paths);
    }
    let mut all: Vec<(String, Vec<u8>)> = paths
        .iter()
        .map(|path| {
            let bytes = match path.extension().is_some_and(|ending| ending == "zst") {
                true => embley_tests::corpora::unpacked(path),
                false => std::fs::read(path).expect("a file"),
            };
            (path.display().to_string(), bytes)
        })
        .collect();
    all.push(("made".to_owned(), made(&SMALL)));
    // Cut and bent: what is damaged is said once, and the same.
    let mut bent = made(&SMALL);
    bent.truncate(bent.len() * 2 / 3);
    all.push(("cut".to_owned(), bent));
    for step in [4_099, 7_919, 20_011] {
        let mut bent = made(&SMALL);
        bent.iter_mut().skip(600).step_by(step).for_each(|byte| *byte ^= 0x40);
        all.push((format!("bent every {step}"), bent));
    }
    let (mut members, mut defects) = (0, 0);
    for (name, bytes) in &all {
        let expected = whole(&pool, bytes);
        members += expected.1.len();
        defects += expected.0.defects.len();
        for shares in [1, 2, 3, 5] {
            let given = in_shares(&pool, bytes, shares);
            assert!(given == expected, "{name} in {shares} shares");
        }
    }
    eprintln!("{} stores, {members} members, {defects} defects of stores", all.len());
    assert!(members > 300 && defects > 10, "{members} {defects}");
}

#[test]
fn what_is_said_of_a_store_is_said_once() {
    let pool = pool(4);
    for shares in [1, 3] {
        let (opened, members) = in_shares(&pool, &made(&SMALL), shares);
        assert_eq!(members.len(), SMALL.total() as usize);
        let said = |code| opened.defects.iter().filter(|defect| defect.code == code).count();
        assert_eq!(said(DefectCode::PstSearchFolder), 2, "{:?}", opened.defects);
        assert_eq!(said(DefectCode::PstCount), 3, "{:?}", opened.defects);
        let count = opened.defects.iter().find(|defect| defect.code == DefectCode::PstCount);
        assert_eq!(count.expect("one").detail, "40 messages are listed, 42 are stated");
        assert_eq!(opened.defects.len(), 6, "{:?}", opened.defects);
    }
}

#[test]
fn a_crash_costs_one_message_and_the_rest_of_the_store_comes() {
    let pool = pool(6);
    let bytes = made(&SMALL);
    let (said, all) = whole(&pool, &bytes);
    // The first of all, the last before a turn ends, two beside one another, one that no folder lists, the last of all.
    let abort = [0, 15, 70, 71, 121, 124];
    let cut = [33, 34];
    for shares in [1, 2, 3, 5] {
        let (opened, members) = failing(&pool, &bytes, shares, &abort, &cut);
        assert_eq!(members.len(), all.len(), "{shares} shares");
        for (at, (given, expected)) in (0u64..).zip(members.iter().zip(&all)) {
            assert_eq!(given.0, expected.0, "{shares} shares, member {at}");
            if abort.contains(&at) {
                let last = given.1.last().expect("a defect");
                assert_eq!(last, "WORKER-CRASHED ended by SIGABRT", "{shares} shares, member {at}");
                assert!(given.2.is_empty() && given.3.is_none());
            } else if cut.contains(&at) {
                let why = Some("WORKER-CRASHED: ended by SIGABRT".to_owned());
                assert_eq!(given.3, why, "{shares} shares, member {at}");
            } else {
                assert_eq!(given, expected, "{shares} shares, member {at}");
            }
        }
        assert_eq!(opened.searchability, said.searchability);
        let (store, costs) = opened.defects.split_at(said.defects.len());
        assert_eq!(store, said.defects);
        let costs: Vec<String> = costs.iter().map(|defect| defect.detail.clone()).collect();
        let mut expected: Vec<u64> = abort.iter().chain(&cut).copied().collect();
        expected.sort_unstable();
        let expected: Vec<String> = expected
            .into_iter()
            .map(|at| format!("{}: ended by SIGABRT", all[usize::try_from(at).expect("small")].0))
            .collect();
        assert_eq!(costs, expected, "{shares} shares");
    }
}

#[test]
fn a_store_that_breaks_every_worker_ends_at_the_same_member() {
    let pool = pool(4);
    let bytes = made(&SMALL);
    let abort: Vec<u64> = (5..125).collect();
    let first = failing(&pool, &bytes, 1, &abort, &[]);
    assert_eq!(first.1.len(), 105, "five that work and a hundred that do not");
    assert_eq!(first.0.searchability, Some(Searchability::Failed));
    assert_eq!(first.0.defects[0].code, DefectCode::WorkerCrashed);
    assert_eq!(first.0.defects.len(), 101);
    for shares in [2, 3] {
        assert!(failing(&pool, &bytes, shares, &abort, &[]) == first, "{shares} shares");
    }
}

#[test]
fn a_taker_that_cannot_go_on_stops_all_shares() {
    struct Full(u64);
    impl Members for Full {
        fn member(&mut self, _: Member, _: &mut dyn Read) -> io::Result<()> {
            self.0 += 1;
            if self.0 > 20 {
                return Err(io::Error::other("the disk is full"));
            }
            Ok(())
        }
    }
    let pool = pool(4);
    let bytes = made(&SMALL);
    let job = |share| Job::Store {
        share,
        limits: OpenLimits::default(),
    };
    let error = pool
        .in_shares(&job, &JobInput::Bytes(&bytes), 3, &mut Full(0))
        .expect_err("it is full");
    assert_eq!(
        std::error::Error::source(&error).expect("why").to_string(),
        "the disk is full"
    );
    // All places are back.
    assert_eq!(in_shares(&pool, &bytes, 4).1.len(), 125);
}

/// Large enough to be read in shares.
#[test]
fn one_thread_and_three_make_the_same_case_of_a_large_store() {
    let source = Site::bare();
    let path = source.path("evidence");
    std::fs::create_dir(&path).expect("a folder");
    let plan = Plan {
        folders: 4,
        messages: 150,
        attachment: 60_000,
        ..SMALL
    };
    let bytes = made(&plan);
    assert!(
        bytes.len() > 33 << 20,
        "{} bytes are below the limit of shares",
        bytes.len()
    );
    files::write(&path.join("made.pst"), bytes);
    let dumps = ["1", "3"].map(|threads| {
        let site = Site::new();
        site.ingest(&[path.to_str().expect("UTF-8"), "--threads", threads])
            .expect(0)
            .says(&["all sums close"]);
        (site.dump(), site.count("type:email"))
    });
    assert_eq!((dumps[0].1, dumps[1].1), (605, 605));
    assert!(dumps[0] == dumps[1], "the cases differ");
}

/// Too long to be held by anybody on the way.
#[test]
fn a_long_attachment_is_kept_whole_and_found_again() {
    let source = Site::bare();
    let path = source.path("evidence");
    std::fs::create_dir(&path).expect("a folder");
    let plan = Plan {
        folders: 1,
        messages: 3,
        first_attachment: 80 << 20,
        orphans: 0,
        overstated: 0,
        ..SMALL
    };
    let bytes = made(&plan);
    let length = bytes.len();
    files::write(&path.join("made.pst"), bytes);
    let site = Site::new();
    site.ingest(&[path.to_str().expect("UTF-8")])
        .expect(0)
        .says(&["all sums close"]);
    assert_eq!((site.count("type:email"), site.count("defect:PST-LIMIT")), (3, 0));
    let hits = site.hits("filename:\"file 0.bin\"");
    assert_eq!(hits.len(), 1, "{hits:?}");
    let item = hits[0]["item_no"].as_u64().expect("a number").to_string();
    let raw = site.ok(&["show", &item, "--raw"]).stdout;
    assert_eq!(raw.len(), 80 << 20, "of a store of {length} bytes");
    let shown = site.ok(&["show", &item, "--format", "json"]).json();
    let hash: String = Sha256::digest(&raw).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(shown.to_string().contains(&hash), "{shown}");
    let report = site.ok(&["verify", "--deep", "--format", "json"]).json();
    assert_eq!(report["count"], 0, "{report}");
    // What is made again from the case says the same.
    let before = site.dump_of_evidence();
    site.ok(&["reindex"]);
    assert!(before == site.dump_of_evidence(), "made again, the case differs");
}

/// Counts bytes.
#[derive(Default)]
struct Weighed(u64, u64);

impl Members for Weighed {
    fn member(&mut self, _: Member, bytes: &mut dyn Read) -> io::Result<()> {
        self.0 += 1;
        self.1 += io::copy(bytes, &mut io::sink())?;
        Ok(())
    }
}

/// Figures: `EMBLEY_STORE=FILE EMBLEY_SHARES=1,2 cargo test -p embley-tests --test stores -- --ignored --nocapture`.
#[test]
#[ignore = "reads the store that EMBLEY_STORE names"]
fn time_of_reading_a_store() {
    let path = std::env::var_os("EMBLEY_STORE").expect("EMBLEY_STORE names a file");
    let file = std::fs::File::open(&path).expect("a file");
    let input = JobInput::of_file(&file).expect("a length");
    let shares = std::env::var("EMBLEY_SHARES").unwrap_or_else(|_| "1,2".to_owned());
    for shares in shares.split(',').map(|number| number.parse().expect("a number")) {
        let pool = pool(shares + 1);
        let job = |share| Job::Store {
            share,
            limits: OpenLimits::default(),
        };
        let mut weighed = Weighed::default();
        let clock = SystemClock::new();
        let started = clock.monotonic_nanos();
        let opened = pool.in_shares(&job, &input, shares, &mut weighed).expect("workers");
        eprintln!(
            "{shares} shares: {:.1} s, {} members of {} bytes, {} defects",
            (clock.monotonic_nanos() - started) as f64 / 1e9,
            weighed.0,
            weighed.1,
            opened.defects.len()
        );
    }
}
