//! The typed tree of a query, with byte spans, and its printed form.
//!
//! The tree says what was asked and nothing about how it is run: `plan` decides that. It has places for the
//! whole language, so that what cannot be run yet can be refused by its own name. Invariant: printing a tree
//! and parsing the print gives the same tree, spans apart.

use std::fmt;

use embley_model::field::Field;

use crate::syntax::escape;

/// A range of bytes in the query's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One after the last byte.
    pub end: usize,
}

impl Span {
    /// The range from `start` up to, not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest range that holds both.
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }
}

/// A part of a query and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// What is asked.
    pub node: ExprNode,
    /// Where it was written.
    pub span: Span,
}

/// What a part of a query asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprNode {
    /// `*`: everything; within a field, every item that has a value there.
    All,
    /// One word, phrase, pattern or range.
    Leaf(Leaf),
    /// All of these; at least two.
    And(Vec<Expr>),
    /// At least one of these; at least two.
    Or(Vec<Expr>),
    /// Everything but this.
    Not(Box<Expr>),
    /// `field:...`: the field applies to all leaves inside.
    Field {
        /// Which field.
        field: Field,
        /// Where its name stands.
        name: Span,
        /// What is asked of it.
        inner: Box<Expr>,
    },
    /// `left w/n right` and its relatives.
    Near {
        /// Which relation, at which distance.
        near: Near,
        /// Where the operator stands.
        operator: Span,
        /// The left side.
        left: Box<Expr>,
        /// The right side.
        right: Box<Expr>,
    },
}

/// A relation of positions between two expressions. Distances count words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// `w/n`: at most n words apart, in either order.
    Within(u32),
    /// `pre/n`: the left one first, at most n words before the right one.
    Before(u32),
    /// `not w/n`: the left one where no right one is within n words.
    NotWithin(u32),
    /// `NEAR` or `NEAR/n`, known from other programs.
    Named(Option<u32>),
}

/// A leaf of the tree. Texts are as typed, with escapes and quotes taken away; folding is the plan's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// A word without quotes.
    Word(String),
    /// Words in quotes, in this order, without a gap.
    Phrase(String),
    /// `word*`: all words that begin so.
    Prefix(String),
    /// `*` or `?` elsewhere in a word.
    Wildcard(Pattern),
    /// `*` or `?` at a word within quotes.
    PhrasePattern(Pattern),
    /// `word~` or `word~n`: words within n edits.
    Fuzzy {
        /// The word.
        word: String,
        /// The distance as typed.
        distance: Option<u8>,
    },
    /// `/expression/`, as it stands between the slashes.
    Regex(String),
    /// `=word` or `="two words"`: with case and accents as typed.
    Exact {
        /// The words.
        text: String,
        /// In quotes.
        quoted: bool,
    },
    /// `word^`: words with the same stem.
    Stem(String),
    /// A range of dates, in a date field.
    Dates(Interval<DateSpec>),
    /// A range of numbers, in a number field.
    Numbers(Interval<u64>),
}

/// Text with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Piece>);

/// A piece of a pattern. Two texts never stand side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These characters.
    Text(String),
    /// `*`: any characters, also none.
    Star,
    /// `?`: exactly one character.
    Question,
}

impl Pattern {
    /// The text before a single star at the end, when the pattern is just that.
    pub fn as_prefix(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text), Piece::Star] => Some(text),
            _ => None,
        }
    }
}

/// A range as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval<T> {
    /// `a`: within a; for a date the whole year, month or day.
    In(T),
    /// `a..b`, `a..`, `..b`: both ends belong to it; at least one is there.
    Between(Option<T>, Option<T>),
    /// `>a`.
    Above(T),
    /// `>=a`.
    AtLeast(T),
    /// `<a`.
    Below(T),
    /// `<=a`.
    AtMost(T),
}

/// A length of time in the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days.
    Day,
    /// Weeks, from Monday on.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

