//! Messages of Outlook: MSG and TNEF files, and all messages of a PST or OST, each as a member whose bytes are a bundle.
//!
//! Not for: what a message says (`mapi`). Main functions: [`message`], [`pst`]. Decisions: a PST's members are in the order of its folders, then what no
//! folder lists; their path is the folder's names and the node's number, with `/` inside a name as `%2F`. Associated messages (rules, views, settings) come
//! out like others, below `(associated)`. Invariant: every node that a table or the tree names is a member, also one that cannot be loaded: that has no
//! bytes and says why.

use std::io;

use embley_mapi::{Message, msg, tnef};
use embley_model::defect::{Defect, DefectCode};
use embley_pst::{Folder, Limits, NodeId, PstFile, PstOptions};

use super::source::JobSource;
use crate::mapi::bundle;
use crate::opened::{Member, Members, OpenLimits, Opened};
use crate::source::ReadAt;

/// A content longer than this is left out and said: bundle and message are in memory at once.
const CONTENT_BYTES: u64 = 192 << 20;
/// All of one message.
const MESSAGE_BYTES: u64 = 384 << 20;

/// What a media type is, of those that are read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    Msg,
    Tnef,
    Pst,
}

/// The reader for a media type, if it is one of these.
pub(super) fn format_of(media_type: &str) -> Option<Outlook> {
    match media_type {
        "application/vnd.ms-outlook" | "application/x-msg" => Some(Outlook::Msg),
        "application/vnd.ms-tnef" | "application/ms-tnef" => Some(Outlook::Tnef),
        "application/vnd.ms-outlook-pst" | "application/x-pst" => Some(Outlook::Pst),
        _ => None,
    }
}

/// Opens any of them.
///
/// # Errors
/// When the taker cannot go on, or the source cannot be read at all.
pub(super) fn open(
    format: Outlook,
    source: &JobSource,
    limits: &OpenLimits,
    members: &mut dyn Members,
) -> io::Result<Opened> {
    match format {
        Outlook::Msg => message(&msg::read(&source.to_vec()?), "msg/1", members),
        Outlook::Tnef => message(&tnef::read(&source.to_vec()?).message, "tnef/1", members),
        Outlook::Pst => pst(source, limits, members),
    }
}

fn message(message: &Message, reader: &str, members: &mut dyn Members) -> io::Result<Opened> {
    let bytes = bundle::write(message, &[]);
    members.member(Member::default(), &mut bytes.as_slice())?;
    Ok(Opened {
        reader: reader.to_owned(),
        ..Opened::default()
    })
}

fn pst(source: &JobSource, limits: &OpenLimits, members: &mut dyn Members) -> io::Result<Opened> {
    let mut opened = Opened {
        reader: "pst/1".to_owned(),
        ..Opened::default()
    };
    let file = match PstFile::open(PstSource(source.clone()), &PstOptions::default()) {
        Ok(file) => file,
        Err(error) => {
            opened.searchability = Some(embley_model::item::Searchability::Failed);
            opened
                .defects
                .push(Defect::new(DefectCode::PstStructure, error.to_string()));
            return Ok(opened);
        }
    };
    opened.defects.extend_from_slice(file.defects());
    let folders = file.folders();
    opened.defects.extend(folders.defects.iter().cloned());
    for search in &folders.search_folders {
        opened
            .defects
            .push(Defect::new(DefectCode::PstSearchFolder, search.name.clone()));
    }
    let mut out = Outlet {
        file: &file,
        members,
        given: 0,
        most: limits.max_members,
        left: 0,
    };
    for folder in &folders.folders {
        out.folder(folder, &mut opened)?;
    }
    let salvage = file.salvage(&folders);
    opened.defects.extend(salvage.defects.iter().cloned());
    for folder in &salvage.folders {
        out.folder(folder, &mut opened)?;
    }
    for found in &salvage.messages {
        let defect = Defect::new(DefectCode::PstRecovered, "");
        let place = if found.is_associated {
            "(recovered)/(associated)"
        } else {
            "(recovered)"
        };
        out.load(found.id, place, vec![defect])?;
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
    given: u64,
    most: u64,
    left: u64,
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
        for (list, place) in [
            (self.file.messages(folder), path),
            (self.file.associated(folder), associated),
        ] {
            opened.defects.extend(list.defects);
            for id in list.ids {
                self.load(id, &place, Vec::new())?;
            }
        }
        Ok(())
    }

    fn load(&mut self, id: NodeId, place: &str, mut defects: Vec<Defect>) -> io::Result<()> {
        if self.given >= self.most {
            self.left += 1;
            return Ok(());
        }
        self.given += 1;
        let limits = Limits {
            attachment_bytes: CONTENT_BYTES,
            message_bytes: MESSAGE_BYTES,
            ..Limits::default()
        };
        let bytes = match self.file.load(id, &limits) {
            Ok(message) => bundle::write(&message, &defects),
            Err(error) => {
                defects.push(Defect::new(DefectCode::PstStructure, error.to_string()));
                Vec::new()
            }
        };
        let number = format!("{:#x}", id.0);
        let path = if place.is_empty() {
            number
        } else {
            format!("{place}/{number}")
        };
        // The bundle carries what is odd about its message already.
        let defects = if bytes.is_empty() { defects } else { Vec::new() };
        let member = Member {
            path: path.into_bytes(),
            mtime_nanos: None,
            defects,
        };
        self.members.member(member, &mut bytes.as_slice())
    }
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
