//! Documents in compound files ([MS-CFB]): DOC, XLS, PPT, encrypted OOXML, and whatever else OLE programs write.
//!
//! Main function: [`read`]. The format is told by the names of streams, never by the file's name. Messages in compound files are mail and are not read
//! here.

use embley_mapi::compound::{SIGNATURE, Tree, write};
use embley_model::defect::DefectCode;
use office_oxide::DocumentFormat as Kind;

use super::draft::Draft;
use super::guard::guarded;
use super::office;
use super::ole;
use super::ooxml;
use super::open::{self, Input};
use super::properties;
use super::protection::{self, Outcome};
use super::records;

/// Letters that a document of more than [`LONG_BYTES`] in its main stream has at least.
const FEW_LETTERS: usize = 20;
const LONG_BYTES: usize = 32 << 10;

/// True when the root of a compound file is that of a message ([MS-OXMSG] 2.4), whatever it was taken for.
pub(crate) fn is_message(bytes: &[u8]) -> bool {
    if !bytes.starts_with(&SIGNATURE) {
        return false;
    }
    let read = std::panic::catch_unwind(|| {
        let tree = Tree::read(bytes, &mut Vec::new());
        let root = tree.root();
        let has = |name: &str| tree.child(root, name).is_some();
        has("__properties_version1.0") && !has("WordDocument") && !has("Workbook")
    });
    // What cannot be read here is said by its own reader.
    read.unwrap_or(false)
}

/// Reads the document.
pub(super) fn read(input: &Input<'_>, draft: &mut Draft<'_>) {
    if !input.bytes.starts_with(&SIGNATURE) {
        bare_workbook(input, draft);
        return;
    }
    draft.reader("compound/1");
    let mut defects = Vec::new();
    let Some(mut tree) = guarded(draft, "compound", || Tree::read(input.bytes, &mut defects)) else {
        open::salvage(input.bytes, "compound file", draft);
        return;
    };
    let whole = defects.is_empty();
    draft.defects(defects);
    let root = tree.root();
    let has = |name: &str| tree.child(root, name).is_some();
    properties::read(&tree, draft);
    if has("EncryptedPackage") && has("EncryptionInfo") {
        encrypted_package(&tree, input, draft);
    } else if has("WordDocument") {
        office(Kind::Doc, "WordDocument", &mut tree, input, whole, draft);
    } else if has("Workbook") || has("Book") {
        let main = if has("Workbook") { "Workbook" } else { "Book" };
        office(Kind::Xls, main, &mut tree, input, whole, draft);
    } else if has("PowerPoint Document") || has("PP97_DUALSTORAGE") {
        let main = if has("PowerPoint Document") {
            "PowerPoint Document"
        } else {
            "PP97_DUALSTORAGE"
        };
        office(Kind::Ppt, main, &mut tree, input, whole, draft);
    } else if has("__properties_version1.0") {
        draft.defect(DefectCode::TypeNotSearchable, "a message; it is read as mail");
    } else {
        other(&mut tree, input, draft);
    }
}

/// A workbook of the versions before 5, which is its stream of records without a compound file around it ([MS-XLS] 1.3 names its ancestors).
fn bare_workbook(input: &Input<'_>, draft: &mut Draft<'_>) {
    match office::text_of(Kind::Xls, input.bytes, draft) {
        Some(text) => {
            draft.reader(office::READER);
            draft.lines(&text);
        }
        None => {
            draft.failed("no compound file, and no workbook without one");
            open::salvage(input.bytes, "not a compound file", draft);
        }
    }
}

/// OOXML under a password ([MS-OFFCRYPTO] 2.3.4).
fn encrypted_package(tree: &Tree, input: &Input<'_>, draft: &mut Draft<'_>) {
    let content = |name: &str| {
        tree.child(tree.root(), name)
            .map(|at| tree.node(at).content.as_slice())
            .unwrap_or_default()
    };
    let outcome = protection::package(content("EncryptionInfo"), content("EncryptedPackage"), input.passwords);
    match outcome {
        Outcome::Plain => draft.failed("its encryption has no content"),
        Outcome::Opened { bytes, password } => {
            record(password, input, draft);
            let inner = Input {
                bytes: &bytes,
                name: input.name,
                passwords: input.passwords,
            };
            ooxml::read(&inner, draft);
        }
        Outcome::Locked => {
            draft.passwords_tried = input.passwords.len() as u32;
            draft.encrypted("Office package; none of the passwords opens it");
        }
        Outcome::Unsupported(why) => draft.encrypted(format!("Office package: {why}")),
    }
}

/// Notes which password opened the document.
fn record(password: Option<usize>, input: &Input<'_>, draft: &mut Draft<'_>) {
    match password {
        Some(index) => {
            draft.passwords_tried = index as u32 + 1;
            draft.password_used = Some(index as u32);
            draft.defect(DefectCode::DocPassword, "a password of the list");
        }
        None => {
            draft.passwords_tried = input.passwords.len() as u32;
            draft.defect(
                DefectCode::DocPassword,
                "the default password of the program, which locks nothing",
            );
        }
    }
}

