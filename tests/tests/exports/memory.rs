//! Memory does not grow with the number of items that are exported, save for the pages of the catalogue that are kept: a bounded cache, which
//! cases as small as these do not fill.

use embley_tests::{Site, made};

use super::scene::export_program;

/// Most anonymous memory of an export, and its items.
fn peak(messages: u64, form: &str) -> (u64, u64) {
    let site = Site::new();
    made::corpus(&site.path("made"), messages, 7);
    let ran = site.ingest(&[site.path("made/mail")]);
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let (program, _) = export_program(&site, "out", &["--query", "*", "--as", form]);
    let mut said = Vec::new();
    let (ran, most) = program.run_streaming(|bytes| said.extend_from_slice(bytes));
    ran.expect(0);
    let made: serde_json::Value = serde_json::from_slice(&said).expect("JSON");
    (most, made["exports"][0]["counts"]["items"].as_u64().expect("a count"))
}

#[test]
fn four_times_the_items_take_no_more_than_a_few_megabytes_more() {
    for form in ["dat", "jsonl", "xlsx"] {
        // Frames that were unpacked are kept up to a bound, which the smaller case reaches.
        let (small, few) = peak(2_000, form);
        let (large, many) = peak(8_000, form);
        assert!(many > 3 * few, "{few} and {many} items");
        eprintln!(
            "{form}: {few} items {} KiB, {many} items {} KiB",
            small >> 10,
            large >> 10
        );
        assert!(
            large < small + (24 << 20),
            "{form}: {small} bytes for {few} items, {large} for {many}"
        );
    }
}
