//! N7, what records say: a severity assessment was revised, and no consultation is on record where the regulations ask for one.
//!
//! Which decisions and regulations: `deciders.toml`, `consultation`. A second severity assessment recorded as a revision counts as one.
//! Look-alikes: the log speaks of a consultation of the right kind in the four weeks before (explained), or of a consultation only
//! (lowers); somebody was consulted of whom no such role is on record (lowers). What mail says of it, and contact from outside: `n7_mail`.

use embley_model::record::RecordType;
use jiff::ToSpan;

use super::draft::{Draft, Weight};
use super::governing::OlderMatter;
use super::material::{CaseFile, Row, holds};
use super::n7_mail::{self, Change};
use super::{Context, Rule};
use crate::error::Result;

/// Days before a revision in which the log is looked at.
const LOG_DAYS: i64 = 28;

/// See the module.
pub(super) struct Consultation;

impl Rule for Consultation {
    fn id(&self) -> &'static str {
        "N7"
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(governing) = case.governing(&context.rules.frameworks, context.zone) else {
            return Ok(Vec::new());
        };
        let ids = governing.ids();
        let kind = governing.kind(&ids, case.head());
        let roles = case.roles(context.zone);
        let older = OlderMatter::find(context, case, &governing)?;
        let mut drafts = Vec::new();
        for row in case.of(RecordType::Decision).filter(|row| is_revision(row)) {
            let Some(line) = context.rules.deciders.consultation("severity_revision", kind) else {
                continue;
            };
            if governing.schedule_3 != Some(true) {
                continue;
            }
            let Some(moment) = row.moment("decided_at", context.zone) else {
                continue;
            };
            let change = Change {
                row,
                moment,
                who: &line.who,
            };
            if let Some(mail) = context.mail {
                drafts.extend(n7_mail::contacts(context, case, case.mail(context, mail)?, &change));
            }
            let consulted = row.record.list("consulted");
            let deciders = &context.rules.deciders;
            // A consultation comes before the decision, so the role may have been held at any time until then; the day of the decision stands for it.
            let by_role = |id: &&str| {
                let word = id.to_lowercase().replace([' ', '-'], "_");
                holds(&roles, deciders, id, &line.who, &moment).is_some() || deciders.is_role(&line.who, &word)
            };
            if consulted.iter().any(by_role) {
                continue;
            }
            let spoken = line.who.replace('_', " ");
            let mut draft = Draft::sentence(
                Some(&case.case_ref),
                &format!(
                    "the severity assessment of case {} is recorded as revised on {} by {}, without the {spoken} among those recorded as consulted",
                    case.case_ref,
                    moment.day,
                    context.people.spoken(row.text("decided_by"))
                ),
            )
            .input(row)
            .person(row.text("decided_by"))
            .citation(line.cited())
            .speaks_for(format!("under {} it is revised only after the {spoken} was consulted", line.cited()));
            for id in row.record.list("subject_person_ids") {
                draft = draft.person(id);
            }
            if row.record.list("notified").is_empty() {
                draft = draft.speaks_for("nobody is recorded as notified of it");
            }
            if !governing.schedule_3_on_record {
                draft = draft.against(
                    Weight::Lowers,
                    "whether the case is under Schedule 3 is not on record; it is taken from the type of case",
                );
            }
            if !consulted.is_empty() {
                let names: Vec<String> = consulted.iter().map(|id| context.people.spoken(id)).collect();
                draft = draft.against(
                    Weight::Lowers,
                    format!(
                        "recorded as consulted: {}; no role as {spoken} that day is on record for them",
                        names.join(", ")
                    ),
                );
            }
            if let Some(older) = &older {
                let ids = older.governing.ids();
                let asks = deciders.consultation("severity_revision", older.governing.kind(&ids, case.head()));
                let weight = if asks.is_some() { Weight::Open } else { older.weight() };
                draft = draft.record(&older.row).against(weight, older.words.clone());
            }
            let draft = in_log(context, case, draft, &moment.day, &spoken);
            drafts.push(match context.mail {
                Some(mail) => n7_mail::consulted(context, mail, case, &change, draft)?,
                None => draft.not_searchable("mail, which may hold the consultation: there is no index"),
            });
        }
        Ok(drafts)
    }
}

fn is_revision(row: &Row) -> bool {
    match row.text("decision_type") {
        "severity_revision" => true,
        "severity_assessment" => row.text("supersession_basis") == "revision",
        _ => false,
    }
}

fn in_log(context: &Context<'_>, case: &CaseFile, mut draft: Draft, day: &jiff::civil::Date, spoken: &str) -> Draft {
    let from = day.checked_sub(LOG_DAYS.days()).unwrap_or(*day);
    let roles = case.roles(context.zone);
    let authorities = roles
        .iter()
        .filter(|held| context.rules.deciders.is_role("appropriate_authority", held.role()));
    let mut names: Vec<String> = vec![spoken.to_lowercase()];
    for held in authorities {
        names.push(held.person().to_lowercase());
        names.extend(context.people.name(held.person()).map(str::to_lowercase));
    }
    for entry in case.log_entries(context.zone, from, *day, &["consult"]) {
        let text = entry.text("text").to_lowercase();
        let on = entry
            .day("entry_at", context.zone)
            .map(|day| day.to_string())
            .unwrap_or_default();
        let (weight, words) = if names.iter().any(|name| !name.is_empty() && text.contains(name)) {
            (
                Weight::Explains,
                format!("the log of {on} speaks of a consultation and names the {spoken} or its holder"),
            )
        } else {
            (Weight::Lowers, format!("the log of {on} speaks of a consultation"))
        };
        draft = draft.record(entry).against(weight, words);
    }
    draft
        .against(
            Weight::Open,
            "a consultation may be recorded elsewhere, or have been by word of mouth",
        )
        .not_searchable("consultation in mail that does not name the case, or in words that no pattern of decision-phrases.toml knows")
}
