//! `embley audit`: the log listed, verified, signed, stamped and proved.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;

use embley_store::audit::{
    AuditLog, AuditReport, Checkpoint, Damage, Entry, Handover, LARGEST_RESPONSE, VerifyOptions, What, request,
};
use embley_store::disk::{Disk, RealDisk};
use embley_store::facts::users::{Actor, LogSight};
use embley_store::merkle;
use embley_store::signing::{PrivateKey, PublicKey};
use embley_store::verify::Finding;
use embley_store::{Access, Case};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::certificate::{key_path, signing_key};
use crate::args::{Args, AuditCheckpointArgs, AuditCommand, AuditListArgs, AuditProveArgs, AuditVerifyArgs};
use crate::audit::{author, own_entry, put};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{self, Rows, clean, note, result_line, results};

/// The largest copy of a checkpoint that is read.
const LARGEST_NOTE: u64 = 64 << 10;

/// The audit log.
pub(crate) fn audit(args: &Args, command: &AuditCommand) -> anyhow::Result<u8> {
    let root = context::case_dir(args)?;
    let log = AuditLog::at(&root)?;
    match command {
        AuditCommand::List(asked) => list(args, &log, &root, asked),
        AuditCommand::Verify(asked) => verify(&log, asked),
        AuditCommand::Checkpoint(asked) => checkpoint(args, &log, &root, asked),
        AuditCommand::Restart { reason } => restart(args, &log, reason),
        AuditCommand::Prove(asked) => prove(
            &asked
                .segment
                .map_or_else(|| log.of_segment(log.segment()), |one| log.of_segment(one)),
            asked,
        ),
    }
}

/// What is wrong with the log, for `embley verify`.
pub(super) fn findings(log: &AuditLog) -> anyhow::Result<(AuditReport, Vec<Finding>)> {
    let options = VerifyOptions {
        own: own_entry(),
        ..VerifyOptions::default()
    };
    let report = log.verify(&options)?;
    let findings = report
        .findings
        .iter()
        .map(|one| Finding {
            thing: "audit log".to_owned(),
            place: one.place.clone(),
            detail: format!("{}: {}", one.what.word(), one.detail),
            next: match one.what {
                Damage::Tree => "remove audit/tree: the next command makes it again",
                _ if one.known => "on record in the log that was begun behind it: nothing",
                _ => "embley audit verify; put audit/ back from a copy of the case, or embley audit restart",
            }
            .to_owned(),
        })
        .collect();
    Ok((report, findings))
}

/// One row of the list: a command with its outcome, or an entry of the log about itself.
struct Action {
    entry: Entry,
    outcome: Option<Entry>,
    /// The segment of the log.
    segment: u32,
    /// What was typed and found is not for whoever asks.
    withheld: bool,
}

impl Action {
    fn command(&self) -> &str {
        self.entry.event.command().unwrap_or_else(|| self.entry.event.word())
    }

    fn ended(&self) -> &'static str {
        match (&self.entry.event, self.outcome.as_ref().map(|entry| &entry.event)) {
            (_, Some(What::Outcome { outcome, .. })) | (What::Outcome { outcome, .. }, _) => outcome.word(),
            (What::Intent { .. }, _) => "not ended",
            _ => "",
        }
    }

    fn parameters(&self) -> Value {
        match &self.entry.event {
            What::Intent { parameters, .. } if !self.withheld => parameters.clone().into(),
            _ => Value::Null,
        }
    }

    fn object(&self) -> anyhow::Result<Value> {
        let ended = self.outcome.as_ref().unwrap_or(&self.entry);
        let (code, result) = match &ended.event {
            What::Outcome { code, result, .. } if !self.withheld => (json!(code), result.clone().into()),
            _ => (Value::Null, Value::Null),
        };
        let mut object = json!({
            "entry": self.entry.seq, "at": self.entry.at, "at_micros": self.entry.at_micros, "who": self.entry.who, "uid": self.entry.uid,
            "tool": self.entry.tool, "kind": self.entry.event.word(), "command": self.command(), "parameters": self.parameters(),
            "ended": self.ended(), "code": code, "result": result, "outcome_entry": self.outcome.as_ref().map(|entry| entry.seq),
            "ended_at": self.outcome.as_ref().map(|entry| entry.at.clone()),
        });
        if self.withheld {
            object["withheld"] = true.into();
        }
        if self.segment > 1 {
            object["segment"] = self.segment.into();
        }
        if !matches!(self.entry.event, What::Intent { .. } | What::Outcome { .. }) {
            object["event"] = serde_json::to_value(&self.entry.event)?;
        }
        Ok(object)
    }

    fn cells(&self) -> Vec<String> {
        let typed = match self.parameters() {
            Value::Object(members) if !members.is_empty() => members
                .iter()
                .map(|(name, value)| match value {
                    Value::String(text) => format!("{name}={text}"),
                    Value::Bool(true) => name.clone(),
                    other => format!("{name}={other}"),
                })
                .collect::<Vec<_>>()
                .join(" "),
            _ if self.withheld => "(withheld)".to_owned(),
            _ => String::new(),
        };
        vec![
            if self.segment > 1 {
                format!("{}:{}", self.segment, self.entry.seq)
            } else {
                self.entry.seq.to_string()
            },
            self.entry.at.clone(),
            clean(&self.entry.who),
            self.command().to_owned(),
            self.ended().to_owned(),
            clean(&typed),
        ]
    }
}

