//! Trees over made families against the definition, looked at family by family and member by member.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

use embley_index::{ItemBits, Node};
use embley_model::field::Field;
use roaring::RoaringBitmap;

use super::run::{Leaves, matching, telling};
use super::{Families, Level};
use crate::plan::{possible, simplify};

const CASES: u64 = 40_000;
const TERMS: usize = 5;

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// The items of each term, and costs that mean nothing.
struct Table {
    terms: Vec<BTreeSet<u32>>,
    costs: u64,
}

impl Table {
    fn make(random: &mut Random, items: u32) -> Self {
        let mut terms = Vec::new();
        for _ in 0..TERMS {
            // From none to nearly all items.
            let share = [0, 2, 10, 40, 95][random.below(5) as usize];
            terms.push((1..items).filter(|_| random.below(100) < share).collect());
        }
        Self {
            terms,
            costs: random.next(),
        }
    }

    fn holds(&self, leaf: &Node, item: u32) -> bool {
        match leaf {
            Node::Term { token, .. } => self.terms[token.parse::<usize>().expect("a term is a number")].contains(&item),
            Node::Items(items) => items.contains(item),
            Node::Bits(items) => items.contains(item),
            Node::All => true,
            Node::And(parts) => parts.iter().all(|part| self.holds(part, item)),
            Node::Or(parts) => parts.iter().any(|part| self.holds(part, item)),
            other => panic!("{other:?} is no leaf"),
        }
    }
}

/// A table with the highest item, as the index runs it.
struct Indexed<'t>(&'t Table, u32);

impl Leaves for Indexed<'_> {
    type Error = Infallible;

    fn bits(&self, node: &Node) -> Result<ItemBits, Infallible> {
        Ok((1..self.1).filter(|item| self.0.holds(node, *item)).collect())
    }

    fn cost(&self, node: &Node) -> Result<u64, Infallible> {
        let text = format!("{node:?}");
        Ok(text
            .bytes()
            .fold(self.0.costs, |sum, byte| sum.rotate_left(5) ^ u64::from(byte)))
    }
}

fn tree(random: &mut Random, depth: u32, items: u32) -> Node {
    let joint = depth > 0 && random.below(10) < 7;
    if joint {
        let mut parts = Vec::new();
        for _ in 0..random.below(4) {
            parts.push(tree(random, depth - 1, items));
        }
        return match random.below(3) {
            0 => Node::And(parts),
            1 => Node::Or(parts),
            _ => Node::Not(Box::new(tree(random, depth - 1, items))),
        };
    }
    match random.below(12) {
        0 => Node::All,
        1 => Node::Nothing,
        2..=4 => {
            let share = [0, 3, 30][random.below(3) as usize];
            let set: RoaringBitmap = (1..items).filter(|_| random.below(100) < share).collect();
            Node::Items(Arc::new(set))
        }
        _ => Node::Term {
            fields: vec![Field::Body],
            token: random.below(TERMS as u64).to_string(),
        },
    }
}

/// The definition: a leaf is true of a family when it is true of one of its members.
fn is_true(node: &Node, members: &Range<u32>, table: &Table) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| is_true(part, members, table)),
        Node::Or(parts) => parts.iter().any(|part| is_true(part, members, table)),
        Node::Not(inner) => !is_true(inner, members, table),
        Node::All => true,
        Node::Nothing => false,
        leaf => members.clone().any(|item| table.holds(leaf, item)),
    }
}

fn made_families(random: &mut Random) -> (Families, BTreeMap<u32, Range<u32>>, u32) {
    let (mut roots, mut ranges, mut next) = (RoaringBitmap::new(), BTreeMap::new(), 1);
    for _ in 0..random.below(40) {
        let size = match random.below(8) {
            0..4 => 1,
            4..7 => 1 + random.below(5) as u32,
            _ => 1 + random.below(90) as u32,
        };
        roots.insert(next);
        ranges.insert(next, next..next + size);
        next += size;
    }
    (Families::new(&roots, next), ranges, next)
}

#[test]
fn a_tree_is_run_as_it_is_defined() {
    let (mut hits, mut missed) = (0_u64, 0_u64);
    for seed in 0..CASES {
        let mut random = Random(seed);
        let (families, ranges, items) = made_families(&mut random);
        let table = Table::make(&mut random, items);
        let whole = tree(&mut random, 4, items);
        let expected: BTreeSet<u32> = ranges
            .iter()
            .filter(|(_, members)| is_true(&whole, members, &table))
            .map(|(root, _)| *root)
            .collect();
        let leaves = Indexed(&table, items);
        for node in [whole.clone(), simplify(whole.clone(), Level::Family)] {
            let Ok(found) = matching(&leaves, &families, &node, None);
            assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected, "seed {seed}: {node:?}");
        }
        let some: ItemBits = ranges.keys().copied().filter(|_| random.below(2) == 0).collect();
        let Ok(found) = matching(&leaves, &families, &whole, Some(&some));
        let mut within = found.clone();
        within.and(&some);
        assert_eq!(found, within, "seed {seed}: {whole:?}");
        let narrowed: BTreeSet<u32> = expected.iter().copied().filter(|root| some.contains(*root)).collect();
        assert_eq!(
            found.iter().collect::<BTreeSet<_>>(),
            narrowed,
            "seed {seed}: {whole:?}"
        );
        hits += expected.len() as u64;
        missed += (ranges.len() - expected.len()) as u64;
    }
    assert!(hits > CASES && missed > CASES, "{hits} hits, {missed} others");
}

#[test]
fn other_texts_find_no_family_outside_of_the_scope() {
    let mut others = 0_u64;
    for seed in 0..CASES / 2 {
        let mut random = Random(seed ^ 0x5eed);
        let (families, ranges, items) = made_families(&mut random);
        let whole = simplify(tree(&mut random, 3, items), Level::Family);
        let scope = simplify(possible(&whole), Level::Family);
        let table = Table::make(&mut random, items);
        let Ok(in_scope) = matching(&Indexed(&table, items), &families, &scope, None);
        let texts = Table::make(&mut random, items);
        for (root, members) in &ranges {
            if is_true(&whole, members, &texts) {
                others += 1;
                assert!(in_scope.contains(*root), "seed {seed}: {whole:?} -> {scope:?}");
            }
        }
    }
    assert!(others > CASES / 2);
}

#[test]
fn members_are_told_by_words_before_sets_and_never_by_what_is_excluded() {
    let term = |token: &str| Node::Term {
        fields: vec![Field::Body],
        token: token.to_owned(),
    };
    let set = Node::Items(Arc::new(RoaringBitmap::from_iter([1, 2])));
    let not = |node| Node::Not(Box::new(node));
    for (tree, expected) in [
        (Node::And(vec![term("0"), set.clone()]), vec![term("0")]),
        (set.clone(), vec![set.clone()]),
        (Node::And(vec![term("0"), not(term("1"))]), vec![term("0")]),
        (not(term("1")), vec![]),
        (not(Node::And(vec![term("1"), not(term("2"))])), vec![term("2")]),
        (Node::All, vec![Node::All]),
        (
            Node::Or(vec![term("0"), term("1"), term("0")]),
            vec![term("0"), term("1")],
        ),
    ] {
        assert_eq!(telling(&tree), Node::Or(expected), "{tree:?}");
    }
}
