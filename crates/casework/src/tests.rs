//! Import, links, annotations and timelines together, over a case folder made of a catalogue in memory and a plain
//! list of texts in place of the index.

mod timeline;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use embley_ingest::records::{Appended, RecordBatch};
use embley_model::address::{Address, Participant, Role};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::id::{ItemNo, RunNo, Ticket};
use embley_model::item::ItemKind;
use embley_model::record::RecordType;
use embley_store::facts::exhibits::{self, Said};
use embley_store::facts::links::{self as exhibit_links, Target};
use embley_store::facts::member::FactSets;
use embley_store::facts::records::{self, VersionRow};
use embley_store::facts::{self, Connection, Stamp, tags};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;

use crate::annotate::{DatedItem, Relation, annotate};
use crate::error::Result;
use crate::import::{ImportReport, ImportRequest, RecordSink, import};
use crate::links::{self, CaseNames, Which};
use crate::mapping::Mapping;
use crate::people::Directory;
use crate::rules::RuleSet;
use crate::timeline::{Ask, EntryKind, ItemCard, ItemSource, Precision, Sources, Timeline, timeline};

const ANN: Stamp<'static> = Stamp {
    actor: "ann",
    at_micros: 1_000,
};

/// A case folder in memory: cards and words of items, by item number from 1.
struct World {
    conn: Connection,
    items: RefCell<Vec<(ItemCard, String)>>,
    exceptions: RefCell<Vec<(u64, String)>>,
    runs: RefCell<u32>,
    zone: TimeZone,
    rules: RuleSet,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let conn = Connection::open_in_memory().expect("a database in memory opens");
        facts::create_tables(&conn).expect("the tables are made");
        Self {
            conn,
            items: RefCell::default(),
            exceptions: RefCell::default(),
            runs: RefCell::new(0),
            zone: TimeZone::get("Europe/London").expect("the zone is bundled"),
            rules: RuleSet::built_in().expect("the built-in rules are right"),
            folder: tempfile::tempdir().expect("a folder is made"),
        }
    }

    fn mail(&self, date: Option<i64>, from: &str, subject: &str, body: &str) -> ItemNo {
        let address = |addr: &str| Address {
            name: String::new(),
            addr: addr.to_owned(),
        };
        let date = date.map_or_else(EvidenceDate::undated, |utc_secs| EvidenceDate {
            raw: "as in the header".to_owned(),
            utc_secs: Some(utc_secs),
            offset_minutes: Some(0),
            source: DateSource::DateHeader,
            confidence: Confidence::High,
        });
        let participants = vec![
            Participant {
                role: Role::From,
                address: address(from),
            },
            Participant {
                role: Role::To,
                address: address("b@force.example"),
            },
        ];
        self.push(
            ItemKind::Email,
            subject,
            date,
            participants,
            format!("{subject}\n{body}"),
        )
    }

    fn push(
        &self,
        kind: ItemKind,
        subject: &str,
        date: EvidenceDate,
        participants: Vec<Participant>,
        text: String,
    ) -> ItemNo {
        let mut items = self.items.borrow_mut();
        let item = ItemNo(u32::try_from(items.len() + 1).expect("few items"));
        let card = ItemCard {
            item,
            id: format!("item:{subject}"),
            kind,
            date,
            subject: subject.to_owned(),
            filename: None,
            participants,
            root: item,
        };
        items.push((card, text));
        item
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "a sample beside the case")]
        std::fs::write(&path, text).expect("the sample is written");
        path
    }

    fn import(&self, path: &Path, record_type: Option<RecordType>) -> Result<ImportReport> {
        let mapping = Mapping::canonical()?;
        let mut request = ImportRequest::new(path, &mapping, "ann", &self.zone);
        request.record_type = record_type;
        request.batch_rows = 3;
        import(&self.conn, &mut Sink(self), &request)
    }

    fn import_lines(&self, lines: &str) -> ImportReport {
        let path = self.file("records.jsonl", lines);
        self.import(&path, None).expect("the sample is imported")
    }

    fn timeline(&self, ask: &Ask) -> Timeline {
        let sources = Sources {
            facts: &self.conn,
            items: self,
            names: self,
            zone: &self.zone,
            rules: Some(&self.rules),
        };
        timeline(sources, ask).expect("the timeline is made")
    }

    fn exhibit(&self, reference: &str, items: &[ItemNo]) -> exhibits::Exhibit {
        let reference = reference.parse().expect("a reference");
        let said = Said {
            produced_by: Some("John Smith"),
            description: Some("prints"),
            produced_on: None,
        };
        let held = exhibits::register(&self.conn, &reference, &said, ANN)
            .expect("registered")
            .exhibit;
        exhibits::add_items(
            &self.conn,
            &held,
            &facts::sets::bitmap_of(items.iter().copied()),
            "",
            ANN,
        )
        .expect("added");
        exhibits::find(&self.conn, &reference, None).expect("it is there")
    }
}

