//! Mail of clean cases: every decision is said, consulted on where it must be, acknowledged, quoted and passed on; the
//! enquiries go on beside it. And the mail of an office that is about no case.

use super::dates::{Day, at, day_of, office, spoken, working_from, working_until};
use super::people::{ADMINISTRATOR, DELEGATES, DEPUTY, INVESTIGATORS, IT_STAFF, REVIEWER, SUPERVISORS, force};
use super::plan::{Announce, Attachment, CasePlan, Decision, Repeat};
use super::post::{Letter, Post};
use super::specs::{Spec, Structure};
use super::structure::RELATIONS;

/// The kind of wording that says a decision.
pub(super) fn wording(kind: &str) -> &'static str {
    match kind {
        "recording" => "decision_recording",
        "appointment" => "decision_appointment",
        "special_requirements" => "decision_special_requirements",
        "severity_assessment" => "decision_severity_assessment",
        "severity_revision" => "decision_severity_revision",
        "restriction" => "decision_restriction",
        "case_to_answer" => "decision_case_to_answer",
        "misconduct_outcome" => "decision_misconduct_outcome",
        _ => "decision_no_further_action",
    }
}

/// Who is written to about a case: those of the chain with a role at this moment, but for the writer.
pub(super) fn audience(plan: &CasePlan, writer: usize, moment: i64) -> Vec<usize> {
    let mut all: Vec<usize> = [plan.investigator, plan.supervisor, plan.authority]
        .into_iter()
        .filter(|person| *person != writer && plan.has_part(*person, moment))
        .collect();
    all.dedup();
    if all.is_empty() {
        all.push(DEPUTY);
    }
    all
}

