//! From what was typed to what is meant: which case, who acts, which format.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use embley_model::clock::{Clock, SystemClock};
use embley_store::catalogue::Sight;
use embley_store::facts::Stamp;
use embley_store::facts::users::Actor;
use embley_store::{Access, Case};

use crate::args::{Args, Format, LimitArgs, ListArgs};
use crate::exit::CliError;

/// The case folder: given, or the nearest one upwards.
pub(crate) fn case_dir(args: &Args) -> anyhow::Result<PathBuf> {
    if let Some(dir) = &args.case {
        if let Err(error) = dir.join("case.toml").metadata()
            && error.kind() == std::io::ErrorKind::PermissionDenied
        {
            return Err(CliError::environment(format!("cannot read {}: {error}", dir.display())));
        }
        if !dir.join("case.toml").is_file() {
            return Err(CliError::usage(format!(
                "{} is not a case: it holds no case.toml; `embley init DIR --name N` makes one",
                dir.display()
            )));
        }
        return Ok(dir.clone());
    }
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|dir| dir.join("case.toml").is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            CliError::usage("no case given: use --case DIR or EMBLEY_CASE, or go into a folder that holds case.toml")
        })
}

/// Who acts.
pub(crate) fn actor(args: &Args) -> String {
    args.user
        .clone()
        .or_else(|| std::env::var("USER").ok())
        .or_else(|| std::env::var("LOGNAME").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid:{}", rustix::process::getuid().as_raw()))
}

/// What a case without users means.
pub(crate) const NOT_IN_FORCE: &str = "roles are not in force: nobody was added, so whoever works here is administrator; `embley user add NAME --role administrator` begins";

/// Opens the case as the actor may see it.
pub(crate) fn open(args: &Args, access: Access) -> anyhow::Result<Case> {
    let case = Case::open(&case_dir(args)?, access)?;
    // Who works here is no secret, and a reader that sees all is made at once.
    let acts = Actor::find(case.reader_as(Sight::Whole)?.facts(), &actor(args))?;
    Ok(case.seen_by(&acts))
}

/// RFC 3339 UTC, to the second.
pub(crate) fn time(at_micros: i64) -> String {
    jiff::Timestamp::from_microsecond(at_micros).map_or_else(
        |_| String::from("an unknown time"),
        |stamp| stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

/// This actor, now.
pub(crate) fn stamp(actor: &str) -> Stamp<'_> {
    Stamp {
        actor,
        at_micros: SystemClock::new().now_micros(),
    }
}

/// The format asked for; else a table on a terminal and JSON elsewhere.
pub(crate) fn format(list: &ListArgs) -> Format {
    list.format.unwrap_or(if std::io::stdout().is_terminal() {
        Format::Table
    } else {
        Format::Json
    })
}

/// How many to list: `None` for all.
pub(crate) fn limit(limit: &LimitArgs) -> Option<u64> {
    match (limit.all, limit.limit) {
        (true, _) => None,
        (false, Some(limit)) => Some(limit),
        (false, None) if std::io::stdout().is_terminal() => Some(20),
        (false, None) => None,
    }
}

/// One worker a core, unless told otherwise.
pub(crate) fn threads(asked: Option<usize>) -> usize {
    asked
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
        .max(1)
}
