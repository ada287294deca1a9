//! From columns to links: which message follows which, why, and what is odd about it.
//!
//! Reasons are tried in the order References, In-Reply-To, Thread-Index, quoted text; a subject is never looked at. Messages
//! belong to one thread when a chain of links or of references (also to messages that nobody holds) joins them. Main
//! function: [`link`], pure. Invariants: parents form no ring; the same messages give the same links, whatever the number of threads.
//!
//! Decisions: an id that several messages carry means the first of them, a message of its own before a part of another one, then
//! the lowest item. A ring is opened at its weakest reason, then at the earliest message (which cannot answer a later one), undated
//! ones last, then at the lowest item. A Thread-Index is looked at only where the headers lead to nothing that is held, for it is a
//! second clock that corroborates; quoted text only where there are no references at all, for a reference says itself what is answered.

use super::messages::{INDEX_HEADER, INDEX_STEP, Messages, NONE};
use super::row::{LinkRow, Oddities, Reason};

/// A passage of one message found quoted in another, and in no third one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotation {
    /// Item that quotes.
    pub child: u32,
    /// Item that is quoted.
    pub parent: u32,
    /// Words of the longest passage.
    pub words: u32,
}

struct Linker<'m> {
    messages: &'m Messages,
    /// The message meant by a node.
    holders: Vec<u32>,
    /// Nodes whose Message-ID different texts carry.
    shared: Vec<bool>,
    parents: Vec<u32>,
    reasons: Vec<Reason>,
    details: Vec<u16>,
    oddities: Vec<u8>,
    sets: Sets,
}

/// Links messages. `quotations` are those that texts gave; they count where nothing else links.
pub fn link(messages: &Messages, quotations: &[Quotation]) -> Vec<LinkRow> {
    let count = messages.len();
    let mut linker = Linker {
        messages,
        holders: vec![NONE; messages.node_count()],
        shared: vec![false; messages.node_count()],
        parents: vec![NONE; count],
        reasons: vec![Reason::None; count],
        details: vec![0; count],
        oddities: vec![0; count],
        sets: Sets::new(messages.node_count()),
    };
    linker.find_holders();
    linker.by_headers();
    linker.by_index();
    linker.by_quotations(quotations);
    linker.open_rings();
    linker.compare_dates();
    linker.rows()
}