impl Unit {
    /// All units.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    /// The word for one of it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A date as precise as it was typed, in the zone of the case. The parser only makes dates that exist. Dates that are relative to the
/// present day stay so: the plan knows which day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateSpec {
    /// `2001`.
    Year(i16),
    /// `2001-05`.
    Month(i16, i8),
    /// `2001-05-14`.
    Day(i16, i8, i8),
    /// `2001-05-14T09:30` (the whole minute).
    Minute(i16, i8, i8, i8, i8),
    /// `2001-05-14T09:30:15` (the whole second).
    Second(i16, i8, i8, i8, i8, i8),
    /// `today`.
    Today,
    /// `yesterday`.
    Yesterday,
    /// `-7d`: the day that is so long ago.
    Ago(u16, Unit),
    /// `last-30-days`: from the day that is so long ago to the end of today.
    Past(u16, Unit),
    /// `this-year`: the whole week, month or year that holds today.
    This(Unit),
    /// `last-year`: the whole week, month or year before that one.
    Last(Unit),
}

impl Expr {
    /// An expression at a place.
    pub(crate) fn new(node: ExprNode, span: Span) -> Self {
        Self { node, span }
    }

    /// The same tree with all spans empty, for comparing what two queries ask.
    pub fn without_spans(&self) -> Self {
        let many = |parts: &[Self]| parts.iter().map(Self::without_spans).collect();
        let node = match &self.node {
            ExprNode::All => ExprNode::All,
            ExprNode::Leaf(leaf) => ExprNode::Leaf(leaf.clone()),
            ExprNode::And(parts) => ExprNode::And(many(parts)),
            ExprNode::Or(parts) => ExprNode::Or(many(parts)),
            ExprNode::Not(inner) => ExprNode::Not(Box::new(inner.without_spans())),
            ExprNode::Field { field, inner, .. } => ExprNode::Field {
                field: *field,
                name: Span::default(),
                inner: Box::new(inner.without_spans()),
            },
            ExprNode::Near { near, left, right, .. } => ExprNode::Near {
                near: *near,
                operator: Span::default(),
                left: Box::new(left.without_spans()),
                right: Box::new(right.without_spans()),
            },
        };
        Self::new(node, Span::default())
    }

    /// The tree drawn with one node a line, for `--explain`.
    pub fn outline(&self) -> String {
        let mut out = String::new();
        outline(self, 0, &mut out);
        out
    }
}

fn outline(expr: &Expr, depth: usize, out: &mut String) {
    let mut line = |text: &str| {
        out.push_str(&"  ".repeat(depth));
        out.push_str(text);
        out.push('\n');
    };
    match &expr.node {
        ExprNode::All => line("everything"),
        ExprNode::Leaf(leaf) => line(&format!("{} {leaf}", leaf.kind())),
        ExprNode::And(parts) => {
            line("AND");
            parts.iter().for_each(|part| outline(part, depth + 1, out));
        }
        ExprNode::Or(parts) => {
            line("OR");
            parts.iter().for_each(|part| outline(part, depth + 1, out));
        }
        ExprNode::Not(inner) => {
            line("NOT");
            outline(inner, depth + 1, out);
        }
        ExprNode::Field { field, inner, .. } => {
            line(&format!("in {}", field.name()));
            outline(inner, depth + 1, out);
        }
        ExprNode::Near { near, left, right, .. } => {
            line(&near.to_string());
            outline(left, depth + 1, out);
            outline(right, depth + 1, out);
        }
    }
}

impl Leaf {
    /// The word for this kind of leaf.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Word(_) => "word",
            Self::Phrase(_) => "phrase",
            Self::Prefix(_) => "prefix",
            Self::Wildcard(_) => "wildcard",
            Self::PhrasePattern(_) => "wildcard in a phrase",
            Self::Fuzzy { .. } => "fuzzy word",
            Self::Regex(_) => "regular expression",
            Self::Stem(_) => "stem",
            Self::Exact { .. } => "exact form",
            Self::Dates(_) => "dates",
            Self::Numbers(_) => "numbers",
        }
    }
}

/// The query that gives this tree: explicit operators, only the parentheses that are needed.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            ExprNode::All => f.write_str("*"),
            ExprNode::Leaf(leaf) => fmt::Display::fmt(leaf, f),
            ExprNode::And(parts) => joined(f, parts, " AND ", |part| {
                matches!(part.node, ExprNode::And(_) | ExprNode::Or(_))
            }),
            ExprNode::Or(parts) => joined(f, parts, " OR ", |part| matches!(part.node, ExprNode::Or(_))),
            ExprNode::Not(inner) => {
                f.write_str("NOT ")?;
                grouped(f, inner, matches!(inner.node, ExprNode::And(_) | ExprNode::Or(_)))
            }
            ExprNode::Field { field, inner, .. } => {
                write!(f, "{}:", field.name())?;
                grouped(f, inner, !matches!(inner.node, ExprNode::All | ExprNode::Leaf(_)))
            }
            ExprNode::Near { near, left, right, .. } => {
                grouped(f, left, !near_operand(left))?;
                write!(f, " {near} ")?;
                grouped(f, right, !near_operand(right))
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expr], with: &str, group: fn(&Expr) -> bool) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(with)?;
        }
        grouped(f, part, group(part))?;
    }
    Ok(())
}

