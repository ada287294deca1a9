//! Plants in the rows of a case: who decided, in which roles, under which regulations, how often, and when it was recorded.
//!
//! Each function changes a clean case so that exactly one rule of DOMAIN section 8 has something to find, or something that
//! only looks like it. Messages are made afterwards from the changed rows.

use crate::rng::Rng;

use super::cases::{DELEGATED, decision, soon_after};
use super::dates::{Day, after_working_days, at, day_of, office, spoken, working_from, working_until};
use super::people::{DELEGATES, DEPUTY, REVIEWER, SUPERVISORS};
use super::plan::{Change, Decision, Declaration, Entry, Log, Plant, Register, Review, Role, World};
use super::specs::{Spec, Structure};

/// How people of the decision chain and officers know one another.
pub(super) const RELATIONS: [&str; 8] = [
    "my cousin",
    "my brother-in-law's business partner",
    "a close family friend",
    "godparent to my daughter",
    "my next-door neighbour",
    "somebody I share an allotment with",
    "my former lodger",
    "married to my cousin",
];

impl World {
    /// Puts a plant into the truth; returns its place, so that messages can be added.
    pub(super) fn plant(&mut self, plant: Plant) -> usize {
        self.plants.push(plant);
        self.plants.len() - 1
    }
}

/// A plant of a case.
pub(super) fn about(rule: &'static str, is_fault: bool, variant: &'static str, case: usize, why: String) -> Plant {
    Plant {
        rule,
        is_fault,
        variant,
        case: Some(case),
        people: Vec::new(),
        rows: Vec::new(),
        mails: Vec::new(),
        why,
    }
}

/// Plants what the specification asks for.
pub(super) fn plant(world: &mut World, case: usize, spec: &Spec, rng: &mut Rng) {
    match spec.structure {
        Structure::Clean | Structure::Earlier => {}
        Structure::NoAuthority | Structure::WrongDecider | Structure::Delegation | Structure::DirectorGeneral => {
            authority(world, case, spec.structure, rng)
        }
        Structure::InvestigatorAuthority
        | Structure::AuthorityManager
        | Structure::ReviewerAuthority
        | Structure::TaskedReview
        | Structure::ActingCover => roles(world, case, spec.structure, rng),
        Structure::Undeclared
        | Structure::DeclaredNotRecorded
        | Structure::RecordedLater
        | Structure::RelationEnded => conflict(world, case, spec.structure, rng),
        Structure::WrongRegulations | Structure::WrongNotice | Structure::LinkedMatter => {
            framework(world, case, spec.structure);
        }
        Structure::TwiceSame
        | Structure::TwiceContradicted
        | Structure::TwiceRevision
        | Structure::TwiceAppeal
        | Structure::TwiceCorrection => twice(world, case, spec.structure, rng),
        Structure::Unconsulted | Structure::ConsultedInLog | Structure::ConsultedInMail => {
            consultation(world, case, spec.structure);
        }
        Structure::RecordedLate | Structure::Rewritten | Structure::Migrated => {
            recording(world, case, spec.structure, rng);
        }
    }
}

fn finding(world: &World, case: usize) -> usize {
    world.cases[case]
        .decision("case_to_answer")
        .expect("every case has a determination")
}

