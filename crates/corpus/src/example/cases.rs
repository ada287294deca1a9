//! A case without any fault: roles that do not overlap, decisions by whoever may decide, clocks that are met.
//!
//! Invariant: everything happens on working days in office hours, in the order in which it must.

use crate::rng::Rng;

use super::dates::{Day, after_working_days, at, day, day_of, office, working_from, working_until};
use super::law::{CaseKind, Era};
use super::people::{DEPUTY, OVERSIGHT};
use super::plan::{
    Announce, CasePlan, Decision, Declaration, Home, Log, Notice, Report, Review, Role, Row, Update, World,
};
use super::specs::{Spec, Structure};

/// What a delegate relies on.
pub(super) const DELEGATED: &str = "Chief Constable's scheme of delegation, appropriate authority";
/// Days from the case to answer determination to the decision that ends a case.
const END_AFTER: (u32, u32) = (31, 45);
/// The department's reviews, days after the matter came to attention.
pub(super) const REVIEW_DAYS: [i64; 4] = [150, 180, 300, 330];
/// From when on reviews are made.
pub(super) fn reviews_from() -> Day {
    day(2019, 1, 1)
}

/// What is alleged; the same number names the standard.
pub(super) const ALLEGATIONS: [(&str, &str, &str); 8] = [
    (
        "Used more force than was needed when closing a gate",
        "B1",
        "Use of Force",
    ),
    (
        "Looked up an address without a policing purpose",
        "F2",
        "Confidentiality",
    ),
    (
        "Spoke rudely to a shopkeeper and would not give a number",
        "H4",
        "Authority, Respect and Courtesy",
    ),
    (
        "Wrote up a pocket book two days after the event",
        "A3",
        "Honesty and Integrity",
    ),
    (
        "Did not attend a call that had been assigned",
        "C1",
        "Duties and Responsibilities",
    ),
    (
        "Parked a marked car at a private address during a shift",
        "D2",
        "Orders and Instructions",
    ),
    (
        "Passed details of a rota to somebody outside the force",
        "F1",
        "Confidentiality",
    ),
    (
        "Was heard shouting in a public house while off duty",
        "J1",
        "Discreditable Conduct",
    ),
];

/// Makes the cases of these specifications, in their order.
pub(super) fn make(world: &mut World, specs: &[Spec], rng: &mut Rng) {
    let mut number = rng.between(101, 160) + world.copy * super::copies::NUMBERS_APART;
    for spec in specs {
        number += rng.between(1, 9);
        let case = one(world, spec, number, rng);
        world.cases.push(case);
    }
    for pair in 0..2 {
        let of_pair: Vec<usize> = (0..specs.len()).filter(|at| specs[*at].pair == Some(pair)).collect();
        if let [earlier, later] = of_pair[..] {
            world.cases[later].linked.push(earlier);
            world.cases[earlier].linked.push(later);
        }
    }
}

fn one(world: &mut World, spec: &Spec, number: u32, rng: &mut Rng) -> CasePlan {
    let attention_at = at(spec.attention, i64::from(rng.between(520, 600)));
    let opened_at = at(spec.attention, i64::from(rng.between(630, 720)));
    let era = Era::of(spec.attention);
    let year = super::dates::civil(spec.attention).year;
    let case_ref = if spec.attention < world.migration {
        format!("PS/{number:04}/{:02}", year % 100)
    } else {
        format!("PSD/{year}/{number:04}")
    };
    let row = world.row(opened_at + 900, spec.supervisor);
    let allegation_row = world.row(opened_at + 1800, spec.supervisor);
    let complainant = (spec.kind == CaseKind::Complaint).then_some(spec.complainant);
    let mut case = CasePlan {
        case_ref,
        kind: spec.kind,
        era,
        incident: spec.attention - i64::from(rng.between(3, 40)),
        attention_at,
        opened_at,
        closed_at: opened_at,
        officer: spec.officer,
        investigator: spec.investigator,
        authority: spec.authority,
        supervisor: spec.supervisor,
        chair: spec.chair,
        complainant,
        linked: Vec::new(),
        governing: era.governing(spec.kind).to_owned(),
        governing_basis: Some("date on which the matter came to attention".to_owned()),
        certified_at: None,
        home: Home::Newer,
        row,
        party_rows: Vec::new(),
        allegation_row,
        allegation: rng.below(ALLEGATIONS.len() as u32) as usize,
        roles: Vec::new(),
        decisions: Vec::new(),
        declarations: Vec::new(),
        notices: Vec::new(),
        updates: Vec::new(),
        reviews: Vec::new(),
        reports: Vec::new(),
        logs: Vec::new(),
        documents: Vec::new(),
    };
    for _ in 0..1 + usize::from(complainant.is_some()) {
        let row = world.row(opened_at + 1200, spec.supervisor);
        case.party_rows.push(row);
    }
    let mut timeline = Timeline { world, case, spec, rng };
    timeline.decide();
    timeline.appoint();
    timeline.keep_clocks();
    timeline.write_logs();
    let mut case = timeline.case;
    let closed = day_of(case.closed_at);
    case.home = if closed < world.migration - 400 {
        Home::Older
    } else if day_of(case.opened_at) < world.migration {
        Home::Moved
    } else {
        Home::Newer
    };
    case
}

