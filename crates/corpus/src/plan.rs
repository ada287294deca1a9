//! Who writes what to whom and when: the plan of every message as a function of its number.
//!
//! Distinct messages are numbered in the order of writing. Numbers come in blocks of 64; a block holds whole
//! conversations, shuffled into one another, so a reply always finds its parent in its own block and the plan of any
//! message costs one block. Invariant: nothing here depends on what was planned before.

use crate::cases::Case;
use crate::config::{BoxFormat, CorpusConfig};
use crate::needle::Needles;
use crate::people::People;
use crate::rng::{Purpose, Rng, threshold};
use crate::truth::BrokenKind;

/// Messages to a block.
pub(crate) const BLOCK: u64 = 64;

/// What sort of message a conversation consists of. All but the first are conversations of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Ordinary,
    Bounce,
    WithoutText,
    Broken(BrokenKind),
}

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) sort: Sort,
    /// The custodian whose mailbox holds it; the first of the people.
    pub(crate) people: Vec<u32>,
    pub(crate) case: Option<u32>,
    /// For a case: the decision that the mail is about, by its place in the list.
    pub(crate) decision: usize,
    /// Names the subject.
    pub(crate) subject: u64,
    pub(crate) started_at: i64,
}

/// A message in its conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) thread: u8,
    /// 0 for the first message of the conversation.
    pub(crate) index: u8,
    /// Slot of the message it answers.
    pub(crate) parent: Option<u8>,
    pub(crate) sender: u32,
    pub(crate) sent_at: i64,
}

/// The plan of one block.
pub(crate) struct Block {
    pub(crate) first: u64,
    pub(crate) threads: Vec<Thread>,
    pub(crate) slots: Vec<Slot>,
}

/// Copies of a message beside the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copies {
    /// Exact copies, 0 to 2.
    pub(crate) exact: u8,
    /// A version with the same Message-ID and other bytes.
    pub(crate) crosspost: bool,
    /// The message quotes a line that looks like a separator; it has no copies.
    pub(crate) from_line: bool,
}

impl Copies {
    /// Messages in mailboxes that this one makes.
    pub(crate) fn instances(self) -> u64 {
        1 + u64::from(self.exact) + u64::from(self.crosspost)
    }
}

/// Shares as thresholds, worked out once.
pub(crate) struct Planner {
    pub(crate) config: CorpusConfig,
    pub(crate) people: People,
    /// Distinct messages by number (versions not counted).
    pub(crate) distinct: u64,
    /// Instances that the last number may still have.
    pub(crate) last_instances: u64,
    pub(crate) cases: Vec<Case>,
    pub(crate) needles: Needles,
    copy_any: u64,
    crosspost: u64,
    from_line: u64,
    special: u64,
    special_weights: [u32; 3],
    about_case: u64,
}

/// Sizes of ordinary conversations: one of these, each equally likely. Their mean is 2.5.
const SIZES: [u8; 16] = [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 6, 10];
const MEAN_SIZE: f64 = 2.5;
/// The mean of exact copies, if there are any: one or, a quarter of the time, two.
const MEAN_COPIES: f64 = 1.25;
const DAY: i64 = 86_400;

impl Planner {
    /// Works out the shares and counts how many numbers make the wanted count of messages.
    pub(crate) fn new(config: &CorpusConfig) -> Self {
        let s = &config.shares;
        let others = 1.0 - s.duplicates - s.crossposts;
        let alone = s.bounces + s.broken + s.without_text;
        let mut planner = Self {
            config: config.clone(),
            people: People { staff: config.staff },
            distinct: 0,
            last_instances: 0,
            cases: (0..config.cases).map(|number| Case::of(config, number)).collect(),
            needles: Needles::new(config, 0),
            copy_any: threshold(s.duplicates / others / MEAN_COPIES),
            crosspost: threshold(s.crossposts / others),
            from_line: threshold(s.from_lines),
            special: threshold(alone * MEAN_SIZE / (1.0 - alone + alone * MEAN_SIZE)),
            special_weights: [s.bounces, s.broken, s.without_text].map(|share| (share * 1e6) as u32),
            about_case: threshold(if config.cases == 0 { 0.0 } else { s.about_cases }),
        };
        planner.count_distinct();
        planner.needles = Needles::new(config, planner.distinct);
        planner
    }

    fn count_distinct(&mut self) {
        let mut left = self.config.messages;
        while left > 0 {
            let instances = self.copies_unbounded(self.distinct).instances();
            self.distinct += 1;
            self.last_instances = instances.min(left);
            left -= self.last_instances;
        }
    }

