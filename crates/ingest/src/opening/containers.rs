//! Containers as entrances of the feed: their members come out as files, in the container's order, each in a temporary copy.
//!
//! A thread of its own waits for the opener and fills a short channel; the feed takes from it. Invariant: the path of a member is that of its
//! container with the member's path below it, so that every instance says through which containers it came.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use embley_formats::mapi::bundle;
use embley_formats::opened::{Member, Members, Opened};
use embley_formats::source::FileStat;
use embley_formats::walk::{FoundFile, Place, Walked};
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::{ItemNo, RunNo, SourceId};
use embley_model::item::Searchability;
use embley_store::catalogue::{CatalogueReader, ContainerRow, ContainerState, CustodianId, InstanceRow, ItemRow};
use embley_store::{Case, StoreError};

use super::attached;
use super::documents::{Spooled, spool};
use super::kept::{self, Kept};
use super::{MAX_DEPTH, OpenJob, Opener};
use crate::entrance::{Container, Met, ResolvedSource};
use crate::error::IngestError;
use crate::load::kind_code;
use crate::order::lock;
use crate::reparse::Originals;
use crate::request::SourceSpec;
use crate::workers::WorkerError;

/// Members that wait in temporary copies, of one container.
const WAITING: usize = 32;
/// Longest name of a file on the common file systems; a longer one is cut and carries a hash of the whole.
const NAME_BYTES: usize = 255;

/// What came of each container, filled in as they end.
pub(crate) type Outcomes = Arc<Mutex<Vec<Outcome>>>;

/// What came of one container, at one of the places where it was found.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) item: ItemNo,
    /// How many of its instances are done with this one.
    pub(crate) places: u32,
    pub(crate) opened: Opened,
    pub(crate) members: u64,
    /// Nothing more can be opened: the run stops.
    pub(crate) failure: Option<IngestError>,
}

/// The containers that wait, as entrances in order of their items: each once for every source and custodian with which it was found, so that what it
/// holds is known to have been there too. Where else it lies with the same custodian, its own places say.
///
/// # Errors
/// When the catalogue cannot be read.
pub(crate) fn waiting<'a>(
    case: &'a Case,
    run: RunNo,
    opener: &Arc<dyn Opener>,
    outcomes: &Outcomes,
) -> Result<Vec<WaitingContainer<'a>>, IngestError> {
    let reader = case.reader()?;
    let mut found = Vec::new();
    let mut states = vec![ContainerState::Waiting];
    // Only what was found again in this run can be at a new place.
    if reader.tallies(run)?.iter().any(|tally| tally.duplicate > 0) {
        states.push(ContainerState::Opened);
    }
    for state in states {
        for row in reader.containers(state)? {
            at_new_places(case, &reader, &row, (opener, outcomes), &mut found)?;
        }
    }
    found.sort_by_key(|one| one.item);
    Ok(found)
}

/// Adds a container at the places where it was not emptied yet.
fn at_new_places<'a>(
    case: &'a Case,
    reader: &CatalogueReader,
    container: &ContainerRow,
    (opener, outcomes): (&Arc<dyn Opener>, &Outcomes),
    found: &mut Vec<WaitingContainer<'a>>,
) -> Result<(), IngestError> {
    let item = container.item_no;
    let lost = |what: &str| IngestError::internal(format!("container item {item}: {what}"));
    let row = reader.item(item)?.ok_or_else(|| lost("it has no row"))?;
    let instances = reader.instances_of(row.root)?;
    if instances.is_empty() {
        return Err(lost("it was found nowhere"));
    }
    let done = container.places as usize;
    if instances.len() <= done {
        return Ok(());
    }
    // Once for every source and custodian: an archive of a thousand equal archives would else be opened a thousand times, and each of those again.
    let mut seen = HashSet::new();
    for (before, instance) in instances.iter().enumerate() {
        let place = place_of(reader, &row, instance)?;
        if !seen.insert((place.source.source, place.custodian)) || before < done {
            continue;
        }
        found.push(WaitingContainer {
            case,
            item,
            places: instances.len() as u32,
            is_mail: attached::is_mail(row.kind, &row.media_type),
            media_type: row.media_type.clone(),
            name: row.filename.clone().unwrap_or_default(),
            emptied_at: if done == 0 {
                None
            } else {
                let first = place_of(reader, &row, &instances[0])?;
                Some((first.source.source, first.base))
            },
            place,
            opener: Arc::clone(opener),
            outcomes: Arc::clone(outcomes),
        });
    }
    Ok(())
}

