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

/// How an entry of `line_manager_history` names the manager.
const MANAGER: &[&str] = &[
    "person_id",
    "manager",
    "line_manager_id",
    "manager_id",
    "manager_person_id",
    "line_manager",
];

impl Record {
    /// Puts another id in the place of each id of somebody for which `other` gives one.
    pub fn replace_people(&mut self, other: impl Fn(&str) -> Option<String>) {
        let put = |value: &mut Value| {
            if let Some(id) = value.as_str().and_then(&other) {
                *value = Value::String(id);
            }
        };
        for name in ONE {
            if let Some(value) = self.fields.get_mut(*name) {
                put(value);
            }
        }
        for name in SEVERAL {
            let values = self.fields.get_mut(*name).and_then(Value::as_array_mut);
            values.into_iter().flatten().for_each(put);
        }
        let managers = self
            .fields
            .get_mut("line_manager_history")
            .and_then(Value::as_array_mut);
        for entry in managers.into_iter().flatten().filter_map(Value::as_object_mut) {
            for name in MANAGER {
                if let Some(value) = entry.get_mut(*name) {
                    put(value);
                }
            }
        }
    }

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

    #[test]
    fn an_id_is_replaced_wherever_it_stands() {
        let line = r#"{"record_type":"decision","source_system":"t","record_id":"1","decided_by":"P-2",
            "subject_person_ids":["P-1","P-2"],"outcome":"P-2"}"#;
        let (mut record, _) = Record::read(line.as_bytes()).expect("a record");
        record.replace_people(|id| (id == "P-2").then(|| "P-7".to_owned()));
        assert_eq!(record.people(), ["P-1", "P-7"]);
        assert_eq!(record.text("outcome"), Some("P-2"), "a text is no id");
    }
}
