//! Objects embedded by OLE: the file inside the wrapping.
//!
//! Main functions: [`member`], [`objects`]. An object that wraps a file ([MS-OLEDS] 2.3.6 `Ole10Native`, or a stream `Package` or `CONTENTS`) is handed out
//! as that file, and the paths that the wrapping records become text; every other object is handed out as a compound file of its own.

use embley_mapi::compound::{SIGNATURE, Tree, write};
use embley_model::defect::DefectCode;

use super::draft::Draft;

/// Hands out what the object file `bytes` holds under `path`. False when no more members are wanted.
pub(super) fn member(path: &str, bytes: &[u8], draft: &mut Draft<'_>) -> bool {
    if !bytes.starts_with(&SIGNATURE) {
        return draft.member(path.as_bytes(), &mut &bytes[..]);
    }
    let mut defects = Vec::new();
    let mut tree = Tree::read(bytes, &mut defects);
    draft.defects(defects);
    let root = tree.root();
    match unwrap(&mut tree, root, draft) {
        Some((name, content)) => draft.member(join(path, &name).as_bytes(), &mut content.as_slice()),
        None => draft.member(path.as_bytes(), &mut &bytes[..]),
    }
}

/// Hands out the file that the root storage itself wraps, if it does.
pub(super) fn wrapped(path: &str, tree: &mut Tree, draft: &mut Draft<'_>) {
    let root = tree.root();
    if let Some((name, content)) = unwrap(tree, root, draft) {
        let path = if name.is_empty() { path } else { name.as_str() };
        draft.member(path.as_bytes(), &mut content.as_slice());
    }
}

/// Hands out the objects in the storages below the root whose names `is_object` accepts, and below `ObjectPool`.
pub(super) fn objects(tree: &mut Tree, is_object: impl Fn(&str) -> bool, draft: &mut Draft<'_>) {
    let root = tree.root();
    let mut found = Vec::new();
    for at in tree.node(root).children.clone() {
        let node = tree.node(at);
        if node.is_stream {
            continue;
        }
        if node.name == "ObjectPool" {
            let name = node.name.clone();
            let inner = node.children.iter().filter(|at| !tree.node(**at).is_stream);
            found.extend(inner.map(|at| (format!("{name}/{}", tree.node(*at).name), *at)));
        } else if is_object(&node.name) {
            found.push((node.name.clone(), at));
        }
    }
    for (path, at) in found {
        let go_on = match unwrap(tree, at, draft) {
            Some((name, content)) => draft.member(join(&path, &name).as_bytes(), &mut content.as_slice()),
            None => match write(tree, at) {
                Ok(bytes) => draft.member(path.as_bytes(), &mut bytes.as_slice()),
                Err(error) => {
                    draft.defect(DefectCode::DocStructure, format!("{path}: {error}"));
                    true
                }
            },
        };
        if !go_on {
            return;
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if name.is_empty() {
        path.to_owned()
    } else {
        format!("{path}/{}", name.replace(['/', '\\'], "_"))
    }
}

/// The file that a storage wraps: its name, which may be empty, and its bytes.
fn unwrap(tree: &mut Tree, storage: usize, draft: &mut Draft<'_>) -> Option<(String, Vec<u8>)> {
    if let Some(at) = tree.child(storage, "\u{1}Ole10Native") {
        let native = native(&tree.node(at).content);
        if let Some(native) = native {
            for path in [&native.label, &native.source, &native.temporary] {
                if !path.is_empty() {
                    draft.lines(&format!("Embedded file: {path}"));
                }
            }
            let file = native.label.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
            return Some((file, native.content));
        }
    }
    for name in ["Package", "CONTENTS", "Contents"] {
        if let Some(at) = tree.child(storage, name) {
            let content = &tree.node(at).content;
            let is_file =
                content.starts_with(b"PK\x03\x04") || content.starts_with(b"%PDF") || content.starts_with(&SIGNATURE);
            if is_file {
                return Some((String::new(), content.clone()));
            }
        }
    }
    None
}

struct Native {
    label: String,
    source: String,
    temporary: String,
    content: Vec<u8>,
}

/// `Ole10Native` as the object packager writes it: size, type, label, path, two words, path of a temporary copy, size, bytes.
fn native(stream: &[u8]) -> Option<Native> {
    // Size of all that follows, then the type: 2 for a file (as the packager writes it; [MS-OLEDS] 2.3.6 leaves the content open).
    let kind = u16::from_le_bytes([*stream.get(4)?, *stream.get(5)?]);
    if kind != 2 {
        return None;
    }
    let mut at = 6;
    let label = string(stream, &mut at)?;
    let source = string(stream, &mut at)?;
    at = at.checked_add(4)?;
    let length = u32::from_le_bytes(stream.get(at..at + 4)?.try_into().ok()?);
    at += 4;
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    let temporary = stream.get(at..end)?.split(|byte| *byte == 0).next().unwrap_or_default();
    let temporary = encoding_rs::WINDOWS_1252
        .decode_without_bom_handling(temporary)
        .0
        .into_owned();
    at = end;
    let length = u32::from_le_bytes(stream.get(at..at.checked_add(4)?)?.try_into().ok()?);
    at += 4;
    let end = at.saturating_add(usize::try_from(length).ok()?).min(stream.len());
    Some(Native {
        label,
        source,
        temporary,
        content: stream.get(at..end)?.to_vec(),
    })
}

fn string(stream: &[u8], at: &mut usize) -> Option<String> {
    let rest = stream.get(*at..)?;
    let length = memchr::memchr(0, rest)?;
    *at += length + 1;
    let bytes = &rest[..length];
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(bytes)
            .0
            .into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packaged_file_gives_name_path_and_bytes() {
        let mut stream = vec![0, 0, 0, 0, 2, 0];
        stream.extend(b"report.pdf\0C:\\Users\\x\\report.pdf\0");
        stream.extend([0, 0, 3, 0]);
        stream.extend(6u32.to_le_bytes());
        stream.extend(b"C:\\t\\r");
        stream.extend(4u32.to_le_bytes());
        stream.extend(b"%PDFmore");
        let found = native(&stream).expect("a file");
        assert_eq!(
            (found.label.as_str(), found.source.as_str()),
            ("report.pdf", "C:\\Users\\x\\report.pdf")
        );
        assert_eq!(
            (found.temporary.as_str(), found.content.as_slice()),
            ("C:\\t\\r", &b"%PDF"[..])
        );
        for end in 0..stream.len() {
            native(&stream[..end]);
        }
    }
}
