//! The bar for the benchmark: parse and index only, with the same feed, parser, analysis, schema and documents.
//!
//! No hash, no de-duplication, no store, no catalogue, no self-test. Not for real cases: what it writes is an index without
//! anything behind it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use embley_formats::mail::ParseLimits;
use embley_index::{IndexStore, SegmentBuilder};
use embley_model::id::{FileId, RunNo, SourceId, Ticket};
use embley_store::catalogue::FolderId;
use embley_store::packs::FrameBuilder;
use roaring::RoaringBitmap;

use crate::dedup::DedupTable;
use crate::entrance::{Entrance, ResolvedSource};
use crate::error::IngestError;
use crate::feed::{Feed, FeedStart};
use crate::known::{KnownFiles, KnownFolder};
use crate::notes::Custodians;
use crate::order::{Turnstile, lock};
use crate::prepare::Depth;
use crate::request::{IngestOptions, IngestRequest};
use crate::unit::{Outcome, PreparedUnit};
use crate::work::{KnownHashes, Worker};

/// What was parsed and indexed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Baseline {
    /// Top-level entries.
    pub entries: u64,
    /// Items, parts included.
    pub items: u64,
    /// Bytes of input.
    pub bytes: u64,
}

struct NothingKnown;

impl KnownFiles for NothingKnown {
    fn folder(&mut self, _source: SourceId, _path: &[u8]) -> Result<Option<KnownFolder>, IngestError> {
        Ok(None)
    }

    fn items_of(&mut self, _file: FileId) -> Result<RoaringBitmap, IngestError> {
        Ok(RoaringBitmap::new())
    }
}

#[derive(Default)]
struct Counts {
    next_item: AtomicU32,
    entries: AtomicU64,
    bytes: AtomicU64,
}

/// Parses and indexes the sources into an index in `folder`.
///
/// # Errors
/// When something cannot be read or written.
pub fn parse_and_index(
    request: &IngestRequest,
    options: &IngestOptions,
    folder: &Path,
) -> Result<Baseline, IngestError> {
    let mut index = IndexStore::create_empty(folder)?;
    let sources = (1..)
        .zip(&request.sources)
        .map(|(number, spec)| ResolvedSource {
            spec: spec.clone(),
            source: SourceId(number),
        })
        .map(Entrance::Source)
        .collect();
    let custodians = Custodians {
        by_name: HashMap::new(),
        next: 1,
    };
    let start = FeedStart {
        run: RunNo(1),
        ticket: Ticket(1),
        file: FileId(1),
        folder: FolderId(1),
    };
    let feed = Mutex::new(Feed::new(
        request,
        options,
        Box::new(NothingKnown),
        (sources, custodians),
        start,
    ));
    let counts = Counts {
        next_item: AtomicU32::new(1),
        ..Counts::default()
    };
    let segments = Mutex::new(Vec::new());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for slot in 0..options.threads {
            let builder = index.builder(options.segment_bytes());
            let (feed, counts, segments, failure) = (&feed, &counts, &segments, &failure);
            scope.spawn(move || match work(slot, options, feed, counts, builder) {
                Ok(finished) => lock(segments).extend(finished),
                Err(error) => {
                    lock(failure).get_or_insert(error);
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    index.commit(
        segments.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner),
        Ticket(1),
    )?;
    Ok(Baseline {
        entries: counts.entries.into_inner(),
        items: u64::from(counts.next_item.into_inner()) - 1,
        bytes: counts.bytes.into_inner(),
    })
}

fn work(
    slot: usize,
    options: &IngestOptions,
    feed: &Mutex<Feed<'_>>,
    counts: &Counts,
    mut builder: SegmentBuilder,
) -> Result<Vec<embley_index::FinishedSegment>, IngestError> {
    let known_hashes = KnownHashes::default();
    let mut worker = Worker {
        options,
        depth: Depth::ParseOnly,
        limits: ParseLimits::default(),
        frames: FrameBuilder::new()?,
        packing_nanos: 0,
        keep_containers: true,
        known_hashes: &known_hashes,
        slot,
    };
    let nothing = Turnstile::new(0, DedupTable::default());
    let mut finished = Vec::new();
    loop {
        let Some(unit) = lock(feed).next_unit()? else { break };
        counts.bytes.fetch_add(unit.bytes, Ordering::Relaxed);
        let prepared = worker.run(unit, &nothing)?;
        add(prepared, counts, &mut builder)?;
        if builder.is_full() {
            finished.extend(builder.finish()?);
        }
    }
    finished.extend(builder.finish()?);
    Ok(finished)
}

fn add(unit: PreparedUnit, counts: &Counts, builder: &mut SegmentBuilder) -> Result<(), IngestError> {
    let items: usize = unit
        .entries
        .iter()
        .map(|entry| {
            if let Outcome::New(family) = &entry.outcome {
                family.items.len()
            } else {
                0
            }
        })
        .sum();
    let block = u32::try_from(items).map_err(|_| IngestError::internal("too many parts in one unit"))?;
    let mut item_no = counts.next_item.fetch_add(block, Ordering::Relaxed);
    counts.entries.fetch_add(unit.entries.len() as u64, Ordering::Relaxed);
    for entry in unit.entries {
        if let Outcome::New(family) = entry.outcome {
            for mut item in family.items {
                item.doc.item_no = item_no;
                builder.add(&item.doc)?;
                item_no += 1;
            }
        }
    }
    Ok(())
}
