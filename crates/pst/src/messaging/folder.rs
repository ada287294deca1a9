//! Folders and what they list ([MS-PST] section 2.4.4).
//!
//! Main types: [`Folder`], [`ItemList`]. Invariant: what is listed is counted against what the folder states, and a difference is a
//! defect; a folder is visited once, however often the tables lead to it.

use std::collections::HashSet;

use embley_mapi::{Properties, Value};
use embley_model::defect::{Defect, DefectCode};

use super::ids;
use super::nodeset::NodeSet;
use super::store::PstFile;
use crate::PstError;
use crate::ltp::{Heap, Session, Table, properties};
use crate::ndb::{NodeId, NodeKind, wellknown};
use crate::options::Limits;

/// How a folder was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// The tables of folders lead to it.
    Listed,
    /// It is in the node tree only.
    Recovered,
}

/// A folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Node.
    pub id: NodeId,
    /// Folder above; `None` for the root.
    pub parent: Option<NodeId>,
    /// Names from below the root to this folder; empty for the root.
    pub path: Vec<String>,
    /// How it was found.
    pub kind: FolderKind,
    /// Messages that it states (PidTagContentCount).
    pub stated_messages: Option<u64>,
    /// Unread messages that it states (PidTagContentUnreadCount).
    pub stated_unread: Option<u64>,
    /// Associated messages that it states (PidTagAssociatedContentCount).
    pub stated_associated: Option<u64>,
    /// What it is for: `IPF.Note`, `IPF.Appointment` ... (PidTagContainerClass).
    pub class: Option<String>,
    /// All its properties.
    pub properties: Properties,
    /// What is odd about it. Its lists of messages have defects of their own.
    pub defects: Vec<Defect>,
}

/// A search folder: it was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchFolder {
    /// Node.
    pub id: NodeId,
    /// Folder above.
    pub parent: NodeId,
    /// Its name, where its folder says it.
    pub name: String,
}

/// The folders of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folders {
    /// In order of the tables, a folder before what it holds.
    pub folders: Vec<Folder>,
    /// Search folders, which hold links only.
    pub search_folders: Vec<SearchFolder>,
    /// What is odd about the tree of folders.
    pub defects: Vec<Defect>,
}

/// What a folder lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemList {
    /// Nodes to [load](PstFile::load), in order of the table, none twice.
    pub ids: Vec<NodeId>,
    /// What the folder states.
    pub stated: Option<u64>,
    /// What is odd, with a difference between what is stated and what is listed.
    pub defects: Vec<Defect>,
}

impl PstFile {
    /// All folders that can be reached from the root folder. Counts of messages are not checked here but by
    /// [`messages`](Self::messages). Damage is a defect of the folder or of the tree of folders.
    pub fn folders(&self) -> Folders {
        let mut found = Folders::default();
        let mut session = Session::new(&self.ndb, &self.names, Limits::default());
        self.folders_from(
            &mut session,
            wellknown::ROOT_FOLDER,
            None,
            Vec::new(),
            &mut HashSet::new(),
            &mut found,
        );
        for search in &found.search_folders {
            let detail = format!("\"{}\", node {}", search.name, search.id);
            session.log.add(DefectCode::PstSearchFolder, detail);
        }
        found.defects = session.log.into_defects();
        found
    }

    /// Adds the folder `start` and all below it.
    pub(super) fn folders_from(
        &self,
        session: &mut Session<'_>,
        start: NodeId,
        parent: Option<NodeId>,
        path: Vec<String>,
        visited: &mut HashSet<NodeId>,
        found: &mut Folders,
    ) {
        let mut stack = vec![(start, parent, path, None::<String>)];
        while let Some((id, parent, above, listed_name)) = stack.pop() {
            if !visited.insert(id) {
                let detail = format!("folder {id} is listed twice; it is read once");
                session.log.add(DefectCode::PstStructure, detail);
                continue;
            }
            let mut folder = self.folder(id, parent, above, listed_name);
            let (children, defects) = session.apart(|session| self.children(session, id));
            folder.defects.extend(defects);
            for (child, name) in children.into_iter().rev() {
                match child.kind() {
                    NodeKind::SearchFolder => found.search_folders.push(SearchFolder {
                        id: child,
                        parent: id,
                        name: name.unwrap_or_default(),
                    }),
                    _ => stack.push((child, Some(id), folder.path.clone(), name)),
                }
            }
            found.folders.push(folder);
        }
    }

