//! The query grammar.

use embley_search::syntax::parse;
use embley_search::tree::{Expr, ExprNode, Span};

use super::{ensure, samples};
use crate::target::Target;

pub(super) const QUERY: Target = Target {
    max_bytes: 4096,
    words: &[
        b" AND ",
        b" OR ",
        b"NOT ",
        b"(",
        b")",
        b"\"",
        b" w/3 ",
        b" pre/0 ",
        b" not w/4294967296 ",
        b" NEAR ",
        b" NEAR/2 ",
        b"date:",
        b"subject:",
        b"*",
        b"?",
        b"~1",
        b"/re/",
        b"..",
        b">=",
        b"\\",
        b"2001-02-29",
        b"2001-05-14T09:30:15",
        b"size:",
        b"10MB",
        b"\xe2\x80\x9c",
        b"from:",
        b":",
        b"-",
        b"[",
        b"\xcc\x88",
        b"message-id:<a@b>",
        b"has:attachment",
        b" ",
    ],
    made: samples::queries,
    ..Target::new(
        "query",
        "spans lie in the query; a printed tree is read as the same tree; an error points into the query",
        query,
    )
};

fn query(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text) {
        Ok(tree) => {
            spans(&tree, &text)?;
            tree.outline();
            let printed = tree.to_string();
            let again =
                parse(&printed).map_err(|error| format!("the print is refused: {} ({printed})", error.message))?;
            ensure(again.without_spans() == tree.without_spans(), || {
                format!("the print is read as another tree ({printed})")
            })
        }
        Err(error) => {
            let end = error.offset + error.length;
            ensure(text.get(error.offset..end).is_some(), || {
                format!("an error at {}..{end} of {}", error.offset, text.len())
            })?;
            error.render(&text);
            Ok(())
        }
    }
}

fn spans(expr: &Expr, text: &str) -> Result<(), String> {
    let inside = |span: Span| {
        ensure(text.get(span.start..span.end).is_some(), || {
            format!("the span {span:?} of {}", text.len())
        })
    };
    inside(expr.span)?;
    match &expr.node {
        ExprNode::All | ExprNode::Leaf(_) => Ok(()),
        ExprNode::And(parts) | ExprNode::Or(parts) => {
            ensure(parts.len() > 1, || "an operator with one side".to_owned())?;
            parts.iter().try_for_each(|part| spans(part, text))
        }
        ExprNode::Not(inner) => spans(inner, text),
        ExprNode::Field { name, inner, .. } => {
            inside(*name)?;
            spans(inner, text)
        }
        ExprNode::Near {
            operator, left, right, ..
        } => {
            inside(*operator)?;
            spans(left, text)?;
            spans(right, text)
        }
    }
}
