//! Constant folding: what is empty, everything, or already a set is computed before the index is asked.
//!
//! Invariant: the simplified plan matches exactly the same items. At the level of families two sets that both have to hold stay apart:
//! one member may be in the first and another in the second.

use std::sync::Arc;

use embley_index::Node;
use roaring::RoaringBitmap;

use crate::family::Level;

/// The plan with constants folded, nested AND and OR flattened, and sets joined.
pub(crate) fn simplify(node: Node, level: Level) -> Node {
    match node {
        Node::And(parts) => all_of(parts, level),
        Node::Or(parts) => any_of(parts, level),
        Node::Not(inner) => match simplify(*inner, level) {
            Node::All => Node::Nothing,
            Node::Nothing => Node::All,
            Node::Not(twice) => *twice,
            other => Node::Not(Box::new(other)),
        },
        Node::Items(items) if items.is_empty() => Node::Nothing,
        other => other,
    }
}

fn all_of(parts: Vec<Node>, level: Level) -> Node {
    let mut kept = Vec::with_capacity(parts.len());
    let mut items: Option<RoaringBitmap> = None;
    let mut waiting: Vec<Node> = parts.into_iter().rev().collect();
    while let Some(part) = waiting.pop() {
        match simplify(part, level) {
            Node::All => {}
            Node::Nothing => return Node::Nothing,
            Node::And(inner) => waiting.extend(inner.into_iter().rev()),
            Node::Items(more) if level == Level::Item => {
                items = Some(match items {
                    Some(before) => before & more.as_ref(),
                    None => more.as_ref().clone(),
                });
            }
            other => kept.push(other),
        }
    }
    if let Some(items) = items {
        if items.is_empty() {
            return Node::Nothing;
        }
        kept.push(Node::Items(Arc::new(items)));
    }
    only(kept, Node::And, Node::All)
}

fn any_of(parts: Vec<Node>, level: Level) -> Node {
    let mut kept = Vec::with_capacity(parts.len());
    let mut items = RoaringBitmap::new();
    let mut waiting: Vec<Node> = parts.into_iter().rev().collect();
    while let Some(part) = waiting.pop() {
        match simplify(part, level) {
            Node::All => return Node::All,
            Node::Nothing => {}
            Node::Or(inner) => waiting.extend(inner.into_iter().rev()),
            Node::Items(more) => items |= more.as_ref(),
            other => kept.push(other),
        }
    }
    if !items.is_empty() {
        kept.push(Node::Items(Arc::new(items)));
    }
    only(kept, Node::Or, Node::Nothing)
}

fn only(mut parts: Vec<Node>, join: fn(Vec<Node>) -> Node, none: Node) -> Node {
    match (parts.len(), parts.pop()) {
        (1, Some(single)) => single,
        (_, Some(last)) => {
            parts.push(last);
            join(parts)
        }
        (_, None) => none,
    }
}
