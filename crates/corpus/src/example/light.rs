//! Plants that lie beside the structure of a case: unsaid decisions and clocks before mail is written; drafts, documents,
//! contacts, gaps and quotations after it.
//!
//! Invariant: no case carries two plants of one rule, and clean cases carry none.

use super::dates::{Day, after_working_days, day_of, office, working_from, working_until};
use super::law::{CaseKind, Era};
use super::mail::{audience, wording};
use super::people::{ADMINISTRATOR, DELEGATES, DEPUTY, INVESTIGATORS, IT_STAFF, OPERATIONS, REVIEWER, SUPERVISORS};
use super::plan::{Announce, Attachment, CasePlan, Limit, Log, Plant, Repeat, Review, World};
use super::post::{Letter, Post, wrap};
use super::specs::{Spec, Structure};
use super::structure::about;

/// Plants of one case, at most.
const MOST: usize = 4;

/// An update that will be given by mail alone.
pub(super) struct ByMail {
    case: usize,
    complainant: usize,
    at: i64,
    plant: usize,
}

/// Where plants may still go.
pub(super) struct Light<'p, 'w> {
    pub(super) post: &'p mut Post<'w>,
    pub(super) specs: &'p [Spec],
}

impl Light<'_, '_> {
    /// A case that may carry a plant of this rule and fits.
    fn case(&mut self, rule: &str, fits: impl Fn(&CasePlan, &Spec) -> bool) -> usize {
        let world = &*self.post.world;
        let free: Vec<usize> = (0..self.specs.len())
            .filter(|case| {
                let of_case = world.plants.iter().filter(|plant| plant.case == Some(*case));
                let is_used = of_case.clone().any(|plant| plant.rule == rule);
                let spec = &self.specs[*case];
                !matches!(spec.structure, Structure::Clean | Structure::Earlier)
                    && !is_used
                    && of_case.count() < MOST
                    && fits(&world.cases[*case], spec)
            })
            .collect();
        let fewest = |case: &usize| world.plants.iter().filter(|plant| plant.case == Some(*case)).count();
        let least = free.iter().map(fewest).min().expect("there is room for every plant");
        let best: Vec<usize> = free.into_iter().filter(|case| fewest(case) == least).collect();
        *self.post.rng.pick(&best)
    }

    /// Plants in rows, before there is mail.
    pub(super) fn plant_rows(&mut self) -> Vec<ByMail> {
        self.unsaid();
        self.formal_later();
        self.clocks()
    }

    /// N1: a recorded decision that no mail mentions.
    fn unsaid(&mut self) {
        let case = self.case("N1", |_, spec| spec.structure != Structure::RecordedLate);
        let plan = &mut self.post.world.cases[case];
        let kind = ["recording", "appointment"][self.post.rng.below(2) as usize];
        let at = plan.decision(kind).expect("every case has both");
        plan.decisions[at].announce = Announce::Unsaid;
        let mut plant = about(
            "N1",
            true,
            "recorded-without-mail",
            case,
            format!("the {kind} decision is on record, and no mail says it"),
        );
        plant.people.push(plan.decisions[at].decided_by);
        plant.rows.push(plan.decisions[at].row.no);
        self.post.world.plant(plant);
    }

    /// N1: said in mail some days before the formal record of it.
    fn formal_later(&mut self) {
        let case = self.case("N1", |_, spec| {
            matches!(
                spec.structure,
                Structure::InvestigatorAuthority
                    | Structure::AuthorityManager
                    | Structure::WrongRegulations
                    | Structure::WrongNotice
                    | Structure::ReviewerAuthority
                    | Structure::Unconsulted
                    | Structure::ConsultedInLog
            )
        });
        let plan = &mut self.post.world.cases[case];
        let at = plan.decision("case_to_answer").expect("every case has a determination");
        plan.decisions[at].announce = Announce::SaidBefore(i64::from(self.post.rng.between(4, 8)));
        let why = "the determination was said in mail a few days before the formal decision was made and recorded";
        let mut plant = about("N1", false, "later-formal-record", case, why.to_owned());
        plant.people.push(plan.decisions[at].decided_by);
        plant.rows.push(plan.decisions[at].row.no);
        self.post.world.plant(plant);
    }

