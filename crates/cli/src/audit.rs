//! The one place where commands meet the audit log: before a command on a case runs, its intent is recorded; behind it, its outcome.
//!
//! What is recorded of a result are counts and digests that commands put down ([`put`], [`made`]) and the SHA-256 of everything that was
//! printed; never the text of an item. Commands that looked into no case leave nothing. Which command does what is in [`touch`], a
//! match without a wildcard, so that a new command says it too. A refusal (of roles, of keys) is an outcome like others ([`ended`]).
//!
//! A case whose log cannot be appended to, as on a read-only medium, is looked at only with `--no-audit`; every answer then says so.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

use clap::ArgMatches;
use embley_model::clock::{Clock, SystemClock};
use embley_store::StoreError;
use embley_store::audit::{AuditLog, Author, Digest, Ended, Outcome};
use embley_store::facts::FactsError;
use embley_store::signing::KeyError;
use serde_json::{Map, Value, json};

use crate::args::{
    Args, AuditCommand, BatchCommand, CodingCommand, Command, DisclosureCommand, ExhibitCommand, IndicatorsCommand,
    NoteCommand, PeopleCommand, PrivilegeCommand, RecordsCommand, ReviewCommand, RunsCommand, SavedCommand,
    ScheduleCommand, TagCommand, UserCommand,
};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{self, note};

/// Name and version of this program in entries.
const TOOL: &str = concat!("embley ", env!("CARGO_PKG_VERSION"));

/// What was typed, as it is recorded: the command and its parameters by name.
pub(crate) struct Typed {
    command: String,
    parameters: Map<String, Value>,
}

impl Typed {
    /// Takes what was typed or came by an environment variable; defaults are known by the program's version.
    pub(crate) fn of(definition: &clap::Command, matches: &ArgMatches) -> Self {
        let (mut definition, mut matches) = (definition, matches);
        let mut names = Vec::new();
        let mut parameters = Map::new();
        while let Some((name, inner)) = matches.subcommand() {
            let Some(found) = definition.find_subcommand(name) else {
                break;
            };
            (definition, matches) = (found, inner);
            names.push(name);
            for argument in definition.get_arguments() {
                let id = argument.get_id().as_str();
                let given = matches!(
                    matches.value_source(id),
                    Some(clap::parser::ValueSource::CommandLine | clap::parser::ValueSource::EnvVariable)
                );
                if !given {
                    continue;
                }
                let raw = matches.get_raw(id).into_iter().flatten();
                let mut values: Vec<Value> = raw.map(|value| value.to_string_lossy().into()).collect();
                let value = match (argument.get_action().takes_values(), values.len()) {
                    (false, _) => true.into(),
                    (true, 1) => values.remove(0),
                    (true, _) => values.into(),
                };
                let name = argument.get_long().unwrap_or(id);
                parameters.insert(name.to_owned(), value);
            }
        }
        Self {
            command: names.join(" "),
            parameters,
        }
    }
}

/// What a command has to do with a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch<'a> {
    /// It opens none.
    None,
    /// It makes the one in this folder.
    Makes(&'a Path),
    /// It begins the log again, which may be one that cannot be continued.
    Restarts,
    /// It looks.
    Looks,
    /// It looks at whether the case, or its log, is sound: a damaged log does not keep it from saying so.
    Checks,
    /// It changes something, or makes something that only the log can vouch for.
    Changes,
}

