//! What the store costs: CPU-microseconds a message for catalogue rows, and MB/s of the frame builder.
//!
//! `cargo run --release -p embley-store --example store_cost -- [MESSAGES [FILE]]` in a folder with room; prints one line a step.
//! FILE is cut into blobs of 5 KB for the frame builder, beside made-up text.
#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::time::Duration;

use embley_model::address::{Address, Participant, Role};
use embley_model::clock::{Clock, SystemClock};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::defect::DefectCode;
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, Key128, RunNo, Sha256, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_store::catalogue::{
    BlobPlaceRow, BlobRow, Checkpoint, CustodianId, DefectRow, FileRow, FileState, FolderId, InstanceRow,
    InstanceStatus, ItemFlags, ItemKeys, ItemRow, RowBatch,
};
use embley_store::packs::{FrameBuilder, PackPosition};
use embley_store::{Access, Case, Holder, InitOptions, StoreError};

const PER_CHECKPOINT: u32 = 12_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let messages: u32 = std::env::args().nth(1).map_or(Ok(200_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    let path = folder.path().join("case");
    let clock = SystemClock::new();
    Case::init(
        &path,
        &InitOptions {
            name: "cost".into(),
            reference: String::new(),
            zone: String::new(),
            at_micros: 0,
        },
    )?;
    let case = Case::open(
        &path,
        Access::Write(Holder {
            what: "cost".into(),
            since_micros: 0,
        }),
    )?;
    rows(&case, messages, &clock)?;
    reading(&case, &clock)?;
    frames(&clock)?;
    Ok(())
}

/// Nanoseconds that this thread has been on a CPU.
fn cpu() -> Result<Duration, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split_whitespace().next().ok_or("schedstat is empty")?.parse()?;
    Ok(Duration::from_nanos(nanos))
}

fn rows(case: &Case, messages: u32, clock: &SystemClock) -> Result<(), Box<dyn std::error::Error>> {
    let mut writer = case.catalogue_writer()?;
    writer.begin_bulk(u64::from(messages))?;
    let (mut spent, mut wall, mut longest) = (Duration::ZERO, 0, 0);
    let mut made = Made {
        message: 0,
        next: Checkpoint {
            ticket: Ticket(0),
            run_no: RunNo(1),
            pack: PackPosition::default(),
            next_item: 1,
            next_blob: 1,
            next_instance: 1,
            at_micros: 0,
        },
        rows: 0,
    };
    while made.message < messages {
        let mut batches = Vec::new();
        for _ in 0..60 {
            batches.push(made.batch(PER_CHECKPOINT / 60));
        }
        made.next.ticket.0 += 1;
        let (cpu_before, wall_before) = (cpu()?, clock.monotonic_nanos());
        for batch in batches {
            writer.append(batch);
        }
        writer.commit(made.next.clone())?;
        spent += cpu()? - cpu_before;
        let took = clock.monotonic_nanos() - wall_before;
        wall += took;
        longest = longest.max(took);
    }
    let each = |duration: Duration| duration.as_secs_f64() * 1e6 / f64::from(messages);
    println!(
        "rows: {messages} messages, {:.1} rows each, {:.2} CPU-us each, {:.2} us wall each, longest commit {} ms",
        made.rows as f64 / f64::from(messages),
        each(spent),
        wall as f64 / 1e3 / f64::from(messages),
        longest / 1_000_000
    );
    let before = cpu()?;
    writer.build_lookups()?;
    println!("look-up indexes: {:.2} CPU-us each", each(cpu()? - before));
    let before = cpu()?;
    writer.compact_sets()?;
    writer.settle()?;
    println!("joining sets and settling: {:.2} CPU-us each", each(cpu()? - before));
    let size = std::fs::metadata(case.catalogue_path())?.len();
    println!(
        "catalogue: {:.0} bytes a message with look-up indexes",
        size as f64 / f64::from(messages)
    );
    Ok(())
}

fn reading(case: &Case, clock: &SystemClock) -> Result<(), Box<dyn std::error::Error>> {
    let begun = clock.monotonic_nanos();
    let reader = case.reader()?;
    let opened = clock.monotonic_nanos();
    let mut count = 0_u64;
    reader.for_each_dedup(|_| count += 1)?;
    let read = clock.monotonic_nanos();
    println!(
        "opening: {} us; de-duplication entries: {count} in {} ms",
        (opened - begun) / 1000,
        (read - opened) / 1_000_000
    );
    let begun = clock.monotonic_nanos();
    let mut count = 0_u64;
    reader.for_each_brief(ItemNo(1)..ItemNo(u32::MAX), |_| {
        count += 1;
        Ok::<_, StoreError>(())
    })?;
    println!(
        "brief rows: {count} in {} ms",
        (clock.monotonic_nanos() - begun) / 1_000_000
    );
    let begun = clock.monotonic_nanos();
    let items = reader.custodian_items(CustodianId(1))?.len();
    println!(
        "custodian set: {items} items in {} us",
        (clock.monotonic_nanos() - begun) / 1000
    );
    let begun = clock.monotonic_nanos();
    let mut found = 0;
    for number in (1..=2000_u32).map(|at| at * 37) {
        found += usize::from(reader.item(ItemNo(number))?.is_some());
    }
    println!(
        "item(): {found} found, {} us each",
        (clock.monotonic_nanos() - begun) / 1000 / 2000
    );
    Ok(())
}