fn short(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

impl Linker<'_> {
    fn find_holders(&mut self) {
        let list = &self.messages.list;
        for (at, message) in list.iter().enumerate() {
            let holder = &mut self.holders[message.own as usize];
            if *holder == NONE {
                *holder = at as u32;
                continue;
            }
            let first = &list[*holder as usize];
            if first.body != 0 && message.body != 0 && first.body != message.body {
                self.shared[message.own as usize] = true;
            }
            if message.is_top && !first.is_top {
                *holder = at as u32;
            }
        }
    }

    fn by_headers(&mut self) {
        for at in 0..self.messages.len() {
            let own = self.messages.list[at].own;
            let (replies, references) = self.messages.links(at);
            for node in replies.iter().chain(references) {
                if *node == own {
                    self.oddities[at] |= Oddities::SELF_REFERENCE;
                } else {
                    self.reasons[at] = Reason::NotHeld;
                    self.sets.join(own, *node);
                }
            }
            let held = |node: u32| node != own && self.holders[node as usize] != NONE;
            let from_references = references.iter().rev().position(|node| held(*node));
            let from_replies = || replies.iter().position(|node| held(*node));
            let (node, reason, detail) = if let Some(back) = from_references {
                (references[references.len() - 1 - back], Reason::References, back)
            } else if let Some(place) = from_replies() {
                (replies[place], Reason::InReplyTo, place)
            } else {
                continue;
            };
            self.set(at, self.holders[node as usize], reason, short(detail));
        }
    }

    fn set(&mut self, at: usize, parent: u32, reason: Reason, detail: u16) {
        self.parents[at] = parent;
        self.reasons[at] = reason;
        self.details[at] = detail;
        let own = self.messages.list[at].own;
        self.sets.join(own, self.messages.list[parent as usize].own);
    }

    /// In the order of their bytes, what an index goes on from stands before it.
    fn by_index(&mut self) {
        let messages = self.messages;
        let mut order: Vec<u32> = (0..messages.len() as u32)
            .filter(|at| !messages.index(*at as usize).is_empty())
            .collect();
        let key = |at: u32| {
            let message = &messages.list[at as usize];
            (messages.index(at as usize), !message.is_top, message.item)
        };
        order.sort_unstable_by(|one, two| key(*one).cmp(&key(*two)));
        let conversation = |at: u32| &messages.index(at as usize)[..INDEX_HEADER];
        for group in order.chunk_by(|one, two| conversation(*one) == conversation(*two)) {
            self.one_conversation(group);
        }
    }

    fn one_conversation(&mut self, group: &[u32]) {
        let messages = self.messages;
        let mut open: Vec<u32> = Vec::new();
        for at in group.iter().copied() {
            let index = messages.index(at as usize);
            while open
                .last()
                .is_some_and(|last| !index.starts_with(messages.index(*last as usize)))
            {
                open.pop();
            }
            let own = messages.list[at as usize].own;
            let is_same = open.last().is_some_and(|last| messages.index(*last as usize) == index);
            if self.parents[at as usize] == NONE {
                let before = open
                    .iter()
                    .rev()
                    .map(|one| (*one, messages.index(*one as usize)))
                    .find(|(one, other)| other.len() < index.len() && messages.list[*one as usize].own != own);
                let first = messages.list[group[0] as usize].own;
                let alone = || group.iter().all(|other| messages.list[*other as usize].own == own);
                if let Some((parent, other)) = before {
                    let steps = (index.len() - other.len()) / INDEX_STEP;
                    self.set(at as usize, parent, Reason::ThreadIndex, short(steps));
                } else if index.len() > INDEX_HEADER && !alone() {
                    self.sets.join(own, first);
                    if self.reasons[at as usize] == Reason::None {
                        self.reasons[at as usize] = Reason::SharedIndex;
                    }
                }
            }
            if !is_same {
                open.push(at);
            }
        }
    }

    fn by_quotations(&mut self, quotations: &[Quotation]) {
        let find = |item: u32| {
            self.messages
                .list
                .binary_search_by_key(&item, |message| message.item)
                .ok()
        };
        for one in quotations {
            let (Some(child), Some(parent)) = (find(one.child), find(one.parent)) else {
                continue;
            };
            if self.reasons[child] == Reason::None && child != parent {
                let words = u16::try_from(one.words).unwrap_or(u16::MAX);
                self.set(child, parent as u32, Reason::Quotation, words);
            }
        }
    }

    fn open_rings(&mut self) {
        const NEW: u8 = 0;
        const ON_WAY: u8 = 1;
        const DONE: u8 = 2;
        let mut states = vec![NEW; self.messages.len()];
        let mut way = Vec::new();
        for start in 0..self.messages.len() {
            let mut at = start;
            way.clear();
            while states[at] == NEW {
                states[at] = ON_WAY;
                way.push(at);
                match self.parents[at] {
                    NONE => break,
                    parent => at = parent as usize,
                }
            }
            if states[at] == ON_WAY && self.parents[at] != NONE {
                let from = way.iter().position(|one| *one == at).unwrap_or(0);
                self.open_ring(&way[from..]);
            }
            for one in &way {
                states[*one] = DONE;
            }
        }
    }

    fn open_ring(&mut self, ring: &[usize]) {
        let weakest = ring.iter().copied().min_by_key(|at| {
            let message = &self.messages.list[*at];
            let date = message.date();
            (std::cmp::Reverse(self.reasons[*at]), date.is_none(), date, message.item)
        });
        if let Some(at) = weakest {
            self.parents[at] = NONE;
            self.reasons[at] = Reason::None;
            self.details[at] = 0;
            self.oddities[at] |= Oddities::RING_BROKEN;
        }
    }

    fn compare_dates(&mut self) {
        let list = &self.messages.list;
        for (at, message) in list.iter().enumerate() {
            if self.shared[message.own as usize] {
                self.oddities[at] |= Oddities::ID_SHARED;
            }
            let parent = self.parents[at];
            if parent == NONE {
                continue;
            }
            let parent = &list[parent as usize];
            if let (Some(before), Some(after)) = (parent.date(), message.date())
                && before > after
            {
                self.oddities[at] |= Oddities::PARENT_LATER;
            }
            let by_id = matches!(self.reasons[at], Reason::References | Reason::InReplyTo);
            if by_id && self.shared[parent.own as usize] {
                self.oddities[at] |= Oddities::PARENT_AMBIGUOUS;
            }
        }
    }

    fn rows(mut self) -> Vec<LinkRow> {
        let list = &self.messages.list;
        // By set: the first message of a thread, and the last one seen.
        let mut firsts = vec![NONE; self.messages.node_count()];
        let mut lasts = vec![NONE; self.messages.node_count()];
        let mut rows: Vec<LinkRow> = Vec::with_capacity(list.len());
        for (at, message) in list.iter().enumerate() {
            let set = self.sets.find(message.own) as usize;
            if firsts[set] == NONE {
                firsts[set] = at as u32;
            } else {
                rows[lasts[set] as usize].next = message.item;
            }
            lasts[set] = at as u32;
            let first = list[firsts[set] as usize].item;
            let holder = self.holders[message.own as usize];
            rows.push(LinkRow {
                item: message.item,
                thread: first,
                next: first,
                parent: match self.parents[at] {
                    NONE => 0,
                    parent => list[parent as usize].item,
                },
                copy_of: if holder as usize == at {
                    0
                } else {
                    list[holder as usize].item
                },
                reason: self.reasons[at],
                detail: self.details[at],
                oddities: Oddities(self.oddities[at]),
            });
        }
        rows
    }
}

/// Disjoint sets of nodes: union by lower number with path halving.
struct Sets(Vec<u32>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    fn find(&mut self, mut node: u32) -> u32 {
        while self.0[node as usize] != node {
            let up = self.0[self.0[node as usize] as usize];
            self.0[node as usize] = up;
            node = up;
        }
        node
    }

    fn join(&mut self, one: u32, two: u32) {
        let (one, two) = (self.find(one), self.find(two));
        let (low, high) = (one.min(two), one.max(two));
        self.0[high as usize] = low;
    }
}
