//! Containers as entrances of the feed: their members come out as files, in the container's order, each in a temporary copy.
//!
//! A thread of its own waits for the opener and fills a short channel; the feed takes from it. Invariant: the path of a member is that of its
//! container with the member's path below it, so that every instance says through which containers it came.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use embley_formats::opened::{Member, Members, Opened};
use embley_formats::source::FileStat;
use embley_formats::walk::{FoundFile, Place, Walked};
use embley_model::defect::{Defect, DefectCode};
use embley_model::id::ItemNo;
use embley_model::item::Searchability;
use embley_store::catalogue::{CatalogueReader, ContainerRow, ContainerState, ItemRow};
use embley_store::{Case, StoreError};

use super::documents::{Spooled, spool};
use super::{OpenJob, Opener};
use crate::error::IngestError;
use crate::feed::{Container, Met, ResolvedSource};
use crate::load::kind_code;
use crate::order::lock;
use crate::reparse::Originals;
use crate::request::SourceSpec;

/// Members that wait in temporary copies, of one container.
const WAITING: usize = 32;

/// What came of each container, filled in as they end.
pub(crate) type Outcomes = Arc<Mutex<Vec<Outcome>>>;

/// What came of one container.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) item: ItemNo,
    pub(crate) opened: Opened,
    pub(crate) members: u64,
    /// Nothing more can be opened: the run stops.
    pub(crate) failure: Option<IngestError>,
}

/// The containers that wait, as entrances in order of their items.
///
/// # Errors
/// When the catalogue cannot be read.
pub(crate) fn waiting<'a>(
    case: &'a Case,
    opener: &Arc<dyn Opener>,
    outcomes: &Outcomes,
) -> Result<Vec<WaitingContainer<'a>>, IngestError> {
    let reader = case.reader()?;
    let mut found = Vec::new();
    for row in reader.containers(ContainerState::Waiting)? {
        found.push(one(case, &reader, &row, opener, outcomes)?);
    }
    Ok(found)
}

/// See the module.
pub(crate) struct WaitingContainer<'a> {
    case: &'a Case,
    item: ItemNo,
    media_type: String,
    name: String,
    base: PathBuf,
    source: ResolvedSource,
    opener: Arc<dyn Opener>,
    outcomes: Outcomes,
    mtime_nanos: i64,
}

fn one<'a>(
    case: &'a Case,
    reader: &CatalogueReader,
    container: &ContainerRow,
    opener: &Arc<dyn Opener>,
    outcomes: &Outcomes,
) -> Result<WaitingContainer<'a>, IngestError> {
    let item = container.item_no;
    let lost = |what: &str| IngestError::internal(format!("container item {item}: {what}"));
    let row = reader.item(item)?.ok_or_else(|| lost("it has no row"))?;
    let instances = reader.instances_of(row.root)?;
    let instance = instances.first().ok_or_else(|| lost("it was found nowhere"))?;
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
        base.push(part_name(&row));
    }
    Ok(WaitingContainer {
        case,
        item,
        media_type: row.media_type.clone(),
        name: row.filename.clone().unwrap_or_default(),
        base,
        source: ResolvedSource {
            spec: SourceSpec {
                path: PathBuf::from(source.absolute),
                label: source.label,
                custodian,
            },
            source: source.source_id,
        },
        opener: Arc::clone(opener),
        outcomes: Arc::clone(outcomes),
        mtime_nanos: file.mtime_nanos,
    })
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
        self.source.clone()
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
                    opened,
                    members: 0,
                    failure: None,
                });
                return Ok(Box::new(std::iter::empty()));
            }
            Err(error) => return Err(error),
        };
        drop(originals);
        let (sender, receiver) = bounded(WAITING);
        let emptying = Emptying {
            item: self.item,
            media_type: self.media_type,
            name: self.name,
            input,
            opener: self.opener,
            outcomes: self.outcomes,
            taker: Taker {
                base: self.base,
                sender,
                members: 0,
                names: HashMap::new(),
                mtime_nanos: self.mtime_nanos,
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
    media_type: String,
    name: String,
    input: Spooled,
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
        let (opened, failure) = match self.opener.open(&job, &mut self.taker) {
            Ok(opened) => (opened, None),
            Err(error) => (Opened::default(), Some(error)),
        };
        lock(&self.outcomes).push(Outcome {
            item: self.item,
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
    /// How often each path occurred: a container may hold one name many times.
    names: HashMap<Vec<u8>, u64>,
    mtime_nanos: i64,
}

impl Members for Taker {
    fn member(&mut self, member: Member, bytes: &mut dyn Read) -> io::Result<()> {
        self.members += 1;
        let path = self.unique(&member.path);
        let rel = self.base.join(OsStr::from_bytes(&path));
        let mut defects = member.defects;
        let mut spool = tempfile::NamedTempFile::new()?;
        let copied = match io::copy(bytes, &mut spool) {
            Ok(copied) => copied,
            Err(error) => {
                defects.push(broken(&error.to_string()));
                spool.as_file().metadata()?.len()
            }
        };
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

/// What a reader said when a member's bytes broke off: a code of the register and a detail, or words.
fn broken(words: &str) -> Defect {
    let coded = words
        .split_once(": ")
        .and_then(|(code, detail)| Some(Defect::new(DefectCode::from_text(code)?, detail)));
    coded.unwrap_or_else(|| Defect::new(DefectCode::ArchiveMember, words))
}

impl Taker {
    fn unique(&mut self, path: &[u8]) -> Vec<u8> {
        let clean: Vec<&[u8]> = path
            .split(|byte| *byte == b'/')
            .filter(|part| !matches!(*part, b"" | b"." | b".."))
            .collect();
        // A file that is one message (MSG, TNEF, EMLX) gives its member no name.
        let mut name = if clean.is_empty() {
            b"message".to_vec()
        } else {
            clean.join(&b'/')
        };
        let seen = self.names.entry(name.clone()).or_insert(0);
        *seen += 1;
        if *seen > 1 {
            name.extend_from_slice(format!("#{seen}").as_bytes());
        }
        name
    }
}
