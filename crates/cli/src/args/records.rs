//! What can be typed after `records`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{LimitArgs, LinkArgs, LinksArgs, ListArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum RecordsCommand {
    /// Takes in files of records: JSON Lines, CSV (also .gz), XLSX
    Import(ImportArgs),
    /// All records
    List {
        /// Only this type
        #[arg(long = "type", value_name = "T")]
        record_type: Option<String>,
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// What one record said in each import, field by field
    History {
        /// The record: its item, or its printed id such as `dec:SYSTEM/ID`
        record: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Field maps that are part of the program, or the text of one
    Maps {
        /// Prints this map, to be copied and changed
        #[arg(long, value_name = "NAME")]
        show: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Decisions followed by another one about the same thing, such as recommended and final findings
    Changes(ChangesArgs),
    /// Documents on record and the attachments that are the same: found by bytes and words, or said by somebody
    Links(LinksArgs),
    /// Says that an attachment is a document on record, or is not
    Link(LinkArgs),
    /// Items that name a case: where, how surely, and what somebody said about it
    CaseLinks {
        /// The case, by one of its references
        case_ref: String,
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Says that an item is about a case, or is not
    CaseLink {
        /// The case, by one of its references
        case_ref: String,
        #[command(flatten)]
        said: SaidLinkArgs,
    },
}

/// What somebody says of a link that rests on a text.
#[derive(Debug, ClapArgs)]
pub(crate) struct SaidLinkArgs {
    /// The message, attachment or file
    pub(crate) item: String,
    /// It is not; of a message, its parts are not either
    #[arg(long = "not")]
    pub(crate) is_not: bool,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ImportArgs {
    /// The files; the links to cases are renewed once, after the last one
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The field map: a name of `records maps`, or a file
    #[arg(long, default_value = "canonical")]
    pub(crate) mapping: String,
    /// The input of the map that the files are, when their names do not tell
    #[arg(long, value_name = "NAME")]
    pub(crate) input: Option<String>,
    /// The sheet of a workbook, in place of the map's
    #[arg(long, value_name = "NAME")]
    pub(crate) sheet: Option<String>,
    /// The record type, when columns are named as fields and the rows do not say it themselves
    #[arg(long = "type", value_name = "T")]
    pub(crate) record_type: Option<String>,
    /// Says what would be imported and what maps to what; writes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How a dry run is printed (default: tables on a terminal, else json)
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ChangesArgs {
    /// Only decisions of this kind, such as severity_assessment (its revisions included); may be repeated
    #[arg(long = "type", value_name = "T")]
    pub(crate) decision_types: Vec<String>,
    /// Only this case
    #[arg(long = "in", value_name = "CASE_REF")]
    pub(crate) case_ref: Option<String>,
    /// Only decisions of this source system
    #[arg(long, value_name = "S")]
    pub(crate) system: Option<String>,
    /// Only pairs in which outcome or sanction changed
    #[arg(long)]
    pub(crate) changed: bool,
    /// How often each outcome was followed by which, in place of the pairs
    #[arg(long)]
    pub(crate) counts: bool,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
