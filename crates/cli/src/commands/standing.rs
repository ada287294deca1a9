//! What every report says of the state it was made from.

use embley_search::Standing;

use crate::output::note;

/// Items that no search can find, for people.
pub(crate) fn tell(standing: &Standing) {
    if !standing.not_searchable.is_empty() {
        let reasons: Vec<String> = standing
            .not_searchable
            .iter()
            .map(|one| format!("{} {}", one.reason, one.items))
            .collect();
        note!("in the case, but not searchable: {}", reasons.join(", "));
    }
    if standing.not_indexed > 0 {
        note!(
            "{} items are not in the index yet: an ingest or reindex is under way or was stopped; run it again",
            standing.not_indexed
        );
    }
}
