//! Which items a command on facts is about.

use embley_casework::texts::StoredTexts;
use embley_search::{Level, Plan, Reach, Searcher};
use embley_store::Case;
use embley_store::catalogue::CatalogueReader;
use roaring::RoaringBitmap;

use super::show::resolve;
use crate::args::TargetArgs;
use crate::exit::{self, CliError};

/// The items that a command is about.
pub(crate) fn targets(case: &Case, reader: &CatalogueReader, target: &TargetArgs) -> anyhow::Result<RoaringBitmap> {
    let mut items = RoaringBitmap::new();
    for text in &target.items {
        items.insert(resolve(reader, text)?.0);
    }
    if let Some(path) = &target.ids {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::input(format!("cannot read {}: {error}", path.display())))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            items.insert(resolve(reader, line)?.0);
        }
    }
    let families = target.level == Level::Family.name();
    let reach = Reach {
        families,
        threads: target.threads,
        duplicates: target.duplicates,
    };
    if target.query.is_none() && reach == Reach::default() {
        return Ok(items);
    }
    let searcher = Searcher::open(case)?;
    if let Some(query) = &target.query {
        let plan = planned(case, &searcher, query)?;
        let level = if families { Level::Family } else { Level::Item };
        items |= searcher.items(&plan.at(level))?;
    }
    Ok(searcher.reach(&items, reach)?)
}

/// The plan of a query that chooses items; what its reader should know is said.
pub(crate) fn planned(case: &Case, searcher: &Searcher, query: &str) -> anyhow::Result<Plan> {
    let plan = searcher
        .plan_with_texts(query, &StoredTexts::new(case))
        .map_err(|error| exit::pointed(error, query))?;
    super::search::tell_notes(&plan.notes);
    Ok(plan)
}

/// What made a bulk change, for its event.
pub(crate) fn reason(target: &TargetArgs) -> String {
    let mut reason = match (&target.query, &target.ids) {
        (Some(query), _) => format!("query: {query}"),
        (None, Some(path)) => format!("ids from {}", path.display()),
        (None, None) => String::new(),
    };
    for (wanted, words) in [
        (target.level == Level::Family.name(), "families"),
        (target.threads, "threads"),
        (target.duplicates, "duplicates"),
    ] {
        if wanted {
            let stop = if reason.is_empty() { "with " } else { ", with " };
            reason.push_str(&format!("{stop}{words}"));
        }
    }
    reason
}

pub(crate) fn some(items: &RoaringBitmap, target: &TargetArgs) -> anyhow::Result<()> {
    if items.is_empty() && target.query.is_none() {
        return Err(CliError::usage("no item given: name items, or use --query or --ids"));
    }
    Ok(())
}

/// How a change is taken back, behind the sentence that says what it did.
pub(crate) fn undo_words(command: &str, event: Option<i64>) -> String {
    event.map_or(String::new(), |event| {
        format!("; `embley {command} undo {event}` takes it back")
    })
}
