//! Writing one message: wording, places, greeting, wrapping, subject.
//!
//! Invariant: a message never answers a later one, and whoever writes or reads about a case has a part in it that moment,
//! unless a plant says otherwise.

use crate::rng::Rng;

use super::dates::{at, day_of, office, spoken, working_from};
use super::plan::{Attachment, Decision, Document, Mail, Repeat, Stated, World};
use super::templates::{Places, TemplateChoice, TemplateSet, Templates};

/// Columns of a line of text.
const WIDTH: usize = 72;

/// What makes messages.
pub(super) struct Post<'a> {
    pub(super) world: &'a mut World,
    pub(super) templates: &'a Templates,
    pub(super) choice: TemplateChoice,
    pub(super) rng: &'a mut Rng,
}

/// A message to be written.
pub(super) struct Letter<'a> {
    /// The kind of wording, and of message in the truth.
    pub(super) kind: &'static str,
    /// More kinds of wordings that follow.
    pub(super) then: Vec<&'static str>,
    pub(super) subject: &'static str,
    pub(super) from: usize,
    pub(super) to: Vec<usize>,
    pub(super) cc: Vec<usize>,
    pub(super) at: i64,
    pub(super) case: Option<usize>,
    pub(super) decision: Option<&'a Decision>,
    pub(super) parent: Option<usize>,
    pub(super) repeat: Repeat,
    pub(super) attachments: Vec<Attachment>,
    pub(super) more: Places,
}

impl<'a> Letter<'a> {
    pub(super) fn new(kind: &'static str, subject: &'static str, from: usize, to: usize, at: i64) -> Self {
        Letter {
            kind,
            then: Vec::new(),
            subject,
            from,
            to: vec![to],
            cc: Vec::new(),
            at,
            case: None,
            decision: None,
            parent: None,
            repeat: Repeat::Nothing,
            attachments: Vec::new(),
            more: Vec::new(),
        }
    }

    pub(super) fn about(mut self, case: usize) -> Self {
        self.case = Some(case);
        self
    }

    pub(super) fn answering(mut self, parent: usize, repeat: Repeat) -> Self {
        self.parent = Some(parent);
        self.repeat = repeat;
        self
    }
}

