//! Verifying a log, offline: the lines by themselves, against each other, against the tree, the catalogue, the signed checkpoints, and
//! against what whoever asks brings from outside.
//!
//! Main function: [`AuditLog::verify`]. Writes nothing. Invariant: without findings, the entries are those that were written, in their
//! order and complete, as far as a witness reaches; how far that is, the notes say.

use super::anchor::{self, Anchor};
use super::classify::classify;
use super::entry::{What, time};
use super::expected::{Expected, TreeSays, expected};
use super::log::AuditLog;
use super::note::{Checkpoint, origin_of};
use super::report::{AuditFinding, AuditReport, Damage, SegmentState, Unfinished};
use super::scan::{Kept, Scan};
use super::segment::{self, Before};
use super::signed::{Claims, Witnesses, check_named_key, check_signed};
use super::tree::TreeFile;
use crate::error::{Result, StoreError};
use crate::merkle::{self, Hash, Tree};
use crate::signing::PublicKey;

/// What whoever asks knows from outside.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Copies of checkpoints that were kept elsewhere.
    pub outside: Vec<Checkpoint>,
    /// The key that must have signed.
    pub key: Option<PublicKey>,
    /// The same by its id.
    pub key_id: Option<String>,
    /// The entry of the command that asks, which has no outcome yet.
    pub own: Option<u64>,
}

impl AuditLog {
    /// Verifies the log: the newest segment, and all that were cut before it.
    ///
    /// # Errors
    /// When it cannot be read at all. What can be read and is wrong is a finding.
    pub fn verify(&self, options: &VerifyOptions) -> Result<AuditReport> {
        let newest = segment::newest(&self.root).max(self.segment);
        let last = newest.max(anchor::read_only(&self.catalogue_path(), self.case, newest).map_or(1, |seen| seen.1));
        let mut earlier: Vec<(Self, AuditReport)> = Vec::new();
        let (mut key, mut has_checkpoint) = (None, false);
        for number in 1..=last {
            let log = self.of_segment(number);
            let origin = origin_of(self.case, number);
            let is_mine =
                |one: &&Checkpoint| one.origin == origin || (number == last && !self.is_origin(&one.origin, last));
            let asked = VerifyOptions {
                outside: options.outside.iter().filter(is_mine).cloned().collect(),
                key: options.key.clone(),
                key_id: options.key_id.clone(),
                own: options.own.filter(|_| number == newest),
            };
            let (mut report, witnesses, restarts) = log.verify_segment(&asked, key.as_ref())?;
            key = witnesses.key.or(key);
            has_checkpoint |= witnesses.has_checkpoint;
            for one in &mut report.findings {
                one.place = one.place.replace(&segment::folder_of(1), &segment::folder_of(number));
            }
            if number > 1 {
                log.check_restart(&restarts, &mut earlier, &mut report)?;
            }
            earlier.push((log, report));
        }
        let mut report = earlier.pop().map(|last| last.1).unwrap_or_default();
        for (log, one) in earlier {
            report.take_in(&log.file(), one);
        }
        check_named_key(options, has_checkpoint, &mut report);
        Ok(report)
    }

    /// True for the origin of a segment of this log.
    fn is_origin(&self, origin: &str, last: u32) -> bool {
        (1..=last).any(|number| origin_of(self.case, number) == *origin)
    }

    /// What the first entry says of the segment before, against what is there.
    fn check_restart(
        &self,
        restarts: &[Kept],
        earlier: &mut [(Self, AuditReport)],
        report: &mut AuditReport,
    ) -> Result<()> {
        let place = format!("entry 0 of {}", self.file());
        let (file, missing) = (self.file(), !self.log_path().is_file());
        let mut add = |what, detail: String| {
            report
                .findings
                .push(AuditFinding::of_file(what, Some(0), &place, detail))
        };
        let first = restarts.first().filter(|kept| kept.line == 0).map(|kept| &kept.entry);
        let (Some(entry), Some((before, of_before))) = (first, earlier.last_mut()) else {
            if missing {
                add(
                    Damage::Removed,
                    format!("{file} is missing, and a later log or the catalogue names it"),
                );
            } else {
                add(
                    Damage::Rewritten,
                    format!("{file} does not begin with an entry that names the log before it"),
                );
            }
            return Ok(());
        };
        let What::Restart {
            segment,
            reason,
            before: kept,
        } = &entry.event
        else {
            return Err(StoreError::internal("what is kept as a restart is one"));
        };
        if *segment != self.segment {
            add(Damage::Reordered, format!("it is the first entry of segment {segment}"));
        }
        if !before.is_as_kept(kept)? {
            add(
                Damage::Edited,
                format!(
                    "{} is not the file that was found then: it had {} bytes, SHA-256 {}",
                    kept.file, kept.bytes, kept.sha256
                ),
            );
        }
        of_before.segments.push(SegmentState {
            segment: before.segment,
            file: before.file(),
            entries: of_before.entries,
            bytes: of_before.bytes,
            seen_by_catalogue: of_before.seen_by_catalogue,
            checkpoints: of_before.checkpoints.clone(),
            findings_count: of_before.findings.len() as u64,
            ended_at: entry.at.clone(),
            ended_by: entry.who.clone(),
            reason: reason.clone(),
        });
        // A segment that is gone took with it what it had on record of those before it.
        for (_, one) in earlier {
            one.say_on_record(kept);
        }
        Ok(())
    }

