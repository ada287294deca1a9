//! Which regulations govern a case of the example, and what they are called (DOMAIN sections 2 and 3).
//!
//! Facts for the maker, written apart from the rules of `casework`. Only what is firm in the specification is planted as a
//! fault; decisions of 2004 cite no single regulation.

use super::dates::{Day, day};

/// The regulations of one era.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Era {
    Y2004,
    Y2008,
    Y2012,
    Y2020,
}

/// What a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaseKind {
    Complaint,
    Conduct,
    Internal,
    /// A recordable conduct matter that the Director General investigates.
    Recordable,
}

impl CaseKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Conduct => "conduct_matter",
            Self::Internal => "internal",
            Self::Recordable => "recordable_conduct_matter",
        }
    }

    /// Under Schedule 3 of the Police Reform Act 2002.
    pub(super) fn schedule_3(self) -> bool {
        matches!(self, Self::Complaint | Self::Recordable)
    }
}

impl Era {
    /// The era of a matter that came to attention on this day.
    pub(super) fn of(attention: Day) -> Self {
        if attention < day(2008, 12, 1) {
            Self::Y2004
        } else if attention < day(2012, 11, 22) {
            Self::Y2008
        } else if attention < day(2020, 2, 1) {
            Self::Y2012
        } else {
            Self::Y2020
        }
    }

    /// The conduct regulations.
    pub(super) fn conduct(self) -> &'static str {
        match self {
            Self::Y2004 => "Police (Conduct) Regulations 2004",
            Self::Y2008 => "Police (Conduct) Regulations 2008",
            Self::Y2012 => "Police (Conduct) Regulations 2012 (SI 2012/2632)",
            Self::Y2020 => "Police (Conduct) Regulations 2020 (SI 2020/4)",
        }
    }

    /// The complaints regulations.
    pub(super) fn complaints(self) -> &'static str {
        match self {
            Self::Y2004 | Self::Y2008 => "Police (Complaints and Misconduct) Regulations 2004 (SI 2004/643)",
            Self::Y2012 => "Police (Complaints and Misconduct) Regulations 2012 (SI 2012/1204)",
            Self::Y2020 => "Police (Complaints and Misconduct) Regulations 2020 (SI 2020/2)",
        }
    }

    /// The regulations that govern a case of this kind.
    pub(super) fn governing(self, kind: CaseKind) -> &'static str {
        if kind.schedule_3() {
            self.complaints()
        } else {
            self.conduct()
        }
    }

    /// The regulations and the single regulation that a decision cites.
    pub(super) fn cited(self, decision: &str, kind: CaseKind) -> (&'static str, Option<&'static str>) {
        let is_of_investigator = kind.schedule_3()
            && matches!(
                decision,
                "severity_assessment" | "severity_revision" | "special_requirements"
            );
        let regulations = if is_of_investigator || (decision == "recording" && kind.schedule_3()) {
            self.complaints()
        } else {
            self.conduct()
        };
        let regulation = match (self, decision) {
            (Self::Y2004, _) => None,
            (Self::Y2008 | Self::Y2012, "severity_assessment") if kind.schedule_3() => {
                Some("Police Reform Act 2002 Schedule 3 paragraph 19B")
            }
            (Self::Y2008 | Self::Y2012, "severity_assessment") => Some("reg 12"),
            (Self::Y2008 | Self::Y2012, "appointment") if !kind.schedule_3() => Some("reg 13"),
            (Self::Y2008 | Self::Y2012, "case_to_answer") => Some("reg 19"),
            (Self::Y2020, "severity_assessment") if kind.schedule_3() => Some("reg 16"),
            (Self::Y2020, "severity_assessment") => Some("reg 14"),
            (Self::Y2020, "severity_revision") if kind.schedule_3() => Some("reg 19"),
            (Self::Y2020, "appointment") if !kind.schedule_3() => Some("reg 15"),
            (Self::Y2020, "case_to_answer") => Some("reg 23(1)"),
            _ => None,
        };
        (regulations, regulation)
    }

    /// The notice to the officer.
    pub(super) fn notice(self, kind: CaseKind) -> &'static str {
        match (self, kind.schedule_3()) {
            (Self::Y2004, _) => "reg_9",
            (Self::Y2008, true) => "reg_14A",
            (Self::Y2008 | Self::Y2012, false) => "reg_15",
            (Self::Y2012, true) => "reg_16",
            (Self::Y2020, _) => "reg_17",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_attention_decides_on_both_sides_of_every_boundary() {
        for (date, before, after) in [
            ((2008, 12, 1), Era::Y2004, Era::Y2008),
            ((2012, 11, 22), Era::Y2008, Era::Y2012),
            ((2020, 2, 1), Era::Y2012, Era::Y2020),
        ] {
            let boundary = day(date.0, date.1, date.2);
            assert_eq!(Era::of(boundary - 1), before);
            assert_eq!(Era::of(boundary), after);
        }
    }
}