/// N2.
fn authority(world: &mut World, case: usize, structure: Structure, rng: &mut Rng) {
    let kind = match structure {
        Structure::WrongDecider | Structure::DirectorGeneral => "severity_assessment",
        _ => "case_to_answer",
    };
    let at = world.cases[case].decision(kind).expect("these cases are of 2020");
    let plan = &world.cases[case];
    let decided_at = plan.decisions[at].decided_at;
    let (authority, supervisor, chair) = (plan.authority, plan.supervisor, plan.chair);
    let mut plant = match structure {
        Structure::NoAuthority => {
            world.cases[case].decisions[at].decided_by = supervisor;
            // The other supervisor makes its reviews, so that nobody both reviews and decides.
            let other = SUPERVISORS[usize::from(supervisor == SUPERVISORS[0])];
            for review in &mut world.cases[case].reviews {
                review.reviewer = other;
                review.row.recorded_by = other;
            }
            let why = "the determination was made by the supervisor of the case, who held no delegation of the appropriate authority that day";
            about("N2", true, "no-authority", case, why.to_owned())
        }
        Structure::WrongDecider => {
            let made = &mut world.cases[case].decisions[at];
            made.decided_by = authority;
            made.role = "appropriate_authority_delegate";
            let why = "a local complaint of 2020: severity is for the person investigating (SI 2020/2 reg 16), it was assessed by the appropriate authority's delegate";
            about("N2", true, "wrong-decider", case, why.to_owned())
        }
        Structure::Delegation => {
            let third = DELEGATES
                .into_iter()
                .find(|one| *one != authority && *one != chair)
                .expect("there are three delegates");
            let (from, to) = (
                working_until(day_of(decided_at) - 2),
                working_from(day_of(decided_at) + 3),
            );
            world.cases[case].decisions[at].decided_by = third;
            let row = world.row(super::dates::at(from, 540), authority);
            let no = row.no;
            let name = world.people[authority].spoken(decided_at);
            world.cases[case].roles.push(Role {
                row,
                person: third,
                role: "appropriate_authority_delegate",
                from: super::dates::at(from, 525),
                to: super::dates::at(to, 1035),
                terms: None,
                basis: format!(
                    "written delegation of {} for the leave of {name}; {DELEGATED}",
                    spoken(from)
                ),
                acting: true,
            });
            let why = "the determination was made by a delegate appointed for a few days by a written delegation that is on record";
            let mut plant = about("N2", false, "valid-delegation", case, why.to_owned());
            plant.rows.push(no);
            plant
        }
        _ => {
            let why = "severity was assessed by the Director General's delegate in an independent investigation (SI 2020/2 reg 16)";
            about("N2", false, "director-generals-case", case, why.to_owned())
        }
    };
    let made = &mut world.cases[case].decisions[at];
    made.row.recorded_by = made.decided_by;
    made.row.recorded_at = soon_after(decided_at, rng);
    plant.people.push(made.decided_by);
    plant.rows.insert(0, made.row.no);
    world.plant(plant);
}

/// N3.
fn roles(world: &mut World, case: usize, structure: Structure, rng: &mut Rng) {
    let found = finding(world, case);
    let plan = &world.cases[case];
    let before = &plan.decisions[found - 1];
    let (last, determined) = (day_of(before.decided_at), day_of(plan.decisions[found].decided_at));
    let middle = working_from((last + determined) / 2);
    let closed = plan.closed_at;
    let (investigator, authority) = (plan.investigator, plan.authority);
    let case_ref = plan.case_ref.clone();
    let role = |person, role, from, to, terms: Option<String>, basis: String, acting| Role {
        row: super::plan::Row {
            no: 0,
            recorded_at: 0,
            recorded_by: 0,
            stamped: false,
            history: Vec::new(),
        },
        person,
        role,
        from,
        to,
        terms,
        basis,
        acting,
    };
    let (made, mut plant) = match structure {
        Structure::InvestigatorAuthority => (
            role(investigator, "appropriate_authority_delegate", at(middle, 540), closed, None, DELEGATED.to_owned(), false),
            about("N3", true, "investigator-and-authority", case, "the investigator was also given the delegation of the appropriate authority, with no end before the case closed".to_owned()),
        ),
        Structure::AuthorityManager => (
            role(authority, "line_manager", at(middle, 540), closed, None, "line manager of the investigator for this case".to_owned(), false),
            about("N3", true, "authority-and-line-manager", case, "the appropriate authority's delegate was at the same time line manager on the case".to_owned()),
        ),
        Structure::ReviewerAuthority => (
            role(authority, "reviewer", at(middle, 540), closed, None, "review of the investigation".to_owned(), false),
            about("N3", true, "reviewer-and-decider", case, "the delegate who decided was also reviewer of the case, with no tasking and no terms of reference on record".to_owned()),
        ),
        Structure::TaskedReview => {
            let terms = format!("ToR {case_ref}/1");
            (
                role(authority, "reviewer", at(middle, 540), at(working_from(middle + 14), 1035), Some(terms), "tasked by the Deputy Chief Constable".to_owned(), false),
                about("N3", false, "tasked-review-on-file", case, "the delegate reviewed timeliness for two weeks on a tasking with terms of reference that are on file, and decided nothing in that time".to_owned()),
            )
        }
        _ => (
            role(investigator, "appropriate_authority_delegate", at(middle, 540), at(working_from(middle + 3), 1035), None, "acting cover for the delegate's leave, routine correspondence only".to_owned(), true),
            about("N3", false, "acting-cover", case, "the investigator covered for the delegate for a few days as acting, and nothing was decided in that time".to_owned()),
        ),
    };
    let recorded_at = made.from + 1200;
    let row = world.row(recorded_at, DEPUTY);
    plant.people.push(made.person);
    plant.rows.push(row.no);
    let person = made.person;
    let other: Vec<u32> = world.cases[case]
        .roles
        .iter()
        .filter(|one| one.person == person)
        .map(|one| one.row.no)
        .collect();
    plant.rows.extend(other);
    if structure == Structure::TaskedReview {
        let completed_at = office(working_from(middle + 11), rng);
        let review = world.row(completed_at + 900, authority);
        plant.rows.push(review.no);
        let terms = made.terms.clone();
        world.cases[case].reviews.push(Review {
            row: review,
            kind: "tasked",
            tasked_by: DEPUTY,
            reviewer: authority,
            due: working_from(middle + 14),
            completed_at,
            terms,
        });
    }
    world.cases[case].roles.push(Role { row, ..made });
    world.plant(plant);
}

