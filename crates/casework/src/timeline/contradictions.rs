//! Records of a case that do not fit together: a determination twice, a decision after the closing, a role that had ended.
//!
//! Main function: [`contradictions`]. Not for: whose mistake it is, or whether it is one. Invariant: a day without a time is read so that the
//! rows fit where any reading lets them; nothing is compared with everything, rows are grouped by what they say first.

use std::collections::{BTreeMap, HashMap};

use embley_model::record::{Record, RecordType};
use embley_store::facts::cases::case_key;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::marks::{Mark, MarkKind};
use crate::indicators::{Moment, Span};
use crate::people::Directory;
use crate::rules::RuleSet;

/// What is needed to judge records of one case.
pub(super) struct Looking<'a> {
    pub(super) people: &'a Directory,
    pub(super) zone: &'a TimeZone,
    /// Which determinations are made once, and which words mean which roles. Without rules no determination is looked at twice.
    pub(super) rules: Option<&'a RuleSet>,
}

/// Marks for records of one case, in no order.
pub(super) fn contradictions(records: &[&Record], looking: &Looking<'_>) -> Vec<Mark> {
    let of = |kind: RecordType| records.iter().copied().filter(move |one| one.key.record_type == kind);
    let mut marks = Vec::new();
    let decisions: Vec<&Record> = of(RecordType::Decision).collect();
    let mut roles: HashMap<String, Vec<&Record>> = HashMap::new();
    for role in of(RecordType::RoleAppointment) {
        roles.entry(fold(text(role, "person_id"))).or_default().push(role);
        marks.extend(looking.backwards(role, "appointed_at", "ended_at", "role"));
    }
    for case in of(RecordType::Case) {
        marks.extend(looking.backwards(case, "opened_at", "closed_at", "case"));
    }
    for party in of(RecordType::Party) {
        marks.extend(looking.backwards(party, "from", "to", "part in the case"));
    }
    marks.extend(looking.heads_apart(&of(RecordType::Case).collect::<Vec<_>>()));
    let closed = of(RecordType::Case)
        .filter_map(|case| Some((looking.moment(case, "closed_at")?, case)))
        .max_by_key(|(moment, _)| moment.latest);
    let by_id: HashMap<&str, &Record> = decisions.iter().map(|one| (one.key.record_id.as_str(), *one)).collect();
    for decision in &decisions {
        let Some(decided) = looking.moment(decision, "decided_at") else {
            continue;
        };
        if let Some((closed_at, case)) = &closed
            && closed_at.surely_before(&decided)
        {
            let sentence = format!(
                "the {} is dated {}; the case is on record as closed on {}",
                kind_of(decision),
                decided.day,
                closed_at.day
            );
            marks.push(looking.mark(MarkKind::DecidedAfterClosed, &decided, sentence, &[decision, case]));
        }
        marks.extend(looking.recorded_first(decision, &decided));
        let own = roles
            .get(&fold(text(decision, "decided_by")))
            .map_or(&[][..], Vec::as_slice);
        marks.extend(looking.role_elsewhen(decision, &decided, own));
        marks.extend(looking.replaces_later(decision, &decided, &by_id));
    }
    marks.extend(looking.twice(&decisions));
    marks
}

/// A record and its day, when it gives one.
type Dated<'r> = (Option<Moment>, &'r Record);