fn list(args: &Args, log: &AuditLog, root: &Path, asked: &AuditListArgs) -> anyhow::Result<u8> {
    let case = Case::open(root, Access::Read)?;
    let zone = TimeZone::get(&case.config().zone)?;
    let from = asked
        .from
        .as_deref()
        .map(|text| moment(text, &zone, false))
        .transpose()?;
    let to = asked.to.as_deref().map(|text| moment(text, &zone, true)).transpose()?;
    let reader = case.reader()?;
    let sight = LogSight::of(reader.facts(), &Actor::find(reader.facts(), &context::actor(args))?)?;
    let limit = context::limit(&asked.limit).map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let wanted = |entry: &Entry| {
        let command = entry.event.command().unwrap_or_else(|| entry.event.word());
        asked
            .who
            .as_ref()
            .is_none_or(|who| entry.who.eq_ignore_ascii_case(who.trim()))
            && asked.named.as_ref().is_none_or(|named| is_named(command, named))
            && from.is_none_or(|from| entry.at_micros >= from)
            && to.is_none_or(|to| entry.at_micros < to)
    };
    let Chosen {
        newest,
        total,
        unreadable,
    } = choose(log, limit, wanted)?;
    let mut rows = Rows::new("entries", &["entry", "when", "who", "command", "ended", "typed"]);
    let mut withheld = 0_u64;
    for mut action in newest.into_values().rev() {
        action.withheld = sight.withholds(&action.entry.who, action.command());
        withheld += u64::from(action.withheld);
        rows.push(action.cells(), action.object()?)?;
    }
    rows.print(
        context::format(&asked.list),
        vec![("total", total.into()), ("unreadable_lines", unreadable.into())],
    )?;
    if withheld > 0 {
        note!(
            "{withheld} entries of privilege review: what was typed and found is withheld; `embley audit verify` counts them like all others"
        );
    }
    if unreadable > 0 {
        note!("{unreadable} lines of the log are no entries; `embley audit verify` says what was done to it");
    }
    put("listed", total.into());
    Ok(exit::DONE)
}

/// Commands with their outcomes.
#[derive(Default)]
struct Chosen {
    /// The newest of them, by segment and number of their first entry.
    newest: BTreeMap<(u32, u64), Action>,
    /// All of them.
    total: u64,
    /// Lines that are no entries.
    unreadable: u64,
}

/// One pass over the log, which keeps no more commands than are shown.
fn choose(log: &AuditLog, limit: usize, wanted: impl Fn(&Entry) -> bool) -> anyhow::Result<Chosen> {
    let mut chosen = Chosen::default();
    // Intents whose outcome has not come yet, shown or not.
    let mut open = BTreeSet::new();
    log.for_each(|line| {
        let Ok(entry) = line.entry() else {
            chosen.unreadable += 1;
            return Ok(());
        };
        if let What::Outcome { of: Some(of), .. } = &entry.event
            && open.remove(&(line.segment, *of))
        {
            if let Some(action) = chosen.newest.get_mut(&(line.segment, *of)) {
                action.outcome = Some(entry);
            }
            return Ok(());
        }
        let place = (line.segment, entry.seq);
        if matches!(entry.event, What::Intent { .. }) {
            open.insert(place);
        }
        if wanted(&entry) {
            chosen.total += 1;
            let action = Action {
                entry,
                outcome: None,
                segment: line.segment,
                withheld: false,
            };
            chosen.newest.insert(place, action);
            if chosen.newest.len() > limit {
                chosen.newest.pop_first();
            }
        }
        Ok(())
    })?;
    Ok(chosen)
}

