//! The case folder: making, opening and locking it, and the way to everything in it.
//!
//! Layout: `case.toml`, `lock`, `originals/`, `catalogue.sqlite`, `runs/`, and, once used, `index/`, `derived/` and `audit/`. Paths inside are
//! relative, so that a case folder can be moved. Invariant: `case.toml` is written last; a folder without it is not a case.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use embley_model::id::{Key128, RunNo};
use embley_model::role::Task;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::catalogue::{self, CatalogueReader, CatalogueWriter, OpenAs, Sight};
use crate::disk::{Disk, LockFile, RealDisk};
use crate::error::{Result, StoreError};
use crate::facts;
use crate::facts::users::Actor;
use crate::originals::Originals;
use crate::packs::{PackReader, PackWriter};

/// Newest format of a case folder that this program writes and reads.
pub const CASE_FORMAT: u32 = 1;
/// Name of the file that makes a folder a case.
pub const CASE_FILE: &str = "case.toml";
pub(crate) const CATALOGUE: &str = "catalogue.sqlite";
const ORIGINALS: &str = "originals";
const RUNS: &str = "runs";
const INDEX: &str = "index";
const DERIVED: &str = "derived";
pub(crate) const AUDIT: &str = "audit";
const LOCK: &str = "lock";

/// Zone of a case unless told otherwise.
pub const DEFAULT_ZONE: &str = "Europe/London";

/// What `case.toml` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseConfig {
    /// Format of the case folder.
    pub format: u32,
    /// Name for people.
    pub name: String,
    /// The force's own reference; may be empty.
    #[serde(default)]
    pub reference: String,
    /// IANA name of the zone in which a day begins and ends.
    #[serde(default = "default_zone")]
    pub zone: String,
    /// 32 hexadecimal digits that tell this case from every other.
    pub id: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Settings of this case that override the program's.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    pub settings: toml::Table,
}

fn default_zone() -> String {
    DEFAULT_ZONE.to_owned()
}

/// What a new case is made from.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Name for people.
    pub name: String,
    /// The force's own reference; may be empty.
    pub reference: String,
    /// IANA name of the zone; empty for [`DEFAULT_ZONE`].
    pub zone: String,
    /// Now, microseconds since 1970 UTC.
    pub at_micros: i64,
}

/// What a case is opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Searching and showing. Takes no lock.
    Read,
    /// Writing facts (exhibits, tags): short transactions that work while an ingest runs. Takes no lock.
    Facts,
    /// Writing evidence: ingest, reindex, repair. Takes the case lock.
    Write(Holder),
}

/// Who takes the lock: shown to others who find the case in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What is being done, such as `ingest`.
    pub what: String,
    /// Since when, microseconds since 1970 UTC.
    pub since_micros: i64,
}

impl Holder {
    fn line(&self) -> String {
        let since = jiff::Timestamp::from_microsecond(self.since_micros).map_or_else(
            |_| "an unknown time".to_owned(),
            |stamp| stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        );
        format!("{} (process {}, since {since})", self.what, std::process::id())
    }
}

/// An open case.
#[derive(Debug)]
pub struct Case {
    root: PathBuf,
    config: CaseConfig,
    id: Key128,
    access: Access,
    disk: Arc<dyn Disk>,
    sight: Sight,
    _lock: Option<LockFile>,
}

impl Case {
    /// Makes a case in a folder that is empty or not there.
    ///
    /// # Errors
    /// When the folder holds something, the zone is not known or the disk refuses. A half-made case is not a case, and making it
    /// again works.
    pub fn init(path: &Path, options: &InitOptions) -> Result<CaseConfig> {
        Self::init_on(Arc::new(RealDisk), path, options)
    }

