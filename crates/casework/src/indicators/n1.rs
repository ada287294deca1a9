//! N1: a decision that mail states and no record holds; and a decision on record of which mail has no trace.
//!
//! Statements are sentences that `decision-phrases.toml` finds in an author's own text. Look-alikes: a draft, proposal, supposition,
//! discussion or denial (explained, with the pattern that says so); quoted or repeated text (not read at all); a formal record within the days of
//! `indicators.toml` (nothing is raised; a row about other people than a sentence names by their last name is no record of it), later (explained when the sender decided it and it is not long after, else lowers twice); a decision that is made together with it is on record (explained). The other
//! way round: mail of the decision-maker that names the case and that no pattern reads as another decision (explained when it speaks of such a
//! decision or comes within three days, else lowers);
//! no mail of theirs from those weeks is held (explained). People decide by word of mouth too: a record without mail has medium confidence at most.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::id::ItemNo;
use embley_model::record::RecordType;
use jiff::ToSpan;
use jiff::civil::Date;

use super::case_mail::{CaseMail, Message, Said};
use super::draft::{Confidence, Draft, Weight};
use super::material::{CaseFile, Row, holds};
use super::moment::Moment;
use super::{Context, Mail, Rule};
use crate::error::Result;
use crate::rules::phrases::{Says, Turn};

/// Days around a decision in which a decision-maker's mail is expected to be held, when any is.
const SCOPE_DAYS: i64 = 60;
/// Days around a decision in which other mail of the decision-maker may be about it.
const NEAR_BEFORE: i64 = 1;
const NEAR_AFTER: i64 = 7;
/// Days after a decision in which such mail is taken to be about it, whatever its words.
const SAYS_DAYS: i64 = 3;
/// Longest sentence shown, in characters.
const SHOWN: usize = 240;

/// See the module.
pub(super) struct Stated;

impl Rule for Stated {
    fn id(&self) -> &'static str {
        "N1"
    }

    fn reads_mail(&self) -> bool {
        true
    }

    fn in_case(&self, context: &Context<'_>, case: &CaseFile) -> Result<Vec<Draft>> {
        let Some(mail) = context.mail else {
            return Ok(Vec::new());
        };
        let of_case = case.mail(context, mail)?;
        let said = of_case.said(context, mail, |says| matches!(says, Says::Decision(_)))?;
        let view = View {
            context,
            case,
            said: &said,
            recorded: recorded(context, case),
            officers: last_names(context, case),
        };
        let mut drafts = view.without_record();
        drafts.extend(view.without_mail(mail, of_case)?);
        Ok(drafts)
    }
}

/// A decision on record.
struct Recorded<'c> {
    row: &'c Row,
    kind: &'c str,
    moment: Moment,
}

fn recorded<'c>(context: &Context<'_>, case: &'c CaseFile) -> Vec<Recorded<'c>> {
    let rows = case.of(RecordType::Decision);
    let of = |row: &'c Row| {
        Some(Recorded {
            kind: row.text("decision_type"),
            moment: row.moment("decided_at", context.zone)?,
            row,
        })
    };
    rows.filter_map(of).collect()
}

/// What is compared with what.
struct View<'v, 'c> {
    context: &'v Context<'v>,
    case: &'c CaseFile,
    said: &'v [Said<'c, 'v>],
    recorded: Vec<Recorded<'c>>,
    /// Those whom the case concerns, with their last names in lower case.
    officers: Vec<(&'c str, String)>,
}

fn last_names<'c>(context: &Context<'_>, case: &'c CaseFile) -> Vec<(&'c str, String)> {
    let all = case.officers_concerned().into_iter();
    all.filter_map(|id| Some((id, words(context.people.name(id)?).last()?)))
        .collect()
}

/// Words of letters and digits, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let all = text.split(|one: char| !one.is_alphanumeric());
    all.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

fn days(from: Date, to: Date) -> i64 {
    from.until(to).map_or(i64::MAX, |span| i64::from(span.get_days()))
}

fn moved(day: Date, by: i64) -> Date {
    day.checked_add(by.days()).unwrap_or(day)
}

fn decision_of<'s>(said: &'s Said<'_, '_>) -> &'s str {
    match &said.phrase.pattern.says {
        Says::Decision(kind) => kind,
        _ => "",
    }
}

/// True for what stands as a statement: nothing makes something else of it.
fn is_plain(said: &Said<'_, '_>) -> bool {
    said.phrase.turned.is_empty()
}

