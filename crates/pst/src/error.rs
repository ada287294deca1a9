//! The errors of this crate. Most damage never comes this way: it is a defect of what could be read.

use std::io;

use embley_model::outcome::ErrorClass;

use crate::NodeId;

/// Something could not be read. Nothing is changed by any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PstError {
    /// A range of the source cannot be read: a bad sector, a lost network share.
    #[error("cannot read {length} bytes at offset {offset:#x}")]
    Read {
        /// First byte wanted.
        offset: u64,
        /// Bytes wanted from there.
        length: u64,
        /// Why.
        source: io::Error,
    },
    /// The file is not a PST or OST.
    #[error("no PST or OST: {why}")]
    NotPst {
        /// What is wrong with its first bytes.
        why: &'static str,
    },
    /// The version of the header is not one that [MS-PST] knows.
    #[error("unknown PST version {version}")]
    Version {
        /// `wVer` of the header.
        version: u16,
    },
    /// A page of a B-tree cannot be read.
    #[error("damaged page at offset {offset:#x}: {why}")]
    Page {
        /// Where it lies.
        offset: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// The node tree does not hold this node.
    #[error("node {node} is not in the file")]
    NoNode {
        /// Which.
        node: NodeId,
    },
    /// The block tree does not hold this block.
    #[error("block {block:#x} is not in the file")]
    NoBlock {
        /// Block identifier.
        block: u64,
    },
    /// A block cannot be read.
    #[error("damaged block {block:#x} at offset {offset:#x}: {why}")]
    Block {
        /// Block identifier.
        block: u64,
        /// Where it lies.
        offset: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// A heap, a tree on a heap, a property context or a table is damaged.
    #[error("damaged {what}: {why}")]
    Structure {
        /// Which structure.
        what: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// There is no such attachment, or it holds no bytes.
    #[error("no content in attachment {path} of node {node}")]
    NoContent {
        /// The message.
        node: NodeId,
        /// Positions of attachments from the outside to the inside, joined by dots, from 0.
        path: String,
    },
    /// What was read cannot be handed on.
    #[error("cannot write the content of an attachment")]
    Write {
        /// Why.
        source: io::Error,
    },
}

impl PstError {
    /// Who can do something about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Read { .. }
            | Self::NotPst { .. }
            | Self::Version { .. }
            | Self::Page { .. }
            | Self::NoNode { .. }
            | Self::NoBlock { .. }
            | Self::Block { .. }
            | Self::Structure { .. }
            | Self::NoContent { .. } => ErrorClass::Input,
            Self::Write { .. } => ErrorClass::Environment,
        }
    }
}
