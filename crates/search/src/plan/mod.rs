//! Typed tree to plan: which postings, columns and sets answer the query, what is marked in the hits, and which
//! items could have matched had their text been searchable.
//!
//! Not for: running anything. Main function: [`plan`]. Invariants: what cannot be run is refused by its name and
//! place; no typed letter is dropped without an error; words are exact (folded for case and accents, unstemmed).

mod date;
mod fold;
mod leaf;
mod near;
mod pattern;
mod scope;
mod sets;
mod show;

use std::sync::Arc;

use embley_index::{Node, SpanQuery, WordPattern};
use embley_model::field::Field;
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

pub(crate) use date::{bounds, end_of};
#[cfg(test)]
pub(crate) use fold::simplify;
pub(crate) use leaf::NOT_SEARCHABLE;
#[cfg(test)]
pub(crate) use scope::possible;
pub use sets::{BoxError, Found, SetAsk, Sets};

use crate::error::{SearchError, SyntaxError};
use crate::exact::{ExactForms, ExactWord};
use crate::family::Level;
use crate::tree::{Expr, ExprNode, Span};

/// Zone in which dates without one are read, when a case does not say otherwise.
pub const DEFAULT_ZONE: &str = "Europe/London";

/// What a plan needs to know of the case.
#[derive(Clone)]
pub struct PlanContext<'a> {
    /// The sets of the case.
    pub sets: &'a dyn Sets,
    /// Days begin at midnight in this zone.
    pub zone: TimeZone,
    /// Seconds UTC: the present, from which relative dates are counted.
    pub now: i64,
    /// Compares words with case and accents; without it they are refused.
    pub exact: Option<&'a dyn ExactForms>,
}

/// Something to mark in the texts of hits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Highlight {
    /// In which fields it was searched.
    pub fields: Vec<Field>,
    /// What is marked.
    pub mark: Mark,
}

/// What is marked; words are folded as in the index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Each occurrence of this word.
    Word(String),
    /// These words one after the other, as one.
    Phrase(Vec<String>),
    /// Each word that begins so.
    Prefix(String),
    /// These words, and behind them a word that begins so.
    PhrasePrefix(Vec<String>, String),
    /// These words one after the other, with case and accents as typed.
    Exact(Vec<ExactWord>),
    /// Each word that the pattern stands for.
    Pattern(WordPattern),
    /// The words and phrases that take part in a span.
    Spans(SpanQuery),
    /// A whole address, or `@domain`.
    Address(String),
    /// Addresses that begin so.
    AddressPrefix(String),
}

/// A query, ready to run against the state of the sets it was planned with.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The query in its canonical form.
    pub query: String,
    /// At which level AND, OR and NOT act.
    pub level: Level,
    /// What matches; at the level of families, a tree whose leaves are mapped to top-level items before they are joined. So it is
    /// the searcher that runs it ([`crate::Searcher::run`], [`crate::Searcher::items`]), not the index.
    pub node: Node,
    /// What could match if nothing were known of any text: conditions on words hold, conditions on dates, sets,
    /// kinds and sizes are kept. Items in it whose text was not searchable are counted with the answer. Of the same level.
    pub scope: Node,
    /// What is marked in hits: every positive leaf.
    pub highlights: Vec<Highlight>,
    /// What the reader should know, such as a name that no set has.
    pub notes: Vec<String>,
    /// The tree, one node a line.
    pub outline: String,
    /// What matches, before anything was folded: from it the plan of each level is made.
    whole: Node,
}

impl Plan {
    /// The same query at a level. Plans are made at the level of items.
    #[must_use]
    pub fn at(mut self, level: Level) -> Self {
        self.level = level;
        self.fold();
        self
    }

    /// The same query with these items kept from it: they are in no hit, count, facet or list. At the level of families one such
    /// member hides its family.
    #[must_use]
    pub fn without(mut self, items: RoaringBitmap) -> Self {
        let kept = Node::Not(Box::new(Node::Items(Arc::new(items))));
        self.whole = Node::And(vec![self.whole, kept]);
        self.fold();
        self
    }

    fn fold(&mut self) {
        self.node = fold::simplify(self.whole.clone(), self.level);
        self.scope = fold::simplify(scope::possible(&self.node), self.level);
    }

    /// The patterns of the query with the fields they are searched in, each once.
    pub fn patterns(&self) -> Vec<(Vec<Field>, WordPattern)> {
        let mut all = Vec::new();
        collect_patterns(&self.node, &mut all);
        all
    }

    /// The same query, which finds of these items only (at the level of families: of the families with one of them). What could not be
    /// searched is counted as before.
    #[must_use]
    pub fn within(mut self, items: RoaringBitmap) -> Self {
        let scope = self.scope.clone();
        self.whole = Node::And(vec![Node::Items(Arc::new(items)), self.whole]);
        self.fold();
        self.scope = scope;
        self
    }

