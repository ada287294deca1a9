//! What can be typed. Nothing is opened or looked up here.

mod audit;
mod exhibits;
mod export;
mod facets;
mod indicators;
mod people;
mod records;
mod reports;
mod review;
mod saved;
mod schedule;
mod timeline;
mod users;
mod work;

use std::path::PathBuf;

pub(crate) use self::audit::{AuditCheckpointArgs, AuditCommand, AuditListArgs, AuditProveArgs, AuditVerifyArgs};
pub(crate) use self::export::{ExportArgs, ExportForm, VerifyExportArgs};
pub(crate) use self::indicators::{
    DipSampleArgs, ExportFormat, IndicatorsArgs, IndicatorsCommand, PhrasesArgs, RunArgs,
};
pub(crate) use self::people::{AliasArgs, PeopleCommand};
pub(crate) use self::records::{ChangesArgs, ImportArgs, RecordsCommand, SaidLinkArgs};
pub(crate) use self::saved::{AskedArgs, HistoryArgs, SavedCommand, SavedRunArgs};
pub(crate) use self::schedule::{DisclosureCommand, DisclosureState, ScheduleArgs, ScheduleCommand, ScheduleForm};
pub(crate) use self::timeline::{LinkArgs, LinksArgs, TimelineArgs, TimelineFormat};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use self::exhibits::{
    ContinuityArgs, ExhibitAddArgs, ExhibitCommand, ExhibitLinkArgs, ExhibitRemoveArgs, WhichExhibit,
};
pub(crate) use self::facets::FacetLimit;
pub(crate) use self::reports::{CertificateArgs, ReplayArgs, SampleArgs, TermsArgs};
pub(crate) use self::review::{PrivilegeCommand, ReviewCommand};
pub(crate) use self::users::UserCommand;
pub(crate) use self::work::{BatchCommand, CodingCommand, JournalArgs, NoteCommand, NoteOn, TagCommand};

