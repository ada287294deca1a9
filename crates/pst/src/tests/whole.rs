//! Whole files of every layout and obfuscation say what was put in.

use embley_mapi::{Content, Message, PropertyName, Value};
use embley_model::defect::DefectCode;

use super::writer::{HeapMaker, Made, Put, Writer, context, table, utf16};
use crate::{
    AttachmentPath, CryptMethod, FileVersion, FolderKind, Limits, NodeId, Origin, PstFile, PstOptions, subject_text,
};

pub(super) const INBOX: u32 = 0x8022;
pub(super) const FIRST: u32 = 0x20_0004;
pub(super) const ORPHAN: u32 = 0x21_0004;
pub(super) const MESSAGES: u32 = 40;

pub(super) const ALL: [(FileVersion, CryptMethod); 6] = [
    (FileVersion::Ansi, CryptMethod::None),
    (FileVersion::Ansi, CryptMethod::Cyclic),
    (FileVersion::Unicode, CryptMethod::Permute),
    (FileVersion::Unicode, CryptMethod::Cyclic),
    (FileVersion::Unicode4k, CryptMethod::None),
    (FileVersion::Unicode4k, CryptMethod::Permute),
];

/// Text as the version stores it, with its type.
fn text(version: FileVersion, id: u32, text: &str) -> (u32, Put) {
    if version == FileVersion::Ansi {
        let bytes = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
            .collect();
        ((id << 16) | 0x1E, Put::Item(bytes))
    } else {
        ((id << 16) | 0x1F, Put::Item(utf16(text)))
    }
}

pub(super) fn body() -> Vec<u8> {
    (0..40_000u32).map(|at| (at * 7 % 251) as u8).collect()
}

/// A store with a root, "Top", an inbox of [`MESSAGES`] with one associated message, a search folder, a message that nobody lists and a
/// folder that nobody lists.
pub(super) fn store(version: FileVersion, crypt: CryptMethod) -> Made {
    store_of(version, crypt, MESSAGES)
}

/// The same with another number of messages in the inbox.
pub(super) fn store_of(version: FileVersion, crypt: CryptMethod, messages: u32) -> Made {
    let mut writer = Writer::new(version, crypt);
    writer.block_data = 4000;
    writer.list_most = 4;
    let w = &mut writer;
    // Where the folders that people see begin ([MS-PST] section 2.4.3.2): other readers need it.
    let top = [vec![0; 20], 0x8002u32.to_le_bytes().to_vec()].concat();
    let values = [
        text(version, 0x3001, "Störe"),
        (0x67FF_0003, Put::Small(0xDEAD_BEEF)),
        (0x35E0_0102, Put::Item(top)),
    ];
    let (data, sub) = context(w, &values, &[]);
    w.node(0x21, data, sub, 0);
    names(w);
    folder(w, 0x122, 0x122, &[], "", 0, &[(0x8002, "Top")], &[], &[]);
    folder(
        w,
        0x8002,
        0x122,
        &[],
        "Top",
        0,
        &[(INBOX, "Inbox"), (0x8063, "Find it")],
        &[],
        &[],
    );
    let listed: Vec<u32> = (0..messages).map(|at| FIRST + 0x20 * at).collect();
    folder(
        w,
        INBOX,
        0x8002,
        &[(0x3602_0003, Put::Small(messages))],
        "Inbox",
        2,
        &[],
        &listed,
        &[0x30_0008],
    );
    folder(w, 0x9002, 0x8002, &[], "Gone", 0, &[], &[], &[]);
    for (position, id) in listed.iter().chain(&[ORPHAN]).enumerate() {
        message(w, version, *id, position);
    }
    let (data, sub) = context(w, &[text(version, 0x001A, "IPM.Configuration.X")], &[]);
    w.node(0x30_0008, data, sub, INBOX);
    writer.finish()
}

