//! A plan drawn with one node a line.

use std::ops::Bound;

use embley_index::{Node, SpanQuery};
use embley_model::date::rfc3339;
use embley_model::field::{Field, Home};

use crate::family::Level;

/// The plan in words; at the level of families each leaf says that it is mapped.
pub(super) fn node(node: &Node, level: Level) -> String {
    let mut out = String::new();
    draw(node, level, 0, &mut out);
    out
}

fn draw(node: &Node, level: Level, depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
    match (node, level) {
        (Node::And(_) | Node::Or(_) | Node::Not(_), _) | (_, Level::Item) => out.push_str(&line(node)),
        (Node::All, Level::Family) => out.push_str("every family"),
        (Node::Nothing, Level::Family) => out.push_str("no family"),
        (leaf, Level::Family) => {
            out.push_str("families of: ");
            out.push_str(&line(leaf));
        }
    }
    out.push('\n');
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| draw(part, level, depth + 1, out)),
        Node::Not(inner) => draw(inner, level, depth + 1, out),
        _ => {}
    }
}

fn line(node: &Node) -> String {
    match node {
        Node::All => "every item".to_owned(),
        Node::Nothing => "no item".to_owned(),
        Node::Term { fields, token } => format!("term {token:?} in {}", names(fields)),
        Node::Phrase { fields, tokens } => format!("phrase {tokens:?} in {}", names(fields)),
        Node::PhrasePrefix { fields, tokens, prefix } => {
            format!(
                "phrase {tokens:?} and a term that begins {prefix:?} in {}",
                names(fields)
            )
        }
        Node::Prefix { fields, prefix } => format!("terms that begin {prefix:?} in {}", names(fields)),
        Node::Words { fields, pattern } => format!("{pattern} in {}", names(fields)),
        Node::Spans { fields, query } => format!("{} in {}", spans(query), names(fields)),
        Node::Keyword { field, value } => format!("value {value:?} of {}", field.name()),
        Node::KeywordPrefix { field, prefix } => format!("values that begin {prefix:?} of {}", field.name()),
        Node::Range { field, low, high } => {
            format!(
                "{} from {} to {}",
                field.name(),
                bound(*field, low),
                bound(*field, high)
            )
        }
        Node::Exists { field } => format!("any value of {}", field.name()),
        Node::Items(items) => format!("set of {} items", items.len()),
        Node::Bits(items) => format!("set of {} items", items.len()),
        Node::Checked(items) => format!("{} items whose texts were compared", items.len()),
        Node::And(_) => "AND".to_owned(),
        Node::Or(_) => "OR".to_owned(),
        Node::Not(_) => "NOT".to_owned(),
    }
}

/// A span query on one line.
fn spans(query: &SpanQuery) -> String {
    let list = |parts: &[SpanQuery], with: &str| parts.iter().map(spans).collect::<Vec<_>>().join(with);
    match query {
        SpanQuery::Word(token) => format!("{token:?}"),
        SpanQuery::Pattern(pattern) => format!("<{pattern}>"),
        SpanQuery::Any(parts) => format!("({})", list(parts, " or ")),
        SpanQuery::Phrase(parts) => format!("[{}]", list(parts, ", ")),
        SpanQuery::Within { left, right, distance } => {
            format!("({} within {distance} of {})", spans(left), spans(right))
        }
        SpanQuery::Before { left, right, distance } => {
            format!("({} at most {distance} before {})", spans(left), spans(right))
        }
        SpanQuery::NotWithin { left, right, distance } => {
            format!("({} not within {distance} of {})", spans(left), spans(right))
        }
    }
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name()).collect::<Vec<_>>().join(", ")
}

fn bound(field: Field, bound: &Bound<i64>) -> String {
    let value = |value: i64| {
        let date = if field.home() == Home::Date {
            rfc3339(value)
        } else {
            None
        };
        date.unwrap_or_else(|| value.to_string())
    };
    match bound {
        Bound::Included(at) => format!("{} on", value(*at)),
        Bound::Excluded(at) => format!("{} excluded", value(*at)),
        Bound::Unbounded => "anything".to_owned(),
    }
}
