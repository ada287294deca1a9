//! The index made again from the store: all of it (`reindex`), or what a stop left out (`catch_up`).
//!
//! Items are read in order from the packs, parsed again and added by N threads, each to its own segment. Invariant: the answers are
//! those of the index that was lost.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use embley_index::{FinishedSegment, IndexStore, SegmentBuilder};
use embley_model::event::{Event, Stage};
use embley_model::id::{ItemNo, RunNo, Ticket};
use embley_model::item::ItemKind;
use embley_store::Case;
use embley_store::catalogue::{CatalogueReader, ItemRow, RunKind, RunRow};
use roaring::RoaringBitmap;

use crate::error::IngestError;
use crate::order::lock;
use crate::reparse::Originals;
use crate::request::IngestOptions;

/// Items that one thread takes at a time.
const CHUNK: u32 = 512;

/// Brings the index up to the catalogue. Returns how many items were added.
///
/// # Errors
/// When the index is ahead of the catalogue or not of this case, or something cannot be read.
pub(crate) fn catch_up(case: &Case, index: &mut IndexStore, options: &IngestOptions) -> Result<u64, IngestError> {
    let reader = case.reader()?;
    let last = reader.checkpoint().clone();
    let from = match index.committed_ticket() {
        None => ItemNo(1),
        Some(ticket) if ticket == last.ticket => return Ok(0),
        Some(ticket) => {
            let mut before = case.reader()?;
            before.limit_to(ticket)?;
            ItemNo(before.checkpoint().next_item)
        }
    };
    let to = ItemNo(last.next_item);
    let mut again = updated_since(&reader, index.committed_ticket(), from)?;
    if let Some(ticket) = index.committed_ticket() {
        let mut opened = reader.opened_since(ticket)?;
        opened.remove_range(from.0..);
        again |= opened;
    }
    if from >= to && again.is_empty() && index.committed_ticket().is_some() {
        return Ok(0);
    }
    drop(reader);
    // What was updated leaves the index in the commit that brings it back.
    index.delete_items(&again);
    let segments = updated(case, index, &again, options)?;
    let span = Span {
        from,
        to,
        ticket: last.ticket,
    };
    add(case, index, segments, span, options)?;
    Ok(u64::from(to.0.saturating_sub(from.0)) + again.len())
}

/// Items below `before` that may have a later version than the index at `ticket` has: all records, when any were imported since. Mail
/// never changes, and records are few.
fn updated_since(
    reader: &CatalogueReader,
    ticket: Option<Ticket>,
    before: ItemNo,
) -> Result<RoaringBitmap, IngestError> {
    let later: Vec<RunNo> = reader
        .checkpoints()?
        .into_iter()
        .filter(|checkpoint| Some(checkpoint.ticket) > ticket)
        .map(|checkpoint| checkpoint.run_no)
        .collect();
    let imports = |run: &RunRow| run.kind == RunKind::Records && later.contains(&run.run_no);
    if !reader.runs()?.iter().any(imports) {
        return Ok(RoaringBitmap::new());
    }
    let mut records = reader.kind_items(ItemKind::Record)?;
    records.remove_range(before.0..);
    Ok(records)
}

