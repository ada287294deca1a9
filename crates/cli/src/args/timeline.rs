//! What can be typed after `timeline`, and after `records` about links.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::{Format, LimitArgs, ListArgs};

/// How a timeline is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimelineFormat {
    /// For people
    Table,
    /// One document with a schema number
    Json,
    /// One object a line, entries and marks in one order
    Jsonl,
    /// Comma-separated values, with everything that a table leaves out
    Csv,
    /// One page that needs nothing else: a drawing and a table
    Html,
}

impl TimelineFormat {
    /// The format of lists; `None` for a page.
    pub(crate) fn of_lists(self) -> Option<Format> {
        match self {
            Self::Table => Some(Format::Table),
            Self::Json => Some(Format::Json),
            Self::Jsonl => Some(Format::Jsonl),
            Self::Csv => Some(Format::Csv),
            Self::Html => None,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TimelineArgs {
    /// The case reference; without one, --person says whose timeline over all cases
    #[arg(required_unless_present = "person")]
    pub(crate) case_ref: Option<String>,
    /// From this day (YYYY-MM-DD)
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// To this day, included
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Only what this person has part in: an id, name or address
    #[arg(long, value_name = "P")]
    pub(crate) person: Option<String>,
    /// Only entries of these kinds, comma-separated, such as `decision,role-start,email`
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,
    /// So many days without an entry, while the case is open, are marked as a gap
    #[arg(long, value_name = "N", default_value_t = embley_casework::timeline::GAP_DAYS)]
    pub(crate) gap_days: u32,
    /// With --person alone: also messages that name no case on record
    #[arg(long, conflicts_with = "case_ref")]
    pub(crate) all_mail: bool,
    /// Also write the page to this new file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// How to print (default: table on a terminal, else json)
    #[arg(long, value_enum)]
    pub(crate) format: Option<TimelineFormat>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct LinkArgs {
    /// The document on record: its item, or `doc:SYSTEM/ID`
    pub(crate) document: String,
    /// The attachment, file or message
    pub(crate) item: String,
    /// They are not the same document
    #[arg(long = "not")]
    pub(crate) is_not: bool,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct LinksArgs {
    /// Only documents of this case
    #[arg(long = "in", value_name = "CASE_REF")]
    pub(crate) case_ref: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