impl Post<'_> {
    /// All mail of a case.
    pub(super) fn write_case(&mut self, case: usize, spec: &Spec) {
        for nth in 0..self.world.cases[case].decisions.len() {
            let set = super::templates::TemplateSet::One;
            let reasons = [0; 2].map(|_| self.templates.say(set, "reason", &Vec::new(), self.rng));
            self.world.cases[case].decisions[nth].rationale = reasons.join(" ");
            let made = self.world.cases[case].decisions[nth].clone();
            if made.kind == "severity_revision" {
                let is_asked = !made.consulted.is_empty() || spec.structure == Structure::ConsultedInMail;
                if is_asked {
                    self.consult(case, &made);
                }
            }
            self.say(case, &made);
        }
        self.send_notices(case);
        self.send_updates(case);
        self.talk(case);
        match spec.structure {
            Structure::TaskedReview => self.task_the_delegate(case),
            Structure::DeclaredNotRecorded | Structure::RecordedLater => self.declare(case),
            _ => {}
        }
    }

    /// Adds messages to the plant of a rule in a case.
    pub(super) fn belongs_to(&mut self, rule: &str, case: usize, mails: &[usize]) {
        let plant = self
            .world
            .plants
            .iter_mut()
            .find(|plant| plant.rule == rule && plant.case == Some(case));
        plant.expect("it was planted before its mail").mails.extend(mails);
    }

    fn say(&mut self, case: usize, made: &Decision) {
        let sent_at = match made.announce {
            Announce::Unsaid => return,
            Announce::Said => made.decided_at + 60 * i64::from(self.rng.between(4, 55)),
            Announce::SaidBefore(days) => office(working_until(day_of(made.decided_at) - days), self.rng),
        };
        let plan = &self.world.cases[case];
        let mut to = audience(plan, made.decided_by, sent_at);
        let cc = to.split_off(1);
        let mut letter =
            Letter::new(wording(made.kind), "subject_decision", made.decided_by, to[0], sent_at).about(case);
        if self.rng.below(3) > 0 {
            letter.cc = cc;
        }
        letter.decision = Some(made);
        letter.then = vec!["reason"];
        let has_log = matches!(made.kind, "case_to_answer" | "severity_assessment") && self.rng.below(3) > 0;
        let log = has_log.then(|| self.decision_log(case, made));
        letter.attachments.extend(log.clone());
        let mail = self.announce(letter, made.kind, Some(made.row.no));
        if let Some(log) = log {
            self.register(
                case,
                mail,
                &log.text,
                &format!("Decision log, {}", made.kind.replace('_', " ")),
            );
        }
        let rules: &[&str] = match made.announce {
            Announce::SaidBefore(_) => &["N1"],
            _ => &["N2", "N4", "N6", "N7", "N9"],
        };
        for plant in &mut self.world.plants {
            if plant.case == Some(case) && rules.contains(&plant.rule) && plant.rows.contains(&made.row.no) {
                plant.mails.push(mail);
            }
        }
        self.answer(case, mail);
    }

    /// Acknowledgement, and sometimes a forward to somebody else with a role.
    fn answer(&mut self, case: usize, mail: usize) {
        let (from, reader, sent_at) = {
            let mail = &self.world.mails[mail];
            (mail.from, mail.to[0], mail.at)
        };
        if self.rng.below(2) == 0 {
            let at = self.later(sent_at);
            let letter = Letter::new("acknowledgement", "subject_case", reader, from, at).about(case);
            self.write(letter.answering(mail, Repeat::Quoted));
        }
        if self.rng.below(5) == 0 {
            let at = self.later(sent_at);
            let known: Vec<usize> = self.world.mails[mail]
                .cc
                .iter()
                .copied()
                .chain([from, reader])
                .collect();
            let plan = &self.world.cases[case];
            let unknown = audience(plan, from, at)
                .into_iter()
                .chain([DEPUTY])
                .find(|one| !known.contains(one));
            if let Some(other) = unknown {
                let letter = Letter::new("forward", "subject_case", reader, other, at).about(case);
                self.write(letter.answering(mail, Repeat::Forwarded));
            }
        }
    }

    fn decision_log(&mut self, case: usize, made: &Decision) -> Attachment {
        let plan = &self.world.cases[case];
        let name = plan.case_ref.replace('/', "-");
        let title = made.kind.replace('_', " ");
        let mut text = format!(
            "{}\nDECISION LOG\n\nCase: {}\nDecision: {title}\nDate: {}\nBy: {}\nConcerning: {}\nOutcome: {}\nUnder: {}\n\nReasons\n",
            force(),
            plan.case_ref,
            spoken(day_of(made.decided_at)),
            self.world.people[made.decided_by].spoken(made.decided_at),
            self.world.people[plan.officer].spoken(made.decided_at),
            made.outcome,
            made.regulations,
        );
        for number in 1..=5 {
            let set = if self.rng.below(2) == 0 {
                super::templates::TemplateSet::One
            } else {
                super::templates::TemplateSet::Two
            };
            let reason = self.templates.say(set, "reason", &Vec::new(), self.rng);
            text.push_str(&format!("{number}. {reason}\n"));
        }
        Attachment {
            name: format!("{name} decision log {}.txt", made.row.no),
            text,
        }
    }

    fn consult(&mut self, case: usize, made: &Decision) {
        let plan = &self.world.cases[case];
        let (investigator, authority) = (plan.investigator, plan.authority);
        let on = working_until(day_of(made.decided_at) - 3);
        let asked_at = office(on, self.rng);
        let mut letter = Letter::new(
            "consultation_ask",
            "subject_consultation",
            investigator,
            authority,
            asked_at,
        )
        .about(case);
        letter.decision = Some(made);
        let ask = self.write(letter);
        let at = self.later(asked_at);
        let mut letter = Letter::new(
            "consultation_reply",
            "subject_consultation",
            authority,
            investigator,
            at,
        )
        .about(case);
        letter.decision = Some(made);
        let reply = self.write(letter.answering(ask, Repeat::Quoted));
        for mail in [ask, reply] {
            self.world.mails[mail].consults = Some(made.row.no);
        }
        if made.consulted.is_empty() {
            self.belongs_to("N7", case, &[ask, reply]);
        }
    }

    fn send_notices(&mut self, case: usize) {
        for notice in self.world.cases[case].notices.clone() {
            let plan = &self.world.cases[case];
            let (investigator, supervisor) = (plan.investigator, plan.supervisor);
            let case_ref = plan.case_ref.clone();
            let officer = self.world.people[plan.officer].spoken(notice.at);
            let kind = notice.kind.replace('_', " ");
            let severity = notice.severity.as_deref().unwrap_or("to be assessed");
            let allegation = super::cases::ALLEGATIONS[plan.allegation].0;
            let text = format!(
                "{}\nNOTICE OF INVESTIGATION ({kind})\n\nReference: {case_ref}\nTo: {officer}\nDate: {}\n\nIt is alleged that you did the following: {}.\nIf proved this would be: {severity}.\nYou may be accompanied by a police friend.\nServed by: {}\n",
                force(),
                spoken(day_of(notice.at)),
                allegation.to_lowercase(),
                self.world.people[investigator].spoken(notice.at),
            );
            let sent_at = self.later(notice.at);
            let mut letter = Letter::new("notice", "subject_notice", investigator, supervisor, sent_at).about(case);
            letter.attachments.push(Attachment {
                name: format!("{} notice {}.txt", case_ref.replace('/', "-"), notice.row.no),
                text: text.clone(),
            });
            let mail = self.write(letter);
            self.register(case, mail, &text, &format!("Notice, {kind}"));
        }
    }

    fn send_updates(&mut self, case: usize) {
        let plan = &self.world.cases[case];
        let Some(complainant) = plan.complainant else { return };
        let times: Vec<i64> = plan
            .updates
            .iter()
            .filter(|update| update.method == "email")
            .filter_map(|update| update.sent_at)
            .collect();
        for at in times {
            self.update(case, complainant, at);
        }
    }

    /// An update by mail; returns the message.
    pub(super) fn update(&mut self, case: usize, complainant: usize, at: i64) -> usize {
        let plan = &self.world.cases[case];
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let mut letter = Letter::new("update_mail", "subject_update", investigator, complainant, at).about(case);
        letter.cc = vec![supervisor];
        self.write(letter)
    }

    /// Days on which an investigator and a supervisor write about enquiries: after the appointment, before the finding.
    pub(super) fn enquiry_days(&self, case: usize) -> (Day, Day) {
        let plan = &self.world.cases[case];
        let day_of_first = |kind: &str| plan.decision(kind).map(|at| day_of(plan.decisions[at].decided_at));
        let from = day_of_first("appointment").unwrap_or_else(|| day_of(plan.opened_at)) + 8;
        let to = day_of_first("case_to_answer").unwrap_or_else(|| day_of(plan.closed_at)) - 12;
        (from, to.max(from + 5))
    }

    /// Threads about enquiries, up to three messages each.
    fn talk(&mut self, case: usize) {
        for _ in 0..self.rng.between(2, 5) {
            let at = self.enquiry_time(case);
            self.talk_once(case, at);
        }
    }

    pub(super) fn enquiry_time(&mut self, case: usize) -> i64 {
        let (from, to) = self.enquiry_days(case);
        let day = working_from(from + i64::from(self.rng.below((to - from) as u32)));
        office(day, self.rng)
    }

    /// One thread; returns its messages.
    pub(super) fn talk_once(&mut self, case: usize, at: i64) -> Vec<usize> {
        let plan = &self.world.cases[case];
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let letter = Letter::new("progress", "subject_case", investigator, supervisor, at).about(case);
        let mut thread = vec![self.write(letter)];
        let mut moment = at;
        for nth in 0..2 {
            if self.rng.below(3) == 0 {
                break;
            }
            moment = self.later(moment);
            let (from, to) = if nth == 0 {
                (supervisor, investigator)
            } else {
                (investigator, supervisor)
            };
            let kind = if nth == 0 { "progress_reply" } else { "progress" };
            let letter = Letter::new(kind, "subject_case", from, to, moment).about(case);
            let parent = thread[thread.len() - 1];
            thread.push(self.write(letter.answering(parent, Repeat::Quoted)));
        }
        thread
    }

    /// Terms of reference as a document.
    pub(super) fn terms(&mut self, case: usize, name: &str, reviewer: usize, at: i64) -> Attachment {
        let case_ref = self.world.cases[case].case_ref.clone();
        let text = format!(
            "{}\nTERMS OF REFERENCE {name}\n\nReview of {case_ref} by {}.\n1. Have all reasonable lines of enquiry been followed?\n2. Has the investigation kept to its times?\n3. The reviewer takes no part in any decision.\n4. Report to the Deputy Chief Constable by {}.\n",
            force(),
            self.world.people[reviewer].spoken(at),
            spoken(working_from(day_of(at) + 12)),
        );
        Attachment {
            name: format!("{} terms of reference.txt", case_ref.replace('/', "-")),
            text,
        }
    }

    /// A tasking with terms of reference, which go on the register; returns the message and the document's row.
    pub(super) fn task(&mut self, case: usize, reviewer: usize, name: &str, at: i64) -> (usize, u32) {
        let terms = self.terms(case, name, reviewer, at);
        let mut letter = Letter::new("tasking", "subject_tasking", DEPUTY, reviewer, at).about(case);
        letter.cc = vec![self.world.cases[case].investigator];
        let text = terms.text.clone();
        letter.attachments.push(terms);
        let mail = self.write(letter);
        let row = self.register(case, mail, &text, &format!("Terms of reference {name}"));
        (mail, row)
    }

    fn task_the_delegate(&mut self, case: usize) {
        let plan = &self.world.cases[case];
        let role = plan
            .roles
            .iter()
            .find(|role| role.role == "reviewer")
            .expect("it was planted");
        let (reviewer, name) = (role.person, role.terms.clone().unwrap_or_default());
        let at = office(working_until(day_of(role.from) - 1), self.rng);
        let (mail, row) = self.task(case, reviewer, &name, at);
        self.belongs_to("N3", case, &[mail]);
        let plant = self
            .world
            .plants
            .iter_mut()
            .find(|plant| plant.rule == "N3" && plant.case == Some(case));
        plant.expect("it was planted").rows.push(row);
    }

    fn declare(&mut self, case: usize) {
        let plan = &self.world.cases[case];
        let authority = plan.authority;
        let found = plan.decision("case_to_answer").expect("every case has a determination");
        let decided = day_of(plan.decisions[found].decided_at);
        let recorded = plan.declarations.iter().find(|one| one.other.is_some());
        let (at, relation) = match recorded {
            Some(declaration) => (declaration.at, declaration.nature.clone()),
            None => {
                let relation = (*self.rng.pick(&RELATIONS)).to_owned();
                (office(working_from(decided - 14), self.rng), relation)
            }
        };
        let mut letter = Letter::new("declaration", "subject_declaration", authority, DEPUTY, at).about(case);
        letter.more.push(("relation", relation));
        let mail = self.write(letter);
        self.belongs_to("N4", case, &[mail]);
    }

    /// Mail about no case, some of it with circulars for everybody.
    pub(super) fn write_office(&mut self, from: Day, to: Day) {
        let staff: Vec<usize> = DELEGATES
            .into_iter()
            .chain(SUPERVISORS)
            .chain(INVESTIGATORS)
            .chain([REVIEWER, ADMINISTRATOR, ADMINISTRATOR + 1, IT_STAFF])
            .collect();
        for _ in 0..self.rng.between(110, 150) {
            let day = working_from(from + i64::from(self.rng.below((to - from) as u32)));
            let moment = at(day, i64::from(self.rng.between(500, 1020)));
            let sender = *self.rng.pick(&staff);
            let mut to: Vec<usize> = (0..self.rng.between(2, 5)).map(|_| *self.rng.pick(&staff)).collect();
            to.push(*self.rng.pick(&SUPERVISORS));
            to.retain(|person| *person != sender);
            to.sort_unstable();
            to.dedup();
            if to.is_empty() {
                to.push(DELEGATES[0]);
            }
            let is_circular = self.rng.below(6) == 0;
            let kind = if is_circular { "circular" } else { "routine" };
            let mut letter = Letter::new(kind, "subject_routine", sender, to[0], moment);
            letter.to = to;
            if is_circular {
                letter.attachments.push(self.circular(moment));
            }
            self.write(letter);
        }
    }

    /// A paper for everybody.
    pub(super) fn circular(&mut self, moment: i64) -> Attachment {
        const ITEMS: [&str; 8] = [
            "The canteen opens at seven.",
            "Car pool bookings are made by Thursday noon.",
            "The quiz evening raised a good sum for the hospice.",
            "Letters are signed with name, rank and number.",
            "The back gate is closed from ten at night.",
            "Lost property is kept for a month.",
            "The choir is looking for a bass.",
            "Overtime forms go to the second floor.",
        ];
        let number = self.rng.between(3, 400);
        let mut text = format!("{}\nCIRCULAR {number}\n{}\n\n", force(), spoken(day_of(moment)));
        for nth in 1..=5 {
            text.push_str(&format!("{nth}. {}\n", self.rng.pick(&ITEMS)));
        }
        Attachment {
            name: format!("circular {number}.txt"),
            text,
        }
    }
}
