//! What came out of encrypted mail with a key, for a run that finds the same mail at a new place and has no key.
//!
//! Not for: containers that open without a secret, which are emptied anew. Main function: [`members`]. Invariant: members are those of the first place, with their
//! names and in their order, so that the new place lists what the first one does.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use embley_formats::opened::{Member, Members};
use embley_model::defect::DefectCode;
use embley_model::id::{FileId, ItemNo, SourceId};
use embley_store::catalogue::FileRow;

use super::documents::{Spooled, spool};
use super::stored::StoredOpening;
use crate::error::IngestError;
use crate::reparse::Originals;

/// Members of one mail, at most: each is held as an open file until it is handed on. More blocks of one mail are not opened either.
const MAX_MEMBERS: usize = 100;

/// A member as it stands in the case.
pub(crate) struct Kept {
    path: Vec<u8>,
    mtime_nanos: i64,
    input: Spooled,
}

/// The members that came out below `base` of a source, when a key opened them; none for everything else.
///
/// # Errors
/// When the case cannot be read.
pub(crate) fn members(
    originals: &mut Originals,
    item: ItemNo,
    (source, base): (SourceId, &Path),
) -> Result<Vec<Kept>, IngestError> {
    if !was_decrypted(originals, item)? {
        return Ok(Vec::new());
    }
    let mut found: Vec<(Vec<u8>, FileRow)> = Vec::new();
    for folder in originals.catalogue().folders()? {
        if folder.container != Some(item) || folder.source_id != source {
            continue;
        }
        let Ok(below) = Path::new(OsStr::from_bytes(&folder.path)).strip_prefix(base) else {
            continue;
        };
        for file in originals.catalogue().files_in_folder(folder.folder_id)? {
            let path = below
                .join(OsStr::from_bytes(&file.name))
                .as_os_str()
                .as_bytes()
                .to_vec();
            found.push((path, file));
        }
    }
    found.sort_by_key(|(_, file)| file.file_id);
    let mut kept = Vec::new();
    for (path, file) in found.into_iter().take(MAX_MEMBERS) {
        let Some(root) = root_of(originals, file.file_id)? else {
            continue;
        };
        let name = String::from_utf8_lossy(&file.name).into_owned();
        kept.push(Kept {
            path,
            mtime_nanos: file.mtime_nanos,
            input: spool(originals, root, &name)?,
        });
    }
    Ok(kept)
}

fn was_decrypted(originals: &Originals, item: ItemNo) -> Result<bool, IngestError> {
    let Some(row) = originals.catalogue().item(item)? else {
        return Ok(false);
    };
    let Some(stored) = originals.catalogue().opening(row.blob_id)? else {
        return Ok(false);
    };
    let said = StoredOpening::from_bytes(&stored.data)?.opened.defects;
    Ok(said.iter().any(|one| one.code == DefectCode::MailDecrypted))
}

/// The item of a file that is one; nothing for a mailbox, of which members of a mail are none.
fn root_of(originals: &Originals, file: FileId) -> Result<Option<ItemNo>, IngestError> {
    let roots = originals.catalogue().roots_of_files(&[file])?;
    Ok(roots.min().filter(|_| roots.len() == 1).map(ItemNo))
}

/// Hands them on as the opener would.
///
/// # Errors
/// The taker's.
pub(crate) fn hand_on(kept: Vec<Kept>, members: &mut dyn Members) -> std::io::Result<()> {
    for mut one in kept {
        let member = Member {
            path: one.path,
            mtime_nanos: Some(one.mtime_nanos),
            defects: Vec::new(),
        };
        members.member(member, &mut one.input.file)?;
    }
    Ok(())
}
