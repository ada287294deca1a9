//! The audit log from outside: appending, checkpoints, keys, and ten thousand attacks, each named by what it was.

use std::fs;
use std::path::{Path, PathBuf};

use embley_store::audit::{
    AuditLog, AuditReport, Author, Checkpoint, Damage, Ended, Entry, Handover, Outcome, Proof, VerifyOptions, What,
    line_hash,
};
use embley_store::disk::{Disk, RealDisk};
use embley_store::merkle;
use embley_store::signing::PrivateKey;
use embley_store::{Case, InitOptions};
use serde_json::json;

/// A case with a log and keys beside it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let options = InitOptions {
            name: "Test".to_owned(),
            reference: String::new(),
            zone: String::new(),
            at_micros: 1_700_000_000_000_000,
        };
        Case::init(&bench.case(), &options).expect("a case");
        bench
    }

    pub(crate) fn case(&self) -> PathBuf {
        self.folder.path().join("case")
    }

    pub(crate) fn log(&self) -> AuditLog {
        AuditLog::at(&self.case()).expect("a log")
    }

    pub(crate) fn key(&self, name: &str) -> PrivateKey {
        let path = self.folder.path().join(name);
        PrivateKey::read_or_make(&path, &self.case()).expect("a key").0
    }

    /// So many commands, each an intent and an outcome.
    pub(crate) fn work(&self, commands: std::ops::Range<i64>) {
        let log = self.log();
        for number in commands {
            let parameters = json!({"query": format!("fraud w/{number} \"b\u{f6}se\n\"")});
            let parameters = parameters.as_object().cloned().expect("an object");
            let of = log.intent("search", parameters, author(number * 2)).expect("an intent");
            let result = json!({"hits": number, "stdout_sha256": "00"});
            let outcome = Outcome {
                of: Some(of),
                command: "search".to_owned(),
                ended: if number % 7 == 3 { Ended::Refused } else { Ended::Done },
                code: 0,
                result: result.as_object().cloned().expect("an object"),
            };
            log.outcome(outcome, author(number * 2 + 1)).expect("an outcome");
        }
    }

    pub(crate) fn verify(&self) -> AuditReport {
        self.log().verify(&VerifyOptions::default()).expect("a report")
    }
}

pub(crate) fn author(step: i64) -> Author<'static> {
    Author {
        who: if step % 3 == 0 { "ann" } else { "bob" },
        uid: 1000,
        tool: "embley test",
        at_micros: 1_700_000_000_000_000 + step * 1_000_001,
    }
}

pub(crate) fn put(path: &Path, bytes: &[u8]) {
    RealDisk.replace(path, bytes).expect("written");
}

