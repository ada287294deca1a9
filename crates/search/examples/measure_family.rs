//! Measures searches at the level of families on a made case.
//!
//! `cargo run --release -p embley-search --example measure_family -- FOLDER [ITEMS] [ROUNDS]` makes the case in FOLDER when it is not
//! there: families of one to four items, and words that stand in a third of the items and less. Said are the word operations by
//! themselves on seeded sets, the same query at both levels, and a change of 100,000 memberships up to the next query's answer.

use std::io::Write;
use std::path::Path;

use embley_index::analysis::Tokens;
use embley_index::{IndexDoc, IndexStore, ItemBits};
use embley_model::clock::{Clock, SystemClock};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::field::Field;
use embley_model::id::{Blake3, BlobId, ItemNo, RunNo, Sha256, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_search::{Level, SearchOptions, Searcher};
use embley_store::catalogue::{BlobPlaceRow, BlobRow, Checkpoint, ItemFlags, ItemRow, RowBatch};
use embley_store::facts::{Stamp, review, sets};
use embley_store::{Access, Case, Holder, InitOptions};
use roaring::RoaringBitmap;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Each word and the share of items, in a thousand, that hold it.
const WORDS: [(&str, u64); 5] = [
    ("third", 333),
    ("fifth", 200),
    ("tenth", 100),
    ("hundredth", 10),
    ("rare", 1),
];
const BATCH: u32 = 20_000;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("a folder is needed")?;
    let items: u32 = args.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let rounds: usize = args.next().map_or(Ok(101), |text| text.parse())?;
    let path = Path::new(&folder);
    if !path.join("case.toml").is_file() {
        make(path, items)?;
    }
    let case = Case::open(path, Access::Facts)?;
    let mut searcher = Searcher::open(&case)?;
    let clock = SystemClock::new();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} items, {} segments",
        searcher.snapshot().item_count(),
        searcher.snapshot().segment_count()
    )?;
    // The median of so many rounds, in nanoseconds.
    let median = |work: &mut dyn FnMut() -> Result<u64, Failure>| -> Result<(u64, u64), Failure> {
        let (mut times, mut result) = (Vec::new(), 0);
        for _ in 0..rounds {
            let begun = clock.monotonic_nanos();
            result = std::hint::black_box(work()?);
            times.push(clock.monotonic_nanos() - begun);
        }
        times.sort_unstable();
        Ok((times[times.len() / 2], result))
    };
    let families = searcher.families()?;
    for share in [1, 100, 333, 900] {
        let some: ItemBits = (1..=items).filter(|item| draw(*item, 99) % 1000 < share).collect();
        let (nanos, found) = median(&mut || Ok(families.roots_of(&some).len()))?;
        writeln!(out, "roots of {} items: {nanos} ns, {found} families", some.len())?;
        let roots = families.roots_of(&some);
        let (nanos, found) = median(&mut || Ok(families.members_of(&roots).len()))?;
        writeln!(out, "members of {} families: {nanos} ns, {found} items", roots.len())?;
    }
    for query in [
        "third fifth",
        "third OR fifth",
        "third NOT fifth",
        "third rare",
        "(third OR fifth) NOT (tenth hundredth)",
    ] {
        for level in [Level::Item, Level::Family] {
            let page = SearchOptions {
                limit: Some(20),
                ..SearchOptions::default()
            };
            let (nanos, found) = median(&mut || {
                let plan = searcher.plan(query)?.at(level);
                Ok(searcher.run(&plan, page)?.summary().count)
            })?;
            let (with_hits, _) = median(&mut || {
                let plan = searcher.plan(query)?.at(level);
                let mut shown = 0;
                for hit in searcher.run(&plan, page)?.hits()? {
                    hit?;
                    shown += 1;
                }
                Ok(shown)
            })?;
            writeln!(
                out,
                "{query:<40} {:<7} {:>7.2} ms counted and ordered, {:>7.2} ms with 20 hits, {found} found",
                level.name(),
                nanos as f64 / 1e6,
                with_hits as f64 / 1e6
            )?;
        }
    }
    let facts = case.facts()?;
    let some: RoaringBitmap = (1..=items).step_by(10).take(100_000).collect();
    let stamp = Stamp {
        actor: "measure",
        at_micros: 1,
    };
    let mut event = None;
    for add in [true, false] {
        let begun = clock.monotonic_nanos();
        event = match event {
            None => review::set(facts.connection(), "relevant", &some, "", stamp)?.event,
            Some(event) => sets::undo(facts.connection(), event, "", stamp)?.event,
        };
        let changed = clock.monotonic_nanos();
        searcher.refresh_facts()?;
        let plan = searcher.plan("third review:relevant")?;
        let found = searcher.items(&plan)?.len();
        let end = clock.monotonic_nanos();
        writeln!(
            out,
            "{} review states {}: {:.1} ms; refreshed and in the next query {:.1} ms later ({found} found)",
            some.len(),
            if add { "set" } else { "undone" },
            (changed - begun) as f64 / 1e6,
            (end - changed) as f64 / 1e6
        )?;
    }
    Ok(())
}

