//! Near-duplicate groups from the sketches that are kept with every message.
//!
//! A group has a *representative*, the lowest item in it; every other member is at least as similar to it, by their sketches, as
//! the threshold says. So a group never drifts from its first message by a chain of small steps. Candidates come from bands of five
//! sketch bytes (locality-sensitive hashing: two texts with similarity s agree in a band with probability s^5, so of pairs at 0.8
//! some 99 % meet in one of twelve bands); nothing is compared with everything. About 125 bytes a message while it runs.
//!
//! Not for: de-duplication, which goes by keys (exact). Invariant: the same sketches in the same order give the same groups.

use embley_index::analysis::{SKETCH_LEN, SKETCH_VERSION, similarity, words_with_offsets};
use embley_model::id::ItemNo;
use embley_store::StoreError;
use embley_store::catalogue::{CatalogueReader, ThreadRow};
use rayon::prelude::*;

use crate::error::SearchError;

/// Version of the rules of groups and of their chunks.
pub(super) const NEAR_VERSION: u32 = SKETCH_VERSION << 8 | 1;
/// Least similarity of a member to its representative, by default.
pub const NEAR_THRESHOLD: f32 = 0.8;
const GROUP_BAND: usize = 5;
const GROUP_BANDS: usize = SKETCH_LEN / GROUP_BAND;
const CHUNK_BITS: u32 = 12;

/// Sketches of messages, in the order of their items.
#[derive(Default)]
pub struct Sketches {
    items: Vec<u32>,
    bytes: Vec<[u8; SKETCH_LEN]>,
    dates: Vec<i64>,
}

/// One member of a group; the representative is a member with similarity 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearRow {
    /// The message.
    pub item: u32,
    /// The representative.
    pub representative: u32,
    /// Estimated similarity of the two, 0 to 1, in 255ths.
    pub similarity: u8,
}

