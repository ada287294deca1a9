//! Worker processes of the real binary: what a failure costs (one job), what a worker cannot do, how fast small jobs are.

#![expect(clippy::print_stderr, reason = "figures are for whoever runs it with --nocapture")]

use std::io::{self, Read};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use embley_formats::opened::{Member, Members, OpenLimits, Opened};
use embley_formats::smime::keys::Secrets;
use embley_formats::worker::{Job, Landlock, TestJob, TouchOutcome};
use embley_ingest::workers::{Answer, JobFailure, JobInput, WorkerError, WorkerOptions, WorkerPool};
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;
use embley_tests::program::binary;
use rustix::process::{Pid, Signal, kill_process};

type Outcome = Result<Answer<Opened>, JobFailure>;

fn options() -> WorkerOptions {
    WorkerOptions {
        count: 1,
        time: Duration::from_secs(20),
        memory_bytes: 512 << 20,
        program: Some(binary().to_path_buf()),
        test_jobs: true,
        ..WorkerOptions::default()
    }
}

fn pool() -> WorkerPool {
    WorkerPool::new(options())
}

/// Takes what comes and keeps it.
#[derive(Default)]
struct Taken {
    members: Vec<(Member, Vec<u8>, Option<String>)>,
}

impl Members for Taken {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        let error = bytes.read_to_end(&mut content).err().map(|error| error.to_string());
        self.members.push((member, content, error));
        Ok(())
    }
}

fn run(pool: &WorkerPool, test: TestJob, input: &[u8]) -> (Outcome, Taken) {
    let mut taken = Taken::default();
    let mut take = |member: Member, bytes: &mut dyn Read| taken.member(member, bytes);
    let outcome = pool
        .run(Job::Test(test), &JobInput::Bytes(input), &mut take)
        .expect("workers can be started");
    (outcome, taken)
}

/// A job that gives everything back.
#[track_caller]
fn works(pool: &WorkerPool) {
    let input = b"nothing odd here".repeat(20_000);
    let (outcome, taken) = run(pool, TestJob::Echo { times: 2 }, &input);
    assert_eq!(outcome.expect("a good job").blob, input);
    assert_eq!(taken.members.len(), 2);
    for (_, content, error) in &taken.members {
        assert!(*content == input && error.is_none(), "{error:?}");
    }
}

/// The failure of a job, after which the next one works.
#[track_caller]
fn fails(pool: &WorkerPool, test: TestJob) -> (JobFailure, Taken) {
    let shown = format!("{test:?}");
    let (outcome, taken) = run(pool, test, b"input");
    works(pool);
    match outcome {
        Ok(answer) => panic!("{shown} gave {answer:?}"),
        Err(failure) => (failure, taken),
    }
}

#[test]
fn a_crash_costs_one_job_and_its_members_stay() {
    let pool = pool();
    works(&pool);
    let (failure, taken) = fails(&pool, TestJob::Segfault);
    let defect = failure.defect();
    assert_eq!(
        (defect.code, defect.detail.as_str()),
        (DefectCode::WorkerCrashed, "ended by SIGSEGV")
    );
    assert_eq!(taken.members.len(), 1);
    assert_eq!(taken.members[0].1, b"input");
    let opened = failure.opened();
    assert_eq!(opened.searchability, Some(Searchability::Failed));

    let (failure, _) = fails(&pool, TestJob::Abort);
    assert_eq!(failure.defect().detail, "ended by SIGABRT");
    let (failure, _) = fails(&pool, TestJob::Overflow);
    assert_eq!(
        failure.defect().detail,
        "ended by SIGABRT: thread 'reader' has overflowed its stack"
    );
    let (failure, _) = fails(&pool, TestJob::Panic);
    let defect = failure.defect();
    assert_eq!(defect.code, DefectCode::ParserPanic);
    assert!(
        defect.detail.starts_with("no reader foresaw this (misbehave.rs:"),
        "{}",
        defect.detail
    );
}

#[test]
fn a_job_without_end_is_stopped_busy_or_asleep() {
    let pool = WorkerPool::new(WorkerOptions {
        time: Duration::from_secs(2),
        ..options()
    });
    for test in [TestJob::Hang, TestJob::Sleep] {
        let (failure, _) = fails(&pool, test);
        let defect = failure.defect();
        assert_eq!(
            (defect.code, defect.detail.as_str()),
            (DefectCode::WorkerTimeout, "stopped after 2 s")
        );
    }
}

#[test]
fn memory_beyond_the_limit_is_named_and_memory_below_it_works() {
    let pool = pool();
    let (failure, _) = fails(&pool, TestJob::Eat { bytes: 4 << 30 });
    assert_eq!(failure, JobFailure::MemoryExceeded { limit_bytes: 512 << 20 });
    let (outcome, _) = run(&pool, TestJob::Eat { bytes: 300 << 20 }, b"");
    assert_eq!(outcome.expect("is enough").blob, b"300 MiB");
}