    /// N8.
    fn clocks(&mut self) -> Vec<ByMail> {
        let with_complainant = |plan: &CasePlan, spec: &Spec| {
            plan.era == Era::Y2020 && plan.kind == CaseKind::Complaint && spec.structure != Structure::LinkedMatter
        };
        let case = self.case("N8", |plan, spec| {
            with_complainant(plan, spec) && !plan.reports.is_empty()
        });
        let mut plant = about(
            "N8",
            true,
            "report-missing",
            case,
            "the case took more than a year and no report to the local policing body is on record".to_owned(),
        );
        let plan = &mut self.post.world.cases[case];
        plan.reports.clear();
        plant.rows.push(plan.row.no);
        plant.people.push(plan.authority);
        self.post.world.plant(plant);

        let case = self.case("N8", |plan, spec| {
            !with_complainant(plan, spec) && plan.reviews.iter().any(|one| one.kind == "supervisory")
        });
        let plan = &mut self.post.world.cases[case];
        let review = plan
            .reviews
            .iter_mut()
            .find(|one| one.kind == "supervisory")
            .expect("it was asked for");
        review.completed_at = office(
            working_from(review.due + i64::from(self.post.rng.between(9, 20))),
            self.post.rng,
        );
        review.row.recorded_at = review.completed_at + 1200;
        let mut plant = about(
            "N8",
            true,
            "review-late",
            case,
            "the review was completed more than a week after it was due".to_owned(),
        );
        plant.rows.push(review.row.no);
        plant.people.push(review.reviewer);
        self.post.world.plant(plant);

        let case = self.case("N8", with_complainant);
        let plan = &mut self.post.world.cases[case];
        let outcome = plan
            .updates
            .iter_mut()
            .find(|one| one.kind == "outcome")
            .expect("complaints have one");
        let late = after_working_days(outcome.due, 3 + self.post.rng.below(4));
        outcome.sent_at = Some(office(late, self.post.rng));
        outcome.row.recorded_at = super::dates::at(late, 1025);
        let mut plant = about(
            "N8",
            true,
            "outcome-late",
            case,
            "the complainant was told the outcome later than five working days after the determination".to_owned(),
        );
        plant.rows.push(outcome.row.no);
        plant.people.push(plan.investigator);
        self.post.world.plant(plant);

        let mut by_mail = Vec::new();
        for (is_fault, variant, why) in [
            (
                true,
                "update-missed",
                "one four-weekly update was not sent, and nothing explains it",
            ),
            (
                false,
                "exception-invoked",
                "the update was not sent, and the row cites the exception (SI 2020/2 reg 35)",
            ),
            (
                false,
                "exception-invoked",
                "the update was not sent, and the row cites the exception (SI 2020/2 reg 35)",
            ),
            (
                false,
                "other-channel-log",
                "no update row, the log has the telephone call in which the update was given",
            ),
            (
                false,
                "other-channel-mail",
                "no update row, the update itself was sent by mail",
            ),
        ] {
            let case = self.case("N8", with_complainant);
            self.skip_update(case, about("N8", is_fault, variant, case, why.to_owned()), &mut by_mail);
        }
        by_mail
    }

