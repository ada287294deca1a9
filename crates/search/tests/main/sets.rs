//! Marks of privilege and review states in queries, facets and hits; a hundred thousand of them at once.

use embley_index::analysis::Tokens;
use embley_index::{IndexDoc, IndexStore};
use embley_model::date::{Confidence, DateSource, EvidenceDate};
use embley_model::field::Field;
use embley_model::id::{Blake3, BlobId, ItemNo, RunNo, Sha256, Ticket};
use embley_model::item::{ItemKind, Searchability};
use embley_search::{Facet, Level, SearchOptions, Searcher, Sets, Sort};
use embley_store::catalogue::{BlobPlaceRow, BlobRow, Checkpoint, ItemFlags, ItemRow, RowBatch};
use embley_store::facts::{Stamp, privilege, review, sets};
use embley_store::{Access, Case, Holder, InitOptions};
use roaring::RoaringBitmap;

use crate::small_case::{NOW, SmallCase};

fn stamp() -> Stamp<'static> {
    Stamp {
        actor: "tester",
        at_micros: NOW,
    }
}

fn found(searcher: &Searcher, query: &str, level: Level) -> Vec<u32> {
    let plan = searcher.plan(query).expect("it is planned").at(level);
    searcher.items(&plan).expect("it runs").into_iter().collect()
}

#[test]
fn marks_and_states_are_searched_like_tags() {
    let case = SmallCase::make(8);
    let opened = case.open();
    let facts = opened.facts().expect("facts");
    let conn = facts.connection();
    let items = |items: &[u32]| items.iter().copied().collect::<RoaringBitmap>();
    privilege::mark(conn, "Legal", &items(&[1, 2]), "", stamp()).expect("marked");
    review::set(conn, "relevant", &items(&[2, 7]), "", stamp()).expect("set");
    review::set(conn, "not-relevant", &items(&[3]), "", stamp()).expect("set");
    // Beyond the index: not seen yet.
    review::set(conn, "relevant", &items(&[90]), "", stamp()).expect("set");
    let searcher = Searcher::open(&opened).expect("it opens");
    for (query, items, families) in [
        ("privilege:legal", &[1, 2][..], &[1][..]),
        ("privilege:LEG*", &[1, 2], &[1]),
        ("NOT privilege:*", &[3, 4, 5, 6, 7, 8], &[3, 6, 7, 8]),
        ("review:relevant", &[2, 7], &[1, 7]),
        ("review:*", &[2, 3, 7], &[1, 3, 7]),
        ("review:not*", &[3], &[3]),
        ("review:not-reviewed", &[1, 4, 5, 6, 8], &[1, 3, 6, 8]),
        ("NOT review:*", &[1, 4, 5, 6, 8], &[6, 8]),
        ("fraud NOT review:relevant", &[3, 5], &[3]),
        ("review:medical", &[], &[]),
    ] {
        assert_eq!(found(&searcher, query, Level::Item), items, "{query}");
        assert_eq!(found(&searcher, query, Level::Family), families, "{query}");
    }
    let plan = searcher.plan("review:not-relevnt").expect("it is planned");
    assert!(
        plan.notes[0].contains("did you mean `not-relevant`?"),
        "{:?}",
        plan.notes
    );
    let names = searcher.sets().names(Field::Review).expect("names");
    assert_eq!(names, ["not-relevant", "relevant", "not-reviewed"]);
    let plan = searcher.plan("fraud").expect("it is planned");
    let options = SearchOptions {
        sort: Sort::Item,
        facets: &[Facet::Review, Facet::Privilege],
        ..SearchOptions::default()
    };
    let answer = searcher.run(&plan, options).expect("it runs");
    let counts = |at: usize| -> Vec<(Option<&str>, u64)> {
        let values = &answer.summary().facets[at].values;
        values.iter().map(|one| (one.value.as_deref(), one.count)).collect()
    };
    assert_eq!(counts(0), [(Some("relevant"), 2), (Some("not-relevant"), 1), (None, 1)]);
    assert_eq!(counts(1), [(Some("Legal"), 1), (None, 3)]);
    let hits = answer.hits().expect("hits").map(|hit| hit.expect("a hit"));
    let shown: Vec<_> = hits.map(|hit| (hit.item_no, hit.privilege, hit.review)).collect();
    let relevant = || Some("relevant".to_owned());
    assert_eq!(
        shown,
        [
            (2, vec!["Legal".to_owned()], relevant()),
            (3, vec![], Some("not-relevant".to_owned())),
            (5, vec![], None),
            (7, vec![], relevant()),
        ]
    );
}

const MANY: u32 = 120_000;

