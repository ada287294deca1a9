//! Files that tests make and break. Each call panics with the path when the machine refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes a whole file, making the folders above it.
#[expect(clippy::disallowed_methods, reason = "a test makes its own evidence")]
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    if let Some(above) = path.parent() {
        make_folder(above);
    }
    fs::write(path, bytes).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
}

/// Adds to the end of a file.
pub fn append(path: &Path, bytes: &[u8]) {
    let mut all = read(path);
    all.extend_from_slice(bytes);
    write(path, all);
}

/// Reads a whole file.
pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) {
    fs::create_dir_all(path).unwrap_or_else(|error| panic!("make {}: {error}", path.display()));
}

/// Removes a file, or a folder with all that is in it.
#[expect(clippy::disallowed_methods, reason = "a test breaks what it made")]
pub fn remove(path: &Path) {
    let done = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    done.unwrap_or_else(|error| panic!("remove {}: {error}", path.display()));
}

/// Gives a file or folder another name.
#[expect(clippy::disallowed_methods, reason = "a test moves what it made")]
pub fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap_or_else(|error| panic!("rename {}: {error}", from.display()));
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    make_folder(to);
    for path in entries(from) {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap_or_else(|error| panic!("copy {}: {error}", path.display()));
        }
    }
}

/// Entries of a folder, sorted by name.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("list {}: {error}", folder.display()));
    let mut all: Vec<PathBuf> = read.map(|entry| entry.expect("an entry can be read").path()).collect();
    all.sort();
    all
}

/// All files below a folder, sorted by name at each level.
pub fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            all.extend(all_files(&path))
        } else {
            all.push(path)
        }
    }
    all
}

/// Sets permission bits.
pub fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .unwrap_or_else(|error| panic!("chmod {}: {error}", path.display()));
}

/// Changes one byte in the middle of a file.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = read(path);
    assert!(at < bytes.len(), "{} has {} bytes only", path.display(), bytes.len());
    bytes[at] ^= 0x55;
    write(path, bytes);
}
