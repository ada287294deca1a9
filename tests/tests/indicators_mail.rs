//! Indicators that read mail, from outside: decisions said and not recorded, documents that no register holds, people without a role,
//! declarations, consultation; what is quoted, drafted, marked as privileged or merged.

use embley_tests::{Site, files};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const CASE: &str = "CM/1/20";

fn person(id: &str, name: &str, address: &str, more: Value) -> Value {
    let mut one = json!({"record_type": "person", "record_id": id, "person_id": id, "full_name": name,
        "aliases": [{"kind": "smtp", "value": address}]});
    let extra = more.as_object().expect("an object").clone();
    one.as_object_mut().expect("an object").extend(extra);
    one
}

fn role(id: &str, person: &str, role: &str) -> Value {
    json!({"record_type": "role_appointment", "record_id": id, "case_ref": CASE, "person_id": person, "role": role,
        "appointed_at": "2020-03-02"})
}

fn decision(id: &str, kind: &str, day: &str, by: &str, more: Value) -> Value {
    let mut one = json!({"record_type": "decision", "record_id": id, "case_ref": CASE, "decision_type": kind, "decided_at": day,
        "decided_by": by, "subject_person_ids": ["P-OFF"]});
    let extra = more.as_object().expect("an object").clone();
    one.as_object_mut().expect("an object").extend(extra);
    one
}

/// A case with an authority (Ann), an investigator (Ian, whose line manager is Max), an officer (Olive), somebody else (Xenia) and
/// staff (Tess).
fn records() -> Vec<Value> {
    vec![
        json!({"record_type": "case", "record_id": CASE, "case_ref": CASE, "case_type": "complaint", "schedule_3": true,
            "form_of_investigation": "local", "came_to_attention_at": "2020-03-02", "opened_at": "2020-03-02"}),
        person("P-AA", "Ann Able", "ann@force.example", json!({})),
        person(
            "P-INV",
            "Ian Vest",
            "ian@force.example",
            json!({"line_manager_history": [{"person_id": "P-MAX", "from": "2019-01-01"}]}),
        ),
        person("P-MAX", "Max Upper", "max@force.example", json!({})),
        person("P-OFF", "Olive Force", "olive@force.example", json!({})),
        person("P-X", "Xenia Other", "xenia@force.example", json!({})),
        person(
            "P-T",
            "Tess Type",
            "tess@force.example",
            json!({"member_type": "staff"}),
        ),
        role("R-1", "P-AA", "appropriate_authority_delegate"),
        role("R-2", "P-INV", "investigator"),
        json!({"record_type": "party", "record_id": "PA-1", "case_ref": CASE, "person_id": "P-OFF", "capacity": "officer_concerned"}),
    ]
}

struct Mailbox(String);

impl Mailbox {
    fn new() -> Self {
        Self(String::new())
    }

    fn add(&mut self, id: &str, day: &str, from: &str, to: &str, text: &str) -> &mut Self {
        self.with(id, day, from, to, "Content-Type: text/plain\n", text)
    }

    fn with(&mut self, id: &str, day: &str, from: &str, to: &str, headers: &str, text: &str) -> &mut Self {
        self.0.push_str(&format!(
            "From x@y Thu Jan  1 00:00:00 1970\nMessage-ID: <{id}@force.example>\nFrom: {from}@force.example\nTo: {to}@force.example\n\
             Date: {day} 10:00:00 +0000\nSubject: {CASE}\nMIME-Version: 1.0\n{headers}\n{text}\n\n"
        ));
        self
    }
}

fn site(records: &[Value], mail: &Mailbox) -> Site {
    let site = Site::new();
    let lines: Vec<String> = records
        .iter()
        .map(|one| {
            let mut one = one.clone();
            one["source_system"] = "tribune".into();
            one.to_string()
        })
        .collect();
    files::write(&site.path("records.jsonl"), lines.join("\n"));
    files::write(&site.path("all.mbox"), &mail.0);
    let path = |name: &str| site.path(name).to_str().expect("a plain path").to_owned();
    site.ingest(&[&path("all.mbox"), "--custodian", "All"]).expect(0);
    site.run(&["records", "import", &path("records.jsonl"), "--mapping", "canonical"])
        .expect(0);
    site
}

/// (sentence, confidence) of what a rule gives, explained ones too.
fn raised(site: &Site, rule: &str) -> Vec<(String, String)> {
    let found = site
        .ok(&[
            "indicators",
            "--keep",
            "--explained",
            "--rule",
            rule,
            "--format",
            "json",
        ])
        .json();
    let all = found["indicators"].as_array().expect("a list");
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|one| (text(one, "sentence"), text(one, "confidence")))
        .collect()
}