fn shown(sentence: &str) -> String {
    if sentence.chars().count() <= SHOWN {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(SHOWN).collect();
    format!("{cut}\u{2026}")
}

impl<'c> View<'_, 'c> {
    fn record_days(&self) -> i64 {
        i64::from(self.context.rules.settings.mail.record_days)
    }

    /// True when a decision of this type, about whoever is named, is on record by then, or within the days in which a formal record is expected.
    fn on_record(&self, said: &Said<'_, '_>, day: Date) -> bool {
        let last = moved(day, self.record_days());
        self.recorded.iter().any(|one| {
            one.kind == decision_of(said) && one.moment.day <= last && self.may_concern(one.row, &said.phrase.sentence)
        })
    }

    /// The record of a decision that is made together with this one, near the day.
    fn linked_near(&self, kind: &str, day: Date) -> Option<&Recorded<'c>> {
        let linked = self.context.rules.phrases.linked_with(kind);
        self.recorded.iter().find(|one| {
            linked.contains(&one.kind) && one.kind != kind && days(day, one.moment.day).abs() <= self.record_days()
        })
    }

    /// Messages that state a decision of which none is on record.
    fn without_record(&self) -> Vec<Draft> {
        let mut by_message: BTreeMap<(Option<Moment>, ItemNo), Vec<&Said<'c, '_>>> = BTreeMap::new();
        for said in self.said {
            let key = (said.message.at, said.message.item());
            by_message.entry(key).or_default().push(said);
        }
        let mut drafts = Vec::new();
        for ((at, _), all) in by_message {
            let Some(at) = at else {
                drafts.extend(self.undated(&all));
                continue;
            };
            // A sentence that states a decision recorded in those days says that one, however else it may be read.
            let near: BTreeSet<&str> = all
                .iter()
                .filter(|one| self.is_near(one, at.day))
                .map(|one| one.phrase.sentence.as_str())
                .collect();
            let open: Vec<&&Said<'c, '_>> = all
                .iter()
                .filter(|one| !near.contains(one.phrase.sentence.as_str()) && !self.on_record(one, at.day))
                .collect();
            let plain: Vec<&&Said<'c, '_>> = open.iter().copied().filter(|one| is_plain(one)).collect();
            if !plain.is_empty() {
                drafts.push(self.stated(&plain, at));
            } else if !open.is_empty() {
                drafts.push(self.turned(&open, at));
            }
        }
        drafts
    }

    fn is_near(&self, said: &Said<'_, '_>, day: Date) -> bool {
        let near = |one: &Recorded<'_>| {
            one.kind == decision_of(said)
                && days(day, one.moment.day).abs() <= self.record_days()
                && self.may_concern(one.row, &said.phrase.sentence)
        };
        self.recorded.iter().any(near)
    }

    /// False when a sentence names people whom the case concerns and a row is recorded about other people only.
    fn may_concern(&self, row: &Row, sentence: &str) -> bool {
        let subjects = row.record.list("subject_person_ids");
        let words: BTreeSet<String> = words(sentence).collect();
        let named: Vec<&str> = self
            .officers
            .iter()
            .filter(|(_, name)| words.contains(name))
            .map(|(id, _)| *id)
            .collect();
        subjects.is_empty() || named.is_empty() || named.iter().any(|id| subjects.contains(id))
    }

    /// A draft for statements of one message.
    fn base(&self, all: &[&&Said<'c, '_>], at: Option<Moment>) -> Option<Draft> {
        let first = all.first()?;
        let kinds: BTreeSet<&str> = all.iter().map(|one| decision_of(one)).collect();
        let kinds: Vec<String> = kinds.into_iter().map(|one| one.replace('_', " ")).collect();
        let message = first.message;
        let sender = message
            .sender
            .as_ref()
            .map_or_else(|| "somebody".to_owned(), |one| one.spoken(self.context));
        let (of, until) = match at {
            Some(at) => (
                format!("a message of {}", at.day),
                format!(" by then or in the {} days after", self.record_days()),
            ),
            None => ("a message without a date".to_owned(), String::new()),
        };
        let mut draft = Draft::sentence(
            Some(&self.case.case_ref),
            &format!(
                "{of} from {sender} has words that state a decision in case {} ({}), and no such decision is on record{until}",
                self.case.case_ref,
                kinds.join(" or "),
            ),
        )
        .about("stated")
        .about(&message.name)
        .item(message.item())
        .person(message.sender.as_ref().and_then(|one| one.person.as_deref()).unwrap_or_default());
        let mut sentences: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for one in all {
            sentences
                .entry(&one.phrase.sentence)
                .or_default()
                .insert(&one.phrase.pattern.id);
        }
        for (sentence, patterns) in sentences {
            let patterns: Vec<&str> = patterns.into_iter().collect();
            draft = draft.speaks_for(format!("\"{}\" (pattern {})", shown(sentence), patterns.join(", ")));
        }
        let others: BTreeSet<&str> = self
            .recorded
            .iter()
            .filter(|one| {
                all.iter()
                    .any(|said| decision_of(said) == one.kind && !self.may_concern(one.row, &said.phrase.sentence))
            })
            .map(|one| one.row.text("decision_type"))
            .collect();
        if !others.is_empty() {
            draft =
                draft.speaks_for("the decisions of this type on record are about other people than the sentence names");
        }
        Some(draft)
    }

    /// A row of this type, about whoever is named, that gives no day.
    fn without_day(&self, said: &Said<'_, '_>) -> Option<&'c Row> {
        self.case.of(RecordType::Decision).find(|row| {
            row.text("decision_type") == decision_of(said)
                && row.time("decided_at").is_none()
                && self.may_concern(row, &said.phrase.sentence)
        })
    }

    /// Messages without a date: what no record holds at any time.
    fn undated(&self, all: &[&Said<'c, '_>]) -> Option<Draft> {
        let held = |said: &Said<'_, '_>| {
            let same =
                |one: &Recorded<'_>| one.kind == decision_of(said) && self.may_concern(one.row, &said.phrase.sentence);
            self.recorded.iter().any(same) || self.without_day(said).is_some()
        };
        let open: Vec<&&Said<'c, '_>> = all.iter().filter(|one| !held(one)).collect();
        let plain: Vec<&&Said<'c, '_>> = open.iter().copied().filter(|one| is_plain(one)).collect();
        if plain.is_empty() {
            return None;
        }
        let draft = self.base(&plain, None)?.base(Confidence::Medium).against(
            Weight::Open,
            "the message has no date that can be read, so that nothing is said of when it was sent",
        );
        Some(draft.not_searchable("messages whose text cannot be read, and what was said in words that no pattern of decision-phrases.toml knows"))
    }

    fn stated(&self, plain: &[&&Said<'c, '_>], at: Moment) -> Draft {
        let Some(mut draft) = self.base(plain, Some(at)) else {
            return Draft::sentence(Some(&self.case.case_ref), "nothing is stated")
                .against(Weight::Explains, "nothing");
        };
        let mut kinds: BTreeSet<&str> = plain.iter().map(|one| decision_of(one)).collect();
        // What is said together with a recorded decision is part of it, unless something else is said too.
        let linked: BTreeMap<&str, &Recorded<'c>> = kinds
            .iter()
            .filter_map(|kind| Some((*kind, self.linked_near(kind, at.day)?)))
            .collect();
        if linked.len() == kinds.len() {
            for (kind, one) in &linked {
                draft = draft.record(one.row).against(
                    Weight::Explains,
                    format!(
                        "{} is on record for {}, a decision that is made together with {}",
                        one.kind.replace('_', " "),
                        one.moment.day,
                        kind.replace('_', " ")
                    ),
                );
            }
        }
        kinds.retain(|kind| !linked.contains_key(kind));
        let later = self
            .recorded
            .iter()
            .filter(|one| {
                kinds.contains(one.kind)
                    && plain
                        .iter()
                        .any(|said| self.may_concern(one.row, &said.phrase.sentence))
                    && !one.moment.surely_before(&at)
            })
            .min_by_key(|one| one.moment);
        if let Some(later) = later {
            let words = format!(
                "a decision of this type is on record for {}, {} days later: a formal record of it, or a decision that was only being prepared",
                later.moment.day,
                days(at.day, later.moment.day)
            );
            draft = draft.record(later.row);
            draft = if self.is_formal_record(plain, later, at) {
                draft.against(Weight::Explains, words)
            } else {
                draft
                    .against(Weight::Lowers, words)
                    .against(Weight::Lowers, "until then nothing else of this type is on record")
            };
        }
        if let Some(row) = plain.iter().find_map(|said| self.without_day(said)) {
            draft = draft.record(row).against(
                Weight::Lowers,
                "a decision of this type is on record without a day; it may be the one that is meant",
            );
        }
        if let Some(words) = self.not_of_the_decider(plain, &kinds, at) {
            draft = draft.against(Weight::Lowers, words);
        }
        if plain.iter().all(|one| one.unsure_case) {
            draft = draft.against(
                Weight::Lowers,
                "the message names several cases, and the sentence does not say which it means",
            );
        }
        draft
            .against(
                Weight::Open,
                "the words may report what somebody else decided, or be recorded elsewhere under another name",
            )
            .not_searchable("messages whose text cannot be read, and what was said in words that no pattern of decision-phrases.toml knows")
    }

    /// True when the sender decided it on record within the days in which that counts as the formal record of what was said.
    fn is_formal_record(&self, plain: &[&&Said<'c, '_>], later: &Recorded<'_>, at: Moment) -> bool {
        let within = i64::from(self.context.rules.settings.mail.later_record_days);
        let sender = plain
            .first()
            .and_then(|one| one.message.sender.as_ref()?.person.as_deref());
        let by = self.context.people.resolve(later.row.text("decided_by"));
        days(at.day, later.moment.day) <= within && sender.is_some_and(|sender| by.is(sender))
    }

    /// Words when none of the senders held the role that makes such a decision.
    fn not_of_the_decider(&self, plain: &[&&Said<'c, '_>], kinds: &BTreeSet<&str>, at: Moment) -> Option<String> {
        let governing = self.case.governing(&self.context.rules.frameworks, self.context.zone)?;
        let ids = governing.ids();
        let kind = governing.kind(&ids, self.case.head());
        let roles = self.case.roles(self.context.zone);
        let deciders = &self.context.rules.deciders;
        let sender = plain.first()?.message.sender.as_ref()?;
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        for decision in kinds {
            let line = deciders.decider(decision, kind)?;
            if let Some(person) = &sender.person
                && holds(&roles, deciders, person, &line.who, &at).is_some()
            {
                return None;
            }
            wanted.insert(line.who.as_str());
        }
        if wanted.is_empty() {
            return None;
        }
        let wanted: Vec<String> = wanted.into_iter().map(|one| one.replace('_', " ")).collect();
        Some(format!(
            "the sender holds no role on record that day as {}, who decides this: it may be a report",
            wanted.join(" or ")
        ))
    }

    /// A draft for sentences of which something makes something else.
    fn turned(&self, open: &[&&Said<'c, '_>], at: Moment) -> Draft {
        let Some(mut draft) = self.base(open, Some(at)) else {
            return Draft::sentence(Some(&self.case.case_ref), "nothing is stated")
                .against(Weight::Explains, "nothing");
        };
        let mut words: BTreeSet<(Turn, &str)> = BTreeSet::new();
        for pattern in open.iter().flat_map(|one| &one.phrase.turned) {
            if let Says::Turn(turn, _) = &pattern.says {
                words.insert((*turn, pattern.id.as_str()));
            }
        }
        for (turn, pattern) in words {
            draft = draft.against(
                Weight::Explains,
                format!("it reads as a {} (pattern {pattern})", turn.word()),
            );
        }
        draft
    }

    /// Decisions on record of which no mail has a trace.
    fn without_mail(&self, mail: Mail<'_>, of_case: &'c CaseMail) -> Result<Vec<Draft>> {
        let silent: Vec<&Recorded<'c>> = self.recorded.iter().filter(|one| !self.is_said(one)).collect();
        let mut drafts = Vec::new();
        for one in &silent {
            if one.kind.is_empty() || one.row.text("decided_by").is_empty() {
                continue;
            }
            drafts.push(self.silent(mail, of_case, one, silent.len() * 2 > self.recorded.len())?);
        }
        Ok(drafts)
    }

    fn is_said(&self, decision: &Recorded<'_>) -> bool {
        let settings = &self.context.rules.settings.mail;
        let day = decision.moment.day;
        let linked = self.context.rules.phrases.linked_with(decision.kind);
        let by = decision.row.text("decided_by");
        self.said.iter().any(|said| {
            let Some(at) = said.message.at else { return false };
            let gap = days(day, at.day);
            let kind = decision_of(said);
            let in_time = gap >= -i64::from(settings.trace_before_days) && gap <= i64::from(settings.trace_after_days);
            let same = kind == decision.kind && in_time;
            let together = linked.contains(&kind) && said.message.is_from(by) && (0..=2).contains(&gap);
            same || together
        })
    }

    fn silent(&self, mail: Mail<'_>, of_case: &'c CaseMail, decision: &Recorded<'c>, often: bool) -> Result<Draft> {
        let settings = &self.context.rules.settings.mail;
        let by = decision.row.text("decided_by");
        let day = decision.moment.day;
        let (from, to) = (
            moved(day, -i64::from(settings.trace_before_days)),
            moved(day, i64::from(settings.trace_after_days)),
        );
        let mut draft = Draft::sentence(
            Some(&self.case.case_ref),
            &format!(
                "the decision {} of {day} by {} in case {} is on record, and no mail that names the case from {from} to {to} was found to say it",
                decision.kind.replace('_', " "),
                self.context.people.spoken(by),
                self.case.case_ref
            ),
        )
        .about("silent")
        .input(decision.row)
        .person(by)
        .base(Confidence::Medium);
        let around = of_case.between(from, to).count();
        draft = draft.speaks_for(match around {
            0 => "no mail that names the case is held from those days".to_owned(),
            1 => {
                "1 message that names the case is held from those days; no pattern finds the decision in it".to_owned()
            }
            count => format!(
                "{count} messages that name the case are held from those days; no pattern finds the decision in them"
            ),
        });
        for message in self.unread_of(of_case, decision) {
            let abouts: Vec<usize> = self
                .context
                .rules
                .phrases
                .that(|says| matches!(says, Says::About(kind) if kind == decision.kind))
                .map(|(place, _)| place)
                .collect();
            let own = message.own(mail);
            let found = self
                .context
                .rules
                .phrases
                .found_in(&message.row.subject, own, &abouts)
                .into_iter()
                .next();
            draft = draft.item(message.item());
            draft = match found {
                Some(found) => draft.against(
                    Weight::Explains,
                    format!(
                        "a message of theirs of {} speaks of such a decision: \"{}\"",
                        message.day(),
                        shown(&found.sentence)
                    ),
                ),
                None => draft.against(
                    if message.at.is_some_and(|at| days(day, at.day) <= SAYS_DAYS) {
                        Weight::Explains
                    } else {
                        Weight::Lowers
                    },
                    format!(
                        "a message of theirs of {} that names the case says something that no pattern reads as another decision",
                        message.day()
                    ),
                ),
            };
        }
        if often {
            draft = draft.against(
                Weight::Lowers,
                "of most decisions in this case no mail is held that says them",
            );
        }
        if !self.is_in_scope(mail, by, day)? {
            draft = draft.against(
                Weight::Explains,
                format!("no mail that they sent is held from the {SCOPE_DAYS} days before and after: another scope of mail or dates"),
            );
        }
        Ok(draft
            .against(
                Weight::Open,
                "it may have been said by word of mouth, by another way of writing, or in words that no pattern knows",
            )
            .not_searchable("mailboxes that were not taken in, messages whose text cannot be read, and mail that does not name the case"))
    }

    /// Messages of the decision-maker from the days of a decision that no other recorded decision accounts for.
    fn unread_of(&self, of_case: &'c CaseMail, decision: &Recorded<'_>) -> Vec<&'c Message> {
        let day = decision.moment.day;
        let by = decision.row.text("decided_by");
        let others = |message: &Message| {
            self.said.iter().any(|said| {
                said.message.item() == message.item() && message.at.is_some_and(|at| self.is_near(said, at.day))
            })
        };
        // What comes after a later decision of the same person is about that one.
        let of_later = |message: &Message| {
            message.at.is_some_and(|at| {
                self.recorded.iter().any(|one| {
                    one.row.text("decided_by") == by
                        && decision.moment.surely_before(&one.moment)
                        && one.moment.may_be_by(&at)
                })
            })
        };
        of_case
            .between(moved(day, -NEAR_BEFORE), moved(day, NEAR_AFTER))
            .filter(|message| message.is_from(by) && !others(message) && !of_later(message))
            .collect()
    }

    /// True when any mail that somebody sent around a day is held.
    fn is_in_scope(&self, mail: Mail<'_>, person: &str, day: Date) -> Result<bool> {
        let Some(person) = self.context.people.people().by_id(person) else {
            return Ok(false);
        };
        let mut names: BTreeSet<String> = person
            .entries
            .iter()
            .filter(|entry| entry.kind != "initials")
            .map(|entry| entry.value.clone())
            .collect();
        names.extend(person.name.clone());
        let asked: Vec<String> = names
            .iter()
            .filter(|name| name.chars().any(char::is_alphanumeric))
            .map(|name| format!("from:\"{}\"", name.replace(['"', '\\', '*', '?'], " ")))
            .collect();
        if asked.is_empty() {
            return Ok(false);
        }
        let query = format!(
            "({}) AND date:{}..{}",
            asked.join(" OR "),
            moved(day, -SCOPE_DAYS),
            moved(day, SCOPE_DAYS)
        );
        Ok(!mail.index.items(mail.searcher, &query)?.is_empty())
    }
}
