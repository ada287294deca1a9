//! Arguments of `embley disclosure` and `embley schedule`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{ListArgs, TargetArgs};

/// What is decided about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DisclosureState {
    /// Not relevant to the investigation
    NotRelevant,
    /// Relevant; not yet decided whether it is used
    Relevant,
    /// Part of the prosecution's case
    Used,
    /// Relevant, unused, not sensitive: for the MG6C
    Unused,
    /// Relevant, unused, sensitive: for the MG6D; needs a reason
    Sensitive,
    /// May undermine the prosecution's case or assist the defence; needs a reason
    MeetsTest,
    /// Looked at for that; it does not
    FailsTest,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DisclosureCommand {
    /// Puts a decision about items on record
    Set {
        /// The decision
        #[arg(value_enum)]
        state: DisclosureState,
        #[command(flatten)]
        target: TargetArgs,
        /// Why; goes on the MG6D or MG6E
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Takes the status of items away; with --test, the answer to the disclosure test
    Clear {
        #[command(flatten)]
        target: TargetArgs,
        /// The answer to the disclosure test in place of the status
        #[arg(long)]
        test: bool,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// How many items are in each state
    List(ListArgs),
    /// All decisions, oldest first: who, when, before, after, why
    History {
        /// Only those about this item
        item: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Describes an item on schedules in words of your own
    Describe {
        /// The item
        item: String,
        /// The words
        words: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Non-sensitive unused material, each item described and numbered on from the last schedule
    Mg6c(ScheduleArgs),
    /// Sensitive unused material with reasons; never to the defence
    Mg6d(ScheduleArgs),
    /// The disclosure officer's report
    Mg6e(ScheduleArgs),
    /// The exhibit list
    Mg12(ScheduleArgs),
    /// All issued schedules
    List(ListArgs),
}

/// A form of file that a schedule is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleForm {
    /// Cells
    Csv,
    /// A page to print
    Html,
    /// PDF
    Pdf,
    /// Everything, as it is kept
    Json,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ScheduleArgs {
    /// Issue it: it gets its numbers, is kept, and never changes (without: a draft, of which nothing is kept)
    #[arg(long)]
    pub(crate) issue: bool,
    /// Show the issued one with this number, as it was issued
    #[arg(long, value_name = "N", conflicts_with = "issue")]
    pub(crate) show: Option<u64>,
    /// The disclosure officer who will sign
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) officer: String,
    /// Write it to a folder too: not there yet, or empty, and outside of the case
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// With --out: in which forms (default: all)
    #[arg(
        long = "as",
        value_name = "FORM",
        value_enum,
        requires = "out",
        value_delimiter = ','
    )]
    pub(crate) forms: Vec<ScheduleForm>,
    /// The private key that signs the folder; else EMBLEY_KEY, else one of your own, made on first use
    #[arg(long, value_name = "FILE", env = "EMBLEY_KEY")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