    /// Verifies one segment by itself. Restarts that stand in it come beside.
    fn verify_segment(
        &self,
        options: &VerifyOptions,
        earlier_key: Option<&PublicKey>,
    ) -> Result<(AuditReport, Witnesses, Vec<Kept>)> {
        let state = self.snapshot()?;
        let mut report = AuditReport::default();
        let scan = Scan::read(&self.log_path(), state.log_bytes, &self.case.to_hex())?;
        report.entries = scan.heads.len() as u64;
        report.bytes = scan.bytes;
        report.seen_by_catalogue = state.anchor.as_ref().map(|anchor| anchor.entries);
        if let Some(why) = &state.no_anchor {
            let note = format!("what the catalogue remembers of the log cannot be read: {why}");
            report.notes.push(note);
        }
        if scan.heads.is_empty() && state.anchor.is_none() && state.records.is_empty() && options.outside.is_empty() {
            report
                .notes
                .push("this case has no audit log yet: it was made, and only used, by versions without one".to_owned());
            let nothing = Witnesses {
                has_checkpoint: false,
                key: None,
            };
            return Ok((report, nothing, Vec::new()));
        }
        let says = (!state.records.is_empty()).then_some(TreeSays {
            records: &state.records,
            whole: state.whole,
        });
        let expected = expected(&scan, says, state.anchor.as_ref());
        let unbroken = scan.is_unbroken();
        let mut lines = Vec::new();
        if !expected.by_tree && unbroken && !matches_anchor(&scan, state.anchor.as_ref()) {
            lines.push(rewritten(&scan, state.anchor.as_ref()));
        } else {
            lines = classify(&scan.heads, &expected);
        }
        let torn = scan.heads.last().filter(|head| !head.ended).map(|head| head.length);
        if let Some(bytes) = torn
            && is_only_torn(&lines, &scan)
        {
            // Beyond every witness: no entry is missing.
            lines.clear();
            report.notes.push(format!(
                "{bytes} bytes behind the last entry are a write that a stop has torn; nothing was reported of it, and the next \
                 command removes it and says so"
            ));
        }
        let cut = cut_before(&scan, &expected, &lines, state.anchor.as_ref());
        report.findings.extend(lines);
        report.findings.extend(cut);
        if report.findings.is_empty() {
            check_tree(&scan, &state, &mut report);
        }
        let leaves = truth(&scan, &expected, report.findings.is_empty());
        if report.findings.is_empty() {
            report.root = merkle::hex(&merkle::root_of_leaves(&leaves));
        }
        let claims = Claims {
            log: self,
            scan: &scan,
            leaves: &leaves,
            anchor: state.anchor.as_ref(),
            options,
            earlier_key,
            damaged: report
                .findings
                .iter()
                .any(|one| !matches!(one.what, Damage::Rewritten | Damage::Tree)),
        };
        let witnesses = check_signed(&claims, &mut report)?;
        say_the_rest(&scan, &expected, &state.anchor, options, &mut report);
        let is_restart = |kept: &Kept| matches!(kept.entry.event, What::Restart { .. });
        let restarts: Vec<Kept> = scan.kept.into_iter().filter(is_restart).collect();
        for kept in restarts.iter().filter(|kept| self.segment == 1 || kept.line > 0) {
            let detail = "a log begins anew within a log".to_owned();
            let offset = scan.heads[kept.line].offset;
            let seq = kept.entry.seq;
            report
                .findings
                .push(AuditFinding::of_line(Damage::Inserted, seq, kept.line, offset, detail));
        }
        Ok((report, witnesses, restarts))
    }

