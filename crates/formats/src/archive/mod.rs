//! Containers: zip, tar, 7z, ar, single compressed files, and what Debian's `bsdtar` opens, as members with their bytes.
//!
//! Not for: deciding what a member is or opening it in turn (the caller counts the depth), for documents that happen to be zip files, for disk images.
//! Main function: [`open`]. Invariant: every entry that a container names, and every one that only its own header names, comes out once: as a member with
//! its bytes, or with a defect that says why it has none or not all. Nothing is written but a nameless temporary file for `bsdtar`; passwords are tried
//! and counted, never kept.
//!
//! Decisions:
//! - What goes wrong while a member is read is known only after the member was handed over. The reader of its bytes then ends with an error that carries
//!   the defect ([`fault`]) and begins with its code. The bytes before are whole, also where only the checksum is wrong. `Opened::defects` counts such members
//!   once more, so that a caller who throws the errors away still sees them.
//! - A compressed tar is one container, not two: its members are those of the tar, and `Opened::reader` names both readers.
//! - Names that say their charset, or are UTF-8, are given as UTF-8. Old names of zip files are decoded by the charset that fits all of them best, and each says
//!   so with its bytes. Names in tar, ar and cpio have no charset: they are given as they stand.
//! - Times without a zone (zip's DOS times) are taken as UTC, and the container says so.
//! - A reader that was lost with its process is followed by one that passes over what came before ([`Resume`]): by the directory of a zip or 7z, by the headers of a
//!   tar or ar, and through the unpacked stream where nothing else leads past it.
//! - A zip entry that no directory lists comes out like the others, with [`ArchiveSalvaged`](embley_model::defect::DefectCode::ArchiveSalvaged): what was hidden
//!   or deleted is of interest.

mod ar;
mod external;
mod fault;
mod format;
mod lzw;
mod name;
mod outlet;
mod sevenz;
mod stream;
mod tar;
mod zip;

use std::io::{self, Read, Seek, SeekFrom};

use embley_model::defect::DefectCode;

use crate::opened::{Members, OpenLimits, Opened, Resume};

pub use fault::fault;
pub use format::{ArchiveFormat, Compression, format_of};
use outlet::Outlet;

/// What a container is read from.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek + ?Sized> ReadSeek for T {}

/// Opens a container and gives its members, in the container's order.
///
/// `name` is the container's own file name: single compressed files and parts of split archives are named after it. `passwords` are tried in order.
///
/// # Errors
/// Only what the taker returned, and errors of `source` before the first member. All that is odd about the container is in the answer.
pub fn open(
    format: ArchiveFormat,
    source: &mut dyn ReadSeek,
    name: &[u8],
    passwords: &[String],
    limits: &OpenLimits,
    members: &mut dyn Members,
) -> io::Result<Opened> {
    let emptying = Emptying {
        name,
        passwords,
        limits,
        resume: Resume::default(),
    };
    go_on(format, source, &emptying, members, &mut |_| {})
}

/// How a container is emptied.
#[derive(Clone, Copy, Debug)]
pub struct Emptying<'a> {
    /// The container's own file name.
    pub name: &'a [u8],
    /// Tried in order.
    pub passwords: &'a [String],
    /// Bounds of the whole container, also where an earlier reader gave some of it.
    pub limits: &'a OpenLimits,
    /// What an earlier reader gave.
    pub resume: Resume,
}

/// As [`open`], behind the members that an earlier reader gave. `before` is told the place in the container, from 0, of each member that is read.
///
/// # Errors
/// As [`open`].
pub fn go_on(
    format: ArchiveFormat,
    source: &mut dyn ReadSeek,
    emptying: &Emptying<'_>,
    members: &mut dyn Members,
    before: &mut dyn FnMut(u64),
) -> io::Result<Opened> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    let job = Job {
        name: emptying.name,
        passwords: emptying.passwords,
        length,
    };
    let mut outlet = Outlet::new(emptying, length, members, before);
    outlet.run(|outlet| match format {
        ArchiveFormat::Zip => zip::open(source, &job, outlet),
        ArchiveFormat::SevenZip => sevenz::open(source, &job, outlet),
        ArchiveFormat::Ar => ar::open(source, outlet),
        ArchiveFormat::Tar => {
            outlet.reader("tar/1");
            tar::open(&mut io::BufReader::with_capacity(64 << 10, source), outlet)
        }
        ArchiveFormat::Stream(method) => stream::open(source, method, &job, outlet),
        ArchiveFormat::External => external::open(source, outlet),
    })?;
    if length == 0 {
        outlet.defect(DefectCode::ArchiveTruncated, "the container has no bytes");
    }
    Ok(outlet.finish())
}

/// What the readers are told.
struct Job<'a> {
    name: &'a [u8],
    passwords: &'a [String],
    /// Bytes of the container.
    length: u64,
}
