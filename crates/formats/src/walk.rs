//! Finding the files of a source, in one order for ever: names by raw bytes at each level.
//!
//! Not for: opening what it finds, or looking into it. Main function: [`walk`]. Invariants: every name below the root
//! comes out once, as a file, as excluded, or as a problem; folders themselves do not come out; the order depends on the
//! names alone. The walk is a loop over a stack of its own, so that depth cannot exhaust the thread's.
//!
//! Memory: the names of the folders that are open on the way down, sorted. Nothing is read but folders and inodes:
//! the type comes with the name where the file system gives it, so there is one look (`statx`) a file.

pub mod glob;
mod maildir;

use std::ffi::{CString, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use embley_model::defect::{Defect, DefectCode};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;

use crate::source::FileStat;
use glob::Glob;
use maildir::{Corner, Mailfolder};

/// Levels whose folder is kept open; deeper ones are opened again by their path when the walk returns to them.
const OPEN_LEVELS: usize = 64;

/// What to pass over, and what to do with links.
#[derive(Clone, Debug)]
pub struct WalkOptions {
    /// Patterns ([`glob`]) on the path below the root; what matches, and all below it, is excluded and counted.
    pub exclude: Vec<String>,
    /// True: the file a link leads to is read in its place, and folders behind links are walked, unless they lead back.
    /// False: links are excluded and counted.
    pub follow_links: bool,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            exclude: Vec::new(),
            follow_links: true,
        }
    }
}

/// Why something is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExcludeReason {
    /// A pattern of [`WalkOptions::exclude`] matches it or a folder above it.
    Pattern,
    /// It lies in `tmp` of a Maildir: a delivery that was not finished.
    MaildirTmp,
    /// It is a link, and links are not followed.
    Link,
}

impl ExcludeReason {
    /// The word used in JSON and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::MaildirTmp => "maildir-tmp",
            Self::Link => "link",
        }
    }
}

/// One name below the root.
#[derive(Clone, Debug)]
pub enum Walked {
    /// A regular file.
    File(FoundFile),
    /// Passed over, and counted.
    Excluded {
        /// Path below the root.
        rel: PathBuf,
        /// Its size and time; zeros when it is not a file or could not be looked at.
        stat: FileStat,
        /// Why.
        reason: ExcludeReason,
    },
    /// Something that cannot be read or has no bytes: an exception.
    Problem {
        /// Path below the root.
        rel: PathBuf,
        /// What is wrong.
        defect: Defect,
    },
}

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// The root as given, with `rel`.
    pub absolute: PathBuf,
    /// Path below the root; empty when the root is itself a file.
    pub rel: PathBuf,
    /// Size, time and inode when it was found.
    pub stat: FileStat,
    /// Where it lies.
    pub place: Place,
}

/// Where a file lies, as far as that says what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In a folder that means nothing to mail.
    #[default]
    Loose,
    /// In `cur` or `new` of a Maildir.
    Maildir {
        /// The mail folder: `INBOX`, or the sub-folder with `/` between its parts.
        folder: String,
        /// Letters after `:2,` (also `;2,` and `!2,`), as found.
        flags: String,
        /// True in `new`.
        is_new: bool,
    },
}

/// Walks from `root`, which may be a file or a folder; a link given as the root is followed.
pub fn walk(root: &Path, options: &WalkOptions) -> impl Iterator<Item = Walked> + use<> {
    Walk {
        root: root.to_path_buf(),
        globs: options.exclude.iter().map(|pattern| Glob::new(pattern)).collect(),
        follow_links: options.follow_links,
        stack: Vec::new(),
        pending: None,
        started: false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    Special(&'static str),
    Unknown,
}

impl Kind {
    fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Special("a pipe"),
            FileType::Socket => Self::Special("a socket"),
            FileType::CharacterDevice | FileType::BlockDevice => Self::Special("a device"),
            FileType::Unknown => Self::Unknown,
        }
    }
}

/// A name in the arena of its level; the length is without the zero that ends it.
struct Name {
    start: u32,
    length: u32,
    kind: Kind,
}

