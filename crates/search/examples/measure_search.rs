//! Measures whole searches on a synthetic case: exact count, 20 hits with snippets, custodian facet.
//!
//! `cargo run --release -p embley-search --example measure_search -- FOLDER [ITEMS] [QUERIES]` makes the case in FOLDER when it is not
//! there. Texts for snippets are made again from the item's number, so reading and parsing originals is not in the figures.

use std::io::Write;
use std::path::Path;

use embley_index::analysis::Tokens;
use embley_index::{IndexDoc, IndexStore};
use embley_model::address::{Address, Participant, Role};
use embley_model::clock::{Clock, SystemClock};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::field::Field;
use embley_model::id::{Blake3, BlobId, FileId, InstanceId, ItemNo, RunNo, Sha256, SourceId, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_search::{BoxError, Facet, ItemText, SearchOptions, Searcher};
use embley_store::catalogue::{
    BlobPlaceRow, BlobRow, Checkpoint, CustodianId, CustodianRow, FileRow, FileState, FolderId, FolderRow, InstanceRow,
    InstanceStatus, ItemFlags, ItemRow, RowBatch, SourceRow,
};
use embley_store::{Access, Case, Holder, InitOptions};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CUSTODIANS: u32 = 20;
const WORDS_A_TEXT: u64 = 80;
const VOCABULARY: f64 = 60_000.0;
const BATCH: u32 = 20_000;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("a folder is needed")?;
    let items: u32 = args.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let queries: u64 = args.next().map_or(Ok(200), |text| text.parse())?;
    let path = Path::new(&folder);
    let clock = SystemClock::new();
    if !path.join("case.toml").is_file() {
        make(path, items)?;
    }
    let case = Case::open(path, Access::Read)?;
    let begun = clock.monotonic_nanos();
    let searcher = Searcher::open(&case)?;
    let mut out = std::io::stdout().lock();
    let millis = |nanos: u64| nanos as f64 / 1e6;
    writeln!(
        out,
        "{} items, {} segments, opened in {:.1} ms",
        searcher.snapshot().item_count(),
        searcher.snapshot().segment_count(),
        millis(clock.monotonic_nanos() - begun)
    )?;
    writeln!(
        out,
        "{:<34} {:>8} {:>8} {:>8} {:>12} {:>10}",
        "shape", "p50 ms", "p99 ms", "max ms", "p50 counted", "hits p50"
    )?;
    for (name, shape) in SHAPES {
        let mut times = Vec::new();
        let mut counted_times = Vec::new();
        let mut counts = Vec::new();
        for seed in 0..queries + 20 {
            let query = shape(&mut Random::new(seed * 977 + 5), items);
            let begun = clock.monotonic_nanos();
            let plan = searcher.plan(&query)?;
            let options = SearchOptions {
                limit: Some(20),
                facets: &[Facet::Custodian],
                texts: Some(&MadeTexts),
                ..SearchOptions::default()
            };
            let answer = searcher.run(&plan, options)?;
            let count = answer.summary().count;
            let counted = clock.monotonic_nanos() - begun;
            for hit in answer.hits()? {
                std::hint::black_box(hit?);
            }
            // The first queries warm the caches.
            if seed >= 20 {
                times.push(clock.monotonic_nanos() - begun);
                counted_times.push(counted);
                counts.push(count);
            }
        }
        times.sort_unstable();
        counted_times.sort_unstable();
        counts.sort_unstable();
        let at = |share: f64| millis(times[((times.len() - 1) as f64 * share) as usize]);
        writeln!(
            out,
            "{name:<34} {:>8.2} {:>8.2} {:>8.2} {:>12.2} {:>10}",
            at(0.5),
            at(0.99),
            at(1.0),
            millis(counted_times[counted_times.len() / 2]),
            counts[counts.len() / 2]
        )?;
    }
    let before = anonymous_kib();
    let begun = clock.monotonic_nanos();
    let plan = searcher.plan("*")?;
    let answer = searcher.run(&plan, SearchOptions::default())?;
    let mut streamed = 0_u64;
    let mut highest = 0;
    for hit in answer.hits()? {
        std::hint::black_box(hit?);
        streamed += 1;
        if streamed.is_multiple_of(50_000) {
            highest = highest.max(anonymous_kib());
        }
    }
    let seconds = (clock.monotonic_nanos() - begun) as f64 / 1e9;
    writeln!(
        out,
        "all {streamed} hits by date in {seconds:.1} s ({:.0} a second), anonymous memory {} MiB before, {} MiB at most",
        streamed as f64 / seconds,
        before / 1024,
        highest / 1024
    )?;
    Ok(())
}

/// Anonymous memory of this process, where the system tells.
fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

type Shape = fn(&mut Random, u32) -> String;

