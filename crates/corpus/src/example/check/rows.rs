//! N2 to N9 and N12: what the rows of a case and the registers say.

use super::super::cases::{REVIEW_DAYS, reviews_from, year_after};
use super::super::dates::{day_of, working_days_between};
use super::super::law::{CaseKind, Era};
use super::super::plan::{CasePlan, Decision, Entry, Home, World};
use super::{Issue, Reading};

const AUTHORITY: [&str; 2] = ["appropriate_authority", "appropriate_authority_delegate"];

/// Adds what it finds.
pub(super) fn find(world: &World, reading: Reading, issues: &mut Vec<Issue>) {
    let is_hasty = reading == Reading::Hasty;
    for at in 0..world.cases.len() {
        let mut check = Check {
            world,
            at,
            is_hasty,
            issues,
        };
        check.deciders();
        check.roles();
        check.conflicts();
        check.framework();
        check.twice();
        check.consultation();
        check.updates();
        check.reviews();
        check.recording();
    }
    registers(world, is_hasty, issues);
}

struct Check<'a> {
    world: &'a World,
    at: usize,
    /// No explanation counts.
    is_hasty: bool,
    issues: &'a mut Vec<Issue>,
}

impl Check<'_> {
    fn case(&self) -> &CasePlan {
        &self.world.cases[self.at]
    }

    fn raise(&mut self, rule: &'static str, rows: Vec<u32>, mails: Vec<usize>, what: String) {
        self.issues.push(Issue {
            rule,
            case: Some(self.at),
            rows,
            mails,
            what,
        });
    }

    /// N2: whoever decides holds a role that decides this.
    fn deciders(&mut self) {
        let case = self.case();
        let needed = |made: &Decision| -> &[&str] {
            match made.kind {
                "severity_assessment" if case.kind == CaseKind::Recordable => &["director_general_delegate"],
                "special_requirements" => &["investigator"],
                "severity_assessment" | "severity_revision" if case.kind.schedule_3() => &["investigator"],
                "misconduct_outcome" => &["chair"],
                _ => &AUTHORITY,
            }
        };
        let wrong: Vec<(u32, &'static str)> = case
            .decisions
            .iter()
            .filter(|made| {
                let is_usual = [case.authority, case.investigator, case.chair].contains(&made.decided_by);
                !case.holds(made.decided_by, needed(made), made.decided_at) || (self.is_hasty && !is_usual)
            })
            .map(|made| (made.row.no, made.kind))
            .collect();
        for (row, kind) in wrong {
            self.raise(
                "N2",
                vec![row],
                Vec::new(),
                format!("{kind} by somebody without the role"),
            );
        }
    }

    /// N3: no two roles at one time that exclude one another.
    fn roles(&mut self) {
        const APART: [(&str, &str); 8] = [
            ("investigator", "appropriate_authority"),
            ("investigator", "appropriate_authority_delegate"),
            ("line_manager", "appropriate_authority_delegate"),
            ("reviewer", "appropriate_authority_delegate"),
            ("investigator", "supervisor"),
            ("investigator", "chair"),
            ("chair", "appropriate_authority_delegate"),
            ("supervisor", "appropriate_authority_delegate"),
        ];
        let case = self.case();
        let mut wrong = Vec::new();
        for one in &case.roles {
            for other in &case.roles {
                let is_apart = APART.contains(&(one.role, other.role));
                let overlap = one.from.max(other.from) <= one.to.min(other.to);
                if one.person != other.person || !is_apart || !overlap {
                    continue;
                }
                let decides_while = |from: i64, to: i64| {
                    case.decisions
                        .iter()
                        .any(|made| made.decided_by == one.person && (from..=to).contains(&made.decided_at))
                };
                let is_cover = other.acting && !decides_while(other.from, other.to);
                let is_tasked = one.role == "reviewer"
                    && one.terms.is_some()
                    && case
                        .reviews
                        .iter()
                        .any(|review| review.kind == "tasked" && review.terms == one.terms)
                    && !decides_while(one.from, one.to);
                if self.is_hasty || (!is_cover && !is_tasked) {
                    wrong.push((
                        vec![one.row.no, other.row.no],
                        format!("{} and {}", one.role, other.role),
                    ));
                }
            }
        }
        for (rows, what) in wrong {
            self.raise("N3", rows, Vec::new(), what);
        }
    }

    /// N4: whoever decides has nothing to do with the officer, or has declared it before; and what was declared is on record.
    fn conflicts(&mut self) {
        let case = self.case();
        let mut wrong = Vec::new();
        for made in &case.decisions {
            let (person, day) = (made.decided_by, day_of(made.decided_at));
            let mut own = case
                .declarations
                .iter()
                .filter(|one| one.person == person && one.other == Some(case.officer));
            let declared = own.clone().any(|one| one.at <= made.decided_at);
            let is_late = self.is_hasty && own.any(|one| one.row.recorded_at > made.decided_at);
            if is_late || (self.related(person, case.officer, day) && !declared) {
                wrong.push((vec![made.row.no], Vec::new(), "a relation without a declaration"));
            }
        }
        for (at, mail) in self.world.mails.iter().enumerate() {
            let is_declaration = mail.kind == "declaration" && mail.case == Some(self.at);
            let is_recorded = case
                .declarations
                .iter()
                .any(|one| one.person == mail.from && one.other.is_some() && day_of(one.at) == day_of(mail.at));
            if is_declaration && !is_recorded {
                wrong.push((Vec::new(), vec![at], "a declaration in mail that is not on record"));
            }
        }
        for (rows, mails, what) in wrong {
            self.raise("N4", rows, mails, what.to_owned());
        }
    }

    fn related(&self, person: usize, officer: usize, day: i64) -> bool {
        let people = &self.world.people;
        let at = super::super::dates::at(day, 720);
        let manages = people[officer].manager(at) == Some(person) || people[person].manager(at) == Some(officer);
        let unit = |one: usize| {
            let postings = people[one].postings.iter();
            postings
                .filter(|(_, from, to)| *from <= day && to.is_none_or(|to| day <= to))
                .map(|(unit, _, _)| *unit)
                .next()
        };
        let same_team = unit(person).is_some() && unit(person) == unit(officer);
        let associated = self.world.registers.iter().any(|register| match &register.entry {
            Entry::Association {
                person: one,
                other,
                from,
                to,
                ..
            } => {
                let pair = [*one, *other];
                let is_pair = pair == [person, officer] || pair == [officer, person];
                is_pair && *from <= day && (self.is_hasty || to.is_none_or(|to| day <= to))
            }
            _ => false,
        });
        manages || same_team || associated
    }

    /// N5: regulations and notices are those of the day of attention, or of an earlier linked matter still being handled.
    fn framework(&mut self) {
        let case = self.case();
        let mut era = Era::of(day_of(case.attention_at));
        if case
            .governing_basis
            .as_deref()
            .is_some_and(|basis| !self.is_hasty && basis.contains("reg 2(2)(b)"))
        {
            let earlier = case.linked.iter().map(|at| &self.world.cases[*at]).find(|other| {
                other.attention_at < case.attention_at
                    && other.closed_at > case.attention_at
                    && other.officer == case.officer
            });
            era = earlier.map_or(era, |other| Era::of(day_of(other.attention_at)));
        }
        let mut rows = Vec::new();
        if case.governing != era.governing(case.kind) {
            rows.push(case.row.no);
        }
        for made in &case.decisions {
            if made.regulations != era.cited(made.kind, case.kind).0 {
                rows.push(made.row.no);
            }
        }
        for notice in &case.notices {
            if notice.kind != era.notice(case.kind) {
                rows.push(notice.row.no);
            }
        }
        if !rows.is_empty() {
            self.raise("N5", rows, Vec::new(), format!("not the regulations of {era:?}"));
        }
    }

    /// N6: a decision of one kind is made once, or the later one says which it replaces and why.
    fn twice(&mut self) {
        let case = self.case();
        let mut wrong = Vec::new();
        for (at, later) in case.decisions.iter().enumerate() {
            for earlier in case.decisions[..at].iter().filter(|earlier| earlier.kind == later.kind) {
                let is_replaced = match later.supersedes {
                    Some((no, "appeal")) => {
                        let appeal = |review: &super::super::plan::Review| {
                            review.kind == "appeal" && review.completed_at < later.decided_at
                        };
                        no == earlier.row.no && case.reviews.iter().any(appeal)
                    }
                    Some((no, _)) => no == earlier.row.no,
                    None => false,
                };
                if !is_replaced || self.is_hasty {
                    wrong.push((vec![earlier.row.no, later.row.no], later.kind));
                }
            }
        }
        for (rows, kind) in wrong {
            self.raise("N6", rows, Vec::new(), format!("{kind} twice"));
        }
    }

    /// N7: severity is revised after a consultation that the row, the log or mail shows.
    fn consultation(&mut self) {
        let case = self.case();
        let mut wrong = Vec::new();
        for made in case.decisions.iter().filter(|made| made.kind == "severity_revision") {
            let in_log = case
                .logs
                .iter()
                .any(|log| log.category == "consultation" && log.at < made.decided_at);
            let in_mail = self
                .world
                .mails
                .iter()
                .any(|mail| mail.consults == Some(made.row.no) && mail.at < made.decided_at);
            if made.consulted.is_empty() && (self.is_hasty || (!in_log && !in_mail)) {
                wrong.push(made.row.no);
            }
        }
        for row in wrong {
            self.raise("N7", vec![row], Vec::new(), "no consultation".to_owned());
        }
    }

    /// N8: updates every four weeks until the last decision, the outcome within five working days.
    fn updates(&mut self) {
        let case = self.case();
        let Some(complainant) = case.complainant else { return };
        let sent = case.updates.iter().filter(|update| update.kind == "update");
        let mut touched: Vec<i64> = sent
            .filter_map(|update| match (update.sent_at, update.exception) {
                (Some(sent_at), _) => Some(day_of(sent_at)),
                (None, Some(_)) if !self.is_hasty => Some(update.due),
                (None, _) => None,
            })
            .collect();
        let (logs, mails) = if self.is_hasty {
            ([].iter(), [].iter())
        } else {
            (case.logs.iter(), self.world.mails.iter())
        };
        touched.extend(logs.filter(|log| log.category == "contact").map(|log| day_of(log.at)));
        touched.extend(
            mails
                .filter(|mail| {
                    mail.case == Some(self.at) && mail.kind == "update_mail" && mail.to.contains(&complainant)
                })
                .map(|mail| day_of(mail.at)),
        );
        touched.sort_unstable();
        let last = case.decisions.last().map_or(0, |made| day_of(made.decided_at));
        let mut previous = day_of(case.attention_at);
        let mut gap = 0;
        for day in touched.into_iter().chain([last]) {
            gap = gap.max(day - previous);
            previous = previous.max(day);
        }
        let outcomes: Vec<_> = case.updates.iter().filter(|update| update.kind == "outcome").collect();
        let ends = ["case_to_answer", "no_further_action", "misconduct_outcome"];
        let late: Vec<u32> = case
            .decisions
            .iter()
            .filter(|made| ends.contains(&made.kind))
            .filter(|made| {
                let decided = day_of(made.decided_at);
                !outcomes.iter().any(|update| {
                    update.sent_at.is_some_and(|sent_at| {
                        sent_at > made.decided_at && working_days_between(decided, day_of(sent_at)) <= 5
                    })
                })
            })
            .map(|made| made.row.no)
            .collect();
        let row = case.row.no;
        let outcome_rows: Vec<u32> = outcomes.iter().map(|update| update.row.no).collect();
        if gap > 28 {
            self.raise("N8", vec![row], Vec::new(), format!("{gap} days without an update"));
        }
        if !late.is_empty() {
            self.raise("N8", outcome_rows, Vec::new(), "the outcome was told late".to_owned());
        }
    }

    /// N8: reviews, and the report after a year.
    fn reviews(&mut self) {
        let case = self.case();
        let (attention, closed) = (day_of(case.attention_at), day_of(case.closed_at));
        let mut wrong = Vec::new();
        for days in REVIEW_DAYS {
            let due = attention + days;
            let made = case
                .reviews
                .iter()
                .find(|review| review.kind == "supervisory" && review.due == due);
            let is_met = made.is_some_and(|review| day_of(review.completed_at) <= due);
            if due >= reviews_from() && due < closed && !is_met {
                wrong.push((
                    made.map_or(case.row.no, |review| review.row.no),
                    format!("review of {days} days"),
                ));
            }
        }
        let due = year_after(attention);
        if closed > due && !case.reports.iter().any(|report| day_of(report.sent_at) <= due) {
            wrong.push((case.row.no, "no report after a year".to_owned()));
        }
        for (row, what) in wrong {
            self.raise("N8", vec![row], Vec::new(), what);
        }
    }

    /// N9: recorded within two working days, and not changed afterwards; what the migration stamped was recorded in time.
    fn recording(&mut self) {
        let case = self.case();
        let mut wrong = Vec::new();
        for made in &case.decisions {
            let recorded = if self.is_hasty && made.row.stamped {
                self.world.migration
            } else {
                day_of(made.row.recorded_at)
            };
            let days = working_days_between(day_of(made.decided_at), recorded);
            let is_stamped_rightly = !made.row.stamped || case.home == Home::Moved;
            if days > 2 || made.row.recorded_at < made.decided_at || !made.row.history.is_empty() || !is_stamped_rightly
            {
                wrong.push((made.row.no, format!("{} recorded after {days} working days", made.kind)));
            }
        }
        for (row, what) in wrong {
            self.raise("N9", vec![row], Vec::new(), what);
        }
    }
}