struct Level {
    fd: Option<OwnedFd>,
    /// Path below the root with a slash at its end; empty at the root.
    prefix: Vec<u8>,
    /// Device and inode: what tells a loop.
    id: (u64, u64),
    arena: Vec<u8>,
    names: Vec<Name>,
    next: usize,
    excluded: Option<ExcludeReason>,
    /// Set when this folder is a Maildir.
    mailfolder: Option<Mailfolder>,
    /// Set when this is `cur`, `new` or `tmp` of one.
    corner: Option<(Corner, String)>,
}

impl Level {
    fn name(&self, index: usize) -> &[u8] {
        let name = &self.names[index];
        &self.arena[name.start as usize..(name.start + name.length) as usize]
    }

    fn folders(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.names.len())
            .filter(|index| matches!(self.names[*index].kind, Kind::Folder | Kind::Link | Kind::Unknown))
            .map(|index| self.name(index))
    }
}

struct Walk {
    root: PathBuf,
    globs: Vec<Glob>,
    follow_links: bool,
    stack: Vec<Level>,
    pending: Option<Walked>,
    started: bool,
}

impl Iterator for Walk {
    type Item = Walked;

    fn next(&mut self) -> Option<Walked> {
        if let Some(pending) = self.pending.take() {
            return Some(pending);
        }
        if !self.started {
            self.started = true;
            if let Some(found) = self.start() {
                return Some(found);
            }
        }
        loop {
            let level = self.stack.last_mut()?;
            if level.next == level.names.len() {
                self.stack.pop();
                continue;
            }
            let index = level.next;
            level.next += 1;
            if let Some(found) = self.step(index) {
                return Some(found);
            }
            if let Some(pending) = self.pending.take() {
                return Some(pending);
            }
        }
    }
}

impl Walk {
    fn start(&mut self) -> Option<Walked> {
        let stat = match rustix::fs::stat(&self.root) {
            Ok(stat) => stat,
            Err(error) => return Some(unreadable(PathBuf::new(), error)),
        };
        match Kind::of(FileType::from_raw_mode(stat.st_mode)) {
            Kind::Folder => {
                match open_folder(CWD, &self.root, true) {
                    Ok(fd) => self.enter(fd, Vec::new(), &stat, None, None),
                    Err(error) => return Some(unreadable(PathBuf::new(), error)),
                }
                None
            }
            Kind::File => Some(Walked::File(FoundFile {
                absolute: self.root.clone(),
                rel: PathBuf::new(),
                stat: FileStat::of(&stat),
                place: maildir::place_of_file(&self.root),
            })),
            Kind::Special(what) => Some(special(PathBuf::new(), what)),
            Kind::Link | Kind::Unknown => Some(special(PathBuf::new(), "of an unknown kind")),
        }
    }

    /// Handles one name of the innermost level; `None` when it was a folder that has been entered.
    fn step(&mut self, index: usize) -> Option<Walked> {
        let level = self.stack.last_mut()?;
        if let Err(error) = reopen(&self.root, level) {
            // The folder was there a moment ago: all of its names that are left are lost to us, and that is said once.
            level.next = level.names.len();
            let rel = path_of(level.prefix.strip_suffix(b"/").unwrap_or(&level.prefix).to_vec());
            return Some(unreadable(rel, error));
        }
        let level = self.stack.last()?;
        let name = level.name(index);
        let rel = [&level.prefix, name].concat();
        let mut kind = level.names[index].kind;
        let excluded = level.excluded.or_else(|| {
            self.globs
                .iter()
                .any(|glob| glob.matches(&rel))
                .then_some(ExcludeReason::Pattern)
        });
        let name = c_name(name);
        let fd = level.fd.as_ref().map_or(CWD, AsFd::as_fd);
        let mut stat = None;
        if matches!(kind, Kind::File | Kind::Unknown) {
            match rustix::fs::statat(fd, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => {
                    kind = Kind::of(FileType::from_raw_mode(found.st_mode));
                    stat = Some(found);
                }
                Err(error) => return Some(self.set_aside(rel, excluded, |rel| unreadable(rel, error))),
            }
        }
        let through_link = kind == Kind::Link;
        if through_link {
            if !self.follow_links {
                return Some(exclude(
                    rel,
                    FileStat::default(),
                    excluded.unwrap_or(ExcludeReason::Link),
                ));
            }
            match rustix::fs::statat(fd, &name, AtFlags::empty()) {
                Ok(found) => {
                    kind = Kind::of(FileType::from_raw_mode(found.st_mode));
                    stat = Some(found);
                }
                Err(error) => return Some(self.set_aside(rel, excluded, |rel| dangling(rel, error))),
            }
        }
        match (kind, stat) {
            (Kind::File, Some(stat)) => Some(self.file(rel, name.as_bytes(), &stat, excluded)),
            (Kind::Folder, _) => self.folder(rel, &name, through_link, excluded),
            (Kind::Special(what), _) => Some(self.set_aside(rel, excluded, |rel| special(rel, what))),
            (Kind::File | Kind::Link | Kind::Unknown, _) => {
                Some(self.set_aside(rel, excluded, |rel| special(rel, "of an unknown kind")))
            }
        }
    }

