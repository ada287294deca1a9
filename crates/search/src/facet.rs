//! Exact counts of the hits by who held them, what they are, when they are from, and what marks them.
//!
//! Values that are sets of the case are bitmaps over item numbers, kept by the searcher; addresses, domains and languages are counted from columns of
//! the index, dates from theirs. Facets take a bitmap of items and know nothing of the query that found them.
//!
//! Invariants: counts are exact and of items; an item with several values counts with each, one with none under null. A value counts what the query for
//! it finds: `sender` what `from:` finds (`From`, `Sender`, `Reply-To`), `recipient` what `to:`, `cc:` and `bcc:` find, `day` what `date:` finds.

use std::sync::Arc;

use embley_index::{CountBy, ValueCounts};
use embley_model::field::Field;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use roaring::RoaringBitmap;
use serde::Serialize;

use crate::plan::end_of;
use crate::tree::DateSpec;

/// What hits can be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facet {
    /// Custodian.
    Custodian,
    /// Whole address that `from:` finds.
    Sender,
    /// Whole address that `to:`, `cc:` or `bcc:` finds.
    Recipient,
    /// Domain of any of them.
    Domain,
    /// Kind of item.
    Type,
    /// Language of the text.
    Language,
    /// Year of the date, in the zone of the case.
    Year,
    /// Month of the date, in the zone of the case.
    Month,
    /// Day of the date, in the zone of the case.
    Day,
    /// Source.
    Source,
    /// Tag.
    Tag,
    /// Exhibit.
    Exhibit,
    /// Mark of privilege.
    Privilege,
    /// State of review; null for what is not reviewed.
    Review,
    /// Case reference.
    Case,
    /// Label of an instance.
    Label,
    /// Defect code.
    Defect,
    /// Kind of item, counted by how far its text could be searched.
    Searchability,
}

impl Facet {
    /// All facets.
    pub const ALL: [Self; 18] = [
        Self::Custodian,
        Self::Sender,
        Self::Recipient,
        Self::Domain,
        Self::Type,
        Self::Language,
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Source,
        Self::Tag,
        Self::Exhibit,
        Self::Privilege,
        Self::Review,
        Self::Case,
        Self::Label,
        Self::Defect,
        Self::Searchability,
    ];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Custodian => "custodian",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Domain => "domain",
            Self::Type => "type",
            Self::Language => "language",
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Source => "source",
            Self::Tag => "tag",
            Self::Exhibit => "exhibit",
            Self::Privilege => "privilege",
            Self::Review => "review",
            Self::Case => "case",
            Self::Label => "label",
            Self::Defect => "defect",
            Self::Searchability => "searchability",
        }
    }

    /// The facet with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|facet| facet.name().eq_ignore_ascii_case(name))
    }

    /// Where its values are.
    pub(crate) fn home(self) -> FacetHome {
        match self {
            Self::Custodian => FacetHome::Named(Field::Custodian),
            Self::Type => FacetHome::Named(Field::Type),
            Self::Source => FacetHome::Named(Field::Source),
            Self::Tag => FacetHome::Named(Field::Tag),
            Self::Exhibit => FacetHome::Named(Field::Exhibit),
            Self::Privilege => FacetHome::Named(Field::Privilege),
            Self::Review => FacetHome::Named(Field::Review),
            Self::Case => FacetHome::Named(Field::Case),
            Self::Label => FacetHome::Named(Field::Label),
            Self::Defect => FacetHome::Defects,
            Self::Searchability => FacetHome::Hidden,
            Self::Sender => FacetHome::Column(CountBy::Sender),
            Self::Recipient => FacetHome::Column(CountBy::Recipient),
            Self::Domain => FacetHome::Column(CountBy::Domain),
            Self::Language => FacetHome::Column(CountBy::Language),
            Self::Year => FacetHome::Period(Period::Year),
            Self::Month => FacetHome::Period(Period::Month),
            Self::Day => FacetHome::Period(Period::Day),
        }
    }
}