/// A case of many items in families of one, two and three; the text of every item is its word.
fn many(folder: &std::path::Path) -> Case {
    let options = InitOptions {
        name: "many".into(),
        reference: String::new(),
        zone: String::new(),
        at_micros: NOW,
    };
    Case::init(folder, &options).expect("an empty folder takes a case");
    let holder = Holder {
        what: "test".into(),
        since_micros: NOW,
    };
    let case = Case::open(folder, Access::Write(holder)).expect("nobody else has it");
    let mut writer = case.catalogue_writer().expect("the catalogue opens");
    let mut index = IndexStore::open_or_create(&case.index_dir()).expect("the index is made");
    let mut builder = index.builder(64 << 20);
    let mut batch = RowBatch::default();
    let (mut root, mut end) = (0, 1);
    for item in 1..=MANY {
        if item == end {
            root = item;
            end = (item + 1 + item % 3).min(MANY + 1);
        }
        batch.items.push(row(item, root, end - root));
        batch.blobs.push(blob(item, root));
        let mut doc = IndexDoc::new(item, ItemKind::Email);
        let mut tokens = Tokens::new();
        tokens.text(["one", "two"][item as usize % 2]);
        doc.texts.push((Field::Body, tokens));
        builder.add(&doc).expect("the segment takes the item");
    }
    writer.append(batch);
    let checkpoint = Checkpoint {
        ticket: Ticket(1),
        run_no: RunNo(1),
        pack: writer.last_checkpoint().pack,
        next_item: MANY + 1,
        next_blob: MANY + 1,
        next_instance: 1,
        at_micros: NOW,
    };
    writer.commit(checkpoint).expect("the catalogue takes the rows");
    let segments = builder.finish().expect("the segment is written");
    index
        .commit(segments.into_iter().collect(), Ticket(1))
        .expect("the index commits");
    drop(writer);
    drop(case);
    Case::open(folder, Access::Facts).expect("the case opens")
}

fn row(item: u32, root: u32, size: u32) -> ItemRow {
    ItemRow {
        item_no: ItemNo(item),
        blob_id: BlobId(item),
        root: ItemNo(root),
        parent: (item != root).then_some(ItemNo(root)),
        family_size: if item == root { size } else { 0 },
        part_path: if item == root {
            String::new()
        } else {
            (item - root).to_string()
        },
        kind: ItemKind::Email,
        media_type: "message/rfc822".into(),
        filename: None,
        size: 3,
        date: EvidenceDate {
            raw: String::new(),
            utc_secs: None,
            offset_minutes: None,
            source: DateSource::DateHeader,
            confidence: Confidence::High,
        },
        subject: String::new(),
        participants: Vec::new(),
        message_id: None,
        in_reply_to: Vec::new(),
        references: Vec::new(),
        thread_index: None,
        keys: None,
        sketch: None,
        searchability: Searchability::Searched,
        flags: ItemFlags::default(),
        labels: Vec::new(),
        run_no: RunNo(1),
    }
}

fn blob(item: u32, root: u32) -> BlobRow {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&item.to_be_bytes());
    BlobRow {
        blob_id: BlobId(item),
        blake3: Blake3(hash),
        sha256: Sha256(hash),
        size: 3,
        place: BlobPlaceRow::Derived {
            root_item: ItemNo(root),
            part_path: String::new(),
        },
        top_item: (item == root).then_some(ItemNo(item)),
    }
}

#[test]
fn a_hundred_thousand_memberships_change_by_one_event_and_show_in_the_next_query() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let case = many(&folder.path().join("case"));
    let mut searcher = Searcher::open(&case).expect("it opens");
    let facts = case.facts().expect("facts");
    let conn = facts.connection();
    let items: RoaringBitmap = (1..=100_000).collect();
    let counts = |searcher: &Searcher| -> Vec<u64> {
        let queries = [
            "privilege:legal",
            "one review:relevant",
            "review:not-relevant",
            "review:not-reviewed",
        ];
        let of = |query: &&str| {
            let plan = searcher.plan(query).expect("it is planned");
            let count = SearchOptions {
                limit: Some(0),
                ..SearchOptions::default()
            };
            searcher.run(&plan, count).expect("it runs").summary().count
        };
        queries.iter().map(of).collect()
    };
    assert_eq!(counts(&searcher), [0, 0, 0, 120_000]);
    let marked = privilege::mark(conn, "legal", &items, "query: *", stamp()).expect("marked");
    review::set(conn, "relevant", &items, "query: *", stamp()).expect("set");
    // What a searcher sees changes when it is told to look, and not before.
    assert_eq!(counts(&searcher), [0, 0, 0, 120_000]);
    searcher.refresh_facts().expect("it is refreshed");
    assert_eq!(counts(&searcher), [100_000, 50_000, 0, 20_000]);
    let odd: RoaringBitmap = (1..=MANY).step_by(2).collect();
    let moved = review::set(conn, "not-relevant", &odd, "query: two", stamp()).expect("set");
    assert_eq!((moved.changed, moved.moved), (60_000, 50_000));
    let name = sets::find(conn, sets::SetKind::Privilege, "legal")
        .expect("read")
        .expect("there");
    assert_eq!(sets::events(conn, name.set_id).expect("read").len(), 1);
    searcher.refresh_facts().expect("it is refreshed");
    assert_eq!(counts(&searcher), [100_000, 50_000, 60_000, 10_000]);
    sets::undo(conn, marked.event.expect("an event"), "", stamp()).expect("undone");
    review::undo(conn, moved.event.expect("an event"), "", stamp()).expect("undone");
    searcher.refresh_facts().expect("it is refreshed");
    assert_eq!(counts(&searcher), [0, 50_000, 0, 20_000]);
    // Families of the same case, counted one by one.
    let roots = searcher.reader().roots().expect("roots");
    let families = searcher.families().expect("families");
    let both = |root: &u32| {
        let members = *root..families.end_of(*root);
        members.clone().any(|item| item % 2 == 0) && members.clone().any(|item| item % 2 == 1)
    };
    let expected: Vec<u32> = roots.iter().filter(both).collect();
    assert_eq!(found(&searcher, "one two", Level::Family), expected);
    assert!(expected.len() > 10_000 && expected.len() < roots.len() as usize);
}