/// Evidence search: keeps every original, finds every word, and proves what was searched.
#[derive(Debug, Parser)]
#[command(name = "embley", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Args {
    /// The case folder; else EMBLEY_CASE, else the nearest folder upwards that holds case.toml
    #[arg(long, global = true, env = "EMBLEY_CASE", value_name = "DIR")]
    pub(crate) case: Option<PathBuf>,
    /// Who is acting; else EMBLEY_USER, else the login name
    #[arg(long, global = true, env = "EMBLEY_USER", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Look at a case whose audit log cannot be written, as on a read-only medium; each answer then says that it is not recorded
    #[arg(long, global = true)]
    pub(crate) no_audit: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How lists are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One document with a schema number
    Json,
    /// One object a line
    Jsonl,
    /// Comma-separated values
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a case
    Init(InitArgs),
    /// Takes in files, folders and mailboxes; resumes by itself; a second run finds nothing new
    Ingest(IngestArgs),
    /// Says what is in the case and whether all sums close
    Status(ListArgs),
    /// Earlier ingests
    #[command(subcommand)]
    Runs(RunsCommand),
    /// The exception register: what could not be read, and what is odd
    Exceptions(ExceptionsArgs),
    /// Finds items
    Search(SearchArgs),
    /// Searches that are kept: run again at will, and by themselves after each ingest
    #[command(subcommand)]
    Saved(SavedCommand),
    /// The searches that were run in this case
    History(HistoryArgs),
    /// Search term report: a list of queries with their hits, families and unique hits, by custodian
    Terms(TermsArgs),
    /// Writes a signed record of a search that another can repeat
    Certificate(CertificateArgs),
    /// Repeats the search of a certificate: the same, or what differs
    Replay(ReplayArgs),
    /// Draws a reproducible random sample of hits, or of what a query leaves out, with interval estimates
    Sample(SampleArgs),
    /// Shows one item
    Show(ShowArgs),
    /// Case-system records
    #[command(subcommand)]
    Records(RecordsCommand),
    /// People: who is who, by records, mail and what somebody decided
    #[command(subcommand)]
    People(PeopleCommand),
    /// Exhibits
    #[command(subcommand)]
    Exhibit(ExhibitCommand),
    /// Tags
    #[command(subcommand)]
    Tag(TagCommand),
    /// Notes on items and exhibits
    #[command(subcommand)]
    Note(NoteCommand),
    /// Review batches: parts of a query's hits that reviewers check out
    #[command(subcommand)]
    Batch(BatchCommand),
    /// Coding forms, answers, and where reviewers differ
    #[command(subcommand)]
    Coding(CodingCommand),
    /// Every change that people made to tags, exhibits, notes, batches and codings: who, when, before, after
    Journal(JournalArgs),
    /// Review states: relevant, not-relevant, ...
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Marks for what may be privileged; terms, screening and release of what is quarantined
    #[command(subcommand)]
    Privilege(PrivilegeCommand),
    /// What the disclosure officer decides about items: relevant, used, unused, sensitive
    #[command(subcommand)]
    Disclosure(DisclosureCommand),
    /// Disclosure schedules: MG6C, MG6D, MG6E, MG12
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Puts items into a folder that stands for itself: originals, lists, load files, pages
    Export(ExportArgs),
    /// Checks an exported folder, without the case
    VerifyExport(VerifyExportArgs),
    /// Who works in the case, and as what
    #[command(subcommand)]
    User(UserCommand),
    /// Decisions, roles, mail and exhibits of a case or a person in one order, as a list or as a page with a drawing
    Timeline(TimelineArgs),
    /// Places to look in case-system records, each with what speaks for and against it; concludes nothing
    Indicators(IndicatorsArgs),
    /// Cases drawn by a seed and checked against a list, with rates
    DipSample(DipSampleArgs),
    /// The audit log: everything that was looked at and changed, and proof that nobody changed the log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Checks the case folder
    Verify(VerifyArgs),
    /// Makes a new index from the store
    Reindex(ReindexArgs),
    /// Says what this machine offers and what is missing
    Doctor(ListArgs),
    /// Measures throughput on this machine
    Bench(BenchArgs),
    /// Makes, ingests and searches a worked example
    Demo(DemoArgs),
    /// Reads hostile formats for another process of this program, which starts it
    #[command(hide = true)]
    Worker(WorkerArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct InitArgs {
    /// The folder to make
    pub(crate) dir: PathBuf,
    /// Name of the case, for people
    #[arg(long)]
    pub(crate) name: String,
    /// Reference of the investigation
    #[arg(long)]
    pub(crate) reference: Option<String>,
    /// Time zone of date-only queries
    #[arg(long, default_value = "Europe/London")]
    pub(crate) zone: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct IngestArgs {
    /// Files, folders and mailboxes, in the order in which their items are numbered
    #[arg(required_unless_present = "manifest")]
    pub(crate) sources: Vec<PathBuf>,
    /// Who held them
    #[arg(long, conflicts_with = "custodian_from_path")]
    pub(crate) custodian: Option<String>,
    /// Take the custodian from the N-th component (from 1) of the path below the source
    #[arg(long, value_name = "N")]
    pub(crate) custodian_from_path: Option<u32>,
    /// A CSV of path, custodian, label: a batch of exports
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) manifest: Option<PathBuf>,
    /// Label of the source in the case (default: its base name)
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Leave out what matches this glob, on the path below the source; may be given again
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Leave out originals whose SHA-256 is in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) known_hashes: Option<PathBuf>,
    /// Accept a source under another custodian than before
    #[arg(long)]
    pub(crate) reassign: bool,
    /// Read every byte again, whatever size, time and inode say
    #[arg(long)]
    pub(crate) rehash: bool,
    /// Copy archives and stores of mail into the case too; else they are hashed and referenced where they lie
    #[arg(long)]
    pub(crate) keep_containers: bool,
    /// Open again whatever still hides text, such as after new passwords or a newer version
    #[arg(long)]
    pub(crate) retry: bool,
    /// Recognise the characters of images and of pages without text, after everything else (needs tesseract)
    #[arg(long, value_enum, default_value = "off")]
    pub(crate) ocr: OcrMode,
    /// With --ocr: languages, as tesseract names them
    #[arg(long, value_name = "LANGUAGES", default_value = "eng")]
    pub(crate) ocr_languages: String,
    /// Passwords to try on encrypted documents and containers, one a line; they are not kept
    #[arg(long, value_name = "FILE")]
    pub(crate) passwords: Option<PathBuf>,
    /// Private keys to try on encrypted mail (PEM, PKCS #12, OpenPGP; locked ones open with --passwords); may be given again; they are not kept
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Leave documents and containers closed: kept, hashed, and said to be not searchable
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Read messages without references again, so that quotations link them to what they answer too (slow; a case goes on doing it)
    #[arg(long)]
    pub(crate) compare_texts: bool,
    /// Worker threads (default: one a core)
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Budget in bytes for all that is in flight (k, M, G understood)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "1G")]
    pub(crate) memory: u64,
    /// How progress is shown
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) progress: ProgressKind,
    /// For tests of the reconciliation: the first entry of this unit is lost behind the splitter
    #[arg(long, hide = true)]
    pub(crate) test_lose_entry: Option<u64>,
    /// For tests of durability: input bytes between checkpoints
    #[arg(long, hide = true)]
    pub(crate) test_checkpoint_bytes: Option<u64>,
    /// For tests of durability: bytes of a range
    #[arg(long, hide = true)]
    pub(crate) test_range_bytes: Option<usize>,
    /// For tests of durability: heap of one worker's index segment
    #[arg(long, hide = true)]
    pub(crate) test_segment_bytes: Option<usize>,
}

