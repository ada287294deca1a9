//! Which 40 cases the example has: for each a kind, an era, a day of attention and what will be planted in its structure.
//!
//! Thirty-two cases carry one structural plant or belong to one, eight stay clean. Invariant: every era of DOMAIN section 2
//! has cases, and clean ones on both sides of every boundary between eras.

use crate::rng::Rng;

use super::dates::{Day, day, working_from, working_until};
use super::law::{CaseKind, Era};
use super::people::{COMPLAINANTS, DELEGATES, INVESTIGATORS, OFFICERS, SUPERVISORS, shuffle};

/// What is planted in the rows of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structure {
    Clean,
    /// The earlier matter of a linked pair; nothing is planted in it.
    Earlier,
    NoAuthority,
    WrongDecider,
    Delegation,
    DirectorGeneral,
    InvestigatorAuthority,
    AuthorityManager,
    ReviewerAuthority,
    TaskedReview,
    ActingCover,
    Undeclared,
    DeclaredNotRecorded,
    RecordedLater,
    RelationEnded,
    WrongRegulations,
    WrongNotice,
    LinkedMatter,
    TwiceSame,
    TwiceContradicted,
    TwiceRevision,
    TwiceAppeal,
    TwiceCorrection,
    Unconsulted,
    ConsultedInLog,
    ConsultedInMail,
    RecordedLate,
    Rewritten,
    Migrated,
}

use Structure::{
    ActingCover, AuthorityManager, Clean, ConsultedInLog, ConsultedInMail, DeclaredNotRecorded, Delegation,
    DirectorGeneral, Earlier, InvestigatorAuthority, LinkedMatter, Migrated, NoAuthority, RecordedLate, RecordedLater,
    RelationEnded, ReviewerAuthority, Rewritten, TaskedReview, TwiceAppeal, TwiceContradicted, TwiceCorrection,
    TwiceRevision, TwiceSame, Unconsulted, Undeclared, WrongDecider, WrongNotice, WrongRegulations,
};

impl Structure {
    /// Severity is revised once.
    pub(super) fn needs_revision(self) -> bool {
        matches!(self, Unconsulted | ConsultedInLog | ConsultedInMail)
    }

    fn is_conflict(self) -> bool {
        matches!(self, Undeclared | DeclaredNotRecorded | RecordedLater | RelationEnded)
    }
}

/// A case to be made.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) structure: Structure,
    pub(super) kind: CaseKind,
    pub(super) attention: Day,
    /// Days from attention to the case to answer determination.
    pub(super) days_to_finding: i64,
    pub(super) has_revision: bool,
    pub(super) officer: usize,
    pub(super) investigator: usize,
    pub(super) authority: usize,
    pub(super) chair: usize,
    pub(super) supervisor: usize,
    pub(super) complainant: usize,
    /// Names the pair of a linked matter.
    pub(super) pair: Option<usize>,
}

/// Cases of the era of 2020 that are complaints, because only their clocks and consultation are firm law.
const COMPLAINTS_OF_2020: [Structure; 8] = [
    WrongDecider,
    Unconsulted,
    ConsultedInLog,
    ConsultedInMail,
    WrongNotice,
    NoAuthority,
    Delegation,
    Undeclared,
];
/// In any era.
const ANYWHERE: [Structure; 11] = [
    InvestigatorAuthority,
    AuthorityManager,
    ReviewerAuthority,
    TaskedReview,
    ActingCover,
    DeclaredNotRecorded,
    RecordedLater,
    RelationEnded,
    RecordedLate,
    Rewritten,
    ActingCover,
];
/// In any era, conduct matters: a determination made twice has no second letter to a complainant.
const CONDUCT_ANYWHERE: [Structure; 5] = [
    TwiceSame,
    TwiceContradicted,
    TwiceRevision,
    TwiceAppeal,
    TwiceCorrection,
];

/// Days of the eras in which ordinary cases begin.
fn span(era: Era) -> (Day, Day) {
    match era {
        Era::Y2004 => (day(2005, 3, 1), day(2008, 11, 28)),
        Era::Y2008 => (day(2008, 12, 1), day(2012, 11, 21)),
        Era::Y2012 => (day(2012, 11, 22), day(2019, 6, 28)),
        Era::Y2020 => (day(2020, 2, 3), day(2022, 6, 30)),
    }
}

struct Maker<'a> {
    rng: &'a mut Rng,
    specs: Vec<Spec>,
    /// Officers of the four cases with a relation, then the two others.
    officers: Vec<usize>,
    /// A delegate and an officer who are related in some case.
    related: Vec<(usize, usize)>,
}

/// Decides all 40, in the order of their days of attention.
pub(super) fn make(migration: Day, rng: &mut Rng) -> Vec<Spec> {
    let mut officers = OFFICERS.to_vec();
    shuffle(&mut officers, rng);
    let related = officers[..4]
        .iter()
        .map(|officer| (*rng.pick(&DELEGATES), *officer))
        .collect();
    let mut maker = Maker {
        rng,
        specs: Vec::new(),
        officers,
        related,
    };
    maker.make_all(migration);
    let mut specs = maker.specs;
    specs.sort_by_key(|spec| spec.attention);
    specs
}