    /// One folder. Its name comes from the table above when its own properties cannot be read.
    pub(super) fn folder(
        &self,
        id: NodeId,
        parent: Option<NodeId>,
        above: Vec<String>,
        listed_name: Option<String>,
    ) -> Folder {
        let mut session = Session::new(&self.ndb, &self.names, Limits::default());
        let node = self.ndb.node(id, &mut session.log);
        let read = node
            .and_then(|node| Heap::open(&mut session, &node))
            .and_then(|heap| properties(&mut session, &heap, |_| true));
        let properties = read.unwrap_or_else(|error| {
            session.log.lost("folder", &error);
            Properties::default()
        });
        let text = |id| properties.by_id(id).and_then(|(_, value)| self.text(value));
        let number = |id| match properties.by_id(id) {
            Some((_, Value::Integer32(number))) => u64::try_from(*number).ok(),
            _ => None,
        };
        let mut path = above;
        if parent.is_some() {
            path.push(text(ids::DISPLAY_NAME).or(listed_name).unwrap_or_default());
        }
        Folder {
            id,
            parent,
            path,
            kind: FolderKind::Listed,
            stated_messages: number(ids::CONTENT_COUNT),
            stated_unread: number(ids::CONTENT_UNREAD),
            stated_associated: number(ids::ASSOCIATED_COUNT),
            class: text(ids::CONTAINER_CLASS),
            properties,
            defects: session.log.into_defects(),
        }
    }

    /// Folders that the hierarchy table of `id` lists, with their names.
    fn children(&self, session: &mut Session<'_>, id: NodeId) -> Vec<(NodeId, Option<String>)> {
        let node = match self.ndb.node(id.sibling(wellknown::HIERARCHY), &mut session.log) {
            Ok(node) => node,
            // A folder without folders may come without a table of them.
            Err(PstError::NoNode { .. }) => return Vec::new(),
            Err(error) => {
                session.log.lost("table of folders", &error);
                return Vec::new();
            }
        };
        let mut inner = Session::new(&self.ndb, &self.names, Limits::default());
        let rows = match Table::open(&mut inner, &node) {
            Ok(table) => table.rows(&mut inner),
            Err(error) => {
                inner.log.lost("table of folders", &error);
                Vec::new()
            }
        };
        session.log.extend(&inner.log.into_defects());
        rows.into_iter()
            .map(|(child, row)| {
                let name = row.by_id(ids::DISPLAY_NAME).and_then(|(_, value)| self.text(value));
                (NodeId(child), name)
            })
            .collect()
    }

    /// The messages that `folder` lists.
    pub fn messages(&self, folder: &Folder) -> ItemList {
        self.items(folder, wellknown::CONTENTS, folder.stated_messages, "messages")
    }

    /// The associated messages that `folder` lists: settings, views, rules.
    pub fn associated(&self, folder: &Folder) -> ItemList {
        self.items(
            folder,
            wellknown::ASSOCIATED_CONTENTS,
            folder.stated_associated,
            "associated messages",
        )
    }

    fn items(&self, folder: &Folder, kind: u32, stated: Option<u64>, what: &str) -> ItemList {
        let mut session = Session::new(&self.ndb, &self.names, Limits::default());
        let mut ids = Vec::new();
        match self.ndb.node(folder.id.sibling(kind), &mut session.log) {
            Ok(node) => match Table::open(&mut session, &node) {
                Ok(table) => ids.extend(table.row_ids().map(NodeId)),
                Err(error) => session.log.lost(&format!("table of {what}"), &error),
            },
            Err(PstError::NoNode { .. }) if stated.unwrap_or(0) == 0 => {}
            Err(error) => session.log.lost(&format!("table of {what}"), &error),
        }
        let mut seen = NodeSet::default();
        let rows = ids.len();
        ids.retain(|id| seen.insert(*id));
        if ids.len() < rows {
            let detail = format!("{} rows of the table of {what} repeat others", rows - ids.len());
            session.log.add(DefectCode::PstStructure, detail);
        }
        if let Some(stated) = stated
            && stated != ids.len() as u64
        {
            let detail = format!("{} {what} are listed, {stated} are stated", ids.len());
            session.log.add(DefectCode::PstCount, detail);
        }
        ItemList {
            ids,
            stated,
            defects: session.log.into_defects(),
        }
    }
}
