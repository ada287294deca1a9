//! What a schedule says, without a case: rendering. Drafts are tested end to end.

use super::{Schedule, title};
use embley_store::facts::schedules::Form;

fn sample() -> Schedule {
    Schedule {
        schema: 1,
        form: "mg6d".to_owned(),
        title: title(Form::Mg6d).to_owned(),
        issued: true,
        serial: 1,
        first_no: 1,
        case: "Test <case>".to_owned(),
        reference: "REF/1".to_owned(),
        case_id: "0".repeat(32),
        officer: "DC Smith".to_owned(),
        made_by: "tester".to_owned(),
        made_at: "2026-01-02T03:04:05Z".to_owned(),
        tool: "embley 0.1.0".to_owned(),
        banner: Some("SENSITIVE".to_owned()),
        statements: vec!["NIL: nothing.".to_owned()],
        columns: vec!["no.".to_owned(), "description".to_owned()],
        rows: vec![vec!["1".to_owned(), "=HYPERLINK(\"http://x\"), <b>".to_owned()]],
    }
}

#[test]
fn a_page_escapes_and_carries_its_banner_and_its_signature_block() {
    let page = sample().html();
    assert!(
        page.contains("Test &lt;case&gt;") && page.contains("&lt;b&gt;") && !page.contains("<b>"),
        "{page}"
    );
    assert_eq!(page.matches("SENSITIVE</p>").count(), 2);
    for word in ["Name", "Signature", "Date"] {
        assert!(page.contains(&format!("<th scope=\"row\">{word}</th>")), "{word}");
    }
}

#[test]
fn cells_of_csv_are_guarded() {
    assert_eq!(
        sample().csv(),
        "no.,description\r\n1,\"'=HYPERLINK(\"\"http://x\"\"), <b>\"\r\n"
    );
}

#[test]
fn a_nil_schedule_has_a_page_to_sign() {
    let mut nil = sample();
    nil.rows.clear();
    let pdf = nil.pdf().expect("a PDF");
    assert!(pdf.starts_with(b"%PDF-"));
    assert!(nil.html().contains("NIL: nothing."));
}