/// When characters are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OcrMode {
    /// Never: what has no text says so
    Off,
    /// Where there is no text
    Auto,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressKind {
    /// Bars on a terminal, else plain
    Auto,
    /// Live bars
    Bar,
    /// A line every few seconds
    Plain,
    /// JSON lines on stderr
    Json,
    /// Nothing
    None,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// How to print (default: table on a terminal, else json)
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// All runs
    List(ListArgs),
    /// One run, with its settings and events
    Show {
        /// Run id
        id: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExceptionsArgs {
    /// Only this class: note, warning, loss, excepted
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// Open the items again that these lines are about (with --class, --type, --reader: only those)
    #[arg(long)]
    pub(crate) retry: bool,
    /// With --retry: items whose media type begins so
    #[arg(long = "type", value_name = "TYPE", requires = "retry")]
    pub(crate) media_type: Option<String>,
    /// With --retry: items opened by a reader whose name and version begin so, such as `zip/1`
    #[arg(long, value_name = "READER", requires = "retry")]
    pub(crate) reader: Option<String>,
    /// With --retry: passwords to try, one a line; they are not kept
    #[arg(long, value_name = "FILE", requires = "retry")]
    pub(crate) passwords: Option<PathBuf>,
    /// With --retry: private keys to try on encrypted mail, as in `ingest`; they are not kept
    #[arg(long, value_name = "FILE", requires = "retry")]
    pub(crate) keys: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct LimitArgs {
    /// At most this many (default: 20 on a terminal, else all)
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub(crate) limit: Option<u64>,
    /// All of them
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SearchArgs {
    /// The query, in the words of `docs/search-language.md`
    pub(crate) query: String,
    /// Print only the number of hits
    #[arg(long)]
    pub(crate) count: bool,
    /// Order: date, -date or relevance
    #[arg(long, value_parser = ["date", "-date", "relevance"], default_value = "date", allow_hyphen_values = true)]
    pub(crate) sort: String,
    /// Order by nearness in time to a date or range, the nearest first, such as 2012-05-14, 2012-05 or yesterday; each hit says how many days
    /// lie between. Nothing is left out; undated items come last
    #[arg(long, value_name = "DATE", conflicts_with = "sort", allow_hyphen_values = true)]
    pub(crate) near_date: Option<String>,
    /// With each hit what stands around it: the nearest decision of its cases before and after, the message that it answers and those that
    /// answer it, its family
    #[arg(long, conflicts_with_all = ["count", "not_searchable", "explain"])]
    pub(crate) context: bool,
    /// What is counted: items, (item, custodian) pairs, or instances
    #[arg(long, value_parser = ["global", "custodian", "instance"], default_value = "global")]
    pub(crate) scope: String,
    /// Count families that say the same as one: messages with the same sender, recipients, time, subject, text and attachments, however they were
    /// stored; the lowest item number is shown and names the others
    #[arg(long, value_name = "KEY", value_parser = ["email"], conflicts_with = "not_searchable")]
    pub(crate) fold: Option<String>,
    /// What AND, OR and NOT act on: items, or families, each leaf of the query being met by any member
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// List what the query may have missed because it was not searchable, with reasons and defects, in place of the hits
    #[arg(long, conflicts_with_all = ["facets", "explain"])]
    pub(crate) not_searchable: bool,
    /// Counts of the hits, comma-separated: custodian, sender, recipient, domain, type, language, year, month, day, case, exhibit, tag, defect, source, label,
    /// searchability, privilege, review
    #[arg(long, value_name = "LIST")]
    pub(crate) facets: Option<String>,
    /// Values of each facet that are listed, those with the most hits first, or `all`; the rest is counted
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) facet_limit: FacetLimit,
    /// Print the tree and the plan
    #[arg(long)]
    pub(crate) explain: bool,
    /// No snippets
    #[arg(long)]
    pub(crate) no_snippets: bool,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

impl SearchArgs {
    /// A plain search for this query.
    pub(crate) fn of(query: &str, limit: LimitArgs, list: ListArgs) -> Self {
        Self {
            query: query.to_owned(),
            count: false,
            sort: "date".to_owned(),
            near_date: None,
            context: false,
            fold: None,
            scope: "global".to_owned(),
            level: "item".to_owned(),
            not_searchable: false,
            facets: None,
            facet_limit: FacetLimit(Some(20)),
            explain: false,
            no_snippets: false,
            limit,
            list,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ShowArgs {
    /// Item number, item id or unique prefix of one
    pub(crate) item: String,
    /// The original bytes, exactly
    #[arg(long, group = "how")]
    pub(crate) raw: bool,
    /// With --raw: the slice as it stands in its container
    #[arg(long, requires = "raw")]
    pub(crate) as_found: bool,
    /// A message without raw bytes (of a PST, MSG or TNEF) rendered as mail, and marked as a rendering
    #[arg(long = "as", value_name = "FORM", group = "how", value_parser = ["eml"])]
    pub(crate) render: Option<String>,
    /// The text that is searched
    #[arg(long, group = "how")]
    pub(crate) text: bool,
    /// The header section as it stands
    #[arg(long, group = "how")]
    pub(crate) headers: bool,
    /// The family: parents and children
    #[arg(long, group = "how")]
    pub(crate) family: bool,
    /// Every place where it was found
    #[arg(long, group = "how")]
    pub(crate) instances: bool,
    /// Its thread as a tree: each link with its reason, missing messages, who holds what, altered quotations
    #[arg(long, group = "how")]
    pub(crate) thread: bool,
    /// With --thread: texts are not read, so nothing is said of inclusive messages and quotations
    #[arg(long, requires = "thread")]
    pub(crate) no_texts: bool,
    /// Its near-duplicates, with how alike they are
    #[arg(long, group = "how")]
    pub(crate) near: bool,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

/// Which items are meant.
#[derive(Debug, ClapArgs)]
pub(crate) struct TargetArgs {
    /// Item numbers or ids
    pub(crate) items: Vec<String>,
    /// All items of a query
    #[arg(long)]
    pub(crate) query: Option<String>,
    /// A file of item numbers or ids, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) ids: Option<PathBuf>,
    /// With family: whole families; a query is run at the level of families
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// Whole threads
    #[arg(long)]
    pub(crate) threads: bool,
    /// Copies too: the same bytes, or families with the same key
    #[arg(long)]
    pub(crate) duplicates: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// Hash every byte again and check every table against the others
    #[arg(long)]
    pub(crate) deep: bool,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReindexArgs {
    /// Worker threads (default: one a core)
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Budget in bytes
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "1G")]
    pub(crate) memory: u64,
    /// How progress is shown
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) progress: ProgressKind,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BenchArgs {
    /// Messages of the corpus that is made
    #[arg(long, default_value_t = 50_000)]
    pub(crate) messages: u64,
    /// Seed of the corpus
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Worker threads (default: one a core)
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Budget in bytes
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "1G")]
    pub(crate) memory: u64,
    /// Measure these files instead of a made corpus
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Vec<PathBuf>,
    /// Only parse and index SOURCE, with the same schema and documents: no hash, no de-duplication, no store, no catalogue
    #[arg(long, value_name = "SOURCE")]
    pub(crate) baseline: Vec<PathBuf>,
    /// Only time queries on the case given by --case
    #[arg(long)]
    pub(crate) queries: bool,
    /// With --queries: so many seeded queries of each shape, made from words of the case, their numbers of hits spread over the orders of magnitude
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) per_shape: usize,
    /// How to print
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Where to make it (default: a folder embley-demo here)
    pub(crate) dir: Option<PathBuf>,
    /// Names the people, cases, days and wordings; every seed has the same guarantees
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

/// Reads `512M`, `1G`, `100k` or plain bytes.
fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        unit => return Err(format!("unknown unit {unit:?}; use k, M or G")),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| format!("{text:?} is not a number of bytes"))?;
    number
        .checked_mul(factor)
        .filter(|bytes| *bytes >= 16 << 20)
        .ok_or_else(|| "at least 16M is needed".to_owned())
}

#[derive(Debug, ClapArgs)]
pub(crate) struct WorkerArgs {
    /// The one folder that it may use
    #[arg(long, value_name = "DIR")]
    pub(crate) temp: PathBuf,
    /// Address space beside the program itself
    #[arg(long, value_name = "BYTES")]
    pub(crate) memory: u64,
    /// Processor time of one job
    #[arg(long, value_name = "SECONDS")]
    pub(crate) cpu_seconds: u64,
    /// Size of any file it makes
    #[arg(long, value_name = "BYTES")]
    pub(crate) file_bytes: u64,
    /// Open descriptors
    #[arg(long, value_name = "N")]
    pub(crate) open_files: u64,
    /// May run bsdtar, pdftotext and tesseract
    #[arg(long)]
    pub(crate) helpers: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn bytes_are_read_with_their_unit() {
        assert_eq!(parse_bytes("1G"), Ok(1 << 30));
        assert_eq!(parse_bytes("512MiB"), Ok(512 << 20));
        assert!(parse_bytes("12").is_err());
        assert!(parse_bytes("1T").is_err());
    }
}