fn frames(clock: &SystemClock) -> Result<(), Box<dyn std::error::Error>> {
    let mut state = 7_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words: Vec<String> = (0..4000)
        .map(|at| format!("{}{}", ["an", "be", "co", "de", "eth"][at % 5], next() % 99_999))
        .collect();
    let mail: Vec<Vec<u8>> = (0..4000)
        .map(|_| {
            let mut text = Vec::new();
            while text.len() < 5000 {
                // Low indices are commoner, as in a language.
                let at = (next() % 4000) * (next() % 4000) * (next() % 4000) / 16_000_000;
                text.extend_from_slice(words[at as usize].as_bytes());
                text.push(b' ');
            }
            text
        })
        .collect();
    let mut noise = vec![0; 5000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let noise: Vec<Vec<u8>> = (0..4000_u32)
        .map(|at| {
            let mut bytes = noise.clone();
            blake3::Hasher::new()
                .update(&at.to_le_bytes())
                .finalize_xof()
                .fill(&mut bytes);
            bytes
        })
        .collect();
    let file: Vec<Vec<u8>> = match std::env::args().nth(2) {
        Some(path) => std::fs::read(path)?.chunks(5000).map(<[u8]>::to_vec).collect(),
        None => Vec::new(),
    };
    for (name, blobs) in [("text", &mail), ("incompressible", &noise), ("the file", &file)] {
        if blobs.is_empty() {
            continue;
        }
        let hashes: Vec<Blake3> = blobs
            .iter()
            .map(|blob| Blake3(*blake3::hash(blob).as_bytes()))
            .collect();
        let mut builder = FrameBuilder::new()?;
        let (mut plain, mut stored) = (0, 0);
        let begun = clock.monotonic_nanos();
        for (at, (blob, hash)) in blobs.iter().zip(&hashes).enumerate() {
            builder.add(blob, hash)?;
            if at % 200 == 199 {
                let range = builder.finish()?;
                plain += range.plain_bytes();
                stored += range.stored_bytes();
                builder.recycle(range);
            }
        }
        let nanos = clock.monotonic_nanos() - begun;
        println!(
            "frames of {name}: {:.0} MB/s, ratio {:.3}; zstd alone over the same bytes {:.0} MB/s",
            plain as f64 * 1e3 / nanos as f64,
            stored as f64 / plain as f64,
            zstd_alone(blobs, clock)?
        );
    }
    Ok(())
}

/// MB/s of one zstd context over pieces of 256 KiB.
fn zstd_alone(blobs: &[Vec<u8>], clock: &SystemClock) -> Result<f64, Box<dyn std::error::Error>> {
    let plain = blobs.concat();
    let mut compressor = zstd::bulk::Compressor::new(3)?;
    let mut out = Vec::with_capacity(1 << 20);
    let begun = clock.monotonic_nanos();
    for piece in plain.chunks(256 << 10) {
        compressor.compress_to_buffer(piece, &mut out)?;
    }
    Ok(plain.len() as f64 * 1e3 / (clock.monotonic_nanos() - begun) as f64)
}

struct Made {
    message: u32,
    next: Checkpoint,
    rows: u64,
}

impl Made {
    /// Seven rows a message, as in the measurement that the budget comes from: instance, item and blob of the message, item and blob of an
    /// attachment on two of three, a defect on two of three, and addresses.
    fn batch(&mut self, messages: u32) -> RowBatch {
        let mut rows = RowBatch::default();
        for _ in 0..messages {
            self.message += 1;
            let root = ItemNo(self.next.next_item);
            self.item(&mut rows, root, None);
            rows.instances.push(InstanceRow {
                instance_id: InstanceId(self.next.next_instance),
                item_no: root,
                file_id: FileId(1),
                ordinal: u64::from(self.message),
                offset: u64::from(self.message) * 5000,
                length: 5000,
                separator: Some(b"From ann.smith@force.example Wed Jul  1 12:00:00 2020\n".to_vec()),
                trailer_len: 1,
                as_found_differs: false,
                status: InstanceStatus::New,
                run_no: RunNo(1),
                second_blake3: None,
                labels: Vec::new(),
            });
            self.next.next_instance += 1;
            self.rows += 1;
            if !self.message.is_multiple_of(3) {
                let part = ItemNo(self.next.next_item);
                self.item(&mut rows, part, Some(root));
                rows.defects.push(DefectRow {
                    item_no: part,
                    code: DefectCode::TypeNotSearchable,
                    detail: "application/pdf".into(),
                    range: None,
                });
                rows.defects.push(DefectRow {
                    item_no: part,
                    code: DefectCode::TypeMismatch,
                    detail: String::new(),
                    range: Some(100..4000),
                });
                self.rows += 2;
            }
        }
        rows.files.push(file(self.next.next_instance));
        rows
    }

    fn item(&mut self, rows: &mut RowBatch, item: ItemNo, parent: Option<ItemNo>) {
        let number = self.message;
        let digest = *blake3::hash(&self.next.next_blob.to_le_bytes()).as_bytes();
        let mut half = Key128([0; 16]);
        half.0.copy_from_slice(&digest[8..24]);
        let root = parent.unwrap_or(item);
        rows.blobs.push(BlobRow {
            blob_id: BlobId(self.next.next_blob),
            blake3: Blake3(digest),
            sha256: Sha256(digest),
            size: 5000,
            place: match parent {
                None => BlobPlaceRow::Pack {
                    pack: 1,
                    frame_offset: u64::from(number) * 1400,
                    offset_in_frame: number % 250_000,
                },
                Some(root) => BlobPlaceRow::Derived {
                    root_item: root,
                    part_path: "1".into(),
                },
            },
            top_item: parent.is_none().then_some(item),
        });
        let who = |role, number: u32| Participant {
            role,
            address: Address {
                name: format!("Person Number{number}"),
                addr: format!("person.{number}@force.example"),
            },
        };
        let mail = parent.is_none();
        rows.items.push(ItemRow {
            item_no: item,
            blob_id: BlobId(self.next.next_blob),
            root,
            parent,
            family_size: if mail {
                1 + u32::from(!number.is_multiple_of(3))
            } else {
                0
            },
            part_path: if mail { String::new() } else { "1".into() },
            kind: if mail { ItemKind::Email } else { ItemKind::Attachment },
            media_type: if mail {
                "message/rfc822".into()
            } else {
                "application/pdf".into()
            },
            filename: (!mail).then(|| format!("document {number}.pdf")),
            size: 5000,
            date: EvidenceDate {
                raw: if mail {
                    "Wed, 1 Jul 2020 13:00:00 +0100".into()
                } else {
                    String::new()
                },
                utc_secs: Some(1_593_604_800 + i64::from(number)),
                offset_minutes: Some(60),
                source: DateSource::DateHeader,
                confidence: Confidence::High,
            },
            subject: if mail {
                format!("Re: the review of case {} and its timeliness", number % 5000)
            } else {
                String::new()
            },
            participants: if mail {
                vec![
                    who(Role::From, number % 9000),
                    who(Role::To, number / 7 % 9000),
                    who(Role::Cc, number / 3 % 9000),
                ]
            } else {
                Vec::new()
            },
            message_id: mail.then(|| format!("<{number}.{}@mail.force.example>", u64::from(number) * 7919)),
            in_reply_to: if mail {
                vec![format!("<{}.77@mail.force.example>", number / 2)]
            } else {
                Vec::new()
            },
            references: if mail {
                (1..4)
                    .map(|back| format!("<{}.77@mail.force.example>", number / (back + 1)))
                    .collect()
            } else {
                Vec::new()
            },
            thread_index: None,
            keys: mail.then_some(ItemKeys {
                version: 1,
                mih: Some(half),
                email: half,
                body: half,
                family: half,
            }),
            sketch: mail.then(|| [digest, digest].concat()),
            searchability: if mail {
                Searchability::Searched
            } else {
                Searchability::FormatNotSupported
            },
            flags: ItemFlags::default(),
            labels: Vec::new(),
            run_no: RunNo(1),
        });
        self.next.next_blob += 1;
        self.next.next_item += 1;
        self.rows += 2;
    }
}

fn file(instances: u64) -> FileRow {
    FileRow {
        file_id: FileId(1),
        source_id: SourceId(1),
        folder_id: FolderId(1),
        custodian_id: Some(CustodianId(1)),
        name: b"inbox.mbox".to_vec(),
        version: 1,
        size: instances * 5000,
        mtime_nanos: 0,
        inode: 0,
        kind: 0,
        variant: 0,
        flags: String::new(),
        scan_state: None,
        state: FileState::Scanning,
        first_instance: InstanceId(1),
        instance_count: instances,
        message_bytes: 0,
        separator_bytes: 0,
        junk_bytes: 0,
        previous_file: None,
        absent_since_run: None,
        run_no: RunNo(1),
    }
}