    fn skip_update(&mut self, case: usize, mut plant: Plant, by_mail: &mut Vec<ByMail>) {
        let plan = &mut self.post.world.cases[case];
        let complainant = plan.complainant.expect("complaints have a complainant");
        let investigator = plan.investigator;
        let regular: Vec<usize> = (0..plan.updates.len())
            .filter(|at| plan.updates[*at].kind == "update")
            .collect();
        let at = regular[1 + self.post.rng.below(regular.len() as u32 - 3) as usize];
        let sent_at = plan.updates[at].sent_at.expect("clean updates were sent");
        plant.people.push(investigator);
        plant.rows.push(plan.row.no);
        match plant.variant {
            "exception-invoked" => {
                let update = &mut plan.updates[at];
                update.sent_at = None;
                update.exception = Some("SI 2020/2 reg 35");
                update.note =
                    Some("not sent: it might have prejudiced an interview that was about to take place".to_owned());
                plant.rows.push(update.row.no);
            }
            "other-channel-log" => {
                plan.updates.remove(at);
                let row = self.post.world.row(sent_at + 600, investigator);
                plant.rows.push(row.no);
                let name = self.post.world.people[complainant].full_name(sent_at);
                self.post.world.cases[case].logs.push(Log {
                    row,
                    at: sent_at,
                    author: investigator,
                    category: "contact",
                    text: format!(
                        "Telephoned {name} and gave the four-weekly update: what has been done and what comes next."
                    ),
                });
            }
            _ => {
                plan.updates.remove(at);
            }
        }
        let is_by_mail = plant.variant == "other-channel-mail";
        let plant = self.post.world.plant(plant);
        if is_by_mail {
            by_mail.push(ByMail {
                case,
                complainant,
                at: sent_at,
                plant,
            });
        }
    }

    /// Plants in mail, after that of the cases was written.
    pub(super) fn plant_mail(&mut self, by_mail: Vec<ByMail>) {
        for update in by_mail {
            let mail = self.post.update(update.case, update.complainant, update.at);
            self.post.world.plants[update.plant].mails.push(mail);
        }
        self.unrecorded();
        for (variant, kind, subject) in [
            ("draft", "draft", "subject_draft"),
            ("proposal", "proposal", "subject_proposal"),
            ("discussion", "discussion", "subject_discussion"),
            ("negated", "negated", "subject_discussion"),
            ("hypothetical", "hypothetical", "subject_discussion"),
        ] {
            self.before_the_finding(variant, kind, subject);
        }
        self.quoted_later();
        self.documents();
        self.contacts();
        self.gaps();
        self.quotations();
    }

    /// N1: a decision said in mail that no row holds.
    fn unrecorded(&mut self) {
        let case = self.case("N1", |plan, _| plan.decision("restriction").is_none());
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let authority = plan.authority;
        let to = audience(plan, authority, at);
        let letter = Letter::new(wording("restriction"), "subject_decision", authority, to[0], at).about(case);
        let mail = self.post.announce(letter, "restriction", None);
        let mut plant = about(
            "N1",
            true,
            "mail-without-record",
            case,
            "a decision to restrict the officer's duties is said in mail, and the case system has no such decision"
                .to_owned(),
        );
        plant.people.push(authority);
        plant.mails.push(mail);
        self.post.world.plant(plant);
    }

    /// N1: words about a determination that is weeks away.
    fn before_the_finding(&mut self, variant: &'static str, kind: &'static str, subject: &'static str) {
        let case = self.case("N1", |_, _| true);
        let plan = &self.post.world.cases[case];
        let found = plan.decision("case_to_answer").expect("every case has a determination");
        let day = day_of(plan.decisions[found].decided_at) - i64::from(self.post.rng.between(20, 30));
        let at = self.post.some_time(day);
        let plan = &self.post.world.cases[case];
        let (from, to) = if kind == "proposal" {
            (plan.investigator, plan.authority)
        } else {
            (plan.authority, plan.investigator)
        };
        let mut letter = Letter::new(kind, subject, from, to, at).about(case);
        letter.cc = vec![plan.supervisor];
        let text = (kind == "draft").then(|| {
            format!(
                "DRAFT - NOT A DECISION\n\nReference: {}\n1. The evidence so far.\n2. [conclusion to be written]\n3. Points to check: the times in the radio log, the second statement.\nVersion of {}\n",
                plan.case_ref,
                super::dates::spoken(day_of(at))
            )
        });
        let name = format!("{} draft.txt", plan.case_ref.replace('/', "-"));
        letter
            .attachments
            .extend(text.clone().map(|text| Attachment { name, text }));
        let mail = self.post.write(letter);
        if let Some(text) = text {
            self.post.register(case, mail, &text, "Draft determination");
        }
        let mut plant = about(
            "N1",
            false,
            variant,
            case,
            format!(
                "a {variant} about the determination, weeks before it was made; the determination itself is on record"
            ),
        );
        plant.people.push(from);
        plant.mails.push(mail);
        self.post.world.plant(plant);
    }

