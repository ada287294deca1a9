//! The items that could match if nothing were known of any text.
//!
//! An item whose text could not be searched counts against an answer only when its date, kind, size and sets
//! would have let it in. The result never leaves such an item out; it may hold more.

use embley_index::Node;
use embley_model::field::{Field, Home};

/// The items for which `node` could be true.
pub(crate) fn possible(node: &Node) -> Node {
    could(node, true)
}

/// The items for which `node` could have the given outcome.
fn could(node: &Node, outcome: bool) -> Node {
    match node {
        Node::Not(inner) => could(inner, !outcome),
        Node::And(parts) | Node::Or(parts) => {
            let parts = parts.iter().map(|part| could(part, outcome)).collect();
            // That an AND fails, an OR has to fail in one place only; and the other way round.
            if matches!(node, Node::And(_)) == outcome {
                Node::And(parts)
            } else {
                Node::Or(parts)
            }
        }
        Node::Exists { field } if field.home() == Home::Text => Node::All,
        // What a text is in is not known without it.
        Node::Exists { field: Field::Language }
        | Node::Keyword {
            field: Field::Language, ..
        } => Node::All,
        Node::Term { .. }
        | Node::Phrase { .. }
        | Node::PhrasePrefix { .. }
        | Node::Prefix { .. }
        | Node::Words { .. }
        | Node::Spans { .. }
        | Node::Checked(_) => Node::All,
        known if outcome => known.clone(),
        known => Node::Not(Box::new(known.clone())),
    }
}
