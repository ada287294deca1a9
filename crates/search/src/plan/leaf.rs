//! Leaves: from what was typed in a field to the postings, columns and sets that hold it.

use std::ops::Bound;
use std::sync::Arc;

use embley_index::Node;
use embley_index::analysis::{fold_address, fold_keyword, words_with_offsets};
use embley_model::defect::DefectCode;
use embley_model::field::{DEFAULT, Field, Home, ROLES};
use embley_model::item::{ItemKind, Searchability};
use embley_model::language::{self, LANGUAGES};
use embley_model::record::RecordType;

use super::sets::{Found, SetAsk};
use super::{Mark, Planned, Planner, date};
use crate::error::SearchError;
use crate::exact;
use crate::nearest::nearest;
use crate::tree::{DateSpec, Interval, Leaf, Span};

/// What `has:` can ask beside how far the text of an item could be searched ([`Searchability::word`]).
const PROPERTIES: &[&str] = &[
    "attachment",
    "html",
    "signed",
    "encrypted",
    "report",
    "defect",
    NOT_SEARCHABLE,
];

/// `has:not-searchable`: every item of which a search for words can miss something.
pub(crate) const NOT_SEARCHABLE: &str = "not-searchable";

/// Fewest digits of a hash or an item id.
const MIN_HASH_DIGITS: usize = 8;

