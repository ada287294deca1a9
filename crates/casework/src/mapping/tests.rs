//! Maps as they are declared, and the shipped ones.

use serde_json::json;

use super::apply::{Applied, Rules};
use super::*;

fn row(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).expect("the sample is an object")
}

#[test]
fn the_canonical_map_declares_a_key_for_every_type() {
    let map = Mapping::canonical().expect("the shipped map is right");
    for record_type in RecordType::ALL {
        assert!(map.key.contains_key(record_type), "{}", record_type.word());
    }
}

#[test]
fn every_shipped_map_can_be_used_and_says_what_it_is() {
    for shipped in SHIPPED {
        let map = Mapping::open(shipped.name).unwrap_or_else(|error| panic!("{}: {error}", shipped.name));
        assert_eq!(map.name, shipped.name);
        if map.name != "canonical" {
            assert!(!map.about.is_empty() && !map.inputs.is_empty(), "{}", map.name);
        }
    }
}

#[test]
fn a_missing_id_is_made_of_all_key_columns_or_not_at_all() {
    let map = Mapping::canonical().expect("the shipped map is right");
    let allegation = RecordType::Allegation;
    let whole = map.derived_id(allegation, &row(r#"{"case_ref":"CM|1","allegation_no":2}"#));
    assert_eq!(whole.as_deref(), Ok("CM\\|1|2"));
    let part = map.derived_id(allegation, &row(r#"{"case_ref":"CM1","allegation_no":" "}"#));
    assert_eq!(
        part,
        Err("there is no record_id, and its key column allegation_no is empty".to_owned())
    );
}

#[test]
fn a_map_that_cannot_be_meant_is_refused_by_name() {
    let check = |text: &str, expected: &str| {
        let said = Mapping::parse("m.toml", text).expect_err("it is wrong").to_string();
        assert!(
            said.contains("m.toml") && said.contains(expected),
            "{said:?} should say {expected:?}"
        );
    };
    check("format = 3\nname = \"m\"", "it has format 3");
    check("format = 1\nname = \"m\"\ncolour = 1", "colour");
    check(
        "format = 1\nname = \"m\"\n[key]\nverdict = [\"a\"]",
        "\"verdict\" is not known",
    );
    check(
        "format = 1\nname = \"m\"\n[key]\ncase = [\"a\"]",
        "case has no field \"a\"",
    );
    let with = |more: &str| {
        format!("format = 2\nname = \"m\"\nsource_system = \"s\"\n[[input]]\nname = \"i\"\n[[input.record]]\n{more}")
    };
    check(&with("type = \"case\"\nfields = {}"), "it has neither id nor key");
    check(
        &with("type = \"case\"\nid = \"a\"\n[input.record.fields]\nstatus = { from = \"b\", words = \"w\" }"),
        "input \"i\": record 1 (case): field status: there is no vocabulary \"w\"",
    );
    check(
        &with("type = \"case\"\nid = \"a\"\n[input.record.fields]\nstatus = { form = \"b\" }"),
        "form",
    );
    check(
        &with("type = \"case\"\nid = \"a\"\n[input.record.fields]\nopened_at = { from = \"b\", zone = \"Mars\" }"),
        "zone \"Mars\" is not known",
    );
    assert!(Mapping::open("no-such-map").is_err());
}

const SAMPLE: &str = r#"
format = 2
name = "sample"
source_system = "s"
zone = "Europe/London"
dates = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
empty = ["N/A"]
[words.severity]
GM = "gross misconduct"
[[input]]
name = "accused"
files = ["a*.csv"]
[[input.record]]
type = "party"
key = ["Ref", "Officer"]
[input.record.fields]
case_ref = "Ref"
person_id = "P-{Officer|number}"
capacity = { value = "officer_concerned" }
from = "Since"
[[input.record]]
type = "decision"
id = "{Ref}-final"
when = [{ any = ["Final"] }]
[input.record.fields]
case_ref = "Ref"
decision_type = { value = "severity_assessment" }
outcome = { from = "Final", words = "severity" }
decided_at = "When"
subject_person_ids = { from = "Others", list = "/" }
"#;

fn applied(cells: &Value) -> Vec<Applied> {
    let map = Mapping::parse("sample", SAMPLE).expect("the sample is a map");
    let rules = Rules {
        map: &map,
        input: &map.inputs[0],
        joined: &[],
    };
    rules.apply(5, cells.as_object().expect("an object"))
}

#[test]
fn one_row_gives_several_records_of_several_types() {
    let cells = json!({
        "Ref": "CM/1/19", "Officer": "12.0", "Since": "01/07/2019", "Final": "gm", "When": "01/07/2019 10:30",
        "Others": "P-1 / P-2",
    });
    let all = applied(&cells);
    let [Applied::Made(party), Applied::Made(decision)] = all.as_slice() else {
        panic!("{all:?}");
    };
    assert!(party.derived && !decision.derived);
    assert_eq!(party.object["record_id"], "CM/1/19|12.0");
    assert_eq!(party.object["person_id"], "P-12");
    assert_eq!(party.object["from"], "2019-07-01");
    assert_eq!(party.object["raw"], cells);
    assert_eq!(decision.object["outcome"], "gross misconduct");
    assert_eq!(decision.object["decided_at"], "2019-07-01T10:30:00+01:00");
    assert_eq!(decision.object["subject_person_ids"], json!(["P-1", "P-2"]));
    assert_eq!(decision.object["source_row"], 5);
}

#[test]
fn what_the_map_does_not_cover_stays_and_is_said() {
    let all = applied(&json!({"Ref": "CM/1/19", "Officer": "N/A", "Final": "Odd", "When": "soon"}));
    assert!(
        matches!(&all[0], Applied::Refused(RecordType::Party, why) if why.contains("Officer")),
        "{all:?}"
    );
    let Applied::Made(decision) = &all[1] else {
        panic!("{all:?}");
    };
    assert_eq!(decision.object["outcome"], "Odd");
    assert_eq!(decision.object["decided_at"], "soon");
    assert_eq!(decision.unknown, [("severity".to_owned(), "Odd".to_owned())]);
    assert_eq!(
        applied(&json!({"Ref": "CM/1/19", "Officer": "1", "Final": " "}))[1],
        Applied::NotDue(RecordType::Decision)
    );
}

#[test]
fn an_input_is_found_by_its_file_name() {
    let map = Mapping::parse("sample", SAMPLE).expect("the sample is a map");
    let name = |path: &str, named: Option<&str>| {
        map.input_for(Path::new(path), named)
            .map(|input| input.map(|input| input.name.clone()))
            .map_err(|error| error.to_string())
    };
    assert_eq!(name("x/a1.csv", None), Ok(Some("accused".to_owned())));
    assert!(name("x/a1.csv", Some("other")).is_err_and(|why| why.contains("accused (a*.csv)")));
    let canonical = Mapping::canonical().expect("the shipped map is right");
    assert_eq!(canonical.input_for(Path::new("x"), None).ok(), Some(None));
}

mod any_cells {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_cell_makes_a_map_panic(
            names in proptest::collection::vec("Ref|Officer|Since|Final|When|Others|[a-z]{1,3}", 0..8),
            texts in proptest::collection::vec("\\PC{0,20}|[0-9/: .T-]{0,20}", 8),
            number in any::<u64>(),
        ) {
            let cells: Map<String, Value> =
                names.into_iter().zip(texts).map(|(name, text)| (name, Value::String(text))).collect();
            for shipped in SHIPPED {
                let map = Mapping::open(shipped.name).expect("a shipped map");
                for input in &map.inputs {
                    // Every column of the map gets one of the texts.
                    let pool: Vec<&Value> = cells.values().collect();
                    let mut full = cells.clone();
                    for (at, column) in input.columns().into_iter().enumerate() {
                        if let Some(value) = pool.get(at % pool.len().max(1)) {
                            full.insert(column.to_owned(), (*value).clone());
                        }
                    }
                    let joined: Vec<join::Joined> = input.joins.iter().map(|_| join::Joined::default()).collect();
                    let rules = Rules { map: &map, input, joined: &joined };
                    prop_assert_eq!(rules.apply(number, &full).len(), input.records.len());
                }
            }
            let map = Mapping::parse("sample", SAMPLE).expect("the sample is a map");
            let rules = Rules { map: &map, input: &map.inputs[0], joined: &[] };
            prop_assert_eq!(rules.apply(number, &cells).len(), 2);
        }
    }
}
