//! PST and OST files.

use std::collections::HashSet;

use embley_pst::{Folders, Limits, NodeId, PstFile, PstOptions, ScanMode};

use super::{ensure, mapi};
use crate::target::{Target, WORKER_STACK};

/// Messages of one file that are loaded; all of them would be the same code.
const LOADED: usize = 16;

pub(super) const PST: Target = Target {
    stack_bytes: WORKER_STACK,
    max_bytes: 600 << 10,
    words: &[
        b"!BDN",
        b"SM",
        b"\x80\x80",
        b"\x81\x81",
        b"\x84\x84",
        b"\x01\x01",
        b"\x02\0",
        b"\xec\xbc",
        b"\xec\x7c",
        b"\xb5",
        b"\x02\x01\x01\0",
    ],
    samples: &[("crates/pst/tests/samples", ".zst")],
    corpora: &[
        ("pst/tika", ""),
        ("pst/java-libpst", "dist-list.pst"),
        ("pst/aspose/Chunks", ".zst"),
    ],
    ..Target::new(
        "pst",
        "no folder and no listed message twice; canonical bytes come back",
        file,
    )
};

fn file(bytes: &[u8]) -> Result<(), String> {
    let scan = match bytes.len() % 3 {
        0 => ScanMode::Always,
        1 => ScanMode::WhenDamaged,
        _ => ScanMode::Never,
    };
    let options = PstOptions {
        cache_bytes: 1 << 20,
        scan,
    };
    let Ok(pst) = PstFile::open(bytes.to_vec(), &options) else {
        return Ok(());
    };
    let folders = pst.folders();
    let mut left = LOADED;
    lists(&pst, &folders, &mut left)?;
    let salvage = pst.salvage(&folders);
    for recovered in &salvage.messages {
        load(&pst, recovered.id, &mut left)?;
    }
    Ok(())
}

fn lists(pst: &PstFile, folders: &Folders, left: &mut usize) -> Result<(), String> {
    let mut known = HashSet::new();
    for folder in &folders.folders {
        ensure(known.insert(folder.id), || format!("folder {} twice", folder.id))?;
        for list in [pst.messages(folder), pst.associated(folder)] {
            let distinct: HashSet<_> = list.ids.iter().collect();
            ensure(distinct.len() == list.ids.len(), || {
                format!("a message twice in folder {}", folder.id)
            })?;
            for id in list.ids {
                load(pst, id, left)?;
            }
        }
    }
    Ok(())
}

fn load(pst: &PstFile, id: NodeId, left: &mut usize) -> Result<(), String> {
    if *left == 0 {
        return Ok(());
    }
    *left -= 1;
    let limits = Limits {
        attachment_bytes: 1 << 20,
        property_bytes: 1 << 20,
        message_bytes: 8 << 20,
        parts: 500,
        depth: 8,
    };
    match (pst.load(id, &limits), pst.load(id, &limits)) {
        (Ok(one), Ok(other)) => mapi::whole(&one, &other),
        (Err(_), Err(_)) => Ok(()),
        _ => Err(format!("message {id} is there once and then not")),
    }
}
