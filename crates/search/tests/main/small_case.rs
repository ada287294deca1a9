//! A case of eight items in three families, a loose file and a record, with rows, sets and postings that agree.

use std::path::PathBuf;

use embley_index::analysis::Tokens;
use embley_index::{IndexDoc, IndexStore};
use embley_model::address::{Address, Participant, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::DefectCode;
use embley_model::field::Field;
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, RunNo, Sha256, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_search::ItemText;
use embley_search::plan::BoxError;
use embley_store::catalogue::{
    BlobPlaceRow, BlobRow, Checkpoint, CustodianId, CustodianRow, DefectRow, FileRow, FileState, FolderId, FolderRow,
    InstanceRow, InstanceStatus, ItemFlags, ItemRow, RowBatch, SourceRow,
};
use embley_store::{Access, Case, Holder, InitOptions};
use tempfile::TempDir;

/// 2020-07-01T12:00:00Z.
pub(crate) const NOW: i64 = 1_593_604_800_000_000;

/// One item of the case.
#[derive(Clone, Copy)]
pub(crate) struct Item {
    kind: ItemKind,
    root: u32,
    part: &'static str,
    from: &'static str,
    to: &'static str,
    subject: &'static str,
    pub(crate) text: &'static str,
    filename: &'static str,
    date: &'static str,
    searchability: Searchability,
}

const MAIL: Item = Item {
    kind: ItemKind::Email,
    root: 0,
    part: "",
    from: "",
    to: "",
    subject: "",
    text: "",
    filename: "",
    date: "",
    searchability: Searchability::Searched,
};

/// Item numbers are the places in this list, from 1.
pub(crate) const ITEMS: [Item; 8] = [
    Item {
        root: 1,
        from: "John Smith <John.Smith@force.example>",
        to: "Ann Lee <ann@law.example>",
        subject: "Hearing on gross misconduct",
        text: "Ann,\n\nthe gross\nmisconduct was discussed; an e-mail follows.\n\nJohn",
        date: "2001-05-13T23:30:00Z",
        ..MAIL
    },
    Item {
        kind: ItemKind::Attachment,
        root: 1,
        part: "1",
        filename: "Café notes.txt",
        text: "Notes about fraud and theft, misconduct not gross.",
        date: "2001-05-13T23:30:00Z",
        ..MAIL
    },
    Item {
        root: 3,
        from: "Ann Lee <ann@law.example>",
        to: "John Smith <John.Smith@force.example>",
        subject: "Re: lunch",
        text: "No fraud, only lunch.",
        ..MAIL
    },
    Item {
        kind: ItemKind::Attachment,
        root: 3,
        part: "1",
        filename: "plan.png",
        searchability: Searchability::Media,
        ..MAIL
    },
    Item {
        kind: ItemKind::Email,
        root: 3,
        part: "2",
        from: "Eve <eve@other.example>",
        subject: "Forwarded",
        text: "Fraud again.",
        date: "2003-01-01T00:00:00Z",
        ..MAIL
    },
    Item {
        root: 6,
        from: "John Smith <John.Smith@force.example>",
        subject: "secret",
        date: "2003-06-01T10:00:00Z",
        searchability: Searchability::Encrypted,
        ..MAIL
    },
    Item {
        kind: ItemKind::Document,
        root: 7,
        filename: "policy.txt",
        text: "The policy on misconduct and on fraud, fraud, fraud.",
        date: "2002-03-04T05:06:07Z",
        ..MAIL
    },
    Item {
        kind: ItemKind::Record,
        root: 8,
        subject: "Severity assessment",
        text: "gross misconduct",
        date: "2002-03-05T00:00:00Z",
        ..MAIL
    },
];

/// (root, file): item 1 was found with Smith and twice with Jones, 3 with Jones, 6 with Smith, 7 in a source without a custodian.
const INSTANCES: [(u32, u32); 6] = [(1, 1), (6, 1), (1, 2), (1, 2), (3, 2), (7, 3)];

pub(crate) struct SmallCase {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

impl SmallCase {
    /// Makes the case; the index holds the items up to `indexed`.
    pub(crate) fn make(indexed: u32) -> Self {
        let made = Self::without_index_up_to(indexed);
        made.write_index(indexed);
        made
    }

    /// Makes the case with rows only.
    pub(crate) fn without_index() -> Self {
        Self::without_index_up_to(8)
    }

    fn without_index_up_to(indexed: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("case");
        let options = InitOptions {
            name: "Op Test".into(),
            reference: String::new(),
            zone: String::new(),
            at_micros: NOW,
        };
        Case::init(&path, &options).expect("an empty folder takes a case");
        let made = Self { path, _folder: folder };
        made.write_rows(indexed);
        made
    }

    pub(crate) fn open(&self) -> Case {
        Case::open(&self.path, Access::Facts).expect("the case opens")
    }

    /// Two checkpoints: ticket 1 with the items up to `indexed`, ticket 2 with all.
    fn write_rows(&self, indexed: u32) {
        let holder = Holder {
            what: "ingest".into(),
            since_micros: NOW,
        };
        let case = Case::open(&self.path, Access::Write(holder)).expect("nobody else has it");
        let mut writer = case.catalogue_writer().expect("the catalogue opens");
        writer.append(places());
        for (ticket, numbers) in [(1, 1..=indexed), (2, indexed + 1..=8)] {
            let mut batch = RowBatch::default();
            for number in numbers {
                let (item, blob) = rows(number);
                batch.items.push(item);
                batch.blobs.push(blob);
            }
            if ticket == 2 {
                batch.instances = (1..)
                    .zip(INSTANCES)
                    .map(|(id, (root, file))| instance(id, root, file))
                    .collect();
                batch.defects.push(DefectRow {
                    item_no: ItemNo(6),
                    code: DefectCode::MailEncrypted,
                    detail: String::new(),
                    range: None,
                });
            }
            let next_item = if ticket == 1 { indexed + 1 } else { 9 };
            writer.append(batch);
            let instances = if ticket == 1 { 1 } else { INSTANCES.len() as u64 + 1 };
            let checkpoint = Checkpoint {
                ticket: Ticket(ticket),
                run_no: RunNo(1),
                pack: writer.last_checkpoint().pack,
                next_item,
                next_blob: next_item,
                next_instance: instances,
                at_micros: NOW,
            };
            writer.commit(checkpoint).expect("the catalogue takes the rows");
        }
        writer.build_lookups().expect("look-up indexes are made");
    }

    fn write_index(&self, indexed: u32) {
        let case = self.open();
        let mut index = IndexStore::open_or_create(&case.index_dir()).expect("the index is made");
        let mut segments = Vec::new();
        // Two segments, so that answers have to be joined.
        for numbers in [1..=3.min(indexed), 4..=indexed] {
            let mut builder = index.builder(20 << 20);
            for number in numbers {
                builder.add(&doc(number)).expect("the segment takes the item");
            }
            segments.extend(builder.finish().expect("the segment is written"));
        }
        let ticket = if indexed == 8 { 2 } else { 1 };
        index.commit(segments, Ticket(ticket)).expect("the index commits");
    }
}

/// Texts of the items, out of the list above.
pub(crate) struct ListTexts;

impl ItemText for ListTexts {
    fn text(&self, item: ItemNo) -> Result<String, BoxError> {
        if item.0 == 7 {
            return Err("the pack is damaged".into());
        }
        Ok(ITEMS[item.0 as usize - 1].text.to_owned())
    }
}

fn places() -> RowBatch {
    let mut batch = RowBatch::default();
    for (id, name) in [(1, "Smith, John"), (2, "Jónes")] {
        batch.custodians.push(CustodianRow {
            custodian_id: CustodianId(id),
            name: name.into(),
        });
    }
    for (id, label, folder, file, custodian) in [
        (1, "smith-export", "mail/2001", "inbox.mbox", Some(1)),
        (2, "jones-export", "", "all mail.mbox", Some(2)),
        (3, "shared", "policies", "policy.txt", None),
    ] {
        let custodian_id = custodian.map(CustodianId);
        batch.sources.push(SourceRow {
            source_id: SourceId(id),
            label: label.into(),
            absolute: format!("/evidence/{label}"),
            custodian_id,
            custodian_rule: String::new(),
            run_no: RunNo(1),
        });
        batch.folders.push(FolderRow {
            folder_id: FolderId(id),
            source_id: SourceId(id),
            path: folder.into(),
            container: None,
        });
        let found = |of: &&(u32, u32)| of.1 == id;
        batch.files.push(FileRow {
            file_id: FileId(id),
            source_id: SourceId(id),
            folder_id: FolderId(id),
            custodian_id,
            name: file.into(),
            version: 1,
            size: 100,
            mtime_nanos: 0,
            inode: 0,
            kind: 0,
            variant: 0,
            flags: String::new(),
            scan_state: None,
            state: FileState::Done,
            first_instance: InstanceId(1 + INSTANCES.iter().take_while(|one| one.1 < id).count() as u64),
            instance_count: INSTANCES.iter().filter(found).count() as u64,
            message_bytes: 100,
            separator_bytes: 0,
            junk_bytes: 0,
            previous_file: None,
            absent_since_run: None,
            run_no: RunNo(1),
        });
    }
    batch
}

fn instance(id: u64, root: u32, file: u32) -> InstanceRow {
    InstanceRow {
        instance_id: InstanceId(id),
        item_no: ItemNo(root),
        file_id: FileId(file),
        ordinal: id,
        offset: 0,
        length: 10,
        separator: None,
        trailer_len: 0,
        as_found_differs: false,
        status: InstanceStatus::New,
        run_no: RunNo(1),
        second_blake3: None,
        labels: if root == 3 { vec!["Seen".into()] } else { Vec::new() },
    }
}

fn seconds(date: &str) -> Option<i64> {
    date.parse::<jiff::Timestamp>().ok().map(|stamp| stamp.as_second())
}

fn address(text: &str) -> Option<Address> {
    let (name, addr) = text.split_once(" <")?;
    Some(Address {
        name: name.into(),
        addr: addr.trim_end_matches('>').into(),
    })
}

/// A hash that begins with the item's number.
pub(crate) fn hash(number: u32) -> [u8; 32] {
    let mut bytes = [0xAB; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn rows(number: u32) -> (ItemRow, BlobRow) {
    let one = ITEMS[number as usize - 1];
    let is_root = one.root == number;
    let place = BlobPlaceRow::Derived {
        root_item: ItemNo(one.root),
        part_path: one.part.into(),
    };
    let participants = [(Role::From, one.from), (Role::To, one.to)]
        .into_iter()
        .filter_map(|(role, text)| address(text).map(|address| Participant { role, address }))
        .collect();
    let item = ItemRow {
        item_no: ItemNo(number),
        blob_id: BlobId(number),
        root: ItemNo(one.root),
        parent: (!is_root).then_some(ItemNo(one.root)),
        family_size: if is_root {
            ITEMS.iter().filter(|other| other.root == number).count() as u32
        } else {
            0
        },
        part_path: one.part.into(),
        kind: one.kind,
        media_type: if one.filename.ends_with("png") {
            "image/png".into()
        } else {
            "text/plain".into()
        },
        filename: (!one.filename.is_empty()).then(|| one.filename.into()),
        size: u64::from(number) * 1000,
        date: EvidenceDate {
            raw: one.date.into(),
            utc_secs: seconds(one.date),
            offset_minutes: None,
            source: DateSource::DateHeader,
            confidence: Confidence::High,
        },
        subject: one.subject.into(),
        participants,
        message_id: (one.kind == ItemKind::Email).then(|| format!("<{number}@force.example>")),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        keys: None,
        sketch: None,
        searchability: one.searchability,
        flags: ItemFlags::default(),
        labels: Vec::new(),
        run_no: RunNo(1),
    };
    let mut sha256 = hash(number);
    sha256[0] = 0xFF;
    let blob = BlobRow {
        blob_id: BlobId(number),
        blake3: Blake3(hash(number)),
        sha256: Sha256(sha256),
        size: u64::from(number) * 1000,
        place,
        top_item: is_root.then_some(ItemNo(number)),
    };
    (item, blob)
}

fn doc(number: u32) -> IndexDoc {
    let one = ITEMS[number as usize - 1];
    let mut doc = IndexDoc::new(number, one.kind);
    doc.date = seconds(one.date);
    doc.size = u64::from(number) * 1000;
    let body = if one.kind == ItemKind::Attachment {
        Field::Attachment
    } else {
        Field::Body
    };
    for (field, text) in [
        (body, one.text),
        (Field::Subject, one.subject),
        (Field::Filename, one.filename),
    ] {
        let mut tokens = Tokens::new();
        tokens.text(text);
        doc.texts.push((field, tokens));
    }
    for (field, text) in [(Field::From, one.from), (Field::To, one.to)] {
        doc.people(field, address(text).as_ref());
    }
    if number == 3 {
        let mut author = Tokens::new();
        author.text("Jo Smith");
        doc.texts.push((Field::Author, author));
    }
    if !one.text.is_empty() {
        let language = if matches!(number, 1 | 7) { "en" } else { "und" };
        doc.keywords.push((Field::Language, language.into()));
    }
    if one.kind == ItemKind::Email {
        doc.keywords.push((Field::MessageId, format!("{number}@force.example")));
    }
    if one.filename.ends_with("png") {
        doc.keywords.push((Field::Type, "image/png".into()));
    }
    if number == 1 || number == 3 {
        doc.keywords.push((Field::Has, "attachment".into()));
    }
    if number == 6 {
        doc.keywords
            .push((Field::Defect, DefectCode::MailEncrypted.text().into()));
    }
    doc
}
