//! Sentences of records that are neither a decision nor a role: what stands in their fields, in neutral words.

use embley_model::record::{Record, RecordType};
use serde_json::Value;

use super::EntryKind;
use super::sentence::{add, quote, spoken};
use crate::people::Directory;
use crate::rules::clocks::What;

/// What a clock asks for.
pub(super) fn what_is_due(what: What) -> &'static str {
    match what {
        What::Update => "an update",
        What::Outcome => "the outcome",
        What::TimelinessReport => "a report that the case is not done",
        What::Review => "a review",
        What::Recording => "the record of a decision",
    }
}

/// The kind of entry that a record makes.
pub(super) fn kind_of(record_type: RecordType) -> EntryKind {
    match record_type {
        RecordType::Party => EntryKind::Party,
        RecordType::Allegation => EntryKind::Allegation,
        RecordType::ConflictDeclaration => EntryKind::Declaration,
        RecordType::NoticeService => EntryKind::Notice,
        RecordType::Update => EntryKind::Update,
        RecordType::Review => EntryKind::Review,
        RecordType::TimelinessReport => EntryKind::TimelinessReport,
        RecordType::LogEntry => EntryKind::LogEntry,
        RecordType::Document => EntryKind::RecordedDocument,
        RecordType::RegisterGift
        | RecordType::RegisterBusinessInterest
        | RecordType::RegisterAssociation
        | RecordType::RegisterMediaContact
        | RecordType::RegisterProcurement => EntryKind::Register,
        RecordType::Person | RecordType::Case | RecordType::RoleAppointment | RecordType::Decision => EntryKind::Record,
    }
}

/// What a record says.
pub(super) fn record(record: &Record, people: &Directory) -> String {
    let says = Says { record, people };
    let mut said = match record.key.record_type {
        RecordType::Party => says.party(),
        RecordType::Allegation => says.allegation(),
        RecordType::ConflictDeclaration => says.declaration(),
        RecordType::NoticeService => says.notice(),
        RecordType::Update => says.update(),
        RecordType::Review => says.review(),
        RecordType::TimelinessReport => says.report(),
        RecordType::LogEntry => says.log(),
        RecordType::Document => says.document(),
        RecordType::RegisterGift => says.gift(),
        RecordType::RegisterBusinessInterest => says.interest(),
        RecordType::RegisterAssociation => says.association(),
        RecordType::RegisterMediaContact => says.contact(),
        RecordType::RegisterProcurement => says.procurement(),
        RecordType::Person | RecordType::Case | RecordType::RoleAppointment | RecordType::Decision => {
            vec![format!("record: {}", quote(&record.title()))]
        }
    };
    if record
        .key
        .record_type
        .event_fields()
        .iter()
        .all(|field| record.time(field).is_none())
    {
        add(&mut said, "recorded at ", record.text("recorded_at"));
    }
    said.join("; ")
}

struct Says<'a> {
    record: &'a Record,
    people: &'a Directory,
}

