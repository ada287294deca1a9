//! Checkpoints, keys and time stamps against the log they speak of.
//!
//! The key that must have signed a checkpoint is the one that the log names last before it; whoever asks may name it from outside, and
//! the catalogue remembers the last one. Main function: [`check_signed`]. Invariant: a checkpoint is listed as holding only when its key,
//! its signature and its root do.

use std::collections::BTreeMap;

use embley_model::id::hex_encode;
use sha2::{Digest, Sha256};

use super::anchor::Anchor;
use super::checkpoint::handover_text;
use super::entry::{Entry, What};
use super::log::AuditLog;
use super::note::{Checkpoint, LONGEST_NOTE, Signed, origin_of};
use super::report::{AuditFinding, AuditReport, CheckpointState, Damage};
use super::scan::Scan;
use super::timestamp::LARGEST_RESPONSE;
use super::verify::{Roots, VerifyOptions};
use crate::error::{Result, StoreError};
use crate::merkle::Hash;
use crate::signing::PublicKey;

/// All that is held against each other.
pub(super) struct Claims<'a> {
    pub(super) log: &'a AuditLog,
    pub(super) scan: &'a Scan,
    /// The leaves as they must be, up to the first that nobody knows.
    pub(super) leaves: &'a [Hash],
    pub(super) anchor: Option<&'a Anchor>,
    pub(super) options: &'a VerifyOptions,
    /// The key that the segment before this one named last.
    pub(super) earlier_key: Option<&'a PublicKey>,
    /// Lines are missing or changed: what they said of keys and checkpoints is not known.
    pub(super) damaged: bool,
}

/// A checkpoint as the log records it.
struct Recorded {
    entry: u64,
    at: String,
    note: String,
    key: Option<PublicKey>,
    holds: bool,
}

/// Checks everything that is signed.
pub(super) fn check_signed(claims: &Claims<'_>, report: &mut AuditReport) -> Result<Witnesses> {
    let (recorded, keys) = recorded(claims, report);
    check_catalogue(claims, &recorded, report);
    check_copies(claims, &recorded, &keys, report)?;
    let witnesses = Witnesses {
        has_checkpoint: !recorded.is_empty(),
        key: keys.last().cloned(),
    };
    let stamped = check_tokens(claims, &recorded, report)?;
    check_outside(claims, &recorded, &keys, report);
    for (size, one) in recorded {
        if let (Some(key), true) = (one.key, one.holds) {
            report.checkpoints.push(CheckpointState {
                size,
                at: one.at,
                key_id: key.id(),
                stamped: stamped.get(&size).cloned().unwrap_or_default(),
                note: one.note,
            });
        }
    }
    Ok(witnesses)
}

/// What a segment says of keys.
pub(super) struct Witnesses {
    /// It records a checkpoint, whether that holds or not.
    pub(super) has_checkpoint: bool,
    /// The key that it names last.
    pub(super) key: Option<PublicKey>,
}

fn finding(report: &mut AuditReport, what: Damage, entry: u64, detail: String) {
    let place = format!("entry {entry} of audit/log.jsonl");
    report
        .findings
        .push(AuditFinding::of_file(what, Some(entry), &place, detail));
}

