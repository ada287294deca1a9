//! Compound files, MSG, TNEF, rich text, canonical messages and their bundles.

use embley_formats::mail::{ParseLimits, parse_message};
use embley_formats::mapi::{bundle, family, message_of};
use embley_mapi::canonical::{self, Form};
use embley_mapi::compound::{self, Tree};
use embley_mapi::view::View;
use embley_mapi::{Message, eml, lzfu, msg, rtf, tnef};

use super::{ensure, samples};
use crate::target::{Target, WORKER_STACK};

pub(super) const COMPOUND: Target = Target {
    stack_bytes: WORKER_STACK,
    max_bytes: 256 << 10,
    words: &[
        b"\xfe\xff\xff\xff",
        b"\xff\xff\xff\xff",
        b"\xfd\xff\xff\xff",
        b"R\0o\0o\0t\0",
        b"\xfe\xff\x09\0",
    ],
    made: || vec![samples::msg(), samples::summary(&samples::property_set())],
    corpora: &[("msg/poi-hsmf", ".msg"), ("docs/poi", ".doc")],
    ..Target::new(
        "compound",
        "streams together are not longer than the file; every node has one place",
        tree,
    )
};

fn tree(bytes: &[u8]) -> Result<(), String> {
    let mut defects = Vec::new();
    let tree = Tree::read(bytes, &mut defects);
    ensure(tree == Tree::read(bytes, &mut Vec::new()), || {
        "another tree the second time".to_owned()
    })?;
    let mut seen = vec![false; tree.len()];
    let mut todo = vec![tree.root()];
    let mut total = 0;
    while let Some(at) = todo.pop() {
        ensure(seen.get(at) == Some(&false), || {
            format!("node {at} stands in two places")
        })?;
        seen[at] = true;
        total += tree.node(at).content.len();
        todo.extend(&tree.node(at).children);
    }
    ensure(total <= bytes.len(), || {
        format!("{total} bytes of streams in a file of {}", bytes.len())
    })?;
    // A name that cannot stand in a file is refused; what was written is read back.
    let Ok(written) = compound::write(&tree, tree.root()) else {
        return Ok(());
    };
    let back = Tree::read(&written, &mut Vec::new());
    ensure(back.len() == tree.len(), || {
        format!("{} nodes written, {} read", tree.len(), back.len())
    })
}

pub(super) const MSG: Target = Target {
    stack_bytes: WORKER_STACK,
    max_bytes: 128 << 10,
    words: &[
        b"_\0_\0s\0u\0b\0s\0t\0g\x001\0.\x000\0_\0",
        b"\x1f\0\x37\0",
        b"\x1e\0\x00\x10",
        b"\x02\x01\x09\x10",
        b"\x0d\0\x01\x37",
        b"\x03\0\x05\x37",
        b"\x1f\x10\0\x80",
    ],
    made: || vec![samples::msg()],
    corpora: &[
        ("msg/poi-hsmf", ".msg"),
        ("msg/aspose", ".msg"),
        ("msg/email-outlook-message", ".msg"),
    ],
    ..Target::new("msg", HOLDS_MESSAGE, |bytes| {
        whole(&msg::read(bytes), &msg::read(bytes))
    })
};

pub(super) const TNEF: Target = Target {
    stack_bytes: WORKER_STACK,
    words: &[
        b"\x78\x9f\x3e\x22\x01\0",
        b"\x01\x03\x90\x06\0",
        b"\x02\x05\x90\x06\0",
        b"\x02\x02\x90\x06\0",
        b"\x02\x0f\x80\x06\0",
        b"\x01\x04\x90\x06\0",
        b"\x02\x01\x09\x10",
        b"\x0d\0\x01\x37",
        b"\x1f\x10\0\x80",
        b"\x1e\0\x37\0",
    ],
    made: || vec![samples::tnef()],
    corpora: &[
        ("tnef/verdammelt-tnef", ".tnef"),
        ("tnef/poi-hmef", ""),
        ("tnef/mimekit", ".dat"),
    ],
    repair: Some(samples::repair_tnef),
    ..Target::new("tnef", HOLDS_MESSAGE, |bytes| {
        let (one, other) = (tnef::read(bytes), tnef::read(bytes));
        ensure(one.key == other.key, || "another key the second time".to_owned())?;
        whole(&one.message, &other.message)
    })
};

const HOLDS_MESSAGE: &str =
    "canonical bytes come back; the family from a bundle is the one from its canonical bytes; its EML is a message";

/// All that a message goes through behind its reader; `again` was read from the same bytes.
pub(super) fn whole(message: &Message, again: &Message) -> Result<(), String> {
    let full = canonical::bytes(message, Form::Full);
    ensure(full == canonical::bytes(again, Form::Full), || {
        "another message the second time".to_owned()
    })?;
    View::of(message, None);
    let rendered = eml::render(message);
    let parsed = parse_message(&rendered, &ParseLimits::default());
    ensure(!parsed.items.is_empty(), || "an EML without a message".to_owned())?;
    let (item, form) = canonical::read(&full).map_err(|error| format!("full bytes are not read: {error}"))?;
    ensure(canonical::write(&item, form) == full, || {
        "other full bytes when written again".to_owned()
    })?;

    let packed = bundle::write(message, &[]);
    let bundle = bundle::read(&packed).ok_or("a bundle that is not read")?;
    let (item, form) = canonical::read(bundle.canonical).map_err(|error| format!("identity is not read: {error}"))?;
    ensure(form == Form::Identity, || "a bundle in another form".to_owned())?;
    let back = message_of(&item, &mut |digest| {
        bundle.contents.get(&digest.hash).map(|bytes| bytes.to_vec())
    });
    ensure(canonical::bytes(&back, Form::Identity) == bundle.canonical, || {
        "another identity when read from the bundle".to_owned()
    })?;
    let limits = ParseLimits::default();
    let one = family(&back, &item, &limits, &mut ());
    let other = family(&back, &item, &limits, &mut ());
    let mut paths = std::collections::HashSet::new();
    for (item, other) in one.items.iter().zip(&other.items) {
        ensure(paths.insert(&item.part_path), || {
            format!("the part path {:?} twice", item.part_path)
        })?;
        ensure(item.text == other.text && item.content == other.content, || {
            "another family the second time".to_owned()
        })?;
    }
    Ok(())
}

