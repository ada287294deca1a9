//! Each rule over small hand-written records: a planted fault, and every innocent look-alike of its kind.

mod authority;
mod conflict;
mod registers;
mod runs;
mod timing;
mod twice;
mod words;

use std::cell::Cell;

use embley_model::date::EvidenceDate;
use embley_model::id::{ItemNo, RunNo};
use embley_model::item::ItemKind;
use embley_model::record::Record;
use embley_store::facts::records::{self, VersionRow};
use embley_store::facts::{self, Connection, Stamp};
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;
use serde_json::{Value, json};

use super::{Ask, Confidence, Context, Indicator, Outcome, Shared, run};
use crate::error::Result;
use crate::people::Directory;
use crate::rules::RuleSet;
use crate::timeline::{ItemCard, ItemSource};

pub(crate) const ANN: Stamp<'static> = Stamp {
    actor: "ann",
    at_micros: 1_600_000_000_000_000,
};

/// Records in a catalogue in memory.
pub(crate) struct World {
    pub(crate) conn: Connection,
    pub(crate) zone: TimeZone,
    pub(crate) rules: RuleSet,
    next: Cell<u32>,
    /// The run that records are added by.
    import: Cell<u32>,
}

impl ItemSource for World {
    fn cards(&self, items: &RoaringBitmap) -> Result<Vec<ItemCard>> {
        let card = |number: u32| ItemCard {
            item: ItemNo(number),
            id: format!("item:{number:04}"),
            kind: ItemKind::Record,
            date: EvidenceDate::undated(),
            subject: String::new(),
            filename: None,
            participants: Vec::new(),
            root: ItemNo(number),
        };
        Ok(items.iter().map(card).collect())
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let conn = Connection::open_in_memory().expect("a database in memory opens");
        facts::create_tables(&conn).expect("the tables are made");
        Self {
            conn,
            zone: TimeZone::get("Europe/London").expect("the zone is bundled"),
            rules: RuleSet::built_in().expect("the built-in rules are right"),
            next: Cell::new(1),
            import: Cell::new(1),
        }
    }

    /// What is added from here on came with a later import.
    pub(crate) fn later_import(&self) -> &Self {
        self.import.set(self.import.get() + 1);
        self
    }

    /// Adds a record: `record_type` and an id are needed, the system is `tribune` unless said.
    pub(crate) fn add(&self, record_type: &str, id: &str, fields: Value) -> &Self {
        let mut object = json!({"record_type": record_type, "source_system": "tribune", "record_id": id});
        let into = object.as_object_mut().expect("an object");
        into.extend(fields.as_object().expect("an object").clone());
        let body = object.to_string();
        let (record, defects) = Record::read(body.as_bytes()).expect("the sample is a record");
        assert!(defects.is_empty(), "{id}: {defects:?}");
        let known = records::known(&self.conn, &record.key).expect("the catalogue answers");
        let item = known.map_or_else(|| ItemNo(self.next.replace(self.next.get() + 1)), |known| known.item);
        let row = VersionRow {
            key: record.key.clone(),
            item,
            content: records::content_hash(&record),
            case_refs: record.case_refs().into_iter().map(ToOwned::to_owned).collect(),
            people: record.people().into_iter().map(ToOwned::to_owned).collect(),
            body: body.into_bytes(),
            run: RunNo(self.import.get()),
            source: "sample".to_owned(),
            source_row: u64::from(item.0),
            actor: "ann".to_owned(),
            at_micros: 1,
        };
        records::put(&self.conn, &row).expect("it is kept");
        self
    }

    /// A case under the 2020 regulations, outside Schedule 3, with people: P-AA is the appropriate authority, P-INV investigates, P-OFF is
    /// the officer concerned, P-C complains.
    pub(crate) fn conduct_case(&self) -> &Self {
        self.case(json!({"schedule_3": false, "case_type": "conduct_matter"}))
            .people()
            .roles()
    }

    /// The same under Schedule 3.
    pub(crate) fn complaint_case(&self) -> &Self {
        self.case(json!({"schedule_3": true, "case_type": "complaint", "form_of_investigation": "local"}))
            .people()
            .roles()
    }

    pub(crate) fn case(&self, more: Value) -> &Self {
        let mut fields = json!({
            "case_ref": "CM/1/20", "came_to_attention_at": "2020-03-02", "opened_at": "2020-03-02", "status": "open",
        });
        fields
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        self.add("case", "CM/1/20", fields)
    }

    pub(crate) fn people(&self) -> &Self {
        for (id, name) in [
            ("P-AA", "Ann Able"),
            ("P-INV", "Ian Vest"),
            ("P-OFF", "Olive Force"),
            ("P-C", "Carl Plain"),
            ("P-X", "Xenia Other"),
        ] {
            self.add("person", id, json!({"person_id": id, "full_name": name}));
        }
        self.add(
            "party",
            "PA-1",
            json!({"case_ref": "CM/1/20", "person_id": "P-OFF", "capacity": "officer_concerned"}),
        )
        .add(
            "party",
            "PA-2",
            json!({"case_ref": "CM/1/20", "person_id": "P-C", "capacity": "complainant"}),
        )
    }

    pub(crate) fn roles(&self) -> &Self {
        self.role("R-1", "P-AA", "appropriate_authority_delegate", json!({}))
            .role("R-2", "P-INV", "investigator", json!({}))
    }

    pub(crate) fn role(&self, id: &str, person: &str, role: &str, more: Value) -> &Self {
        let mut fields =
            json!({"case_ref": "CM/1/20", "person_id": person, "role": role, "appointed_at": "2020-03-02"});
        fields
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        self.add("role_appointment", id, fields)
    }

    pub(crate) fn decision(&self, id: &str, kind: &str, day: &str, by: &str, more: Value) -> &Self {
        let mut fields = json!({
            "case_ref": "CM/1/20", "decision_type": kind, "decided_at": day, "decided_by": by, "subject_person_ids": ["P-OFF"],
        });
        fields
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        self.add("decision", id, fields)
    }

    pub(crate) fn log(&self, id: &str, day: &str, text: &str) -> &Self {
        self.add(
            "log_entry",
            id,
            json!({"case_ref": "CM/1/20", "entry_at": day, "author_id": "P-INV", "text": text}),
        )
    }

    pub(crate) fn run(&self, ask: &Ask) -> Outcome {
        self.with(|context| run(context, self, ask)).expect("the rules run")
    }

    /// Calls with everything that rules look at.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Context<'_>) -> T) -> T {
        let shared =
            Shared::load(&self.conn, &self.zone, self.rules.settings.bulk_rows).expect("the catalogue answers");
        let people = Directory::load(&self.conn).expect("the catalogue answers");
        work(&Context {
            facts: &self.conn,
            mail: None,
            zone: &self.zone,
            rules: &self.rules,
            people: &people,
            shared: &shared,
            as_at: None,
        })
    }

    /// What one rule gives.
    pub(crate) fn rule(&self, id: &str) -> Vec<Indicator> {
        let ask = Ask {
            rules: vec![id.to_owned()],
            ..Ask::default()
        };
        self.run(&ask).indicators
    }

    /// Confidence of each indicator of a rule.
    pub(crate) fn classes(&self, id: &str) -> Vec<Confidence> {
        self.rule(id).iter().map(|one| one.confidence).collect()
    }
}
