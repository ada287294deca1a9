//! Synthetic cases for the tests: rows and originals that agree with one another, from a seed.

use std::path::{Path, PathBuf};

use embley_model::address::{Address, Participant, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::DefectCode;
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, Key128, RunNo, Sha256, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{
    BlobPlaceRow, BlobRow, Checkpoint, CustodianId, CustodianRow, DefectRow, FileRow, FileState, FolderId, FolderRow,
    InstanceRow, InstanceStatus, ItemFlags, ItemKeys, ItemRow, RowBatch, RunKind, RunRow, RunState, SourceRow,
    TallyRow,
};
use embley_store::packs::{FrameBuilder, PackPosition};
use embley_store::{Access, Case, DeriveBytes, Holder, InitOptions, StoreError};
use sha2::Digest;

/// 2020-07-01T12:00:00Z.
pub(crate) const NOW: i64 = 1_593_604_800_000_000;

pub(crate) fn init(folder: &Path) -> PathBuf {
    let path = folder.join("case");
    let options = InitOptions {
        name: "Op Test".into(),
        reference: "2017/1".into(),
        zone: String::new(),
        at_micros: NOW,
    };
    Case::init(&path, &options).expect("an empty folder takes a case");
    path
}

pub(crate) fn holder() -> Holder {
    Holder {
        what: "ingest".into(),
        since_micros: NOW,
    }
}

pub(crate) fn open_write(path: &Path) -> Case {
    Case::open(path, Access::Write(holder())).expect("the case opens for writing")
}

/// A message that a seed makes, of about `size` bytes; every tenth has one attachment, its last 20 bytes.
pub(crate) fn message(seed: u64, size: usize) -> Vec<u8> {
    let mut text = format!("Message-ID: <{seed}@sample>\r\nSubject: sample {seed}\r\n\r\n").into_bytes();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while text.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend_from_slice(format!("word{} ", state % 1000).as_bytes());
    }
    text
}

pub(crate) fn has_part(seed: u64) -> bool {
    seed % 10 == 3
}

/// Takes the part out of a sample message.
pub(crate) struct SampleParts;

impl DeriveBytes for SampleParts {
    fn derive(&self, root_bytes: &[u8], part_path: &str) -> Option<Vec<u8>> {
        (part_path == "1").then(|| root_bytes[root_bytes.len() - 20..].to_vec())
    }
}

pub(crate) fn hashes(bytes: &[u8]) -> (Blake3, Sha256) {
    let sha: [u8; 32] = sha2::Sha256::digest(bytes).into();
    (Blake3(*blake3::hash(bytes).as_bytes()), Sha256(sha))
}

pub(crate) fn date(secs: i64) -> EvidenceDate {
    EvidenceDate {
        raw: "Wed, 1 Jul 2020 13:00:00 +0100".into(),
        utc_secs: Some(secs),
        offset_minutes: Some(60),
        source: DateSource::DateHeader,
        confidence: Confidence::High,
    }
}

/// What an ingest knows while it goes through ranges of sample messages: one mailbox, one custodian.
pub(crate) struct Ingest {
    pub(crate) next_item: u32,
    pub(crate) next_blob: u32,
    pub(crate) next_instance: u64,
    pub(crate) ticket: u64,
    offset: u64,
    pub(crate) builder: FrameBuilder,
    pub(crate) message_size: usize,
}

impl Ingest {
    /// Goes on from a checkpoint of a case that this type wrote.
    pub(crate) fn resume(case: &Case, message_size: usize) -> Self {
        let reader = case.reader().expect("the catalogue opens");
        let last = reader.checkpoint().clone();
        let file = reader.file(FileId(1)).expect("the file table reads");
        Self {
            next_item: last.next_item,
            next_blob: last.next_blob,
            next_instance: last.next_instance,
            ticket: last.ticket.0,
            offset: file.map_or(0, |file| file.size),
            builder: FrameBuilder::new().expect("zstd works"),
            message_size,
        }
    }

    /// The next message's seed: one a message, whatever the ranges.
    pub(crate) fn next_seed(&self) -> u64 {
        self.next_instance - 1
    }

