//! Compound files through the crate `cfb`.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Node, SIGNATURE, Tree};

/// Seconds between 1601-01-01 and 1970-01-01.
const EPOCH_SECONDS: u64 = 11_644_473_600;

/// Reads a file whose structure holds and whose streams are all there.
pub(super) fn read(bytes: &[u8]) -> io::Result<Tree> {
    if !bytes.starts_with(&SIGNATURE) {
        return Err(io::Error::other("no signature of a compound file"));
    }
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes))?;
    let mut tree = Tree::new();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let entries: Vec<cfb::Entry> = file.walk().collect();
    let mut budget = bytes.len() as u64;
    for entry in entries {
        let node = Node {
            name: if entry.is_root() {
                String::new()
            } else {
                entry.name().to_owned()
            },
            is_stream: entry.is_stream(),
            class: entry.clsid().to_bytes_le(),
            state: entry.state_bits(),
            created: filetime(entry.created()),
            modified: filetime(entry.modified()),
            content: Vec::new(),
            children: Vec::new(),
        };
        if entry.is_root() {
            *tree.node_mut(0) = node;
            places.insert(entry.path().to_path_buf(), 0);
            continue;
        }
        let parent = entry.path().parent().and_then(|path| places.get(path)).copied();
        let Some(parent) = parent else {
            return Err(io::Error::other("a member without a storage"));
        };
        let at = tree.add(parent, node);
        if !entry.is_stream() {
            places.insert(entry.path().to_path_buf(), at);
            continue;
        }
        budget = budget
            .checked_sub(entry.len())
            .ok_or_else(|| io::Error::other("streams are longer than the file"))?;
        let mut content = Vec::new();
        file.open_stream(entry.path())?
            .take(entry.len())
            .read_to_end(&mut content)?;
        if content.len() as u64 != entry.len() {
            return Err(io::Error::other("a stream is shorter than its entry says"));
        }
        tree.node_mut(at).content = content;
    }
    Ok(tree)
}

fn filetime(time: SystemTime) -> u64 {
    let start = start_of_filetime();
    let since = time.duration_since(start).unwrap_or_default();
    u64::try_from(since.as_nanos() / 100).unwrap_or(0)
}

/// The instant that a FILETIME counts from.
pub(super) fn start_of_filetime() -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_sub(Duration::from_secs(EPOCH_SECONDS))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
