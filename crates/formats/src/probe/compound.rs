//! What a compound file holds, by the names in its root storage ([MS-CFB] 2.6).
//!
//! Main function: [`media_type`]. The directory is read where it lies within the first bytes; else all names that can be seen count.

use memchr::memmem;

use super::magic::Found;

/// Bytes of a directory entry.
const ENTRY: usize = 128;
/// Entries that are looked at.
const MAX_ENTRIES: usize = 4096;

/// What the file that begins with `head` is; the extension decides only where no name tells.
pub(super) fn media_type(head: &[u8], extension: &[u8]) -> Found {
    let names = root_names(head);
    let has = |name: &str| match &names {
        Some(names) => names.iter().any(|known| known.eq_ignore_ascii_case(name)),
        None => {
            let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            memmem::find(head, &wide).is_some()
        }
    };
    let is_package = has("EncryptedPackage") || has("EncryptionInfo");
    // Where the directory lies further back, the names that can be seen may be those of a document in the message.
    let is_message = names.is_none() && extension == b"msg";
    let media_type = if is_message || has("__properties_version1.0") || has("__nameid_version1.0") {
        "application/vnd.ms-outlook"
    } else if is_package {
        "application/x-ole-storage"
    } else if has("WordDocument") {
        "application/msword"
    } else if has("Workbook") || has("Book") {
        "application/vnd.ms-excel"
    } else if has("PowerPoint Document") || has("PP97_DUALSTORAGE") {
        "application/vnd.ms-powerpoint"
    } else if has("VisioDocument") {
        "application/vnd.visio"
    } else if has("Quill") {
        "application/vnd.ms-publisher"
    } else if has("MatOST") {
        "application/vnd.ms-works"
    } else if has("HwpSummaryInformation") || has("\u{5}HwpSummaryInformation") {
        "application/x-hwp"
    } else {
        match extension {
            b"doc" | b"dot" => "application/msword",
            b"xls" | b"xlt" => "application/vnd.ms-excel",
            b"ppt" | b"pps" => "application/vnd.ms-powerpoint",
            _ => "application/x-ole-storage",
        }
    };
    Found {
        media_type,
        encrypted: is_package,
    }
}

/// Names of the members of the root storage; `None` when the directory does not lie within `head` as far as it is needed.
fn root_names(head: &[u8]) -> Option<Vec<String>> {
    let shift = u16::from_le_bytes([*head.get(30)?, *head.get(31)?]);
    if !matches!(shift, 9 | 12) {
        return None;
    }
    let sector_bytes = 1usize << shift;
    let entries = directory(head, sector_bytes)?;
    // Siblings form a tree; a visited list ends loops.
    let root = entries.first()?;
    let mut waiting = vec![word(root, 76)?];
    let mut seen = vec![false; entries.len()];
    let mut names = Vec::new();
    while let Some(id) = waiting.pop() {
        if id == u32::MAX {
            continue;
        }
        let at = usize::try_from(id).ok()?;
        // A name that lies outside of what was read could be the one that tells.
        let entry = entries.get(at)?;
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        names.push(name(entry));
        waiting.push(word(entry, 68)?);
        waiting.push(word(entry, 72)?);
    }
    (!names.is_empty()).then_some(names)
}

/// The entries of the directory, its sectors followed through the first sectors of the allocation table.
fn directory(head: &[u8], sector_bytes: usize) -> Option<Vec<&[u8]>> {
    let place = |sector: u32| usize::try_from(sector).ok()?.checked_add(1)?.checked_mul(sector_bytes);
    let next = |sector: u32| {
        let per_sector = u32::try_from(sector_bytes / 4).ok()?;
        let table = sector / per_sector;
        let table_at = word(
            head,
            76usize.checked_add(
                usize::try_from(table)
                    .ok()
                    .filter(|table| *table < 109)?
                    .checked_mul(4)?,
            )?,
        )?;
        word(
            head,
            place(table_at)?.checked_add(usize::try_from(sector % per_sector).ok()?.checked_mul(4)?)?,
        )
    };
    let mut entries = Vec::new();
    let mut sector = word(head, 48)?;
    while entries.len() < MAX_ENTRIES {
        let at = place(sector)?;
        let bytes = head.get(at..at.checked_add(sector_bytes)?)?;
        entries.extend(bytes.chunks_exact(ENTRY));
        match next(sector) {
            Some(following) if following < 0xffff_fff0 => sector = following,
            _ => break,
        }
    }
    Some(entries)
}

fn name(entry: &[u8]) -> String {
    let bytes = usize::from(u16::from_le_bytes([entry[64], entry[65]]))
        .saturating_sub(2)
        .min(62);
    let units: Vec<u16> = entry[..bytes]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}
