//! Writing a storage as a compound file of its own, for OLE objects that lie inside another file.

use std::collections::HashSet;
use std::io::{self, Cursor, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::Tree;
use super::strict::start_of_filetime;

/// [MS-CFB] section 2.6.1: 32 units with the terminating one.
const NAME_UNITS: usize = 31;

/// The bytes of a compound file whose root is `storage`, members in order of their names. The same tree gives the same bytes: times are
/// those of the tree. A name that cannot stand in a compound file, or not twice in one storage, is changed as little as that takes.
///
/// # Errors
/// When memory cannot be written, which it can; nothing is left behind.
pub fn write(tree: &Tree, storage: usize) -> io::Result<Vec<u8>> {
    let mut file = cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new()))?;
    let mut todo = vec![(storage, PathBuf::from("/"))];
    while let Some((at, path)) = todo.pop() {
        let node = tree.node(at);
        file.set_storage_clsid(&path, cfb_class(node.class))?;
        file.set_state_bits(&path, node.state)?;
        let mut children: Vec<usize> = node.children.clone();
        children.sort_by(|a, b| tree.node(*a).name.cmp(&tree.node(*b).name));
        let mut taken = HashSet::new();
        for child in children {
            let member = tree.node(child);
            let path = path.join(free_name(&member.name, &mut taken));
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

/// A name of 1 to 31 UTF-16 units without `/ \\ : !` ([MS-CFB] section 2.6.1) that is none of `taken`, upper and lower case being the same.
fn free_name(stored: &str, taken: &mut HashSet<String>) -> String {
    let allowed: String = stored
        .chars()
        .map(|c| if matches!(c, '/' | '\\' | ':' | '!') { '_' } else { c })
        .collect();
    let base = match allowed.as_str() {
        "" | "." | ".." => "_",
        name => name,
    };
    let mut name = cut(base, NAME_UNITS).to_owned();
    let mut number = 2_usize;
    while !taken.insert(name.to_uppercase()) {
        let end = format!("~{number}");
        name = format!("{}{end}", cut(base, NAME_UNITS - end.len()));
        number += 1;
    }
    name
}

/// The beginning of a text that has at most so many UTF-16 units.
fn cut(text: &str, units: usize) -> &str {
    let mut left = units;
    let end = text
        .char_indices()
        .find(|(_, c)| match left.checked_sub(c.len_utf16()) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        });
    end.map_or(text, |(end, _)| &text[..end])
}

fn cfb_class(class: [u8; 16]) -> uuid::Uuid {
    uuid::Uuid::from_bytes_le(class)
}

fn system_time(filetime: u64) -> SystemTime {
    let since = Duration::from_secs(filetime / 10_000_000) + Duration::from_nanos(filetime % 10_000_000 * 100);
    start_of_filetime().checked_add(since).unwrap_or_else(start_of_filetime)
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    #[test]
    fn names_that_cannot_stand_are_changed_and_no_content_is_lost() {
        let mut tree = Tree::new();
        let long = "\u{1F600}".repeat(40);
        let names = [
            "a:b",
            "a/b",
            "a!b",
            "A_B",
            "..",
            ".",
            "",
            "\u{5}Sum\0",
            "/abs",
            &long,
            &long,
            "con\\x",
        ];
        for (at, name) in names.iter().enumerate() {
            let node = Node {
                name: (*name).to_owned(),
                is_stream: true,
                content: vec![at as u8; 10],
                ..Node::default()
            };
            tree.add(0, node);
        }
        let bytes = write(&tree, 0).expect("memory can be written");
        let mut defects = Vec::new();
        let read = Tree::read(&bytes, &mut defects);
        assert_eq!(defects, []);
        let mut contents: Vec<u8> = read
            .node(0)
            .children
            .iter()
            .map(|at| read.node(*at).content[0])
            .collect();
        contents.sort_unstable();
        assert_eq!(contents, (0..names.len() as u8).collect::<Vec<_>>());
    }
}