struct Timeline<'a> {
    world: &'a mut World,
    case: CasePlan,
    spec: &'a Spec,
    rng: &'a mut Rng,
}

/// Recorded the same day, or on the next working day.
pub(super) fn soon_after(moment: i64, rng: &mut Rng) -> i64 {
    if rng.below(4) == 0 {
        let next = working_from(day_of(moment) + 1);
        office(next, rng)
    } else {
        moment + 60 * i64::from(rng.between(15, 90))
    }
}

/// A decision by the person and in the role that its kind asks for.
pub(super) fn decision(
    world: &mut World,
    case: &CasePlan,
    kind: &'static str,
    outcome: &str,
    on: Day,
    rng: &mut Rng,
) -> Decision {
    let decided_at = office(on, rng);
    let schedule_3 = case.kind.schedule_3();
    let (decided_by, role) = match kind {
        "special_requirements" => (case.investigator, "investigator"),
        "severity_assessment" if case.kind == CaseKind::Recordable => (OVERSIGHT, "director_general"),
        "severity_assessment" | "severity_revision" if schedule_3 => (case.investigator, "investigator"),
        "misconduct_outcome" => (case.chair, "chair"),
        _ => (case.authority, "appropriate_authority_delegate"),
    };
    let (regulations, regulation) = case.era.cited(kind, case.kind);
    let recorded_at = soon_after(decided_at, rng);
    let mut notified = Vec::new();
    if kind.starts_with("severity") || matches!(kind, "case_to_answer" | "misconduct_outcome" | "no_further_action") {
        notified.push(case.officer);
    }
    Decision {
        row: world.row(recorded_at, decided_by),
        kind,
        outcome: outcome.to_owned(),
        decided_at,
        decided_by,
        role,
        regulations: regulations.to_owned(),
        regulation: regulation.map(str::to_owned),
        rationale: String::new(),
        consulted: Vec::new(),
        notified,
        supersedes: None,
        announce: Announce::Said,
    }
}