    fn file(&self, rel: Vec<u8>, name: &[u8], stat: &Stat, excluded: Option<ExcludeReason>) -> Walked {
        let stat = FileStat::of(stat);
        let corner = self.stack.last().and_then(|level| level.corner.as_ref());
        let reason = match corner {
            Some((Corner::Tmp, _)) => excluded.or(Some(ExcludeReason::MaildirTmp)),
            _ => excluded,
        };
        if let Some(reason) = reason {
            return exclude(rel, stat, reason);
        }
        let place = match corner {
            Some((corner, folder)) => Place::Maildir {
                folder: folder.clone(),
                flags: maildir::flags(name),
                is_new: *corner == Corner::New,
            },
            None => Place::Loose,
        };
        let root = self.root.as_os_str().as_bytes();
        let mut absolute = Vec::with_capacity(root.len() + 1 + rel.len());
        absolute.extend_from_slice(root);
        if !root.ends_with(b"/") {
            absolute.push(b'/');
        }
        absolute.extend_from_slice(&rel);
        Walked::File(FoundFile {
            absolute: path_of(absolute),
            rel: path_of(rel),
            stat,
            place,
        })
    }

    fn folder(
        &mut self,
        rel: Vec<u8>,
        name: &CString,
        through_link: bool,
        excluded: Option<ExcludeReason>,
    ) -> Option<Walked> {
        let level = self.stack.last()?;
        let fd = level.fd.as_ref().map_or(CWD, AsFd::as_fd);
        let opened = open_folder(fd, name, through_link).and_then(|fd| rustix::fs::fstat(&fd).map(|stat| (fd, stat)));
        let (fd, stat) = match opened {
            Ok(opened) => opened,
            Err(error) => return Some(self.set_aside(rel, excluded, |rel| unreadable(rel, error))),
        };
        let id = identity(&stat);
        if self.stack.iter().any(|above| above.id == id) {
            let defect = Defect::new(DefectCode::SourceLinkLoop, "");
            return Some(self.set_aside(rel, excluded, |rel| Walked::Problem {
                rel: path_of(rel),
                defect,
            }));
        }
        let corner = level
            .mailfolder
            .as_ref()
            .and_then(|mailfolder| mailfolder.corner(name.as_bytes()));
        if self.stack.len() >= OPEN_LEVELS
            && let Some(level) = self.stack.last_mut()
        {
            level.fd = None;
        }
        let mut prefix = rel;
        prefix.push(b'/');
        self.enter(fd, prefix, &stat, excluded, corner);
        None
    }

    /// Reads the names of a folder and makes it the innermost level.
    fn enter(
        &mut self,
        fd: OwnedFd,
        prefix: Vec<u8>,
        stat: &Stat,
        excluded: Option<ExcludeReason>,
        corner: Option<(Corner, String)>,
    ) {
        let mut level = Level {
            fd: None,
            prefix,
            id: identity(stat),
            arena: Vec::new(),
            names: Vec::new(),
            next: 0,
            excluded,
            mailfolder: None,
            corner,
        };
        let read = read_names(&fd, &mut level.arena, &mut level.names);
        level.fd = Some(fd);
        if let Err(error) = read {
            let rel = level.prefix.strip_suffix(b"/").unwrap_or(&level.prefix).to_vec();
            self.pending = Some(unreadable(path_of(rel), error));
        }
        let arena = std::mem::take(&mut level.arena);
        let bytes = |name: &Name| &arena[name.start as usize..(name.start + name.length) as usize];
        level.names.sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        level.arena = arena;
        if level.corner.is_none() {
            let top = self.stack.iter().find(|above| above.mailfolder.is_some());
            let top = top.map(|above| above.prefix.as_slice());
            level.mailfolder = Mailfolder::recognise(&level.prefix, top, level.folders());
            // A copy that left out empty folders has `cur` alone; then the names in it tell.
            if let Some(parent) = level.prefix.strip_suffix(b"cur/")
                && (0..level.names.len()).any(|index| maildir::has_info(level.name(index)))
            {
                level.corner = Some((Corner::Cur, maildir::folder_name(parent, top, false)));
            }
        }
        self.stack.push(level);
    }

