//! What no table lists: messages and folders that are in the node tree only.
//!
//! Main type: [`Salvage`]. Invariant: the whole node tree is walked; a message node is listed by a folder, or it is here.
//!
//! Memory while it is made: a bit a node twice ([`NodeSet`]: what is listed, what the tree holds), some 20 bytes a page of the node tree (15 nodes and
//! more a page), the folders, and 12 bytes for each message that no folder lists.

use std::collections::{HashMap, HashSet};

use embley_model::defect::{Defect, DefectCode};

use super::folder::{Folder, FolderKind, Folders};
use super::nodeset::NodeSet;
use super::store::PstFile;
use crate::log::Log;
use crate::ltp::Session;
use crate::ndb::{NodeId, NodeKind};
use crate::options::Limits;

/// A message that no folder lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Node to [load](PstFile::load).
    pub id: NodeId,
    /// The folder that the node tree names for it; it may be gone.
    pub parent: NodeId,
    /// True for an associated message.
    pub is_associated: bool,
    /// Where its node was found.
    pub origin: Origin,
}

/// Where a node was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the node tree.
    Tree,
    /// On a page that the tree does not reach: an older state of the file, or a part that is cut off.
    LostPage,
}

/// What a walk through the whole node tree found beside the folders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Salvage {
    /// Folders that no table of folders leads to, of kind [`FolderKind::Recovered`]; what they list is had from
    /// [`PstFile::messages`].
    pub folders: Vec<Folder>,
    /// Messages that no folder lists, not even one of the recovered, in order of their identifiers. Whether their data are still there
    /// is known when they are loaded.
    pub messages: Vec<Recovered>,
    /// Nodes in the tree, without those of lost pages.
    pub node_count: u64,
    /// Damaged pages, and one note for what was found.
    pub defects: Vec<Defect>,
}

impl PstFile {
    /// Walks the whole node tree for what `folders` do not list. Reads the lists of all folders again.
    pub fn salvage(&self, folders: &Folders) -> Salvage {
        let mut listed = NodeSet::default();
        for folder in &folders.folders {
            listed.extend(self.messages(folder).ids);
            listed.extend(self.associated(folder).ids);
        }
        self.salvage_beside(folders, listed)
    }

    /// The same for a caller who has read the lists of all `folders` already, and put what they list into `listed`.
    pub fn salvage_beside(&self, folders: &Folders, mut listed: NodeSet) -> Salvage {
        let mut session = Session::new(&self.ndb, &self.names, Limits::default());
        let mut salvage = Salvage::default();
        let mut known: HashSet<NodeId> = folders.folders.iter().map(|folder| folder.id).collect();
        let mut parents = HashMap::new();
        self.ndb.walk_nodes(&mut session.log, |node, is_lost| {
            salvage.node_count += u64::from(!is_lost);
            if node.id.kind() == NodeKind::Folder {
                parents.insert(node.id, node.parent);
            }
        });
        salvage.folders = self.lost_folders(&mut session, folders, &parents, &mut known);
        for folder in &salvage.folders {
            listed.extend(self.messages(folder).ids);
            listed.extend(self.associated(folder).ids);
        }
        salvage.messages = self.unlisted(&listed);
        if !salvage.messages.is_empty() || !salvage.folders.is_empty() {
            let detail = format!(
                "{} messages and {} folders",
                salvage.messages.len(),
                salvage.folders.len()
            );
            session.log.add(DefectCode::PstRecovered, detail);
        }
        salvage.defects = session.log.into_defects();
        salvage
    }

    /// A second walk, because what lost folders list is known only after the first: messages are never held unless they are not listed.
    fn unlisted(&self, listed: &NodeSet) -> Vec<Recovered> {
        let mut messages = Vec::new();
        // The first walk said what is odd about the tree.
        self.ndb.walk_nodes(&mut Log::default(), |node, is_lost| {
            let kind = node.id.kind();
            if matches!(kind, NodeKind::Message | NodeKind::AssociatedMessage) && !listed.contains(node.id) {
                messages.push(Recovered {
                    id: node.id,
                    parent: node.parent,
                    is_associated: kind == NodeKind::AssociatedMessage,
                    origin: if is_lost { Origin::LostPage } else { Origin::Tree },
                });
            }
        });
        messages.sort_by_key(|message| message.id);
        messages.dedup_by_key(|message| message.id);
        messages
    }

    /// Folders that are not `known`, those above before those below.
    fn lost_folders(
        &self,
        session: &mut Session<'_>,
        folders: &Folders,
        parents: &HashMap<NodeId, NodeId>,
        known: &mut HashSet<NodeId>,
    ) -> Vec<Folder> {
        let mut paths: HashMap<NodeId, Vec<String>> = folders
            .folders
            .iter()
            .map(|folder| (folder.id, folder.path.clone()))
            .collect();
        let mut lost: Vec<NodeId> = parents.keys().filter(|id| !known.contains(id)).copied().collect();
        lost.sort_unstable();
        let mut found = Folders::default();
        for id in lost {
            // Climb to the highest folder that is lost too, so that paths are whole.
            let mut start = id;
            let mut climbed = HashSet::from([id]);
            while let Some(parent) = parents.get(&start)
                && parents.contains_key(parent)
                && !known.contains(parent)
                && climbed.insert(*parent)
            {
                start = *parent;
            }
            for start in [start, id] {
                if known.contains(&start) {
                    continue;
                }
                let parent = parents.get(&start).copied().unwrap_or_default();
                let above = paths.get(&parent).cloned().unwrap_or_default();
                let before = found.folders.len();
                self.folders_from(session, start, Some(parent), above, known, &mut found);
                for folder in &found.folders[before..] {
                    paths.insert(folder.id, folder.path.clone());
                }
            }
        }
        for folder in &mut found.folders {
            folder.kind = FolderKind::Recovered;
        }
        found.folders
    }
}
