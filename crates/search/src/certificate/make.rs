//! Making a statement: one query, run once, with everything it depended on.

use std::sync::Arc;

use embley_index::{INDEX_VERSION, ItemBits, Node};
use embley_store::StoreError;
use embley_store::case::CaseConfig;
use roaring::RoaringBitmap;
use serde::Serialize;

use super::digest::{ItemHashes, item_text};
use super::statement::{
    CaseFacts, Corpus, IndexFacts, KeyFacts, Outcome, Query, SetDigest, SourceDigest, Statement, Unsearched, UsedSet,
    VERSION, WHAT,
};
use super::used::UsedSets;
use crate::answer::{Scope, SearchOptions, Sort};
use crate::error::SearchError;
use crate::exact::StoredForms;
use crate::family::Level;
use crate::hit::ItemText;
use crate::plan::{Plan, PlanContext, prepare};
use crate::searcher::Searcher;
use crate::standing::{Asked, ReasonCount, TOOL, zone_name};

/// What is wanted of a certificate.
#[derive(Clone, Copy)]
pub struct CertificateOptions<'a> {
    /// How equal items are counted.
    pub scope: Scope,
    /// At which level AND, OR and NOT act; of families, the hits are top-level items.
    pub level: Level,
    /// The order that is certified; not [`Sort::Relevance`].
    pub sort: Sort,
    /// Name the hits one by one.
    pub with_items: bool,
    /// Where texts for words with case and accents as typed come from.
    pub texts: &'a dyn ItemText,
    /// Who asks, and when: relative dates are counted from then.
    pub asked: Asked<'a>,
}

/// Runs a query on what a searcher sees, and says everything about it but the key. Relative dates are counted from the moment given.
///
/// # Errors
/// As [`Searcher::plan_with_texts`], and when index or catalogue cannot be read.
pub fn make(
    searcher: &mut Searcher,
    case: &CaseConfig,
    query: &str,
    options: CertificateOptions<'_>,
) -> Result<Statement, SearchError> {
    searcher.set_now(options.asked.at_micros.div_euclid(1_000_000));
    let searcher = &*searcher;
    let forms = StoredForms {
        searcher,
        texts: options.texts,
    };
    let used = UsedSets::new(searcher.sets());
    let context = PlanContext {
        sets: &used,
        ..searcher.context(Some(&forms))
    };
    let plan = prepare(query, &context)?.at(options.level);
    drop(context);
    let hashes = ItemHashes::read(searcher.reader())?;
    let sets = used
        .into_asked()
        .into_iter()
        .map(|one| UsedSet {
            field: one.field.name().to_owned(),
            asked: one.asked,
            named: one.named,
            digest: hashes.set(&one.items),
        })
        .collect();
    Ok(Statement {
        what: WHAT.to_owned(),
        version: VERSION,
        case: CaseFacts {
            name: case.name.clone(),
            reference: case.reference.clone(),
            id: case.id.clone(),
            zone: zone_name(searcher),
        },
        query: Query {
            typed: query.to_owned(),
            canonical: plan.query.clone(),
            tree: lines(&plan.outline),
            plan: lines(&plan.drawn()),
            scope: word(options.scope),
            level: options.level.name().to_owned(),
            sort: word(options.sort),
        },
        index: IndexFacts {
            version: INDEX_VERSION,
            ticket: searcher.snapshot().ticket().map_or(0, |ticket| ticket.0),
        },
        corpus: corpus(searcher, &hashes)?,
        not_searchable: not_searchable(searcher, &plan, &hashes)?,
        sets,
        result: outcome(searcher, &plan, &hashes, options)?,
        notes: plan.notes.clone(),
        tool: TOOL.to_owned(),
        who: options.asked.who.to_owned(),
        when: options.asked.when(),
        key: KeyFacts::default(),
    })
}

/// The digest of the items with the lowest `count` numbers: what the case held when it held so many, if it only grew since.
///
/// # Errors
/// When the catalogue cannot be read.
pub fn root_of_first(searcher: &Searcher, count: u64) -> Result<SetDigest, SearchError> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let items: RoaringBitmap = searcher.reader().seen_items().iter().take(count).collect();
    Ok(ItemHashes::read(searcher.reader())?.set(&items))
}

fn corpus(searcher: &Searcher, hashes: &ItemHashes) -> Result<Corpus, SearchError> {
    let reader = searcher.reader();
    let by_source = || -> Result<Vec<SourceDigest>, StoreError> {
        let mut sources = Vec::new();
        for row in reader.sources()? {
            let items = reader.source_items(row.source_id)?;
            sources.push(SourceDigest {
                label: row.label,
                digest: hashes.set(&items),
            });
        }
        sources.sort_by(|one, two| one.label.cmp(&two.label));
        Ok(sources)
    };
    Ok(Corpus {
        all: hashes.set(&searcher.bitmap(&Node::All)?),
        not_indexed: searcher.not_indexed(),
        sources: by_source().map_err(|source| SearchError::catalogue("read its sources", source))?,
    })
}

fn not_searchable(searcher: &Searcher, plan: &Plan, hashes: &ItemHashes) -> Result<Unsearched, SearchError> {
    let found = searcher.not_searchable(plan)?;
    let mut all = RoaringBitmap::new();
    let mut reasons = Vec::new();
    for (reason, items) in found.by_reason {
        reasons.push(ReasonCount {
            reason: reason.to_owned(),
            items: items.len(),
        });
        all |= items;
    }
    Ok(Unsearched {
        reasons,
        digest: hashes.set(&all),
    })
}

fn outcome(
    searcher: &Searcher,
    plan: &Plan,
    hashes: &ItemHashes,
    options: CertificateOptions<'_>,
) -> Result<Outcome, SearchError> {
    let asked = SearchOptions {
        scope: options.scope,
        limit: Some(0),
        ..SearchOptions::default()
    };
    let hits = searcher.run(plan, asked)?.summary().count;
    let items = searcher.items(plan)?;
    let found = Node::Items(Arc::new(items.clone()));
    let ordered = searcher.snapshot().stream(&found, options.sort.order())?;
    let families = searcher.families()?.roots_of(&ItemBits::from_bitmap(&items)).len();
    let listed = options.with_items.then(|| listed(searcher, &items)).transpose()?;
    Ok(Outcome {
        hits,
        families,
        digest: hashes.set(&items),
        order_root: hashes.sequence(ordered.map(|(item, _)| item)),
        listed,
    })
}

fn listed(searcher: &Searcher, items: &RoaringBitmap) -> Result<Vec<String>, SearchError> {
    let mut names = Vec::new();
    searcher
        .reader()
        .for_each_identity(items, |one| {
            names.push(item_text(&one));
            Ok::<_, StoreError>(())
        })
        .map_err(|source| SearchError::catalogue("read what its items are called", source))?;
    names.sort_unstable();
    Ok(names)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The word that a value has in JSON.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_orders_are_named_as_on_the_command_line() {
        assert_eq!(word(Scope::Custodian), "custodian");
        assert_eq!(word(Sort::DateDescending), "-date");
    }
}