    /// Packs `count` messages and returns the rows for them.
    pub(crate) fn range(
        &mut self,
        packs: &mut embley_store::packs::PackWriter,
        count: u64,
    ) -> Result<RowBatch, StoreError> {
        let mut rows = RowBatch::default();
        let mut spans = Vec::new();
        let first_instance = self.next_instance;
        for seed in self.next_seed()..self.next_seed() + count {
            let bytes = message(seed, self.message_size);
            let (blake3, sha256) = hashes(&bytes);
            spans.push((self.next_blob, self.builder.add(&bytes, &blake3)?));
            let root = ItemNo(self.next_item);
            rows.blobs.push(BlobRow {
                blob_id: BlobId(self.next_blob),
                blake3,
                sha256,
                size: bytes.len() as u64,
                place: BlobPlaceRow::Derived {
                    root_item: root,
                    part_path: String::new(),
                },
                top_item: Some(root),
            });
            rows.items
                .push(root_row(root, self.next_blob, seed, bytes.len() as u64));
            self.next_blob += 1;
            self.next_item += 1;
            if has_part(seed) {
                self.part(&mut rows, root, seed, &bytes);
            }
            rows.instances.push(InstanceRow {
                instance_id: InstanceId(self.next_instance),
                item_no: root,
                file_id: FileId(1),
                ordinal: seed,
                offset: self.offset,
                length: bytes.len() as u64,
                separator: None,
                trailer_len: 0,
                as_found_differs: false,
                status: InstanceStatus::New,
                run_no: RunNo(1),
                second_blake3: None,
                labels: if seed.is_multiple_of(4) {
                    vec!["seen".into()]
                } else {
                    Vec::new()
                },
            });
            self.next_instance += 1;
            self.offset += bytes.len() as u64;
        }
        let range = self.builder.finish()?;
        let frames = packs.append(&range)?;
        for (blob, span) in spans {
            let row = rows
                .blobs
                .iter_mut()
                .find(|row| row.blob_id.0 == blob)
                .expect("the row was pushed above");
            row.place = span.place(&frames).expect("the span is of this range");
        }
        if first_instance == 1 {
            preamble(&mut rows);
        }
        rows.files.push(file_row(self.next_instance - 1, self.offset));
        rows.tallies.push(self.tally());
        Ok(rows)
    }

    fn part(&mut self, rows: &mut RowBatch, root: ItemNo, seed: u64, bytes: &[u8]) {
        let part = &bytes[bytes.len() - 20..];
        let (blake3, sha256) = hashes(part);
        rows.blobs.push(BlobRow {
            blob_id: BlobId(self.next_blob),
            blake3,
            sha256,
            size: 20,
            place: BlobPlaceRow::Derived {
                root_item: root,
                part_path: "1".into(),
            },
            top_item: None,
        });
        let mut item = root_row(ItemNo(self.next_item), self.next_blob, seed, 20);
        item.root = root;
        item.parent = Some(root);
        item.family_size = 0;
        item.part_path = "1".into();
        item.kind = ItemKind::Attachment;
        item.media_type = "application/octet-stream".into();
        item.filename = Some(format!("part {seed}.bin"));
        item.searchability = Searchability::FormatNotSupported;
        item.message_id = None;
        item.keys = None;
        rows.items.push(item);
        rows.defects.push(DefectRow {
            item_no: ItemNo(self.next_item),
            code: DefectCode::TypeNotSearchable,
            detail: String::new(),
            range: Some(0..20),
        });
        self.next_blob += 1;
        self.next_item += 1;
    }

    fn tally(&self) -> TallyRow {
        let entries = self.next_instance - 1;
        let parts = u64::from(self.next_item) - 1 - entries;
        TallyRow {
            discovered: entries,
            new: entries,
            children_discovered: parts,
            children_items: parts,
            bytes: self.offset,
            ..TallyRow::zero(RunNo(1), SourceId(1), Some(FileId(1)))
        }
    }

    pub(crate) fn checkpoint(&mut self, pack: PackPosition) -> Checkpoint {
        self.ticket += 1;
        Checkpoint {
            ticket: Ticket(self.ticket),
            run_no: RunNo(1),
            pack,
            next_item: self.next_item,
            next_blob: self.next_blob,
            next_instance: self.next_instance,
            at_micros: NOW,
        }
    }
}

/// Takes `messages` into a case in checkpoints of `each`, from wherever it stopped, then finishes it.
pub(crate) fn ingest(case: &Case, messages: u64, each: u64, size: usize) -> Result<(), StoreError> {
    ingest_rolling(case, messages, each, size, u64::MAX)
}