const SHAPES: [(&str, Shape); 15] = [
    ("term, of the 200 commonest", |random, _| word(random.below(200))),
    ("term, of the 3000 commonest", |random, _| word(random.below(3000))),
    ("AND of two of the 3000", |random, _| {
        format!("{} {}", word(random.below(3000)), word(random.below(3000)))
    }),
    ("(a OR b OR c) NOT d", |random, _| {
        let mut one = || word(random.below(1000));
        format!("({} OR {} OR {}) NOT {}", one(), one(), one(), one())
    }),
    ("prefix of three letters", |random, _| {
        format!("{}*", &word(2000 + random.below(40_000))[..3])
    }),
    ("phrase of two words", |random, items| phrase(random, items, 2)),
    ("phrase of three words", |random, items| phrase(random, items, 3)),
    ("w/5 of two of the 20 commonest", |random, _| near(random, 20, "w/5")),
    ("w/5 of two of the 200", |random, _| near(random, 200, "w/5")),
    ("w/5 of two of the 3000", |random, _| near(random, 3000, "w/5")),
    ("not w/5 of two of the 200", |random, _| near(random, 200, "not w/5")),
    ("(a w/5 b) w/10 c of the 200", |random, _| {
        format!("({}) w/10 {}", near(random, 200, "w/5"), word(random.below(200)))
    }),
    ("a w/5 prefix of three letters", |random, _| {
        format!(
            "{} w/5 {}*",
            word(random.below(200)),
            &word(2000 + random.below(40_000))[..3]
        )
    }),
    ("a w/5 fuzzy, one edit", |random, _| {
        format!("{} w/5 {}~1", word(random.below(200)), word(random.below(3000)))
    }),
    ("term, custodian and year", |random, _| {
        format!(
            "{} custodian:\"Custodian {}\" date:{}",
            word(random.below(500)),
            random.below(20),
            1995 + random.below(20)
        )
    }),
];

fn near(random: &mut Random, ranks: u64, operator: &str) -> String {
    format!("{} {operator} {}", word(random.below(ranks)), word(random.below(ranks)))
}

fn phrase(random: &mut Random, items: u32, length: usize) -> String {
    let text = text_of(1 + random.below(u64::from(items)) as u32);
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = random.below((words.len() - length) as u64) as usize;
    format!("\"{}\"", words[at..at + length].join(" "))
}

/// xorshift64*, seeded.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    /// A rank with a frequency of about one over the rank.
    fn rank(&mut self) -> u64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (VOCABULARY.powf(unit) - 1.0) as u64
    }
}

/// A word for a rank: letters, different for every rank.
fn word(rank: u64) -> String {
    let mut out = String::new();
    let mut rest = rank.wrapping_mul(7_919) % 456_976 + 456_976;
    while rest > 0 {
        out.push((b'a' + (rest % 26) as u8) as char);
        rest /= 26;
    }
    out
}

fn text_of(item: u32) -> String {
    let mut random = Random::new(u64::from(item));
    let mut text = String::new();
    for _ in 0..WORDS_A_TEXT / 2 + random.below(WORDS_A_TEXT) {
        text.push_str(&word(random.rank()));
        text.push(' ');
    }
    text
}

struct MadeTexts;

impl ItemText for MadeTexts {
    fn text(&self, item: ItemNo) -> Result<String, BoxError> {
        Ok(text_of(item.0))
    }
}

fn person(number: u64) -> Address {
    Address {
        name: format!("Person {number}"),
        addr: format!("person.{number}@force.example"),
    }
}

fn date_of(item: u32) -> i64 {
    let mut random = Random::new(u64::from(item) + 77);
    788_918_400 + random.below(20 * 365 * 86_400).cast_signed()
}

fn make(path: &Path, items: u32) -> Result<(), Failure> {
    let options = InitOptions {
        name: "measure".into(),
        reference: String::new(),
        zone: String::new(),
        at_micros: 0,
    };
    Case::init(path, &options)?;
    let holder = Holder {
        what: "measure".into(),
        since_micros: 0,
    };
    let case = Case::open(path, Access::Write(holder))?;
    let mut writer = case.catalogue_writer()?;
    let mut index = IndexStore::open_or_create(&case.index_dir())?;
    let mut builder = index.builder(400 << 20);
    let mut segments = Vec::new();
    writer.append(places(items));
    let mut ticket = 0;
    let mut next = 1;
    while next <= items {
        let end = (next + BATCH).min(items + 1);
        let mut batch = RowBatch::default();
        for item in next..end {
            add_rows(&mut batch, item);
            builder.add(&doc(item))?;
            if builder.is_full() {
                segments.extend(builder.finish()?);
            }
        }
        next = end;
        ticket += 1;
        writer.append(batch);
        writer.commit(Checkpoint {
            ticket: Ticket(ticket),
            run_no: RunNo(1),
            pack: writer.last_checkpoint().pack,
            next_item: next,
            next_blob: next,
            next_instance: u64::from(next),
            at_micros: 0,
        })?;
    }
    segments.extend(builder.finish()?);
    index.commit(segments, Ticket(ticket))?;
    writer.compact_sets()?;
    writer.build_lookups()?;
    writer.settle()?;
    Ok(())
}

