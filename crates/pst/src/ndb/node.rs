//! Identifiers of nodes ([MS-PST] sections 2.2.2.1 and 2.4.1).

use std::fmt;

/// Identifier of a node: its kind in the lower 5 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// What the node is, as its identifier says.
    pub const fn kind(self) -> NodeKind {
        match self.0 & 0x1F {
            0x00 => NodeKind::HeapItem,
            0x01 => NodeKind::Internal,
            0x02 => NodeKind::Folder,
            0x03 => NodeKind::SearchFolder,
            0x04 => NodeKind::Message,
            0x05 => NodeKind::Attachment,
            0x08 => NodeKind::AssociatedMessage,
            0x0D => NodeKind::HierarchyTable,
            0x0E => NodeKind::ContentsTable,
            0x0F => NodeKind::AssociatedContentsTable,
            0x10 => NodeKind::SearchContentsTable,
            0x11 => NodeKind::AttachmentTable,
            0x12 => NodeKind::RecipientTable,
            0x1F => NodeKind::Table,
            _ => NodeKind::Other,
        }
    }

    /// The node of another kind that belongs to the same object.
    pub(crate) const fn sibling(self, kind: u32) -> Self {
        Self((self.0 & !0x1F) | kind)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// What a node is ([MS-PST] section 2.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// An item of a heap, no node.
    HeapItem,
    /// A structure of the file, such as the message store.
    Internal,
    /// A folder.
    Folder,
    /// A search folder: links to messages of other folders.
    SearchFolder,
    /// A message, or another item of a folder.
    Message,
    /// An attachment.
    Attachment,
    /// An associated message: settings, views, rules of a folder.
    AssociatedMessage,
    /// Table of the folders of a folder.
    HierarchyTable,
    /// Table of the messages of a folder.
    ContentsTable,
    /// Table of the associated messages of a folder.
    AssociatedContentsTable,
    /// Table of the messages of a search folder.
    SearchContentsTable,
    /// Table of the attachments of a message.
    AttachmentTable,
    /// Table of the recipients of a message.
    RecipientTable,
    /// A part of a table or a long value.
    Table,
    /// Queues, indexes of tables, kinds that the specification does not know.
    Other,
}

/// Nodes with fixed identifiers ([MS-PST] section 2.4.1) and kinds as numbers.
pub(crate) mod wellknown {
    use super::NodeId;

    pub(crate) const MESSAGE_STORE: NodeId = NodeId(0x21);
    pub(crate) const NAME_TO_ID: NodeId = NodeId(0x61);
    pub(crate) const ROOT_FOLDER: NodeId = NodeId(0x122);
    pub(crate) const ATTACHMENT_TABLE: NodeId = NodeId(0x671);
    pub(crate) const RECIPIENT_TABLE: NodeId = NodeId(0x692);

    pub(crate) const HIERARCHY: u32 = 0x0D;
    pub(crate) const CONTENTS: u32 = 0x0E;
    pub(crate) const ASSOCIATED_CONTENTS: u32 = 0x0F;
}

/// An entry of the node tree, or of a sub-node tree ([MS-PST] sections 2.2.2.7.7.4 and 2.2.2.8.3.3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    /// Block of its data; 0 for none.
    pub(crate) data: u64,
    /// Block of its sub-node tree; 0 for none.
    pub(crate) sub: u64,
    /// Folder of a message or folder; 0 in a sub-node tree.
    pub(crate) parent: NodeId,
}