/// Where a container was found.
struct FoundAt {
    base: PathBuf,
    custodian: Option<CustodianId>,
    source: ResolvedSource,
    mtime_nanos: i64,
}

/// See the module.
pub(crate) struct WaitingContainer<'a> {
    case: &'a Case,
    item: ItemNo,
    /// How many of its instances there are; all are done when this one and its fellows are.
    places: u32,
    media_type: String,
    /// A message or mailbox that was attached as a file.
    is_mail: bool,
    name: String,
    /// The first place at which an earlier run emptied it.
    emptied_at: Option<(SourceId, PathBuf)>,
    place: FoundAt,
    opener: Arc<dyn Opener>,
    outcomes: Outcomes,
}

fn place_of(reader: &CatalogueReader, row: &ItemRow, instance: &InstanceRow) -> Result<FoundAt, IngestError> {
    let lost = |what: &str| IngestError::internal(format!("container item {}: {what}", row.item_no));
    let file = reader
        .file(instance.file_id)?
        .ok_or_else(|| lost("its file has no row"))?;
    let folder = reader
        .folder(file.folder_id)?
        .ok_or_else(|| lost("its folder has no row"))?;
    let source = reader
        .sources()?
        .into_iter()
        .find(|source| source.source_id == file.source_id);
    let source = source.ok_or_else(|| lost("its source has no row"))?;
    let custodian = serde_json::from_str(&source.custodian_rule)
        .map_err(|error| lost(&format!("the custodian rule of its source cannot be read: {error}")))?;
    let mut base = PathBuf::from(OsStr::from_bytes(&folder.path)).join(OsStr::from_bytes(&file.name));
    if file.kind == kind_code::MAILBOX {
        base.push(format!("#{}", instance.ordinal));
    }
    if row.parent.is_some() {
        base.push(part_name(row));
    }
    Ok(FoundAt {
        base,
        custodian: file.custodian_id,
        source: ResolvedSource {
            spec: SourceSpec {
                path: PathBuf::from(source.absolute),
                label: source.label,
                custodian,
            },
            source: source.source_id,
        },
        mtime_nanos: file.mtime_nanos,
    })
}

impl WaitingContainer<'_> {
    /// What comes of it when it stands deeper than containers are followed.
    pub(super) fn too_deep(&self) -> Outcome {
        let mut opened = Opened::default();
        let detail = format!("it stands in {MAX_DEPTH} containers, one in the other");
        opened.defects.push(Defect::new(DefectCode::ArchiveLimit, detail));
        Outcome {
            item: self.item,
            places: self.places,
            opened,
            members: 0,
            failure: None,
        }
    }
}

/// Which part of a message, for people: its path in the message and its name.
fn part_name(row: &ItemRow) -> String {
    match &row.filename {
        Some(name) => format!("{} {}", row.part_path, name.replace('/', "_")),
        None => row.part_path.clone(),
    }
}