fn names(w: &mut Writer) {
    let mut strings = Vec::new();
    strings.extend_from_slice(&8u32.to_le_bytes());
    strings.extend_from_slice(&utf16("Name"));
    let mut entries = Vec::new();
    // A number in the first set of the list, a text in PS_PUBLIC_STRINGS, one whose text lies outside.
    for (number, kind, index) in [
        (0x8233u32, 3u16 << 1, 0u16),
        (0, (2 << 1) | 1, 1),
        (400, (2 << 1) | 1, 2),
    ] {
        entries.extend_from_slice(&number.to_le_bytes());
        entries.extend_from_slice(&kind.to_le_bytes());
        entries.extend_from_slice(&index.to_le_bytes());
    }
    let values = [
        (0x0001_0003, Put::Small(251)),
        (0x0002_0102, Put::Item(vec![9; 16])),
        (0x0003_0102, Put::Item(entries)),
        (0x0004_0102, Put::Item(strings)),
    ];
    let (data, sub) = context(w, &values, &[]);
    w.node(0x61, data, sub, 0);
}

#[expect(clippy::too_many_arguments, reason = "a folder has these parts")]
fn folder(
    w: &mut Writer,
    id: u32,
    parent: u32,
    more: &[(u32, Put)],
    name: &str,
    unread: u32,
    folders: &[(u32, &str)],
    messages: &[u32],
    associated: &[u32],
) {
    let mut values = vec![(0x3001_001F, Put::Item(utf16(name))), (0x3603_0003, Put::Small(unread))];
    values.extend_from_slice(more);
    let (data, sub) = context(w, &values, &[]);
    w.node(id, data, sub, parent);
    let rows: Vec<_> = folders
        .iter()
        .map(|(id, name)| (*id, vec![(0x3001_001F, Put::Item(utf16(name)))]))
        .collect();
    let (data, sub) = table(w, &[0x3001_001F], &rows, false);
    w.node((id & !0x1F) | 0x0D, data, sub, 0);
    for (kind, list) in [(0x0E, messages), (0x0F, associated)] {
        let rows: Vec<_> = list
            .iter()
            .map(|id| {
                (
                    *id,
                    vec![(0x0E06_0040, Put::Item(vec![1; 8])), (0x0E1B_000B, Put::Small(1))],
                )
            })
            .collect();
        let (data, sub) = table(w, &[0x0037_001F, 0x0E06_0040, 0x0E1B_000B], &rows, kind == 0x0E);
        w.node((id & !0x1F) | kind, data, sub, 0);
    }
}

fn recipients(w: &mut Writer, version: FileVersion, count: usize) -> (u32, u64, u64) {
    let columns = [text(version, 0x3001, "").0, 0x0C15_0003, 0x0FF6_0102, 0x6003_0014];
    let rows: Vec<_> = (0..count)
        .map(|at| {
            let cells = vec![
                text(version, 0x3001, &format!("Person {at}")),
                (0x0C15_0003, Put::Small(1)),
                (0x0FF6_0102, Put::Node(vec![at as u8; 5000])),
                (0x6003_0014, Put::Item((at as u64).to_le_bytes().to_vec())),
            ];
            (at as u32, cells)
        })
        .collect();
    let (data, sub) = table(w, &columns, &rows, false);
    (0x692, data, sub)
}

fn attachment(w: &mut Writer, version: FileVersion, name: &str, method: u32, content: (u32, Put)) -> (u64, u64) {
    context(
        w,
        &[text(version, 0x3707, name), (0x3705_0003, Put::Small(method)), content],
        &[],
    )
}