    fn copies_unbounded(&self, number: u64) -> Copies {
        let mut rng = Rng::new(self.config.seed, Purpose::Copies, number);
        if rng.chance(self.from_line) {
            return Copies {
                exact: 0,
                crosspost: false,
                from_line: true,
            };
        }
        let exact = if rng.chance(self.copy_any) {
            1 + u8::from(rng.below(4) == 0)
        } else {
            0
        };
        Copies {
            exact,
            crosspost: rng.chance(self.crosspost),
            from_line: false,
        }
    }

    /// The copies of a message; the last one has only as many as the wanted count leaves.
    pub(crate) fn copies(&self, number: u64) -> Copies {
        let mut copies = self.copies_unbounded(number);
        if number + 1 == self.distinct {
            if copies.instances() > self.last_instances {
                copies.crosspost = false;
            }
            while copies.instances() > self.last_instances {
                copies.exact -= 1;
            }
        }
        copies
    }

    /// The custodian (not the first one, where there are several) who holds copy `nth` of a message.
    pub(crate) fn copy_holder(&self, number: u64, first: u32, nth: u32) -> u32 {
        let custodians = self.config.custodians;
        if custodians == 1 {
            return 0;
        }
        let mut rng = Rng::new(self.config.seed, Purpose::Copies, number ^ (1 << 62));
        let step = 1 + (rng.below(custodians - 1) + nth) % (custodians - 1);
        (first + step) % custodians
    }

    /// The plan of the block that begins at `first`, a multiple of [`BLOCK`].
    pub(crate) fn block(&self, first: u64) -> Block {
        let mut rng = Rng::new(self.config.seed, Purpose::Block, first);
        let mut sizes: Vec<(Sort, u8)> = Vec::new();
        let mut owner: Vec<u8> = Vec::with_capacity(BLOCK as usize);
        while owner.len() < BLOCK as usize {
            let (sort, size) = if rng.chance(self.special) {
                (self.special_sort(&mut rng), 1)
            } else {
                (Sort::Ordinary, *rng.pick(&SIZES))
            };
            let size = size.min((BLOCK as usize - owner.len()) as u8);
            owner.extend(std::iter::repeat_n(sizes.len() as u8, usize::from(size)));
            sizes.push((sort, size));
        }
        for at in (1..owner.len()).rev() {
            owner.swap(at, rng.below(at as u32 + 1) as usize);
        }
        let mut threads: Vec<Option<Thread>> = vec![None; sizes.len()];
        let mut members: Vec<Vec<u8>> = vec![Vec::new(); sizes.len()];
        let mut slots: Vec<Slot> = Vec::with_capacity(owner.len());
        for (at, thread_no) in owner.iter().enumerate() {
            let number = first + at as u64;
            let thread_index = usize::from(*thread_no);
            let mut sort = sizes[thread_index].0;
            if sort != Sort::Ordinary && self.needles.of(number).is_some() {
                sort = Sort::Ordinary;
            }
            let thread = threads[thread_index].get_or_insert_with(|| self.thread(sort, number, &mut rng));
            let earlier = &members[thread_index];
            let parent = if earlier.is_empty() {
                None
            } else if rng.below(3) == 0 {
                Some(*rng.pick(earlier))
            } else {
                earlier.last().copied()
            };
            let slot = Slot {
                thread: *thread_no,
                index: earlier.len() as u8,
                parent,
                sender: choose_sender(thread, parent.map(|p| slots[usize::from(p)].sender), &mut rng),
                sent_at: match parent {
                    None => thread.started_at,
                    Some(p) => slots[usize::from(p)].sent_at + reply_delay(&mut rng),
                },
            };
            slots.push(slot);
            members[thread_index].push(at as u8);
        }
        Block {
            first,
            threads: threads.into_iter().flatten().collect(),
            slots,
        }
    }

    fn special_sort(&self, rng: &mut Rng) -> Sort {
        let [bounces, broken, without_text] = self.special_weights;
        let whole = (bounces + broken + without_text).max(1);
        let at = rng.below(whole);
        if at < bounces {
            Sort::Bounce
        } else if at < bounces + broken {
            Sort::Broken(*rng.pick(&BrokenKind::ALL))
        } else {
            Sort::WithoutText
        }
    }