/// N4.
fn conflict(world: &mut World, case: usize, structure: Structure, rng: &mut Rng) {
    let found = finding(world, case);
    let plan = &world.cases[case];
    let (authority, officer) = (plan.authority, plan.officer);
    let determination = plan.decisions[found].row.no;
    let attention = day_of(plan.attention_at);
    let relation = (*rng.pick(&RELATIONS)).to_owned();
    let mut plant = match structure {
        Structure::Undeclared => {
            let no = associate(world, authority, officer, &relation, attention - 700, None);
            let why = "the register of associations joins the delegate and the officer concerned, and no declaration was made before the determination";
            let mut plant = about("N4", true, "undeclared", case, why.to_owned());
            plant.rows.push(no);
            plant
        }
        Structure::RelationEnded => {
            let no = associate(
                world,
                authority,
                officer,
                &relation,
                attention - 2400,
                Some(attention - 800),
            );
            let why = "the association on the register ended more than two years before the matter came to attention";
            let mut plant = about("N4", false, "relation-ended", case, why.to_owned());
            plant.rows.push(no);
            plant
        }
        Structure::DeclaredNotRecorded => {
            let why = "the delegate declared the relation by mail before the determination, and the case system holds no declaration";
            about("N4", true, "declared-not-recorded", case, why.to_owned())
        }
        _ => {
            let declared_at = plan.opened_at + 60 * i64::from(rng.between(20, 90));
            let recorded_at = office(after_working_days(attention, 20 + rng.below(10)), rng);
            let row = world.row(recorded_at, DEPUTY);
            let why = "the delegate declared the relation by mail before any decision; the same declaration was put on the case system weeks later, after the first decisions";
            let mut plant = about("N4", false, "declared-by-mail-recorded-later", case, why.to_owned());
            plant.rows.push(row.no);
            world.cases[case].declarations.push(Declaration {
                row,
                person: authority,
                other: Some(officer),
                nature: relation.clone(),
                at: declared_at,
                to: DEPUTY,
                assessment: "managed",
            });
            plant
        }
    };
    plant.people = vec![authority, officer];
    if matches!(structure, Structure::Undeclared | Structure::RecordedLater) {
        let theirs = world.cases[case]
            .decisions
            .iter()
            .filter(|made| made.decided_by == authority);
        plant.rows.extend(theirs.map(|made| made.row.no));
    } else {
        plant.rows.push(determination);
    }
    world.plant(plant);
}

fn associate(world: &mut World, person: usize, other: usize, nature: &str, from: Day, to: Option<Day>) -> u32 {
    let declared = working_from(from + 20);
    let row = world.row(at(declared, 700), person);
    let no = row.no;
    world.registers.push(Register {
        row,
        entry: Entry::Association {
            person,
            other,
            nature: nature.to_owned(),
            declared,
            from,
            to,
        },
    });
    no
}