/// N12: no person has to do with one organisation in two registers, but for gifts declined and interests refused.
fn registers(world: &World, is_hasty: bool, issues: &mut Vec<Issue>) {
    let mut parts: Vec<(usize, &str, bool, u32)> = Vec::new();
    for register in &world.registers {
        let no = register.row.no;
        match &register.entry {
            Entry::Gift {
                person,
                organisation,
                accepted,
                ..
            } => parts.push((*person, organisation, *accepted, no)),
            Entry::Interest {
                person,
                organisation,
                refusal,
                ..
            } => parts.push((*person, organisation, refusal.is_none(), no)),
            Entry::Media {
                person, organisation, ..
            } => parts.push((*person, organisation, true, no)),
            Entry::Procurement {
                evaluators,
                organisation,
                ..
            } => parts.extend(evaluators.iter().map(|one| (*one, organisation.as_str(), true, no))),
            Entry::Association { .. } => {}
        }
    }
    for (at, one) in parts.iter().enumerate() {
        for other in &parts[..at] {
            if one.0 == other.0 && one.1 == other.1 && (is_hasty || (one.2 && other.2)) {
                issues.push(Issue {
                    rule: "N12",
                    case: None,
                    rows: vec![one.3, other.3],
                    mails: Vec::new(),
                    what: format!("person {} and {} twice", one.0, one.1),
                });
            }
        }
    }
}
