//! Fields of appointments, contacts, tasks and others, with labels for people ([MS-OXOCAL], [MS-OXOCNTC], [MS-OXOTASK], [MS-OXOJRNL]).

use embley_model::date::rfc3339;

use super::people::{RecipientRole, one_off};
use super::{ItemKind, Reader, View, utc_seconds};
use crate::property::{PropertySet, Value};
use crate::tags;

/// A labelled value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub label: &'static str,
    /// What it says; times are RFC 3339 in UTC.
    pub value: String,
}

pub(super) fn read(reader: &Reader<'_>, view: &View) -> Vec<Field> {
    let mut out = Out {
        reader,
        fields: Vec::new(),
    };
    match view.kind {
        ItemKind::Appointment
        | ItemKind::MeetingRequest
        | ItemKind::MeetingResponse
        | ItemKind::MeetingCancellation => {
            out.appointment(view);
        }
        ItemKind::Contact => out.contact(),
        ItemKind::DistributionList => out.list(),
        ItemKind::Task | ItemKind::TaskRequest => out.task(),
        ItemKind::Journal => out.journal(),
        ItemKind::Report => out.report(),
        ItemKind::Mail | ItemKind::Note | ItemKind::Post | ItemKind::Document | ItemKind::Other => {}
    }
    out.any();
    out.fields
}

struct Out<'a> {
    reader: &'a Reader<'a>,
    fields: Vec<Field>,
}

