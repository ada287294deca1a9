//! The one table of record types and their fields (DOMAIN section 7), and the check of a value against its type.
//!
//! A field that is not in this table is kept (`Record::extra`) and searched, but nothing reasons with it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::time::RecordTime;

/// How the value of a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Any text; a number is taken as its digits.
    Text,
    /// One word of a closed vocabulary; another word is kept and is a defect.
    Word(&'static [&'static str]),
    /// RFC 3339 with offset, or a day.
    Time,
    /// True or false; also `yes`, `no`, `1`, `0` in any case.
    Flag,
    /// A whole number.
    Count,
    /// A number.
    Amount,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects,
}

/// A field of a record type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name.
    pub name: &'static str,
    /// How its value is read.
    pub kind: FieldKind,
}

const fn field(name: &'static str, kind: FieldKind) -> FieldSpec {
    FieldSpec { name, kind }
}

use FieldKind::{Amount, Count, Flag, Objects, Text, Texts, Time, Word};

macro_rules! record_types {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $prefix:literal, [$($event:literal),*], [$($field:literal $kind:expr),* $(,)?];)*) => {
        /// The type of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RecordType { $($(#[$doc])* $name,)* }

        impl RecordType {
            /// All types, in the order of their stable codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in `record_type`.
            pub fn word(self) -> &'static str { match self { $(Self::$name => $word,)* } }

            /// The short prefix of printed ids.
            pub fn prefix(self) -> &'static str { match self { $(Self::$name => $prefix,)* } }

            /// The fields that give the date of the event, best first. Never the date of recording or migration.
            pub fn event_fields(self) -> &'static [&'static str] { match self { $(Self::$name => &[$($event),*],)* } }

            /// The fields of the type, without the envelope.
            pub fn fields(self) -> &'static [FieldSpec] {
                match self { $(Self::$name => const { &[$(field($field, $kind)),*] },)* }
            }
        }
    };
}

