//! Links and groups of a whole case: made from the catalogue, as derived tables that `casework` writes.
//!
//! Everything is made again when the catalogue is further than the tables (a million messages take seconds); only chunks that
//! changed are written. Quotations need texts, so a pair of messages is read once and its result kept. Main function: [`renew`].
//! Invariant: what is kept depends on the evidence alone, not on how many ingests it came in by.

use std::collections::BTreeMap;

use embley_store::catalogue::CatalogueReader;
use embley_store::facts::FactsError;
use embley_store::facts::derived::{self, Kind, State};
use rayon::prelude::*;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::compare::{self, Verdict};
use super::link::{Quotation, link};
use super::messages::Messages;
use super::near::{self, NEAR_THRESHOLD, NEAR_VERSION, Sketches};
use super::row::{self, LinkRow, Oddities, Reason, THREADS_VERSION};
use crate::error::SearchError;
use crate::hit::ItemText;

/// Version of the rules by which texts are compared.
const QUOTATIONS_VERSION: u32 = 1;
/// Sketches that are less alike are not compared as texts.
const CANDIDATE: f32 = 0.3;
/// Texts that one message is compared with.
const CANDIDATES: usize = 4;

/// What there is, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSummary {
    /// Messages, embedded ones included.
    pub messages: u64,
    /// Threads of at least two messages.
    pub threads: u64,
    /// Messages with a parent, by reason.
    pub links: BTreeMap<String, u64>,
    /// Messages without a parent although they refer to others.
    pub not_held: u64,
    /// Messages whose Message-ID an earlier one carries.
    pub copies: u64,
    /// Oddities, by name.
    pub oddities: BTreeMap<String, u64>,
    /// Groups of near-duplicates, and messages in them.
    pub near_groups: u64,
    /// Messages in groups of near-duplicates.
    pub near_members: u64,
    /// Pairs of texts compared now.
    pub compared: u64,
    /// Largest memory of the columns, in bytes.
    pub memory_bytes: u64,
    /// What was kept from sight when this was made: [`embley_store::catalogue::Hidden::fingerprint`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hidden: String,
}

impl ThreadSummary {
    /// Messages with a parent.
    pub fn linked(&self) -> u64 {
        self.links.values().sum()
    }

    /// A sentence for the record of a run.
    pub fn sentence(&self) -> String {
        let reasons: Vec<String> = self
            .links
            .iter()
            .map(|(reason, count)| format!("{count} by {reason}"))
            .collect();
        format!(
            "{} of {} messages follow another one ({}), in {} threads; {} refer to messages that are not held; {} near-duplicates in {} groups",
            self.linked(),
            self.messages,
            if reasons.is_empty() {
                "none".to_owned()
            } else {
                reasons.join(", ")
            },
            self.threads,
            self.not_held,
            self.near_members,
            self.near_groups,
        )
    }
}

fn facts(source: FactsError) -> SearchError {
    SearchError::catalogue("read links between messages", source)
}

/// A derived table to be written by whoever may write: chunks 0.. and their state.
#[derive(Clone, Debug)]
pub struct Table {
    /// Which table.
    pub kind: Kind,
    /// Version, ticket and summary.
    pub state: State,
    /// Its chunks.
    pub chunks: Vec<Vec<u8>>,
}

/// What [`renew`] made.
#[derive(Clone, Debug, Default)]
pub struct Renewal {
    /// What there is, in figures.
    pub summary: ThreadSummary,
    /// The tables, links last; none when they stand as they were.
    pub tables: Vec<Table>,
}

/// Makes links and groups when the catalogue is further than they are, or their rules are others, or `all` is set.
/// `texts` gives the texts of messages without references; without it, quoted text links nothing.
///
/// # Errors
/// When the catalogue cannot be read.
pub fn renew(reader: &CatalogueReader, texts: Option<&dyn ItemText>, all: bool) -> Result<Renewal, SearchError> {
    let ticket = reader.checkpoint().ticket;
    let held = derived::state(reader.facts(), Kind::Threads).map_err(facts)?;
    if !all
        && let Some(held) = held.filter(|held| held.ticket == ticket && held.version == THREADS_VERSION)
        && let Ok(summary) = serde_json::from_str::<ThreadSummary>(&held.summary)
        && summary.hidden == reader.hidden().fingerprint()
    {
        return Ok(Renewal {
            summary,
            tables: Vec::new(),
        });
    }
    let mut tables = Vec::new();
    let mut keep = |kind, version, summary: String, chunks| {
        let state = State {
            version,
            ticket,
            summary,
        };
        tables.push(Table { kind, state, chunks });
    };
    let mut sketches = Sketches::default();
    let messages = Messages::read_and(reader, |row| sketches.add(row))?;
    let mut summary = ThreadSummary {
        messages: messages.len() as u64,
        memory_bytes: messages.memory_bytes() as u64,
        hidden: reader.hidden().fingerprint().to_owned(),
        ..ThreadSummary::default()
    };
    let groups = sketches.groups(NEAR_THRESHOLD);
    summary.near_members = groups.len() as u64;
    summary.near_groups = groups.iter().filter(|row| row.item == row.representative).count() as u64;
    let fingerprint = reader.hidden().fingerprint().to_owned();
    keep(Kind::NearDuplicates, NEAR_VERSION, fingerprint, near::encode(&groups));
    drop(groups);
    let mut rows = link(&messages, &[]);
    if let Some(texts) = texts {
        let known = if all { Vec::new() } else { kept_pairs(reader)? };
        let (pairs, compared) = quotations(&known, &sketches, &rows, texts);
        summary.compared = compared;
        keep(
            Kind::Quotations,
            QUOTATIONS_VERSION,
            String::new(),
            encode_pairs(&pairs),
        );
        let chosen = compare::choose(&pairs);
        if !chosen.is_empty() {
            rows = link(&messages, &chosen);
        }
    }
    count(&mut summary, &rows);
    let text = serde_json::to_string(&summary).map_err(|source| SearchError::catalogue("write a summary", source))?;
    keep(Kind::Threads, THREADS_VERSION, text, row::encode(&rows));
    Ok(Renewal { summary, tables })
}

