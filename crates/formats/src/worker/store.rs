//! PST and OST files: all messages of a store, each as a member whose bytes are a bundle.
//!
//! Not for: what a message says (`mapi`), putting shares together (the caller). Main function: [`read`]. Decisions: members are in the order of the folders,
//! then what no folder lists; their path is the folder's names and the node's number, with `/` inside a name as `%2F`. Associated messages (rules, views,
//! settings) come out like others, below `(associated)`.
//!
//! Invariants: every node that a table or the tree names is a member, also one that cannot be loaded: that has no bytes and says why. The list of members
//! and what is said of the store do not depend on the [`Share`], which only chooses what is loaded.

use std::io::{self, Read};

use embley_mapi::Message;
use embley_mapi::canonical::Digest;
use embley_model::defect::{Defect, DefectCode};
use embley_model::item::Searchability;
use embley_pst::{AttachmentPath, Folder, ItemList, Limits, NodeId, NodeSet, PstFile, PstOptions};

use super::message::Share;
use super::source::JobSource;
use crate::mapi::bundle::{self, Long};
use crate::opened::{Member, Members, OpenLimits, Opened};
use crate::source::ReadAt;

/// A content longer than this is not held but read twice, for its hash and on its way out.
const CONTENT_BYTES: u64 = 16 << 20;
/// All of one message that is held; contents beyond it are read twice too.
const MESSAGE_BYTES: u64 = 128 << 20;

/// True for the media types of PST and OST.
pub fn is_store(media_type: &str) -> bool {
    matches!(media_type, "application/vnd.ms-outlook-pst" | "application/x-pst")
}

/// Reads a store, or a share of it. `before` is told the place of each member in the store before it is loaded.
///
/// # Errors
/// When the taker cannot go on, or the source cannot be read at all.
pub(super) fn read(
    source: &JobSource,
    limits: &OpenLimits,
    share: Share,
    members: &mut dyn Members,
    before: &mut dyn FnMut(u64),
) -> io::Result<Opened> {
    let mut opened = Opened {
        reader: "pst/1".to_owned(),
        ..Opened::default()
    };
    let file = match PstFile::open(PstSource(source.clone()), &PstOptions::default()) {
        Ok(file) => file,
        Err(error) => {
            opened.searchability = Some(Searchability::Failed);
            opened
                .defects
                .push(Defect::new(DefectCode::PstStructure, error.to_string()));
            return Ok(opened);
        }
    };
    opened.defects.extend_from_slice(file.defects());
    let folders = file.folders();
    opened.defects.extend(folders.defects.iter().cloned());
    let mut out = Outlet {
        file: &file,
        members,
        before,
        share,
        met: 0,
        own: 0,
        most: limits.max_members,
        left: 0,
        listed: NodeSet::default(),
    };
    for folder in &folders.folders {
        out.folder(folder, &mut opened)?;
    }
    let salvage = file.salvage_beside(&folders, std::mem::take(&mut out.listed));
    opened.defects.extend(salvage.defects.iter().cloned());
    for folder in &salvage.folders {
        out.folder(folder, &mut opened)?;
    }
    for found in &salvage.messages {
        let place = if found.is_associated {
            "(recovered)/(associated)"
        } else {
            "(recovered)"
        };
        out.member(found.id, place, vec![Defect::new(DefectCode::PstRecovered, "")])?;
    }
    if out.left > 0 {
        let detail = format!("{} messages are beyond the limit of members", out.left);
        opened.defects.push(Defect::new(DefectCode::PstLimit, detail));
    }
    Ok(opened)
}

/// Where messages go.
struct Outlet<'a> {
    file: &'a PstFile,
    members: &'a mut dyn Members,
    before: &'a mut dyn FnMut(u64),
    share: Share,
    /// Members of the store so far.
    met: u64,
    /// Those of the share.
    own: u64,
    most: u64,
    left: u64,
    /// What folders list.
    listed: NodeSet,
}

