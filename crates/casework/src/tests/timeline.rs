//! Marks of a timeline, the timeline of a person, filters, and the page.

use std::fmt::Write as _;

use super::*;
use crate::timeline::page::{About, page};
use crate::timeline::{GAP_DAYS, Line, MarkKind, Subject};

const ABOUT: About<'static> = About {
    case_name: "Test",
    at_micros: 1_000_000,
    actor: "ann",
    version: "0",
};

/// A case that was opened on 2020-03-02 and closed on 2020-12-01, by other lines.
const HEAD: &str = r#"{"record_type":"case","source_system":"t","record_id":"C-9","case_ref":"CM/9/20","case_type":"conduct_matter","schedule_3":false,"came_to_attention_at":"2020-03-02","opened_at":"2020-03-02","closed_at":"2020-12-01"}"#;

fn marks(lines: &[&str]) -> Vec<(MarkKind, Option<String>, String)> {
    let world = World::new();
    world.import_lines(&format!("{HEAD}\n{}\n", lines.join("\n")));
    let ask = Ask {
        gap_days: 10_000,
        ..Ask::of("CM/9/20")
    };
    let made = world.timeline(&ask);
    made.marks
        .into_iter()
        .map(|mark| (mark.kind, mark.local.clone(), mark.spoken()))
        .collect()
}

fn decision(id: &str, day: &str, more: &str) -> String {
    format!(
        r#"{{"record_type":"decision","source_system":"t","record_id":"{id}","case_ref":"CM/9/20","decision_type":"case_to_answer","subject_person_ids":["P-3"],"decided_at":"{day}","decided_by":"P-1"{more}}}"#
    )
}

const ROLE: &str = r#"{"record_type":"role_appointment","source_system":"t","record_id":"R-1","case_ref":"CM/9/20","person_id":"P-1","role":"assessor","appointed_at":"2020-04-01","ended_at":"2020-06-30"}"#;