fn touch(command: &Command) -> Touch<'_> {
    use Touch::{Changes, Checks, Looks};
    let when = |changes: bool| if changes { Changes } else { Looks };
    match command {
        Command::Init(init) => Touch::Makes(&init.dir),
        Command::Doctor(_) | Command::Demo(_) | Command::Worker(_) => Touch::None,
        Command::Bench(bench) => {
            if bench.queries {
                Looks
            } else {
                Touch::None
            }
        }
        Command::Ingest(_) | Command::Reindex(_) | Command::Certificate(_) => Changes,
        Command::Status(_)
        | Command::Search(_)
        | Command::History(_)
        | Command::Terms(_)
        | Command::Replay(_)
        | Command::Sample(_)
        | Command::Show(_)
        | Command::Timeline(_)
        | Command::DipSample(_) => Looks,
        Command::Runs(RunsCommand::List(_) | RunsCommand::Show { .. }) => Looks,
        Command::Exceptions(asked) => when(asked.retry),
        Command::Saved(saved) => when(!matches!(saved, SavedCommand::List(_) | SavedCommand::Show { .. })),
        Command::Records(records) => match records {
            RecordsCommand::Import(import) => when(!import.dry_run),
            RecordsCommand::Link { .. } | RecordsCommand::CaseLink { .. } => Changes,
            _ => Looks,
        },
        Command::People(people) => when(!matches!(
            people,
            PeopleCommand::List { .. }
                | PeopleCommand::Show { .. }
                | PeopleCommand::Suggest { .. }
                | PeopleCommand::Mentions { .. }
        )),
        Command::Exhibit(exhibit) => match exhibit {
            ExhibitCommand::List { .. }
            | ExhibitCommand::Show { .. }
            | ExhibitCommand::History { .. }
            | ExhibitCommand::Label { .. } => Looks,
            ExhibitCommand::Continuity(asked) => when(asked.add.is_some()),
            _ => Changes,
        },
        Command::Tag(tag) => when(!matches!(tag, TagCommand::List { .. } | TagCommand::History { .. })),
        Command::Note(note) => when(!matches!(note, NoteCommand::List { .. })),
        Command::Batch(batch) => when(!matches!(batch, BatchCommand::List { .. } | BatchCommand::Show { .. })),
        Command::Coding(coding) => when(matches!(coding, CodingCommand::Set { .. })),
        Command::Journal(_) => Looks,
        Command::Disclosure(disclosure) => when(!matches!(
            disclosure,
            DisclosureCommand::List { .. } | DisclosureCommand::History { .. }
        )),
        Command::Schedule(schedule) => when(!matches!(schedule, ScheduleCommand::List { .. })),
        // What leaves the case is vouched for by the log.
        Command::Export(_) => Changes,
        Command::VerifyExport(_) => Touch::None,
        Command::Review(review) => when(!matches!(review, ReviewCommand::List(_))),
        Command::Privilege(privilege) => when(!matches!(
            privilege,
            PrivilegeCommand::List { .. } | PrivilegeCommand::Terms { .. } | PrivilegeCommand::History { .. }
        )),
        Command::User(user) => match user {
            UserCommand::Roles { .. } => Touch::None,
            UserCommand::List { .. } => Looks,
            UserCommand::Add { .. } | UserCommand::Role { .. } | UserCommand::Disable { .. } => Changes,
        },
        // A run is kept, so that the next one can say what is new.
        Command::Indicators(asked) => match &asked.command {
            None => when(!asked.run.keep),
            Some(IndicatorsCommand::Export { run, .. }) => when(!run.keep),
            Some(IndicatorsCommand::Conclude { .. }) => Changes,
            Some(IndicatorsCommand::Runs { .. } | IndicatorsCommand::Phrases { .. }) => Looks,
        },
        Command::Verify(_) => Checks,
        Command::Audit(audit) => match audit {
            AuditCommand::List(_) | AuditCommand::Verify(_) | AuditCommand::Prove(_) => Checks,
            AuditCommand::Checkpoint(_) => Changes,
            AuditCommand::Restart { .. } => Touch::Restarts,
        },
    }
}

/// What the running command puts down for its outcome.
static RESULT: LazyLock<Mutex<Map<String, Value>>> = LazyLock::new(Mutex::default);
/// The entry of the running command.
static OWN: OnceLock<u64> = OnceLock::new();

/// Puts a count or a digest down for the outcome of the running command.
pub(crate) fn put(name: &str, value: Value) {
    let mut result = RESULT.lock().unwrap_or_else(PoisonError::into_inner);
    result.insert(name.to_owned(), value);
}

/// Puts down a file that the running command made for others, by its digest.
pub(crate) fn made(path: &Path) {
    let file = match Digest::of_file(path) {
        Ok(digest) => json!({"path": path.display().to_string(), "bytes": digest.bytes(), "sha256": digest.hex()}),
        Err(error) => json!({"path": path.display().to_string(), "unreadable": error.to_string()}),
    };
    let mut result = RESULT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(files) = result.entry("files").or_insert_with(|| json!([])).as_array_mut() {
        files.push(file);
    }
}

/// The entry of the running command, when it is recorded.
pub(crate) fn own_entry() -> Option<u64> {
    OWN.get().copied()
}

/// Who writes an entry, now.
pub(crate) fn author(who: &str) -> Author<'_> {
    Author {
        who,
        uid: rustix::process::getuid().as_raw(),
        tool: TOOL,
        at_micros: SystemClock::new().now_micros(),
    }
}