/// The same, with packs that roll over at `roll` bytes.
pub(crate) fn ingest_rolling(case: &Case, messages: u64, each: u64, size: usize, roll: u64) -> Result<(), StoreError> {
    let mut packs = case.pack_writer()?;
    packs.roll_at(roll);
    let mut writer = case.catalogue_writer()?;
    let mut ingest = Ingest::resume(case, size);
    while ingest.next_seed() < messages {
        let count = each.min(messages - ingest.next_seed());
        let rows = ingest.range(&mut packs, count)?;
        let pack = packs.sync()?;
        writer.append(rows);
        writer.commit(ingest.checkpoint(pack))?;
    }
    let mut done = RowBatch::default();
    done.runs.push(run_row(RunState::Done));
    writer.append(done);
    writer.commit(ingest.checkpoint(packs.position()))?;
    writer.compact_sets()?;
    writer.build_lookups()
}

pub(crate) fn run_row(state: RunState) -> RunRow {
    RunRow {
        run_no: RunNo(1),
        kind: RunKind::Ingest,
        state,
        started_micros: NOW,
        ended_micros: (state != RunState::Running).then_some(NOW),
        settings: "{}".into(),
        summary: String::new(),
    }
}

fn preamble(rows: &mut RowBatch) {
    rows.runs.push(run_row(RunState::Running));
    rows.custodians.push(CustodianRow {
        custodian_id: CustodianId(1),
        name: "Ann Smith".into(),
    });
    rows.sources.push(SourceRow {
        source_id: SourceId(1),
        label: "ann".into(),
        absolute: "/evidence/ann".into(),
        custodian_id: Some(CustodianId(1)),
        custodian_rule: "named".into(),
        run_no: RunNo(1),
    });
    rows.folders.push(FolderRow {
        folder_id: FolderId(1),
        source_id: SourceId(1),
        path: b"mail".to_vec(),
        container: None,
    });
}

pub(crate) fn file_row(instances: u64, size: u64) -> FileRow {
    FileRow {
        file_id: FileId(1),
        source_id: SourceId(1),
        folder_id: FolderId(1),
        custodian_id: Some(CustodianId(1)),
        name: b"inbox.mbox".to_vec(),
        version: 1,
        size,
        mtime_nanos: 7,
        inode: u64::MAX,
        kind: 1,
        variant: 2,
        flags: String::new(),
        scan_state: None,
        state: FileState::Done,
        first_instance: InstanceId(1),
        instance_count: instances,
        message_bytes: size,
        separator_bytes: 0,
        junk_bytes: 0,
        previous_file: None,
        absent_since_run: None,
        run_no: RunNo(1),
    }
}

pub(crate) fn root_row(item: ItemNo, blob: u32, seed: u64, size: u64) -> ItemRow {
    let who = |role, name: &str| Participant {
        role,
        address: Address {
            name: name.into(),
            addr: format!("{}@force.example", name.to_lowercase()),
        },
    };
    ItemRow {
        item_no: item,
        blob_id: BlobId(blob),
        root: item,
        parent: None,
        family_size: 1 + u32::from(has_part(seed)),
        part_path: String::new(),
        kind: ItemKind::Email,
        media_type: "message/rfc822".into(),
        filename: None,
        size,
        date: date(1_593_604_800 + seed as i64),
        subject: format!("sample {seed}"),
        participants: vec![
            who(Role::From, "Ann"),
            who(Role::To, "Bob"),
            who(Role::Cc, &format!("Cc{}", seed % 50)),
        ],
        message_id: Some(format!("<{seed}@sample>")),
        in_reply_to: if seed > 0 {
            vec![format!("<{}@sample>", seed - 1)]
        } else {
            Vec::new()
        },
        references: vec![format!("<{}@sample>", seed / 2), format!("<{}@sample>", seed / 3)],
        thread_index: None,
        keys: Some(ItemKeys {
            version: 1,
            mih: Some(key(seed, 1)),
            email: key(seed, 2),
            body: key(seed, 3),
            family: key(seed, 4),
        }),
        sketch: Some(vec![seed as u8; 64]),
        searchability: Searchability::Searched,
        flags: ItemFlags {
            has_html: seed.is_multiple_of(2),
            ..ItemFlags::default()
        },
        labels: Vec::new(),
        run_no: RunNo(1),
    }
}

pub(crate) fn key(seed: u64, salt: u8) -> Key128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(&[salt]);
    let mut key = Key128([0; 16]);
    key.0.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}
