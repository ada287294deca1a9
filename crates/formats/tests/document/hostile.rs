//! Cut and bent documents: nothing panics, everything ends, limits hold.

use embley_formats::document::{DocumentFormat, open};
use embley_formats::opened::OpenLimits;
use embley_model::defect::DefectCode;
use embley_model::item::Searchability;

use crate::{Kept, built, opened, sealed};

fn samples() -> Vec<(DocumentFormat, Vec<u8>)> {
    vec![
        (DocumentFormat::Ooxml, built::docx()),
        (DocumentFormat::Ooxml, built::xlsx()),
        (DocumentFormat::Ooxml, built::pptx()),
        (DocumentFormat::OpenDocument, built::odt()),
        (DocumentFormat::Epub, built::epub()),
        (DocumentFormat::Calendar, built::CALENDAR.as_bytes().to_vec()),
        (DocumentFormat::Cards, built::CARD.as_bytes().to_vec()),
        (DocumentFormat::Html, built::PAGE.as_bytes().to_vec()),
        (DocumentFormat::Xml, built::PAGE.as_bytes().to_vec()),
        (
            DocumentFormat::Json,
            br#"{"a":["b\u00e9\ud83d\ude00",1,{"c":null}]}"#.to_vec(),
        ),
        (DocumentFormat::Compound, sealed::locked_package("p")),
    ]
}

#[test]
fn every_cut_document_gives_a_result() {
    let mut count = 0;
    for (format, bytes) in samples() {
        let step = (bytes.len() / 60).max(1);
        for end in (0..bytes.len()).step_by(step) {
            let (opened, _) = opened(format, &bytes[..end], &[]);
            assert!(opened.searchability.is_some());
            count += 1;
        }
    }
    assert!(count > 500);
}

#[test]
fn bent_bits_never_panic_outwards() {
    const SEED: u64 = 0x5eed_d0c5;
    let mut state = SEED;
    let mut next = move || {
        // A step of a 64-bit congruential generator; its upper bits are good enough to choose places.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0)
    };
    for (format, bytes) in samples() {
        for round in 0..100 {
            let mut bent = bytes.clone();
            for _ in 0..1 + next() % 8 {
                let at = next() % bent.len();
                bent[at] ^= 1 << (next() % 8);
            }
            let (opened, _) = opened(format, &bent, &["p"]);
            assert!(opened.searchability.is_some(), "{format:?} seed {SEED} round {round}");
        }
    }
}

#[test]
fn a_part_that_unpacks_without_end_is_cut() {
    let long = " ".repeat(80 << 20);
    let bytes = built::package(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("content.xml", &long),
    ]);
    assert!(bytes.len() < 1 << 20);
    let limits = OpenLimits {
        max_ratio: 10,
        ..OpenLimits::default()
    };
    let mut kept = Kept::default();
    let opened =
        open(DocumentFormat::OpenDocument, &bytes, b"", &[], &limits, &mut kept).expect("the taker never fails");
    assert!(
        opened.defects.iter().any(|one| one.code == DefectCode::DocLimit),
        "{:?}",
        opened.defects
    );
}

#[test]
fn text_beyond_its_limit_is_cut_and_said() {
    let limits = OpenLimits {
        max_text_bytes: 20,
        ..OpenLimits::default()
    };
    let mut kept = Kept::default();
    let opened =
        open(DocumentFormat::Ooxml, &built::docx(), b"", &[], &limits, &mut kept).expect("the taker never fails");
    assert!(opened.text.len() <= 20);
    assert_eq!(opened.searchability, Some(Searchability::PartlyLimit));
    assert!(opened.defects.iter().any(|one| one.code == DefectCode::TextLimit));
}