#[test]
fn a_log_is_chained_signed_and_proved_and_survives_every_reader() {
    let bench = Bench::new();
    bench.work(0..5);
    let (one, two) = (bench.key("one.pem"), bench.key("two.pem"));
    let log = bench.log();
    let first = log.checkpoint(&one, Handover::None, author(100)).expect("a checkpoint");
    // The begin, ten entries of work, and the entry that names the key.
    assert_eq!((first.size, first.replaced.as_ref()), (12, None));
    bench.work(5..9);
    let error = log
        .checkpoint(&two, Handover::None, author(101))
        .expect_err("another key");
    assert!(error.to_string().contains("--old-key"), "{error}");
    let error = log.checkpoint(&two, Handover::Signed { old: &two, why: "x" }, author(101));
    assert!(error.is_err());
    let handover = Handover::Signed {
        old: &one,
        why: "new officer",
    };
    let second = log.checkpoint(&two, handover, author(102)).expect("a checkpoint");
    assert_eq!(second.replaced, Some(one.public().id()));
    let report = bench.verify();
    assert_eq!(report.findings, []);
    let keys: Vec<&str> = report.checkpoints.iter().map(|one| one.key_id.as_str()).collect();
    assert_eq!(keys, [one.public().id(), two.public().id()]);
    assert_eq!(report.entries, second.size + 1);
    assert_eq!(report.seen_by_catalogue, Some(report.entries));
    assert_eq!(report.unfinished, []);
    // Every entry before the last checkpoint has a proof, which holds for its line and key only.
    let public = [one.public(), two.public()];
    for index in 0..second.size {
        let (line, proof) = log.prove(index).expect("a proof");
        let proof = Proof::parse(&proof.to_text()).expect("a proof as text");
        let key = &public[usize::from(proof.checkpoint.size != first.size)];
        assert!(proof.holds(line.as_bytes(), key), "{index}");
        assert!(
            !proof.holds(format!("{line} ").as_bytes(), key) && !proof.holds(line.as_bytes(), &bench.key("x").public())
        );
    }
    assert!(log.prove(second.size).is_err());
    let path = log.prove_growth(first.size, second.size).expect("a proof");
    let root = |note: &str| Checkpoint::parse(note).expect("a checkpoint").root;
    let (before, now) = (root(&first.note), root(&second.note));
    assert!(merkle::extends(first.size, &before, second.size, &now, &path));
    // Whoever knows the keys, or kept a checkpoint, can say so.
    let outside = Checkpoint::parse(&first.note).expect("a checkpoint");
    let options = VerifyOptions {
        outside: vec![outside],
        key: Some(two.public()),
        ..VerifyOptions::default()
    };
    assert_eq!(log.verify(&options).expect("a report").findings, []);
    let options = VerifyOptions {
        key: Some(bench.key("three.pem").public()),
        ..VerifyOptions::default()
    };
    let findings = log.verify(&options).expect("a report").findings;
    assert_eq!(
        findings.iter().map(|one| one.what).collect::<Vec<_>>(),
        [Damage::Resigned]
    );
    // A key that is lost is replaced with a reason, which every verification says.
    let lost = log.checkpoint(
        &bench.key("three.pem"),
        Handover::Lost { why: "disk burnt" },
        author(103),
    );
    lost.expect("a checkpoint");
    let report = bench.verify();
    assert_eq!(report.findings, []);
    assert!(
        report.notes.iter().any(|note| note.contains("disk burnt")),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_torn_write_is_removed_and_said_and_the_tree_is_made_again() {
    let bench = Bench::new();
    bench.work(0..4);
    let log = bench.log();
    let whole = fs::read(log.log_path()).expect("a log");
    let mut torn = whole.clone();
    torn.extend_from_slice(b"{\"at\":\"2023");
    put(&log.log_path(), &torn);
    let report = bench.verify();
    assert_eq!(report.findings, []);
    assert!(
        report.notes.iter().any(|note| note.contains("torn")),
        "{:?}",
        report.notes
    );
    put(&log.dir().join("tree"), b"nothing of the kind");
    bench.work(4..5);
    let report = bench.verify();
    assert_eq!(report.findings, []);
    assert!(
        report.notes.iter().any(|note| note.contains("11 bytes were removed")),
        "{:?}",
        report.notes
    );
    let now = fs::read(log.log_path()).expect("a log");
    assert!(now.starts_with(&whole), "no whole line was touched");
    fs::read(log.dir().join("tree")).expect("a tree");
    assert_eq!(report.entries, 1 + 8 + 1 + 2);
}

#[test]
fn a_log_that_was_cut_is_not_continued() {
    let bench = Bench::new();
    bench.work(0..4);
    let log = bench.log();
    let whole = fs::read(log.log_path()).expect("a log");
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    put(&log.log_path(), &lines[..lines.len() - 2].concat());
    let error = bench
        .log()
        .intent("search", serde_json::Map::new(), author(50))
        .expect_err("refused");
    assert!(
        error.to_string().contains("the catalogue has seen 9 entries"),
        "{error}"
    );
    let mut changed = whole.clone();
    let at = whole.len() - 20;
    changed[at] ^= 1;
    put(&log.log_path(), &changed);
    assert!(
        bench
            .log()
            .intent("search", serde_json::Map::new(), author(50))
            .is_err()
    );
    // The tree still bears witness of what was there.
    let report = bench.verify();
    assert_eq!(report.findings[0].what, Damage::Edited, "{:?}", report.findings);
    put(&log.log_path(), &whole);
    bench.work(4..5);
    assert_eq!(bench.verify().findings, []);
}

#[test]
fn writers_beside_each_other_take_turns() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let bench = &bench;
            scope.spawn(move || bench.work(writer * 100..writer * 100 + 25));
        }
    });
    let report = bench.verify();
    assert_eq!(report.findings, []);
    assert_eq!((report.entries, report.unfinished.len()), (1 + 200, 0));
}

/// A sequence of numbers that depends on its seed only (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }
}

/// The files of a log as they were written.
struct Whole {
    log: Vec<u8>,
    tree: Vec<u8>,
    notes: Vec<(u64, String)>,
}

