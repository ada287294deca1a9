//! Limits hold, and what they leave out is said.

use embley_mapi::{Content, Value};
use embley_model::defect::DefectCode;

use super::whole::{FIRST, body, open, store};
use crate::{CryptMethod, FileVersion, Limits, NodeId};

fn load(limits: Limits) -> embley_mapi::Message {
    let pst = open(store(FileVersion::Unicode, CryptMethod::Permute).bytes);
    pst.load(NodeId(FIRST), &limits).expect("loads")
}

#[test]
fn a_long_attachment_is_named_with_its_length() {
    let message = load(Limits {
        attachment_bytes: 10_000,
        ..Limits::default()
    });
    assert_eq!(message.attachments[1].content, Content::TooLong(body().len() as u64));
    assert_eq!(message.attachments[0].content, Content::Bytes(b"short".to_vec()));
}

#[test]
fn a_long_property_is_cut_and_said() {
    let message = load(Limits {
        property_bytes: 10_000,
        ..Limits::default()
    });
    let value = message.properties.by_id(0x1013).map(|(_, value)| value.clone());
    assert_eq!(value, Some(Value::Binary(body()[..10_000].to_vec())));
    assert_eq!(message.defects[0].code, DefectCode::PstLimit);
}

#[test]
fn nesting_ends_at_its_limit() {
    let message = load(Limits {
        depth: 0,
        ..Limits::default()
    });
    assert_eq!(message.attachments[2].content, Content::None);
    assert_eq!(message.attachments[2].defects[0].code, DefectCode::MimeDepth);
    let message = load(Limits {
        depth: 1,
        ..Limits::default()
    });
    let Content::Message(inner) = &message.attachments[2].content else {
        panic!("no message")
    };
    assert_eq!(inner.attachments[0].content, Content::None);
    assert_eq!(inner.attachments[0].defects[0].code, DefectCode::MimeDepth);
}

#[test]
fn parts_end_at_their_limit() {
    let message = load(Limits {
        parts: 4,
        ..Limits::default()
    });
    assert_eq!((message.recipients.len(), message.attachments.len()), (2, 2));
    assert!(message.defects.iter().any(|defect| defect.code == DefectCode::PstLimit));
}