/// These items as they are now, in segments of their own: their order is not that of the items added since.
fn updated(
    case: &Case,
    index: &IndexStore,
    items: &RoaringBitmap,
    options: &IngestOptions,
) -> Result<Vec<FinishedSegment>, IngestError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    // Whole families at a time, each by one thread.
    let reader = case.reader()?;
    let mut roots: Vec<ItemNo> = Vec::new();
    for item in items {
        let row = reader.brief(ItemNo(item))?;
        let row = row.ok_or_else(|| IngestError::internal(format!("item {item} has no row")))?;
        if roots.last() != Some(&row.root) {
            roots.push(row.root);
        }
    }
    drop(reader);
    let next = AtomicUsize::new(0);
    let segments = Mutex::new(Vec::new());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..options.threads {
            let mut builder = index.builder(options.segment_bytes());
            let (next, segments, failure, roots) = (&next, &segments, &failure, &roots);
            scope.spawn(move || {
                let mut work = || -> Result<(), IngestError> {
                    let mut originals = Originals::open_in_order(case)?;
                    while let Some(root) = roots.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let row = originals.catalogue().item(*root)?;
                        let row = row.ok_or_else(|| IngestError::internal(format!("item {root} has no row")))?;
                        for doc in originals.documents(&row)? {
                            if items.contains(doc.item_no) {
                                builder.add(&doc)?;
                            }
                        }
                        if builder.is_full() {
                            lock(segments).extend(builder.finish()?);
                        }
                    }
                    lock(segments).extend(builder.finish()?);
                    Ok(())
                };
                if let Err(error) = work() {
                    next.store(roots.len(), Ordering::Relaxed);
                    lock(failure).get_or_insert(error);
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(segments.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
    }
}

/// Makes the whole index again. Returns how many items it holds.
///
/// # Errors
/// When something cannot be read or written. An old index that could be read stays as it was; the same call begins again.
pub fn reindex(case: &Case, options: &IngestOptions) -> Result<u64, IngestError> {
    let mut index = IndexStore::rebuild(&case.index_dir())?;
    let reader = case.reader()?;
    let last = reader.checkpoint().clone();
    options
        .counters
        .planned_bytes
        .store(u64::from(last.next_item) - 1, Ordering::Relaxed);
    drop(reader);
    let span = Span {
        from: ItemNo(1),
        to: ItemNo(last.next_item),
        ticket: last.ticket,
    };
    add(case, &mut index, Vec::new(), span, options)?;
    Ok(u64::from(last.next_item) - 1)
}

/// Items to add, and the ticket up to which the index is complete then.
#[derive(Clone, Copy)]
struct Span {
    from: ItemNo,
    to: ItemNo,
    ticket: Ticket,
}

fn add(
    case: &Case,
    index: &mut IndexStore,
    segments: Vec<FinishedSegment>,
    Span { from, to, ticket }: Span,
    options: &IngestOptions,
) -> Result<(), IngestError> {
    let next = AtomicU32::new(from.0);
    let segments = Mutex::new(segments);
    let failure = Mutex::new(None);
    let builders: Vec<SegmentBuilder> = (0..options.threads)
        .map(|_| index.builder(options.segment_bytes()))
        .collect();
    std::thread::scope(|scope| {
        for builder in builders {
            let (next, segments, failure) = (&next, &segments, &failure);
            scope.spawn(move || {
                if let Err(error) = worker(case, builder, next, to, segments, options) {
                    next.store(to.0, Ordering::Relaxed);
                    lock(failure).get_or_insert(error);
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    if options.cancel.load(Ordering::Relaxed) {
        return Err(IngestError::Stopped);
    }
    let segments = segments.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    index.commit(segments, ticket)?;
    options.observer.event(&Event::IndexCommit { ticket: ticket.0 });
    Ok(())
}

fn worker(
    case: &Case,
    mut builder: SegmentBuilder,
    next: &AtomicU32,
    to: ItemNo,
    segments: &Mutex<Vec<FinishedSegment>>,
    options: &IngestOptions,
) -> Result<(), IngestError> {
    let roots_of = case.reader()?;
    let mut originals = Originals::open_in_order(case)?;
    loop {
        let first = next.fetch_add(CHUNK, Ordering::Relaxed);
        if first >= to.0 || options.cancel.load(Ordering::Relaxed) {
            break;
        }
        let end = ItemNo(first.saturating_add(CHUNK).min(to.0));
        for root in roots(&roots_of, ItemNo(first), end)? {
            let started = options.clock.monotonic_nanos();
            for doc in originals.documents(&root)? {
                builder.add(&doc)?;
            }
            let busy = options.clock.monotonic_nanos().saturating_sub(started);
            options.counters.add(
                Stage::Index,
                u64::from(root.family_size),
                u64::from(root.family_size),
                busy,
            );
        }
        if builder.is_full() {
            lock(segments).extend(builder.finish()?);
        }
    }
    lock(segments).extend(builder.finish()?);
    Ok(())
}

/// Top-level items of a range of numbers; a family belongs to the range that holds its root.
fn roots(reader: &CatalogueReader, from: ItemNo, to: ItemNo) -> Result<Vec<ItemRow>, IngestError> {
    let mut roots = Vec::new();
    reader.for_each_item::<IngestError>(from..to, |row| {
        if row.root == row.item_no {
            roots.push(row);
        }
        Ok(())
    })?;
    Ok(roots)
}
