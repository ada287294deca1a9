//! Records of the fictional case system that fit the mail (DOMAIN section 7): JSON Lines, CSV, and a small exhibit list.
//!
//! `records/<type>.jsonl` and `records/<type>.csv` hold one type each, `records/all.jsonl` all of them. In CSV a list is
//! joined by `; `. Invariant: every record is a function of the config, and persons, references and times are those of
//! the mail.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::calendar::rfc3339;
use crate::cases::{Case, REF_PREFIX};
use crate::config::CorpusError;
use crate::plan::Planner;
use crate::truth::RecordTruth;
use crate::write::{make_folder, write_file};

const SYSTEM: &str = "Lodestar";

/// The id of a person in records.
fn person_id(person: u32) -> String {
    format!("P{person:05}")
}

/// Fields that every record has; `row` counts from 1 within its file.
fn envelope(
    record_type: &str,
    record_id: String,
    case_ref: Option<&str>,
    row: usize,
    recorded_at: i64,
) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("record_type".into(), json!(record_type));
    map.insert("record_id".into(), json!(record_id));
    map.insert("source_system".into(), json!(SYSTEM));
    map.insert("source_case_ref".into(), json!(case_ref));
    map.insert("source_row".into(), json!(row));
    map.insert("recorded_at".into(), json!(rfc3339(recorded_at)));
    map
}

/// Writes all records and the exhibit list below `dir`; returns how many there are.
pub(crate) fn write_records(dir: &Path, planner: &Planner) -> Result<RecordTruth, CorpusError> {
    let folder = dir.join("records");
    make_folder(&folder)?;
    let persons = persons(planner);
    let cases: Vec<Map<String, Value>> = planner
        .cases
        .iter()
        .enumerate()
        .map(|(at, case)| case_record(at, case))
        .collect();
    let appointments = appointments(planner);
    let decisions = decisions(planner);
    let exhibits = exhibit_list(planner);
    let mut all = Vec::new();
    for (name, records) in [
        ("person", &persons),
        ("case", &cases),
        ("role_appointment", &appointments),
        ("decision", &decisions),
    ] {
        let lines = json_lines(records);
        write_file(&folder.join(format!("{name}.jsonl")), &lines)?;
        write_file(&folder.join(format!("{name}.csv")), csv_of(records).as_bytes())?;
        all.extend_from_slice(&lines);
    }
    write_file(&folder.join("all.jsonl"), &all)?;
    write_file(&dir.join("exhibits.csv"), exhibits.as_bytes())?;
    Ok(RecordTruth {
        persons: persons.len() as u64,
        cases: cases.len() as u64,
        role_appointments: appointments.len() as u64,
        decisions: decisions.len() as u64,
        exhibits: exhibits.lines().count().saturating_sub(1) as u64,
    })
}

fn persons(planner: &Planner) -> Vec<Map<String, Value>> {
    let mut people: Vec<u32> = (0..planner.config.staff).collect();
    people.extend(planner.cases.iter().map(|case| case.complainant));
    people.sort_unstable();
    people.dedup();
    let mut records = Vec::new();
    for (row, person) in people.into_iter().enumerate() {
        let (first, family) = planner.people.name(person);
        let mut map = envelope("person", person_id(person), None, row + 1, planner.config.from_unix);
        let is_staff = person < planner.config.staff;
        map.insert("person_id".into(), json!(person_id(person)));
        map.insert(
            "warrant_or_staff_no".into(),
            if is_staff {
                json!(format!("TV{:04}", person + 1000))
            } else {
                Value::Null
            },
        );
        map.insert("full_name".into(), json!(format!("{first} {family}")));
        map.insert(
            "aliases".into(),
            json!([
                {"kind": "smtp", "value": planner.people.address(person), "from": null, "to": null},
                {"kind": "display", "value": format!("{family}, {first}"), "from": null, "to": null},
                {"kind": "initials", "value": format!("{}{}", &first[..1], &family[..1]), "from": null, "to": null},
            ]),
        );
        map.insert("member_type".into(), json!(if is_staff { "police" } else { "public" }));
        if is_staff {
            let from = rfc3339(planner.config.from_unix);
            map.insert(
                "rank_history".into(),
                json!([{"rank": planner.people.rank(person), "from": from, "to": null}]),
            );
            map.insert(
                "posting_history".into(),
                json!([{"unit": planner.people.unit(person), "from": from, "to": null}]),
            );
        }
        records.push(map);
    }
    records
}

fn case_record(at: usize, case: &Case) -> Map<String, Value> {
    let mut map = envelope(
        "case",
        case.case_ref.clone(),
        Some(&case.case_ref),
        at + 1,
        case.opened_at + 3600,
    );
    map.insert("case_ref".into(), json!(case.case_ref));
    map.insert("case_type".into(), json!(case.kind));
    map.insert("date_of_incident".into(), json!(rfc3339(case.incident_at)[..10]));
    map.insert("came_to_attention_at".into(), json!(rfc3339(case.opened_at)));
    map.insert(
        "status".into(),
        json!(if case.closed_at.is_some() { "closed" } else { "open" }),
    );
    map.insert("owning_unit".into(), json!("Professional Standards Department"));
    map.insert("officer_concerned".into(), json!(person_id(case.officer)));
    map.insert("complainant".into(), json!(person_id(case.complainant)));
    map.insert("opened_at".into(), json!(rfc3339(case.opened_at)));
    map.insert("closed_at".into(), json!(case.closed_at.map(rfc3339)));
    map
}

