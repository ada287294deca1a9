//! Running rules over cases: drafts become indicators with stable ids, compared with the last run.
//!
//! Main function: [`run`]; [`record`] puts what it gave on record. Invariant: indicators stand in the order rule, case, id; two drafts
//! with the same id are a fault of a rule and are refused, never merged.

use std::collections::{BTreeMap, BTreeSet};

use embley_store::facts::cases::case_key;
use embley_store::facts::indicators::{self, ConclusionRow, Form, Scope};
use embley_store::facts::{Connection, Stamp};
use roaring::RoaringBitmap;
use serde::Serialize;
use serde_json::{Value, json};

use super::conclusion::Conclusion;
use super::draft::{Confidence, Draft, Indicator, NotSearchable};
use super::material::{CaseFile, CaseName};
use super::{Context, RULES, Rule};
use crate::error::{CaseworkError, Result};
use crate::rules::RuleLine;
use crate::timeline::ItemSource;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// One case; rules over all cases are then left out.
    pub case_ref: Option<String>,
    /// Some rules; empty means all.
    pub rules: Vec<String>,
    /// Items that cannot be searched, by reason: shown with every indicator.
    pub hidden: BTreeMap<&'static str, u64>,
}

/// Against the last run that looked at as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was not there, or nobody had looked.
    New,
    /// It was there and said the same.
    Same,
    /// It was there and said something else.
    Changed,
}

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Indicators, explained ones among them.
    pub indicators: Vec<Indicator>,
    /// What the last run saw and this one does not: its JSON.
    pub gone: Vec<Value>,
    /// Cases that were looked at.
    pub cases: u64,
    /// Rules that were applied.
    pub rules: Vec<&'static str>,
    /// Rules that were left out, and why.
    pub left_out: Vec<String>,
    /// Whether there was a run to compare with.
    pub compared: bool,
    scope: Scope,
    sources: String,
}

/// Runs the rules.
///
/// # Errors
/// A rule is asked for that there is not, there is no such case, or the catalogue or the index refuses.
pub fn run(context: &Context<'_>, items: &dyn ItemSource, ask: &Ask) -> Result<Outcome> {
    let mut left_out = Vec::new();
    let rules = chosen(context, ask, &mut left_out)?;
    let cases = cases_of(context, ask)?;
    let mut drafts: Vec<(&'static str, &RuleLine, Draft)> = Vec::new();
    if let Some(mail) = context.mail {
        // Items of other cases too, so that what names several is known.
        mail.index
            .begin(mail.searcher, &context.shared.case_names(context.facts)?)?;
    }
    for name in &cases {
        let case = CaseFile::load(context.facts, name)?.unified(context.people);
        for (rule, line) in &rules {
            let found = rule.in_case(context, &case)?;
            drafts.extend(found.into_iter().map(|draft| (rule.id(), *line, draft)));
        }
    }
    if ask.case_ref.is_none() {
        for (rule, line) in &rules {
            let found = rule.across(context)?;
            drafts.extend(found.into_iter().map(|draft| (rule.id(), *line, draft)));
        }
    }
    let scope = Scope {
        case_key: ask
            .case_ref
            .as_ref()
            .and_then(|_| cases.first())
            .map(|name| case_key(&name.written)),
        rules: (!ask.rules.is_empty()).then(|| rules.iter().map(|(rule, _)| rule.id().to_owned()).collect()),
    };
    let before = indicators::before(context.facts, &scope)?;
    let conclusions = indicators::conclusions(context.facts)?;
    let ids = item_ids(items, &drafts)?;
    let mut all = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (rule, line, draft) in drafts {
        let mut one = finish(rule, line, draft, ask, &ids);
        if !seen.insert(one.id.clone()) {
            return Err(CaseworkError::RaisedTwice {
                rule,
                id: one.id,
                sentence: one.sentence,
            });
        }
        one.state = match before.as_ref().and_then(|before| before.get(&one.id)) {
            None => State::New,
            Some(form) if form.content == one.content => State::Same,
            Some(_) => State::Changed,
        };
        let drawn = conclusions.get(&one.id).map(Vec::as_slice);
        conclude_with(&mut one, drawn);
        all.push(one);
    }
    let place = |rule: &str| RULES.iter().position(|one| one.id() == rule).unwrap_or(RULES.len());
    all.sort_by(|one, other| {
        let key = |of: &Indicator| (place(of.rule), of.case_ref.as_deref().map(case_key), of.id.clone());
        key(one).cmp(&key(other))
    });
    if rules.iter().any(|(rule, _)| rule.id() == "N8") {
        left_out.extend(super::n8::not_judged(context));
    }
    let mut gone = Vec::new();
    for (id, form) in before.iter().flatten() {
        if !seen.contains(id) {
            gone.push(serde_json::from_str(&form.body).unwrap_or_else(|_| json!({ "id": id })));
        }
    }
    Ok(Outcome {
        indicators: all,
        gone,
        cases: cases.len() as u64,
        rules: rules.iter().map(|(rule, _)| rule.id()).collect(),
        left_out,
        compared: before.is_some(),
        scope,
        sources: sources_of(context),
    })
}

/// Puts a run on record, over a connection that may write, so that the next one is compared with it. Gives its number.
///
/// # Errors
/// The database's; nothing is changed then.
pub fn record(conn: &Connection, outcome: &Outcome, stamp: Stamp<'_>) -> Result<i64> {
    let forms: Vec<Form> = outcome.indicators.iter().map(form_of).collect();
    Ok(indicators::record(
        conn,
        &outcome.scope,
        &outcome.sources,
        &forms,
        stamp,
    )?)
}

fn chosen<'a>(
    context: &Context<'a>,
    ask: &Ask,
    left_out: &mut Vec<String>,
) -> Result<Vec<(&'static dyn Rule, &'a RuleLine)>> {
    for asked in &ask.rules {
        if !RULES.iter().any(|rule| rule.id().eq_ignore_ascii_case(asked)) {
            let known: Vec<&str> = RULES.iter().map(|rule| rule.id()).collect();
            return Err(CaseworkError::Request {
                detail: format!(
                    "there is no rule \"{asked}\" in this version; there are {}",
                    known.join(", ")
                ),
            });
        }
    }
    let mut chosen = Vec::new();
    for rule in RULES {
        if !ask.rules.is_empty() && !ask.rules.iter().any(|asked| asked.eq_ignore_ascii_case(rule.id())) {
            continue;
        }
        match context.rules.settings.rule(rule.id()) {
            Some(line) if line.on && (!rule.reads_mail() || context.mail.is_some()) => chosen.push((rule, line)),
            Some(line) if line.on => left_out.push(format!("{}: it reads mail, and there is no index", rule.id())),
            Some(_) | None => left_out.push(format!("{}: it is switched off in indicators.toml", rule.id())),
        }
    }
    Ok(chosen)
}

