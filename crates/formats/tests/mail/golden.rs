//! Each sample message against its snapshot, as LF and as CRLF.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use embley_formats::identity::mih;
use embley_formats::mail::{Content, Family, ParseLimits, Parsed, parse_message};

fn outline(family: &Family<'_>) -> String {
    let mut out = String::new();
    for item in &family.items {
        describe(item, &mut out).expect("a string takes all");
    }
    out
}

fn describe(item: &Parsed<'_>, out: &mut String) -> std::fmt::Result {
    let size = match &item.content {
        Content::Bytes(bytes) => bytes.iter().filter(|byte| **byte != b'\r').count(),
        Content::Streamed { .. } => panic!("memory keeps bytes"),
    };
    writeln!(
        out,
        "[{}] {} {} parent={:?} name={:?} bytes-without-cr={size} {}",
        item.part_path,
        item.kind.word(),
        item.media_type,
        item.parent,
        item.filename,
        item.searchability.word()
    )?;
    for defect in &item.defects {
        // Ranges depend on the line ends.
        writeln!(out, "  defect {} {}", defect.code.text(), defect.detail)?;
    }
    if let Some(mail) = &item.mail {
        writeln!(out, "  subject {:?}", mail.subject)?;
        for person in &mail.participants {
            writeln!(
                out,
                "  {:?} {:?} {:?}",
                person.role, person.address.name, person.address.addr
            )?;
        }
        let date = &mail.date;
        let utc = date.utc_secs.and_then(embley_model::date::rfc3339);
        writeln!(
            out,
            "  date {utc:?} offset={:?} {:?} {:?} raw={:?}",
            date.offset_minutes, date.source, date.confidence, date.raw
        )?;
        writeln!(out, "  id {:?} of {}", mail.message_id, mail.message_id_count)?;
        let thread = (
            &mail.in_reply_to,
            &mail.references,
            mail.thread_index.as_ref().map(Vec::len),
        );
        if thread != (&vec![], &vec![], None) {
            writeln!(out, "  thread {thread:?}")?;
        }
        if !mail.labels.is_empty() {
            writeln!(out, "  labels {:?}", mail.labels)?;
        }
        let flags = [
            ("html", mail.has_html),
            ("signed", mail.signed),
            ("encrypted", mail.encrypted),
            ("report", mail.report),
        ];
        let set: Vec<_> = flags.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        if !set.is_empty() {
            writeln!(out, "  flags {set:?}")?;
        }
    }
    for line in item.text.replace('\r', "").lines() {
        writeln!(out, "  | {line}")?;
    }
    Ok(())
}

#[test]
fn every_sample_gives_its_snapshot_with_either_line_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/samples");
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("the samples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    names.sort();
    assert!(names.len() > 30);
    for path in names {
        let bytes = fs::read(&path).expect("a sample");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let found = outline(&parse_message(&bytes, &ParseLimits::default()));
        if bytes.contains(&b'\n') {
            let crlf: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| {
                    if *byte == b'\n' {
                        vec![b'\r', b'\n']
                    } else {
                        vec![*byte]
                    }
                })
                .collect();
            assert_eq!(outline(&parse_message(&crlf, &ParseLimits::default())), found, "{name}");
        }
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, found);
        });
    }
}

#[test]
fn message_id_comes_from_the_raw_header_with_its_brackets() {
    let sample = include_bytes!("samples/message-id-folded.eml");
    let family = parse_message(sample, &ParseLimits::default());
    let id = family.items[0]
        .mail
        .as_ref()
        .and_then(|mail| mail.message_id.clone())
        .expect("an id");
    assert_eq!(id, "<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>");
    assert_eq!(mih(&id).to_hex(), "1de319c276884bd0c9e2f1621ada26cc");
}