    /// How much there is, at one moment: nobody appends meanwhile, where the lock can be had.
    fn snapshot(&self) -> Result<State> {
        // A case that cannot be written cannot be locked, and nobody appends to it.
        let _lock = match self.lock() {
            Ok(lock) => Some(lock),
            Err(StoreError::Io { .. }) => None,
            Err(other) => return Err(other),
        };
        let path = self.log_path();
        let log_bytes = match std::fs::metadata(&path) {
            Ok(facts) => facts.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(StoreError::io("read", &path, error)),
        };
        let (records, whole) = match TreeFile::open(&self.tree_path())? {
            Some(tree) => tree.read_all(tree.count())?,
            None => (Vec::new(), true),
        };
        let (anchor, no_anchor) = match anchor::read_only(&self.catalogue_path(), self.case, self.segment) {
            Ok((anchor, _)) => (anchor, None),
            Err(error) => (None, Some(error.to_string())),
        };
        Ok(State {
            log_bytes,
            records,
            whole,
            anchor,
            no_anchor,
        })
    }
}

impl AuditReport {
    /// Marks what a later segment has on record.
    fn say_on_record(&mut self, kept: &Before) {
        for one in &mut self.findings {
            one.known |= kept.findings.contains(&one.in_words());
        }
    }

    /// Joins an earlier segment.
    fn take_in(&mut self, file: &str, one: Self) {
        for state in one.segments {
            self.notes.push(format!(
                "{} was cut or changed, {} of its entries are there, and a new log was begun behind it by {} at {}: {}; what is wrong \
                 with it stays so, {} findings",
                state.file, state.entries, state.ended_by, state.ended_at, state.reason, state.findings_count
            ));
            self.segments.push(state);
        }
        self.findings.extend(one.findings);
        self.notes
            .extend(one.notes.into_iter().map(|note| format!("{file}: {note}")));
        self.unfinished.extend(one.unfinished);
    }
}

struct State {
    log_bytes: u64,
    records: Vec<(u64, Hash)>,
    whole: bool,
    anchor: Option<Anchor>,
    no_anchor: Option<String>,
}

