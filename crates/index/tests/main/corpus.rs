//! Small corpora for tests: items, how they are indexed, and an evaluator that looks at every token.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use embley_index::analysis::{Tokens, fold_keyword};
use embley_index::{IndexDoc, IndexStore, Node, Order, Snapshot};
use embley_model::address::Address;
use embley_model::field::{Field, Home};
use embley_model::id::Ticket;
use embley_model::item::ItemKind;

/// Memory for a test's segment.
pub(crate) const BUDGET_BYTES: usize = 1 << 20;

/// One part of a text field.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(String),
    Address(String, String),
}

/// An item in plain form.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) date: Option<i64>,
    pub(crate) size: u64,
    pub(crate) texts: Vec<(Field, Vec<Piece>)>,
    pub(crate) keywords: Vec<(Field, String)>,
}

impl Item {
    pub(crate) fn body(text: &str) -> Self {
        Self {
            kind: ItemKind::Email,
            date: None,
            size: 0,
            texts: vec![(Field::Body, vec![Piece::Text(text.to_owned())])],
            keywords: Vec::new(),
        }
    }

    fn tokens(&self, field: Field) -> Tokens {
        let mut tokens = Tokens::new();
        for (_, pieces) in self.texts.iter().filter(|(named, _)| *named == field) {
            for piece in pieces {
                match piece {
                    Piece::Text(text) => {
                        tokens.gap();
                        tokens.text(text);
                    }
                    Piece::Address(name, addr) => {
                        tokens.address(&Address {
                            name: name.clone(),
                            addr: addr.clone(),
                        });
                    }
                }
            }
        }
        tokens
    }

    pub(crate) fn document(&self, item_no: u32) -> IndexDoc {
        let mut doc = IndexDoc::new(item_no, self.kind);
        doc.date = self.date;
        doc.size = self.size;
        let mut fields: Vec<Field> = self.texts.iter().map(|(field, _)| *field).collect();
        fields.sort();
        fields.dedup();
        doc.texts = fields.iter().map(|field| (*field, self.tokens(*field))).collect();
        doc.keywords = self.keywords.clone();
        doc
    }
}

/// Indexes `items` as one segment a group and commits them together.
pub(crate) fn commit(store: &mut IndexStore, groups: &[Vec<(u32, &Item)>], ticket: u64) {
    let mut segments = Vec::new();
    for group in groups {
        let mut builder = store.builder(BUDGET_BYTES);
        for (item_no, item) in group {
            builder.add(&item.document(*item_no)).expect("items are added in order");
        }
        segments.extend(builder.finish().expect("the folder can be written"));
    }
    store
        .commit(segments, Ticket(ticket))
        .expect("the folder can be written");
}

/// An index of one segment with these bodies as items 0, 1, 2, ...
pub(crate) fn index_of(folder: &Path, items: &[Item]) -> Snapshot {
    let mut store = IndexStore::open_or_create(folder).expect("a new folder");
    let group = items.iter().enumerate().map(|(at, item)| (at as u32, item)).collect();
    commit(&mut store, &[group], 1);
    Snapshot::open(folder).expect("just committed")
}

/// The same items, analysed once, for evaluation by looking at every token.
pub(crate) struct Oracle {
    items: BTreeMap<u32, Analysed>,
}

struct Analysed {
    item: Item,
    texts: BTreeMap<Field, Vec<(u32, String)>>,
}

impl Oracle {
    pub(crate) fn new<'i>(items: impl IntoIterator<Item = (u32, &'i Item)>) -> Self {
        let analysed = |item: &Item| Analysed {
            item: item.clone(),
            texts: item
                .texts
                .iter()
                .map(|(field, _)| {
                    let tokens = item.tokens(*field);
                    let list = tokens
                        .positions()
                        .map(|(position, word)| (position, word.to_owned()))
                        .collect();
                    (*field, list)
                })
                .collect(),
        };
        Self {
            items: items.into_iter().map(|(no, item)| (no, analysed(item))).collect(),
        }
    }

    /// Item numbers that match.
    pub(crate) fn matching(&self, node: &Node) -> Vec<u32> {
        let found = self.items.iter().filter(|(no, item)| item.matches(**no, node));
        found.map(|(no, _)| *no).collect()
    }

    /// The matching items in order, with scores.
    pub(crate) fn ordered(&self, node: &Node, order: Order) -> Vec<(u32, f32)> {
        let mut found: Vec<(u32, f32)> = self.matching(node).into_iter().map(|no| (no, 0.0)).collect();
        let date = |no: u32| self.items[&no].item.date;
        match order {
            Order::ItemNo => {}
            Order::DateAsc => found.sort_by_key(|(no, _)| (date(*no).is_none(), date(*no), *no)),
            Order::DateDesc => {
                found.sort_by_key(|(no, _)| (date(*no).is_none(), date(*no).map(std::cmp::Reverse), *no))
            }
            Order::Near { first, end } => found.sort_by_key(|(no, _)| {
                let away = date(*no).map(|at| (first - at).max(at - (end - 1)).max(0));
                (away.is_none(), away, *no)
            }),
            Order::Relevance => {
                for (no, score) in &mut found {
                    *score = self.score(*no, node);
                }
                found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            }
        }
        found
    }

    fn score(&self, no: u32, node: &Node) -> f32 {
        match node {
            Node::Term { fields, token } => self.words(no, fields, std::slice::from_ref(token)),
            Node::Phrase { fields, tokens } => self.words(no, fields, tokens),
            Node::Prefix { .. } | Node::PhrasePrefix { .. } => f32::from(u8::from(self.items[&no].matches(no, node))),
            Node::And(children) | Node::Or(children) => children.iter().map(|child| self.score(no, child)).sum(),
            _ => 0.0,
        }
    }

    fn words(&self, no: u32, fields: &[Field], tokens: &[String]) -> f32 {
        let count = self.items.len() as f32;
        let mut sum = 0.0;
        for field in fields {
            let texts = || self.items.values().map(|item| item.text(*field));
            let occurrences = |list: &[(u32, String)]| {
                list.iter()
                    .filter(|(at, _)| !tokens.is_empty() && phrase_at(list, *at, tokens))
                    .map(|(at, _)| *at)
                    .collect::<std::collections::BTreeSet<u32>>()
                    .len() as f32
            };
            let mut weight = 0.0;
            for token in tokens {
                let with = texts()
                    .filter(|list| list.iter().any(|(_, word)| word == token))
                    .count() as f32;
                weight += (1.0 + (count - with + 0.5) / (with + 0.5)).ln();
            }
            let frequency = occurrences(self.items[&no].text(*field));
            let mut norm = 1.2;
            if matches!(field, Field::Body | Field::Subject) {
                let average = texts().map(<[_]>::len).sum::<usize>() as f32 / count;
                if average > 0.0 {
                    norm = 1.2 * (0.25 + 0.75 * self.items[&no].text(*field).len() as f32 / average);
                }
            }
            if frequency > 0.0 {
                sum += weight * 2.2 * frequency / (frequency + norm);
            }
        }
        sum
    }
}

