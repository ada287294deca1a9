//! MSG, TNEF, compressed rich text; repair of TNEF and bundles.

use embley_mapi::compound::{self, Node, Tree};

use super::{put, word_at};

struct Maker(Tree);

impl Maker {
    fn stream(&mut self, storage: usize, name: &str, content: &[u8]) {
        let node = Node {
            name: name.to_owned(),
            is_stream: true,
            content: content.to_vec(),
            ..Node::default()
        };
        self.0.add(storage, node);
    }

    fn storage(&mut self, storage: usize, name: &str) -> usize {
        let node = Node {
            name: name.to_owned(),
            ..Node::default()
        };
        self.0.add(storage, node)
    }

    /// The stream of fixed properties ([MS-OXMSG] 2.4): a head, then tag, flags, eight bytes.
    fn properties(&mut self, storage: usize, head: &[u8], entries: &[(u32, u64)]) {
        let mut content = head.to_vec();
        for (tag, value) in entries {
            content.extend(tag.to_le_bytes());
            content.extend([6, 0, 0, 0]);
            content.extend(value.to_le_bytes());
        }
        self.stream(storage, "__properties_version1.0", &content);
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A message with a recipient, a named property, rich text, a file, an object and a message inside.
pub(in crate::targets) fn msg() -> Vec<u8> {
    let mut maker = Maker(Tree::new());
    let names = maker.storage(0, "__nameid_version1.0");
    maker.stream(names, "__substg1.0_00020102", &[9; 16]);
    let entries = [0, 0, 0, 0, 7, 0, 0, 0, 1, 0x85, 0, 0, 6, 0, 1, 0];
    maker.stream(names, "__substg1.0_00030102", &entries);
    let mut text = 8_u32.to_le_bytes().to_vec();
    text.extend(utf16("Keys"));
    maker.stream(names, "__substg1.0_00040102", &text);
    message(&mut maker, 0, true);
    compound::write(&maker.0, 0).unwrap_or_default()
}

fn message(maker: &mut Maker, storage: usize, outer: bool) {
    let mut head = vec![0; if outer { 32 } else { 24 }];
    head[16] = 1;
    head[20] = if outer { 3 } else { 1 };
    let entries = [
        (0x0037_001F, 12),
        (0x1000_001E, 4),
        (0x0039_0040, 0x01DA_6B00_0000_0000),
        (0x8001_0003, 77),
        (0x8000_101F, 8),
        (0x3FFD_0003, 1251),
        (0x1009_0102, 49),
    ];
    maker.properties(storage, &head, &entries);
    maker.stream(storage, "__substg1.0_0037001F", &utf16("Hello"));
    maker.stream(storage, "__substg1.0_1000001E", b"\xcf\xf0\xe8");
    maker.stream(storage, "__substg1.0_10090102", &packed_rtf());
    maker.stream(storage, "__substg1.0_8000101F", &[8, 0, 0, 0, 8, 0, 0, 0]);
    maker.stream(storage, "__substg1.0_8000101F-00000000", &utf16("one\0"));
    maker.stream(storage, "__substg1.0_8000101F-00000001", &utf16("two\0"));
    let recipient = maker.storage(storage, "__recip_version1.0_#00000000");
    maker.properties(recipient, &[0; 8], &[(0x0C15_0003, 1), (0x3001_001F, 8)]);
    maker.stream(recipient, "__substg1.0_3001001F", &utf16("Ann"));
    let file = maker.storage(storage, "__attach_version1.0_#00000000");
    maker.properties(file, &[0; 8], &[(0x3705_0003, 1), (0x3701_0102, 7)]);
    maker.stream(file, "__substg1.0_37010102", b"content");
    if outer {
        let object = maker.storage(storage, "__attach_version1.0_#00000001");
        maker.properties(object, &[0; 8], &[(0x3705_0003, 6), (0x3701_000D, 0)]);
        let ole = maker.storage(object, "__substg1.0_3701000D");
        maker.stream(ole, "CONTENTS", b"drawing");
        let holder = maker.storage(storage, "__attach_version1.0_#00000002");
        maker.properties(holder, &[0; 8], &[(0x3705_0003, 5), (0x3701_000D, 0)]);
        let inner = maker.storage(holder, "__substg1.0_3701000D");
        message(maker, inner, false);
    }
}

/// The example of [MS-OXRTFCP] 4.1.1.
fn packed_rtf() -> Vec<u8> {
    let mut out = vec![0x2d, 0, 0, 0, 0x2b, 0, 0, 0];
    out.extend(b"LZFu");
    out.extend([0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0, 0x0a, 0]);
    out.extend(b"rcpg125B2\n\xf3 hel\t\0 bw\x05\xb0ld}\n\x80\x0f\xa0");
    out
}

pub(in crate::targets) fn compressed_rtf() -> Vec<Vec<u8>> {
    let text = b"{\\rtf1 stored as it is}";
    let mut stored = (text.len() as u32 + 12).to_le_bytes().to_vec();
    stored.extend((text.len() as u32).to_le_bytes());
    stored.extend(b"MELA\0\0\0\0");
    stored.extend(text);
    vec![packed_rtf(), stored]
}

fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let mut out = vec![level];
    out.extend(id.to_le_bytes());
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.extend(sum(data).to_le_bytes());
    out
}

fn sum(data: &[u8]) -> u16 {
    data.iter().fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte)))
}

