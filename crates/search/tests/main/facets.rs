//! Facets against counts by hand over the rows of the catalogue, and against the queries for their values.

use std::collections::{BTreeMap, BTreeSet};

use embley_model::address::Role;
use embley_model::field::Field;
use embley_model::id::ItemNo;
use embley_search::plan::SetAsk;
use embley_search::{Facet, FacetCounts, FacetValue, Level, OtherValues, Searcher, Sets};
use embley_store::facts::{Stamp, tags};
use proptest::prelude::*;
use roaring::RoaringBitmap;

use crate::small_case::{NOW, SmallCase};

/// The values of one item, from its rows where rows hold them, else from the sets of the case.
fn values(searcher: &Searcher, facet: Facet, item: u32) -> BTreeSet<String> {
    let row = searcher.reader().item(ItemNo(item)).expect("rows").expect("a row");
    let addresses = |roles: &[Role]| -> BTreeSet<String> {
        let people = row.participants.iter().filter(|one| roles.contains(&one.role));
        people.map(|one| one.address.addr.to_lowercase()).collect()
    };
    let senders = &[Role::From, Role::Sender, Role::ReplyTo][..];
    let recipients = &[Role::To, Role::Cc, Role::Bcc][..];
    let dated = |form: &str| -> BTreeSet<String> {
        let stamp = row
            .date
            .utc_secs
            .map(|secs| jiff::Timestamp::from_second(secs).expect("a date"));
        let local = stamp.map(|stamp| stamp.to_zoned(searcher.zone().clone()).strftime(form).to_string());
        local.into_iter().collect()
    };
    let named = |field: Field| -> BTreeSet<String> {
        let names = searcher.sets().names(field).expect("names");
        let holds = |name: &String| {
            searcher
                .sets()
                .find(field, &SetAsk::Is(name.clone()))
                .expect("a set")
                .items
                .contains(item)
        };
        names.into_iter().filter(holds).collect()
    };
    match facet {
        Facet::Sender => addresses(senders),
        Facet::Recipient => addresses(recipients),
        Facet::Domain => [addresses(senders), addresses(recipients)]
            .concat_sets()
            .iter()
            .filter_map(|addr| addr.rsplit_once('@').map(|(_, domain)| domain.to_owned()))
            .collect(),
        Facet::Type => BTreeSet::from([row.kind.word().to_owned()]),
        Facet::Year => dated("%Y"),
        Facet::Month => dated("%Y-%m"),
        Facet::Day => dated("%Y-%m-%d"),
        Facet::Searchability => Some(row.searchability)
            .filter(|one| one.hides_text())
            .map(|one| one.word().to_owned())
            .into_iter()
            .collect(),
        Facet::Defect => {
            let defects = searcher.reader().defects(ItemNo(item)).expect("defects");
            defects.iter().map(|defect| defect.code.text().to_owned()).collect()
        }
        Facet::Language => {
            let languages = searcher.snapshot().languages_of(&[item]).expect("languages");
            languages.into_iter().flatten().collect()
        }
        Facet::Custodian => named(Field::Custodian),
        Facet::Source => named(Field::Source),
        Facet::Label => named(Field::Label),
        Facet::Tag => named(Field::Tag),
        Facet::Exhibit => named(Field::Exhibit),
        Facet::Privilege => named(Field::Privilege),
        // What is not reviewed has no state; the query has a name for it.
        Facet::Review => named(Field::Review)
            .into_iter()
            .filter(|name| name != "not-reviewed")
            .collect(),
        Facet::Case => named(Field::Case),
    }
}

trait ConcatSets {
    fn concat_sets(self) -> BTreeSet<String>;
}

impl<const N: usize> ConcatSets for [BTreeSet<String>; N] {
    fn concat_sets(self) -> BTreeSet<String> {
        self.into_iter().flatten().collect()
    }
}

fn by_hand(of_items: &BTreeMap<u32, BTreeSet<String>>, facet: Facet, limit: Option<usize>) -> FacetCounts {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for value in of_items.values().flatten() {
        *counts.entry(value).or_default() += 1;
    }
    let mut listed: Vec<(&str, u64)> = counts.iter().map(|(value, count)| (*value, *count)).collect();
    listed.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(two.0)));
    listed.truncate(limit.unwrap_or(usize::MAX));
    if matches!(facet, Facet::Year | Facet::Month | Facet::Day) {
        listed.sort_unstable();
    }
    let cut = |values: &&BTreeSet<String>| {
        values
            .iter()
            .any(|value| listed.iter().all(|(shown, _)| shown != value))
    };
    let others = (counts.len() > listed.len()).then(|| OtherValues {
        values: (counts.len() - listed.len()) as u64,
        items: of_items.values().filter(cut).count() as u64,
    });
    let without = of_items.values().filter(|values| values.is_empty()).count() as u64;
    let values = listed.iter().map(|(value, count)| (Some((*value).to_owned()), *count));
    FacetCounts {
        facet,
        values: values
            .chain((without > 0).then_some((None, without)))
            .map(|(value, count)| FacetValue { value, count })
            .collect(),
        value_count: counts.len() as u64,
        others,
    }
}

#[test]
fn counts_are_those_made_by_hand_over_rows() {
    let case = SmallCase::make(8);
    let opened = case.open();
    let facts = opened.facts().expect("facts can be written");
    let stamp = || Stamp {
        actor: "tester",
        at_micros: NOW,
    };
    for (tag, items) in [("key", [1, 2, 5]), ("hot", [2, 3, 8]), ("cold", [1, 7, 8])] {
        tags::add(facts.connection(), tag, &items.into_iter().collect(), "test", stamp()).expect("the tag is made");
    }
    let searcher = Searcher::open(&opened).expect("the case is searched");
    let mut seen = 0;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(100));
    let input = (
        prop::collection::btree_set(1_u32..9, 0..9),
        prop::option::of(0_usize..4),
    );
    runner
        .run(&input, |(wanted, limit)| {
            let items: RoaringBitmap = wanted.iter().copied().collect();
            let counted = searcher
                .facets(&Facet::ALL, &items, Level::Item, limit)
                .expect("facets are counted");
            for (facet, counts) in Facet::ALL.into_iter().zip(counted) {
                let of_items = wanted
                    .iter()
                    .map(|item| (*item, values(&searcher, facet, *item)))
                    .collect();
                prop_assert_eq!(counts, by_hand(&of_items, facet, limit));
            }
            Ok(())
        })
        .expect("they agree");
    let all: RoaringBitmap = (1..9).collect();
    // Each value counts what the query for it finds.
    for (facet, query) in [
        (Facet::Sender, "from:"),
        (Facet::Domain, "domain:"),
        (Facet::Language, "language:"),
        (Facet::Type, "type:"),
        (Facet::Year, "date:"),
        (Facet::Month, "date:"),
        (Facet::Day, "date:"),
        (Facet::Tag, "tag:"),
        (Facet::Defect, "defect:"),
    ] {
        let counts = searcher
            .facets(&[facet], &all, Level::Item, None)
            .expect("facets are counted")
            .remove(0);
        for value in counts.values {
            let Some(name) = value.value else { continue };
            let plan = searcher.plan(&format!("{query}{name}")).expect("a good query");
            assert_eq!(
                searcher.items(&plan).expect("it runs").len(),
                value.count,
                "{query}{name}"
            );
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}
