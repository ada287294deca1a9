//! Expressions: precedence, parentheses, fields. Each function reads one rule of the grammar in `syntax`.
//!
//! Invariant: a function that returns an expression has taken exactly its text, and white space after an
//! operand is taken only together with the operator that follows.

use embley_model::field::{Field, Home};
use winnow::stream::Stream;

use super::word::{self, Mode, Operator};
use super::{Fault, Input, MAX_DEPTH, Parsed, position, rest, value};
use crate::nearest::nearest;
use crate::tree::{Expr, ExprNode, Leaf, Near, Span};

/// Where in the nesting a rule stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    depth: usize,
    field: Option<Field>,
    /// The innermost open parenthesis.
    open: Option<usize>,
}

impl Place {
    fn deeper(self, at: usize) -> Parsed<Self> {
        if self.depth == MAX_DEPTH {
            return too_deep(at).cut();
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn mode(self) -> Mode {
        match self.field.map(Field::home) {
            None | Some(Home::Text) => Mode::Words,
            // Addresses and domains are whole values over text fields; a participant is searched by words.
            Some(Home::Union(_)) if matches!(self.field, Some(Field::Address | Field::Domain)) => Mode::Whole,
            Some(Home::Union(_)) => Mode::Words,
            Some(Home::Keyword | Home::Set) => Mode::Whole,
            Some(Home::Number) => Mode::Numbers,
            Some(Home::Date) => Mode::Dates,
        }
    }
}

/// Faults are made in functions of their own: the functions that call each other stay small on the stack.
#[cold]
fn too_deep(at: usize) -> Box<Fault> {
    let message = format!("the query is nested more than {MAX_DEPTH} levels deep");
    Fault::new(Span::new(at, at + 1), message).hint("take away parentheses that change nothing, or split the query")
}

/// The whole query.
pub(super) fn query(input: &mut Input<'_>) -> Parsed<Expr> {
    let place = Place {
        depth: 0,
        field: None,
        open: None,
    };
    let expr = expression(input, place)?;
    word::spaces(input)?;
    if rest(input).is_empty() {
        return Ok(expr);
    }
    let at = position(input);
    Fault::new(Span::new(at, at + 1), "no parenthesis is open here")
        .hint("take it away, or write `\\)` for the character itself")
        .cut()
}

/// How two neighbours are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    And,
    Or,
    /// The expression ends here.
    End,
}

/// Operands joined by AND and OR, up to the end or a closing parenthesis.
fn expression(input: &mut Input<'_>, place: Place) -> Parsed<Expr> {
    let mut any_of = Vec::new();
    let mut all_of = Vec::new();
    loop {
        all_of.push(operand(input, place)?);
        match join(input)? {
            Join::And => {}
            Join::Or => any_of.push(joined(std::mem::take(&mut all_of), ExprNode::And)),
            Join::End => {
                any_of.push(joined(all_of, ExprNode::And));
                return Ok(joined(any_of, ExprNode::Or));
            }
        }
    }
}

/// Takes the operator between two operands; neighbours without one are joined by AND.
fn join(input: &mut Input<'_>) -> Parsed<Join> {
    if let Some(operator) = take_operator(input, Operator::And)? {
        operand_after(input, "AND", operator)?;
        return Ok(Join::And);
    }
    if let Some(operator) = take_operator(input, Operator::Or)? {
        operand_after(input, "OR", operator)?;
        return Ok(Join::Or);
    }
    let mut ahead = *input;
    word::spaces(&mut ahead)?;
    let ends = rest(&ahead).is_empty() || rest(&ahead).starts_with(')');
    Ok(if ends { Join::End } else { Join::And })
}

/// `parts` under one node; a single part stays itself. There is at least one.
fn joined(mut parts: Vec<Expr>, node: fn(Vec<Expr>) -> ExprNode) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            let span = parts[0].span.to(last.span);
            parts.push(last);
            Expr::new(node(parts), span)
        }
        None => unreachable!("an expression has at least one operand"),
    }
}

/// Any number of NOTs, then primaries with distances between them.
fn operand(input: &mut Input<'_>, mut place: Place) -> Parsed<Expr> {
    let mut nots = Vec::new();
    while let Some(operator) = take_operator(input, Operator::Not)? {
        operand_after(input, "NOT", operator)?;
        place = place.deeper(operator.start)?;
        nots.push(operator);
    }
    let mut expr = primary(input, place)?;
    while let Some((near, operator)) = take_distance(input)? {
        place = place.deeper(operator.start)?;
        let right = primary(input, place)?;
        expr = beside(near, operator, expr, right);
    }
    for operator in nots.into_iter().rev() {
        let span = operator.to(expr.span);
        expr = Expr::new(ExprNode::Not(Box::new(expr)), span);
    }
    Ok(expr)
}

/// Takes white space and a distance operator when one follows.
fn take_distance(input: &mut Input<'_>) -> Parsed<Option<(Near, Span)>> {
    let mut ahead = *input;
    word::spaces(&mut ahead)?;
    let Some((Operator::Near(near), length)) = word::peek_operator(&ahead) else {
        return Ok(None);
    };
    let operator = Span::new(position(&ahead), position(&ahead) + length);
    *input = ahead;
    input.next_slice(length);
    operand_after(input, &near.to_string(), operator)?;
    Ok(Some((near, operator)))
}

