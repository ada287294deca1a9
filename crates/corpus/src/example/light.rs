//! Plants that lie beside the structure of a case, in mail: decisions without a record, drafts and talk (N1), documents (N10),
//! contacts (N11); [`super::clocks`] has those in rows, [`super::gaps`] those between messages.
//!
//! Invariant: no case carries two plants of one rule, and clean cases carry none.

use super::clocks::ByMail;
use super::dates::{Day, day_of, office, working_from, working_until};
use super::mail::{audience, wording};
use super::people::{ADMINISTRATOR, DELEGATES, DEPUTY, IT_STAFF, OPERATIONS, REVIEWER, SUPERVISORS};
use super::plan::{Announce, Attachment, CasePlan, Plant, Repeat, Review};
use super::post::{Letter, Post};
use super::specs::{Spec, Structure};
use super::structure::about;

/// Plants of one case, at most.
const MOST: usize = 4;

/// Where plants may still go.
pub(super) struct Light<'p, 'w> {
    pub(super) post: &'p mut Post<'w>,
    pub(super) specs: &'p [Spec],
}

impl Light<'_, '_> {
    /// A case that may carry a plant of this rule and fits.
    pub(super) fn case(&mut self, rule: &str, fits: impl Fn(&CasePlan, &Spec) -> bool) -> usize {
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

    /// Plants in mail, after that of the cases was written.
    pub(super) fn plant_mail(&mut self, by_mail: Vec<ByMail>) {
        for update in by_mail {
            let mail = self.post.update(update.case, update.complainant, update.at);
            self.post.world.plants[update.plant].mails.push(mail);
        }
        self.unrecorded();
        let kinds = [
            ("draft", "draft", "subject_draft"),
            ("proposal", "proposal", "subject_proposal"),
            ("discussion", "discussion", "subject_discussion"),
            ("negated", "negated", "subject_discussion"),
            ("hypothetical", "hypothetical", "subject_discussion"),
        ];
        for (variant, kind, subject) in kinds {
            self.before_the_finding(variant, kind, subject);
        }
        // Another mixture with every seed.
        for _ in 0..self.post.rng.below(5) {
            let (variant, kind, subject) = *self.post.rng.pick(&kinds);
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
        let mut support = vec![(IT_STAFF, "it-staff"), (ADMINISTRATOR, "admin-staff")];
        for _ in 0..self.post.rng.below(4) {
            support.push(support[self.post.rng.below(2) as usize]);
        }
        for (person, variant) in support {
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
}

/// The exports of two custodians begin before this day.
pub(super) fn horizon() -> Day {
    super::dates::day(2010, 1, 1)
}

/// Every export reaches the whole case, so that a message to one custodian alone is held.
pub(super) fn is_recent(plan: &CasePlan) -> bool {
    day_of(plan.opened_at) > horizon()
}

/// A delegate who holds no role in the case at any time.
fn stranger(plan: &CasePlan) -> Option<usize> {
    DELEGATES
        .into_iter()
        .find(|one| plan.roles.iter().all(|role| role.person != *one) && !SUPERVISORS.contains(one))
}