fn check(found: &[(String, String)], expected: &[(&str, &str)]) {
    let shown = format!("{found:#?}");
    assert_eq!(found.len(), expected.len(), "{shown}");
    for (words, confidence) in expected {
        assert!(
            found
                .iter()
                .any(|(sentence, class)| sentence.contains(words) && class == confidence),
            "{words:?} as {confidence} in {shown}"
        );
    }
}

#[test]
fn a_decision_said_in_mail_and_not_recorded_is_raised_and_its_look_alikes_are_not() {
    let mut mail = Mailbox::new();
    let (ann, ian) = ("ann", "ian");
    mail.add(
        "1",
        "Mon, 6 Apr 2020",
        ann,
        ian,
        "I have decided to restrict Olive to office duties from today.",
    )
    .add(
        "2",
        "Wed, 8 Apr 2020",
        ian,
        ann,
        "Thanks, noted.\n\nOn 6 April Ann wrote:\n> I have decided to suspend Olive from duty today.",
    )
    .add(
        "3",
        "Thu, 9 Apr 2020",
        ann,
        ian,
        "If we suspend her from duty we will need cover.",
    )
    .add(
        "4",
        "Fri, 1 May 2020",
        ann,
        ian,
        "I find that there is a case to answer.",
    )
    .add("5", "Sat, 2 May 2020", ann, ian, "Why did you suspend her from duty?");
    let mut all = records();
    all.push(decision("D-1", "case_to_answer", "2020-05-01", "P-AA", json!({})));
    all.push(decision("D-2", "recording", "2020-03-03", "P-AA", json!({})));
    let site = site(&all, &mail);
    check(
        &raised(&site, "N1"),
        &[
            ("has words that state a decision in case CM/1/20 (restriction)", "high"),
            ("(suspension)", "explained"),
            ("the decision recording of 2020-03-03 by Ann Able", "medium"),
        ],
    );
    // Ann's other mail is from weeks later: nothing of hers from the days of the recording is held, and nothing says so.
    let tried = site.path("text");
    files::write(
        &tried,
        "Draft.\n\nI have decided to suspend her from duty.\n> I find a case to answer.\n",
    );
    let tried = site
        .ok(&[
            "indicators",
            "phrases",
            "--test",
            tried.to_str().expect("plain"),
            "--id",
            "suspended",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(
        tried["sentences"][0]["turned"],
        json!(["draft (draft-message)"]),
        "{tried}"
    );
    assert_eq!(tried["sentences"].as_array().map(Vec::len), Some(1), "{tried}");
    let listed = site
        .ok(&["indicators", "phrases", "--id", "suspended", "--format", "json"])
        .json();
    assert_eq!(listed["patterns"][0]["items"], 3, "{listed}");
    site.run(&["indicators", "phrases", "--id", "nothing"]).expect(2);
}

#[test]
fn a_document_in_mail_is_compared_with_the_register_by_bytes_and_by_text() {
    let attached = |name: &str, text: &str| {
        format!(
            "--b\nContent-Type: text/plain\n\nAttached.\n--b\nContent-Type: text/plain; name=\"{name}\"\n\
             Content-Disposition: attachment; filename=\"{name}\"\n\n{text}\n--b--"
        )
    };
    let words = "one two three four five six seven eight nine ten eleven twelve about Olive Force at the gate on the night of the third";
    let mut mail = Mailbox::new();
    let kind = "Content-Type: multipart/mixed; boundary=b\n";
    mail.with("1", "Mon, 6 Apr 2020", "ian", "ann", kind, &attached("held.txt", words))
        .with(
            "2",
            "Tue, 7 Apr 2020",
            "ian",
            "ann",
            kind,
            &attached("version.txt", &format!("{words} unsigned")),
        )
        .with(
            "3",
            "Wed, 8 Apr 2020",
            "ian",
            "ann",
            kind,
            &attached(
                "roster.txt",
                "Duty roster of the week for Force, Olive and four more at the station in the high street",
            ),
        )
        .with(
            "4",
            "Thu, 9 Apr 2020",
            "ian",
            "ann",
            kind,
            &attached(
                "news.txt",
                "Newsletter for all of us: the canteen is open on Sunday, the pool on Monday and Tuesday",
            ),
        );
    let mut all = records();
    let hash: String = Sha256::digest(words.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    all.push(json!({"record_type": "document", "record_id": "D1", "case_ref": CASE, "register_no": "D1", "title": "Statement",
        "sha256": hash, "text": words}));
    let site = site(&all, &mail);
    check(
        &raised(&site, "N10"),
        &[
            ("(roster.txt)", "high"),
            ("(version.txt)", "explained"),
            ("(news.txt)", "explained"),
        ],
    );
}

#[test]
fn contact_from_somebody_without_a_role_is_raised_and_who_was_merged_is_one_person() {
    let mut mail = Mailbox::new();
    mail.add(
        "1",
        "Mon, 6 Apr 2020",
        "xenia",
        "ian",
        "How is this one going, and will Olive be all right?",
    )
    .add(
        "2",
        "Tue, 7 Apr 2020",
        "max",
        "ian",
        "How is your workload with this one?",
    )
    .add(
        "3",
        "Wed, 8 Apr 2020",
        "tess",
        "ian",
        "The scanned pages are in the folder on the system.",
    );
    let site = site(&records(), &mail);
    check(
        &raised(&site, "N11"),
        &[
            ("from Xenia Other", "high"),
            ("from Max Upper", "explained"),
            ("from Tess Type", "explained"),
        ],
    );
    site.run(&["people", "merge", "P-X", "P-AA", "--reason", "one person"])
        .expect(0);
    check(
        &raised(&site, "N11"),
        &[("from Max Upper", "explained"), ("from Tess Type", "explained")],
    );
}

#[test]
fn declarations_and_consultation_in_mail_are_found() {
    let mut mail = Mailbox::new();
    mail.add(
        "1",
        "Mon, 6 Apr 2020",
        "ann",
        "max",
        "I must declare that Olive is my cousin.",
    )
    .add(
        "2",
        "Mon, 4 May 2020",
        "ian",
        "ann",
        "I would like your views on severity before I revise it to gross misconduct.",
    )
    .with(
        "3",
        "Tue, 5 May 2020",
        "ann",
        "ian",
        "Content-Type: text/plain\nIn-Reply-To: <2@force.example>\n",
        "Fine by me.",
    );
    let mut all = records();
    all.push(decision("D-1", "case_to_answer", "2020-05-20", "P-AA", json!({})));
    all.push(decision("D-2", "severity_revision", "2020-05-06", "P-INV", json!({})));
    let site = site(&all, &mail);
    check(
        &raised(&site, "N4"),
        &[(
            "from Ann Able (P-AA) that names case CM/1/20 has words of a declaration",
            "medium",
        )],
    );
    check(
        &raised(&site, "N7"),
        &[("is recorded as revised on 2020-05-06", "explained")],
    );
    // Nobody to whom a rule belongs may read what is marked: the declaration is then not there.
    let marked = site.ok(&["search", "cousin", "--format", "json"]).json();
    let item = marked["hits"][0]["item_no"].to_string();
    site.run(&["privilege", "mark", "legal", &item]).expect(0);
    check(&raised(&site, "N4"), &[]);
}

#[test]
fn another_message_with_the_message_id_of_one_is_read_too() {
    let mut mail = Mailbox::new();
    mail.add("1", "Mon, 6 Apr 2020", "ann", "ian", "How is this one going?")
        .add(
            "1",
            "Tue, 7 Apr 2020",
            "xenia",
            "ian",
            "Please let this one rest. I have decided to restrict Olive to office duties from today.",
        );
    let site = site(&records(), &mail);
    check(&raised(&site, "N11"), &[("from Xenia Other", "high")]);
    check(&raised(&site, "N1"), &[("from Xenia Other (P-X) has words", "high")]);
}

#[test]
fn a_decision_about_somebody_else_is_no_record_of_what_a_message_states() {
    let mut mail = Mailbox::new();
    mail.add(
        "1",
        "Mon, 6 Apr 2020",
        "ann",
        "ian",
        "I have decided to restrict Olive Force to office duties from today.",
    );
    let restricted = |about: &str| {
        let mut all = records();
        all.push(json!({"record_type": "party", "record_id": "PA-2", "case_ref": CASE, "person_id": "P-X", "capacity": "officer_concerned"}));
        all.push(decision(
            "D-1",
            "restriction",
            "2020-04-06",
            "P-AA",
            json!({"subject_person_ids": [about]}),
        ));
        let found = raised(&site(&all, &mail), "N1");
        found
            .into_iter()
            .filter(|(words, _)| words.contains("has words that state"))
            .collect::<Vec<_>>()
    };
    check(&restricted("P-OFF"), &[]);
    check(&restricted("P-X"), &[("(restriction)", "high")]);
}

#[test]
fn a_message_without_a_date_that_states_a_decision_is_raised_where_none_is_on_record() {
    let mut mail = Mailbox::new();
    mail.add(
        "1",
        "soon",
        "ann",
        "ian",
        "I have decided to restrict Olive to office duties from today.",
    );
    check(
        &raised(&site(&records(), &mail), "N1"),
        &[("a message without a date from Ann Able", "medium")],
    );
    let mut all = records();
    all.push(json!({"record_type": "decision", "record_id": "D-1", "case_ref": CASE, "decision_type": "restriction", "decided_by": "P-AA"}));
    check(&raised(&site(&all, &mail), "N1"), &[]);
}