fn at(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// True when the entry that the catalogue has seen last is there, or the log is shorter than that.
fn matches_anchor(scan: &Scan, anchor: Option<&Anchor>) -> bool {
    anchor.is_none_or(|anchor| {
        let seen = anchor.entries.checked_sub(1).and_then(|seen| scan.heads.get(at(seen)));
        seen.is_none_or(|head| head.hash == Some(anchor.head))
    })
}

fn rewritten(scan: &Scan, anchor: Option<&Anchor>) -> AuditFinding {
    let seen = anchor.map_or(0, |anchor| anchor.entries);
    let line = at(seen.saturating_sub(1));
    let offset = scan.heads.get(line).map_or(0, |head| head.offset);
    let detail = format!(
        "the entries fit each other, but entry {} is not the one that the catalogue has seen: this entry or one before it was changed, \
         and everything behind it was made again",
        seen.saturating_sub(1)
    );
    AuditFinding::of_line(Damage::Rewritten, seen.saturating_sub(1), line, offset, detail)
}

/// True when the only thing wrong is a last line without its end behind all entries that are known.
fn is_only_torn(lines: &[AuditFinding], scan: &Scan) -> bool {
    let last = scan.heads.len();
    matches!(lines, [one] if one.what == Damage::Inserted && one.place.starts_with(&format!("line {last} ")))
}

/// A log that the catalogue has seen longer, when the lines do not show it.
fn cut_before(
    scan: &Scan,
    expected: &Expected,
    lines: &[AuditFinding],
    anchor: Option<&Anchor>,
) -> Option<AuditFinding> {
    let anchor = anchor?;
    let there = scan.heads.iter().filter(|head| head.ended).count() as u64;
    let told = lines
        .iter()
        .any(|one| matches!(one.what, Damage::Truncated | Damage::Removed));
    if anchor.entries <= there || told || expected.leaves.len() as u64 >= anchor.entries {
        return None;
    }
    let detail = format!(
        "the log ends before entry {there}, and the catalogue has seen {} entries: {} are missing",
        anchor.entries,
        anchor.entries - there
    );
    let end = scan.heads.last().map_or(0, |head| head.offset + head.length);
    let mut finding = AuditFinding::of_line(Damage::Truncated, there, scan.heads.len(), end, detail);
    finding.through = Some(anchor.entries - 1);
    Some(finding)
}

/// The derived file against a log that is as it must be.
fn check_tree(scan: &Scan, state: &State, report: &mut AuditReport) {
    let mut end = 0;
    let mut wrong = None;
    for (number, (head, record)) in scan.heads.iter().zip(&state.records).enumerate() {
        end += head.length;
        if head.hash != Some(record.1) || end != record.0 {
            wrong = Some(number);
            break;
        }
    }
    let longer = state.records.len() > scan.heads.len();
    if wrong.is_none() && state.whole && !longer {
        if state.records.is_empty() {
            let note = "audit/tree is missing; it is derived, and the next command makes it again";
            report.notes.push(note.to_owned());
        }
        return;
    }
    let entry = wrong.map(|number| number as u64);
    let detail = "its hashes are not what the log gives, while the log fits its other witnesses; it is derived: remove it, and the next \
                  command makes it again";
    report.findings.push(AuditFinding::of_file(
        Damage::Tree,
        entry,
        "audit/tree",
        detail.to_owned(),
    ));
}

/// The leaves that roots are made of: what must have been there, as far as it is known without a gap.
fn truth(scan: &Scan, expected: &Expected, sound: bool) -> Vec<Hash> {
    if sound {
        return scan.heads.iter().map_while(|head| head.hash).collect();
    }
    expected.leaves.iter().map_while(|leaf| *leaf).collect()
}

fn say_the_rest(
    scan: &Scan,
    expected: &Expected,
    anchor: &Option<Anchor>,
    options: &VerifyOptions,
    report: &mut AuditReport,
) {
    for (entry, begun) in &scan.open {
        if options.own != Some(*entry) {
            report.unfinished.push(Unfinished {
                entry: *entry,
                command: begun.command.clone(),
                who: begun.who.clone(),
                at: begun.at.clone(),
            });
        }
    }
    for kept in &scan.kept {
        if let What::Torn { bytes, .. } = &kept.entry.event {
            let note = format!(
                "a stop tore a write before entry {}, at the latest {}: {bytes} bytes were removed",
                kept.entry.seq,
                time(kept.entry.at_micros)
            );
            report.notes.push(note);
        }
    }
    if let (count @ 1.., Some(first)) = scan.earlier {
        report.notes.push(format!(
            "{count} entries have a time before that of the entry before them, the first is entry {first}: a clock was set back, or \
             commands ran beside each other"
        ));
    }
    if expected.beyond_tree > 0 {
        report.notes.push(format!(
            "the last {} entries are not in audit/tree yet: a stop came between two steps, and the next command takes them in",
            expected.beyond_tree
        ));
    }
    match anchor {
        Some(anchor) if anchor.entries < report.entries && report.findings.is_empty() => report.notes.push(format!(
            "the catalogue has seen {} of the {} entries: it was busy or stopped at the last ones",
            anchor.entries, report.entries
        )),
        None if report.entries > 0 => report
            .notes
            .push("the catalogue remembers nothing of the log".to_owned()),
        _ => {}
    }
    let signed = report.checkpoints.last().map_or(0, |last| last.size);
    if report.findings.is_empty() {
        report.notes.push(format!(
            "{} entries are behind the last signed checkpoint: of those, whoever can write the case folder could have cut the last ones off \
             together with what the catalogue remembers of them; only a checkpoint kept elsewhere shows that",
            report.entries - signed.min(report.entries)
        ));
    }
}

/// The root of the first `size` leaves, for rising sizes.
pub(super) struct Roots<'a> {
    leaves: &'a [Hash],
    tree: Tree,
    done: usize,
}

impl<'a> Roots<'a> {
    pub(super) fn new(leaves: &'a [Hash]) -> Self {
        Self {
            leaves,
            tree: Tree::default(),
            done: 0,
        }
    }

    /// Nothing when there are fewer leaves.
    pub(super) fn at(&mut self, size: u64) -> Option<Hash> {
        let size = usize::try_from(size).ok().filter(|size| *size <= self.leaves.len())?;
        if size < self.done {
            *self = Self::new(self.leaves);
        }
        for leaf in &self.leaves[self.done..size] {
            self.tree.add_leaf(*leaf);
        }
        self.done = size;
        Some(self.tree.root())
    }
}