/// A whole value, for keywords, addresses and sets.
enum Value<'a> {
    Is(&'a str),
    Begins(&'a str),
}

impl Planner<'_> {
    /// `*`: everything, or in a field the items that have a value there.
    pub(super) fn all(&mut self, field: Option<Field>) -> Planned {
        let Some(field) = field else { return Ok(Node::All) };
        match field.home() {
            Home::Union(fields) => Ok(Node::Or(
                fields.iter().map(|field| Node::Exists { field: *field }).collect(),
            )),
            // Every item has a number and a hash.
            Home::Set if matches!(field, Field::Item | Field::Hash) => Ok(Node::All),
            Home::Set => self.resolve(field, &SetAsk::Any, "*"),
            Home::Keyword if field == Field::Label => self.or_set(Node::Exists { field }, field, &SetAsk::Any),
            Home::Text | Home::Keyword | Home::Number | Home::Date => Ok(Node::Exists { field }),
        }
    }

    pub(super) fn leaf(&mut self, leaf: &Leaf, span: Span, field: Option<Field>, positive: bool) -> Planned {
        match leaf {
            Leaf::Dates(interval) => return self.dates(field.unwrap_or(Field::Date), interval, span),
            Leaf::Numbers(interval) => return Ok(numbers(field.unwrap_or(Field::Size), interval)),
            Leaf::Regex(_)
            | Leaf::Fuzzy { .. }
            | Leaf::Stem(_)
            | Leaf::Exact { .. }
            | Leaf::Word(_)
            | Leaf::Phrase(_)
            | Leaf::Prefix(_)
            | Leaf::Wildcard(_)
            | Leaf::PhrasePattern(_) => {}
        }
        match field {
            None => self.text(leaf, span, DEFAULT, positive),
            Some(Field::Participant) => self.people(leaf, span, ROLES, positive),
            Some(field @ (Field::From | Field::To | Field::Cc | Field::Bcc)) => {
                self.people(leaf, span, &[field], positive)
            }
            Some(field @ (Field::Address | Field::Domain)) => self.address(leaf, span, field, positive),
            Some(field) => match field.home() {
                Home::Text | Home::Union(_) => self.text(leaf, span, &[field], positive),
                Home::Keyword => self.keyword(leaf, span, field),
                Home::Set => self.set(leaf, span, field),
                Home::Number | Home::Date => unreachable!("the grammar gives these fields ranges only"),
            },
        }
    }

    /// Words in text fields.
    fn text(&mut self, leaf: &Leaf, span: Span, fields: &[Field], positive: bool) -> Planned {
        let (text, prefix) = match leaf {
            Leaf::Word(text) | Leaf::Phrase(text) => (text, false),
            Leaf::Prefix(text) => (text, true),
            Leaf::Exact { text, .. } => return self.exact(leaf, text, span, fields, positive),
            pattern => return self.text_pattern(pattern, span, fields, positive),
        };
        let words = self.words(text, span)?;
        if prefix {
            return self.text_prefix(leaf, text, words, span, fields, positive);
        }
        self.note_lower_case_operator(leaf, text);
        let fields = fields.to_vec();
        Ok(match <[String; 1]>::try_from(words) {
            Ok([token]) => {
                self.mark(positive, &fields, Mark::Word(token.clone()));
                Node::Term { fields, token }
            }
            Err(tokens) => {
                self.mark(positive, &fields, Mark::Phrase(tokens.clone()));
                Node::Phrase { fields, tokens }
            }
        })
    }

    /// Words with case and accents as typed.
    fn exact(&mut self, leaf: &Leaf, text: &str, span: Span, fields: &[Field], positive: bool) -> Planned {
        let tokens = self.words(text, span)?;
        let Some(forms) = self.context.exact else {
            let message = format!("the exact form `{leaf}` needs the texts of items, which are not read here");
            let hint = "`embley search` reads them; without the `=` words are compared without case and accents";
            return Err(self.fault(span, message).hint(hint).into());
        };
        let words = exact::words_of(text);
        let fields = fields.to_vec();
        let folded = Node::Phrase {
            fields: fields.clone(),
            tokens,
        };
        let found = forms.find(&folded, &fields, &words);
        let found = found.map_err(|source| SearchError::Texts { source })?;
        if found.unread > 0 {
            let taken = if positive {
                "they are left out"
            } else {
                "they count as without the exact form, so NOT keeps them"
            };
            self.note(format!(
                "{} items hold the words of `{leaf}` in some form, but their texts could not be compared; {taken}",
                found.unread
            ));
        }
        self.mark(positive, &fields, Mark::Exact(words));
        Ok(Node::Checked(Arc::new(found.items)))
    }

    fn text_prefix(
        &mut self,
        leaf: &Leaf,
        text: &str,
        mut words: Vec<String>,
        span: Span,
        fields: &[Field],
        positive: bool,
    ) -> Planned {
        self.refuse_sign_before_star(leaf, text, span)?;
        let fields = fields.to_vec();
        let Some(prefix) = words.pop() else {
            return Ok(Node::Nothing);
        };
        if words.is_empty() {
            self.mark(positive, &fields, Mark::Prefix(prefix.clone()));
            return Ok(Node::Prefix { fields, prefix });
        }
        self.mark(positive, &fields, Mark::PhrasePrefix(words.clone(), prefix.clone()));
        Ok(Node::PhrasePrefix {
            fields,
            tokens: words,
            prefix,
        })
    }

    pub(super) fn refuse_sign_before_star(&self, leaf: &Leaf, text: &str, span: Span) -> Result<(), SearchError> {
        if text.chars().next_back().is_some_and(char::is_alphanumeric) {
            return Ok(());
        }
        Err(self
            .fault(span, format!("`{leaf}` has a sign between the word and its `*`"))
            .hint("put the `*` right behind the word")
            .into())
    }

    /// Dates, counted from the present day where they are relative to it.
    fn dates(&mut self, field: Field, interval: &Interval<DateSpec>, span: Span) -> Planned {
        let today = date::today(self.context.now, &self.context.zone);
        let absolute = date::absolute(interval, today);
        let Some(absolute) = absolute else {
            return Err(self
                .fault(span, format!("`{interval}` lies outside of the calendar"))
                .into());
        };
        if absolute != *interval {
            self.note(format!("dates relative to the present are counted from {today}"));
        }
        if let Interval::Between(Some(_), Some(_)) = absolute
            && date::is_empty(&absolute, &self.context.zone)
        {
            let message = format!("the range `{interval}` runs backwards: its end lies before its start");
            return Err(self.fault(span, message).into());
        }
        Ok(date::range(field, &absolute, &self.context.zone))
    }

    /// The folded words of a text: at least one, and none cut.
    pub(super) fn words(&mut self, text: &str, span: Span) -> Result<Vec<String>, SearchError> {
        let words: Vec<String> = words_with_offsets(text).map(|word| word.folded.into_owned()).collect();
        if words.is_empty() {
            return Err(self
                .fault(
                    span,
                    format!("there is no letter or digit in `{text}`, and only those are searched"),
                )
                .hint("take it away, or add the word it belongs to")
                .into());
        }
        if words
            .iter()
            .any(|word| word.len() >= embley_index::analysis::TOKEN_LIMIT_BYTES)
        {
            self.note(format!(
                "words are compared by their first {} bytes; one in the query is as long",
                embley_index::analysis::TOKEN_LIMIT_BYTES
            ));
        }
        Ok(words)
    }

    /// `and`, `or` and `not` in lower case are words; that is worth a note.
    pub(super) fn note_lower_case_operator(&mut self, leaf: &Leaf, text: &str) {
        if !matches!(leaf, Leaf::Word(_)) {
            return;
        }
        if matches!(text, "and" | "or" | "not") {
            self.note(format!(
                "`{text}` in lower case is searched as a word; the operator is {}",
                text.to_ascii_uppercase()
            ));
        }
        if text.eq_ignore_ascii_case("near") {
            self.note(format!("`{text}` is searched as a word; nearness is written `w/5`"));
        }
    }

    fn refuse_pattern(&self, leaf: &Leaf, span: Span) -> SearchError {
        let hint =
            "here values are whole: only one `*` at the end is available; for the sign itself write `\\*` or `\\?`";
        self.not_yet(leaf.kind(), &leaf.to_string(), span, Some(hint))
    }

    /// Words in sender and recipients; what looks like an address or `@domain` is searched as one.
    fn people(&mut self, leaf: &Leaf, span: Span, fields: &[Field], positive: bool) -> Planned {
        match leaf {
            Leaf::Word(text) | Leaf::Phrase(text) if is_address(text) => {
                Ok(self.address_term(fold_address(text), fields, positive))
            }
            Leaf::Prefix(text) if is_address(&format!("{text}x")) => {
                Ok(self.address_prefix(fold_address(text), fields, positive))
            }
            other => self.text(other, span, fields, positive),
        }
    }

    /// `address:` and `domain:`, always whole values.
    fn address(&mut self, leaf: &Leaf, span: Span, field: Field, positive: bool) -> Planned {
        let value = |text: &str| {
            let folded = fold_address(text);
            match field {
                Field::Domain => format!("@{}", folded.trim_start_matches('@')),
                _ => folded,
            }
        };
        let (text, token, prefix) = match self.whole(leaf, span)? {
            Value::Is(text) => (text, value(text), false),
            Value::Begins(text) => (text, value(text), true),
        };
        if token.chars().all(|c| !c.is_alphanumeric()) {
            let message = format!("there is no letter or digit in `{text}`");
            return Err(self.fault(span, message).into());
        }
        if token.chars().all(char::is_alphanumeric) {
            let (finds, end) = if prefix { ("begins", "*") } else { ("is", "") };
            self.note(format!(
                "`{text}{end}` holds no sign of an address: items in which a word of a name {finds} so are found too; with the sign that follows \
                 it (`john.`, `john@`) only addresses are"
            ));
        }
        Ok(if prefix {
            self.address_prefix(token, ROLES, positive)
        } else {
            self.address_term(token, ROLES, positive)
        })
    }

    fn address_term(&mut self, token: String, fields: &[Field], positive: bool) -> Node {
        self.mark(positive, fields, Mark::Address(token.clone()));
        let fields = fields.to_vec();
        Node::Term { fields, token }
    }

    fn address_prefix(&mut self, prefix: String, fields: &[Field], positive: bool) -> Node {
        self.mark(positive, fields, Mark::AddressPrefix(prefix.clone()));
        let fields = fields.to_vec();
        Node::Prefix { fields, prefix }
    }

    /// A leaf as a whole value; in quotes a single `*` at the end is a prefix too.
    fn whole<'l>(&self, leaf: &'l Leaf, span: Span) -> Result<Value<'l>, SearchError> {
        match leaf {
            Leaf::Word(text) | Leaf::Phrase(text) => Ok(Value::Is(text)),
            Leaf::Prefix(text) => Ok(Value::Begins(text)),
            Leaf::PhrasePattern(pattern) if pattern.as_prefix().is_some() => {
                Ok(Value::Begins(pattern.as_prefix().unwrap_or_default()))
            }
            other => Err(self.refuse_pattern(other, span)),
        }
    }

    fn keyword(&mut self, leaf: &Leaf, span: Span, field: Field) -> Planned {
        let value = self.whole(leaf, span)?;
        let (typed, begins) = match value {
            Value::Is(text) => (text, false),
            Value::Begins(text) => (text, true),
        };
        let value = match field {
            Field::Language => self.language(typed, begins, span)?.to_owned(),
            Field::MessageId => fold_keyword(typed.trim_start_matches('<').trim_end_matches('>')),
            _ => fold_keyword(typed),
        };
        if value.is_empty() {
            return Err(self
                .fault(span, format!("a value is missing after `{}:`", field.name()))
                .into());
        }
        self.check_listed(field, typed, &value, begins, span)?;
        let (node, ask) = if begins {
            (
                Node::KeywordPrefix {
                    field,
                    prefix: value.clone(),
                },
                SetAsk::Begins(value),
            )
        } else {
            (
                Node::Keyword {
                    field,
                    value: value.clone(),
                },
                SetAsk::Is(value),
            )
        };
        if matches!(field, Field::Label | Field::Has) {
            self.or_set(node, field, &ask)
        } else {
            Ok(node)
        }
    }

    /// A language by its code or English name.
    fn language(&self, typed: &str, begins: bool, span: Span) -> Result<&'static str, SearchError> {
        if begins {
            let fault = self.fault(span, format!("`{typed}*` is no language"));
            return Err(fault
                .hint(
                    "write a code or a name: `language:en`, `language:welsh`, `language:und`; `language:*` is any text",
                )
                .into());
        }
        let folded = fold_keyword(typed);
        if let Some(code) = language::code_of(&folded) {
            return Ok(code);
        }
        let names = LANGUAGES.iter().flat_map(|one| one.names).copied();
        let hint = match nearest(&folded, names) {
            Some(near) => format!("did you mean `language:{near}`?"),
            None => "write an ISO 639-1 code or an English name, such as `en` or `welsh`; `und` is text of no language that could be told".to_owned(),
        };
        Err(self
            .fault(span, format!("no language is called `{typed}`"))
            .hint(hint)
            .into())
    }

    /// Labels in the headers of a message are in the index; those of its instances, such as Maildir flags, are sets. So are, of the
    /// properties, the words for how far an item could be searched.
    fn or_set(&self, node: Node, field: Field, ask: &SetAsk) -> Planned {
        let found = self.find(field, ask)?;
        Ok(Node::Or(vec![node, Node::Items(Arc::new(found.items))]))
    }

    fn find(&self, field: Field, ask: &SetAsk) -> Result<Found, SearchError> {
        self.context.sets.find(field, ask).map_err(|source| SearchError::Sets {
            field: field.name(),
            source,
        })
    }

    /// Refuses values that a field with a closed list cannot have.
    fn check_listed(
        &self,
        field: Field,
        typed: &str,
        value: &str,
        begins: bool,
        span: Span,
    ) -> Result<(), SearchError> {
        let (what, list): (_, Vec<String>) = match field {
            Field::Has => (
                "property",
                PROPERTIES
                    .iter()
                    .copied()
                    .chain(
                        Searchability::ALL
                            .iter()
                            .map(|one| one.word())
                            .filter(|word| !PROPERTIES.contains(word)),
                    )
                    .map(str::to_owned)
                    .collect(),
            ),
            Field::Defect => (
                "defect code",
                DefectCode::ALL.iter().map(|code| fold_keyword(code.text())).collect(),
            ),
            // Media types are open: anything with a slash, or the beginning of one.
            Field::Type if value.contains('/') || begins => return Ok(()),
            Field::Type => (
                "type",
                // Records also have the word of their own type: `type:decision`.
                ItemKind::ALL
                    .iter()
                    .map(|kind| kind.word())
                    .chain(RecordType::ALL.iter().map(|record| record.word()))
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => return Ok(()),
        };
        let fits = |one: &String| if begins { one.starts_with(value) } else { one == value };
        if list.iter().any(fits) {
            return Ok(());
        }
        let hint = match nearest(value, list.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{}:{}`?", field.name(), self.shown(field, near)),
            None if field == Field::Defect => "`embley exceptions` lists the codes that occur".to_owned(),
            None => format!("there are {}", list.join(", ")),
        };
        let hint = match field {
            Field::Type => format!("{hint}; a media type has a slash, as in `type:image/*`"),
            _ => hint,
        };
        Err(self
            .fault(span, format!("no {what} is called `{typed}`"))
            .hint(hint)
            .into())
    }

    fn shown(&self, field: Field, value: &str) -> String {
        match field {
            Field::Defect => value.to_ascii_uppercase(),
            _ => value.to_owned(),
        }
    }

    fn set(&mut self, leaf: &Leaf, span: Span, field: Field) -> Planned {
        let value = self.whole(leaf, span)?;
        let ask = match field {
            Field::Path | Field::Folder => self.path_words(&value, span)?,
            Field::Hash => self.hash(&value, span)?,
            Field::Item => self.item(&value, span)?,
            Field::Thread => self.thread(&value, span)?,
            _ => match value {
                Value::Is(text) => SetAsk::Is(text.to_owned()),
                Value::Begins(text) => SetAsk::Begins(text.to_owned()),
            },
        };
        self.resolve(field, &ask, &leaf.to_string())
    }

    /// Asks for a set; a name that nothing has gives no items and a note.
    fn resolve(&mut self, field: Field, ask: &SetAsk, typed: &str) -> Planned {
        let found = self.find(field, ask)?;
        if found.names_count == 0 {
            let names = self.context.sets.names(field).map_err(|source| SearchError::Sets {
                field: field.name(),
                source,
            })?;
            let near = nearest(
                typed.trim_matches('"').trim_end_matches('*'),
                names.iter().map(String::as_str),
            );
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            self.note(format!("nothing in this case fits `{}:{typed}`{near}", field.name()));
        }
        Ok(Node::Items(Arc::new(found.items)))
    }

    fn path_words(&mut self, value: &Value<'_>, span: Span) -> Result<SetAsk, SearchError> {
        let (text, last_is_prefix) = match value {
            Value::Is(text) => (*text, false),
            // `inbox/*` means whatever lies below; the words of the folder say that already.
            Value::Begins(text) => (*text, text.chars().next_back().is_some_and(char::is_alphanumeric)),
        };
        let words = self.words(text, span)?;
        Ok(SetAsk::Words { words, last_is_prefix })
    }

    fn hash(&self, value: &Value<'_>, span: Span) -> Result<SetAsk, SearchError> {
        let text = match value {
            Value::Is(text) | Value::Begins(text) => text,
        };
        let bare = text
            .split_once(':')
            .map_or(*text, |(_, digits)| digits)
            .to_ascii_lowercase();
        let hex = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || bare.len() < MIN_HASH_DIGITS || bare.len() > 64 {
            return Err(self
                .fault(
                    span,
                    format!("`{text}` is not a hash: {MIN_HASH_DIGITS} to 64 hexadecimal digits are needed"),
                )
                .hint("give a BLAKE3 or SHA-256, or its beginning")
                .into());
        }
        Ok(if bare.len() == 64 {
            SetAsk::Is(bare)
        } else {
            SetAsk::Begins(bare)
        })
    }

    /// A thread by the number of any message in it, by its name as hits show it, or by an item id.
    fn thread(&self, value: &Value<'_>, span: Span) -> Result<SetAsk, SearchError> {
        match value {
            Value::Is(text) => self.item(&Value::Is(text.strip_prefix("thread:").unwrap_or(text)), span),
            Value::Begins(text) => Err(self
                .fault(span, format!("`{text}*` is no thread: threads are named by whole item numbers"))
                .hint("write `thread:17` for the thread of item 17; `thread:*` is every message that is linked to another")
                .into()),
        }
    }

    fn item(&self, value: &Value<'_>, span: Span) -> Result<SetAsk, SearchError> {
        let (text, begins) = match value {
            Value::Is(text) => (*text, false),
            Value::Begins(text) => (*text, true),
        };
        let bare = text.strip_prefix("item:").unwrap_or(text).to_ascii_lowercase();
        let named = bare.len() < text.len();
        let (root, part) = bare
            .split_once('/')
            .map_or((bare.as_str(), None), |(root, part)| (root, Some(part)));
        if !named && !begins && part.is_none() && root.parse::<u32>().is_ok() {
            return Ok(SetAsk::Is(root.to_owned()));
        }
        let hex = root.len() >= MIN_HASH_DIGITS && root.len() <= 32 && root.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex || (begins && part.is_some()) {
            return Err(self
                .fault(span, format!("`{text}` is neither an item number nor an item id"))
                .hint(
                    "write `item:1234`, or an item id or at least 8 digits of its beginning; with `*` its whole family",
                )
                .into());
        }
        Ok(if begins {
            SetAsk::Begins(bare)
        } else {
            SetAsk::Is(format!("item:{bare}"))
        })
    }
}

/// True for `local@domain` and `@domain` without white space.
pub(super) fn is_address(text: &str) -> bool {
    match text.split_once('@') {
        Some((_, domain)) => {
            domain.contains(char::is_alphanumeric) && !text.contains(char::is_whitespace) && !text.contains(['<', '>'])
        }
        None => false,
    }
}

fn numbers(field: Field, interval: &Interval<u64>) -> Node {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let at_least = |value: &u64| Bound::Included(signed(*value));
    let (low, high) = match interval {
        Interval::In(value) => (at_least(value), at_least(value)),
        Interval::Between(low, high) => (
            low.as_ref().map_or(Bound::Unbounded, at_least),
            high.as_ref().map_or(Bound::Unbounded, at_least),
        ),
        Interval::Above(value) => (Bound::Excluded(signed(*value)), Bound::Unbounded),
        Interval::AtLeast(value) => (at_least(value), Bound::Unbounded),
        Interval::Below(value) => (Bound::Unbounded, Bound::Excluded(signed(*value))),
        Interval::AtMost(value) => (Bound::Unbounded, at_least(value)),
    };
    Node::Range { field, low, high }
}
