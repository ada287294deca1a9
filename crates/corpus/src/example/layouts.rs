//! The same records in two synthetic export layouts as CSV, for field maps to be tried on.
//!
//! **Synthetic**: the layouts of the real systems are not public, and nothing here was seen in one. The older layout has short
//! upper-case columns, British dates in local time and codes of its own; the newer one has spoken columns and RFC 3339 times.
//! docs/example.md describes both; a test holds that page to these tables. Fields that no column takes are not in the layout.

use serde_json::{Map, Value};

use super::rows::Record;

/// One file of a layout: record type, file name, and columns as `COLUMN=field`.
pub(super) struct Table {
    pub(super) record_type: &'static str,
    pub(super) file: &'static str,
    /// Separated by `|`.
    columns: &'static str,
}

impl Table {
    /// Columns and the fields they hold.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.columns
            .split('|')
            .map(|pair| pair.split_once('=').unwrap_or((pair, pair)))
    }
}

/// How a layout writes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Older,
    Newer,
}

/// The older layout has no people and no registers.
pub(super) const OLDER: [Table; 12] = [
    Table {
        record_type: "case",
        file: "CASES.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|TYPE_CODE=case_type|INCIDENT_DT=date_of_incident|AWARE_DT=came_to_attention_at|LINK_NOS=linked_case_refs|REGS=governing_regime|REGS_WHY=governing_regime_basis|SCH3=schedule_3|SPEC_REQ_DT=special_requirements_certified_at|INV_FORM=form_of_investigation|HANDLING=handling|AA_BODY=appropriate_authority_body|UNIT=owning_unit|STATUS=status|OPEN_DT=opened_at|CLOSE_DT=closed_at|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "party",
        file: "PARTIES.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|PERSON=person_id|CAPACITY=capacity|FROM_DT=from|TO_DT=to|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "allegation",
        file: "ALLEGNS.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|ALLEG_NO=allegation_no|AGAINST=subject_person_ids|DETAIL=description|ALLEG_CODE=allegation_type_code|STANDARDS=standards|STATUS=status|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "role_appointment",
        file: "ROLES.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|PERSON=person_id|ROLE=role|APPT_BY=appointed_by|START_DT=appointed_at|END_DT=ended_at|TOR=terms_of_reference_ref|BASIS=basis|ACTING=acting|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "decision",
        file: "DECISNS.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|DEC_CODE=decision_type|AGAINST=subject_person_ids|RESULT=outcome|DEC_DT=decided_at|DEC_BY=decided_by|DEC_AS=role_claimed|REG=regulation_cited|REGS=regime_cited|REASONS=rationale_text|CONSULTED=consulted|TOLD=notified|REPLACES=supersedes_decision_id|REPL_WHY=supersession_basis|KEYED_DT=recorded_at|KEYED_BY=recorded_by|AMEND_DT=modified_at|AMEND_BY=modified_by|AMENDS=field_history",
    },
    Table {
        record_type: "conflict_declaration",
        file: "CONFLICT.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|PERSON=person_id|NATURE=nature|KIND=kind|OTHER=other_person_id|DECL_DT=declared_at|DECL_TO=declared_to|ASSESSED=assessment|NIL=nil_declaration|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "notice_service",
        file: "NOTICES.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|PERSON=subject_person_id|FORM=notice_type|SEVERITY=severity_stated|AUTH_BY=authorised_by|SERVED_DT=served_at|SERVED_BY=served_by|HOW=method|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "update",
        file: "UPDATES.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|TO_WHOM=recipient|KIND=kind|HOW=method|DUE_DT=due_at|SENT_DT=sent_at|EXCEPTION=exception_citation|NOTE=note|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "review",
        file: "REVIEWS.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|KIND=review_kind|TASKED_BY=tasked_by|REVIEWER=reviewer_id|DUE_DT=due_at|DONE_DT=completed_at|TOR=terms_of_reference_ref|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "timeliness_report",
        file: "TIMELY.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|TO_WHOM=report_to|DUE_DT=due_at|SENT_DT=sent_at|REASON=reason|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "log_entry",
        file: "LOG.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|ENTRY_DT=entry_at|AUTHOR=author_id|CATEGORY=category|TEXT=text|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
    Table {
        record_type: "document",
        file: "DOCS.csv",
        columns: "CASE_NO=case_ref|REC_ID=record_id|DOC_NO=register_no|TITLE=title|AUTHOR=author_id|RECD_DT=received_at|HASH=sha256|FULL_TEXT=text|KEYED_DT=recorded_at|KEYED_BY=recorded_by",
    },
];

/// The newer layout; `Moved On` is the moment of migration.
pub(super) const NEWER: [Table; 18] = [
    Table {
        record_type: "person",
        file: "people.csv",
        columns: "Person Ref=person_id|Record=record_id|Number=warrant_or_staff_no|Name=full_name|Known As=aliases|Member Type=member_type|Ranks=rank_history|Postings=posting_history|Line Managers=line_manager_history|Entered At=recorded_at|Entered By=recorded_by",
    },
    Table {
        record_type: "case",
        file: "cases.csv",
        columns: "Case Reference=case_ref|Record=record_id|Case Type=case_type|Incident Date=date_of_incident|Came To Attention=came_to_attention_at|Linked Cases=linked_case_refs|Governing Regulations=governing_regime|Basis For Regulations=governing_regime_basis|Schedule 3=schedule_3|Special Requirements Certified=special_requirements_certified_at|Form Of Investigation=form_of_investigation|Handling=handling|Appropriate Authority=appropriate_authority_body|Owning Unit=owning_unit|Status=status|Opened=opened_at|Closed=closed_at|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "party",
        file: "parties.csv",
        columns: "Case Reference=case_ref|Record=record_id|Person Ref=person_id|Capacity=capacity|From=from|To=to|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "allegation",
        file: "allegations.csv",
        columns: "Case Reference=case_ref|Record=record_id|Number=allegation_no|Subjects=subject_person_ids|Description=description|Type Code=allegation_type_code|Standards=standards|Status=status|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "role_appointment",
        file: "appointments.csv",
        columns: "Case Reference=case_ref|Record=record_id|Person Ref=person_id|Role=role|Appointed By=appointed_by|Appointed=appointed_at|Ended=ended_at|Terms Of Reference=terms_of_reference_ref|Basis=basis|Acting=acting|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "decision",
        file: "decisions.csv",
        columns: "Case Reference=case_ref|Record=record_id|Decision=decision_type|Subjects=subject_person_ids|Outcome=outcome|Decided=decided_at|Decided By=decided_by|In The Role Of=role_claimed|Regulation=regulation_cited|Regulations=regime_cited|Rationale=rationale_text|Consulted=consulted|Notified=notified|Supersedes=supersedes_decision_id|Reason For Superseding=supersession_basis|Entered At=recorded_at|Entered By=recorded_by|Changed At=modified_at|Changed By=modified_by|Changes=field_history|Moved On=migrated_at",
    },
    Table {
        record_type: "conflict_declaration",
        file: "conflicts.csv",
        columns: "Case Reference=case_ref|Record=record_id|Person Ref=person_id|Nature=nature|Kind=kind|Other Person=other_person_id|Declared=declared_at|Declared To=declared_to|Assessment=assessment|Nothing To Declare=nil_declaration|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "notice_service",
        file: "notices.csv",
        columns: "Case Reference=case_ref|Record=record_id|Person Ref=subject_person_id|Notice=notice_type|Severity Stated=severity_stated|Authorised By=authorised_by|Served=served_at|Served By=served_by|Method=method|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "update",
        file: "updates.csv",
        columns: "Case Reference=case_ref|Record=record_id|Recipient=recipient|Kind=kind|Method=method|Due=due_at|Sent=sent_at|Exception=exception_citation|Note=note|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "review",
        file: "reviews.csv",
        columns: "Case Reference=case_ref|Record=record_id|Kind=review_kind|Tasked By=tasked_by|Reviewer=reviewer_id|Due=due_at|Completed=completed_at|Terms Of Reference=terms_of_reference_ref|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "timeliness_report",
        file: "timeliness.csv",
        columns: "Case Reference=case_ref|Record=record_id|Report To=report_to|Due=due_at|Sent=sent_at|Reason=reason|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "log_entry",
        file: "log.csv",
        columns: "Case Reference=case_ref|Record=record_id|At=entry_at|Author=author_id|Category=category|Text=text|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "document",
        file: "documents.csv",
        columns: "Case Reference=case_ref|Record=record_id|Number=register_no|Title=title|Author=author_id|Received=received_at|SHA-256=sha256|Text=text|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "register_gift",
        file: "gifts.csv",
        columns: "Record=record_id|Person Ref=person_id|Organisation=organisation|Offered By=offered_by|Description=description|Value GBP=value_gbp|Offered=offered_at|Outcome=outcome|Decided By=decided_by|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "register_business_interest",
        file: "business-interests.csv",
        columns: "Record=record_id|Person Ref=person_id|Organisation=organisation|Nature=nature|Applied=applied_at|Status=status|Reason For Refusal=refusal_reason|From=from|To=to|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "register_association",
        file: "associations.csv",
        columns: "Record=record_id|Person Ref=person_id|Other Person=other_person_id|Nature=nature|Declared=declared_at|From=from|To=to|Status=status|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "register_media_contact",
        file: "media-contacts.csv",
        columns: "Record=record_id|Person Ref=person_id|Organisation=organisation|Contact=contact_name|At=contact_at|Subject=subject|Authorised By=authorised_by|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
    Table {
        record_type: "register_procurement",
        file: "procurement.csv",
        columns: "Record=record_id|Contract=contract_ref|Organisation=organisation|Title=title|Value GBP=value_gbp|Evaluators=evaluator_ids|Evaluation From=evaluation_from|Awarded=awarded_at|Interests Declared=interests_declared|Entered At=recorded_at|Entered By=recorded_by|Moved On=migrated_at",
    },
];

/// Codes of the older layout: field, code, canonical word.
pub(super) const CODES: [(&str, &str, &str); 14] = [
    ("case_type", "CMP", "complaint"),
    ("case_type", "CON", "conduct_matter"),
    ("case_type", "INT", "internal"),
    ("case_type", "RCM", "recordable_conduct_matter"),
    ("decision_type", "REC", "recording"),
    ("decision_type", "APP", "appointment"),
    ("decision_type", "SRQ", "special_requirements"),
    ("decision_type", "SEV", "severity_assessment"),
    ("decision_type", "SVR", "severity_revision"),
    ("decision_type", "RST", "restriction"),
    ("decision_type", "CTA", "case_to_answer"),
    ("decision_type", "OUT", "misconduct_outcome"),
    ("decision_type", "NFA", "no_further_action"),
    ("decision_type", "DSC", "discontinuance"),
];

/// One table as CSV (RFC 4180, LF line ends), rows in the order of the export.
pub(super) fn csv(table: &Table, style: Style, records: &[Record]) -> String {
    let columns: Vec<(&str, &str)> = table.columns().collect();
    let mut out = columns
        .iter()
        .map(|(column, _)| cell(column))
        .collect::<Vec<_>>()
        .join(",");
    out.push('\n');
    for (_, fields) in records.iter().filter(|(kind, _)| *kind == table.record_type) {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, field)| cell(&written(field, fields, style)))
            .collect();
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

fn written(field: &str, fields: &Map<String, Value>, style: Style) -> String {
    match fields.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(flag)) => if *flag { "Yes" } else { "No" }.to_owned(),
        Some(Value::String(text)) if style == Style::Older => code_of(field, text)
            .or_else(|| british(text))
            .unwrap_or_else(|| text.clone()),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        Some(other) => other.to_string(),
    }
}