fn grouped(f: &mut fmt::Formatter<'_>, expr: &Expr, parentheses: bool) -> fmt::Result {
    if parentheses {
        write!(f, "({expr})")
    } else {
        fmt::Display::fmt(expr, f)
    }
}

/// True when the expression can stand beside `w/n` without parentheses. The word `not` cannot: it would
/// be read as part of `not w/n`.
fn near_operand(expr: &Expr) -> bool {
    match &expr.node {
        ExprNode::Leaf(Leaf::Word(word)) => !word.eq_ignore_ascii_case("not"),
        ExprNode::All | ExprNode::Leaf(_) | ExprNode::Field { .. } => true,
        ExprNode::And(_) | ExprNode::Or(_) | ExprNode::Not(_) | ExprNode::Near { .. } => false,
    }
}

impl fmt::Display for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(words) => write!(f, "w/{words}"),
            Self::Before(words) => write!(f, "pre/{words}"),
            Self::NotWithin(words) => write!(f, "not w/{words}"),
            Self::Named(Some(words)) => write!(f, "NEAR/{words}"),
            Self::Named(None) => f.write_str("NEAR"),
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) => f.write_str(&escape::bare(text)),
            Self::Phrase(text) => write!(f, "\"{}\"", escape::quoted(text)),
            Self::Prefix(text) => write!(f, "{}*", escape::bare(text)),
            Self::Wildcard(pattern) => pattern.write(f, escape::bare),
            Self::PhrasePattern(pattern) => {
                f.write_str("\"")?;
                pattern.write(f, escape::quoted)?;
                f.write_str("\"")
            }
            Self::Fuzzy { word, distance } => {
                write!(f, "{}~", escape::bare(word))?;
                distance.map_or(Ok(()), |edits| write!(f, "{edits}"))
            }
            Self::Regex(text) => write!(f, "/{text}/"),
            Self::Exact { text, quoted: true } => write!(f, "=\"{}\"", escape::quoted(text)),
            Self::Exact { text, quoted: false } => write!(f, "={}", escape::bare(text)),
            Self::Stem(word) => write!(f, "{}^", escape::bare(word)),
            Self::Dates(interval) => interval.fmt(f),
            Self::Numbers(interval) => interval.fmt(f),
        }
    }
}

impl Pattern {
    fn write(&self, f: &mut fmt::Formatter<'_>, escape: fn(&str) -> String) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(&escape(text))?,
                Piece::Star => f.write_str("*")?,
                Piece::Question => f.write_str("?")?,
            }
        }
        Ok(())
    }
}

impl<T: fmt::Display> fmt::Display for Interval<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(value) => value.fmt(f),
            Self::Between(low, high) => {
                low.as_ref().map_or(Ok(()), |value| value.fmt(f))?;
                f.write_str("..")?;
                high.as_ref().map_or(Ok(()), |value| value.fmt(f))
            }
            Self::Above(value) => write!(f, ">{value}"),
            Self::AtLeast(value) => write!(f, ">={value}"),
            Self::Below(value) => write!(f, "<{value}"),
            Self::AtMost(value) => write!(f, "<={value}"),
        }
    }
}

impl fmt::Display for DateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(year, month, day) => write!(f, "{year:04}-{month:02}-{day:02}"),
            Self::Minute(year, month, day, hour, minute) => {
                write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
            }
            Self::Second(year, month, day, hour, minute, second) => {
                write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
            Self::Today => f.write_str("today"),
            Self::Yesterday => f.write_str("yesterday"),
            Self::Ago(count, unit) => write!(f, "-{count}{}", &unit.word()[..1]),
            Self::Past(count, unit) => write!(f, "last-{count}-{}s", unit.word()),
            Self::This(unit) => write!(f, "this-{}", unit.word()),
            Self::Last(unit) => write!(f, "last-{}", unit.word()),
        }
    }
}