#[test]
fn a_worker_killed_from_outside_in_the_middle_of_a_stream_costs_that_job() {
    let pool = pool();
    works(&pool);
    let worker = pool.idle_processes();
    assert_eq!(worker.len(), 1);
    let pid = Pid::from_raw(i32::try_from(worker[0]).expect("a number")).expect("a process");
    let input = vec![b'x'; 1 << 20];
    let mut whole = 0;
    let mut broken = 0;
    let mut take = |_: Member, bytes: &mut dyn Read| {
        let mut content = Vec::new();
        match bytes.read_to_end(&mut content) {
            Ok(_) => whole += 1,
            Err(_) => broken += 1,
        }
        if whole == 3 {
            // Once more each time after, when it is gone already.
            let _ = kill_process(pid, Signal::KILL);
        }
        Ok(())
    };
    let job = Job::Test(TestJob::Echo { times: 1_000 });
    let outcome: Outcome = pool.run(job, &JobInput::Bytes(&input), &mut take).expect("runs");
    let failure = outcome.expect_err("it was killed");
    assert_eq!(failure.defect().detail, "ended by SIGKILL");
    assert!((3..1_000).contains(&whole) && broken <= 1, "{whole} and {broken}");
    works(&pool);
}

#[test]
fn a_worker_killed_while_it_waits_costs_nothing() {
    let pool = pool();
    works(&pool);
    let before = pool.idle_processes();
    let pid = Pid::from_raw(i32::try_from(before[0]).expect("a number")).expect("a process");
    kill_process(pid, Signal::KILL).expect("killed");
    works(&pool);
    assert_ne!(pool.idle_processes(), before);
}

#[test]
fn rubbish_on_standard_output_and_error_does_no_harm() {
    let pool = pool();
    let (outcome, _) = run(&pool, TestJob::Babble { bytes: 2 << 20 }, b"input");
    assert_eq!(outcome.expect("a good job").blob, b"input");
    works(&pool);
}

#[test]
fn rubbish_on_the_socket_and_too_much_of_anything_is_not_believed() {
    let pool = pool();
    for test in [TestJob::Garble, TestJob::Flood] {
        let (failure, _) = fails(&pool, test);
        assert_eq!(failure.defect().code, DefectCode::WorkerProtocol, "{failure:?}");
    }
}

#[test]
fn a_taker_that_cannot_go_on_stops_the_job_with_its_own_words() {
    let pool = pool();
    let mut take = |_: Member, _: &mut dyn Read| Err(io::Error::other("the disk is full"));
    let job = Job::Test(TestJob::Echo { times: 10 });
    let outcome = pool.run::<Member, Opened>(job, &JobInput::Bytes(b"input"), &mut take);
    match outcome {
        Err(WorkerError::Taker { source }) => assert_eq!(source.to_string(), "the disk is full"),
        other => panic!("{other:?}"),
    }
    works(&pool);
    // One that does not care for the bytes is no reason to stop.
    let mut seen = 0;
    let mut take = |_: Member, _: &mut dyn Read| {
        seen += 1;
        Ok(())
    };
    let job = Job::Test(TestJob::Echo { times: 10 });
    let outcome: Outcome = pool.run(job, &JobInput::Bytes(b"input"), &mut take).expect("runs");
    assert!(outcome.is_ok());
    assert_eq!(seen, 10);
}

#[test]
fn a_program_that_is_no_worker_stops_the_run_and_says_which() {
    let pool = WorkerPool::new(WorkerOptions {
        program: Some("/bin/false".into()),
        ..options()
    });
    let outcome = pool.open(
        "application/zip",
        b"a.zip",
        &JobInput::Bytes(b"PK"),
        &Secrets::default(),
        &OpenLimits::default(),
        &mut Taken::default(),
    );
    let error = outcome.expect_err("cannot be").to_string();
    assert!(
        error.contains("cannot start a worker process from \"/bin/false\""),
        "{error}"
    );
}

#[test]
fn test_jobs_are_refused_by_workers_for_evidence() {
    let pool = WorkerPool::new(WorkerOptions {
        test_jobs: false,
        ..options()
    });
    let (outcome, _) = run(&pool, TestJob::Abort, b"");
    let failure = outcome.expect_err("refused");
    assert_eq!(failure.defect().detail, "test jobs are switched off");
}