fn message(w: &mut Writer, version: FileVersion, id: u32, position: usize) {
    let people = recipients(w, version, 2);
    // A message inside a message inside this one.
    let (inner_data, inner_sub) = context(w, &[text(version, 0x0037, "innermost")], &[]);
    let (data, sub) = attachment(w, version, "m", 5, (0x3701_000D, Put::Object(inner_data, inner_sub)));
    let list = attachments(w, &[0x8025]);
    let (inner_data, inner_sub) = context(w, &[text(version, 0x0037, "inner")], &[list, (0x8025, data, sub)]);
    let parts = [
        attachment(w, version, "short.txt", 1, (0x3701_0102, Put::Item(b"short".to_vec()))),
        attachment(w, version, "long.bin", 1, (0x3701_0102, Put::Node(body()))),
        attachment(
            w,
            version,
            "inner",
            5,
            (0x3701_000D, Put::Object(inner_data, inner_sub)),
        ),
        {
            let ole = w.data(b"\xD0\xCF\x11\xE0 object");
            attachment(w, version, "object", 6, (0x3701_000D, Put::Object(ole, 0)))
        },
        context(w, &[text(version, 0x3707, "link"), (0x3705_0003, Put::Small(2))], &[]),
        attachment(
            w,
            version,
            "unlisted",
            1,
            (0x3701_0102, Put::Item(b"unlisted".to_vec())),
        ),
    ];
    let ids: Vec<u32> = (0..6).map(|at| 0x8025 + 0x20 * at).collect();
    let list = attachments(w, &ids[..5]);
    let mut subs = vec![people, list];
    subs.extend(ids.iter().zip(parts).map(|(id, (data, sub))| (*id, data, sub)));
    let values = [
        text(version, 0x0037, &format!("\u{1}\u{5}Re: subject {position}")),
        text(version, 0x001A, "IPM.Note"),
        (0x1013_0102, Put::Node(body())),
        (0x0E08_0014, Put::Item(77u64.to_le_bytes().to_vec())),
        (0x0E1B_000B, Put::Small(1)),
        (0x8000_0003, Put::Small(5)),
        (0x8001_001F, Put::Item(utf16("named"))),
        (
            0x6001_1003,
            Put::Item([1u32.to_le_bytes(), 2u32.to_le_bytes()].concat()),
        ),
        (0x6002_0048, Put::Item(vec![3; 16])),
    ];
    let (data, sub) = context(w, &values, &subs);
    w.node(id, data, sub, INBOX);
}

fn attachments(w: &mut Writer, ids: &[u32]) -> (u32, u64, u64) {
    let rows: Vec<_> = ids.iter().map(|id| (*id, vec![(0x3705_0003, Put::Small(1))])).collect();
    let (data, sub) = table(w, &[0x3705_0003], &rows, false);
    (0x671, data, sub)
}

pub(super) fn open(bytes: Vec<u8>) -> PstFile {
    PstFile::open(bytes, &PstOptions::default()).expect("opens")
}

fn string(message: &Message, id: u16) -> String {
    match message.properties.by_id(id) {
        Some((_, Value::Unicode(text))) => text.clone(),
        Some((_, Value::String8(bytes))) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("no text: {other:?}"),
    }
}

