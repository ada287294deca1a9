//! What is due in a case when, and what is on record for it: clocks over records.
//!
//! Main function: [`clock_states`]; the rule N8 and the dip sample use it. Clocks run until the case was closed, the outcome was sent, the
//! part of whoever is told ended, or the last day of which its records speak. Invariant: a clock for whose kind of records nothing at all is loaded is not judged.

use embley_model::id::ItemNo;
use embley_model::record::RecordType;
use jiff::civil::Date;

use super::Context;
use super::draft::Weight;
use super::material::{CaseFile, Row};
use crate::rules::Clock;
use crate::rules::clocks::{Start, What};

/// What is on record for a clock that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// In time.
    InTime(Date),
    /// Later.
    Late(Date),
    /// Nothing, up to the day to which it was judged.
    Missing(Date),
}

/// One time that a clock was due.
#[derive(Clone, Debug)]
pub struct ClockState<'a> {
    /// The clock.
    pub clock: &'a Clock,
    /// For whom: id of a recipient, or empty.
    pub recipient: String,
    /// The day from which it counts.
    pub start: Date,
    /// The last day in time.
    pub due: Date,
    /// What is on record.
    pub done: Done,
    /// The row that answers it, when there is one.
    pub row: Option<&'a Row>,
    /// What explains that it was not in time: words, and whether wholly.
    pub explained: Vec<(String, Weight)>,
    /// Rows that explain it.
    pub explaining: Vec<&'a Row>,
    /// Messages that explain it; empty where mail was not looked at.
    pub messages: Vec<ItemNo>,
}

impl ClockState<'_> {
    /// True when it was not in time and nothing on record explains that wholly.
    pub fn passed(&self) -> bool {
        !matches!(self.done, Done::InTime(_)) && !self.is_explained()
    }

    /// True when something on record explains wholly that it was not in time.
    pub fn is_explained(&self) -> bool {
        self.explained.iter().any(|(_, weight)| *weight == Weight::Explains)
    }
}

/// Every time that a clock of the case was due, in the order of clocks, recipients and days.
pub fn clock_states<'a>(context: &Context<'a>, case: &'a CaseFile) -> Vec<ClockState<'a>> {
    let Some(as_at) = context.as_at.or_else(|| case.last_day(context.zone)) else {
        return Vec::new();
    };
    let governing = case.governing(&context.rules.frameworks, context.zone);
    // Clocks of Schedule 3 hold only where the case is surely under it.
    let ids: Vec<&str> = match governing {
        Some(governing) if governing.schedule_3 == Some(true) => governing.ids(),
        Some(governing) => governing.conduct.iter().map(|one| one.id.as_str()).collect(),
        None => Vec::new(),
    };
    let closed = case.head_day("closed_at", context.zone);
    let scope = Judged {
        context,
        case,
        regimes: &ids,
        end: closed.map_or(as_at, |closed| closed.min(as_at)),
        as_at,
    };
    let mut states = Vec::new();
    if context.shared.has(RecordType::Update) {
        states.extend(scope.updates());
        states.extend(scope.outcomes());
    }
    if context.shared.has(RecordType::TimelinessReport) {
        states.extend(scope.marks(What::TimelinessReport));
    }
    if context.shared.has(RecordType::Review) {
        states.extend(scope.marks(What::Review));
    }
    states
}

/// A case, and until when its clocks are judged.
struct Judged<'c, 'a> {
    context: &'c Context<'a>,
    case: &'a CaseFile,
    regimes: &'c [&'a str],
    /// Closed, or the last day known.
    end: Date,
    /// The last day known.
    as_at: Date,
}

/// Somebody who is to be told.
struct Recipient<'a> {
    id: &'a str,
    capacity: &'a str,
    from: Option<Date>,
    /// The last day of the part; `None` while one of its rows gives no end.
    to: Option<Date>,
}

