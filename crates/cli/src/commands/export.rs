//! `embley export` and `embley verify-export`.

use embley_casework::export::check::{self, Checked, Trust};
use embley_casework::export::{self, Encoding, Form, Made, Request, Sources, What};
use embley_casework::hits::CaseHits;
use embley_casework::texts::StoredTexts;
use embley_model::clock::{Clock, SystemClock};
use embley_model::id::Ticket;
use embley_model::role::Task;
use embley_search::{Asked, SearchError, Searcher};
use embley_store::facts::looks::Looked;
use embley_store::facts::users::Actor;
use embley_store::signing::PublicKey;
use embley_store::{Access, Case};
use serde_json::{Value, json};

use super::certificate::key_of;
use super::search::level;
use crate::args::{Args, ExportArgs, ExportForm, Format, VerifyExportArgs};
use crate::context;
use crate::exit::{self, CliError};
use crate::output::{self, Rows, clean, note, result_line};

/// Makes an export.
pub(crate) fn export(args: &Args, asked: &ExportArgs) -> anyhow::Result<u8> {
    let root = context::case_dir(args)?;
    let case = context::open(args, Access::Facts)?;
    let actor = context::actor(args);
    if !asked.privileged.is_empty() {
        may_ask_for_privileged(&case, &actor)?;
    }
    let key = key_of(asked.key.as_deref(), &root)?;
    let searcher = Searcher::open(&case)?;
    let texts = StoredTexts::new(&case);
    let links = CaseHits::new(&searcher);
    let request = Request {
        what: what(asked)?,
        level: level(&asked.level)?,
        families: asked.families,
        privileged: &asked.privileged,
        form: form(asked.form),
        prefix: &asked.prefix,
        encoding: if asked.encoding == "utf-16" {
            Encoding::Utf16
        } else {
            Encoding::Utf8
        },
        out: &asked.out,
    };
    let sources = Sources {
        case: &case,
        searcher: &searcher,
        texts: &texts,
        links: &links,
        asked: Asked {
            who: &actor,
            at_micros: SystemClock::new().now_micros(),
        },
        key: &key,
    };
    let made = export::run(&sources, &request).map_err(|error| pointed(error, asked))?;
    let typed = made
        .record
        .asked
        .get("run_as")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let options =
        json!({"as": made.record.form, "families": asked.families, "level": asked.level, "digest": made.sealed.digest});
    let looked = Looked {
        command: "export",
        saved: None,
        query: typed,
        options: &options.to_string(),
        ticket: Ticket(made.record.state.index_ticket),
        hits: made.record.counts.items,
        not_searchable: made.record.not_searchable.values().sum(),
    };
    super::saved::put_down(looked);
    crate::audit::put("manifest_sha256", made.sealed.digest.clone().into());
    tell(&made, asked)
}

fn what(asked: &ExportArgs) -> anyhow::Result<What> {
    match (&asked.query, &asked.exhibit, &asked.tag) {
        (Some(query), _, _) => Ok(What::Query(query.clone())),
        (None, Some(reference), _) => Ok(What::Exhibit(reference.parse()?)),
        (None, None, Some(tag)) => Ok(What::Tag(tag.clone())),
        (None, None, None) => Err(CliError::usage("name items with --query, --exhibit or --tag")),
    }
}

fn form(form: ExportForm) -> Form {
    match form {
        ExportForm::Native => Form::Native,
        ExportForm::Csv => Form::Csv,
        ExportForm::Jsonl => Form::Jsonl,
        ExportForm::Xlsx => Form::Xlsx,
        ExportForm::Dat => Form::Dat,
        ExportForm::CaseUco => Form::CaseUco,
        ExportForm::Html => Form::Html,
        ExportForm::Pdf => Form::Pdf,
    }
}

/// Items that may be privileged leave the case only for a privilege reviewer; in a case without users, for somebody whom `case.toml` names.
fn may_ask_for_privileged(case: &Case, actor: &str) -> anyhow::Result<()> {
    let acts = Actor::find(case.reader()?.facts(), actor)?;
    if acts.in_force() {
        acts.require(Task::Quarantine)?;
        return Ok(());
    }
    let named = case
        .config()
        .settings
        .get("privilege_reviewers")
        .and_then(|list| list.as_array());
    let may = named.is_some_and(|names| names.iter().any(|name| name.as_str() == Some(actor)));
    if may {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--privileged is for privilege reviewers, and {actor:?} is not one of this case: `embley user add NAME --role privilege-reviewer` makes one; \
         in a case without users case.toml names them, as in \
         `settings.privilege_reviewers = [\"NAME\"]`"
    )))
}

/// A query that cannot be read is shown with a mark under the character.
fn pointed(error: embley_casework::CaseworkError, asked: &ExportArgs) -> anyhow::Error {
    match (error, &asked.query) {
        (embley_casework::CaseworkError::Export { source }, Some(query))
            if matches!(*source, SearchError::Syntax(_)) =>
        {
            exit::pointed(*source, query)
        }
        (error, _) => error.into(),
    }
}