    /// N1: an old decision quoted again, outside any window around it.
    fn quoted_later(&mut self) {
        let case = self.case("N1", |plan, spec| {
            spec.structure != Structure::RecordedLate
                && plan.decisions.iter().all(|made| made.announce == Announce::Said)
        });
        let world = &*self.post.world;
        let plan = &world.cases[case];
        let first = plan.decision("appointment").map(|at| plan.decisions[at].row.no);
        let original = (0..world.mails.len())
            .find(|at| {
                let states = world.mails[*at].states.as_ref();
                world.mails[*at].case == Some(case) && states.is_some_and(|stated| stated.row == first)
            })
            .expect("every decision was said");
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let (_, last) = self.post.enquiry_days(case);
        let at = self.post.some_time(last - 5);
        let letter = Letter::new("quoted", "subject_case", investigator, supervisor, at).about(case);
        let mail = self.post.write(letter.answering(original, Repeat::Quoted));
        let mut plant = about(
            "N1",
            false,
            "quoted",
            case,
            "an old message that says a decision is quoted weeks later; the decision is on record under its own date"
                .to_owned(),
        );
        plant.people.push(investigator);
        plant.rows.extend(first);
        plant.mails = vec![mail, original];
        self.post.world.plant(plant);
    }

    /// N10.
    fn documents(&mut self) {
        let papers = [
            (
                "duty roster extract",
                "DUTY ROSTER EXTRACT\n\nOn the day in question the officer was posted to the front counter from 0700 to 1500.\nThe vehicle named in the complaint was in the workshop from 0630.\nKept by the duties office.\n",
            ),
            (
                "camera log",
                "CAMERA LOG\n\n1402 gate opens, nobody in view\n1405 officer at the gate, hands at sides\n1407 gate closes by itself (wind)\n1411 officer leaves by the front\nKept by the control room.\n",
            ),
        ];
        for (title, text) in papers {
            let case = self.case("N10", |_, _| true);
            let text = format!("Reference {}\n{text}", self.post.world.cases[case].case_ref);
            let mail = self.attach(case, title, text);
            let mut plant = about(
                "N10",
                true,
                "not-on-record",
                case,
                format!("a {title} was sent round by mail and is on no register of the case"),
            );
            plant.people.push(self.post.world.mails[mail].from);
            plant.mails.push(mail);
            self.post.world.plant(plant);
        }
        let case = self.case("N10", |_, _| true);
        let case_ref = self.post.world.cases[case].case_ref.clone();
        let older = format!(
            "STATEMENT OF A NEIGHBOUR\n\nReference {case_ref}\nI live opposite the yard and was at the window when the car came. I saw the officer get out and speak to the man at the gate. It was about two o'clock. I did not hear what was said because the window was closed. After some minutes the officer got back into the car and drove off slowly. Nobody raised a hand and nobody was pushed. The man at the gate then went back to his sheds and I saw him talking on the telephone for quite some time. I have lived here for eleven years and have never had dealings with the police before this. My eyesight is good with glasses and I was wearing them. The yard is lit by a lamp on the corner of the barn, but it was daylight and the lamp was off.\nVersion 1, unsigned\n"
        );
        let newer = older
            .replace(
                "about two o'clock, perhaps a little later",
                "five past two by the church clock",
            )
            .replace("Version 1, unsigned", "Version 2, signed");
        let mail = self.attach(case, "statement of a neighbour", older);
        let row = self.post.register(case, mail, &newer, "Statement of a neighbour");
        let mut plant = about(
            "N10",
            false,
            "other-version-held",
            case,
            "the mail has an unsigned version, the register of the case holds the signed one, nearly the same text"
                .to_owned(),
        );
        plant.mails.push(mail);
        plant.rows.push(row);
        self.post.world.plant(plant);

        let case = self.case("N10", |_, _| true);
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let (from, to) = (plan.supervisor, plan.investigator);
        let circular = self.post.circular(at);
        let mut letter = Letter::new("progress", "subject_case", from, to, at).about(case);
        letter.then = vec!["circular"];
        letter.attachments.push(circular);
        let mail = self.post.write(letter);
        let mut plant = about(
            "N10",
            false,
            "irrelevant-circular",
            case,
            "the attachment is a circular for everybody that has nothing to do with the case".to_owned(),
        );
        plant.mails.push(mail);
        self.post.world.plant(plant);
    }