pub(super) const LZFU: Target = Target {
    stack_bytes: WORKER_STACK,
    words: &[b"LZFu", b"MELA", b"\x0c\xf0", b"{\\rtf1", b"\xff\xff\xff\xff"],
    made: samples::compressed_rtf,
    ..Target::new(
        "lzfu",
        "output is bounded by input and limit; a smaller limit gives a beginning",
        |bytes| {
            let unpacked = lzfu::unpack(bytes, 1 << 20);
            ensure(unpacked == lzfu::unpack(bytes, 1 << 20), || {
                "other bytes the second time".to_owned()
            })?;
            ensure(unpacked.bytes.len() <= bytes.len() * 9, || {
                format!("{} bytes from {}", unpacked.bytes.len(), bytes.len())
            })?;
            for limit in [0, 1, 17, 300] {
                let less = lzfu::unpack(bytes, limit).bytes;
                ensure(less == unpacked.bytes[..unpacked.bytes.len().min(limit)], || {
                    format!("a limit of {limit} gives no beginning")
                })?;
            }
            Ok(())
        },
    )
};

pub(super) const RTF: Target = Target {
    stack_bytes: WORKER_STACK,
    words: &[
        b"{\\rtf1\\ansi\\ansicpg1252",
        b"{",
        b"}",
        b"\\'e4",
        b"\\u-10179?",
        b"\\uc0 ",
        b"\\bin99999999 ",
        b"\\bin4 ",
        b"{\\*\\htmltag84 <p>}",
        b"\\fromhtml1 ",
        b"\\htmlrtf ",
        b"\\htmlrtf0 ",
        b"{\\field{\\*\\fldinst HYPERLINK \"x\"}{\\fldrslt y}}",
        b"{\\object\\objemb{\\*\\objdata 0105}}",
        b"{\\pict\\pngblip 89504e47}",
        b"{\\fonttbl{\\f0\\fcharset128 a;}}",
        b"\\f0 ",
        b"{\\info{\\title x}{\\creatim\\yr2001\\mo13}}",
        b"\\deleted ",
        b"\\v ",
        b"\\par\n",
        b"\\cell\\row ",
        b"\\-2147483649",
    ],
    made: samples::rich_texts,
    corpora: &[("docs/tika", ".rtf"), ("docs/poi", ".rtf")],
    ..Target::new("rtf", "the same document twice", |bytes| {
        let document = rtf::read(bytes);
        ensure(document == rtf::read(bytes), || {
            "another document the second time".to_owned()
        })?;
        let held: usize = document.objects.iter().map(|object| object.bytes.len()).sum();
        ensure(held <= bytes.len(), || {
            format!("{held} bytes of objects in {}", bytes.len())
        })?;
        let unicode = document.text.len() + document.html.as_ref().map_or(0, String::len);
        ensure(unicode <= bytes.len() * 8 + 1024, || {
            format!("{unicode} bytes of text from {}", bytes.len())
        })
    })
};

pub(super) const CANONICAL: Target = Target {
    words: &[
        b"EMBLMAPI\x01\x01",
        b"\x0f\x02\0\0\0\0\0\0\0",
        b"\x02",
        b"\x01\0\0\0\0\0\0\0",
        b"\x08\x01",
        b"\x0b",
    ],
    made: || {
        let message = msg::read(&samples::msg());
        vec![
            canonical::bytes(&message, Form::Full),
            canonical::bytes(&tnef::read(&samples::tnef()).message, Form::Identity),
        ]
    },
    ..Target::new(
        "canonical",
        "what is read is written back byte by byte; its family is the same twice",
        canonical_bytes,
    )
};

fn canonical_bytes(bytes: &[u8]) -> Result<(), String> {
    let Ok((item, form)) = canonical::read(bytes) else {
        return Ok(());
    };
    ensure(canonical::write(&item, form) == bytes, || {
        "bytes that are written otherwise".to_owned()
    })?;
    let message = message_of(&item, &mut |digest| (digest.length < 100).then(|| vec![b'x'; 40]));
    let again = message_of(&item, &mut |digest| (digest.length < 100).then(|| vec![b'x'; 40]));
    whole(&message, &again)
}

pub(super) const BUNDLE: Target = Target {
    words: &[b"EMBLBND1", b"EMBLMAPI\x01\x01", b"[]", b"\0\0\0\0\0\0\0\0"],
    made: || {
        vec![
            bundle::write(&msg::read(&samples::msg()), &[]),
            bundle::write(&tnef::read(&samples::tnef()).message, &[]),
            bundle::write(&Message::default(), &[]),
        ]
    },
    repair: Some(samples::repair_bundle),
    ..Target::new(
        "bundle",
        "contents have their hashes; what is read is a message or refused",
        |bytes| {
            let Some(bundle) = bundle::read(bytes) else {
                return Ok(());
            };
            for (hash, content) in &bundle.contents {
                ensure(blake3::hash(content).as_bytes() == hash, || {
                    "a content with another hash".to_owned()
                })?;
            }
            canonical_bytes(bundle.canonical)
        },
    )
};
