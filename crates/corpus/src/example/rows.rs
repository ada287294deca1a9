//! The plan's rows as canonical records (DOMAIN section 7).
//!
//! A row lies in exactly one of the two exports. A row that was moved in the migration has `migrated_at` and keeps its moment
//! of recording, unless the migration wrote its own in its place ([`super::plan::Row::stamped`]).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::calendar::rfc3339;

use super::cases::ALLEGATIONS;
use super::dates::{at, day_of, text};
use super::people::{DEPUTY, PEOPLE, person_id};
use super::plan::{CasePlan, Entry, Home, Row, World};
use super::truth::RecordId;

/// The source system of the older export.
pub(super) const OLDER: &str = "tribune-like";
/// The source system of the newer export.
pub(super) const NEWER: &str = "centurion-like";

/// A canonical record: its type, and its fields without the type.
pub(super) type Record = (&'static str, Map<String, Value>);

/// Both exports, and the ids of all rows by their number.
pub(super) struct Exports {
    pub(super) older: Vec<Record>,
    pub(super) newer: Vec<Record>,
    pub(super) ids: BTreeMap<u32, RecordId>,
}

/// Turns all rows into records.
pub(super) fn export(world: &World) -> Exports {
    let mut writer = Writer {
        world,
        out: Exports {
            older: Vec::new(),
            newer: Vec::new(),
            ids: BTreeMap::new(),
        },
    };
    // People and registers are those of the first copy.
    if world.copy == 0 {
        for person in 0..PEOPLE {
            writer.person(person);
        }
        for register in &world.registers {
            let (kind, fields) = register_fields(&register.entry);
            writer.put(Home::Moved, kind, &register.row, None, fields);
        }
    }
    for case in &world.cases {
        writer.case(case);
    }
    writer.out
}

struct Writer<'a> {
    world: &'a World,
    out: Exports,
}

