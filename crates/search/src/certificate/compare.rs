//! What differs between a certificate and the same search made anew.
//!
//! Main function: [`compare`]. Invariant: two statements without a difference that [`matters`](Difference::matters) searched the same
//! items and found the same ones, in the same order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::statement::{SetDigest, Statement, UsedSet};

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The items that were searched.
    Corpus,
    /// The items of one source.
    Source,
    /// Items not yet in the index.
    NotIndexed,
    /// Items whose text could not be searched.
    NotSearchable,
    /// A set that the query speaks of.
    Set,
    /// The zone in which days begin.
    Zone,
    /// How the query was read.
    Query,
    /// The items found.
    Result,
    /// Their order.
    Order,
    /// How often they count in the scope.
    Count,
    /// Format or commit of the index.
    Index,
    /// Which case it is.
    Case,
    /// The program.
    Tool,
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What it is about.
    pub subject: Subject,
    /// False for circumstances, such as the version of the program, which by themselves change no answer.
    pub matters: bool,
    /// In words.
    pub sentence: String,
    /// As the certificate says.
    pub then: Value,
    /// As it is now.
    pub now: Value,
}

/// Names everything in which `now` differs from `then`, in the order of [`Subject`]. `first_then` is the digest of as many items as the
/// certificate speaks of, the lowest numbers of the present case: it tells a case that only grew from one with other items.
pub fn compare(then: &Statement, now: &Statement, first_then: Option<&SetDigest>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |subject, matters, sentence: String, then: Value, now: Value| {
        found.push(Difference {
            subject,
            matters,
            sentence,
            then,
            now,
        });
    };
    if then.corpus.all != now.corpus.all {
        let sentence = corpus_sentence(&then.corpus.all, &now.corpus.all, first_then);
        add(
            Subject::Corpus,
            true,
            sentence,
            json!(then.corpus.all),
            json!(now.corpus.all),
        );
    }
    for (label, then, now) in both(&then.corpus.sources, &now.corpus.sources, |source| source.label.clone()) {
        if then.map(|source| &source.digest) != now.map(|source| &source.digest) {
            let items = |source: Option<&super::SourceDigest>| source.map_or(0, |source| source.digest.items);
            let sentence = changed(&format!("source {label:?}"), items(then), items(now));
            add(Subject::Source, true, sentence, json!(then), json!(now));
        }
    }
    if then.corpus.not_indexed != now.corpus.not_indexed {
        let (then, now) = (then.corpus.not_indexed, now.corpus.not_indexed);
        let sentence = format!("items of the case that were not in the index: {then} then, {now} now");
        add(Subject::NotIndexed, true, sentence, json!(then), json!(now));
    }
    if then.not_searchable != now.not_searchable {
        let sentence = not_searchable_sentence(then, now);
        add(
            Subject::NotSearchable,
            true,
            sentence,
            json!(then.not_searchable),
            json!(now.not_searchable),
        );
    }
    for (_, then, now) in both(&then.sets, &now.sets, |set| (set.field.clone(), set.asked.clone())) {
        if let Some((matters, sentence)) = set_sentence(then, now) {
            add(Subject::Set, matters, sentence, json!(then), json!(now));
        }
    }
    if then.case.zone != now.case.zone {
        let sentence = format!(
            "days began in the zone {} then and begin in {} now",
            then.case.zone, now.case.zone
        );
        add(
            Subject::Zone,
            true,
            sentence,
            json!(then.case.zone),
            json!(now.case.zone),
        );
    }
    if (&then.query.canonical, &then.query.tree) != (&now.query.canonical, &now.query.tree) {
        let sentence = "this version reads the query otherwise".to_owned();
        add(Subject::Query, true, sentence, json!(then.query), json!(now.query));
    }
    if then.result.digest != now.result.digest {
        let sentence = result_sentence(then, now);
        add(
            Subject::Result,
            true,
            sentence,
            listed_gone(then, now),
            listed_gone(now, then),
        );
    } else if then.result.order_root != now.result.order_root {
        let sentence = "the items found are the same, in another order".to_owned();
        add(
            Subject::Order,
            true,
            sentence,
            json!(then.result.order_root),
            json!(now.result.order_root),
        );
    }
    if (then.result.hits, then.result.families) != (now.result.hits, now.result.families) {
        let sentence = format!(
            "hits as the scope {} counts them: {} then, {} now; in families: {} then, {} now",
            then.query.scope, then.result.hits, now.result.hits, then.result.families, now.result.families
        );
        let counts = |one: &Statement| json!({"hits": one.result.hits, "families": one.result.families});
        add(Subject::Count, true, sentence, counts(then), counts(now));
    }
    if then.index != now.index {
        let sentence = format!(
            "the index was of version {} at ticket {} then, and is of version {} at ticket {} now",
            then.index.version, then.index.ticket, now.index.version, now.index.ticket
        );
        add(Subject::Index, false, sentence, json!(then.index), json!(now.index));
    }
    if then.case.id != now.case.id {
        let sentence = format!(
            "another copy of the case, {:?}; then {:?}",
            now.case.name, then.case.name
        );
        add(Subject::Case, false, sentence, json!(then.case), json!(now.case));
    }
    if then.tool != now.tool {
        let sentence = format!("made by {} then, by {} now", then.tool, now.tool);
        add(Subject::Tool, false, sentence, json!(then.tool), json!(now.tool));
    }
    found
}