#[test]
fn what_is_left_in_the_folder_for_temporary_files_is_gone_before_the_next_job() {
    let temp = tempfile::tempdir().expect("a folder");
    let pool = WorkerPool::new(WorkerOptions {
        temp: Some(temp.path().to_path_buf()),
        ..options()
    });
    works(&pool);
    let before = pool.idle_processes();
    let (outcome, _) = run(&pool, TestJob::Litter, b"");
    outcome.expect("a good job");
    assert_eq!(files_below(temp.path()), 0);
    works(&pool);
    assert_ne!(pool.idle_processes(), before);
    drop(pool);
    assert_eq!(std::fs::read_dir(temp.path()).expect("a folder").count(), 0);
}

fn files_below(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            _ => 1,
        })
        .sum()
}

#[test]
fn files_network_and_programs_are_closed_to_a_worker() {
    let pool = pool();
    let hello = pool.greeting(false).expect("a worker");
    assert!(hello.weak.is_empty() || hello.landlock != Landlock::Full, "{hello:?}");
    if hello.landlock == Landlock::None {
        eprintln!("landlock is not here: what it closes cannot be tested");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let outside = tempfile::tempdir().expect("a folder");
    let outside = outside.path().join("made").display().to_string();
    let touch = TestJob::Touch {
        read: vec!["/etc/passwd".into(), "/proc/self/environ".into(), outside.clone()],
        write: vec![outside.clone()],
        connect: vec![port],
        run: vec!["/bin/true".into(), "bsdtar".into()],
    };
    let (outcome, _) = run(&pool, touch, b"");
    let outcomes: Vec<TouchOutcome> = serde_json::from_slice(&outcome.expect("an answer").blob).expect("a list");
    assert_eq!(outcomes.len(), 8);
    let no_filter = hello.weak.iter().any(|weak| weak.starts_with("seccomp"));
    for outcome in &outcomes {
        let open = no_filter
            && match outcome.what.split(' ').next() {
                Some("connect") => hello.landlock_abi < 4,
                Some("send") => true,
                _ => false,
            };
        assert!(outcome.refused.is_some() || open, "{outcomes:?}");
    }
    let refused = outcomes[0].refused.as_deref().unwrap_or_default();
    assert!(refused.contains("Permission denied"), "{refused}");
    assert!(!Path::new(&outside).exists());
}

#[test]
fn many_small_jobs_and_workers_are_replaced_after_their_number() {
    let pool = WorkerPool::new(WorkerOptions {
        jobs_per_worker: 400,
        ..options()
    });
    #[expect(clippy::disallowed_methods, reason = "the figure is printed, not asserted")]
    let start = std::time::Instant::now();
    for number in 0..1_000_u32 {
        let input = number.to_le_bytes();
        let (outcome, taken) = run(&pool, TestJob::Echo { times: 1 }, &input);
        assert_eq!(outcome.expect("a good job").blob, input);
        assert_eq!(taken.members[0].1, input);
    }
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("1000 jobs in {seconds:.2} s: {:.0} jobs/s", 1_000.0 / seconds);
    #[expect(clippy::disallowed_methods, reason = "the figure is printed, not asserted")]
    let start = std::time::Instant::now();
    let input = vec![b'x'; 16 << 20];
    let (outcome, _) = run(&pool, TestJob::Echo { times: 16 }, &input);
    outcome.expect("a good job");
    let seconds = start.elapsed().as_secs_f64();
    eprintln!(
        "272 MiB of members and text in {seconds:.2} s: {:.0} MiB/s",
        272.0 / seconds
    );
}

#[test]
fn two_threads_at_once_get_their_own_answers_while_workers_crash() {
    let pool = WorkerPool::new(WorkerOptions { count: 2, ..options() });
    std::thread::scope(|scope| {
        for thread in 0..3_u8 {
            let pool = &pool;
            scope.spawn(move || {
                for number in 0..40_u8 {
                    if number % 10 == 9 {
                        let (outcome, _) = run(pool, TestJob::Segfault, b"");
                        assert!(outcome.is_err());
                    }
                    let input = vec![thread, number];
                    let (outcome, taken) = run(pool, TestJob::Echo { times: 3 }, &input);
                    assert_eq!(outcome.expect("a good job").blob, input);
                    assert!(taken.members.len() == 3 && taken.members.iter().all(|member| member.1 == input));
                }
            });
        }
    });
    assert!(pool.idle_processes().len() <= 2);
}

#[test]
fn a_range_of_a_file_is_read_whatever_its_offset_is() {
    let pool = pool();
    let mut file = tempfile::tempfile().expect("a file");
    io::Write::write_all(&mut file, b"0123456789").expect("written");
    let fd = std::os::fd::AsFd::as_fd(&file);
    let mut take = |_: Member, _: &mut dyn Read| Ok(());
    let job = Job::Test(TestJob::Echo { times: 0 });
    let outcome: Outcome = pool
        .run(job, &JobInput::File { file: fd, range: 2..7 }, &mut take)
        .expect("runs");
    assert_eq!(outcome.expect("an answer").blob, b"23456");
}

#[test]
fn a_page_is_opened_in_a_worker_and_what_is_unknown_says_so() {
    let pool = pool();
    let open = |media_type: &str, bytes: &[u8]| {
        pool.open(
            media_type,
            b"name",
            &JobInput::Bytes(bytes),
            &Secrets::default(),
            &OpenLimits::default(),
            &mut Taken::default(),
        )
        .expect("opens")
    };
    let opened = open(
        "text/html",
        b"<html><title>Plan</title><p>the minister met the contractor</p>",
    );
    assert!(opened.text.contains("the minister met the contractor"), "{opened:?}");
    let opened = open("application/x-nobody-knows", b"??");
    assert_eq!(opened.searchability, Some(Searchability::FormatNotSupported));
    assert_eq!(opened.defects[0].code, DefectCode::TypeNotSearchable);
}

/// What a file of the corpora is opened as.
fn media_type_of(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?.trim_end_matches(".zst");
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "pst" | "ost" => "application/vnd.ms-outlook-pst",
        "msg" => "application/vnd.ms-outlook",
        "tnef" | "dat" => "application/vnd.ms-tnef",
        "pdf" => "application/pdf",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "rtf" => "application/rtf",
        "html" | "htm" => "text/html",
        "zip" | "jar" => "application/zip",
        "7z" => "application/x-7z-compressed",
        "tar" => "application/x-tar",
        "gz" | "tgz" => "application/gzip",
        "bz2" => "application/x-bzip2",
        "xz" => "application/x-xz",
        "rar" => "application/vnd.rar",
        "cab" => "application/vnd.ms-cab-compressed",
        "cpio" => "application/x-cpio",
        "lha" => "application/x-lzh",
        "iso" => "application/x-iso9660-image",
        _ => return None,
    })
}

