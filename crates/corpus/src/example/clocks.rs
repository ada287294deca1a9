//! Plants in rows beside the structure of a case, before there is mail: a decision that nobody will mention, a formal record
//! that follows later (N1), and clocks (N8).

use super::dates::{after_working_days, day_of, office, working_from};
use super::law::{CaseKind, Era};
use super::light::Light;
use super::plan::{Announce, CasePlan, Log, Plant};
use super::specs::{Spec, Structure};
use super::structure::about;

/// An update that will be given by mail alone.
pub(super) struct ByMail {
    pub(super) case: usize,
    pub(super) complainant: usize,
    pub(super) at: i64,
    pub(super) plant: usize,
}

impl Light<'_, '_> {
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
        plan.decisions[at].announce = Announce::SaidBefore(i64::from(self.post.rng.between(3, 7)));
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
        // The rows on both sides of the gap belong to it.
        let before = at - 1;
        let (previous, after) = (plan.updates[before].sent_at, at + 1);
        plant.rows = vec![plan.row.no, plan.updates[before].row.no, plan.updates[after].row.no];
        if plant.is_fault {
            let previous = previous.expect("clean updates were sent");
            plan.updates[after].due = day_of(previous) + 28;
        }
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
}
