//! The record types that the program reasons with so far, as structs: person, case, role appointment, decision.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Record, RecordTime, RecordType};

/// A name or address by which a person is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alias {
    /// `smtp`, `x500`, `display` or `initials`.
    pub kind: String,
    /// The name or address.
    pub value: String,
    /// From when, as found; absent means always.
    pub from: Option<String>,
    /// Until when, as found; absent means still.
    pub to: Option<String>,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Id used by other records.
    pub person_id: String,
    /// Warrant or staff number.
    pub warrant_or_staff_no: Option<String>,
    /// Full name.
    pub full_name: Option<String>,
    /// Other names and addresses.
    pub aliases: Vec<Alias>,
    /// Officer, staff, ...
    pub member_type: Option<String>,
}

/// A case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseRecord {
    /// The reference.
    pub case_ref: String,
    /// `complaint`, `conduct_matter`, ...
    pub case_type: Option<String>,
    /// When it happened.
    pub date_of_incident: Option<RecordTime>,
    /// When it came to the attention of the appropriate authority: decides the governing regulations.
    pub came_to_attention_at: Option<RecordTime>,
    /// Other cases.
    pub linked_case_refs: Vec<String>,
    /// The regulations said to govern it.
    pub governing_regime: Option<String>,
    /// Why those.
    pub governing_regime_basis: Option<String>,
    /// Under Schedule 3 of the Police Reform Act 2002.
    pub schedule_3: Option<bool>,
    /// When special requirements were certified.
    pub special_requirements_certified_at: Option<RecordTime>,
    /// Local, supervised, managed, directed, independent.
    pub form_of_investigation: Option<String>,
    /// How it is handled.
    pub handling: Option<String>,
    /// The body that is the appropriate authority.
    pub appropriate_authority_body: Option<String>,
    /// The unit that holds it.
    pub owning_unit: Option<String>,
    /// Open, closed, ...
    pub status: Option<String>,
    /// Opened.
    pub opened_at: Option<RecordTime>,
    /// Closed.
    pub closed_at: Option<RecordTime>,
}

/// A role that a person holds in a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleAppointment {
    /// The case.
    pub case_ref: String,
    /// Who.
    pub person_id: String,
    /// `investigator`, `appropriate_authority_delegate`, ...
    pub role: String,
    /// Who appointed.
    pub appointed_by: Option<String>,
    /// From.
    pub appointed_at: Option<RecordTime>,
    /// Until; absent means that no end is recorded.
    pub ended_at: Option<RecordTime>,
    /// Terms of reference.
    pub terms_of_reference_ref: Option<String>,
    /// The delegation or appointment relied on.
    pub basis: Option<String>,
    /// Acting in the role.
    pub acting: Option<bool>,
}

/// A decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decision {
    /// The case.
    pub case_ref: String,
    /// `severity_assessment`, ...
    pub decision_type: String,
    /// Whom it concerns.
    pub subject_person_ids: Vec<String>,
    /// What was decided.
    pub outcome: Option<String>,
    /// When.
    pub decided_at: Option<RecordTime>,
    /// By whom.
    pub decided_by: Option<String>,
    /// The role in which the decision-maker says to have acted.
    pub role_claimed: Option<String>,
    /// The regulation cited.
    pub regulation_cited: Option<String>,
    /// The set of regulations cited.
    pub regime_cited: Option<String>,
    /// Reasons.
    pub rationale_text: Option<String>,
    /// Who was consulted.
    pub consulted: Vec<String>,
    /// Who was notified.
    pub notified: Vec<String>,
    /// The decision that this one replaces.
    pub supersedes_decision_id: Option<String>,
    /// Why it replaces it.
    pub supersession_basis: Option<String>,
    /// Evidence named.
    pub evidence_refs: Vec<String>,
}

/// A record as its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A person.
    Person(Person),
    /// A case.
    Case(CaseRecord),
    /// A role.
    RoleAppointment(RoleAppointment),
    /// A decision.
    Decision(Decision),
    /// A type that is kept and searched; its fields are in [`Record::fields`].
    Other,
}

impl Record {
    /// The record as its type. Fields that could not be read are absent from it.
    pub fn typed(&self) -> Typed {
        match self.key.record_type {
            RecordType::Person => Typed::Person(self.read_as()),
            RecordType::Case => Typed::Case(self.read_as()),
            RecordType::RoleAppointment => Typed::RoleAppointment(self.read_as()),
            RecordType::Decision => Typed::Decision(self.read_as()),
            RecordType::Party
            | RecordType::Allegation
            | RecordType::ConflictDeclaration
            | RecordType::NoticeService
            | RecordType::Update
            | RecordType::Review
            | RecordType::TimelinessReport
            | RecordType::LogEntry
            | RecordType::Document
            | RecordType::RegisterGift
            | RecordType::RegisterBusinessInterest
            | RecordType::RegisterAssociation
            | RecordType::RegisterMediaContact
            | RecordType::RegisterProcurement => Typed::Other,
        }
    }

    /// Only checked values reach this, so that the only lists that can fail are lists of objects of another shape:
    /// those are left out and the rest is read.
    fn read_as<T: serde::de::DeserializeOwned + Default>(&self) -> T {
        if let Ok(value) = serde_json::from_value(Value::Object(self.fields.clone())) {
            return value;
        }
        let plain = self.fields.iter().filter(|(_, value)| !holds_objects(value));
        let plain = plain.map(|(name, value)| (name.clone(), value.clone())).collect();
        serde_json::from_value(Value::Object(plain)).unwrap_or_default()
    }
}

fn holds_objects(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|values| values.iter().any(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_keeps_what_can_be_read_when_one_field_cannot() {
        let line = r#"{"record_type":"decision","source_system":"t","record_id":"D-1","case_ref":"CM/1/19","decision_type":"severity_assessment","decided_at":"soon","subject_person_ids":["P-1","P-2"]}"#;
        let (record, defects) = Record::read(line.as_bytes()).expect("a record");
        assert_eq!(defects.len(), 1);
        let Typed::Decision(decision) = record.typed() else {
            panic!("a decision is read as one");
        };
        assert_eq!(decision.case_ref, "CM/1/19");
        assert_eq!(decision.subject_person_ids, ["P-1", "P-2"]);
        assert_eq!(decision.decided_at, None);
    }

    #[test]
    fn a_person_with_aliases_of_another_shape_keeps_the_name() {
        let line = r#"{"record_type":"person","source_system":"t","record_id":"1","person_id":"P-1","full_name":"Ann Lee","aliases":[{"kind":7}]}"#;
        let (record, _) = Record::read(line.as_bytes()).expect("a record");
        let Typed::Person(person) = record.typed() else {
            panic!("a person is read as one");
        };
        assert_eq!(person.full_name.as_deref(), Some("Ann Lee"));
        assert!(person.aliases.is_empty());
    }
}
