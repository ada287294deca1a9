//! Who may do what in a case: roles, tasks, and the one table between them.
//!
//! Not for: who has which role (`store::facts::users`), or what an actor is kept from seeing (`store::sight`). Main function: [`may`].
//! Invariant: `privilege reviewer` is the only role that sees what is quarantined, and it is held alone: whoever runs the terms of
//! privilege works outside of the team (R (McKenzie) v Director of the SFO \[2016\] EWHC 102 (Admin)).

use std::fmt;

/// What somebody is in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Gives roles; does everything but see or release what is quarantined.
    Administrator,
    /// Takes evidence in.
    IngestTechnician,
    /// Searches, reviews, follows indicators.
    Investigator,
    /// Keeps the register of exhibits.
    ExhibitOfficer,
    /// Prepares schedules and productions.
    DisclosureOfficer,
    /// Runs the terms of privilege and sees what they quarantine; outside of the team.
    PrivilegeReviewer,
    /// Checks the case and its records.
    Auditor,
    /// Searches and reads.
    Reader,
}

impl Role {
    /// All roles, in the order of the documents.
    pub const ALL: [Self; 8] = [
        Self::Administrator,
        Self::IngestTechnician,
        Self::Investigator,
        Self::ExhibitOfficer,
        Self::DisclosureOfficer,
        Self::PrivilegeReviewer,
        Self::Auditor,
        Self::Reader,
    ];

    /// The word on the command line, in JSON and in the catalogue.
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::IngestTechnician => "ingest-technician",
            Self::Investigator => "investigator",
            Self::ExhibitOfficer => "exhibit-officer",
            Self::DisclosureOfficer => "disclosure-officer",
            Self::PrivilegeReviewer => "privilege-reviewer",
            Self::Auditor => "auditor",
            Self::Reader => "reader",
        }
    }

    /// The role with this word; spaces and underscores count as hyphens, and case does not matter.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a command does in a case, as far as roles care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Users and their roles.
    Users,
    /// Taking evidence and records in, making the index again.
    Ingest,
    /// What is in the case, its runs and exceptions, as totals and names of files.
    Status,
    /// Checking the case folder, the history, the audit trail; replaying certificates.
    Audit,
    /// Searching and reading: hits, items, threads, records, people, timelines, reports.
    Look,
    /// Saved searches, conclusions about indicators, who is who.
    Investigate,
    /// Tags, review states, notes, batches.
    Review,
    /// Exhibits, their continuity and their links.
    Exhibits,
    /// Schedules and productions.
    Disclose,
    /// Marking what may be privileged.
    MarkPrivilege,
    /// Terms of privilege, screening, release; seeing what is quarantined.
    Quarantine,
}

impl Task {
    /// All tasks, in the order of the documents.
    pub const ALL: [Self; 11] = [
        Self::Users,
        Self::Ingest,
        Self::Status,
        Self::Audit,
        Self::Look,
        Self::Investigate,
        Self::Review,
        Self::Exhibits,
        Self::Disclose,
        Self::MarkPrivilege,
        Self::Quarantine,
    ];

    /// A short name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Ingest => "ingest",
            Self::Status => "status",
            Self::Audit => "audit",
            Self::Look => "look",
            Self::Investigate => "investigate",
            Self::Review => "review",
            Self::Exhibits => "exhibits",
            Self::Disclose => "disclose",
            Self::MarkPrivilege => "mark-privilege",
            Self::Quarantine => "quarantine",
        }
    }

    /// What it is, for people; fits behind "may".
    pub fn means(self) -> &'static str {
        match self {
            Self::Users => "add users, give them roles, disable them",
            Self::Ingest => "take evidence and records in, make the index again",
            Self::Status => "see totals, runs and exceptions",
            Self::Audit => "check the case, read the history, replay certificates",
            Self::Look => "search and read",
            Self::Investigate => "save searches, conclude on indicators, say who is who",
            Self::Review => "tag, review, write notes, work on batches",
            Self::Exhibits => "keep exhibits",
            Self::Disclose => "make schedules and productions",
            Self::MarkPrivilege => "mark what may be privileged",
            Self::Quarantine => "run the terms of privilege, see what is quarantined, put releases on record",
        }
    }

    /// The roles that may do it: the table.
    pub fn roles(self) -> &'static [Role] {
        use Role::{
            Administrator, Auditor, DisclosureOfficer, ExhibitOfficer, IngestTechnician, Investigator,
            PrivilegeReviewer, Reader,
        };
        match self {
            Self::Users => &[Administrator],
            Self::Ingest => &[Administrator, IngestTechnician],
            Self::Status => &Role::ALL,
            Self::Audit => &[Administrator, Auditor],
            Self::Look => &[
                Administrator,
                Investigator,
                ExhibitOfficer,
                DisclosureOfficer,
                PrivilegeReviewer,
                Reader,
            ],
            Self::Investigate => &[Administrator, Investigator],
            Self::Review => &[Administrator, Investigator, ExhibitOfficer, DisclosureOfficer],
            Self::Exhibits => &[Administrator, ExhibitOfficer],
            Self::Disclose => &[Administrator, DisclosureOfficer],
            Self::MarkPrivilege => &[
                Administrator,
                Investigator,
                ExhibitOfficer,
                DisclosureOfficer,
                PrivilegeReviewer,
            ],
            Self::Quarantine => &[PrivilegeReviewer],
        }
    }
}

/// True when one of the roles may do the task.
pub fn may(roles: &[Role], task: Task) -> bool {
    task.roles().iter().any(|role| roles.contains(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_people_write_it() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        assert_eq!(Role::from_word("Privilege Reviewer"), Some(Role::PrivilegeReviewer));
        assert_eq!(Role::from_word("boss"), None);
    }

    #[test]
    fn quarantine_is_the_privilege_reviewers_alone_and_every_task_is_somebodys() {
        for role in Role::ALL {
            assert_eq!(
                may(&[role], Task::Quarantine),
                role == Role::PrivilegeReviewer,
                "{role}"
            );
        }
        for task in Task::ALL {
            assert!(!task.roles().is_empty(), "{}", task.word());
            let administrator = may(&[Role::Administrator], task);
            assert_eq!(administrator, task != Task::Quarantine, "{}", task.word());
        }
        assert!(!may(&[], Task::Status));
    }

    #[test]
    fn what_a_privilege_reviewer_writes_is_seen_by_nobody_else() {
        // Names of tags, notes and saved searches are seen by all: whoever sees what is quarantined writes none.
        for task in [Task::Investigate, Task::Review, Task::Exhibits, Task::Disclose] {
            assert!(!may(&[Role::PrivilegeReviewer], task), "{}", task.word());
        }
    }
}