    fn thread(&self, sort: Sort, number: u64, rng: &mut Rng) -> Thread {
        // The last block may be longer than the corpus.
        let number = number.min(self.distinct.saturating_sub(1));
        let subject = rng.bits();
        let about = sort == Sort::Ordinary && rng.chance(self.about_case);
        let span = (self.config.to_unix - self.config.from_unix - 45 * DAY) as u64;
        let at = (u128::from(span) * u128::from(number) / u128::from(self.distinct.max(1))) as i64;
        let jitter = rng.below_wide(span / self.distinct.max(1) + 1) as i64;
        let started_at = office_hours(self.config.from_unix + at + jitter, rng).max(self.config.from_unix);
        if about {
            let count = self.cases.len() as u128;
            let near = (u128::from(number) * count / u128::from(self.distinct.max(1))) as u64;
            let case = ((near + rng.below_wide(3)) % count as u64) as u32;
            return self.case_thread(case, subject, rng);
        }
        let custodian = rng.below(self.config.custodians);
        let mut people = vec![custodian];
        let others = 1 + rng.below(4);
        for _ in 0..others {
            let other = if rng.below(5) == 0 {
                self.people.some_outsider(rng)
            } else {
                self.people.some_staff(rng)
            };
            if !people.contains(&other) {
                people.push(other);
            }
        }
        if people.len() == 1 {
            people.push(self.people.some_outsider(rng));
        }
        Thread {
            sort,
            people,
            case: None,
            decision: 0,
            subject,
            started_at,
        }
    }

    fn case_thread(&self, number: u32, subject: u64, rng: &mut Rng) -> Thread {
        let case = &self.cases[number as usize];
        let decision = rng.below(case.decisions.len() as u32) as usize;
        let day = i64::from(rng.below(8)) - 4;
        let started_at = office_hours(case.decisions[decision].decided_at + day * DAY, rng);
        let mut people = case.writers().to_vec();
        people.truncate(2 + rng.below(2) as usize);
        if rng.below(6) == 0 {
            people.push(case.complainant);
        }
        if rng.below(10) == 0 {
            people.push(case.officer);
        }
        people.dedup();
        Thread {
            sort: Sort::Ordinary,
            people,
            case: Some(number),
            decision,
            subject,
            started_at: started_at.clamp(self.config.from_unix, self.config.to_unix - 45 * DAY),
        }
    }

    /// The format of a custodian's mail.
    pub(crate) fn format(&self, custodian: u32) -> BoxFormat {
        self.config.formats[custodian as usize % self.config.formats.len()]
    }
}

impl Block {
    /// The conversation of a slot.
    pub(crate) fn thread_of(&self, slot: &Slot) -> &Thread {
        &self.threads[usize::from(slot.thread)]
    }
}

fn choose_sender(thread: &Thread, parent_sender: Option<u32>, rng: &mut Rng) -> u32 {
    let sender = *rng.pick(&thread.people);
    if Some(sender) != parent_sender {
        return sender;
    }
    let at = thread.people.iter().position(|person| *person == sender).unwrap_or(0);
    thread.people[(at + 1) % thread.people.len()]
}

/// Minutes to four days; ten replies in a row stay within the 45 days that the period keeps free at its end.
fn reply_delay(rng: &mut Rng) -> i64 {
    let octave = 6 + rng.below(12);
    i64::from(rng.between(1 << octave, 2 << octave))
}

/// Moves a moment to between 07:00 and 19:00 UTC of its day, most of the time.
fn office_hours(unix_secs: i64, rng: &mut Rng) -> i64 {
    if rng.below(12) == 0 {
        return unix_secs;
    }
    unix_secs - unix_secs.rem_euclid(DAY) + 7 * 3600 + i64::from(rng.below(12 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_follow_their_parents_and_every_number_has_a_plan() {
        let planner = Planner::new(&CorpusConfig::new(5000, 2));
        let mut replies = 0;
        for first in (0..planner.distinct).step_by(BLOCK as usize) {
            let block = planner.block(first);
            assert_eq!(block.slots.len() as u64, BLOCK);
            for (at, slot) in block.slots.iter().enumerate() {
                assert!(slot.sent_at >= planner.config.from_unix && slot.sent_at <= planner.config.to_unix);
                let thread = block.thread_of(slot);
                assert!(thread.people.contains(&slot.sender));
                let Some(parent) = slot.parent else { continue };
                replies += 1;
                assert!(usize::from(parent) < at);
                assert!(block.slots[usize::from(parent)].sent_at < slot.sent_at);
                assert_eq!(block.slots[usize::from(parent)].thread, slot.thread);
            }
        }
        assert!(replies > 1500, "{replies}");
    }

    #[test]
    fn copies_make_up_exactly_the_wanted_count() {
        for messages in [0, 1, 2, 3, 997, 20_000] {
            let planner = Planner::new(&CorpusConfig::new(messages, 8));
            let whole: u64 = (0..planner.distinct)
                .map(|number| planner.copies(number).instances())
                .sum();
            assert_eq!(whole, messages);
        }
    }
}