/// Things of two lists with the same name beside each other, in the order of names.
fn both<'t, T, K: Ord>(
    then: &'t [T],
    now: &'t [T],
    name: impl Fn(&T) -> K,
) -> impl Iterator<Item = (K, Option<&'t T>, Option<&'t T>)> {
    let mut all: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for one in then {
        all.entry(name(one)).or_default().0 = Some(one);
    }
    for one in now {
        all.entry(name(one)).or_default().1 = Some(one);
    }
    all.into_iter().map(|(key, (then, now))| (key, then, now))
}

fn changed(what: &str, then: u64, now: u64) -> String {
    if then == now {
        format!("{what}: {then} items, but not the same ones")
    } else {
        format!("{what}: {then} items then, {now} now")
    }
}

fn corpus_sentence(then: &SetDigest, now: &SetDigest, first_then: Option<&SetDigest>) -> String {
    let counts = format!("{} items were searched then, {} now", then.items, now.items);
    if now.items > then.items && first_then == Some(then) {
        let added = now.items - then.items;
        format!("{counts}: {added} were added since, and all that were there still are")
    } else if now.items < then.items {
        format!("{counts}: at least {} are missing", then.items - now.items)
    } else if now.items == then.items {
        format!("{counts}, but not the same ones")
    } else {
        format!("{counts}, and not all of those that were there stand first: some are others, or came in another order")
    }
}

fn not_searchable_sentence(then: &Statement, now: &Statement) -> String {
    let (then, now) = (&then.not_searchable, &now.not_searchable);
    let mut parts = Vec::new();
    for (reason, then, now) in both(&then.reasons, &now.reasons, |one| one.reason.clone()) {
        let items = |one: Option<&crate::standing::ReasonCount>| one.map_or(0, |one| one.items);
        if items(then) != items(now) {
            parts.push(format!("{reason} {} then, {} now", items(then), items(now)));
        }
    }
    if parts.is_empty() {
        format!(
            "{} items in scope could not be searched, but not the same ones",
            then.digest.items
        )
    } else {
        format!("items in scope that could not be searched: {}", parts.join("; "))
    }
}

/// What changed about a set, and whether its items did; nothing when nothing changed.
fn set_sentence(then: Option<&UsedSet>, now: Option<&UsedSet>) -> Option<(bool, String)> {
    let (Some(then), Some(now)) = (then, now) else {
        let set = then.or(now)?;
        let when = if then.is_some() {
            "then and not now"
        } else {
            "now and not then"
        };
        return Some((true, format!("the query asks for {}:{} {when}", set.field, set.asked)));
    };
    let what = format!("{}:{}", then.field, then.asked);
    let versions: Vec<String> = both(&then.named, &now.named, |one| one.name.clone())
        .filter(|(_, then, now)| then != now)
        .map(|(name, then, now)| {
            let version = |one: Option<&super::NamedVersion>| {
                one.map_or_else(|| "not there".to_owned(), |one| format!("version {}", one.version))
            };
            format!("{name:?} was {} then, {} now", version(then), version(now))
        })
        .collect();
    let versions = versions.join("; ");
    if then.digest != now.digest {
        let mut sentence = changed(&what, then.digest.items, now.digest.items);
        if !versions.is_empty() {
            sentence = format!("{sentence}; {versions}");
        }
        return Some((true, sentence));
    }
    (!versions.is_empty()).then(|| (false, format!("{what} holds the same items; {versions}")))
}

fn result_sentence(then: &Statement, now: &Statement) -> String {
    let (one, other) = (&then.result, &now.result);
    let mut sentence = changed("found", one.digest.items, other.digest.items);
    if let (Some(then), Some(now)) = (names(then), names(now)) {
        sentence = format!(
            "{sentence}; {} found then are not found now, {} found now were not then",
            then.difference(&now).count(),
            now.difference(&then).count()
        );
    }
    sentence
}

/// What the one found and the other did not: the hits themselves when both name them, else counts.
fn listed_gone(one: &Statement, other: &Statement) -> Value {
    let mut value = json!(one.result.digest);
    if let (Some(ours), Some(theirs)) = (names(one), names(other)) {
        value["only"] = ours.difference(&theirs).copied().collect();
    }
    value
}

fn names(statement: &Statement) -> Option<BTreeSet<&str>> {
    Some(statement.result.listed.as_ref()?.iter().map(String::as_str).collect())
}
