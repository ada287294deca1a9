//! What can be typed after `people`.

use clap::{Args as ClapArgs, Subcommand};

use super::{LimitArgs, ListArgs, SaidLinkArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Everybody on record, with the ids that were merged
    List {
        /// Only those of whom an id, name or address begins so
        beginning: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// One person: ids, addresses with their times, ranks, postings, line managers, and what was decided about them
    Show {
        /// An id, name or address
        person: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Who might be one person, with reasons; nothing is merged
    Suggest {
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Says that an id or address is a person on record
    Merge {
        /// The id or address
        person: String,
        /// The id that stands for both
        into: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Says that an id stands alone: takes back every merge of it
    Split {
        /// The id or address
        person: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Says that an address or name is somebody's, from one day to another
    Alias(AliasArgs),
    /// Items whose text names somebody: where, how surely, and what somebody said about it
    Mentions {
        /// An id, name or address of somebody on record
        person: String,
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Says that an item names somebody, or does not
    Mention {
        /// An id, name or address of somebody on record
        person: String,
        #[command(flatten)]
        said: SaidLinkArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AliasArgs {
    /// The id of the person
    pub(crate) person: String,
    /// The address or name
    pub(crate) value: String,
    /// What it is
    #[arg(long, value_parser = ["smtp", "x500", "display", "initials"], default_value = "smtp")]
    pub(crate) kind: String,
    /// Theirs from this day on (YYYY-MM-DD)
    #[arg(long, default_value = "", value_name = "DAY")]
    pub(crate) from: String,
    /// Theirs until this day
    #[arg(long, default_value = "", value_name = "DAY")]
    pub(crate) until: String,
    /// It is not theirs: takes it away
    #[arg(long)]
    pub(crate) remove: bool,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
}