fn tell(made: &Made, asked: &ExportArgs) -> anyhow::Result<u8> {
    let (record, sealed) = (&made.record, &made.sealed);
    if made.found_unfinished {
        note!(
            "an earlier export to {} was stopped before its end: what it left was removed, and this one is whole",
            asked.out.display()
        );
    }
    match context::format(&asked.list) {
        Format::Table => result_line!("sha256:{}  {}", sealed.digest, asked.out.display())?,
        Format::Json | Format::Jsonl | Format::Csv => {
            let mut rows = Rows::new("exports", &["out", "digest", "items", "files", "bytes", "key_id"]);
            let cells = vec![
                asked.out.display().to_string(),
                sealed.digest.clone(),
                record.counts.items.to_string(),
                sealed.files.to_string(),
                sealed.bytes.to_string(),
                sealed.key_id.clone(),
            ];
            let object = json!({
                "out": asked.out, "digest": sealed.digest, "key_id": sealed.key_id, "files": sealed.files, "bytes": sealed.bytes,
                "form": record.form, "counts": record.counts, "left_out": record.left_out, "not_searchable": record.not_searchable,
            });
            rows.push(cells, object)?;
            rows.print(context::format(&asked.list), Vec::new())?;
        }
    }
    note!(
        "{} items ({} matched), {} families, {} files, {} bytes",
        record.counts.items,
        record.counts.matched,
        record.counts.families,
        sealed.files,
        sealed.bytes
    );
    for one in &record.left_out {
        note!("{}: {} items: {}", one.reason, one.items, one.sentence);
    }
    let hidden: u64 = record.not_searchable.values().sum();
    if hidden > 0 {
        let reasons: Vec<String> = record
            .not_searchable
            .iter()
            .map(|(why, items)| format!("{why} {items}"))
            .collect();
        note!("in scope, but not searchable: {}", reasons.join(", "));
    }
    if record.state.not_indexed > 0 {
        note!(
            "{} items of the case are not in the index yet and cannot be in this export",
            record.state.not_indexed
        );
    }
    for words in &record.notes {
        note!("note: {}", clean(words));
    }
    Ok(exit::DONE)
}

/// Checks an exported folder.
pub(crate) fn verify(asked: &VerifyExportArgs) -> anyhow::Result<u8> {
    let trust = Trust {
        key: asked.public_key.as_deref().map(PublicKey::read).transpose()?,
        key_id: asked.key_id.clone(),
    };
    let checked = check::check(&asked.dir, &trust)?;
    let wanted = asked
        .digest
        .as_deref()
        .map(|text| text.trim_start_matches("sha256:").to_ascii_lowercase());
    let is_wanted = wanted.as_ref().is_none_or(|wanted| *wanted == checked.digest);
    let same = checked.differences.is_empty() && is_wanted;
    let code = if same { exit::DONE } else { exit::NO_HIT };
    output::set_verdict(code);
    print(asked, &checked, same)?;
    if !is_wanted {
        note!("the digest is {}, not the one you named", checked.digest);
    }
    note!("{}", if same { "same" } else { "NOT the same" });
    Ok(code)
}

fn print(asked: &VerifyExportArgs, checked: &Checked, same: bool) -> anyhow::Result<()> {
    let mut rows = Rows::new("differences", &["kind", "path", "detail"]);
    for one in &checked.differences {
        let kind = serde_json::to_value(one.kind)?;
        let cells = vec![
            kind.as_str().unwrap_or_default().to_owned(),
            one.path.clone(),
            one.detail.clone(),
        ];
        rows.push(cells, one)?;
    }
    let format = context::format(&asked.list);
    let record = checked.record.as_ref();
    let extra: Vec<(&'static str, Value)> = vec![
        ("same", same.into()),
        ("digest", checked.digest.clone().into()),
        ("files", checked.files.into()),
        ("bytes", checked.bytes.into()),
        (
            "signature",
            json!({"holds": checked.signed, "key_id": checked.key_id, "trusted": checked.trusted}),
        ),
        ("export", serde_json::to_value(record)?),
    ];
    if format != Format::Table || !checked.differences.is_empty() {
        rows.print(format, extra)?;
    }
    if let Some(record) = record {
        note!(
            "{} as {} of the case \"{}\", made by {} at {} with {}: {} items",
            clean(&record.kind),
            clean(&record.form),
            clean(&record.case.name),
            clean(&record.who),
            clean(&record.when),
            clean(&record.tool),
            record.counts.items
        );
    }
    note!(
        "{} files, {} bytes read, digest sha256:{}",
        checked.files,
        checked.bytes,
        checked.digest
    );
    match (checked.signed, checked.trusted) {
        (true, true) => note!("signed with the key {}, which you named", checked.key_id),
        (true, false) => note!(
            "signed with the key {}, which the export carries itself: this does not prove whose key that is; name the key you expect with \
             --public-key or --key-id",
            checked.key_id
        ),
        (false, _) => note!("the signature does not hold"),
    }
    Ok(())
}