    /// Sends a document from the investigator to the supervisor.
    fn attach(&mut self, case: usize, title: &str, text: String) -> usize {
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let mut letter = Letter::new("progress", "subject_case", plan.investigator, plan.supervisor, at).about(case);
        letter.attachments.push(Attachment {
            name: format!("{title}.txt"),
            text,
        });
        self.post.write(letter)
    }

    /// N11.
    fn contacts(&mut self) {
        let case = self.case("N11", |plan, _| is_recent(plan));
        self.contact(
            case,
            "contact_enquiry",
            OPERATIONS,
            about(
                "N11",
                true,
                "no-role",
                case,
                "a superintendent of another command, with no part in the case, asks the investigator about it"
                    .to_owned(),
            ),
        );
        let case = self.case("N11", |plan, _| is_recent(plan) && stranger(plan).is_some());
        let other = stranger(&self.post.world.cases[case]).expect("it was asked for");
        self.contact(
            case,
            "contact_enquiry",
            other,
            about(
                "N11",
                true,
                "role-in-other-cases-only",
                case,
                "a delegate with a role in other cases but none in this one asks the investigator about it".to_owned(),
            ),
        );
        let people = self.post.world.people.clone();
        let not_the_supervisor = |plan: &CasePlan| {
            let at = (plan.opened_at + plan.closed_at) / 2;
            people[plan.investigator].manager(at).filter(|manager| {
                let same_throughout = people[plan.investigator].manager(plan.opened_at) == Some(*manager)
                    && people[plan.investigator].manager(plan.closed_at) == Some(*manager);
                *manager != plan.supervisor && same_throughout
            })
        };
        let case = self.case("N11", |plan, _| is_recent(plan) && not_the_supervisor(plan).is_some());
        let manager = not_the_supervisor(&self.post.world.cases[case]).expect("it was asked for");
        self.contact(
            case,
            "contact_enquiry",
            manager,
            about(
                "N11",
                false,
                "line-management",
                case,
                "the investigator's line manager of that day, who does not supervise the case, asks how it goes"
                    .to_owned(),
            ),
        );
        for (person, variant) in [(IT_STAFF, "it-staff"), (ADMINISTRATOR, "admin-staff")] {
            let case = self.case("N11", |plan, _| is_recent(plan));
            self.contact(
                case,
                "contact_support",
                person,
                about(
                    "N11",
                    false,
                    variant,
                    case,
                    "support staff write about the record, the room or the typing, not about the matter".to_owned(),
                ),
            );
        }
        self.tasked_review();
    }

    fn contact(&mut self, case: usize, kind: &'static str, person: usize, mut plant: Plant) {
        let at = self.post.enquiry_time(case);
        let investigator = self.post.world.cases[case].investigator;
        let letter = Letter::new(kind, "subject_contact", person, investigator, at).about(case);
        plant.people.push(person);
        plant.mails.push(self.post.write(letter));
        self.post.world.plant(plant);
    }