impl Container for WaitingContainer<'_> {
    fn source(&self) -> ResolvedSource {
        self.place.source.clone()
    }

    fn item(&self) -> ItemNo {
        self.item
    }

    fn members(self: Box<Self>) -> Result<Box<dyn Iterator<Item = Met> + Send>, IngestError> {
        let mut originals = Originals::open(self.case)?;
        let input = match spool(&mut originals, self.item, &self.name) {
            Ok(input) => input,
            Err(IngestError::Store(StoreError::NotFound { what })) => {
                let mut opened = Opened::default();
                opened.defects.push(Defect::new(DefectCode::ArchiveNotOpened, what));
                opened.searchability = Some(Searchability::Failed);
                lock(&self.outcomes).push(Outcome {
                    item: self.item,
                    places: self.places,
                    opened,
                    members: 0,
                    failure: None,
                });
                return Ok(Box::new(std::iter::empty()));
            }
            Err(error) => return Err(error),
        };
        let kept = match &self.emptied_at {
            Some((source, base)) => kept::members(&mut originals, self.item, (*source, base))?,
            None => Vec::new(),
        };
        drop(originals);
        let (sender, receiver) = bounded(WAITING);
        let emptying = Emptying {
            item: self.item,
            places: self.places,
            media_type: self.media_type,
            is_mail: self.is_mail,
            name: self.name,
            input,
            kept,
            opener: self.opener,
            outcomes: self.outcomes,
            taker: Taker {
                base: self.place.base,
                sender,
                members: 0,
                names: Names::default(),
                mtime_nanos: self.place.mtime_nanos,
            },
        };
        let thread = std::thread::Builder::new()
            .name("container".to_owned())
            .spawn(move || emptying.run())
            .map_err(|error| IngestError::internal(format!("no thread for a container: {error}")))?;
        Ok(Box::new(Coming {
            receiver: Some(receiver),
            thread: Some(thread),
        }))
    }
}

/// The thread of one container.
struct Emptying {
    item: ItemNo,
    places: u32,
    media_type: String,
    is_mail: bool,
    name: String,
    input: Spooled,
    /// What it held when a key was there.
    kept: Vec<Kept>,
    opener: Arc<dyn Opener>,
    outcomes: Outcomes,
    taker: Taker,
}

impl Emptying {
    fn run(mut self) {
        let job = OpenJob {
            media_type: &self.media_type,
            name: self.name.as_bytes(),
            input: &self.input.file,
            size: self.input.size,
        };
        let opened = if self.is_mail {
            attached::hand_on(job.input, job.media_type, &mut self.taker)
                .map_err(|source| WorkerError::Taker { source }.into())
        } else {
            self.opener.open(&job, &mut self.taker)
        };
        let (opened, mut failure) = match opened {
            Ok(opened) => (opened, None),
            Err(error) => (Opened::default(), Some(error)),
        };
        if self.taker.members == 0 && opened.searchability == Some(Searchability::Encrypted) {
            failure = kept::hand_on(self.kept, &mut self.taker)
                .err()
                .map(|source| WorkerError::Taker { source }.into());
        }
        lock(&self.outcomes).push(Outcome {
            item: self.item,
            places: self.places,
            opened,
            members: self.taker.members,
            failure,
        });
    }
}

/// Members on their way to the feed. Dropping it early stops the opener at its next member.
struct Coming {
    receiver: Option<Receiver<Met>>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for Coming {
    type Item = Met;

    fn next(&mut self) -> Option<Met> {
        self.receiver.as_ref()?.recv().ok()
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        drop(self.receiver.take());
        if let Some(thread) = self.thread.take() {
            // A panic there leaves no outcome, and the container waits for the next start.
            let _ = thread.join();
        }
    }
}

struct Taker {
    base: PathBuf,
    sender: Sender<Met>,
    members: u64,
    names: Names,
    mtime_nanos: i64,
}

/// Which paths occurred, because a container may hold one name many times. Of a path that occurred once only half a hash is kept, some 20 bytes a member, so
/// that a store of millions of messages can be emptied; two paths with the same half are told apart by a number that was not needed.
#[derive(Default)]
struct Names {
    once: HashSet<u64>,
    /// How often, of those that came again.
    again: HashMap<Vec<u8>, u64>,
}

impl Names {
    /// The how manyth time this path occurs, from 1.
    fn count(&mut self, path: &[u8]) -> u64 {
        let hash = blake3::hash(path);
        let half = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        if self.once.insert(u64::from_le_bytes(half)) {
            return 1;
        }
        let count = self.again.entry(path.to_vec()).or_insert(1);
        *count += 1;
        *count
    }
}

impl Members for Taker {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        self.members += 1;
        let mut defects = member.defects;
        let path = self.unique(&member.path, &mut defects);
        let rel = self.base.join(OsStr::from_bytes(&path));
        let mut spool = tempfile::NamedTempFile::new()?;
        let said = defects.len();
        let mut copied = copy_all(bytes, spool.as_file_mut(), &mut defects)?;
        if defects.len() > said && is_bundle(spool.as_file())? {
            // Half a bundle is not half a message: nothing in it can be told apart from what is missing.
            copied = 0;
        }
        let lost = defects
            .iter()
            .find(|defect| defect.code.class() >= embley_model::defect::Class::Loss);
        let met = match lost {
            // No bytes and a reason: nothing to make an item of.
            Some(defect) if copied == 0 => Met::from(Walked::Problem {
                rel,
                defect: defect.clone(),
            }),
            _ => Met {
                walked: Walked::File(FoundFile {
                    absolute: spool.path().to_path_buf(),
                    rel,
                    stat: FileStat {
                        size: copied,
                        mtime_nanos: member.mtime_nanos.unwrap_or(self.mtime_nanos),
                        inode: 0,
                    },
                    place: Place::Loose,
                }),
                spool: Some(Arc::new(spool.into_temp_path())),
                defects,
            },
        };
        self.sender
            .send(met)
            .map_err(|_| io::Error::other("the run was stopped"))
    }
}

