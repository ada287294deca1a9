//! The dip sample: cases drawn by a seed and checked against a list, with rates and exact intervals; the same over all cases.
//!
//! What a force does by hand on 50 to 100 cases a month. Each check says whether something is on record, not whether it was done. Main
//! function: [`dip_sample`]. Invariant: the same records, seed and size give the same cases in the same order; a check that does not
//! apply to a case, or for whose kind of records nothing is loaded, counts neither as on record nor as not on record.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::record::RecordType;
use embley_search::interval;
use embley_store::facts::cases::case_key;
use embley_store::facts::indicators::stable_id;
use serde::Serialize;

use crate::error::{CaseworkError, Result};
use crate::indicators::{CaseFile, ClockState, Context, Row, clock_states};
use crate::rules::clocks::What;

/// The confidence of intervals.
pub const CONFIDENCE: f64 = 0.95;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<'a> {
    /// How many cases; all when there are no more.
    pub size: u64,
    /// The seed: a text, so that it can be anything that people write down.
    pub seed: &'a str,
    /// All cases in place of a sample.
    pub all: bool,
}

/// What a check found in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// On record.
    OnRecord,
    /// Not on record, in the material loaded.
    NotOnRecord,
    /// Nothing of the kind is expected in this case.
    NotApplicable,
    /// No record of the kind is loaded at all.
    NotLoaded,
}

impl Found {
    /// The word in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnRecord => "on_record",
            Self::NotOnRecord => "not_on_record",
            Self::NotApplicable => "not_applicable",
            Self::NotLoaded => "not_loaded",
        }
    }
}

/// The checks, in their order: (word, what is asked).
pub const CHECKS: [(&str, &str); 8] = [
    (
        "severity_assessment",
        "a severity assessment is on record where the case is about conduct or certified as subject to special requirements",
    ),
    (
        "notices_served",
        "a notice is on record for everybody whose conduct was assessed as misconduct or gross misconduct",
    ),
    (
        "conflict_declarations",
        "a declaration, nil or other, is on record for everybody who decided or investigated",
    ),
    (
        "updates_in_time",
        "every update and outcome is on record by the day on which it was due, or explained",
    ),
    (
        "reviews_in_time",
        "every review is on record by the day on which it was due",
    ),
    (
        "timeliness_reports",
        "every report that the case is not done is on record by the day on which it was due",
    ),
    ("supervision", "a supervisor or a supervisory review is on record"),
    ("allegation_types", "every allegation has a type on record"),
];

/// A case with what the checks found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedCase {
    /// The case.
    pub case_ref: String,
    /// By check.
    pub checks: BTreeMap<&'static str, Found>,
    /// Severity assessments on record.
    pub severity_assessments: u64,
    /// True when one was revised to another outcome or without saying to which, or a later one has another outcome.
    pub severity_changed: bool,
}

/// A rate with its exact (Clopper-Pearson) interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// Counted.
    pub found: u64,
    /// Of so many.
    pub of: u64,
    /// Their ratio; `None` of none.
    pub rate: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What a dip sample gave.
#[derive(Clone, Debug, Serialize)]
pub struct DipSample {
    /// The seed.
    pub seed: String,
    /// All cases of the material loaded.
    pub population: u64,
    /// The cases looked at.
    pub cases: Vec<CheckedCase>,
    /// By check, how many have it on record of those to which it applies.
    pub rates: BTreeMap<&'static str, Rate>,
    /// Of the cases with a severity assessment, how many had it changed.
    pub severity_changed: Rate,
    /// Confidence of the intervals.
    pub confidence: f64,
}