    /// N11: a reviewer without an appointment writes about the case on a tasking that is on record.
    fn tasked_review(&mut self) {
        let case = self.case("N11", |plan, _| plan.roles.iter().all(|role| role.person != REVIEWER));
        let asked_at = self.post.enquiry_time(case);
        let case_ref = self.post.world.cases[case].case_ref.clone();
        let name = format!("ToR {case_ref}/2");
        let (tasking, document) = self.post.task(case, REVIEWER, &name, asked_at);
        let day = working_from(day_of(asked_at) + 2);
        let at = office(day, self.post.rng);
        let plan = &self.post.world.cases[case];
        let letter = Letter::new("contact_enquiry", "subject_contact", REVIEWER, plan.investigator, at).about(case);
        let question = self.post.write(letter);
        let due = working_from(day_of(asked_at) + 12);
        let completed_at = office(working_until(due - 2), self.post.rng);
        let row = self.post.world.row(completed_at + 900, REVIEWER);
        let mut plant = about(
            "N11",
            false,
            "tasked-review",
            case,
            "the reviewer holds no appointment, but was tasked with terms of reference that are on file".to_owned(),
        );
        plant.people.push(REVIEWER);
        plant.rows = vec![row.no, document];
        plant.mails = vec![tasking, question];
        self.post.world.cases[case].reviews.push(Review {
            row,
            kind: "tasked",
            tasked_by: DEPUTY,
            reviewer: REVIEWER,
            due,
            completed_at,
            terms: Some(name),
        });
        self.post.world.plant(plant);
    }

    /// N13.
    fn gaps(&mut self) {
        let case = self.case("N13", |plan, _| is_recent(plan));
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let letter = Letter::new("progress", "subject_case", investigator, supervisor, at).about(case);
        let lost = self.post.write(letter);
        self.post.world.mails[lost].is_lost = true;
        let at = self.post.later(at);
        let letter = Letter::new("progress_reply", "subject_case", supervisor, investigator, at).about(case);
        let reply = self.post.write(letter.answering(lost, Repeat::Quoted));
        let mut plant = about(
            "N13",
            true,
            "held-nowhere",
            case,
            "a reply refers to and quotes a message that no mailbox holds".to_owned(),
        );
        plant.people.push(investigator);
        plant.mails = vec![lost, reply];
        self.post.world.plant(plant);

        let case = self.case("N13", |plan, _| {
            day_of(plan.opened_at) > super::dates::day(2012, 11, 22)
        });
        let at = self.post.enquiry_time(case);
        let plan = &self.post.world.cases[case];
        let (investigator, supervisor) = (plan.investigator, plan.supervisor);
        let letter = Letter::new("progress", "subject_case", supervisor, investigator, at).about(case);
        let unsent = self.post.write(letter);
        self.post.world.mails[unsent].is_unsent = true;
        let at = self.post.later(at);
        let letter = Letter::new("progress", "subject_case", investigator, supervisor, at).about(case);
        let reply = self.post.write(letter.answering(unsent, Repeat::Quoted));
        let mut plant = about("N13", true, "missing-from-sender", case, "the recipient holds the message, the sender's export does not, though it has mail from before and after it".to_owned());
        plant.people.push(supervisor);
        plant.mails = vec![unsent, reply];
        self.post.world.plant(plant);
        self.limits();
    }

    /// N13: two custodians whose exports begin later than their mail.
    fn limits(&mut self) {
        let mut by_count: Vec<usize> = INVESTIGATORS.to_vec();
        let horizon = horizon();
        by_count.sort_by_key(|person| {
            (
                std::cmp::Reverse(sent_before(self.post.world, *person, horizon).len()),
                *person,
            )
        });
        let limits = [
            (
                by_count[0],
                Limit::Retention,
                "different-retention",
                "older mail of the custodian was deleted under the retention rule; recipients still hold it",
            ),
            (
                by_count[1],
                Limit::Scope,
                "different-date-scope",
                "the custodian's export was asked for from a later day on; recipients hold what is older",
            ),
        ];
        for (person, limit, variant, why) in limits {
            let sent = sent_before(self.post.world, person, horizon);
            let days = sent.iter().map(|at| day_of(self.post.world.mails[*at].at));
            let from = days.max().map_or(horizon, |last| last + 1);
            let mut plant = about(
                "N13",
                false,
                variant,
                0,
                format!("{why} (held from {})", super::dates::text(from)),
            );
            plant.case = None;
            plant.people.push(person);
            plant.mails = sent;
            self.post.world.limits.push((person, from, limit));
            self.post.world.plant(plant);
        }
    }