impl Says<'_> {
    fn word(&self, field: &str, otherwise: &str) -> String {
        self.record.text(field).map_or_else(|| otherwise.to_owned(), spoken)
    }

    fn who(&self, field: &str) -> Option<String> {
        self.record.text(field).map(|id| self.people.spoken(id))
    }

    fn who_or(&self, field: &str) -> String {
        self.who(field).unwrap_or_else(|| "a person not recorded".to_owned())
    }

    fn quoted(&self, field: &str) -> Option<String> {
        self.record.text(field).map(quote)
    }

    fn add_who(&self, said: &mut Vec<String>, head: &str, field: &str) {
        add(said, head, self.who(field).as_deref());
    }

    fn add_text(&self, said: &mut Vec<String>, head: &str, field: &str) {
        add(said, head, self.record.text(field).map(spoken).as_deref());
    }

    fn add_span(&self, said: &mut Vec<String>) {
        add(said, "from ", self.record.text("from"));
        add(said, "to ", self.record.text("to"));
    }

    fn party(&self) -> Vec<String> {
        let mut said = vec![format!(
            "part in the case recorded: {}, {}",
            self.word("capacity", "capacity not recorded"),
            self.who_or("person_id")
        )];
        self.add_span(&mut said);
        said
    }

    fn allegation(&self) -> Vec<String> {
        let number = self
            .record
            .text("allegation_no")
            .map_or_else(String::new, |number| format!(" {number}"));
        let whom: Vec<String> = self
            .record
            .list("subject_person_ids")
            .into_iter()
            .map(|id| self.people.spoken(id))
            .collect();
        let mut said = vec![format!("allegation{number} recorded")];
        if !whom.is_empty() {
            said[0].push_str(&format!(" concerning {}", whom.join(", ")));
        }
        if let Some(words) = self.quoted("description") {
            said[0].push_str(&format!(": {words}"));
        }
        let standards = self.record.list("standards");
        if !standards.is_empty() {
            said.push(format!(
                "standards: {}",
                standards.iter().map(|one| spoken(one)).collect::<Vec<_>>().join(", ")
            ));
        }
        self.add_text(&mut said, "status: ", "status");
        said
    }

    fn declaration(&self) -> Vec<String> {
        let nil = self.record.fields.get("nil_declaration").and_then(Value::as_bool) == Some(true);
        let mut said = if nil {
            vec![format!(
                "declaration recorded: no conflict of interest, by {}",
                self.who_or("person_id")
            )]
        } else {
            let kind = self
                .record
                .text("kind")
                .map_or_else(String::new, |kind| format!("{} ", spoken(kind)));
            vec![format!(
                "declaration recorded: {kind}conflict of interest, by {}",
                self.who_or("person_id")
            )]
        };
        self.add_who(&mut said, "concerning ", "other_person_id");
        add(&mut said, "", self.quoted("nature").as_deref());
        self.add_who(&mut said, "declared to ", "declared_to");
        self.add_text(&mut said, "assessment: ", "assessment");
        said
    }

    fn notice(&self) -> Vec<String> {
        let served = if self.record.time("served_at").is_some() {
            "recorded as served"
        } else {
            "recorded, no day of service on record"
        };
        let mut said = vec![format!(
            "notice {served}: {} on {}",
            self.word("notice_type", "type not recorded"),
            self.who_or("subject_person_id")
        )];
        self.add_text(&mut said, "severity stated: ", "severity_stated");
        self.add_who(&mut said, "authorised by ", "authorised_by");
        self.add_who(&mut said, "served by ", "served_by");
        self.add_text(&mut said, "method: ", "method");
        said
    }

    /// `recorded as DONE` where its day is on record, else as due.
    fn done(&self, field: &str, done: &str) -> String {
        match (self.record.time(field), self.record.text("due_at")) {
            (Some(_), Some(due)) => format!("recorded as {done}; due {due}"),
            (Some(_), None) => format!("recorded as {done}"),
            (None, Some(due)) => format!("recorded as due {due}, no day on which it was {done} on record"),
            (None, None) => format!("recorded, no day on which it was {done} on record"),
        }
    }

    fn update(&self) -> Vec<String> {
        let mut said = vec![format!(
            "{} to {} {}",
            self.word("kind", "update"),
            self.who_or("recipient"),
            self.done("sent_at", "sent")
        )];
        self.add_text(&mut said, "method: ", "method");
        add(&mut said, "exception invoked: ", self.record.text("exception_citation"));
        add(&mut said, "note: ", self.quoted("note").as_deref());
        said
    }

    fn review(&self) -> Vec<String> {
        let kind = self
            .record
            .text("review_kind")
            .map_or_else(String::new, |kind| format!("{} ", spoken(kind)));
        let kind = kind
            .replace("statutory review ", "statutory ")
            .replace("appeal ", "appeal, ");
        let mut said = vec![format!("{kind}review {}", self.done("completed_at", "completed"))];
        self.add_who(&mut said, "by ", "reviewer_id");
        self.add_who(&mut said, "tasked by ", "tasked_by");
        add(
            &mut said,
            "terms of reference: ",
            self.record.text("terms_of_reference_ref"),
        );
        said
    }

    fn report(&self) -> Vec<String> {
        let mut said = vec![format!(
            "timeliness report to {} {}",
            self.who_or("report_to"),
            self.done("sent_at", "sent")
        )];
        add(&mut said, "reason: ", self.quoted("reason").as_deref());
        said
    }

    fn log(&self) -> Vec<String> {
        let mut said = vec!["log entry".to_owned()];
        if let Some(author) = self.who("author_id") {
            said[0].push_str(&format!(" by {author}"));
        }
        if let Some(category) = self.record.text("category") {
            said[0].push_str(&format!(", {}", spoken(category)));
        }
        if let Some(words) = self.quoted("text") {
            said[0].push_str(&format!(": {words}"));
        }
        said
    }

    fn document(&self) -> Vec<String> {
        let number = self
            .record
            .text("register_no")
            .map_or_else(String::new, |number| format!(" {number}"));
        let title = self
            .quoted("title")
            .map_or_else(String::new, |title| format!(" {title}"));
        let mut said = vec![format!("document on record{number}{title}")];
        self.add_who(&mut said, "author: ", "author_id");
        said
    }

    fn gift(&self) -> Vec<String> {
        let mut said = vec![format!(
            "gift or hospitality recorded, offered to {}",
            self.who_or("person_id")
        )];
        add(&mut said, "", self.quoted("description").as_deref());
        self.add_text(&mut said, "organisation: ", "organisation");
        self.add_text(&mut said, "offered by ", "offered_by");
        if let Some(value) = self.record.fields.get("value_gbp") {
            said.push(format!("value £{value}"));
        }
        self.add_text(&mut said, "outcome: ", "outcome");
        self.add_who(&mut said, "decided by ", "decided_by");
        said
    }

    fn interest(&self) -> Vec<String> {
        let mut said = vec![format!("business interest recorded of {}", self.who_or("person_id"))];
        self.add_text(&mut said, "organisation: ", "organisation");
        add(&mut said, "", self.quoted("nature").as_deref());
        self.add_text(&mut said, "status: ", "status");
        self.add_text(&mut said, "refused: ", "refusal_reason");
        self.add_span(&mut said);
        said
    }

    fn association(&self) -> Vec<String> {
        let mut said = vec![format!(
            "notifiable association recorded of {}",
            self.who_or("person_id")
        )];
        let other = self
            .who("other_person_id")
            .or_else(|| self.record.text("other_person_name").map(str::to_owned));
        add(&mut said, "with ", other.as_deref());
        add(&mut said, "", self.quoted("nature").as_deref());
        self.add_text(&mut said, "status: ", "status");
        self.add_span(&mut said);
        said
    }

    fn contact(&self) -> Vec<String> {
        let mut said = vec![format!("media contact recorded of {}", self.who_or("person_id"))];
        self.add_text(&mut said, "organisation: ", "organisation");
        self.add_text(&mut said, "with ", "contact_name");
        add(&mut said, "", self.quoted("subject").as_deref());
        self.add_who(&mut said, "authorised by ", "authorised_by");
        said
    }

    fn procurement(&self) -> Vec<String> {
        let mut said = vec![format!(
            "contract recorded: {}",
            self.quoted("title").unwrap_or_else(|| "without a title".to_owned())
        )];
        self.add_text(&mut said, "organisation: ", "organisation");
        let evaluators: Vec<String> = self
            .record
            .list("evaluator_ids")
            .into_iter()
            .map(|id| self.people.spoken(id))
            .collect();
        if !evaluators.is_empty() {
            said.push(format!("evaluated by {}", evaluators.join(", ")));
        }
        self.add_text(&mut said, "interests declared: ", "interests_declared");
        said
    }
}
