//! Counts the truth while messages go by.

use std::collections::BTreeMap;

use crate::config::BoxFormat;
use crate::layout::Mailbox;
use crate::message::{Facts, Form, Holder};
use crate::needle::PHRASES;
use crate::plan::Planner;
use crate::stream::Place;
use crate::truth::{
    BrokenKind, CaseTruth, CustodianTruth, ItemTruth, Location, MailboxTruth, NeedleTruth, PhraseTruth, RecordTruth,
    SCHEMA, ThreadTruth, Truth,
};

#[derive(Clone, Copy, Default)]
struct BoxCount {
    messages: u64,
    new: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Default)]
struct PhraseCount {
    families: u64,
    instances: u64,
    held: [u64; 3],
    decoys: u64,
}

#[derive(Clone, Copy, Default)]
struct CaseCount {
    messages: u64,
    instances: u64,
    in_subject: u64,
}

/// Counters of everything in [`Truth`].
pub(crate) struct Tally {
    ranks: Vec<usize>,
    boxes: Vec<BoxCount>,
    custodian_distinct: Vec<u64>,
    phrases: Vec<PhraseCount>,
    needle_places: Vec<Vec<Location>>,
    needle_items: Vec<u64>,
    cases: Vec<CaseCount>,
    forms: BTreeMap<Form, u64>,
    broken: BTreeMap<BrokenKind, u64>,
    types: BTreeMap<&'static str, u64>,
    items: ItemTruth,
    threads: ThreadTruth,
    without_text: u64,
    bounces: u64,
    from_lines: u64,
    crossposts: u64,
    dates: Option<(i64, i64)>,
    digest: Option<[u8; 32]>,
    /// First copies of each byte class among the places of one message; kept to save allocations.
    firsts: Vec<(u8, usize)>,
}

impl Tally {
    pub(crate) fn new(planner: &Planner, mailboxes: &[Mailbox], ranks: Vec<usize>) -> Self {
        let needles = planner.needles.list.len();
        Self {
            ranks,
            boxes: vec![BoxCount::default(); mailboxes.len()],
            custodian_distinct: vec![0; planner.config.custodians as usize],
            phrases: vec![PhraseCount::default(); PHRASES.len()],
            needle_places: vec![Vec::new(); needles],
            needle_items: vec![0; needles],
            cases: vec![CaseCount::default(); planner.cases.len()],
            forms: BTreeMap::new(),
            broken: BTreeMap::new(),
            types: BTreeMap::new(),
            items: ItemTruth::default(),
            threads: ThreadTruth::default(),
            without_text: 0,
            bounces: 0,
            from_lines: 0,
            crossposts: 0,
            dates: None,
            digest: planner.config.digest.then_some([0; 32]),
            firsts: Vec::new(),
        }
    }

    /// Counts one version of one message, `index` its place in the conversation.
    pub(crate) fn count(
        &mut self,
        bytes: &[u8],
        facts: &Facts,
        places: &[Place],
        mailboxes: &[Mailbox],
        version: u8,
        index: u8,
    ) {
        let distinct = self.count_places(bytes, places, mailboxes);
        self.count_items(facts, places, mailboxes);
        self.count_planted(facts, places, mailboxes, distinct);
        if version == 0 {
            match index {
                0 => self.threads.conversations += 1,
                1 => {
                    self.threads.with_replies += 1;
                    self.threads.replies += 1;
                }
                _ => self.threads.replies += 1,
            }
        } else if !matches!(facts.broken, Some(BrokenKind::NoHeaders | BrokenKind::NoMessageId)) {
            self.crossposts += distinct;
        }
        if let Some(at) = facts.dated {
            let (low, high) = self.dates.unwrap_or((at, at));
            self.dates = Some((low.min(at), high.max(at)));
        }
    }

