//! Links of made threads against a second implementation that is slow and plain: strings, loops, no columns.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::Key128;
use embley_search::threads::{LinkRow, Messages, NewMessage, Oddities, Reason, link};
use proptest::prelude::*;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) % end as u64) as usize
    }
}

#[derive(Clone, Debug)]
struct Made {
    id: Option<u32>,
    references: Vec<u32>,
    in_reply_to: Vec<u32>,
    index: Option<Vec<u8>>,
    date: Option<i64>,
    is_top: bool,
    body: u32,
}

fn key(id: u32) -> Key128 {
    let mut bytes = [7; 16];
    // As hashes are: the first bytes differ.
    bytes[..8].copy_from_slice(&u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    bytes[8..12].copy_from_slice(&id.to_le_bytes());
    Key128(bytes)
}

/// Threads with answers, lost messages, copies, wrong headers and rings, in any order.
fn corpus(seed: u64) -> Vec<Made> {
    let mut random = Random(seed);
    let mut all: Vec<Made> = Vec::new();
    for thread in 0..1 + random.below(6) as u32 {
        let size = 1 + random.below(12);
        let mut own: Vec<Made> = Vec::new();
        for place in 0..size {
            let id = thread * 100 + place as u32;
            let parent = (place > 0).then(|| random.below(place));
            let mut references: Vec<u32> = parent.map_or_else(Vec::new, |parent| {
                let mut list = own[parent].references.clone();
                list.extend(own[parent].id);
                list
            });
            let mut in_reply_to: Vec<u32> = references.last().copied().into_iter().collect();
            let mut index = parent.and_then(|parent| own[parent].index.clone()).map(|mut index| {
                index.extend([0, 0, 0, 0, random.below(3) as u8]);
                index
            });
            if place == 0 && random.below(3) == 0 {
                index = Some(vec![(thread % 3) as u8; 22]);
            }
            match random.below(10) {
                0 => references.clear(),
                1 => {
                    references.clear();
                    in_reply_to.clear();
                }
                2 => references.reverse(),
                3 => references.push(random.below(700) as u32),
                4 => references.truncate(1),
                5 => references.push(id),
                6 => index = None,
                _ => {}
            }
            own.push(Made {
                id: (random.below(12) > 0).then_some(id),
                references,
                in_reply_to,
                index,
                date: (random.below(8) > 0).then(|| (place * 10) as i64 - random.below(15) as i64),
                is_top: random.below(6) > 0,
                body: 1 + random.below(2) as u32,
            });
        }
        for made in own {
            match random.below(6) {
                // Lost.
                0 => {}
                // Received twice.
                1 => all.extend([
                    made.clone(),
                    Made {
                        body: 1 + random.below(2) as u32,
                        ..made
                    },
                ]),
                _ => all.push(made),
            }
        }
    }
    for at in (1..all.len()).rev() {
        all.swap(at, random.below(at + 1));
    }
    all
}

fn linked(corpus: &[Made]) -> Vec<LinkRow> {
    let mut messages = Messages::default();
    for (at, made) in corpus.iter().enumerate() {
        let keys = |ids: &[u32]| ids.iter().copied().map(key).collect::<Vec<_>>();
        messages
            .push(&NewMessage {
                item: at as u32 + 1,
                is_top: made.is_top,
                date: made.date,
                message_id: made.id.map(key),
                body: Some(key(made.body)),
                in_reply_to: &keys(&made.in_reply_to),
                references: &keys(&made.references),
                thread_index: made.index.as_deref(),
            })
            .expect("they come in order");
    }
    link(&messages, &[])
}

/// (parent, reason, is a ring opened here) by the rules as they are written down, by item.
fn naive(corpus: &[Made]) -> Vec<(usize, Reason, bool)> {
    let meant = |id: u32| {
        let with_id = || (0..corpus.len()).filter(|at| corpus[*at].id == Some(id));
        with_id().find(|at| corpus[*at].is_top).or_else(|| with_id().next())
    };
    let mut links: Vec<(Option<usize>, Reason)> = Vec::new();
    for made in corpus {
        let other = |id: &&u32| Some(**id) != made.id;
        let by_references = made.references.iter().rev().filter(other).find_map(|id| meant(*id));
        let by_reply = made.in_reply_to.iter().filter(other).find_map(|id| meant(*id));
        let names_any = made.references.iter().chain(&made.in_reply_to).any(|id| other(&id));
        links.push(match (by_references, by_reply) {
            (Some(parent), _) => (Some(parent), Reason::References),
            (None, Some(parent)) => (Some(parent), Reason::InReplyTo),
            (None, None) if names_any => (None, Reason::NotHeld),
            (None, None) => (None, Reason::None),
        });
    }
    for (at, made) in corpus
        .iter()
        .enumerate()
        .filter(|(at, _)| links[*at].0.is_none())
        .collect::<Vec<_>>()
    {
        let Some(index) = &made.index else { continue };
        let same = |other: &Made| other.id.is_some() && other.id == made.id;
        let others =
            || (0..corpus.len()).filter(|two| *two != at && !same(&corpus[*two]) && corpus[*two].index.is_some());
        let bytes = |at: usize| corpus[at].index.clone().unwrap_or_default();
        let parent = others()
            .filter(|two| bytes(*two).len() < index.len() && index.starts_with(&bytes(*two)))
            .max_by_key(|two| (bytes(*two).len(), corpus[*two].is_top, std::cmp::Reverse(*two)));
        if parent.is_some() {
            links[at] = (parent, Reason::ThreadIndex);
        } else if index.len() > 22 && others().any(|two| bytes(two)[..22] == index[..22]) && links[at].1 == Reason::None
        {
            links[at].1 = Reason::SharedIndex;
        }
    }
    let mut opened = BTreeSet::new();
    loop {
        let ring = (0..corpus.len()).find_map(|start| {
            let mut way = vec![start];
            while let Some(up) = links[way[way.len() - 1]].0 {
                if up == start {
                    return Some(way);
                }
                if way.contains(&up) {
                    return None;
                }
                way.push(up);
            }
            None
        });
        let Some(ring) = ring else { break };
        let weakest = ring.iter().copied().min_by_key(|at| {
            (
                std::cmp::Reverse(links[*at].1),
                corpus[*at].date.is_none(),
                corpus[*at].date,
                *at,
            )
        });
        let at = weakest.expect("a ring has members");
        links[at] = (None, Reason::None);
        opened.insert(at);
    }
    let told = links.iter().enumerate();
    told.map(|(at, (parent, reason))| (parent.map_or(0, |parent| parent + 1), *reason, opened.contains(&at)))
        .collect()
}

/// Threads as sets of items, by walking along shared ids and links until nothing is added.
fn naive_threads(corpus: &[Made], rows: &[LinkRow]) -> BTreeMap<usize, usize> {
    let ids = |made: &Made| -> BTreeSet<u32> {
        made.id
            .iter()
            .chain(&made.references)
            .chain(&made.in_reply_to)
            .copied()
            .collect()
    };
    let joined = |one: usize, two: usize| {
        let up = |at: usize| rows[at].parent as usize;
        let header = |at: usize| match rows[at].reason {
            Reason::SharedIndex => corpus[at].index.as_ref().map(|index| index[..22].to_vec()),
            _ => None,
        };
        let index = |at: usize| corpus[at].index.as_ref().map(|index| index[..22].to_vec());
        !ids(&corpus[one]).is_disjoint(&ids(&corpus[two]))
            || up(one) == two + 1
            || up(two) == one + 1
            || (header(one).is_some() && header(one) == index(two))
            || (header(two).is_some() && header(two) == index(one))
    };
    let mut thread_of: BTreeMap<usize, usize> = BTreeMap::new();
    for start in 0..corpus.len() {
        if thread_of.contains_key(&start) {
            continue;
        }
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            if thread_of.insert(at, start + 1).is_none() {
                open.extend((0..corpus.len()).filter(|other| !thread_of.contains_key(other) && joined(at, *other)));
            }
        }
    }
    thread_of
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn links_are_those_of_a_plain_implementation(seed in any::<u64>()) {
        let corpus = corpus(seed);
        let rows = linked(&corpus);
        let got: Vec<_> = rows
            .iter()
            .map(|row| (row.parent as usize, row.reason, row.oddities.0 & Oddities::RING_BROKEN != 0))
            .collect();
        prop_assert_eq!(&got, &naive(&corpus), "{:#?}", corpus);
        // Parents lead upwards and end.
        for row in &rows {
            let mut at = row.parent;
            for _ in 0..=rows.len() {
                if at == 0 { break; }
                at = rows[at as usize - 1].parent;
            }
            prop_assert_eq!(at, 0);
            prop_assert_eq!(row.parent == 0 || rows[row.parent as usize - 1].thread == row.thread, true);
        }
    }

    #[test]
    fn a_thread_is_named_by_its_lowest_item_and_comes_round(seed in any::<u64>()) {
        let corpus = corpus(seed);
        let rows = linked(&corpus);
        for row in &rows {
            let members: Vec<u32> = rows.iter().filter(|other| other.thread == row.thread).map(|other| other.item).collect();
            prop_assert_eq!(members[0], row.thread);
            let place = members.iter().position(|item| *item == row.item).unwrap();
            prop_assert_eq!(row.next, members[(place + 1) % members.len()]);
        }
        // What is joined by references or links is one thread; a shared Thread-Index that is not a link may join more.
        if rows.iter().all(|row| row.reason != Reason::SharedIndex && corpus[row.item as usize - 1].index.is_none()) {
            for (at, first) in naive_threads(&corpus, &rows) {
                prop_assert_eq!(rows[at].thread as usize, first, "{:#?}", corpus);
            }
        } else {
            for (at, first) in naive_threads(&corpus, &rows) {
                prop_assert_eq!(rows[at].thread, rows[first - 1].thread);
            }
        }
    }
}
