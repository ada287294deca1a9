//! Links that rest on a text: `embley records case-links|case-link`, `embley people mentions|mention`.

use embley_casework::case_links::{self, About, TextLink};
use embley_casework::references::References;
use embley_casework::zone_of;
use embley_search::Searcher;
use embley_store::Access;
use embley_store::facts::people::Directory;
use serde_json::json;

use super::show::resolve;
use crate::args::{Args, LimitArgs, ListArgs, SaidLinkArgs};
use crate::context;
use crate::exit;
use crate::output::{Rows, clean, note};

/// Lists the items that name a case or a person.
pub(crate) fn list(args: &Args, about: About<'_>, limit: &LimitArgs, list: &ListArgs) -> anyhow::Result<u8> {
    let dir = context::case_dir(args)?;
    let case = context::open(args, Access::Read)?;
    let searcher = Searcher::open(&case)?;
    let (all, named) = match about {
        About::Case(case_ref) => {
            let patterns = References::of_case(&dir)?;
            (case_links::of_case(&searcher, &patterns, case_ref)?, case_ref)
        }
        About::Person(person) => {
            let directory = Directory::load(searcher.reader().facts(), &zone_of(&case)?)?;
            (case_links::of_person(&searcher, &directory, person)?, person)
        }
    };
    let total = all.len();
    let most = context::limit(limit).map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let mut rows = Rows::new(
        "links",
        &["item", "kind", "subject or name", "why", "confidence", "holds", "said"],
    );
    for link in all.iter().take(most) {
        let row = searcher.reader().item(link.item)?;
        let (kind, name) = row.map_or_else(Default::default, |row| {
            let name = if row.subject.is_empty() {
                row.filename.unwrap_or_default()
            } else {
                row.subject
            };
            (format!("{:?}", row.kind).to_lowercase(), name)
        });
        let cells = vec![
            link.item.to_string(),
            kind.clone(),
            clean(&name),
            clean(&link.reasons.join("; ")),
            link.confidence.to_owned(),
            link.holds.to_string(),
            clean(&said_of(link)),
        ];
        let object = json!({"item_no": link.item.0, "kind": kind, "name": name, "reasons": link.reasons,
            "confidence": link.confidence, "holds": link.holds, "decided": link.decided});
        rows.push(cells, object)?;
    }
    rows.print(context::format(list), vec![("total", total.into())])?;
    let denied = all.iter().filter(|one| !one.holds).count();
    note!(
        "{total} items in the material loaded name {} or are said to; {denied} of them are said not to",
        clean(named)
    );
    Ok(exit::DONE)
}

fn said_of(link: &TextLink) -> String {
    let said = link.decided.as_ref();
    said.map(|one| format!("{}: {}", one.actor, one.reason))
        .unwrap_or_default()
}

/// Puts on record what somebody says of a link.
pub(crate) fn say(args: &Args, about: About<'_>, asked: &SaidLinkArgs) -> anyhow::Result<u8> {
    let case = context::open(args, Access::Facts)?;
    let reader = case.reader()?;
    let item = resolve(&reader, &asked.item)?;
    let directory = Directory::load(reader.facts(), &zone_of(&case)?)?;
    let actor = context::actor(args);
    let stamp = context::stamp(&actor);
    let facts = case.facts()?;
    let about_whom = (about, &directory);
    let new = case_links::by_hand(
        facts.connection(),
        &reader,
        about_whom,
        item,
        !asked.is_not,
        &asked.reason,
        stamp,
    )?;
    let (verb, named) = match (about, asked.is_not) {
        (About::Case(case_ref), false) => ("is about case", case_ref),
        (About::Case(case_ref), true) => ("is not about case", case_ref),
        (About::Person(person), false) => ("names", person),
        (About::Person(person), true) => ("does not name", person),
    };
    note!(
        "item {item} {verb} {}{}",
        clean(named),
        if new > 0 { "" } else { ", as was said before" }
    );
    Ok(exit::DONE)
}
