//! Runs, custodians, sources, folders, files, sums and the exception register.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use embley_model::defect::{Class, DefectCode, Phase};
use embley_model::id::{FileId, InstanceId, ItemNo, RunNo, SourceId};
use rusqlite::Row;

use super::read::CatalogueReader;
use super::read_items::range_from;
use super::rows::{
    CustodianId, CustodianRow, ExceptionRow, FileRow, FileState, FolderId, FolderRow, RunKind, RunRow, RunState,
    SourceRow, TallyRow,
};
use crate::error::{Doing, Result, StoreError};

const FILE: &str = "file_id, source_id, folder_id, custodian_id, name, version, size, mtime_nanos, inode, kind, variant, flags, \
     scan_state, state, first_instance, instance_count, message_bytes, separator_bytes, junk_bytes, previous_file, \
     absent_since_run, run_no";

impl CatalogueReader {
    /// All runs, in their order.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn runs(&self) -> Result<Vec<RunRow>> {
        let sql =
            "SELECT run_no, kind, state, started_micros, ended_micros, settings, summary FROM run ORDER BY run_no";
        self.rows(sql, [], |row| {
            let run_no = RunNo(row.get(0)?);
            let damaged = || StoreError::damaged("catalogue", format!("run {run_no}"), "kind or state cannot be read");
            Ok(RunRow {
                run_no,
                kind: RunKind::from_code(row.get(1)?).ok_or_else(damaged)?,
                state: RunState::from_code(row.get(2)?).ok_or_else(damaged)?,
                started_micros: row.get(3)?,
                ended_micros: row.get(4)?,
                settings: row.get(5)?,
                summary: row.get(6)?,
            })
        })
    }

    /// All custodians, by id.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn custodians(&self) -> Result<Vec<CustodianRow>> {
        self.rows(
            "SELECT custodian_id, name FROM custodian ORDER BY custodian_id",
            [],
            |row| {
                Ok(CustodianRow {
                    custodian_id: CustodianId(row.get(0)?),
                    name: row.get(1)?,
                })
            },
        )
    }

    /// All sources, by id.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn sources(&self) -> Result<Vec<SourceRow>> {
        let sql =
            "SELECT source_id, label, absolute, custodian_id, custodian_rule, run_no FROM source ORDER BY source_id";
        self.rows(sql, [], |row| {
            Ok(SourceRow {
                source_id: SourceId(row.get(0)?),
                label: row.get(1)?,
                absolute: row.get(2)?,
                custodian_id: row.get::<_, Option<u32>>(3)?.map(CustodianId),
                custodian_rule: row.get(4)?,
                run_no: RunNo(row.get(5)?),
            })
        })
    }

    /// All folders, by id.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn folders(&self) -> Result<Vec<FolderRow>> {
        self.rows(
            &format!("SELECT {} FROM folder ORDER BY folder_id", self.folder_columns()),
            [],
            folder_row,
        )
    }

    /// One folder.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn folder(&self, folder: FolderId) -> Result<Option<FolderRow>> {
        let sql = format!("SELECT {} FROM folder WHERE folder_id=?1", self.folder_columns());
        Ok(self.rows(&sql, [folder.0], folder_row)?.pop())
    }

    fn folder_columns(&self) -> &'static str {
        if self.has_openings {
            "folder_id, source_id, path, container_item"
        } else {
            "folder_id, source_id, path, NULL"
        }
    }

    /// Where a file lay when it was taken in: information only, it may have moved since.
    ///
    /// # Errors
    /// When the catalogue cannot be read or lacks the file.
    pub fn source_path(&self, file: FileId) -> Result<PathBuf> {
        let lost = || {
            StoreError::damaged(
                "catalogue",
                format!("file {file}"),
                "it has no row, or none of its source",
            )
        };
        let row = self.file(file)?.ok_or_else(lost)?;
        let folder = self.folder(row.folder_id)?.ok_or_else(lost)?;
        let source = self
            .sources()?
            .into_iter()
            .find(|source| source.source_id == row.source_id);
        let absolute = PathBuf::from(source.ok_or_else(lost)?.absolute);
        // A source that is itself a file has no folder below it.
        Ok(if folder.path.is_empty() && absolute.is_file() {
            absolute
        } else {
            absolute
                .join(OsStr::from_bytes(&folder.path))
                .join(OsStr::from_bytes(&row.name))
        })
    }

    /// One file.
    ///
    /// # Errors
    /// When the catalogue cannot be read or the row is damaged.
    pub fn file(&self, file: FileId) -> Result<Option<FileRow>> {
        Ok(self
            .rows(&format!("SELECT {FILE} FROM file WHERE file_id=?1"), [file.0], file_row)?
            .pop())
    }

    /// The newest version of each file of a folder, sorted by name. An index that is always there serves this.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn files_in_folder(&self, folder: FolderId) -> Result<Vec<FileRow>> {
        let sql = format!("SELECT {FILE} FROM file WHERE folder_id=?1");
        let mut files = self.rows(&sql, [folder.0], file_row)?;
        files.sort_by(|one, two| one.name.cmp(&two.name).then(two.version.cmp(&one.version)));
        files.dedup_by(|later, first| later.name == first.name);
        Ok(files)
    }

    /// Gives every version of every file to `each`, ascending by id.
    ///
    /// # Errors
    /// When the catalogue cannot be read, a row is damaged, or `each` failed.
    pub fn for_each_file<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(FileRow) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = format!("SELECT {FILE} FROM file ORDER BY file_id");
        let mut statement = self.conn.prepare_cached(&sql).doing("read files")?;
        let mut rows = statement.query([]).doing("read files")?;
        while let Some(row) = rows.next().doing("read files")? {
            each(file_row(row)?)?;
        }
        Ok(())
    }

    /// Source label and path below it, for people. Bytes that are not UTF-8 are shown as U+FFFD.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is missing.
    pub fn shown_path(&self, file: FileId) -> Result<String> {
        let sql = "SELECT s.label, d.path, f.name FROM file f JOIN source s ON s.source_id=f.source_id
                   JOIN folder d ON d.folder_id=f.folder_id WHERE f.file_id=?1";
        let parts = self.rows(sql, [file.0], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, Vec<u8>>(2)?,
            ))
        })?;
        let Some((label, folder, name)) = parts.into_iter().next() else {
            let detail = "the file, its folder or its source has no row";
            return Err(StoreError::damaged("catalogue", format!("file {file}"), detail));
        };
        let mut path = label;
        for part in [folder, name] {
            if !part.is_empty() {
                path.push('/');
                path.push_str(&String::from_utf8_lossy(&part));
            }
        }
        Ok(path)
    }

    /// All sums of a run, by source and file.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn tallies(&self, run: RunNo) -> Result<Vec<TallyRow>> {
        let sql = "SELECT run_no, source_id, file_id, discovered, new, duplicate, unchanged, excluded, excepted,
                   children_discovered, children_items, children_excepted, bytes FROM tally WHERE run_no=?1
                   ORDER BY source_id, file_id";
        self.rows(sql, [run.0], tally_row)
    }

    /// The sums of a run, one row a source, then none further: add them up for the run.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn tallies_by_source(&self, run: RunNo) -> Result<Vec<TallyRow>> {
        let sql =
            "SELECT run_no, source_id, 0, sum(discovered), sum(new), sum(duplicate), sum(unchanged), sum(excluded),
                   sum(excepted), sum(children_discovered), sum(children_items), sum(children_excepted), sum(bytes)
                   FROM tally WHERE run_no=?1 GROUP BY source_id ORDER BY source_id";
        self.rows(sql, [run.0], tally_row)
    }

    /// The exception register, of one run or of all, in the order noticed.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a row is damaged.
    pub fn exceptions(&self, run: Option<RunNo>) -> Result<Vec<ExceptionRow>> {
        let sql = "SELECT run_no, source_id, path, phase, class, code, first, last, detail, action, exception_id
                   FROM exception WHERE ?1 IS NULL OR run_no=?1 ORDER BY exception_id";
        let told = self.hidden_places()?;
        let mut all = self.rows(sql, [run.map(|run| run.0)], |row| {
            let damaged = |column: &str| {
                let id: i64 = row.get(10).unwrap_or(0);
                StoreError::damaged(
                    "catalogue",
                    format!("exception {id}"),
                    format!("column {column} cannot be read"),
                )
            };
            let (phase, class, code): (String, String, String) = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok(ExceptionRow {
                run_no: RunNo(row.get(0)?),
                source_id: row.get::<_, Option<u32>>(1)?.map(SourceId),
                path: row.get(2)?,
                phase: PHASES
                    .into_iter()
                    .find(|one| phase_word(*one) == phase)
                    .ok_or_else(|| damaged("phase"))?,
                class: CLASSES
                    .into_iter()
                    .find(|one| class_word(*one) == class)
                    .ok_or_else(|| damaged("class"))?,
                code: DefectCode::from_text(&code).ok_or_else(|| damaged("code"))?,
                range: range_from(row, 6)?,
                detail: row.get(8)?,
                action: row.get(9)?,
            })
        })?;
        all.retain(|row| !told.hide(&row.path, row.range.as_ref()));
        Ok(all)
    }

    /// Where hidden items were found.
    fn hidden_places(&self) -> Result<HiddenPlaces> {
        let mut places = HiddenPlaces::default();
        if self.hidden().items().is_empty() {
            return Ok(places);
        }
        let sql = "SELECT i.file_id, i.offset, i.length, f.instance_count FROM main.instance i JOIN file f ON f.file_id = i.file_id
                   WHERE i.instance_id < ?1 AND NOT embley_sees(i.item_no)";
        let found = self.rows(sql, [self.pinned.next_instance.cast_signed()], |row| {
            let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok((FileId(row.get(0)?), number(1)?, number(2)?, number(3)?))
        })?;
        let mut paths: HashMap<FileId, String> = HashMap::new();
        for (file, offset, length, count) in found {
            let path = match paths.get(&file) {
                Some(path) => path.clone(),
                None => {
                    let path = self.shown_path(file)?;
                    paths.insert(file, path.clone());
                    path
                }
            };
            let end = offset.saturating_add(length);
            places.0.entry(path).or_default().push((offset..end, count == 1));
        }
        Ok(places)
    }

    pub(super) fn rows<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().doing("read rows")? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

