//! The signs of entries and marks: a form for each kind, so that nothing rests on colour alone.

use super::super::entry::EntryKind;
use super::super::marks::MarkKind;

/// A sign around the origin: its class, which gives the colour, and its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    /// Class of the style sheet.
    pub(super) class: &'static str,
    /// Path data.
    pub(super) path: &'static str,
    /// What it means.
    pub(super) name: &'static str,
}

const fn sign(class: &'static str, path: &'static str, name: &'static str) -> Sign {
    Sign { class, path, name }
}

/// The sign of an entry.
pub(super) fn of_entry(kind: EntryKind) -> Sign {
    match kind {
        EntryKind::CaseDate => sign("case", "M-4,6V-7H6L3,-3.5L6,0H-2V6Z", "date of the case"),
        EntryKind::Allegation => sign("case", "M-3,-6H3L6,0L3,6H-3L-6,0Z", "allegation"),
        EntryKind::Party => sign(
            "case",
            "M0,-5A5,5 0 1 1 -0.01,-5ZM0,-2A2,2 0 1 0 0.01,-2Z",
            "part in the case",
        ),
        EntryKind::Record => sign("case", "M-3,-3H3V3H-3Z", "other record"),
        EntryKind::RoleStart => sign("role", "M-5,-5L5,0L-5,5Z", "role begins"),
        EntryKind::RoleEnd => sign("role", "M5,-5L-5,0L5,5Z", "role ends"),
        EntryKind::Decision => sign("decision", "M0,-7.5L7.5,0L0,7.5L-7.5,0Z", "decision"),
        EntryKind::Declaration => sign("notice", "M0,-6L6,5H-6Z", "declaration"),
        EntryKind::Notice => sign("notice", "M-5.5,-5.5H5.5V5.5H-5.5Z", "notice"),
        EntryKind::Review => sign("review", "M0,-6A6,6 0 1 1 -0.01,-6ZM0,-3A3,3 0 1 0 0.01,-3Z", "review"),
        EntryKind::Update => sign("review", "M0,-4.5A4.5,4.5 0 1 1 -0.01,-4.5Z", "update"),
        EntryKind::TimelinessReport => sign("review", "M-6,-5H6L0,6Z", "timeliness report"),
        EntryKind::LogEntry => sign("log", "M-1.5,-6H1.5V6H-1.5Z", "log entry"),
        EntryKind::Register => sign("log", "M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "register entry"),
        EntryKind::RecordedDocument => sign("paper", "M-4.5,-6.5H1.5L4.5,-3.5V6.5H-4.5Z", "document on record"),
        EntryKind::Email => sign("mail", "M-6.5,-4.5H6.5V4.5H-6.5ZM-4.5,-3L0,1L4.5,-3Z", "e-mail"),
        EntryKind::Attachment => sign("file", "M-4,-6H4V3A4,4 0 0 1 -4,3Z", "attachment"),
        EntryKind::Document => sign("file", "M-4.5,-6H4.5V6H-4.5Z", "file"),
        EntryKind::Exhibit => sign(
            "exhibit",
            "M0,-7.5L2.1,-2.6L7.3,-2.2L3.3,1.2L4.6,6.3L0,3.5L-4.6,6.3L-3.3,1.2L-7.3,-2.2L-2.1,-2.6Z",
            "exhibit",
        ),
    }
}

/// The sign of a mark.
pub(super) fn of_mark(kind: MarkKind) -> Sign {
    match kind {
        MarkKind::Gap => sign("gap", "M-7,-5H7V5H-7Z", "no entry for a time"),
        MarkKind::DueWithoutEntry => sign(
            "due",
            "M0,-7A7,7 0 1 1 -0.01,-7ZM-1,-4V1H4V-0.8H0.8V-4Z",
            "due, no entry in time",
        ),
        MarkKind::MadeTwice
        | MarkKind::DecidedAfterClosed
        | MarkKind::RoleEndedBefore
        | MarkKind::RoleBeganAfter
        | MarkKind::RecordedBeforeDecided
        | MarkKind::EndsBeforeItBegins
        | MarkKind::ReplacesLater
        | MarkKind::CaseRecordsDiffer
        | MarkKind::ChangedBetweenImports => sign(
            "contra",
            "M0,-8L8,6H-8ZM-1,-3V2H1V-3ZM-1,3.2V5H1V3.2Z",
            "records that do not fit together",
        ),
    }
}