fn appointments(planner: &Planner) -> Vec<Map<String, Value>> {
    let mut records = Vec::new();
    for case in &planner.cases {
        for (nth, appointment) in case.appointments.iter().enumerate() {
            let id = format!("{}/A{}", case.case_ref, nth + 1);
            let row = records.len() + 1;
            let mut map = envelope(
                "role_appointment",
                id,
                Some(&case.case_ref),
                row,
                appointment.appointed_at + 7200,
            );
            map.insert("case_ref".into(), json!(case.case_ref));
            map.insert("person_id".into(), json!(person_id(appointment.person)));
            map.insert("role".into(), json!(appointment.role));
            map.insert("appointed_by".into(), json!(person_id(case.authority)));
            map.insert("appointed_at".into(), json!(rfc3339(appointment.appointed_at)));
            map.insert("ended_at".into(), json!(appointment.ended_at.map(rfc3339)));
            map.insert(
                "basis".into(),
                json!("standing delegation of the Deputy Chief Constable"),
            );
            map.insert("acting".into(), json!(false));
            records.push(map);
        }
    }
    records
}

fn decisions(planner: &Planner) -> Vec<Map<String, Value>> {
    let mut records = Vec::new();
    for case in &planner.cases {
        for (nth, decision) in case.decisions.iter().enumerate() {
            let id = format!("{}/D{}", case.case_ref, nth + 1);
            let row = records.len() + 1;
            let mut map = envelope("decision", id, Some(&case.case_ref), row, decision.recorded_at);
            map.insert("case_ref".into(), json!(case.case_ref));
            map.insert("decision_type".into(), json!(decision.kind));
            map.insert("subject_person_ids".into(), json!([person_id(case.officer)]));
            map.insert("outcome".into(), json!(decision.outcome));
            map.insert("decided_at".into(), json!(rfc3339(decision.decided_at)));
            map.insert("decided_by".into(), json!(person_id(decision.decided_by)));
            map.insert("role_claimed".into(), json!(decision.role_claimed));
            let (_, family) = planner.people.name(decision.decided_by);
            let reason = format!(
                "{family} decided {} ({}) after reading the file of {}.",
                decision.kind.replace('_', " "),
                decision.outcome,
                case.case_ref
            );
            map.insert("rationale_text".into(), json!(reason));
            records.push(map);
        }
    }
    records
}

/// `ref,description,found_by,produced_by,query`: exhibits by the query that finds their items.
fn exhibit_list(planner: &Planner) -> String {
    let mut csv = String::from("exhibit_ref,description,found_by,produced_by,case_ref,query\n");
    for (at, case) in planner.cases.iter().take(8).enumerate() {
        let producer = case.supervisor;
        let (first, family) = planner.people.name(producer);
        csv.push_str(&format!(
            "{}{}/{},Mail that names {},{},{},{},\"\"\"{}\"\"\"\n",
            &first[..1],
            &family[..1],
            at + 1,
            case.case_ref,
            person_id(case.investigator),
            person_id(producer),
            case.case_ref,
            case.case_ref,
        ));
    }
    debug_assert!(csv.lines().skip(1).all(|line| line.contains(REF_PREFIX)));
    csv
}

pub(crate) fn json_lines(records: &[Map<String, Value>]) -> Vec<u8> {
    let mut out = String::new();
    for record in records {
        write_object(&mut out, record);
        out.push('\n');
    }
    out.into_bytes()
}

/// Writes an object with `record_type` first and the other names sorted, whatever order the map keeps.
fn write_object(out: &mut String, map: &Map<String, Value>) {
    let mut names: Vec<&String> = map.keys().collect();
    names.sort_unstable_by_key(|name| (name.as_str() != "record_type", name.as_str()));
    out.push('{');
    for (at, name) in names.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&format!("\"{name}\":"));
        write_value(out, &map[name]);
    }
    out.push('}');
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Object(map) => write_object(out, map),
        Value::Array(list) => {
            out.push('[');
            for (at, one) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, one);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn csv_of(records: &[Map<String, Value>]) -> String {
    let Some(first) = records.first() else {
        return String::new();
    };
    let mut names: Vec<&str> = first
        .keys()
        .map(String::as_str)
        .filter(|name| *name != "record_type")
        .collect();
    names.sort_unstable();
    names.insert(0, "record_type");
    let mut csv = names.join(",");
    csv.push('\n');
    for record in records {
        let cells: Vec<String> = names
            .iter()
            .map(|name| csv_cell(record.get(*name).unwrap_or(&Value::Null)))
            .collect();
        csv.push_str(&cells.join(","));
        csv.push('\n');
    }
    csv
}

fn csv_cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain_text).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A list entry in one cell: an alias as `kind:value`, a period by what it is about.
fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => match (map.get("kind"), map.get("value")) {
            (Some(Value::String(kind)), Some(Value::String(value))) => format!("{kind}:{value}"),
            _ => map.values().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        },
        other => other.to_string(),
    }
}
