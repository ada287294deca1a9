//! Arguments of `embley export` and `embley verify-export`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::ListArgs;

/// In which form items leave the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportForm {
    /// Originals in folders, with a list
    Native,
    /// A list as CSV
    Csv,
    /// A list as JSON Lines
    Jsonl,
    /// A list as a spreadsheet
    Xlsx,
    /// Load files (Concordance DAT, Opticon OPT) with originals and texts
    Dat,
    /// CASE/UCO JSON-LD
    CaseUco,
    /// Pages that open offline
    Html,
    /// A register to print
    Pdf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// The items of a query
    #[arg(long, value_name = "QUERY", required_unless_present_any = ["exhibit", "tag"], conflicts_with_all = ["exhibit", "tag"])]
    pub(crate) query: Option<String>,
    /// The items of an exhibit
    #[arg(long, value_name = "REF", conflicts_with = "tag")]
    pub(crate) exhibit: Option<String>,
    /// The items with a tag
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Option<String>,
    /// The form
    #[arg(long = "as", value_name = "FORM", value_enum)]
    pub(crate) form: ExportForm,
    /// The folder to make: not there yet, or empty, and outside of the case
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Families come whole: with each item, its parents and all attachments
    #[arg(long)]
    pub(crate) families: bool,
    /// What AND, OR and NOT of the query act on: items, or families; of families, top-level items are exported (--families adds the rest)
    #[arg(long, value_parser = ["item", "family"], default_value = "item")]
    pub(crate) level: String,
    /// What control numbers begin with: DOC0000001
    #[arg(long, value_name = "LETTERS", default_value = "DOC")]
    pub(crate) prefix: String,
    /// With --as dat: how the load file is encoded
    #[arg(long, value_parser = ["utf-8", "utf-16"], default_value = "utf-8")]
    pub(crate) encoding: String,
    /// Let the items with this mark of privilege in, which are left out otherwise; for privilege reviewers; may be given again
    #[arg(long, value_name = "MARK")]
    pub(crate) privileged: Vec<String>,
    /// The private key that signs (PKCS #8 PEM, Ed25519); else EMBLEY_KEY, else one of your own, made on first use
    #[arg(long, value_name = "FILE", env = "EMBLEY_KEY")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyExportArgs {
    /// The exported folder
    pub(crate) dir: PathBuf,
    /// Trust this public key (PEM) only, not whichever the export carries
    #[arg(long, value_name = "FILE", conflicts_with = "key_id")]
    pub(crate) public_key: Option<PathBuf>,
    /// Trust the public key with this id only, as `export` printed it
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    /// The digest that the export had, as `export` printed it or an audit log holds it
    #[arg(long, value_name = "SHA256")]
    pub(crate) digest: Option<String>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}
