//! A tree run at the level of families.
//!
//! Each leaf is run by the index as a set of items and mapped to top-level items; AND, OR and NOT join those. Leaves beside each other
//! in an OR are run as one. A conjunction runs its cheapest part first and looks for the others among the families that are left.
//! Invariant: the result is the same for every order; costs only choose it.

use std::sync::Arc;

use embley_index::{ItemBits, Node, Snapshot};
use embley_model::field::Home;

use super::families::Families;

/// What gives the items of a leaf.
pub(crate) trait Leaves {
    /// Why it could not.
    type Error;

    /// The items that match a leaf, an OR of leaves, or an AND of a leaf and a set.
    fn bits(&self, node: &Node) -> Result<ItemBits, Self::Error>;

    /// A bound on the work that a leaf takes.
    fn cost(&self, node: &Node) -> Result<u64, Self::Error>;
}

impl Leaves for Snapshot {
    type Error = embley_index::IndexError;

    fn bits(&self, node: &Node) -> Result<ItemBits, Self::Error> {
        Self::bits(self, node)
    }

    fn cost(&self, node: &Node) -> Result<u64, Self::Error> {
        Self::cost(self, node)
    }
}

/// The top-level items of the families for which the tree is true; of `within`, when it is given.
///
/// # Errors
/// When a leaf could not be run.
pub(crate) fn matching<L: Leaves>(
    leaves: &L,
    families: &Families,
    node: &Node,
    within: Option<&ItemBits>,
) -> Result<ItemBits, L::Error> {
    let run = Run { leaves, families };
    run.eval(node, within)
}

/// The leaves that a hit may owe its place to: those below no NOT, or below an even number of them.
///
/// They say which members matched. What stands in an item (words, values) tells members apart better than what is mostly true of a
/// whole family (who held it, where it was found, when it was sent): sets, dates and sizes count only when nothing else is asked for.
pub(crate) fn telling(node: &Node) -> Node {
    let mut all = Vec::new();
    positive(node, true, &mut all);
    let words: Vec<Node> = all.iter().filter(|leaf| is_of_the_item(leaf)).cloned().collect();
    Node::Or(if words.is_empty() { all } else { words })
}

fn positive(node: &Node, sign: bool, out: &mut Vec<Node>) {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| positive(part, sign, out)),
        Node::Not(inner) => positive(inner, !sign, out),
        Node::Nothing => {}
        leaf if sign && !out.contains(leaf) => out.push(leaf.clone()),
        _ => {}
    }
}

fn is_of_the_item(leaf: &Node) -> bool {
    match leaf {
        Node::Term { .. }
        | Node::Phrase { .. }
        | Node::PhrasePrefix { .. }
        | Node::Prefix { .. }
        | Node::Words { .. }
        | Node::Spans { .. }
        | Node::Keyword { .. }
        | Node::KeywordPrefix { .. }
        | Node::Checked(_) => true,
        Node::Exists { field } => matches!(field.home(), Home::Text | Home::Keyword),
        Node::All
        | Node::Nothing
        | Node::Range { .. }
        | Node::Items(_)
        | Node::Bits(_)
        | Node::And(_)
        | Node::Or(_)
        | Node::Not(_) => false,
    }
}

/// True for what is run as one set of items before it is mapped.
fn is_leaf(node: &Node) -> bool {
    match node {
        Node::All | Node::Nothing | Node::And(_) | Node::Not(_) => false,
        Node::Or(parts) => parts.iter().all(is_leaf),
        _ => true,
    }
}

struct Run<'a, L> {
    leaves: &'a L,
    families: &'a Families,
}

impl<L: Leaves> Run<'_, L> {
    /// Top-level items of `within`, or of all.
    fn eval(&self, node: &Node, within: Option<&ItemBits>) -> Result<ItemBits, L::Error> {
        if within.is_some_and(ItemBits::is_empty) {
            return Ok(ItemBits::default());
        }
        match node {
            Node::All => Ok(self.all(within)),
            Node::Nothing => Ok(ItemBits::default()),
            Node::And(parts) => self.and(parts, within),
            Node::Not(inner) => {
                let mut left = self.all(within);
                left.and_not(&self.eval(inner, within)?);
                Ok(left)
            }
            Node::Or(parts) if !is_leaf(node) => {
                let (leaves, others): (Vec<Node>, Vec<Node>) = parts.iter().cloned().partition(is_leaf);
                let mut found = self.leaf(&Node::Or(leaves), within)?;
                for other in &others {
                    found.or(&self.eval(other, within)?);
                }
                Ok(found)
            }
            leaf => self.leaf(leaf, within),
        }
    }

    fn all(&self, within: Option<&ItemBits>) -> ItemBits {
        within.cloned().unwrap_or_else(|| self.families.roots())
    }

    fn leaf(&self, leaf: &Node, within: Option<&ItemBits>) -> Result<ItemBits, L::Error> {
        let items = match (leaf, within) {
            (Node::Items(items), _) => ItemBits::from_bitmap(items),
            (Node::Bits(items), _) => items.as_ref().clone(),
            (leaf, None) => self.leaves.bits(leaf)?,
            (leaf, Some(within)) => {
                let members = Node::Bits(Arc::new(self.families.members_of(within)));
                self.leaves.bits(&Node::And(vec![members, leaf.clone()]))?
            }
        };
        let mut roots = self.families.roots_of(&items);
        if let Some(within) = within {
            roots.and(within);
        }
        Ok(roots)
    }

    /// From the cheapest part on; what is negated comes last.
    fn and(&self, parts: &[Node], within: Option<&ItemBits>) -> Result<ItemBits, L::Error> {
        let mut ordered = Vec::with_capacity(parts.len());
        for part in parts {
            ordered.push((self.cost(part)?, part));
        }
        ordered.sort_by_key(|(cost, _)| *cost);
        let mut left: Option<ItemBits> = within.cloned();
        for (_, part) in ordered {
            left = Some(self.eval(part, left.as_ref())?);
        }
        Ok(left.unwrap_or_else(|| self.families.roots()))
    }

    fn cost(&self, node: &Node) -> Result<u64, L::Error> {
        Ok(match node {
            Node::Nothing => 0,
            Node::Not(_) => u64::MAX,
            Node::All => u64::MAX / 2,
            // These are there already, and only have to be mapped.
            Node::Items(_) | Node::Bits(_) => 1,
            Node::And(parts) => {
                let mut least = u64::MAX / 2;
                for part in parts {
                    least = least.min(self.cost(part)?);
                }
                least
            }
            Node::Or(parts) => {
                let mut sum = 0_u64;
                for part in parts {
                    sum = sum.saturating_add(self.cost(part)?);
                }
                sum
            }
            leaf => self.leaves.cost(leaf)?,
        })
    }
}