record_types! {
    /// A person and their names, addresses, ranks, postings.
    Person = "person", "person", [], [
        "person_id" Text, "warrant_or_staff_no" Text, "full_name" Text, "aliases" Objects, "member_type" Text,
        "rank_history" Objects, "posting_history" Objects, "line_manager_history" Objects,
    ];
    /// A case.
    Case = "case", "case", ["came_to_attention_at", "opened_at", "date_of_incident"], [
        "case_ref" Text,
        "case_type" Word(&["complaint", "conduct_matter", "recordable_conduct_matter", "dsi_matter", "internal"]),
        "date_of_incident" Time, "came_to_attention_at" Time, "linked_case_refs" Texts, "governing_regime" Text,
        "governing_regime_basis" Text, "schedule_3" Flag, "special_requirements_certified_at" Time,
        "form_of_investigation" Text, "handling" Text, "appropriate_authority_body" Text, "owning_unit" Text,
        "status" Text, "opened_at" Time, "closed_at" Time,
    ];
    /// A person's part in a case.
    Party = "party", "party", ["from"], [
        "case_ref" Text, "person_id" Text, "capacity" Text, "from" Time, "to" Time,
    ];
    /// An allegation of a case.
    Allegation = "allegation", "alleg", [], [
        "case_ref" Text, "allegation_no" Text, "subject_person_ids" Texts, "description" Text,
        "allegation_type_code" Text, "national_factors" Texts, "local_factors" Texts, "standards" Texts, "status" Text,
    ];
    /// A role that a person holds in a case for a time.
    RoleAppointment = "role_appointment", "role", ["appointed_at"], [
        "case_ref" Text, "person_id" Text, "role" Text, "appointed_by" Text, "appointed_at" Time, "ended_at" Time,
        "terms_of_reference_ref" Text, "basis" Text, "acting" Flag,
    ];
    /// A decision in a case.
    Decision = "decision", "dec", ["decided_at"], [
        "case_ref" Text,
        "decision_type" Word(&["recording", "referral", "form_of_investigation", "special_requirements",
            "severity_assessment", "severity_revision", "appointment", "suspension", "restriction", "case_to_answer",
            "form_of_proceedings", "disapplication", "discontinuance", "local_resolution", "review_outcome",
            "misconduct_outcome", "no_further_action"]),
        "subject_person_ids" Texts, "outcome" Text, "decided_at" Time, "decided_by" Text, "role_claimed" Text,
        "regulation_cited" Text, "regime_cited" Text, "rationale_text" Text, "consulted" Texts, "notified" Texts,
        "supersedes_decision_id" Text,
        "supersession_basis" Word(&["revision", "review", "appeal", "correction", "none"]), "evidence_refs" Texts,
    ];
    /// A declared conflict of interest, or that there is none.
    ConflictDeclaration = "conflict_declaration", "conf", ["declared_at"], [
        "person_id" Text, "case_ref" Text, "nature" Text, "kind" Word(&["actual", "potential", "perceived"]),
        "other_person_id" Text, "declared_at" Time, "declared_to" Text,
        "assessment" Word(&["no_conflict", "managed", "recused", "reallocated"]), "nil_declaration" Flag,
    ];
    /// A notice served on a person.
    NoticeService = "notice_service", "notice", ["served_at"], [
        "case_ref" Text, "subject_person_id" Text, "notice_type" Text, "severity_stated" Text, "authorised_by" Text,
        "served_at" Time, "served_by" Text, "method" Text,
    ];
    /// An update to a complainant or interested person.
    Update = "update", "update", ["sent_at", "due_at"], [
        "case_ref" Text, "recipient" Text, "kind" Word(&["update", "outcome"]), "method" Text, "due_at" Time,
        "sent_at" Time, "exception_citation" Text, "note" Text,
    ];
    /// A review of a case.
    Review = "review", "review", ["completed_at", "due_at"], [
        "case_ref" Text,
        "review_kind" Word(&["supervisory", "timeliness", "tasked", "statutory_review", "appeal"]), "tasked_by" Text,
        "reviewer_id" Text, "due_at" Time, "completed_at" Time, "terms_of_reference_ref" Text,
    ];
    /// A report that a case is not done in time.
    TimelinessReport = "timeliness_report", "trep", ["sent_at", "due_at"], [
        "case_ref" Text, "report_to" Text, "due_at" Time, "sent_at" Time, "reason" Text,
    ];
    /// An entry of a case's log.
    LogEntry = "log_entry", "log", ["entry_at"], [
        "case_ref" Text, "entry_at" Time, "author_id" Text, "category" Text, "text" Text,
    ];
    /// A document on the case's register.
    Document = "document", "doc", ["received_at"], [
        "case_ref" Text, "register_no" Text, "title" Text, "author_id" Text, "received_at" Time, "sha256" Text,
        "text" Text,
    ];
    /// Gifts and hospitality.
    RegisterGift = "register_gift", "gift", ["offered_at"], [
        "person_id" Text, "organisation" Text, "offered_by" Text, "description" Text, "value_gbp" Amount,
        "offered_at" Time, "outcome" Text, "decided_by" Text,
    ];
    /// Business interests.
    RegisterBusinessInterest = "register_business_interest", "interest", ["applied_at"], [
        "person_id" Text, "organisation" Text, "nature" Text, "applied_at" Time, "status" Text,
        "refusal_reason" Text, "from" Time, "to" Time,
    ];
    /// Notifiable associations.
    RegisterAssociation = "register_association", "assoc", ["declared_at"], [
        "person_id" Text, "other_person_id" Text, "other_person_name" Text, "nature" Text, "declared_at" Time,
        "from" Time, "to" Time, "status" Text,
    ];
    /// Contacts with the media.
    RegisterMediaContact = "register_media_contact", "media", ["contact_at"], [
        "person_id" Text, "organisation" Text, "contact_name" Text, "contact_at" Time, "subject" Text,
        "authorised_by" Text,
    ];
    /// Procurement.
    RegisterProcurement = "register_procurement", "proc", ["awarded_at"], [
        "contract_ref" Text, "organisation" Text, "title" Text, "value_gbp" Amount, "evaluator_ids" Texts,
        "evaluation_from" Time, "awarded_at" Time, "interests_declared" Text, "note" Text,
    ];
}

/// Fields that every record may have, beside its key and `raw`.
pub(super) const ENVELOPE: &[FieldSpec] = &[
    field("source_case_ref", Text),
    field("source_row", Count),
    field("created_at", Time),
    field("created_by", Text),
    field("recorded_at", Time),
    field("recorded_by", Text),
    field("modified_at", Time),
    field("modified_by", Text),
    field("migrated_at", Time),
    field("field_history", Objects),
    field("protective_marking", Text),
];

impl RecordType {
    /// The type with this word; letters are compared without case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|one| one.word().eq_ignore_ascii_case(word.trim()))
    }

    /// Stable number for columns.
    pub fn code(self) -> u8 {
        u8::try_from(Self::ALL.iter().position(|one| *one == self).unwrap_or(0)).unwrap_or(0)
    }

    /// The inverse of [`RecordType::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word as people read it: `severity_assessment` is for machines, `role appointment` for people.
    pub fn spoken(self) -> String {
        self.word().replace('_', " ")
    }

    /// How a field of this type is read, the envelope included; `None` for a field that the type does not know.
    pub fn field(self, name: &str) -> Option<FieldKind> {
        self.fields()
            .iter()
            .chain(ENVELOPE)
            .find(|spec| spec.name == name)
            .map(|spec| spec.kind)
    }
}

