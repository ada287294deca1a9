//! The plan of the worked example: people, cases with their rows, registers, mail, and what is planted.
//!
//! Everything is decided here before a byte is written; the self-check ([`super::check`]) recomputes from these types.
//! A row is known by its number ([`Row::no`]), which no other row of the example has.

use super::dates::Day;
use super::law::{CaseKind, Era};
use super::people::PersonPlan;
use super::templates::TemplateSet;

/// What every row has.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) no: u32,
    pub(super) recorded_at: i64,
    pub(super) recorded_by: usize,
    /// The export says the moment of the bulk migration in place of the moment of recording.
    pub(super) stamped: bool,
    pub(super) history: Vec<Change>,
}

/// A later change of one field.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) field: &'static str,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) at: i64,
    pub(super) by: usize,
}

/// How a decision is spoken of in mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announce {
    Said,
    Unsaid,
    /// In mail this many days before the formal decision.
    SaidBefore(i64),
}

#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) row: Row,
    pub(super) kind: &'static str,
    pub(super) outcome: String,
    pub(super) decided_at: i64,
    pub(super) decided_by: usize,
    pub(super) role: &'static str,
    pub(super) regulations: String,
    pub(super) regulation: Option<String>,
    pub(super) rationale: String,
    pub(super) consulted: Vec<usize>,
    pub(super) notified: Vec<usize>,
    /// The row it replaces, and why.
    pub(super) supersedes: Option<(u32, &'static str)>,
    pub(super) announce: Announce,
}

#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) row: Row,
    pub(super) person: usize,
    pub(super) role: &'static str,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) terms: Option<String>,
    pub(super) basis: String,
    pub(super) acting: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub(super) row: Row,
    pub(super) person: usize,
    pub(super) other: Option<usize>,
    pub(super) nature: String,
    pub(super) at: i64,
    pub(super) to: usize,
    pub(super) assessment: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) row: Row,
    pub(super) kind: &'static str,
    pub(super) severity: Option<String>,
    pub(super) authorised_by: usize,
    pub(super) at: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) row: Row,
    pub(super) kind: &'static str,
    pub(super) method: &'static str,
    pub(super) due: Day,
    pub(super) sent_at: Option<i64>,
    pub(super) exception: Option<&'static str>,
    pub(super) note: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Review {
    pub(super) row: Row,
    pub(super) kind: &'static str,
    pub(super) tasked_by: usize,
    pub(super) reviewer: usize,
    pub(super) due: Day,
    pub(super) completed_at: i64,
    pub(super) terms: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) row: Row,
    pub(super) due: Day,
    pub(super) sent_at: i64,
    pub(super) reason: String,
}

#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) row: Row,
    pub(super) at: i64,
    pub(super) author: usize,
    pub(super) category: &'static str,
    pub(super) text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) row: Row,
    pub(super) title: String,
    pub(super) author: usize,
    pub(super) at: i64,
    pub(super) text: String,
}

/// Which export holds a case's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// The older system: closed long before the migration and left there.
    Older,
    /// The newer system, rows made before the migration were moved.
    Moved,
    /// The newer system from the beginning.
    Newer,
}

#[derive(Clone, Debug)]
pub(super) struct CasePlan {
    pub(super) case_ref: String,
    pub(super) kind: CaseKind,
    pub(super) era: Era,
    pub(super) incident: Day,
    pub(super) attention_at: i64,
    pub(super) opened_at: i64,
    pub(super) closed_at: i64,
    pub(super) officer: usize,
    pub(super) investigator: usize,
    pub(super) authority: usize,
    pub(super) supervisor: usize,
    pub(super) chair: usize,
    pub(super) complainant: Option<usize>,
    pub(super) linked: Vec<usize>,
    /// The regulations that the case record says to govern it, and why where it says so.
    pub(super) governing: String,
    pub(super) governing_basis: Option<String>,
    pub(super) certified_at: Option<i64>,
    pub(super) home: Home,
    pub(super) row: Row,
    pub(super) party_rows: Vec<Row>,
    pub(super) allegation_row: Row,
    pub(super) allegation: usize,
    pub(super) roles: Vec<Role>,
    pub(super) decisions: Vec<Decision>,
    pub(super) declarations: Vec<Declaration>,
    pub(super) notices: Vec<Notice>,
    pub(super) updates: Vec<Update>,
    pub(super) reviews: Vec<Review>,
    pub(super) reports: Vec<Report>,
    pub(super) logs: Vec<Log>,
    pub(super) documents: Vec<Document>,
}

impl CasePlan {
    /// The first decision of this type.
    pub(super) fn decision(&self, kind: &str) -> Option<usize> {
        self.decisions.iter().position(|decision| decision.kind == kind)
    }

    /// True when the person holds a role at this moment, or is a party.
    pub(super) fn has_part(&self, person: usize, at: i64) -> bool {
        person == self.officer
            || Some(person) == self.complainant
            || self
                .roles
                .iter()
                .any(|role| role.person == person && role.from <= at && at <= role.to)
    }

    /// True when the person holds one of the roles at this moment.
    pub(super) fn holds(&self, person: usize, roles: &[&str], at: i64) -> bool {
        self.roles
            .iter()
            .any(|role| role.person == person && roles.contains(&role.role) && role.from <= at && at <= role.to)
    }
}

