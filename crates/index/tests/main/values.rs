//! Counts by values of columns against counts by hand, over several segments.

use std::collections::{BTreeMap, BTreeSet};

use embley_index::{CountBy, IndexDoc, IndexStore, Snapshot, ValueCounts};
use embley_model::address::Address;
use embley_model::field::Field;
use embley_model::id::Ticket;
use embley_model::item::ItemKind;
use proptest::prelude::*;
use roaring::RoaringBitmap;

#[derive(Clone, Debug)]
struct Mail {
    from: Vec<String>,
    to: Vec<String>,
    cc: Vec<String>,
    language: Option<&'static str>,
    date: Option<i64>,
}

fn addresses() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[aB]{1,2}(@[xY]\\.(org|net)|@)?|@", 0..4)
}

fn mail() -> impl Strategy<Value = Mail> {
    let language = prop::option::of(prop::sample::select(vec!["en", "de", "und"]));
    (
        addresses(),
        addresses(),
        addresses(),
        language,
        prop::option::of(-3_i64..3),
    )
        .prop_map(|(from, to, cc, language, date)| Mail {
            from,
            to,
            cc,
            language,
            date,
        })
}

fn address(addr: &str) -> Address {
    Address {
        name: "Somebody".to_owned(),
        addr: addr.to_owned(),
    }
}

impl Mail {
    fn doc(&self, item_no: u32) -> IndexDoc {
        let mut doc = IndexDoc::new(item_no, ItemKind::Email);
        doc.date = self.date;
        for (role, list) in [(Field::From, &self.from), (Field::To, &self.to), (Field::Cc, &self.cc)] {
            let list: Vec<Address> = list.iter().map(|addr| address(addr)).collect();
            doc.people(role, &list);
        }
        if let Some(language) = self.language {
            doc.keywords.push((Field::Language, language.to_owned()));
        }
        doc
    }

    fn values(&self, by: CountBy) -> BTreeSet<String> {
        let folded = |lists: &[&Vec<String>]| -> BTreeSet<String> {
            lists
                .iter()
                .flat_map(|list| list.iter())
                .map(|addr| addr.to_lowercase())
                .collect()
        };
        match by {
            CountBy::Sender => folded(&[&self.from]),
            CountBy::Recipient => folded(&[&self.to, &self.cc]),
            CountBy::Domain => folded(&[&self.from, &self.to, &self.cc])
                .iter()
                .filter_map(|addr| addr.rsplit_once('@'))
                .map(|(_, domain)| domain.to_owned())
                .filter(|domain| !domain.is_empty())
                .collect(),
            CountBy::Language => self.language.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// The same counts, item by item.
fn by_hand(mails: &[(u32, &Mail)], by: CountBy, limit: Option<usize>) -> ValueCounts {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut without = 0;
    for (_, mail) in mails {
        let values = mail.values(by);
        without += u64::from(values.is_empty());
        for value in values {
            *counts.entry(value).or_default() += 1;
        }
    }
    let distinct = counts.len() as u64;
    let mut values: Vec<(String, u64)> = counts.into_iter().collect();
    values.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
    values.truncate(limit.unwrap_or(usize::MAX));
    let shown: BTreeSet<&String> = values.iter().map(|(value, _)| value).collect();
    let cut = mails
        .iter()
        .filter(|(_, mail)| mail.values(by).iter().any(|value| !shown.contains(value)));
    ValueCounts {
        cut_items: cut.count() as u64,
        values,
        distinct,
        without,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn counts_are_those_made_by_hand(
        segments in prop::collection::vec(prop::collection::vec(mail(), 1..12), 1..4),
        wanted in prop::collection::btree_set(1_u32..40, 0..40),
        limit in prop::option::of(0_usize..4),
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = IndexStore::open_or_create(folder.path()).expect("an index");
        let mut item = 0;
        let mut all = Vec::new();
        let mut finished = Vec::new();
        for segment in &segments {
            let mut builder = store.builder(20 << 20);
            for mail in segment {
                item += 1;
                builder.add(&mail.doc(item)).expect("it takes the item");
                all.push((item, mail));
            }
            finished.extend(builder.finish().expect("it is written"));
        }
        store.commit(finished, Ticket(1)).expect("it commits");
        let chosen: Vec<(u32, &Mail)> = all.iter().copied().filter(|(item, _)| wanted.contains(item)).collect();
        let items: RoaringBitmap = wanted.iter().copied().collect();
        let by = [CountBy::Sender, CountBy::Recipient, CountBy::Domain, CountBy::Language];
        let mut dates: Vec<i64> = chosen.iter().filter_map(|(_, mail)| mail.date).collect();
        dates.sort_unstable();
        for merged in [false, true] {
            if merged {
                store.merge(1).expect("it merges");
            }
            let snapshot = Snapshot::open(folder.path()).expect("it opens");
            let counts = snapshot.count_by(&by, &items, limit).expect("it counts");
            for (by, counts) in by.into_iter().zip(counts) {
                prop_assert_eq!(counts, by_hand(&chosen, by, limit), "{:?}", by);
            }
            prop_assert_eq!(snapshot.dates_of(&items).expect("dates"), dates.clone());
            let numbers: Vec<u32> = (0..45).collect();
            let languages = snapshot.languages_of(&numbers).expect("languages");
            for (item, language) in numbers.iter().zip(languages) {
                let expected = all.iter().find(|(one, _)| one == item).and_then(|(_, mail)| mail.language);
                prop_assert_eq!(language.as_deref(), expected);
            }
        }
    }
}

#[test]
fn an_address_without_end_is_counted_by_its_beginning() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = IndexStore::open_or_create(folder.path()).expect("an index");
    let mut builder = store.builder(20 << 20);
    let mut doc = IndexDoc::new(1, ItemKind::Email);
    let long = format!("é{}@x.org", "é".repeat(100_000));
    doc.people(Field::From, [&address(&long)]);
    builder.add(&doc).expect("it takes the item");
    let finished = builder.finish().expect("it is written");
    store.commit(Vec::from_iter(finished), Ticket(1)).expect("it commits");
    let snapshot = Snapshot::open(folder.path()).expect("it opens");
    let items = RoaringBitmap::from_iter([1]);
    let counts = snapshot.count_by(&[CountBy::Sender], &items, None).expect("it counts");
    let value = &counts[0].values[0].0;
    assert_eq!(value.len(), embley_index::analysis::TOKEN_LIMIT_BYTES);
}