/// Copies what can be read, and says where that broke off.
///
/// # Errors
/// When the copy cannot be *written* (the disk for temporary files is full): that is no fault of the member, so the run stops.
fn copy_all(from: &mut dyn Read, to: &mut dyn Write, defects: &mut Vec<Defect>) -> io::Result<u64> {
    let mut buffer = vec![0; 64 << 10];
    let mut copied = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                defects.push(broken(&error.to_string()));
                break;
            }
        };
        to.write_all(&buffer[..read])?;
        copied += read as u64;
    }
    to.flush()?;
    Ok(copied)
}

fn is_bundle(file: &File) -> io::Result<bool> {
    let mut head = [0; bundle::MAGIC.len()];
    let read = file.read_at(&mut head, 0)?;
    Ok(read == head.len() && head == *bundle::MAGIC)
}

/// What a reader said when a member's bytes broke off: a code of the register and a detail, or words.
fn broken(words: &str) -> Defect {
    let coded = words
        .split_once(": ")
        .and_then(|(code, detail)| Some(Defect::new(DefectCode::from_text(code)?, detail)));
    coded.unwrap_or_else(|| Defect::new(DefectCode::ArchiveMember, words))
}

/// A name that is longer than any file's: its beginning, and a hash that tells it from others that begin so.
fn shortened<'n>(name: &'n [u8], defects: &mut Vec<Defect>) -> Cow<'n, [u8]> {
    if name.len() <= NAME_BYTES {
        return Cow::Borrowed(name);
    }
    let detail = format!("a name of {} bytes was cut to {NAME_BYTES}", name.len());
    defects.push(Defect::new(DefectCode::ArchiveName, detail));
    let mark = format!("~{}", &blake3::hash(name).to_hex()[..16]);
    let mut end = NAME_BYTES - mark.len();
    while end > 0 && name[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    let mut short = name[..end].to_vec();
    short.extend_from_slice(mark.as_bytes());
    Cow::Owned(short)
}

impl Taker {
    fn unique(&mut self, path: &[u8], defects: &mut Vec<Defect>) -> Vec<u8> {
        let clean: Vec<Cow<'_, [u8]>> = path
            .split(|byte| *byte == b'/')
            .filter(|part| !matches!(*part, b"" | b"." | b".."))
            .map(|part| shortened(part, defects))
            .collect();
        // A file that is one message (MSG, TNEF, EMLX) gives its member no name.
        let mut name = if clean.is_empty() {
            b"message".to_vec()
        } else {
            clean.join(&b'/')
        };
        let seen = self.names.count(&name);
        if seen > 1 {
            name.extend_from_slice(format!("#{seen}").as_bytes());
        }
        name
    }
}
