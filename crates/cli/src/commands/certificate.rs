//! `embley certificate` and `embley replay`.

use std::io::Read;
use std::path::{Path, PathBuf};

use embley_casework::texts::StoredTexts;
use embley_model::clock::{Clock, SystemClock};
use embley_model::id::Ticket;
use embley_search::certificate::{self, CertificateOptions, Difference, Signed, Statement};
use embley_search::{Asked, Level, Searcher, Sort};
use embley_store::Access;
use embley_store::disk::{Disk, RealDisk};
use embley_store::facts::looks::Looked;
use embley_store::signing::{PrivateKey, PublicKey};
use serde::Serialize;
use serde_json::{Value, json};

use super::search::{level, scope};
use crate::args::{Args, CertificateArgs, Format, ReplayArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{self, Rows, clean, note, result_line};

/// Runs a query and writes a signed record of it.
pub(crate) fn write(args: &Args, asked: &CertificateArgs) -> anyhow::Result<u8> {
    let sort = sort_of(&asked.sort)?;
    let root = context::case_dir(args)?;
    if asked.out.symlink_metadata().is_ok() {
        return Err(CliError::usage(format!(
            "{} is there already: a certificate is never written over; name another file",
            asked.out.display()
        )));
    }
    let case = context::open(args, Access::Facts)?;
    let key = key_of(asked.key.as_deref(), &root)?;
    let mut searcher = Searcher::open(&case)?;
    let texts = StoredTexts::new(&case);
    let actor = context::actor(args);
    let options = CertificateOptions {
        scope: scope(&asked.scope)?,
        level: level(&asked.level)?,
        sort,
        with_items: asked.with_items,
        texts: &texts,
        asked: Asked {
            who: &actor,
            at_micros: SystemClock::new().now_micros(),
        },
    };
    let statement = certificate::make(&mut searcher, case.config(), &asked.query, options)
        .map_err(|error| exit::pointed(error, &asked.query))?;
    let signed = Signed::sign(statement, &key)?;
    let text = signed.to_file();
    let written = || -> std::io::Result<()> {
        let mut file = RealDisk.create_new(&asked.out)?;
        file.write_all_at(text.as_bytes(), 0)?;
        file.sync()
    };
    written().map_err(|error| CliError::environment(format!("cannot write {}: {error}", asked.out.display())))?;
    crate::audit::made(&asked.out);
    put_down("certificate", signed.statement());
    tell_made(signed.statement());
    result_line!("{}", asked.out.display())?;
    Ok(exit::DONE)
}

fn put_down(command: &str, made: &Statement) {
    crate::audit::put("result_root", made.result.digest.root.clone().into());
    crate::audit::put("corpus_root", made.corpus.all.root.clone().into());
    let query = &made.query;
    let options = json!({"scope": query.scope, "level": query.level, "sort": query.sort}).to_string();
    let looked = Looked {
        command,
        saved: None,
        query: &query.typed,
        options: &options,
        ticket: Ticket(made.index.ticket),
        hits: made.result.hits,
        not_searchable: made.not_searchable.digest.items,
    };
    super::saved::put_down(looked);
}

fn sort_of(name: &str) -> anyhow::Result<Sort> {
    match Sort::from_name(name) {
        Some(Sort::Relevance) => Err(CliError::usage(
            "the order of relevance is not certified: it depends on the layout of the index; use --sort date, -date or item",
        )),
        Some(sort) => Ok(sort),
        None => Err(CliError::usage(format!("unknown order {name:?}"))),
    }
}

/// The key that signs: the one named, or the user's own, made on first use.
pub(super) fn key_of(named: Option<&Path>, case: &Path) -> anyhow::Result<PrivateKey> {
    signing_key(named.is_some(), &key_path(named)?, case)
}

/// The key named, or the user's own: `embley/keys/signing.pem` in the user's folder of settings.
pub(super) fn key_path(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let settings = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")));
    settings
        .map(|path| path.join("embley/keys/signing.pem"))
        .ok_or_else(|| {
            CliError::usage(
                "there is no folder for your key: neither XDG_CONFIG_HOME nor HOME is set; name a key with --key FILE",
            )
        })
}

pub(super) fn signing_key(named: bool, path: &Path, case: &Path) -> anyhow::Result<PrivateKey> {
    if named && path.symlink_metadata().is_ok() {
        return Ok(PrivateKey::read(path, case)?);
    }
    let (key, made) = PrivateKey::read_or_make(path, case)?;
    if made {
        note!(
            "made a key of your own in {}: keep a copy of it, and give others its public half (in every certificate and export) by a way of its own",
            path.display()
        );
    }
    Ok(key)
}

fn tell_made(statement: &Statement) {
    note!(
        "{} hits ({} items, {} families) of {} items",
        statement.result.hits,
        statement.result.digest.items,
        statement.result.families,
        statement.corpus.all.items
    );
    note!("result {}", statement.result.digest.root);
    note!("corpus {}", statement.corpus.all.root);
    if !statement.not_searchable.reasons.is_empty() {
        let reasons = statement.not_searchable.reasons.iter();
        let reasons: Vec<String> = reasons.map(|one| format!("{} {}", one.reason, one.items)).collect();
        note!("in scope, but not searchable: {}", reasons.join(", "));
    }
    if statement.corpus.not_indexed > 0 {
        note!(
            "{} items are not in the index yet, and not certified",
            statement.corpus.not_indexed
        );
    }
    for text in &statement.notes {
        note!("note: {}", clean(text));
    }
    note!("signed with key {}", statement.key.id);
}

/// Repeats the search of a certificate. Ends with 1 when anything differs, the signature included.
pub(crate) fn replay(args: &Args, asked: &ReplayArgs) -> anyhow::Result<u8> {
    let mut bytes = Vec::new();
    std::fs::File::open(&asked.file)
        .and_then(|file| file.take(certificate::LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::input(format!("cannot read {}: {error}", asked.file.display())))?;
    let signed =
        Signed::from_file(&bytes).map_err(|error| CliError::input(format!("{}: {error}", asked.file.display())))?;
    let signature = check_signature(&signed, asked)?;
    let then = signed.statement();
    let case = context::open(args, Access::Facts)?;
    let mut searcher = Searcher::open(&case)?;
    let texts = StoredTexts::new(&case);
    let actor = context::actor(args);
    let options = CertificateOptions {
        scope: scope(&then.query.scope).map_err(|_| unknown("scope", &then.query.scope))?,
        level: Level::from_name(&then.query.level).ok_or_else(|| unknown("level", &then.query.level))?,
        sort: Sort::from_name(&then.query.sort).ok_or_else(|| unknown("order", &then.query.sort))?,
        with_items: then.result.listed.is_some(),
        texts: &texts,
        asked: Asked {
            who: &actor,
            at_micros: moment(&then.when)?,
        },
    };
    let now = certificate::make(&mut searcher, case.config(), &then.query.typed, options)
        .map_err(|error| exit::pointed(error, &then.query.typed))?;
    let first = if now.corpus.all.items > then.corpus.all.items {
        Some(certificate::root_of_first(&searcher, then.corpus.all.items)?)
    } else {
        None
    };
    let differences = certificate::compare(then, &now, first.as_ref());
    let same = signature.holds && !differences.iter().any(|one| one.matters);
    put_down("replay", &now);
    let code = if same { exit::DONE } else { exit::NO_HIT };
    output::set_verdict(code);
    print(asked, &signed, &signature, &now, &differences, same)?;
    Ok(code)
}

fn unknown(what: &str, name: &str) -> anyhow::Error {
    CliError::input(format!(
        "the certificate asks for the {what} {name:?}, which this version does not know"
    ))
}

fn moment(text: &str) -> anyhow::Result<i64> {
    let stamp: jiff::Timestamp = text
        .parse()
        .map_err(|error| CliError::input(format!("the certificate's moment {text:?} cannot be read: {error}")))?;
    Ok(stamp.as_microsecond())
}

/// What a signature proves.
#[derive(Serialize)]
struct Checked {
    holds: bool,
    key_id: String,
    /// The key was given by whoever asks, not taken from the certificate.
    trusted: bool,
    sentence: String,
}

fn check_signature(signed: &Signed, asked: &ReplayArgs) -> anyhow::Result<Checked> {
    let carried = signed.key();
    let given = match &asked.public_key {
        Some(path) => Some(PublicKey::read(path)?),
        None => None,
    };
    let key = match (&given, &carried) {
        (Some(given), _) => given.clone(),
        (None, Ok(carried)) => carried.clone(),
        (None, Err(detail)) => {
            return Err(CliError::input(format!(
                "the certificate carries no usable key: {detail}"
            )));
        }
    };
    let key_id = key.id();
    let wanted = asked.key_id.as_deref().map(str::to_ascii_lowercase);
    let is_wanted = wanted.as_ref().is_none_or(|wanted| *wanted == key_id);
    let trusted = given.is_some() || (wanted.is_some() && is_wanted);
    let holds = signed.holds(&key) && is_wanted;
    let sentence = if holds && trusted {
        format!("the certificate was signed with the key {key_id}, which you named, and was not changed since")
    } else if holds {
        format!(
            "the certificate was not changed since it was signed with the key {key_id}, which it carries itself: this does not prove \
             whose key that is; name the key you expect with --public-key or --key-id"
        )
    } else if !is_wanted {
        format!("the certificate is signed with the key {key_id}, not with the one you named")
    } else {
        format!("the signature does not hold: the certificate was changed, or signed with another key than {key_id}")
    };
    Ok(Checked {
        holds,
        key_id,
        trusted,
        sentence,
    })
}

fn print(
    asked: &ReplayArgs,
    signed: &Signed,
    signature: &Checked,
    now: &Statement,
    differences: &[Difference],
    same: bool,
) -> anyhow::Result<()> {
    let then = signed.statement();
    let mut rows = Rows::new("differences", &["about", "matters", "difference"]);
    for one in differences {
        let about = serde_json::to_value(one.subject)?;
        let cells = vec![
            about.as_str().unwrap_or_default().to_owned(),
            if one.matters { "yes" } else { "no" }.to_owned(),
            one.sentence.clone(),
        ];
        rows.push(cells, one)?;
    }
    let format = context::format(&asked.list);
    let counts = |one: &Statement| json!({"hits": one.result.hits, "items": one.result.digest.items, "families": one.result.families});
    let extra: Vec<(&'static str, Value)> = vec![
        ("same", same.into()),
        ("signature", serde_json::to_value(signature)?),
        ("query", then.query.typed.clone().into()),
        ("when", then.when.clone().into()),
        ("who", then.who.clone().into()),
        ("then", counts(then)),
        ("now", counts(now)),
    ];
    if format != Format::Table || !differences.is_empty() {
        rows.print(format, extra)?;
    }
    note!("{}", signature.sentence);
    note!("query: {}", clean(&then.query.typed));
    note!(
        "certified by {} at {}: {} hits; now: {} hits",
        clean(&then.who),
        then.when,
        then.result.hits,
        now.result.hits
    );
    note!("{}", if same { "same" } else { "NOT the same" });
    Ok(())
}
