//! Which task each command is, and whether the actor may do it: asked once, before the command is run.
//!
//! What is kept from whom does not hang on this: a case opened by `Case::open` shows nothing of what is in quarantine, whoever asks
//! (`store::catalogue::sight`). Main function: [`check`]. Invariant: every command is named here; a new one does not compile until it is.
//!
//! A refusal is the typed [`FactsError::Refused`](embley_store::facts::FactsError::Refused) (found by `downcast_ref` in the error that `commands::run` gives back).

use embley_model::role::Task;
use embley_store::catalogue::Sight;
use embley_store::facts::users::Actor;
use embley_store::{Access, Case};

use crate::args::{
    Args, AuditCommand, CodingCommand, Command, DisclosureCommand, ExhibitCommand, IndicatorsCommand, NoteCommand,
    PeopleCommand, PrivilegeCommand, RecordsCommand, ReviewCommand, SavedCommand, TagCommand, UserCommand,
};
use crate::context;

/// Refuses a command that no role of the actor may run in this case.
pub(crate) fn check(args: &Args) -> anyhow::Result<()> {
    let Some(task) = task_of(&args.command) else {
        return Ok(());
    };
    let case = Case::open(&context::case_dir(args)?, Access::Read)?;
    let actor = Actor::find(case.reader_as(Sight::Whole)?.facts(), &context::actor(args))?;
    // What may be privileged leaves the case by a privilege reviewer alone. Without users there is none: `commands::export` asks the case.
    let asks_for_privileged = matches!(&args.command, Command::Export(asked) if !asked.privileged.is_empty());
    actor.require(if asks_for_privileged && actor.in_force() {
        Task::Quarantine
    } else {
        task
    })?;
    Ok(())
}

/// What a command does; `None` for what looks into no case.
fn task_of(command: &Command) -> Option<Task> {
    let task = match command {
        Command::Init(_) | Command::Doctor(_) | Command::Demo(_) | Command::Worker(_) => return None,
        Command::Bench(bench) if bench.queries => Task::Look,
        Command::Bench(_) => return None,
        Command::Ingest(_) | Command::Reindex(_) => Task::Ingest,
        Command::Status(_) | Command::Runs(_) => Task::Status,
        Command::Exceptions(asked) if asked.retry => Task::Ingest,
        Command::Exceptions(_) => Task::Status,
        Command::Verify(_) | Command::History(_) | Command::Replay(_) => Task::Audit,
        Command::Audit(audit) => match audit {
            AuditCommand::List { .. }
            | AuditCommand::Verify { .. }
            | AuditCommand::Prove { .. }
            | AuditCommand::Restart { .. }
            | AuditCommand::Checkpoint { .. } => Task::Audit,
        },
        Command::Journal(_) => Task::Look,
        Command::Search(_)
        | Command::Terms(_)
        | Command::Certificate(_)
        | Command::Sample(_)
        | Command::Show(_)
        | Command::Timeline(_)
        | Command::DipSample(_) => Task::Look,
        Command::Saved(saved) => match saved {
            SavedCommand::List(_) | SavedCommand::Show { .. } => Task::Look,
            SavedCommand::Add(_) | SavedCommand::Change(_) | SavedCommand::Remove { .. } | SavedCommand::Run(_) => {
                Task::Investigate
            }
        },
        Command::Records(records) => match records {
            RecordsCommand::Maps { .. } => return None,
            RecordsCommand::Import(import) if import.dry_run => Task::Look,
            RecordsCommand::Import(_) => Task::Ingest,
            RecordsCommand::List { .. }
            | RecordsCommand::History { .. }
            | RecordsCommand::Changes(_)
            | RecordsCommand::Links { .. }
            | RecordsCommand::CaseLinks { .. } => Task::Look,
            RecordsCommand::Link { .. } | RecordsCommand::CaseLink { .. } => Task::Investigate,
        },
        Command::People(people) => match people {
            PeopleCommand::List { .. }
            | PeopleCommand::Show { .. }
            | PeopleCommand::Suggest { .. }
            | PeopleCommand::Mentions { .. } => Task::Look,
            PeopleCommand::Merge { .. }
            | PeopleCommand::Split { .. }
            | PeopleCommand::Alias(_)
            | PeopleCommand::Mention { .. } => Task::Investigate,
        },
        Command::Exhibit(exhibit) => match exhibit {
            ExhibitCommand::List { .. } | ExhibitCommand::Show { .. } | ExhibitCommand::History { .. } => Task::Look,
            ExhibitCommand::Continuity(asked) if asked.add.is_none() => Task::Look,
            ExhibitCommand::Add { .. }
            | ExhibitCommand::Remove { .. }
            | ExhibitCommand::File { .. }
            | ExhibitCommand::Link { .. }
            | ExhibitCommand::Unlink { .. }
            | ExhibitCommand::Continuity { .. }
            | ExhibitCommand::Label { .. } => Task::Exhibits,
        },
        Command::Tag(tag) => match tag {
            TagCommand::List { .. } | TagCommand::History { .. } => Task::Look,
            TagCommand::Add { .. }
            | TagCommand::Remove { .. }
            | TagCommand::Undo { .. }
            | TagCommand::Set { .. }
            | TagCommand::Colour { .. } => Task::Review,
        },
        Command::Note(note) => match note {
            NoteCommand::List { .. } => Task::Look,
            NoteCommand::Add { .. } | NoteCommand::Edit { .. } | NoteCommand::Withdraw { .. } => Task::Review,
        },
        Command::Batch(_) => Task::Review,
        Command::Coding(coding) => match coding {
            CodingCommand::Forms { .. } | CodingCommand::List { .. } | CodingCommand::Compare { .. } => Task::Look,
            CodingCommand::Set { .. } => Task::Review,
        },
        Command::Disclosure(disclosure) => match disclosure {
            DisclosureCommand::List { .. } | DisclosureCommand::History { .. } => Task::Look,
            DisclosureCommand::Set { .. } | DisclosureCommand::Clear { .. } | DisclosureCommand::Describe { .. } => {
                Task::Disclose
            }
        },
        Command::Schedule(_) | Command::Export(_) => Task::Disclose,
        Command::VerifyExport(_) => return None,
        Command::Review(review) => match review {
            ReviewCommand::List(_) => Task::Look,
            ReviewCommand::Set { .. } | ReviewCommand::Clear { .. } | ReviewCommand::Undo { .. } => Task::Review,
        },
        Command::Privilege(privilege) => match privilege {
            PrivilegeCommand::List(_) => Task::Look,
            PrivilegeCommand::Mark { .. } | PrivilegeCommand::Unmark { .. } | PrivilegeCommand::Undo { .. } => {
                Task::MarkPrivilege
            }
            PrivilegeCommand::AddTerms { .. }
            | PrivilegeCommand::EndTerm { .. }
            | PrivilegeCommand::Terms(_)
            | PrivilegeCommand::Screen
            | PrivilegeCommand::Release { .. }
            | PrivilegeCommand::History(_) => Task::Quarantine,
        },
        Command::Indicators(asked) => match &asked.command {
            Some(IndicatorsCommand::Conclude { .. }) => Task::Investigate,
            Some(
                IndicatorsCommand::Export { .. } | IndicatorsCommand::Runs { .. } | IndicatorsCommand::Phrases { .. },
            )
            | None => Task::Look,
        },
        Command::User(user) => match user {
            UserCommand::Roles(_) => return None,
            UserCommand::List { .. } => Task::Status,
            UserCommand::Add { .. } | UserCommand::Role { .. } | UserCommand::Disable { .. } => Task::Users,
        },
    };
    Some(task)
}
