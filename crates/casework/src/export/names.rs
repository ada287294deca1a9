//! Names of exported files: safe on every file system, unique by their control number, never taken as they are from evidence.
//!
//! Invariant: what is made here has no `/`, `\`, control character, leading dot or reserved character; the true name stands in the tables.

use embley_model::item::ItemKind;

/// Most bytes that are kept of a name from evidence.
const MAX_KEPT_BYTES: usize = 80;
/// Longest ending that is kept.
const MAX_ENDING: usize = 10;
/// Files of one folder.
pub(super) const A_FOLDER: u64 = 1_000;
/// Media type of a message of properties (PST, MSG, TNEF), whose original is their canonical form.
pub(super) const PROPERTIES: &str = "application/x.embley-mapi-message";

/// A text from evidence as a part of a file name: letters and digits of any script, `-` and single `_` for the rest. May be empty.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let kept = if letter.is_alphanumeric() || letter == '-' {
            letter
        } else {
            '_'
        };
        if out.len() + kept.len_utf8() > MAX_KEPT_BYTES {
            break;
        }
        if kept != '_' || !(out.is_empty() || out.ends_with('_')) {
            out.push(kept);
        }
    }
    out.trim_end_matches('_').to_owned()
}

/// The name without its ending, and the ending in small letters, when it has a plain one.
pub(super) fn split(name: &str) -> (&str, Option<String>) {
    match name.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty()
                && !ending.is_empty()
                && ending.len() <= MAX_ENDING
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            (stem, Some(ending.to_ascii_lowercase()))
        }
        _ => (name, None),
    }
}

/// The ending of an item's file: its own, else by what it is.
pub(super) fn ending(kind: ItemKind, media_type: &str, filename: Option<&str>) -> String {
    if kind == ItemKind::Email {
        return if media_type == PROPERTIES { "mapi" } else { "eml" }.to_owned();
    }
    if let Some(ending) = filename.and_then(|name| split(name).1) {
        return ending;
    }
    let plain = media_type.split(';').next().unwrap_or_default().trim();
    match (kind, plain) {
        (ItemKind::Record, _) | (_, "application/json") => "json",
        (_, "text/plain") => "txt",
        (_, "text/html") => "html",
        (_, "text/csv") => "csv",
        (_, "text/calendar") => "ics",
        (_, "text/vcard" | "text/x-vcard") => "vcf",
        (_, "application/pdf") => "pdf",
        (_, "application/zip") => "zip",
        (_, "image/jpeg") => "jpg",
        (_, "image/png") => "png",
        (_, "image/gif") => "gif",
        (_, "image/tiff") => "tif",
        _ => "bin",
    }
    .to_owned()
}

/// The folder of the `position`-th file, from 1.
pub(super) fn folder(position: u64) -> String {
    format!("{:04}", (position - 1) / A_FOLDER + 1)
}

/// The control number of the `position`-th item, from 1.
pub(super) fn control(prefix: &str, position: u64) -> String {
    format!("{prefix}{position:07}")
}

/// True for what may stand before control numbers: 1 to 16 ASCII letters, digits, `-`, `_`, the first a letter.
pub(super) fn is_prefix(text: &str) -> bool {
    (1..=16).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_evidence_become_harmless() {
        for (text, expected) in [
            ("../../etc/passwd", "etc_passwd"),
            ("Quarterly report (final).xlsx", "Quarterly_report_final_xlsx"),
            ("a\u{202e}fdp.exe", "a_fdp_exe"),
            ("\0\n\r", ""),
            ("-rf", "-rf"),
            ("straße-東京", "straße-東京"),
        ] {
            assert_eq!(safe(text), expected, "{text:?}");
        }
        assert!(safe(&"東".repeat(100)).len() <= MAX_KEPT_BYTES);
    }

    #[test]
    fn endings_are_plain_or_told_by_the_kind() {
        assert_eq!(split("a.tar.GZ"), ("a.tar", Some("gz".to_owned())));
        assert_eq!(split(".profile"), (".profile", None));
        assert_eq!(split("a.b c"), ("a.b c", None));
        assert_eq!(ending(ItemKind::Email, "message/rfc822", Some("x.exe")), "eml");
        assert_eq!(ending(ItemKind::Email, PROPERTIES, None), "mapi");
        assert_eq!(
            ending(ItemKind::Attachment, "application/pdf; x=y", Some("noending")),
            "pdf"
        );
        assert_eq!(ending(ItemKind::Record, "application/json", None), "json");
        assert_eq!(ending(ItemKind::Document, "x/y", Some("a.b/c")), "bin");
    }

    #[test]
    fn control_numbers_sort_and_fill_folders_of_a_thousand() {
        assert_eq!(control("DOC", 12), "DOC0000012");
        assert_eq!(
            (folder(1), folder(1_000), folder(1_001)),
            ("0001".into(), "0001".into(), "0002".into())
        );
        assert!(is_prefix("IOPC-2017_") && !is_prefix("1A") && !is_prefix("") && !is_prefix("a/b"));
    }
}