#[test]
fn every_layout_and_obfuscation_gives_back_what_was_put_in() {
    for (version, crypt) in ALL {
        let pst = open(store(version, crypt).bytes);
        assert_eq!((pst.header().version, pst.header().crypt), (version, crypt));
        let codes: Vec<_> = pst.defects().iter().map(|defect| defect.code).collect();
        // The third name's text lies outside of its list on purpose.
        assert_eq!(
            codes,
            [DefectCode::PstStructure, DefectCode::PstPassword],
            "{:?}",
            pst.defects()
        );

        let folders = pst.folders();
        let paths: Vec<String> = folders.folders.iter().map(|folder| folder.path.join("/")).collect();
        assert_eq!(paths, ["", "Top", "Top/Inbox"]);
        assert_eq!(folders.search_folders.len(), 1);
        assert_eq!(folders.search_folders[0].name, "Find it");
        assert_eq!(folders.defects[0].code, DefectCode::PstSearchFolder);
        let inbox = &folders.folders[2];
        assert_eq!((inbox.stated_messages, inbox.stated_unread), (Some(40), Some(2)));
        let list = pst.messages(inbox);
        assert_eq!(list.ids.len(), MESSAGES as usize);
        assert!(list.ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(list.defects, []);
        assert_eq!(pst.associated(inbox).ids, [NodeId(0x30_0008)]);

        for (position, id) in list.ids.iter().enumerate() {
            check_message(&pst, *id, position);
        }

        let salvage = pst.salvage(&folders);
        assert_eq!(salvage.messages.len(), 1);
        assert_eq!(
            (salvage.messages[0].id, salvage.messages[0].parent),
            (NodeId(ORPHAN), NodeId(INBOX))
        );
        assert_eq!(salvage.messages[0].origin, Origin::Tree);
        check_message(&pst, NodeId(ORPHAN), MESSAGES as usize);
        assert_eq!(salvage.folders.len(), 1);
        assert_eq!(
            (salvage.folders[0].path.join("/"), salvage.folders[0].kind),
            ("Top/Gone".into(), FolderKind::Recovered)
        );
    }
}

fn check_message(pst: &PstFile, id: NodeId, position: usize) {
    let message = pst.load(id, &Limits::default()).expect("loads");
    assert_eq!(message.defects, []);
    assert_eq!(
        subject_text(&string(&message, 0x0037)),
        format!("Re: subject {position}")
    );
    let value = |id| message.properties.by_id(id).map(|(_, value)| value.clone());
    assert_eq!(value(0x1013), Some(Value::Binary(body())));
    assert_eq!(value(0x0E08), Some(Value::Integer64(77)));
    assert_eq!(value(0x0E1B), Some(Value::Boolean(true)));
    assert_eq!(value(0x6002), Some(Value::Guid([3; 16])));
    let several = Value::Multiple(vec![Value::Integer32(1), Value::Integer32(2)]);
    assert_eq!(value(0x6001), Some(several));
    let names = [0x8000, 0x8001].map(|id| message.properties.name_of(id).cloned().expect("a name"));
    assert_eq!(
        (names[0].set.0, &names[0].name),
        ([9; 16], &PropertyName::Number(0x8233))
    );
    assert_eq!(
        (names[1].set.0[0], &names[1].name),
        (0x29, &PropertyName::Text("Name".into()))
    );

    assert_eq!(message.recipients.len(), 2);
    let second = &message.recipients[1];
    assert_eq!(
        second.by_id(0x0FF6).map(|(_, value)| value),
        Some(&Value::Binary(vec![1; 5000]))
    );
    assert_eq!(second.by_id(0x6003).map(|(_, value)| value), Some(&Value::Integer64(1)));

    let contents: Vec<&Content> = message
        .attachments
        .iter()
        .map(|attachment| &attachment.content)
        .collect();
    assert_eq!(contents.len(), 6);
    assert_eq!(contents[0], &Content::Bytes(b"short".to_vec()));
    assert_eq!(contents[1], &Content::Bytes(body()));
    let Content::Message(inner) = contents[2] else {
        panic!("no message: {:?}", contents[2])
    };
    assert_eq!(string(inner, 0x0037), "inner");
    let Content::Message(innermost) = &inner.attachments[0].content else {
        panic!("no message inside")
    };
    assert_eq!(string(innermost, 0x0037), "innermost");
    assert_eq!(contents[3], &Content::Ole(b"\xD0\xCF\x11\xE0 object".to_vec()));
    assert_eq!(contents[4], &Content::None);
    assert_eq!(contents[5], &Content::Bytes(b"unlisted".to_vec()));
    for (at, attachment) in message.attachments.iter().enumerate() {
        let codes: Vec<_> = attachment.defects.iter().map(|defect| defect.code).collect();
        assert_eq!(
            codes,
            if at == 5 {
                vec![DefectCode::PstRecovered]
            } else {
                vec![]
            }
        );
        assert!(attachment.properties.by_id(0x3701).is_none());
    }
}

#[test]
fn an_attachment_can_be_streamed_and_holds_what_loading_gives() {
    for (version, crypt) in ALL {
        let pst = open(store(version, crypt).bytes);
        for (path, expected) in [
            (0, b"short".to_vec()),
            (1, body()),
            (3, b"\xD0\xCF\x11\xE0 object".to_vec()),
        ] {
            let mut out = Vec::new();
            let path = AttachmentPath(vec![path]);
            let (length, defects) = pst.attachment_to(NodeId(FIRST), &path, &mut out).expect("streams");
            assert_eq!((length, defects.len(), &out), (expected.len() as u64, 0, &expected));
        }
        for path in [vec![2], vec![4], vec![6], vec![0, 0], vec![]] {
            let missing = pst.attachment_to(NodeId(FIRST), &AttachmentPath(path), &mut Vec::new());
            assert!(missing.is_err());
        }
    }
}

#[test]
fn threads_get_the_same_answers_as_one() {
    let bytes = store(FileVersion::Unicode, CryptMethod::Permute).bytes;
    let options = PstOptions {
        cache_bytes: 20_000,
        ..PstOptions::default()
    };
    let pst = PstFile::open(bytes, &options).expect("opens");
    let ids: Vec<NodeId> = (0..MESSAGES).map(|at| NodeId(FIRST + 0x20 * at)).collect();
    let load = |id: &NodeId| pst.load(*id, &Limits::default()).expect("loads");
    let alone: Vec<Message> = ids.iter().map(load).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ids.iter().map(load).collect::<Vec<Message>>()))
            .collect();
        for worker in workers {
            assert_eq!(worker.join().expect("no panic"), alone);
        }
    });
}