fn beside(near: Near, operator: Span, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let node = ExprNode::Near {
        near,
        operator,
        left: Box::new(left),
        right: Box::new(right),
    };
    Expr::new(node, span)
}

/// Takes white space and the operator when it is the one asked for; leaves the input alone otherwise.
fn take_operator(input: &mut Input<'_>, wanted: Operator) -> Parsed<Option<Span>> {
    let mut ahead = *input;
    word::spaces(&mut ahead)?;
    match word::peek_operator(&ahead) {
        Some((operator, length)) if operator == wanted => {
            let span = Span::new(position(&ahead), position(&ahead) + length);
            *input = ahead;
            input.next_slice(length);
            Ok(Some(span))
        }
        Some(_) | None => Ok(None),
    }
}

/// Refuses an operator with nothing it could apply to on its right.
fn operand_after(input: &Input<'_>, name: &str, operator: Span) -> Parsed<()> {
    let mut ahead = *input;
    word::spaces(&mut ahead)?;
    let next = rest(&ahead);
    let other = match word::peek_operator(&ahead) {
        Some((Operator::Not, _)) if !name.contains('/') && name != "NEAR" => None,
        Some((_, length)) => Some(next.get(..length).unwrap_or_default()),
        None => None,
    };
    match other {
        Some(other) => Fault::new(
            operator,
            format!("`{name}` needs something on its right, and `{other}` follows"),
        )
        .hint(format!("to search for the word itself put it in quotes: \"{other}\""))
        .cut(),
        None if next.is_empty() || next.starts_with(')') => {
            Fault::new(operator, format!("`{name}` needs something on its right"))
                .hint(format!("to search for the word itself put it in quotes: \"{name}\""))
                .cut()
        }
        None => Ok(()),
    }
}

fn primary(input: &mut Input<'_>, place: Place) -> Parsed<Expr> {
    word::spaces(input)?;
    match rest(input).chars().next() {
        Some('(') => group(input, place),
        None | Some(')') => nothing_here(input, place).cut(),
        Some(first) if word::is_quote(first) => leaf(input, place),
        Some(_) if word::peek_operator(input).is_some() => operator_first(input).cut(),
        Some(_) => match field_name(input) {
            Some(name) => field(input, place, name),
            None => leaf(input, place),
        },
    }
}

#[cold]
fn nothing_here(input: &Input<'_>, place: Place) -> Box<Fault> {
    let at = position(input);
    match (rest(input).is_empty(), place.open) {
        (true, Some(open)) => Fault::new(Span::new(open, open + 1), "this parenthesis is not closed"),
        (true, None) => Fault::new(Span::new(at, at), "something is missing here"),
        (false, Some(open)) => Fault::new(Span::new(open, at + 1), "there is nothing between the parentheses"),
        (false, None) => Fault::new(Span::new(at, at + 1), "no parenthesis is open here"),
    }
}

#[cold]
fn operator_first(input: &Input<'_>) -> Box<Fault> {
    let at = position(input);
    let length = word::peek_operator(input).map_or(0, |(_, length)| length);
    let name = rest(input).get(..length).unwrap_or_default();
    Fault::new(
        Span::new(at, at + length),
        format!("`{name}` needs something on its left"),
    )
    .hint(format!("to search for the word itself put it in quotes: \"{name}\""))
}

fn group(input: &mut Input<'_>, place: Place) -> Parsed<Expr> {
    let start = position(input);
    let mut inside = place.deeper(start)?;
    inside.open = Some(start);
    input.next_slice(1);
    let inner = expression(input, inside)?;
    word::spaces(input)?;
    if !rest(input).starts_with(')') {
        return Fault::new(Span::new(start, start + 1), "this parenthesis is not closed").cut();
    }
    input.next_slice(1);
    refuse_pattern_behind(input, "parentheses")?;
    let span = Span::new(start, position(input));
    Ok(Expr::new(inner.node, span))
}

/// Refuses what stands right behind closing quotes and would be read as a word of its own: `"gross mis"*`, `"May 2001"..2002`, `"say ""no"""`.
fn refuse_glued(input: &Input<'_>) -> Parsed<()> {
    let next = rest(input);
    let parted = next.is_empty() || next.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
    // `~` and `^` are refused as what they are.
    if parted || next.starts_with(['~', '^']) || next.starts_with("/*") || word::peek_operator(input).is_some() {
        return Ok(());
    }
    refuse_pattern_behind(input, "quotes")?;
    let at = position(input);
    let raw = word::peek_raw(input);
    let first = next.chars().next().map_or(0, char::len_utf8);
    let glued = if raw.is_empty() { &next[..first] } else { raw };
    let fault = Fault::new(
        Span::new(at, at + glued.len()),
        format!("`{glued}` stands right behind the quotes, and would be a term of its own"),
    );
    if raw.is_empty() {
        return fault
            .hint("a quote inside quotes is written `\\\"`; two phrases need white space between them")
            .cut();
    }
    fault
        .hint("put white space between them, or, when it belongs to what is in the quotes, into them")
        .cut()
}