    /// N14.
    fn quotations(&mut self) {
        for (is_fault, variant, why) in [
            (
                true,
                "words-changed",
                "the quotation says something else than the original that is held",
            ),
            (
                true,
                "words-changed",
                "the quotation says something else than the original that is held",
            ),
            (
                false,
                "re-wrapped",
                "the mail program broke the quoted lines elsewhere; the words are the same",
            ),
            (
                false,
                "trimmed",
                "greeting and signature were cut from the quotation; what is left is as it was",
            ),
        ] {
            let case = self.case("N14", |_, _| true);
            let at = self.post.enquiry_time(case);
            let original = self.post.talk_once(case, at)[0];
            let lines = self.post.world.lines(original);
            let shown = match variant {
                "re-wrapped" => rewrapped(&lines),
                "trimmed" => trimmed(&lines),
                _ => changed(&lines),
            };
            let plan = &self.post.world.cases[case];
            let (investigator, supervisor) = (plan.investigator, plan.supervisor);
            let moment = self.post.later(at) + 86_400 * 7;
            let moment = office(working_from(day_of(moment)), self.post.rng);
            let letter = Letter::new("progress_reply", "subject_case", supervisor, investigator, moment).about(case);
            let reply = self.post.write(letter.answering(original, Repeat::QuotedAs(shown)));
            let mut plant = about("N14", is_fault, variant, case, why.to_owned());
            plant.people.push(supervisor);
            plant.mails = vec![reply, original];
            self.post.world.plant(plant);
        }
    }
}

/// What somebody sent before a day, and is not lost.
fn sent_before(world: &World, person: usize, day: Day) -> Vec<usize> {
    let mails = world.mails.iter().enumerate();
    let of_person = mails.filter(|(_, mail)| mail.from == person && day_of(mail.at) < day);
    of_person.filter(|(_, mail)| !mail.is_lost).map(|(at, _)| at).collect()
}

/// The exports of two custodians begin before this day.
fn horizon() -> Day {
    super::dates::day(2010, 1, 1)
}

/// Every export reaches the whole case, so that a message to one custodian alone is held.
fn is_recent(plan: &CasePlan) -> bool {
    day_of(plan.opened_at) > horizon()
}

/// A delegate who holds no role in the case at any time.
fn stranger(plan: &CasePlan) -> Option<usize> {
    DELEGATES
        .into_iter()
        .find(|one| plan.roles.iter().all(|role| role.person != *one) && !SUPERVISORS.contains(one))
}

fn rewrapped(lines: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for paragraph in lines.split(String::is_empty) {
        if !all.is_empty() {
            all.push(String::new());
        }
        all.extend(wrap(&paragraph.join(" "), 40));
    }
    all
}

/// The middle of a message: without greeting, closing and name.
fn trimmed(lines: &[String]) -> Vec<String> {
    let paragraphs: Vec<&[String]> = lines.split(String::is_empty).collect();
    paragraphs.get(1).copied().unwrap_or(lines).to_vec()
}

/// Says the opposite: one sentence is put in, as somebody might who wants it to have been said.
fn changed(lines: &[String]) -> Vec<String> {
    let mut all = lines.to_vec();
    let at = lines.iter().position(String::is_empty).map_or(0, |empty| empty + 1);
    let words: Vec<&str> = lines.get(at).map_or(Vec::new(), |line| line.split(' ').collect());
    let half = words.len() / 2;
    let line = format!(
        "{} will not be looked at again because nothing was found in it",
        words[..half.max(1)].join(" ")
    );
    all.splice(at..=at, wrap(&line, 72));
    all
}