    /// Counts mailboxes and custodians; returns how many different byte sequences the copies are.
    fn count_places(&mut self, bytes: &[u8], places: &[Place], mailboxes: &[Mailbox]) -> u64 {
        self.firsts.clear();
        for (at, place) in places.iter().enumerate() {
            let mailbox = &mailboxes[place.mailbox];
            let class = mailbox.format.byte_class();
            let length = if class == 0 {
                bytes.len()
            } else {
                mailbox.format.message_bytes(bytes).len()
            };
            let count = &mut self.boxes[place.mailbox];
            count.messages += 1;
            count.bytes += length as u64;
            match self.firsts.iter_mut().find(|(known, _)| *known == class) {
                Some((_, first)) => {
                    if self.ranks[place.mailbox] < self.ranks[places[*first].mailbox] {
                        *first = at;
                    }
                }
                None => self.firsts.push((class, at)),
            }
            let is_first_of_custodian = places[..at].iter().all(|earlier| {
                let other = &mailboxes[earlier.mailbox];
                other.custodian != mailbox.custodian || other.format.byte_class() != class
            });
            self.custodian_distinct[mailbox.custodian as usize] += u64::from(is_first_of_custodian);
        }
        for (_, first) in &self.firsts {
            let mailbox = places[*first].mailbox;
            self.boxes[mailbox].new += 1;
            if let Some(digest) = &mut self.digest {
                let hash = blake3::hash(&mailboxes[mailbox].format.message_bytes(bytes));
                for (sum, byte) in digest.iter_mut().zip(hash.as_bytes()) {
                    *sum ^= byte;
                }
            }
        }
        self.firsts.len() as u64
    }

    fn count_items(&mut self, facts: &Facts, places: &[Place], mailboxes: &[Mailbox]) {
        let distinct = self.firsts.len() as u64;
        let broken_attachments = facts.broken.map_or(0, BrokenKind::attachments);
        let is_loose = |(_, first): &&(u8, usize)| mailboxes[places[*first].mailbox].format == BoxFormat::Eml;
        let documents = if facts.broken == Some(BrokenKind::NoHeaders) {
            self.firsts.iter().filter(is_loose).count() as u64
        } else {
            0
        };
        self.items.document += documents;
        self.items.email_top += distinct - documents;
        self.items.email += distinct * (1 + facts.nested) - documents;
        self.items.attachment += distinct * (facts.attachment_types.len() as u64 + broken_attachments);
        for media_type in &facts.attachment_types {
            *self.types.entry(media_type).or_default() += distinct;
        }
        if facts.nested > 0 {
            *self.types.entry("message/rfc822").or_default() += distinct * facts.nested;
        }
        if let Some(kind) = facts.broken {
            *self.broken.entry(kind).or_default() += distinct;
        }
        if let Some(form) = facts.form {
            *self.forms.entry(form).or_default() += distinct;
        }
        self.without_text += distinct * u64::from(facts.without_text);
        self.bounces += distinct * u64::from(facts.bounce);
        self.from_lines += distinct * u64::from(facts.from_line);
    }

    fn count_planted(&mut self, facts: &Facts, places: &[Place], mailboxes: &[Mailbox], distinct: u64) {
        for (phrase, holder, is_phrase) in &facts.phrases {
            let count = &mut self.phrases[*phrase];
            if *is_phrase {
                count.held[*holder as usize] += distinct;
                count.families += distinct;
                count.instances += places.len() as u64;
            } else {
                count.decoys += distinct;
            }
        }
        for (case, in_subject) in &facts.cases {
            let count = &mut self.cases[*case as usize];
            count.messages += distinct;
            count.instances += places.len() as u64;
            count.in_subject += distinct * u64::from(*in_subject);
        }
        if let Some(needle) = facts.needle {
            self.needle_items[needle] += distinct;
            self.needle_places[needle].extend(places.iter().map(|place| {
                let mailbox = &mailboxes[place.mailbox];
                Location {
                    file: mailbox.file(place.ordinal),
                    ordinal: mailbox.ordinal_in_file(place.ordinal),
                }
            }));
        }
    }