impl Looking<'_> {
    fn moment(&self, record: &Record, field: &str) -> Option<Moment> {
        Moment::of(&record.time(field)?, self.zone)
    }

    fn mark(&self, kind: MarkKind, at: &Moment, sentence: String, records: &[&Record]) -> Mark {
        let mut mark = Mark::new(kind, at.earliest, sentence, self.zone);
        mark.records = records.iter().map(|one| one.key.display()).collect();
        mark
    }

    fn backwards(&self, record: &Record, from: &str, until: &str, what: &str) -> Option<Mark> {
        let (start, end) = (self.moment(record, from)?, self.moment(record, until)?);
        if !end.surely_before(&start) {
            return None;
        }
        let whose = match record.text("person_id").filter(|id| !id.trim().is_empty()) {
            Some(id) => format!(" of {}", self.people.spoken(id)),
            None => String::new(),
        };
        let role = record
            .text("role")
            .or(record.text("capacity"))
            .map_or_else(String::new, |word| format!(" \"{}\"", spoken(word)));
        let sentence = format!(
            "the {what}{role}{whose} is on record as ended on {} and begun on {}",
            end.day, start.day
        );
        Some(self.mark(MarkKind::EndsBeforeItBegins, &end, sentence, &[record]))
    }

    /// Records of the case itself, of two systems, that say different things where both say something.
    fn heads_apart(&self, heads: &[&Record]) -> Vec<Mark> {
        const FIELDS: [&str; 7] = [
            "came_to_attention_at",
            "opened_at",
            "closed_at",
            "case_type",
            "schedule_3",
            "form_of_investigation",
            "governing_regime",
        ];
        let said = |record: &Record, field: &str| -> Option<String> {
            match record.time(field).and_then(|time| time.day(self.zone)) {
                Some(day) => Some(day.to_string()),
                None => match record.fields.get(field)? {
                    Value::Bool(flag) => Some(flag.to_string()),
                    other => other.as_str().filter(|text| !text.trim().is_empty()).map(spoken),
                },
            }
        };
        let mut marks = Vec::new();
        for (at, one) in heads.iter().enumerate() {
            for other in &heads[at + 1..] {
                let apart: Vec<String> = FIELDS
                    .iter()
                    .filter_map(|field| {
                        let (first, second) = (said(one, field)?, said(other, field)?);
                        (fold(&first) != fold(&second)).then(|| format!("{} {first} and {second}", spoken(field)))
                    })
                    .collect();
                let begun = ["came_to_attention_at", "opened_at"].iter();
                let moment = begun
                    .filter_map(|field| self.moment(one, field).or(self.moment(other, field)))
                    .next();
                if let Some(moment) = moment.filter(|_| !apart.is_empty()) {
                    let sentence = format!(
                        "{} and {} are records of one case and say: {}",
                        one.key.display(),
                        other.key.display(),
                        apart.join("; ")
                    );
                    marks.push(self.mark(MarkKind::CaseRecordsDiffer, &moment, sentence, &[one, other]));
                }
            }
        }
        marks
    }

    fn recorded_first(&self, decision: &Record, decided: &Moment) -> Option<Mark> {
        let recorded = self
            .moment(decision, "recorded_at")
            .filter(|at| at.surely_before(decided))?;
        let sentence = format!(
            "the {} is recorded on {} and dated {}, after that",
            kind_of(decision),
            recorded.day,
            decided.day
        );
        Some(self.mark(MarkKind::RecordedBeforeDecided, decided, sentence, &[decision]))
    }

    /// The decision-maker has appointments to the role that the decision names, and none of them may cover it.
    fn role_elsewhen(&self, decision: &Record, decided: &Moment, own: &[&Record]) -> Option<Mark> {
        let claimed = decision.text("role_claimed").filter(|word| !word.trim().is_empty())?;
        let same = |role: &&&Record| {
            let word = text(role, "role");
            fold(word) == fold(claimed)
                || self
                    .rules
                    .is_some_and(|rules| rules.deciders.is_role(&fold(claimed).replace(' ', "_"), word))
        };
        let span = |role: &Record| Span {
            from: self.moment(role, "appointed_at"),
            to: self.moment(role, "ended_at"),
        };
        let mut nearest: Option<(i64, &Record, Span)> = None;
        for role in own.iter().filter(same) {
            let span = span(role);
            if span.may_cover(decided) {
                return None;
            }
            let away = match (span.from, span.to) {
                (_, Some(to)) if to.surely_before(decided) => decided.earliest.saturating_sub(to.latest),
                (Some(from), _) => from.earliest.saturating_sub(decided.latest),
                (None, _) => continue,
            };
            if nearest.as_ref().is_none_or(|(before, _, _)| away < *before) {
                nearest = Some((away, role, span));
            }
        }
        let (_, role, span) = nearest?;
        let ended = span.to.is_some_and(|to| to.surely_before(decided));
        let kind = if ended {
            MarkKind::RoleEndedBefore
        } else {
            MarkKind::RoleBeganAfter
        };
        let sentence = format!(
            "the {} of {} is by {}; the role \"{}\" that it names is on record {}",
            kind_of(decision),
            decided.day,
            self.people.spoken(text(decision, "decided_by")),
            spoken(text(role, "role")),
            span.spoken()
        );
        Some(self.mark(kind, decided, sentence, &[decision, role]))
    }

    fn replaces_later(&self, decision: &Record, decided: &Moment, by_id: &HashMap<&str, &Record>) -> Option<Mark> {
        let named = decision.text("supersedes_decision_id")?;
        let bare = named.rsplit('/').next().unwrap_or(named);
        let other = by_id.get(named).or_else(|| by_id.get(bare))?;
        let later = self
            .moment(other, "decided_at")
            .filter(|at| decided.surely_before(at))?;
        let sentence = format!(
            "the {} of {} is on record as replacing one that is dated {}, after it",
            kind_of(decision),
            decided.day,
            later.day
        );
        Some(self.mark(MarkKind::ReplacesLater, decided, sentence, &[decision, other]))
    }

    /// Determinations that are made once for a person and stand on record again.
    fn twice(&self, decisions: &[&Record]) -> Vec<Mark> {
        let Some(rules) = self.rules else {
            return Vec::new();
        };
        let mut groups: BTreeMap<(&str, String), Vec<Dated<'_>>> = BTreeMap::new();
        for decision in decisions {
            let kind = text(decision, "decision_type");
            if !rules.settings.once.iter().any(|one| one == kind) {
                continue;
            }
            let at = self.moment(decision, "decided_at");
            let subjects = decision.list("subject_person_ids");
            let whom: Vec<String> = if subjects.is_empty() {
                vec![String::new()]
            } else {
                subjects.into_iter().map(fold).collect()
            };
            for person in whom {
                groups.entry((kind, person)).or_default().push((at, decision));
            }
        }
        let mut marks: Vec<Mark> = Vec::new();
        for ((_, person), mut rows) in groups {
            // Rows without a day come last. A pair of them has no place in time, and one that names the other as replaced says which came later.
            rows.sort_by_key(|(at, row)| (at.is_none(), *at, row.key.clone()));
            for pair in rows.windows(2) {
                let [(Some(first_at), first), (second_at, second)] = pair else {
                    continue;
                };
                if second_at.is_none()
                    && second
                        .text("supersedes_decision_id")
                        .or(first.text("supersedes_decision_id"))
                        .is_some()
                {
                    continue;
                }
                let whom = if person.is_empty() {
                    String::new()
                } else {
                    let subjects = second.list("subject_person_ids");
                    let id = subjects.into_iter().find(|id| fold(id) == person).unwrap_or(&person);
                    format!(" for {}", self.people.spoken(id))
                };
                let sentence = format!(
                    "the {}{whom} is on record of {} ({}) and {} ({})",
                    kind_of(second),
                    first_at.day,
                    outcome(first),
                    second_at.map_or_else(|| "without a day".to_owned(), |at| format!("of {}", at.day)),
                    outcome(second)
                );
                let at = second_at.as_ref().unwrap_or(first_at);
                let mut mark = self.mark(MarkKind::MadeTwice, at, sentence, &[first, second]);
                mark.on_record = why_again(second);
                marks.push(mark);
            }
        }
        marks
    }
}

/// What the later row says of why it was made again.
fn why_again(row: &Record) -> Vec<String> {
    let mut said = Vec::new();
    match row.text("supersession_basis") {
        Some(basis) if basis != "none" => said.push(format!(
            "the later row is recorded as {} {}",
            article(basis),
            spoken(basis)
        )),
        Some(_) | None => {}
    }
    if let Some(replaced) = row.text("supersedes_decision_id") {
        said.push(format!("the later row replaces {replaced}"));
    }
    said
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

fn outcome(row: &Record) -> String {
    match text(row, "outcome") {
        "" => "no outcome recorded".to_owned(),
        words => format!("\"{}\"", spoken(words)),
    }
}

fn kind_of(row: &Record) -> String {
    match text(row, "decision_type") {
        "" => "decision".to_owned(),
        kind => spoken(kind),
    }
}

fn text<'r>(record: &'r Record, field: &str) -> &'r str {
    record.text(field).unwrap_or_default()
}

fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

fn fold(word: &str) -> String {
    case_key(&word.replace(['_', '-'], " "))
}