impl Whole {
    fn lines(&self) -> Vec<Vec<u8>> {
        self.log
            .split_inclusive(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }
}

/// An attack, with what must be said of it.
struct Attack {
    name: &'static str,
    log: Vec<u8>,
    tree: Option<Vec<u8>>,
    /// A copy of a checkpoint that is changed: number of entries and what stands there now.
    note: Option<(u64, Vec<u8>)>,
    /// One of these must be said of this entry.
    must: Vec<(Damage, u64)>,
    /// Nothing else may be said.
    may: Vec<Damage>,
}

/// Makes the hashes behind an entry anew, and the tree, as this program would.
fn chain_anew(lines: &mut [Vec<u8>], from: usize) {
    for at in from..lines.len() {
        let before = match at.checked_sub(1) {
            Some(before) => merkle::hex(&line_hash(lines[before].strip_suffix(b"\n").expect("a line"))),
            None => "0".repeat(64),
        };
        let mut entry = entry(&lines[at]);
        entry.prev = before;
        entry.seq = at as u64;
        lines[at] = line(&entry);
    }
}

fn entry(line: &[u8]) -> Entry {
    Entry::from_line(line.strip_suffix(b"\n").expect("a line")).expect("an entry")
}

fn line(entry: &Entry) -> Vec<u8> {
    format!("{}\n", entry.to_line().expect("a line")).into_bytes()
}

fn tree_of(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut open: Vec<(u64, merkle::Hash)> = Vec::new();
    let mut end = 0_u64;
    for line in lines {
        end += line.len() as u64;
        let leaf = line_hash(line.strip_suffix(b"\n").expect("a line"));
        bytes.extend_from_slice(&end.to_le_bytes());
        bytes.extend_from_slice(&leaf);
        let mut whole = (1, leaf);
        while open.last().is_some_and(|left| left.0 == whole.0) {
            let left = open.pop().expect("just seen");
            whole = (whole.0 * 2, merkle::node(&left.1, &whole.1));
            bytes.extend_from_slice(&whole.1);
        }
        open.push(whole);
    }
    bytes
}

/// Gives an entry another author, so that it is another one of the same length.
fn forged(of: &[u8]) -> Entry {
    let mut entry = entry(of);
    entry.who = entry
        .who
        .chars()
        .rev()
        .map(|letter| if letter == 'b' { 'c' } else { 'd' })
        .collect();
    entry
}

fn attack(whole: &Whole, kind: usize, dice: &mut Dice, stranger: &PrivateKey) -> Attack {
    let mut lines = whole.lines();
    let count = lines.len();
    let mut attack = Attack {
        name: "",
        log: Vec::new(),
        tree: Some(whole.tree.clone()),
        note: None,
        must: Vec::new(),
        may: Vec::new(),
    };
    let some = dice.below(count);
    match kind {
        0 => {
            attack.name = "flip a bit";
            let at = dice.below(whole.log.len());
            let mut log = whole.log.clone();
            log[at] ^= 1 << dice.below(8);
            let mut end = 0;
            let hit = lines.iter().position(|line| {
                end += line.len();
                at < end
            });
            attack.must = vec![(Damage::Edited, hit.expect("within the log") as u64)];
            attack.may = vec![Damage::Edited];
            attack.log = log;
            return attack;
        }
        1 => {
            attack.name = "cut the end off";
            let at = dice.below(whole.log.len());
            attack.log = whole.log[..at].to_vec();
            let left = attack.log.iter().filter(|byte| **byte == b'\n').count();
            attack.must = vec![(Damage::Truncated, left as u64)];
            attack.may = vec![Damage::Truncated];
            return attack;
        }
        2 => {
            attack.name = "remove entries";
            let most = (count - 1 - some).clamp(1, 5);
            let removed = 1 + dice.below(most);
            drop(lines.drain(some..some + removed));
            let what = if some + removed == count {
                Damage::Truncated
            } else {
                Damage::Removed
            };
            attack.must = vec![(what, some as u64)];
            attack.may = vec![what];
        }
        3 => {
            attack.name = "swap two entries";
            let other = (some + 1 + dice.below(count - 1)) % count;
            lines.swap(some, other);
            attack.must = vec![(Damage::Reordered, some as u64), (Damage::Reordered, other as u64)];
            attack.may = vec![Damage::Reordered];
        }
        4 => {
            attack.name = "insert an entry";
            let mut new = forged(&lines[some]);
            if dice.below(2) == 0 {
                // With a place of its own.
                new.seq = count as u64 + 5;
            }
            lines.insert(some, line(&new));
            attack.must = vec![(Damage::Inserted, some as u64)];
            attack.may = vec![Damage::Inserted];
        }
        5 => {
            attack.name = "replay an old entry";
            let copy = lines[some].clone();
            lines.insert(dice.below(count + 1), copy);
            attack.must = vec![(Damage::Replayed, some as u64)];
            attack.may = vec![Damage::Replayed];
        }
        6 => {
            attack.name = "write an old entry over another";
            let other = (some + 1 + dice.below(count - 1)) % count;
            lines[other] = lines[some].clone();
            attack.must = vec![(Damage::Replayed, some as u64)];
            attack.may = vec![Damage::Replayed, Damage::Removed, Damage::Truncated];
        }
        7 => {
            attack.name = "change an entry and chain everything behind it anew";
            lines[some] = line(&forged(&lines[some]));
            chain_anew(&mut lines, some + 1);
            attack.must = vec![(Damage::Edited, some as u64)];
            attack.may = vec![Damage::Edited];
        }
        8 => {
            attack.name = "change an entry, chain and tree anew";
            lines[some] = line(&forged(&lines[some]));
            chain_anew(&mut lines, some + 1);
            attack.tree = Some(tree_of(&lines));
            attack.must = vec![(Damage::Rewritten, count as u64 - 1)];
            attack.may = vec![Damage::Rewritten, Damage::Edited, Damage::Resigned];
        }
        9 => {
            attack.name = "go back to an earlier state";
            let keep = 1 + dice.below(count - 1);
            lines.truncate(keep);
            attack.tree = Some(tree_of(&lines));
            attack.must = vec![(Damage::Truncated, keep as u64)];
            attack.may = vec![Damage::Truncated];
        }
        10 => {
            attack.name = "re-sign a checkpoint's copy";
            let (size, note) = &whole.notes[dice.below(whole.notes.len())];
            let recorded = Checkpoint::parse(note).expect("a checkpoint");
            let again = Checkpoint::sign(&recorded.origin, *size, recorded.root, stranger);
            attack.note = Some((*size, again.to_note().into_bytes()));
            attack.must = vec![(Damage::Resigned, *size)];
            attack.may = vec![Damage::Resigned];
        }
        11 => {
            attack.name = "re-sign all of it";
            resign_all(&mut lines, stranger);
            attack.tree = Some(tree_of(&lines));
            let last = whole.notes.last().expect("a checkpoint").0;
            attack.must = vec![(Damage::Resigned, last)];
            attack.may = vec![Damage::Resigned, Damage::Rewritten, Damage::Edited];
        }
        12 => {
            attack.name = "change a checkpoint's copy";
            let (size, note) = &whole.notes[dice.below(whole.notes.len())];
            let mut bytes = note.clone().into_bytes();
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
            attack.note = Some((*size, bytes));
            attack.must = vec![(Damage::Edited, *size)];
            attack.may = vec![Damage::Edited];
        }
        13 => {
            attack.name = "put an older checkpoint in place of a newer one";
            let older = &whole.notes[0].1;
            let newer = whole.notes[1 + dice.below(whole.notes.len() - 1)].0;
            attack.note = Some((newer, older.clone().into_bytes()));
            attack.must = vec![(Damage::Replayed, newer)];
            attack.may = vec![Damage::Replayed];
        }
        _ => {
            attack.name = "change the tree";
            let mut tree = whole.tree.clone();
            let at = dice.below(tree.len());
            tree[at] ^= 1 << dice.below(8);
            attack.tree = Some(tree);
            attack.may = vec![Damage::Tree];
        }
    }
    attack.log = lines.concat();
    attack
}

/// The whole log made anew by somebody with a key of their own.
fn resign_all(lines: &mut [Vec<u8>], stranger: &PrivateKey) {
    let public = stranger.public();
    for at in 0..lines.len() {
        chain_anew(&mut lines[..=at], at);
        let mut made = entry(&lines[at]);
        match &mut made.event {
            What::Key {
                key_id,
                public: pem,
                replaces,
                handed_over,
                ..
            } => {
                *key_id = public.id();
                *pem = public.pem();
                *replaces = None;
                *handed_over = None;
            }
            What::Checkpoint { note, key_id, size } => {
                let leaves: Vec<merkle::Hash> = lines[..at]
                    .iter()
                    .map(|line| line_hash(line.strip_suffix(b"\n").expect("a line")))
                    .collect();
                let origin = Checkpoint::parse(note).expect("a checkpoint").origin;
                *note = Checkpoint::sign(&origin, *size, merkle::root_of_leaves(&leaves), stranger).to_note();
                *key_id = public.id();
            }
            _ => {}
        }
        lines[at] = line(&made);
    }
}

/// The number of kinds that [`attack`] knows.
const KINDS: usize = 15;
/// Kinds that leave something to see without the tree.
const WITHOUT_TREE: std::ops::Range<usize> = 0..7;

/// Mounts an attack and returns what is wrong with the answer to it.
fn attacked(bench: &Bench, whole: &Whole, attack: &Attack) -> Option<String> {
    let log = bench.log();
    put(&log.log_path(), &attack.log);
    let tree = log.dir().join("tree");
    match &attack.tree {
        Some(bytes) => put(&tree, bytes),
        None => RealDisk.remove_file(&tree).expect("removed"),
    }
    let copy = |size: u64| log.checkpoints_dir().join(format!("{size:012}.note"));
    if let Some((size, bytes)) = &attack.note {
        put(&copy(*size), bytes);
    }
    let report = log.verify(&VerifyOptions::default()).expect("a report");
    if let Some((size, _)) = &attack.note {
        let (_, note) = whole.notes.iter().find(|one| one.0 == *size).expect("a note");
        put(&copy(*size), note.as_bytes());
    }
    let said = format!("{}: {:#?}", attack.name, report.findings);
    if report.findings.is_empty() {
        return Some(format!("not detected: {said}"));
    }
    if report.findings.iter().any(|one| !attack.may.contains(&one.what)) {
        return Some(format!("named wrongly: {said}"));
    }
    let named = |what: Damage, entry: u64| {
        report.findings.iter().any(|one| {
            let first = one.entry.unwrap_or(u64::MAX);
            one.what == what && (first..=one.through.unwrap_or(first)).contains(&entry)
        })
    };
    let must = &attack.must;
    let is_said = must.is_empty() || must.iter().any(|(what, entry)| named(*what, *entry));
    (!is_said).then(|| format!("not {must:?}: {said}"))
}

/// Seeds are in the message of a failure.
#[test]
fn ten_thousand_attacks_are_detected_and_named() {
    const ATTACKS: usize = 10_000;
    const SEED: u64 = 20_261_122;
    let mut done = [0_usize; KINDS + WITHOUT_TREE.end];
    let (mut failed, mut words) = (done, String::new());
    let mut dice = Dice(SEED);
    for (size, share) in [(3, 4), (17, 2), (40, 4)] {
        let bench = Bench::new();
        let (one, two) = (bench.key("one.pem"), bench.key("two.pem"));
        let stranger = bench.key("stranger.pem");
        let log = bench.log();
        let mut notes = Vec::new();
        bench.work(0..size);
        let made = log
            .checkpoint(&one, Handover::None, author(1000))
            .expect("a checkpoint");
        notes.push((made.size, made.note));
        bench.work(size..size * 2);
        let handover = Handover::Signed { old: &one, why: "x" };
        let made = log.checkpoint(&two, handover, author(1001)).expect("a checkpoint");
        notes.push((made.size, made.note));
        bench.work(size * 2..size * 2 + 5);
        let whole = Whole {
            log: fs::read(log.log_path()).expect("a log"),
            tree: fs::read(log.dir().join("tree")).expect("a tree"),
            notes,
        };
        assert_eq!(tree_of(&whole.lines()), whole.tree);
        assert_eq!(bench.verify().findings, []);
        for number in 0..ATTACKS * share / 10 {
            let kind = number % done.len();
            let mut made = if kind < KINDS {
                attack(&whole, kind, &mut dice, &stranger)
            } else {
                let mut made = attack(&whole, kind - KINDS, &mut dice, &stranger);
                made.tree = None;
                made
            };
            if kind >= KINDS {
                made.may.push(Damage::Edited);
            }
            if let Some(wrong) = attacked(&bench, &whole, &made) {
                failed[kind] += 1;
                if failed[kind] <= 3 {
                    words.push_str(&format!(
                        "seed {SEED}, log of {size}, attack {number} of kind {kind}: {wrong}\n"
                    ));
                }
            }
            done[kind] += 1;
        }
        put(&log.log_path(), &whole.log);
        put(&log.dir().join("tree"), &whole.tree);
        assert_eq!(bench.verify().findings, []);
    }
    assert!(words.is_empty(), "by kind {failed:?}\n{words}");
    assert_eq!(done.iter().sum::<usize>(), ATTACKS);
    assert!(done.iter().all(|count| *count > 400), "{done:?}");
}