/// Does in memory what `ingest` does with a batch.
struct Sink<'a>(&'a World);

impl RecordSink for Sink<'_> {
    fn append(&mut self, batch: RecordBatch) -> Result<Appended> {
        assert!(batch.closes());
        let run = batch.run.unwrap_or_else(|| {
            *self.0.runs.borrow_mut() += 1;
            RunNo(*self.0.runs.borrow())
        });
        let mut numbers = Vec::new();
        for item in batch.items {
            let text = format!("{}\n{}", item.title, item.text);
            let number = match item.previous {
                Some(number) => {
                    let at = usize::try_from(number.0 - 1).expect("few items");
                    let held = &mut self.0.items.borrow_mut()[at];
                    held.0.subject.clone_from(&item.title);
                    held.0.date = item.date;
                    held.1 = text;
                    number
                }
                None => self.0.push(ItemKind::Record, &item.title, item.date, Vec::new(), text),
            };
            let row = VersionRow {
                key: item.key,
                item: number,
                content: item.content,
                body: item.raw,
                case_refs: item.case_refs,
                people: item.people,
                run,
                source: batch.source.label.clone(),
                source_row: item.source_row,
                actor: batch.actor.clone(),
                at_micros: 1_000,
            };
            records::put(&self.0.conn, &row)?;
            numbers.push(number);
        }
        let told = batch
            .exceptions
            .iter()
            .map(|one| (one.source_row, one.defect.detail.clone()));
        self.0.exceptions.borrow_mut().extend(told);
        Ok(Appended { run, items: numbers })
    }
}

impl CaseNames for World {
    fn naming(&self, case_ref: &str) -> Result<RoaringBitmap> {
        let wanted = tokens(case_ref);
        let items = self.items.borrow();
        let naming = items
            .iter()
            .filter(|(_, text)| tokens(text).windows(wanted.len()).any(|words| words == wanted));
        Ok(naming.map(|(card, _)| card.item.0).collect())
    }

    fn mail_of(&self, person: &str) -> Result<RoaringBitmap> {
        let people = Directory::load_in(&self.conn, &self.zone)?;
        let wanted = people.resolve(person);
        let items = self.items.borrow();
        let theirs = items
            .iter()
            .filter(|(card, _)| wanted.takes_part(&card.participants, card.date.utc_secs));
        Ok(theirs.map(|(card, _)| card.item.0).collect())
    }

    fn ticket(&self) -> Ticket {
        Ticket(1)
    }
}

impl ItemSource for World {
    fn cards(&self, items: &RoaringBitmap) -> Result<Vec<ItemCard>> {
        let all = self.items.borrow();
        Ok(all
            .iter()
            .filter(|(card, _)| items.contains(card.item.0))
            .map(|(card, _)| card.clone())
            .collect())
    }
}

fn tokens(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|one: char| !one.is_alphanumeric())
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect()
}

fn sums(report: &ImportReport) -> [u64; 5] {
    assert!(report.closes());
    [
        report.rows,
        report.new,
        report.updated,
        report.unchanged,
        report.excepted,
    ]
}

// ---- import ---------------------------------------------------------------------------------------------------

const LINES: &str = r#"{"record_type":"person","source_system":"tribune","record_id":"P-7","person_id":"P-7","full_name":"Ann Lee","aliases":[{"kind":"smtp","value":"a.lee@force.example"}]}
{"record_type":"case","source_system":"tribune","record_id":"C-1","case_ref":"CM/1/19","case_type":"conduct_matter","came_to_attention_at":"2019-03-01","opened_at":"2019-03-04T09:00:00Z","migrated_at":"2018-08-01"}
{"record_type":"role_appointment","source_system":"tribune","record_id":"R-1","case_ref":"CM/1/19","person_id":"P-7","role":"investigator","appointed_at":"2019-03-05","ended_at":"2019-06-30","appointed_by":"P-9","basis":"memo 4"}
{"record_type":"decision","source_system":"tribune","record_id":"D-1","case_ref":"CM/1/19","decision_type":"severity_assessment","outcome":"misconduct","decided_at":"2019-03-10T12:00:00+00:00","decided_by":"P-9","role_claimed":"appropriate_authority_delegate","regulation_cited":"regulation 12","subject_person_ids":["P-3"]}
{"record_type":"decision","source_system":"tribune","record_id":"D-2","case_ref":"CM/1/19","decision_type":"case_to_answer","outcome":"no case to answer","decided_at":"sometime","decided_by":"P-7"}
"#;

