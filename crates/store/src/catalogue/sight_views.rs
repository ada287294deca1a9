//! Through which views a reader that does not see everything reads ([`super::sight`] makes them).
//!
//! Main function: [`views`]. Invariant: every table of the catalogue has a view here, or is named in the tests of this module with the
//! reason why it needs none; a new table fails them until somebody decided.

use serde_json::Value;

use super::write_rows::DEFECT_BITS;

/// Tables by item number, and what of a row tells the item.
const BY_ITEM: [(&str, &str); 8] = [
    ("item", "item_no"),
    ("instance", "item_no"),
    ("record", "item_no"),
    ("container", "item_no"),
    ("coding", "item_no"),
    ("disclosure_words", "item_no"),
    ("schedule_entry", "item_no"),
    ("text_decision", "item_no"),
];

/// Tables whose rows belong to a record.
const BY_RECORD: [&str; 3] = ["record_version", "record_case", "record_person"];

/// Tables about pairs of items; one hidden side hides the row.
const BY_PAIR: [(&str, &str, &str); 2] = [
    ("document_pair", "document", "attachment"),
    ("document_decision", "document", "attachment"),
];

/// Tables that keep items as a bitmap: name, columns, the bitmap, and whether a row of which all items are hidden goes. What a privilege
/// reviewer typed for a change that others see is left out of it.
const BY_BITMAP: [(&str, &str, &str, bool); 8] = [
    (
        "fact_set",
        "set_id, kind, key, name, version, embley_count(members) AS member_count, embley_seen(members) AS members",
        "members",
        true,
    ),
    (
        "fact_event",
        "event_id, set_id, version, at_micros, actor, action, undoes, \
         CASE WHEN embley_reviews(actor) THEN '' ELSE reason END AS reason, \
         embley_count(delta) AS delta_count, embley_seen(delta) AS delta",
        "delta",
        true,
    ),
    (
        "set_delta",
        "kind, key, ticket, embley_seen(items) AS items",
        "items",
        false,
    ),
    (
        "case_names",
        "case_no, case_key, case_ref, version, ticket, embley_count(members) AS member_count, embley_seen(members) AS members",
        "members",
        true,
    ),
    (
        "saved_result",
        "result_id, saved_id, version, at_micros, actor, ingest_run, ticket, new_count, gone_count, \
         embley_count(members) AS member_count, embley_seen(members) AS members",
        "members",
        false,
    ),
    (
        "disclosure_state",
        "axis, state, embley_count(members) AS member_count, embley_seen(members) AS members",
        "members",
        false,
    ),
    (
        "disclosure_event",
        "event_id, at_micros, actor, axis, before, after, CASE WHEN embley_reviews(actor) THEN '' ELSE reason END AS reason, \
         CASE WHEN embley_reviews(actor) THEN '' ELSE how END AS how, embley_count(delta) AS delta_count, embley_seen(delta) AS delta",
        "delta",
        true,
    ),
    (
        "review_batch",
        "batch_id, review_id, round, number, not_for, embley_count(members) AS member_count, embley_seen(members) AS members, \
         state, holder, holder_key",
        "members",
        true,
    ),
];

/// The exhibit of a row has an item that is seen, or none at all.
const EXHIBIT_SEEN: &str = "EXISTS (SELECT 1 FROM main.exhibit x JOIN main.fact_set s ON s.set_id = x.set_id
     WHERE x.exhibit_id = t.exhibit_id AND NOT embley_emptied(s.members))";

/// Tables whose rows belong to an exhibit.
const BY_EXHIBIT: [&str; 6] = [
    "exhibit",
    "exhibit_change",
    "exhibit_detail",
    "exhibit_file",
    "exhibit_link",
    "continuity_entry",
];