/// A number that depends on an item and a salt only.
fn draw(item: u32, salt: u64) -> u64 {
    let mut mixed = (u64::from(item) << 8 | salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn make(path: &Path, items: u32) -> Result<(), Failure> {
    let options = InitOptions {
        name: "families".into(),
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
    let (mut segments, mut ticket) = (Vec::new(), 0);
    let (mut root, mut end, mut first) = (0, 1, 1);
    while first <= items {
        let last = (first + BATCH - 1).min(items);
        let mut batch = RowBatch::default();
        let mut builder = index.builder(256 << 20);
        for item in first..=last {
            if item == end {
                root = item;
                end = item + 1 + [0, 0, 1, 3][draw(item, 1) as usize % 4];
            }
            let size = end.min(items + 1) - root;
            batch.items.push(row(item, root, size));
            batch.blobs.push(blob(item, root));
            let mut doc = IndexDoc::new(item, ItemKind::Email);
            doc.date = date(item);
            let mut tokens = Tokens::new();
            for (salt, (word, share)) in (2..).zip(WORDS) {
                if draw(item, salt) % 1000 < share {
                    tokens.text(word);
                }
            }
            doc.texts.push((Field::Body, tokens));
            builder.add(&doc)?;
        }
        segments.extend(builder.finish()?);
        writer.append(batch);
        ticket += 1;
        writer.commit(Checkpoint {
            ticket: Ticket(ticket),
            run_no: RunNo(1),
            pack: writer.last_checkpoint().pack,
            next_item: last + 1,
            next_blob: last + 1,
            next_instance: 1,
            at_micros: 0,
        })?;
        first = last + 1;
    }
    index.commit(segments, Ticket(ticket))?;
    Ok(())
}

fn date(item: u32) -> Option<i64> {
    Some(946_684_800 + (draw(item, 90) % 300_000_000).cast_signed())
}

fn row(item: u32, root: u32, size: u32) -> ItemRow {
    ItemRow {
        item_no: ItemNo(item),
        blob_id: BlobId(item),
        root: ItemNo(root),
        parent: (item != root).then_some(ItemNo(root)),
        family_size: if item == root { size } else { 0 },
        part_path: if item == root {
            String::new()
        } else {
            (item - root).to_string()
        },
        kind: ItemKind::Email,
        media_type: "message/rfc822".into(),
        filename: None,
        size: 100,
        date: EvidenceDate {
            raw: String::new(),
            utc_secs: date(item),
            offset_minutes: None,
            source: DateSource::DateHeader,
            confidence: Confidence::High,
        },
        subject: String::new(),
        participants: Vec::new(),
        message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        keys: None,
        sketch: None,
        searchability: Searchability::Searched,
        flags: ItemFlags::default(),
        labels: Vec::new(),
        run_no: RunNo(1),
    }
}

fn blob(item: u32, root: u32) -> BlobRow {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&item.to_be_bytes());
    BlobRow {
        blob_id: BlobId(item),
        blake3: Blake3(hash),
        sha256: Sha256(hash),
        size: 100,
        place: BlobPlaceRow::Derived {
            root_item: ItemNo(root),
            part_path: String::new(),
        },
        top_item: (item == root).then_some(ItemNo(item)),
    }
}