/// A register row; which fields it has is the kind's.
#[derive(Clone, Debug)]
pub(super) struct Register {
    pub(super) row: Row,
    pub(super) entry: Entry,
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Gift {
        person: usize,
        organisation: String,
        offered_by: String,
        description: String,
        value: u32,
        at: Day,
        accepted: bool,
    },
    Interest {
        person: usize,
        organisation: String,
        nature: String,
        applied: Day,
        refusal: Option<String>,
        from: Option<Day>,
    },
    Association {
        person: usize,
        other: usize,
        nature: String,
        declared: Day,
        from: Day,
        to: Option<Day>,
    },
    Media {
        person: usize,
        organisation: String,
        contact: String,
        at: i64,
        subject: String,
        authorised_by: usize,
    },
    Procurement {
        contract: String,
        organisation: String,
        title: String,
        value: u32,
        evaluators: Vec<usize>,
        from: Day,
        awarded: Day,
    },
}

/// An attachment: text as bytes.
#[derive(Clone, Debug)]
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) text: String,
}

/// How a message repeats the one it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Nothing,
    /// `On ..., X wrote:` and every line with `> `.
    Quoted,
    /// `-----Original Message-----` and the text as it was.
    Forwarded,
    /// Quoted lines are these instead of the parent's.
    QuotedAs(Vec<String>),
}

/// A decision that a message says to have been made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) kind: &'static str,
    pub(super) by: usize,
    /// The row; `None` when there is none.
    pub(super) row: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) kind: &'static str,
    pub(super) set: TemplateSet,
    pub(super) from: usize,
    pub(super) to: Vec<usize>,
    pub(super) cc: Vec<usize>,
    pub(super) at: i64,
    pub(super) subject: String,
    /// Lines of its own text, wrapped.
    pub(super) own: Vec<String>,
    pub(super) parent: Option<usize>,
    pub(super) repeat: Repeat,
    pub(super) attachments: Vec<Attachment>,
    pub(super) case: Option<usize>,
    pub(super) states: Option<Stated>,
    /// Consults on the severity revision with this row.
    pub(super) consults: Option<u32>,
    /// Held in no mailbox.
    pub(super) is_lost: bool,
    /// Missing from the sender's export.
    pub(super) is_unsent: bool,
    pub(super) x500: bool,
}

/// What limits the export of a custodian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Older mail was deleted under the retention rule.
    Retention,
    /// The export was asked for from this day on.
    Scope,
}

/// Something planted: a fault, or what only looks like one.
#[derive(Clone, Debug)]
pub(super) struct Plant {
    pub(super) rule: &'static str,
    pub(super) is_fault: bool,
    pub(super) variant: &'static str,
    pub(super) case: Option<usize>,
    pub(super) people: Vec<usize>,
    pub(super) rows: Vec<u32>,
    pub(super) mails: Vec<usize>,
    pub(super) why: String,
}

/// The whole example.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    /// Which copy it is ([`super::copies`]): 0 is the example itself.
    pub(super) copy: u32,
    pub(super) migration: Day,
    pub(super) people: Vec<PersonPlan>,
    pub(super) person_rows: Vec<Row>,
    pub(super) cases: Vec<CasePlan>,
    pub(super) registers: Vec<Register>,
    pub(super) mails: Vec<Mail>,
    /// Custodian, from when mail is held, and why.
    pub(super) limits: Vec<(usize, Day, Limit)>,
    pub(super) plants: Vec<Plant>,
    pub(super) next_row: u32,
}

impl World {
    /// A new row, recorded at this moment.
    pub(super) fn row(&mut self, recorded_at: i64, recorded_by: usize) -> Row {
        self.next_row += 1;
        Row {
            no: self.next_row,
            recorded_at,
            recorded_by,
            stamped: false,
            history: Vec::new(),
        }
    }

    /// Lines of a message as they are read: its own and what it repeats.
    pub(super) fn lines(&self, at: usize) -> Vec<String> {
        let mail = &self.mails[at];
        let mut lines = mail.own.clone();
        let Some(parent) = mail.parent else { return lines };
        let (repeated, is_forward) = match &mail.repeat {
            Repeat::Nothing => return lines,
            Repeat::Quoted => (self.lines(parent), false),
            Repeat::QuotedAs(other) => (other.clone(), false),
            Repeat::Forwarded => (self.lines(parent), true),
        };
        let original = &self.mails[parent];
        lines.push(String::new());
        if is_forward {
            lines.push("-----Original Message-----".to_owned());
            lines.push(format!("From: {}", self.people[original.from].display(original.at)));
            lines.push(format!(
                "Sent: {}",
                super::dates::spoken(super::dates::day_of(original.at))
            ));
            lines.push(format!("Subject: {}", original.subject));
            lines.push(String::new());
            lines.extend(repeated);
        } else {
            lines.push(format!(
                "On {}, {} wrote:",
                super::dates::spoken(super::dates::day_of(original.at)),
                self.people[original.from].full_name(original.at)
            ));
            lines.extend(repeated.iter().map(|line| {
                if line.is_empty() {
                    ">".to_owned()
                } else {
                    format!("> {line}")
                }
            }));
        }
        lines
    }

    /// Custodians who hold a message: the sender and those written to, as far as their exports reach.
    pub(super) fn holders(&self, at: usize) -> Vec<(usize, bool)> {
        let mail = &self.mails[at];
        if mail.is_lost {
            return Vec::new();
        }
        let mut holders = Vec::new();
        let everybody = std::iter::once(&mail.from).chain(&mail.to).chain(&mail.cc);
        for (nth, person) in everybody.enumerate() {
            let is_sender = nth == 0;
            let is_custodian = self.people[*person].is_custodian;
            let in_scope = self
                .limits
                .iter()
                .all(|(custodian, from, _)| custodian != person || super::dates::day_of(mail.at) >= *from);
            if is_custodian && in_scope && !(is_sender && mail.is_unsent) {
                holders.push((*person, is_sender));
            }
        }
        holders
    }
}
