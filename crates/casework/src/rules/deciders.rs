//! Who decides what: by type of decision, governing regulations and form of investigation.
//!
//! Main type: [`Deciders`]. Invariant: every `who` is a list of roles that the file declares; the first line that fits holds.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::frameworks::Frameworks;
use super::load::{Source, shown_citation};
use crate::error::Result;

/// A line: who takes decisions of some types.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decider {
    /// Its id.
    pub id: String,
    /// Version of this line.
    pub version: u32,
    /// Whether it is used.
    pub on: bool,
    /// Not confirmed in a primary source.
    #[serde(default)]
    pub check: bool,
    /// Types of decision.
    #[serde(default)]
    pub decisions: Vec<String>,
    /// Regulations that govern the case.
    pub regimes: Vec<String>,
    /// Only cases under Schedule 3, or only others.
    pub schedule_3: Option<bool>,
    /// Only cases certified as subject to special requirements.
    pub certified: Option<bool>,
    /// Only these forms of investigation.
    #[serde(default)]
    pub forms: Vec<String>,
    /// Who decides: a key of `words`.
    pub who: String,
    /// The decision is taken outside the force.
    #[serde(default)]
    pub outside: bool,
    /// Where it stands.
    pub citation: String,
}

impl Decider {
    /// The citation as it is shown.
    pub fn cited(&self) -> String {
        shown_citation(&self.citation, self.check)
    }
}

/// What is known of a case when a line is looked for.
#[derive(Clone, Copy, Debug)]
pub struct CaseKind<'a> {
    /// Ids of the regulations that govern it.
    pub regimes: &'a [&'a str],
    /// Under Schedule 3.
    pub schedule_3: Option<bool>,
    /// Certified as subject to special requirements.
    pub certified: bool,
    /// Form of investigation, as recorded.
    pub form: Option<&'a str>,
}

/// All lines; see the module.
#[derive(Clone, Debug)]
pub struct Deciders {
    words: BTreeMap<String, Vec<String>>,
    delegable: Vec<String>,
    forms: BTreeMap<String, Vec<String>>,
    deciders: Vec<Decider>,
    consultations: Vec<Decider>,
    appointees: Vec<Decider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(rename = "version")]
    _version: u32,
    delegable: Vec<String>,
    words: BTreeMap<String, Vec<String>>,
    forms: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    decider: Vec<Decider>,
    #[serde(default)]
    consultation: Vec<Decider>,
    #[serde(default)]
    appointee: Vec<Decider>,
}

impl Deciders {
    pub(super) fn read(source: &Source<'_>, frameworks: &Frameworks) -> Result<Self> {
        let file: File = source.parse()?;
        for (table, lines) in [
            ("decider", &file.decider),
            ("consultation", &file.consultation),
            ("appointee", &file.appointee),
        ] {
            let heads = lines
                .iter()
                .map(|one| (one.id.as_str(), one.version, one.citation.as_str()));
            source.check_lines(table, heads)?;
            for line in lines {
                let key = |name: &str| format!("{table} \"{}\", {name}", line.id);
                source.check_decisions(&key("decisions"), &line.decisions)?;
                if line.decisions.is_empty() && table != "appointee" {
                    return Err(source.refuse(&key("decisions"), "there is none"));
                }
                if !file.words.contains_key(&line.who) {
                    return Err(source.refuse(&key("who"), &format!("\"{}\" is not one of [words]", line.who)));
                }
                if let Some(id) = line.regimes.iter().find(|id| !frameworks.has(id)) {
                    return Err(source.refuse(&key("regimes"), &format!("there is no regime \"{id}\"")));
                }
            }
        }
        for (word, roles) in &file.words {
            if roles.is_empty() {
                return Err(source.refuse(&format!("words, {word}"), "it names no role"));
            }
        }
        if let Some(who) = file.delegable.iter().find(|who| !file.words.contains_key(*who)) {
            return Err(source.refuse("delegable", &format!("\"{who}\" is not one of [words]")));
        }
        Ok(Self {
            words: file.words,
            delegable: file.delegable,
            forms: file.forms,
            deciders: file.decider,
            consultations: file.consultation,
            appointees: file.appointee,
        })
    }

    /// The line that says who takes a decision.
    pub fn decider(&self, decision_type: &str, case: CaseKind<'_>) -> Option<&Decider> {
        self.deciders
            .iter()
            .find(|one| one.decisions.iter().any(|word| word == decision_type) && one.fits(case))
    }