/// N5.
fn framework(world: &mut World, case: usize, structure: Structure) {
    use super::law::Era;
    let plan = &mut world.cases[case];
    let kind = plan.kind;
    let cite_2012 = |decisions: &mut Vec<Decision>| {
        for made in decisions {
            let (regulations, regulation) = Era::Y2012.cited(made.kind, kind);
            made.regulations = regulations.to_owned();
            made.regulation = regulation.map(str::to_owned);
        }
    };
    let mut plant = match structure {
        Structure::WrongRegulations => {
            plan.governing = Era::Y2012.governing(kind).to_owned();
            plan.governing_basis = None;
            cite_2012(&mut plan.decisions);
            let why = "the matter came to attention after 31 January 2020, the case and its decisions cite the regulations of 2012";
            let mut plant = about("N5", true, "wrong-regulations", case, why.to_owned());
            plant.rows.push(plan.row.no);
            plant.rows.extend(plan.decisions.iter().map(|made| made.row.no));
            plant
        }
        Structure::WrongNotice => {
            plan.notices[0].kind = "reg_16";
            let why = "the officer was served with the notice of the complaints regulations of 2012 in a case governed by those of 2020";
            let mut plant = about("N5", true, "wrong-notice", case, why.to_owned());
            plant.rows.push(plan.notices[0].row.no);
            plant
        }
        _ => {
            let earlier = plan
                .linked
                .first()
                .copied()
                .expect("a later matter has its earlier one");
            plan.governing = Era::Y2012.governing(kind).to_owned();
            plan.governing_basis = Some(
                "SI 2020/2 reg 2(2)(b): complaint about a matter of which an earlier complaint is being handled"
                    .to_owned(),
            );
            cite_2012(&mut plan.decisions);
            plan.notices[0].kind = Era::Y2012.notice(kind);
            let why = "a later complaint about the matter of an earlier one that was still being handled stays with the older regulations";
            let mut plant = about("N5", false, "linked-earlier-matter", case, why.to_owned());
            plant.rows.push(plan.row.no);
            plant.rows.extend(plan.decisions.iter().map(|made| made.row.no));
            plant.rows.extend(plan.notices.iter().map(|notice| notice.row.no));
            plant.rows.push(world.cases[earlier].row.no);
            plant
        }
    };
    plant.people.push(world.cases[case].officer);
    world.plant(plant);
}

/// N6.
fn twice(world: &mut World, case: usize, structure: Structure, rng: &mut Rng) {
    let found = finding(world, case);
    let first = world.cases[case].decisions[found].clone();
    let on = working_from(day_of(first.decided_at) + i64::from(rng.between(12, 18)));
    let opposite = if first.outcome == "case to answer" {
        "no case to answer"
    } else {
        "case to answer"
    };
    // The later determination leads to the end of the case, so where they differ the first one is the odd one.
    let changes = matches!(
        structure,
        Structure::TwiceContradicted | Structure::TwiceRevision | Structure::TwiceAppeal
    );
    let plan = world.cases[case].clone();
    let mut second = decision(world, &plan, "case_to_answer", &first.outcome, on, rng);
    if changes {
        world.cases[case].decisions[found].outcome = opposite.to_owned();
    }
    let basis = match structure {
        Structure::TwiceRevision => Some("revision"),
        Structure::TwiceAppeal => Some("appeal"),
        Structure::TwiceCorrection => Some("correction"),
        _ => None,
    };
    second.supersedes = basis.map(|basis| (first.row.no, basis));
    let (is_fault, variant, why) = match structure {
        Structure::TwiceSame => (
            true,
            "made-twice",
            "a case to answer determination was made where one already existed; neither row refers to the other",
        ),
        Structure::TwiceContradicted => (
            true,
            "contradicted",
            "a second determination says the opposite of the first; no review, appeal or revision is on record",
        ),
        Structure::TwiceRevision => (
            false,
            "authorised-re-determination",
            "the second determination is recorded as a revision that supersedes the first",
        ),
        Structure::TwiceAppeal => (
            false,
            "appeal",
            "the second determination follows an appeal that is on record and supersedes the first",
        ),
        _ => (
            false,
            "correction",
            "the second row corrects a mistake in the first, which it supersedes; the outcome is the same",
        ),
    };
    let mut plant = about("N6", is_fault, variant, case, why.to_owned());
    plant.people = vec![first.decided_by, plan.officer];
    plant.rows = vec![first.row.no, second.row.no];
    if structure == Structure::TwiceAppeal {
        let completed_at = office(working_until(on - 4), rng);
        let row = world.row(completed_at + 900, REVIEWER);
        plant.rows.push(row.no);
        world.cases[case].reviews.push(Review {
            row,
            kind: "appeal",
            tasked_by: DEPUTY,
            reviewer: REVIEWER,
            due: on,
            completed_at,
            terms: None,
        });
    }
    world.cases[case].decisions.insert(found + 1, second);
    world.plant(plant);
}

