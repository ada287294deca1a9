//! What can be typed after `saved` and `history`.

use clap::{Args as ClapArgs, Subcommand};

use super::{LimitArgs, ListArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum SavedCommand {
    /// Saves a search under a name; from then on every ingest says what new hits it has
    Add(AskedArgs),
    /// Gives a saved search another query; what it asked before stays on record
    Change(AskedArgs),
    /// Ends a saved search; it stays on record
    Remove {
        /// Its name
        name: String,
    },
    /// All saved searches, with what the last run found and what is new since
    List(ListArgs),
    /// One saved search: what it asked in each version, and what each run found
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Runs a saved search; later alerts count against this run
    Run(SavedRunArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AskedArgs {
    /// Its name; case does not matter
    pub(crate) name: String,
    /// The query, in the words of `docs/search-language.md`
    pub(crate) query: String,
    /// What is counted: items, (item, custodian) pairs, or instances
    #[arg(long, value_parser = ["global", "custodian", "instance"], default_value = "global")]
    pub(crate) scope: String,
    /// What AND, OR and NOT act on: items, or families
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// What it is for
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SavedRunArgs {
    /// Its name
    pub(crate) name: String,
    /// Only hits that the last run had not
    #[arg(long)]
    pub(crate) new: bool,
    /// Leave the last run as it is: what is new stays new (so does --count)
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print only the number of hits
    #[arg(long)]
    pub(crate) count: bool,
    /// No snippets
    #[arg(long)]
    pub(crate) no_snippets: bool,
    /// Order: date, -date or relevance
    #[arg(long, value_parser = ["date", "-date", "relevance"], default_value = "date", allow_hyphen_values = true)]
    pub(crate) sort: String,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
