//! Exact counts of the hits by who held them, what they are, when they are from, and what marks them.
//!
//! Every value is a bitmap over item numbers, kept by the searcher, so that a facet is a number of intersections.
//! Invariant: counts are of items; an item with several values counts with each, one with none under null.

use std::sync::Arc;

use embley_model::field::Field;
use roaring::RoaringBitmap;
use serde::Serialize;

/// What hits can be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Facet {
    /// Custodian.
    Custodian,
    /// Kind of item.
    Type,
    /// Year of the date, in the zone of the case.
    Year,
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
    pub const ALL: [Self; 12] = [
        Self::Custodian,
        Self::Type,
        Self::Year,
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
            Self::Type => "type",
            Self::Year => "year",
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

    /// The field whose named sets are the values, where there is one.
    pub(crate) fn field(self) -> Option<Field> {
        match self {
            Self::Custodian => Some(Field::Custodian),
            Self::Type => Some(Field::Type),
            Self::Source => Some(Field::Source),
            Self::Tag => Some(Field::Tag),
            Self::Exhibit => Some(Field::Exhibit),
            Self::Privilege => Some(Field::Privilege),
            Self::Review => Some(Field::Review),
            Self::Case => Some(Field::Case),
            Self::Label => Some(Field::Label),
            Self::Year | Self::Defect | Self::Searchability => None,
        }
    }
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
    /// Values with at least one hit: years ascending, others with the most hits first, null last.
    pub values: Vec<FacetValue>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FacetValue {
    /// The value; null for hits without one.
    pub value: Option<String>,
    /// How many hits have it.
    pub count: u64,
}

/// The values of a facet over all items.
pub(crate) type FacetSets = Vec<(String, Arc<RoaringBitmap>)>;

/// Counts hits by the values of a facet.
pub(crate) fn count(facet: Facet, sets: &FacetSets, hits: &RoaringBitmap) -> FacetCounts {
    let mut values: Vec<FacetValue> = Vec::new();
    let mut left = hits.clone();
    for (name, items) in sets {
        let count = hits.intersection_len(items);
        if count > 0 {
            left -= items.as_ref();
            values.push(FacetValue {
                value: Some(name.clone()),
                count,
            });
        }
    }
    match facet {
        Facet::Year => values.sort_by(|one, two| one.value.cmp(&two.value)),
        _ => values.sort_by(|one, two| two.count.cmp(&one.count).then_with(|| one.value.cmp(&two.value))),
    }
    if !left.is_empty() {
        values.push(FacetValue {
            value: None,
            count: left.len(),
        });
    }
    FacetCounts { facet, values }
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
        let found = count(Facet::Tag, &sets, &hits);
        let values: Vec<_> = found
            .values
            .iter()
            .map(|one| (one.value.as_deref(), one.count))
            .collect();
        assert_eq!(values, [(Some("a"), 2), (Some("b"), 2), (None, 1)]);
    }

    #[test]
    fn every_facet_is_found_by_its_name() {
        for facet in Facet::ALL {
            assert_eq!(Facet::from_name(facet.name()), Some(facet));
        }
        assert_eq!(Facet::from_name("colour"), None);
    }
}