fn is_named(command: &str, named: &str) -> bool {
    let rest = command.strip_prefix(named.trim());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// A moment, or the beginning of a day or of the one after it, in microseconds.
fn moment(text: &str, zone: &TimeZone, day_after: bool) -> anyhow::Result<i64> {
    let unusable = || {
        CliError::usage(format!(
            "{text:?} is neither a day (2024-05-17) nor a moment (RFC 3339)"
        ))
    };
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Ok(stamp.as_microsecond() + i64::from(day_after));
    }
    let day: jiff::civil::Date = text.parse().map_err(|_| unusable())?;
    let day = if day_after {
        day.tomorrow().map_err(|_| unusable())?
    } else {
        day
    };
    let begins = day.to_zoned(zone.clone()).map_err(|_| unusable())?;
    Ok(begins.timestamp().as_microsecond())
}

fn verify(log: &AuditLog, asked: &AuditVerifyArgs) -> anyhow::Result<u8> {
    let mut options = VerifyOptions {
        own: own_entry(),
        key: asked.public_key.as_deref().map(PublicKey::read).transpose()?,
        key_id: asked.key_id.clone(),
        ..VerifyOptions::default()
    };
    for path in &asked.checkpoint {
        let bytes = read(path, LARGEST_NOTE)?;
        let unusable = |detail: String| CliError::input(format!("{} is no checkpoint: {detail}", path.display()));
        let text = String::from_utf8(bytes).map_err(|_| unusable("it is not text".to_owned()))?;
        options.outside.push(Checkpoint::parse(&text).map_err(unusable)?);
    }
    let report = log.verify(&options)?;
    let mut rows = Rows::new("findings", &["what", "entry", "place", "detail"]);
    for one in &report.findings {
        let entries = match (one.entry, one.through) {
            (Some(first), Some(last)) if last > first => format!("{first}-{last}"),
            (Some(first), _) => first.to_string(),
            (None, _) => String::new(),
        };
        let cells = vec![
            one.what.word().to_owned(),
            entries,
            one.place.clone(),
            if one.known {
                format!("on record: {}", clean(&one.detail))
            } else {
                clean(&one.detail)
            },
        ];
        rows.push(cells, one)?;
    }
    let mut extra = vec![("sound", Value::from(report.is_sound()))];
    if !report.segments.is_empty() {
        extra.push(("segments", serde_json::to_value(&report.segments)?));
    }
    if let Value::Object(members) = serde_json::to_value(&report)? {
        for name in [
            "entries",
            "bytes",
            "root",
            "seen_by_catalogue",
            "checkpoints",
            "unfinished",
            "notes",
        ] {
            extra.push((name, members.get(name).cloned().unwrap_or_default()));
        }
    }
    let code = if report.is_sound() { exit::DONE } else { exit::NO_HIT };
    output::set_verdict(code);
    rows.print(context::format(&asked.list), extra)?;
    tell(&report);
    put("findings", report.findings.len().into());
    put("root", report.root.clone().into());
    Ok(code)
}

fn tell(report: &AuditReport) {
    for one in &report.checkpoints {
        let stamped = if one.stamped.is_empty() {
            String::new()
        } else {
            format!(", stamped {}", one.stamped.join(", "))
        };
        note!(
            "checkpoint of {} entries, {}, key {}{stamped}",
            one.size,
            one.at,
            one.key_id
        );
    }
    for one in &report.unfinished {
        note!(
            "entry {}: `{}` by {} at {} has no outcome: it runs still, or was stopped",
            one.entry,
            clean(&one.command),
            clean(&one.who),
            one.at
        );
    }
    for text in &report.notes {
        note!("note: {}", clean(text));
    }
    note!(
        "audit log: {} entries, {} bytes; {} findings",
        report.entries,
        report.bytes,
        report.findings.len()
    );
}