/// Where the values of a facet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FacetHome {
    /// Named sets of the case.
    Named(Field),
    /// Defect codes in the index.
    Defects,
    /// How far items could be searched.
    Hidden,
    /// A column of values.
    Column(CountBy),
    /// The column of dates.
    Period(Period),
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    Year,
    Month,
    Day,
}

impl Serialize for Facet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Hits counted by one facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacetCounts {
    /// Which facet.
    pub facet: Facet,
    /// Values with at least one hit, those with the most first and then by name, as many as were asked for; of these, years, months and days in the order
    /// of time. The hits without a value stand last, under null.
    pub values: Vec<FacetValue>,
    /// How many values have at least one hit, listed or not, null not counted.
    pub value_count: u64,
    /// What is not listed; null when everything is.
    pub others: Option<OtherValues>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacetValue {
    /// The value; null for hits without one.
    pub value: Option<String>,
    /// How many hits have it.
    pub count: u64,
}

/// Values that are not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OtherValues {
    /// How many there are.
    pub values: u64,
    /// Hits that have at least one of them, each once.
    pub items: u64,
}

impl FacetCounts {
    fn new(facet: Facet, listed: Vec<(String, u64)>, value_count: u64, other_items: u64, without: u64) -> Self {
        let others = value_count.saturating_sub(listed.len() as u64);
        let mut values: Vec<FacetValue> = listed
            .into_iter()
            .map(|(value, count)| FacetValue {
                value: Some(value),
                count,
            })
            .collect();
        if without > 0 {
            values.push(FacetValue {
                value: None,
                count: without,
            });
        }
        Self {
            facet,
            values,
            value_count,
            others: (others > 0).then_some(OtherValues {
                values: others,
                items: other_items,
            }),
        }
    }
}

/// The values of a facet over all items.
pub(crate) type FacetSets = Vec<(String, Arc<RoaringBitmap>)>;

/// Counts hits by sets; at most `limit` values are listed.
pub(crate) fn count(facet: Facet, sets: &FacetSets, hits: &RoaringBitmap, limit: Option<usize>) -> FacetCounts {
    let mut found: Vec<(usize, u64)> = Vec::new();
    let mut left = hits.clone();
    for (at, (_, items)) in sets.iter().enumerate() {
        let count = hits.intersection_len(items);
        if count > 0 {
            left -= items.as_ref();
            found.push((at, count));
        }
    }
    found.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| sets[one.0].0.cmp(&sets[two.0].0)));
    let value_count = found.len() as u64;
    let cut = found.split_off(limit.unwrap_or(usize::MAX).min(found.len()));
    let mut others = RoaringBitmap::new();
    for (at, _) in &cut {
        others |= hits & sets[*at].1.as_ref();
    }
    let listed = found.into_iter().map(|(at, count)| (sets[at].0.clone(), count));
    FacetCounts::new(facet, listed.collect(), value_count, others.len(), left.len())
}

/// What a column gave.
pub(crate) fn of_column(facet: Facet, counts: ValueCounts) -> FacetCounts {
    FacetCounts::new(facet, counts.values, counts.distinct, counts.cut_items, counts.without)
}

