//! Proximity: `w/n`, `pre/n` and `not w/n` between words, phrases, patterns, groups of OR, and each other.
//!
//! What they mean is said in `embley_index::SpanQuery`. Whatever has no positions in one field is refused here by name: AND, NOT,
//! fields, `*`, and `NEAR`, which other programs count in different ways.

use embley_index::analysis::fold_address;
use embley_index::{Node, SpanQuery};
use embley_model::field::{DEFAULT, Field, Home, ROLES};

use super::leaf::is_address;
use super::{Mark, Planned, Planner};
use crate::error::SearchError;
use crate::tree::{Expr, ExprNode, Leaf, Near, Span};

impl Planner<'_> {
    /// A proximity expression in a field, or in each of the default fields by itself.
    pub(super) fn near(&mut self, expr: &Expr, field: Option<Field>, positive: bool) -> Planned {
        let fields = self.fields_with_positions(expr, field)?;
        let query = self.spans(expr, &fields)?;
        self.mark(positive, &fields, Mark::Spans(query.clone()));
        Ok(Node::Spans { fields, query })
    }

    fn fields_with_positions(&self, expr: &Expr, field: Option<Field>) -> Result<Vec<Field>, SearchError> {
        match field {
            None => Ok(DEFAULT.to_vec()),
            Some(Field::Participant) => Ok(ROLES.to_vec()),
            Some(field) if field.home() == Home::Text => Ok(vec![field]),
            Some(field) => {
                let (name, operator) = (field.name(), operator(expr));
                Err(self
                    .fault(operator, format!("`{name}:` holds whole values, and nearness is of words"))
                    .hint("use AND between values; nearness works in subject, body, attachment, filename and the participants")
                    .into())
            }
        }
    }

    fn spans(&mut self, expr: &Expr, fields: &[Field]) -> Result<SpanQuery, SearchError> {
        match &expr.node {
            ExprNode::Leaf(leaf) => self.span_leaf(leaf, expr.span, fields),
            ExprNode::Or(parts) => {
                let parts: Result<_, _> = parts.iter().map(|part| self.spans(part, fields)).collect();
                Ok(SpanQuery::Any(parts?))
            }
            ExprNode::Near {
                near,
                operator,
                left,
                right,
            } => {
                let distance = self.distance(*near, *operator)?;
                self.refuse_and(*near, left, right)?;
                let (left, right) = (
                    Box::new(self.spans(left, fields)?),
                    Box::new(self.spans(right, fields)?),
                );
                Ok(match near {
                    Near::Before(_) => SpanQuery::Before { left, right, distance },
                    Near::NotWithin(_) => SpanQuery::NotWithin { left, right, distance },
                    Near::Within(_) | Near::Named(_) => SpanQuery::Within { left, right, distance },
                })
            }
            ExprNode::All => Err(self
                .fault(expr.span, "`*` alone stands for everything and is near nothing")
                .hint("put a word there, with wildcards if need be")
                .into()),
            ExprNode::Not(_) => Err(self
                .fault(expr.span, "NOT has no place in proximity")
                .hint("`a not w/5 b` finds a where no b is within 5 words")
                .into()),
            ExprNode::And(_) => Err(self
                .fault(
                    expr.span,
                    "AND has no place in proximity: it says nothing of where its parts stand",
                )
                .hint("join its parts by `w/n` too")
                .into()),
            ExprNode::Field { field, name, .. } => {
                let field = field.name();
                Err(self
                    .fault(
                        *name,
                        format!("`{field}:` stands inside proximity, which is of words in one field"),
                    )
                    .hint(format!("write `{field}:(a w/5 b)`"))
                    .into())
            }
        }
    }

    fn span_leaf(&mut self, leaf: &Leaf, span: Span, fields: &[Field]) -> Result<SpanQuery, SearchError> {
        let people = fields.iter().all(|field| ROLES.contains(field));
        match leaf {
            Leaf::Word(text) | Leaf::Phrase(text) if people && is_address(text) => {
                Ok(SpanQuery::Word(fold_address(text)))
            }
            other => self.pattern(other, span, fields),
        }
    }

    fn distance(&self, near: Near, operator: Span) -> Result<u32, SearchError> {
        match near {
            Near::Within(0) | Near::Before(0) | Near::NotWithin(0) => Err(self
                .fault(
                    operator,
                    format!("`{near}` can find nothing: neighbours are one word apart"),
                )
                .hint("write 1 or more")
                .into()),
            Near::Within(distance) | Near::Before(distance) | Near::NotWithin(distance) => Ok(distance),
            Near::Named(words) => {
                let words = words.unwrap_or(5).max(1);
                Err(self
                    .fault(operator, format!("`{near}` is not an operator here: programs count it in different ways"))
                    .hint(format!(
                        "write `w/{words}` for at most {words} words apart in any order (neighbours are `w/1`), `pre/{words}` in this \
                         order; to search for the word itself put it in quotes"
                    ))
                    .into())
            }
        }
    }

    /// Refuses `(a AND b) w/n c`, with what it could have meant.
    fn refuse_and(&self, near: Near, left: &Expr, right: &Expr) -> Result<(), SearchError> {
        let typed = |expr: &Expr| self.query.get(expr.span.start..expr.span.end).unwrap_or_default();
        let (group, parts, side) = match (&left.node, &right.node) {
            (ExprNode::And(parts), _) => (left, parts, right),
            (_, ExprNode::And(parts)) => (right, parts, left),
            _ => return Ok(()),
        };
        let pair = |part: &Expr| {
            if std::ptr::eq(group, left) {
                format!("({} {near} {})", typed(part), typed(side))
            } else {
                format!("({} {near} {})", typed(side), typed(part))
            }
        };
        let pairs: Vec<String> = parts.iter().map(pair).collect();
        Err(self
            .fault(
                group.span,
                "AND has no place in proximity: it says nothing of where its parts stand",
            )
            .hint(format!(
                "write `{}`, or join the parts by `w/n` too",
                pairs.join(" AND ")
            ))
            .into())
    }
}

fn operator(expr: &Expr) -> Span {
    match &expr.node {
        ExprNode::Near { operator, .. } => *operator,
        _ => expr.span,
    }
}