/// Tables with a condition; `t` is the row.
const BY_CONDITION: [(&str, &str); 11] = [
    ("look", "NOT embley_reviews(t.actor)"),
    ("indicator_form", "NOT embley_names(t.body)"),
    (
        "indicator_conclusion",
        "NOT EXISTS (SELECT 1 FROM main.indicator_form f WHERE f.id = t.id AND f.content = t.content AND embley_names(f.body))",
    ),
    ("privilege_term", "0"),
    ("quarantine_event", "0"),
    ("person_event", "NOT embley_reviews(t.actor)"),
    // What was said of a tag that hidden items alone carry names it.
    (
        "tag_rule_change",
        "NOT EXISTS (SELECT 1 FROM main.fact_set s WHERE s.kind = 1 AND s.key = embley_tag(t.subject) AND embley_emptied(s.members))",
    ),
    // A note that a change was made with goes with the change.
    (
        "event_note",
        "EXISTS (SELECT 1 FROM main.fact_event e WHERE e.event_id = t.event_id
         AND NOT embley_emptied(e.delta) AND NOT embley_reviews(e.actor))",
    ),
    (
        "tag_change",
        "EXISTS (SELECT 1 FROM main.fact_event e WHERE e.event_id = t.event_id AND NOT embley_emptied(e.delta))",
    ),
    (
        "batch_event",
        "EXISTS (SELECT 1 FROM main.review_batch b WHERE b.batch_id = t.batch_id AND NOT embley_emptied(b.members))",
    ),
    (
        "exhibit_part_withdrawn",
        "EXISTS (SELECT 1 FROM main.exhibit_part p WHERE p.part_id = t.part_id AND embley_sees(p.item_no))",
    ),
];

/// Every view: the name that it has in common with its table, and its statement.
pub(super) fn views() -> Vec<(&'static str, String)> {
    let mut all = vec![(
        "defect",
        format!("SELECT * FROM main.defect WHERE embley_sees(defect_id >> {DEFECT_BITS})"),
    )];
    let mut add = |table: &'static str, condition: &str| {
        all.push((table, format!("SELECT t.* FROM main.{table} t WHERE {condition}")));
    };
    for (table, column) in BY_ITEM {
        add(table, &format!("embley_sees(t.{column})"));
    }
    for table in BY_RECORD {
        let of_record = "SELECT 1 FROM main.record r WHERE r.record_no = t.record_no AND embley_sees(r.item_no)";
        add(table, &format!("EXISTS ({of_record})"));
    }
    for (table, one, other) in BY_PAIR {
        add(table, &format!("embley_sees(t.{one}) AND embley_sees(t.{other})"));
    }
    for table in BY_EXHIBIT {
        add(table, EXHIBIT_SEEN);
    }
    add("exhibit_part", &format!("embley_sees(t.item_no) AND {EXHIBIT_SEEN}"));
    add(
        "exhibit_file_withdrawn",
        "EXISTS (SELECT 1 FROM main.exhibit_file f JOIN main.exhibit x ON x.exhibit_id = f.exhibit_id
         JOIN main.fact_set s ON s.set_id = x.set_id WHERE f.file_id = t.file_id AND NOT embley_emptied(s.members))",
    );
    let noted = |row: &str| {
        let exhibit = EXHIBIT_SEEN.replace("t.exhibit_id", &format!("{row}.exhibit_id"));
        format!("CASE WHEN {row}.item_no IS NULL THEN {exhibit} ELSE embley_sees({row}.item_no) END")
    };
    add("note", &noted("t"));
    let of_note = format!(
        "SELECT 1 FROM main.note n WHERE n.note_id = t.note_id AND {}",
        noted("n")
    );
    add("note_version", &format!("EXISTS ({of_note})"));
    for (table, condition) in BY_CONDITION {
        add(table, condition);
    }
    for (table, columns, bitmap, goes) in BY_BITMAP {
        let condition = if goes {
            format!(" WHERE NOT embley_emptied({bitmap})")
        } else {
            String::new()
        };
        all.push((table, format!("SELECT {columns} FROM main.{table}{condition}")));
    }
    // An issued schedule is kept as it was; its rows of hidden items are not in what is seen of it.
    all.push((
        "schedule",
        "SELECT schedule_id, form, serial, at_micros, actor, first_no, CASE WHEN entry_count = 0 THEN 0 ELSE (SELECT count(*)
         FROM main.schedule_entry e WHERE e.form = t.form AND e.serial = t.serial AND embley_sees(e.item_no)) END AS entry_count,
         embley_schedule(body) AS body, sha256 FROM main.schedule t"
            .to_owned(),
    ));
    all
}

pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    views().into_iter().map(|(table, _)| table)
}

/// The content of a schedule without the rows whose place (`where held`) or exhibit is hidden.
pub(super) fn without(
    body: &[u8],
    holds_hidden: impl Fn(&str) -> bool,
    hides_exhibit: impl Fn(&str, &str) -> bool,
) -> serde_json::Result<Vec<u8>> {
    let mut schedule: Value = serde_json::from_slice(body)?;
    let column = |name: &str| {
        let columns = schedule.get("columns").and_then(Value::as_array)?;
        columns.iter().position(|column| column.as_str() == Some(name))
    };
    let (held, exhibit, producer) = (column("where held"), column("exhibit"), column("produced by"));
    if let Some(rows) = schedule.get_mut("rows").and_then(Value::as_array_mut) {
        rows.retain(|row| {
            let cell = |at: Option<usize>| {
                at.and_then(|at| row.get(at))
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let is_hidden = exhibit.is_some() && hides_exhibit(cell(exhibit), cell(producer));
            !is_hidden && !holds_hidden(cell(held))
        });
    }
    serde_json::to_vec(&schedule)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use rusqlite::Connection;
    use rusqlite::functions::FunctionFlags;

    use super::*;

    /// Tables that are read as they are, and why.
    const NO_VIEW: [(&str, &str); 28] = [
        ("address", "read through the participants of an item"),
        ("audit_head", "how many entries the audit log has"),
        ("audit_segment", "how many entries a later segment of the audit log has"),
        ("blob", "read through an item"),
        ("checkpoint", "totals of the whole case"),
        ("coding_form", "forms, not answers"),
        ("custodian", "named by whoever ingests"),
        (
            "derived_chunk",
            "used under the fingerprint of what was hidden when it was made",
        ),
        ("derived_state", "holds that fingerprint"),
        ("document_state", "hash of what pairs were found from"),
        ("exception", "read through `hidden_places`"),
        ("file", "read through `hidden_places`"),
        ("folder", "read through `hidden_places`"),
        ("indicator_run", "totals"),
        ("indicator_seen", "ids of indicators, whose forms have a view"),
        ("meta", "versions"),
        ("opening", "read through an item"),
        ("quarantine_state", "what is hidden: read to hide it"),
        ("review", "what was asked for, not what was found"),
        ("run", "totals of the whole case"),
        ("saved_search", "names"),
        ("saved_version", "what was asked for, not what was found"),
        ("source", "labels that whoever ingests chose"),
        ("tag_set", "rules of tags"),
        ("tag_trait", "rules of tags"),
        ("tally", "totals of the whole case"),
        ("user_event", "who may do what"),
        ("word", "read through an item"),
    ];

    /// Every table that the source of this crate makes.
    fn catalogue() -> Connection {
        let conn = Connection::open_in_memory().expect("a database");
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let begin = ["CREATE", "TABLE "].join(" ");
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("source");
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let code: Vec<&str> = lines.map(|line| line.split("--").next().unwrap_or_default()).collect();
                for statement in code.join("\n").split(&begin).skip(1) {
                    let statement = statement.split(';').next().unwrap_or_default();
                    let made = conn.execute_batch(&format!("{begin}{statement}"));
                    made.unwrap_or_else(|error| panic!("{}: {error}: {statement}", path.display()));
                }
            }
        }
        conn
    }

    fn columns(conn: &Connection, schema: &str, table: &str) -> Vec<String> {
        let mut statement = conn
            .prepare(&format!("PRAGMA {schema}.table_info({table})"))
            .expect("a table");
        let rows = statement.query_map([], |row| row.get(1)).expect("rows");
        rows.collect::<rusqlite::Result<_>>().expect("columns")
    }

    #[test]
    fn every_table_has_a_view_or_a_reason_and_every_view_the_columns_of_its_table() {
        let conn = catalogue();
        let mut statement = conn
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .expect("a statement");
        let all: BTreeSet<String> = statement
            .query_map([], |row| row.get(0))
            .expect("rows")
            .collect::<rusqlite::Result<_>>()
            .expect("names");
        assert!(all.len() > 50, "{all:?}");
        let views: BTreeMap<&str, String> = views().into_iter().collect();
        assert_eq!(views.len(), tables().count(), "a table has one view");
        let reasons: BTreeMap<&str, &str> = NO_VIEW.into_iter().collect();
        let is_known = |name: &str| views.contains_key(name) || reasons.contains_key(name);
        let forgotten: Vec<&String> = all.iter().filter(|name| !is_known(name)).collect();
        assert_eq!(
            forgotten,
            Vec::<&String>::new(),
            "a table that nobody looked at for what must not be seen: give it a view, or name it in NO_VIEW with the reason"
        );
        for name in views.keys().chain(reasons.keys()) {
            // The table of looks was made by earlier versions alone.
            assert!(all.contains(*name) || *name == "look", "there is no table {name}");
        }
        for name in reasons.keys() {
            assert!(!views.contains_key(name), "{name} has a view");
            let of_items = columns(&conn, "main", name);
            let of_items: Vec<&String> = of_items
                .iter()
                .filter(|column| {
                    matches!(
                        column.as_str(),
                        "item_no" | "document" | "attachment" | "members" | "delta" | "items"
                    )
                })
                .collect();
            assert_eq!(of_items, Vec::<&String>::new(), "{name} holds items and has no view");
        }
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
        for name in [
            "sees", "seen", "count", "emptied", "reviews", "names", "schedule", "tag",
        ] {
            conn.create_scalar_function(format!("embley_{name}").as_str(), 1, flags, |_| Ok(1_i64))
                .expect("a function");
        }
        for (name, sql) in views.iter().filter(|(name, _)| all.contains(**name)) {
            conn.execute_batch(&format!("CREATE TEMP VIEW {name} AS {sql}"))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for name in views.keys().filter(|name| all.contains(**name)) {
            assert_eq!(columns(&conn, "temp", name), columns(&conn, "main", name), "{name}");
            let read = conn.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get::<_, i64>(0));
            assert_eq!(read.unwrap_or_else(|error| panic!("{name}: {error}")), 0);
        }
    }

    #[test]
    fn rows_of_hidden_items_and_exhibits_are_not_in_a_schedule() {
        let hides = |body: &str| {
            let seen = without(
                body.as_bytes(),
                |held| held.contains("item:secret"),
                |exhibit, producer| (exhibit, producer) == ("AB/1", "Birch"),
            );
            let seen: Value = serde_json::from_slice(&seen.expect("a schedule")).expect("JSON");
            seen["rows"].clone()
        };
        let unused = r#"{"columns":["no.","description","where held"],"rows":[["1","a","item:open"],["2","b","item:secret.1"]]}"#;
        assert_eq!(hides(unused), serde_json::json!([["1", "a", "item:open"]]));
        let exhibits = r#"{"columns":["exhibit","produced by"],"rows":[["AB/1","Birch"],["AB/1","Elm"]]}"#;
        assert_eq!(hides(exhibits), serde_json::json!([["AB/1", "Elm"]]));
        assert!(
            without(b"not JSON", |_| false, |_, _| false).is_err(),
            "what cannot be read is not shown"
        );
    }
}