#[test]
fn records_that_do_not_fit_together_are_marked_and_said() {
    let claimed = r#","role_claimed":"assessor","outcome":"case_to_answer""#;
    let fits = decision("D-1", "2020-06-30", claimed);
    assert_eq!(marks(&[ROLE, &fits]), [], "the last day of a role is a day of it");
    let cases: [(&str, MarkKind, &str); 6] = [
        (
            &decision("D-2", "2020-07-01", claimed),
            MarkKind::RoleEndedBefore,
            "the case to answer of 2020-07-01 is by P-1; the role \"assessor\" that it names is on record from 2020-04-01 to 2020-06-30",
        ),
        (
            &decision("D-3", "2020-03-31", claimed),
            MarkKind::RoleBeganAfter,
            "the case to answer of 2020-03-31 is by P-1; the role \"assessor\" that it names is on record from 2020-04-01 to 2020-06-30",
        ),
        (
            &decision("D-4", "2020-12-02", ""),
            MarkKind::DecidedAfterClosed,
            "the case to answer is dated 2020-12-02; the case is on record as closed on 2020-12-01",
        ),
        (
            &decision("D-5", "2020-05-02", r#","recorded_at":"2020-05-01T09:00:00Z""#),
            MarkKind::RecordedBeforeDecided,
            "the case to answer is recorded on 2020-05-01 and dated 2020-05-02, after that",
        ),
        (
            r#"{"record_type":"role_appointment","source_system":"t","record_id":"R-2","case_ref":"CM/9/20","person_id":"P-2","role":"reviewer","appointed_at":"2020-05-02","ended_at":"2020-05-01"}"#,
            MarkKind::EndsBeforeItBegins,
            "the role \"reviewer\" of P-2 is on record as ended on 2020-05-01 and begun on 2020-05-02",
        ),
        (
            &[
                decision(
                    "D-6",
                    "2020-05-02",
                    r#","supersedes_decision_id":"D-7","decision_type":"appointment""#,
                )
                .replace(r#""decision_type":"case_to_answer","#, ""),
                decision("D-7", "2020-05-09", ""),
            ]
            .join("\n"),
            MarkKind::ReplacesLater,
            "the appointment of 2020-05-02 is on record as replacing one that is dated 2020-05-09, after it",
        ),
    ];
    for (lines, kind, sentence) in cases {
        let found = marks(&[ROLE, lines]);
        let told: Vec<(MarkKind, &str)> = found.iter().map(|(kind, _, words)| (*kind, words.as_str())).collect();
        assert_eq!(told, [(kind, sentence)]);
    }
}

#[test]
fn a_determination_on_record_twice_is_marked_with_what_the_later_row_says() {
    let first = decision("D-1", "2020-05-01", r#","outcome":"no_case_to_answer""#);
    let second = decision(
        "D-2",
        "2020-06-01",
        r#","outcome":"case_to_answer","supersession_basis":"appeal""#,
    );
    let other_person = decision("D-3", "2020-06-02", "").replace("P-3", "P-4");
    let found = marks(&[&first, &second, &other_person]);
    assert_eq!(
        found,
        [(
            MarkKind::MadeTwice,
            Some("2020-06-01".to_owned()),
            "the case to answer for P-3 is on record of 2020-05-01 (\"no case to answer\") and of 2020-06-01 (\"case to answer\"); on record: the later row is recorded as an appeal".to_owned()
        )]
    );
}

#[test]
fn a_time_without_entry_is_marked_while_the_case_is_open_and_not_before_or_after() {
    let world = World::new();
    let lines = [
        HEAD,
        r#"{"record_type":"log_entry","source_system":"t","record_id":"L-1","case_ref":"CM/9/20","entry_at":"2019-01-01","text":"before"}"#,
        r#"{"record_type":"log_entry","source_system":"t","record_id":"L-2","case_ref":"CM/9/20","entry_at":"2020-03-20","text":"in time"}"#,
        r#"{"record_type":"log_entry","source_system":"t","record_id":"L-3","case_ref":"CM/9/20","entry_at":"2020-08-01","text":"later"}"#,
        r#"{"record_type":"update","source_system":"t","record_id":"U-1","case_ref":"CM/9/20","kind":"update","recipient":"P-5","due_at":"2020-05-20"}"#,
        r#"{"record_type":"log_entry","source_system":"t","record_id":"L-4","case_ref":"CM/9/20","entry_at":"2022-08-01","text":"after"}"#,
    ];
    world.import_lines(&lines.join("\n"));
    let found = |days: u32| {
        let ask = Ask {
            gap_days: days,
            ..Ask::of("CM/9/20")
        };
        let made = world.timeline(&ask);
        let gaps = made.marks.into_iter().filter(|mark| mark.kind == MarkKind::Gap);
        gaps.map(|mark| mark.sentence).collect::<Vec<_>>()
    };
    assert_eq!(
        found(GAP_DAYS),
        [
            "no entry for 133 days, between 2020-03-20 and 2020-08-01, while the case is on record as open",
            "no entry for 122 days, between 2020-08-01 and 2020-12-01, while the case is on record as open",
        ]
    );
    assert_eq!(found(130).len(), 1);
    assert_eq!(found(200), Vec::<String>::new());
    let due = world.timeline(&Ask::of("CM/9/20"));
    let update = due
        .entries
        .iter()
        .find(|entry| entry.kind == EntryKind::Update)
        .expect("the update is there");
    assert!(
        update.due && update.sentence.contains("no day on which it was sent on record"),
        "{}",
        update.sentence
    );
    let lines = due.lines();
    let at = |wanted: MarkKind| {
        lines
            .iter()
            .position(|line| matches!(line, Line::Mark(_, mark) if mark.kind == wanted))
    };
    let gap = at(MarkKind::Gap).expect("a line");
    assert!(matches!(lines[gap - 1], Line::Entry(_, entry) if entry.local.as_deref() == Some("2020-03-20")));
}

#[test]
fn a_clock_without_an_entry_in_time_is_marked_where_it_was_due() {
    let world = World::new();
    let lines = [
        r#"{"record_type":"case","source_system":"t","record_id":"C-8","case_ref":"CO/8/20","case_type":"complaint","schedule_3":true,"came_to_attention_at":"2020-03-02","opened_at":"2020-03-02"}"#,
        r#"{"record_type":"role_appointment","source_system":"t","record_id":"R-1","case_ref":"CO/8/20","person_id":"P-1","role":"investigator","appointed_at":"2020-03-02"}"#,
        r#"{"record_type":"party","source_system":"t","record_id":"Y-1","case_ref":"CO/8/20","person_id":"P-5","capacity":"complainant","from":"2020-03-02"}"#,
        r#"{"record_type":"update","source_system":"t","record_id":"U-1","case_ref":"CO/8/20","kind":"update","recipient":"P-5","sent_at":"2020-06-15"}"#,
    ];
    world.import_lines(&lines.join("\n"));
    let made = world.timeline(&Ask::of("CO/8/20"));
    let clock = made
        .marks
        .iter()
        .find(|mark| mark.kind == MarkKind::DueWithoutEntry)
        .expect("a clock passed");
    assert_eq!(clock.local.as_deref(), Some("2020-03-30"));
    assert!(
        clock
            .sentence
            .starts_with("an update to P-5 was due by 2020-03-30 (4 weeks from 2020-03-02, "),
        "{}",
        clock.sentence
    );
    assert!(
        clock.sentence.ends_with("an entry is on record of 2020-06-15"),
        "{}",
        clock.sentence
    );
    assert_eq!(clock.records, ["update:t/U-1"]);
}

#[test]
fn the_timeline_of_a_person_goes_over_all_cases_and_says_what_it_leaves_out() {
    let world = World::new();
    send_mail(&world);
    world.mail(Some(NOON), "a.lee@force.example", "lunch", "soup");
    world.import_lines(LINES);
    world.import_lines(&format!("{HEAD}\n{}", ROLE.replace("P-1", "P-7")));
    links::refresh(&world.conn, &world, Which::All).expect("refreshed");
    let made = world.timeline(&Ask::of_person("Ann Lee"));
    assert_eq!(made.subject, Subject::Person("Ann Lee (P-7)".to_owned()));
    let kinds: Vec<&str> = made.entries.iter().map(|one| one.kind.word()).collect();
    assert_eq!(
        kinds,
        [
            "role-start",
            "email",
            "role-end",
            "role-start",
            "role-end",
            "decision",
            "record"
        ]
    );
    assert_eq!(made.known_as, ["CM/1/19", "CM/9/20"]);
    assert_eq!(made.left_out, 1);
    let mail = &made.entries[1];
    assert_eq!(mail.why, ["names CM/1/19", "Ann Lee takes part"]);
    let all = Ask {
        all_mail: true,
        ..Ask::of_person("Ann Lee")
    };
    assert_eq!(world.timeline(&all).entries.len(), made.entries.len() + 1);
    assert_eq!(made.roles.len(), 2);
    let sources_ask = Ask::default();
    assert!(
        timeline(
            Sources {
                facts: &world.conn,
                items: &world,
                names: &world,
                zone: &world.zone,
                rules: None,
            },
            &sources_ask
        )
        .is_err(),
        "neither a case nor a person"
    );
}

#[test]
fn kinds_and_limits_leave_what_was_asked_for_and_are_said() {
    let world = World::new();
    send_mail(&world);
    world.import_lines(LINES);
    let ask = Ask {
        kinds: [EntryKind::Decision, EntryKind::Email].into(),
        ..Ask::of("CM/1/19")
    };
    let made = world.timeline(&ask.between(Some("2019-03-10".parse().expect("a day")), None, &world.zone));
    let kinds: Vec<&str> = made.entries.iter().map(|one| one.kind.word()).collect();
    assert_eq!(kinds, ["decision", "email", "decision", "email"]);
    assert_eq!(made.limits, ["from 2019-03-10", "kinds decision, email"]);
    assert!(
        EntryKind::ALL
            .iter()
            .all(|kind| EntryKind::from_word(kind.word()) == Some(*kind))
    );
}

#[test]
fn every_type_of_record_has_a_sentence_of_its_own() {
    let world = World::new();
    let lines = [
        r#"{"record_type":"party","source_system":"t","record_id":"1","case_ref":"X/1","person_id":"P-5","capacity":"complainant"}"#,
        r#"{"record_type":"allegation","source_system":"t","record_id":"1","case_ref":"X/1","allegation_no":"2","subject_person_ids":["P-3"],"description":"that he was rude","recorded_at":"2020-01-02"}"#,
        r#"{"record_type":"conflict_declaration","source_system":"t","record_id":"1","case_ref":"X/1","person_id":"P-1","kind":"perceived","nature":"same club","declared_at":"2020-01-03","declared_to":"P-9"}"#,
        r#"{"record_type":"conflict_declaration","source_system":"t","record_id":"2","case_ref":"X/1","person_id":"P-1","nil_declaration":true,"declared_at":"2020-01-04"}"#,
        r#"{"record_type":"notice_service","source_system":"t","record_id":"1","case_ref":"X/1","subject_person_id":"P-3","notice_type":"reg_17","served_at":"2020-01-05","served_by":"P-1"}"#,
        r#"{"record_type":"review","source_system":"t","record_id":"1","case_ref":"X/1","review_kind":"supervisory","reviewer_id":"P-9","due_at":"2020-01-01","completed_at":"2020-01-06"}"#,
        r#"{"record_type":"timeliness_report","source_system":"t","record_id":"1","case_ref":"X/1","report_to":"LPB","sent_at":"2020-01-07"}"#,
        r#"{"record_type":"document","source_system":"t","record_id":"1","case_ref":"X/1","register_no":"D3","title":"plan","received_at":"2020-01-08"}"#,
    ];
    world.import_lines(&lines.join("\n"));
    let made = world.timeline(&Ask::of("X/1"));
    let told: Vec<(&str, &str)> = made
        .entries
        .iter()
        .map(|one| (one.kind.word(), one.sentence.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "declaration",
                "declaration recorded: perceived conflict of interest, by P-1; \"same club\"; declared to P-9"
            ),
            ("declaration", "declaration recorded: no conflict of interest, by P-1"),
            ("notice", "notice recorded as served: reg 17 on P-3; served by P-1"),
            (
                "review",
                "supervisory review recorded as completed; due 2020-01-01; by P-9"
            ),
            ("timeliness-report", "timeliness report to LPB recorded as sent"),
            ("recorded-document", "document on record D3 \"plan\""),
            (
                "allegation",
                "allegation 2 recorded concerning P-3: \"that he was rude\"; recorded at 2020-01-02"
            ),
            ("party", "part in the case recorded: complainant, P-5"),
        ]
    );
}

// ---- the page -------------------------------------------------------------------------------------------------

/// How often a text occurs.
fn times(page: &str, text: &str) -> usize {
    page.matches(text).count()
}

#[test]
fn hostile_text_of_records_and_mail_is_no_markup_on_the_page() {
    let world = World::new();
    let bad = r#"</title></svg><script>alert(1)</script><img src=x onerror='a()'>"><a href=javascript:x>"#;
    let json = bad.replace('"', "\\\"");
    world.import_lines(
        &[
            format!(r#"{{"record_type":"person","source_system":"t","record_id":"P-1","person_id":"P-1","full_name":"{json}"}}"#),
            format!(r#"{{"record_type":"case","source_system":"t","record_id":"{json}","case_ref":"X/1","source_case_ref":"{json}","opened_at":"2020-01-01"}}"#),
            format!(r#"{{"record_type":"role_appointment","source_system":"t","record_id":"R","case_ref":"X/1","person_id":"P-1","role":"{json}","appointed_at":"2020-01-02"}}"#),
            format!(r#"{{"record_type":"decision","source_system":"t","record_id":"D","case_ref":"X/1","decision_type":"{json}","outcome":"{json}","decided_by":"{json}","decided_at":"2020-01-03"}}"#),
            format!(r#"{{"record_type":"allegation","source_system":"t","record_id":"A{json}","case_ref":"X/1","description":"{json}"}}"#),
        ]
        .join("\n"),
    );
    world.mail(Some(NOON), bad, &format!("X/1 {bad}"), "about X/1");
    world.exhibit("JS/1", &[ItemNo(1)]);
    let made = world.timeline(&Ask::of("X/1"));
    let about = About {
        case_name: bad,
        actor: bad,
        ..ABOUT
    };
    let page = page(&made, &world.zone, about);
    assert!(times(&page, "&lt;script&gt;alert(1)") >= 8, "the text itself is shown");
    for markup in [
        "<script",
        "<img",
        "<a href=javascript",
        "onerror='",
        "href=\"javascript",
    ] {
        assert_eq!(times(&page, markup), 0, "{markup}");
    }
    assert_eq!(times(&page, "<svg"), times(&page, "</svg>"));
    assert_eq!(times(&page, "<title"), times(&page, "</title>"));
    assert_eq!(times(&page, "<a "), times(&page, "</a>"));
    // Every attribute that the page has is written by the program: links lead into the page only.
    assert_eq!(times(&page, "href=\""), times(&page, "href=\"#"));
    assert_eq!(times(&page, "http://") + times(&page, "https://"), 0);
}

/// The numbers of a page: signs of entries with how many each stands for, bars of roles, rows of the table.
fn counts(page: &str) -> (usize, usize, usize) {
    let drawn: usize = page
        .split("data-count=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.parse::<usize>().ok())
        .sum();
    (drawn, times(page, "data-kind=\"role\""), times(page, "<tr id=\"e"))
}

#[test]
fn every_entry_is_drawn_and_has_its_row_with_ten_and_with_two_thousand() {
    for many in [8, 2_000] {
        let world = World::new();
        let mut lines = format!("{HEAD}\n{ROLE}\n");
        for at in 0..many {
            let _ = writeln!(
                lines,
                r#"{{"record_type":"log_entry","source_system":"t","record_id":"L-{at}","case_ref":"CM/9/20","entry_at":"2020-{:02}-{:02}T10:00:00Z","text":"entry {at}"}}"#,
                3 + at % 9,
                1 + at % 28
            );
        }
        world.import_lines(&lines);
        world.mail(None, "x@y.example", "undated", "CM/9/20");
        let made = world.timeline(&Ask::of("CM/9/20"));
        let made_page = page(&made, &world.zone, ABOUT);
        let (drawn, bars, rows) = counts(&made_page);
        assert_eq!(rows, made.entries.len());
        assert_eq!(
            (bars, drawn),
            (1, made.entries.len() - 2),
            "beginning and end of the role are its bar"
        );
        assert_eq!(times(&made_page, "<tr id=\"m"), made.marks.len());
        assert!(made_page.contains("Undated: 1 entry that gives no date"));
        assert_eq!(made_page.contains("highest bar"), many > 100);
        assert_eq!(
            page(&made, &world.zone, ABOUT),
            made_page,
            "the same timeline gives the same page"
        );
    }
}

#[test]
fn a_page_without_a_single_date_is_a_page() {
    let world = World::new();
    world.import_lines(
        r#"{"record_type":"allegation","source_system":"t","record_id":"A","case_ref":"X/1","description":"d"}"#,
    );
    let page = page(&world.timeline(&Ask::of("X/1")), &world.zone, ABOUT);
    assert!(page.contains("Nothing here has a date.") && page.contains("<tr id=\"e1\""));
    assert!(page.contains("default-src 'none'; style-src 'sha256-"));
}

#[test]
fn two_records_of_one_case_that_say_different_things_are_marked() {
    let moved = r#"{"record_type":"case","source_system":"u","record_id":"N-9","case_ref":"CM/9/20","case_type":"conduct matter","came_to_attention_at":"2020-03-03","migrated_at":"2021-01-01"}"#;
    let found = marks(&[moved]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, MarkKind::CaseRecordsDiffer);
    assert!(
        found[0]
            .2
            .contains("say: came to attention at 2020-03-02 and 2020-03-03"),
        "{found:?}"
    );
}

#[test]
fn a_row_that_said_something_else_before_is_marked_and_so_is_a_determination_again_without_a_day() {
    let world = World::new();
    world.import_lines(&format!(
        "{HEAD}\n{}\n",
        decision("D-1", "2020-05-02", r#","outcome":"case_to_answer""#)
    ));
    world.import_lines(&format!(
        "{}\n",
        decision("D-1", "2020-05-02", r#","outcome":"no_case_to_answer""#)
    ));
    let again = r#"{"record_type":"decision","source_system":"t","record_id":"D-2","case_ref":"CM/9/20","decision_type":"case_to_answer","subject_person_ids":["P-3"],"outcome":"case_to_answer"}"#;
    world.import_lines(&format!("{again}\n"));
    let made = world.timeline(&Ask {
        gap_days: 10_000,
        ..Ask::of("CM/9/20")
    });
    let said: Vec<(MarkKind, String)> = made.marks.iter().map(|mark| (mark.kind, mark.spoken())).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    let of = |kind: MarkKind| {
        said.iter()
            .find(|(one, _)| *one == kind)
            .map(|(_, words)| words.as_str())
            .unwrap_or_default()
    };
    assert!(
        of(MarkKind::ChangedBetweenImports).contains("outcome \"case_to_answer\" became \"no_case_to_answer\""),
        "{said:?}"
    );
    assert!(
        of(MarkKind::MadeTwice).contains("and without a day (\"case to answer\")"),
        "{said:?}"
    );
}
