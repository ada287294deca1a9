//! What a ZIP package holds, by its content types, its `mimetype` entry, or the names of its first entries.
//!
//! Main function: [`media_type`]. Sees the first bytes only: a package whose first entries say nothing is a plain ZIP.

use std::io::Read;

use flate2::read::DeflateDecoder;
use memchr::memmem;

const ZIP: &str = "application/zip";
/// Bytes of `[Content_Types].xml` that are looked at.
const TYPES_BYTES: u64 = 256 << 10;

/// Types of the main part (ECMA-376 part 1, 15.2; [MS-OFFMACRO2] 1.3.1) and of the package; the first that is found holds.
const MAIN_PARTS: [(&str, &str); 20] = [
    (
        "ms-word.document.macroEnabled.main",
        "application/vnd.ms-word.document.macroEnabled.12",
    ),
    (
        "ms-word.template.macroEnabledTemplate.main",
        "application/vnd.ms-word.template.macroEnabled.12",
    ),
    (
        "wordprocessingml.document.main",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "wordprocessingml.template.main",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.template",
    ),
    (
        "ms-excel.sheet.binary.macroEnabled.main",
        "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    ),
    (
        "ms-excel.sheet.macroEnabled.main",
        "application/vnd.ms-excel.sheet.macroEnabled.12",
    ),
    (
        "ms-excel.template.macroEnabled.main",
        "application/vnd.ms-excel.template.macroEnabled.12",
    ),
    (
        "ms-excel.addin.macroEnabled.main",
        "application/vnd.ms-excel.addin.macroEnabled.12",
    ),
    (
        "spreadsheetml.sheet.main",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        "spreadsheetml.template.main",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.template",
    ),
    (
        "ms-powerpoint.presentation.macroEnabled.main",
        "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
    ),
    (
        "ms-powerpoint.slideshow.macroEnabled.main",
        "application/vnd.ms-powerpoint.slideshow.macroEnabled.12",
    ),
    (
        "ms-powerpoint.template.macroEnabled.main",
        "application/vnd.ms-powerpoint.template.macroEnabled.12",
    ),
    (
        "presentationml.presentation.main",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    (
        "presentationml.slideshow.main",
        "application/vnd.openxmlformats-officedocument.presentationml.slideshow",
    ),
    (
        "presentationml.template.main",
        "application/vnd.openxmlformats-officedocument.presentationml.template",
    ),
    ("ms-visio.", "application/vnd.ms-visio.drawing"),
    ("ms-package.xps-fixeddocument", "application/vnd.ms-xpsdocument"),
    ("oxps", "application/oxps"),
    ("officedocument.theme", "application/vnd.openxmlformats-package"),
];

/// The type of the package that begins with `head`.
pub(super) fn media_type(head: &[u8]) -> &'static str {
    let mut office = None;
    for entry in memmem::find_iter(head, b"PK\x03\x04") {
        let Some(header) = head.get(entry..entry + 30) else {
            break;
        };
        let name_bytes = usize::from(u16::from_le_bytes([header[26], header[27]]));
        let extra_bytes = usize::from(u16::from_le_bytes([header[28], header[29]]));
        let Some(name) = head.get(entry + 30..entry + 30 + name_bytes) else {
            break;
        };
        let content = head.get(entry + 30 + name_bytes + extra_bytes..).unwrap_or_default();
        match name {
            b"mimetype" if entry == 0 => {
                // A package that names another type is not to be guessed at.
                return declared(content).unwrap_or(ZIP);
            }
            b"[Content_Types].xml" => {
                let method = u16::from_le_bytes([header[8], header[9]]);
                if let Some(found) = by_content_types(content, method) {
                    return found;
                }
                office.get_or_insert("application/vnd.openxmlformats-package");
            }
            b"_rels/.rels" => {
                office.get_or_insert("application/vnd.openxmlformats-package");
            }
            b"META-INF/container.xml" => return "application/epub+zip",
            _ => {
                if let Some(found) = by_folder(name)
                    && matches!(office, None | Some("application/vnd.openxmlformats-package"))
                {
                    office = Some(found);
                }
            }
        }
    }
    office.unwrap_or(ZIP)
}

/// The entry `mimetype`, stored first and plain (ODF 1.3 part 2, 3.3; EPUB OCF 3.3, 4.3).
fn declared(content: &[u8]) -> Option<&'static str> {
    const TYPES: [&str; 12] = [
        "application/vnd.oasis.opendocument.text-template",
        "application/vnd.oasis.opendocument.text-master",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet-template",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation-template",
        "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.graphics",
        "application/vnd.oasis.opendocument.formula",
        "application/vnd.oasis.opendocument.chart",
        "application/vnd.oasis.opendocument.base",
        "application/epub+zip",
    ];
    let found = TYPES
        .iter()
        .find(|known| content.starts_with(known.as_bytes()))
        .copied();
    // The format that OpenDocument grew out of is read the same way.
    found.or_else(|| {
        content
            .starts_with(b"application/vnd.sun.xml.")
            .then_some("application/vnd.oasis.opendocument.text")
    })
}

fn by_content_types(content: &[u8], method: u16) -> Option<&'static str> {
    let mut types = Vec::new();
    let outcome = match method {
        0 => content.take(TYPES_BYTES).read_to_end(&mut types),
        8 => DeflateDecoder::new(content).take(TYPES_BYTES).read_to_end(&mut types),
        _ => return None,
    };
    // Cut at the end of what was read; what came out counts.
    let (Ok(_) | Err(_)) = outcome;
    let has = |mark: &str| memmem::find(&types, mark.as_bytes()).is_some();
    MAIN_PARTS.iter().find(|(mark, _)| has(mark)).map(|(_, found)| *found)
}

fn by_folder(name: &[u8]) -> Option<&'static str> {
    [
        (
            &b"word/"[..],
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            b"xl/",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (
            b"ppt/",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        (b"visio/", "application/vnd.ms-visio.drawing"),
        (b"FixedDocumentSequence.fdseq", "application/vnd.ms-xpsdocument"),
        (b"FixedDocSeq.fdseq", "application/vnd.ms-xpsdocument"),
    ]
    .iter()
    .find(|(start, _)| name.starts_with(start))
    .map(|(_, found)| *found)
}
