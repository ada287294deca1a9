//! What the shipped field maps make of small files: `tests/maps/`.

use std::path::{Path, PathBuf};

use embley_casework::Mapping;
use embley_casework::mapping::SHIPPED;
use embley_casework::mapping::apply::{Applied, Rules};
use embley_casework::mapping::join;
use embley_casework::rows::{Cells, Layout, Rows, Source};
use embley_model::record::Record;
use serde_json::{Value, json};

fn folder(map: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/maps").join(map)
}

/// One line an outcome, `raw` left out; every record must be one.
fn outcomes(map: &Mapping, path: &Path) -> Vec<String> {
    let input = map
        .input_for(path, None)
        .expect("an input fits")
        .expect("the map has inputs");
    let joined = join::load(input, map, path).expect("joined files are read");
    let rules = Rules {
        map,
        input,
        joined: &joined,
    };
    let layout = Layout {
        cells: Some(Cells::Raw),
        sheet: input.sheet.clone(),
        header_row: input.header_row,
    };
    let mut rows = Rows::open(path, &layout).expect("the sample is a table");
    let mut lines = Vec::new();
    while let Some(row) = rows.next_row().expect("it can be read") {
        let Source::Cells(cells) = row.found.expect("a row").source else {
            panic!("a table has cells");
        };
        for applied in rules.apply(row.number, &cells) {
            let told = match applied {
                Applied::NotDue(record_type) => json!({"row": row.number, "not_due": record_type.word()}),
                Applied::Refused(record_type, why) => {
                    json!({"row": row.number, "refused": record_type.word(), "why": why})
                }
                Applied::Made(made) => {
                    let (_, defects) = Record::from_object(made.object.clone()).expect("a record");
                    let mut object = Value::Object(made.object);
                    let raw = object
                        .as_object_mut()
                        .and_then(|object| object.remove("raw"))
                        .expect("raw is kept");
                    for (name, value) in raw.as_object().expect("columns") {
                        assert_eq!(Some(value), cells.get(name), "{name}");
                    }
                    let odd: Vec<String> = defects.iter().map(|defect| defect.detail.clone()).collect();
                    json!({"record": object, "derived": made.derived, "odd": odd, "unknown": made.unknown})
                }
            };
            lines.push(told.to_string());
        }
    }
    lines
}

#[test]
fn shipped_maps_make_of_their_small_files_what_is_expected() {
    let mut compared = 0;
    for shipped in SHIPPED {
        let folder = folder(shipped.name);
        if !folder.is_dir() {
            continue;
        }
        let map = Mapping::open(shipped.name).expect("a shipped map");
        let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
            .expect("a folder of samples")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|end| end == "csv"))
            .collect();
        files.sort();
        let mut found = String::new();
        for file in &files {
            found.push_str(&format!("# {}\n", file.file_name().expect("a name").to_string_lossy()));
            for line in outcomes(&map, file) {
                found.push_str(&line);
                found.push('\n');
            }
        }
        let expected = std::fs::read_to_string(folder.join("expected.jsonl")).unwrap_or_default();
        assert_eq!(
            found, expected,
            "{}: expected.jsonl is the right side of this difference",
            shipped.name
        );
        compared += files.len();
    }
    assert!(compared >= 14, "only {compared} files were compared");
}