    /// The same on a given disk.
    ///
    /// # Errors
    /// As [`Case::init`].
    pub fn init_on(disk: Arc<dyn Disk>, path: &Path, options: &InitOptions) -> Result<CaseConfig> {
        let zone = if options.zone.is_empty() {
            default_zone()
        } else {
            options.zone.clone()
        };
        let case_file = path.join(CASE_FILE);
        check_zone(&zone, &case_file)?;
        refuse_occupied(path)?;
        let id = new_case_id(path, options.at_micros);
        let created = jiff::Timestamp::from_microsecond(options.at_micros)
            .map_err(|error| StoreError::internal(format!("the time given is out of range: {error}")))?;
        let config = CaseConfig {
            format: CASE_FORMAT,
            name: options.name.clone(),
            reference: options.reference.clone(),
            zone,
            id: id.to_hex(),
            created: created.to_string(),
            settings: toml::Table::new(),
        };
        let text = toml::to_string_pretty(&config)
            .map_err(|error| StoreError::internal(format!("case.toml cannot be written: {error}")))?;
        let make = |name: &str| {
            let folder = path.join(name);
            disk.create_dir(&folder)
                .map_err(|error| StoreError::io("make", &folder, error))
        };
        make("")?;
        make(ORIGINALS)?;
        make(RUNS)?;
        let catalogue = path.join(CATALOGUE);
        for leftover in ["", "-wal", "-shm", "-journal"] {
            let file = path.join(format!("{CATALOGUE}{leftover}"));
            disk.remove_file(&file)
                .map_err(|error| StoreError::io("remove", &file, error))?;
        }
        catalogue::create(&catalogue, id, facts::SCHEMA)?;
        disk.before_commit(&catalogue)
            .map_err(|error| StoreError::io("make", &catalogue, error))?;
        // If we stop here: a folder without case.toml, which `init` takes over when it is run again.
        disk.replace(&case_file, text.as_bytes())
            .map_err(|error| StoreError::io("write", &case_file, error))?;
        Ok(config)
    }