#[test]
fn every_row_has_one_outcome_and_a_second_import_finds_nothing_new() {
    let world = World::new();
    let bad = "{\"record_type\":\"decision\"\n[]\n{\"record_type\":\"verdict\",\"source_system\":\"t\",\"record_id\":\"1\"}\n";
    let first = world.import_lines(&format!("{LINES}\n{bad}"));
    assert_eq!(sums(&first), [8, 5, 0, 0, 3]);
    assert_eq!(first.by_type["decision"], 2);
    assert_eq!(first.unread_fields["decided_at"], 1);
    let rows: Vec<u64> = world.exceptions.borrow().iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [7, 8, 9], "the blank line 6 is no row");
    assert!(world.exceptions.borrow()[2].1.contains("\"verdict\""));
    assert_eq!(*world.runs.borrow(), 1, "several batches are one run");
    let second = world.import_lines(LINES);
    assert_eq!(sums(&second), [5, 0, 0, 5, 0]);
    assert_eq!(world.items.borrow().len(), 5);
}

#[test]
fn an_update_keeps_its_item_and_a_record_may_come_twice_in_one_file() {
    let world = World::new();
    world.import_lines(LINES);
    let changed = LINES.replace("\"misconduct\"", "\"gross misconduct\"");
    let decision = LINES.lines().nth(3).expect("the fourth row");
    let back = world.import_lines(&format!("{changed}{decision}\n{decision}\n"));
    assert_eq!(sums(&back), [7, 0, 2, 5, 0]);
    assert_eq!(world.items.borrow().len(), 5);
    let versions = records::versions(&world.conn, ItemNo(4)).expect("read");
    let outcomes: Vec<_> = versions
        .iter()
        .map(|one| one.record().expect("a record").text("outcome").map(str::to_owned))
        .collect();
    let expected = ["misconduct", "gross misconduct", "misconduct"].map(|one| Some(one.to_owned()));
    assert_eq!(outcomes, expected, "all versions are kept");
}

#[test]
fn csv_rows_are_the_same_records_with_their_columns_untouched() {
    let world = World::new();
    let path = world.file(
        "decisions.csv",
        "case_ref,decision_type,decided_at,decided_by,subject_person_ids,Their Note\nCM/1/19,severity_assessment,2019-03-10,P-9,P-3; P-4,\" as typed \"\nCM/1/19,severity_assessment,2019-03-10,P-9,P-5,\nCM/1/19,severity_assessment,2019-03-10,P-9,P-3; P-4,\" as typed \"\nCM/1/19,referral,,P-9,,\ntoo,short\n",
    );
    let report = world.import(&path, Some(RecordType::Decision)).expect("imported");
    assert_eq!(sums(&report), [5, 1, 0, 1, 3]);
    let told = world.exceptions.borrow().clone();
    assert!(
        told[0].1.contains("row 3") && told[0].1.contains("those of row 2"),
        "{}",
        told[0].1
    );
    assert!(
        told[1].1.contains("its key column decided_at is empty"),
        "{}",
        told[1].1
    );
    assert!(
        told[2].1.contains("row 6: the row has 2 cells, the header has 6"),
        "{}",
        told[2].1
    );
    let stored = records::of_item(&world.conn, ItemNo(1))
        .expect("read")
        .expect("it is there");
    assert_eq!(
        stored.key.display(),
        "dec:canonical/CM/1/19|severity_assessment|2019-03-10|P-9"
    );
    let record = stored.record().expect("a record");
    assert_eq!(record.list("subject_person_ids"), ["P-3", "P-4"]);
    assert_eq!(record.raw["Their Note"], " as typed ");
    let again = world.import(&path, Some(RecordType::Decision)).expect("imported");
    assert_eq!(sums(&again), [5, 0, 0, 2, 3]);
}