impl Out<'_> {
    fn add(&mut self, label: &'static str, value: impl Into<String>) {
        let value = value.into();
        let value = value.trim();
        if !value.is_empty() {
            self.fields.push(Field {
                label,
                value: value.to_owned(),
            });
        }
    }

    fn property(&mut self, label: &'static str, id: u16) {
        let own = self
            .reader
            .message
            .properties
            .of_id(id)
            .next()
            .map(|(_, value)| value.clone());
        if let Some(value) = own {
            self.value(label, &value);
        }
    }

    fn named(&mut self, label: &'static str, set: PropertySet, number: u32) {
        if let Some(value) = self.reader.named(set, number) {
            self.value(label, &value.clone());
        }
    }

    fn value(&mut self, label: &'static str, value: &Value) {
        match value {
            Value::Unicode(_) | Value::String8(_) => {
                let text = self.reader.strings.text(value).unwrap_or_default();
                self.add(label, text);
            }
            Value::Multiple(values) => {
                for value in values {
                    self.value(label, value);
                }
            }
            Value::Time(time) => {
                if let Some(text) = utc_seconds(*time).and_then(rfc3339) {
                    self.add(label, text);
                }
            }
            Value::Boolean(true) => self.add(label, "yes"),
            Value::Integer16(_) | Value::Integer32(_) | Value::Integer64(_) => {
                let number = value.as_integer().unwrap_or_default();
                self.add(label, number.to_string());
            }
            _ => {}
        }
    }

    fn number(&self, set: PropertySet, number: u32) -> Option<i64> {
        self.reader.named(set, number).and_then(Value::as_integer)
    }

    fn appointment(&mut self, view: &View) {
        let set = tags::SET_APPOINTMENT;
        let before = self.fields.len();
        self.named("start", set, 0x820D);
        if self.fields.len() == before {
            self.property("start", tags::START_DATE);
        }
        let before = self.fields.len();
        self.named("end", set, 0x820E);
        if self.fields.len() == before {
            self.property("end", tags::END_DATE);
        }
        if self.number(set, 0x8215) == Some(1) {
            self.add("all day", "yes");
        }
        self.named("location", set, 0x8208);
        let organiser = view.representing.as_ref().or(view.sender.as_ref());
        if let Some(person) = organiser {
            self.add("organiser", person.to_address().display());
        }
        for recipient in &view.recipients {
            let label = match recipient.role {
                RecipientRole::To => "required attendee",
                RecipientRole::Cc => "optional attendee",
                RecipientRole::Bcc => "resource",
                RecipientRole::Originator | RecipientRole::Unknown => continue,
            };
            self.add(label, recipient.person.to_address().display());
        }
        self.named("all attendees", set, 0x8238);
        self.named("recurrence", set, 0x8232);
        self.named("time zone", set, 0x8234);
        let status = match self.number(set, 0x8205) {
            Some(0) => "free",
            Some(1) => "tentative",
            Some(2) => "busy",
            Some(3) => "out of office",
            _ => "",
        };
        self.add("shown as", status);
        let response = match self.number(set, 0x8218) {
            Some(1) => "organised",
            Some(2) => "tentative",
            Some(3) => "accepted",
            Some(4) => "declined",
            Some(5) => "not responded",
            _ => "",
        };
        self.add("response", response);
    }

    fn contact(&mut self) {
        for (label, id) in [
            ("name", tags::DISPLAY_NAME),
            ("given name", tags::GIVEN_NAME),
            ("middle name", tags::MIDDLE_NAME),
            ("surname", tags::SURNAME),
            ("nickname", tags::NICKNAME),
            ("company", tags::COMPANY),
            ("department", tags::DEPARTMENT),
            ("title", tags::TITLE),
            ("business telephone", tags::BUSINESS_PHONE),
            ("business telephone", tags::BUSINESS_PHONE_2),
            ("home telephone", tags::HOME_PHONE),
            ("mobile telephone", tags::MOBILE_PHONE),
            ("primary telephone", tags::PRIMARY_PHONE),
            ("other telephone", tags::OTHER_PHONE),
            ("business fax", tags::BUSINESS_FAX),
            ("home fax", tags::HOME_FAX),
            ("birthday", tags::BIRTHDAY),
            ("web page", tags::BUSINESS_HOME_PAGE),
        ] {
            self.property(label, id);
        }
        let set = tags::SET_ADDRESS;
        // E-mail 1 to 3: display name, address, address of the original entry.
        for first in [0x8080, 0x8090, 0x80A0] {
            self.named("e-mail name", set, first);
            self.named("e-mail", set, first + 3);
            self.named("e-mail original name", set, first + 4);
        }
        self.named("file under", set, 0x8005);
        self.named("home address", set, 0x801A);
        self.named("work address", set, 0x801B);
        self.named("other address", set, 0x801C);
        self.named("instant messaging", set, 0x8062);
        self.named("web page", set, 0x802B);
    }

    fn list(&mut self) {
        self.property("name", tags::DISPLAY_NAME);
        let set = tags::SET_ADDRESS;
        self.named("name", set, 0x8053);
        let members = match self.reader.named(set, 0x8054) {
            Some(Value::Multiple(values)) => values.clone(),
            _ => Vec::new(),
        };
        for member in members {
            let Value::Binary(entry) = member else { continue };
            if let Some([name, kind, address]) = one_off(&entry, |bytes| self.reader.strings.decode(bytes)) {
                let text = if address.is_empty() {
                    name
                } else {
                    format!("{name} <{address}> {kind}")
                };
                self.add("member", text);
            }
        }
    }

    fn task(&mut self) {
        let set = tags::SET_TASK;
        let status = match self.number(set, 0x8101) {
            Some(0) => "not started",
            Some(1) => "in progress",
            Some(2) => "complete",
            Some(3) => "waiting on somebody else",
            Some(4) => "deferred",
            _ => "",
        };
        self.add("status", status);
        self.named("start", set, 0x8104);
        self.named("due", set, 0x8105);
        self.named("completed", set, 0x810F);
        if let Some(Value::Float64(part)) = self.reader.named(set, 0x8102) {
            let percent = (part * 100.0).round();
            self.add("percent complete", format!("{percent}"));
        }
        self.named("owner", set, 0x811F);
        self.named("assigned by", set, 0x8121);
    }

    fn journal(&mut self) {
        let set = tags::SET_LOG;
        self.named("type", set, 0x8700);
        self.named("start", set, 0x8706);
        self.named("end", set, 0x8708);
        self.named("duration in minutes", set, 0x8707);
        self.named("description", set, 0x8712);
    }

    fn report(&mut self) {
        // PidTagReportText, PidTagSupplementaryInfo, PidTagOriginalSubject, PidTagOriginalSubmitTime, PidTagReportTime.
        self.property("report", 0x1001);
        self.property("supplementary information", 0x0C1B);
        self.property("original subject", 0x0049);
        self.property("original sent", 0x004E);
        self.property("report time", 0x0032);
        let reasons: Vec<String> = self
            .reader
            .message
            .recipients
            .iter()
            .flat_map(|recipient| [0x1001, 0x0C1B].map(|id| self.reader.strings.get(recipient, id)))
            .flatten()
            .collect();
        for reason in reasons {
            self.add("reason", reason);
        }
    }

    /// Fields that any kind may have.
    fn any(&mut self) {
        let set = tags::SET_COMMON;
        self.named("vote", set, 0x8524);
        self.named("flag", set, 0x8530);
        self.named("company", set, 0x8539);
        self.named("contact", set, 0x853A);
    }
}