/// Checkpoints that the log records, with what is wrong with them; all keys that the log names.
fn recorded(claims: &Claims<'_>, report: &mut AuditReport) -> (BTreeMap<u64, Recorded>, Vec<PublicKey>) {
    let mut roots = Roots::new(claims.leaves);
    let mut all = BTreeMap::new();
    let mut keys: Vec<PublicKey> = Vec::new();
    for kept in &claims.scan.kept {
        let entry = &kept.entry;
        // A line that is not what was written is a finding already; it bears no witness.
        let hash = claims.scan.heads[kept.line].hash;
        let known = usize::try_from(entry.seq).ok().and_then(|at| claims.leaves.get(at));
        if hash.is_none() || known != hash.as_ref() {
            continue;
        }
        match &entry.event {
            What::Key {
                key_id,
                public,
                replaces,
                handed_over,
                why,
            } => {
                let key = PublicKey::from_pem(public).ok().filter(|key| key.id() == *key_id);
                let Some(key) = key else {
                    finding(
                        report,
                        Damage::Resigned,
                        entry.seq,
                        format!("the key {key_id} that it names is no usable key"),
                    );
                    continue;
                };
                match (keys.last().or(claims.earlier_key), handed_over) {
                    (Some(same), None) if same.id() == *key_id => {}
                    (None, _) => {}
                    (Some(old), Some(signature)) => {
                        let text = handover_text(&entry.case, entry.seq, &old.id(), key_id);
                        let signed = old.holds(text.as_bytes(), signature) && replaces.as_ref() == Some(&old.id());
                        if !signed && !claims.damaged {
                            finding(
                                report,
                                Damage::Resigned,
                                entry.seq,
                                format!("the key {key_id} takes the place of {}, but that one has not signed for it", old.id()),
                            );
                        }
                    }
                    (Some(old), None) => report.notes.push(format!(
                        "entry {}: the key {key_id} took the place of {}, which did not sign for it; {} gives as the reason: {why}",
                        entry.seq,
                        old.id(),
                        entry.who
                    )),
                }
                keys.push(key);
            }
            What::Checkpoint { size, note, .. } => {
                let key = keys.last().cloned();
                let wrong = check_note(claims, entry, key.as_ref(), &mut roots);
                // The line that names its key may be the one that was changed.
                let wrong_key_unknown = claims.damaged && matches!(wrong, Some((Damage::Resigned, _)));
                let wrong = wrong.filter(|_| !wrong_key_unknown);
                let holds = wrong.is_none();
                if let Some((what, detail)) = wrong {
                    finding(report, what, entry.seq, detail);
                }
                if wrong_key_unknown {
                    continue;
                }
                let one = Recorded {
                    entry: entry.seq,
                    at: entry.at.clone(),
                    note: note.clone(),
                    key,
                    holds,
                };
                all.insert(*size, one);
            }
            _ => {}
        }
    }
    (all, keys)
}

/// What is wrong with a recorded note.
fn check_note(
    claims: &Claims<'_>,
    entry: &Entry,
    key: Option<&PublicKey>,
    roots: &mut Roots<'_>,
) -> Option<(Damage, String)> {
    let What::Checkpoint { size, note, key_id } = &entry.event else {
        return None;
    };
    let checkpoint = match Checkpoint::parse(note) {
        Ok(checkpoint) => checkpoint,
        Err(why) => return Some((Damage::Edited, format!("its note is no checkpoint: {why}"))),
    };
    if checkpoint.origin != origin_of(claims.log.case, claims.log.segment)
        || checkpoint.size != *size
        || *size != entry.seq
    {
        let detail = format!(
            "its note is about {} entries of {}, and it stands at entry {}",
            checkpoint.size, checkpoint.origin, entry.seq
        );
        return Some((Damage::Replayed, detail));
    }
    let Some(key) = key else {
        return Some((Damage::Resigned, "the log names no key before it".to_owned()));
    };
    if *key_id != key.id() {
        let detail = format!("it is signed with the key {key_id}, and the log names {}", key.id());
        return Some((Damage::Resigned, detail));
    }
    match checkpoint.signed_by(key) {
        Signed::Rightly => {}
        Signed::Wrongly => return Some((Damage::Edited, "its signature does not hold".to_owned())),
        Signed::ByAnother => {
            let detail = format!("it is not signed with the key {} that the log names", key.id());
            return Some((Damage::Resigned, detail));
        }
    }
    let root = roots.at(*size)?;
    (root != checkpoint.root).then(|| {
        let detail = format!(
            "the first {size} entries are not those that were signed: one of them was changed, and a new chain was made"
        );
        (Damage::Rewritten, detail)
    })
}

/// The key that whoever asks names must have signed, and every key after it must come from it.
pub(super) fn check_named_key(options: &VerifyOptions, has_checkpoint: bool, report: &mut AuditReport) {
    let Some(wanted) = options
        .key
        .as_ref()
        .map(PublicKey::id)
        .or_else(|| options.key_id.clone())
    else {
        return;
    };
    let wanted = wanted.to_ascii_lowercase();
    let earlier = report.segments.iter().flat_map(|one| &one.checkpoints);
    let mut ids: Vec<String> = earlier
        .chain(&report.checkpoints)
        .map(|one| one.key_id.clone())
        .collect();
    ids.dedup();
    if !has_checkpoint {
        report
            .notes
            .push("the log has no checkpoint, so no key has signed it".to_owned());
    } else if !ids.contains(&wanted) {
        let detail = format!(
            "no checkpoint is signed with the key {wanted} that you named; they are signed with {}",
            ids.join(", ")
        );
        report
            .findings
            .push(AuditFinding::of_file(Damage::Resigned, None, "audit/log.jsonl", detail));
    }
}

