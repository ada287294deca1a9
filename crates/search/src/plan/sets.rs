//! The sets of a case as the plan asks for them: by field and name.

use embley_model::field::Field;
use roaring::RoaringBitmap;

/// An error of whoever keeps the sets.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How a set is asked for. Names are compared folded (case, accents, runs of white space).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetAsk {
    /// Any set of the field: `tag:*`.
    Any,
    /// The set with this name or value.
    Is(String),
    /// All sets whose names begin so.
    Begins(String),
    /// Paths and folders that hold these words side by side, in this order. Words are folded as in the index.
    Words {
        /// At least one word.
        words: Vec<String>,
        /// The last word may go on.
        last_is_prefix: bool,
    },
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The items of all sets that fit.
    pub items: RoaringBitmap,
    /// How many sets, paths or items have the name; 0 means that nothing is called so.
    pub names_count: u64,
}

/// Gives the sets of a case: custodian, source, path, folder, exhibit, tag, case, hash, item.
///
/// The implementor guarantees that all answers belong to one state of the case while a plan is made and run.
pub trait Sets {
    /// The items of all sets of `field` that fit.
    ///
    /// Values of `hash` are lower-case hexadecimal of 8 to 64 digits and mean BLAKE3 or SHA-256. [`SetAsk::Is`] of `item` holds an
    /// item number in digits, or `item:` with an item id whose hash may be cut to 8 digits; [`SetAsk::Begins`] holds the first 8 to 32
    /// digits of the id of a whole family. `label` is asked too: it means the labels of instances; and `has`: the words of
    /// [`embley_model::item::Searchability`] and `not-searchable`.
    ///
    /// # Errors
    /// Whatever kept it from reading; a name that nothing has is not an error.
    fn find(&self, field: Field, ask: &SetAsk) -> Result<Found, BoxError>;

    /// Names of the sets of `field`, for hints; empty for fields without a short list of names.
    ///
    /// # Errors
    /// As [`Sets::find`].
    fn names(&self, field: Field) -> Result<Vec<String>, BoxError>;
}
