//! Kinds of items, by message class ([MS-OXOMSG], [MS-OXOCAL], [MS-OXOCNTC], [MS-OXOTASK], [MS-OXONOTE], [MS-OXOJRNL], [MS-OXOPOST]).

use embley_model::defect::{Defect, DefectCode};

use super::View;
use crate::message::{Content, Message};

/// What a message class makes of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// `IPM.Note` and what is not known.
    #[default]
    Mail,
    /// `IPM.Appointment`.
    Appointment,
    /// `IPM.Schedule.Meeting.Request`.
    MeetingRequest,
    /// `IPM.Schedule.Meeting.Resp`.
    MeetingResponse,
    /// `IPM.Schedule.Meeting.Canceled`.
    MeetingCancellation,
    /// `IPM.Contact`.
    Contact,
    /// `IPM.DistList`.
    DistributionList,
    /// `IPM.Task`.
    Task,
    /// `IPM.TaskRequest` and answers to it.
    TaskRequest,
    /// `IPM.StickyNote`.
    Note,
    /// `IPM.Activity`.
    Journal,
    /// `REPORT`: delivery and read reports.
    Report,
    /// `IPM.Post`.
    Post,
    /// `IPM.Document`: a file in a folder.
    Document,
    /// A class that is not below `IPM`, such as settings of a program.
    Other,
}

impl ItemKind {
    /// The kind of a class; upper and lower case are the same ([MS-OXCMSG] section 2.2.1.3).
    pub fn of_class(class: &str) -> Self {
        const PREFIXES: [(&str, ItemKind); 16] = [
            ("ipm.appointment", ItemKind::Appointment),
            ("ipm.ole.class", ItemKind::Appointment),
            ("ipm.schedule.meeting.request", ItemKind::MeetingRequest),
            ("ipm.schedule.meeting.resp", ItemKind::MeetingResponse),
            ("ipm.schedule.meeting.canceled", ItemKind::MeetingCancellation),
            ("ipm.schedule", ItemKind::MeetingRequest),
            ("ipm.contact", ItemKind::Contact),
            ("ipm.distlist", ItemKind::DistributionList),
            ("ipm.taskrequest", ItemKind::TaskRequest),
            ("ipm.task", ItemKind::Task),
            ("ipm.stickynote", ItemKind::Note),
            ("ipm.activity", ItemKind::Journal),
            ("ipm.post", ItemKind::Post),
            ("ipm.document", ItemKind::Document),
            ("ipm.recall.report", ItemKind::Report),
            ("report", ItemKind::Report),
        ];
        let class = class.to_ascii_lowercase();
        let known = PREFIXES.iter().find(|(prefix, _)| {
            class
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '{']))
        });
        match known {
            Some((_, kind)) => *kind,
            None if class.is_empty() || class == "ipm" || class.starts_with("ipm.") => Self::Mail,
            None => Self::Other,
        }
    }

    /// The word for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Appointment => "appointment",
            Self::MeetingRequest => "meeting request",
            Self::MeetingResponse => "meeting response",
            Self::MeetingCancellation => "meeting cancellation",
            Self::Contact => "contact",
            Self::DistributionList => "distribution list",
            Self::Task => "task",
            Self::TaskRequest => "task request",
            Self::Note => "note",
            Self::Journal => "journal",
            Self::Report => "report",
            Self::Post => "post",
            Self::Document => "document",
            Self::Other => "other",
        }
    }
}

/// How an S/MIME message is wrapped ([MS-OXOSMIME] section 2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    /// `multipart/signed`: readable, in the attachment as MIME.
    ClearSigned,
    /// CMS signed data: readable by taking the content out.
    OpaqueSigned,
    /// CMS enveloped data: encrypted.
    Encrypted,
    /// CMS of another kind, or not there.
    Opaque,
}

/// Object identifiers 1.2.840.113549.1.7.2 and .3 (RFC 5652), encoded.
const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
const ENVELOPED_DATA: [u8; 11] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x03];

/// Recognises S/MIME by class and finds the attachment that is the message.
pub(super) fn secured(message: &Message, view: &mut View) {
    let class = view.class.to_ascii_lowercase();
    // Reports keep the class of what they are about in their own.
    if !class.contains(".smime") {
        return;
    }
    let holder = message
        .attachments
        .iter()
        .position(|attachment| matches!(attachment.content, Content::Bytes(_)));
    view.wrapped_in = holder;
    let bytes = holder.and_then(|at| match &message.attachments[at].content {
        Content::Bytes(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    let has = |identifier: &[u8]| {
        bytes.is_some_and(|bytes| {
            bytes[..bytes.len().min(64)]
                .windows(identifier.len())
                .any(|window| window == identifier)
        })
    };
    let (secured, code) = if class.contains(".multipartsigned") {
        (Secured::ClearSigned, DefectCode::MailSigned)
    } else if has(&SIGNED_DATA) {
        (Secured::OpaqueSigned, DefectCode::MailSigned)
    } else if has(&ENVELOPED_DATA) {
        (Secured::Encrypted, DefectCode::MailEncrypted)
    } else {
        (Secured::Opaque, DefectCode::MailEncrypted)
    };
    view.secured = Some(secured);
    view.defects.push(Defect::new(code, "S/MIME"));
}