fn files_of(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).expect("a folder").flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_of(&entry.path(), out),
            _ => out.push(entry.path()),
        }
    }
}

/// Counts what comes, and that bundles of messages can be read back.
#[derive(Default)]
struct Counted {
    members: u64,
    bundles: u64,
    broken: u64,
}

impl Members for Counted {
    fn member(&mut self, _: Member, bytes: &mut dyn Read) -> io::Result<()> {
        use embley_formats::mapi::bundle;
        let mut content = Vec::new();
        let whole = bytes.take(256 << 20).read_to_end(&mut content);
        self.members += 1;
        self.broken += u64::from(whole.is_err());
        if content.starts_with(bundle::MAGIC) {
            assert!(bundle::read(&content).is_some(), "a bundle that cannot be read back");
            self.bundles += 1;
        }
        Ok(())
    }
}

#[test]
fn real_files_of_every_kind_are_opened_and_the_pool_stands() {
    let pool = WorkerPool::new(WorkerOptions {
        time: Duration::from_secs(60),
        memory_bytes: 2 << 30,
        ..options()
    });
    let mut opened_count = 0;
    let mut helped = 0;
    for part in ["pst", "msg", "tnef", "docs", "archives"] {
        let Some(folder) = embley_tests::corpora::folder(part) else {
            return;
        };
        let mut files = Vec::new();
        files_of(&folder, &mut files);
        let mut total = Counted::default();
        for path in files {
            let Some(media_type) = media_type_of(&path) else {
                continue;
            };
            let bytes = match path.extension().is_some_and(|ending| ending == "zst") {
                true => embley_tests::corpora::unpacked(&path),
                false => std::fs::read(&path).expect("a file"),
            };
            let input = JobInput::Bytes(&bytes);
            let name = path.file_name().expect("a name").as_encoded_bytes();
            let opened = pool
                .open(
                    media_type,
                    name,
                    &input,
                    &Secrets::default(),
                    &OpenLimits::default(),
                    &mut total,
                )
                .expect("no file stops a run");
            opened_count += 1;
            let missing = opened
                .defects
                .iter()
                .any(|defect| defect.detail.contains("not installed"));
            if media_type == "application/x-cpio" && !missing {
                assert!(opened.reader.starts_with("bsdtar"), "{}: {opened:?}", path.display());
                helped += 1;
            }
            for defect in &opened.defects {
                if defect.code.text().starts_with("WORKER-") || defect.code == DefectCode::ParserPanic {
                    eprintln!("{}: {} {}", path.display(), defect.code.text(), defect.detail);
                }
            }
        }
        eprintln!(
            "{part}: {} members, {} of them messages, {} broken off",
            total.members, total.bundles, total.broken
        );
    }
    eprintln!("{opened_count} files, {helped} of them cpio through bsdtar");
    assert!(opened_count > 100, "only {opened_count} files were opened");
    works(&pool);
}