    /// The counts as a truth.
    pub(crate) fn truth(&self, planner: &Planner, mailboxes: &[Mailbox]) -> Truth {
        let messages = self.boxes.iter().map(|count| count.messages).sum();
        let distinct = self.boxes.iter().map(|count| count.new).sum();
        Truth {
            schema: SCHEMA,
            config: planner.config.clone(),
            messages,
            distinct_messages: distinct,
            duplicate_messages: messages - distinct,
            crosspost_messages: self.crossposts,
            blob_xor: self.digest.map(|digest| embley_model::id::hex_encode(&digest)),
            message_bytes: self.boxes.iter().map(|count| count.bytes).sum(),
            items: self.items,
            attachments_by_type: self.types.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect(),
            threads: self.threads,
            without_text: self.without_text,
            bounces: self.bounces,
            from_line_messages: self.from_lines,
            forms: self
                .forms
                .iter()
                .map(|(form, n)| (form.name().to_owned(), *n))
                .collect(),
            broken: self.broken.clone(),
            first_date: self.dates.map(|(low, _)| low),
            last_date: self.dates.map(|(_, high)| high),
            mailboxes: self.mailbox_truths(mailboxes),
            custodians: self.custodian_truths(planner, mailboxes),
            phrases: self.phrase_truths(),
            needles: self.needle_truths(planner),
            cases: self.case_truths(planner),
            records: RecordTruth::default(),
        }
    }

    fn mailbox_truths(&self, mailboxes: &[Mailbox]) -> Vec<MailboxTruth> {
        let mut order: Vec<usize> = (0..mailboxes.len()).collect();
        order.sort_by_key(|at| self.ranks[*at]);
        let truth_of = |at: usize| MailboxTruth {
            path: mailboxes[at].path.clone(),
            custodian: mailboxes[at].owner.clone(),
            format: mailboxes[at].format,
            messages: self.boxes[at].messages,
            new: self.boxes[at].new,
            duplicate: self.boxes[at].messages - self.boxes[at].new,
            message_bytes: self.boxes[at].bytes,
        };
        order.into_iter().map(truth_of).collect()
    }

    fn custodian_truths(&self, planner: &Planner, mailboxes: &[Mailbox]) -> Vec<CustodianTruth> {
        let truth_of = |custodian: u32| {
            let (first, family) = planner.people.name(custodian);
            let of_custodian = mailboxes
                .iter()
                .zip(&self.boxes)
                .filter(|(m, _)| m.custodian == custodian);
            CustodianTruth {
                folder: planner.people.slug(custodian),
                name: format!("{first} {family}"),
                address: planner.people.address(custodian),
                messages: of_custodian.map(|(_, count)| count.messages).sum(),
                distinct: self.custodian_distinct[custodian as usize],
            }
        };
        (0..planner.config.custodians).map(truth_of).collect()
    }

    fn phrase_truths(&self) -> Vec<PhraseTruth> {
        let truth_of = |(count, phrase): (&PhraseCount, &crate::needle::Phrase)| PhraseTruth {
            phrase: phrase.words.to_owned(),
            items: count.held.iter().sum(),
            families: count.families,
            instances: count.instances,
            in_message: count.held[Holder::Message as usize],
            in_attachment: count.held[Holder::Attachment as usize],
            in_nested: count.held[Holder::Nested as usize],
            decoy_items: count.decoys,
        };
        self.phrases.iter().zip(&PHRASES).map(truth_of).collect()
    }

    fn needle_truths(&self, planner: &Planner) -> Vec<NeedleTruth> {
        let mut all = Vec::new();
        for (at, needle) in planner.needles.list.iter().enumerate() {
            all.push(NeedleTruth {
                written: needle.written.clone(),
                query: needle.query.clone(),
                place: needle.place,
                field: needle.place.field().to_owned(),
                part: needle.place.part().to_owned(),
                items: self.needle_items[at],
                at: self.needle_places[at].clone(),
            });
        }
        all
    }

    fn case_truths(&self, planner: &Planner) -> Vec<CaseTruth> {
        let mut all = Vec::new();
        for (count, case) in self.cases.iter().zip(&planner.cases) {
            all.push(CaseTruth {
                case_ref: case.case_ref.clone(),
                messages: count.messages,
                instances: count.instances,
                in_subject: count.in_subject,
            });
        }
        all
    }
}
