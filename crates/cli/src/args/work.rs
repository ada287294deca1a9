//! What can be typed after `tag`, `note`, `batch`, `coding` and `journal`.

use clap::{Args as ClapArgs, Subcommand};

use super::{LimitArgs, ListArgs, TargetArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum TagCommand {
    /// Puts a tag on items, as one event
    Add {
        /// The tag
        tag: String,
        #[command(flatten)]
        target: TargetArgs,
        /// Why; some sets of tags ask for it
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Takes a tag off items, as one event
    Remove {
        /// The tag
        tag: String,
        #[command(flatten)]
        target: TargetArgs,
        /// Why; some sets of tags ask for it
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Takes a change of a tag back, by its event; what was changed again later stays
    Undo {
        /// The event, as `tag add` and `tag history` say it
        event: i64,
        /// Why
        #[arg(long, default_value = "")]
        note: String,
    },
    /// All tags, their sets and colours, and how many items they hold
    List(ListArgs),
    /// Makes a set of tags or changes its rules
    Set {
        /// Its name
        name: String,
        /// Tags that belong to it from now on; may be given again
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// Tags that belong to no set from now on; may be given again
        #[arg(long, value_name = "TAG")]
        without: Vec<String>,
        /// A name such as red, or #rrggbb
        #[arg(long)]
        colour: Option<String>,
        /// Of its tags an item carries one at most: a new one takes the place of the old one
        #[arg(long, value_name = "YES|NO", value_parser = yes_no)]
        exclusive: Option<bool>,
        /// A change of its tags has a note
        #[arg(long, value_name = "YES|NO", value_parser = yes_no)]
        note_required: Option<bool>,
    },
    /// Gives a tag a colour of its own
    Colour {
        /// The tag
        tag: String,
        /// A name such as red, or #rrggbb; empty for that of its set
        colour: String,
    },
    /// Every change of tags and their rules: who, when, what
    History {
        /// Only this tag
        tag: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
}

fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}

/// What a note is on.
#[derive(Debug, ClapArgs)]
pub(crate) struct NoteOn {
    /// An item
    #[arg(required_unless_present = "exhibit")]
    pub(crate) item: Option<String>,
    /// An exhibit in place of an item
    #[arg(long, value_name = "REFERENCE", conflicts_with = "item")]
    pub(crate) exhibit: Option<String>,
    /// Who produces the exhibit, when two share initials
    #[arg(long, value_name = "NAME", requires = "exhibit")]
    pub(crate) produced_by: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoteCommand {
    /// Makes a note on an item or exhibit
    Add {
        #[command(flatten)]
        on: NoteOn,
        /// What it says
        #[arg(long)]
        text: String,
    },
    /// Gives a note a new text; the old one stays on record
    Edit {
        /// Number of the note
        note: i64,
        /// What it says from now on
        #[arg(long)]
        text: String,
    },
    /// Withdraws a note; all of it stays on record
    Withdraw {
        /// Number of the note
        note: i64,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Notes: all of them, or those on an item or exhibit
    List {
        /// Only on this item
        item: Option<String>,
        /// Only on this exhibit
        #[arg(long, value_name = "REFERENCE", conflicts_with = "item")]
        exhibit: Option<String>,
        /// Who produces the exhibit, when two share initials
        #[arg(long, value_name = "NAME", requires = "exhibit")]
        produced_by: Option<String>,
        /// Earlier versions and withdrawn notes too
        #[arg(long)]
        history: bool,
        #[command(flatten)]
        list: ListArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Cuts the hits of a query into batches for reviewers
    Create {
        /// Name of the review
        name: String,
        /// What is to be reviewed
        #[arg(long)]
        query: String,
        /// Most items of a batch
        #[arg(long, value_name = "N")]
        size: u64,
        /// item; or family: whole families, which are not divided between batches
        #[arg(long, value_parser = ["item", "family"], default_value = "item")]
        level: String,
        /// Coding form; every item is coded by it before a batch is done
        #[arg(long, default_value = "")]
        form: String,
        /// Take items too that another review holds
        #[arg(long)]
        again: bool,
    },
    /// Takes the next open batch, or this one; nobody else gets it
    Checkout {
        /// Number of a batch
        batch: Option<i64>,
        /// Only of this review
        #[arg(long, value_name = "NAME", conflicts_with = "batch")]
        review: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Gives a batch back unfinished; of somebody else's batch with --note
    Release {
        /// Number of the batch
        batch: i64,
        /// Why
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Finishes a batch, when all of it is coded
    Done {
        /// Number of the batch
        batch: i64,
        /// Anything to say
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Opens a finished batch again for who finished it
    Reopen {
        /// Number of the batch
        batch: i64,
        /// Why
        #[arg(long)]
        note: String,
    },
    /// Makes batches of what was coded in finished batches, for other reviewers
    Second {
        /// Name of the review
        name: String,
        /// Everything
        #[arg(long, required_unless_present = "sample")]
        all: bool,
        /// So many items, drawn by the seed
        #[arg(long, value_name = "N", conflicts_with = "all", requires = "seed")]
        sample: Option<u64>,
        /// Decides which items are drawn
        #[arg(long)]
        seed: Option<String>,
        /// Most items of a batch
        #[arg(long, value_name = "N", default_value_t = 100)]
        size: u64,
        #[command(flatten)]
        list: ListArgs,
    },
    /// All batches, and who has them
    List {
        /// Only of this review
        #[arg(long, value_name = "NAME")]
        review: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// The items of a batch, with your own codings
    Show {
        /// Number of the batch
        batch: i64,
        #[command(flatten)]
        list: ListArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CodingCommand {
    /// The forms, or the fields of one
    Forms {
        /// Only this one
        form: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Answers a form for items
    Set {
        #[command(flatten)]
        target: TargetArgs,
        /// The form
        #[arg(long)]
        form: String,
        /// An answer; choices that go together are separated by `;`
        #[arg(long = "answer", value_name = "FIELD=VALUE", required = true)]
        answers: Vec<String>,
        /// The batch that they are in
        #[arg(long, value_name = "N")]
        batch: Option<i64>,
    },
    /// Codings that hold, or with --history all of them
    List {
        /// Only of this item
        item: Option<String>,
        /// Only by this form
        #[arg(long)]
        form: Option<String>,
        /// Only by this reviewer
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Those that were replaced too
        #[arg(long)]
        history: bool,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Where reviewers of the same items differ, with rates and intervals
    Compare {
        /// The form
        #[arg(long)]
        form: String,
        /// Only codings in batches of this review
        #[arg(long, value_name = "NAME")]
        review: Option<String>,
        /// How sure the intervals are
        #[arg(long, default_value_t = 0.95)]
        confidence: f64,
        #[command(flatten)]
        limit: LimitArgs,
        #[command(flatten)]
        list: ListArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JournalArgs {
    /// Only this kind: tag, tag-rule, exhibit, exhibit-items, exhibit-file, link, continuity, privilege, review, note, batch, coding
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only about this item
    #[arg(long, value_name = "ITEM")]
    pub(crate) item: Option<String>,
    /// Only about this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Only about this exhibit
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) exhibit: Option<String>,
    /// Only by this person
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
