//! What is damaged is said, and the rest is read.

use embley_mapi::{Content, Value};
use embley_model::defect::{Defect, DefectCode};

use super::whole::{ALL, FIRST, INBOX, MESSAGES, ORPHAN, body, open, store};
use super::writer::{Put, Writer, context};
use crate::{CryptMethod, FileVersion, Limits, NodeId, Origin, PstError, PstFile, PstOptions, ScanMode};

fn codes(defects: &[Defect]) -> Vec<DefectCode> {
    defects.iter().map(|defect| defect.code).collect()
}

fn listed(pst: &PstFile) -> usize {
    let folders = pst.folders();
    folders
        .folders
        .iter()
        .map(|folder| pst.messages(folder).ids.len())
        .sum()
}

#[test]
fn a_wrong_checksum_of_a_block_is_said_and_its_data_are_given() {
    for (version, crypt) in ALL {
        let mut writer = Writer::new(version, crypt);
        let (data, sub) = context(&mut writer, &[(0x6000_0102, Put::Item(vec![7; 100]))], &[]);
        writer.node(FIRST, data, sub, INBOX);
        let mut made = writer.finish();
        let layout = version.layout();
        let (_, trailer) = made.blocks[0];
        let crc_at = trailer as usize + if layout.wide { 4 } else { 8 };
        made.bytes[crc_at] ^= 0xFF;
        let pst = open(made.bytes);
        let message = pst.load(NodeId(FIRST), &Limits::default()).expect("loads");
        assert_eq!(
            message.properties.by_id(0x6000).map(|(_, value)| value),
            Some(&Value::Binary(vec![7; 100]))
        );
        assert_eq!(
            codes(&message.defects),
            [DefectCode::PstChecksum],
            "{version:?} {:?}",
            message.defects
        );
    }
}

#[test]
fn a_damaged_leaf_of_the_node_tree_costs_what_it_held_and_is_said() {
    let made = store(FileVersion::Unicode, CryptMethod::Permute);
    let whole = open(made.bytes.clone());
    let nodes = whole.salvage(&whole.folders()).node_count;
    let mut bytes = made.bytes.clone();
    let leaf = made.node_leaves[made.node_leaves.len() - 2] as usize;
    bytes[leaf..leaf + 512].fill(0);
    let options = PstOptions {
        scan: ScanMode::Never,
        ..PstOptions::default()
    };
    let pst = PstFile::open(bytes, &options).expect("opens");
    assert_eq!(listed(&pst), MESSAGES as usize);
    let salvage = pst.salvage(&pst.folders());
    assert_eq!(salvage.node_count, nodes - 5);
    let said = format!("damaged page at offset {leaf:#x}");
    assert!(
        salvage
            .defects
            .iter()
            .any(|defect| defect.code == DefectCode::PstTree && defect.detail.contains(&said))
    );
    let failed = (0..MESSAGES)
        .filter(|at| pst.load(NodeId(FIRST + 0x20 * at), &Limits::default()).is_err())
        .count();
    assert!((1..=5).contains(&failed), "{failed}");
}

#[test]
fn without_the_roots_of_both_trees_everything_is_found_by_its_pages() {
    for (version, crypt) in ALL {
        let made = store(version, crypt);
        let mut bytes = made.bytes.clone();
        for root in [made.node_root, made.block_root] {
            let root = root as usize;
            bytes[root..root + version.layout().page_bytes].fill(0xFF);
        }
        let pst = open(bytes);
        assert_eq!(listed(&pst), MESSAGES as usize, "{version:?}");
        let salvage = pst.salvage(&pst.folders());
        let found: Vec<NodeId> = salvage.messages.iter().map(|message| message.id).collect();
        assert_eq!(found, [NodeId(ORPHAN)]);
        assert_eq!(salvage.messages[0].origin, Origin::LostPage);
        assert!(codes(&salvage.defects).contains(&DefectCode::PstTree));
        let message = pst.load(NodeId(FIRST), &Limits::default()).expect("loads");
        assert_eq!(message.attachments[1].content, Content::Bytes(body()));
        assert!(codes(&message.defects).contains(&DefectCode::PstTree));
    }
}

