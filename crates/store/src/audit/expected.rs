//! What the log must have been: the leaf of each entry, by the best witness there is.
//!
//! The tree file is believed when its larger subtrees fit its leaves and it agrees with what the catalogue remembers. Without such a one
//! the lines themselves bear witness: an entry is confirmed when the next one states its hash, or the catalogue does. Main type:
//! [`Expected`]. Invariant: a leaf that nobody confirms is unknown, not guessed.

use std::collections::HashMap;

use super::anchor::Anchor;
use super::entry::NOTHING_BEFORE;
use super::scan::{Head, Scan};
use crate::merkle::Hash;

/// The leaves of the log as it must have been.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// The leaf of each entry; nothing where no witness knows it.
    pub(super) leaves: Vec<Option<Hash>>,
    /// Where each line ends, as far as the tree says.
    pub(super) ends: Vec<u64>,
    /// Entries that the tree has not: the log goes on behind it.
    pub(super) beyond_tree: u64,
    /// The tree was believed.
    pub(super) by_tree: bool,
}

/// The tree file as it was read: ends and leaves, and whether its larger subtrees fit.
pub(super) struct TreeSays<'a> {
    pub(super) records: &'a [(u64, Hash)],
    pub(super) whole: bool,
}

/// Decides what the log must have been.
pub(super) fn expected(scan: &Scan, tree: Option<TreeSays<'_>>, anchor: Option<&Anchor>) -> Expected {
    if let Some(tree) = tree.filter(|tree| tree.whole && !tree.records.is_empty()) {
        let by_tree = from_tree(scan, tree.records);
        let fits = anchor.is_none_or(|anchor| {
            let seen = anchor
                .entries
                .checked_sub(1)
                .and_then(|seen| usize::try_from(seen).ok());
            seen.is_none_or(|seen| by_tree.leaves.get(seen) == Some(&Some(anchor.head)))
        });
        if fits {
            return by_tree;
        }
    }
    Expected {
        leaves: from_lines(&scan.heads, anchor),
        ..Expected::default()
    }
}

fn from_tree(scan: &Scan, records: &[(u64, Hash)]) -> Expected {
    let mut leaves: Vec<Hash> = records.iter().map(|record| record.1).collect();
    let mut ends: Vec<u64> = records.iter().map(|record| record.0).collect();
    // A stop between log and tree leaves lines that the tree has not yet.
    let mut last = *leaves.last().unwrap_or(&NOTHING_BEFORE);
    let from = scan.heads.iter().rposition(|head| head.hash == Some(last));
    for head in scan.heads.iter().skip(from.map_or(scan.heads.len(), |at| at + 1)) {
        match (head.says, head.hash) {
            (Some((number, before)), Some(hash)) if number == leaves.len() as u64 && before == last => {
                leaves.push(hash);
                ends.push(ends.last().unwrap_or(&0) + head.length);
                last = hash;
            }
            _ => break,
        }
    }
    Expected {
        beyond_tree: (leaves.len() - records.len()) as u64,
        leaves: leaves.into_iter().map(Some).collect(),
        ends,
        by_tree: true,
    }
}

/// From what the lines say of each other.
fn from_lines(heads: &[Head], anchor: Option<&Anchor>) -> Vec<Option<Hash>> {
    // Numbers that were only read do not decide how much memory is taken.
    let most = heads.len() as u64 * 2 + 1024;
    let seen = anchor
        .map(|anchor| (anchor.entries, anchor.head))
        .filter(|seen| (1..=most).contains(&seen.0));
    // By the number that they say: the lines there are.
    let mut lines: HashMap<u64, Vec<(Hash, Hash)>> = HashMap::new();
    for head in heads {
        if let (Some((number, before)), Some(hash)) = (head.says, head.hash) {
            let same = lines.entry(number).or_default();
            if !same.contains(&(hash, before)) {
                same.push((hash, before));
            }
        }
    }
    let of = |number: u64| lines.get(&number).map_or(&[][..], Vec::as_slice);
    // A line that goes on from no other may say any number.
    let goes_on = |number: u64, before: Hash| match number.checked_sub(1) {
        None => before == NOTHING_BEFORE,
        Some(prior) => of(prior).iter().any(|line| line.0 == before),
    };
    let said = heads.iter().filter_map(|head| head.says);
    let said = said
        .filter(|says| says.0 < most && goes_on(says.0, says.1))
        .map(|says| says.0 + 1);
    let count = said.max().unwrap_or(0).max(seen.map_or(0, |seen| seen.0));
    let mut leaves = vec![None; usize::try_from(count).unwrap_or(0)];
    for number in (0..count).rev() {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let next = leaves.get(at + 1).copied().flatten();
        let by_catalogue = seen.filter(|seen| seen.0 == number + 1).map(|seen| seen.1);
        // The next entry, as it must be, states this one's hash, whether this one is still there or not.
        let by_next = of(number + 1)
            .iter()
            .find(|line| Some(line.0) == next)
            .map(|line| line.1);
        let confirmed = of(number)
            .iter()
            .find(|line| of(number + 1).iter().any(|after| after.1 == line.0))
            .map(|line| line.0);
        // The one behind it is changed or gone: it is not to blame for what that one says.
        let alone = match of(number) {
            [(hash, before)] => goes_on(number, *before).then_some(*hash),
            _ => None,
        };
        leaves[at] = by_catalogue.or(by_next).or(confirmed).or(alone);
    }
    leaves
}
