//! Forms and comparisons.

use embley_model::id::ItemNo;
use embley_store::facts::codings::Coding;

use super::{Answer, Form, Forms, compare};

fn forms() -> Forms {
    Forms::open(std::path::Path::new("/nowhere/at/all")).expect("the built-in forms are forms")
}

fn answers(form: &Form, given: &[(&str, &str)]) -> Result<String, String> {
    let given: Vec<Answer<'_>> = given.iter().map(|(field, value)| Answer { field, value }).collect();
    form.answers(&given).map_err(|error| error.to_string())
}

#[test]
fn answers_are_checked_and_come_out_in_one_form() {
    let forms = forms();
    let form = forms.get("relevance").expect("it is built in");
    let said = answers(
        form,
        &[
            ("relevance", "Not Relevant"),
            ("issues", "other; decision;other"),
            ("privilege", "no"),
        ],
    );
    assert_eq!(
        said.expect("they are allowed"),
        r#"{"issues":["decision","other"],"privilege":false,"relevance":"not relevant"}"#
    );
    for (given, word) in [
        (vec![("relevance", "relevant")], "privilege is required"),
        (vec![("relevance", "maybe"), ("privilege", "no")], "none of"),
        (
            vec![("relevance", "relevant"), ("privilege", "perhaps")],
            "neither yes nor no",
        ),
        (
            vec![("colour", "red"), ("relevance", "relevant"), ("privilege", "no")],
            "no field \"colour\"",
        ),
        (
            vec![
                ("relevance", "relevant"),
                ("relevance", "relevant"),
                ("privilege", "no"),
            ],
            "answered twice",
        ),
    ] {
        let refused = answers(form, &given).expect_err("it is refused");
        assert!(refused.contains(word), "{refused}");
    }
    assert!(
        forms
            .get("nothing")
            .expect_err("there is none")
            .to_string()
            .contains("relevance, sensitivity")
    );
}

#[test]
fn forms_of_a_case_take_the_place_of_built_in_ones_and_wrong_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |text: &str| {
        #[expect(clippy::disallowed_methods, reason = "a test makes its own form")]
        std::fs::write(folder.path().join("relevance.toml"), text).expect("written");
        Forms::open(folder.path()).map_err(|error| error.to_string())
    };
    let good =
        write("format = 1\ntitle = \"T\"\n[[field]]\nname = \"a\"\nlabel = \"A\"\nkind = \"date\"\n").expect("a form");
    assert_eq!(good.get("relevance").expect("it is there").fields.len(), 1);
    assert_eq!(good.all().count(), 2);
    for (text, word) in [
        ("format = 2\ntitle = \"T\"\nfield = []\n", "this program reads 1"),
        ("format = 1\ntitle = \"T\"\nfield = []\n", "asks nothing"),
        (
            "format = 1\ntitle = \"T\"\n[[field]]\nname = \"a\"\nlabel = \"A\"\nkind = \"choice\"\n",
            "choices stand",
        ),
        (
            "format = 1\ntitle = \"T\"\n[[field]]\nname = \"a\"\nlabel = \"A\"\nkind = \"tune\"\n",
            "relevance.toml",
        ),
        (
            "format = 1\ntitle = \"T\"\n[[field]]\nname = \"a\"\nlabel = \"A\"\nkind = \"text\"\n[[field]]\nname = \"a\"\nlabel = \"B\"\nkind = \"text\"\n",
            "two fields",
        ),
    ] {
        let refused = write(text).expect_err("it is refused");
        assert!(refused.contains(word), "{refused}");
    }
}

fn coding(coding_id: i64, item: u32, reviewer: &str, answers: &str) -> Coding {
    Coding {
        coding_id,
        form: "relevance".to_owned(),
        item_no: ItemNo(item),
        reviewer: reviewer.to_owned(),
        batch_id: None,
        at_micros: coding_id,
        answers: answers.to_owned(),
    }
}

#[test]
fn differences_are_counted_by_field_and_by_pair_of_reviewers() {
    let forms = forms();
    let form = forms.get("relevance").expect("it is built in");
    let (yes, no) = (
        r#"{"privilege":false,"relevance":"relevant"}"#,
        r#"{"privilege":false,"relevance":"not relevant"}"#,
    );
    let all = [
        coding(1, 1, "ann", yes),
        coding(2, 1, "bob", yes),
        coding(3, 2, "ann", yes),
        coding(4, 2, "bob", no),
        coding(5, 3, "ann", no),
        coding(6, 4, "ann", yes),
        coding(
            7,
            4,
            "bob",
            r#"{"comment":"x","privilege":true,"relevance":"relevant"}"#,
        ),
        coding(8, 4, "cyn", yes),
    ];
    let found = compare(form, &all, 0.95).expect("compared");
    assert_eq!((found.coded, found.coded_twice, found.differ), (4, 3, 2));
    let fields: Vec<(&str, u64, u64)> = found
        .fields
        .iter()
        .map(|one| (one.field.as_str(), one.pairs, one.differ))
        .collect();
    assert_eq!(
        fields,
        [
            ("relevance", 5, 1),
            ("privilege", 5, 2),
            ("issues", 5, 0),
            ("comment", 5, 2)
        ]
    );
    let pairs: Vec<(&str, &str, u64, u64)> = found
        .pairs
        .iter()
        .map(|one| (one.one.as_str(), one.other.as_str(), one.items, one.differ))
        .collect();
    assert_eq!(
        pairs,
        [("ann", "bob", 3, 2), ("ann", "cyn", 1, 0), ("bob", "cyn", 1, 1)]
    );
    let rate = found.fields[0].rate.expect("there are pairs");
    assert!(
        (rate.rate - 0.2).abs() < 1e-9 && rate.low < 0.2 && rate.high > 0.2,
        "{rate:?}"
    );
    let places: Vec<(u32, &str)> = found
        .differences
        .iter()
        .map(|one| (one.item_no.0, one.field.as_str()))
        .collect();
    assert_eq!(places, [(2, "relevance"), (4, "privilege"), (4, "comment")]);
}
