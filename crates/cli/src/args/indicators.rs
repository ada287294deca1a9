//! What can be typed after `indicators` and `dip-sample`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::ListArgs;

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct IndicatorsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<IndicatorsCommand>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    /// One case; without it all cases, and registers over all people
    pub(crate) case_ref: Option<String>,
    /// Only this rule, such as N2; may be given again
    #[arg(long = "rule", value_name = "RULE")]
    pub(crate) rules: Vec<String>,
    /// Also those that something on record explains wholly
    #[arg(long)]
    pub(crate) explained: bool,
    /// The day up to which clocks are judged (YYYY-MM-DD); else the last day of which the records of a case speak
    #[arg(long, value_name = "DAY")]
    pub(crate) as_at: Option<String>,
    /// A folder with files of rules that take the place of the built-in ones and of those in the case's folder `rules`
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) rules_dir: Option<PathBuf>,
    /// Leave the last run as it is: what is new stays new
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndicatorsCommand {
    /// Puts a conclusion about an indicator on record; a later one takes its place and both stay
    Conclude {
        /// Its id, or the beginning of it
        id: String,
        /// What it is
        #[arg(long = "as", value_name = "KIND", value_parser = [
            "professional_disagreement", "quality_or_timeliness_management", "tasked_review", "recorded_elsewhere", "other"])]
        kind: String,
        /// What that rests on
        #[arg(long)]
        text: String,
    },
    /// Writes indicators out of the case, each with its conclusion; refuses those without one
    Export {
        #[command(flatten)]
        run: RunArgs,
        /// Also those without a conclusion; every line then says whether it is a draft
        #[arg(long)]
        draft: bool,
        /// How
        #[arg(long, value_enum, default_value = "jsonl")]
        format: ExportFormat,
    },
    /// The patterns that find decisions in mail (decision-phrases.toml): how many items hold each, or what they find in a text
    Phrases(PhrasesArgs),
    /// Earlier runs: who, when, which rules, how many were new and gone
    Runs(ListArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PhrasesArgs {
    /// Shows what the patterns find in an item (a number, or item: and an id), a text file, or - for standard input
    #[arg(long, value_name = "ITEM|FILE")]
    pub(crate) test: Option<String>,
    /// Only the pattern with this id
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// A folder with files of rules that take the place of the built-in ones
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) rules_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One object a line
    Jsonl,
    /// Comma-separated values
    Csv,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DipSampleArgs {
    /// How many cases
    #[arg(long, default_value_t = 50)]
    pub(crate) size: u64,
    /// Seed of the draw: the same records, seed and size give the same cases
    #[arg(long, default_value = "1")]
    pub(crate) seed: String,
    /// All cases in place of a sample
    #[arg(long)]
    pub(crate) all: bool,
    /// The day up to which clocks are judged (YYYY-MM-DD); else the last day of which the records of a case speak
    #[arg(long, value_name = "DAY")]
    pub(crate) as_at: Option<String>,
    /// A folder with files of rules that take the place of the built-in ones
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) rules_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