/// DOC, XLS or PPT; `main` is the stream that makes it one.
fn office(kind: Kind, main: &str, tree: &mut Tree, input: &Input<'_>, whole: bool, draft: &mut Draft<'_>) {
    let outcome = match kind {
        Kind::Doc => protection::word(tree, input.passwords),
        Kind::Xls => protection::workbook(tree, main, input.passwords),
        _ if protection::is_locked_presentation(tree) => Outcome::Unsupported("encrypted presentation".to_owned()),
        _ => Outcome::Plain,
    };
    let mut rewritten = None;
    match outcome {
        Outcome::Plain => {}
        Outcome::Opened { password, .. } => {
            record(password, input, draft);
            rewritten = write(tree, tree.root()).ok();
        }
        Outcome::Locked => {
            draft.passwords_tried = input.passwords.len() as u32;
            draft.encrypted("none of the passwords opens it");
            return;
        }
        Outcome::Unsupported(why) => {
            draft.encrypted(why);
            return;
        }
    }
    // What only a lenient reading could find is put into a sound file for the package.
    if !whole && rewritten.is_none() {
        rewritten = write(tree, tree.root()).ok();
    }
    let bytes = rewritten.as_deref().unwrap_or(input.bytes);
    let text = office::text_of(kind, bytes, draft).or_else(|| {
        (rewritten.is_some() && whole)
            .then(|| office::text_of(kind, input.bytes, draft))
            .flatten()
    });
    let main_bytes = tree
        .child(tree.root(), main)
        .map(|at| tree.node(at).content.clone())
        .unwrap_or_default();
    let pictures = office::pictures(kind, bytes, draft);
    match text {
        Some(text) => {
            draft.reader(office::READER);
            draft.lines(&text);
            records::append(kind, tree, &main_bytes, &text, draft);
            let letters = draft
                .text()
                .chars()
                .filter(|c| c.is_alphanumeric())
                .take(FEW_LETTERS)
                .count();
            let pictures: usize = pictures.iter().map(|(_, content)| content.len()).sum();
            if letters < FEW_LETTERS && main_bytes.len().saturating_sub(pictures) > LONG_BYTES {
                draft.defect(
                    DefectCode::DocTextShort,
                    format!(
                        "{letters} letters from {} bytes; runs of characters appended",
                        main_bytes.len()
                    ),
                );
                open::salvage(&main_bytes, main, draft);
            }
        }
        None => {
            draft.failed(format!("the stream {main} cannot be read by {}", office::READER));
            records::append(kind, tree, &main_bytes, "", draft);
            if !draft.text().chars().any(char::is_alphanumeric) {
                open::salvage(&main_bytes, main, draft);
            }
        }
    }
    for (name, content) in pictures {
        if !draft.member(name.as_bytes(), &mut content.as_slice()) {
            return;
        }
    }
    if kind == Kind::Ppt {
        slide_objects(&main_bytes, draft);
    }
    ole::objects(tree, |name| name.starts_with("MBD") || name.starts_with("LNK"), draft);
}

/// Objects of a presentation: records `ExOleObjStg` ([MS-PPT] 2.10.34), compressed or not, found in the stream of records.
fn slide_objects(stream: &[u8], draft: &mut Draft<'_>) {
    const EX_OLE_OBJ_STG: u16 = 0x1011;
    let mut at = 0usize;
    let mut count = 0;
    while let Some(head) = stream.get(at..at.saturating_add(8)) {
        let instance = u16::from_le_bytes([head[0], head[1]]) >> 4;
        let is_container = head[0] & 0xf == 0xf;
        let kind = u16::from_le_bytes([head[2], head[3]]);
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        at += 8;
        if is_container {
            continue;
        }
        let end = at.saturating_add(length).min(stream.len());
        if kind == EX_OLE_OBJ_STG {
            let content = &stream[at..end];
            count += 1;
            let path = format!("Objects/object{count}");
            let go_on = if instance == 1 {
                let limit = draft.limits().max_member_bytes.min(256 << 20);
                let mut out = Vec::new();
                let deflated = content.get(4..).unwrap_or_default();
                let reader = flate2::read::ZlibDecoder::new(deflated);
                if std::io::Read::read_to_end(&mut std::io::Read::take(reader, limit), &mut out).is_err() {
                    draft.defect(DefectCode::DocStructure, format!("{path} is damaged"));
                }
                ole::member(&path, &out, draft)
            } else {
                ole::member(&path, content, draft)
            };
            if !go_on {
                return;
            }
        }
        at = end;
    }
}

/// A document of a program that is not known: runs of characters of its streams, and what it embeds.
fn other(tree: &mut Tree, input: &Input<'_>, draft: &mut Draft<'_>) {
    let mut streams = Vec::new();
    let mut waiting = vec![tree.root()];
    let mut seen = vec![false; tree.len()];
    while let Some(at) = waiting.pop() {
        if seen.get_mut(at).is_none_or(|seen| std::mem::replace(seen, true)) {
            continue;
        }
        let node = tree.node(at);
        if node.is_stream && !node.name.starts_with('\u{5}') {
            streams.push(at);
        }
        waiting.extend(node.children.iter().rev());
    }
    let root = tree.root();
    let wrapped = ["\u{1}Ole10Native", "Package", "CONTENTS"]
        .iter()
        .any(|name| tree.child(root, name).is_some());
    if wrapped {
        ole::objects(tree, |_| true, draft);
        let name = String::from_utf8_lossy(input.name).into_owned();
        ole::wrapped(&name, tree, draft);
    }
    draft.partly();
    for at in streams {
        let content = tree.node(at).content.clone();
        let name = tree.node(at).name.clone();
        open::salvage(&content, &format!("stream {name}"), draft);
    }
    if !draft.text().chars().any(char::is_alphanumeric) && !wrapped {
        draft.failed("a compound file of a program that is not known");
    }
}
