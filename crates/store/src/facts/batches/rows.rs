//! What is kept of reviews and batches, and how items are divided among batches.

use roaring::RoaringBitmap;
use serde::Serialize;

pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS review (
    review_id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,           -- the name folded
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    level TEXT NOT NULL,                -- item, family
    form TEXT NOT NULL,                 -- coding form; empty for none
    left_out INTEGER NOT NULL,          -- hits that other reviews held
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS review_not_changed BEFORE UPDATE ON review
    BEGIN SELECT RAISE(ABORT, 'a review is made once'); END;
CREATE TRIGGER IF NOT EXISTS review_not_deleted BEFORE DELETE ON review
    BEGIN SELECT RAISE(ABORT, 'a review is made once'); END;
CREATE TABLE IF NOT EXISTS review_batch (
    batch_id INTEGER PRIMARY KEY,
    review_id INTEGER NOT NULL REFERENCES review (review_id),
    round INTEGER NOT NULL,             -- 1; 2 for a second review
    number INTEGER NOT NULL,            -- from 1 within the review
    not_for TEXT NOT NULL,              -- whose work it looks at again, folded; empty in the first round
    member_count INTEGER NOT NULL,
    members BLOB NOT NULL,
    state INTEGER NOT NULL,             -- State::code, that of the last event
    holder TEXT NOT NULL,               -- who has it or finished it; empty when it is open
    holder_key TEXT NOT NULL,
    UNIQUE (review_id, number)
) STRICT;
CREATE INDEX IF NOT EXISTS review_batch_open ON review_batch (review_id, state, number);
CREATE TRIGGER IF NOT EXISTS review_batch_stays BEFORE UPDATE OF review_id, round, number, not_for, member_count, members ON review_batch
    BEGIN SELECT RAISE(ABORT, 'what a batch holds never changes'); END;
CREATE TRIGGER IF NOT EXISTS review_batch_not_deleted BEFORE DELETE ON review_batch
    BEGIN SELECT RAISE(ABORT, 'a batch is finished, never deleted'); END;
CREATE TABLE IF NOT EXISTS batch_event (
    event_id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL REFERENCES review_batch (batch_id),
    at_micros INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,               -- made, checked out, released, done, reopened
    before_state INTEGER NOT NULL,
    before_holder TEXT NOT NULL,
    after_state INTEGER NOT NULL,
    after_holder TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS batch_event_by_batch ON batch_event (batch_id);
CREATE TRIGGER IF NOT EXISTS batch_event_not_changed BEFORE UPDATE ON batch_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
CREATE TRIGGER IF NOT EXISTS batch_event_not_deleted BEFORE DELETE ON batch_event
    BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END;
";

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Out,
    /// It is finished.
    Done,
}

impl State {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Out => 2,
            Self::Done => 3,
        }
    }

    pub(super) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Open,
            2 => Self::Out,
            _ => Self::Done,
        }
    }

    /// The word in lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Out => "out",
            Self::Done => "done",
        }
    }
}

/// A review that is made.
#[derive(Clone, Copy, Debug)]
pub struct NewReview<'a> {
    /// Its name.
    pub name: &'a str,
    /// The query, for the record.
    pub query: &'a str,
    /// `item` or `family`, for the record.
    pub level: &'a str,
    /// Name of the coding form; empty for none.
    pub form: &'a str,
    /// What the query found.
    pub items: &'a RoaringBitmap,
    /// Items at which a family begins, when families stay together.
    pub roots: Option<&'a RoaringBitmap>,
    /// Most items of a batch; a larger family is a batch of its own.
    pub size: u64,
    /// Take items too that another review holds.
    pub again: bool,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Row id.
    #[serde(skip)]
    pub review_id: i64,
    /// Its name.
    pub name: String,
    /// The query.
    pub query: String,
    /// `item` or `family`.
    pub level: String,
    /// Name of the coding form; empty for none.
    pub form: String,
    /// Hits that were left out because another review held them.
    pub left_out: u64,
    /// When it was made, microseconds since 1970.
    pub at_micros: i64,
    /// Who made it.
    pub actor: String,
}

/// A batch without its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Row id: the number by which it is called.
    pub batch_id: i64,
    /// Name of its review.
    pub review: String,
    /// Its review's coding form; empty for none.
    pub form: String,
    /// 1; 2 for a second review.
    pub round: u32,
    /// From 1 within the review.
    pub number: u64,
    /// Whose work it looks at again.
    pub not_for: String,
    /// Items in it.
    pub items: u64,
    /// Where it stands.
    pub state: State,
    /// Who has it, or finished it.
    pub holder: String,
}

/// One step of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchEvent {
    /// The batch.
    pub batch_id: i64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who.
    pub actor: String,
    /// `made`, `checked out`, `released`, `done`, `reopened`.
    pub action: String,
    /// State and holder before.
    pub before: String,
    /// State and holder after.
    pub after: String,
    /// Why.
    pub note: String,
}

/// Cuts items into batches in their order; a family is not divided.
pub(super) fn cut(items: &RoaringBitmap, roots: Option<&RoaringBitmap>, size: u64) -> Vec<RoaringBitmap> {
    let mut batches = Vec::new();
    let mut batch = RoaringBitmap::new();
    let mut family = RoaringBitmap::new();
    let mut family_root = None;
    let mut close = |family: &mut RoaringBitmap, batch: &mut RoaringBitmap| {
        if !batch.is_empty() && batch.len() + family.len() > size {
            batches.push(std::mem::take(batch));
        }
        *batch |= std::mem::take(family);
    };
    for item in items {
        // The family of an item begins at the last root at or before it.
        let root = match roots {
            None => Some(item),
            Some(roots) => roots.rank(item).checked_sub(1).and_then(|nth| roots.select(nth as u32)),
        };
        if root != family_root {
            close(&mut family, &mut batch);
            family_root = root;
        }
        family.insert(item);
    }
    close(&mut family, &mut batch);
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}
