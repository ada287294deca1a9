//! What can be typed after `exhibit`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{LimitArgs, ListArgs, TargetArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ExhibitCommand {
    /// Makes an exhibit, or adds items, files and parts of items to one
    Add(Box<ExhibitAddArgs>),
    /// Takes items, files or parts out of an exhibit; all of it stays on record
    Remove(ExhibitRemoveArgs),
    /// The register: exhibits, statements, documents, reports, messages
    List {
        /// Only this kind
        #[arg(long, value_parser = ["exhibit", "statement", "document", "report", "message"])]
        kind: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// One exhibit: the register, items, files, custody with its gaps, cases, decisions, its places on timelines
    Show {
        #[command(flatten)]
        which: WhichExhibit,
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Writes a file of an exhibit, checked against its hash
    File {
        #[command(flatten)]
        which: WhichExhibit,
        /// Number of the file, or its SHA-256 or the beginning of it
        file: String,
    },
    /// Ties an exhibit to a case or a decision
    Link(ExhibitLinkArgs),
    /// Ends such a tie; it stays on record
    Unlink(ExhibitLinkArgs),
    /// Who had it, under which seal and hash; adds an entry, or shows and prints all of them with what does not fit together
    Continuity(Box<ContinuityArgs>),
    /// Writes labels as a page to print
    Label {
        /// Exhibits; all of them with --all
        references: Vec<String>,
        /// Every exhibit of the register
        #[arg(long, conflicts_with = "references")]
        all: bool,
        /// Who produces it, when two share initials
        #[arg(long, value_name = "NAME")]
        produced_by: Option<String>,
        /// Write to this new file instead of stdout
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Every change of an exhibit: who, when, before, after
    History {
        #[command(flatten)]
        which: WhichExhibit,
        #[command(flatten)]
        list: ListArgs,
    },
}

/// Which exhibit is meant.
#[derive(Debug, ClapArgs)]
pub(crate) struct WhichExhibit {
    /// The reference: `JS/1`, `JS/1/2`, `S1`
    pub(crate) reference: String,
    /// Who produces it, when two share initials
    #[arg(long, value_name = "NAME")]
    pub(crate) produced_by: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExhibitAddArgs {
    /// Producer's initials and a number, `JS/1` or `JS/1/2`; S1, D1, R1, M1 for statements, documents, reports, messages; `+` in place of a number for the next
    /// free one: `JS/+`, `S+`
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Who produces it
    #[arg(long, value_name = "NAME")]
    pub(crate) produced_by: Option<String>,
    /// When it was produced: RFC 3339, a day, or a day and time in the zone of the case
    #[arg(long, value_name = "TIME")]
    pub(crate) produced_on: Option<String>,
    /// What it is
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// Who found it
    #[arg(long, value_name = "NAME")]
    pub(crate) found_by: Option<String>,
    /// When it was found
    #[arg(long, value_name = "TIME")]
    pub(crate) found_on: Option<String>,
    /// Where it was found
    #[arg(long, value_name = "PLACE")]
    pub(crate) found_at: Option<String>,
    /// Who booked it in
    #[arg(long, value_name = "NAME")]
    pub(crate) booked_in_by: Option<String>,
    /// When it was booked in
    #[arg(long, value_name = "TIME")]
    pub(crate) booked_in_on: Option<String>,
    /// Where it is kept
    #[arg(long, value_name = "PLACE")]
    pub(crate) kept_at: Option<String>,
    /// One thing or many, in words
    #[arg(long)]
    pub(crate) quantity: Option<String>,
    /// A file from outside: copied into the case, hashed, never changed; may be given again
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// A page of the one item named
    #[arg(long, value_name = "N")]
    pub(crate) page: Option<u32>,
    /// These words of the text of the one item named; it must hold them once
    #[arg(long, value_name = "TEXT", conflicts_with = "bytes")]
    pub(crate) quote: Option<String>,
    /// These UTF-8 bytes of the text of the one item named (`show ITEM --text`), `FIRST..LAST`, the last one not included
    #[arg(long, value_name = "FIRST..LAST")]
    pub(crate) bytes: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExhibitRemoveArgs {
    /// The reference
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Number of a file; may be given again
    #[arg(long, value_name = "N")]
    pub(crate) file: Vec<i64>,
    /// Number of a part; may be given again
    #[arg(long, value_name = "N")]
    pub(crate) part: Vec<i64>,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Who produces it, when two share initials
    #[arg(long, value_name = "NAME")]
    pub(crate) produced_by: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExhibitLinkArgs {
    /// The exhibit
    pub(crate) reference: String,
    /// The case, or a decision as `dec:SYSTEM/ID`
    pub(crate) case_ref: String,
    /// Why
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Who produces it, when two share initials
    #[arg(long, value_name = "NAME")]
    pub(crate) produced_by: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ContinuityArgs {
    #[command(flatten)]
    pub(crate) which: WhichExhibit,
    /// Adds an entry: seized, received, copied, examined, stored, transferred, returned, destroyed; withdrawn with --corrects
    #[arg(long, value_name = "ACTION", conflicts_with = "html", value_parser = ["seized", "received", "copied", "examined", "stored", "transferred",
        "returned", "destroyed", "withdrawn"])]
    pub(crate) add: Option<String>,
    /// When, or since when (default: now): RFC 3339, a day, or a day and time in the zone of the case
    #[arg(long, value_name = "TIME", requires = "add")]
    pub(crate) at: Option<String>,
    /// Until when it speaks for the exhibit (default: until the next entry)
    #[arg(long, value_name = "TIME", requires = "add")]
    pub(crate) until: Option<String>,
    /// Who did it (default: who enters it)
    #[arg(long, value_name = "NAME", requires = "add")]
    pub(crate) by: Option<String>,
    /// Who handed it over
    #[arg(long, value_name = "NAME", default_value = "", requires = "add")]
    pub(crate) from: String,
    /// Who has it afterwards (default: who did it)
    #[arg(long, value_name = "NAME", default_value = "", requires = "add")]
    pub(crate) to: String,
    /// Where
    #[arg(long, default_value = "", requires = "add")]
    pub(crate) place: String,
    /// Seal that was found
    #[arg(long, default_value = "", requires = "add")]
    pub(crate) seal_before: String,
    /// Seal that was put on
    #[arg(long, default_value = "", requires = "add")]
    pub(crate) seal_after: String,
    /// Hash that was found: SHA-256, SHA-1 or MD5
    #[arg(long, default_value = "", requires = "add")]
    pub(crate) hash_before: String,
    /// Hash afterwards
    #[arg(long, default_value = "", requires = "add")]
    pub(crate) hash_after: String,
    /// Anything else
    #[arg(long, default_value = "", requires = "add")]
    pub(crate) note: String,
    /// Number of the entry that this one corrects; both stay
    #[arg(long, value_name = "N", requires = "add")]
    pub(crate) corrects: Option<i64>,
    /// Write a statement of continuity as a page to print
    #[arg(long)]
    pub(crate) html: bool,
    /// With --html: write to this new file instead of stdout
    #[arg(long, value_name = "FILE", requires = "html")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