impl Sketches {
    /// Reads the sketches of all messages that a reader sees.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn read(reader: &CatalogueReader) -> Result<Self, SearchError> {
        let mut all = Self::default();
        reader
            .for_each_thread_row::<StoreError>(ItemNo(0)..ItemNo(u32::MAX), |row| {
                all.add(&row);
                Ok(())
            })
            .map_err(|source| SearchError::catalogue("read sketches", source))?;
        Ok(all)
    }

    /// Puts the sketch of a row in, when it has one.
    pub(super) fn add(&mut self, row: &ThreadRow<'_>) {
        if let Some(sketch) = row.sketch.and_then(|bytes| bytes.try_into().ok()) {
            self.push(row.item_no.0, row.date, sketch);
        }
    }

    /// Puts one in, after those of lower items.
    pub fn push(&mut self, item: u32, date: Option<i64>, sketch: [u8; SKETCH_LEN]) {
        self.items.push(item);
        self.bytes.push(sketch);
        self.dates.push(date.unwrap_or(i64::MIN));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True without sketches.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn band(&self, at: u32, band: usize, width: usize) -> u32 {
        let bytes = &self.bytes[at as usize][band * width..(band + 1) * width];
        let mut word = [0_u8; 8];
        word[..width].copy_from_slice(bytes);
        let mixed = u64::from_le_bytes(word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as u32
    }

    /// Places of sketches by a band of them: key and place, sorted.
    fn sorted(&self, band: usize, width: usize) -> Vec<(u32, u32)> {
        let mut keys: Vec<(u32, u32)> = (0..self.items.len() as u32)
            .into_par_iter()
            .map(|at| (self.band(at, band, width), at))
            .collect();
        keys.par_sort_unstable();
        keys
    }

    /// Groups of at least two, as rows in the order of their items.
    pub fn groups(&self, threshold: f32) -> Vec<NearRow> {
        let count = self.items.len();
        // For each message, by band: the first one that agrees with it.
        let firsts: Vec<Vec<u32>> = (0..GROUP_BANDS)
            .map(|band| {
                let mut firsts = vec![0; count];
                for run in self.sorted(band, GROUP_BAND).chunk_by(|one, two| one.0 == two.0) {
                    for (_, at) in run {
                        firsts[*at as usize] = run[0].1;
                    }
                }
                firsts
            })
            .collect();
        let mut leaders: Vec<u32> = (0..count as u32).collect();
        let mut likeness = vec![u8::MAX; count];
        let mut sizes = vec![1_u32; count];
        for at in 0..count as u32 {
            let mut best: Option<(u8, u32)> = None;
            let mut tried = [u32::MAX; GROUP_BANDS];
            for (band, firsts) in firsts.iter().enumerate() {
                let first = firsts[at as usize];
                if first >= at {
                    continue;
                }
                let leader = leaders[first as usize];
                if tried[..band].contains(&leader) {
                    continue;
                }
                tried[band] = leader;
                let alike = similarity(&self.bytes[leader as usize], &self.bytes[at as usize]);
                if alike >= threshold {
                    let alike = (alike * 255.0) as u8;
                    if best.is_none_or(|(other, of)| alike > other || (alike == other && leader < of)) {
                        best = Some((alike, leader));
                    }
                }
            }
            if let Some((alike, leader)) = best {
                leaders[at as usize] = leader;
                likeness[at as usize] = alike;
                sizes[leader as usize] += 1;
            }
        }
        (0..count)
            .filter(|at| sizes[leaders[*at] as usize] > 1)
            .map(|at| NearRow {
                item: self.items[at],
                representative: self.items[leaders[at] as usize],
                similarity: likeness[at],
            })
            .collect()
    }

    /// For each of `children`, up to `most` other messages that are not dated later and share at least `threshold` by their
    /// sketches, most alike first. Bands of three bytes: of pairs at 0.4 some 75 % are found, at 0.5 some 94 %.
    pub fn earlier_alike(
        &self,
        children: &roaring::RoaringBitmap,
        threshold: f32,
        most: usize,
    ) -> Vec<(u32, Vec<u32>)> {
        const WIDTH: usize = 3;
        const BANDS: usize = SKETCH_LEN / WIDTH;
        /// Neighbours looked at in one band.
        const NEIGHBOURS: usize = 8;
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for band in 0..BANDS {
            let mut keys: Vec<(u32, i64, u32)> = (0..self.items.len() as u32)
                .into_par_iter()
                .map(|at| (self.band(at, band, WIDTH), self.dates[at as usize], at))
                .collect();
            keys.par_sort_unstable();
            for run in keys.chunk_by(|one, two| one.0 == two.0) {
                for (place, (_, date, at)) in run.iter().enumerate() {
                    if !children.contains(self.items[*at as usize]) {
                        continue;
                    }
                    let before = &run[..place];
                    for (_, other_date, other) in before.iter().rev().take(NEIGHBOURS) {
                        if *other_date != i64::MIN && *date != i64::MIN {
                            pairs.push((*at, *other));
                        }
                    }
                }
            }
            pairs.sort_unstable();
            pairs.dedup();
        }
        let mut found = Vec::new();
        for of_child in pairs.chunk_by(|one, two| one.0 == two.0) {
            let child = of_child[0].0;
            let mut alike: Vec<(u32, u32)> = of_child
                .iter()
                .filter_map(|(_, other)| {
                    let alike = similarity(&self.bytes[child as usize], &self.bytes[*other as usize]);
                    (alike >= threshold).then_some((u32::MAX - (alike * 1e6) as u32, self.items[*other as usize]))
                })
                .collect();
            alike.sort_unstable();
            if !alike.is_empty() {
                let others = alike.into_iter().take(most).map(|(_, item)| item).collect();
                found.push((self.items[child as usize], others));
            }
        }
        found
    }
}

/// Jaccard similarity of two texts by their distinct runs of five words: what sketches estimate. `None` when one has fewer words.
pub fn jaccard(one: &str, two: &str) -> Option<f64> {
    const SHINGLE: usize = 5;
    let words = |text: &str| -> Vec<String> { words_with_offsets(text).map(|word| word.folded.into_owned()).collect() };
    let (one, two) = (words(one), words(two));
    let runs = |words: &'_ [String]| -> std::collections::HashSet<Vec<String>> {
        words.windows(SHINGLE).map(<[String]>::to_vec).collect()
    };
    let (one, two) = (runs(&one), runs(&two));
    if one.is_empty() || two.is_empty() {
        return None;
    }
    let both = one.intersection(&two).count();
    Some(both as f64 / (one.len() + two.len() - both) as f64)
}

