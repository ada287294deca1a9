//! Arguments of `embley audit`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{LimitArgs, ListArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Every look and change on record: who, when, what, and how it ended; the newest first
    List(AuditListArgs),
    /// Checks the log, offline, and names what is cut, changed, moved, inserted, repeated or re-signed, and where
    Verify(AuditVerifyArgs),
    /// Signs the log as it is; hands out the checkpoint, a request for a time stamp, or attaches one
    Checkpoint(AuditCheckpointArgs),
    /// Begins a new log behind one that was cut or changed and cannot be continued; the old one is kept and stays on record as it was found
    Restart {
        /// Why, for the record
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    /// Proves an entry to others, by the first checkpoint behind it (C2SP tlog-proof); or that a log continues an earlier one
    Prove(AuditProveArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditListArgs {
    /// Only what this person did
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
    /// Only this command, such as `search` or `tag add`; `tag` for all of its parts
    #[arg(long = "command", value_name = "COMMAND")]
    pub(crate) named: Option<String>,
    /// From this day of the case's zone, or moment (RFC 3339)
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// To this day, included, or moment
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditVerifyArgs {
    /// A copy of a checkpoint that was kept elsewhere; may be given again
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Vec<PathBuf>,
    /// The public key (PEM) that must have signed
    #[arg(long, value_name = "FILE", conflicts_with = "key_id")]
    pub(crate) public_key: Option<PathBuf>,
    /// The id of the key that must have signed
    #[arg(long, value_name = "ID")]
    pub(crate) key_id: Option<String>,
    #[command(flatten)]
    pub(crate) list: ListArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditCheckpointArgs {
    /// The private key that signs (PKCS #8 PEM, Ed25519); else EMBLEY_KEY, else one of your own, made on first use
    #[arg(long, value_name = "FILE", env = "EMBLEY_KEY")]
    pub(crate) key: Option<PathBuf>,
    /// The private key that signed before: hands over to the one that signs now
    #[arg(long, value_name = "FILE", conflicts_with = "key_lost")]
    pub(crate) old_key: Option<PathBuf>,
    /// With --old-key: why another key signs
    #[arg(
        long,
        value_name = "WHY",
        requires = "old_key",
        default_value = "another key signs from here on"
    )]
    pub(crate) why: String,
    /// The key that signed before is lost, and why; every verification says so
    #[arg(long, value_name = "WHY")]
    pub(crate) key_lost: Option<String>,
    /// Write a time-stamp request (RFC 3161) for the checkpoint into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) tsq: Option<PathBuf>,
    /// Make no checkpoint: attach this time-stamp response to the one that it is about
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tsq", "old_key", "key_lost"])]
    pub(crate) tsr: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditProveArgs {
    /// Number of the entry, as `audit list` shows it
    #[arg(required_unless_present = "old")]
    pub(crate) entry: Option<u64>,
    /// In this segment of a log that was begun again (default: the newest)
    #[arg(long, value_name = "N")]
    pub(crate) segment: Option<u32>,
    /// Instead: that the log of so many entries is the beginning of
    #[arg(long, value_name = "N", requires = "new", conflicts_with = "entry")]
    pub(crate) old: Option<u64>,
    /// the log of so many entries (RFC 9162, section 2.1.4); prints the hashes in hexadecimal
    #[arg(long, value_name = "N", requires = "old")]
    pub(crate) new: Option<u64>,
}