impl Outlet<'_> {
    fn folder(&mut self, folder: &Folder, opened: &mut Opened) -> io::Result<()> {
        let names: Vec<String> = folder.path.iter().map(|name| component(name)).collect();
        let path = names.join("/");
        opened.defects.extend(folder.defects.iter().cloned());
        let associated = if path.is_empty() {
            "(associated)".to_owned()
        } else {
            format!("{path}/(associated)")
        };
        // One list after the other, so that only one is held.
        self.list(self.file.messages(folder), &path, opened)?;
        self.list(self.file.associated(folder), &associated, opened)
    }

    fn list(&mut self, list: ItemList, place: &str, opened: &mut Opened) -> io::Result<()> {
        opened.defects.extend(list.defects);
        for id in list.ids {
            self.listed.extend([id]);
            self.member(id, place, Vec::new())?;
        }
        Ok(())
    }

    fn member(&mut self, id: NodeId, place: &str, defects: Vec<Defect>) -> io::Result<()> {
        if self.met >= self.most {
            self.left += 1;
            return Ok(());
        }
        let position = self.met;
        self.met += 1;
        if Share::owner(position, self.share.of) != self.share.index {
            return Ok(());
        }
        let own = self.own;
        self.own += 1;
        if own < self.share.given {
            return Ok(());
        }
        let number = format!("{:#x}", id.0);
        let path = if place.is_empty() {
            number
        } else {
            format!("{place}/{number}")
        };
        let path = path.into_bytes();
        if self.share.lost && own == self.share.given {
            return self.hand(path, defects, &mut io::empty());
        }
        (self.before)(position);
        self.load(id, path, defects)
    }

    /// Hands on the bundle of a message, which carries the defects; or no bytes and the reason.
    fn load(&mut self, id: NodeId, path: Vec<u8>, mut defects: Vec<Defect>) -> io::Result<()> {
        let limits = Limits {
            attachment_bytes: CONTENT_BYTES,
            message_bytes: MESSAGE_BYTES,
            ..Limits::default()
        };
        let file = self.file;
        match file.load(id, &limits) {
            Ok(message) => {
                let long = long_contents(file, id, &message, &mut defects);
                let open = |long: &Long| -> io::Result<Box<dyn Read + '_>> {
                    let reader = file.attachment(id, &AttachmentPath(long.path.clone()));
                    Ok(Box::new(reader.map_err(io::Error::other)?))
                };
                let mut bundle = bundle::with_long(&message, &defects, &long, &open);
                self.hand(path, Vec::new(), &mut bundle)
            }
            Err(error) => {
                defects.push(Defect::new(DefectCode::PstStructure, error.to_string()));
                self.hand(path, defects, &mut io::empty())
            }
        }
    }

    fn hand(&mut self, path: Vec<u8>, defects: Vec<Defect>, bytes: &mut dyn Read) -> io::Result<()> {
        let member = Member {
            path,
            mtime_nanos: None,
            defects,
        };
        self.members.member(member, bytes)
    }
}

/// Hashes the contents that are too long to be held. What is odd about them is added to the defects of the message; one that cannot be read stays too long.
fn long_contents(file: &PstFile, id: NodeId, message: &Message, defects: &mut Vec<Defect>) -> Vec<Long> {
    let mut found = Vec::new();
    for (path, is_ole) in bundle::too_long(message) {
        let mut hasher = blake3::Hasher::new();
        match file.attachment_to(id, &AttachmentPath(path.clone()), &mut hasher) {
            Ok((length, odd)) => {
                defects.extend(odd);
                let hash = *hasher.finalize().as_bytes();
                let digest = Digest { hash, length };
                found.push(Long { path, digest, is_ole });
            }
            Err(error) => defects.push(Defect::new(DefectCode::PstStructure, error.to_string())),
        }
    }
    found
}

/// A folder's name as one component of a path.
fn component(name: &str) -> String {
    match name {
        "" => "(no name)".to_owned(),
        "." | ".." => name.replace('.', "%2E"),
        name => name.replace('/', "%2F").replace('\0', "%00"),
    }
}

struct PstSource(JobSource);

impl embley_pst::ReadAt for PstSource {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(&self.0, buf, offset)
    }

    fn len(&self) -> u64 {
        ReadAt::len(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_is_one_component_whatever_it_holds() {
        let check = |name: &str, expected: &str| assert_eq!(component(name), expected);
        check("Inbox", "Inbox");
        check("in/out", "in%2Fout");
        check("..", "%2E%2E");
        check("", "(no name)");
    }
}