/// Paths with the ranges of hidden items in them, each with whether the file holds nothing else.
#[derive(Default)]
struct HiddenPlaces(HashMap<String, Vec<(Range<u64>, bool)>>);

impl HiddenPlaces {
    /// True when something noticed there is about a hidden item. Beneath such a path lie the members of a container.
    fn hide(&self, path: &str, range: Option<&Range<u64>>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let beneath = path.match_indices('/').any(|(at, _)| {
            let places = self.0.get(&path[..at]);
            places.is_some_and(|places| places.iter().any(|(_, alone)| *alone))
        });
        beneath
            || self.0.get(path).is_some_and(|places| {
                places.iter().any(|(place, alone)| match range {
                    _ if *alone => true,
                    None => false,
                    Some(range) => range.start < place.end && place.start < range.end,
                })
            })
    }
}

const PHASES: [Phase; 6] = [
    Phase::Discover,
    Phase::Split,
    Phase::Read,
    Phase::Parse,
    Phase::Index,
    Phase::Import,
];
const CLASSES: [Class; 4] = [Class::Note, Class::Warning, Class::Loss, Class::Excepted];

/// The word of a phase in the catalogue.
pub(crate) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Discover => "discover",
        Phase::Split => "split",
        Phase::Read => "read",
        Phase::Parse => "parse",
        Phase::Index => "index",
        Phase::Import => "import",
    }
}