/// What the catalogue remembers of the last checkpoint.
fn check_catalogue(claims: &Claims<'_>, recorded: &BTreeMap<u64, Recorded>, report: &mut AuditReport) {
    let Some((size, key_id)) = claims.anchor.and_then(|anchor| anchor.checkpoint.clone()) else {
        return;
    };
    let is_there = claims.leaves.len() as u64 > size;
    match recorded.get(&size) {
        Some(one) if one.key.as_ref().is_some_and(|key| key.id() == key_id) => {}
        Some(one) => {
            let detail =
                format!("this checkpoint is signed with another key than {key_id}, which the catalogue has seen");
            finding(report, Damage::Resigned, one.entry, detail);
        }
        // Changed or cut off: said already.
        None if !is_there || !report.findings.is_empty() => {}
        None => {
            let detail = format!("the catalogue has seen a checkpoint of {size} entries here, and the log has none");
            finding(report, Damage::Rewritten, size, detail);
        }
    }
}

fn read_small(path: &std::path::Path, most: u64) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path, error)),
    };
    std::io::Read::read_to_end(&mut std::io::Read::take(file, most + 1), &mut bytes)
        .map_err(|error| StoreError::io("read", path, error))?;
    Ok(Some(bytes))
}

/// The copies in `audit/checkpoints` against the notes in the log.
fn check_copies(
    claims: &Claims<'_>,
    recorded: &BTreeMap<u64, Recorded>,
    keys: &[PublicKey],
    report: &mut AuditReport,
) -> Result<()> {
    let folder = claims.log.checkpoints_dir();
    let mut names: Vec<String> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<_>>()
            .map_err(|error| StoreError::io("list", &folder, error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(StoreError::io("list", &folder, error)),
    };
    names.sort();
    let mut seen = Vec::new();
    for name in names {
        let Some(number) = name.strip_suffix(".note") else {
            continue;
        };
        let size = number
            .parse::<u64>()
            .ok()
            .filter(|size| format!("{size:012}") == number);
        let bytes = read_small(&folder.join(&name), LONGEST_NOTE)?.unwrap_or_default();
        seen.extend(size);
        if let Some((what, detail)) = judge_copy(claims, recorded, keys, size, &bytes) {
            let file = format!("audit/checkpoints/{name}");
            report.findings.push(AuditFinding::of_file(what, size, &file, detail));
        }
    }
    for size in recorded.keys().filter(|size| !seen.contains(size)) {
        report.notes.push(format!(
            "audit/checkpoints holds no copy of the checkpoint of {size} entries; the log holds its note"
        ));
    }
    Ok(())
}

fn judge_copy(
    claims: &Claims<'_>,
    recorded: &BTreeMap<u64, Recorded>,
    keys: &[PublicKey],
    size: Option<u64>,
    bytes: &[u8],
) -> Option<(Damage, String)> {
    let one = size.and_then(|size| recorded.get(&size));
    if one.is_some_and(|one| one.note.as_bytes() == bytes) {
        return None;
    }
    if let Some((other, _)) = recorded.iter().find(|(_, other)| other.note.as_bytes() == bytes) {
        return Some((Damage::Replayed, format!("this is the checkpoint of {other} entries")));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned());
    let checkpoint = match text.and_then(Checkpoint::parse) {
        Ok(checkpoint) => checkpoint,
        Err(why) => {
            let what = if one.is_some() {
                Damage::Edited
            } else {
                Damage::Inserted
            };
            return Some((what, format!("it is no checkpoint: {why}")));
        }
    };
    if claims.damaged && one.is_none() {
        // Its line is among those that were changed or removed; what it signed is held against the others.
        let root = Roots::new(claims.leaves).at(checkpoint.size);
        let fits = root.is_none_or(|root| root == checkpoint.root);
        let why = format!("the first {} entries are not those that were signed", checkpoint.size);
        return (!fits).then_some((Damage::Edited, why));
    }
    let by = keys.iter().find(|key| checkpoint.signed_by(key) == Signed::Rightly);
    let ours = checkpoint.origin == origin_of(claims.log.case, claims.log.segment);
    match (by, one) {
        (Some(key), None) if ours && checkpoint.size >= claims.leaves.len() as u64 => Some((
            Damage::Truncated,
            format!(
                "{} entries were signed with {}, and the log has {}",
                checkpoint.size,
                key.id(),
                claims.leaves.len()
            ),
        )),
        (Some(key), _) if ours => Some((
            Damage::Rewritten,
            format!(
                "the key {} has signed {} entries here that are not those of the log",
                key.id(),
                checkpoint.size
            ),
        )),
        (_, Some(one)) => {
            let recorded = Checkpoint::parse(&one.note);
            Some(if recorded.is_ok_and(|recorded| checkpoint.is_resigned(&recorded)) {
                let detail = "it is signed with a key that the log does not name";
                (Damage::Resigned, detail.to_owned())
            } else {
                let detail = "it is not the note that the log records, and no signature on it holds";
                (Damage::Edited, detail.to_owned())
            })
        }
        (_, None) => Some((
            Damage::Inserted,
            "the log records no such checkpoint, and no key of the log has signed it".to_owned(),
        )),
    }
}

/// Attached time stamps against their entries. Returns the times that they state.
fn check_tokens(
    claims: &Claims<'_>,
    recorded: &BTreeMap<u64, Recorded>,
    report: &mut AuditReport,
) -> Result<BTreeMap<u64, Vec<String>>> {
    let mut stamped: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for kept in &claims.scan.kept {
        if let What::Timestamp { size, token, time, .. } = &kept.entry.event
            && recorded.contains_key(size)
        {
            stamped.entry(*size).or_default().push(time.clone());
            // A second token for the same checkpoint takes the file's place.
            last.insert(*size, token.clone());
        }
    }
    for (size, token) in last {
        let file = format!("audit/checkpoints/{size:012}.tsr");
        let bytes = read_small(&claims.log.token_path(size), LARGEST_RESPONSE)?;
        let wrong = match bytes {
            None => Some((
                Damage::Removed,
                "the time-stamp token that the log records is not there",
            )),
            Some(bytes) if hex_encode(&Sha256::digest(&bytes)) != token => {
                Some((Damage::Edited, "it is not the time-stamp token that the log records"))
            }
            Some(_) => None,
        };
        if let Some((what, detail)) = wrong {
            report
                .findings
                .push(AuditFinding::of_file(what, Some(size), &file, detail.to_owned()));
        }
    }
    Ok(stamped)
}

/// Checkpoints that were kept elsewhere.
fn check_outside(
    claims: &Claims<'_>,
    recorded: &BTreeMap<u64, Recorded>,
    keys: &[PublicKey],
    report: &mut AuditReport,
) {
    let mut roots = Roots::new(claims.leaves);
    for outside in &claims.options.outside {
        let size = outside.size;
        let place = format!("checkpoint of {size} entries from elsewhere");
        let mut add = |what, detail: String| {
            report
                .findings
                .push(AuditFinding::of_file(what, Some(size), &place, detail));
        };
        if outside.origin != origin_of(claims.log.case, claims.log.segment) {
            add(Damage::Replayed, format!("it is about {}, another log", outside.origin));
            continue;
        }
        let named = claims.options.key.as_ref();
        let mut known = keys.iter().chain(named).peekable();
        if known.peek().is_some() && !known.any(|key| outside.signed_by(key) == Signed::Rightly) {
            add(Damage::Resigned, "no key that the log names has signed it".to_owned());
        }
        match roots.at(size) {
            None => add(
                Damage::Truncated,
                format!("{size} entries were signed, and the log has {}", claims.leaves.len()),
            ),
            Some(root) if root != outside.root => add(
                Damage::Rewritten,
                format!("the first {size} entries are not those that were signed"),
            ),
            Some(_) if !recorded.contains_key(&size) => add(
                Damage::Truncated,
                format!("the log does not record this checkpoint: it was cut at entry {size} or before, and continued"),
            ),
            Some(_) => {}
        }
    }
}