impl Post<'_> {
    fn set(&mut self) -> TemplateSet {
        match self.choice {
            TemplateChoice::One => TemplateSet::One,
            TemplateChoice::Two => TemplateSet::Two,
            TemplateChoice::Both if self.rng.below(9) < 5 => TemplateSet::One,
            TemplateChoice::Both => TemplateSet::Two,
        }
    }

    /// Writes a message; returns its place.
    pub(super) fn write(&mut self, letter: Letter<'_>) -> usize {
        let set = self.set();
        let mut places = letter.more.clone();
        places.extend(self.places(&letter));
        let mut text = Vec::new();
        for kind in std::iter::once(letter.kind).chain(letter.then.iter().copied()) {
            text.push(self.templates.say(set, kind, &places, self.rng));
        }
        let greeting = self.templates.say(set, "greeting", &places, self.rng);
        let closing = self.templates.say(set, "closing", &places, self.rng);
        // Letters to the public keep to form.
        let (greeting, closing) = if letter.kind == "update_mail" {
            let name = self.world.people[letter.to[0]].full_name(letter.at);
            (format!("Dear {name},"), "Yours sincerely,".to_owned())
        } else {
            (greeting, closing)
        };
        let mut own = vec![greeting, String::new()];
        own.extend(wrap(&text.join(" "), WIDTH));
        own.extend([String::new(), closing]);
        own.push(match self.rng.below(3) {
            0 => self.world.people[letter.from].first.to_owned(),
            1 => self.world.people[letter.from].full_name(letter.at),
            _ => self.world.people[letter.from].spoken(letter.at),
        });
        let subject = match letter.parent {
            Some(parent) => {
                let mark = if letter.repeat == Repeat::Forwarded {
                    "FW: "
                } else {
                    "RE: "
                };
                let old = &self.world.mails[parent].subject;
                format!("{mark}{}", old.trim_start_matches("RE: ").trim_start_matches("FW: "))
            }
            None => self.templates.say(set, letter.subject, &places, self.rng),
        };
        let has_x500 = self.world.people[letter.from].x500().is_some();
        let is_old = super::dates::civil(day_of(letter.at)).year < 2011;
        let x500 = has_x500 && is_old && self.rng.below(3) == 0;
        self.world.mails.push(Mail {
            kind: letter.kind,
            set,
            from: letter.from,
            to: letter.to,
            cc: letter.cc,
            at: letter.at,
            subject,
            own,
            parent: letter.parent,
            repeat: letter.repeat,
            attachments: letter.attachments,
            case: letter.case,
            states: None,
            consults: None,
            is_lost: false,
            is_unsent: false,
            x500,
        });
        self.world.mails.len() - 1
    }

    /// Writes a message that says that a decision was made.
    pub(super) fn announce(&mut self, letter: Letter<'_>, kind: &'static str, row: Option<u32>) -> usize {
        let by = letter.from;
        let at = self.write(letter);
        self.world.mails[at].states = Some(Stated { kind, by, row });
        at
    }

    /// A moment some time after another one, in office hours.
    pub(super) fn later(&mut self, moment: i64) -> i64 {
        let after = moment + 60 * i64::from(self.rng.between(12, 200));
        let day = day_of(after);
        if after < at(day, 1030) && super::dates::is_working(day) {
            after
        } else {
            at(working_from(day_of(moment) + 1), i64::from(self.rng.between(515, 660)))
        }
    }

    /// A moment on a working day on or after this one.
    pub(super) fn some_time(&mut self, day: super::dates::Day) -> i64 {
        office(working_from(day), self.rng)
    }

    fn places(&mut self, letter: &Letter<'_>) -> Places {
        let world = &*self.world;
        let at = letter.at;
        let name = |person: usize| world.people[person].spoken(at);
        let mut places = vec![
            ("to", world.people[letter.to[0]].first.to_owned()),
            ("me", world.people[letter.from].first.to_owned()),
            ("date", spoken(working_from(day_of(at) + 9))),
            ("reviewer", name(letter.to[0])),
        ];
        let Some(case) = letter.case else { return places };
        let plan = &world.cases[case];
        let severity = plan
            .decision("severity_assessment")
            .map_or("misconduct", |at| plan.decisions[at].outcome.as_str());
        let severity = match letter.decision {
            Some(made) if made.kind.starts_with("severity") => made.outcome.as_str(),
            _ => severity,
        };
        let opposite = if severity == "misconduct" {
            "gross misconduct"
        } else {
            "misconduct"
        };
        let finding = match letter.decision {
            Some(made) if made.kind == "case_to_answer" => made.outcome.as_str(),
            _ => plan
                .decision("case_to_answer")
                .map_or("case to answer", |at| plan.decisions[at].outcome.as_str()),
        };
        let outcome = match letter.decision.map(|made| made.outcome.as_str()) {
            Some(warning) if warning.ends_with("warning") => format!("a {warning}"),
            Some(other) => other.to_owned(),
            None => "management advice".to_owned(),
        };
        places.extend([
            ("case", plan.case_ref.clone()),
            ("officer", name(plan.officer)),
            ("investigator", name(plan.investigator)),
            ("aa", name(plan.authority)),
            ("supervisor", name(plan.supervisor)),
            (
                "complainant",
                plan.complainant.map_or("the first witness".to_owned(), |person| {
                    world.people[person].full_name(at)
                }),
            ),
            ("severity", severity.to_owned()),
            ("old_severity", opposite.to_owned()),
            (
                "finding",
                if finding.starts_with("no ") {
                    finding.to_owned()
                } else {
                    format!("a {finding}")
                },
            ),
            ("outcome", outcome),
            ("relation", "known to me".to_owned()),
            ("regs", plan.governing.clone()),
        ]);
        places
    }

    /// Puts an attachment of a message on the register of documents of its case, as it is or as another version.
    pub(super) fn register(&mut self, case: usize, mail: usize, text: &str, title: &str) -> u32 {
        let (author, moment) = (self.world.mails[mail].from, self.world.mails[mail].at);
        let at = self.later(moment);
        let keeper = self.world.cases[case].supervisor;
        let row = self.world.row(at + 300, keeper);
        let no = row.no;
        self.world.cases[case].documents.push(Document {
            row,
            title: title.to_owned(),
            author,
            at,
            text: text.to_owned(),
        });
        no
    }
}

/// Lines of at most `width` columns, broken at spaces.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
