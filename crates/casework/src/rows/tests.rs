//! Rows of tables and lines.

use super::*;

fn all(name: &str, bytes: &'static [u8], record_type: Option<RecordType>) -> Result<Vec<Row>> {
    let layout = Layout::canonical(record_type, ';');
    let mut rows = Rows::read(Path::new(name), Box::new(bytes), open::RowBytes::default(), &layout)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next_row()? {
        found.push(row);
    }
    Ok(found)
}

#[test]
fn a_bad_line_is_its_own_outcome_and_blank_lines_are_no_rows() {
    let rows = all(
        "r.jsonl",
        b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{bad\n[1]\n\xff\n{\"b\":2}",
        None,
    )
    .expect("readable");
    let told: Vec<(u64, bool)> = rows.iter().map(|row| (row.number, row.found.is_ok())).collect();
    assert_eq!(told, [(1, true), (4, false), (5, false), (6, false), (7, true)]);
    let first = rows[0].found.as_ref().expect("it is a row");
    assert_eq!(first.source, Source::Line(b"{\"a\":1}".to_vec()));
}

#[test]
fn a_csv_row_keeps_every_cell_as_it_was_and_splits_lists() {
    let bytes = b"case_ref,subject_person_ids,outcome,\nCM/1/19, P-1 ;P-2; ,\"a \"\"b\"\"\",\n,,,x\nshort\n";
    let rows = all("d.csv", bytes, Some(RecordType::Decision)).expect("readable");
    let first = rows[0].found.as_ref().expect("it is a row");
    assert_eq!(first.object["subject_person_ids"], serde_json::json!(["P-1", "P-2"]));
    assert_eq!(first.object["outcome"], "a \"b\"");
    let Source::Cells(cells) = &first.source else {
        panic!("CSV has cells");
    };
    assert_eq!(cells["subject_person_ids"], " P-1 ;P-2; ");
    assert_eq!(cells["column 4"], "");
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(rows[2].found, Err("the row has 1 cells, the header has 4".to_owned()));
}

#[test]
fn a_cell_of_objects_is_a_list_or_objects_in_a_row() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(
            objects(text, ';').map(|value| value.to_string()).as_deref(),
            expected,
            "{text}"
        );
    };
    check(r#"[{"a":";"}]"#, Some(r#"[{"a":";"}]"#));
    check(r#"{"a":";"} ; {"b":1}"#, Some(r#"[{"a":";"},{"b":1}]"#));
    check("smtp", None);
    check(r#"{"a":1}; x"#, None);
    let cell =
        |column: &str| cell_value(column, Some(FieldKind::Objects), "smtp:a@b.example; initials:AL", ';').to_string();
    assert_eq!(
        cell("aliases"),
        r#"[{"kind":"smtp","value":"a@b.example"},{"kind":"initials","value":"AL"}]"#
    );
    assert_eq!(cell("rank_history"), r#""smtp:a@b.example; initials:AL""#);
}

#[test]
fn the_form_is_told_by_the_name_then_by_the_first_character() {
    assert!(all("x", b"case_ref\nCM/1\n", Some(RecordType::Case)).is_ok_and(|rows| rows.len() == 1));
    assert!(all("x", b"  {\"a\":1}\n", None).is_ok_and(|rows| rows.len() == 1));
    assert!(all("x", b"", None).is_ok_and(|rows| rows.is_empty()));
    for (name, bytes, expected) in [
        ("x.csv", b"a,b\n" as &'static [u8], "--type"),
        ("x.json", b"[{}]", "one JSON list"),
    ] {
        let said = all(name, bytes, None).expect_err("refused").to_string();
        assert!(said.contains(expected), "{said}");
    }
    let twice = all("x.csv", b"a,a\n", Some(RecordType::Case))
        .expect_err("refused")
        .to_string();
    assert!(twice.contains("two columns are called \"a\""), "{twice}");
}

#[test]
fn a_line_beyond_the_limit_is_skipped_whole() {
    let mut bytes = vec![b'x'; usize::try_from(MAX_LINE_BYTES).expect("it fits") + 10];
    bytes.extend_from_slice(b"\n{\"a\":1}\n");
    let rows = all("r.jsonl", bytes.leak(), None).expect("readable");
    assert_eq!(rows.len(), 2);
    assert!(rows[0].found.is_err() && rows[1].found.is_ok());
    assert_eq!(rows[1].number, 2);
}