fn ids(people: &[usize]) -> Value {
    json!(people.iter().map(|person| person_id(*person)).collect::<Vec<_>>())
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Writer<'_> {
    fn put(&mut self, home: Home, kind: &'static str, row: &Row, case_ref: Option<&str>, fields: Value) {
        let is_moved = home == Home::Moved && day_of(row.recorded_at) < self.world.migration;
        let migrated_at = at(self.world.migration, 120 + i64::from(row.no % 240));
        let (system, list) = match home {
            Home::Older => (OLDER, &mut self.out.older),
            Home::Moved | Home::Newer => (NEWER, &mut self.out.newer),
        };
        let letter = if home == Home::Older || is_moved { 'T' } else { 'C' };
        let record_id = format!("{letter}{:06}", row.no);
        let mut map = match fields {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let mut set = |name: &str, value: Value| {
            map.insert(name.to_owned(), value);
        };
        set("record_id", json!(record_id));
        set("source_system", json!(system));
        set("source_row", json!(list.len() + 1));
        if let Some(case_ref) = case_ref {
            set("case_ref", json!(case_ref));
            set("source_case_ref", json!(case_ref));
        }
        let recorded_at = if row.stamped { migrated_at } else { row.recorded_at };
        set("recorded_at", json!(rfc3339(recorded_at)));
        set("recorded_by", json!(person_id(row.recorded_by)));
        if is_moved {
            set("migrated_at", json!(rfc3339(migrated_at)));
        }
        if let Some(last) = row.history.last() {
            set("modified_at", json!(rfc3339(last.at)));
            set("modified_by", json!(person_id(last.by)));
            let changes: Vec<Value> = row
                .history
                .iter()
                .map(|change| {
                    json!({"field": change.field, "old": change.old, "new": change.new,
                           "changed_at": rfc3339(change.at), "changed_by": person_id(change.by)})
                })
                .collect();
            set("field_history", json!(changes));
        }
        map.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
        list.push((kind, map));
        let id = RecordId {
            source_system: system.to_owned(),
            record_type: kind.to_owned(),
            record_id,
        };
        self.out.ids.insert(row.no, id);
    }

    fn person(&mut self, person: usize) {
        let plan = &self.world.people[person];
        let held = |name: &str, history: Vec<(Value, i64, Option<i64>)>| -> Vec<Value> {
            history
                .into_iter()
                .map(|(value, from, to)| json!({name: value, "from": text(from), "to": to.map(text)}))
                .collect()
        };
        let words = |history: &[super::people::Held<&'static str>]| {
            history
                .iter()
                .map(|(value, from, to)| (json!(value), *from, *to))
                .collect::<Vec<_>>()
        };
        let managers = plan
            .managers
            .iter()
            .map(|(manager, from, to)| (json!(person_id(*manager)), *from, *to))
            .collect();
        let aliases: Vec<Value> = plan
            .aliases()
            .into_iter()
            .map(|(kind, value, from, to)| json!({"kind": kind, "value": value, "from": from.map(text), "to": to.map(text)}))
            .collect();
        let fields = json!({
            "person_id": person_id(person),
            "warrant_or_staff_no": plan.number,
            "full_name": format!("{} {}", plan.first, plan.family),
            "aliases": aliases,
            "member_type": plan.member,
            "rank_history": held("rank", words(&plan.ranks)),
            "posting_history": held("unit", words(&plan.postings)),
            "line_manager_history": held("person_id", managers),
        });
        let row = self.world.person_rows[person].clone();
        self.put(Home::Newer, "person", &row, None, fields);
    }

    fn case(&mut self, case: &CasePlan) {
        let home = case.home;
        let case_ref = Some(case.case_ref.as_str());
        let linked: Vec<&str> = case
            .linked
            .iter()
            .map(|at| self.world.cases[*at].case_ref.as_str())
            .collect();
        let form = if case.kind == super::law::CaseKind::Recordable {
            "independent"
        } else {
            "local"
        };
        let fields = json!({
            "case_type": case.kind.word(),
            "date_of_incident": text(case.incident),
            "came_to_attention_at": rfc3339(case.attention_at),
            "linked_case_refs": linked,
            "governing_regime": case.governing,
            "governing_regime_basis": case.governing_basis,
            "schedule_3": case.kind.schedule_3(),
            "special_requirements_certified_at": case.certified_at.map(rfc3339),
            "form_of_investigation": form,
            "handling": "investigation",
            "appropriate_authority_body": "Chief Constable, Vale of Tarrow Constabulary",
            "owning_unit": "Professional Standards Department",
            "status": "closed",
            "opened_at": rfc3339(case.opened_at),
            "closed_at": rfc3339(case.closed_at),
        });
        self.put(home, "case", &case.row, case_ref, fields);
        let parties = [
            (Some(case.officer), "officer_concerned"),
            (case.complainant, "complainant"),
        ];
        for ((person, capacity), row) in parties.iter().filter(|one| one.0.is_some()).zip(&case.party_rows) {
            let fields =
                json!({"person_id": person.map(person_id), "capacity": capacity, "from": rfc3339(case.attention_at)});
            self.put(home, "party", row, case_ref, fields);
        }
        let (description, code, standard) = ALLEGATIONS[case.allegation];
        let standards: Vec<&str> = (case.era > super::law::Era::Y2004)
            .then_some(standard)
            .into_iter()
            .collect();
        let fields = json!({"allegation_no": "1", "subject_person_ids": [person_id(case.officer)], "description": description,
            "allegation_type_code": code, "standards": standards, "status": "finalised"});
        self.put(home, "allegation", &case.allegation_row, case_ref, fields);
        for role in &case.roles {
            let appointed_by = match role.role {
                _ if role.person == DEPUTY => None,
                "investigator" => Some(case.authority),
                _ => Some(DEPUTY),
            };
            let fields = json!({"person_id": person_id(role.person), "role": role.role, "appointed_by": appointed_by.map(person_id),
                "appointed_at": rfc3339(role.from), "ended_at": rfc3339(role.to), "terms_of_reference_ref": role.terms,
                "basis": role.basis, "acting": role.acting});
            self.put(home, "role_appointment", &role.row, case_ref, fields);
        }
        self.decisions(case);
        self.rest(case);
    }

    fn decisions(&mut self, case: &CasePlan) {
        for made in &case.decisions {
            let (supersedes, basis) = match made.supersedes {
                Some((no, basis)) => (self.out.ids.get(&no).map(|id| id.record_id.clone()), Some(basis)),
                None => (None, None),
            };
            let fields = json!({"decision_type": made.kind, "subject_person_ids": [person_id(case.officer)],
                "outcome": made.outcome, "decided_at": rfc3339(made.decided_at), "decided_by": person_id(made.decided_by),
                "role_claimed": made.role, "regulation_cited": made.regulation, "regime_cited": made.regulations,
                "rationale_text": made.rationale, "consulted": ids(&made.consulted), "notified": ids(&made.notified),
                "supersedes_decision_id": supersedes, "supersession_basis": basis});
            self.put(case.home, "decision", &made.row, Some(&case.case_ref), fields);
        }
    }

    fn rest(&mut self, case: &CasePlan) {
        let (home, case_ref) = (case.home, Some(case.case_ref.as_str()));
        for one in &case.declarations {
            let fields = json!({"person_id": person_id(one.person), "nature": one.nature,
                "kind": one.other.map(|_| "potential"),
                "other_person_id": one.other.map(person_id), "declared_at": rfc3339(one.at), "declared_to": person_id(one.to),
                "assessment": one.assessment, "nil_declaration": one.other.is_none()});
            self.put(home, "conflict_declaration", &one.row, case_ref, fields);
        }
        for notice in &case.notices {
            let fields = json!({"subject_person_id": person_id(case.officer), "notice_type": notice.kind,
                "severity_stated": notice.severity, "authorised_by": person_id(notice.authorised_by),
                "served_at": rfc3339(notice.at), "served_by": person_id(case.investigator), "method": "by hand"});
            self.put(home, "notice_service", &notice.row, case_ref, fields);
        }
        for update in &case.updates {
            let method = update.sent_at.map(|_| update.method);
            let fields = json!({"recipient": case.complainant.map(person_id), "kind": update.kind, "method": method,
                "due_at": text(update.due), "sent_at": update.sent_at.map(rfc3339),
                "exception_citation": update.exception, "note": update.note});
            self.put(home, "update", &update.row, case_ref, fields);
        }
        for review in &case.reviews {
            let fields = json!({"review_kind": review.kind, "tasked_by": person_id(review.tasked_by),
                "reviewer_id": person_id(review.reviewer), "due_at": text(review.due),
                "completed_at": rfc3339(review.completed_at), "terms_of_reference_ref": review.terms});
            self.put(home, "review", &review.row, case_ref, fields);
        }
        for report in &case.reports {
            let fields = json!({"report_to": "local policing body", "due_at": text(report.due),
                "sent_at": rfc3339(report.sent_at), "reason": report.reason});
            self.put(home, "timeliness_report", &report.row, case_ref, fields);
        }
        for log in &case.logs {
            let fields = json!({"entry_at": rfc3339(log.at), "author_id": person_id(log.author), "category": log.category,
                "text": log.text});
            self.put(home, "log_entry", &log.row, case_ref, fields);
        }
        for (nth, document) in case.documents.iter().enumerate() {
            let fields = json!({"register_no": format!("D{}", nth + 1), "title": document.title,
                "author_id": person_id(document.author), "received_at": rfc3339(document.at),
                "sha256": sha256(&document.text), "text": document.text});
            self.put(home, "document", &document.row, case_ref, fields);
        }
    }
}

fn register_fields(entry: &Entry) -> (&'static str, Value) {
    match entry {
        Entry::Gift {
            person,
            organisation,
            offered_by,
            description,
            value,
            at,
            accepted,
        } => (
            "register_gift",
            json!({"person_id": person_id(*person), "organisation": organisation, "offered_by": offered_by,
                "description": description, "value_gbp": value, "offered_at": text(*at),
                "outcome": if *accepted { "accepted" } else { "declined" }, "decided_by": person_id(DEPUTY)}),
        ),
        Entry::Interest {
            person,
            organisation,
            nature,
            applied,
            refusal,
            from,
        } => (
            "register_business_interest",
            json!({"person_id": person_id(*person), "organisation": organisation, "nature": nature,
                "applied_at": text(*applied), "status": if refusal.is_some() { "refused" } else { "approved" },
                "refusal_reason": refusal, "from": from.map(text)}),
        ),
        Entry::Association {
            person,
            other,
            nature,
            declared,
            from,
            to,
        } => (
            "register_association",
            json!({"person_id": person_id(*person), "other_person_id": person_id(*other), "nature": nature,
                "declared_at": text(*declared), "from": text(*from), "to": to.map(text),
                "status": if to.is_some() { "ended" } else { "noted" }}),
        ),
        Entry::Media {
            person,
            organisation,
            contact,
            at,
            subject,
            authorised_by,
        } => (
            "register_media_contact",
            json!({"person_id": person_id(*person), "organisation": organisation, "contact_name": contact,
                "contact_at": rfc3339(*at), "subject": subject, "authorised_by": person_id(*authorised_by)}),
        ),
        Entry::Procurement {
            contract,
            organisation,
            title,
            value,
            evaluators,
            from,
            awarded,
        } => (
            "register_procurement",
            json!({"contract_ref": contract, "organisation": organisation, "title": title, "value_gbp": value,
                "evaluator_ids": ids(evaluators), "evaluation_from": text(*from), "awarded_at": text(*awarded),
                "interests_declared": "none"}),
        ),
    }
}