/// Packs groups into chunks by item.
pub(super) fn encode(rows: &[NearRow]) -> Vec<Vec<u8>> {
    let Some(last) = rows.last() else {
        return Vec::new();
    };
    let mut chunks = vec![Vec::new(); (last.item >> CHUNK_BITS) as usize + 1];
    for row in rows {
        let out = &mut chunks[(row.item >> CHUNK_BITS) as usize];
        out.extend_from_slice(&row.item.to_le_bytes());
        out.extend_from_slice(&row.representative.to_le_bytes());
        out.push(row.similarity);
    }
    chunks
}

/// Reads a chunk; `None` when it is none.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<NearRow>> {
    const ROW: usize = 9;
    if !bytes.len().is_multiple_of(ROW) {
        return None;
    }
    let number = |four: &[u8]| four.try_into().ok().map(u32::from_le_bytes);
    bytes
        .chunks_exact(ROW)
        .map(|row| {
            Some(NearRow {
                item: number(&row[..4])?,
                representative: number(&row[4..8])?,
                similarity: row[8],
            })
        })
        .collect()
}

/// The chunk in which an item stands.
pub(super) fn chunk_of(item: u32) -> u32 {
    item >> CHUNK_BITS
}

#[cfg(test)]
mod tests {
    use embley_index::analysis::{Tokens, sketch};

    use super::*;

    fn of(words: impl Iterator<Item = u32>) -> [u8; SKETCH_LEN] {
        let text: String = words.map(|word| format!("word{word} ")).collect();
        let mut tokens = Tokens::new();
        tokens.text(&text);
        sketch(&tokens).expect("long enough")
    }

    #[test]
    fn members_are_alike_to_their_representative_and_others_stand_alone() {
        let mut all = Sketches::default();
        for item in 0..40_u32 {
            // Four texts of 300 words with a few changed, and others.
            let base = (item % 4) * 10_000;
            let text = (0..300).map(|word| if word == item * 7 { 99_999 } else { base + word });
            all.push(item * 2 + 1, Some(0), of(text));
        }
        for item in 40..60_u32 {
            all.push(item * 2 + 1, None, of((0..200).map(|word| item * 1000 + word)));
        }
        let rows = all.groups(NEAR_THRESHOLD);
        assert_eq!(rows.len(), 40, "{rows:?}");
        for row in &rows {
            assert_eq!(row.representative, ((row.item / 2) % 4) * 2 + 1, "{row:?}");
            assert!(f32::from(row.similarity) / 255.0 >= NEAR_THRESHOLD - 0.01);
        }
        let back: Vec<NearRow> = encode(&rows).iter().flat_map(|chunk| decode(chunk).unwrap()).collect();
        assert_eq!(back, rows);
        assert_eq!(decode(&[0; 10]), None);
    }

    #[test]
    fn what_quotes_an_earlier_message_is_a_candidate_and_the_earlier_one_is_not() {
        let mut all = Sketches::default();
        all.push(1, Some(100), of(0..200));
        all.push(2, Some(200), of((0..200).chain(1000..1100)));
        all.push(3, Some(300), of(5000..5200));
        let children = roaring::RoaringBitmap::from_iter([1, 2, 3]);
        assert_eq!(all.earlier_alike(&children, 0.3, 4), vec![(2, vec![1])]);
    }
}