/// Counts dates (seconds UTC, the earliest first) by stretches of the calendar in a zone; `hits` counts the undated too.
pub(crate) fn of_dates(
    (facet, period): (Facet, Period),
    dates: &[i64],
    zone: &TimeZone,
    hits: u64,
    limit: Option<usize>,
) -> FacetCounts {
    let mut counts: Vec<(String, u64)> = Vec::new();
    let mut rest = dates;
    while let Some(first) = rest.first() {
        let Ok(stamp) = Timestamp::from_second(*first) else {
            // Before or after what a calendar holds: no such date is in any year.
            rest = &rest[1..];
            continue;
        };
        let day = stamp.to_zoned(zone.clone()).date();
        let (year, month) = (day.year(), day.month());
        let (name, spec) = match period {
            Period::Year => (format!("{year:04}"), DateSpec::Year(year)),
            Period::Month => (format!("{year:04}-{month:02}"), DateSpec::Month(year, month)),
            Period::Day => (
                format!("{year:04}-{month:02}-{:02}", day.day()),
                DateSpec::Day(year, month, day.day()),
            ),
        };
        let end = end_of(spec, zone).unwrap_or(i64::MAX);
        let within = rest.partition_point(|date| *date < end).max(1);
        match counts.last_mut() {
            Some((last, count)) if *last == name => *count += within as u64,
            _ => counts.push((name, within as u64)),
        }
        rest = &rest[within..];
    }
    let dated: u64 = counts.iter().map(|(_, count)| count).sum();
    let value_count = counts.len() as u64;
    let mut by_count: Vec<usize> = (0..counts.len()).collect();
    // Equal counts stay in the order of time.
    by_count.sort_by_key(|at| std::cmp::Reverse(counts[*at].1));
    by_count.truncate(limit.unwrap_or(usize::MAX));
    by_count.sort_unstable();
    let listed: Vec<(String, u64)> = by_count
        .into_iter()
        .map(|at| (std::mem::take(&mut counts[at].0), counts[at].1))
        .collect();
    let shown: u64 = listed.iter().map(|(_, count)| count).sum();
    FacetCounts::new(facet, listed, value_count, dated - shown, hits - dated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_counts_with_each_of_its_values_and_one_without_under_null() {
        let set = |items: &[u32]| Arc::new(items.iter().copied().collect::<RoaringBitmap>());
        let sets = vec![
            ("b".to_owned(), set(&[1, 2])),
            ("a".to_owned(), set(&[2, 3])),
            ("c".to_owned(), set(&[9])),
        ];
        let hits = RoaringBitmap::from_iter([1, 2, 3, 4]);
        let found = count(Facet::Tag, &sets, &hits, None);
        assert_eq!(listed(&found), [("a", 2), ("b", 2), ("(none)", 1)]);
        assert_eq!((found.value_count, found.others), (2, None));
        let cut = count(Facet::Tag, &sets, &hits, Some(1));
        assert_eq!(listed(&cut), [("a", 2), ("(none)", 1)]);
        assert_eq!(
            (cut.value_count, cut.others),
            (2, Some(OtherValues { values: 1, items: 2 }))
        );
    }

    fn listed(counts: &FacetCounts) -> Vec<(&str, u64)> {
        let values = counts.values.iter();
        values
            .map(|one| (one.value.as_deref().unwrap_or("(none)"), one.count))
            .collect()
    }

    #[test]
    fn days_begin_at_midnight_in_the_zone_and_forged_dates_cost_nothing() {
        let london = TimeZone::get("Europe/London").expect("a known zone");
        let at = |text: &str| text.parse::<Timestamp>().expect("a moment").as_second();
        let dates = [
            i64::MIN,
            at("-009000-03-04T05:06:07Z"),
            at("2001-05-13T22:59:59Z"),
            at("2001-05-13T23:00:00Z"),
            at("2001-05-14T22:59:59Z"),
            at("2002-01-01T00:00:00Z"),
            at("9000-01-01T00:00:00Z"),
        ];
        let of = |facet: Facet, limit| {
            let FacetHome::Period(period) = facet.home() else {
                panic!("no period")
            };
            of_dates((facet, period), &dates, &london, 10, limit)
        };
        let days = of(Facet::Day, None);
        assert_eq!(
            listed(&days)[1..],
            [
                ("2001-05-13", 1),
                ("2001-05-14", 2),
                ("2002-01-01", 1),
                ("9000-01-01", 1),
                ("(none)", 4)
            ]
        );
        let months = of(Facet::Month, Some(1));
        assert_eq!(listed(&months), [("2001-05", 3), ("(none)", 4)]);
        assert_eq!(months.others, Some(OtherValues { values: 3, items: 3 }));
        let years = of(Facet::Year, Some(2));
        assert_eq!(listed(&years), [("-9000", 1), ("2001", 3), ("(none)", 4)]);
    }

    #[test]
    fn every_facet_is_found_by_its_name() {
        for facet in Facet::ALL {
            assert_eq!(Facet::from_name(facet.name()), Some(facet));
        }
        assert_eq!(Facet::from_name("colour"), None);
    }
}