/// Runs a command between its intent and its outcome.
pub(crate) fn recorded(args: &Args, typed: &Typed, work: impl FnOnce() -> anyhow::Result<u8>) -> anyhow::Result<u8> {
    let who = context::actor(args);
    let does = touch(&args.command);
    let of = match does {
        Touch::None => return work(),
        Touch::Makes(_) => None,
        Touch::Looks | Touch::Checks | Touch::Changes | Touch::Restarts => match begin(args, typed, does, &who)? {
            Some(begun) => Some(begun),
            // The new log records it.
            None if does == Touch::Restarts => None,
            None => {
                let outcome = work();
                note!("not recorded: this answer is in no audit log");
                return outcome;
            }
        },
    };
    let outcome = work();
    let (log, of) = match (of, does) {
        (Some((log, entry)), _) => (log, Some(entry)),
        // A case that was not made has no log.
        (None, Touch::Makes(dir)) if outcome.is_ok() => (AuditLog::at(dir)?, None),
        (None, Touch::Restarts) if outcome.is_ok() => (AuditLog::at(&context::case_dir(args)?)?, None),
        (None, _) => return outcome,
    };
    let recorded = log.outcome(
        Outcome {
            of,
            command: typed.command.clone(),
            ended: outcome.as_ref().map_or_else(ended, |_| Ended::Done),
            code: code(&outcome),
            result: result(typed, of.is_none(), &outcome),
        },
        author(&who),
    );
    match (recorded, outcome) {
        (Ok(_), outcome) => outcome,
        (Err(error), Ok(_)) => {
            Err(anyhow::Error::from(error).context("the command is done, but its outcome could not be recorded"))
        }
        (Err(error), Err(failed)) => {
            note!("its outcome could not be recorded: {error}");
            Err(failed)
        }
    }
}

/// Records the intent. Nothing when the command is to run unrecorded.
fn begin(args: &Args, typed: &Typed, does: Touch<'_>, who: &str) -> anyhow::Result<Option<(AuditLog, u64)>> {
    let root: PathBuf = context::case_dir(args)?;
    let log = AuditLog::at(&root)?;
    if args.no_audit {
        if matches!(does, Touch::Changes | Touch::Restarts) {
            return Err(CliError::usage(
                "--no-audit is for looking only: nothing is changed, signed or certified without a record",
            ));
        }
        return match log.intent(&typed.command, typed.parameters.clone(), author(who)) {
            Ok(entry) => {
                let why = format!(
                    "{} can be written, so looks at it are recorded: leave --no-audit out",
                    root.display()
                );
                let refused = Outcome {
                    of: Some(entry),
                    command: typed.command.clone(),
                    ended: Ended::Refused,
                    code: exit::USAGE,
                    result: Map::from_iter([("why".to_owned(), why.clone().into())]),
                };
                log.outcome(refused, author(who))?;
                Err(CliError::usage(why))
            }
            Err(error) if error.is_not_writable() || matches!(error, StoreError::Damaged { .. }) => {
                output::set_not_recorded();
                Ok(None)
            }
            Err(error) => Err(error.into()),
        };
    }
    match log.intent(&typed.command, typed.parameters.clone(), author(who)) {
        Ok(entry) => {
            OWN.get_or_init(|| entry);
            Ok(Some((log, entry)))
        }
        Err(error) if error.is_not_writable() => {
            let advice = if matches!(does, Touch::Changes | Touch::Restarts) {
                "the case cannot be changed from here"
            } else {
                "to look without a record, give --no-audit: each answer then says so"
            };
            Err(CliError::environment(format!(
                "{}: everything done in a case is recorded in its audit log, which cannot be written; {advice}",
                told(&error)
            )))
        }
        Err(StoreError::Damaged { .. }) if does == Touch::Restarts => Ok(None),
        Err(error @ StoreError::Damaged { .. }) if does == Touch::Checks => {
            note!("the audit log cannot be continued: {error}");
            output::set_not_recorded();
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// An error with its causes, on one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// How a command that did not do what it was asked ended. A refusal of roles comes here as the typed error of whoever refuses.
fn ended(error: &anyhow::Error) -> Ended {
    let refused = error.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<KeyError>(),
            Some(KeyError::InsideCase { .. } | KeyError::Open { .. })
        ) || matches!(cause.downcast_ref::<FactsError>(), Some(FactsError::Refused { .. }))
    });
    if refused { Ended::Refused } else { Ended::Failed }
}

fn code(outcome: &anyhow::Result<u8>) -> u8 {
    match outcome {
        Ok(code) => *code,
        Err(_) if output::reader_has_gone() => output::verdict(),
        Err(error) => exit::code_of(error),
    }
}

/// What the outcome says besides.
fn result(typed: &Typed, without_intent: bool, outcome: &anyhow::Result<u8>) -> Map<String, Value> {
    let mut result = std::mem::take(&mut *RESULT.lock().unwrap_or_else(PoisonError::into_inner));
    let shown = output::shown();
    if shown.bytes() > 0 {
        result.insert("shown_bytes".to_owned(), shown.bytes().into());
        result.insert("shown_sha256".to_owned(), shown.hex().into());
    }
    if without_intent {
        result.insert("parameters".to_owned(), typed.parameters.clone().into());
    }
    if let Err(error) = outcome {
        let why = if output::reader_has_gone() {
            "whoever read the results went away".to_owned()
        } else {
            error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
        };
        result.insert("why".to_owned(), why.into());
    }
    result
}
