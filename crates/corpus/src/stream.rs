//! The stream of messages, and the truth counted beside it.
//!
//! Memory does not grow with the number of messages: one block's plan, one message and the counters are held.

use crate::config::{CorpusConfig, CorpusError};
use crate::layout::{Mailbox, mailboxes, ranks};
use crate::message::{Renderer, Target};
use crate::plan::{BLOCK, Block, Planner};
use crate::tally::Tally;
use crate::truth::Truth;

/// Where one copy of a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index in [`MessageStream::mailboxes`].
    pub mailbox: usize,
    /// Position in that mailbox, from 0.
    pub ordinal: u64,
}

/// A distinct message with all its copies.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Number of the message in the order of writing, from 0; a cross-post has the number of its original.
    pub number: u64,
    /// 0, or 1 for the cross-posted version with other bytes.
    pub version: u8,
    /// The message with LF line ends; see [`crate::BoxFormat::message_bytes`].
    pub bytes: &'a [u8],
    /// Its copies, at least one.
    pub places: &'a [Place],
    /// Address for a separator line.
    pub sender: &'a str,
    /// Sent time, seconds since 1970.
    pub sent_at: i64,
    /// True when a line would be taken for a separator; false spares looking for one.
    pub needs_quoting: bool,
}

/// Makes the messages of a corpus one after the other.
pub struct MessageStream {
    planner: Planner,
    renderer: Renderer,
    mailboxes: Vec<Mailbox>,
    next_ordinals: Vec<u64>,
    block: Block,
    number: u64,
    version: u8,
    bytes: Vec<u8>,
    places: Vec<Place>,
    also_to: Vec<u32>,
    sender: Vec<u8>,
    tally: Tally,
}

impl MessageStream {
    /// Plans a corpus. Takes a few nanoseconds for each message, to find how many distinct ones make the count.
    pub fn new(config: &CorpusConfig) -> Result<Self, CorpusError> {
        config.check()?;
        let planner = Planner::new(config);
        let mailboxes = mailboxes(&planner);
        let tally = Tally::new(&planner, &mailboxes, ranks(&mailboxes));
        Ok(Self {
            renderer: Renderer::new(&planner),
            next_ordinals: vec![0; mailboxes.len()],
            mailboxes,
            block: planner.block(0),
            number: 0,
            version: 0,
            bytes: Vec::new(),
            places: Vec::new(),
            also_to: Vec::new(),
            sender: Vec::new(),
            tally,
            planner,
        })
    }

    /// The mailboxes, received and sent by turns, custodian by custodian.
    pub fn mailboxes(&self) -> &[Mailbox] {
        &self.mailboxes
    }

    /// The next distinct message with its copies, or `None` at the end. Not an iterator: the message lives in the
    /// stream's own buffer until the next call.
    pub fn next_message(&mut self) -> Option<Message<'_>> {
        if self.number >= self.planner.distinct {
            return None;
        }
        let first = self.number - self.number % BLOCK;
        if self.block.first != first {
            self.block = self.planner.block(first);
        }
        let slot = self.block.slots[(self.number - first) as usize];
        let copies = self.planner.copies(self.number);
        let holder = self.block.thread_of(&slot).people[0];
        self.place(copies.exact, holder, slot.sender);
        let target = Target {
            block: &self.block,
            slot: &slot,
            number: self.number,
            version: self.version,
            also_to: &self.also_to,
            from_line: copies.from_line,
        };
        self.renderer.render(&self.planner, &target, &mut self.bytes);
        self.sender.clear();
        self.planner.people.write_address(&mut self.sender, slot.sender);
        self.tally.count(
            &self.bytes,
            &self.renderer.facts,
            &self.places,
            &self.mailboxes,
            self.version,
            slot.index,
        );
        let (number, version) = (self.number, self.version);
        if version == 0 && copies.crosspost {
            self.version = 1;
        } else {
            self.version = 0;
            self.number += 1;
        }
        Some(Message {
            number,
            version,
            bytes: &self.bytes,
            places: &self.places,
            sender: std::str::from_utf8(&self.sender).unwrap_or("nobody@mail.example"),
            sent_at: slot.sent_at,
            needs_quoting: self.renderer.facts.from_line,
        })
    }

    /// Fills `places` and `also_to` for the present version.
    fn place(&mut self, exact: u8, holder: u32, sender: u32) {
        self.places.clear();
        self.also_to.clear();
        let mut holders = [holder; 3];
        let count = if self.version == 0 {
            for nth in 0..usize::from(exact) {
                holders[nth + 1] = self.planner.copy_holder(self.number, holder, nth as u32);
            }
            1 + usize::from(exact)
        } else {
            holders[0] = self.planner.copy_holder(self.number, holder, 2);
            1
        };
        for custodian in &holders[..count] {
            let mailbox = 2 * *custodian as usize + usize::from(*custodian == sender);
            let ordinal = self.next_ordinals[mailbox];
            self.next_ordinals[mailbox] += 1;
            self.places.push(Place { mailbox, ordinal });
            if !self.also_to.contains(custodian) {
                self.also_to.push(*custodian);
            }
        }
    }

    /// The truth about everything that was taken from the stream so far; complete at its end. Records are not counted
    /// here, [`crate::write_corpus`] adds them.
    pub fn truth(&self) -> Truth {
        self.tally.truth(&self.planner, &self.mailboxes)
    }

    pub(crate) fn planner(&self) -> &Planner {
        &self.planner
    }
}