    /// Opens a case.
    ///
    /// # Errors
    /// When the folder is not a case, is of a newer format, cannot be read, or (for [`Access::Write`]) is in use.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::open_on(Arc::new(RealDisk), path, access)
    }

    /// The same on a given disk.
    ///
    /// # Errors
    /// As [`Case::open`].
    pub fn open_on(disk: Arc<dyn Disk>, path: &Path, access: Access) -> Result<Self> {
        let config = read_config(path)?;
        let case_file = path.join(CASE_FILE);
        let Some(id) = Key128::from_hex(&config.id) else {
            return Err(StoreError::Config {
                path: case_file,
                detail: "id is not 32 hexadecimal digits".to_owned(),
            });
        };
        check_zone(&config.zone, &case_file)?;
        let lock = match &access {
            Access::Write(holder) => Some(take_lock(path, holder)?),
            Access::Read | Access::Facts => None,
        };
        let catalogue = path.join(CATALOGUE);
        if !catalogue.is_file() {
            let detail = "the catalogue is missing";
            return Err(StoreError::damaged(
                catalogue.display().to_string(),
                "the whole file",
                detail,
            ));
        }
        if let Some(detail) = catalogue::not_a_catalogue(&catalogue)? {
            return Err(StoreError::damaged(catalogue.display().to_string(), "offset 0", detail));
        }
        // Nobody sees what is quarantined by forgetting to ask; what writes evidence has to see all of it.
        let sight = match &access {
            Access::Write(_) => Sight::Whole,
            Access::Read | Access::Facts => Sight::Released,
        };
        let case = Self {
            root: path.to_owned(),
            config,
            id,
            access,
            disk,
            sight,
            _lock: lock,
        };
        // Refuses a newer or foreign catalogue now, before any work is begun. Nothing is read by it.
        case.reader_as(Sight::Whole)?;
        Ok(case)
    }

    /// The nearest folder upwards from `from`, itself included, that is a case.
    pub fn find(from: &Path) -> Option<PathBuf> {
        from.ancestors()
            .find(|folder| folder.join(CASE_FILE).is_file())
            .map(Path::to_owned)
    }

    /// The case folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What `case.toml` says.
    pub fn config(&self) -> &CaseConfig {
        &self.config
    }

    /// What tells this case from every other.
    pub fn id(&self) -> Key128 {
        self.id
    }

    /// What it was opened for.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The disk under it.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// How much of it is seen: everything when it is open for writing evidence, else what is released, unless [`Case::seen_by`] said
    /// otherwise.
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// The same case as this actor may see it.
    #[must_use]
    pub fn seen_by(mut self, actor: &Actor) -> Self {
        self.sight = if actor.may(Task::Quarantine) {
            Sight::Whole
        } else {
            Sight::Released
        };
        self
    }

    /// A snapshot of the catalogue at its last checkpoint, which shows what this case's sight takes in.
    ///
    /// # Errors
    /// When the catalogue is damaged, newer, foreign or cannot be read.
    pub fn reader(&self) -> Result<CatalogueReader> {
        self.reader_as(self.sight)
    }

    /// The same with another sight: everything for what keeps the case and prints totals only, what is released for what others will
    /// read.
    ///
    /// # Errors
    /// As [`Case::reader`].
    pub fn reader_as(&self, sight: Sight) -> Result<CatalogueReader> {
        CatalogueReader::open(&self.catalogue_path(), self.id, sight)
    }

    /// The writer of evidence rows; one at a time.
    ///
    /// # Errors
    /// When the case is not open for writing, or as [`Case::reader`].
    pub fn catalogue_writer(&self) -> Result<CatalogueWriter> {
        self.needs_lock("write the catalogue")?;
        CatalogueWriter::open(&self.catalogue_path(), self.id, Arc::clone(&self.disk))
    }

    /// The writer of originals, opened at the committed position: whatever stands behind it is cut. One at a time.
    ///
    /// # Errors
    /// When the case is not open for writing, or a pack is shorter than committed, damaged, missing or foreign.
    pub fn pack_writer(&self) -> Result<PackWriter> {
        self.needs_lock("write originals")?;
        let committed = self.reader_as(Sight::Whole)?.checkpoint().pack;
        PackWriter::open(Arc::clone(&self.disk), &self.originals_dir(), self.id, committed)
    }

    /// A reader of originals; one a thread.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn pack_reader(&self) -> Result<PackReader> {
        PackReader::open(&self.originals_dir(), self.id)
    }

    /// Bytes of blobs, derived ones included; one a thread.
    ///
    /// # Errors
    /// As [`Case::reader`].
    pub fn originals(&self) -> Result<Originals> {
        Ok(Originals::new(self.reader()?, self.pack_reader()?))
    }

    /// Bytes of all blobs, for verification.
    ///
    /// # Errors
    /// As [`Case::reader`].
    pub(crate) fn all_originals(&self) -> Result<Originals> {
        Ok(Originals::new(self.reader_as(Sight::Whole)?, self.pack_reader()?))
    }

    /// A connection for short transactions over facts.
    ///
    /// # Errors
    /// When the case is open for reading only, or as [`Case::reader`].
    pub fn facts(&self) -> Result<FactsWriter> {
        if self.access == Access::Read {
            let detail = "facts cannot be written".to_owned();
            return Err(StoreError::ReadOnly {
                path: self.root.clone(),
                detail,
            });
        }
        let conn = catalogue::open_connection(&self.catalogue_path(), self.id, OpenAs::Facts)?;
        if self.sight != Sight::Whole && facts::has_table(&conn, "quarantine_state").map_err(catalogue::store_error)? {
            // A change is made to all of a set; what is said of it is about what the actor may see.
            catalogue::add_told(&conn, self.reader()?.hidden().items())?;
        }
        Ok(FactsWriter { conn })
    }

    /// Folder of packs.
    pub fn originals_dir(&self) -> PathBuf {
        self.root.join(ORIGINALS)
    }

    /// The catalogue's file.
    pub fn catalogue_path(&self) -> PathBuf {
        self.root.join(CATALOGUE)
    }

    /// Folder of the index; `index` makes it.
    pub fn index_dir(&self) -> PathBuf {
        self.root.join(INDEX)
    }

    /// Folder of extracted text; made when first used.
    pub fn derived_dir(&self) -> PathBuf {
        self.root.join(DERIVED)
    }

    /// Folder of run records.
    pub fn runs_dir(&self) -> PathBuf {
        self.root.join(RUNS)
    }

    /// Folder of one run's record, whether it is there or not.
    pub fn run_dir(&self, run: RunNo) -> PathBuf {
        self.runs_dir().join(format!("{:06}", run.0))
    }

    /// Folder of one run's record, made when it is not there.
    ///
    /// # Errors
    /// When the case is not open for writing, or the disk refuses.
    pub fn make_run_dir(&self, run: RunNo) -> Result<PathBuf> {
        self.needs_lock("write a run record")?;
        let folder = self.run_dir(run);
        self.disk
            .create_dir(&folder)
            .map_err(|error| StoreError::io("make", &folder, error))?;
        Ok(folder)
    }

    fn needs_lock(&self, detail: &str) -> Result<()> {
        match self.access {
            Access::Write(_) => Ok(()),
            Access::Read | Access::Facts => Err(StoreError::ReadOnly {
                path: self.root.clone(),
                detail: detail.to_owned(),
            }),
        }
    }
}

