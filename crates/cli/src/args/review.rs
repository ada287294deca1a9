//! Arguments of `embley review` and `embley privilege`.

use clap::Subcommand;

use super::{ListArgs, TargetArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// Gives items a review state, as one change; they leave the state they had
    Set {
        /// The state: relevant, not-relevant, needs-second-look, or a name of your own
        state: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Takes their review state from items, as one change
    Clear {
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Takes a change of review states back, by its event: items get the state that they had; what was changed again later stays
    Undo {
        /// The event, as `review set` and `journal` say it
        event: i64,
        /// Why
        #[arg(long, default_value = "")]
        note: String,
    },
    /// All review states and how many items are in them
    List(ListArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrivilegeCommand {
    /// Marks items as possibly privileged, as one event; nobody is kept from seeing them by it (a term `privilege:NAME` does that)
    Mark {
        /// The mark, such as `legal`
        name: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Takes a mark off items, as one event
    Unmark {
        /// The mark
        name: String,
        #[command(flatten)]
        target: TargetArgs,
    },
    /// Takes a change of a mark back, by its event; what was changed again later stays
    Undo {
        /// The event, as `privilege mark` and `journal` say it
        event: i64,
        /// Why
        #[arg(long, default_value = "")]
        note: String,
    },
    /// All marks and how many items they hold
    List(ListArgs),
    /// Adds terms of privilege; from the first one on, new material is held back until it is screened (privilege reviewers)
    AddTerms {
        /// A file with one query a line, or a query
        #[arg(value_name = "FILE|QUERY")]
        terms: String,
    },
    /// Ends a term; what it put into quarantine stays there until it is released (privilege reviewers)
    EndTerm {
        /// The query, as it was added
        query: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// The terms in use (privilege reviewers)
    Terms(ListArgs),
    /// Runs all terms; what they hit goes into quarantine with its copies and families (privilege reviewers)
    Screen,
    /// Puts on record that independent counsel released items (privilege reviewers)
    Release {
        #[command(flatten)]
        target: TargetArgs,
        /// Counsel who released them
        #[arg(long, value_name = "COUNSEL")]
        by: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// With all members of their families
        #[arg(long)]
        families: bool,
    },
    /// Every screening and release: who, when, what, before and after (privilege reviewers)
    History(ListArgs),
}