/// Draws and checks.
///
/// # Errors
/// The size is 0, or the catalogue refuses.
pub fn dip_sample(context: &Context<'_>, ask: Ask<'_>) -> Result<DipSample> {
    if ask.size == 0 && !ask.all {
        return Err(CaseworkError::Request {
            detail: "a sample of 0 cases says nothing; give --size a number from 1".to_owned(),
        });
    }
    let mut all = context.shared.case_names(context.facts)?;
    let population = all.len() as u64;
    if !ask.all {
        // The order of hashes over seed and key is the order of drawing: a larger sample of one seed holds the smaller one.
        all.sort_by_cached_key(|name| {
            let key = case_key(&name.written);
            (stable_id("dip", &[ask.seed, &key]), key)
        });
        all.truncate(usize::try_from(ask.size).unwrap_or(usize::MAX));
    }
    let mut cases = Vec::new();
    for name in &all {
        let case = CaseFile::load(context.facts, name)?.unified(context.people);
        cases.push(check(context, &case));
    }
    let mut rates = BTreeMap::new();
    for (word, _) in CHECKS {
        let count = |wanted: Found| {
            cases
                .iter()
                .filter(|case| case.checks.get(word) == Some(&wanted))
                .count() as u64
        };
        let on_record = count(Found::OnRecord);
        rates.insert(word, rate(on_record, on_record + count(Found::NotOnRecord)));
    }
    let assessed = cases.iter().filter(|case| case.severity_assessments > 0);
    let changed = assessed.clone().filter(|case| case.severity_changed).count() as u64;
    let severity_changed = rate(changed, assessed.count() as u64);
    Ok(DipSample {
        seed: ask.seed.to_owned(),
        population,
        cases,
        rates,
        severity_changed,
        confidence: CONFIDENCE,
    })
}

fn check(context: &Context<'_>, case: &CaseFile) -> CheckedCase {
    let mut checks = BTreeMap::new();
    let states = clock_states(context, case);
    let in_time = |wanted: &[What]| clocks(&states, wanted);
    let found = |kind: RecordType, found: Found| {
        if context.shared.has(kind) {
            found
        } else {
            Found::NotLoaded
        }
    };
    checks.insert("severity_assessment", found(RecordType::Decision, severity(case)));
    checks.insert("notices_served", found(RecordType::NoticeService, notices(case)));
    checks.insert(
        "conflict_declarations",
        found(RecordType::ConflictDeclaration, declarations(context, case)),
    );
    checks.insert(
        "updates_in_time",
        found(RecordType::Update, in_time(&[What::Update, What::Outcome])),
    );
    checks.insert("reviews_in_time", found(RecordType::Review, in_time(&[What::Review])));
    checks.insert(
        "timeliness_reports",
        found(RecordType::TimelinessReport, in_time(&[What::TimelinessReport])),
    );
    checks.insert("supervision", supervision(context, case));
    checks.insert("allegation_types", found(RecordType::Allegation, allegations(case)));
    CheckedCase {
        case_ref: case.case_ref.clone(),
        checks,
        severity_assessments: of_kind(case, "severity_assessment").count() as u64,
        severity_changed: severity_changed(case),
    }
}

fn on_record(yes: bool) -> Found {
    if yes { Found::OnRecord } else { Found::NotOnRecord }
}

fn of_kind<'a>(case: &'a CaseFile, kind: &'a str) -> impl Iterator<Item = &'a Row> {
    case.of(RecordType::Decision)
        .filter(move |row| row.text("decision_type") == kind)
}