    /// The line that says who must be consulted on a decision.
    pub fn consultation(&self, decision_type: &str, case: CaseKind<'_>) -> Option<&Decider> {
        self.consultations
            .iter()
            .find(|one| one.decisions.iter().any(|word| word == decision_type) && one.fits(case))
    }

    /// The line that limits who may be appointed.
    pub fn appointee(&self, case: CaseKind<'_>) -> Option<&Decider> {
        self.appointees.iter().find(|one| one.fits(case))
    }

    /// Words of `role_appointment.role` that a word of this file stands for; a role that is no such word stands for itself.
    pub fn roles<'a>(&'a self, word: &'a str) -> Vec<&'a str> {
        self.words
            .get(word)
            .map_or_else(|| vec![word], |roles| roles.iter().map(String::as_str).collect())
    }

    /// True when a recorded role is one that a word of this file stands for.
    pub fn is_role(&self, word: &str, role: &str) -> bool {
        let role = fold(role);
        self.roles(word).iter().any(|one| fold(one) == role)
    }

    /// True when whoever decides may leave it to a delegate.
    pub fn is_delegable(&self, who: &str) -> bool {
        self.delegable.iter().any(|one| one == who)
    }

    /// True when a recorded role is one that some word of this file stands for.
    pub fn knows_role(&self, role: &str) -> bool {
        self.words.keys().any(|word| self.is_role(word, role))
    }

    /// True when the form of investigation puts decisions outside the force.
    pub fn is_outside(&self, form: Option<&str>) -> bool {
        let outside = self.forms.get("outside");
        form.is_some_and(|form| outside.is_some_and(|words| words.iter().any(|word| fold(word) == fold(form))))
    }
}

impl Decider {
    fn fits(&self, case: CaseKind<'_>) -> bool {
        let fits_schedule = self.schedule_3.is_none_or(|wanted| case.schedule_3 == Some(wanted));
        let fits_certified = self.certified.is_none_or(|wanted| case.certified == wanted);
        let fits_form = self.forms.is_empty()
            || case
                .form
                .is_some_and(|form| self.forms.iter().any(|word| fold(word) == fold(form)));
        let fits_regime = self.regimes.iter().any(|id| case.regimes.contains(&id.as_str()));
        self.on && fits_schedule && fits_certified && fits_form && fits_regime
    }
}

/// Words of vocabularies are compared without case, `_`, `-` and spaces alike: `Lead Investigator` is `lead_investigator`.
fn fold(text: &str) -> String {
    text.trim().to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    #[test]
    fn the_line_depends_on_regulations_schedule_and_form() {
        let rules = RuleSet::built_in().expect("the built-in rules are right");
        let check =
            |decision: &str, regimes: &[&str], schedule_3: Option<bool>, form: Option<&str>, expected: Option<&str>| {
                let case = CaseKind {
                    regimes,
                    schedule_3,
                    certified: true,
                    form,
                };
                let found = rules.deciders.decider(decision, case).map(|one| one.id.as_str());
                assert_eq!(found, expected, "{decision} {regimes:?} {schedule_3:?} {form:?}");
            };
        let (new, old) = (["complaint-2020", "conduct-2020"], ["complaint-2012", "conduct-2012"]);
        check(
            "severity_assessment",
            &["conduct-2012"],
            Some(false),
            None,
            Some("severity-conduct-2012"),
        );
        check(
            "severity_assessment",
            &old,
            Some(true),
            None,
            Some("severity-schedule-3-2012"),
        );
        check(
            "severity_assessment",
            &new,
            Some(true),
            Some("Independent"),
            Some("severity-outside-2020"),
        );
        check(
            "severity_assessment",
            &new,
            Some(true),
            Some("local"),
            Some("severity-schedule-3-2020"),
        );
        check("severity_revision", &old, Some(true), None, None);
        check("case_to_answer", &new, Some(true), None, Some("case-to-answer-2020"));
        check("severity_assessment", &["conduct-2008"], Some(false), None, None);
        assert!(rules.deciders.is_role("person_investigating", "Lead Investigator"));
        assert!(!rules.deciders.is_role("appropriate_authority", "investigator"));
        assert!(rules.deciders.is_outside(Some("directed")) && !rules.deciders.is_outside(None));
    }
}