#[test]
fn the_same_record_as_json_lines_and_as_csv_is_unchanged() {
    let world = World::new();
    world.import_lines(LINES);
    let path = world.file(
        "person.csv",
        "record_type,record_id,source_system,full_name,person_id,aliases,posting_history\nperson,P-7,tribune,Ann Lee,P-7,\"{\"\"kind\"\":\"\"smtp\"\",\"\"value\"\":\"\"a.lee@force.example\"\"}\",\n",
    );
    let report = world.import(&path, Some(RecordType::Person)).expect("imported");
    assert_eq!(sums(&report), [1, 0, 0, 1, 0]);
}

#[test]
fn a_row_of_another_type_than_said_is_an_exception() {
    let world = World::new();
    let path = world.file("r.jsonl", LINES);
    let report = world.import(&path, Some(RecordType::Decision)).expect("imported");
    assert_eq!(sums(&report), [5, 2, 0, 0, 3]);
    assert!(
        report.exceptions[0]
            .1
            .contains("record_type is person, the import is of decision")
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_imports_nothing() {
    let world = World::new();
    let missing = world
        .import(Path::new("no-such-file.jsonl"), None)
        .expect_err("it is missing");
    assert_eq!(missing.class(), embley_model::outcome::ErrorClass::Input);
    assert!(world.import(world.folder.path(), None).is_err());
    assert!(world.items.borrow().is_empty());
}

// ---- links and timelines --------------------------------------------------------------------------------------

/// 2019-03-10 12:00:00 UTC.
const NOON: i64 = 1_552_219_200;

fn send_mail(world: &World) -> [ItemNo; 4] {
    [
        world.mail(Some(NOON), "a.lee@force.example", "Re: CM/1/19", "as discussed"),
        world.mail(
            Some(NOON - 86_400),
            "x@force.example",
            "lunch",
            "about cm 1-19 tomorrow",
        ),
        world.mail(None, "x@force.example", "undated", "see CM/1/19"),
        world.mail(Some(NOON), "x@force.example", "another case", "CM/1/190 and CM/11/19"),
    ]
}

fn told(timeline: &Timeline) -> Vec<(Option<String>, &'static str, String)> {
    timeline
        .entries
        .iter()
        .map(|one| (one.local.clone(), one.kind.word(), one.sentence.clone()))
        .collect()
}

#[test]
fn mail_then_records_gives_the_timeline_of_records_then_mail() {
    let (mail_first, records_first) = (World::new(), World::new());
    send_mail(&mail_first);
    mail_first.import_lines(LINES);
    records_first.import_lines(LINES);
    send_mail(&records_first);
    let one = mail_first.timeline(&Ask::of("CM/1/19"));
    assert_eq!(told(&one), told(&records_first.timeline(&Ask::of("CM/1/19"))));
    assert_eq!(one.entries.len(), 9);
    for world in [&mail_first, &records_first] {
        let summary = links::refresh(&world.conn, world, Which::Older).expect("refreshed");
        assert_eq!(
            (summary.cases, summary.named, summary.links, summary.renewed),
            (1, 1, 7, 1)
        );
        let again = links::refresh(&world.conn, world, Which::Older).expect("refreshed");
        assert_eq!(
            again,
            links::LinkSummary { renewed: 0, ..summary },
            "the index is as it was"
        );
        assert_eq!(
            links::refresh(&world.conn, world, Which::All).expect("refreshed"),
            summary
        );
    }
}

#[test]
fn a_timeline_is_in_one_order_with_days_marked_and_undated_entries_last() {
    let world = World::new();
    send_mail(&world);
    world.import_lines(LINES);
    let made = world.timeline(&Ask::of("cm/1/19"));
    let got: Vec<(Option<&str>, &str)> = made
        .entries
        .iter()
        .map(|one| (one.local.as_deref(), one.kind.word()))
        .collect();
    assert_eq!(
        got,
        [
            (Some("2019-03-01"), "case-date"),
            (Some("2019-03-04T09:00:00+00:00"), "case-date"),
            (Some("2019-03-05"), "role-start"),
            (Some("2019-03-09T12:00:00+00:00"), "email"),
            (Some("2019-03-10T12:00:00+00:00"), "decision"),
            (Some("2019-03-10T12:00:00+00:00"), "email"),
            (Some("2019-06-30"), "role-end"),
            (None, "decision"),
            (None, "email"),
        ]
    );
    assert_eq!(made.undated, 2);
    let summer = &made.entries[6];
    assert_eq!(
        (summer.date.as_deref(), summer.precision),
        (Some("2019-06-29T23:00:00Z"), Precision::Day)
    );
    let decision = &made.entries[4];
    assert_eq!(decision.record.as_deref(), Some("dec:tribune/D-1"));
    assert_eq!(
        decision.sentence,
        "decision recorded: severity assessment; outcome: misconduct; by P-9; role claimed: appropriate authority delegate; concerning P-3; cites regulation 12"
    );
    assert_eq!(made.entries[7].date_raw, "", "a date that could not be read is no date");
    assert_eq!(
        made.entries[2].sentence,
        "role recorded: investigator, Ann Lee (P-7); appointed by P-9; basis: memo 4"
    );
}

#[test]
fn limits_of_time_and_person_leave_what_belongs_and_what_is_undated() {
    let world = World::new();
    send_mail(&world);
    world.import_lines(LINES);
    let day = |text: &str| Some(text.parse().expect("a day"));
    let march = Ask::of("CM/1/19").between(day("2019-03-05"), day("2019-03-10"), &world.zone);
    let kinds: Vec<&str> = world
        .timeline(&march)
        .entries
        .iter()
        .map(|one| one.kind.word())
        .collect();
    assert_eq!(kinds, ["role-start", "email", "decision", "email", "decision", "email"]);
    for who in ["P-7", "ann  lee", "a.lee@force.example"] {
        let ask = Ask {
            person: Some(who.to_owned()),
            ..Ask::of("CM/1/19")
        };
        let kinds: Vec<&str> = world.timeline(&ask).entries.iter().map(|one| one.kind.word()).collect();
        assert_eq!(kinds, ["role-start", "email", "role-end", "decision"], "{who}");
    }
    let nobody = Ask {
        person: Some("P-99".to_owned()),
        ..Ask::of("CM/1/19")
    };
    assert!(world.timeline(&nobody).entries.is_empty());
}

#[test]
fn exhibits_stand_on_the_timeline_by_link_or_by_their_items() {
    let world = World::new();
    let mail = send_mail(&world);
    world.import_lines(LINES);
    let elsewhere = world.mail(Some(NOON + 10), "y@z.example", "no reference", "nothing");
    world.exhibit("JS/10", &[mail[0]]);
    let linked = world.exhibit("JS/9", &[elsewhere]);
    world.exhibit("JS/11", &[mail[3]]);
    let target = Target::Decision("dec:tribune/D-1".to_owned());
    exhibit_links::add(&world.conn, &linked, &target, "", ANN).expect("linked");
    let made = world.timeline(&Ask::of("CM/1/19"));
    let exhibits: Vec<&str> = made
        .entries
        .iter()
        .filter(|one| one.kind == EntryKind::Exhibit)
        .map(|one| one.exhibits[0].as_str())
        .collect();
    assert_eq!(exhibits, ["JS/10", "JS/9"], "JS/11 has nothing to do with the case");
    let by_item = |item: ItemNo| {
        made.entries
            .iter()
            .find(|one| one.item_no == Some(item) && one.kind == EntryKind::Email)
    };
    assert_eq!(by_item(mail[0]).expect("it names the case").exhibits, ["JS/10"]);
    let other = by_item(elsewhere).expect("it is in a linked exhibit");
    assert_eq!(other.why, ["in exhibit JS/9, linked to decision dec:tribune/D-1"]);
    assert!(by_item(mail[3]).is_none());
}

#[test]
fn an_older_reference_of_a_migrated_case_joins_its_timeline() {
    let world = World::new();
    world.mail(Some(NOON), "x@force.example", "old", "T-77 is with me");
    world.import_lines(
        r#"{"record_type":"case","source_system":"centurion","record_id":"1","case_ref":"CM/5/18","source_case_ref":"T-77","opened_at":"2018-01-01"}"#,
    );
    let made = world.timeline(&Ask::of("CM/5/18"));
    assert_eq!(made.known_as, ["CM/5/18", "T-77"]);
    assert_eq!(made.entries.len(), 2);
    assert_eq!(world.timeline(&Ask::of("T-77")).entries.len(), 2);
    assert!(world.timeline(&Ask::of("CM/9/99")).entries.is_empty());
}

#[test]
fn hits_show_what_holds_them_and_how_far_decisions_are() {
    let world = World::new();
    let mail = send_mail(&world);
    world.import_lines(LINES);
    links::refresh(&world.conn, &world, Which::Older).expect("refreshed");
    world.exhibit("JS/1", &[mail[1]]);
    tags::add(&world.conn, "relevant", &facts::sets::bitmap_of([mail[1]]), "", ANN).expect("tagged");
    let mut sets = FactSets::load(&world.conn).expect("loaded");
    let page = [
        DatedItem {
            item: mail[1],
            utc_secs: Some(NOON - 86_400),
        },
        DatedItem {
            item: mail[3],
            utc_secs: Some(NOON),
        },
        DatedItem {
            item: ItemNo(8),
            utc_secs: Some(NOON),
        },
    ];
    let shown = annotate(&world.conn, &sets, &world.zone, &page).expect("annotated");
    let first = &shown[0];
    assert_eq!(
        (first.membership.exhibits.join(""), first.membership.tags.join("")),
        ("JS/1".into(), "relevant".into())
    );
    assert_eq!(first.membership.cases, ["CM/1/19"]);
    let near: Vec<_> = first
        .decisions
        .iter()
        .map(|one| (one.id.as_str(), one.relation, one.days))
        .collect();
    assert_eq!(
        near,
        [
            ("dec:tribune/D-1", Relation::NamesCase, Some(-1)),
            ("dec:tribune/D-2", Relation::NamesCase, None)
        ]
    );
    assert!(shown[1].membership.cases.is_empty() && shown[1].decisions.is_empty());
    let own: Vec<_> = shown[2]
        .decisions
        .iter()
        .map(|one| (one.id.as_str(), one.relation))
        .collect();
    assert_eq!(
        own,
        [("dec:tribune/D-2", Relation::RecordOfCase)],
        "the decision itself is not beside itself"
    );
    let linked = world.exhibit("JS/2", &[mail[3]]);
    exhibit_links::add(&world.conn, &linked, &Target::Decision("D-1".to_owned()), "", ANN).expect("linked");
    sets.refresh(&world.conn).expect("refreshed");
    let shown = annotate(&world.conn, &sets, &world.zone, &page).expect("annotated");
    let near: Vec<_> = shown[1]
        .decisions
        .iter()
        .map(|one| (one.id.as_str(), one.relation, one.days))
        .collect();
    assert_eq!(near, [("dec:tribune/D-1", Relation::ExhibitOfDecision, Some(0))]);
}

#[test]
fn no_sentence_accuses() {
    let world = World::new();
    let mail = send_mail(&world);
    world.import_lines(LINES);
    world.exhibit("JS/1", &[mail[0]]);
    let made = world.timeline(&Ask::of("CM/1/19"));
    let mut read = 0;
    for entry in &made.entries {
        let words = tokens(&format!("{} {}", entry.sentence, entry.why.join(" ")));
        read += words.len();
        for word in [
            "guilty",
            "corrupt",
            "lied",
            "culpable",
            "suspicious",
            "improper",
            "interference",
            "wrongdoing",
            "concealed",
        ] {
            assert!(!words.iter().any(|one| one == word), "{}", entry.sentence);
        }
    }
    assert!(read > 50);
}

#[test]
fn entries_are_json_lines_and_rows() {
    let world = World::new();
    world.import_lines(LINES);
    let made = world.timeline(&Ask::of("CM/1/19"));
    let decision = made
        .entries
        .iter()
        .find(|one| one.kind == EntryKind::Decision)
        .expect("there is one");
    let json = serde_json::to_value(decision).expect("it is plain data");
    assert_eq!(json["kind"], "decision");
    assert_eq!(json["date"], "2019-03-10T12:00:00Z");
    assert_eq!(json["date_source"], "record");
    assert_eq!(json["confidence"], "high");
    assert_eq!(json["decision"]["role_claimed"], "appropriate_authority_delegate");
    assert_eq!(json["item_no"], 4);
    assert_eq!(decision.row()[1], "decision");
}

#[test]
fn the_query_for_a_reference_escapes_what_the_language_means() {
    assert_eq!(
        links::query_text(&["A/1".to_owned()]),
        "subject:\"A/1\" OR body:\"A/1\" OR attachment:\"A/1\" OR filename:\"A/1\""
    );
    assert!(links::query_text(&["a\"b\\c".to_owned()]).contains("\"a\\\"b\\\\c\""));
}