fn clocks(states: &[ClockState<'_>], wanted: &[What]) -> Found {
    let mut own = states
        .iter()
        .filter(|state| wanted.contains(&state.clock.what))
        .peekable();
    if own.peek().is_none() {
        return Found::NotApplicable;
    }
    on_record(!own.any(ClockState::passed))
}

fn severity(case: &CaseFile) -> Found {
    let certified = case
        .head()
        .is_some_and(|head| head.time("special_requirements_certified_at").is_some());
    if of_kind(case, "severity_assessment").next().is_some() {
        return Found::OnRecord;
    }
    match case.schedule_3().0 {
        Some(false) => Found::NotOnRecord,
        Some(true) if certified => Found::NotOnRecord,
        Some(true) | None => Found::NotApplicable,
    }
}

/// `misconduct` or `gross misconduct`, and nothing that says that there is none.
fn is_misconduct(outcome: &str) -> bool {
    let word = outcome.trim().to_lowercase().replace(['_', '-'], " ");
    matches!(word.as_str(), "misconduct" | "gross misconduct")
}

fn notices(case: &CaseFile) -> Found {
    let assessed = of_kind(case, "severity_assessment").chain(of_kind(case, "severity_revision"));
    let mut subjects: BTreeSet<&str> = BTreeSet::new();
    let mut any = false;
    for row in assessed.filter(|row| is_misconduct(row.text("outcome"))) {
        any = true;
        subjects.extend(row.record.list("subject_person_ids"));
    }
    if !any {
        return Found::NotApplicable;
    }
    if subjects.is_empty() {
        subjects = case.officers_concerned();
    }
    let served: BTreeSet<&str> = case
        .of(RecordType::NoticeService)
        .map(|row| row.text("subject_person_id"))
        .collect();
    on_record(!served.is_empty() && subjects.iter().all(|id| served.contains(id)))
}

fn declarations(context: &Context<'_>, case: &CaseFile) -> Found {
    let mut people: BTreeSet<&str> = case
        .of(RecordType::Decision)
        .map(|row| row.text("decided_by"))
        .collect();
    let roles = case.roles(context.zone);
    for held in &roles {
        if context.rules.deciders.is_role("person_investigating", held.role()) {
            people.insert(held.row.text("person_id"));
        }
    }
    people.remove("");
    if people.is_empty() {
        return Found::NotApplicable;
    }
    let own: BTreeSet<&str> = case
        .of(RecordType::ConflictDeclaration)
        .map(|row| row.text("person_id"))
        .collect();
    on_record(people.iter().all(|id| own.contains(id)))
}

fn supervision(context: &Context<'_>, case: &CaseFile) -> Found {
    let supervisor = case
        .roles(context.zone)
        .iter()
        .any(|held| held.role().eq_ignore_ascii_case("supervisor"));
    let reviewed = case
        .of(RecordType::Review)
        .any(|row| row.text("review_kind") == "supervisory");
    if supervisor || reviewed {
        return Found::OnRecord;
    }
    if context.shared.has(RecordType::Review) || context.shared.has(RecordType::RoleAppointment) {
        return Found::NotOnRecord;
    }
    Found::NotLoaded
}

fn allegations(case: &CaseFile) -> Found {
    let mut own = case.of(RecordType::Allegation).peekable();
    if own.peek().is_none() {
        return Found::NotApplicable;
    }
    on_record(own.all(|row| !row.text("allegation_type_code").is_empty()))
}

fn severity_changed(case: &CaseFile) -> bool {
    let outcome = |row: &Row| row.text("outcome").trim().to_lowercase().replace(['_', '-'], " ");
    // A revision that says what an assessment of the same people said is no change; one that does not say to what is one.
    let confirms = |revision: &Row| {
        let own = revision.record.list("subject_person_ids");
        of_kind(case, "severity_assessment").any(|first| {
            let theirs = first.record.list("subject_person_ids");
            let same = own.is_empty() || theirs.is_empty() || theirs.iter().any(|id| own.contains(id));
            same && !outcome(first).is_empty() && outcome(first) == outcome(revision)
        })
    };
    if of_kind(case, "severity_revision").any(|revision| !confirms(revision)) {
        return true;
    }
    let mut outcomes: BTreeMap<Vec<&str>, BTreeSet<String>> = BTreeMap::new();
    for row in of_kind(case, "severity_assessment").filter(|row| !row.text("outcome").is_empty()) {
        let mut subjects = row.record.list("subject_person_ids");
        subjects.sort_unstable();
        outcomes.entry(subjects).or_default().insert(outcome(row));
    }
    outcomes.values().any(|outcomes| outcomes.len() > 1)
}

/// A rate with its interval at [`CONFIDENCE`].
fn rate(found: u64, of: u64) -> Rate {
    let interval = interval::rate(found, of, CONFIDENCE);
    Rate {
        found,
        of,
        rate: interval.map(|one| one.rate),
        low: interval.map(|one| one.low),
        high: interval.map(|one| one.high),
    }
}

#[cfg(test)]
#[path = "dip_sample_tests.rs"]
mod tests;