impl Timeline<'_> {
    fn push(&mut self, kind: &'static str, outcome: &str, on: Day) -> usize {
        let on = working_from(on);
        let mut made = decision(self.world, &self.case, kind, outcome, on, self.rng);
        if kind == "appointment" {
            made.outcome = "investigator appointed".to_owned();
        }
        self.case.decisions.push(made);
        self.case.decisions.len() - 1
    }

    fn last_day(&self) -> Day {
        self.case
            .decisions
            .last()
            .map_or(self.spec.attention, |last| day_of(last.decided_at))
    }

    fn after(&mut self, low: u32, high: u32) -> Day {
        self.last_day() + i64::from(self.rng.between(low, high))
    }

    fn decide(&mut self) {
        let is_old = self.case.era == Era::Y2004;
        let severity = ["misconduct", "gross misconduct"][self.rng.below(2) as usize];
        let on = self.after(1, 3);
        self.push("recording", "recorded", on);
        if self.case.kind.schedule_3() {
            let on = self.after(1, 4);
            self.push("appointment", "", on);
            if !is_old {
                let on = self.after(3, 6);
                if self.case.kind == CaseKind::Complaint {
                    let certified = self.push("special_requirements", "certified", on);
                    self.case.certified_at = Some(self.case.decisions[certified].decided_at);
                }
                let on = self.after(1, 4);
                self.push("severity_assessment", severity, on);
            }
        } else {
            if !is_old {
                let on = self.after(1, 4);
                self.push("severity_assessment", severity, on);
            }
            let on = self.after(1, 4);
            self.push("appointment", "", on);
        }
        let on = working_from(self.after(1, 3));
        self.serve(on, (!is_old).then(|| severity.to_owned()));
        if self.rng.below(3) == 0 {
            let on = self.after(4, 9);
            self.push("restriction", "restricted duties", on);
        }
        if self.spec.has_revision && !is_old {
            self.revise(severity);
        }
        let has_case = self.rng.below(3) > 0;
        let finding = if has_case {
            "case to answer"
        } else {
            "no case to answer"
        };
        let found = working_from(self.spec.attention + self.spec.days_to_finding);
        self.push("case_to_answer", finding, found);
        let on = self.after(END_AFTER.0, END_AFTER.1);
        self.end(has_case, on);
    }

    /// The decision that ends the case, and its closing.
    fn end(&mut self, has_case: bool, on: Day) {
        if has_case {
            let outcome = ["written warning", "final written warning", "management advice"][self.rng.below(3) as usize];
            self.push("misconduct_outcome", outcome, on);
        } else {
            self.push("no_further_action", "no further action", on);
        }
        let closed = after_working_days(self.last_day(), 7 + self.rng.below(3));
        self.case.closed_at = at(closed, 1030);
    }

    fn serve(&mut self, on: Day, severity: Option<String>) {
        let served_at = office(on, self.rng);
        let row = self.world.row(served_at + 1800, self.case.investigator);
        let authorised_by = if self.case.kind.schedule_3() {
            self.case.investigator
        } else {
            self.case.authority
        };
        self.case.notices.push(Notice {
            row,
            kind: self.case.era.notice(self.case.kind),
            severity,
            authorised_by,
            at: served_at,
        });
    }

    /// Severity is revised after the appropriate authority was consulted; both it and the officer are told.
    fn revise(&mut self, severity: &str) {
        let other = if severity == "misconduct" {
            "gross misconduct"
        } else {
            "misconduct"
        };
        let on = working_from(self.spec.attention + i64::from(self.rng.between(75, 95)));
        let at = self.push("severity_revision", other, on);
        let first = self
            .case
            .decision("severity_assessment")
            .map(|at| self.case.decisions[at].row.no);
        let (authority, officer) = (self.case.authority, self.case.officer);
        let revision = &mut self.case.decisions[at];
        revision.supersedes = first.map(|no| (no, "revision"));
        revision.consulted = vec![authority];
        revision.notified = vec![authority, officer];
        let on = after_working_days(on, 1 + self.rng.below(2));
        self.serve(on, Some(other.to_owned()));
    }

    fn appoint(&mut self) {
        let appointed_at = self
            .case
            .decision("appointment")
            .map_or(self.case.opened_at, |at| self.case.decisions[at].decided_at);
        let found_at = self
            .case
            .decision("case_to_answer")
            .map_or(self.case.closed_at, |at| self.case.decisions[at].decided_at);
        let (opened, closed) = (self.case.opened_at, self.case.closed_at);
        let by_scheme = DELEGATED.to_owned();
        let mut roles = vec![
            (
                DEPUTY,
                "appropriate_authority",
                self.case.attention_at,
                closed,
                "Chief Constable's scheme of delegation".to_owned(),
            ),
            (
                self.case.authority,
                "appropriate_authority_delegate",
                self.case.attention_at,
                closed,
                by_scheme,
            ),
            (
                self.case.supervisor,
                "supervisor",
                opened,
                closed,
                "supervisor of the department".to_owned(),
            ),
            (
                self.case.investigator,
                "investigator",
                appointed_at,
                closed,
                "appointed by the appropriate authority".to_owned(),
            ),
        ];
        if self.case.decision("misconduct_outcome").is_some() {
            roles.push((
                self.case.chair,
                "chair",
                found_at + 3600,
                closed,
                "appointed to conduct the meeting".to_owned(),
            ));
        }
        if self.case.kind == CaseKind::Recordable {
            roles.push((
                OVERSIGHT,
                "director_general_delegate",
                opened,
                closed,
                "independent investigation by the Director General".to_owned(),
            ));
        }
        for (person, role, from, to, basis) in roles {
            let row = self.world.row(from + 2400, self.case.supervisor);
            self.case.roles.push(Role {
                row,
                person,
                role,
                from,
                to,
                terms: None,
                basis,
                acting: false,
            });
        }
        let is_about_relations = matches!(
            self.spec.structure,
            Structure::Undeclared
                | Structure::DeclaredNotRecorded
                | Structure::RecordedLater
                | Structure::RelationEnded
        );
        if !is_about_relations && self.rng.below(2) == 0 {
            for person in [self.case.authority, self.case.investigator] {
                let row = self.world.row(appointed_at + 5400, person);
                self.case.declarations.push(Declaration {
                    row,
                    person,
                    other: None,
                    nature: "nothing to declare".to_owned(),
                    at: appointed_at + 3600,
                    to: self.case.supervisor,
                    assessment: "no_conflict",
                });
            }
        }
    }

    /// Updates, outcomes, reviews and the report to the local policing body, each before it is due.
    fn keep_clocks(&mut self) {
        let attention = self.spec.attention;
        let end = self.last_day();
        if self.case.complainant.is_some() {
            let mut previous = attention;
            while previous + 28 <= end {
                let due = previous + 28;
                let sent = working_until(due - i64::from(self.rng.below(5)));
                self.send("update", due, sent, None);
                previous = sent;
            }
            let kinds = ["case_to_answer", "no_further_action", "misconduct_outcome"];
            for at in 0..self.case.decisions.len() {
                let made = &self.case.decisions[at];
                if kinds.contains(&made.kind) {
                    let decided = day_of(made.decided_at);
                    let sent = after_working_days(decided, 1 + self.rng.below(4));
                    let due = after_working_days(decided, 5);
                    let note = format!("outcome: {}", made.outcome);
                    self.send("outcome", due, sent, Some(note));
                }
            }
        }
        let closed = day_of(self.case.closed_at);
        for days in REVIEW_DAYS {
            let due = attention + days;
            if due >= reviews_from() && due < closed {
                let on = working_until(due - i64::from(self.rng.below(6)));
                let completed_at = office(on, self.rng);
                let row = self.world.row(completed_at + 1200, self.case.supervisor);
                self.case.reviews.push(Review {
                    row,
                    kind: "supervisory",
                    tasked_by: self.case.authority,
                    reviewer: self.case.supervisor,
                    due,
                    completed_at,
                    terms: None,
                });
            }
        }
        let due = year_after(attention);
        if due < closed {
            let sent_at = office(working_until(due - i64::from(self.rng.between(3, 20))), self.rng);
            let row = self.world.row(sent_at + 1200, self.case.authority);
            self.case.reports.push(Report {
                row,
                due,
                sent_at,
                reason: "phone records and one witness are outstanding".to_owned(),
            });
        }
    }

    fn send(&mut self, kind: &'static str, due: Day, on: Day, note: Option<String>) {
        let sent_at = office(on, self.rng);
        let row: Row = self.world.row(sent_at + 1500, self.case.investigator);
        let method = if kind == "update" {
            ["letter", "letter", "email"][self.rng.below(3) as usize]
        } else {
            "letter"
        };
        self.case.updates.push(Update {
            row,
            kind,
            method,
            due,
            sent_at: Some(sent_at),
            exception: None,
            note,
        });
    }

    fn write_logs(&mut self) {
        const TEXTS: [(&str, &str); 6] = [
            ("progress", "Statement taken from a neighbour."),
            ("progress", "Asked the council for camera footage."),
            ("progress", "Pocket book entries copied and exhibited."),
            ("supervision", "Lines of enquiry discussed, plan agreed."),
            ("progress", "Radio log received and read."),
            ("supervision", "Workload discussed, no change needed."),
        ];
        let from = self.spec.attention + 15;
        let days = (self.spec.days_to_finding - 20).max(20) as u32;
        for _ in 0..self.rng.between(3, 7) {
            let on = working_from(from + i64::from(self.rng.below(days)));
            let entry_at = office(on, self.rng);
            let (category, text) = TEXTS[self.rng.below(6) as usize];
            let author = if category == "supervision" {
                self.case.supervisor
            } else {
                self.case.investigator
            };
            let row = self.world.row(entry_at + 600, author);
            self.case.logs.push(Log {
                row,
                at: entry_at,
                author,
                category,
                text: text.to_owned(),
            });
        }
        self.case.logs.sort_by_key(|log| log.at);
    }
}

/// The same date a year later; 29 February becomes the 28th.
pub(super) fn year_after(from: Day) -> Day {
    let date = super::dates::civil(from);
    let of_month = if date.month == 2 { date.day.min(28) } else { date.day };
    day(date.year + 1, date.month, of_month)
}
