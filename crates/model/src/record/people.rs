//! The people whom a record names by id.

use serde_json::Value;

use super::Record;

/// Fields that hold the id of a person, or a name in its place.
const ONE: &[&str] = &[
    "person_id",
    "subject_person_id",
    "other_person_id",
    "appointed_by",
    "decided_by",
    "authorised_by",
    "served_by",
    "declared_to",
    "tasked_by",
    "reviewer_id",
    "author_id",
    "recipient",
    "report_to",
    "recorded_by",
    "created_by",
    "modified_by",
];
/// Fields that hold several.
const SEVERAL: &[&str] = &["subject_person_ids", "consulted", "notified", "evaluator_ids"];

impl Record {
    /// The ids of people (or names in their place) in its fields, as written, each once.
    pub fn people(&self) -> Vec<&str> {
        let mut all: Vec<&str> = ONE.iter().filter_map(|name| self.text(name)).collect();
        all.extend(SEVERAL.iter().flat_map(|name| self.list(name)));
        let managers = self.fields.get("line_manager_history").and_then(Value::as_array);
        all.extend(managers.into_iter().flatten().filter_map(|one| {
            one.get("person_id")
                .or_else(|| one.get("manager"))
                .and_then(Value::as_str)
        }));
        all.sort_unstable();
        all.dedup();
        all.retain(|id| !id.trim().is_empty());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_in_any_role_each_once() {
        let line = r#"{"record_type":"decision","source_system":"t","record_id":"1","decided_by":"P-2",
            "subject_person_ids":["P-1","P-2"],"outcome":"P-9"}"#;
        let (record, _) = Record::read(line.as_bytes()).expect("a record");
        assert_eq!(record.people(), ["P-1", "P-2"]);
    }
}