fn places(items: u32) -> RowBatch {
    let mut batch = RowBatch::default();
    batch.sources.push(SourceRow {
        source_id: SourceId(1),
        label: "all".into(),
        absolute: String::new(),
        custodian_id: None,
        custodian_rule: String::new(),
        run_no: RunNo(1),
    });
    batch.folders.push(FolderRow {
        folder_id: FolderId(1),
        source_id: SourceId(1),
        path: Vec::new(),
        container: None,
    });
    for id in 1..=CUSTODIANS {
        batch.custodians.push(CustodianRow {
            custodian_id: CustodianId(id),
            name: format!("Custodian {id}"),
        });
        batch.files.push(FileRow {
            file_id: FileId(id),
            source_id: SourceId(1),
            folder_id: FolderId(1),
            custodian_id: Some(CustodianId(id)),
            name: format!("{id}.mbox").into_bytes(),
            version: 1,
            size: u64::from(items),
            mtime_nanos: 0,
            inode: 0,
            kind: 0,
            variant: 0,
            flags: String::new(),
            scan_state: None,
            state: FileState::Done,
            first_instance: InstanceId(1),
            instance_count: 0,
            message_bytes: 0,
            separator_bytes: 0,
            junk_bytes: 0,
            previous_file: None,
            absent_since_run: None,
            run_no: RunNo(1),
        });
    }
    batch
}

fn add_rows(batch: &mut RowBatch, item: u32) {
    let mut hash = [0; 32];
    for (at, part) in hash.chunks_mut(8).enumerate() {
        part.copy_from_slice(&Random::new(u64::from(item) * 4 + at as u64).next().to_le_bytes());
    }
    batch.blobs.push(BlobRow {
        blob_id: BlobId(item),
        blake3: Blake3(hash),
        sha256: Sha256(hash),
        size: 1000,
        place: BlobPlaceRow::Pack {
            pack: 1,
            frame_offset: 0,
            offset_in_frame: 0,
        },
        top_item: Some(ItemNo(item)),
    });
    let who = |role, number| Participant {
        role,
        address: person(number),
    };
    let item_u64 = u64::from(item);
    batch.items.push(ItemRow {
        item_no: ItemNo(item),
        blob_id: BlobId(item),
        root: ItemNo(item),
        parent: None,
        family_size: 1,
        part_path: String::new(),
        kind: ItemKind::Email,
        media_type: "message/rfc822".into(),
        filename: None,
        size: 1000,
        date: EvidenceDate {
            raw: "Mon, 1 Jan 2001 00:00:00 +0000".into(),
            utc_secs: Some(date_of(item)),
            offset_minutes: Some(0),
            source: DateSource::DateHeader,
            confidence: Confidence::High,
        },
        subject: format!("About {}", word(item_u64 % 5000)),
        participants: vec![who(Role::From, item_u64 % 997), who(Role::To, item_u64 % 991)],
        message_id: Some(format!("<{item}@force.example>")),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        keys: None,
        sketch: None,
        searchability: if item.is_multiple_of(100) {
            Searchability::Encrypted
        } else {
            Searchability::Searched
        },
        flags: ItemFlags::default(),
        labels: Vec::new(),
        run_no: RunNo(1),
    });
    batch.instances.push(InstanceRow {
        instance_id: InstanceId(item_u64),
        item_no: ItemNo(item),
        // Stretches of items of one custodian, as mailboxes give them.
        file_id: FileId(1 + (item / 1000) % CUSTODIANS),
        ordinal: item_u64,
        offset: 0,
        length: 10,
        separator: None,
        trailer_len: 0,
        as_found_differs: false,
        status: InstanceStatus::New,
        run_no: RunNo(1),
        second_blake3: None,
        labels: Vec::new(),
    });
}

fn doc(item: u32) -> IndexDoc {
    let mut doc = IndexDoc::new(item, ItemKind::Email);
    doc.date = Some(date_of(item));
    doc.size = 1000;
    let mut add = |field, fill: &dyn Fn(&mut Tokens)| {
        let mut tokens = Tokens::new();
        fill(&mut tokens);
        doc.texts.push((field, tokens));
    };
    let number = u64::from(item);
    add(Field::Body, &|tokens| tokens.text(&text_of(item)));
    add(Field::Subject, &|tokens| {
        tokens.text(&format!("About {}", word(number % 5000)))
    });
    doc.people(Field::From, [&person(number % 997)]);
    doc.people(Field::To, [&person(number % 991)]);
    doc
}