    /// In an excluded folder everything is excluded, whatever it is; elsewhere it is what `problem` says.
    fn set_aside(
        &self,
        rel: Vec<u8>,
        excluded: Option<ExcludeReason>,
        problem: impl FnOnce(Vec<u8>) -> Walked,
    ) -> Walked {
        match excluded {
            Some(reason) => exclude(rel, FileStat::default(), reason),
            None => problem(rel),
        }
    }
}

fn exclude(rel: Vec<u8>, stat: FileStat, reason: ExcludeReason) -> Walked {
    Walked::Excluded {
        rel: path_of(rel),
        stat,
        reason,
    }
}

fn unreadable(rel: impl Into<Rel>, error: Errno) -> Walked {
    Walked::Problem {
        rel: rel.into().0,
        defect: Defect::new(DefectCode::SourceUnreadable, std::io::Error::from(error).to_string()),
    }
}

fn special(rel: impl Into<Rel>, what: &str) -> Walked {
    Walked::Problem {
        rel: rel.into().0,
        defect: Defect::new(DefectCode::SourceSpecialFile, what),
    }
}

fn dangling(rel: Vec<u8>, error: Errno) -> Walked {
    match error {
        Errno::LOOP => Walked::Problem {
            rel: path_of(rel),
            defect: Defect::new(DefectCode::SourceLinkLoop, "a link that leads to itself"),
        },
        Errno::NOENT | Errno::NOTDIR => special(rel, "a link that leads nowhere"),
        other => unreadable(rel, other),
    }
}

/// A path below the root, from its bytes or ready.
struct Rel(PathBuf);

impl From<Vec<u8>> for Rel {
    fn from(bytes: Vec<u8>) -> Self {
        Self(path_of(bytes))
    }
}

impl From<PathBuf> for Rel {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

/// Names come from the system and hold no zero byte; a name that did would be cut there and not be found.
fn c_name(name: &[u8]) -> CString {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    CString::new(&name[..end]).unwrap_or_default()
}

#[expect(clippy::unnecessary_cast, reason = "the field types differ between platforms")]
fn identity(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

fn open_folder<P: rustix::path::Arg + Copy>(at: BorrowedFd<'_>, path: P, follow: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if !follow {
        flags |= OFlags::NOFOLLOW;
    }
    match rustix::fs::openat(at, path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(at, path, flags, Mode::empty()),
        other => other,
    }
}

/// Opens a level again that was closed on the way down.
fn reopen(root: &Path, level: &mut Level) -> Result<(), Errno> {
    if level.fd.is_some() {
        return Ok(());
    }
    let path = root.join(OsStr::from_bytes(&level.prefix));
    let fd = open_folder(CWD, path.as_path(), true)?;
    if identity(&rustix::fs::fstat(&fd)?) != level.id {
        return Err(Errno::STALE);
    }
    level.fd = Some(fd);
    Ok(())
}

/// Reads all names of a folder; on an error those read before it are kept.
fn read_names(fd: &OwnedFd, arena: &mut Vec<u8>, names: &mut Vec<Name>) -> Result<(), Errno> {
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 32 * 1024];
    let mut entries = RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        // Four GiB of names in one folder do not fit a walk; the system gives up long before.
        let (Ok(start), Ok(length)) = (u32::try_from(arena.len()), u32::try_from(name.len())) else {
            return Err(Errno::OVERFLOW);
        };
        arena.extend_from_slice(name);
        names.push(Name {
            start,
            length,
            kind: Kind::of(entry.file_type()),
        });
    }
    Ok(())
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests make their own evidence in temporary folders"
)]
mod tests;
