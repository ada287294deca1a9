//! The two synthetic layouts of the example, read with the field maps that are part of the program, against its canonical records.

use std::collections::BTreeMap;
use std::path::Path;

use embley_corpus::example::{ExampleConfig, write_example};
use embley_model::record::{FieldKind, Record, RecordKey, RecordTime};
use embley_tests::{Site, files};
use serde_json::Value;

/// What docs/example.md says that the columns leave out.
const LEFT_OUT: [&str; 2] = ["source_case_ref", "source_row"];

/// Every record of a case as it was read from what is stored, without what the columns leave out.
fn records(site: &Site) -> BTreeMap<RecordKey, BTreeMap<String, Value>> {
    let listed = site.ok(&["records", "list", "--all", "--format", "jsonl"]);
    let mut all = BTreeMap::new();
    for line in listed.lines() {
        let bytes = serde_json::to_vec(&line["record"]).expect("JSON");
        let (record, defects) = Record::read(&bytes).expect("a record");
        assert!(defects.is_empty(), "{defects:?}: {line}");
        assert!(record.unread.is_empty(), "{:?}: {line}", record.unread);
        let fields = record
            .fields
            .iter()
            .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
        let plain = fields
            .map(|(name, value)| (name.clone(), plain(&record, name, value)))
            .collect();
        assert!(all.insert(record.key, plain).is_none(), "twice: {line}");
    }
    all
}

/// A time as its moment, whatever offset it is written with, an amount as its value, whether written 137 or 137.0; the rest as it is.
fn plain(record: &Record, name: &str, value: &Value) -> Value {
    let moment = |text: &str| {
        let time = RecordTime::parse(text).filter(|time| !time.is_day())?;
        time.utc_secs(&jiff::tz::TimeZone::UTC)
    };
    match (record.key.record_type.field(name), value) {
        (Some(FieldKind::Time), Value::String(text)) => moment(text).map_or_else(|| value.clone(), Value::from),
        (Some(FieldKind::Amount), Value::Number(number)) => Value::from(number.as_f64()),
        _ => value.clone(),
    }
}

#[test]
fn the_two_layouts_give_the_records_that_the_json_lines_give() {
    let canonical = Site::new();
    let made = canonical.path("made");
    let truth = write_example(&made, &ExampleConfig::default()).expect("the example is made");
    let tables = Site::new();
    for (nth, system) in ["tribune-like", "centurion-like"].into_iter().enumerate() {
        let lines = made.join(format!("records/{system}.jsonl"));
        canonical.ok(&["records", "import", lines.to_str().expect("a plain path")]);
        let files = files::entries(&made.join("records").join(system));
        assert!(files.len() >= 12, "{files:?}");
        let mut words = vec!["records", "import", "--mapping", system];
        words.extend(files.iter().map(|path| Path::to_str(path).expect("a plain path")));
        let report = tables.ok(&words).json();
        let imports = report["imports"].as_array().expect("imports");
        let sum = |name: &str| -> u64 { imports.iter().filter_map(|one| one[name].as_u64()).sum() };
        assert_eq!(
            (sum("due"), sum("new"), sum("excepted"), sum("updated")),
            (truth.records[nth], truth.records[nth], 0, 0),
            "{system}"
        );
        for import in imports {
            for name in ["missing_columns", "unmapped_columns", "unknown_words", "unread_fields"] {
                let said = &import[name];
                let is_empty =
                    said.as_array().is_none_or(Vec::is_empty) && said.as_object().is_none_or(|map| map.is_empty());
                assert!(is_empty, "{system}: {name}: {import}");
            }
        }
    }
    let (expected, found) = (records(&canonical), records(&tables));
    assert_eq!(expected.len() as u64, truth.records.iter().sum::<u64>());
    assert!(expected.keys().eq(found.keys()), "the keys differ");
    let mut fields = 0;
    for (key, record) in &expected {
        assert_eq!(record, &found[key], "{}: canonical on the left", key.display());
        fields += record.len();
    }
    assert!(fields > 5 * expected.len(), "only {fields} fields were compared");
}