/// N7.
fn consultation(world: &mut World, case: usize, structure: Structure) {
    let plan = &mut world.cases[case];
    let at = plan.decision("severity_revision").expect("these cases have a revision");
    plan.decisions[at].consulted.clear();
    let revised_at = plan.decisions[at].decided_at;
    let mut rows = vec![plan.decisions[at].row.no];
    let people = vec![plan.investigator, plan.authority];
    let investigator = plan.investigator;
    let (is_fault, variant, why) = match structure {
        Structure::Unconsulted => (
            true,
            "no-consultation",
            "severity was changed and neither the record nor any mail shows that the appropriate authority was consulted",
        ),
        Structure::ConsultedInLog => (
            false,
            "consultation-in-the-log",
            "the decision row names nobody consulted, the log of the case has the consultation the day before",
        ),
        _ => (
            false,
            "consultation-in-mail",
            "the decision row names nobody consulted, mail shows the question and the answer before the change",
        ),
    };
    if structure == Structure::ConsultedInLog {
        let day = super::dates::working_until(day_of(revised_at) - 1);
        let entry_at = super::dates::at(day, 690);
        let name = world.people[world.cases[case].authority].spoken(revised_at);
        let row = world.row(entry_at + 600, investigator);
        rows.push(row.no);
        world.cases[case].logs.push(Log {
            row,
            at: entry_at,
            author: investigator,
            category: "consultation",
            text: format!("Spoke to {name} as appropriate authority about revising the severity assessment; views given and considered."),
        });
    }
    let mut plant = about("N7", is_fault, variant, case, why.to_owned());
    plant.people = people;
    plant.rows = rows;
    world.plant(plant);
}

/// N9.
fn recording(world: &mut World, case: usize, structure: Structure, rng: &mut Rng) {
    let migration = world.migration;
    let plan = &mut world.cases[case];
    let mut plant = match structure {
        Structure::RecordedLate => {
            let at = rng.below(plan.decisions.len() as u32 - 1) as usize;
            let made = &mut plan.decisions[at];
            made.row.recorded_at = office(
                working_from(day_of(made.decided_at) + i64::from(rng.between(40, 70))),
                rng,
            );
            let why = "the decision was put on the system weeks after it was made";
            let mut plant = about("N9", true, "recorded-late", case, why.to_owned());
            plant.people.push(made.decided_by);
            plant.rows.push(made.row.no);
            plant
        }
        Structure::Rewritten => {
            let at = plan.decision("case_to_answer").expect("every case has a determination");
            let made = &mut plan.decisions[at];
            let changed_at = office(
                working_from(day_of(made.decided_at) + i64::from(rng.between(60, 100))),
                rng,
            );
            // First recorded under a day two working days later, months afterwards moved back to the day that mail has.
            let minute = (made.decided_at - super::dates::at(day_of(made.decided_at), 0)) / 60;
            let first = super::dates::at(after_working_days(day_of(made.decided_at), 2), minute);
            made.row.recorded_at = first + 1200;
            let old = crate::calendar::rfc3339(first);
            let new = crate::calendar::rfc3339(made.decided_at);
            made.row.history.push(Change {
                field: "decided_at",
                old,
                new,
                at: changed_at,
                by: made.decided_by,
            });
            let why = "the field history shows that the day of the decision was moved back months later";
            let mut plant = about("N9", true, "rewritten-later", case, why.to_owned());
            plant.people.push(made.decided_by);
            plant.rows.push(made.row.no);
            plant
        }
        _ => {
            let why = "the rows were moved to the newer system in the bulk migration, which wrote its own moment as the moment of recording";
            let mut plant = about("N9", false, "bulk-migration", case, why.to_owned());
            for made in &mut plan.decisions {
                if day_of(made.row.recorded_at) < migration {
                    made.row.stamped = true;
                    plant.rows.push(made.row.no);
                }
            }
            plant
        }
    };
    plant.people.dedup();
    world.plant(plant);
}
