//! Damaged input ends, without panic and without more memory than it is worth.

use embley_mapi::compound::{self, Node, Tree};
use embley_mapi::{Content, Message, canonical, eml, msg, tnef, view::View};

/// Looks at all that a message says, so that nothing of it stays untried.
pub(crate) fn exercise(message: &Message) {
    View::of(message, None);
    let item = canonical::item(message, canonical::Form::Full);
    let bytes = canonical::write(&item, canonical::Form::Full);
    canonical::read(&bytes).expect("is read back");
    eml::render(message);
}

/// Both readers, whatever the bytes are.
pub(crate) fn read_any(bytes: &[u8]) {
    exercise(&msg::read(bytes));
    exercise(&tnef::read(bytes).message);
}

/// Random numbers from a seed (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

pub(crate) fn flip(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..1 + random.next(6) {
        let at = random.next(damaged.len());
        damaged[at] ^= 1 << random.next(8);
    }
    damaged
}

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

    /// The stream of properties: a head of so many bytes, then tags with eight bytes of value.
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

/// A message with a recipient, a named property, several values, a file, an OLE storage and `depth` messages inside.
fn sample(depth: usize) -> Vec<u8> {
    let mut maker = Maker(Tree::new());
    let names = maker.storage(0, "__nameid_version1.0");
    maker.stream(names, "__substg1.0_00020102", &[9; 16]);
    maker.stream(
        names,
        "__substg1.0_00030102",
        &[0, 0, 0, 0, 7, 0, 0, 0, 1, 0x85, 0, 0, 6, 0, 1, 0],
    );
    let mut text = 8_u32.to_le_bytes().to_vec();
    text.extend(utf16("Keys"));
    maker.stream(names, "__substg1.0_00040102", &text);
    message(&mut maker, 0, depth, true);
    compound::write(&maker.0, 0).expect("memory does not fail")
}

fn message(maker: &mut Maker, storage: usize, depth: usize, outermost: bool) {
    let attachments: u32 = if depth > 0 { 3 } else { 2 };
    let mut head = vec![0; if outermost { 32 } else { 24 }];
    head[16] = 1;
    head[20] = attachments as u8;
    maker.properties(
        storage,
        &head,
        &[
            (0x0037_001F, 12),
            (0x1000_001E, 4),
            (0x0017_0003, 2),
            (0x0039_0040, 0x01DA_6B00_0000_0000),
            (0x8001_0003, 77),
            (0x8000_101F, 8),
            (0x3FFD_0003, 1251),
        ],
    );
    maker.stream(storage, "__substg1.0_0037001F", &utf16("Hello"));
    maker.stream(storage, "__substg1.0_1000001E", b"\xcf\xf0\xe8");
    maker.stream(storage, "__substg1.0_8000101F", &[8, 0, 0, 0, 8, 0, 0, 0]);
    maker.stream(storage, "__substg1.0_8000101F-00000000", &utf16("one\0"));
    maker.stream(storage, "__substg1.0_8000101F-00000001", &utf16("two\0"));
    let recipient = maker.storage(storage, "__recip_version1.0_#00000000");
    maker.properties(recipient, &[0; 8], &[(0x0C15_0003, 1), (0x3001_001F, 8)]);
    maker.stream(recipient, "__substg1.0_3001001F", &utf16("Ann"));
    let file = maker.storage(storage, "__attach_version1.0_#00000000");
    maker.properties(file, &[0; 8], &[(0x3705_0003, 1), (0x3701_0102, 5000)]);
    maker.stream(file, "__substg1.0_37010102", &[7; 5000]);
    let object = maker.storage(storage, "__attach_version1.0_#00000001");
    maker.properties(object, &[0; 8], &[(0x3705_0003, 6), (0x3701_000D, 0)]);
    let ole = maker.storage(object, "__substg1.0_3701000D");
    maker.stream(ole, "CONTENTS", b"drawing");
    if depth > 0 {
        let holder = maker.storage(storage, "__attach_version1.0_#00000002");
        maker.properties(holder, &[0; 8], &[(0x3705_0003, 5), (0x3701_000D, 0)]);
        let inner = maker.storage(holder, "__substg1.0_3701000D");
        message(maker, inner, depth - 1, false);
    }
}

#[test]
fn everything_of_a_made_message_is_read() {
    let read = msg::read(&sample(1));
    assert_eq!(read.defects, Vec::new());
    let view = View::of(&read, None);
    assert_eq!(view.subject, "Hello");
    assert_eq!(view.bodies.best_text(), Some("При"));
    assert_eq!(view.importance, Some(2));
    assert_eq!(view.recipients[0].person.name, "Ann");
    assert_eq!(view.defects, Vec::new());
    let set = embley_mapi::PropertySet([9; 16]);
    let keys = embley_mapi::PropertyName::Text("Keys".to_owned());
    // The second entry stands for the number 0x8501, the first for the text.
    assert!(read.properties.by_name(set, &keys).is_some());
    assert_eq!(read.attachments[0].content, Content::Bytes(vec![7; 5000]));
    let Content::Ole(bytes) = &read.attachments[1].content else {
        panic!("an object")
    };
    let mut defects = Vec::new();
    let mut tree = Tree::read(bytes, &mut defects);
    assert_eq!(tree.take(0, "CONTENTS").as_deref(), Some(&b"drawing"[..]));
    let Content::Message(inner) = &read.attachments[2].content else {
        panic!("a message")
    };
    assert_eq!(inner.defects, Vec::new());
    assert_eq!(View::of(inner, Some(view.page)).subject, "Hello");
    exercise(&read);
}

#[test]
fn messages_nest_to_the_limit_and_the_rest_is_kept() {
    let mut read = msg::read(&sample(40));
    let mut depth = 1;
    loop {
        let last = read.attachments.pop().expect("an attachment");
        match last.content {
            Content::Message(inner) => read = *inner,
            Content::Ole(_) => break,
            other => panic!("{other:?}"),
        }
        depth += 1;
    }
    assert_eq!(depth, msg::DEPTH_LIMIT);
}

#[test]
fn a_made_message_cut_or_flipped_ends() {
    let whole = sample(2);
    for end in (0..whole.len()).step_by(211) {
        read_any(&whole[..end]);
    }
    let mut random = Random(0x5DEE_CE66_D123_4567);
    for _ in 0..2000 {
        read_any(&flip(&whole, &mut random));
    }
}

#[test]
fn bytes_of_nothing_are_an_empty_message_with_a_defect() {
    for bytes in [&b""[..], b"x", &[0; 600], &compound::SIGNATURE] {
        let read = msg::read(bytes);
        assert!(read.properties.is_empty());
        assert!(!read.defects.is_empty());
        assert!(!tnef::read(bytes).message.defects.is_empty());
    }
}