fn count(summary: &mut ThreadSummary, rows: &[LinkRow]) {
    for row in rows {
        if row.parent != 0 {
            *summary.links.entry(row.reason.word().to_owned()).or_default() += 1;
        }
        summary.not_held += u64::from(row.reason == Reason::NotHeld);
        summary.copies += u64::from(row.copy_of != 0);
        summary.threads += u64::from(row.thread == row.item && row.next != row.item);
        if row.oddities != Oddities::default() {
            for word in row.oddities.words() {
                *summary.oddities.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
}

/// Results of comparing pairs: those kept, and those that are new. Only messages without references are looked at, and only
/// beside messages that their sketches say they could quote.
fn quotations(known: &[Verdict], sketches: &Sketches, rows: &[LinkRow], texts: &dyn ItemText) -> (Vec<Verdict>, u64) {
    let children: RoaringBitmap = rows
        .iter()
        .filter(|row| row.reason == Reason::None && row.copy_of == 0)
        .map(|row| row.item)
        .collect();
    let candidates = sketches.earlier_alike(&children, CANDIDATE, CANDIDATES);
    let known: BTreeMap<(u32, u32), Verdict> = known.iter().map(|one| ((one.child, one.parent), *one)).collect();
    let per_child: Vec<(Vec<Verdict>, u64)> = candidates
        .par_iter()
        .map(|(child, parents)| {
            let mut verdicts = Vec::with_capacity(parents.len());
            let fresh: Vec<u32> = parents
                .iter()
                .copied()
                .filter(|parent| match known.get(&(*child, *parent)) {
                    Some(verdict) => {
                        verdicts.push(*verdict);
                        false
                    }
                    None => true,
                })
                .collect();
            let compared = fresh.len() as u64;
            verdicts.extend(compare::compare(texts, *child, &fresh));
            verdicts.sort_unstable_by_key(|one| one.parent);
            (verdicts, compared)
        })
        .collect();
    let compared = per_child.iter().map(|(_, count)| count).sum();
    (
        per_child.into_iter().flat_map(|(verdicts, _)| verdicts).collect(),
        compared,
    )
}

/// Pairs compared before of which the reader sees both.
fn kept_pairs(reader: &CatalogueReader) -> Result<Vec<Verdict>, SearchError> {
    let conn = reader.facts();
    let state = derived::state(conn, Kind::Quotations).map_err(facts)?;
    if state.is_none_or(|state| state.version != QUOTATIONS_VERSION) {
        return Ok(Vec::new());
    }
    let mut pairs = Vec::new();
    for number in 0.. {
        let Some(bytes) = derived::chunk(conn, Kind::Quotations, number).map_err(facts)? else {
            break;
        };
        // What cannot be read is compared again.
        pairs.extend(decode_pairs(&bytes).unwrap_or_default());
    }
    pairs.retain(|one| reader.sees(one.child) && reader.sees(one.parent));
    Ok(pairs)
}

/// Pairs in a chunk.
const CHUNK_PAIRS: usize = 1 << 16;
const PAIR_BYTES: usize = 20;

fn encode_pairs(pairs: &[Verdict]) -> Vec<Vec<u8>> {
    let encode = |some: &[Verdict]| {
        let values = some
            .iter()
            .flat_map(|one| [one.child, one.parent, one.longest, one.matched, one.body]);
        values.flat_map(u32::to_le_bytes).collect()
    };
    pairs.chunks(CHUNK_PAIRS).map(encode).collect()
}

fn decode_pairs(bytes: &[u8]) -> Option<Vec<Verdict>> {
    if !bytes.len().is_multiple_of(PAIR_BYTES) {
        return None;
    }
    let number = |four: &[u8]| four.try_into().ok().map(u32::from_le_bytes);
    bytes
        .chunks_exact(PAIR_BYTES)
        .map(|one| {
            Some(Verdict {
                child: number(&one[..4])?,
                parent: number(&one[4..8])?,
                longest: number(&one[8..12])?,
                matched: number(&one[12..16])?,
                body: number(&one[16..])?,
            })
        })
        .collect()
}

/// Chosen quotations as they were kept, for whoever links in memory.
pub(super) fn kept_quotations(reader: &CatalogueReader) -> Result<Vec<Quotation>, SearchError> {
    Ok(compare::choose(&kept_pairs(reader)?))
}
