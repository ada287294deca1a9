//! At which level the words AND, OR and NOT of a query act.

use serde::{Deserialize, Serialize};

/// What has to hold together for a hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// One item: a message, an attachment, a document, a record.
    #[default]
    Item,
    /// A top-level item with all of its parts: each leaf of the query may be met by another member. Hits, counts, facets and what was
    /// not searchable are counted by top-level items.
    Family,
}

impl Level {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Family => "family",
        }
    }

    /// The level with this name: `item`, `family`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Item, Self::Family]
            .into_iter()
            .find(|level| level.name() == name)
    }
}
