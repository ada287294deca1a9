//! The node database: header, pages, blocks, the node and block trees, data trees and sub-nodes ([MS-PST] section 2.2).
//!
//! Main type: [`Ndb`]. Invariant: a checksum that is wrong is said and the data given; a place that cannot be read is an error of that
//! place only.

mod block;
mod cache;
mod checksum;
mod crypt;
mod data;
mod header;
mod node;
mod page;
mod scan;
mod subnode;
mod tree;

pub(crate) use block::Block;
pub use crypt::CryptMethod;
pub(crate) use data::{DataTree, Piece, Reading};
pub use header::{FileVersion, Header};
pub(crate) use node::{Node, wellknown};
pub use node::{NodeId, NodeKind};
pub(crate) use subnode::SubNodes;
pub(crate) use tree::Ndb;

#[cfg(test)]
pub(crate) mod testing {
    //! What a writer of test files needs.
    pub(crate) use super::checksum::{crc, signature};
    pub(crate) use super::header::Layout;
}