#[test]
fn a_lost_block_of_an_attachment_is_zeros_of_its_length() {
    let mut writer = Writer::new(FileVersion::Unicode, CryptMethod::None);
    let long: Vec<u8> = (0..30_000u32).map(|at| (at % 250) as u8 + 1).collect();
    let (data, sub) = context(&mut writer, &[(0x6000_0102, Put::Node(long.clone()))], &[]);
    writer.node(FIRST, data, sub, INBOX);
    let made = writer.finish();
    // Blocks 0 to 3 are the value; the second is overwritten by another block of the file, with its trailer.
    let mut bytes = made.bytes.clone();
    let (second, _) = made.blocks[1];
    let id_at = second as usize + 8192 - 8;
    bytes[id_at..id_at + 8].copy_from_slice(&0x4444u64.to_le_bytes());
    let signature = crate::ndb::testing::signature(second, 0x4444);
    bytes[id_at - 6..id_at - 4].copy_from_slice(&signature.to_le_bytes());
    let pst = open(bytes);
    let message = pst.load(NodeId(FIRST), &Limits::default()).expect("loads");
    let Some((_, Value::Binary(found))) = message.properties.by_id(0x6000) else {
        panic!("no value")
    };
    assert_eq!(found.len(), long.len());
    assert_eq!(found[..8176], long[..8176]);
    assert!(found[8176..2 * 8176].iter().all(|byte| *byte == 0));
    assert_eq!(found[2 * 8176..], long[2 * 8176..]);
    assert_eq!(codes(&message.defects), [DefectCode::PstStructure]);
    assert!(
        message.defects[0]
            .detail
            .starts_with("8176 bytes from position 8176 on are lost")
    );
}

#[test]
fn a_message_inside_itself_is_read_once() {
    let mut writer = Writer::new(FileVersion::Unicode, CryptMethod::None);
    // The sub-nodes of the message hold an attachment whose object has the data and sub-nodes of the message: the identifiers are known
    // because the writer counts.
    let values = [
        (0x3705_0003, Put::Small(5)),
        (0x3701_000D, Put::Item([0x1_003Fu32.to_le_bytes(); 2].concat())),
    ];
    let (attachment, _) = context(&mut writer, &values, &[]);
    let (message, _) = context(&mut writer, &[(0x0037_001F, Put::Item(vec![b'a', 0]))], &[]);
    // attachment 4, message 8, its sub-nodes 12 | 2, those of the attachment 16 | 2.
    let sub = writer.sub(&[(0x8025, attachment, 18)]);
    assert_eq!((message, sub), (8, 14));
    let inner = writer.sub(&[(0x1_003F, message, sub)]);
    assert_eq!(inner, 18);
    writer.node(FIRST, message, sub, INBOX);
    let pst = open(writer.finish().bytes);
    let message = pst.load(NodeId(FIRST), &Limits::default()).expect("loads");
    assert_eq!(message.attachments.len(), 1);
    assert_eq!(message.attachments[0].content, Content::None);
    let said = &message.attachments[0].defects;
    assert!(
        said.iter().any(|defect| defect.detail.contains("lies inside itself")),
        "{said:?}"
    );
}

#[test]
fn what_is_no_pst_is_refused_with_a_reason() {
    let refused = |bytes: Vec<u8>| PstFile::open(bytes, &PstOptions::default()).err().expect("refused");
    assert!(matches!(refused(vec![]), PstError::NotPst { .. }));
    assert!(matches!(
        refused(b"!BDN".to_vec()),
        PstError::NotPst {
            why: "its header is cut"
        }
    ));
    let mut bytes = store(FileVersion::Unicode, CryptMethod::None).bytes;
    bytes[10] = 99;
    assert!(matches!(refused(bytes), PstError::Version { version: 99 }));
}

#[test]
fn a_file_that_ends_early_is_said_to_be_cut() {
    let mut bytes = store(FileVersion::Unicode, CryptMethod::None).bytes;
    bytes.truncate(bytes.len() - 1000);
    let pst = open(bytes);
    assert!(codes(pst.defects()).contains(&DefectCode::PstTruncated));
}