/// Refuses a wildcard right behind closing quotes or parentheses: it would stand for everything, or for any word of one letter.
fn refuse_pattern_behind(input: &Input<'_>, what: &str) -> Parsed<()> {
    if !rest(input).starts_with(['*', '?']) {
        return Ok(());
    }
    let at = position(input);
    let sign = &rest(input)[..1];
    Fault::new(
        Span::new(at, at + 1),
        format!("`{sign}` stands right behind the {what}, and a wildcard belongs to a word"),
    )
    .hint("write it right beside the letters, in quotes too: `\"gross mis*\"`, `(mis* OR fraud*)`")
    .cut()
}

/// The name before a colon, when the word at the front begins like `name:`.
fn field_name<'a>(input: &Input<'a>) -> Option<&'a str> {
    let raw = word::peek_raw(input);
    let (name, _) = raw.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let named = name.is_empty() || (name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain));
    named.then_some(name)
}

fn field(input: &mut Input<'_>, place: Place, name: &str) -> Parsed<Expr> {
    let at = position(input);
    let span = Span::new(at, at + name.len());
    let found = resolve(name, span)?;
    if let Some(outer) = place.field {
        return nested_field(outer, name, span).cut();
    }
    input.next_slice(name.len() + 1);
    let mut inside = place.deeper(at)?;
    inside.field = Some(found);
    let inner = match rest(input).chars().next() {
        Some('(') => group(input, inside)?,
        Some(next) if !next.is_whitespace() && next != ')' => leaf(input, inside)?,
        Some(_) | None => return no_value(name, Span::new(at, position(input))).cut(),
    };
    let whole = Span::new(at, position(input));
    let node = ExprNode::Field {
        field: found,
        name: span,
        inner: Box::new(inner),
    };
    Ok(Expr::new(node, whole))
}

#[cold]
fn nested_field(outer: Field, name: &str, span: Span) -> Box<Fault> {
    let outer = outer.name();
    Fault::new(
        span,
        format!("`{name}:` stands inside `{outer}:`, and fields do not nest"),
    )
    .hint(format!("write `{outer}:(...) AND {name}:...`"))
}

#[cold]
fn no_value(name: &str, span: Span) -> Box<Fault> {
    Fault::new(span, format!("a value is missing after `{name}:`")).hint(format!(
        "write it right behind the colon: `{name}:word`, `{name}:\"two words\"`, `{name}:(a OR b)`"
    ))
}

fn resolve(name: &str, span: Span) -> Parsed<Field> {
    if name.is_empty() {
        return Fault::new(
            Span::new(span.start, span.start + 1),
            "the name of a field is missing before the colon",
        )
        .hint("to search for the text itself put it in quotes")
        .cut();
    }
    if let Some(field) = Field::from_name(name) {
        return Ok(field);
    }
    let quotes = "to search for the text itself put it in quotes";
    let hint = match nearest(name, Field::ALL.iter().map(|field| field.name())) {
        Some(near) => format!("did you mean `{near}:`? {quotes}"),
        None => {
            let names: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
            format!("{quotes}; the fields are {}", names.join(", "))
        }
    };
    Fault::new(span, format!("no field is called `{name}`"))
        .hint(hint)
        .cut()
}

fn leaf(input: &mut Input<'_>, place: Place) -> Parsed<Expr> {
    let mode = place.mode();
    let typed = rest(input);
    let quoted = typed.chars().next().is_some_and(word::is_quote);
    let (node, span) = if quoted {
        word::quoted(input)?
    } else {
        word::bare(input, mode)?
    };
    let in_exact_quotes = typed
        .strip_prefix('=')
        .is_some_and(|after| after.starts_with(word::is_quote));
    if quoted || (mode == Mode::Words && in_exact_quotes) {
        refuse_glued(input)?;
    }
    if node == ExprNode::All || matches!(mode, Mode::Words | Mode::Whole) {
        return Ok(Expr::new(node, span));
    }
    range(&typed[..span.end - span.start], span, quoted, mode)
}

/// Reads a leaf's text as a range of dates or numbers.
fn range(typed: &str, span: Span, quoted: bool, mode: Mode) -> Parsed<Expr> {
    let text = if quoted {
        typed.trim_matches(word::is_quote)
    } else {
        typed
    };
    let offset = span.start + (typed.len() - typed.trim_start_matches(word::is_quote).len());
    let leaf = match mode {
        Mode::Dates => value::dates(text).map(Leaf::Dates),
        Mode::Numbers | Mode::Words | Mode::Whole => value::numbers(text).map(Leaf::Numbers),
    };
    match leaf {
        Ok(leaf) => Ok(Expr::new(ExprNode::Leaf(leaf), span)),
        Err(bad) => Fault::new(Span::new(offset + bad.range.start, offset + bad.range.end), bad.message)
            .hint(bad.hint)
            .cut(),
    }
}
