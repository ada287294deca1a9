//! A record as an item: its title, the words that find it, its date.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::{Record, RecordType};
use crate::date::EvidenceDate;

impl Record {
    /// The title, indexed as the subject: the type, what it is about, the case, as in
    /// `Decision: severity assessment, CM/1/19`.
    pub fn title(&self) -> String {
        let mut head = self.key.record_type.spoken();
        if let Some(first) = head.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let about: Vec<String> = title_fields(self.key.record_type)
            .iter()
            .filter_map(|name| self.text(name))
            .map(spoken)
            .collect();
        if about.is_empty() {
            return format!("{head}: {}", self.key.record_id);
        }
        format!("{head}: {}", about.join(", "))
    }

    /// Every value of every field, one a line, each once: what a search for words finds. Names of fields are
    /// left out, so that searching for `outcome` does not find every decision.
    pub fn words(&self) -> String {
        let mut out = String::new();
        let mut seen = HashSet::new();
        let key = [&self.key.record_id, &self.key.source_system];
        for text in key {
            push(text, &mut seen, &mut out);
        }
        for part in [&self.fields, &self.extra, &self.unread, &self.raw] {
            push_all(part, &mut seen, &mut out);
        }
        out
    }

    /// The date of the event (DOMAIN section 6), or undated: a date of recording or migration never stands in.
    pub fn date(&self, zone: &TimeZone) -> EvidenceDate {
        self.key
            .record_type
            .event_fields()
            .iter()
            .find_map(|name| self.time(name))
            .map_or_else(EvidenceDate::undated, |time| time.evidence(zone))
    }
}

/// A word of a vocabulary as people read it.
fn spoken(word: &str) -> String {
    let machine = word.contains('_') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if machine {
        word.replace('_', " ")
    } else {
        word.to_owned()
    }
}

fn title_fields(record_type: RecordType) -> &'static [&'static str] {
    match record_type {
        RecordType::Person => &["full_name", "person_id"],
        RecordType::Case => &["case_ref", "case_type"],
        RecordType::Party => &["capacity", "person_id", "case_ref"],
        RecordType::Allegation => &["allegation_no", "case_ref"],
        RecordType::RoleAppointment => &["role", "person_id", "case_ref"],
        RecordType::Decision => &["decision_type", "case_ref"],
        RecordType::ConflictDeclaration => &["person_id", "case_ref"],
        RecordType::NoticeService => &["notice_type", "subject_person_id", "case_ref"],
        RecordType::Update => &["kind", "case_ref"],
        RecordType::Review => &["review_kind", "case_ref"],
        RecordType::TimelinessReport => &["report_to", "case_ref"],
        RecordType::LogEntry => &["category", "case_ref"],
        RecordType::Document => &["title", "register_no", "case_ref"],
        RecordType::RegisterGift => &["organisation", "person_id"],
        RecordType::RegisterBusinessInterest => &["organisation", "person_id"],
        RecordType::RegisterAssociation => &["person_id", "other_person_name"],
        RecordType::RegisterMediaContact => &["organisation", "person_id"],
        RecordType::RegisterProcurement => &["title", "contract_ref"],
    }
}

fn push(text: &str, seen: &mut HashSet<String>, out: &mut String) {
    let text = text.trim();
    if !text.is_empty() && seen.insert(text.to_owned()) {
        out.push_str(text);
        out.push('\n');
    }
}

/// The texts of a map in the order of its sorted names, nested ones included; row numbers say nothing.
fn push_all(part: &Map<String, Value>, seen: &mut HashSet<String>, out: &mut String) {
    let mut names: Vec<&String> = part.keys().filter(|name| *name != "source_row").collect();
    names.sort_unstable();
    for name in names {
        push_value(&part[name.as_str()], seen, out);
    }
}

fn push_value(value: &Value, seen: &mut HashSet<String>, out: &mut String) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => push(&number.to_string(), seen, out),
        Value::String(text) => push(text, seen, out),
        Value::Array(values) => values.iter().for_each(|one| push_value(one, seen, out)),
        Value::Object(object) => push_all(object, seen, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Record {
        Record::read(text.as_bytes()).expect("the sample is a record").0
    }

    #[test]
    fn every_value_is_searchable_once_and_names_are_not() {
        let record = read(
            r#"{"record_type":"decision","source_system":"t","record_id":"D-1","case_ref":"CM/1/19","outcome":"gross misconduct","decided_at":"soon","Other":{"deep":["x y"]},"raw":{"Col":"gross misconduct","Col2":"only raw"}}"#,
        );
        assert_eq!(
            record.words(),
            "D-1\nt\nCM/1/19\ngross misconduct\nx y\nsoon\nonly raw\n"
        );
    }

    #[test]
    fn titles_speak() {
        let decision = read(
            r#"{"record_type":"decision","source_system":"t","record_id":"D-1","case_ref":"CM/1/19","decision_type":"severity_assessment"}"#,
        );
        assert_eq!(decision.title(), "Decision: severity assessment, CM/1/19");
        let bare = read(r#"{"record_type":"role_appointment","source_system":"t","record_id":"R-1"}"#);
        assert_eq!(bare.title(), "Role appointment: R-1");
    }

    #[test]
    fn a_migration_date_is_never_the_date_of_a_record() {
        let zone = TimeZone::UTC;
        let record = read(
            r#"{"record_type":"decision","source_system":"t","record_id":"D-1","migrated_at":"2018-08-01","recorded_at":"2018-08-02"}"#,
        );
        assert_eq!(record.date(&zone), EvidenceDate::undated());
        let dated = read(
            r#"{"record_type":"case","source_system":"t","record_id":"1","migrated_at":"2018-08-01","opened_at":"2017-01-01"}"#,
        );
        assert_eq!(dated.date(&zone).utc_secs, Some(1_483_228_800));
    }
}
