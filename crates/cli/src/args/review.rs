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
    /// All review states and how many items are in them
    List(ListArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrivilegeCommand {
    /// Marks items as possibly privileged, as one event; nobody is kept from seeing them by it
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
    /// All marks and how many items they hold
    List(ListArgs),
}
