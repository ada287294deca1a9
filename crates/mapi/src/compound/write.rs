//! Writing a storage as a compound file of its own, for OLE objects that lie inside another file.

use std::io::{self, Cursor, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::Tree;
use super::strict::start_of_filetime;

/// The bytes of a compound file whose root is `storage`, members in order of their names. The same tree gives the same bytes: times are
/// those of the tree.
///
/// # Errors
/// When a name cannot stand in a compound file; nothing is left behind.
pub fn write(tree: &Tree, storage: usize) -> io::Result<Vec<u8>> {
    let mut file = cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new()))?;
    let mut todo = vec![(storage, PathBuf::from("/"))];
    while let Some((at, path)) = todo.pop() {
        let node = tree.node(at);
        file.set_storage_clsid(&path, cfb_class(node.class))?;
        file.set_state_bits(&path, node.state)?;
        let mut children: Vec<usize> = node.children.clone();
        children.sort_by(|a, b| tree.node(*a).name.cmp(&tree.node(*b).name));
        for child in children {
            let member = tree.node(child);
            let path = path.join(&member.name);
            if member.is_stream {
                file.create_new_stream(&path)?.write_all(&member.content)?;
            } else {
                file.create_storage(&path)?;
                todo.push((child, path));
            }
        }
        file.set_created_time(&path, system_time(node.created))?;
        file.set_modified_time(&path, system_time(node.modified))?;
    }
    file.flush()?;
    Ok(file.into_inner().into_inner())
}

fn cfb_class(class: [u8; 16]) -> uuid::Uuid {
    uuid::Uuid::from_bytes_le(class)
}

fn system_time(filetime: u64) -> SystemTime {
    let since = Duration::from_secs(filetime / 10_000_000) + Duration::from_nanos(filetime % 10_000_000 * 100);
    start_of_filetime().checked_add(since).unwrap_or_else(start_of_filetime)
}