fn cases_of(context: &Context<'_>, ask: &Ask) -> Result<Vec<CaseName>> {
    let all = context.shared.case_names(context.facts)?;
    let Some(asked) = &ask.case_ref else {
        return Ok(all);
    };
    let key = case_key(asked);
    let found: Vec<CaseName> = all.into_iter().filter(|name| name.keys.contains(&key)).collect();
    if found.is_empty() {
        return Err(CaseworkError::Request {
            detail: format!("no record in the material loaded names a case \"{asked}\""),
        });
    }
    Ok(found)
}

/// Printed ids of the items of all drafts.
fn item_ids(items: &dyn ItemSource, drafts: &[(&str, &RuleLine, Draft)]) -> Result<BTreeMap<u32, String>> {
    let wanted: RoaringBitmap = drafts
        .iter()
        .flat_map(|(_, _, draft)| draft.items.iter().copied())
        .collect();
    let cards = items.cards(&wanted)?;
    Ok(cards.into_iter().map(|card| (card.item.0, card.id)).collect())
}

fn finish(rule: &'static str, line: &RuleLine, draft: Draft, ask: &Ask, ids: &BTreeMap<u32, String>) -> Indicator {
    let version = line.version.to_string();
    let case = draft.case_ref.as_deref().map(case_key).unwrap_or_default();
    let mut parts: Vec<&str> = vec![rule, &version, &case];
    parts.extend(draft.about.iter().map(String::as_str));
    parts.push("|");
    parts.extend(draft.inputs.iter().map(String::as_str));
    let id = indicators::stable_id("ind", &parts);
    let confidence = draft.confidence();
    let mut one = Indicator {
        id,
        rule,
        version: line.version,
        citation: draft.citation.unwrap_or_else(|| line.citation.clone()),
        case_ref: draft.case_ref,
        people: draft.people.into_iter().collect(),
        items: draft
            .items
            .iter()
            .map(|item| ids.get(item).cloned().unwrap_or_else(|| format!("#{item}")))
            .collect(),
        records: draft.records.into_keys().collect(),
        confidence,
        sentence: draft.sentence,
        speaks_for: draft.speaks_for,
        speaks_against: draft.against.into_iter().map(|(words, _)| words).collect(),
        not_searchable: NotSearchable {
            items: ask.hidden.clone(),
            said: draft.not_searchable,
        },
        state: State::New,
        conclusion: None,
        earlier_conclusion: None,
        draft: true,
        content: [0; 16],
    };
    let said = json!([
        one.citation,
        one.case_ref,
        one.people,
        one.records,
        one.confidence,
        one.sentence,
        one.speaks_for,
        one.speaks_against
    ]);
    one.content = indicators::text_hash(&said.to_string());
    one
}

fn conclude_with(one: &mut Indicator, rows: Option<&[ConclusionRow]>) {
    let Some(newest) = rows.and_then(<[ConclusionRow]>::last) else {
        return;
    };
    if newest.content == one.content {
        one.conclusion = Some(Conclusion::of(newest));
        one.draft = false;
    } else {
        one.earlier_conclusion = Some(Conclusion::of(newest));
    }
}

fn form_of(one: &Indicator) -> Form {
    let mut body = json!(one);
    if let Some(object) = body.as_object_mut() {
        for name in ["state", "conclusion", "earlier_conclusion", "draft"] {
            object.remove(name);
        }
    }
    Form {
        id: one.id.clone(),
        content: one.content,
        rule: one.rule.to_owned(),
        case_key: one.case_ref.as_deref().map(case_key).unwrap_or_default(),
        body: body.to_string(),
    }
}

/// The files of rules as JSON: name, where from, hash of the text.
fn sources_of(context: &Context<'_>) -> String {
    let mut all = Vec::new();
    for (name, from, text) in context.rules.sources() {
        let hash: String = indicators::text_hash(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        all.push(json!({ "file": name, "from": from, "blake3_128": hash }));
    }
    Value::Array(all).to_string()
}

impl Outcome {
    /// Indicators that nothing on record explains wholly.
    pub fn open(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators
            .iter()
            .filter(|one| one.confidence != Confidence::Explained)
    }

    /// How many something on record explains wholly.
    pub fn explained(&self) -> u64 {
        self.indicators.len() as u64 - self.open().count() as u64
    }
}