fn restart(args: &Args, log: &AuditLog, reason: &str) -> anyhow::Result<u8> {
    if reason.trim().is_empty() {
        return Err(CliError::usage("--reason is empty: say why the log is begun again"));
    }
    let who = context::actor(args);
    let made = log.restart(reason.trim(), author(&who))?;
    let before = &made.before;
    note!(
        "the log is begun again: {}; {} is kept as it was found ({} bytes, SHA-256 {}, {} entries, {} findings), and every verification says so",
        made.path.display(),
        before.file,
        before.bytes,
        before.sha256,
        before.lines,
        before.findings_count
    );
    note!("next: embley audit checkpoint, and keep its copy outside of the case");
    put(
        "restarted",
        json!({"segment": made.segment, "before": before.file, "sha256": before.sha256}),
    );
    Ok(exit::DONE)
}

fn checkpoint(args: &Args, log: &AuditLog, root: &Path, asked: &AuditCheckpointArgs) -> anyhow::Result<u8> {
    let who = context::actor(args);
    if let Some(path) = &asked.tsr {
        let attached = log.attach(&read(path, LARGEST_RESPONSE)?, author(&who))?;
        note!(
            "the time stamp of {} (serial number {}) is about the checkpoint of {} entries; kept as {}",
            attached.token.time,
            attached.token.serial,
            attached.size,
            attached.path.display()
        );
        note!(
            "whose it is, says: openssl ts -verify -data {} -in {} -CAfile AUTHORITY.pem",
            attached.note.display(),
            attached.path.display()
        );
        put("stamped", json!({"size": attached.size, "time": attached.token.time}));
        return Ok(exit::DONE);
    }
    if let Some(path) = asked.tsq.as_ref().filter(|path| path.symlink_metadata().is_ok()) {
        return Err(CliError::usage(format!(
            "{} is there already: a request is never written over; name another file",
            path.display()
        )));
    }
    let key = signing_key(asked.key.is_some(), &key_path(asked.key.as_deref())?, root)?;
    let old = asked
        .old_key
        .as_deref()
        .map(|path| PrivateKey::read(path, root))
        .transpose()?;
    let handover = match (&old, &asked.key_lost) {
        (Some(old), _) => Handover::Signed { old, why: &asked.why },
        (None, Some(why)) => Handover::Lost { why },
        (None, None) => Handover::None,
    };
    let made = log.checkpoint(&key, handover, author(&who))?;
    if let Some(old) = &made.replaced {
        note!("the key {} takes the place of {old}", made.key_id);
    }
    if let Some(path) = &asked.tsq {
        let bytes = request(made.note.as_bytes(), random());
        let written = || -> std::io::Result<()> {
            let mut file = RealDisk.create_new(path)?;
            file.write_all_at(&bytes, 0)?;
            file.sync()
        };
        written().map_err(|error| CliError::environment(format!("cannot write {}: {error}", path.display())))?;
        note!(
            "request for a time stamp: {}; what comes back: embley audit checkpoint --tsr FILE",
            path.display()
        );
    }
    results().write_all(made.note.as_bytes())?;
    note!(
        "checkpoint of {} entries, signed with key {}; its copy is {}: keep one outside of the case",
        made.size,
        made.key_id,
        made.copy.display()
    );
    put("checkpoint", json!({"size": made.size, "key_id": made.key_id}));
    Ok(exit::DONE)
}

/// A number that no one can know before: the system's random keys.
fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

fn prove(log: &AuditLog, asked: &AuditProveArgs) -> anyhow::Result<u8> {
    if let (Some(old), Some(new)) = (asked.old, asked.new) {
        for hash in log.prove_growth(old, new)? {
            result_line!("{}", merkle::hex(&hash))?;
        }
        return Ok(exit::DONE);
    }
    let Some(entry) = asked.entry else {
        return Err(CliError::usage("no entry is named: embley audit prove ENTRY"));
    };
    let (_, proof) = log.prove(entry)?;
    results().write_all(proof.to_text().as_bytes())?;
    note!(
        "proves line {} of {} without its line end; whose key that is must be known from elsewhere",
        entry + 1,
        log.log_path().display()
    );
    Ok(exit::DONE)
}

fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::input(format!("cannot read {}: {error}", path.display())))?;
    if bytes.len() as u64 > most {
        return Err(CliError::input(format!(
            "{} has more than {most} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}