impl Maker<'_> {
    fn make_all(&mut self, migration: Day) {
        for structure in COMPLAINTS_OF_2020 {
            let at = self.some_day(Era::Y2020);
            let days = i64::from(self.rng.between(210, 300));
            self.add(structure, CaseKind::Complaint, at, days);
        }
        // Two of them take longer than a year.
        let first = self.rng.below(8) as usize;
        for at in [first, (first + 3) % 8] {
            self.specs[at].days_to_finding = i64::from(self.rng.between(385, 430));
        }
        let at = self.some_day(Era::Y2020);
        self.add(WrongRegulations, CaseKind::Conduct, at, 240);
        let at = self.some_day(Era::Y2020);
        self.add(DirectorGeneral, CaseKind::Recordable, at, 200);
        self.add_linked_pairs();
        for _ in 0..2 {
            let at = migration - i64::from(self.rng.between(110, 190));
            let days = i64::from(self.rng.between(230, 300));
            let kind = self.some_kind();
            self.add(Migrated, kind, at, days);
        }
        let mut eras = vec![Era::Y2004; 4];
        eras.extend([Era::Y2008; 5]);
        eras.extend([Era::Y2012; 6]);
        eras.push(Era::Y2020);
        shuffle(&mut eras, self.rng);
        let everywhere = ANYWHERE.iter().map(|structure| (*structure, None)).chain(
            CONDUCT_ANYWHERE
                .iter()
                .map(|structure| (*structure, Some(CaseKind::Conduct))),
        );
        for (nth, ((structure, kind), era)) in everywhere.zip(eras).enumerate() {
            // The last of those in any era is another look-alike of roles: there are three faults of them.
            let is_last = nth + 1 == ANYWHERE.len();
            let structure = if is_last && self.rng.below(2) == 0 {
                TaskedReview
            } else {
                structure
            };
            let at = self.some_day(era);
            let days = i64::from(self.rng.between(90, 280));
            let kind = kind.unwrap_or_else(|| self.some_kind());
            self.add(structure, kind, at, days);
        }
        self.add_clean();
    }

    /// Two complaints about the matter of an earlier one that is still being handled (SI 2020/2 reg 2(2)(b)).
    fn add_linked_pairs(&mut self) {
        for pair in 0..2 {
            let first = working_from(day(2019, 9, 16) + i64::from(self.rng.below(55)));
            let days = i64::from(self.rng.between(285, 330));
            self.add(Earlier, CaseKind::Complaint, first, days);
            let later = working_from(first + i64::from(self.rng.between(152, 200)));
            let days = i64::from(self.rng.between(120, 200));
            self.add(LinkedMatter, CaseKind::Complaint, later, days);
            let at = self.specs.len() - 1;
            let earlier = self.specs[at - 1].clone();
            let spec = &mut self.specs[at];
            spec.officer = earlier.officer;
            spec.complainant = earlier.complainant;
            spec.authority = earlier.authority;
            spec.chair = earlier.chair;
            spec.pair = Some(pair);
            self.specs[at - 1].pair = Some(pair);
        }
    }

    /// Clean cases: six hug the boundaries between eras, two lie anywhere. Half of the complaints have a proper revision.
    fn add_clean(&mut self) {
        let boundaries = [day(2008, 12, 1), day(2012, 11, 22), day(2020, 2, 1)];
        for boundary in boundaries {
            for is_after in [false, true] {
                let away = i64::from(self.rng.below(9));
                let at = if is_after {
                    working_from(boundary + away)
                } else {
                    working_until(boundary - 1 - away)
                };
                let days = i64::from(self.rng.between(100, 320));
                let kind = self.some_kind();
                self.add(Clean, kind, at, days);
            }
        }
        for era in [Era::Y2012, Era::Y2020] {
            let at = self.some_day(era);
            self.add(Clean, CaseKind::Complaint, at, 210);
            if let Some(spec) = self.specs.last_mut() {
                spec.has_revision = true;
            }
        }
    }

    fn some_day(&mut self, era: Era) -> Day {
        let (from, to) = span(era);
        let day = from + i64::from(self.rng.below((to - from) as u32));
        let later = working_from(day);
        if later <= to { later } else { working_until(day) }
    }

    fn some_kind(&mut self) -> CaseKind {
        match self.rng.below(10) {
            0..4 => CaseKind::Complaint,
            4..9 => CaseKind::Conduct,
            _ => CaseKind::Internal,
        }
    }

    fn add(&mut self, structure: Structure, kind: CaseKind, attention: Day, days_to_finding: i64) {
        let conflicts = self.specs.iter().filter(|spec| spec.structure.is_conflict()).count();
        let (officer, authority) = if structure.is_conflict() {
            let (delegate, officer) = self.related[conflicts];
            (officer, delegate)
        } else {
            // A delegation takes all three delegates, so nobody may be related there.
            let officer = if structure == Delegation {
                self.officers[4 + self.rng.below(2) as usize]
            } else {
                *self.rng.pick(&self.officers)
            };
            let free = self.free_delegates(officer);
            (officer, *self.rng.pick(&free))
        };
        let mut others = self.free_delegates(officer);
        others.retain(|delegate| *delegate != authority);
        let chair = *self.rng.pick(&others);
        let spec = Spec {
            structure,
            kind,
            attention: working_from(attention),
            days_to_finding,
            has_revision: structure.needs_revision(),
            officer,
            investigator: *self.rng.pick(&INVESTIGATORS),
            authority,
            chair,
            supervisor: *self.rng.pick(&SUPERVISORS),
            complainant: *self.rng.pick(&COMPLAINANTS),
            pair: None,
        };
        self.specs.push(spec);
    }

    fn free_delegates(&self, officer: usize) -> Vec<usize> {
        DELEGATES
            .into_iter()
            .filter(|delegate| !self.related.contains(&(*delegate, officer)))
            .collect()
    }
}