fn code_of(field: &str, word: &str) -> Option<String> {
    CODES
        .iter()
        .find(|(of, _, canonical)| *of == field && *canonical == word)
        .map(|(_, code, _)| (*code).to_owned())
}

/// `04/03/2011 14:05` of an RFC 3339 time with London's offset, `04/03/2011` of a day; other texts give nothing.
fn british(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_day = bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 {
                *byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if !is_day || !(text.len() == 10 || (text.len() == 25 && bytes[10] == b'T')) {
        return None;
    }
    let day = format!("{}/{}/{}", &text[8..10], &text[5..7], &text[..4]);
    Some(if text.len() == 10 {
        day
    } else {
        format!("{day} {}", &text[11..16])
    })
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_column_and_every_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/example.md");
        let page = std::fs::read_to_string(path).expect("docs/example.md is there");
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for table in OLDER.iter().chain(&NEWER) {
            let start = format!("`{}` ({}): ", table.file, table.record_type);
            let columns: Vec<String> = table
                .columns()
                .map(|(column, field)| format!("`{column}` {field}"))
                .collect();
            assert!(page.contains(&format!("{start}{}.", columns.join(", "))), "{start}");
        }
        for (field, code, word) in CODES {
            assert!(
                page.contains(&format!("| {field} | {code} | {word} |")),
                "{field} {code}"
            );
        }
    }

    #[test]
    fn times_of_the_older_layout_are_british_and_local() {
        assert_eq!(
            british("2011-03-04T14:05:00+00:00").as_deref(),
            Some("04/03/2011 14:05")
        );
        assert_eq!(british("2011-07-04").as_deref(), Some("04/07/2011"));
        assert_eq!(british("2011-07-04 and more"), None);
    }

    #[test]
    fn every_column_holds_a_field_of_its_record_type() {
        use embley_model::record::RecordType;
        for table in OLDER.iter().chain(&NEWER) {
            let record_type = RecordType::from_word(table.record_type).expect("it is a type");
            let mut seen = std::collections::BTreeSet::new();
            for (column, field) in table.columns() {
                assert!(seen.insert(column), "{} has {column} twice", table.file);
                assert!(
                    field == "record_id" || record_type.field(field).is_some(),
                    "{} {field}",
                    table.file
                );
            }
        }
    }
}