/// Short transactions over facts, beside an ingest or alone.
#[derive(Debug)]
pub struct FactsWriter {
    conn: Connection,
}

impl FactsWriter {
    /// The connection that the functions of [`crate::facts`] take; each of them is a transaction of its own. A writer that finds
    /// the catalogue in a checkpoint waits for it, up to 30 s.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Runs several changes as one transaction.
    ///
    /// # Errors
    /// What `work` returned, or the catalogue's; nothing was changed then.
    pub fn transaction<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Connection) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        use crate::error::Doing;
        let transaction = self
            .conn
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .doing("begin a change of facts")?;
        facts::pass_point("fact-begin")?;
        let done = work(&transaction)?;
        facts::pass_point("fact-commit")?;
        transaction.commit().doing("commit a change of facts")?;
        facts::pass_point("fact-committed")?;
        Ok(done)
    }
}

fn take_lock(path: &Path, holder: &Holder) -> Result<LockFile> {
    let file = path.join(LOCK);
    match LockFile::try_take(&file, &holder.line()) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(StoreError::Busy {
            path: path.to_owned(),
            holder: LockFile::holder(&file),
        }),
        Err(error) => Err(StoreError::io("lock", &file, error)),
    }
}

pub(crate) fn read_config(path: &Path) -> Result<CaseConfig> {
    let file = path.join(CASE_FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let detail = if path.is_dir() {
                "there is no case.toml in it"
            } else {
                "there is no such folder"
            };
            return Err(StoreError::NotACase {
                path: path.to_owned(),
                detail: detail.to_owned(),
            });
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(StoreError::NotACase {
                path: path.to_owned(),
                detail: "it is not a folder".to_owned(),
            });
        }
        Err(error) => return Err(StoreError::io("read", &file, error)),
    };
    let config_error = |detail: String| StoreError::Config {
        path: file.clone(),
        detail,
    };
    // The format is looked at first and alone: a newer one may have keys that are not known here.
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| config_error(error.message().to_owned()))?;
    let format = table.get("format").and_then(toml::Value::as_integer);
    let Some(format) = format.and_then(|format| u64::try_from(format).ok()) else {
        return Err(config_error("format is missing".to_owned()));
    };
    if format > u64::from(CASE_FORMAT) {
        return Err(StoreError::Newer {
            what: file.display().to_string(),
            found: format,
            known: CASE_FORMAT.into(),
        });
    }
    if format == 0 {
        return Err(StoreError::Older {
            what: file.display().to_string(),
            found: format,
            known: 1,
        });
    }
    toml::from_str(&text).map_err(|error| config_error(error.message().to_owned()))
}

fn check_zone(zone: &str, file: &Path) -> Result<()> {
    jiff::tz::TimeZone::get(zone).map(drop).map_err(|_| StoreError::Config {
        path: file.to_owned(),
        detail: format!("zone {zone:?} is not a known IANA zone, such as {DEFAULT_ZONE}"),
    })
}

/// Refuses a folder with anything in it but a half-made case.
fn refuse_occupied(path: &Path) -> Result<()> {
    let exists = |detail: &str| StoreError::Exists {
        path: path.to_owned(),
        detail: detail.to_owned(),
    };
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(exists("it is not a folder"));
        }
        Err(error) => return Err(StoreError::io("list", path, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| StoreError::io("list", path, error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == CASE_FILE {
            return Err(exists("there is a case already"));
        }
        let half_made = [ORIGINALS, RUNS].contains(&name.as_ref()) && folder_is_empty(&entry.path())
            || name.starts_with(CATALOGUE)
            || name == format!("{CASE_FILE}.new");
        if !half_made {
            return Err(exists("the folder is not empty"));
        }
    }
    Ok(())
}

fn folder_is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// An id that no other case has: a hash of the place, the moment, the process and the system's random keys.
fn new_case_id(path: &Path, at_micros: i64) -> Key128 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_os_str().as_encoded_bytes());
    hasher.update(&at_micros.to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    for _ in 0..2 {
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        hasher.update(&random.to_le_bytes());
    }
    let mut id = Key128([0; 16]);
    id.0.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    id
}