/// The outcome of a check.
pub(super) enum Checked {
    /// Readable; the value in the form of its type.
    Good(Value),
    /// Readable and kept in place, but something is odd.
    Odd(Value, &'static str),
    /// Not readable as its type.
    Bad(String),
}

/// Reads a value, which is not blank, as its type.
pub(super) fn check(kind: FieldKind, value: &Value) -> Checked {
    let good = |checked: Option<Value>, expected: &str| {
        checked.map_or_else(
            || Checked::Bad(format!("{} is not {expected}", shorten(value))),
            Checked::Good,
        )
    };
    match kind {
        Text => good(as_text(value).map(Value::String), "a text"),
        Word(words) => match as_text(value) {
            Some(text) if words.contains(&text.as_str()) => Checked::Good(Value::String(text)),
            Some(text) => Checked::Odd(Value::String(text), "a word outside the vocabulary, kept as text"),
            None => Checked::Bad(format!("{} is not a word", shorten(value))),
        },
        Time => good(
            value
                .as_str()
                .and_then(RecordTime::parse)
                .map(|time| Value::String(time.raw().to_owned())),
            "an RFC 3339 time with offset, nor a day",
        ),
        Flag => good(as_flag(value).map(Value::Bool), "true or false"),
        Count => good(as_count(value).map(Value::from), "a whole number"),
        Amount => good(as_amount(value), "a number"),
        Texts => good(as_texts(value), "a list of texts"),
        Objects => good(
            value
                .as_array()
                .filter(|values| values.iter().all(Value::is_object))
                .map(|_| value.clone()),
            "a list of objects",
        ),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_flag(value: &Value) -> Option<bool> {
    if let Value::Bool(flag) = value {
        return Some(*flag);
    }
    match as_text(value)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn as_count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| as_text(value)?.parse().ok())
}

fn as_amount(value: &Value) -> Option<Value> {
    if value.is_number() {
        return Some(value.clone());
    }
    let number: f64 = value.as_str()?.trim().parse().ok()?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// A list of texts; one text alone is a list of one.
fn as_texts(value: &Value) -> Option<Value> {
    let Value::Array(values) = value else {
        return Some(Value::Array(vec![Value::String(as_text(value)?)]));
    };
    let texts: Option<Vec<Value>> = values.iter().map(|one| as_text(one).map(Value::String)).collect();
    texts.map(Value::Array)
}

/// A value for a message: its JSON text, cut at 60 characters.
fn shorten(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        return text;
    }
    text.chars().take(57).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_own_word_prefix_and_code() {
        for one in RecordType::ALL {
            assert_eq!(RecordType::from_word(one.word()), Some(*one));
            assert_eq!(RecordType::from_code(one.code()), Some(*one));
            assert_eq!(
                RecordType::ALL
                    .iter()
                    .filter(|other| other.prefix() == one.prefix())
                    .count(),
                1,
                "{}",
                one.prefix()
            );
        }
        assert_eq!(RecordType::ALL.len(), 18);
    }

    #[test]
    fn event_dates_are_time_fields_of_their_type_and_never_the_envelopes() {
        for one in RecordType::ALL {
            for name in one.event_fields() {
                assert_eq!(one.field(name), Some(Time), "{} {name}", one.word());
                assert!(ENVELOPE.iter().all(|spec| spec.name != *name), "{} {name}", one.word());
            }
        }
    }

    #[test]
    fn no_type_repeats_a_field_of_the_envelope() {
        for one in RecordType::ALL {
            for spec in one.fields() {
                assert!(
                    ENVELOPE.iter().all(|envelope| envelope.name != spec.name),
                    "{} {}",
                    one.word(),
                    spec.name
                );
            }
        }
    }

    #[test]
    fn values_are_read_as_their_type() {
        let check = |kind: FieldKind, json: &str, expected: Option<&str>| {
            let value: Value = serde_json::from_str(json).expect("it is JSON");
            let found = match super::check(kind, &value) {
                Checked::Good(value) => Some(value.to_string()),
                Checked::Odd(value, _) => Some(format!("odd {value}")),
                Checked::Bad(_) => None,
            };
            assert_eq!(found.as_deref(), expected, "{kind:?} {json}");
        };
        check(Text, "12", Some("\"12\""));
        check(Text, "[1]", None);
        check(Word(&["a"]), "\"a\"", Some("\"a\""));
        check(Word(&["a"]), "\"b\"", Some("odd \"b\""));
        check(Flag, "\"Yes\"", Some("true"));
        check(Flag, "\"maybe\"", None);
        check(Count, "\"7\"", Some("7"));
        check(Count, "7.5", None);
        check(Amount, "\"12.50\"", Some("12.5"));
        check(Texts, "\"one\"", Some("[\"one\"]"));
        check(Texts, "[1,\"x\"]", Some("[\"1\",\"x\"]"));
        check(Texts, "[{}]", None);
        check(Objects, "[{\"a\":1}]", Some("[{\"a\":1}]"));
        check(Objects, "\"a\"", None);
        check(Time, "\"2019-01-02\"", Some("\"2019-01-02\""));
        check(Time, "\"02/01/2019\"", None);
    }
}
