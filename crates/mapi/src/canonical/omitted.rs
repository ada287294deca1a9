//! Properties that are no part of a message's identity, with the reason.
//!
//! Decided conservatively: only what a store makes up for its own copy is left out. Times, flags (also whether it was read), the names of
//! who changed it last and everything a person can see stay in; two copies that differ in those are two items, which keys join in views.

use crate::property::Tag;

/// A property that is left out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// Identifier.
    pub id: u16,
    /// Canonical name ([MS-OXPROPS]).
    pub name: &'static str,
    /// Why it says nothing of the message.
    pub reason: &'static str,
}

const fn omitted(id: u16, name: &'static str, reason: &'static str) -> Omitted {
    Omitted { id, name, reason }
}

const IN_STORE: &str = "names the object within one store";
const REPLICA: &str = "counts changes of one replica";
const ACCESS: &str = "says what the reading program may do";
const SIZE: &str = "bytes that one store needs for it";
const ROW: &str = "numbers rows of a table of one store";

/// All of them, in order of identifiers.
pub const OMITTED: &[Omitted] = &[
    omitted(0x0E08, "PidTagMessageSize", SIZE),
    omitted(0x0E09, "PidTagParentEntryId", IN_STORE),
    omitted(0x0E20, "PidTagAttachSize", SIZE),
    omitted(0x0E21, "PidTagAttachNumber", ROW),
    omitted(0x0E27, "PidTagSecurityDescriptor", ACCESS),
    omitted(0x0E30, "PidTagReplItemid", REPLICA),
    omitted(0x0E33, "PidTagReplChangenum", REPLICA),
    omitted(0x0E34, "PidTagReplVersionHistory", REPLICA),
    omitted(0x0E38, "PidTagReplFlags", REPLICA),
    omitted(0x0E3C, "PidTagReplCopiedfromVersionhistory", REPLICA),
    omitted(0x0E3D, "PidTagReplCopiedfromItemid", REPLICA),
    omitted(0x0FF4, "PidTagAccess", ACCESS),
    omitted(0x0FF6, "PidTagInstanceKey", ROW),
    omitted(0x0FF7, "PidTagAccessLevel", ACCESS),
    omitted(0x0FF8, "PidTagMappingSignature", IN_STORE),
    omitted(0x0FF9, "PidTagRecordKey", IN_STORE),
    omitted(0x0FFA, "PidTagStoreRecordKey", IN_STORE),
    omitted(0x0FFB, "PidTagStoreEntryId", IN_STORE),
    omitted(0x0FFF, "PidTagEntryId", IN_STORE),
    omitted(0x3000, "PidTagRowid", ROW),
    omitted(0x300B, "PidTagSearchKey", IN_STORE),
    omitted(0x340D, "PidTagStoreSupportMask", "says what the store can do"),
    omitted(0x65E0, "PidTagSourceKey", IN_STORE),
    omitted(0x65E1, "PidTagParentSourceKey", IN_STORE),
    omitted(0x65E2, "PidTagChangeKey", REPLICA),
    omitted(0x65E3, "PidTagPredecessorChangeList", REPLICA),
    omitted(0x6748, "PidTagFolderId", IN_STORE),
    omitted(0x674A, "PidTagMid", IN_STORE),
    omitted(0x67A4, "PidTagChangeNumber", REPLICA),
    omitted(0x67F2, "PidTagLtpRowId", ROW),
    omitted(0x67F3, "PidTagLtpRowVer", ROW),
];

pub(super) fn is_omitted(tag: Tag) -> bool {
    OMITTED.binary_search_by_key(&tag.id(), |one| one.id).is_ok()
}