fn stream(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut out = tnef_signature().to_vec();
    out.extend([0x34, 0x12]);
    out.extend(attributes.iter().flatten());
    out
}

fn tnef_signature() -> [u8; 4] {
    embley_mapi::tnef::SIGNATURE.to_le_bytes()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut out = words(&[bytes.len() as u32]);
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// A message with named and multiple properties, recipients, a file and a message inside ([MS-OXTNEF]).
pub(in crate::targets) fn tnef() -> Vec<u8> {
    let mut named = words(&[4, 0x8005_0003]);
    named.extend([9; 16]);
    named.extend(words(&[0, 0x8501, 77, 0x8006_101E]));
    named.extend([9; 16]);
    named.extend(words(&[1]));
    named.extend(padded(b"K\0e\0y\0\0\0"));
    named.extend(words(&[2]));
    named.extend(padded(b"one\0"));
    named.extend(padded(b"three\0"));
    named.extend(words(&[0x0037_001F, 1]));
    named.extend(padded(b"H\0i\0\0\0"));
    named.extend(words(&[0x1009_0102, 1]));
    named.extend(padded(&packed_rtf()));
    let mut recipients = words(&[2]);
    for name in [b"Ann\0", b"Bob\0"] {
        recipients.extend(words(&[1, 0x3001_001E, 1]));
        recipients.extend(padded(name));
    }
    // IID_IMessage ([MS-OXTNEF] 2.1.3.4.2), then a stream of its own.
    let mut object = vec![0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46];
    object.extend(stream(&[attribute(1, 0x0001_8004, b"inner\0")]));
    let mut holder = words(&[2, 0x3705_0003, 5, 0x3701_000D, 1]);
    holder.extend(padded(&object));
    stream(&[
        attribute(1, 0x0008_9006, &[0, 0, 1, 0]),
        attribute(1, 0x0006_9007, &words(&[1251, 0])),
        attribute(1, 0x0001_8004, b"legacy subject\0"),
        attribute(1, 0x0003_8005, &[0xE8, 0x07, 2, 0, 29, 0, 12, 0, 30, 0, 0, 0, 4, 0]),
        attribute(1, 0x0002_800C, b"\xcf\xf0\0"),
        attribute(1, 0x0007_0006, b"IPM.Microsoft Mail.Note\0"),
        attribute(1, 0x0006_9003, &named),
        attribute(1, 0x0006_9004, &recipients),
        attribute(2, 0x0006_9002, &[1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]),
        attribute(2, 0x0001_8010, b"a.txt\0"),
        attribute(2, 0x0006_800F, b"content"),
        attribute(2, 0x0006_9002, &[1, 0]),
        attribute(2, 0x0006_9005, &holder),
    ])
}

pub(in crate::targets) fn repair_tnef(bytes: &mut [u8]) {
    let mut at = 6;
    while let Some(length) = word_at(bytes, at + 5) {
        let start = at + 9;
        let end = start.saturating_add(length);
        let Some(data) = bytes.get(start..end) else { return };
        let stated = sum(data).to_le_bytes();
        put(bytes, end, &stated);
        at = end + 2;
    }
}

/// Hashes of contents; see `embley_formats::mapi::bundle` for the layout.
pub(in crate::targets) fn repair_bundle(bytes: &mut [u8]) {
    let Some(defects) = word_at(bytes, 8) else { return };
    let canonical = 12_usize.saturating_add(defects);
    let Some(length) = word_at(bytes, canonical) else {
        return;
    };
    let mut at = canonical.saturating_add(8).saturating_add(length).saturating_add(4);
    while let Some(length) = word_at(bytes, at.saturating_add(32)) {
        let start = at + 40;
        let end = start.saturating_add(length);
        let Some(content) = bytes.get(start..end) else { return };
        let hash = *blake3::hash(content).as_bytes();
        put(bytes, at, &hash);
        at = end;
    }
}