impl Analysed {
    fn text(&self, field: Field) -> &[(u32, String)] {
        self.texts.get(&field).map_or(&[], Vec::as_slice)
    }

    fn keywords(&self, field: Field) -> Vec<String> {
        let own = (field == Field::Type).then(|| self.item.kind.word().to_owned());
        let given = self.item.keywords.iter().filter(|(named, _)| *named == field);
        own.into_iter()
            .chain(given.map(|(_, value)| fold_keyword(value)))
            .filter(|value| !value.is_empty())
            .collect()
    }

    fn matches(&self, no: u32, node: &Node) -> bool {
        match node {
            Node::All => true,
            Node::Nothing => false,
            Node::Term { fields, token } => fields
                .iter()
                .any(|field| self.text(*field).iter().any(|(_, word)| word == token)),
            Node::Phrase { fields, tokens } => {
                !tokens.is_empty()
                    && fields.iter().any(|field| {
                        let list = self.text(*field);
                        list.iter().any(|(at, _)| phrase_at(list, *at, tokens))
                    })
            }
            Node::PhrasePrefix { fields, tokens, prefix } => fields.iter().any(|field| {
                let list = self.text(*field);
                list.iter().any(|(at, _)| {
                    phrase_at(list, *at, tokens)
                        && list
                            .iter()
                            .any(|(end, word)| *end == at + tokens.len() as u32 && word.starts_with(prefix.as_str()))
                })
            }),
            Node::Prefix { fields, prefix } => fields.iter().any(|field| {
                self.text(*field)
                    .iter()
                    .any(|(_, word)| word.starts_with(prefix.as_str()))
            }),
            // Patterns and positions have an oracle of their own, in `spans`.
            Node::Words { .. } | Node::Spans { .. } => unreachable!("not made here"),
            Node::Keyword { field, value } => self.keywords(*field).contains(&fold_keyword(value)),
            Node::KeywordPrefix { field, prefix } => self
                .keywords(*field)
                .iter()
                .any(|value| value.starts_with(&fold_keyword(prefix))),
            Node::Range { field, low, high } => {
                let value = if *field == Field::Date {
                    self.item.date
                } else {
                    i64::try_from(self.item.size).ok()
                };
                value.is_some_and(|value| {
                    (match low {
                        Bound::Included(low) => *low <= value,
                        Bound::Excluded(low) => *low < value,
                        Bound::Unbounded => true,
                    }) && (match high {
                        Bound::Included(high) => value <= *high,
                        Bound::Excluded(high) => value < *high,
                        Bound::Unbounded => true,
                    })
                })
            }
            Node::Exists { field } => match field.home() {
                Home::Text => !self.text(*field).is_empty(),
                Home::Keyword => !self.keywords(*field).is_empty(),
                Home::Date if *field != Field::Date => false,
                Home::Date => self.item.date.is_some(),
                _ => true,
            },
            Node::Items(items) | Node::Checked(items) => items.contains(no),
            Node::Bits(items) => items.contains(no),
            Node::And(children) => children.iter().all(|child| self.matches(no, child)),
            Node::Or(children) => children.iter().any(|child| self.matches(no, child)),
            Node::Not(child) => !self.matches(no, child),
        }
    }
}

/// True when the tokens stand at consecutive positions from `start` on.
fn phrase_at(list: &[(u32, String)], start: u32, tokens: &[String]) -> bool {
    tokens.iter().enumerate().all(|(place, token)| {
        list.iter()
            .any(|(at, word)| *at == start + place as u32 && word == token)
    })
}
