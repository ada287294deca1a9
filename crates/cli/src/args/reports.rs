//! Search term reports, certificates, samples.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::ListArgs;

#[derive(Debug, ClapArgs)]
pub(crate) struct TermsArgs {
    /// The list: one query a line (# comments), or a .csv with a column `query` or `term` and optionally `name` or `id`
    pub(crate) file: PathBuf,
    /// What is counted: items, (item, custodian) pairs, or instances
    #[arg(long, value_parser = ["global", "custodian", "instance"], default_value = "global")]
    pub(crate) scope: String,
    /// What AND, OR and NOT act on: items, or families; of families, hits are top-level items
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// In a table or CSV: one row for each custodian of each line
    #[arg(long)]
    pub(crate) by_custodian: bool,
    /// Write the report as a spreadsheet too
    #[arg(long, value_name = "OUT.xlsx")]
    pub(crate) xlsx: Option<PathBuf>,
    /// Threads that run queries (default: one a core)
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CertificateArgs {
    /// The query, in the words of `docs/search-language.md`
    pub(crate) query: String,
    /// The file to make
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// What is counted: items, (item, custodian) pairs, or instances
    #[arg(long, value_parser = ["global", "custodian", "instance"], default_value = "global")]
    pub(crate) scope: String,
    /// What AND, OR and NOT act on: items, or families; of families, hits are top-level items
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// The order that is certified: date, -date or item; relevance cannot be
    #[arg(long, value_parser = ["date", "-date", "item", "relevance"], default_value = "date", allow_hyphen_values = true)]
    pub(crate) sort: String,
    /// Name the hits one by one, so that a replay can say which ones came and went
    #[arg(long)]
    pub(crate) with_items: bool,
    /// The private key that signs (PKCS #8 PEM, Ed25519); else EMBLEY_KEY, else one of your own, made on first use
    #[arg(long, value_name = "FILE", env = "EMBLEY_KEY")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReplayArgs {
    /// The certificate
    pub(crate) file: PathBuf,
    /// Trust this public key (PEM) only, not whichever the certificate carries
    #[arg(long, value_name = "FILE", conflicts_with = "key_id")]
    pub(crate) public_key: Option<PathBuf>,
    /// Trust the public key with this id only, as `certificate` printed it
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SampleArgs {
    /// The query whose hits are sampled
    pub(crate) query: String,
    /// How many to draw
    #[arg(
        long,
        value_name = "N",
        required_unless_present = "margin",
        conflicts_with = "margin"
    )]
    pub(crate) size: Option<u64>,
    /// Draw as many as give an interval of at most this much to each side, whatever is found, such as 0.05
    #[arg(long, value_name = "SHARE")]
    pub(crate) margin: Option<f64>,
    /// Decides which are drawn: the same seed and items, the same sample
    #[arg(long, value_name = "S")]
    pub(crate) seed: String,
    /// What is drawn: items, (item, custodian) pairs, or instances
    #[arg(long, value_parser = ["global", "custodian", "instance"], default_value = "global")]
    pub(crate) scope: String,
    /// What AND, OR and NOT act on: items, or families; of families, top-level items are drawn
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// Draw from what the query leaves out
    #[arg(long)]
    pub(crate) elusion: bool,
    /// With --elusion: leave out of what this query finds, not of the whole case
    #[arg(long, value_name = "QUERY", requires = "elusion")]
    pub(crate) within: Option<String>,
    /// Leave out items whose text could not be searched
    #[arg(long)]
    pub(crate) searchable_only: bool,
    /// How many of the sample were found to be relevant: gives the interval of their rate and number
    #[arg(long, value_name = "K")]
    pub(crate) found: Option<u64>,
    /// With --found: how many of the sample have been looked at, in its order (default: all)
    #[arg(long, value_name = "N", requires = "found")]
    pub(crate) reviewed: Option<u64>,
    /// Confidence of intervals
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    pub(crate) confidence: f64,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