/// The word of a class in the catalogue.
pub(crate) fn class_word(class: Class) -> &'static str {
    match class {
        Class::Note => "note",
        Class::Warning => "warning",
        Class::Loss => "loss",
        Class::Excepted => "excepted",
    }
}

fn folder_row(row: &Row<'_>) -> Result<FolderRow> {
    Ok(FolderRow {
        folder_id: FolderId(row.get(0)?),
        source_id: SourceId(row.get(1)?),
        path: row.get(2)?,
        container: row.get::<_, Option<u32>>(3)?.map(ItemNo),
    })
}

fn file_row(row: &Row<'_>) -> Result<FileRow> {
    let file_id = FileId(row.get(0)?);
    let uint = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
    Ok(FileRow {
        file_id,
        source_id: SourceId(row.get(1)?),
        folder_id: FolderId(row.get(2)?),
        custodian_id: row.get::<_, Option<u32>>(3)?.map(CustodianId),
        name: row.get(4)?,
        version: row.get(5)?,
        size: uint(6)?,
        mtime_nanos: row.get(7)?,
        inode: uint(8)?,
        kind: row.get(9)?,
        variant: row.get(10)?,
        flags: row.get(11)?,
        scan_state: row.get(12)?,
        state: FileState::from_code(row.get(13)?).ok_or_else(|| {
            StoreError::damaged("catalogue", format!("file {file_id}"), "column state cannot be read")
        })?,
        first_instance: InstanceId(uint(14)?),
        instance_count: uint(15)?,
        message_bytes: uint(16)?,
        separator_bytes: uint(17)?,
        junk_bytes: uint(18)?,
        previous_file: row.get::<_, Option<u32>>(19)?.map(FileId),
        absent_since_run: row.get::<_, Option<u32>>(20)?.map(RunNo),
        run_no: RunNo(row.get(21)?),
    })
}

fn tally_row(row: &Row<'_>) -> Result<TallyRow> {
    let uint = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let file: u32 = row.get(2)?;
    Ok(TallyRow {
        run_no: RunNo(row.get(0)?),
        source_id: SourceId(row.get(1)?),
        file_id: (file != 0).then_some(FileId(file)),
        discovered: uint(3)?,
        new: uint(4)?,
        duplicate: uint(5)?,
        unchanged: uint(6)?,
        excluded: uint(7)?,
        excepted: uint(8)?,
        children_discovered: uint(9)?,
        children_items: uint(10)?,
        children_excepted: uint(11)?,
        bytes: uint(12)?,
    })
}