    /// The plan, one node a line.
    pub(crate) fn drawn(&self) -> String {
        show::node(&self.node, self.level)
    }

    /// The tree and the plan in words, for `--explain`.
    pub fn explain(&self) -> String {
        let mut out = format!("query: {}\n\ntree\n", self.query);
        out.push_str(&indented(&self.outline));
        out.push_str(match self.level {
            Level::Item => "\nplan\n",
            Level::Family => {
                "\nplan at family level: each leaf is run as a set of items and mapped to top-level items\n"
            }
        });
        out.push_str(&indented(&show::node(&self.node, self.level)));
        out.push_str("\nscope of what may not be searchable\n");
        out.push_str(&indented(&show::node(&self.scope, self.level)));
        if !self.notes.is_empty() {
            out.push_str("\nnotes\n");
            out.push_str(&indented(&self.notes.join("\n")));
        }
        out
    }
}

fn collect_patterns(node: &Node, all: &mut Vec<(Vec<Field>, WordPattern)>) {
    let mut add = |fields: &[Field], pattern: &WordPattern| {
        let one = (fields.to_vec(), pattern.clone());
        if !all.contains(&one) {
            all.push(one);
        }
    };
    match node {
        Node::Words { fields, pattern } => add(fields, pattern),
        Node::Prefix { fields, prefix } | Node::PhrasePrefix { fields, prefix, .. } => {
            add(fields, &WordPattern::prefix(prefix));
        }
        Node::Spans { fields, query } => query.for_each_pattern(&mut |pattern| add(fields, pattern)),
        Node::And(parts) | Node::Or(parts) => parts.iter().for_each(|part| collect_patterns(part, all)),
        Node::Not(inner) => collect_patterns(inner, all),
        _ => {}
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Parses and plans a query.
///
/// # Errors
/// As [`crate::parse`] and [`plan`].
pub fn prepare(query: &str, context: &PlanContext<'_>) -> Result<Plan, SearchError> {
    let tree = crate::parse(query)?;
    plan(query, &tree, context)
}

/// Plans a tree that was parsed from `query`.
///
/// # Errors
/// [`SearchError::Syntax`] when a part cannot be run, with its place; [`SearchError::Sets`] when a set cannot be read.
pub fn plan(query: &str, tree: &Expr, context: &PlanContext<'_>) -> Result<Plan, SearchError> {
    let mut planner = Planner {
        query,
        context,
        highlights: Vec::new(),
        notes: Vec::new(),
    };
    let whole = planner.expr(tree, None, true)?;
    let mut highlights = Vec::new();
    for highlight in planner.highlights {
        if !highlights.contains(&highlight) {
            highlights.push(highlight);
        }
    }
    let mut plan = Plan {
        query: tree.to_string(),
        level: Level::default(),
        node: Node::Nothing,
        scope: Node::Nothing,
        highlights,
        notes: planner.notes,
        outline: tree.outline(),
        whole,
    };
    plan.fold();
    Ok(plan)
}

struct Planner<'a> {
    query: &'a str,
    context: &'a PlanContext<'a>,
    highlights: Vec<Highlight>,
    notes: Vec<String>,
}

type Planned = Result<Node, SearchError>;

impl Planner<'_> {
    /// Plans an expression; `positive` is false below an odd number of NOTs.
    fn expr(&mut self, expr: &Expr, field: Option<Field>, positive: bool) -> Planned {
        match &expr.node {
            ExprNode::All => self.all(field),
            ExprNode::Leaf(leaf) => self.leaf(leaf, expr.span, field, positive),
            ExprNode::And(parts) => Ok(Node::And(self.each(parts, field, positive)?)),
            ExprNode::Or(parts) => Ok(Node::Or(self.each(parts, field, positive)?)),
            ExprNode::Not(inner) => Ok(Node::Not(Box::new(self.expr(inner, field, !positive)?))),
            ExprNode::Field { field, inner, .. } => self.expr(inner, Some(*field), positive),
            ExprNode::Near { .. } => self.near(expr, field, positive),
        }
    }

    fn each(&mut self, parts: &[Expr], field: Option<Field>, positive: bool) -> Result<Vec<Node>, SearchError> {
        parts.iter().map(|part| self.expr(part, field, positive)).collect()
    }

    /// The refusal of something that the language has and this version does not run.
    fn not_yet(&self, what: &str, typed: &str, span: Span, hint: Option<&str>) -> SearchError {
        let error = self.fault(span, format!("not available yet: {what} `{typed}`"));
        match hint {
            Some(hint) => error.hint(hint).into(),
            None => error.into(),
        }
    }

    fn fault(&self, span: Span, message: impl Into<String>) -> SyntaxError {
        SyntaxError::at(self.query, span, message)
    }

    fn mark(&mut self, positive: bool, fields: &[Field], mark: Mark) {
        if positive {
            self.highlights.push(Highlight {
                fields: fields.to_vec(),
                mark,
            });
        }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

#[cfg(test)]
mod tests;