impl<'a> Judged<'_, 'a> {
    fn start(&self, clock: &Clock) -> Option<Date> {
        let zone = self.context.zone;
        clock.starts.iter().find_map(|start| match start {
            Start::InvestigatorAppointedAt => {
                let roles = self.case.roles(zone);
                let deciders = &self.context.rules.deciders;
                let investigators = roles
                    .iter()
                    .filter(|held| deciders.is_role("person_investigating", held.role()));
                investigators.filter_map(|held| Some(held.span.from?.day)).min()
            }
            Start::OpenedAt => self.case.head_day("opened_at", zone),
            Start::CameToAttentionAt => self.case.head_day("came_to_attention_at", zone),
            Start::Determination | Start::DecidedAt => None,
        })
    }

    fn recipients(&self) -> Vec<Recipient<'a>> {
        let mut all: Vec<Recipient<'a>> = Vec::new();
        for row in self.case.of(RecordType::Party) {
            let (id, capacity) = (row.text("person_id"), row.text("capacity"));
            if !matches!(capacity, "complainant" | "interested_person") || id.is_empty() {
                continue;
            }
            let (from, to) = (row.day("from", self.context.zone), row.day("to", self.context.zone));
            match all.iter_mut().find(|one| one.id == id) {
                Some(known) => {
                    known.from = known.from.zip(from).map(|(one, other)| one.min(other));
                    known.to = known.to.zip(to).map(|(one, other)| one.max(other));
                }
                None => all.push(Recipient { id, capacity, from, to }),
            }
        }
        all
    }

    /// Updates or outcomes to a recipient.
    fn rows_to(&self, recipient: &Recipient<'_>, all: &[Recipient<'_>]) -> Vec<&'a Row> {
        let alone = all.iter().filter(|one| one.capacity == recipient.capacity).count() == 1;
        let is_for = |row: &&Row| {
            let text = row.text("recipient");
            let by_capacity = alone && text.trim().to_lowercase().replace(' ', "_") == recipient.capacity;
            by_capacity || self.means(text, recipient.id)
        };
        self.case.of(RecordType::Update).filter(is_for).collect()
    }

    /// True when a text means a person: the id, the name on record, or an alias. Aliases are looked through last: that takes all people.
    fn means(&self, text: &str, person: &str) -> bool {
        let people = self.context.people;
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case(person) {
            return !text.is_empty();
        }
        if people.name(person).is_some_and(|name| name.eq_ignore_ascii_case(text)) {
            return true;
        }
        people.name(text).is_none() && people.resolve(person).is(text)
    }

    fn updates(&self) -> Vec<ClockState<'a>> {
        let mut states = Vec::new();
        let zone = self.context.zone;
        let all = self.recipients();
        for clock in self.context.rules.clocks.of(What::Update) {
            let Some(start) = self.start(clock).filter(|start| clock.holds(*start, self.regimes)) else {
                continue;
            };
            for recipient in &all {
                let rows = self.rows_to(recipient, &all);
                let mut sent: Vec<(Date, &'a Row)> = rows
                    .iter()
                    .filter_map(|row| Some((row.day("sent_at", zone)?, *row)))
                    .collect();
                sent.sort_by_key(|(day, row)| (*day, row.item));
                let told = sent
                    .iter()
                    .find(|(_, row)| row.text("kind") == "outcome")
                    .map(|(day, _)| *day);
                let ends = [told, recipient.to].into_iter().flatten();
                let end = ends.fold(self.end, Date::min);
                let mut from = recipient.from.map_or(start, |from| from.max(start));
                // Each turn goes on to a later day, or ends.
                while let Some(due) = clock.due(from, &self.context.rules.holidays) {
                    let next = sent.iter().find(|(day, _)| *day > from).copied();
                    let (done, row) = match next {
                        Some((day, row)) if day <= due => (Done::InTime(day), Some(row)),
                        _ if end <= due => break,
                        Some((day, row)) if day <= end => (Done::Late(day), Some(row)),
                        Some(_) | None => (Done::Missing(end), None),
                    };
                    let until = match done {
                        Done::InTime(day) | Done::Late(day) | Done::Missing(day) => day,
                    };
                    let mut state = ClockState {
                        clock,
                        recipient: recipient.id.to_owned(),
                        start: from,
                        due,
                        done,
                        row,
                        explained: Vec::new(),
                        explaining: Vec::new(),
                        messages: Vec::new(),
                    };
                    if !matches!(done, Done::InTime(_)) {
                        self.excepted(&mut state, &rows, from, until);
                        self.other_channel(&mut state, recipient, from, due);
                    }
                    states.push(state);
                    match done {
                        Done::InTime(day) | Done::Late(day) => from = day,
                        Done::Missing(_) => break,
                    }
                }
            }
        }
        states
    }

    fn outcomes(&self) -> Vec<ClockState<'a>> {
        let mut states = Vec::new();
        let zone = self.context.zone;
        let all = self.recipients();
        for clock in self.context.rules.clocks.of(What::Outcome) {
            let decided = self
                .case
                .of(RecordType::Decision)
                .filter(|row| clock.decisions.iter().any(|word| word == row.text("decision_type")));
            let Some(start) = decided.filter_map(|row| row.day("decided_at", zone)).min() else {
                continue;
            };
            let Some(due) = clock.due(start, &self.context.rules.holidays) else {
                continue;
            };
            if !clock.holds(start, self.regimes) || self.as_at <= due {
                continue;
            }
            // Whose part ended before the determination is told nothing of it.
            for recipient in all.iter().filter(|one| one.to.is_none_or(|to| to >= start)) {
                let rows = self.rows_to(recipient, &all);
                let told = rows.iter().filter(|row| row.text("kind") == "outcome");
                let sent = told
                    .filter_map(|row| Some((row.day("sent_at", zone)?, *row)))
                    .filter(|(day, _)| *day >= start);
                let first = sent.min_by_key(|(day, row)| (*day, row.item));
                let (done, row) = match first {
                    Some((day, row)) if day <= due => (Done::InTime(day), Some(row)),
                    Some((day, row)) => (Done::Late(day), Some(row)),
                    None => (Done::Missing(self.as_at), None),
                };
                let mut state = ClockState {
                    clock,
                    recipient: recipient.id.to_owned(),
                    start,
                    due,
                    done,
                    row,
                    explained: Vec::new(),
                    explaining: Vec::new(),
                    messages: Vec::new(),
                };
                if !matches!(done, Done::InTime(_)) {
                    let outcomes: Vec<&Row> = rows
                        .iter()
                        .copied()
                        .filter(|row| row.text("kind") == "outcome")
                        .collect();
                    self.excepted(&mut state, &outcomes, start, self.as_at);
                    self.other_channel(&mut state, recipient, start, due);
                }
                states.push(state);
            }
        }
        states
    }

    /// An exception invoked between two days, or without a day.
    fn excepted(&self, state: &mut ClockState<'a>, rows: &[&'a Row], from: Date, until: Date) {
        for row in rows {
            let citation = row.text("exception_citation");
            let day = row
                .day("sent_at", self.context.zone)
                .or_else(|| row.day("due_at", self.context.zone));
            let inside = day.is_none_or(|day| from < day && day <= until.max(state.due));
            if !citation.is_empty() && inside {
                state
                    .explained
                    .push((format!("an exception is invoked: {citation}"), Weight::Explains));
                state.explaining.push(row);
            }
        }
    }

    /// An entry of the log in the time that speaks of telling somebody.
    fn other_channel(&self, state: &mut ClockState<'a>, recipient: &Recipient<'_>, from: Date, due: Date) {
        const WORDS: [&str; 8] = [
            "update",
            "phone",
            "telephone",
            "called",
            "spoke",
            "met with",
            "letter",
            "visited",
        ];
        let name = self
            .context
            .people
            .name(recipient.id)
            .unwrap_or(recipient.id)
            .to_lowercase();
        let names = [name, recipient.id.to_lowercase(), recipient.capacity.replace('_', " ")];
        for row in self.case.log_entries(self.context.zone, from, due, &WORDS) {
            let text = row.text("text").to_lowercase();
            let day = row
                .day("entry_at", self.context.zone)
                .map(|day| day.to_string())
                .unwrap_or_default();
            let named = names.iter().any(|name| text.contains(name.as_str()));
            let (weight, words) = if named {
                (
                    Weight::Explains,
                    format!("the log of {day} speaks of contact with the recipient by another channel"),
                )
            } else {
                (
                    Weight::Lowers,
                    format!("the log of {day} speaks of contact and does not say with whom"),
                )
            };
            state.explained.push((words, weight));
            state.explaining.push(row);
        }
    }

    /// Clocks that are due once each, such as reviews: a row counts for the mark up to which it was done, behind the mark before it.
    fn marks(&self, what: What) -> Vec<ClockState<'a>> {
        let zone = self.context.zone;
        let mut marks: Vec<(Date, Date, &'a Clock)> = Vec::new();
        for clock in self.context.rules.clocks.of(what) {
            let Some(start) = self.start(clock) else {
                continue;
            };
            let Some(due) = clock.due(start, &self.context.rules.holidays) else {
                continue;
            };
            // Regulations govern by the day on which a matter began; a practice of the force holds for whatever is due while it lasts.
            let counts = if what == What::Review { due } else { start };
            if clock.holds(counts, self.regimes) && due < self.end {
                marks.push((due, start, clock));
            }
        }
        marks.sort_by_key(|(due, _, _)| *due);
        let (kind, field) = match what {
            What::Review => (RecordType::Review, "completed_at"),
            What::TimelinessReport | What::Update | What::Outcome | What::Recording => {
                (RecordType::TimelinessReport, "sent_at")
            }
        };
        let counts = |row: &&Row| {
            kind != RecordType::Review || matches!(row.text("review_kind"), "supervisory" | "timeliness" | "")
        };
        let rows = self.case.of(kind).filter(counts);
        let mut done: Vec<(Date, &'a Row)> = rows.filter_map(|row| Some((row.day(field, zone)?, row))).collect();
        done.sort_by_key(|(day, row)| (*day, row.item));
        let mut states = Vec::new();
        for (at, (due, start, clock)) in marks.iter().enumerate() {
            let after = if at == 0 { *start } else { marks[at - 1].0 };
            let next = marks.get(at + 1).map(|(due, _, _)| *due);
            let found = done
                .iter()
                .find(|(day, _)| *day > after && next.is_none_or(|next| *day <= next));
            let (done, row) = match found {
                Some((day, row)) if day <= due => (Done::InTime(*day), Some(*row)),
                // One that lies between this mark and the next is this one's, late; it is the next one's too, in time.
                Some((day, row)) => (Done::Late(*day), Some(*row)),
                None => (Done::Missing(next.map_or(self.end, |next| next.min(self.end))), None),
            };
            states.push(ClockState {
                clock,
                recipient: String::new(),
                start: *start,
                due: *due,
                done,
                row,
                explained: Vec::new(),
                explaining: Vec::new(),
                messages: Vec::new(),
            });
        }
        states
    }
}