#[test]
fn a_difference_between_stated_and_listed_is_a_defect_of_the_folder() {
    let mut writer = Writer::new(FileVersion::Unicode, CryptMethod::None);
    folder(
        &mut writer,
        0x122,
        0x122,
        &[(0x3602_0003, Put::Small(3))],
        "",
        0,
        &[],
        &[FIRST, FIRST + 0x20],
        &[],
    );
    let pst = open(writer.finish().bytes);
    let folders = pst.folders();
    let list = pst.messages(&folders.folders[0]);
    assert_eq!(list.ids.len(), 2);
    assert_eq!(list.defects.len(), 1);
    assert_eq!(list.defects[0].code, DefectCode::PstCount);
    assert_eq!(list.defects[0].detail, "2 messages are listed, 3 are stated");
}

#[test]
fn a_heap_of_many_blocks_is_read_through_its_longer_headers() {
    let mut writer = Writer::new(FileVersion::Unicode, CryptMethod::Permute);
    let mut heap = HeapMaker::new(&writer, 0xBC, 100);
    let records: Vec<Vec<u8>> = (0..150u16)
        .map(|at| {
            let handle = heap.add(utf16(&format!("value {at} {}", "x".repeat(30))));
            let mut record = (0x6000 + at).to_le_bytes().to_vec();
            record.extend_from_slice(&0x1Fu16.to_le_bytes());
            record.extend_from_slice(&handle.to_le_bytes());
            record
        })
        .collect();
    let root = heap.tree(2, 6, &records, 6);
    heap.root(root);
    let blocks = heap.finish();
    assert!(blocks.len() > 137, "{}", blocks.len());
    let data = writer.data_blocks(&blocks);
    writer.node(FIRST, data, 0, 0);
    let pst = open(writer.finish().bytes);
    let message = pst.load(NodeId(FIRST), &Limits::default()).expect("loads");
    assert_eq!((message.properties.len(), message.defects), (150, vec![]));
    let (_, value) = message.properties.by_id(0x6000 + 149).expect("there");
    assert_eq!(value, &Value::Unicode(format!("value 149 {}", "x".repeat(30))));
}
